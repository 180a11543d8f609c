// What is due, what is parked, and who owns a partition.
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/net/store_fixture.hpp"

namespace billd::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Queues : public StoreTest {
 protected:
  std::optional<std::string> due_time(const AccountKey& key, Queue queue) {
    const redis::Reply score = ask("ZSCORE", queue_key(prefix_of(key), queue), key.value());
    return score.is_nil() ? std::nullopt : std::optional(score.text());
  }

  const AccountKey ann = account_number(1);
  const Timestamp far = day_one + std::chrono::days(400);
  std::uint64_t parked_in(std::uint32_t partition) {
    std::uint64_t count = 0;
    for (const auto& group : await(store().parked_groups(partition)).value()) count += group.count;
    return count;
  }
};

TEST_F(Queues, TellWhatIsDueInDueOrderAndWhatComesNext) {
  store();
  std::vector<AccountKey> keys;
  for (int number = 0; number < 5; ++number) {
    keys.push_back(account_in(1, static_cast<std::uint64_t>(number)));
    auto created = await(create_subscriber(store(), keys.back(), day_one + std::chrono::hours(4 - number), "x"));
    ASSERT_TRUE(created) << created.error().detail;
  }
  const Timestamp first = boundary(day_one, {Interval::month, 1}, 1);
  auto nothing = await(store().due(1, first - Duration(1), 10));
  ASSERT_TRUE(nothing);
  EXPECT_THAT(nothing->due, IsEmpty());
  EXPECT_EQ(nothing->next, first);

  auto two = await(store().due(1, first + std::chrono::hours(1), 10));
  ASSERT_TRUE(two);
  ASSERT_EQ(two->due.size(), 2U);
  EXPECT_EQ(two->due[0].key, keys[4]);
  EXPECT_EQ(two->due[0].due, first);
  EXPECT_EQ(two->due[0].queue, Queue::renewal);
  EXPECT_EQ(two->due[0].mode, Mode::test);
  EXPECT_EQ(two->due[1].key, keys[3]);
  EXPECT_EQ(two->next, first + std::chrono::hours(2));

  auto limited = await(store().due(1, far, 3));
  ASSERT_TRUE(limited);
  EXPECT_EQ(limited->due.size(), 3U);
  EXPECT_TRUE(std::ranges::is_sorted(limited->due, {}, &Store::Due::due));
  ASSERT_TRUE(limited->next.has_value());
  EXPECT_LE(*limited->next, far) << "more is due: read again";

  auto all = await(store().due(1, far, 6));
  EXPECT_EQ(all->due.size(), 5U);
  EXPECT_FALSE(all->next.has_value());
  EXPECT_THAT(await(store().due(0, far, 10))->due, IsEmpty()) << "another partition";
  EXPECT_THAT(await(store().due(1, far, 0))->due, IsEmpty());

  auto sizes = await(store().queue_sizes(1, first + std::chrono::hours(1)));
  ASSERT_TRUE(sizes);
  const auto& renewals = (*sizes)[static_cast<std::size_t>(Queue::renewal)];
  EXPECT_EQ(renewals.waiting, 5U);
  EXPECT_EQ(renewals.due, 2U);
  EXPECT_EQ(renewals.oldest, first);
  EXPECT_EQ((*sizes)[static_cast<std::size_t>(Queue::collection)].waiting, 0U);
}

TEST_F(Queues, KeepTestClocksApart) {
  const TestClockId clock("clock_one");
  subscriber(ann, "ann@example.com", clock);
  const std::uint32_t partition = store().partition_of(ann);
  EXPECT_THAT(await(store().due(partition, far, 10))->due, IsEmpty());
  auto due = await(store().due_on_clock(partition, clock, far, 10));
  ASSERT_TRUE(due);
  ASSERT_EQ(due->size(), 1U);
  EXPECT_EQ((*due)[0].key, ann);
  EXPECT_EQ((*due)[0].due, boundary(day_one, {Interval::month, 1}, 1));
  EXPECT_THAT(*await(store().due_on_clock(partition, clock, day_one, 10)), IsEmpty());
  EXPECT_THAT(*await(store().due_on_clock(partition, TestClockId("clock_two"), far, 10)), IsEmpty());
}

