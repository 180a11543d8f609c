// What operators see of all partitions, read in the background so that telling it costs nothing.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "jobs/clock.hpp"
#include "jobs/executor.hpp"
#include "jobs/history.hpp"
#include "jobs/partitions.hpp"
#include "jobs/statistics.hpp"
#include "net/async.hpp"
#include "net/store/audit.hpp"
#include "net/store/pauses.hpp"
#include "net/store/store.hpp"

namespace billd::jobs {

/// What becomes due, counted from a whole hour and a whole day (UTC) on; what is due by now is in the first ones.
struct Coming {
  Timestamp from_hour, from_day;
  std::array<std::uint64_t, 24> by_hour{};
  std::array<std::uint64_t, 31> by_day{};
};

/// Parked accounts of one queue and reason, of all partitions.
struct ParkedAccounts {
  std::uint64_t count = 0;
  Timestamp first, last;
  AccountName example;
};

/// One queue.
struct QueueNumbers {
  std::uint64_t waiting = 0;        ///< accounts in the queue, due or not, of all partitions
  std::uint64_t due = 0;            ///< of them, due now
  std::optional<Timestamp> oldest;  ///< the earliest due time in the queue
  std::uint64_t parked = 0;         ///< of all partitions
  std::uint64_t done = 0;           ///< by this daemon, since the process began
  std::uint64_t done_last_minute = 0;
  std::uint64_t became_due_last_minute = 0;  ///< in the partitions of this daemon
  std::uint64_t due_here = 0;                ///< due in the partitions of this daemon
};

/// In bytes.
struct RedisMemory {
  std::uint64_t used = 0;
  std::uint64_t max = 0;  ///< 0: no limit is set
};

/// Looks once a second (at hundreds of partitions: at some of them each second) and remembers. Everything it answers
/// comes from memory.
///
/// Life cycle: construct, start() once the store is prepared, `co_await stop(limit)`. From the loop's thread.
class Overview {
 public:
  Overview(Executor executor, const Clock& clock, store::Store& store, const AccountExecutor& accounts,
           const Partitions& partitions);

  void start();
  awaitable<bool> stop(Milliseconds limit);

  /// Queues that operators paused; empty until it is known for the first time. At most half a second old while Redis
  /// answers.
  const std::optional<store::Store::QueueSet>& paused() const { return paused_; }
  const std::vector<store::Pause>& pauses() const { return pauses_; }
  /// As paused(), of the delivery of webhooks.
  const std::optional<store::Pause>& deliveries_pause() const { return deliveries_pause_; }
  /// Called when paused() has changed.
  void on_pauses_changed(std::function<void()> changed) { pauses_changed_ = std::move(changed); }

  std::array<QueueNumbers, queue_count> queues() const;
  std::map<std::pair<Queue, std::string>, ParkedAccounts> parked() const;
  Coming coming() const;
  const History& history() const { return history_; }
  /// What an earlier process saw, as History::to_text() told it; before start().
  void restore_history(std::string_view text) { history_.restore(text); }
  /// As it was a few seconds ago; zero until it is known.
  RedisMemory redis_memory() const { return memory_; }
  /// The latest actions of operators, newest first.
  const std::vector<store::AuditEntry>& audit() const { return audit_; }

  /// Reads paused queues, parked accounts and the audit log now, because an operator has just changed them.
  awaitable<> refresh();

 private:
  struct Partition {
    std::array<store::Store::QueueSize, queue_count> queues;
    std::vector<store::Store::ParkedGroup> parked;
    Coming coming;
    bool is_reading = false;
  };

  awaitable<> look();
  awaitable<> follow_pauses();
  awaitable<> follow_audit();
  awaitable<> foresee();
  awaitable<> read(std::uint32_t partition);
  awaitable<> read_pauses();
  awaitable<> read_audit();
  awaitable<> follow_memory();
  awaitable<> read_coming(std::uint32_t partition);
  awaitable<bool> pause_for(Milliseconds time);
  void sample();

  const Clock& clock_;
  store::Store& store_;
  const AccountExecutor& accounts_;
  const Partitions& held_;
  std::function<void()> pauses_changed_;

  std::vector<Partition> partitions_;
  std::uint32_t next_ = 0, next_foreseen_ = 0;
  std::optional<store::Store::QueueSet> paused_;
  std::vector<store::Pause> pauses_;
  std::optional<store::Pause> deliveries_pause_;
  std::vector<store::AuditEntry> audit_;
  std::array<LastMinute, queue_count> done_, became_due_;
  History history_;
  RedisMemory memory_;
  bool is_stopping_ = false;
  Timer stopping_;
  Tasks tasks_;
};

}  // namespace billd::jobs
