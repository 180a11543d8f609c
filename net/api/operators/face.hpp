// The operators' face: the status page and its details, actions, metrics, health, on a listener of their own.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "net/api/operators/access.hpp"
#include "net/api/operators/control.hpp"
#include "net/api/operators/view.hpp"
#include "net/async.hpp"
#include "net/http/form.hpp"
#include "net/http/message.hpp"
#include "net/http/router.hpp"

namespace billd::api::operators {

/// What a route takes: nothing, or a token of that role where there are tokens.
enum class Needs : std::uint8_t { nothing, read, act };

/// A parameter of a route, for its description.
struct RouteParameter {
  std::string_view name, meaning;
  bool is_required = false;
};

class Face {
 public:
  struct Asked;
  struct Route {
    http::Method method;
    std::string_view pattern;
    Needs needs;
    std::string_view summary;
    std::span<const RouteParameter> parameters;  ///< of the query, or of the body of a POST
    awaitable<http::Response> (Face::*answer)(Asked asked) const;
  };
  static std::span<const Route> routes();

  /// All of it must outlive the face. `openapi` makes the document of everything that billd serves, once.
  Face(const View& view, Control& control, const Access& access, std::function<std::string()> openapi);

  /// Waits for Redis only where a page goes into details or something is done.
  awaitable<http::Response> handle(http::Request request) const;

 private:
  awaitable<http::Response> healthz(Asked asked) const;
  awaitable<http::Response> readyz(Asked asked) const;
  awaitable<http::Response> status(Asked asked) const;
  awaitable<http::Response> status_json(Asked asked) const;
  awaitable<http::Response> live(Asked asked) const;
  awaitable<http::Response> asset(Asked asked) const;
  awaitable<http::Response> queue(Asked asked) const;
  awaitable<http::Response> find_account(Asked asked) const;
  awaitable<http::Response> account(Asked asked) const;
  awaitable<http::Response> webhooks(Asked asked) const;
  awaitable<http::Response> webhook(Asked asked) const;
  awaitable<http::Response> audit(Asked asked) const;
  awaitable<http::Response> explain(Asked asked) const;
  awaitable<http::Response> confirm(Asked asked) const;
  awaitable<http::Response> act(Asked asked) const;
  awaitable<http::Response> metrics(Asked asked) const;
  awaitable<http::Response> openapi(Asked asked) const;

  awaitable<Result<Action>> read_action(const http::Parameters& given) const;
  awaitable<Result<AccountKey>> key_named(std::string id, std::string parameter) const;
  awaitable<Mode> mode_of(AccountKey key) const;

  const View& view_;
  Control& control_;
  const Access& access_;
  std::function<std::string()> make_openapi_;
  mutable std::string openapi_;
  http::Router router_;
};

}  // namespace billd::api::operators
