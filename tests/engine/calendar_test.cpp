// Billing cycles: the days on which they turn, compared with the calendar on the wall and with Python's.
#include "engine/calendar.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <charconv>
#include <cinttypes>
#include <cstdio>
#include <limits>
#include <optional>
#include <sstream>
#include <string_view>

#include "tests/engine/effort.hpp"
#include "tests/engine/scenario.hpp"

namespace billd::calendar_test {
namespace {

using test::at;

TEST(Calendar, TurnsOnTheAnchorsDayOrTheMonthsLast) {
  struct {
    const char* anchor;
    Recurrence recurrence;
    std::int64_t ordinal;
    const char* boundary;
  } const cases[] = {
      {"2026-01-31 10:20:30", {Interval::month, 1}, 1, "2026-02-28 10:20:30"},
      {"2026-01-31 10:20:30", {Interval::month, 1}, 2, "2026-03-31 10:20:30"},
      {"2026-01-31 10:20:30", {Interval::month, 1}, 3, "2026-04-30 10:20:30"},
      {"2026-01-31 10:20:30", {Interval::month, 1}, 12, "2027-01-31 10:20:30"},
      {"2024-01-31 00:00:00", {Interval::month, 1}, 1, "2024-02-29 00:00:00"},
      {"2024-01-30 00:00:00", {Interval::month, 1}, 1, "2024-02-29 00:00:00"},
      {"2024-01-29 00:00:00", {Interval::month, 1}, 1, "2024-02-29 00:00:00"},
      {"2024-01-28 00:00:00", {Interval::month, 1}, 1, "2024-02-28 00:00:00"},
      {"2023-12-31 23:59:59", {Interval::month, 2}, 1, "2024-02-29 23:59:59"},
      {"2024-02-29 12:00:00", {Interval::year, 1}, 1, "2025-02-28 12:00:00"},
      {"2024-02-29 12:00:00", {Interval::year, 1}, 3, "2027-02-28 12:00:00"},
      {"2024-02-29 12:00:00", {Interval::year, 1}, 4, "2028-02-29 12:00:00"},
      {"2096-02-29 12:00:00", {Interval::year, 2}, 2, "2100-02-28 12:00:00"},  // 2100 is no leap year
      {"2024-02-29 12:00:00", {Interval::month, 1}, 1, "2024-03-29 12:00:00"},
      {"2026-03-31 00:00:00", {Interval::month, 1}, -1, "2026-02-28 00:00:00"},
      {"2026-03-31 00:00:00", {Interval::month, 1}, -13, "2025-02-28 00:00:00"},
      {"2026-03-31 00:00:00", {Interval::month, 3}, -1, "2025-12-31 00:00:00"},
      {"2026-01-01 05:00:00", {Interval::week, 1}, 1, "2026-01-08 05:00:00"},
      {"2026-01-01 05:00:00", {Interval::week, 2}, -1, "2025-12-18 05:00:00"},
      {"2026-02-27 05:00:00", {Interval::day, 1}, 2, "2026-03-01 05:00:00"},
      {"2026-01-01 05:00:00", {Interval::day, 30}, 3, "2026-04-01 05:00:00"},
      {"1969-12-31 23:59:59", {Interval::month, 1}, 2, "1970-02-28 23:59:59"},
      {"2038-01-19 03:14:07", {Interval::month, 1}, 1, "2038-02-19 03:14:07"},
      {"2026-05-05 05:05:05", {Interval::year, 3}, 0, "2026-05-05 05:05:05"},
  };
  for (const auto& given : cases)
    EXPECT_EQ(to_text(boundary(at(given.anchor), given.recurrence, given.ordinal)),
              std::string(given.boundary) + " UTC")
        << given.anchor << ", " << given.recurrence.count << " " << to_text(given.recurrence.interval) << " x "
        << given.ordinal;
}

TEST(Calendar, NeverDriftsThroughAShortMonth) {
  const Timestamp anchor = at("2026-01-31 00:00:00");
  for (std::int64_t year = 0; year < 100; ++year)
    EXPECT_EQ(to_text(boundary(anchor, {Interval::month, 1}, 12 * year)).substr(4), "-01-31 00:00:00 UTC");
}

TEST(Calendar, KeepsTheMicrosecondsOfTheAnchor) {
  const Timestamp anchor = at("2026-01-31 00:00:00") + Duration(123456);
  EXPECT_EQ(boundary(anchor, {Interval::month, 1}, 1), at("2026-02-28 00:00:00") + Duration(123456));
}

TEST(Calendar, FindsThePeriodThatHoldsATime) {
  const Timestamp anchor = at("2026-01-31 12:00:00");
  const Recurrence monthly{Interval::month, 1};
  EXPECT_EQ(ordinal_at(anchor, monthly, anchor), 0);
  EXPECT_EQ(ordinal_at(anchor, monthly, anchor - Duration(1)), -1);
  EXPECT_EQ(ordinal_at(anchor, monthly, at("2026-02-28 11:59:59")), 0);
  EXPECT_EQ(ordinal_at(anchor, monthly, at("2026-02-28 12:00:00")), 1);
  EXPECT_EQ(ordinal_at(anchor, monthly, at("2126-01-31 12:00:00")), 1200);
}

Recurrence any_recurrence() {
  switch (*rc::gen::inRange(0, 4)) {
    case 0:
      return {Interval::day, *rc::gen::inRange(1, 1096)};
    case 1:
      return {Interval::week, *rc::gen::inRange(1, 157)};
    case 2:
      return {Interval::month, *rc::gen::inRange(1, 37)};
    default:
      return {Interval::year, *rc::gen::inRange(1, 4)};
  }
}

Timestamp any_time() {
  return Timestamp(Duration(*rc::gen::inRange<std::int64_t>(0, to_unix(end_of_time) * 1'000'000)));
}

RC_GTEST_PROP(Calendar, PeriodsFollowEachOtherWithoutGapOrOverlap, ()) {
  const Timestamp anchor = any_time();
  const Recurrence recurrence = any_recurrence();
  const auto ordinal = *rc::gen::inRange<std::int64_t>(-500, 500);
  const Period period = period_at(anchor, recurrence, ordinal);
  RC_ASSERT(period.start < period.end);
  RC_ASSERT(period.end == period_at(anchor, recurrence, ordinal + 1).start);
}

RC_GTEST_PROP(Calendar, OrdinalAtIsTheInverseOfBoundary, ()) {
  const Timestamp anchor = any_time();
  const Recurrence recurrence = any_recurrence();
  const auto ordinal = *rc::gen::inRange<std::int64_t>(-500, 500);
  const Period period = period_at(anchor, recurrence, ordinal);
  RC_ASSERT(ordinal_at(anchor, recurrence, period.start) == ordinal);
  RC_ASSERT(ordinal_at(anchor, recurrence, period.start - Duration(1)) == ordinal - 1);
  RC_ASSERT(ordinal_at(anchor, recurrence, period.end - Duration(1)) == ordinal);
  const Timestamp within =
      period.start + Duration(*rc::gen::inRange<std::int64_t>(0, (period.end - period.start).count()));
  RC_ASSERT(ordinal_at(anchor, recurrence, within) == ordinal);
}

/// The numbers of a line, one after the other.
class Numbers {
 public:
  explicit Numbers(std::string_view line) : at_(line.data()), end_(line.data() + line.size()) {}
  std::optional<std::int64_t> next() {
    while (at_ != end_ && (*at_ == ' ' || *at_ == '\n')) ++at_;
    std::int64_t number = 0;
    const auto read = std::from_chars(at_, end_, number);
    if (read.ec != std::errc()) return std::nullopt;
    at_ = read.ptr;
    return number;
  }

