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

namespace billd::jobs {

inline constexpr std::size_t charge_outcome_kinds = 4;

/// Failures of one kind: of one queue's jobs, for one reason.
struct FailureGroup {
  std::uint64_t count = 0;
  Timestamp first, last;
  AccountName example;  ///< the account of the latest one
  std::string detail;   ///< of the latest one
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
  std::array<std::uint64_t, queue_count> done{};              ///< what was due in each queue and has been done
  std::map<std::pair<Queue, Errc>, FailureGroup> failures;

  std::uint64_t charges_of(ChargeOutcomeKind kind) const { return charges[static_cast<std::size_t>(kind)]; }
};

/// Durations by size: enough for quantiles without keeping them.
class Histogram {
 public:
  /// The upper bounds of the buckets; a last one takes what is longer.
  static constexpr std::array<Milliseconds::rep, 18> bounds = {
      1, 2, 5, 10, 20, 50, 100, 200, 500, 1'000, 2'000, 5'000, 10'000, 30'000, 60'000, 600'000, 3'600'000, 86'400'000};

  /// Negative durations count as none.
  void add(Duration duration);

  /// The bound of the bucket in which the share (0 to 1) of all durations ends; 0 when there are none.
  Milliseconds quantile(double share) const;

  std::uint64_t count() const { return count_; }
  Duration sum() const { return sum_; }
  const std::array<std::uint64_t, bounds.size() + 1>& buckets() const { return buckets_; }

 private:
  std::array<std::uint64_t, bounds.size() + 1> buckets_{};
  std::uint64_t count_ = 0;
  Duration sum_{0};
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
