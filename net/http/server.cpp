#include "net/http/server.hpp"

#include <spdlog/spdlog.h>

#include <array>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <ctime>
#include <map>
#include <vector>

#include "net/http/wire.hpp"

namespace billd::http {

using asio::ip::tcp;
using boost::system::error_code;
using Acceptor = asio::basic_socket_acceptor<tcp, Executor>;
using Socket = asio::basic_stream_socket<tcp, Executor>;
using TlsStream = asio::ssl::stream<Socket>;
using TimePoint = SteadyClock::time_point;

Response render_error_as_json(int status, std::string_view message, std::string_view) {
  boost::json::object error;
  error["type"] = status >= 500 ? "api_error" : "invalid_request_error";
  error["message"] = message;
  boost::json::object body;
  body["error"] = std::move(error);
  Response response;
  response.status = status;
  response.body = boost::json::serialize(body);
  return response;
}

namespace {

constexpr TimePoint never = TimePoint::max();

// How much is read at one time. Most requests have no more than this, and an idle connection keeps room for one read.
constexpr std::size_t read_header_bytes = 4 * 1024;
constexpr std::size_t read_body_bytes = 32 * 1024;

// Answers are gathered up to here before they are written; a body from here on is written from where it lies.
constexpr std::size_t gather_bytes_max = 64 * 1024;

asio::ip::address unmapped(const asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6());
  return address;
}

Failure system_failure(std::string_view what, const error_code& ec) {
  return Failure{Errc::bad_configuration, std::string(what) + ": " + ec.message()};
}

// Tries to write without waiting. Streams that cannot do that (TLS) get an overload which writes nothing.
std::size_t write_at_once(Socket& socket, std::string_view bytes, error_code& ec) {
  std::size_t written = socket.write_some(asio::buffer(bytes.data(), bytes.size()), ec);
  return ec ? 0 : written;
}

std::size_t write_at_once(TlsStream&, std::string_view, error_code&) { return 0; }

class ConnectionBase;

}  // namespace

/// What connections, listeners and the server itself share; it lives as long as any of them.
struct ServerState : std::enable_shared_from_this<ServerState> {
  ServerState(Executor executor_, ServerSettings settings_, Handler handler_)
      : executor(executor_),
        settings(std::move(settings_)),
        handler(std::move(handler_)),
        sweep(executor_),
        drained(executor_) {
    set_sweep_interval();
  }

  void set_sweep_interval() {
    Milliseconds shortest = std::min({settings.header_limit, settings.body_limit, settings.idle_limit,
                                      settings.write_limit, settings.linger_limit, settings.body_rate_grace});
    sweep_interval = std::clamp(shortest / 4, Milliseconds(5), Milliseconds(250));
  }

  std::string_view date();
  Result<void> accept_from(Acceptor acceptor, std::shared_ptr<const TlsIdentity> tls);
  void admit(Socket socket, const asio::ip::address& peer, asio::ssl::context* tls);
  template <class Stream>
  void start(Stream stream, const asio::ip::address& peer);
  void remove(ConnectionBase& connection);
  std::vector<std::shared_ptr<ConnectionBase>> current_connections() const;
  bool close_longest_idle();
  void arm_sweep();
  void close_listeners();
  /// Returns when no connection is left, at the latest after the limit.
  awaitable<> wait_until_drained(Milliseconds limit);

  Executor executor;
  ServerSettings settings;
  Handler handler;

  std::vector<std::shared_ptr<Acceptor>> listeners;
  std::vector<ConnectionBase*> connections;        // each removes itself when it is destroyed
  std::map<asio::ip::address, std::size_t> peers;  // only those that are limited
  ServerCounts counts;
  bool draining = false;
  bool grace_is_over = false;  // of stop(): who has asked nothing until now is not waited for any more

  Timer sweep;  // runs only while there are connections, so that an idle daemon sleeps
  bool sweeping = false;
  Milliseconds sweep_interval{};
  Timer drained;  // waited on by stop(), cancelled when the last connection has gone

