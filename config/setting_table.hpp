// The one table of settings. Reading, checking, overriding, printing and the sample are all made from it.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/settings.hpp"

namespace billd {

/// Finds a setting of type T in the structure that holds it: all settings, or those of one named section.
template <class Holder, class T>
using MemberOf = T& (*)(Holder&);

/// The types that a setting can have.
template <class Holder>
using AnyMemberOf =
    std::variant<MemberOf<Holder, bool>, MemberOf<Holder, std::uint32_t>, MemberOf<Holder, std::string>,
                 MemberOf<Holder, Secret>, MemberOf<Holder, std::chrono::milliseconds>,
                 MemberOf<Holder, std::vector<std::chrono::milliseconds>>, MemberOf<Holder, std::vector<std::string>>,
                 MemberOf<Holder, std::vector<TestFault>>, MemberOf<Holder, ListenAddress>,
                 MemberOf<Holder, std::optional<ListenAddress>>, MemberOf<Holder, RedisAddress>,
                 MemberOf<Holder, LogLevel>, MemberOf<Holder, LogFormat>, MemberOf<Holder, FinalAction>,
                 MemberOf<Holder, TaxRounding>, MemberOf<Holder, Mode>, MemberOf<Holder, ProcessorKind>,
                 MemberOf<Holder, WebhookKind>, MemberOf<Holder, HmacEncoding>>;

template <class Holder>
struct SettingOf {
  /// Its name in the file, with its sections: "redis.address"; within a named section, its key alone.
  std::string_view path;
  AnyMemberOf<Holder> member;
  /// What it means, in a sentence or two, for people who read the sample.
  std::string_view meaning;
  /// What a number counts: "bytes", "connections"; empty for other types.
  std::string_view unit = {};
  /// The least and the greatest value of a number, of a duration in milliseconds, or of each duration in a list.
  std::int64_t least = 0;
  std::int64_t greatest = 0;
};

template <class T>
using Member = MemberOf<Settings, T>;
using Setting = SettingOf<Settings>;

/// Every setting, grouped by section; settings without a section come first, as TOML wants it.
std::span<const Setting> setting_table();

/// What there can be any number of, each in a section with a name of its own: [gateways.NAME].
template <class Holder>
struct NamedSections {
  std::string_view prefix;   ///< "gateways."
  std::string_view example;  ///< a name for the sample
  std::string_view meaning;
  std::map<std::string, Holder>& (*all)(Settings&);
  std::span<const SettingOf<Holder>> table;
};
const NamedSections<ProcessorSettings>& processor_sections();
const NamedSections<WebhookSourceSettings>& webhook_source_sections();

/// A name of 1 to 40 of [a-z0-9_-], beginning with a letter: it stands in paths and in stored data.
bool is_section_name(std::string_view name);

/// The section of "gateways.test.latency" is "gateways.test", its key "latency".
std::string_view section_of(const Setting& setting);
std::string_view key_of(const Setting& setting);

/// BILLD_REDIS_ADDRESS for "redis.address".
std::string environment_name(const Setting& setting);

/// The setting's value as it is written in a file: `"embedded"`, `16`, `["3d", "5d"]`.
template <class Holder>
std::string value_text(const SettingOf<Holder>& setting, Holder settings);

/// Whether a reload (SIGHUP) changes it in the running daemon; the others take a restart.
bool is_reloadable(const Setting& setting);

/// The values that are allowed, as words: `100ms to 10m`, `1 to 1000 connections`, `"cancel", "unpaid" or "past_due"`.
template <class Holder>
std::string range_text(const SettingOf<Holder>& setting);

}  // namespace billd
