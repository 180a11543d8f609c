// Payment processors for tests, behind real sockets: what Stripe, Stancer and a merchant's own endpoint answer, with a
// ledger that is the truth about money, and faults on demand.
#pragma once

#include <boost/json.hpp>
#include <map>
#include <string>
#include <vector>

#include "net/http/form.hpp"
#include "net/http/server.hpp"
#include "net/webhooks/signature.hpp"
#include "tests/net/run.hpp"

namespace billd::gateways {

/// What goes wrong with a request that moves money.
enum class Fault {
  none,
  lost,                  ///< it never arrives, and nobody answers
  answer_lost,           ///< the money moves, and nobody answers
  cut,                   ///< the money moves, and the connection breaks within the answer
  conflict,              ///< 409: an earlier one is under way
  throttled,             ///< 429 with Retry-After
  unavailable,           ///< 503, to questions as well
  error_stored,          ///< 500, which is repeated for the key for ever; the money did not move
  error_stored_charged,  ///< the same, and it did
  garbage,               ///< 200 and no JSON; the money moves
  wrong_amount,          ///< 200 and another amount than was ordered; the money moves
  wrong_currency,        ///< the same with the currency
};

struct Booked {
  std::string key, id, source, currency;
  std::int64_t amount = 0;
  std::string status = "succeeded";  ///< in billd's words: succeeded, declined, pending
  std::string refund_of;             ///< of a refund: the charge's id
};

/// All three speak of the same ledger. One server on the tests' loop.
class FakeProcessor {
 public:
  explicit FakeProcessor(asio::io_context& loop)
      : loop_(loop), server_(loop.get_executor(), http::ServerSettings(), [this](http::Request request) {
          return answer(std::move(request));
        }) {
    const auto listening = server_.listen("127.0.0.1", 0);
    BILLD_CHECK(listening.has_value(), "a port is free");
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_.local_endpoint().port); }
  void stop() { run(loop_, server_.stop(Milliseconds(10))); }

  /// Holds for requests that move money, until it is set otherwise.
  Fault fault = Fault::none;
  /// What becomes of new charges: succeeded, declined, pending.
  std::string verdict = "succeeded";
  /// Of new refunds: succeeded, pending, failed; Stancer has them all wait first, until they are "refunded".
  std::string refund_verdict = "succeeded";
  std::string secret = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0";
  std::vector<Booked> ledger;
  std::string latest_target, latest_body;  ///< of what was posted last
  int posts = 0, gets = 0, at_once = 0, at_once_most = 0, unsigned_requests = 0;
  Milliseconds latency{0};

  std::vector<Booked> charges() const {
    std::vector<Booked> found;
    for (const Booked& each : ledger)
      if (each.refund_of.empty()) found.push_back(each);
    return found;
  }
  std::size_t refunds() const { return ledger.size() - charges().size(); }
  Booked* find(const std::string& key) {
    for (Booked& each : ledger)
      if (each.key == key) return &each;
    return nullptr;
  }

 private:
  using Object = boost::json::object;

  /// The request that moves money, however it was written.
  struct Order {
    std::string key, source, currency, refund_of;
    std::int64_t amount = 0;
    bool is_stancer = false, is_own = false, is_intent = false;
  };

  awaitable<http::Response> answer(http::Request request) {
    at_once_most = std::max(at_once_most, ++at_once);
    if (latency.count() > 0) co_await sleep_for(latency);
    http::Response response;
    if (fault == Fault::unavailable) {
      ++(request.method == http::Method::get ? gets : posts);
      response = json(503, {});
    } else if (request.method == http::Method::get) {
      ++gets;
      response = look_up(request);
    } else {
      ++posts;
      latest_target = request.target;
      latest_body = request.body;
      response = co_await post(std::move(request));
    }
    --at_once;
    co_return response;
  }

  static http::Response json(int status, const Object& body) {
    http::Response response;
    response.status = status;
    response.body = boost::json::serialize(body);
    return response;
  }

  static std::string parameter(const std::string& form, const std::string& name) {
    const std::string text = "&" + form;
    const std::size_t at = text.find("&" + name + "=");
    if (at == std::string::npos) return {};
    const std::size_t begin = at + name.size() + 2;
    return text.substr(begin, text.find('&', begin) - begin);
  }

