#include "config/keys.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <cstdint>

#include "engine/result.hpp"

namespace billd {
namespace {

constexpr std::string_view base62_digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::size_t checksum_length = 6;  // 62^6 > 2^32

struct KeyFormat {
  std::string_view prefix;
  Mode mode;
  KeyKind kind;
  std::size_t random_length;
};

/// What a key may begin with.
constexpr std::array key_formats = {
    KeyFormat{"sk_test_", Mode::test, KeyKind::stripe, 32}, KeyFormat{"sk_live_", Mode::live, KeyKind::stripe, 32},
    KeyFormat{"stest_", Mode::test, KeyKind::stancer, 18},  KeyFormat{"sprod_", Mode::live, KeyKind::stancer, 18},
    KeyFormat{"ps_test_", Mode::test, KeyKind::person, 32}, KeyFormat{"ps_live_", Mode::live, KeyKind::person, 32},
};

const KeyFormat* format_of(std::string_view key) {
  auto matches = [key](const KeyFormat& format) { return key.starts_with(format.prefix); };
  auto found = std::ranges::find_if(key_formats, matches);
  return found == key_formats.end() ? nullptr : &*found;
}

/// Divides the number, most significant byte first, by 62 and returns the rest.
unsigned divide_by_62(KeyRandomness& number) {
  unsigned rest = 0;
  for (std::byte& digit : number) {
    unsigned part = rest * 256 + std::to_integer<unsigned>(digit);
    digit = static_cast<std::byte>(part / 62);
    rest = part % 62;
  }
  return rest;
}

}  // namespace

void secure_random(std::span<std::byte> bytes) {
  // A short count or a failure here would make predictable keys: there is nothing to fall back on.
  int filled = RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  BILLD_CHECK(filled == 1, "the operating system gives no randomness");
}

std::string make_key(Mode mode, const KeyRandomness& randomness, KeyKind kind) {
  // 256 bits are brought down to 32 digits (190 bits) at most, so that every digit is uniform to within 2^-65.
  KeyRandomness number = randomness;
  auto format =
      std::ranges::find_if(key_formats, [&](const KeyFormat& each) { return each.mode == mode && each.kind == kind; });
  std::string key(format->prefix);
  for (std::size_t i = 0; i < format->random_length; ++i) key += base62_digits[divide_by_62(number)];
  return key + key_checksum(key);
}

std::string key_checksum(std::string_view body) {
  boost::crc_32_type crc;
  crc.process_bytes(body.data(), body.size());
  std::uint32_t rest = crc.checksum();
  std::string checksum(checksum_length, base62_digits[0]);
  for (auto digit = checksum.rbegin(); digit != checksum.rend(); ++digit, rest /= 62) {
    *digit = base62_digits[rest % 62];
  }
  return checksum;
}

bool looks_like_key(std::string_view text) {
  const KeyFormat* format = format_of(text);
  if (format == nullptr) return false;
  if (text.size() != format->prefix.size() + format->random_length + checksum_length) return false;
  std::string_view body = text.substr(0, text.size() - checksum_length);
  return text.substr(body.size()) == key_checksum(body);
}

std::optional<Mode> mode_of(std::string_view key) {
  const KeyFormat* format = format_of(key);
  if (format == nullptr) return std::nullopt;
  return format->mode;
}

std::optional<KeyKind> kind_of(std::string_view key) {
  const KeyFormat* format = format_of(key);
  if (format == nullptr) return std::nullopt;
  return format->kind;
}

std::string_view prefix_of(std::string_view key) {
  const KeyFormat* format = format_of(key);
  return format == nullptr ? std::string_view() : format->prefix;
}

std::string hash_key(std::string_view key) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest = {};
  unsigned length = 0;
  int done = EVP_Digest(key.data(), key.size(), digest.data(), &length, EVP_sha256(), nullptr);
  BILLD_CHECK(done == 1, "SHA-256 is not available");

  constexpr std::string_view hexadecimal_digits = "0123456789abcdef";
  std::string text;
  for (unsigned char byte : std::span(digest).first(length)) {
    text += hexadecimal_digits[byte >> 4];
    text += hexadecimal_digits[byte & 15];
  }
  return text;
}

std::string mask(std::string_view key) {
  // Of a text too short to keep a secret behind the stars, nothing is shown.
  constexpr std::size_t shown_at_end = 4;
  constexpr std::size_t hidden_min = 8;
  std::string_view prefix = prefix_of(key);
  std::string masked = std::string(prefix) + "****";
  if (key.size() < prefix.size() + hidden_min + shown_at_end) return masked;
  // Nor of what could not be a key: the result is echoed in answers and logs.
  std::string_view end = key.substr(key.size() - shown_at_end);
  bool plain = std::ranges::all_of(end, [](char c) { return base62_digits.find(c) != std::string_view::npos; });
  return plain ? masked + std::string(end) : masked;
}

}  // namespace billd
