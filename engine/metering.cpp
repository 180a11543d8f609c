// Metered items: what is recorded of them, and how it comes to be billed when its period is over.
#include <algorithm>

#include "engine/amounts.hpp"
#include "engine/change.hpp"

namespace billd {
namespace {

/// Clocks of those who record may be ahead by so much. Source: Stripe accepts timestamps up to five minutes ahead.
constexpr Duration clock_tolerance = std::chrono::minutes(5);

/// Twelve digits are the most of any currency's amounts that Stripe takes; so the lines of an invoice always add up.
constexpr std::int64_t usage_amount_max = 999'999'999'999;

struct MeteredItem {
  Subscription* subscription = nullptr;
  SubscriptionItem* item = nullptr;
};

MeteredItem find_item(Change& change, const SubscriptionItemId& id) {
  for (Subscription& subscription : change.account().subscriptions) {
    if (!subscription.is_live() || subscription.provisional) continue;
    const auto item = std::ranges::find(subscription.items, id, &SubscriptionItem::id);
    if (item != subscription.items.end()) return {&subscription, &*item};
  }
  return {};
}

/// The usage that no invoice bills yet and whose period starts so; null: nothing was recorded. While the word is
/// awaited that renews the subscription there may be two: what is used meanwhile is of the period to come.
Usage* find_open(SubscriptionItem& item, Timestamp from, Timestamp before) {
  const auto open = std::ranges::find_if(item.usage, [&](const Usage& usage) {
    return usage.invoice.is_empty() && usage.period.start >= from && usage.period.start < before;
  });
  return open != item.usage.end() ? &*open : nullptr;
}

/// The current period's: also of what preceded it for nothing.
Usage* find_current(SubscriptionItem& item, Timestamp period_end) {
  return find_open(item, Timestamp::min(), period_end);
}

/// The usage that a record of the time goes to, made when it is the first of its period.
Usage& usage_at(const Subscription& subscription, SubscriptionItem& item, Timestamp time) {
  const Period current = subscription.current_period;
  const bool is_ahead = time >= current.end;
  Usage* open = is_ahead ? find_open(item, current.end, Timestamp::max()) : find_current(item, current.end);
  if (open != nullptr) return *open;
  Usage made;
  made.period = is_ahead ? Period{current.end, *subscription.grace_until} : current;
  const auto place =
      is_ahead ? item.usage.end()
               : std::ranges::find_if(item.usage, [&](const Usage& usage) { return usage.invoice.is_empty(); });
  return *item.usage.insert(place, std::move(made));
}

/// What an earlier period left, so that the latest record of all counts on.
void carry_on(const std::vector<Usage>& all, Usage& usage) {
  if (has_records(usage)) return;
  const Usage* latest = nullptr;
  for (const Usage& before : all)
    if (before.period.start < usage.period.start && has_records(before)) latest = &before;
  if (latest == nullptr) return;
  usage.folded_last = aggregate(*latest, Aggregation::last_ever);
  usage.folded_until = latest->points.empty() ? latest->folded_until : latest->points.back().time;
}

Result<Money> cost_of_usage(const Price& price, std::int64_t quantity) {
  auto cost = cost_of(price, quantity);
  if (cost && cost->minor > usage_amount_max)
    return Failure{Errc::amount_out_of_range, "Amount must be no more than 999,999,999,999 minor units.", "quantity"};
  return cost;
}

Failure too_early() {
  return {Errc::invalid_parameter,
          "Cannot create the usage record with this timestamp because it is before the current period, whose "
          "predecessor is invoiced already.",
          "timestamp"};
}

/// The draft that bills an earlier period, as long as it can be changed; nullptr: it cannot.
Invoice* open_draft(Change& change, const Usage& usage) {
  if (usage.invoice.is_empty()) return nullptr;
  Invoice* invoice = change.account().find(usage.invoice);
  return invoice != nullptr && invoice->status == InvoiceStatus::draft ? invoice : nullptr;
}

/// A record of a period that is over, whose invoice is still a draft: that is the grace.
Result<void> record_late(Change& change, SubscriptionItem& item, UsagePoint point, UsageAction action) {
  const auto usage = std::ranges::find_if(
      item.usage, [&](const Usage& each) { return each.period.start <= point.time && point.time < each.period.end; });
  Invoice* invoice = usage != item.usage.end() ? open_draft(change, *usage) : nullptr;
  if (invoice == nullptr) return too_early();
  const auto line = std::ranges::find_if(invoice->lines, [&](const InvoiceLine& each) {
    return each.is_recurring() && each.item == item.id && each.period == usage->period;
  });
  if (line == invoice->lines.end()) return too_early();
  auto done = record(*usage, point, action, item.price.aggregation);
  if (!done) return done.error();
  Invoice before = *invoice;
  line->quantity = aggregate(*usage, item.price.aggregation);
  if (!line->trial) {
    auto cost = cost_of_usage(line->price, line->quantity);
    if (!cost) return cost.error();
    line->amount = *cost;
  }
  auto total = total_up(change, *invoice);
  if (!total) return total.error();
  change.emit_update(EventType::invoice_updated, std::move(before), *invoice);
  return {};
}

}  // namespace

Result<void> record_usage(Change& change, const RecordUsage& command) {
  const MeteredItem found = find_item(change, command.item);
  if (found.item == nullptr)
    return Failure{Errc::not_found, "No such subscription item: " + command.item.value(), "subscription_item"};
  if (!found.item->price.is_metered())
    return Failure{Errc::invalid_parameter,
                   "Cannot create usage records for the subscription item " + command.item.value() +
                       " because its price is not metered.",
                   "subscription_item"};
  if (command.quantity < 0)
    return Failure{Errc::invalid_parameter, "This value must be greater than or equal to 0.", "quantity"};
  const Timestamp time = whole_second(command.timestamp.value_or(change.now));
  if (time > change.now + clock_tolerance)
    return Failure{Errc::invalid_parameter, "The timestamp cannot be in the future.", "timestamp"};
  const Subscription& subscription = *found.subscription;
  if (subscription.status == SubscriptionStatus::paused)
    return Failure{Errc::invalid_state, "The subscription is paused: nothing is used until it is resumed."};
  if (subscription.current_period.end <= change.now && !subscription.grace_until)
    return Failure{Errc::invalid_state, "The subscription is being renewed; try again in a moment."};
  const UsagePoint point{std::min(time, whole_second(change.now)), command.quantity};
  change.set_subject(command.item.value());
  change.touch();
  SubscriptionItem& item = *found.item;
  if (point.time < subscription.current_period.start) return record_late(change, item, point, command.action);
  Usage& usage = usage_at(subscription, item, point.time);
  auto done = record(usage, point, command.action, item.price.aggregation);
  if (!done) return done.error();
  auto cost = cost_of_usage(item.price, aggregate(usage, item.price.aggregation));
  if (!cost) return cost.error();
  return {};
}

namespace {

/// The usage of the period that is over, made if there was none.
Usage& close_usage(SubscriptionItem& item, Period period) {
  Usage* usage = find_current(item, period.end);
  if (usage == nullptr) {
    const auto ahead = std::ranges::find_if(item.usage, [](const Usage& each) { return each.invoice.is_empty(); });
    usage = &*item.usage.insert(ahead, Usage());
  }
  usage->period = period;
  if (item.price.aggregation == Aggregation::last_ever) carry_on(item.usage, *usage);
  return *usage;
}

}  // namespace

Result<void> bill_usage(Change& change, Invoice& invoice, Subscription& subscription, const EndedPeriod& ended) {
  for (SubscriptionItem& item : subscription.items) {
    if (!item.price.is_metered() || item.created >= ended.period.end) continue;
    Usage& usage = close_usage(item, ended.period);
    usage.invoice = invoice.id;
    InvoiceLine line;
    line.id = change.draw_id<InvoiceLineKind>();
    line.period = ended.period;
    line.quantity = aggregate(usage, item.price.aggregation);
    line.price = item.price;
    line.item = item.id;
    line.trial = ended.is_free;
    line.tax_rates = item.tax_rates;
    line.amount = Money{0, item.price.currency()};
    if (!ended.is_free) {
      auto cost = cost_of(item.price, line.quantity);
      if (!cost) return cost.error();
      line.amount = *cost;
    }
    invoice.lines.push_back(std::move(line));
    if (item.usage.size() >= usage_periods_max) item.usage.erase(item.usage.begin());
  }
  return {};
}

void fold_usage(Change& change, const Invoice& invoice) {
  Subscription* subscription = change.account().find(invoice.subscription);
  if (subscription == nullptr) return;
  for (SubscriptionItem& item : subscription->items)
    for (Usage& usage : item.usage)
      if (usage.invoice == invoice.id) fold(usage);
}

namespace {

/// What the subscription's discount takes off the cost of its last usage. Of an amount, `left` is what is still there.
std::int64_t last_discount(const Subscription& subscription, const SubscriptionItem& item, Money cost,
                           std::int64_t& left) {
  const CouponTerms& coupon = subscription.discount->coupon;
  if (!applies_to(coupon, item.price.product)) return 0;
  if (!coupon.percent_off.is_zero()) return discount_of(cost, coupon);
  const std::int64_t taken = std::min(cost.minor, left);
  left -= taken;
  return taken;
}

/// What was used, as an invoice item; of nothing, none. `amount_off`: null unless the subscription ends.
Result<void> add_item(Change& change, const Subscription& subscription, const SubscriptionItem& item,
                      const Usage& usage, std::int64_t* amount_off) {
  const std::int64_t quantity = aggregate(usage, item.price.aggregation);
  auto cost = cost_of(item.price, quantity);
  if (!cost) return cost.error();
  if (cost->minor == 0) return {};
  InvoiceItem billed;
  billed.id = change.draw_id<InvoiceItemKind>();
  billed.created = change.now;
  billed.amount = *cost;
  // Then the subscription's discount is in the amount: the invoice will be one that knows nothing of it.
  if (amount_off != nullptr && subscription.discount && is_in_effect(*subscription.discount, usage.period.end)) {
    billed.amount.minor -= last_discount(subscription, item, *cost, *amount_off);
    billed.discountable = false;
  }
  billed.quantity = quantity;
  billed.price = item.price;
  billed.period = usage.period;
  billed.subscription = subscription.id;
  billed.item = item.id;
  billed.tax_rates = tax_rates_of(subscription, item);
  change.emit({EventType::invoiceitem_created}, billed);
  change.account().invoice_items.push_back(std::move(billed));
  return {};
}

}  // namespace

Result<void> usage_to_item(Change& change, const Subscription& subscription, SubscriptionItem& item, Timestamp until,
                           std::int64_t* amount_off) {
  if (!item.price.is_metered()) return {};
  const Period current = subscription.current_period;
  std::vector<Usage> over(1, close_usage(item, {current.start, std::min(until, current.end)}));
  if (Usage* ahead = find_open(item, current.end, Timestamp::max())) {
    ahead->period.end = until;
    over.push_back(*ahead);
  }
  item.usage.clear();
  if (subscription.is_free_period()) return {};
  for (const Usage& usage : over) {
    auto added = add_item(change, subscription, item, usage, amount_off);
    if (!added) return added.error();
  }
  return {};
}

Result<void> bill_last_usage(Change& change, Subscription& subscription, Timestamp until) {
  std::int64_t amount_off = subscription.discount ? subscription.discount->coupon.amount_off.minor : 0;
  for (SubscriptionItem& item : subscription.items) {
    auto billed = usage_to_item(change, subscription, item, until, &amount_off);
    if (!billed) return billed.error();
  }
  return {};
}

}  // namespace billd
