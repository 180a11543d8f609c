// What the faces work with.
#pragma once

#include "config/settings.hpp"
#include "net/api/billing.hpp"
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

/// A command of a face that answers with the account as it is afterwards.
struct Errand {
  Mode mode = Mode::test;
  AccountKey account;
  Command command;
  std::optional<store::HeldUnique> held = std::nullopt;  ///< see Execution
};
struct Done {
  Account account;
  std::string subject;  ///< what the command made or changed
};
awaitable<Result<Done>> carry_out(FaceServices services, Errand errand);

/// The account of the customer whose identifier has that body ("cus_" + body, "cust_" + body); not_found also for what
/// is no identifier, and for a customer who was deleted.
awaitable<Result<Account>> load_customer(FaceServices services, Mode mode, std::string body);

/// Refuses text that holds what looks like a card number or a secret key; empty: it does not.
std::string_view secret_in(std::string_view text);

}  // namespace billd::api
