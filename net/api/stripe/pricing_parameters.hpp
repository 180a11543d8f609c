// What requests say of the price of something: the same for plans and for prices, under two sets of names.
#pragma once

#include <array>
#include <string>

#include "net/api/stripe/known.hpp"

namespace billd::api::stripe {

/// Source: https://stripe.com/docs/api/plans/create.
inline constexpr std::int64_t amount_max = 99'999'999;
inline constexpr std::int64_t plan_trial_days_max = 730;

inline constexpr std::array<std::string_view, 4> intervals = {"day", "week", "month", "year"};
inline constexpr std::array<std::string_view, 2> billing_schemes = {"per_unit", "tiered"};
inline constexpr std::array<std::string_view, 2> usage_types = {"licensed", "metered"};
inline constexpr std::array<std::string_view, 4> aggregations = {"sum", "last_during_period", "last_ever", "max"};
inline constexpr std::array<std::string_view, 2> tiers_modes = {"graduated", "volume"};
inline constexpr std::array<std::string_view, 3> tax_behaviors = {"unspecified", "exclusive", "inclusive"};
inline constexpr std::array<std::string_view, 2> roundings = {"down", "up"};

/// A tier; `amount` is what unit_amount was called first.
inline constexpr std::array tier_rules = {
    text("up_to", 20).required(),          integer("flat_amount", 0, amount_max), text("flat_amount_decimal", 32),
    integer("unit_amount", 0, amount_max), text("unit_amount_decimal", 32),       integer("amount", 0, amount_max),
};
inline constexpr std::array transform_rules = {
    integer("divide_by", 1, 1'000'000'000).required(),
    choice("round", roundings).required(),
};
inline constexpr std::array recurring_rules = {
    choice("interval", intervals).required(),
    integer("interval_count", 1, 1096),
    choice("usage_type", usage_types),
    choice("aggregate_usage", aggregations),
    integer("trial_period_days", 0, plan_trial_days_max),
};
/// A product described on the way.
inline constexpr std::array inline_product_rules = {
    text("id", 250),
    text("name").required(),
    text("unit_label", 12).clearable(),
    text("statement_descriptor", 22).clearable(),
    text("tax_code").clearable(),
    boolean("active"),
    metadata(),
};

/// The interval and its count; both stand in `arguments`.
Result<Recurrence> read_recurrence(const Arguments& arguments);

/// A text of decimals; `name` is for the error.
Result<Decimal> read_decimal(const Arguments& arguments, std::string_view name);
Result<Percentage> read_percentage(const Arguments& arguments, std::string_view name);

/// The price of /v1/plans: amount, interval and the rest at the top.
Result<Plan> read_plan(const Arguments& arguments);
/// The price of /v1/prices: unit_amount, and `recurring` unless it is paid once.
Result<Plan> read_price(const Arguments& arguments);

/// A product described by `inline_product_rules`.
Result<Product> read_inline_product(const Arguments& arguments, Timestamp now);

}  // namespace billd::api::stripe