  Order order_of(const http::Request& request) {
    Order order;
    const std::string_view path = request.path();
    if (path.starts_with("/v1/checkout") || (path == "/v1/refunds/")) {
      const Object body = boost::json::parse(request.body).as_object();
      order.is_stancer = true;
      order.amount = body.at("amount").as_int64();
      if (body.contains("payment")) {
        order.refund_of = body.at("payment").as_string();
        order.key = "stancer refund " + std::to_string(ledger.size());
        order.currency = find_id(order.refund_of)->currency;
        return order;
      }
      order.key = body.at("unique_id").as_string();
      order.currency = body.at("currency").as_string();
      order.source = body.contains("sepa") ? body.at("sepa").as_string() : body.at("card").as_string();
    } else if (path.starts_with("/v1/")) {
      order.key = request.headers.find("Idempotency-Key").value_or("");
      order.is_intent = path.starts_with("/v1/payment_intents");
      order.amount = std::stoll(parameter(request.body, "amount"));
      order.currency = parameter(request.body, "currency");
      order.source = parameter(request.body, "customer");
      order.refund_of = parameter(request.body, "charge") + parameter(request.body, "payment_intent");
      if (!order.refund_of.empty()) order.currency = find_id(order.refund_of)->currency;
    } else {
      const Object body = boost::json::parse(request.body).as_object();
      order.is_own = true;
      order.key = body.at("key").as_string();
      order.amount = body.at("amount").as_int64();
      order.currency = body.at("currency").as_string();
      order.source = body.at("source").as_string();
      if (body.contains("charge_reference")) order.refund_of = body.at("charge_reference").as_string();
    }
    return order;
  }

  Booked* find_id(const std::string& id) {
    for (Booked& each : ledger)
      if (each.id == id) return &each;
    return nullptr;
  }

  Booked& book(const Order& order) {
    if (Booked* earlier = find(order.key)) return *earlier;
    Booked booked;
    booked.key = order.key;
    const char* prefix = !order.refund_of.empty() ? "re_"
                         : order.is_intent        ? "pi_"
                         : order.is_stancer       ? "paym_"
                                                  : "ch_";
    booked.id = prefix + ("remote" + std::to_string(ledger.size() + 1));
    booked.source = order.source;
    booked.currency = order.currency;
    booked.amount = order.amount;
    booked.refund_of = order.refund_of;
    booked.status = order.refund_of.empty() ? verdict : refund_verdict;
    ledger.push_back(booked);
    return ledger.back();
  }

  http::Response show(const Order& order, Booked booked) const {
    if (fault == Fault::wrong_amount) booked.amount += 1;
    if (fault == Fault::wrong_currency) booked.currency = booked.currency == "usd" ? "eur" : "usd";
    if (order.is_stancer) return json(200, in_stancers_words(booked));
    if (order.is_own) return json(200, in_own_words(booked));
    if (booked.status == "declined") return json(402, declined_by_stripe(booked));
    return json(200, in_stripes_words(booked));
  }

  static Object declined_by_stripe(const Booked& booked) {
    Object error;
    error["type"] = "card_error";
    error["code"] = "card_declined";
    error["decline_code"] = "insufficient_funds";
    error["charge"] = booked.id;
    return Object{{"error", error}};
  }

  static Object in_stripes_words(const Booked& booked) {
    Object object;
    const bool is_refund = !booked.refund_of.empty(), is_intent = booked.id.starts_with("pi_");
    object["id"] = booked.id;
    object["object"] = is_refund ? "refund" : is_intent ? "payment_intent" : "charge";
    object["amount"] = booked.amount;
    object["currency"] = booked.currency;
    object["status"] = booked.status == "declined"               ? (is_intent ? "requires_payment_method" : "failed")
                       : booked.status == "pending" && is_intent ? "processing"
                                                                 : booked.status;
    object["failure_code"] = booked.status == "declined" ? "card_declined" : "";
    object["metadata"] = Object{{is_refund ? "billd_refund" : "billd_charge", booked.key}};
    return object;
  }

  static Object in_stancers_words(const Booked& booked) {
    Object object;
    object["id"] = booked.id;
    object["amount"] = booked.amount;
    object["currency"] = booked.currency;
    const bool is_refund = !booked.refund_of.empty();
    if (!is_refund) object["unique_id"] = booked.key;
    object["status"] = is_refund && booked.status == "refunded" ? "refunded"
                       : is_refund                              ? "to_refund"
                       : booked.status == "declined"            ? "refused"
                       : booked.status == "pending"             ? "to_capture"
                                                                : "captured";
    object["response"] = booked.status == "declined" ? "51" : "00";
    return object;
  }

