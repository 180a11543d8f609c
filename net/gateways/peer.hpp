// A payment processor on the other side of HTTP: requests within its budget, one at a time too many held back, and a
// pause when it does not answer usably.
#pragma once

#include <boost/json.hpp>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "config/settings.hpp"
#include "net/async.hpp"
#include "net/gateways/gateway.hpp"
#include "net/http/client.hpp"

namespace billd::gateways {

/// One processor's connections. From the loop's thread; must outlive its coroutines.
class Peer {
 public:
  using Deadline = SteadyClock::time_point;

  /// `name` is the gateway's, for logs.
  Peer(Executor executor, std::string name, const ProcessorSettings& settings);

  /// When a question that is asked now must be answered, all its requests together.
  Deadline deadline() const { return SteadyClock::now() + settings_.request_timeout; }

  /// An answer that was understood: a status below 500 and a JSON object.
  struct Answer {
    int status = 0;
    boost::json::object body;
  };

  /// Sends a request to settings.url + path when its turn comes. `unavailable`: it was not sent (over the budget, the
  /// processor is left alone, no connection). `outcome_unknown`: it may have been carried out (no answer in time, 409,
  /// 429 or 5xx, no JSON). With an Idempotency-Key it may be repeated once inside.
  awaitable<Result<Answer>> send(http::Method method, std::string path, http::Headers headers, std::string body,
                                 Deadline until);

  PeerStatistics statistics() const;

 private:
  class Place;
  awaitable<Result<void>> take_place(Deadline until);
  awaitable<Result<void>> take_turn(Deadline until);
  Failure busy() const;
  void leave();
  void note_failure(std::string what);
  void pause_for(Milliseconds time);
  Result<Answer> understand(const Result<http::Response>& response);

  Executor executor_;
  const std::string name_;
  const ProcessorSettings settings_;
  http::Client client_;

  std::size_t in_flight_ = 0;
  std::deque<std::shared_ptr<Timer>> waiting_;  ///< for a place, in order
  SteadyClock::time_point next_turn_;           ///< when the budget has room for one more
  std::uint32_t failures_in_a_row_ = 0;
  SteadyClock::time_point paused_until_;
  PeerStatistics counts_;
};

/// The member as text; empty when there is none or it is something else.
std::string text_of(const boost::json::object& object, std::string_view member);
/// The member as a whole number within 64 bits; 1.0 is none.
std::optional<std::int64_t> integer_of(const boost::json::object& object, std::string_view member);
const boost::json::object* object_of(const boost::json::object& object, std::string_view member);

/// Whether a processor's amount and currency are what was asked for; when not, it is said in the log, for somebody must
/// look: money moved that nobody ordered.
bool is_what_was_asked(const boost::json::object& answer, const Money& asked, std::string_view gateway,
                       std::string_view key);

}  // namespace billd::gateways
