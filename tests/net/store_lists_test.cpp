// Listing objects and events over all partitions, in both directions, and finding them.
#include <gmock/gmock.h>

#include <algorithm>

#include "tests/net/store_fixture.hpp"

namespace billd::store {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

class Lists : public StoreTest {
 protected:
  using Place = std::pair<std::int64_t, std::string>;

  /// Members over all partitions, three to each score, put into the index past the store. Newest first.
  std::vector<Place> fill(Index index, int scores) {
    std::vector<Place> all;
    for (int score = 1; score <= scores; ++score)
      for (const char* letter : {"a", "b", "c"}) {
        const std::string member = letter + std::to_string(score);
        const auto partition = static_cast<std::uint32_t>(all.size() % store().partitions());
        ask("ZADD", index_key(prefix(Mode::test, partition), index), score, member);
        all.emplace_back(score, member);
      }
    std::ranges::sort(all, std::greater());
    return all;
  }

  std::vector<Place> page(Page wanted) {
    auto members = await(store().list(Mode::test, Index::invoices, std::move(wanted)));
    EXPECT_TRUE(members) << members.error().detail;
    std::vector<Place> places;
    for (const ListedMember& member : *members) places.emplace_back(member.score, member.member);
    return places;
  }
};

TEST_F(Lists, WalkedFromTheNewestShowEachMemberOnce) {
  const auto all = fill(Index::invoices, 20);
  for (const std::size_t limit : {1U, 2U, 3U, 7U, 100U}) {
    std::vector<Place> walked;
    Page next;
    next.limit = limit;
    for (;;) {
      auto places = page(next);
      const bool has_more = places.size() > limit;
      if (has_more) places.pop_back();
      walked.insert(walked.end(), places.begin(), places.end());
      if (!has_more) break;
      next.after = walked.back();
    }
    EXPECT_EQ(walked, all) << "by " << limit;
  }
}

TEST_F(Lists, WalkedFromTheOldestShowEachMemberOnce) {
  const auto all = fill(Index::invoices, 20);
  for (const std::size_t limit : {1U, 2U, 5U, 100U}) {
    std::vector<Place> walked;  // Newest first, as they are listed.
    Page next;
    next.limit = limit;
    next.before = Place(0, "");
    for (;;) {
      auto places = page(next);
      const bool has_more = places.size() > limit;
      if (has_more) places.erase(places.begin());  // The one too many is the newest of them.
      walked.insert(walked.begin(), places.begin(), places.end());
      if (!has_more) break;
      next.before = walked.front();
    }
    EXPECT_EQ(walked, all) << "by " << limit;
  }
}

TEST_F(Lists, KeepToTheBoundsOfTheScore) {
  fill(Index::invoices, 20);
  Page bounded;
  bounded.limit = 2;
  bounded.score_min = 5;
  bounded.score_max = 6;
  EXPECT_THAT(page(bounded), ElementsAre(Place(6, "c6"), Place(6, "b6"), Place(6, "a6")));
  bounded.after = Place(6, "b6");
  EXPECT_THAT(page(bounded), ElementsAre(Place(6, "a6"), Place(5, "c5"), Place(5, "b5")));
  bounded.after = Place(5, "b5");
  EXPECT_THAT(page(bounded), ElementsAre(Place(5, "a5")));
  bounded.after.reset();
  bounded.before = Place(5, "b5");
  EXPECT_THAT(page(bounded), ElementsAre(Place(6, "b6"), Place(6, "a6"), Place(5, "c5")));
}

// All that lies between a cursor and a bound was read first, and then left out.
TEST_F(Lists, ReachTheBoundsThatBeginBehindTheCursor) {
  fill(Index::invoices, 20);
  Page older;
  older.limit = 2;
  older.after = Place(20, "a20");
  older.score_max = 3;
  EXPECT_THAT(page(older), ElementsAre(Place(3, "c3"), Place(3, "b3"), Place(3, "a3")));
  Page newer;
  newer.limit = 2;
  newer.before = Place(1, "a1");
  newer.score_min = 18;
  EXPECT_THAT(page(newer), ElementsAre(Place(18, "c18"), Place(18, "b18"), Place(18, "a18")));
}

TEST_F(Lists, OfNothingAreEmpty) {
  EXPECT_THAT(page({}), IsEmpty());
  EXPECT_THAT(event_names(), IsEmpty());
}

TEST_F(Lists, FindCustomersByTheirEmailWhateverItsCase) {
  const AccountKey one = account_number(1), other = account_number(2), third = account_number(3);
  customer(one, "ann@example.com");
  customer(other, "ann@example.com");
  customer(third, "ann@example.com.au");
  EXPECT_THAT(*await(store().find_by_email(Mode::test, "ann@example.com")), UnorderedElementsAre(one, other));
  EXPECT_THAT(*await(store().find_by_email(Mode::test, "ann@example.com.au")), ElementsAre(third));
  EXPECT_THAT(*await(store().find_by_email(Mode::test, "ann@example.co")), IsEmpty());
  EXPECT_THAT(*await(store().find_by_email(Mode::test, "Ann@example.com")), UnorderedElementsAre(one, other));
  EXPECT_THAT(*await(store().find_by_email(Mode::live, "ann@example.com")), IsEmpty());
}

TEST_F(Lists, LoadManyAccountsAndLeaveOutWhatIsNotThere) {
  const AccountKey one = account_number(1), missing = account_number(2), third = account_number(3);
  customer(one);
  customer(third);
  auto loaded = await(store().load_all(Mode::test, {third, missing, one}));
  ASSERT_TRUE(loaded);
  ASSERT_EQ(loaded->size(), 2U);
  EXPECT_EQ((*loaded)[0].account.key, third);
  EXPECT_EQ((*loaded)[1].account.key, one);
}

class Events : public StoreTest {
 protected:
  void SetUp() override {
    for (std::uint64_t number = 1; number <= 12; ++number) subscriber(account_number(number));
    auto events = await(store().events(Mode::test, std::nullopt, std::nullopt, 1000));
    ASSERT_TRUE(events) << events.error().detail;
    all = std::move(*events);
    ASSERT_GT(all.size(), 100U);
  }

