// Invoices, their lines and invoice items as Stripe shows them.
#include <algorithm>
#include <array>
#include <chrono>

#include "net/api/stripe/present/words.hpp"
#include "net/api/stripe/presenter.hpp"

namespace billd::api::stripe {
namespace {

std::string_view name(BillingReason reason) {
  switch (reason) {
    case BillingReason::subscription_create:
      return "subscription_create";
    case BillingReason::subscription_cycle:
      return "subscription_cycle";
    case BillingReason::manual:
      return "manual";
    case BillingReason::subscription_update:
      return "subscription_update";
    case BillingReason::direct_charge:
      return "manual";  // shown to nobody
  }
  return "";
}

/// "/ month", "every 3 months".
std::string recurrence_text(Recurrence recurrence) {
  const std::string interval(to_text(recurrence.interval));
  if (recurrence.count == 1) return "/ " + interval;
  return "every " + std::to_string(recurrence.count) + " " + interval + "s";
}

/// "15 May 2026".
std::string day_text(Timestamp time) {
  constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(time));
  return std::to_string(static_cast<unsigned>(day.day())) + " " +
         std::string(months[static_cast<unsigned>(day.month()) - 1]) + " " +
         std::to_string(static_cast<int>(day.year()));
}

std::string_view title_of(const Price& price, const Plan* plan) {
  if (plan != nullptr && !plan->product_name.empty()) return plan->product_name;
  return price.nickname.empty() ? std::string_view(price.id.value()) : std::string_view(price.nickname);
}

/// What one side of a change of prices is called; the side that is given back is negative.
std::string proration_text(const Money& amount, std::string_view title, Timestamp since) {
  return std::string(amount.minor < 0 ? "Unused time on " : "Remaining time on ") + std::string(title) + " after " +
         day_text(since);
}

std::string item_text(const InvoiceItem& item, const Plan* plan) {
  if (!item.description.empty() || !item.proration) return item.description;
  return proration_text(item.amount, title_of(item.price, plan), item.period.start);
}

std::string line_text(const InvoiceLine& line, const Plan* plan) {
  const std::string_view title = title_of(line.price, plan);
  if (!line.description.empty()) return line.description;
  if (line.proration && !line.is_recurring()) return proration_text(line.amount, title, line.period.start);
  if (!line.is_recurring()) return {};
  if (line.trial) return "Trial period for " + std::string(title);
  return std::to_string(line.quantity) + " × " + std::string(title) + " (at " + to_text(line.price.unit_amount) + " " +
         recurrence_text(line.price.recurrence) + ")";
}

/// The taxes that are in the amounts already.
std::int64_t included_tax(const std::vector<TaxAmount>& taxes) {
  std::int64_t sum = 0;
  for (const TaxAmount& tax : taxes)
    if (tax.rate.inclusive) sum += tax.amount;
  return sum;
}

std::int64_t included_tax(const InvoiceLine& line) { return included_tax(line.taxes); }

/// What each rate takes of all lines together.
std::vector<TaxAmount> taxes_of(const Invoice& invoice) {
  std::vector<TaxAmount> sums;
  for (const InvoiceLine& line : invoice.lines) add_up(sums, line.taxes);
  return sums;
}

}  // namespace

std::string_view status_name(InvoiceStatus status) {
  switch (status) {
    case InvoiceStatus::draft:
      return "draft";
    case InvoiceStatus::open:
      return "open";
    case InvoiceStatus::paid:
      return "paid";
    case InvoiceStatus::uncollectible:
      return "uncollectible";
    case InvoiceStatus::void_:
      return "void";
  }
  return "";
}

std::vector<const InvoiceLine*> shown_lines(const Invoice& invoice) {
  std::vector<const InvoiceLine*> lines;
  lines.reserve(invoice.lines.size());
  for (auto line = invoice.lines.rbegin(); line != invoice.lines.rend(); ++line)
    if (!line->is_recurring()) lines.push_back(&*line);
  for (const InvoiceLine& line : invoice.lines)
    if (line.is_recurring()) lines.push_back(&line);
  return lines;
}

