// Plans, test clocks and API keys: outside every account, in Redis under a tag of their own and cached in memory.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/keys.hpp"
#include "engine/catalog.hpp"
#include "net/async.hpp"
#include "net/redis/client.hpp"
#include "net/store/store.hpp"

namespace billd::store {

/// An answer saved with a change of the catalog, under the request's idempotency key.
struct CatalogIdempotency {
  std::string key_hash;
  std::string value;
};

/// Reads are from memory and see every change that this daemon made or was told of; a daemon learns of others' changes
/// by a message within milliseconds, and by comparing the catalog's version once a second behind it. find_* of
/// something that is not in memory looks into Redis first, so that what one daemon created is never unknown to another.
/// To be used from the loop's thread.
class Catalog {
 public:
  Catalog(Executor executor, redis::Client& client, Store& store, redis::Address address);
  ~Catalog();

  /// Loads everything; call once the store is prepared. Then keeps it fresh until stop().
  awaitable<Result<void>> start();
  awaitable<> stop();

  awaitable<Result<Plan>> find_plan(Mode mode, PlanId id);
  /// Writes a new plan (already_exists when the id is taken by one that is not deleted) or, with
  /// `replaces`, a changed one (conflict when another writer was first). With idempotency: refused with
  /// Errc::idempotency_in_progress when the key has an answer already; read it and replay.
  awaitable<Result<void>> put_plan(Mode mode, Plan plan, std::optional<Plan> replaces,
                                   std::optional<CatalogIdempotency> idempotency);
  /// From memory, deleted ones included, newest first.
  std::vector<std::shared_ptr<const Plan>> plans(Mode mode) const;

  awaitable<Result<TestClock>> find_test_clock(TestClockId id);
  awaitable<Result<void>> put_test_clock(TestClock clock, std::optional<TestClock> replaces,
                                         std::optional<CatalogIdempotency> idempotency);
  awaitable<Result<void>> remove_test_clock(TestClockId id);
  /// From memory, newest first.
  std::vector<std::shared_ptr<const TestClock>> test_clocks() const;
  /// Called when a test clock began to advance, by whichever daemon.
  void on_test_clock_advancing(std::function<void()> advancing);

  /// The key of that hash, from memory; nullptr when there is none. Revoked ones are returned, marked.
  std::shared_ptr<const ApiKey> find_key(const std::string& hash) const;
  std::vector<std::shared_ptr<const ApiKey>> keys() const;
  awaitable<Result<void>> put_key(ApiKey key);

  /// The saved answer of a request whose change went to the catalog; not_found when there is none.
  awaitable<Result<std::string>> saved_answer(Mode mode, std::string key_hash);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace billd::store
