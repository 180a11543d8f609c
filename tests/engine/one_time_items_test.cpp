// What is paid once beside what recurs: prices of invoice items, items that come with a subscription or a phase, and
// first payments that wait for the customer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/scenario.hpp"

namespace billd::one_time_items_test {
namespace {

using std::chrono::days;
using test::at;
using test::declined;
using test::monthly;
using test::names;
using test::price;
using test::Scenario;
using test::subscribe_to;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Timestamp start = at("2026-01-15 10:00:00");

/// A price that does not recur.
Price once(std::int64_t minor, std::string_view currency = "usd") {
  Price made = price(minor, monthly, currency);
  made.id = PlanId("price_once");
  made.one_time = true;
  return made;
}

Scenario with_card() {
  Scenario world(start);
  world.customer_with_card();
  world.take_events();
  return world;
}

/// Twenty dollars a month, and what is paid once.
Subscribe with_setup(std::int64_t minor, std::int64_t quantity = 1) {
  Subscribe command = subscribe_to(price(2000));
  command.one_time_items.push_back({once(minor), quantity, "Setup"});
  return command;
}

std::vector<std::int64_t> amounts(const Invoice& invoice) {
  std::vector<std::int64_t> result;
  for (const InvoiceLine& line : invoice.lines) result.push_back(line.amount.minor);
  return result;
}

TEST(AnInvoiceItemWithAPrice, CostsWhatThePriceSays) {
  Scenario world = with_card();
  CreateInvoiceItem command;
  command.price = once(12);
  command.price->unit_fraction = 500'000'000'000;
  command.quantity = 3;
  const InvoiceItemId id(world.run(command).subject);
  EXPECT_EQ(world.item(id).amount.minor, 38) << "12.5 three times, rounded once";
  EXPECT_EQ(world.item(id).price, *command.price);
  UpdateInvoiceItem update;
  update.item = id;
  update.quantity = 2;
  world.run(update);
  EXPECT_EQ(world.item(id).amount.minor, 25);
  update = {};
  update.item = id;
  update.price = once(700);
  world.run(update);
  EXPECT_EQ(world.item(id).amount.minor, 1400);
  update = {};
  update.item = id;
  update.unit_amount = -5;
  world.run(update);
  EXPECT_EQ(world.item(id).amount.minor, -10);
  EXPECT_TRUE(world.item(id).price.id.is_empty()) << "that is no price of the catalog any more";
}

TEST(AnInvoiceItemWithAPrice, IsRefusedWhenThePriceDoesNotFit) {
  Scenario world = with_card();
  CreateInvoiceItem command;
  command.price = price(700);
  EXPECT_THAT(world.refused(command).detail, HasSubstr("only accepts prices with `type=one_time`"));
  command.price = once(700);
  const InvoiceItemId id(world.run(command).subject);
  command.price = once(700, "eur");
  EXPECT_EQ(world.refused(command).code, Errc::currency_mismatch);
  UpdateInvoiceItem update;
  update.item = id;
  update.price = once(700, "eur");
  EXPECT_EQ(world.refused(update).code, Errc::currency_mismatch);
  update.price = price(700);
  EXPECT_EQ(world.refused(update).parameter, "price");
}

TEST(ASubscription, BillsWhatIsPaidOnceWithItsFirstInvoice) {
  Scenario world = with_card();
  const Transition begun = world.run(with_setup(5000, 2));
  EXPECT_THAT(names(begun), testing::Contains("invoiceitem.created"));
  EXPECT_EQ(world.latest_invoice().total.minor, 12000);
  EXPECT_EQ(world.latest_invoice().lines.back().description, "Setup");
  EXPECT_THAT(world.account().invoice_items, IsEmpty());
  world.pass_to(at("2026-02-16"));
  EXPECT_THAT(amounts(world.latest_invoice()), ElementsAre(2000));
}

TEST(ASubscription, IsOnTrialOnceWhatIsPaidOnceIsPaid) {
  for (const bool is_declined : {false, true}) {
    Scenario world = with_card();
    // What waits for another reason is not taken along: nothing is due for the trial.
    world.item_of(300);
    Subscribe command = with_setup(5000);
    command.trial_end = start + days(14);
    if (is_declined) world.bank_says(declined());
    const SubscriptionId id = world.subscribed_to(command);
    EXPECT_THAT(amounts(world.latest_invoice()), ElementsAre(0, 5000));
    EXPECT_EQ(world.account().invoice_items.size(), 1U);
    if (is_declined) {
      EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::incomplete);
      world.pass_to(start + days(2));
      EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::incomplete_expired);
      continue;
    }
    EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::trialing);
    world.pass_to(start + days(15));
    EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::active);
    EXPECT_THAT(amounts(world.latest_invoice()), ElementsAre(2000, 300));
  }
}

