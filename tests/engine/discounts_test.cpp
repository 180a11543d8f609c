// Coupons: what they take off, for how long, from which invoices, and what they leave alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>

#include "engine/amounts.hpp"
#include "tests/engine/scenario.hpp"

namespace billd::discounts_test {
namespace {

using test::amount_off;
using test::at;
using test::monthly;
using test::percent_off;
using test::price;
using test::Scenario;
using test::subscribe_to;
using testing::ElementsAre;

constexpr const char* start_text = "2026-01-31 10:00:00";

Scenario with_card() {
  Scenario world(at(start_text));
  world.customer_with_card();
  world.checks_previews = true;
  return world;
}

Subscribe discounted(Price of, Redemption redemption) {
  Subscribe command = subscribe_to(std::move(of));
  command.discount = std::move(redemption);
  return command;
}

std::vector<std::int64_t> totals(const Scenario& world) {
  std::vector<std::int64_t> result;
  for (const Invoice& invoice : world.invoices()) result.push_back(invoice.total.minor);
  return result;
}

InvoiceLine line_of(std::int64_t minor, bool discountable = true, const char* product = "prod_1") {
  InvoiceLine line;
  line.amount = {minor, Currency::of("usd")};
  line.price = price(minor < 0 ? -minor : minor);
  line.price.product = ProductId(product);
  line.discountable = discountable;
  return line;
}

Invoice invoice_of(std::vector<InvoiceLine> lines, const Redemption& redemption) {
  Invoice invoice;
  invoice.total.currency = Currency::of("usd");
  invoice.lines = std::move(lines);
  invoice.discount.emplace().coupon = redemption.coupon.terms();
  EXPECT_TRUE(settle_amounts(invoice, TaxRounding::line).has_value());
  return invoice;
}

Redemption only_for(Redemption redemption, const char* product) {
  redemption.coupon.products = {ProductId(product)};
  return redemption;
}

TEST(ADiscount, TakesWhatItsTableSays) {
  struct Case {
    const char* name;
    std::vector<InvoiceLine> lines;
    Redemption redemption;
    std::vector<std::int64_t> taken;
  };
  for (const Case& each : {
           Case{"a share", {line_of(2000)}, percent_off("25"), {500}},
           Case{"all", {line_of(2000)}, percent_off("100"), {2000}},
           Case{"a half goes up", {line_of(1)}, percent_off("50"), {1}},
           Case{"less than a half goes down", {line_of(1)}, percent_off("49.99"), {0}},
           Case{"rounded once for the invoice, the earlier line first",
                {line_of(1), line_of(1)},
                percent_off("50"),
                {1, 0}},
           Case{"the line that was cut most gets the rest", {line_of(10), line_of(19)}, percent_off("10"), {1, 2}},
           Case{"an amount", {line_of(2000)}, amount_off(300), {300}},
           Case{"an amount over two lines", {line_of(2000), line_of(1000)}, amount_off(100), {67, 33}},
           Case{"an amount of fewer cents than lines", {line_of(1), line_of(1), line_of(1)}, amount_off(2), {1, 1, 0}},
           Case{"never more than there is", {line_of(200)}, amount_off(300), {200}},
           Case{"nothing of a proration", {line_of(2000), line_of(-500, false)}, percent_off("10"), {200, 0}},
           Case{"an amount never makes a credit", {line_of(2000), line_of(-1500, false)}, amount_off(1000), {500, 0}},
           Case{"an amount leaves a credit alone", {line_of(2000), line_of(-2500, false)}, amount_off(1000), {0, 0}},
           Case{"a share of a discountable credit is less credit",
                {line_of(2000), line_of(-1000)},
                percent_off("10"),
                {200, -100}},
           Case{"an amount is spread over what is paid", {line_of(2000), line_of(-1000)}, amount_off(400), {400, 0}},
           Case{"one product",
                {line_of(2000), line_of(3000, true, "prod_2")},
                only_for(percent_off("10"), "prod_2"),
                {0, 300}},
           Case{"one product, an amount",
                {line_of(2000), line_of(300, true, "prod_2")},
                only_for(amount_off(500), "prod_2"),
                {0, 300}},
           Case{"nothing of nothing", {line_of(0)}, amount_off(500), {0}},
       }) {
    const Invoice invoice = invoice_of(each.lines, each.redemption);
    std::vector<std::int64_t> taken;
    for (const InvoiceLine& line : invoice.lines) taken.push_back(line.discount);
    EXPECT_EQ(taken, each.taken) << each.name;
    EXPECT_EQ(invoice.total.minor, invoice.subtotal() - invoice.discount_total()) << each.name;
  }
}

InvoiceLine with_own(InvoiceLine line, const std::vector<Redemption>& redemptions) {
  for (const Redemption& each : redemptions) line.discounts.emplace_back().coupon = each.coupon.terms();
  return line;
}

TEST(AnItemsOwnDiscounts, AreTakenOneAfterTheOtherAndBeforeTheInvoices) {
  struct Case {
    const char* name;
    std::vector<InvoiceLine> lines;
    Redemption of_invoice;
    std::vector<std::int64_t> taken;
  };
  const Redemption none = percent_off("0");
  for (const Case& each : {
           Case{"a share", {with_own(line_of(2000), {percent_off("10")})}, none, {200}},
           Case{"an amount, then a share of what is left",
                {with_own(line_of(2000), {amount_off(300), percent_off("10")})},
                none,
                {470}},
           Case{
               "a share, then an amount", {with_own(line_of(2000), {percent_off("10"), amount_off(300)})}, none, {500}},
           Case{"each rounded by itself", {with_own(line_of(5), {percent_off("50"), percent_off("50")})}, none, {4}},
           Case{"never more than there is", {with_own(line_of(200), {amount_off(150), amount_off(150)})}, none, {200}},
           Case{"nothing of what may not be reduced", {with_own(line_of(2000, false), {percent_off("10")})}, none, {0}},
           Case{"nothing of a credit", {with_own(line_of(-500), {percent_off("10")})}, none, {0}},
           Case{"nothing of another product",
                {with_own(line_of(2000), {only_for(percent_off("10"), "prod_2")})},
                none,
                {0}},
           Case{"the invoice's share is of what is left",
                {with_own(line_of(2000), {percent_off("10")}), line_of(1000)},
                percent_off("50"),
                {200 + 900, 500}},
           Case{"the invoice's amount is spread over what is left",
                {with_own(line_of(2000), {amount_off(1000)}), line_of(1000)},
                amount_off(100),
                {1000 + 50, 50}},
           Case{"the invoice's amount never makes a credit",
                {with_own(line_of(2000), {amount_off(1500)}), line_of(-300, false)},
                amount_off(1000),
                {1500 + 200, 0}},
           Case{"what costs nothing any more gets nothing of the invoice's",
                {with_own(line_of(2000), {percent_off("100")}), line_of(1000)},
                amount_off(600),
                {2000, 600}},
       }) {
    const Invoice invoice = invoice_of(each.lines, each.of_invoice);
    std::vector<std::int64_t> taken;
    for (const InvoiceLine& line : invoice.lines) taken.push_back(line.discount);
    EXPECT_EQ(taken, each.taken) << each.name;
    EXPECT_EQ(invoice.total.minor, invoice.subtotal() - invoice.discount_total()) << each.name;
  }
}

TEST(AnItemsOwnDiscounts, AreWhatIsNotTaxed) {
  Invoice invoice;
  invoice.total.currency = Currency::of("usd");
  invoice.lines = {with_own(line_of(2000), {percent_off("25")})};
  invoice.tax_rates = {{TaxRateId(), parse_percentage("10").value(), false}};
  ASSERT_TRUE(settle_amounts(invoice, TaxRounding::line).has_value());
  EXPECT_EQ(invoice.tax_total(), 150);
  EXPECT_EQ(invoice.total.minor, 1650);
}

RC_GTEST_PROP(ADiscount, IsTheSameWholeHoweverItsLinesStand, ()) {
  std::vector<InvoiceLine> lines;
  for (int count = *rc::gen::inRange(1, 8); count > 0; --count)
    lines.push_back(line_of(*rc::gen::inRange<std::int64_t>(-500, 5000), *rc::gen::arbitrary<bool>()));
  const bool is_share = *rc::gen::arbitrary<bool>();
  Redemption redemption = amount_off(*rc::gen::inRange<std::int64_t>(1, 4000));
  if (is_share) {
    redemption.coupon.amount_off = {};
    redemption.coupon.percent_off.millionths = *rc::gen::inRange(1, 1'000'001);
  }
  const Invoice one = invoice_of(lines, redemption);
  std::ranges::reverse(lines);
  const Invoice other = invoice_of(lines, redemption);
  RC_ASSERT(one.discount_total() == other.discount_total());
  RC_ASSERT(one.total == other.total);
  for (const InvoiceLine& line : one.lines) {
    if (!line.discountable) RC_ASSERT(line.discount == 0);
    // Within one unit of the exact share.
    const __int128 exact = static_cast<__int128>(line.amount.minor) * redemption.coupon.percent_off.millionths;
    const __int128 off = static_cast<__int128>(line.discount) * 1'000'000 - exact;
    if (is_share && line.discountable && one.discount_total() != 0) RC_ASSERT(off < 1'000'000 && off > -1'000'000);
  }
}

TEST(ACoupon, OfOnceIsForTheFirstInvoiceWithSomethingToPay) {
  Scenario world = with_card();
  Subscribe command = discounted(price(2000), percent_off("50", CouponDuration::once));
  command.trial_end = at("2026-02-10");
  const SubscriptionId id = world.subscribed_to(command);
  EXPECT_TRUE(world.subscription(id).discount.has_value()) << "an invoice of nothing uses nothing up";
  world.pass_to(at("2026-04-11"));
  EXPECT_FALSE(world.subscription(id).discount.has_value());
  EXPECT_THAT(totals(world), ElementsAre(0, 1000, 2000, 2000));
}

TEST(ACoupon, RepeatingIsForWhatIsDatedBeforeItsEnd) {
  Scenario world = with_card();
  const SubscriptionId id =
      world.subscribed_to(discounted(price(2000), percent_off("50", CouponDuration::repeating, 3)));
  EXPECT_EQ(world.subscription(id).discount->end, at("2026-04-30 10:00:00"));
  world.pass_to(at("2026-05-31 12:00:00"));
  // January 31st, February 28th and March 31st; the invoice of April 30th is dated at the end.
  EXPECT_THAT(totals(world), ElementsAre(1000, 1000, 1000, 2000, 2000));
  EXPECT_FALSE(world.subscription(id).discount.has_value());
}

TEST(ACoupon, RepeatingTakesTheWholeOfAYearlyInvoice) {
  Scenario world = with_card();
  world.subscribed_to(discounted(price(24000, {Interval::year, 1}), percent_off("50", CouponDuration::repeating, 3)));
  world.pass_to(at("2027-02-01"));
  EXPECT_THAT(totals(world), ElementsAre(12000, 24000));
}

TEST(ACoupon, CountsThePeriodsDateAndNotTheDayOfCatchingUp) {
  Scenario late = with_card(), punctual = with_card();
  for (Scenario* world : {&late, &punctual})
    world->subscribed_to(discounted(price(2000), percent_off("50", CouponDuration::repeating, 3)));
  punctual.pass_to(at("2026-08-01"));
  late.jump_to(at("2026-08-01"));
  late.pass_to(at("2026-08-01 02:00:00"));
  EXPECT_EQ(totals(late), totals(punctual));
}

TEST(ACoupon, OfTheSubscriptionGoesBeforeTheCustomers) {
  Scenario world = with_card();
  UpdateCustomer update;
  update.discount = percent_off("50");
  world.run(update);
  world.subscribed_to(discounted(price(2000), percent_off("10", CouponDuration::once)));
  world.pass_to(at("2026-03-01"));
  EXPECT_THAT(totals(world), ElementsAre(1800, 1000));
}

TEST(ACoupon, OfTheCustomerIsForInvoicesOfAnyKind) {
  Scenario world = with_card();
  UpdateCustomer update;
  update.discount = amount_off(500, CouponDuration::once);
  world.run(update);
  EXPECT_EQ(world.account().customer.currency, Currency::of("usd"));
  world.item_of(2000);
  world.run(CreateInvoice());
  EXPECT_EQ(world.latest_invoice().total.minor, 1500);
  EXPECT_FALSE(world.account().customer.discount.has_value());
  world.item_of(2000);
  world.run(CreateInvoice());
  EXPECT_EQ(world.latest_invoice().total.minor, 2000);
}

TEST(ACoupon, IsThereAgainWhenItsDraftIsDeleted) {
  Scenario world = with_card();
  UpdateCustomer update;
  update.discount = amount_off(500, CouponDuration::once);
  world.run(update);
  world.item_of(2000);
  CreateInvoice by_hand;
  by_hand.auto_advance = false;
  const InvoiceId draft(world.run(by_hand).subject);
  EXPECT_FALSE(world.account().customer.discount.has_value());
  world.run(DeleteInvoice{draft, world.settled(draft)});
  EXPECT_TRUE(world.account().customer.discount.has_value());
}

TEST(ACoupon, IsRemovedAndReplaced) {
  Scenario world = with_card();
  const SubscriptionId id = world.subscribed_to(discounted(price(2000), percent_off("10")));
  world.take_events();
  UpdateSubscription update;
  update.subscription = id;
  update.discount = percent_off("20");
  world.run(update);
  EXPECT_THAT(world.take_events(), ElementsAre("customer.discount.updated", "customer.subscription.updated"));
  world.pass_to(at("2026-03-01"));
  update.discount.emplace();
  world.take_events();
  world.run(update);
  EXPECT_THAT(world.take_events(), ElementsAre("customer.discount.deleted", "customer.subscription.updated"));
  world.pass_to(at("2026-04-01"));
  EXPECT_THAT(totals(world), ElementsAre(1800, 1600, 2000));
}

TEST(ACoupon, IsRefusedWhenItCannotBeRedeemed) {
  Scenario world = with_card();
  world.subscribed_to(price(2000));
  const auto refusal = [&](Redemption redemption) {
    UpdateCustomer update;
    update.discount = std::move(redemption);
    return world.refused(update);
  };
  Redemption deleted = percent_off("10"), expired = deleted, both = deleted, none = deleted;
  deleted.coupon.deleted = true;
  expired.coupon.redeem_by = world.now - std::chrono::seconds(1);
  both.coupon.amount_off = {5, Currency::of("usd")};
  none.coupon.percent_off = {};
  EXPECT_EQ(refusal(deleted), (Failure{Errc::not_found, "No such coupon: 10OFF", "coupon"}));
  EXPECT_EQ(refusal(expired), (Failure{Errc::invalid_parameter, "This coupon has expired: 10OFF", "coupon"}));
  EXPECT_EQ(refusal(both).code, Errc::invalid_parameter);
  EXPECT_EQ(refusal(none).code, Errc::invalid_parameter);
  EXPECT_EQ(refusal(amount_off(100, CouponDuration::once, 0, "eur")).code, Errc::currency_mismatch);
  Redemption last_moment = percent_off("10");
  last_moment.coupon.redeem_by = world.now;
  UpdateCustomer update;
  update.discount = last_moment;
  world.run(update);
}

TEST(APromotionCode, IsRefusedOutsideItsLimits) {
  Scenario world = with_card();
  Redemption good = percent_off("10");
  good.promotion_code.emplace();
  good.promotion_code->id = PromotionCodeId("promo_1");
  good.promotion_code->coupon = good.coupon.id;
  const auto refusal = [&](auto spoil) {
    Redemption redemption = good;
    spoil(*redemption.promotion_code);
    Subscribe command = discounted(price(2000), redemption);
    const Failure failure = world.refused(command);
    EXPECT_EQ(failure.code, Errc::invalid_parameter) << failure.detail;
    EXPECT_EQ(failure.parameter, "promotion_code");
  };
  refusal([](PromotionCode& code) { code.active = false; });
  refusal([&](PromotionCode& code) { code.expires_at = world.now; });
  refusal([](PromotionCode& code) { code.customer = CustomerId("cus_other"); });
  refusal([](PromotionCode& code) { code.coupon = CouponId("OTHER"); });
  refusal([](PromotionCode& code) { code.minimum_amount = {2001, Currency::of("usd")}; });
  refusal([](PromotionCode& code) { code.minimum_amount = {1, Currency::of("eur")}; });
  good.promotion_code->minimum_amount = {2000, Currency::of("usd")};
  good.promotion_code->first_time_transaction = true;
  good.promotion_code->customer = world.account().customer.id;
  good.promotion_code->max_redemptions = 7;
  good.coupon.max_redemptions = 9;
  const Transition done = world.decide(discounted(price(2000), good));
  ASSERT_EQ(done.claims.size(), 1U);
  EXPECT_EQ(done.claims.front().coupon, good.coupon.id);
  EXPECT_EQ(done.claims.front().coupon_created, good.coupon.created);
  EXPECT_EQ(done.claims.front().coupon_max, 9);
  EXPECT_EQ(done.claims.front().promotion_code, good.promotion_code->id);
  EXPECT_EQ(done.claims.front().promotion_code_max, 7);
  world.perform(done.effects);
  refusal([](PromotionCode&) {});  // not the first purchase any more
}

// What was paid is given back, what is to be paid is reduced by what is in effect now.
TEST(AProration, HasTheDiscountOfItsSideInIt) {
  struct Case {
    const char* name;
    std::optional<Redemption> at_first, later;
    std::int64_t credit, debit;
  };
  for (const Case& each : {
           Case{"none", {}, {}, -500, 1000},
           Case{"from the beginning", percent_off("50"), {}, -250, 500},
           Case{"an amount from the beginning", amount_off(400), {}, -300, 800},
           Case{"applied with the change", {}, percent_off("50"), -500, 500},
           Case{"for the first invoice only", percent_off("50", CouponDuration::once), {}, -250, 1000},
           Case{"all of it", percent_off("100"), {}, 0, 0},
       }) {
    Scenario world(at("2026-04-01"));
    world.customer_with_card();
    world.checks_previews = true;
    Subscribe command = subscribe_to(price(1000));
    command.discount = each.at_first;
    const SubscriptionId id = world.subscribed_to(command);
    world.pass_to(at("2026-04-16"));
    UpdateSubscription update;
    update.subscription = id;
    update.items.emplace_back();
    update.items[0].item = world.subscription(id).items[0].id;
    update.items[0].price = price(2000);
    if (each.later) update.discount = *each.later;
    world.run(update);
    std::int64_t credit = 0, debit = 0;
    for (const InvoiceItem& item : world.account().invoice_items) {
      EXPECT_FALSE(item.discountable);
      (item.amount.minor < 0 ? credit : debit) += item.amount.minor;
    }
    EXPECT_EQ(credit, each.credit) << each.name;
    EXPECT_EQ(debit, each.debit) << each.name;
    world.pass_to(at("2026-06-02"));
  }
}

TEST(AProration, OfSeveralItemsTakesAnAmountOffOnce) {
  Scenario world(at("2026-04-01"));
  world.customer_with_card();
  Subscribe command = subscribe_to(price(1000));
  command.items.push_back(command.items.front());
  command.discount = amount_off(400);
  const SubscriptionId id = world.subscribed_to(command);
  world.pass_to(at("2026-04-16"));
  UpdateSubscription update;
  update.subscription = id;
  for (const SubscriptionItem& item : world.subscription(id).items) {
    ItemChange& change = update.items.emplace_back();
    change.item = item.id;
    change.price = price(2000);
  }
  world.run(update);
  std::int64_t credit = 0, debit = 0;
  for (const InvoiceItem& item : world.account().invoice_items)
    (item.amount.minor < 0 ? credit : debit) += item.amount.minor;
  EXPECT_EQ(credit, -800) << "half of 2000 less 400";
  EXPECT_EQ(debit, 1800) << "half of 4000 less 400";
}

TEST(AProration, BackAndForthWithADiscountGivesNothingAway) {
  Scenario world(at("2026-04-01"));
  world.customer_with_card();
  world.checks_previews = true;
  const SubscriptionId id = world.subscribed_to(discounted(price(1000), percent_off("30")));
  for (const std::int64_t minor : {2000, 1000, 3000, 1000}) {
    world.pass_to(world.now + std::chrono::days(3));
    for (const std::int64_t to : {minor, std::int64_t{1000}}) {
      UpdateSubscription update;
      update.subscription = id;
      update.items.emplace_back();
      update.items[0].item = world.subscription(id).items[0].id;
      update.items[0].price = price(to);
      world.run(update);
    }
  }
  std::int64_t sum = 0;
  for (const InvoiceItem& item : world.account().invoice_items) sum += item.amount.minor;
  EXPECT_EQ(sum, 0);
}

}  // namespace
}  // namespace billd::discounts_test
