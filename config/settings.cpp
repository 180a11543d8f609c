#include "config/settings.hpp"

#include <sys/un.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>
#include <set>
#include <utility>
#include <variant>

#include "config/given.hpp"
#include "config/nearest_name.hpp"
#include "config/secret_files.hpp"
#include "config/setting_table.hpp"

namespace billd {
namespace {

/// Gathers the settings from their sources, and every problem on the way.
class Reader {
 public:
  explicit Reader(std::string file_name) : file_name_(std::move(file_name)) {}

  void read_file(std::string_view text) {
    try {
      read_section(toml::parse(text, file_name_), "");
    } catch (const toml::parse_error& error) {
      problem(place_of(error.source()), std::string(error.description()));
    }
  }

  void read_environment(const Environment& environment) {
    // systemd names the unit's directories here, separated by colons; the first is ours.
    if (auto found = environment.find("STATE_DIRECTORY");
        found != environment.end() && !is_set_.contains("state_directory")) {
      settings_.state_directory = found->second.substr(0, found->second.find(':'));
    }
    std::vector<std::string> names;
    for (const Setting& setting : setting_table()) {
      names.push_back(environment_name(setting));
      auto found = environment.find(names.back());
      if (found == environment.end()) continue;
      set(setting, Given{found->second, Place{"environment variable " + found->first}, true});
    }
    for (const auto& [name, value] : environment) {
      if (!name.starts_with("BILLD_") || std::ranges::find(names, name) != names.end()) continue;
      const Given given{value, Place{"environment variable " + name}, true};
      if (read_variable(processor_sections(), name, given) || read_variable(webhook_source_sections(), name, given))
        continue;
      // Only what looks like a slip is refused: container platforms invent names such as BILLD_SERVICE_PORT.
      if (auto near = nearest_name(name, names)) problem(Place{"environment"}, unknown("variable", name, near));
    }
  }

  void read_overrides(const Overrides& overrides) {
    for (const auto& [path, text] : overrides) {
      Place place{"command line"};
      const Setting* setting = find(path);
      const Given given{text, place, true};
      if (setting != nullptr) {
        set(*setting, given);
      } else if (!read_path(processor_sections(), path, given) && !read_path(webhook_source_sections(), path, given)) {
        problem(place, unknown("setting", path, nearest_name(path, setting_paths())));
      }
    }
  }

  /// What no setting shows alone.
  void check_together() {
    const Settings& s = settings_;
    auto require = [this](bool holds, const std::string& text) {
      if (!holds) problem(Place{}, text);
    };
    // The socket of the embedded Redis lies in the state directory, and the kernel takes no longer path.
    constexpr std::size_t socket_path_max = sizeof(sockaddr_un::sun_path) - 1;
    std::size_t socket_path_added = embedded_redis_socket(s).size() - s.state_directory.size();
    bool embedded = s.redis.address.kind == RedisAddress::Kind::embedded;
    require(!s.state_directory.empty(), "`state_directory` must not be empty");
    require(!embedded || embedded_redis_socket(s).size() <= socket_path_max,
            "`state_directory` must be at most " + std::to_string(socket_path_max - socket_path_added) +
                " bytes long, for a Unix socket lies in it");
    bool has_credentials = !s.redis.username.empty() || !s.redis.password.empty() || !s.redis.password_file.empty();
    require(!embedded || !has_credentials,
            "`redis.username` and `redis.password` are of no use with the embedded Redis: set `redis.address`, too");
    require(s.redis.password.empty() || s.redis.password_file.empty(),
            "`redis.password` and `redis.password_file` must not both be set");
    require(is_loopback(s.operators.listen) || !s.operators.tokens_file.empty(),
            "`operators.listen` is " + to_text(s.operators.listen) +
                ", which is not the loopback: set `operators.tokens_file`, and make a token for each operator with "
                "`billd tokens create`");
    require(s.http.connections_per_peer_max <= s.http.connections_max,
            "`http.connections_per_peer_max` must not be above `http.connections_max`");
    require(s.jobs.batch_max <= s.jobs.in_flight_max, "`jobs.batch_max` must not be above `jobs.in_flight_max`");
    require(s.jobs.lease_interval * 3 <= s.jobs.lease_timeout,
            "`jobs.lease_interval` must be at most a third of `jobs.lease_timeout`");
    for (const auto& [name, processor] : s.gateways.processors) {
      const std::string section = "`gateways." + name + ".";
      require(processor.kind != ProcessorKind::unset, section + "kind` must be set");
      require(!processor.key_file.empty() || !processor.key.empty(), section + "key_file` must be set");
      require(processor.kind != ProcessorKind::http || !processor.url.empty(), section + "url` must be set");
      require(processor.url.empty() || processor.url.starts_with("https://") || processor.url.starts_with("http://"),
              section + "url` must begin with https:// (or http://)");
      // Two requests for one charge must never run side by side.
      require(processor.request_timeout < s.billing.charge_resolve_after,
              section + "request_timeout` must be less than `billing.charge_resolve_after`");
    }
    require(s.gateways.new_sources == "test" || s.gateways.processors.contains(s.gateways.new_sources),
            "`gateways.new_sources` names the gateway \"" + s.gateways.new_sources + "\", which has no section");
    for (const auto& [name, source] : s.webhook_sources) {
      const std::string section = "`webhook_sources." + name + ".";
      require(source.kind != WebhookKind::unset, section + "kind` must be set");
      require(!source.secret_files.empty() || !source.secrets.empty(), section + "secret_files` must name a file");
      require(source.kind != WebhookKind::hmac || !source.header.empty(), section + "header` must not be empty");
    }
    check_listeners(require);
  }