TEST(ASubscription, LeavesNothingOfWhatWasToBePaidOnceWhenItNeverWas) {
  Scenario world = with_card();
  world.item_of(300);
  world.take_events();
  world.bank_says(declined());
  Subscribe command = with_setup(5000);
  command.payment_behavior = PaymentBehavior::error_if_incomplete;
  world.run(command);
  ASSERT_EQ(world.account().invoice_items.size(), 1U);
  EXPECT_EQ(world.account().invoice_items[0].amount.minor, 300) << "what waited before waits again";
  EXPECT_THAT(world.take_events(), testing::Not(testing::Contains("invoiceitem.created")));

  world.bank_says(test::succeeded());
  world.run(command);
  EXPECT_THAT(world.take_events(), testing::Contains("invoiceitem.created"));
  EXPECT_EQ(world.latest_invoice().total.minor, 7300);
}

TEST(ASubscription, IsRefusedWithWhatCannotBePaidOnce) {
  Scenario world = with_card();
  Subscribe command = subscribe_to(price(2000));
  command.one_time_items.push_back({price(500), 1, {}});
  EXPECT_THAT(world.refused(command).detail, HasSubstr("type=one_time"));
  command.one_time_items[0].price = once(500, "eur");
  EXPECT_EQ(world.refused(command).code, Errc::currency_mismatch);
  command.one_time_items[0] = {once(500), -1, {}};
  EXPECT_EQ(world.refused(command).parameter, "quantity");
  command.one_time_items.assign(21, {once(500), 1, {}});
  EXPECT_EQ(world.refused(command).parameter, "add_invoice_items");
  EXPECT_THAT(world.account().subscriptions, IsEmpty());
}

TEST(AnUpdate, LeavesWhatIsPaidOnceForTheNextInvoice) {
  Scenario world = with_card();
  const SubscriptionId id = world.subscribed_to(price(2000));
  UpdateSubscription update;
  update.subscription = id;
  update.one_time_items.push_back({once(700), 1, {}});
  world.run(update);
  ASSERT_EQ(world.account().invoice_items.size(), 1U);
  EXPECT_EQ(world.account().invoice_items[0].subscription, id);
  update.proration = ProrationBehavior::always_invoice;
  world.run(update);
  EXPECT_THAT(amounts(world.latest_invoice()), ElementsAre(700, 700));
  update.one_time_items[0].price = price(700);
  EXPECT_EQ(world.refused(update).parameter, "price");
}

TEST(AFirstPayment, WaitsForTheCustomerWhenItIsToldTo) {
  Scenario world(start);
  world.run(CreateCustomer());
  Subscribe command = subscribe_to(price(2000));
  command.payment_behavior = PaymentBehavior::default_incomplete;
  const SubscriptionId id(world.run(command).subject);
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::incomplete);
  const Invoice invoice = world.latest_invoice();
  EXPECT_EQ(invoice.status, InvoiceStatus::open);
  EXPECT_THAT(invoice.charges, IsEmpty());
  world.run(AddSource{test::card(), true});
  PayInvoice payment;
  payment.invoice = invoice.id;
  world.run(payment);
  EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::active);

  const SubscriptionId other(world.run(command).subject);
  world.pass_to(start + days(2));
  EXPECT_EQ(world.subscription(other).status, SubscriptionStatus::incomplete_expired);
  EXPECT_EQ(world.latest_invoice().status, InvoiceStatus::void_);
}

TEST(APhase, HasTermsOfItsOwnAndWhatIsPaidOnce) {
  Scenario world = with_card();
  CreateSchedule command;
  command.description = "Gold";
  NewPhase first;
  first.items.push_back({price(1000), 1, {}});
  first.iterations = 1;
  first.one_time_items.push_back({once(5000), 1, "Setup"});
  NewPhase second = first;
  second.one_time_items.clear();
  second.collection = Collection::send_invoice;
  second.days_until_due = 7;
  second.description = "Silver";
  second.metadata = {{"phase", "2"}};
  command.phases = {first, second};
  const ScheduleId id(world.run(command).subject);
  const SubscriptionId subscription = world.account().find(id)->subscription;
  EXPECT_EQ(world.subscription(subscription).description, "Gold");
  EXPECT_EQ(world.latest_invoice().total.minor, 6000);
  world.pass_to(at("2026-02-16"));
  const Subscription& changed = world.subscription(subscription);
  EXPECT_EQ(changed.description, "Silver");
  EXPECT_EQ(changed.collection, Collection::send_invoice);
  EXPECT_EQ(changed.days_until_due, 7);
  EXPECT_EQ(changed.metadata, (Metadata{{"phase", "2"}}));
  EXPECT_THAT(amounts(world.latest_invoice()), ElementsAre(1000));
}