  std::time_t date_second = -1;
  std::array<char, 32> date_text{};
  std::size_t date_size = 0;
};

namespace {

/// The part of a connection that does not depend on its stream: its phase, and the deadline that the sweep enforces.
/// One coarse deadline per phase costs a store; a timer for every read and write would cost more than the request.
class ConnectionBase : public std::enable_shared_from_this<ConnectionBase> {
 public:
  enum class Phase { idle, reading_header, reading_body, handling, writing, lingering };

  ConnectionBase(std::shared_ptr<ServerState> state, asio::ip::address peer);
  ConnectionBase(const ConnectionBase&) = delete;
  ConnectionBase& operator=(const ConnectionBase&) = delete;
  virtual ~ConnectionBase() { state_->remove(*this); }

  /// Reads, answers and writes until the connection ends.
  virtual awaitable<> serve() = 0;

  Phase phase() const { return phase_; }
  TimePoint since() const { return since_; }
  const asio::ip::address& peer() const { return peer_; }

  /// Ends waits that have become too long.
  void enforce_deadline(TimePoint now);

  /// Whether close() was called: nothing may be begun any more.
  bool closed() const { return closed_; }

  /// Closes at once, without a word. A request that arrives at this moment is not handled any more.
  void close();

  /// Closes at once and cancels a handler that runs.
  void abort();

  /// Whether the peer has sent something that was not read yet.
  virtual bool has_unread() = 0;

  /// The server drains: a body that is being made ends.
  void end_stream() {
    if (answering_) answering_->end();
  }

  asio::cancellation_signal cancelled;
  std::size_t index = 0;  // in ServerState::connections

 protected:
  virtual void close_stream() = 0;
  virtual void cancel_stream() = 0;

  void enter(Phase phase);

  ServerState& state() { return *state_; }
  const ServerSettings& settings() const { return settings_; }

  /// Whether the deadline ended the wait that has just ended.
  bool take_expired() { return std::exchange(expired_, false); }

  std::shared_ptr<BodyStream> answering_;  // the body that is being made
  std::size_t body_bytes_ = 0;             // received since the phase reading_body began
  std::string peer_text_;

 private:
  std::shared_ptr<ServerState> state_;
  const ServerSettings& settings_;
  asio::ip::address peer_;
  Phase phase_ = Phase::idle;
  TimePoint since_;
  TimePoint deadline_;
  bool expired_ = false;
  bool closed_ = false;
};

ConnectionBase::ConnectionBase(std::shared_ptr<ServerState> state, asio::ip::address peer)
    : peer_text_(peer.to_string()), state_(std::move(state)), settings_(state_->settings), peer_(peer) {
  enter(Phase::idle);
  deadline_ = since_ + settings_.header_limit;  // a new connection is there to send a request
}

void ConnectionBase::enter(Phase phase) {
  phase_ = phase;
  since_ = SteadyClock::now();
  switch (phase) {
    case Phase::idle:
      deadline_ = since_ + settings_.idle_limit;
      break;
    case Phase::reading_header:
      deadline_ = since_ + settings_.header_limit;
      break;
    case Phase::reading_body:
      deadline_ = since_ + settings_.body_limit;
      body_bytes_ = 0;
      break;
    case Phase::handling:
      deadline_ = never;
      break;
    case Phase::writing:
      deadline_ = since_ + settings_.write_limit;
      break;
    case Phase::lingering:
      deadline_ = since_ + settings_.linger_limit;
      break;
  }
}

void ConnectionBase::enforce_deadline(TimePoint now) {
  bool late = now >= deadline_;
  if (phase_ == Phase::reading_body && now - since_ >= settings_.body_rate_grace) {
    auto elapsed = std::chrono::duration_cast<Milliseconds>(now - since_).count();
    late = late || body_bytes_ * 1000 < settings_.body_bytes_per_second_min * static_cast<std::size_t>(elapsed);
  }
  if (!late) return;
  deadline_ = never;
  // A peer that is late with its request is told so; one that does not read would not read that either.
  if (phase_ != Phase::reading_header && phase_ != Phase::reading_body) return close();
  expired_ = true;
  cancel_stream();
}

void ConnectionBase::close() {
  closed_ = true;
  close_stream();
}

void ConnectionBase::abort() {
  close();
  cancelled.emit(asio::cancellation_type::terminal);
}

/// A connection over any asynchronous stream; only the functions at its end know what kind of stream it is.
template <class Stream>
class Connection final : public ConnectionBase {
 public:
  Connection(Stream stream, std::shared_ptr<ServerState> state, asio::ip::address peer)
      : ConnectionBase(std::move(state), peer), stream_(std::move(stream)) {
    begin_message();
  }

