// Sorting durations into buckets.
#include "net/histogram.hpp"

#include <algorithm>

namespace billd {

void Histogram::add(Duration duration) {
  duration = std::max(duration, Duration(0));
  const auto bucket = std::ranges::lower_bound(bounds, duration.count());
  ++buckets_[static_cast<std::size_t>(bucket - bounds.begin())];
  ++count_;
  sum_ += duration;
}

Histogram::Duration Histogram::quantile(double share) const {
  const double wanted = share * static_cast<double>(count_);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < bounds.size() && count_ > 0; ++i) {
    seen += buckets_[i];
    if (static_cast<double>(seen) >= wanted) return Duration(bounds[i]);
  }
  return Duration(count_ == 0 ? 0 : bounds.back());
}

Histogram& Histogram::operator+=(const Histogram& other) {
  for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ += other.sum_;
  return *this;
}

}  // namespace billd
