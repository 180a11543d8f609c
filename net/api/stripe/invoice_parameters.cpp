#include "net/api/stripe/invoice_parameters.hpp"

#include <algorithm>

namespace billd::api::stripe {
namespace {

/// Source: Stripe, an item has a price, or an amount as a whole, or a unit amount with a quantity.
Result<void> check_amount(const Arguments& arguments) {
  constexpr std::array<std::string_view, 5> exclusive = {"amount", "unit_amount", "unit_amount_decimal", "price",
                                                         "price_data"};
  std::string_view given;
  for (std::string_view name : exclusive) {
    if (!arguments.has(name)) continue;
    if (!given.empty())
      return Failure{
          Errc::invalid_parameter,
          "You may only specify one of these parameters: " + std::string(given) + ", " + std::string(name) + ".",
          std::string(given)};
    given = name;
  }
  if (given == "amount" && arguments.has("quantity"))
    return Failure{Errc::invalid_parameter, "You may only specify one of these parameters: amount, quantity.",
                   "amount"};
  return {};
}

std::optional<Period> read_period(const Arguments& arguments) {
  const auto period = arguments.map("period");
  if (!period) return std::nullopt;
  return Period{*period->timestamp("start"), *period->timestamp("end")};
}

/// What one unit costs, or the whole of the only one; no value when the request says neither.
Result<std::optional<std::int64_t>> read_unit_amount(const Arguments& arguments) {
  if (!arguments.has("unit_amount_decimal"))
    return arguments.has("unit_amount") ? arguments.integer("unit_amount") : arguments.integer("amount");
  auto decimal = read_decimal(arguments, "unit_amount_decimal");
  if (!decimal) return decimal.error();
  if (decimal->fraction != 0)
    return Failure{Errc::invalid_parameter,
                   "Parts of the smallest unit are for prices: describe one with `price_data`.", "unit_amount_decimal"};
  return std::optional(decimal->minor);
}

}  // namespace

Result<std::optional<CustomFields>> read_custom_fields(const Arguments& arguments) {
  constexpr std::size_t fields_max = 4;  // Source: Stripe, "a list of up to 4 custom fields".
  std::optional<CustomFields> fields;
  if (!arguments.has("custom_fields")) return fields;
  fields.emplace();
  for (const Arguments& each : arguments.maps("custom_fields"))
    fields->emplace_back(each.text_or_empty("name"), each.text_or_empty("value"));
  if (fields->size() > fields_max)
    return Failure{Errc::invalid_parameter, "There can be at most 4 custom fields.", "custom_fields"};
  return fields;
}

Result<std::optional<std::string>> read_statement_descriptor(const Arguments& arguments) {
  auto given = arguments.text("statement_descriptor");
  if (!given || given->empty()) return given;
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const bool is_fit = std::ranges::any_of(*given, is_letter) && given->find_first_of("<>\\'\"*") == std::string::npos;
  // Source: Stripe, "It must contain at least one letter", and none of these characters.
  if (!is_fit)
    return Failure{Errc::invalid_parameter,
                   "A statement descriptor needs a letter, and none of the characters < > \\ ' \" *.",
                   "statement_descriptor"};
  return given;
}

awaitable<Result<CreateInvoiceItem>> read_new_invoice_item(Services& services, const Call& call, Known& known,
                                                           Arguments arguments, std::string path,
                                                           const Account& account) {
  auto fits = check_amount(arguments);
  if (!fits) co_return fits.error();
  CreateInvoiceItem command;
  command.description = arguments.text_or_empty("description");
  auto plan = co_await load_one_time_price(services, call, known, arguments, path);
  if (!plan) co_return plan.error();
  if (*plan != nullptr) {
    command.price = (*plan)->price();
    if (!arguments.has("description")) command.description = (*plan)->product_name;
  } else {
    auto amount = read_unit_amount(arguments);
    if (!amount) co_return amount.error();
    if (!*amount) co_return Failure{Errc::missing_parameter, "Missing required param: amount.", "amount"};
    const Currency given =
        arguments.has("currency") ? *Currency::parse(arguments.text_or_empty("currency")) : account.customer.currency;
    command.unit_amount = Money{**amount, given};
  }
  auto rates = co_await read_tax_rates(services, call, arguments, "tax_rates");
  if (!rates) co_return rates.error();
  command.tax_rates = rates->value_or(std::vector<AppliedTaxRate>());
  command.quantity = arguments.integer("quantity").value_or(1);
  command.period = read_period(arguments);
  command.discountable = arguments.boolean("discountable");
  auto discounts = co_await read_item_discounts(services, call, arguments, path);
  if (!discounts) co_return discounts.error();
  command.discounts = discounts->value_or(std::vector<ItemDiscount>());
  auto metadata = arguments.metadata_over({});
  if (!metadata) co_return metadata.error();
  command.metadata = std::move(*metadata);
  co_return command;
}

awaitable<Result<UpdateInvoiceItem>> read_invoice_item_changes(Services& services, const Call& call, Known& known,
                                                               Arguments arguments, std::string path,
                                                               const KnownItem& item) {
  auto fits = check_amount(arguments);
  if (!fits) co_return fits.error();
  UpdateInvoiceItem command;
  auto rates = co_await read_tax_rates(services, call, arguments, "tax_rates");
  if (!rates) co_return rates.error();
  command.tax_rates = std::move(*rates);
  command.item = item.item.id;
  command.invoice = item.invoice;
  auto plan = co_await load_one_time_price(services, call, known, arguments, path);
  if (!plan) co_return plan.error();
  if (*plan != nullptr) command.price = (*plan)->price();
  auto amount = read_unit_amount(arguments);
  if (!amount) co_return amount.error();
  command.unit_amount = *amount;
  command.quantity = arguments.integer("quantity");
  if (arguments.has("amount")) command.quantity = 1;
  command.period = read_period(arguments);
  command.description = arguments.text("description");
  command.discountable = arguments.boolean("discountable");
  auto discounts = co_await read_item_discounts(services, call, arguments, path);
  if (!discounts) co_return discounts.error();
  command.discounts = std::move(*discounts);
  command.metadata = arguments.metadata_patch();
  co_return command;
}

}  // namespace billd::api::stripe
