#include "net/gateways/stripe_gateway.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>

#include "net/http/text.hpp"

namespace billd::gateways {
namespace {

using boost::json::object;

constexpr std::string_view address = "https://api.stripe.com";
/// The version whose answers are read here.
constexpr std::string_view api_version = "2020-08-27";
/// Pages of a customer's charges that are looked through, and how many there are on one.
constexpr int pages_max = 10, page_size = 100;
constexpr std::string_view charge_mark = "billd_charge", refund_mark = "billd_refund";

ProcessorSettings with_address(ProcessorSettings settings) {
  if (settings.url.empty()) settings.url = address;
  while (settings.url.ends_with('/')) settings.url.pop_back();
  return settings;
}

/// "cus_…/pm_…" taken apart; either part may be empty.
struct Reference {
  std::string customer, source;

  explicit Reference(std::string_view text) {
    const std::size_t slash = text.find('/');
    const bool has_customer = slash != std::string_view::npos || text.starts_with("cus_");
    if (has_customer) customer = text.substr(0, slash);
    if (!has_customer)
      source = text;
    else if (slash != std::string_view::npos)
      source = text.substr(slash + 1);
  }
  /// Payment methods are charged through payment intents, everything older through charges.
  bool is_payment_method() const { return source.starts_with("pm_"); }
};

bool is_identifier(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

/// A form, in the order in which it is filled.
class Form {
 public:
  Form& add(std::string_view name, std::string_view value) {
    if (!text_.empty()) text_ += '&';
    text_ += http::percent_encoded(name) + "=" + http::percent_encoded(value);
    return *this;
  }
  std::string take() { return std::move(text_); }

 private:
  std::string text_;
};

std::string mark_of(const object& found, std::string_view mark) {
  const object* metadata = object_of(found, "metadata");
  return metadata != nullptr ? text_of(*metadata, mark) : std::string();
}

/// Whether the refusal is of the source alone: it is gone, or cannot be charged.
bool is_of_source(const object& error) {
  static constexpr std::array<std::string_view, 4> parameters = {"customer", "source", "payment_method", "card"};
  static constexpr std::array<std::string_view, 4> codes = {"resource_missing", "missing", "payment_method_unactivated",
                                                            "payment_method_provider_decline"};
  return std::ranges::find(parameters, text_of(error, "param")) != parameters.end() ||
         std::ranges::find(codes, text_of(error, "code")) != codes.end();
}

template <class Outcome>
Outcome of_kind(decltype(Outcome::kind) kind, std::string reference = {}) {
  Outcome outcome;
  outcome.kind = kind;
  outcome.gateway_reference = std::move(reference);
  return outcome;
}

CardSummary card_of(const object& described) {
  // A payment method keeps its card in a member, an older source is the card.
  const object* inner = object_of(described, "card");
  const object& card = inner != nullptr ? *inner : described;
  CardSummary summary;
  summary.brand = text_of(card, "brand");
  summary.last4 = text_of(card, "last4");
  summary.exp_month = static_cast<std::int32_t>(integer_of(card, "exp_month").value_or(0));
  summary.exp_year = static_cast<std::int32_t>(integer_of(card, "exp_year").value_or(0));
  summary.funding = text_of(card, "funding");
  summary.country = text_of(card, "country");
  summary.fingerprint = text_of(card, "fingerprint");
  return summary;
}

}  // namespace

StripeGateway::StripeGateway(Executor executor, std::string name, ProcessorSettings settings)
    : name_(std::move(name)), settings_(with_address(std::move(settings))), peer_(executor, name_, settings_) {}

bool StripeGateway::is_of(Mode mode) const {
  if (mode == settings_.mode) return true;
  spdlog::error("the gateway {} is for the other mode: nothing is sent to it", name_);
  return false;
}

http::Headers StripeGateway::headers(const std::string& idempotency_key) const {
  http::Headers headers;
  headers.add("Authorization", "Bearer " + settings_.key.reveal());
  headers.add("Stripe-Version", api_version);
  if (idempotency_key.empty()) return headers;
  headers.add("Idempotency-Key", idempotency_key);
  headers.add("Content-Type", "application/x-www-form-urlencoded");
  return headers;
}

awaitable<Result<Peer::Answer>> StripeGateway::get(std::string path, Deadline until) {
  http::Headers fields = headers({});
  std::string no_body;
  co_return co_await peer_.send(http::Method::get, std::move(path), std::move(fields), std::move(no_body), until);
}

awaitable<Result<NewSource>> StripeGateway::describe_source(Mode mode, std::string token) {
  const Reference reference(token);
  const Failure unknown{
      Errc::invalid_parameter,
      "No such token: the gateway " + name_ + " takes cus_…, or one of its sources as cus_…/card_… or cus_…/pm_…",
      "source"};
  if (!reference.customer.starts_with("cus_") || !is_identifier(reference.customer) || !is_identifier(reference.source))
    co_return unknown;
  if (!is_of(mode))
    co_return Failure{Errc::invalid_parameter, "The gateway " + name_ + " is for the other mode.", "source"};
  const std::string customer = "/v1/customers/" + reference.customer;
  std::string path = customer + "?expand%5B0%5D=default_source";
  if (reference.is_payment_method())
    path = "/v1/payment_methods/" + reference.source;
  else if (!reference.source.empty())
    path = customer + "/sources/" + reference.source;
  const auto answer = co_await get(std::move(path), peer_.deadline());
  if (!answer) co_return Failure{Errc::unavailable, answer.error().detail};
  if (answer->status != 200 || answer->body.contains("deleted")) co_return unknown;
  if (reference.is_payment_method() && text_of(answer->body, "customer") != reference.customer) co_return unknown;
  NewSource source;
  source.gateway = name_;
  source.reference = token;
  const object* card = reference.source.empty() ? object_of(answer->body, "default_source") : &answer->body;
  if (card != nullptr) source.means = Card{card_of(*card), {}, {}, {}, {}, {}};
  co_return source;
}

ChargeOutcome StripeGateway::outcome_of(const Object& object, const ChargeRequest& request) const {
  const std::string id = text_of(object, "id"), status = text_of(object, "status");
  const bool is_money = text_of(object, "object") == "charge" || text_of(object, "object") == "payment_intent";
  if (id.empty() || !is_money) return {};
  if (!is_what_was_asked(object, request.amount, name_, request.idempotency_key))
    return of_kind<ChargeOutcome>(ChargeOutcomeKind::impossible, id);
  if (status == "succeeded") return of_kind<ChargeOutcome>(ChargeOutcomeKind::succeeded, id);
  if (status == "processing" || status == "pending") return of_kind<ChargeOutcome>(ChargeOutcomeKind::pending, id);
  ChargeOutcome declined = of_kind<ChargeOutcome>(ChargeOutcomeKind::declined, id);
  const boost::json::object* error = object_of(object, "last_payment_error");
  if (status == "failed") {
    const boost::json::object* outcome = object_of(object, "outcome");
    declined.decline_code = outcome != nullptr ? text_of(*outcome, "reason") : "";
    if (declined.decline_code.empty()) declined.decline_code = text_of(object, "failure_code");
  } else if (status == "requires_payment_method" || status == "canceled") {
    if (error != nullptr) declined.decline_code = text_of(*error, "decline_code");
    if (error != nullptr && declined.decline_code.empty()) declined.decline_code = text_of(*error, "code");
  } else {
    // Asking the customer is impossible: nobody is there. It is not to be confirmed later either.
    spdlog::error("the gateway {} answered {} for {}, which needs an operator", name_, status, request.idempotency_key);
    return of_kind<ChargeOutcome>(ChargeOutcomeKind::impossible, id);
  }
  if (declined.decline_code.empty()) declined.decline_code = "generic_decline";
  return declined;
}

ChargeOutcome StripeGateway::outcome_of_error(const Peer::Answer& answer, const ChargeRequest& request) const {
  const object* error = object_of(answer.body, "error");
  if (error == nullptr) return {};
  const std::string type = text_of(*error, "type");
  if (type == "idempotency_error") {
    spdlog::error("the gateway {} knows {} with other parameters: it needs an operator", name_,
                  request.idempotency_key);
    return of_kind<ChargeOutcome>(ChargeOutcomeKind::impossible);
  }
  ChargeOutcome declined = of_kind<ChargeOutcome>(ChargeOutcomeKind::declined, text_of(*error, "charge"));
  if (type == "card_error") {
    declined.decline_code = text_of(*error, "decline_code");
    if (declined.decline_code.empty()) declined.decline_code = text_of(*error, "code");
    if (declined.decline_code.empty()) declined.decline_code = "generic_decline";
    return declined;
  }
  if (type == "invalid_request_error" && is_of_source(*error)) {
    declined.decline_code = "invalid_account";
    return declined;
  }
  // The request itself was not understood: what is wrong is wrong for all, and is no customer's fault.
  spdlog::error("the gateway {} refused {} with {}: {}", name_, request.idempotency_key, answer.status, type);
  return {};
}

awaitable<ChargeOutcome> StripeGateway::charge(ChargeRequest request) {
  if (!is_of(request.mode)) co_return of_kind<ChargeOutcome>(ChargeOutcomeKind::impossible);
  const Reference reference(request.source);
  if (request.source.empty()) {
    ChargeOutcome declined = of_kind<ChargeOutcome>(ChargeOutcomeKind::declined);
    declined.decline_code = "invalid_account";
    co_return declined;
  }
  Form form;
  form.add("amount", std::to_string(request.amount.minor)).add("currency", request.amount.currency.code());
  if (!reference.customer.empty()) form.add("customer", reference.customer);
  if (reference.is_payment_method()) {
    form.add("payment_method", reference.source).add("confirm", "true").add("off_session", "true");
    form.add("error_on_requires_action", "true");
  } else if (!reference.source.empty()) {
    form.add("source", reference.source);
  }
  // What the account says of itself stands before it. Source: Stripe takes only the suffix for cards.
  if (!request.statement_descriptor.empty()) form.add("statement_descriptor_suffix", request.statement_descriptor);
  form.add("metadata[billd_charge]", request.idempotency_key);
  form.add("metadata[billd_invoice]", request.invoice.value());
  const Deadline until = peer_.deadline();
  http::Headers fields = headers(request.idempotency_key);
  std::string path = reference.is_payment_method() ? "/v1/payment_intents" : "/v1/charges";
  const auto answer = co_await peer_.send(http::Method::post, std::move(path), std::move(fields), form.take(), until);
  if (answer) co_return answer->status == 200 ? outcome_of(answer->body, request) : outcome_of_error(*answer, request);
  if (answer.error().code == Errc::unavailable) co_return ChargeOutcome();
  // Stripe repeats an error that it has stored under the key for as long as it knows the key. What became of the charge
  // is seen in the list; only that it is not there yet says nothing.
  ChargeOutcome listed = co_await find_listed(request, until);
  if (listed.kind == ChargeOutcomeKind::absent) co_return ChargeOutcome();
  co_return listed;
}

awaitable<ChargeOutcome> StripeGateway::look_up(ChargeRequest request) {
  if (!is_of(request.mode)) co_return of_kind<ChargeOutcome>(ChargeOutcomeKind::impossible);
  const Deadline until = peer_.deadline();
  if (request.reference.empty() || !is_identifier(request.reference)) co_return co_await find_listed(request, until);
  const bool is_intent = request.reference.starts_with("pi_");
  std::string path = (is_intent ? "/v1/payment_intents/" : "/v1/charges/") + request.reference;
  const auto answer = co_await get(std::move(path), until);
  if (!answer) co_return ChargeOutcome();
  if (answer->status == 404) co_return of_kind<ChargeOutcome>(ChargeOutcomeKind::impossible, request.reference);
  if (answer->status != 200) co_return ChargeOutcome();
  co_return outcome_of(answer->body, request);
}

/// What the customer's list says; when it is not there, it was never charged.
awaitable<ChargeOutcome> StripeGateway::find_listed(ChargeRequest request, Deadline until) {
  const Reference reference(request.source);
  std::string path = reference.is_payment_method() ? "/v1/payment_intents" : "/v1/charges";
  path += reference.customer.empty() ? "?" : "?customer=" + http::percent_encoded(reference.customer) + "&";
  auto found = co_await find_in_list(std::move(path), std::string(charge_mark), request.idempotency_key, until);
  if (!found)
    co_return of_kind<ChargeOutcome>(found.error().code == Errc::limit_exceeded ? ChargeOutcomeKind::impossible
                                                                                : ChargeOutcomeKind::unknown);
  if (*found) co_return outcome_of(**found, request);
  co_return of_kind<ChargeOutcome>(ChargeOutcomeKind::absent);
}

/// The object in the list whose metadata holds the key under the mark; empty: it is not there. limit_exceeded when the
/// list is too long to say.
awaitable<Result<std::optional<StripeGateway::Object>>> StripeGateway::find_in_list(std::string path, std::string mark,
                                                                                    std::string key, Deadline until) {
  std::string after;
  for (int page = 0; page < pages_max; ++page) {
    std::string page_path = path + "limit=" + std::to_string(page_size);
    if (!after.empty()) page_path += "&starting_after=" + http::percent_encoded(after);
    auto answer = co_await get(std::move(page_path), until);
    if (!answer) co_return answer.error();
    const boost::json::value* data = answer->body.if_contains("data");
    const boost::json::value* more = answer->body.if_contains("has_more");
    if (answer->status != 200 || data == nullptr || !data->is_array() || more == nullptr || !more->is_bool())
      co_return Failure{Errc::outcome_unknown, "the list cannot be read"};
    for (boost::json::value& each : answer->body["data"].as_array()) {
      if (!each.is_object()) continue;
      if (mark_of(each.as_object(), mark) == key) co_return std::optional(std::move(each.as_object()));
      after = text_of(each.as_object(), "id");
    }
    if (!answer->body["has_more"].as_bool()) co_return std::optional<Object>();
    if (after.empty()) break;
  }
  co_return Failure{Errc::limit_exceeded, "the list is too long"};
}

// Refunds.

RefundOutcome StripeGateway::refund_outcome_of(const Object& object, const RefundRequest& request) const {
  const std::string id = text_of(object, "id"), status = text_of(object, "status");
  if (id.empty() || text_of(object, "object") != "refund") return {};
  if (!is_what_was_asked(object, request.amount, name_, request.idempotency_key))
    return of_kind<RefundOutcome>(RefundOutcomeKind::impossible, id);
  // Before 2018 a refund had no status: it was made or refused.
  if (status == "succeeded" || status.empty()) return of_kind<RefundOutcome>(RefundOutcomeKind::succeeded, id);
  if (status == "pending" || status == "requires_action") return of_kind<RefundOutcome>(RefundOutcomeKind::pending, id);
  RefundOutcome failed = of_kind<RefundOutcome>(RefundOutcomeKind::failed, id);
  failed.failure_reason = text_of(object, "failure_reason");
  if (failed.failure_reason.empty()) failed.failure_reason = "unknown";
  return failed;
}

awaitable<RefundOutcome> StripeGateway::refund(RefundRequest request) {
  if (!is_of(request.mode)) co_return of_kind<RefundOutcome>(RefundOutcomeKind::impossible);
  Form form;
  form.add(request.charge_reference.starts_with("pi_") ? "payment_intent" : "charge", request.charge_reference);
  form.add("amount", std::to_string(request.amount.minor));
  if (!request.reason.empty()) form.add("reason", request.reason);
  form.add("metadata[billd_refund]", request.idempotency_key);
  const Deadline until = peer_.deadline();
  http::Headers fields = headers(request.idempotency_key);
  const auto answer = co_await peer_.send(http::Method::post, "/v1/refunds", std::move(fields), form.take(), until);
  if (answer && answer->status == 200) co_return refund_outcome_of(answer->body, request);
  if (answer) {
    const object* error = object_of(answer->body, "error");
    const std::string code = error != nullptr ? text_of(*error, "code") : "";
    spdlog::error("the gateway {} refused {} with {}: {}", name_, request.idempotency_key, answer->status, code);
    // Somebody has given the money back already, or the bank has taken it: an operator must look.
    if (code == "charge_already_refunded" || code == "charge_disputed" || code == "resource_missing")
      co_return of_kind<RefundOutcome>(RefundOutcomeKind::impossible);
    co_return RefundOutcome();
  }
  if (answer.error().code == Errc::unavailable) co_return RefundOutcome();
  RefundOutcome listed = co_await find_listed_refund(request, until);
  if (listed.kind == RefundOutcomeKind::failed && listed.gateway_reference.empty()) co_return RefundOutcome();
  co_return listed;
}

awaitable<RefundOutcome> StripeGateway::look_up_refund(RefundRequest request) {
  if (!is_of(request.mode)) co_return of_kind<RefundOutcome>(RefundOutcomeKind::impossible);
  if (request.reference.empty() || !is_identifier(request.reference))
    co_return co_await find_listed_refund(std::move(request), peer_.deadline());
  std::string path = "/v1/refunds/" + request.reference;
  const auto answer = co_await get(std::move(path), peer_.deadline());
  if (!answer) co_return RefundOutcome();
  if (answer->status == 404) co_return of_kind<RefundOutcome>(RefundOutcomeKind::impossible, request.reference);
  if (answer->status != 200) co_return RefundOutcome();
  co_return refund_outcome_of(answer->body, request);
}

awaitable<RefundOutcome> StripeGateway::find_listed_refund(RefundRequest request, Deadline until) {
  const bool is_intent = request.charge_reference.starts_with("pi_");
  std::string path = std::string("/v1/refunds?") + (is_intent ? "payment_intent=" : "charge=");
  path += http::percent_encoded(request.charge_reference) + "&";
  auto found = co_await find_in_list(std::move(path), std::string(refund_mark), request.idempotency_key, until);
  if (!found)
    co_return of_kind<RefundOutcome>(found.error().code == Errc::limit_exceeded ? RefundOutcomeKind::impossible
                                                                                : RefundOutcomeKind::unknown);
  if (*found) co_return refund_outcome_of(**found, request);
  RefundOutcome absent = of_kind<RefundOutcome>(RefundOutcomeKind::failed);
  absent.failure_reason = "unknown";
  co_return absent;
}

awaitable<Result<std::string>> StripeGateway::find_charge(std::string reference) {
  const Failure unknown{Errc::not_found, "the gateway " + name_ + " knows no such charge of billd's"};
  if (!is_identifier(reference)) co_return unknown;
  const bool is_intent = reference.starts_with("pi_");
  std::string path = (is_intent ? "/v1/payment_intents/" : "/v1/charges/") + reference;
  const auto answer = co_await get(std::move(path), peer_.deadline());
  if (!answer) co_return Failure{Errc::unavailable, answer.error().detail};
  std::string key = answer->status == 200 ? mark_of(answer->body, charge_mark) : std::string();
  if (key.empty()) co_return unknown;
  co_return key;
}

}  // namespace billd::gateways
