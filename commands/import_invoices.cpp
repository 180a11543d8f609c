// Drafts, open invoices and pending items, read from Stripe's JSON.
#include <algorithm>
#include <array>
#include <iterator>
#include <optional>

#include "commands/import_json.hpp"
#include "commands/import_objects.hpp"
#include "engine/amounts.hpp"

namespace billd::commands {
namespace {

namespace json = boost::json;

/// What is billed by it: a price, or a unit's amount alone.
Result<Price> price_of_item(const json::object& item, const Currency& currency, const Named& named) {
  for (const char* name : {"plan", "price"})
    if (const json::object* price = object_of(item, name)) return named.price(*price);
  Price price;
  const std::int64_t quantity = integer_of(item, "quantity", 1), amount = integer_of(item, "amount");
  price.unit_amount = {integer_of(item, "unit_amount", quantity != 0 ? amount / quantity : amount), currency};
  return price;
}

Period period_of(const json::object& object, Timestamp otherwise) {
  const json::object* period = object_of(object, "period");
  if (period == nullptr) return {otherwise, otherwise};
  return {time_of(*period, "start").value_or(otherwise), time_of(*period, "end").value_or(otherwise)};
}

/// What the discount takes off a line.
std::int64_t discount_of(const json::object& line) {
  std::int64_t sum = 0;
  for (const json::object& each : objects_of(member_of(line, "discount_amounts"))) sum += integer_of(each, "amount");
  return sum;
}

/// The rate of a tax amount: told in full, among those of the line or its invoice, or known to the catalog.
Result<AppliedTaxRate> rate_of(const json::object& amount, const std::vector<AppliedTaxRate>& agreed,
                               const Named& named) {
  if (const json::object* whole = object_of(amount, "tax_rate")) {
    auto rate = read_tax_rate(*whole);
    if (!rate) return rate.error();
    return rate->applied();
  }
  const std::string id = text_of(amount, "tax_rate");
  for (const AppliedTaxRate& rate : agreed)
    if (rate.id.value() == id) return rate;
  if (const TaxRate* known = named.tax_rate(id)) return known->applied();
  return refusal("the rate of its tax is not told: " + id, "tax_amounts");
}

Result<void> read_taxes(const json::object& line, const std::vector<AppliedTaxRate>& of_invoice, const Named& named,
                        InvoiceLine& read) {
  auto rates = read_tax_rates(line, "tax_rates");
  if (!rates) return rates.error();
  read.tax_rates = std::move(*rates);
  const std::vector<AppliedTaxRate>& agreed = read.tax_rates.empty() ? of_invoice : read.tax_rates;
  std::int64_t included = 0;
  for (const json::object& each : objects_of(member_of(line, "tax_amounts"))) {
    auto rate = rate_of(each, agreed, named);
    if (!rate) return rate.error();
    const std::int64_t amount = integer_of(each, "amount");
    if (rate->inclusive) included += amount;
    read.taxes.push_back({*rate, amount, 0});
  }
  for (TaxAmount& tax : read.taxes) tax.taxable = read.amount.minor - read.discount - included;
  return {};
}

Result<InvoiceLine> line_of(const json::object& line, const Currency& currency,
                            const std::vector<AppliedTaxRate>& rates, const Named& named) {
  auto refused = refuse_members(line, {"discounts", "pretax_credit_amounts"});
  if (!refused) return refused.error();
  InvoiceLine read;
  read.id = InvoiceLineId(text_of(line, "id"));
  read.amount = {integer_of(line, "amount"), currency};
  read.period = period_of(line, {});
  read.quantity = integer_of(line, "quantity", 1);
  read.discount = discount_of(line);
  auto taxed = read_taxes(line, rates, named, read);
  if (!taxed) return taxed.error();
  auto price = price_of_item(line, currency, named);
  if (!price) return price.error();
  read.price = std::move(*price);
  read.item = SubscriptionItemId(text_of(line, "subscription_item"));
  read.metadata = metadata_of(line);
  if (text_of(line, "type") == "subscription") return read;
  read.invoice_item = InvoiceItemId(identifier_of(line, "invoice_item"));
  // In old versions the line is called as its item.
  if (read.invoice_item.is_empty()) read.invoice_item = InvoiceItemId(read.id.value());
  read.subscription = SubscriptionId(identifier_of(line, "subscription"));
  read.description = text_of(line, "description");
  read.discountable = truth_of(line, "discountable");
  read.proration = truth_of(line, "proration");
  return read;
}

Result<BillingReason> reason_of(const json::object& invoice) {
  const std::string reason = text_of(invoice, "billing_reason");
  if (reason == "subscription_create") return BillingReason::subscription_create;
  if (reason == "subscription_cycle" || reason == "subscription") return BillingReason::subscription_cycle;
  if (reason == "subscription_update") return BillingReason::subscription_update;
  if (reason == "manual") return BillingReason::manual;
  return refusal("billd has no billing_reason " + reason, "billing_reason");
}

/// Which period of its subscription the line bills.
std::int64_t ordinal_of(const InvoiceLine& line, const Subscription& subscription) {
  if (line.period.start == subscription.current_period.start) return subscription.ordinal;
  return ordinal_at(subscription.anchor, subscription.recurrence(), line.period.start) + subscription.anchor_ordinal;
}

void read_state(const json::object& invoice, Invoice& read) {
  read.auto_advance = truth_of(invoice, "auto_advance");
  if (const json::object* transitions = object_of(invoice, "status_transitions"))
    read.finalized_at = time_of(*transitions, "finalized_at");
  const auto next = time_of(invoice, "next_payment_attempt");
  (read.status == InvoiceStatus::draft ? read.finalize_at : read.next_attempt_at) = next;
  read.attempt_count = static_cast<std::int32_t>(integer_of(invoice, "attempt_count"));
  read.attempted = truth_of(invoice, "attempted");
  read.collection = collection_of(invoice);
  read.due_at = time_of(invoice, "due_date");
  if (read.status != InvoiceStatus::open) return;
  if (read.auto_advance) read.overdue_at = read.due_at;
  read.starting_balance = integer_of(invoice, "starting_balance");
  read.ending_balance = integer_of(invoice, "ending_balance");
}

/// The invoice with what billd makes of its discount and its taxes, if that comes to the same total; empty: it does
/// not.
std::optional<Invoice> settled(const Invoice& told) {
  for (const TaxRounding rounding : {TaxRounding::line, TaxRounding::invoice})
    for (const TaxExempt exempt : {TaxExempt::none, TaxExempt::exempt}) {
      Invoice invoice = told;
      if (settle_amounts(invoice, rounding, exempt) && invoice.total == told.total) return invoice;
    }
  return std::nullopt;
}

/// Old versions tell the sums of discount and taxes alone, and a draft's are made anew when it is finalized: then what
/// billd makes of them must be the same. Of an open invoice they stand as they are told.
Result<void> agree_on_amounts(Invoice& invoice) {
  const bool is_told = std::ranges::any_of(
      invoice.lines, [](const InvoiceLine& line) { return line.discount != 0 || !line.taxes.empty(); });
  const bool has_terms =
      invoice.discount || !invoice.tax_rates.empty() ||
      std::ranges::any_of(invoice.lines, [](const InvoiceLine& line) { return !line.tax_rates.empty(); });
  if (invoice.status == InvoiceStatus::open && is_told) return {};
  if (!is_told && !has_terms) return {};
  auto same = settled(invoice);
  if (!same) return refusal("what billd makes of its discount and taxes is not its total", "total");
  invoice = std::move(*same);
  return {};
}

/// Whether its discount is said to be of this invoice alone.
bool has_own_discount(const json::object& invoice) {
  if (const json::object* discount = object_of(invoice, "discount"))
    return !identifier_of(*discount, "invoice").empty();
  const Objects several = objects_of(member_of(invoice, "discounts"));
  return !several.empty() && !identifier_of(several.front(), "invoice").empty();
}

/// What is to be read on it.
void read_words(const json::object& invoice, Invoice& read) {
  read.description = text_of(invoice, "description");
  read.footer = text_of(invoice, "footer");
  read.custom_fields = custom_fields_of(invoice);
  read.statement_descriptor = text_of(invoice, "statement_descriptor");
  if (read.status != InvoiceStatus::open) return;
  for (const json::object& each : objects_of(member_of(invoice, "customer_tax_ids")))
    read.customer_tax_identifiers.emplace_back(text_of(each, "type"), text_of(each, "value"));
}

/// What billd would otherwise find only when it is all together.
Result<void> check_sum(const Invoice& invoice) {
  Money sum{0, invoice.total.currency};
  for (const InvoiceLine& line : invoice.lines) {
    if (line.discount != 0 && !invoice.discount) return refusal("its discount is not told", "discount");
    auto with_line = add(sum, {line.net(), line.amount.currency});
    if (!with_line) return with_line.error();
    sum = *with_line;
  }
  if (sum != invoice.total)
    return refusal("its " + std::to_string(invoice.lines.size()) + " lines come to " + std::to_string(sum.minor) +
                       ", and its total is " + std::to_string(invoice.total.minor),
                   "total");
  return {};
}

}  // namespace

Result<InvoiceItem> read_invoice_item(const json::object& item, const Named& named) {
  auto refused = refuse_members(item, {"discounts"});
  if (!refused) return refused.error();
  auto currency = currency_of(item);
  if (!currency) return currency.error();
  auto price = price_of_item(item, *currency, named);
  if (!price) return price.error();
  auto rates = read_tax_rates(item, "tax_rates");
  if (!rates) return rates.error();
  InvoiceItem read;
  read.id = InvoiceItemId(text_of(item, "id"));
  read.created = time_of(item, "date").value_or(Timestamp());
  read.amount = {integer_of(item, "amount"), *currency};
  read.quantity = integer_of(item, "quantity", 1);
  read.price = std::move(*price);
  read.period = period_of(item, read.created);
  read.subscription = SubscriptionId(identifier_of(item, "subscription"));
  read.item = SubscriptionItemId(text_of(item, "subscription_item"));
  read.description = text_of(item, "description");
  read.discountable = truth_of(item, "discountable");
  read.proration = truth_of(item, "proration");
  read.metadata = metadata_of(item);
  read.tax_rates = std::move(*rates);
  return read;
}

Result<Invoice> read_invoice(const json::object& invoice, const Objects& lines, const Subscription* subscription,
                             const Named& named) {
  auto refused = refuse_members(invoice, {"application_fee_amount", "amount_paid", "transfer_data",
                                          "pre_payment_credit_notes_amount", "shipping_cost"});
  if (!refused) return refused.error();
  auto currency = currency_of(invoice);
  if (!currency) return currency.error();
  auto reason = reason_of(invoice);
  if (!reason) return reason.error();
  const std::string status = text_of(invoice, "status");
  if (status != "open" && status != "draft") return refusal("it is " + status, "status");
  Invoice read;
  read.id = InvoiceId(text_of(invoice, "id"));
  read.status = status == "open" ? InvoiceStatus::open : InvoiceStatus::draft;
  read.number = text_of(invoice, "number");
  read.reason = *reason;
  read.created = time_of(invoice, "created").value_or(Timestamp());
  read.subscription = SubscriptionId(identifier_of(invoice, "subscription"));
  read.period = {time_of(invoice, "period_start").value_or(read.created),
                 time_of(invoice, "period_end").value_or(read.created)};
  auto discount = read_discount(invoice, named);
  if (!discount) return discount.error();
  read.discount = std::move(*discount);
  read.has_own_discount = has_own_discount(invoice);
  auto rates = read_tax_rates(invoice, "default_tax_rates");
  if (!rates) return rates.error();
  read.tax_rates = std::move(*rates);
  std::vector<InvoiceLine> items;
  for (const json::object& each : lines) {
    auto line = line_of(each, *currency, read.tax_rates, named);
    if (!line) return line.error();
    if (line->is_recurring() && subscription != nullptr) read.ordinal = ordinal_of(*line, *subscription);
    (line->is_recurring() ? read.lines : items).push_back(std::move(*line));
  }
  // The API tells invoice items first, the newest of them foremost.
  std::ranges::move(items.rbegin(), items.rend(), std::back_inserter(read.lines));
  read.total = {integer_of(invoice, "total"), *currency};
  read.amount_paid = {0, *currency};
  read.metadata = metadata_of(invoice);
  read_words(invoice, read);
  read.default_source = paid_by(invoice);
  read_state(invoice, read);
  auto agreed = agree_on_amounts(read);
  if (agreed) agreed = check_sum(read);
  if (!agreed) return agreed.error();
  return read;
}

}  // namespace billd::commands
