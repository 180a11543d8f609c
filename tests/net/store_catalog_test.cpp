// Plans, test clocks and keys, seen by several daemons; claims and answers of idempotency keys.
#include <gmock/gmock.h>

#include "net/store/catalog.hpp"
#include "net/store/idempotency.hpp"
#include "tests/net/store_fixture.hpp"

namespace billd::store {
namespace {

using testing::IsEmpty;

Plan plan_of(std::string id, std::int64_t minor = 1000) {
  Plan plan;
  plan.id = PlanId(std::move(id));
  plan.created = day_one;
  plan.product = make_id<ProductKind>(1, 2);
  plan.product_name = "Gold";
  plan.unit_amount = {minor, Currency::of("usd")};
  plan.recurrence = {Interval::month, 1};
  return plan;
}

class CatalogTest : public StoreTest {
 protected:
  void TearDown() override {
    for (auto& catalog : catalogs_) await(catalog->stop());
    catalogs_.clear();
    StoreTest::TearDown();
  }

  Catalog& start_catalog(Daemon& of) {
    Catalog& catalog =
        *catalogs_.emplace_back(std::make_unique<Catalog>(loop.get_executor(), of.client, of.store, server.address()));
    auto started = await(catalog.start());
    EXPECT_TRUE(started) << started.error().detail;
    return catalog;
  }
  Catalog& catalog() { return catalogs_.empty() ? start_catalog(daemon()) : *catalogs_.front(); }

  Result<void> put(Catalog& into, Plan plan, std::optional<Plan> replaces = {},
                   std::optional<CatalogIdempotency> idempotency = {}) {
    return await(into.put<Plan>(Mode::test, std::move(plan), std::move(replaces), std::move(idempotency)));
  }

  const std::string gold{"gold"};

