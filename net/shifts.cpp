#include "net/shifts.hpp"

#include <boost/asio/post.hpp>

namespace billd {

asio::execution_context::id Shifts::id;

void Shifts::add(std::unique_ptr<Work> work) {
  Line& line = work->haste_ == Haste::prompt ? prompt_ : patient_;
  line.push_back(std::move(work));
  if (!is_posted_) post();
}

void Shifts::post() {
  is_posted_ = true;
  asio::post(executor_, [this] { run(); });
}

void Shifts::run() {
  /// Also when a piece of work throws: what waits behind it has its turn.
  struct Continuation {
    ~Continuation() {
      present_haste = Haste::prompt;
      shifts.is_posted_ = false;
      if (!shifts.prompt_.empty() || !shifts.patient_.empty()) shifts.post();
    }
    Shifts& shifts;
  };
  const Continuation continuation{*this};
  const auto began = SteadyClock::now();
  work_off(prompt_, began + shift_max / 2);
  present_haste = Haste::patient;
  work_off(patient_, began + shift_max);
}

/// One piece at least, if there is any.
void Shifts::work_off(Line& line, SteadyClock::time_point until) {
  while (!line.empty()) {
    const std::unique_ptr<Work> work = std::move(line.front());
    line.pop_front();
    work->run();
    if (SteadyClock::now() >= until) return;
  }
}

}  // namespace billd
