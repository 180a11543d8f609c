// Prices that a request describes on its way to something else (price_data), and what is billed once with it.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "net/api/stripe/pricing_parameters.hpp"
#include "net/api/stripe/reply.hpp"

namespace billd::api::stripe {

inline constexpr std::array inline_recurrence_rules = {
    choice("interval", intervals).required(),
    integer("interval_count", 1, 1096),
};
/// Of something that is billed once; a negative amount is a credit.
inline constexpr std::array inline_price_rules = {
    currency("currency").required(),
    text("product").required(),
    integer("unit_amount", -amount_max, amount_max),
    text("unit_amount_decimal", 32),
    choice("tax_behavior", tax_behaviors),
};
/// Of an item of a subscription.
inline constexpr std::array inline_recurring_price_rules =
    inline_price_rules + std::array{map("recurring", inline_recurrence_rules).required()};

/// add_invoice_items
inline constexpr std::array one_time_item_rules = {
    text("price"),
    map("price_data", inline_price_rules),
    integer("quantity", 1, 1'000'000'000),
};

/// The price described at `path`, of a product that is there. It takes no other subscriptions, like Stripe's. From now
/// on it is known, and carry_out_with_prices() puts it into the catalog.
Result<PlanId> describe_price(const Services& services, const Call& call, Known& known, const Arguments& described,
                              const std::string& path);

/// The price that `arguments`, which stand at `path`, name or describe for something that is billed once; nullptr when
/// they do neither.
awaitable<Result<const Plan*>> load_one_time_price(Services& services, const Call& call, Known& known,
                                                   Arguments arguments, std::string path);

/// The list of that name, each of its elements with a price.
awaitable<Result<std::vector<OneTimeItem>>> read_one_time_items(Services& services, const Call& call, Known& known,
                                                                Arguments arguments, std::string name);

/// carry_out(), with the prices that the request describes: a command that would be refused leaves none behind.
awaitable<Result<Outcome>> carry_out_with_prices(Services& services, const Call& call, Task task);

}  // namespace billd::api::stripe
