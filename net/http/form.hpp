// Request parameters as one tree, whether they came as a form, as a query or as JSON.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.hpp"

namespace billd::http {

struct ParameterLimits {
  std::size_t depth_max = 5;    // "a" has depth 1, "a[b]" and {"a":{"b":1}} depth 2
  std::size_t count_max = 200;  // scalars and empty containers
  std::size_t index_max = 100;  // of a list given as "a[7]=x"
  /// Maps whose keys are the caller's own words: digits in them are names, not indexes.
  std::vector<std::string> free_maps = {"metadata"};
};

/// One parameter and what is below it. A map whose keys are all indexes ("items[0]", "items[1]") is a list in the order
/// of its indexes, unless it is a free map. All text is valid UTF-8 without NUL.
class Parameter {
 public:
  enum class Kind { text, list, map };

  /// How a scalar was written. A form knows text only, so that integer 12 and "12" are the same text: compare this only
  /// where the difference matters. A number with a fraction or an exponent keeps its text and is a decimal.
  enum class Written { text, integer, decimal, boolean, null };

  Parameter(Kind kind, std::string name, std::string path)
      : kind_(kind), name_(std::move(name)), path_(std::move(path)) {}

  Kind kind() const { return kind_; }
  bool is_text() const { return kind_ == Kind::text; }
  bool is_list() const { return kind_ == Kind::list; }
  bool is_map() const { return kind_ == Kind::map; }

  /// The last part of the path, "plan"; an index for a list's element.
  const std::string& name() const { return name_; }

  /// As an error message names it: "items[0][plan]". Empty for the root.
  const std::string& path() const { return path_; }

  /// The scalar; "true" and "false" for booleans, empty for null and for containers.
  const std::string& text() const { return text_; }
  Written written() const { return written_; }

  /// Of a list or map, in the order in which they were given (a list of indexes: in their order).
  const std::vector<Parameter>& children() const { return children_; }
  std::vector<Parameter>& children() { return children_; }

  /// Gives a text another value. REQUIRES: is_text().
  void set_text(std::string text) { text_ = std::move(text); }

  /// The child of a map; null when there is none.
  const Parameter* find(std::string_view name) const;

  /// Same structure, names and text; how scalars were written and the order of a map's keys do not count.
  bool operator==(const Parameter& other) const;

 private:
  friend class ParameterTree;
  Kind kind_;
  Written written_ = Written::text;
  std::string name_;
  std::string path_;
  std::string text_;
  std::vector<Parameter> children_;
};

/// The root of the tree: a map with an empty path.
using Parameters = Parameter;

/// Reads application/x-www-form-urlencoded, also query strings: "a[b]=1", "a[]=x", "items[0][plan]=p". Names are
/// decoded first and then taken apart at their brackets, as Rack does. Refused with invalid_parameter, naming the
/// parameter: what exceeds a limit, bad encoding, unbalanced brackets, a name given twice, a name given as a value and
/// as a container.
Result<Parameters> parse_form(std::string_view text, const ParameterLimits& limits = {});

/// Reads a JSON object; an empty text is an empty object. Refuses the same things, and keys given twice.
Result<Parameters> parse_json(std::string_view text, const ParameterLimits& limits = {});

/// Reads a request body by its Content-Type: JSON or form, and form when none is given. Others are refused.
Result<Parameters> parse_body(std::string_view content_type, std::string_view body, const ParameterLimits& limits = {});

}  // namespace billd::http
