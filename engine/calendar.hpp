// Time as billing sees it: instants in UTC, and periods that are ordinals from an anchor.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/result.hpp"

namespace billd {

/// An instant in UTC. Microseconds keep the order of what happened; whatever is billed starts on a whole second.
using Timestamp = std::chrono::sys_time<std::chrono::microseconds>;
using Duration = std::chrono::microseconds;

/// Seconds beyond the range of Timestamp (about 290,000 years) become its end, so that any input may be compared.
constexpr Timestamp from_unix(std::int64_t seconds) {
  constexpr std::int64_t seconds_max = 9'000'000'000'000;
  return Timestamp(std::chrono::seconds(std::clamp(seconds, -seconds_max, seconds_max)));
}
constexpr std::int64_t to_unix(Timestamp time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}
constexpr Timestamp whole_second(Timestamp time) { return std::chrono::floor<std::chrono::seconds>(time); }

/// The last instant that billd works with: the end of the year 2199. Nothing is scheduled later.
inline constexpr Timestamp end_of_time = from_unix(7258118399);

enum class Interval : std::uint8_t { day, week, month, year };

std::string_view to_text(Interval interval);
Result<Interval> parse_interval(std::string_view text);

/// How often a subscription is billed: every `count` intervals, 1 <= count, at most three years in all.
/// Source: Stripe, "Maximum of three years interval allowed (3 years, 36 months, or 156 weeks)".
struct Recurrence {
  Interval interval = Interval::month;
  std::int32_t count = 1;

  bool operator==(const Recurrence&) const = default;
};

/// invalid_parameter (interval_count) when the count is below one or the whole longer than three years.
Result<void> check_recurrence(Recurrence recurrence);

/// The half-open stretch [start, end) that one invoice line pays for.
struct Period {
  Timestamp start;
  Timestamp end;

  bool operator==(const Period&) const = default;
};

/// Boundary `ordinal` of a billing cycle: the anchor plus ordinal x recurrence, counted from the anchor and never from
/// the boundary before. A month without the anchor's day ends on its last day (January 31st, February 28th, March
/// 31st); the time of day is the anchor's. A negative ordinal goes back. Source:
/// https://stripe.com/docs/billing/subscriptions/billing-cycle.
Timestamp boundary(Timestamp anchor, Recurrence recurrence, std::int64_t ordinal);

/// Period `ordinal`: from boundary `ordinal` to the next one.
Period period_at(Timestamp anchor, Recurrence recurrence, std::int64_t ordinal);

/// The ordinal of the period which holds `time`: period_at(result).start <= time < period_at(result).end.
std::int64_t ordinal_at(Timestamp anchor, Recurrence recurrence, Timestamp time);

/// "2026-11-21 20:58:18 UTC".
std::string to_text(Timestamp time);

}  // namespace billd
