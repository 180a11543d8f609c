// Card numbers and keys are refused wherever they do not belong, so that none is stored, logged or echoed.
#pragma once

#include <string_view>

#include "engine/result.hpp"
#include "net/http/form.hpp"
#include "net/http/message.hpp"

namespace billd::api::stripe {

/// Fails with invalid_parameter where a name or a value holds a card number or a secret key; a card's own `number` may
/// hold one. The failure does not repeat it.
Result<void> refuse_secrets(const http::Parameters& parameters);

/// The same for a variable of the path, decoded.
Result<void> refuse_secrets(std::string_view variable);

/// The same for the target and for the headers that are echoed or kept.
Result<void> refuse_secrets(const http::Request& request);

/// The headers that an answer echoes.
inline constexpr const char* echoed_headers[] = {"Idempotency-Key", "Stripe-Account"};

}  // namespace billd::api::stripe
