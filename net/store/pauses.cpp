#include "net/store/pauses.hpp"

#include <algorithm>

#include "net/store/keys.hpp"
#include "net/store/numbers.hpp"

namespace billd::store {

namespace {

// A pause's value: the time in microseconds, a space, by whom, and in a line of its own why.

Pause parse(const std::string& value) {
  const std::size_t space = std::min(value.find(' '), value.size());
  const std::size_t line = std::min(value.find('\n', space), value.size());
  Pause pause;
  pause.since = Timestamp(Duration(parse_score(value.substr(0, space))));
  pause.by = value.substr(std::min(space + 1, line), line - std::min(space + 1, line));
  pause.comment = value.substr(std::min(line + 1, value.size()));
  return pause;
}

awaitable<Result<void>> pause_named(Store& store, std::string name, Pause pause) {
  std::ranges::replace(pause.by, '\n', ' ');
  std::string value = std::to_string(pause.since.time_since_epoch().count());
  value.append(" ").append(pause.by).append("\n").append(pause.comment);
  redis::Command write("HSETNX", paused_key, name, std::move(value));
  auto reply = co_await store.client().execute(std::move(write));
  if (!reply) co_return reply.error();
  if (reply->integer() == 0) co_return Failure{Errc::already_exists, "the queue " + name + " is paused already"};
  co_return Result<void>();
}

awaitable<Result<void>> resume_named(Store& store, std::string name) {
  redis::Command remove("HDEL", paused_key, name);
  auto reply = co_await store.client().execute(std::move(remove));
  if (!reply) co_return reply.error();
  if (reply->integer() == 0) co_return Failure{Errc::not_found, "the queue " + name + " is not paused"};
  co_return Result<void>();
}

}  // namespace

awaitable<Result<std::vector<Pause>>> paused_queues(Store& store) {
  redis::Command read("HGETALL", paused_key);
  auto reply = co_await store.client().execute(std::move(read));
  if (!reply) co_return reply.error();
  std::vector<Pause> pauses;
  const auto& elements = reply->elements();
  for (std::size_t i = 0; i + 1 < elements.size(); i += 2) {
    // A queue that this version does not know is another version's matter.
    const auto queue = queue_named(elements[i].text());
    if (!queue) continue;
    Pause pause = parse(elements[i + 1].text());
    pause.queue = *queue;
    pauses.push_back(std::move(pause));
  }
  std::ranges::sort(pauses, {}, &Pause::queue);
  co_return pauses;
}

awaitable<Result<std::optional<Pause>>> paused_deliveries(Store& store) {
  redis::Command read("HGET", paused_key, deliveries_name);
  auto reply = co_await store.client().execute(std::move(read));
  if (!reply) co_return reply.error();
  std::optional<Pause> pause;
  if (reply->is_text()) pause = parse(reply->text());
  co_return pause;
}

awaitable<Result<void>> pause_queue(Store& store, Pause pause) {
  std::string name(to_text(pause.queue));
  co_return co_await pause_named(store, std::move(name), std::move(pause));
}

awaitable<Result<void>> resume_queue(Store& store, Queue queue) {
  std::string name(to_text(queue));
  co_return co_await resume_named(store, std::move(name));
}

awaitable<Result<void>> pause_deliveries(Store& store, Pause pause) {
  std::string name(deliveries_name);
  co_return co_await pause_named(store, std::move(name), std::move(pause));
}

awaitable<Result<void>> resume_deliveries(Store& store) {
  std::string name(deliveries_name);
  co_return co_await resume_named(store, std::move(name));
}

}  // namespace billd::store
