#include "net/api/stripe/parameters.hpp"

#include <algorithm>
#include <charconv>

#include "engine/money.hpp"

namespace billd::api::stripe {
namespace {

// Source: https://stripe.com/docs/api/metadata.
constexpr std::size_t metadata_keys_max = 50, metadata_key_length_max = 40, metadata_value_length_max = 500;

Failure invalid(const http::Parameter& parameter, std::string message) {
  return {Errc::invalid_parameter, std::move(message), parameter.path()};
}

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_timestamp(std::string_view text) {
  const auto seconds = parse_integer(text);
  return seconds && *seconds >= 0 && *seconds <= to_unix(end_of_time);
}

Failure invalid_timestamp(const http::Parameter& parameter) {
  return invalid(parameter, "Invalid timestamp: must be an integer Unix timestamp in seconds, up to the year 2199");
}

bool is_empty(const http::Parameter& parameter) { return parameter.is_text() && parameter.text().empty(); }

Failure refuse_empty(const http::Parameter& parameter) {
  const std::string& name = parameter.path();
  return invalid(parameter, "You passed an empty string for '" + name +
                                "'. We assume empty values are an attempt to unset a field; however '" + name +
                                "' cannot be unset. You should remove '" + name +
                                "' from your request or supply a non-empty value.");
}

Result<void> check_range(const http::Parameter& parameter, std::int64_t value, std::int64_t min, std::int64_t max) {
  if (value < min)
    return invalid(parameter, "This value must be greater than or equal to " + std::to_string(min) + ".");
  if (value > max)
    return invalid(parameter, "This value must be less than or equal to " + std::to_string(max) +
                                  " (it currently is '" + std::to_string(value) + "').");
  return {};
}

Result<void> check_length(const http::Parameter& parameter, std::int64_t max) {
  if (parameter.text().size() > static_cast<std::size_t>(max))
    return invalid(parameter, "Invalid string: must be at most " + std::to_string(max) + " characters");
  return {};
}

Result<void> check_choice(const http::Parameter& parameter, const Rule& rule) {
  if (std::ranges::find(rule.choices, parameter.text()) != rule.choices.end()) return {};
  std::string message = "Invalid " + parameter.name() + ": must be one of ";
  for (std::size_t i = 0; i < rule.choices.size(); ++i) {
    if (i > 0) message += i + 1 == rule.choices.size() ? (i > 1 ? ", or " : " or ") : ", ";
    message += rule.choices[i];
  }
  return invalid(parameter, std::move(message));
}

Failure too_many_keys(const http::Parameter& parameter, std::size_t count) {
  return invalid(parameter, "Metadata can have up to 50 keys, but there would be " + std::to_string(count) + ".");
}

Result<void> check_metadata(const http::Parameter& parameter) {
  if (!parameter.is_map()) return invalid(parameter, "Invalid metadata: must be a map of keys and values");
  if (parameter.children().size() > metadata_keys_max) return too_many_keys(parameter, parameter.children().size());
  for (const http::Parameter& each : parameter.children()) {
    if (!each.is_text()) return invalid(each, "Metadata values must be strings.");
    if (each.name().size() > metadata_key_length_max)
      return invalid(each, "Metadata keys can have up to 40 characters.");
    if (each.text().size() > metadata_value_length_max)
      return invalid(each, "Metadata values can have up to 500 characters.");
  }
  return {};
}

constexpr std::array range_rules = {timestamp("gt"), timestamp("gte"), timestamp("lt"), timestamp("lte")};

Result<void> check_list(const http::Parameter& parameter, const Rule& rule) {
  if (!parameter.is_list()) return invalid(parameter, "Invalid array");
  for (const http::Parameter& each : parameter.children()) {
    if (rule.children.empty()) {
      if (!each.is_text()) return invalid(each, "Invalid string");
      auto length = check_length(each, text_length_max);
      if (!length) return length;
    } else {
      if (!each.is_map()) return invalid(each, "Invalid object");
      auto checked = check(each, rule.children);
      if (!checked) return checked;
    }
  }
  return {};
}

Result<void> check_text(const http::Parameter& parameter, const Rule& rule) {
  const std::string& given = parameter.text();
  switch (rule.type) {
    case Type::integer: {
      const auto value = parse_integer(given);
      if (!value) return invalid(parameter, "Invalid integer: " + given);
      return check_range(parameter, *value, rule.min, rule.max);
    }
    case Type::boolean:
      if (given != "true" && given != "false") return invalid(parameter, "Invalid boolean: " + given);
      return {};
    case Type::timestamp:
    case Type::range:
      if (!is_timestamp(given)) return invalid_timestamp(parameter);
      return {};
    case Type::timestamp_or_now:
      if (given != "now" && !is_timestamp(given)) return invalid_timestamp(parameter);
      return {};
    case Type::currency: {
      auto parsed = Currency::parse(given);
      if (!parsed) return invalid(parameter, "Invalid currency: " + given);
      return {};
    }
    case Type::choice:
      return check_choice(parameter, rule);
    case Type::text:
    case Type::text_or_map:
      return check_length(parameter, rule.max);
    case Type::metadata:
    case Type::map:
    case Type::list:
      return invalid(parameter, "Invalid object");
  }
  return {};
}

Result<void> check_one(const http::Parameter& parameter, const Rule& rule) {
  if (is_empty(parameter)) {
    if (rule.is_clearable) return {};
    return refuse_empty(parameter);
  }
  switch (rule.type) {
    case Type::metadata:
      return check_metadata(parameter);
    case Type::list:
      return check_list(parameter, rule);
    case Type::map:
      if (!parameter.is_map()) return invalid(parameter, "Invalid object");
      return check(parameter, rule.children);
    case Type::text_or_map:
      if (parameter.is_map()) return check(parameter, rule.children);
      break;
    case Type::range:
      if (parameter.is_map()) return check(parameter, range_rules);
      break;
    default:
      break;
  }
  if (!parameter.is_text()) return invalid(parameter, "Invalid string: a single value is expected");
  return check_text(parameter, rule);
}

Result<void> refuse_unknown(const http::Parameters& given, std::span<const Rule> rules) {
  std::vector<std::string> unknown;
  for (const http::Parameter& each : given.children())
    if (std::ranges::find(rules, each.name(), &Rule::name) == rules.end()) unknown.push_back(each.path());
  if (unknown.empty()) return {};
  std::string message = unknown.size() == 1 ? "Received unknown parameter: " : "Received unknown parameters: ";
  for (std::size_t i = 0; i < unknown.size(); ++i) message.append(i == 0 ? "" : ", ").append(unknown[i]);
  return Failure{Errc::unknown_parameter, std::move(message), unknown.front()};
}

void append_canonical(const http::Parameter& parameter, std::string& output) {
  auto append_text = [&](std::string_view text) {
    output.append(std::to_string(text.size())).append(":").append(text);
  };
  if (parameter.is_text()) {
    append_text(parameter.text());
    return;
  }
  std::vector<const http::Parameter*> children;
  for (const http::Parameter& child : parameter.children()) children.push_back(&child);
  if (parameter.is_map())
    std::ranges::sort(children, {}, [](const http::Parameter* child) -> const std::string& { return child->name(); });
  output += parameter.is_map() ? '{' : '[';
  for (const http::Parameter* child : children) {
    if (parameter.is_map()) append_text(child->name());
    append_canonical(*child, output);
  }
  output += parameter.is_map() ? '}' : ']';
}

}  // namespace

Result<void> check(const http::Parameters& given, std::span<const Rule> rules) {
  auto known = refuse_unknown(given, rules);
  if (!known) return known;
  for (const Rule& rule : rules) {
    const http::Parameter* parameter = given.find(rule.name);
    if (parameter == nullptr) {
      if (!rule.is_required) continue;
      const std::string name =
          given.path().empty() ? std::string(rule.name) : given.path() + "[" + std::string(rule.name) + "]";
      return Failure{Errc::missing_parameter, "Missing required param: " + name + ".", name};
    }
    auto checked = check_one(*parameter, rule);
    if (!checked) return checked;
  }
  return {};
}

bool Arguments::has_value(std::string_view name) const {
  const http::Parameter* parameter = map_->find(name);
  return parameter != nullptr && !is_empty(*parameter);
}

std::optional<std::string> Arguments::text(std::string_view name) const {
  const http::Parameter* parameter = map_->find(name);
  if (parameter == nullptr || !parameter->is_text()) return std::nullopt;
  return parameter->text();
}

std::string Arguments::text_or_empty(std::string_view name) const { return text(name).value_or(std::string()); }

std::optional<std::int64_t> Arguments::integer(std::string_view name) const {
  const http::Parameter* parameter = map_->find(name);
  return parameter == nullptr ? std::nullopt : parse_integer(parameter->text());
}

std::optional<bool> Arguments::boolean(std::string_view name) const {
  const http::Parameter* parameter = map_->find(name);
  if (parameter == nullptr) return std::nullopt;
  return parameter->text() == "true";
}

std::optional<Timestamp> Arguments::timestamp(std::string_view name) const {
  const auto seconds = integer(name);
  if (!seconds) return std::nullopt;
  return from_unix(*seconds);
}

TimeRange Arguments::range(std::string_view name) const {
  const http::Parameter* parameter = map_->find(name);
  if (parameter == nullptr) return {};
  // Stripe counts whole seconds; objects are as old as their creation's microsecond.
  const Duration second = std::chrono::seconds(1);
  const Duration tick(1);
  if (parameter->is_text()) {
    const Timestamp at = *timestamp(name);
    return {at, at + second - tick};
  }
  const Arguments bounds(*parameter);
  TimeRange result;
  if (auto at = bounds.timestamp("gt")) result.min = *at + second;
  if (auto at = bounds.timestamp("gte")) result.min = result.min ? std::max(*result.min, *at) : *at;
  if (auto at = bounds.timestamp("lt")) result.max = *at - tick;
  if (auto at = bounds.timestamp("lte"))
    result.max = result.max ? std::min(*result.max, *at + second - tick) : *at + second - tick;
  return result;
}

std::optional<Arguments> Arguments::map(std::string_view name) const {
  const http::Parameter* parameter = map_->find(name);
  if (parameter == nullptr || !parameter->is_map()) return std::nullopt;
  return Arguments(*parameter);
}

std::vector<Arguments> Arguments::maps(std::string_view name) const {
  std::vector<Arguments> result;
  if (const http::Parameter* parameter = map_->find(name))
    for (const http::Parameter& each : parameter->children()) result.emplace_back(each);
  return result;
}

std::vector<std::string> Arguments::texts(std::string_view name) const {
  std::vector<std::string> result;
  if (const http::Parameter* parameter = map_->find(name))
    for (const http::Parameter& each : parameter->children()) result.push_back(each.text());
  return result;
}

Result<Metadata> Arguments::metadata_over(Metadata before) const {
  const http::Parameter* parameter = map_->find("metadata");
  if (parameter == nullptr) return before;
  if (is_empty(*parameter)) return Metadata();
  for (const http::Parameter& each : parameter->children()) {
    auto at = std::ranges::find(before, each.name(), &Metadata::value_type::first);
    if (each.text().empty()) {
      if (at != before.end()) before.erase(at);
    } else if (at != before.end()) {
      at->second = each.text();
    } else {
      before.emplace_back(each.name(), each.text());
    }
  }
  if (before.size() > metadata_keys_max) return too_many_keys(*parameter, before.size());
  return before;
}

std::optional<MetadataPatch> Arguments::metadata_patch() const {
  const http::Parameter* parameter = map_->find("metadata");
  if (parameter == nullptr) return std::nullopt;
  MetadataPatch patch;
  patch.clear = is_empty(*parameter);
  for (const http::Parameter& each : parameter->children()) patch.set.emplace_back(each.name(), each.text());
  return patch;
}

std::string canonical_text(const http::Parameters& parameters) {
  std::string output;
  append_canonical(parameters, output);
  return output;
}

}  // namespace billd::api::stripe
