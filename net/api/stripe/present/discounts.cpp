// Discounts as Stripe shows them, with the coupon as it was applied.
#include "net/api/stripe/present/words.hpp"
#include "net/api/stripe/presenter.hpp"

namespace billd::api::stripe {
namespace {

std::string_view duration_text(CouponDuration duration) {
  switch (duration) {
    case CouponDuration::once:
      return "once";
    case CouponDuration::repeating:
      return "repeating";
    case CouponDuration::forever:
      return "forever";
  }
  return "";
}

}  // namespace

Object& Presenter::discount(const Discount& discount, const CustomerId& customer) {
  const CouponTerms& terms = discount.coupon;
  const bool is_share = !terms.percent_off.is_zero();
  Object& coupon = document_.object(9);
  coupon.add("id", id(terms.id));
  coupon.add("object", "coupon");
  coupon.add("amount_off", is_share ? Value() : Value(terms.amount_off.minor));
  coupon.add("currency", is_share ? Value() : document_.text(terms.amount_off.currency.code()));
  coupon.add("duration", document_.text(duration_text(terms.duration)));
  coupon.add("duration_in_months",
             terms.duration == CouponDuration::repeating ? Value(terms.duration_in_months) : Value());
  coupon.add("livemode", mode_ == Mode::live);
  coupon.add("name", document_.text_or_null(terms.name));
  coupon.add("percent_off", is_share ? document_.number(billd::to_text(terms.percent_off)) : Value());
  Object& object = document_.object(8);
  object.add("id", id(discount.id));
  object.add("object", "discount");
  object.add("coupon", coupon);
  object.add("customer", id(customer));
  object.add("end", time_or_null(discount.end));
  object.add("promotion_code", id_or_null(discount.promotion_code));
  object.add("start", time(discount.start));
  object.add("subscription", id_or_null(discount.subscription));
  return object;
}

}  // namespace billd::api::stripe
