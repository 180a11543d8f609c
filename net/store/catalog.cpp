// The catalog's cache in memory and how it is kept fresh.
#include "net/store/catalog.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <unordered_map>

#include "net/redis/subscriber.hpp"
#include "net/store/functions.hpp"
#include "net/store/keys.hpp"

namespace billd::store {
namespace {

constexpr Milliseconds version_poll_interval{1000};

/// Objects of one kind, as they are stored in one hash. `field` names an object in the hash.
template <class Object>
struct Table {
  std::string hash;
  Result<Object> (*decode)(std::string_view);
  std::unordered_map<std::string, std::shared_ptr<const Object>> objects;

  const Object* find(const std::string& field) const {
    const auto found = objects.find(field);
    return found == objects.end() ? nullptr : found->second.get();
  }
  void set(std::string field, Object object) {
    objects.insert_or_assign(std::move(field), std::make_shared<const Object>(std::move(object)));
  }
  std::vector<std::shared_ptr<const Object>> newest_first() const {
    std::vector<std::shared_ptr<const Object>> all;
    all.reserve(objects.size());
    for (const auto& [field, object] : objects) all.push_back(object);
    std::ranges::sort(all, [](const auto& a, const auto& b) {
      return a->created != b->created ? a->created > b->created : a->id > b->id;
    });
    return all;
  }
};

}  // namespace

class Catalog::Implementation {
 public:
  Implementation(Executor executor, redis::Client& client, Store& store, redis::Address address)
      : store_(store),
        client_(client),
        subscriber_(executor, std::move(address), client.settings(), {std::string(catalog_channel)},
                    {[this](std::string_view, std::string_view message) { changed(std::string(message)); },
                     [this] { refresh_soon(); }}),
        tasks_(executor) {}

  awaitable<Result<void>> start() {
    auto loaded = co_await load_everything();
    if (!loaded) co_return loaded.error();
    subscriber_.start();
    tasks_.spawn("catalog", watch_version());
    co_return Result<void>();
  }

  awaitable<> stop() {
    stopping_ = true;
    tasks_.cancel();
    co_await subscriber_.stop();
    co_await tasks_.idle(Milliseconds(5000));
  }

  template <class Object>
  awaitable<Result<Object>> find(Table<Object>& table, std::string field, Failure not_found) {
    if (const Object* object = table.find(field)) co_return *object;
    auto read = co_await read_one(table, field);
    if (!read) co_return read.error();
    if (const Object* object = table.find(field)) co_return *object;
    co_return not_found;
  }

  /// Writes `bytes` (empty: removes) if `expected` is stored.
  template <class Object>
  awaitable<Result<void>> put(Table<Object>& table, Mode mode, std::string field, std::string expected,
                              std::string bytes, std::optional<CatalogIdempotency> idempotency) {
    redis::Command command("FCALL", function_name("put_object"), idempotency ? 3 : 2, table.hash, catalog_version_key);
    if (idempotency) command.add(answer_key(catalog_prefix(mode), idempotency->key_hash));
    command.add(field).add(expected).add(bytes).add(catalog_channel).add(table.hash + " " + field);
    if (idempotency) command.add(idempotency->value).add(store_.settings().idempotency_retention.count());
    auto reply = co_await call_function(client_, std::move(command));
    if (!reply) co_return reply.error();
    if (reply->is_text()) co_return Failure{Errc::idempotency_in_progress, "the key has an answer"};
    if (reply->integer() != 1) {
      // Somebody else was first: what we knew is old.
      auto read = co_await read_one(table, field);
      if (!read) co_return read.error();
      co_return Failure{Errc::conflict, "the object was changed by another writer"};
    }
    if (bytes.empty()) {
      table.objects.erase(field);
      co_return Result<void>();
    }
    auto stored = table.decode(bytes);
    if (!stored) co_return stored.error();
    table.set(std::move(field), std::move(*stored));
    tell_of_advancing();
    co_return Result<void>();
  }

