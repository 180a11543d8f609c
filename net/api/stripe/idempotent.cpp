#include "net/api/stripe/idempotent.hpp"

#include "config/keys.hpp"
#include "net/api/random_id.hpp"
#include "net/store/idempotency.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::size_t key_length_max = 255;

Failure other_parameters(const std::string& key) {
  return {Errc::idempotency_mismatch,
          "Keys for idempotent requests can only be used with the same parameters they were first used with. Try using "
          "a key other than '" +
              key + "' if you meant to execute a different request."};
}

Failure other_endpoint(const std::string& key, const std::string& now, const std::string& first) {
  return {Errc::idempotency_mismatch,
          "Keys for idempotent requests can only be used for the same endpoint they were first used for ('" + now +
              "' vs '" + first + "'). Try using a key other than '" + key +
              "' if you meant to execute a different request."};
}

/// "POST /v1/customers" without the method.
std::string path_of(const std::string& endpoint) { return endpoint.substr(endpoint.find(' ') + 1); }

awaitable<Result<std::optional<store::SavedAnswer>>> find_answer(Services& services, Mode mode, AccountKey account,
                                                                 std::string key_hash) {
  if (!account.is_empty()) co_return co_await store::saved_answer(services.store, mode, account, std::move(key_hash));
  auto saved = co_await services.catalog.saved_answer(mode, std::move(key_hash));
  if (!saved) {
    if (saved.error().code == Errc::not_found) co_return std::optional<store::SavedAnswer>();
    co_return saved.error();
  }
  auto answer = store::decode_saved_answer(*saved);
  if (!answer) co_return answer.error();
  co_return std::optional(std::move(*answer));
}

}  // namespace

std::optional<KeysInUse::Use> KeysInUse::take(const std::string& key_hash) {
  if (!hashes_.insert(key_hash).second) return std::nullopt;
  return Use(*this, key_hash);
}

awaitable<Result<Claimed>> claim_key(Services& services, Call& call, const Route& route) {
  const std::string& key = call.origin.idempotency_key;
  const std::string key_hash = store::hash_idempotency_key(call.mode, key);
  store::IdempotencyClaim wanted;
  wanted.endpoint = "POST " + call.path;
  wanted.fingerprint = hash_key(canonical_text(call.parameters));
  wanted.account = home_of(call, route);
  wanted.request_id = call.origin.request_id;
  auto claim = co_await store::claim(services.store, call.mode, key_hash, wanted);
  if (!claim) co_return claim.error();
  if (claim->endpoint != wanted.endpoint) co_return other_endpoint(key, call.path, path_of(claim->endpoint));
  if (claim->fingerprint != wanted.fingerprint) co_return other_parameters(key);

  Claimed claimed;
  claimed.original_request = claim->request_id;
  call.account = claim->account;
  if (claim->request_id == wanted.request_id) co_return claimed;
  auto saved = co_await find_answer(services, call.mode, claim->account, key_hash);
  if (!saved) co_return saved.error();
  if (*saved && !(*saved)->under_way) {
    Outcome outcome;
    outcome.answer.status = (*saved)->status;
    outcome.answer.body = std::move((*saved)->body);
    outcome.repeated = true;
    claimed.repeated = std::move(outcome);
  }
  call.is_repeated_try = true;
  co_return claimed;
}

AccountKey home_of(const Call& call, const Route& route) {
  switch (route.home) {
    case Home::new_account:
      return random_account_key();
    case Home::catalog:
      return {};
    case Home::refunded: {
      const Arguments arguments = call.arguments();
      const std::string id = arguments.text_or_empty(arguments.has("charge") ? "charge" : "payment_intent");
      return AccountKey::of_id(id).value_or(AccountKey());
    }
    case Home::customer:
      return AccountKey::of_id(call.arguments().text_or_empty("customer")).value_or(AccountKey());
    case Home::account: {
      if (!call.variables.empty()) return AccountKey::of_id(call.variables.front().second).value_or(AccountKey());
      const Arguments arguments = call.arguments();
      for (const char* name : {"customer", "subscription", "from_subscription", "invoice"})
        if (arguments.has(name)) return AccountKey::of_id(arguments.text_or_empty(name)).value_or(AccountKey());
      return {};
    }
  }
  return {};
}

Result<void> check_key(std::string_view key) {
  if (key.size() > key_length_max)
    return Failure{Errc::invalid_parameter,
                   "Idempotency keys can have up to 255 characters; this one has " + std::to_string(key.size()) + "."};
  return {};
}

Failure key_in_use(const std::string& key) {
  return {Errc::idempotency_in_progress,
          "There is currently another in-progress request using this Idempotent Key (that probably means you submitted "
          "twice, and the other request is still going through): " +
              key + ". Please try again later."};
}

}  // namespace billd::api::stripe
