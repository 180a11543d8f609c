// Adding up usage in bounded space.
#include "engine/usage.hpp"

#include <algorithm>

namespace billd {
namespace {

Failure too_much() { return {Errc::amount_out_of_range, "the usage does not fit 64 bits"}; }

Result<std::int64_t> applied(std::int64_t before, std::int64_t quantity, UsageAction action) {
  if (action == UsageAction::set) return quantity;
  std::int64_t sum = 0;
  if (__builtin_add_overflow(before, quantity, &sum)) return too_much();
  return sum;
}

void fold_first(Usage& usage) {
  const UsagePoint point = usage.points.front();
  usage.points.erase(usage.points.begin());
  usage.folded_sum += point.quantity;
  usage.folded_max = std::max(usage.folded_max, point.quantity);
  usage.folded_last = point.quantity;
  usage.folded_until = point.time;
}

/// A record of a moment that does not stand by itself any more.
Result<void> record_folded(Usage& usage, const UsagePoint& point, UsageAction action, Aggregation aggregation) {
  const bool is_latest = point.time == *usage.folded_until;
  switch (aggregation) {
    case Aggregation::sum: {
      if (action == UsageAction::set) break;
      auto sum = applied(usage.folded_sum, point.quantity, action);
      if (!sum) return sum.error();
      usage.folded_sum = *sum;
      return {};
    }
    case Aggregation::last_during_period:
    case Aggregation::last_ever: {
      if (!is_latest) return {};  // A later moment says what counts.
      auto last = applied(usage.folded_last, point.quantity, action);
      if (!last) return last.error();
      usage.folded_last = *last;
      return {};
    }
    case Aggregation::max:
      // Whatever the moment had, it has this now, and nothing has more.
      if (action != UsageAction::set || point.quantity < usage.folded_max) break;
      usage.folded_max = point.quantity;
      return {};
  }
  return Failure{Errc::invalid_parameter,
                 "The usage at this timestamp can no longer be changed: of a period, the latest " +
                     std::to_string(usage_points_max) + " timestamps can.",
                 "timestamp"};
}

/// All of it together must fit, so that folding never fails.
Result<void> check_sum(const Usage& usage) {
  std::int64_t sum = usage.folded_sum;
  for (const UsagePoint& point : usage.points)
    if (__builtin_add_overflow(sum, point.quantity, &sum)) return too_much();
  return {};
}

}  // namespace

std::int64_t aggregate(const Usage& usage, Aggregation aggregation) {
  std::int64_t sum = usage.folded_sum, most = usage.folded_max;
  for (const UsagePoint& point : usage.points) {
    sum += point.quantity;
    most = std::max(most, point.quantity);
  }
  switch (aggregation) {
    case Aggregation::sum:
      return sum;
    case Aggregation::last_during_period:
    case Aggregation::last_ever:
      return usage.points.empty() ? usage.folded_last : usage.points.back().quantity;
    case Aggregation::max:
      return most;
  }
  return 0;
}

bool has_records(const Usage& usage) { return usage.folded_until || !usage.points.empty(); }

Result<void> record(Usage& usage, UsagePoint point, UsageAction action, Aggregation aggregation) {
  if (usage.folded_until && point.time <= *usage.folded_until) {
    auto done = record_folded(usage, point, action, aggregation);
    return done ? check_sum(usage) : done;
  }
  auto place = std::ranges::lower_bound(usage.points, point.time, {}, &UsagePoint::time);
  if (place == usage.points.end() || place->time != point.time) {
    usage.points.insert(place, point);
  } else {
    auto quantity = applied(place->quantity, point.quantity, action);
    if (!quantity) return quantity.error();
    place->quantity = *quantity;
  }
  auto fits = check_sum(usage);
  if (!fits) return fits.error();
  if (usage.points.size() > usage_points_max) fold_first(usage);
  return {};
}

void fold(Usage& usage) {
  while (!usage.points.empty()) fold_first(usage);
}

}  // namespace billd
