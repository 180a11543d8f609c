#include "jobs/advancement.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "net/log.hpp"

namespace billd::jobs {
namespace {

constexpr Milliseconds wait_for_others{50};

}  // namespace

Advancement::Advancement(Executor executor, store::Store& store, store::Catalog& catalog, AccountExecutor& accounts,
                         Partitions& partitions, JobSettings settings)
    : executor_(executor),
      store_(store),
      catalog_(catalog),
      accounts_(accounts),
      partitions_(partitions),
      settings_(settings),
      wake_(executor),
      tasks_(executor) {}

void Advancement::start() {
  catalog_.on_change<TestClock>([this] { wake(); });
  tasks_.spawn("test clocks", watch());
}

awaitable<bool> Advancement::stop(Milliseconds limit) {
  is_stopping_ = true;
  wake_.cancel();
  co_return co_await tasks_.idle(limit);
}

void Advancement::wake() { wake_.cancel(); }

awaitable<> Advancement::watch() {
  while (!is_stopping_) {
    for (const TestClock& clock : catalog_.all<TestClock>(Mode::test))
      if (clock.status == TestClockStatus::advancing && advancing_.insert(clock.id).second)
        tasks_.spawn("test clock", advance(clock));
    wake_.expires_after(settings_.poll_interval);
    [[maybe_unused]] auto [woken] = co_await wake_.async_wait(nothrow);
  }
}

awaitable<> Advancement::advance(TestClock clock) {
  for (Round round = Round::worked; round != Round::done && !is_stopping_;) {
    if (!is_advancing(clock)) break;  // another daemon finished it, or it was deleted
    round = co_await work_through(clock);
    if (round == Round::waiting_for_others || round == Round::failed) co_await sleep_for(wait_for_others);
  }
  advancing_.erase(clock.id);
}

/// Does what is due until the clock's new time, each account at the moments at which it is due.
awaitable<Advancement::Round> Advancement::work_through(const TestClock& clock) {
  const Job::Simulated simulated{whole_second(clock.frozen_time), end_of_second(clock.advancing_to)};
  std::size_t under_way = 0, failed = 0, begun = 0;
  Timer all_done(executor_, SteadyClock::time_point::max());
  for (std::uint32_t partition : partitions_.held()) {
    const auto fence = partitions_.fence(partition);
    if (!fence || is_stopping_) continue;
    const auto due = co_await store_.due_on_clock(partition, clock.id, simulated.until, settings_.in_flight_max);
    if (!due) {
      ++failed;
      break;
    }
    for (const store::Store::Due& each : *due) {
      Job job;
      job.account = {each.mode, each.key};
      job.queue = each.queue;
      job.fence = *fence;
      job.simulated = simulated;
      ++begun;
      ++under_way;
      tasks_.spawn("job", run(std::move(job), partition, under_way, failed, all_done));
    }
    while (under_way >= settings_.in_flight_max) {
      [[maybe_unused]] auto [ended] = co_await all_done.async_wait(nothrow);
    }
  }
  while (under_way > 0) {
    [[maybe_unused]] auto [ended] = co_await all_done.async_wait(nothrow);
  }
  if (failed > 0) co_return Round::failed;
  if (begun > 0) co_return Round::worked;
  co_return co_await finish(clock);
}

awaitable<> Advancement::run(Job job, std::uint32_t partition, std::size_t& under_way, std::size_t& failed,
                             Timer& all_done) {
  ++busy_[partition];
  const auto progress = co_await accounts_.run_due(std::move(job));
  if (!progress) ++failed;
  if (--busy_[partition] == 0) busy_.erase(partition);
  --under_way;
  all_done.cancel();
}

/// Declares the clock ready when nothing is due in any partition.
awaitable<Advancement::Round> Advancement::finish(const TestClock& clock) {
  const Timestamp until = end_of_second(clock.advancing_to);
  for (std::uint32_t partition = 0; partition < store_.partitions(); ++partition) {
    const auto due = co_await store_.due_on_clock(partition, clock.id, until, 1);
    if (!due) co_return Round::failed;
    if (!due->empty()) co_return Round::waiting_for_others;
  }
  TestClock ready = clock;
  ready.status = TestClockStatus::ready;
  ready.frozen_time = clock.advancing_to;
  const auto put = co_await catalog_.put<TestClock>(Mode::test, std::move(ready), clock);
  if (put) co_return Round::done;
  if (put.error().code == Errc::conflict) co_return Round::done;  // another daemon did it
  log::warn({.test_clock = clock.id.value()}, "the test clock could not be set: {}", put.error().detail);
  co_return Round::failed;
}

bool Advancement::is_advancing(const TestClock& clock) const {
  const auto known = catalog_.get<TestClock>(Mode::test, clock.id.value());
  return known != nullptr && known->status == TestClockStatus::advancing && known->advancing_to == clock.advancing_to;
}

}  // namespace billd::jobs