  template <class Require>
  void check_listeners(Require require) {
    const Settings& s = settings_;
    const std::pair<const char*, const FaceSettings*> faces[] = {
        {"faces.stripe", &s.faces.stripe},
        {"faces.stancer", &s.faces.stancer},
        {"faces.management", &s.faces.management},
        {"faces.funding_sources", &s.faces.funding_sources},
    };
    auto check_tls = [&](const std::string& section, const TlsSettings& tls) {
      require(tls.certificate_file.empty() == tls.key_file.empty(),
              "`" + section + ".tls` needs both `certificate_file` and `key_file`");
    };
    check_tls("api", s.api.tls);
    check_tls("operators", s.operators.tls);
    std::set<std::string> hosts, prefixes;
    std::vector<std::pair<std::string, ListenAddress>> listeners = {{"api", s.api.listen}};
    auto check_address = [&](const std::string& section, const ListenAddress& address) {
      for (const auto& [other, taken] : listeners)
        require(!collide(address, taken), "`" + section + ".listen` (" + to_text(address) + ") and `" + other +
                                              ".listen` (" + to_text(taken) +
                                              ") collide: give one of them another port");
      listeners.emplace_back(section, address);
    };
    check_address("operators", s.operators.listen);
    for (const auto& [section, face] : faces) {
      const std::string name = section;
      check_tls(name, face->tls);
      if (face->listen) check_address(name, *face->listen);
      for (const std::string& host : face->hosts) {
        require(!host.empty(), "`" + name + ".hosts` must not hold empty texts");
        require(hosts.insert(host).second, "`" + name + ".hosts`: " + host + " is named twice");
      }
      const std::string& prefix = face->path_prefix;
      require(prefix.empty() || (prefix.starts_with('/') && !prefix.ends_with('/')),
              "`" + name + ".path_prefix` must begin with / and not end with it");
      require(prefix.empty() || prefixes.insert(prefix).second,
              "`" + name + ".path_prefix` is another API's prefix, too");
    }
  }

  Result<Settings> finish() {
    if (problems_.empty()) return std::move(settings_);
    std::string text;
    for (const auto& [order, problem] : problems_) {
      if (!text.empty()) text += '\n';
      // Names and values are quoted as they were given: they must not be able to write lines of their own.
      for (char c : problem) text += static_cast<unsigned char>(c) < 0x20 || c == 0x7F ? '?' : c;
    }
    return wrong(std::move(text));
  }

 private:
  static std::string unknown(std::string_view kind, std::string_view name, const std::optional<std::string>& near) {
    std::string text = "unknown " + std::string(kind) + " `" + std::string(name) + "`";
    return near ? text + ": did you mean `" + *near + "`?" : text;
  }

  static std::vector<std::string> setting_paths() {
    std::vector<std::string> paths;
    for (const Setting& setting : setting_table()) paths.emplace_back(setting.path);
    return paths;
  }

  /// Every section, and the sections around it: "gateways.test" and "gateways".
  static std::vector<std::string> section_paths() {
    std::vector<std::string> sections = {"webhook_sources"};
    for (const Setting& setting : setting_table()) {
      for (auto dot = setting.path.find('.'); dot != std::string_view::npos; dot = setting.path.find('.', dot + 1)) {
        std::string section(setting.path.substr(0, dot));
        if (std::ranges::find(sections, section) == sections.end()) sections.push_back(std::move(section));
      }
    }
    return sections;
  }

