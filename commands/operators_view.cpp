// Filling the status and the measurements.
#include "commands/operators_view.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace billd::commands {
namespace {

using api::operators::TroubleStatus;

/// Of the day's history: a quarter of an hour each.
constexpr Duration history_step = std::chrono::minutes(15);
constexpr std::size_t history_steps = 96;

/// By ChargeOutcomeKind and by RefundOutcomeKind.
constexpr std::array<std::string_view, jobs::charge_outcome_kinds> charge_outcomes = {
    "succeeded", "declined", "unknown", "impossible", "pending", "absent"};
constexpr std::array<std::string_view, jobs::refund_outcome_kinds> refund_outcomes = {"succeeded", "pending", "failed",
                                                                                      "unknown", "impossible"};

template <std::size_t size>
std::vector<api::operators::CountedOutcome> counted(const std::array<std::string_view, size>& names,
                                                    const std::array<std::uint64_t, size>& counts) {
  std::vector<api::operators::CountedOutcome> outcomes;
  for (std::size_t i = 0; i < size; ++i) outcomes.push_back({names[i], counts[i]});
  return outcomes;
}

/// What has been due for longer than this is late: a poll finds everything within its interval.
bool is_late(const jobs::QueueView& queue, Milliseconds poll_interval) { return queue.late > poll_interval; }

}  // namespace

OperatorsView::OperatorsView(const Settings& settings, const store::Store& store, const redis::Client& client,
                             const jobs::Clock& clock, const jobs::Partitions& partitions,
                             const jobs::Scheduler& scheduler, const jobs::AccountExecutor& accounts)
    : settings_(settings),
      store_(store),
      client_(client),
      clock_(clock),
      partitions_(partitions),
      scheduler_(scheduler),
      accounts_(accounts) {}

api::operators::Status OperatorsView::status() const {
  const redis::State redis = client_.state();
  api::operators::Status status;
  status.daemon = settings_.daemon.name;
  status.version = BILLD_VERSION;
  status.data_set = store_.data_set();
  status.now = clock_.now();
  status.uptime = std::chrono::duration_cast<std::chrono::seconds>(SteadyClock::now() - started_at_);
  show_queues(status);
  show_daemons(status);
  show_deliveries(status);
  show_troubles(status);
  show_history(status);
  status.redis.connected = redis.phase == redis::Phase::ready;
  status.redis.address = client_.address().text();
  if (redis.traffic.replies > 0)
    status.redis.round_trip = std::chrono::duration_cast<std::chrono::microseconds>(redis.traffic.round_trip_average);
  status.redis.warning = status.redis.connected ? std::string() : redis.problem;
  const jobs::RedisMemory memory = scheduler_.overview().redis_memory();
  status.redis.memory_used = memory.used;
  status.redis.memory_max = memory.max;
  status.clock_reason = clock_.distrust();
  status.clock_is_trusted = status.clock_reason.empty();
  status.data_loss = store_.data_loss();
  status.audit = scheduler_.overview().audit();
  status.is_stopping = is_stopping_;
  return status;
}

void OperatorsView::show_queues(api::operators::Status& status) const {
  const jobs::SchedulerView scheduler = scheduler_.view();
  for (std::size_t i = 0; i < queue_count; ++i) {
    const jobs::QueueView& queue = scheduler.queues[i];
    api::operators::QueueStatus& to = status.queues.emplace_back();
    to.name = to_text(static_cast<Queue>(i));
    to.waiting = queue.waiting;
    to.due = queue.due;
    to.late = is_late(queue, settings_.jobs.poll_interval) ? queue.due : 0;
    to.in_flight = queue.in_flight;
    to.parked = queue.parked;
    to.rate_per_minute = queue.done_last_minute;
    to.became_due_last_minute = queue.became_due_last_minute;
    if (queue.pause) to.pause = {queue.pause->since, queue.pause->by, queue.pause->comment};
    if (queue.due > 0)
      to.oldest = queue.oldest;
    else
      to.next = queue.oldest;
    if (queue.due > 0 && !queue.pause) status.lateness.now = std::max(status.lateness.now, queue.late);
  }
  status.obstacle = scheduler.obstacle;
  status.backing_off = scheduler.backing_off;
  status.test_clocks_advancing = scheduler.test_clocks_advancing;
  status.clean_in = scheduler.clean_in;
  const jobs::Coming coming = scheduler_.overview().coming();
  status.coming = {coming.from_hour, coming.from_day, coming.by_hour, coming.by_day};
}

void OperatorsView::show_daemons(api::operators::Status& status) const {
  std::map<jobs::DaemonIdentity, std::uint32_t> alive;
  if (is_serving_) alive[partitions_.identity()] = 0;
  for (const jobs::DaemonIdentity& other : partitions_.others()) alive[other] = 0;
  const auto& sightings = partitions_.sightings();
  for (std::uint32_t number = 0; number < sightings.size(); ++number) {
    const jobs::Sighting& sighting = sightings[number];
    status.partitions.push_back(
        {number, sighting.lease.owner, sighting.lease.epoch, sighting.owner() == partitions_.identity()});
    if (auto owner = alive.find(sighting.owner()); owner != alive.end()) ++owner->second;
  }
  for (const auto& [daemon, partitions] : alive)
    status.daemons.push_back({daemon.name, partitions, daemon == partitions_.identity()});
}

