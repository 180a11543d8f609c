// Paused queues: kept in Redis, so that all daemons heed them, also after a restart.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/store/store.hpp"

namespace billd::store {

struct Pause {
  Queue queue = Queue::renewal;
  Timestamp since;
  std::string by;       ///< the operator
  std::string comment;  ///< why, in the operator's words
};

/// In the order of the queues.
awaitable<Result<std::vector<Pause>>> paused_queues(Store& store);

/// already_exists when it is paused; then the pause stays as it is.
awaitable<Result<void>> pause_queue(Store& store, Pause pause);

/// not_found when it is not paused.
awaitable<Result<void>> resume_queue(Store& store, Queue queue);

/// The delivery of webhooks is paused in the same way; its pause has no queue of accounts.
inline constexpr std::string_view deliveries_name = "webhook_delivery";
awaitable<Result<std::optional<Pause>>> paused_deliveries(Store& store);
awaitable<Result<void>> pause_deliveries(Store& store, Pause pause);
awaitable<Result<void>> resume_deliveries(Store& store);

}  // namespace billd::store
