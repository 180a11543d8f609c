// Pieces that the description of every face is made of.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "net/http/message.hpp"

namespace billd::api::openapi {

namespace json = boost::json;

json::value text(std::string_view value);
json::object reference(std::string_view schema);
json::array path_parameters(std::string_view pattern);

/// "PostCustomersCustomerSources" for POST /customers/{customer}/sources.
std::string operation_id(http::Method method, std::string_view pattern);

std::string lower(std::string_view name);
json::object answer(std::string_view description, std::string_view type, json::object schema);
json::object header(std::string_view name, std::string_view description);
json::object idempotency_key();
json::object body_of(json::object schema, bool with_forms);

/// The path's entry, which begins with the server that it is at.
json::object& path_at(json::object& paths, std::string_view pattern, std::string_view server);

}  // namespace billd::api::openapi
