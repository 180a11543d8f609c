// What prices accept and come to: by the unit, to twelve decimals, in tiers, in packages.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "tests/engine/scenario.hpp"

namespace billd::price_test {
namespace {

constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();

Decimal decimal(const char* text) {
  auto parsed = parse_decimal(text);
  EXPECT_TRUE(parsed.has_value()) << text;
  return *parsed;
}

Price by_the_unit(const char* amount) {
  Price price = test::price(0);
  price.unit_amount.minor = decimal(amount).minor;
  price.unit_fraction = decimal(amount).fraction;
  return price;
}

Price tiered(TiersMode mode, std::vector<Tier> tiers) {
  Price price = test::price(0);
  price.tiers_mode = mode;
  price.tiers = std::move(tiers);
  return price;
}

Price in_packages(std::int64_t minor, std::int64_t size, bool round_up) {
  Price price = test::price(minor);
  price.transform = {size, round_up};
  return price;
}

// The example of https://docs.stripe.com/products-prices/pricing-models: 1-5 at $5, 6-10 at $4, then $3.
const std::vector<Tier> by_tens = {{5, {500}, {}}, {10, {400}, {}}, {0, {300}, {}}};
const std::vector<Tier> with_flat = {{5, {500}, {1000}}, {10, {400}, {2000}}, {0, {300}, {3000}}};

TEST(ADecimal, IsReadAndWritten) {
  struct Case {
    const char* text;
    std::int64_t minor, fraction;
  };
  for (const Case& each : {Case{"0", 0, 0}, Case{"12", 12, 0}, Case{"0.05", 0, 50'000'000'000},
                           Case{"3.000000000001", 3, 1}, Case{"-3.5", -4, 500'000'000'000}, Case{"-7", -7, 0},
                           Case{"-0.000000000001", -1, 999'999'999'999}, Case{"9223372036854775807", largest, 0}}) {
    const auto read = parse_decimal(each.text);
    ASSERT_TRUE(read.has_value()) << each.text;
    EXPECT_EQ(*read, (Decimal{each.minor, each.fraction})) << each.text;
    EXPECT_EQ(to_text(*read), each.text);
  }
  EXPECT_EQ(parse_decimal("1.50")->fraction, 500'000'000'000);
  for (const char* text :
       {"", "-", ".5", "5.", "1e3", "1,5", " 1", "1.0000000000001", "9223372036854775808", "+1", "--1"})
    EXPECT_FALSE(parse_decimal(text).has_value()) << text;
}

TEST(APercentage, IsReadAndWrittenToFourDecimals) {
  for (const char* text : {"0", "19", "8.875", "100", "0.0001", "33.3333"}) {
    const auto read = parse_percentage(text);
    ASSERT_TRUE(read.has_value()) << text;
    EXPECT_EQ(to_text(*read), text);
  }
  EXPECT_EQ(parse_percentage("8.875")->millionths, 88'750);
  for (const char* text : {"", "100.0001", "101", "-1", "0.00001", "x"})
    EXPECT_FALSE(parse_percentage(text).has_value()) << text;
}

TEST(APrice, CostsWhatItsTableSays) {
  struct Case {
    const char* name;
    Price price;
    std::int64_t quantity, cost;
  };
  const std::vector<Case> table = {
      {"a unit", test::price(999), 1, 999},
      {"none", test::price(999), 0, 0},
      {"many", test::price(999), 1'000'000'007, 999'000'006'993},
      {"a twentieth of a cent, nine times", by_the_unit("0.05"), 9, 0},
      {"and ten times: a half goes up", by_the_unit("0.05"), 10, 1},
      {"and thirty times", by_the_unit("0.05"), 30, 2},
      {"added up before it is rounded", by_the_unit("33.333333333333"), 3, 100},
      {"the last decimal counts", by_the_unit("0.499999999999"), 1, 0},
      {"the last decimal counts in numbers", by_the_unit("0.000000000001"), 500'000'000'000, 1},
      {"graduated, in the first tier", tiered(TiersMode::graduated, by_tens), 5, 2500},
      {"graduated, one further", tiered(TiersMode::graduated, by_tens), 6, 2900},
      {"graduated, at the second end", tiered(TiersMode::graduated, by_tens), 10, 4500},
      {"graduated, beyond", tiered(TiersMode::graduated, by_tens), 20, 7500},
      {"graduated, none", tiered(TiersMode::graduated, by_tens), 0, 0},
      {"graduated with flat amounts, none", tiered(TiersMode::graduated, with_flat), 0, 1000},
      {"graduated with flat amounts, first", tiered(TiersMode::graduated, with_flat), 5, 3500},
      {"graduated with flat amounts, second", tiered(TiersMode::graduated, with_flat), 6, 5900},
      {"graduated with flat amounts, third", tiered(TiersMode::graduated, with_flat), 11, 10800},
      {"volume, in the first tier", tiered(TiersMode::volume, by_tens), 5, 2500},
      {"volume, one further", tiered(TiersMode::volume, by_tens), 6, 2400},
      {"volume, beyond", tiered(TiersMode::volume, by_tens), 20, 6000},
      {"volume with flat amounts", tiered(TiersMode::volume, with_flat), 20, 9000},
      {"volume with flat amounts, none", tiered(TiersMode::volume, with_flat), 0, 1000},
      {"tiers with decimals, rounded once",
       tiered(TiersMode::graduated, {{1, decimal("0.3"), {}}, {0, decimal("0.2"), {}}}), 2, 1},
      {"packages, full ones", in_packages(700, 100, false), 199, 700},
      {"packages, begun ones", in_packages(700, 100, true), 101, 1400},
      {"packages, exactly", in_packages(700, 100, true), 100, 700},
      {"packages, none", in_packages(700, 100, true), 0, 0},
      {"packages, the largest quantity", in_packages(1, largest, true), largest, 1},
  };
  for (const Case& each : table) {
    ASSERT_TRUE(check_price(each.price).has_value()) << each.name;
    const auto cost = cost_of(each.price, each.quantity);
    ASSERT_TRUE(cost.has_value()) << each.name;
    EXPECT_EQ(cost->minor, each.cost) << each.name;
    EXPECT_EQ(cost->currency, each.price.currency()) << each.name;
  }
}

TEST(APrice, OfNegativeAmountsRoundsAHalfAwayFromZero) {
  EXPECT_EQ(cost_of(by_the_unit("-0.5"), 1)->minor, -1);
  EXPECT_EQ(cost_of(by_the_unit("-0.4"), 1)->minor, 0);
  EXPECT_EQ(cost_of(by_the_unit("-0.5"), 3)->minor, -2);
  EXPECT_EQ(cost_of(by_the_unit("-1.25"), 2)->minor, -3);
}

TEST(APrice, BeyondSixtyFourBitsIsRefused) {
  EXPECT_EQ(cost_of(test::price(1), largest)->minor, largest);
  for (const Price& price : {test::price(2), by_the_unit("1.5"), tiered(TiersMode::volume, {{0, {1}, {1}}}),
                             tiered(TiersMode::graduated, {{largest - 1, {1}, {2}}, {0, {1}, {}}})}) {
    const auto cost = cost_of(price, largest);
    ASSERT_FALSE(cost.has_value());
    EXPECT_EQ(cost.error().code, Errc::amount_out_of_range);
  }
}

TEST(APrice, ThatContradictsItselfIsRefusedWithItsParameter) {
  struct Case {
    const char* parameter;
    void (*spoil)(Price&);
  };
  for (const Case& each : {Case{"currency", [](Price& price) { price.unit_amount.currency = Currency(); }},
                           Case{"unit_amount", [](Price& price) { price.unit_amount.minor = -1; }},
                           Case{"unit_amount", [](Price& price) { price.unit_fraction = 1'000'000'000'000; }},
                           Case{"unit_amount", [](Price& price) { price.unit_fraction = -1; }},
                           Case{"tiers", [](Price& price) { price.tiers = by_tens; }},
                           Case{"tiers", [](Price& price) { price.tiers_mode = TiersMode::volume; }},
                           Case{"tiers",
                                [](Price& price) {
                                  price.tiers_mode = TiersMode::volume;
                                  price.tiers = {{5, {1}, {}}};
                                }},
                           Case{"tiers",
                                [](Price& price) {
                                  price.tiers_mode = TiersMode::graduated;
                                  price.tiers = {{0, {1}, {}}, {0, {1}, {}}};
                                }},
                           Case{"tiers",
                                [](Price& price) {
                                  price.tiers_mode = TiersMode::graduated;
                                  price.tiers = {{5, {1}, {}}, {5, {1}, {}}, {0, {1}, {}}};
                                }},
                           Case{"tiers",
                                [](Price& price) {
                                  price.tiers_mode = TiersMode::graduated;
                                  price.tiers = {{0, {-1}, {}}};
                                }},
                           Case{"transform_quantity",
                                [](Price& price) {
                                  price.tiers_mode = TiersMode::graduated;
                                  price.tiers = by_tens;
                                  price.transform.divide_by = 2;
                                }},
                           Case{"transform_quantity", [](Price& price) { price.transform.divide_by = -1; }},
                           Case{"aggregate_usage", [](Price& price) { price.aggregation = Aggregation::max; }},
                           Case{"recurring",
                                [](Price& price) {
                                  price.one_time = true;
                                  price.usage_type = UsageType::metered;
                                }},
                           Case{"interval_count", [](Price& price) { price.recurrence.count = 0; }}}) {
    Price price = test::price(100);
    ASSERT_TRUE(check_price(price).has_value());
    each.spoil(price);
    const auto checked = check_price(price);
    ASSERT_FALSE(checked.has_value()) << each.parameter;
    EXPECT_EQ(checked.error().code, Errc::invalid_parameter) << each.parameter;
    EXPECT_EQ(checked.error().parameter, each.parameter) << checked.error().detail;
  }
}

// One unit after the other, each at its own tier's price, is the slow way to say the same.
RC_GTEST_PROP(APrice, GraduatedIsTheSumOfItsUnits, ()) {
  std::vector<Tier> tiers;
  std::int64_t end = 0;
  for (int count = *rc::gen::inRange(0, 4); count > 0; --count) {
    end += *rc::gen::inRange<std::int64_t>(1, 9);
    tiers.push_back({end,
                     {*rc::gen::inRange<std::int64_t>(0, 50), *rc::gen::inRange<std::int64_t>(0, 1'000'000'000'000)},
                     {*rc::gen::inRange<std::int64_t>(0, 50), 0}});
  }
  tiers.push_back({0, {*rc::gen::inRange<std::int64_t>(0, 50), 0}, {}});
  const Price price = tiered(TiersMode::graduated, tiers);
  const auto quantity = *rc::gen::inRange<std::int64_t>(1, 40);
  std::int64_t minor = 0, fraction = 0;
  std::size_t tier = 0;
  minor += tiers[0].flat_amount.minor;
  for (std::int64_t unit = 1; unit <= quantity; ++unit) {
    while (tiers[tier].up_to != 0 && unit > tiers[tier].up_to) minor += tiers[++tier].flat_amount.minor;
    minor += tiers[tier].unit_amount.minor;
    fraction += tiers[tier].unit_amount.fraction;
  }
  minor += (fraction + 500'000'000'000) / 1'000'000'000'000;
  RC_ASSERT(cost_of(price, quantity)->minor == minor);
}

}  // namespace
}  // namespace billd::price_test
