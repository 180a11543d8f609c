#include "net/http/form.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <optional>
#include <span>
#include <utility>

#include "net/http/text.hpp"

namespace billd::http {

namespace json = boost::json;

const Parameter* Parameter::find(std::string_view name) const {
  if (kind_ != Kind::map) return nullptr;
  auto at = std::ranges::find(children_, name, &Parameter::name_);
  return at == children_.end() ? nullptr : &*at;
}

bool Parameter::operator==(const Parameter& other) const {
  if (kind_ != other.kind_ || text_ != other.text_ || children_.size() != other.children_.size()) return false;
  if (kind_ != Kind::map) return std::ranges::equal(children_, other.children_);
  return std::ranges::all_of(children_, [&](const Parameter& child) {
    const Parameter* counterpart = other.find(child.name_);
    return counterpart && child == *counterpart;
  });
}

namespace {

Failure invalid(std::string detail, std::string parameter = {}) {
  return Failure{Errc::invalid_parameter, std::move(detail), std::move(parameter)};
}

std::string path_below(const std::string& path, std::string_view name) {
  if (path.empty()) return std::string(name);
  std::string below;
  below.reserve(path.size() + name.size() + 2);
  below += path;
  below += '[';
  below += name;
  below += ']';
  return below;
}

// A piece of text as an error message may show it: cut, and without anything that could garble a log or a terminal.
std::string shown(std::string_view text) {
  constexpr std::size_t length_max = 80;
  std::string result;
  for (char c : text.substr(0, length_max)) result += c >= 0x20 && c < 0x7f ? c : '?';
  if (text.size() > length_max) result += "...";
  return result;
}

std::optional<std::size_t> index_of(std::string_view name) {
  bool canonical = name == "0" || (!name.empty() && name[0] != '0');
  if (!canonical || !std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  std::size_t index = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
  if (error != std::errc()) return std::string::npos;  // beyond any limit
  return index;
}

}  // namespace

/// Grows a tree of parameters within the limits; both formats are read through it.
class ParameterTree {
 public:
  explicit ParameterTree(const ParameterLimits& limits) : limits_(limits) {}

  static Parameter container(Parameter::Kind kind, std::string name, std::string path) {
    return Parameter(kind, std::move(name), std::move(path));
  }

  static Parameter scalar(std::string name, std::string path, std::string text, Parameter::Written written) {
    Parameter parameter(Parameter::Kind::text, std::move(name), std::move(path));
    parameter.text_ = std::move(text);
    parameter.written_ = written;
    return parameter;
  }

  static std::vector<Parameter>& children(Parameter& parameter) { return parameter.children_; }

  static Parameter* find(Parameter& map, std::string_view name) { return const_cast<Parameter*>(map.find(name)); }

  /// Counts a scalar or an empty container.
  std::optional<Failure> count() {
    if (++count_ <= limits_.count_max) return std::nullopt;
    return invalid("More than " + std::to_string(limits_.count_max) + " parameters were given.");
  }

  /// Tests a name that is about to stand `depth` levels below the root.
  std::optional<Failure> refuse_depth(std::size_t depth, const std::string& path) const {
    if (depth <= limits_.depth_max) return std::nullopt;
    return invalid("Parameters may be nested " + std::to_string(limits_.depth_max) + " levels deep.", path);
  }

  static std::optional<Failure> refuse_text(std::string_view text, const std::string& path) {
    if (text.find('\0') != std::string_view::npos) return invalid("The parameter contains a NUL character.", path);
    if (!is_utf8(text)) return invalid("The parameter is not valid UTF-8.", path);
    return std::nullopt;
  }

