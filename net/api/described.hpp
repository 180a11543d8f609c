// What a face tells of its routes, for the description of all that billd serves (openapi/document.hpp).
#pragma once

#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

#include "net/http/message.hpp"

namespace billd::api {

/// A route as the face's router knows it.
struct ServedRoute {
  http::Method method = http::Method::get;
  std::string_view pattern = {};

  auto operator<=>(const ServedRoute&) const = default;
};

template <class Routes>
std::vector<ServedRoute> served(const Routes& routes) {
  std::vector<ServedRoute> all;
  for (const auto& route : routes) all.push_back({route.method, route.pattern});
  return all;
}

/// A member of a body, or a parameter of a query.
struct DescribedMember {
  enum class Type : std::uint8_t { text, integer, boolean, map, list };  ///< a list is of maps

  std::string_view name;
  Type type = Type::text;
  std::size_t min = 0, max = 0;  ///< of texts in characters, of integers, of lists in elements; max 0: no limit
  bool is_required = false;
  std::vector<DescribedMember> children = {};  ///< of maps, and of a list's elements
};

struct DescribedRoute {
  ServedRoute served;
  std::string_view summary = {};
  int status = 200;                  ///< when all is well; 204: without a body
  std::string_view object = {};      ///< what is answered, such as "Customer"; empty for 204
  bool is_list = false;              ///< of these
  std::string_view media_type = {};  ///< of the answer; empty: as the face's others
  std::vector<DescribedMember> query = {}, body = {};
};

}  // namespace billd::api
