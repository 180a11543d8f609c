// What is outside every account (plans, test clocks, API keys and more, see catalog_kinds.hpp): in Redis under a tag of
// its own and cached in memory.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/async.hpp"
#include "net/redis/client.hpp"
#include "net/store/catalog_kinds.hpp"
#include "net/store/redemptions.hpp"
#include "net/store/store.hpp"

namespace billd::store {

/// An answer saved with a change of the catalog, under the request's idempotency key.
struct CatalogIdempotency {
  std::string key_hash;
  std::string value;
};

/// Changes of several objects of one mode that are written together or not at all.
class CatalogChange {
 public:
  explicit CatalogChange(Mode mode) : mode_(mode) {}

  /// A new object (`before` empty), or a changed one, as `before` was read.
  template <class Object>
  CatalogChange& put(const Object& after, const Object* before = nullptr) {
    writes_.push_back({catalog_kind_index<Object>(), CatalogKind<Object>::field(after),
                       before != nullptr ? encode(*before) : std::string(), encode(after)});
    return *this;
  }
  template <class Object>
  CatalogChange& remove(const Object& before) {
    writes_.push_back({catalog_kind_index<Object>(), CatalogKind<Object>::field(before), encode(before), {}});
    return *this;
  }

  /// Refused with conflict unless the catalog is at this version: what was looked at in memory still holds.
  CatalogChange& only_at(std::uint64_t version) {
    version_ = version;
    return *this;
  }

  struct Write {
    std::size_t kind;
    std::string field;
    std::string expected;  ///< what must be stored; empty: nothing
    std::string value;     ///< empty: it goes
  };
  Mode mode() const { return mode_; }
  const std::vector<Write>& writes() const { return writes_; }
  const std::optional<std::uint64_t>& version() const { return version_; }

 private:
  Mode mode_;
  std::optional<std::uint64_t> version_;
  std::vector<Write> writes_;
};

/// Objects of one kind, newest first, as they were when they were asked for.
template <class Object>
class CatalogObjects {
 public:
  using Erased = std::vector<std::shared_ptr<const void>>;
  explicit CatalogObjects(std::shared_ptr<const Erased> objects) : objects_(std::move(objects)) {}

  class Iterator {
   public:
    explicit Iterator(Erased::const_iterator at) : at_(at) {}
    const Object& operator*() const { return *static_cast<const Object*>(at_->get()); }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    Erased::const_iterator at_;
  };
  Iterator begin() const { return Iterator(objects_->begin()); }
  Iterator end() const { return Iterator(objects_->end()); }
  std::size_t size() const { return objects_->size(); }
  bool empty() const { return objects_->empty(); }

 private:
  std::shared_ptr<const Erased> objects_;
};

/// Reads are from memory and see every change that this daemon made or was told of; a daemon learns of others' changes
/// by a message within milliseconds, and by comparing the catalog's version once a second behind it. find() of
/// something that is not in memory looks into Redis first, so that what one daemon created is never unknown to another.
/// Of kinds without a mode the mode does not matter. To be used from the loop's thread.
class Catalog {
 public:
  Catalog(Executor executor, redis::Client& client, Store& store, redis::Address address);
  ~Catalog();

  /// Loads everything; call once the store is prepared. Then keeps it fresh until stop().
  awaitable<Result<void>> start();
  awaitable<> stop();

  /// not_found, naming the kind, for one that is not there or deleted.
  template <class Object>
  awaitable<Result<std::shared_ptr<const Object>>> find(Mode mode, std::string id) {
    auto found = co_await find_erased(catalog_kind_index<Object>(), mode, id);
    if (!found) co_return found.error();
    auto object = std::static_pointer_cast<const Object>(std::move(*found));
    if (object == nullptr || is_deleted(*object)) co_return no_such(catalog_kind_index<Object>(), id);
    co_return object;
  }

  /// From memory, deleted ones included; nullptr when there is none.
  template <class Object>
  std::shared_ptr<const Object> get(Mode mode, const std::string& id) const {
    return std::static_pointer_cast<const Object>(get_erased(catalog_kind_index<Object>(), mode, id));
  }

  /// From memory, deleted ones included.
  template <class Object>
  CatalogObjects<Object> all(Mode mode) const {
    return CatalogObjects<Object>(all_erased(catalog_kind_index<Object>(), mode));
  }

  /// Writes a new object (already_exists when its name is taken by one that is not deleted) or, with `replaces`, a
  /// changed one (conflict when another writer was first). With idempotency: refused with
  /// Errc::idempotency_in_progress when the key has an answer already; read it and replay.
  template <class Object>
  awaitable<Result<void>> put(Mode mode, Object object, std::optional<Object> replaces,
                              std::optional<CatalogIdempotency> idempotency = {}) {
    // A deleted one gives its name to the next.
    const std::shared_ptr<const Object> taken =
        replaces ? nullptr : get<Object>(mode, CatalogKind<Object>::field(object));
    if (taken != nullptr && !is_deleted(*taken)) co_return already_exists(catalog_kind_index<Object>());
    CatalogChange change(mode);
    change.put(object, replaces ? &*replaces : taken.get());
    auto put = co_await commit(std::move(change), std::move(idempotency));
    if (!put && put.error().code == Errc::conflict && !replaces) co_return already_exists(catalog_kind_index<Object>());
    co_return put;
  }

  /// conflict when it is not stored like this any more.
  template <class Object>
  awaitable<Result<void>> remove(Mode mode, Object object, std::optional<CatalogIdempotency> idempotency = {}) {
    CatalogChange change(mode);
    change.remove(object);
    return commit(std::move(change), std::move(idempotency));
  }

  /// Writes all of the change, or fails: with conflict when one of its objects is not as expected (what is in memory is
  /// as fresh as can be afterwards), with idempotency_in_progress as put() does.
  awaitable<Result<void>> commit(CatalogChange change, std::optional<CatalogIdempotency> idempotency = {});

  /// How often coupons were redeemed; what was interrupted is settled while this runs.
  Redemptions& redemptions();
  const Redemptions& redemptions() const;

  /// Of what is in memory. It grows with every change of the catalog, by whichever daemon.
  std::uint64_t version() const;

  /// Calls `changed` whenever objects of the kind were changed, by whichever daemon, and may have been.
  template <class Object>
  void on_change(std::function<void()> changed) {
    on_change_erased(catalog_kind_index<Object>(), std::move(changed));
  }

  /// The saved answer of a request whose change went to the catalog; not_found when there is none.
  awaitable<Result<std::string>> saved_answer(Mode mode, std::string key_hash);

 private:
  using Erased = std::shared_ptr<const void>;
  static Failure no_such(std::size_t kind, const std::string& id);
  static Failure already_exists(std::size_t kind);
  awaitable<Result<Erased>> find_erased(std::size_t kind, Mode mode, std::string id);
  Erased get_erased(std::size_t kind, Mode mode, const std::string& id) const;
  std::shared_ptr<const std::vector<Erased>> all_erased(std::size_t kind, Mode mode) const;
  void on_change_erased(std::size_t kind, std::function<void()> changed);

  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace billd::store
