// Charges: journaled before they are sent, asked after when nobody answers, never made twice; and the retries.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/scenario.hpp"

namespace billd::collection_test {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;
using test::at;
using test::card;
using test::daily;
using test::declined;
using test::names;
using test::price;
using test::Scenario;
using test::succeeded;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Not;

const Timestamp start = at("2026-01-15 10:00:00");
const Timestamp renewal = at("2026-02-15 10:00:00");
const Timestamp collected = renewal + hours(1);
const ChargeOutcome no_answer{ChargeOutcomeKind::unknown, "", ""};
const ChargeOutcome cannot_say{ChargeOutcomeKind::impossible, "", ""};
const ChargeOutcome under_way{ChargeOutcomeKind::pending, "", "gateway_debit"};

/// A customer whose renewal's charge is in flight.
struct InFlight {
  explicit InFlight(Rules rules = {}) : world(start, std::move(rules)) {
    world.customer_with_card();
    subscription = world.subscribed_to(price(2000));
    world.bank_says(no_answer);
    world.pass_to(collected);
    invoice = world.latest_invoice().id;
    world.take_events();
  }

  const Charge& charge() const { return world.invoice(invoice).charges.back(); }
  SubscriptionStatus status() const { return world.subscription(subscription).status; }

  Scenario world;
  SubscriptionId subscription;
  InvoiceId invoice;
};

TEST(ACharge, IsJournaledBeforeItIsSent) {
  InFlight given;
  const Charge& charge = given.charge();
  EXPECT_EQ(charge.state, ChargeState::sending);
  EXPECT_EQ(charge.amount.minor, 2000);
  EXPECT_EQ(charge.created, collected);
  EXPECT_EQ(charge.resolve_at, collected + seconds(30));
  EXPECT_EQ(charge.source, given.world.account().sources[0].id);
  EXPECT_EQ(charge.gateway, "test");
  EXPECT_TRUE(charge.automatic);
  EXPECT_EQ(given.world.invoice(given.invoice).status, InvoiceStatus::open);
}

TEST(ACharge, ThatSucceedsPaysTheInvoice) {
  InFlight given;
  EXPECT_THAT(names(given.world.answer(given.invoice, succeeded())),
              ElementsAre("charge.succeeded", "invoice.payment_succeeded", "invoice.paid"));
  const Invoice& invoice = given.world.invoice(given.invoice);
  EXPECT_EQ(invoice.status, InvoiceStatus::paid);
  EXPECT_EQ(invoice.amount_paid, invoice.total);
  EXPECT_EQ(invoice.paid_at, collected);
  EXPECT_EQ(invoice.charges[0].gateway_reference, "gateway_charge");
}

TEST(AnOutcome, RecordedTwiceChangesNothingTheSecondTime) {
  for (const ChargeOutcome& outcome : {succeeded(), declined()}) {
    InFlight given;
    const ChargeId charge = given.charge().id;
    EXPECT_TRUE(given.world.run(RecordChargeOutcome{given.invoice, charge, outcome}).changed);
    for (const ChargeOutcome& again : {outcome, no_answer, cannot_say, under_way})
      EXPECT_FALSE(
          given.world.run(RecordChargeOutcome{given.invoice, charge, again, given.world.settled(given.invoice)})
              .changed);
  }
}

TEST(AnOutcome, OfAnotherChargeOrInvoiceChangesNothing) {
  InFlight given;
  EXPECT_FALSE(given.world.run(RecordChargeOutcome{given.invoice, ChargeId("ch_other"), succeeded()}).changed);
  EXPECT_FALSE(given.world.run(RecordChargeOutcome{InvoiceId("in_other"), given.charge().id, succeeded()}).changed);
}

TEST(AnOutcome, OfAnEarlierAttemptDoesNotTouchTheLaterOne) {
  InFlight given;
  const ChargeId first = given.charge().id;
  given.world.answer(given.invoice, declined());
  given.world.pass_to(collected + days(3));
  ASSERT_NE(given.charge().id, first);
  const Transition contradicted = given.world.run(RecordChargeOutcome{given.invoice, first, succeeded()});
  EXPECT_EQ(contradicted.alarm, "the gateway says that a declined charge has succeeded");
  EXPECT_EQ(given.charge().state, ChargeState::sending);
  EXPECT_TRUE(given.world.invoice(given.invoice).charges[0].contradicted);
}

TEST(ASuccess, AfterTheSameChargeWasDeclinedIsAnAlarmAndKeepsEveryOtherAttemptFromBeingMade) {
  InFlight given;
  given.world.answer(given.invoice, declined());
  const ChargeId charge = given.charge().id;
  const Transition contradicted = given.world.run(RecordChargeOutcome{given.invoice, charge, succeeded()});
  EXPECT_THAT(contradicted.alarm, Not(IsEmpty()));
  EXPECT_EQ(given.charge().state, ChargeState::parked);
  EXPECT_EQ(given.world.invoice(given.invoice).next_attempt_at, std::nullopt);
  EXPECT_EQ(timers(given.world.account())[static_cast<std::size_t>(Queue::collection)], std::nullopt);
  // The operator has looked.
  given.world.run(RecordChargeOutcome{given.invoice, charge, succeeded()});
  EXPECT_EQ(given.world.invoice(given.invoice).status, InvoiceStatus::paid);
  EXPECT_EQ(given.status(), SubscriptionStatus::active);
}

TEST(ADecline, AfterTheSameChargeSucceededIsAnAlarmOnce) {
  InFlight given;
  const ChargeId charge = given.charge().id;
  given.world.answer(given.invoice, succeeded());
  RecordChargeOutcome command{given.invoice, charge, declined(), given.world.settled(given.invoice)};
  EXPECT_EQ(given.world.run(command).alarm, "the gateway says that a charge which succeeded was declined");
  command.recalled = given.world.settled(given.invoice);
  EXPECT_FALSE(given.world.run(command).changed);
  EXPECT_EQ(given.world.invoice(given.invoice).status, InvoiceStatus::paid);
}

TEST(AnUnknownOutcome, ChangesNothingAndIsAskedForAgain) {
  InFlight given;
  EXPECT_FALSE(given.world.answer(given.invoice, no_answer).changed);
  EXPECT_EQ(next_due(timers(given.world.account())), collected + seconds(30));
  given.world.now = collected + seconds(29);
  EXPECT_FALSE(given.world.tick().changed);
  given.world.now = collected + seconds(30);
  const Transition asked = given.world.tick();
  EXPECT_THAT(asked.effects, ElementsAre(CollectCharge{given.invoice, given.charge().id, false}));
  EXPECT_THAT(names(asked), IsEmpty());
  EXPECT_EQ(given.charge().resolve_at, collected + seconds(60));
  EXPECT_EQ(given.charge().created, collected) << "the key's life is counted from the first sending";
  EXPECT_EQ(given.world.invoice(given.invoice).charges.size(), 1U) << "the same charge, under the same key";
}

TEST(AnUnknownOutcome, IsOnlyLookedUpWhenTheKeysLifeIsOver) {
  InFlight given;
  given.world.now = collected + hours(12) - seconds(1);
  EXPECT_FALSE(std::get<CollectCharge>(given.world.tick().effects.at(0)).look_up_only);
  given.world.now = collected + hours(13);  // Questions come once an hour by then.
  EXPECT_TRUE(std::get<CollectCharge>(given.world.tick().effects.at(0)).look_up_only);
  given.world.jump_to(collected + days(400));
  given.world.answer(given.invoice, succeeded());
  EXPECT_EQ(given.world.invoice(given.invoice).status, InvoiceStatus::paid);
}

TEST(AnUnknownOutcome, KeepsEveryOtherChargeFromBeingMade) {
  InFlight given;
  int sent = 0;
  given.world.bank = [&](const CollectCharge&, const Charge&) -> std::optional<ChargeOutcome> {
    ++sent;
    return std::nullopt;
  };
  given.world.pass_to(collected + hours(1));
  EXPECT_EQ(sent, 7) << "after 30 s, 1, 2, 4, 8, 16 and 32 min";
  given.world.pass_to(collected + days(3));
  EXPECT_EQ(sent, 7 + 71) << "and from then on once an hour";
  EXPECT_EQ(given.world.invoice(given.invoice).charges.size(), 1U);
  EXPECT_EQ(given.world.refused(PayInvoice{given.invoice, {}, {}}).code, Errc::invalid_state);
}

TEST(AnImpossibleOutcome, ParksTheChargeForAnOperator) {
  InFlight given;
  EXPECT_TRUE(given.world.answer(given.invoice, cannot_say).changed);
  EXPECT_EQ(given.charge().state, ChargeState::parked);
  EXPECT_FALSE(given.world.answer(given.invoice, cannot_say).changed);
  EXPECT_EQ(timers(given.world.account())[static_cast<std::size_t>(Queue::collection)], std::nullopt);
  given.world.pass_to(renewal + days(20));
  EXPECT_EQ(given.world.invoice(given.invoice).charges.size(), 1U) << "never sent again";
}

// Bank debits

TEST(APendingCharge, IsAskedForMoreAndMoreRarelyUntilItIsDecided) {
  InFlight given;
  EXPECT_THAT(names(given.world.answer(given.invoice, under_way)), ElementsAre("charge.pending"));
  EXPECT_EQ(given.charge().state, ChargeState::pending);
  EXPECT_EQ(given.charge().gateway_reference, "gateway_debit");
  EXPECT_EQ(given.status(), SubscriptionStatus::active) << "not past due: the money is on its way";
  int asked = 0;
  given.world.bank = [&](const CollectCharge& effect, const Charge&) -> std::optional<ChargeOutcome> {
    EXPECT_TRUE(effect.look_up_only) << "it is never sent again";
    ++asked;
    return under_way;
  };
  given.world.pass_to(collected + hours(12));
  EXPECT_EQ(asked, 7) << "after 10, 20, 40 min, 80, 160, 320 min, 640 min";
  given.world.pass_to(collected + days(4));
  EXPECT_EQ(asked, 7 + 14) << "four times a day";
  EXPECT_EQ(given.world.invoice(given.invoice).charges.size(), 1U);
  EXPECT_EQ(given.world.refused(PayInvoice{given.invoice, {}, {}}).code, Errc::invalid_state);
  given.world.bank_says(succeeded());
  given.world.pass_to(collected + days(5));
  EXPECT_EQ(given.world.invoice(given.invoice).status, InvoiceStatus::paid);
}

TEST(APendingCharge, IsDecidedOnceByTheWebhookOrTheQuestionWhicheverComesFirst) {
  InFlight given;
  given.world.answer(given.invoice, under_way);
  const ChargeId charge = given.charge().id;
  given.world.now = collected + days(2);
  EXPECT_TRUE(given.world.run(RecordChargeOutcome{given.invoice, charge, succeeded()}).changed);
  RecordChargeOutcome again{given.invoice, charge, succeeded(), given.world.settled(given.invoice)};
  EXPECT_FALSE(given.world.run(again).changed);
  EXPECT_EQ(given.world.invoice(given.invoice).amount_paid.minor, 2000);
}

TEST(APendingCharge, ThatFailsFollowsTheSchedule) {
  InFlight given;
  given.world.answer(given.invoice, under_way);
  given.world.now = collected + days(4);
  given.world.answer(given.invoice, declined("insufficient_funds"));
  EXPECT_EQ(given.status(), SubscriptionStatus::past_due);
  EXPECT_EQ(given.world.invoice(given.invoice).next_attempt_at, collected + days(4) + days(3));
}

TEST(APendingCharge, IsParkedWhenItWillNotEnd) {
  InFlight given;
  given.world.answer(given.invoice, under_way);
  given.world.bank_says(under_way);
  given.world.pass_to(collected + days(31));
  EXPECT_EQ(given.charge().state, ChargeState::parked);
}

TEST(APendingCharge, OfTheFirstInvoiceBeginsTheSubscription) {
  for (const PaymentBehavior behavior : {PaymentBehavior::allow_incomplete, PaymentBehavior::error_if_incomplete}) {
    Scenario world(start);
    world.customer_with_card();
    world.bank_says(under_way);
    Subscribe subscribe = test::subscribe_to(price(2000));
    subscribe.payment_behavior = behavior;
    const SubscriptionId id = world.subscribed_to(subscribe);
    EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::active);
    EXPECT_FALSE(world.subscription(id).provisional);
    EXPECT_EQ(world.subscription(id).expires_at, std::nullopt);
    world.answer(world.latest_invoice().id, declined());
    EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::past_due);
  }
}

