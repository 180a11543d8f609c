// What time brings: renewals, ends, late work after a stop.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/scenario.hpp"

namespace billd::tick_test {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;
using test::at;
using test::card;
using test::daily;
using test::declined;
using test::monthly;
using test::names;
using test::price;
using test::Scenario;
using test::subscribe_to;
using test::succeeded;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

const Timestamp start = at("2026-01-31 10:00:00");

Scenario with_card(Rules rules = {}) {
  Scenario world(start, std::move(rules));
  world.customer_with_card();
  return world;
}

TEST(Tick, WithNothingDueChangesNothing) {
  Scenario world = with_card();
  EXPECT_FALSE(world.tick().changed);
  world.subscribed_to(price(2000));
  EXPECT_FALSE(world.tick().changed);
  world.now = at("2026-02-28 09:59:59");
  EXPECT_FALSE(world.tick().changed);
  world.now = start - days(1000);  // the clock went back
  EXPECT_FALSE(world.tick().changed);
}

TEST(ARenewal, BeginsThePeriodDrawsUpTheInvoiceFinalizesItAfterAnHourAndCollectsIt) {
  Scenario world = with_card();
  const SubscriptionId id = world.subscribed_to(price(2000));
  world.now = at("2026-02-28 10:00:00");
  EXPECT_THAT(names(world.tick()), ElementsAre("customer.subscription.updated", "invoice.created"));
  EXPECT_EQ(world.subscription(id).ordinal, 1);
  EXPECT_EQ(world.subscription(id).current_period, (Period{world.now, at("2026-03-31 10:00:00")}));
  const InvoiceId invoice = world.subscription(id).latest_invoice;
  EXPECT_EQ(world.invoice(invoice).status, InvoiceStatus::draft);
  EXPECT_EQ(world.invoice(invoice).finalize_at, at("2026-02-28 11:00:00"));
  EXPECT_FALSE(world.tick().changed);

  world.now = at("2026-02-28 11:00:00");
  const Transition collecting = world.tick();
  EXPECT_THAT(names(collecting), ElementsAre("invoice.finalized"));
  EXPECT_EQ(collecting.effects.size(), 1U) << "and the charge goes out in the same breath";
  EXPECT_THAT(names(world.answer(invoice, succeeded())),
              ElementsAre("charge.succeeded", "invoice.payment_succeeded", "invoice.paid"));
  EXPECT_THAT(world.account().invoices, IsEmpty());
  EXPECT_EQ(next_due(timers(world.account())), at("2026-03-31 10:00:00"));
}

TEST(Renewals, KeepTheAnchorsDayThroughShortMonths) {
  Scenario world = with_card();
  world.subscribed_to(price(2000));
  world.pass_to(at("2026-06-15"));
  std::vector<std::string> starts;
  for (const Invoice& invoice : world.invoices()) starts.push_back(to_text(invoice.lines.at(0).period.start));
  EXPECT_THAT(starts, ElementsAre("2026-01-31 10:00:00 UTC", "2026-02-28 10:00:00 UTC", "2026-03-31 10:00:00 UTC",
                                  "2026-04-30 10:00:00 UTC", "2026-05-31 10:00:00 UTC"));
}

TEST(Renewals, OfAnythingFreeArePaidWithoutACharge) {
  Scenario world(start);
  world.run(CreateCustomer{});
  world.subscribed_to(price(0));
  world.pass_to(at("2026-04-15"));
  ASSERT_EQ(world.invoices().size(), 3U);
  for (const Invoice& invoice : world.invoices()) {
    EXPECT_EQ(invoice.status, InvoiceStatus::paid);
    EXPECT_TRUE(invoice.attempted);
    EXPECT_THAT(invoice.charges, IsEmpty());
  }
}

TEST(ATrial, AnnouncesItsEndThreeDaysBeforeAndThenBills) {
  Scenario world = with_card();
  Subscribe command = subscribe_to(price(2000));
  command.trial_end = at("2026-02-14 10:00:00");
  const SubscriptionId id = world.subscribed_to(command);
  world.take_events();
  world.pass_to(at("2026-02-11 09:59:59"));
  EXPECT_THAT(world.take_events(), IsEmpty());
  world.pass_to(at("2026-02-14 09:59:59"));
  EXPECT_THAT(world.take_events(), ElementsAre("customer.subscription.trial_will_end"));
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::trialing);

  world.pass_to(at("2026-02-14 10:00:00"));
  EXPECT_THAT(world.take_events(), ElementsAre("customer.subscription.updated", "invoice.created"));
  const Subscription& subscription = world.subscription(id);
  EXPECT_EQ(subscription.status, SubscriptionStatus::active);
  EXPECT_EQ(subscription.ordinal, 1);
  EXPECT_EQ(subscription.current_period, (Period{at("2026-02-14 10:00:00"), at("2026-03-14 10:00:00")}));
  const Invoice invoice = world.latest_invoice();
  EXPECT_EQ(invoice.total.minor, 2000);
  EXPECT_FALSE(invoice.lines.at(0).trial);
  EXPECT_EQ(invoice.period, (Period{start, at("2026-02-14 10:00:00")})) << "the trial";
  world.pass_to(at("2026-02-14 11:00:00"));
  EXPECT_EQ(world.latest_invoice().status, InvoiceStatus::paid);
}

