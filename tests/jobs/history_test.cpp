// The last day, minute by minute: kept, put together, and carried over a restart.
#include "jobs/history.hpp"

#include <gmock/gmock.h>

namespace billd::jobs {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Timestamp noon = from_unix(1'795'262'400);

TEST(History, KeepsTheWorstOfEachMinute) {
  History history;
  history.sample(noon, seconds(3), 100, 5);
  history.sample(noon + seconds(30), seconds(9), 110, 5);
  history.sample(noon + seconds(59), seconds(1), 120, 6);
  history.sample(noon + seconds(60), seconds(0), 125, 6);
  ASSERT_EQ(history.minutes().size(), 2U);
  EXPECT_EQ(history.minutes()[0], (Minute{noon, seconds(9), 20, 1})) << "what was done before is not counted";
  EXPECT_EQ(history.minutes()[1], (Minute{noon + minutes(1), seconds(0), 5, 0}));
  EXPECT_EQ(history.latest(noon), seconds(9));
  EXPECT_EQ(history.latest(noon + minutes(1)), seconds(0));
}

TEST(History, ForgetsWhatIsOlderThanADay) {
  History history;
  for (int minute = 0; minute < 3000; ++minute) history.sample(noon + minutes(minute), seconds(minute), 0, 0);
  EXPECT_LE(history.minutes().size(), History::minutes_max + 1);
  EXPECT_GE(history.minutes().front().at, noon + minutes(2999) - hours(24));
}

TEST(History, GoesOnWhereTheClockStepsBack) {
  History history;
  history.sample(noon, seconds(1), 0, 0);
  history.sample(noon - minutes(5), seconds(7), 0, 0);
  ASSERT_EQ(history.minutes().size(), 1U);
  EXPECT_EQ(history.minutes()[0].late, seconds(7));
}

TEST(History, IsPutTogetherInStretches) {
  History history;
  history.sample(noon - minutes(50), seconds(8), 0, 0);
  history.sample(noon - minutes(20), seconds(2), 10, 1);
  history.sample(noon - minutes(16), seconds(4), 15, 1);
  history.sample(noon + minutes(3), seconds(0), 16, 2);
  const auto stretches = history.stretches(noon + minutes(3), minutes(15), 3);
  ASSERT_EQ(stretches.size(), 3U);
  ASSERT_TRUE(stretches[0]);
  EXPECT_EQ(*stretches[0], (Minute{noon - minutes(30), seconds(4), 15, 1}));
  EXPECT_FALSE(stretches[1]) << "nobody looked";
  EXPECT_EQ(stretches[2]->at, noon);
  EXPECT_EQ(stretches[2]->failed, 1U);
}

TEST(History, OutlivesARestart) {
  History before;
  before.sample(noon, seconds(3), 0, 0);
  before.sample(noon + minutes(1), seconds(5), 40, 2);
  History after;
  after.restore("nonsense\n" + before.to_text() + "1 -5 1 1\n12 13\n");
  EXPECT_EQ(after.minutes(), before.minutes());
  after.sample(noon + minutes(1), seconds(9), 1'000, 7);
  EXPECT_EQ(after.minutes().back(), (Minute{noon + minutes(1), seconds(9), 40, 2})) << "the minute goes on";
  after.sample(noon + minutes(2), seconds(0), 1'001, 7);
  EXPECT_EQ(after.minutes().back().done, 1U);
}

}  // namespace
}  // namespace billd::jobs
