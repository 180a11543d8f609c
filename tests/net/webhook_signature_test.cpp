// Signatures of webhooks: the published examples, rotation, and everything that must be refused.
#include "net/webhooks/signature.hpp"

#include <gtest/gtest.h>

namespace billd::webhooks {
namespace {

constexpr Timestamp now = from_unix(1'795'262'400);
const std::string body = R"({"id":"evt_1","object":"event"})";
const std::string old_secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const std::string new_secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

Message message_at(Timestamp time) { return {"evt_1", to_unix(time), body}; }

TEST(Signature, IsWhatTheStandardsExampleShows) {
  // Source: the example of the Standard Webhooks specification.
  const Message message{"msg_p5jXN8AQM9LWM0D4loKWxJek", 1'614'265'330, R"({"test": 2432232314})"};
  EXPECT_EQ(standard_signature({old_secret}, message), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(Signature, OfTheKnownHmacIsRight) {
  // Source: RFC 4231, test case 2.
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Signature, CountsWithEitherSecretWhileOneIsRolled) {
  const std::string stripe = stripe_signature({new_secret, old_secret}, message_at(now));
  const std::string standard = standard_signature({new_secret, old_secret}, message_at(now));
  const std::string sent_at = std::to_string(to_unix(now));
  for (const std::string& secret : {old_secret, new_secret}) {
    EXPECT_TRUE(verify_stripe(stripe, body, {secret}, now));
    EXPECT_TRUE(verify_standard("evt_1", sent_at, standard, body, {secret}, now));
  }
  const std::string with_old = stripe_signature({old_secret}, message_at(now));
  EXPECT_TRUE(verify_stripe(with_old, body, {new_secret, old_secret}, now));
  EXPECT_FALSE(verify_stripe(with_old, body, {new_secret}, now));
}

TEST(Signature, IsRefusedWhenAnythingIsForged) {
  const std::string good = stripe_signature({new_secret}, message_at(now));
  const std::vector<std::string> secrets = {new_secret};
  EXPECT_FALSE(verify_stripe(good, body + " ", secrets, now)) << "another body";
  EXPECT_FALSE(verify_stripe("", body, secrets, now)) << "no header";
  EXPECT_FALSE(verify_stripe("t=" + std::to_string(to_unix(now)), body, secrets, now)) << "no signature";
  EXPECT_FALSE(verify_stripe("v1=" + good.substr(good.find("v1=") + 3), body, secrets, now)) << "no time";
  EXPECT_FALSE(verify_stripe("t=x," + good, body, {}, now)) << "no secrets";
  std::string flipped = good;
  flipped.back() = flipped.back() == '0' ? '1' : '0';
  EXPECT_FALSE(verify_stripe(flipped, body, secrets, now)) << "one digit";
  std::string later = good;
  later.replace(later.find("t=") + 2, 10, std::to_string(to_unix(now) + 1));
  EXPECT_FALSE(verify_stripe(later, body, secrets, now)) << "another time";

  const std::string sent_at = std::to_string(to_unix(now));
  const std::string standard = standard_signature(secrets, message_at(now));
  EXPECT_TRUE(verify_standard("evt_1", sent_at, standard, body, secrets, now));
  EXPECT_FALSE(verify_standard("evt_2", sent_at, standard, body, secrets, now)) << "another id";
  EXPECT_FALSE(verify_standard("", sent_at, standard, body, secrets, now)) << "no id";
  EXPECT_FALSE(verify_standard("evt_1", sent_at, "v2" + standard.substr(2), body, secrets, now)) << "another scheme";
}

TEST(Signature, IsGoodForFiveMinutes) {
  const std::string header = stripe_signature({new_secret}, message_at(now));
  struct Case {
    std::chrono::seconds later;
    bool is_good;
  };
  for (const Case& each : {Case{std::chrono::seconds(0), true}, Case{std::chrono::seconds(300), true},
                           Case{std::chrono::seconds(301), false}, Case{std::chrono::seconds(-300), true},
                           Case{std::chrono::seconds(-301), false}})
    EXPECT_EQ(verify_stripe(header, body, {new_secret}, now + each.later).has_value(), each.is_good)
        << each.later.count();
}

TEST(Signature, MayBeABareHmac) {
  const std::string digest = hmac_sha256("secret", body);
  EXPECT_TRUE(verify_hmac(to_hex(digest), SignatureEncoding::hex, body, {"other", "secret"}));
  EXPECT_TRUE(verify_hmac("sha256=" + to_hex(digest), SignatureEncoding::hex, body, {"secret"}));
  EXPECT_TRUE(verify_hmac(to_base64(digest), SignatureEncoding::base64, body, {"secret"}));
  EXPECT_FALSE(verify_hmac(to_base64(digest), SignatureEncoding::hex, body, {"secret"}));
  EXPECT_FALSE(verify_hmac("", SignatureEncoding::hex, body, {"secret"}));
}

TEST(SigningSecret, IsDerivedAndDiffersByEndpointAndGeneration) {
  const std::string secret = signing_secret("master", "we_1", 1);
  EXPECT_EQ(secret.size(), 38U);
  EXPECT_TRUE(secret.starts_with("whsec_"));
  EXPECT_EQ(from_base64(secret.substr(6)).size(), 24U);
  EXPECT_EQ(secret, signing_secret("master", "we_1", 1));
  EXPECT_NE(secret, signing_secret("master", "we_1", 2));
  EXPECT_NE(secret, signing_secret("master", "we_11", 1));
  EXPECT_NE(secret, signing_secret("another", "we_1", 1));
}

TEST(Base64, RoundTripsAndRefusesTheRest) {
  for (const std::string text : {"a", "ab", "abc", "abcd"}) EXPECT_EQ(from_base64(to_base64(text)), text);
  for (const std::string text : {"", "a", "abc", "####"}) EXPECT_EQ(from_base64(text), "");
}

}  // namespace
}  // namespace billd::webhooks
