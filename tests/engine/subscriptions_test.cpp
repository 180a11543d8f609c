// Beginning, cancelling and resuming subscriptions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/engine/scenario.hpp"

namespace billd::subscriptions_test {
namespace {

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
using testing::ElementsAre;
using testing::IsEmpty;

const Timestamp start = at("2026-01-31 10:00:00");

Scenario with_card() {
  Scenario world(start);
  world.customer_with_card();
  world.take_events();
  return world;
}

TEST(Subscribe, BillsTheFirstPeriodAndChargesItAtOnce) {
  Scenario world = with_card();
  const Transition begun = world.decide(subscribe_to(price(2000)));
  EXPECT_THAT(names(begun),
              ElementsAre("customer.updated", "customer.subscription.created", "invoice.created", "invoice.finalized"));
  const SubscriptionId id(begun.subject);
  const Subscription waiting = world.subscription(id);
  EXPECT_EQ(waiting.status, SubscriptionStatus::incomplete);
  EXPECT_EQ(waiting.current_period, (Period{start, at("2026-02-28 10:00:00")}));
  EXPECT_EQ(waiting.expires_at, at("2026-02-01 09:00:00"));
  EXPECT_EQ(waiting.ordinal, 0);

  ASSERT_EQ(begun.effects.size(), 1U);
  const Invoice invoice = world.invoice(waiting.latest_invoice);
  EXPECT_EQ(invoice.status, InvoiceStatus::open);
  EXPECT_EQ(invoice.reason, BillingReason::subscription_create);
  EXPECT_EQ(invoice.total, (Money{2000, Currency::of("usd")}));
  EXPECT_EQ(invoice.attempt_count, 1);
  EXPECT_EQ(invoice.period, (Period{start, start}));
  EXPECT_EQ(invoice.number, invoice_prefix(world.account().key) + "-0001");
  ASSERT_EQ(invoice.charges.size(), 1U);
  EXPECT_EQ(invoice.charges[0].gateway_source, "tok_visa");
  EXPECT_EQ(std::get<CardSummary>(invoice.charges[0].means).last4, "4242");
  EXPECT_FALSE(std::get<CollectCharge>(begun.effects[0]).look_up_only);

  const Transition paid = world.answer(invoice.id, succeeded());
  EXPECT_THAT(names(paid), ElementsAre("charge.succeeded", "invoice.payment_succeeded", "invoice.paid",
                                       "customer.subscription.updated"));
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::active);
  EXPECT_EQ(world.subscription(id).expires_at, std::nullopt);
  EXPECT_EQ(world.invoice(invoice.id).status, InvoiceStatus::paid);
  EXPECT_THAT(world.account().invoices, IsEmpty()) << "a paid invoice leaves the account";
  EXPECT_EQ(world.account().customer.currency, Currency::of("usd"));
}

TEST(Subscribe, WithSeveralItemsBillsALineForEach) {
  Scenario world = with_card();
  Subscribe command;
  command.items = {{price(1000), 3, {}}, {price(250), 2, {{"seat", "half"}}}, {price(77), 0, {}}};
  world.subscribed_to(command);
  const Invoice invoice = world.latest_invoice();
  ASSERT_EQ(invoice.lines.size(), 3U);
  EXPECT_EQ(invoice.lines[0].amount.minor, 3000);
  EXPECT_EQ(invoice.lines[1].amount.minor, 500);
  EXPECT_EQ(invoice.lines[2].amount.minor, 0);
  EXPECT_EQ(invoice.total.minor, 3500);
  EXPECT_EQ(invoice.lines[1].item, world.account().subscriptions[0].items[1].id);
}

TEST(Subscribe, ToWhatIsFreeNeedsNoSource) {
  Scenario world(start);
  world.run(CreateCustomer{});
  const Transition begun = world.run(subscribe_to(price(0)));
  EXPECT_THAT(names(begun), ElementsAre("customer.updated", "customer.subscription.created", "invoice.created",
                                        "invoice.finalized", "invoice.payment_succeeded", "invoice.paid"));
  EXPECT_EQ(world.account().subscriptions.at(0).status, SubscriptionStatus::active);
  EXPECT_THAT(world.latest_invoice().charges, IsEmpty());
}

TEST(Subscribe, WithATrialBillsNothingUntilItsEnd) {
  Scenario world(start);
  world.run(CreateCustomer{});
  Subscribe command = subscribe_to(price(2000));
  command.trial_end = at("2026-02-14 10:00:00");
  const SubscriptionId id = world.subscribed_to(command);
  const Subscription& subscription = world.subscription(id);
  EXPECT_EQ(subscription.status, SubscriptionStatus::trialing);
  EXPECT_EQ(subscription.current_period, (Period{start, at("2026-02-14 10:00:00")}));
  EXPECT_EQ(subscription.trial_start, start);
  EXPECT_EQ(subscription.anchor, at("2026-02-14 10:00:00"));
  EXPECT_EQ(subscription.trial_will_end_at, at("2026-02-11 10:00:00"));
  const Invoice invoice = world.latest_invoice();
  EXPECT_EQ(invoice.status, InvoiceStatus::paid);
  EXPECT_EQ(invoice.total.minor, 0);
  EXPECT_TRUE(invoice.lines.at(0).trial);
}

TEST(Subscribe, WithAShortTrialAnnouncesItsEndAtOnce) {
  Scenario world = with_card();
  Subscribe command = subscribe_to(price(2000));
  command.trial_end = start + std::chrono::days(3);
  EXPECT_THAT(names(world.run(command)),
              ElementsAre("customer.updated", "customer.subscription.created", "customer.subscription.trial_will_end",
                          "invoice.created", "invoice.finalized", "invoice.payment_succeeded", "invoice.paid"));
  EXPECT_EQ(world.account().subscriptions[0].trial_will_end_at, std::nullopt);
}

TEST(Subscribe, WithATrialThatIsOverOrShorterThanASecondBeginsAtOnce) {
  for (Duration offset : {Duration(-1'000'000), Duration(0), Duration(1), Duration(999'999)}) {
    Scenario world = with_card();
    Subscribe command = subscribe_to(price(2000));
    command.trial_end = start + offset;
    const SubscriptionId id = world.subscribed_to(command);
    EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::active);
    EXPECT_EQ(world.subscription(id).trial_end, std::nullopt);
  }
}

TEST(Subscribe, StartsOnAWholeSecond) {
  Scenario world = with_card();
  world.now = start + Duration(654'321);
  const SubscriptionId id = world.subscribed_to(price(2000));
  EXPECT_EQ(world.subscription(id).current_period.start, start);
  EXPECT_EQ(world.subscription(id).created, world.now);
}

TEST(Subscribe, ToEndAtThePeriodsEndNeverRenews) {
  Scenario world = with_card();
  Subscribe command = subscribe_to(price(2000));
  command.cancel_at_period_end = true;
  const SubscriptionId id = world.subscribed_to(command);
  EXPECT_EQ(world.subscription(id).canceled_at, start);
  world.pass_to(at("2026-06-01"));
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::canceled);
  EXPECT_EQ(world.subscription(id).ended_at, at("2026-02-28 10:00:00"));
  EXPECT_EQ(world.invoices().size(), 1U);
}

TEST(Subscribe, PaysWithItsOwnSourceWhenItHasOne) {
  Scenario world = with_card();
  world.run(AddSource{card("tok_own")});
  Subscribe command = subscribe_to(price(2000));
  command.default_source = world.account().sources[1].id;
  world.subscribed_to(command);
  EXPECT_EQ(world.latest_invoice().charges.at(0).gateway_source, "tok_own");
  world.pass_to(at("2026-03-01"));
  EXPECT_EQ(world.latest_invoice().charges.at(0).gateway_source, "tok_own");
}

TEST(Subscribe, RefusesWhatCannotBeBilled) {
  Scenario world = with_card();
  auto with_items = [](std::vector<NewSubscriptionItem> items) {
    Subscribe command;
    command.items = std::move(items);
    return command;
  };
  Price no_currency = price(100);
  no_currency.unit_amount.currency = Currency();
  Subscribe stranger = subscribe_to(price(100));
  stranger.default_source = SourceId("card_none");
  Subscribe endless = subscribe_to(price(100));
  endless.trial_end = end_of_time + std::chrono::seconds(1);
  const std::int64_t largest = std::numeric_limits<std::int64_t>::max();

  struct {
    Subscribe command;
    Errc code;
    std::string detail, parameter;
  } const cases[] = {
      {with_items({}), Errc::missing_parameter, "Missing required param: items.", "items"},
      {with_items(std::vector<NewSubscriptionItem>(21, {price(100), 1, {}})), Errc::limit_exceeded,
       "A subscription can have at most 20 items.", "items"},
      {with_items({{price(100), -1, {}}}), Errc::invalid_parameter, "This value must be greater than or equal to 0.",
       "quantity"},
      {with_items({{price(-100), 1, {}}}), Errc::invalid_parameter, "This value must be greater than or equal to 0.",
       "unit_amount"},
      {with_items({{no_currency, 1, {}}}), Errc::invalid_parameter, "A price needs a currency.", "currency"},
      {with_items({{price(100), 1, {}}, {price(100, monthly, "eur"), 1, {}}}), Errc::currency_mismatch,
       "All prices of a subscription must have the same currency.", "items"},
      {with_items({{price(100), 1, {}}, {price(100, daily), 1, {}}}), Errc::invalid_parameter,
       "All prices of a subscription must have the same `recurring.interval` and `recurring.interval_count`.", "items"},
      {with_items({{price(100, {Interval::month, 0}), 1, {}}}), Errc::invalid_parameter,
       "Invalid interval_count: at least 1, and at most three years (3 years, 36 months, 156 weeks, 1095 days)",
       "interval_count"},
      {stranger, Errc::not_found, "No such source: card_none", "default_source"},
      {endless, Errc::invalid_parameter, "Invalid timestamp: too far in the future.", "trial_end"},
      {with_items({{price(largest), 2, {}}}), Errc::amount_out_of_range, "the cost does not fit 64 bits", ""},
      {with_items({{price(largest), 1, {}}, {price(1), 1, {}}}), Errc::amount_out_of_range,
       "the sum does not fit 64 bits", ""},
  };
  for (const auto& given : cases)
    EXPECT_EQ(world.refused(given.command), (Failure{given.code, given.detail, given.parameter}));
}

TEST(Subscribe, WithoutASourceIsRefused) {
  Scenario world(start);
  world.run(CreateCustomer{});
  EXPECT_EQ(world.refused(subscribe_to(price(2000))),
            (Failure{Errc::no_payment_source, "This customer has no attached payment source", ""}));
}

TEST(Subscribe, KeepsACustomerToOneCurrency) {
  Scenario world = with_card();
  world.subscribed_to(price(2000));
  const Failure refused = world.refused(subscribe_to(price(2000, monthly, "eur")));
  EXPECT_EQ(refused.code, Errc::currency_mismatch);
  EXPECT_EQ(refused.detail,
            "You cannot combine currencies on a single customer. This customer has had a subscription, coupon, or "
            "invoice item with currency usd");
}

TEST(Subscribe, KeepsACustomerToTheCurrencyOfAPaymentInFlightToo) {
  Scenario world = with_card();
  Subscribe command = subscribe_to(price(2000));
  command.payment_behavior = PaymentBehavior::error_if_incomplete;
  world.decide(command);
  EXPECT_EQ(world.refused(subscribe_to(price(2000, monthly, "eur"))).code, Errc::currency_mismatch);
}

TEST(Subscribe, StopsAtFiveHundred) {
  Scenario world(start);
  world.run(CreateCustomer{});
  for (int i = 0; i < 500; ++i) world.run(subscribe_to(price(0)));
  EXPECT_EQ(world.refused(subscribe_to(price(0))),
            (Failure{Errc::limit_exceeded, "A customer can have at most 500 current subscriptions.", ""}));
}

TEST(ADeclinedFirstPayment, LeavesTheSubscriptionIncomplete) {
  Scenario world = with_card();
  world.bank_says(declined("insufficient_funds"));
  const SubscriptionId id = world.subscribed_to(price(2000));
  EXPECT_THAT(world.take_events(),
              ElementsAre("customer.updated", "customer.subscription.created", "invoice.created", "invoice.finalized",
                          "charge.failed", "customer.updated", "invoice.payment_failed"));
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::incomplete);
  EXPECT_TRUE(world.account().customer.delinquent);
  const Invoice& invoice = world.latest_invoice();
  EXPECT_EQ(invoice.charges.at(0).decline_code, "insufficient_funds");
  EXPECT_EQ(invoice.next_attempt_at, std::nullopt) << "the schedule is for renewals";
}

TEST(ADeclinedFirstPayment, CanBeMadeUpForInTime) {
  Scenario world = with_card();
  world.bank_says(declined());
  const SubscriptionId id = world.subscribed_to(price(2000));
  const InvoiceId invoice = world.latest_invoice().id;
  world.pass_to(start + std::chrono::hours(22));
  world.bank_says(succeeded());
  world.run(PayInvoice{invoice, {}, {}});
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::active);
  EXPECT_FALSE(world.account().customer.delinquent);
  EXPECT_EQ(world.invoice(invoice).attempt_count, 1) << "by hand, after the first";
  EXPECT_EQ(world.invoice(invoice).charges.size(), 2U);
}

