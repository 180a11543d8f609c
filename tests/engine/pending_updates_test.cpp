// Changes of a subscription that wait for their payment, and those that leave the payment to the customer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/scenario.hpp"

namespace billd::pending_updates_test {
namespace {

using std::chrono::hours;
using test::at;
using test::price;
using test::Scenario;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;

const Timestamp start = at("2026-01-01"), middle = at("2026-01-16 12:00:00"), renewal = at("2026-02-01");

struct Upgrade {
  Upgrade() : world(start) {
    world.checks_previews = true;
    world.customer_with_card();
    subscription = world.subscribed_to(price(3100));
    world.pass_to(middle);
    world.take_events();
  }
  /// To a price of twice as much, billed at once.
  UpdateSubscription command(PaymentBehavior behavior = PaymentBehavior::pending_if_incomplete) const {
    UpdateSubscription update;
    update.subscription = subscription;
    update.payment_behavior = behavior;
    update.proration = ProrationBehavior::always_invoice;
    ItemChange change;
    change.item = now().items.front().id;
    change.price = price(6200);
    update.items.push_back(change);
    return update;
  }
  const Subscription& now() const { return world.subscription(subscription); }
  std::int64_t agreed() const { return now().items.front().price.unit_amount.minor; }
  void decline() { world.bank_says(test::declined()); }
  void pay(const InvoiceId& invoice) {
    world.bank_says(test::succeeded());
    world.run(PayInvoice{invoice, world.settled(invoice), {}, false});
  }

