// The one table of settings. Reading, checking, overriding, printing and the sample are all made from it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/settings.hpp"

namespace billd {

/// Finds a setting of type T in the settings.
template <class T>
using Member = T& (*)(Settings&);

/// The types that a setting can have.
using AnyMember =
    std::variant<Member<bool>, Member<std::uint32_t>, Member<std::string>, Member<Secret>,
                 Member<std::chrono::milliseconds>, Member<std::vector<std::chrono::milliseconds>>,
                 Member<ListenAddress>, Member<RedisAddress>, Member<LogLevel>, Member<LogFormat>, Member<FinalAction>>;

struct Setting {
  /// Its name in the file, with its sections: "redis.address".
  std::string_view path;
  AnyMember member;
  /// What it means, in a sentence or two, for people who read the sample.
  std::string_view meaning;
  /// What a number counts: "bytes", "connections"; empty for other types.
  std::string_view unit = {};
  /// The least and the greatest value of a number, of a duration in milliseconds, or of each duration in a list.
  std::int64_t least = 0;
  std::int64_t greatest = 0;
};

/// Every setting, grouped by section; settings without a section come first, as TOML wants it.
std::span<const Setting> setting_table();

/// The section of "gateways.test.latency" is "gateways.test", its key "latency".
std::string_view section_of(const Setting& setting);
std::string_view key_of(const Setting& setting);

/// BILLD_REDIS_ADDRESS for "redis.address".
std::string environment_name(const Setting& setting);

/// The setting's value as it is written in a file: `"embedded"`, `16`, `["3d", "5d"]`.
std::string value_text(const Setting& setting, Settings settings);

/// Whether a reload (SIGHUP) changes it in the running daemon; the others take a restart.
bool is_reloadable(const Setting& setting);

/// The values that are allowed, as words: `100ms to 10m`, `1 to 1000 connections`, `"cancel", "unpaid" or "past_due"`.
std::string range_text(const Setting& setting);

}  // namespace billd
