// What prices accept, and what they come to.
#include "engine/price.hpp"

#include <algorithm>
#include <limits>

namespace billd {
namespace {

using Wide = __int128;

constexpr std::size_t tiers_max = 100;

Failure invalid(std::string detail, std::string parameter) {
  return {Errc::invalid_parameter, std::move(detail), std::move(parameter)};
}

/// A sum of minor units and of 10^-12 of them, each exact: quantities of 63 bits times amounts of 40 stay far below
/// 127.
struct Sum {
  Wide minor = 0, fraction = 0;

  void add(Decimal amount, std::int64_t times) {
    minor += static_cast<Wide>(amount.minor) * times;
    fraction += static_cast<Wide>(amount.fraction) * times;
  }

  Result<Money> rounded(Currency currency) const {
    Wide whole = minor + fraction / Decimal::unit;
    const Wide rest = fraction % Decimal::unit;
    // Of a negative amount the fraction counts upwards all the same: half of it is away from zero below -0.5.
    if (whole < 0 ? 2 * rest > Decimal::unit : 2 * rest >= Decimal::unit) whole += 1;
    if (whole > std::numeric_limits<std::int64_t>::max() || whole < std::numeric_limits<std::int64_t>::min())
      return Failure{Errc::amount_out_of_range, "the cost does not fit 64 bits"};
    return Money{static_cast<std::int64_t>(whole), currency};
  }
};

/// The packages that the quantity fills, or the quantity.
std::int64_t units_of(const QuantityTransform& transform, std::int64_t quantity) {
  if (transform.divide_by == 0) return quantity;
  const bool has_begun = transform.round_up && quantity % transform.divide_by != 0;
  return quantity / transform.divide_by + (has_begun ? 1 : 0);
}

bool is_within(const Tier& tier, std::int64_t quantity) { return tier.up_to == 0 || quantity <= tier.up_to; }

/// Source: Stripe, each tier's units at its own price; a tier's flat amount is due with its first unit, and that of the
/// first tier in any case.
Sum graduated(const std::vector<Tier>& tiers, std::int64_t quantity) {
  Sum sum;
  std::int64_t before = 0;
  for (const Tier& tier : tiers) {
    const std::int64_t end = is_within(tier, quantity) ? quantity : tier.up_to;
    sum.add(tier.unit_amount, end - before);
    sum.add(tier.flat_amount, 1);
    if (end == quantity) break;
    before = end;
  }
  return sum;
}

/// Source: Stripe, "the maximum quantity within a period determines the per unit price".
Sum volume(const std::vector<Tier>& tiers, std::int64_t quantity) {
  const auto tier = std::ranges::find_if(tiers, [&](const Tier& each) { return is_within(each, quantity); });
  Sum sum;
  sum.add(tier->unit_amount, quantity);
  sum.add(tier->flat_amount, 1);
  return sum;
}

Result<void> check_decimal(Decimal amount, std::string_view parameter) {
  if (amount.minor < 0) return invalid("This value must be greater than or equal to 0.", std::string(parameter));
  if (amount.fraction < 0 || amount.fraction >= Decimal::unit)
    return invalid("An amount has at most twelve decimals.", std::string(parameter));
  return {};
}

Result<void> check_tiers(const Price& price) {
  if (price.tiers_mode == TiersMode::none) {
    if (price.tiers.empty()) return {};
    return invalid("Only a price whose `billing_scheme` is `tiered` has tiers.", "tiers");
  }
  if (price.tiers.empty()) return invalid("A tiered price needs tiers.", "tiers");
  if (price.tiers.size() > tiers_max) return invalid("A price can have at most 100 tiers.", "tiers");
  // Source: Stripe, packages cannot be combined with tiers.
  if (price.transform.divide_by != 0)
    return invalid("A tiered price does not transform its quantity.", "transform_quantity");
  std::int64_t before = 0;
  for (const Tier& tier : price.tiers) {
    const bool is_last = &tier == &price.tiers.back();
    if (is_last != (tier.up_to == 0)) return invalid("The last tier, and it alone, is `up_to` `inf`.", "tiers");
    if (!is_last && tier.up_to <= before) return invalid("Each tier must end behind the one before it.", "tiers");
    auto unit = check_decimal(tier.unit_amount, "tiers");
    if (!unit) return unit.error();
    auto flat = check_decimal(tier.flat_amount, "tiers");
    if (!flat) return flat.error();
    before = tier.up_to;
  }
  return {};
}

}  // namespace

Result<void> check_price(const Price& price) {
  if (price.currency().is_none()) return invalid("A price needs a currency.", "currency");
  auto unit = check_decimal(price.unit_decimal(), "unit_amount");
  if (!unit) return unit.error();
  auto tiers = check_tiers(price);
  if (!tiers) return tiers.error();
  if (price.transform.divide_by < 0)
    return invalid("This value must be greater than or equal to 1.", "transform_quantity");
  if (price.one_time && price.is_metered()) return invalid("A price that is paid once cannot be metered.", "recurring");
  if (price.aggregation != Aggregation::sum && !price.is_metered())
    return invalid("Only a metered price aggregates usage.", "aggregate_usage");
  if (price.one_time) return {};
  return check_recurrence(price.recurrence);
}

Result<Money> cost_of(const Price& price, std::int64_t quantity) {
  BILLD_CHECK(quantity >= 0, "a negative quantity");
  switch (price.tiers_mode) {
    case TiersMode::graduated:
      return graduated(price.tiers, quantity).rounded(price.currency());
    case TiersMode::volume:
      return volume(price.tiers, quantity).rounded(price.currency());
    case TiersMode::none:
      break;
  }
  Sum sum;
  sum.add(price.unit_decimal(), units_of(price.transform, quantity));
  return sum.rounded(price.currency());
}

}  // namespace billd
