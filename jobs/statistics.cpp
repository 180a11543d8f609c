#include "jobs/statistics.hpp"

#include <algorithm>

namespace billd::jobs {

void Histogram::add(Duration duration) {
  duration = std::max(duration, Duration(0));
  const auto bucket = std::ranges::lower_bound(bounds, std::chrono::ceil<Milliseconds>(duration).count());
  ++buckets_[static_cast<std::size_t>(bucket - bounds.begin())];
  ++count_;
  sum_ += duration;
}

Milliseconds Histogram::quantile(double share) const {
  const double wanted = share * static_cast<double>(count_);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < bounds.size() && count_ > 0; ++i) {
    seen += buckets_[i];
    if (static_cast<double>(seen) >= wanted) return Milliseconds(bounds[i]);
  }
  return Milliseconds(count_ == 0 ? 0 : bounds.back());
}

void LastMinute::sample(std::uint64_t counter, SteadyClock::time_point now) {
  samples_.push_back({now, counter});
  while (now - samples_.front().at > std::chrono::seconds(60)) samples_.pop_front();
}

}  // namespace billd::jobs
