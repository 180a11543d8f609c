#include "net/api/management/negotiation.hpp"

#include <algorithm>
#include <array>

#include "net/http/text.hpp"

namespace billd::api::management {
namespace {

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
  return text;
}

/// Takes the text up to the separator, or all of it, off the front.
std::string_view take(std::string_view& rest, char separator) {
  const std::size_t end = std::min(rest.find(separator), rest.size());
  const std::string_view taken = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return trimmed(taken);
}

/// A quality in thousandths: "1", "0.5", "0.125"; empty for anything else.
std::optional<int> parse_quality(std::string_view text) {
  if (text.empty() || (text[0] != '0' && text[0] != '1') || text.size() > 5) return std::nullopt;
  if (text.size() > 1 && text[1] != '.') return std::nullopt;
  int quality = (text[0] - '0') * 1000, place = 100;
  for (char c : text.substr(std::min<std::size_t>(2, text.size()))) {
    if (c < '0' || c > '9') return std::nullopt;
    quality += (c - '0') * place;
    place /= 10;
  }
  return quality <= 1000 ? std::optional(quality) : std::nullopt;
}

/// How exactly a range such as "text/*" names the type; 0: not at all.
int exactness(std::string_view range, std::string_view type) {
  if (http::equals_ignoring_case(range, type)) return 3;
  if (range == "*/*") return 1;
  const std::size_t slash = type.find('/');
  if (range.ends_with("/*") && http::equals_ignoring_case(range.substr(0, range.size() - 2), type.substr(0, slash)))
    return 2;
  return 0;
}

/// What Accept thinks of the type, by the range that names it most exactly.
int quality_of(std::string_view accept, std::string_view type) {
  int best = 0, quality = 0;
  while (!accept.empty()) {
    std::string_view element = take(accept, ',');
    const std::string_view range = take(element, ';');
    std::optional<int> given = 1000;
    while (!element.empty()) {
      std::string_view parameter = take(element, ';');
      const std::string_view name = take(parameter, '=');
      if (http::equals_ignoring_case(name, "q")) given = parse_quality(trimmed(parameter));
    }
    const int exact = exactness(range, type);
    if (exact <= best || !given) continue;
    best = exact;
    quality = *given;
  }
  return quality;
}

}  // namespace

std::optional<Format> format_of(std::string_view content_type) {
  const std::string_view type = take(content_type, ';');
  while (!content_type.empty()) {
    std::string_view parameter = take(content_type, ';');
    const std::string_view name = take(parameter, '=');
    std::string_view value = trimmed(parameter);
    if (value.size() > 1 && value.starts_with('"') && value.ends_with('"')) value = value.substr(1, value.size() - 2);
    const bool is_utf8 = http::equals_ignoring_case(value, "utf-8") || http::equals_ignoring_case(value, "us-ascii");
    if (http::equals_ignoring_case(name, "charset") && !is_utf8) return std::nullopt;
  }
  if (http::equals_ignoring_case(type, "application/json")) return Format::json;
  if (http::equals_ignoring_case(type, "application/xml")) return Format::xml;
  if (http::equals_ignoring_case(type, "text/xml")) return Format::xml;
  if (http::equals_ignoring_case(type, "application/x-www-form-urlencoded")) return Format::form;
  return std::nullopt;
}

std::optional<std::string_view> choose_media_type(std::optional<std::string_view> accept, Format preferred) {
  constexpr std::array<std::string_view, 3> json_first = {"application/json", "application/xml", "text/xml"};
  constexpr std::array<std::string_view, 3> xml_first = {"application/xml", "text/xml", "application/json"};
  const auto& types = preferred == Format::xml ? xml_first : json_first;
  if (!accept || trimmed(*accept).empty()) return types.front();
  std::optional<std::string_view> chosen;
  int best = 0;
  for (std::string_view type : types) {
    const int quality = quality_of(*accept, type);
    if (quality <= best) continue;
    best = quality;
    chosen = type;
  }
  return chosen;
}

}  // namespace billd::api::management
