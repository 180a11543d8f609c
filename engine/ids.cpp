// How identifiers are made and read.
#include "engine/ids.hpp"

#include <algorithm>

#include "engine/result.hpp"

namespace billd {
namespace {

constexpr std::string_view digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

int digit_value(char character) {
  if (character >= '0' && character <= '9') return character - '0';
  if (character >= 'A' && character <= 'Z') return character - 'A' + 10;
  if (character >= 'a' && character <= 'z') return character - 'a' + 36;
  return -1;
}

bool is_base62(std::string_view text) {
  return std::ranges::all_of(text, [](char character) { return digit_value(character) >= 0; });
}

/// No account draws as many identifiers; a foreign one decodes to a number anywhere in 64 bits.
constexpr std::uint64_t plausible_objects_max = std::uint64_t{1} << 40;

// The finalizer of splitmix64 is a bijection of 64-bit numbers: each step can be undone.
constexpr std::uint64_t first_factor = 0xbf58476d1ce4e5b9, second_factor = 0x94d049bb133111eb;

constexpr std::uint64_t scramble(std::uint64_t x) {
  x = (x ^ (x >> 30)) * first_factor;
  x = (x ^ (x >> 27)) * second_factor;
  return x ^ (x >> 31);
}

/// The inverse of an odd factor modulo 2^64, by Newton's iteration.
constexpr std::uint64_t inverse(std::uint64_t factor) {
  std::uint64_t result = factor;
  for (int round = 0; round < 6; ++round) result *= 2 - factor * result;
  return result;
}

constexpr std::uint64_t unscramble(std::uint64_t x) {
  x = (x ^ (x >> 31) ^ (x >> 62)) * inverse(second_factor);
  x = (x ^ (x >> 27) ^ (x >> 54)) * inverse(first_factor);
  return x ^ (x >> 30) ^ (x >> 60);
}
static_assert(unscramble(scramble(0x0123456789abcdef)) == 0x0123456789abcdef);

}  // namespace

std::optional<AccountKey> AccountKey::parse(std::string_view text) {
  if (text.size() != account_key_length || !is_base62(text)) return std::nullopt;
  return AccountKey(std::string(text));
}

std::optional<AccountKey> AccountKey::of_id(std::string_view id) {
  const std::string_view body = id_body(id);
  if (body.size() != id_body_length) return std::nullopt;
  auto key = parse(body.substr(0, account_key_length));
  if (!key) return std::nullopt;
  const auto number = object_number(*key, body.substr(account_key_length));
  if (!number || *number > plausible_objects_max) return std::nullopt;
  return key;
}

AccountKey AccountKey::from_bits(std::uint64_t high, std::uint64_t low) {
  std::string value = base62(high, account_key_length / 2) + base62(low, account_key_length / 2);
  if (value.front() == adopted_live_mark || value.front() == adopted_test_mark) --value.front();
  return AccountKey(std::move(value));
}

AccountKey AccountKey::adopted(char mark, std::uint64_t hash) {
  BILLD_CHECK(mark == adopted_live_mark || mark == adopted_test_mark, "an adopted account's key begins with a mark");
  return AccountKey(mark + base62(hash, account_key_length - 1));
}

std::uint32_t AccountKey::partition(std::uint32_t count) const {
  return static_cast<std::uint32_t>(fnv1a(value_) % count);
}

std::string_view id_body(std::string_view id) {
  // The one prefix of two words.
  if (id.starts_with(ScheduleKind::prefix)) return id.substr(ScheduleKind::prefix.size());
  const std::size_t underscore = id.find('_');
  return underscore == std::string_view::npos ? id : id.substr(underscore + 1);
}

std::string object_suffix(const AccountKey& account, std::uint64_t number) {
  return base62(scramble(number ^ fnv1a(account.value())), id_body_length - account_key_length);
}

std::optional<std::uint64_t> object_number(const AccountKey& account, std::string_view suffix) {
  const auto value = parse_base62(suffix);
  if (!value || suffix.size() != id_body_length - account_key_length) return std::nullopt;
  return unscramble(*value) ^ fnv1a(account.value());
}

std::string base62(std::uint64_t value, std::size_t width) {
  std::string text(width, '0');
  for (std::size_t place = width; place-- > 0 && value != 0; value /= 62) text[place] = digits[value % 62];
  return text;
}

std::optional<std::uint64_t> parse_base62(std::string_view text) {
  std::uint64_t value = 0;
  for (char character : text) {
    const int digit = digit_value(character);
    if (digit < 0) return std::nullopt;
    if (__builtin_mul_overflow(value, std::uint64_t{62}, &value)) return std::nullopt;
    if (__builtin_add_overflow(value, static_cast<std::uint64_t>(digit), &value)) return std::nullopt;
  }
  return value;
}

std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (char byte : bytes) {
    hash ^= static_cast<unsigned char>(byte);
    hash *= 0x100000001b3;
  }
  return hash;
}

}  // namespace billd
