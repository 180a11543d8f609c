// Idempotency-Key in the Stripe face: what a call's key is bound to; see net/api/idempotent.hpp.
#pragma once

#include <string>

#include "net/api/idempotent.hpp"
#include "net/api/stripe/routes.hpp"
#include "net/api/stripe/services.hpp"

namespace billd::api::stripe {

/// Binds the call's idempotency key to this request, its parameters and its account, or finds what it was bound to: the
/// saved answer, or an unfinished first try, which call.is_repeated_try then says. Fails with idempotency_mismatch when
/// the key belongs to another request.
awaitable<Result<Claimed>> claim_key(Services& services, Call& call, const Route& route);

/// The account in which a POST has its effect; empty for the catalog's, and for identifiers that lead nowhere.
AccountKey home_of(const Call& call, const Route& route);

}  // namespace billd::api::stripe
