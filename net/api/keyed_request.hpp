// A request of one of the faces beside Stripe's under its Idempotency-Key, from the claim of the key to the answer.
//
// Keys are the caller's own: two users, or two APIs, may use the same ones. An answer is saved as it goes out, with its
// header fields.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "net/api/idempotent.hpp"
#include "net/api/services.hpp"
#include "net/http/message.hpp"

namespace billd::api {

class KeyedRequest {
 public:
  /// Reads the key of a request that changes something; `caller` tells whose it is ("stancer", "users/ann"). What is
  /// referred to must outlive this.
  KeyedRequest(FaceServices services, KeysInUse& keys, Mode mode, std::string_view caller,
               const http::Request& request);

  bool has_key() const { return !binding_.key.empty(); }
  /// The key as billing keeps it, the caller before it; empty: none.
  std::string key() const { return has_key() ? binding_.full_key() : std::string(); }
  /// After claim(): whose the key is. Empty: there is no key.
  std::optional<AccountKey> account() const { return is_claimed_ ? std::optional(binding_.account) : std::nullopt; }

  /// Claims the key for this request, whose answer is saved in the partition of `account`: the first one's answer, if
  /// there is one already. Fails with idempotency_mismatch, idempotency_in_progress, and with
  /// invalid_parameter for what cannot be a key. Without a key nothing happens.
  awaitable<Result<std::optional<http::Response>>> claim(AccountKey account);

  /// For a request that was refused: what another daemon has answered under the key meanwhile.
  awaitable<std::optional<http::Response>> answered_meanwhile();

  /// Saves an answer that no commit of billing has saved. The first one that was saved is the one to give.
  awaitable<Result<http::Response>> save(http::Response response);

 private:
  FaceServices services_;
  KeysInUse& keys_;
  KeyBinding binding_;
  std::optional<KeysInUse::Use> use_;
  bool is_claimed_ = false;
};

/// An answer in the form in which it is saved: its media type and header fields, an empty line, its body.
Answer packed(const http::Response& response);
Result<http::Response> unpacked(const Answer& answer);

/// Adds the mark of a repeated answer.
http::Response marked_as_repeated(http::Response response);

}  // namespace billd::api
