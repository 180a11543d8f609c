// Events as webhooks carry them.
#pragma once

#include <string>

#include "net/api/stripe/services.hpp"

namespace billd::api::stripe {

/// The event in the words of that version of the API; billd's own when it is empty.
awaitable<Result<std::string>> event_body(Services& services, Mode mode, std::string api_version,
                                          store::StoredEvent event);

}  // namespace billd::api::stripe
