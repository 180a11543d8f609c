#include "net/redis/subscriber.hpp"

#include <spdlog/spdlog.h>

namespace billd::redis {

Subscriber::Subscriber(Executor executor, Address address, ClientSettings settings, std::vector<std::string> channels,
                       Callbacks callbacks)
    : executor_(executor),
      address_(std::move(address)),
      settings_(settings),
      channels_(std::move(channels)),
      callbacks_(std::move(callbacks)),
      tasks_(executor) {}

void Subscriber::start() { tasks_.spawn("redis: subscriptions at " + address_.text(), run()); }

awaitable<> Subscriber::stop() {
  stopping_ = true;
  tasks_.cancel();
  co_await tasks_.idle(settings_.reply_timeout);
  subscribed_ = false;
  connection_.reset();
}

awaitable<> Subscriber::run() {
  Backoff backoff(settings_.backoff_min, settings_.backoff_max);
  while (true) {
    Failure end = co_await use_one_connection();
    connection_.reset();
    if (stopping_) co_return;
    if (std::exchange(subscribed_, false)) backoff.reset();
    if (problem_ != end.detail) spdlog::warn("subscriptions: {}", end.detail);
    problem_ = std::move(end.detail);
    co_await sleep_for(backoff.next());
  }
}

awaitable<Failure> Subscriber::use_one_connection() {
  const ConnectionLimits limits{settings_.connect_timeout, settings_.reply_timeout};
  auto opened = co_await Connection::open(address_, limits, traffic_);
  if (!opened) co_return opened.error();
  connection_ = std::move(*opened);
  connection_->subscribe(
      channels_,
      [this] {
        subscribed_ = true;
        if (callbacks_.on_subscribed) callbacks_.on_subscribed();
      },
      [this](std::string_view channel, std::string_view payload) { callbacks_.on_message(channel, payload); });
  // The confirmation is a reply like any other: without it in time, the connection is of no use.
  auto ended = co_await within(settings_.reply_timeout, connection_->closed());
  if (!ended && !subscribed_) co_return Failure{Errc::unavailable, "the subscription is not confirmed in time"};
  if (ended) co_return *ended;
  Failure end = co_await connection_->closed();
  co_return end;
}

}  // namespace billd::redis
