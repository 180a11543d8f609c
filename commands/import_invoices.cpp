// Drafts, open invoices and pending items, read from Stripe's JSON.
#include "commands/import_json.hpp"
#include "commands/import_objects.hpp"

namespace billd::commands {
namespace {

namespace json = boost::json;

/// What is billed by it: a price that recurs, or a unit's amount alone.
Result<Price> price_of_item(const json::object& item, const Currency& currency, const PriceOf& price_of) {
  if (const json::object* plan = object_of(item, "plan")) return price_of(*plan);
  Price price;
  price.unit_amount = {integer_of(item, "unit_amount", integer_of(item, "amount")), currency};
  return price;
}

/// Prices that are paid once are not among the plans.
Result<void> refuse_single_price(const json::object& item) {
  if (member_of(item, "plan") == nullptr && member_of(item, "price") != nullptr)
    return refusal("it has a price that is paid once, which billd cannot take along", "price");
  return {};
}

Period period_of(const json::object& object, Timestamp otherwise) {
  const json::object* period = object_of(object, "period");
  if (period == nullptr) return {otherwise, otherwise};
  return {time_of(*period, "start").value_or(otherwise), time_of(*period, "end").value_or(otherwise)};
}

Result<InvoiceLine> line_of(const json::object& line, const Currency& currency, const PriceOf& price_of) {
  auto refused = refuse_members(line, {"tax_amounts", "tax_rates", "discount_amounts", "discounts"});
  if (!refused) return refused.error();
  refused = refuse_single_price(line);
  if (!refused) return refused.error();
  InvoiceLine read;
  read.id = InvoiceLineId(text_of(line, "id"));
  read.amount = {integer_of(line, "amount"), currency};
  read.period = period_of(line, {});
  read.quantity = integer_of(line, "quantity", 1);
  const bool is_recurring = text_of(line, "type") == "subscription";
  if (is_recurring || member_of(line, "plan") != nullptr) {
    auto price = price_of_item(line, currency, price_of);
    if (!price) return price.error();
    read.price = std::move(*price);
  } else {
    read.price.unit_amount = {read.quantity != 0 ? read.amount.minor / read.quantity : read.amount.minor, currency};
  }
  read.item = SubscriptionItemId(text_of(line, "subscription_item"));
  read.metadata = metadata_of(line);
  if (is_recurring) return read;
  read.invoice_item = InvoiceItemId(identifier_of(line, "invoice_item"));
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

}  // namespace

Result<InvoiceItem> read_invoice_item(const json::object& item, const PriceOf& price_of) {
  auto refused = refuse_members(item, {"discounts"});
  if (!refused) return refused.error();
  refused = refuse_single_price(item);
  if (!refused) return refused.error();
  auto currency = currency_of(item);
  if (!currency) return currency.error();
  auto price = price_of_item(item, *currency, price_of);
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
                             const PriceOf& price_of) {
  auto refused = refuse_members(invoice, {"tax", "tax_percent", "default_tax_rates", "discount", "discounts",
                                          "total_discount_amounts", "total_tax_amounts", "application_fee_amount",
                                          "amount_paid", "transfer_data", "pre_payment_credit_notes_amount"});
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
  for (const json::object& each : lines) {
    auto line = line_of(each, *currency, price_of);
    if (!line) return line.error();
    if (line->is_recurring() && subscription != nullptr) read.ordinal = ordinal_of(*line, *subscription);
    read.lines.push_back(std::move(*line));
  }
  read.total = {integer_of(invoice, "total"), *currency};
  read.amount_paid = {0, *currency};
  read.metadata = metadata_of(invoice);
  read.description = text_of(invoice, "description");
  const std::string method = identifier_of(invoice, "default_payment_method");
  read.default_source = SourceId(method.empty() ? identifier_of(invoice, "default_source") : method);
  read_state(invoice, read);
  return read;
}

}  // namespace billd::commands
