// The commands of billd, as main.cpp starts them. Each returns the process' exit status and prints its errors itself.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "config/keys.hpp"
#include "config/settings.hpp"
#include "config/staff.hpp"
#include "engine/account.hpp"

namespace billd::commands {

/// Runs the daemon until it is told to stop. On SIGHUP it takes over what `load` reads.
int serve(const Settings& settings, std::function<Result<Settings>()> load);

struct CreateKeyOptions {
  Mode mode = Mode::test;
  KeyKind api = KeyKind::stripe;
  std::string name;
  std::string api_version;  ///< of Stripe's API, for requests that name none; empty: the newest
  bool json = false;
};
/// Makes an API key and prints it, once: only its hash is kept.
int create_key(const Settings& settings, const CreateKeyOptions& options);
int list_keys(const Settings& settings, bool json);
/// `id` is what list_keys() shows, or the key itself.
int revoke_key(const Settings& settings, const std::string& id);

struct CreateUserOptions {
  Mode mode = Mode::test;
  StaffRole role = StaffRole::administrator;
  std::string name;
  bool json = false;
};
/// Makes an administrator or a service user and prints the secret, once: only its hash is kept.
int create_user(const Settings& settings, const CreateUserOptions& options);
int list_users(const Settings& settings, bool json);
struct NamedUserOptions {
  Mode mode = Mode::test;
  std::string name;
  bool json = false;
};
/// Gives a new secret in place of the old one, and prints it.
int rotate_user(const Settings& settings, const NamedUserOptions& options);
int remove_user(const Settings& settings, const NamedUserOptions& options);

struct CheckOptions {
  std::optional<std::string> file;  ///< that the settings were read from
  bool json = false;
};
/// Looks at everything that a daemon with these settings would depend on, and says how to mend what is wrong. 1 when a
/// daemon should not be started so.
int check_configuration(const Settings& settings, const CheckOptions& options);

struct VerifyCommandOptions {
  bool rebuild = false;
  bool accept_data_loss = false;
  bool json = false;
};
int verify_data(const Settings& settings, const VerifyCommandOptions& options);

/// How commands reach a running daemon.
struct DaemonOptions {
  std::string url;         ///< of the operators' listener; empty: where the settings say
  std::string token_file;  ///< whose first line is an operator's token; empty: BILLD_OPERATOR_TOKEN, or none
};

struct QueuesOptions {
  DaemonOptions daemon;
  std::string queue;  ///< empty: all of them
  bool json = false;
};
/// Prints the queues, what is parked and what failed; or one queue and what stands first in it.
int show_queues(const Settings& settings, const QueuesOptions& options);

struct OperateOptions {
  DaemonOptions daemon;
  std::string action;  ///< "retry", "park", "unpark", "pause", "resume"
  std::string account, mode, queue, reason;
  bool all = false;  ///< of retry and unpark: every parked account
  std::string why;
  std::string by;    ///< empty: the user
  bool yes = false;  ///< asks nothing
  bool json = false;
};
/// Does it through a running daemon, which writes it into the audit log.
int operate(const Settings& settings, const OperateOptions& options);

struct TopOptions {
  DaemonOptions daemon;
  std::uint32_t interval_ms = 1000;
  std::uint32_t rounds = 0;  ///< 0: until it is interrupted
  bool json = false;         ///< one object a line instead of a screen
};
/// The status of a running daemon, live in a terminal.
int top(const Settings& settings, const TopOptions& options);

/// Looks at what a daemon with these settings depends on, and says what will break and what mends it.
int doctor(const Settings& settings, bool json);

struct TokenOptions {
  std::string name, role, file;
  bool json = false;
};
/// Makes an operator's token, prints it this once, and appends its line to the file.
int create_token(const TokenOptions& options);

/// Explains the metrics.
int explain_metrics();

struct DeliveriesOptions {
  std::string endpoint;      ///< empty: all
  std::string event, since;  ///< what to deliver again: exactly one of them
  std::uint32_t limit = 100;
  bool json = false;
};
/// Prints the deliveries of webhooks that wait for a retry or were given up, the latest first.
int list_deliveries(const Settings& settings, const DeliveriesOptions& options);
/// Has the running daemon deliver an event, or all since a moment, again.
int retry_deliveries(const Settings& settings, const DeliveriesOptions& options);

struct ExplainOptions {
  std::string id;  ///< of a customer, subscription, schedule or invoice
  bool json = false;
};
/// Tells in plain sentences what was billed, what will be and when, and by which rule.
int explain(const Settings& settings, const ExplainOptions& options);

struct ForecastOptions {
  std::string until;         ///< a day in UTC, 2026-12-31, which is looked at whole
  std::string customer;      ///< empty: all
  std::string test_clock;    ///< those who live on it, in its time; empty: those in real time
  std::optional<Mode> mode;  ///< empty: live; of one customer, wherever it is
  bool json = false;
};
/// Tells what will be charged on each day in each currency, as far as time alone brings it.
int forecast(const Settings& settings, const ForecastOptions& options);

struct ImportOptions {
  Mode mode = Mode::test;
  std::string url, key_file;  ///< of the API; or
  std::string file;           ///< of its answers
  std::string gateway = "test";
  std::string tokens;  ///< a file with the gateway's name for each card, by its identifier or fingerprint
  std::uint32_t customers_at_once = 8;  ///< read and written at the same time, 1 to 64
  bool json = false;
};
/// Brings customers along from another system: what is there already stays as it is. 3 when something was not taken.
int import_customers(const Settings& settings, const ImportOptions& options);

struct DemoOptions {
  std::string api = "http://127.0.0.1:4242";
  std::string key = "sk_test_demo";
  std::uint32_t customers = 1000;
  std::uint32_t months = 12;
  bool json = false;
};
/// Fills a running daemon with customers on test clocks through its API and lets time pass.
int demo(const DemoOptions& options);

struct RenewalBenchmarkOptions {
  std::uint32_t subscriptions = 100'000;
  bool json = false;
};
/// Renews that many subscriptions, and replays the same writes with nothing else running: the limit.
int benchmark_renewals(const RenewalBenchmarkOptions& options);

}  // namespace billd::commands
