// Filling the status.
#include "commands/operators_view.hpp"

namespace billd::commands {
namespace {

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
  const jobs::SchedulerView scheduler = scheduler_.view();
  const redis::State redis = client_.state();
  api::operators::Status status;
  status.daemon = settings_.daemon.name;
  status.version = BILLD_VERSION;
  status.data_set = store_.data_set();
  status.now = clock_.now();
  status.uptime = std::chrono::duration_cast<std::chrono::seconds>(SteadyClock::now() - started_at_);
  for (std::size_t i = 0; i < queue_count; ++i) {
    const jobs::QueueView& queue = scheduler.queues[i];
    api::operators::QueueStatus& to = status.queues.emplace_back();
    to.name = to_text(static_cast<Queue>(i));
    to.waiting = queue.waiting;
    to.due = queue.due;
    to.late = is_late(queue, settings_.jobs.poll_interval) ? queue.due : 0;
    to.in_flight = queue.in_flight;
    to.rate_per_minute = queue.done_last_minute;
    if (queue.due > 0)
      to.oldest = queue.oldest;
    else
      to.next = queue.oldest;
  }
  for (const auto& [group, accounts] : scheduler_.overview().parked())
    status.queues[static_cast<std::size_t>(group.first)].parked += accounts.count;
  const auto& sightings = partitions_.sightings();
  for (std::uint32_t number = 0; number < sightings.size(); ++number) {
    const jobs::Sighting& sighting = sightings[number];
    status.partitions.push_back(
        {number, sighting.lease.owner, sighting.lease.epoch, sighting.owner() == partitions_.identity()});
  }
  status.redis.connected = redis.phase == redis::Phase::ready;
  status.redis.address = client_.address().text();
  if (redis.traffic.replies > 0)
    status.redis.round_trip = std::chrono::duration_cast<std::chrono::microseconds>(redis.traffic.round_trip_average);
  status.redis.warning = status.redis.connected ? std::string() : redis.problem;
  status.clock_reason = clock_.distrust();
  status.clock_is_trusted = status.clock_reason.empty();
  status.data_loss = store_.data_loss();
  status.is_stopping = is_stopping_;
  return status;
}

std::string OperatorsView::not_ready_because() const {
  if (is_stopping_) return "the daemon is stopping";
  if (!is_serving_) return "the daemon is starting";
  if (client_.state().phase != redis::Phase::ready) return "Redis does not answer: " + client_.state().problem;
  return accounts_.obstacle();
}

}  // namespace billd::commands
