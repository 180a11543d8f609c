// Numbers that Redis keeps as text.
#pragma once

#include <charconv>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "engine/calendar.hpp"

namespace billd::store {

/// Empty unless the text is a number and nothing else.
inline std::optional<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return count;
}

/// A sorted set's score. Redis keeps scores as floating-point numbers and writes large ones with an exponent; what is
/// beyond 64 bits becomes their end, and what is no number becomes 0.
inline std::int64_t parse_score(std::string_view text) {
  const char* const last = text.data() + text.size();
  std::int64_t score = 0;
  if (const auto [end, error] = std::from_chars(text.data(), last, score); error == std::errc() && end == last)
    return score;
  double value = 0;
  std::from_chars(text.data(), last, value);
  constexpr double limit = 9.2e18;
  if (value >= limit) return std::numeric_limits<std::int64_t>::max();
  if (value <= -limit) return std::numeric_limits<std::int64_t>::min();
  return static_cast<std::int64_t>(value);
}

/// A time as the score of a queue: microseconds.
inline std::string score_text(Timestamp time) { return std::to_string(time.time_since_epoch().count()); }
inline Timestamp time_of_score(std::string_view text) { return Timestamp(Duration(parse_score(text))); }

}  // namespace billd::store
