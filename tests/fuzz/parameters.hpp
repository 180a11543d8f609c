// What holds for every tree of parameters.
#pragma once

#include <algorithm>
#include <cstdint>

#include "net/http/form.hpp"
#include "net/http/text.hpp"

namespace billd::http {

inline bool is_clean(std::string_view text) { return is_utf8(text) && text.find('\0') == std::string_view::npos; }

/// Ends the process when the tree breaks a promise; returns how many leaves it has.
inline std::size_t check_parameters(const Parameter& parameter, std::size_t depth = 0) {
  const ParameterLimits limits;
  BILLD_CHECK(depth <= limits.depth_max, "deeper than the limit");
  BILLD_CHECK(is_clean(parameter.name()) && is_clean(parameter.path()) && is_clean(parameter.text()), "not text");
  if (parameter.children().empty()) return 1;
  std::size_t leaves = 0;
  for (const Parameter& child : parameter.children()) leaves += check_parameters(child, depth + 1);
  BILLD_CHECK(depth > 0 || leaves <= limits.count_max, "more than the limit");
  return leaves;
}

}  // namespace billd::http
