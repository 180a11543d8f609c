// The command line of billd.
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "bench/benchmarks.hpp"
#include "commands/commands.hpp"
#include "commands/written.hpp"

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
        ->type_name("PATH=VALUE")
        ->allow_extra_args(false);  // what comes after its one value is the command's
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

template <class T>
using Choices = std::vector<std::pair<std::string, T>>;

const Choices<Mode> modes = {{"test", Mode::test}, {"live", Mode::live}};

/// An option whose value is one of a few names; anything else is refused with them.
template <class T>
CLI::Option* add_choice(CLI::App& command, const std::string& name, T& chosen, const Choices<T>& choices,
                        const std::string& description) {
  std::string names, sentence = "must be ";
  for (std::size_t i = 0; i < choices.size(); ++i) {
    names += (i == 0 ? "" : "|") + choices[i].first;
    sentence += (i == 0 ? "" : i + 1 < choices.size() ? ", " : " or ") + choices[i].first;
  }
  auto choose = [&chosen, choices](const std::string& given) {
    for (const auto& [each, value] : choices)
      if (each == given) chosen = value;
  };
  auto check = [choices, sentence](const std::string& given) {
    const bool is_known = std::ranges::any_of(choices, [&](const auto& each) { return each.first == given; });
    return is_known ? std::string() : sentence + ", not \"" + given + "\"";
  };
  return command.add_option_function<std::string>(name, choose, description)->type_name(names)->check(check, "", "");
}

/// Options by which a command finds a running daemon.
void add_daemon_options(CLI::App& command, commands::DaemonOptions& daemon) {
  command.add_option("--at", daemon.url, "The operators' listener, where the settings do not say it")->type_name("URL");
  command.add_option("--token-file", daemon.token_file, "A file with an operator's token; or BILLD_OPERATOR_TOKEN")
      ->type_name("FILE");
}

/// What operators do from a terminal.
class OperatorCommands {
 public:
  OperatorCommands(CLI::App& app, SettingOptions& options, int& status) : options_(options), status_(status) {
    add_watching(app);
    add_acting(app);
    add_tokens(app);
  }

 private:
  template <class Command>
  auto with_settings(Command command) {
    return [this, command] {
      const auto settings = options_.load();
      if (!settings) std::fprintf(stderr, "%s\n", settings.error().detail.c_str());
      status_ = settings ? command(*settings) : 2;
    };
  }

