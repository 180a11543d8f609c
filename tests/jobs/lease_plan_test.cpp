// Which partitions a daemon takes and gives up, as a table of situations.
#include "jobs/lease_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace billd::jobs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Milliseconds timeout(1500);
const SteadyClock::time_point now = SteadyClock::time_point(std::chrono::hours(1));

/// The partitions as "owner/incarnation", "" for a free one; a '!' behind it: its heartbeat stands still for too long.
Sightings seen(const std::vector<std::string>& owners, const std::vector<std::string>& others = {}) {
  auto identity = [](const std::string& text) {
    const std::size_t slash = text.find('/');
    return DaemonIdentity{text.substr(0, slash), text.substr(slash + 1)};
  };
  Sightings sightings;
  sightings.me = {"b", "2"};
  sightings.my_incarnations = {"1"};
  for (std::string owner : owners) {
    Sighting& sighting = sightings.partitions.emplace_back();
    sighting.moved_at = now - Milliseconds(100);
    if (owner.ends_with('!')) {
      sighting.moved_at = now - timeout;
      owner.pop_back();
    }
    if (owner.empty()) continue;
    sighting.lease.owner = identity(owner).name;
    sighting.lease.incarnation = identity(owner).incarnation;
  }
  for (const std::string& other : others) sightings.others.insert(identity(other));
  return sightings;
}

struct Case {
  const char* title;
  std::vector<std::string> owners;
  std::vector<std::string> others;
  std::vector<std::uint32_t> take, release;
};

TEST(LeasePlan, DecidesEachSituation) {
  const std::vector<Case> cases = {
      {"alone, all is taken", {"", "", "", ""}, {}, {0, 1, 2, 3}, {}},
      {"alone, all is held", {"b/2", "b/2"}, {}, {}, {}},
      {"restarted, its own is taken back at once", {"b/1", "b/1", "a/1"}, {"a/1"}, {0, 1}, {}},
      {"restarted, also above its share", {"b/1", "b/1", "b/1", "b/1"}, {"a/1"}, {0, 1, 2, 3}, {}},
      {"a namesake that came later is another daemon", {"b/3", "b/3"}, {"b/3"}, {}, {}},
      {"what moves is left alone", {"a/1", "a/1", "a/1"}, {"a/1"}, {}, {}},
      {"what stands still is taken", {"a/1!", "a/1!", "b/2"}, {}, {0, 1}, {}},
      {"what stands still is shared with the other who lives", {"a/1!", "a/1!", "b/2", "c/1"}, {"c/1"}, {0}, {}},
      {"free ones are taken up to the share", {"", "", "", ""}, {"a/1"}, {0, 1}, {}},
      {"what is above the share is released", {"b/2", "b/2", "b/2", "b/2"}, {"c/1"}, {}, {2, 3}},
      {"the first by name have one more", {"b/2", "b/2", "b/2"}, {"c/1"}, {}, {2}},
      {"the last by name have one less", {"b/2", "b/2", "b/2"}, {"a/1"}, {}, {1, 2}},
      {"more daemons than partitions", {"a/1", ""}, {"a/1", "a2/1"}, {}, {}},
      {"no partitions", {}, {"a/1"}, {}, {}},
  };
  for (const Case& each : cases) {
    const LeasePlan planned = plan(seen(each.owners, each.others), now, timeout);
    EXPECT_EQ(planned.take, each.take) << each.title;
    EXPECT_EQ(planned.release, each.release) << each.title;
  }
}

TEST(LeasePlan, SharesOfAllDaemonsAddUpToEverything) {
  for (std::size_t partitions : {1u, 5u, 16u, 17u, 64u})
    for (std::size_t daemons = 1; daemons <= 9; ++daemons) {
      std::set<DaemonIdentity> all;
      for (std::size_t i = 0; i < daemons; ++i) all.insert({"daemon" + std::to_string(i), "1"});
      std::size_t sum = 0, least = partitions, most = 0;
      for (const DaemonIdentity& me : all) {
        Sightings sightings;
        sightings.me = me;
        sightings.others = all;
        sightings.others.erase(me);
        sightings.partitions.resize(partitions);
        const std::size_t share = plan(sightings, now, timeout).take.size();
        sum += share;
        least = std::min(least, share);
        most = std::max(most, share);
      }
      EXPECT_EQ(sum, partitions) << daemons;
      EXPECT_LE(most - least, 1u) << daemons;
    }
}

}  // namespace
}  // namespace billd::jobs
