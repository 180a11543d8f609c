// The operator's billing rules: inputs of every decision, from the configuration.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "engine/calendar.hpp"

namespace billd {

/// What becomes of a subscription when the last automatic attempt on an invoice has failed.
enum class FinalAction : std::uint8_t { cancel, unpaid, past_due };

/// To what a change within a period is exact.
enum class ProrationUnit : std::uint8_t {
  second,
  day,  ///< of 24 hours from the period's start; a day that has begun counts as a whole one
};

struct Rules {
  /// How long a renewal's invoice stays a draft. Source: Stripe, about one hour.
  Duration invoice_finalize_delay = std::chrono::hours(1);
  /// The wait before each automatic retry, counted from the attempt before it. Source: Stripe's common 3, 5, 7 days.
  std::vector<Duration> retry_schedule = {std::chrono::days(3), std::chrono::days(5), std::chrono::days(7)};
  /// Source: Stripe prorates to the second.
  ProrationUnit proration_unit = ProrationUnit::second;
  FinalAction final_action = FinalAction::cancel;
  /// How long after its due date a sent invoice may stay unpaid until the final action. Source: Stripe, "canceled or
  /// unpaid if it is still not paid by an additional deadline after that"; 30 days is the first of its choices.
  Duration overdue_final_after = std::chrono::days(30);
  /// How long a subscription waits for its first payment. Source: Stripe, 23 hours.
  Duration incomplete_expires_after = std::chrono::hours(23);
  /// How long after sending a charge without an answer the gateway is asked again. Longer than the gateway's own time
  /// limit, so that two requests for one charge never run side by side.
  Duration charge_resolve_after = std::chrono::seconds(30);
  /// How long a gateway surely knows an idempotency key. Until then a charge may be sent again under its key; after
  /// that it is only looked up. Source: Stripe prunes keys after 24 hours; half of that leaves room for clocks.
  Duration charge_key_life = std::chrono::hours(12);
};

}  // namespace billd
