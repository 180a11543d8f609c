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

TEST(Crash, AnOutcomeThatCameWhileRedisWasRestartedIsRecorded) {
  RedisServer server = durable_redis();
  ManualClock clock(start_of_test);
  Daemon daemon(server, clock);
  const AccountKey key = daemon.add_customer(1);
  daemon.gateway->fault = Fault::swallow_answer;
  std::optional<Result<api::Billing::Executed>> answered;
  auto subscribe = [&]() -> awaitable<> {
    auto execution = Daemon::execution(key, Daemon::subscription(), "key", Mode::test);
    answered = co_await daemon.accounts.execute(std::move(execution));
  };
  daemon.tasks.spawn("request", subscribe());
  ASSERT_TRUE(run_until(daemon.loop, [&] { return daemon.gateway->held == 1; }));
  server.kill();
  daemon.gateway->let_go();
  server.start();
  ASSERT_TRUE(run_until(daemon.loop, [&] { return answered.has_value(); }));
  ASSERT_TRUE(*answered) << answered->error().detail;
  EXPECT_THAT((*answered)->answer.body, HasSubstr("subscription/3 invoice 0/2"));
  EXPECT_EQ(daemon.successes(key), 1u);
  daemon.stop();
}

TEST(Crash, MoneyStandsStillWhenRedisCameBackWithLess) {
  RedisServer forgetful;
  ManualClock clock(start_of_test);
  Daemon daemon(forgetful, clock);
  const AccountKey key = daemon.add_subscriber(1);
  clock.advance(days(1));
  forgetful.kill();
  forgetful.start();
  ASSERT_TRUE(run_until(daemon.loop, [&] { return !daemon.store.data_loss().empty(); }));
  EXPECT_THAT(daemon.accounts.obstacle(), HasSubstr("Redis lost data"));
  EXPECT_EQ(daemon.run_due(key).error().code, Errc::unavailable);
  const AccountKey other = AccountKey::from_bits(8, 8);
  CreateCustomer create;
  create.source = run(daemon.loop, daemon.gateway->describe_source(Mode::test, "tok_visa")).value();
  ASSERT_TRUE(daemon.execute(other, create));
  EXPECT_EQ(daemon.execute(other, Daemon::subscription()).error().code, Errc::unavailable);
  EXPECT_TRUE(daemon.ledger().empty());
  daemon.stop();
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
  auto work_for = [&](Milliseconds time) {
    const auto until = SteadyClock::now() + time;
    run_until({&daemon}, [&] { return SteadyClock::now() >= until; });
  };
  auto is_settled = [&](std::size_t period) {
    return std::ranges::all_of(keys, [&](const AccountKey& key) {
      const Account account = daemon.load(key);
      return account.subscriptions.at(0).ordinal == static_cast<std::int64_t>(period) && account.invoices.empty();
    });
  };
  std::minstd_rand random(17);  // where in the work the kills fall also depends on the machine
  for (std::size_t period = 1; period <= periods; ++period) {
    clock.set(start_of_test + days(period));
    work_for(Milliseconds(random() % 30));
    server.kill();
    server.start();
    work_for(Milliseconds(50));
    // What became of a charge is asked for half a minute later.
    for (int round = 0; round < 100 && !is_settled(period); ++round) {
      clock.advance(seconds(31));
      work_for(Milliseconds(50));
    }
  }
  for (const AccountKey& key : keys) {
    EXPECT_EQ(daemon.load(key).subscriptions.at(0).ordinal, static_cast<std::int64_t>(periods));
    const auto paid = daemon.paid_invoices(key);
    EXPECT_EQ(paid.size(), periods + 1);
  }
  const auto successes = daemon.successes();
  EXPECT_EQ(successes.size(), accounts);
  for (const auto& [account, charges] : successes) EXPECT_EQ(charges, periods + 1) << account;
  EXPECT_EQ(daemon.accounts.statistics().parked, 0u);
  daemon.stop();
}

}  // namespace
}  // namespace billd::jobs