Object& Presenter::line(const InvoiceLine& line, const Invoice& invoice) {
  Object& object = document_.object(30);
  object.add("id", id(line.id));
  object.add("object", "line_item");
  object.add("amount", line.amount.minor);
  object.add("amount_excluding_tax", line.amount.minor - included_tax(line));
  object.add("currency", document_.text(line.amount.currency.code()));
  object.add("description", document_.text_or_null(line_text(line, known_.plan(line.price.id))));
  object.add("discount_amounts", discount_amounts(invoice, std::span(&line, 1)));
  object.add("discountable", line.discountable);
  object.add("discounts", discount_ids(line.discounts));
  if (!line.is_recurring()) object.add("invoice_item", id(line.invoice_item));
  object.add("livemode", mode_ == Mode::live);
  object.add("metadata", metadata(line.metadata));
  Object& period = document_.object(2);
  period.add("end", time(line.period.end));
  period.add("start", time(line.period.start));
  object.add("period", period);
  const bool has_plan = !line.price.id.is_empty();
  object.add("plan", has_plan ? Value(plan(line.price, invoice.created)) : Value());
  object.add("price", has_plan ? Value(price(line.price, invoice.created)) : Value());
  object.add("proration", line.proration);
  Object& proration = document_.object(1);
  proration.add("credited_items", nullptr);
  object.add("proration_details", proration);
  object.add("quantity", line.quantity);
  object.add("subscription", id_or_null(line.is_recurring() ? invoice.subscription : line.subscription));
  if (!line.item.is_empty()) object.add("subscription_item", id(line.item));
  object.add("tax_amounts", tax_amounts(line.taxes));
  object.add("tax_rates", tax_rates(line.tax_rates));
  object.add("type", line.is_recurring() ? Value("subscription") : Value("invoiceitem"));
  object.add("unit_amount_excluding_tax", document_.text(std::to_string(line.price.unit_amount.minor)));
  return object;
}

Object& Presenter::invoice_lines(const Invoice& invoice) {
  Array& lines = document_.array(std::min(invoice.lines.size(), embedded_max));
  for (const InvoiceLine* each : shown_lines(invoice))
    if (lines.values().size() < embedded_max) lines.add(line(*each, invoice));
  return list("/v1/invoices/" + invoice.id.value() + "/lines", lines, invoice.lines.size() > embedded_max,
              invoice.lines.size());
}

Object& Presenter::invoice_item(const InvoiceItem& item, const CustomerId& customer, const InvoiceId& invoice) {
  const bool has_plan = !item.price.id.is_empty();
  Object& object = document_.object(24);
  object.add("id", id(item.id));
  object.add("object", "invoiceitem");
  object.add("amount", item.amount.minor);
  object.add("currency", document_.text(item.amount.currency.code()));
  object.add("customer", id(customer));
  object.add("date", time(item.created));
  object.add("description", document_.text_or_null(item_text(item, known_.plan(item.price.id))));
  object.add("discountable", item.discountable);
  object.add("discounts", discount_ids(item.discounts));
  object.add("invoice", id_or_null(invoice));
  object.add("livemode", mode_ == Mode::live);
  object.add("metadata", metadata(item.metadata));
  Object& period = document_.object(2);
  period.add("end", time(item.period.end));
  period.add("start", time(item.period.start));
  object.add("period", period);
  object.add("plan", has_plan ? Value(plan(item.price, item.created)) : Value());
  object.add("price", has_plan ? Value(price(item.price, item.created)) : Value());
  object.add("proration", item.proration);
  object.add("quantity", item.quantity);
  object.add("subscription", id_or_null(item.subscription));
  if (!item.item.is_empty()) object.add("subscription_item", id(item.item));
  object.add("tax_rates", tax_rates(item.tax_rates));
  const Owner owner = owner_of(known_, item.id.value());
  object.add("test_clock", owner.account != nullptr ? id_or_null(owner.account->customer.test_clock) : Value());
  object.add("unit_amount", item.price.unit_amount.minor);
  return object;
}

Value Presenter::custom_fields(const CustomFields& fields) {
  if (fields.empty()) return {};
  Array& array = document_.array(fields.size());
  for (const auto& [name, value] : fields) {
    Object& field = document_.object(2);
    field.add("name", document_.text(name));
    field.add("value", document_.text(value));
    array.add(field);
  }
  return array;
}

Array& Presenter::customer_tax_ids(const Invoice& invoice, const Customer* customer) {
  CustomFields identifiers = invoice.customer_tax_identifiers;
  if (!invoice.finalized_at && customer != nullptr)
    for (const TaxIdentifier& each : customer->tax_identifiers) identifiers.emplace_back(each.type, each.value);
  Array& array = document_.array(identifiers.size());
  for (const auto& [type, value] : identifiers) {
    Object& identifier = document_.object(2);
    identifier.add("type", document_.text(type));
    identifier.add("value", document_.text(value));
    array.add(identifier);
  }
  return array;
}

