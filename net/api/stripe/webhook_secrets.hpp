// Secrets of webhook endpoints in answers: a mark stands for them wherever an answer is stored.
#pragma once

#include <string>

#include "config/settings.hpp"
#include "engine/webhook_endpoint.hpp"

namespace billd::api::stripe {

/// What stands for the endpoint's secret of its generation.
std::string concealed_secret(const WebhookEndpoint& endpoint);

/// Puts secrets in the places of their marks.
void reveal_secrets(const Settings& settings, std::string& body);

}  // namespace billd::api::stripe