TEST(ASource, RemembersWhenAChargeOfItSucceededLast) {
  InFlight given;
  EXPECT_EQ(given.world.account().sources[0].last_used, start);
  given.world.answer(given.invoice, declined());
  EXPECT_EQ(given.world.account().sources[0].last_used, start);
  given.world.bank_says(succeeded());
  given.world.pass_to(collected + days(3));
  EXPECT_EQ(given.world.account().sources[0].last_used, collected + days(3));
}

TEST(ADispute, IsToldWhenItBeginsAndWhenItIsClosed) {
  InFlight given;
  const ChargeId charge = given.charge().id;
  given.world.answer(given.invoice, succeeded());
  RecordDispute command{
      given.invoice, {}, charge, {"dp_1", DisputeStatus::open, {2000, Currency::of("usd")}, "fraudulent", {}}};
  auto tell = [&](DisputeStatus status) {
    command.dispute.status = status;
    command.recalled = given.world.settled(given.invoice);
    given.world.take_events();
    given.world.run(command);
    return given.world.take_events();
  };
  EXPECT_THAT(tell(DisputeStatus::open), ElementsAre("charge.dispute.created"));
  EXPECT_THAT(tell(DisputeStatus::open), IsEmpty());
  EXPECT_THAT(tell(DisputeStatus::lost), ElementsAre("charge.dispute.closed"));
  EXPECT_THAT(tell(DisputeStatus::won), IsEmpty()) << "late and reordered";
  EXPECT_THAT(tell(DisputeStatus::open), IsEmpty());
  EXPECT_EQ(given.charge().dispute->status, DisputeStatus::lost);
  EXPECT_EQ(given.charge().dispute->created, collected);
}

