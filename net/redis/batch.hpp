// A coroutine that waits for replies.
#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <memory>
#include <span>
#include <vector>

#include "net/redis/reply.hpp"
#include "net/shifts.hpp"

namespace billd::redis {

/// Commands whose replies are awaited together. It lives in the frame of the coroutine that waits, and that frame is
/// alive until `resumption` is run or destroyed: whoever holds a pointer to the batch drops it with `resume`.
struct Batch {
  Batch(std::span<Command> to_send, std::span<Result<Reply>> to_fill) : commands(to_send), results(to_fill) {}
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;

  /// To be called by the coroutine once it is resumed: a later cancellation is about something else. It is not left to
  /// a destructor, for a frame that is destroyed without being resumed may outlive what would have cancelled it.
  void leave() {
    if (cancellation.is_connected()) cancellation.clear();
  }

  bool all_sent() const { return sent == commands.size(); }
  bool all_answered() const { return answered == commands.size(); }

  /// In a later turn of the loop, never inside hiredis.
  void resume(Executor executor) { Shifts::of(executor).add(std::move(resumption)); }

  /// Replies come in the order of the commands.
  void answer(Result<Reply> result) { results[answered++] = std::move(result); }

  std::span<Command> commands;
  std::span<Result<Reply>> results;
  std::size_t sent = 0;
  std::size_t answered = 0;
  SteadyClock::time_point queued_at;
  std::unique_ptr<Shifts::Work> resumption;
  asio::cancellation_slot cancellation;
};

/// Awaits the replies of `batch`, which goes to `service.submit`; a cancellation of the waiting goes to
/// `service.abandon`. Both must see to it that the batch is resumed, in a later turn of the loop.
template <class Service>
auto replies_of(Service& service, Batch& batch) {
  auto begin = [](auto handler, Service* to, Batch* what) {
    what->cancellation = asio::get_associated_cancellation_slot(handler);
    if (what->cancellation.is_connected())
      what->cancellation.assign([to, what](asio::cancellation_type) {
        if (what->resumption) to->abandon(*what);  // else it is about to be resumed, and the service may be gone
      });
    what->queued_at = SteadyClock::now();
    what->resumption = Shifts::work(std::move(handler));
    to->submit(*what);
  };
  return asio::async_initiate<const asio::deferred_t&, void()>(begin, asio::deferred, &service, &batch);
}

}  // namespace billd::redis
