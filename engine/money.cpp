// The table of currencies and the checked arithmetic on amounts.
#include "engine/money.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <numeric>

namespace billd {
namespace {

struct CurrencyEntry {
  std::string_view code;
  int decimals;
  std::string_view symbol;
};

// The currencies that Stripe's API documents, in alphabetical order for the binary search.
constexpr CurrencyEntry currencies[] = {
    {"aed", 2, ""},    {"afn", 2, ""},    {"all", 2, ""},    {"amd", 2, ""},  {"ang", 2, ""},    {"aoa", 2, ""},
    {"ars", 2, ""},    {"aud", 2, "A$"},  {"awg", 2, ""},    {"azn", 2, ""},  {"bam", 2, ""},    {"bbd", 2, ""},
    {"bdt", 2, ""},    {"bgn", 2, ""},    {"bhd", 3, ""},    {"bif", 0, ""},  {"bmd", 2, ""},    {"bnd", 2, ""},
    {"bob", 2, ""},    {"brl", 2, "R$"},  {"bsd", 2, ""},    {"bwp", 2, ""},  {"byn", 2, ""},    {"bzd", 2, ""},
    {"cad", 2, "CA$"}, {"cdf", 2, ""},    {"chf", 2, ""},    {"clp", 0, ""},  {"cny", 2, "CN¥"}, {"cop", 2, ""},
    {"crc", 2, ""},    {"cve", 2, ""},    {"czk", 2, ""},    {"djf", 0, ""},  {"dkk", 2, ""},    {"dop", 2, ""},
    {"dzd", 2, ""},    {"egp", 2, ""},    {"etb", 2, ""},    {"eur", 2, "€"}, {"fjd", 2, ""},    {"fkp", 2, ""},
    {"gbp", 2, "£"},   {"gel", 2, ""},    {"ghs", 2, ""},    {"gip", 2, ""},  {"gmd", 2, ""},    {"gnf", 0, ""},
    {"gtq", 2, ""},    {"gyd", 2, ""},    {"hkd", 2, "HK$"}, {"hnl", 2, ""},  {"hrk", 2, ""},    {"htg", 2, ""},
    {"huf", 2, ""},    {"idr", 2, ""},    {"ils", 2, "₪"},   {"inr", 2, "₹"}, {"isk", 2, ""},    {"jmd", 2, ""},
    {"jod", 3, ""},    {"jpy", 0, "¥"},   {"kes", 2, ""},    {"kgs", 2, ""},  {"khr", 2, ""},    {"kmf", 0, ""},
    {"krw", 0, "₩"},   {"kwd", 3, ""},    {"kyd", 2, ""},    {"kzt", 2, ""},  {"lak", 2, ""},    {"lbp", 2, ""},
    {"lkr", 2, ""},    {"lrd", 2, ""},    {"lsl", 2, ""},    {"mad", 2, ""},  {"mdl", 2, ""},    {"mga", 0, ""},
    {"mkd", 2, ""},    {"mmk", 2, ""},    {"mnt", 2, ""},    {"mop", 2, ""},  {"mro", 2, ""},    {"mur", 2, ""},
    {"mvr", 2, ""},    {"mwk", 2, ""},    {"mxn", 2, "MX$"}, {"myr", 2, ""},  {"mzn", 2, ""},    {"nad", 2, ""},
    {"ngn", 2, ""},    {"nio", 2, ""},    {"nok", 2, ""},    {"npr", 2, ""},  {"nzd", 2, "NZ$"}, {"omr", 3, ""},
    {"pab", 2, ""},    {"pen", 2, ""},    {"pgk", 2, ""},    {"php", 2, "₱"}, {"pkr", 2, ""},    {"pln", 2, ""},
    {"pyg", 0, ""},    {"qar", 2, ""},    {"ron", 2, ""},    {"rsd", 2, ""},  {"rub", 2, ""},    {"rwf", 0, ""},
    {"sar", 2, ""},    {"sbd", 2, ""},    {"scr", 2, ""},    {"sek", 2, ""},  {"sgd", 2, ""},    {"shp", 2, ""},
    {"sle", 2, ""},    {"sll", 2, ""},    {"sos", 2, ""},    {"srd", 2, ""},  {"std", 2, ""},    {"svc", 2, ""},
    {"szl", 2, ""},    {"thb", 2, ""},    {"tjs", 2, ""},    {"tnd", 3, ""},  {"top", 2, ""},    {"try", 2, ""},
    {"ttd", 2, ""},    {"twd", 2, "NT$"}, {"tzs", 2, ""},    {"uah", 2, ""},  {"ugx", 2, ""},    {"usd", 2, "$"},
    {"uyu", 2, ""},    {"uzs", 2, ""},    {"vnd", 0, "₫"},   {"vuv", 0, ""},  {"wst", 2, ""},    {"xaf", 0, ""},
    {"xcd", 2, ""},    {"xof", 0, ""},    {"xpf", 0, ""},    {"yer", 2, ""},  {"zar", 2, ""},    {"zmw", 2, ""}};
static_assert(std::ranges::is_sorted(currencies, {}, &CurrencyEntry::code));

const CurrencyEntry* find_currency(std::string_view code) {
  const auto* entry = std::ranges::lower_bound(currencies, code, {}, &CurrencyEntry::code);
  return entry != std::end(currencies) && entry->code == code ? entry : nullptr;
}

struct SmallestCharge {
  std::string_view code;
  std::int64_t minor;
};

// Source: https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts, as of 2023.
constexpr SmallestCharge smallest_charges[] = {
    {"aed", 200}, {"aud", 50},   {"bgn", 100},  {"brl", 50},  {"cad", 50}, {"chf", 50},    {"czk", 1500},
    {"dkk", 250}, {"eur", 50},   {"gbp", 30},   {"hkd", 400}, {"hrk", 50}, {"huf", 17500}, {"inr", 50},
    {"jpy", 50},  {"mxn", 1000}, {"myr", 200},  {"nok", 300}, {"nzd", 50}, {"pln", 200},   {"ron", 200},
    {"sek", 300}, {"sgd", 50},   {"thb", 1000}, {"usd", 50}};
static_assert(std::ranges::is_sorted(smallest_charges, {}, &SmallestCharge::code));

Failure out_of_range(std::string_view what) { return {Errc::amount_out_of_range, std::string(what)}; }

constexpr std::size_t decimals_max = 12;
/// "5" and "50" behind a point are the same: with `places` digits.
std::string digits_behind(std::int64_t fraction, std::size_t places) {
  std::string digits = std::to_string(fraction);
  digits.insert(0, places - digits.size(), '0');
  digits.erase(digits.find_last_not_of('0') + 1);
  return digits;
}

bool is_digit(char letter) { return letter >= '0' && letter <= '9'; }

}  // namespace

Result<Currency> Currency::parse(std::string_view code) {
  std::string lower(code);
  for (char& letter : lower)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  if (find_currency(lower) == nullptr)
    return Failure{Errc::invalid_parameter, "Invalid currency: " + lower, "currency"};
  return Currency({lower[0], lower[1], lower[2]});
}

Currency Currency::of(std::string_view code) {
  auto parsed = parse(code);
  BILLD_CHECK(parsed.has_value(), code);
  return *parsed;
}

int Currency::decimals() const {
  const CurrencyEntry* entry = find_currency(code());
  return entry != nullptr ? entry->decimals : 2;
}

Result<Decimal> parse_decimal(std::string_view text) {
  const Failure malformed{Errc::invalid_parameter, "Invalid decimal: " + std::string(text)};
  const bool negative = text.starts_with('-');
  std::string_view digits = text.substr(negative ? 1 : 0);
  const std::size_t point = digits.find('.');
  const std::string_view behind = point == std::string_view::npos ? std::string_view() : digits.substr(point + 1);
  digits = digits.substr(0, point);
  const bool has_point = point != std::string_view::npos;
  if (digits.empty() || !std::ranges::all_of(digits, is_digit) || !std::ranges::all_of(behind, is_digit) ||
      (has_point && behind.empty()) || behind.size() > decimals_max)
    return malformed;
  Decimal number;
  const auto whole = std::from_chars(digits.data(), digits.data() + digits.size(), number.minor);
  if (whole.ec != std::errc()) return malformed;
  for (std::size_t place = 0; place < decimals_max; ++place)
    number.fraction = number.fraction * 10 + (place < behind.size() ? behind[place] - '0' : 0);
  if (!negative) return number;
  // The fraction counts upwards from the next lower whole.
  number.minor = -number.minor - (number.fraction == 0 ? 0 : 1);
  if (number.fraction != 0) number.fraction = Decimal::unit - number.fraction;
  return number;
}

std::string to_text(Decimal number) {
  if (number.is_whole()) return std::to_string(number.minor);
  const bool negative = number.minor < 0;
  const std::int64_t whole = negative ? -(number.minor + 1) : number.minor;
  const std::int64_t fraction = negative ? Decimal::unit - number.fraction : number.fraction;
  return (negative ? "-" : "") + std::to_string(whole) + "." + digits_behind(fraction, decimals_max);
}

Result<Percentage> parse_percentage(std::string_view text) {
  constexpr std::int64_t scale = 10'000, smallest = Decimal::unit / scale;
  const auto number = parse_decimal(text);
  if (!number || number->fraction % smallest != 0)
    return Failure{Errc::invalid_parameter, "Invalid percentage: " + std::string(text)};
  if (number->minor < 0 || number->minor > 100 || (number->minor == 100 && number->fraction != 0))
    return Failure{Errc::invalid_parameter, "A percentage must be between 0 and 100."};
  return Percentage{static_cast<std::int32_t>(number->minor * scale + number->fraction / smallest)};
}

std::string to_text(Percentage share) {
  constexpr std::int32_t scale = 10'000;
  std::string text = std::to_string(share.millionths / scale);
  if (share.millionths % scale != 0) text.append(".").append(digits_behind(share.millionths % scale, 4));
  return text;
}

Result<Money> add(Money a, Money b) {
  if (a.currency != b.currency)
    return Failure{Errc::currency_mismatch,
                   "cannot add " + std::string(b.currency.code()) + " to " + std::string(a.currency.code())};
  Money sum{0, a.currency};
  if (__builtin_add_overflow(a.minor, b.minor, &sum.minor)) return out_of_range("the sum does not fit 64 bits");
  return sum;
}

Result<Money> multiply(Money amount, std::int64_t quantity) {
  Money product{0, amount.currency};
  if (__builtin_mul_overflow(amount.minor, quantity, &product.minor))
    return out_of_range("the product does not fit 64 bits");
  return product;
}

Result<Money> scale(Money amount, std::int64_t numerator, std::int64_t denominator, Rounding rounding) {
  BILLD_CHECK(denominator > 0, "a share of nothing");
  // The product of two numbers of 64 bits fits 127, and the doubled remainder is below 65.
  const __int128 product = static_cast<__int128>(amount.minor) * numerator;
  __int128 quotient = product / denominator;
  const __int128 remainder = product % denominator;
  const __int128 doubled = 2 * (remainder < 0 ? -remainder : remainder);
  const bool is_half = doubled == denominator;
  const bool away = is_half ? rounding == Rounding::half_up || quotient % 2 != 0 : doubled > denominator;
  if (away) quotient += product < 0 ? -1 : 1;
  if (quotient > std::numeric_limits<std::int64_t>::max() || quotient < std::numeric_limits<std::int64_t>::min())
    return out_of_range("the share does not fit 64 bits");
  return Money{static_cast<std::int64_t>(quotient), amount.currency};
}

Money minimum_charge(Currency currency) {
  const auto* entry = std::ranges::lower_bound(smallest_charges, currency.code(), {}, &SmallestCharge::code);
  const bool known = entry != std::end(smallest_charges) && entry->code == currency.code();
  return {known ? entry->minor : 1, currency};
}

Result<std::vector<Money>> split(Money whole, std::span<const std::int64_t> weights) {
  __int128 total = 0;
  for (std::int64_t weight : weights) {
    if (weight < 0) return Failure{Errc::invalid_parameter, "a weight is negative"};
    total += weight;
  }
  if (total == 0) return Failure{Errc::invalid_parameter, "the weights are all zero"};

  std::vector<Money> parts(weights.size(), Money{0, whole.currency});
  std::vector<std::pair<__int128, std::size_t>> remainders(weights.size());
  std::int64_t left = whole.minor;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    __int128 share = static_cast<__int128>(whole.minor) * weights[i];
    parts[i].minor = static_cast<std::int64_t>(share / total);
    left -= parts[i].minor;
    __int128 remainder = share % total;
    remainders[i] = {remainder < 0 ? -remainder : remainder, i};
  }
  std::ranges::sort(remainders, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  const std::int64_t unit = left < 0 ? -1 : 1;
  for (std::size_t i = 0; left != 0; ++i, left -= unit) parts[remainders[i].second].minor += unit;
  return parts;
}

std::string to_text(Money amount) {
  const int decimals = amount.currency.decimals();
  const bool negative = amount.minor < 0;
  // The magnitude of the smallest 64-bit number is only representable without a sign.
  std::uint64_t magnitude =
      negative ? 0 - static_cast<std::uint64_t>(amount.minor) : static_cast<std::uint64_t>(amount.minor);
  std::string digits = std::to_string(magnitude);
  if (decimals > 0) {
    const auto places = static_cast<std::size_t>(decimals);
    if (digits.size() <= places) digits.insert(0, places + 1 - digits.size(), '0');
    digits.insert(digits.size() - places, 1, '.');
  }
  const CurrencyEntry* entry = find_currency(amount.currency.code());
  std::string text = negative ? "-" : "";
  if (entry != nullptr && !entry->symbol.empty()) return text.append(entry->symbol).append(digits);
  text.append(digits);
  if (!amount.currency.is_none()) text += ' ';
  for (char letter : amount.currency.code()) text += static_cast<char>(letter - 'a' + 'A');
  return text;
}

}  // namespace billd