TEST(AParkedCharge, IsEndedByWhatTheOperatorFindsOut) {
  for (const ChargeOutcome& found : {succeeded(), declined()}) {
    InFlight given;
    given.world.answer(given.invoice, cannot_say);
    given.world.now = collected + days(2);
    given.world.answer(given.invoice, found);
    const bool paid = found.kind == ChargeOutcomeKind::succeeded;
    EXPECT_EQ(given.world.invoice(given.invoice).status, paid ? InvoiceStatus::paid : InvoiceStatus::open);
    EXPECT_EQ(given.status(), paid ? SubscriptionStatus::active : SubscriptionStatus::past_due);
    if (!paid) EXPECT_EQ(given.world.invoice(given.invoice).next_attempt_at, collected + days(2) + days(3));
  }
}

TEST(AParkedCharge, DoesNotHoldUpTheNextRenewal) {
  InFlight given;
  given.world.answer(given.invoice, cannot_say);
  given.world.bank_says(succeeded());
  given.world.pass_to(at("2026-03-16"));
  EXPECT_EQ(given.world.subscription(given.subscription).ordinal, 2);
  EXPECT_EQ(given.world.latest_invoice().status, InvoiceStatus::paid);
  EXPECT_EQ(given.charge().state, ChargeState::parked);
}

