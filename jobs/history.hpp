// The last day, minute by minute: how late work was and how much was done.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/calendar.hpp"
#include "net/async.hpp"

namespace billd::jobs {

/// What was seen within one minute.
struct Minute {
  Timestamp at;      ///< when it began
  Duration late{0};  ///< the longest that anything had been due
  std::uint64_t done = 0;
  std::uint64_t failed = 0;

  bool operator==(const Minute&) const = default;
};

/// Takes samples about once a second and keeps a day of minutes, about 60 kB.
class History {
 public:
  static constexpr std::size_t minutes_max = 24 * 60;

  /// `late` is how long the oldest work has been due now; the counters are those since the process began.
  void sample(Timestamp now, Duration late, std::uint64_t done, std::uint64_t failed);

  /// The oldest first; the last one is still going on. Minutes in which nobody looked are left out.
  const std::deque<Minute>& minutes() const { return minutes_; }

  /// The longest lateness since then.
  Duration latest(Timestamp since) const;

  /// Minutes put together: `count` stretches of `step`, the last of which `now` lies in; empty where nobody looked.
  std::vector<std::optional<Minute>> stretches(Timestamp now, Duration step, std::size_t count) const;

  /// The minutes as text, a line each: about 40 kB for a day.
  std::string to_text() const;
  /// Goes on after the minutes of such a text; lines that cannot be read are left out. For a history without samples.
  void restore(std::string_view text);

 private:
  std::deque<Minute> minutes_;
  std::optional<std::uint64_t> done_, failed_;  ///< at the sample before
};

}  // namespace billd::jobs
