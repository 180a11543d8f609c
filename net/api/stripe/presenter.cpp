#include "net/api/stripe/presenter.hpp"

#include <algorithm>
#include <array>
#include <chrono>

#include "net/api/stripe/errors.hpp"

namespace billd::api::stripe {
namespace {

/// Source: Stripe embeds the ten newest of a list.
constexpr std::size_t embedded_max = 10;

Value time(Timestamp timestamp) { return to_unix(timestamp); }

Value time_or_null(const std::optional<Timestamp>& timestamp) {
  return timestamp ? Value(to_unix(*timestamp)) : Value();
}

Value count(std::size_t number) { return static_cast<std::int64_t>(number); }

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
  }
  return "";
}

std::string_view name(Collection collection) {
  return collection == Collection::send_invoice ? "send_invoice" : "charge_automatically";
}

std::string_view name(ChargeState state) {
  switch (state) {
    case ChargeState::succeeded:
      return "succeeded";
    case ChargeState::declined:
      return "failed";
    case ChargeState::sending:
    case ChargeState::parked:
      return "pending";
  }
  return "";
}

std::string_view name(RefundState state) {
  switch (state) {
    case RefundState::succeeded:
      return "succeeded";
    case RefundState::failed:
      return "failed";
    case RefundState::sending:
    case RefundState::pending:
    case RefundState::parked:
      return "pending";
  }
  return "";
}

/// "Visa" on a card is "visa" in payment_method_details. Source: https://stripe.com/docs/api/charges/object.
std::string_view network_of(std::string_view brand) {
  if (brand == "Visa") return "visa";
  if (brand == "MasterCard") return "mastercard";
  if (brand == "American Express") return "amex";
  if (brand == "Discover") return "discover";
  if (brand == "Diners Club") return "diners";
  if (brand == "JCB") return "jcb";
  if (brand == "UnionPay") return "unionpay";
  return "unknown";
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

std::string line_text(const InvoiceLine& line, const Plan* plan) {
  std::string_view title = line.price.id.value();
  if (plan != nullptr && !plan->product_name.empty())
    title = plan->product_name;
  else if (!line.price.nickname.empty())
    title = line.price.nickname;
  if (!line.description.empty()) return line.description;
  if (line.proration && !line.is_recurring())
    return std::string(line.amount.minor < 0 ? "Unused time on " : "Remaining time on ") + std::string(title) +
           " after " + day_text(line.period.start);
  if (!line.is_recurring()) return {};
  if (line.trial) return "Trial period for " + std::string(title);
  return std::to_string(line.quantity) + " × " + std::string(title) + " (at " + to_text(line.price.unit_amount) + " " +
         recurrence_text(line.price.recurrence) + ")";
}

/// An account's first object is its customer.
CustomerId customer_of(const AccountKey& key) { return make_id<CustomerKind>(key, 1); }

}  // namespace

std::string_view status_name(SubscriptionStatus status) {
  switch (status) {
    case SubscriptionStatus::incomplete:
      return "incomplete";
    case SubscriptionStatus::incomplete_expired:
      return "incomplete_expired";
    case SubscriptionStatus::trialing:
      return "trialing";
    case SubscriptionStatus::active:
      return "active";
    case SubscriptionStatus::past_due:
      return "past_due";
    case SubscriptionStatus::unpaid:
      return "unpaid";
    case SubscriptionStatus::canceled:
      return "canceled";
  }
  return "";
}

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

Owner owner_of(const Known& known, std::string_view id) {
  if (const Account* account = known.account_of(id)) return {account->customer.id, account};
  const auto key = AccountKey::of_id(id);
  return {key ? customer_of(*key) : CustomerId(), nullptr};
}

Object& Presenter::list(std::string_view url, Array& data, bool has_more, std::optional<std::size_t> total) {
  Object& list = document_.object(5);
  list.add("object", "list");
  list.add("data", data);
  list.add("has_more", has_more);
  if (total) list.add("total_count", count(*total));
  list.add("url", document_.text(url));
  return list;
}

Object& Presenter::empty_list(std::string_view url) { return list(url, document_.array(), false, 0); }