TEST(ATrial, WhoseEndPassedDuringAStopIsAnnouncedAndBilledInOrder) {
  Scenario world = with_card();
  Subscribe command = subscribe_to(price(2000));
  command.trial_end = at("2026-02-14 10:00:00");
  const SubscriptionId id = world.subscribed_to(command);
  world.take_events();
  world.jump_to(at("2026-02-20"));
  EXPECT_THAT(world.take_events(),
              ElementsAre("customer.subscription.trial_will_end", "customer.subscription.updated", "invoice.created"));
  EXPECT_EQ(world.subscription(id).ordinal, 1);
}

TEST(ATrial, ThatEndsWithoutASourceMakesTheSubscriptionPastDue) {
  Scenario world(start);
  world.run(CreateCustomer{});
  Subscribe command = subscribe_to(price(2000));
  command.trial_end = at("2026-02-14 10:00:00");
  const SubscriptionId id = world.subscribed_to(command);
  world.pass_to(at("2026-02-14 11:00:00"));
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::past_due);
}

TEST(FortyDaysOfStop, AreWorkedOffOnePeriodAtATimeInOrderEachOnce) {
  Scenario world = with_card();
  const SubscriptionId id = world.subscribed_to(price(100, daily));
  world.now = start + days(40) + hours(2);
  for (std::int64_t ordinal = 1; ordinal <= 40; ++ordinal) {
    EXPECT_THAT(names(world.tick()), ElementsAre("customer.subscription.updated", "invoice.created"));
    EXPECT_EQ(world.subscription(id).ordinal, ordinal);
    EXPECT_EQ(world.latest_invoice().lines.at(0).period.start, start + days(ordinal));
  }
  EXPECT_FALSE(world.tick().changed);
  EXPECT_EQ(world.subscription(id).current_period.end, start + days(41));
  world.pass_to(start + days(40) + hours(3));
  const auto invoices = world.invoices();
  ASSERT_EQ(invoices.size(), 41U);
  for (std::size_t i = 0; i < invoices.size(); ++i) {
    EXPECT_EQ(invoices[i].ordinal, static_cast<std::int64_t>(i));
    EXPECT_EQ(invoices[i].status, InvoiceStatus::paid);
    EXPECT_EQ(invoices[i].charges.size(), 1U);
  }
}

TEST(AJumpOfTheClock, OverMonthsLosesNoPeriodAndALaterStepBackRepeatsNone) {
  Scenario world = with_card();
  const SubscriptionId id = world.subscribed_to(price(2000));
  world.jump_to(at("2028-03-01"));
  world.pass_to(at("2028-03-02"));
  EXPECT_EQ(world.subscription(id).ordinal, 25);
  EXPECT_EQ(to_text(world.subscription(id).current_period.start), "2028-02-29 10:00:00 UTC");
  EXPECT_EQ(world.invoices().size(), 26U);
  world.jump_to(at("2026-05-01"));
  EXPECT_EQ(world.invoices().size(), 26U);
}

TEST(TwoSubscriptions, DueAtTheSameTimeAreRenewedOneAfterTheOther) {
  Scenario world = with_card();
  const SubscriptionId first = world.subscribed_to(price(2000));
  const SubscriptionId second = world.subscribed_to(price(500));
  world.now = at("2026-02-28 10:00:00");
  EXPECT_TRUE(world.tick().changed);
  EXPECT_EQ(world.subscription(first).ordinal, 1);
  EXPECT_EQ(world.subscription(second).ordinal, 0);
  EXPECT_EQ(next_due(timers(world.account())), world.now) << "and it is still due";
  EXPECT_TRUE(world.tick().changed);
  EXPECT_EQ(world.subscription(second).ordinal, 1);
  EXPECT_FALSE(world.tick().changed);
}

TEST(TwoInvoices, DueAtTheSameTimeAreCollectedOneChargeAtATime) {
  Scenario world = with_card();
  world.subscribed_to(price(2000));
  world.subscribed_to(price(500));
  world.bank_says({ChargeOutcomeKind::unknown, "", ""});
  world.pass_to(at("2026-02-28 10:00:00"));
  world.now = at("2026-02-28 11:00:00");
  EXPECT_EQ(world.tick().effects.size(), 1U);
  EXPECT_EQ(world.tick().effects.size(), 1U) << "the one does not wait for the other's answer";
  EXPECT_FALSE(world.tick().changed);
  for (const Invoice& invoice : world.account().invoices) EXPECT_EQ(invoice.charges.size(), 1U);
}

TEST(TheEarliest, IsDoneFirst) {
  Scenario world = with_card();
  const SubscriptionId monthly_one = world.subscribed_to(price(2000));
  world.now = start + days(1);
  const SubscriptionId ending = world.subscribed_to(price(100, daily));
  world.run(CancelSubscription{ending, true});
  world.take_events();
  world.jump_to(at("2026-03-01"));
  EXPECT_THAT(world.take_events(),
              ElementsAre("customer.subscription.deleted", "customer.subscription.updated", "invoice.created"));
  EXPECT_EQ(world.subscription(monthly_one).ordinal, 1);
}

