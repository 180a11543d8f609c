// Durations counted by size: enough for quantiles and for Prometheus, without keeping them.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace billd {

class Histogram {
 public:
  using Duration = std::chrono::microseconds;

  /// The upper bounds of the buckets, in microseconds; a last one takes what is longer.
  static constexpr std::array<Duration::rep, 21> bounds = {
      100,       200,        500,        1'000,      2'000,       5'000,         10'000,
      20'000,    50'000,     100'000,    200'000,    500'000,     1'000'000,     2'000'000,
      5'000'000, 10'000'000, 30'000'000, 60'000'000, 600'000'000, 3'600'000'000, 86'400'000'000};

  /// Negative durations count as none.
  void add(Duration duration);

  /// The bound of the bucket in which the share (0 to 1) of all durations ends; 0 when there are none.
  Duration quantile(double share) const;

  /// Adds what the other one has counted.
  Histogram& operator+=(const Histogram& other);

  std::uint64_t count() const { return count_; }
  Duration sum() const { return sum_; }
  const std::array<std::uint64_t, bounds.size() + 1>& buckets() const { return buckets_; }

 private:
  std::array<std::uint64_t, bounds.size() + 1> buckets_{};
  std::uint64_t count_ = 0;
  Duration sum_{0};
};

}  // namespace billd