  /// Makes lists of the maps that are lists, from the leaves up; the root and what is below a free map stay.
  std::optional<Failure> settle(Parameter& parameter, bool is_root) const {
    if (std::ranges::find(limits_.free_maps, parameter.name_) != limits_.free_maps.end()) return std::nullopt;
    for (Parameter& child : parameter.children_)
      if (std::optional<Failure> failure = settle(child, false)) return failure;
    if (is_root || parameter.kind_ != Parameter::Kind::map || parameter.children_.empty()) return std::nullopt;
    bool all_indexes = true;
    for (const Parameter& child : parameter.children_) {
      std::optional<std::size_t> index = index_of(child.name_);
      if (index && *index > limits_.index_max)
        return invalid("An index may be " + std::to_string(limits_.index_max) + " at most.", child.path_);
      all_indexes = all_indexes && index;
    }
    if (!all_indexes) return std::nullopt;
    parameter.kind_ = Parameter::Kind::list;
    std::ranges::sort(parameter.children_, {}, [](const Parameter& child) { return *index_of(child.name_); });
    return std::nullopt;
  }

 private:
  const ParameterLimits& limits_;
  std::size_t count_ = 0;
};

namespace {

using Kind = Parameter::Kind;
using Written = Parameter::Written;

// "items[0][plan]" -> "items", "0", "plan". An empty segment stands for "the next element".
std::optional<std::vector<std::string_view>> segments_of(std::string_view name) {
  std::vector<std::string_view> segments;
  std::size_t bracket = name.find_first_of("[]");
  segments.push_back(name.substr(0, bracket));
  if (segments[0].empty()) return std::nullopt;
  name.remove_prefix(std::min(bracket, name.size()));
  while (!name.empty()) {
    std::size_t end = name.find_first_of("[]", 1);
    if (name[0] != '[' || end == std::string_view::npos || name[end] != ']') return std::nullopt;
    segments.push_back(name.substr(1, end - 1));
    name.remove_prefix(end + 1);
  }
  return segments;
}

// Whether `rest` can still be put into `map` without meeting a value that is there already.
bool has_room(Parameter& map, std::span<const std::string_view> rest) {
  Parameter* node = &map;
  for (std::string_view segment : rest) {
    if (segment.empty() || node->kind() != Kind::map) return true;
    node = ParameterTree::find(*node, segment);
    if (!node) return true;
  }
  return false;
}

class FormReader {
 public:
  explicit FormReader(const ParameterLimits& limits) : tree_(limits) {}

  Result<Parameters> read(std::string_view text) {
    while (!text.empty()) {
      std::size_t end = std::min(text.find('&'), text.size());
      std::string_view pair = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (pair.empty()) continue;
      if (std::optional<Failure> failure = read_pair(pair)) return *std::move(failure);
    }
    if (std::optional<Failure> failure = tree_.settle(root_, true)) return *std::move(failure);
    return std::move(root_);
  }

 private:
  std::optional<Failure> read_pair(std::string_view pair) {
    std::size_t equals = std::min(pair.find('='), pair.size());
    std::optional<std::string> name = percent_decoded(pair.substr(0, equals), Plus::is_space);
    if (!name) return invalid("A parameter's name has a malformed percent encoding.", shown(pair.substr(0, equals)));
    std::string_view raw_value = equals == pair.size() ? std::string_view{} : pair.substr(equals + 1);
    std::optional<std::string> value = percent_decoded(raw_value, Plus::is_space);
    if (!value) return invalid("The parameter has a malformed percent encoding.", shown(*name));
    if (ParameterTree::refuse_text(*name, {}))
      return invalid("A parameter's name is not valid UTF-8 text.", shown(*name));
    if (std::optional<Failure> failure = ParameterTree::refuse_text(*value, *name)) return failure;
    if (std::optional<Failure> failure = tree_.count()) return failure;
    std::optional<std::vector<std::string_view>> segments = segments_of(*name);
    if (!segments) return invalid("The brackets of the parameter's name are malformed.", shown(*name));
    if (std::optional<Failure> failure = tree_.refuse_depth(segments->size(), shown(*name))) return failure;
    return insert(*segments, std::move(*value));
  }