  awaitable<> serve() override;

 private:
  enum class Step { incomplete, complete, refused };

  void begin_message();
  Step parse();
  Step parse_header();
  Step parse_body();
  Step refuse(int status, std::string_view reason);
  bool append_answer(Response response, unsigned version, bool head_only);

  void write_soon();
  awaitable<bool> flush();
  awaitable<bool> send_stream(bool chunked);
  awaitable<bool> greet();
  awaitable<> linger();

  bool written_at_once();
  bool has_unread() override;
  void close_stream() override;
  void cancel_stream() override;
  void shut_down_sending();
  Socket& socket();

  Stream stream_;
  boost::beast::flat_buffer input_;
  std::string output_;        // answers not written yet
  std::string body_;          // the body of the last of them, when it is too large to be copied
  std::size_t searched_ = 0;  // of input_: no end of a header before this
  bool header_done_ = false;
  Request request_;
  std::optional<MessageParser<true>> parser_;
  std::size_t requests_ = 0;
  bool closing_ = false;       // after what is in output_
  bool write_is_due_ = false;  // write_soon has posted
  bool write_is_running_ = false;
};

/// What comes before the first request; false when the connection is of no use.
template <class Stream>
awaitable<bool> Connection<Stream>::greet() {
  if constexpr (std::is_same_v<Stream, TlsStream>) {
    auto [ec] = co_await stream_.async_handshake(asio::ssl::stream_base::server, nothrow);
    co_return !ec && !closed();
  }
  co_return true;
}

template <class Stream>
awaitable<> Connection<Stream>::serve() {
  const bool greeted = co_await greet();
  if (!greeted) co_return;
  while (!closing_) {
    Step step = parse();
    if (step == Step::incomplete) {
      bool flushed = output_.empty() || written_at_once();
      if (!flushed) flushed = co_await flush();
      if (!flushed) co_return;
      if (phase() == Phase::idle && state().grace_is_over) co_return;
      auto room = input_.prepare(header_done_ ? read_body_bytes : read_header_bytes);
      auto [ec, received] = co_await stream_.async_read_some(room, nothrow);
      if (closed()) co_return;
      if (take_expired()) {
        refuse(408, "The request did not arrive in time.");
        break;
      }
      if (ec) co_return;
      input_.commit(received);
      body_bytes_ += received;
      if (phase() == Phase::idle) enter(Phase::reading_header);
      continue;
    }
    if (step == Step::refused) break;

    // Answers to earlier, pipelined requests must not wait for a slow handler; a quick one saves them a write.
    if (!output_.empty()) write_soon();
    enter(Phase::handling);
    unsigned version = request_.version;
    bool head_only = request_.method == Method::head;
    ++requests_;
    closing_ = !request_.keep_alive || requests_ >= settings().requests_per_connection_max;
    ++state().counts.requests_total;
    ++state().counts.requests_in_flight;
    const TimePoint began_at = SteadyClock::now();
    Response response;
    try {
      response = co_await state().handler(std::move(request_));
    } catch (const std::exception& error) {
      if (!closed()) spdlog::error("an HTTP handler failed: {}", error.what());
      response = settings().render_error(500, "An internal error occurred.", {});
    } catch (...) {
      spdlog::error("an HTTP handler failed with an unknown exception");
      response = settings().render_error(500, "An internal error occurred.", {});
    }
    --state().counts.requests_in_flight;
    state().counts.durations.add(std::chrono::duration_cast<Histogram::Duration>(SteadyClock::now() - began_at));
    if (closed()) co_return;
    const bool chunked = version >= 11;
    closing_ = closing_ || response.close || state().draining || (response.stream && !chunked);
    std::shared_ptr<BodyStream> stream = response.stream;
    const bool streams = append_answer(std::move(response), version, head_only);
    begin_message();
    if (streams) {
      answering_ = std::move(stream);
      const bool sent = co_await send_stream(chunked);
      if (!sent) co_return;
    }
    if (output_.size() >= gather_bytes_max || !body_.empty()) {
      bool flushed = co_await flush();
      if (!flushed) co_return;
    }
    enter(Phase::idle);
  }
  bool flushed = co_await flush();
  if (flushed) co_await linger();
}

template <class Stream>
void Connection<Stream>::begin_message() {
  request_ = Request();
  request_.remote_address = peer_text_;
  parser_.emplace(request_, settings().body_bytes_max, static_cast<std::uint32_t>(settings().gate.header_bytes_max));
  searched_ = 0;
  header_done_ = false;
}

template <class Stream>
typename Connection<Stream>::Step Connection<Stream>::parse() {
  if (!header_done_) {
    Step step = parse_header();
    if (step != Step::complete) return step;
  }
  return parse_body();
}

// Takes the header as a whole, so that the gate sees the very bytes that Beast will parse.
template <class Stream>
typename Connection<Stream>::Step Connection<Stream>::parse_header() {
  std::string_view received(static_cast<const char*>(input_.data().data()), input_.size());
  if (received.empty()) return Step::incomplete;
  const GateLimits& gate = settings().gate;
  bool letter = received[0] >= 'A' && received[0] <= 'Z';
  if (!letter) return refuse(400, "This is not a request of HTTP/1.");  // a TLS greeting, for one, is never completed
  std::size_t end = received.find("\r\n\r\n", searched_);
  if (end == std::string_view::npos) {
    searched_ = received.size() < 3 ? 0 : received.size() - 3;
    bool line_open = received.find('\n') == std::string_view::npos;
    if (line_open && received.size() > gate.target_bytes_max + 32)
      return refuse(414, "The request target is too long.");
    if (received.size() >= gate.header_bytes_max) return refuse(431, "The header is too large.");
    if (phase() == Phase::idle) enter(Phase::reading_header);
    return Step::incomplete;
  }
  std::string_view header = received.substr(0, end + 4);
  if (std::optional<Refusal> refusal = refuse_raw_request(header, gate))
    return refuse(refusal->status, refusal->reason);
  request_.headers.reserve(16, header.size());
  boost::beast::error_code ec;
  parser_->feed(header, ec);
  if (parser_->refusal()) return refuse(parser_->refusal()->status, parser_->refusal()->reason);
  if (ec == boost::beast::http::error::body_limit) return refuse(413, "The body is too large.");
  if (ec && ec != boost::beast::http::error::need_more) return refuse(400, "The request is malformed.");
  input_.consume(header.size());
  header_done_ = true;
  if (!parser_->is_done()) {
    enter(Phase::reading_body);
    body_bytes_ = input_.size();
    bool waits_for_word = request_.version >= 11 && request_.headers.find("Expect") && input_.size() == 0;
    if (waits_for_word) output_ += "HTTP/1.1 100 Continue\r\n\r\n";
  }
  return Step::complete;
}

template <class Stream>
typename Connection<Stream>::Step Connection<Stream>::parse_body() {
  while (!parser_->is_done()) {
    std::string_view received(static_cast<const char*>(input_.data().data()), input_.size());
    if (received.empty()) return Step::incomplete;
    boost::beast::error_code ec;
    std::size_t taken = parser_->feed(received, ec);
    input_.consume(taken);
    if (ec == boost::beast::http::error::body_limit) return refuse(413, "The body is too large.");
    if (ec && ec != boost::beast::http::error::need_more) return refuse(400, "The body is malformed.");
    if (ec && input_.size() > settings().gate.header_bytes_max)
      return refuse(431, "The trailer of the body is too large.");  // or the line before a chunk
    if (ec) return Step::incomplete;
  }
  return Step::complete;
}

// Answers in the handler's place; the connection ends after that, for where the next request begins is not certain.
template <class Stream>
typename Connection<Stream>::Step Connection<Stream>::refuse(int status, std::string_view reason) {
  ++state().counts.requests_refused_total;
  closing_ = true;
  append_answer(settings().render_error(status, reason, request_.target), request_.version,
                request_.method == Method::head);
  return Step::refused;
}

// Puts an answer behind those that wait to be written; true when a stream is to follow it.
template <class Stream>
bool Connection<Stream>::append_answer(Response response, unsigned version, bool head_only) {
  AnswerFrame frame;
  frame.date = state().date();
  frame.version = version;
  frame.keep_alive = !closing_;
  frame.chunked = response.stream && version >= 11 && status_has_body(response.status);
  if (!append_answer_head(output_, response, frame)) {
    spdlog::error("an answer with status {} has a header that cannot be sent", response.status);
    response = render_error_as_json(500, "An internal error occurred.", {});
    frame.chunked = false;
    append_answer_head(output_, response, frame);
  }
  ++state().counts.answers_total[response.status];
  if (head_only || !status_has_body(response.status)) return false;
  if (frame.chunked) {
    append_chunk(output_, response.body);
  } else if (response.body.size() < gather_bytes_max) {
    output_ += response.body;
  } else {
    body_ = std::move(response.body);  // flushed before there is another answer
  }
  return response.stream != nullptr;
}

// Writes at the loop's next turn what has not been written by then.
template <class Stream>
void Connection<Stream>::write_soon() {
  if (write_is_due_) return;
  write_is_due_ = true;
  asio::post(state().executor, [self = std::static_pointer_cast<Connection>(shared_from_this())] {
    self->write_is_due_ = false;
    if (!self->write_is_running_ && !self->output_.empty()) self->written_at_once();
  });
}

// False when the connection is of no use any more.
template <class Stream>
awaitable<bool> Connection<Stream>::flush() {
  Phase interrupted = phase();
  enter(Phase::writing);
  write_is_running_ = true;
  std::array<asio::const_buffer, 2> buffers = {asio::buffer(output_), asio::buffer(body_)};
  auto [ec, written] = co_await asio::async_write(stream_, buffers, nothrow);
  write_is_running_ = false;
  output_.clear();
  body_ = std::string();
  enter(interrupted);
  co_return !ec && !closed();
}

// Sends the body that is made meanwhile, piece by piece; false when the connection is of no use any more.
template <class Stream>
awaitable<bool> Connection<Stream>::send_stream(bool chunked) {
  struct Counted {
    explicit Counted(std::size_t& streams) : count(streams) { ++count; }
    ~Counted() { --count; }
    std::size_t& count;
  };
  const std::shared_ptr<ServerState> keeps_count = state().shared_from_this();
  const Counted counted(keeps_count->counts.streams);
  for (;;) {
    const bool flushed = co_await flush();
    if (!flushed) co_return false;
    if (state().draining) answering_->end();
    std::optional<std::string> piece;
    try {
      piece = co_await answering_->next();
    } catch (const std::exception& error) {
      // The peer sees by the missing end that the body is not complete.
      if (!closed()) spdlog::error("the body of an HTTP answer failed: {}", error.what());
      co_return false;
    }
    if (closed()) co_return false;
    if (!piece) break;
    if (chunked)
      append_chunk(output_, *piece);
    else
      output_ += *piece;
  }
  answering_.reset();
  closing_ = closing_ || state().draining;
  if (chunked) output_ += last_chunk;
  co_return true;
}

// Lets the peer read the last answer: closing with input unread would reset the connection and take the answer along.
template <class Stream>
awaitable<> Connection<Stream>::linger() {
  enter(Phase::lingering);
  if constexpr (std::is_same_v<Stream, TlsStream>) {
    // Says that nothing was cut off; the deadline ends the wait for a peer that does not say so, too.
    [[maybe_unused]] auto [ec] = co_await stream_.async_shutdown(nothrow);
    if (closed()) co_return;
  }
  shut_down_sending();
  input_.consume(input_.size());
  while (true) {
    auto room = input_.prepare(read_header_bytes);
    auto [ec, received] = co_await socket().async_read_some(room, nothrow);
    if (ec || closed()) co_return;
  }
}

template <class Stream>
Socket& Connection<Stream>::socket() {
  if constexpr (std::is_same_v<Stream, TlsStream>)
    return stream_.next_layer();
  else
    return stream_;
}

template <class Stream>
bool Connection<Stream>::written_at_once() {
  error_code ec;
  std::size_t written = write_at_once(stream_, output_, ec);
  if (written == output_.size()) {
    output_.clear();
    return true;
  }
  output_.erase(0, written);
  return false;
}

template <class Stream>
bool Connection<Stream>::has_unread() {
  error_code ec;
  const std::size_t bytes = socket().available(ec);
  return !ec && bytes > 0;
}

template <class Stream>
void Connection<Stream>::close_stream() {
  error_code ignored;
  socket().close(ignored);
}

template <class Stream>
void Connection<Stream>::cancel_stream() {
  error_code ignored;
  socket().cancel(ignored);
}

template <class Stream>
void Connection<Stream>::shut_down_sending() {
  error_code ignored;
  socket().shutdown(Socket::shutdown_send, ignored);
}

/// What co_spawn calls at a connection's end; it owns the connection until then and passes cancellation on. It is no
/// bind_cancellation_slot, which in Boost 1.81 posts the cancellation with a plain pointer when it comes from outside
/// the loop, as it does when a server is destroyed after run().
class ConnectionEnd {
 public:
  using cancellation_slot_type = asio::cancellation_slot;

