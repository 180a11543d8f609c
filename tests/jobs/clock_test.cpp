// The judgement on clocks, and the time of test clocks' customers.
#include "jobs/clock.hpp"

#include <gtest/gtest.h>

namespace billd::jobs {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Timestamp noon = from_unix(1'795'262'400);

/// A clock that has run evenly for an hour.
ClockTrust steady_clock() {
  ClockTrust trust{ClockLimits()};
  for (int second = 0; second <= 3600; ++second) trust.read(noon + seconds(second), seconds(second));
  return trust;
}

TEST(ClockTrust, IsGivenToAClockThatRunsEvenly) { EXPECT_EQ(steady_clock().reason(), ""); }

TEST(ClockTrust, FollowsAClockThatIsAdjustedLittleByLittle) {
  ClockTrust trust{ClockLimits()};
  for (int second = 0; second <= 3600; ++second)
    trust.read(noon + seconds(second) + milliseconds(second * 5), seconds(second));  // 18 s within the hour
  EXPECT_EQ(trust.reason(), "");
}

TEST(ClockTrust, IsLostByAStepAndRegainedByTheStepBack) {
  ClockTrust trust = steady_clock();
  trust.read(noon + hours(24) + seconds(3601), seconds(3601));
  EXPECT_EQ(trust.reason(), "the clock stepped by +86400.000 s");
  trust.read(noon + seconds(3602), seconds(3602));
  EXPECT_EQ(trust.reason(), "");
  trust.read(noon - hours(1) + seconds(3603), seconds(3603));
  EXPECT_EQ(trust.reason(), "the clock stepped by -3600.000 s");
}

TEST(ClockTrust, ComesBackWhenTheClockStayedAtItsNewTimeForLong) {
  ClockTrust trust = steady_clock();
  for (int second = 3601; second < 3661; ++second) {
    trust.read(noon + hours(24) + seconds(second), seconds(second));
    ASSERT_NE(trust.reason(), "") << second;
  }
  trust.read(noon + hours(24) + seconds(3661), seconds(3661));
  EXPECT_EQ(trust.reason(), "");
}

TEST(ClockTrust, DoesNotComeBackWhileRedisDisagrees) {
  ClockTrust trust = steady_clock();
  for (int second = 3601; second < 3800; ++second) {
    const Timestamp shown = noon + hours(24) + seconds(second);
    trust.compare(noon + seconds(second), shown, shown);
    trust.read(shown, seconds(second));
  }
  EXPECT_EQ(trust.reason(), "the clock stepped by +86400.000 s");
}

TEST(ClockTrust, IsLostByBeingOffRedisClock) {
  ClockTrust trust = steady_clock();
  const Timestamp shown = noon + hours(1);
  trust.compare(shown - seconds(300), shown, shown + milliseconds(2));
  EXPECT_EQ(trust.reason(), "the clock is +300.001 s off Redis' clock");
  trust.compare(shown - seconds(2), shown, shown + milliseconds(2));
  EXPECT_EQ(trust.reason(), "");
}

TEST(ClockTrust, LearnsNothingFromASlowAnswer) {
  ClockTrust trust = steady_clock();
  trust.compare(noon, noon + hours(1), noon + hours(1) + seconds(8));
  EXPECT_EQ(trust.reason(), "");
}

TEST(ClockTrust, IsNotGivenToAClockThatWasNeverSet) {
  ClockTrust trust{ClockLimits()};
  trust.read(from_unix(17), seconds(17));
  EXPECT_EQ(trust.reason(), "the clock shows a time before 2024");
}

TEST(SystemClock, IsTrustedAndDoesNotGoBack) {
  SystemClock clock;
  Timestamp before = clock.now();
  for (int i = 0; i < 1000; ++i) {
    const Timestamp now = clock.now();
    EXPECT_GE(now, before);
    before = now;
  }
  EXPECT_EQ(clock.distrust(), "");
}

TEST(AccountTime, StaysWithinTheFrozenSecondAndKeepsTheOrder) {
  TestClock clock;
  clock.created = noon;
  clock.frozen_time = from_unix(1'000'000'000);
  EXPECT_EQ(account_time(clock, noon), clock.frozen_time);
  Timestamp before = clock.frozen_time;
  for (Duration age :
       {Duration(milliseconds(1)), Duration(milliseconds(2)), Duration(seconds(1)),
        Duration(seconds(1) + milliseconds(1)), Duration(seconds(60)), Duration(seconds(60) + milliseconds(5)),
        Duration(hours(1)), Duration(hours(1) + seconds(1)), Duration(hours(24 * 30))}) {
    const Timestamp now = account_time(clock, noon + age);
    EXPECT_GT(now, before) << age.count();
    EXPECT_LT(now, clock.frozen_time + seconds(1));
    before = now;
  }
  EXPECT_LT(account_time(clock, noon + hours(24 * 365)), clock.frozen_time + seconds(1));
  EXPECT_EQ(account_time(clock, noon - hours(1)), clock.frozen_time);
}

}  // namespace
}  // namespace billd::jobs
