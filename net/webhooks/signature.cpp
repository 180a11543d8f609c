#include "net/webhooks/signature.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <charconv>
#include <optional>

namespace billd::webhooks {
namespace {

constexpr std::string_view secret_prefix = "whsec_";
/// 24 bytes are 32 characters of base64 without padding.
constexpr std::size_t secret_bytes = 24;
/// More signatures than these are no rotation.
constexpr int signatures_max = 16;

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

/// Takes the text up to the separator, and what is behind it stays.
std::string_view take_until(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

std::optional<std::int64_t> parse_seconds(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0) return std::nullopt;
  return seconds;
}

Failure refused(std::string why) { return {Errc::unauthenticated, std::move(why)}; }

Result<void> check_time(std::string_view text, Timestamp now) {
  const auto seconds = parse_seconds(text);
  if (!seconds) return refused("The signature's timestamp is not a number of seconds.");
  const std::int64_t apart = to_unix(now) - *seconds;
  const std::int64_t tolerance = signature_tolerance.count();
  if (apart > tolerance) return refused("The signature's timestamp is more than 300 seconds old.");
  if (apart < -tolerance) return refused("The signature's timestamp is more than 300 seconds ahead.");
  return {};
}

Failure no_match() { return refused("No signature was made with a secret of this source over this body."); }

std::string stripe_signed(const Message& message) {
  return std::to_string(message.sent_at).append(".").append(message.body);
}

std::string standard_signed(const Message& message) {
  return std::string(message.id).append(".").append(stripe_signed(message));
}

/// The key that a secret stands for: base64, as a rule behind "whsec_".
std::string standard_key(std::string_view secret) {
  if (secret.starts_with(secret_prefix)) secret.remove_prefix(secret_prefix.size());
  return from_base64(secret);
}

}  // namespace

std::string hmac_sha256(std::string_view key, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), bytes_of(text), text.size(), digest.data(), &size);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

std::string to_hex(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char byte : bytes) {
    text += digits[static_cast<unsigned char>(byte) >> 4];
    text += digits[static_cast<unsigned char>(byte) & 15];
  }
  return text;
}

std::string to_base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');  // the function adds a NUL
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes_of(bytes), static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(size));
  return text;
}

std::string from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return {};
  std::string bytes(text.size() / 4 * 3, '\0');
  const int size =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()), bytes_of(text), static_cast<int>(text.size()));
  if (size < 0) return {};
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  bytes.resize(static_cast<std::size_t>(size) - padding);
  return bytes;
}

bool is_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

std::string signing_secret(std::string_view master, std::string_view endpoint, std::uint32_t generation) {
  const std::string subject =
      std::string("webhook endpoint ").append(endpoint).append(" ") + std::to_string(generation);
  return std::string(secret_prefix) + to_base64(hmac_sha256(master, subject).substr(0, secret_bytes));
}

std::string stripe_signature(const std::vector<std::string>& secrets, const Message& message) {
  std::string header = "t=" + std::to_string(message.sent_at);
  const std::string text = stripe_signed(message);
  for (const std::string& secret : secrets) header.append(",v1=").append(to_hex(hmac_sha256(secret, text)));
  return header;
}

std::string standard_signature(const std::vector<std::string>& secrets, const Message& message) {
  std::string header;
  const std::string text = standard_signed(message);
  for (const std::string& secret : secrets) {
    if (!header.empty()) header.append(" ");
    header.append("v1,").append(to_base64(hmac_sha256(standard_key(secret), text)));
  }
  return header;
}

Result<void> verify_stripe(std::string_view header, std::string_view body, const std::vector<std::string>& secrets,
                           Timestamp now) {
  std::string_view timestamp;
  std::vector<std::string_view> given;
  while (!header.empty() && given.size() < signatures_max) {
    std::string_view value = take_until(header, ',');
    const std::string_view name = take_until(value, '=');
    if (name == "t") timestamp = value;
    if (name == "v1") given.push_back(value);
  }
  const auto in_time = check_time(timestamp, now);
  if (!in_time) return in_time.error();
  const std::string text = std::string(timestamp).append(".").append(body);
  bool matches = false;
  for (const std::string& secret : secrets) {
    const std::string expected = to_hex(hmac_sha256(secret, text));
    for (const std::string_view signature : given) matches = is_equal(signature, expected) || matches;
  }
  if (!matches) return no_match();
  return {};
}

Result<void> verify_standard(std::string_view id, std::string_view timestamp, std::string_view signatures,
                             std::string_view body, const std::vector<std::string>& secrets, Timestamp now) {
  if (id.empty()) return refused("The header webhook-id is missing.");
  const auto in_time = check_time(timestamp, now);
  if (!in_time) return in_time.error();
  const std::string text = std::string(id).append(".").append(timestamp).append(".").append(body);
  std::vector<std::string_view> given;
  while (!signatures.empty() && given.size() < signatures_max) {
    std::string_view value = take_until(signatures, ' ');
    const std::string_view version = take_until(value, ',');
    if (version == "v1") given.push_back(value);
  }
  bool matches = false;
  for (const std::string& secret : secrets) {
    const std::string expected = to_base64(hmac_sha256(standard_key(secret), text));
    for (const std::string_view signature : given) matches = is_equal(signature, expected) || matches;
  }
  if (!matches) return no_match();
  return {};
}

Result<void> verify_hmac(std::string_view header, SignatureEncoding encoding, std::string_view body,
                         const std::vector<std::string>& secrets) {
  constexpr std::string_view algorithm = "sha256=";
  if (header.starts_with(algorithm)) header.remove_prefix(algorithm.size());
  bool matches = false;
  for (const std::string& secret : secrets) {
    const std::string digest = hmac_sha256(secret, body);
    const std::string expected = encoding == SignatureEncoding::hex ? to_hex(digest) : to_base64(digest);
    matches = is_equal(header, expected) || matches;
  }
  if (!matches) return no_match();
  return {};
}

}  // namespace billd::webhooks