TEST(AnOutcome, AfterTheSubscriptionWasCancelledIsStillRecorded) {
  for (const ChargeOutcome& outcome : {succeeded(), declined()}) {
    InFlight given;
    given.world.run(CancelSubscription{given.subscription});
    ASSERT_NE(given.world.account().find(given.invoice), nullptr) << "its charge is not resolved";
    given.world.answer(given.invoice, outcome);
    const bool paid = outcome.kind == ChargeOutcomeKind::succeeded;
    EXPECT_EQ(given.world.invoice(given.invoice).status, paid ? InvoiceStatus::paid : InvoiceStatus::open);
    EXPECT_EQ(given.world.invoice(given.invoice).next_attempt_at, std::nullopt);
    EXPECT_EQ(given.status(), SubscriptionStatus::canceled);
    EXPECT_EQ(next_due(timers(given.world.account())), std::nullopt);
  }
}

TEST(AnOutcome, AfterTheCustomerWasDeletedIsStillRecorded) {
  for (const ChargeOutcome& outcome : {succeeded(), declined()}) {
    InFlight given;
    given.world.run(DeleteCustomer{});
    const Transition recorded = given.world.answer(given.invoice, outcome);
    const bool paid = outcome.kind == ChargeOutcomeKind::succeeded;
    EXPECT_EQ(given.world.invoice(given.invoice).status, paid ? InvoiceStatus::paid : InvoiceStatus::open);
    EXPECT_EQ(names(recorded).front(), paid ? "charge.succeeded" : "charge.failed");
    EXPECT_TRUE(given.world.account().customer.deleted);
    EXPECT_FALSE(given.world.account().customer.delinquent);
    EXPECT_EQ(next_due(timers(given.world.account())), std::nullopt);
  }
}

