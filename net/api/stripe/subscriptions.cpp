// Operations on subscriptions, top-level and below their customer.
#include <algorithm>

#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/new_source.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/api/stripe/settlement.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::int64_t quantity_max = 1'000'000'000;
// Source: Stripe, "must be at most two years".
constexpr std::int64_t trial_days_max = 730;

constexpr std::array<std::string_view, 2> payment_behaviors = {"allow_incomplete", "error_if_incomplete"};
constexpr std::array<std::string_view, 1> collection_methods = {"charge_automatically"};
/// An extension of billd's, see net/api/incoming/webhooks.md.
constexpr std::array<std::string_view, 2> renewal_triggers = {"schedule", "webhook"};
constexpr std::array<std::string_view, 3> proration_behaviors = {"always_invoice", "create_prorations", "none"};
constexpr std::array<std::string_view, 9> statuses = {
    "incomplete", "incomplete_expired", "trialing", "active", "past_due", "unpaid", "canceled", "ended", "all"};

constexpr std::array item_rules = {
    text("plan"),
    text("price"),
    integer("quantity", 0, quantity_max),
    metadata(),
};
constexpr std::array create_below_customer_table = {
    text("plan"),
    text("price"),
    integer("quantity", 0, quantity_max),
    list("items", item_rules),
    timestamp_or_now("trial_end"),
    integer("trial_period_days", 0, trial_days_max),
    boolean("trial_from_plan"),
    boolean("cancel_at_period_end"),
    text("default_source"),
    text_or_map("source", source_rules),
    text_or_map("card", card_rules),
    choice("payment_behavior", payment_behaviors),
    boolean("enable_incomplete_payments"),
    choice("billing", collection_methods),
    choice("collection_method", collection_methods),
    boolean("prorate"),
    choice("proration_behavior", proration_behaviors),
    boolean("off_session"),
    choice("renewal_trigger", renewal_triggers),
    metadata(),
    list("expand"),
};
constexpr std::array create_table = create_below_customer_table + std::array{text("customer").required()};
constexpr std::array retrieve_table = {list("expand")};
constexpr std::array update_table = {
    boolean("cancel_at_period_end"),
    choice("billing", collection_methods),
    choice("collection_method", collection_methods),
    boolean("prorate"),
    choice("proration_behavior", proration_behaviors),
    list("expand"),
};
constexpr std::array cancel_table = {
    boolean("at_period_end"),
    boolean("prorate"),
    boolean("invoice_now"),
    list("expand"),
};
constexpr std::array list_below_customer_table =
    filtered_page_rules + std::array{choice("status", statuses), text("plan"), text("price"),
                                     choice("billing", collection_methods),
                                     choice("collection_method", collection_methods)};
constexpr std::array list_table = list_below_customer_table + std::array{text("customer")};

/// What a request names as plan or price, and how the parameter is called there.
struct WantedItem {
  std::string plan, parameter;
  std::int64_t quantity = 1;
  Metadata metadata;
};

Result<WantedItem> read_item(const Arguments& arguments, const std::string& path) {
  const bool has_plan = arguments.has("plan");
  const std::string name = has_plan ? "plan" : "price";
  const std::string parameter = path.empty() ? name : path + "[" + name + "]";
  if (has_plan && arguments.has("price"))
    return Failure{Errc::invalid_parameter, "Received both plan and price parameters. Please pass in only one.",
                   parameter};
  if (!has_plan && !arguments.has("price"))
    return Failure{Errc::missing_parameter, "Missing required param: " + parameter + ".", parameter};
  WantedItem item;
  item.plan = arguments.text_or_empty(name);
  item.parameter = parameter;
  item.quantity = arguments.integer("quantity").value_or(1);
  if (!path.empty()) {
    auto metadata = arguments.metadata_over({});
    if (!metadata) return metadata.error();
    item.metadata = std::move(*metadata);
  }
  return item;
}

