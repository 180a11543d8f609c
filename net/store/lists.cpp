// Reading indexes and events over all partitions, newest first.
#include <algorithm>

#include "net/store/keys.hpp"
#include "net/store/numbers.hpp"
#include "net/store/store.hpp"

namespace billd::store {
namespace {

// 41 bits of milliseconds reach to 2039 and 48 far beyond; 16 bits are more partitions than a cluster has slots for.
constexpr unsigned partition_bits = 16, index_bits = 16;

std::vector<ListedMember> members_of(redis::Reply reply) {
  std::vector<ListedMember> members;
  std::vector<redis::Reply> elements = reply.take_elements();
  for (std::size_t i = 0; i + 1 < elements.size(); i += 2)
    members.push_back({parse_score(elements[i + 1].text()), elements[i].take_text()});
  return members;
}

bool is_older(const ListedMember& a, const ListedMember& b) {
  return a.score != b.score ? a.score < b.score : a.member < b.member;
}

std::string stream_id(std::uint64_t milliseconds, std::uint64_t sequence) {
  return std::to_string(milliseconds) + "-" + std::to_string(sequence);
}

/// The events of stream entries, each with its position; empty: what is stored cannot be read.
Result<std::vector<StoredEvent>> events_of(std::uint32_t partition, redis::Reply reply) {
  std::vector<StoredEvent> events;
  for (redis::Reply& entry : reply.take_elements()) {
    const std::string& id = entry.elements().at(0).text();
    const std::size_t dash = id.find('-');
    auto batch = decode_event_batch(entry.elements().at(1).elements().at(1).text());
    if (!batch) return batch.error();
    auto shared = std::make_shared<const EventBatch>(std::move(*batch));
    const auto milliseconds = parse_count(std::string_view(id).substr(0, dash));
    const auto sequence = parse_count(std::string_view(id).substr(dash + 1));
    EventPosition position{partition, milliseconds.value_or(0), sequence.value_or(0), 0};
    for (; position.index < shared->events.size(); ++position.index) events.push_back({position, shared});
  }
  return events;
}

}  // namespace

EventId EventPosition::id() const {
  std::string text(EventKind::prefix);
  text += base62(milliseconds << partition_bits | partition, id_body_length / 2);
  text += base62(sequence << index_bits | index, id_body_length / 2);
  return EventId(std::move(text));
}

std::optional<EventPosition> EventPosition::parse(std::string_view id) {
  if (!id.starts_with(EventKind::prefix)) return std::nullopt;
  const std::string_view body = id.substr(EventKind::prefix.size());
  if (body.size() != id_body_length) return std::nullopt;
  const auto first = parse_base62(body.substr(0, id_body_length / 2));
  const auto second = parse_base62(body.substr(id_body_length / 2));
  if (!first || !second) return std::nullopt;
  return EventPosition{static_cast<std::uint32_t>(*first & ((1U << partition_bits) - 1)), *first >> partition_bits,
                       *second >> index_bits, static_cast<std::uint32_t>(*second & ((1U << index_bits) - 1))};
}

std::strong_ordering EventPosition::operator<=>(const EventPosition& other) const {
  if (auto order = milliseconds <=> other.milliseconds; order != 0) return order;
  if (auto order = sequence <=> other.sequence; order != 0) return order;
  if (auto order = partition <=> other.partition; order != 0) return order;
  return index <=> other.index;
}

awaitable<Result<std::vector<ListedMember>>> Store::list(Mode mode, Index index, Page page) {
  std::vector<std::string> keys;
  for (std::uint32_t partition = 0; partition < partitions_; ++partition)
    keys.push_back(index_key(prefix(mode, partition), index));
  co_return co_await list_sets(std::move(keys), std::move(page));
}

awaitable<Result<std::vector<ListedMember>>> Store::list_beside(Mode mode, std::string name, Page page) {
  std::vector<std::string> keys;
  for (std::uint32_t partition = 0; partition < partitions_; ++partition)
    keys.push_back(prefix(mode, partition).append(name));
  co_return co_await list_sets(std::move(keys), std::move(page));
}

awaitable<Result<std::vector<ListedMember>>> Store::list_sets(std::vector<std::string> keys, Page page) {
  const std::string count = std::to_string(page.limit + 1);
  const std::string lowest = page.score_min ? std::to_string(*page.score_min) : "-inf";
  const std::string highest = page.score_max ? std::to_string(*page.score_max) : "+inf";
  const bool upwards = page.before.has_value();
  const auto& cursor = upwards ? page.before : page.after;
  const std::string tie = cursor ? std::to_string(cursor->first) : "";
  // Behind the cursor, unless a bound of the score begins further on.
  const bool begins_at_cursor = cursor && (upwards ? !page.score_min || cursor->first >= *page.score_min
                                                   : !page.score_max || cursor->first <= *page.score_max);
  std::vector<redis::Command> commands;
  for (const std::string& key : keys) {
    // What has the cursor's own score is asked for apart, for it has to be compared by member.
    if (cursor) commands.emplace_back("ZRANGEBYSCORE", key, tie, tie, "WITHSCORES");
    if (upwards)
      commands.emplace_back("ZRANGEBYSCORE", key, begins_at_cursor ? "(" + tie : lowest, highest, "WITHSCORES", "LIMIT",
                            0, count);
    else
      commands.emplace_back("ZREVRANGEBYSCORE", key, begins_at_cursor ? "(" + tie : highest, lowest, "WITHSCORES",
                            "LIMIT", 0, count);
  }
  auto replies = co_await execute_all(client_, std::move(commands));
  if (!replies) co_return replies.error();

  std::vector<ListedMember> members;
  for (redis::Reply& reply : *replies)
    for (ListedMember& member : members_of(std::move(reply))) {
      if (page.score_min && member.score < *page.score_min) continue;
      if (page.score_max && member.score > *page.score_max) continue;
      if (cursor) {
        const ListedMember at{cursor->first, cursor->second};
        if (upwards ? !is_older(at, member) : !is_older(member, at)) continue;
      }
      members.push_back(std::move(member));
    }
  if (upwards)
    std::ranges::sort(members, is_older);
  else
    std::ranges::sort(members, [](const auto& a, const auto& b) { return is_older(b, a); });
  if (members.size() > page.limit + 1) members.resize(page.limit + 1);
  if (upwards) std::ranges::reverse(members);
  co_return members;
}

awaitable<Result<std::uint64_t>> Store::count(Mode mode, Index index, std::optional<std::int64_t> score_min,
                                              std::optional<std::int64_t> score_max) {
  const std::string lowest = score_min ? std::to_string(*score_min) : "-inf";
  const std::string highest = score_max ? std::to_string(*score_max) : "+inf";
  std::vector<redis::Command> commands;
  for (std::uint32_t partition = 0; partition < partitions_; ++partition)
    commands.emplace_back("ZCOUNT", index_key(prefix(mode, partition), index), lowest, highest);
  auto replies = co_await execute_all(client_, std::move(commands));
  if (!replies) co_return replies.error();
  std::uint64_t total = 0;
  for (const redis::Reply& reply : *replies) total += static_cast<std::uint64_t>(reply.integer());
  co_return total;
}

awaitable<Result<std::vector<AccountKey>>> Store::find_by_email(Mode mode, std::string email) {
  std::vector<AccountKey> keys;
  const std::string value = search_value(Index::emails, email);
  if (value.empty()) co_return keys;
  std::vector<redis::Command> commands;
  for (std::uint32_t partition = 0; partition < partitions_; ++partition)
    commands.emplace_back("ZRANGE", index_key(prefix(mode, partition), Index::emails, value), 0, -1);
  auto replies = co_await execute_all(client_, std::move(commands));
  if (!replies) co_return replies.error();
  for (const redis::Reply& reply : *replies)
    for (const redis::Reply& member : reply.elements())
      if (auto key = AccountKey::parse(member.text())) keys.push_back(*key);
  co_return keys;
}

awaitable<Result<std::vector<AccountKey>>> Store::find_by_reference(Mode mode, std::string gateway,
                                                                    std::string reference) {
  // Read by the members' order: the name, a zero, the account.
  std::string name = reference_name(gateway, reference) + '\0';
  const std::string from = "[" + name;
  name.back() = '\1';
  const std::string to = "(" + name;
  std::vector<redis::Command> commands;
  for (std::uint32_t partition = 0; partition < partitions_; ++partition)
    commands.emplace_back("ZRANGEBYLEX", index_key(prefix(mode, partition), Index::references), from, to);
  auto replies = co_await execute_all(client_, std::move(commands));
  if (!replies) co_return replies.error();
  std::vector<AccountKey> keys;
  for (const redis::Reply& reply : *replies)
    for (const redis::Reply& member : reply.elements())
      if (auto key = AccountKey::parse(std::string_view(member.text()).substr(name.size()))) keys.push_back(*key);
  co_return keys;
}

awaitable<Result<std::vector<AccountKey>>> Store::test_clock_accounts(TestClockId clock) {
  std::vector<redis::Command> commands;
  for (std::uint32_t partition = 0; partition < partitions_; ++partition)
    commands.emplace_back("ZRANGE",
                          index_key(prefix(Mode::test, partition), Index::test_clock_customers, clock.value()), 0, -1);
  auto replies = co_await execute_all(client_, std::move(commands));
  if (!replies) co_return replies.error();
  std::vector<AccountKey> keys;
  for (const redis::Reply& reply : *replies)
    for (const redis::Reply& member : reply.elements())
      if (auto key = AccountKey::parse(member.text())) keys.push_back(*key);
  co_return keys;
}

awaitable<Result<std::vector<StoredEvent>>> Store::events(Mode mode, std::optional<EventPosition> older_than,
                                                          std::optional<EventPosition> newer_than, std::size_t limit) {
  const bool upwards = newer_than.has_value();
  const auto& cursor = upwards ? newer_than : older_than;
  // The cursor's own entry is read again: it may hold more events on the wanted side.
  const std::string edge = cursor ? stream_id(cursor->milliseconds, cursor->sequence) : "";
  std::vector<redis::Command> commands;
  for (std::uint32_t partition = 0; partition < partitions_; ++partition) {
    const std::string key = events_key(prefix(mode, partition));
    if (upwards)
      commands.emplace_back("XRANGE", key, edge, "+", "COUNT", limit + 1);
    else
      commands.emplace_back("XREVRANGE", key, cursor ? edge : "+", "-", "COUNT", limit + 1);
  }
  auto replies = co_await execute_all(client_, std::move(commands));
  if (!replies) co_return replies.error();
  std::vector<StoredEvent> events;
  for (std::uint32_t partition = 0; partition < partitions_; ++partition) {
    auto read = events_of(partition, std::move((*replies)[partition]));
    if (!read) co_return read.error();
    for (StoredEvent& event : *read)
      if (!cursor || (upwards ? event.position > *cursor : event.position < *cursor))
        events.push_back(std::move(event));
  }
  if (upwards)
    std::ranges::sort(events, {}, &StoredEvent::position);
  else
    std::ranges::sort(events, std::greater(), &StoredEvent::position);
  if (events.size() > limit) events.resize(limit);
  if (upwards) std::ranges::reverse(events);
  co_return events;
}

awaitable<Result<std::vector<StoredEvent>>> Store::events_after(Mode mode, EventPosition after, std::size_t entries) {
  const std::string behind = "(" + stream_id(after.milliseconds, after.sequence);
  redis::Command command("XRANGE", events_key(prefix(mode, after.partition)), behind, "+", "COUNT", entries);
  auto reply = co_await lane(after.partition).execute(std::move(command));
  if (!reply) co_return reply.error();
  co_return events_of(after.partition, std::move(*reply));
}

awaitable<Result<StoredEvent>> Store::event(Mode mode, EventPosition position) {
  const Failure unknown{Errc::not_found, "no such event: " + position.id().value()};
  if (position.partition >= partitions_) co_return unknown;
  const std::string id = stream_id(position.milliseconds, position.sequence);
  redis::Command command("XRANGE", events_key(prefix(mode, position.partition)), id, id);
  auto reply = co_await reading(position.partition).execute(std::move(command));
  if (!reply) co_return reply.error();
  auto events = events_of(position.partition, std::move(*reply));
  if (!events) co_return events.error();
  if (position.index >= events->size()) co_return unknown;
  co_return std::move((*events)[position.index]);
}

}  // namespace billd::store
