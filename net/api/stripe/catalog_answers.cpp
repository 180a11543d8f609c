#include "net/api/stripe/catalog_answers.hpp"

#include "net/store/idempotency.hpp"

namespace billd::api::stripe {

std::optional<store::CatalogIdempotency> saved_with(const Call& call, const Outcome& outcome) {
  if (call.origin.idempotency_key.empty()) return std::nullopt;
  store::SavedAnswer answer;
  answer.status = outcome.answer.status;
  answer.body = outcome.answer.body;
  return store::CatalogIdempotency{store::hash_idempotency_key(call.mode, call.origin.idempotency_key),
                                   store::encode(answer)};
}

awaitable<Result<Outcome>> answer_refusal(Services& services, const Call& call, Failure refusal) {
  if (refusal.code != Errc::idempotency_in_progress) co_return refusal;
  std::string key_hash = store::hash_idempotency_key(call.mode, call.origin.idempotency_key);
  auto saved = co_await services.catalog.saved_answer(call.mode, std::move(key_hash));
  if (!saved) co_return saved.error();
  auto answer = store::decode_saved_answer(*saved);
  if (!answer) co_return answer.error();
  Outcome outcome;
  outcome.answer.status = answer->status;
  outcome.answer.body = std::move(answer->body);
  outcome.repeated = true;
  co_return outcome;
}

}  // namespace billd::api::stripe
