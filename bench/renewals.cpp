// Renewals per second: many subscriptions that become due at one instant, renewed by the same parts that the daemon is
// made of; beside them the limit, which is what the same Redis does when it is fed the same writes alone.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "bench/append_only.hpp"
#include "bench/host.hpp"
#include "bench/population.hpp"
#include "bench/replay.hpp"
#include "commands/commands.hpp"
#include "commands/session.hpp"
#include "commands/verify.hpp"
#include "jobs/executor.hpp"
#include "jobs/partitions.hpp"
#include "jobs/scheduler.hpp"
#include "net/gateways/test_gateway.hpp"

namespace billd::bench {
namespace {

namespace json = boost::json;

constexpr double renewals_per_second_goal = 10'000, ratio_goal = 0.60;
constexpr std::size_t sample_size = 2'000;
/// From the start of the scheduler to the instant at which all is due: long enough to take the leases.
constexpr Duration lead = std::chrono::seconds(2);
constexpr Milliseconds stall_limit = std::chrono::seconds(30);

/// Real time, moved so that the benchmark's own instant lies in the near future.
class MovedClock final : public jobs::Clock {
 public:
  explicit MovedClock(Timestamp now) : origin_(now), began_(SteadyClock::now()) {}

  Timestamp now() const override { return origin_ + std::chrono::duration_cast<Duration>(SteadyClock::now() - began_); }
  std::string distrust() const override { return {}; }

 private:
  Timestamp origin_;
  SteadyClock::time_point began_;
};

double seconds(SteadyClock::duration duration) { return std::chrono::duration<double>(duration).count(); }

double milliseconds(Duration duration) { return std::chrono::duration<double, std::milli>(duration).count(); }

/// The value below which the share of the sorted values lies.
double quantile(const std::vector<Duration>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto index = static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1));
  return milliseconds(sorted[index]);
}

struct Measured {
  double seconds = 0, cpu_billd = 0, cpu_redis = 0;
  std::size_t bytes_written = 0;
  std::vector<Duration> lateness;  ///< of a sample, sorted: from the due time to the payment
};

struct Limit {
  std::size_t connections = 0;
  double seconds = 0;
};

/// A boundary of monthly periods without clamping.
Timestamp first_of_this_month() {
  const std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()));
  return std::chrono::sys_days(today.year() / today.month() / 1);
}

Settings settings_in(const std::filesystem::path& directory) {
  Settings settings;
  settings.state_directory = directory;
  settings.billing.invoice_finalize_delay = Milliseconds(0);
  return settings;
}

class RenewalBenchmark {
 public:
  RenewalBenchmark(Executor executor, commands::RenewalBenchmarkOptions options)
      : executor_(executor),
        options_(options),
        settings_(settings_in(directory_.path() / "measured")),
        due_at_(first_of_this_month()),
        session_(executor, settings_) {}

  awaitable<Result<int>> run() {
    std::error_code ignored;
    std::filesystem::create_directories(settings_.state_directory, ignored);
    auto opened = co_await session_.open();
    if (!opened) co_return opened.error();
    auto result = co_await measure_and_check();
    co_await session_.close();
    if (!result) co_return result.error();
    auto limited = co_await find_limit();
    if (!limited) co_return limited.error();
    tell("");
    print();
    co_return 0;
  }

 private:
  /// What is being done, on a terminal only: the figures go to the standard output.
  static void tell(const std::string& what) {
    if (isatty(STDERR_FILENO) == 1) std::fprintf(stderr, "\r\033[K%s", what.c_str());
  }

  awaitable<Result<void>> measure_and_check() {
    auto gateway = std::make_unique<gateways::TestGateway>(executor_, session_.store(), Milliseconds(0));
    gateways::Gateway& test_gateway = *gateway;
    gateways::Gateways gateways;
    gateways.add("test", std::move(gateway));
    auto filled = co_await fill(test_gateway);
    if (!filled) co_return filled.error();
    auto mark = co_await rewrite_append_only(session_.client(), redis_directory());
    if (!mark) co_return mark.error();
    mark_ = std::move(*mark);
    auto renewed = co_await renew(gateways);
    if (!renewed) co_return renewed.error();
    auto text = written_since(mark_);
    if (!text) co_return text.error();
    written_ = std::move(*text);
    measured_.bytes_written = written_.size();
    co_return co_await check();
  }

  std::filesystem::path redis_directory() const {
    return std::filesystem::path(embedded_redis_socket(settings_)).parent_path();
  }

  awaitable<Result<void>> fill(gateways::Gateway& gateway) {
    PopulationSettings population;
    population.accounts = options_.subscriptions;
    population.plan = monthly_plan();
    population.on_progress = [this](std::size_t written) {
      if (written % 1000 == 0)
        tell("Writing subscriptions: " + std::to_string(written) + " of " + std::to_string(options_.subscriptions));
    };
    Plan plan = population.plan;
    auto put = co_await session_.catalog().put<Plan>(Mode::test, std::move(plan), std::nullopt);
    if (!put) co_return put.error();
    co_return co_await populate(session_.store(), gateway, std::move(population));
  }

