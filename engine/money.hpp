// Amounts of money: integers in minor units with a currency, and the arithmetic that never wraps.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.hpp"

namespace billd {

/// A currency by its ISO 4217 code in lower case, as Stripe writes it ("usd"). A default-constructed one is none.
class Currency {
 public:
  constexpr Currency() = default;

  /// Accepts either case; refuses (invalid_parameter) what billd's table of currencies does not hold.
  static Result<Currency> parse(std::string_view code);

  /// For codes known when the program is written; a wrong one ends the process.
  static Currency of(std::string_view code);

  std::string_view code() const { return {code_.data(), is_none() ? 0U : 3U}; }
  bool is_none() const { return code_[0] == '\0'; }

  /// Digits after the decimal point of the major unit: 0 (jpy), 2 (usd) or 3 (kwd).
  /// Source: ISO 4217, with Stripe's zero-decimal list (isk and ugx count two decimals there).
  int decimals() const;

  bool operator==(const Currency&) const = default;

 private:
  explicit constexpr Currency(std::array<char, 3> code) : code_(code) {}
  std::array<char, 3> code_{};
};

/// An amount in minor units (cents of usd, yen of jpy). May be negative: a credit.
struct Money {
  std::int64_t minor = 0;
  Currency currency;

  bool operator==(const Money&) const = default;
};

/// A number of minor units with up to twelve decimals behind them: minor + fraction / 10^12, 0 <= fraction < 10^12.
struct Decimal {
  /// The fraction that would make one whole.
  static constexpr std::int64_t unit = 1'000'000'000'000;

  std::int64_t minor = 0;
  std::int64_t fraction = 0;

  bool is_whole() const { return fraction == 0; }

  bool operator==(const Decimal&) const = default;
};

/// Reads "12", "0.05" or "-3.5"; invalid_parameter for anything else, for more than twelve decimals and beyond 64 bits.
Result<Decimal> parse_decimal(std::string_view text);

/// "0.05": no more decimals than there are.
std::string to_text(Decimal number);

/// A share in millionths of the whole: 1 % is 10'000. Of what is stored, four decimals of a percent at most.
struct Percentage {
  std::int32_t millionths = 0;

  bool is_zero() const { return millionths == 0; }

  bool operator==(const Percentage&) const = default;
};

/// Reads percents, as in "19" or "8.875"; invalid_parameter for anything else, beyond four decimals, or not within 0
/// and 100.
Result<Percentage> parse_percentage(std::string_view text);

/// In percent: "19", "8.875".
std::string to_text(Percentage share);

/// a + b; currency_mismatch for two currencies, amount_out_of_range beyond 64 bits.
Result<Money> add(Money a, Money b);

/// amount x quantity; amount_out_of_range beyond 64 bits.
Result<Money> multiply(Money amount, std::int64_t quantity);

/// What becomes of a half of the smallest unit; more than a half goes up and less goes down in every case.
enum class Rounding : std::uint8_t {
  half_up,    ///< away from zero
  half_even,  ///< to the even neighbour: in the long run nobody gains
};

/// amount x numerator / denominator, rounded once; the denominator is positive. amount_out_of_range beyond 64 bits.
Result<Money> scale(Money amount, std::int64_t numerator, std::int64_t denominator, Rounding rounding);

/// The smallest amount of the currency that is charged; what is less is carried to the customer's next invoice. None is
/// known of a currency whose minimum is one minor unit. Source:
/// https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts.
Money minimum_charge(Currency currency);

/// Splits an amount by weights (at least one, none negative, not all zero) so that the parts sum to the whole to the
/// last minor unit. Each part is its exact share rounded towards zero; the units left over go to the largest
/// remainders, of equal ones to the earliest ("largest remainder method").
Result<std::vector<Money>> split(Money whole, std::span<const std::int64_t> weights);

/// For people: "$20.00", "¥500", "12.345 KWD": the symbol where one is in common use, else the code in capitals.
std::string to_text(Money amount);

}  // namespace billd
