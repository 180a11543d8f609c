#include "net/api/incoming/face.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "net/gateways/peer.hpp"
#include "net/log.hpp"
#include "net/webhooks/signature.hpp"

namespace billd::api::incoming {
namespace {

using boost::json::object;
using gateways::integer_of;
using gateways::object_of;
using gateways::text_of;

constexpr std::size_t json_depth_max = 32;
/// Longest identifier of a message.
constexpr std::size_t id_length_max = 200;

Answer answer_of(int status, object body) { return {status, boost::json::serialize(body)}; }

Answer refusal(int status, const Failure& failure) {
  object error;
  error["message"] = failure.detail;
  if (!failure.parameter.empty()) error["parameter"] = failure.parameter;
  object body;
  body["error"] = std::move(error);
  return answer_of(status, std::move(body));
}

std::vector<std::string> secrets_of(const WebhookSourceSettings& source) {
  std::vector<std::string> secrets;
  for (const Secret& secret : source.secrets) secrets.push_back(secret.reveal());
  return secrets;
}

Result<void> verify(const http::Request& request, const WebhookSourceSettings& source, Timestamp now) {
  const auto header = [&](std::string_view name) { return request.headers.find(name).value_or(""); };
  const std::vector<std::string> secrets = secrets_of(source);
  switch (source.kind) {
    case WebhookKind::unset:
      break;
    case WebhookKind::stripe:
      return billd::webhooks::verify_stripe(header("Stripe-Signature"), request.body, secrets, now);
    case WebhookKind::standard:
      return billd::webhooks::verify_standard(header("webhook-id"), header("webhook-timestamp"),
                                              header("webhook-signature"), request.body, secrets, now);
    case WebhookKind::hmac:
      return billd::webhooks::verify_hmac(header(source.header),
                                          source.encoding == HmacEncoding::hex
                                              ? billd::webhooks::SignatureEncoding::hex
                                              : billd::webhooks::SignatureEncoding::base64,
                                          request.body, secrets);
  }
  return Failure{Errc::unauthenticated, "The source has no kind."};
}

/// A bare signature tells nothing of its time, so that the signed body must: what is older than billd remembers could
/// be replayed.
Result<void> check_age(const object& body, Timestamp now) {
  const auto created = integer_of(body, "created");
  if (!created) return Failure{Errc::missing_parameter, "`created` is missing or no number", "created"};
  if (*created < to_unix(now - remembered) + 3'600 || *created > to_unix(now) + 3'600)
    return Failure{Errc::invalid_parameter, "`created` is too long ago, or in the future", "created"};
  return {};
}

Result<Message> read(const http::Request& request, const std::string& name, const WebhookSourceSettings& source,
                     Timestamp now) {
  boost::json::parse_options options;
  options.max_depth = json_depth_max;
  boost::json::error_code error;
  boost::json::value parsed = boost::json::parse(request.body, error, {}, options);
  if (error || !parsed.is_object()) return Failure{Errc::invalid_parameter, "The body is no JSON object."};
  const object& body = parsed.as_object();
  Message message;
  message.source = name;
  message.gateway = source.gateway.empty() ? name : source.gateway;
  message.mode = source.mode;
  message.kind = source.kind;
  message.type = text_of(body, "type");
  message.id = source.kind == WebhookKind::standard ? std::string(request.headers.find("webhook-id").value_or(""))
                                                    : text_of(body, "id");
  if (message.id.empty() || message.id.size() > id_length_max)
    return Failure{Errc::missing_parameter, "The message needs an identifier of 1 to 200 characters.", "id"};
  if (message.type.empty()) return Failure{Errc::missing_parameter, "`type` is missing or no text", "type"};
  if (source.kind == WebhookKind::hmac) {
    auto fresh = check_age(body, now);
    if (!fresh) return fresh.error();
  }
  const object* data = object_of(body, "data");
  if (data != nullptr && source.kind == WebhookKind::stripe) {
    if (const object* previous = object_of(*data, "previous_attributes")) message.previous = *previous;
    data = object_of(*data, "object");
    const boost::json::value* is_live = body.if_contains("livemode");
    if (is_live != nullptr && is_live->is_bool() && is_live->as_bool() != (source.mode == Mode::live))
      return Failure{Errc::invalid_parameter, "The event is of the other mode.", "livemode"};
  }
  if (data == nullptr) return Failure{Errc::missing_parameter, "`data` is missing or no object", "data"};
  message.data = *data;
  return message;
}

/// What a renewal found, subscription by subscription.
object told_of_renewal(const Transition& after, const RenewSubscription& command) {
  boost::json::array renewed, not_due;
  for (const Event& event : after.events) {
    if (event.type != EventType::subscription_updated || !event.previous) continue;
    const auto* now = std::get_if<Subscription>(&after.snapshots[event.snapshot]);
    const auto* before = std::get_if<Subscription>(&after.snapshots[*event.previous]);
    if (now != nullptr && before != nullptr && now->ordinal > before->ordinal) renewed.emplace_back(now->id.value());
  }
  object body;
  if (const Subscription* subscription = after.account.find(command.subscription)) {
    body["subscription"] = subscription->id.value();
    body["current_period_end"] = to_unix(subscription->current_period.end);
    body["outcome"] = renewed.empty() ? "not_due" : "renewed";
  } else {
    body["outcome"] = renewed.empty() ? "not_due" : "renewed";
  }
  body["renewed"] = std::move(renewed);
  return body;
}

/// Must not depend on anything but the account after the command: a repetition may be answered from that alone.
Answer told(const Transition& after, const Command& command) {
  object body;
  if (const auto* renewal = std::get_if<RenewSubscription>(&command))
    body = told_of_renewal(after, *renewal);
  else
    body["outcome"] = "received";
  return answer_of(200, std::move(body));
}

Answer ignored(std::string_view why) {
  object body;
  body["outcome"] = "ignored";
  body["reason"] = why;
  return answer_of(200, std::move(body));
}

/// Whether the sender should try again: nothing is wrong with what it sent.
bool is_to_be_repeated(Errc code) {
  return is_transient(code) || code == Errc::outcome_unknown || code == Errc::idempotency_in_progress ||
         code == Errc::conflict || code == Errc::corrupt || code == Errc::internal;
}

int status_of(Errc code) {
  switch (code) {
    case Errc::not_found:
      return 404;
    case Errc::invalid_state:
      return 409;
    default:
      return 400;
  }
}

}  // namespace

/// `number`: of the order among the message's, from 0; each of them takes effect once.
awaitable<Result<Answer>> Face::execute(const Message& message, Order order, std::size_t number, bool& is_repeated) {
  Execution execution;
  execution.mode = message.mode;
  execution.account = std::move(order.account);
  execution.render = [command = *order.command](const Transition& after) { return told(after, command); };
  execution.command = std::move(*order.command);
  execution.origin.request_id = "webhook " + message.source + " " + message.id;
  // No header can hold a line's end: no client's key is ever the same.
  execution.origin.idempotency_key = "webhook\n" + message.source + "\n" + message.id;
  if (number > 0) execution.origin.idempotency_key += "\n" + std::to_string(number);
  execution.origin.key_life = remembered;
  auto executed = co_await services_.billing.execute(std::move(execution));
  if (!executed) co_return executed.error();
  is_repeated = executed->repeated;
  co_return std::move(executed->answer);
}

awaitable<Result<Answer>> Face::carry_out(const Message& message, bool& is_repeated) {
  const Lookups lookups{services_.store, services_.gateways};
  auto orders = co_await orders_of(lookups, message);
  if (!orders) co_return orders.error();
  Answer answer;
  for (std::size_t number = 0; number < orders->size(); ++number) {
    Order& order = (*orders)[number];
    if (!order.command) {
      answer = ignored(order.why);
      continue;
    }
    auto executed = co_await execute(message, std::move(order), number, is_repeated);
    if (!executed) co_return executed.error();
    answer = std::move(*executed);
  }
  co_return answer;
}

awaitable<http::Response> Face::handle(http::Request request) {
  http::Response response;
  const auto refuse = [&](int status, const Failure& failure) {
    ++statistics_.refused;
    Answer answer = refusal(status, failure);
    response.status = answer.status;
    response.body = std::move(answer.body);
  };
  const std::string name(request.path().substr(std::string_view("/webhooks/").size()));
  const auto found = services_.settings.webhook_sources.find(name);
  if (found == services_.settings.webhook_sources.end()) {
    refuse(404, {Errc::not_found, "There is no such source of webhooks."});
    co_return response;
  }
  if (request.method != http::Method::post) {
    refuse(405, {Errc::invalid_parameter, "Webhooks are posted."});
    response.headers.add("Allow", "POST");
    co_return response;
  }
  const Timestamp now = services_.billing.now();
  const auto verified = verify(request, found->second, now);
  if (!verified) {
    spdlog::warn("a webhook of {} is refused: {}", name, verified.error().detail);
    refuse(401, verified.error());
    co_return response;
  }
  auto message = read(request, name, found->second, now);
  if (!message) {
    refuse(400, message.error());
    co_return response;
  }
  bool is_repeated = false;
  auto answer = co_await carry_out(*message, is_repeated);
  if (answer) {
    const bool is_ignored = answer->body.starts_with("{\"outcome\":\"ignored\"");
    ++(is_repeated ? statistics_.repeated : is_ignored ? statistics_.ignored : statistics_.carried_out);
    response.status = answer->status;
    response.body = std::move(answer->body);
    co_return response;
  }
  const Failure& failure = answer.error();
  if (is_to_be_repeated(failure.code)) {
    ++statistics_.postponed;
    spdlog::warn("the webhook {} of {} cannot be carried out now: {}", message->id, name, failure.detail);
    Answer later = refusal(503, {failure.code, "It cannot be carried out now; send it again."});
    response.status = later.status;
    response.body = std::move(later.body);
    response.headers.add("Retry-After", "5");
    co_return response;
  }
  spdlog::warn("the webhook {} of {} asks for what cannot be: {}", message->id, name, failure.detail);
  refuse(status_of(failure.code), failure);
  co_return response;
}

}  // namespace billd::api::incoming
