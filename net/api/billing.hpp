// What the API faces ask of billing, and how they answer; jobs/executor.hpp carries it out.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "engine/command.hpp"
#include "engine/rules.hpp"
#include "engine/transition.hpp"
#include "net/async.hpp"
#include "net/store/store.hpp"

namespace billd::api {

/// An answer as it is sent and, with an Idempotency-Key, saved: the same bytes for every repetition.
struct Answer {
  int status = 200;
  std::string body;

  bool operator==(const Answer&) const = default;
};

/// Where the request came from: for its events, its log lines and its idempotency.
struct Origin {
  std::string request_id;
  std::string idempotency_key;                ///< empty: none
  std::optional<Milliseconds> key_life = {};  ///< how long the answer is kept under it; empty: as is set for all
};

/// Makes the answer out of the account after the command and after the charges that it made. Called before the last
/// commit, so that the answer is saved with its effect; must not wait. A charge whose outcome is not known yet is seen
/// as unresolved in the account.
using Renderer = std::function<Answer(const Transition&)>;

struct Execution {
  Mode mode = Mode::test;
  AccountKey account;
  Command command;
  Renderer render;
  Origin origin;
  /// A value of the account's partition that must be held with the command's commit, which fails with already_exists
  /// when it is not; see net/store/unique.hpp.
  std::optional<store::HeldUnique> held = std::nullopt;
};

class Billing {
 public:
  virtual ~Billing() = default;

  /// Carries a command out: loads, decides, commits, makes the charges that it calls for and records their outcomes,
  /// then answers. Conflicts with other writers are resolved inside. With an idempotency key that has an answer
  /// already, that answer is returned with `repeated`; one whose first request is still under way fails with
  /// idempotency_in_progress. Failures of decide() come back as they are and nothing has changed.
  struct Executed {
    Answer answer;
    bool repeated = false;
  };
  virtual awaitable<Result<Executed>> execute(Execution execution) = 0;

  /// The time in which the account lives: its test clock's, or real time.
  virtual Timestamp now() const = 0;

  /// By which billing decides, for previews.
  virtual const Rules& rules() const = 0;
};

}  // namespace billd::api