 private:
  std::vector<std::unique_ptr<Catalog>> catalogs_;
};

using CatalogOfPlans = CatalogTest;

TEST_F(CatalogOfPlans, KeepsThemByModeAndTakesAnIdOnce) {
  const Plan plan = plan_of("gold");
  EXPECT_EQ(await(catalog().find<Plan>(Mode::test, gold)).error().code, Errc::not_found);
  ASSERT_TRUE(put(catalog(), plan));
  EXPECT_EQ(**await(catalog().find<Plan>(Mode::test, gold)), plan);
  EXPECT_EQ(await(catalog().find<Plan>(Mode::live, gold)).error().code, Errc::not_found);
  EXPECT_EQ(put(catalog(), plan_of("gold", 5)).error().code, Errc::already_exists);
  EXPECT_EQ(**await(catalog().find<Plan>(Mode::test, gold)), plan);
}

TEST_F(CatalogOfPlans, IsTheSameForEveryDaemon) {
  Catalog& mine = catalog();
  Catalog& theirs = start_catalog(start_daemon());
  Plan plan = plan_of("gold");
  ASSERT_TRUE(put(mine, plan));
  EXPECT_EQ(**await(theirs.find<Plan>(Mode::test, gold)), plan) << "what one created is never unknown to another";

  Plan renamed = plan;
  renamed.nickname = "Golden";
  ASSERT_TRUE(put(mine, renamed, plan));
  EXPECT_TRUE(run_until(loop, [&] {
    const auto plan = theirs.get<Plan>(Mode::test, gold);
    return plan != nullptr && *plan == renamed;
  })) << "told by a message";

  Plan disagreeing = plan;
  disagreeing.nickname = "Gilded";
  EXPECT_EQ(put(theirs, disagreeing, plan).error().code, Errc::conflict) << "it was changed since";
  EXPECT_EQ(**await(theirs.find<Plan>(Mode::test, gold)), renamed);
}

TEST_F(CatalogOfPlans, NoticesWhatNoMessageToldOf) {
  Catalog& theirs = catalog();
  ASSERT_TRUE(put(start_catalog(start_daemon()), plan_of("gold")));
  ASSERT_TRUE(run_until(loop, [&] { return theirs.all<Plan>(Mode::test).size() == 1; }));
  const Plan plan = plan_of("silver");
  // As a daemon writes it whose message is lost.
  ask("HSET", catalog_prefix(Mode::test) + "plans", "silver", encode(plan));
  ask("INCR", catalog_version_key);
  EXPECT_TRUE(run_until(loop, [&] { return theirs.all<Plan>(Mode::test).size() == 2; }));
}

TEST_F(CatalogOfPlans, TakesADeletedIdAgain) {
  Plan plan = plan_of("gold");
  ASSERT_TRUE(put(catalog(), plan));
  Plan deleted = plan;
  deleted.deleted = true;
  ASSERT_TRUE(put(catalog(), deleted, plan));
  EXPECT_EQ(await(catalog().find<Plan>(Mode::test, gold)).error().code, Errc::not_found);
  EXPECT_EQ(catalog().all<Plan>(Mode::test).size(), 1U) << "kept for the invoices that show it";
  const Plan again = plan_of("gold", 7);
  ASSERT_TRUE(put(catalog(), again));
  EXPECT_EQ(**await(catalog().find<Plan>(Mode::test, gold)), again);
}

TEST_F(CatalogOfPlans, SavesAnAnswerOnce) {
  const std::string hash = hash_idempotency_key(Mode::test, "key");
  ASSERT_TRUE(put(catalog(), plan_of("gold"), {}, CatalogIdempotency{hash, "the answer"}));
  EXPECT_EQ(*await(catalog().saved_answer(Mode::test, hash)), "the answer");
  EXPECT_EQ(await(catalog().saved_answer(Mode::live, hash)).error().code, Errc::not_found);
  auto again = put(catalog(), plan_of("silver"), {}, CatalogIdempotency{hash, "another answer"});
  EXPECT_EQ(again.error().code, Errc::idempotency_in_progress);
  EXPECT_EQ(*await(catalog().saved_answer(Mode::test, hash)), "the answer");
  EXPECT_EQ(await(catalog().find<Plan>(Mode::test, "silver")).error().code, Errc::not_found);
}

TEST_F(CatalogOfPlans, WritesNothingWhenItsVersionIsDamaged) {
  catalog();
  ask("SET", catalog_version_key, "often");
  const auto before = everything();
  EXPECT_EQ(put(catalog(), plan_of("gold"), {}, CatalogIdempotency{"hash", "answer"}).error().code, Errc::corrupt);
  EXPECT_EQ(everything(), before);
  ask("DEL", catalog_version_key);
}

TEST_F(CatalogOfPlans, AreListedNewestFirst) {
  for (int day : {2, 1, 3}) {
    Plan plan = plan_of("day " + std::to_string(day));
    plan.created = day_one + std::chrono::days(day);
    ASSERT_TRUE(put(catalog(), plan));
  }
  std::vector<std::string> ids;
  for (const Plan& plan : catalog().all<Plan>(Mode::test)) ids.push_back(plan.id.value());
  EXPECT_THAT(ids, testing::ElementsAre("day 3", "day 2", "day 1"));
  EXPECT_TRUE(catalog().all<Plan>(Mode::live).empty());
}

using CatalogChanges = CatalogTest;

TEST_F(CatalogChanges, AreWrittenTogetherOrNotAtAll) {
  Catalog& mine = catalog();
  Catalog& theirs = start_catalog(start_daemon());
  const Plan one = plan_of("gold"), two = plan_of("a plan: 3:of #two");
  CatalogChange both(Mode::test);
  both.put(one).put(two);
  ASSERT_TRUE(await(mine.commit(both)));
  EXPECT_TRUE(run_until(loop, [&] { return theirs.all<Plan>(Mode::test).size() == 2; }));
  EXPECT_EQ(*theirs.get<Plan>(Mode::test, two.id.value()), two);

  Plan changed = one;
  changed.nickname = "Golden";
  CatalogChange clashing(Mode::test);
  clashing.put(changed, &one).put(two);
  EXPECT_EQ(await(mine.commit(clashing)).error().code, Errc::conflict) << "the second is there already";
  EXPECT_EQ(*mine.get<Plan>(Mode::test, gold), one);
  CatalogChange exchange(Mode::test);
  exchange.put(changed, &one).remove(two);
  ASSERT_TRUE(await(mine.commit(exchange)));
  EXPECT_TRUE(run_until(loop, [&] { return theirs.all<Plan>(Mode::test).size() == 1; }));
  EXPECT_EQ(*theirs.get<Plan>(Mode::test, gold), changed);
}

TEST_F(CatalogChanges, MayWantTheCatalogAsItWasLookedAt) {
  Catalog& mine = catalog();
  Catalog& theirs = start_catalog(start_daemon());
  const std::uint64_t seen = mine.version();
  ASSERT_TRUE(put(theirs, plan_of("gold")));
  CatalogChange late(Mode::test);
  late.put(plan_of("silver")).only_at(seen);
  EXPECT_EQ(await(mine.commit(late)).error().code, Errc::conflict) << "somebody else was first";
  EXPECT_NE(mine.get<Plan>(Mode::test, gold), nullptr) << "and is known of now";
  CatalogChange in_time(Mode::test);
  in_time.put(plan_of("silver")).only_at(mine.version());
  EXPECT_TRUE(await(mine.commit(in_time)));
  EXPECT_EQ(mine.version(), seen + 2);
}

TEST_F(CatalogChanges, IgnoreMessagesThatAreNone) {
  Catalog& theirs = catalog();
  for (const char* noise : {"", "x", "9:x", "1:9", "1:99:nothing1:x", "18446744073709551616:1", "1:91:a"})
    ask("PUBLISH", catalog_channel, noise);
  ASSERT_TRUE(put(start_catalog(start_daemon()), plan_of("gold")));
  EXPECT_TRUE(run_until(loop, [&] { return theirs.all<Plan>(Mode::test).size() == 1; }));
}

using CatalogOfTestClocks = CatalogTest;

TEST_F(CatalogOfTestClocks, TellsEveryDaemonWhenOneChanges) {
  Catalog& mine = catalog();
  Catalog& theirs = start_catalog(start_daemon());
  int told = 0;
  theirs.on_change<TestClock>([&told] { ++told; });
  TestClock clock;
  clock.id = make_id<TestClockKind>(3, 4);
  clock.created = clock.frozen_time = day_one;
  ASSERT_TRUE(await(mine.put<TestClock>(Mode::test, clock, std::nullopt)));
  TestClock advancing = clock;
  advancing.status = TestClockStatus::advancing;
  advancing.advancing_to = day_one + std::chrono::days(31);
  ASSERT_TRUE(await(mine.put<TestClock>(Mode::test, advancing, clock)));
  const std::string id = clock.id.value();
  EXPECT_TRUE(run_until(loop, [&] {
    const auto known = theirs.get<TestClock>(Mode::test, id);
    return told > 0 && known != nullptr && *known == advancing;
  }));

  EXPECT_EQ(await(theirs.put<TestClock>(Mode::test, clock, clock)).error().code, Errc::conflict);
  ASSERT_TRUE(await(theirs.remove<TestClock>(Mode::test, advancing)));
  EXPECT_TRUE(run_until(loop, [&mine] { return mine.all<TestClock>(Mode::test).empty(); }));
  EXPECT_EQ(await(mine.find<TestClock>(Mode::test, id)).error().detail, "No such test clock: " + id);
  EXPECT_EQ(await(mine.remove<TestClock>(Mode::test, advancing)).error().code, Errc::conflict);
}

using CatalogOfKeys = CatalogTest;

TEST_F(CatalogOfKeys, TellsEveryDaemonWhenOneIsRevoked) {
  Catalog& mine = catalog();
  Catalog& theirs = start_catalog(start_daemon());
  ApiKey key;
  key.id = "key_1";
  key.hash = hash_key("sk_test_x");
  key.created = day_one;
  ASSERT_TRUE(await(mine.put<ApiKey>(Mode::test, key, std::nullopt)));
  const auto theirs_is = [&](const ApiKey& expected) {
    const auto known = theirs.get<ApiKey>(Mode::test, key.hash);
    return known != nullptr && *known == expected;
  };
  EXPECT_TRUE(run_until(loop, [&] { return theirs_is(key); }));
  ApiKey revoked = key;
  revoked.revoked = day_one + std::chrono::hours(1);
  ASSERT_TRUE(await(mine.put<ApiKey>(Mode::test, revoked, key)));
  EXPECT_TRUE(run_until(loop, [&] { return theirs_is(revoked); }));
  EXPECT_EQ(theirs.get<ApiKey>(Mode::live, key.hash), theirs.get<ApiKey>(Mode::test, key.hash)) << "they have no mode";
  EXPECT_EQ(theirs.get<ApiKey>(Mode::test, "unknown"), nullptr);
  EXPECT_EQ(theirs.all<ApiKey>(Mode::test).size(), 1U);
}

using Idempotency = StoreTest;

TEST_F(Idempotency, ClaimBindsAKeyToItsFirstRequest) {
  const std::string hash = hash_idempotency_key(Mode::test, "key");
  EXPECT_NE(hash, hash_idempotency_key(Mode::live, "key"));
  const IdempotencyClaim first{"POST /v1/customers", "fingerprint", account_number(1), "req_1"};
  auto claimed = await(claim(store(), Mode::test, hash, first));
  ASSERT_TRUE(claimed);
  EXPECT_EQ(*claimed, first);
  const IdempotencyClaim second{"POST /v1/plans", "other", AccountKey(), "req_2"};
  auto refused = await(claim(store(), Mode::test, hash, second));
  ASSERT_TRUE(refused);
  EXPECT_EQ(*refused, first);
  EXPECT_EQ(*await(claim(store(), Mode::test, hash_idempotency_key(Mode::test, "other"), second)), second);

  const auto partition = static_cast<std::uint32_t>(fnv1a(hash) % store().partitions());
  const std::string key = claim_key(prefix(Mode::test, partition), hash);
  EXPECT_GT(ask("PTTL", key).integer(), 0);
  ask("SET", key, "\1noise");
  EXPECT_EQ(await(claim(store(), Mode::test, hash, second)).error().code, Errc::corrupt);
}

TEST_F(Idempotency, AnswerReplacesOnlyTheMarkOfAnEffectUnderWay) {
  const AccountKey ann = account_number(1);
  const std::string hash = hash_idempotency_key(Mode::test, "key");
  EXPECT_FALSE(await(saved_answer(store(), Mode::test, ann, hash))->has_value());
  const std::string key = answer_key(prefix_of(ann), hash);
  ask("SET", key, encode(SavedAnswer{true, 0, {}, "sub_1"}));
  auto completed = await(complete_answer(store(), Mode::test, ann, hash, SavedAnswer{false, 200, "first", {}}));
  ASSERT_TRUE(completed);
  EXPECT_EQ(completed->body, "first");
  completed = await(complete_answer(store(), Mode::test, ann, hash, SavedAnswer{false, 200, "second", {}}));
  ASSERT_TRUE(completed);
  EXPECT_EQ(completed->body, "first") << "the first answer stands";
  EXPECT_GT(ask("PTTL", key).integer(), 0);
}

}  // namespace
}  // namespace billd::store
