// Having webhooks delivered again: one event, or all since a moment, to one endpoint or to all that are enabled.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "net/store/catalog.hpp"
#include "net/store/deliveries.hpp"

namespace billd::jobs {

struct Redelivery {
  std::string endpoint;            ///< empty: all that are enabled; an event goes only to those that want its type
  std::string event;               ///< this or
  std::optional<Timestamp> since;  ///< all that happened from then on
};

/// What is to be asked for, and how it is told.
struct RedeliveryPlan {
  struct Request {
    Mode mode = Mode::test;
    std::uint32_t partition = 0;
    store::Replay replay;
  };
  std::vector<Request> requests;
  std::size_t endpoints = 0;
  std::string text;  ///< "evt_… to 2 webhook endpoints"
};

/// not_found when there is no such event or endpoint, or no endpoint that wants it; invalid_state when the endpoint is
/// disabled; invalid_parameter unless either an event or a moment is named.
awaitable<Result<RedeliveryPlan>> plan_redelivery(store::Store& store, const store::Catalog& catalog,
                                                  Redelivery wanted);

/// Asks for all of it; asking twice is asking once.
awaitable<Result<void>> request_redelivery(store::Store& store, RedeliveryPlan plan);

}  // namespace billd::jobs
