// The Management face: customers in the wire format of the UniPay Management API, JSON and XML alike.
#pragma once

#include "net/api/described.hpp"
#include "net/api/keyed_request.hpp"
#include "net/api/management/codes.hpp"
#include "net/api/management/customer.hpp"
#include "net/api/services.hpp"
#include "net/http/message.hpp"
#include "net/http/router.hpp"

namespace billd::api::management {

std::vector<ServedRoute> served_routes();

class Face {
 public:
  /// What the services refer to must outlive the face; the face must outlive its coroutines.
  explicit Face(FaceServices services);

  /// Answers every request, also those that it does not understand.
  awaitable<http::Response> handle(http::Request request);

 private:
  struct Call;
  awaitable<Answered<http::Response>> answer(const Call& call);
  awaitable<Answered<http::Response>> create(const Call& call);
  awaitable<Answered<http::Response>> find(const Call& call);
  awaitable<Answered<http::Response>> modify(const Call& call, Account account);
  awaitable<Answered<http::Response>> find_subscriptions(const Call& call, Account account);
  awaitable<Answered<http::Response>> find_payment_options(const Call& call, Account account);
  awaitable<Answered<Account>> load(const Call& call);
  awaitable<Answered<void>> take_code(const Call& call, const Errand& errand, store::Unique code);

  FaceServices services_;
  http::Router router_;
  KeysInUse keys_in_use_;
};

/// The failure in the format of that media type.
http::Response render_refusal(const Refusal& refusal, std::string_view media_type);

}  // namespace billd::api::management