TEST(AnOutcome, AfterTheCardWasRemovedIsStillAskedFor) {
  InFlight given;
  given.world.run(RemoveSource{given.world.account().sources[0].id});
  given.world.now = collected + seconds(30);
  EXPECT_EQ(given.world.tick().effects.size(), 1U);
  EXPECT_EQ(given.charge().gateway_source, "tok_visa") << "the charge holds what it needs";
}

// What the gateway never had

const ChargeOutcome never_had{ChargeOutcomeKind::absent, "", ""};

TEST(AnAbsentCharge, IsReplacedByAnotherAtNoCostOfAnAttempt) {
  InFlight given;
  const ChargeId first = given.charge().id;
  const auto before = given.world.invoice(given.invoice);
  given.world.now = collected + hours(72);
  const Transition recorded = given.world.decide(RecordChargeOutcome{given.invoice, first, never_had});
  EXPECT_THAT(names(recorded), IsEmpty()) << "nobody was refused";
  const Invoice& invoice = given.world.invoice(given.invoice);
  ASSERT_EQ(invoice.charges.size(), 2U);
  EXPECT_EQ(invoice.charges[0].state, ChargeState::absent);
  EXPECT_EQ(given.charge().state, ChargeState::sending);
  EXPECT_NE(given.charge().id, first);
  EXPECT_EQ(given.charge().created, collected + hours(72)) << "its key lives from now on";
  EXPECT_TRUE(given.charge().automatic);
  EXPECT_EQ(recorded.effects, (std::vector<Effect>{CollectCharge{given.invoice, given.charge().id, false}}));
  EXPECT_EQ(invoice.attempt_count, before.attempt_count);
  EXPECT_EQ(invoice.next_attempt_at, before.next_attempt_at);
  EXPECT_EQ(given.status(), SubscriptionStatus::active);
  EXPECT_FALSE(given.world.account().customer.delinquent);

  // The schedule begins with the first word of the bank.
  given.world.answer(given.invoice, declined());
  EXPECT_EQ(given.world.invoice(given.invoice).attempt_count, 1);
  EXPECT_EQ(given.world.invoice(given.invoice).next_attempt_at, collected + hours(72) + days(3));
}

TEST(AnAbsentCharge, OfARetryLeavesTheScheduleWhereItWas) {
  InFlight given;
  given.world.answer(given.invoice, declined());
  given.world.pass_to(collected + days(3));
  ASSERT_EQ(given.world.invoice(given.invoice).attempt_count, 2);
  for (int again = 0; again < 5; ++again) given.world.answer(given.invoice, never_had);
  EXPECT_EQ(given.world.invoice(given.invoice).attempt_count, 2);
  EXPECT_EQ(given.world.invoice(given.invoice).charges.size(), 7U);
  given.world.answer(given.invoice, declined());
  EXPECT_EQ(given.world.invoice(given.invoice).next_attempt_at, collected + days(3) + days(5));
}

TEST(AnAbsentCharge, OfWhichTheGatewaySpeaksAfterAllIsAnAlarm) {
  for (const ChargeOutcome& after_all : {succeeded(), under_way}) {
    InFlight given;
    const ChargeId first = given.charge().id;
    given.world.answer(given.invoice, never_had);
    const ChargeId second = given.charge().id;
    const Transition told = given.world.run(RecordChargeOutcome{given.invoice, first, after_all});
    EXPECT_EQ(told.alarm, "the gateway knows a charge that it had said it never had");
    EXPECT_EQ(given.charge().id, second) << "no further charge is begun";
    EXPECT_FALSE(given.world.run(RecordChargeOutcome{given.invoice, first, after_all}).changed);
  }
}

TEST(AnAbsentCharge, IsSaidOnceAndOnlyOfWhatIsInFlight) {
  InFlight given;
  const ChargeId first = given.charge().id;
  given.world.answer(given.invoice, never_had);
  for (const ChargeOutcome& again : {never_had, declined(), no_answer, cannot_say})
    EXPECT_FALSE(given.world.run(RecordChargeOutcome{given.invoice, first, again}).changed);
  given.world.answer(given.invoice, succeeded());
  EXPECT_FALSE(given.world.run(RecordChargeOutcome{given.invoice, given.charge().id, never_had}).changed);
}

