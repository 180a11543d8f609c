// The OpenAPI document against the tables that serve: nothing is missing, nothing is made up, nothing leads nowhere.
#include "net/api/openapi/document.hpp"

#include <gmock/gmock.h>

#include <boost/json.hpp>
#include <set>

#include "net/api/funding_sources/description.hpp"
#include "net/api/funding_sources/face.hpp"
#include "net/api/management/description.hpp"
#include "net/api/management/face.hpp"
#include "net/api/operators/face.hpp"
#include "net/api/stancer/description.hpp"
#include "net/api/stancer/face.hpp"
#include "net/api/stripe/routes.hpp"

namespace billd::api {
namespace {

namespace json = boost::json;

std::string lower(std::string_view name) {
  std::string text(name);
  for (char& c : text) c = static_cast<char>(std::tolower(c));
  return text;
}

class OpenApi : public testing::Test {
 protected:
  /// The operation that is served by the route, taken out of the document.
  json::object take(http::Method method, std::string_view pattern) {
    json::object& paths = document.at("paths").as_object();
    json::value* path = paths.if_contains(pattern);
    if (path == nullptr) return ADD_FAILURE() << pattern << " is missing", json::object();
    const std::string name = lower(http::name(method));
    if (!path->as_object().contains(name))
      return ADD_FAILURE() << name << " " << pattern << " is missing", json::object();
    json::object operation = path->at(name).as_object();
    path->as_object().erase(name);
    return operation;
  }

  static std::set<std::string> names_of(const json::object& operation, std::string_view place) {
    std::set<std::string> names;
    for (const json::value& parameter : operation.at("parameters").as_array())
      if (parameter.at("in").as_string() == place) names.emplace(parameter.at("name").as_string());
    return names;
  }

