// The names of the keys, put together.
#include "net/store/keys.hpp"

namespace billd::store {
namespace {

std::string join(std::string_view prefix, std::string_view kind, std::string_view name) {
  std::string key;
  key.reserve(prefix.size() + kind.size() + name.size());
  return key.append(prefix).append(kind).append(name);
}

std::string_view mode_letter(Mode mode) { return mode == Mode::live ? "l:" : "t:"; }

}  // namespace

std::optional<Queue> queue_named(std::string_view name) {
  for (std::size_t i = 0; i < queue_count; ++i)
    if (to_text(static_cast<Queue>(i)) == name) return static_cast<Queue>(i);
  return std::nullopt;
}

std::string partition_tag(std::uint32_t partition) { return "{p" + std::to_string(partition) + "}"; }
std::string lease_key(std::uint32_t partition) { return partition_tag(partition) + ":lease"; }
std::string commits_key(std::uint32_t partition) { return partition_tag(partition) + ":commits"; }

std::string prefix(Mode mode, std::uint32_t partition) {
  return join(mode_letter(mode), partition_tag(partition), ":");
}

std::string account_key(std::string_view prefix, const AccountKey& key) { return join(prefix, "a:", key.value()); }
std::string records_key(std::string_view prefix, const AccountKey& key) { return join(prefix, "d:", key.value()); }

std::string index_key(std::string_view prefix, Index index, std::string_view qualifier) {
  std::string key = join(prefix, "x:", to_text(index));
  if (!qualifier.empty()) key.append(":").append(qualifier);
  return key;
}

std::string queue_key(std::string_view prefix, Queue queue) { return join(prefix, "q:", to_text(queue)); }
std::string clock_queue_key(std::string_view prefix, const TestClockId& clock) {
  return join(prefix, "c:", clock.value());
}
std::string events_key(std::string_view prefix) { return join(prefix, "e", ""); }
std::string parked_key(std::string_view prefix) { return join(prefix, "p", ""); }
std::string marks_key(std::string_view prefix) { return join(prefix, "m", ""); }
std::string parked_queue_key(std::string_view prefix, Queue queue) { return join(prefix, "p:", to_text(queue)); }
std::string parked_groups_key(std::string_view prefix) { return join(prefix, "pg", ""); }
std::string deliveries_key(std::string_view prefix) { return join(prefix, "w", ""); }
std::string replays_key(std::string_view prefix) { return join(prefix, "wr", ""); }
std::string given_up_key(std::string_view prefix) { return join(prefix, "wg", ""); }
std::string claim_key(std::string_view prefix, std::string_view key_hash) { return join(prefix, "i:", key_hash); }
std::string answer_key(std::string_view prefix, std::string_view key_hash) { return join(prefix, "r:", key_hash); }

std::string aliases_key(std::string_view prefix) { return join(prefix, "fa", ""); }
std::string aliased_accounts_key(std::string_view prefix, std::uint64_t number) {
  return join(prefix, "fk:", std::to_string(number));
}

std::string drawn_numbers_key(std::string_view prefix) { return join(prefix, "n", ""); }
std::string unique_key(std::string_view prefix, std::string_view kind, std::string_view value) {
  return join(prefix, "u:", kind).append(":").append(value);
}

std::string redemptions_key(Mode mode) { return catalog_prefix(mode).append("rd"); }
std::string claims_key(Mode mode) { return catalog_prefix(mode).append("rc"); }

std::string catalog_prefix(Mode mode) { return join(mode_letter(mode), "{catalog}", ":"); }

}  // namespace billd::store
