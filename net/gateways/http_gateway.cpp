#include "net/gateways/http_gateway.hpp"

#include <spdlog/spdlog.h>

#include "net/webhooks/signature.hpp"

namespace billd::gateways {
namespace {

using boost::json::object;

ProcessorSettings without_slash(ProcessorSettings settings) {
  while (settings.url.ends_with('/')) settings.url.pop_back();
  return settings;
}

std::string_view name(Mode mode) { return mode == Mode::live ? "live" : "test"; }

object question_about(const ChargeRequest& request) {
  object question;
  question["key"] = request.idempotency_key;
  question["mode"] = name(request.mode);
  question["source"] = request.source;
  question["amount"] = request.amount.minor;
  question["currency"] = request.amount.currency.code();
  question["invoice"] = request.invoice.value();
  question["created"] = to_unix(request.created);
  if (!request.statement_descriptor.empty()) question["statement_descriptor"] = request.statement_descriptor;
  return question;
}

object question_about(const RefundRequest& request) {
  object question;
  question["key"] = request.idempotency_key;
  question["mode"] = name(request.mode);
  question["charge"] = request.charge;
  question["charge_reference"] = request.charge_reference;
  question["source"] = request.source;
  question["amount"] = request.amount.minor;
  question["currency"] = request.amount.currency.code();
  question["reason"] = request.reason;
  question["created"] = to_unix(request.created);
  return question;
}

}  // namespace

HttpGateway::HttpGateway(Executor executor, std::string name, ProcessorSettings settings, WallClock now)
    : name_(std::move(name)),
      settings_(without_slash(std::move(settings))),
      now_(std::move(now)),
      peer_(executor, name_, settings_) {}

awaitable<Result<Peer::Answer>> HttpGateway::ask(std::string path, Object question, std::string key,
                                                 Peer::Deadline until) {
  std::string body = boost::json::serialize(question);
  // A repetition is the same message, sent at another time.
  const webhooks::Message message{key, to_unix(now_()), body};
  http::Headers headers;
  headers.add("Content-Type", "application/json");
  headers.add("Idempotency-Key", key);
  headers.add("webhook-id", key);
  headers.add("webhook-timestamp", std::to_string(message.sent_at));
  headers.add("webhook-signature", webhooks::standard_signature({settings_.key.reveal()}, message));
  co_return co_await peer_.send(http::Method::post, std::move(path), std::move(headers), std::move(body), until);
}

awaitable<Result<NewSource>> HttpGateway::describe_source(Mode mode, std::string token) {
  if (mode != settings_.mode)
    co_return Failure{Errc::invalid_parameter, "The gateway " + name_ + " is for the other mode.", "source"};
  object question;
  question["key"] = "source:" + token;
  question["mode"] = name(mode);
  question["source"] = token;
  const auto answer = co_await ask("/source", std::move(question), "source:" + token, peer_.deadline());
  if (!answer) co_return Failure{Errc::unavailable, answer.error().detail};
  if (answer->status != 200)
    co_return Failure{Errc::invalid_parameter, "No such token at the gateway " + name_ + ".", "source"};
  const object& told = answer->body;
  if (const std::string reason = text_of(told, "declined"); !reason.empty())
    co_return Failure{Errc::card_declined, reason, "source"};
  NewSource source;
  source.gateway = name_;
  source.reference = text_of(told, "source");
  if (source.reference.empty()) source.reference = token;
  CardSummary card;
  card.brand = text_of(told, "brand");
  card.last4 = text_of(told, "last4");
  card.exp_month = static_cast<std::int32_t>(integer_of(told, "exp_month").value_or(0));
  card.exp_year = static_cast<std::int32_t>(integer_of(told, "exp_year").value_or(0));
  card.funding = text_of(told, "funding");
  card.country = text_of(told, "country");
  source.means = Card{std::move(card), {}, {}, {}, {}, {}};
  co_return source;
}

/// What the endpoint says became of what was sent under the key; empty when it says nothing that can be trusted.
/// `is_nonsense`: it speaks of something else than was asked for, so that money may have moved which nobody ordered.
std::optional<std::string> HttpGateway::trusted_outcome(const Result<Peer::Answer>& answer, const std::string& key,
                                                        const Money& amount, bool& is_nonsense) const {
  is_nonsense = false;
  if (!answer) return std::nullopt;
  if (answer->status != 200) {
    spdlog::error("the gateway {} answered {} to {}", name_, answer->status, key);
    return std::nullopt;
  }
  if (text_of(answer->body, "key") != key) {
    spdlog::error("the gateway {} answered to something else than {}", name_, key);
    return std::nullopt;
  }
  std::string outcome = text_of(answer->body, "outcome");
  const bool is_money = outcome == "succeeded" || outcome == "pending";
  is_nonsense = is_money && !is_what_was_asked(answer->body, amount, name_, key);
  return outcome;
}

ChargeOutcome HttpGateway::charge_outcome(const Result<Peer::Answer>& answer, const ChargeRequest& request) const {
  ChargeOutcome told;
  bool is_nonsense = false;
  const auto outcome = trusted_outcome(answer, request.idempotency_key, request.amount, is_nonsense);
  if (!outcome) return told;
  told.gateway_reference = text_of(answer->body, "reference");
  if (is_nonsense || *outcome == "impossible") {
    told.kind = ChargeOutcomeKind::impossible;
  } else if (*outcome == "succeeded") {
    told.kind = ChargeOutcomeKind::succeeded;
  } else if (*outcome == "pending") {
    told.kind = ChargeOutcomeKind::pending;
  } else if (*outcome == "absent") {
    told.kind = ChargeOutcomeKind::absent;
  } else if (*outcome == "declined") {
    told.kind = ChargeOutcomeKind::declined;
    told.decline_code = text_of(answer->body, "reason");
    if (told.decline_code.empty()) told.decline_code = "generic_decline";
  }
  return told;
}

RefundOutcome HttpGateway::refund_outcome(const Result<Peer::Answer>& answer, const RefundRequest& request) const {
  RefundOutcome told;
  bool is_nonsense = false;
  const auto outcome = trusted_outcome(answer, request.idempotency_key, request.amount, is_nonsense);
  if (!outcome) return told;
  told.gateway_reference = text_of(answer->body, "reference");
  if (is_nonsense || *outcome == "impossible") {
    told.kind = RefundOutcomeKind::impossible;
  } else if (*outcome == "succeeded") {
    told.kind = RefundOutcomeKind::succeeded;
  } else if (*outcome == "pending") {
    told.kind = RefundOutcomeKind::pending;
  } else if (*outcome == "failed" || *outcome == "absent") {
    told.kind = RefundOutcomeKind::failed;
    told.failure_reason = text_of(answer->body, "reason");
    if (told.failure_reason.empty()) told.failure_reason = "unknown";
  }
  return told;
}

awaitable<ChargeOutcome> HttpGateway::charge(ChargeRequest request) {
  if (request.mode != settings_.mode) {
    ChargeOutcome refused;
    refused.kind = ChargeOutcomeKind::impossible;
    co_return refused;
  }
  const Peer::Deadline until = peer_.deadline();
  auto answer = co_await ask("/charge", question_about(request), request.idempotency_key, until);
  // An error may be what is answered to this key for ever: then only the question tells what became of it.
  if (!answer && answer.error().code == Errc::outcome_unknown)
    answer = co_await ask("/charge/look_up", question_about(request), request.idempotency_key, until);
  ChargeOutcome outcome = charge_outcome(answer, request);
  // What was ordered just now may still be on its way: that it is not there says nothing yet.
  if (outcome.kind == ChargeOutcomeKind::absent) outcome = ChargeOutcome();
  co_return outcome;
}

awaitable<ChargeOutcome> HttpGateway::look_up(ChargeRequest request) {
  object question = question_about(request);
  question["reference"] = request.reference;
  const auto answer = co_await ask("/charge/look_up", std::move(question), request.idempotency_key, peer_.deadline());
  co_return charge_outcome(answer, request);
}

awaitable<RefundOutcome> HttpGateway::refund(RefundRequest request) {
  if (request.mode != settings_.mode) {
    RefundOutcome refused;
    refused.kind = RefundOutcomeKind::impossible;
    co_return refused;
  }
  const auto answer = co_await ask("/refund", question_about(request), request.idempotency_key, peer_.deadline());
  RefundOutcome outcome = refund_outcome(answer, request);
  if (answer && text_of(answer->body, "outcome") == "absent") outcome = RefundOutcome();
  co_return outcome;
}

awaitable<RefundOutcome> HttpGateway::look_up_refund(RefundRequest request) {
  object question = question_about(request);
  question["reference"] = request.reference;
  const auto answer = co_await ask("/refund/look_up", std::move(question), request.idempotency_key, peer_.deadline());
  co_return refund_outcome(answer, request);
}

}  // namespace billd::gateways