  json::value document = json::parse(openapi_document({"1.2.3", "http://127.0.0.1:4242", "http://127.0.0.1:4243"}));
};

TEST_F(OpenApi, TellsOfEveryRouteAndOfNothingElse) {
  for (const stripe::Route& route : stripe::routes()) {
    const json::object operation = take(route.method, route.pattern);
    ASSERT_FALSE(operation.empty());
    const bool is_post = route.method == http::Method::post;
    for (const stripe::Rule& rule : route.rules) {
      if (is_post) {
        const json::value& schema =
            operation.at("requestBody").at("content").at("application/x-www-form-urlencoded").at("schema");
        EXPECT_TRUE(schema.at("properties").as_object().contains(rule.name)) << route.pattern << " " << rule.name;
        const json::value* required = schema.as_object().if_contains("required");
        const bool is_required = required != nullptr && json::serialize(*required).find("\"" + std::string(rule.name) +
                                                                                        "\"") != std::string::npos;
        EXPECT_EQ(is_required, rule.is_required) << route.pattern << " " << rule.name;
      } else {
        const std::string name(rule.name);
        const auto names = names_of(operation, "query");
        EXPECT_TRUE(names.contains(name) || names.contains(name + "[]")) << route.pattern << " " << rule.name;
      }
    }
  }
  for (const operators::Face::Route& route : operators::Face::routes()) {
    const json::object operation = take(route.method, route.pattern);
    EXPECT_EQ(operation.at("security").as_array().empty(), route.needs == operators::Needs::nothing) << route.pattern;
  }
  for (const ServedRoute& route : stancer::served_routes())
    EXPECT_FALSE(take(route.method, route.pattern.substr(std::string_view("/v1").size())).empty());
  for (const auto& routes : {management::served_routes(), funding_sources::served_routes()})
    for (const ServedRoute& route : routes) EXPECT_FALSE(take(route.method, route.pattern).empty());
  EXPECT_FALSE(take(http::Method::post, "/webhooks/{name}").empty());
  for (const auto& path : document.at("paths").as_object())
    EXPECT_EQ(path.value().as_object().size(), 1U) << path.key() << " has more than its server left";
}

TEST_F(OpenApi, SaysWhatTheBodiesOfTheOtherApisHold) {
  auto schema_of = [&](http::Method method, std::string_view pattern) {
    return take(method, pattern).at("requestBody").at("content").at("application/json").at("schema");
  };
  const json::value of_stancer = schema_of(http::Method::post, "/customers");
  EXPECT_EQ(of_stancer.at("properties").at("mobile").at("minLength").as_int64(), 8);
  EXPECT_EQ(of_stancer.at("properties").at("live_mode").at("type").as_string(), "boolean");
  const json::value made = schema_of(http::Method::put, "/api/v01/customers");
  EXPECT_EQ(json::serialize(made.at("required")), R"(["accountId","firstName","lastName"])");
  EXPECT_EQ(made.at("properties").at("accountId").at("type").as_string(), "integer");
  const json::value changed = schema_of(http::Method::post, "/api/v01/customers/{id}");
  EXPECT_FALSE(changed.at("properties").as_object().contains("code")) << "it cannot be changed";
  EXPECT_EQ(names_of(take(http::Method::get, "/api/v01/customers"), "query").size(), 13U);
  const json::value source = schema_of(http::Method::post, "/users/{username}/funding_sources");
  EXPECT_EQ(json::serialize(
                source.at("properties").at("funding_sources").at("properties").at("stripe").at("items").at("required")),
            R"(["remote_id"])");
  const json::value user = schema_of(http::Method::post, "/users");
  EXPECT_EQ(user.at("properties").at("username").at("maxLength").as_int64(), 20);
}

TEST_F(OpenApi, SaysWhereEachApiIs) {
  auto server_of = [](const json::value& from, std::string_view path) {
    return std::string(from.at("paths").at(path).at("servers").at(0).at("url").as_string());
  };
  EXPECT_EQ(server_of(document, "/v1/customers"), "http://127.0.0.1:4242");
  EXPECT_EQ(server_of(document, "/customers"), "http://127.0.0.1:4242/v1") << "Stancer's";
  EXPECT_EQ(server_of(document, "/status"), "http://127.0.0.1:4243");
  OpenApiInfo info{"1.2.3", "http://api"};
  info.stancer_url = "https://stancer";
  info.management_url = "http://api/management";
  const json::value apart = json::parse(openapi_document(info));
  EXPECT_EQ(server_of(apart, "/customers/{id}"), "https://stancer/v1");
  EXPECT_EQ(server_of(apart, "/api/v01/customers"), "http://api/management");
  EXPECT_EQ(server_of(apart, "/users"), "http://api");
  EXPECT_FALSE(apart.at("paths").as_object().contains("/status")) << "operators have a listener of their own";
  EXPECT_EQ(server_of(apart, "/openapi.json"), "http://api");
}

TEST_F(OpenApi, SaysThatWhateverChangesSomethingTakesAnIdempotencyKey) {
  for (const auto& path : document.at("paths").as_object())
    for (const auto& method : path.value().as_object()) {
      if (method.key() == "servers") continue;
      const json::object& operation = method.value().as_object();
      const std::string_view tag = operation.at("tags").at(0).as_string();
      if (tag != "Stripe" && tag != "Stancer" && tag != "Management" && tag != "FundingSources") continue;
      const bool changes = method.key() == "post" || method.key() == "put" || method.key() == "patch";
      EXPECT_EQ(names_of(operation, "header").contains("Idempotency-Key"), changes) << method.key() << path.key();
    }
}

TEST_F(OpenApi, NamesEveryOperationAndVariableOnce) {
  std::set<std::string> ids;
  for (const auto& path : document.at("paths").as_object())
    for (const auto& method : path.value().as_object()) {
      if (method.key() == "servers") continue;
      const json::object& operation = method.value().as_object();
      const std::string id(operation.at("operationId").as_string());
      EXPECT_TRUE(ids.insert(id).second) << id << " is the name of two operations";
      for (const std::string& name : names_of(operation, "path"))
        EXPECT_NE(std::string_view(path.key()).find("{" + name + "}"), std::string_view::npos) << path.key();
      const auto variables = std::ranges::count(std::string_view(path.key()), '{');
      EXPECT_EQ(names_of(operation, "path").size(), static_cast<std::size_t>(variables)) << path.key();
    }
  EXPECT_TRUE(ids.contains("PostCustomersCustomerSources"));
}

void find_references(const json::value& value, std::vector<std::string>& found) {
  if (value.is_array())
    for (const json::value& each : value.as_array()) find_references(each, found);
  if (!value.is_object()) return;
  for (const auto& member : value.as_object()) {
    if (member.key() == "$ref") found.emplace_back(member.value().as_string());
    find_references(member.value(), found);
  }
}

TEST_F(OpenApi, LeadsOnlyToWhatIsThere) {
  std::vector<std::string> references;
  find_references(document, references);
  EXPECT_GT(references.size(), 100U);
  for (const std::string& reference : references) {
    boost::system::error_code ec;
    EXPECT_NE(document.find_pointer(reference.substr(1), ec), nullptr) << reference;
  }
  EXPECT_EQ(document.at("openapi").as_string(), "3.1.0");
}

}  // namespace
}  // namespace billd::api