TEST(AnInvoice, OwedAlreadyIsSettledBeforeARenewalDueAtTheSameTime) {
  Rules rules;
  rules.invoice_finalize_delay = days(1);
  Scenario world = with_card(rules);
  world.subscribed_to(price(100, daily));
  world.pass_to(start + days(1));
  world.now = start + days(2);
  const Transition first = world.tick();
  EXPECT_THAT(names(first), ElementsAre("invoice.finalized"));
  EXPECT_EQ(first.effects.size(), 1U);
}

TEST(NoDelay, FinalizesAndCollectsARenewalInTheSameTick) {
  Rules rules;
  rules.invoice_finalize_delay = Duration(0);
  Scenario world = with_card(rules);
  world.subscribed_to(price(2000));
  world.now = at("2026-02-28 10:00:00");
  const Transition renewed = world.tick();
  EXPECT_THAT(names(renewed), ElementsAre("customer.subscription.updated", "invoice.created", "invoice.finalized"));
  EXPECT_EQ(renewed.effects.size(), 1U);
}

TEST(ARenewalThatCannotBeReckoned, FailsAndChangesNothing) {
  Scenario world = with_card();
  world.subscribed_to(price(2000));
  Account broken = world.account();
  broken.subscriptions[0].items[0].price.unit_amount.minor = std::int64_t{1} << 62;
  broken.subscriptions[0].items[0].quantity = 4;
  const auto ticked = tick(broken, at("2026-03-01"), Rules{});
  ASSERT_FALSE(ticked);
  EXPECT_EQ(ticked.error().code, Errc::amount_out_of_range);
}

TEST(ACustomer, PastDueGoesOnBeingRenewed) {
  Rules rules;
  rules.retry_schedule = {days(60)};
  Scenario world = with_card(rules);
  const SubscriptionId id = world.subscribed_to(price(2000));
  world.bank_says(declined());
  world.pass_to(at("2026-04-01"));
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::past_due);
  EXPECT_EQ(world.subscription(id).ordinal, 2);
  EXPECT_EQ(world.account().invoices.size(), 2U);
}

TEST(Timers, AreWhatTheAccountWaitsForInEachQueue) {
  Scenario world = with_card();
  const SubscriptionId id = world.subscribed_to(price(2000));
  auto of = [&](Queue queue) { return timers(world.account())[static_cast<std::size_t>(queue)]; };
  EXPECT_EQ(of(Queue::renewal), at("2026-02-28 10:00:00"));
  EXPECT_EQ(of(Queue::cancellation), std::nullopt);
  EXPECT_EQ(of(Queue::invoice_closing), std::nullopt);
  EXPECT_EQ(of(Queue::collection), std::nullopt);

  world.run(CancelSubscription{id, true});
  EXPECT_EQ(of(Queue::renewal), std::nullopt);
  EXPECT_EQ(of(Queue::cancellation), at("2026-02-28 10:00:00"));
  world.run(ResumeSubscription{id});

  world.bank_says(declined());
  world.pass_to(at("2026-02-28 10:00:00"));
  EXPECT_EQ(of(Queue::invoice_closing), at("2026-02-28 11:00:00"));
  EXPECT_EQ(next_due(timers(world.account())), at("2026-02-28 11:00:00"));
  world.pass_to(at("2026-02-28 11:00:00"));
  EXPECT_EQ(of(Queue::invoice_closing), std::nullopt);
  EXPECT_EQ(of(Queue::collection), at("2026-03-03 11:00:00"));
  EXPECT_EQ(of(Queue::renewal), at("2026-03-31 10:00:00"));
}

TEST(Queues, HaveTheNamesOfStorage) {
  EXPECT_EQ(to_text(Queue::renewal), "renewal");
  EXPECT_EQ(to_text(Queue::cancellation), "cancellation");
  EXPECT_EQ(to_text(Queue::invoice_closing), "invoice_closing");
  EXPECT_EQ(to_text(Queue::collection), "collection");
}

TEST(EventTypes, AreReadBackByTheirNames) {
  for (int i = 0; i <= static_cast<int>(EventType::charge_failed); ++i) {
    const auto type = static_cast<EventType>(i);
    EXPECT_EQ(parse_event_type(to_text(type)), type);
  }
  EXPECT_EQ(parse_event_type("customer.subscription.trial_will_end"), EventType::subscription_trial_will_end);
  EXPECT_EQ(parse_event_type("customer"), std::nullopt);
}

TEST(Decide, DecidesTheSameForTheSame) {
  Scenario one = with_card(), other = with_card();
  one.subscribed_to(price(2000));
  other.subscribed_to(price(2000));
  one.pass_to(at("2027-01-01"));
  other.pass_to(at("2027-01-01"));
  EXPECT_EQ(one.account(), other.account());
  EXPECT_EQ(one.records(), other.records());
}

}  // namespace
}  // namespace billd::tick_test