  awaitable<Result<std::string>> saved_answer(Mode mode, std::string key_hash) {
    redis::Command command("GET", answer_key(catalog_prefix(mode), key_hash));
    auto reply = co_await client_.execute(std::move(command));
    if (!reply) co_return reply.error();
    if (reply->is_nil()) co_return Failure{Errc::not_found, "no answer was saved"};
    co_return reply->take_text();
  }

  Table<Plan>& plans(Mode mode) { return mode == Mode::live ? live_plans_ : test_plans_; }

  Table<TestClock> clocks{catalog_prefix(Mode::test) + "clocks", decode_test_clock, {}};
  Table<ApiKey> keys{std::string(api_keys_key), decode_api_key, {}};
  std::function<void()> advancing;

 private:
  template <class Object>
  awaitable<Result<void>> read_one(Table<Object>& table, std::string field) {
    redis::Command command("HGET", table.hash, field);
    auto reply = co_await client_.execute(std::move(command));
    if (!reply) co_return reply.error();
    if (reply->is_nil()) {
      table.objects.erase(field);
      co_return Result<void>();
    }
    auto object = table.decode(reply->text());
    if (!object) co_return object.error();
    table.set(std::move(field), std::move(*object));
    co_return Result<void>();
  }

  template <class Object>
  awaitable<Result<void>> read_all(Table<Object>& table) {
    redis::Command command("HGETALL", table.hash);
    auto reply = co_await client_.execute(std::move(command));
    if (!reply) co_return reply.error();
    std::unordered_map<std::string, std::shared_ptr<const Object>> objects;
    std::vector<redis::Reply> elements = reply->take_elements();
    for (std::size_t i = 0; i + 1 < elements.size(); i += 2) {
      auto object = table.decode(elements[i + 1].text());
      if (!object) co_return object.error();
      objects.emplace(elements[i].take_text(), std::make_shared<const Object>(std::move(*object)));
    }
    table.objects = std::move(objects);
    co_return Result<void>();
  }

  awaitable<Result<void>> load_everything() {
    // The version first: what changes while we read makes it grow again.
    redis::Command command("GET", catalog_version_key);
    auto version = co_await client_.execute(std::move(command));
    if (!version) co_return version.error();
    auto loaded = co_await read_all(test_plans_);
    if (loaded) loaded = co_await read_all(live_plans_);
    if (loaded) loaded = co_await read_all(clocks);
    if (loaded) loaded = co_await read_all(keys);
    if (!loaded) co_return loaded.error();
    version_ = version->is_nil() ? std::string() : version->take_text();
    tell_of_advancing();
    co_return Result<void>();
  }

  awaitable<> watch_version() {
    for (;;) {
      const bool goes_on = co_await sleep_for(version_poll_interval);
      if (!goes_on) co_return;
      redis::Command command("GET", catalog_version_key);
      auto version = co_await client_.execute(std::move(command));
      if (!version || version->is_nil() || version->text() == version_) continue;
      co_await refresh();
    }
  }

  awaitable<> refresh() {
    auto loaded = co_await load_everything();
    if (!loaded && !stopping_)
      spdlog::warn("the catalog could not be read, its last state is used: {}", loaded.error().detail);
  }

  void refresh_soon() { tasks_.spawn("catalog refresh", refresh()); }

  /// A message names the hash and the field of what was changed.
  void changed(std::string message) {
    const std::size_t space = message.find(' ');
    if (space == std::string::npos) return;
    tasks_.spawn("catalog change", read_changed(message.substr(0, space), message.substr(space + 1)));
  }

  awaitable<> read_changed(std::string hash, std::string field) {
    Result<void> read;
    if (hash == test_plans_.hash)
      read = co_await read_one(test_plans_, field);
    else if (hash == live_plans_.hash)
      read = co_await read_one(live_plans_, field);
    else if (hash == clocks.hash)
      read = co_await read_one(clocks, field);
    else if (hash == keys.hash)
      read = co_await read_one(keys, field);
    if (!read && !stopping_) spdlog::warn("a change of the catalog could not be read: {}", read.error().detail);
    tell_of_advancing();
  }

  void tell_of_advancing() {
    if (!advancing) return;
    for (const auto& [field, clock] : clocks.objects)
      if (clock->status == TestClockStatus::advancing) return advancing();
  }

