// Discounts: what a coupon takes off, and the coupon as it was applied to a customer or a subscription.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/calendar.hpp"
#include "engine/ids.hpp"
#include "engine/money.hpp"

namespace billd {

/// How long a discount lasts. The numbers are stored: append only.
enum class CouponDuration : std::uint8_t {
  once,       ///< for the first invoice with something to take it from
  repeating,  ///< for what is invoiced within a number of months
  forever,
};

/// What a coupon takes off. It never changes.
struct CouponTerms {
  CouponId id;
  std::string name;
  Percentage percent_off;  ///< 0: it is an amount
  Money amount_off;        ///< zero, without currency: it is a share
  CouponDuration duration = CouponDuration::once;
  std::int32_t duration_in_months = 0;  ///< of a repeating one
  std::vector<ProductId> products;      ///< what it may be taken from; empty: everything

  bool operator==(const CouponTerms&) const = default;
};

/// A coupon applied. A subscription's goes before its customer's.
struct Discount {
  DiscountId id;
  SubscriptionId subscription;  ///< whose it is; empty: the customer's
  CouponTerms coupon;
  Timestamp start;
  std::optional<Timestamp> end;    ///< of a repeating one: invoices of this moment and later go without
  PromotionCodeId promotion_code;  ///< by which it came; empty: by the coupon itself

  bool operator==(const Discount&) const = default;
};

}  // namespace billd
