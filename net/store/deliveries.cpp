#include "net/store/deliveries.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "net/store/codec.hpp"
#include "net/store/functions.hpp"
#include "net/store/keys.hpp"
#include "net/store/numbers.hpp"

namespace billd::store {

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<EventPosition> position) {
  archive.field(1, position.milliseconds);
  archive.field(2, position.sequence);
  archive.field(3, position.index);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<DeliveryCursor> cursor) {
  archive.field(1, cursor.place);
  archive.field(2, cursor.failing_since);
  archive.field(3, cursor.delivered_at);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<WaitingCustomer> customer) {
  archive.field(1, customer.events);
  archive.field(2, customer.failures);
  archive.field(3, customer.failed_at);
  archive.field(4, customer.next_at);
  archive.field(5, customer.status);
  archive.field(6, customer.problem);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<GivenUp> given_up) {
  archive.field(1, given_up.endpoint);
  archive.field(2, given_up.event);
  archive.field(3, given_up.failures);
  archive.field(4, given_up.at);
  archive.field(5, given_up.status);
  archive.field(6, given_up.problem);
}

namespace {

constexpr int tries_max = 4;
constexpr std::size_t revision_length = 8;
/// Of the deliveries that were given up, how many are looked through to tell whether an event is among them.
constexpr std::size_t given_up_looked_at = 1'000;
/// Between an endpoint and an account, in the field of a customer who waits.
constexpr char separator = ':';

Failure corrupt(std::string_view what) {
  return Failure{Errc::corrupt, "a stored " + std::string(what) + " cannot be read"};
}

template <class T>
Result<T> decode_whole(const AccountKey& key, std::string_view bytes, std::string_view what) {
  T object;
  Reader reader(key, bytes);
  reader.get(object);
  if (!reader.is_good() || !reader.is_at_end()) return corrupt(what);
  return object;
}

bool begins_with_version(std::string_view bytes) { return !bytes.empty() && bytes[0] == form_version; }

std::string field_of(const WebhookEndpointId& endpoint, const AccountKey& key) {
  return endpoint.value() + separator + key.value();
}

std::string field_of(const Replay& replay) {
  return replay.endpoint.value() + separator +
         (replay.event ? replay.event->id().value() : std::to_string(replay.since.time_since_epoch().count()));
}

std::optional<Replay> parse_replay(std::string_view field) {
  const std::size_t middle = field.rfind(separator);
  if (middle == std::string_view::npos) return std::nullopt;
  Replay replay;
  replay.endpoint = WebhookEndpointId(std::string(field.substr(0, middle)));
  const std::string_view what = field.substr(middle + 1);
  replay.event = EventPosition::parse(what);
  if (replay.event) return replay;
  const auto since = parse_count(what);
  if (!since) return std::nullopt;
  replay.since = Timestamp(Duration(static_cast<Duration::rep>(*since)));
  return replay;
}

}  // namespace

std::string encode(const DeliveryCursor& cursor) {
  std::string bytes(1, form_version);
  std::string revision(revision_length, '\0');
  std::uint64_t number = cursor.revision;
  for (std::size_t place = revision_length; place-- > 0; number >>= 8)
    revision[place] = static_cast<char>(number & 0xFF);
  bytes += revision;
  const AccountKey none;
  Writer(none, bytes).put(cursor);
  return bytes;
}

Result<DeliveryCursor> decode_delivery_cursor(std::uint32_t partition, std::string_view bytes) {
  if (!begins_with_version(bytes) || bytes.size() < 1 + revision_length) return corrupt("place of deliveries");
  const AccountKey none;
  auto cursor = decode_whole<DeliveryCursor>(none, bytes.substr(1 + revision_length), "place of deliveries");
  if (!cursor) return cursor;
  for (char byte : bytes.substr(1, revision_length))
    cursor->revision = cursor->revision << 8 | static_cast<unsigned char>(byte);
  cursor->place.partition = partition;
  return cursor;
}

std::string encode(const WaitingCustomer& customer) {
  std::string bytes(1, form_version);
  const AccountKey none;
  Writer(none, bytes).put(customer);
  return bytes;
}

Result<WaitingCustomer> decode_waiting_customer(std::uint32_t partition, std::string_view bytes) {
  if (!begins_with_version(bytes)) return corrupt("delivery that waits");
  const AccountKey none;
  auto customer = decode_whole<WaitingCustomer>(none, bytes.substr(1), "delivery that waits");
  if (!customer) return customer;
  if (customer->events.empty()) return corrupt("delivery that waits");
  for (EventPosition& event : customer->events) event.partition = partition;
  return customer;
}

std::string encode(const GivenUp& given_up) {
  std::string bytes(1, form_version);
  bytes += given_up.key.value();
  Writer(given_up.key, bytes).put(given_up);
  return bytes;
}

