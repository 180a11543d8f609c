#include "net/store/unique.hpp"

#include <cstring>
#include <span>

#include "config/keys.hpp"
#include "net/store/functions.hpp"
#include "net/store/keys.hpp"

namespace billd::store {

std::string_view to_text(UniqueKind kind) {
  switch (kind) {
    case UniqueKind::user_name:
      return "user_name";
    case UniqueKind::code:
      return "code";
    case UniqueKind::likeness:
      return "likeness";
  }
  return "";
}

AccountKey draw_account_key(const Store& store, const Unique& unique) {
  const std::uint32_t partition = store.partition_of(unique);
  for (;;) {
    std::uint64_t bits[2] = {};
    secure_random(std::as_writable_bytes(std::span(bits)));
    AccountKey key = AccountKey::from_bits(bits[0], bits[1]);
    if (store.partition_of(key) == partition) return key;
  }
}

std::uint32_t Store::partition_of(const Unique& unique) const {
  BILLD_CHECK(partitions_ != 0, "the store is used before its first connection");
  std::string name(to_text(unique.kind));
  return static_cast<std::uint32_t>(fnv1a(name.append(":").append(unique.value)) % partitions_);
}

awaitable<Result<std::string>> Store::holder(Mode mode, Unique unique) {
  const std::uint32_t partition = partition_of(unique);
  redis::Command command("GET", unique_key(prefix(mode, partition), to_text(unique.kind), unique.value));
  auto reply = co_await lane(partition).execute(std::move(command));
  if (!reply) co_return reply.error();
  co_return reply->is_nil() ? std::string() : reply->take_text();
}

awaitable<Result<void>> Store::take(Mode mode, Unique unique, std::string seen, std::string wanted,
                                    std::optional<Milliseconds> life) {
  const std::uint32_t partition = partition_of(unique);
  redis::Command command("FCALL", function_name("take_unique"), 1,
                         unique_key(prefix(mode, partition), to_text(unique.kind), unique.value), std::move(seen),
                         std::move(wanted));
  command.add(life ? std::to_string(life->count()) : std::string());
  auto reply = co_await call_function(lane(partition), std::move(command));
  if (!reply) co_return reply.error();
  if (reply->integer() != 1) co_return Failure{Errc::conflict, "another was first to take the value"};
  co_return Result<void>();
}

awaitable<Result<void>> take_over(Store& store, Mode mode, Unique unique, AccountKey uncreated, std::string seen,
                                  std::string wanted) {
  const std::uint32_t partition = store.partition_of(unique);
  // An account of another partition was not drawn for the value, and cannot be looked for together with it.
  if (store.partition_of(uncreated) != partition)
    co_return Failure{Errc::conflict, "the value is held by another account"};
  const std::string place = prefix(mode, partition);
  redis::Command command("FCALL", function_name("take_unique"), 2,
                         unique_key(place, to_text(unique.kind), unique.value), account_key(place, uncreated),
                         std::move(seen), std::move(wanted), std::string());
  auto reply = co_await call_function(store.lane(partition), std::move(command));
  if (!reply) co_return reply.error();
  if (reply->integer() != 1) co_return Failure{Errc::conflict, "another was first to take the value"};
  co_return Result<void>();
}

}  // namespace billd::store