TEST(APendingCharge, ThatTheGatewayDoesNotKnowAnyMoreIsParked) {
  InFlight given;
  given.world.answer(given.invoice, under_way);
  const Transition told = given.world.answer(given.invoice, never_had);
  EXPECT_EQ(told.alarm, "the gateway does not know any more a charge that it had taken on");
  EXPECT_EQ(given.charge().state, ChargeState::parked);
}

TEST(AnAbsentCharge, IsNotReplacedWhenNobodyWantsItAnyMore) {
  InFlight closed;
  closed.world.run(CloseInvoice{closed.invoice, {}});
  closed.world.answer(closed.invoice, never_had);
  EXPECT_EQ(closed.world.invoice(closed.invoice).charges.size(), 1U);
  EXPECT_EQ(closed.world.account().find(closed.invoice), nullptr) << "it rests";

  InFlight deleted;
  deleted.world.run(DeleteCustomer{});
  deleted.world.answer(deleted.invoice, never_had);
  EXPECT_EQ(deleted.charge().state, ChargeState::absent);
}

TEST(AnAbsentCharge, WithoutASourceByNowIsAFailedAttempt) {
  InFlight given;
  given.world.run(RemoveSource{given.world.account().sources[0].id});
  given.world.answer(given.invoice, never_had);
  EXPECT_EQ(given.world.invoice(given.invoice).charges.size(), 1U);
  EXPECT_EQ(given.world.invoice(given.invoice).attempt_count, 1);
  EXPECT_EQ(given.world.invoice(given.invoice).next_attempt_at, collected + days(3));
  EXPECT_EQ(given.status(), SubscriptionStatus::past_due);
}

TEST(AnAbsentCharge, OfASubscriptionThatNobodyHasHeardOfEndsIt) {
  Scenario world(start);
  world.customer_with_card();
  world.bank_says(no_answer);
  Subscribe subscribe = test::subscribe_to(price(2000));
  subscribe.payment_behavior = PaymentBehavior::error_if_incomplete;
  world.subscribed_to(subscribe);
  const InvoiceId invoice = world.invoice_ids().back();
  world.take_events();
  world.answer(invoice, never_had);
  EXPECT_THAT(world.account().subscriptions, IsEmpty());
  EXPECT_THAT(world.take_events(), IsEmpty());
}

// The schedule

TEST(TheSchedule, RetriesAfterThreeFiveAndSevenDays) {
  InFlight given;
  given.world.bank_says(declined());
  given.world.answer(given.invoice, declined("expired_card"));
  EXPECT_THAT(given.world.take_events(), ElementsAre("charge.failed", "customer.updated", "invoice.payment_failed",
                                                     "customer.subscription.updated"));
  EXPECT_EQ(given.status(), SubscriptionStatus::past_due);
  EXPECT_TRUE(given.world.account().customer.delinquent);
  EXPECT_EQ(given.charge().decline_code, "expired_card");

  Timestamp due = collected;
  for (const auto [wait, attempts] : {std::pair(days(3), 2), std::pair(days(5), 3)}) {
    due += wait;
    EXPECT_EQ(given.world.invoice(given.invoice).next_attempt_at, due);
    given.world.pass_to(due - seconds(1));
    EXPECT_EQ(given.world.invoice(given.invoice).attempt_count, attempts - 1);
    given.world.pass_to(due);
    EXPECT_EQ(given.world.invoice(given.invoice).attempt_count, attempts);
    EXPECT_THAT(given.world.take_events(), ElementsAre("charge.failed", "invoice.payment_failed"));
  }
  given.world.pass_to(due + days(7));
  EXPECT_EQ(given.world.invoice(given.invoice).attempt_count, 4);
  EXPECT_EQ(given.world.invoice(given.invoice).charges.size(), 4U);
}

TEST(TheSchedule, IsCountedFromTheAttemptBefore) {
  InFlight given;
  given.world.now = collected + hours(7);  // the answer came late
  given.world.answer(given.invoice, declined());
  EXPECT_EQ(given.world.invoice(given.invoice).next_attempt_at, collected + hours(7) + days(3));
}

