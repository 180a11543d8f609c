// The secrets of an endpoint, derived from the master secret.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/webhook_endpoint.hpp"

namespace billd::webhooks {

/// Those to sign with: the current one first, and the one before while it is valid.
std::vector<std::string> valid_secrets(std::string_view master, const WebhookEndpoint& endpoint, Timestamp now);

/// Tells whether `master` is the secret that the endpoint's was derived from.
std::string secret_mark(std::string_view master, const WebhookEndpointId& endpoint);

}  // namespace billd::webhooks