  explicit ConnectionEnd(std::shared_ptr<ConnectionBase> connection) : connection_(std::move(connection)) {}

  cancellation_slot_type get_cancellation_slot() const noexcept { return connection_->cancelled.slot(); }

  void operator()(std::exception_ptr failure) const {
    // Only a cancellation makes a connection throw: what its handler throws ends in serve().
    if (failure && !connection_->closed()) spdlog::error("an HTTP connection ended with an exception");
  }

 private:
  std::shared_ptr<ConnectionBase> connection_;
};

bool is_shortage(const error_code& ec) {
  return ec == asio::error::no_descriptors || ec == error_code(ENFILE, boost::system::system_category()) ||
         ec == asio::error::no_buffer_space || ec == asio::error::no_memory;
}

awaitable<> accept_connections(std::shared_ptr<ServerState> state, std::shared_ptr<Acceptor> acceptor,
                               std::shared_ptr<const TlsIdentity> tls) {
  constexpr Milliseconds pause(100);
  bool short_of_resources = false;  // a shortage is told once, not ten times a second
  while (acceptor->is_open()) {
    Socket socket(state->executor);
    tcp::endpoint peer;
    auto [ec] = co_await acceptor->async_accept(socket, peer, nothrow);
    if (!ec) {
      // Also when the listener was closed meanwhile: nobody else can answer what this process has accepted.
      short_of_resources = false;
      state->admit(std::move(socket), unmapped(peer.address()), tls ? tls->context().get() : nullptr);
      continue;
    }
    if (!acceptor->is_open()) co_return;
    if (ec == asio::error::connection_aborted) continue;
    if (!short_of_resources) spdlog::warn("cannot accept connections for now: {}", ec.message());
    short_of_resources = is_shortage(ec);
    if (short_of_resources) state->close_longest_idle();
    co_await sleep_for(pause);  // the peers wait in the queue of the listener meanwhile
  }
}

}  // namespace

