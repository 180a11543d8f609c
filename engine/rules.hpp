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

/// Where a tax is rounded to whole minor units, a half away from zero in either case.
enum class TaxRounding : std::uint8_t {
  line,     ///< each line's taxes by themselves
  invoice,  ///< each rate once for the invoice; its lines get their share of it
};

struct Rules {
  /// How long a renewal's invoice stays a draft. Source: Stripe, about one hour.
  Duration invoice_finalize_delay = std::chrono::hours(1);
  /// How long after it was drawn up a draft waits at most for the webhook that tells of it to be delivered; zero: it
  /// waits for none. Source: Stripe, "if it doesn't succeed within 72 hours, Stripe attempts to finalize the invoice
  /// anyway".
  Duration invoice_notice_wait_max = std::chrono::hours(72);
  /// The wait before each automatic retry, counted from the attempt before it. Source: Stripe's common 3, 5, 7 days.
  std::vector<Duration> retry_schedule = {std::chrono::days(3), std::chrono::days(5), std::chrono::days(7)};
  /// Source: Stripe prorates to the second.
  ProrationUnit proration_unit = ProrationUnit::second;
  /// Source: Stripe rounds each line's tax, and can be set to round at the invoice.
  TaxRounding tax_rounding = TaxRounding::line;
  FinalAction final_action = FinalAction::cancel;
  /// How long after its due date a sent invoice may stay unpaid until the final action. Source: Stripe, "canceled or
  /// unpaid if it is still not paid by an additional deadline after that"; 30 days is the first of its choices.
  Duration overdue_final_after = std::chrono::days(30);
  /// How long before a renewal its invoice is announced; zero: not at all. Source: Stripe's invoice.upcoming, "a few
  /// days prior to the renewal".
  Duration upcoming_notice = Duration(0);
  /// How long a subscription waits for its first payment. Source: Stripe, 23 hours.
  Duration incomplete_expires_after = std::chrono::hours(23);
  /// How long after sending a charge without an answer the gateway is asked again. Longer than the gateway's own time
  /// limit, so that two requests for one charge never run side by side. While it stays silent, each wait is as long as
  /// all before it together, up to charge_resolve_max.
  Duration charge_resolve_after = std::chrono::seconds(30);
  Duration charge_resolve_max = std::chrono::hours(1);
  /// How long a gateway surely knows an idempotency key. Until then a charge may be sent again under its key; after
  /// that it is only looked up. Source: Stripe prunes keys after 24 hours; half of that leaves room for clocks.
  Duration charge_key_life = std::chrono::hours(12);
  /// How long after a charge became pending its gateway is asked first, and the longest wait between two questions; a
  /// webhook may bring the answer before. Source: Stripe, a bank debit takes some four business days.
  Duration charge_pending_poll_after = std::chrono::minutes(10);
  Duration charge_pending_poll_max = std::chrono::hours(6);
  /// A charge that is pending for longer is parked. Source: the return of an unauthorized bank debit takes at most 60
  /// days, one for any other reason a few.
  Duration charge_pending_limit = std::chrono::days(30);
  /// How long a subscription that is renewed by a webhook waits for it after its period's end.
  Duration renewal_grace = std::chrono::days(3);
};

}  // namespace billd
