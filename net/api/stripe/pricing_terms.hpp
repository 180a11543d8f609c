// What requests say of coupons and taxes: the same of customers, subscriptions, invoices and their items.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "net/api/stripe/known.hpp"

namespace billd::api::stripe {

/// One of discounts[]. An invoice item has several; customers, subscriptions and invoices have one at a time.
inline constexpr std::array discount_rules = {text("coupon"), text("promotion_code"), text("discount")};
inline constexpr std::array redemption_rules = {
    text("coupon").clearable(),
    text("promotion_code").clearable(),
    list("discounts", discount_rules).clearable(),
};

/// The coupon that the request applies, by itself, by a promotion code or as the only one of discounts[]; empty: the
/// request says nothing of it, or names the discount that there is (`current`). Empty inside: there is to be none.
/// not_found for a coupon or code that is not there, and invalid_parameter for more than one.
awaitable<Result<std::optional<std::optional<Redemption>>>> read_redemption(Services& services, const Call& call,
                                                                            Arguments arguments,
                                                                            std::optional<Discount> current);

/// All discounts of an invoice item, in their order; empty: the request says nothing of them. Failures name
/// discounts[], which is at `path`.
awaitable<Result<std::optional<std::vector<ItemDiscount>>>> read_item_discounts(Services& services, const Call& call,
                                                                                Arguments arguments, std::string path);

/// A percentage or the identifiers of tax rates, under the names with that prefix.
template <std::size_t count>
constexpr std::array<Rule, 2> tax_rules(const std::array<std::string_view, count>& names) {
  return {text(names[0], 32).clearable(), list(names[1]).clearable()};
}
inline constexpr std::array<std::string_view, 2> tax_names = {"tax_percent", "default_tax_rates"};
inline constexpr std::array<std::string_view, 2> tried_tax_names = {"subscription_tax_percent",
                                                                    "subscription_default_tax_rates"};

/// The tax rates of these identifiers; not_found or invalid_parameter, naming the parameter, when one of them is not
/// there or takes nothing new.
awaitable<Result<std::vector<AppliedTaxRate>>> find_tax_rates(Services& services, Mode mode,
                                                              std::vector<std::string> ids, std::string parameter);

/// The rates that the request gives under that name; empty: it says nothing of it. An empty list takes them away.
awaitable<Result<std::optional<std::vector<AppliedTaxRate>>>> read_tax_rates(Services& services, const Call& call,
                                                                             Arguments arguments, std::string name);

/// The same by `<prefix>default_tax_rates`, or as a bare `<prefix>tax_percent`.
awaitable<Result<std::optional<std::vector<AppliedTaxRate>>>> read_taxes(Services& services, const Call& call,
                                                                         Arguments arguments, std::string prefix);

}  // namespace billd::api::stripe
