// The catalog's cache in memory and how it is kept fresh.
#include "net/store/catalog.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <unordered_map>

#include "net/redis/subscriber.hpp"
#include "net/store/functions.hpp"
#include "net/store/keys.hpp"
#include "net/store/lengthy.hpp"

namespace billd::store {
namespace {

constexpr Milliseconds version_poll_interval{1000};
/// Polls from one look for redemptions that nobody has settled to the next; the first poll is one of them.
constexpr int polls_per_sweep = 60;

using Erased = std::shared_ptr<const void>;
using ErasedList = std::vector<Erased>;

/// A kind without its type.
struct KindDescription {
  std::string_view table, name;
  bool has_mode;
  Result<Erased> (*decode)(std::string_view);
  bool (*is_newer)(const void*, const void*);
};

template <class Object>
constexpr KindDescription describe_kind() {
  using Kind = CatalogKind<Object>;
  KindDescription kind{};
  kind.table = Kind::table;
  kind.name = Kind::name;
  kind.has_mode = Kind::has_mode;
  kind.decode = [](std::string_view bytes) -> Result<Erased> {
    auto object = Kind::decode(bytes);
    if (!object) return object.error();
    return Erased(std::make_shared<const Object>(std::move(*object)));
  };
  kind.is_newer = [](const void* left, const void* right) {
    const auto& a = *static_cast<const Object*>(left);
    const auto& b = *static_cast<const Object*>(right);
    return a.created != b.created ? a.created > b.created : Kind::field(a) > Kind::field(b);
  };
  return kind;
}

template <class... Objects>
constexpr std::array<KindDescription, sizeof...(Objects)> describe_kinds(const std::tuple<Objects...>*) {
  return {describe_kind<Objects>()...};
}

constexpr std::array kinds = describe_kinds(static_cast<const CatalogKinds*>(nullptr));

/// Objects of one kind and mode, as they are stored in one hash.
struct Table {
  std::size_t kind = 0;
  std::string hash;
  std::unordered_map<std::string, Erased> objects;
  mutable std::shared_ptr<const ErasedList> newest_first;  ///< null: to be made again

  void set(const std::string& field, Erased object) {
    newest_first = nullptr;
    if (object == nullptr)
      objects.erase(field);
    else
      objects.insert_or_assign(field, std::move(object));
  }
  const std::shared_ptr<const ErasedList>& listed() const {
    if (newest_first != nullptr) return newest_first;
    ErasedList all;
    all.reserve(objects.size());
    for (const auto& [field, object] : objects) all.push_back(object);
    std::ranges::sort(all, [this](const Erased& a, const Erased& b) { return kinds[kind].is_newer(a.get(), b.get()); });
    newest_first = std::make_shared<const ErasedList>(std::move(all));
    return newest_first;
  }
};

std::uint64_t parse_version(std::string_view text) {
  std::uint64_t version = 0;
  std::from_chars(text.data(), text.data() + text.size(), version);
  return version;
}

}  // namespace

class Catalog::Implementation {
 public:
  Implementation(Executor executor, redis::Client& client, Store& store, redis::Address address)
      : redemptions(client, store),
        store_(store),
        client_(client),
        subscriber_(
            executor, std::move(address), client.settings(), {std::string(catalog_channel)},
            {[this](std::string_view, std::string_view message) { hear(message); }, [this] { refresh_soon(); }}),
        tasks_(executor) {
    for (std::size_t kind = 0; kind < kinds.size(); ++kind) {
      const std::string table(kinds[kind].table);
      for (Mode mode : modes) {
        if (kinds[kind].has_mode)
          tables_.push_back({kind, catalog_prefix(mode) + table, {}, {}});
        else if (mode == Mode::test)
          tables_.push_back({kind, "{catalog}:" + table, {}, {}});
      }
    }
  }

