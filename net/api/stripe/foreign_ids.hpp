// Identifiers of another system in requests; see net/store/aliases.hpp.
#pragma once

#include "net/api/stripe/services.hpp"

namespace billd::api::stripe {

/// Puts billd's identifiers in the place of another system's, in the path and among the parameters. What is metadata is
/// the caller's own.
awaitable<Result<void>> take_native_ids(Services& services, Call& call);

}  // namespace billd::api::stripe