std::string_view ServerState::date() {
  std::time_t now = std::time(nullptr);
  if (now != date_second) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    // The names of days and months come from the C locale, which billd never changes.
    date_size = std::strftime(date_text.data(), date_text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    date_second = now;
  }
  return {date_text.data(), date_size};
}

Result<void> ServerState::accept_from(Acceptor acceptor, std::shared_ptr<const TlsIdentity> tls) {
  auto listener = std::make_shared<Acceptor>(std::move(acceptor));
  listeners.push_back(listener);
  asio::co_spawn(executor, accept_connections(shared_from_this(), listener, std::move(tls)),
                 [](std::exception_ptr failure) {
                   if (failure) spdlog::error("an HTTP listener ended with an exception");
                 });
  return {};
}

void ServerState::admit(Socket socket, const asio::ip::address& peer, asio::ssl::context* tls) {
  auto refuse = [&](int status, std::string_view message) {
    ++counts.connections_refused_total;
    if (tls != nullptr) return;  // it could not be told before a handshake, which is what there is no room for
    ++counts.answers_total[status];
    Response response = settings.render_error(status, message, {});
    AnswerFrame frame;
    frame.date = date();
    frame.keep_alive = false;
    std::string answer;
    if (append_answer_head(answer, response, frame)) answer += response.body;
    error_code ignored;
    socket.non_blocking(true, ignored);
    write_at_once(socket, answer, ignored);  // a new socket's buffer takes it
    // What the peer has sent already is taken, or closing would reset the connection and the answer be lost.
    std::array<char, 4096> discarded;
    socket.read_some(asio::buffer(discarded), ignored);
  };
  if (connections.size() >= settings.connections_max && !close_longest_idle())
    return refuse(503, "Too many connections are open.");
  bool limited = settings.limit_loopback_peers || !peer.is_loopback();
  if (limited && peers[peer] >= settings.connections_per_peer_max)
    return refuse(429, "Too many connections from your address are open.");

  error_code ignored;
  socket.non_blocking(true, ignored);
  socket.set_option(tcp::no_delay(true), ignored);
  if (limited) ++peers[peer];
  ++counts.connections_total;
  if (tls != nullptr)
    start(TlsStream(std::move(socket), *tls), peer);
  else
    start(std::move(socket), peer);
}

