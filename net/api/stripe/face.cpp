#include "net/api/stripe/face.hpp"

#include <spdlog/spdlog.h>

#include "net/api/random_id.hpp"
#include "net/api/stripe/credentials.hpp"
#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/expand.hpp"
#include "net/api/stripe/foreign_ids.hpp"
#include "net/api/stripe/secrets_refused.hpp"
#include "net/api/stripe/webhook_secrets.hpp"
#include "net/http/form.hpp"
#include "net/log.hpp"
#include "net/store/idempotency.hpp"

namespace billd::api::stripe {
namespace {

/// phases[0][items][0][price_data][recurring][interval] is the deepest; ten phases of twenty items are the most.
const http::ParameterLimits parameter_limits{
    .depth_max = 7, .count_max = 2'000, .index_max = 250, .free_maps = {"metadata"}};

/// The words in braces: {customer}, {id}.
std::vector<std::string_view> variables_of(std::string_view pattern) {
  std::vector<std::string_view> names;
  for (std::size_t open = pattern.find('{'); open != std::string_view::npos; open = pattern.find('{', open + 1))
    names.push_back(pattern.substr(open + 1, pattern.find('}', open) - open - 1));
  return names;
}

/// From the query, from the body, or from both when both are forms; whatever the method, for old clients send a body
/// with GET, too.
Result<http::Parameters> read_parameters(const http::Request& request) {
  if (request.body.empty()) return http::parse_form(request.query(), parameter_limits);
  const std::string_view type = request.headers.find("Content-Type").value_or("");
  if (request.query().empty()) return http::parse_body(type, request.body, parameter_limits);
  const bool is_json = type.starts_with("application/json");
  if (is_json)
    return Failure{Errc::invalid_parameter, "Parameters of a request with a JSON body belong into the body."};
  std::string both(request.query());
  both.append("&").append(request.body);
  return http::parse_body(type, both, parameter_limits);
}

/// The version that the request names, else its key's, else the newest.
Result<Version> read_version(const http::Headers& headers, const std::string& of_key) {
  const auto given = headers.find("Stripe-Version");
  if (!given || given->empty()) return of_key.empty() ? Version() : Version::parse(of_key);
  return Version::parse(*given);
}

/// What clients look for on every answer, echoed as they sent it. The gate lets no controls through.
void add_headers(http::Response& response, const http::Request& request, const std::string& request_id,
                 const std::string& version) {
  response.headers.reserve(6, 200);
  response.headers.add("Request-Id", request_id);
  response.headers.add("Stripe-Version", version);
  for (const char* name : echoed_headers)
    if (const auto value = request.headers.find(name); value && refuse_secrets(request))
      response.headers.add(name, *value);
  if (response.status == 401) response.headers.add("WWW-Authenticate", "Bearer realm=\"Stripe\"");
}

Answer render_failure(const Failure& failure, const log::About& about) {
  Answer answer = render_error(failure);
  if (answer.status >= 500)
    log::error(about, "answered {}: {}: {}", answer.status, message(failure.code), failure.detail);
  return answer;
}

}  // namespace

Face::Face(Services services) : services_(std::move(services)) {
  const auto table = routes();
  for (std::size_t i = 0; i < table.size(); ++i) {
    router_.add(table[i].method, table[i].pattern, i);
    variables_.push_back(variables_of(table[i].pattern));
  }
}

Result<Call> Face::read(const http::Request& request, const http::Router::Match& match, std::size_t index) const {
  const Route& route = routes()[index];
  Call call;
  auto credentials = authenticate(services_, request.headers);
  if (!credentials) return credentials.error();
  auto version = read_version(request.headers, credentials->api_version);
  if (!version) return version.error();
  auto parameters = read_parameters(request);
  if (!parameters) return parameters.error();
  auto without_secrets = refuse_secrets(*parameters);
  if (!without_secrets) return without_secrets.error();
  for (std::string_view name : variables_[index]) {
    without_secrets = refuse_secrets(std::string_view(match.parameter(name)));
    if (!without_secrets) return without_secrets.error();
  }
  auto checked = check(*parameters, route.rules);
  if (!checked) return checked.error();
  auto expand = read_expand(*parameters, route.answers);
  if (!expand) return expand.error();
  if (request.method == http::Method::post) {
    const auto key = request.headers.find("Idempotency-Key");
    auto fits = check_key(key.value_or(""));
    if (!fits) return fits.error();
    call.origin.idempotency_key = key.value_or("");
  }
  call.mode = credentials->mode;
  call.version = std::move(*version);
  call.answers = route.answers;
  call.path = request.path();
  for (std::string_view name : variables_[index]) call.variables.emplace_back(name, match.parameter(name));
  call.parameters = std::move(*parameters);
  call.expand = std::move(*expand);
  return call;
}

awaitable<Result<Outcome>> Face::perform(Call& call, const Route& route, std::string& original_request) {
  if (call.origin.idempotency_key.empty()) {
    if (route.home == Home::new_account) call.account = random_account_key();
    co_return co_await route.run(services_, std::move(call));
  }
  // An identifier that leads to no account is told of without a claim: there would be nowhere to save the answer.
  const bool is_in_account = route.home != Home::new_account && route.home != Home::catalog;
  if (is_in_account && home_of(call, route).is_empty()) co_return co_await route.run(services_, std::move(call));
  const std::string key = call.origin.idempotency_key;
  auto use = keys_in_use_.take(store::hash_idempotency_key(call.mode, key));
  if (!use) co_return key_in_use(key);
  auto claimed = co_await claim_key(services_, call, route);
  if (!claimed) co_return claimed.error();
  original_request = std::move(claimed->original_request);
  if (claimed->repeated) {
    Outcome outcome;
    outcome.answer = std::move(*claimed->repeated);
    outcome.repeated = true;
    co_return outcome;
  }
  auto outcome = co_await route.run(services_, std::move(call));
  if (!outcome && outcome.error().code == Errc::idempotency_in_progress) co_return key_in_use(key);
  co_return outcome;
}

awaitable<http::Response> Face::handle(http::Request request) {
  const std::string request_id = random_request_id();
  http::Response response;
  std::string version = Version().text();
  std::string original_request;
  bool repeated = false;
  Answer answer;
  const http::Router::Match match = router_.match(request.method, request.path());
  const auto without_secrets = refuse_secrets(request);
  if (!without_secrets) {
    answer = render_failure(without_secrets.error(), {.request = request_id});
  } else if (match.outcome != http::Router::Outcome::found) {
    answer = render_unknown_url(http::name(request.method), request.path());
  } else {
    auto call = read(request, match, match.handler());
    if (call) {
      auto named = co_await take_native_ids(services_, *call);
      if (!named) call = named.error();
    }
    if (!call) {
      answer = render_failure(call.error(), {.request = request_id});
    } else {
      call->origin.request_id = request_id;
      version = call->version.text();
      const Route& route = routes()[match.handler()];
      const AccountKey account = route.home != Home::new_account ? home_of(*call, route) : AccountKey();
      const std::string subscription = call->variable_or_empty("subscription");
      auto outcome = co_await perform(*call, route, original_request);
      const log::About about{.request = request_id, .account = account.value(), .subscription = subscription};
      answer = outcome ? std::move(outcome->answer) : render_failure(outcome.error(), about);
      if (route.home == Home::catalog) reveal_secrets(services_.settings, answer.body);
      repeated = outcome && outcome->repeated;
    }
  }
  response.status = answer.status;
  response.body = std::move(answer.body);
  add_headers(response, request, request_id, version);
  if (repeated) {
    response.headers.add("Idempotent-Replayed", "true");
    response.headers.add("Original-Request", original_request);
  }
  co_return response;
}

}  // namespace billd::api::stripe