Result<std::vector<WantedItem>> read_items(const Arguments& arguments) {
  const bool single = arguments.has("plan") || arguments.has("price");
  if (single && arguments.has("items"))
    return Failure{Errc::invalid_parameter, "Received both plan and items parameters. Please pass in only one.",
                   "items"};
  std::vector<WantedItem> items;
  if (single) {
    auto item = read_item(arguments, "");
    if (!item) return item.error();
    items.push_back(std::move(*item));
  } else if (arguments.has("items")) {
    for (const http::Parameter& each : arguments.find("items")->children()) {
      auto item = read_item(Arguments(each), each.path());
      if (!item) return item.error();
      items.push_back(std::move(*item));
    }
  }
  if (items.empty()) return Failure{Errc::missing_parameter, "Missing required param: items.", "items"};
  return items;
}

/// When the trial ends; empty: there is none.
Result<std::optional<Timestamp>> read_trial_end(const Call& call, const std::vector<const Plan*>& plans,
                                                Timestamp now) {
  const Arguments arguments = call.arguments();
  const auto after_days = [now](std::int64_t days) -> std::optional<Timestamp> {
    if (days <= 0) return std::nullopt;
    return whole_second(now) + std::chrono::days(days);
  };
  if (arguments.has("trial_end")) {
    if (arguments.has("trial_period_days"))
      return Failure{Errc::invalid_parameter,
                     "Received both trial_end and trial_period_days parameters. Please pass in only one.", "trial_end"};
    const auto end = arguments.timestamp("trial_end");
    if (end && *end <= now)
      return Failure{Errc::invalid_parameter, "Invalid timestamp: must be an integer Unix timestamp in the future",
                     "trial_end"};
    return end;
  }
  if (const auto days = arguments.integer("trial_period_days")) return after_days(*days);
  const bool by_version = call.version.is_before(plans_bring_no_trial) && arguments.has("plan");
  if (!arguments.boolean("trial_from_plan").value_or(by_version)) return std::optional<Timestamp>();
  std::int64_t days = 0;
  for (const Plan* plan : plans) days = std::max<std::int64_t>(days, plan->trial_period_days);
  return after_days(days);
}

PaymentBehavior read_payment_behavior(const Call& call) {
  const Arguments arguments = call.arguments();
  if (const auto given = arguments.text("payment_behavior"))
    return *given == "allow_incomplete" ? PaymentBehavior::allow_incomplete : PaymentBehavior::error_if_incomplete;
  const bool may_be_incomplete = !call.version.is_before(subscriptions_may_be_incomplete);
  return arguments.boolean("enable_incomplete_payments").value_or(may_be_incomplete)
             ? PaymentBehavior::allow_incomplete
             : PaymentBehavior::error_if_incomplete;
}

awaitable<Result<std::vector<const Plan*>>> load_plans(Services& services, const Call& call, Known& known,
                                                       const std::vector<WantedItem>& items) {
  std::vector<const Plan*> plans;
  for (const WantedItem& item : items) {
    auto plan = co_await load_plan(services, call.mode, known, item.plan, item.parameter);
    if (!plan) co_return plan.error();
    if (!(*plan)->active)
      co_return Failure{Errc::invalid_parameter,
                        "The plan `" + item.plan + "` is inactive and takes no new subscriptions.", item.parameter};
    plans.push_back(*plan);
  }
  co_return plans;
}

bool is_same_card(const Source& source, const NewSource& other) {
  return source.gateway == other.gateway && source.means == other.means;
}

Shown show_nothing(Presenter&, const Transition&) { return Answer(); }

/// `source` on a new subscription becomes the customer's default first. On a second try under one idempotency key the
/// first one may have come so far already.
awaitable<Result<void>> add_given_source(Services& services, const Call& call, const Account& account) {
  std::string parameter = new_source_parameter(call.arguments());
  if (parameter.empty()) co_return Result<void>();
  auto source = co_await describe_new_source(services, call, std::move(parameter));
  if (!source) co_return source.error();
  const Source* current = account.find(account.customer.default_source);
  if (call.is_repeated_try && current != nullptr && is_same_card(*current, *source)) co_return Result<void>();
  Task task{.account = account.key, .command = AddSource{std::move(*source), true}, .show = show_nothing};
  auto added = co_await carry_out_step(services, call, std::move(task));
  if (!added) co_return added.error();
  co_return Result<void>();
}

