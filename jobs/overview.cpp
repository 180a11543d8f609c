#include "jobs/overview.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>

namespace billd::jobs {
namespace {

constexpr Milliseconds look_interval{1000}, pauses_interval{500}, audit_interval{2000}, memory_interval{5000};
/// Within this time what is coming has been counted in every partition, unless there are more than a thousand.
constexpr Milliseconds foresight_interval{30'000}, foresight_pause_min{25};
/// Partitions whose queues are counted in one second.
constexpr std::uint32_t counted_max = 64;
constexpr std::size_t audit_shown = 12;

template <class Step, std::size_t size>
std::vector<Timestamp> instants_from(Timestamp first, const std::array<std::uint64_t, size>&) {
  // What is late counts as coming at once.
  std::vector<Timestamp> instants = {Timestamp()};
  for (std::size_t i = 1; i <= size; ++i) instants.push_back(first + Step(i));
  return instants;
}

/// The number behind the name in what INFO tells; 0 when there is none.
std::uint64_t number_in(std::string_view info, std::string_view name) {
  const std::size_t line = info.find("\n" + std::string(name));
  std::uint64_t number = 0;
  if (line != std::string_view::npos)
    std::from_chars(info.data() + line + 1 + name.size(), info.data() + info.size(), number);
  return number;
}

}  // namespace

Overview::Overview(Executor executor, const Clock& clock, store::Store& store, const AccountExecutor& accounts,
                   const Partitions& partitions)
    : clock_(clock),
      store_(store),
      accounts_(accounts),
      held_(partitions),
      stopping_(executor, SteadyClock::time_point::max()),
      tasks_(executor) {}

void Overview::start() {
  partitions_.resize(store_.partitions());
  tasks_.spawn("paused queues", follow_pauses());
  tasks_.spawn("overview", look());
  tasks_.spawn("audit log", follow_audit());
  tasks_.spawn("what is coming", foresee());
  tasks_.spawn("memory of Redis", follow_memory());
}

awaitable<bool> Overview::stop(Milliseconds limit) {
  is_stopping_ = true;
  stopping_.cancel();
  co_return co_await tasks_.idle(limit);
}

/// False when it is time to stop.
awaitable<bool> Overview::pause_for(Milliseconds time) {
  if (is_stopping_) co_return false;
  Executor executor = co_await asio::this_coro::executor;
  Timer timer(executor, time);
  auto race =
      asio::experimental::make_parallel_group(timer.async_wait(asio::deferred), stopping_.async_wait(asio::deferred));
  [[maybe_unused]] auto [order, first, second] =
      co_await race.async_wait(asio::experimental::wait_for_one(), asio::deferred);
  co_return !is_stopping_;
}

// The queues.

awaitable<> Overview::look() {
  bool goes_on = true;
  while (goes_on) {
    const auto partitions = static_cast<std::uint32_t>(partitions_.size());
    for (std::uint32_t i = 0; i < std::min(partitions, counted_max); ++i) {
      const std::uint32_t partition = next_++ % partitions;
      if (std::exchange(partitions_[partition].is_reading, true)) continue;
      tasks_.spawn("queue sizes", read(partition));
    }
    sample();
    goes_on = co_await pause_for(look_interval);
  }
}

awaitable<> Overview::read(std::uint32_t partition) {
  auto queues = co_await store_.queue_sizes(partition, clock_.now());
  auto parked = co_await store_.parked_groups(partition);
  Partition& known = partitions_[partition];
  known.is_reading = false;
  if (queues) known.queues = *queues;
  if (parked) known.parked = std::move(*parked);
}

void Overview::sample() {
  const auto now = SteadyClock::now();
  const Statistics& statistics = accounts_.statistics();
  const auto all = queues();
  std::uint64_t done = 0, failed = 0;
  std::optional<Timestamp> oldest;
  for (std::size_t i = 0; i < queue_count; ++i) {
    done_[i].sample(statistics.done[i], now);
    became_due_[i].sample(statistics.done[i] + all[i].due_here, now);
    done += statistics.done[i];
    const bool is_paused = paused_ && (*paused_)[i];
    if (all[i].due > 0 && !is_paused && (!oldest || *all[i].oldest < *oldest)) oldest = all[i].oldest;
  }
  for (const auto& [what, group] : statistics.failures) failed += group.count;
  const Timestamp time = clock_.now();
  history_.sample(time, oldest ? std::max(time - *oldest, Duration(0)) : Duration(0), done, failed);
}

std::array<QueueNumbers, queue_count> Overview::queues() const {
  std::array<QueueNumbers, queue_count> queues;
  std::vector<bool> is_held(partitions_.size());
  for (std::uint32_t partition : held_.held())
    if (partition < is_held.size()) is_held[partition] = true;
  for (std::size_t i = 0; i < queue_count; ++i) {
    QueueNumbers& queue = queues[i];
    for (std::size_t partition = 0; partition < partitions_.size(); ++partition) {
      const store::Store::QueueSize& size = partitions_[partition].queues[i];
      queue.waiting += size.waiting;
      queue.due += size.due;
      if (is_held[partition]) queue.due_here += size.due;
      if (size.oldest && (!queue.oldest || *size.oldest < *queue.oldest)) queue.oldest = size.oldest;
    }
    queue.done = accounts_.statistics().done[i];
    queue.done_last_minute = done_[i].growth();
    queue.became_due_last_minute = became_due_[i].growth();
  }
  for (const Partition& partition : partitions_)
    for (const auto& group : partition.parked) queues[static_cast<std::size_t>(group.queue)].parked += group.count;
  return queues;
}

std::map<std::pair<Queue, std::string>, ParkedAccounts> Overview::parked() const {
  std::map<std::pair<Queue, std::string>, ParkedAccounts> all;
  for (const Partition& partition : partitions_)
    for (const auto& group : partition.parked) {
      ParkedAccounts& parked = all[{group.queue, group.reason}];
      if (parked.count == 0 || group.first < parked.first) parked.first = group.first;
      if (parked.count == 0 || group.last > parked.last) {
        parked.last = group.last;
        parked.example = {group.mode, group.example};
      }
      parked.count += group.count;
    }
  return all;
}

// What is coming.

awaitable<> Overview::foresee() {
  bool goes_on = true;
  while (goes_on) {
    const auto partitions = static_cast<std::uint32_t>(partitions_.size());
    co_await read_coming(next_foreseen_++ % partitions);
    // At first, quickly: the page shall show it from the beginning.
    const bool is_first_round = next_foreseen_ < partitions;
    Milliseconds pause = foresight_pause_min;
    if (!is_first_round) pause = std::max(Milliseconds(foresight_interval / partitions), foresight_pause_min);
    goes_on = co_await pause_for(pause);
  }
}

awaitable<> Overview::read_coming(std::uint32_t partition) {
  Coming coming;
  coming.from_hour = std::chrono::floor<std::chrono::hours>(clock_.now());
  coming.from_day = std::chrono::floor<std::chrono::days>(clock_.now());
  auto by_hour =
      co_await store_.due_between(partition, instants_from<std::chrono::hours>(coming.from_hour, coming.by_hour));
  auto by_day =
      co_await store_.due_between(partition, instants_from<std::chrono::days>(coming.from_day, coming.by_day));
  if (!by_hour || !by_day) co_return;
  std::ranges::copy(*by_hour, coming.by_hour.begin());
  std::ranges::copy(*by_day, coming.by_day.begin());
  partitions_[partition].coming = coming;
}

Coming Overview::coming() const {
  Coming all;
  for (const Partition& partition : partitions_) {
    all.from_hour = std::max(all.from_hour, partition.coming.from_hour);
    all.from_day = std::max(all.from_day, partition.coming.from_day);
  }
  auto add = [](auto& to, Timestamp from, const auto& counts, Timestamp counted_from, Duration step) {
    // A partition that was counted in the hour before goes on with its next one.
    const auto passed = static_cast<std::size_t>((from - counted_from) / step);
    for (std::size_t i = 0; i < counts.size(); ++i) to[i < passed ? 0 : i - passed] += counts[i];
  };
  for (const Partition& partition : partitions_) {
    const Coming& part = partition.coming;
    if (part.from_hour == Timestamp()) continue;
    add(all.by_hour, all.from_hour, part.by_hour, part.from_hour, std::chrono::hours(1));
    add(all.by_day, all.from_day, part.by_day, part.from_day, std::chrono::days(1));
  }
  return all;
}

// What operators do.

awaitable<> Overview::follow_pauses() {
  bool goes_on = true;
  while (goes_on) {
    co_await read_pauses();
    goes_on = co_await pause_for(pauses_interval);
  }
}

awaitable<> Overview::follow_audit() {
  bool goes_on = true;
  while (goes_on) {
    co_await read_audit();
    goes_on = co_await pause_for(audit_interval);
  }
}

awaitable<> Overview::read_pauses() {
  auto pauses = co_await store::paused_queues(store_);
  if (!pauses) {
    spdlog::debug("the paused queues could not be read: {}", pauses.error().detail);
    co_return;
  }
  auto deliveries = co_await store::paused_deliveries(store_);
  if (deliveries) {
    if (deliveries->has_value() != deliveries_pause_.has_value())
      spdlog::warn("the delivery of webhooks is {}",
                   deliveries->has_value() ? "paused by an operator" : "not paused any more");
    deliveries_pause_ = std::move(*deliveries);
  }
  store::Store::QueueSet paused;
  for (const store::Pause& pause : *pauses) paused.set(static_cast<std::size_t>(pause.queue));
  pauses_ = std::move(*pauses);
  if (paused_ == paused) co_return;
  for (std::size_t queue = 0; queue < queue_count; ++queue) {
    const bool was_paused = paused_ && (*paused_)[queue];
    if (paused[queue] != was_paused)
      spdlog::warn("the queue {} is {}", to_text(static_cast<Queue>(queue)),
                   paused[queue] ? "paused by an operator" : "not paused any more");
  }
  paused_ = paused;
  if (pauses_changed_) pauses_changed_();
}

awaitable<> Overview::read_audit() {
  auto audit = co_await store::latest_audit(store_, audit_shown);
  if (audit) audit_ = std::move(*audit);
}

// Redis.

awaitable<> Overview::follow_memory() {
  bool goes_on = true;
  while (goes_on) {
    redis::Command ask("INFO", "memory");
    auto reply = co_await store_.client().execute(std::move(ask));
    if (reply && reply->is_text())
      memory_ = {number_in(reply->text(), "used_memory:"), number_in(reply->text(), "maxmemory:")};
    goes_on = co_await pause_for(memory_interval);
  }
}

awaitable<> Overview::refresh() {
  co_await read_pauses();
  co_await read_audit();
  for (std::uint32_t partition = 0; partition < partitions_.size(); ++partition) {
    if (partition >= counted_max) break;
    if (std::exchange(partitions_[partition].is_reading, true)) continue;
    tasks_.spawn("queue sizes", read(partition));
  }
}

}  // namespace billd::jobs
