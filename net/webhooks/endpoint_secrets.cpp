#include "net/webhooks/endpoint_secrets.hpp"

#include "net/webhooks/signature.hpp"

namespace billd::webhooks {

std::vector<std::string> valid_secrets(std::string_view master, const WebhookEndpoint& endpoint, Timestamp now) {
  std::vector<std::string> secrets;
  secrets.push_back(signing_secret(master, endpoint.id.value(), endpoint.secret_generation));
  if (now < endpoint.previous_secret_until && endpoint.secret_generation > 1)
    secrets.push_back(signing_secret(master, endpoint.id.value(), endpoint.secret_generation - 1));
  return secrets;
}

std::string secret_mark(std::string_view master, const WebhookEndpointId& endpoint) {
  constexpr std::size_t length = 16;
  return to_hex(hmac_sha256(master, "mark " + endpoint.value())).substr(0, length);
}

}  // namespace billd::webhooks
