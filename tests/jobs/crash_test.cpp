// Daemons and Redis killed in the middle: nothing is lost and nobody is charged twice.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "tests/jobs/daemon.hpp"

namespace billd::jobs {
namespace {

using std::chrono::days;
using std::chrono::seconds;
using testing::HasSubstr;
using Fault = FaultyGateway::Fault;

/// Where the first daemon is when it is killed.
class KilledAt : public testing::TestWithParam<Fault> {
 protected:
  /// Begins `work` on a daemon and kills it while it waits for the gateway.
  template <class Begin>
  void kill_during(Begin begin) {
    auto victim = std::make_unique<Daemon>(server_, clock_);
    begin(*victim);
    victim->gateway->fault = GetParam();
    ASSERT_TRUE(run_until(victim->loop, [&] { return victim->gateway->held == 1; }));
    Daemon::kill(std::move(victim));
  }

  RedisServer server_ = durable_redis();
  ManualClock clock_{start_of_test};
};

awaitable<> execute(Daemon& daemon, api::Execution execution) {
  co_await daemon.accounts.execute(std::move(execution));
}

awaitable<> run_job(Daemon& daemon, Job job) { co_await daemon.accounts.run_due(std::move(job)); }

TEST_P(KilledAt, TheChargeOfARenewalTheSuccessorChargesOnce) {
  AccountKey key;
  kill_during([&](Daemon& victim) {
    key = victim.add_subscriber(1);
    clock_.advance(days(1));
    Job job;
    job.account = {Mode::test, key};
    job.fence = victim.take_partition(key);
    victim.gateway->fault = GetParam();
    victim.tasks.spawn("job", run_job(victim, std::move(job)));
  });
  Daemon successor(server_, clock_);
  EXPECT_EQ(successor.load(key).subscriptions.at(0).ordinal, 1);
  EXPECT_NE(successor.load(key).invoices.at(0).unresolved_charge(), nullptr);
  clock_.advance(seconds(30));
  const auto progress = successor.run_due(key);
  ASSERT_TRUE(progress) << progress.error().detail;
  EXPECT_EQ(successor.paid_invoices(key).size(), 2u);
  EXPECT_EQ(successor.successes(key), 2u);
  successor.stop();
}

TEST_P(KilledAt, TheChargeOfARequestTheRepetitionAwaitsItsOutcome) {
  AccountKey key;
  kill_during([&](Daemon& victim) {
    key = victim.add_customer(1);
    victim.gateway->fault = GetParam();
    victim.tasks.spawn("request", execute(victim, Daemon::execution(key, Daemon::subscription(), "key", Mode::test)));
  });
  Daemon successor(server_, clock_);
  EXPECT_EQ(successor.execute(key, Daemon::subscription(), "key").error().code, Errc::idempotency_in_progress);
  clock_.advance(seconds(30));
  ASSERT_TRUE(successor.run_due(key));
  const auto answered = successor.execute(key, Daemon::subscription(), "key");
  ASSERT_TRUE(answered) << answered.error().detail;
  EXPECT_TRUE(answered->repeated);
  EXPECT_THAT(answered->answer.body, HasSubstr("subscription/3 invoice 0/2"));
  EXPECT_EQ(successor.execute(key, Daemon::subscription(), "key")->answer, answered->answer);
  EXPECT_EQ(successor.load(key).subscriptions.size(), 1u);
  EXPECT_EQ(successor.successes(key), 1u);
  successor.stop();
}

INSTANTIATE_TEST_SUITE_P(, KilledAt, testing::Values(Fault::swallow_request, Fault::swallow_answer));

TEST(Crash, ADaemonThatWokeUpAfterItsSuccessorWorkedRecordsNothing) {
  RedisServer server = durable_redis();
  ManualClock clock(start_of_test);
  Daemon sleeper(server, clock), successor(server, clock);
  const AccountKey key = sleeper.add_subscriber(1);
  clock.advance(days(1));
  Job job;
  job.account = {Mode::test, key};
  job.fence = sleeper.take_partition(key);
  sleeper.gateway->fault = Fault::swallow_request;
  std::optional<Result<Progress>> woken;
  auto work = [&]() -> awaitable<> { woken = co_await sleeper.accounts.run_due(std::move(job)); };
  sleeper.tasks.spawn("job", work());
  ASSERT_TRUE(run_until(sleeper.loop, [&] { return sleeper.gateway->held == 1; }));

  const std::uint32_t partition = successor.store.partition_of(key);
  const auto seen = run(successor.loop, successor.store.leases()).value()[partition];
  Job same;
  same.account = {Mode::test, key};
  same.fence.epoch = run(successor.loop, successor.store.take_lease(partition, seen, "successor", "1")).value().epoch;
  clock.advance(seconds(30));
  ASSERT_TRUE(run(successor.loop, successor.accounts.run_due(same)));
  const Account after = successor.load(key);

  sleeper.gateway->let_go();
  ASSERT_TRUE(run_until(sleeper.loop, [&] { return woken.has_value(); }));
  EXPECT_FALSE(*woken);
  EXPECT_EQ(successor.load(key), after);
  EXPECT_EQ(successor.successes(key), 2u);
  sleeper.stop();
  successor.stop();
}

TEST(Crash, RedisKilledAgainAndAgainLosesNothingAndDoublesNothing) {
  RedisServer server = durable_redis();
  ManualClock clock(start_of_test);
  Daemon daemon(server, clock);
  constexpr std::uint64_t accounts = 60;
  constexpr std::size_t periods = 6;
  std::vector<AccountKey> keys;
  for (std::uint64_t i = 0; i < accounts; ++i) keys.push_back(daemon.add_subscriber(i));
  daemon.start();
  std::minstd_rand random(17);  // where in the work the kills fall also depends on the machine
  for (std::size_t period = 1; period <= periods; ++period) {
    clock.set(start_of_test + days(period));
    const auto kill_at = SteadyClock::now() + std::chrono::microseconds(random() % 30'000);
    run_until({&daemon}, [&] { return SteadyClock::now() >= kill_at; });
    server.kill();
    server.start();
    auto all_renewed = [&] {
      clock.advance(seconds(1));  // what became of charges is asked for after half a minute
      return daemon.accounts.statistics().done[static_cast<std::size_t>(Queue::renewal)] >= accounts * period;
    };
    run_until({&daemon}, all_renewed, Milliseconds(5'000));
  }
  // Everything is settled once nothing is due any more.
  auto all_paid = [&] {
    clock.advance(seconds(1));
    const auto view = daemon.scheduler.view();
    return view.in_flight == 0 && view.backing_off == 0 && view.queues[3].waiting == 0;
  };
  EXPECT_TRUE(run_until({&daemon}, all_paid, Milliseconds(30'000)));
  for (const AccountKey& key : keys) {
    EXPECT_EQ(daemon.load(key).subscriptions.at(0).ordinal, static_cast<std::int64_t>(periods));
    const auto paid = daemon.paid_invoices(key);
    EXPECT_EQ(paid.size(), periods + 1);
    EXPECT_EQ(daemon.successes(key), periods + 1);
  }
  EXPECT_EQ(daemon.accounts.statistics().parked, 0u);
  daemon.stop();
}

}  // namespace
}  // namespace billd::jobs
