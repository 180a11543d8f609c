#include "config/secrets.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace billd {
namespace {

/// Numbers of a brand: which they begin with, counted by the first `digits` digits, and how long they are.
struct Brand {
  std::size_t digits;
  std::uint32_t first, last;
  std::size_t length_min, length_max;
};

// By issuer and length, for one number in ten has a right check digit: a telephone number or an order's is no card.
constexpr std::array brands = {
    Brand{1, 4, 4, 16, 16},       Brand{1, 4, 4, 13, 13},       Brand{1, 4, 4, 19, 19},        // Visa
    Brand{2, 51, 55, 16, 16},     Brand{4, 2221, 2720, 16, 16},                                // Mastercard
    Brand{2, 34, 34, 15, 15},     Brand{2, 37, 37, 15, 15},                                    // American Express
    Brand{4, 6011, 6011, 16, 19}, Brand{3, 644, 649, 16, 19},   Brand{2, 65, 65, 16, 19},      // Discover
    Brand{3, 300, 305, 14, 14},   Brand{2, 36, 36, 14, 14},     Brand{2, 38, 39, 14, 14},      // Diners Club
    Brand{4, 3528, 3589, 16, 16},                                                              // JCB
    Brand{2, 62, 62, 16, 19},                                                                  // UnionPay
    Brand{4, 5018, 5038, 16, 19}, Brand{4, 6304, 6304, 16, 19}, Brand{4, 6759, 6763, 16, 19},  // Maestro
};
constexpr std::size_t card_digits_min = 13, card_digits_max = 19;

/// What secret keys begin with. Publishable keys ("pk_") are no secret.
constexpr std::array<std::string_view, 8> key_prefixes = {"sk_test_", "sk_live_", "rk_test_", "rk_live_",
                                                          "stest_",   "sprod_",   "ps_test_", "ps_live_"};
constexpr std::string_view signing_secret_prefix = "whsec_";
/// A prefix alone, or with an example's few letters, is none.
constexpr std::size_t key_length_min = 16;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_word(char c) { return is_digit(c) || is_letter(c); }
bool is_group_mark(char c) { return c == ' ' || c == '-'; }

struct Range {
  std::size_t begin = 0, end = 0;
};

bool passes_check_digit(std::string_view digits) {
  unsigned sum = 0;
  bool doubled = false;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, doubled = !doubled) {
    unsigned value = static_cast<unsigned>(*digit - '0') * (doubled ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return sum % 10 == 0;
}

bool is_card_number(std::string_view digits) {
  auto fits = [&](const Brand& brand) {
    std::uint32_t beginning = 0;
    for (char c : digits.substr(0, brand.digits)) beginning = beginning * 10 + static_cast<std::uint32_t>(c - '0');
    return beginning >= brand.first && beginning <= brand.last && digits.size() >= brand.length_min &&
           digits.size() <= brand.length_max;
  };
  return std::ranges::any_of(brands, fits) && passes_check_digit(digits);
}

/// The next card number from `from` on; an empty range when there is none. Each run of digits and group marks is looked
/// at as a whole, and without its last groups: a date or an amount may stand behind the number.
Range find_card_number(std::string_view text, std::size_t from) {
  for (std::size_t i = from; i < text.size(); ++i) {
    if (!is_digit(text[i])) continue;
    const bool begins = i == 0 || (!is_word(text[i - 1]) && text[i - 1] != '.');
    std::array<char, card_digits_max> digits;
    std::size_t count = 0, end = i;
    Range found;
    for (; end < text.size(); ++end) {
      if (is_digit(text[end])) {
        if (count == card_digits_max) break;
        digits[count++] = text[end];
        const bool is_last = end + 1 == text.size() || !is_word(text[end + 1]);
        if (begins && is_last && count >= card_digits_min && is_card_number({digits.data(), count}))
          found = {i, end + 1};
      } else if (!is_group_mark(text[end]) || end + 1 == text.size() || !is_digit(text[end + 1])) {
        break;
      }
    }
    if (found.end != 0) return found;
    // Behind the next group mark another number may begin.
    while (i + 1 < text.size() && is_digit(text[i + 1])) ++i;
  }
  return {};
}

Range find_key(std::string_view text, std::size_t from) {
  auto length_of_word = [&](std::size_t begin, bool is_base64) {
    std::size_t end = begin;
    while (end < text.size() && (is_word(text[end]) || text[end] == '_' ||
                                 (is_base64 && (text[end] == '+' || text[end] == '/' || text[end] == '='))))
      ++end;
    return end - begin;
  };
  for (std::size_t i = from; i < text.size(); ++i) {
    const char first = text[i];
    if (first != 's' && first != 'r' && first != 'w' && first != 'p') continue;
    const std::string_view rest = text.substr(i);
    auto begins = [&](std::string_view prefix) { return rest.starts_with(prefix); };
    const bool is_signing_secret = begins(signing_secret_prefix);
    const auto prefix = std::ranges::find_if(key_prefixes, begins);
    if (!is_signing_secret && prefix == key_prefixes.end()) continue;
    const std::size_t prefix_length = is_signing_secret ? signing_secret_prefix.size() : prefix->size();
    const std::size_t length = length_of_word(i + prefix_length, is_signing_secret);
    if (length >= key_length_min) return {i + prefix_length, i + prefix_length + length};
  }
  return {};
}

}  // namespace

bool has_card_number(std::string_view text) { return find_card_number(text, 0).end != 0; }

bool has_secret_key(std::string_view text) { return find_key(text, 0).end != 0; }

std::string without_secrets(std::string text) {
  constexpr std::size_t shown = 4;
  for (Range range = find_card_number(text, 0); range.end != 0; range = find_card_number(text, range.end)) {
    std::size_t left = shown;
    for (std::size_t i = range.end; i-- > range.begin;) {
      if (!is_digit(text[i])) continue;
      if (left > 0)
        --left;
      else
        text[i] = '*';
    }
  }
  for (Range range = find_key(text, 0); range.end != 0; range = find_key(text, range.end))
    std::fill(text.begin() + static_cast<std::ptrdiff_t>(range.begin),
              text.begin() + static_cast<std::ptrdiff_t>(range.end), '*');
  return text;
}

}  // namespace billd
