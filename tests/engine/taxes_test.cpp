// Taxes: in the amounts or on top of them, rounded where it is said, after the discount, and given back with a credit
// note.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>

#include "engine/amounts.hpp"
#include "tests/engine/scenario.hpp"

namespace billd::taxes_test {
namespace {

using test::amount_off;
using test::at;
using test::percent_off;
using test::price;
using test::Scenario;
using test::subscribe_to;
using test::tax_of;
using testing::ElementsAre;

const Currency usd = Currency::of("usd");

Invoice invoice_of(const std::vector<std::int64_t>& amounts, std::vector<AppliedTaxRate> rates,
                   const std::optional<Redemption>& redemption = {}) {
  Invoice invoice;
  invoice.total.currency = usd;
  invoice.tax_rates = std::move(rates);
  for (const std::int64_t minor : amounts) {
    InvoiceLine& line = invoice.lines.emplace_back();
    line.amount = {minor, usd};
    line.price = price(minor < 0 ? -minor : minor);
  }
  if (redemption) invoice.discount.emplace().coupon = redemption->coupon.terms();
  return invoice;
}

std::vector<std::int64_t> taxes(const Invoice& invoice) {
  std::vector<std::int64_t> result;
  for (const InvoiceLine& line : invoice.lines)
    for (const TaxAmount& tax : line.taxes) result.push_back(tax.amount);
  return result;
}

TEST(ATax, TakesWhatItsTableSays) {
  const AppliedTaxRate twenty = tax_of("20"), ten = tax_of("10"), inside = tax_of("25", true), odd = tax_of("7.25");
  struct Case {
    const char* name;
    std::vector<std::int64_t> amounts;
    std::vector<AppliedTaxRate> rates;
    std::optional<Redemption> discount;
    TaxRounding rounding;
    std::vector<std::int64_t> taxes;
    std::int64_t total;
  };
  for (const Case& each : {
           Case{"on top", {1000}, {twenty}, {}, TaxRounding::line, {200}, 1200},
           Case{"in it", {1000}, {inside}, {}, TaxRounding::line, {200}, 1000},
           Case{"two on top, each of the same amount", {1000}, {twenty, ten}, {}, TaxRounding::line, {200, 100}, 1300},
           Case{"one in it, one on top of what is without it",
                {1250},
                {inside, ten},
                {},
                TaxRounding::line,
                {250, 100},
                1350},
           Case{"a half goes up", {10}, {tax_of("5")}, {}, TaxRounding::line, {1}, 11},
           Case{"of a credit a half goes away from zero, too", {-10}, {tax_of("5")}, {}, TaxRounding::line, {-1}, -11},
           Case{"less than a half goes down", {9}, {tax_of("5")}, {}, TaxRounding::line, {0}, 9},
           Case{"decimals", {1999}, {odd}, {}, TaxRounding::line, {145}, 2144},
           Case{"after the discount", {1000}, {twenty}, percent_off("50"), TaxRounding::line, {100}, 600},
           Case{"of nothing, nothing", {1000}, {twenty}, percent_off("100"), TaxRounding::line, {0}, 0},
           Case{"an amount comes off first", {1000}, {twenty}, amount_off(250), TaxRounding::line, {150}, 900},
           Case{"in it, after the discount", {1000}, {inside}, percent_off("50"), TaxRounding::line, {100}, 500},
           Case{"per line", {3, 3, 3, 3}, {ten}, {}, TaxRounding::line, {0, 0, 0, 0}, 12},
           Case{"per invoice", {3, 3, 3, 3}, {ten}, {}, TaxRounding::invoice, {1, 0, 0, 0}, 13},
           Case{"per line, upwards", {5, 5}, {ten}, {}, TaxRounding::line, {1, 1}, 12},
           Case{"per invoice, once", {5, 5}, {ten}, {}, TaxRounding::invoice, {1, 0}, 11},
           Case{"per invoice, with a credit", {105, -5}, {ten}, {}, TaxRounding::invoice, {10, 0}, 110},
       }) {
    Invoice invoice = invoice_of(each.amounts, each.rates, each.discount);
    ASSERT_TRUE(settle_amounts(invoice, each.rounding)) << each.name;
    EXPECT_EQ(taxes(invoice), each.taxes) << each.name;
    EXPECT_EQ(invoice.total.minor, each.total) << each.name;
  }
}

TEST(ATax, OfTheLineStandsInsteadOfTheInvoices) {
  Invoice invoice = invoice_of({1000, 1000}, {tax_of("20")});
  invoice.lines[1].tax_rates = {tax_of("5")};
  ASSERT_TRUE(settle_amounts(invoice, TaxRounding::line));
  EXPECT_THAT(taxes(invoice), ElementsAre(200, 50));
}

TEST(ATax, IsNotTakenOfWhoIsExempt) {
  for (const TaxExempt exempt : {TaxExempt::exempt, TaxExempt::reverse}) {
    Invoice invoice = invoice_of({1000}, {tax_of("20")});
    ASSERT_TRUE(settle_amounts(invoice, TaxRounding::line, exempt));
    EXPECT_EQ(invoice.total.minor, 1000);
    EXPECT_TRUE(invoice.lines[0].taxes.empty());
  }
}

TEST(ATax, IsRefusedBeyond64Bits) {
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  Invoice invoice = invoice_of({most}, {tax_of("20")});
  EXPECT_EQ(settle_amounts(invoice, TaxRounding::line).error().code, Errc::amount_out_of_range);
  Invoice included = invoice_of({most}, {tax_of("20", true)});
  EXPECT_TRUE(settle_amounts(included, TaxRounding::line)) << "what is in it adds nothing";
}

RC_GTEST_PROP(ATax, RoundedPerInvoiceIsWithinOneUnitOfEachLinesOwn, ()) {
  std::vector<std::int64_t> amounts;
  for (int count = *rc::gen::inRange(1, 9); count > 0; --count)
    amounts.push_back(*rc::gen::inRange<std::int64_t>(-300, 5000));
  std::vector<AppliedTaxRate> rates(2);
  rates[0] = {TaxRateId("a"), {*rc::gen::inRange(0, 300'000)}, *rc::gen::arbitrary<bool>()};
  rates[1] = {TaxRateId("b"), {*rc::gen::inRange(0, 300'000)}, *rc::gen::arbitrary<bool>()};
  Invoice by_line = invoice_of(amounts, rates), by_invoice = by_line;
  RC_ASSERT(settle_amounts(by_line, TaxRounding::line).has_value());
  RC_ASSERT(settle_amounts(by_invoice, TaxRounding::invoice).has_value());
  __int128 divisor = 1'000'000;
  for (const AppliedTaxRate& rate : rates)
    if (rate.inclusive) divisor += rate.percentage.millionths;
  for (std::size_t each = 0; each < rates.size(); ++each) {
    std::int64_t sum = 0;
    for (std::size_t line = 0; line < amounts.size(); ++line) {
      const std::int64_t a = by_line.lines[line].taxes[each].amount, b = by_invoice.lines[line].taxes[each].amount;
      RC_ASSERT(a - b <= 1 && b - a <= 1);
      sum += b;
    }
    const __int128 whole = static_cast<__int128>(by_invoice.subtotal()) * rates[each].percentage.millionths;
    RC_ASSERT(sum == static_cast<std::int64_t>(rounded(whole, divisor)));
  }
}

TEST(ASubscriptionsTax, IsOnItsInvoicesAndOnWhatIsProrated) {
  Scenario world(at("2026-04-01"));
  world.customer_with_card();
  world.checks_previews = true;
  Subscribe command = subscribe_to(price(1000));
  command.tax_rates = {tax_of("20")};
  const SubscriptionId id = world.subscribed_to(command);
  EXPECT_EQ(world.latest_invoice().total.minor, 1200);
  world.pass_to(at("2026-04-16"));
  UpdateSubscription update;
  update.subscription = id;
  update.items.emplace_back();
  update.items[0].item = world.subscription(id).items[0].id;
  update.items[0].price = price(2000);
  update.tax_rates = {{tax_of("10")}};
  world.run(update);
  // What was paid is credited with its tax, though the subscription has another by then.
  world.pass_to(at("2026-05-01 02:00:00"));
  const Invoice renewal = world.latest_invoice();
  EXPECT_EQ(renewal.subtotal(), 2000 - 500 + 1000);
  EXPECT_EQ(renewal.tax_total(), 200 - 100 + 100);
}

TEST(ASubscriptionsTax, BeginsAndEndsWithTheInvoicesToCome) {
  Scenario world(at("2026-04-01"));
  world.customer_with_card();
  world.checks_previews = true;
  const SubscriptionId id = world.subscribed_to(price(1000));
  UpdateSubscription update;
  update.subscription = id;
  // A bare tax_percent has no identifier.
  update.tax_rates = {{AppliedTaxRate{TaxRateId(), parse_percentage("7.5").value(), false}}};
  world.run(update);
  world.pass_to(at("2026-05-02"));
  EXPECT_EQ(world.latest_invoice().total.minor, 1075);
  update.tax_rates.emplace();
  world.run(update);
  world.pass_to(at("2026-06-02"));
  EXPECT_EQ(world.latest_invoice().total.minor, 1000);
}

TEST(TaxRates, AreRefusedThatCannotBe) {
  Scenario world(at("2026-04-01"));
  world.customer_with_card();
  const AppliedTaxRate rate = tax_of("20");
  struct Case {
    std::vector<AppliedTaxRate> rates;
    Errc code;
  };
  for (const Case& each :
       {Case{{rate, rate}, Errc::invalid_parameter},
        Case{{AppliedTaxRate{TaxRateId("txr_1"), {1'000'001}, false}}, Errc::invalid_parameter},
        Case{{AppliedTaxRate{TaxRateId("txr_1"), {-1}, false}}, Errc::invalid_parameter},
        Case{{tax_of("1"), tax_of("2"), tax_of("3"), tax_of("4"), tax_of("5"), tax_of("6")}, Errc::limit_exceeded}}) {
    Subscribe command = subscribe_to(price(1000));
    command.tax_rates = each.rates;
    const Failure failure = world.refused(command);
    EXPECT_EQ(failure.code, each.code);
    EXPECT_EQ(failure.parameter, "default_tax_rates");
  }
}

/// A paid invoice of one line.
struct Taxed {
  Taxed(std::int64_t minor, std::vector<AppliedTaxRate> rates, std::optional<Redemption> discount = {})
      : world(at("2026-04-01")) {
    world.customer_with_card();
    Subscribe command = subscribe_to(price(minor));
    command.tax_rates = std::move(rates);
    command.discount = std::move(discount);
    world.subscribed_to(command);
    id = world.latest_invoice().id;
  }
  CreateCreditNote of_line(std::int64_t amount, std::int64_t given_back) const {
    CreateCreditNote command;
    command.invoice = id;
    command.recalled = world.settled(id);
    NewCreditNoteLine& line = command.lines.emplace_back();
    line.invoice_line = world.invoice(id).lines.front().id;
    line.amount = amount;
    command.credit_amount = given_back;
    return command;
  }

  Scenario world;
  InvoiceId id;
};

TEST(ACreditNote, GivesTaxAndDiscountBackInProportion) {
  struct Case {
    const char* name;
    std::int64_t price;
    std::vector<AppliedTaxRate> rates;
    std::optional<Redemption> discount;
    std::vector<std::int64_t> amounts;     ///< what the notes take back of the line, one after the other
    std::vector<std::int64_t> given_back;  ///< what each of them comes to
  };
  for (const Case& each : {
           Case{"all of it", 1000, {tax_of("20")}, {}, {1000}, {1200}},
           Case{"half of it", 1000, {tax_of("20")}, {}, {500, 500}, {600, 600}},
           Case{"a running share, a half up, and the whole in the end",
                99,
                {tax_of("5")},
                {},
                {33, 33, 33},
                {35, 34, 35}},
           Case{"in it", 1000, {tax_of("25", true)}, {}, {250, 750}, {250, 750}},
           Case{"less the discount", 1000, {tax_of("20")}, percent_off("50"), {500, 500}, {300, 300}},
           Case{"a discount that does not divide", 100, {}, amount_off(33), {50, 50}, {33, 34}},
       }) {
    Taxed given(each.price, each.rates, each.discount);
    std::int64_t sum = 0;
    for (std::size_t note = 0; note < each.amounts.size(); ++note) {
      given.world.run(given.of_line(each.amounts[note], each.given_back[note]));
      sum += each.given_back[note];
    }
    EXPECT_EQ(sum, given.world.invoice(given.id).total.minor) << each.name << ": all that was billed is back";
    std::int64_t tax = 0, discount = 0;
    for (const CreditNote& note : given.world.invoice(given.id).credit_notes)
      for (const CreditNoteLine& line : note.lines) {
        discount += line.discount;
        for (const TaxAmount& part : line.taxes) tax += part.amount;
      }
    const InvoiceLine& line = given.world.invoice(given.id).lines.front();
    EXPECT_EQ(discount, line.discount) << each.name;
    EXPECT_EQ(tax, line.taxes.empty() ? 0 : line.taxes.front().amount) << each.name;
  }
}

TEST(ACreditNote, IsRefusedThatDoesNotAddUpWithItsTax) {
  Taxed given(1000, {tax_of("20")});
  const Failure failure = given.world.refused(given.of_line(500, 500));
  EXPECT_EQ(failure.parameter, "amount");
  EXPECT_THAT(failure.detail, testing::HasSubstr("(600)"));
  Taxed nothing(1000, {tax_of("20")}, percent_off("100"));
  EXPECT_EQ(nothing.world.refused(nothing.of_line(500, 0)).parameter, "lines");
}

}  // namespace
}  // namespace billd::taxes_test
