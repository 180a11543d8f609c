// Operations on subscription schedules.
#include <algorithm>

#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/api/stripe/subscription_parameters.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::int64_t description_length_max = 500;
constexpr std::int64_t iterations_max = 1200;  // A hundred years of months; times end before that.
/// "none" is what the first versions called "release".
constexpr std::array<std::string_view, 3> end_behaviors = {"cancel", "none", "release"};
constexpr std::array<std::string_view, 2> anchors = {"automatic", "phase_start"};

constexpr std::array invoice_settings_rules = {integer("days_until_due", 1, days_until_due_max)};
constexpr std::array terms_rules = {
    choice("collection_method", collection_methods),
    map("invoice_settings", invoice_settings_rules),
    text("default_payment_method").clearable(),
    text("description", description_length_max).clearable(),
};
constexpr std::array default_settings_rules = terms_rules + std::array{choice("billing_cycle_anchor", anchors)};
constexpr std::array phase_rules = terms_rules + redemption_rules +
                                   std::array{
                                       list("default_tax_rates").clearable(),
                                       list("items", new_item_rules),
                                       list("plans", new_item_rules),
                                       integer("iterations", 1, iterations_max),
                                       timestamp_or_now("start_date"),
                                       timestamp_or_now("end_date"),
                                       timestamp("trial_end"),
                                       boolean("trial"),
                                       choice("proration_behavior", proration_behaviors),
                                       choice("billing_cycle_anchor", anchors),
                                       currency("currency"),
                                       list("add_invoice_items", one_time_item_rules),
                                       metadata(),
                                   };
constexpr std::array common_rules = {
    map("default_settings", default_settings_rules),
    choice("end_behavior", end_behaviors),
    list("phases", phase_rules),
    metadata(),
    list("expand"),
};
constexpr std::array create_table = common_rules + std::array{
                                                       text("customer"),
                                                       text("from_subscription"),
                                                       timestamp_or_now("start_date"),
                                                   };
constexpr std::array retrieve_table = {list("expand")};
constexpr std::array update_table = common_rules + std::array{choice("proration_behavior", proration_behaviors)};
constexpr std::array cancel_table = {boolean("invoice_now"), boolean("prorate"), list("expand")};
constexpr std::array release_table = {boolean("preserve_cancel_date"), list("expand")};
constexpr std::array list_table =
    filtered_page_rules +
    std::array{
        text("customer"), boolean("scheduled"), range("canceled_at"), range("completed_at"), range("released_at"),
    };

std::string below(const std::string& path, const char* name) { return path.empty() ? name : path + "[" + name + "]"; }

std::optional<PhaseProration> read_phase_proration(const Arguments& arguments) {
  const auto given = arguments.text("proration_behavior");
  if (!given) return std::nullopt;
  if (*given == "always_invoice") return PhaseProration::always_invoice;
  return *given == "none" ? PhaseProration::none : PhaseProration::create_prorations;
}

std::optional<EndBehavior> read_end_behavior(const Arguments& arguments) {
  const auto given = arguments.text("end_behavior");
  if (!given) return std::nullopt;
  return *given == "cancel" ? EndBehavior::cancel : EndBehavior::release;
}

/// What phases and default_settings share. What was not given is empty.
struct GivenTerms {
  std::optional<Collection> collection;
  std::optional<std::int32_t> days_until_due;
  std::optional<SourceId> source;
  std::optional<std::string> description;
};

Result<GivenTerms> read_terms(const Arguments& arguments, const std::string& path, const Account& account) {
  GivenTerms terms;
  auto collection = read_collection(arguments);
  if (!collection) return collection.error();
  terms.collection = collection->method;
  if (const auto settings = arguments.map("invoice_settings"))
    if (const auto days = settings->integer("days_until_due")) terms.days_until_due = static_cast<std::int32_t>(*days);
  // What is charged is due at once.
  if (terms.collection == Collection::charge_automatically && !terms.days_until_due) terms.days_until_due = 0;
  if (arguments.has("default_payment_method")) {
    auto source = read_source(arguments, "default_payment_method", account);
    if (!source)
      return no_such("PaymentMethod", arguments.text_or_empty("default_payment_method"),
                     below(path, "default_payment_method"));
    terms.source = *source;
  }
  terms.description = arguments.text("description");
  return terms;
}