  static Object in_own_words(const Booked& booked) {
    Object object;
    object["key"] = booked.key;
    object["outcome"] = booked.status;
    object["reference"] = booked.id;
    object["amount"] = booked.amount;
    object["currency"] = booked.currency;
    if (booked.status == "declined") object["reason"] = "insufficient_funds";
    return object;
  }

  awaitable<http::Response> post(http::Request request) {
    const auto header = [&](std::string_view name) { return request.headers.find(name).value_or(""); };
    const std::string_view path = request.path();
    if (!path.starts_with("/v1/")) {
      const auto now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
      const auto verified = webhooks::verify_standard(
          header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"), request.body, {secret},
          is_real_time ? now : from_unix(std::stoll(std::string(header("webhook-timestamp")))));
      if (!verified) {
        ++unsigned_requests;
        co_return json(401, {});
      }
      if (path.ends_with("/look_up")) co_return look_up_own(request);
    }
    const Order order = order_of(request);
    if (stored_errors_.contains(order.key)) co_return json(500, {});
    http::Response response;
    switch (fault) {
      case Fault::none:
      case Fault::wrong_amount:
      case Fault::wrong_currency:
        co_return show(order, book(order));
      case Fault::lost:
        co_await sleep_for(std::chrono::seconds(3));
        co_return json(500, {});
      case Fault::answer_lost:
        book(order);
        co_await sleep_for(std::chrono::seconds(3));
        co_return json(500, {});
      case Fault::cut:
        response = show(order, book(order));
        response.body.resize(response.body.size() / 2);
        response.close = true;
        co_return response;
      case Fault::conflict:
        co_return json(409, {});
      case Fault::throttled:
        response = json(429, {});
        response.headers.add("Retry-After", "0");
        co_return response;
      case Fault::unavailable:
        co_return json(503, {});
      case Fault::error_stored:
        stored_errors_[order.key] = true;
        co_return json(500, {});
      case Fault::error_stored_charged:
        book(order);
        stored_errors_[order.key] = true;
        co_return json(500, {});
      case Fault::garbage:
        book(order);
        response.body = "<html>It works!</html>";
        co_return response;
    }
    co_return response;
  }

  http::Response look_up_own(const http::Request& request) {
    const Object body = boost::json::parse(request.body).as_object();
    const std::string key(body.at("key").as_string());
    if (const Booked* booked = find(key)) return json(200, in_own_words(*booked));
    return json(200, Object{{"key", key}, {"outcome", "absent"}});
  }

  http::Response look_up(const http::Request& request) {
    const std::string path(request.path()), query(request.query());
    boost::json::array found;
    if (path == "/v1/checkout/") {
      if (const Booked* booked = find(parameter(query, "unique_id"))) found.push_back(in_stancers_words(*booked));
      if (found.empty()) return json(404, {});
      return json(200, Object{{"payments", found}});
    }
    if (path == "/v1/charges" || path == "/v1/payment_intents" || path == "/v1/refunds") {
      const bool is_refund = path == "/v1/refunds";
      const std::string owner =
          is_refund ? parameter(query, "charge") + parameter(query, "payment_intent") : parameter(query, "customer");
      for (auto each = ledger.rbegin(); each != ledger.rend(); ++each)
        if ((is_refund ? each->refund_of : each->refund_of.empty() ? each->source : std::string()) == owner)
          found.push_back(in_stripes_words(*each));
      return json(200, Object{{"object", "list"}, {"data", found}, {"has_more", false}});
    }
    if (path.starts_with("/v1/customers/"))
      return json(200, Object{{"id", path.substr(14)},
                              {"object", "customer"},
                              {"default_source",
                               Object{{"brand", "Visa"}, {"last4", "4242"}, {"exp_month", 12}, {"exp_year", 2040}}}});
    const bool is_stancer = request.headers.find("Authorization").value_or("").starts_with("Basic ");
    if (const Booked* booked = find_id(path.substr(path.rfind('/') + 1)))
      return json(200, is_stancer ? in_stancers_words(*booked) : in_stripes_words(*booked));
    return json(404, {});
  }

 public:
  /// Whether signatures are held against the real clock; otherwise only the signature counts.
  bool is_real_time = false;

 private:
  asio::io_context& loop_;
  std::map<std::string, bool> stored_errors_;
  http::Server server_;
};

}  // namespace billd::gateways
