#include "net/api/openapi/faces.hpp"

#include <initializer_list>

#include "net/api/funding_sources/description.hpp"
#include "net/api/management/description.hpp"
#include "net/api/stancer/description.hpp"

namespace billd::api::openapi {
namespace {

using Type = DescribedMember::Type;
using MediaTypes = std::vector<std::string_view>;

/// What the routes of one face have in common.
struct Face {
  std::string_view tag;     ///< also what its schemas and operations begin with
  std::string_view scheme;  ///< of its credentials
  std::string_view cut;     ///< what its paths lose, because another face has the same; its server ends with it
  std::string url;          ///< without that
  MediaTypes request_types, answer_types;
  std::string_view error_type;
};

json::object map_of(const std::vector<DescribedMember>& members);

json::object schema_of(const DescribedMember& member) {
  switch (member.type) {
    case Type::integer:
      return {{"type", "integer"}, {"minimum", member.min}, {"maximum", member.max}};
    case Type::boolean:
      return {{"type", "boolean"}};
    case Type::map:
      return map_of(member.children);
    case Type::list: {
      json::object list = {{"type", "array"}, {"items", map_of(member.children)}};
      if (member.min > 0) list["minItems"] = member.min;
      if (member.max > 0) list["maxItems"] = member.max;
      return list;
    }
    case Type::text:
      break;
  }
  json::object schema = {{"type", "string"}};
  if (member.min > 0) schema["minLength"] = member.min;
  if (member.max > 0) schema["maxLength"] = member.max;
  return schema;
}

/// Members of other names are ignored by these APIs.
json::object map_of(const std::vector<DescribedMember>& members) {
  json::object properties;
  json::array required;
  for (const DescribedMember& member : members) {
    properties[member.name] = schema_of(member);
    if (member.is_required) required.push_back(text(member.name));
  }
  json::object schema = {{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) schema["required"] = std::move(required);
  return schema;
}

json::object content_of(const MediaTypes& types, const json::object& schema) {
  json::object content;
  for (const std::string_view type : types) content[type] = json::object{{"schema", schema}};
  return content;
}

json::object response(std::string_view description, const MediaTypes& types, const json::object& schema) {
  return {{"description", description}, {"content", content_of(types, schema)}};
}

std::string name_in(const Face& face, std::string_view schema) { return std::string(face.tag).append(schema); }

json::object good_answer(const Face& face, const DescribedRoute& route) {
  if (route.object.empty()) return {{"description", "It is done."}};
  json::object schema = reference(name_in(face, route.object));
  if (route.is_list) schema = json::object{{"type", "array"}, {"items", std::move(schema)}};
  const MediaTypes types = route.media_type.empty() ? face.answer_types : MediaTypes(1, route.media_type);
  return response(route.is_list ? "A list." : "The object.", types, schema);
}

json::object operation_of(const Face& face, const DescribedRoute& route) {
  json::array parameters = path_parameters(route.served.pattern);
  const http::Method method = route.served.method;
  const bool takes_key = method == http::Method::post || method == http::Method::put || method == http::Method::patch;
  if (takes_key) parameters.push_back(idempotency_key());
  for (const DescribedMember& member : route.query)
    parameters.push_back(json::object{
        {"name", member.name}, {"in", "query"}, {"required", member.is_required}, {"schema", schema_of(member)}});
  json::object operation = {
      {"operationId", operation_id(route.served.method, std::string(face.tag).append(route.served.pattern))},
      {"summary", route.summary},
      {"tags", json::array{text(face.tag)}},
      {"parameters", std::move(parameters)}};
  if (!route.body.empty())
    operation["requestBody"] =
        json::object{{"required", true}, {"content", content_of(face.request_types, map_of(route.body))}};
  json::object responses;
  responses[std::to_string(route.status)] = good_answer(face, route);
  responses["default"] = answer("What went wrong.", face.error_type, reference(name_in(face, "Error")));
  operation["responses"] = std::move(responses);
  json::object security;
  security[face.scheme] = json::array();
  operation["security"] = json::array{std::move(security)};
  return operation;
}

void add(json::object& paths, const Face& face, const std::vector<DescribedRoute>& routes) {
  const std::string server = face.url + std::string(face.cut);
  for (const DescribedRoute& route : routes)
    path_at(paths, route.served.pattern.substr(face.cut.size()), server)[lower(http::name(route.served.method))] =
        operation_of(face, route);
}

/// The members that a request may hold, and those that only billd sets.
json::object shown(std::vector<DescribedMember> members, std::initializer_list<DescribedMember> set_by_billd) {
  members.insert(members.begin(), set_by_billd);
  for (DescribedMember& member : members) member.is_required = false;
  return map_of(members);
}

/// {"code": …, "msg": …} and more.
json::object envelope(std::string_view name, json::object content) {
  json::object properties = {{"code", json::object{{"type", "integer"}}}, {"msg", json::object{{"type", "string"}}}};
  properties[name] = std::move(content);
  return {{"type", "object"}, {"properties", std::move(properties)}};
}

json::object list_of(json::object items) { return {{"type", "array"}, {"items", std::move(items)}}; }

void add_stancer_schemas(json::object& schemas) {
  schemas["StancerCustomer"] =
      shown(stancer::described_customer(), {{"id"}, {"created", Type::integer, 0, std::size_t{1} << 53}});
  json::object error = {
      {"type", "object"},
      {"properties", json::object{{"type", json::object{{"type", "string"}}},
                                  {"message", json::object{{"type", json::array{"string", "object"}}}}}}};
  schemas["StancerError"] = json::object{{"type", "object"}, {"properties", json::object{{"error", std::move(error)}}}};
}

void add_management_schemas(json::object& schemas) {
  const std::size_t id_max = std::size_t{1} << 53;
  schemas["ManagementCustomer"] =
      shown(management::described_customer(true), {{"id", Type::integer, 1, id_max}, {"createDate"}});
  schemas["ManagementSubscription"] =
      json::object{{"type", "object"}, {"description", "A subscription of the customer."}};
  schemas["ManagementPaymentOption"] = json::object{{"type", "object"}, {"description", "A source of the customer."}};
  schemas["ManagementError"] = map_of({{"failureCode"}, {"failureMessage"}});
}

void add_funding_sources_schemas(json::object& schemas) {
  const DescribedMember id{"id", Type::integer, 1, std::size_t{1} << 62};
  const DescribedMember user_id{"user_id", Type::integer, 1, std::size_t{1} << 53};
  std::vector<DescribedMember> sources = funding_sources::described_sources(false);
  std::vector<DescribedMember>& of_one = sources.front().children.front().children;
  of_one.insert(of_one.begin(), id);
  for (const DescribedMember& member : {DescribedMember{"last_used"}, DescribedMember{"added"}, user_id})
    of_one.push_back(member);
  sources.front().children.front().min = sources.front().children.front().max = 0;
  schemas["FundingSourcesFundingSources"] = envelope("funding_sources", schema_of(sources.front()));
  json::object user = shown(funding_sources::described_user(true), {id, {"joined"}, {"secret"}});
  schemas["FundingSourcesUsers"] = envelope("users", list_of(std::move(user)));
  json::object error = map_of({{"code"}, {"field"}, {"item", Type::integer, 0, 10'000}});
  schemas["FundingSourcesError"] = envelope("errors", list_of(std::move(error)));
}

json::object basic(std::string_view description) {
  return {{"type", "http"}, {"scheme", "basic"}, {"description", description}};
}

}  // namespace

void add_faces(json::object& paths, json::object& schemas, json::object& security_schemes, const OpenApiInfo& info) {
  auto at = [&info](const std::string& own) { return own.empty() ? info.api_url : own; };
  constexpr std::string_view json_type = "application/json";
  add(paths, {"Stancer", "stancerKey", "/v1", at(info.stancer_url), {json_type}, {json_type}, json_type},
      stancer::described_routes());
  add(paths,
      {"Management",
       "serviceUser",
       "",
       at(info.management_url),
       {json_type, "application/xml"},
       {json_type, "application/xml"},
       json_type},
      management::described_routes());
  add(paths, {"FundingSources", "user", "", at(info.funding_sources_url), {json_type}, {json_type}, "errors/json"},
      funding_sources::described_routes());
  add_stancer_schemas(schemas);
  add_management_schemas(schemas);
  add_funding_sources_schemas(schemas);
  security_schemes["stancerKey"] = basic("A key of Stancer's API as the user; a password is ignored.");
  security_schemes["serviceUser"] = basic("A service user of the Management API and its secret.");
  security_schemes["user"] = basic("A user's name and secret, or an administrator's.");
}

}  // namespace billd::api::openapi