  awaitable<Result<void>> start() {
    auto loaded = co_await load_everything();
    if (!loaded) co_return loaded.error();
    auto counted = co_await redemptions.load();
    if (!counted) co_return counted.error();
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

  Table& table(std::size_t kind, Mode mode) {
    const auto at = std::ranges::find_if(tables_, [kind](const Table& table) { return table.kind == kind; });
    return kinds[kind].has_mode && mode == Mode::live ? *(at + 1) : *at;
  }

  awaitable<Result<Erased>> find(Table& table, std::string field) {
    if (const auto found = table.objects.find(field); found != table.objects.end()) co_return found->second;
    auto read = co_await read_one(table, field);
    if (!read) co_return read.error();
    const auto found = table.objects.find(field);
    co_return found != table.objects.end() ? found->second : Erased();
  }

  awaitable<Result<void>> commit(CatalogChange change, std::optional<CatalogIdempotency> idempotency) {
    const std::vector<CatalogChange::Write>& writes = change.writes();
    redis::Command command("FCALL", function_name("put_objects"), writes.size() + (idempotency ? 2 : 1),
                           catalog_version_key);
    std::string told;
    for (const CatalogChange::Write& write : writes) {
      const Table& of = table(write.kind, change.mode());
      command.add(of.hash);
      told += lengthy(of.hash) + lengthy(write.field);
    }
    if (idempotency) command.add(answer_key(catalog_prefix(change.mode()), idempotency->key_hash));
    command.add(writes.size()).add(catalog_channel).add(told);
    command.add(idempotency ? idempotency->value : std::string()).add(store_.settings().idempotency_retention.count());
    command.add(change.version() ? std::to_string(*change.version()) : std::string());
    for (const CatalogChange::Write& write : writes) command.add(write.field).add(write.expected).add(write.value);
    auto reply = co_await call_function(client_, std::move(command));
    if (!reply) co_return reply.error();
    if (reply->is_text()) co_return Failure{Errc::idempotency_in_progress, "the key has an answer"};
    if (reply->integer() == 0) {
      // Somebody else was first: what we knew is old.
      if (change.version()) {
        auto loaded = co_await load_everything();
        if (!loaded) co_return loaded.error();
      }
      for (const CatalogChange::Write& write : writes) {
        auto read = co_await read_one(table(write.kind, change.mode()), write.field);
        if (!read) co_return read.error();
      }
      co_return Failure{Errc::conflict, "the object was changed by another writer"};
    }
    for (const CatalogChange::Write& write : writes) {
      auto stored = keep(table(write.kind, change.mode()), write.field, write.value);
      if (!stored) co_return stored;
    }
    has_seen(static_cast<std::uint64_t>(reply->integer()));
    for (const CatalogChange::Write& write : writes) tell(write.kind);
    co_return Result<void>();
  }

  awaitable<Result<std::string>> saved_answer(Mode mode, std::string key_hash) {
    redis::Command command("GET", answer_key(catalog_prefix(mode), key_hash));
    auto reply = co_await client_.execute(std::move(command));
    if (!reply) co_return reply.error();
    if (reply->is_nil()) co_return Failure{Errc::not_found, "no answer was saved"};
    co_return reply->take_text();
  }

  std::uint64_t version() const { return version_; }

  Redemptions redemptions;
  std::array<std::function<void()>, catalog_kind_count> changed;

 private:
  static Result<void> keep(Table& table, const std::string& field, std::string_view bytes) {
    if (bytes.empty()) {
      table.set(field, nullptr);
      return {};
    }
    auto object = kinds[table.kind].decode(bytes);
    if (!object) return object.error();
    table.set(field, std::move(*object));
    return {};
  }

  awaitable<Result<void>> read_one(Table& table, std::string field) {
    redis::Command command("HGET", table.hash, field);
    auto reply = co_await client_.execute(std::move(command));
    if (!reply) co_return reply.error();
    co_return keep(table, field, reply->is_nil() ? std::string_view() : std::string_view(reply->text()));
  }

  awaitable<Result<void>> read_all(Table& table) {
    redis::Command command("HGETALL", table.hash);
    auto reply = co_await client_.execute(std::move(command));
    if (!reply) co_return reply.error();
    std::unordered_map<std::string, Erased> objects;
    std::vector<redis::Reply> elements = reply->take_elements();
    for (std::size_t i = 0; i + 1 < elements.size(); i += 2) {
      auto object = kinds[table.kind].decode(elements[i + 1].text());
      if (!object) co_return object.error();
      objects.emplace(elements[i].take_text(), std::move(*object));
    }
    table.objects = std::move(objects);
    table.newest_first = nullptr;
    co_return Result<void>();
  }

  awaitable<Result<std::uint64_t>> stored_version() {
    redis::Command command("GET", catalog_version_key);
    auto version = co_await client_.execute(std::move(command));
    if (!version) co_return version.error();
    co_return version->is_nil() ? 0 : parse_version(version->text());
  }

  awaitable<Result<void>> load_everything() {
    // The version first: what changes while we read makes it grow again.
    auto version = co_await stored_version();
    if (!version) co_return version.error();
    for (Table& each : tables_) {
      auto loaded = co_await read_all(each);
      if (!loaded) co_return loaded.error();
    }
    version_ = *version;
    for (std::size_t kind = 0; kind < kinds.size(); ++kind) tell(kind);
    co_return Result<void>();
  }

  awaitable<> watch_version() {
    for (int poll = 0;; ++poll) {
      const bool goes_on = co_await sleep_for(version_poll_interval);
      if (!goes_on) co_return;
      co_await watch_redemptions(poll % polls_per_sweep == 0);
      auto version = co_await stored_version();
      if (!version || *version == version_) continue;
      co_await refresh();
    }
  }

  awaitable<> watch_redemptions(bool sweeps) {
    auto refreshed = co_await redemptions.refresh();
    if (!refreshed || !sweeps) co_return;
    auto swept = co_await redemptions.sweep();
    if (!swept && !stopping_ && !is_transient(swept.error().code))
      spdlog::error("redemptions that were interrupted could not be settled: {}", swept.error().detail);
  }

  awaitable<> refresh() {
    auto loaded = co_await load_everything();
    if (!loaded && !stopping_)
      spdlog::warn("the catalog could not be read, its last state is used: {}", loaded.error().detail);
  }

  void refresh_soon() { tasks_.spawn("catalog refresh", refresh()); }

  /// What is in memory includes this change; when it was not the next one, the version's watch reads what is missing.
  void has_seen(std::uint64_t version) {
    if (version == version_ + 1) version_ = version;
  }

  /// A message names what was changed: the catalog's version after it, then hash and field of each object.
  void hear(std::string_view message) {
    std::vector<std::string> parts = parse_lengthy(message);
    if (parts.empty() || parts.size() % 2 == 0) return;
    if (parse_version(parts.front()) <= version_) return;  // our own change, or one that was read since
    tasks_.spawn("catalog change", read_changed(std::move(parts)));
  }

  awaitable<> read_changed(std::vector<std::string> parts) {
    for (std::size_t i = 1; i + 1 < parts.size(); i += 2) {
      const auto at = std::ranges::find(tables_, parts[i], &Table::hash);
      if (at == tables_.end()) continue;  // a kind that only a newer version knows
      auto read = co_await read_one(*at, parts[i + 1]);
      if (!read) {
        if (!stopping_) spdlog::warn("a change of the catalog could not be read: {}", read.error().detail);
        co_return;
      }
      tell(at->kind);
    }
    has_seen(parse_version(parts.front()));
  }

  void tell(std::size_t kind) {
    if (changed[kind]) changed[kind]();
  }

  Store& store_;
  redis::Client& client_;
  std::vector<Table> tables_;  ///< constant after construction, in the order of the kinds: test, then live
  std::uint64_t version_ = 0;  ///< of what is in memory
  bool stopping_ = false;
  redis::Subscriber subscriber_;
  Tasks tasks_;
};

Catalog::Catalog(Executor executor, redis::Client& client, Store& store, redis::Address address)
    : implementation_(std::make_unique<Implementation>(executor, client, store, std::move(address))) {}

Catalog::~Catalog() = default;

awaitable<Result<void>> Catalog::start() { return implementation_->start(); }
awaitable<> Catalog::stop() { return implementation_->stop(); }

awaitable<Result<void>> Catalog::commit(CatalogChange change, std::optional<CatalogIdempotency> idempotency) {
  return implementation_->commit(std::move(change), std::move(idempotency));
}

Redemptions& Catalog::redemptions() { return implementation_->redemptions; }
const Redemptions& Catalog::redemptions() const { return implementation_->redemptions; }

std::uint64_t Catalog::version() const { return implementation_->version(); }

awaitable<Result<std::string>> Catalog::saved_answer(Mode mode, std::string key_hash) {
  return implementation_->saved_answer(mode, std::move(key_hash));
}

Failure Catalog::no_such(std::size_t kind, const std::string& id) {
  const std::string name(kinds[kind].name);
  std::string parameter = name;
  std::ranges::replace(parameter, ' ', '_');
  return {Errc::not_found, "No such " + name + ": " + id, std::move(parameter)};
}

Failure Catalog::already_exists(std::size_t kind) {
  std::string name(kinds[kind].name);
  name.front() = static_cast<char>(name.front() >= 'a' ? name.front() - 'a' + 'A' : name.front());
  return {Errc::already_exists, name + " already exists.", "id"};
}

awaitable<Result<Catalog::Erased>> Catalog::find_erased(std::size_t kind, Mode mode, std::string id) {
  return implementation_->find(implementation_->table(kind, mode), std::move(id));
}

Catalog::Erased Catalog::get_erased(std::size_t kind, Mode mode, const std::string& id) const {
  const Table& table = implementation_->table(kind, mode);
  const auto found = table.objects.find(id);
  return found == table.objects.end() ? nullptr : found->second;
}

std::shared_ptr<const std::vector<Catalog::Erased>> Catalog::all_erased(std::size_t kind, Mode mode) const {
  return implementation_->table(kind, mode).listed();
}

void Catalog::on_change_erased(std::size_t kind, std::function<void()> changed) {
  implementation_->changed[kind] = std::move(changed);
}

}  // namespace billd::store
