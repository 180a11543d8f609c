// Trials that end without a way to pay, how a paused subscription is resumed, and starts in the past.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/scenario.hpp"

namespace billd::trial_ends_test {
namespace {

using std::chrono::hours;
using test::at;
using test::price;
using test::Scenario;
using testing::Contains;

const Timestamp start = at("2026-01-01"), trial_end = at("2026-01-15");

struct Trial {
  explicit Trial(MissingPaymentMethod behavior) : world(start) {
    world.checks_previews = true;
    world.run(CreateCustomer());
    Subscribe command = test::subscribe_to(price(3100));
    command.trial_end = trial_end;
    command.missing_payment_method = behavior;
    subscription = world.subscribed_to(command);
    world.take_events();
  }
  const Subscription& now() const { return world.subscription(subscription); }
  void add_card() { world.run(AddSource{test::card(), true}); }
  UnpauseSubscription resumption(bool anchor_now = true) const {
    UnpauseSubscription command;
    command.subscription = subscription;
    command.anchor_now = anchor_now;
    return command;
  }

  Scenario world;
  SubscriptionId subscription;
};

TEST(ATrialWithoutAWayToPay, EndsAsWasAgreed) {
  struct Case {
    MissingPaymentMethod behavior;
    SubscriptionStatus status;
    std::size_t invoices;
    const char* event;
  };
  const Case cases[] = {
      {MissingPaymentMethod::create_invoice, SubscriptionStatus::past_due, 2, "invoice.payment_failed"},
      {MissingPaymentMethod::cancel, SubscriptionStatus::canceled, 1, "customer.subscription.deleted"},
      {MissingPaymentMethod::pause, SubscriptionStatus::paused, 1, "customer.subscription.paused"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(test::to_text(each.status));
    Trial given(each.behavior);
    given.world.pass_to(trial_end + hours(2));
    EXPECT_EQ(test::to_text(given.now().status), test::to_text(each.status));
    EXPECT_EQ(given.world.invoices().size(), each.invoices);
    EXPECT_THAT(given.world.take_events(), Contains(each.event));
  }
}

TEST(ATrialWithAWayToPay, GoesOnWhateverWasAgreedForTheOtherCase) {
  for (const MissingPaymentMethod behavior : {MissingPaymentMethod::cancel, MissingPaymentMethod::pause}) {
    Trial given(behavior);
    given.add_card();
    given.world.pass_to(trial_end + hours(2));
    EXPECT_EQ(given.now().status, SubscriptionStatus::active);
    EXPECT_EQ(given.world.latest_invoice().status, InvoiceStatus::paid);
  }
}

struct Paused : Trial {
  Paused() : Trial(MissingPaymentMethod::pause) {
    world.pass_to(at("2026-03-20"));
    world.take_events();
  }
};

TEST(APausedSubscription, IsNotBilled) {
  Paused given;
  EXPECT_EQ(given.world.invoices().size(), 1U);
  EXPECT_EQ(timers(given.world.account()), Timers());
}

TEST(APausedSubscription, BeginsANewPeriodWhenItIsResumed) {
  Paused given;
  given.add_card();
  given.world.run(given.resumption());
  EXPECT_EQ(given.now().status, SubscriptionStatus::active);
  EXPECT_EQ(given.now().current_period, (Period{at("2026-03-20"), at("2026-04-20")}));
  EXPECT_EQ(given.now().trial_end, trial_end) << "the trial was over long ago";
  EXPECT_EQ(given.world.latest_invoice().total.minor, 3100);
  EXPECT_THAT(given.world.take_events(), Contains("customer.subscription.resumed"));
  given.world.pass_to(at("2026-04-20 02:00:00"));
  EXPECT_EQ(given.world.latest_invoice().total.minor, 3100);
}

TEST(APausedSubscription, StaysPausedUntilTheInvoiceOfItsResumptionIsPaid) {
  Paused given;
  given.add_card();
  given.world.bank_says(test::declined());
  given.world.run(given.resumption());
  EXPECT_EQ(given.now().status, SubscriptionStatus::paused);
  const InvoiceId invoice = given.world.latest_invoice().id;
  given.world.bank_says(test::succeeded());
  given.world.run(PayInvoice{invoice, {}, {}, false});
  EXPECT_EQ(given.now().status, SubscriptionStatus::active);
  EXPECT_EQ(given.now().current_period.start, at("2026-03-20"));
}

TEST(APausedSubscription, IsAsBeforeWhenTheInvoiceOfItsResumptionIsNotPaidInTime) {
  Paused given;
  given.world.run(given.resumption());
  const InvoiceId invoice = given.world.latest_invoice().id;
  EXPECT_EQ(given.world.invoice(invoice).status, InvoiceStatus::open) << "there is nothing yet to pay it";
  given.world.pass_to(given.world.now + hours(24));
  EXPECT_EQ(given.world.invoice(invoice).status, InvoiceStatus::void_);
  EXPECT_EQ(given.now().status, SubscriptionStatus::paused);
  given.add_card();
  given.world.run(given.resumption());
  EXPECT_EQ(given.now().status, SubscriptionStatus::active);
}

TEST(APausedSubscription, JoinsThePeriodThatNowLiesIn) {
  // From March 20th until April 15th there are 26 of the 31 days of the period since March 15th.
  struct Case {
    ProrationBehavior proration;
    std::int64_t pending, billed;
  };
  for (const Case& each : {Case{ProrationBehavior::create_prorations, 2600, 0},
                           Case{ProrationBehavior::always_invoice, 0, 2600}, Case{ProrationBehavior::none, 0, 0}}) {
    Paused given;
    given.add_card();
    UnpauseSubscription command = given.resumption(false);
    command.proration = each.proration;
    given.world.run(command);
    EXPECT_EQ(given.now().status, SubscriptionStatus::active);
    EXPECT_EQ(given.now().current_period, (Period{at("2026-03-15"), at("2026-04-15")}));
    std::int64_t pending = 0;
    for (const InvoiceItem& item : given.world.account().invoice_items) pending += item.amount.minor;
    EXPECT_EQ(pending, each.pending);
    EXPECT_EQ(given.world.invoices().size(), each.billed == 0 ? 1U : 2U);
    EXPECT_EQ(given.world.latest_invoice().total.minor, each.billed);
  }
}

TEST(APausedSubscription, RefusesWhatNeedsAPeriod) {
  Paused given;
  UpdateSubscription update;
  update.subscription = given.subscription;
  update.anchor_now = true;
  EXPECT_EQ(given.world.refused(update).code, Errc::invalid_state);
  EXPECT_EQ(given.world.refused(RenewSubscription{given.subscription, false, {}}).code, Errc::invalid_state);
  EXPECT_EQ(given.world.refused(CancelSubscription{given.subscription, true}).parameter, "at_period_end");
  UnpauseSubscription dated = given.resumption();
  dated.proration_date = given.world.now;
  EXPECT_EQ(given.world.refused(dated).parameter, "proration_date");
  given.world.run(CancelSubscription{given.subscription});
  EXPECT_EQ(given.now().status, SubscriptionStatus::canceled);
}

TEST(ASubscriptionThatIsNotPaused, IsNotResumed) {
  Trial given(MissingPaymentMethod::pause);
  EXPECT_EQ(given.world.refused(given.resumption()).parameter, "subscription");
}

TEST(ABackdatedSubscription, BillsTheTimeSinceThenByPeriodsThatCountFromThere) {
  // Source: https://stripe.com/docs/billing/subscriptions/backdating, its two examples.
  struct Case {
    const char* from;
    std::int64_t elapsed;
  };
  const Case cases[] = {
      {"2026-02-15", 14000},          // 14 of 28 days
      {"2026-01-15", 28000 + 14000},  // a whole month before
      {"2026-01-31", 28000 + 903},    // to the end of February, and 1 of 31 days
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.from);
    Scenario world(at("2026-03-01"));
    world.checks_previews = true;
    world.customer_with_card();
    Subscribe command = test::subscribe_to(price(28000));
    command.backdate_start = at(each.from);
    const SubscriptionId id = world.subscribed_to(command);
    EXPECT_EQ(world.subscription(id).start_date, at(each.from));
    EXPECT_EQ(world.subscription(id).current_period, (Period{at("2026-03-01"), at("2026-04-01")}));
    EXPECT_EQ(world.latest_invoice().total.minor, each.elapsed + 28000);
    EXPECT_EQ(world.latest_invoice().status, InvoiceStatus::paid);
  }
}

TEST(ABackdatedSubscription, CanLeaveTheTimeSinceThenFree) {
  Scenario world(start);
  world.customer_with_card();
  Subscribe command = test::subscribe_to(price(2800));
  command.backdate_start = at("2025-06-01");
  command.prorate_backdating = false;
  world.subscribed_to(command);
  EXPECT_EQ(world.latest_invoice().total.minor, 2800);
  command.backdate_start = start + hours(1);
  EXPECT_EQ(world.refused(command).parameter, "backdate_start_date");
}

TEST(ABackdatedSubscription, MayBeginWithATrial) {
  Scenario world(at("2026-03-01"));
  world.customer_with_card();
  Subscribe command = test::subscribe_to(price(2800));
  command.backdate_start = at("2026-02-15");
  command.trial_end = at("2026-03-10");
  const SubscriptionId id = world.subscribed_to(command);
  EXPECT_EQ(world.latest_invoice().total.minor, 1400);
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::trialing);
}

}  // namespace
}  // namespace billd::trial_ends_test
