#include "net/api/stripe/services.hpp"

#include <algorithm>

namespace billd::api::stripe {

const std::string& Call::variable(std::string_view name) const {
  const auto at = std::ranges::find(variables, name, &std::pair<std::string_view, std::string>::first);
  BILLD_CHECK(at != variables.end(), "the route has no such variable");
  return at->second;
}

std::string Call::variable_or_empty(std::string_view name) const {
  const auto at = std::ranges::find(variables, name, &std::pair<std::string_view, std::string>::first);
  return at == variables.end() ? std::string() : at->second;
}

}  // namespace billd::api::stripe
