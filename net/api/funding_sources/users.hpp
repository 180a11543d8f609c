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
#include "net/api/keyed_request.hpp"
#include "net/api/services.hpp"

namespace billd::api::funding_sources {

struct User {
  Account account;
  std::string holder;  ///< of the name, as it is stored
  std::string secret_hash;
};

/// How a change is told: under which key, and out of the account after it.
struct Telling {
  KeyedRequest& keyed;
  ShowErrand show;
};

class Users {
 public:
  explicit Users(FaceServices services) : services_(services) {}

  /// not_found for a name that nobody has; the case of its letters does not count.
  awaitable<Result<User>> find(Mode mode, std::string name);
  /// The user whose name and secret these are; empty: nobody. The secret says the mode.
  awaitable<Result<std::optional<User>>> authenticate(BasicCredentials credentials);

  /// A new secret. Of a request with a key always the same one, so that the answer can be given again though only the
  /// secret's hash is kept; who has the key alone cannot make it.
  std::string secret_for(Mode mode, const KeyedRequest& keyed) const;
  /// A new customer, or an existing one who becomes a user, with that secret.
  awaitable<Answered<http::Response>> create(Mode mode, UserFields fields, std::string secret, Telling telling);
  /// Replaces the secret; the old one is good no more.
  awaitable<Answered<http::Response>> rotate_secret(Mode mode, const User& user, std::string secret, Telling telling);
  awaitable<Answered<http::Response>> update(Mode mode, const User& user, UserFields fields, Telling telling);
  /// Deletes the customer, which ends the subscriptions, and gives the name up.
  awaitable<Answered<void>> remove(Mode mode, const User& user);

 private:
  awaitable<Answered<http::Response>> create_customer(Mode mode, const UserFields& fields, const std::string& secret,
                                                      Telling telling);
  awaitable<Answered<http::Response>> name_customer(Mode mode, const UserFields& fields, const std::string& secret,
                                                    Telling telling);
  awaitable<Result<Account>> customer_to_name(Mode mode, const std::string& id);
  /// The last step of naming a customer.
  struct Confirmation {
    store::Unique name;
    std::string seen;    ///< how the name is held by now
    std::string holder;  ///< and shall be
  };
  awaitable<Answered<http::Response>> confirm(Mode mode, Confirmation confirmation, const Account& account,
                                              Telling telling);
  /// Answers with the account, and saves the answer where there is a key.
  awaitable<Answered<http::Response>> tell(const Account& account, Telling telling);
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
