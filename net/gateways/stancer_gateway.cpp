#include "net/gateways/stancer_gateway.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "net/http/text.hpp"
#include "net/webhooks/signature.hpp"

namespace billd::gateways {
namespace {

using boost::json::object;

constexpr std::string_view address = "https://api.stancer.com";

ProcessorSettings with_address(ProcessorSettings settings) {
  if (settings.url.empty()) settings.url = address;
  while (settings.url.ends_with('/')) settings.url.pop_back();
  return settings;
}

/// "cust_…/card_…" taken apart; the customer may be missing.
struct Reference {
  std::string customer, method;

  explicit Reference(std::string_view text) {
    const std::size_t slash = text.find('/');
    if (slash != std::string_view::npos) customer = text.substr(0, slash);
    method = slash == std::string_view::npos ? text : text.substr(slash + 1);
  }
  bool is_debit() const { return method.starts_with("sepa_"); }
  bool is_sound() const {
    const auto is_word = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
    };
    return (method.starts_with("card_") || is_debit()) && (customer.empty() || customer.starts_with("cust_")) &&
           std::ranges::all_of(method, is_word) && std::ranges::all_of(customer, is_word);
  }
};

/// The bank's response code in Stripe's words. Source: the codes that Stancer's libraries name; ISO 8583.
std::string decline_code(std::string_view response) {
  if (response == "05") return "do_not_honor";
  if (response == "41") return "lost_card";
  if (response == "42" || response == "43") return "stolen_card";
  if (response == "51") return "insufficient_funds";
  if (response == "54") return "expired_card";
  return "generic_decline";
}

}  // namespace

StancerGateway::StancerGateway(Executor executor, std::string name, ProcessorSettings settings)
    : name_(std::move(name)), settings_(with_address(std::move(settings))), peer_(executor, name_, settings_) {}

bool StancerGateway::is_of(Mode mode) const {
  if (mode == settings_.mode) return true;
  spdlog::error("the gateway {} is for the other mode: nothing is sent to it", name_);
  return false;
}

http::Headers StancerGateway::headers(bool has_body) const {
  http::Headers headers;
  headers.add("Authorization", "Basic " + webhooks::to_base64(settings_.key.reveal() + ":"));
  if (has_body) headers.add("Content-Type", "application/json");
  return headers;
}

awaitable<Result<Peer::Answer>> StancerGateway::get(std::string path, Deadline until) {
  http::Headers fields = headers(false);
  std::string no_body;
  co_return co_await peer_.send(http::Method::get, std::move(path), std::move(fields), std::move(no_body), until);
}

awaitable<Result<NewSource>> StancerGateway::describe_source(Mode mode, std::string token) {
  const Reference reference(token);
  const Failure unknown{Errc::invalid_parameter,
                        "No such token: the gateway " + name_ + " takes card_… or sepa_…, or cust_…/card_…", "source"};
  if (!reference.is_sound()) co_return unknown;
  if (!is_of(mode))
    co_return Failure{Errc::invalid_parameter, "The gateway " + name_ + " is for the other mode.", "source"};
  std::string path = (reference.is_debit() ? "/v1/sepa/" : "/v1/cards/") + reference.method;
  const auto answer = co_await get(std::move(path), peer_.deadline());
  if (!answer) co_return Failure{Errc::unavailable, answer.error().detail};
  if (answer->status != 200) co_return unknown;
  NewSource source;
  source.gateway = name_;
  source.reference = token;
  CardSummary card;
  card.brand = text_of(answer->body, "brand");
  card.last4 = text_of(answer->body, "last4");
  card.exp_month = static_cast<std::int32_t>(integer_of(answer->body, "exp_month").value_or(0));
  card.exp_year = static_cast<std::int32_t>(integer_of(answer->body, "exp_year").value_or(0));
  card.funding = text_of(answer->body, "funding");
  card.country = text_of(answer->body, "country");
  source.means = Card{std::move(card), text_of(answer->body, "name"), {}, {}, {}, {}};
  co_return source;
}

ChargeOutcome StancerGateway::outcome_of(const Object& payment, const ChargeRequest& request) const {
  ChargeOutcome outcome;
  outcome.gateway_reference = text_of(payment, "id");
  const std::string status = text_of(payment, "status");
  if (outcome.gateway_reference.empty() || text_of(payment, "unique_id") != request.idempotency_key) return {};
  const bool is_debit = Reference(request.source).is_debit();
  if (status == "refused" || status == "failed" || status == "expired" || status == "canceled") {
    outcome.kind = ChargeOutcomeKind::declined;
    outcome.decline_code = decline_code(text_of(payment, "response"));
  } else if (!is_what_was_asked(payment, request.amount, name_, request.idempotency_key)) {
    outcome.kind = ChargeOutcomeKind::impossible;
  } else if (status == "captured" || status == "disputed" || (status == "to_capture" && !is_debit)) {
    outcome.kind = ChargeOutcomeKind::succeeded;
  } else if (status == "to_capture" || status == "capture" || status == "capture_sent" || status == "authorize" ||
             status == "authorized") {
    outcome.kind = ChargeOutcomeKind::pending;
  }
  return outcome;
}

