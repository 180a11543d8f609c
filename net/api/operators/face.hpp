// The operators' face: /status, /healthz and /readyz on a listener of their own.
#pragma once

#include "net/api/operators/view.hpp"
#include "net/async.hpp"
#include "net/http/message.hpp"

namespace billd::api::operators {

/// GET /status tells all of Status as JSON. GET /healthz is 200 while the loop turns. GET /readyz is 200 when the
/// daemon can serve, else 503 with the reason. Whoever reaches the listener may ask.
class Face {
 public:
  /// The view must outlive the face.
  explicit Face(const View& view) : view_(view) {}

  /// Never waits.
  awaitable<http::Response> handle(http::Request request) const;

 private:
  http::Response answer(const http::Request& request) const;

  const View& view_;
};

}  // namespace billd::api::operators
