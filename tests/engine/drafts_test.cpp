// Invoices by hand: drawn up, edited, finalized, sent, voided, given up, deleted, paid another way.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/scenario.hpp"

namespace billd::drafts_test {
namespace {

using std::chrono::days;
using std::chrono::hours;
using test::at;
using test::declined;
using test::names;
using test::price;
using test::Scenario;
using test::subscribe_to;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const Timestamp start = at("2026-01-15 10:00:00");
const Timestamp renewal = at("2026-02-15 10:00:00");

Money usd(std::int64_t minor) { return {minor, Currency::of("usd")}; }

Scenario with_item(std::int64_t minor = 700) {
  Scenario world(start);
  world.customer_with_card();
  world.item_of(minor);
  world.take_events();
  return world;
}

TEST(CreateInvoice, BillsThePendingItemsAfterTheDelay) {
  Scenario world = with_item();
  CreateInvoice command;
  command.description = "For January";
  const Transition created = world.run(command);
  EXPECT_THAT(names(created), ElementsAre("invoice.created"));
  const InvoiceId id(created.subject);
  EXPECT_EQ(world.invoice(id).status, InvoiceStatus::draft);
  EXPECT_EQ(world.invoice(id).reason, BillingReason::manual);
  EXPECT_EQ(world.invoice(id).total, usd(700));
  EXPECT_EQ(world.invoice(id).description, "For January");
  EXPECT_THAT(world.account().invoice_items, IsEmpty());
  world.pass_to(start + hours(1));
  EXPECT_EQ(world.invoice(id).status, InvoiceStatus::paid);
  EXPECT_EQ(world.invoice(id).charges.at(0).amount, usd(700));
}

TEST(CreateInvoice, OfNothingIsRefused) {
  Scenario world(start);
  world.customer_with_card();
  const Failure nothing{Errc::invalid_state, "Nothing to invoice for customer", "customer"};
  EXPECT_EQ(world.refused(CreateInvoice{}), nothing);
  world.subscribed_to(price(2000));
  EXPECT_EQ(world.refused(CreateInvoice{}), nothing);
}

TEST(CreateInvoice, OfASubscriptionLeavesTheItemsOfOthers) {
  Scenario world = with_item(100);
  Subscribe trial = subscribe_to(price(2000));
  trial.trial_end = at("2026-02-01");
  const SubscriptionId one = world.subscribed_to(trial), other = world.subscribed_to(trial);
  world.item_of(20, one);
  world.item_of(3, other);
  CreateInvoice command;
  command.subscription = one;
  world.run(command);
  EXPECT_EQ(world.latest_invoice().total, usd(120));
  world.run(CreateInvoice{});
  EXPECT_EQ(world.latest_invoice().total, usd(3)) << "without a subscription it takes those of all";
}

TEST(CreateInvoice, WithoutAutoAdvanceRestsAsADraftUntilItIsFinalized) {
  Scenario world = with_item();
  CreateInvoice command;
  command.auto_advance = false;
  const Transition created = world.run(command);
  const InvoiceId id(created.subject);
  EXPECT_THAT(created.settled, SizeIs(1));
  world.pass_to(at("2026-03-01"));
  EXPECT_EQ(world.invoice(id).status, InvoiceStatus::draft);
  const Transition finalized = world.run(FinalizeInvoice{id, world.settled(id), {}});
  EXPECT_THAT(names(finalized), ElementsAre("invoice.finalized"));
  EXPECT_EQ(world.invoice(id).status, InvoiceStatus::open);
  EXPECT_FALSE(world.invoice(id).number.empty());
  world.pass_to(at("2026-04-01"));
  EXPECT_THAT(world.invoice(id).charges, IsEmpty()) << "nobody asked for it to be collected";
  EXPECT_EQ(world.refused(FinalizeInvoice{id, world.settled(id), {}}).code, Errc::invalid_state);
}

TEST(FinalizeInvoice, WithAutoAdvanceIsCollectedAtOnce) {
  Scenario world = with_item();
  const InvoiceId id(world.run(CreateInvoice{}).subject);
  world.run(FinalizeInvoice{id, {}, true});
  world.work();
  EXPECT_EQ(world.invoice(id).status, InvoiceStatus::paid);
  EXPECT_EQ(world.invoice(id).paid_at, start);
}

TEST(UpdateInvoice, ChangesTheWordsAtAnyTimeAndTheDueDateOfDraftsOnly) {
  Scenario world = with_item();
  CreateInvoice command;
  command.collection = Collection::send_invoice;
  command.days_until_due = 30;
  const InvoiceId id(world.run(command).subject);
  EXPECT_EQ(world.invoice(id).due_at, start + days(30));
  UpdateInvoice update{id, {}, "Hello", Metadata{{"a", "b"}}, start + days(5), {}, {}};
  EXPECT_THAT(names(world.run(update)), ElementsAre("invoice.updated"));
  EXPECT_EQ(world.invoice(id).due_at, start + days(5));
  EXPECT_EQ(world.invoice(id).description, "Hello");
  world.run(PayInvoice{id, {}, {}, true});
  update.recalled = world.settled(id);
  EXPECT_EQ(world.refused(update).parameter, "due_date");
  update.due_at.reset();
  update.description = "Thank you";
  world.run(update);
  EXPECT_EQ(world.invoice(id).description, "Thank you");
  EXPECT_EQ(world.invoice(id).status, InvoiceStatus::paid);
}

TEST(VoidInvoice, EndsAnOpenInvoiceAndGivesTheBalanceBack) {
  Scenario world = with_item(-500);
  world.run(CreateInvoice{});
  world.pass_to(start + hours(1));
  ASSERT_EQ(world.account().customer.balance, -500);
  world.item_of(2000);
  world.bank_says(declined());
  const InvoiceId id(world.run(CreateInvoice{}).subject);
  world.pass_to(start + hours(2));
  EXPECT_EQ(world.invoice(id).amount_due(), usd(1500));
  EXPECT_EQ(world.account().customer.balance, 0);
  world.take_events();
  world.run(VoidInvoice{id, {}});
  EXPECT_THAT(world.take_events(), ElementsAre("customer.updated", "invoice.updated", "invoice.voided"));
  EXPECT_EQ(world.account().customer.balance, -500);
  EXPECT_EQ(world.invoice(id).status, InvoiceStatus::void_);
  EXPECT_EQ(world.invoice(id).voided_at, world.now);
  EXPECT_EQ(next_due(timers(world.account())), std::nullopt);
  EXPECT_EQ(world.refused(VoidInvoice{id, world.settled(id)}).detail, "Invoice is void");
}

TEST(VoidInvoice, OfTheFirstPaymentEndsTheIncompleteSubscription) {
  Scenario world(start);
  world.customer_with_card();
  world.bank_says(declined());
  const SubscriptionId id = world.subscribed_to(price(2000));
  world.run(VoidInvoice{world.latest_invoice().id, {}});
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::incomplete_expired);
  EXPECT_EQ(world.subscription(id).ended_at, start);
}

TEST(VoidInvoice, WaitsForTheChargeInFlightAndRefusesWhatIsPaid) {
  Scenario world = with_item();
  world.bank_says({ChargeOutcomeKind::unknown, "", ""});
  const InvoiceId id(world.run(CreateInvoice{}).subject);
  EXPECT_EQ(world.refused(VoidInvoice{id, {}}).detail, "A draft invoice is deleted, not voided.");
  world.pass_to(start + hours(1));
  EXPECT_EQ(world.refused(VoidInvoice{id, {}}).code, Errc::invalid_state);
  EXPECT_EQ(world.refused(MarkInvoiceUncollectible{id, {}}).code, Errc::invalid_state);
  EXPECT_EQ(world.refused(PayInvoice{id, {}, {}, true}).code, Errc::invalid_state);
  world.answer(id, test::succeeded());
  EXPECT_EQ(world.refused(VoidInvoice{id, world.settled(id)}).detail, "Invoice is already paid");
}

TEST(AnUncollectibleInvoice, LetsItsSubscriptionGoOnAsIfItWerePaid) {
  Scenario world(start);
  world.customer_with_card();
  const SubscriptionId subscription = world.subscribed_to(price(2000));
  world.bank_says(declined());
  world.pass_to(renewal + hours(1));
  ASSERT_EQ(world.subscription(subscription).status, SubscriptionStatus::past_due);
  const InvoiceId id = world.latest_invoice().id;
  world.take_events();
  world.run(MarkInvoiceUncollectible{id, {}});
  EXPECT_THAT(world.take_events(), ElementsAre("invoice.updated", "invoice.marked_uncollectible", "customer.updated",
                                               "customer.subscription.updated"));
  EXPECT_EQ(world.subscription(subscription).status, SubscriptionStatus::active);
  EXPECT_FALSE(world.account().customer.delinquent);
  EXPECT_EQ(world.invoice(id).marked_uncollectible_at, world.now);
  world.pass_to(at("2026-03-14"));
  EXPECT_THAT(world.invoice(id).charges, SizeIs(1)) << "no more attempts";
  world.bank_says(test::succeeded());
  world.run(PayInvoice{id, world.settled(id), {}});
  EXPECT_EQ(world.invoice(id).status, InvoiceStatus::paid) << "it may come after all";
}

TEST(AnUncollectibleInvoice, MayBeVoidedButADraftIsNone) {
  Scenario world = with_item();
  world.bank_says(declined());
  const InvoiceId id(world.run(CreateInvoice{}).subject);
  EXPECT_EQ(world.refused(MarkInvoiceUncollectible{id, {}}).detail,
            "You can only mark open invoices as uncollectible.");
  world.pass_to(start + hours(1));
  world.run(MarkInvoiceUncollectible{id, {}});
  world.run(VoidInvoice{id, world.settled(id)});
  EXPECT_EQ(world.invoice(id).status, InvoiceStatus::void_);
}

TEST(DeleteInvoice, DropsADraftAndItsItemsArePendingAgain) {
  for (const bool rests : {false, true}) {
    Scenario world = with_item();
    const InvoiceItem item = world.account().invoice_items.front();
    CreateInvoice command;
    command.auto_advance = !rests;
    const InvoiceId id(world.run(command).subject);
    const Transition deleted = world.run(DeleteInvoice{id, world.settled(id)});
    EXPECT_THAT(names(deleted), ElementsAre("invoice.deleted"));
    EXPECT_EQ(deleted.recalled.size(), rests ? 1U : 0U);
    EXPECT_THAT(deleted.settled, IsEmpty());
    EXPECT_THAT(world.invoices(), IsEmpty());
    EXPECT_THAT(world.account().invoice_items, ElementsAre(item));
    EXPECT_EQ(world.refused(DeleteInvoice{id, {}}).code, Errc::not_found);
  }
}

TEST(DeleteInvoice, IsForDraftsByHandOnly) {
  Scenario world(start);
  world.customer_with_card();
  world.subscribed_to(price(2000));
  const InvoiceId paid = world.latest_invoice().id;
  EXPECT_EQ(world.refused(DeleteInvoice{paid, world.settled(paid)}).code, Errc::invalid_state);
  world.pass_to(renewal);
  const InvoiceId draft = world.latest_invoice().id;
  EXPECT_EQ(world.refused(DeleteInvoice{draft, {}}).detail, "You can't delete invoices created by subscriptions.");
  world.run(VoidInvoice{draft, {}});
  EXPECT_EQ(world.invoice(draft).status, InvoiceStatus::void_);
  EXPECT_EQ(world.invoice(draft).number, "") << "it never had one";
}

TEST(PayInvoice, OutOfBandChargesNothingAndNeedsNoSource) {
  Scenario world(start);
  world.run(CreateCustomer{});
  world.item_of(700);
  const InvoiceId id(world.run(CreateInvoice{}).subject);
  const Transition paid = world.run(PayInvoice{id, {}, {}, true});
  EXPECT_THAT(names(paid), ElementsAre("invoice.finalized", "invoice.payment_succeeded", "invoice.paid"));
  EXPECT_EQ(world.invoice(id).status, InvoiceStatus::paid);
  EXPECT_TRUE(world.invoice(id).paid_out_of_band);
  EXPECT_EQ(world.invoice(id).amount_paid, usd(700));
  EXPECT_THAT(world.invoice(id).charges, IsEmpty());
}

TEST(PayInvoice, TakesTheInvoicesOwnSourceFirst) {
  Scenario world = with_item();
  const SourceId second(world.run(AddSource{test::card("tok_mastercard"), false}).subject);
  CreateInvoice command;
  command.default_source = second;
  const InvoiceId id(world.run(command).subject);
  world.pass_to(start + hours(1));
  EXPECT_EQ(world.invoice(id).charges.at(0).source, second);
}

/// A customer without a source whose subscription is paid by invoice within 10 days.
struct Sent {
  explicit Sent(Rules rules = {}) : world(start, std::move(rules)) {
    world.run(CreateCustomer{});
    Subscribe command = subscribe_to(price(2000));
    command.collection = Collection::send_invoice;
    command.days_until_due = 10;
    subscription = world.subscribed_to(command);
    invoice = world.latest_invoice().id;
  }

