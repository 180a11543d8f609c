#include "net/api/operators/control.hpp"

#include <algorithm>
#include <array>

namespace billd::api::operators {
namespace {

constexpr std::array<std::string_view, action_count> names = {"retry", "park",   "unpark",
                                                              "pause", "resume", "redeliver"};

}  // namespace

std::string_view to_text(ActionKind kind) { return names[static_cast<std::size_t>(kind)]; }

std::optional<ActionKind> action_named(std::string_view name) {
  const auto found = std::ranges::find(names, name);
  if (found == names.end()) return std::nullopt;
  return static_cast<ActionKind>(found - names.begin());
}

}  // namespace billd::api::operators