TEST(ADeclinedFirstPayment, EndsTheSubscriptionAfter23Hours) {
  Scenario world = with_card();
  world.bank_says(declined());
  const SubscriptionId id = world.subscribed_to(price(2000));
  world.take_events();
  world.pass_to(start + std::chrono::hours(23) - std::chrono::seconds(1));
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::incomplete);
  world.pass_to(at("2026-03-01"));
  EXPECT_THAT(world.take_events(), ElementsAre("invoice.updated", "invoice.voided", "customer.subscription.updated"));
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::incomplete_expired);
  EXPECT_EQ(world.subscription(id).ended_at, start + std::chrono::hours(23));
  EXPECT_EQ(world.latest_invoice().status, InvoiceStatus::void_);
  EXPECT_EQ(world.invoices().size(), 1U);
}

TEST(AFirstPaymentOfUnknownOutcome, KeepsTheSubscriptionFromExpiring) {
  Scenario world = with_card();
  world.bank_says({ChargeOutcomeKind::unknown, "", ""});
  const SubscriptionId id = world.subscribed_to(price(2000));
  const InvoiceId invoice = world.latest_invoice().id;
  world.pass_to(start + std::chrono::hours(30));
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::incomplete);
  world.answer(invoice, succeeded());
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::active);
}

TEST(AFirstPaymentOfUnknownOutcome, ThatWasDeclinedAfterAllExpiresAtOnce) {
  Scenario world = with_card();
  world.bank_says({ChargeOutcomeKind::unknown, "", ""});
  const SubscriptionId id = world.subscribed_to(price(2000));
  world.pass_to(start + std::chrono::hours(30));
  world.answer(world.latest_invoice().id, declined());
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::incomplete);
  world.work();
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::incomplete_expired);
}

