// Pending items that are billed more often than their subscription is renewed.
// Source: Stripe's pending_invoice_item_interval, "analogous to calling Create an invoice for the given subscription at
// the specified interval".
#include "engine/change.hpp"

namespace billd {

Result<void> check_interval(const std::optional<Recurrence>& interval) {
  if (!interval) return {};
  auto fine = check_recurrence(*interval);
  if (!fine) return Failure{fine.error().code, fine.error().detail, "pending_invoice_item_interval[interval_count]"};
  return {};
}

void set_pending_item_interval(const Change& change, Subscription& subscription,
                               const std::optional<Recurrence>& interval) {
  if (!interval) {
    subscription.pending_item_interval.reset();
    return;
  }
  if (subscription.pending_item_interval && subscription.pending_item_interval->recurrence == *interval) return;
  subscription.pending_item_interval = PendingItemInterval{*interval, whole_second(change.now), 1};
}

Result<void> bill_pending_items(Change& change, Subscription& subscription) {
  Subscription before = subscription;
  PendingItemInterval& interval = *subscription.pending_item_interval;
  // Of several times that were missed the last one counts.
  interval.ordinal = ordinal_at(interval.anchor, interval.recurrence, change.now) + 1;
  change.emit_update(EventType::subscription_updated, std::move(before), subscription);
  const bool is_collected = !subscription.pause && subscription.status != SubscriptionStatus::unpaid;
  if (!is_collected) return {};

  Invoice invoice = begin_invoice(change, BillingReason::manual, subscription.items.front().price.unit_amount.currency);
  invoice.subscription = subscription.id;
  invoice.collection = subscription.collection;
  invoice.due_at = due_time(subscription.collection, change.now, subscription.days_until_due);
  invoice.tax_rates = subscription.tax_rates;
  take_pending_items(change, invoice, Sweep::by_hand);
  if (invoice.lines.empty()) return {};
  auto total = total_up(change, invoice);
  if (!total) return total.error();
  change.emit({EventType::invoice_created}, invoice);
  change.account().invoices.push_back(std::move(invoice));
  return {};
}

}  // namespace billd
