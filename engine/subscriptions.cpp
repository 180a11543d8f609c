// The life of a subscription: begun, renewed, cancelled, and how it follows the payment of its invoices.
#include <algorithm>

#include "engine/change.hpp"

namespace billd {
namespace {

/// Source: Stripe allows 20 items in a subscription and 500 live subscriptions of a customer.
constexpr std::size_t items_max = 20, subscriptions_max = 500;

/// Source: Stripe announces the end of a trial three days before it.
constexpr Duration trial_notice = std::chrono::days(3);

Failure no_such_subscription(const SubscriptionId& id) {
  return {Errc::not_found, "No such subscription: " + id.value(), "id"};
}

Result<void> check_items(const std::vector<NewSubscriptionItem>& items) {
  if (items.empty()) return Failure{Errc::missing_parameter, "Missing required param: items.", "items"};
  if (items.size() > items_max)
    return Failure{Errc::limit_exceeded, "A subscription can have at most 20 items.", "items"};
  auto recurrence_is_fine = check_recurrence(items.front().price.recurrence);
  if (!recurrence_is_fine) return recurrence_is_fine.error();
  if (items.front().price.unit_amount.currency.is_none())
    return Failure{Errc::invalid_parameter, "A price without a currency cannot be subscribed to.", "items"};
  for (const NewSubscriptionItem& item : items) {
    if (item.price.unit_amount.minor < 0)
      return Failure{Errc::invalid_parameter, "A price cannot be negative.", "items"};
    if (item.quantity < 0)
      return Failure{Errc::invalid_parameter, "This value must be greater than or equal to 0.", "quantity"};
    if (item.price.unit_amount.currency != items.front().price.unit_amount.currency)
      return Failure{Errc::currency_mismatch, "All prices of a subscription must have the same currency.", "items"};
    if (item.price.recurrence != items.front().price.recurrence)
      return Failure{Errc::invalid_parameter,
                     "All prices of a subscription must have the same `recurring.interval` and "
                     "`recurring.interval_count`.",
                     "items"};
  }
  return {};
}

void set_status(Change& change, Subscription& subscription, SubscriptionStatus status) {
  if (subscription.status == status) return;
  Subscription before = subscription;
  subscription.status = status;
  subscription.expires_at.reset();
  change.emit_update(EventType::subscription_updated, std::move(before), subscription);
}

/// The named subscription, if the customer has heard of it.
Subscription* find_known(Change& change, const SubscriptionId& id) {
  Subscription* subscription = change.account().find(id);
  return subscription != nullptr && !subscription->provisional ? subscription : nullptr;
}

Result<void> check_collection(Collection collection, std::int32_t days_until_due) {
  if (collection == Collection::send_invoice && days_until_due < 1)
    return Failure{Errc::missing_parameter, "A subscription whose invoices are sent needs `days_until_due`.",
                   "days_until_due"};
  if (collection == Collection::charge_automatically && days_until_due != 0)
    return Failure{Errc::invalid_parameter, "Only a subscription whose invoices are sent has `days_until_due`.",
                   "days_until_due"};
  return {};
}

/// What becomes of a subscription whose invoice was not paid in the end.
void take_final_action(Change& change, Subscription& subscription, Invoice& invoice) {
  switch (change.rules.final_action) {
    case FinalAction::cancel:
      end_subscription(change, subscription, change.now, true);
      return;
    case FinalAction::unpaid:
      stop_collecting(change, invoice);
      set_status(change, subscription, SubscriptionStatus::unpaid);
      return;
    case FinalAction::past_due:
      if (subscription.status == SubscriptionStatus::active && subscription.latest_invoice == invoice.id)
        set_status(change, subscription, SubscriptionStatus::past_due);
      return;
  }
}

/// Whether the customer may have such a subscription.
Result<void> check_subscribe(const Account& account, const Subscribe& command) {
  const Customer& customer = account.customer;
  if (customer.deleted) return no_such_customer(customer);
  auto items_are_fine = check_items(command.items);
  if (!items_are_fine) return items_are_fine.error();
  if (account.subscriptions.size() >= subscriptions_max)
    return Failure{Errc::limit_exceeded, "A customer can have at most 500 current subscriptions."};
  if (!command.default_source.is_empty() && account.find(command.default_source) == nullptr)
    return Failure{Errc::not_found, "No such source: " + command.default_source.value(), "default_source"};
  if (command.trial_end && *command.trial_end > end_of_time)
    return Failure{Errc::invalid_parameter, "Invalid timestamp: too far in the future.", "trial_end"};
  const Currency agreed = currency_of(account);
  if (!agreed.is_none() && agreed != command.items.front().price.unit_amount.currency) return mixed_currencies(agreed);
  return check_collection(command.collection, command.days_until_due);
}

/// As it begins, before anything is billed: trialing, or incomplete.
Subscription begin_subscription(Change& change, const Subscribe& command) {
  Subscription subscription;
  subscription.id = change.draw_id<SubscriptionKind>();
  subscription.created = change.now;
  for (const NewSubscriptionItem& item : command.items)
    subscription.items.push_back(
        {change.draw_id<SubscriptionItemKind>(), change.now, item.price, item.quantity, item.metadata});
  subscription.default_source = command.default_source;
  subscription.collection = command.collection;
  subscription.days_until_due = command.days_until_due;
  subscription.metadata = command.metadata;
  const Timestamp start = whole_second(change.now);
  if (command.trial_end && whole_second(*command.trial_end) > start) {
    // The trial is period 0; the cycle is anchored at its end, as period 1.
    const Timestamp end = whole_second(*command.trial_end);
    subscription.status = SubscriptionStatus::trialing;
    subscription.trial_start = start;
    subscription.trial_end = end;
    if (end - change.now > trial_notice) subscription.trial_will_end_at = end - trial_notice;
    subscription.anchor = end;
    subscription.anchor_ordinal = 1;
    subscription.current_period = {start, end};
  } else {
    subscription.anchor = start;
    subscription.current_period = subscription.period(0);
  }
  if (command.cancel_at_period_end) {
    subscription.cancel_at_period_end = true;
    subscription.canceled_at = change.now;
  }
  return subscription;
}

}  // namespace

Result<void> subscribe(Change& change, const Subscribe& command) {
  Account& account = change.account();
  Customer& customer = account.customer;
  auto allowed = check_subscribe(account, command);
  if (!allowed) return allowed.error();
  Subscription subscription = begin_subscription(change, command);
  const bool trial = subscription.status == SubscriptionStatus::trialing;
  const Timestamp start = subscription.current_period.start;

  auto drawn_up = draw_up_invoice(change, subscription, BillingReason::subscription_create, {start, start});
  if (!drawn_up) return drawn_up.error();
  Invoice& invoice = **drawn_up;
  subscription.latest_invoice = invoice.id;

  auto use = use_balance(invoice.total, customer.balance);
  if (!use) return use.error();
  const bool sent = subscription.collection == Collection::send_invoice;
  const bool charged = use->due != 0 && !sent;
  const Source* source =
      account.find(command.default_source.is_empty() ? customer.default_source : command.default_source);
  if (charged && source == nullptr)
    return Failure{Errc::no_payment_source, "This customer has no attached payment source"};
  if (!trial) subscription.status = charged ? SubscriptionStatus::incomplete : SubscriptionStatus::active;
  if (charged) {
    subscription.expires_at = change.now + change.rules.incomplete_expires_after;
    subscription.provisional = command.payment_behavior == PaymentBehavior::error_if_incomplete;
    invoice.provisional = subscription.provisional;
  }

  if (!subscription.provisional) agree_on_currency(change, invoice.total.currency);
  change.emit({EventType::subscription_created}, subscription);
  if (trial && !subscription.trial_will_end_at) change.emit({EventType::subscription_trial_will_end}, subscription);
  change.emit({EventType::invoice_created}, invoice);
  change.set_subject(subscription.id.value());
  account.subscriptions.push_back(std::move(subscription));
  // Like a renewal's, the first invoice that is sent stays a draft for a while, unless there is nothing to pay.
  if (sent && use->due != 0) return {};
  auto finalized = finalize_invoice(change, invoice);
  if (!finalized) return finalized.error();
  if (charged) begin_charge(change, invoice, *source, false);
  return {};
}

Result<void> cancel_subscription(Change& change, const CancelSubscription& command) {
  Subscription* subscription = find_known(change, command.subscription);
  if (subscription == nullptr) return no_such_subscription(command.subscription);
  change.set_subject(subscription->id.value());
  if (!command.at_period_end) {
    end_subscription(change, *subscription, change.now, true);
    return {};
  }
  if (subscription->status == SubscriptionStatus::incomplete)
    return Failure{Errc::invalid_state,
                   "A subscription whose first payment is incomplete can only be canceled at once.", "at_period_end"};
  if (subscription->cancel_at_period_end) return {};
  Subscription before = *subscription;
  subscription->cancel_at_period_end = true;
  subscription->canceled_at = change.now;
  change.emit_update(EventType::subscription_updated, std::move(before), *subscription);
  return {};
}

Result<void> resume_subscription(Change& change, const ResumeSubscription& command) {
  Subscription* subscription = find_known(change, command.subscription);
  if (subscription == nullptr) return no_such_subscription(command.subscription);
  change.set_subject(subscription->id.value());
  Subscription before = *subscription;
  subscription->cancel_at_period_end = false;
  subscription->canceled_at.reset();
  change.emit_update(EventType::subscription_updated, std::move(before), *subscription);
  return {};
}

void end_subscription(Change& change, Subscription& subscription, Timestamp ended_at, bool at_once) {
  subscription.status = SubscriptionStatus::canceled;
  subscription.ended_at = ended_at;
  if (!subscription.canceled_at) subscription.canceled_at = change.now;
  subscription.expires_at.reset();
  subscription.trial_will_end_at.reset();
  change.emit({EventType::subscription_deleted}, subscription);
  // Source: Stripe, "By default, all unpaid invoices for the customer will be closed upon subscription cancellation".
  close_unpaid_invoices(change);
  settle_pending_items(change, subscription, at_once);
}

Result<void> expire_subscription(Change& change, Subscription& subscription, Timestamp ended_at) {
  Invoice* invoice = change.account().find(subscription.latest_invoice);
  if (invoice != nullptr && !invoice->is_settled()) {
    auto voided = make_void(change, *invoice);
    if (!voided) return voided.error();
  }
  Subscription before = subscription;
  subscription.status = SubscriptionStatus::incomplete_expired;
  subscription.ended_at = ended_at;
  subscription.expires_at.reset();
  change.emit_update(EventType::subscription_updated, std::move(before), subscription);
  settle_pending_items(change, subscription, true);
  return {};
}

void announce_trial_end(Change& change, Subscription& subscription) {
  subscription.trial_will_end_at.reset();
  change.emit({EventType::subscription_trial_will_end}, subscription);
}

Result<void> renew(Change& change, Subscription& subscription) {
  Subscription before = subscription;
  subscription.ordinal += 1;
  subscription.current_period = subscription.period(subscription.ordinal);
  if (subscription.status == SubscriptionStatus::trialing) subscription.status = SubscriptionStatus::active;

  // What an invoice gathers is the period before the one that it bills ahead.
  auto drawn_up = draw_up_invoice(change, subscription, BillingReason::subscription_cycle, before.current_period);
  if (!drawn_up) return drawn_up.error();
  Invoice& invoice = **drawn_up;
  subscription.latest_invoice = invoice.id;
  if (subscription.status == SubscriptionStatus::unpaid) {
    // Source: Stripe, while a subscription is unpaid its invoices are created and closed at once.
    invoice.auto_advance = false;
    invoice.finalize_at.reset();
  }
  change.emit_update(EventType::subscription_updated, std::move(before), subscription);
  change.emit({EventType::invoice_created}, invoice);
  return {};
}

void invoice_was_paid(Change& change, const Invoice& invoice) {
  Subscription* subscription = change.account().find(invoice.subscription);
  // Source: Stripe, paying the latest invoice makes the subscription active again.
  if (subscription == nullptr || subscription->latest_invoice != invoice.id) return;
  switch (subscription->status) {
    case SubscriptionStatus::incomplete:
    case SubscriptionStatus::past_due:
    case SubscriptionStatus::unpaid:
      set_status(change, *subscription, SubscriptionStatus::active);
      return;
    case SubscriptionStatus::incomplete_expired:
    case SubscriptionStatus::trialing:
    case SubscriptionStatus::active:
    case SubscriptionStatus::canceled:
      return;
  }
}

void invoice_payment_failed(Change& change, Invoice& invoice) {
  Subscription* subscription = change.account().find(invoice.subscription);
  // The first payment of a subscription is asked for by hand; the schedule is for what billd collects by itself.
  const bool first_payment = subscription != nullptr && subscription->status == SubscriptionStatus::incomplete;
  // A next attempt that stands already is not moved by an attempt by hand, and a closed invoice has none.
  const bool goes_on = invoice.auto_advance && !invoice.next_attempt_at && !first_payment &&
                       invoice.collection == Collection::charge_automatically;
  const auto& schedule = change.rules.retry_schedule;
  const auto retry = static_cast<std::size_t>(std::max(invoice.attempt_count - 1, 0));
  const bool exhausted = goes_on && retry >= schedule.size();
  if (goes_on && !exhausted) invoice.next_attempt_at = change.now + schedule[retry];
  change.emit({EventType::invoice_payment_failed}, invoice);
  if (subscription == nullptr || !subscription->is_live() || first_payment) return;

  if (exhausted) {
    take_final_action(change, *subscription, invoice);
  } else if (subscription->status == SubscriptionStatus::active && subscription->latest_invoice == invoice.id) {
    set_status(change, *subscription, SubscriptionStatus::past_due);
  }
}

void invoice_is_overdue(Change& change, Invoice& invoice) {
  Subscription* subscription = change.account().find(invoice.subscription);
  if (subscription != nullptr && !subscription->is_live()) subscription = nullptr;
  const bool was_told = *invoice.overdue_at != *invoice.due_at;
  invoice.overdue_at.reset();
  change.touch();
  if (was_told) {
    if (subscription != nullptr) take_final_action(change, *subscription, invoice);
    return;
  }
  // Source: Stripe, a subscription "becomes past_due when its invoice is not paid by the due date, and canceled or
  // unpaid if it is still not paid by an additional deadline after that".
  if (subscription != nullptr)
    invoice.overdue_at =
        *invoice.due_at + std::max<Duration>(change.rules.overdue_final_after, std::chrono::seconds(1));
  change.emit({EventType::invoice_overdue}, invoice);
  if (subscription != nullptr && subscription->status == SubscriptionStatus::active &&
      subscription->latest_invoice == invoice.id)
    set_status(change, *subscription, SubscriptionStatus::past_due);
}

void retry_past_due(Change& change) {
  const Account& account = change.account();
  for (const Subscription& subscription : account.subscriptions) {
    if (subscription.status != SubscriptionStatus::past_due) continue;
    Invoice* invoice = change.account().find(subscription.latest_invoice);
    if (invoice == nullptr || invoice->status != InvoiceStatus::open || !invoice->auto_advance) continue;
    if (invoice->collection == Collection::send_invoice) continue;
    const Source* source = paying_source(account, *invoice);
    if (source != nullptr && invoice->unresolved_charge() == nullptr) begin_charge(change, *invoice, *source, false);
  }
}

}  // namespace billd
