// The Stripe face: answers HTTP requests in the wire format of Stripe's API.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "net/api/stripe/idempotent.hpp"
#include "net/api/stripe/services.hpp"
#include "net/http/message.hpp"
#include "net/http/router.hpp"

namespace billd::api::stripe {

class Face {
 public:
  /// What the services refer to must outlive the face; the face must outlive its coroutines.
  explicit Face(Services services);
  Face(const Face&) = delete;
  Face& operator=(const Face&) = delete;

  /// Answers every request, also those that it does not understand. Cancelled, it leaves nothing half done: what
  /// billing has begun, billing finishes, and a repetition with the same Idempotency-Key gets its answer.
  awaitable<http::Response> handle(http::Request request);

 private:
  awaitable<Result<Outcome>> perform(Call& call, const Route& route, std::string& original_request);
  Result<Call> read(const http::Request& request, const http::Router::Match& match, std::size_t route) const;

  Services services_;
  http::Router router_;
  std::vector<std::vector<std::string_view>> variables_;  ///< of each route's path, from left to right
  KeysInUse keys_in_use_;
};

}  // namespace billd::api::stripe