awaitable<Result<std::vector<PhaseItem>>> read_phase_items(Services& services, const Call& call, Known& known,
                                                           Arguments phase, std::string path) {
  const bool has_items = phase.has("items");
  if (has_items && phase.has("plans"))
    co_return Failure{Errc::invalid_parameter, "Received both items and plans parameters. Please pass in only one.",
                      below(path, "items")};
  auto given = read_items(phase, has_items ? "items" : "plans");
  if (!given) co_return given.error();
  if (given->empty())
    co_return Failure{Errc::missing_parameter, "Missing required param: " + below(path, "items") + ".",
                      below(path, "items")};
  auto described = describe_prices(services, call, known, *given);
  if (!described) co_return described.error();
  std::vector<PhaseItem> items;
  for (GivenItem& item : *given) {
    if (item.plan.empty())
      co_return Failure{Errc::missing_parameter, "Missing required param: " + item.parameter + ".", item.parameter};
    auto plan = co_await load_plan_of(services, call, known, item);
    if (!plan) co_return plan.error();
    auto rates = co_await find_rates_of(services, call.mode, item);
    if (!rates) co_return rates.error();
    items.push_back(
        {(*plan)->price(), item.quantity.value_or(1), item.metadata.value_or(MetadataPatch()).set, std::move(*rates)});
  }
  co_return items;
}

awaitable<Result<NewPhase>> read_phase(Services& services, const Call& call, Known& known, const Account& account,
                                       Arguments given, std::string path) {
  NewPhase phase;
  auto items = co_await read_phase_items(services, call, known, given, path);
  if (!items) co_return items.error();
  phase.items = std::move(*items);
  auto one_time_items = co_await read_one_time_items(services, call, known, given, "add_invoice_items");
  if (!one_time_items) co_return one_time_items.error();
  phase.one_time_items = std::move(*one_time_items);
  if (given.has("currency")) {
    const Currency currency = *Currency::parse(given.text_or_empty("currency"));
    if (phase.items.front().price.currency() != currency)
      co_return Failure{Errc::currency_mismatch, "The phase's prices are not in " + std::string(currency.code()) + ".",
                        below(path, "currency")};
  }
  auto redemption = co_await read_redemption(services, call, given, std::nullopt);
  if (!redemption) co_return redemption.error();
  phase.discount = redemption->value_or(std::nullopt);
  auto rates = co_await read_tax_rates(services, call, given, "default_tax_rates");
  if (!rates) co_return rates.error();
  phase.tax_rates = rates->value_or(std::vector<AppliedTaxRate>());
  auto terms = read_terms(given, path, account);
  if (!terms) co_return terms.error();
  phase.collection = terms->collection;
  phase.days_until_due = terms->days_until_due.value_or(0);
  phase.default_source = terms->source.value_or(SourceId());
  phase.description = terms->description.value_or(std::string());
  phase.start = given.timestamp("start_date");
  phase.starts_now = given.has("start_date") && !phase.start;
  phase.end = given.timestamp("end_date");
  phase.ends_now = given.has("end_date") && !phase.end;
  if (const auto iterations = given.integer("iterations")) phase.iterations = static_cast<std::int32_t>(*iterations);
  phase.trial_end = given.timestamp("trial_end");
  phase.is_trial = given.boolean("trial").value_or(false);
  phase.proration = read_phase_proration(given).value_or(PhaseProration::create_prorations);
  if (const auto anchor = given.text("billing_cycle_anchor"))
    phase.anchor = *anchor == "phase_start" ? PhaseAnchor::phase_start : PhaseAnchor::automatic;
  auto metadata = given.metadata_over({});
  if (!metadata) co_return metadata.error();
  phase.metadata = std::move(*metadata);
  co_return phase;
}

