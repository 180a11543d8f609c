// What is counted while work is done, so that the status page never has to look for it.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "engine/command.hpp"
#include "engine/decide.hpp"
#include "jobs/turns.hpp"
#include "net/async.hpp"
#include "net/histogram.hpp"

namespace billd::jobs {

inline constexpr std::size_t charge_outcome_kinds = 6, refund_outcome_kinds = 5;

/// Failures of one kind: of one queue's jobs, for one reason.
struct FailureGroup {
  std::uint64_t count = 0;
  Timestamp first, last;
  AccountName example;  ///< the account of the latest one
  std::string detail;   ///< of the latest one
};

/// What one gateway was asked, and how it answered.
struct GatewayStatistics {
  std::array<std::uint64_t, charge_outcome_kinds> outcomes{};  ///< of charges by ChargeOutcomeKind, look-ups included
  std::array<std::uint64_t, refund_outcome_kinds> refunds{};   ///< by RefundOutcomeKind, look-ups included
  Histogram durations;
};

/// What the executor did since the process began.
struct Statistics {
  std::uint64_t commands = 0;  ///< of the API, carried out
  std::uint64_t ticks = 0;     ///< steps of time, committed
  std::uint64_t commits = 0;
  std::uint64_t conflicts = 0;  ///< commits that another writer had forestalled
  std::uint64_t stale = 0;      ///< commits refused because the partition has a newer owner
  std::uint64_t parked = 0;     ///< accounts
  std::array<std::uint64_t, charge_outcome_kinds> charges{};  ///< by ChargeOutcomeKind
  std::array<std::uint64_t, refund_outcome_kinds> refunds{};  ///< by RefundOutcomeKind
  std::array<std::uint64_t, queue_count> done{};              ///< what was due in each queue and has been done
  std::map<std::pair<Queue, Errc>, FailureGroup> failures;
  std::map<std::string, GatewayStatistics> gateways;  ///< by name

  std::uint64_t charges_of(ChargeOutcomeKind kind) const { return charges[static_cast<std::size_t>(kind)]; }
};

/// How much a counter grew within the last minute.
class LastMinute {
 public:
  /// To be told the counter about once a second.
  void sample(std::uint64_t counter, SteadyClock::time_point now);
  std::uint64_t growth() const { return samples_.empty() ? 0 : samples_.back().counter - samples_.front().counter; }

 private:
  struct Sample {
    SteadyClock::time_point at;
    std::uint64_t counter;
  };
  std::deque<Sample> samples_;
};

}  // namespace billd::jobs
