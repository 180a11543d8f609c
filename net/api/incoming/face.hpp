// Webhooks that come in: verified on the raw body, carried out once, durable before they are answered with 200.
#pragma once

#include "config/settings.hpp"
#include "net/api/billing.hpp"
#include "net/api/incoming/order.hpp"
#include "net/gateways/gateway.hpp"
#include "net/http/message.hpp"
#include "net/store/store.hpp"

namespace billd::api::incoming {

/// How long a sender's message is known by its identifier. Source: ten times the three days for which senders repeat.
inline constexpr Milliseconds remembered = std::chrono::days(30);

/// All of them outlive the face and its coroutines.
struct Services {
  Billing& billing;
  store::Store& store;
  const gateways::Gateways& gateways;
  const Settings& settings;
};

/// Counted since the process began.
struct Statistics {
  std::uint64_t carried_out = 0;  ///< answered 200 with an effect
  std::uint64_t ignored = 0;      ///< answered 200 without one: not of billd
  std::uint64_t repeated = 0;     ///< answered as the first time
  std::uint64_t refused = 0;      ///< answered 4xx
  std::uint64_t postponed = 0;    ///< answered 503: the sender repeats them
};

/// POST /webhooks/NAME, where NAME is a section of webhook_sources. See webhooks.md.
///
/// The effect of a message and the memory of it are one commit, so that a message is carried out once, however often it
/// is sent, and whatever ends in the middle. 503: nothing was done, or all of it and only the answer is missing; either
/// way the repetition sets it right.
class Face {
 public:
  explicit Face(Services services) : services_(services) {}
  Face(const Face&) = delete;
  Face& operator=(const Face&) = delete;

  static bool serves(std::string_view path) { return path.starts_with("/webhooks/"); }

  awaitable<http::Response> handle(http::Request request);

  const Statistics& statistics() const { return statistics_; }

 private:
  awaitable<Result<Answer>> carry_out(const Message& message, bool& is_repeated);
  awaitable<Result<Answer>> execute(const Message& message, Order order, std::size_t number, bool& is_repeated);

  Services services_;
  Statistics statistics_;
};

}  // namespace billd::api::incoming
