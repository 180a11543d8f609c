#include "net/api/keyed_request.hpp"

#include "config/keys.hpp"
#include "net/api/random_id.hpp"
#include "net/log.hpp"
#include "net/store/idempotency.hpp"

namespace billd::api {
namespace {

bool changes_something(http::Method method) {
  return method == http::Method::post || method == http::Method::put || method == http::Method::patch;
}

/// What Redis has been given to keep must not be what nobody may read.
Result<void> check(const std::string& key) {
  auto fits = check_key(key);
  if (!fits) return fits.error();
  if (const std::string_view secret = secret_in(key); !secret.empty())
    return Failure{Errc::invalid_parameter, "The Idempotency-Key holds what looks like " + std::string(secret) + "."};
  return {};
}

Result<std::optional<http::Response>> repeated(const Answer& answer) {
  auto response = unpacked(answer);
  if (!response) return response.error();
  return std::optional(marked_as_repeated(std::move(*response)));
}

}  // namespace

KeyedRequest::KeyedRequest(FaceServices services, KeysInUse& keys, Mode mode, std::string_view caller,
                           const http::Request& request)
    : services_(services), keys_(keys) {
  const auto given = request.headers.find("Idempotency-Key");
  if (!changes_something(request.method) || !given || given->empty()) return;
  std::string_view path = request.path();
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  binding_.mode = mode;
  binding_.scope = std::string(caller) + ":";
  binding_.key = *given;
  binding_.method = http::name(request.method);
  binding_.path = path;
  binding_.fingerprint = hash_key(request.body);
  binding_.request_id = random_request_id();
}

awaitable<Result<std::optional<http::Response>>> KeyedRequest::claim(AccountKey account) {
  if (!has_key()) co_return std::optional<http::Response>();
  auto fits = check(binding_.key);
  if (!fits) co_return fits.error();
  use_ = keys_.take(store::hash_idempotency_key(binding_.mode, key()));
  if (!use_) co_return key_in_use(binding_.key);
  binding_.account = std::move(account);
  auto claimed = co_await claim_key(services_.store, services_.catalog, binding_);
  if (!claimed) co_return claimed.error();
  is_claimed_ = true;
  binding_.account = claimed->account;
  if (claimed->repeated) co_return repeated(*claimed->repeated);
  co_return std::optional<http::Response>();
}

awaitable<std::optional<http::Response>> KeyedRequest::answered_meanwhile() {
  if (!is_claimed_) co_return std::nullopt;
  auto answer = co_await find_answer(services_.store, services_.catalog, binding_);
  if (!answer || !*answer) co_return std::nullopt;
  auto response = repeated(**answer);
  if (!response) co_return std::nullopt;
  co_return std::move(*response);
}

awaitable<Result<http::Response>> KeyedRequest::save(http::Response response) {
  if (!is_claimed_) co_return response;
  Answer answer = packed(response);
  std::string key_hash = store::hash_idempotency_key(binding_.mode, key());
  store::SavedAnswer saving{false, answer.status, answer.body, {}};
  auto saved = co_await store::complete_answer(services_.store, binding_.mode, binding_.account, std::move(key_hash),
                                               std::move(saving));
  if (!saved) co_return saved.error();
  co_return unpacked({saved->status, std::move(saved->body)});
}

Answer packed(const http::Response& response) {
  Answer answer;
  answer.status = response.status;
  answer.body.append(response.content_type).append("\n");
  for (const auto field : response.headers) answer.body.append(field.name).append(": ").append(field.value) += '\n';
  answer.body.append("\n").append(response.body);
  return answer;
}

Result<http::Response> unpacked(const Answer& answer) {
  const Failure corrupt{Errc::corrupt, "a saved answer cannot be read"};
  std::string_view rest = answer.body;
  auto take_line = [&rest]() -> std::optional<std::string_view> {
    const std::size_t end = rest.find('\n');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    return line;
  };
  http::Response response;
  response.status = answer.status;
  auto line = take_line();
  if (!line) return corrupt;
  response.content_type = *line;
  for (line = take_line(); line && !line->empty(); line = take_line()) {
    const std::size_t colon = line->find(": ");
    if (colon == std::string_view::npos) return corrupt;
    response.headers.add(line->substr(0, colon), line->substr(colon + 2));
  }
  if (!line) return corrupt;
  response.body = rest;
  return response;
}

http::Response marked_as_repeated(http::Response response) {
  response.headers.add("Idempotent-Replayed", "true");
  return response;
}

}  // namespace billd::api
