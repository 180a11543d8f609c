// Changes within a period: what is given back, what is billed, and that a preview says the same.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "tests/engine/scenario.hpp"

namespace billd::proration_test {
namespace {

using std::chrono::days;
using std::chrono::hours;
using test::at;
using test::daily;
using test::declined;
using test::monthly;
using test::names;
using test::price;
using test::Scenario;
using test::subscribe_to;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Recurrence yearly{Interval::year, 1};

// November has 30 days, so that its 16th at noon is the middle of a period from the 1st at noon.
const Timestamp start = at("2026-11-01 12:00:00");
const Timestamp middle = at("2026-11-16 12:00:00");
const Timestamp renewal = at("2026-12-01 12:00:00");

Money usd(std::int64_t minor) { return {minor, Currency::of("usd")}; }

struct Subscribed {
  explicit Subscribed(std::int64_t minor = 5000, Rules rules = {}, std::string_view currency = "usd")
      : world(start, std::move(rules)) {
    world.customer_with_card();
    id = world.subscribed_to(price(minor, monthly, currency));
    world.take_events();
  }

  const Subscription& subscription() const { return world.subscription(id); }
  SubscriptionItemId item(std::size_t index = 0) const { return subscription().items.at(index).id; }

  UpdateSubscription to(Price new_price, ProrationBehavior behavior = ProrationBehavior::create_prorations) const {
    UpdateSubscription command;
    command.subscription = id;
    ItemChange change;
    change.item = item();
    change.price = std::move(new_price);
    command.items.push_back(std::move(change));
    command.proration = behavior;
    return command;
  }

  UpdateSubscription to_quantity(std::int64_t quantity,
                                 ProrationBehavior behavior = ProrationBehavior::create_prorations) const {
    UpdateSubscription command;
    command.subscription = id;
    ItemChange change;
    change.item = item();
    change.quantity = quantity;
    command.items.push_back(std::move(change));
    command.proration = behavior;
    return command;
  }

  std::vector<std::int64_t> pending() const {
    std::vector<std::int64_t> amounts;
    for (const InvoiceItem& each : world.account().invoice_items) amounts.push_back(each.amount.minor);
    return amounts;
  }

  std::vector<std::int64_t> latest_amounts() const {
    std::vector<std::int64_t> amounts;
    const Invoice latest = world.latest_invoice();
    for (const InvoiceLine& line : latest.lines) amounts.push_back(line.amount.minor);
    return amounts;
  }

