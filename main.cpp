// The command line of billd.
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <cstdio>

#include "commands/commands.hpp"

namespace {

using namespace billd;

constexpr const char* version = BILLD_VERSION;

/// Options that say where the settings come from; every command that needs settings has them.
struct SettingOptions {
  std::string file, state_directory, listen, operators;
  std::vector<std::string> assignments;
  bool development = false;

  void add_to(CLI::App& command) {
    command.add_option("--config", file, "Configuration file (TOML); see `billd --sample-config`")
        ->type_name("FILE")
        ->check(CLI::ExistingFile);
    command.add_option("--state-dir", state_directory, "Directory of the daemon's own files and the embedded Redis")
        ->type_name("DIR");
    command.add_option("--set", assignments, "One setting, such as redis.address=127.0.0.1:6379")
        ->type_name("PATH=VALUE");
  }

  Result<Settings> load() const {
    Overrides overrides;
    for (const std::string& assignment : assignments) {
      const std::size_t equals = assignment.find('=');
      if (equals == std::string::npos)
        return Failure{Errc::bad_configuration,
                       "--set takes PATH=VALUE, such as --set log.level=debug; got \"" + assignment + "\""};
      overrides[assignment.substr(0, equals)] = assignment.substr(equals + 1);
    }
    if (!state_directory.empty()) overrides["state_directory"] = state_directory;
    if (!listen.empty()) overrides["api.listen"] = listen;
    if (!operators.empty()) overrides["operators.listen"] = operators;
    if (development) overrides["development"] = "true";
    std::optional<std::filesystem::path> path;
    if (!file.empty()) path = file;
    return load_settings(path, process_environment(), overrides);
  }
};

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("billd: a self-hosted recurring-billing engine, reached through the APIs that programs already speak.",
               "billd");
  app.set_version_flag("--version", std::string("billd ") + version);
  app.require_subcommand(0, 1);
  app.get_formatter()->column_width(34);
  app.failure_message(CLI::FailureMessage::help);
  bool sample = false;
  app.add_flag("--sample-config", sample, "Print a configuration file with every setting explained");

  SettingOptions options;
  int status = 0;
  auto with_settings = [&options, &status](auto command) {
    return [&options, &status, command] {
      const auto settings = options.load();
      if (!settings) std::fprintf(stderr, "%s\n", settings.error().detail.c_str());
      status = settings ? command(*settings) : 2;
    };
  };

  CLI::App* serve = app.add_subcommand("serve", "Run the daemon");
  options.add_to(*serve);
  serve->add_option("--listen", options.listen, "Where programs reach the APIs")->type_name("ADDRESS:PORT");
  serve->add_option("--operators", options.operators, "Where operators reach the status page")
      ->type_name("ADDRESS:PORT");
  serve->add_flag("--dev", options.development,
                  "For local use and the CI of integrations: any test key is accepted, loopback only");
  serve->callback(with_settings([&options](const Settings& settings) {
    return commands::serve(settings, [&options] { return options.load(); });
  }));

  CLI::App* keys = app.add_subcommand("keys", "Make, list and revoke API keys");
  keys->require_subcommand(1);
  commands::CreateKeyOptions key_options;
  CLI::App* create = keys->add_subcommand("create", "Make a key and print it, this once");
  options.add_to(*create);
  create->add_option("--mode", key_options.mode, "test or live")
      ->transform(CLI::CheckedTransformer(std::map<std::string, Mode>{{"test", Mode::test}, {"live", Mode::live}}))
      ->type_name("MODE")
      ->required();
  create->add_option("--name", key_options.name, "What it is for, such as \"web shop\"")->type_name("TEXT");
  create->add_flag("--json", key_options.json, "Print JSON");
  create->callback(
      with_settings([&](const Settings& settings) { return commands::create_key(settings, key_options); }));

  bool json = false;
  CLI::App* list = keys->add_subcommand("list", "List the keys; their secrets are not kept");
  options.add_to(*list);
  list->add_flag("--json", json, "Print JSON");
  list->callback(with_settings([&](const Settings& settings) { return commands::list_keys(settings, json); }));

  std::string key_id;
  CLI::App* revoke = keys->add_subcommand("revoke", "Refuse a key from now on");
  options.add_to(*revoke);
  revoke->add_option("id", key_id, "The key's id from `billd keys list`, or the key itself")->required();
  revoke->callback(with_settings([&](const Settings& settings) { return commands::revoke_key(settings, key_id); }));

  bool print_configuration_wanted = false;
  CLI::App* check =
      app.add_subcommand("check-config", "Read the configuration, connect to Redis, check its durability");
  options.add_to(*check);
  check->add_flag("--print-config", print_configuration_wanted, "Only print the settings in force, without secrets");
  check->add_flag("--json", json, "Print JSON");
  check->callback(with_settings([&](const Settings& settings) {
    if (!print_configuration_wanted) return commands::check_configuration(settings, json);
    std::printf("%s", print_configuration(settings).c_str());
    return 0;
  }));

  commands::VerifyCommandOptions verify_options;
  CLI::App* verify =
      app.add_subcommand("verify", "Prove the invariants of the data, beside a running daemon or without");
  options.add_to(*verify);
  verify->add_flag("--rebuild", verify_options.rebuild, "Write timers and indexes anew from the accounts");
  verify->add_flag("--accept-data-loss", verify_options.accept_data_loss,
                   "Let money move again after Redis came back with less than it had acknowledged");
  verify->add_flag("--json", verify_options.json, "Print JSON");
  verify->callback(
      with_settings([&](const Settings& settings) { return commands::verify_data(settings, verify_options); }));

  commands::DemoOptions demo_options;
  CLI::App* demo = app.add_subcommand("demo", "Fill a running daemon with customers on test clocks and let time pass");
  demo->add_option("--api", demo_options.api, "The daemon's API")->type_name("URL")->capture_default_str();
  demo->add_option("--key", demo_options.key, "A test key")->type_name("KEY")->capture_default_str();
  demo->add_option("--customers", demo_options.customers, "How many customers, each with a card and a subscription")
      ->capture_default_str()
      ->check(CLI::Range(1, 1'000'000));
  demo->add_option("--months", demo_options.months, "How many months pass")
      ->capture_default_str()
      ->check(CLI::Range(1, 120));
  demo->add_flag("--json", demo_options.json, "Print JSON");
  demo->callback([&] { status = commands::demo(demo_options); });

  CLI::App* bench = app.add_subcommand("bench", "Measure, with the limit beside each figure");
  bench->require_subcommand(1);
  commands::RenewalBenchmarkOptions bench_options;
  CLI::App* renewals = bench->add_subcommand("renewals", "Renewals per second, beside the same writes replayed alone");
  renewals->add_option("--subscriptions", bench_options.subscriptions, "How many become due at once")
      ->capture_default_str()
      ->check(CLI::Range(100, 10'000'000));
  renewals->add_flag("--json", bench_options.json, "Print JSON");
  renewals->callback([&] { status = commands::benchmark_renewals(bench_options); });

  CLI11_PARSE(app, argc, argv);
  if (sample) {
    std::printf("%s", sample_configuration().c_str());
  } else if (app.get_subcommands().empty()) {
    std::printf("%s", app.help().c_str());
  }
  return status;
}
