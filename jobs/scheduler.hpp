// Runs what is due: reads the queues of the partitions that this daemon holds, and keeps the executor busy.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "config/settings.hpp"
#include "jobs/advancement.hpp"
#include "jobs/clock.hpp"
#include "jobs/executor.hpp"
#include "jobs/partitions.hpp"
#include "jobs/statistics.hpp"
#include "net/async.hpp"
#include "net/store/catalog.hpp"
#include "net/store/store.hpp"

namespace billd::jobs {

/// One queue, for people. `waiting`, `due` and `oldest` are of all partitions and at most about a second old; the rest
/// is this daemon's own.
struct QueueView {
  std::uint64_t waiting = 0;        ///< accounts in the queue, due or not
  std::uint64_t due = 0;            ///< of them, due now
  std::optional<Timestamp> oldest;  ///< the earliest due time in the queue
  Duration late{0};                 ///< for how long the oldest has been due
  std::uint64_t in_flight = 0;
  std::uint64_t done = 0;  ///< since the process began
  std::uint64_t done_last_minute = 0;
};

/// What there is to know of the jobs; made from counters alone.
struct SchedulerView {
  std::array<QueueView, queue_count> queues;
  std::string obstacle;  ///< why nothing is started now; empty: nothing stands in the way
  std::size_t in_flight = 0;
  std::size_t backing_off = 0;  ///< accounts that failed and are tried again soon
  std::uint64_t parked = 0;     ///< of all partitions
  std::uint32_t partitions_held = 0, partitions = 0;
  std::size_t test_clocks_advancing = 0;
};

/// Life cycle: construct, start() once the store is prepared and the catalog has started, `co_await stop(limit)`.
/// From the loop's thread.
///
/// What is due is taken in the order in which it became due, from all held partitions in turn, with at most
/// in_flight_max accounts at once. Nothing is claimed: an account that is being worked on is remembered here, and the
/// lease's epoch keeps other daemons out. An account whose job failed waits a little longer each time, and nobody waits
/// for it.
class Scheduler {
 public:
  Scheduler(Executor executor, const Clock& clock, store::Store& store, store::Catalog& catalog,
            AccountExecutor& accounts, Partitions& partitions, JobSettings settings);

  void start();

  /// Starts nothing new and waits for what is under way, charges included. False when `limit` passed first; then the
  /// leases should be left to end by themselves, and Partitions not be stopped.
  awaitable<bool> stop(Milliseconds limit);

  SchedulerView view() const;
  /// How late jobs were begun.
  const Histogram& lateness() const { return lateness_; }

 private:
  using Due = store::Store::Due;

  /// What is known of one partition's queues.
  struct Lane {
    explicit Lane(std::uint32_t of_partition) : partition(of_partition) {}

    std::uint32_t partition;
    bool is_held = false;
    bool is_reading = false;
    std::deque<Due> ready;  ///< read and not begun, by due time
    std::size_t in_flight = 0;
    SteadyClock::time_point read_at;  ///< when the queues should be looked at again
  };

  /// An account whose job failed.
  struct Trouble {
    std::uint32_t failures = 0;
    SteadyClock::time_point until;
  };

  /// What is due in one partition as Redis has it.
  struct PartitionSizes {
    std::array<store::Store::QueueSize, queue_count> queues;
    std::uint64_t parked = 0;
    bool is_reading = false;
  };

  void follow_partitions();
  void pump();
  void start_ready();
  bool start_next();
  void refill(Lane& lane);
  awaitable<> read(Lane& lane);
  void take_in(Lane& lane, store::Store::DueNow read);
  awaitable<> run(Lane& lane, Due due, store::Fence fence);
  void finish(Lane& lane, const Due& due, const Result<Progress>& progress);
  Milliseconds back_off(const AccountName& account);
  void wake_at(SteadyClock::time_point when);
  void look_earlier(const AccountKey& key, Timestamp due);
  SteadyClock::time_point steady_time(Timestamp due) const;
  awaitable<> watch();
  awaitable<> keep_sizes();
  awaitable<> read_sizes(std::uint32_t partition);

  const Clock& clock_;
  store::Store& store_;
  AccountExecutor& accounts_;
  Partitions& partitions_;
  const JobSettings settings_;
  Advancement advancement_;

  std::map<std::uint32_t, std::unique_ptr<Lane>> lanes_;
  std::deque<Lane*> turns_;  ///< the lanes with something ready: whose turn it is stands in front
  /// Accounts that are ready or in flight.
  std::unordered_set<AccountName, AccountNameHash> known_;
  std::unordered_map<AccountName, Trouble, AccountNameHash> troubles_;
  std::size_t in_flight_ = 0;
  std::array<std::size_t, queue_count> in_flight_by_queue_{};
  std::string obstacle_;
  bool is_starting_ = false;
  bool is_stopping_ = false;

  Histogram lateness_;
  std::array<LastMinute, queue_count> rates_;
  std::vector<PartitionSizes> sizes_;

  SteadyClock::time_point woken_at_;  ///< when the timer is set to
  Timer wake_;
  Timer second_;
  Tasks tasks_;
  Tasks jobs_;
};

}  // namespace billd::jobs
