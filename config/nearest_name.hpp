// Finds the name that was probably meant by one that does not exist.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace billd {

/// The name that differs from the given one by the fewest slips of the keyboard, or that ends in the same word after
/// its last dot; empty when none is near enough to be worth saying.
std::optional<std::string> nearest_name(std::string_view given, const std::vector<std::string>& names);

}  // namespace billd