  Scenario world;
  SubscriptionId subscription;
};

TEST(APendingUpdate, IsMadeAtOnceWhenItsInvoiceIsPaid) {
  Upgrade given;
  given.world.run(given.command());
  EXPECT_EQ(given.agreed(), 6200);
  EXPECT_FALSE(given.now().pending_update.has_value());
  const Invoice invoice = given.world.latest_invoice();
  EXPECT_EQ(invoice.status, InvoiceStatus::paid);
  EXPECT_EQ(invoice.total.minor, 1550);
  EXPECT_FALSE(invoice.is_tentative);
  EXPECT_THAT(given.world.take_events(), Contains("customer.subscription.pending_update_applied"));
}

TEST(APendingUpdate, LeavesTheSubscriptionAsItIsWhileItsInvoiceIsNotPaid) {
  Upgrade given;
  given.decline();
  given.world.run(given.command());
  EXPECT_EQ(given.agreed(), 3100);
  EXPECT_EQ(given.now().status, SubscriptionStatus::active);
  ASSERT_TRUE(given.now().pending_update.has_value());
  EXPECT_EQ(given.now().pending_update->items.front().price.unit_amount.minor, 6200);
  EXPECT_EQ(given.now().pending_update->expires_at, middle + hours(23));
  const Invoice invoice = given.world.latest_invoice();
  EXPECT_EQ(invoice.status, InvoiceStatus::open);
  EXPECT_FALSE(invoice.next_attempt_at.has_value()) << "it is for the customer to pay it";
  EXPECT_EQ(given.now().latest_invoice, invoice.id);
}

TEST(APendingUpdate, IsMadeWhenItsInvoiceIsPaidLater) {
  Upgrade given;
  given.decline();
  given.world.run(given.command());
  const InvoiceId invoice = given.world.latest_invoice().id;
  given.world.pass_to(middle + hours(5));
  given.pay(invoice);
  EXPECT_EQ(given.agreed(), 6200);
  EXPECT_FALSE(given.now().pending_update.has_value());
  given.world.pass_to(renewal + hours(2));
  EXPECT_EQ(given.world.latest_invoice().total.minor, 6200);
}

TEST(APendingUpdate, IsDroppedWhenItsTimeIsOver) {
  Upgrade given;
  given.decline();
  given.world.run(given.command());
  const InvoiceId invoice = given.world.latest_invoice().id;
  const InvoiceId before = given.now().pending_update->previous_invoice;
  given.world.bank_says(test::succeeded());
  given.world.pass_to(middle + hours(24));
  EXPECT_EQ(given.agreed(), 3100);
  EXPECT_FALSE(given.now().pending_update.has_value());
  EXPECT_EQ(given.now().latest_invoice, before);
  EXPECT_EQ(given.world.invoice(invoice).status, InvoiceStatus::void_);
  EXPECT_TRUE(given.world.account().invoice_items.empty()) << "what the change would have cost is not owed";
  EXPECT_THAT(given.world.take_events(), Contains("customer.subscription.pending_update_expired"));
  given.world.pass_to(renewal + hours(2));
  EXPECT_EQ(given.world.latest_invoice().total.minor, 3100);
  EXPECT_EQ(given.world.latest_invoice().status, InvoiceStatus::paid);
}

TEST(APendingUpdate, EndsWithThePeriodAtTheLatest) {
  Upgrade given;
  given.world.pass_to(renewal - hours(2));
  given.world.item_of(700, given.subscription);
  given.decline();
  UpdateSubscription dear = given.command();  // so that two hours of it can be charged
  dear.items.front().price = price(620'000);
  given.world.run(dear);
  EXPECT_EQ(given.now().pending_update->expires_at, renewal);
  given.world.bank_says(test::succeeded());
  given.world.pass_to(renewal + hours(2));
  EXPECT_FALSE(given.now().pending_update.has_value());
  EXPECT_THAT(given.world.take_events(), Contains("customer.subscription.pending_update_expired"));
  EXPECT_EQ(given.world.latest_invoice().total.minor, 3800) << "the renewal of that moment bills what was given back";
}

TEST(APendingUpdate, GivesBackWhatItsInvoiceTookAlong) {
  Upgrade given;
  const InvoiceItemId item = given.world.item_of(700, given.subscription);
  given.decline();
  given.world.run(given.command());
  EXPECT_EQ(given.world.latest_invoice().total.minor, 2250);
  EXPECT_TRUE(given.world.account().invoice_items.empty());
  given.world.run(VoidInvoice{given.world.latest_invoice().id, {}});
  EXPECT_FALSE(given.now().pending_update.has_value()) << "voiding its invoice calls a pending update off";
  ASSERT_EQ(given.world.account().invoice_items.size(), 1U);
  EXPECT_EQ(given.world.account().invoice_items.front().id, item);
  given.world.bank_says(test::succeeded());
  given.world.pass_to(renewal + hours(2));
  EXPECT_EQ(given.world.latest_invoice().total.minor, 3800);
}

TEST(APendingUpdate, GivesBackTheBalanceAndTheCouponOfItsInvoice) {
  Upgrade given;
  given.world.run(AdjustBalance{{-300, Currency::of("usd")}, "", {}});
  UpdateCustomer coupon;
  coupon.discount = std::optional(test::amount_off(100, CouponDuration::once));
  given.world.run(coupon);
  given.world.item_of(700, given.subscription);
  given.decline();
  given.world.run(given.command());
  EXPECT_EQ(given.world.latest_invoice().amount_due().minor, 1550 + 700 - 100 - 300);
  EXPECT_FALSE(given.world.account().customer.discount.has_value());
  given.world.pass_to(middle + hours(24));
  EXPECT_EQ(given.world.account().customer.balance, -300);
  EXPECT_TRUE(given.world.account().customer.discount.has_value());
}

TEST(APendingUpdate, MovesThePeriodOnlyOnceItIsPaid) {
  Upgrade given;
  UpdateSubscription yearly = given.command();
  yearly.items.front().price = price(36500, {Interval::year, 1});
  given.decline();
  given.world.run(yearly);
  EXPECT_EQ(given.now().current_period.end, renewal);
  const Invoice invoice = given.world.latest_invoice();
  EXPECT_EQ(invoice.total.minor, 36500 - 1550);
  given.world.pass_to(middle + hours(3));
  given.pay(invoice.id);
  EXPECT_EQ(given.now().current_period, (Period{middle, at("2027-01-16 12:00:00")}));
  EXPECT_EQ(given.now().ordinal, 1);
  given.world.pass_to(at("2027-01-16 14:00:00"));
  EXPECT_EQ(given.world.latest_invoice().total.minor, 36500);
}

TEST(APendingUpdate, OfThePeriodLeavesNoTraceInTheCycleWhenItIsDropped) {
  Upgrade given;
  UpdateSubscription anchored = given.command();
  anchored.anchor_now = true;
  given.decline();
  given.world.run(anchored);
  given.world.bank_says(test::succeeded());
  given.world.pass_to(renewal + hours(2));
  EXPECT_EQ(given.now().ordinal, 1);
  EXPECT_EQ(given.now().current_period, (Period{renewal, at("2026-03-01")}));
  EXPECT_EQ(given.world.latest_invoice().total.minor, 3100);
}

TEST(APendingUpdate, EndsATrialOnlyOnceItIsPaid) {
  Upgrade given;
  Subscribe tried = test::subscribe_to(price(900));
  tried.trial_end = at("2026-02-20");
  const SubscriptionId trial = given.world.subscribed_to(tried);
  UpdateSubscription end;
  end.subscription = trial;
  end.trial_end = given.world.now;
  end.payment_behavior = PaymentBehavior::pending_if_incomplete;
  given.decline();
  given.world.run(end);
  EXPECT_EQ(given.world.subscription(trial).status, SubscriptionStatus::trialing);
  given.pay(given.world.latest_invoice().id);
  EXPECT_EQ(given.world.subscription(trial).status, SubscriptionStatus::active);
  EXPECT_EQ(given.world.subscription(trial).trial_end, middle);
}

TEST(APendingUpdate, GivesWayToALaterChange) {
  Upgrade given;
  given.decline();
  given.world.run(given.command());
  const InvoiceId first = given.world.latest_invoice().id;
  UpdateSubscription other = given.command();
  other.items.front().price = price(9300);
  given.world.run(other);
  EXPECT_EQ(given.world.invoice(first).status, InvoiceStatus::void_);
  EXPECT_EQ(given.world.latest_invoice().total.minor, 3100);
  EXPECT_EQ(given.now().pending_update->items.front().price.unit_amount.minor, 9300);
}

TEST(APendingUpdate, GoesWithItsSubscription) {
  Upgrade given;
  given.decline();
  given.world.run(given.command());
  const InvoiceId invoice = given.world.latest_invoice().id;
  given.world.run(CancelSubscription{given.subscription});
  EXPECT_EQ(given.world.invoice(invoice).status, InvoiceStatus::void_);
  EXPECT_FALSE(given.now().pending_update.has_value());
}

TEST(APendingUpdate, WaitsForAnOutcomeThatIsNotKnown) {
  Upgrade given;
  given.world.bank_says({ChargeOutcomeKind::unknown, "", ""});
  given.world.run(given.command());
  given.world.pass_to(middle + hours(30));
  ASSERT_TRUE(given.now().pending_update.has_value()) << "it cannot be said to be unpaid";
  EXPECT_EQ(given.world.refused(given.command()).code, Errc::invalid_state);
  given.world.answer(given.now().pending_update->invoice, test::succeeded());
  EXPECT_EQ(given.agreed(), 6200);
}

TEST(APendingUpdate, IsNotNeededWhereNothingIsDue) {
  Upgrade given;
  UpdateSubscription downgrade = given.command();
  downgrade.items.front().price = price(1000);
  given.decline();
  given.world.run(downgrade);
  EXPECT_EQ(given.agreed(), 1000);
  EXPECT_FALSE(given.now().pending_update.has_value());
}

TEST(APendingUpdate, IsRefusedWhereItCannotBe) {
  struct Case {
    const char* name;
    std::function<void(Upgrade&, UpdateSubscription&)> change;
    const char* parameter;
  };
  const Case cases[] = {
      {"metadata", [](Upgrade&, auto& update) { update.metadata = MetadataPatch(Metadata{{"a", "b"}}); }, "metadata"},
      {"a source", [](Upgrade&, auto& update) { update.default_source = SourceId(); }, "default_payment_method"},
      {"an end", [](Upgrade&, auto& update) { update.cancel_at_period_end = true; }, "cancel_at_period_end"},
      {"a coupon", [](Upgrade&, auto& update) { update.discount = std::optional<Redemption>(); }, "coupon"},
      {"an item's metadata",
       [](Upgrade&, auto& update) { update.items.front().metadata = MetadataPatch(Metadata{{"a", "b"}}); }, "items"},
      {"a metered price", [](Upgrade&, auto& update) { update.items.front().price = test::metered(price(5)); },
       "payment_behavior"},
      {"invoices that are sent",
       [](Upgrade& given, auto&) {
         UpdateSubscription sent;
         sent.subscription = given.subscription;
         sent.collection = Collection::send_invoice;
         sent.days_until_due = 5;
         given.world.run(sent);
       },
       "payment_behavior"},
  };
  for (const Case& each : cases)
    for (const PaymentBehavior behavior :
         {PaymentBehavior::pending_if_incomplete, PaymentBehavior::error_if_incomplete}) {
      SCOPED_TRACE(each.name);
      Upgrade given;
      UpdateSubscription update = given.command(behavior);
      each.change(given, update);
      EXPECT_EQ(given.world.refused(update).parameter, each.parameter);
    }
  Upgrade given;
  Subscribe made = test::subscribe_to(price(100));
  made.payment_behavior = PaymentBehavior::pending_if_incomplete;
  EXPECT_EQ(given.world.refused(made).parameter, "payment_behavior");
}

TEST(AnUpdateThatMustBePaid, IsNotMadeWhenItIsDeclined) {
  Upgrade given;
  given.decline();
  given.world.run(given.command(PaymentBehavior::error_if_incomplete));
  EXPECT_EQ(given.agreed(), 3100);
  EXPECT_FALSE(given.now().pending_update.has_value());
  EXPECT_EQ(given.world.latest_invoice().status, InvoiceStatus::void_);
  EXPECT_FALSE(given.world.account().customer.delinquent);
  given.world.bank_says(test::succeeded());
  given.world.run(given.command(PaymentBehavior::error_if_incomplete));
  EXPECT_EQ(given.agreed(), 6200);
}

TEST(AnUpdateThatLeavesThePaymentToTheCustomer, IsPastDueUntilItIsPaid) {
  Upgrade given;
  given.world.run(given.command(PaymentBehavior::default_incomplete));
  EXPECT_EQ(given.agreed(), 6200);
  EXPECT_EQ(given.now().status, SubscriptionStatus::past_due);
  const Invoice invoice = given.world.latest_invoice();
  EXPECT_EQ(invoice.status, InvoiceStatus::open);
  EXPECT_TRUE(invoice.charges.empty());
  given.pay(invoice.id);
  EXPECT_EQ(given.now().status, SubscriptionStatus::active);
}

TEST(AChangeOfTheFirstVersions, IsMadeOnlyWhenItIsPaid) {
  Upgrade given;
  given.decline();
  given.world.run(given.command(PaymentBehavior::error_where_possible));
  EXPECT_EQ(given.agreed(), 3100);
  EXPECT_EQ(given.now().status, SubscriptionStatus::active);
  EXPECT_FALSE(given.now().pending_update.has_value());
  EXPECT_EQ(given.world.latest_invoice().status, InvoiceStatus::void_);
  EXPECT_TRUE(given.world.account().invoice_items.empty()) << "what the change would have cost is not owed";
  given.world.bank_says(test::succeeded());
  given.world.run(given.command(PaymentBehavior::error_where_possible));
  EXPECT_EQ(given.agreed(), 6200);
}

TEST(AChangeOfTheFirstVersions, ThatSaysMoreOrIsPaidByABankAccountIsMadeInAnyCase) {
  Upgrade given;
  UpdateSubscription command = given.command(PaymentBehavior::error_where_possible);
  command.metadata = MetadataPatch(Metadata{{"k", "v"}});
  given.decline();
  given.world.run(command);
  EXPECT_EQ(given.agreed(), 6200);
  EXPECT_EQ(given.now().status, SubscriptionStatus::past_due);

  Upgrade by_bank;
  const SourceId account(by_bank.world.run(AddSource{test::bank_account("6789"), true}).subject);
  by_bank.world.run(VerifySource{account, true});
  by_bank.world.run(by_bank.command(PaymentBehavior::error_where_possible));
  EXPECT_EQ(by_bank.agreed(), 6200);
}

TEST(ASubscriptionThatSavesWhatPaysIt, IsPaidByThatFromThenOn) {
  Scenario world(start);
  world.customer_with_card();
  Subscribe command = test::subscribe_to(price(1000));
  command.payment_behavior = PaymentBehavior::default_incomplete;
  command.saves_source = true;
  const SubscriptionId subscription = world.subscribed_to(command);
  const SourceId other(world.run(AddSource{test::card("tok_other"), false}).subject);
  EXPECT_TRUE(world.subscription(subscription).default_source.is_empty());
  world.run(PayInvoice{world.latest_invoice().id, {}, other, false});
  EXPECT_EQ(world.subscription(subscription).default_source, other);
  world.pass_to(renewal + hours(2));
  EXPECT_EQ(world.latest_invoice().charges.back().source, other);

  UpdateSubscription no_more;
  no_more.subscription = subscription;
  no_more.saves_source = false;
  world.run(no_more);
  world.bank_says(test::declined());
  world.pass_to(at("2026-03-01 02:00:00"));
  world.bank_says(test::succeeded());
  world.run(PayInvoice{world.latest_invoice().id, {}, world.account().customer.default_source, false});
  EXPECT_EQ(world.subscription(subscription).default_source, other);
}

}  // namespace
}  // namespace billd::pending_updates_test
