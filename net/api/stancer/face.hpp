// The Stancer face: customers in the wire format of Stancer's API.
#pragma once

#include "net/api/described.hpp"
#include "net/api/keyed_request.hpp"
#include "net/api/services.hpp"
#include "net/http/message.hpp"
#include "net/http/router.hpp"

namespace billd::api::stancer {

std::vector<ServedRoute> served_routes();

class Face {
 public:
  /// What the services refer to must outlive the face; the face must outlive its coroutines.
  explicit Face(FaceServices services);

  /// Answers every request, also those that it does not understand.
  awaitable<http::Response> handle(http::Request request);

 private:
  awaitable<Result<http::Response>> answer(Mode mode, const http::Request& request, KeyedRequest& keyed);
  awaitable<Result<http::Response>> create(Mode mode, const http::Request& request, KeyedRequest& keyed);
  awaitable<Result<http::Response>> update(Mode mode, Account account, const http::Request& request,
                                           KeyedRequest& keyed);
  awaitable<Result<http::Response>> remove(Mode mode, Account account);
  awaitable<Result<std::string>> find_likeness(Mode mode, const CreateCustomer& wanted);

  FaceServices services_;
  http::Router router_;
  KeysInUse keys_in_use_;
};

/// {"error":{"type":…,"message":…}} with that status, also for the server's own answers.
http::Response render_error(int status, std::string_view message);

}  // namespace billd::api::stancer
