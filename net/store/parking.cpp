// Accounts that were taken out of the queues: parked, found, let back.
#include <algorithm>
#include <tuple>

#include "net/store/functions.hpp"
#include "net/store/keys.hpp"
#include "net/store/numbers.hpp"
#include "net/store/store.hpp"

namespace billd::store {
namespace {

/// Takes the text up to the separator, and the separator, off the front.
std::string_view take_word(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

/// In one line: groups are told apart by it.
std::string line_of(std::string text) {
  std::ranges::replace_if(text, [](char c) { return static_cast<unsigned char>(c) < 0x20; }, ' ');
  return text;
}

std::string group_name(const Store::Parked& parked) {
  return std::string(to_text(parked.queue)).append(" ").append(line_of(parked.reason));
}

/// Stands for a space in the name of who parked an account; line_of() leaves none.
constexpr char space_in_name = '\x1f';

// A parked account's value: the time in microseconds, the queue and by whom ("-": billd itself), each with a space
// behind it; the reason; and in a line of its own the detail.
std::string parked_value(const Store::Parked& parked) {
  std::string value = score_text(parked.since);
  value.append(" ").append(to_text(parked.queue)).append(" ");
  std::string by = parked.by.empty() ? "-" : line_of(parked.by);
  std::ranges::replace(by, ' ', space_in_name);
  return value.append(by).append(" ").append(line_of(parked.reason)).append("\n").append(parked.detail);
}

Store::Parked parse_parked(Mode mode, AccountKey key, std::string_view value) {
  Store::Parked parked;
  parked.mode = mode;
  parked.key = std::move(key);
  parked.since = time_of_score(take_word(value, ' '));
  parked.queue = queue_named(take_word(value, ' ')).value_or(Queue::renewal);
  parked.by = take_word(value, ' ');
  if (parked.by == "-") parked.by.clear();
  std::ranges::replace(parked.by, space_in_name, ' ');
  parked.reason = take_word(value, '\n');
  parked.detail = value;
  return parked;
}

std::optional<Store::ParkedGroup> parse_group(Mode mode, std::string_view name, std::string_view value) {
  Store::ParkedGroup group;
  group.mode = mode;
  const auto queue = queue_named(take_word(name, ' '));
  const auto count = parse_count(take_word(value, ' '));
  if (!queue || !count) return std::nullopt;
  group.queue = *queue;
  group.reason = name;
  group.count = *count;
  group.first = time_of_score(take_word(value, ' '));
  group.last = time_of_score(take_word(value, ' '));
  const auto example = AccountKey::parse(value);
  if (!example) return std::nullopt;
  group.example = *example;
  return group;
}

}  // namespace

awaitable<Result<void>> Store::park(Parked parked, TestClockId clock) {
  const std::string keys_prefix = prefix(parked.mode, partition_of(parked.key));
  redis::Command command("FCALL", function_name("park"), 3 + queue_count + (clock.is_empty() ? 0 : 1),
                         parked_key(keys_prefix), parked_groups_key(keys_prefix),
                         parked_queue_key(keys_prefix, parked.queue));
  for (std::size_t queue = 0; queue < queue_count; ++queue)
    command.add(queue_key(keys_prefix, static_cast<Queue>(queue)));
  if (!clock.is_empty()) command.add(clock_queue_key(keys_prefix, clock));
  command.add(parked.key.value()).add(parked_value(parked)).add(score_text(parked.since)).add(group_name(parked));
  auto reply = co_await call_function(lane(parked.key), std::move(command));
  if (!reply) co_return reply.error();
  if (reply->integer() == 0)
    co_return Failure{Errc::already_exists, "the account " + parked.key.value() + " is parked already"};
  co_return Result<void>();
}

awaitable<Result<void>> Store::unpark(Mode mode, AccountKey key) {
  constexpr int tries_max = 10;
  const std::string keys_prefix = prefix(mode, partition_of(key));
  for (int attempt = 0; attempt < tries_max; ++attempt) {
    redis::Command find("HGET", parked_key(keys_prefix), key.value());
    auto found = co_await lane(key).execute(std::move(find));
    if (!found) co_return found.error();
    if (found->is_nil()) co_return Failure{Errc::not_found, "the account " + key.value() + " is not parked"};
    const std::string value = found->text();
    const Parked parked = parse_parked(mode, key, value);
    auto loaded = co_await load(mode, key);
    // What is parked and does not exist waits for nothing: it only leaves the parked accounts.
    if (!loaded && loaded.error().code == Errc::not_found) loaded = Loaded();
    if (!loaded) co_return loaded.error();
    std::vector<std::string> queues, dues;
    const Footprint& footprint = loaded->footprint;
    if (!footprint.test_clock.is_empty()) {
      if (auto due = next_due(footprint.timers)) {
        queues.push_back(clock_queue_key(keys_prefix, footprint.test_clock));
        dues.push_back(score_text(*due));
      }
    } else {
      for (std::size_t queue = 0; queue < queue_count; ++queue)
        if (const auto& due = footprint.timers[queue]) {
          queues.push_back(queue_key(keys_prefix, static_cast<Queue>(queue)));
          dues.push_back(score_text(*due));
        }
    }
    redis::Command command("FCALL", function_name("unpark"), 4 + queues.size(), parked_key(keys_prefix),
                           account_key(keys_prefix, key), parked_groups_key(keys_prefix),
                           parked_queue_key(keys_prefix, parked.queue));
    for (std::string& queue : queues) command.add(std::move(queue));
    command.add(key.value()).add(encode_version(loaded->account.version)).add(value).add(group_name(parked));
    for (std::string& due : dues) command.add(std::move(due));
    auto reply = co_await call_function(lane(key), std::move(command));
    if (!reply) co_return reply.error();
    if (reply->integer() == 1) co_return Result<void>();
  }
  co_return Failure{Errc::conflict, "the account " + key.value() + " keeps changing; try again"};
}

awaitable<Result<std::vector<Store::Parked>>> Store::parked(std::uint32_t partition) {
  std::vector<redis::Command> commands;
  for (Mode mode : modes) commands.emplace_back("HGETALL", parked_key(prefix(mode, partition)));
  auto replies = co_await execute_all(lane(partition), std::move(commands));
  if (!replies) co_return replies.error();
  std::vector<Parked> result;
  for (std::size_t m = 0; m < modes.size(); ++m) {
    const auto& elements = (*replies)[m].elements();
    for (std::size_t i = 0; i + 1 < elements.size(); i += 2)
      if (auto key = AccountKey::parse(elements[i].text()))
        result.push_back(parse_parked(modes[m], *key, elements[i + 1].text()));
  }
  co_return result;
}

awaitable<Result<Store::Parked>> Store::find_parked(Mode mode, AccountKey key) {
  redis::Command find("HGET", parked_key(prefix(mode, partition_of(key))), key.value());
  auto found = co_await lane(key).execute(std::move(find));
  if (!found) co_return found.error();
  if (found->is_nil()) co_return Failure{Errc::not_found, "the account " + key.value() + " is not parked"};
  co_return parse_parked(mode, std::move(key), found->text());
}

awaitable<Result<std::vector<Store::Parked>>> Store::first_parked(Queue queue, std::size_t limit) {
  std::vector<redis::Command> commands;
  for (std::uint32_t partition = 0; partition < partitions_; ++partition)
    for (Mode mode : modes)
      commands.emplace_back("ZRANGEBYSCORE", parked_queue_key(prefix(mode, partition), queue), "-inf", "+inf",
                            "WITHSCORES", "LIMIT", 0, limit);
  auto replies = co_await execute_all(client_, std::move(commands));
  if (!replies) co_return replies.error();
  std::vector<Parked> first;
  for (std::size_t i = 0; i < replies->size(); ++i) {
    const auto& elements = (*replies)[i].elements();
    for (std::size_t at = 0; at + 1 < elements.size(); at += 2)
      if (auto key = AccountKey::parse(elements[at].text()))
        first.push_back({modes[i % modes.size()], *key, time_of_score(elements[at + 1].text()), {}});
  }
  std::ranges::sort(first, {}, [](const Parked& each) { return std::tie(each.since, each.key); });
  if (first.size() > limit) first.resize(limit);

  commands.clear();
  for (const Parked& each : first)
    commands.emplace_back("HGET", parked_key(prefix(each.mode, partition_of(each.key))), each.key.value());
  auto values = co_await execute_all(client_, std::move(commands));
  if (!values) co_return values.error();
  std::vector<Parked> result;
  for (std::size_t i = 0; i < first.size(); ++i)  // one that has no value has just left
    if ((*values)[i].is_text()) result.push_back(parse_parked(first[i].mode, first[i].key, (*values)[i].text()));
  co_return result;
}

awaitable<Result<std::vector<Store::ParkedGroup>>> Store::parked_groups(std::uint32_t partition) {
  std::vector<redis::Command> commands;
  for (Mode mode : modes) commands.emplace_back("HGETALL", parked_groups_key(prefix(mode, partition)));
  auto replies = co_await execute_all(lane(partition), std::move(commands));
  if (!replies) co_return replies.error();
  std::vector<ParkedGroup> groups;
  for (std::size_t m = 0; m < modes.size(); ++m) {
    const auto& elements = (*replies)[m].elements();
    for (std::size_t i = 0; i + 1 < elements.size(); i += 2)
      if (auto group = parse_group(modes[m], elements[i].text(), elements[i + 1].text()))
        groups.push_back(std::move(*group));
  }
  co_return groups;
}

}  // namespace billd::store