Object& Presenter::deleted(std::string_view id, std::string_view kind) {
  Object& object = document_.object(3);
  object.add("id", document_.text(id));
  object.add("object", document_.text(kind));
  object.add("deleted", true);
  return object;
}

Object& Presenter::metadata(const Metadata& metadata) {
  Object& object = document_.object(metadata.size());
  for (const auto& [key, value] : metadata) object.add(document_.copy(key), document_.text(value));
  return object;
}

Value Presenter::address(const Address& address) {
  if (address == Address()) return {};
  Object& object = document_.object(6);
  object.add("city", document_.text_or_null(address.city));
  object.add("country", document_.text_or_null(address.country));
  object.add("line1", document_.text_or_null(address.line1));
  object.add("line2", document_.text_or_null(address.line2));
  object.add("postal_code", document_.text_or_null(address.postal_code));
  object.add("state", document_.text_or_null(address.state));
  return object;
}

Object& Presenter::customer_alone(const Customer& customer, const AccountKey& key, std::size_t members) {
  Object& object = document_.object(members);
  object.add("id", id(customer.id));
  object.add("object", "customer");
  object.add("account_balance", customer.balance);
  object.add("address", address(customer.address));
  object.add("balance", customer.balance);
  object.add("created", time(customer.created));
  object.add("currency", document_.text_or_null(customer.currency.code()));
  object.add("default_source", id_or_null(customer.default_source));
  object.add("delinquent", customer.delinquent);
  object.add("description", document_.text_or_null(customer.description));
  object.add("discount", nullptr);
  object.add("email", document_.text_or_null(customer.email));
  object.add("invoice_prefix", document_.text(invoice_prefix(key)));
  Object& invoice_settings = document_.object(4);
  invoice_settings.add("custom_fields", nullptr);
  invoice_settings.add("default_payment_method", nullptr);
  invoice_settings.add("footer", nullptr);
  invoice_settings.add("rendering_options", nullptr);
  object.add("invoice_settings", invoice_settings);
  object.add("livemode", mode_ == Mode::live);
  object.add("metadata", metadata(customer.metadata));
  object.add("name", document_.text_or_null(customer.name));
  object.add("phone", document_.text_or_null(customer.phone));
  object.add("preferred_locales", document_.array());
  object.add("shipping", nullptr);
  object.add("tax_exempt", "none");
  object.add("test_clock", id_or_null(customer.test_clock));
  return object;
}

Object& Presenter::customer(const Account& account) {
  const Customer& customer = account.customer;
  if (customer.deleted) return deleted(customer.id.value(), "customer");
  Object& object = customer_alone(customer, account.key, 32);
  object.add("next_invoice_sequence", static_cast<std::int64_t>(account.invoices_numbered + 1));

  const std::string url = "/v1/customers/" + customer.id.value();
  Array& cards = document_.array(std::min(account.sources.size(), embedded_max));
  for (auto source = account.sources.rbegin(); source != account.sources.rend(); ++source)
    if (cards.values().size() < embedded_max) cards.add(card(*source, customer.id));
  object.add("sources", list(url + "/sources", cards, account.sources.size() > embedded_max, account.sources.size()));

  const Owner owner{customer.id, &account};
  Array& subscriptions = document_.array();
  std::size_t total = 0;
  for (auto each = account.subscriptions.rbegin(); each != account.subscriptions.rend(); ++each) {
    if (each->provisional) continue;
    if (++total <= embedded_max) subscriptions.add(subscription(*each, owner));
  }
  object.add("subscriptions", list(url + "/subscriptions", subscriptions, total > embedded_max, total));
  object.add("tax_ids", empty_list(url + "/tax_ids"));
  return object;
}

void Presenter::add_card_members(Object& object, const CardSummary& card) {
  object.add("brand", document_.text(card.brand));
  object.add("country", document_.text_or_null(card.country));
  object.add("exp_month", card.exp_month);
  object.add("exp_year", card.exp_year);
  object.add("fingerprint", document_.text_or_null(card.fingerprint));
  object.add("funding", document_.text(card.funding));
  object.add("last4", document_.text(card.last4));
}

