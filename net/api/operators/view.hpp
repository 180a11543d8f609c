// What operators are told of the running daemon: numbers that are kept as work is done, so that telling them is cheap.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/calendar.hpp"

namespace billd::api::operators {

struct QueueStatus {
  std::string name;                   ///< "renewal", "collection", …
  std::uint64_t waiting = 0;          ///< accounts in the queue, due or not
  std::uint64_t due = 0;              ///< of them: due by now
  std::uint64_t late = 0;             ///< of them: due for longer than a poll takes
  std::uint64_t in_flight = 0;        ///< being worked on
  std::uint64_t parked = 0;           ///< taken out until an operator lets them back
  std::uint64_t rate_per_minute = 0;  ///< done within the last minute
  std::optional<Timestamp> oldest;    ///< since when the first of them has been due
  std::optional<Timestamp> next;      ///< when the next one will be
};

struct PartitionStatus {
  std::uint32_t number = 0;
  std::string owner;        ///< the name of the daemon; empty: nobody's
  std::uint64_t epoch = 0;  ///< grows with every change of owner
  bool is_ours = false;
};

struct RedisStatus {
  bool connected = false;
  std::string address;                                  ///< without credentials
  std::optional<std::chrono::microseconds> round_trip;  ///< the recent average
  std::string warning;                                  ///< what is wrong with its configuration; empty: nothing
};

struct Status {
  std::string daemon;   ///< its name
  std::string version;  ///< of billd
  std::string data_set;
  Timestamp now;
  std::chrono::seconds uptime{};
  std::vector<QueueStatus> queues;
  std::vector<PartitionStatus> partitions;
  RedisStatus redis;
  bool clock_is_trusted = true;
  std::string clock_reason;  ///< why it is not
  std::string data_loss;     ///< what Redis lost of what it had acknowledged; empty: nothing. Money stands still then.
  bool is_stopping = false;
};

/// Filled by whoever knows the parts of the daemon. Both functions answer at once, from memory.
class View {
 public:
  virtual ~View() = default;

  virtual Status status() const = 0;

  /// Why the daemon cannot serve now, in a sentence; empty: it can.
  virtual std::string not_ready_because() const = 0;
};

}  // namespace billd::api::operators
