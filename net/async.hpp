// The few asynchronous tools that all of billd shares: awaitable, nothrow, Tasks, within.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <chrono>
#include <exception>
#include <list>
#include <memory>
#include <optional>
#include <string>

namespace billd {

namespace asio = boost::asio;

/// billd runs on one thread and one io_context(1); naming its executor's type spares every operation an indirection.
using Executor = asio::io_context::executor_type;

template <class T = void>
using awaitable = asio::awaitable<T, Executor>;

/// Errors of Asio's operations as values: `auto [ec, n] = co_await socket.async_read_some(buffer, nothrow);`
inline constexpr auto nothrow = asio::as_tuple(asio::deferred);

using SteadyClock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;
using Timer = asio::basic_waitable_timer<SteadyClock, asio::wait_traits<SteadyClock>, Executor>;

/// Waits; false when the wait was cancelled.
awaitable<bool> sleep_for(Milliseconds duration);

/// The running coroutines of one owner. What escapes one of them is logged with its name and ends only that one.
///
/// Life cycle: spawn, then cancel() and `co_await idle(limit)`; destroying Tasks while coroutines run is a defect
/// unless the io_context itself is being destroyed. To be used from the loop's thread only.
class Tasks {
 public:
  explicit Tasks(Executor executor) : executor_(executor), changed_(executor) {}
  Tasks(const Tasks&) = delete;
  Tasks& operator=(const Tasks&) = delete;

  /// Runs `work` at once, up to its first wait, and counts it until it ends. `name` goes into the log if it throws.
  void spawn(std::string name, awaitable<> work);

  /// Asks every coroutine that is running now to stop: its current wait ends with operation_aborted.
  void cancel();

  /// Waits until none runs; false when `limit` passed first (they go on).
  awaitable<bool> idle(Milliseconds limit);

  std::size_t running() const { return running_.size(); }

 private:
  struct Running {
    std::string name;
    std::shared_ptr<asio::cancellation_signal> cancel = std::make_shared<asio::cancellation_signal>();
  };
  struct End;

  void finish(std::list<Running>::iterator task, std::exception_ptr failure);

  Executor executor_;
  Timer changed_;
  std::list<Running> running_;
};

/// Runs `work` for at most `limit`. Empty when the time was up: the work has been cancelled and unwound by then.
template <class T>
awaitable<std::optional<T>> within(Milliseconds limit, awaitable<T> work) {
  Executor executor = co_await asio::this_coro::executor;
  Timer deadline(executor, limit);
  std::optional<T> result;
  auto keep = [&]() -> awaitable<> { result = co_await std::move(work); };
  auto race = asio::experimental::make_parallel_group(asio::co_spawn(executor, keep(), asio::deferred),
                                                      deadline.async_wait(asio::deferred));
  auto [order, failure, ec] = co_await race.async_wait(asio::experimental::wait_for_one(), asio::deferred);
  if (order[0] != 0) co_return std::nullopt;  // what the work made of its cancellation is no result
  if (failure) std::rethrow_exception(failure);
  co_return result;
}

}  // namespace billd
