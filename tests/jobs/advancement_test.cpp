// Test clocks: their customers live through the time between, event by event.
#include "jobs/advancement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/jobs/daemon.hpp"

namespace billd::jobs {
namespace {

using std::chrono::days;
using std::chrono::seconds;

class AdvancementTest : public testing::Test {
 protected:
  TestClock make_clock(Daemon& daemon) {
    TestClock clock;
    clock.id = TestClockId("clock_1");
    clock.created = real_.now();
    clock.frozen_time = start_of_test;
    EXPECT_TRUE(run(daemon.loop, daemon.catalog.put<TestClock>(Mode::test, clock, std::nullopt)));
    return clock;
  }
  static TestClock advance(Daemon& daemon, const TestClock& clock, Timestamp to) {
    TestClock advancing = clock;
    advancing.status = TestClockStatus::advancing;
    advancing.advancing_to = to;
    EXPECT_TRUE(run(daemon.loop, daemon.catalog.put<TestClock>(Mode::test, advancing, clock)));
    return advancing;
  }
  static auto is_ready(Daemon& daemon) {
    return [&daemon] {
      const auto clocks = daemon.catalog.all<TestClock>(Mode::test);
      return !clocks.empty() && (*clocks.begin()).status == TestClockStatus::ready;
    };
  }

  RedisServer server_{};
  SystemClock real_;
};

TEST_F(AdvancementTest, BringsManyCustomersThroughMonthsQuickly) {
  Daemon daemon(server_, real_);
  const TestClock clock = make_clock(daemon);
  std::vector<AccountKey> keys;
  for (std::uint64_t i = 0; i < 200; ++i) keys.push_back(daemon.add_subscriber(i, Interval::month, clock.id));
  daemon.start();
  ASSERT_TRUE(run_until({&daemon}, [&] { return daemon.partitions.held().size() == 4; }));
  const auto begun = SteadyClock::now();
  advance(daemon, clock, start_of_test + days(95));
  EXPECT_TRUE(run_until({&daemon}, is_ready(daemon), Milliseconds(20'000)));
  EXPECT_LT(SteadyClock::now() - begun, seconds(5));
  EXPECT_EQ(daemon.catalog.get<TestClock>(Mode::test, clock.id.value())->frozen_time, start_of_test + days(95));
  const std::vector<Invoice> paid = daemon.paid_invoices(keys[7]);
  ASSERT_EQ(paid.size(), 4u);
  for (std::size_t i = 1; i < paid.size(); ++i) {
    EXPECT_EQ(paid[i].created, boundary(start_of_test, {Interval::month, 1}, static_cast<std::int64_t>(i)));
    EXPECT_EQ(paid[i].paid_at, paid[i].created);
  }
  for (const AccountKey& key : keys) EXPECT_EQ(daemon.load(key).subscriptions.at(0).ordinal, 3);
  EXPECT_EQ(daemon.ledger().size(), 800u);
  daemon.stop();
}

TEST_F(AdvancementTest, RefusesCommandsOfItsCustomersMeanwhile) {
  Daemon daemon(server_, real_);
  const TestClock clock = make_clock(daemon);
  const AccountKey key = daemon.add_subscriber(1, Interval::month, clock.id);
  advance(daemon, clock, start_of_test + days(40));  // nobody holds a partition: nothing moves
  const auto refused = daemon.execute(key, UpdateCustomer());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::invalid_state);
  EXPECT_EQ(refused.error().detail, "Test clock advancement underway: cannot perform modifications");
  daemon.start();
  EXPECT_TRUE(run_until({&daemon}, is_ready(daemon)));
  EXPECT_TRUE(daemon.execute(key, UpdateCustomer()));
  EXPECT_EQ(daemon.paid_invoices(key).size(), 2u);
  daemon.stop();
}

TEST_F(AdvancementTest, RefusesACustomerOfAClockThatIsNotThere) {
  Daemon daemon(server_, real_);
  CreateCustomer create;
  create.test_clock = TestClockId("clock_none");
  const auto refused = daemon.execute(AccountKey::from_bits(1, 1), create);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::not_found);
  EXPECT_EQ(refused.error().parameter, "test_clock");
  daemon.stop();
}

TEST_F(AdvancementTest, KeepsTheOrderOfWhatIsMadeAtOneFrozenSecond) {
  Daemon daemon(server_, real_);
  const TestClock clock = make_clock(daemon);
  const AccountKey key = daemon.add_subscriber(1, Interval::month, clock.id);
  run(daemon.loop, [](Milliseconds wait) -> awaitable<> { co_await sleep_for(wait); }(Milliseconds(5)));
  ASSERT_TRUE(daemon.execute(key, Daemon::subscription(Interval::month)));
  const Account account = daemon.load(key);
  EXPECT_LT(account.subscriptions.at(0).created, account.subscriptions.at(1).created);
  EXPECT_EQ(to_unix(account.subscriptions.at(1).created), to_unix(start_of_test));
  EXPECT_EQ(account.subscriptions.at(1).current_period.start, start_of_test);
  daemon.stop();
}

TEST_F(AdvancementTest, IsDoneByTwoDaemonsTogether) {
  DaemonOptions options;
  options.partitions = 16;
  options.name = "a";
  Daemon a(server_, real_, options);
  options.name = "b";
  Daemon b(server_, real_, options);
  const TestClock clock = make_clock(a);
  for (std::uint64_t i = 0; i < 60; ++i) a.add_subscriber(i, Interval::month, clock.id);
  a.start();
  b.start();
  const std::vector<Daemon*> both = {&a, &b};
  ASSERT_TRUE(run_until(
      both, [&] { return a.partitions.held().size() == 8 && b.partitions.held().size() == 8; }, Milliseconds(10'000)));
  advance(a, clock, start_of_test + days(70));
  EXPECT_TRUE(run_until(both, [&] { return is_ready(a)() && is_ready(b)(); }, Milliseconds(20'000)));
  for (const auto& [account, charges] : a.successes()) EXPECT_EQ(charges, 3u) << account;
  EXPECT_GT(a.accounts.statistics().ticks, 0u);
  EXPECT_GT(b.accounts.statistics().ticks, 0u);
  a.stop();
  b.stop();
}

}  // namespace
}  // namespace billd::jobs
