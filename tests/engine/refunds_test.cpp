// Refunds: journaled before they are sent, asked after when nobody answers, and never more than was charged.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/scenario.hpp"

namespace billd::refunds_test {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using test::at;
using test::declined;
using test::names;
using test::price;
using test::Scenario;
using testing::ElementsAre;
using testing::IsEmpty;

const Timestamp start = at("2026-01-15 10:00:00");
const RefundOutcome arrived{RefundOutcomeKind::succeeded, "", "gateway_refund"};
const RefundOutcome no_answer{RefundOutcomeKind::unknown, "", ""};
const RefundOutcome taken_on{RefundOutcomeKind::pending, "", "gateway_refund"};
const RefundOutcome cannot_say{RefundOutcomeKind::impossible, "", ""};
const RefundOutcome bounced{RefundOutcomeKind::failed, "expired_or_canceled_card", "gateway_refund"};

/// A customer who has paid 2000 for a month.
struct Paid {
  explicit Paid(Rules rules = {}) : world(start, std::move(rules)) {
    world.customer_with_card();
    world.subscribed_to(price(2000));
    invoice = world.latest_invoice().id;
    world.take_events();
    refund_says(arrived);
  }

  void refund_says(RefundOutcome outcome) {
    world.refund_bank = [outcome = std::move(outcome)](const SendRefund&,
                                                       const Refund&) -> std::optional<RefundOutcome> {
      if (outcome.kind == RefundOutcomeKind::unknown) return std::nullopt;
      return outcome;
    };
  }
  RefundCharge refund_of(std::optional<std::int64_t> amount = {}) const {
    RefundCharge command;
    command.invoice = invoice;
    command.recalled = world.settled(invoice);
    command.charge = charge().id;
    command.amount = amount;
    return command;
  }
  Transition record(const RefundOutcome& outcome, std::size_t number = 0) {
    return world.run(RecordRefundOutcome{invoice, world.settled(invoice), charge().refunds.at(number).id, outcome});
  }
  const Charge& charge() const { return world.invoice(invoice).charges.back(); }
  bool is_settled() const { return world.settled(invoice).has_value(); }

