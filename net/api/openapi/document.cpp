#include "net/api/openapi/document.hpp"

#include <boost/json/serialize.hpp>

#include "net/api/openapi/faces.hpp"
#include "net/api/openapi/parts.hpp"
#include "net/api/operators/face.hpp"
#include "net/api/stripe/routes.hpp"

namespace billd::api {
namespace {

using namespace openapi;
using stripe::Rule;
using stripe::Type;

json::object schema_of(const Rule& rule);

json::object map_of(std::span<const Rule> rules) {
  json::object properties;
  json::array required;
  for (const Rule& rule : rules) {
    properties[rule.name] = schema_of(rule);
    if (rule.is_required) required.push_back(text(rule.name));
  }
  json::object schema = {{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}};
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

json::object one_of(json::object first, json::object second) {
  json::array choices;
  choices.emplace_back(std::move(first));
  choices.emplace_back(std::move(second));
  return {{"anyOf", std::move(choices)}};
}

json::object plain_text(const Rule& rule) {
  json::object schema = {{"type", "string"}};
  if (rule.min > 0) schema["minLength"] = rule.min;
  // Limits are in bytes: of characters there may be as many, and are fewer when they are not ASCII.
  if (rule.max > 0) schema["maxLength"] = rule.max;
  return schema;
}

json::object list_of(const Rule& rule) {
  json::object items = {{"type", "string"}};
  if (!rule.children.empty()) items = map_of(rule.children);
  return {{"type", "array"}, {"items", std::move(items)}};
}

json::object choice_of(const Rule& rule) {
  json::array names;
  for (const std::string_view choice : rule.choices) names.push_back(text(choice));
  return {{"type", "string"}, {"enum", std::move(names)}};
}

json::object filled_schema_of(const Rule& rule) {
  switch (rule.type) {
    case Type::integer:
      return {{"type", "integer"}, {"minimum", rule.min}, {"maximum", rule.max}};
    case Type::boolean:
      return {{"type", "boolean"}};
    case Type::timestamp:
      return reference("Timestamp");
    case Type::timestamp_or_now:
      return one_of(reference("Timestamp"), {{"const", "now"}});
    case Type::currency:
      return {{"type", "string"}, {"pattern", "^[A-Za-z]{3}$"}};
    case Type::choice:
      return choice_of(rule);
    case Type::metadata:
      return reference("Metadata");
    case Type::map:
      return map_of(rule.children);
    case Type::list:
      return list_of(rule);
    case Type::text_or_map:
      return one_of(plain_text(rule), map_of(rule.children));
    case Type::range:
      return one_of(reference("Timestamp"), reference("TimeRange"));
    default:
      return plain_text(rule);
  }
}

json::object schema_of(const Rule& rule) {
  json::object schema = filled_schema_of(rule);
  return rule.is_clearable ? one_of(std::move(schema), {{"const", ""}}) : schema;
}

bool is_container(Type type) { return type == Type::map || type == Type::metadata || type == Type::range; }

void add_query(json::array& parameters, const Rule& rule) {
  json::object parameter = {{"name", rule.name}, {"in", "query"}, {"required", rule.is_required}};
  if (is_container(rule.type)) {
    parameter["style"] = "deepObject";
    parameter["explode"] = true;
  }
  if (rule.type == Type::list) parameter["name"] = std::string(rule.name) + "[]";
  parameter["schema"] = schema_of(rule);
  parameters.push_back(std::move(parameter));
}

json::object operation_of(const stripe::Route& route) {
  json::array parameters = path_parameters(route.pattern);
  parameters.push_back(header("Stripe-Version", "The version of Stripe's API that the client speaks; it is echoed."));
  json::object operation = {{"operationId", operation_id(route.method, route.pattern.substr(3))},
                            {"tags", json::array{"Stripe"}}};
  json::object expand = {{"type", "array"}, {"items", json::object{{"type", "string"}}}};
  if (route.method == http::Method::post) {
    parameters.push_back(idempotency_key());
    json::object schema = map_of(route.rules);
    schema.at("properties").as_object()["expand"] = std::move(expand);
    operation["requestBody"] = body_of(std::move(schema), true);
  } else {
    for (const Rule& rule : route.rules) add_query(parameters, rule);
    parameters.push_back(json::object{{"name", "expand[]"}, {"in", "query"}, {"schema", std::move(expand)}});
  }
  operation["parameters"] = std::move(parameters);
  operation["responses"] =
      json::object{{"200", answer(route.answers.is_list ? "A list." : "The object.", "application/json",
                                  reference(route.answers.is_list ? "List" : "Object"))},
                   {"default", answer("What went wrong.", "application/json", reference("Error"))}};
  operation["security"] = json::array{json::object{{"apiKey", json::array()}}, json::object{{"bearer", json::array()}}};
  return operation;
}

/// What the route answers when all is well.
json::object good_answer(const operators::Face::Route& route) {
  const std::string_view pattern = route.pattern;
  if (pattern == "/metrics" || pattern == "/healthz" || pattern == "/readyz")
    return answer("As text.", "text/plain", {{"type", "string"}});
  if (pattern == "/status/live") return answer("Events.", "text/event-stream", {{"type", "string"}});
  if (pattern == "/status/{asset}") return answer("The file.", "text/css", {{"type", "string"}});
  json::object good =
      answer("As JSON, or as a page where text/html is accepted.", "application/json", {{"type", "object"}});
  json::object& content = good.at("content").as_object();
  content["text/html"] = json::object{{"schema", json::object{{"type", "string"}}}};
  if (pattern == "/explain/{id}") content["text/plain"] = content.at("text/html");
  return good;
}

json::object operation_of(const operators::Face::Route& route) {
  json::array parameters = path_parameters(route.pattern);
  json::object operation = {{"operationId", operation_id(route.method, "operators" + std::string(route.pattern))},
                            {"summary", route.summary},
                            {"tags", json::array{"Operators"}}};
  json::object properties;
  json::array required;
  for (const operators::RouteParameter& parameter : route.parameters) {
    json::object schema = {{"type", "string"}};
    if (route.method == http::Method::post) {
      schema["description"] = parameter.meaning;
      properties[parameter.name] = std::move(schema);
      if (parameter.is_required) required.push_back(text(parameter.name));
    } else {
      // What a form still asks for need not be known when it is opened.
      const bool is_required = parameter.is_required && parameter.name != "why";
      parameters.push_back(json::object{{"name", parameter.name},
                                        {"in", "query"},
                                        {"required", is_required},
                                        {"description", parameter.meaning},
                                        {"schema", std::move(schema)}});
    }
  }
  if (route.method == http::Method::post) {
    json::object schema = {{"type", "object"},
                           {"properties", std::move(properties)},
                           {"required", std::move(required)},
                           {"additionalProperties", false}};
    operation["requestBody"] = body_of(std::move(schema), true);
  }
  operation["parameters"] = std::move(parameters);
  operation["responses"] = json::object{
      {"200", good_answer(route)}, {"default", answer("What went wrong.", "application/json", reference("Error"))}};
  operation["security"] = json::array();
  if (route.needs != operators::Needs::nothing)
    operation["security"] =
        json::array{json::object{{"operatorToken", json::array()}}, json::object{{"operatorPassword", json::array()}}};
  return operation;
}

/// Whose bodies are their senders' own: net/api/incoming/webhooks.md tells what they may hold.
json::object webhook_operation() {
  json::object operation = {
      {"operationId", "PostWebhooksName"},
      {"summary", "Takes a webhook of the sender that webhook_sources names so; signed as that section says."},
      {"tags", json::array{"Webhooks"}}};
  operation["requestBody"] = body_of({{"type", "object"}}, true);
  operation["parameters"] = path_parameters("/webhooks/{name}");
  operation["responses"] = json::object{
      {"200", answer("Carried out, or of no concern.", "application/json", {{"type", "object"}})},
      {"default", answer("What went wrong; after 503 the sender repeats it.", "application/json", reference("Error"))}};
  operation["security"] = json::array();
  return operation;
}

json::object document_operation() {
  json::object operation = {{"operationId", "GetOpenapiJson"},
                            {"summary", "This document, without the operators' listener."},
                            {"tags", json::array{"Description"}}};
  operation["parameters"] = json::array();
  operation["responses"] = json::object{{"200", answer("The document.", "application/json", {{"type", "object"}})}};
  operation["security"] = json::array();
  return operation;
}

json::object schemas() {
  const json::object words = {{"type", "string"}};
  json::object range;
  for (const char* bound : {"gt", "gte", "lt", "lte"}) range[bound] = reference("Timestamp");
  json::object error = {{"type", words},
                        {"message", words},
                        {"code", words},
                        {"param", json::object{{"type", json::array{"string", "null"}}}}};
  json::object schemas;
  schemas["Timestamp"] = json::object{{"type", "integer"}, {"description", "Seconds since 1970, UTC."}, {"minimum", 0}};
  schemas["TimeRange"] =
      json::object{{"type", "object"}, {"properties", std::move(range)}, {"additionalProperties", false}};
  schemas["Metadata"] = json::object{{"type", "object"},
                                     {"maxProperties", 50},
                                     {"propertyNames", json::object{{"maxLength", 40}}},
                                     {"additionalProperties", json::object{{"type", "string"}, {"maxLength", 500}}}};
  schemas["Object"] =
      json::object{{"type", "object"},
                   {"description", "One of Stripe's objects, with the fields of all versions that billd answers."},
                   {"properties", json::object{{"id", words}, {"object", words}}}};
  schemas["List"] = json::object{
      {"type", "object"},
      {"properties", json::object{{"object", json::object{{"const", "list"}}},
                                  {"data", json::object{{"type", "array"}, {"items", reference("Object")}}},
                                  {"has_more", json::object{{"type", "boolean"}}},
                                  {"url", words}}},
      {"required", json::array{"object", "data", "has_more", "url"}}};
  schemas["Error"] = json::object{
      {"type", "object"},
      {"properties", json::object{{"error", json::object{{"type", "object"}, {"properties", std::move(error)}}}}},
      {"required", json::array{"error"}}};
  return schemas;
}

json::object security_schemes() {
  auto scheme = [](std::string_view kind, std::string_view description) {
    return json::object{{"type", "http"}, {"scheme", kind}, {"description", description}};
  };
  json::object schemes;
  schemes["apiKey"] = scheme("basic", "An API key as the user, without a password.");
  schemes["bearer"] = scheme("bearer", "An API key.");
  schemes["operatorToken"] = scheme("bearer", "An operator's token, where there are any.");
  schemes["operatorPassword"] = scheme("basic", "An operator's token as the password.");
  return schemes;
}

template <class Route>
void add(json::object& paths, const Route& route, const std::string& server) {
  path_at(paths, route.pattern, server)[lower(http::name(route.method))] = operation_of(route);
}

}  // namespace

std::string openapi_document(const OpenApiInfo& info) {
  json::object paths;
  for (const stripe::Route& route : stripe::routes()) add(paths, route, info.api_url);
  if (!info.operators_url.empty())
    for (const operators::Face::Route& route : operators::Face::routes()) add(paths, route, info.operators_url);
  path_at(paths, "/webhooks/{name}", info.api_url)["post"] = webhook_operation();
  // Where operators are told of their listener, too, that has the path.
  if (info.operators_url.empty()) path_at(paths, "/openapi.json", info.api_url)["get"] = document_operation();
  json::object all_schemas = schemas(), all_schemes = security_schemes();
  add_faces(paths, all_schemas, all_schemes, info);
  json::object document;
  document["openapi"] = "3.1.0";
  document["info"] =
      json::object{{"title", "billd"},
                   {"version", info.version},
                   {"description",
                    "A self-hosted recurring-billing engine. Programs speak the wire formats of Stripe, Stancer, the "
                    "UniPay Management API and funding sources; operators have a listener of their own."}};
  document["servers"] = json::array{json::object{{"url", info.api_url}}};
  document["paths"] = std::move(paths);
  document["components"] =
      json::object{{"schemas", std::move(all_schemas)}, {"securitySchemes", std::move(all_schemes)}};
  return json::serialize(document);
}

}  // namespace billd::api
