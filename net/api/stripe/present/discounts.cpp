// Discounts as Stripe shows them, with the coupon that was applied.
#include <algorithm>

#include "engine/amounts.hpp"
#include "net/api/stripe/present/words.hpp"
#include "net/api/stripe/presenter.hpp"

namespace billd::api::stripe {
namespace {

/// Whether the coupon is the one that was applied, and not a later one of its identifier.
bool is_of_terms(const Coupon& coupon, const CouponTerms& terms) {
  return coupon.percent_off == terms.percent_off && coupon.amount_off == terms.amount_off &&
         coupon.duration == terms.duration && coupon.duration_in_months == terms.duration_in_months;
}

using Shares = std::vector<std::pair<DiscountId, std::int64_t>>;

/// What each discount takes off the line; all of them together are what the line says.
Shares shares_of(const InvoiceLine& line, const Invoice& invoice) {
  Shares shares;
  std::int64_t left = line.discount;
  const std::vector<std::int64_t> own = own_discounts_of(line);
  for (std::size_t place = 0; place < own.size(); ++place) {
    shares.emplace_back(line.discounts[place].id, own[place]);
    left -= own[place];
  }
  if (invoice.discount) shares.emplace_back(invoice.discount->id, left);
  return shares;
}

void add_up(Shares& sums, const Shares& shares) {
  for (const auto& [discount, amount] : shares) {
    const auto sum = std::ranges::find(sums, discount, &Shares::value_type::first);
    if (sum == sums.end())
      sums.emplace_back(discount, amount);
    else
      sum->second += amount;
  }
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

Array& Presenter::discount_shares(const Shares& shares) {
  Array& amounts = document_.array(shares.size());
  for (const auto& [discount, amount] : shares) {
    if (amount == 0) continue;
    Object& object = document_.object(2);
    object.add("amount", amount);
    object.add("discount", id(discount));
    amounts.add(object);
  }
  return amounts;
}

Array& Presenter::discount_amounts(const Invoice& invoice, std::span<const InvoiceLine> lines) {
  Shares shares;
  for (const InvoiceLine& line : lines) add_up(shares, shares_of(line, invoice));
  return discount_shares(shares);
}

Array& Presenter::discounts_kept(const InvoiceId& invoice, std::span<const CreditNoteLine> lines) {
  Shares kept;
  const Invoice* credited = known_.invoice(invoice.value());
  if (credited == nullptr) return discount_shares(kept);
  for (const CreditNoteLine& each : lines) {
    const auto line = std::ranges::find(credited->lines, each.invoice_line, &InvoiceLine::id);
    if (line == credited->lines.end() || line->discount == 0) continue;
    Shares shares = shares_of(*line, *credited);
    std::vector<__int128> weights;
    const std::int64_t sign = line->discount < 0 ? -1 : 1;
    for (const auto& [discount, amount] : shares) weights.push_back(__int128{sign} * amount * each.discount);
    const std::vector<std::int64_t> parts = parts_of(each.discount, weights, sign * line->discount);
    for (std::size_t place = 0; place < parts.size(); ++place) shares[place].second = parts[place];
    add_up(kept, shares);
  }
  return discount_shares(kept);
}

Array& Presenter::discount_ids(std::span<const Discount> discounts) {
  Array& ids = document_.array(discounts.size());
  for (const Discount& discount : discounts) ids.add(id(discount.id));
  return ids;
}

}  // namespace billd::api::stripe
