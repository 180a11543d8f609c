// Answers to changes of the catalog, which save themselves under the request's idempotency key.
#pragma once

#include <optional>

#include "net/api/stripe/services.hpp"

namespace billd::api::stripe {

/// How often a change of the catalog is tried again when another writer was first.
inline constexpr int conflicts_max = 10;

/// What the catalog is to save with the change; empty when the call has no idempotency key.
std::optional<store::CatalogIdempotency> saved_with(const Call& call, const Outcome& outcome);

/// What to answer when the catalog refused the change: the answer that was saved first, when it was for that.
awaitable<Result<Outcome>> answer_refusal(Services& services, const Call& call, Failure refusal);

}  // namespace billd::api::stripe
