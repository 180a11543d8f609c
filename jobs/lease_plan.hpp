// Which partitions a daemon should take and which it should give up: a function of what it has seen.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "net/async.hpp"
#include "net/store/store.hpp"

namespace billd::jobs {

/// A daemon's process: its name stays over restarts, its incarnation does not.
struct DaemonIdentity {
  std::string name;
  std::string incarnation;

  auto operator<=>(const DaemonIdentity&) const = default;
};

/// A partition's lease, as it was read last.
struct Sighting {
  store::Store::Lease lease;
  /// When its owner or its heartbeat was last seen to change, by the observer's own steady time: clocks of others step.
  SteadyClock::time_point moved_at;

  DaemonIdentity owner() const { return {lease.owner, lease.incarnation}; }
  bool is_free() const { return lease.owner.empty(); }
};

/// What one daemon knows of all.
struct Sightings {
  DaemonIdentity me;
  std::vector<Sighting> partitions;       ///< by number
  std::set<DaemonIdentity> others;        ///< the other daemons that are alive
  std::set<std::string> my_incarnations;  ///< earlier ones, which ended before this one began
};

struct LeasePlan {
  std::vector<std::uint32_t> take, release;

  bool operator==(const LeasePlan&) const = default;
};

/// - What an earlier incarnation of this daemon held is taken at once: the daemon was restarted.
/// - What is free, and what has not moved its heartbeat for `timeout`, is taken up to the daemon's fair share.
/// - What the daemon holds above its fair share is released, so that others can take it.
///
/// The live daemons, in the order of their names, share the partitions so that no two differ by more than one: since
/// all see the same daemons alive, the shares add up and nothing is left over.
LeasePlan plan(const Sightings& seen, SteadyClock::time_point now, Milliseconds timeout);

}  // namespace billd::jobs
