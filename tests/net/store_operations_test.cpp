// What operators do and see: parked accounts by queue and reason, paused queues, what is coming, the audit log.
#include <gmock/gmock.h>

#include "net/store/audit.hpp"
#include "net/store/pauses.hpp"
#include "tests/net/store_fixture.hpp"

namespace billd::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Operations : public StoreTest {
 protected:
  Store::Parked parking(const AccountKey& key, Timestamp since, Queue queue, std::string reason) {
    Store::Parked parked;
    parked.key = key;
    parked.since = since;
    parked.queue = queue;
    parked.reason = std::move(reason);
    return parked;
  }

  AuditEntry entry(std::string action, std::string subject) {
    AuditEntry entry;
    entry.at = day_one;
    entry.who = "anna";
    entry.from = "127.0.0.1";
    entry.action = std::move(action);
    entry.subject = std::move(subject);
    entry.comment = "because \"of\" the\nline";
    return entry;
  }
};

TEST_F(Operations, CountParkedAccountsByQueueAndReason) {
  const std::uint32_t partition = 2;
  std::vector<AccountKey> keys;
  for (std::uint64_t i = 0; i < 4; ++i) keys.push_back(account_in(partition, i));
  const auto later = [](int seconds) { return day_one + std::chrono::seconds(seconds); };
  ASSERT_TRUE(await(store().park(parking(keys[0], later(1), Queue::collection, "the card is gone"), {})));
  ASSERT_TRUE(await(store().park(parking(keys[1], later(2), Queue::collection, "the card is gone"), {})));
  ASSERT_TRUE(await(store().park(parking(keys[2], later(3), Queue::collection, "corrupt"), {})));
  ASSERT_TRUE(await(store().park(parking(keys[3], later(4), Queue::renewal, "the card is gone"), {})));

  auto groups = await(store().parked_groups(partition)).value();
  std::ranges::sort(groups, {}, [](const auto& group) { return std::pair(group.queue, group.reason); });
  ASSERT_THAT(groups, SizeIs(3));
  EXPECT_EQ(groups[0].queue, Queue::renewal);
  EXPECT_EQ(groups[1].reason, "corrupt");
  EXPECT_EQ(groups[2].count, 2U);
  EXPECT_EQ(groups[2].first, later(1));
  EXPECT_EQ(groups[2].last, later(2));
  EXPECT_EQ(groups[2].example, keys[1]);

  ASSERT_TRUE(await(store().unpark(Mode::test, keys[0])));
  ASSERT_TRUE(await(store().unpark(Mode::test, keys[2])));
  groups = await(store().parked_groups(partition)).value();
  ASSERT_THAT(groups, SizeIs(2)) << "the group that is empty is gone";
  EXPECT_EQ(groups[0].count + groups[1].count, 2U);
}

TEST_F(Operations, FindParkedAccountsInTheOrderOfTheirParking) {
  for (std::uint64_t i = 0; i < 10; ++i) {
    auto parked = parking(account_number(i), day_one + std::chrono::seconds(100 - i), Queue::renewal, "why");
    parked.by = "anna b";
    parked.detail = "two\nlines";
    ASSERT_TRUE(await(store().park(std::move(parked), {})));
  }
  const auto first = await(store().first_parked(Queue::renewal, 3)).value();
  ASSERT_THAT(first, SizeIs(3));
  EXPECT_EQ(first[0].key, account_number(9));
  EXPECT_EQ(first[2].key, account_number(7));
  EXPECT_EQ(first[0].by, "anna b");
  EXPECT_EQ(first[0].reason, "why");
  EXPECT_EQ(first[0].detail, "two\nlines");
  EXPECT_THAT(await(store().first_parked(Queue::collection, 3)).value(), IsEmpty());
  EXPECT_EQ(await(store().find_parked(Mode::test, account_number(5)))->since, day_one + std::chrono::seconds(95));
  EXPECT_EQ(await(store().find_parked(Mode::live, account_number(5))).error().code, Errc::not_found);
}

TEST_F(Operations, KeepWhyAnAccountWasParkedFirst) {
  const AccountKey ann = account_number(1);
  ASSERT_TRUE(await(store().park(parking(ann, day_one, Queue::renewal, "first"), {})));
  EXPECT_EQ(await(store().park(parking(ann, day_one, Queue::collection, "second"), {})).error().code,
            Errc::already_exists);
  EXPECT_EQ(await(store().find_parked(Mode::test, ann))->reason, "first");
  EXPECT_THAT(await(store().parked_groups(store().partition_of(ann))).value(), SizeIs(1));
  ASSERT_TRUE(await(store().unpark(Mode::test, ann)));
  EXPECT_THAT(everything(), testing::Not(testing::Contains(testing::Key(HasSubstr("}:p"))))) << "nothing is left of it";
}

TEST_F(Operations, CountWhatIsComing) {
  const AccountKey ann = account_number(1);
  ask("ZADD", queue_key(prefix_of(ann), Queue::renewal), 1'000'000, "a", 1'500'000, "b", 2'000'000, "c");
  ask("ZADD", queue_key(prefix_of(ann, Mode::live), Queue::collection), 1'000'000, "d", 9'000'000, "e");
  const std::vector<Timestamp> instants = {from_unix(1), from_unix(2), from_unix(3), from_unix(9)};
  EXPECT_THAT(await(store().due_between(store().partition_of(ann), instants)).value(), ElementsAre(3, 1, 0));
  EXPECT_THAT(await(store().due_between(store().partition_of(ann), {})).value(), IsEmpty());
}

