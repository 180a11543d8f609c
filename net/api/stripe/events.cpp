// Operations on events: what happened, with each object as it was then.
#include <algorithm>

#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/event_body.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/store/aliases.hpp"
#include "net/store/deliveries.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::size_t looked_at_max = 50'000;
constexpr std::size_t filtered_batch = 200;
// Source: https://stripe.com/docs/api/events/list.
constexpr std::size_t types_max = 20;

constexpr std::array<Rule, 1> retrieve_table = {list("expand")};
constexpr std::array list_table =
    filtered_page_rules + std::array{text("type"), list("types"), boolean("delivery_success")};
constexpr std::array retry_table = {text("webhook_endpoint"), list("expand")};

/// Which events are wanted.
struct EventFilter {
  std::vector<std::string> types;  ///< any when it is empty
  std::optional<bool> delivered;   ///< to all endpoints that want them

  bool holds(std::string_view type) const { return types.empty() || names_type(types, type); }
};

Result<EventFilter> read_filter(const Arguments& arguments) {
  EventFilter filter{arguments.texts("types"), arguments.boolean("delivery_success")};
  if (arguments.has("type") && arguments.has("types"))
    return Failure{Errc::invalid_parameter, "Received both type and types parameters. Please pass in only one.",
                   "types"};
  if (filter.types.size() > types_max)
    return Failure{Errc::invalid_parameter, "You can pass up to 20 event types.", "types"};
  if (arguments.has("type")) filter.types.push_back(arguments.text_or_empty("type"));
  return filter;
}

/// The plans that the events' objects show.
std::vector<Named> plans_of(const std::vector<store::StoredEvent>& events) {
  std::vector<Named> plans;
  auto add = [&](const Price& price) {
    if (!price.id.is_empty()) plans.push_back({Kind::plan, price.id.value()});
  };
  for (const store::StoredEvent& event : events) {
    if (const auto* subscription = std::get_if<Subscription>(&event.snapshot()))
      for (const SubscriptionItem& item : subscription->items) add(item.price);
    if (const auto* invoice = std::get_if<Invoice>(&event.snapshot()))
      for (const InvoiceLine& line : invoice->lines) add(line.price);
    if (const auto* item = std::get_if<InvoiceItem>(&event.snapshot())) add(item->price);
  }
  return plans;
}

awaitable<Result<std::vector<std::uint32_t>>> pending(Services& services, Mode mode,
                                                      std::vector<store::StoredEvent> events) {
  std::vector<std::shared_ptr<const WebhookEndpoint>> endpoints;
  for (const WebhookEndpoint& endpoint : services.catalog.all<WebhookEndpoint>(mode))
    if (!endpoint.is_disabled) endpoints.push_back(services.catalog.get<WebhookEndpoint>(mode, endpoint.id.value()));
  return store::pending_deliveries(services.store, mode, std::move(endpoints), std::move(events));
}

/// Those that have, or have not, been delivered to all who want them.
awaitable<Result<std::vector<store::StoredEvent>>> keep_delivered(Services& services, Mode mode, bool is_delivered,
                                                                  std::vector<store::StoredEvent> events) {
  auto counts = co_await pending(services, mode, events);
  if (!counts) co_return counts.error();
  std::vector<store::StoredEvent> kept;
  for (std::size_t i = 0; i < events.size(); ++i)
    if (((*counts)[i] == 0) == is_delivered) kept.push_back(std::move(events[i]));
  co_return kept;
}

struct EventPage {
  std::vector<store::StoredEvent> events;  ///< newest first
  bool has_more = false;
};

awaitable<Result<EventPage>> page_of_events(Services& services, const Call& call, PageQuery query, EventFilter filter) {
  const bool backwards = !query.ending_before.empty();
  const std::string& cursor = backwards ? query.ending_before : query.starting_after;
  std::optional<store::EventPosition> older_than, newer_than;
  if (!cursor.empty()) {
    const auto position = store::EventPosition::parse(cursor);
    if (!position) co_return no_such("event", cursor, backwards ? "ending_before" : "starting_after");
    (backwards ? newer_than : older_than) = position;
  }
  const bool filtered = !filter.types.empty() || filter.delivered || query.created.min || query.created.max;
  const std::size_t batch = filtered ? std::max(query.limit + 1, filtered_batch) : query.limit + 1;

  // Nearest to the cursor first, until there is one more than fits.
  EventPage page;
  for (std::size_t looked_at = 0; page.events.size() <= query.limit;) {
    auto events = co_await services.store.events(call.mode, older_than, newer_than, batch);
    if (!events) co_return events.error();
    const std::size_t count = events->size();
    if (count == 0) break;
    if (backwards) std::ranges::reverse(*events);
    (backwards ? newer_than : older_than) = events->back().position;
    std::erase_if(*events, [&](const store::StoredEvent& event) {
      return !filter.holds(to_text(event.event().type)) || !query.created.holds(event.batch->created);
    });
    if (filter.delivered) {
      auto chosen = co_await keep_delivered(services, call.mode, *filter.delivered, std::move(*events));
      if (!chosen) co_return chosen.error();
      events = std::move(*chosen);
    }
    for (store::StoredEvent& event : *events)
      if (page.events.size() <= query.limit) page.events.push_back(std::move(event));
    looked_at += count;
    if (count < batch) break;
    if (looked_at > looked_at_max)
      co_return Failure{Errc::limit_exceeded,
                        "This filter would have to look at more than 50,000 events; narrow it with a cursor."};
  }
  page.has_more = page.events.size() > query.limit;
  if (page.has_more) page.events.pop_back();
  if (backwards) std::ranges::reverse(page.events);
  co_return page;
}

