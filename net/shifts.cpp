#include "net/shifts.hpp"

#include <boost/asio/post.hpp>

namespace billd {

asio::execution_context::id Shifts::id;

void Shifts::add(std::unique_ptr<Work> work) {
  waiting_.push_back(std::move(work));
  if (waiting_.size() == 1) post();
}

void Shifts::post() {
  asio::post(executor_, [this] { run(); });
}

void Shifts::run() {
  /// Also when a piece of work throws: what waits behind it has its turn.
  struct Continuation {
    ~Continuation() {
      shifts.waiting_.pop_front();
      if (!shifts.waiting_.empty()) shifts.post();
    }
    Shifts& shifts;
  };
  const Continuation continuation{*this};
  const auto until = SteadyClock::now() + shift_max;
  // The first one stays in the line while it is done, so that add() does not post another shift.
  for (;;) {
    const std::unique_ptr<Work> work = std::move(waiting_.front());
    work->run();
    if (waiting_.size() == 1 || SteadyClock::now() >= until) return;
    waiting_.pop_front();
  }
}

}  // namespace billd
