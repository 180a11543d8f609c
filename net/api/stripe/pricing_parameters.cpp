#include "net/api/stripe/pricing_parameters.hpp"

#include <charconv>

#include "net/api/random_id.hpp"

namespace billd::api::stripe {
namespace {

/// Source: Stripe, "Maximum of three years interval allowed (3 years, 36 months, or 156 weeks)".
std::int64_t intervals_max(Interval interval) {
  switch (interval) {
    case Interval::day:
      return 1095;
    case Interval::week:
      return 156;
    case Interval::month:
      return 36;
    case Interval::year:
      return 3;
  }
  return 0;
}

/// Which of a parameter's names was given: the whole number or the decimals; both are refused, none is empty.
Result<std::string> amount_name(const Arguments& arguments, const std::string& whole) {
  const std::string decimals = whole + "_decimal";
  if (arguments.has(whole) && arguments.has(decimals))
    return Failure{Errc::invalid_parameter,
                   "Received both " + whole + " and " + decimals + " parameters. Please pass in only one.", whole};
  if (arguments.has(whole)) return whole;
  return arguments.has(decimals) ? decimals : std::string();
}

/// The amount of that name, whole or with decimals; 0 when it was not given.
Result<Decimal> read_amount(const Arguments& arguments, const std::string& whole) {
  auto name = amount_name(arguments, whole);
  if (!name) return name.error();
  if (name->empty()) return Decimal();
  if (*name == whole) return Decimal{*arguments.integer(whole), 0};
  return read_decimal(arguments, *name);
}

Result<Tier> read_tier(const Arguments& arguments) {
  Tier tier;
  const std::string up_to = arguments.text_or_empty("up_to");
  if (up_to != "inf") {
    const auto [end, error] = std::from_chars(up_to.data(), up_to.data() + up_to.size(), tier.up_to);
    if (error != std::errc() || end != up_to.data() + up_to.size() || tier.up_to < 1)
      return Failure{Errc::invalid_parameter, "Invalid tiers: `up_to` must be a positive integer or inf", "tiers"};
  }
  auto unit = read_amount(arguments, arguments.has("amount") ? "amount" : "unit_amount");
  if (!unit) return unit.error();
  auto flat = read_amount(arguments, "flat_amount");
  if (!flat) return flat.error();
  tier.unit_amount = *unit;
  tier.flat_amount = *flat;
  return tier;
}

/// The amount, the tiers and the packages, under the names of plans or of prices.
Result<void> read_scheme(const Arguments& arguments, const std::string& amount, const char* transform, Price& price) {
  price.unit_amount.currency = *Currency::parse(arguments.text_or_empty("currency"));
  auto given = amount_name(arguments, amount);
  if (!given) return given.error();
  const bool is_tiered = arguments.text_or_empty("billing_scheme") == "tiered";
  if (is_tiered) {
    if (!given->empty()) return Failure{Errc::invalid_parameter, "A tiered price has its amounts in `tiers`.", *given};
    for (const char* name : {"tiers", "tiers_mode"})
      if (!arguments.has(name))
        return Failure{Errc::missing_parameter, "Missing required param: " + std::string(name) + ".", name};
    price.tiers_mode = arguments.text_or_empty("tiers_mode") == "volume" ? TiersMode::volume : TiersMode::graduated;
    for (const Arguments& each : arguments.maps("tiers")) {
      auto tier = read_tier(each);
      if (!tier) return tier.error();
      price.tiers.push_back(*tier);
    }
  } else {
    for (const char* name : {"tiers", "tiers_mode"})
      if (arguments.has(name))
        return Failure{Errc::invalid_parameter, "`" + std::string(name) + "` needs `billing_scheme` to be tiered.",
                       name};
    if (given->empty()) return Failure{Errc::missing_parameter, "Missing required param: " + amount + ".", amount};
    auto unit = read_amount(arguments, amount);
    if (!unit) return unit.error();
    price.unit_amount.minor = unit->minor;
    price.unit_fraction = unit->fraction;
  }
  if (const auto packages = arguments.map(transform)) {
    price.transform.divide_by = *packages->integer("divide_by");
    price.transform.round_up = packages->text_or_empty("round") == "up";
  }
  return {};
}

Result<void> read_usage(const Arguments& arguments, Price& price) {
  if (arguments.text_or_empty("usage_type") == "metered") price.usage_type = UsageType::metered;
  const auto aggregation = arguments.text("aggregate_usage");
  if (!aggregation) return {};
  if (price.usage_type != UsageType::metered)
    return Failure{Errc::invalid_parameter, "`aggregate_usage` is for metered usage only.", "aggregate_usage"};
  for (std::size_t i = 0; i < aggregations.size(); ++i)
    if (aggregations[i] == *aggregation) price.aggregation = static_cast<Aggregation>(i);
  return {};
}

Result<Plan> read_common(const Arguments& arguments, Plan plan) {
  plan.nickname = arguments.text_or_empty("nickname");
  plan.active = arguments.boolean("active").value_or(true);
  auto metadata = arguments.metadata_over({});
  if (!metadata) return metadata.error();
  plan.metadata = std::move(*metadata);
  auto sound = check_price(plan);
  if (!sound) return sound.error();
  return plan;
}

}  // namespace

Result<Recurrence> read_recurrence(const Arguments& arguments) {
  auto interval = parse_interval(arguments.text_or_empty("interval"));
  if (!interval) return interval.error();
  const std::int64_t count = arguments.integer("interval_count").value_or(1);
  if (count > intervals_max(*interval))
    return Failure{Errc::invalid_parameter,
                   "Invalid interval_count: must be at most three years (3 years, 36 months, or 156 weeks)",
                   "interval_count"};
  return Recurrence{*interval, static_cast<std::int32_t>(count)};
}

Result<Decimal> read_decimal(const Arguments& arguments, std::string_view name) {
  const std::string given = arguments.text_or_empty(name);
  auto number = parse_decimal(given);
  if (!number) return Failure{Errc::invalid_parameter, "Invalid decimal: " + given, std::string(name)};
  return number;
}

Result<Percentage> read_percentage(const Arguments& arguments, std::string_view name) {
  const std::string given = arguments.text_or_empty(name);
  auto share = parse_percentage(given);
  if (!share)
    return Failure{Errc::invalid_parameter,
                   "Invalid decimal: " + given + "; must be between 0 and 100 with at most four decimals",
                   std::string(name)};
  return share;
}

Result<Plan> read_plan(const Arguments& arguments) {
  Plan plan;
  auto recurrence = read_recurrence(arguments);
  if (!recurrence) return recurrence.error();
  plan.recurrence = *recurrence;
  auto scheme = read_scheme(arguments, "amount", "transform_usage", plan);
  if (!scheme) return scheme.error();
  auto usage = read_usage(arguments, plan);
  if (!usage) return usage.error();
  plan.trial_period_days = static_cast<std::int32_t>(arguments.integer("trial_period_days").value_or(0));
  return read_common(arguments, std::move(plan));
}

Result<Plan> read_price(const Arguments& arguments) {
  Plan plan;
  auto scheme = read_scheme(arguments, "unit_amount", "transform_quantity", plan);
  if (!scheme) return scheme.error();
  if (const auto recurring = arguments.map("recurring")) {
    auto recurrence = read_recurrence(*recurring);
    if (!recurrence) return recurrence.error();
    plan.recurrence = *recurrence;
    auto usage = read_usage(*recurring, plan);
    if (!usage) return usage.error();
    plan.trial_period_days = static_cast<std::int32_t>(recurring->integer("trial_period_days").value_or(0));
  } else {
    plan.one_time = true;
  }
  const std::string behavior = arguments.text_or_empty("tax_behavior");
  for (std::size_t i = 0; i < tax_behaviors.size(); ++i)
    if (tax_behaviors[i] == behavior) plan.tax_behavior = static_cast<TaxBehavior>(i);
  return read_common(arguments, std::move(plan));
}

Result<Product> read_inline_product(const Arguments& arguments, Timestamp now) {
  Product product;
  product.id = arguments.has("id") ? ProductId(arguments.text_or_empty("id")) : random_id<ProductKind>();
  product.created = product.updated = now;
  product.name = arguments.text_or_empty("name");
  product.unit_label = arguments.text_or_empty("unit_label");
  product.statement_descriptor = arguments.text_or_empty("statement_descriptor");
  product.tax_code = arguments.text_or_empty("tax_code");
  product.active = arguments.boolean("active").value_or(true);
  auto metadata = arguments.metadata_over({});
  if (!metadata) return metadata.error();
  product.metadata = std::move(*metadata);
  return product;
}

}  // namespace billd::api::stripe
