#include "net/http/router.hpp"

#include <algorithm>
#include <span>

#include "engine/result.hpp"
#include "net/http/text.hpp"

namespace billd::http {
namespace {

constexpr std::size_t index_of(Method method) { return static_cast<std::size_t>(method); }

constexpr std::uint32_t bit_of(Method method) { return 1U << index_of(method); }

bool is_readable(std::string_view raw) {
  if (raw.find('%') == std::string_view::npos) return true;  // the gate lets only ASCII through
  std::optional<std::string> text = percent_decoded(raw);
  return text && is_utf8(*text) && text->find('\0') == std::string::npos;
}

}  // namespace

std::string Router::Match::parameter(std::string_view name) const {
  auto at = std::ranges::find(route_->names, name);
  BILLD_CHECK(at != route_->names.end(), "the route has no such parameter");
  std::string_view raw = raw_[static_cast<std::size_t>(at - route_->names.begin())];
  return percent_decoded(raw).value_or(std::string());
}

std::string Router::Match::allow() const {
  std::string methods;
  for (Method method :
       {Method::get, Method::head, Method::post, Method::put, Method::patch, Method::delete_, Method::options}) {
    if (!(allowed_ & bit_of(method))) continue;
    if (!methods.empty()) methods += ", ";
    methods += name(method);
  }
  return methods;
}

Router::Router() : nodes_(1) {}

bool Router::split(std::string_view path, Segments& segments) {
  if (!path.starts_with('/')) return false;
  path.remove_prefix(1);
  if (path.ends_with('/')) path.remove_suffix(1);
  while (!path.empty()) {
    if (segments.size == segments_max) return false;
    std::size_t end = std::min(path.find('/'), path.size());
    if (end == 0 || end + 1 == path.size()) return false;  // an empty segment
    segments.text[segments.size++] = path.substr(0, end);
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return true;
}

std::size_t Router::child(std::size_t node, std::string_view word) const {
  const auto& words = nodes_[node].words;
  auto at = std::ranges::lower_bound(words, word, {}, [](const auto& entry) { return std::string_view(entry.first); });
  return at != words.end() && at->first == word ? at->second : 0;
}

void Router::add(Method method, std::string_view pattern, std::size_t handler) {
  Segments segments;
  BILLD_CHECK(split(pattern, segments), pattern);
  Route route{handler, {}};
  std::size_t node = 0;
  for (std::size_t i = 0; i < segments.size; ++i) {
    std::string_view segment = segments.text[i];
    std::size_t next = 0;
    if (segment.starts_with('{')) {
      BILLD_CHECK(segment.ends_with('}') && segment.size() > 2 && route.names.size() < parameters_max, pattern);
      route.names.emplace_back(segment.substr(1, segment.size() - 2));
      next = nodes_[node].variable;
      if (next == 0) {
        next = nodes_[node].variable = nodes_.size();
        nodes_.emplace_back();
      }
    } else {
      next = child(node, segment);
      if (next == 0) {
        next = nodes_.size();
        auto& words = nodes_[node].words;
        words.emplace_back(segment, next);
        std::ranges::sort(words);
        nodes_.emplace_back();
      }
    }
    node = next;
  }
  std::size_t& place = nodes_[node].routes[index_of(method)];
  BILLD_CHECK(place == 0, pattern);
  routes_.push_back(std::move(route));
  place = routes_.size();
}

bool Router::descend(std::size_t node, const Segments& segments, std::size_t depth, std::size_t variables,
                     Method method, Match& match) const {
  const Node& here = nodes_[node];
  if (depth == segments.size) {
    for (std::size_t i = 0; i < here.routes.size(); ++i)
      if (here.routes[i] != 0) match.allowed_ |= 1U << i;
    if (match.allowed_ & bit_of(Method::get)) match.allowed_ |= bit_of(Method::head);
    std::size_t route = here.routes[index_of(method)];
    if (route == 0 && method == Method::head) route = here.routes[index_of(Method::get)];
    if (route == 0) return false;
    match.route_ = &routes_[route - 1];
    return true;
  }
  std::string_view segment = segments.text[depth];
  std::size_t word = child(node, segment);
  if (word != 0 && descend(word, segments, depth + 1, variables, method, match)) return true;
  if (here.variable == 0) return false;
  match.raw_[variables] = segment;
  return descend(here.variable, segments, depth + 1, variables + 1, method, match);
}

Router::Match Router::match(Method method, std::string_view path) const {
  Match match;
  Segments segments;
  if (!split(path, segments)) return match;
  if (!descend(0, segments, 0, 0, method, match)) {
    if (match.allowed_ != 0) match.outcome = Outcome::method_not_allowed;
    return match;
  }
  auto raw = std::span(match.raw_).first(match.route_->names.size());
  match.outcome = std::ranges::all_of(raw, is_readable) ? Outcome::found : Outcome::malformed;
  return match;
}

}  // namespace billd::http
