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
#include "jobs/overview.hpp"
#include "jobs/partitions.hpp"
#include "jobs/statistics.hpp"
#include "net/async.hpp"
#include "net/store/catalog.hpp"
#include "net/store/store.hpp"

namespace billd::jobs {

/// One queue, for people; `in_flight` is this daemon's own.
struct QueueView : QueueNumbers {
  Duration late{0};  ///< for how long the oldest has been due
  std::uint64_t in_flight = 0;
  std::optional<store::Pause> pause;
};

/// What there is to know of the jobs; made from counters alone.
struct SchedulerView {
  std::array<QueueView, queue_count> queues;
  std::string obstacle;  ///< why nothing is started now; empty: nothing stands in the way
  std::size_t in_flight = 0;
  std::size_t backing_off = 0;  ///< accounts that failed and are tried again soon
  std::uint64_t parked = 0;     ///< of all partitions
  /// How long it takes until nothing is late in this daemon's partitions, if work goes on to come and go as in the last
  /// minute; zero: nothing is; empty: it grows.
  std::optional<std::chrono::seconds> clean_in;
  std::uint32_t partitions_held = 0, partitions = 0;
  std::size_t test_clocks_advancing = 0;
};

/// Life cycle: construct, start() once the store is prepared and the catalog has started, `co_await stop(limit)`.
/// From the loop's thread.
///
/// What is due is taken in the order in which it became due, from all held partitions in turn, with at most
/// in_flight_max accounts at once. Nothing is claimed: an account that is being worked on is remembered here, and the
/// lease's epoch keeps other daemons out. An account whose job failed waits a little longer each time, and nobody waits
/// for it. Nothing is begun of an account that is due in a paused queue; test clocks know no pauses.
class Scheduler {
 public:
  Scheduler(Executor executor, const Clock& clock, store::Store& store, store::Catalog& catalog,
            AccountExecutor& accounts, Partitions& partitions, JobSettings settings);

  void start();

  /// Starts nothing new and waits for what is under way, charges included. False when `limit` passed first; then the
  /// leases should be left to end by themselves, and Partitions not be stopped.
  awaitable<bool> stop(Milliseconds limit);

  /// Looks at once for what is due of the account, also when it failed and waits to be tried again; false when it did
  /// not wait here.
  bool retry(const AccountName& account);
  bool is_backing_off(const AccountName& account) const { return troubles_.contains(account); }

  SchedulerView view() const;
  Overview& overview() { return overview_; }
  const Overview& overview() const { return overview_; }
  /// How late jobs were begun.
  const Histogram& lateness() const { return lateness_; }
  /// How long they took.
  const Histogram& durations() const { return durations_; }

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
    bool is_held = false;  ///< it did not fail: something of it waits in a paused queue
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
  Milliseconds back_off(const AccountName& account, bool is_held);
  void follow_pauses();
  void wake_at(SteadyClock::time_point when);
  void look_earlier(const AccountKey& key, Timestamp due);
  SteadyClock::time_point steady_time(Timestamp due) const;
  awaitable<> watch();
  awaitable<> forget_troubles();

  const Clock& clock_;
  store::Store& store_;
  AccountExecutor& accounts_;
  Partitions& partitions_;
  const JobSettings settings_;
  Advancement advancement_;
  Overview overview_;

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

  Histogram lateness_, durations_;

  SteadyClock::time_point woken_at_;  ///< when the timer is set to
  Timer wake_;
  Timer second_;
  Tasks tasks_;
  Tasks jobs_;
};

}  // namespace billd::jobs