TEST_F(Queues, KnowScoresThatRedisWritesWithAnExponent) {
  ask("ZADD", queue_key(prefix_of(ann), Queue::renewal), "1e17", ann.value());
  auto due = await(store().due(store().partition_of(ann), Timestamp::max(), 10));
  ASSERT_TRUE(due);
  ASSERT_EQ(due->due.size(), 1U);
  EXPECT_EQ(due->due[0].due.time_since_epoch().count(), 100'000'000'000'000'000);
  ask("ZADD", queue_key(prefix_of(ann), Queue::renewal), "+inf", ann.value());
  due = await(store().due(store().partition_of(ann), Timestamp::max(), 10));
  EXPECT_EQ(due->next, Timestamp::max());
}

TEST_F(Queues, LeaveOutParkedAccountsUntilTheyAreLetBack) {
  Loaded loaded = subscriber(ann);
  const std::uint32_t partition = store().partition_of(ann);
  ASSERT_TRUE(due_time(ann, Queue::renewal));
  ASSERT_TRUE(await(store().park({Mode::test, ann, day_one, "no such plan: gold"}, {})));
  EXPECT_FALSE(due_time(ann, Queue::renewal));
  auto parked = await(store().parked(partition));
  ASSERT_TRUE(parked);
  ASSERT_EQ(parked->size(), 1U);
  EXPECT_EQ((*parked)[0].key, ann);
  EXPECT_EQ((*parked)[0].since, day_one);
  EXPECT_EQ((*parked)[0].reason, "no such plan: gold");
  EXPECT_EQ(parked_in(partition), 1U);

  // What is committed meanwhile does not let it back, whatever it does to the timers.
  const SubscriptionId subscription = loaded.account.subscriptions.at(0).id;
  loaded = committed(std::move(loaded), CancelSubscription{subscription, true});
  EXPECT_FALSE(due_time(ann, Queue::renewal));
  EXPECT_FALSE(due_time(ann, Queue::cancellation));
  const auto expected = loaded.footprint.timers[static_cast<std::size_t>(Queue::cancellation)];
  ASSERT_TRUE(expected);

  ASSERT_TRUE(await(store().unpark(Mode::test, ann)));
  EXPECT_EQ(due_time(ann, Queue::cancellation), std::to_string(expected->time_since_epoch().count()));
  EXPECT_FALSE(due_time(ann, Queue::renewal));
  EXPECT_EQ(parked_in(partition), 0U);
  EXPECT_EQ(await(store().unpark(Mode::test, ann)).error().code, Errc::not_found);
}

TEST_F(Queues, LetParkedAccountsOfATestClockBack) {
  const TestClockId clock("clock_one");
  subscriber(ann, "ann@example.com", clock);
  const std::uint32_t partition = store().partition_of(ann);
  ASSERT_TRUE(await(store().park({Mode::test, ann, day_one, "why"}, clock)));
  EXPECT_THAT(*await(store().due_on_clock(partition, clock, far, 10)), IsEmpty());
  ASSERT_TRUE(await(store().unpark(Mode::test, ann)));
  EXPECT_EQ(await(store().due_on_clock(partition, clock, far, 10))->size(), 1U);
}

TEST_F(Queues, ForgetAParkedAccountThatDoesNotExist) {
  const std::uint32_t partition = store().partition_of(ann);
  ask("ZADD", queue_key(prefix_of(ann), Queue::renewal), 1, ann.value());
  ASSERT_TRUE(await(store().park({Mode::test, ann, day_one, "no such account"}, {})));
  EXPECT_FALSE(due_time(ann, Queue::renewal));
  EXPECT_TRUE(await(store().unpark(Mode::test, ann)));
  EXPECT_EQ(parked_in(partition), 0U);
}

TEST_F(Queues, ParkNothingWhenAQueueIsDamaged) {
  subscriber(ann);
  ask("SET", queue_key(prefix_of(ann), Queue::collection), "x");
  const auto before = everything();
  EXPECT_EQ(await(store().park({Mode::test, ann, day_one, "why"}, {})).error().code, Errc::corrupt);
  EXPECT_EQ(everything(), before);
}

class Leases : public StoreTest {
 protected:
  Store::Lease lease(std::uint32_t partition) {
    auto leases = await(store().leases());
    EXPECT_TRUE(leases);
    return leases->at(partition);
  }
};

TEST_F(Leases, AreTakenByOneOfThoseWhoSawThemFree) {
  const Store::Lease free = lease(2);
  EXPECT_EQ(free.owner, "");
  auto mine = await(store().take_lease(2, free, "me", "1"));
  ASSERT_TRUE(mine);
  EXPECT_EQ(mine->epoch, free.epoch + 1);
  auto theirs = await(store().take_lease(2, free, "other", "1"));
  EXPECT_EQ(theirs.error().code, Errc::conflict);
  EXPECT_EQ(lease(2).owner, "me");
  EXPECT_EQ(lease(2).incarnation, "1");
  EXPECT_EQ(lease(2).epoch, mine->epoch);
  EXPECT_EQ(lease(2).heartbeat, mine->heartbeat);
}

TEST_F(Leases, AreNotTakenWhileTheirHeartMoves) {
  auto mine = await(store().take_lease(0, {}, "me", "1"));
  ASSERT_TRUE(mine);
  const Store::Lease seen = lease(0);
  EXPECT_THAT(*await(store().renew_leases({{0, mine->epoch}})), ElementsAre(0U));
  EXPECT_GT(lease(0).heartbeat, seen.heartbeat);
  EXPECT_EQ(await(store().take_lease(0, seen, "other", "1")).error().code, Errc::conflict);
}

TEST_F(Leases, ThatWereLostAreNotRenewed) {
  auto zero = await(store().take_lease(0, {}, "me", "1"));
  auto one = await(store().take_lease(1, {}, "me", "1"));
  ASSERT_TRUE(zero && one);
  auto taken = await(store().take_lease(0, lease(0), "other", "1"));
  ASSERT_TRUE(taken);
  const std::vector<std::pair<std::uint32_t, std::uint64_t>> held = {{0, zero->epoch}, {1, one->epoch}};
  EXPECT_THAT(*await(store().renew_leases(held)), ElementsAre(1U));
  EXPECT_EQ(lease(0).heartbeat, taken->heartbeat) << "the loser does not keep the winner alive";
  EXPECT_THAT(*await(store().renew_leases({})), IsEmpty());
}

TEST_F(Leases, AreGivenUpOnlyByTheirOwner) {
  auto first = await(store().take_lease(3, {}, "me", "1"));
  auto second = await(store().take_lease(3, *first, "other", "1"));
  ASSERT_TRUE(first && second);
  ASSERT_TRUE(await(store().release_lease(3, first->epoch)));
  EXPECT_EQ(lease(3).owner, "other");
  ASSERT_TRUE(await(store().release_lease(3, second->epoch)));
  EXPECT_EQ(lease(3).owner, "");
  EXPECT_EQ(lease(3).epoch, second->epoch) << "an epoch never comes again";
  auto third = await(store().take_lease(3, lease(3), "me", "1"));
  ASSERT_TRUE(third);
  EXPECT_EQ(third->epoch, second->epoch + 1);
}

TEST_F(Leases, ThatAreDamagedAreRefusedAndNotWritten) {
  ask("HSET", lease_key(0), "epoch", "7", "heartbeat", "often", "owner", "me");
  const auto before = everything();
  EXPECT_FALSE(await(store().take_lease(0, lease(0), "me", "1")));
  EXPECT_FALSE(await(store().renew_leases({{0, 7}})));
  EXPECT_FALSE(await(store().release_lease(0, 7)));
  EXPECT_EQ(everything(), before);
}

TEST_F(Leases, AndTheClockOfRedisAreRead) {
  auto time = await(store().server_time());
  ASSERT_TRUE(time);
  const auto distance = *time - std::chrono::system_clock::now();
  EXPECT_LT(std::chrono::abs(distance), std::chrono::seconds(10));
}

}  // namespace
}  // namespace billd::store
