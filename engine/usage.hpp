// What was used of a metered item, period by period.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "engine/calendar.hpp"
#include "engine/ids.hpp"
#include "engine/price.hpp"
#include "engine/result.hpp"

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

/// What becomes of the quantity that a moment has already. Source: Stripe's `action` of a usage record.
enum class UsageAction : std::uint8_t { increment, set };

/// So many moments of a period stand one by one; only they can be set anew.
inline constexpr std::size_t usage_points_max = 32;
/// So many periods of an item are kept, the current one among them; what earlier ones came to stands on their invoices.
inline constexpr std::size_t usage_periods_max = 12;

/// What the records of the period add up to; 0 when there are none.
std::int64_t aggregate(const Usage& usage, Aggregation aggregation);

/// Whether anything was recorded.
bool has_records(const Usage& usage);

/// Adds a record of a moment in the period. invalid_parameter (timestamp) when the moment is so early among the others
/// that its quantity is not known any more and would be needed; amount_out_of_range beyond 64 bits.
Result<void> record(Usage& usage, UsagePoint point, UsageAction action, Aggregation aggregation);

/// Nothing is recorded any more: the moments need not stand one by one.
void fold(Usage& usage);

}  // namespace billd
