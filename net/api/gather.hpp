// Many operations side by side, so that their commands to Redis share round trips.
#pragma once

#include <boost/asio/experimental/parallel_group.hpp>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "net/async.hpp"

namespace billd::api {

/// Runs all of `work` at once and waits for all of it; the results are in the order of the work. What one of them
/// throws is thrown when all have ended. Cancelling the wait cancels them all.
template <class T>
awaitable<std::vector<T>> gather(std::vector<awaitable<T>> work) {
  std::vector<T> results;
  if (work.empty()) co_return results;
  Executor executor = co_await asio::this_coro::executor;
  std::vector<std::optional<T>> slots(work.size());
  auto keep = [&slots](std::size_t index, awaitable<T> one) -> awaitable<> { slots[index] = co_await std::move(one); };
  using Operation = decltype(asio::co_spawn(executor, keep(0, std::move(work[0])), asio::deferred));
  std::vector<Operation> operations;
  operations.reserve(work.size());
  for (std::size_t index = 0; index < work.size(); ++index)
    operations.push_back(asio::co_spawn(executor, keep(index, std::move(work[index])), asio::deferred));
  auto group = asio::experimental::make_parallel_group(std::move(operations));
  auto [order, failures] = co_await group.async_wait(asio::experimental::wait_for_all(), asio::deferred);
  for (const std::exception_ptr& failure : failures)
    if (failure) std::rethrow_exception(failure);
  results.reserve(slots.size());
  for (std::optional<T>& slot : slots) results.push_back(std::move(*slot));
  co_return results;
}

}  // namespace billd::api
