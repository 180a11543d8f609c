// Operations on webhook endpoints: where a merchant wants to be told of events.
//
// An endpoint's secret is derived from the daemon's and stored nowhere: what is saved for an idempotency key holds a
// mark in its place.
#include <algorithm>

#include "net/api/random_id.hpp"
#include "net/api/stripe/catalog_answers.hpp"
#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/api/stripe/webhook_secrets.hpp"
#include "net/webhooks/endpoint_secrets.hpp"
#include "net/webhooks/sender.hpp"

namespace billd::api::stripe {
namespace {

/// For how long the secret before is valid after a rotation, at most. Source: https://docs.stripe.com/webhooks,
/// "Roll endpoint secrets".
constexpr std::int64_t previous_secret_seconds_max = 24 * 3600;

constexpr std::array create_table = {
    text("url").required(), list("enabled_events").required(),
    text("description"),    text("api_version"),
    boolean("connect"),     metadata(),
    list("expand"),
};
constexpr std::array<Rule, 1> retrieve_table = {list("expand")};
constexpr std::array update_table = {
    text("url"), list("enabled_events"), text("description").clearable(), boolean("disabled"),
    metadata(),  list("expand"),
};
constexpr std::array rotate_table = {
    integer("expire_previous_after", 0, previous_secret_seconds_max),
    list("expand"),
};
constexpr std::array<Rule, 0> delete_table = {};
constexpr std::array list_table = page_rules;

Failure no_such_endpoint(const std::string& id) { return no_such("webhook endpoint", id); }

bool is_name_character(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

/// "*", "invoice.*" or "invoice.paid": whether billd has events of the type does not matter, for an endpoint may be
/// shared with others.
bool is_type(std::string_view text) {
  if (text == "*") return true;
  if (text.ends_with(".*")) text.remove_suffix(2);
  bool was_dot = true;
  for (char c : text) {
    if (c == '.' ? was_dot : !is_name_character(c)) return false;
    was_dot = c == '.';
  }
  return !was_dot;
}

Result<std::vector<std::string>> read_types(const Arguments& arguments) {
  std::vector<std::string> types = arguments.texts("enabled_events");
  if (types.empty())
    return Failure{Errc::invalid_parameter, "You must pass at least one event type.", "enabled_events"};
  for (std::size_t i = 0; i < types.size(); ++i)
    if (!is_type(types[i]))
      return Failure{Errc::invalid_parameter,
                     "Invalid enabled_events[" + std::to_string(i) +
                         "]: must be a type such as \"invoice.paid\", \"invoice.*\" for all of a kind, or \"*\"",
                     "enabled_events[" + std::to_string(i) + "]"};
  return types;
}

Result<void> check_address(Services& services, const Call& call, const std::string& url) {
  return webhooks::check_url(url, call.is_live(), services.webhook_networks);
}

Object& present(Reply& reply, const WebhookEndpoint& endpoint, Mode mode) {
  Document& document = reply.document;
  Object& object = document.object(16);
  object.add("id", document.text(endpoint.id.value()));
  object.add("object", "webhook_endpoint");
  object.add("api_version", document.text_or_null(endpoint.api_version));
  object.add("application", nullptr);
  object.add("created", to_unix(endpoint.created));
  object.add("description", document.text_or_null(endpoint.description));
  Array& types = document.array(endpoint.enabled_events.size());
  for (const std::string& type : endpoint.enabled_events) types.add(document.text(type));
  object.add("enabled_events", types);
  object.add("livemode", mode == Mode::live);
  Object& metadata = document.object(endpoint.metadata.size());
  for (const auto& [name, value] : endpoint.metadata) metadata.add(document.copy(name), document.text(value));
  object.add("metadata", metadata);
  object.add("status", endpoint.is_disabled ? Value("disabled") : Value("enabled"));
  object.add("disabled_because", document.text_or_null(endpoint.disabled_because));
  object.add("url", document.text(endpoint.url));
  return object;
}

/// With the secret's mark when it is to be answered.
awaitable<Result<Outcome>> show(Services& services, const Call& call, WebhookEndpoint endpoint, bool with_secret) {
  Reply reply(services, call);
  Object& object = present(reply, endpoint, call.mode);
  if (with_secret) object.add("secret", reply.document.text(concealed_secret(endpoint)));
  co_return co_await reply.answer(object);
}

/// Writes the endpoint, and answers `outcome` or what was saved before.
awaitable<Result<Outcome>> put(Services& services, const Call& call, WebhookEndpoint endpoint,
                               std::optional<WebhookEndpoint> before, Outcome outcome) {
  auto saved = saved_with(call, outcome);
  auto written = co_await services.catalog.put<WebhookEndpoint>(call.mode, std::move(endpoint), std::move(before),
                                                                std::move(saved));
  if (written) co_return outcome;
  co_return co_await answer_refusal(services, call, written.error());
}

using Change = Result<void> (*)(Services& services, const Call& call, WebhookEndpoint& endpoint, Timestamp store_now);

Result<void> update(Services& services, const Call& call, WebhookEndpoint& endpoint, Timestamp store_now) {
  const Arguments arguments = call.arguments();
  if (auto url = arguments.text("url")) {
    auto fits = check_address(services, call, *url);
    if (!fits) return fits;
    endpoint.url = std::move(*url);
  }
  if (arguments.has("enabled_events")) {
    auto types = read_types(arguments);
    if (!types) return types.error();
    endpoint.enabled_events = std::move(*types);
  }
  if (arguments.has("description")) endpoint.description = arguments.text_or_empty("description");
  if (const auto disabled = arguments.boolean("disabled"); disabled && *disabled != endpoint.is_disabled) {
    endpoint.is_disabled = *disabled;
    endpoint.disabled_because.clear();
    endpoint.enabled_at = store_now;
  }
  auto metadata = arguments.metadata_over(endpoint.metadata);
  if (!metadata) return metadata.error();
  endpoint.metadata = std::move(*metadata);
  return {};
}

Result<void> rotate(Services& services, const Call& call, WebhookEndpoint& endpoint, Timestamp) {
  const std::int64_t seconds = call.arguments().integer("expire_previous_after").value_or(previous_secret_seconds_max);
  ++endpoint.secret_generation;
  endpoint.previous_secret_until = services.billing.now() + std::chrono::seconds(seconds);
  return {};
}

awaitable<Result<Outcome>> change(Services& services, Call call, Change apply, bool with_secret) {
  auto store_now = co_await services.store.server_time();
  if (!store_now) co_return store_now.error();
  const std::string& id = call.variable("webhook_endpoint");
  for (int attempt = 0;; ++attempt) {
    auto before = co_await services.catalog.find<WebhookEndpoint>(call.mode, id);
    if (!before && before.error().code == Errc::not_found) co_return no_such_endpoint(id);
    if (!before) co_return before.error();
    WebhookEndpoint endpoint = **before;
    auto changed = apply(services, call, endpoint, *store_now);
    if (!changed) co_return changed.error();
    auto outcome = co_await show(services, call, endpoint, with_secret);
    if (!outcome) co_return outcome;
    auto answered = co_await put(services, call, std::move(endpoint), **before, std::move(*outcome));
    if (answered || answered.error().code != Errc::conflict || attempt >= conflicts_max) co_return answered;
  }
}

}  // namespace

constinit const std::span<const Rule> create_webhook_endpoint_rules = create_table;
constinit const std::span<const Rule> retrieve_webhook_endpoint_rules = retrieve_table;
constinit const std::span<const Rule> update_webhook_endpoint_rules = update_table;
constinit const std::span<const Rule> rotate_webhook_secret_rules = rotate_table;
constinit const std::span<const Rule> delete_webhook_endpoint_rules = delete_table;
constinit const std::span<const Rule> list_webhook_endpoints_rules = list_table;

awaitable<Result<Outcome>> create_webhook_endpoint(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  WebhookEndpoint endpoint;
  endpoint.url = arguments.text_or_empty("url");
  auto fits = check_address(services, call, endpoint.url);
  if (!fits) co_return fits.error();
  auto types = read_types(arguments);
  if (!types) co_return types.error();
  endpoint.enabled_events = std::move(*types);
  if (arguments.boolean("connect").value_or(false))
    co_return Failure{Errc::invalid_parameter, "billd has no connected accounts.", "connect"};
  if (auto version = arguments.text("api_version")) {
    auto parsed = Version::parse(*version);
    if (!parsed) co_return Failure{parsed.error().code, parsed.error().detail, "api_version"};
    endpoint.api_version = std::move(*version);
  }
  endpoint.description = arguments.text_or_empty("description");
  auto metadata = arguments.metadata_over({});
  if (!metadata) co_return metadata.error();
  endpoint.metadata = std::move(*metadata);
  const std::size_t allowed = services.settings.webhooks.endpoints_max;
  if (services.catalog.all<WebhookEndpoint>(call.mode).size() >= allowed)
    co_return Failure{Errc::invalid_state, "You have reached the maximum of " + std::to_string(allowed) + " " +
                                               (call.is_live() ? "live" : "test") +
                                               " webhook endpoints (webhooks.endpoints_max)."};
  auto store_now = co_await services.store.server_time();
  if (!store_now) co_return store_now.error();
  endpoint.id = random_id<WebhookEndpointKind>();
  endpoint.created = services.billing.now();
  endpoint.enabled_at = *store_now;
  endpoint.secret_mark = webhooks::secret_mark(services.settings.webhooks.secret.reveal(), endpoint.id);
  auto outcome = co_await show(services, call, endpoint, true);
  if (!outcome) co_return outcome;
  co_return co_await put(services, call, std::move(endpoint), std::nullopt, std::move(*outcome));
}

awaitable<Result<Outcome>> retrieve_webhook_endpoint(Services& services, Call call) {
  const std::string& id = call.variable("webhook_endpoint");
  auto endpoint = co_await services.catalog.find<WebhookEndpoint>(call.mode, id);
  if (!endpoint && endpoint.error().code == Errc::not_found) co_return no_such_endpoint(id);
  if (!endpoint) co_return endpoint.error();
  co_return co_await show(services, call, **endpoint, false);
}

awaitable<Result<Outcome>> update_webhook_endpoint(Services& services, Call call) {
  co_return co_await change(services, std::move(call), update, false);
}

awaitable<Result<Outcome>> rotate_webhook_secret(Services& services, Call call) {
  co_return co_await change(services, std::move(call), rotate, true);
}

awaitable<Result<Outcome>> delete_webhook_endpoint(Services& services, Call call) {
  const std::string& id = call.variable("webhook_endpoint");
  for (int attempt = 0;; ++attempt) {
    auto endpoint = co_await services.catalog.find<WebhookEndpoint>(call.mode, id);
    if (!endpoint && endpoint.error().code == Errc::not_found) co_return no_such_endpoint(id);
    if (!endpoint) co_return endpoint.error();
    auto removed = co_await services.catalog.remove<WebhookEndpoint>(call.mode, **endpoint);
    if (!removed && removed.error().code == Errc::conflict && attempt < conflicts_max) continue;
    if (!removed) co_return removed.error();
    Reply reply(services, call);
    co_return co_await reply.answer(reply.present.deleted(id, "webhook_endpoint"));
  }
}

awaitable<Result<Outcome>> list_webhook_endpoints(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  std::vector<std::string> newest_first;
  for (const WebhookEndpoint& endpoint : services.catalog.all<WebhookEndpoint>(call.mode))
    newest_first.push_back(endpoint.id.value());
  auto page = cut_page(std::move(newest_first), *query, "webhook endpoint");
  if (!page) co_return page.error();
  Reply reply(services, call);
  Array& data = reply.document.array(page->ids.size());
  for (const std::string& id : page->ids)
    if (const auto endpoint = services.catalog.get<WebhookEndpoint>(call.mode, id))
      data.add(present(reply, *endpoint, call.mode));
  co_return co_await reply.answer(reply.present.list("/v1/webhook_endpoints", data, page->has_more));
}

}  // namespace billd::api::stripe
