// Requests per second of a whole daemon: reading a customer, and making one, over kept connections from this process.
#include <poll.h>

#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "bench/benchmarks.hpp"
#include "bench/daemon_process.hpp"
#include "bench/host.hpp"

namespace billd::bench {
namespace {

namespace json = boost::json;
using Instant = std::chrono::steady_clock::time_point;

constexpr double gets_goal = 20'000, posts_goal = 4'000;
/// As many as the daemon grants one peer.
constexpr std::size_t connections = 32;
constexpr int patience_ms = 10'000;

struct Figure {
  double per_second = 0, per_cpu_second = 0, p50_ms = 0, p99_ms = 0;
};

class HttpBenchmark {
 public:
  explicit HttpBenchmark(HttpOptions options) : options_(options) {}

  Result<void> run() {
    auto started = daemon_.start(directory_.path() / "state", {});
    if (!started) return started;
    for (std::size_t i = 0; i < connections; ++i) {
      auto caller = Caller::connect_to(daemon_.api_port());
      if (!caller) return caller.error();
      callers_.push_back(std::move(*caller));
    }
    std::size_t made = 0;
    auto post = [&made](const Caller&) {
      const std::string body = "email=customer-" + std::to_string(made++) + "@example.com&name=Jenny&source=tok_visa";
      return "POST /v1/customers HTTP/1.1\r\nHost: billd\r\nAuthorization: Bearer sk_test_bench\r\n"
             "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: " +
             std::to_string(body.size()) + "\r\n\r\n" + body;
    };
    auto posts = measure(post);
    if (!posts) return posts.error();
    posts_ = *posts;

    std::vector<std::string> requests;
    for (const Caller& caller : callers_) {
      boost::system::error_code ec;
      const json::value customer = json::parse(caller.body(), ec);
      const json::value* id = ec ? nullptr : customer.find_pointer("/id", ec);
      if (id == nullptr || !id->is_string()) return Failure{Errc::corrupt, "a customer has no id: " + caller.body()};
      requests.push_back("GET /v1/customers/" + std::string(id->as_string()) +
                         " HTTP/1.1\r\nHost: billd\r\nAuthorization: Bearer sk_test_bench\r\n\r\n");
    }
    auto get = [&](const Caller& caller) { return requests[static_cast<std::size_t>(&caller - callers_.data())]; };
    auto gets = measure(get);
    if (!gets) return gets.error();
    gets_ = *gets;
    return Result<void>();
  }

  void print() const {
    if (options_.json) {
      auto shown = [](const Figure& figure) {
        json::object object;
        object["per_second"] = figure.per_second;
        object["per_cpu_second"] = figure.per_cpu_second;
        object["p50_ms"] = figure.p50_ms;
        object["p99_ms"] = figure.p99_ms;
        return object;
      };
      json::object object;
      object["connections"] = connections;
      object["get_customer"] = shown(gets_);
      object["post_customer"] = shown(posts_);
      std::printf("%s\n", json::serialize(object).c_str());
      return;
    }
    std::printf("%zu connections, one request at a time on each.\n\n", connections);
    std::printf("  %-22s %10s %22s %10s %10s\n", "", "per second", "per CPU second", "p50 ms", "p99 ms");
    auto row = [](const char* name, const Figure& figure, double goal) {
      std::printf("  %-22s %10.0f %22.0f %10.2f %10.2f   (goal: %.0f on one core)\n", name, figure.per_second,
                  figure.per_cpu_second, figure.p50_ms, figure.p99_ms, goal);
    };
    row("GET a customer", gets_, gets_goal);
    row("POST a customer", posts_, posts_goal);
    std::printf(
        "\nPer CPU second of the daemon: what it would do if nothing else, such as this measurement, took "
        "turns with it.\n");
  }

 private:
  /// Keeps every connection asking for the given time.
  Result<Figure> measure(const std::function<std::string(const Caller&)>& request) {
    std::vector<double> latencies;
    std::vector<pollfd> wishes;
    for (const Caller& caller : callers_) wishes.push_back({caller.descriptor(), POLLIN, 0});
    const double cpu = cpu_seconds(daemon_.pid());
    const Instant began = std::chrono::steady_clock::now();
    const Instant until = began + std::chrono::seconds(options_.seconds);
    for (Caller& caller : callers_) {
      auto asked = caller.ask(request(caller));
      if (!asked) return asked.error();
    }
    for (std::size_t open = callers_.size(); open > 0;) {
      if (poll(wishes.data(), wishes.size(), patience_ms) <= 0)
        return Failure{Errc::unavailable, "the daemon does not answer"};
      for (std::size_t i = 0; i < callers_.size(); ++i) {
        if (wishes[i].revents == 0) continue;
        Caller& caller = callers_[i];
        auto complete = caller.read_some();
        if (!complete) return complete.error();
        if (!*complete) continue;
        const Instant now = std::chrono::steady_clock::now();
        latencies.push_back(std::chrono::duration<double, std::milli>(now - caller.began()).count());
        if (now >= until) {
          wishes[i].events = 0;
          --open;
          continue;
        }
        auto asked = caller.ask(request(caller));
        if (!asked) return asked.error();
      }
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    const double used = cpu_seconds(daemon_.pid()) - cpu;
    std::ranges::sort(latencies);
    const auto count = static_cast<double>(latencies.size());
    Figure figure;
    figure.per_second = count / seconds;
    figure.per_cpu_second = used > 0 ? count / used : 0;
    figure.p50_ms = latencies[latencies.size() / 2];
    figure.p99_ms = latencies[latencies.size() * 99 / 100];
    return figure;
  }

  const HttpOptions options_;
  TemporaryDirectory directory_;
  DaemonProcess daemon_;
  std::vector<Caller> callers_;
  Figure gets_, posts_;
};

}  // namespace

int measure_http(const HttpOptions& options) {
  HttpBenchmark benchmark(options);
  auto measured = benchmark.run();
  if (!measured) {
    std::fprintf(stderr, "billd: %s\n", measured.error().detail.c_str());
    return 1;
  }
  benchmark.print();
  return 0;
}

}  // namespace billd::bench
