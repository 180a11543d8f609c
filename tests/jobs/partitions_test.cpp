// Leases over real time: sharing, taking over, giving up.
#include "jobs/partitions.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/jobs/daemon.hpp"

namespace billd::jobs {
namespace {

using testing::ElementsAre;

DaemonOptions named(std::string name) {
  DaemonOptions options;
  options.name = std::move(name);
  options.partitions = 16;
  return options;
}

class PartitionsTest : public testing::Test {
 protected:
  std::unique_ptr<Daemon> daemon(std::string name) {
    auto made = std::make_unique<Daemon>(server_, clock_, named(std::move(name)));
    made->start();
    return made;
  }
  static auto holds(const std::unique_ptr<Daemon>& daemon, std::size_t count) {
    return [&daemon, count] { return daemon->partitions.held().size() == count; };
  }

  RedisServer server_{};
  SystemClock clock_;
};

TEST_F(PartitionsTest, AreTakenByTheOnlyDaemonAtOnce) {
  auto a = daemon("a");
  EXPECT_TRUE(run_until({a.get()}, holds(a, 16), Milliseconds(1'000)));
  const auto fence = a->partitions.fence(3);
  ASSERT_TRUE(fence);
  EXPECT_EQ(fence->epoch, 1u);
  a->stop();
}

TEST_F(PartitionsTest, AreSharedEvenlyAndTakenOverFromADaemonThatIsFrozen) {
  auto a = daemon("a");
  ASSERT_TRUE(run_until({a.get()}, holds(a, 16)));
  auto b = daemon("b");
  const std::vector<Daemon*> both = {a.get(), b.get()};
  ASSERT_TRUE(run_until(both, [&] { return holds(a, 8)() && holds(b, 8)(); }, Milliseconds(10'000)));

  // The quickest of three counts: a machine that is busy with other things delays both daemons.
  auto quickest = SteadyClock::duration::max();
  for (int round = 0; round < 3 && quickest >= std::chrono::seconds(2); ++round) {
    const auto frozen_at = SteadyClock::now();
    ASSERT_TRUE(run_until({a.get()}, holds(a, 16), Milliseconds(10'000)));
    quickest = std::min(quickest, SteadyClock::now() - frozen_at);
    // By the time others could take them, the frozen daemon would not have used them any more.
    EXPECT_TRUE(b->partitions.held().empty());
    EXPECT_FALSE(b->partitions.fence(0));
    // It wakes up, learns what it lost, and gets its share again.
    ASSERT_TRUE(run_until(both, [&] { return holds(a, 8)() && holds(b, 8)(); }, Milliseconds(10'000)));
  }
  EXPECT_LT(quickest, std::chrono::seconds(2));
  a->stop();
  b->stop();
}

TEST_F(PartitionsTest, AreGivenUpByAnOrderlyStopAndTakenByTheOther) {
  auto a = daemon("a"), b = daemon("b");
  ASSERT_TRUE(run_until({a.get(), b.get()}, [&] { return holds(a, 8)() && holds(b, 8)(); }, Milliseconds(10'000)));
  b->stop();
  EXPECT_TRUE(run_until({a.get()}, holds(a, 16), Milliseconds(1'400)));  // the leases would have ended after 1,500
  a->stop();
}

TEST_F(PartitionsTest, ThatRedisGaveWhileTheAnswerWasLostAreTakenAnew) {
  auto a = daemon("a");
  ASSERT_TRUE(run_until({a.get()}, holds(a, 16)));
  // What a taking leaves whose answer never came: Redis has the lease as this daemon's, under an epoch that the daemon
  // has not heard of.
  const auto seen = run(a->loop, a->store.leases());
  ASSERT_TRUE(seen);
  const store::Store::Lease& lease = seen->at(3);
  const auto unheard = run(a->loop, a->store.take_lease(3, lease, lease.owner, lease.incarnation));
  ASSERT_TRUE(unheard);
  const auto is_held_anew = [&] {
    const auto fence = a->partitions.fence(3);
    return fence && fence->epoch > unheard->epoch;
  };
  EXPECT_TRUE(run_until({a.get()}, is_held_anew, Milliseconds(1'400))) << "it does not wait for its own lease to end";
  EXPECT_EQ(a->partitions.held().size(), 16u);
  a->stop();
}

TEST_F(PartitionsTest, AreTakenBackAtOnceByADaemonThatWasKilledAndStartedAgain) {
  auto a = daemon("a");
  ASSERT_TRUE(run_until({a.get()}, holds(a, 16)));
  Daemon::kill(std::move(a));
  auto again = daemon("a");
  EXPECT_TRUE(run_until({again.get()}, holds(again, 16), Milliseconds(1'000)));  // not the timeout of 1,500
  EXPECT_EQ(again->partitions.fence(0)->epoch, 2u);
  again->stop();
}

TEST_F(PartitionsTest, AreNotHeldWithoutRedisAndComeBackWithIt) {
  auto a = daemon("a");
  ASSERT_TRUE(run_until({a.get()}, holds(a, 16)));
  server_.pause();
  EXPECT_TRUE(run_until({a.get()}, holds(a, 0), Milliseconds(5'000)));
  server_.resume();
  EXPECT_TRUE(run_until({a.get()}, holds(a, 16), Milliseconds(15'000)));
  a->stop();
}

TEST_F(PartitionsTest, AreNotTakenFromOthersBecauseRedisWasAway) {
  auto a = daemon("a"), b = daemon("b");
  const std::vector<Daemon*> both = {a.get(), b.get()};
  ASSERT_TRUE(run_until(both, [&] { return holds(a, 8)() && holds(b, 8)(); }, Milliseconds(10'000)));
  const std::uint64_t epoch = a->partitions.fence(a->partitions.held().front())->epoch;
  const std::vector<std::uint32_t> before = a->partitions.held();
  server_.pause();
  EXPECT_TRUE(run_until(both, [&] { return holds(a, 0)() && holds(b, 0)(); }, Milliseconds(5'000)));
  server_.resume();
  EXPECT_TRUE(run_until(both, [&] { return holds(a, 8)() && holds(b, 8)(); }, Milliseconds(10'000)));
  EXPECT_EQ(a->partitions.held(), before);
  EXPECT_EQ(a->partitions.fence(before.front())->epoch, epoch);
  a->stop();
  b->stop();
}

}  // namespace
}  // namespace billd::jobs