  static std::vector<EventPosition> positions(const std::vector<StoredEvent>& events) {
    std::vector<EventPosition> result;
    for (const StoredEvent& event : events) result.push_back(event.position);
    return result;
  }

  std::vector<StoredEvent> all;  ///< newest first
};

TEST_F(Events, AreListedNewestFirst) {
  const auto places = positions(all);
  EXPECT_TRUE(std::ranges::is_sorted(places, std::greater()));
  EXPECT_THAT(*await(store().events(Mode::live, std::nullopt, std::nullopt, 10)), IsEmpty());
}

TEST_F(Events, WalkedInEitherDirectionAreEachSeenOnce) {
  for (const std::size_t limit : {1U, 3U, 10U, 64U}) {
    std::vector<EventPosition> walked;
    std::optional<EventPosition> older_than;
    for (;;) {
      auto events = await(store().events(Mode::test, older_than, std::nullopt, limit));
      ASSERT_TRUE(events) << events.error().detail;
      if (events->empty()) break;
      for (const StoredEvent& event : *events) walked.push_back(event.position);
      older_than = walked.back();
    }
    EXPECT_EQ(walked, positions(all)) << "older, by " << limit;

    walked.assign(1, all.back().position);
    for (;;) {
      auto events = await(store().events(Mode::test, std::nullopt, walked.front(), limit));
      ASSERT_TRUE(events) << events.error().detail;
      if (events->empty()) break;
      const auto places = positions(*events);
      walked.insert(walked.begin(), places.begin(), places.end());
    }
    EXPECT_EQ(walked, positions(all)) << "newer, by " << limit;
  }
}

TEST_F(Events, AreFoundByTheirIdentifier) {
  for (const StoredEvent& event : all) {
    const auto position = EventPosition::parse(event.position.id().value());
    ASSERT_TRUE(position);
    EXPECT_EQ(*position, event.position);
    auto found = await(store().event(Mode::test, *position));
    ASSERT_TRUE(found) << found.error().detail;
    EXPECT_EQ(found->event(), event.event());
    EXPECT_EQ(*found->batch, *event.batch);
  }
  EventPosition unknown = all.front().position;
  unknown.index = 1000;
  EXPECT_EQ(await(store().event(Mode::test, unknown)).error().code, Errc::not_found);
  unknown = all.front().position;
  unknown.milliseconds += 1;
  EXPECT_EQ(await(store().event(Mode::test, unknown)).error().code, Errc::not_found);
  unknown.partition = 60'000;
  EXPECT_EQ(await(store().event(Mode::test, unknown)).error().code, Errc::not_found);
  EXPECT_EQ(await(store().event(Mode::live, all.front().position)).error().code, Errc::not_found);
  EXPECT_FALSE(EventPosition::parse("evt_short"));
  EXPECT_FALSE(EventPosition::parse("cus_" + all.front().position.id().value().substr(4)));
  EXPECT_FALSE(EventPosition::parse(all.front().position.id().value().substr(0, 27) + "!"));
}

TEST_F(Events, OfAnAccountAreNumberedWithoutGaps) {
  std::map<AccountKey, std::uint64_t> expected;
  for (auto event = all.rbegin(); event != all.rend(); ++event) {
    std::uint64_t& last = expected[event->batch->key];
    EXPECT_EQ(event->batch->sequence + event->position.index, last + 1);
    ++last;
  }
  for (const auto& [key, last] : expected) EXPECT_EQ(await(store().load(Mode::test, key))->account.events, last);
}

TEST_F(Events, SayWhoCausedThem) {
  CommitRequest request = *request_of(*await(store().load(Mode::test, account_number(1))), DeleteCustomer(), day_one);
  request.request_id = "req_1";
  request.idempotency_key = "key-1";
  ASSERT_EQ(await(store().commit(request))->status, CommitStatus::committed);
  auto newest = await(store().events(Mode::test, std::nullopt, std::nullopt, 1));
  ASSERT_TRUE(newest);
  EXPECT_EQ(newest->at(0).batch->request_id, "req_1");
  EXPECT_EQ(newest->at(0).batch->idempotency_key, "key-1");
  EXPECT_EQ(newest->at(0).batch->created, day_one);
}

TEST_F(Events, ThatCannotBeReadAreCorrupt) {
  ask("XADD", events_key(prefix(Mode::test, 0)), "*", "e", "\1noise");
  EXPECT_EQ(await(store().events(Mode::test, std::nullopt, std::nullopt, 10)).error().code, Errc::corrupt);
}

}  // namespace
}  // namespace billd::store
