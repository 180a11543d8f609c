// The client of Redis against a real redis-server which is slow, stopped, killed, and restarted.
#include "net/redis/client.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>

#include "tests/net/redis_server.hpp"
#include "tests/net/run.hpp"

namespace billd::redis {
namespace {

using testing::HasSubstr;

constexpr Milliseconds limit(10000);

ClientSettings quick() {
  ClientSettings settings;
  settings.connect_timeout = Milliseconds(1000);
  settings.reply_timeout = Milliseconds(10000);
  settings.backoff_min = Milliseconds(5);
  settings.backoff_max = Milliseconds(50);
  return settings;
}

class RedisClient : public testing::Test {
 protected:
  ~RedisClient() override {
    if (client_) run(loop_, client_->stop());
  }

  Client& client(Address address, ClientSettings settings = quick()) {
    client_ = std::make_unique<Client>(loop_.get_executor(), std::move(address), settings);
    return *client_;
  }

  /// A started client that is ready.
  Client& connected(const RedisServer& server, ClientSettings settings = quick()) {
    Client& ready = client(server.address(), settings);
    ready.start();
    EXPECT_TRUE(run(loop_, ready.ready(limit)));
    return ready;
  }

  Result<Reply> execute(Client& on, Command command) { return run(loop_, on.execute(std::move(command))); }

