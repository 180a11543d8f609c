// What operators may do, and what they may look into; jobs/operations.hpp carries it out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/decide.hpp"
#include "engine/explain.hpp"
#include "engine/transition.hpp"
#include "engine/webhook_endpoint.hpp"
#include "net/async.hpp"
#include "net/store/audit.hpp"
#include "net/store/store.hpp"

namespace billd::api::operators {

enum class ActionKind : std::uint8_t {
  retry,      ///< let parked accounts back into their queues; do the work of one that waits after a failure at once
  park,       ///< take an account out of its queues until it is let back
  unpark,     ///< let parked accounts back into their queues; one that is not parked is refused
  pause,      ///< begin nothing of what waits in a queue, on all daemons
  resume,     ///< begin again
  redeliver,  ///< have webhooks delivered again: one event, or all since a moment
};
inline constexpr std::size_t action_count = 6;

std::string_view to_text(ActionKind kind);
/// Empty for a name that no action has.
std::optional<ActionKind> action_named(std::string_view name);

struct Action {
  ActionKind kind = ActionKind::retry;
  Mode mode = Mode::test;          ///< of the account
  AccountKey account;              ///< of park; of retry and unpark of one account
  std::optional<Queue> queue;      ///< of pause and resume; of retry and unpark of all that are parked there
  bool is_of_deliveries = false;   ///< of pause and resume, in the place of a queue: the delivery of webhooks
  std::string endpoint;            ///< of redeliver; empty: all that are enabled
  std::string event;               ///< of redeliver: this, or
  std::optional<Timestamp> since;  ///< all that happened from then on
  std::string reason;              ///< of retry and unpark: only what is parked for it; empty: whatever for
  std::string comment;             ///< the operator's own words
};

struct Operator {
  std::string name;
  std::string address;  ///< where the request came from
};

struct ActionResult {
  store::AuditEntry entry;  ///< what the audit log says of it
  std::string text;         ///< what was done, in a sentence
  std::uint64_t done = 0, failed = 0;
  bool more = false;  ///< more accounts match than are done in one go: repeat it
};

struct QueueDetail {
  std::vector<store::Store::Due> first;      ///< due first
  std::vector<store::Store::Parked> parked;  ///< parked first
};

struct AccountDetail {
  Account account;
  std::vector<Record> records;  ///< invoices and subscriptions that are settled
  Timers timers;
  std::optional<store::Store::Parked> parked;
  bool is_backing_off = false;
};

/// An event that an endpoint has not taken yet, or never will.
struct UndeliveredEvent {
  AccountKey key;
  std::string event;
  std::size_t behind = 0;  ///< events of the customer that wait behind it
  std::uint32_t failures = 0;
  Timestamp failed_at;
  std::optional<Timestamp> next_at;  ///< empty: it was given up
  std::string problem;
};

/// One webhook endpoint and what it did not take.
struct WebhookDetail {
  Mode mode = Mode::test;
  WebhookEndpoint endpoint;
  std::optional<Timestamp> delivered_at, failing_since;
  std::uint64_t waiting_events = 0;                 ///< that failed, and those behind them
  std::vector<UndeliveredEvent> waiting, given_up;  ///< those that failed last come first
};

class Control {
 public:
  virtual ~Control() = default;

  /// Writes what is about to be done into the audit log and does it. not_found and invalid_state when there is nothing
  /// to do it to; then nothing was written.
  virtual awaitable<Result<ActionResult>> act(Operator who, Action action) = 0;

  virtual awaitable<Result<QueueDetail>> queue(Queue queue, std::size_t limit) = 0;
  virtual awaitable<Result<AccountDetail>> account(Mode mode, AccountKey key) = 0;
  /// All endpoints, without their single events.
  virtual awaitable<Result<std::vector<WebhookDetail>>> webhooks() = 0;
  /// `limit`: of what waits and of what was given up.
  virtual awaitable<Result<WebhookDetail>> webhook(std::string endpoint, std::size_t limit) = 0;
  /// The text itself, or what billd calls the object that another system calls so.
  virtual awaitable<Result<std::string>> native_id(std::string id) = 0;
  /// Why the customer, subscription, schedule or invoice of that identifier is as it is.
  virtual awaitable<Result<std::vector<Section>>> explain(std::string id) = 0;
  /// The latest entries of the audit log, newest first.
  virtual awaitable<Result<std::vector<store::AuditEntry>>> audit(std::size_t limit) = 0;
};

}  // namespace billd::api::operators
