// Reloading: what a running daemon takes over, what it keeps, and what it says.
#include <gmock/gmock.h>

#include "config/setting_table.hpp"

namespace billd {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Reload, OfTheSameSettingsChangesNothing) {
  const Reload reload = reload_settings(Settings{}, Settings{});
  EXPECT_EQ(reload.settings, Settings{});
  EXPECT_THAT(reload.changed, IsEmpty());
  EXPECT_THAT(reload.restart_wanted, IsEmpty());
}

TEST(Reload, TakesOverWhatItCanAndNamesWhatTakesARestart) {
  Settings fresh;
  fresh.log.level = LogLevel::debug;
  fresh.http.idle_timeout = std::chrono::seconds(5);
  fresh.partitions = 32;
  const Reload reload = reload_settings(Settings{}, fresh);
  Settings expected;
  expected.log.level = LogLevel::debug;
  expected.http.idle_timeout = std::chrono::seconds(5);
  EXPECT_EQ(reload.settings, expected);
  EXPECT_THAT(reload.changed,
              ElementsAre("log.level is \"debug\" now, was \"info\"", "http.idle_timeout is \"5s\" now, was \"1m\""));
  EXPECT_THAT(reload.restart_wanted, ElementsAre("partitions stays 16, the file says 32"));
}

TEST(Reload, SaysWhichNamedSectionsTakeARestart) {
  Settings before, fresh;
  before.gateways.processors["acme"].concurrency_max = 1;
  before.gateways.processors["gone"];
  fresh.gateways.processors["acme"].concurrency_max = 2;
  fresh.webhook_sources["shop"];
  const Reload reload = reload_settings(before, fresh);
  EXPECT_EQ(reload.settings, before);
  EXPECT_THAT(reload.restart_wanted,
              ElementsAre("gateways.acme has changed", "gateways.gone is gone", "webhook_sources.shop is new"));
}

TEST(Reload, NeverTellsASecret) {
  Settings fresh;
  fresh.redis.password = Secret("hunter2");
  EXPECT_THAT(reload_settings(Settings{}, fresh).restart_wanted, ElementsAre("redis.password has changed"));
}

TEST(Reload, ConcernsWhatTheTableSaysItDoes) {
  for (const Setting& setting : setting_table()) {
    const bool is_expected = setting.path.starts_with("log.") || setting.path.starts_with("http.") ||
                             setting.path == "operators.tokens_file" || setting.path == "operators.host" ||
                             (setting.path.starts_with("billing.") && setting.path != "billing.event_retention" &&
                              setting.path != "billing.idempotency_retention") ||
                             setting.path.ends_with(".certificate_file") || setting.path.ends_with(".key_file") ||
                             setting.path.ends_with(".hosts") || setting.path.ends_with(".path_prefix");
    EXPECT_EQ(is_reloadable(setting), is_expected) << setting.path;
  }
}

}  // namespace
}  // namespace billd
