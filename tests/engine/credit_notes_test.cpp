// Credit notes and the customer's balance: what is taken back, where it goes, and that every cent is on record.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/scenario.hpp"

namespace billd::credit_notes_test {
namespace {

using std::chrono::hours;
using test::at;
using test::price;
using test::Scenario;
using testing::ElementsAre;
using testing::HasSubstr;

const Timestamp start = at("2026-01-15 10:00:00");
const Currency usd = Currency::of("usd");

/// A customer with an invoice of 2000, which is sent and open, or charged and paid.
struct Billed {
  explicit Billed(bool is_paid) : world(start) {
    world.customer_with_card();
    Subscribe command = test::subscribe_to(price(2000));
    if (!is_paid) {
      command.collection = Collection::send_invoice;
      command.days_until_due = 30;
    }
    world.subscribed_to(command);
    world.pass_to(start + hours(2));
    id = world.latest_invoice().id;
    world.take_events();
  }
  const Invoice& invoice() const { return world.invoice(id); }
  const CreditNote& note(std::size_t number = 0) const { return invoice().credit_notes.at(number); }
  CreateCreditNote credit(std::int64_t amount) const {
    CreateCreditNote command;
    command.invoice = id;
    command.recalled = world.settled(id);
    command.amount = amount;
    return command;
  }
  CreateCreditNote after_payment(std::int64_t refund, std::int64_t credited, std::int64_t out_of_band) const {
    CreateCreditNote command = credit(refund + credited + out_of_band);
    command.refund_amount = refund;
    command.credit_amount = credited;
    command.out_of_band_amount = out_of_band;
    return command;
  }
  std::vector<BalanceTransaction> transactions() const {
    std::vector<BalanceTransaction> result;
    for (const auto& [name, record] : world.records())
      if (const auto* transaction = std::get_if<BalanceTransaction>(&record)) result.push_back(*transaction);
    return result;
  }