/// The subscription that the command made. Which object the last transition is about depends on how the payment went.
std::string new_subscription_id(const Transition& after) {
  if (after.subject.starts_with(SubscriptionKind::prefix)) return after.subject;
  const Invoice* invoice = find_invoice(after, after.subject);
  return invoice != nullptr ? invoice->subscription.value() : std::string();
}

Shown show_new_subscription(Presenter& present, const Transition& after) {
  const std::string id = new_subscription_id(after);
  const Subscription* subscription = find_subscription(after, id);
  const Invoice* invoice = first_invoice_of(after, id);
  const bool exists = subscription != nullptr && !subscription->provisional &&
                      subscription->status != SubscriptionStatus::incomplete_expired;
  if (exists) return present.find(Kind::subscription, id);
  if (invoice != nullptr)
    if (auto unpaid = unpaid_answer(*invoice)) return std::move(*unpaid);
  return render_error({Errc::internal, "the subscription " + id + " was made, but is not there"});
}

Show show_subscription(std::string id) {
  return [id = std::move(id)](Presenter& present, const Transition&) -> Shown {
    if (Object* object = present.find(Kind::subscription, id)) return object;
    return render_error(no_such("subscription", id));
  };
}

/// The customer and the subscription that the path names; below a customer, only that customer's.
awaitable<Result<const Subscription*>> find_subscription(Services& services, const Call& call, Known& known) {
  const std::string& id = call.variable("subscription");
  auto subscription = co_await load_subscription(services, call.mode, known, id);
  if (!subscription) co_return subscription;
  const std::string customer = call.variable_or_empty("customer");
  if (!customer.empty() && owner_of(known, id).customer.value() != customer)
    co_return Failure{Errc::not_found, "Customer " + customer + " does not have a subscription with ID " + id, "id"};
  co_return subscription;
}

/// Source: Stripe, without a status "all subscriptions that have not been canceled are returned"; "ended" are those
/// that are canceled or have expired.
bool has_status(const Subscription& subscription, std::string_view wanted) {
  if (wanted == "all") return true;
  if (wanted.empty()) return subscription.is_live();
  if (wanted == "ended") return !subscription.is_live();
  return status_name(subscription.status) == wanted;
}

}  // namespace

constinit const std::span<const Rule> create_subscription_rules = create_table;
constinit const std::span<const Rule> create_subscription_below_customer_rules = create_below_customer_table;
constinit const std::span<const Rule> retrieve_subscription_rules = retrieve_table;
constinit const std::span<const Rule> update_subscription_rules = update_table;
constinit const std::span<const Rule> cancel_subscription_rules = cancel_table;
constinit const std::span<const Rule> list_subscriptions_rules = list_table;
constinit const std::span<const Rule> list_subscriptions_below_customer_rules = list_below_customer_table;

