// A coroutine that waits for replies, and how it is resumed: by the loop, never inside hiredis.
#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/post.hpp>
#include <memory>
#include <span>
#include <vector>

#include "net/async.hpp"
#include "net/redis/reply.hpp"

namespace billd::redis {

/// A suspended coroutine, which is resumed once or, when it is destroyed first, never.
class Resumption {
 public:
  Resumption() = default;
  template <class Handler>
  explicit Resumption(Handler handler) : held_(std::make_unique<Holder<Handler>>(std::move(handler))) {}

  explicit operator bool() const { return held_ != nullptr; }
  void operator()() { std::exchange(held_, nullptr)->resume(); }

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
  std::unique_ptr<Held> held_;
};

/// Commands whose replies are awaited together. It lives in the frame of the coroutine that waits, and that frame is
/// alive until `resume` is called or destroyed: whoever holds a pointer to the batch drops it before doing either.
struct Batch {
  Batch(std::span<const Command> to_send, std::span<Result<Reply>> to_fill) : commands(to_send), results(to_fill) {}
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  /// To be called by the coroutine once it is resumed: a later cancellation is about something else. It is not left to
  /// a destructor, for a frame that is destroyed without being resumed may outlive what would have cancelled it.
  void leave() {
    if (cancellation.is_connected()) cancellation.clear();
  }

  bool all_sent() const { return sent == commands.size(); }
  bool all_answered() const { return answered == commands.size(); }

  /// Replies come in the order of the commands.
  void answer(Result<Reply> result) { results[answered++] = std::move(result); }

  std::span<const Command> commands;
  std::span<Result<Reply>> results;
  std::size_t sent = 0;
  std::size_t answered = 0;
  SteadyClock::time_point queued_at;
  Resumption resume;
  asio::cancellation_slot cancellation;
};

/// Resumes coroutines from a turn of the loop of its own, all that are due in one go.
class Resumer : public std::enable_shared_from_this<Resumer> {
 public:
  explicit Resumer(Executor executor) : executor_(executor) {}

  void resume(Batch& batch) {
    due_.push_back(std::move(batch.resume));
    if (due_.size() > 1) return;
    asio::post(executor_, [self = shared_from_this()] { self->run(); });
  }

 private:
  void run() {
    std::vector<Resumption> due;
    due.swap(due_);
    for (Resumption& resumption : due) resumption();
    due.clear();
    if (due_.empty()) due_.swap(due);  // keeps the memory for the next turn
  }

  Executor executor_;
  std::vector<Resumption> due_;
};

/// Awaits the replies of `batch`, which goes to `service.submit`; a cancellation of the waiting goes to
/// `service.abandon`. Both must see to it that the batch is resumed, in a later turn of the loop.
template <class Service>
auto replies_of(Service& service, Batch& batch) {
  auto begin = [](auto handler, Service* to, Batch* what) {
    what->cancellation = asio::get_associated_cancellation_slot(handler);
    if (what->cancellation.is_connected())
      what->cancellation.assign([to, what](asio::cancellation_type) {
        if (what->resume) to->abandon(*what);  // else it is about to be resumed, and the service may be gone
      });
    what->queued_at = SteadyClock::now();
    what->resume = Resumption(std::move(handler));
    to->submit(*what);
  };
  return asio::async_initiate<const asio::deferred_t&, void()>(begin, asio::deferred, &service, &batch);
}

}  // namespace billd::redis
