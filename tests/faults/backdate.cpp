// Writes accounts whose daily subscriptions began days ago and were never renewed since, as a daemon that was stopped
// for so long would find them: backdate ACCOUNTS DAYS PATH=VALUE..., where the last are settings.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "bench/population.hpp"
#include "commands/session.hpp"
#include "config/settings.hpp"
#include "net/gateways/test_gateway.hpp"

namespace billd {
namespace {

Plan daily_plan(Timestamp created) {
  Plan plan;
  plan.id = PlanId("daily");
  plan.product = ProductId("prod_daily");
  plan.product_name = "By the day";
  plan.created = created;
  plan.unit_amount = {100, Currency::of("usd")};
  plan.recurrence = {Interval::day, 1};
  return plan;
}

awaitable<Result<int>> write(Executor executor, commands::Session& session, std::size_t accounts, int days) {
  const Timestamp now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const Timestamp began = now - std::chrono::days(days);
  bench::PopulationSettings population;
  population.accounts = accounts;
  population.plan = daily_plan(began - std::chrono::days(1));
  // A second apart, so that "in due order" says something; all of them more than `days` periods ago.
  population.subscribed_at = [began](std::size_t i) { return began - std::chrono::seconds(i + 1); };
  Plan plan = population.plan;
  auto put = co_await session.catalog().put<Plan>(Mode::test, std::move(plan), std::nullopt);
  if (!put) co_return put.error();
  gateways::TestGateway gateway(executor, session.store(), Milliseconds(0));
  auto populated = co_await bench::populate(session.store(), gateway, std::move(population));
  if (!populated) co_return populated.error();
  co_return 0;
}

awaitable<Result<int>> run(Executor executor, const Settings& settings, std::size_t accounts, int days) {
  commands::Session session(executor, settings);
  auto opened = co_await session.open();
  Result<int> written = 1;
  if (opened)
    written = co_await write(executor, session, accounts, days);
  else
    written = opened.error();
  co_await session.close();
  co_return written;
}

}  // namespace
}  // namespace billd

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: backdate ACCOUNTS DAYS PATH=VALUE...\n");
    return 2;
  }
  billd::Overrides overrides;
  for (int i = 3; i < argc; ++i) {
    const std::string assignment = argv[i];
    const std::size_t equals = assignment.find('=');
    if (equals != std::string::npos) overrides[assignment.substr(0, equals)] = assignment.substr(equals + 1);
  }
  const auto settings = billd::load_settings(std::nullopt, {}, overrides);
  if (!settings) {
    std::fprintf(stderr, "%s\n", settings.error().detail.c_str());
    return 2;
  }
  std::error_code ignored;
  std::filesystem::create_directories(settings->state_directory, ignored);
  const auto accounts = static_cast<std::size_t>(std::atoi(argv[1]));
  return billd::commands::run(
      [&](billd::Executor executor) { return billd::run(executor, *settings, accounts, std::atoi(argv[2])); });
}
