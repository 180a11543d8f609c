// The arithmetic of billing cycles.
#include "engine/calendar.hpp"

#include <cstdio>

namespace billd {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::months;
using std::chrono::sys_days;
using std::chrono::year_month;
using std::chrono::year_month_day;

namespace {

/// The same day and time of day `count` months later, or the last day of a month that is too short.
Timestamp add_months(Timestamp anchor, std::int64_t count) {
  const sys_days day = floor<days>(anchor);
  const year_month_day date(day);
  const year_month month = year_month(date.year(), date.month()) + months(count);
  const std::chrono::day last = (month / std::chrono::last).day();
  return sys_days(month / std::min(date.day(), last)) + (anchor - day);
}

/// Days, or months, in `count` intervals: every recurrence is a number of the one or of the other.
struct Steps {
  bool monthly;
  std::int64_t size;
};

Steps steps_of(Recurrence recurrence) {
  switch (recurrence.interval) {
    case Interval::day:
      return {false, recurrence.count};
    case Interval::week:
      return {false, 7 * std::int64_t{recurrence.count}};
    case Interval::month:
      return {true, recurrence.count};
    case Interval::year:
      return {true, 12 * std::int64_t{recurrence.count}};
  }
  check_failed(__FILE__, __LINE__, "recurrence.interval", "an interval outside its enumeration");
}

}  // namespace

std::string_view to_text(Interval interval) {
  switch (interval) {
    case Interval::day:
      return "day";
    case Interval::week:
      return "week";
    case Interval::month:
      return "month";
    case Interval::year:
      return "year";
  }
  return "";
}

Result<Interval> parse_interval(std::string_view text) {
  for (Interval interval : {Interval::day, Interval::week, Interval::month, Interval::year})
    if (text == to_text(interval)) return interval;
  return Failure{Errc::invalid_parameter, "Invalid interval: must be one of day, week, month, or year", "interval"};
}

Result<void> check_recurrence(Recurrence recurrence) {
  struct Limit {
    Interval interval;
    std::int32_t count_max;
  };
  for (const Limit limit :
       {Limit{Interval::day, 1095}, Limit{Interval::week, 156}, Limit{Interval::month, 36}, Limit{Interval::year, 3}})
    if (recurrence.interval == limit.interval && recurrence.count >= 1 && recurrence.count <= limit.count_max)
      return {};
  return Failure{
      Errc::invalid_parameter,
      "Invalid interval_count: at least 1, and at most three years (3 years, 36 months, 156 weeks, 1095 days)",
      "interval_count"};
}

Timestamp boundary(Timestamp anchor, Recurrence recurrence, std::int64_t ordinal) {
  const Steps steps = steps_of(recurrence);
  if (steps.monthly) return add_months(anchor, steps.size * ordinal);
  return anchor + days(steps.size * ordinal);
}

Period period_at(Timestamp anchor, Recurrence recurrence, std::int64_t ordinal) {
  return {boundary(anchor, recurrence, ordinal), boundary(anchor, recurrence, ordinal + 1)};
}

std::int64_t ordinal_at(Timestamp anchor, Recurrence recurrence, Timestamp time) {
  const Steps steps = steps_of(recurrence);
  // A guess that is off by one at the most, by the mean length of a month, then the boundaries decide.
  const std::int64_t length_in_seconds = steps.monthly ? steps.size * 2'629'746 : steps.size * 86'400;
  std::int64_t ordinal = floor<std::chrono::seconds>(time - anchor).count() / length_in_seconds;
  while (boundary(anchor, recurrence, ordinal) > time) --ordinal;
  while (boundary(anchor, recurrence, ordinal + 1) <= time) ++ordinal;
  return ordinal;
}

std::string to_text(Timestamp time) {
  const sys_days day = floor<days>(time);
  const year_month_day date(day);
  const std::chrono::hh_mm_ss clock(floor<std::chrono::seconds>(time - day));
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u %02d:%02d:%02d UTC", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

}  // namespace billd