Object& Presenter::card(const Source& source, const CustomerId& customer) {
  Object& object = document_.object(24);
  object.add("id", id(source.id));
  object.add("object", "card");
  object.add("address_city", document_.text_or_null(source.address.city));
  object.add("address_country", document_.text_or_null(source.address.country));
  object.add("address_line1", document_.text_or_null(source.address.line1));
  object.add("address_line1_check", document_.text_or_null(source.address_line1_check));
  object.add("address_line2", document_.text_or_null(source.address.line2));
  object.add("address_state", document_.text_or_null(source.address.state));
  object.add("address_zip", document_.text_or_null(source.address.postal_code));
  object.add("address_zip_check", document_.text_or_null(source.address_zip_check));
  add_card_members(object, source.card);
  object.add("customer", id(customer));
  object.add("cvc_check", document_.text_or_null(source.cvc_check));
  object.add("dynamic_last4", nullptr);
  object.add("metadata", metadata(source.metadata));
  object.add("name", document_.text_or_null(source.name));
  object.add("tokenization_method", nullptr);
  return object;
}

Object& Presenter::plan(const Plan& plan) {
  Object& object = document_.object(24);
  object.add("id", id(plan.id));
  object.add("object", "plan");
  object.add("active", plan.active);
  object.add("aggregate_usage", nullptr);
  object.add("amount", plan.unit_amount.minor);
  object.add("amount_decimal", document_.text(std::to_string(plan.unit_amount.minor)));
  object.add("billing_scheme", "per_unit");
  object.add("created", time(plan.created));
  object.add("currency", document_.text(plan.unit_amount.currency.code()));
  object.add("interval", document_.text(to_text(plan.recurrence.interval)));
  object.add("interval_count", plan.recurrence.count);
  object.add("livemode", mode_ == Mode::live);
  object.add("metadata", metadata(plan.metadata));
  object.add("name", document_.text_or_null(plan.product_name.empty() ? plan.nickname : plan.product_name));
  object.add("nickname", document_.text_or_null(plan.nickname));
  object.add("product", id_or_null(plan.product));
  object.add("statement_descriptor", nullptr);
  object.add("tiers_mode", nullptr);
  object.add("transform_usage", nullptr);
  object.add("trial_period_days", plan.trial_period_days > 0 ? Value(plan.trial_period_days) : Value());
  object.add("usage_type", "licensed");
  return object;
}

Object& Presenter::plan(const Price& price, Timestamp agreed) {
  if (const Plan* known = known_.plan(price.id)) return plan(*known);
  // The plan is not to be had: what was agreed is all that is known of it.
  Plan agreed_plan;
  agreed_plan.id = price.id;
  agreed_plan.created = agreed;
  agreed_plan.product = price.product;
  agreed_plan.nickname = price.nickname;
  agreed_plan.unit_amount = price.unit_amount;
  agreed_plan.recurrence = price.recurrence;
  return plan(agreed_plan);
}

Object& Presenter::price(const Price& price, Timestamp agreed) {
  const Plan* plan = known_.plan(price.id);
  Object& object = document_.object(20);
  object.add("id", id(price.id));
  object.add("object", "price");
  object.add("active", plan == nullptr || plan->active);
  object.add("billing_scheme", "per_unit");
  object.add("created", time(plan != nullptr ? plan->created : agreed));
  object.add("currency", document_.text(price.unit_amount.currency.code()));
  object.add("custom_unit_amount", nullptr);
  object.add("livemode", mode_ == Mode::live);
  object.add("lookup_key", nullptr);
  object.add("metadata", metadata(plan != nullptr ? plan->metadata : Metadata()));
  object.add("nickname", document_.text_or_null(plan != nullptr ? plan->nickname : price.nickname));
  object.add("product", id(price.product));
  Object& recurring = document_.object(4);
  recurring.add("aggregate_usage", nullptr);
  recurring.add("interval", document_.text(to_text(price.recurrence.interval)));
  recurring.add("interval_count", price.recurrence.count);
  recurring.add("usage_type", "licensed");
  object.add("recurring", recurring);
  object.add("tax_behavior", "unspecified");
  object.add("tiers_mode", nullptr);
  object.add("transform_quantity", nullptr);
  object.add("type", "recurring");
  object.add("unit_amount", price.unit_amount.minor);
  object.add("unit_amount_decimal", document_.text(std::to_string(price.unit_amount.minor)));
  return object;
}

