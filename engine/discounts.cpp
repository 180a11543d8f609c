// Coupons applied: what may be redeemed, which discount an invoice gets, and when it is used up.
#include <algorithm>

#include "engine/amounts.hpp"
#include "engine/change.hpp"

namespace billd {
namespace {

Result<void> check_coupon(const Change& change, const Coupon& coupon, const std::string& parameter) {
  if (coupon.deleted) return Failure{Errc::not_found, "No such coupon: " + coupon.id.value(), parameter};
  if (coupon.redeem_by && change.now > *coupon.redeem_by)
    return wrong("This coupon has expired: " + coupon.id.value(), parameter);
  if (coupon.percent_off.is_zero() == (coupon.amount_off.minor == 0))
    return wrong("A coupon takes off either a share or an amount.", parameter);
  return {};
}

/// Source: Stripe, a code is refused to customers "who have any prior payments or non-void invoices".
bool has_bought_before(const Account& account) { return account.invoices_numbered > 0; }

Result<void> check_code(Change& change, const PromotionCode& code, const Coupon& coupon, const Money* purchase) {
  const std::string parameter = "promotion_code";
  const std::string id = code.id.value();
  if (code.coupon != coupon.id) return wrong("The promotion code is of another coupon: " + id, parameter);
  if (!code.active) return wrong("This promotion code is not active: " + id, parameter);
  if (code.expires_at && change.now >= *code.expires_at)
    return wrong("This promotion code has expired: " + id, parameter);
  if (!code.customer.is_empty() && code.customer != change.customer().id)
    return wrong("This promotion code is for another customer: " + id, parameter);
  if (code.first_time_transaction && has_bought_before(change.account()))
    return wrong("This promotion code is for customers who have bought nothing yet: " + id, parameter);
  if (code.minimum_amount.minor == 0 || purchase == nullptr) return {};
  if (purchase->currency != code.minimum_amount.currency || purchase->minor < code.minimum_amount.minor)
    return wrong("This promotion code needs a purchase of " + to_text(code.minimum_amount) + " at least: " + id,
                 parameter);
  return {};
}

/// Whose discount it is.
std::optional<Discount>* place_of(Change& change, const SubscriptionId& subscription) {
  if (subscription.is_empty()) return &change.customer().discount;
  Subscription* found = change.account().find(subscription);
  return found != nullptr ? &found->discount : nullptr;
}

bool is_announced(Change& change, const SubscriptionId& subscription) {
  if (subscription.is_empty()) return true;
  const Subscription* found = change.account().find(subscription);
  return found != nullptr && !found->provisional;
}

void tell(Change& change, EventType type, const Discount& discount) {
  change.touch();
  if (is_announced(change, discount.subscription)) change.emit({type}, discount);
}

}  // namespace

bool is_in_effect(const Discount& discount, Timestamp time) {
  return discount.start <= time && (!discount.end || time < *discount.end);
}

Result<Discount> redeem(Change& change, const Redemption& redemption, const SubscriptionId& subscription,
                        const Money* purchase) {
  const Coupon& coupon = redemption.coupon;
  const std::string parameter = redemption.promotion_code ? "promotion_code" : "coupon";
  auto coupon_is_fine = check_coupon(change, coupon, parameter);
  if (!coupon_is_fine) return coupon_is_fine.error();
  if (redemption.promotion_code) {
    auto code_is_fine = check_code(change, *redemption.promotion_code, coupon, purchase);
    if (!code_is_fine) return code_is_fine.error();
  }
  if (coupon.amount_off.minor != 0) {
    const Currency agreed = purchase != nullptr ? purchase->currency : currency_of(change.account());
    if (!agreed.is_none() && agreed != coupon.amount_off.currency) return mixed_currencies(agreed);
  }
  Discount discount;
  discount.id = change.draw_id<DiscountKind>();
  discount.coupon = coupon.terms();
  discount.start = whole_second(change.now);
  if (coupon.duration == CouponDuration::repeating)
    discount.end = boundary(discount.start, {Interval::month, 1}, coupon.duration_in_months);
  discount.subscription = subscription;
  CouponClaim claim{coupon.id, coupon.created, coupon.max_redemptions, {}, 0};
  if (redemption.promotion_code) {
    discount.promotion_code = claim.promotion_code = redemption.promotion_code->id;
    claim.promotion_code_max = redemption.promotion_code->max_redemptions;
  }
  change.claim(std::move(claim));
  return discount;
}

void put_discount(Change& change, std::optional<Discount>& place, std::optional<Discount> discount) {
  if (!place && !discount) return;
  const std::optional<Discount> before = std::exchange(place, std::move(discount));
  if (!before)
    tell(change, EventType::customer_discount_created, *place);
  else if (!place)
    tell(change, EventType::customer_discount_deleted, *before);
  else if (is_announced(change, place->subscription))
    change.emit_update(EventType::customer_discount_updated, *before, *place);
}

const Discount* discount_in_effect(const Customer& customer, const Subscription* subscription, Timestamp time) {
  // Source: Stripe, "a discount applied to a subscription overrides a discount applied on a customer-wide basis".
  if (subscription != nullptr && subscription->discount && is_in_effect(*subscription->discount, time))
    return &*subscription->discount;
  if (customer.discount && is_in_effect(*customer.discount, time)) return &*customer.discount;
  return nullptr;
}

namespace {

/// An invoice of the cycle is dated where its period begins, however late it is drawn up.
Timestamp date_of(const Invoice& invoice) {
  return invoice.is_of_cycle() ? invoice.period.end : whole_second(invoice.created);
}

/// What has ended by then is taken away.
void drop_ended(Change& change, std::optional<Discount>& place, Timestamp time) {
  if (place && place->end && *place->end <= time) put_discount(change, place, std::nullopt);
}

void use_up(Change& change, std::optional<Discount>& place, const Discount& used) {
  if (place && place->id == used.id) put_discount(change, place, std::nullopt);
}

/// Changes the customer's part of it, and tells of that.
template <class Act>
void with_customer(Change& change, Act act) {
  Customer& customer = change.customer();
  Customer before = customer;
  act(customer.discount);
  change.emit_update(EventType::customer_updated, std::move(before), customer);
}

}  // namespace

Result<void> total_up(Change& change, Invoice& invoice, Subscription* subscription) {
  const Timestamp date = date_of(invoice);
  if (!invoice.discount && !invoice.has_own_discount && !change.customer().deleted) {
    const Discount* discount = discount_in_effect(change.customer(), subscription, date);
    // Source: Stripe, coupons are ignored on invoices of nothing, and not used up by them.
    if (discount != nullptr && discount_of(invoice.lines, discount->coupon) != 0) {
      invoice.discount = *discount;
      const bool is_used_up = discount->coupon.duration == CouponDuration::once;
      if (is_used_up && discount->subscription.is_empty())
        with_customer(change, [&](auto& place) { use_up(change, place, *invoice.discount); });
      else if (is_used_up)
        use_up(change, subscription->discount, *invoice.discount);
    }
    if (subscription != nullptr) drop_ended(change, subscription->discount, date);
    with_customer(change, [&](auto& place) { drop_ended(change, place, date); });
  }
  return settle_amounts(invoice, change.rules.tax_rounding, change.customer().tax_exempt);
}

Result<void> total_up(Change& change, Invoice& invoice) {
  Subscription* subscription = change.account().find(invoice.subscription);
  if (subscription == nullptr) return total_up(change, invoice, nullptr);
  Subscription before = *subscription;
  auto done = total_up(change, invoice, subscription);
  change.emit_update(EventType::subscription_updated, std::move(before), *subscription);
  return done;
}

void give_discount_back(Change& change, const Invoice& invoice) {
  if (!invoice.discount || invoice.has_own_discount || change.customer().deleted ||
      invoice.discount->coupon.duration != CouponDuration::once)
    return;
  std::optional<Discount>* place = place_of(change, invoice.discount->subscription);
  if (place == nullptr || *place) return;
  if (invoice.discount->subscription.is_empty()) {
    with_customer(change, [&](auto& mine) { put_discount(change, mine, invoice.discount); });
    return;
  }
  Subscription& subscription = *change.account().find(invoice.discount->subscription);
  if (!subscription.is_live()) return;
  Subscription before = subscription;
  put_discount(change, *place, invoice.discount);
  change.emit_update(EventType::subscription_updated, std::move(before), subscription);
}

namespace {

bool is_paid_for_already(const SubscriptionItem& item, const std::vector<SubscriptionItem>& before) {
  return std::ranges::any_of(before, [&](const SubscriptionItem& other) {
    return other.id == item.id && other.price == item.price && other.quantity == item.quantity;
  });
}

}  // namespace

Result<void> discount_items(const Change& change, const Customer& customer, Subscription& subscription,
                            const std::vector<SubscriptionItem>& before) {
  const Discount* discount = discount_in_effect(customer, &subscription, whole_second(change.now));
  // What is for one invoice only is not for the rest of a period that an earlier one has billed.
  const bool is_lasting = discount != nullptr && discount->coupon.duration != CouponDuration::once;
  std::int64_t left = is_lasting ? discount->coupon.amount_off.minor : 0;
  std::vector<SubscriptionItem*> changed;
  for (SubscriptionItem& item : subscription.items) {
    if (is_paid_for_already(item, before)) {
      left -= std::min(left, item.discount);
      continue;
    }
    item.discount = 0;
    if (is_lasting && applies_to(discount->coupon, item.price.product)) changed.push_back(&item);
  }
  for (SubscriptionItem* item : changed) {
    auto cost = cost_of(*item);
    if (!cost) return cost.error();
    if (discount->coupon.percent_off.is_zero()) {
      item->discount = std::min(cost->minor, left);
      left -= item->discount;
    } else {
      item->discount = discount_of(*cost, discount->coupon);
    }
  }
  return {};
}

}  // namespace billd
