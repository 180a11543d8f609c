#include "net/async.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/system/system_error.hpp>
#include <exception>
#include <vector>

namespace billd {

awaitable<bool> sleep_for(Milliseconds duration) {
  Executor executor = co_await asio::this_coro::executor;
  Timer timer(executor, duration);
  auto [ec] = co_await timer.async_wait(nothrow);
  co_return !ec;
}

/// What ends a task, with the slot that its cancellation goes to. A lambda in bind_cancellation_slot would do the same,
/// but then Boost 1.81 posts a pointer to the signal, which may be gone when it arrives.
struct Tasks::End {
  using cancellation_slot_type = asio::cancellation_slot;
  cancellation_slot_type get_cancellation_slot() const noexcept { return task->cancel->slot(); }

  void operator()(std::exception_ptr failure) { tasks->finish(task, failure); }

  Tasks* tasks;
  std::list<Running>::iterator task;
};

void Tasks::spawn(std::string name, awaitable<> work) {
  auto task = running_.emplace(running_.end());
  task->name = std::move(name);
  asio::co_spawn(executor_, std::move(work), End{this, task});
}

void Tasks::finish(std::list<Running>::iterator task, std::exception_ptr failure) {
  if (failure) {
    try {
      std::rethrow_exception(failure);
    } catch (const boost::system::system_error& error) {
      if (error.code() != asio::error::operation_aborted) spdlog::error("task {} failed: {}", task->name, error.what());
    } catch (const std::exception& error) {
      spdlog::error("task {} failed: {}", task->name, error.what());
    }
  }
  // This runs inside of the coroutine, whose frame still refers to the signal until it is gone.
  asio::post(executor_, [held = std::move(task->cancel)] {});
  running_.erase(task);
  if (running_.empty()) changed_.cancel();
}

void Tasks::cancel() {
  // Ending one task may end others at once; the signal of one that has ended does nothing.
  std::vector<std::shared_ptr<asio::cancellation_signal>> signals;
  for (const Running& task : running_) signals.push_back(task.cancel);
  for (const auto& signal : signals) signal->emit(asio::cancellation_type::terminal);
}

awaitable<bool> Tasks::idle(Milliseconds limit) {
  changed_.expires_after(limit);
  while (!running_.empty()) {
    auto [ec] = co_await changed_.async_wait(nothrow);
    if (!ec) co_return running_.empty();
  }
  co_return true;
}

}  // namespace billd