  static const Setting* find(std::string_view path) {
    auto table = setting_table();
    auto found = std::ranges::find(table, path, &Setting::path);
    return found == table.end() ? nullptr : &*found;
  }

  Place place_of(const toml::source_region& region) const {
    auto line = static_cast<std::uint32_t>(region.begin.line);
    auto column = static_cast<std::uint32_t>(region.begin.column);
    return {file_name_ + ":" + std::to_string(line) + ":" + std::to_string(column), line, column};
  }

  Given given_by(const toml::node& node) const {
    Given given{Unusable{"this"}, place_of(node.source())};
    if (auto* truth = node.as_boolean()) given.value = truth->get();
    if (auto* number = node.as_integer()) given.value = number->get();
    if (auto* text = node.as_string()) given.value = text->get();
    if (node.is_floating_point()) given.value = Unusable{"a number with a fraction"};
    if (node.is_date() || node.is_time() || node.is_date_time()) given.value = Unusable{"a date or time"};
    if (node.is_table()) given.value = Unusable{"a section"};
    if (auto* array = node.as_array()) {
      std::vector<std::string> texts;
      for (const toml::node& element : *array) {
        Given part = given_by(element);
        auto* text = std::get_if<std::string>(&part.value);
        texts.push_back(text ? *text : in_words(part));
      }
      given.value = std::move(texts);
    }
    return given;
  }

  void read_section(const toml::table& section, const std::string& prefix) {
    for (const auto& [key, node] : section) {
      std::string path = prefix + std::string(key.str());
      if (const Setting* setting = find(path)) {
        set(*setting, given_by(node));
        continue;
      }
      std::vector<std::string> sections = section_paths();
      bool is_section = std::ranges::find(sections, path) != sections.end();
      if (!is_section && node.is_table() &&
          (read_section_of(processor_sections(), prefix, key, *node.as_table()) ||
           read_section_of(webhook_source_sections(), prefix, key, *node.as_table())))
        continue;
      if (is_section && node.is_table()) {
        read_section(*node.as_table(), path + ".");
      } else if (is_section) {
        problem(place_of(key.source()),
                "`" + path + "` is a section, not a setting: write [" + path + "] above its settings");
      } else if (node.is_table()) {
        problem(place_of(key.source()), unknown("section", path, nearest_name(path, sections)));
      } else {
        problem(place_of(key.source()), unknown("setting", path, nearest_name(path, setting_paths())));
      }
    }
  }

  void set(const Setting& setting, const Given& given) {
    if (set_in(settings_, setting, std::string(setting.path), given)) is_set_.insert(setting.path);
  }

  template <class Holder>
  bool set_in(Holder& holder, const SettingOf<Holder>& setting, const std::string& path, const Given& given) {
    auto assign = [&](auto member) {
      auto value = convert(given, setting, member);
      if (value)
        member(holder) = *value;
      else
        problem(given.place, "`" + path + "` " + value.error().detail);
      return static_cast<bool>(value);
    };
    return std::visit(assign, setting.member);
  }

  /// One setting of a named section; the section comes to be by its first one.
  template <class Holder>
  void set_named(const NamedSections<Holder>& sections, const std::string& name, const std::string& key,
                 const Given& given) {
    const std::string path = std::string(sections.prefix) + name + "." + key;
    if (!is_section_name(name)) {
      problem(given.place, "`" + path + "`: a name is 1 to 40 of a-z, 0-9, _ and -, and begins with a letter");
      return;
    }
    const auto setting = std::ranges::find(sections.table, key, &SettingOf<Holder>::path);
    if (setting != sections.table.end()) {
      set_in(sections.all(settings_)[name], *setting, path, given);
      return;
    }
    std::vector<std::string> keys;
    for (const auto& each : sections.table) keys.emplace_back(each.path);
    auto near = nearest_name(key, keys);
    if (near) near = std::string(sections.prefix) + name + "." + *near;
    problem(given.place, unknown("setting", path, near));
  }

  template <class Holder>
  bool read_section_of(const NamedSections<Holder>& sections, const std::string& prefix, const toml::key& name,
                       const toml::table& section) {
    if (prefix != sections.prefix) return false;
    sections.all(settings_).try_emplace(std::string(name.str()));
    for (const auto& [key, node] : section)
      set_named(sections, std::string(name.str()), std::string(key.str()), given_by(node));
    return true;
  }

