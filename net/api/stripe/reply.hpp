// How operations answer: from what is stored, or with a command's result.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "net/api/stripe/expand.hpp"
#include "net/api/stripe/presenter.hpp"

namespace billd::api::stripe {

/// An answer in the making, for operations that read. What is loaded into `known` may be shown by `present`.
class Reply {
 public:
  Reply(Services& services, const Call& call) : present(document, call.mode, known), services_(services), call_(call) {
    known.look_into(services.catalog, services.billing.now());
  }
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;

  /// Expands what the call wants expanded, in the words of the call's version.
  awaitable<Result<Outcome>> answer(Object& object);

  Known known;
  Document document;
  Presenter present;

 private:
  Services& services_;
  const Call& call_;
};

/// What a command's result looks like: an object, or an answer of another kind (a declined payment).
using Shown = std::variant<Object*, Answer>;
using Show = std::function<Shown(Presenter& present, const Transition& after)>;

/// A command, and how its result is told.
struct Task {
  AccountKey account;
  Command command;
  Show show;
  /// What the answer needs beside the account after the command: plans, records that are to be expanded.
  std::shared_ptr<Known> known = std::make_shared<Known>();
};

/// Has the command carried out, with the call's idempotency key if it has one.
awaitable<Result<Outcome>> carry_out(Services& services, const Call& call, Task task);

/// The same without the key, for a step on the way to the command that has it.
awaitable<Result<Outcome>> carry_out_step(Services& services, const Call& call, Task task);

/// Loads what the expanded answer will need, as far as the state before the command tells.
awaitable<Result<void>> foresee(Services& services, const Call& call, Known& known, Kind kind, std::string id);

/// The same for an object that does not exist yet: what it can name that is outside the account.
awaitable<Result<void>> foresee_new(Services& services, const Call& call, Known& known, TestClockId test_clock);

}  // namespace billd::api::stripe
