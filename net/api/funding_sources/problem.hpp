// Errors of the funding sources API.
#pragma once

#include <boost/system/result.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "engine/result.hpp"
#include "net/http/message.hpp"

namespace billd::api::funding_sources {

/// One entry of an error's list. `field` and `item` only where they apply.
struct Problem {
  int status = 500;
  std::string_view code = "ACT_OF_GOD";
  std::string_view field = {};
  std::optional<std::size_t> item = std::nullopt;  ///< which of the sources, from 0
  std::string message = "An unknown error occurred.";
};
[[noreturn]] void throw_exception_from_error(const Problem& problem, const boost::source_location& location);

template <class T>
using Answered = boost::system::result<T, Problem>;

Problem missing(std::string_view field, std::optional<std::size_t> item = std::nullopt);
Problem invalid_format(std::string_view field, std::string message, std::optional<std::size_t> item = std::nullopt);
Problem invalid_value(std::string_view field, std::string message, std::optional<std::size_t> item = std::nullopt);
Problem too_short(std::string_view field, std::string message, std::optional<std::size_t> item = std::nullopt);
Problem too_long(std::string_view field, std::string message, std::optional<std::size_t> item = std::nullopt);
Problem not_found(std::string_view field);
Problem in_use(std::string_view field, std::string message);
Problem access_denied();
Problem unauthorized(std::string_view code, std::string message);

/// How a failure of billing is told; those of billd itself are logged.
Problem problem_of(const Failure& failure);
/// The same of the claim of an Idempotency-Key.
Problem problem_of_key(const Failure& failure);

/// {"code":…,"msg":…,"errors":[…]} as errors/json.
http::Response render(const Problem& problem);

}  // namespace billd::api::funding_sources
