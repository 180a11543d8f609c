#include "jobs/deliveries.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <set>

#include "net/store/audit.hpp"
#include "net/store/keys.hpp"
#include "net/webhooks/endpoint_secrets.hpp"

namespace billd::jobs {
namespace {

/// Stream entries that are looked at in one go: what a crash may deliver again.
constexpr std::size_t entries_at_once = 64;
/// Customers who wait and are tried in one go.
constexpr std::size_t customers_at_once = 64;
/// Events of one customer who waits that are delivered in one go.
constexpr std::size_t waiting_events_at_once = 64;
/// A cursor that moves over unwanted events only is stored this often.
constexpr Milliseconds unwanted_interval{5'000};
constexpr Milliseconds replay_interval{1'000};
constexpr Milliseconds again_after_failure{100};
constexpr Milliseconds count_interval{1'000};
/// By how much this daemon's clock may differ from that of Redis, by which events are placed.
constexpr Milliseconds clock_slack{60'000};

std::size_t index_of(Mode mode) { return mode == Mode::live ? 1 : 0; }

store::EventPosition entry_of(const store::EventPosition& event) {
  return {event.partition, event.milliseconds, event.sequence, 0};
}

Timestamp time_of(const store::EventPosition& event) {
  return Timestamp(
      std::chrono::duration_cast<Duration>(Milliseconds(static_cast<Milliseconds::rep>(event.milliseconds))));
}

}  // namespace

/// The lines of a round run side by side; each of them keeps the order of one customer.
struct Deliveries::Round {
  explicit Round(Executor executor) : changed(executor, SteadyClock::time_point::max()) {}

  bool is_idle = true;  ///< there was nothing to do
  bool is_worth_storing = false;
  bool is_gone = false;  ///< the endpoint wants nothing any more
  std::map<AccountKey, std::vector<store::StoredEvent>> lines;
  std::vector<AccountKey> due;
  std::optional<store::EventPosition> last;  ///< of the entries that were read
  std::vector<store::Replay> replayed;
  std::vector<std::string> taken_up;  ///< of what was given up
  std::size_t running = 0;
  Timer changed;
};

Result<webhooks::Networks> allowed_networks(const Settings& settings) {
  std::vector<std::string> ranges = settings.webhooks.allowed_networks;
  if (settings.development) ranges.insert(ranges.end(), {"127.0.0.0/8", "::1"});
  auto allowed = webhooks::Networks::parse(ranges);
  if (!allowed) return Failure{Errc::bad_configuration, "`webhooks.allowed_networks`: " + allowed.error().detail};
  return allowed;
}

DeliverySettings delivery_settings(const WebhookSettings& settings, webhooks::Networks allowed) {
  DeliverySettings result;
  result.rules.retry_schedule = settings.retry_waits;
  result.rules.retry_jitter = settings.retry_jitter;
  result.rules.recheck_after = settings.recheck_after;
  result.rules.waiting_customers_max = settings.waiting_customers_max;
  result.sender.limit = settings.timeout;
  result.sender.connections_max = std::size_t{settings.requests_at_once_max} * settings.endpoints_max * 2;
  result.sender.allowed = std::move(allowed);
  result.requests_at_once_max = settings.requests_at_once_max;
  result.disable_after = settings.disable_after;
  result.given_up_max = settings.given_up_max;
  result.master_secret = settings.secret.reveal();
  return result;
}

Deliveries::Deliveries(Executor executor, const Clock& clock, store::Store& store, store::Catalog& catalog,
                       const Partitions& partitions, DeliverySettings settings, RenderEvent render)
    : executor_(executor),
      clock_(clock),
      store_(store),
      catalog_(catalog),
      partitions_(partitions),
      settings_(std::move(settings)),
      render_(std::move(render)),
      sender_(executor, settings_.sender),
      random_(std::random_device{}()),
      wake_(executor),
      tasks_(executor) {}

void Deliveries::start() {
  store_.on_events([this](Mode mode, std::uint32_t partition) { events_appended(mode, partition); });
  catalog_.on_change<WebhookEndpoint>([this] { follow_endpoints(); });
  follow_endpoints();
  tasks_.spawn("deliveries", watch());
}

awaitable<bool> Deliveries::stop(Milliseconds limit) {
  is_stopping_ = true;
  wake_.cancel();
  co_return co_await tasks_.idle(limit);
}

// Which endpoints there are.

void Deliveries::follow_endpoints() {
  if (is_stopping_) return;
  std::map<WebhookEndpointId, ReceiverPointer> receivers;
  has_receivers_ = {};
  numbers_.endpoints_disabled = 0;
  for (Mode mode : store::modes)
    for (const WebhookEndpoint& endpoint : catalog_.all<WebhookEndpoint>(mode)) {
      if (!endpoint.disabled_because.empty()) ++numbers_.endpoints_disabled;
      if (endpoint.is_disabled) continue;
      const auto known = receivers_.find(endpoint.id);
      ReceiverPointer receiver = known != receivers_.end() ? known->second : std::make_shared<Receiver>();
      const bool is_known = receiver->endpoint != nullptr;
      if (is_known && *receiver->endpoint == endpoint) {
        receivers.emplace(endpoint.id, std::move(receiver));
        has_receivers_[index_of(mode)] = true;
        continue;
      }
      receiver->mode = mode;
      receiver->endpoint = std::make_shared<const WebhookEndpoint>(endpoint);
      receiver->has_foreign_secret =
          endpoint.secret_mark != webhooks::secret_mark(settings_.master_secret, endpoint.id);
      if (receiver->has_foreign_secret)
        spdlog::error(
            "webhook endpoint {} has a secret of another master secret: nothing is delivered to it by this daemon; "
            "give all daemons the same webhooks.secret_file",
            endpoint.id.value());
      receivers.emplace(endpoint.id, std::move(receiver));
      has_receivers_[index_of(mode)] = true;
    }
  receivers_ = std::move(receivers);
  numbers_.endpoints = receivers_.size();
  is_woken_ = true;
  wake_.cancel();
}

void Deliveries::events_appended(Mode mode, std::uint32_t partition) {
  if (!has_receivers_[index_of(mode)]) return;
  const auto lane = lanes_.find({partition, mode});
  if (lane == lanes_.end()) return;
  for (auto& [endpoint, way] : lane->second->ways) way->has_news = true;
  if (is_woken_) return;
  is_woken_ = true;
  wake_.cancel();
}

// What is begun when.

awaitable<> Deliveries::watch() {
  while (!is_stopping_) {
    is_woken_ = false;
    look();
    count();
    // Woken meanwhile: once more, after others had their turn.
    wake_.expires_after(is_woken_ ? Milliseconds(0) : settings_.poll_interval);
    [[maybe_unused]] auto [ended] = co_await wake_.async_wait(nothrow);
  }
}

void Deliveries::look() {
  const auto is_idle = [](const Lane& lane) {
    return lane.busy == 0 && std::ranges::none_of(lane.ways, [](const auto& each) { return each.second->is_running; });
  };
  std::erase_if(
      lanes_, [&](const auto& entry) { return is_idle(*entry.second) && !partitions_.fence(entry.second->partition); });
  for (std::uint32_t partition : partitions_.held())
    for (Mode mode : store::modes) {
      const auto fence = partitions_.fence(partition);
      const auto known = lanes_.find({partition, mode});
      const bool has_remains = known != lanes_.end() && !(known->second->ways.empty() && known->second->stored.empty());
      if (!fence || !(has_receivers_[index_of(mode)] || has_remains)) continue;
      auto& lane = lanes_[{partition, mode}];
      if (lane == nullptr) {
        lane = std::make_unique<Lane>();
        lane->mode = mode;
        lane->partition = partition;
      }
      if (lane->fence && lane->fence->epoch == fence->epoch) {
        look_at_lane(*lane);
      } else if (is_idle(*lane)) {
        ++lane->busy;
        tasks_.spawn("load deliveries", load(*lane, *fence));
      }
    }
}

awaitable<> Deliveries::load(Lane& lane, store::Fence fence) {
  auto stored = co_await store::load_deliveries(store_, lane.mode, lane.partition);
  --lane.busy;
  if (!stored) {
    if (!is_stopping_)
      spdlog::warn("the deliveries of partition {} could not be read: {}", lane.partition, stored.error().detail);
    co_return;
  }
  lane.ways.clear();
  lane.stored = std::move(*stored);
  lane.fence = fence;
  is_woken_ = true;
  wake_.cancel();
}

void Deliveries::look_at_lane(Lane& lane) {
  if (is_paused_()) return;
  const auto now = SteadyClock::now();
  if (now >= lane.replays_read_at) {
    lane.replays_read_at = now + replay_interval;
    ++lane.busy;
    tasks_.spawn("read replays", read_replays(lane));
  }
  for (const auto& [id, receiver] : receivers_) {
    if (receiver->mode != lane.mode || receiver->has_foreign_secret || receiver->is_disabling) continue;
    auto& way = lane.ways[id];
    if (way == nullptr) {
      const auto begin = store::begin_of_deliveries(lane.partition, receiver->endpoint->enabled_at);
      store::EndpointDeliveries stored;
      if (auto found = lane.stored.extract(id); !found.empty()) stored = std::move(found.mapped());
      // It was disabled and enabled again since: what happened meanwhile is not delivered.
      if (stored.cursor && stored.cursor->place < begin) {
        stored.cursor->place = begin;
        stored.cursor->failing_since.reset();
      }
      way = std::make_unique<Way>(settings_.rules, std::move(stored), begin);
      receiver->worked_at = std::max(receiver->worked_at, way->channel.cursor().delivered_at.value_or(Timestamp()));
    }
    if (way->is_running || (!way->has_news && way->replays.empty() && now < way->look_at)) continue;
    way->is_running = true;
    way->has_news = false;
    tasks_.spawn("deliver", work(lane, receiver, *way));
  }
  // What is left of endpoints that are gone or disabled.
  for (auto way = lane.ways.begin(); way != lane.ways.end(); ++way) {
    if (receivers_.contains(way->first) || way->second->is_running) continue;
    lane.stored[way->first];
    lane.ways.erase(way);
    break;
  }
  if (!lane.is_removing)
    for (const auto& [id, stored] : lane.stored)
      if (!receivers_.contains(id)) {
        lane.is_removing = true;
        ++lane.busy;
        tasks_.spawn("remove deliveries", remove(lane, id));
        break;
      }
}

/// Removes what is stored of an endpoint that gets nothing any more.
awaitable<> Deliveries::remove(Lane& lane, WebhookEndpointId endpoint) {
  auto stored = co_await store::load_deliveries(store_, lane.mode, lane.partition);
  if (stored) {
    const auto found = stored->find(endpoint);
    Result<store::CommitStatus> removed = store::CommitStatus::committed;
    if (found != stored->end() && lane.fence) {
      store::DeliveryWrite write;
      write.mode = lane.mode;
      write.partition = lane.partition;
      write.fence = *lane.fence;
      write.endpoint = endpoint;
      write.revision_before = found->second.cursor ? found->second.cursor->revision : 0;
      for (const auto& [key, customer] : found->second.waiting) write.waiting.emplace(key, std::nullopt);
      removed = co_await store::commit_delivery(store_, std::move(write));
    }
    if (removed && *removed == store::CommitStatus::committed) lane.stored.erase(endpoint);
    if (removed && *removed == store::CommitStatus::stale_epoch) lane.fence.reset();
  }
  lane.is_removing = false;
  --lane.busy;
}

awaitable<> Deliveries::read_replays(Lane& lane) {
  auto replays = co_await store::replay_requests(store_, lane.mode, lane.partition);
  --lane.busy;
  if (!replays || replays->empty()) co_return;
  for (store::Replay& replay : *replays) {
    const auto way = lane.ways.find(replay.endpoint);
    if (way == lane.ways.end()) continue;  // of an endpoint that is disabled: it waits until that is enabled
    auto& wanted = way->second->replays;
    if (std::ranges::find(wanted, replay) == wanted.end()) wanted.push_back(std::move(replay));
  }
  is_woken_ = true;
  wake_.cancel();
}

// A way.

bool Deliveries::is_usable(const Lane& lane, const Receiver& receiver) const {
  if (is_stopping_ || is_paused_() || receiver.is_disabling || !lane.fence) return false;
  const auto fence = partitions_.fence(lane.partition);
  const auto current = receivers_.find(receiver.endpoint->id);
  return fence && fence->epoch == lane.fence->epoch && current != receivers_.end() &&
         current->second.get() == &receiver;
}

awaitable<> Deliveries::work(Lane& lane, ReceiverPointer receiver, Way& way) {
  for (;;) {
    if (!is_usable(lane, *receiver)) break;
    const Timestamp now = clock_.now();
    if (receiver->rest_until > now) break;
    auto worked = co_await one_round(lane, receiver, way);
    if (!worked) {
      if (!is_stopping_) spdlog::debug("deliveries of partition {}: {}", lane.partition, worked.error().detail);
      co_await sleep_for(again_after_failure);
      break;
    }
    if (!*worked) break;
  }
  const Timestamp now = clock_.now();
  Duration wait = settings_.poll_interval;
  if (const auto next = way.channel.next_due(receiver->worked_at)) wait = std::clamp(*next - now, Duration(0), wait);
  if (receiver->rest_until > now)
    wait = std::max(wait, std::min<Duration>(receiver->rest_until - now, std::chrono::seconds(1)));
  way.look_at = SteadyClock::now() + wait;
  way.is_running = false;
  if (way.has_news || wait < settings_.poll_interval) {
    is_woken_ = true;
    wake_.cancel();
  }
}

/// False when there was nothing to do.
awaitable<Result<bool>> Deliveries::one_round(Lane& lane, ReceiverPointer receiver, Way& way) {
  Round round(executor_);
  auto replayed = co_await replay(lane, *receiver, way, round);
  if (!replayed) co_return replayed.error();
  round.due = way.channel.due(clock_.now(), receiver->worked_at, customers_at_once);
  auto taken = co_await take_in(lane, *receiver, way, round);
  if (!taken) co_return taken.error();
  round.is_idle = round.due.empty() && !round.last && round.replayed.empty();
  if (round.is_idle) co_return false;

  for (AccountKey& key : round.due) {
    ++round.running;
    tasks_.spawn("deliver again", run_waiting(*receiver, lane, way, round, std::move(key)));
  }
  for (auto& [key, events] : round.lines) {
    ++round.running;
    tasks_.spawn("deliver new", run_new(*receiver, way, round, std::move(events)));
  }
  while (round.running > 0) {
    [[maybe_unused]] auto [ended] = co_await round.changed.async_wait(nothrow);
  }
  if (round.last) way.channel.move_to(*round.last);
  round.is_worth_storing = round.is_worth_storing || way.channel.has_changes() || !round.replayed.empty() ||
                           SteadyClock::now() - way.stored_at >= unwanted_interval;
  if (round.is_worth_storing) {
    auto stored = co_await store_changes(lane, *receiver, way, round);
    if (!stored) co_return stored.error();
  }
  if (round.is_gone) co_await disable(receiver, "it answered 410: it wants no more webhooks");
  co_await disable_if_dead(receiver, way);
  co_return true;
}

/// Reads what is new, sorts it by customer, and lets what belongs to customers who wait wait.
awaitable<Result<void>> Deliveries::take_in(Lane& lane, const Receiver& receiver, Way& way, Round& round) {
  if (way.channel.is_full()) co_return Result<void>();
  auto events = co_await store_.events_after(lane.mode, way.channel.place(), entries_at_once);
  if (!events) co_return events.error();
  for (store::StoredEvent& event : *events) {
    const AccountKey& key = event.batch->key;
    if (names_type(receiver.endpoint->enabled_events, to_text(event.event().type))) {
      if (way.channel.is_waiting(key)) {
        // A full line ends the round, but for what belongs to the same entry.
        if (way.channel.is_full() && round.last != entry_of(event.position)) break;
        way.channel.add_behind(key, event.position);
      } else {
        round.lines[key].push_back(event);
      }
      round.is_worth_storing = true;
    }
    round.last = entry_of(event.position);
  }
  co_return Result<void>();
}

/// Has what was asked for delivered again. What was given up of it is so no more.
awaitable<Result<void>> Deliveries::replay(Lane& lane, const Receiver& receiver, Way& way, Round& round) {
  if (way.replays.empty()) co_return Result<void>();
  auto given_up = co_await store::given_up_deliveries(store_, lane.mode, lane.partition, settings_.given_up_max);
  if (!given_up) co_return given_up.error();
  std::erase_if(*given_up, [&](const store::GivenUp& each) { return each.endpoint != receiver.endpoint->id; });
  while (!way.replays.empty()) {
    const store::Replay wanted = way.replays.front();
    for (const store::GivenUp& each : *given_up)
      if (wanted.event ? each.event == *wanted.event : time_of(each.event) >= wanted.since)
        round.taken_up.push_back(each.entry);
    if (!wanted.event) {
      way.channel.replay_from(store::begin_of_deliveries(lane.partition, wanted.since));
    } else {
      auto event = co_await store_.event(lane.mode, *wanted.event);
      if (!event && event.error().code != Errc::not_found) co_return event.error();
      if (event) way.channel.replay(event->batch->key, *wanted.event, clock_.now());
    }
    way.replays.erase(way.replays.begin());
    round.replayed.push_back(wanted);
  }
  co_return Result<void>();
}

/// Delivers a customer's new events in order; after a failure the rest waits.
awaitable<> Deliveries::run_new(Receiver& receiver, Way& way, Round& round, std::vector<store::StoredEvent> events) {
  const AccountKey key = events.front().batch->key;
  std::size_t at = 0;
  for (; at < events.size(); ++at) {
    const webhooks::Receipt receipt = co_await deliver(receiver, events[at]);
    const Timestamp now = clock_.now();
    if (!receipt.is_delivered) {
      way.channel.failed(key, events[at].position, receipt, now, random_());
      round.is_gone = round.is_gone || receipt.is_gone;
      break;
    }
    way.channel.delivered(key, events[at].position, now);
    lateness_.add(now - time_of(events[at].position));
  }
  for (++at; at < events.size(); ++at) way.channel.add_behind(key, events[at].position);
  --round.running;
  round.changed.cancel();
}

/// Delivers what waits of a customer, in order, until one fails.
awaitable<> Deliveries::run_waiting(Receiver& receiver, Lane& lane, Way& way, Round& round, AccountKey key) {
  for (std::size_t count = 0; count < waiting_events_at_once && way.channel.is_waiting(key) && !is_stopping_; ++count) {
    const store::EventPosition position = way.channel.waiting().at(key).events.front();
    auto event = co_await store_.event(lane.mode, position);
    if (!event && event.error().code == Errc::not_found) {
      spdlog::warn("event {} is older than billing.event_retention and was not delivered to {}", position.id().value(),
                   receiver.endpoint->id.value());
      way.channel.vanished(key, position);
      continue;
    }
    if (!event) break;
    const webhooks::Receipt receipt = co_await deliver(receiver, std::move(*event));
    const Timestamp now = clock_.now();
    if (!receipt.is_delivered) {
      way.channel.failed(key, position, receipt, now, random_());
      round.is_gone = round.is_gone || receipt.is_gone;
      break;
    }
    way.channel.delivered(key, position, now);
  }
  --round.running;
  round.changed.cancel();
}

/// Waits for a place among the requests to the endpoint, and sends.
awaitable<webhooks::Receipt> Deliveries::deliver(Receiver& receiver, store::StoredEvent event) {
  if (receiver.in_flight >= settings_.requests_at_once_max) {
    OneShot<bool> turn(executor_);
    receiver.queue.push_back(&turn);
    co_await turn.provided();
  } else {
    ++receiver.in_flight;
  }
  webhooks::Receipt receipt;
  const Timestamp now = clock_.now();
  if (is_stopping_) {
    receipt.is_untried = true;
  } else if (receiver.rest_until > now) {
    receipt.is_untried = true;
    receipt.retry_after = std::chrono::ceil<Milliseconds>(receiver.rest_until - now);
  } else {
    const std::shared_ptr<const WebhookEndpoint> endpoint = receiver.endpoint;
    auto body = co_await render_(receiver.mode, endpoint->api_version, event);
    if (body) {
      webhooks::Dispatch dispatch;
      dispatch.url = endpoint->url;
      dispatch.secrets = webhooks::valid_secrets(settings_.master_secret, *endpoint, now);
      dispatch.event = event.position.id().value();
      dispatch.body = std::move(*body);
      dispatch.sequence = event.batch->sequence + event.position.index;
      dispatch.customer = make_id<CustomerKind>(event.batch->key, 1).value();
      dispatch.now = clock_.now();
      ++numbers_.in_flight;
      receipt = co_await sender_.send(std::move(dispatch));
      --numbers_.in_flight;
    } else {
      receipt.problem = "the event cannot be shown: " + body.error().detail;
    }
    ++(receipt.is_delivered ? numbers_.delivered : numbers_.failed);
    const Timestamp answered_at = clock_.now();
    if (receipt.is_delivered) receiver.worked_at = std::max(receiver.worked_at, answered_at);
    if (receipt.retry_after) receiver.rest_until = std::max(receiver.rest_until, answered_at + *receipt.retry_after);
  }
  if (receiver.queue.empty()) {
    --receiver.in_flight;
  } else {
    OneShot<bool>* next = receiver.queue.front();
    receiver.queue.pop_front();
    next->provide(true);
  }
  co_return receipt;
}

/// Writes the round down; goes on trying while the lease is held, for what was delivered must not be forgotten.
awaitable<Result<void>> Deliveries::store_changes(Lane& lane, const Receiver& receiver, Way& way, const Round& round) {
  const Failure lost{Errc::conflict, "another daemon delivers now"};
  if (!lane.fence) co_return lost;
  store::DeliveryWrite write = way.channel.changes();
  write.mode = lane.mode;
  write.partition = lane.partition;
  write.fence = *lane.fence;
  write.endpoint = receiver.endpoint->id;
  write.given_up_max = settings_.given_up_max;
  write.replayed = round.replayed;
  write.taken_up = round.taken_up;
  for (store::GivenUp& given_up : write.given_up) {
    given_up.endpoint = receiver.endpoint->id;
    spdlog::warn("event {} is given up for webhook endpoint {} after {} tries: {}", given_up.event.id().value(),
                 receiver.endpoint->id.value(), given_up.failures, given_up.problem);
  }
  const std::size_t given_up = write.given_up.size();
  for (;;) {
    auto status = co_await store::commit_delivery(store_, write);
    if (status && *status == store::CommitStatus::committed) {
      way.channel.confirm();
      way.stored_at = SteadyClock::now();
      numbers_.given_up += given_up;
      co_return Result<void>();
    }
    if (status || !is_transient(status.error().code) || is_stopping_ || !partitions_.fence(lane.partition)) {
      lane.fence.reset();  // all is loaded anew
      if (status) co_return lost;
      co_return status.error();
    }
    co_await sleep_for(again_after_failure);
  }
}

/// Disables an endpoint to which nothing was delivered for days, in whichever partition.
awaitable<> Deliveries::disable_if_dead(ReceiverPointer receiver, Way& way) {
  const auto failing_since = way.channel.cursor().failing_since;
  const Timestamp now = clock_.now();
  if (!failing_since || now - *failing_since < settings_.disable_after) co_return;
  auto cursors = co_await store::delivery_cursors(store_, receiver->mode, receiver->endpoint->id);
  if (!cursors) co_return;
  for (const store::DeliveryCursor& cursor : *cursors)
    if (cursor.delivered_at && now - *cursor.delivered_at < settings_.disable_after) co_return;
  co_await disable(receiver,
                   "nothing could be delivered for " + to_text(std::chrono::floor<Milliseconds>(now - *failing_since)));
}

awaitable<> Deliveries::disable(ReceiverPointer receiver, std::string because) {
  if (receiver->is_disabling) co_return;
  receiver->is_disabling = true;
  WebhookEndpoint disabled = *receiver->endpoint;
  disabled.is_disabled = true;
  disabled.disabled_because = because;
  auto put = co_await catalog_.put<WebhookEndpoint>(receiver->mode, disabled, *receiver->endpoint);
  if (!put) {
    receiver->is_disabling = false;  // the next failure tries again
    co_return;
  }
  ++numbers_.disabled;
  spdlog::error("webhook endpoint {} is disabled: {}", disabled.id.value(), because);
  store::AuditEntry entry;
  entry.at = clock_.now();
  entry.who = "billd";
  entry.action = "disable_webhook_endpoint";
  entry.subject = disabled.id.value();
  entry.comment = std::move(because);
  entry.outcome = "done";
  const auto noted = co_await store::append_audit(store_, std::move(entry));
  if (!noted) spdlog::warn("the audit log could not be written: {}", noted.error().detail);
}

awaitable<bool> Deliveries::awaits_invoice_created(Mode mode, AccountKey key, InvoiceId invoice, Timestamp created) {
  const std::string_view type = to_text(EventType::invoice_created);
  const auto lane = lanes_.find({store_.partition_of(key), mode});
  if (lane == lanes_.end()) co_return false;
  const auto created_ms = std::chrono::floor<Milliseconds>(created.time_since_epoch()).count();
  std::vector<store::EventPosition> waiting;
  for (const auto& [id, way] : lane->second->ways) {
    const auto receiver = receivers_.find(id);
    if (receiver == receivers_.end() || !names_type(receiver->second->endpoint->enabled_events, type) ||
        receiver->second->endpoint->enabled_at > created)
      continue;
    // Whatever happened until then has not been looked at yet; the two clocks may differ a little.
    const auto place = static_cast<Milliseconds::rep>(way->channel.place().milliseconds);
    const Milliseconds::rep slack = way->channel.is_full() ? clock_slack.count() : -clock_slack.count();
    if (place < created_ms + slack) co_return true;
    const auto customer = way->channel.waiting().find(key);
    if (customer != way->channel.waiting().end())
      waiting.insert(waiting.end(), customer->second.events.begin(), customer->second.events.end());
  }
  for (const store::EventPosition& position : waiting) {
    const auto event = co_await store_.event(mode, position);
    if (!event || event->event().type != EventType::invoice_created) continue;
    const auto* told = std::get_if<Invoice>(&event->batch->snapshots[event->event().snapshot]);
    if (told != nullptr && told->id == invoice) co_return true;
  }
  co_return false;
}

/// Counts what waits, so that telling it costs nothing.
void Deliveries::count() {
  const auto now = SteadyClock::now();
  numbers_.is_paused = is_paused_();
  if (now < count_at_) return;
  count_at_ = now + count_interval;
  numbers_.waiting_customers = numbers_.waiting_events = 0;
  numbers_.next_try.reset();
  numbers_.failing_since.reset();
  std::set<WebhookEndpointId> failing;
  for (const auto& [name, lane] : lanes_)
    for (const auto& [endpoint, way] : lane->ways) {
      if (!receivers_.contains(endpoint)) continue;
      numbers_.waiting_customers += way->channel.waiting().size();
      numbers_.waiting_events += way->channel.waiting_events();
      const auto next = way->channel.next_due(Timestamp());
      if (next && (!numbers_.next_try || *next < *numbers_.next_try)) numbers_.next_try = next;
      const auto& since = way->channel.cursor().failing_since;
      if (!since) continue;
      failing.insert(endpoint);
      if (!numbers_.failing_since || *since < *numbers_.failing_since) numbers_.failing_since = since;
    }
  numbers_.endpoints_failing = failing.size();
  delivered_.sample(numbers_.delivered, now);
  numbers_.delivered_last_minute = delivered_.growth();
}

}  // namespace billd::jobs
