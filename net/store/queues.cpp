// What jobs/ reads and writes: due accounts and leases.
#include <algorithm>
#include <tuple>

#include "net/store/functions.hpp"
#include "net/store/keys.hpp"
#include "net/store/numbers.hpp"
#include "net/store/store.hpp"

namespace billd::store {
namespace {

std::uint64_t number(const redis::Reply& reply) { return reply.is_text() ? parse_count(reply.text()).value_or(0) : 0; }

}  // namespace

awaitable<Result<Store::DueNow>> Store::due(std::uint32_t partition, Timestamp until, std::size_t limit,
                                            QueueSet without) {
  const std::string last = score_text(until);
  std::vector<redis::Command> commands;
  for (Mode mode : modes)
    for (std::size_t queue = 0; queue < queue_count; ++queue) {
      if (without[queue]) continue;
      const std::string key = queue_key(prefix(mode, partition), static_cast<Queue>(queue));
      commands.emplace_back("ZRANGEBYSCORE", key, "-inf", last, "WITHSCORES", "LIMIT", 0, limit);
      commands.emplace_back("ZRANGEBYSCORE", key, "(" + last, "+inf", "WITHSCORES", "LIMIT", 0, 1);
    }
  auto replies = co_await execute_all(lane(partition), std::move(commands));
  if (!replies) co_return replies.error();

  DueNow result;
  auto not_later_than = [&result](Timestamp time) {
    if (!result.next || time < *result.next) result.next = time;
  };
  std::size_t at = 0;
  for (Mode mode : modes)
    for (std::size_t queue = 0; queue < queue_count; ++queue) {
      if (without[queue]) continue;
      const auto& now_due = (*replies)[at++].elements();
      const auto& later = (*replies)[at++].elements();
      for (std::size_t i = 0; i + 1 < now_due.size(); i += 2)
        if (auto key = AccountKey::parse(now_due[i].text()))
          result.due.push_back({mode, static_cast<Queue>(queue), time_of_score(now_due[i + 1].text()), *key});
      if (!now_due.empty() && now_due.size() / 2 >= limit)
        not_later_than(time_of_score(now_due.back().text()));
      else if (later.size() >= 2)
        not_later_than(time_of_score(later[1].text()));
    }
  co_return result;
}

awaitable<Result<std::vector<Store::Due>>> Store::due_on_clock(std::uint32_t partition, TestClockId clock,
                                                               Timestamp until, std::size_t limit) {
  redis::Command command("ZRANGEBYSCORE", clock_queue_key(prefix(Mode::test, partition), clock), "-inf",
                         score_text(until), "WITHSCORES", "LIMIT", 0, limit);
  auto reply = co_await lane(partition).execute(std::move(command));
  if (!reply) co_return reply.error();
  std::vector<Due> due;
  const auto& elements = reply->elements();
  for (std::size_t i = 0; i + 1 < elements.size(); i += 2)
    if (auto key = AccountKey::parse(elements[i].text()))
      due.push_back({Mode::test, Queue::renewal, time_of_score(elements[i + 1].text()), *key});
  co_return due;
}

awaitable<Result<std::array<Store::QueueSize, queue_count>>> Store::queue_sizes(std::uint32_t partition,
                                                                                Timestamp now) {
  std::vector<redis::Command> commands;
  for (Mode mode : modes)
    for (std::size_t queue = 0; queue < queue_count; ++queue) {
      const std::string key = queue_key(prefix(mode, partition), static_cast<Queue>(queue));
      commands.emplace_back("ZCARD", key);
      commands.emplace_back("ZCOUNT", key, "-inf", score_text(now));
      commands.emplace_back("ZRANGE", key, 0, 0, "WITHSCORES");
    }
  auto replies = co_await execute_all(lane(partition), std::move(commands));
  if (!replies) co_return replies.error();
  std::array<QueueSize, queue_count> sizes;
  std::size_t at = 0;
  for ([[maybe_unused]] Mode mode : modes)
    for (QueueSize& size : sizes) {
      size.waiting += static_cast<std::uint64_t>((*replies)[at++].integer());
      size.due += static_cast<std::uint64_t>((*replies)[at++].integer());
      const auto& first = (*replies)[at++].elements();
      if (first.size() < 2) continue;
      const Timestamp oldest = time_of_score(first[1].text());
      if (!size.oldest || oldest < *size.oldest) size.oldest = oldest;
    }
  co_return sizes;
}

awaitable<Result<std::vector<std::uint64_t>>> Store::due_between(std::uint32_t partition,
                                                                 std::vector<Timestamp> instants) {
  const std::size_t stretches = instants.size() < 2 ? 0 : instants.size() - 1;
  std::vector<redis::Command> commands;
  for (Mode mode : modes)
    for (std::size_t queue = 0; queue < queue_count; ++queue) {
      const std::string key = queue_key(prefix(mode, partition), static_cast<Queue>(queue));
      for (std::size_t i = 0; i < stretches; ++i)
        commands.emplace_back("ZCOUNT", key, score_text(instants[i]), "(" + score_text(instants[i + 1]));
    }
  auto replies = co_await execute_all(lane(partition), std::move(commands));
  if (!replies) co_return replies.error();
  std::vector<std::uint64_t> counts(stretches);
  for (std::size_t i = 0; i < replies->size(); ++i)
    counts[i % stretches] += static_cast<std::uint64_t>((*replies)[i].integer());
  co_return counts;
}

awaitable<Result<std::vector<Store::Due>>> Store::first_due(Queue queue, std::size_t limit) {
  std::vector<redis::Command> commands;
  for (std::uint32_t partition = 0; partition < partitions_; ++partition)
    for (Mode mode : modes)
      commands.emplace_back("ZRANGEBYSCORE", queue_key(prefix(mode, partition), queue), "-inf", "+inf", "WITHSCORES",
                            "LIMIT", 0, limit);
  auto replies = co_await execute_all(client_, std::move(commands));
  if (!replies) co_return replies.error();
  std::vector<Due> first;
  for (std::size_t i = 0; i < replies->size(); ++i) {
    const auto& elements = (*replies)[i].elements();
    for (std::size_t at = 0; at + 1 < elements.size(); at += 2)
      if (auto key = AccountKey::parse(elements[at].text()))
        first.push_back({modes[i % modes.size()], queue, time_of_score(elements[at + 1].text()), *key});
  }
  std::ranges::sort(first, {}, [](const Due& due) { return std::tie(due.due, due.key); });
  if (first.size() > limit) first.resize(limit);
  co_return first;
}

awaitable<Result<std::vector<Store::Lease>>> Store::leases() {
  std::vector<redis::Command> commands;
  for (std::uint32_t partition = 0; partition < partitions_; ++partition)
    commands.emplace_back("HMGET", lease_key(partition), "owner", "incarnation", "epoch", "heartbeat");
  auto replies = co_await execute_all(client_, std::move(commands));
  if (!replies) co_return replies.error();
  std::vector<Lease> leases;
  for (const redis::Reply& reply : *replies) {
    const auto& fields = reply.elements();
    auto text = [&fields](std::size_t i) { return fields[i].is_nil() ? std::string() : fields[i].text(); };
    leases.push_back({text(0), text(1), number(fields[2]), number(fields[3])});
  }
  co_return leases;
}

awaitable<Result<Store::Lease>> Store::take_lease(std::uint32_t partition, Lease seen, std::string owner,
                                                  std::string incarnation) {
  redis::Command command("FCALL", function_name("take_lease"), 1, lease_key(partition), seen.epoch, seen.heartbeat,
                         owner, incarnation);
  auto reply = co_await call_function(client_, std::move(command));
  if (!reply) co_return reply.error();
  if (!reply->is_array()) co_return Failure{Errc::conflict, "another daemon was first"};
  co_return Lease{std::move(owner), std::move(incarnation),
                  static_cast<std::uint64_t>(reply->elements().at(0).integer()),
                  static_cast<std::uint64_t>(reply->elements().at(1).integer())};
}

awaitable<Result<std::vector<std::uint32_t>>> Store::renew_leases(
    std::vector<std::pair<std::uint32_t, std::uint64_t>> held) {
  std::vector<redis::Command> commands;
  for (const auto& [partition, epoch] : held)
    commands.emplace_back("FCALL", function_name("renew_lease"), 1, lease_key(partition), epoch);
  auto replies = co_await execute_all(client_, commands);
  if (!replies && is_library_missing(replies.error())) {
    auto loaded = co_await load_functions(client_);
    if (!loaded) co_return loaded.error();
    replies = co_await execute_all(client_, std::move(commands));
  }
  if (!replies) co_return replies.error();
  std::vector<std::uint32_t> renewed;
  for (std::size_t i = 0; i < held.size(); ++i)
    if ((*replies)[i].integer() == 1) renewed.push_back(held[i].first);
  co_return renewed;
}

awaitable<Result<void>> Store::release_lease(std::uint32_t partition, std::uint64_t epoch) {
  redis::Command command("FCALL", function_name("release_lease"), 1, lease_key(partition), epoch);
  auto reply = co_await call_function(client_, std::move(command));
  if (!reply) co_return reply.error();
  co_return Result<void>();
}

}  // namespace billd::store
