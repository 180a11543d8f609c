#include "jobs/redelivery.hpp"

#include <array>

namespace billd::jobs {
namespace {

using Endpoints = std::vector<std::pair<Mode, WebhookEndpoint>>;

/// The enabled endpoints that are meant: the one named, or all.
Result<Endpoints> endpoints_of(const store::Catalog& catalog, const std::string& wanted) {
  Endpoints endpoints;
  for (const Mode mode : {Mode::test, Mode::live})
    for (const WebhookEndpoint& endpoint : catalog.all<WebhookEndpoint>(mode)) {
      if (!wanted.empty() && endpoint.id.value() != wanted) continue;
      if (!endpoint.is_disabled)
        endpoints.emplace_back(mode, endpoint);
      else if (!wanted.empty())
        return Failure{Errc::invalid_state, wanted + " is disabled: enable it first", "endpoint"};
    }
  if (endpoints.empty())
    return Failure{Errc::not_found,
                   wanted.empty() ? "there is no enabled webhook endpoint" : "there is no webhook endpoint " + wanted,
                   "endpoint"};
  return endpoints;
}

void add(RedeliveryPlan& plan, Mode mode, std::uint32_t partition, const WebhookEndpoint& endpoint,
         std::optional<store::EventPosition> event, Timestamp since) {
  RedeliveryPlan::Request request{mode, partition, {}};
  request.replay.endpoint = endpoint.id;
  request.replay.event = std::move(event);
  request.replay.since = since;
  plan.requests.push_back(std::move(request));
}

awaitable<Result<void>> plan_event(store::Store& store, const Redelivery& wanted, const Endpoints& endpoints,
                                   RedeliveryPlan& plan) {
  const Failure unknown{Errc::not_found, "there is no event " + wanted.event, "event"};
  const auto position = store::EventPosition::parse(wanted.event);
  if (!position || position->partition >= store.partitions()) co_return unknown;
  bool is_known = false;
  for (const auto& [mode, endpoint] : endpoints) {
    auto found = co_await store.event(mode, *position);
    if (!found && found.error().code == Errc::not_found) continue;
    if (!found) co_return found.error();
    is_known = true;
    if (wanted.endpoint.empty() && !names_type(endpoint.enabled_events, to_text(found->event().type))) continue;
    add(plan, mode, position->partition, endpoint, *position, {});
    ++plan.endpoints;
  }
  if (!is_known) co_return unknown;
  if (plan.endpoints == 0)
    co_return Failure{Errc::not_found, "no enabled webhook endpoint wants " + wanted.event, "endpoint"};
  co_return Result<void>();
}

}  // namespace

awaitable<Result<RedeliveryPlan>> plan_redelivery(store::Store& store, const store::Catalog& catalog,
                                                  Redelivery wanted) {
  if (wanted.event.empty() == !wanted.since)
    co_return Failure{Errc::invalid_parameter, "name either an event or a moment", "event"};
  const auto endpoints = endpoints_of(catalog, wanted.endpoint);
  if (!endpoints) co_return endpoints.error();
  RedeliveryPlan plan;
  if (wanted.since) {
    for (const auto& [mode, endpoint] : *endpoints)
      for (std::uint32_t partition = 0; partition < store.partitions(); ++partition)
        add(plan, mode, partition, endpoint, std::nullopt, *wanted.since);
    plan.endpoints = endpoints->size();
    plan.text = "all events since " + to_text(*wanted.since);
  } else {
    auto planned = co_await plan_event(store, wanted, *endpoints, plan);
    if (!planned) co_return planned.error();
    plan.text = wanted.event;
  }
  plan.text += " to " + std::to_string(plan.endpoints) + " webhook endpoint" + (plan.endpoints == 1 ? "" : "s");
  co_return plan;
}

awaitable<Result<void>> request_redelivery(store::Store& store, RedeliveryPlan plan) {
  for (RedeliveryPlan::Request& request : plan.requests) {
    auto requested = co_await store::request_replay(store, request.mode, request.partition, std::move(request.replay));
    if (!requested) co_return requested.error();
  }
  co_return Result<void>();
}

}  // namespace billd::jobs