TEST(TheSchedule, EndsWhenARetrySucceeds) {
  InFlight given;
  given.world.answer(given.invoice, declined());
  given.world.bank_says(succeeded());
  given.world.take_events();
  given.world.pass_to(collected + days(3));
  EXPECT_THAT(given.world.take_events(),
              ElementsAre("charge.succeeded", "customer.updated", "invoice.payment_succeeded", "invoice.paid",
                          "customer.subscription.updated"));
  EXPECT_EQ(given.status(), SubscriptionStatus::active);
  EXPECT_FALSE(given.world.account().customer.delinquent);
}

TEST(TheFinalAction, Cancel) {
  InFlight given;
  given.world.answer(given.invoice, declined());
  given.world.bank_says(declined());
  given.world.pass_to(collected + days(8));
  given.world.take_events();
  given.world.pass_to(collected + days(15));
  EXPECT_THAT(given.world.take_events(), ElementsAre("charge.failed", "invoice.payment_failed",
                                                     "customer.subscription.deleted", "invoice.updated"));
  EXPECT_EQ(given.status(), SubscriptionStatus::canceled);
  EXPECT_EQ(given.world.subscription(given.subscription).ended_at, collected + days(15));
  EXPECT_FALSE(given.world.invoice(given.invoice).auto_advance);
  EXPECT_EQ(next_due(timers(given.world.account())), std::nullopt);
}

TEST(TheFinalAction, Unpaid) {
  Rules rules;
  rules.final_action = FinalAction::unpaid;
  InFlight given(rules);
  given.world.answer(given.invoice, declined());
  given.world.bank_says(declined());
  given.world.pass_to(collected + days(8));
  given.world.take_events();
  given.world.pass_to(collected + days(15));
  EXPECT_THAT(given.world.take_events(), ElementsAre("charge.failed", "invoice.payment_failed", "invoice.updated",
                                                     "customer.subscription.updated"));
  EXPECT_EQ(given.status(), SubscriptionStatus::unpaid);

  given.world.bank_says(succeeded());
  given.world.pass_to(at("2026-04-20"));
  EXPECT_THAT(given.world.take_events(), ElementsAre("customer.subscription.updated", "invoice.created",
                                                     "customer.subscription.updated", "invoice.created"));
  const Invoice drawn_up = given.world.latest_invoice();
  EXPECT_EQ(drawn_up.status, InvoiceStatus::draft);
  EXPECT_FALSE(drawn_up.auto_advance) << "drawn up, and not collected";
  EXPECT_EQ(given.status(), SubscriptionStatus::unpaid);

  given.world.run(PayInvoice{given.invoice, given.world.settled(given.invoice), {}});
  EXPECT_EQ(given.status(), SubscriptionStatus::unpaid) << "an older invoice";
  given.world.run(PayInvoice{drawn_up.id, drawn_up, {}});
  EXPECT_EQ(given.status(), SubscriptionStatus::active);
}

TEST(TheFinalAction, PastDue) {
  Rules rules;
  rules.final_action = FinalAction::past_due;
  InFlight given(rules);
  given.world.answer(given.invoice, declined());
  given.world.bank_says(declined());
  given.world.pass_to(collected + days(15));
  EXPECT_EQ(given.status(), SubscriptionStatus::past_due);
  EXPECT_EQ(given.world.invoice(given.invoice).attempt_count, 4);
  EXPECT_EQ(given.world.account().find(given.invoice), nullptr) << "nothing happens to it by itself any more";
  given.world.bank_says(succeeded());
  given.world.pass_to(at("2026-03-16"));
  EXPECT_EQ(given.status(), SubscriptionStatus::active) << "the next renewal was paid";
}

TEST(TheFinalAction, FollowsTheFirstFailureWhenThereAreNoRetries) {
  Rules rules;
  rules.retry_schedule.clear();
  InFlight given(rules);
  given.world.answer(given.invoice, declined());
  EXPECT_EQ(given.status(), SubscriptionStatus::canceled);
}

