// Paying, closing and reopening invoices by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/scenario.hpp"

namespace billd::invoices_test {
namespace {

using test::at;
using test::card;
using test::declined;
using test::monthly;
using test::names;
using test::price;
using test::Scenario;
using test::subscribe_to;
using test::succeeded;
using testing::ElementsAre;
using testing::IsEmpty;

const Timestamp start = at("2026-01-15 10:00:00");
const Timestamp renewal = at("2026-02-15 10:00:00");

/// A customer whose subscription was renewed an instant ago.
struct Renewed {
  explicit Renewed(Rules rules = {}) : world(start, std::move(rules)) {
    world.customer_with_card();
    subscription = world.subscribed_to(price(2000));
    world.pass_to(renewal);
    invoice = world.latest_invoice().id;
    world.take_events();
  }

  Scenario world;
  SubscriptionId subscription;
  InvoiceId invoice;
};

TEST(PayInvoice, OfADraftFinalizesAndChargesIt) {
  Renewed given;
  const Transition paying = given.world.decide(PayInvoice{given.invoice, {}, {}});
  EXPECT_THAT(names(paying), ElementsAre("invoice.finalized"));
  EXPECT_EQ(paying.subject, given.invoice.value());
  ASSERT_EQ(paying.effects.size(), 1U);
  EXPECT_EQ(given.world.invoice(given.invoice).status, InvoiceStatus::open);
  given.world.answer(given.invoice, succeeded());
  EXPECT_EQ(given.world.invoice(given.invoice).status, InvoiceStatus::paid);
  given.world.pass_to(at("2026-03-01"));
  EXPECT_EQ(given.world.invoice(given.invoice).charges.size(), 1U) << "collected once";
}

TEST(PayInvoice, OfADraftThatIsDeclinedCountsAsTheFirstAttemptOfTheSchedule) {
  Renewed given;
  given.world.bank_says(declined());
  given.world.run(PayInvoice{given.invoice, {}, {}});
  const Invoice& invoice = given.world.invoice(given.invoice);
  EXPECT_EQ(invoice.attempt_count, 1);
  EXPECT_EQ(invoice.next_attempt_at, renewal + std::chrono::days(3));
  EXPECT_EQ(given.world.subscription(given.subscription).status, SubscriptionStatus::past_due);
}

TEST(PayInvoice, WithANamedSourceChargesThatOne) {
  Renewed given;
  given.world.run(AddSource{card("tok_other")});
  given.world.run(PayInvoice{given.invoice, {}, given.world.account().sources[1].id});
  EXPECT_EQ(given.world.invoice(given.invoice).charges.at(0).gateway_source, "tok_other");
}

TEST(PayInvoice, ByHandLeavesTheScheduleAsItStands) {
  Renewed given;
  given.world.bank_says(declined());
  given.world.pass_to(renewal + std::chrono::hours(1));
  const auto next_attempt_at = given.world.invoice(given.invoice).next_attempt_at;
  ASSERT_EQ(next_attempt_at, renewal + std::chrono::hours(1) + std::chrono::days(3));
  given.world.now += std::chrono::days(1);
  given.world.take_events();
  given.world.run(PayInvoice{given.invoice, {}, {}});
  EXPECT_THAT(given.world.take_events(), ElementsAre("charge.failed", "invoice.payment_failed"));
  const Invoice& invoice = given.world.invoice(given.invoice);
  EXPECT_EQ(invoice.next_attempt_at, next_attempt_at);
  EXPECT_EQ(invoice.attempt_count, 1);
  EXPECT_EQ(invoice.charges.size(), 2U);
}

TEST(PayInvoice, OfAClosedInvoiceThatIsDeclinedNeverEndsTheSubscription) {
  Renewed given;
  given.world.run(CloseInvoice{given.invoice, {}});
  given.world.pass_to(at("2026-03-20"));
  ASSERT_EQ(given.world.subscription(given.subscription).status, SubscriptionStatus::active);
  given.world.bank_says(declined());
  given.world.run(PayInvoice{given.invoice, given.world.settled(given.invoice), {}});
  EXPECT_EQ(given.world.subscription(given.subscription).status, SubscriptionStatus::active)
      << "its latest invoice is paid";
  const Invoice& invoice = given.world.invoice(given.invoice);
  EXPECT_EQ(invoice.status, InvoiceStatus::open);
  EXPECT_EQ(invoice.next_attempt_at, std::nullopt);
  EXPECT_EQ(given.world.account().find(given.invoice), nullptr) << "it rests again";
}

TEST(PayInvoice, OfASettledInvoiceBringsItBackUntilItIsPaid) {
  Renewed given;
  given.world.run(CloseInvoice{given.invoice, {}});
  EXPECT_EQ(given.world.account().find(given.invoice), nullptr);
  const Transition paying = given.world.decide(PayInvoice{given.invoice, given.world.settled(given.invoice), {}});
  EXPECT_THAT(paying.recalled, ElementsAre(given.invoice));
  EXPECT_NE(given.world.account().find(given.invoice), nullptr);
  const Transition paid = given.world.answer(given.invoice, succeeded());
  EXPECT_THAT(paid.recalled, IsEmpty());
  EXPECT_EQ(paid.settled.size(), 1U);
  EXPECT_EQ(given.world.invoice(given.invoice).status, InvoiceStatus::paid);
}

TEST(PayInvoice, OfADraftOfZeroNeedsNoSource) {
  Scenario world(start);
  world.run(CreateCustomer{});
  world.subscribed_to(price(0));
  world.pass_to(renewal);
  const InvoiceId invoice = world.latest_invoice().id;
  world.run(PayInvoice{invoice, {}, {}});
  EXPECT_EQ(world.invoice(invoice).status, InvoiceStatus::paid);
  EXPECT_THAT(world.invoice(invoice).charges, IsEmpty());
}

TEST(PayInvoice, RefusesWhatCannotBePaid) {
  Renewed given;
  EXPECT_EQ(given.world.refused(PayInvoice{InvoiceId("in_none"), {}, {}}),
            (Failure{Errc::not_found, "No such invoice: in_none", "invoice"}));
  EXPECT_EQ(given.world.refused(PayInvoice{InvoiceId("in_none"), given.world.invoice(given.invoice), {}}),
            (Failure{Errc::not_found, "No such invoice: in_none", "invoice"}))
      << "the record of another invoice";
  EXPECT_EQ(given.world.refused(PayInvoice{given.invoice, {}, SourceId("card_none")}),
            (Failure{Errc::not_found, "No such source: card_none", "source"}));

  given.world.decide(PayInvoice{given.invoice, {}, {}});
  const Failure in_progress{Errc::invalid_state,
                            "A payment of this invoice is already in progress; its outcome is awaited.", ""};
  EXPECT_EQ(given.world.refused(PayInvoice{given.invoice, {}, {}}), in_progress);
  given.world.answer(given.invoice, {ChargeOutcomeKind::impossible, "", ""});
  EXPECT_EQ(given.world.refused(PayInvoice{given.invoice, {}, {}}), in_progress) << "parked";
  given.world.answer(given.invoice, succeeded());
  EXPECT_EQ(given.world.refused(PayInvoice{given.invoice, given.world.settled(given.invoice), {}}),
            (Failure{Errc::invalid_state, "Invoice is already paid", ""}));
}

TEST(PayInvoice, WithoutASourceIsRefusedAndLeavesTheDraftADraft) {
  Renewed given;
  given.world.run(RemoveSource{given.world.account().sources[0].id});
  EXPECT_EQ(given.world.refused(PayInvoice{given.invoice, {}, {}}),
            (Failure{Errc::no_payment_source, "This customer has no attached payment source", ""}));
  EXPECT_EQ(given.world.invoice(given.invoice).status, InvoiceStatus::draft);
}

TEST(PayInvoice, OfAVoidInvoiceIsRefused) {
  Scenario world(start);
  world.customer_with_card();
  world.bank_says(declined());
  world.subscribed_to(price(2000));
  world.pass_to(at("2026-01-20"));
  const InvoiceId id = world.latest_invoice().id;
  ASSERT_EQ(world.invoice(id).status, InvoiceStatus::void_);
  const Failure is_void{Errc::invalid_state, "Invoice is void", ""};
  EXPECT_EQ(world.refused(PayInvoice{id, world.settled(id), {}}), is_void);
  EXPECT_EQ(world.refused(ReopenInvoice{id, world.settled(id)}), is_void);
}

TEST(PayInvoice, OfADeletedCustomerIsRefused) {
  Renewed given;
  given.world.run(DeleteCustomer{});
  const Failure gone{Errc::not_found, "No such customer: " + given.world.account().customer.id.value(), "customer"};
  EXPECT_EQ(given.world.refused(PayInvoice{given.invoice, given.world.settled(given.invoice), {}}), gone);
  EXPECT_EQ(given.world.refused(ReopenInvoice{given.invoice, given.world.settled(given.invoice)}), gone);
}

TEST(CloseInvoice, StopsADraft) {
  Renewed given;
  const Transition closed = given.world.run(CloseInvoice{given.invoice, {}});
  EXPECT_THAT(names(closed), ElementsAre("invoice.updated"));
  EXPECT_EQ(closed.subject, given.invoice.value());
  EXPECT_EQ(closed.settled.size(), 1U);
  given.world.pass_to(at("2026-03-14"));
  EXPECT_EQ(given.world.invoice(given.invoice).status, InvoiceStatus::draft);
  EXPECT_EQ(given.world.subscription(given.subscription).status, SubscriptionStatus::active);
}

TEST(CloseInvoice, StopsTheRetriesAndLeavesTheSubscriptionPastDue) {
  Renewed given;
  given.world.bank_says(declined());
  given.world.pass_to(renewal + std::chrono::hours(1));
  given.world.run(CloseInvoice{given.invoice, {}});
  given.world.pass_to(at("2026-03-14"));
  EXPECT_EQ(given.world.invoice(given.invoice).attempt_count, 1);
  EXPECT_EQ(given.world.subscription(given.subscription).status, SubscriptionStatus::past_due);
}

TEST(CloseInvoice, WhileItsChargeIsInFlightIsHeededWhenItIsDeclined) {
  Renewed given;
  given.world.bank_says({ChargeOutcomeKind::unknown, "", ""});
  given.world.pass_to(renewal + std::chrono::hours(1));
  given.world.run(CloseInvoice{given.invoice, {}});
  EXPECT_NE(given.world.account().find(given.invoice), nullptr) << "its charge is not resolved";
  given.world.answer(given.invoice, declined());
  EXPECT_EQ(given.world.invoice(given.invoice).next_attempt_at, std::nullopt);
  EXPECT_EQ(given.world.account().find(given.invoice), nullptr);
  EXPECT_EQ(given.world.subscription(given.subscription).status, SubscriptionStatus::past_due);
}

TEST(CloseInvoice, WhileItsChargeIsInFlightDoesNotUndoTheCharge) {
  Renewed given;
  given.world.bank_says({ChargeOutcomeKind::unknown, "", ""});
  given.world.pass_to(renewal + std::chrono::hours(1));
  given.world.run(CloseInvoice{given.invoice, {}});
  given.world.answer(given.invoice, succeeded());
  EXPECT_EQ(given.world.invoice(given.invoice).status, InvoiceStatus::paid);
}

TEST(CloseInvoice, ThatIsClosedOrPaidAlreadyChangesNothing) {
  Renewed given;
  given.world.run(CloseInvoice{given.invoice, {}});
  EXPECT_FALSE(given.world.run(CloseInvoice{given.invoice, given.world.settled(given.invoice)}).changed);
  const InvoiceId paid = given.world.invoices().front().id;
  EXPECT_FALSE(given.world.run(CloseInvoice{paid, given.world.settled(paid)}).changed);
  EXPECT_EQ(given.world.refused(CloseInvoice{paid, {}}),
            (Failure{Errc::not_found, "No such invoice: " + paid.value(), "invoice"}));
}

TEST(ReopenInvoice, OfADraftFinalizesItAfterTheDelay) {
  Renewed given;
  given.world.run(CloseInvoice{given.invoice, {}});
  given.world.now = at("2026-02-20");
  const Transition reopened = given.world.run(ReopenInvoice{given.invoice, given.world.settled(given.invoice)});
  EXPECT_THAT(names(reopened), ElementsAre("invoice.updated"));
  EXPECT_THAT(reopened.recalled, ElementsAre(given.invoice));
  EXPECT_EQ(given.world.invoice(given.invoice).finalize_at, at("2026-02-20 01:00:00"));
  given.world.pass_to(at("2026-02-20 01:00:00"));
  EXPECT_EQ(given.world.invoice(given.invoice).status, InvoiceStatus::paid);
}

TEST(ReopenInvoice, OfAnOpenInvoiceCollectsItAtOnce) {
  Renewed given;
  given.world.bank_says(declined());
  given.world.pass_to(renewal + std::chrono::hours(1));
  given.world.run(CloseInvoice{given.invoice, {}});
  given.world.run(ReopenInvoice{given.invoice, given.world.settled(given.invoice)});
  EXPECT_EQ(given.world.invoice(given.invoice).next_attempt_at, given.world.now);
  given.world.bank_says(succeeded());
  given.world.work();
  EXPECT_EQ(given.world.invoice(given.invoice).status, InvoiceStatus::paid);
  EXPECT_EQ(given.world.subscription(given.subscription).status, SubscriptionStatus::active);
}

TEST(ReopenInvoice, WhileItsChargeIsInFlightGoesOnByTheScheduleWhenItIsDeclined) {
  Renewed given;
  given.world.bank_says({ChargeOutcomeKind::unknown, "", ""});
  given.world.pass_to(renewal + std::chrono::hours(1));
  given.world.run(CloseInvoice{given.invoice, {}});
  given.world.run(ReopenInvoice{given.invoice, {}});
  EXPECT_EQ(given.world.invoice(given.invoice).next_attempt_at, std::nullopt);
  given.world.answer(given.invoice, declined());
  EXPECT_EQ(given.world.invoice(given.invoice).next_attempt_at, given.world.now + std::chrono::days(3));
}

TEST(ReopenInvoice, OfACancelledSubscriptionCollectsWhatWasOwed) {
  Renewed given;
  given.world.bank_says(declined());
  given.world.pass_to(renewal + std::chrono::hours(1));
  given.world.run(CancelSubscription{given.subscription});
  given.world.run(ReopenInvoice{given.invoice, given.world.settled(given.invoice)});
  given.world.pass_to(given.world.now + std::chrono::days(30));
  const Invoice& invoice = given.world.invoice(given.invoice);
  EXPECT_EQ(invoice.attempt_count, 4) << "one before the cancellation, and what the schedule holds after it";
  EXPECT_EQ(invoice.next_attempt_at, std::nullopt);
}

TEST(ReopenInvoice, ThatIsNotClosedChangesNothing) {
  Renewed given;
  EXPECT_FALSE(given.world.run(ReopenInvoice{given.invoice, {}}).changed);
  EXPECT_EQ(given.world.refused(ReopenInvoice{InvoiceId("in_none"), {}}),
            (Failure{Errc::not_found, "No such invoice: in_none", "invoice"}));
  const InvoiceId paid = given.world.invoices().front().id;
  EXPECT_EQ(given.world.refused(ReopenInvoice{paid, given.world.settled(paid)}),
            (Failure{Errc::invalid_state, "Invoice is already paid", ""}));
}

TEST(ReopenInvoice, OfAnUncollectibleInvoiceIsRefused) {
  Renewed given;
  Invoice forgiven = given.world.invoices().front();
  forgiven.status = InvoiceStatus::uncollectible;
  EXPECT_EQ(given.world.refused(ReopenInvoice{forgiven.id, forgiven}),
            (Failure{Errc::invalid_state, "Invoice is uncollectible", ""}));
}

TEST(Invoices, AreNumberedWithoutGapsInTheOrderInWhichTheyAreFinalized) {
  Renewed given;
  given.world.pass_to(at("2026-12-31"));
  std::vector<std::string> numbers;
  for (const Invoice& invoice : given.world.invoices()) numbers.push_back(invoice.number.substr(8));
  EXPECT_THAT(numbers, ElementsAre("-0001", "-0002", "-0003", "-0004", "-0005", "-0006", "-0007", "-0008", "-0009",
                                   "-0010", "-0011", "-0012"));
}

TEST(Invoices, OfMonthlySubscriptionsAreOfAMonth) {
  Renewed given;
  const Invoice& invoice = given.world.invoice(given.invoice);
  EXPECT_EQ(invoice.reason, BillingReason::subscription_cycle);
  EXPECT_EQ(invoice.period, (Period{start, renewal}));
  EXPECT_EQ(invoice.lines.at(0).period, (Period{renewal, at("2026-03-15 10:00:00")}));
}

}  // namespace
}  // namespace billd::invoices_test
