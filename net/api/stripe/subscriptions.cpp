// Operations on subscriptions, top-level and below their customer.
#include <algorithm>

#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/new_source.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/api/stripe/settlement.hpp"
#include "net/api/stripe/subscription_parameters.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::int64_t description_length_max = 500;
constexpr std::array<std::string_view, 2> anchors = {"now", "unchanged"};
/// An extension of billd's, see net/api/incoming/webhooks.md.
constexpr std::array<std::string_view, 2> renewal_triggers = {"schedule", "webhook"};
constexpr std::array<std::string_view, 10> statuses = {
    "incomplete", "incomplete_expired", "trialing", "active", "past_due", "unpaid",
    "paused",     "canceled",           "ended",    "all"};

constexpr std::array<std::string_view, 3> pause_behaviors = {"keep_as_draft", "mark_uncollectible", "void"};
constexpr std::array pause_rules = {
    choice("behavior", pause_behaviors).required(),
    timestamp("resumes_at"),
};

constexpr std::array common_rules = collection_rules + proration_rules + redemption_rules + tax_rules(tax_names) +
                                    std::array{
                                        text("plan"),
                                        text("price"),
                                        integer("quantity", 0, quantity_max),
                                        timestamp_or_now("trial_end"),
                                        boolean("trial_from_plan"),
                                        map("trial_settings", trial_settings_rules),
                                        boolean("cancel_at_period_end"),
                                        text_or_map("source", source_rules),
                                        text_or_map("card", card_rules),
                                        boolean("off_session"),
                                        choice("renewal_trigger", renewal_triggers),
                                        list("add_invoice_items", one_time_item_rules),
                                        choice("payment_behavior", payment_behaviors),
                                        map("payment_settings", payment_settings_rules),
                                        map("automatic_tax", automatic_tax_rules),
                                        map("pending_invoice_item_interval", pending_item_rules).clearable(),
                                        text("description", description_length_max).clearable(),
                                        metadata(),
                                        list("expand"),
                                    };
constexpr std::array create_below_customer_table = common_rules + std::array{
                                                                      list("items", new_item_rules),
                                                                      integer("trial_period_days", 0, trial_days_max),
                                                                      timestamp("billing_cycle_anchor"),
                                                                      timestamp("cancel_at"),
                                                                      text("default_source"),
                                                                      text("default_payment_method"),
                                                                      timestamp("backdate_start_date"),
                                                                      boolean("enable_incomplete_payments"),
                                                                      currency("currency"),
                                                                  };
constexpr std::array create_table = create_below_customer_table + std::array{text("customer").required()};
constexpr std::array retrieve_table = {list("expand")};
constexpr std::array update_table = common_rules + std::array{
                                                       list("items", changed_item_rules),
                                                       choice("billing_cycle_anchor", anchors),
                                                       timestamp("proration_date"),
                                                       timestamp("cancel_at").clearable(),
                                                       text("default_source").clearable(),
                                                       text("default_payment_method").clearable(),
                                                       map("pause_collection", pause_rules).clearable(),
                                                       map("cancellation_details", cancellation_rules),
                                                   };
/// Of the only subscription that a customer had in the first versions: POST makes or changes it.
constexpr std::array put_single_table = common_rules + std::array{integer("trial_period_days", 0, trial_days_max)};
constexpr std::array cancel_table = {
    boolean("at_period_end"), boolean("prorate"),
    boolean("invoice_now"),   map("cancellation_details", cancellation_rules),
    list("expand"),
};
constexpr std::array resume_table = proration_rules + std::array{
                                                          choice("billing_cycle_anchor", anchors),
                                                          timestamp("proration_date"),
                                                          list("expand"),
                                                      };
constexpr std::array list_below_customer_table =
    filtered_page_rules + std::array{
                              choice("status", statuses),
                              text("plan"),
                              text("price"),
                              choice("billing", collection_methods),
                              choice("collection_method", collection_methods),
                              range("current_period_start"),
                              range("current_period_end"),
                          };
constexpr std::array list_table = list_below_customer_table + std::array{text("customer"), text("test_clock")};

bool is_same_card(const Source& source, const NewSource& other) {
  return source.gateway == other.gateway && source.means == other.means;
}

Shown show_nothing(Presenter&, const Transition&) { return Answer(); }

/// `source` on a subscription becomes the customer's default first. On a second try under one idempotency key the first
/// one may have come so far already.
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

/// The same, while it lives.
awaitable<Result<const Subscription*>> find_live_subscription(Services& services, const Call& call, Known& known) {
  auto subscription = co_await find_subscription(services, call, known);
  if (subscription && !(*subscription)->is_live()) co_return no_such("subscription", (*subscription)->id.value());
  co_return subscription;
}

