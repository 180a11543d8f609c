#include "net/store/lengthy.hpp"

#include <charconv>

namespace billd::store {

std::string lengthy(std::string_view text) { return std::to_string(text.size()) + ":" + std::string(text); }

std::vector<std::string> parse_lengthy(std::string_view row) {
  std::vector<std::string> parts;
  while (!row.empty()) {
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(row.data(), row.data() + row.size(), length);
    const auto digits = static_cast<std::size_t>(end - row.data());
    if (error != std::errc() || digits == row.size() || row[digits] != ':') return {};
    row.remove_prefix(digits + 1);
    if (length > row.size()) return {};
    parts.emplace_back(row.substr(0, length));
    row.remove_prefix(length);
  }
  return parts;
}

}  // namespace billd::store