  void add_watching(CLI::App& app) {
    CLI::App* top = app.add_subcommand("top", "The status of a running daemon, live in a terminal");
    options_.add_to(*top);
    add_daemon_options(*top, top_.daemon);
    top->add_option("--interval", top_.interval_ms, "Milliseconds between two looks")
        ->capture_default_str()
        ->check(CLI::Range(100, 60'000));
    top->add_option("--rounds", top_.rounds, "How often to look; 0: until it is interrupted")->capture_default_str();
    top->add_flag("--json", top_.json, "Print JSON, one object a line");
    top->callback(with_settings([this](const Settings& settings) { return commands::top(settings, top_); }));

    CLI::App* queues = app.add_subcommand("queues", "The queues, what is parked and what failed");
    options_.add_to(*queues);
    add_daemon_options(*queues, queues_.daemon);
    queues->add_option("queue", queues_.queue, "One queue, with what stands first in it");
    queues->add_flag("--json", queues_.json, "Print JSON");
    queues->callback(
        with_settings([this](const Settings& settings) { return commands::show_queues(settings, queues_); }));

    CLI::App* doctor =
        app.add_subcommand("doctor", "Look at Redis and the machine: what will break, and the command that mends it");
    options_.add_to(*doctor);
    doctor->add_flag("--json", is_json_, "Print JSON");
    doctor->callback(with_settings([this](const Settings& settings) { return commands::doctor(settings, is_json_); }));

    app.add_subcommand("metrics", "Explain the metrics")->callback([this] { status_ = commands::explain_metrics(); });
  }

  void add_acting(CLI::App& app) {
    struct Kind {
      const char *name, *description;
      bool is_of_queue, is_of_many;
    };
    constexpr Kind kinds[] = {
        {"retry", "Let parked accounts back into their queues and try their work at once", false, true},
        {"unpark", "Let parked accounts back into their queues", false, true},
        {"park", "Take an account out of its queues", false, false},
        {"pause", "Begin nothing of what waits in a queue", true, false},
        {"resume", "Go on with a queue", true, false},
    };
    for (const Kind& kind : kinds) {
      CLI::App* command = app.add_subcommand(kind.name, kind.description);
      options_.add_to(*command);
      add_daemon_options(*command, operate_.daemon);
      if (kind.is_of_queue) {
        command->add_option("queue", operate_.queue, "The queue")->required();
      } else {
        CLI::Option* account =
            command->add_option("account", operate_.account, "The identifier of a customer, or of what belongs to one");
        if (!kind.is_of_many) account->required();
        command->add_option("--mode", operate_.mode, "test or live, where an account is in both")->type_name("MODE");
      }
      if (kind.is_of_many) {
        command->add_option("--queue", operate_.queue, "All that are parked in this queue")->type_name("NAME");
        command->add_option("--reason", operate_.reason, "All that are parked for this reason")->type_name("TEXT");
        command->add_flag("--all", operate_.all, "All that are parked");
        command->add_flag("--yes", operate_.yes, "Ask nothing");
      }
      command->add_option("--why", operate_.why, "The reason, for the audit log")->type_name("TEXT")->required();
      command->add_option("--by", operate_.by, "Who does it, where no token says so; the user")->type_name("NAME");
      command->add_flag("--json", operate_.json, "Print JSON");
      command->callback(with_settings([this, name = kind.name](const Settings& settings) {
        operate_.action = name;
        return commands::operate(settings, operate_);
      }));
    }
  }

  void add_tokens(CLI::App& app) {
    CLI::App* tokens = app.add_subcommand("tokens", "Make tokens for operators");
    tokens->require_subcommand(1);
    CLI::App* create = tokens->add_subcommand("create", "Make a token and print it, this once");
    create->add_option("--name", token_.name, "The operator, as the audit log calls them")
        ->type_name("NAME")
        ->required();
    create->add_option("--role", token_.role, "read: looks; act: looks and acts")->type_name("ROLE")->required();
    create->add_option("--file", token_.file, "The file that operators.tokens_file names; the token's hash is appended")
        ->type_name("FILE")
        ->required();
    create->add_flag("--json", token_.json, "Print JSON");
    create->callback([this] { status_ = commands::create_token(token_); });
  }

  SettingOptions& options_;
  int& status_;
  commands::TopOptions top_;
  commands::QueuesOptions queues_;
  commands::OperateOptions operate_;
  commands::TokenOptions token_;
  bool is_json_ = false;
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

  std::function<std::string(const CLI::App&)> write;
  // For the build: what it installs beside the program. Not for people, who find it installed.
  app.add_option_function<std::string>("--write",
                                       [&write](const std::string& what) {
                                         if (what == "manual") write = commands::manual;
                                         if (what == "settings-manual")
                                           write = [](const CLI::App&) { return commands::settings_manual(); };
                                         if (what == "bash-completion") write = commands::bash_completion;
                                         if (what == "zsh-completion") write = commands::zsh_completion;
                                       })
      ->check(CLI::IsMember({"manual", "settings-manual", "bash-completion", "zsh-completion"}))
      ->group("");

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
  add_choice(*create, "--mode", key_options.mode, modes, "Whether real money moves with it")->required();
  add_choice(*create, "--api", key_options.api, {{"stripe", KeyKind::stripe}, {"stancer", KeyKind::stancer}},
             "The API that the key is for; Stripe's unless given");
  create->add_option("--name", key_options.name, "What it is for, such as \"web shop\"")->type_name("TEXT");
  create
      ->add_option("--api-version", key_options.api_version,
                   "Version of Stripe's API for requests that name none, such as 2018-05-21")
      ->type_name("DATE");
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

  CLI::App* users = app.add_subcommand("users", "Make, list, renew and remove administrators and service users");
  users->require_subcommand(1);
  commands::CreateUserOptions user_options;
  CLI::App* create_user = users->add_subcommand("create", "Make one and print the secret, this once");
  options.add_to(*create_user);
  create_user->add_option("name", user_options.name, "3 to 20 of A-Z, a-z, 0-9, _ and -; a service user's begins api-")
      ->required();
  add_choice(*create_user, "--mode", user_options.mode, modes, "Whose customers they may see")->required();
  add_choice(*create_user, "--role", user_options.role,
             {{"administrator", StaffRole::administrator}, {"service", StaffRole::service}},
             "Administrator of the funding sources API, or service user of the Management API")
      ->required();
  create_user->add_flag("--json", user_options.json, "Print JSON");
  create_user->callback(
      with_settings([&](const Settings& settings) { return commands::create_user(settings, user_options); }));

  CLI::App* list_users = users->add_subcommand("list", "List them; their secrets are not kept");
  options.add_to(*list_users);
  list_users->add_flag("--json", json, "Print JSON");
  list_users->callback(with_settings([&](const Settings& settings) { return commands::list_users(settings, json); }));

  commands::NamedUserOptions named_user;
  auto add_named_user = [&](const char* name, const char* what) {
    CLI::App* command = users->add_subcommand(name, what);
    options.add_to(*command);
    command->add_option("name", named_user.name, "The name, from `billd users list`")->required();
    add_choice(*command, "--mode", named_user.mode, modes, "Whose customers they may see")->required();
    return command;
  };
  CLI::App* rotate_user = add_named_user("rotate", "Print a new secret; the old one is refused from now on");
  rotate_user->add_flag("--json", named_user.json, "Print JSON");
  rotate_user->callback(
      with_settings([&](const Settings& settings) { return commands::rotate_user(settings, named_user); }));
  add_named_user("remove", "Refuse one from now on")->callback(with_settings([&](const Settings& settings) {
    return commands::remove_user(settings, named_user);
  }));

  bool print_configuration_wanted = false;
  CLI::App* check = app.add_subcommand(
      "check-config",
      "Read the configuration and check all that it depends on: gateways' keys, files, certificates, "
      "addresses, Redis and its clock");
  options.add_to(*check);
  check->add_flag("--print-config", print_configuration_wanted, "Only print the settings in force, without secrets");
  check->add_flag("--json", json, "Print JSON");
  check->callback(with_settings([&](const Settings& settings) {
    commands::CheckOptions checked;
    if (!options.file.empty()) checked.file = options.file;
    checked.json = json;
    if (!print_configuration_wanted) return commands::check_configuration(settings, checked);
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

  commands::ExplainOptions explain_options;
  CLI::App* explain = app.add_subcommand("explain", "Why a customer, subscription, schedule or invoice is as it is");
  options.add_to(*explain);
  explain->add_option("id", explain_options.id, "Its identifier")->required();
  explain->add_flag("--json", explain_options.json, "Print JSON");
  explain->callback(
      with_settings([&](const Settings& settings) { return commands::explain(settings, explain_options); }));

  commands::ForecastOptions forecast_options;
  CLI::App* forecast = app.add_subcommand("forecast", "What will be charged on each day; nothing is written");
  options.add_to(*forecast);
  forecast->add_option("--until", forecast_options.until, "The last day, in UTC")->type_name("DATE")->required();
  CLI::Option* forecast_of =
      forecast->add_option("--customer", forecast_options.customer, "One customer instead of all")->type_name("ID");
  CLI::Option* forecast_clock =
      forecast->add_option("--test-clock", forecast_options.test_clock, "The customers on a test clock, in its time")
          ->type_name("ID")
          ->excludes(forecast_of);
  Mode forecast_mode = Mode::live;
  const CLI::Option* mode_is_given =
      add_choice(*forecast, "--mode", forecast_mode, modes, "Whose charges (default: live)")->excludes(forecast_clock);
  forecast->add_flag("--json", forecast_options.json, "Print JSON");
  forecast->callback(with_settings([&](const Settings& settings) {
    if (mode_is_given->count() > 0) forecast_options.mode = forecast_mode;
    return commands::forecast(settings, forecast_options);
  }));

  const OperatorCommands operator_commands(app, options, status);

  commands::DeliveriesOptions delivery_options;
  CLI::App* deliveries = app.add_subcommand("deliveries", "Webhooks that wait or were given up, and delivering again");
  deliveries->require_subcommand(1);
  CLI::App* list_deliveries = deliveries->add_subcommand("list", "List what waits for a retry and what was given up");
  options.add_to(*list_deliveries);
  list_deliveries->add_option("--endpoint", delivery_options.endpoint, "Of this webhook endpoint only")
      ->type_name("ID");
  list_deliveries->add_option("--limit", delivery_options.limit, "At most so many, the latest first")
      ->capture_default_str()
      ->check(CLI::Range(1, 100'000));
  list_deliveries->add_flag("--json", delivery_options.json, "Print JSON");
  list_deliveries->callback(
      with_settings([&](const Settings& settings) { return commands::list_deliveries(settings, delivery_options); }));
  CLI::App* retry_deliveries = deliveries->add_subcommand("retry", "Deliver an event, or all since a moment, again");
  options.add_to(*retry_deliveries);
  retry_deliveries->add_option("--event", delivery_options.event, "This event")->type_name("ID");
  retry_deliveries->add_option("--since", delivery_options.since, "Everything since this Unix time, or so long ago")
      ->type_name("TIME");
  retry_deliveries->add_option("--endpoint", delivery_options.endpoint, "To this webhook endpoint only")
      ->type_name("ID");
  retry_deliveries->callback(
      with_settings([&](const Settings& settings) { return commands::retry_deliveries(settings, delivery_options); }));

  commands::ImportOptions import_options;
  CLI::App* bring = app.add_subcommand("import", "Bring customers along from an API of Stripe's kind, or its answers");
  options.add_to(*bring);
  add_choice(*bring, "--mode", import_options.mode, modes, "Whether real money moves with them")->required();
  bring->add_option("--from", import_options.url, "The API, such as https://api.stripe.com")->type_name("URL");
  bring->add_option("--key-file", import_options.key_file, "The file whose first line is the API's key")
      ->type_name("FILE")
      ->check(CLI::ExistingFile);
  bring
      ->add_option("--file", import_options.file,
                   "A JSON object of the API's lists instead: products, plans, prices, coupons, promotion_codes, "
                   "tax_rates, test_clocks, customers, sources, tax_ids, payment_methods, subscriptions, "
                   "subscription_schedules, usage_record_summaries, invoices, invoiceitems")
      ->type_name("FILE")
      ->check(CLI::ExistingFile);
  bring->add_option("--gateway", import_options.gateway, "The gateway that charges the cards")->capture_default_str();
  bring
      ->add_option("--tokens", import_options.tokens,
                   "A JSON object: the gateway's name for each card, by the card's id or fingerprint; of a gateway "
                   "of kind stripe it is the customer's and the card's own ids")
      ->type_name("FILE")
      ->check(CLI::ExistingFile);
  bring
      ->add_option("--at-once", import_options.customers_at_once,
                   "Most customers that are read and written at the same time")
      ->type_name("CUSTOMERS")
      ->capture_default_str()
      ->check(CLI::Range(1, 64));
  bring->add_flag("--json", import_options.json, "Print JSON");
  bring->footer(
      "Every identifier is kept. A second run takes customers who are new and changes nothing of those that are\n"
      "there, also after one that was killed. What cannot be taken is printed with the reason, and makes the exit\n"
      "status 3. Interrupted (Ctrl-C) it finishes the customers under way; the same command again goes on from\n"
      "there. A key that may only read is enough. Let the former system bill nothing any more before the first run:\n"
      "the next period of each subscription is billd's.");
  bring->callback(
      with_settings([&](const Settings& settings) { return commands::import_customers(settings, import_options); }));

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

  bench::StatusOptions status_options;
  CLI::App* status_page =
      bench->add_subcommand("status", "How quickly operators and readers are answered, with many accounts queued");
  status_page->add_option("--queued", status_options.queued, "How many accounts wait")
      ->capture_default_str()
      ->check(CLI::Range(100, 10'000'000));
  status_page->add_option("--due", status_options.due, "How many of them are due at once")
      ->capture_default_str()
      ->check(CLI::Range(1, 10'000'000));
  status_page->add_option("--seconds", status_options.seconds, "Of the measurement when nothing is due any more")
      ->capture_default_str()
      ->check(CLI::Range(1, 600));
  status_page->add_flag("--json", status_options.json, "Print JSON");
  status_page->callback([&] { status = bench::measure_status(status_options); });

  bench::SearchOptions search_options;
  CLI::App* search = bench->add_subcommand("search", "Searches of customers by each filter of the Management API");
  search->add_option("--customers", search_options.customers, "How many there are")
      ->capture_default_str()
      ->check(CLI::Range(1'000, 10'000'000));
  search->add_option("--searches", search_options.searches, "How many of each kind")
      ->capture_default_str()
      ->check(CLI::Range(10, 1'000'000));
  search->add_flag("--json", search_options.json, "Print JSON");
  search->callback([&] { status = bench::measure_search(search_options); });

  bench::ForecastOptions foresight_options;
  CLI::App* foresight = bench->add_subcommand("forecast", "A forecast of a whole book: its time and its memory");
  foresight->add_option("--customers", foresight_options.customers, "How many pay every month")
      ->capture_default_str()
      ->check(CLI::Range(100, 10'000'000));
  foresight->add_option("--days", foresight_options.days, "How far ahead")
      ->capture_default_str()
      ->check(CLI::Range(1, 3'650));
  foresight->add_flag("--json", foresight_options.json, "Print JSON");
  foresight->callback([&] { status = bench::measure_forecast(foresight_options); });

  CLI11_PARSE(app, argc, argv);
  if (write) {
    std::printf("%s", write(app).c_str());
  } else if (sample) {
    std::printf("%s", sample_configuration().c_str());
  } else if (app.get_subcommands().empty()) {
    std::printf("%s", app.help().c_str());
  }
  return status;
}
