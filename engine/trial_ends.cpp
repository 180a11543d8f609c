// Trials that end without a way to pay, and how a subscription that is paused so begins again.
// Source: https://stripe.com/docs/billing/subscriptions/trials.
#include <algorithm>

#include "engine/change.hpp"

namespace billd {
namespace {

/// The period that now lies in, as the cycle goes on from where it was anchored. It keeps the trial's ordinal: the
/// trial's invoice is all that bills it as a period.
void join_period(Change& change, Subscription& subscription, Timestamp start) {
  const std::int64_t place = ordinal_at(subscription.anchor, subscription.recurrence(), start);
  subscription.anchor_ordinal = subscription.ordinal - place;
  subscription.current_period = subscription.whole_period();
  subscription.paid_until.reset();
  subscription.changed_at = start;
  subscription.status = SubscriptionStatus::active;
  plan_upcoming_notice(change, subscription);
}

/// Pending items for what is left of the period.
Result<void> prorate_rest(Change& change, Subscription& subscription, Timestamp time) {
  const Timestamp moment = proration_moment(subscription, time, change.rules.proration_unit, false);
  const Period rest{moment, subscription.current_period.end};
  auto discounted = discount_items(change, change.customer(), subscription, {});
  if (!discounted) return discounted.error();
  for (const SubscriptionItem& item : subscription.items) {
    auto billed = prorate(change, subscription, item, rest, Side::debit);
    if (!billed) return billed.error();
  }
  return {};
}

Result<void> check_proration_date(const UnpauseSubscription& command, const Subscription& resumed) {
  if (!command.proration_date) return {};
  const auto [start, end] = resumed.current_period;
  if (!command.anchor_now && start <= *command.proration_date && *command.proration_date <= end) return {};
  return Failure{Errc::invalid_parameter, "Cannot specify proration date outside of current subscription period",
                 "proration_date"};
}

}  // namespace

Result<bool> ends_without_payment_method(Change& change, Subscription& subscription) {
  const MissingPaymentMethod behavior = subscription.missing_payment_method;
  if (behavior == MissingPaymentMethod::create_invoice || subscription.collection == Collection::send_invoice)
    return false;
  if (paying_source(change.account(), &subscription) != nullptr) return false;
  const Timestamp end = subscription.current_period.end;
  if (behavior == MissingPaymentMethod::cancel) {
    auto used = bill_last_usage(change, subscription, end);
    if (!used) return used.error();
    end_subscription(change, subscription, end, end);
    return true;
  }
  Subscription before = subscription;
  subscription.status = SubscriptionStatus::paused;
  subscription.trial_will_end_at.reset();
  subscription.upcoming_at.reset();
  subscription.grace_until.reset();
  change.emit_update(EventType::subscription_updated, std::move(before), subscription);
  change.emit({EventType::subscription_paused}, subscription);
  return true;
}

Result<void> unpause_subscription(Change& change, const UnpauseSubscription& command) {
  Subscription* found = find_known(change, command.subscription);
  if (found == nullptr) return no_such_subscription(command.subscription);
  Subscription& subscription = *found;
  if (subscription.status != SubscriptionStatus::paused)
    return Failure{Errc::invalid_state, "Only a subscription whose status is `paused` can be resumed.", "subscription"};
  auto rests = check_no_pending_payment(change.account(), subscription);
  if (!rests) return rests.error();
  auto dropped = drop_pending_update(change, subscription);
  if (!dropped) return dropped.error();
  change.set_subject(subscription.id.value());

  const Subscription before = subscription;
  const std::uint64_t objects_before = change.account().objects;
  const std::size_t pending_before = change.account().invoice_items.size();
  const Timestamp start = whole_second(change.now);
  if (command.anchor_now)
    restart_period(change, subscription, start, std::nullopt);
  else
    join_period(change, subscription, start);
  auto date = check_proration_date(command, subscription);
  if (!date) return date.error();
  if (!command.anchor_now && command.proration != ProrationBehavior::none) {
    auto prorated = prorate_rest(change, subscription, command.proration_date.value_or(start));
    if (!prorated) return prorated.error();
  }
  const bool has_prorations = change.account().invoice_items.size() > pending_before;
  const bool is_billed =
      command.anchor_now || (has_prorations && command.proration == ProrationBehavior::always_invoice);
  if (!is_billed) {
    change.emit_update(EventType::subscription_updated, before, subscription);
  } else {
    const Period gathered{before.current_period.end, start};
    Billing billing{BillingReason::subscription_update, gathered, command.anchor_now, true};
    if (command.anchor_now) billing.ended = EndedPeriod{gathered, true};
    const bool is_collected = subscription.collection == Collection::charge_automatically && !subscription.pause;
    // Source: Stripe, the invoice "must be paid or marked uncollectible before the subscription will be unpaused", and
    // it "will void automatically if not paid by the expiration date".
    auto billed = is_collected ? bill_if_paid(change, subscription, before, billing, false, objects_before)
                               : bill(change, subscription, before, billing);
    if (!billed) return billed.error();
  }
  if (subscription.status != SubscriptionStatus::paused) change.emit({EventType::subscription_resumed}, subscription);
  return {};
}

}  // namespace billd
