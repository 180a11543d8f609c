#include "jobs/turns.hpp"

namespace billd::jobs {

/// A place in the line. It lives in the frame of the waiting coroutine and leaves the line with it.
struct Turns::Waiter {
  Waiter(Executor executor, std::shared_ptr<Lines> all_lines, AccountName account)
      : wake(executor, SteadyClock::time_point::max()), lines(std::move(all_lines)), name(std::move(account)) {
    Line& line = (*lines)[name];
    previous = line.last;
    (previous != nullptr ? previous->next : line.first) = this;
    line.last = this;
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;
  ~Waiter() {
    if (called) {
      if (lines != nullptr) pass_on(*lines, name);  // called, but did not live to take its turn
      return;
    }
    Line& line = (*lines)[name];
    (previous != nullptr ? previous->next : line.first) = next;
    (next != nullptr ? next->previous : line.last) = previous;
  }

  Timer wake;
  std::shared_ptr<Lines> lines;
  AccountName name;
  Waiter* previous = nullptr;
  Waiter* next = nullptr;
  bool called = false;
};

std::optional<Turns::Turn> Turns::try_take(const AccountName& name) {
  const bool nobody = lines_->try_emplace(name).second;
  if (!nobody) return std::nullopt;
  return Turn(lines_, name);
}

awaitable<Turns::Turn> Turns::take(AccountName name) {
  if (auto turn = try_take(name)) co_return std::move(*turn);
  Waiter waiter(executor_, lines_, std::move(name));
  while (!waiter.called) {
    // Woken by the turn, or by a cancellation, after which the next wait throws.
    [[maybe_unused]] auto [woken] = co_await waiter.wake.async_wait(nothrow);
  }
  co_return Turn(std::move(waiter.lines), waiter.name);
}

void Turns::pass_on(Lines& lines, const AccountName& name) {
  const auto line = lines.find(name);
  Waiter* next = line->second.first;
  if (next == nullptr) {
    lines.erase(line);
    return;
  }
  line->second.first = next->next;
  (next->next != nullptr ? next->next->previous : line->second.last) = nullptr;
  next->called = true;
  next->wake.cancel();
}

}  // namespace billd::jobs
