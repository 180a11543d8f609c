// What operators are told of the running daemon: numbers that are kept as work is done, so that telling them is cheap.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/account.hpp"
#include "engine/calendar.hpp"
#include "net/store/audit.hpp"

namespace billd::api::operators {

struct Measurements;

/// A queue of which nothing is begun, because an operator said so.
struct PauseStatus {
  Timestamp since;
  std::string by, why;
};

struct QueueStatus {
  std::string name;                          ///< "renewal", "collection", …
  std::uint64_t waiting = 0;                 ///< accounts in the queue, due or not
  std::uint64_t due = 0;                     ///< of them: due by now
  std::uint64_t late = 0;                    ///< of them: due for longer than a poll takes
  std::uint64_t in_flight = 0;               ///< being worked on
  std::uint64_t parked = 0;                  ///< taken out until an operator lets them back
  std::uint64_t rate_per_minute = 0;         ///< done within the last minute, by this daemon
  std::uint64_t became_due_last_minute = 0;  ///< in this daemon's partitions
  std::optional<Timestamp> oldest;           ///< since when the first of them has been due
  std::optional<Timestamp> next;             ///< when the next one will be
  std::optional<PauseStatus> pause;
};

struct PartitionStatus {
  std::uint32_t number = 0;
  std::string owner;        ///< the name of the daemon; empty: nobody's
  std::uint64_t epoch = 0;  ///< grows with every change of owner
  bool is_ours = false;
};

/// A daemon that is alive.
struct DaemonStatus {
  std::string name;
  std::uint32_t partitions = 0;
  bool is_this = false;
};

struct RedisStatus {
  bool connected = false;
  std::string address;                                  ///< without credentials
  std::optional<std::chrono::microseconds> round_trip;  ///< the recent average
  std::string warning;                                  ///< what is wrong with its configuration; empty: nothing
  std::uint64_t memory_used = 0, memory_max = 0;        ///< bytes; no limit: 0
};

/// A stretch of the last day.
struct HistoryStatus {
  Timestamp from;
  bool is_known = false;  ///< somebody looked at all
  Duration late{0};       ///< the longest that anything had been due
  std::uint64_t done = 0, failed = 0;
};

struct LatenessStatus {
  Duration now{0}, last_hour{0}, last_day{0};
  Duration step{0};                ///< between two of the history
  std::vector<HistoryStatus> day;  ///< oldest first, the last one goes on
};

/// Accounts that failed, or that are parked, for one reason in one queue.
struct TroubleStatus {
  std::string queue, reason;
  std::uint64_t count = 0;
  Timestamp first, last;
  Mode mode = Mode::test;
  std::string example;  ///< an account's key
  std::string detail;   ///< of the latest failure; of failures only
};

/// Events on their way to webhook endpoints, in this daemon's partitions.
struct DeliveriesStatus {
  std::string name;                   ///< by which operators know this work, beside the queues; empty: it has not begun
  bool is_paused = false;             ///< by an operator
  std::uint64_t endpoints = 0;        ///< that are enabled
  std::uint64_t failing = 0;          ///< of them: that took nothing since something failed
  std::uint64_t disabled = 0;         ///< by billd itself, for they took nothing
  std::uint64_t waiting = 0;          ///< events that failed and are tried again, and those behind them
  std::uint64_t customers = 0;        ///< whose events these are
  std::uint64_t in_flight = 0;        ///< requests
  std::uint64_t rate_per_minute = 0;  ///< delivered within the last minute
  std::uint64_t given_up = 0;         ///< since this daemon began
  std::optional<Timestamp> failing_since;  ///< the longest of those that fail
  std::optional<Timestamp> next;           ///< when the next one of those that wait is tried
};

struct ComingStatus {
  Timestamp from_hour, from_day;
  std::array<std::uint64_t, 24> by_hour{};
  std::array<std::uint64_t, 31> by_day{};
};

struct Status {
  std::string daemon;   ///< its name
  std::string version;  ///< of billd
  std::string data_set;
  Timestamp now;
  std::chrono::seconds uptime{};
  std::vector<QueueStatus> queues;
  std::vector<PartitionStatus> partitions;
  std::vector<DaemonStatus> daemons;
  RedisStatus redis;
  bool clock_is_trusted = true;
  std::string clock_reason;  ///< why it is not
  std::string data_loss;     ///< what Redis lost of what it had acknowledged; empty: nothing. Money stands still then.
  std::string obstacle;      ///< why nothing that is due is done; empty: nothing stands in the way
  bool is_stopping = false;

  LatenessStatus lateness;
  std::uint64_t backing_off = 0;  ///< accounts that failed here and are tried again soon
  std::uint64_t test_clocks_advancing = 0;
  /// Until nothing is late in this daemon's partitions, at the pace of the last minute; zero: nothing is; empty: it
  /// grows.
  std::optional<std::chrono::seconds> clean_in;
  DeliveriesStatus deliveries;
  std::vector<TroubleStatus> parked;    ///< of all partitions
  std::vector<TroubleStatus> failures;  ///< of this daemon, since it began
  ComingStatus coming;
  std::vector<store::AuditEntry> audit;  ///< the latest actions, newest first
};

/// Filled by whoever knows the parts of the daemon. All functions answer at once, from memory.
class View {
 public:
  virtual ~View() = default;

  virtual Status status() const = 0;

  /// For /metrics.
  virtual Measurements measurements() const = 0;

  /// Why the daemon cannot serve now, in a sentence; empty: it can.
  virtual std::string not_ready_because() const = 0;
};

}  // namespace billd::api::operators
