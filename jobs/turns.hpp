// Whose turn it is with an account: within this process, what concerns one account is done one after the other.
#pragma once

#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

#include "engine/account.hpp"
#include "net/async.hpp"

namespace billd::jobs {

/// An account in its mode.
struct AccountName {
  Mode mode = Mode::test;
  AccountKey key;

  bool operator==(const AccountName&) const = default;
};

struct AccountNameHash {
  std::size_t operator()(const AccountName& name) const {
    return fnv1a(name.key.value()) ^ static_cast<std::size_t>(name.mode);
  }
};

/// First come, first served, for each account apart. An account that nobody is at costs nothing.
///
/// A turn ends with the Turn's destruction, also when the coroutine that holds it is cancelled or destroyed. To be used
/// from the loop's thread.
class Turns {
  struct Waiter;
  struct Line {
    Waiter* first = nullptr;
    Waiter* last = nullptr;
  };
  /// Shared with the turns, which may outlive Turns when the loop is destroyed with coroutines in it.
  using Lines = std::unordered_map<AccountName, Line, AccountNameHash>;

 public:
  class Turn {
   public:
    Turn(Turn&& other) noexcept : lines_(std::move(other.lines_)), name_(std::move(other.name_)) {}
    Turn& operator=(Turn&&) = delete;
    ~Turn() {
      if (lines_ != nullptr) pass_on(*lines_, name_);
    }

   private:
    friend class Turns;
    Turn(std::shared_ptr<Lines> lines, AccountName name) : lines_(std::move(lines)), name_(std::move(name)) {}

    std::shared_ptr<Lines> lines_;
    AccountName name_;
  };

  explicit Turns(Executor executor) : executor_(executor), lines_(std::make_shared<Lines>()) {}

  /// The turn, if nobody is at the account.
  std::optional<Turn> try_take(const AccountName& name);

  /// Waits for the turn behind all who came earlier.
  awaitable<Turn> take(AccountName name);

  /// How many accounts somebody is at.
  std::size_t size() const { return lines_->size(); }

 private:
  static void pass_on(Lines& lines, const AccountName& name);

  Executor executor_;
  std::shared_ptr<Lines> lines_;
};

}  // namespace billd::jobs
