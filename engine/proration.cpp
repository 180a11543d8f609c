// Proration: what a change within a period gives back, and what it costs.
#include <algorithm>

#include "engine/change.hpp"

namespace billd {

Result<Money> cost_of(const SubscriptionItem& item) {
  // What is metered is billed when its period is over.
  if (item.price.is_metered()) return Money{0, item.price.currency()};
  return cost_of(item.price, item.quantity);
}

namespace {

/// The stretch's share of what is for a whole period.
Result<Money> share_in(const Subscription& subscription, Money cost, Period stretch) {
  if (subscription.is_free_period()) return Money{0, cost.currency};
  const Period whole = subscription.whole_period();
  const Duration part = stretch.end - stretch.start, length = whole.end - whole.start;
  if (part == length) return cost;
  // Multiplied by the quantity before it is rounded: one line, one rounding. Source: Stripe does so; which way a half
  // goes it does not say.
  return scale(cost, part.count(), length.count(), Rounding::half_up);
}

}  // namespace

Result<Money> cost_in(const Subscription& subscription, const SubscriptionItem& item, Period stretch) {
  auto cost = cost_of(item);
  if (!cost) return cost.error();
  return share_in(subscription, *cost, stretch);
}

Timestamp proration_moment(const Subscription& subscription, Timestamp time, ProrationUnit unit,
                           bool begun_day_is_used) {
  Timestamp moment = whole_second(time);
  if (unit == ProrationUnit::day) {
    const Timestamp start = subscription.whole_period().start;
    const auto since = moment - start;
    const auto whole_days =
        begun_day_is_used ? std::chrono::ceil<std::chrono::days>(since) : std::chrono::floor<std::chrono::days>(since);
    moment = start + whole_days;
  }
  return std::clamp(moment, subscription.current_period.start, subscription.current_period.end);
}

namespace {

/// What a whole period of the item costs. What a discount takes is in the amount: the cost without it is what was paid,
/// or is to be.
Result<Money> discounted_cost(const SubscriptionItem& item) {
  auto cost = cost_of(item);
  if (cost) cost->minor -= std::min(cost->minor, item.discount);
  return cost;
}

void add_proration(Change& change, const Subscription& subscription, const SubscriptionItem& item, Period stretch,
                   Money amount) {
  InvoiceItem proration;
  proration.id = change.draw_id<InvoiceItemKind>();
  proration.created = change.now;
  proration.amount = amount;
  proration.quantity = item.quantity;
  proration.price = item.price;
  proration.period = stretch;
  proration.subscription = subscription.id;
  proration.item = item.id;
  // Source: Stripe, "Always false for prorations": what discounts took is in the amounts already.
  proration.discountable = false;
  // Of the invoice that takes it nobody knows yet whether it has these rates.
  proration.tax_rates = tax_rates_of(subscription, item);
  proration.proration = true;
  change.emit({EventType::invoiceitem_created}, proration);
  change.account().invoice_items.push_back(std::move(proration));
}

/// What so much time costs by periods that are counted from its beginning.
Result<Money> cost_from(Money cost, Recurrence recurrence, Period stretch) {
  const std::int64_t whole = ordinal_at(stretch.start, recurrence, stretch.end);
  const Period last = period_at(stretch.start, recurrence, whole);
  auto amount = multiply(cost, whole);
  if (!amount) return amount.error();
  auto rest = scale(cost, (stretch.end - last.start).count(), (last.end - last.start).count(), Rounding::half_up);
  if (!rest) return rest.error();
  return add(*amount, *rest);
}

}  // namespace

Result<void> prorate(Change& change, const Subscription& subscription, const SubscriptionItem& item, Period stretch,
                     Side side) {
  auto cost = discounted_cost(item);
  if (!cost) return cost.error();
  auto amount = share_in(subscription, *cost, stretch);
  if (!amount) return amount.error();
  if (amount->minor == 0) return {};
  if (side == Side::credit) amount->minor = -amount->minor;
  add_proration(change, subscription, item, stretch, *amount);
  return {};
}

Result<void> bill_since(Change& change, const Subscription& subscription, Timestamp start) {
  const Period elapsed{whole_second(start), subscription.current_period.start};
  for (const SubscriptionItem& item : subscription.items) {
    auto cost = discounted_cost(item);
    if (!cost) return cost.error();
    auto amount = cost_from(*cost, subscription.recurrence(), elapsed);
    if (!amount) return amount.error();
    if (amount->minor != 0) add_proration(change, subscription, item, elapsed, *amount);
  }
  return {};
}

Result<void> pay_until(Change& change, Subscription& subscription, Timestamp until) {
  const Timestamp paid = subscription.paid_end();
  const Side side = until < paid ? Side::credit : Side::debit;
  if (until != paid) {
    const Period stretch{std::min(until, paid), std::max(until, paid)};
    for (const SubscriptionItem& item : subscription.items) {
      auto done = prorate(change, subscription, item, stretch, side);
      if (!done) return done.error();
    }
  }
  subscription.paid_until.reset();
  if (until != subscription.current_period.end) subscription.paid_until = until;
  return {};
}

}  // namespace billd
