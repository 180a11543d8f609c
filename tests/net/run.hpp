// Runs a coroutine to its end in a test.
#pragma once

#include <exception>
#include <optional>
#include <stdexcept>

#include "net/async.hpp"

namespace billd {

/// Runs the loop until `work` has ended; what it throws is thrown here. Throws when it has not ended within a minute.
/// Other coroutines on the loop go on at the next call.
inline void run(asio::io_context& loop, awaitable<> work) {
  std::exception_ptr failure;
  bool ended = false;
  asio::co_spawn(loop.get_executor(), std::move(work), [&](std::exception_ptr escaped) {
    failure = escaped;
    ended = true;
  });
  const auto until = SteadyClock::now() + std::chrono::minutes(1);
  loop.restart();
  while (!ended && !loop.stopped() && SteadyClock::now() < until) loop.run_one_for(std::chrono::seconds(1));
  if (!ended) throw std::runtime_error("the coroutine did not end within a minute");
  if (failure) std::rethrow_exception(failure);
}

template <class T>
awaitable<> keep(awaitable<T> work, std::optional<T>& result) {
  result.emplace(co_await std::move(work));
}

/// The same, and returns its result.
template <class T>
T run(asio::io_context& loop, awaitable<T> work) {
  std::optional<T> result;
  run(loop, keep(std::move(work), result));
  return std::move(*result);
}

/// Runs the loop until `condition` holds, which is looked at after every handler; false when it does not within a
/// minute, or when nothing is left to do.
template <class Condition>
bool run_until(asio::io_context& loop, Condition condition) {
  const auto until = SteadyClock::now() + std::chrono::minutes(1);
  loop.restart();
  while (!condition() && !loop.stopped() && SteadyClock::now() < until) loop.run_one_for(std::chrono::seconds(1));
  return condition();
}

}  // namespace billd
