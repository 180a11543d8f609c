#include "jobs/history.hpp"

#include <algorithm>
#include <sstream>

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

std::vector<std::optional<Minute>> History::stretches(Timestamp now, Duration step, std::size_t count) const {
  std::vector<std::optional<Minute>> stretches(count);
  const Duration since_epoch = now.time_since_epoch();
  const Timestamp last(since_epoch - since_epoch % step);
  const Timestamp first = last - step * static_cast<Duration::rep>(count - 1);
  for (const Minute& minute : minutes_) {
    if (minute.at < first) continue;
    const auto index = static_cast<std::size_t>((minute.at - first) / step);
    if (index >= count) continue;
    auto& stretch = stretches[index];
    if (!stretch) stretch = Minute{first + step * static_cast<Duration::rep>(index), Duration(0), 0, 0};
    stretch->late = std::max(stretch->late, minute.late);
    stretch->done += minute.done;
    stretch->failed += minute.failed;
  }
  return stretches;
}

std::string History::to_text() const {
  std::string text;
  for (const Minute& minute : minutes_)
    text.append(std::to_string(to_unix(minute.at)))
        .append(" ")
        .append(std::to_string(minute.late.count()))
        .append(" ")
        .append(std::to_string(minute.done))
        .append(" ")
        .append(std::to_string(minute.failed))
        .append("\n");
  return text;
}

void History::restore(std::string_view text) {
  std::istringstream lines{std::string(text)};
  for (std::string line; std::getline(lines, line) && minutes_.size() < minutes_max;) {
    std::istringstream words(line);
    std::int64_t at = 0;
    Duration::rep late = 0;
    Minute minute;
    if (!(words >> at >> late >> minute.done >> minute.failed) || late < 0) continue;
    minute.at = from_unix(at);
    minute.late = Duration(late);
    if (minutes_.empty() || minutes_.back().at < minute.at) minutes_.push_back(minute);
  }
}

Duration History::latest(Timestamp since) const {
  Duration late{0};
  for (const Minute& minute : minutes_)
    if (minute.at + std::chrono::minutes(1) > since) late = std::max(late, minute.late);
  return late;
}

}  // namespace billd::jobs
