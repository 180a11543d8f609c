// The routing table: which handler answers a method and a path, and what stands in the path's variable segments.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/http/message.hpp"

namespace billd::http {

/// Built once at start-up, then matched without allocating. Handlers are indexes into a table of the caller's.
///
/// A pattern is "/v1/customers/{customer}/sources/{id}": a segment in braces matches any one non-empty segment. Words
/// go before variables ("/invoices/upcoming" before "/invoices/{id}"). One slash at the end of a path is ignored. HEAD
/// is answered by the route of GET unless it has its own.
class Router {
 public:
  static constexpr std::size_t segments_max = 16;
  static constexpr std::size_t parameters_max = 8;

  struct Route {
    std::size_t handler;
    std::vector<std::string> names;  // of the variable segments, from left to right
  };

  enum class Outcome { found, path_unknown, method_not_allowed, malformed };

  /// Refers to the matched path: use it while the request lives.
  class Match {
   public:
    /// `malformed` when the route was found but a variable segment is not valid percent-encoded UTF-8 or has a NUL.
    Outcome outcome = Outcome::path_unknown;

    /// Of the route that was found.
    std::size_t handler() const { return route_->handler; }

    /// The percent-decoded segment of that name; ends the process when the pattern has no such name.
    std::string parameter(std::string_view name) const;

    /// For the Allow field: what the path would answer, such as "GET, HEAD, POST".
    std::string allow() const;

   private:
    friend class Router;
    const Route* route_ = nullptr;
    std::array<std::string_view, parameters_max> raw_{};
    std::uint32_t allowed_ = 0;  // one bit for each Method
  };

  Router();

  /// Adds a route. A malformed pattern or a second route for the same method and path ends the process: the table is
  /// part of the program.
  void add(Method method, std::string_view pattern, std::size_t handler);

  /// Finds the route; `path` is percent-encoded and has no query.
  Match match(Method method, std::string_view path) const;

 private:
  struct Node {
    std::vector<std::pair<std::string, std::size_t>> words;  // sorted; to the index of the child
    std::size_t variable = 0;                                // index of the child; 0 is the root, thus none
    std::array<std::size_t, 8> routes{};                     // index + 1 into routes_, for each Method
  };
  struct Segments {
    std::array<std::string_view, segments_max> text;
    std::size_t size = 0;
  };

  static bool split(std::string_view path, Segments& segments);
  std::size_t child(std::size_t node, std::string_view word) const;
  bool descend(std::size_t node, const Segments& segments, std::size_t depth, std::size_t variables, Method method,
               Match& match) const;

  std::vector<Node> nodes_;
  std::vector<Route> routes_;
};

}  // namespace billd::http
