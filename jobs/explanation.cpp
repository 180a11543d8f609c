#include "jobs/explanation.hpp"

#include <algorithm>

#include "jobs/clock.hpp"
#include "net/store/aliases.hpp"
#include "net/store/encoding.hpp"

namespace billd::jobs {
namespace {

/// Records of one customer that are explained: more than a human life has months, for some subscriptions.
constexpr std::size_t records_max = 5'000;

Failure nothing_of(const std::string& id) {
  return {Errc::not_found, "There is no customer, subscription, schedule or invoice " + id + ".", "id"};
}

}  // namespace

awaitable<Result<std::vector<Section>>> explain(store::Store& store, store::Catalog& catalog, std::string id,
                                                Timestamp now, Rules rules) {
  auto native = co_await store.aliases().to_native(id);
  if (!native) co_return native.error();
  const auto key = AccountKey::of_id(*native);
  if (!key) co_return nothing_of(id);
  id = std::move(*native);
  Mode mode = Mode::live;
  auto loaded = co_await store.load(mode, *key);
  if (!loaded && loaded.error().code == Errc::not_found) {
    mode = Mode::test;
    loaded = co_await store.load(mode, *key);
  }
  if (!loaded && loaded.error().code == Errc::not_found) co_return nothing_of(id);
  if (!loaded) co_return loaded.error();
  auto fields = co_await store.record_fields(mode, *key);
  if (!fields) co_return fields.error();
  std::erase_if(*fields, [](const std::string& field) { return store::is_owner_field(field); });
  if (fields->size() > records_max)
    co_return Failure{Errc::limit_exceeded, "The customer has more than 5,000 records: too many to be explained.",
                      "id"};
  auto records = co_await store.load_records(mode, *key, std::move(*fields));
  if (!records) co_return records.error();
  const TestClockId& clock_id = loaded->account.customer.test_clock;
  if (!clock_id.is_empty()) {
    const auto clock = co_await catalog.find<TestClock>(mode, clock_id.value());
    if (clock) now = account_time(**clock, now);
  }
  co_return billd::explain(loaded->account, *records, id, now, rules);
}

}  // namespace billd::jobs
