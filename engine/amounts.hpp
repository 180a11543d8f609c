// What the lines of an invoice come to: what a discount takes off them, the taxes on them, and the total.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/account.hpp"
#include "engine/rules.hpp"

namespace billd {

/// numerator / denominator for each of the numerators, to whole numbers that add up to `whole`, which is the sum of the
/// shares rounded one way or the other. Each part is its share rounded towards zero; what is left over goes, one by
/// one, to those whose share was cut most, of equal ones to the earliest ("largest remainder method"). The shares fit
/// 64 bits; the denominator is positive.
std::vector<std::int64_t> parts_of(__int128 whole, std::span<const __int128> numerators, __int128 denominator);

/// numerator / denominator; a half goes away from zero. The denominator is positive.
__int128 rounded(__int128 numerator, __int128 denominator);

/// What the coupon would take off an invoice with these lines, all of it; 0 when there is nothing to take it from.
/// A share is rounded once for the invoice. An amount never takes more than there is, so that nothing becomes a credit.
/// Source: Stripe, "will have a final total of $0 if a coupon with an amount_off of $200 is applied".
std::int64_t discount_of(std::span<const InvoiceLine> lines, const CouponTerms& coupon);

/// How far an amount is from zero, and the amounts of the lines together.
__int128 magnitude_of(std::int64_t minor);
__int128 magnitude_of(std::span<const InvoiceLine> lines);

/// Whether the coupon may be taken from what is sold of the product.
bool applies_to(const CouponTerms& coupon, const ProductId& product);

/// What the coupon takes from what costs `cost` by itself.
std::int64_t discount_of(Money cost, const CouponTerms& coupon);

/// What each of the line's own discounts takes off it, the first one of the whole, each other of what is left.
/// Source: Stripe, "Item discounts are applied before invoice discounts".
std::vector<std::int64_t> own_discounts_of(const InvoiceLine& line);

/// Puts the invoice's lines, discounts, taxes and total in agreement: the lines' own discounts are taken off, what is
/// left gets its part of the invoice's in proportion, then come the taxes of each line's rates on what is left (none of
/// a customer who is exempt), then the total. amount_out_of_range when the magnitudes of the amounts and of the taxes
/// on top do not fit 64 bits together.
Result<void> settle_amounts(Invoice& invoice, TaxRounding rounding, TaxExempt exempt = TaxExempt::none);

}  // namespace billd