 private:
  const char *at_, *end_;
};

TEST(Calendar, AgreesWithPythonsDatetime) {
  constexpr int in_a_row = 100;
  const auto cycles = static_cast<int>(test::times(25'000, 300'000));
  const std::string command = std::string("'") + BILLD_PYTHON + "' '" + BILLD_CALENDAR_ORACLE + "' " +
                              std::to_string(test::seed()) + " " + std::to_string(cycles);
  SCOPED_TRACE(command);
  std::FILE* oracle = popen(command.c_str(), "r");
  ASSERT_NE(oracle, nullptr);
  std::array<char, 4096> line{};
  std::array<char, 8> interval{};
  int compared = 0, wrong = 0, read = 0;
  while (wrong < 10 && std::fgets(line.data(), line.size(), oracle) != nullptr) {
    std::int64_t anchor_seconds = 0, ordinal = 0;
    Recurrence recurrence;
    ASSERT_EQ(std::sscanf(line.data(), "%" SCNd64 " %7s %" SCNd32 " %" SCNd64 "%n", &anchor_seconds, interval.data(),
                          &recurrence.count, &ordinal, &read),
              4)
        << line.data();
    recurrence.interval = parse_interval(interval.data()).value();
    const Timestamp anchor = from_unix(anchor_seconds);
    Numbers boundaries(line.data() + read);
    for (auto expected = boundaries.next(); expected; expected = boundaries.next(), ++ordinal, ++compared) {
      const Timestamp turns = boundary(anchor, recurrence, ordinal);
      // Who looks for the period finds the one that begins then, and a moment before that the one before it.
      const bool is_found = ordinal_at(anchor, recurrence, turns) == ordinal &&
                            (ordinal % 8 != 0 || ordinal_at(anchor, recurrence, turns - Duration(1)) == ordinal - 1);
      if (turns == from_unix(*expected) && is_found) continue;
      ADD_FAILURE() << anchor_seconds << ' ' << interval.data() << ' ' << recurrence.count << ": boundary " << ordinal
                    << " is " << *expected << ", but here it is " << to_unix(turns);
      if (++wrong == 10) break;
    }
  }
  EXPECT_EQ(pclose(oracle), 0);
  EXPECT_EQ(compared, cycles * in_a_row);
  RecordProperty("dates", compared);
}

TEST(Recurrence, IsAtLeastOneIntervalAndAtMostThreeYears) {
  for (Recurrence fine : {Recurrence{Interval::day, 1},
                          {Interval::day, 1095},
                          {Interval::week, 156},
                          {Interval::month, 36},
                          {Interval::year, 3}})
    EXPECT_TRUE(check_recurrence(fine));
  for (Recurrence wrong : {Recurrence{Interval::day, 0},
                           {Interval::month, -1},
                           {Interval::day, 1096},
                           {Interval::week, 157},
                           {Interval::month, 37},
                           {Interval::year, 4}}) {
    auto checked = check_recurrence(wrong);
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().code, Errc::invalid_parameter);
    EXPECT_EQ(checked.error().parameter, "interval_count");
  }
}

TEST(Interval, IsReadAndWrittenAsStripeDoes) {
  for (Interval interval : {Interval::day, Interval::week, Interval::month, Interval::year})
    EXPECT_EQ(parse_interval(to_text(interval)).value(), interval);
  for (std::string_view wrong : {"", "Month", "months", "decade"}) {
    ASSERT_FALSE(parse_interval(wrong));
    EXPECT_EQ(parse_interval(wrong).error().parameter, "interval");
  }
}

TEST(Timestamp, FromUnixSecondsNeverWraps) {
  EXPECT_EQ(to_unix(from_unix(1'795'294'698)), 1'795'294'698);
  EXPECT_GT(from_unix(std::numeric_limits<std::int64_t>::max()), end_of_time);
  EXPECT_LT(from_unix(std::numeric_limits<std::int64_t>::min()), from_unix(0));
}

TEST(Timestamp, IsCutToWholeSecondsTowardsThePast) {
  EXPECT_EQ(whole_second(from_unix(10) + Duration(999'999)), from_unix(10));
  EXPECT_EQ(whole_second(from_unix(-10) - Duration(1)), from_unix(-11));
  EXPECT_EQ(to_unix(from_unix(-10) - Duration(1)), -11);
}

TEST(Timestamp, IsWrittenInUtc) {
  EXPECT_EQ(to_text(at("2026-11-21 20:58:18")), "2026-11-21 20:58:18 UTC");
  EXPECT_EQ(to_text(end_of_time), "2199-12-31 23:59:59 UTC");
}

}  // namespace
}  // namespace billd::calendar_test
