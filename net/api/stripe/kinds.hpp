// The kinds of objects that the API answers, and which of their members lead to others.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace billd::api::stripe {

enum class Kind : std::uint8_t {
  nothing,  ///< of members that billd always answers with null
  customer,
  card,  ///< or a bank account
  token,
  payment_method,
  invoice_settings,  ///< a part of the customer that only leads on
  subscription,
  subscription_item,
  plan,
  price,
  product,
  invoice,
  line_item,
  invoice_item,
  coupon,
  promotion_code,
  discount,
  tax_rate,
  tax_id,
  pending_update,  ///< a part of the subscription that only leads on
  charge,
  refund,
  credit_note,
  balance_transaction,
  schedule,
  phase,       ///< a part of the schedule that only leads on
  phase_item,  ///< likewise
  payment_intent,
  setup_intent,
  event,
  test_clock,
};

/// One object, or a list of them.
struct Shape {
  Kind kind = Kind::nothing;
  bool is_list = false;

  constexpr bool operator==(const Shape&) const = default;
};

/// A member that may be expanded, or that is embedded already and leads on.
struct Link {
  Kind from;
  std::string_view member;
  Shape to;
};

/// Every link of every kind. Source: x-expandableFields of Stripe's OpenAPI descriptions.
std::span<const Link> links();

/// nullptr when the member cannot be expanded.
const Link* find_link(Kind from, std::string_view member);

}  // namespace billd::api::stripe
