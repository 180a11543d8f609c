// Requests per second of a whole daemon: reading a customer, and making one, over kept connections from this process.
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/benchmarks.hpp"
#include "bench/host.hpp"
#include "net/redis/embedded.hpp"

namespace billd::bench {
namespace {

namespace json = boost::json;
using redis::UniqueDescriptor;
using Instant = std::chrono::steady_clock::time_point;

constexpr double gets_goal = 20'000, posts_goal = 4'000;
/// As many as the daemon grants one peer.
constexpr std::size_t connections = 32;
constexpr int patience_ms = 10'000;

Failure system_failure(const char* what) { return {Errc::unavailable, std::string(what) + ": " + strerror(errno)}; }

/// This program's own daemon, on free ports, with an embedded Redis in a temporary directory.
class DaemonProcess {
 public:
  DaemonProcess() = default;
  DaemonProcess(const DaemonProcess&) = delete;
  DaemonProcess& operator=(const DaemonProcess&) = delete;
  ~DaemonProcess() {
    if (pid_ <= 0) return;
    kill(pid_, SIGTERM);
    waitpid(pid_, nullptr, 0);
  }

  Result<void> start() {
    std::array<int, 2> ends{};
    if (pipe2(ends.data(), O_CLOEXEC) != 0) return system_failure("pipe");
    UniqueDescriptor output(ends[0]), input(ends[1]);
    const std::string state = directory_.path() / "state", log = directory_.path() / "log";
    pid_ = fork();
    if (pid_ < 0) return system_failure("fork");
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGTERM);
      dup2(input.get(), STDOUT_FILENO);
      dup2(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), STDERR_FILENO);
      execl("/proc/self/exe", "billd", "serve", "--dev", "--state-dir", state.c_str(), "--listen", "127.0.0.1:0",
            "--operators", "127.0.0.1:0", "--set", "http.requests_per_connection_max=1000000000", nullptr);
      _exit(127);
    }
    input = UniqueDescriptor();
    return read_port(output.get());
  }

  pid_t pid() const { return pid_; }
  std::uint16_t port() const { return port_; }

 private:
  /// The daemon says where it serves: "  API      http://127.0.0.1:40001".
  Result<void> read_port(int output) {
    std::string text;
    std::array<char, 4096> piece{};
    while (true) {
      const ssize_t size = read(output, piece.data(), piece.size());
      if (size <= 0) return Failure{Errc::unavailable, "the daemon does not start"};
      text.append(piece.data(), static_cast<std::size_t>(size));
      const std::string_view before = "API      http://127.0.0.1:";
      const std::size_t at = text.find(before);
      if (at == std::string::npos || text.find('\n', at) == std::string::npos) continue;
      const char* digits = text.data() + at + before.size();
      std::from_chars(digits, text.data() + text.size(), port_);
      return Result<void>();
    }
  }

  TemporaryDirectory directory_;
  pid_t pid_ = 0;
  std::uint16_t port_ = 0;
};

/// One connection with one request under way at a time.
class Caller {
 public:
  static Result<Caller> connect_to(std::uint16_t port) {
    UniqueDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = {};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const void* generic = &address;
    if (!socket || connect(socket.get(), static_cast<const sockaddr*>(generic), sizeof address) != 0)
      return system_failure("connecting to the daemon");
    const int on = 1;
    setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return Caller(std::move(socket));
  }

  int descriptor() const { return socket_.get(); }
  Instant began() const { return began_; }
  const std::string& body() const { return body_; }

  Result<void> ask(const std::string& request) {
    began_ = std::chrono::steady_clock::now();
    received_.clear();
    // A request is smaller than any socket's buffer, and the one before it has been answered.
    const ssize_t sent = send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL);
    if (sent != static_cast<ssize_t>(request.size())) return system_failure("sending a request");
    return Result<void>();
  }

  /// Whether the answer is complete.
  Result<bool> read_some() {
    std::array<char, 16 * 1024> piece;
    const ssize_t size = recv(socket_.get(), piece.data(), piece.size(), 0);
    if (size <= 0) return Failure{Errc::unavailable, "the daemon closed a connection"};
    received_.append(piece.data(), static_cast<std::size_t>(size));
    const std::size_t head_end = received_.find("\r\n\r\n");
    if (head_end == std::string::npos) return false;
    const std::string_view name = "Content-Length: ";
    const std::size_t at = received_.find(name);
    std::size_t length = 0;
    if (at != std::string::npos)
      std::from_chars(received_.data() + at + name.size(), received_.data() + head_end, length);
    if (received_.size() < head_end + 4 + length) return false;
    body_ = received_.substr(head_end + 4);
    if (!received_.starts_with("HTTP/1.1 200"))
      return Failure{Errc::invalid_state, "the daemon answered: " + received_};
    return true;
  }

 private:
  explicit Caller(UniqueDescriptor socket) : socket_(std::move(socket)) {}

  UniqueDescriptor socket_;
  std::string received_, body_;
  Instant began_;
};

struct Figure {
  double per_second = 0, per_cpu_second = 0, p50_ms = 0, p99_ms = 0;
};

class HttpBenchmark {
 public:
  explicit HttpBenchmark(HttpOptions options) : options_(options) {}

  Result<void> run() {
    auto started = daemon_.start();
    if (!started) return started;
    for (std::size_t i = 0; i < connections; ++i) {
      auto caller = Caller::connect_to(daemon_.port());
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