Object& Presenter::invoice(const Invoice& invoice, const Owner& owner) {
  const Customer* customer = owner.account != nullptr ? &owner.account->customer : nullptr;
  const bool is_paid = invoice.status == InvoiceStatus::paid;
  const bool is_draft = invoice.status == InvoiceStatus::draft;
  const std::int64_t remaining = invoice.amount_due().minor - invoice.amount_paid.minor;
  Object& object = document_.object(90);
  // One that is announced is none yet.
  if (!invoice.id.is_empty()) object.add("id", id(invoice.id));
  object.add("object", "invoice");
  object.add("account_country", nullptr);
  object.add("account_name", nullptr);
  object.add("account_tax_ids", nullptr);
  object.add("amount_due", invoice.amount_due().minor);
  object.add("amount_paid", invoice.amount_paid.minor);
  object.add("amount_remaining", remaining);
  object.add("amount_shipping", 0);
  object.add("application", nullptr);
  object.add("application_fee", nullptr);
  object.add("application_fee_amount", nullptr);
  object.add("attempt_count", invoice.attempt_count);
  object.add("attempted", invoice.attempted);
  object.add("auto_advance", invoice.auto_advance && !invoice.is_settled());
  Object& automatic_tax = document_.object(2);
  automatic_tax.add("enabled", false);
  automatic_tax.add("status", nullptr);
  object.add("automatic_tax", automatic_tax);
  object.add("billing", document_.text(name(invoice.collection)));
  object.add("billing_reason", document_.text(name(invoice.reason)));
  object.add("charge", invoice.charges.empty() ? Value() : id(invoice.charges.back().id));
  object.add("closed", invoice.is_settled() || !invoice.auto_advance);
  object.add("collection_method", document_.text(name(invoice.collection)));
  object.add("created", time(invoice.created));
  object.add("currency", document_.text(invoice.total.currency.code()));
  object.add("custom_fields", custom_fields(invoice.custom_fields));
  object.add("customer", id(owner.customer));
  object.add("customer_address", customer != nullptr ? address(customer->address) : Value());
  object.add("customer_email", customer != nullptr ? document_.text_or_null(customer->email) : Value());
  object.add("customer_name", customer != nullptr ? document_.text_or_null(customer->name) : Value());
  object.add("customer_phone", customer != nullptr ? document_.text_or_null(customer->phone) : Value());
  object.add("customer_shipping", nullptr);
  object.add("customer_tax_exempt",
             document_.text(tax_exempt_name(customer != nullptr ? customer->tax_exempt : TaxExempt::none)));
  object.add("customer_tax_ids", customer_tax_ids(invoice, customer));
  object.add("date", time(invoice.created));
  const bool by_newer_name = invoice.default_source.value().starts_with(PaymentMethodKind::prefix);
  object.add("default_payment_method", by_newer_name ? id(invoice.default_source) : Value());
  object.add("default_source", by_newer_name ? Value() : id_or_null(invoice.default_source));
  object.add("default_tax_rates", tax_rates(invoice.tax_rates));
  object.add("description", document_.text_or_null(invoice.description));
  Value discount = discount_or_null(invoice.discount, owner.customer);
  if (invoice.discount && invoice.has_own_discount && !invoice.id.is_empty())
    discount.object()->set("invoice", id(invoice.id));
  object.add("discount", discount);
  Array& discounts = document_.array(1);
  if (invoice.discount) discounts.add(id(invoice.discount->id));
  object.add("discounts", discounts);
  object.add("due_date", time_or_null(invoice.due_at));
  object.add("effective_at", time_or_null(invoice.finalized_at));
  object.add("ending_balance", invoice.finalized_at ? Value(invoice.ending_balance) : Value());
  object.add("footer", document_.text_or_null(invoice.footer));
  object.add("forgiven", invoice.status == InvoiceStatus::uncollectible);
  object.add("from_invoice", nullptr);
  object.add("hosted_invoice_url", nullptr);
  object.add("invoice_pdf", nullptr);
  object.add("last_finalization_error", nullptr);
  object.add("latest_revision", nullptr);
  object.add("lines", invoice_lines(invoice));
  object.add("livemode", mode_ == Mode::live);
  object.add("metadata", metadata(invoice.metadata));
  object.add("next_payment_attempt",
             invoice.auto_advance ? time_or_null(is_draft ? invoice.finalize_at : invoice.next_attempt_at) : Value());
  object.add("number", document_.text_or_null(invoice.number));
  object.add("on_behalf_of", nullptr);
  object.add("paid", is_paid);
  object.add("paid_out_of_band", invoice.paid_out_of_band);
  object.add("payment_intent", payment_intent_id_or_null(invoice));
  Object& payment_settings = document_.object(3);
  payment_settings.add("default_mandate", nullptr);
  payment_settings.add("payment_method_options", nullptr);
  payment_settings.add("payment_method_types", nullptr);
  object.add("payment_settings", payment_settings);
  object.add("period_end", time(invoice.period.end));
  object.add("period_start", time(invoice.period.start));
  object.add("post_payment_credit_notes_amount", invoice.credited(true));
  object.add("pre_payment_credit_notes_amount", invoice.credited(false));
  object.add("quote", nullptr);
  object.add("receipt_number", nullptr);
  object.add("rendering_options", nullptr);
  object.add("shipping_cost", nullptr);
  object.add("shipping_details", nullptr);
  const bool is_current = !invoice.finalized_at && customer != nullptr;
  object.add("starting_balance", is_current ? customer->balance : invoice.starting_balance);
  object.add("statement_descriptor", document_.text_or_null(invoice.statement_descriptor));
  object.add("status", document_.text(status_name(invoice.status)));
  Object& transitions = document_.object(4);
  transitions.add("finalized_at", time_or_null(invoice.finalized_at));
  transitions.add("marked_uncollectible_at", time_or_null(invoice.marked_uncollectible_at));
  transitions.add("paid_at", time_or_null(invoice.paid_at));
  transitions.add("voided_at", time_or_null(invoice.voided_at));
  object.add("status_transitions", transitions);
  object.add("subscription", id_or_null(invoice.subscription));
  Object& subscription_details = document_.object(1);
  subscription_details.add("metadata", nullptr);
  object.add("subscription_details", subscription_details);
  const std::vector<TaxAmount> taxes = taxes_of(invoice);
  const std::int64_t included = included_tax(taxes);
  object.add("subtotal", invoice.subtotal());
  object.add("subtotal_excluding_tax", invoice.subtotal() - included);
  // Source: Stripe, "the sum of all the tax amounts on this invoice".
  object.add("tax", taxes.empty() ? Value() : Value(invoice.tax_total() + included));
  object.add("tax_percent", tax_percent(invoice.tax_rates));
  object.add("test_clock", customer != nullptr ? id_or_null(customer->test_clock) : Value());
  object.add("total", invoice.total.minor);
  object.add("total_discount_amounts", discount_amounts(invoice, invoice.lines));
  object.add("total_excluding_tax", invoice.total.minor - invoice.tax_total() - included);
  object.add("total_tax_amounts", tax_amounts(taxes));
  object.add("transfer_data", nullptr);
  object.add("webhooks_delivered_at", time(invoice.created));
  return object;
}

