// Users: customers with a user name, and the secrets by which they are known.
//
// A user name is a unique value (net/store/unique.hpp) whose holder is the account's key and the secret's hash. It is
// an account's as long as both say so: the value names the account, and its customer shows the name. While an existing
// customer becomes a user, the value ends with a mark that fits no secret; it goes when the customer shows the name and
// nobody took the name over in between.
#pragma once

#include <optional>
#include <string>

#include "net/api/authorization.hpp"
#include "net/api/funding_sources/problem.hpp"
#include "net/api/funding_sources/source.hpp"
#include "net/api/services.hpp"

namespace billd::api::funding_sources {

struct User {
  Account account;
  std::string holder;  ///< of the name, as it is stored
  std::string secret_hash;
};

class Users {
 public:
  explicit Users(FaceServices services) : services_(services) {}

  /// not_found for a name that nobody has; the case of its letters does not count.
  awaitable<Result<User>> find(Mode mode, std::string name);
  /// The user whose name and secret these are; empty: nobody. The secret says the mode.
  awaitable<Result<std::optional<User>>> authenticate(BasicCredentials credentials);

  struct Created {
    Account account;
    std::string secret;  ///< nobody can tell it again
  };
  /// A new customer, or an existing one who becomes a user.
  awaitable<Answered<Created>> create(Mode mode, UserFields fields);
  /// Replaces the secret; the old one is good no more.
  awaitable<Answered<Created>> rotate_secret(Mode mode, std::string name);
  awaitable<Answered<Account>> update(Mode mode, const User& user, UserFields fields);
  /// Deletes the customer, which ends the subscriptions, and gives the name up.
  awaitable<Answered<void>> remove(Mode mode, const User& user);

 private:
  awaitable<Answered<Created>> create_customer(Mode mode, const UserFields& fields);
  awaitable<Answered<Created>> name_customer(Mode mode, const UserFields& fields);
  /// How a name is held, and by whom.
  struct Holding {
    std::string holder;
    std::optional<Account> account;  ///< none: nobody holds it, or its account has not been created
  };
  awaitable<Result<Holding>> look_up(Mode mode, store::Unique unique);
  /// Takes the name if it is no user's.
  awaitable<Answered<void>> take_name(Mode mode, std::string name, std::string wanted);

  FaceServices services_;
};

}  // namespace billd::api::funding_sources
