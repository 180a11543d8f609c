// A value that one coroutine waits for and somebody else provides.
#pragma once

#include <boost/asio/post.hpp>
#include <memory>
#include <optional>
#include <utility>

#include "net/async.hpp"

namespace billd {

/// Lives in the frame of the coroutine that waits. provide() resumes it in a turn of the loop of its own, so that the
/// provider goes on undisturbed; the waiting cannot be cancelled. Whoever holds a pointer to it drops it with
/// provide().
template <class T>
class OneShot {
 public:
  explicit OneShot(Executor executor) : executor_(executor) {}
  OneShot(const OneShot&) = delete;
  OneShot& operator=(const OneShot&) = delete;

  void provide(T value) {
    value_.emplace(std::move(value));
    if (waiting_) asio::post(executor_, [held = std::exchange(waiting_, nullptr)] { held->resume(); });
  }

  /// `co_await shot.provided();`, then take().
  auto provided() {
    auto begin = [](auto handler, OneShot* shot) {
      if (shot->value_)
        asio::post(shot->executor_, std::move(handler));
      else
        shot->waiting_ = std::make_shared<Holder<decltype(handler)>>(std::move(handler));
    };
    return asio::async_initiate<const asio::deferred_t&, void()>(begin, asio::deferred, this);
  }

  T take() { return std::move(*value_); }

 private:
  struct Held {
    virtual ~Held() = default;
    virtual void resume() = 0;
  };
  template <class Handler>
  struct Holder final : Held {
    explicit Holder(Handler to_hold) : handler(std::move(to_hold)) {}
    void resume() override { std::move(handler)(); }
    Handler handler;
  };
  Executor executor_;
  std::optional<T> value_;
  std::shared_ptr<Held> waiting_;
};

}  // namespace billd