  Scenario world;
  InvoiceId invoice;
};

TEST(ARefund, IsJournaledBeforeItIsSent) {
  Paid given;
  given.refund_says(no_answer);
  const Transition done = given.world.run(given.refund_of(500));
  ASSERT_EQ(given.charge().refunds.size(), 1U);
  const Refund& refund = given.charge().refunds[0];
  EXPECT_EQ(refund.state, RefundState::sending);
  EXPECT_EQ(refund.amount.minor, 500);
  EXPECT_EQ(refund.created, start);
  EXPECT_EQ(refund.resolve_at, start + seconds(30));
  EXPECT_FALSE(given.is_settled()) << "the account holds what it waits for";
  EXPECT_EQ(done.subject, refund.id.value());
  EXPECT_THAT(names(done), ElementsAre("refund.created"));
  EXPECT_EQ(done.effects, (std::vector<Effect>{SendRefund{given.invoice, given.charge().id, refund.id, false}}));
}

TEST(ARefund, ThatArrivesLeavesTheInvoicePaidAndSettled) {
  Paid given;
  given.world.run(given.refund_of());
  EXPECT_TRUE(given.is_settled());
  EXPECT_EQ(given.world.invoice(given.invoice).status, InvoiceStatus::paid);
  EXPECT_EQ(given.world.invoice(given.invoice).amount_paid.minor, 2000);
  EXPECT_EQ(given.charge().refunds[0].state, RefundState::succeeded);
  EXPECT_EQ(given.charge().refunds[0].gateway_reference, "gateway_refund");
  EXPECT_THAT(given.world.take_events(),
              ElementsAre("refund.created", "charge.refunded", "refund.updated", "charge.refund.updated"));
}

TEST(Refunds, AreTogetherAtMostWhatWasCharged) {
  struct Case {
    std::int64_t first;
    RefundOutcome outcome;
    std::optional<std::int64_t> second;
    std::string refused;  ///< empty: accepted
    std::int64_t refunded;
  };
  const Case cases[] = {
      {500, arrived, 1500, "", 2000},
      {500, arrived, {}, "", 2000},
      {500, arrived, 1501, "Refund amount (1501) is greater than unrefunded amount on charge (1500).", 500},
      {2000, arrived, 1, "has already been refunded.", 2000},
      {2000, arrived, {}, "has already been refunded.", 2000},
      {2000, taken_on, 1, "has already been refunded.", 2000},
      {2000, no_answer, 1, "has already been refunded.", 2000},  // it may have arrived
      {2000, cannot_say, 1, "has already been refunded.", 2000},
      {2000, bounced, 2000, "", 2000},  // it has not
      {500, arrived, 0, "Invalid positive integer", 500},
      {500, arrived, -1, "Invalid positive integer", 500},
      {500, arrived, std::numeric_limits<std::int64_t>::max(), "is greater than unrefunded amount", 500},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(std::to_string(each.first) + ", then " + std::to_string(each.second.value_or(-99)));
    Paid given;
    given.refund_says(each.outcome);
    given.world.run(given.refund_of(each.first));
    given.refund_says(arrived);
    if (each.refused.empty())
      given.world.run(given.refund_of(each.second));
    else
      EXPECT_THAT(given.world.refused(given.refund_of(each.second)).detail, testing::HasSubstr(each.refused));
    EXPECT_EQ(given.charge().amount_refunded().minor, each.refunded);
  }
}

TEST(ARefund, IsOfAChargeThatSucceeded) {
  Scenario world(start);
  world.customer_with_card();
  const SubscriptionId subscription = world.subscribed_to(price(2000));
  world.bank_says(declined());
  world.pass_to(at("2026-02-15 11:00:00"));
  const Invoice unpaid = world.latest_invoice();
  ASSERT_EQ(unpaid.status, InvoiceStatus::open);
  RefundCharge command{unpaid.id, {}, unpaid.charges.back().id, {}, "", {}};
  EXPECT_EQ(world.refused(command).code, Errc::invalid_state);
  command.charge = ChargeId("ch_none");
  EXPECT_EQ(world.refused(command).detail, "No such charge: ch_none");
  command.invoice = InvoiceId("in_none");
  EXPECT_EQ(world.refused(command).parameter, "charge");
}

TEST(ARefund, HasOneOfThreeReasonsOrNone) {
  for (const char* reason : {"", "duplicate", "fraudulent", "requested_by_customer"}) {
    Paid given;
    RefundCharge command = given.refund_of(100);
    command.reason = reason;
    given.world.run(command);
    EXPECT_EQ(given.charge().refunds[0].reason, reason);
  }
  Paid given;
  RefundCharge command = given.refund_of(100);
  command.reason = "because";
  EXPECT_EQ(given.world.refused(command).parameter, "reason");
}

TEST(ARefund, WithoutAnAnswerIsAskedAfterAndSentAgainUnderItsName) {
  Paid given;
  given.refund_says(no_answer);
  given.world.run(given.refund_of());
  const RefundId id = given.charge().refunds[0].id;
  given.world.now += seconds(29);
  EXPECT_THAT(given.world.tick().effects, IsEmpty());
  given.world.now += seconds(1);
  const Effect again = SendRefund{given.invoice, given.charge().id, id, false};
  EXPECT_THAT(given.world.tick().effects, ElementsAre(again));
  given.world.now += hours(12);
  const Effect question = SendRefund{given.invoice, given.charge().id, id, true};
  EXPECT_THAT(given.world.tick().effects, ElementsAre(question)) << "the key's life is over";
  given.record(arrived);
  EXPECT_TRUE(given.is_settled());
  EXPECT_EQ(next_due(timers(given.world.account())), at("2026-02-15 10:00:00")) << "only the renewal is left";
}

TEST(ARefund, WithoutAnAnswerIsAskedAfterMoreAndMoreRarely) {
  Paid given;
  std::vector<std::int64_t> asked;
  given.world.refund_bank = [&](const SendRefund&, const Refund&) -> std::optional<RefundOutcome> {
    asked.push_back(std::chrono::duration_cast<seconds>(given.world.now - start).count());
    return std::nullopt;
  };
  given.world.run(given.refund_of());
  given.world.pass_to(start + hours(1));
  EXPECT_THAT(asked, ElementsAre(0, 30, 60, 120, 240, 480, 960, 1920));
}

TEST(ARefund, ThatNobodyCanTellOfIsParkedUntilAnOperatorDoes) {
  Paid given;
  given.refund_says(cannot_say);
  given.world.run(given.refund_of());
  EXPECT_EQ(given.charge().refunds[0].state, RefundState::parked);
  EXPECT_FALSE(given.is_settled());
  given.world.jump_to(start + hours(48));
  EXPECT_EQ(given.charge().refunds[0].state, RefundState::parked);
  given.record(arrived);
  EXPECT_EQ(given.charge().refunds[0].state, RefundState::succeeded);
}

TEST(ARefundsOutcome, FollowsItsTable) {
  using enum RefundOutcomeKind;
  struct Case {
    RefundOutcomeKind first, second;
    RefundState state;
  };
  const Case cases[] = {
      {succeeded, succeeded, RefundState::succeeded},  {succeeded, pending, RefundState::succeeded},
      {succeeded, failed, RefundState::failed},        {succeeded, impossible, RefundState::succeeded},
      {succeeded, unknown, RefundState::succeeded},    {pending, pending, RefundState::pending},
      {pending, succeeded, RefundState::succeeded},    {pending, failed, RefundState::failed},
      {pending, impossible, RefundState::parked},      {failed, succeeded, RefundState::failed},
      {failed, pending, RefundState::failed},          {failed, failed, RefundState::failed},
      {impossible, succeeded, RefundState::succeeded}, {impossible, pending, RefundState::pending},
      {impossible, failed, RefundState::failed},       {impossible, unknown, RefundState::parked},
      {unknown, impossible, RefundState::parked},      {unknown, unknown, RefundState::sending},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(std::to_string(static_cast<int>(each.first)) + " " + std::to_string(static_cast<int>(each.second)));
    Paid given;
    given.refund_says({each.first, "declined", ""});
    given.world.run(given.refund_of());
    given.record({each.second, "declined", ""});
    const Refund& refund = given.charge().refunds[0];
    EXPECT_EQ(refund.state, each.state);
    EXPECT_EQ(refund.failure_reason, refund.state == RefundState::failed ? "declined" : "");
    // Said again, it changes nothing.
    EXPECT_FALSE(given.record({each.second, "declined", ""}).changed);
  }
}

TEST(ARefund, ThatComesBackIsToldOfAndMayBeRepeated) {
  Paid given;
  given.world.run(given.refund_of());
  given.world.take_events();
  given.record(bounced);
  EXPECT_THAT(given.world.take_events(), ElementsAre("refund.updated", "charge.refund.updated", "refund.failed"));
  EXPECT_EQ(given.charge().refunds[0].failure_reason, "expired_or_canceled_card");
  given.world.run(given.refund_of());
  EXPECT_EQ(given.charge().refunds[1].amount.minor, 2000);
}

TEST(APendingRefund, IsAskedAfterMoreAndMoreRarelyUntilItEnds) {
  Paid given;
  given.refund_says(taken_on);
  given.world.run(given.refund_of());
  EXPECT_FALSE(given.is_settled()) << "the account holds what it waits for";
  EXPECT_THAT(given.world.take_events(),
              ElementsAre("refund.created", "charge.refunded", "refund.updated", "charge.refund.updated"));
  const Effect question = SendRefund{given.invoice, given.charge().id, given.charge().refunds[0].id, true};
  given.refund_says(no_answer);
  Timestamp due = start + std::chrono::minutes(10);
  for (const auto wait : {10, 20, 40, 80, 160, 320, 360, 360}) {
    EXPECT_EQ(given.charge().refunds[0].resolve_at, due);
    given.world.now = due;
    EXPECT_THAT(given.world.tick().effects, ElementsAre(question)) << "it is never sent again";
    due += std::chrono::minutes(wait);
  }
  given.world.take_events();
  given.record(arrived);
  EXPECT_TRUE(given.is_settled());
  EXPECT_THAT(given.world.take_events(), ElementsAre("refund.updated", "charge.refund.updated"));
  EXPECT_FALSE(given.record(arrived).changed) << "by webhook and by question, whichever comes first, once";
}

TEST(APendingRefund, OfWhichNothingIsHeardForTooLongIsParked) {
  Paid given;
  given.refund_says(taken_on);
  given.world.run(given.refund_of());
  given.world.now = start + std::chrono::days(30);
  const Transition ticked = given.world.tick();
  EXPECT_EQ(ticked.alarm, "a refund has been pending for too long");
  EXPECT_EQ(given.charge().refunds[0].state, RefundState::parked);
  given.world.take_events();
  given.record(arrived);
  EXPECT_EQ(given.charge().refunds[0].state, RefundState::succeeded);
  EXPECT_THAT(given.world.take_events(), ElementsAre("refund.updated", "charge.refund.updated"));
}

// Made at the gateway

RecordForeignRefund made_at_the_gateway(const Paid& given, std::int64_t minor, std::string reference,
                                        RefundOutcomeKind kind = RefundOutcomeKind::succeeded) {
  RecordForeignRefund command;
  command.invoice = given.invoice;
  command.recalled = given.world.settled(given.invoice);
  command.charge = given.charge().id;
  command.amount = {minor, Currency::of("usd")};
  command.reason = "requested_by_customer";
  command.outcome = {kind, "declined", std::move(reference)};
  return command;
}

TEST(AForeignRefund, IsRecordedOnceByTheGatewaysNameForIt) {
  Paid given;
  const Transition told = given.world.run(made_at_the_gateway(given, 500, "re_1"));
  EXPECT_THAT(names(told), ElementsAre("refund.created", "charge.refunded"));
  EXPECT_THAT(told.effects, IsEmpty()) << "nothing is sent";
  EXPECT_EQ(given.charge().amount_refunded().minor, 500);
  EXPECT_EQ(given.charge().refunds[0].reason, "requested_by_customer");
  EXPECT_TRUE(given.is_settled());
  EXPECT_FALSE(given.world.run(made_at_the_gateway(given, 500, "re_1")).changed);
  given.world.run(made_at_the_gateway(given, 700, "re_2"));
  EXPECT_EQ(given.charge().amount_refunded().minor, 1200);
  given.world.run(given.refund_of());
  EXPECT_EQ(given.charge().refunds[2].amount.minor, 800) << "what is left";
}

TEST(AForeignRefund, OfWhichMoreIsToldLaterFollows) {
  Paid given;
  given.world.run(made_at_the_gateway(given, 500, "re_1", RefundOutcomeKind::pending));
  EXPECT_FALSE(given.is_settled()) << "the gateway is asked after it";
  given.world.run(made_at_the_gateway(given, 500, "re_1", RefundOutcomeKind::failed));
  EXPECT_EQ(given.charge().refunds[0].state, RefundState::failed);
  EXPECT_TRUE(given.is_settled());
  EXPECT_FALSE(given.world.run(made_at_the_gateway(given, 500, "re_1", RefundOutcomeKind::pending)).changed);
  EXPECT_FALSE(given.world.run(made_at_the_gateway(given, 500, "re_9", RefundOutcomeKind::failed)).changed)
      << "what came to nothing was never known";
}

TEST(AForeignRefund, OfMoreThanThereIsIsForAnOperator) {
  Paid given;
  const Transition told = given.world.run(made_at_the_gateway(given, 2001, "re_1"));
  EXPECT_EQ(told.alarm, "the gateway gave back more of a charge than there was");
  EXPECT_THAT(given.charge().refunds, IsEmpty());
  RecordForeignRefund command = made_at_the_gateway(given, 100, "");
  EXPECT_EQ(given.world.refused(command).code, Errc::missing_parameter);
  command = made_at_the_gateway(given, 100, "re_1");
  command.amount.currency = Currency::of("eur");
  EXPECT_EQ(given.world.refused(command).parameter, "amount");
}

TEST(ARefund, OutlivesItsCustomer) {
  Paid given;
  given.world.run(DeleteCustomer{});
  given.world.run(given.refund_of(700));
  EXPECT_EQ(given.charge().amount_refunded().minor, 700);
}

TEST(ARefund, TakesNewMetadata) {
  Paid given;
  given.world.run(given.refund_of(700));
  given.world.take_events();
  given.world.run(
      UpdateRefund{given.invoice, given.world.settled(given.invoice), given.charge().refunds[0].id, {{"a", "b"}}});
  EXPECT_EQ(given.charge().refunds[0].metadata, (Metadata{{"a", "b"}}));
  EXPECT_THAT(given.world.take_events(), ElementsAre("refund.updated"));
  const UpdateRefund unknown{given.invoice, given.world.settled(given.invoice), RefundId("re_none"), {}};
  EXPECT_EQ(given.world.refused(unknown).detail, "No such refund: re_none");
}

TEST(Refunds, OfOneChargeHaveALimit) {
  Paid given;
  for (int i = 0; i < 100; ++i) given.world.run(given.refund_of(1));
  EXPECT_EQ(given.world.refused(given.refund_of(1)).code, Errc::limit_exceeded);
}

}  // namespace
}  // namespace billd::refunds_test
