// Amounts: arithmetic that never wraps, shares that sum to the whole, and how they are written.
#include "engine/money.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <limits>
#include <numeric>

namespace billd::money_test {
namespace {

constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t smallest = std::numeric_limits<std::int64_t>::min();

Money usd(std::int64_t minor) { return {minor, Currency::of("usd")}; }

std::vector<std::int64_t> shares(std::int64_t minor, std::vector<std::int64_t> weights) {
  std::vector<std::int64_t> result;
  for (const Money& part : split(usd(minor), weights).value()) result.push_back(part.minor);
  return result;
}

TEST(Currency, IsReadInEitherCaseAndWrittenInLowerCase) {
  EXPECT_EQ(Currency::parse("USD")->code(), "usd");
  EXPECT_EQ(Currency::parse("eUr")->code(), "eur");
  EXPECT_EQ(Currency::of("usd"), *Currency::parse("USD"));
}

TEST(Currency, ThatIsNotInTheTableIsRefusedByName) {
  for (std::string_view code : {"", "us", "usdx", "xxx", "u$d", "€"}) {
    auto parsed = Currency::parse(code);
    ASSERT_FALSE(parsed) << code;
    EXPECT_EQ(parsed.error().code, Errc::invalid_parameter);
    EXPECT_EQ(parsed.error().parameter, "currency");
    EXPECT_EQ(parsed.error().detail, "Invalid currency: " + std::string(code));
  }
}

TEST(Currency, HasTheDecimalsOfIso4217WithStripesExceptions) {
  for (std::string_view code :
       {"bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"})
    EXPECT_EQ(Currency::of(code).decimals(), 0) << code;
  for (std::string_view code : {"usd", "eur", "gbp", "isk", "ugx", "huf", "twd"})
    EXPECT_EQ(Currency::of(code).decimals(), 2) << code;
  for (std::string_view code : {"bhd", "jod", "kwd", "omr", "tnd"}) EXPECT_EQ(Currency::of(code).decimals(), 3) << code;
}

TEST(Currency, NoneIsNotAnyCurrency) {
  EXPECT_TRUE(Currency().is_none());
  EXPECT_EQ(Currency().code(), "");
  EXPECT_FALSE(Currency::of("usd").is_none());
  EXPECT_NE(Currency(), Currency::of("usd"));
}

TEST(Money, SumsUpToTheEdgesOf64BitsAndNotBeyond) {
  EXPECT_EQ(add(usd(largest - 1), usd(1)).value(), usd(largest));
  EXPECT_EQ(add(usd(smallest + 1), usd(-1)).value(), usd(smallest));
  EXPECT_EQ(add(usd(largest), usd(smallest)).value(), usd(-1));
  EXPECT_EQ(add(usd(largest), usd(1)).error().code, Errc::amount_out_of_range);
  EXPECT_EQ(add(usd(smallest), usd(-1)).error().code, Errc::amount_out_of_range);
}

TEST(Money, OfTwoCurrenciesHasNoSum) {
  auto sum = add(usd(1), Money{1, Currency::of("eur")});
  ASSERT_FALSE(sum);
  EXPECT_EQ(sum.error().code, Errc::currency_mismatch);
  EXPECT_EQ(sum.error().detail, "cannot add eur to usd");
}

TEST(Money, IsMultipliedUpToTheEdgesOf64BitsAndNotBeyond) {
  EXPECT_EQ(multiply(usd(1999), 3).value(), usd(5997));
  EXPECT_EQ(multiply(usd(largest), 1).value(), usd(largest));
  EXPECT_EQ(multiply(usd(smallest), 1).value(), usd(smallest));
  EXPECT_EQ(multiply(usd(largest), 0).value(), usd(0));
  EXPECT_EQ(multiply(usd(largest), 2).error().code, Errc::amount_out_of_range);
  EXPECT_EQ(multiply(usd(smallest), -1).error().code, Errc::amount_out_of_range);
}

TEST(Split, GivesWhatIsLeftOverToTheLargestRemaindersAndOfEqualOnesToTheEarliest) {
  EXPECT_EQ(shares(100, {1, 1, 1}), (std::vector<std::int64_t>{34, 33, 33}));
  EXPECT_EQ(shares(-100, {1, 1, 1}), (std::vector<std::int64_t>{-34, -33, -33}));
  EXPECT_EQ(shares(5, {3, 7}), (std::vector<std::int64_t>{2, 3}));         // 1.5 and 3.5
  EXPECT_EQ(shares(10, {1, 2, 4}), (std::vector<std::int64_t>{1, 3, 6}));  // 1.43, 2.86 and 5.71
  EXPECT_EQ(shares(1, {0, 0, 5, 0}), (std::vector<std::int64_t>{0, 0, 1, 0}));
  EXPECT_EQ(shares(0, {1, 2}), (std::vector<std::int64_t>{0, 0}));
}

TEST(Split, HoldsAtTheEdgesOf64Bits) {
  EXPECT_EQ(shares(largest, {largest, largest}), (std::vector<std::int64_t>{largest / 2 + 1, largest / 2}));
  EXPECT_EQ(shares(smallest, {largest}), (std::vector<std::int64_t>{smallest}));
  EXPECT_EQ(shares(smallest, {1, 1}), (std::vector<std::int64_t>{smallest / 2, smallest / 2}));
}

TEST(Split, RefusesWeightsThatSayNothing) {
  for (const std::vector<std::int64_t>& weights :
       {std::vector<std::int64_t>{}, std::vector<std::int64_t>{0, 0}, std::vector<std::int64_t>{2, -1}}) {
    auto parts = split(usd(100), weights);
    ASSERT_FALSE(parts);
    EXPECT_EQ(parts.error().code, Errc::invalid_parameter);
  }
}

RC_GTEST_PROP(Split, SumsToTheWholeAndIsNeverOffByAUnit, ()) {
  const auto whole = *rc::gen::arbitrary<std::int64_t>();
  const auto weights = *rc::gen::nonEmpty(rc::gen::container<std::vector<std::int64_t>>(rc::gen::oneOf(
      rc::gen::just(std::int64_t{0}), rc::gen::inRange<std::int64_t>(0, 1000), rc::gen::nonNegative<std::int64_t>())));
  __int128 total = 0;
  for (std::int64_t weight : weights) total += weight;
  RC_PRE(total > 0);

  const auto parts = split(usd(whole), weights).value();

  RC_ASSERT(parts.size() == weights.size());
  __int128 sum = 0;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    sum += parts[i].minor;
    RC_ASSERT(parts[i].currency == Currency::of("usd"));
    const __int128 rounded = static_cast<__int128>(whole) * weights[i] / total;  // towards zero
    const __int128 extra = parts[i].minor - rounded;
    const bool at_most_a_unit_away_from_zero = extra == 0 || extra == (whole < 0 ? -1 : 1);
    RC_ASSERT(at_most_a_unit_away_from_zero);
    if (weights[i] == 0) RC_ASSERT(parts[i].minor == 0);
  }
  RC_ASSERT(sum == whole);
}

TEST(Money, IsWrittenWithItsSymbolOrItsCode) {
  struct {
    std::int64_t minor;
    std::string_view currency, text;
  } const cases[] = {
      {2000, "usd", "$20.00"},
      {5, "usd", "$0.05"},
      {0, "usd", "$0.00"},
      {-1999, "usd", "-$19.99"},
      {500, "jpy", "¥500"},
      {12345, "kwd", "12.345 KWD"},
      {7, "kwd", "0.007 KWD"},
      {-7, "chf", "-0.07 CHF"},
      {100, "eur", "€1.00"},
      {100, "cad", "CA$1.00"},
      {100000, "xof", "100000 XOF"},
      {smallest, "usd", "-$92233720368547758.08"},
      {largest, "jpy", "¥9223372036854775807"},
  };
  for (const auto& given : cases) EXPECT_EQ(to_text(Money{given.minor, Currency::of(given.currency)}), given.text);
  EXPECT_EQ(to_text(Money{}), "0.00");
}

TEST(AShare, IsRoundedOnceByTheNamedRule) {
  struct {
    std::int64_t minor, numerator, denominator, half_up, half_even;
  } const cases[] = {
      {100, 1, 4, 25, 25},
      {101, 1, 4, 25, 25},
      {102, 1, 4, 26, 26},
      {103, 1, 4, 26, 26},
      {1, 1, 2, 1, 0},
      {3, 1, 2, 2, 2},
      {5, 1, 2, 3, 2},
      {-1, 1, 2, -1, 0},
      {-3, 1, 2, -2, -2},
      {-5, 1, 2, -3, -2},
      {-101, 1, 4, -25, -25},
      {-103, 1, 4, -26, -26},
      {2, 2, 3, 1, 1},
      {1, 1, 3, 0, 0},
      {0, 7, 9, 0, 0},
      {1000, 0, 5, 0, 0},
      {100, -1, 8, -13, -12},
      {largest, 1, 1, largest, largest},
      {smallest, 1, 1, smallest, smallest},
      {largest, largest, largest, largest, largest},
  };
  for (const auto& given : cases) {
    const std::string name = std::to_string(given.minor) + " x " + std::to_string(given.numerator) + " / " +
                             std::to_string(given.denominator);
    EXPECT_EQ(scale(usd(given.minor), given.numerator, given.denominator, Rounding::half_up)->minor, given.half_up)
        << name;
    EXPECT_EQ(scale(usd(given.minor), given.numerator, given.denominator, Rounding::half_even)->minor, given.half_even)
        << name;
  }
  EXPECT_EQ(scale(usd(largest), 2, 1, Rounding::half_up).error().code, Errc::amount_out_of_range);
  EXPECT_EQ(scale(usd(smallest), 3, 2, Rounding::half_even).error().code, Errc::amount_out_of_range);
}

RC_GTEST_PROP(AShare, IsAtMostHalfAUnitFromTheExactOne, ()) {
  const auto minor = *rc::gen::arbitrary<std::int64_t>();
  const auto denominator = *rc::gen::inRange<std::int64_t>(1, std::int64_t{1} << 40);
  const auto numerator = *rc::gen::inRange<std::int64_t>(0, denominator + 1);
  for (const Rounding rounding : {Rounding::half_up, Rounding::half_even}) {
    const auto share = scale(usd(minor), numerator, denominator, rounding);
    RC_ASSERT(share.has_value());
    const __int128 error = static_cast<__int128>(share->minor) * denominator - static_cast<__int128>(minor) * numerator;
    RC_ASSERT(2 * (error < 0 ? -error : error) <= denominator);
  }
}

TEST(TheSmallestCharge, IsThatOfItsCurrency) {
  const std::pair<const char*, std::int64_t> cases[] = {{"usd", 50}, {"jpy", 50}, {"mxn", 1000}, {"kwd", 1}};
  for (const auto& [currency, minor] : cases)
    EXPECT_EQ(minimum_charge(Currency::of(currency)), (Money{minor, Currency::of(currency)}));
}

}  // namespace
}  // namespace billd::money_test