  Plan monthly_plan() const {
    Plan plan;
    plan.id = PlanId("bench");
    plan.product = ProductId("prod_bench");
    plan.product_name = "Benchmark";
    plan.created = boundary(due_at_, {Interval::month, 1}, -1);
    plan.unit_amount = {1900, Currency::of("usd")};
    plan.recurrence = {Interval::month, 1};
    return plan;
  }

  awaitable<Result<void>> renew(const gateways::Gateways& gateways) {
    tell("Renewing");
    const MovedClock clock(due_at_ - lead);
    const Rules rules = billing_rules(settings_.billing);
    jobs::AccountExecutor accounts(executor_, clock, session_.store(), session_.catalog(), gateways, rules,
                                   settings_.jobs);
    jobs::Partitions partitions(executor_, session_.store(), "bench",
                                {settings_.jobs.lease_interval, settings_.jobs.lease_timeout});
    jobs::Scheduler scheduler(executor_, clock, session_.store(), session_.catalog(), accounts, partitions,
                              settings_.jobs);
    partitions.start();
    scheduler.start();
    const auto due = std::chrono::ceil<Milliseconds>(due_at_ - clock.now());
    co_await sleep_for(due);
    BILLD_CHECK(accounts.statistics().ticks == 0, "nothing is renewed before its time");

    const pid_t redis = co_await process_of_redis();
    const double cpu_billd = cpu_seconds(getpid()), cpu_redis = cpu_seconds(redis);
    const auto began = SteadyClock::now();
    auto finished = co_await until_renewed(accounts);
    measured_.seconds = seconds(SteadyClock::now() - began);
    measured_.cpu_billd = cpu_seconds(getpid()) - cpu_billd;
    measured_.cpu_redis = cpu_seconds(redis) - cpu_redis;
    const bool is_idle = co_await scheduler.stop(stall_limit);
    if (is_idle) co_await partitions.stop();
    co_return finished;
  }

  awaitable<pid_t> process_of_redis() {
    auto info = co_await session_.client().execute(redis::Command("INFO", "server"));
    if (!info) co_return 0;
    const std::string name = "process_id:";
    const std::size_t at = info->text().find(name);
    co_return at == std::string::npos ? 0 : std::atoi(info->text().c_str() + at + name.size());
  }

  awaitable<Result<void>> until_renewed(const jobs::AccountExecutor& accounts) {
    std::uint64_t ticks = 0;
    auto moved_at = SteadyClock::now();
    while (ticks < options_.subscriptions) {
      co_await sleep_for(Milliseconds(2));
      const auto now = SteadyClock::now();
      if (accounts.statistics().ticks != ticks) moved_at = now;
      ticks = accounts.statistics().ticks;
      if (now - moved_at > stall_limit)
        co_return Failure{Errc::internal, "after " + std::to_string(ticks) + " renewals, nothing moves any more"};
    }
    co_return Result<void>();
  }

  /// Looks at a sample with the eyes of a customer: one more period, paid by one charge.
  awaitable<Result<void>> check() {
    tell("Checking");
    std::minstd_rand random(static_cast<std::minstd_rand::result_type>(SteadyClock::now().time_since_epoch().count()));
    std::uniform_int_distribution<std::size_t> draw(0, options_.subscriptions - 1);
    for (std::size_t i = 0; i < std::min<std::size_t>(sample_size, options_.subscriptions); ++i) {
      auto paid_at = co_await paid_once(numbered_account(draw(random)));
      if (!paid_at) co_return paid_at.error();
      measured_.lateness.push_back(*paid_at - due_at_);
    }
    std::ranges::sort(measured_.lateness);
    auto report = co_await commands::verify(session_.store(), commands::VerifyOptions());
    if (!report) co_return report.error();
    if (report->violations() > 0)
      co_return Failure{Errc::internal, "the benchmark left data that is wrong:\n" + commands::to_text(*report)};
    co_return Result<void>();
  }

  awaitable<Result<Timestamp>> paid_once(AccountKey key) {
    const Failure wrong{Errc::internal, "account " + key.value() + " was not renewed and charged exactly once"};
    auto loaded = co_await session_.store().load(Mode::test, key);
    if (!loaded) co_return loaded.error();
    const Account& account = loaded->account;
    if (account.subscriptions.size() != 1 || !account.invoices.empty()) co_return wrong;
    if (account.subscriptions.front().ordinal != 1 ||
        account.subscriptions.front().status != SubscriptionStatus::active)
      co_return wrong;
    std::vector<std::string> fields(1, store::record_field(key, account.subscriptions.front().latest_invoice));
    auto records = co_await session_.store().load_records(Mode::test, key, std::move(fields));
    if (!records) co_return records.error();
    const Invoice* invoice = records->size() == 1 ? std::get_if<Invoice>(&records->front()) : nullptr;
    if (invoice == nullptr || invoice->ordinal != 1 || !invoice->paid_at || invoice->charges.size() != 1 ||
        invoice->charges.front().state != ChargeState::succeeded)
      co_return wrong;
    co_return *invoice->paid_at;
  }