// error_if_incomplete

Subscribe or_not_at_all(Price price) {
  Subscribe command = subscribe_to(std::move(price));
  command.payment_behavior = PaymentBehavior::error_if_incomplete;
  return command;
}

TEST(AProvisionalSubscription, IsHeardOfOnlyOncePaid) {
  Scenario world = with_card();
  const Transition begun = world.decide(or_not_at_all(price(2000)));
  EXPECT_THAT(names(begun), IsEmpty());
  EXPECT_TRUE(begun.changed);
  ASSERT_EQ(begun.effects.size(), 1U);
  EXPECT_TRUE(world.account().customer.currency.is_none());
  const InvoiceId invoice = std::get<CollectCharge>(begun.effects[0]).invoice;
  EXPECT_EQ(world.invoice(invoice).number, "");

  EXPECT_THAT(names(world.answer(invoice, succeeded())),
              ElementsAre("customer.updated", "customer.subscription.created", "invoice.created", "invoice.finalized",
                          "charge.succeeded", "invoice.payment_succeeded", "invoice.paid"));
  EXPECT_EQ(world.subscription(SubscriptionId(begun.subject)).status, SubscriptionStatus::active);
  EXPECT_FALSE(world.subscription(SubscriptionId(begun.subject)).provisional);
  EXPECT_EQ(world.invoice(invoice).number, invoice_prefix(world.account().key) + "-0001");
  EXPECT_EQ(world.account().customer.currency, Currency::of("usd"));
}

