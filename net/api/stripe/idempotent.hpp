// Idempotency-Key: which request a key belongs to, and the answer that is repeated for it.
#pragma once

#include <optional>
#include <string>
#include <unordered_set>

#include "net/api/stripe/routes.hpp"
#include "net/api/stripe/services.hpp"

namespace billd::api::stripe {

/// The keys of requests which this daemon is carrying out.
class KeysInUse {
 public:
  /// Gives the key back at the end of its life.
  class Use {
   public:
    Use() = default;
    Use(KeysInUse& keys, std::string key_hash) : keys_(&keys), key_hash_(std::move(key_hash)) {}
    Use(Use&& other) noexcept : keys_(std::exchange(other.keys_, nullptr)), key_hash_(std::move(other.key_hash_)) {}
    Use& operator=(Use&& other) noexcept {
      std::swap(keys_, other.keys_);
      std::swap(key_hash_, other.key_hash_);
      return *this;
    }
    ~Use() {
      if (keys_ != nullptr) keys_->hashes_.erase(key_hash_);
    }

   private:
    KeysInUse* keys_ = nullptr;
    std::string key_hash_;
  };

  /// Empty when the key is in use already.
  std::optional<Use> take(const std::string& key_hash);

 private:
  std::unordered_set<std::string> hashes_;
};

/// What the claim of the key came to.
struct Claimed {
  std::optional<Outcome> repeated;  ///< the answer of the first request, to be given again
  std::string original_request;     ///< the identifier of the first request
};

/// Binds the call's idempotency key to this request, its parameters and its account, or finds what it was bound to: the
/// saved answer, or an unfinished first try, which call.is_repeated_try then says. Fails with idempotency_mismatch when
/// the key belongs to another request.
awaitable<Result<Claimed>> claim_key(Services& services, Call& call, const Route& route);

/// The account in which a POST has its effect; empty for the catalog's, and for identifiers that lead nowhere.
AccountKey home_of(const Call& call, const Route& route);

/// Refuses keys that are too long. Source: Stripe, up to 255 characters.
Result<void> check_key(std::string_view key);

Failure key_in_use(const std::string& key);

}  // namespace billd::api::stripe