  Scenario world;
  SubscriptionId id;
};

TEST(Proration, OfAnUpgradeInTheMiddleCreditsTheOldAndBillsTheNewWithTheNextInvoice) {
  // Source: Stripe's worked example, 50 a month to 100 in the middle: -25 +50, then 125 in all.
  Subscribed given;
  given.world.now = middle;
  const Transition updated = given.world.run(given.to(price(10'000)));
  EXPECT_THAT(names(updated),
              ElementsAre("invoiceitem.created", "invoiceitem.created", "customer.subscription.updated"));
  EXPECT_EQ(given.subscription().current_period, (Period{start, renewal}));
  ASSERT_THAT(given.pending(), ElementsAre(-2500, 5000));
  for (const InvoiceItem& item : given.world.account().invoice_items) {
    EXPECT_EQ(item.period, (Period{middle, renewal}));
    EXPECT_TRUE(item.proration);
    EXPECT_FALSE(item.discountable);
    EXPECT_EQ(item.subscription, given.id);
    EXPECT_EQ(item.item, given.item());
  }
  EXPECT_EQ(given.world.account().invoice_items[0].price.unit_amount, usd(5000));
  EXPECT_EQ(given.world.account().invoice_items[1].price.unit_amount, usd(10'000));
  given.world.pass_to(renewal);
  EXPECT_THAT(given.latest_amounts(), ElementsAre(10'000, -2500, 5000));
  EXPECT_EQ(given.world.latest_invoice().total, usd(12'500));
}

TEST(Proration, IsToTheSecondAndRoundedOnceForEachSide) {
  struct Case {
    std::int64_t from, to;
    Timestamp when;
    std::int64_t credit, debit;
    const char* currency = "usd";
  };
  const auto seconds = [](std::int64_t count) { return start + std::chrono::seconds(count); };
  constexpr std::int64_t month = 30 * 86'400;
  for (const Case& each : {
           Case{5000, 10'000, start, -5000, 10'000},
           Case{5000, 10'000, seconds(1), -5000, 10'000},   // 4999.998…
           Case{5000, 10'000, seconds(month - 1), 0, 0},    // 0.0019…, 0.0039…
           Case{999, 1999, middle, -500, 1000},             // 499.5, 999.5: halves go away from zero
           Case{1000, 3000, start + days(10), -667, 2000},  // two thirds
           Case{1000, 3000, start + days(20), -333, 1000},  // one third
           Case{100, 200, middle, -50, 100, "jpy"},         // no decimals
           Case{1001, 2001, middle, -501, 1001, "kwd"},     // three decimals
           Case{900'000'000'000'000'000, 0, middle, -450'000'000'000'000'000, 0},
       }) {
    SCOPED_TRACE(testing::Message() << each.from << " to " << each.to << " at " << to_text(each.when));
    Subscribed given(each.from, {}, each.currency);
    given.world.now = each.when;
    given.world.run(given.to(price(each.to, monthly, each.currency)));
    std::vector<std::int64_t> expected;
    if (each.credit != 0) expected.push_back(each.credit);
    if (each.debit != 0) expected.push_back(each.debit);
    EXPECT_EQ(given.pending(), expected);
  }
}

TEST(Proration, ByTheDayCountsADayThatHasBegunToTheNewPrice) {
  Rules rules;
  rules.proration_unit = ProrationUnit::day;
  for (const Timestamp when :
       {start + days(10), start + days(10) + hours(7), start + days(11) - std::chrono::seconds(1)}) {
    Subscribed given(3000, rules);
    given.world.now = when;
    given.world.run(given.to(price(6000)));
    EXPECT_THAT(given.pending(), ElementsAre(-2000, 4000)) << to_text(when);
    EXPECT_EQ(given.world.account().invoice_items[0].period, (Period{start + days(10), renewal}));
  }
}

TEST(Proration, ByTheDayGivesNothingBackForADayThatHasBegun) {
  Rules rules;
  rules.proration_unit = ProrationUnit::day;
  Subscribed given(3000, rules);
  given.world.now = start + days(10) + hours(7);
  given.world.run(CancelSubscription{given.id, false, true, false});
  EXPECT_THAT(given.pending(), ElementsAre(-1900));
}

TEST(Proration, OfAQuantityMultipliesBeforeItRounds) {
  Subscribed given(333);
  given.world.now = start + days(20);
  given.world.run(given.to_quantity(4));
  EXPECT_THAT(given.pending(), ElementsAre(-111, 444));
  given.world.pass_to(renewal);
  EXPECT_EQ(given.world.latest_invoice().total, usd(1332 + 333));
}

TEST(Proration, OfSeveralChangesInAPeriodCreditsEachWithWhatItReplaces) {
  Subscribed given(3000);
  given.world.now = start + days(10);
  given.world.run(given.to(price(6000)));
  given.world.now = start + days(20);
  given.world.run(given.to(price(3000)));
  EXPECT_THAT(given.pending(), ElementsAre(-2000, 4000, -2000, 1000));
  given.world.pass_to(renewal);
  EXPECT_EQ(given.world.latest_invoice().total, usd(3000 + 1000)) << "ten days of the dearer price";
}

TEST(Proration, OfAnUpgradeTakenBackAtOnceCostsNothing) {
  Subscribed given(4999);
  given.world.now = start + hours(77);
  given.world.run(given.to(price(9998)));
  given.world.run(given.to(price(4999)));
  given.world.pass_to(renewal);
  EXPECT_EQ(given.world.latest_invoice().total, usd(4999));
}

TEST(Proration, IsAsIfItHadBeenDoneAtTheGivenDate) {
  Subscribed given(3000);
  given.world.now = start + days(20);
  UpdateSubscription command = given.to(price(6000));
  command.proration_date = start + days(10);
  given.world.run(command);
  EXPECT_THAT(given.pending(), ElementsAre(-2000, 4000));
  const Failure outside{Errc::invalid_parameter, "Cannot specify proration date outside of current subscription period",
                        "proration_date"};
  command = given.to(price(9000));
  command.proration_date = start + days(10) - std::chrono::seconds(1);
  EXPECT_EQ(given.world.refused(command), outside) << "before it was on its current plan";
  command.proration_date = renewal + std::chrono::seconds(1);
  EXPECT_EQ(given.world.refused(command), outside);
}

TEST(Proration, OfNoneOnlyChangesWhatIsBilledNext) {
  Subscribed given;
  given.world.now = middle;
  given.world.run(given.to(price(10'000), ProrationBehavior::none));
  EXPECT_THAT(given.pending(), IsEmpty());
  given.world.pass_to(renewal);
  EXPECT_EQ(given.world.latest_invoice().total, usd(10'000));
}

TEST(Proration, InvoicedAtOnceIsChargedAtOnce) {
  Subscribed given;
  given.world.now = middle;
  const Transition updated = given.world.run(given.to(price(10'000), ProrationBehavior::always_invoice));
  EXPECT_THAT(names(updated), ElementsAre("invoiceitem.created", "invoiceitem.created", "customer.subscription.updated",
                                          "invoice.created", "invoice.finalized"));
  const Invoice invoice = given.world.latest_invoice();
  EXPECT_EQ(invoice.reason, BillingReason::subscription_update);
  EXPECT_EQ(invoice.total, usd(2500));
  EXPECT_EQ(invoice.status, InvoiceStatus::paid);
  EXPECT_FALSE(invoice.bills_period());
  EXPECT_EQ(given.subscription().latest_invoice, invoice.id);
  given.world.pass_to(renewal);
  EXPECT_EQ(given.world.latest_invoice().total, usd(10'000));
}

TEST(Proration, InvoicedAtOnceOfADowngradeIsCredit) {
  Subscribed given(10'000);
  given.world.now = middle;
  given.world.run(given.to(price(5000), ProrationBehavior::always_invoice));
  EXPECT_EQ(given.world.latest_invoice().total, usd(-2500));
  EXPECT_EQ(given.world.latest_invoice().status, InvoiceStatus::paid);
  EXPECT_EQ(given.world.account().customer.balance, -2500);
  given.world.pass_to(renewal + hours(1));
  EXPECT_EQ(given.world.latest_invoice().charges.at(0).amount, usd(2500));
}

TEST(Proration, InvoicedAtOnceAndDeclinedMakesTheSubscriptionPastDueAndIsRetried) {
  Subscribed given;
  given.world.now = middle;
  given.world.bank_says(declined());
  given.world.run(given.to(price(10'000), ProrationBehavior::always_invoice));
  EXPECT_EQ(given.subscription().status, SubscriptionStatus::past_due);
  EXPECT_EQ(given.world.latest_invoice().next_attempt_at, middle + days(3));
  given.world.bank_says(test::succeeded());
  given.world.pass_to(middle + days(3));
  EXPECT_EQ(given.subscription().status, SubscriptionStatus::active);
}

TEST(AnUpdate, AddsAndDeletesItemsWithTheirShareOfThePeriod) {
  Subscribed given(3000);
  given.world.now = middle;
  UpdateSubscription command;
  command.subscription = given.id;
  ItemChange added;
  added.price = price(1000);
  added.quantity = 2;
  added.metadata = Metadata{{"seat", "yes"}};
  command.items.push_back(added);
  given.world.run(command);
  EXPECT_THAT(given.pending(), ElementsAre(1000)) << "the other item is not touched";
  ASSERT_THAT(given.subscription().items, SizeIs(2));
  EXPECT_EQ(given.subscription().items[1].metadata, (Metadata{{"seat", "yes"}}));

  command.items.clear();
  ItemChange removed;
  removed.item = given.item(0);
  removed.deleted = true;
  command.items.push_back(removed);
  given.world.run(command);
  EXPECT_THAT(given.pending(), ElementsAre(1000, -1500));
  command.items.front().item = given.item(0);
  EXPECT_EQ(given.world.refused(command).code, Errc::missing_parameter) << "the last one stays";
  command.items.front().item = SubscriptionItemId("si_none");
  EXPECT_EQ(given.world.refused(command).code, Errc::not_found);
}

TEST(AnUpdate, IsCheckedLikeANewSubscription) {
  Subscribed given;
  EXPECT_EQ(given.world.refused(given.to(price(100, monthly, "eur"))).code, Errc::currency_mismatch);
  EXPECT_EQ(given.world.refused(given.to(price(-1))).code, Errc::invalid_parameter);
  EXPECT_EQ(given.world.refused(given.to_quantity(-1)).code, Errc::invalid_parameter);
  UpdateSubscription sum = given.to(price(std::numeric_limits<std::int64_t>::max()));
  sum.items.push_back({SubscriptionItemId(), false, price(1), {}, {}});
  EXPECT_EQ(given.world.refused(sum).code, Errc::amount_out_of_range) << "the next renewal would not fit 64 bits";
  UpdateSubscription two = given.to_quantity(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(given.world.refused(two).code, Errc::amount_out_of_range);
  UpdateSubscription none;
  none.subscription = SubscriptionId("sub_none");
  EXPECT_EQ(given.world.refused(none).code, Errc::not_found);
}

TEST(AnUpdate, ChangesTermsWithoutBillingAnything) {
  Subscribed given;
  const SourceId other(given.world.run(AddSource{test::card("tok_amex"), false}).subject);
  UpdateSubscription command;
  command.subscription = given.id;
  command.metadata = Metadata{{"a", "b"}};
  command.default_source = other;
  EXPECT_THAT(names(given.world.run(command)), ElementsAre("customer.subscription.updated"));
  EXPECT_EQ(given.subscription().metadata, (Metadata{{"a", "b"}}));
  EXPECT_EQ(given.subscription().default_source, other);
  EXPECT_FALSE(given.world.run(command).changed) << "said twice";
  command.collection = Collection::send_invoice;
  EXPECT_EQ(given.world.refused(command).parameter, "days_until_due");
  command.days_until_due = 5;
  given.world.run(command);
  EXPECT_EQ(given.subscription().collection, Collection::send_invoice);
}

TEST(AnUpdate, OfAnIncompleteSubscriptionOrOneThatIsBeingRenewedIsRefused) {
  Subscribed given;
  given.world.now = renewal;
  EXPECT_EQ(given.world.refused(given.to(price(100))).code, Errc::invalid_state);
  Scenario world(start);
  world.customer_with_card();
  world.bank_says(declined());
  UpdateSubscription command;
  command.subscription = world.subscribed_to(price(100));
  command.anchor_now = true;
  EXPECT_EQ(world.refused(command).code, Errc::invalid_state);
}

TEST(AnotherInterval, BeginsANewPeriodNowAndBillsItLessTheCredit) {
  Subscribed given(3000);
  given.world.now = middle;
  given.world.run(given.to(price(24'000, yearly)));
  EXPECT_THAT(given.latest_amounts(), ElementsAre(24'000, -1500));
  EXPECT_EQ(given.world.latest_invoice().status, InvoiceStatus::paid);
  EXPECT_EQ(given.world.latest_invoice().charges.at(0).amount, usd(22'500));
  EXPECT_EQ(given.subscription().current_period, (Period{middle, at("2027-11-16 12:00:00")}));
  EXPECT_EQ(given.subscription().ordinal, 1);
  EXPECT_EQ(given.subscription().anchor, middle);
}

TEST(AnotherInterval, WithoutProrationBillsTheWholePeriod) {
  Subscribed given(3000);
  given.world.now = middle;
  given.world.run(given.to(price(24'000, yearly), ProrationBehavior::none));
  EXPECT_THAT(given.latest_amounts(), ElementsAre(24'000));
}

TEST(AnotherInterval, ThatIsCheaperThanTheCreditLeavesABalance) {
  Subscribed given(30'000);
  given.world.now = start;
  given.world.run(given.to(price(1000, daily)));
  EXPECT_EQ(given.world.latest_invoice().total, usd(-29'000));
  EXPECT_EQ(given.world.account().customer.balance, -29'000);
  given.world.pass_to(start + days(28) + hours(1));
  EXPECT_EQ(given.world.account().customer.balance, -1000);
  EXPECT_THAT(given.world.latest_invoice().charges, IsEmpty());
}

TEST(AFreePlan, LeftForAPaidOneBeginsANewPeriodNow) {
  Subscribed given(0);
  given.world.now = middle;
  given.world.run(given.to(price(2000)));
  EXPECT_EQ(given.world.latest_invoice().total, usd(2000));
  EXPECT_EQ(given.subscription().current_period.start, middle);
}

TEST(TheAnchor, ResetBeginsANewPeriodNow) {
  Subscribed given(3000);
  given.world.now = middle;
  UpdateSubscription command;
  command.subscription = given.id;
  command.anchor_now = true;
  given.world.run(command);
  EXPECT_THAT(given.latest_amounts(), ElementsAre(3000, -1500));
  EXPECT_EQ(given.subscription().current_period, (Period{middle, at("2026-12-16 12:00:00")}));
}

TEST(TheAnchor, InTheFutureBillsAShareUntilThen) {
  for (const bool free : {false, true}) {
    Scenario world(at("2026-11-21 12:00:00"));
    world.customer_with_card();
    Subscribe command = subscribe_to(price(3000));
    command.billing_cycle_anchor = renewal;
    command.free_until_anchor = free;
    const SubscriptionId id = world.subscribed_to(command);
    EXPECT_EQ(world.subscription(id).current_period, (Period{world.now, renewal}));
    EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::active);
    if (free) {
      EXPECT_THAT(world.invoices(), IsEmpty()) << "free, and no invoice of nothing";
    } else {
      EXPECT_EQ(world.latest_invoice().total, usd(1000)) << "10 of 30 days";
      EXPECT_TRUE(world.latest_invoice().lines.at(0).proration);
    }
    world.pass_to(renewal);
    EXPECT_EQ(world.latest_invoice().total, usd(3000));
    EXPECT_EQ(world.subscription(id).current_period, (Period{renewal, at("2027-01-01 12:00:00")}));
  }
}

TEST(TheAnchor, AfterATrialLeavesAShareBetweenThem) {
  Scenario world(start);
  world.customer_with_card();
  Subscribe command = subscribe_to(price(3000));
  command.trial_end = middle;
  command.billing_cycle_anchor = renewal;
  const SubscriptionId id = world.subscribed_to(command);
  EXPECT_EQ(world.latest_invoice().total, usd(0));
  world.pass_to(middle);
  EXPECT_EQ(world.latest_invoice().total, usd(1500));
  EXPECT_EQ(world.subscription(id).current_period, (Period{middle, renewal}));
  world.pass_to(renewal);
  EXPECT_EQ(world.latest_invoice().total, usd(3000));
}

TEST(TheAnchor, IsRefusedInThePastAndBeyondThePeriod) {
  Scenario world(start);
  world.customer_with_card();
  Subscribe command = subscribe_to(price(3000));
  command.billing_cycle_anchor = start - std::chrono::seconds(1);
  EXPECT_EQ(world.refused(command).parameter, "billing_cycle_anchor");
  command.billing_cycle_anchor = renewal + std::chrono::seconds(1);
  EXPECT_EQ(world.refused(command).parameter, "billing_cycle_anchor");
}

TEST(AChangeBeforeTheAnchor, IsProratedByTheWholePeriod) {
  Scenario world(at("2026-11-11 12:00:00"));
  world.customer_with_card();
  Subscribe command = subscribe_to(price(3000));
  command.billing_cycle_anchor = renewal;
  UpdateSubscription update;
  update.subscription = world.subscribed_to(command);
  EXPECT_EQ(world.latest_invoice().total, usd(2000));
  world.now = at("2026-11-21 12:00:00");
  ItemChange change;
  change.item = world.account().subscriptions[0].items[0].id;
  change.price = price(6000);
  update.items.push_back(change);
  world.run(update);
  ASSERT_THAT(world.account().invoice_items, SizeIs(2));
  EXPECT_EQ(world.account().invoice_items[0].amount, usd(-1000));
  EXPECT_EQ(world.account().invoice_items[1].amount, usd(2000));
}

TEST(ATrial, EndedByHandBillsTheFirstPeriodNow) {
  Scenario world(start);
  world.customer_with_card();
  Subscribe trial = subscribe_to(price(3000));
  trial.trial_end = renewal;
  UpdateSubscription command;
  command.subscription = world.subscribed_to(trial);
  command.trial_end = start;
  world.now = middle;
  world.run(command);
  const Subscription& subscription = world.subscription(command.subscription);
  EXPECT_EQ(subscription.status, SubscriptionStatus::active);
  EXPECT_EQ(subscription.trial_end, middle);
  EXPECT_EQ(subscription.trial_will_end_at, std::nullopt);
  EXPECT_EQ(subscription.current_period, (Period{middle, at("2026-12-16 12:00:00")}));
  EXPECT_EQ(world.latest_invoice().total, usd(3000));
  EXPECT_EQ(world.latest_invoice().status, InvoiceStatus::paid);
}

TEST(ATrial, ProlongedGoesOnForNothing) {
  Scenario world(start);
  world.customer_with_card();
  Subscribe trial = subscribe_to(price(3000));
  trial.trial_end = middle;
  UpdateSubscription command;
  command.subscription = world.subscribed_to(trial);
  command.trial_end = renewal;
  world.now = start + days(1);
  world.run(command);
  const Subscription& subscription = world.subscription(command.subscription);
  EXPECT_EQ(subscription.status, SubscriptionStatus::trialing);
  EXPECT_EQ(subscription.trial_start, start);
  EXPECT_EQ(subscription.trial_end, renewal);
  EXPECT_EQ(subscription.trial_will_end_at, renewal - days(3));
  EXPECT_EQ(world.latest_invoice().total, usd(0));
  world.pass_to(renewal);
  EXPECT_EQ(world.latest_invoice().total, usd(3000));
}

TEST(ATrial, GivenToARunningSubscriptionCreditsWhatWasPaid) {
  Subscribed given(3000);
  given.world.now = middle;
  UpdateSubscription command;
  command.subscription = given.id;
  command.trial_end = at("2026-12-20 12:00:00");
  given.world.run(command);
  EXPECT_EQ(given.subscription().status, SubscriptionStatus::trialing);
  EXPECT_EQ(given.subscription().trial_start, middle);
  EXPECT_THAT(given.latest_amounts(), ElementsAre(0, -1500));
  EXPECT_EQ(given.world.account().customer.balance, -1500);
  given.world.pass_to(at("2026-12-20 13:00:00"));
  EXPECT_EQ(given.world.latest_invoice().amount_due(), usd(1500));
}

TEST(ATrial, LetsItemsChangeForNothing) {
  Scenario world(start);
  world.customer_with_card();
  Subscribe trial = subscribe_to(price(3000));
  trial.trial_end = renewal;
  UpdateSubscription command;
  command.subscription = world.subscribed_to(trial);
  ItemChange change;
  change.item = world.account().subscriptions[0].items[0].id;
  change.price = price(36'000, yearly);
  command.items.push_back(change);
  command.proration = ProrationBehavior::always_invoice;
  world.now = middle;
  world.run(command);
  EXPECT_THAT(world.account().invoice_items, IsEmpty());
  EXPECT_THAT(world.invoices(), SizeIs(1));
  world.pass_to(renewal);
  EXPECT_EQ(world.latest_invoice().total, usd(36'000));
}

TEST(ACancellation, AtATimeCreditsWhatFollowsItAndTakesThatBackWhenItIsCalledOff) {
  Subscribed given(3000);
  UpdateSubscription command;
  command.subscription = given.id;
  command.cancel_at = middle;
  given.world.run(command);
  EXPECT_THAT(given.pending(), ElementsAre(-1500));
  EXPECT_EQ(given.subscription().canceled_at, start);
  command.cancel_at = std::optional<Timestamp>();
  command.proration = ProrationBehavior::none;
  given.world.run(command);
  EXPECT_THAT(given.pending(), ElementsAre(-1500, 1500)) << "owed again, whatever was said";
  EXPECT_EQ(given.subscription().canceled_at, std::nullopt);
  given.world.pass_to(renewal);
  EXPECT_EQ(given.world.latest_invoice().total, usd(3000));
}

TEST(ACancellation, AtATimeEndsTheSubscriptionThenAndBillsWhatIsPending) {
  Subscribed given(3000);
  UpdateSubscription command;
  command.subscription = given.id;
  command.cancel_at = middle;
  given.world.run(command);
  given.world.pass_to(middle);
  EXPECT_EQ(given.subscription().status, SubscriptionStatus::canceled);
  EXPECT_EQ(given.subscription().ended_at, middle);
  given.world.pass_to(middle + hours(1));
  EXPECT_EQ(given.world.latest_invoice().total, usd(-1500));
  EXPECT_EQ(given.world.account().customer.balance, -1500);
}

TEST(ACancellation, InALaterPeriodBillsThatPeriodUntilThen) {
  Scenario world(start);
  world.customer_with_card();
  Subscribe command = subscribe_to(price(3100));
  command.cancel_at = renewal + days(10);
  const SubscriptionId id = world.subscribed_to(command);
  EXPECT_EQ(world.latest_invoice().total, usd(3100));
  world.pass_to(renewal);
  EXPECT_EQ(world.latest_invoice().total, usd(1000)) << "10 of December's 31 days";
  EXPECT_EQ(world.subscription(id).paid_until, renewal + days(10));
  world.pass_to(renewal + days(10));
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::canceled);
  world.pass_to(at("2027-03-01"));
  EXPECT_THAT(world.invoices(), SizeIs(2));
}

TEST(ACancellation, AtOnceDropsPendingProrationsAndInvoicedNowBillsThem) {
  for (const bool invoice_now : {false, true}) {
    Subscribed given(3000);
    given.world.now = start + days(10);
    given.world.run(given.to(price(6000)));
    given.world.now = start + days(20);
    given.world.run(CancelSubscription{given.id, false, true, invoice_now});
    // -2000 +4000 of the change, -2000 of the cancellation.
    given.world.pass_to(renewal + hours(1));
    EXPECT_EQ(given.world.latest_invoice().total, usd(invoice_now ? 0 : -2000));
    EXPECT_EQ(given.world.latest_invoice().created, invoice_now ? start + days(20) : renewal);
  }
}

// What is previewed is what is billed.

TEST(APreview, OfNothingChangedIsTheNextRenewal) {
  Subscribed given(3000);
  given.world.item_of(500);
  const Invoice shown = preview(given.world.account(), {}, {}, middle, given.world.rules).value();
  EXPECT_EQ(shown.total, usd(3500));
  EXPECT_EQ(shown.lines.at(0).period, (Period{renewal, at("2027-01-01 12:00:00")}));
  given.world.pass_to(renewal);
  EXPECT_EQ(test::what_is_billed(given.world.latest_invoice()), test::what_is_billed(shown));
}

TEST(APreview, OfWhatEndsIsWhatIsPendingOrNothing) {
  Subscribed given(3000);
  given.world.run(CancelSubscription{given.id, true});
  const auto nothing = preview(given.world.account(), {}, {}, middle, given.world.rules);
  EXPECT_EQ(nothing.error().detail, "No upcoming invoices for customer: " + given.world.account().customer.id.value());
  given.world.item_of(500);
  EXPECT_EQ(preview(given.world.account(), {}, {}, middle, given.world.rules)->total, usd(500));
}

TEST(APreview, OfOneSubscriptionLeavesOutWhatAnotherTakesBefore) {
  Subscribed given(3000);
  given.world.now = middle;
  const SubscriptionId later = given.world.subscribed_to(price(700));
  given.world.item_of(500);
  const auto shown = [&](const SubscriptionId& id) {
    return preview(given.world.account(), {}, id, middle, given.world.rules).value();
  };
  EXPECT_EQ(shown({}).total, usd(3500));
  EXPECT_EQ(shown(given.id).total, usd(3500));
  const Invoice second = shown(later);
  EXPECT_EQ(second.total, usd(700)) << "the earlier one has taken the item along";
  given.world.pass_to(given.world.subscription(later).current_period.end);
  EXPECT_EQ(test::what_is_billed(given.world.latest_invoice()), test::what_is_billed(second));
}

TEST(APreview, OfANewSubscriptionNeedsNoSource) {
  Scenario world(start);
  world.run(CreateCustomer{});
  EXPECT_EQ(preview(world.account(), Command(subscribe_to(price(3000))), {}, start, world.rules)->total, usd(3000));
}

TEST(APreview, TakesTheBalanceIntoAccount) {
  Subscribed given(10'000);
  given.world.now = middle;
  given.world.run(given.to(price(5000), ProrationBehavior::always_invoice));
  const Invoice shown = preview(given.world.account(), {}, given.id, middle, given.world.rules).value();
  EXPECT_EQ(shown.total, usd(5000));
  EXPECT_EQ(shown.starting_balance, -2500);
  EXPECT_EQ(shown.ending_balance, 0);
}

}  // namespace
}  // namespace billd::proration_test