TEST(AProvisionalSubscription, NeverWasWhenItIsDeclined) {
  Scenario world = with_card();
  world.bank_says(declined());
  world.run(or_not_at_all(price(2000)));
  EXPECT_THAT(world.take_events(), ElementsAre("charge.failed"));
  EXPECT_THAT(world.account().subscriptions, IsEmpty());
  EXPECT_THAT(world.account().invoices, IsEmpty());
  EXPECT_THAT(world.invoices(), IsEmpty());
  EXPECT_EQ(world.records().size(), 1U) << "the declined charge stays on record";
  EXPECT_FALSE(world.account().customer.delinquent);
  EXPECT_TRUE(world.account().customer.currency.is_none());

  world.bank_says(succeeded());
  world.subscribed_to(or_not_at_all(price(2000, monthly, "eur")));
  EXPECT_EQ(world.latest_invoice().number, invoice_prefix(world.account().key) + "-0001") << "no number was lost";
}

TEST(AProvisionalSubscription, CannotBeNamedUntilItIsPaid) {
  Scenario world = with_card();
  const Transition begun = world.decide(or_not_at_all(price(2000)));
  const SubscriptionId id(begun.subject);
  const InvoiceId invoice = std::get<CollectCharge>(begun.effects[0]).invoice;
  const Failure no_subscription{Errc::not_found, "No such subscription: " + id.value(), "id"};
  EXPECT_EQ(world.refused(CancelSubscription{id}), no_subscription);
  EXPECT_EQ(world.refused(ResumeSubscription{id}), no_subscription);
  EXPECT_EQ(world.refused(PayInvoice{invoice, {}, {}}).code, Errc::not_found);
  EXPECT_EQ(world.refused(CloseInvoice{invoice, {}}).code, Errc::not_found);
  EXPECT_EQ(world.refused(ReopenInvoice{invoice, {}}).code, Errc::not_found);
}

