// The partitions that this daemon works on: leases in Redis, renewed by a heartbeat and fenced by an epoch.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "jobs/lease_plan.hpp"
#include "net/async.hpp"
#include "net/store/store.hpp"

namespace billd::jobs {

struct LeaseTimes {
  Milliseconds interval{400};  ///< between two signs of life
  Milliseconds timeout{1500};  ///< without one, until others take over
};

/// Holds this daemon's share of the partitions. Each lease has an epoch that grows with every change of owner; commits
/// of jobs carry it and are refused once it is old, so that a daemon which was asleep can do no harm.
///
/// A lease counts as held only for a while after its last sign of life was sent, whatever was heard since: by the time
/// others may take it, this daemon has stopped by itself.
///
/// Life cycle: construct, on_change(), start() once the store is prepared, `co_await stop()`. From the loop's thread.
class Partitions {
 public:
  /// The name must be unique among the daemons of a data set; the incarnation is drawn here.
  Partitions(Executor executor, store::Store& store, std::string daemon_name, LeaseTimes times);

  void start();

  /// Gives all leases up, so that others take them at once. Nothing may be under way under them any more.
  awaitable<> stop();

  /// The right to commit in the partition now; empty: it is not held.
  std::optional<store::Fence> fence(std::uint32_t partition) const;

  /// In ascending order.
  std::vector<std::uint32_t> held() const;

  /// Called when held() may have changed.
  void on_change(std::function<void()> change) { change_ = std::move(change); }

  /// A lease that is to be given up for the sake of a fair share is kept until this says that nothing is under way
  /// under it; held() leaves it out in the meantime.
  void on_release(std::function<bool(std::uint32_t)> is_busy) { is_busy_ = std::move(is_busy); }

  const DaemonIdentity& identity() const { return seen_.me; }

  /// The other daemons that are alive.
  const std::set<DaemonIdentity>& others() const { return seen_.others; }

  /// Every partition's lease as it was read last, for the status page.
  const std::vector<Sighting>& sightings() const { return seen_.partitions; }

 private:
  struct Held {
    std::uint64_t epoch = 0;
    SteadyClock::time_point until;  ///< others do not take it before
    bool is_leaving = false;
  };
  struct Daemon {
    std::string heartbeat;
    SteadyClock::time_point moved_at;
    bool has_moved = false;
  };

  awaitable<> run();
  awaitable<> look_around();
  awaitable<> renew();
  awaitable<Result<void>> observe(SteadyClock::time_point began_at);
  awaitable<Result<void>> announce();
  awaitable<> take(std::uint32_t partition);
  awaitable<> release_leaving();
  void see_leases(std::vector<store::Store::Lease> leases, SteadyClock::time_point now);
  void see_daemons(const redis::Reply& fields, SteadyClock::time_point now);
  void find_others(SteadyClock::time_point now);
  SteadyClock::time_point next_look() const;
  SteadyClock::time_point safe_until(SteadyClock::time_point sent_at) const;
  std::string daemon_field() const;
  void changed();

  store::Store& store_;
  const LeaseTimes times_;
  std::function<void()> change_;
  std::function<bool(std::uint32_t)> is_busy_;

  Sightings seen_;
  std::map<std::string, Daemon> daemons_;  ///< by "name/incarnation"
  std::map<std::uint32_t, Held> held_;
  SteadyClock::time_point renew_at_;
  bool has_seen_leases_ = false, has_seen_daemons_ = false;
  bool was_redis_away_ = false;  ///< since the last look that saw something
  bool is_stopping_ = false;
  Timer pause_;
  Tasks takes_;
  Tasks tasks_;
};

}  // namespace billd::jobs
