// Loads and commits of many coroutines, gathered per partition and mode into few calls.
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "net/one_shot.hpp"
#include "net/store/store.hpp"

namespace billd::store {

/// One write of the commit function; see functions.lua for the letters.
struct Write {
  char letter;
  std::string key;
  std::string first, second;
};

/// A commit on its way. Lives in the frame of Store::commit.
struct PendingCommit {
  explicit PendingCommit(Executor executor) : done(executor) {}

  std::string account, expected_version, value, epoch;
  std::string record, record_value;  ///< of idempotency; empty: none
  bool record_overwrite = false;
  Milliseconds record_life{0};
  std::string unique, unique_holder;  ///< must be held; empty: none
  std::string mark;                   ///< must not be there, and is then; empty: none
  std::string events;
  std::vector<Write> writes;
  OneShot<Result<Verdict>> done;
};

struct PendingLoad {
  explicit PendingLoad(Executor executor) : done(executor) {}

  std::string account;
  OneShot<Result<std::optional<std::string>>> done;
};

/// Group commit: while calls of a partition and mode are under way, what comes meanwhile gathers for the next one, so
/// that batches grow with the load and nobody waits for a timer. What is prompt (see net/shifts.hpp) gathers apart from
/// what is patient, and is read on the connection that the bulk of the work does not use.
class Store::Batches {
 public:
  Batches(Executor executor, redis::Client& client, Acknowledged& acknowledged, const StoreSettings& settings);

  /// After the number of partitions became known.
  void set_partitions(std::uint32_t partitions);

  void add(Mode mode, std::uint32_t partition, PendingCommit& commit);
  void add(Mode mode, std::uint32_t partition, PendingLoad& load);

 private:
  struct Group {
    Mode mode = Mode::test;
    std::uint32_t partition = 0;
    Shifts::Haste haste = Shifts::Haste::prompt;
    std::deque<PendingCommit*> commits;
    std::deque<PendingLoad*> loads;
    std::size_t commit_calls = 0, load_calls = 0;
    bool is_held_up = false;
    bool commits_scheduled = false, loads_scheduled = false;
    SteadyClock::time_point trimmed_at;
  };

  Group& group(Mode mode, std::uint32_t partition);
  bool is_held_up(Group& group);
  void start_commits(Group& group);
  void finish_commits(Group& group);
  void start_loads(Group& group);
  awaitable<> carry_commits(Group& group, std::vector<PendingCommit*> commits);
  redis::Command commit_command(Group& group, const std::vector<PendingCommit*>& commits);
  /// `sent_before`: an earlier call with them was sent and has no answer; it tells whether this one was.
  awaitable<Result<std::vector<Result<Verdict>>>> call_commit(Group& group, const std::vector<PendingCommit*>& commits,
                                                              bool& sent_before);
  static Result<Verdict> read_verdict(redis::Reply element, bool sent_before);
  awaitable<> carry_loads(Group& group, std::vector<PendingLoad*> loads);

  Executor executor_;
  redis::Client& client_;
  Acknowledged& acknowledged_;
  const StoreSettings& settings_;
  std::size_t patient_commit_calls_ = 0;
  std::deque<Group*> held_up_;  ///< with patient commits, until calls of others have ended
  std::deque<Group> groups_;    ///< by partition, mode and haste; their addresses stay
  Tasks tasks_;
};

}  // namespace billd::store
