#include "net/api/idempotent.hpp"

#include "net/store/idempotency.hpp"

namespace billd::api {
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

awaitable<Result<std::optional<store::SavedAnswer>>> find_saved(store::Store& store, store::Catalog& catalog,
                                                                KeyBinding binding) {
  std::string key_hash = store::hash_idempotency_key(binding.mode, binding.full_key());
  if (!binding.account.is_empty())
    co_return co_await store::saved_answer(store, binding.mode, std::move(binding.account), std::move(key_hash));
  auto saved = co_await catalog.saved_answer(binding.mode, std::move(key_hash));
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

awaitable<Result<std::optional<Answer>>> find_answer(store::Store& store, store::Catalog& catalog, KeyBinding binding) {
  auto saved = co_await find_saved(store, catalog, std::move(binding));
  if (!saved) co_return saved.error();
  if (!*saved || (*saved)->under_way) co_return std::optional<Answer>();
  co_return std::optional(Answer{(*saved)->status, std::move((*saved)->body)});
}

awaitable<Result<Claimed>> claim_key(store::Store& store, store::Catalog& catalog, KeyBinding binding) {
  store::IdempotencyClaim wanted;
  wanted.endpoint = binding.method + " " + binding.path;
  wanted.fingerprint = binding.fingerprint;
  wanted.account = binding.account;
  wanted.request_id = binding.request_id;
  std::string key_hash = store::hash_idempotency_key(binding.mode, binding.full_key());
  auto claim = co_await store::claim(store, binding.mode, std::move(key_hash), wanted);
  if (!claim) co_return claim.error();
  if (claim->endpoint != wanted.endpoint) co_return other_endpoint(binding.key, binding.path, path_of(claim->endpoint));
  if (claim->fingerprint != wanted.fingerprint) co_return other_parameters(binding.key);

  Claimed claimed;
  claimed.account = claim->account;
  claimed.original_request = claim->request_id;
  if (claim->request_id == wanted.request_id) co_return claimed;
  claimed.is_repeated_try = true;
  binding.account = claim->account;
  auto answer = co_await find_answer(store, catalog, std::move(binding));
  if (!answer) co_return answer.error();
  claimed.repeated = std::move(*answer);
  co_return claimed;
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

}  // namespace billd::api
