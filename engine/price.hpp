// Prices: what a quantity costs, by the unit, by tiers, in packages, ahead or by what was used.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/calendar.hpp"
#include "engine/ids.hpp"
#include "engine/money.hpp"

namespace billd {

/// How a tiered price counts. The numbers are stored: append only.
enum class TiersMode : std::uint8_t {
  none,       ///< not tiered: each unit costs the same
  graduated,  ///< each unit costs what its own tier says
  volume,     ///< all units cost what the tier of the whole quantity says
};

/// A tier begins behind the one before it.
struct Tier {
  std::int64_t up_to = 0;  ///< its last unit; 0: it has no end
  Decimal unit_amount;     ///< for each unit in it
  Decimal flat_amount;     ///< for the tier as a whole

  bool operator==(const Tier&) const = default;
};

/// What is billed is not the quantity but the packages that it fills.
struct QuantityTransform {
  std::int64_t divide_by = 0;  ///< the size of a package; 0: there are none
  bool round_up = false;       ///< a package that has begun counts; false: only full ones do

  bool operator==(const QuantityTransform&) const = default;
};

/// Where the quantity comes from. The numbers are stored: append only.
enum class UsageType : std::uint8_t {
  licensed,  ///< it is agreed, and billed ahead
  metered,   ///< it is recorded, and billed when the period is over
};

/// What the records of a period add up to. The numbers are stored: append only.
enum class Aggregation : std::uint8_t {
  sum,
  last_during_period,  ///< the latest record of the period
  last_ever,           ///< the latest record, of whichever period
  max,
};

/// Whether a price has the tax in it. The numbers are stored: append only.
enum class TaxBehavior : std::uint8_t { unspecified, exclusive, inclusive };

/// What was agreed to be paid, as it was on that day: later changes of the catalog do not reach it.
/// Source: https://docs.stripe.com/api/prices/object.
struct Price {
  PlanId id;
  ProductId product;
  std::string nickname;
  Money unit_amount;      ///< of a unit, or of a package; without meaning when it is tiered
  Recurrence recurrence;  ///< without meaning when it is paid once
  /// What the unit costs beyond unit_amount, in 10^-12 of the minor unit: at least 0, below 10^12.
  std::int64_t unit_fraction = 0;
  TiersMode tiers_mode = TiersMode::none;
  std::vector<Tier> tiers = {};  ///< ascending, the last one without an end
  QuantityTransform transform = {};
  UsageType usage_type = UsageType::licensed;
  Aggregation aggregation = Aggregation::sum;
  TaxBehavior tax_behavior = TaxBehavior::unspecified;
  bool one_time = false;  ///< it does not recur: for invoice items, not for subscriptions

  Currency currency() const { return unit_amount.currency; }
  Decimal unit_decimal() const { return {unit_amount.minor, unit_fraction}; }
  bool is_metered() const { return usage_type == UsageType::metered; }

  bool operator==(const Price&) const = default;
};

/// invalid_parameter (naming Stripe's parameter) when the price contradicts itself or is out of range.
Result<void> check_price(const Price& price);

/// What the quantity (0 or more) costs: added up to the last decimal and rounded once, a half away from zero.
/// amount_out_of_range beyond 64 bits.
Result<Money> cost_of(const Price& price, std::int64_t quantity);

}  // namespace billd
