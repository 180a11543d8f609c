// Charges that are asked for by themselves: what billd does not bill goes the way of all money, and nobody hears of the
// invoice that holds it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/scenario.hpp"

namespace billd::direct_charges_test {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using test::at;
using test::declined;
using test::names;
using test::price;
using test::Scenario;
using test::succeeded;
using testing::ElementsAre;
using testing::IsEmpty;

const Timestamp start = at("2026-01-15 10:00:00");
const ChargeOutcome no_answer{ChargeOutcomeKind::unknown, "", ""};

struct Given {
  Given() : world(start) {
    world.customer_with_card();
    world.take_events();
  }
  static ChargeCustomer of(std::int64_t minor, std::string_view currency = "usd") {
    ChargeCustomer command;
    command.amount = {minor, Currency::of(currency)};
    command.description = "Lamp";
    command.metadata = {{"order", "7"}};
    return command;
  }
  const Invoice& holder() const { return world.invoice(world.invoice_ids().back()); }
  const Charge& charge() const { return holder().charges.back(); }

  Scenario world;
};

TEST(ADirectCharge, IsJournaledAndSentLikeAnyOther) {
  Given given;
  const Transition done = given.world.decide(Given::of(700));
  const Charge& charge = given.charge();
  EXPECT_EQ(charge.state, ChargeState::sending);
  EXPECT_EQ(charge.amount, (Money{700, Currency::of("usd")}));
  EXPECT_TRUE(charge.is_direct);
  EXPECT_FALSE(charge.automatic);
  EXPECT_EQ(charge.description, "Lamp");
  EXPECT_EQ(charge.metadata, (Metadata{{"order", "7"}}));
  EXPECT_EQ(done.subject, given.holder().id.value());
  EXPECT_EQ(done.effects, (std::vector<Effect>{CollectCharge{given.holder().id, charge.id, false}}));
  EXPECT_THAT(names(done), IsEmpty());
}

TEST(ADirectCharge, ThatSucceedsIsToldOfAndItsInvoiceIsNot) {
  Given given;
  given.world.run(Given::of(700));
  EXPECT_THAT(given.world.take_events(), ElementsAre("charge.succeeded"));
  EXPECT_EQ(given.holder().status, InvoiceStatus::paid);
  EXPECT_EQ(given.holder().number, "");
  EXPECT_EQ(given.world.account().invoices_numbered, 0U);
  EXPECT_TRUE(given.world.settled(given.holder().id)) << "it waits for nothing";
}

TEST(ADirectCharge, ThatIsDeclinedIsNotRetriedAndSaysNothingOfTheCustomer) {
  Given given;
  given.world.bank_says(declined("insufficient_funds"));
  given.world.run(Given::of(700));
  EXPECT_THAT(given.world.take_events(), ElementsAre("charge.failed"));
  EXPECT_EQ(given.charge().decline_code, "insufficient_funds");
  EXPECT_FALSE(given.world.account().customer.delinquent);
  EXPECT_EQ(next_due(timers(given.world.account())), std::nullopt);
  given.world.bank_says(succeeded());
  given.world.run(PayInvoice{given.holder().id, given.world.settled(given.holder().id), {}, false});
  EXPECT_EQ(given.holder().status, InvoiceStatus::paid);
  EXPECT_EQ(given.charge().attempt, 2);
}

TEST(ADirectCharge, WithoutAnAnswerIsAskedAfter) {
  Given given;
  given.world.bank_says(no_answer);
  given.world.run(Given::of(700));
  given.world.now = start + seconds(30);
  EXPECT_EQ(given.world.tick().effects,
            (std::vector<Effect>{CollectCharge{given.holder().id, given.charge().id, false}}));
  given.world.answer(given.holder().id, succeeded());
  EXPECT_EQ(given.holder().status, InvoiceStatus::paid);
}

TEST(ADirectCharge, ThatNeverArrivedIsMadeAgain) {
  Given given;
  given.world.bank_says(no_answer);
  given.world.run(Given::of(700));
  const ChargeId first = given.charge().id;
  given.world.answer(given.holder().id, {ChargeOutcomeKind::absent, "", ""});
  EXPECT_NE(given.charge().id, first);
  EXPECT_EQ(given.charge().metadata, (Metadata{{"order", "7"}}));
  given.world.answer(given.holder().id, succeeded());
  EXPECT_THAT(given.world.take_events(), ElementsAre("charge.succeeded"));
}

TEST(ADirectCharge, TouchesNeitherTheBalanceNorWhatIsPending) {
  Given given;
  given.world.run(AdjustBalance{{-5000, Currency::of("usd")}, "", {}});
  given.world.item_of(300);
  given.world.run(Given::of(700));
  EXPECT_EQ(given.holder().amount_paid.minor, 700);
  EXPECT_EQ(given.world.account().customer.balance, -5000);
  EXPECT_EQ(given.world.account().invoice_items.size(), 1U);
}

TEST(ADirectCharge, MayBeInAnyCurrency) {
  Given given;
  given.world.subscribed_to(price(2000));
  given.world.run(Given::of(700, "eur"));
  EXPECT_EQ(given.charge().amount, (Money{700, Currency::of("eur")}));
  EXPECT_EQ(given.world.account().customer.currency, Currency::of("usd"));
}

TEST(ADirectCharge, IsRefundedLikeAnyOther) {
  Given given;
  given.world.run(Given::of(700));
  given.world.take_events();
  given.world.run(
      RefundCharge{given.holder().id, given.world.settled(given.holder().id), given.charge().id, 200, "", {}});
  EXPECT_THAT(given.world.take_events(),
              ElementsAre("refund.created", "charge.refunded", "refund.updated", "charge.refund.updated"));
  EXPECT_EQ(given.charge().amount_refunded().minor, 200);
}

TEST(ADirectCharge, HasNoInvoiceForOtherCommands) {
  Given given;
  given.world.bank_says(declined());
  given.world.run(Given::of(700));
  const InvoiceId id = given.holder().id;
  const auto recalled = given.world.settled(id);
  EXPECT_EQ(given.world.refused(VoidInvoice{id, recalled}).code, Errc::not_found);
  EXPECT_EQ(given.world.refused(ReopenInvoice{id, recalled}).code, Errc::not_found);
  EXPECT_EQ(given.world.refused(MarkInvoiceUncollectible{id, recalled}).code, Errc::not_found);
}

TEST(ADirectCharge, IsRefusedWithTheParameterThatIsWrong) {
  Given given;
  EXPECT_EQ(given.world.refused(Given::of(49)).detail, "Amount must be at least $0.50");
  EXPECT_EQ(given.world.refused(Given::of(49)).parameter, "amount");
  ChargeCustomer command = Given::of(700);
  command.source = SourceId("card_none");
  EXPECT_EQ(given.world.refused(command).parameter, "source");
  given.world.run(RemoveSource{given.world.account().sources[0].id});
  EXPECT_EQ(given.world.refused(Given::of(700)).code, Errc::no_payment_source);
  given.world.run(DeleteCustomer{});
  EXPECT_EQ(given.world.refused(Given::of(700)).code, Errc::not_found);
}

TEST(ADirectCharge, MayBeKeptForLater) {
  Given given;
  ChargeCustomer command = Given::of(700);
  command.is_charged = false;
  EXPECT_THAT(given.world.run(command).effects, IsEmpty());
  const InvoiceId id = given.holder().id;
  given.world.pass_to(start + hours(48));
  EXPECT_THAT(given.holder().charges, IsEmpty()) << "nobody confirmed it";
  given.world.run(PayInvoice{id, given.world.settled(id), {}, false});
  EXPECT_EQ(given.holder().status, InvoiceStatus::paid);
  EXPECT_EQ(given.charge().description, "Lamp");
}

}  // namespace
}  // namespace billd::direct_charges_test
