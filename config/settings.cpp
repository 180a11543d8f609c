#include "config/settings.hpp"

#include <sys/stat.h>
#include <sys/un.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <limits>
#include <set>
#include <utility>
#include <variant>

#include "config/choices.hpp"
#include "config/nearest_name.hpp"
#include "config/setting_table.hpp"

namespace billd {
namespace {

using std::chrono::milliseconds;

/// Where a value was given. Places in the file come before all others, in the order of its lines.
struct Place {
  std::string text;
  std::uint32_t line = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t column = 0;
};

/// What no setting can hold; `what` says so in words.
struct Unusable {
  std::string_view what;
};

/// A value as it was given, before its setting has a say in what it must be.
struct Given {
  std::variant<bool, std::int64_t, std::string, std::vector<std::string>, Unusable> value;
  Place place;
  /// It comes from the environment or the command line, where everything is text: 16 and true need no other form.
  bool untyped = false;
};

Failure wrong(std::string detail) { return Failure{Errc::bad_configuration, std::move(detail)}; }

std::string in_words(const Given& given) {
  struct Words {
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(std::int64_t value) const { return std::to_string(value); }
    std::string operator()(const std::string& value) const { return "\"" + value + "\""; }
    std::string operator()(const std::vector<std::string>&) const { return "a list"; }
    std::string operator()(Unusable value) const { return std::string(value.what); }
  };
  return std::visit(Words{}, given.value);
}

const std::string* untyped_text(const Given& given) {
  return given.untyped ? std::get_if<std::string>(&given.value) : nullptr;
}

Result<std::string> text_of(const Given& given) {
  if (auto* text = std::get_if<std::string>(&given.value)) return *text;
  return wrong("must be text in quotes, not " + in_words(given));
}

// One convert() for each type of setting: the value, or the end of the sentence "the setting ...".

Result<bool> convert(const Given& given, const Setting&, Member<bool>) {
  if (auto* value = std::get_if<bool>(&given.value)) return *value;
  if (auto* text = untyped_text(given); text && (*text == "true" || *text == "false")) return *text == "true";
  return wrong("must be true or false, not " + in_words(given));
}

Result<std::uint32_t> convert(const Given& given, const Setting& setting, Member<std::uint32_t>) {
  std::int64_t number = 0;
  bool is_number = false;
  if (auto* value = std::get_if<std::int64_t>(&given.value)) {
    number = *value;
    is_number = true;
  } else if (auto* text = untyped_text(given)) {
    auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    is_number = error == std::errc{} && end == text->data() + text->size();
  }
  if (!is_number) return wrong("must be a whole number, not " + in_words(given));
  if (number < setting.least || number > setting.greatest) {
    return wrong("must be " + range_text(setting) + ", not " + std::to_string(number));
  }
  return static_cast<std::uint32_t>(number);
}

Result<std::string> convert(const Given& given, const Setting&, Member<std::string>) { return text_of(given); }

Result<Secret> convert(const Given& given, const Setting&, Member<Secret>) {
  auto text = text_of(given);
  if (!text) return wrong("must be text in quotes");  // without the value: it is a secret all the same
  return Secret(*text);
}

Result<milliseconds> checked_duration(std::string_view text, const Setting& setting) {
  auto duration = parse_duration(text);
  if (!duration) return duration;
  if (duration->count() < setting.least || duration->count() > setting.greatest) {
    return wrong("must be " + range_text(setting) + ", not " + to_text(*duration));
  }
  return duration;
}

Result<milliseconds> convert(const Given& given, const Setting& setting, Member<milliseconds>) {
  if (auto* number = std::get_if<std::int64_t>(&given.value)) return checked_duration(std::to_string(*number), setting);
  auto text = text_of(given);
  if (!text) return text.error();
  return checked_duration(*text, setting);
}

Result<std::vector<milliseconds>> convert(const Given& given, const Setting& setting,
                                          Member<std::vector<milliseconds>>) {
  std::vector<std::string> texts;
  if (auto* list = std::get_if<std::vector<std::string>>(&given.value)) {
    texts = *list;
  } else if (auto* text = untyped_text(given)) {
    for (std::size_t begin = 0; begin < text->size();) {
      std::size_t comma = std::min(text->find(',', begin), text->size());
      texts.push_back(text->substr(begin, comma - begin));
      begin = comma + 1;
    }
  } else {
    return wrong("must be a list such as [\"3d\", \"5d\"], not " + in_words(given));
  }
  if (texts.size() > durations_max) {
    return wrong("must be " + range_text(setting) + ", not a list of " + std::to_string(texts.size()));
  }
  std::vector<milliseconds> durations;
  for (const std::string& text : texts) {
    auto duration = checked_duration(text, setting);
    if (!duration) return duration.error();
    durations.push_back(*duration);
  }
  return durations;
}

Result<ListenAddress> convert(const Given& given, const Setting&, Member<ListenAddress>) {
  auto text = text_of(given);
  if (!text) return text.error();
  return parse_listen_address(*text);
}

Result<RedisAddress> convert(const Given& given, const Setting&, Member<RedisAddress>) {
  auto text = text_of(given);
  if (!text) return text.error();
  return parse_redis_address(*text);
}

template <class Choice>
Result<Choice> convert(const Given& given, const Setting& setting, Member<Choice>) {
  auto* text = std::get_if<std::string>(&given.value);
  auto chosen = std::ranges::find_if(choices<Choice>, [&](Choice c) { return text && name_of(c) == *text; });
  if (chosen == choices<Choice>.end()) return wrong("must be " + range_text(setting) + ", not " + in_words(given));
  return *chosen;
}

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
      // Only what looks like a slip is refused: container platforms invent names such as BILLD_SERVICE_PORT.
      if (auto near = nearest_name(name, names)) problem(Place{"environment"}, unknown("variable", name, near));
    }
  }

  void read_overrides(const Overrides& overrides) {
    for (const auto& [path, text] : overrides) {
      Place place{"command line"};
      const Setting* setting = find(path);
      if (setting != nullptr) {
        set(*setting, Given{text, place, true});
      } else {
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
    require(s.api.listen.port == 0 || s.api.listen != s.operators.listen,
            "`api.listen` and `operators.listen` must differ");
    require(is_loopback(s.operators.listen) || !s.operators.tokens_file.empty(),
            "`operators.listen` is " + to_text(s.operators.listen) +
                ", which is not the loopback: set `operators.tokens_file`, and make a token for each operator with "
                "`billd tokens create`");
    require(s.http.connections_per_peer_max <= s.http.connections_max,
            "`http.connections_per_peer_max` must not be above `http.connections_max`");
    require(s.jobs.batch_max <= s.jobs.in_flight_max, "`jobs.batch_max` must not be above `jobs.in_flight_max`");
    require(s.jobs.lease_interval * 3 <= s.jobs.lease_timeout,
            "`jobs.lease_interval` must be at most a third of `jobs.lease_timeout`");
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
    std::vector<std::string> sections;
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
    auto assign = [&](auto member) {
      auto value = convert(given, setting, member);
      if (value) {
        member(settings_) = *value;
        is_set_.insert(setting.path);
      } else {
        problem(given.place, "`" + std::string(setting.path) + "` " + value.error().detail);
      }
    };
    std::visit(assign, setting.member);
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

Result<std::string> read_file(const std::filesystem::path& path) {
  auto unreadable = [&](int reason) { return wrong("cannot read " + path.string() + ": " + std::strerror(reason)); };
  // A directory can be opened; that it cannot be read would show as an exception only.
  if (std::error_code ignored; std::filesystem::is_directory(path, ignored)) return unreadable(EISDIR);
  std::ifstream file(path, std::ios::binary);
  if (!file) return unreadable(errno);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

/// The path of a file with secrets, as the setting gives it.
std::filesystem::path secret_path(const std::string& given, const Environment& environment) {
  std::filesystem::path path = given;
  auto credentials = environment.find("CREDENTIALS_DIRECTORY");
  return path.is_relative() && credentials != environment.end() ? credentials->second / path : path;
}

Result<std::string> read_secret_file(const std::filesystem::path& path, const std::string& setting) {
  struct stat status = {};
  if (stat(path.c_str(), &status) == 0 && (status.st_mode & S_IRWXO) != 0) {
    return wrong("`" + setting + "`: others may use " + path.string() + ": take the right from them with chmod o=");
  }
  auto text = read_file(path);
  if (!text) return wrong("`" + setting + "`: " + text.error().detail);
  return text;
}

Result<Secret> read_password(const Settings& settings, const Environment& environment) {
  const std::filesystem::path path = secret_path(settings.redis.password_file, environment);
  auto text = read_secret_file(path, "redis.password_file");
  if (!text) return text.error();
  std::string password = text->substr(0, text->find_first_of("\r\n"));
  if (password.empty()) return wrong("`redis.password_file`: the first line of " + path.string() + " is empty");
  return Secret(std::move(password));
}

Result<std::vector<OperatorToken>> read_tokens(const Settings& settings, const Environment& environment) {
  const std::filesystem::path path = secret_path(settings.operators.tokens_file, environment);
  auto text = read_secret_file(path, "operators.tokens_file");
  if (!text) return text.error();
  auto tokens = parse_operator_tokens(*text, path.string());
  if (tokens && tokens->empty())
    return wrong("`operators.tokens_file`: there is no token in " + path.string() +
                 ": make one with `billd tokens create`");
  return tokens;
}

std::string derived_name(const Settings& settings) {
  std::array<char, 256> host = {};
  if (gethostname(host.data(), host.size() - 1) != 0) std::strcpy(host.data(), "localhost");
  // Two daemons of one host cannot share the API's port; where the system chooses it, the directory tells them apart.
  std::uint16_t port = settings.api.listen.port;
  return std::string(host.data()) + ":" + (port != 0 ? std::to_string(port) : settings.state_directory);
}

}  // namespace

Rules billing_rules(const BillingSettings& settings) {
  return Rules{
      .invoice_finalize_delay = settings.invoice_finalize_delay,
      .retry_schedule = {settings.retry_schedule.begin(), settings.retry_schedule.end()},
      .final_action = settings.final_action,
      .incomplete_expires_after = settings.incomplete_expires_after,
      .charge_resolve_after = settings.charge_resolve_after,
      .charge_key_life = settings.charge_key_life,
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
    auto contents = read_file(*file);
    if (!contents) return contents.error();
    text = *contents;
  }
  auto settings = read_settings(text, file ? file->string() : "", environment, overrides);
  if (!settings) return settings;
  if (!settings->redis.password_file.empty()) {
    auto password = read_password(*settings, environment);
    if (!password) return password.error();
    settings->redis.password = *password;
  }
  if (!settings->operators.tokens_file.empty()) {
    auto tokens = read_tokens(*settings, environment);
    if (!tokens) return tokens.error();
    settings->operators.tokens = std::move(*tokens);
  }
  if (settings->daemon.name.empty()) settings->daemon.name = derived_name(*settings);
  return settings;
}

}  // namespace billd