TEST(AProvisionalSubscription, WaitsForItsOutcomeAndForNothingElse) {
  Scenario world = with_card();
  world.bank_says({ChargeOutcomeKind::unknown, "", ""});
  const SubscriptionId id = world.subscribed_to(or_not_at_all(price(2000, daily)));
  world.pass_to(start + std::chrono::days(3));
  EXPECT_TRUE(world.subscription(id).provisional);
  EXPECT_EQ(world.account().invoices.size(), 1U);
  const Timers waits = timers(world.account());
  EXPECT_EQ(next_due(waits), waits[static_cast<std::size_t>(Queue::collection)]);
}

TEST(AProvisionalSubscription, OfADeletedCustomerIsStillPaidForIfItsChargeWentThrough) {
  Scenario world = with_card();
  const Transition begun = world.decide(or_not_at_all(price(2000)));
  EXPECT_THAT(names(world.run(DeleteCustomer{})), ElementsAre("customer.deleted"));
  EXPECT_THAT(names(world.answer(std::get<CollectCharge>(begun.effects[0]).invoice, succeeded())),
              ElementsAre("invoice.created", "invoice.finalized", "charge.succeeded", "invoice.payment_succeeded",
                          "invoice.paid"));
  EXPECT_EQ(world.latest_invoice().status, InvoiceStatus::paid);
  EXPECT_THAT(world.account().subscriptions, IsEmpty());
}

TEST(AProvisionalSubscription, KeepsQuietWhenItsSourceIsRemoved) {
  Scenario world = with_card();
  Subscribe command = or_not_at_all(price(2000));
  command.default_source = world.account().sources[0].id;
  const Transition begun = world.decide(command);
  EXPECT_THAT(names(world.run(RemoveSource{command.default_source})),
              ElementsAre("customer.source.deleted", "customer.updated"));
  world.answer(std::get<CollectCharge>(begun.effects[0]).invoice, succeeded());
  EXPECT_TRUE(world.subscription(SubscriptionId(begun.subject)).default_source.is_empty());
}

// Cancelling

TEST(CancelSubscription, AtOnceEndsItNow) {
  Scenario world = with_card();
  const SubscriptionId id = world.subscribed_to(price(2000));
  world.now = at("2026-02-10");
  EXPECT_THAT(names(world.run(CancelSubscription{id})), ElementsAre("customer.subscription.deleted"));
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::canceled);
  EXPECT_EQ(world.subscription(id).canceled_at, at("2026-02-10"));
  EXPECT_EQ(world.subscription(id).ended_at, at("2026-02-10"));
  EXPECT_EQ(next_due(timers(world.account())), std::nullopt);
  world.pass_to(at("2027-01-01"));
  EXPECT_EQ(world.invoices().size(), 1U) << "never charged again";
}

TEST(CancelSubscription, AtPeriodEndStaysActiveUntilThenAndIsNotRenewed) {
  Scenario world = with_card();
  const SubscriptionId id = world.subscribed_to(price(2000));
  world.now = at("2026-02-10");
  EXPECT_THAT(names(world.run(CancelSubscription{id, true})), ElementsAre("customer.subscription.updated"));
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::active);
  EXPECT_TRUE(world.subscription(id).cancel_at_period_end);
  EXPECT_EQ(world.subscription(id).canceled_at, at("2026-02-10"));
  world.now = at("2026-02-11");
  EXPECT_FALSE(world.run(CancelSubscription{id, true}).changed) << "asked twice";
  EXPECT_EQ(world.subscription(id).canceled_at, at("2026-02-10"));

  world.take_events();
  world.pass_to(at("2026-02-28 09:59:59"));
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::active);
  world.pass_to(at("2026-05-01"));
  EXPECT_THAT(world.take_events(), ElementsAre("customer.subscription.deleted"));
  EXPECT_EQ(world.subscription(id).ended_at, at("2026-02-28 10:00:00"));
  EXPECT_EQ(world.subscription(id).canceled_at, at("2026-02-10"));
  EXPECT_EQ(world.invoices().size(), 1U);
}

