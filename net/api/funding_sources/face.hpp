// The funding sources face: what users pay with, in the wire format of the 2cloud API.
#pragma once

#include "net/api/described.hpp"
#include "net/api/funding_sources/problem.hpp"
#include "net/api/funding_sources/users.hpp"
#include "net/api/keyed_request.hpp"
#include "net/api/services.hpp"
#include "net/http/message.hpp"
#include "net/http/router.hpp"

namespace billd::api::funding_sources {

std::vector<ServedRoute> served_routes();

class Face {
 public:
  /// What the services refer to must outlive the face; the face must outlive its coroutines.
  explicit Face(FaceServices services);

  /// Answers every request, also those that it does not understand.
  awaitable<http::Response> handle(http::Request request);

 private:
  struct Caller;
  struct Call;
  awaitable<Answered<Caller>> authenticate(const http::Headers& headers);
  awaitable<Answered<http::Response>> answer(const http::Request& request);
  awaitable<Answered<http::Response>> perform(const Call& call);
  awaitable<Answered<User>> user_of(const Call& call);

  awaitable<Answered<http::Response>> create_user(const Call& call);
  awaitable<Answered<http::Response>> answer_user(const Call& call, User user);
  awaitable<Answered<http::Response>> create(const Call& call, User user);
  awaitable<Answered<http::Response>> answer_source(const Call& call, User user);
  awaitable<Answered<http::Response>> update(const Call& call, Account account, SourceId source);

  FaceServices services_;
  Users users_;
  http::Router router_;
  KeysInUse keys_in_use_;
};

/// The error of the server itself.
http::Response render_error(int status, std::string_view message);

}  // namespace billd::api::funding_sources
