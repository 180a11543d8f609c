// How quickly operators are answered, and who reads a customer: with a million accounts waiting, and while a backlog of
// them drains.
#include <poll.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "bench/benchmarks.hpp"
#include "bench/daemon_process.hpp"
#include "bench/host.hpp"
#include "bench/population.hpp"
#include "commands/session.hpp"
#include "net/gateways/test_gateway.hpp"

namespace billd::bench {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr double operators_goal_ms = 20, reads_goal_ms = 50;  // of the 99th percentile
constexpr const char* as_a_client = "Authorization: Bearer sk_test_demo";
constexpr int patience_ms = 30'000;
/// Between two questions: an operator's browser and a scraper ask more rarely.
constexpr milliseconds pause{5};

struct Figure {
  std::string name;
  std::size_t answers = 0;
  double p50_ms = 0, p99_ms = 0, max_ms = 0;
  double goal_ms = 0;
};

class StatusBenchmark {
 public:
  explicit StatusBenchmark(StatusOptions options) : options_(options) {
    settings_.state_directory = directory_.path() / "state";
    options_.due = std::min(options_.due, options_.queued);
    settings_.redis.reply_timeout = std::chrono::minutes(1);  // thousands are written at once
  }

  int run() {
    std::error_code ignored;
    std::filesystem::create_directories(settings_.state_directory, ignored);
    const int filled =
        commands::run_with_session(settings_, [this](commands::Session& session) { return fill(session); });
    if (filled != 0) return filled;
    auto measured = measure_all();
    if (!measured) {
      std::fprintf(stderr, "billd: %s\n", measured.error().detail.c_str());
      return 1;
    }
    print();
    return 0;
  }

 private:
  awaitable<Result<int>> fill(commands::Session& session) {
    Executor executor = co_await asio::this_coro::executor;
    gateways::TestGateway gateway(executor, session.store(), Milliseconds(0));
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    PopulationSettings population;
    population.accounts = options_.queued;
    population.plan.id = PlanId("bench");
    population.plan.product = ProductId("prod_bench");
    population.plan.product_name = "Benchmark";
    population.plan.created = now - std::chrono::days(40);
    population.plan.unit_amount = {1900, Currency::of("usd")};
    population.plan.recurrence = {Interval::day, 30};
    // Some are due an hour ago, the others from tomorrow on.
    population.subscribed_at = [this, now](std::size_t i) -> Timestamp {
      if (i < options_.due) return now - std::chrono::days(30) - std::chrono::hours(1);
      return now - std::chrono::days(static_cast<std::int64_t>(i % 29));
    };
    Plan plan = population.plan;
    auto put = co_await session.catalog().put<Plan>(Mode::test, std::move(plan), std::nullopt);
    if (!put) co_return put.error();
    auto filled = co_await populate(session.store(), gateway, std::move(population));
    if (!filled) co_return filled.error();
    co_return 0;
  }

  Result<void> measure_all() {
    auto started = daemon_.start(settings_.state_directory, {"billing.invoice_finalize_delay=0s"});
    if (!started) return started;
    auto found = find_customers();
    if (!found) return found;
    auto drained = measure("while the backlog drains", [this](const json::value& status) { return is_done(status); });
    if (!drained) return drained;
    const auto until = steady_clock::now() + std::chrono::seconds(options_.seconds);
    return measure("when nothing is due", [until](const json::value&) { return steady_clock::now() >= until; });
  }

  bool is_done(const json::value& status) {
    std::uint64_t due = 0, waiting = 0;
    for (const json::value& queue : status.at("queues").as_array()) {
      due += queue.at("due").to_number<std::uint64_t>();
      waiting += queue.at("waiting").to_number<std::uint64_t>();
    }
    queued_ = std::max(queued_, waiting);
    was_due_ = was_due_ || due > 0;
    return was_due_ && due == 0;
  }

