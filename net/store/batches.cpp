// Sending batches, and what becomes of them when the connection breaks.
#include "net/store/batches.hpp"

#include <unordered_map>

#include "net/store/functions.hpp"
#include "net/store/keys.hpp"

namespace billd::store {
namespace {

// Two calls under way keep Redis busy while the next batch gathers; more would only make batches smaller.
constexpr std::size_t calls_max = 2;
// A commit whose outcome is unknown is sent again: the version guards it, and its own value tells it that it was done.
constexpr int tries_max = 4;

/// The keys and arguments of a call; each key is named once.
class Call {
 public:
  /// The index of the key, from 1 as in Lua.
  std::size_t key(const std::string& name) {
    auto [entry, is_new] = indexes_.try_emplace(name, indexes_.size() + 1);
    if (is_new) keys_.push_back(name);
    return entry->second;
  }
  void add(std::string_view argument) { arguments_.emplace_back(argument); }
  void add(std::integral auto argument) { arguments_.push_back(std::to_string(argument)); }

  redis::Command command(std::string_view function) && {
    redis::Command command("FCALL", function_name(function), keys_.size());
    for (std::string& each : keys_) command.add(std::move(each));
    for (std::string& each : arguments_) command.add(std::move(each));
    return command;
  }

 private:
  std::unordered_map<std::string, std::size_t> indexes_;
  std::vector<std::string> keys_, arguments_;
};

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

void Store::Batches::start_commits(Group& group) {
  while (!group.commits.empty() && group.commit_calls < calls_max) {
    const std::size_t count = std::min(group.commits.size(), settings_.batch_max);
    std::vector<PendingCommit*> batch(group.commits.begin(),
                                      group.commits.begin() + static_cast<std::ptrdiff_t>(count));
    group.commits.erase(group.commits.begin(), group.commits.begin() + static_cast<std::ptrdiff_t>(count));
    ++group.commit_calls;
    tasks_.spawn("commit", carry_commits(group, std::move(batch)));
  }
}

void Store::Batches::start_loads(Group& group) {
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
  --group.commit_calls;
  start_commits(group);
}

redis::Command Store::Batches::commit_command(Group& group, const std::vector<PendingCommit*>& commits) {
  const std::string keys_prefix = prefix(group.mode, group.partition);
  Call call;
  call.key(commits_key(group.partition));
  call.key(lease_key(group.partition));
  call.key(events_key(keys_prefix));
  call.key(parked_key(keys_prefix));
  call.key(marks_key(keys_prefix));
  call.add(commits.size());
  // Old events go once a minute: trimming costs a call each time.
  const auto steady_now = SteadyClock::now();
  if (steady_now - group.trimmed_at > std::chrono::minutes(1)) {
    group.trimmed_at = steady_now;
    const auto oldest = std::chrono::floor<Milliseconds>(std::chrono::system_clock::now()) - settings_.event_retention;
    call.add(std::max<std::int64_t>(oldest.time_since_epoch().count(), 0));
  } else {
    call.add("");
  }
  for (const PendingCommit* commit : commits) {
    call.add(call.key(commit->account));
    call.add(commit->expected_version);
    call.add(commit->value);
    call.add(commit->epoch);
    call.add(commit->record.empty() ? 0 : call.key(commit->record));
    call.add(commit->record_value);
    call.add(commit->record_overwrite ? "1" : "");
    call.add(commit->record_life.count());
    call.add(commit->unique.empty() ? 0 : call.key(commit->unique));
    call.add(commit->unique_holder);
    call.add(commit->mark);
    call.add(commit->events);
    call.add(commit->writes.size());
    for (const Write& write : commit->writes) {
      call.add(std::string_view(&write.letter, 1));
      call.add(call.key(write.key));
      call.add(write.first);
      call.add(write.second);
    }
  }
  return std::move(call).command("commit");
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
