#include "config/nearest_name.hpp"

#include <algorithm>
#include <utility>

namespace billd {
namespace {

/// How many characters must be added, removed, changed or swapped with their neighbour to make one text of the other.
std::size_t edit_distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> before_last(right.size() + 1), last(right.size() + 1), current(right.size() + 1);
  for (std::size_t j = 0; j <= right.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= left.size(); ++i) {
    current[0] = i;
    for (std::size_t j = 1; j <= right.size(); ++j) {
      std::size_t changed = last[j - 1] + (left[i - 1] == right[j - 1] ? 0 : 1);
      current[j] = std::min({changed, last[j] + 1, current[j - 1] + 1});
      bool swapped = i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1];
      if (swapped) current[j] = std::min(current[j], before_last[j - 2] + 1);
    }
    std::swap(before_last, last);
    std::swap(last, current);
  }
  return last[right.size()];
}

std::string_view last_word(std::string_view path) { return path.substr(path.rfind('.') + 1); }

}  // namespace

std::optional<std::string> nearest_name(std::string_view given, const std::vector<std::string>& names) {
  std::size_t slips_max = std::max<std::size_t>(2, given.size() / 6);
  auto nearest = std::ranges::min_element(names, {}, [&](const std::string& n) { return edit_distance(given, n); });
  if (nearest != names.end() && edit_distance(given, *nearest) <= slips_max) return *nearest;
  auto same = [&](const std::string& name) { return last_word(name) == last_word(given); };
  auto moved = std::ranges::find_if(names, same);
  if (moved != names.end()) return *moved;
  return std::nullopt;
}

}  // namespace billd