Object& Presenter::product(const Plan& plan) {
  Object& object = document_.object(24);
  object.add("id", id(plan.product));
  object.add("object", "product");
  object.add("active", true);
  object.add("attributes", document_.array());
  object.add("caption", nullptr);
  object.add("created", time(plan.created));
  object.add("default_price", nullptr);
  object.add("description", nullptr);
  object.add("features", document_.array());
  object.add("images", document_.array());
  object.add("livemode", mode_ == Mode::live);
  object.add("metadata", document_.object(0));
  object.add("name", document_.text(plan.product_name.empty() ? plan.product.value() : plan.product_name));
  object.add("package_dimensions", nullptr);
  object.add("shippable", nullptr);
  object.add("statement_descriptor", nullptr);
  object.add("tax_code", nullptr);
  object.add("type", "service");
  object.add("unit_label", nullptr);
  object.add("updated", time(plan.created));
  object.add("url", nullptr);
  return object;
}

Object& Presenter::subscription_item(const SubscriptionItem& item, const Subscription& subscription) {
  Object& object = document_.object(12);
  object.add("id", id(item.id));
  object.add("object", "subscription_item");
  object.add("billing_thresholds", nullptr);
  object.add("created", time(item.created));
  object.add("current_period_end", time(subscription.current_period.end));
  object.add("current_period_start", time(subscription.current_period.start));
  object.add("metadata", metadata(item.metadata));
  object.add("plan", plan(item.price, item.created));
  object.add("price", price(item.price, item.created));
  object.add("quantity", item.quantity);
  object.add("subscription", id(subscription.id));
  object.add("tax_rates", document_.array());
  return object;
}

Object& Presenter::subscription(const Subscription& subscription, const Owner& owner) {
  const bool single = subscription.items.size() == 1;
  const SubscriptionItem& first = subscription.items.front();
  Object& object = document_.object(56);
  object.add("id", id(subscription.id));
  object.add("object", "subscription");
  object.add("application", nullptr);
  object.add("application_fee_percent", nullptr);
  Object& automatic_tax = document_.object(1);
  automatic_tax.add("enabled", false);
  object.add("automatic_tax", automatic_tax);
  object.add("billing", document_.text(name(subscription.collection)));
  object.add("billing_cycle_anchor", time(subscription.anchor));
  object.add("billing_thresholds", nullptr);
  object.add("cancel_at", subscription.cancel_at_period_end ? time(subscription.current_period.end)
                                                            : time_or_null(subscription.cancel_at));
  object.add("cancel_at_period_end", subscription.cancel_at_period_end);
  object.add("canceled_at", time_or_null(subscription.canceled_at));
  Object& cancellation = document_.object(3);
  cancellation.add("comment", nullptr);
  cancellation.add("feedback", nullptr);
  cancellation.add("reason", subscription.cancel_at_period_end ? Value("cancellation_requested") : Value());
  object.add("cancellation_details", cancellation);
  object.add("collection_method", document_.text(name(subscription.collection)));
  object.add("created", time(subscription.created));
  object.add("currency", document_.text(first.price.unit_amount.currency.code()));
  object.add("current_period_end", time(subscription.current_period.end));
  object.add("current_period_start", time(subscription.current_period.start));
  object.add("customer", id(owner.customer));
  object.add("days_until_due", subscription.days_until_due == 0 ? Value() : Value(subscription.days_until_due));
  object.add("default_payment_method", nullptr);
  object.add("default_source", id_or_null(subscription.default_source));
  object.add("default_tax_rates", document_.array());
  object.add("description", nullptr);
  object.add("discount", nullptr);
  object.add("ended_at", time_or_null(subscription.ended_at));
  Array& items = document_.array(subscription.items.size());
  for (const SubscriptionItem& item : subscription.items) items.add(subscription_item(item, subscription));
  object.add("items", list("/v1/subscription_items?subscription=" + subscription.id.value(), items, false,
                           subscription.items.size()));
  object.add("latest_invoice", id_or_null(subscription.latest_invoice));
  object.add("livemode", mode_ == Mode::live);
  object.add("metadata", metadata(subscription.metadata));
  object.add("next_pending_invoice_item_invoice", nullptr);
  object.add("on_behalf_of", nullptr);
  object.add("pause_collection", nullptr);
  Object& payment_settings = document_.object(3);
  payment_settings.add("payment_method_options", nullptr);
  payment_settings.add("payment_method_types", nullptr);
  payment_settings.add("save_default_payment_method", nullptr);
  object.add("payment_settings", payment_settings);
  object.add("pending_invoice_item_interval", nullptr);
  object.add("pending_setup_intent", nullptr);
  object.add("pending_update", nullptr);
  object.add("plan", single ? Value(plan(first.price, first.created)) : Value());
  object.add("quantity", single ? Value(first.quantity) : Value());
  object.add("schedule", nullptr);
  object.add("start", time(subscription.created));
  object.add("start_date", time(subscription.created));
  object.add("status", document_.text(status_name(subscription.status)));
  object.add("tax_percent", nullptr);
  object.add("test_clock", owner.account != nullptr ? id_or_null(owner.account->customer.test_clock) : Value());
  object.add("transfer_data", nullptr);
  object.add("trial_end", time_or_null(subscription.trial_end));
  Object& trial_settings = document_.object(1);
  Object& end_behavior = document_.object(1);
  end_behavior.add("missing_payment_method", "create_invoice");
  trial_settings.add("end_behavior", end_behavior);
  object.add("trial_settings", trial_settings);
  object.add("trial_start", time_or_null(subscription.trial_start));
  return object;
}