  /// "gateways.acme.url" on the command line.
  template <class Holder>
  bool read_path(const NamedSections<Holder>& sections, const std::string& path, const Given& given) {
    const std::size_t dot = path.rfind('.');
    if (!path.starts_with(sections.prefix) || dot == std::string::npos || dot <= sections.prefix.size()) return false;
    set_named(sections, path.substr(sections.prefix.size(), dot - sections.prefix.size()), path.substr(dot + 1), given);
    return true;
  }

  /// BILLD_GATEWAYS_ACME_URL in the environment; only what ends with the name of a setting is meant so.
  template <class Holder>
  bool read_variable(const NamedSections<Holder>& sections, const std::string& variable, const Given& given) {
    std::string path;
    for (char c : variable.substr(std::string_view("BILLD_").size()))
      path += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    const std::string beginning = std::string(sections.prefix.substr(0, sections.prefix.size() - 1)) + "_";
    if (!path.starts_with(beginning)) return false;
    for (const auto& setting : sections.table) {
      const std::string end = "_" + std::string(setting.path);
      if (!path.ends_with(end) || path.size() <= beginning.size() + end.size()) continue;
      const std::string name = path.substr(beginning.size(), path.size() - beginning.size() - end.size());
      set_named(sections, name, std::string(setting.path), given);
      return true;
    }
    return false;
  }

  void problem(const Place& place, const std::string& text) {
    std::string told = place.text.empty() ? text : place.text + ": " + text;
    problems_.emplace(std::pair(place.line, place.column), std::move(told));
  }

  std::string file_name_;
  Settings settings_;
  std::set<std::string_view> is_set_;
  /// By line and column; those that have none come last, in the order in which they were found.
  std::multimap<std::pair<std::uint32_t, std::uint32_t>, std::string> problems_;
};

std::string derived_name(const Settings& settings) {
  std::array<char, 256> host = {};
  if (gethostname(host.data(), host.size() - 1) != 0) std::strcpy(host.data(), "localhost");
  // Two daemons of one host cannot share the API's port; where the system chooses it, the directory tells them apart.
  std::uint16_t port = settings.api.listen.port;
  return std::string(host.data()) + ":" + (port != 0 ? std::to_string(port) : settings.state_directory);
}

}  // namespace

const FaceSettings& FacesSettings::of(FaceName face) const {
  switch (face) {
    case FaceName::stripe:
      return stripe;
    case FaceName::stancer:
      return stancer;
    case FaceName::management:
      return management;
    case FaceName::funding_sources:
      return funding_sources;
  }
  return stripe;
}

Rules billing_rules(const BillingSettings& settings) {
  return Rules{
      .invoice_finalize_delay = settings.invoice_finalize_delay,
      .invoice_notice_wait_max = settings.invoice_notice_wait_max,
      .retry_schedule = {settings.retry_schedule.begin(), settings.retry_schedule.end()},
      .tax_rounding = settings.tax_rounding,
      .final_action = settings.final_action,
      .overdue_final_after = settings.overdue_final_after,
      .upcoming_notice = settings.upcoming_notice,
      .incomplete_expires_after = settings.incomplete_expires_after,
      .charge_resolve_after = settings.charge_resolve_after,
      .charge_resolve_max = settings.charge_resolve_max,
      .charge_key_life = settings.charge_key_life,
      .charge_pending_poll_after = settings.charge_pending_poll_after,
      .charge_pending_poll_max = settings.charge_pending_poll_max,
      .charge_pending_limit = settings.charge_pending_limit,
      .renewal_grace = settings.renewal_grace,
  };
}

std::string embedded_redis_socket(const Settings& settings) { return settings.state_directory + "/redis/redis.sock"; }

Environment process_environment() {
  Environment environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string_view text = *entry;
    auto equals = text.find('=');
    if (equals == std::string_view::npos) continue;
    environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

Result<Settings> read_settings(std::string_view text, std::string_view name, const Environment& environment,
                               const Overrides& overrides) {
  Reader reader{std::string(name)};
  reader.read_file(text);
  reader.read_environment(environment);
  reader.read_overrides(overrides);
  reader.check_together();
  return reader.finish();
}

Result<Settings> load_settings(const std::optional<std::filesystem::path>& file, const Environment& environment,
                               const Overrides& overrides) {
  std::string text;
  if (file) {
    auto contents = read_whole_file(*file);
    if (!contents) return contents.error();
    text = *contents;
  }
  auto settings = read_settings(text, file ? file->string() : "", environment, overrides);
  if (!settings) return settings;
  auto secrets = read_secrets(*settings, environment);
  if (!secrets) return secrets.error();
  if (settings->daemon.name.empty()) settings->daemon.name = derived_name(*settings);
  return settings;
}

}  // namespace billd
