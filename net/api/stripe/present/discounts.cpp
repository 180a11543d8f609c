// Discounts as Stripe shows them, with the coupon that was applied.
#include "net/api/stripe/present/words.hpp"
#include "net/api/stripe/presenter.hpp"

namespace billd::api::stripe {
namespace {

/// Whether the coupon is the one that was applied, and not a later one of its identifier.
bool is_of_terms(const Coupon& coupon, const CouponTerms& terms) {
  return coupon.percent_off == terms.percent_off && coupon.amount_off == terms.amount_off &&
         coupon.duration == terms.duration && coupon.duration_in_months == terms.duration_in_months;
}

}  // namespace

Coupon Presenter::agreed_coupon(const Discount& discount) const {
  const Coupon* known = known_.coupon(mode_, discount.coupon.id);
  if (known != nullptr && is_of_terms(*known, discount.coupon)) return *known;
  Coupon coupon;
  static_cast<CouponTerms&>(coupon) = discount.coupon;
  coupon.created = discount.start;
  coupon.deleted = true;
  return coupon;
}

Object& Presenter::discount(const Discount& discount, const CustomerId& customer) {
  Object& object = document_.object(12);
  object.add("id", id(discount.id));
  object.add("object", "discount");
  object.add("checkout_session", nullptr);
  object.add("coupon", coupon(agreed_coupon(discount), known_.now()));
  object.add("customer", id(customer));
  object.add("end", time_or_null(discount.end));
  object.add("invoice", nullptr);
  object.add("invoice_item", nullptr);
  object.add("promotion_code", id_or_null(discount.promotion_code));
  object.add("start", time(discount.start));
  object.add("subscription", id_or_null(discount.subscription));
  return object;
}

Value Presenter::discount_or_null(const std::optional<Discount>& discount, const CustomerId& customer) {
  return discount ? Value(this->discount(*discount, customer)) : Value();
}

Array& Presenter::discount_amounts(const std::optional<Discount>& discount, std::int64_t amount) {
  Array& amounts = document_.array(1);
  if (!discount || amount == 0) return amounts;
  Object& object = document_.object(2);
  object.add("amount", amount);
  object.add("discount", id(discount->id));
  amounts.add(object);
  return amounts;
}

}  // namespace billd::api::stripe
