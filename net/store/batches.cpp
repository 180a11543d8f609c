// Sending batches, and what becomes of them when the connection breaks.
#include "net/store/batches.hpp"

#include <unordered_map>

#include "net/store/functions.hpp"
#include "net/store/keys.hpp"

namespace billd::store {
namespace {

// Two calls under way keep Redis busy while the next batch gathers; more would only make batches smaller.
constexpr std::size_t calls_max = 2;
// Redis carries out all calls that have arrived before it looks at what has come since: who waits for an answer would
// wait for the patient ones of all partitions. A few keep it busy.
constexpr std::size_t patient_commit_calls_max = 4;
// A commit whose outcome is unknown is sent again: the version guards it, and its own value tells it that it was done.
constexpr int tries_max = 4;

/// The keys of a call; each is named once. They are to stay where they are.
class Keys {
 public:
  /// The number of the key, from 1 as in Lua.
  std::size_t number(std::string_view name) {
    const auto [entry, is_new] = numbers_.try_emplace(name, names_.size() + 1);
    if (is_new) names_.push_back(name);
    return entry->second;
  }
  const std::vector<std::string_view>& names() const { return names_; }

 private:
  std::unordered_map<std::string_view, std::size_t> numbers_;
  std::vector<std::string_view> names_;
};

/// In the order in which the arguments name them.
std::vector<std::size_t> key_numbers(Keys& keys, const std::vector<PendingCommit*>& commits) {
  std::vector<std::size_t> numbers;
  for (const PendingCommit* commit : commits) {
    numbers.push_back(keys.number(commit->account));
    numbers.push_back(commit->record.empty() ? 0 : keys.number(commit->record));
    numbers.push_back(commit->unique.empty() ? 0 : keys.number(commit->unique));
    for (const Write& write : commit->writes) numbers.push_back(keys.number(write.key));
  }
  return numbers;
}

/// What the arguments of a call take in Redis' protocol, more or less.
std::size_t bytes_about(const Keys& keys, const std::vector<PendingCommit*>& commits) {
  constexpr std::size_t of_protocol = 8, of_numbers = 160;
  std::size_t bytes = 0;
  for (std::string_view name : keys.names()) bytes += name.size() + of_protocol;
  for (const PendingCommit* commit : commits) {
    bytes += commit->value.size() + commit->events.size() + commit->record_value.size() + of_numbers;
    for (const Write& write : commit->writes) bytes += write.first.size() + write.second.size() + 4 * of_protocol;
  }
  return bytes;
}

Failure unexpected(std::string_view what) {
  return {Errc::internal, "the commit function gave an unexpected answer: " + std::string(what)};
}

/// A commit that may have been carried out by an earlier call has not failed just because a later one did.
Failure failure_of(const Failure& failure, bool sent_before) {
  return sent_before ? Failure{Errc::outcome_unknown, failure.detail} : failure;
}

/// Whether one account's data, rather than the connection, made the whole call fail.
bool is_of_data(Errc code) { return code == Errc::corrupt || code == Errc::internal; }

}  // namespace

Store::Batches::Batches(Executor executor, redis::Client& client, Acknowledged& acknowledged,
                        const StoreSettings& settings)
    : executor_(executor), client_(client), acknowledged_(acknowledged), settings_(settings), tasks_(executor) {}

void Store::Batches::set_partitions(std::uint32_t partitions) {
  for (auto partition = static_cast<std::uint32_t>(groups_.size() / 4); partition < partitions; ++partition)
    for (const Mode mode : {Mode::test, Mode::live})
      for (const auto haste : {Shifts::Haste::prompt, Shifts::Haste::patient}) {
        Group& added = groups_.emplace_back();
        added.partition = partition;
        added.mode = mode;
        added.haste = haste;
      }
}

/// For what is as hasty as the caller.
Store::Batches::Group& Store::Batches::group(Mode mode, std::uint32_t partition) {
  const std::size_t of_mode = std::size_t{partition} * 2 + (mode == Mode::live ? 1 : 0);
  return groups_[of_mode * 2 + (Shifts::haste() == Shifts::Haste::patient ? 1 : 0)];
}

void Store::Batches::add(Mode mode, std::uint32_t partition, PendingCommit& commit) {
  Group& to = group(mode, partition);
  to.commits.push_back(&commit);
  if (to.commits_scheduled || to.commit_calls >= calls_max) return;
  to.commits_scheduled = true;
  // Behind those that are about to be resumed: what they commit goes along.
  Shifts::of(executor_).add(Shifts::work([this, &to] {
    to.commits_scheduled = false;
    start_commits(to);
  }));
}

void Store::Batches::add(Mode mode, std::uint32_t partition, PendingLoad& load) {
  Group& to = group(mode, partition);
  to.loads.push_back(&load);
  if (to.loads_scheduled || to.load_calls >= calls_max) return;
  to.loads_scheduled = true;
  Shifts::of(executor_).add(Shifts::work([this, &to] {
    to.loads_scheduled = false;
    start_loads(to);
  }));
}

/// Whether the group has to wait until a call of another one has ended.
bool Store::Batches::is_held_up(Group& group) {
  if (group.haste == Shifts::Haste::prompt || patient_commit_calls_ < patient_commit_calls_max) return false;
  if (!group.is_held_up) held_up_.push_back(&group);
  group.is_held_up = true;
  return true;
}

void Store::Batches::start_commits(Group& group) {
  // Each call ends promptly, so that the next one is not late: its commits wait with their own haste.
  const Shifts::With promptly(Shifts::Haste::prompt);
  while (!group.commits.empty() && group.commit_calls < calls_max && !is_held_up(group)) {
    const std::size_t count = std::min(group.commits.size(), settings_.batch_max);
    std::vector<PendingCommit*> batch(group.commits.begin(),
                                      group.commits.begin() + static_cast<std::ptrdiff_t>(count));
    group.commits.erase(group.commits.begin(), group.commits.begin() + static_cast<std::ptrdiff_t>(count));
    ++group.commit_calls;
    if (group.haste == Shifts::Haste::patient) ++patient_commit_calls_;
    tasks_.spawn("commit", carry_commits(group, std::move(batch)));
  }
}

void Store::Batches::finish_commits(Group& group) {
  --group.commit_calls;
  if (group.haste == Shifts::Haste::patient) {
    --patient_commit_calls_;
    while (!held_up_.empty() && patient_commit_calls_ < patient_commit_calls_max) {
      Group& next = *held_up_.front();
      held_up_.pop_front();
      next.is_held_up = false;
      start_commits(next);
    }
  }
  start_commits(group);
}

void Store::Batches::start_loads(Group& group) {
  const Shifts::With promptly(Shifts::Haste::prompt);
  while (!group.loads.empty() && group.load_calls < calls_max) {
    const std::size_t count = std::min(group.loads.size(), settings_.batch_max);
    std::vector<PendingLoad*> batch(group.loads.begin(), group.loads.begin() + static_cast<std::ptrdiff_t>(count));
    group.loads.erase(group.loads.begin(), group.loads.begin() + static_cast<std::ptrdiff_t>(count));
    ++group.load_calls;
    tasks_.spawn("load", carry_loads(group, std::move(batch)));
  }
}

awaitable<> Store::Batches::carry_commits(Group& group, std::vector<PendingCommit*> commits) {
  bool sent_before = false;
  auto verdicts = co_await call_commit(group, commits, sent_before);
  if (!verdicts && is_of_data(verdicts.error().code) && commits.size() > 1) {
    // One account's data must not fail the others': each goes alone.
    for (PendingCommit* commit : commits) {
      std::vector<PendingCommit*> alone(1, commit);
      bool alone_sent_before = sent_before;
      auto verdict = co_await call_commit(group, alone, alone_sent_before);
      if (verdict)
        commit->done.provide(std::move(verdict->front()));
      else
        commit->done.provide(failure_of(verdict.error(), alone_sent_before));
    }
  } else {
    for (std::size_t i = 0; i < commits.size(); ++i) {
      if (verdicts)
        commits[i]->done.provide(std::move((*verdicts)[i]));
      else
        commits[i]->done.provide(failure_of(verdicts.error(), sent_before));
    }
  }
  finish_commits(group);
}

redis::Command Store::Batches::commit_command(Group& group, const std::vector<PendingCommit*>& commits) {
  const std::string keys_prefix = prefix(group.mode, group.partition);
  const std::string of_partition[] = {commits_key(group.partition), lease_key(group.partition), events_key(keys_prefix),
                                      parked_key(keys_prefix), marks_key(keys_prefix)};
  Keys keys;
  for (const std::string& key : of_partition) keys.number(key);
  const std::vector<std::size_t> numbers = key_numbers(keys, commits);
  redis::Command command("FCALL", function_name("commit"), keys.names().size());
  command.reserve(bytes_about(keys, commits));
  for (std::string_view name : keys.names()) command.add(name);
  command.add(commits.size());
  // Old events go once a minute: trimming costs a call each time.
  const auto steady_now = SteadyClock::now();
  if (steady_now - group.trimmed_at > std::chrono::minutes(1)) {
    group.trimmed_at = steady_now;
    const auto oldest = std::chrono::floor<Milliseconds>(std::chrono::system_clock::now()) - settings_.event_retention;
    command.add(std::max<std::int64_t>(oldest.time_since_epoch().count(), 0));
  } else {
    command.add("");
  }
  auto number = numbers.begin();
  for (const PendingCommit* commit : commits) {
    command.add(*number++).add(commit->expected_version).add(commit->value).add(commit->epoch);
    command.add(*number++).add(commit->record_value).add(commit->record_overwrite ? "1" : "");
    command.add(commit->record_life.count());
    command.add(*number++).add(commit->unique_holder);
    command.add(commit->mark).add(commit->events).add(commit->writes.size());
    for (const Write& write : commit->writes)
      command.add(std::string_view(&write.letter, 1)).add(*number++).add(write.first).add(write.second);
  }
  return command;
}

awaitable<Result<std::vector<Result<Verdict>>>> Store::Batches::call_commit(Group& group,
                                                                            const std::vector<PendingCommit*>& commits,
                                                                            bool& sent_before) {
  for (int attempt = 1;; ++attempt) {
    redis::Command command = commit_command(group, commits);
    auto reply = co_await client_.lane(group.partition).execute(std::move(command));
    if (!reply) {
      const Failure& failure = reply.error();
      if (failure.code == Errc::outcome_unknown) sent_before = true;
      if (attempt >= tries_max) co_return failure;
      if (failure.code == Errc::outcome_unknown) continue;
      if (!is_library_missing(failure)) co_return failure;
      auto loaded = co_await load_functions(client_);
      if (!loaded) co_return loaded.error();
      continue;
    }
    if (!reply->is_array() || reply->elements().size() != commits.size() + 1) co_return unexpected("its size");
    std::vector<redis::Reply> elements = reply->take_elements();
    auto& acknowledged = acknowledged_.commits[group.partition];
    acknowledged = std::max(acknowledged, static_cast<std::uint64_t>(elements.front().integer()));
    std::vector<Result<Verdict>> verdicts;
    verdicts.reserve(commits.size());
    for (std::size_t i = 0; i < commits.size(); ++i)
      verdicts.push_back(read_verdict(std::move(elements[i + 1]), sent_before));
    co_return verdicts;
  }
}

Result<Verdict> Store::Batches::read_verdict(redis::Reply element, bool sent_before) {
  if (element.is_text()) return Verdict{CommitStatus::repeated, element.take_text()};
  switch (element.is_integer() ? element.integer() : 0) {
    case 1:
      return Verdict{CommitStatus::committed, {}};
    case 2:
      return Verdict{CommitStatus::conflict, {}};
    case 3:
      return Verdict{CommitStatus::stale_epoch, {}};
    case 5:
      return Verdict{CommitStatus::not_held, {}};
    case 6:
      return Verdict{CommitStatus::given_up, {}};
    case 4:
      if (sent_before)
        return Failure{Errc::outcome_unknown, "others committed before it could be seen whether this commit was made"};
      return Verdict{CommitStatus::conflict, {}};
    default:
      return unexpected("of one account");
  }
}

awaitable<> Store::Batches::carry_loads(Group& group, std::vector<PendingLoad*> loads) {
  redis::Command command("MGET");
  for (const PendingLoad* load : loads) command.add(load->account);
  // A group's calls are as hasty as what gathers in it, see Store::reading().
  redis::Client& connection = group.haste == Shifts::Haste::prompt ? client_ : client_.lane(group.partition);
  auto reply = co_await connection.execute(std::move(command));
  if (!reply && reply.error().code == Errc::outcome_unknown) reply = Failure{Errc::unavailable, reply.error().detail};
  if (reply && (!reply->is_array() || reply->elements().size() != loads.size())) reply = unexpected("of MGET");
  std::vector<redis::Reply> elements;
  if (reply) elements = reply->take_elements();
  for (std::size_t i = 0; i < loads.size(); ++i) {
    if (!reply)
      loads[i]->done.provide(reply.error());
    else if (elements[i].is_nil())
      loads[i]->done.provide(std::optional<std::string>());
    else
      loads[i]->done.provide(std::optional<std::string>(elements[i].take_text()));
  }
  --group.load_calls;
  start_loads(group);
}

}  // namespace billd::store
