// Histograms and rates.
#include "jobs/statistics.hpp"

#include <gtest/gtest.h>

namespace billd::jobs {
namespace {

TEST(Histogram, TellsTheBoundInWhichAQuantileLies) {
  Histogram histogram;
  EXPECT_EQ(histogram.quantile(0.99), Milliseconds(0));
  for (int i = 0; i < 99; ++i) histogram.add(std::chrono::microseconds(1500));
  histogram.add(std::chrono::seconds(3));
  EXPECT_EQ(histogram.count(), 100u);
  EXPECT_EQ(histogram.quantile(0.5), Milliseconds(2));
  EXPECT_EQ(histogram.quantile(0.99), Milliseconds(2));
  EXPECT_EQ(histogram.quantile(1.0), Milliseconds(5000));
}

TEST(Histogram, TakesWhatAnotherOneHasCounted) {
  Histogram histogram, other;
  histogram.add(std::chrono::microseconds(100));
  other.add(std::chrono::microseconds(101));
  other.add(std::chrono::days(2));
  histogram += other;
  EXPECT_EQ(histogram.count(), 3u);
  EXPECT_EQ(histogram.sum(), std::chrono::days(2) + std::chrono::microseconds(201));
  EXPECT_EQ(histogram.quantile(0.3), std::chrono::microseconds(100));
  EXPECT_EQ(histogram.quantile(0.6), std::chrono::microseconds(200));
  EXPECT_EQ(histogram.buckets().back(), 1u);
}

TEST(Histogram, CountsBeforeItsTimeAsNone) {
  Histogram histogram;
  histogram.add(Duration(-5));
  EXPECT_EQ(histogram.buckets().front(), 1u);
  EXPECT_EQ(histogram.sum(), Duration(0));
}

TEST(LastMinute, ForgetsWhatIsOlder) {
  LastMinute rate;
  const SteadyClock::time_point start(std::chrono::hours(1));
  EXPECT_EQ(rate.growth(), 0u);
  for (int second = 0; second <= 120; ++second)
    rate.sample(static_cast<std::uint64_t>(second) * 10, start + std::chrono::seconds(second));
  EXPECT_EQ(rate.growth(), 600u);
}

}  // namespace
}  // namespace billd::jobs