TEST(APhase, IsRefusedWithTermsThatContradictThemselves) {
  Scenario world = with_card();
  const auto refused = [&](const auto& spoil) {
    CreateSchedule command;
    NewPhase& phase = command.phases.emplace_back();
    phase.items.push_back({price(1000), 1, {}});
    phase.iterations = 1;
    spoil(phase);
    return world.refused(command);
  };
  EXPECT_EQ(refused([](NewPhase& phase) { phase.collection = Collection::send_invoice; }).parameter, "days_until_due");
  EXPECT_EQ(refused([](NewPhase& phase) { phase.days_until_due = 3; }).parameter, "phases");
  EXPECT_EQ(refused([](NewPhase& phase) { phase.default_source = SourceId("card_none"); }).code, Errc::not_found);
  EXPECT_EQ(refused([](NewPhase& phase) { phase.one_time_items.push_back({price(1), 1, {}}); }).parameter, "price");
  EXPECT_EQ(refused([](NewPhase& phase) {
              phase.is_trial = true;
              phase.trial_end = start + days(3);
            }).parameter,
            "phases");
}

TEST(ASchedule, ChangesItsSubscriptionsTermsAtOnce) {
  Scenario world = with_card();
  CreateSchedule command;
  command.from_subscription = world.subscribed_to(price(1000));
  const ScheduleId id(world.run(command).subject);
  UpdateSchedule update;
  update.schedule = id;
  update.description = "Gold";
  update.collection = Collection::send_invoice;
  EXPECT_EQ(world.refused(update).parameter, "days_until_due");
  update.days_until_due = 5;
  world.run(update);
  const Subscription& changed = world.subscription(command.from_subscription);
  EXPECT_EQ(changed.description, "Gold");
  EXPECT_EQ(changed.collection, Collection::send_invoice);
  update = {};
  update.schedule = id;
  update.default_source = SourceId("card_none");
  EXPECT_EQ(world.refused(update).code, Errc::not_found);
}

TEST(ASchedule, LeavesTheEndThatItHadInMindWhenItIsReleasedSo) {
  for (const bool preserves : {false, true}) {
    Scenario world = with_card();
    CreateSchedule command;
    command.end_behavior = EndBehavior::cancel;
    command.from_subscription = world.subscribed_to(price(1000));
    const ScheduleId id(world.run(command).subject);
    world.run(ReleaseSchedule{id, preserves});
    const Subscription& left = world.subscription(command.from_subscription);
    EXPECT_EQ(left.cancel_at.has_value(), preserves);
    world.pass_to(at("2026-02-16"));
    EXPECT_EQ(world.subscription(command.from_subscription).is_live(), !preserves);
  }
}

TEST(ACancellation, RemembersWhatTheCustomerSaid) {
  Scenario world = with_card();
  const SubscriptionId id = world.subscribed_to(price(1000));
  world.run(CancelSubscription{id, true, false, false, "too dear", {}});
  EXPECT_EQ(world.subscription(id).cancellation_comment, "too dear");
  UpdateSubscription update;
  update.subscription = id;
  update.cancellation_feedback = "too_expensive";
  world.run(update);
  EXPECT_EQ(world.subscription(id).cancellation_feedback, "too_expensive");
  EXPECT_EQ(world.subscription(id).cancellation_comment, "too dear");
  world.run(CancelSubscription{id, false, false, false, "", {}});
  EXPECT_EQ(world.subscription(id).cancellation_comment, "");
}

TEST(ABalanceTransaction, IsDescribedAnewAndNothingElseChanges) {
  Scenario world = with_card();
  const Currency usd = Currency::of("usd");
  const std::string id = world.run(AdjustBalance{{-500, usd}, "Welcome", {{"a", "b"}}}).subject;
  UpdateBalanceTransaction update;
  update.recalled = std::get<BalanceTransaction>(world.records().at(id));
  update.description = "Sorry";
  update.metadata = MetadataPatch({{"a", ""}, {"c", "d"}});
  const auto decided = decide(world.account(), update, world.now, world.rules);
  ASSERT_TRUE(decided) << decided.error().detail;
  ASSERT_EQ(decided->settled.size(), 1U);
  const auto& written = std::get<BalanceTransaction>(decided->settled[0]);
  EXPECT_EQ(written.description, "Sorry");
  EXPECT_EQ(written.metadata, (Metadata{{"c", "d"}}));
  EXPECT_EQ(written.amount, update.recalled.amount);
  EXPECT_EQ(written.ending_balance, update.recalled.ending_balance);
  EXPECT_THAT(decided->events, IsEmpty());
  EXPECT_EQ(decided->account.customer.balance, world.account().customer.balance);
}

}  // namespace
}  // namespace billd::one_time_items_test