TEST(AnOlderInvoice, ThatFailsAgainDoesNotMakeAPaidUpSubscriptionPastDue) {
  // Between two renewals, so that no payment covers it up.
  Rules rules;
  rules.retry_schedule = {hours(30), days(30)};
  Scenario world(start, rules);
  world.customer_with_card();
  const SubscriptionId id = world.subscribed_to(price(100, daily));
  world.bank_says(declined());
  world.pass_to(start + days(1) + hours(1));
  const InvoiceId failing = world.latest_invoice().id;
  ASSERT_EQ(world.subscription(id).status, SubscriptionStatus::past_due);
  world.bank = [&](const CollectCharge& effect, const Charge&) {
    return std::optional(effect.invoice == failing ? declined() : succeeded());
  };
  world.pass_to(start + days(2) + hours(1));
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::active);
  world.pass_to(start + days(2) + hours(8));
  EXPECT_EQ(world.invoice(failing).attempt_count, 2);
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::active);
}

TEST(AnOlderInvoice, ThatIsPaidLeavesASubscriptionPastDueWhoseLatestIsNot) {
  Scenario world(start);
  world.customer_with_card();
  const SubscriptionId id = world.subscribed_to(price(100, daily));
  world.bank_says(declined());
  world.pass_to(start + days(1) + hours(2));
  const InvoiceId older = world.latest_invoice().id;
  world.pass_to(start + days(2) + hours(2));
  ASSERT_NE(world.latest_invoice().id, older);
  world.bank_says(succeeded());
  world.run(PayInvoice{older, world.settled(older), {}, false});
  EXPECT_EQ(world.invoice(older).status, InvoiceStatus::paid);
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::past_due);
  world.run(PayInvoice{world.latest_invoice().id, {}, {}, false});
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::active);
}

TEST(WithoutASource, AnAttemptFailsAndIsRetriedByTheSchedule) {
  Scenario world(start);
  world.customer_with_card();
  const SubscriptionId id = world.subscribed_to(price(2000));
  world.run(RemoveSource{world.account().sources[0].id});
  world.take_events();
  world.pass_to(collected);
  EXPECT_THAT(world.take_events(),
              ElementsAre("customer.subscription.updated", "invoice.created", "invoice.finalized", "customer.updated",
                          "invoice.payment_failed", "customer.subscription.updated"));
  const Invoice failed = world.latest_invoice();
  EXPECT_THAT(failed.charges, IsEmpty());
  EXPECT_EQ(failed.attempt_count, 1);
  EXPECT_EQ(failed.next_attempt_at, collected + days(3));
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::past_due);

  world.pass_to(collected + days(3));
  EXPECT_THAT(world.latest_invoice().charges, IsEmpty());
  EXPECT_EQ(world.latest_invoice().attempt_count, 2);
  world.run(AddSource{card()});
  EXPECT_EQ(world.latest_invoice().status, InvoiceStatus::paid) << "the first source is the default at once";
  EXPECT_EQ(world.latest_invoice().attempt_count, 2) << "it was outside of the schedule";
}

TEST(ANewSource, TriesWhatIsPastDueOnceMoreOutsideOfTheSchedule) {
  InFlight given;
  given.world.answer(given.invoice, declined());
  const auto next_attempt_at = given.world.invoice(given.invoice).next_attempt_at;
  given.world.now = collected + days(1);
  UpdateCustomer command;
  command.source = card("tok_better");
  Transition updated = given.world.decide(command);
  EXPECT_EQ(updated.effects.size(), 1U);
  EXPECT_EQ(given.charge().gateway_source, "tok_better");
  EXPECT_FALSE(given.charge().automatic);
  EXPECT_TRUE(given.world.decide(command).effects.empty()) << "one charge at a time";

  given.world.answer(given.invoice, declined());
  EXPECT_EQ(given.world.invoice(given.invoice).next_attempt_at, next_attempt_at);
  EXPECT_EQ(given.world.invoice(given.invoice).attempt_count, 1);

  given.world.bank_says(succeeded());
  given.world.run(command);
  EXPECT_EQ(given.status(), SubscriptionStatus::active);
}

TEST(ANewDefault, AmongTheOldSourcesTriesNothing) {
  InFlight given;
  given.world.answer(given.invoice, declined());
  given.world.run(AddSource{card("tok_better")});
  UpdateCustomer command;
  command.default_source = given.world.account().sources[1].id;
  EXPECT_THAT(given.world.decide(command).effects, IsEmpty());
}

}  // namespace
}  // namespace billd::collection_test
