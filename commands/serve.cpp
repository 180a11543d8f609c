// The daemon: its parts put together, run, and stopped in order.
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <systemd/sd-daemon.h>

#include <boost/asio/basic_signal_set.hpp>
#include <csignal>
#include <filesystem>

#include "commands/acknowledged.hpp"
#include "commands/commands.hpp"
#include "commands/operators_view.hpp"
#include "commands/session.hpp"
#include "jobs/executor.hpp"
#include "jobs/partitions.hpp"
#include "jobs/scheduler.hpp"
#include "net/api/operators/face.hpp"
#include "net/api/stripe/face.hpp"
#include "net/gateways/test_gateway.hpp"
#include "net/http/server.hpp"
#include "net/redis/preflight.hpp"

namespace billd::commands {
namespace {

using SignalSet = asio::basic_signal_set<Executor>;

http::ServerSettings server_settings(const HttpSettings& settings) {
  http::ServerSettings server;
  server.gate.header_bytes_max = settings.header_bytes_max;
  server.gate.fields_max = settings.header_fields_max;
  server.gate.target_bytes_max = settings.target_bytes_max;
  server.body_bytes_max = settings.body_bytes_max;
  server.header_limit = settings.header_timeout;
  server.body_limit = settings.body_timeout;
  server.body_bytes_per_second_min = settings.body_rate_min;
  server.idle_limit = settings.idle_timeout;
  server.write_limit = settings.write_timeout;
  server.connections_max = settings.connections_max;
  server.connections_per_peer_max = settings.connections_per_peer_max;
  server.requests_per_connection_max = settings.requests_per_connection_max;
  return server;
}

bool is_loopback(const ListenAddress& address) {
  return address.address.starts_with("127.") || address.address == "::1";
}

/// Everything that runs in the daemon, in the order in which it starts; it stops in the opposite one.
class Daemon {
 public:
  Daemon(asio::io_context& loop, const Settings& settings)
      : executor_(loop.get_executor()),
        settings_(settings),
        signals_(executor_, SIGTERM, SIGINT),
        client_(executor_, redis_address(settings), client_settings(settings)),
        store_(executor_, client_, store_settings(settings)),
        catalog_(executor_, client_, store_, redis_address(settings)),
        accounts_(executor_, clock_, store_, catalog_, gateways_, billing_rules(settings.billing), settings.jobs),
        partitions_(executor_, store_, settings.daemon.name,
                    jobs::LeaseTimes{settings.jobs.lease_interval, settings.jobs.lease_timeout}),
        scheduler_(executor_, clock_, store_, catalog_, accounts_, partitions_, settings.jobs),
        stripe_(api::stripe::Services{accounts_, store_, catalog_, gateways_, settings_}),
        view_(settings, store_, client_, clock_, partitions_, scheduler_, accounts_),
        operators_face_(view_),
        api_(executor_, server_settings(settings.http),
             [this](http::Request request) { return stripe_.handle(std::move(request)); }),
        operators_(executor_, server_settings(settings.http),
                   [this](http::Request request) { return operators_face_.handle(std::move(request)); }),
        tasks_(executor_) {
    gateways_.add("test", std::make_unique<gateways::TestGateway>(executor_, store_, settings.gateways.test.latency));
    client_.on_connected([this](redis::Connection& connection) { return store_.prepare(connection); });
  }

  awaitable<Result<int>> run() {
    auto started = co_await start();
    if (!started) {
      co_await stop_redis();
      co_return started.error();
    }
    announce();
    co_await wait_for_signal();
    co_await stop();
    co_return 0;
  }

 private:
  awaitable<Result<void>> start() {
    std::error_code error;
    std::filesystem::create_directories(settings_.state_directory, error);
    if (error)
      co_return Failure{Errc::bad_configuration, "cannot make the state directory " + settings_.state_directory + ": " +
                                                     error.message() + "; name another with --state-dir"};
    if (settings_.development && (!is_loopback(settings_.api.listen) || !is_loopback(settings_.operators.listen)))
      co_return Failure{Errc::bad_configuration,
                        "--dev accepts any test key and so listens on loopback addresses only; run without it to "
                        "listen on " +
                            to_text(settings_.api.listen)};
    // Operators may look before Redis is there: that is when they want to.
    auto listening = operators_.listen(settings_.operators.listen.address, settings_.operators.listen.port);
    if (!listening) co_return listening.error();

    auto connected = co_await connect();
    if (!connected) co_return connected.error();
    auto trusted = co_await check_durability();
    if (!trusted) co_return trusted.error();
    auto cataloged = co_await catalog_.start();
    if (!cataloged) co_return cataloged.error();
    tasks_.spawn("clock", jobs::watch_clock(clock_, store_));
    tasks_.spawn("acknowledged", keep_acknowledged());
    partitions_.start();
    scheduler_.start();
    auto serving = api_.listen(settings_.api.listen.address, settings_.api.listen.port);
    if (serving) view_.set_serving();
    co_return serving;
  }

  awaitable<Result<void>> connect() {
    auto expected = read_acknowledged(acknowledged_file(settings_));
    if (!expected) co_return expected.error();
    if (*expected) store_.expect(**expected);
    if (settings_.redis.address.kind == RedisAddress::Kind::embedded) {
      embedded_ = std::make_unique<redis::EmbeddedServer>(executor_, embedded_settings(settings_));
      auto started = co_await embedded_->start();
      if (!started) co_return started.error();
    }
    client_.start();
    for (;;) {
      auto ready = co_await client_.ready(std::chrono::seconds(5));
      if (ready) break;
      if (!is_transient(ready.error().code)) co_return ready.error();
      spdlog::warn("waiting for Redis at {}: {}", client_.address().text(), ready.error().detail);
    }
    if (!store_.data_loss().empty())
      spdlog::critical(
          "Redis has lost data: {}. No money moves. Compare with the gateway, then let it move again with `billd "
          "verify "
          "--accept-data-loss` and a restart",
          store_.data_loss());
    co_return Result<void>();
  }

