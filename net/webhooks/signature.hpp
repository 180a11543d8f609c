// Signatures of webhooks, made and verified: Stripe's header and the Standard Webhooks ones, both HMAC-SHA256.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/calendar.hpp"
#include "engine/result.hpp"

namespace billd::webhooks {

/// 32 raw bytes.
std::string hmac_sha256(std::string_view key, std::string_view text);

std::string to_hex(std::string_view bytes);
std::string to_base64(std::string_view bytes);
/// With its padding; empty for text that is not base64.
std::string from_base64(std::string_view text);

/// Takes as long for texts of one length wherever they differ.
bool is_equal(std::string_view a, std::string_view b);

/// The secret of an endpoint's generation, "whsec_" and 32 characters: derived, so that it is stored nowhere. Whoever
/// has the same master secret gets the same one.
std::string signing_secret(std::string_view master, std::string_view endpoint, std::uint32_t generation);

/// What is signed, with which secrets: all that are valid while one is being rolled.
struct Message {
  std::string_view id;
  std::int64_t sent_at = 0;  ///< seconds of Unix time
  std::string_view body;
};

/// The value of Stripe-Signature: "t=1,v1=hex,v1=hex". Source: https://docs.stripe.com/webhooks/signatures; the key is
/// the whole text of the secret.
std::string stripe_signature(const std::vector<std::string>& secrets, const Message& message);

/// The value of webhook-signature: "v1,base64 v1,base64". Source: the specification of Standard Webhooks; the key is
/// what the secret's base64 behind "whsec_" says.
std::string standard_signature(const std::vector<std::string>& secrets, const Message& message);

/// How far the clocks of sender and receiver may be apart. Source: the tolerance of both schemes' libraries.
inline constexpr std::chrono::seconds signature_tolerance{300};

/// Whether the header was made with one of the secrets and lately; unauthenticated when not, and why.
Result<void> verify_stripe(std::string_view header, std::string_view body, const std::vector<std::string>& secrets,
                           Timestamp now);
Result<void> verify_standard(std::string_view id, std::string_view timestamp, std::string_view signatures,
                             std::string_view body, const std::vector<std::string>& secrets, Timestamp now);

enum class SignatureEncoding : std::uint8_t { hex, base64 };

/// A bare HMAC-SHA256 of the body, perhaps behind "sha256=". It tells nothing of its time.
Result<void> verify_hmac(std::string_view header, SignatureEncoding encoding, std::string_view body,
                         const std::vector<std::string>& secrets);

}  // namespace billd::webhooks
