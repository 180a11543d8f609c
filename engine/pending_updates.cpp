// Changes of a subscription that are made only when they are paid for.
// Source: https://stripe.com/docs/billing/subscriptions/pending-updates.
#include <algorithm>

#include "engine/change.hpp"

namespace billd {
namespace {

Failure unsupported(std::string_view parameter) {
  return {Errc::invalid_parameter,
          "`" + std::string(parameter) +
              "` cannot be changed together with what has to be paid first; see "
              "`payment_behavior`.",
          std::string(parameter)};
}

/// Source: Stripe, the end of the trial or the period, or 23 hours after the change was asked for. What is paused has
/// no period.
Timestamp expiry(const Change& change, const Subscription& before) {
  const Timestamp latest = change.now + change.rules.incomplete_expires_after;
  return before.status == SubscriptionStatus::paused ? latest : std::min(latest, before.current_period.end);
}

/// What makes `before` into `after`.
PendingUpdate update_to(const Subscription& after, const Subscription& before) {
  PendingUpdate update;
  update.items = after.items;
  update.anchor = after.anchor;
  update.anchor_ordinal = after.anchor_ordinal;
  update.ordinal = after.ordinal;
  update.current_period = after.current_period;
  update.free_until_anchor = after.free_until_anchor;
  update.trial_start = after.trial_start;
  update.trial_end = after.trial_end;
  update.trial_will_end_at = after.trial_will_end_at;
  update.paid_until = after.paid_until;
  update.changed_at = after.changed_at;
  update.upcoming_at = after.upcoming_at;
  update.status = after.status;
  update.previous_invoice = before.latest_invoice;
  return update;
}

const Charge* charge_in_progress(const Account& account, const Subscription& subscription) {
  if (!subscription.pending_update) return nullptr;
  const Invoice* invoice = account.find(subscription.pending_update->invoice);
  return invoice != nullptr ? invoice->unresolved_charge() : nullptr;
}

}  // namespace

Result<void> check_paid_change(const Subscription& subscription, const UpdateSubscription& command) {
  const std::pair<bool, std::string_view> others[] = {
      {command.cancel_at_period_end.has_value(), "cancel_at_period_end"},
      {command.cancel_at.has_value(), "cancel_at"},
      {command.collection.has_value(), "collection_method"},
      {command.days_until_due.value_or(0) != 0, "days_until_due"},
      {command.default_source.has_value(), "default_payment_method"},
      {command.metadata.has_value(), "metadata"},
      {command.pause.has_value(), "pause_collection"},
      {command.renewal_trigger.has_value(), "renewal_trigger"},
      {command.discount.has_value(), "coupon"},
      {command.tax_rates.has_value(), "default_tax_rates"},
      {command.description.has_value(), "description"},
      {command.cancellation_comment || command.cancellation_feedback, "cancellation_details"},
      {command.missing_payment_method.has_value(), "trial_settings"},
      {command.pending_item_interval.has_value(), "pending_invoice_item_interval"},
      {command.saves_source.has_value(), "payment_settings"},
  };
  for (const auto& [is_given, parameter] : others)
    if (is_given) return unsupported(parameter);
  for (const ItemChange& item : command.items)
    if (item.metadata || item.tax_rates || item.clear_usage) return unsupported("items");
  const auto refused = [](std::string detail) {
    return Failure{Errc::invalid_parameter, std::move(detail), "payment_behavior"};
  };
  if (subscription.collection == Collection::send_invoice)
    return refused("Only a subscription that is charged automatically can be changed once that is paid for.");
  if (subscription.pause || subscription.status == SubscriptionStatus::unpaid)
    return refused("The subscription's invoices are not collected: no change waits for their payment.");
  if (!subscription.schedule.is_empty())
    return refused("A subscription that is managed by a schedule cannot be changed once that is paid for.");
  const auto is_metered = [](const auto& item) { return item.price && item.price->is_metered(); };
  if (std::ranges::any_of(subscription.items, [](const SubscriptionItem& item) { return item.price.is_metered(); }) ||
      std::ranges::any_of(command.items, is_metered))
    return refused("A subscription with metered prices cannot be changed once that is paid for.");
  return {};
}

Result<void> bill_if_paid(Change& change, Subscription& subscription, const Subscription& before,
                          const Billing& billing, bool ends_when_declined, std::uint64_t objects_before) {
  Account& account = change.account();
  auto drawn_up = draw_up_invoice(change, subscription, billing);
  if (!drawn_up) return drawn_up.error();
  Invoice& invoice = **drawn_up;
  auto use = use_balance(invoice.total, account.customer.balance);
  if (!use) return use.error();
  if (use->due == 0) return settle_bill(change, subscription, before, invoice, billing);
  const Source* source = collecting_source(account, invoice);
  if (source == nullptr && ends_when_declined)
    return Failure{Errc::no_payment_source, "This customer has no attached payment source"};
  if (source != nullptr && source->bank_account() != nullptr)
    return Failure{Errc::invalid_parameter,
                   "A bank account pays only days later: no change of the subscription waits for it.",
                   "payment_behavior"};

  invoice.is_tentative = true;
  PendingUpdate update = update_to(subscription, before);
  update.invoice = invoice.id;
  update.expires_at = expiry(change, before);
  update.ends_when_declined = ends_when_declined;
  update.objects_before = objects_before;
  // The invoice may have used it up.
  std::optional<Discount> discount = std::move(subscription.discount);
  subscription = before;
  subscription.discount = std::move(discount);
  subscription.latest_invoice = invoice.id;
  subscription.pending_update = std::move(update);
  change.emit_update(EventType::subscription_updated, before, subscription);
  change.emit({EventType::invoice_created}, invoice);
  auto finalized = finalize_invoice(change, invoice);
  if (!finalized) return finalized.error();
  if (source == nullptr)
    collect(change, invoice);
  else
    begin_charge(change, invoice, *source, false);
  return {};
}

const PendingUpdate* pending_update_of(const Account& account, const Invoice& invoice) {
  const Subscription* subscription = account.find(invoice.subscription);
  if (subscription == nullptr || !subscription->pending_update) return nullptr;
  return subscription->pending_update->invoice == invoice.id ? &*subscription->pending_update : nullptr;
}

void apply_pending_update(Change& change, Subscription& subscription) {
  Subscription before = subscription;
  PendingUpdate update = *std::exchange(subscription.pending_update, std::nullopt);
  change.account().find(update.invoice)->is_tentative = false;
  subscription.items = std::move(update.items);
  subscription.anchor = update.anchor;
  subscription.anchor_ordinal = update.anchor_ordinal;
  subscription.ordinal = update.ordinal;
  subscription.current_period = update.current_period;
  subscription.free_until_anchor = update.free_until_anchor;
  subscription.trial_start = update.trial_start;
  subscription.trial_end = update.trial_end;
  subscription.paid_until = update.paid_until;
  subscription.changed_at = update.changed_at;
  // What was announced meanwhile is not announced again.
  if (before.trial_end != update.trial_end) subscription.trial_will_end_at = update.trial_will_end_at;
  if (before.current_period != update.current_period) subscription.upcoming_at = update.upcoming_at;
  const bool was_paused = before.status == SubscriptionStatus::paused;
  const bool is_of_trial =
      before.status == SubscriptionStatus::trialing || update.status == SubscriptionStatus::trialing;
  if (was_paused || is_of_trial) subscription.status = update.status;
  change.emit_update(EventType::subscription_updated, std::move(before), subscription);
  change.emit({EventType::subscription_pending_update_applied}, subscription);
  if (was_paused) change.emit({EventType::subscription_resumed}, subscription);
}

Result<void> drop_pending_update(Change& change, Subscription& subscription) {
  if (!subscription.pending_update) return {};
  Subscription before = subscription;
  const PendingUpdate update = *std::exchange(subscription.pending_update, std::nullopt);
  subscription.latest_invoice = update.previous_invoice;
  change.emit_update(EventType::subscription_updated, std::move(before), subscription);
  Invoice* invoice = change.account().find(update.invoice);
  if (invoice == nullptr) return {};
  if (invoice->status != InvoiceStatus::void_) {
    auto voided = make_void(change, *invoice);
    if (!voided) return voided.error();
  }
  // What the invoice took along is pending again; what the change itself would have cost is not.
  give_items_back(change, *invoice, update.objects_before);
  give_discount_back(change, *invoice);
  return {};
}

void abandon_pending_update(Change& change, Subscription& subscription) {
  const bool in_progress = charge_in_progress(change.account(), subscription) != nullptr;
  if (!in_progress && drop_pending_update(change, subscription)) return;
  subscription.pending_update.reset();
}

Result<void> expire_pending_update(Change& change, Subscription& subscription) {
  auto dropped = drop_pending_update(change, subscription);
  if (!dropped) return dropped.error();
  change.emit({EventType::subscription_pending_update_expired}, subscription);
  return {};
}

Result<void> check_no_pending_payment(const Account& account, const Subscription& subscription) {
  if (charge_in_progress(account, subscription) == nullptr) return {};
  return Failure{Errc::invalid_state,
                 "A payment for a change of the subscription is in progress; its outcome is awaited."};
}

}  // namespace billd