TEST_F(Operations, FindWhatIsDueFirst) {
  for (std::uint64_t i = 0; i < 10; ++i) {
    const AccountKey key = account_number(i);
    ask("ZADD", queue_key(prefix_of(key), Queue::renewal), 100 - i, key.value());
  }
  const auto first = await(store().first_due(Queue::renewal, 2)).value();
  ASSERT_THAT(first, SizeIs(2));
  EXPECT_EQ(first[0].key, account_number(9));
  EXPECT_EQ(first[1].due, Timestamp(Duration(92)));
}

TEST_F(Operations, LeavePausedQueuesOut) {
  const AccountKey ann = account_number(1);
  subscriber(ann);
  const std::uint32_t partition = store().partition_of(ann);
  Store::QueueSet paused;
  paused.set(static_cast<std::size_t>(Queue::renewal));
  const auto none = await(store().due(partition, day_one + std::chrono::days(400), 10, paused)).value();
  EXPECT_THAT(none.due, IsEmpty());
  EXPECT_FALSE(none.next) << "what is paused wakes nobody";
}

TEST_F(Operations, PauseAndResumeAQueueForAllDaemons) {
  ASSERT_TRUE(await(pause_queue(store(), {Queue::collection, day_one, "anna b", "the gateway\nis down"})));
  ASSERT_TRUE(await(pause_queue(store(), {Queue::renewal, day_one, "", ""})));
  EXPECT_EQ(await(pause_queue(store(), {Queue::renewal, day_one, "bob", ""})).error().code, Errc::already_exists);
  Daemon& other = start_daemon();
  auto pauses = await(paused_queues(other.store)).value();
  ASSERT_THAT(pauses, SizeIs(2));
  EXPECT_EQ(pauses[0].queue, Queue::renewal);
  EXPECT_EQ(pauses[0].by, "");
  EXPECT_EQ(pauses[1].since, day_one);
  EXPECT_EQ(pauses[1].by, "anna b");
  EXPECT_EQ(pauses[1].comment, "the gateway\nis down");
  ASSERT_TRUE(await(resume_queue(other.store, Queue::renewal)));
  EXPECT_EQ(await(resume_queue(store(), Queue::renewal)).error().code, Errc::not_found);
  EXPECT_THAT(await(paused_queues(store())).value(), SizeIs(1));
}

TEST_F(Operations, ChainTheAuditLog) {
  const AuditEntry first = await(append_audit(store(), entry("park", "cus_one"))).value();
  const AuditEntry second = await(append_audit(store(), entry("retry", "cus_two"))).value();
  EXPECT_EQ(first.number, 1U);
  EXPECT_EQ(second.number, 2U);
  EXPECT_THAT(second.hash, SizeIs(64));
  EXPECT_THAT(await(latest_audit(store(), 10)).value(), ElementsAre(second, first));
  const AuditCheck check = await(verify_audit_log(store())).value();
  EXPECT_EQ(check.broken, "");
  EXPECT_EQ(check.entries, 2U);
  EXPECT_EQ(check.latest_hash, second.hash);
}

TEST_F(Operations, LetSeveralDaemonsWriteTheAuditLogAtOnce) {
  Daemon& one = start_daemon();
  Daemon& other = start_daemon();
  constexpr int each = 20;
  int written = 0;
  auto write = [&](Store& of) -> awaitable<> {
    for (int i = 0; i < each; ++i) {
      AuditEntry next = entry("retry", std::to_string(i));
      auto appended = co_await append_audit(of, std::move(next));
      EXPECT_TRUE(appended) << appended.error().detail;
      ++written;
    }
  };
  Tasks tasks(loop.get_executor());
  tasks.spawn("one", write(one.store));
  tasks.spawn("other", write(other.store));
  EXPECT_TRUE(run_until(loop, [&] { return written == 2 * each; }));
  EXPECT_EQ(await(verify_audit_log(store()))->entries, 2U * each);
}

TEST_F(Operations, FindWhatWasDoneToTheAuditLog) {
  EXPECT_EQ(await(verify_audit_log(store()))->entries, 0U);
  for (int i = 1; i <= 5; ++i) ASSERT_TRUE(await(append_audit(store(), entry("park", std::to_string(i)))));
  const redis::Reply log = ask("XRANGE", audit_key, "-", "+");
  auto rewrite = [&](int changed, bool left_out) {
    ask("DEL", audit_key);
    for (int i = 0; i < 5; ++i) {
      const auto& fields = log.elements()[static_cast<std::size_t>(i)].elements()[1].elements();
      std::string text = fields[1].text();
      if (i == changed && left_out) continue;
      if (i == changed) text.replace(text.find("anna"), 4, "carl");
      ask("XADD", audit_key, "*", "e", text, "h", fields[3].text());
    }
    return await(verify_audit_log(store())).value();
  };
  EXPECT_EQ(rewrite(-1, false).broken, "");
  EXPECT_EQ(rewrite(2, false).broken, "entry 3 or one before it was changed");
  EXPECT_EQ(rewrite(2, true).broken, "entry 3 is missing before entry 4");
  EXPECT_EQ(rewrite(0, true).broken, "entry 1 is missing before entry 2");
  EXPECT_EQ(rewrite(1, false).entries, 1U);
  ask("XADD", audit_key, "*", "a", "b");
  EXPECT_THAT(await(verify_audit_log(store()))->broken, HasSubstr("an entry that billd did not write"));
}

}  // namespace
}  // namespace billd::store
