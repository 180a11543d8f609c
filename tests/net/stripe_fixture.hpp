// The Stripe face on a real store, a real executor and the test gateway, called without sockets.
#pragma once

#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/api/stripe/face.hpp"
#include "tests/jobs/daemon.hpp"

namespace billd::api::stripe {

using Fields = std::vector<std::pair<std::string, std::string>>;

/// An answer as a client sees it.
struct Answered {
  int status = 0;
  std::string text;
  http::Headers headers;
  boost::json::value body;

  /// The member at a JSON pointer: at("/data/0/id").
  const boost::json::value& at(std::string_view pointer) const {
    static const boost::json::value missing("(missing)");
    boost::json::error_code error;
    const boost::json::value* found = body.find_pointer(pointer, error);
    return found != nullptr ? *found : missing;
  }
  std::string text_at(std::string_view pointer) const {
    const boost::json::value& value = at(pointer);
    return value.is_string() ? std::string(value.as_string()) : boost::json::serialize(value);
  }
  std::string id() const { return text_at("/id"); }
  std::string error() const { return text_at("/error/message"); }
  std::string header(std::string_view name) const { return std::string(headers.find(name).value_or("")); }

  /// The identifiers of a list, in its order.
  std::vector<std::string> ids() const {
    std::vector<std::string> ids;
    if (const boost::json::array* data = at("/data").if_array())
      for (const boost::json::value& each : *data) ids.emplace_back(each.at("id").as_string());
    return ids;
  }
};

constexpr std::int64_t day = 86'400;

/// A refusal: what is asked, and the parameter and sentence of the error.
struct Refusal {
  std::string form, parameter, message;
};

class StripeTest : public testing::Test {
 protected:
  StripeTest() : server(jobs::durable_redis()), clock(jobs::start_of_test) {
    settings.development = true;
    daemon = std::make_unique<jobs::Daemon>(server, clock);
    face =
        std::make_unique<Face>(Services{daemon->accounts, daemon->store, daemon->catalog, daemon->gateways, settings});
  }
  ~StripeTest() override { daemon->stop(); }

  http::Request request(http::Method method, std::string target, std::string form, const Fields& fields) const {
    http::Request request;
    request.method = method;
    request.target = std::move(target);
    request.body = std::move(form);
    bool has_key = false;
    for (const auto& [name, value] : fields) {
      has_key = has_key || name == "Authorization";
      if (!value.empty()) request.headers.add(name, value);
    }
    if (!has_key) request.headers.add("Authorization", "Bearer sk_test_1");
    if (!request.headers.find("Content-Type")) request.headers.add("Content-Type", "application/x-www-form-urlencoded");
    return request;
  }

  Answered send(http::Request request) {
    http::Response response = run(daemon->loop, face->handle(std::move(request)));
    Answered answered{response.status, response.body, response.headers, {}};
    answered.body = boost::json::parse(response.body);
    return answered;
  }
  Answered get(std::string target, const Fields& fields = {}) {
    return send(request(http::Method::get, std::move(target), "", fields));
  }
  Answered post(std::string target, std::string form = "", const Fields& fields = {}) {
    return send(request(http::Method::post, std::move(target), std::move(form), fields));
  }
  Answered remove(std::string target, std::string form = "", const Fields& fields = {}) {
    return send(request(http::Method::delete_, std::move(target), std::move(form), fields));
  }

  void expect_refused(const std::string& url, const std::vector<Refusal>& refusals) {
    for (const Refusal& each : refusals) {
      const Answered refused = post(url, each.form);
      EXPECT_EQ(refused.status / 100, 4) << each.form;
      EXPECT_THAT(refused.error(), testing::HasSubstr(each.message)) << each.form;
      EXPECT_EQ(refused.text_at("/error/param"), each.parameter) << each.form << ": " << refused.text;
    }
  }

  std::string now(std::int64_t later = 0) const { return std::to_string(to_unix(clock.now()) + later); }

  std::string customer(std::string form = "email=ann@example.com&source=tok_visa") {
    Answered created = post("/v1/customers", std::move(form));
    EXPECT_EQ(created.status, 200) << created.text;
    return created.id();
  }
  std::string plan(std::string id = "gold", std::string amount = "2000", std::string more = "") {
    Answered created = post("/v1/plans", "id=" + id + "&amount=" + amount +
                                             "&currency=usd&interval=month&product[name]=Gold%20Special" + more);
    EXPECT_EQ(created.status, 200) << created.text;
    return created.id();
  }
  std::string subscription(const std::string& customer, const std::string& plan, std::string more = "",
                           const Fields& fields = {}) {
    Answered created = post("/v1/subscriptions", "customer=" + customer + "&items[0][plan]=" + plan + more, fields);
    EXPECT_EQ(created.status, 200) << created.text;
    return created.id();
  }

  /// Does what is due for the customer until `now`.
  void live_until(const std::string& customer, Timestamp now) {
    clock.set(now);
    auto progress = daemon->run_due(*AccountKey::of_id(customer));
    ASSERT_TRUE(progress) << progress.error().detail;
  }

  RedisServer server;
  jobs::ManualClock clock;
  Settings settings;
  std::unique_ptr<jobs::Daemon> daemon;
  std::unique_ptr<Face> face;
};

}  // namespace billd::api::stripe