  Scenario world;
  SubscriptionId subscription;
  InvoiceId invoice;
};

TEST(ASentInvoice, IsFinalizedAndSentAfterTheDelayAndNeverCharged) {
  Sent given;
  EXPECT_EQ(given.world.subscription(given.subscription).status, SubscriptionStatus::active);
  EXPECT_EQ(given.world.invoice(given.invoice).status, InvoiceStatus::draft);
  given.world.take_events();
  given.world.pass_to(start + hours(1));
  EXPECT_THAT(given.world.take_events(), ElementsAre("invoice.finalized", "invoice.sent"));
  const Invoice& invoice = given.world.invoice(given.invoice);
  EXPECT_EQ(invoice.status, InvoiceStatus::open);
  EXPECT_EQ(invoice.due_at, start + days(10));
  EXPECT_EQ(invoice.next_attempt_at, std::nullopt);
}

TEST(ASentInvoice, MakesItsSubscriptionPastDueWhenItIsLateAndActiveWhenItIsPaid) {
  Sent given;
  given.world.pass_to(start + days(10) - std::chrono::seconds(1));
  EXPECT_EQ(given.world.subscription(given.subscription).status, SubscriptionStatus::active);
  given.world.take_events();
  given.world.pass_to(start + days(10));
  EXPECT_THAT(given.world.take_events(), ElementsAre("invoice.overdue", "customer.subscription.updated"));
  EXPECT_EQ(given.world.subscription(given.subscription).status, SubscriptionStatus::past_due);
  given.world.run(PayInvoice{given.invoice, {}, {}, true});
  EXPECT_EQ(given.world.subscription(given.subscription).status, SubscriptionStatus::active);
}

TEST(ASentInvoice, ThatStaysUnpaidLeadsToTheFinalAction) {
  struct Case {
    FinalAction action;
    SubscriptionStatus status;
  };
  for (const Case& each :
       {Case{FinalAction::cancel, SubscriptionStatus::canceled}, Case{FinalAction::unpaid, SubscriptionStatus::unpaid},
        Case{FinalAction::past_due, SubscriptionStatus::past_due}}) {
    Rules rules;
    rules.final_action = each.action;
    rules.overdue_final_after = days(15);
    Sent given(rules);
    given.world.pass_to(start + days(25) - std::chrono::seconds(1));
    EXPECT_EQ(given.world.subscription(given.subscription).status, SubscriptionStatus::past_due);
    given.world.pass_to(start + days(25));
    EXPECT_EQ(given.world.subscription(given.subscription).status, each.status);
    EXPECT_EQ(given.world.invoice(given.invoice).status, InvoiceStatus::open);
  }
}

TEST(ASentInvoice, NeedsADueDateAndAChargedOneHasNone) {
  Scenario world = with_item();
  CreateInvoice sent;
  sent.collection = Collection::send_invoice;
  EXPECT_EQ(world.refused(sent).parameter, "days_until_due");
  sent.due_at = start - days(1);
  EXPECT_EQ(world.refused(sent).parameter, "due_date");
  sent.due_at = start + days(1);
  sent.days_until_due = 2;
  EXPECT_EQ(world.refused(sent).parameter, "due_date");
  CreateInvoice charged;
  charged.days_until_due = 3;
  EXPECT_EQ(world.refused(charged).parameter, "days_until_due");
  Subscribe command = subscribe_to(price(2000));
  command.days_until_due = 3;
  EXPECT_EQ(world.refused(command).parameter, "days_until_due");
}

TEST(SendInvoice, FinalizesADraftAndSaysSoEachTime) {
  Scenario world = with_item();
  CreateInvoice command;
  command.collection = Collection::send_invoice;
  command.days_until_due = 3;
  command.auto_advance = false;
  const InvoiceId id(world.run(command).subject);
  EXPECT_THAT(names(world.run(SendInvoice{id, world.settled(id)})), ElementsAre("invoice.finalized", "invoice.sent"));
  EXPECT_THAT(names(world.run(SendInvoice{id, world.settled(id)})), ElementsAre("invoice.sent"));
  world.item_of(80);
  const InvoiceId charged(world.run(CreateInvoice{}).subject);
  EXPECT_EQ(world.refused(SendInvoice{charged, {}}).code, Errc::invalid_state);
}

TEST(ADraft, WaitsForWhoeverMustBeToldOfItAndNotLongerThanThreeDays) {
  Scenario world(start);
  world.customer_with_card();
  world.subscribed_to(price(2000));
  world.pass_to(renewal + std::chrono::minutes(59));
  const InvoiceId draft = world.latest_invoice().id;
  ASSERT_EQ(world.invoice(draft).status, InvoiceStatus::draft);
  world.take_events();
  Timestamp due = renewal + std::chrono::hours(1);
  for (int hour = 1; hour < 72; ++hour) {
    ASSERT_EQ(world.invoice(draft).finalize_at, due);
    world.now = due;
    EXPECT_TRUE(world.run(HoldDraft{draft}).changed);
    due += std::chrono::hours(1);
  }
  EXPECT_TRUE(world.take_events().empty());
  ASSERT_EQ(world.invoice(draft).finalize_at, renewal + std::chrono::hours(72));
  world.now = renewal + std::chrono::hours(72);
  EXPECT_FALSE(world.run(HoldDraft{draft}).changed) << "it waits no longer";
  world.work();
  EXPECT_EQ(world.invoice(draft).status, InvoiceStatus::paid);
  EXPECT_FALSE(world.run(HoldDraft{draft}).changed);
}

TEST(ADraft, WaitsForNobodyWhereItHasNoTimeOfItsOwn) {
  for (const bool has_delay : {false, true}) {
    Rules rules;
    if (has_delay)
      rules.invoice_notice_wait_max = Duration(0);
    else
      rules.invoice_finalize_delay = Duration(0);
    Scenario world(start, rules);
    world.customer_with_card();
    CreateInvoice create;
    create.may_be_empty = true;
    create.currency = Currency::of("usd");
    const InvoiceId draft(world.run(create).subject);
    EXPECT_FALSE(world.run(HoldDraft{draft}).changed);
  }
}

}  // namespace
}  // namespace billd::drafts_test
