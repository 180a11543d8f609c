// Listens to channels of Redis on a connection of its own.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "net/async.hpp"
#include "net/redis/client.hpp"

namespace billd::redis {

/// Receives the messages of some channels, and subscribes again whenever the connection was lost. Messages are hints:
/// what was published while there was no connection never comes, so that `on_subscribed` must look for what it missed.
///
/// Life cycle: construct, start(), `co_await stop()`, destroy. The callbacks run in the loop, do not wait, and may do
/// anything but destroy the subscriber.
class Subscriber {
 public:
  struct Callbacks {
    std::function<void(std::string_view channel, std::string_view payload)> on_message;
    /// All channels are subscribed, for the first time or again.
    std::function<void()> on_subscribed;
  };

  Subscriber(Executor executor, Address address, ClientSettings settings, std::vector<std::string> channels,
             Callbacks callbacks);
  Subscriber(const Subscriber&) = delete;
  Subscriber& operator=(const Subscriber&) = delete;

  void start();
  awaitable<> stop();

  /// Whether messages come through now.
  bool is_subscribed() const { return subscribed_; }
  /// What ended the last connection, or keeps the next from being made.
  const std::string& problem() const { return problem_; }

 private:
  awaitable<> run();
  awaitable<Failure> use_one_connection();

  Executor executor_;
  Address address_;
  ClientSettings settings_;
  std::vector<std::string> channels_;
  Callbacks callbacks_;
  Traffic traffic_;
  std::unique_ptr<Connection> connection_;
  bool subscribed_ = false;
  bool stopping_ = false;
  std::string problem_;
  Tasks tasks_;
};

}  // namespace billd::redis