  template <class Ended>
  Result<void> measure(const std::string& when, Ended ended) {
    auto operators = Caller::connect_to(daemon_.operators_port());
    if (!operators) return operators.error();
    auto api = Caller::connect_to(daemon_.api_port());
    if (!api) return api.error();
    struct Kind {
      const char *name, *path, *header;
      Caller& caller;
      double goal_ms;
      std::vector<double> took = {};
    };
    std::vector<Kind> kinds = {{"page", "/status", "Accept: text/html", *operators, operators_goal_ms},
                               {"JSON", "/status", "Accept: application/json", *operators, operators_goal_ms},
                               {"metrics", "/metrics", "Accept: */*", *operators, operators_goal_ms},
                               {"customer", nullptr, as_a_client, *api, reads_goal_ms}};
    const auto give_up_at = steady_clock::now() + std::chrono::minutes(10);
    for (bool is_over = false; !is_over;) {
      for (Kind& kind : kinds) {
        const std::string path = kind.path != nullptr ? kind.path : customers_[kind.took.size() % customers_.size()];
        auto took = ask(kind.caller, path, kind.header);
        if (!took) return took.error();
        kind.took.push_back(*took);
        if (std::string_view(kind.name) == "JSON") is_over = ended(json::parse(operators->body()));
        std::this_thread::sleep_for(pause);
      }
      if (steady_clock::now() > give_up_at) return Failure{Errc::internal, "the backlog does not drain"};
    }
    for (Kind& kind : kinds)
      figures_.push_back(figure(std::string(kind.name) + " " + when, std::move(kind.took), kind.goal_ms));
    return Result<void>();
  }

  /// The paths of some customers that are read.
  Result<void> find_customers() {
    auto caller = Caller::connect_to(daemon_.api_port());
    if (!caller) return caller.error();
    auto took = ask(*caller, "/v1/customers?limit=100", as_a_client);
    if (!took) return took.error();
    for (const json::value& customer : json::parse(caller->body()).at("data").as_array())
      customers_.push_back("/v1/customers/" + std::string(customer.at("id").as_string()));
    if (customers_.empty()) return Failure{Errc::internal, "the daemon knows no customer"};
    return Result<void>();
  }

  static Result<double> ask(Caller& caller, const std::string& path, const char* header) {
    auto asked = caller.ask("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + header + "\r\n\r\n");
    if (!asked) return asked.error();
    for (;;) {
      pollfd wish{caller.descriptor(), POLLIN, 0};
      if (poll(&wish, 1, patience_ms) <= 0) return Failure{Errc::unavailable, "the daemon does not answer"};
      auto complete = caller.read_some();
      if (!complete) return complete.error();
      if (*complete) return std::chrono::duration<double, std::milli>(steady_clock::now() - caller.began()).count();
    }
  }

  static Figure figure(std::string name, std::vector<double> took, double goal_ms) {
    std::ranges::sort(took);
    return {std::move(name), took.size(), took[took.size() / 2], took[took.size() * 99 / 100], took.back(), goal_ms};
  }

  void print() const {
    if (options_.json) {
      json::array shown;
      for (const Figure& each : figures_)
        shown.push_back(json::object{{"name", each.name},
                                     {"answers", each.answers},
                                     {"p50_ms", each.p50_ms},
                                     {"p99_ms", each.p99_ms},
                                     {"max_ms", each.max_ms},
                                     {"goal_p99_ms", each.goal_ms}});
      json::object report;
      report["queued"] = queued_;
      report["due"] = options_.due;
      report["figures"] = std::move(shown);
      std::printf("%s\n", json::serialize(report).c_str());
      return;
    }
    std::printf("%llu waiting, %u of them due at once.\n\n", static_cast<unsigned long long>(queued_), options_.due);
    std::printf("  %-34s %8s %10s %10s %10s\n", "", "answers", "p50 ms", "p99 ms", "max ms");
    for (const Figure& each : figures_)
      std::printf("  %-34s %8zu %10.2f %10.2f %10.2f   (goal: p99 below %.0f)\n", each.name.c_str(), each.answers,
                  each.p50_ms, each.p99_ms, each.max_ms, each.goal_ms);
  }

  StatusOptions options_;
  TemporaryDirectory directory_;
  Settings settings_;
  DaemonProcess daemon_;
  std::uint64_t queued_ = 0;
  bool was_due_ = false;
  std::vector<std::string> customers_;
  std::vector<Figure> figures_;
};

}  // namespace

int measure_status(const StatusOptions& options) {
  StatusBenchmark benchmark(options);
  return benchmark.run();
}

}  // namespace billd::bench