  Store& store_;
  redis::Client& client_;
  Table<Plan> test_plans_{catalog_prefix(Mode::test) + "plans", decode_plan, {}};
  Table<Plan> live_plans_{catalog_prefix(Mode::live) + "plans", decode_plan, {}};
  std::string version_;
  bool stopping_ = false;
  redis::Subscriber subscriber_;
  Tasks tasks_;
};

Catalog::Catalog(Executor executor, redis::Client& client, Store& store, redis::Address address)
    : implementation_(std::make_unique<Implementation>(executor, client, store, std::move(address))) {}

Catalog::~Catalog() = default;

awaitable<Result<void>> Catalog::start() { return implementation_->start(); }
awaitable<> Catalog::stop() { return implementation_->stop(); }

awaitable<Result<Plan>> Catalog::find_plan(Mode mode, PlanId id) {
  Failure unknown{Errc::not_found, "No such plan: " + id.value(), "plan"};
  auto plan = co_await implementation_->find(implementation_->plans(mode), id.value(), unknown);
  if (plan && plan->deleted) co_return unknown;
  co_return plan;
}

awaitable<Result<void>> Catalog::put_plan(Mode mode, Plan plan, std::optional<Plan> replaces,
                                          std::optional<CatalogIdempotency> idempotency) {
  Table<Plan>& table = implementation_->plans(mode);
  std::string expected;
  if (replaces) {
    expected = encode(*replaces);
  } else if (const Plan* existing = table.find(plan.id.value())) {
    if (!existing->deleted) co_return Failure{Errc::already_exists, "Plan already exists.", "id"};
    expected = encode(*existing);
  }
  auto put = co_await implementation_->put(table, mode, plan.id.value(), std::move(expected), encode(plan),
                                           std::move(idempotency));
  if (!put && put.error().code == Errc::conflict && !replaces)
    co_return Failure{Errc::already_exists, "Plan already exists.", "id"};
  co_return put;
}

std::vector<std::shared_ptr<const Plan>> Catalog::plans(Mode mode) const {
  return implementation_->plans(mode).newest_first();
}

awaitable<Result<TestClock>> Catalog::find_test_clock(TestClockId id) {
  return implementation_->find(implementation_->clocks, id.value(),
                               Failure{Errc::not_found, "No such test clock: " + id.value(), "test_clock"});
}

awaitable<Result<void>> Catalog::put_test_clock(TestClock clock, std::optional<TestClock> replaces,
                                                std::optional<CatalogIdempotency> idempotency) {
  return implementation_->put(implementation_->clocks, Mode::test, clock.id.value(),
                              replaces ? encode(*replaces) : std::string(), encode(clock), std::move(idempotency));
}

awaitable<Result<void>> Catalog::remove_test_clock(TestClockId id) {
  auto clock = co_await find_test_clock(id);
  if (!clock) co_return clock.error();
  const std::string nothing;
  auto removed = co_await implementation_->put(implementation_->clocks, Mode::test, id.value(), encode(*clock), nothing,
                                               std::nullopt);
  co_return removed;
}

std::vector<std::shared_ptr<const TestClock>> Catalog::test_clocks() const {
  return implementation_->clocks.newest_first();
}

void Catalog::on_test_clock_advancing(std::function<void()> advancing) {
  implementation_->advancing = std::move(advancing);
}

std::shared_ptr<const ApiKey> Catalog::find_key(const std::string& hash) const {
  const auto& keys = implementation_->keys.objects;
  const auto found = keys.find(hash);
  return found == keys.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<const ApiKey>> Catalog::keys() const { return implementation_->keys.newest_first(); }

awaitable<Result<void>> Catalog::put_key(ApiKey key) {
  const ApiKey* existing = implementation_->keys.find(key.hash);
  return implementation_->put(implementation_->keys, key.mode, key.hash,
                              existing != nullptr ? encode(*existing) : std::string(), encode(key), std::nullopt);
}

awaitable<Result<std::string>> Catalog::saved_answer(Mode mode, std::string key_hash) {
  return implementation_->saved_answer(mode, std::move(key_hash));
}

}  // namespace billd::store