Result<GivenUp> decode_given_up(std::uint32_t partition, std::string_view bytes) {
  if (!begins_with_version(bytes)) return corrupt("delivery that was given up");
  const auto key = AccountKey::parse(bytes.substr(1, account_key_length));
  if (!key) return corrupt("delivery that was given up");
  auto given_up = decode_whole<GivenUp>(*key, bytes.substr(1 + account_key_length), "delivery that was given up");
  if (!given_up) return given_up;
  given_up->key = *key;
  given_up->event.partition = partition;
  return given_up;
}

awaitable<Result<PartitionDeliveries>> load_deliveries(Store& store, Mode mode, std::uint32_t partition) {
  redis::Command command("HGETALL", deliveries_key(prefix(mode, partition)));
  auto reply = co_await store.lane(partition).execute(std::move(command));
  if (!reply) co_return reply.error();
  PartitionDeliveries deliveries;
  const auto& elements = reply->elements();
  for (std::size_t i = 0; i + 1 < elements.size(); i += 2) {
    const std::string_view field = elements[i].text();
    const std::size_t middle = field.rfind(separator);
    EndpointDeliveries& endpoint = deliveries[WebhookEndpointId(std::string(field.substr(0, middle)))];
    if (middle == std::string_view::npos) {
      auto cursor = decode_delivery_cursor(partition, elements[i + 1].text());
      if (!cursor) co_return cursor.error();
      endpoint.cursor = std::move(*cursor);
      continue;
    }
    const auto key = AccountKey::parse(field.substr(middle + 1));
    if (!key) co_return corrupt("delivery that waits");
    auto customer = decode_waiting_customer(partition, elements[i + 1].text());
    if (!customer) co_return customer.error();
    endpoint.waiting.emplace(*key, std::move(*customer));
  }
  co_return deliveries;
}

awaitable<Result<std::vector<DeliveryCursor>>> delivery_cursors(Store& store, Mode mode, WebhookEndpointId endpoint) {
  std::vector<redis::Command> commands;
  for (std::uint32_t partition = 0; partition < store.partitions(); ++partition)
    commands.emplace_back("HGET", deliveries_key(prefix(mode, partition)), endpoint.value());
  auto replies = co_await store.client().execute_all(std::move(commands));
  std::vector<DeliveryCursor> cursors;
  for (std::uint32_t partition = 0; partition < replies.size(); ++partition) {
    if (!replies[partition]) co_return replies[partition].error();
    if (replies[partition]->is_nil()) continue;
    auto cursor = decode_delivery_cursor(partition, replies[partition]->text());
    if (!cursor) co_return cursor.error();
    cursors.push_back(std::move(*cursor));
  }
  co_return cursors;
}

awaitable<Result<void>> request_replay(Store& store, Mode mode, std::uint32_t partition, Replay replay) {
  redis::Command command("HSET", replays_key(prefix(mode, partition)), field_of(replay), "1");
  auto reply = co_await store.lane(partition).execute(std::move(command));
  if (!reply) co_return reply.error();
  co_return Result<void>();
}

awaitable<Result<std::vector<Replay>>> replay_requests(Store& store, Mode mode, std::uint32_t partition) {
  redis::Command command("HKEYS", replays_key(prefix(mode, partition)));
  auto reply = co_await store.lane(partition).execute(std::move(command));
  if (!reply) co_return reply.error();
  std::vector<Replay> replays;
  for (const redis::Reply& field : reply->elements())
    if (auto replay = parse_replay(field.text())) replays.push_back(std::move(*replay));
  co_return replays;
}

awaitable<Result<CommitStatus>> commit_delivery(Store& store, DeliveryWrite write) {
  const std::string keys = prefix(write.mode, write.partition);
  const std::string endpoint = write.endpoint.value();
  redis::Command command("FCALL", function_name("deliver"), 4, lease_key(write.partition), deliveries_key(keys),
                         given_up_key(keys), replays_key(keys), write.fence.epoch, endpoint);
  DeliveryCursor before;
  before.revision = write.revision_before;
  command.add(write.revision_before == 0 ? std::string() : encode(before).substr(1, revision_length));
  command.add(write.cursor ? encode(*write.cursor) : std::string());
  command.add(write.given_up_max).add(write.waiting.size());
  for (const auto& [key, customer] : write.waiting)
    command.add(field_of(write.endpoint, key)).add(customer ? encode(*customer) : std::string());
  command.add(write.given_up.size());
  for (const GivenUp& given_up : write.given_up) command.add(encode(given_up));
  command.add(write.taken_up.size());
  for (const std::string& entry : write.taken_up) command.add(entry);
  for (const Replay& replay : write.replayed) command.add(field_of(replay));
  for (int attempt = 1;; ++attempt) {
    auto reply = co_await call_function(store.lane(write.partition), command);
    if (!reply && reply.error().code == Errc::outcome_unknown && attempt < tries_max) continue;
    if (!reply) co_return reply.error();
    if (reply->is_integer() && reply->integer() == 1) co_return CommitStatus::committed;
    if (reply->is_integer() && reply->integer() == 3) co_return CommitStatus::stale_epoch;
    co_return CommitStatus::conflict;
  }
}

