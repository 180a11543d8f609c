// Sends an event to an endpoint: signed in both schemes, to no address that is not allowed.
#pragma once

#include <string>
#include <vector>

#include "net/async.hpp"
#include "net/http/client.hpp"
#include "net/webhooks/channel.hpp"
#include "net/webhooks/networks.hpp"

namespace billd::webhooks {

struct SenderSettings {
  Milliseconds limit{10'000};  ///< for the whole request
  std::size_t response_bytes_max = 64 * 1024;
  std::size_t connections_max = 128;         ///< to one origin, which several endpoints may share
  Networks allowed;                          ///< that are sent to although they are not public
  std::string certificate_authorities_file;  ///< PEM; the system's when empty
};

/// A request to an endpoint.
struct Dispatch {
  std::string url;
  std::vector<std::string> secrets;  ///< all that are valid now
  std::string event;                 ///< its identifier, which a repetition has, too
  std::string body;
  std::uint64_t sequence = 0;  ///< of the event among the customer's
  std::string customer;
  Timestamp now;
};

class Sender {
 public:
  Sender(Executor executor, SenderSettings settings);

  /// Follows no redirects. Headers: Stripe-Signature; webhook-id, webhook-timestamp and webhook-signature;
  /// Billd-Customer, and Billd-Sequence, which grows by one from each of the customer's events to the next.
  awaitable<Receipt> send(Dispatch dispatch);

 private:
  http::Client client_;
};

/// What a Retry-After field says: seconds, or a date of HTTP; empty for anything else.
std::optional<Milliseconds> parse_retry_after(std::string_view text, Timestamp now);

/// Why nothing can be sent to this URL: it is none, not https where that is wanted, or names an address that is not
/// allowed. Names are looked up when something is sent.
Result<void> check_url(const std::string& url, bool wants_https, const Networks& allowed);

}  // namespace billd::webhooks
