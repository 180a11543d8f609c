// What the faces work with.
#pragma once

#include <functional>

#include "config/settings.hpp"
#include "net/api/billing.hpp"
#include "net/http/message.hpp"
#include "net/store/catalog.hpp"
#include "net/store/store.hpp"

namespace billd::api {

/// All of them outlive the faces and their coroutines.
struct FaceServices {
  Billing& billing;
  store::Store& store;
  store::Catalog& catalog;
  const Settings& settings;
};

/// How an errand is answered, out of the account after it. Called inside billing: it must not wait.
using ShowErrand = std::function<http::Response(const Account&)>;

/// A command of a face. With a key its answer is saved in the commit of its effect.
struct Errand {
  Mode mode = Mode::test;
  AccountKey account;
  Command command;
  std::optional<store::HeldUnique> held = std::nullopt;  ///< see Execution
  std::string idempotency_key = {};                      ///< empty: none
  ShowErrand show = {};                                  ///< must be set with a key
};
struct Done {
  Account account;          ///< afterwards; without content when the answer is an earlier request's
  http::Response response;  ///< what `show` made, now or for an earlier request
};
awaitable<Result<Done>> carry_out(FaceServices services, Errand errand);

/// The account of the customer whose identifier has that body ("cus_" + body, "cust_" + body); not_found also for what
/// is no identifier, and for a customer who was deleted.
awaitable<Result<Account>> load_customer(FaceServices services, Mode mode, std::string body);

/// Refuses text that holds what looks like a card number or a secret key; empty: it does not.
std::string_view secret_in(std::string_view text);

}  // namespace billd::api
