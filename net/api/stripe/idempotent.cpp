#include "net/api/stripe/idempotent.hpp"

#include "config/keys.hpp"
#include "net/api/random_id.hpp"

namespace billd::api::stripe {

awaitable<Result<Claimed>> claim_key(Services& services, Call& call, const Route& route) {
  KeyBinding binding;
  binding.mode = call.mode;
  binding.key = call.origin.idempotency_key;
  binding.method = "POST";
  binding.path = call.path;
  binding.fingerprint = hash_key(canonical_text(call.parameters));
  binding.account = home_of(call, route);
  binding.request_id = call.origin.request_id;
  auto claimed = co_await api::claim_key(services.store, services.catalog, std::move(binding));
  if (!claimed) co_return claimed.error();
  call.account = claimed->account;
  call.is_repeated_try = claimed->is_repeated_try;
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

}  // namespace billd::api::stripe
