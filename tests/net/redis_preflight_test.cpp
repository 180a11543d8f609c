// The check of a Redis before money is entrusted to it, against servers that are configured well and badly.
#include "net/redis/preflight.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/net/redis_server.hpp"
#include "tests/net/run.hpp"

namespace billd::redis {
namespace {

using testing::HasSubstr;

const std::vector<std::string> safe = {"appendonly yes", "appendfsync always", "hash-max-listpack-value 2048"};

Preflight inspect(Address address) {
  asio::io_context loop{1};
  Client client(loop.get_executor(), std::move(address), {});
  client.start();
  auto result = run(loop, preflight(client));
  run(loop, client.stop());
  EXPECT_TRUE(result);
  return result ? *result : Preflight();
}

Finding finding(const Preflight& preflight, std::string_view setting) {
  for (const Finding& finding : preflight.findings)
    if (finding.setting == setting) return finding;
  ADD_FAILURE() << "nothing was found about " << setting;
  return {};
}

TEST(Preflight, FindsNothingWrongWithASafeServer) {
  RedisServer server(safe);
  const Preflight result = inspect(server.address());
  EXPECT_EQ(result.findings.size(), 9u);
  for (const Finding& finding : result.findings) EXPECT_EQ(finding.severity, Severity::fine) << finding.text();
  EXPECT_FALSE(result.refuses());
}

TEST(Preflight, RefusesAServerThatMayLoseDataAndSaysHowToMendIt) {
  RedisServer server(
      {"appendonly no", "appendfsync everysec", "no-appendfsync-on-rewrite yes", "maxmemory-policy allkeys-lru"});
  const Preflight result = inspect(server.address());
  EXPECT_TRUE(result.refuses());
  for (const char* setting : {"appendonly", "appendfsync", "no-appendfsync-on-rewrite", "maxmemory-policy"}) {
    const Finding found = finding(result, setting);
    EXPECT_EQ(found.severity, Severity::refuse) << setting;
    EXPECT_THAT(found.advice, HasSubstr("CONFIG SET " + found.setting + " " + found.expected));
  }
  EXPECT_EQ(finding(result, "hash-max-listpack-value").severity, Severity::warn);
  EXPECT_THAT(finding(result, "appendfsync").text(),
              HasSubstr("appendfsync is everysec, should be always: CONFIG SET appendfsync always"));
}

TEST(Preflight, IsContentOnceItsAdviceWasFollowed) {
  RedisServer server;
  asio::io_context loop{1};
  Client client(loop.get_executor(), server.address(), {});
  client.start();
  auto before = run(loop, preflight(client));
  for (const Finding& found : before->findings) {
    if (found.severity == Severity::fine) continue;
    const std::size_t value = std::string_view("CONFIG SET ").size() + found.setting.size() + 1;
    const std::string wanted = found.advice.substr(value, found.advice.find(',') - value);
    EXPECT_TRUE(run(loop, client.execute(Command("CONFIG", "SET", found.setting, wanted.substr(0, wanted.find(' '))))));
  }
  auto after = run(loop, preflight(client));
  for (const Finding& found : after->findings) EXPECT_EQ(found.severity, Severity::fine) << found.text();
  run(loop, client.stop());
}

TEST(Preflight, RefusesAReplica) {
  RedisServer server(safe);
  {
    asio::io_context loop{1};
    Client client(loop.get_executor(), server.address(), {});
    client.start();
    EXPECT_TRUE(run(loop, client.execute(Command("REPLICAOF", "127.0.0.1", 1))));
    run(loop, client.stop());
  }
  const Finding found = finding(inspect(server.address()), "role");
  EXPECT_EQ(found.severity, Severity::refuse);
  EXPECT_THAT(found.advice, HasSubstr("the master, 127.0.0.1:1;"));
}

TEST(Preflight, SaysWhatItMayNotLookAt) {
  std::vector<std::string> lines = safe;
  lines.push_back("user billd on >secret ~* +@all -config -time");
  RedisServer server(lines);
  Address address = server.address();
  address.username = "billd";
  address.password = "secret";
  const Preflight result = inspect(address);
  EXPECT_FALSE(result.refuses());
  EXPECT_EQ(finding(result, "appendfsync").severity, Severity::warn);
  EXPECT_THAT(finding(result, "appendfsync").text(), HasSubstr("could not be checked"));
  EXPECT_THAT(finding(result, "appendfsync").advice, HasSubstr("+config|get"));
  EXPECT_THAT(finding(result, "clock skew").advice, HasSubstr("+time"));
  // INFO tells these two as well.
  EXPECT_EQ(finding(result, "appendonly").value, "yes");
  EXPECT_EQ(finding(result, "maxmemory-policy").value, "noeviction");
}

TEST(Preflight, SaysThatItMayLookAtNothing) {
  RedisServer server({"user billd on >secret ~* +@all -info -config -time"});
  Address address = server.address();
  address.username = "billd";
  address.password = "secret";
  const Preflight result = inspect(address);
  EXPECT_EQ(result.worst(), Severity::warn);
  EXPECT_EQ(finding(result, "role").severity, Severity::warn);
  EXPECT_EQ(finding(result, "redis_version").severity, Severity::warn);
}

TEST(Preflight, FailsWhenRedisDoesNotAnswer) {
  TemporaryDirectory nothing;
  Address address;
  address.socket = nothing.path() / "redis.sock";
  asio::io_context loop{1};
  ClientSettings settings;
  settings.reply_timeout = Milliseconds(30);
  Client client(loop.get_executor(), address, settings);
  client.start();
  EXPECT_EQ(run(loop, preflight(client)).error().code, Errc::unavailable);
  run(loop, client.stop());
}

}  // namespace
}  // namespace billd::redis