  std::optional<Failure> insert(std::span<const std::string_view> segments, std::string value) {
    Parameter* node = &root_;
    while (segments.size() > 1) {
      std::string_view segment = segments.front();
      segments = segments.subspan(1);
      Kind wanted = segments.front().empty() ? Kind::list : Kind::map;
      auto& children = ParameterTree::children(*node);
      Parameter* next = nullptr;
      std::string name(segment);
      if (segment.empty()) {
        bool last_has_room =
            !children.empty() && wanted == Kind::map && children.back().is_map() && has_room(children.back(), segments);
        if (last_has_room) next = &children.back();
        name = std::to_string(children.size());
      } else {
        next = ParameterTree::find(*node, segment);
      }
      if (!next) {
        std::string path = path_below(node->path(), name);
        children.push_back(ParameterTree::container(wanted, std::move(name), std::move(path)));
        next = &children.back();
      }
      if (next->kind() != wanted) return conflict(*next);
      node = next;
    }
    auto& children = ParameterTree::children(*node);
    std::string name = segments.front().empty() ? std::to_string(children.size()) : std::string(segments.front());
    if (!segments.front().empty()) {
      Parameter* known = ParameterTree::find(*node, name);
      if (known && known->is_text()) return invalid("The parameter is given twice.", known->path());
      if (known) return conflict(*known);
    }
    std::string path = path_below(node->path(), name);
    children.push_back(ParameterTree::scalar(std::move(name), std::move(path), std::move(value), Written::text));
    return std::nullopt;
  }

  static std::optional<Failure> conflict(const Parameter& parameter) {
    return invalid("The parameter is given in two ways that contradict each other (value, list or map).",
                   parameter.path());
  }

  ParameterTree tree_;
  Parameters root_{Kind::map, {}, {}};
};

// What Boost.JSON calls while it reads. A handler that returns false has set failure_ or met a syntax error.
class JsonHandler {
 public:
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  explicit JsonHandler(const ParameterLimits& limits) : tree_(limits) {}

  Result<Parameters> take() {
    if (std::optional<Failure> failure = tree_.settle(root_, true)) return *std::move(failure);
    return std::move(root_);
  }

  const std::optional<Failure>& failure() const { return failure_; }

  /// Where reading had come to, for messages about syntax.
  std::string path() const { return open_.empty() ? std::string() : open_.back().path(); }

  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }

  bool on_object_begin(json::error_code& ec) { return begin(Kind::map, ec); }
  bool on_array_begin(json::error_code& ec) { return begin(Kind::list, ec); }
  bool on_object_end(std::size_t, json::error_code& ec) { return end(ec); }
  bool on_array_end(std::size_t, json::error_code& ec) { return end(ec); }

  bool on_key_part(json::string_view part, std::size_t, json::error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, std::size_t, json::error_code& ec) {
    text_.append(part.data(), part.size());
    key_ = std::exchange(text_, {});
    std::string path = path_below(open_.back().path(), key_);
    if (std::optional<Failure> failure = ParameterTree::refuse_text(key_, shown(path))) return refuse(*failure, ec);
    if (open_.back().find(key_)) return refuse(invalid("The parameter is given twice.", std::move(path)), ec);
    return true;
  }