/// The same, which the task is to change and to show.
awaitable<Result<SubscriptionId>> find_for(Services& services, const Call& call, Task& task) {
  auto subscription = co_await find_live_subscription(services, call, *task.known);
  if (!subscription) co_return subscription.error();
  SubscriptionId id = (*subscription)->id;
  auto foreseen = co_await foresee(services, call, *task.known, Kind::subscription, id.value());
  if (!foreseen) co_return foreseen.error();
  task.account = *AccountKey::of_id(id.value());
  task.show = show_subscription(id.value());
  co_return id;
}

/// Source: Stripe, without a status "all subscriptions that have not been canceled are returned"; "ended" are those
/// that are canceled or have expired.
bool has_status(const Subscription& subscription, std::string_view wanted) {
  if (wanted == "all") return true;
  if (wanted.empty()) return subscription.is_live();
  if (wanted == "ended") return !subscription.is_live();
  return status_name(subscription.status) == wanted;
}

/// What a list of subscriptions is narrowed by.
Result<Filter> read_filter(const Arguments& arguments) {
  auto collection = read_collection(arguments);
  if (!collection) return collection.error();
  std::string plan = arguments.text_or_empty("plan");
  if (plan.empty()) plan = arguments.text_or_empty("price");
  return Filter([status = arguments.text_or_empty("status"), plan, method = collection->method,
                 start = arguments.range("current_period_start"), end = arguments.range("current_period_end"),
                 clock = arguments.text_or_empty("test_clock")](const Known& known, const std::string& id) {
    const Subscription* subscription = known.subscription(id);
    if (subscription == nullptr || !has_status(*subscription, status)) return false;
    if (method && subscription->collection != *method) return false;
    if (!start.holds(subscription->current_period.start) || !end.holds(subscription->current_period.end)) return false;
    if (!clock.empty()) {
      const Account* account = known.account_of(id);
      if (account == nullptr || account->customer.test_clock.value() != clock) return false;
    }
    return plan.empty() || std::ranges::any_of(subscription->items, [&](const SubscriptionItem& item) {
             return item.price.id.value() == plan;
           });
  });
}

/// The subscription of a customer as the first versions know it: the newest that lives; empty: none.
Result<std::string> single_subscription(const Account& account) {
  std::string id;
  for (const Subscription& subscription : account.subscriptions) {
    if (subscription.provisional) continue;
    if (!id.empty())
      return Failure{Errc::invalid_state, "Customer " + account.customer.id.value() +
                                              " has several subscriptions; name one of them by its identifier."};
    id = subscription.id.value();
  }
  return id;
}

/// Names the customer's only subscription in the call, as if its path had; not_found when there is none.
awaitable<Result<Call>> name_single_subscription(Services& services, Call call) {
  Known known;
  const std::string& customer = call.variable("customer");
  auto account = co_await load_live_customer(services, call.mode, known, customer, "customer");
  if (!account) co_return account.error();
  auto id = single_subscription(**account);
  if (!id) co_return id.error();
  if (id->empty()) co_return Failure{Errc::not_found, "No active subscription for customer: " + customer, "customer"};
  call.variables.emplace_back("subscription", std::move(*id));
  co_return call;
}

}  // namespace

constinit const std::span<const Rule> create_subscription_rules = create_table;
constinit const std::span<const Rule> create_subscription_below_customer_rules = create_below_customer_table;
constinit const std::span<const Rule> retrieve_subscription_rules = retrieve_table;
constinit const std::span<const Rule> update_subscription_rules = update_table;
constinit const std::span<const Rule> cancel_subscription_rules = cancel_table;
constinit const std::span<const Rule> resume_subscription_rules = resume_table;
constinit const std::span<const Rule> list_subscriptions_rules = list_table;
constinit const std::span<const Rule> list_subscriptions_below_customer_rules = list_below_customer_table;
constinit const std::span<const Rule> put_single_subscription_rules = put_single_table;

awaitable<Result<Outcome>> create_subscription(Services& services, Call call) {
  std::string customer = call.variable_or_empty("customer");
  if (customer.empty()) customer = call.arguments().text_or_empty("customer");
  Task task;
  auto loaded = co_await load_live_customer(services, call.mode, *task.known, customer, "customer");
  if (!loaded) co_return loaded.error();
  const Account& account = **loaded;
  auto command = co_await read_new_subscription(services, call, *task.known, account, "");
  if (!command) co_return command.error();
  auto foreseen = co_await foresee_new(services, call, *task.known, account.customer.test_clock);
  if (!foreseen) co_return foreseen.error();
  auto added = co_await add_given_source(services, call, account);
  if (!added) co_return added.error();
  task.account = account.key;
  task.command = std::move(*command);
  task.show = show_new_subscription;
  co_return co_await carry_out_with_prices(services, call, std::move(task));
}