Object& Presenter::upcoming_invoice(const Invoice& invoice, const Account& account,
                                    std::optional<Timestamp> proration_date) {
  Object& object = this->invoice(invoice, {account.customer.id, &account});
  const std::string url = "/v1/invoices/upcoming/lines?customer=" + account.customer.id.value();
  object.find("lines")->object()->set("url", document_.text(url));
  object.remove("id");
  for (std::string_view member : {"charge", "effective_at", "number"}) object.set(member, nullptr);
  for (std::string_view member : {"attempted", "closed", "paid"}) object.set(member, false);
  const std::int64_t due = invoice.total.minor - (invoice.ending_balance - invoice.starting_balance);
  object.set("amount_due", due);
  object.set("amount_paid", 0);
  object.set("amount_remaining", due);
  object.set("attempt_count", 0);
  object.set("auto_advance", true);
  object.set("billing_reason", "upcoming");
  object.set("ending_balance", invoice.ending_balance);
  object.set("next_payment_attempt", invoice.collection == Collection::charge_automatically
                                         ? time(invoice.finalize_at.value_or(invoice.created))
                                         : Value());
  object.set("starting_balance", invoice.starting_balance);
  object.set("status", "draft");
  Object& transitions = *object.find("status_transitions")->object();
  for (Member& member : transitions.members()) member.value = nullptr;
  if (proration_date) object.add("subscription_proration_date", time(*proration_date));
  return object;
}

}  // namespace billd::api::stripe