awaitable<Result<store::StoredEvent>> find_event(Services& services, const Call& call) {
  const std::string& id = call.variable("event");
  const auto position = store::EventPosition::parse(id);
  if (!position) co_return no_such("event", id);
  auto event = co_await services.store.event(call.mode, *position);
  if (!event && event.error().code == Errc::not_found) co_return no_such("event", id);
  co_return event;
}

/// The enabled endpoints that the event shall be delivered to again: the one named, or all that want it.
Result<std::vector<WebhookEndpointId>> endpoints_to_retry(Services& services, const Call& call,
                                                          const store::StoredEvent& event) {
  const std::string wanted = call.arguments().text_or_empty("webhook_endpoint");
  std::vector<WebhookEndpointId> endpoints;
  bool is_known = wanted.empty();
  for (const WebhookEndpoint& endpoint : services.catalog.all<WebhookEndpoint>(call.mode)) {
    is_known = is_known || endpoint.id.value() == wanted;
    if (!wanted.empty() && endpoint.id.value() != wanted) continue;
    if (endpoint.is_disabled && !wanted.empty())
      return Failure{Errc::invalid_state, "This webhook endpoint is disabled.", "webhook_endpoint"};
    if (endpoint.is_disabled) continue;
    if (wanted.empty() && !names_type(endpoint.enabled_events, to_text(event.event().type))) continue;
    endpoints.push_back(endpoint.id);
  }
  if (!is_known) return no_such("webhook endpoint", wanted, "webhook_endpoint");
  return endpoints;
}

}  // namespace

constinit const std::span<const Rule> retrieve_event_rules = retrieve_table;
constinit const std::span<const Rule> list_events_rules = list_table;
constinit const std::span<const Rule> retry_event_rules = retry_table;

awaitable<Result<Outcome>> retrieve_event(Services& services, Call call) {
  auto event = co_await find_event(services, call);
  if (!event) co_return event.error();
  Reply reply(services, call);
  std::vector<store::StoredEvent> events(1, *event);
  auto loaded = co_await load(services, call.mode, reply.known, plans_of(events));
  if (!loaded) co_return loaded.error();
  auto counts = co_await pending(services, call.mode, std::move(events));
  if (!counts) co_return counts.error();
  Object& object = reply.present.event(*event);
  object.set("pending_webhooks", static_cast<std::int64_t>(counts->front()));
  co_return co_await reply.answer(object);
}

awaitable<Result<Outcome>> list_events(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  auto filter = read_filter(call.arguments());
  if (!filter) co_return filter.error();
  auto page = co_await page_of_events(services, call, std::move(*query), std::move(*filter));
  if (!page) co_return page.error();
  Reply reply(services, call);
  auto loaded = co_await load(services, call.mode, reply.known, plans_of(page->events));
  if (!loaded) co_return loaded.error();
  auto counts = co_await pending(services, call.mode, page->events);
  if (!counts) co_return counts.error();
  Array& data = reply.document.array(page->events.size());
  for (std::size_t i = 0; i < page->events.size(); ++i) {
    Object& event = reply.present.event(page->events[i]);
    event.set("pending_webhooks", static_cast<std::int64_t>((*counts)[i]));
    data.add(event);
  }
  co_return co_await reply.answer(reply.present.list("/v1/events", data, page->has_more));
}

/// What Stripe's command line calls to have an event delivered again.
awaitable<Result<Outcome>> retry_event(Services& services, Call call) {
  auto event = co_await find_event(services, call);
  if (!event) co_return event.error();
  auto endpoints = endpoints_to_retry(services, call, *event);
  if (!endpoints) co_return endpoints.error();
  for (WebhookEndpointId& endpoint : *endpoints) {
    store::Replay replay;
    replay.endpoint = std::move(endpoint);
    replay.event = event->position;
    auto requested =
        co_await store::request_replay(services.store, call.mode, event->position.partition, std::move(replay));
    if (!requested) co_return requested.error();
  }
  co_return co_await retrieve_event(services, std::move(call));
}

awaitable<Result<std::string>> event_body(Services& services, Mode mode, std::string api_version,
                                          store::StoredEvent event) {
  Version version;
  if (!api_version.empty()) {
    auto parsed = Version::parse(api_version);
    if (!parsed) co_return parsed.error();
    version = std::move(*parsed);
  }
  Known known;
  known.look_into(services.catalog, services.billing.now());
  std::vector<store::StoredEvent> events(1, event);
  auto loaded = co_await load(services, mode, known, plans_of(events));
  if (!loaded) co_return loaded.error();
  std::int64_t receivers = 0;
  for (const WebhookEndpoint& endpoint : services.catalog.all<WebhookEndpoint>(mode))
    if (!endpoint.is_disabled && names_type(endpoint.enabled_events, to_text(event.event().type))) ++receivers;
  Document document;
  Presenter present(document, mode, known);
  Object& object = present.event(event);
  object.set("api_version", document.text(version.text()));
  object.set("pending_webhooks", receivers);
  apply(version, document, object);
  std::string body = to_json(object);
  co_return co_await services.store.aliases().to_foreign(std::move(body));
}

}  // namespace billd::api::stripe