awaitable<Result<std::vector<NewPhase>>> read_phases(Services& services, const Call& call, Known& known,
                                                     const Account& account) {
  std::vector<NewPhase> phases;
  const http::Parameter* list = call.arguments().find("phases");
  if (list == nullptr) co_return phases;
  for (const http::Parameter& each : list->children()) {
    auto phase = co_await read_phase(services, call, known, account, Arguments(each), each.path());
    if (!phase) co_return phase.error();
    phases.push_back(std::move(*phase));
  }
  co_return phases;
}

/// Clients send back what they were told: phases that are over are left out.
void drop_past(std::vector<NewPhase>& phases, const Schedule& schedule) {
  const Timestamp current = schedule.current_phase().start;
  const auto is_over = [&](const NewPhase& phase) { return phase.end && *phase.end <= current; };
  phases.erase(phases.begin(), std::ranges::find_if_not(phases, is_over));
}

awaitable<Result<const Schedule*>> find_schedule(Services& services, const Call& call, Known& known) {
  const std::string& id = call.variable("schedule");
  const Failure unknown = no_such("subscription schedule", id, "schedule");
  if (!id.starts_with(ScheduleKind::prefix)) co_return unknown;
  std::vector<Named> wanted(1, Named{Kind::schedule, id});
  auto loaded = co_await load(services, call.mode, known, std::move(wanted));
  if (!loaded) co_return loaded.error();
  const Schedule* schedule = known.schedule(id);
  if (schedule == nullptr) co_return unknown;
  co_return schedule;
}

std::string_view status_word(ScheduleStatus status) {
  switch (status) {
    case ScheduleStatus::completed:
      return "completed";
    case ScheduleStatus::released:
      return "released";
    case ScheduleStatus::canceled:
      return "canceled";
    case ScheduleStatus::not_started:
    case ScheduleStatus::active:
      return "live";
  }
  return "";
}

/// The same, as long as it is not over.
awaitable<Result<const Schedule*>> find_live_schedule(Services& services, const Call& call, Known& known) {
  auto schedule = co_await find_schedule(services, call, known);
  if (schedule && !(*schedule)->is_live())
    co_return Failure{Errc::invalid_state, "This subscription schedule is " +
                                               std::string(status_word((*schedule)->status)) +
                                               " and takes no more changes."};
  co_return schedule;
}

Show show_schedule(std::string id) {
  return [id = std::move(id)](Presenter& present, const Transition& after) -> Shown {
    const std::string& wanted = id.empty() ? after.subject : id;
    if (Object* object = present.find(Kind::schedule, wanted)) return object;
    return render_error(no_such("subscription schedule", wanted, "schedule"));
  };
}

/// Has the command carried out on the schedule that the path names.
awaitable<Result<Outcome>> act_on_schedule(Services& services, const Call& call, Task task, std::string id) {
  auto foreseen = co_await foresee(services, call, *task.known, Kind::schedule, id);
  if (!foreseen) co_return foreseen.error();
  task.account = *AccountKey::of_id(id);
  task.show = show_schedule(std::move(id));
  co_return co_await carry_out_with_prices(services, call, std::move(task));
}

