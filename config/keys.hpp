// API keys: how they are made, recognised, stored (as a hash only) and shown (masked).
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "engine/account.hpp"
#include "engine/calendar.hpp"

namespace billd {

/// An API key as it is kept: all that is needed to recognise and list it, and nothing to use it with.
struct ApiKey {
  std::string id;
  /// hash_key() of the key: what a request's key is looked up by.
  std::string hash;
  Mode mode = Mode::test;
  /// The owner's word for it, such as "web shop".
  std::string name;
  /// The key's public beginning, such as "sk_test_", and its last four characters: what a list shows.
  std::string prefix;
  std::string last4;
  Timestamp created;
  /// From when on the key is refused; empty while it is good.
  std::optional<Timestamp> revoked;
  /// The version of Stripe's API that its requests speak when they name none; empty: the newest.
  std::string api_version;

  bool operator==(const ApiKey&) const = default;
};

/// Fills `bytes` from the operating system's generator for secrets, and ends the process if that has none.
void secure_random(std::span<std::byte> bytes);

/// The randomness that one key is made of; every key needs its own.
using KeyRandomness = std::array<std::byte, 32>;

/// Which API a key is for.
enum class KeyKind {
  stripe,   ///< "sk_test_", "sk_live_", 32 characters of [0-9A-Za-z] (190 bits), a checksum
  stancer,  ///< "stest_", "sprod_", 18 characters (107 bits), a checksum: 24 characters, as that API wants it
  person,   ///< "ps_test_", "ps_live_", 32 characters, a checksum: the secret of a user or of staff
};

/// Makes a key: its prefix, random characters of [0-9A-Za-z], and a checksum of six by which secret scanners, and
/// looks_like_key(), tell a key from a similar text without asking.
std::string make_key(Mode mode, const KeyRandomness& randomness, KeyKind kind = KeyKind::stripe);

/// The API that the key's prefix names; empty for an unknown prefix.
std::optional<KeyKind> kind_of(std::string_view key);

/// The last six characters of a key whose other characters are `body`: their CRC-32 in base 62.
std::string key_checksum(std::string_view body);

/// Whether the text has the form of a key that make_key() made, checksum included; it need not exist.
bool looks_like_key(std::string_view text);

/// The mode that the key's prefix names; empty for an unknown prefix. The rest of the key is not looked at.
std::optional<Mode> mode_of(std::string_view key);

/// The key's prefix up to its random part ("sk_test_"); empty for an unknown prefix.
std::string_view prefix_of(std::string_view key);

/// SHA-256 of the key in hexadecimal. No salt or stretching: a key is random, unlike a password.
std::string hash_key(std::string_view key);

/// What may be shown and logged of a key, or of anything that was sent in its place: "sk_test_****abcd".
std::string mask(std::string_view key);

}  // namespace billd
