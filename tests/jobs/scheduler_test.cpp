// Whole daemons at work: what is due is done, in order, by whoever is there.
#include "jobs/scheduler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/jobs/daemon.hpp"

namespace billd::jobs {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using Fault = FaultyGateway::Fault;

constexpr auto renewal = static_cast<std::size_t>(Queue::renewal);
constexpr auto collection = static_cast<std::size_t>(Queue::collection);

class SchedulerTest : public testing::Test {
 protected:
  std::unique_ptr<Daemon> daemon(DaemonOptions options = DaemonOptions()) {
    return std::make_unique<Daemon>(server_, clock_, options);
  }
  static auto has_renewed(Daemon& daemon, std::uint64_t count) {
    return [&daemon, count] { return daemon.accounts.statistics().done[renewal] >= count; };
  }

  RedisServer server_{};
  ManualClock clock_{start_of_test};
};

TEST_F(SchedulerTest, RenewsEverybodyOnceWithFewInFlight) {
  DaemonOptions options;
  options.jobs.in_flight_max = 16;
  options.jobs.batch_max = 8;
  auto a = daemon(options);
  for (std::uint64_t i = 0; i < 200; ++i) a->add_subscriber(i);
  clock_.advance(days(1));
  a->start();
  EXPECT_TRUE(run_until({a.get()}, has_renewed(*a, 200), Milliseconds(20'000)));
  for (const auto& [account, charges] : a->successes()) EXPECT_EQ(charges, 2u) << account;
  EXPECT_EQ(a->accounts.statistics().done[renewal], 200u);
  EXPECT_EQ(a->scheduler.lateness().count(), 200u);
  a->stop();
}

TEST_F(SchedulerTest, WorksOffFortyDaysOfADailyPlan) {
  auto a = daemon();
  std::vector<AccountKey> keys;
  for (std::uint64_t i = 0; i < 20; ++i) keys.push_back(a->add_subscriber(i));
  clock_.advance(days(40));
  a->start();
  EXPECT_TRUE(run_until({a.get()}, has_renewed(*a, 20 * 40), Milliseconds(20'000)));
  for (const AccountKey& key : keys) EXPECT_EQ(a->load(key).subscriptions.at(0).ordinal, 40);
  for (const auto& [account, charges] : a->successes()) EXPECT_EQ(charges, 41u) << account;
  a->stop();
}

TEST_F(SchedulerTest, DoesWhatACommandMadeDueAtOnce) {
  DaemonOptions options;
  options.jobs.poll_interval = seconds(60);
  auto a = daemon(options);
  const AccountKey key = a->add_customer(1, "tok_chargeCustomerFail");
  a->start();
  ASSERT_TRUE(run_until({a.get()}, [&] { return a->partitions.held().size() == 4; }));
  Subscribe trial = Daemon::subscription();
  trial.trial_end = clock_.now() + days(5);
  ASSERT_TRUE(a->execute(key, trial));
  CancelSubscription cancel;
  cancel.subscription = a->load(key).subscriptions.at(0).id;
  cancel.at_period_end = true;
  ASSERT_TRUE(a->execute(key, cancel));
  clock_.advance(days(5));
  UpdateCustomer update;
  update.name = "Ann";
  ASSERT_TRUE(a->execute(key, update));
  EXPECT_TRUE(run_until({a.get()}, [&] { return a->accounts.statistics().ticks == 1; }, Milliseconds(2'000)));
  EXPECT_TRUE(a->load(key).subscriptions.empty());
  a->stop();
}

TEST_F(SchedulerTest, IsNotStoppedByAnAccountThatFails) {
  auto a = daemon();
  std::vector<AccountKey> keys;
  for (std::uint64_t i = 0; i < 30; ++i) keys.push_back(a->add_subscriber(i));
  for (std::size_t i : {0u, 10u, 20u}) {
    const std::string name = a->store.key_beside(Mode::test, keys[i], "a:" + keys[i].value());
    ASSERT_TRUE(run(a->loop, a->client.execute(redis::Command("SETRANGE", name, 0, "?"))));
  }
  clock_.advance(days(1));
  a->start();
  EXPECT_TRUE(run_until({a.get()}, has_renewed(*a, 27), Milliseconds(10'000)));
  EXPECT_TRUE(run_until({a.get()}, [&] { return a->scheduler.view().parked == 3; }, Milliseconds(10'000)));
  EXPECT_EQ(a->accounts.statistics().failures.at({Queue::renewal, Errc::corrupt}).count, 3u);
  a->stop();
}

TEST_F(SchedulerTest, StopsOnlyWhenTheChargesUnderWayAreRecorded) {
  auto a = daemon();
  const AccountKey key = a->add_subscriber(1);
  a->gateway->fault = Fault::swallow_answer;
  clock_.advance(days(1));
  a->start();
  ASSERT_TRUE(run_until({a.get()}, [&] { return a->gateway->held == 1; }));
  EXPECT_FALSE(run(a->loop, a->scheduler.stop(Milliseconds(50))));
  EXPECT_EQ(a->scheduler.view().in_flight, 1u);
  a->gateway->let_go();
  a->stop();
  auto b = daemon();
  EXPECT_EQ(b->paid_invoices(key).size(), 2u);
  EXPECT_TRUE(run(b->loop, b->store.leases()).value().at(0).owner.empty());
  b->stop();
}

TEST_F(SchedulerTest, PausesWhileTheClockIsNotTrusted) {
  auto a = daemon();
  const AccountKey key = a->add_subscriber(1);
  clock_.set_distrust("the clock stepped");
  clock_.advance(days(1));
  a->start();
  EXPECT_TRUE(run_until({a.get()}, [&] { return a->scheduler.view().obstacle == "the clock stepped"; }));
  EXPECT_EQ(a->successes(key), 1u);
  clock_.set_distrust({});
  EXPECT_TRUE(run_until({a.get()}, has_renewed(*a, 1), Milliseconds(2'000)));
  a->stop();
}

TEST_F(SchedulerTest, TellsWhatIsDueAndHowLate) {
  auto a = daemon();
  for (std::uint64_t i = 0; i < 5; ++i) a->add_subscriber(i);
  clock_.set_distrust("not yet");
  clock_.advance(days(1) + seconds(90));
  a->start();
  ASSERT_TRUE(run_until({a.get()}, [&] { return a->scheduler.view().queues[renewal].due == 5; }));
  const QueueView queue = a->scheduler.view().queues[renewal];
  EXPECT_EQ(queue.waiting, 5u);
  EXPECT_EQ(queue.oldest, start_of_test + days(1));
  EXPECT_EQ(queue.late, Duration(seconds(90)));
  clock_.set_distrust({});
  EXPECT_TRUE(run_until({a.get()}, has_renewed(*a, 5)));
  EXPECT_TRUE(run_until({a.get()}, [&] { return a->scheduler.view().queues[renewal].due == 0; }));
  EXPECT_EQ(a->scheduler.view().queues[collection].waiting, 0u);
  EXPECT_EQ(a->scheduler.view().partitions_held, 4u);
  a->stop();
}

TEST_F(SchedulerTest, SharesTheWorkWithAnotherDaemonAndDoesItAloneWhenThatFreezes) {
  DaemonOptions options;
  options.partitions = 16;
  options.name = "a";
  auto a = daemon(options);
  options.name = "b";
  auto b = daemon(options);
  for (std::uint64_t i = 0; i < 100; ++i) a->add_subscriber(i);
  a->start();
  b->start();
  const std::vector<Daemon*> both = {a.get(), b.get()};
  ASSERT_TRUE(run_until(
      both, [&] { return a->partitions.held().size() == 8 && b->partitions.held().size() == 8; },
      Milliseconds(10'000)));
  auto renewed = [&](std::uint64_t count) {
    return
        [&, count] { return a->accounts.statistics().done[renewal] + b->accounts.statistics().done[renewal] >= count; };
  };
  clock_.advance(days(1));
  ASSERT_TRUE(run_until(both, renewed(100), Milliseconds(10'000)));
  EXPECT_GT(a->accounts.statistics().done[renewal], 20u);
  EXPECT_GT(b->accounts.statistics().done[renewal], 20u);

  clock_.advance(days(1));
  ASSERT_TRUE(run_until({a.get()}, renewed(200), Milliseconds(10'000)));
  ASSERT_TRUE(run_until(both, [&] { return b->partitions.held().size() == 8; }, Milliseconds(10'000)));
  for (const auto& [account, charges] : a->successes()) EXPECT_EQ(charges, 3u) << account;
  a->stop();
  b->stop();
}

}  // namespace
}  // namespace billd::jobs