/// Whose schedule it will be: the customer's, or that of the subscription which it is made from.
awaitable<Result<const Account*>> find_owner(Services& services, const Call& call, Known& known) {
  const Arguments arguments = call.arguments();
  const std::string subscription = arguments.text_or_empty("from_subscription");
  if (subscription.empty()) {
    if (!arguments.has_value("customer"))
      co_return Failure{Errc::missing_parameter, "Missing required param: customer.", "customer"};
    co_return co_await load_live_customer(services, call.mode, known, arguments.text_or_empty("customer"), "customer");
  }
  for (const char* other : {"customer", "phases", "start_date", "end_behavior", "default_settings"})
    if (arguments.has(other))
      co_return Failure{
          Errc::invalid_parameter,
          "You cannot set `" + std::string(other) + "` if `from_subscription` is set; update the schedule afterwards.",
          other};
  auto found = co_await load_subscription(services, call.mode, known, subscription);
  if (!found && found.error().code != Errc::not_found) co_return found.error();
  if (!found || !(*found)->is_live()) co_return no_such("subscription", subscription, "from_subscription");
  co_return known.account_of(subscription);
}

/// What a list of schedules is narrowed by; none when it is not.
Filter read_filter(const Arguments& arguments) {
  const auto scheduled = arguments.boolean("scheduled");
  constexpr std::array<const char*, 3> ends = {"canceled_at", "completed_at", "released_at"};
  const bool by_end = std::ranges::any_of(ends, [&](const char* name) { return arguments.has(name); });
  if (!scheduled && !by_end) return {};
  struct Wanted {
    bool given;
    TimeRange range;
    bool holds(const std::optional<Timestamp>& time) const { return !given || (time && range.holds(*time)); }
  };
  const auto wanted = [&](const char* name) { return Wanted{arguments.has(name), arguments.range(name)}; };
  return [scheduled, canceled = wanted("canceled_at"), completed = wanted("completed_at"),
          released = wanted("released_at")](const Known& known, const std::string& id) {
    const Schedule* schedule = known.schedule(id);
    if (schedule == nullptr) return false;
    if (scheduled && *scheduled != (schedule->status == ScheduleStatus::not_started)) return false;
    return canceled.holds(schedule->canceled_at) && completed.holds(schedule->completed_at) &&
           released.holds(schedule->released_at);
  };
}

}  // namespace

constinit const std::span<const Rule> create_schedule_rules = create_table;
constinit const std::span<const Rule> retrieve_schedule_rules = retrieve_table;
constinit const std::span<const Rule> update_schedule_rules = update_table;
constinit const std::span<const Rule> cancel_schedule_rules = cancel_table;
constinit const std::span<const Rule> release_schedule_rules = release_table;
constinit const std::span<const Rule> list_schedules_rules = list_table;

awaitable<Result<Outcome>> create_schedule(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  Task task;
  auto account = co_await find_owner(services, call, *task.known);
  if (!account) co_return account.error();
  CreateSchedule command;
  command.from_subscription = SubscriptionId(arguments.text_or_empty("from_subscription"));
  auto phases = co_await read_phases(services, call, *task.known, **account);
  if (!phases) co_return phases.error();
  command.phases = std::move(*phases);
  if (arguments.has("start_date")) {
    if (command.phases.empty()) co_return Failure{Errc::missing_parameter, "Missing required param: phases.", "phases"};
    if (command.phases.front().start || command.phases.front().starts_now)
      co_return Failure{Errc::invalid_parameter,
                        "Received both start_date and phases[0][start_date] parameters. Please pass in only one.",
                        "start_date"};
    command.phases.front().start = arguments.timestamp("start_date");  // "now": when it is decided
  }
  command.end_behavior = read_end_behavior(arguments).value_or(EndBehavior::release);
  if (const auto settings = arguments.map("default_settings")) {
    auto terms = read_terms(*settings, "default_settings", **account);
    if (!terms) co_return terms.error();
    command.collection = terms->collection.value_or(Collection::charge_automatically);
    command.days_until_due = terms->days_until_due.value_or(0);
    command.default_source = terms->source.value_or(SourceId());
    command.description = terms->description.value_or(std::string());
    command.anchor_at_start = settings->text_or_empty("billing_cycle_anchor") == "phase_start";
  }
  auto metadata = arguments.metadata_over({});
  if (!metadata) co_return metadata.error();
  command.metadata = std::move(*metadata);
  auto foreseen = co_await foresee_new(services, call, *task.known, (*account)->customer.test_clock);
  if (!foreseen) co_return foreseen.error();
  task.account = (*account)->key;
  task.command = std::move(command);
  task.show = show_schedule("");
  co_return co_await carry_out_with_prices(services, call, std::move(task));
}