  awaitable<Result<void>> check_durability() {
    auto preflight = co_await redis::preflight(client_);
    if (!preflight) co_return preflight.error();
    std::string refused;
    for (const redis::Finding& finding : preflight->findings) {
      if (finding.severity == redis::Severity::warn) spdlog::warn("Redis: {}", finding.text());
      if (finding.severity == redis::Severity::refuse) refused += "\n  " + finding.text();
    }
    if (refused.empty()) co_return Result<void>();
    if (settings_.redis.allow_unsafe_durability) {
      spdlog::warn("Redis may lose what it has acknowledged, which redis.allow_unsafe_durability allows:{}", refused);
      co_return Result<void>();
    }
    co_return Failure{Errc::bad_configuration,
                      "this Redis may lose what it has acknowledged, so no money is entrusted to it:" + refused};
  }

  /// Once a second the file learns what Redis has acknowledged.
  awaitable<> keep_acknowledged() {
    std::string written;
    for (;;) {
      const bool goes_on = co_await sleep_for(std::chrono::seconds(1));
      if (!goes_on) co_return;
      remember_acknowledged(written);
    }
  }

  void remember_acknowledged(std::string& written) {
    // With data lost the file keeps what was acknowledged once, or the loss would be forgotten with a restart.
    if (!store_.data_loss().empty()) return;
    const store::Acknowledged acknowledged = store_.acknowledged();
    if (std::string text = acknowledged.to_text(); text != written) {
      auto result = write_acknowledged(acknowledged_file(settings_), acknowledged);
      if (result)
        written = std::move(text);
      else
        spdlog::warn("{}", result.error().detail);
    }
  }

  void announce() {
    const http::Endpoint api = api_.local_endpoint(), operators = operators_.local_endpoint();
    const std::string api_url = "http://" + to_text(ListenAddress{api.address, api.port});
    const std::string operators_url = "http://" + to_text(ListenAddress{operators.address, operators.port});
    spdlog::info("billd {} serves {}; operators: {}", settings_.daemon.name, api_url, operators_url);
    sd_notify(0, "READY=1");
    if (!settings_.development) return;
    std::printf(
        "\n  API      %s\n  Status   %s/status\n  Test key sk_test_demo (in development any sk_test_… is accepted)\n\n"
        "  Try      curl %s/v1/customers -u sk_test_demo: -d email=jenny@example.com -d source=tok_visa\n\n",
        api_url.c_str(), operators_url.c_str(), api_url.c_str());
    std::fflush(stdout);
  }

  awaitable<> wait_for_signal() {
    [[maybe_unused]] auto [ec, signal] = co_await signals_.async_wait(nothrow);
    spdlog::info("stopping: finishing what has begun, at most {}", to_text(settings_.http.drain_timeout));
    sd_notify(0, "STOPPING=1");
    // Whoever asks twice is in a hurry: what is under way is journaled, and goes on at the next start.
    auto hurry = [](boost::system::error_code failed, int) {
      if (!failed) {
        spdlog::warn("stopping at once");
        spdlog::shutdown();
        std::_Exit(1);
      }
    };
    signals_.async_wait(hurry);
  }

  awaitable<> stop() {
    view_.set_stopping();
    co_await api_.stop(settings_.http.drain_timeout);
    const bool finished = co_await scheduler_.stop(settings_.http.drain_timeout);
    // Leases of unfinished work end by themselves, after the work.
    if (finished) co_await partitions_.stop();
    co_await operators_.stop(std::chrono::seconds(1));
    tasks_.cancel();
    co_await tasks_.idle(std::chrono::seconds(1));
    std::string written;
    remember_acknowledged(written);
    co_await catalog_.stop();
    co_await stop_redis();
    signals_.cancel();
    spdlog::info("stopped");
  }

  awaitable<> stop_redis() {
    co_await client_.stop();
    if (embedded_) co_await embedded_->stop();
  }

  Executor executor_;
  const Settings& settings_;
  SignalSet signals_;
  std::unique_ptr<redis::EmbeddedServer> embedded_;
  redis::Client client_;
  store::Store store_;
  store::Catalog catalog_;
  gateways::Gateways gateways_;
  jobs::SystemClock clock_;
  jobs::AccountExecutor accounts_;
  jobs::Partitions partitions_;
  jobs::Scheduler scheduler_;
  api::stripe::Face stripe_;
  OperatorsView view_;
  api::operators::Face operators_face_;
  http::Server api_;
  http::Server operators_;
  Tasks tasks_;
};

spdlog::level::level_enum log_level(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return spdlog::level::trace;
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::critical:
      return spdlog::level::critical;
  }
  return spdlog::level::info;
}

}  // namespace

int serve(const Settings& settings) {
  spdlog::set_default_logger(spdlog::stderr_logger_st("billd"));
  spdlog::set_level(log_level(settings.log.level));
  spdlog::set_pattern("%Y-%m-%dT%H:%M:%S.%f%z %l %v");
  asio::io_context loop(1);
  Daemon daemon(loop, settings);
  int status = 1;
  auto work = [&]() -> awaitable<> {
    auto result = co_await daemon.run();
    if (result)
      status = *result;
    else
      spdlog::critical("cannot start: {}", result.error().detail);
    loop.stop();
  };
  Tasks tasks(loop.get_executor());
  tasks.spawn("daemon", work());
  loop.run();
  return status;
}

}  // namespace billd::commands
