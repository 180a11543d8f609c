#include "net/api/stripe/subscription_parameters.hpp"

#include <algorithm>

#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/pricing_parameters.hpp"

namespace billd::api::stripe {
namespace {

Failure both_given(const std::string& first, const std::string& second) {
  return {Errc::invalid_parameter,
          "Received both " + first + " and " + second + " parameters. Please pass in only one.", first};
}

std::optional<RenewalTrigger> read_renewal_trigger(const Arguments& arguments) {
  const auto given = arguments.text("renewal_trigger");
  if (!given) return std::nullopt;
  return *given == "webhook" ? RenewalTrigger::webhook : RenewalTrigger::schedule;
}

/// Of a new subscription.
PaymentBehavior first_payment_behavior(const Call& call) {
  const Arguments arguments = call.arguments();
  if (const auto given = read_payment_behavior(arguments)) return *given;
  const bool may_be_incomplete = !call.version.is_before(subscriptions_may_be_incomplete);
  return arguments.boolean("enable_incomplete_payments").value_or(may_be_incomplete)
             ? PaymentBehavior::allow_incomplete
             : PaymentBehavior::error_if_incomplete;
}

std::optional<bool> read_saves_source(const Arguments& arguments) {
  const auto settings = arguments.map("payment_settings");
  const auto given = settings ? settings->text("save_default_payment_method") : std::nullopt;
  return given ? std::optional(*given == "on_subscription") : std::nullopt;
}

std::optional<MissingPaymentMethod> read_missing_payment_method(const Arguments& arguments) {
  const auto settings = arguments.map("trial_settings");
  if (!settings) return std::nullopt;
  const std::string given = settings->map("end_behavior")->text_or_empty("missing_payment_method");
  if (given == "cancel") return MissingPaymentMethod::cancel;
  return given == "pause" ? MissingPaymentMethod::pause : MissingPaymentMethod::create_invoice;
}

/// How often pending items are billed, or an empty value that ends it; no value: the request says nothing of it.
Result<std::optional<std::optional<Recurrence>>> read_pending_item_interval(const Arguments& arguments) {
  constexpr const char* name = "pending_invoice_item_interval";
  std::optional<std::optional<Recurrence>> interval;
  if (!arguments.has(name)) return interval;
  interval.emplace();
  const auto given = arguments.map(name);
  if (!given) return interval;
  auto recurrence = read_recurrence(*given);
  if (!recurrence) return Failure{recurrence.error().code, recurrence.error().detail, name};
  *interval = *recurrence;
  return interval;
}

/// An instant, or an empty value that takes one back.
std::optional<std::optional<Timestamp>> read_clearable(const Arguments& arguments, const std::string& name) {
  if (!arguments.has(name)) return std::nullopt;
  return arguments.has_value(name) ? arguments.timestamp(name) : std::optional<Timestamp>();
}

/// The pause of the collection, or an empty value that ends it; no value: the request says nothing of it.
std::optional<std::optional<Pause>> read_pause(const Arguments& arguments) {
  if (!arguments.has("pause_collection")) return std::nullopt;
  const auto given = arguments.map("pause_collection");
  if (!given) return std::optional<Pause>();
  const std::string behavior = given->text_or_empty("behavior");
  Pause pause;
  pause.behavior = behavior == "void"                 ? PauseBehavior::void_
                   : behavior == "mark_uncollectible" ? PauseBehavior::mark_uncollectible
                                                      : PauseBehavior::keep_as_draft;
  pause.resumes_at = given->timestamp("resumes_at");
  return pause;
}

/// Source: Stripe; a trial may be given by its end or by its days, or come with the plan.
Result<void> check_trial(const Arguments& arguments, const std::string& prefix) {
  const std::string end = prefix + "trial_end";
  for (const char* other : {"trial_period_days", "trial_from_plan"}) {
    const bool is_given = std::string_view(other) == "trial_from_plan"
                              ? arguments.boolean(prefix + other).value_or(false)
                              : arguments.has(prefix + other);
    if (arguments.has(end) && is_given) return both_given(end, prefix + other);
  }
  return {};
}

/// The request may say in which currency the prices are.
Result<void> check_currency(const Arguments& arguments, const Price& price) {
  if (!arguments.has("currency")) return {};
  const Currency currency = *Currency::parse(arguments.text_or_empty("currency"));
  if (price.currency() == currency) return {};
  return Failure{Errc::currency_mismatch,
                 "The price specified is not in " + std::string(currency.code()) + ", but in " +
                     std::string(price.currency().code()) + ".",
                 "currency"};
}

/// What names the item at the top of a request; empty: nothing does.
std::string single_item_name(const Arguments& arguments, const std::string& prefix) {
  for (const char* name : {"plan", "price", "quantity"})
    if (arguments.has(prefix + name)) return prefix + name;
  return {};
}

/// The item at the top of a request, as requests name it that know of one item only.
Result<std::optional<GivenItem>> read_single_item(const Arguments& arguments, const Subscription& subscription,
                                                  const std::string& prefix) {
  const std::string name = single_item_name(arguments, prefix);
  if (name.empty()) return std::optional<GivenItem>();
  if (arguments.has(prefix + "items")) return both_given(name, prefix + "items");
  if (subscription.items.size() > 1)
    return Failure{Errc::invalid_parameter,
                   "The subscription has several items; name the one that is to be changed in `items`.", name};
  auto item = read_item(arguments, "", prefix);
  if (!item) return item.error();
  item->id = subscription.items.front().id;
  item->metadata.reset();  // The subscription's, not the item's.
  return std::optional(std::move(*item));
}

}  // namespace

PaymentBehavior change_payment_behavior(const Call& call) {
  if (const auto given = read_payment_behavior(call.arguments())) return *given;
  return call.version.is_before(subscriptions_may_be_incomplete) ? PaymentBehavior::error_where_possible
                                                                 : PaymentBehavior::allow_incomplete;
}

std::optional<PaymentBehavior> read_payment_behavior(const Arguments& arguments) {
  const auto given = arguments.text("payment_behavior");
  if (!given) return std::nullopt;
  if (*given == "default_incomplete") return PaymentBehavior::default_incomplete;
  if (*given == "pending_if_incomplete") return PaymentBehavior::pending_if_incomplete;
  return *given == "allow_incomplete" ? PaymentBehavior::allow_incomplete : PaymentBehavior::error_if_incomplete;
}

Result<GivenCollection> read_collection(const Arguments& arguments) {
  GivenCollection given;
  const auto old_name = arguments.text("billing");
  const auto new_name = arguments.text("collection_method");
  if (old_name && new_name && *old_name != *new_name) return both_given("billing", "collection_method");
  if (const auto& method = new_name ? new_name : old_name)
    given.method = *method == "send_invoice" ? Collection::send_invoice : Collection::charge_automatically;
  if (const auto days = arguments.integer("days_until_due")) given.days_until_due = static_cast<std::int32_t>(*days);
  return given;
}

Result<ProrationBehavior> read_proration(const Arguments& arguments, ProrationBehavior otherwise,
                                         const std::string& prefix) {
  const auto old_name = arguments.boolean(prefix + "prorate");
  const auto new_name = arguments.text(prefix + "proration_behavior");
  if (old_name && new_name) return both_given(prefix + "prorate", prefix + "proration_behavior");
  if (old_name) return *old_name ? ProrationBehavior::create_prorations : ProrationBehavior::none;
  if (!new_name) return otherwise;
  if (*new_name == "always_invoice") return ProrationBehavior::always_invoice;
  return *new_name == "none" ? ProrationBehavior::none : ProrationBehavior::create_prorations;
}

Result<GivenItem> read_item(const Arguments& arguments, const std::string& path, const std::string& prefix) {
  const bool has_plan = arguments.has(prefix + "plan");
  const std::string name = prefix + (has_plan ? "plan" : "price");
  GivenItem item;
  item.parameter = path.empty() ? name : path + "[" + name + "]";
  if (has_plan && arguments.has(prefix + "price"))
    return Failure{Errc::invalid_parameter, "Received both plan and price parameters. Please pass in only one.",
                   item.parameter};
  item.price_data = prefix.empty() ? arguments.map("price_data") : std::nullopt;
  if (item.price_data) {
    if (has_plan || arguments.has("price")) return both_given(item.parameter, "price_data");
    item.parameter = path.empty() ? "price_data" : path + "[price_data]";
  }
  item.id = SubscriptionItemId(arguments.text_or_empty("id"));
  item.deleted = arguments.boolean("deleted").value_or(false);
  item.clear_usage = arguments.boolean("clear_usage").value_or(false);
  item.plan = arguments.text_or_empty(name);
  item.quantity = arguments.integer(prefix + "quantity");
  item.metadata = arguments.metadata_patch();
  // At the top of a request the name is the subscription's, or nobody's.
  if (arguments.has("tax_rates")) item.tax_rates = arguments.texts("tax_rates");
  return item;
}

Result<std::vector<GivenItem>> read_items(const Arguments& arguments, const std::string& name) {
  std::vector<GivenItem> items;
  const http::Parameter* list = arguments.find(name);
  if (list == nullptr) return items;
  for (const http::Parameter& each : list->children()) {
    auto item = read_item(Arguments(each), each.path(), "");
    if (!item) return item.error();
    items.push_back(std::move(*item));
  }
  return items;
}

Result<std::vector<GivenItem>> read_new_items(const Arguments& arguments, const std::string& prefix) {
  const std::string single = single_item_name(arguments, prefix);
  const std::string name = prefix + "items";
  if (!single.empty() && arguments.has(name)) return both_given(single, name);
  std::vector<GivenItem> items;
  if (!single.empty() && single != prefix + "quantity") {
    auto item = read_item(arguments, "", prefix);
    if (!item) return item.error();
    item->metadata.reset();  // The subscription's, not the item's.
    items.push_back(std::move(*item));
  } else {
    auto listed = read_items(arguments, name);
    if (!listed) return listed.error();
    items = std::move(*listed);
  }
  if (items.empty()) return Failure{Errc::missing_parameter, "Missing required param: " + name + ".", name};
  for (const GivenItem& item : items)
    if (item.plan.empty() && !item.price_data)
      return Failure{Errc::missing_parameter, "Missing required param: " + item.parameter + ".", item.parameter};
  return items;
}

Result<void> describe_prices(const Services& services, const Call& call, Known& known, std::vector<GivenItem>& items) {
  for (GivenItem& item : items) {
    if (!item.price_data) continue;
    auto id = describe_price(services, call, known, *item.price_data, item.parameter);
    if (!id) return id.error();
    item.plan = id->value();
    item.is_described = true;
    item.price_data.reset();
  }
  return {};
}

awaitable<Result<const Plan*>> load_plan_of(Services& services, const Call& call, Known& known, GivenItem item) {
  auto plan = co_await load_plan(services, call.mode, known, item.plan, item.parameter);
  if (plan && !(*plan)->active && !item.is_described)
    co_return Failure{Errc::invalid_parameter,
                      "The plan `" + item.plan + "` is inactive and takes no new subscriptions.", item.parameter};
  if (plan && (*plan)->one_time)
    co_return Failure{Errc::invalid_parameter,
                      "The price specified is set to `type=one_time` but this field only accepts prices with "
                      "`type=recurring`.",
                      item.parameter};
  co_return plan;
}

awaitable<Result<std::vector<AppliedTaxRate>>> find_rates_of(Services& services, Mode mode, GivenItem item) {
  return find_tax_rates(services, mode, item.tax_rates.value_or(std::vector<std::string>()), "tax_rates");
}

awaitable<Result<std::vector<ItemChange>>> read_item_changes(Services& services, const Call& call, Known& known,
                                                             std::vector<GivenItem> items) {
  auto described = describe_prices(services, call, known, items);
  if (!described) co_return described.error();
  std::vector<ItemChange> changes;
  for (GivenItem& item : items) {
    ItemChange change;
    change.item = item.id;
    change.deleted = item.deleted;
    change.clear_usage = item.clear_usage;
    if (item.tax_rates) {
      auto rates = co_await find_rates_of(services, call.mode, item);
      if (!rates) co_return rates.error();
      change.tax_rates = std::move(*rates);
    }
    change.quantity = item.quantity;
    change.metadata = std::move(item.metadata);
    if (item.plan.empty()) {
      if (item.id.is_empty())
        co_return Failure{Errc::missing_parameter, "Missing required param: " + item.parameter + ".", item.parameter};
    } else {
      auto plan = co_await load_plan_of(services, call, known, item);
      if (!plan) co_return plan.error();
      change.price = (*plan)->price();
    }
    changes.push_back(std::move(change));
  }
  co_return changes;
}

Result<std::optional<Timestamp>> read_trial_end(const Arguments& arguments, const std::vector<const Plan*>& plans,
                                                bool brings_trial, Timestamp now, const std::string& prefix) {
  auto fits = check_trial(arguments, prefix);
  if (!fits) return fits.error();
  const auto after_days = [now](std::int64_t days) -> std::optional<Timestamp> {
    if (days <= 0) return std::nullopt;
    return whole_second(now) + std::chrono::days(days);
  };
  if (arguments.has(prefix + "trial_end")) {
    const auto end = arguments.timestamp(prefix + "trial_end");
    if (!end) return std::optional(now);
    if (*end <= now)
      return Failure{Errc::invalid_parameter, "Invalid timestamp: must be an integer Unix timestamp in the future",
                     prefix + "trial_end"};
    return end;
  }
  if (const auto days = arguments.integer(prefix + "trial_period_days")) return after_days(*days);
  if (!arguments.boolean(prefix + "trial_from_plan").value_or(brings_trial)) return std::optional<Timestamp>();
  std::int64_t days = 0;
  for (const Plan* plan : plans) days = std::max<std::int64_t>(days, plan->trial_period_days);
  return after_days(days);
}

Result<std::optional<SourceId>> read_paying_source(const Arguments& arguments, const Account& account) {
  // Source: Stripe, default_payment_method "takes precedence over default_source".
  for (const char* name : {"default_payment_method", "default_source"}) {
    if (!arguments.has(name)) continue;
    auto source = read_source(arguments, name, account);
    if (!source) return source.error();
    if (!source->is_empty() || !arguments.has("default_source")) return std::optional(*source);
  }
  if (arguments.has("default_source")) return std::optional(SourceId());
  return std::optional<SourceId>();
}

Result<SourceId> read_source(const Arguments& arguments, std::string_view name, const Account& account) {
  SourceId source(arguments.text_or_empty(name));
  if (!source.is_empty() && account.find(source) == nullptr)
    return no_such(name == "default_payment_method" ? "PaymentMethod" : "source", source.value(), name);
  return source;
}

awaitable<Result<Subscribe>> read_new_subscription(Services& services, const Call& call, Known& known,
                                                   const Account& account, std::string prefix) {
  const Arguments arguments = call.arguments();
  auto items = read_new_items(arguments, prefix);
  if (!items) co_return items.error();
  auto described = describe_prices(services, call, known, *items);
  if (!described) co_return described.error();
  Subscribe command;
  std::vector<const Plan*> plans;
  for (GivenItem& item : *items) {
    auto plan = co_await load_plan_of(services, call, known, item);
    if (!plan) co_return plan.error();
    plans.push_back(*plan);
    auto fits = check_currency(arguments, (*plan)->price());
    if (!fits) co_return fits.error();
    auto rates = co_await find_rates_of(services, call.mode, item);
    if (!rates) co_return rates.error();
    command.items.push_back(
        {(*plan)->price(), item.quantity.value_or(1), item.metadata.value_or(MetadataPatch()).set, std::move(*rates)});
  }
  auto now = co_await account_time(services, account);
  if (!now) co_return now.error();
  const bool brings_trial = call.version.is_before(plans_bring_no_trial) && arguments.has("plan");
  auto trial_end = read_trial_end(arguments, plans, brings_trial, *now, prefix);
  if (!trial_end) co_return trial_end.error();
  if (*trial_end && **trial_end > *now) command.trial_end = *trial_end;
  auto proration = read_proration(arguments, ProrationBehavior::create_prorations, prefix);
  if (!proration) co_return proration.error();
  if (arguments.has(prefix + "billing_cycle_anchor")) {
    command.billing_cycle_anchor = arguments.timestamp(prefix + "billing_cycle_anchor");
    command.free_until_anchor = *proration == ProrationBehavior::none;
  }
  command.backdate_start =
      arguments.timestamp(prefix.empty() ? std::string("backdate_start_date") : prefix + "start_date");
  command.prorate_backdating = *proration != ProrationBehavior::none;
  command.cancel_at_period_end = arguments.boolean(prefix + "cancel_at_period_end").value_or(false);
  command.cancel_at = arguments.timestamp(prefix + "cancel_at");
  auto redemption = co_await read_redemption(services, call, arguments, std::nullopt);
  if (!redemption) co_return redemption.error();
  command.discount = redemption->value_or(std::nullopt);
  auto taxes = co_await read_taxes(services, call, arguments, prefix);
  if (!taxes) co_return taxes.error();
  command.tax_rates = taxes->value_or(std::vector<AppliedTaxRate>());
  if (!prefix.empty()) co_return command;

  auto collection = read_collection(arguments);
  if (!collection) co_return collection.error();
  command.collection = collection->method.value_or(Collection::charge_automatically);
  command.days_until_due = collection->days_until_due.value_or(0);
  command.payment_behavior = first_payment_behavior(call);
  command.missing_payment_method =
      read_missing_payment_method(arguments).value_or(MissingPaymentMethod::create_invoice);
  command.saves_source = read_saves_source(arguments).value_or(false);
  auto interval = read_pending_item_interval(arguments);
  if (!interval) co_return interval.error();
  command.pending_item_interval = interval->value_or(std::nullopt);
  command.renewal_trigger = read_renewal_trigger(arguments).value_or(RenewalTrigger::schedule);
  auto source = read_paying_source(arguments, account);
  if (!source) co_return source.error();
  command.default_source = source->value_or(SourceId());
  command.description = arguments.text_or_empty("description");
  auto one_time_items = co_await read_one_time_items(services, call, known, arguments, "add_invoice_items");
  if (!one_time_items) co_return one_time_items.error();
  command.one_time_items = std::move(*one_time_items);
  auto metadata = arguments.metadata_over({});
  if (!metadata) co_return metadata.error();
  command.metadata = std::move(*metadata);
  co_return command;
}

awaitable<Result<UpdateSubscription>> read_subscription_changes(Services& services, const Call& call, Known& known,
                                                                const Account& account,
                                                                const Subscription& subscription, std::string prefix) {
  const Arguments arguments = call.arguments();
  UpdateSubscription command;
  command.subscription = subscription.id;
  auto items = read_items(arguments, prefix + "items");
  if (!items) co_return items.error();
  auto single = read_single_item(arguments, subscription, prefix);
  if (!single) co_return single.error();
  if (*single) items->push_back(std::move(**single));
  auto described = describe_prices(services, call, known, *items);
  if (!described) co_return described.error();
  std::vector<const Plan*> plans;
  for (const GivenItem& item : *items) {
    if (item.plan.empty()) continue;
    auto plan = co_await load_plan_of(services, call, known, item);
    if (!plan) co_return plan.error();
    plans.push_back(*plan);
  }
  for (const SubscriptionItem& item : subscription.items)
    if (const Plan* plan = known.plan(item.price.id); plan != nullptr && plans.empty()) plans.push_back(plan);
  auto changes = co_await read_item_changes(services, call, known, std::move(*items));
  if (!changes) co_return changes.error();
  command.items = std::move(*changes);

  auto now = co_await account_time(services, account);
  if (!now) co_return now.error();
  auto trial_end = read_trial_end(arguments, plans, false, *now, prefix);
  if (!trial_end) co_return trial_end.error();
  command.trial_end = *trial_end;
  auto proration = read_proration(arguments, ProrationBehavior::create_prorations, prefix);
  if (!proration) co_return proration.error();
  command.proration = *proration;
  command.proration_date = arguments.timestamp(prefix + "proration_date");
  command.anchor_now = arguments.text_or_empty(prefix + "billing_cycle_anchor") == "now";
  command.cancel_at_period_end = arguments.boolean(prefix + "cancel_at_period_end");
  command.cancel_at = read_clearable(arguments, prefix + "cancel_at");
  auto redemption = co_await read_redemption(services, call, arguments, subscription.discount);
  if (!redemption) co_return redemption.error();
  command.discount = std::move(*redemption);
  auto taxes = co_await read_taxes(services, call, arguments, prefix);
  if (!taxes) co_return taxes.error();
  command.tax_rates = std::move(*taxes);
  if (!prefix.empty()) co_return command;

  auto collection = read_collection(arguments);
  if (!collection) co_return collection.error();
  command.collection = collection->method;
  command.days_until_due = collection->days_until_due;
  command.renewal_trigger = read_renewal_trigger(arguments);
  command.payment_behavior = change_payment_behavior(call);
  command.missing_payment_method = read_missing_payment_method(arguments);
  command.saves_source = read_saves_source(arguments);
  auto interval = read_pending_item_interval(arguments);
  if (!interval) co_return interval.error();
  command.pending_item_interval = *interval;
  // What is charged is due at once.
  if (command.collection == Collection::charge_automatically && !command.days_until_due) command.days_until_due = 0;
  auto source = read_paying_source(arguments, account);
  if (!source) co_return source.error();
  command.default_source = *source;
  command.pause = read_pause(arguments);
  command.description = arguments.text("description");
  if (const auto cancellation = arguments.map("cancellation_details")) {
    command.cancellation_comment = cancellation->text("comment");
    command.cancellation_feedback = cancellation->text("feedback");
  }
  auto one_time_items = co_await read_one_time_items(services, call, known, arguments, "add_invoice_items");
  if (!one_time_items) co_return one_time_items.error();
  command.one_time_items = std::move(*one_time_items);
  command.metadata = arguments.metadata_patch();
  co_return command;
}

}  // namespace billd::api::stripe
