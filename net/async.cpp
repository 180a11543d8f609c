#include "net/async.hpp"

#include <spdlog/spdlog.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/error.hpp>
#include <boost/system/system_error.hpp>
#include <exception>

namespace billd {

awaitable<bool> sleep_for(Milliseconds duration) {
  Executor executor = co_await asio::this_coro::executor;
  Timer timer(executor, duration);
  auto [ec] = co_await timer.async_wait(nothrow);
  co_return !ec;
}

void Tasks::spawn(std::string name, awaitable<> work) {
  auto entry = running_.emplace(running_.end());
  entry->name = std::move(name);
  auto ended = [this, entry](std::exception_ptr failure) {
    if (failure) {
      try {
        std::rethrow_exception(failure);
      } catch (const boost::system::system_error& error) {
        if (error.code() != asio::error::operation_aborted)
          spdlog::error("task {} failed: {}", entry->name, error.what());
      } catch (const std::exception& error) {
        spdlog::error("task {} failed: {}", entry->name, error.what());
      }
    }
    running_.erase(entry);
    if (running_.empty()) changed_.cancel();
  };
  asio::co_spawn(executor_, std::move(work), asio::bind_cancellation_slot(entry->cancel.slot(), std::move(ended)));
}

void Tasks::cancel() {
  // Emitting may end a task, which removes it from the list: step on first.
  for (auto entry = running_.begin(); entry != running_.end();) {
    auto current = entry++;
    current->cancel.emit(asio::cancellation_type::terminal);
  }
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
