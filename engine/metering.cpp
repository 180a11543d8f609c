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

/// The current period's, made when it is the first of it.
Usage& current_usage(const Subscription& subscription, SubscriptionItem& item) {
  const bool is_there = !item.usage.empty() && item.usage.back().invoice.is_empty();
  if (!is_there) item.usage.emplace_back().period = subscription.current_period;
  return item.usage.back();
}

/// What an earlier period left, so that the latest record of all counts on.
void carry_on(std::vector<Usage>& all) {
  Usage& usage = all.back();
  if (has_records(usage)) return;
  for (auto before = std::next(all.rbegin()); before != all.rend(); ++before) {
    if (!has_records(*before)) continue;
    usage.folded_last = aggregate(*before, Aggregation::last_ever);
    usage.folded_until = before->points.empty() ? before->folded_until : before->points.back().time;
    return;
  }
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
  if (subscription.current_period.end <= change.now)
    return Failure{Errc::invalid_state, "The subscription is being renewed; try again in a moment."};
  const UsagePoint point{std::min(time, whole_second(change.now)), command.quantity};
  change.set_subject(command.item.value());
  change.touch();
  SubscriptionItem& item = *found.item;
  if (point.time < subscription.current_period.start) return record_late(change, item, point, command.action);
  Usage& usage = current_usage(subscription, item);
  auto done = record(usage, point, command.action, item.price.aggregation);
  if (!done) return done.error();
  auto cost = cost_of_usage(item.price, aggregate(usage, item.price.aggregation));
  if (!cost) return cost.error();
  return {};
}

namespace {

/// The usage of the period that is over, made if there was none.
Usage& close_usage(SubscriptionItem& item, Period period) {
  if (item.usage.empty() || !item.usage.back().invoice.is_empty()) item.usage.emplace_back();
  Usage& usage = item.usage.back();
  usage.period = period;
  if (item.price.aggregation == Aggregation::last_ever) carry_on(item.usage);
  return usage;
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

Result<void> usage_to_item(Change& change, const Subscription& subscription, SubscriptionItem& item, Timestamp until,
                           bool is_last) {
  if (!item.price.is_metered()) return {};
  const Period period{subscription.current_period.start, until};
  const bool is_free = subscription.is_free_period();
  const Usage usage = close_usage(item, period);
  item.usage.clear();
  if (is_free) return {};
  auto cost = cost_of(item.price, aggregate(usage, item.price.aggregation));
  if (!cost) return cost.error();
  if (cost->minor == 0) return {};
  InvoiceItem billed;
  billed.id = change.draw_id<InvoiceItemKind>();
  billed.created = change.now;
  billed.amount = *cost;
  // Then the subscription's discount is in the amount: the invoice will be one that knows nothing of it.
  if (is_last && subscription.discount && is_in_effect(*subscription.discount, until) &&
      applies_to(subscription.discount->coupon, item.price.product)) {
    billed.amount.minor -= discount_of(*cost, subscription.discount->coupon);
    billed.discountable = false;
  }
  billed.quantity = aggregate(usage, item.price.aggregation);
  billed.price = item.price;
  billed.period = period;
  billed.subscription = subscription.id;
  billed.item = item.id;
  billed.tax_rates = tax_rates_of(subscription, item);
  change.emit({EventType::invoiceitem_created}, billed);
  change.account().invoice_items.push_back(std::move(billed));
  return {};
}

Result<void> bill_last_usage(Change& change, Subscription& subscription, Timestamp until) {
  for (SubscriptionItem& item : subscription.items) {
    auto billed = usage_to_item(change, subscription, item, until, true);
    if (!billed) return billed.error();
  }
  return {};
}

}  // namespace billd
