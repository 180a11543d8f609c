// Advancing test clocks: the customers of a clock live through its time, each event at its own moment.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "jobs/executor.hpp"
#include "jobs/partitions.hpp"
#include "net/async.hpp"
#include "net/store/catalog.hpp"
#include "net/store/store.hpp"

namespace billd::jobs {

/// Every daemon works through the partitions that it holds; whoever then finds that nothing is due in any partition
/// declares the clock ready. Belongs to the Scheduler.
class Advancement {
 public:
  Advancement(Executor executor, store::Store& store, store::Catalog& catalog, AccountExecutor& accounts,
              Partitions& partitions, JobSettings settings);

  void start();

  /// Starts nothing new; false when what is under way took longer than `limit`.
  awaitable<bool> stop(Milliseconds limit);

  /// Looks for clocks to be advanced now.
  void wake();

  /// Whether jobs are under way in the partition.
  bool is_busy(std::uint32_t partition) const { return busy_.contains(partition); }

  /// How many clocks are being advanced.
  std::size_t running() const { return advancing_.size(); }

 private:
  enum class Round { worked, waiting_for_others, done, failed };

  awaitable<> watch();
  awaitable<> advance(TestClock clock);
  awaitable<Round> work_through(const TestClock& clock);
  awaitable<Round> finish(const TestClock& clock);
  awaitable<> run(Job job, std::uint32_t partition, std::size_t& under_way, std::size_t& failed, Timer& all_done);
  bool is_advancing(const TestClock& clock) const;

  Executor executor_;
  store::Store& store_;
  store::Catalog& catalog_;
  AccountExecutor& accounts_;
  Partitions& partitions_;
  const JobSettings settings_;

  std::set<TestClockId> advancing_;
  std::map<std::uint32_t, std::size_t> busy_;  ///< jobs under way, by partition
  bool is_stopping_ = false;
  Timer wake_;
  Tasks tasks_;
};

}  // namespace billd::jobs
