#include "jobs/history.hpp"

#include <algorithm>

namespace billd::jobs {

void History::sample(Timestamp now, Duration late, std::uint64_t done, std::uint64_t failed) {
  const Timestamp minute = std::chrono::floor<std::chrono::minutes>(now);
  // A clock that steps back goes on with the latest minute, until it is past it again.
  if (minutes_.empty() || minutes_.back().at < minute) minutes_.push_back({minute, Duration(0), 0, 0});
  while (minutes_.size() > minutes_max || minutes_.front().at < minute - std::chrono::hours(24)) minutes_.pop_front();
  Minute& current = minutes_.back();
  current.late = std::max(current.late, late);
  current.done += done - done_.value_or(done);
  current.failed += failed - failed_.value_or(failed);
  done_ = done;
  failed_ = failed;
}

Duration History::latest(Timestamp since) const {
  Duration late{0};
  for (const Minute& minute : minutes_)
    if (minute.at + std::chrono::minutes(1) > since) late = std::max(late, minute.late);
  return late;
}

}  // namespace billd::jobs