void OperatorsView::show_deliveries(api::operators::Status& status) const {
  if (deliveries_ == nullptr) return;
  const jobs::DeliveryNumbers& numbers = deliveries_->numbers();
  api::operators::DeliveriesStatus& to = status.deliveries;
  to.name = store::deliveries_name;
  to.is_paused = numbers.is_paused;
  to.endpoints = numbers.endpoints;
  to.failing = numbers.endpoints_failing;
  to.disabled = numbers.endpoints_disabled;
  to.waiting = numbers.waiting_events;
  to.customers = numbers.waiting_customers;
  to.in_flight = numbers.in_flight;
  to.rate_per_minute = numbers.delivered_last_minute;
  to.given_up = numbers.given_up;
  to.failing_since = numbers.failing_since;
  to.next = numbers.next_try;
}

void OperatorsView::show_troubles(api::operators::Status& status) const {
  for (const auto& [group, accounts] : scheduler_.overview().parked())
    status.parked.push_back({std::string(to_text(group.first)), group.second, accounts.count, accounts.first,
                             accounts.last, accounts.example.mode, accounts.example.key.value(), ""});
  for (const auto& [group, failures] : accounts_.statistics().failures)
    status.failures.push_back({std::string(to_text(group.first)), std::string(message(group.second)), failures.count,
                               failures.first, failures.last, failures.example.mode, failures.example.key.value(),
                               failures.detail});
  for (auto* troubles : {&status.parked, &status.failures})
    std::ranges::sort(*troubles, std::ranges::greater(), &TroubleStatus::count);
}

void OperatorsView::show_history(api::operators::Status& status) const {
  const jobs::History& history = scheduler_.overview().history();
  api::operators::LatenessStatus& lateness = status.lateness;
  lateness.last_hour = std::max(lateness.now, history.latest(status.now - std::chrono::hours(1)));
  lateness.last_day = std::max(lateness.now, history.latest(status.now - std::chrono::hours(24)));
  lateness.step = history_step;
  const Duration since_epoch = status.now.time_since_epoch();
  Timestamp from = Timestamp(since_epoch - since_epoch % history_step) - history_step * (history_steps - 1);
  for (const auto& stretch : history.stretches(status.now, history_step, history_steps)) {
    api::operators::HistoryStatus& shown = lateness.day.emplace_back();
    shown.from = from;
    from += history_step;
    if (!stretch) continue;
    shown.is_known = true;
    shown.late = stretch->late;
    shown.done = stretch->done;
    shown.failed = stretch->failed;
  }
}

api::operators::Measurements OperatorsView::measurements() const {
  const jobs::Statistics& statistics = accounts_.statistics();
  api::operators::Measurements measured;
  measured.status = status();
  measured.is_ready = not_ready_because().empty();
  measured.done_total.assign(statistics.done.begin(), statistics.done.end());
  for (const auto& [group, failures] : statistics.failures)
    measured.failures.push_back(
        {std::string(to_text(group.first)), std::string(message(group.second)), failures.count});
  measured.lateness = scheduler_.lateness();
  measured.durations = scheduler_.durations();
  measured.commands = statistics.commands;
  measured.ticks = statistics.ticks;
  measured.commits = statistics.commits;
  measured.conflicts = statistics.conflicts;
  measured.stale = statistics.stale;
  measured.parked = statistics.parked;
  for (const auto& [name, gateway] : statistics.gateways)
    measured.gateways.push_back({name, counted(charge_outcomes, gateway.outcomes),
                                 counted(refund_outcomes, gateway.refunds), gateway.durations});
  if (gateways_ != nullptr)
    for (const auto& [name, gateway] : gateways_->all())
      if (auto peer = gateway->peer()) measured.peers.emplace_back(name, std::move(*peer));
  if (incoming_ != nullptr) {
    const api::incoming::Statistics& in = incoming_->statistics();
    measured.webhooks_in = {{"carried_out", in.carried_out},
                            {"ignored", in.ignored},
                            {"repeated", in.repeated},
                            {"refused", in.refused},
                            {"postponed", in.postponed}};
  }
  if (deliveries_ != nullptr) {
    const jobs::DeliveryNumbers& out = deliveries_->numbers();
    measured.webhooks_out = {{"delivered", out.delivered}, {"failed", out.failed}, {"given_up", out.given_up}};
    measured.webhook_endpoints_disabled = out.disabled;
    measured.webhook_lateness = deliveries_->lateness();
  }
  for (const auto& [name, server] : servers_) measured.servers.push_back({name, server->counts()});
  measured.redis = client_.state();
  measured.partitions_held = static_cast<std::uint32_t>(partitions_.held().size());
  measured.process = api::operators::measure_process();
  return measured;
}

std::string OperatorsView::not_ready_because() const {
  if (is_stopping_) return "the daemon is stopping";
  if (!is_serving_) return "the daemon is starting";
  if (client_.state().phase != redis::Phase::ready) return "Redis does not answer: " + client_.state().problem;
  return accounts_.obstacle();
}

}  // namespace billd::commands
