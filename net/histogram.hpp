// Durations counted by size: enough for quantiles and for Prometheus, without keeping them.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace billd {

class Histogram {
 public:
  using Duration = std::chrono::microseconds;
  using Bound = std::chrono::milliseconds;

  /// The upper bounds of the buckets; a last one takes what is longer.
  static constexpr std::array<Bound::rep, 18> bounds = {
      1, 2, 5, 10, 20, 50, 100, 200, 500, 1'000, 2'000, 5'000, 10'000, 30'000, 60'000, 600'000, 3'600'000, 86'400'000};

  /// Negative durations count as none.
  void add(Duration duration);

  /// The bound of the bucket in which the share (0 to 1) of all durations ends; 0 when there are none.
  Bound quantile(double share) const;

  std::uint64_t count() const { return count_; }
  Duration sum() const { return sum_; }
  const std::array<std::uint64_t, bounds.size() + 1>& buckets() const { return buckets_; }

 private:
  std::array<std::uint64_t, bounds.size() + 1> buckets_{};
  std::uint64_t count_ = 0;
  Duration sum_{0};
};

}  // namespace billd