template <class Stream>
void ServerState::start(Stream stream, const asio::ip::address& peer) {
  auto connection = std::make_shared<Connection<Stream>>(std::move(stream), shared_from_this(), peer);
  connection->index = connections.size();
  connections.push_back(connection.get());
  arm_sweep();
  asio::co_spawn(executor, connection->serve(), ConnectionEnd(connection));
}

void ServerState::remove(ConnectionBase& connection) {
  auto peer = peers.find(connection.peer());
  if (peer != peers.end() && --peer->second == 0) peers.erase(peer);
  std::size_t index = connection.index;
  std::swap(connections[index], connections.back());
  connections[index]->index = index;
  connections.pop_back();
  if (connections.empty()) {
    sweep.cancel();
    drained.cancel();
  }
}

// Ending one may destroy it and thereby change the list: whoever ends several walks over this copy.
std::vector<std::shared_ptr<ConnectionBase>> ServerState::current_connections() const {
  std::vector<std::shared_ptr<ConnectionBase>> current;
  for (ConnectionBase* connection : connections) current.push_back(connection->shared_from_this());
  return current;
}

bool ServerState::close_longest_idle() {
  ConnectionBase* longest = nullptr;
  for (ConnectionBase* connection : connections) {
    bool idle = connection->phase() == ConnectionBase::Phase::idle && !connection->closed();
    if (idle && (!longest || connection->since() < longest->since())) longest = connection;
  }
  if (!longest) return false;
  longest->close();
  return true;
}