  Scenario world;
  InvoiceId id;
};

TEST(ACreditNote, BeforePaymentReducesWhatIsDue) {
  Billed given(false);
  given.world.run(given.credit(500));
  EXPECT_EQ(given.invoice().amount_due().minor, 1500);
  EXPECT_EQ(given.invoice().total.minor, 2000);
  EXPECT_EQ(given.invoice().status, InvoiceStatus::open);
  EXPECT_EQ(given.note().number, given.invoice().number + "-CN-01");
  EXPECT_FALSE(given.note().after_payment);
  EXPECT_THAT(given.world.take_events(), ElementsAre("credit_note.created", "invoice.updated"));
  given.world.run(PayInvoice{given.id, {}, {}});
  EXPECT_EQ(given.invoice().amount_paid.minor, 1500);
  EXPECT_EQ(given.invoice().charges.at(0).amount.minor, 1500);
}

TEST(ACreditNote, OfAllThatIsDuePaysTheInvoice) {
  Billed given(false);
  given.world.run(given.credit(2000));
  EXPECT_EQ(given.invoice().status, InvoiceStatus::paid);
  EXPECT_EQ(given.invoice().amount_paid.minor, 0);
  EXPECT_THAT(given.world.take_events(),
              ElementsAre("credit_note.created", "invoice.updated", "invoice.payment_succeeded", "invoice.paid"));
}

TEST(ACreditNote, BeforePaymentHasItsLimits) {
  struct Case {
    std::int64_t before, amount;
    const char* refused;  ///< empty: accepted
  };
  const Case cases[] = {
      {0, 1, ""},
      {0, 1950, ""},  // 50 cents can be charged
      {0, 1951, "would be less than can be charged"},
      {0, 1999, "would be less than can be charged"},
      {0, 2000, ""},
      {0, 2001, "more than what is due (2000)"},
      {500, 1500, ""},
      {500, 1501, "more than what is due (1500)"},
      {0, 0, "Invalid positive integer"},
      {0, -5, "Invalid positive integer"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.amount);
    Billed given(false);
    if (each.before > 0) given.world.run(given.credit(each.before));
    if (std::string_view(each.refused).empty())
      given.world.run(given.credit(each.amount));
    else
      EXPECT_THAT(given.world.refused(given.credit(each.amount)).detail, HasSubstr(each.refused));
  }
}

TEST(ACreditNote, BeforePaymentCanBeVoided) {
  Billed given(false);
  given.world.run(given.credit(500));
  const CreditNoteId note = given.note().id;
  given.world.take_events();
  given.world.run(VoidCreditNote{given.id, {}, note});
  EXPECT_EQ(given.invoice().amount_due().minor, 2000);
  EXPECT_EQ(given.note().voided_at, given.world.now);
  EXPECT_THAT(given.world.take_events(), ElementsAre("credit_note.voided", "invoice.updated"));
  EXPECT_EQ(given.world.refused(VoidCreditNote{given.id, {}, note}).detail, "The credit note is void already.");
  given.world.run(given.credit(100));
  EXPECT_EQ(given.note(1).number, given.invoice().number + "-CN-02") << "a void one keeps its number";
  EXPECT_EQ(given.world.refused(VoidCreditNote{given.id, {}, CreditNoteId("cn_none")}).code, Errc::not_found);
}

TEST(ACreditNote, AfterPaymentIsNeverVoided) {
  Billed given(true);
  given.world.run(given.after_payment(0, 500, 0));
  const VoidCreditNote command{given.id, given.world.settled(given.id), given.note().id};
  EXPECT_EQ(given.world.refused(command).code, Errc::invalid_state);
}

TEST(ACreditNote, AfterPaymentRefundsAndCreditsAndCounts) {
  Billed given(true);
  given.world.run(given.after_payment(700, 300, 100));
  const Invoice& invoice = given.invoice();
  EXPECT_EQ(invoice.status, InvoiceStatus::paid);
  EXPECT_EQ(invoice.amount_paid.minor, 2000);
  EXPECT_EQ(invoice.charges.at(0).amount_refunded().minor, 700);
  EXPECT_EQ(invoice.charges.at(0).refunds.at(0).credit_note, given.note().id);
  EXPECT_EQ(given.note().refund, invoice.charges.at(0).refunds.at(0).id);
  EXPECT_EQ(given.world.account().customer.balance, -300);
  ASSERT_EQ(given.transactions().size(), 1U);
  const BalanceTransaction credited = given.transactions()[0];
  EXPECT_EQ(credited.id, given.note().balance_transaction);
  EXPECT_EQ(credited.reason, BalanceReason::credit_note);
  EXPECT_EQ(credited.amount, (Money{-300, usd}));
  EXPECT_EQ(credited.credit_note, given.note().id);
  EXPECT_EQ(credited.invoice, given.id);
}

TEST(ACreditNote, AfterPaymentIsDividedToTheCent) {
  struct Case {
    std::int64_t amount, refund, credit, out_of_band;
    const char* refused;
  };
  const Case cases[] = {
      {2000, 2000, 0, 0, ""},
      {2000, 0, 2000, 0, ""},
      {2000, 0, 0, 2000, ""},
      {2000, 1, 1998, 1, ""},
      {2000, 1000, 999, 0, "must equal the credit note amount (2000)"},
      {2000, 1000, 1001, 0, "must equal the credit note amount (2000)"},
      {2001, 2000, 1, 0, "more than what is left of the invoice (2000)"},
      {2000, 2001, -1, 0, "greater than or equal to 0"},
      {100, 0, 0, 0, "must equal the credit note amount (100)"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.refused);
    Billed given(true);
    CreateCreditNote command = given.after_payment(each.refund, each.credit, each.out_of_band);
    command.amount = each.amount;
    if (std::string_view(each.refused).empty())
      given.world.run(command);
    else
      EXPECT_THAT(given.world.refused(command).detail, HasSubstr(each.refused));
  }
}

TEST(CreditNotes, AreTogetherAtMostTheInvoice) {
  Billed given(true);
  given.world.run(given.after_payment(0, 1500, 0));
  EXPECT_THAT(given.world.refused(given.after_payment(501, 0, 0)).detail, HasSubstr("left of the invoice (500)"));
  given.world.run(given.after_payment(500, 0, 0));
  EXPECT_THAT(given.world.refused(given.after_payment(0, 0, 1)).detail, HasSubstr("left of the invoice (0)"));
}

TEST(CreditNotes, BeforePaymentCountAfterIt) {
  Billed given(false);
  given.world.run(given.credit(500));
  given.world.run(PayInvoice{given.id, {}, {}, false});
  ASSERT_EQ(given.invoice().charges.at(0).amount.minor, 1500);
  EXPECT_THAT(given.world.refused(given.after_payment(1500, 0, 1)).detail, HasSubstr("left of the invoice (1500)"));
  given.world.run(given.after_payment(1500, 0, 0));
}

TEST(ACreditNote, RefundsNoMoreThanTheChargeHasLeft) {
  Billed given(true);
  given.world.run(
      RefundCharge{given.id, given.world.settled(given.id), given.invoice().charges.at(0).id, 1800, "", {}});
  EXPECT_THAT(given.world.refused(given.after_payment(201, 0, 0)).detail, HasSubstr("invoice's charge (200)"));
  given.world.run(given.after_payment(200, 0, 0));
}

TEST(ACreditNote, NeedsAnInvoiceThatIsOpenOrPaid) {
  Billed given(false);
  given.world.item_of(700);
  CreateInvoice make;
  given.world.run(make);
  CreateCreditNote command = given.credit(100);
  command.invoice = given.world.latest_invoice().id;
  EXPECT_EQ(given.world.refused(command).code, Errc::invalid_state) << "a draft is changed instead";
  given.world.run(VoidInvoice{given.id, {}});
  EXPECT_EQ(given.world.refused(given.credit(100)).code, Errc::invalid_state);
  command.invoice = InvoiceId("in_none");
  EXPECT_EQ(given.world.refused(command).code, Errc::not_found);
}

TEST(ACreditNote, WaitsForTheOutcomeOfACharge) {
  Billed given(false);
  given.world.bank_says({ChargeOutcomeKind::unknown, "", ""});
  given.world.run(PayInvoice{given.id, {}, {}});
  EXPECT_THAT(given.world.refused(given.credit(100)).detail, HasSubstr("already in progress"));
}

TEST(ACreditNote, IsMadeOfLines) {
  Billed given(true);
  const InvoiceLineId line = given.invoice().lines.at(0).id;
  struct Case {
    NewCreditNoteLine line;
    std::int64_t amount;
    const char* refused;
  };
  const Case cases[] = {
      {{line, 600, {}, 0, ""}, 600, ""},
      {{line, {}, 1, 0, ""}, 2000, ""},
      {{line, {}, 2, 0, ""}, 0, "at most that of the invoice's line"},
      {{line, {}, 0, 0, ""}, 0, "at least 1"},
      {{line, 600, 1, 0, ""}, 0, "either an `amount` or a `quantity`"},
      {{line, {}, {}, 0, ""}, 0, "either an `amount` or a `quantity`"},
      {{line, 2001, {}, 0, ""}, 0, "left of the invoice's line"},
      {{line, 0, {}, 0, ""}, 0, "more than zero"},
      {{InvoiceLineId("il_none"), 5, {}, 0, ""}, 0, "No such invoice line item: il_none"},
      {{{}, {}, 3, 100, "Goodwill"}, 300, ""},
      {{{}, {}, {}, 100, "Goodwill"}, 100, ""},
      {{{}, {}, {}, 100, ""}, 0, "needs a `description`"},
      {{{}, {}, {}, 0, "Goodwill"}, 0, "more than zero"},
      {{{}, {}, 0, 100, "Goodwill"}, 0, "more than zero"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.refused);
    Billed fresh(true);
    CreateCreditNote command = fresh.credit(1);
    command.amount.reset();
    command.lines = {each.line};
    if (each.line.invoice_line == line) command.lines[0].invoice_line = fresh.invoice().lines.at(0).id;
    command.credit_amount = each.amount;
    if (!std::string_view(each.refused).empty()) {
      EXPECT_THAT(fresh.world.refused(command).detail, HasSubstr(each.refused));
      continue;
    }
    fresh.world.run(command);
    EXPECT_EQ(fresh.note().amount.minor, each.amount);
  }
  CreateCreditNote both = given.credit(1);
  both.lines = {{line, 1, {}, 0, ""}};
  EXPECT_THAT(given.world.refused(both).detail, HasSubstr("either an `amount` or `lines`"));
  both.amount.reset();
  both.credit_amount = 2;
  both.lines.push_back(both.lines[0]);
  EXPECT_THAT(given.world.refused(both).detail, HasSubstr("can be named once"));
}

TEST(ACreditNote, TakesWordsLater) {
  Billed given(true);
  CreateCreditNote command = given.after_payment(0, 5, 0);
  command.reason = "because";
  EXPECT_EQ(given.world.refused(command).parameter, "reason");
  command.reason = "order_change";
  given.world.run(command);
  given.world.take_events();
  UpdateCreditNote update;
  update.invoice = given.id;
  update.recalled = given.world.settled(given.id);
  update.credit_note = given.note().id;
  update.memo = "Sorry.";
  update.metadata = Metadata{{"a", "b"}};
  given.world.run(update);
  EXPECT_EQ(given.note().memo, "Sorry.");
  EXPECT_EQ(given.note().reason, "order_change");
  EXPECT_THAT(given.world.take_events(), ElementsAre("credit_note.updated"));
}

TEST(TheBalance, KeepsARecordOfEveryChange) {
  Scenario world(start);
  world.customer_with_card();
  world.run(AdjustBalance{{-2500, usd}, "Welcome", {{"a", "b"}}});
  world.subscribed_to(price(2000));  // takes 2000 of the credit
  world.run(AdjustBalance{{530, usd}, "", {}});
  CreateInvoice make;
  world.item_of(10);
  world.run(make);
  world.run(FinalizeInvoice{world.latest_invoice().id, {}, {}});  // 40 are too little to be charged
  world.run(AdjustBalance{{-40, usd}, "", {}});
  world.item_of(700);
  world.run(make);
  const InvoiceId last = world.latest_invoice().id;
  world.run(AdjustBalance{{-100, usd}, "", {}});
  world.run(FinalizeInvoice{last, {}, false});
  world.run(VoidInvoice{last, world.settled(last)});
  std::vector<std::tuple<BalanceReason, std::int64_t, std::int64_t>> seen;
  std::map<std::int64_t, BalanceTransaction> in_order;
  for (const auto& [name, record] : world.records())
    if (const auto* each = std::get_if<BalanceTransaction>(&record))
      in_order[static_cast<std::int64_t>(
          object_number(world.account().key, id_body(each->id.value()).substr(account_key_length)).value())] = *each;
  for (const auto& [number, each] : in_order) seen.emplace_back(each.reason, each.amount.minor, each.ending_balance);
  using enum BalanceReason;
  EXPECT_THAT(seen,
              ElementsAre(std::tuple(adjustment, -2500, -2500), std::tuple(applied_to_invoice, 2000, -500),
                          std::tuple(adjustment, 530, 30), std::tuple(invoice_too_small, 10, 40),
                          std::tuple(adjustment, -40, 0), std::tuple(adjustment, -100, -100),
                          std::tuple(applied_to_invoice, 100, 0), std::tuple(unapplied_from_invoice, -100, -100)));
  EXPECT_EQ(in_order.begin()->second.description, "Welcome");
  EXPECT_EQ(in_order.begin()->second.amount.currency, usd);
}

TEST(TheBalance, IsAdjustedWithinItsLimitsAndInOneCurrency) {
  Scenario world(start);
  world.customer_with_card();
  EXPECT_EQ(world.refused(AdjustBalance{{0, usd}, "", {}}).parameter, "amount");
  EXPECT_EQ(world.refused(AdjustBalance{{5, Currency()}, "", {}}).code, Errc::missing_parameter);
  EXPECT_EQ(world.refused(AdjustBalance{{1'000'000'000'000'000, usd}, "", {}}).code, Errc::amount_out_of_range);
  EXPECT_EQ(world.refused(AdjustBalance{{std::numeric_limits<std::int64_t>::min(), usd}, "", {}}).code,
            Errc::amount_out_of_range);
  world.run(AdjustBalance{{999'999'999'999'999, usd}, "", {}});
  EXPECT_EQ(world.refused(AdjustBalance{{1, usd}, "", {}}).code, Errc::amount_out_of_range);
  world.run(AdjustBalance{{-999'999'999'999'999, usd}, "", {}});
  world.run(AdjustBalance{{-999'999'999'999'999, usd}, "", {}});
  EXPECT_EQ(world.refused(AdjustBalance{{-1, usd}, "", {}}).code, Errc::amount_out_of_range);
  EXPECT_EQ(world.account().customer.currency, usd);
  EXPECT_EQ(world.refused(AdjustBalance{{1, Currency::of("eur")}, "", {}}).code, Errc::currency_mismatch);
  world.run(DeleteCustomer{});
  EXPECT_EQ(world.refused(AdjustBalance{{1, usd}, "", {}}).code, Errc::not_found);
}

TEST(ACreditNote, TakesNothingBackOfWhatWasOwedBefore) {
  Scenario world(start);
  world.customer_with_card();
  UpdateCustomer owes;
  owes.balance = 300;
  world.run(owes);
  world.item_of(1000);
  CreateInvoice by_hand;
  by_hand.collection = Collection::send_invoice;
  by_hand.days_until_due = 30;
  const InvoiceId id(world.run(by_hand).subject);
  FinalizeInvoice finalize;
  finalize.invoice = id;
  finalize.recalled = world.settled(id);
  world.run(finalize);
  ASSERT_EQ(world.invoice(id).amount_due().minor, 1300);
  CreateCreditNote command;
  command.invoice = id;
  command.recalled = world.settled(id);
  command.amount = 1001;
  EXPECT_THAT(world.refused(command).detail, HasSubstr("more than what is left of the invoice (1000)"));
  command.amount = 1000;
  world.run(command);
  EXPECT_EQ(world.invoice(id).amount_due().minor, 300);
}

/// An open invoice with two lines, of 2000 and 3000.
struct TwoLines {
  TwoLines() : world(start) {
    world.customer_with_card();
    Subscribe command = test::subscribe_to(price(2000));
    command.items.push_back({price(3000), 1, {}});
    command.collection = Collection::send_invoice;
    command.days_until_due = 30;
    world.subscribed_to(command);
    world.pass_to(start + hours(2));
    id = world.latest_invoice().id;
  }
  CreateCreditNote of_first_line(std::int64_t amount) const {
    CreateCreditNote command;
    command.invoice = id;
    command.lines.push_back({world.invoice(id).lines.at(0).id, amount, {}, 0, ""});
    return command;
  }
  Scenario world;
  InvoiceId id;
};

TEST(ACreditNote, OfALineTakesNoMoreThanOthersHaveLeftOfIt) {
  TwoLines given;
  given.world.run(given.of_first_line(1500));
  EXPECT_THAT(given.world.refused(given.of_first_line(501)).detail, HasSubstr("left of the invoice's line"));
  given.world.run(given.of_first_line(500));
  EXPECT_EQ(given.world.invoice(given.id).amount_due().minor, 3000);
}

TEST(ACreditNote, OfALineThatWasVoidedLeavesItToOthers) {
  TwoLines given;
  const CreditNoteId mistake(given.world.run(given.of_first_line(1500)).subject);
  given.world.run(VoidCreditNote{given.id, {}, mistake});
  given.world.run(given.of_first_line(2000));
  EXPECT_EQ(given.world.invoice(given.id).amount_due().minor, 3000);
}

TEST(ACreditNote, OfALineByItsQuantityRoundsAHalfUp) {
  Scenario world(start);
  world.customer_with_card();
  const SubscriptionId id = world.subscribed_to(price(2000));
  world.pass_to(start + hours(31 * 12));  // half of January's 31 days
  UpdateSubscription update;
  update.subscription = id;
  update.items.push_back({{}, false, price(2001), 2, {}});
  update.proration = ProrationBehavior::always_invoice;
  world.run(update);
  const Invoice made = world.latest_invoice();
  ASSERT_EQ(made.lines.at(0).amount.minor, 2001);
  ASSERT_EQ(made.lines.at(0).quantity, 2);
  CreateCreditNote command;
  command.invoice = made.id;
  command.recalled = world.settled(made.id);
  command.lines.push_back({made.lines.at(0).id, {}, 1, 0, ""});
  command.credit_amount = 1001;
  world.run(command);
  EXPECT_EQ(world.invoice(made.id).credit_notes.at(0).amount.minor, 1001);
}

TEST(CreditNotes, OfOneInvoiceHaveALimit) {
  Billed given(true);
  for (int i = 0; i < 50; ++i) given.world.run(given.after_payment(0, 1, 0));
  EXPECT_EQ(given.note(49).number, given.invoice().number + "-CN-50");
  EXPECT_EQ(given.world.refused(given.after_payment(0, 1, 0)).code, Errc::limit_exceeded);
}

TEST(ACreditNote, KeepsTheBalanceWithinItsLimits) {
  Billed given(true);
  given.world.run(AdjustBalance{{-balance_limit + 5, usd}, "", {}});
  EXPECT_EQ(given.world.refused(given.after_payment(0, 6, 0)).code, Errc::amount_out_of_range);
  given.world.run(given.after_payment(0, 5, 0));
  EXPECT_EQ(given.world.account().customer.balance, -balance_limit);
}

TEST(ACreditNote, IsNotVoidedWhileAChargeIsInFlight) {
  Billed given(false);
  const CreditNoteId note(given.world.run(given.credit(500)).subject);
  given.world.decide(PayInvoice{given.id, {}, {}});
  EXPECT_THAT(given.world.refused(VoidCreditNote{given.id, {}, note}).detail, HasSubstr("already in progress"));
  given.world.answer(given.id, test::declined());
  given.world.run(VoidCreditNote{given.id, {}, note});
  EXPECT_EQ(given.invoice().amount_due().minor, 2000);
}

TEST(TheBalance, IsNotTakenBeyondItsLimitByAVoidedInvoice) {
  Scenario world(start);
  world.customer_with_card();
  world.run(AdjustBalance{{-700, usd}, "", {}});
  Subscribe command = test::subscribe_to(price(2000));
  command.collection = Collection::send_invoice;
  command.days_until_due = 30;
  world.subscribed_to(command);
  world.pass_to(start + hours(2));
  const InvoiceId id = world.latest_invoice().id;
  ASSERT_EQ(world.invoice(id).amount_due().minor, 1300);
  world.run(AdjustBalance{{-balance_limit + 699, usd}, "", {}});
  EXPECT_EQ(world.refused(VoidInvoice{id, {}}).code, Errc::amount_out_of_range);
  world.run(AdjustBalance{{1, usd}, "", {}});
  world.run(VoidInvoice{id, {}});
  EXPECT_EQ(world.account().customer.balance, -balance_limit);
}

}  // namespace
}  // namespace billd::credit_notes_test
