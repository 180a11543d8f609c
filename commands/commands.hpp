// The commands of billd, as main.cpp starts them. Each returns the process' exit status and prints its errors itself.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "config/settings.hpp"
#include "engine/account.hpp"

namespace billd::commands {

/// Runs the daemon until it is told to stop. On SIGHUP it takes over what `load` reads.
int serve(const Settings& settings, std::function<Result<Settings>()> load);

struct CreateKeyOptions {
  Mode mode = Mode::test;
  std::string name;
  bool json = false;
};
/// Makes an API key and prints it, once: only its hash is kept.
int create_key(const Settings& settings, const CreateKeyOptions& options);
int list_keys(const Settings& settings, bool json);
/// `id` is what list_keys() shows, or the key itself.
int revoke_key(const Settings& settings, const std::string& id);

/// Looks at everything that a daemon with these settings would depend on, and says how to mend what is wrong.
int check_configuration(const Settings& settings, bool json);

struct VerifyCommandOptions {
  bool rebuild = false;
  bool accept_data_loss = false;
  bool json = false;
};
int verify_data(const Settings& settings, const VerifyCommandOptions& options);

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
