// Objects outside any account: products, plans, coupons, promotion codes, tax rates and test clocks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/account.hpp"

namespace billd {

/// What is sold. Source: https://docs.stripe.com/api/products/object.
struct Product {
  ProductId id;
  Timestamp created, updated;
  std::string name, description;
  bool active = true;
  std::string type = "service";  ///< service or good
  std::string statement_descriptor, unit_label, tax_code, url;
  std::vector<std::string> images, attributes;
  PlanId default_price;  ///< empty: none
  Metadata metadata;
  bool deleted = false;  ///< kept, because invoices show their product for ever

  bool operator==(const Product&) const = default;
};

/// A price with what the catalog knows of it: Stripe's plan and its price are two faces of it. What is agreed (the
/// Price in it) never changes after creation, except for the nickname and an unspecified tax behavior.
struct Plan : Price {
  Timestamp created;
  std::string product_name;  ///< for people, on invoices
  std::int32_t trial_period_days = 0;
  bool active = true;  ///< an inactive plan takes no new subscriptions
  Metadata metadata;
  bool deleted = false;    ///< kept, because invoices show their plan for ever
  std::string lookup_key;  ///< finds it; empty: none

  const Price& price() const { return *this; }

  bool operator==(const Plan&) const = default;
};

/// A coupon with its limits, which hold for new redemptions only.
/// Source: https://docs.stripe.com/api/coupons/object.
struct Coupon : CouponTerms {
  Timestamp created;
  std::int64_t max_redemptions = 0;    ///< 0: any number
  std::optional<Timestamp> redeem_by;  ///< the last moment
  Metadata metadata;
  bool deleted = false;  ///< discounts of it go on

  const CouponTerms& terms() const { return *this; }

  bool operator==(const Coupon&) const = default;
};

/// What customers type to get a coupon, with limits of its own beside the coupon's.
/// Source: https://docs.stripe.com/api/promotion_codes/object.
struct PromotionCode {
  PromotionCodeId id;
  Timestamp created;
  CouponId coupon;
  std::string code;  ///< among the active ones of a mode it stands once, whatever the case of its letters
  bool active = true;
  CustomerId customer;  ///< who alone may use it; empty: anybody
  std::optional<Timestamp> expires_at;
  std::int64_t max_redemptions = 0;     ///< 0: any number
  bool first_time_transaction = false;  ///< only for customers who have paid nothing yet
  Money minimum_amount;                 ///< of what is bought with it; zero: any
  Metadata metadata;

  bool operator==(const PromotionCode&) const = default;
};

/// Percentage and inclusion never change; what is not to be used any more is made inactive.
/// Source: https://docs.stripe.com/api/tax_rates/object.
struct TaxRate {
  TaxRateId id;
  Timestamp created;
  Percentage percentage;
  bool inclusive = false;
  bool active = true;
  std::string display_name, description, jurisdiction, country, state, tax_type;
  Metadata metadata;

  AppliedTaxRate applied() const { return {id, percentage, inclusive}; }

  bool operator==(const TaxRate&) const = default;
};

enum class TestClockStatus : std::uint8_t { ready, advancing };

/// A clock of its own for test customers: time stands still until it is advanced.
/// Source: https://docs.stripe.com/api/test_clocks.
struct TestClock {
  TestClockId id;
  std::string name;
  Timestamp created;      ///< real time
  Timestamp frozen_time;  ///< what its customers take for now
  TestClockStatus status = TestClockStatus::ready;
  Timestamp advancing_to;   ///< while advancing: the frozen_time to be
  Timestamp deletes_after;  ///< real time; 30 days after creation

  bool operator==(const TestClock&) const = default;
};

}  // namespace billd