awaitable<Result<Outcome>> retrieve_schedule(Services& services, Call call) {
  Reply reply(services, call);
  auto schedule = co_await find_schedule(services, call, reply.known);
  if (!schedule) co_return schedule.error();
  co_return co_await reply.answer(*reply.present.find(Kind::schedule, (*schedule)->id.value()));
}

awaitable<Result<Outcome>> update_schedule(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  Task task;
  auto schedule = co_await find_live_schedule(services, call, *task.known);
  if (!schedule) co_return schedule.error();
  const std::string id = (*schedule)->id.value();
  const Account& account = *task.known->account_of(id);
  UpdateSchedule command;
  command.schedule = (*schedule)->id;
  command.end_behavior = read_end_behavior(arguments);
  command.proration = read_phase_proration(arguments).value_or(PhaseProration::create_prorations);
  if (arguments.has("metadata")) {
    auto metadata = arguments.metadata_over((*schedule)->metadata);
    if (!metadata) co_return metadata.error();
    command.metadata = std::move(*metadata);
  }
  if (const auto settings = arguments.map("default_settings")) {
    auto terms = read_terms(*settings, "default_settings", account);
    if (!terms) co_return terms.error();
    command.collection = terms->collection;
    command.days_until_due = terms->days_until_due;
    command.default_source = terms->source;
    command.description = terms->description;
    if (const auto anchor = settings->text("billing_cycle_anchor")) command.anchor_at_start = *anchor == "phase_start";
  }
  if (arguments.has("phases")) {
    auto phases = co_await read_phases(services, call, *task.known, account);
    if (!phases) co_return phases.error();
    drop_past(*phases, **schedule);
    command.phases = std::move(*phases);
  }
  task.command = std::move(command);
  co_return co_await act_on_schedule(services, call, std::move(task), id);
}

awaitable<Result<Outcome>> cancel_schedule(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  Task task;
  auto schedule = co_await find_live_schedule(services, call, *task.known);
  if (!schedule) co_return schedule.error();
  const std::string id = (*schedule)->id.value();
  // Source: Stripe, both are true unless the request says otherwise.
  task.command = CancelSchedule{(*schedule)->id, arguments.boolean("invoice_now").value_or(true),
                                arguments.boolean("prorate").value_or(true)};
  co_return co_await act_on_schedule(services, call, std::move(task), id);
}

awaitable<Result<Outcome>> release_schedule(Services& services, Call call) {
  Task task;
  auto schedule = co_await find_live_schedule(services, call, *task.known);
  if (!schedule) co_return schedule.error();
  const std::string id = (*schedule)->id.value();
  task.command = ReleaseSchedule{(*schedule)->id, call.arguments().boolean("preserve_cancel_date").value_or(false)};
  co_return co_await act_on_schedule(services, call, std::move(task), id);
}

awaitable<Result<Outcome>> list_schedules(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  const Arguments arguments = call.arguments();
  Filter filter = read_filter(arguments);
  Reply reply(services, call);
  Result<Page> page = Failure();
  if (arguments.has_value("customer")) {
    auto account =
        co_await load_live_customer(services, call.mode, reply.known, arguments.text_or_empty("customer"), "customer");
    if (!account) co_return account.error();
    page = co_await page_of_account(services, call, reply.known, (*account)->key, Kind::schedule, std::move(*query),
                                    std::move(filter));
  } else {
    page = co_await page_of_all(services, call, reply.known, Kind::schedule, std::move(*query), std::move(filter));
  }
  if (!page) co_return page.error();
  co_return co_await answer_page(services, call, reply, Kind::schedule, std::move(*page), call.path);
}

}  // namespace billd::api::stripe
