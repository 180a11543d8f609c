// What customers are told ahead of time, and which declines are tried again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/declines.hpp"
#include "tests/engine/scenario.hpp"

namespace billd::notices_test {
namespace {

using std::chrono::days;
using std::chrono::hours;
using test::at;
using test::price;
using test::Scenario;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;

const Timestamp start = at("2026-01-15 10:00:00");
const Timestamp renewal = at("2026-02-15 10:00:00");

Rules with_notice(Duration notice) {
  Rules rules;
  rules.upcoming_notice = notice;
  return rules;
}

TEST(AnInvoice, IsAnnouncedBeforeTheRenewal) {
  Scenario world(start, with_notice(days(7)));
  world.customer_with_card();
  world.subscribed_to(price(2000));
  world.item_of(500);
  world.take_events();
  world.pass_to(renewal - days(7) - Duration(1));
  EXPECT_THAT(world.take_events(), ElementsAre());
  world.now = renewal - days(7);
  const Transition told = world.tick();
  ASSERT_THAT(test::names(told), ElementsAre("invoice.upcoming"));
  const auto& upcoming = std::get<Invoice>(told.snapshots.at(0));
  EXPECT_TRUE(upcoming.id.is_empty());
  EXPECT_EQ(upcoming.total.minor, 2500) << "as it will be billed";
  EXPECT_EQ(upcoming.lines.at(0).period.start, renewal);
  world.pass_to(renewal);
  EXPECT_EQ(world.latest_invoice().total.minor, 2500);
  world.take_events();
  world.pass_to(at("2026-03-08 10:00:00"));
  EXPECT_THAT(world.take_events(), Contains("invoice.upcoming")) << "before each renewal";
}

TEST(AnInvoice, IsNotAnnouncedInVain) {
  struct Case {
    const char* name;
    Duration notice;
    bool cancels;
    bool late;
    Recurrence recurrence;
  };
  const Case cases[] = {
      {"no notice", Duration(0), false, false, test::monthly},
      {"the subscription ends", days(7), true, false, test::monthly},
      {"the renewal is there already", days(7), false, true, test::monthly},
      {"shorter than the notice", days(7), false, false, {Interval::week, 1}},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.name);
    Scenario world(start, with_notice(each.notice));
    world.customer_with_card();
    const SubscriptionId subscription = world.subscribed_to(price(2000, each.recurrence));
    if (each.cancels) world.run(CancelSubscription{subscription, true, false, false});
    world.take_events();
    each.late ? world.jump_to(renewal + hours(3)) : world.pass_to(renewal + hours(3));
    EXPECT_THAT(world.take_events(), Not(Contains("invoice.upcoming")));
  }
}

TEST(ATrial, IsAnnouncedLikeARenewalBeforeItEnds) {
  Scenario world(start, with_notice(days(7)));
  world.customer_with_card();
  Subscribe command = test::subscribe_to(price(2000));
  command.trial_end = start + days(20);
  world.subscribed_to(command);
  world.take_events();
  world.pass_to(start + days(19));
  EXPECT_THAT(world.take_events(), ElementsAre("invoice.upcoming", "customer.subscription.trial_will_end"));
}

TEST(ACard, IsSaidToExpireWhenItsLastMonthBegins) {
  Scenario world(start);
  CreateCustomer create;
  create.source = test::card();
  std::get<Card>(create.source->means).summary.exp_month = 4;
  std::get<Card>(create.source->means).summary.exp_year = 2026;
  world.run(create);
  EXPECT_EQ(next_due(timers(world.account())), std::nullopt) << "nobody would charge it";
  world.subscribed_to(price(2000, {Interval::year, 1}));
  world.take_events();
  world.pass_to(at("2026-04-01") - Duration(1));
  EXPECT_THAT(world.take_events(), ElementsAre());
  world.pass_to(at("2026-04-01"));
  EXPECT_THAT(world.take_events(), ElementsAre("customer.source.expiring"));
  world.pass_to(at("2026-12-31"));
  EXPECT_THAT(world.take_events(), ElementsAre()) << "it is said once";
  // A new date is news again.
  UpdateSource update;
  update.source = world.account().sources.at(0).id;
  update.exp_month = 1;
  update.exp_year = 2027;
  world.run(update);
  world.take_events();
  world.pass_to(at("2027-01-01"));
  EXPECT_THAT(world.take_events(), ElementsAre("customer.source.expiring"));
}

TEST(ACard, IsNotSaidToExpireTooLate) {
  Scenario world(start);
  CreateCustomer create;
  create.source = test::card();
  std::get<Card>(create.source->means).summary.exp_month = 4;
  std::get<Card>(create.source->means).summary.exp_year = 2026;
  world.run(create);
  world.subscribed_to(price(2000, {Interval::year, 1}));
  world.take_events();
  world.jump_to(at("2026-05-01"));
  EXPECT_THAT(world.take_events(), ElementsAre());
  EXPECT_EQ(next_due(timers(world.account())), at("2027-01-15 10:00:00"));
}

TEST(Declines, AreFinalOrWorthAnotherAttempt) {
  for (const char* code : {"stolen_card", "lost_card", "pickup_card", "incorrect_number", "revocation_of_authorization",
                           "transaction_not_allowed", "authentication_required"})
    EXPECT_TRUE(is_final_decline(code)) << code;
  for (const char* code :
       {"", "generic_decline", "insufficient_funds", "try_again_later", "processing_error", "do_not_honor",
        "expired_card", "issuer_not_available", "card_velocity_exceeded", "unheard_of"})
    EXPECT_FALSE(is_final_decline(code)) << code;
}

struct Declined {
  explicit Declined(std::string code) : world(start) {
    world.customer_with_card();
    subscription = world.subscribed_to(price(2000));
    world.bank_says(test::declined(std::move(code)));
    world.pass_to(renewal + hours(2));
    invoice = world.latest_invoice().id;
  }
  Scenario world;
  SubscriptionId subscription;
  InvoiceId invoice;
};

TEST(ACard, ThatWasFinallyDeclinedIsNotChargedAgain) {
  for (const auto& [code, charges] : {std::pair("stolen_card", 1U), std::pair("insufficient_funds", 4U)}) {
    SCOPED_TRACE(code);
    Declined given(code);
    ASSERT_TRUE(given.world.invoice(given.invoice).next_attempt_at.has_value()) << "the schedule goes on";
    given.world.pass_to(renewal + days(30));
    const Invoice& invoice = given.world.invoice(given.invoice);
    EXPECT_EQ(invoice.charges.size(), charges);
    EXPECT_EQ(invoice.attempt_count, 4) << "each step of the schedule counts";
    EXPECT_EQ(given.world.subscription(given.subscription).status, SubscriptionStatus::canceled)
        << "and so the final action is taken";
  }
}

TEST(ANewCard, IsChargedAtOnceAndByTheSchedule) {
  for (const bool by_update : {false, true}) {
    Declined given("stolen_card");
    given.world.bank_says(test::succeeded());
    if (by_update) {
      UpdateCustomer update;
      update.source = test::card("tok_better");
      given.world.run(update);
    } else {
      given.world.run(AddSource{test::card("tok_better"), true});
    }
    EXPECT_EQ(given.world.invoice(given.invoice).status, InvoiceStatus::paid);
    EXPECT_EQ(given.world.subscription(given.subscription).status, SubscriptionStatus::active);
  }
  Declined given("stolen_card");
  given.world.bank_says(test::succeeded());
  given.world.run(AddSource{test::card("tok_better"), false});
  EXPECT_EQ(given.world.invoice(given.invoice).status, InvoiceStatus::open) << "it is not the one that pays";
  UpdateCustomer update;
  update.default_source = given.world.account().sources.at(1).id;
  given.world.run(update);
  given.world.pass_to(renewal + days(4));
  EXPECT_EQ(given.world.invoice(given.invoice).status, InvoiceStatus::paid) << "the schedule takes it";
}

TEST(ACard, ThatWasFinallyDeclinedMayStillBeChargedByHand) {
  Declined given("stolen_card");
  given.world.bank_says(test::succeeded());
  given.world.run(PayInvoice{given.invoice, {}, {}});
  EXPECT_EQ(given.world.invoice(given.invoice).status, InvoiceStatus::paid);
}

TEST(ACard, ThatIsAddedInItsLastMonthIsNoNews) {
  Scenario world(start);
  CreateCustomer create;
  create.source = test::card();
  std::get<Card>(create.source->means).summary.exp_month = 1;
  std::get<Card>(create.source->means).summary.exp_year = 2026;
  world.run(create);
  world.subscribed_to(price(2000));
  world.take_events();
  world.pass_to(start + days(10));
  EXPECT_THAT(world.take_events(), ElementsAre());
}

TEST(ABankDebit, ThatWasReturnedIsNotTriedAgain) {
  Scenario world(start);
  world.run(CreateCustomer{});
  const SourceId account(world.run(AddSource{test::bank_account("6789")}).subject);
  world.run(VerifySource{account, true});
  const SubscriptionId subscription = world.subscribed_to(price(2000));
  world.bank_says(test::declined("insufficient_funds"));  // a card would be tried again
  world.pass_to(renewal + hours(2));
  const InvoiceId invoice = world.latest_invoice().id;
  ASSERT_TRUE(world.invoice(invoice).next_attempt_at.has_value()) << "the schedule goes on";
  world.pass_to(renewal + days(30));
  EXPECT_EQ(world.invoice(invoice).charges.size(), 1U);
  EXPECT_EQ(world.invoice(invoice).attempt_count, 4);
  EXPECT_EQ(world.subscription(subscription).status, SubscriptionStatus::canceled);
}

TEST(ABankDebit, ThatWasReturnedLeavesTheScheduleToAnotherSource) {
  Scenario world(start);
  world.run(CreateCustomer{});
  const SourceId account(world.run(AddSource{test::bank_account("6789")}).subject);
  world.run(VerifySource{account, true});
  world.subscribed_to(price(2000));
  world.bank_says(test::declined("insufficient_funds"));
  world.pass_to(renewal + hours(2));
  const InvoiceId invoice = world.latest_invoice().id;
  world.run(AddSource{test::card(), false});
  UpdateCustomer update;
  update.default_source = world.account().sources.back().id;
  world.run(update);
  world.bank_says(test::succeeded());
  world.pass_to(renewal + days(4));
  EXPECT_EQ(world.invoice(invoice).status, InvoiceStatus::paid);
}

}  // namespace
}  // namespace billd::notices_test
