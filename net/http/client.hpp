// The HTTP client: sends one request and says honestly whether it was carried out, was not, or may have been.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "engine/result.hpp"
#include "net/async.hpp"
#include "net/http/gate.hpp"
#include "net/http/message.hpp"

namespace billd::http {

struct ClientSettings {
  Milliseconds connect_limit{5'000};   // from looking up the name to the end of the TLS handshake
  Milliseconds request_limit{30'000};  // for everything, where the request does not say
  Milliseconds idle_limit{20'000};     // after which an unused connection is closed
  std::size_t connections_per_origin_max = 32;
  std::size_t response_bytes_max = 1024 * 1024;  // of the body
  GateLimits gate;
  std::string certificate_authorities_file;  // PEM; the system's when empty

  /// Asked about every address that a name has before any is connected to; one refusal refuses the request. The address
  /// that was asked about is the one that is used. Guards webhooks against private networks; all are admitted when
  /// empty.
  std::function<bool(std::string_view address)> admits_address;

  /// Looks names up in the system's place: the addresses of a host, none when it is not known. The system's resolver
  /// when empty.
  std::function<std::vector<std::string>(const std::string& host)> resolve;
};

struct ClientRequest {
  Method method = Method::get;
  std::string url;  // http://host:port/path?query or https://...; no user, no fragment
  Headers headers;  // Host, Content-Length and Connection are added
  std::string body;
  Milliseconds limit{0};  // for everything; 0: the client's request_limit
};

struct ClientState;

/// Keeps connections to each origin open and reuses them. Follows no redirects and asks for no compression.
///
/// Life cycle: it may be destroyed while requests run; they go on to their end.
class Client {
 public:
  Client(Executor executor, ClientSettings settings);
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client();

  /// Returns the complete answer, whatever its status; or
  /// - invalid_parameter: the URL or a header is not fit to be sent;
  /// - forbidden: an address was not admitted;
  /// - unavailable: nothing was sent (no address, refused, no trusted certificate, no connection free in time);
  /// - outcome_unknown: the request may have been delivered and there is no complete, well-formed answer.
  ///
  /// Repeats only in one case: a kept connection was closed by the peer before a byte of the answer, and the method is
  /// GET or HEAD or there is an Idempotency-Key; then once, on a new connection. When cancelled, the outcome is
  /// unknown.
  awaitable<Result<Response>> send(ClientRequest request);

  /// Connections that wait for their next request, and those in use.
  std::size_t connections() const;

 private:
  std::shared_ptr<ClientState> state_;
};

}  // namespace billd::http