awaitable<Result<std::vector<GivenUp>>> given_up_deliveries(Store& store, Mode mode, std::uint32_t partition,
                                                            std::size_t limit) {
  redis::Command command("XREVRANGE", given_up_key(prefix(mode, partition)), "+", "-", "COUNT", limit);
  auto reply = co_await store.lane(partition).execute(std::move(command));
  if (!reply) co_return reply.error();
  std::vector<GivenUp> all;
  for (const redis::Reply& entry : reply->elements()) {
    auto given_up = decode_given_up(partition, entry.elements().at(1).elements().at(1).text());
    if (!given_up) co_return given_up.error();
    given_up->entry = entry.elements().at(0).text();
    all.push_back(std::move(*given_up));
  }
  co_return all;
}

/// Counts the endpoints that did not take the events while they were tried.
static awaitable<Result<void>> add_given_up(Store& store, Mode mode,
                                            const std::vector<std::shared_ptr<const WebhookEndpoint>>& endpoints,
                                            const std::vector<StoredEvent>& events,
                                            std::vector<std::uint32_t>& pending) {
  std::set<std::uint32_t> partitions;
  for (const StoredEvent& event : events) partitions.insert(event.position.partition);
  for (std::uint32_t partition : partitions) {
    auto given_up = co_await given_up_deliveries(store, mode, partition, given_up_looked_at);
    if (!given_up) co_return given_up.error();
    for (const GivenUp& each : *given_up) {
      const auto event = std::ranges::find(events, each.event, &StoredEvent::position);
      const bool is_enabled =
          std::ranges::any_of(endpoints, [&](const auto& endpoint) { return endpoint->id == each.endpoint; });
      if (event != events.end() && is_enabled) ++pending[static_cast<std::size_t>(event - events.begin())];
    }
  }
  co_return Result<void>();
}

awaitable<Result<std::vector<std::uint32_t>>> pending_deliveries(
    Store& store, Mode mode, std::vector<std::shared_ptr<const WebhookEndpoint>> endpoints,
    std::vector<StoredEvent> events) {
  std::vector<std::uint32_t> pending(events.size());
  std::vector<redis::Command> commands;
  std::vector<std::size_t> asked;  // the events that the commands are about, in their order
  std::vector<Timestamp> enabled_at;
  for (const auto& endpoint : endpoints)
    for (std::size_t i = 0; i < events.size(); ++i) {
      if (endpoint->is_disabled || !names_type(endpoint->enabled_events, to_text(events[i].event().type))) continue;
      commands.emplace_back("HMGET", deliveries_key(prefix(mode, events[i].position.partition)), endpoint->id.value(),
                            field_of(endpoint->id, events[i].batch->key));
      asked.push_back(i);
      enabled_at.push_back(endpoint->enabled_at);
    }
  if (commands.empty()) co_return pending;
  auto replies = co_await store.client().execute_all(std::move(commands));
  for (std::size_t at = 0; at < replies.size(); ++at) {
    if (!replies[at]) co_return replies[at].error();
    const EventPosition& position = events[asked[at]].position;
    const auto& fields = replies[at]->elements();
    EventPosition place = begin_of_deliveries(position.partition, enabled_at[at]);
    if (!fields[0].is_nil()) {
      auto cursor = decode_delivery_cursor(position.partition, fields[0].text());
      if (!cursor) co_return cursor.error();
      place = cursor->place;
    }
    bool is_pending = std::tie(position.milliseconds, position.sequence) > std::tie(place.milliseconds, place.sequence);
    if (!is_pending && !fields[1].is_nil()) {
      auto customer = decode_waiting_customer(position.partition, fields[1].text());
      if (!customer) co_return customer.error();
      is_pending = std::ranges::find(customer->events, position) != customer->events.end();
    }
    if (is_pending) ++pending[asked[at]];
  }
  auto counted = co_await add_given_up(store, mode, endpoints, events, pending);
  if (!counted) co_return counted.error();
  co_return pending;
}

EventPosition begin_of_deliveries(std::uint32_t partition, Timestamp enabled_at) {
  EventPosition position;
  position.partition = partition;
  const auto milliseconds = std::chrono::floor<Milliseconds>(enabled_at.time_since_epoch()).count();
  // Several events share a millisecond: rather one too early than one too late.
  position.milliseconds = static_cast<std::uint64_t>(std::max<Milliseconds::rep>(milliseconds - 1, 0));
  return position;
}

}  // namespace billd::store
