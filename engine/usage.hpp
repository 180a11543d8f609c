// What was used of a metered item, period by period.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/calendar.hpp"
#include "engine/ids.hpp"

namespace billd {

/// The quantity at one moment: all records of that moment together.
struct UsagePoint {
  Timestamp time;
  std::int64_t quantity = 0;

  bool operator==(const UsagePoint&) const = default;
};

/// The usage of one period. Of its moments the latest stand one by one; the earlier ones are only added up.
struct Usage {
  Period period;
  InvoiceId invoice;                      ///< that bills it; empty: none yet
  std::vector<UsagePoint> points;         ///< in the order of their time
  std::optional<Timestamp> folded_until;  ///< moments until here, this one included, are in the three below
  std::int64_t folded_sum = 0;
  std::int64_t folded_max = 0;
  std::int64_t folded_last = 0;

  bool operator==(const Usage&) const = default;
};

}  // namespace billd
