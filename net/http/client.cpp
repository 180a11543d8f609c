#include "net/http/client.hpp"

#include <sys/socket.h>

#include <array>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <list>
#include <map>
#include <vector>

#include "net/http/wire.hpp"

namespace billd::http {
namespace {

namespace ssl = asio::ssl;
using asio::ip::tcp;
using boost::system::error_code;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using Resolver = asio::ip::basic_resolver<tcp, Executor>;
using TlsStream = ssl::stream<Socket&>;

/// Where a request goes, taken from its URL.
struct Destination {
  bool encrypted = false;
  std::string host;  // without the brackets of an IPv6 address
  std::string port;
  std::string authority;  // for the Host field
  std::string target;

  std::string origin() const { return (encrypted ? "https://" : "http://") + authority; }
};

Result<Destination> destination_of(const std::string& text) {
  auto url = boost::urls::parse_absolute_uri(text);
  if (!url) return Failure{Errc::invalid_parameter, "the URL is malformed", "url"};
  Destination destination;
  destination.encrypted = url->scheme_id() == boost::urls::scheme::https;
  bool http = destination.encrypted || url->scheme_id() == boost::urls::scheme::http;
  if (!http) return Failure{Errc::invalid_parameter, "the URL must begin with https:// or http://", "url"};
  if (url->has_userinfo())
    return Failure{Errc::invalid_parameter, "the URL must not contain a user or password", "url"};
  destination.host = std::string(url->host_address());
  destination.port = std::string(url->port());
  if (!url->has_port()) destination.port = destination.encrypted ? "443" : "80";
  destination.authority = std::string(url->encoded_host_and_port());
  destination.target = std::string(url->encoded_target());
  if (!destination.target.starts_with('/')) destination.target.insert(0, "/");
  if (!is_valid_host(destination.authority))
    return Failure{Errc::invalid_parameter, "the URL's host is not valid", "url"};
  int port = std::stoi(destination.port);  // one to five digits: the host was valid
  if (port < 1 || port > 65'535) return Failure{Errc::invalid_parameter, "the URL's port is not valid", "url"};
  return destination;
}

/// One connection, with or without TLS.
struct Link {
  explicit Link(Executor executor) : socket(executor) {}
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  void close() {
    error_code ignored;
    socket.close(ignored);
  }

  /// False when the peer has closed it, or has sent what nobody asked for.
  bool is_quiet() {
    char byte = 0;
    ssize_t received = ::recv(socket.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return received < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
  }

  Socket socket;
  std::optional<TlsStream> tls;
  boost::beast::flat_buffer input;
  SteadyClock::time_point idle_since;
  bool kept = false;  // it has carried a request before
};

/// One call of send(): what is sent and where to, and what its deadline must be able to end.
struct Exchange : std::enable_shared_from_this<Exchange> {
  Exchange(Executor executor, ClientRequest request_, Destination destination_)
      : request(std::move(request_)),
        destination(std::move(destination_)),
        resolver(executor),
        deadline(executor),
        connect_deadline(executor),
        turn(executor) {}

  bool may_be_repeated() const {
    return request.method == Method::get || request.method == Method::head ||
           request.headers.find("Idempotency-Key").has_value();
  }

  void arm(Timer& timer, Milliseconds limit) {
    timer.expires_after(limit);
    timer.async_wait([self = shared_from_this()](const error_code& ec) {
      if (!ec) self->expire();
    });
  }

  void expire() {
    expired = true;
    resolver.cancel();
    turn.cancel();
    if (link) link->close();
  }

  ClientRequest request;
  Destination destination;
  std::string head;
  Resolver resolver;
  Timer deadline;
  Timer connect_deadline;
  Timer turn;            // waited on while all connections to the origin are in use
  Link* link = nullptr;  // the one in use
  bool expired = false;
};

/// Ends an exchange's timers when send() is left in any way.
struct ExchangeGuard {
  explicit ExchangeGuard(Exchange& exchange_) : exchange(exchange_) {}
  ExchangeGuard(const ExchangeGuard&) = delete;
  ExchangeGuard& operator=(const ExchangeGuard&) = delete;
  ~ExchangeGuard() {
    exchange.deadline.cancel();
    exchange.connect_deadline.cancel();
  }
  Exchange& exchange;
};

/// The connections to one origin.
struct Pool {
  std::vector<std::unique_ptr<Link>> idle;  // the one used last is at the end
  std::size_t open = 0;                     // idle or in use
  std::list<std::weak_ptr<Exchange>> waiting;
};

Failure unavailable(std::string detail) { return Failure{Errc::unavailable, std::move(detail)}; }

Failure unknown(std::string detail) { return Failure{Errc::outcome_unknown, std::move(detail)}; }

}  // namespace

struct ClientState : std::enable_shared_from_this<ClientState> {
  ClientState(Executor executor_, ClientSettings settings_)
      : executor(executor_), settings(std::move(settings_)), reaper(executor_) {}

  std::unique_ptr<Link> take_idle(Pool& pool);
  void give_back(const std::string& origin, std::unique_ptr<Link> link, bool reusable);
  void arm_reaper();
  void reap();
  Result<ssl::context*> tls_context();

  Executor executor;
  ClientSettings settings;
  std::map<std::string, Pool> pools;  // by origin; only those in use
  std::optional<ssl::context> tls;    // made when first needed: loading the authorities is slow
  Timer reaper;                       // runs only while there are idle connections
  bool reaping = false;
  bool closed = false;
};

namespace {

/// A connection while an exchange uses it; returns it when it is destroyed.
class Lease {
 public:
  Lease(std::shared_ptr<ClientState> state, std::shared_ptr<Exchange> exchange, std::unique_ptr<Link> link)
      : state_(std::move(state)), exchange_(std::move(exchange)), link_(std::move(link)) {
    exchange_->link = link_.get();
  }
  Lease(Lease&&) = default;
  Lease& operator=(Lease&&) = delete;
  ~Lease() {
    if (!link_) return;
    exchange_->link = nullptr;  // its deadline must not meet a connection that is someone else's by then
    state_->give_back(exchange_->destination.origin(), std::move(link_), reusable_);
  }

  Link& link() { return *link_; }
  void keep() { reusable_ = true; }

 private:
  std::shared_ptr<ClientState> state_;
  std::shared_ptr<Exchange> exchange_;
  std::unique_ptr<Link> link_;
  bool reusable_ = false;
};

/// What came of sending a request over one connection.
struct Attempt {
  Result<Response> outcome;
  bool closed_unanswered = false;  // by the peer, before a byte of the answer
};

Attempt failed(Failure failure) { return Attempt{std::move(failure), false}; }

using Transferred = std::pair<error_code, std::size_t>;

awaitable<Transferred> write_all(Link& link, std::array<asio::const_buffer, 2> buffers) {
  if (link.tls) {
    auto [ec, written] = co_await asio::async_write(*link.tls, buffers, nothrow);
    co_return Transferred(ec, written);
  }
  auto [ec, written] = co_await asio::async_write(link.socket, buffers, nothrow);
  co_return Transferred(ec, written);
}

awaitable<error_code> read_more(Link& link) {
  constexpr std::size_t read_bytes = 16 * 1024;
  auto room = link.input.prepare(read_bytes);
  if (link.tls) {
    auto [ec, received] = co_await link.tls->async_read_some(room, nothrow);
    link.input.commit(received);
    co_return ec;
  }
  auto [ec, received] = co_await link.socket.async_read_some(room, nothrow);
  link.input.commit(received);
  co_return ec;
}

// Waits for a free place at the origin: a kept connection, or a new one that is not connected yet.
awaitable<Result<Lease>> lease(std::shared_ptr<ClientState> state, std::shared_ptr<Exchange> exchange, bool fresh) {
  std::string origin = exchange->destination.origin();
  while (true) {
    Pool& pool = state->pools[origin];  // looked up anew after each wait: it goes when its last connection does
    std::unique_ptr<Link> link = state->take_idle(pool);
    if (link && fresh) {
      --pool.open;
      link.reset();
    }
    if (!link && pool.open < state->settings.connections_per_origin_max) {
      ++pool.open;
      link = std::make_unique<Link>(state->executor);
    }
    if (link) co_return Lease(std::move(state), std::move(exchange), std::move(link));
    pool.waiting.push_back(exchange);
    exchange->turn.expires_at(SteadyClock::time_point::max());
    co_await exchange->turn.async_wait(nothrow);
    if (exchange->expired) co_return unavailable("no connection became free in time");
  }
}

// Every address that the destination's name has.
awaitable<Result<std::vector<tcp::endpoint>>> look_up(std::shared_ptr<ClientState> state,
                                                      std::shared_ptr<Exchange> exchange) {
  const Destination& destination = exchange->destination;
  std::vector<tcp::endpoint> endpoints;
  if (state->settings.resolve) {
    const auto port = static_cast<std::uint16_t>(std::stoul(destination.port));
    for (const std::string& address : state->settings.resolve(destination.host))
      endpoints.emplace_back(asio::ip::make_address(address), port);
    if (endpoints.empty()) co_return unavailable("the host is not known: " + destination.host);
    co_return endpoints;
  }
  auto [resolve_error, addresses] =
      co_await exchange->resolver.async_resolve(destination.host, destination.port, nothrow);
  if (exchange->expired) co_return unavailable("the name of the host was not looked up in time");
  if (resolve_error) co_return unavailable("the host is not known: " + resolve_error.message());
  endpoints.assign(addresses.begin(), addresses.end());
  co_return endpoints;
}

awaitable<Result<void>> connect(std::shared_ptr<ClientState> state, std::shared_ptr<Exchange> exchange, Link& link) {
  const Destination& destination = exchange->destination;
  auto found = co_await look_up(state, exchange);
  if (!found) co_return found.error();
  std::vector<tcp::endpoint> endpoints = std::move(*found);
  if (state->settings.admits_address) {
    for (const tcp::endpoint& endpoint : endpoints) {
      std::string address = endpoint.address().to_string();
      if (!state->settings.admits_address(address))
        co_return Failure{Errc::forbidden, "requests to " + address + " are not allowed"};
    }
  }
  auto [connect_error, endpoint] = co_await asio::async_connect(link.socket, endpoints, nothrow);
  if (exchange->expired) co_return unavailable("no connection was made in time");
  if (connect_error) co_return unavailable("cannot connect: " + connect_error.message());
  error_code ignored;
  link.socket.set_option(tcp::no_delay(true), ignored);
  if (!destination.encrypted) co_return Result<void>();

  Result<ssl::context*> context = state->tls_context();
  if (!context) co_return context.error();
  link.tls.emplace(link.socket, **context);
  link.tls->set_verify_callback(ssl::host_name_verification(destination.host), ignored);
  error_code not_an_address;
  asio::ip::make_address(destination.host, not_an_address);
  // A server name must be a name; SSL_set_tlsext_host_name is a macro with an old-style cast in it.
  if (not_an_address)
    SSL_ctrl(link.tls->native_handle(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
             const_cast<char*>(destination.host.c_str()));
  auto [handshake_error] = co_await link.tls->async_handshake(ssl::stream_base::client, nothrow);
  if (exchange->expired) co_return unavailable("the TLS handshake did not end in time");
  if (handshake_error) co_return unavailable("the TLS handshake failed: " + handshake_error.message());
  co_return Result<void>();
}

std::string_view readable(const Link& link) {
  return {static_cast<const char*>(link.input.data().data()), link.input.size()};
}

// Reads one answer. What was received before it failed tells whether the peer can have begun to answer.
awaitable<Attempt> receive(const ClientSettings& settings, Exchange& exchange, Lease& lease, bool head_only) {
  constexpr int interim_answers_max = 8;
  Link& link = lease.link();
  auto interrupted = [&](const error_code& ec) {
    if (exchange.expired) return failed(unknown("there was no complete answer in time"));
    return failed(unknown("the connection ended before the answer was complete: " + ec.message()));
  };
  for (int interim = 0; interim <= interim_answers_max; ++interim) {
    std::size_t header_size = std::string_view::npos;
    while (true) {
      header_size = readable(link).find("\r\n\r\n");
      if (header_size != std::string_view::npos) break;
      if (link.input.size() >= settings.gate.header_bytes_max)
        co_return failed(unknown("the answer's header is too large"));
      error_code ec = co_await read_more(link);
      if (!ec) continue;
      Attempt attempt = interrupted(ec);
      attempt.closed_unanswered = !exchange.expired && interim == 0 && link.input.size() == 0;
      co_return attempt;
    }
    header_size += 4;
    Response response;
    MessageParser<false> parser(response, settings.response_bytes_max,
                                static_cast<std::uint32_t>(settings.gate.header_bytes_max));
    parser.skip(head_only);
    std::string_view header = readable(link).substr(0, header_size);
    if (auto refusal = refuse_raw_response(header, settings.gate))
      co_return failed(unknown("the answer is malformed: " + std::string(refusal->reason)));
    error_code parse_error;
    parser.feed(header, parse_error);
    if (parser.refusal())
      co_return failed(unknown("the answer is malformed: " + std::string(parser.refusal()->reason)));
    link.input.consume(header_size);
    while (!parse_error || parse_error == boost::beast::http::error::need_more) {
      if (parser.is_done()) break;
      if (!parse_error && link.input.size() > 0) {
        link.input.consume(parser.feed(readable(link), parse_error));
        continue;
      }
      if (link.input.size() > settings.gate.header_bytes_max) {
        parse_error = boost::beast::http::error::header_limit;
        break;
      }
      error_code ec = co_await read_more(link);
      parse_error = {};
      if (!ec) continue;
      // Only a body that is meant to end with the connection is complete now, and under TLS only after a proper close.
      if (ec != asio::error::eof || !parser.need_eof()) co_return interrupted(ec);
      parser.put_eof(parse_error);
      break;
    }
    if (parse_error == boost::beast::http::error::body_limit) co_return failed(unknown("the answer is too large"));
    if (parse_error) co_return failed(unknown("the answer is malformed: " + parse_error.message()));
    bool is_interim = response.status >= 100 && response.status < 200;
    if (is_interim && response.status != 101) continue;
    if (is_interim) co_return failed(unknown("the peer switched protocols"));
    if (parser.keep_alive() && link.input.size() == 0) lease.keep();
    co_return Attempt{std::move(response), false};
  }
  co_return failed(unknown("the peer sends interim answers without end"));
}

awaitable<Attempt> attempt_once(std::shared_ptr<ClientState> state, std::shared_ptr<Exchange> exchange, bool fresh) {
  Result<Lease> leased = co_await lease(state, exchange, fresh);
  if (!leased) co_return failed(leased.error());
  Link& link = leased->link();
  bool was_kept = link.kept;
  if (!was_kept) {
    exchange->arm(exchange->connect_deadline, state->settings.connect_limit);
    Result<void> connected = co_await connect(state, exchange, link);
    exchange->connect_deadline.cancel();
    if (!connected) co_return failed(connected.error());
  }
  link.kept = true;
  std::array<asio::const_buffer, 2> buffers = {asio::buffer(exchange->head), asio::buffer(exchange->request.body)};
  auto [write_error, written] = co_await write_all(link, buffers);
  if (write_error) {
    // TLS counts what it has encrypted, which may have been sent in part even when the count is zero.
    bool nothing_sent = written == 0 && !link.tls;
    std::string detail =
        exchange->expired ? "the request was not sent in time" : "cannot send: " + write_error.message();
    Attempt attempt = failed(nothing_sent ? unavailable(std::move(detail)) : unknown(std::move(detail)));
    attempt.closed_unanswered = was_kept && !exchange->expired;
    co_return attempt;
  }
  bool head_only = exchange->request.method == Method::head;
  Attempt attempt = co_await receive(state->settings, *exchange, *leased, head_only);
  attempt.closed_unanswered = attempt.closed_unanswered && was_kept;
  co_return attempt;
}

}  // namespace

std::unique_ptr<Link> ClientState::take_idle(Pool& pool) {
  while (!pool.idle.empty()) {
    std::unique_ptr<Link> link = std::move(pool.idle.back());
    pool.idle.pop_back();
    bool fresh_enough = SteadyClock::now() - link->idle_since < settings.idle_limit;
    if (fresh_enough && link->is_quiet()) return link;
    --pool.open;
  }
  return nullptr;
}

void ClientState::give_back(const std::string& origin, std::unique_ptr<Link> link, bool reusable) {
  auto at = pools.find(origin);
  BILLD_CHECK(at != pools.end(), "a pool went before its connections");
  Pool& pool = at->second;
  if (reusable && !closed && link->socket.is_open()) {
    link->idle_since = SteadyClock::now();
    pool.idle.push_back(std::move(link));
    arm_reaper();
  } else {
    link.reset();
    --pool.open;
  }
  while (!pool.waiting.empty()) {
    std::shared_ptr<Exchange> next = pool.waiting.front().lock();
    pool.waiting.pop_front();
    if (!next || next->expired) continue;
    next->turn.cancel();
    return;
  }
  if (pool.open == 0) pools.erase(at);
}

void ClientState::arm_reaper() {
  if (reaping) return;
  reaping = true;
  reaper.expires_after(settings.idle_limit / 2);
  reaper.async_wait([weak = weak_from_this()](const error_code& ec) {
    std::shared_ptr<ClientState> state = weak.lock();
    if (!state) return;
    state->reaping = false;
    if (!ec) state->reap();
  });
}

void ClientState::reap() {
  auto now = SteadyClock::now();
  bool some_left = false;
  for (auto at = pools.begin(); at != pools.end();) {
    Pool& pool = at->second;
    std::size_t reaped =
        std::erase_if(pool.idle, [&](const auto& link) { return now - link->idle_since >= settings.idle_limit; });
    pool.open -= reaped;
    some_left = some_left || !pool.idle.empty();
    bool unused = pool.open == 0 && pool.waiting.empty();
    at = unused ? pools.erase(at) : std::next(at);
  }
  if (some_left) arm_reaper();
}

Result<ssl::context*> ClientState::tls_context() {
  if (tls) return &*tls;
  tls.emplace(ssl::context::tls_client);
  error_code ec;
  tls->set_verify_mode(ssl::verify_peer, ec);
  SSL_CTX_set_min_proto_version(tls->native_handle(), TLS1_2_VERSION);
  SSL_CTX_set_options(tls->native_handle(), SSL_OP_NO_RENEGOTIATION);
  if (settings.certificate_authorities_file.empty()) {
    tls->set_default_verify_paths(ec);
  } else {
    tls->load_verify_file(settings.certificate_authorities_file, ec);
  }
  if (!ec) return &*tls;
  tls.reset();
  return Failure{Errc::bad_configuration, "cannot load the certificate authorities: " + ec.message()};
}

Client::Client(Executor executor, ClientSettings settings)
    : state_(std::make_shared<ClientState>(executor, std::move(settings))) {}

Client::~Client() {
  state_->closed = true;
  state_->reaper.cancel();
  for (auto& [origin, pool] : state_->pools) {
    pool.open -= pool.idle.size();
    pool.idle.clear();
  }
}

awaitable<Result<Response>> Client::send(ClientRequest request) {
  std::shared_ptr<ClientState> state = state_;
  Result<Destination> destination = destination_of(request.url);
  if (!destination) co_return destination.error();
  auto exchange = std::make_shared<Exchange>(state->executor, std::move(request), *std::move(destination));
  const ClientRequest& sent = exchange->request;
  bool fit = append_request_head(exchange->head, sent.method, exchange->destination.target,
                                 exchange->destination.authority, sent.headers, sent.body.size());
  if (!fit) co_return Failure{Errc::invalid_parameter, "a header of the request cannot be sent", "headers"};

  ExchangeGuard guard(*exchange);
  exchange->arm(exchange->deadline, sent.limit > Milliseconds(0) ? sent.limit : state->settings.request_limit);
  Attempt attempt = co_await attempt_once(state, exchange, false);
  if (attempt.closed_unanswered && exchange->may_be_repeated()) attempt = co_await attempt_once(state, exchange, true);
  co_return std::move(attempt.outcome);
}

std::size_t Client::connections() const {
  std::size_t open = 0;
  for (const auto& [origin, pool] : state_->pools) open += pool.open;
  return open;
}

}  // namespace billd::http