void ServerState::arm_sweep() {
  if (sweeping || connections.empty()) return;
  sweeping = true;
  sweep.expires_after(sweep_interval);
  sweep.async_wait([state = shared_from_this()](const error_code&) {
    state->sweeping = false;
    TimePoint now = SteadyClock::now();
    for (const auto& connection : state->current_connections()) connection->enforce_deadline(now);
    state->arm_sweep();
  });
}

awaitable<> ServerState::wait_until_drained(Milliseconds limit) {
  drained.expires_after(limit);
  while (!connections.empty()) {
    auto [ec] = co_await drained.async_wait(nothrow);
    if (!ec) break;
  }
}

void ServerState::close_listeners() {
  for (const auto& listener : listeners) {
    error_code ignored;
    listener->close(ignored);
  }
}

Server::Server(Executor executor, ServerSettings settings, Handler handler)
    : state_(std::make_shared<ServerState>(executor, std::move(settings), std::move(handler))) {}

Server::~Server() {
  state_->draining = true;
  state_->close_listeners();
  for (const auto& connection : state_->current_connections()) connection->abort();
  state_->sweep.cancel();
}

Result<void> Server::listen(const std::string& address, std::uint16_t port, std::shared_ptr<const TlsIdentity> tls) {
  std::string what = "cannot listen on " + address + " port " + std::to_string(port);
  error_code ec;
  asio::ip::address literal = asio::ip::make_address(address, ec);
  if (ec) return system_failure(what, ec);
  tcp::endpoint endpoint(literal, port);
  Acceptor acceptor(state_->executor);
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(Acceptor::reuse_address(true), ec);
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec) acceptor.listen(Acceptor::max_listen_connections, ec);
  if (ec) return system_failure(what, ec);
  return state_->accept_from(std::move(acceptor), std::move(tls));
}

