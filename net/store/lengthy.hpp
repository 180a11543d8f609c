// Texts one behind the other, each as "<length>:<text>".
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace billd::store {

std::string lengthy(std::string_view text);

/// Empty when it is no such row of texts.
std::vector<std::string> parse_lengthy(std::string_view row);

}  // namespace billd::store
