// The life of a subscription: begun, renewed, cancelled, and how it follows the payment of its invoices.
#include <algorithm>

#include "engine/change.hpp"

namespace billd {
namespace {

/// Source: Stripe allows 20 items in a subscription and 500 live subscriptions of a customer.
constexpr std::size_t items_max = 20, subscriptions_max = 500;

Failure no_such_subscription(const SubscriptionId& id) {
  return {Errc::not_found, "No such subscription: " + id.value(), "id"};
}

Result<void> check_items(const std::vector<NewSubscriptionItem>& items) {
  if (items.empty()) return Failure{Errc::missing_parameter, "Missing required param: items.", "items"};
  if (items.size() > items_max)
    return Failure{Errc::limit_exceeded, "A subscription can have at most 20 items.", "items"};
  for (const NewSubscriptionItem& item : items) {
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
  const Subscription before = subscription;
  subscription.status = status;
  if (!subscription.provisional) change.emit_update(EventType::subscription_updated, before, subscription);
}

}  // namespace

Result<void> subscribe(Change& change, const Subscribe& command) {
  Account& account = change.account();
  Customer& customer = account.customer;
  if (customer.deleted) return Failure{Errc::not_found, "No such customer: " + customer.id.value(), "customer"};
  auto items_are_fine = check_items(command.items);
  if (!items_are_fine) return items_are_fine.error();
  if (account.subscriptions.size() >= subscriptions_max)
    return Failure{Errc::limit_exceeded, "A customer can have at most 500 current subscriptions."};
  if (!command.default_source.is_empty() && account.find(command.default_source) == nullptr)
    return Failure{Errc::not_found, "No such source: " + command.default_source.value(), "default_source"};
  if (command.trial_end && *command.trial_end > end_of_time)
    return Failure{Errc::invalid_parameter, "Invalid timestamp: too far in the future.", "trial_end"};

  const Currency currency = command.items.front().price.unit_amount.currency;
  if (!customer.currency.is_none() && customer.currency != currency)
    return Failure{Errc::currency_mismatch,
                   "You cannot combine currencies on a single customer. This customer has had a subscription, coupon, "
                   "or invoice item with currency " +
                       std::string(customer.currency.code())};

  Subscription subscription;
  subscription.id = change.draw_id<SubscriptionKind>();
  subscription.created = change.now;
  for (const NewSubscriptionItem& item : command.items)
    subscription.items.push_back(
        {change.draw_id<SubscriptionItemKind>(), change.now, item.price, item.quantity, item.metadata});
  subscription.default_source = command.default_source;
  subscription.metadata = command.metadata;
  const Timestamp start = whole_second(change.now);
  const bool trial = command.trial_end && *command.trial_end > start;
  if (trial) {
    // The trial is period 0; the cycle is anchored at its end, as period 1.
    subscription.status = SubscriptionStatus::trialing;
    subscription.trial_start = start;
    subscription.trial_end = whole_second(*command.trial_end);
    subscription.anchor = *subscription.trial_end;
    subscription.anchor_ordinal = 1;
    subscription.current_period = {start, *subscription.trial_end};
  } else {
    subscription.anchor = start;
    subscription.current_period = subscription.period(0);
  }
  if (command.cancel_at_period_end) {
    subscription.cancel_at_period_end = true;
    subscription.canceled_at = change.now;
  }

  auto drawn_up = draw_up_invoice(change, subscription, BillingReason::subscription_create);
  if (!drawn_up) return drawn_up.error();
  Invoice& invoice = **drawn_up;
  subscription.latest_invoice = invoice.id;

  const bool free = invoice.total.minor == 0;
  const Source* source =
      account.find(command.default_source.is_empty() ? customer.default_source : command.default_source);
  if (!free && source == nullptr)
    return Failure{Errc::no_payment_source, "This customer has no attached payment source"};
  if (!trial) subscription.status = free ? SubscriptionStatus::active : SubscriptionStatus::incomplete;
  if (!free) {
    subscription.expires_at = change.now + change.rules.incomplete_expires_after;
    subscription.provisional = command.payment_behavior == PaymentBehavior::error_if_incomplete;
    invoice.provisional = subscription.provisional;
  }

  if (!subscription.provisional) {
    const Customer before = customer;
    customer.currency = currency;
    change.emit_update(EventType::customer_updated, before, customer);
    change.emit({EventType::subscription_created}, subscription);
    change.emit({EventType::invoice_created}, invoice);
  }
  change.touch();
  change.set_subject(subscription.id.value());
  account.subscriptions.push_back(std::move(subscription));
  finalize_invoice(change, invoice);
  if (!free) {
    invoice.next_attempt_at.reset();
    begin_charge(change, invoice, *source, false);
  }
  return {};
}

Result<void> cancel_subscription(Change& change, const CancelSubscription& command) {
  Subscription* subscription = change.account().find(command.subscription);
  if (subscription == nullptr) return no_such_subscription(command.subscription);
  change.set_subject(subscription->id.value());
  if (!command.at_period_end) {
    end_subscription(change, *subscription, SubscriptionStatus::canceled, change.now);
    return {};
  }
  if (subscription->status == SubscriptionStatus::incomplete)
    return Failure{Errc::invalid_state,
                   "A subscription whose first payment is incomplete can only be canceled at once.", "at_period_end"};
  if (subscription->cancel_at_period_end) return {};
  const Subscription before = *subscription;
  subscription->cancel_at_period_end = true;
  subscription->canceled_at = change.now;
  change.emit_update(EventType::subscription_updated, before, *subscription);
  return {};
}

Result<void> resume_subscription(Change& change, const ResumeSubscription& command) {
  Subscription* subscription = change.account().find(command.subscription);
  if (subscription == nullptr) return no_such_subscription(command.subscription);
  change.set_subject(subscription->id.value());
  const Subscription before = *subscription;
  subscription->cancel_at_period_end = false;
  subscription->canceled_at.reset();
  change.emit_update(EventType::subscription_updated, before, *subscription);
  return {};
}

void end_subscription(Change& change, Subscription& subscription, SubscriptionStatus status, Timestamp ended_at) {
  subscription.status = status;
  subscription.ended_at = ended_at;
  if (!subscription.canceled_at) subscription.canceled_at = change.now;
  subscription.expires_at.reset();
  change.emit({EventType::subscription_deleted}, subscription);
  // Source: Stripe, "By default, all unpaid invoices for the customer will be closed upon subscription cancellation".
  close_unpaid_invoices(change);
}

Result<void> renew(Change& change, Subscription& subscription) {
  const Subscription before = subscription;
  subscription.ordinal += 1;
  subscription.current_period = subscription.period(subscription.ordinal);
  if (subscription.status == SubscriptionStatus::trialing) subscription.status = SubscriptionStatus::active;

  auto drawn_up = draw_up_invoice(change, subscription, BillingReason::subscription_cycle);
  if (!drawn_up) return drawn_up.error();
  Invoice& invoice = **drawn_up;
  subscription.latest_invoice = invoice.id;
  if (subscription.status == SubscriptionStatus::unpaid) {
    // Source: Stripe, while a subscription is unpaid its invoices are created and closed at once.
    invoice.auto_advance = false;
    invoice.finalize_at.reset();
  }
  change.emit_update(EventType::subscription_updated, before, subscription);
  change.emit({EventType::invoice_created}, invoice);
  return {};
}

void invoice_was_paid(Change& change, const Invoice& invoice) {
  Subscription* subscription = change.account().find(invoice.subscription);
  if (subscription == nullptr || subscription->latest_invoice != invoice.id) return;
  switch (subscription->status) {
    case SubscriptionStatus::incomplete:
    case SubscriptionStatus::past_due:
    case SubscriptionStatus::unpaid:
      break;
    default:
      return;
  }
  const Subscription before = *subscription;
  subscription->status = SubscriptionStatus::active;
  subscription->expires_at.reset();
  change.emit_update(EventType::subscription_updated, before, *subscription);
}

void invoice_payment_failed(Change& change, Invoice& invoice, bool may_retry) {
  Account& account = change.account();
  Subscription* subscription = account.find(invoice.subscription);
  const bool first_payment = subscription != nullptr && subscription->status == SubscriptionStatus::incomplete;
  // The first payment of a subscription is asked for by hand; the schedule is for what billd collects by itself.
  const auto retries = change.rules.retry_schedule.size();
  const auto retry = static_cast<std::size_t>(std::max(invoice.attempt_count - 1, 0));
  const bool retry_left = may_retry && invoice.auto_advance && !first_payment && retry < retries;
  if (retry_left) invoice.next_attempt_at = change.now + change.rules.retry_schedule[retry];
  change.emit({EventType::invoice_payment_failed}, invoice);
  if (subscription == nullptr || first_payment || !may_retry) return;

  const bool was_collecting = subscription->status == SubscriptionStatus::active ||
                              subscription->status == SubscriptionStatus::trialing ||
                              subscription->status == SubscriptionStatus::past_due;
  if (!was_collecting) return;
  if (retry_left || change.rules.final_action == FinalAction::past_due) {
    set_status(change, *subscription, SubscriptionStatus::past_due);
  } else if (change.rules.final_action == FinalAction::unpaid) {
    const Invoice before = invoice;
    invoice.auto_advance = false;
    change.emit_update(EventType::invoice_updated, before, invoice);
    set_status(change, *subscription, SubscriptionStatus::unpaid);
  } else {
    end_subscription(change, *subscription, SubscriptionStatus::canceled, change.now);
  }
}

}  // namespace billd
