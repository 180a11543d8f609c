#include "jobs/scheduler.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace billd::jobs {
namespace {

constexpr Milliseconds back_off_min{50}, back_off_max{30'000};
/// When a look at the queues failed, or told of nothing new although more is due.
constexpr Milliseconds look_again{20};
/// Most entries that are asked for in one look at a queue.
constexpr std::size_t read_max = 20'000;

}  // namespace

Scheduler::Scheduler(Executor executor, const Clock& clock, store::Store& store, store::Catalog& catalog,
                     AccountExecutor& accounts, Partitions& partitions, JobSettings settings)
    : clock_(clock),
      store_(store),
      accounts_(accounts),
      partitions_(partitions),
      settings_(settings),
      advancement_(executor, store, catalog, accounts, partitions, settings),
      overview_(executor, clock, store, accounts, partitions),
      wake_(executor),
      second_(executor),
      tasks_(executor),
      jobs_(executor) {}

void Scheduler::start() {
  partitions_.on_change([this] { follow_partitions(); });
  partitions_.on_release([this](std::uint32_t partition) {
    const auto lane = lanes_.find(partition);
    return (lane != lanes_.end() && lane->second->in_flight > 0) || advancement_.is_busy(partition);
  });
  accounts_.on_due_changed([this](const AccountKey& key, Timestamp due) { look_earlier(key, due); });
  overview_.on_pauses_changed([this] { follow_pauses(); });
  overview_.start();
  tasks_.spawn("scheduler", watch());
  tasks_.spawn("forget troubles", forget_troubles());
  advancement_.start();
  follow_partitions();
}

awaitable<bool> Scheduler::stop(Milliseconds limit) {
  const auto deadline = SteadyClock::now() + limit;
  is_stopping_ = true;
  for (Lane* lane : turns_) {
    for (const Due& due : lane->ready) known_.erase({due.mode, due.key});
    lane->ready.clear();
  }
  turns_.clear();
  wake_.cancel();
  second_.cancel();
  bool all_ended = co_await advancement_.stop(limit);
  const bool is_overview_idle = co_await overview_.stop(limit);
  all_ended = all_ended && is_overview_idle;
  for (Tasks* tasks : {&jobs_, &tasks_}) {
    const auto left = std::chrono::ceil<Milliseconds>(deadline - SteadyClock::now());
    const bool ended = co_await tasks->idle(std::max(left, Milliseconds(0)));
    all_ended = all_ended && ended;
  }
  co_return all_ended;
}

// Which partitions are worked on.

void Scheduler::follow_partitions() {
  if (is_stopping_) return;
  const std::vector<std::uint32_t> held = partitions_.held();
  for (auto& [partition, lane] : lanes_) {
    lane->is_held = std::ranges::binary_search(held, partition);
    if (lane->is_held || lane->ready.empty()) continue;
    for (const Due& due : lane->ready) known_.erase({due.mode, due.key});
    lane->ready.clear();
    std::erase(turns_, lane.get());
  }
  for (std::uint32_t partition : held) {
    auto& lane = lanes_[partition];
    if (lane != nullptr && lane->is_held) continue;
    if (lane == nullptr) lane = std::make_unique<Lane>(partition);
    lane->is_held = true;
    lane->read_at = SteadyClock::now();
  }
  advancement_.wake();
  pump();
}

// Starting jobs.

void Scheduler::pump() {
  if (is_stopping_) return;
  std::string obstacle = accounts_.obstacle();
  if (obstacle != obstacle_) {
    if (!obstacle.empty()) spdlog::error("nothing that is due is done: {}", obstacle);
    if (obstacle.empty()) spdlog::info("what is due is done again");
    obstacle_ = std::move(obstacle);
  }
  auto next = SteadyClock::now() + settings_.poll_interval;
  if (obstacle_.empty() && overview_.paused()) {
    start_ready();
    for (auto& [partition, lane] : lanes_) {
      refill(*lane);
      if (lane->is_held && !lane->is_reading && lane->ready.empty()) next = std::min(next, lane->read_at);
    }
  } else if (!obstacle_.empty()) {
    next = std::min(next, SteadyClock::now() + Milliseconds(100));
  }
  wake_at(next);
}

void Scheduler::start_ready() {
  // A job that ends at once calls back into this function; the loop below sees its place free, too.
  if (is_starting_) return;
  is_starting_ = true;
  while (in_flight_ < settings_.in_flight_max && start_next()) {
  }
  is_starting_ = false;
}

/// Starts the next job of the lane whose turn it is; false when there is none.
bool Scheduler::start_next() {
  if (turns_.empty()) return false;
  Lane& lane = *turns_.front();
  turns_.pop_front();
  Due due = std::move(lane.ready.front());
  lane.ready.pop_front();
  if (!lane.ready.empty()) turns_.push_back(&lane);
  const auto fence = partitions_.fence(lane.partition);
  if (!fence) {
    known_.erase({due.mode, due.key});
    return true;
  }
  lateness_.add(clock_.now() - due.due);
  ++in_flight_;
  ++in_flight_by_queue_[static_cast<std::size_t>(due.queue)];
  ++lane.in_flight;
  jobs_.spawn("job", run(lane, std::move(due), *fence));
  return true;
}

awaitable<> Scheduler::run(Lane& lane, Due due, store::Fence fence) {
  Job job;
  job.account = {due.mode, due.key};
  job.queue = due.queue;
  job.fence = fence;
  job.paused = overview_.paused().value_or(store::Store::QueueSet());
  const auto began_at = SteadyClock::now();
  const auto progress = co_await accounts_.run_due(std::move(job));
  durations_.add(std::chrono::duration_cast<Duration>(SteadyClock::now() - began_at));
  finish(lane, due, progress);
}

void Scheduler::finish(Lane& lane, const Due& due, const Result<Progress>& progress) {
  const AccountName account{due.mode, due.key};
  known_.erase(account);
  --in_flight_;
  --in_flight_by_queue_[static_cast<std::size_t>(due.queue)];
  --lane.in_flight;
  const auto now = SteadyClock::now();
  const bool is_held = progress && progress->is_held;
  if (!progress || is_held) {
    const auto again_at = now + back_off(account, is_held);
    lane.read_at = std::min(lane.read_at, again_at);
    wake_at(again_at);
  } else {
    if (!troubles_.empty()) troubles_.erase(account);
    if (progress->more) lane.read_at = now;
  }
  if (is_stopping_) return;
  start_ready();
  refill(lane);
}

Milliseconds Scheduler::back_off(const AccountName& account, bool is_held) {
  Trouble& trouble = troubles_[account];
  trouble.is_held = is_held;
  const Milliseconds wait = std::min(back_off_max, back_off_min * (1 << std::min(trouble.failures, 12U)));
  ++trouble.failures;
  trouble.until = SteadyClock::now() + wait;
  return wait;
}

bool Scheduler::retry(const AccountName& account) {
  const bool was_waiting = troubles_.erase(account) > 0;
  look_earlier(account.key, clock_.now());
  return was_waiting;
}

void Scheduler::follow_pauses() {
  std::erase_if(troubles_, [](const auto& entry) { return entry.second.is_held; });
  const store::Store::QueueSet paused = *overview_.paused();
  for (auto& [partition, lane] : lanes_) {
    std::erase_if(lane->ready, [&](const Due& due) {
      if (!paused[static_cast<std::size_t>(due.queue)]) return false;
      known_.erase({due.mode, due.key});
      return true;
    });
    if (lane->ready.empty()) std::erase(turns_, lane.get());
    lane->read_at = SteadyClock::now();
  }
  pump();
}

// Reading the queues.

void Scheduler::refill(Lane& lane) {
  if (is_stopping_ || !lane.is_held || lane.is_reading || !obstacle_.empty() || !overview_.paused()) return;
  if (lane.ready.size() >= settings_.batch_max / 2 || SteadyClock::now() < lane.read_at) return;
  lane.is_reading = true;
  tasks_.spawn("read due", read(lane));
}

awaitable<> Scheduler::read(Lane& lane) {
  // Accounts that are known stay in their queues until their commit, so they are told again: make room for them.
  const std::size_t limit =
      std::min(read_max, lane.in_flight + lane.ready.size() + troubles_.size() + settings_.batch_max);
  const store::Store::QueueSet paused = *overview_.paused();
  auto read = co_await store_.due(lane.partition, clock_.now(), limit, paused);
  lane.is_reading = false;
  if (is_stopping_ || !lane.is_held) co_return;
  if (paused != *overview_.paused()) {
    lane.read_at = SteadyClock::now();  // what was read is not what may be begun
    wake_at(lane.read_at);
    co_return;
  }
  if (read) {
    take_in(lane, std::move(*read));
  } else {
    spdlog::debug("the queues of partition {} could not be read: {}", lane.partition, read.error().detail);
    lane.read_at = SteadyClock::now() + look_again;
  }
  start_ready();
  if (lane.ready.empty()) wake_at(lane.read_at);
}

void Scheduler::take_in(Lane& lane, store::Store::DueNow read) {
  const auto now = SteadyClock::now();
  lane.read_at = now + settings_.poll_interval;
  const bool was_empty = lane.ready.empty();
  std::size_t added = 0;
  for (Due& due : read.due) {
    const AccountName account{due.mode, due.key};
    if (!troubles_.empty())
      if (const auto trouble = troubles_.find(account); trouble != troubles_.end() && trouble->second.until > now) {
        lane.read_at = std::min(lane.read_at, trouble->second.until);
        continue;
      }
    // An account that waits in several queues is one job, which does all that is due.
    if (!known_.insert(account).second) continue;
    lane.ready.push_back(std::move(due));
    ++added;
  }
  std::ranges::sort(lane.ready, {}, &Due::due);
  if (was_empty && added > 0) turns_.push_back(&lane);
  if (!read.next) return;
  const auto next = steady_time(*read.next);
  lane.read_at = std::min(lane.read_at, added == 0 ? std::max(next, now + look_again) : next);
}

/// When real time will be `due`, as far as a timer is concerned.
SteadyClock::time_point Scheduler::steady_time(Timestamp due) const {
  const auto wait = std::clamp<Duration>(due - clock_.now(), Duration(0), settings_.poll_interval);
  return SteadyClock::now() + wait;
}

/// A command made an account due earlier than the queues were to be looked at.
void Scheduler::look_earlier(const AccountKey& key, Timestamp due) {
  const auto found = lanes_.find(store_.partition_of(key));
  if (found == lanes_.end() || !found->second->is_held) return;
  Lane& lane = *found->second;
  const auto when = steady_time(due);
  if (when >= lane.read_at) return;
  lane.read_at = when;
  wake_at(when);
}

// The one timer: set to the earliest time at which there may be something to do.

void Scheduler::wake_at(SteadyClock::time_point when) {
  if (when >= woken_at_) return;
  woken_at_ = when;
  wake_.expires_at(when);
}

awaitable<> Scheduler::watch() {
  while (!is_stopping_) {
    woken_at_ = SteadyClock::time_point::max();
    pump();
    // Setting the timer earlier ends the wait, too; then it is begun again.
    while (!is_stopping_ && SteadyClock::now() < woken_at_) {
      [[maybe_unused]] auto [moved] = co_await wake_.async_wait(nothrow);
    }
  }
}

// What the operator sees.

awaitable<> Scheduler::forget_troubles() {
  while (!is_stopping_) {
    const auto now = SteadyClock::now();
    std::erase_if(troubles_, [now](const auto& entry) { return entry.second.until + back_off_max < now; });
    second_.expires_after(std::chrono::seconds(1));
    [[maybe_unused]] auto [ended] = co_await second_.async_wait(nothrow);
  }
}

SchedulerView Scheduler::view() const {
  SchedulerView view;
  const Timestamp now = clock_.now();
  const auto queues = overview_.queues();
  double done_a_minute = 0, became_due_a_minute = 0, due_here = 0;
  for (std::size_t i = 0; i < queue_count; ++i) {
    QueueView& queue = view.queues[i];
    static_cast<QueueNumbers&>(queue) = queues[i];
    if (queue.oldest) queue.late = std::max(now - *queue.oldest, Duration(0));
    queue.in_flight = in_flight_by_queue_[i];
    view.parked += queue.parked;
    done_a_minute += static_cast<double>(queue.done_last_minute);
    became_due_a_minute += static_cast<double>(queue.became_due_last_minute);
    due_here += static_cast<double>(queue.due_here);
  }
  for (const store::Pause& pause : overview_.pauses()) view.queues[static_cast<std::size_t>(pause.queue)].pause = pause;
  const double shrinks_a_minute = done_a_minute - became_due_a_minute;
  if (due_here == 0)
    view.clean_in = std::chrono::seconds(0);
  else if (shrinks_a_minute > 0)
    view.clean_in = std::chrono::seconds(static_cast<std::int64_t>(due_here * 60 / shrinks_a_minute) + 1);
  view.obstacle = obstacle_;
  view.in_flight = in_flight_;
  view.backing_off = troubles_.size();
  view.partitions_held = static_cast<std::uint32_t>(partitions_.held().size());
  view.partitions = store_.partitions();
  view.test_clocks_advancing = advancement_.running();
  return view;
}

}  // namespace billd::jobs
