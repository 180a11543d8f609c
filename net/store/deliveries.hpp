// Where the deliveries of webhooks stand: for each endpoint and partition a place in the partition's events, and the
// few customers whose deliveries failed.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/webhook_endpoint.hpp"
#include "net/store/store.hpp"

namespace billd::store {

/// An endpoint's way through the events of one partition and mode.
struct DeliveryCursor {
  std::uint64_t revision = 0;              ///< counts the writes
  EventPosition place;                     ///< all up to its stream entry is delivered, unwanted, or waits; index is 0
  std::optional<Timestamp> failing_since;  ///< of the first failure since the latest success
  std::optional<Timestamp> delivered_at;   ///< of the latest success

  bool operator==(const DeliveryCursor&) const = default;
};

/// A customer of whom an event could not be delivered to the endpoint: what happens to it later waits behind that.
struct WaitingCustomer {
  std::vector<EventPosition> events;  ///< in the customer's order; the first one failed
  std::uint32_t failures = 0;         ///< of the first one, as the schedule of retries counts them
  Timestamp failed_at;                ///< when it was tried last
  Timestamp next_at;                  ///< when the schedule tries it again
  std::uint16_t status = 0;           ///< of the latest answer; 0: there was none
  std::string problem;                ///< what was wrong the last time, for people

  bool operator==(const WaitingCustomer&) const = default;
};

/// A delivery that was tried for the last time.
struct GivenUp {
  WebhookEndpointId endpoint;
  EventPosition event;
  AccountKey key;
  std::uint32_t failures = 0;
  Timestamp at;
  std::uint16_t status = 0;
  std::string problem;
  std::string entry = {};  ///< where it is kept, as it was read

  bool operator==(const GivenUp&) const = default;
};

struct EndpointDeliveries {
  std::optional<DeliveryCursor> cursor;
  std::map<AccountKey, WaitingCustomer> waiting;
};

/// Of one partition and mode, by endpoint.
using PartitionDeliveries = std::map<WebhookEndpointId, EndpointDeliveries>;

std::string encode(const DeliveryCursor& cursor);
Result<DeliveryCursor> decode_delivery_cursor(std::uint32_t partition, std::string_view bytes);
std::string encode(const WaitingCustomer& customer);
Result<WaitingCustomer> decode_waiting_customer(std::uint32_t partition, std::string_view bytes);
std::string encode(const GivenUp& given_up);
Result<GivenUp> decode_given_up(std::uint32_t partition, std::string_view bytes);

awaitable<Result<PartitionDeliveries>> load_deliveries(Store& store, Mode mode, std::uint32_t partition);
/// The endpoint's cursors in all partitions; those that it has not begun with are left out.
awaitable<Result<std::vector<DeliveryCursor>>> delivery_cursors(Store& store, Mode mode, WebhookEndpointId endpoint);

/// What is asked to be delivered again: one event, or all since a moment.
struct Replay {
  WebhookEndpointId endpoint;
  std::optional<EventPosition> event;
  Timestamp since;  ///< without an event; by the store's clock

  bool operator==(const Replay&) const = default;
};

/// Asks for a replay; the partition's owner finds the request. Asking twice is asking once.
awaitable<Result<void>> request_replay(Store& store, Mode mode, std::uint32_t partition, Replay replay);
awaitable<Result<std::vector<Replay>>> replay_requests(Store& store, Mode mode, std::uint32_t partition);

/// One step of an endpoint's deliveries in a partition.
struct DeliveryWrite {
  Mode mode = Mode::test;
  std::uint32_t partition = 0;
  Fence fence;
  WebhookEndpointId endpoint;
  std::uint64_t revision_before = 0;                             ///< that must be stored; 0: nothing
  std::optional<DeliveryCursor> cursor;                          ///< empty: all that is stored of the endpoint goes
  std::map<AccountKey, std::optional<WaitingCustomer>> waiting;  ///< what changes; empty: waits no more
  std::vector<GivenUp> given_up;
  std::vector<std::string> taken_up;  ///< entries of those that were given up and are delivered again
  std::vector<Replay> replayed;       ///< requests that are fulfilled
  std::size_t given_up_max = 1000;
};

/// committed; stale_epoch when the partition has a newer owner; conflict when what is stored is not of that revision.
/// Repeated inside when its outcome is unknown: the revision tells whether it was carried out.
awaitable<Result<CommitStatus>> commit_delivery(Store& store, DeliveryWrite write);

/// The latest ones of the partition, newest first.
awaitable<Result<std::vector<GivenUp>>> given_up_deliveries(Store& store, Mode mode, std::uint32_t partition,
                                                            std::size_t limit);

/// Where deliveries begin: before the first event that came after the endpoint was enabled.
EventPosition begin_of_deliveries(std::uint32_t partition, Timestamp enabled_at);

/// How many endpoints have not taken each of the events yet, of those given; events are of any partitions.
awaitable<Result<std::vector<std::uint32_t>>> pending_deliveries(
    Store& store, Mode mode, std::vector<std::shared_ptr<const WebhookEndpoint>> endpoints,
    std::vector<StoredEvent> events);

}  // namespace billd::store
