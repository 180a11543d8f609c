// Operations on events: what happened, with each object as it was then.
#include <algorithm>

#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/operations.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::size_t looked_at_max = 50'000;
constexpr std::size_t filtered_batch = 200;
// Source: https://stripe.com/docs/api/events/list.
constexpr std::size_t types_max = 20;

constexpr std::array<Rule, 1> retrieve_table = {list("expand")};
constexpr std::array list_table = filtered_page_rules + std::array{text("type"), list("types")};

/// Which events are wanted: any when it is empty. "invoice.*" stands for all of the invoices'.
struct TypeFilter {
  std::vector<std::string> types;

  bool holds(std::string_view type) const {
    return types.empty() || std::ranges::any_of(types, [&](std::string_view wanted) {
             if (wanted == "*") return true;
             if (wanted.ends_with(".*")) return type.starts_with(wanted.substr(0, wanted.size() - 1));
             return type == wanted;
           });
  }
};

Result<TypeFilter> read_types(const Arguments& arguments) {
  TypeFilter filter{arguments.texts("types")};
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

struct EventPage {
  std::vector<store::StoredEvent> events;  ///< newest first
  bool has_more = false;
};

awaitable<Result<EventPage>> page_of_events(Services& services, const Call& call, PageQuery query, TypeFilter filter) {
  const bool backwards = !query.ending_before.empty();
  const std::string& cursor = backwards ? query.ending_before : query.starting_after;
  std::optional<store::EventPosition> older_than, newer_than;
  if (!cursor.empty()) {
    const auto position = store::EventPosition::parse(cursor);
    if (!position) co_return no_such("event", cursor, backwards ? "ending_before" : "starting_after");
    (backwards ? newer_than : older_than) = position;
  }
  const bool filtered = !filter.types.empty() || query.created.min || query.created.max;
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
    for (store::StoredEvent& event : *events)
      if (page.events.size() <= query.limit && filter.holds(to_text(event.event().type)) &&
          query.created.holds(event.batch->created))
        page.events.push_back(std::move(event));
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

}  // namespace

constinit const std::span<const Rule> retrieve_event_rules = retrieve_table;
constinit const std::span<const Rule> list_events_rules = list_table;

awaitable<Result<Outcome>> retrieve_event(Services& services, Call call) {
  const std::string& id = call.variable("event");
  const auto position = store::EventPosition::parse(id);
  if (!position) co_return no_such("event", id);
  auto event = co_await services.store.event(call.mode, *position);
  if (!event) {
    if (event.error().code == Errc::not_found) co_return no_such("event", id);
    co_return event.error();
  }
  Reply reply(services, call);
  std::vector<store::StoredEvent> events(1, *event);
  auto loaded = co_await load(services, call.mode, reply.known, plans_of(events));
  if (!loaded) co_return loaded.error();
  co_return co_await reply.answer(reply.present.event(*event));
}

awaitable<Result<Outcome>> list_events(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  auto filter = read_types(call.arguments());
  if (!filter) co_return filter.error();
  auto page = co_await page_of_events(services, call, std::move(*query), std::move(*filter));
  if (!page) co_return page.error();
  Reply reply(services, call);
  auto loaded = co_await load(services, call.mode, reply.known, plans_of(page->events));
  if (!loaded) co_return loaded.error();
  Array& data = reply.document.array(page->events.size());
  for (const store::StoredEvent& event : page->events) data.add(reply.present.event(event));
  co_return co_await reply.answer(reply.present.list("/v1/events", data, page->has_more));
}

}  // namespace billd::api::stripe
