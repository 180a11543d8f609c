// The daemon: its parts put together, run, and stopped in order.
#include <spdlog/spdlog.h>

#include <boost/asio/basic_signal_set.hpp>
#include <csignal>
#include <filesystem>

#include "commands/acknowledged.hpp"
#include "commands/commands.hpp"
#include "commands/foreign_stream.hpp"
#include "commands/history_file.hpp"
#include "commands/operators_view.hpp"
#include "commands/service.hpp"
#include "commands/session.hpp"
#include "commands/webhook_secret.hpp"
#include "jobs/deliveries.hpp"
#include "jobs/executor.hpp"
#include "jobs/operations.hpp"
#include "jobs/partitions.hpp"
#include "jobs/scheduler.hpp"
#include "net/api/faces.hpp"
#include "net/api/gather.hpp"
#include "net/api/incoming/face.hpp"
#include "net/api/openapi/document.hpp"
#include "net/api/operators/face.hpp"
#include "net/api/stripe/event_body.hpp"
#include "net/gateways/configured.hpp"
#include "net/http/server.hpp"
#include "net/log.hpp"
#include "net/redis/preflight.hpp"
#include "net/store/aliases.hpp"

namespace billd::commands {
namespace {

using SignalSet = asio::basic_signal_set<Executor>;

/// How often `systemctl status` is told how the work goes.
constexpr Milliseconds status_interval(2'000);
/// How long a scheduler may sleep on its work until the watchdog ends it.
constexpr Milliseconds patience_with_scheduler(60'000);
/// What stopping takes beyond the drain: leases, tasks, the embedded Redis with its last write.
constexpr Milliseconds stop_margin(20'000);

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
  server.drain_grace = settings.drain_grace;
  return server;
}

/// The server's own answers are in the format of the API that they are for.
http::ServerSettings face_settings(const HttpSettings& settings, std::optional<FaceName> pinned) {
  http::ServerSettings server = server_settings(settings);
  server.render_error = [pinned](int status, std::string_view message, std::string_view target) {
    return api::Faces::render_error(pinned, status, message, target);
  };
  return server;
}

/// A listener for one API alone.
struct FaceListener {
  FaceName face;
  std::string name;  ///< of its socket
  std::shared_ptr<http::TlsIdentity> tls;
  std::unique_ptr<http::Server> server;
};

constexpr std::pair<FaceName, const char*> face_names[] = {
    {FaceName::stripe, "stripe"},
    {FaceName::stancer, "stancer"},
    {FaceName::management, "management"},
    {FaceName::funding_sources, "funding_sources"},
};

/// Reads the listener's certificate, or has it speak plain HTTP.
Result<void> take_identity(http::TlsIdentity& identity, const TlsSettings& settings) {
  if (settings.is_on()) return identity.load(settings.certificate_file, settings.key_file);
  identity.clear();
  return {};
}

template <class Use>
void for_each_line(std::string_view text, Use use) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    use(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

/// Everything that runs in the daemon, in the order in which it starts; it stops in the opposite one.
class Daemon {
 public:
  Daemon(asio::io_context& loop, const Settings& settings, webhooks::Networks allowed,
         std::function<Result<Settings>()> load)
      : executor_(loop.get_executor()),
        settings_(settings),
        load_(std::move(load)),
        stop_signals_(executor_, SIGTERM, SIGINT),
        reload_signals_(executor_, SIGHUP),
        stop_asked_(executor_, SteadyClock::time_point::max()),
        client_(executor_, redis_address(settings), client_settings(settings)),
        store_(executor_, client_, store_settings(settings)),
        catalog_(executor_, client_, store_, redis_address(settings)),
        accounts_(executor_, clock_, store_, catalog_, gateways_, billing_rules(settings.billing), settings.jobs),
        partitions_(executor_, store_, settings.daemon.name,
                    jobs::LeaseTimes{settings.jobs.lease_interval, settings.jobs.lease_timeout}),
        scheduler_(executor_, clock_, store_, catalog_, accounts_, partitions_, settings.jobs),
        services_{accounts_, store_, catalog_, gateways_, settings_, settings.gateways.new_sources, std::move(allowed)},
        faces_(services_),
        incoming_(api::incoming::Services{accounts_, store_, gateways_, settings_}),
        view_(settings, store_, client_, clock_, partitions_, scheduler_, accounts_),
        operations_(clock_, store_, catalog_, accounts_, scheduler_),
        operators_face_(view_, operations_, access_, [this] { return openapi(true); }),
        api_(executor_, face_settings(settings.http, std::nullopt),
             [this](http::Request request) { return answer(std::move(request), std::nullopt); }),
        operators_(executor_, server_settings(settings.http),
                   [this](http::Request request) { return answer_operator(std::move(request)); }),
        tasks_(executor_),
        watches_(executor_) {
    gateways::add_configured(gateways_, executor_, store_, settings.gateways, [this] { return clock_.now(); });
    client_.on_connected([this](redis::Connection& connection) { return store_.prepare(connection); });
    store_.aliases().limit({settings.api.aliased_customers_remembered, settings.api.aliases_remembered});
    access_.set(settings.operators.tokens, settings.operators.host);
    view_.add_server("api", api_);
    view_.add_server("operators", operators_);
    view_.set_incoming(incoming_);
    view_.set_gateways(gateways_);
    for (const auto& [face, name] : face_names) {
      if (!settings_.faces.of(face).listen) continue;
      auto handler = [this, pinned = face](http::Request request) { return answer(std::move(request), pinned); };
      face_listeners_.push_back(
          {face, name, std::make_shared<http::TlsIdentity>(),
           std::make_unique<http::Server>(executor_, face_settings(settings_.http, face), std::move(handler))});
      view_.add_server(name, *face_listeners_.back().server);
    }
  }

  awaitable<Result<int>> run() {
    watches_.spawn("signals", follow_signals());
    watches_.spawn("progress", report());
    auto started = co_await start();
    if (started) {
      tasks_.spawn("reload", follow_reloads());
      announce();
      co_await stop_asked_.async_wait(nothrow);
    }
    co_await stop();
    if (!started && started.error().code != Errc::stopping) co_return started.error();
    co_return 0;
  }

 private:
  awaitable<Result<void>> start() {
    std::error_code error;
    const bool is_new = std::filesystem::create_directories(settings_.state_directory, error);
    // All data is in it, and a secret.
    if (is_new) std::filesystem::permissions(settings_.state_directory, std::filesystem::perms::owner_all, error);
    if (error)
      co_return Failure{Errc::bad_configuration, "cannot make the state directory " + settings_.state_directory + ": " +
                                                     error.message() + "; name another with --state-dir"};
    bool is_local = is_loopback(settings_.api.listen) && is_loopback(settings_.operators.listen);
    for (const FaceListener& each : face_listeners_)
      is_local = is_local && is_loopback(*settings_.faces.of(each.face).listen);
    if (settings_.development && !is_local)
      co_return Failure{Errc::bad_configuration,
                        "--dev accepts any test key and so listens on loopback addresses only; run without it to "
                        "listen on others"};
    auto identified = take_identities();
    if (!identified) co_return identified.error();
    auto secret = webhook_secret(settings_);
    if (!secret) co_return secret.error();
    settings_.webhooks.secret = std::move(*secret);
    // Whether the addresses are free is known before anything is begun. Operators may look before Redis is there: that
    // is when they want to; programs are let in when they can be served.
    auto operators = service_.listener("operators", settings_.operators.listen);
    if (!operators) co_return operators.error();
    // A socket that was passed may listen elsewhere than the settings say.
    const auto bound = address_of(operators->descriptor.get());
    if (bound && !is_loopback(*bound) && settings_.operators.tokens.empty())
      co_return Failure{Errc::bad_configuration,
                        "the operators' socket listens on " + to_text(*bound) +
                            ", which is not the loopback: set operators.tokens_file, and make a token for each "
                            "operator with `billd tokens create`"};
    auto api = service_.listener("api", settings_.api.listen);
    if (!api) co_return api.error();
    std::vector<Listener> listeners;
    for (const FaceListener& each : face_listeners_) {
      auto listener = service_.listener(each.name, *settings_.faces.of(each.face).listen);
      if (!listener) co_return listener.error();
      listeners.push_back(std::move(*listener));
    }
    service_.close_others();
    auto listening = let_in("operators", std::move(*operators), operators_, operators_tls_);
    if (!listening) co_return listening.error();

    auto connected = co_await connect();
    if (!connected) co_return connected.error();
    auto trusted = co_await check_durability();
    if (!trusted) co_return trusted.error();
    auto cataloged = co_await catalog_.start();
    if (!cataloged) co_return cataloged.error();
    if (is_stopping_) co_return Failure{Errc::stopping, "told to stop"};
    tasks_.spawn("clock", jobs::watch_clock(clock_, store_));
    tasks_.spawn("acknowledged", keep_acknowledged());
    partitions_.start();
    scheduler_.overview().restore_history(read_history(history_file(settings_)));
    tasks_.spawn("history", keep_history());
    scheduler_.start();
    deliveries_.emplace(executor_, clock_, store_, catalog_, partitions_,
                        jobs::delivery_settings(settings_.webhooks, services_.webhook_networks),
                        [this](Mode mode, std::string version, store::StoredEvent event) {
                          return api::stripe::event_body(services_, mode, std::move(version), std::move(event));
                        });
    deliveries_->pause_while([this] { return scheduler_.overview().deliveries_pause().has_value(); });
    accounts_.on_notice_question([this](jobs::AccountName account, InvoiceId invoice, Timestamp created) {
      return deliveries_->awaits_invoice_created(account.mode, std::move(account.key), std::move(invoice), created);
    });
    deliveries_->start();
    view_.set_deliveries(*deliveries_);
    is_working_ = true;
    auto serving = let_in("api", std::move(*api), api_, api_tls_);
    for (std::size_t i = 0; serving && i < face_listeners_.size(); ++i) {
      const FaceListener& each = face_listeners_[i];
      serving = let_in(each.name, std::move(listeners[i]), *each.server, each.tls);
    }
    if (serving) view_.set_serving();
    co_return serving;
  }

  Result<void> let_in(const std::string& name, Listener listener, http::Server& server,
                      const std::shared_ptr<http::TlsIdentity>& tls) {
    auto descriptor = service_.open(name, std::move(listener));
    if (!descriptor) return descriptor.error();
    return server.listen(*descriptor, tls);
  }

  /// Reads all certificates; one that cannot be read leaves its listener as it was.
  Result<void> take_identities() {
    Result<void> taken = take_identity(*api_tls_, settings_.api.tls);
    auto also = [&taken](Result<void> next) {
      if (taken) taken = std::move(next);
    };
    also(take_identity(*operators_tls_, settings_.operators.tls));
    for (const FaceListener& each : face_listeners_) also(take_identity(*each.tls, settings_.faces.of(each.face).tls));
    return taken;
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
    std::string told;
    for (;;) {
      auto ready = co_await client_.ready(std::chrono::seconds(1));
      if (ready) break;
      if (is_stopping_) co_return Failure{Errc::stopping, "told to stop"};
      if (!is_transient(ready.error().code)) co_return ready.error();
      std::string waiting = "waiting for Redis at " + client_.address().text() + ": " + ready.error().detail;
      service_.starting(waiting, std::chrono::seconds(60));
      if (waiting != told) spdlog::warn("{}", waiting);
      told = std::move(waiting);
    }
    if (!store_.data_loss().empty())
      spdlog::critical(
          "Redis has lost data: {}. No money moves. Compare with the gateway, then let it move again with "
          "`billd verify --accept-data-loss` and a restart",
          store_.data_loss());
    co_return Result<void>();
  }

  awaitable<Result<void>> check_durability() {
    auto preflight = co_await redis::preflight(client_);
    if (!preflight) co_return preflight.error();
    const bool is_allowed = settings_.redis.allow_unsafe_durability;
    for (const redis::Finding& finding : preflight->findings) {
      if (finding.severity == redis::Severity::fine) continue;
      const bool refuses = finding.severity == redis::Severity::refuse && !is_allowed;
      spdlog::log(refuses ? spdlog::level::err : spdlog::level::warn, "Redis: {}", finding.text());
    }
    if (!preflight->refuses()) co_return Result<void>();
    if (is_allowed) {
      spdlog::warn("Redis may lose what it has acknowledged, which redis.allow_unsafe_durability allows");
      co_return Result<void>();
    }
    co_return Failure{Errc::bad_configuration,
                      "this Redis may lose what it has acknowledged, so no money is entrusted to it"};
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

  /// Once a minute: what operators see of the last day outlives a restart.
  awaitable<> keep_history() {
    for (;;) {
      const bool goes_on = co_await sleep_for(std::chrono::minutes(1));
      if (!goes_on) co_return;
      remember_history();
    }
  }

  void remember_history() {
    auto written = write_history(history_file(settings_), scheduler_.overview().history().to_text());
    if (!written) spdlog::warn("{}", written.error().detail);
  }

  std::string openapi(bool is_for_operators) const {
    api::OpenApiInfo info;
    info.version = BILLD_VERSION;
    info.api_url = url_of(api_, settings_.api.listen, *api_tls_);
    if (is_for_operators) info.operators_url = url_of(operators_, settings_.operators.listen, *operators_tls_);
    info.stancer_url = own_url(FaceName::stancer, info.api_url);
    info.management_url = own_url(FaceName::management, info.api_url);
    info.funding_sources_url = own_url(FaceName::funding_sources, info.api_url);
    return api::openapi_document(info);
  }

  /// Where an API is that has a listener or paths of its own; empty: where all are.
  std::string own_url(FaceName face, const std::string& api_url) const {
    for (const FaceListener& each : face_listeners_)
      if (each.face == face) return url_of(*each.server, *settings_.faces.of(face).listen, *each.tls);
    const std::string& prefix = settings_.faces.of(face).path_prefix;
    return prefix.empty() ? std::string() : api_url + prefix;
  }

  /// For programs, and for people who write them: it holds nothing that is secret, and takes no key.
  http::Response describe(const http::Request& request) {
    http::Response response;
    if (request.method != http::Method::get && request.method != http::Method::head) {
      response = api::Faces::render_error(std::nullopt, 405, "Here is answered: GET, HEAD.", request.target);
      response.headers.add("Allow", "GET, HEAD");
      return response;
    }
    if (openapi_of_api_.empty()) openapi_of_api_ = openapi(false);
    response.body = openapi_of_api_;
    response.headers.add("Cache-Control", "max-age=60");
    return response;
  }

  /// Where the server listens; before it does, where it will.
  static std::string url_of(const http::Server& server, const ListenAddress& address, const http::TlsIdentity& tls) {
    const http::Endpoint bound = server.local_endpoint();
    return (tls.context() != nullptr ? "https://" : "http://") +
           to_text(bound.port == 0 ? address : ListenAddress{bound.address, bound.port});
  }

  void announce() {
    const std::string api_url = url_of(api_, settings_.api.listen, *api_tls_);
    const std::string operators_url = url_of(operators_, settings_.operators.listen, *operators_tls_);
    spdlog::info("billd {} serves {}; operators: {}", settings_.daemon.name, api_url, operators_url);
    for (const FaceListener& each : face_listeners_)
      spdlog::info("{} alone: {}", each.name, url_of(*each.server, *settings_.faces.of(each.face).listen, *each.tls));
    service_.ready(status_line(scheduler_.view(), settings_.jobs.poll_interval));
    if (!settings_.development) return;
    std::printf(
        "\n  API      %s\n  Status   %s/status\n  Test key sk_test_demo (in development any sk_test_… is accepted)\n\n"
        "  Try      curl %s/v1/customers -u sk_test_demo: -d email=jenny@example.com -d source=tok_visa\n\n",
        api_url.c_str(), operators_url.c_str(), api_url.c_str());
    std::fflush(stdout);
  }

  /// Webhooks come in where all APIs are, and what describes them is there; a listener for one API alone has nothing
  /// else.
  awaitable<http::Response> dispatch(http::Request request, std::optional<FaceName> pinned) {
    if (!pinned && request.path() == "/openapi.json") co_return describe(request);
    if (!pinned && api::incoming::Face::serves(request.path())) co_return co_await incoming_.handle(std::move(request));
    co_return co_await faces_.handle(std::move(request), pinned);
  }

  /// What cannot be read of aliases must not keep operators from seeing the rest.
  awaitable<http::Response> answer_operator(http::Request request) {
    http::Response response = co_await operators_face_.handle(std::move(request));
    if (response.stream) response.stream = std::make_shared<ForeignStream>(store_, std::move(response.stream));
    if (!store::names_adopted(response.body)) co_return response;
    std::string body = response.body;
    auto told = co_await store_.aliases().to_foreign(std::move(body));
    if (told) response.body = std::move(*told);
    co_return response;
  }

  awaitable<http::Response> answer(http::Request request, std::optional<FaceName> pinned) {
    if (!spdlog::should_log(spdlog::level::debug)) co_return co_await dispatch(std::move(request), pinned);
    const auto began_at = SteadyClock::now();
    // Without the query: it may hold anything.
    const std::string what = std::string(http::name(request.method)) + " " + std::string(request.path());
    http::Response response = co_await dispatch(std::move(request), pinned);
    const std::string id(response.headers.find("Request-Id").value_or(""));
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - began_at);
    log::debug({.request = id}, "{} was answered with {} after {} µs", what, response.status, took.count());
    co_return response;
  }

  awaitable<> follow_signals() {
    [[maybe_unused]] auto [ec, signal] = co_await stop_signals_.async_wait(nothrow);
    if (ec) co_return;
    is_stopping_ = true;
    stop_asked_.cancel();
    // Whoever asks twice is in a hurry: what is under way is journaled, and goes on at the next start.
    [[maybe_unused]] auto [ec_again, signal_again] = co_await stop_signals_.async_wait(nothrow);
    if (ec_again) co_return;
    spdlog::warn("stopping at once");
    std::_Exit(1);
  }

  awaitable<> follow_reloads() {
    for (;;) {
      [[maybe_unused]] auto [ec, signal] = co_await reload_signals_.async_wait(nothrow);
      if (ec) co_return;
      service_.reloading();
      reload();
      service_.ready(status_line(scheduler_.view(), settings_.jobs.poll_interval));
    }
  }

  /// All or nothing: a file with a mistake in it leaves everything as it is.
  void reload() {
    auto fresh = load_();
    if (!fresh) {
      spdlog::error("the configuration is not reloaded and stays as it was");
      for_each_line(fresh.error().detail, [](std::string_view line) { spdlog::error("{}", line); });
      return;
    }
    Reload reloaded = reload_settings(settings_, *fresh);
    settings_ = std::move(reloaded.settings);
    log::configure(settings_.log);
    api_.set_settings(face_settings(settings_.http, std::nullopt));
    for (const FaceListener& each : face_listeners_)
      each.server->set_settings(face_settings(settings_.http, each.face));
    auto identified = take_identities();
    if (!identified) spdlog::error("a listener keeps the certificate that it had: {}", identified.error().detail);
    operators_.set_settings(server_settings(settings_.http));
    settings_.operators.tokens = fresh->operators.tokens;
    access_.set(settings_.operators.tokens, settings_.operators.host);
    accounts_.set_rules(billing_rules(settings_.billing));
    for (const std::string& change : reloaded.changed) spdlog::info("{}", change);
    for (const std::string& wish : reloaded.restart_wanted) spdlog::warn("{}: that takes a restart", wish);
    spdlog::info("the configuration is reloaded: {} settings changed, {} take a restart", reloaded.changed.size(),
                 reloaded.restart_wanted.size());
  }

  /// Tells systemd how the work goes. That this runs shows that the loop turns.
  awaitable<> report() {
    ProgressWatch progress(patience_with_scheduler);
    const Milliseconds interval = std::min(status_interval, service_.watchdog_interval().value_or(status_interval));
    std::string told;
    bool was_moving = true;
    for (;;) {
      bool is_moving = true;
      if (is_working_ && !is_stopping_) {
        const jobs::SchedulerView view = scheduler_.view();
        const bool redis_answers = client_.state().phase == redis::Phase::ready;
        is_moving = progress.sees_progress(view, redis_answers, SteadyClock::now());
        std::string status = redis_answers ? status_line(view, settings_.jobs.poll_interval)
                                           : "Redis does not answer: " + client_.state().problem;
        if (status != told) service_.status(status);
        told = std::move(status);
      }
      if (is_moving) service_.alive();
      if (was_moving && !is_moving)
        spdlog::critical("the scheduler does not do what is due: the watchdog is left to end this process");
      was_moving = is_moving;
      const bool slept = co_await sleep_for(interval);
      if (!slept) co_return;
    }
  }

  awaitable<> stop() {
    is_stopping_ = true;
    view_.set_stopping();
    const Milliseconds limit = settings_.http.drain_timeout;
    spdlog::info("stopping: finishing what has begun, at most {}", to_text(limit));
    service_.stopping("Finishing what has begun", limit + stop_margin);
    const auto until = SteadyClock::now() + limit;
    co_await stop_listeners(limit);
    if (is_working_) {
      // What requests have left of the time is for the jobs; a second is theirs in any case.
      const auto left = std::chrono::ceil<Milliseconds>(until - SteadyClock::now());
      const bool delivered = co_await deliveries_->stop(std::max(left, Milliseconds(1'000)));
      if (!delivered) spdlog::warn("webhooks that are under way are left behind: they are delivered again");
      const bool finished = co_await scheduler_.stop(std::max(left, Milliseconds(1'000)));
      // Leases of unfinished work end by themselves, after the work.
      if (finished) co_await partitions_.stop();
    }
    co_await operators_.stop(std::chrono::seconds(1));
    reload_signals_.cancel();
    tasks_.cancel();
    co_await tasks_.idle(std::chrono::seconds(1));
    if (is_working_) {
      std::string written;
      remember_acknowledged(written);
      remember_history();
    }
    co_await catalog_.stop();
    co_await stop_redis();
    stop_signals_.cancel();
    watches_.cancel();
    co_await watches_.idle(std::chrono::seconds(1));
    spdlog::info("stopped");
  }

  /// All of them at once.
  awaitable<> stop_listeners(Milliseconds limit) {
    std::vector<awaitable<bool>> stops;
    auto stop_one = [limit](http::Server& server) -> awaitable<bool> {
      co_await server.stop(limit);
      co_return true;
    };
    stops.push_back(stop_one(api_));
    for (const FaceListener& each : face_listeners_) stops.push_back(stop_one(*each.server));
    co_await api::gather(std::move(stops));
  }

  awaitable<> stop_redis() {
    co_await client_.stop();
    if (embedded_) co_await embedded_->stop();
  }

  Executor executor_;
  Settings settings_;
  std::function<Result<Settings>()> load_;
  ServiceManager service_;
  SignalSet stop_signals_;
  SignalSet reload_signals_;
  Timer stop_asked_;  ///< cancelled when a signal asks to stop
  bool is_working_ = false;
  bool is_stopping_ = false;
  std::unique_ptr<redis::EmbeddedServer> embedded_;
  redis::Client client_;
  store::Store store_;
  store::Catalog catalog_;
  gateways::Gateways gateways_;
  jobs::SystemClock clock_;
  jobs::AccountExecutor accounts_;
  jobs::Partitions partitions_;
  jobs::Scheduler scheduler_;
  std::optional<jobs::Deliveries> deliveries_;
  api::stripe::Services services_;
  api::Faces faces_;
  api::incoming::Face incoming_;
  OperatorsView view_;
  jobs::Operations operations_;
  api::operators::Access access_;
  api::operators::Face operators_face_;
  std::shared_ptr<http::TlsIdentity> api_tls_ = std::make_shared<http::TlsIdentity>();
  std::shared_ptr<http::TlsIdentity> operators_tls_ = std::make_shared<http::TlsIdentity>();
  http::Server api_;
  http::Server operators_;
  std::vector<FaceListener> face_listeners_;
  std::string openapi_of_api_;  ///< once somebody has asked for it
  Tasks tasks_;
  Tasks watches_;  ///< from before the start until after the stop
};

}  // namespace

int serve(const Settings& settings, std::function<Result<Settings>()> load) {
  log::configure(settings.log);
  auto allowed = jobs::allowed_networks(settings);
  if (!allowed) {
    spdlog::critical("cannot start: {}", allowed.error().detail);
    return 1;
  }
  asio::io_context loop(1);
  Daemon daemon(loop, settings, std::move(*allowed), std::move(load));
  int status = 1;
  auto work = [&]() -> awaitable<> {
    auto result = co_await daemon.run();
    if (result)
      status = *result;
    else
      for_each_line(result.error().detail, [](std::string_view line) { spdlog::critical("cannot start: {}", line); });
    loop.stop();
  };
  Tasks tasks(loop.get_executor());
  tasks.spawn("daemon", work());
  loop.run();
  return status;
}

}  // namespace billd::commands