awaitable<Result<Outcome>> retrieve_subscription(Services& services, Call call) {
  Reply reply(services, call);
  auto subscription = co_await find_subscription(services, call, reply.known);
  if (!subscription) co_return subscription.error();
  Object* object = reply.present.find(Kind::subscription, (*subscription)->id.value());
  co_return co_await reply.answer(*object);
}

awaitable<Result<Outcome>> update_subscription(Services& services, Call call) {
  Task task;
  auto found = co_await find_live_subscription(services, call, *task.known);
  if (!found) co_return found.error();
  const Subscription& subscription = **found;
  const Account& account = *task.known->account_of(subscription.id.value());
  auto command = co_await read_subscription_changes(services, call, *task.known, account, subscription, "");
  if (!command) co_return command.error();
  auto foreseen = co_await foresee(services, call, *task.known, Kind::subscription, subscription.id.value());
  if (!foreseen) co_return foreseen.error();
  task.account = account.key;
  task.show = unless_unpaid(subscription, command->payment_behavior, show_subscription(subscription.id.value()));
  auto added = co_await add_given_source(services, call, account);
  if (!added) co_return added.error();
  task.command = std::move(*command);
  co_return co_await carry_out_with_prices(services, call, std::move(task));
}

awaitable<Result<Outcome>> cancel_subscription(Services& services, Call call) {
  Task task;
  auto subscription = co_await find_for(services, call, task);
  if (!subscription) co_return subscription.error();
  const Arguments arguments = call.arguments();
  CancelSubscription command;
  command.subscription = std::move(*subscription);
  command.at_period_end = arguments.boolean("at_period_end").value_or(false);
  command.prorate = arguments.boolean("prorate").value_or(false);
  command.invoice_now = arguments.boolean("invoice_now").value_or(false);
  if (const auto details = arguments.map("cancellation_details")) {
    command.comment = details->text("comment");
    command.feedback = details->text("feedback");
  }
  for (const char* name : {"prorate", "invoice_now"})
    if (command.at_period_end && arguments.boolean(name).value_or(false))
      co_return Failure{Errc::invalid_parameter,
                        "`" + std::string(name) + "` is for a subscription that is canceled at once.", name};
  task.command = std::move(command);
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> resume_subscription(Services& services, Call call) {
  Task task;
  auto subscription = co_await find_for(services, call, task);
  if (!subscription) co_return subscription.error();
  const Arguments arguments = call.arguments();
  auto proration = read_proration(arguments, ProrationBehavior::create_prorations);
  if (!proration) co_return proration.error();
  UnpauseSubscription command;
  command.subscription = std::move(*subscription);
  command.anchor_now = arguments.text_or_empty("billing_cycle_anchor") != "unchanged";
  command.proration = *proration;
  command.proration_date = arguments.timestamp("proration_date");
  task.command = std::move(command);
  co_return co_await carry_out(services, call, std::move(task));
}

awaitable<Result<Outcome>> list_subscriptions(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  const Arguments arguments = call.arguments();
  auto filter = read_filter(arguments);
  if (!filter) co_return filter.error();
  std::string customer = call.variable_or_empty("customer");
  if (customer.empty()) customer = arguments.text_or_empty("customer");
  Reply reply(services, call);
  if (customer.empty()) {
    auto page = co_await page_of_all(services, call, reply.known, Kind::subscription, std::move(*query), *filter);
    if (!page) co_return page.error();
    co_return co_await answer_page(services, call, reply, Kind::subscription, std::move(*page), call.path);
  }
  auto account = co_await load_live_customer(services, call.mode, reply.known, customer, "customer");
  if (!account) co_return account.error();
  auto page = co_await page_of_account(services, call, reply.known, (*account)->key, Kind::subscription,
                                       std::move(*query), *filter);
  if (!page) co_return page.error();
  co_return co_await answer_page(services, call, reply, Kind::subscription, std::move(*page), call.path);
}

awaitable<Result<Outcome>> retrieve_single_subscription(Services& services, Call call) {
  auto named = co_await name_single_subscription(services, std::move(call));
  if (!named) co_return named.error();
  co_return co_await retrieve_subscription(services, std::move(*named));
}

awaitable<Result<Outcome>> put_single_subscription(Services& services, Call call) {
  Known known;
  auto account = co_await load_live_customer(services, call.mode, known, call.variable("customer"), "customer");
  if (!account) co_return account.error();
  auto id = single_subscription(**account);
  if (!id) co_return id.error();
  if (id->empty()) co_return co_await create_subscription(services, std::move(call));
  call.variables.emplace_back("subscription", std::move(*id));
  co_return co_await update_subscription(services, std::move(call));
}

awaitable<Result<Outcome>> cancel_single_subscription(Services& services, Call call) {
  auto named = co_await name_single_subscription(services, std::move(call));
  if (!named) co_return named.error();
  co_return co_await cancel_subscription(services, std::move(*named));
}

}  // namespace billd::api::stripe
