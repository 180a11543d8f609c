// A channel: what is tried when, in which order, and what becomes of it.
#include <gmock/gmock.h>

#include "net/webhooks/channel.hpp"

namespace billd::webhooks {
namespace {

using store::EventPosition;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr Timestamp start = from_unix(1'900'000'000);
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

EventPosition event(std::uint64_t milliseconds, std::uint32_t index = 0) { return {3, milliseconds, 0, index}; }

AccountKey account(std::uint64_t number) { return AccountKey::from_bits(number, number * 7919); }

Receipt failure(std::uint16_t status = 500) {
  Receipt receipt;
  receipt.status = status;
  receipt.problem = "it answered " + std::to_string(status);
  return receipt;
}

DeliveryRules rules_of_the_standard() {
  DeliveryRules rules;
  rules.retry_schedule = {seconds(5), minutes(5), minutes(30), hours(2), hours(5),
                          hours(10),  hours(14),  hours(20),   hours(24)};
  rules.retry_jitter = 0;
  return rules;
}

class Channels : public testing::Test {
 protected:
  DeliveryRules rules = rules_of_the_standard();
  Channel channel{rules, {}, event(1'000)};
  const AccountKey ann = account(1), ben = account(2);
  const Timestamp never;

  /// Fails whatever is due next, and tells how long after the start it was due.
  Duration fail_next() {
    const Timestamp now = channel.next_due(never).value();
    EXPECT_EQ(channel.due(now - Duration(1), never, 10).size(), 0U);
    EXPECT_EQ(channel.due(now, never, 10).size(), 1U);
    channel.failed(ann, channel.waiting().at(ann).events.front(), failure(), now, 0);
    return now - start;
  }
};

TEST_F(Channels, TryAgainByTheScheduleAndThenGiveUp) {
  channel.failed(ann, event(2'000), failure(503), start, 0);
  std::vector<Duration> tries;
  while (channel.is_waiting(ann)) tries.push_back(fail_next());
  EXPECT_THAT(tries, ElementsAre(seconds(5), seconds(305), seconds(2'105), seconds(9'305), seconds(27'305),
                                 seconds(63'305), seconds(113'705), seconds(185'705), seconds(272'105)));
  const auto write = channel.changes();
  ASSERT_EQ(write.given_up.size(), 1U);
  EXPECT_EQ(write.given_up[0].event, event(2'000));
  EXPECT_EQ(write.given_up[0].key, ann);
  EXPECT_EQ(write.given_up[0].failures, 10U);
  EXPECT_EQ(write.given_up[0].problem, "it answered 500");
}

TEST_F(Channels, WaitLongerByChanceButNotByMoreThanTheJitter) {
  rules.retry_jitter = 10;
  for (std::uint64_t chance : {0UL, 1UL, 12'345'678UL, ~0UL}) {
    Channel each(rules, {}, event(1'000));
    each.failed(ann, event(2'000), failure(), start, chance);
    const Duration wait = *each.next_due(never) - start;
    EXPECT_GE(wait, seconds(5));
    EXPECT_LT(wait, Milliseconds(5'500));
  }
}

TEST_F(Channels, HonourRetryAfterWhenItIsLaterThanTheSchedule) {
  Receipt receipt = failure(429);
  receipt.retry_after = minutes(3);
  channel.failed(ann, event(2'000), receipt, start, 0);
  EXPECT_EQ(channel.next_due(never), start + minutes(3));
  receipt.retry_after = hours(1'000);
  channel.failed(ben, event(2'001), receipt, start, 0);
  EXPECT_EQ(channel.waiting().at(ben).next_at, start + hours(24)) << "no endpoint may stop its own deliveries";
  receipt.retry_after = seconds(1);
  Channel other(rules, {}, event(1'000));
  other.failed(ann, event(2'000), receipt, start, 0);
  EXPECT_EQ(other.next_due(never), start + seconds(5));
}

TEST_F(Channels, KeepACustomersOrderBehindWhatFailed) {
  channel.failed(ann, event(2'000), failure(), start, 0);
  channel.add_behind(ann, event(2'000, 1));
  channel.add_behind(ann, event(3'000));
  channel.add_behind(ann, event(3'000));
  EXPECT_THAT(channel.waiting().at(ann).events, ElementsAre(event(2'000), event(2'000, 1), event(3'000)));
  channel.delivered(ann, event(2'000), start + seconds(5));
  EXPECT_THAT(channel.waiting().at(ann).events, ElementsAre(event(2'000, 1), event(3'000)));
  EXPECT_THAT(channel.due(start + seconds(5), never, 10), ElementsAre(ann)) << "the next one is due at once";
  channel.failed(ann, event(2'000, 1), failure(), start + seconds(5), 0);
  EXPECT_EQ(channel.next_due(never), start + seconds(10)) << "each event has the whole schedule";
  channel.delivered(ann, event(2'000, 1), start + seconds(10));
  channel.delivered(ann, event(3'000), start + seconds(10));
  EXPECT_FALSE(channel.is_waiting(ann));
}

TEST_F(Channels, TryTheNextEventOfACustomerAfterOneWasGivenUp) {
  rules.retry_schedule = {seconds(5)};
  channel.failed(ann, event(2'000), failure(), start, 0);
  channel.add_behind(ann, event(3'000));
  channel.failed(ann, event(2'000), failure(), start + seconds(5), 0);
  EXPECT_THAT(channel.waiting().at(ann).events, ElementsAre(event(3'000)));
  EXPECT_EQ(channel.next_due(never), start + seconds(10));
}

TEST_F(Channels, TryEarlierOnceTheEndpointWorksAgainWithoutCountingIt) {
  for (int i = 0; i < 4; ++i) {
    channel.failed(ann, event(2'000), failure(), i == 0 ? start : channel.next_due(never).value(), 0);
  }
  const Timestamp failed_at = channel.waiting().at(ann).failed_at, next_at = channel.waiting().at(ann).next_at;
  EXPECT_EQ(next_at, failed_at + hours(2));
  EXPECT_EQ(channel.next_due(failed_at), next_at) << "it has not worked since";
  const Timestamp worked_at = failed_at + seconds(1);
  EXPECT_EQ(channel.next_due(worked_at), failed_at + minutes(10));
  EXPECT_THAT(channel.due(failed_at + minutes(10), worked_at, 10), ElementsAre(ann));
  channel.failed(ann, event(2'000), failure(), failed_at + minutes(10), 0);
  EXPECT_EQ(channel.waiting().at(ann).next_at, next_at) << "the schedule goes on as it was";
  EXPECT_EQ(channel.waiting().at(ann).failures, 4U);
}

TEST_F(Channels, BeginNothingNewWhenTooManyWaitButLookNowAndThen) {
  rules.waiting_customers_max = 2;
  rules.retry_schedule = {hours(5)};
  channel.failed(ann, event(2'000), failure(), start, 0);
  EXPECT_FALSE(channel.is_full());
  channel.failed(ben, event(2'001), failure(), start + seconds(1), 0);
  EXPECT_TRUE(channel.is_full());
  EXPECT_EQ(channel.next_due(never), start + minutes(10));
  EXPECT_THAT(channel.due(start + minutes(30), never, 10), ElementsAre(ann)) << "one, to find out";
  channel.delivered(ann, event(2'000), start + minutes(30));
  EXPECT_FALSE(channel.is_full());
  EXPECT_THAT(channel.due(start + minutes(30), start + minutes(30), 10), ElementsAre(ben));
}

TEST_F(Channels, AreFullWhenOneCustomersLineIsLong) {
  rules.waiting_events_max = 3;
  channel.failed(ann, event(2'000), failure(), start, 0);
  channel.add_behind(ann, event(2'001));
  EXPECT_FALSE(channel.is_full());
  channel.add_behind(ann, event(2'002));
  EXPECT_TRUE(channel.is_full());
  channel.delivered(ann, event(2'000), start);
  EXPECT_FALSE(channel.is_full());
}

TEST_F(Channels, KnowSinceWhenNothingSucceeded) {
  EXPECT_EQ(channel.cursor().failing_since, std::nullopt);
  channel.failed(ann, event(2'000), failure(), start, 0);
  channel.failed(ben, event(2'001), failure(), start + seconds(1), 0);
  EXPECT_EQ(channel.cursor().failing_since, start);
  channel.delivered(ann, event(2'000), start + seconds(5));
  EXPECT_EQ(channel.cursor().failing_since, std::nullopt);
  EXPECT_EQ(channel.cursor().delivered_at, start + seconds(5));
}

TEST_F(Channels, TakeWhatWasNotTriedForNoFailure) {
  Receipt untried;
  untried.is_untried = true;
  untried.retry_after = seconds(30);
  channel.failed(ann, event(2'000), untried, start, 0);
  EXPECT_EQ(channel.cursor().failing_since, std::nullopt);
  EXPECT_EQ(channel.waiting().at(ann).failures, 0U);
  EXPECT_EQ(channel.next_due(never), start + seconds(30));
}

TEST_F(Channels, DeliverOneEventAgainInItsOrder) {
  channel.move_to(event(9'000));
  channel.replay(ann, event(5'000), start);
  channel.replay(ann, event(4'000), start);
  channel.replay(ann, event(5'000), start);
  channel.replay(ann, event(9'500), start);
  EXPECT_THAT(channel.waiting().at(ann).events, ElementsAre(event(4'000), event(5'000)))
      << "what is still to come is not delivered twice for it";
  EXPECT_THAT(channel.due(start, never, 10), ElementsAre(ann));
}

TEST_F(Channels, DeliverEverythingSinceAMomentAgain) {
  channel.move_to(event(9'000));
  channel.failed(ann, event(4'000), failure(), start, 0);
  channel.add_behind(ann, event(6'000));
  channel.failed(ben, event(7'000), failure(), start, 0);
  channel.replay_from(event(5'000));
  EXPECT_EQ(channel.place(), event(5'000));
  EXPECT_THAT(channel.waiting().at(ann).events, ElementsAre(event(4'000))) << "what is behind the place comes again";
  EXPECT_FALSE(channel.is_waiting(ben));
  channel.replay_from(event(8'000));
  EXPECT_EQ(channel.place(), event(5'000)) << "nothing is left out";
}

TEST_F(Channels, WriteWhatChangedAndNothingElse) {
  channel.failed(ann, event(2'000), failure(), start, 0);
  channel.failed(ben, event(2'001), failure(), start, 0);
  channel.move_to(event(2'500, 7));
  auto write = channel.changes();
  EXPECT_EQ(write.revision_before, 0U);
  EXPECT_EQ(write.cursor->revision, 1U);
  EXPECT_EQ(write.cursor->place, event(2'500));
  EXPECT_EQ(write.waiting.size(), 2U);
  channel.confirm();
  EXPECT_FALSE(channel.has_changes());
  channel.delivered(ann, event(2'000), start);
  write = channel.changes();
  EXPECT_EQ(write.revision_before, 1U);
  ASSERT_EQ(write.waiting.size(), 1U);
  EXPECT_EQ(write.waiting.begin()->first, ann);
  EXPECT_EQ(write.waiting.begin()->second, std::nullopt);
  channel.confirm();

  store::EndpointDeliveries stored;
  stored.cursor = channel.cursor();
  stored.waiting = channel.waiting();
  const Channel again(rules, stored, event(1));
  EXPECT_EQ(again.place(), channel.place());
  EXPECT_EQ(again.changes().revision_before, 2U);
}

TEST(StoredDeliveries, AreReadAsTheyWereWritten) {
  store::DeliveryCursor cursor;
  cursor.revision = 77;
  cursor.place = event(1'795'262'400'123);
  cursor.failing_since = start;
  cursor.delivered_at = start - hours(1);
  EXPECT_EQ(store::decode_delivery_cursor(3, encode(cursor)).value(), cursor);
  EXPECT_EQ(store::decode_delivery_cursor(3, encode(store::DeliveryCursor{7, event(0), {}, {}})).value(),
            (store::DeliveryCursor{7, event(0), {}, {}}));

  store::WaitingCustomer waiting{{event(5, 1), event(6)}, 4, start, start + hours(2), 503, "it answered 503"};
  EXPECT_EQ(store::decode_waiting_customer(3, encode(waiting)).value(), waiting);

  const store::GivenUp given_up{WebhookEndpointId("we_1"), event(8, 2), account(4), 10, start, 0, "refused"};
  EXPECT_EQ(store::decode_given_up(3, encode(given_up)).value(), given_up);
}

TEST(StoredDeliveries, AreRefusedWhenTheyAreNone) {
  store::WaitingCustomer waiting{{event(5, 1)}, 4, start, start, 503, "it answered 503"};
  const std::string bytes = encode(waiting);
  for (std::size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(store::decode_waiting_customer(3, std::string_view(bytes).substr(0, length))) << length;
  EXPECT_FALSE(store::decode_waiting_customer(3, encode(store::WaitingCustomer())));
  EXPECT_FALSE(store::decode_delivery_cursor(3, "\x01short"));
  EXPECT_FALSE(store::decode_given_up(3, "\x01nobody"));
}

}  // namespace
}  // namespace billd::webhooks
