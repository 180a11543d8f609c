#include "jobs/lease_plan.hpp"

#include <algorithm>

namespace billd::jobs {
namespace {

std::size_t fair_share(const Sightings& seen) {
  const std::size_t daemons = seen.others.size() + 1;
  const auto rank = static_cast<std::size_t>(std::distance(seen.others.begin(), seen.others.lower_bound(seen.me)));
  return seen.partitions.size() / daemons + (rank < seen.partitions.size() % daemons ? 1 : 0);
}

}  // namespace

LeasePlan plan(const Sightings& seen, SteadyClock::time_point now, Milliseconds timeout) {
  LeasePlan result;
  std::vector<std::uint32_t> held, available;
  for (std::uint32_t partition = 0; partition < seen.partitions.size(); ++partition) {
    const Sighting& sighting = seen.partitions[partition];
    if (sighting.owner() == seen.me)
      held.push_back(partition);
    else if (sighting.lease.owner == seen.me.name && seen.my_incarnations.contains(sighting.lease.incarnation))
      result.take.push_back(partition);
    else if (sighting.is_free() || now - sighting.moved_at >= timeout)
      available.push_back(partition);
  }
  const std::size_t share = fair_share(seen);
  for (std::size_t i = share; i < held.size(); ++i) result.release.push_back(held[i]);
  for (std::uint32_t partition : available)
    if (held.size() + result.take.size() < share) result.take.push_back(partition);
  std::ranges::sort(result.take);
  return result;
}

}  // namespace billd::jobs
