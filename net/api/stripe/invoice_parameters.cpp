#include "net/api/stripe/invoice_parameters.hpp"

namespace billd::api::stripe {
namespace {

/// Source: Stripe, an amount is given as a whole or as a unit amount with a quantity.
Result<void> check_amount(const Arguments& arguments) {
  for (const char* other : {"unit_amount", "quantity"})
    if (arguments.has("amount") && arguments.has(other))
      return Failure{Errc::invalid_parameter,
                     "You may only specify one of these parameters: amount, " + std::string(other) + ".", "amount"};
  return {};
}

std::optional<Period> read_period(const Arguments& arguments) {
  const auto period = arguments.map("period");
  if (!period) return std::nullopt;
  return Period{*period->timestamp("start"), *period->timestamp("end")};
}

}  // namespace

Result<CreateInvoiceItem> read_new_invoice_item(const Arguments& arguments, const Account& account) {
  auto fits = check_amount(arguments);
  if (!fits) return fits.error();
  const char* name = arguments.has("unit_amount") ? "unit_amount" : "amount";
  const auto amount = arguments.integer(name);
  if (!amount) return Failure{Errc::missing_parameter, "Missing required param: amount.", "amount"};
  CreateInvoiceItem command;
  const Currency given =
      arguments.has("currency") ? *Currency::parse(arguments.text_or_empty("currency")) : account.customer.currency;
  command.unit_amount = Money{*amount, given};
  command.quantity = arguments.integer("quantity").value_or(1);
  command.period = read_period(arguments);
  command.description = arguments.text_or_empty("description");
  command.discountable = arguments.boolean("discountable");
  auto metadata = arguments.metadata_over({});
  if (!metadata) return metadata.error();
  command.metadata = std::move(*metadata);
  return command;
}

Result<UpdateInvoiceItem> read_invoice_item_changes(const Arguments& arguments, const KnownItem& item) {
  auto fits = check_amount(arguments);
  if (!fits) return fits.error();
  UpdateInvoiceItem command;
  command.item = item.item.id;
  command.invoice = item.invoice;
  command.unit_amount = arguments.integer("unit_amount");
  command.quantity = arguments.integer("quantity");
  if (const auto amount = arguments.integer("amount")) {
    command.unit_amount = amount;
    command.quantity = 1;
  }
  command.period = read_period(arguments);
  command.description = arguments.text("description");
  command.discountable = arguments.boolean("discountable");
  command.metadata = arguments.metadata_patch();
  return command;
}

}  // namespace billd::api::stripe
