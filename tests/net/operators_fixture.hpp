// The operators' face before a view and a control that do what a test says.
#pragma once

#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "net/api/operators/face.hpp"
#include "net/api/operators/measurements.hpp"
#include "net/http/server.hpp"
#include "tests/net/run.hpp"

namespace billd::api::operators {

inline const AccountKey some_account = AccountKey::from_bits(1, 2);

struct FixedView final : View {
  FixedView() {
    now.daemon = "alpha";
    now.now = from_unix(1'000'000);
    now.redis.connected = true;
    now.clean_in = std::chrono::seconds(0);
    for (std::size_t queue = 0; queue < queue_count; ++queue)
      now.queues.emplace_back().name = billd::to_text(static_cast<Queue>(queue));
    now.lateness.day.resize(96);
  }

  Status status() const override { return now; }
  Measurements measurements() const override {
    Measurements all = measured;
    all.status = now;
    return all;
  }
  std::string not_ready_because() const override { return reason; }

  Status now;
  Measurements measured;
  std::string reason;
};

/// Remembers what it was told to do, and knows one account.
struct FixedControl final : Control {
  awaitable<Result<ActionResult>> act(Operator who, Action action) override {
    acted.emplace_back(std::move(who), std::move(action));
    if (failure) co_return *failure;
    ActionResult result;
    result.entry.number = acted.size();
    result.entry.who = acted.back().first.name;
    result.entry.action = to_text(acted.back().second.kind);
    result.text = "It is done.";
    result.done = 1;
    co_return result;
  }
  awaitable<Result<QueueDetail>> queue(Queue, std::size_t) override {
    QueueDetail detail;
    detail.first.push_back({Mode::live, Queue::renewal, from_unix(999'000), some_account});
    detail.parked = parked;
    co_return detail;
  }
  awaitable<Result<AccountDetail>> account(Mode mode, AccountKey key) override {
    if (key != some_account || mode != where) co_return Failure{Errc::not_found, "there is no such account"};
    AccountDetail detail;
    detail.account.key = key;
    detail.account.mode = mode;
    detail.account.customer.id = CustomerId("cus_" + key.value());
    detail.account.customer.created = from_unix(900'000);
    detail.timers[0] = from_unix(1'100'000);
    co_return detail;
  }
  awaitable<Result<std::vector<WebhookDetail>>> webhooks() override {
    std::vector<WebhookDetail> all;
    all.push_back(endpoint);
    co_return all;
  }
  awaitable<Result<WebhookDetail>> webhook(std::string id, std::size_t) override {
    if (id != endpoint.endpoint.id.value()) co_return Failure{Errc::not_found, "there is no such webhook endpoint"};
    co_return endpoint;
  }
  awaitable<Result<std::string>> native_id(std::string id) override {
    if (id == "sub_foreign") co_return make_id<SubscriptionKind>(some_account, 2).value();
    co_return id;
  }
  awaitable<Result<std::vector<Section>>> explain(std::string id) override {
    if (AccountKey::of_id(id) != some_account) co_return Failure{Errc::not_found, "There is no " + id + ".", "id"};
    co_return std::vector<Section>{{"What it is", {"It is <b>active</b>.", "It began."}}, {"What comes next", {}}};
  }
  awaitable<Result<std::vector<store::AuditEntry>>> audit(std::size_t) override { co_return entries; }

  std::vector<std::pair<Operator, Action>> acted;
  std::optional<Failure> failure;
  std::vector<store::AuditEntry> entries;
  std::vector<store::Store::Parked> parked;
  WebhookDetail endpoint;
  Mode where = Mode::test;
};

struct Asking {
  http::Method method = http::Method::get;
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
};

class OperatorsTest : public testing::Test {
 protected:
  http::Response ask(Asking asking) {
    http::Request request;
    request.method = asking.method;
    request.target = std::move(asking.target);
    request.body = std::move(asking.body);
    request.remote_address = "127.0.0.1";
    bool has_host = false;
    for (const auto& [name, value] : asking.headers) {
      has_host = has_host || name == "Host";
      request.headers.add(name, value);
    }
    if (!has_host) request.headers.add("Host", "127.0.0.1:4243");
    return run(loop, face.handle(std::move(request)));
  }
  http::Response get(std::string target) { return ask({http::Method::get, std::move(target)}); }
  http::Response browse(std::string target) {
    return ask({http::Method::get, std::move(target), {{"Accept", "text/html,*/*"}}});
  }
  http::Response act(std::string json, std::vector<std::pair<std::string, std::string>> headers = {}) {
    headers.emplace_back("Content-Type", "application/json");
    return ask({http::Method::post, "/status/act", std::move(headers), std::move(json)});
  }
  static std::string message_of(const http::Response& response) {
    return std::string(boost::json::parse(response.body).at("error").at("message").as_string());
  }

  asio::io_context loop{1};
  FixedView view;
  FixedControl control;
  Access access;
  Face face{view, control, access, [] { return std::string("{}"); }};
};

}  // namespace billd::api::operators