Object& Presenter::line(const InvoiceLine& line, const Invoice& invoice) {
  Object& object = document_.object(30);
  object.add("id", id(line.id));
  object.add("object", "line_item");
  object.add("amount", line.amount.minor);
  object.add("amount_excluding_tax", line.amount.minor);
  object.add("currency", document_.text(line.amount.currency.code()));
  object.add("description", document_.text_or_null(line_text(line, known_.plan(line.price.id))));
  object.add("discount_amounts", document_.array());
  object.add("discountable", line.discountable);
  object.add("discounts", document_.array());
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
  object.add("tax_amounts", document_.array());
  object.add("tax_rates", document_.array());
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

Object& Presenter::invoice_item(const InvoiceItem& item, const CustomerId& customer) {
  const bool has_plan = !item.price.id.is_empty();
  Object& object = document_.object(24);
  object.add("id", id(item.id));
  object.add("object", "invoiceitem");
  object.add("amount", item.amount.minor);
  object.add("currency", document_.text(item.amount.currency.code()));
  object.add("customer", id(customer));
  object.add("date", time(item.created));
  object.add("description", document_.text_or_null(item.description));
  object.add("discountable", item.discountable);
  object.add("discounts", document_.array());
  object.add("invoice", nullptr);
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
  object.add("tax_rates", document_.array());
  object.add("test_clock", nullptr);
  object.add("unit_amount", item.price.unit_amount.minor);
  return object;
}

Object& Presenter::invoice(const Invoice& invoice, const Owner& owner) {
  const Customer* customer = owner.account != nullptr ? &owner.account->customer : nullptr;
  const bool is_paid = invoice.status == InvoiceStatus::paid;
  const bool is_draft = invoice.status == InvoiceStatus::draft;
  const std::int64_t remaining = invoice.amount_due().minor - invoice.amount_paid.minor;
  Object& object = document_.object(90);
  object.add("id", id(invoice.id));
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
  object.add("custom_fields", nullptr);
  object.add("customer", id(owner.customer));
  object.add("customer_address", customer != nullptr ? address(customer->address) : Value());
  object.add("customer_email", customer != nullptr ? document_.text_or_null(customer->email) : Value());
  object.add("customer_name", customer != nullptr ? document_.text_or_null(customer->name) : Value());
  object.add("customer_phone", customer != nullptr ? document_.text_or_null(customer->phone) : Value());
  object.add("customer_shipping", nullptr);
  object.add("customer_tax_exempt", "none");
  object.add("customer_tax_ids", document_.array());
  object.add("date", time(invoice.created));
  object.add("default_payment_method", nullptr);
  object.add("default_source", id_or_null(invoice.default_source));
  object.add("default_tax_rates", document_.array());
  object.add("description", document_.text_or_null(invoice.description));
  object.add("discount", nullptr);
  object.add("discounts", document_.array());
  object.add("due_date", time_or_null(invoice.due_at));
  object.add("effective_at", time_or_null(invoice.finalized_at));
  object.add("ending_balance", invoice.finalized_at ? Value(invoice.ending_balance) : Value());
  object.add("footer", nullptr);
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
  object.add("payment_intent", nullptr);
  Object& payment_settings = document_.object(3);
  payment_settings.add("default_mandate", nullptr);
  payment_settings.add("payment_method_options", nullptr);
  payment_settings.add("payment_method_types", nullptr);
  object.add("payment_settings", payment_settings);
  object.add("period_end", time(invoice.period.end));
  object.add("period_start", time(invoice.period.start));
  object.add("post_payment_credit_notes_amount", 0);
  object.add("pre_payment_credit_notes_amount", 0);
  object.add("quote", nullptr);
  object.add("receipt_number", nullptr);
  object.add("rendering_options", nullptr);
  object.add("shipping_cost", nullptr);
  object.add("shipping_details", nullptr);
  const bool is_current = !invoice.finalized_at && customer != nullptr;
  object.add("starting_balance", is_current ? customer->balance : invoice.starting_balance);
  object.add("statement_descriptor", nullptr);
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
  object.add("subtotal", invoice.total.minor);
  object.add("subtotal_excluding_tax", invoice.total.minor);
  object.add("tax", nullptr);
  object.add("tax_percent", nullptr);
  object.add("test_clock", customer != nullptr ? id_or_null(customer->test_clock) : Value());
  object.add("total", invoice.total.minor);
  object.add("total_discount_amounts", document_.array());
  object.add("total_excluding_tax", invoice.total.minor);
  object.add("total_tax_amounts", document_.array());
  object.add("transfer_data", nullptr);
  object.add("webhooks_delivered_at", time(invoice.created));
  return object;
}

Object& Presenter::card_of_charge(const Charge& charge, const Owner& owner) {
  if (const Source* source = owner.account != nullptr ? owner.account->find(charge.source) : nullptr)
    return card(*source, owner.customer);
  Source gone;  // What the charge itself remembers of its card.
  gone.id = charge.source;
  gone.card = charge.card;
  return card(gone, owner.customer);
}

Object& Presenter::payment_method_details(const CardSummary& card) {
  Object& details = document_.object(2);
  Object& object = document_.object(16);
  const Value network = document_.text(network_of(card.brand));
  object.add("brand", network);
  Object& checks = document_.object(3);
  checks.add("address_line1_check", nullptr);
  checks.add("address_postal_code_check", nullptr);
  checks.add("cvc_check", nullptr);
  object.add("checks", checks);
  object.add("country", document_.text_or_null(card.country));
  object.add("exp_month", card.exp_month);
  object.add("exp_year", card.exp_year);
  object.add("fingerprint", document_.text_or_null(card.fingerprint));
  object.add("funding", document_.text_or_null(card.funding));
  object.add("installments", nullptr);
  object.add("last4", document_.text_or_null(card.last4));
  object.add("mandate", nullptr);
  object.add("network", network);
  object.add("three_d_secure", nullptr);
  object.add("wallet", nullptr);
  details.add("card", object);
  details.add("type", "card");
  return details;
}

Object& Presenter::outcome(const Charge& charge) {
  const bool declined = charge.state == ChargeState::declined;
  Object& object = document_.object(6);
  object.add("network_status", declined ? Value("declined_by_network") : Value("approved_by_network"));
  object.add("reason", declined ? document_.text_or_null(charge.decline_code) : Value());
  object.add("risk_level", "normal");
  object.add("seller_message", declined ? Value("The bank did not return any further details with this decline.")
                                        : Value("Payment complete."));
  object.add("type", declined ? Value("issuer_declined") : Value("authorized"));
  return object;
}

Object& Presenter::charge(const Charge& charge, const InvoiceId& invoice, const Owner& owner) {
  const bool succeeded = charge.state == ChargeState::succeeded;
  const bool declined = charge.state == ChargeState::declined;
  const Decline& decline = decline_named(charge.decline_code);
  Object& object = document_.object(60);
  object.add("id", id(charge.id));
  object.add("object", "charge");
  object.add("amount", charge.amount.minor);
  object.add("amount_captured", succeeded ? charge.amount.minor : 0);
  object.add("amount_refunded", charge.amount_refunded().minor);
  object.add("application", nullptr);
  object.add("application_fee", nullptr);
  object.add("application_fee_amount", nullptr);
  object.add("balance_transaction", nullptr);
  Object& billing = document_.object(4);
  Object& billing_address = document_.object(6);
  for (std::string_view member : {"city", "country", "line1", "line2", "postal_code", "state"})
    billing_address.add(member, nullptr);
  billing.add("address", billing_address);
  billing.add("email", nullptr);
  billing.add("name", nullptr);
  billing.add("phone", nullptr);
  object.add("billing_details", billing);
  object.add("calculated_statement_descriptor", nullptr);
  object.add("captured", succeeded);
  object.add("created", time(charge.created));
  object.add("currency", document_.text(charge.amount.currency.code()));
  object.add("customer", id(owner.customer));
  object.add("description", nullptr);
  object.add("destination", nullptr);
  object.add("dispute", nullptr);
  object.add("disputed", false);
  object.add("failure_balance_transaction", nullptr);
  object.add("failure_code", declined ? document_.text(decline.code) : Value());
  object.add("failure_message", declined ? document_.text(decline.message) : Value());
  object.add("fraud_details", document_.object(0));
  object.add("invoice", id_or_null(invoice));
  object.add("livemode", mode_ == Mode::live);
  object.add("metadata", document_.object(0));
  object.add("on_behalf_of", nullptr);
  object.add("order", nullptr);
  object.add("outcome", charge.is_unresolved() ? Value() : Value(outcome(charge)));
  object.add("paid", succeeded);
  object.add("payment_intent", nullptr);
  object.add("payment_method", id_or_null(charge.source));
  object.add("payment_method_details", payment_method_details(charge.card));
  object.add("radar_options", document_.object(0));
  object.add("receipt_email", nullptr);
  object.add("receipt_number", nullptr);
  object.add("receipt_url", nullptr);
  object.add("refunded", succeeded && charge.amount_refunded() == charge.amount);
  Array& refunds = document_.array(charge.refunds.size());
  for (auto each = charge.refunds.rbegin(); each != charge.refunds.rend(); ++each)
    refunds.add(refund(*each, charge.id));
  object.add("refunds", list("/v1/charges/" + charge.id.value() + "/refunds", refunds, false, charge.refunds.size()));
  object.add("review", nullptr);
  object.add("shipping", nullptr);
  object.add("source", card_of_charge(charge, owner));
  object.add("source_transfer", nullptr);
  object.add("statement_descriptor", nullptr);
  object.add("statement_descriptor_suffix", nullptr);
  object.add("status", document_.text(name(charge.state)));
  object.add("transfer_data", nullptr);
  object.add("transfer_group", nullptr);
  return object;
}

Object& Presenter::refund(const Refund& refund, const ChargeId& charge) {
  Object& object = document_.object(16);
  object.add("id", id(refund.id));
  object.add("object", "refund");
  object.add("amount", refund.amount.minor);
  object.add("balance_transaction", nullptr);
  object.add("charge", id(charge));
  object.add("created", time(refund.created));
  object.add("currency", document_.text(refund.amount.currency.code()));
  if (refund.state == RefundState::failed) object.add("failure_reason", document_.text_or_null(refund.failure_reason));
  object.add("metadata", metadata(refund.metadata));
  object.add("payment_intent", nullptr);
  object.add("reason", document_.text_or_null(refund.reason));
  object.add("receipt_number", nullptr);
  object.add("source_transfer_reversal", nullptr);
  object.add("status", document_.text(name(refund.state)));
  object.add("transfer_reversal", nullptr);
  return object;
}

Object& Presenter::snapshot(const Snapshot& snapshot, const AccountKey& key) {
  const CustomerId customer = customer_of(key);
  const Owner owner{customer, nullptr};
  if (const auto* object = std::get_if<Customer>(&snapshot)) return customer_alone(*object, key, 28);
  if (const auto* source = std::get_if<Source>(&snapshot)) return card(*source, customer);
  if (const auto* object = std::get_if<Subscription>(&snapshot)) return subscription(*object, owner);
  if (const auto* object = std::get_if<Invoice>(&snapshot)) return invoice(*object, owner);
  if (const auto* item = std::get_if<InvoiceItem>(&snapshot)) return invoice_item(*item, customer);
  if (const auto* refunded = std::get_if<RefundSnapshot>(&snapshot)) return refund(refunded->refund, refunded->charge);
  const auto& charged = std::get<ChargeSnapshot>(snapshot);
  return charge(charged.charge, charged.invoice, owner);
}

Object& Presenter::event(const store::StoredEvent& event) {
  const store::EventBatch& batch = *event.batch;
  Object& data = document_.object(2);
  Object& now = snapshot(event.snapshot(), batch.key);
  data.add("object", now);
  if (const auto previous = event.event().previous) {
    Object& before = snapshot(batch.snapshots[*previous], batch.key);
    data.add("previous_attributes", document_.difference(before, now));
  }
  Object& object = document_.object(10);
  object.add("id", id(event.position.id()));
  object.add("object", "event");
  object.add("api_version", document_.text(Version().text()));
  object.add("created", time(batch.created));
  object.add("data", data);
  object.add("livemode", mode_ == Mode::live);
  object.add("pending_webhooks", 0);
  Object& request = document_.object(2);
  request.add("id", document_.text_or_null(batch.request_id));
  request.add("idempotency_key", document_.text_or_null(batch.idempotency_key));
  object.add("request", request);
  object.add("type", document_.text(to_text(event.event().type)));
  return object;
}

Object& Presenter::test_clock(const TestClock& clock) {
  Object& object = document_.object(8);
  object.add("id", id(clock.id));
  object.add("object", "test_helpers.test_clock");
  object.add("created", time(clock.created));
  object.add("deletes_after", time(clock.deletes_after));
  object.add("frozen_time", time(clock.frozen_time));
  object.add("livemode", false);
  object.add("name", document_.text_or_null(clock.name));
  object.add("status", clock.status == TestClockStatus::ready ? Value("ready") : Value("advancing"));
  return object;
}

Object* Presenter::find(Kind kind, std::string_view id) {
  const Owner owner = owner_of(known_, id);
  switch (kind) {
    case Kind::customer: {
      const Account* account = known_.account_of(id);
      return account != nullptr && account->customer.id.value() == id ? &customer(*account) : nullptr;
    }
    case Kind::card: {
      const Source* source = known_.source(id);
      return source != nullptr ? &card(*source, owner.customer) : nullptr;
    }
    case Kind::subscription: {
      const Subscription* found = known_.subscription(id);
      return found != nullptr ? &subscription(*found, owner) : nullptr;
    }
    case Kind::invoice: {
      const Invoice* found = known_.invoice(id);
      return found != nullptr ? &invoice(*found, owner) : nullptr;
    }
    case Kind::charge: {
      const Invoice* of = known_.invoice_of_charge(id);
      if (of == nullptr) return nullptr;
      const auto at =
          std::ranges::find(of->charges, id, [](const Charge& each) -> std::string_view { return each.id.value(); });
      return at != of->charges.end() ? &charge(*at, of->id, owner) : nullptr;
    }
    case Kind::plan: {
      const Plan* found = known_.plan(PlanId(std::string(id)));
      return found != nullptr ? &plan(*found) : nullptr;
    }
    case Kind::product: {
      const Plan* found = known_.plan_of_product(id);
      return found != nullptr ? &product(*found) : nullptr;
    }
    case Kind::test_clock: {
      const TestClock* found = known_.test_clock(id);
      return found != nullptr ? &test_clock(*found) : nullptr;
    }
    case Kind::nothing:
    case Kind::subscription_item:
    case Kind::price:
    case Kind::line_item:
    case Kind::event:
      return nullptr;
  }
  return nullptr;
}

}  // namespace billd::api::stripe
