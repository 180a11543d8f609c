#include "jobs/partitions.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <span>

#include "config/keys.hpp"
#include "net/store/keys.hpp"

namespace billd::jobs {
namespace {

std::string random_incarnation() {
  std::array<std::uint64_t, 2> random{};
  secure_random(std::as_writable_bytes(std::span(random)));
  return base62(random[0], 8) + base62(random[1], 8);
}

/// "1-3, 7" of ascending numbers.
std::string list_of(const std::vector<std::uint32_t>& partitions) {
  std::string text;
  for (std::size_t first = 0; first < partitions.size();) {
    std::size_t last = first;
    while (last + 1 < partitions.size() && partitions[last + 1] == partitions[last] + 1) ++last;
    if (!text.empty()) text.append(", ");
    text.append(std::to_string(partitions[first]));
    if (last > first) text.append("-").append(std::to_string(partitions[last]));
    first = last + 1;
  }
  return text;
}

/// Daemons that are gone for this many timeouts are forgotten in Redis, too.
constexpr int forget_after_timeouts = 20;

}  // namespace

Partitions::Partitions(Executor executor, store::Store& store, std::string daemon_name, LeaseTimes times)
    : store_(store), times_(times), pause_(executor), takes_(executor), tasks_(executor) {
  seen_.me = {std::move(daemon_name), random_incarnation()};
}

void Partitions::start() { tasks_.spawn("partitions", run()); }

awaitable<> Partitions::stop() {
  is_stopping_ = true;
  pause_.cancel();
  // A look that is under way ends within Redis' time limit.
  while (tasks_.running() > 0) co_await tasks_.idle(std::chrono::seconds(60));
  for (auto& [partition, held] : held_) held.is_leaving = true;
  changed();
  for (const auto& [partition, held] : held_) {
    const auto released = co_await store_.release_lease(partition, held.epoch);
    if (!released) break;  // without Redis the leases end by themselves
  }
  held_.clear();
  redis::Command forget("HDEL", store::daemons_key, daemon_field());
  co_await store_.client().execute(std::move(forget));
}

std::optional<store::Fence> Partitions::fence(std::uint32_t partition) const {
  const auto found = held_.find(partition);
  if (found == held_.end() || found->second.is_leaving || SteadyClock::now() >= found->second.until)
    return std::nullopt;
  return store::Fence{found->second.epoch};
}

std::vector<std::uint32_t> Partitions::held() const {
  std::vector<std::uint32_t> result;
  const auto now = SteadyClock::now();
  for (const auto& [partition, held] : held_)
    if (!held.is_leaving && now < held.until) result.push_back(partition);
  return result;
}

awaitable<> Partitions::run() {
  while (!is_stopping_) {
    co_await look_around();
    if (is_stopping_) break;
    pause_.expires_at(next_look());
    [[maybe_unused]] auto [ended] = co_await pause_.async_wait(nothrow);
  }
}

awaitable<> Partitions::look_around() {
  const auto began_at = SteadyClock::now();
  if (began_at >= renew_at_) {
    renew_at_ = began_at + times_.interval;
    co_await renew();
    const auto announced = co_await announce();
    was_redis_away_ = was_redis_away_ || !announced;
    if (!announced) co_return;
  }
  co_await release_leaving();
  const auto observed = co_await observe(began_at);
  was_redis_away_ = !observed;
  if (!observed) co_return;
  LeasePlan wanted = plan(seen_, SteadyClock::now(), times_.timeout);
  // A lease can be this daemon's in Redis without its knowing: the answer to its taking was lost, or Redis was away for
  // longer than the lease was safe. It is taken anew, unless the others are to have it once it has timed out.
  for (std::uint32_t partition = 0; partition < seen_.partitions.size(); ++partition)
    if (seen_.partitions[partition].owner() == seen_.me && !held_.contains(partition) &&
        !std::ranges::binary_search(wanted.release, partition))
      wanted.take.push_back(partition);
  std::ranges::sort(wanted.take);
  std::erase_if(wanted.release, [this](std::uint32_t partition) { return !held_.contains(partition); });
  for (std::uint32_t partition : wanted.release) held_[partition].is_leaving = true;
  if (!wanted.release.empty()) spdlog::info("partitions {} are released for other daemons", list_of(wanted.release));
  for (std::uint32_t partition : wanted.take) takes_.spawn("take lease", take(partition));
  while (takes_.running() > 0) co_await takes_.idle(std::chrono::seconds(60));
  if (!wanted.take.empty()) {
    std::vector<std::uint32_t> taken = wanted.take;
    std::erase_if(taken, [this](std::uint32_t partition) { return !held_.contains(partition); });
    if (!taken.empty()) spdlog::info("partitions {} are taken", list_of(taken));
  }
  if (!wanted.take.empty() || !wanted.release.empty()) changed();
}

awaitable<> Partitions::renew() {
  std::vector<std::pair<std::uint32_t, std::uint64_t>> leases;
  for (const auto& [partition, held] : held_) leases.emplace_back(partition, held.epoch);
  if (leases.empty()) co_return;
  const auto sent_at = SteadyClock::now();
  const auto renewed = co_await store_.renew_leases(leases);
  const auto now = SteadyClock::now();
  std::vector<std::uint32_t> lost;
  for (const auto& [partition, epoch] : leases) {
    const auto held = held_.find(partition);
    if (held == held_.end()) continue;
    if (renewed && std::ranges::binary_search(*renewed, partition))
      held->second.until = safe_until(sent_at);
    else if (renewed || now >= held->second.until)
      lost.push_back(partition);
  }
  for (std::uint32_t partition : lost) held_.erase(partition);
  if (!lost.empty())
    spdlog::warn("partitions {} are lost: {}", list_of(lost),
                 renewed ? "another daemon took them over" : renewed.error().detail);
  changed();
}

/// Shows that this daemon lives, also while it holds nothing, and sees which others do.
awaitable<Result<void>> Partitions::announce() {
  std::vector<redis::Command> commands;
  commands.emplace_back("HINCRBY", store::daemons_key, daemon_field(), 1);
  commands.emplace_back("HGETALL", store::daemons_key);
  const auto replies = co_await store_.client().execute_all(std::move(commands));
  for (const auto& reply : replies)
    if (!reply) co_return reply.error();
  see_daemons(*replies[1], SteadyClock::now());

  const auto long_ago = SteadyClock::now() - forget_after_timeouts * times_.timeout;
  redis::Command forget("HDEL", store::daemons_key);
  for (auto daemon = daemons_.begin(); daemon != daemons_.end();) {
    if (daemon->second.moved_at > long_ago) {
      ++daemon;
      continue;
    }
    forget.add(daemon->first);
    daemon = daemons_.erase(daemon);
  }
  if (forget.size() > 2) co_await store_.client().execute(std::move(forget));
  co_return Result<void>();
}

/// What a look that began at `began_at` sees of the others.
awaitable<Result<void>> Partitions::observe(SteadyClock::time_point began_at) {
  auto leases = co_await store_.leases();
  if (!leases) co_return leases.error();
  const auto now = SteadyClock::now();
  was_redis_away_ = was_redis_away_ || now - began_at > times_.timeout / 2;
  see_leases(std::move(*leases), now);
  find_others(now);
  co_return Result<void>();
}

void Partitions::see_leases(std::vector<store::Store::Lease> leases, SteadyClock::time_point now) {
  const bool is_first = !std::exchange(has_seen_leases_, true);
  seen_.partitions.resize(leases.size());
  for (std::size_t partition = 0; partition < leases.size(); ++partition) {
    Sighting& sighting = seen_.partitions[partition];
    store::Store::Lease& lease = leases[partition];
    const bool moved = lease.epoch != sighting.lease.epoch || lease.heartbeat != sighting.lease.heartbeat;
    // While Redis was away, the others could not show that they live either: they get the whole time anew.
    if (is_first || was_redis_away_ || moved) sighting.moved_at = now;
    if (is_first && lease.owner == seen_.me.name) seen_.my_incarnations.insert(lease.incarnation);
    sighting.lease = std::move(lease);
    const bool is_twin = sighting.lease.owner == seen_.me.name && sighting.owner() != seen_.me &&
                         !seen_.my_incarnations.contains(sighting.lease.incarnation);
    if (is_twin && moved)
      spdlog::error("another daemon has this one's name, {}: give each a name of its own", seen_.me.name);
  }
  if (was_redis_away_)
    for (auto& [field, daemon] : daemons_) daemon.moved_at = now;
}

void Partitions::see_daemons(const redis::Reply& fields, SteadyClock::time_point now) {
  const bool is_first = !std::exchange(has_seen_daemons_, true);
  const auto& elements = fields.elements();
  std::map<std::string, Daemon> announced;  // without those who have taken leave
  for (std::size_t i = 0; i + 1 < elements.size(); i += 2) {
    const std::string& field = elements[i].text();
    if (field == daemon_field()) continue;
    const auto known = daemons_.find(field);
    const bool is_new = known == daemons_.end();
    Daemon& daemon = announced[field];
    if (!is_new) daemon = std::move(known->second);
    if (!is_new && daemon.heartbeat == elements[i + 1].text()) continue;
    // What was there before this daemon came may be dead: it is believed to live once it moves.
    daemon.has_moved = daemon.has_moved || !is_new || !is_first;
    daemon.heartbeat = elements[i + 1].text();
    daemon.moved_at = now;
  }
  daemons_ = std::move(announced);
}

/// Who lives: those whose announcement or whose leases have moved lately.
void Partitions::find_others(SteadyClock::time_point now) {
  seen_.others.clear();
  for (const auto& [field, daemon] : daemons_) {
    if (!daemon.has_moved || now - daemon.moved_at >= times_.timeout) continue;
    const std::size_t slash = field.rfind('/');
    if (slash == std::string::npos) continue;
    seen_.others.insert({field.substr(0, slash), field.substr(slash + 1)});
  }
  std::erase_if(seen_.others, [this](const DaemonIdentity& daemon) {
    return daemon == seen_.me || (daemon.name == seen_.me.name && seen_.my_incarnations.contains(daemon.incarnation));
  });
}

awaitable<> Partitions::take(std::uint32_t partition) {
  const auto sent_at = SteadyClock::now();
  const store::Store::Lease seen = seen_.partitions[partition].lease;
  const auto taken = co_await store_.take_lease(partition, seen, seen_.me.name, seen_.me.incarnation);
  if (!taken) {
    if (taken.error().code != Errc::conflict)
      spdlog::warn("partition {} could not be taken: {}", partition, taken.error().detail);
    co_return;
  }
  held_[partition] = {taken->epoch, safe_until(sent_at), false};
  seen_.partitions[partition] = {*taken, SteadyClock::now()};
}

awaitable<> Partitions::release_leaving() {
  std::vector<std::pair<std::uint32_t, std::uint64_t>> leaving;
  for (const auto& [partition, held] : held_)
    if (held.is_leaving && !(is_busy_ && is_busy_(partition))) leaving.emplace_back(partition, held.epoch);
  for (const auto& [partition, epoch] : leaving) {
    const auto released = co_await store_.release_lease(partition, epoch);
    if (!released) co_return;
    held_.erase(partition);
  }
}

/// Half the interval, so that a heartbeat is seen soon after it was given; and at once when one is overdue.
SteadyClock::time_point Partitions::next_look() const {
  const auto now = SteadyClock::now();
  auto next = std::min(now + times_.interval / 2, std::max(renew_at_, now));
  for (const Sighting& sighting : seen_.partitions) {
    if (sighting.is_free() || sighting.owner() == seen_.me) continue;
    const auto overdue_at = sighting.moved_at + times_.timeout;
    if (overdue_at > now) next = std::min(next, overdue_at);
  }
  return next;
}

/// Until when a lease that was renewed at `sent_at` is safe: others count from when they see it, which is later.
SteadyClock::time_point Partitions::safe_until(SteadyClock::time_point sent_at) const {
  return sent_at + times_.timeout - times_.timeout / 10;
}

std::string Partitions::daemon_field() const { return seen_.me.name + "/" + seen_.me.incarnation; }

void Partitions::changed() {
  if (change_) change_();
}

}  // namespace billd::jobs
