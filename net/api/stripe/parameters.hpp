// The parameters of an operation as a table: what may be given, of which type and within which limits.
//
// check() holds a request against its table and tells Stripe's sentence for what is wrong; Arguments then reads values
// which are known to be well-formed.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/command.hpp"
#include "engine/result.hpp"
#include "net/http/form.hpp"

namespace billd::api::stripe {

enum class Type : std::uint8_t {
  text,              ///< min and max: its length in bytes
  integer,           ///< min and max: its range
  boolean,           ///< true or false
  timestamp,         ///< seconds since 1970, up to end_of_time
  timestamp_or_now,  ///< the same, or "now"
  currency,
  choice,       ///< one of `choices`
  metadata,     ///< up to 50 keys of 40 characters with values of 500
  map,          ///< of `children`
  list,         ///< of maps of `children`; of texts when there are none
  text_or_map,  ///< a token, or its description by `children`
  range,        ///< a timestamp, or a map of gt, gte, lt, lte
};

struct Rule {
  std::string_view name;
  Type type = Type::text;
  std::int64_t min = 0;
  std::int64_t max = 0;
  std::span<const Rule> children = {};
  std::span<const std::string_view> choices = {};
  bool is_required = false;
  bool is_clearable = false;  ///< an empty value unsets

  constexpr Rule required() const {
    Rule rule = *this;
    rule.is_required = true;
    return rule;
  }
  constexpr Rule clearable() const {
    Rule rule = *this;
    rule.is_clearable = true;
    return rule;
  }
};

inline constexpr std::int64_t text_length_max = 5000;

constexpr Rule text(std::string_view name, std::int64_t length_max = text_length_max) {
  return {.name = name, .type = Type::text, .min = 1, .max = length_max};
}
constexpr Rule integer(std::string_view name, std::int64_t min, std::int64_t max) {
  return {.name = name, .type = Type::integer, .min = min, .max = max};
}
constexpr Rule boolean(std::string_view name) { return {.name = name, .type = Type::boolean}; }
constexpr Rule timestamp(std::string_view name) { return {.name = name, .type = Type::timestamp}; }
constexpr Rule timestamp_or_now(std::string_view name) { return {.name = name, .type = Type::timestamp_or_now}; }
constexpr Rule currency(std::string_view name) { return {.name = name, .type = Type::currency}; }
constexpr Rule choice(std::string_view name, std::span<const std::string_view> choices) {
  return {.name = name, .type = Type::choice, .choices = choices};
}
constexpr Rule metadata() { return {.name = "metadata", .type = Type::metadata, .is_clearable = true}; }
constexpr Rule map(std::string_view name, std::span<const Rule> children) {
  return {.name = name, .type = Type::map, .children = children};
}
constexpr Rule list(std::string_view name, std::span<const Rule> children = {}) {
  return {.name = name, .type = Type::list, .children = children};
}
constexpr Rule text_or_map(std::string_view name, std::span<const Rule> children) {
  return {.name = name, .type = Type::text_or_map, .min = 1, .max = text_length_max, .children = children};
}
constexpr Rule range(std::string_view name) { return {.name = name, .type = Type::range}; }

/// One table out of two.
template <std::size_t first_size, std::size_t second_size>
constexpr std::array<Rule, first_size + second_size> operator+(const std::array<Rule, first_size>& first,
                                                               const std::array<Rule, second_size>& second) {
  std::array<Rule, first_size + second_size> rules = {};
  for (std::size_t i = 0; i < first_size; ++i) rules[i] = first[i];
  for (std::size_t i = 0; i < second_size; ++i) rules[first_size + i] = second[i];
  return rules;
}

/// Refuses what is unknown, missing, malformed or out of its range, naming the parameter.
Result<void> check(const http::Parameters& given, std::span<const Rule> rules);

/// Instants from `min` to `max`, both included.
struct TimeRange {
  std::optional<Timestamp> min, max;

  bool holds(Timestamp time) const { return (!min || time >= *min) && (!max || time <= *max); }
};

/// Reads a map of parameters that check() has let pass. What was not given is empty.
class Arguments {
 public:
  explicit Arguments(const http::Parameter& map) : map_(&map) {}

  bool has(std::string_view name) const { return map_->find(name) != nullptr; }
  /// Given, and not the empty value that unsets.
  bool has_value(std::string_view name) const;
  const http::Parameter* find(std::string_view name) const { return map_->find(name); }

  std::optional<std::string> text(std::string_view name) const;
  std::string text_or_empty(std::string_view name) const;
  std::optional<std::int64_t> integer(std::string_view name) const;
  std::optional<bool> boolean(std::string_view name) const;
  /// Empty for "now".
  std::optional<Timestamp> timestamp(std::string_view name) const;
  TimeRange range(std::string_view name) const;
  std::optional<Arguments> map(std::string_view name) const;
  std::vector<Arguments> maps(std::string_view name) const;
  std::vector<std::string> texts(std::string_view name) const;

  /// The change of metadata: an empty value removes its key, empty metadata removes all. Empty: none is given.
  std::optional<MetadataPatch> metadata_patch() const;
  /// The metadata after this request.
  Result<Metadata> metadata_over(Metadata before) const;

 private:
  const http::Parameter* map_;
};

/// The parameters in a form that does not depend on how they were written: the same for a form and for JSON, whatever
/// the order of names.
std::string canonical_text(const http::Parameters& parameters);

}  // namespace billd::api::stripe
