// The HTTP server: listens, reads requests within strict limits, hands them to a handler and writes its answers in
// order.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "engine/result.hpp"
#include "net/async.hpp"
#include "net/histogram.hpp"
#include "net/http/gate.hpp"
#include "net/http/message.hpp"
#include "net/http/tls.hpp"

namespace billd::http {

/// Answers one request. Runs on the loop's thread; requests of one connection come one after another, those of
/// different connections interleave wherever it waits. It has no time limit of the server's: it must bound its own
/// waits. What it throws is logged and answered with 500.
using Handler = std::function<awaitable<Response>(Request)>;

/// The body of an answer that is made while it is sent: Response::stream. On HTTP/1.1 it is sent in chunks, before that
/// the end of the connection ends it. HEAD never asks for a piece.
class BodyStream {
 public:
  virtual ~BodyStream() = default;

  /// The next piece; nothing: the body is complete. Asked for when the peer has taken the piece before, so that a slow
  /// peer is waited for and nothing piles up. What it throws cuts the body short.
  virtual awaitable<std::optional<std::string>> next() = 0;

  /// The server is draining: next() is to end its wait, and the body with it. May be called at any time, more than
  /// once.
  virtual void end() = 0;
};

/// Writes the answers which the server gives itself, in the format of the face that the request was meant for. `target`
/// is empty when the request line was not readable; `message` is a sentence for the peer.
using ErrorRenderer = std::function<Response(int status, std::string_view message, std::string_view target)>;

/// {"error":{"type":"invalid_request_error","message":...}}; the type is "api_error" from status 500 up.
Response render_error_as_json(int status, std::string_view message, std::string_view target);

struct ServerSettings {
  GateLimits gate;                              // 431, 414
  std::size_t body_bytes_max = 1024 * 1024;     // 413
  Milliseconds header_limit{10'000};            // from a request's first byte to the end of its header; 408
  Milliseconds body_limit{30'000};              // from the end of the header to the end of the body; 408
  std::size_t body_bytes_per_second_min = 500;  // on average, once `body_rate_grace` has passed; 408
  Milliseconds body_rate_grace{5'000};
  Milliseconds idle_limit{60'000};            // between requests; closed without a word
  Milliseconds write_limit{30'000};           // for the peer to take what is written at one time
  Milliseconds linger_limit{2'000};           // for the peer to read the last answer before its input is cut off
  Milliseconds drain_grace{500};              // of stop(), for a next request on connections that wait for one
  std::size_t connections_max = 1'000;        // when reached, the longest idle one makes room; without one, 503
  std::size_t connections_per_peer_max = 32;  // by address; 429
  bool limit_loopback_peers = false;          // whether peers at 127.0.0.0/8 and ::1 are limited, too
  std::size_t requests_per_connection_max = 10'000;
  ErrorRenderer render_error = render_error_as_json;
};

/// For the status page; every number is kept as work is done.
struct ServerCounts {
  std::size_t connections = 0;
  std::size_t requests_in_flight = 0;
  std::uint64_t connections_total = 0;
  std::uint64_t connections_refused_total = 0;  // by a limit on connections
  std::uint64_t requests_total = 0;             // handed to the handler
  std::uint64_t requests_refused_total = 0;     // answered by the server itself
  std::size_t streams = 0;                      // answers whose body is being made
  std::map<int, std::uint64_t> answers_total;   // by status, the server's own included
  Histogram durations;                          // from the complete request to its answer, a stream's first piece
};

struct Endpoint {
  std::string address;
  std::uint16_t port = 0;
};

struct ServerState;

/// Keep-alive, pipelining (one request at a time, answers in order), HEAD, Expect: 100-continue. Upgrade is ignored. A
/// request that is refused ends its connection.
///
/// Life cycle: listen, `co_await stop(limit)`, destroy. Destroying it earlier closes everything at once; handlers which
/// run then go on to their end, and the handler's function object lives as long as they do.
class Server {
 public:
  Server(Executor executor, ServerSettings settings, Handler handler);
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  /// Listens on a literal IPv4 or IPv6 address, on any free port when it is 0, and accepts from now on. Fails with
  /// bad_configuration and the system's reason. May be called for several addresses.
  /// With an identity that is one (tls.hpp), its connections speak TLS.
  Result<void> listen(const std::string& address, std::uint16_t port, std::shared_ptr<const TlsIdentity> tls = nullptr);

  /// Accepts on a descriptor that is bound and listening already. The server owns it from now on, also on failure.
  Result<void> listen(int descriptor, std::shared_ptr<const TlsIdentity> tls = nullptr);

  /// New limits. Those on time hold from the next phase of each connection on.
  void set_settings(ServerSettings settings);

  /// Where the first listener is bound, with the port that the system chose; empty before listen().
  Endpoint local_endpoint() const;

  /// Drains: accepts no more, ends streams, and answers with Connection: close the requests that have begun or that
  /// arrive within `drain_grace`, since a peer that has just been accepted, or has just been answered, may be sending
  /// one. Then it closes idle connections, and at the limit the rest, whose handlers it cancels. Returns when no
  /// connection is left, at most a second after the limit. Cancelling the wait leaves the server draining.
  awaitable<> stop(Milliseconds limit);

  ServerCounts counts() const;

 private:
  std::shared_ptr<ServerState> state_;
};

}  // namespace billd::http