Result<void> Server::listen(int descriptor, std::shared_ptr<const TlsIdentity> tls) {
  std::string what = "cannot listen on descriptor " + std::to_string(descriptor);
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  Acceptor acceptor(state_->executor);
  error_code ec;
  bool known = ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  if (!known) return system_failure(what, error_code(errno, boost::system::system_category()));
  acceptor.assign(address.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), descriptor, ec);
  if (ec) {
    ::close(descriptor);
    return system_failure(what, ec);
  }
  int listening = 0;
  size = sizeof listening;
  bool asked = ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0;
  bool is_internet = address.ss_family == AF_INET || address.ss_family == AF_INET6;
  if (!asked || listening == 0 || !is_internet)
    return Failure{Errc::bad_configuration, what + ": it is not a listening TCP socket"};
  return state_->accept_from(std::move(acceptor), std::move(tls));
}

void Server::set_settings(ServerSettings settings) {
  state_->settings = std::move(settings);
  state_->set_sweep_interval();
}

Endpoint Server::local_endpoint() const {
  if (state_->listeners.empty()) return {};
  error_code ec;
  tcp::endpoint endpoint = state_->listeners.front()->local_endpoint(ec);
  if (ec) return {};
  return {endpoint.address().to_string(), endpoint.port()};
}

awaitable<> Server::stop(Milliseconds limit) {
  constexpr Milliseconds unwinding_limit(1'000);
  std::shared_ptr<ServerState> state = state_;
  state->draining = true;
  state->close_listeners();
  for (const auto& connection : state->current_connections()) connection->end_stream();
  const Milliseconds grace = std::min(limit, state->settings.drain_grace);
  co_await state->wait_until_drained(grace);
  state->grace_is_over = true;
  for (const auto& connection : state->current_connections())
    if (connection->phase() == ConnectionBase::Phase::idle && !connection->has_unread()) connection->close();
  co_await state->wait_until_drained(limit - grace);
  if (state->connections.empty()) co_return;
  spdlog::warn("closing {} HTTP connections that did not end in time", state->connections.size());
  for (const auto& connection : state->current_connections()) connection->abort();
  co_await state->wait_until_drained(unwinding_limit);
}

ServerCounts Server::counts() const {
  ServerCounts counts = state_->counts;
  counts.connections = state_->connections.size();
  return counts;
}

}  // namespace billd::http
