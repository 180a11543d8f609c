// Idempotency-Key, for every API: which request a key belongs to, and the answer that is repeated for it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "net/api/billing.hpp"
#include "net/store/catalog.hpp"
#include "net/store/store.hpp"

namespace billd::api {

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

/// What a key is bound to.
struct KeyBinding {
  Mode mode = Mode::test;
  std::string scope;         ///< of whose keys it is one, where there are several
  std::string key;           ///< as the client gave it
  std::string method, path;  ///< of the request
  std::string fingerprint;   ///< hash_key() of all that it asks for
  AccountKey account;        ///< whose commit saves the answer; empty: the catalog's
  std::string request_id;

  /// By which the key is kept.
  std::string full_key() const { return scope + key; }
};

/// What the claim of the key came to.
struct Claimed {
  std::optional<Answer> repeated;  ///< the answer of the first request, to be given again
  bool is_repeated_try = false;    ///< an earlier request with the key began
  AccountKey account;              ///< the first request's: a new customer's must be the same for a repetition
  std::string original_request;    ///< the identifier of the first request
};

/// Binds the key to this request, or finds what it was bound to. Fails with idempotency_mismatch when the key belongs
/// to another request.
awaitable<Result<Claimed>> claim_key(store::Store& store, store::Catalog& catalog, KeyBinding binding);

/// The answer that is saved under the key, for what it is bound to, by now; empty: none.
awaitable<Result<std::optional<Answer>>> find_answer(store::Store& store, store::Catalog& catalog, KeyBinding binding);

/// Refuses keys that are too long. Source: Stripe, up to 255 characters.
Result<void> check_key(std::string_view key);

Failure key_in_use(const std::string& key);

}  // namespace billd::api
