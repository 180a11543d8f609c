// Accounts in great number, written straight into the store: what a benchmark or a test finds there when it begins.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "engine/catalog.hpp"
#include "net/gateways/gateway.hpp"
#include "net/store/store.hpp"

namespace billd::bench {

struct PopulationSettings {
  std::size_t accounts = 1000;
  std::size_t first = 0;  ///< the number of the first; accounts are made from their numbers
  Plan plan;              ///< what each of them subscribes to
  /// When account `i` subscribes; the next period is due one recurrence later. All at one instant when empty.
  std::function<Timestamp(std::size_t i)> subscribed_at;
  std::function<void(std::size_t written)> on_progress;
};

/// The account of that number: the same in every run.
AccountKey numbered_account(std::size_t number);

/// Writes customers, each with a card that is never declined and an active subscription whose first invoice is paid, as
/// the API would have made them: decided by the engine, charged at the gateway, each in one commit. The accounts must
/// be new to the store.
awaitable<Result<void>> populate(store::Store& store, gateways::Gateway& gateway, PopulationSettings settings);

}  // namespace billd::bench
