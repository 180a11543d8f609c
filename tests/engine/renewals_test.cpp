// Renewals that are asked for, billed ahead of their time, or waited for in a grace.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/scenario.hpp"

namespace billd::renewals_test {
namespace {

using std::chrono::days;
using std::chrono::hours;
using test::at;
using test::price;
using test::Scenario;
using testing::ElementsAre;
using testing::IsEmpty;

const Timestamp start = at("2026-01-15 10:00:00");
const Timestamp first_end = at("2026-02-15 10:00:00");
const Timestamp second_end = at("2026-03-15 10:00:00");

struct Subscribed {
  explicit Subscribed(RenewalTrigger trigger = RenewalTrigger::schedule) : world(start) {
    world.customer_with_card();
    Subscribe command = test::subscribe_to(price(2000));
    command.renewal_trigger = trigger;
    id = world.subscribed_to(std::move(command));
    world.take_events();
  }

  const Subscription& now() const { return world.subscription(id); }
  Transition renew(bool advance = false, std::optional<Timestamp> period_end = {}) {
    return world.run(RenewSubscription{id, advance, period_end});
  }

  Scenario world;
  SubscriptionId id;
};

TEST(ARenewalByHand, ThatIsNotYetDueChangesNothing) {
  Subscribed given;
  given.world.pass_to(first_end - hours(1));
  EXPECT_FALSE(given.renew().changed);
  EXPECT_EQ(given.now().ordinal, 0);
}

TEST(ARenewalByHand, ThatIsDueIsDoneOnceHoweverOftenItIsAskedFor) {
  Subscribed given;
  given.world.now = first_end;
  EXPECT_TRUE(given.renew().changed);
  EXPECT_FALSE(given.renew().changed);
  given.world.work();
  EXPECT_EQ(given.now().ordinal, 1);
  EXPECT_EQ(given.world.invoices().size(), 2U);
}

TEST(ARenewalByHand, OfATrialThatEndedInAStopLeavesItsEndUnannounced) {
  Scenario world(start);
  world.customer_with_card();
  Subscribe command = test::subscribe_to(price(2000));
  command.trial_end = start + days(10);
  const SubscriptionId id = world.subscribed_to(command);
  ASSERT_TRUE(world.subscription(id).trial_will_end_at.has_value());
  world.now = start + days(12);
  world.take_events();
  world.run(RenewSubscription{id, false, {}});
  EXPECT_EQ(world.subscription(id).trial_will_end_at, std::nullopt);
  world.work();
  EXPECT_THAT(world.take_events(), testing::Not(testing::Contains("customer.subscription.trial_will_end")));
}

TEST(ARenewalAhead, BillsTheNextPeriodNowAndLeavesNothingForItsTime) {
  Subscribed given;
  given.world.pass_to(start + days(10));
  EXPECT_TRUE(given.renew(true).changed);
  EXPECT_EQ(given.now().ordinal, 1);
  EXPECT_EQ(given.now().current_period, (Period{first_end, second_end}));
  EXPECT_EQ(given.world.latest_invoice().lines[0].period, (Period{first_end, second_end}));
  given.world.pass_to(second_end - hours(1));
  EXPECT_EQ(given.world.invoices().size(), 2U) << "nothing was billed at the boundary";
  EXPECT_EQ(given.world.latest_invoice().status, InvoiceStatus::paid);
  EXPECT_EQ(given.world.latest_invoice().paid_at, start + days(10) + hours(1));
  given.world.pass_to(second_end + hours(2));
  EXPECT_EQ(given.now().ordinal, 2);
  EXPECT_EQ(given.world.invoices().size(), 3U);
}

TEST(ARenewalAhead, GoesOnePeriodAheadAtMost) {
  Subscribed given;
  given.world.pass_to(start + days(10));
  EXPECT_TRUE(given.renew(true).changed);
  EXPECT_FALSE(given.renew(true).changed);
  given.world.pass_to(first_end);
  EXPECT_TRUE(given.renew(true).changed);
  EXPECT_EQ(given.now().ordinal, 2);
}

TEST(ARenewalAhead, MeantForOnePeriodIsDoneForNoOther) {
  Subscribed given;
  given.world.pass_to(start + days(10));
  EXPECT_TRUE(given.renew(true, first_end).changed);
  given.world.pass_to(first_end + days(1));
  EXPECT_FALSE(given.renew(true, first_end).changed) << "the same order, late";
  EXPECT_EQ(given.now().ordinal, 1);
}

TEST(ARenewalAhead, IsRefusedForATrialAndForWhatIsToEnd) {
  Scenario world(start);
  world.customer_with_card();
  Subscribe trial = test::subscribe_to(price(2000));
  trial.trial_end = start + days(14);
  const SubscriptionId id = world.subscribed_to(trial);
  EXPECT_EQ(world.refused(RenewSubscription{id, true, {}}).code, Errc::invalid_state);
  Subscribed given;
  given.world.run(CancelSubscription{given.id, true});
  EXPECT_EQ(given.world.refused(RenewSubscription{given.id, true, {}}).code, Errc::invalid_state);
  EXPECT_FALSE(given.renew().changed);
  given.world.run(CancelSubscription{given.id});
  EXPECT_EQ(given.world.refused(RenewSubscription{given.id, false, {}}).code, Errc::not_found) << "ended, and gone";
}

TEST(ARenewalOfACustomer, BeginsWhatIsDueAndNothingElse) {
  Subscribed given;
  given.world.now = start + days(5);
  const SubscriptionId later = given.world.subscribed_to(price(500));
  given.world.now = first_end;
  EXPECT_TRUE(given.world.run(RenewSubscription{}).changed);
  EXPECT_EQ(given.now().ordinal, 1);
  EXPECT_EQ(given.world.subscription(later).ordinal, 0);
  EXPECT_FALSE(given.world.run(RenewSubscription{}).changed);
}

TEST(AChange, AfterARenewalAheadIsProratedFromThePeriodThatWasBilled) {
  Subscribed given;
  given.world.pass_to(start + days(10));
  given.renew(true);
  UpdateSubscription update;
  update.subscription = given.id;
  ItemChange item;
  item.item = given.now().items[0].id;
  item.price = price(3000);
  update.items.push_back(item);
  given.world.run(update);
  std::vector<std::int64_t> amounts;
  for (const InvoiceItem& each : given.world.account().invoice_items) {
    amounts.push_back(each.amount.minor);
    EXPECT_EQ(each.period, (Period{first_end, second_end}));
  }
  EXPECT_THAT(amounts, ElementsAre(-2000, 3000));
}

TEST(ACancellation, WithinThePeriodBeforeOneThatWasBilledAheadCreditsThatOneAndNoMore) {
  Subscribed given;
  given.world.pass_to(start + days(10));
  given.renew(true);
  UpdateSubscription update;
  update.subscription = given.id;
  update.cancel_at = start + days(20);
  given.world.run(update);
  ASSERT_EQ(given.world.account().invoice_items.size(), 1U);
  EXPECT_EQ(given.world.account().invoice_items.front().amount.minor, -2000);
  EXPECT_EQ(given.world.account().invoice_items.front().period, (Period{first_end, second_end}));
  given.world.pass_to(start + days(21));
  EXPECT_EQ(given.now().status, SubscriptionStatus::canceled);
  EXPECT_EQ(given.now().ended_at, start + days(20));
}

// Subscriptions that a webhook renews

TEST(AWebhooksSubscription, WaitsInAGraceForTheWordThatRenewsIt) {
  Subscribed given(RenewalTrigger::webhook);
  given.world.pass_to(first_end);
  EXPECT_THAT(given.world.take_events(), ElementsAre("customer.subscription.updated"));
  EXPECT_EQ(given.now().grace_until, first_end + days(3));
  EXPECT_EQ(given.now().status, SubscriptionStatus::active);
  given.world.pass_to(first_end + days(2));
  EXPECT_EQ(given.now().ordinal, 0);
  EXPECT_TRUE(given.renew().changed);
  EXPECT_EQ(given.now().grace_until, std::nullopt);
  EXPECT_EQ(given.now().current_period, (Period{first_end, second_end})) << "the cycle does not move";
  EXPECT_FALSE(given.renew().changed);
}

TEST(AWebhooksSubscription, LapsesWhenTheWordDoesNotCome) {
  Subscribed given(RenewalTrigger::webhook);
  given.world.pass_to(first_end + days(4));
  EXPECT_EQ(given.now().status, SubscriptionStatus::canceled);
  EXPECT_EQ(given.now().ended_at, first_end + days(3));
  EXPECT_EQ(given.world.invoices().size(), 1U);
}

TEST(AWebhooksSubscription, EndsInItsGraceWhenItIsToEndThen) {
  Subscribed given(RenewalTrigger::webhook);
  UpdateSubscription update;
  update.subscription = given.id;
  update.cancel_at = first_end + days(1);
  given.world.run(update);
  given.world.pass_to(first_end + days(4));
  EXPECT_EQ(given.now().status, SubscriptionStatus::canceled);
  EXPECT_EQ(given.now().ended_at, first_end + days(1));
}

TEST(AWebhooksSubscription, LapsesByTheProcessorsWord) {
  Subscribed waiting(RenewalTrigger::webhook);
  waiting.world.pass_to(first_end + days(1));
  waiting.world.run(LapseSubscription{waiting.id});
  EXPECT_EQ(waiting.now().status, SubscriptionStatus::canceled);
  EXPECT_EQ(waiting.now().ended_at, first_end + days(1));

  Subscribed running(RenewalTrigger::webhook);
  running.world.pass_to(first_end - days(1));
  running.world.run(LapseSubscription{running.id});
  EXPECT_TRUE(running.now().cancel_at_period_end);
  EXPECT_FALSE(running.world.run(LapseSubscription{running.id}).changed);
  running.world.pass_to(first_end);
  EXPECT_EQ(running.now().ended_at, first_end) << "there is no grace for what is to end";
}

TEST(AWebhooksSubscription, ThatIsRenewedAheadHasNoGrace) {
  Subscribed given(RenewalTrigger::webhook);
  given.world.pass_to(first_end - days(2));
  given.renew(true);
  given.world.take_events();
  given.world.pass_to(first_end + days(1));
  EXPECT_EQ(given.now().grace_until, std::nullopt);
  EXPECT_EQ(given.now().ordinal, 1);
}

TEST(AWebhooksSubscription, GivenBackToTheScheduleInItsGraceRenewsAtOnce) {
  Subscribed given(RenewalTrigger::webhook);
  given.world.pass_to(first_end + days(1));
  UpdateSubscription update;
  update.subscription = given.id;
  update.renewal_trigger = RenewalTrigger::schedule;
  given.world.run(update);
  given.world.work();
  EXPECT_EQ(given.now().ordinal, 1);
  EXPECT_EQ(given.now().current_period, (Period{first_end, second_end}));
}

}  // namespace
}  // namespace billd::renewals_test
