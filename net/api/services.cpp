#include "net/api/services.hpp"

#include <memory>

#include "config/secrets.hpp"
#include "net/api/keyed_request.hpp"
#include "net/api/random_id.hpp"
#include "net/store/aliases.hpp"

namespace billd::api {

awaitable<Result<Done>> carry_out(FaceServices services, Errand errand) {
  // Shared with the renderer, which billing may call after this coroutine was given up.
  auto done = std::make_shared<Done>();
  Execution execution;
  execution.mode = errand.mode;
  execution.account = std::move(errand.account);
  execution.command = std::move(errand.command);
  execution.held = std::move(errand.held);
  execution.origin.request_id = random_request_id();
  execution.origin.idempotency_key = std::move(errand.idempotency_key);
  const bool is_saved = !execution.origin.idempotency_key.empty();
  execution.render = [done, is_saved, show = std::move(errand.show)](const Transition& after) {
    done->account = after.account;
    if (show) done->response = show(after.account);
    return is_saved ? packed(done->response) : Answer();
  };
  auto executed = co_await services.billing.execute(std::move(execution));
  if (!executed) co_return executed.error();
  if (executed->repeated) {
    auto response = unpacked(executed->answer);
    if (!response) co_return response.error();
    done->response = marked_as_repeated(std::move(*response));
  }
  co_return std::move(*done);
}

awaitable<Result<Account>> load_customer(FaceServices services, Mode mode, std::string body) {
  const Failure unknown{Errc::not_found, "no such customer", "id"};
  std::vector<std::string> names(1, std::string(CustomerKind::prefix) + body);
  auto natives = co_await services.store.aliases().to_native(mode, std::move(names));
  if (!natives) co_return natives.error();
  const CustomerId id(std::move(natives->front()));
  const auto key = AccountKey::of_id(id.value());
  if (!key) co_return unknown;
  auto loaded = co_await services.store.load(mode, *key);
  if (!loaded) co_return loaded.error().code == Errc::not_found ? unknown : loaded.error();
  const Customer& customer = loaded->account.customer;
  if (customer.id != id || customer.deleted) co_return unknown;
  co_return std::move(loaded->account);
}

std::string_view secret_in(std::string_view text) {
  if (has_card_number(text)) return "the number of a payment card";
  if (has_secret_key(text)) return "a secret key";
  return {};
}

}  // namespace billd::api