awaitable<ChargeOutcome> StancerGateway::charge(ChargeRequest request) {
  ChargeOutcome impossible;
  impossible.kind = ChargeOutcomeKind::impossible;
  const Reference reference(request.source);
  if (!is_of(request.mode) || !reference.is_sound()) co_return impossible;
  Object payment;
  payment["amount"] = request.amount.minor;
  payment["currency"] = request.amount.currency.code();
  payment["capture"] = true;
  payment["unique_id"] = request.idempotency_key;
  payment["order_id"] = request.invoice.value();
  payment[reference.is_debit() ? "sepa" : "card"] = reference.method;
  if (!reference.customer.empty()) payment["customer"] = reference.customer;
  const Deadline until = peer_.deadline();
  http::Headers fields = headers(true);
  std::string body = boost::json::serialize(payment);
  const auto answer =
      co_await peer_.send(http::Method::post, "/v1/checkout/", std::move(fields), std::move(body), until);
  if (answer && answer->status == 200) co_return outcome_of(answer->body, request);
  if (answer) {
    spdlog::error("the gateway {} refused {} with {}", name_, request.idempotency_key, answer->status);
    co_return ChargeOutcome();
  }
  if (answer.error().code == Errc::unavailable) co_return ChargeOutcome();
  // Among others: it knows the unique_id already.
  ChargeOutcome found = co_await find(request, until);
  if (found.kind == ChargeOutcomeKind::absent) co_return ChargeOutcome();
  co_return found;
}

awaitable<ChargeOutcome> StancerGateway::look_up(ChargeRequest request) {
  ChargeOutcome impossible;
  impossible.kind = ChargeOutcomeKind::impossible;
  if (!is_of(request.mode)) co_return impossible;
  co_return co_await find(std::move(request), peer_.deadline());
}

/// The payment of that unique_id; when there is none it was never charged.
awaitable<ChargeOutcome> StancerGateway::find(ChargeRequest request, Deadline until) {
  std::string path = "/v1/checkout/?limit=1&unique_id=" + http::percent_encoded(request.idempotency_key);
  const auto answer = co_await get(std::move(path), until);
  if (!answer) co_return ChargeOutcome();
  const boost::json::value* payments = answer->body.if_contains("payments");
  const bool is_list = payments != nullptr && payments->is_array();
  if (answer->status == 404 || (answer->status == 200 && is_list && payments->as_array().empty())) {
    ChargeOutcome absent;
    absent.kind = ChargeOutcomeKind::absent;
    co_return absent;
  }
  if (answer->status != 200 || !is_list || !payments->as_array()[0].is_object()) co_return ChargeOutcome();
  co_return outcome_of(payments->as_array()[0].as_object(), request);
}

RefundOutcome StancerGateway::refund_outcome_of(const Object& refund, const RefundRequest& request) const {
  RefundOutcome outcome;
  outcome.gateway_reference = text_of(refund, "id");
  const std::string status = text_of(refund, "status");
  if (outcome.gateway_reference.empty()) return {};
  if (status == "not_honored" || status == "payment_canceled") {
    outcome.kind = RefundOutcomeKind::failed;
    outcome.failure_reason = "unknown";
  } else if (!is_what_was_asked(refund, request.amount, name_, request.idempotency_key)) {
    outcome.kind = RefundOutcomeKind::impossible;
  } else if (status == "refunded") {
    outcome.kind = RefundOutcomeKind::succeeded;
  } else if (status == "to_refund" || status == "refund_sent") {
    outcome.kind = RefundOutcomeKind::pending;
  }
  return outcome;
}

awaitable<RefundOutcome> StancerGateway::refund(RefundRequest request) {
  RefundOutcome impossible;
  impossible.kind = RefundOutcomeKind::impossible;
  // Refunds have no key: what may have been sent is never sent again.
  if (!is_of(request.mode) || request.is_repeated) co_return impossible;
  Object refund;
  refund["payment"] = request.charge_reference;
  refund["amount"] = request.amount.minor;
  http::Headers fields = headers(true);
  std::string body = boost::json::serialize(refund);
  const auto answer =
      co_await peer_.send(http::Method::post, "/v1/refunds/", std::move(fields), std::move(body), peer_.deadline());
  if (answer && answer->status == 200) co_return refund_outcome_of(answer->body, request);
  co_return RefundOutcome();
}

awaitable<RefundOutcome> StancerGateway::look_up_refund(RefundRequest request) {
  RefundOutcome impossible;
  impossible.kind = RefundOutcomeKind::impossible;
  if (!is_of(request.mode) || request.reference.empty()) co_return impossible;
  std::string path = "/v1/refunds/" + http::percent_encoded(request.reference);
  const auto answer = co_await get(std::move(path), peer_.deadline());
  if (!answer || answer->status != 200) co_return RefundOutcome();
  co_return refund_outcome_of(answer->body, request);
}

}  // namespace billd::gateways
