#include "net/api/openapi/parts.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace billd::api::openapi {
namespace {

std::vector<std::string> variables_of(std::string_view pattern) {
  std::vector<std::string> names;
  for (std::size_t at = pattern.find('{'); at != std::string_view::npos; at = pattern.find('{', at + 1))
    names.emplace_back(pattern.substr(at + 1, pattern.find('}', at) - at - 1));
  return names;
}

}  // namespace

json::value text(std::string_view value) { return json::value(value); }

json::object reference(std::string_view schema) {
  return {{"$ref", std::string("#/components/schemas/").append(schema)}};
}

json::array path_parameters(std::string_view pattern) {
  json::array parameters;
  for (const std::string& name : variables_of(pattern))
    parameters.push_back(
        json::object{{"name", name}, {"in", "path"}, {"required", true}, {"schema", json::object{{"type", "string"}}}});
  return parameters;
}

std::string operation_id(http::Method method, std::string_view pattern) {
  std::string id;
  bool begins_word = true;
  const std::string words = std::string(http::name(method)) + "/" + std::string(pattern);
  bool is_method = true;
  for (const char c : words) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) {
      is_method = is_method && c != '/';
      begins_word = true;
      continue;
    }
    const int letter = static_cast<unsigned char>(c);
    id.push_back(static_cast<char>(begins_word ? std::toupper(letter) : is_method ? std::tolower(letter) : letter));
    begins_word = false;
  }
  return id;
}

std::string lower(std::string_view name) {
  std::string text(name);
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

json::object answer(std::string_view description, std::string_view type, json::object schema) {
  json::object media = {{"schema", std::move(schema)}};
  json::object content;
  content[type] = std::move(media);
  return {{"description", description}, {"content", std::move(content)}};
}

json::object header(std::string_view name, std::string_view description) {
  return {{"name", name}, {"in", "header"}, {"description", description}, {"schema", json::object{{"type", "string"}}}};
}

json::object idempotency_key() {
  return header("Idempotency-Key", "Repeated with the same key, a request is answered as it was.");
}

json::object body_of(json::object schema, bool with_forms) {
  json::object content;
  content["application/json"] = json::object{{"schema", schema}};
  if (with_forms) content["application/x-www-form-urlencoded"] = json::object{{"schema", std::move(schema)}};
  return {{"content", std::move(content)}};
}

json::object& path_at(json::object& paths, std::string_view pattern, std::string_view server) {
  json::value& path = paths[pattern];
  if (!path.is_object()) {
    json::array servers;
    servers.push_back(json::object{{"url", server}});
    path.emplace_object()["servers"] = std::move(servers);
  }
  return path.as_object();
}

}  // namespace billd::api::openapi
