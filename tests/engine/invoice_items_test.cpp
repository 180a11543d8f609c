// Invoice items: pending, taken along, on drafts, and what becomes of them when a subscription or an invoice ends.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "engine/change.hpp"
#include "tests/engine/scenario.hpp"

namespace billd::invoice_items_test {
namespace {

using test::at;
using test::declined;
using test::monthly;
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

/// A customer with a card and a subscription of $20.00 a month.
struct Subscribed {
  explicit Subscribed(Rules rules = {}) : world(start, std::move(rules)) {
    world.customer_with_card();
    subscription = world.subscribed_to(price(2000));
    world.take_events();
  }

  std::vector<std::int64_t> amounts() const {
    std::vector<std::int64_t> result;
    const Invoice latest = world.latest_invoice();
    for (const InvoiceLine& line : latest.lines) result.push_back(line.amount.minor);
    return result;
  }

  Scenario world;
  SubscriptionId subscription;
};

TEST(AnInvoiceItem, WaitsForTheNextInvoiceAndIsBilledWithIt) {
  Subscribed given;
  CreateInvoiceItem command;
  command.unit_amount = usd(300);
  command.quantity = 2;
  command.description = "Two hours";
  command.metadata = {{"ticket", "7"}};
  const Transition created = given.world.run(command);
  EXPECT_THAT(names(created), ElementsAre("invoiceitem.created"));
  const InvoiceItem item = given.world.item(InvoiceItemId(created.subject));
  EXPECT_EQ(item.amount, usd(600));
  EXPECT_EQ(item.period, (Period{start, start}));
  EXPECT_TRUE(item.discountable);

  given.world.pass_to(renewal);
  EXPECT_THAT(given.world.account().invoice_items, IsEmpty());
  const Invoice invoice = given.world.latest_invoice();
  EXPECT_EQ(invoice.total, usd(2600));
  ASSERT_THAT(invoice.lines, SizeIs(2));
  const InvoiceLine& line = invoice.lines[1];
  EXPECT_EQ(line.invoice_item, item.id);
  EXPECT_EQ(line.amount, usd(600));
  EXPECT_EQ(line.quantity, 2);
  EXPECT_EQ(line.price.unit_amount, usd(300));
  EXPECT_EQ(line.description, "Two hours");
  EXPECT_EQ(line.created, item.created);
  EXPECT_EQ(line.metadata, item.metadata);
  given.world.pass_to(at("2026-03-15 10:00:00"));
  EXPECT_EQ(given.world.latest_invoice().total, usd(2000)) << "billed once";
}

TEST(AnInvoiceItem, OfASubscriptionIsLeftByTheInvoicesOfOthers) {
  Subscribed given;
  given.world.now = at("2026-01-20 10:00:00");
  const SubscriptionId other = given.world.subscribed_to(price(500));
  given.world.item_of(100, other);
  given.world.item_of(30);
  given.world.pass_to(renewal);
  EXPECT_THAT(given.amounts(), ElementsAre(2000, 30));
  given.world.pass_to(at("2026-02-20 10:00:00"));
  EXPECT_THAT(given.amounts(), ElementsAre(500, 100));
}

TEST(AnInvoiceItem, IsTakenByTheFirstInvoiceOfANewSubscriptionButNotByATrials) {
  Scenario world(start);
  world.customer_with_card();
  world.item_of(700);
  EXPECT_EQ(world.account().customer.currency, Currency::of("usd"));
  Subscribe trial = subscribe_to(price(2000));
  trial.trial_end = at("2026-02-01");
  world.subscribed_to(trial);
  EXPECT_EQ(world.latest_invoice().total, usd(0));
  EXPECT_THAT(world.account().invoice_items, SizeIs(1));
  world.subscribed_to(price(900));
  EXPECT_EQ(world.latest_invoice().total, usd(1600));
}

TEST(AnInvoiceItem, IsPendingAgainWhenItsSubscriptionNeverWas) {
  Scenario world(start);
  world.customer_with_card();
  const InvoiceItemId item = world.item_of(700);
  const InvoiceItem before = world.item(item);
  world.bank_says(declined());
  Subscribe command = subscribe_to(price(2000));
  command.payment_behavior = PaymentBehavior::error_if_incomplete;
  world.run(command);
  EXPECT_THAT(world.account().subscriptions, IsEmpty());
  EXPECT_EQ(world.item(item), before);
}

TEST(AnInvoiceItem, IsCheckedBeforeItIsTaken) {
  struct Case {
    const char* what;
    std::int64_t unit_amount;
    std::int64_t quantity;
    const char* currency;
    Errc refused;
  };
  constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  for (const Case& each : {Case{"a negative quantity", 100, -1, "usd", Errc::invalid_parameter},
                           Case{"another currency", 100, 1, "eur", Errc::currency_mismatch},
                           Case{"a product beyond 64 bits", largest, 2, "usd", Errc::invalid_parameter},
                           Case{"thirteen digits", 1'000'000'000'000, 1, "usd", Errc::invalid_parameter},
                           Case{"thirteen digits of credit", -1'000'000'000'000, 1, "usd", Errc::invalid_parameter}}) {
    SCOPED_TRACE(each.what);
    Subscribed given;
    CreateInvoiceItem command;
    command.unit_amount = {each.unit_amount, Currency::of(each.currency)};
    command.quantity = each.quantity;
    EXPECT_EQ(given.world.refused(command).code, each.refused);
  }
  Subscribed given;
  CreateInvoiceItem backwards;
  backwards.unit_amount = usd(1);
  backwards.period = Period{renewal, start};
  EXPECT_EQ(given.world.refused(backwards).parameter, "period");
  CreateInvoiceItem foreign;
  foreign.unit_amount = usd(1);
  foreign.subscription = SubscriptionId("sub_none");
  EXPECT_EQ(given.world.refused(foreign).code, Errc::not_found);
}

TEST(AnInvoiceItem, IsRefusedWhen250ArePendingAndNoInvoiceHoldsMore) {
  Subscribed given;
  for (int count = 0; count < 250; ++count) given.world.item_of(1);
  CreateInvoiceItem one_more;
  one_more.unit_amount = usd(1);
  EXPECT_EQ(given.world.refused(one_more).code, Errc::limit_exceeded);
  given.world.pass_to(renewal);
  EXPECT_THAT(given.world.latest_invoice().lines, SizeIs(250));
  EXPECT_THAT(given.world.account().invoice_items, SizeIs(1)) << "the newest waits";
  one_more.invoice = given.world.latest_invoice().id;
  EXPECT_EQ(given.world.refused(one_more).code, Errc::limit_exceeded);
}

TEST(AnInvoiceItem, ThatIsPendingIsChangedAndDeleted) {
  Subscribed given;
  const InvoiceItemId id = given.world.item_of(500);
  UpdateInvoiceItem update;
  update.item = id;
  update.unit_amount = 200;
  update.quantity = 4;
  update.description = "cheaper";
  EXPECT_THAT(names(given.world.run(update)), ElementsAre("invoiceitem.updated"));
  EXPECT_EQ(given.world.item(id).amount, usd(800));
  update.quantity = -1;
  EXPECT_EQ(given.world.refused(update).parameter, "quantity");
  EXPECT_THAT(names(given.world.run(DeleteInvoiceItem{id, {}, {}})), ElementsAre("invoiceitem.deleted"));
  EXPECT_EQ(given.world.refused(DeleteInvoiceItem{id, {}, {}}),
            (Failure{Errc::not_found, "No such invoiceitem: " + id.value(), "invoiceitem"}));
}

TEST(AnInvoiceItem, IsAddedToADraftChangedOnItAndRemoved) {
  Subscribed given;
  given.world.pass_to(renewal);
  const InvoiceId draft = given.world.latest_invoice().id;
  CreateInvoiceItem add;
  add.unit_amount = usd(450);
  add.invoice = draft;
  const Transition added = given.world.run(add);
  EXPECT_THAT(names(added), ElementsAre("invoiceitem.created", "invoice.updated"));
  EXPECT_EQ(given.world.invoice(draft).total, usd(2450));
  const InvoiceItemId item(added.subject);
  UpdateInvoiceItem update;
  update.item = item;
  update.invoice = draft;
  update.unit_amount = 50;
  given.world.run(update);
  EXPECT_EQ(given.world.invoice(draft).total, usd(2050));
  given.world.run(DeleteInvoiceItem{item, draft, {}});
  EXPECT_EQ(given.world.invoice(draft).total, usd(2000));
  EXPECT_EQ(given.world.refused(DeleteInvoiceItem{InvoiceItemId(), draft, {}}).code, Errc::not_found);

  given.world.pass_to(renewal + std::chrono::hours(2));
  add.recalled = given.world.settled(draft);
  EXPECT_EQ(given.world.refused(add).code, Errc::invalid_state) << "it is paid";
}

TEST(PendingItems, AreBilledAtThePeriodsEndThoughTheSubscriptionEndsThen) {
  Subscribed given;
  given.world.item_of(700, given.subscription);
  given.world.item_of(70);
  given.world.run(CancelSubscription{given.subscription, true});
  given.world.pass_to(renewal);
  EXPECT_EQ(given.world.latest_invoice().total, usd(770));
  EXPECT_EQ(given.world.latest_invoice().reason, BillingReason::manual);
  given.world.pass_to(renewal + std::chrono::hours(1));
  EXPECT_EQ(given.world.latest_invoice().status, InvoiceStatus::paid);
}

TEST(PendingItems, AreBilledAtThePeriodsEndThoughTheSubscriptionWasCancelledAtOnce) {
  Subscribed given;
  given.world.item_of(700, given.subscription);
  given.world.run(CancelSubscription{given.subscription, false});
  EXPECT_EQ(next_due(timers(given.world.account())), renewal);
  given.world.pass_to(renewal - std::chrono::seconds(1));
  EXPECT_THAT(given.world.invoices(), SizeIs(1));
  given.world.pass_to(renewal);
  EXPECT_EQ(given.world.latest_invoice().total, usd(700));
}

TEST(PendingItems, OfNoSubscriptionWaitForTheOthersWhenOneEnds) {
  Subscribed given;
  given.world.now = at("2026-01-20 10:00:00");
  given.world.subscribed_to(price(500));
  given.world.item_of(700);
  given.world.run(CancelSubscription{given.subscription, false});
  given.world.pass_to(at("2026-02-20 10:00:00"));
  EXPECT_THAT(given.amounts(), ElementsAre(500, 700));
}

TEST(PendingItems, GoWithTheirCustomer) {
  Subscribed given;
  given.world.item_of(700);
  given.world.run(DeleteCustomer{});
  EXPECT_THAT(given.world.account().invoice_items, IsEmpty());
}

TEST(ACredit, BeyondTheInvoiceIsCarriedToTheNextOnes) {
  Subscribed given;
  given.world.item_of(-5000);
  EXPECT_FALSE(given.world.account().invoice_items.front().discountable);
  given.world.pass_to(renewal + std::chrono::hours(1));
  const Invoice first = given.world.latest_invoice();
  EXPECT_EQ(first.total, usd(-3000));
  EXPECT_EQ(first.status, InvoiceStatus::paid);
  EXPECT_EQ(first.amount_due(), usd(0));
  EXPECT_EQ(first.amount_paid, usd(0));
  EXPECT_THAT(first.charges, IsEmpty());
  EXPECT_EQ(given.world.account().customer.balance, -3000);

  given.world.pass_to(at("2026-03-15 11:00:00"));
  const Invoice second = given.world.latest_invoice();
  EXPECT_EQ(second.starting_balance, -3000);
  EXPECT_EQ(second.ending_balance, -1000);
  EXPECT_EQ(second.amount_due(), usd(0));
  EXPECT_EQ(second.status, InvoiceStatus::paid);

  given.world.pass_to(at("2026-04-15 11:00:00"));
  const Invoice third = given.world.latest_invoice();
  EXPECT_EQ(third.amount_due(), usd(1000));
  EXPECT_EQ(third.amount_paid, usd(1000));
  EXPECT_EQ(third.charges.at(0).amount, usd(1000));
  EXPECT_EQ(given.world.account().customer.balance, 0);
}

TEST(AnAmountBelowTheMinimum, IsOwedWithTheNextInvoice) {
  struct Case {
    const char* currency;
    std::int64_t minor;
    std::int64_t due;
  };
  for (const Case& each :
       {Case{"usd", 49, 0}, Case{"usd", 50, 50}, Case{"gbp", 29, 0}, Case{"gbp", 30, 30}, Case{"jpy", 49, 0},
        Case{"jpy", 50, 50}, Case{"huf", 17'499, 0}, Case{"huf", 17'500, 17'500}, Case{"kwd", 1, 1}}) {
    SCOPED_TRACE(testing::Message() << each.minor << " " << each.currency);
    Scenario world(start);
    world.customer_with_card();
    const SubscriptionId id = world.subscribed_to(price(each.minor, monthly, each.currency));
    const Invoice first = world.latest_invoice();
    EXPECT_EQ(first.amount_due().minor, each.due);
    EXPECT_EQ(first.status, InvoiceStatus::paid);
    EXPECT_EQ(world.subscription(id).status, SubscriptionStatus::active);
    EXPECT_EQ(world.account().customer.balance, each.minor - each.due);
    world.pass_to(renewal + std::chrono::hours(1));
    EXPECT_EQ(world.latest_invoice().amount_due().minor, 2 * each.minor - each.due);
    EXPECT_EQ(world.account().customer.balance, 0);
  }
}

TEST(ABalance, IsLeftAloneByAnInvoiceOfNothing) {
  Scenario world(start);
  world.customer_with_card();
  world.subscribed_to(price(20));
  ASSERT_EQ(world.account().customer.balance, 20);
  world.subscribed_to(price(0));
  EXPECT_EQ(world.latest_invoice().amount_due(), usd(0));
  EXPECT_EQ(world.account().customer.balance, 20);
  world.run(AdjustBalance{{700, Currency::of("usd")}, "", {}});
  world.subscribed_to(price(0));
  EXPECT_EQ(world.latest_invoice().amount_due(), usd(0)) << "also when it is enough to be charged";
  EXPECT_EQ(world.account().customer.balance, 720);
}

TEST(ABalance, NeverLeavesItsLimit) {
  EXPECT_EQ(use_balance(usd(std::numeric_limits<std::int64_t>::max()), 1).error().code, Errc::amount_out_of_range);
  EXPECT_EQ(use_balance(usd(std::numeric_limits<std::int64_t>::max()), 0)->due,
            std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(use_balance(usd(std::numeric_limits<std::int64_t>::min()), 0).error().code, Errc::amount_out_of_range);
  EXPECT_EQ(use_balance(usd(-1), -balance_limit).error().code, Errc::amount_out_of_range);
  EXPECT_EQ(use_balance(usd(-1), 1 - balance_limit)->ending_balance, -balance_limit);
}

CreateInvoiceItem reduced(std::int64_t minor, const std::vector<Redemption>& redemptions) {
  CreateInvoiceItem command;
  command.unit_amount = usd(minor);
  for (const Redemption& each : redemptions) command.discounts.push_back({{}, each});
  return command;
}

Redemption named(Redemption redemption, std::string coupon) {
  redemption.coupon.id = CouponId(std::move(coupon));
  return redemption;
}

TEST(AnInvoiceItem, HasDiscountsOfItsOwnThatAreRedeemedWithIt) {
  Subscribed given;
  given.world.checks_previews = true;
  const Transition created = given.world.run(
      reduced(1000, {named(test::percent_off("10"), "tenth"), named(test::amount_off(100), "hundred")}));
  ASSERT_THAT(created.claims, SizeIs(2));
  EXPECT_EQ(created.claims.at(0).coupon, CouponId("tenth"));
  EXPECT_EQ(created.claims.at(1).coupon, CouponId("hundred"));
  EXPECT_THAT(names(created), ElementsAre("invoiceitem.created"));
  EXPECT_THAT(given.world.item(InvoiceItemId(created.subject)).discounts, SizeIs(2));
  UpdateCustomer half;
  half.discount = std::optional(test::percent_off("50"));
  given.world.run(half);
  given.world.pass_to(renewal + std::chrono::hours(2));
  const Invoice invoice = given.world.latest_invoice();
  EXPECT_EQ(invoice.discount_total(), 200 + (800 + 2000) / 2);
  EXPECT_EQ(invoice.total.minor, 1400);
  EXPECT_EQ(invoice.status, InvoiceStatus::paid);
}

TEST(AnInvoiceItem, OfADraftHasItsDiscountsAndKeepsThemWhenTheDraftIsDeleted) {
  Subscribed given;
  CreateInvoice empty;
  empty.may_be_empty = true;
  empty.auto_advance = false;
  const InvoiceId draft(given.world.run(empty).subject);
  CreateInvoiceItem command = reduced(1000, {test::percent_off("10")});
  command.invoice = draft;
  command.recalled = given.world.settled(draft);
  const InvoiceItemId item(given.world.run(command).subject);
  EXPECT_EQ(given.world.invoice(draft).total.minor, 900);
  given.world.run(DeleteInvoice{draft, given.world.settled(draft)});
  ASSERT_EQ(given.world.account().invoice_items.size(), 1U);
  EXPECT_EQ(given.world.item(item).discounts.size(), 1U);
}

TEST(AnInvoiceItem, ChangesItsDiscounts) {
  Subscribed given;
  const InvoiceItemId item(given.world.run(reduced(1000, {named(test::percent_off("10"), "tenth")})).subject);
  const DiscountId tenth = given.world.item(item).discounts.at(0).id;
  UpdateInvoiceItem command;
  command.item = item;
  command.discounts = std::vector<ItemDiscount>{{{}, named(test::amount_off(500), "half")}, {tenth, {}}};
  const Transition changed = given.world.run(command);
  ASSERT_THAT(changed.claims, SizeIs(1)) << "what is kept is not redeemed again";
  ASSERT_THAT(given.world.item(item).discounts, SizeIs(2));
  EXPECT_EQ(given.world.item(item).discounts.at(1).id, tenth);
  command.discounts.emplace();
  given.world.run(command);
  EXPECT_THAT(given.world.item(item).discounts, IsEmpty());
  command.discounts = std::vector<ItemDiscount>{{tenth, {}}};
  EXPECT_EQ(given.world.refused(command).code, Errc::not_found) << "it is the item's no more";
}

TEST(AnInvoiceItem, IsNotReducedByWhatCannotBe) {
  Subscribed given;
  const auto refused = [&](const CreateInvoiceItem& command) { return given.world.refused(command); };
  const Redemption tenth = named(test::percent_off("10"), "tenth");
  EXPECT_EQ(refused(reduced(-500, {tenth})).parameter, "discounts") << "a credit is not discountable";
  EXPECT_EQ(refused(reduced(500, {tenth, tenth})).parameter, "discounts") << "one coupon, once";
  EXPECT_EQ(refused(reduced(500, {test::amount_off(100, CouponDuration::once, 0, "eur")})).parameter, "discounts");
  Redemption late = tenth;
  late.coupon.redeem_by = start - std::chrono::seconds(1);
  EXPECT_EQ(refused(reduced(500, {late})).parameter, "discounts");
  std::vector<Redemption> many;
  for (int i = 0; i < 21; ++i) many.push_back(named(test::amount_off(1), std::to_string(i)));
  EXPECT_EQ(refused(reduced(500, many)).parameter, "discounts");
  many.pop_back();
  EXPECT_TRUE(given.world.attempt(reduced(500, many)).has_value());
}

}  // namespace
}  // namespace billd::invoice_items_test