  asio::io_context loop_{1};
  std::unique_ptr<Client> client_;
};

TEST_F(RedisClient, CarriesBytesOfEveryKind) {
  RedisServer server;
  Client& redis = connected(server);
  std::string blob;
  for (int i = 0; i < 100000; ++i) blob.push_back(static_cast<char>(i % 256));
  const std::string key("key\0\r\n\xff", 7);
  EXPECT_EQ(execute(redis, Command("SET", key, blob))->text(), "OK");
  EXPECT_EQ(execute(redis, Command("GET", key))->text(), blob);
  EXPECT_EQ(execute(redis, Command("STRLEN", key))->integer(), 100000);
  EXPECT_TRUE(execute(redis, Command("GET", "none"))->is_nil());
  EXPECT_EQ(execute(redis, Command("GET", ""))->kind(), Reply::Kind::nil);
}

TEST_F(RedisClient, AnswersAPipelineInItsOrder) {
  RedisServer server;
  ClientSettings settings = quick();
  settings.in_flight_max = 7;  // more than one turn is needed
  Client& redis = connected(server, settings);
  std::vector<Command> commands;
  for (int i = 0; i < 100; ++i) {
    commands.emplace_back("INCR", "counter");
    commands.emplace_back("ECHO", i);
  }
  auto results = run(loop_, redis.execute_all(std::move(commands)));
  ASSERT_EQ(results.size(), 200u);
  for (std::size_t i = 0; i < 100; ++i) {
    EXPECT_EQ(results[2 * i]->integer(), static_cast<std::int64_t>(i + 1));
    EXPECT_EQ(results[2 * i + 1]->text(), std::to_string(i));
  }
  EXPECT_TRUE(run(loop_, redis.execute_all({})).empty());
}

TEST_F(RedisClient, KeepsAnErrorOfOneCommandOfAPipelineToThatCommand) {
  RedisServer server;
  Client& redis = connected(server);
  std::vector<Command> commands;
  commands.emplace_back("SET", "text", "x");
  commands.emplace_back("LPUSH", "text", "y");
  commands.emplace_back("GET", "text");
  auto results = run(loop_, redis.execute_all(std::move(commands)));
  EXPECT_TRUE(results[0]);
  EXPECT_EQ(results[1].error().code, Errc::corrupt);
  EXPECT_THAT(results[1].error().detail, testing::StartsWith("WRONGTYPE "));
  EXPECT_EQ(results[2]->text(), "x");
}

awaitable<> echo(Client& redis, int number, int& right) {
  for (int turn = 0; turn < 3; ++turn) {
    const std::string text = std::to_string(number) + "/" + std::to_string(turn);
    auto reply = co_await redis.execute(Command("ECHO", text));
    if (reply && reply->text() == text) right += 1;
  }
}

TEST_F(RedisClient, ServesThousandsOfCoroutinesAtOnce) {
  RedisServer server;
  ClientSettings settings = quick();
  settings.in_flight_max = 1000;
  Client& redis = connected(server, settings);
  Tasks tasks(loop_.get_executor());
  int right = 0;
  for (int i = 0; i < 10000; ++i) tasks.spawn("echo", echo(redis, i, right));
  EXPECT_TRUE(run_until(loop_, [&] { return redis.state().waiting == 9000; }));
  EXPECT_EQ(redis.state().in_flight, 1000u);
  EXPECT_TRUE(run(loop_, tasks.idle(limit)));
  EXPECT_EQ(right, 30000);
  EXPECT_EQ(redis.state().in_flight, 0u);
  EXPECT_EQ(redis.state().traffic.replies, redis.state().traffic.commands);
  EXPECT_GT(redis.state().traffic.round_trip_average.count(), 0);
}

TEST_F(RedisClient, SaysThatTheOutcomeIsUnknownWhenNoReplyComesInTime) {
  RedisServer server;
  ClientSettings settings = quick();
  settings.reply_timeout = Milliseconds(100);
  Client& redis = connected(server, settings);
  server.pause();
  auto late = execute(redis, Command("INCR", "counter"));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::outcome_unknown);
  EXPECT_THAT(late.error().detail, HasSubstr("no reply within 100 ms"));
  EXPECT_EQ(redis.state().traffic.timeouts, 1u);
  server.resume();
  // The late reply (an integer) must not be taken for this one's.
  ASSERT_TRUE(run(loop_, redis.ready(limit)));
  EXPECT_EQ(execute(redis, Command("ECHO", "after"))->text(), "after");
  EXPECT_EQ(execute(redis, Command("GET", "counter"))->text(), "1");
}

TEST_F(RedisClient, MeasuresTheTimeLimitFromTheSendingOfEachCommand) {
  RedisServer server;
  ClientSettings settings = quick();
  settings.reply_timeout = Milliseconds(400);
  Client& redis = connected(server, settings);
  // Together these take longer than the limit, each one for itself does not.
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(execute(redis, Command("DEBUG", "SLEEP", "0.15")));
  EXPECT_EQ(redis.state().traffic.timeouts, 0u);
  EXPECT_EQ(redis.state().connections, 1u);
}

awaitable<> kill_soon(RedisServer& server) {
  co_await sleep_for(Milliseconds(20));
  server.kill();
}

TEST_F(RedisClient, SaysThatTheOutcomeOfEveryPendingCommandIsUnknownWhenRedisIsKilled) {
  RedisServer server;
  ClientSettings settings = quick();
  settings.in_flight_max = 50;
  Client& redis = connected(server, settings);
  server.pause();
  Tasks tasks(loop_.get_executor());
  tasks.spawn("kill", kill_soon(server));
  std::vector<Command> commands;
  for (int i = 0; i < 80; ++i) commands.emplace_back("INCR", "counter");
  auto results = run(loop_, redis.execute_all(std::move(commands)));
  for (std::size_t i = 0; i < results.size(); ++i) {
    ASSERT_FALSE(results[i]);
    // What was never sent was not done, and is told apart.
    EXPECT_EQ(results[i].error().code, i < 50 ? Errc::outcome_unknown : Errc::unavailable) << i;
  }
}

TEST_F(RedisClient, ReconnectsWhenRedisComesBack) {
  RedisServer server;
  Client& redis = connected(server);
  for (int round = 0; round < 3; ++round) {
    server.kill();
    server.start();
    // The command waits for the connection, unless it was sent on the old one just before that was known to be lost.
    auto reply = execute(redis, Command("ECHO", round));
    if (!reply) {
      EXPECT_EQ(reply.error().code, Errc::outcome_unknown);
      reply = execute(redis, Command("ECHO", round));
    }
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->text(), std::to_string(round));
  }
  EXPECT_EQ(redis.state().connections, 4u);
  EXPECT_EQ(redis.state().phase, Phase::ready);
  EXPECT_THAT(redis.state().problem, HasSubstr("does not answer"));
}

