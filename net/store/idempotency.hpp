// Idempotency keys: the claim that binds a key to one request, and the answer that is saved with the request's effect.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/store/store.hpp"

namespace billd::store {

/// What a key was first used for. The account of a request that creates a customer is drawn with the claim, so that a
/// repetition meets the same account, whatever became of the first try.
struct IdempotencyClaim {
  std::string endpoint;     ///< "POST /v1/customers"
  std::string fingerprint;  ///< SHA-256 of the parameters
  AccountKey account;       ///< whose commit saves the answer; empty: the catalog
  std::string request_id;   ///< of the first request, for Original-Request

  bool operator==(const IdempotencyClaim&) const = default;
};

/// The name of a key in storage: SHA-256 of the mode and the key, in hexadecimal.
std::string hash_idempotency_key(Mode mode, std::string_view key);

/// The saved form of an answer: 'a', the status, the body; or 'u' and the subject for an effect that is under way.
struct SavedAnswer {
  bool under_way = false;
  int status = 0;
  std::string body;     ///< of an answer
  std::string subject;  ///< of an effect under way: the object that the command made or changed
};
std::string encode(const SavedAnswer& saved);
Result<SavedAnswer> decode_saved_answer(std::string_view bytes);

/// Claims the key for the request, or returns the claim that was there before.
awaitable<Result<IdempotencyClaim>> claim(Store& store, Mode mode, std::string key_hash, IdempotencyClaim wanted);

/// The answer that was saved for the key in the account's partition; empty: none.
awaitable<Result<std::optional<SavedAnswer>>> saved_answer(Store& store, Mode mode, AccountKey account,
                                                           std::string key_hash);

/// Replaces the mark of an effect under way by the answer; nothing happens when there is an answer already, which is
/// returned. `life`: empty for idempotency_retention.
awaitable<Result<SavedAnswer>> complete_answer(Store& store, Mode mode, AccountKey account, std::string key_hash,
                                               SavedAnswer answer, std::optional<Milliseconds> life = std::nullopt);

}  // namespace billd::store
