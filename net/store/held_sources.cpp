#include "net/store/held_sources.hpp"

namespace billd::store {
namespace {

AccountKey place_of(std::string_view id) { return AccountKey::of_id(id).value_or(AccountKey()); }

std::string key_of(const Store& store, Mode mode, const std::string& id) {
  return store.key_beside(mode, place_of(id), "h:" + id);
}

std::string owner_key_of(const Store& store, Mode mode, const std::string& id) {
  return store.key_beside(mode, place_of(id), "ho:" + id);
}

/// SetupIntents by their creation.
constexpr std::string_view setup_intents_name = "hs";

redis::Command list_setup_intent(const Store& store, Mode mode, const SetupIntent& intent) {
  return redis::Command("ZADD", store.key_beside(mode, place_of(intent.id), setup_intents_name),
                        intent.created.time_since_epoch().count(), intent.id);
}

/// Looks at two of those that are listed in the partition, and takes out the ones whose life is over: as two are looked
/// at whenever one is added, what is out of date stays a small part.
awaitable<void> forget_some(Store& store, Mode mode, AccountKey place) {
  const std::string set = store.key_beside(mode, place, setup_intents_name);
  redis::Command some("ZRANDMEMBER", set, 2);
  auto names = co_await store.lane(place).execute(std::move(some));
  if (!names) co_return;
  for (const redis::Reply& name : names->elements()) {
    redis::Command exists("EXISTS", key_of(store, mode, name.text()));
    auto reply = co_await store.lane(place).execute(std::move(exists));
    if (!reply || reply->integer() != 0) continue;
    redis::Command remove("ZREM", set, name.text());
    [[maybe_unused]] auto removed = co_await store.lane(place).execute(std::move(remove));
  }
}

Failure not_held(const std::string& id) { return {Errc::not_found, "nothing is held under " + id}; }

}  // namespace

awaitable<Result<HeldSource>> hold_source(Store& store, Mode mode, HeldSource held, Milliseconds life) {
  redis::Command command("SET", key_of(store, mode, held.id), encode(held), "NX", "GET", "PX", life.count());
  auto reply = co_await store.lane(place_of(held.id)).execute(std::move(command));
  if (!reply) co_return reply.error();
  if (reply->is_nil()) co_return held;
  co_return decode_held_source(reply->text());
}

awaitable<Result<HeldSource>> find_held_source(Store& store, Mode mode, std::string id) {
  if (place_of(id).is_empty()) co_return not_held(id);
  redis::Command command("GET", key_of(store, mode, id));
  auto reply = co_await store.lane(place_of(id)).execute(std::move(command));
  if (!reply) co_return reply.error();
  if (reply->is_nil()) co_return not_held(id);
  co_return decode_held_source(reply->text());
}

awaitable<Result<std::string>> claim_held_source(Store& store, Mode mode, std::string id, std::string owner,
                                                 std::optional<Milliseconds> life) {
  const std::string key = owner_key_of(store, mode, id);
  redis::Command command = life ? redis::Command("SET", key, owner, "NX", "GET", "PX", life->count())
                                : redis::Command("SET", key, owner, "NX", "GET");
  auto reply = co_await store.lane(place_of(id)).execute(std::move(command));
  if (!reply) co_return reply.error();
  co_return reply->is_nil() ? owner : std::string(reply->text());
}

awaitable<Result<void>> give_held_source(Store& store, Mode mode, std::string id, std::string owner,
                                         Milliseconds life) {
  redis::Command command("SET", owner_key_of(store, mode, id), owner, "PX", life.count());
  auto reply = co_await store.lane(place_of(id)).execute(std::move(command));
  if (!reply) co_return reply.error();
  co_return Result<void>();
}

awaitable<Result<void>> release_held_source(Store& store, Mode mode, std::string id) {
  redis::Command command("DEL", owner_key_of(store, mode, id));
  auto reply = co_await store.lane(place_of(id)).execute(std::move(command));
  if (!reply) co_return reply.error();
  co_return Result<void>();
}

awaitable<Result<SetupIntent>> create_setup_intent(Store& store, Mode mode, SetupIntent intent, Milliseconds life) {
  redis::Command command("SET", key_of(store, mode, intent.id), encode(intent), "NX", "GET", "PX", life.count());
  redis::Command listed = list_setup_intent(store, mode, intent);
  const AccountKey place = place_of(intent.id);
  auto added = co_await store.lane(place).execute(std::move(listed));
  if (!added) co_return added.error();
  auto reply = co_await store.lane(place).execute(std::move(command));
  if (!reply) co_return reply.error();
  if (!reply->is_nil()) co_return decode_setup_intent(reply->text());
  co_await forget_some(store, mode, place);
  co_return intent;
}

awaitable<Result<void>> put_setup_intent(Store& store, Mode mode, SetupIntent intent, Milliseconds life) {
  redis::Command command("SET", key_of(store, mode, intent.id), encode(intent), "PX", life.count());
  auto reply = co_await store.lane(place_of(intent.id)).execute(std::move(command));
  if (!reply) co_return reply.error();
  co_return Result<void>();
}

awaitable<Result<SetupIntent>> find_setup_intent(Store& store, Mode mode, std::string id) {
  if (place_of(id).is_empty()) co_return not_held(id);
  redis::Command command("GET", key_of(store, mode, id));
  auto reply = co_await store.lane(place_of(id)).execute(std::move(command));
  if (!reply) co_return reply.error();
  if (reply->is_nil()) co_return not_held(id);
  co_return decode_setup_intent(reply->text());
}

awaitable<Result<std::vector<ListedMember>>> list_setup_intents(Store& store, Mode mode, Page page) {
  return store.list_beside(mode, std::string(setup_intents_name), std::move(page));
}

awaitable<Result<std::string>> owner_of_held_source(Store& store, Mode mode, std::string id) {
  if (place_of(id).is_empty()) co_return std::string();
  redis::Command command("GET", owner_key_of(store, mode, id));
  auto reply = co_await store.lane(place_of(id)).execute(std::move(command));
  if (!reply) co_return reply.error();
  co_return reply->is_nil() ? std::string() : std::string(reply->text());
}

}  // namespace billd::store