  bool on_string_part(json::string_view part, std::size_t, json::error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_string(json::string_view part, std::size_t, json::error_code& ec) {
    text_.append(part.data(), part.size());
    return scalar(std::exchange(text_, {}), Written::text, ec);
  }

  bool on_number_part(json::string_view part, json::error_code&) {
    text_.append(part.data(), part.size());
    return true;
  }
  bool on_int64(std::int64_t value, json::string_view, json::error_code& ec) {
    text_.clear();
    return scalar(std::to_string(value), Written::integer, ec);
  }
  bool on_uint64(std::uint64_t value, json::string_view, json::error_code& ec) {
    text_.clear();
    return scalar(std::to_string(value), Written::integer, ec);
  }
  bool on_double(double, json::string_view part, json::error_code& ec) {
    text_.append(part.data(), part.size());
    return scalar(std::exchange(text_, {}), Written::decimal, ec);
  }

  bool on_bool(bool value, json::error_code& ec) { return scalar(value ? "true" : "false", Written::boolean, ec); }
  bool on_null(json::error_code& ec) { return scalar({}, Written::null, ec); }

  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

 private:
  bool refuse(Failure failure, json::error_code& ec) {
    failure_ = std::move(failure);
    ec = json::error::syntax;
    return false;
  }

  // The name of the value that comes next: the key just read, or the index in a list.
  std::string next_name() {
    Parameter& parent = open_.back();
    return parent.is_map() ? std::exchange(key_, {}) : std::to_string(parent.children().size());
  }

  bool begin(Kind kind, json::error_code& ec) {
    if (open_.empty()) {
      if (kind != Kind::map) return refuse(invalid("The body must be a JSON object."), ec);
      open_.push_back(ParameterTree::container(kind, {}, {}));
      return true;
    }
    std::string name = next_name();
    std::string path = path_below(open_.back().path(), name);
    // open_ holds the root and the containers above: its size is the depth of the new one.
    if (std::optional<Failure> failure = tree_.refuse_depth(open_.size(), path)) return refuse(*failure, ec);
    open_.push_back(ParameterTree::container(kind, std::move(name), std::move(path)));
    return true;
  }

  bool end(json::error_code& ec) {
    Parameter done = std::move(open_.back());
    open_.pop_back();
    if (open_.empty()) {
      root_ = std::move(done);
      return true;
    }
    if (done.children().empty())
      if (std::optional<Failure> failure = tree_.count()) return refuse(*failure, ec);
    ParameterTree::children(open_.back()).push_back(std::move(done));
    return true;
  }

  bool scalar(std::string text, Written written, json::error_code& ec) {
    if (open_.empty()) return refuse(invalid("The body must be a JSON object."), ec);
    std::string name = next_name();
    std::string path = path_below(open_.back().path(), name);
    if (std::optional<Failure> failure = tree_.refuse_depth(open_.size(), path)) return refuse(*failure, ec);
    if (std::optional<Failure> failure = tree_.count()) return refuse(*failure, ec);
    if (std::optional<Failure> failure = ParameterTree::refuse_text(text, path)) return refuse(*failure, ec);
    auto& siblings = ParameterTree::children(open_.back());
    siblings.push_back(ParameterTree::scalar(std::move(name), std::move(path), std::move(text), written));
    return true;
  }

  ParameterTree tree_;
  std::vector<Parameter> open_;
  std::string key_;
  std::string text_;
  Parameters root_{Kind::map, {}, {}};
  std::optional<Failure> failure_;
};

}  // namespace

Result<Parameters> parse_form(std::string_view text, const ParameterLimits& limits) {
  return FormReader(limits).read(text);
}

Result<Parameters> parse_json(std::string_view text, const ParameterLimits& limits) {
  if (text.find_first_not_of(" \t\r\n") == std::string_view::npos) return Parameters(Kind::map, {}, {});
  json::parse_options options;
  options.max_depth = limits.depth_max + 2;  // so that our own, more precise refusal comes first
  json::basic_parser<JsonHandler> parser(options, limits);
  json::error_code ec;
  std::size_t read = parser.write_some(false, text.data(), text.size(), ec);
  const std::optional<Failure>& failure = parser.handler().failure();
  if (failure) return *failure;
  if (ec) return invalid("The body is not valid JSON: " + ec.message() + ".", parser.handler().path());
  bool trailing = text.substr(read).find_first_not_of(" \t\r\n") != std::string_view::npos;
  if (trailing) return invalid("The body is not valid JSON: something follows the object.");
  return parser.handler().take();
}

Result<Parameters> parse_body(std::string_view content_type, std::string_view body, const ParameterLimits& limits) {
  std::string_view type = content_type.substr(0, content_type.find(';'));
  while (type.ends_with(' ')) type.remove_suffix(1);
  if (equals_ignoring_case(type, "application/json")) return parse_json(body, limits);
  if (type.empty() || equals_ignoring_case(type, "application/x-www-form-urlencoded")) return parse_form(body, limits);
  if (body.empty()) return Parameters(Kind::map, {}, {});
  return invalid("The Content-Type must be application/json or application/x-www-form-urlencoded.");
}

}  // namespace billd::http
