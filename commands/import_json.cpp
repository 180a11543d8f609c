#include "commands/import_json.hpp"

namespace billd::commands {
namespace {

namespace json = boost::json;

/// Whether a member says more than that there is nothing: null, false, 0, "none", an empty list or object.
bool says_something(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return false;
    case json::kind::bool_:
      return value.get_bool();
    case json::kind::int64:
      return value.get_int64() != 0;
    case json::kind::string:
      return !value.get_string().empty() && value.get_string() != "none";
    case json::kind::array:
      return !value.get_array().empty();
    case json::kind::object:
      if (const json::value* data = value.get_object().if_contains("data")) return says_something(*data);
      return !value.get_object().empty();
    default:
      return true;
  }
}

}  // namespace

const json::value* member_of(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  return value == nullptr || value->is_null() ? nullptr : value;
}

const json::object* object_of(const json::object& object, std::string_view name) {
  const json::value* value = member_of(object, name);
  return value == nullptr ? nullptr : value->if_object();
}

Objects objects_of(const json::value* value) {
  Objects objects;
  if (value != nullptr && value->is_object()) value = value->get_object().if_contains("data");
  if (value == nullptr || !value->is_array()) return objects;
  for (const json::value& each : value->get_array())
    if (each.is_object()) objects.push_back(each.get_object());
  return objects;
}

std::string text_of(const json::object& object, std::string_view name) {
  const json::value* value = member_of(object, name);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::int64_t integer_of(const json::object& object, std::string_view name, std::int64_t otherwise) {
  const json::value* value = member_of(object, name);
  return value != nullptr && value->is_int64() ? value->get_int64() : otherwise;
}

bool truth_of(const json::object& object, std::string_view name) {
  const json::value* value = member_of(object, name);
  return value != nullptr && value->is_bool() && value->get_bool();
}

std::optional<Timestamp> time_of(const json::object& object, std::string_view name) {
  const json::value* value = member_of(object, name);
  if (value == nullptr || !value->is_int64()) return std::nullopt;
  return from_unix(value->get_int64());
}

std::string identifier_of(const json::object& object, std::string_view name) {
  if (const json::object* expanded = object_of(object, name)) return text_of(*expanded, "id");
  return text_of(object, name);
}

Metadata metadata_of(const json::object& object) {
  Metadata metadata;
  if (const json::object* given = object_of(object, "metadata"))
    for (const auto& [key, value] : *given)
      if (value.is_string()) metadata.emplace_back(std::string(key), std::string(value.get_string()));
  return metadata;
}

CustomFields custom_fields_of(const json::object& object) {
  CustomFields fields;
  for (const json::object& each : objects_of(member_of(object, "custom_fields")))
    fields.emplace_back(text_of(each, "name"), text_of(each, "value"));
  return fields;
}

Address address_of(const json::object& object) {
  return {text_of(object, "line1"), text_of(object, "line2"),       text_of(object, "city"),
          text_of(object, "state"), text_of(object, "postal_code"), text_of(object, "country")};
}

Collection collection_of(const json::object& object) {
  const bool is_sent =
      text_of(object, "collection_method") == "send_invoice" || text_of(object, "billing") == "send_invoice";
  return is_sent ? Collection::send_invoice : Collection::charge_automatically;
}

Result<Currency> currency_of(const json::object& object) { return Currency::parse(text_of(object, "currency")); }

Failure refusal(std::string detail, std::string_view member) {
  return {Errc::invalid_parameter, std::move(detail), std::string(member)};
}

Result<void> refuse_members(const json::object& object, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    const json::value* value = object.if_contains(name);
    if (value != nullptr && says_something(*value))
      return refusal("it has " + std::string(name) + ", which billd cannot take along", name);
  }
  return {};
}

}  // namespace billd::commands