awaitable<Result<Outcome>> create_subscription(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  std::string customer = call.variable_or_empty("customer");
  if (customer.empty()) customer = arguments.text_or_empty("customer");
  auto items = read_items(arguments);
  if (!items) co_return items.error();
  auto metadata = arguments.metadata_over({});
  if (!metadata) co_return metadata.error();

  Task task;
  auto loaded = co_await load_live_customer(services, call.mode, *task.known, customer, "customer");
  if (!loaded) co_return loaded.error();
  const Account& account = **loaded;
  auto plans = co_await load_plans(services, call, *task.known, *items);
  if (!plans) co_return plans.error();
  auto now = co_await account_time(services, account);
  if (!now) co_return now.error();
  auto trial_end = read_trial_end(call, *plans, *now);
  if (!trial_end) co_return trial_end.error();

  Subscribe command;
  for (std::size_t i = 0; i < items->size(); ++i)
    command.items.push_back({(*plans)[i]->price(), (*items)[i].quantity, std::move((*items)[i].metadata)});
  command.trial_end = *trial_end;
  command.cancel_at_period_end = arguments.boolean("cancel_at_period_end").value_or(false);
  command.payment_behavior = read_payment_behavior(call);
  command.default_source = SourceId(arguments.text_or_empty("default_source"));
  command.metadata = std::move(*metadata);
  if (arguments.text_or_empty("renewal_trigger") == "webhook") command.renewal_trigger = RenewalTrigger::webhook;
  if (!command.default_source.is_empty() && account.find(command.default_source) == nullptr)
    co_return no_such("source", command.default_source.value(), "default_source");

  auto foreseen = co_await foresee_new(services, call, *task.known, account.customer.test_clock);
  if (!foreseen) co_return foreseen.error();
  auto added = co_await add_given_source(services, call, account);
  if (!added) co_return added.error();
  task.account = account.key;
  task.command = std::move(command);
  task.show = show_new_subscription;
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> retrieve_subscription(Services& services, Call call) {
  Reply reply(services, call);
  auto subscription = co_await find_subscription(services, call, reply.known);
  if (!subscription) co_return subscription.error();
  Object* object = reply.present.find(Kind::subscription, (*subscription)->id.value());
  co_return co_await reply.answer(*object);
}

awaitable<Result<Outcome>> update_subscription(Services& services, Call call) {
  const auto cancel = call.arguments().boolean("cancel_at_period_end");
  if (!cancel) co_return co_await retrieve_subscription(services, std::move(call));
  Task task;
  auto subscription = co_await find_subscription(services, call, *task.known);
  if (!subscription) co_return subscription.error();
  const SubscriptionId id = (*subscription)->id;
  if (!(*subscription)->is_live()) co_return no_such("subscription", id.value());
  auto foreseen = co_await foresee(services, call, *task.known, Kind::subscription, id.value());
  if (!foreseen) co_return foreseen.error();
  task.account = *AccountKey::of_id(id.value());
  if (*cancel)
    task.command = CancelSubscription{id, true};
  else
    task.command = ResumeSubscription{id};
  task.show = show_subscription(id.value());
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> cancel_subscription(Services& services, Call call) {
  Task task;
  auto subscription = co_await find_subscription(services, call, *task.known);
  if (!subscription) co_return subscription.error();
  const SubscriptionId id = (*subscription)->id;
  if (!(*subscription)->is_live()) co_return no_such("subscription", id.value());
  auto foreseen = co_await foresee(services, call, *task.known, Kind::subscription, id.value());
  if (!foreseen) co_return foreseen.error();
  task.account = *AccountKey::of_id(id.value());
  task.command = CancelSubscription{id, call.arguments().boolean("at_period_end").value_or(false)};
  task.show = show_subscription(id.value());
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> list_subscriptions(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  const Arguments arguments = call.arguments();
  const std::string status = arguments.text_or_empty("status");
  std::string plan = arguments.text_or_empty("plan");
  if (plan.empty()) plan = arguments.text_or_empty("price");
  Filter filter = [status, plan](const Known& known, const std::string& id) {
    const Subscription* subscription = known.subscription(id);
    if (subscription == nullptr || !has_status(*subscription, status)) return false;
    return plan.empty() || std::ranges::any_of(subscription->items, [&](const SubscriptionItem& item) {
             return item.price.id.value() == plan;
           });
  };
  std::string customer = call.variable_or_empty("customer");
  if (customer.empty()) customer = arguments.text_or_empty("customer");

  Reply reply(services, call);
  if (customer.empty()) {
    auto page = co_await page_of_all(services, call, reply.known, Kind::subscription, std::move(*query), filter);
    if (!page) co_return page.error();
    co_return co_await answer_page(services, call, reply, Kind::subscription, std::move(*page), call.path);
  }
  auto account = co_await load_live_customer(services, call.mode, reply.known, customer, "customer");
  if (!account) co_return account.error();
  auto page = co_await page_of_account(services, call, reply.known, (*account)->key, Kind::subscription,
                                       std::move(*query), filter);
  if (!page) co_return page.error();
  co_return co_await answer_page(services, call, reply, Kind::subscription, std::move(*page), call.path);
}

}  // namespace billd::api::stripe
