#include "net/api/stripe/reply.hpp"

#include "net/api/stripe/errors.hpp"

namespace billd::api::stripe {
namespace {

/// Called by billing, inside the commit: from here on nothing may wait.
Answer render(const Transition& after, const Known& foreseen, const Show& show, Mode mode, const Version& version,
              Shape answers, const std::vector<ExpandPath>& paths) {
  Known known = foreseen;
  known.see(after.account);
  for (const Record& record : after.settled) known.put(record);
  Document document;
  Presenter present(document, mode, known);
  Shown shown = show(present, after);
  if (auto* answer = std::get_if<Answer>(&shown)) return std::move(*answer);
  Object& object = *std::get<Object*>(shown);
  expand_known(present, object, answers, paths);
  apply(version, document, object);
  return {200, to_json(object)};
}

awaitable<Result<Outcome>> execute(Services& services, const Call& call, Task task, Origin origin) {
  task.known->look_into(services.catalog, services.billing.now());
  Execution execution;
  execution.mode = call.mode;
  execution.account = std::move(task.account);
  execution.command = std::move(task.command);
  execution.origin = std::move(origin);
  execution.render = [known = std::move(task.known), show = std::move(task.show), mode = call.mode,
                      version = call.version, answers = call.answers, paths = call.expand](const Transition& after) {
    return render(after, *known, show, mode, version, answers, paths);
  };
  co_return co_await services.billing.execute(std::move(execution));
}

}  // namespace

awaitable<Result<Outcome>> Reply::answer(Object& object) {
  if (!call_.expand.empty()) {
    auto expanded = co_await expand(services_, call_.mode, known, present, object, call_.answers, call_.expand);
    if (!expanded) co_return expanded.error();
  }
  apply(call_.version, document, object);
  Outcome outcome;
  outcome.answer.body = to_json(object);
  co_return outcome;
}

awaitable<Result<Outcome>> carry_out(Services& services, const Call& call, Task task) {
  return execute(services, call, std::move(task), call.origin);
}

awaitable<Result<Outcome>> carry_out_step(Services& services, const Call& call, Task task) {
  Origin origin = call.origin;
  origin.idempotency_key.clear();
  return execute(services, call, std::move(task), std::move(origin));
}

awaitable<Result<void>> foresee(Services& services, const Call& call, Known& known, Kind kind, std::string id) {
  if (call.expand.empty()) co_return Result<void>();
  Document document;
  Presenter present(document, call.mode, known);
  Object* before = present.find(kind, id);
  if (before == nullptr) co_return Result<void>();
  co_return co_await expand(services, call.mode, known, present, *before, call.answers, call.expand);
}

awaitable<Result<void>> foresee_new(Services& services, const Call& call, Known& known, TestClockId test_clock) {
  if (call.expand.empty() || test_clock.is_empty()) co_return Result<void>();
  std::vector<Named> wanted(1, Named{Kind::test_clock, test_clock.value()});
  co_return co_await load(services, call.mode, known, std::move(wanted));
}

}  // namespace billd::api::stripe
