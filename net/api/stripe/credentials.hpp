// Whose request it is: the API key from the Authorization field, and the mode that it belongs to.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/api/stripe/services.hpp"
#include "net/http/message.hpp"

namespace billd::api::stripe {

/// The key of "Bearer KEY" or of Basic's user name; empty when there is none of either form.
std::optional<std::string> key_in(std::string_view authorization);

struct Credentials {
  Mode mode = Mode::test;
  std::string api_version;  ///< what the key's requests speak when they name no version; empty: the newest
};

/// What a key that is good stands for; unauthenticated, with Stripe's sentence, otherwise. An unknown key and a revoked
/// one are refused in the same words. In development any key that begins with "sk_test_" is good for test mode.
Result<Credentials> authenticate(const Services& services, const http::Headers& headers);

}  // namespace billd::api::stripe