TEST(CancelSubscription, AtPeriodEndIsDoneAsOfThePeriodsEndHoweverLate) {
  Scenario world = with_card();
  const SubscriptionId id = world.subscribed_to(price(2000));
  world.run(CancelSubscription{id, true});
  world.jump_to(at("2026-12-24"));
  EXPECT_EQ(world.subscription(id).ended_at, at("2026-02-28 10:00:00"));
  EXPECT_EQ(world.invoices().size(), 1U);
}

TEST(CancelSubscription, EndsATrialWithoutACharge) {
  Scenario world = with_card();
  Subscribe command = subscribe_to(price(2000));
  command.trial_end = at("2026-02-14 10:00:00");
  const SubscriptionId id = world.subscribed_to(command);
  world.run(CancelSubscription{id, true});
  world.pass_to(at("2026-12-24"));
  EXPECT_EQ(world.subscription(id).ended_at, at("2026-02-14 10:00:00"));
  for (const Invoice& invoice : world.invoices()) EXPECT_THAT(invoice.charges, IsEmpty());
}

TEST(CancelSubscription, ClosesTheCustomersUnpaidInvoices) {
  Scenario world = with_card();
  const SubscriptionId id = world.subscribed_to(price(2000));
  const SubscriptionId other = world.subscribed_to(price(500));
  world.bank_says(declined());
  world.pass_to(at("2026-03-01"));
  ASSERT_EQ(world.account().invoices.size(), 2U);
  world.take_events();
  EXPECT_THAT(names(world.run(CancelSubscription{id})),
              ElementsAre("customer.subscription.deleted", "invoice.updated", "invoice.updated"));
  EXPECT_EQ(world.subscription(other).status, SubscriptionStatus::past_due);
  for (const Invoice& invoice : world.invoices())
    if (invoice.status != InvoiceStatus::paid) EXPECT_FALSE(invoice.auto_advance);
  world.pass_to(at("2026-03-27"));
  for (const Invoice& invoice : world.invoices())
    if (invoice.status != InvoiceStatus::paid) EXPECT_EQ(invoice.attempt_count, 1) << "no retry after the cancellation";
}

TEST(CancelSubscription, RefusesWhatDoesNotFit) {
  Scenario world = with_card();
  EXPECT_EQ(world.refused(CancelSubscription{SubscriptionId("sub_none")}),
            (Failure{Errc::not_found, "No such subscription: sub_none", "id"}));
  EXPECT_EQ(world.refused(ResumeSubscription{SubscriptionId("sub_none")}),
            (Failure{Errc::not_found, "No such subscription: sub_none", "id"}));
  world.bank_says(declined());
  const SubscriptionId id = world.subscribed_to(price(2000));
  EXPECT_EQ(
      world.refused(CancelSubscription{id, true}),
      (Failure{Errc::invalid_state, "A subscription whose first payment is incomplete can only be canceled at once.",
               "at_period_end"}));
  world.run(CancelSubscription{id});
  EXPECT_EQ(world.refused(CancelSubscription{id}),
            (Failure{Errc::not_found, "No such subscription: " + id.value(), "id"}));
}

TEST(ResumeSubscription, TakesACancellationBack) {
  Scenario world = with_card();
  const SubscriptionId id = world.subscribed_to(price(2000));
  EXPECT_FALSE(world.run(ResumeSubscription{id}).changed) << "nothing to take back";
  world.run(CancelSubscription{id, true});
  EXPECT_THAT(names(world.run(ResumeSubscription{id})), ElementsAre("customer.subscription.updated"));
  EXPECT_EQ(world.subscription(id).canceled_at, std::nullopt);
  world.pass_to(at("2026-03-01"));
  EXPECT_EQ(world.subscription(id).ordinal, 1);
}

}  // namespace
}  // namespace billd::subscriptions_test
