// Counting over a sliding minute.
#include "jobs/statistics.hpp"

namespace billd::jobs {

void LastMinute::sample(std::uint64_t counter, SteadyClock::time_point now) {
  samples_.push_back({now, counter});
  while (now - samples_.front().at > std::chrono::seconds(60)) samples_.pop_front();
}

}  // namespace billd::jobs
