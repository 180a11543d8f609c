// Paused collection: the three behaviours, the end by itself and by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/scenario.hpp"

namespace billd::pauses_test {
namespace {

using std::chrono::hours;
using test::at;
using test::price;
using test::Scenario;
using testing::Contains;
using testing::Not;

const Timestamp start = at("2026-01-15 10:00:00");
const Timestamp renewal = at("2026-02-15 10:00:00");

struct Paused {
  explicit Paused(PauseBehavior behavior, std::optional<Timestamp> resumes_at = {}) : world(start) {
    world.checks_previews = true;
    world.customer_with_card();
    subscription = world.subscribed_to(price(2000));
    pause(Pause{behavior, resumes_at});
    world.take_events();
  }
  void pause(std::optional<Pause> wanted) { world.run(command(std::move(wanted))); }
  UpdateSubscription command(std::optional<Pause> wanted) const {
    UpdateSubscription update;
    update.subscription = subscription;
    update.pause = std::move(wanted);
    return update;
  }
  const Subscription& now() const { return world.subscription(subscription); }

  Scenario world;
  SubscriptionId subscription;
};

TEST(APause, KeepsNewInvoicesAsDraftsUntilSomebodyFinalizesThem) {
  Paused given(PauseBehavior::keep_as_draft);
  given.world.pass_to(renewal + hours(48));
  const Invoice draft = given.world.latest_invoice();
  EXPECT_EQ(draft.status, InvoiceStatus::draft);
  EXPECT_FALSE(draft.auto_advance);
  EXPECT_EQ(draft.ordinal, 1);
  EXPECT_EQ(given.now().status, SubscriptionStatus::active);
  given.pause({});
  given.world.pass_to(renewal + hours(96));
  EXPECT_EQ(given.world.latest_invoice().status, InvoiceStatus::draft) << "it is for somebody to decide";
  given.world.run(FinalizeInvoice{draft.id, given.world.settled(draft.id), true});
  given.world.work();
  EXPECT_EQ(given.world.invoice(draft.id).status, InvoiceStatus::paid);
}

TEST(APause, VoidsNewInvoices) {
  Paused given(PauseBehavior::void_);
  given.world.pass_to(renewal + hours(2));
  EXPECT_EQ(given.world.latest_invoice().status, InvoiceStatus::void_);
  EXPECT_TRUE(given.world.latest_invoice().number.empty()) << "what is not finalized takes no number";
  EXPECT_THAT(given.world.take_events(), Contains("invoice.voided"));
  EXPECT_EQ(given.now().status, SubscriptionStatus::active);
}

TEST(APause, MarksNewInvoicesUncollectible) {
  Paused given(PauseBehavior::mark_uncollectible);
  given.world.pass_to(renewal + hours(2));
  const Invoice invoice = given.world.latest_invoice();
  EXPECT_EQ(invoice.status, InvoiceStatus::uncollectible);
  EXPECT_FALSE(invoice.number.empty());
  EXPECT_TRUE(invoice.charges.empty());
  EXPECT_THAT(given.world.take_events(), Contains("invoice.marked_uncollectible"));
  EXPECT_FALSE(given.world.account().customer.delinquent);
}

TEST(APause, LetsTheBalancePayWhatItCovers) {
  Paused given(PauseBehavior::mark_uncollectible);
  given.world.run(AdjustBalance{{-2000, Currency::of("usd")}, "", {}});
  given.world.pass_to(renewal + hours(2));
  EXPECT_EQ(given.world.latest_invoice().status, InvoiceStatus::paid);
  EXPECT_EQ(given.world.account().customer.balance, 0);
}

TEST(APause, LeavesTheBalanceAndWhatIsPendingAloneWhenItVoids) {
  Paused given(PauseBehavior::void_);
  given.world.run(AdjustBalance{{-500, Currency::of("usd")}, "", {}});
  given.world.pass_to(renewal + hours(2));
  EXPECT_EQ(given.world.account().customer.balance, -500);
}

TEST(APause, EndsByItself) {
  struct Case {
    const char* resumes_at;
    InvoiceStatus first, second;
  };
  const Case cases[] = {
      {"2026-02-01 00:00:00", InvoiceStatus::paid, InvoiceStatus::paid},
      {"2026-02-15 10:00:00", InvoiceStatus::paid, InvoiceStatus::paid},  // with the renewal: it resumes first
      {"2026-02-15 10:00:01", InvoiceStatus::void_, InvoiceStatus::paid},
      {"2026-03-15 09:59:59", InvoiceStatus::void_, InvoiceStatus::paid},
      {"2026-03-15 10:00:01", InvoiceStatus::void_, InvoiceStatus::void_},
  };
  for (const Case& each : cases)
    for (const bool late : {false, true}) {
      SCOPED_TRACE(each.resumes_at);
      Paused given(PauseBehavior::void_, at(each.resumes_at));
      const Timestamp end = at("2026-03-15 12:00:00");
      late ? given.world.jump_to(end) : given.world.pass_to(end);
      given.world.jump_to(end + hours(3));
      const auto invoices = given.world.invoices();
      ASSERT_EQ(invoices.size(), 3U);
      EXPECT_EQ(test::to_text(invoices[1].status), test::to_text(each.first));
      EXPECT_EQ(test::to_text(invoices[2].status), test::to_text(each.second));
      EXPECT_FALSE(given.now().pause.has_value());
    }
}

TEST(APause, TellsOfItsBeginningAndItsEnd) {
  Paused given(PauseBehavior::void_, at("2026-02-01"));
  given.world.pass_to(at("2026-02-02"));
  EXPECT_THAT(given.world.take_events(), testing::ElementsAre("customer.subscription.updated"));
  given.pause(Pause{});
  EXPECT_THAT(given.world.take_events(), testing::ElementsAre("customer.subscription.updated"));
  given.pause(Pause{});
  EXPECT_THAT(given.world.take_events(), testing::IsEmpty()) << "nothing has changed";
}

TEST(APause, EndsInTheFuture) {
  Paused given(PauseBehavior::void_);
  for (Timestamp wrong : {start, start - hours(1), end_of_time + hours(1)}) {
    const Failure refused = given.world.refused(given.command(Pause{PauseBehavior::void_, wrong}));
    EXPECT_EQ(refused.code, Errc::invalid_parameter);
    EXPECT_EQ(refused.parameter, "pause_collection[resumes_at]");
  }
}

TEST(APause, ThatVoidsLeavesWhatIsPendingForLater) {
  Paused given(PauseBehavior::void_);
  given.world.now += hours(24);
  UpdateSubscription command;
  command.subscription = given.subscription;
  command.proration = ProrationBehavior::always_invoice;
  command.items = {{given.now().items[0].id, false, price(9000), {}, {}}};
  given.world.run(command);
  EXPECT_EQ(given.world.invoices().size(), 1U) << "nothing is drawn up only to be void";
  EXPECT_EQ(given.world.account().invoice_items.size(), 2U);
  given.world.pass_to(renewal);
  EXPECT_EQ(given.world.latest_invoice().status, InvoiceStatus::void_);
  EXPECT_EQ(given.world.account().invoice_items.size(), 2U) << "what is pending waits for an invoice that counts";
  given.pause({});
  given.world.pass_to(at("2026-03-15 12:00:00"));
  EXPECT_EQ(given.world.latest_invoice().lines.size(), 3U);
  EXPECT_EQ(given.world.latest_invoice().status, InvoiceStatus::paid);
}

TEST(APause, KeepsWhatAChangeBillsAtOnceAsADraftOrUncollectible) {
  for (const PauseBehavior behavior : {PauseBehavior::keep_as_draft, PauseBehavior::mark_uncollectible}) {
    Paused given(behavior);
    given.world.now += hours(24);
    UpdateSubscription command;
    command.subscription = given.subscription;
    command.proration = ProrationBehavior::always_invoice;
    command.items = {{given.now().items[0].id, false, price(9000), {}, {}}};
    given.world.run(command);
    const Invoice invoice = given.world.latest_invoice();
    EXPECT_EQ(invoice.reason, BillingReason::subscription_update);
    EXPECT_EQ(invoice.status,
              behavior == PauseBehavior::keep_as_draft ? InvoiceStatus::draft : InvoiceStatus::uncollectible);
    EXPECT_TRUE(invoice.charges.empty());
  }
}

TEST(APause, DoesNotStopWhatIsOwedAlready) {
  Scenario world(start);
  world.customer_with_card();
  const SubscriptionId subscription = world.subscribed_to(price(2000));
  world.bank_says(test::declined());
  world.pass_to(renewal + hours(2));
  ASSERT_EQ(world.subscription(subscription).status, SubscriptionStatus::past_due);
  UpdateSubscription command;
  command.subscription = subscription;
  command.pause = Pause{PauseBehavior::void_, {}};
  world.run(command);
  world.bank_says(test::succeeded());
  world.pass_to(renewal + hours(24 * 4));
  EXPECT_EQ(world.latest_invoice().status, InvoiceStatus::paid);
}

}  // namespace
}  // namespace billd::pauses_test
