// A value that one coroutine waits for and somebody else provides.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "net/shifts.hpp"

namespace billd {

/// Lives in the frame of the coroutine that waits. provide() resumes it in a turn of the loop of its own, so that the
/// provider goes on undisturbed, and in a shift, so that others are heard although many are provided for at once; the
/// waiting cannot be cancelled. Whoever holds a pointer to it drops it with provide().
template <class T>
class OneShot {
 public:
  explicit OneShot(Executor executor) : executor_(executor) {}
  OneShot(const OneShot&) = delete;
  OneShot& operator=(const OneShot&) = delete;

  void provide(T value) {
    value_.emplace(std::move(value));
    if (waiting_) Shifts::of(executor_).add(std::move(waiting_));
  }

  /// `co_await shot.provided();`, then take().
  auto provided() {
    auto begin = [](auto handler, OneShot* shot) {
      auto resumption = Shifts::work(std::move(handler));
      if (shot->value_)
        Shifts::of(shot->executor_).add(std::move(resumption));
      else
        shot->waiting_ = std::move(resumption);
    };
    return asio::async_initiate<const asio::deferred_t&, void()>(begin, asio::deferred, this);
  }

  T take() { return std::move(*value_); }

 private:
  Executor executor_;
  std::optional<T> value_;
  std::unique_ptr<Shifts::Work> waiting_;
};

}  // namespace billd
