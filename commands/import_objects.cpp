// Customers, their ways to pay and their subscriptions, read from Stripe's JSON.
#include "commands/import_objects.hpp"

#include <array>

#include "config/secrets.hpp"

namespace billd::commands {
namespace {

namespace json = boost::json;

Result<SubscriptionStatus> status_of(const json::object& subscription) {
  const std::string status = text_of(subscription, "status");
  if (status == "trialing") return SubscriptionStatus::trialing;
  if (status == "active") return SubscriptionStatus::active;
  if (status == "past_due") return SubscriptionStatus::past_due;
  if (status == "unpaid") return SubscriptionStatus::unpaid;
  if (status == "paused") return SubscriptionStatus::paused;
  return refusal("its status is " + status + ": it does not go on", "status");
}

/// What was used in the current period, as one record at its beginning: a later one adds to it, is more, or comes
/// after.
Result<std::vector<Usage>> usage_of(const std::string& item, const Period& period, const Named& named) {
  const Objects* summaries = named.usage(item);
  if (summaries == nullptr)
    return refusal("an item is metered, and what was used of it in the current period is not told", "items");
  std::vector<Usage> all;
  for (const json::object& summary : *summaries) {
    if (member_of(summary, "invoice") != nullptr) continue;
    const std::int64_t total = integer_of(summary, "total_usage");
    if (total == 0) continue;
    if (total < 0) return refusal("the usage of an item is negative", "items");
    if (!all.empty()) return refusal("the usage of more than one period of an item is not billed yet", "items");
    Usage& usage = all.emplace_back();
    usage.period = period;
    usage.points.push_back({period.start, total});
  }
  return all;
}

Result<std::vector<SubscriptionItem>> items_of(const json::object& subscription, const Named& named) {
  const json::object* list = object_of(subscription, "items");
  const json::value* data = list == nullptr ? nullptr : member_of(*list, "data");
  if (data == nullptr || !data->is_array()) return refusal("its items are not told", "items");
  if (truth_of(*list, "has_more")) return refusal("it has more items than were told", "items");
  return read_subscription_items(data->get_array(), named);
}

Result<MissingPaymentMethod> at_end_of_trial(const json::object& subscription) {
  const json::object* settings = object_of(subscription, "trial_settings");
  const json::object* end = settings != nullptr ? object_of(*settings, "end_behavior") : nullptr;
  const std::string what = end != nullptr ? text_of(*end, "missing_payment_method") : std::string();
  if (what.empty() || what == "create_invoice") return MissingPaymentMethod::create_invoice;
  if (what == "cancel") return MissingPaymentMethod::cancel;
  if (what == "pause") return MissingPaymentMethod::pause;
  return refusal("billd has no end of a trial of the kind " + what, "trial_settings");
}

/// When pending items are billed between renewals: at the time that is told next, and from then on. Of a cycle that
/// ends with the months only an earlier time than that tells the day.
Result<std::optional<PendingItemInterval>> pending_item_interval_of(const json::object& subscription,
                                                                    const Subscription& read) {
  const json::object* given = object_of(subscription, "pending_invoice_item_interval");
  if (given == nullptr) return std::optional<PendingItemInterval>();
  constexpr const char* name = "pending_invoice_item_interval";
  auto interval = parse_interval(text_of(*given, "interval"));
  if (!interval) return refusal("billd has no such interval of pending items", name);
  PendingItemInterval taken;
  taken.recurrence = {*interval, static_cast<std::int32_t>(integer_of(*given, "interval_count", 1))};
  auto checked = check_recurrence(taken.recurrence);
  if (!checked) return checked.error();
  const auto next = time_of(subscription, "next_pending_invoice_item_invoice");
  if (!next) return refusal("when its pending items are billed next is not told", "next_pending_invoice_item_invoice");
  for (const Timestamp anchor : {read.anchor, read.start_date.value_or(read.created), *next}) {
    if (anchor > *next) continue;
    taken.anchor = anchor;
    taken.ordinal = ordinal_at(anchor, taken.recurrence, *next);
    if (taken.next() == *next) break;
  }
  return std::optional(taken);
}

Result<std::vector<TaxIdentifier>> tax_identifiers_of(const Objects& told) {
  std::vector<TaxIdentifier> identifiers;
  // The API tells the newest first.
  for (auto each = told.rbegin(); each != told.rend(); ++each) {
    TaxIdentifier& read = identifiers.emplace_back();
    read.id = TaxIdentifierId(text_of(*each, "id"));
    read.created = time_of(*each, "created").value_or(Timestamp());
    read.type = text_of(*each, "type");
    read.value = text_of(*each, "value");
    if (read.type.empty() || read.value.empty()) return refusal("one of its tax IDs is not told", "tax_ids");
  }
  return identifiers;
}

Result<std::optional<Pause>> pause_of(const json::object& subscription) {
  const json::object* given = object_of(subscription, "pause_collection");
  if (given == nullptr) return std::optional<Pause>();
  const std::string behavior = text_of(*given, "behavior");
  Pause pause;
  if (behavior == "mark_uncollectible")
    pause.behavior = PauseBehavior::mark_uncollectible;
  else if (behavior == "void")
    pause.behavior = PauseBehavior::void_;
  else if (behavior != "keep_as_draft")
    return refusal("billd has no pause of the kind " + behavior, "pause_collection");
  pause.resumes_at = time_of(*given, "resumes_at");
  return std::optional(pause);
}

struct Network {
  std::string_view name, brand;
};
/// What payment methods call the brands of cards.
constexpr std::array networks = {
    Network{"visa", "Visa"},         Network{"mastercard", "MasterCard"}, Network{"amex", "American Express"},
    Network{"discover", "Discover"}, Network{"diners", "Diners Club"},    Network{"jcb", "JCB"},
    Network{"unionpay", "UnionPay"},
};

std::string brand_of(const json::object& card) {
  const std::string name = text_of(card, "brand");
  for (const Network& network : networks)
    if (network.name == name) return std::string(network.brand);
  return name;
}

Card card_of(const json::object& card) {
  Card means;
  means.summary = {brand_of(card),
                   text_of(card, "last4"),
                   static_cast<std::int32_t>(integer_of(card, "exp_month")),
                   static_cast<std::int32_t>(integer_of(card, "exp_year")),
                   text_of(card, "funding"),
                   text_of(card, "country"),
                   text_of(card, "fingerprint")};
  means.name = text_of(card, "name");
  means.address = {text_of(card, "address_line1"), text_of(card, "address_line2"), text_of(card, "address_city"),
                   text_of(card, "address_state"), text_of(card, "address_zip"),   text_of(card, "address_country")};
  // Payment methods have the checks apart.
  const json::object* checks = object_of(card, "checks");
  const json::object& told = checks != nullptr ? *checks : card;
  means.cvc_check = text_of(told, "cvc_check");
  means.address_line1_check = text_of(told, "address_line1_check");
  means.address_zip_check = text_of(told, checks != nullptr ? "address_postal_code_check" : "address_zip_check");
  return means;
}

Result<BankAccount> bank_account_of(const json::object& account) {
  auto currency = currency_of(account);
  if (!currency) return currency.error();
  BankAccount means;
  means.summary = {text_of(account, "bank_name"),
                   text_of(account, "last4"),
                   text_of(account, "routing_number"),
                   text_of(account, "country"),
                   *currency,
                   text_of(account, "fingerprint")};
  means.holder_name = text_of(account, "account_holder_name");
  means.holder_type = text_of(account, "account_holder_type");
  const std::string status = text_of(account, "status");
  if (status == "validated") means.status = BankAccountStatus::validated;
  if (status == "verified") means.status = BankAccountStatus::verified;
  if (status == "verification_failed") means.status = BankAccountStatus::verification_failed;
  if (status == "errored") means.status = BankAccountStatus::errored;
  return means;
}

/// An older source that stands for a card: what a card tells is in an object of its own.
Result<Means> means_of_older_source(const json::object& source) {
  const json::object* card = object_of(source, "card");
  if (text_of(source, "type") != "card" || card == nullptr)
    return refusal("billd has no such way to pay: source " + text_of(source, "type"), "type");
  Card means = card_of(*card);
  if (const json::object* owner = object_of(source, "owner")) {
    means.name = text_of(*owner, "name");
    if (const json::object* address = object_of(*owner, "address")) means.address = address_of(*address);
  }
  return Means(std::move(means));
}

/// What the source is, with the name and address that a payment method has apart.
Result<Means> means_of(const json::object& source) {
  const std::string kind = text_of(source, "object");
  if (kind == "card") return Means(card_of(source));
  if (kind == "bank_account") {
    auto account = bank_account_of(source);
    if (!account) return account.error();
    return Means(std::move(*account));
  }
  if (kind == "source") return means_of_older_source(source);
  const json::object* card = kind == "payment_method" ? object_of(source, "card") : nullptr;
  if (card == nullptr)
    return refusal("billd has no such way to pay: " + kind + " " + text_of(source, "type"), "object");
  Card means = card_of(*card);
  if (const json::object* details = object_of(source, "billing_details")) {
    means.name = text_of(*details, "name");
    if (const json::object* address = object_of(*details, "address")) means.address = address_of(*address);
  }
  return Means(std::move(means));
}

}  // namespace

Result<std::vector<SubscriptionItem>> read_subscription_items(const json::array& told, const Named& named) {
  std::vector<SubscriptionItem> items;
  for (const json::value& each : told) {
    const json::object* item = each.if_object();
    const json::object* plan = item == nullptr ? nullptr : object_of(*item, "plan");
    if (plan == nullptr && item != nullptr) plan = object_of(*item, "price");
    if (plan == nullptr) return refusal("the plan of an item is not told", "items");
    auto price = named.price(*plan);
    if (!price) return price.error();
    auto refused = refuse_members(*item, {"discounts", "billing_thresholds"});
    if (!refused) return refused.error();
    auto rates = read_tax_rates(*item, "tax_rates");
    if (!rates) return rates.error();
    SubscriptionItem& taken = items.emplace_back();
    taken.id = SubscriptionItemId(text_of(*item, "id"));
    taken.created = time_of(*item, "created").value_or(Timestamp());
    taken.price = std::move(*price);
    taken.quantity = integer_of(*item, "quantity", 1);
    taken.metadata = metadata_of(*item);
    taken.tax_rates = std::move(*rates);
  }
  if (items.empty()) return refusal("it has no items", "items");
  for (const SubscriptionItem& item : items) {
    if (item.price.recurrence != items.front().price.recurrence)
      return refusal("its items recur in different intervals", "items");
    if (item.price.unit_amount.currency != items.front().price.unit_amount.currency)
      return refusal("its items are in different currencies", "items");
  }
  return items;
}

SourceId paid_by(const json::object& object) {
  const std::string method = identifier_of(object, "default_payment_method");
  return SourceId(method.empty() ? identifier_of(object, "default_source") : method);
}

Result<Customer> read_customer(const json::object& customer, const Objects& tax_ids, const Named& named) {
  auto identifiers = tax_identifiers_of(tax_ids);
  if (!identifiers) return identifiers.error();
  // The older name of a single one; newer ones stand for it when they are told.
  if (identifiers->empty()) {
    auto refused = refuse_members(customer, {"tax_info"});
    if (!refused) return refused.error();
  }
  auto discount = read_discount(customer, named);
  if (!discount) return discount.error();
  Customer read;
  read.id = CustomerId(text_of(customer, "id"));
  read.created = time_of(customer, "created").value_or(Timestamp());
  read.email = text_of(customer, "email");
  read.name = text_of(customer, "name");
  read.phone = text_of(customer, "phone");
  read.description = text_of(customer, "description");
  if (const json::object* address = object_of(customer, "address")) read.address = address_of(*address);
  if (const json::object* shipping = object_of(customer, "shipping")) {
    read.shipping.name = text_of(*shipping, "name");
    read.shipping.phone = text_of(*shipping, "phone");
    if (const json::object* address = object_of(*shipping, "address")) read.shipping.address = address_of(*address);
  }
  const std::string exempt = text_of(customer, "tax_exempt");
  if (exempt == "exempt") read.tax_exempt = TaxExempt::exempt;
  if (exempt == "reverse") read.tax_exempt = TaxExempt::reverse;
  if (const json::value* locales = member_of(customer, "preferred_locales"); locales != nullptr && locales->is_array())
    for (const json::value& locale : locales->get_array())
      if (locale.is_string()) read.preferred_locales.emplace_back(std::string(locale.get_string()));
  read.metadata = metadata_of(customer);
  read.discount = std::move(*discount);
  read.default_source = SourceId(identifier_of(customer, "default_source"));
  if (const json::object* invoicing = object_of(customer, "invoice_settings")) {
    read.default_payment_method = SourceId(identifier_of(*invoicing, "default_payment_method"));
    read.invoice_footer = text_of(*invoicing, "footer");
    read.invoice_fields = custom_fields_of(*invoicing);
  }
  read.tax_identifiers = std::move(*identifiers);
  if (member_of(customer, "currency") != nullptr) {
    auto currency = currency_of(customer);
    if (!currency) return currency.error();
    read.currency = *currency;
  }
  read.test_clock = TestClockId(identifier_of(customer, "test_clock"));
  read.delinquent = truth_of(customer, "delinquent");
  read.balance = integer_of(customer, "balance", integer_of(customer, "account_balance"));
  for (const std::string* text : {&read.email, &read.name, &read.phone, &read.description})
    if (has_card_number(*text)) return refusal("one of its texts holds a card number", "description");
  return read;
}

Result<Source> read_source(const json::object& source, const std::string& gateway, const TokenOf& token_of) {
  auto means = means_of(source);
  if (!means) return means.error();
  Source read;
  read.id = SourceId(text_of(source, "id"));
  read.created = time_of(source, "created").value_or(Timestamp());
  read.gateway = gateway;
  read.means = std::move(*means);
  const std::string fingerprint = std::visit([](const auto& kind) { return kind.summary.fingerprint; }, read.means);
  read.reference = token_of(read.id.value(), fingerprint);
  if (read.reference.empty())
    return refusal("gateway " + gateway + " has no token for it: neither its id nor its fingerprint is known", "id");
  if (const json::object* details = object_of(source, "billing_details")) {
    read.email = text_of(*details, "email");
    read.phone = text_of(*details, "phone");
  }
  read.metadata = metadata_of(source);
  return read;
}

namespace {

/// What it is, whether it goes on or not.
Result<Subscription> read_terms(const json::object& subscription, const Named& named) {
  auto refused =
      refuse_members(subscription, {"application_fee_percent", "billing_thresholds", "transfer_data", "on_behalf_of"});
  if (!refused) return refused.error();
  auto items = items_of(subscription, named);
  if (!items) return items.error();
  auto pause = pause_of(subscription);
  if (!pause) return pause.error();
  auto discount = read_discount(subscription, named);
  if (!discount) return discount.error();
  auto rates = read_tax_rates(subscription, "default_tax_rates");
  if (!rates) return rates.error();
  auto at_end = at_end_of_trial(subscription);
  if (!at_end) return at_end.error();
  // The newest versions tell the period with each item.
  const json::object* list = object_of(subscription, "items");
  const Objects told = list != nullptr ? objects_of(member_of(*list, "data")) : Objects();
  const bool is_own = member_of(subscription, "current_period_start") != nullptr || told.empty();
  const json::object& holder = is_own ? subscription : told.front();
  const auto start = time_of(holder, "current_period_start"), end = time_of(holder, "current_period_end");
  if (!start || !end) return refusal("its current period is not told", "current_period_start");
  Subscription read;
  read.id = SubscriptionId(text_of(subscription, "id"));
  read.created = time_of(subscription, "created").value_or(*start);
  if (const auto began = time_of(subscription, "start_date"); began && *began < read.created) read.start_date = began;
  read.items = std::move(*items);
  read.missing_payment_method = *at_end;
  if (const json::object* settings = object_of(subscription, "payment_settings"))
    read.saves_source = text_of(*settings, "save_default_payment_method") == "on_subscription";
  read.current_period = {*start, *end};
  read.anchor = time_of(subscription, "billing_cycle_anchor").value_or(*start);
  read.trial_start = time_of(subscription, "trial_start");
  read.trial_end = time_of(subscription, "trial_end");
  read.cancel_at_period_end = truth_of(subscription, "cancel_at_period_end");
  if (!read.cancel_at_period_end) read.cancel_at = time_of(subscription, "cancel_at");
  // What follows an end within the period was credited when the end was set.
  if (read.cancel_at && *read.cancel_at < *end) read.paid_until = *read.cancel_at;
  read.canceled_at = time_of(subscription, "canceled_at");
  read.latest_invoice = InvoiceId(identifier_of(subscription, "latest_invoice"));
  read.default_source = paid_by(subscription);
  read.metadata = metadata_of(subscription);
  read.description = text_of(subscription, "description");
  read.collection = collection_of(subscription);
  read.days_until_due = static_cast<std::int32_t>(integer_of(subscription, "days_until_due"));
  read.pause = *pause;
  read.discount = std::move(*discount);
  read.tax_rates = std::move(*rates);
  auto interval = pending_item_interval_of(subscription, read);
  if (!interval) return interval.error();
  read.pending_item_interval = *interval;
  if (const json::object* cancellation = object_of(subscription, "cancellation_details")) {
    read.cancellation_comment = text_of(*cancellation, "comment");
    read.cancellation_feedback = text_of(*cancellation, "feedback");
  }
  return read;
}

}  // namespace

Result<Subscription> read_subscription(const json::object& subscription, const Named& named) {
  auto status = status_of(subscription);
  if (!status) return status.error();
  auto read = read_terms(subscription, named);
  if (!read) return read.error();
  read->status = *status;
  read->schedule = ScheduleId(identifier_of(subscription, "schedule"));
  for (SubscriptionItem& item : read->items) {
    if (!item.price.is_metered()) continue;
    auto usage = usage_of(item.id.value(), read->current_period, named);
    if (!usage) return usage.error();
    item.usage = std::move(*usage);
  }
  // A trial's end anchors the cycle, whatever the anchor was before.
  if (read->status == SubscriptionStatus::trialing && read->trial_end) read->anchor = *read->trial_end;
  place_in_cycle(*read);
  return read;
}

Result<Subscription> read_ended_subscription(const json::object& subscription, const Named& named) {
  const std::string status = text_of(subscription, "status");
  if (status != "canceled" && status != "incomplete_expired")
    return refusal("its status is " + status + ": it has not ended", "status");
  auto read = read_terms(subscription, named);
  if (!read) return read.error();
  read->status = status == "canceled" ? SubscriptionStatus::canceled : SubscriptionStatus::incomplete_expired;
  const auto ended_at = time_of(subscription, "ended_at");
  read->ended_at = ended_at ? ended_at : time_of(subscription, "canceled_at");
  if (!read->ended_at) return refusal("when it ended is not told", "ended_at");
  place_in_cycle(*read);
  return read;
}

}  // namespace billd::commands
