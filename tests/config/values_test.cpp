// Durations and addresses: text to value and back.
#include "config/values.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <vector>

namespace billd {
namespace {

using std::chrono::milliseconds;

TEST(Duration, IsReadWithEachUnit) {
  using namespace std::chrono;
  struct Case {
    std::string text;
    milliseconds expected;
  };
  std::vector<Case> cases = {
      {"400ms", milliseconds(400)},
      {"30s", seconds(30)},
      {"5m", minutes(5)},
      {"1h", hours(1)},
      {"3d", days(3)},
      {"0s", milliseconds(0)},
      {"0ms", seconds(0)},
      {"90m", hours(1) + minutes(30)},
  };
  for (const Case& c : cases) {
    auto duration = parse_duration(c.text);
    ASSERT_TRUE(duration) << c.text;
    EXPECT_EQ(*duration, c.expected) << c.text;
  }
}

TEST(Duration, IsRefusedWithTheWayToWriteIt) {
  const std::string hint = "must be a duration such as \"30s\" (units: ms, s, m, h, d), not ";
  for (std::string text : {"", "s", "0", "-1s", "1.5h", "1 h", " 1h", "1h30m", "1w", "1S", "1e3s", "+1s",
                           "9223372036854775807s", "99999999999999999999s"}) {
    auto duration = parse_duration(text);
    ASSERT_FALSE(duration) << text;
    EXPECT_EQ(duration.error().detail, hint + "\"" + text + "\"");
  }
  auto without_unit = parse_duration("30");
  ASSERT_FALSE(without_unit);
  EXPECT_EQ(without_unit.error().detail, "must have a unit: write \"30s\" for 30 seconds (units: ms, s, m, h, d)");
}

TEST(Duration, IsWrittenInTheLargestUnitThatDividesItAndReadBack) {
  struct Case {
    milliseconds duration;
    std::string expected;
  };
  std::vector<Case> cases = {
      {milliseconds(0), "0s"},          {milliseconds(1), "1ms"},         {milliseconds(1'500), "1500ms"},
      {milliseconds(90'000), "90s"},    {milliseconds(3'600'000), "1h"},  {milliseconds(82'800'000), "23h"},
      {milliseconds(86'400'000), "1d"}, {milliseconds(5'400'000), "90m"},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(to_text(c.duration), c.expected);
    EXPECT_EQ(parse_duration(c.expected).value(), c.duration);
  }
}

TEST(ListenAddress, IsReadAndWrittenBack) {
  for (std::string text : {"127.0.0.1:4242", "0.0.0.0:80", "[::1]:4242", "[::]:0", "[fd00::5]:65535"}) {
    auto address = parse_listen_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(to_text(*address), text);
  }
  EXPECT_EQ(*parse_listen_address("[::1]:4242"), (ListenAddress{"::1", 4242}));
}

TEST(ListenAddress, IsRefusedWhenItIsNone) {
  for (std::string text : {"", "4242", ":4242", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
                           "127.0.0.1:4242 ", "::1:4242", "[127.0.0.1]:80", "[::1]", "localhost:4242", "a b:1"}) {
    EXPECT_FALSE(parse_listen_address(text)) << text;
  }
  EXPECT_EQ(parse_listen_address("localhost:4242").error().detail, "must hold an IP address, not the name `localhost`");
}

TEST(RedisAddress, IsReadAndWrittenBack) {
  for (std::string text : {"embedded", "unix:/run/redis/redis.sock", "redis.internal:6379", "10.0.0.5:6379",
                           "[fd00::5]:6379", "localhost:1"}) {
    auto address = parse_redis_address(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(to_text(*address), text);
  }
}

TEST(RedisAddress, IsRefusedWhenItIsNone) {
  for (std::string text : {"", "Embedded", "redis", "unix:", "unix:relative", "unix:6379", "host:0", "host:x",
                           "host:70000", "redis://host:6379", ":6379", "fd00::5:6379"}) {
    EXPECT_FALSE(parse_redis_address(text)) << text;
  }
}

template <class T>
concept Printable = requires(std::ostream& stream, const T& value) { stream << value; };

static_assert(!Printable<Secret> && !std::is_convertible_v<Secret, std::string>, "a secret must not reach a log");

}  // namespace
}  // namespace billd
