// Settings: what is read from where, what is refused with which words, and that the sample tells the truth.
#include "config/settings.hpp"

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <set>

#include "config/setting_table.hpp"

namespace billd {

void PrintTo(const Setting& setting, std::ostream* stream) { *stream << setting.path; }

namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using testing::Not;

Result<Settings> read(std::string_view text, const Environment& environment = {}, const Overrides& overrides = {}) {
  return read_settings(text, "billd.toml", environment, overrides);
}

std::string problems_of(std::string_view text, const Environment& environment = {}, const Overrides& overrides = {}) {
  auto settings = read(text, environment, overrides);
  if (settings) return "";
  EXPECT_EQ(settings.error().code, Errc::bad_configuration);
  return settings.error().detail;
}

std::string contents_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

const std::filesystem::path source_directory = BILLD_SOURCE_DIRECTORY;

/// A directory of the test's own, removed with all that is in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "billd-config-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  std::filesystem::path write(const std::string& name, std::string_view text, mode_t mode = 0600) const {
    std::filesystem::path file = path_ / name;
    std::ofstream(file) << text;
    chmod(file.c_str(), mode);
    return file;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

TEST(Settings, AreTheDefaultsWhenNothingIsGiven) {
  auto settings = read("");
  ASSERT_TRUE(settings);
  EXPECT_EQ(*settings, Settings{});
}

TEST(Settings, AreReadFromTheFile) {
  auto settings = read(R"(
    state_directory = "/srv/billd"
    development = true
    [log]
    level = "warning"
    [api]
    listen = "[::1]:8080"
    [http]
    body_bytes_max = 4_096
    idle_timeout = "90s"
    [redis]
    address = "unix:/run/redis/redis.sock"
    password = "hush"
    [billing]
    retry_schedule = ["1d", "36h"]
    final_action = "unpaid"
    tax_rounding = "invoice"
    [gateways.test]
    latency = "250ms"
  )");
  ASSERT_TRUE(settings) << settings.error().detail;
  Settings expected;
  expected.state_directory = "/srv/billd";
  expected.development = true;
  expected.log.level = LogLevel::warning;
  expected.api.listen = {"::1", 8080};
  expected.http.body_bytes_max = 4'096;
  expected.http.idle_timeout = std::chrono::seconds(90);
  expected.redis.address = {.kind = RedisAddress::Kind::unix_socket, .path = "/run/redis/redis.sock"};
  expected.redis.password = Secret("hush");
  expected.billing.retry_schedule = {std::chrono::days(1), std::chrono::hours(36)};
  expected.billing.final_action = FinalAction::unpaid;
  expected.billing.tax_rounding = TaxRounding::invoice;
  expected.gateways.test.latency = milliseconds(250);
  EXPECT_EQ(*settings, expected);
}

TEST(Settings, AreReadFromDottedNamesToo) {
  auto settings = read("redis.address = \"localhost:6379\"\ngateways.test.latency = \"1s\"\n");
  ASSERT_TRUE(settings) << settings.error().detail;
  EXPECT_EQ(to_text(settings->redis.address), "localhost:6379");
  EXPECT_EQ(settings->gateways.test.latency, std::chrono::seconds(1));
}

TEST(Settings, OfTheCommandLineWinOverTheEnvironmentAndThatOverTheFile) {
  std::string file = "partitions = 1\n[http]\nheader_fields_max = 11\nconnections_max = 51\n";
  Environment environment = {{"BILLD_HTTP_HEADER_FIELDS_MAX", "12"}, {"BILLD_HTTP_CONNECTIONS_MAX", "52"}};
  auto settings = read(file, environment, {{"http.connections_max", "53"}});
  ASSERT_TRUE(settings) << settings.error().detail;
  EXPECT_EQ(settings->partitions, 1u);
  EXPECT_EQ(settings->http.header_fields_max, 12u);
  EXPECT_EQ(settings->http.connections_max, 53u);
}

TEST(Settings, TakeTheStateDirectoryFromSystemdUnlessItIsSet) {
  Environment systemd = {{"STATE_DIRECTORY", "/var/lib/billd-2:/var/lib/other"}};
  EXPECT_EQ(read("", systemd)->state_directory, "/var/lib/billd-2");
  EXPECT_EQ(read("state_directory = \"/srv\"", systemd)->state_directory, "/srv");
  EXPECT_EQ(read("", systemd, {{"state_directory", "/tmp/x"}})->state_directory, "/tmp/x");
}

struct Mistake {
  std::string file;
  std::string expected;
};

class WrongFile : public testing::TestWithParam<Mistake> {};

TEST_P(WrongFile, IsRefusedInTheseWords) { EXPECT_EQ(problems_of(GetParam().file), GetParam().expected); }

INSTANTIATE_TEST_SUITE_P(
    Names, WrongFile,
    testing::Values(Mistake{"[redis]\nadress = \"embedded\"",
                            "billd.toml:2:1: unknown setting `redis.adress`: did you mean `redis.address`?"},
                    Mistake{"[redsi]\naddress = \"embedded\"\nusername = \"me\"",
                            "billd.toml:1:2: unknown section `redsi`: did you mean `redis`?"},
                    Mistake{"header_timeout = \"1s\"",
                            "billd.toml:1:1: unknown setting `header_timeout`: did you mean `http.header_timeout`?"},
                    Mistake{"colour = \"red\"", "billd.toml:1:1: unknown setting `colour`"},
                    Mistake{"redis = \"embedded\"",
                            "billd.toml:1:1: `redis` is a section, not a setting: write [redis] above its settings"},
                    Mistake{"[api.listen]\nport = 80",
                            "billd.toml:1:1: `api.listen` must be text in quotes, not a section"},
                    Mistake{"\"a\\nb\" = 1", "billd.toml:1:1: unknown setting `a?b`"}));

INSTANTIATE_TEST_SUITE_P(
    Values, WrongFile,
    testing::Values(
        Mistake{"development = 1", "billd.toml:1:15: `development` must be true or false, not 1"},
        Mistake{"development = \"true\"", "billd.toml:1:15: `development` must be true or false, not \"true\""},
        Mistake{"partitions = \"16\"", "billd.toml:1:14: `partitions` must be a whole number, not \"16\""},
        Mistake{"partitions = 1.5",
                "billd.toml:1:14: `partitions` must be a whole number, not a number with a fraction"},
        Mistake{"partitions = 0", "billd.toml:1:14: `partitions` must be 1 to 4096 partitions, not 0"},
        Mistake{"partitions = 4294967312",
                "billd.toml:1:14: `partitions` must be 1 to 4096 partitions, not 4294967312"},
        Mistake{"redis.database = -1", "billd.toml:1:18: `redis.database` must be 0 to 65535, not -1"},
        Mistake{"state_directory = 5", "billd.toml:1:19: `state_directory` must be text in quotes, not 5"},
        Mistake{"redis.password = 1234", "billd.toml:1:18: `redis.password` must be text in quotes"},
        Mistake{"http.idle_timeout = 60",
                "billd.toml:1:21: `http.idle_timeout` must have a unit: write \"60s\" for 60 seconds (units: ms, s, m, "
                "h, d)"},
        Mistake{"http.idle_timeout = \"1 minute\"",
                "billd.toml:1:21: `http.idle_timeout` must be a duration such as \"30s\" (units: ms, s, m, h, d), not "
                "\"1 minute\""},
        Mistake{"http.idle_timeout = \"2h\"", "billd.toml:1:21: `http.idle_timeout` must be 100ms to 1h, not 2h"},
        Mistake{"http.idle_timeout = 07:32:00",
                "billd.toml:1:21: `http.idle_timeout` must be text in quotes, not a date or time"},
        Mistake{"billing.retry_schedule = \"3d\"",
                "billd.toml:1:26: `billing.retry_schedule` must be a list such as [\"3d\", \"5d\"], not \"3d\""},
        Mistake{"billing.retry_schedule = [3, 5]",
                "billd.toml:1:26: `billing.retry_schedule` must have a unit: write \"3s\" for 3 seconds (units: ms, s, "
                "m, h, d)"},
        Mistake{"billing.retry_schedule = [\"3d\", \"61d\"]",
                "billd.toml:1:26: `billing.retry_schedule` must be at most 10, each 1m to 60d, not 61d"},
        Mistake{"billing.retry_schedule = " + ("[\"1d\"" +
                                               [] {
                                                 std::string more;
                                                 for (int i = 0; i < 10; ++i) more += ", \"1d\"";
                                                 return more + "]";
                                               }()),
                "billd.toml:1:26: `billing.retry_schedule` must be at most 10, each 1m to 60d, not a list of 11"},
        Mistake{"billing.final_action = \"delete\"",
                "billd.toml:1:24: `billing.final_action` must be \"cancel\", \"unpaid\" or \"past_due\", not "
                "\"delete\""},
        Mistake{"log.level = \"loud\"",
                "billd.toml:1:13: `log.level` must be \"trace\", \"debug\", \"info\", \"warning\", \"error\" or "
                "\"critical\", not \"loud\""},
        Mistake{"api.listen = \"4242\"",
                "billd.toml:1:14: `api.listen` must be an IP address and a port such as \"127.0.0.1:4242\" or "
                "\"[::1]:4242\", not \"4242\""},
        Mistake{"redis.address = \"redis\"",
                "billd.toml:1:17: `redis.address` must be \"embedded\", \"unix:/path/to/socket\" or \"host:port\", not "
                "\"redis\""}));

INSTANTIATE_TEST_SUITE_P(
    Listeners, WrongFile,
    testing::Values(
        Mistake{"api.tls.key_file = \"/x\"", "`api.tls` needs both `certificate_file` and `key_file`"},
        Mistake{
            "faces.stancer.listen = \"stancer\"",
            "billd.toml:1:24: `faces.stancer.listen` must be an IP address and a port such as \"127.0.0.1:4242\" or "
            "\"[::1]:4242\", not \"stancer\""},
        Mistake{"faces.stancer.listen = \"127.0.0.1:4242\"",
                "`faces.stancer.listen` (127.0.0.1:4242) and `api.listen` (127.0.0.1:4242) collide: give one of them "
                "another port"},
        Mistake{"api.listen = \"0.0.0.0:4243\"",
                "`operators.listen` (127.0.0.1:4243) and `api.listen` (0.0.0.0:4243) collide: give one of them "
                "another port"},
        Mistake{"api.listen = \"[::]:4243\"",
                "`operators.listen` (127.0.0.1:4243) and `api.listen` ([::]:4243) collide: give one of them "
                "another port"},
        Mistake{"faces.stancer.hosts = \"a\"",
                "billd.toml:1:23: `faces.stancer.hosts` must be a list such as [\"one\", \"two\"], not \"a\""},
        Mistake{"faces.stancer.hosts = [\"\"]", "`faces.stancer.hosts` must not hold empty texts"},
        Mistake{"faces.stancer.hosts = [\"a\"]\nfaces.stripe.hosts = [\"a\"]",
                "`faces.stancer.hosts`: a is named twice"},
        Mistake{"faces.stancer.path_prefix = \"pay/\"",
                "`faces.stancer.path_prefix` must begin with / and not end with it"},
        Mistake{"faces.stancer.path_prefix = \"/a\"\nfaces.management.path_prefix = \"/a\"",
                "`faces.management.path_prefix` is another API's prefix, too"}));

INSTANTIATE_TEST_SUITE_P(
    Combinations, WrongFile,
    testing::Values(
        Mistake{"state_directory = \"\"", "`state_directory` must not be empty"},
        Mistake{"state_directory = \"/" + std::string(100, 'x') + "\"",
                "`state_directory` must be at most 90 bytes long, for a Unix socket lies in it"},
        Mistake{
            "redis.username = \"me\"",
            "`redis.username` and `redis.password` are of no use with the embedded Redis: set `redis.address`, too"},
        Mistake{"redis.address = \"a:1\"\nredis.password = \"x\"\nredis.password_file = \"/x\"",
                "`redis.password` and `redis.password_file` must not both be set"},
        Mistake{"operators.listen = \"0.0.0.0:4243\"",
                "`operators.listen` is 0.0.0.0:4243, which is not the loopback: set `operators.tokens_file`, "
                "and make a token for each operator with `billd tokens create`"},
        Mistake{"http.connections_max = 31",
                "`http.connections_per_peer_max` must not be above `http.connections_max`"},
        Mistake{"jobs.in_flight_max = 255", "`jobs.batch_max` must not be above `jobs.in_flight_max`"},
        Mistake{"jobs.lease_timeout = \"1199ms\"",
                "`jobs.lease_interval` must be at most a third of `jobs.lease_timeout`"}));

TEST(WrongSyntax, IsRefusedWithItsPlace) {
  EXPECT_THAT(problems_of("[http]\nheader_timeout = \n"), HasSubstr("billd.toml:2:"));
  EXPECT_THAT(problems_of("partitions = 1\npartitions = 2\n"), HasSubstr("billd.toml:2:"));
}

TEST(Mistakes, AreAllToldAtOnceInTheOrderOfTheirPlaces) {
  std::string file = "[redis]\nadress = \"x\"\n[http]\nidle_timeout = 5\n[api]\nlisten = \"x:1\"\n";
  Environment environment = {{"BILLD_PARTITIONS", "many"}};
  Overrides overrides = {{"log.levle", "info"}};
  EXPECT_EQ(problems_of(file, environment, overrides),
            "billd.toml:2:1: unknown setting `redis.adress`: did you mean `redis.address`?\n"
            "billd.toml:4:16: `http.idle_timeout` must have a unit: write \"5s\" for 5 seconds (units: ms, s, m, h, "
            "d)\n"
            "billd.toml:6:10: `api.listen` must hold an IP address, not the name `x`\n"
            "environment variable BILLD_PARTITIONS: `partitions` must be a whole number, not \"many\"\n"
            "command line: unknown setting `log.levle`: did you mean `log.level`?");
}

TEST(Mistakes, NeverTellASecret) {
  EXPECT_THAT(problems_of("redis.password = [\"hunter2\"]"), Not(HasSubstr("hunter2")));
}

TEST(Environment, MisspeltNamesAreRefusedAndForeignOnesIgnored) {
  EXPECT_EQ(problems_of("", {{"BILLD_REDIS_ADRESS", "x"}}),
            "environment: unknown variable `BILLD_REDIS_ADRESS`: did you mean `BILLD_REDIS_ADDRESS`?");
  EXPECT_TRUE(read("", {{"BILLD_SERVICE_PORT", "1"}, {"BILLD_PORT_4242_TCP", "x"}, {"REDIS_ADDRESS", "x"}}));
}

/// A value other than the default for each setting, as the environment would give it.
std::string another_value(const Setting& setting) {
  static const std::map<std::string_view, std::string> values = {
      {"state_directory", "/srv/billd"},
      {"development", "true"},
      {"daemon.name", "left"},
      {"log.level", "error"},
      {"log.format", "json"},
      {"api.listen", "[::1]:1"},
      {"operators.listen", "[::1]:2"},
      {"operators.tokens_file", "/etc/billd/tokens"},
      {"operators.host", "billd.internal"},
      {"redis.address", "redis.internal:6379"},
      {"redis.username", "me"},
      {"redis.password_file", "/run/secrets/redis"},
      {"redis.password", "hunter2"},
      {"redis.allow_unsafe_durability", "true"},
      {"billing.retry_schedule", "1d,2d"},
      {"webhooks.retry_waits", "1m,2m"},
      {"billing.final_action", "past_due"},
      {"billing.tax_rounding", "invoice"},
      {"gateways.new_sources", "acme"},
      {"gateways.test.faults", "none,answer_lost"},
  };
  auto found = values.find(setting.path);
  if (found != values.end()) return found->second;
  if (setting.path.ends_with(".listen")) return "[::1]:3";
  if (setting.path.ends_with(".hosts")) return "a.example.com,b.example.com";
  if (setting.path.ends_with(".path_prefix")) return "/pay";
  if (setting.path.ends_with("_file")) return "/etc/billd/tls.pem";
  bool is_duration = std::holds_alternative<Member<milliseconds>>(setting.member);
  // Within its range, and within what is required of jobs.lease_interval and http.connections_max together.
  bool wants_least = setting.path == "jobs.lease_interval" || setting.path == "jobs.batch_max" ||
                     setting.path == "http.connections_per_peer_max" ||
                     value_text(setting, Settings{}) == "\"" + to_text(milliseconds(setting.greatest)) + "\"";
  std::int64_t value = wants_least ? setting.least : setting.greatest;
  return is_duration ? to_text(milliseconds(value)) : std::to_string(value);
}

class EachSetting : public testing::TestWithParam<Setting> {
 protected:
  /// What another setting must be for this one to make sense.
  static std::string file_for(const Setting& setting) {
    // A certificate and its key come together.
    for (std::string_view end : {".certificate_file", ".key_file"}) {
      if (!setting.path.ends_with(end)) continue;
      const std::string section(setting.path.substr(0, setting.path.size() - end.size()));
      return section + (end == ".key_file" ? ".certificate_file" : ".key_file") + " = \"/etc/billd/other.pem\"\n";
    }
    bool is_credential = setting.path.starts_with("redis.username") || setting.path.starts_with("redis.password");
    if (setting.path == "gateways.new_sources") return "[gateways.acme]\nkind = \"stripe\"\nkey_file = \"acme-key\"\n";
    return is_credential ? "redis.address = \"redis.internal:6379\"\n" : "";
  }
};

TEST_P(EachSetting, IsTakenFromTheEnvironment) {
  const Setting& setting = GetParam();
  auto before = read("");
  auto after = read(file_for(setting), {{environment_name(setting), another_value(setting)}});
  ASSERT_TRUE(after) << after.error().detail;
  EXPECT_NE(value_text(setting, *before), value_text(setting, *after));
}

TEST_P(EachSetting, IsTakenFromTheCommandLine) {
  const Setting& setting = GetParam();
  Environment environment = {{environment_name(setting), another_value(setting)}};
  auto by_environment = read(file_for(setting), environment);
  auto by_override = read(file_for(setting), {}, {{std::string(setting.path), another_value(setting)}});
  ASSERT_TRUE(by_override) << by_override.error().detail;
  EXPECT_EQ(*by_environment, *by_override);
}

TEST_P(EachSetting, HasADefaultWithinItsRange) {
  const Setting& setting = GetParam();
  std::string text = std::string(setting.path) + " = " + value_text(setting, Settings{});
  auto settings = read(text);
  ASSERT_TRUE(settings) << settings.error().detail;
  EXPECT_EQ(*settings, Settings{});
}

TEST_P(EachSetting, HasTheRangeThatItsHeaderTells) {
  const Setting& setting = GetParam();
  bool is_duration = std::holds_alternative<Member<milliseconds>>(setting.member) ||
                     std::holds_alternative<Member<std::vector<milliseconds>>>(setting.member);
  if (!is_duration && !std::holds_alternative<Member<std::uint32_t>>(setting.member)) return;
  auto text = [&](std::int64_t bound) { return is_duration ? to_text(milliseconds(bound)) : std::to_string(bound); };
  std::string header = contents_of(source_directory / "config/settings.hpp");
  std::size_t member = header.find(" " + std::string(key_of(setting)) + " = ");
  ASSERT_NE(member, std::string::npos);
  std::size_t comment = header.rfind(";\n", member);
  std::string said = header.substr(comment, member - comment);
  // "0 (any) to 1000000" is a range, too; and nothing takes no unit.
  const std::string least = setting.least == 0 ? "0s?" : text(setting.least);
  EXPECT_THAT(said, testing::ContainsRegex(least + "( \\([a-z]+\\))? to " + text(setting.greatest)));
}

INSTANTIATE_TEST_SUITE_P(Table, EachSetting, testing::ValuesIn(setting_table().begin(), setting_table().end()),
                         [](const auto& setting) { return environment_name(setting.param); });

TEST(SettingTable, HasEachSettingOnceAndTellsItsMeaningInSentences) {
  std::set<std::string> names;
  for (const Setting& setting : setting_table()) {
    EXPECT_TRUE(names.insert(environment_name(setting)).second) << setting.path;
    EXPECT_TRUE(setting.meaning.ends_with('.')) << setting.path;
    EXPECT_LE(setting.least, setting.greatest) << setting.path;
  }
}

TEST(SettingTable, KeepsTheSettingsOfASectionTogether) {
  std::set<std::string_view> left;
  std::string_view section;
  for (const Setting& setting : setting_table()) {
    if (section_of(setting) == section) continue;
    left.insert(section);
    section = section_of(setting);
    EXPECT_FALSE(left.contains(section)) << setting.path;
  }
}

TEST(BillingRules, AreTheEnginesOwnByDefault) {
  Rules expected;
  Rules rules = billing_rules(Settings{}.billing);
  EXPECT_EQ(rules.invoice_finalize_delay, expected.invoice_finalize_delay);
  EXPECT_EQ(rules.retry_schedule, expected.retry_schedule);
  EXPECT_EQ(rules.final_action, expected.final_action);
  EXPECT_EQ(rules.incomplete_expires_after, expected.incomplete_expires_after);
  EXPECT_EQ(rules.charge_resolve_after, expected.charge_resolve_after);
  EXPECT_EQ(rules.charge_key_life, expected.charge_key_life);
  EXPECT_EQ(rules.charge_resolve_max, expected.charge_resolve_max);
  EXPECT_EQ(rules.charge_pending_poll_after, expected.charge_pending_poll_after);
  EXPECT_EQ(rules.charge_pending_poll_max, expected.charge_pending_poll_max);
  EXPECT_EQ(rules.charge_pending_limit, expected.charge_pending_limit);
  EXPECT_EQ(rules.renewal_grace, expected.renewal_grace);
  EXPECT_EQ(rules.overdue_final_after, expected.overdue_final_after);
  EXPECT_EQ(rules.upcoming_notice, expected.upcoming_notice);
}

TEST(SampleConfiguration, IsTheFileInTheRepository) {
  EXPECT_EQ(contents_of(source_directory / "config/billd.toml"), sample_configuration())
      << "write it anew: billd --sample-config > config/billd.toml";
}

TEST(SampleConfiguration, IsTheDefaultsAsItStandsAndWithEverySettingSwitchedOn) {
  auto as_it_stands = read(sample_configuration());
  ASSERT_TRUE(as_it_stands) << as_it_stands.error().detail;
  EXPECT_EQ(*as_it_stands, Settings{});

  // A "#" without a space after it hides a setting.
  std::string switched_on;
  std::string sample = sample_configuration();
  for (std::size_t i = 0; i < sample.size(); ++i) {
    bool hides = sample[i] == '#' && (i == 0 || sample[i - 1] == '\n') && sample[i + 1] != ' ';
    if (!hides) switched_on += sample[i];
  }
  auto all = read(switched_on);
  ASSERT_TRUE(all) << all.error().detail;
  EXPECT_EQ(*all, Settings{});
  for (const Setting& setting : setting_table()) {
    EXPECT_THAT(switched_on, HasSubstr("\n" + std::string(key_of(setting)) + " = ")) << setting.path;
  }
}

TEST(PrintedConfiguration, MakesTheSameSettingsAgain) {
  Settings settings;
  settings.daemon.name = "quote\" backslash\\ line\nend\x7F";
  settings.redis.address = {.kind = RedisAddress::Kind::tcp, .host = "fd00::5", .port = 6379};
  settings.redis.database = 3;
  settings.billing.retry_schedule = {};
  settings.billing.final_action = FinalAction::past_due;
  settings.billing.tax_rounding = TaxRounding::invoice;
  settings.gateways.test.latency = milliseconds(1'500);
  auto again = read(print_configuration(settings));
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(*again, settings);
}

TEST(PrintedConfiguration, TellsThatASecretIsSetButNotWhichAndNotHowLongItIs) {
  Settings settings;
  EXPECT_THAT(print_configuration(settings), Not(HasSubstr("password is")));
  settings.redis.password = Secret("hunter2");
  EXPECT_THAT(print_configuration(settings), HasSubstr("# password is set, and not shown\n"));
  EXPECT_THAT(print_configuration(settings), Not(HasSubstr("hunter2")));
}

TEST(LoadSettings, ReadsTheFileAndDerivesTheDaemonsName) {
  TemporaryDirectory directory;
  auto file = directory.write("billd.toml", "[api]\nlisten = \"127.0.0.1:5000\"\n");
  auto settings = load_settings(file, {}, {});
  ASSERT_TRUE(settings) << settings.error().detail;
  std::array<char, 256> host = {};
  gethostname(host.data(), host.size());
  EXPECT_EQ(settings->daemon.name, std::string(host.data()) + ":5000");
}

TEST(LoadSettings, KeepsTheNameThatIsSet) {
  auto settings = load_settings(std::nullopt, {{"BILLD_DAEMON_NAME", "left"}}, {});
  ASSERT_TRUE(settings) << settings.error().detail;
  EXPECT_EQ(settings->daemon.name, "left");
}

TEST(LoadSettings, TellsTheDaemonsApartWhosePortTheSystemChooses) {
  Overrides left = {{"api.listen", "127.0.0.1:0"}, {"state_directory", "/left"}};
  Overrides right = {{"api.listen", "127.0.0.1:0"}, {"state_directory", "/right"}};
  EXPECT_NE(load_settings(std::nullopt, {}, left)->daemon.name, load_settings(std::nullopt, {}, right)->daemon.name);
}

TEST(LoadSettings, RefusesAFileThatCannotBeRead) {
  TemporaryDirectory directory;
  auto missing = directory.path() / "missing.toml";
  auto settings = load_settings(missing, {}, {});
  ASSERT_FALSE(settings);
  EXPECT_EQ(settings.error(),
            (Failure{Errc::bad_configuration, "cannot read " + missing.string() + ": No such file or directory"}));
  EXPECT_FALSE(load_settings(directory.path(), {}, {}));
}

TEST(LoadSettings, TakesThePasswordFromTheFirstLineOfItsFile) {
  TemporaryDirectory directory;
  auto file = directory.write("redis-password", "correct horse\nignored\n");
  Overrides overrides = {{"redis.address", "localhost:6379"}, {"redis.password_file", file.string()}};
  auto settings = load_settings(std::nullopt, {}, overrides);
  ASSERT_TRUE(settings) << settings.error().detail;
  EXPECT_EQ(settings->redis.password.reveal(), "correct horse");
}

TEST(LoadSettings, FindsARelativePasswordFileAmongSystemdsCredentials) {
  TemporaryDirectory directory;
  directory.write("redis-password", "staple\n", 0440);
  Environment environment = {{"CREDENTIALS_DIRECTORY", directory.path().string()}};
  Overrides overrides = {{"redis.address", "localhost:6379"}, {"redis.password_file", "redis-password"}};
  auto settings = load_settings(std::nullopt, environment, overrides);
  ASSERT_TRUE(settings) << settings.error().detail;
  EXPECT_EQ(settings->redis.password.reveal(), "staple");
}

TEST(LoadSettings, TellsOfEverySecretFileThatIsWrongAtOnce) {
  TemporaryDirectory directory;
  auto key = directory.write("key", "sk_live_1\n");
  auto open = directory.write("password", "secret\n", 0640);
  std::filesystem::permissions(open, std::filesystem::perms::others_read, std::filesystem::perm_options::add);
  auto settings = load_settings(std::nullopt, {},
                                {{"redis.address", "localhost:6379"},
                                 {"redis.password_file", open.string()},
                                 {"gateways.acme.kind", "stripe"},
                                 {"gateways.acme.key_file", key.string()},
                                 {"operators.tokens_file", (directory.path() / "tokens").string()},
                                 {"webhooks.secret_file", "webhook-secret"}});
  ASSERT_FALSE(settings);
  EXPECT_EQ(
      settings.error().detail,
      "`redis.password_file`: others may use " + open.string() + ": take the right from them with `chmod o= " +
          open.string() + "`, and exchange the secret if they may have read it\n`operators.tokens_file`: cannot read " +
          (directory.path() / "tokens").string() +
          ": No such file or directory\n`gateways.acme.key_file`: a live key, but the gateway's mode is \"test\": "
          "put the test key there, or set `gateways.acme.mode = \"live\"`\n`webhooks.secret_file`: cannot read "
          "webhook-secret: No such file or directory: a relative path is meant for systemd's credentials directory, "
          "which only the unit has (LoadCredential=); elsewhere it is taken from the working directory");
}

TEST(LoadSettings, RefusesAPasswordFileThatOthersMayReadOrThatHoldsNone) {
  TemporaryDirectory directory;
  auto load = [](const std::filesystem::path& file) {
    return load_settings(std::nullopt, {},
                         {{"redis.address", "localhost:6379"}, {"redis.password_file", file.string()}});
  };
  EXPECT_THAT(load(directory.write("open", "secret\n", 0644)).error().detail, HasSubstr("chmod o="));
  EXPECT_THAT(load(directory.write("empty", "\nsecret\n")).error().detail, HasSubstr("the first line of"));
  EXPECT_THAT(load(directory.path() / "missing").error().detail, HasSubstr("No such file"));
}

// Sections with names of their own

constexpr const char* two_processors = R"(
[gateways.acme]
kind = "stripe"
mode = "live"
key_file = "acme-key"
requests_per_second_max = 80
[gateways.house-bank]
kind = "http"
url = "https://pay.example.com/billd"
key_file = "bank-key"
request_timeout = "5s"
[webhook_sources.acme]
kind = "stripe"
secret_files = ["one", "two"]
)";

TEST(NamedSections, HoldAnyNumberOfProcessorsAndSendersOfWebhooks) {
  auto settings = read(two_processors);
  ASSERT_TRUE(settings) << settings.error().detail;
  ASSERT_EQ(settings->gateways.processors.size(), 2u);
  const ProcessorSettings& acme = settings->gateways.processors.at("acme");
  EXPECT_EQ(acme.kind, ProcessorKind::stripe);
  EXPECT_EQ(acme.mode, Mode::live);
  EXPECT_EQ(acme.requests_per_second_max, 80u);
  EXPECT_EQ(settings->gateways.processors.at("house-bank").request_timeout, std::chrono::seconds(5));
  EXPECT_EQ(settings->webhook_sources.at("acme").secret_files, (std::vector<std::string>{"one", "two"}));
  auto again = read(print_configuration(*settings));
  ASSERT_TRUE(again) << again.error().detail;
  EXPECT_EQ(*again, *settings);
}

TEST(NamedSections, AreSetFromTheEnvironmentAndTheCommandLine) {
  auto settings = read("", {{"BILLD_GATEWAYS_ACME_KIND", "stancer"}, {"BILLD_GATEWAYS_ACME_KEY_FILE", "k"}},
                       {{"gateways.acme.url", "http://127.0.0.1:1"},
                        {"webhook_sources.acme.kind", "standard"},
                        {"webhook_sources.acme.secret_files", "a,b"}});
  ASSERT_TRUE(settings) << settings.error().detail;
  EXPECT_EQ(settings->gateways.processors.at("acme").kind, ProcessorKind::stancer);
  EXPECT_EQ(settings->gateways.processors.at("acme").url, "http://127.0.0.1:1");
  EXPECT_EQ(settings->webhook_sources.at("acme").secret_files.size(), 2u);
}

TEST(NamedSections, AreCheckedLikeEverythingElse) {
  EXPECT_EQ(problems_of("[gateways.acme]\nkind = \"visa\"\n"),
            "billd.toml:2:8: `gateways.acme.kind` must be \"stripe\", \"stancer\" or \"http\", not \"visa\"\n"
            "`gateways.acme.kind` must be set\n`gateways.acme.key_file` must be set");
  EXPECT_EQ(problems_of("[gateways.acme]\nkind = \"stripe\"\nkey_file = \"k\"\nkye_file = \"k\"\n"),
            "billd.toml:4:12: unknown setting `gateways.acme.kye_file`: did you mean `gateways.acme.key_file`?");
  EXPECT_THAT(problems_of("[gateways.Acme]\nkind = \"stripe\"\n"), HasSubstr("a name is 1 to 40 of a-z"));
  EXPECT_EQ(problems_of("[gateways.acme]\nkind = \"http\"\nkey_file = \"k\"\nrequest_timeout = \"30s\"\n"),
            "`gateways.acme.url` must be set\n"
            "`gateways.acme.request_timeout` must be less than `billing.charge_resolve_after`");
  EXPECT_EQ(problems_of("gateways.new_sources = \"acme\""),
            "`gateways.new_sources` names the gateway \"acme\", which has no section");
  EXPECT_EQ(problems_of("[webhook_sources.acme]\nkind = \"hmac\"\nheader = \"\"\n"),
            "`webhook_sources.acme.secret_files` must name a file\n`webhook_sources.acme.header` must not be empty");
}

TEST(NamedSections, TakeTheirKeysFromFilesOfTheRightMode) {
  TemporaryDirectory directory;
  auto load = [&](const std::string& kind, const std::string& mode, const std::string& key) {
    const std::string file = directory.write("key", key + "\n", 0400).string();
    auto settings = load_settings(std::nullopt, {},
                                  {{"gateways.acme.kind", kind},
                                   {"gateways.acme.mode", mode},
                                   {"gateways.acme.url", "https://localhost"},
                                   {"gateways.acme.key_file", file}});
    std::filesystem::remove(directory.path() / "key");
    return settings ? settings->gateways.processors.at("acme").key.reveal() : settings.error().detail;
  };
  EXPECT_EQ(load("stripe", "test", "sk_test_1"), "sk_test_1");
  EXPECT_EQ(load("stripe", "live", "rk_live_1"), "rk_live_1");
  EXPECT_EQ(load("stancer", "live", "sprod_1"), "sprod_1");
  EXPECT_EQ(load("http", "live", "whatever"), "whatever");
  EXPECT_THAT(load("stripe", "live", "sk_test_1"), HasSubstr("a test key, but the gateway's mode is \"live\""));
  EXPECT_THAT(load("stripe", "test", "sk_live_1"), HasSubstr("a live key, but the gateway's mode is \"test\""));
  EXPECT_THAT(load("stancer", "test", "sk_test_1"), HasSubstr("this is no secret key of stancer's"));
  EXPECT_THAT(load("stripe", "test", "pk_test_1"), Not(HasSubstr("pk_test_1")));
}

TEST(ListenAddresses, CollideWhereOnePortIsMeantTwice) {
  auto at = [](const char* text) { return parse_listen_address(text).value(); };
  const std::tuple<const char*, const char*, bool> cases[] = {
      {"127.0.0.1:1", "127.0.0.1:1", true},  {"127.0.0.1:1", "127.0.0.1:2", false},
      {"127.0.0.1:0", "127.0.0.1:0", false}, {"127.0.0.1:1", "127.0.0.2:1", false},
      {"0.0.0.0:1", "127.0.0.1:1", true},    {"0.0.0.0:1", "[::1]:1", false},
      {"[::]:1", "127.0.0.1:1", true},       {"[::]:1", "[::1]:1", true},
      {"[::]:1", "0.0.0.0:1", true},         {"[::1]:1", "127.0.0.1:1", false},
  };
  for (const auto& [one, other, expected] : cases) {
    EXPECT_EQ(collide(at(one), at(other)), expected) << one << " " << other;
    EXPECT_EQ(collide(at(other), at(one)), expected) << other << " " << one;
  }
}

TEST(ProcessEnvironment, HoldsTheVariablesOfTheProcess) {
  setenv("BILLD_CONFIG_TEST_VARIABLE", "a=b", 1);
  EXPECT_EQ(process_environment().at("BILLD_CONFIG_TEST_VARIABLE"), "a=b");
  unsetenv("BILLD_CONFIG_TEST_VARIABLE");
}

}  // namespace
}  // namespace billd
