// What another system calls objects that were brought along from it: identifiers that programs have stored and go on
// using, and which of billd's each of them stands for.
//
// The key of such an account is a hash of what the other system calls the customer: however often bringing it along is
// begun, and wherever it was broken off, it leads to the same account, and the customer's own identifier needs no
// directory. From the other identifiers a directory leads to the account; what its objects are called lies beside the
// account and was written with its first commit. Neither is ever changed.
//
// Everything inside billd knows its own identifiers only: they are put in where a request comes in, and replaced where
// an answer or a webhook goes out.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "net/async.hpp"
#include "net/redis/client.hpp"
#include "net/store/store.hpp"

namespace billd::store {

struct Alias {
  std::string native;   ///< as billd calls it: a prefix and 24 characters, of an adopted account
  std::string foreign;  ///< as the other system does; see is_foreign()

  bool operator==(const Alias&) const = default;
};

/// The account of a customer whom another system calls so.
AccountKey adopted_key(Mode mode, std::string_view customer);
/// Of an adopted account's key.
Mode mode_of_adopted(const AccountKey& key);

/// Whether the text can be another system's identifier for something in an account: a prefix of such a kind, characters
/// of [A-Za-z0-9_], at most 255 in all, and none of billd's own identifiers.
bool is_foreign(std::string_view text);

/// REQUIRES: each native one is the account's, of a kind that can have an alias, and each foreign one is_foreign().
std::string encode_aliases(const AccountKey& key, const std::vector<Alias>& aliases);
Result<std::vector<Alias>> decode_aliases(const AccountKey& key, std::string_view bytes);

/// Whether the text names an object of an adopted account, which may have an alias.
bool names_adopted(std::string_view text);

/// Of how much the latest is remembered: at least so many, at most twice as many.
struct AliasLimits {
  std::size_t customers = 10'000;    ///< and what their objects are called, about 1 kB each
  std::size_t identifiers = 20'000;  ///< and to whom they lead, about 200 bytes each
};

/// Finds aliases, of which the latest are remembered.
class Aliases {
 public:
  explicit Aliases(Store& store) : store_(store) {}
  Aliases(const Aliases&) = delete;
  Aliases& operator=(const Aliases&) = delete;

  /// Before anything was looked up.
  void limit(const AliasLimits& limits) {
    of_accounts_ = Remembered<OfAccount>(limits.customers);
    accounts_ = Remembered<AccountKey>(limits.identifiers);
  }

  /// Each of the texts, or what billd calls the object when it is an alias.
  awaitable<Result<std::vector<std::string>>> to_native(Mode mode, std::vector<std::string> texts);
  /// The same for a single text of which the mode is not known: live goes before test.
  awaitable<Result<std::string>> to_native(std::string text);

  /// The text with aliases in the place of billd's identifiers that have one.
  awaitable<Result<std::string>> to_foreign(std::string text);

  /// Makes the foreign identifiers lead to the account, which need not exist yet; repeatable. already_exists when one
  /// of them leads to another account.
  awaitable<Result<void>> lead_to(Mode mode, AccountKey key, std::vector<Alias> aliases);

  /// What objects of the account are called elsewhere; none for an account that does not exist.
  using OfAccount = std::shared_ptr<const std::vector<Alias>>;
  awaitable<Result<OfAccount>> of_account(AccountKey key);

  /// The key of the hash in which the foreign identifier leads to its account.
  std::string directory_of(Mode mode, std::string_view foreign) const;

 private:
  /// The latest of what never changes: at least `size` of them, at most twice as many.
  template <class Value>
  class Remembered {
   public:
    explicit Remembered(std::size_t size) : size_(size) {}

    const Value* find(const std::string& name) {
      if (const auto at = young_.find(name); at != young_.end()) return &at->second;
      const auto at = old_.find(name);
      if (at == old_.end()) return nullptr;
      Value value = std::move(at->second);
      old_.erase(at);
      return &put(name, std::move(value));
    }
    const Value& put(const std::string& name, Value value) {
      if (young_.size() >= size_) {
        old_ = std::move(young_);
        young_.clear();
      }
      return young_.insert_or_assign(name, std::move(value)).first->second;
    }

   private:
    std::size_t size_;
    std::unordered_map<std::string, Value> young_, old_;
  };

  awaitable<Result<std::vector<AccountKey>>> accounts_of(Mode mode, const std::vector<std::string>& texts);
  awaitable<Result<std::vector<OfAccount>>> load(std::vector<AccountKey> keys);

  Store& store_;
  Remembered<OfAccount> of_accounts_{AliasLimits().customers};
  Remembered<AccountKey> accounts_{AliasLimits().identifiers};  ///< by the mode's letter and the foreign identifier
};

}  // namespace billd::store