  awaitable<Result<void>> find_limit() {
    auto blocks = write_blocks(written_);
    if (!blocks) co_return blocks.error();
    for (const std::size_t connections : {1U, 8U, 32U}) {
      tell("Replaying the writes over " + std::to_string(connections) + " connections");
      const std::filesystem::path directory = directory_.path() / ("limit-" + std::to_string(connections));
      auto copied = copy_append_only(mark_, directory);
      if (!copied) co_return copied.error();
      auto replayed = co_await replay_in(directory, *blocks, connections);
      if (!replayed) co_return replayed.error();
      if (replayed->errors > 0)
        co_return Failure{Errc::internal, "the replay met " + std::to_string(replayed->errors) + " errors"};
      limits_.push_back({connections, replayed->seconds});
      std::error_code ignored;
      std::filesystem::remove_all(directory, ignored);
    }
    co_return Result<void>();
  }

  awaitable<Result<Replay>> replay_in(std::filesystem::path directory, const std::vector<WriteBlock>& blocks,
                                      std::size_t connections) {
    redis::EmbeddedSettings embedded;
    embedded.directory = std::move(directory);
    redis::EmbeddedServer server(executor_, embedded);
    auto started = co_await server.start();
    if (!started) co_return started.error();
    redis::Client client(executor_, server.address(), redis::ClientSettings());
    client.start();
    auto ready = co_await client.ready(std::chrono::minutes(5));
    if (ready) {
      auto set = co_await client.execute(redis::Command("CONFIG", "SET", "auto-aof-rewrite-percentage", "0"));
      if (!set) ready = set.error();
    }
    co_await client.stop();
    Result<Replay> replayed = Replay();
    if (ready)
      replayed = replay(server.address().socket, blocks, connections);
    else
      replayed = ready.error();
    co_await server.stop();
    co_return replayed;
  }

  void print() const {
    const double renewals = options_.subscriptions;
    const double per_second = renewals / measured_.seconds;
    const Limit best = *std::ranges::min_element(limits_, {}, &Limit::seconds);
    const double limit = renewals / best.seconds;
    const double ratio = per_second / limit;
    if (options_.json) {
      json::object lateness;
      lateness["p50"] = quantile(measured_.lateness, 0.50);
      lateness["p95"] = quantile(measured_.lateness, 0.95);
      lateness["p99"] = quantile(measured_.lateness, 0.99);
      lateness["max"] = quantile(measured_.lateness, 1);
      json::array limits;
      for (const Limit& each : limits_) {
        json::object object;
        object["connections"] = each.connections;
        object["per_second"] = renewals / each.seconds;
        limits.push_back(std::move(object));
      }
      json::object object;
      object["subscriptions"] = options_.subscriptions;
      object["seconds"] = measured_.seconds;
      object["renewals_per_second"] = per_second;
      object["limit_per_second"] = limit;
      object["ratio"] = ratio;
      object["limits"] = std::move(limits);
      object["lateness_ms"] = std::move(lateness);
      object["cpu_seconds_billd"] = measured_.cpu_billd;
      object["cpu_seconds_redis"] = measured_.cpu_redis;
      object["bytes_written"] = measured_.bytes_written;
      std::printf("%s\n", json::serialize(object).c_str());
      return;
    }
    std::printf("%u subscriptions, due at one instant, renewed in %.2f s.\n\n", options_.subscriptions,
                measured_.seconds);
    std::printf("  %-34s %10.0f   (goal: %.0f)\n", "renewals per second", per_second, renewals_per_second_goal);
    std::printf("  %-34s %10.0f   (the same writes replayed alone, over %zu connections)\n", "limit per second", limit,
                best.connections);
    std::printf("  %-34s %10.2f   (goal: %.2f)\n", "ratio", ratio, ratio_goal);
    std::printf("  %-34s %10.0f   p99 %.0f, max %.0f\n", "lateness in ms, p50", quantile(measured_.lateness, 0.50),
                quantile(measured_.lateness, 0.99), quantile(measured_.lateness, 1));
    std::printf("  %-34s %10.2f   Redis %.2f\n", "CPU seconds, billd", measured_.cpu_billd, measured_.cpu_redis);
    std::printf("  %-34s %10.0f\n", "bytes written per renewal",
                static_cast<double>(measured_.bytes_written) / renewals);
    std::printf("\nChecked: a sample of %zu was renewed and charged exactly once, and `verify` found nothing.\n",
                measured_.lateness.size());
  }

  Executor executor_;
  const commands::RenewalBenchmarkOptions options_;
  TemporaryDirectory directory_;
  const Settings settings_;
  const Timestamp due_at_;
  commands::Session session_;
  AppendOnlyMark mark_;
  std::string written_;
  Measured measured_;
  std::vector<Limit> limits_;
};

awaitable<Result<int>> run_benchmark(Executor executor, commands::RenewalBenchmarkOptions options) {
  RenewalBenchmark benchmark(executor, options);
  co_return co_await benchmark.run();
}

}  // namespace
}  // namespace billd::bench

namespace billd::commands {

int benchmark_renewals(const RenewalBenchmarkOptions& options) {
  return run([&options](Executor executor) { return bench::run_benchmark(executor, options); });
}

}  // namespace billd::commands
