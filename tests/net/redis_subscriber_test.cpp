// Subscriptions against a real redis-server which comes and goes.
#include "net/redis/subscriber.hpp"

#include <gtest/gtest.h>

#include "tests/net/redis_server.hpp"
#include "tests/net/run.hpp"

namespace billd::redis {
namespace {

struct Listener {
  std::vector<std::pair<std::string, std::string>> messages;
  int subscriptions = 0;

  Subscriber::Callbacks callbacks() {
    return {[this](std::string_view channel, std::string_view payload) { messages.emplace_back(channel, payload); },
            [this] { subscriptions += 1; }};
  }
};

ClientSettings quick() {
  ClientSettings settings;
  settings.backoff_min = Milliseconds(5);
  settings.backoff_max = Milliseconds(50);
  return settings;
}

TEST(Subscriber, ReceivesTheMessagesOfItsChannelsAndAgainAfterRedisWasKilled) {
  RedisServer server;
  asio::io_context loop{1};
  Client client(loop.get_executor(), server.address(), quick());
  client.start();
  Listener listener;
  Subscriber subscriber(loop.get_executor(), server.address(), quick(), {"catalog", "clocks"}, listener.callbacks());
  subscriber.start();
  ASSERT_TRUE(run_until(loop, [&] { return listener.subscriptions == 1; }));
  EXPECT_TRUE(subscriber.is_subscribed());

  const std::string bytes("a\0b", 3);
  for (const char* channel : {"catalog", "clocks", "others"})
    EXPECT_TRUE(run(loop, client.execute(Command("PUBLISH", channel, bytes))));
  ASSERT_TRUE(run_until(loop, [&] { return listener.messages.size() == 2; }));
  EXPECT_EQ(listener.messages[0], std::pair(std::string("catalog"), bytes));
  EXPECT_EQ(listener.messages[1], std::pair(std::string("clocks"), bytes));

  server.kill();
  ASSERT_TRUE(run_until(loop, [&] { return !subscriber.is_subscribed(); }));
  server.start();
  ASSERT_TRUE(run_until(loop, [&] { return listener.subscriptions == 2; }));
  ASSERT_TRUE(run(loop, client.ready(Milliseconds(10000))));
  EXPECT_TRUE(run(loop, client.execute(Command("PUBLISH", "clocks", "again"))));
  ASSERT_TRUE(run_until(loop, [&] { return listener.messages.size() == 3; }));
  EXPECT_EQ(listener.messages[2].second, "again");

  run(loop, subscriber.stop());
  run(loop, client.stop());
}

TEST(Subscriber, TakesThousandsOfMessagesInTheirOrder) {
  RedisServer server;
  asio::io_context loop{1};
  Client client(loop.get_executor(), server.address(), quick());
  client.start();
  Listener listener;
  Subscriber subscriber(loop.get_executor(), server.address(), quick(), {"catalog"}, listener.callbacks());
  subscriber.start();
  ASSERT_TRUE(run_until(loop, [&] { return subscriber.is_subscribed(); }));
  std::vector<Command> commands;
  for (int i = 0; i < 5000; ++i) commands.emplace_back("PUBLISH", "catalog", i);
  run(loop, client.execute_all(std::move(commands)));
  ASSERT_TRUE(run_until(loop, [&] { return listener.messages.size() == 5000; }));
  for (std::size_t i = 0; i < 5000; ++i) EXPECT_EQ(listener.messages[i].second, std::to_string(i));
  run(loop, subscriber.stop());
  run(loop, client.stop());
}

TEST(Subscriber, SaysWhatKeepsItFromSubscribing) {
  RedisServer server({"user billd on >secret resetchannels ~* +@all", "user default off"});
  Address address = server.address();
  address.username = "billd";
  address.password = "secret";
  asio::io_context loop{1};
  Listener listener;
  Subscriber subscriber(loop.get_executor(), address, quick(), {"catalog"}, listener.callbacks());
  subscriber.start();
  ASSERT_TRUE(run_until(loop, [&] { return !subscriber.problem().empty(); }));
  EXPECT_NE(subscriber.problem().find("NOPERM"), std::string::npos) << subscriber.problem();
  run(loop, subscriber.stop());
}

}  // namespace
}  // namespace billd::redis
