// `billd forecast` of a whole book: how long it takes and how much memory, beside the same process that only reads the
// book because the day is over.
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "bench/benchmarks.hpp"
#include "bench/host.hpp"
#include "bench/population.hpp"
#include "commands/session.hpp"
#include "net/gateways/test_gateway.hpp"
#include "net/redis/embedded.hpp"

namespace billd::bench {
namespace {

namespace json = boost::json;

constexpr std::int64_t price_minor = 2000;
/// Memory that a forecast may take, however many customers there are.
constexpr double megabytes_goal = 64;

Failure system_failure(const char* what) { return {Errc::unavailable, std::string(what) + ": " + strerror(errno)}; }

Settings settings_in(const std::filesystem::path& directory) {
  Settings settings;
  settings.state_directory = directory;
  return settings;
}

Plan monthly_plan() {
  Plan plan;
  plan.id = PlanId("monthly");
  plan.product = ProductId("prod_monthly");
  plan.product_name = "By the month";
  plan.created = from_unix(1'600'000'000);
  plan.unit_amount = {price_minor, Currency::of("usd")};
  plan.recurrence = {Interval::month, 1};
  return plan;
}

std::string day_text(Timestamp time) { return to_text(time).substr(0, 10); }

/// What a process says, and what it took.
struct Run {
  double seconds = 0, processor_seconds = 0, megabytes = 0;
  std::uint64_t payments = 0;
  std::int64_t amount = 0;
};

/// All that the process writes. How much memory it has taken is looked at meanwhile, since it only grows and cannot be
/// asked any more when the process has ended.
Result<std::string> read_all(int descriptor, pid_t process, double& megabytes) {
  constexpr int look_again_ms = 2;
  std::string text;
  std::array<char, 65536> some{};
  for (;;) {
    if (const double now = peak_megabytes(process); now > 0) megabytes = now;
    pollfd readable{descriptor, POLLIN, 0};
    const int ready = poll(&readable, 1, look_again_ms);
    if (ready == 0 || (ready < 0 && errno == EINTR)) continue;
    const ssize_t count = ready < 0 ? -1 : read(descriptor, some.data(), some.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_failure("read");
    if (count == 0) return text;
    text.append(some.data(), static_cast<std::size_t>(count));
  }
}

/// `billd forecast`, as anybody would call it, beside the Redis of this process.
Result<Run> forecast_until(const std::filesystem::path& state, const std::string& day) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) return system_failure("pipe");
  redis::UniqueDescriptor output(ends[0]), input(ends[1]);
  const auto began = SteadyClock::now();
  const pid_t process = fork();
  if (process < 0) return system_failure("fork");
  if (process == 0) {
    dup2(input.get(), STDOUT_FILENO);
    close(output.get());
    execl("/proc/self/exe", "billd", "forecast", "--mode", "test", "--json", "--state-dir", state.c_str(), "--until",
          day.c_str(), static_cast<char*>(nullptr));
    _exit(127);
  }
  input = redis::UniqueDescriptor();
  Run run;
  auto text = read_all(output.get(), process, run.megabytes);
  int status = 0;
  rusage used{};
  if (wait4(process, &status, 0, &used) != process) return system_failure("wait");
  if (!text) return text.error();
  run.seconds = std::chrono::duration<double>(SteadyClock::now() - began).count();
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  run.processor_seconds = seconds(used.ru_utime) + seconds(used.ru_stime);
  boost::system::error_code malformed;
  const json::value said = json::parse(*text, malformed);
  if (status != 0 || malformed) return Failure{Errc::internal, "the forecast failed: " + *text};
  for (const json::value& each : said.at("days").as_array()) {
    run.payments += each.at("payments").to_number<std::uint64_t>();
    run.amount += each.at("amount").to_number<std::int64_t>();
  }
  return run;
}

class ForecastBenchmark {
 public:
  ForecastBenchmark(Executor executor, ForecastOptions options)
      : executor_(executor),
        options_(options),
        settings_(settings_in(directory_.path())),
        session_(executor, settings_) {}

  awaitable<Result<int>> run() {
    auto opened = co_await session_.open();
    if (!opened) co_return opened.error();
    auto filled = co_await fill();
    Result<int> status = 1;
    if (filled)
      status = measure();
    else
      status = filled.error();
    co_await session_.close();
    co_return status;
  }

 private:
  awaitable<Result<void>> fill() {
    PopulationSettings population;
    population.accounts = options_.customers;
    population.plan = monthly_plan();
    // Spread over the last days, so that each day has its renewals.
    population.subscribed_at = [this](std::size_t i) {
      return now_ - std::chrono::seconds(1 + i * 20 * 86'400 / options_.customers);
    };
    Plan plan = population.plan;
    auto put = co_await session_.catalog().put<Plan>(Mode::test, std::move(plan), std::nullopt);
    if (!put) co_return put.error();
    gateways::TestGateway gateway(executor_, session_.store(), Milliseconds(0));
    co_return co_await populate(session_.store(), gateway, std::move(population));
  }

  Result<int> measure() {
    auto reading = forecast_until(directory_.path(), day_text(now_));
    if (!reading) return reading.error();
    auto whole = forecast_until(directory_.path(), day_text(now_ + std::chrono::days(options_.days)));
    if (!whole) return whole.error();
    print(*reading, *whole);
    const bool adds_up = whole->amount == static_cast<std::int64_t>(whole->payments) * price_minor;
    return adds_up && whole->payments > 0 && whole->megabytes <= megabytes_goal ? 0 : 1;
  }

  void print(const Run& reading, const Run& whole) const {
    const double rate = static_cast<double>(whole.payments) / whole.seconds;
    if (options_.json) {
      json::object figures;
      figures["customers"] = options_.customers;
      figures["days"] = options_.days;
      figures["payments"] = whole.payments;
      figures["seconds"] = whole.seconds;
      figures["processor_seconds"] = whole.processor_seconds;
      figures["payments_per_second"] = rate;
      figures["megabytes"] = whole.megabytes;
      figures["reading_seconds"] = reading.seconds;
      figures["reading_megabytes"] = reading.megabytes;
      std::printf("%s\n", json::serialize(figures).c_str());
      return;
    }
    std::printf("%u customers, %u days ahead; goal: at most %.0f MB\n", options_.customers, options_.days,
                megabytes_goal);
    std::printf("forecast        %8.2f s (%.2f s of a processor), %5.1f MB: %llu payments, %.0f each second\n",
                whole.seconds, whole.processor_seconds, whole.megabytes,
                static_cast<unsigned long long>(whole.payments), rate);
    std::printf("reading alone   %8.2f s (%.2f s of a processor), %5.1f MB\n", reading.seconds,
                reading.processor_seconds, reading.megabytes);
  }

  Executor executor_;
  ForecastOptions options_;
  const Timestamp now_ = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  TemporaryDirectory directory_;
  Settings settings_;
  commands::Session session_;
};

}  // namespace

int measure_forecast(const ForecastOptions& options) {
  return commands::run([options](Executor executor) -> awaitable<Result<int>> {
    ForecastBenchmark benchmark(executor, options);
    co_return co_await benchmark.run();
  });
}

}  // namespace billd::bench