TEST_F(RedisClient, SaysWithinTheLimitThatARefusedConnectionIsUnavailable) {
  TemporaryDirectory nothing;
  Address address;
  address.socket = nothing.path() / "redis.sock";
  ClientSettings settings = quick();
  settings.reply_timeout = Milliseconds(60);
  Client& redis = client(address, settings);
  redis.start();
  auto reply = execute(redis, Command("GET", "key"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::unavailable);
  EXPECT_EQ(reply.error().detail, "Redis at unix:" + address.socket + " does not answer: No such file or directory");
  EXPECT_EQ(redis.state().phase, Phase::connecting);
  auto ready = run(loop_, redis.ready(Milliseconds(10)));
  EXPECT_EQ(ready.error().code, Errc::unavailable);
}

TEST_F(RedisClient, LetsCommandsWaitUntilItIsStarted) {
  RedisServer server;
  Client& redis = client(server.address());
  Tasks tasks(loop_.get_executor());
  int right = 0;
  tasks.spawn("echo", echo(redis, 1, right));
  EXPECT_TRUE(run_until(loop_, [&] { return redis.state().waiting == 1; }));
  redis.start();
  EXPECT_TRUE(run(loop_, tasks.idle(limit)));
  EXPECT_EQ(right, 3);
}

TEST_F(RedisClient, SpeaksOverTcpToANumericAddressAndToAName) {
  RedisServer server;
  // The kernel chooses the port: Redis takes over one that was free a moment ago.
  Client& local = connected(server);
  std::uint16_t port = 0;
  for (int attempt = 0; attempt < 20 && port == 0; ++attempt) {
    asio::io_context scratch;
    asio::ip::tcp::acceptor acceptor(scratch, asio::ip::tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    const std::uint16_t free = acceptor.local_endpoint().port();
    acceptor.close();
    if (execute(local, Command("CONFIG", "SET", "port", free))) port = free;
  }
  ASSERT_NE(port, 0);
  run(loop_, local.stop());
  for (const char* host : {"127.0.0.1", "localhost"}) {
    Address address;
    address.host = host;
    address.port = port;
    Client redis(loop_.get_executor(), address, quick());
    redis.start();
    EXPECT_EQ(execute(redis, Command("ECHO", host))->text(), host);
    run(loop_, redis.stop());
  }
}

TEST_F(RedisClient, GivesThePasswordAndTheDatabase) {
  RedisServer server({"user billd on >secret ~* +@all", "user default off"});
  Address address = server.address();
  address.username = "billd";
  address.password = "secret";
  address.database = 3;
  Client& redis = client(address);
  redis.start();
  EXPECT_TRUE(execute(redis, Command("SET", "key", "value")));
  EXPECT_THAT(execute(redis, Command("CLIENT", "INFO"))->text(), HasSubstr(" db=3 "));
  EXPECT_THAT(execute(redis, Command("CLIENT", "INFO"))->text(), HasSubstr(" user=billd "));
}

TEST_F(RedisClient, TellsAtOnceThatThePasswordIsWrongAndNeverRepeatsIt) {
  RedisServer server({"requirepass right"});
  Address address = server.address();
  address.password = "wrong-and-secret";
  Client& redis = client(address);
  redis.start();
  auto reply = execute(redis, Command("GET", "key"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::bad_configuration);
  EXPECT_THAT(reply.error().detail, HasSubstr("WRONGPASS"));
  EXPECT_THAT(reply.error().detail, testing::Not(HasSubstr("wrong-and-secret")));
}

TEST_F(RedisClient, TellsThatAPasswordIsMissing) {
  RedisServer server({"requirepass right"});
  Client& redis = client(server.address());
  redis.start();
  EXPECT_EQ(execute(redis, Command("GET", "key")).error().code, Errc::bad_configuration);
}

TEST_F(RedisClient, TellsThatTheDatabaseDoesNotExist) {
  RedisServer server;
  Address address = server.address();
  address.database = 99;
  Client& redis = client(address);
  redis.start();
  auto reply = execute(redis, Command("GET", "key"));
  EXPECT_EQ(reply.error().code, Errc::bad_configuration);
  EXPECT_THAT(reply.error().detail, HasSubstr("DB index is out of range"));
}

struct Preparation {
  int runs = 0;
  int failures_to_come = 0;

  awaitable<Result<void>> prepare(Connection& connection) {
    runs += 1;
    auto set = co_await connection.execute(Command("SET", "prepared", runs));
    if (!set) co_return set.error();
    if (failures_to_come > 0) {
      failures_to_come -= 1;
      co_return Failure{Errc::corrupt, "the data epoch is older than before"};
    }
    co_return Result<void>();
  }
};

TEST_F(RedisClient, PreparesEachConnectionBeforeOthersMayUseIt) {
  RedisServer server;
  Preparation preparation;
  Client& redis = client(server.address());
  redis.on_connected([&](Connection& connection) { return preparation.prepare(connection); });
  redis.start();
  EXPECT_EQ(execute(redis, Command("GET", "prepared"))->text(), "1");
  server.kill();
  server.start();
  ASSERT_TRUE(run_until(loop_, [&] { return preparation.runs == 2; }));
  EXPECT_EQ(execute(redis, Command("GET", "prepared"))->text(), "2");
}

TEST_F(RedisClient, DropsAConnectionWhosePreparationFailsAndTriesAgain) {
  RedisServer server;
  Preparation preparation;
  preparation.failures_to_come = 2;
  Client& redis = client(server.address());
  redis.on_connected([&](Connection& connection) { return preparation.prepare(connection); });
  redis.start();
  EXPECT_EQ(execute(redis, Command("GET", "prepared"))->text(), "3");
  EXPECT_EQ(redis.state().connections, 1u);
  EXPECT_EQ(redis.state().problem, "the data epoch is older than before");
}

TEST_F(RedisClient, MakesTheConnectionAnewWhenTheServerBecameAReplica) {
  RedisServer server;
  Client& redis = connected(server);
  ASSERT_TRUE(execute(redis, Command("REPLICAOF", "127.0.0.1", 1)));
  std::vector<Command> commands;
  commands.emplace_back("SET", "key", "value");
  commands.emplace_back("GET", "key");
  auto results = run(loop_, redis.execute_all(std::move(commands)));
  EXPECT_EQ(results[0].error().code, Errc::unavailable);
  EXPECT_TRUE(results[1]);  // replies that are on their way are awaited
  ASSERT_TRUE(run_until(loop_, [&] { return redis.state().connections == 2; }));
  EXPECT_THAT(redis.state().problem, HasSubstr("READONLY"));
  ASSERT_TRUE(execute(redis, Command("REPLICAOF", "NO", "ONE")));
  EXPECT_TRUE(execute(redis, Command("SET", "key", "value")));
}

TEST_F(RedisClient, WaitsWhileRedisLoadsItsData) {
  RedisServer server({"appendonly yes", "appendfsync no"});
  Client& before = connected(server);
  std::vector<Command> commands;
  for (int i = 0; i < 6000; ++i) commands.emplace_back("SET", i, i);
  run(loop_, before.execute_all(std::move(commands)));
  run(loop_, before.stop());
  server.kill();
  // While it loads, Redis looks at its clients once in 1,024 commands; with 100 us for each that is every tenth second.
  server.start({"key-load-delay 100"});
  Client& redis = client(server.address());
  redis.start();
  EXPECT_TRUE(run_until(loop_, [&] { return redis.state().phase == Phase::loading; }));
  EXPECT_THAT(redis.state().problem, HasSubstr("LOADING"));
  EXPECT_EQ(execute(redis, Command("DBSIZE"))->integer(), 6000);
}

TEST_F(RedisClient, SurvivesThatRedisTakesNoMoreClients) {
  RedisServer server({"maxclients 1"});
  Client& first = connected(server);
  Client second(loop_.get_executor(), server.address(), quick());
  second.start();
  auto refused = run(loop_, second.ready(Milliseconds(100)));
  EXPECT_EQ(refused.error().code, Errc::unavailable);
  run(loop_, first.stop());
  EXPECT_TRUE(run(loop_, second.ready(limit)));
  run(loop_, second.stop());
}

awaitable<> get_and_tell(Client& redis, bool& resumed) {
  auto reply = co_await redis.execute(Command("GET", "key"));
  resumed = true;
}

TEST_F(RedisClient, LeavesTheOthersAloneWhenOneWaitIsCancelled) {
  RedisServer server;
  Client& redis = connected(server);
  server.pause();
  bool resumed = false;
  Tasks tasks(loop_.get_executor());
  tasks.spawn("cancelled", get_and_tell(redis, resumed));
  int right = 0;
  Tasks others(loop_.get_executor());
  others.spawn("echo", echo(redis, 1, right));
  ASSERT_TRUE(run_until(loop_, [&] { return redis.state().in_flight == 2; }));
  tasks.cancel();
  EXPECT_TRUE(run(loop_, tasks.idle(limit)));
  server.resume();
  EXPECT_TRUE(run(loop_, others.idle(limit)));
  EXPECT_EQ(right, 3);
}

TEST_F(RedisClient, CanBeCancelledWhileItWaitsForAConnection) {
  TemporaryDirectory nothing;
  Address address;
  address.socket = nothing.path() / "redis.sock";
  Client& redis = client(address);
  redis.start();
  auto cut = run(loop_, within(Milliseconds(20), redis.execute(Command("GET", "key"))));
  EXPECT_FALSE(cut);
  EXPECT_EQ(redis.state().waiting, 0u);
}

TEST_F(RedisClient, AwaitsTheRepliesThatAreDueWhenItStops) {
  RedisServer server;
  Client& redis = connected(server);
  Tasks tasks(loop_.get_executor());
  std::vector<Command> commands;
  std::optional<std::vector<Result<Reply>>> results;
  commands.emplace_back("DEBUG", "SLEEP", "0.05");
  commands.emplace_back("INCR", "counter");
  auto send = [&]() -> awaitable<> { results = co_await redis.execute_all(std::move(commands)); };
  tasks.spawn("send", send());
  ASSERT_TRUE(run_until(loop_, [&] { return redis.state().in_flight == 2; }));
  run(loop_, redis.stop());
  EXPECT_TRUE(run(loop_, tasks.idle(limit)));
  ASSERT_TRUE(results);
  EXPECT_TRUE(results->at(1));
  EXPECT_EQ(redis.state().phase, Phase::stopped);
  EXPECT_EQ(execute(redis, Command("GET", "key")).error().code, Errc::stopping);
}

TEST_F(RedisClient, StopsWithinTheLimitWhenRedisStandsStill) {
  RedisServer server;
  ClientSettings settings = quick();
  settings.reply_timeout = Milliseconds(100);
  Client& redis = connected(server, settings);
  server.pause();
  Tasks tasks(loop_.get_executor());
  bool resumed = false;
  tasks.spawn("waits", get_and_tell(redis, resumed));
  ASSERT_TRUE(run_until(loop_, [&] { return redis.state().in_flight == 1; }));
  run(loop_, redis.stop());
  EXPECT_TRUE(run(loop_, tasks.idle(limit)));
  EXPECT_TRUE(resumed);
}

TEST_F(RedisClient, FailsWhatWaitsWhenItIsDestroyed) {
  Client& redis = client(Address{});
  Tasks tasks(loop_.get_executor());
  bool resumed = false;
  tasks.spawn("waits", get_and_tell(redis, resumed));
  ASSERT_TRUE(run_until(loop_, [&] { return redis.state().waiting == 1; }));
  client_.reset();
  EXPECT_TRUE(run(loop_, tasks.idle(limit)));
  EXPECT_TRUE(resumed);
}

TEST_F(RedisClient, MayEndWithTheLoopAndWithoutBeingStopped) {
  RedisServer server;
  bool resumed = false;
  {
    asio::io_context loop{1};
    Tasks tasks(loop.get_executor());
    Client redis(loop.get_executor(), server.address(), quick());
    redis.start();
    ASSERT_TRUE(run(loop, redis.ready(limit)));
    server.pause();
    tasks.spawn("waits", get_and_tell(redis, resumed));
    ASSERT_TRUE(run_until(loop, [&] { return redis.state().in_flight == 1; }));
  }
  EXPECT_FALSE(resumed);
}

/// A server that answers to the greeting and then says what no Redis would.
awaitable<> babble(asio::local::stream_protocol::acceptor& acceptor) {
  auto [error, socket] = co_await acceptor.async_accept(nothrow);
  std::string greeting(64, '\0');
  co_await socket.async_read_some(asio::buffer(greeting), nothrow);
  const std::string_view answer = ":0\r\n";
  co_await asio::async_write(socket, asio::buffer(answer), nothrow);
  co_await socket.async_read_some(asio::buffer(greeting), nothrow);
  const std::string_view nonsense = "nonsense\r\n";
  co_await asio::async_write(socket, asio::buffer(nonsense), nothrow);
  co_await socket.async_read_some(asio::buffer(greeting), nothrow);
}

TEST_F(RedisClient, TakesAProtocolErrorForALostConnection) {
  TemporaryDirectory directory;
  Address address;
  address.socket = directory.path() / "redis.sock";
  asio::local::stream_protocol::acceptor acceptor(loop_, address.socket);
  Tasks tasks(loop_.get_executor());
  tasks.spawn("babble", babble(acceptor));
  Client& redis = client(address);
  redis.start();
  auto reply = execute(redis, Command("GET", "key"));
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, Errc::outcome_unknown);
  EXPECT_THAT(reply.error().detail, HasSubstr("Protocol error"));
  EXPECT_TRUE(run(loop_, tasks.idle(limit)));
}

}  // namespace
}  // namespace billd::redis
