// Payment sources that are no customer's yet: behind tokens, which are used once, and behind payment methods, which are
// attached to one customer.
#pragma once

#include <optional>
#include <string>

#include "net/store/store.hpp"

namespace billd::store {

/// Keeps the source under its identifier, whose account's key says where, for `life`. What is kept there already stays;
/// the answer is what is kept.
awaitable<Result<HeldSource>> hold_source(Store& store, Mode mode, HeldSource held, Milliseconds life);

/// not_found when it is not, or not any more.
awaitable<Result<HeldSource>> find_held_source(Store& store, Mode mode, std::string id);

/// Makes it `owner`'s unless it is somebody's already, for `life` (none: for good); the answer is whose it is now.
awaitable<Result<std::string>> claim_held_source(Store& store, Mode mode, std::string id, std::string owner,
                                                 std::optional<Milliseconds> life);
/// Whoever owned it, it is `owner`'s now.
awaitable<Result<void>> give_held_source(Store& store, Mode mode, std::string id, std::string owner, Milliseconds life);
/// Takes the claim back.
awaitable<Result<void>> release_held_source(Store& store, Mode mode, std::string id);

/// Whose it is; empty: nobody's.
awaitable<Result<std::string>> owner_of_held_source(Store& store, Mode mode, std::string id);

/// An intent is kept beside what it leads to, and for as long. Creating one that is there already changes nothing; the
/// answer is what is kept.
awaitable<Result<SetupIntent>> create_setup_intent(Store& store, Mode mode, SetupIntent intent, Milliseconds life);
awaitable<Result<void>> put_setup_intent(Store& store, Mode mode, SetupIntent intent, Milliseconds life);
awaitable<Result<SetupIntent>> find_setup_intent(Store& store, Mode mode, std::string id);
/// A page of the identifiers of SetupIntents, newest first, one more than the limit when there are more. Those whose
/// life is over may be among them.
awaitable<Result<std::vector<ListedMember>>> list_setup_intents(Store& store, Mode mode, Page page);

}  // namespace billd::store
