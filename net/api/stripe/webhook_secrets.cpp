#include "net/api/stripe/webhook_secrets.hpp"

#include <charconv>

#include "net/webhooks/signature.hpp"

namespace billd::api::stripe {
namespace {

// No text that a client gave can look like a mark: a quotation mark in it would be escaped.
constexpr std::string_view member = "\"secret\":\"", mark = "whsec_@";

}  // namespace

std::string concealed_secret(const WebhookEndpoint& endpoint) {
  return std::string(mark) + endpoint.id.value() + "/" + std::to_string(endpoint.secret_generation);
}

void reveal_secrets(const Settings& settings, std::string& body) {
  const std::string wanted = std::string(member).append(mark);
  const std::size_t at = body.find(wanted);
  if (at == std::string::npos) return;
  const std::size_t begin = at + wanted.size(), slash = body.find('/', begin), end = body.find('"', begin);
  if (slash >= end || end == std::string::npos) return;
  std::uint32_t generation = 0;
  std::from_chars(body.data() + slash + 1, body.data() + end, generation);
  const std::string secret =
      webhooks::signing_secret(settings.webhooks.secret.reveal(), body.substr(begin, slash - begin), generation);
  body.replace(at + member.size(), end - at - member.size(), secret);
}

}  // namespace billd::api::stripe
