// Renewals that do not come with time alone: asked for, waited for, or refused by the processor.
#include <algorithm>

#include "engine/change.hpp"

namespace billd {
namespace {

/// Whether the subscription ends with its period.
bool ends_with_period(const Subscription& subscription) {
  return subscription.cancel_at_period_end ||
         (subscription.cancel_at && *subscription.cancel_at <= subscription.current_period.end);
}

/// Why the next period cannot be begun before its time.
Result<void> check_advance(const Subscription& subscription) {
  if (subscription.status == SubscriptionStatus::trialing)
    return Failure{Errc::invalid_state, "A trial is not renewed ahead of its end; end it with `trial_end`.",
                   "subscription"};
  if (ends_with_period(subscription))
    return Failure{Errc::invalid_state, "The subscription is to end with its period and is not renewed.",
                   "subscription"};
  if (std::ranges::any_of(subscription.items, [](const SubscriptionItem& item) { return item.price.is_metered(); }))
    return Failure{Errc::invalid_state, "What is metered is billed when its period is over, and not ahead of it.",
                   "subscription"};
  return {};
}

/// Whether its schedule changes the subscription first.
bool gives_way(const Account& account, const Subscription& subscription) {
  const Schedule* schedule = account.find(subscription.schedule);
  return schedule != nullptr && schedule->is_live() && schedule->next_at() <= subscription.current_period.end;
}

Result<void> renew_one(Change& change, Subscription& subscription, const RenewSubscription& command) {
  const Period period = subscription.current_period;
  if (command.period_end && whole_second(*command.period_end) != period.end) return {};
  if (period.end <= change.now) {
    // The timer begins the phase that is due, and then the period.
    if (gives_way(change.account(), subscription)) return {};
    // What ends is ended by its timer.
    return ends_with_period(subscription) ? Result<void>() : renew(change, subscription);
  }
  // A period that was begun ahead is the last one that can be.
  if (!command.advance || change.now < period.start) return {};
  auto allowed = check_advance(subscription);
  if (!allowed) return allowed.error();
  if (gives_way(change.account(), subscription))
    return Failure{Errc::invalid_state, "The subscription's schedule changes it before its next period begins.",
                   "subscription"};
  return renew(change, subscription);
}

Result<void> check_renewable(const Account& account, const Subscription& subscription) {
  if (!subscription.is_live()) return Failure{Errc::invalid_state, "The subscription has ended.", "subscription"};
  if (subscription.status == SubscriptionStatus::incomplete)
    return Failure{Errc::invalid_state, "A subscription whose first payment is incomplete is not renewed.",
                   "subscription"};
  if (subscription.status == SubscriptionStatus::paused)
    return Failure{Errc::invalid_state, "A paused subscription is resumed, not renewed.", "subscription"};
  return check_no_pending_payment(account, subscription);
}

}  // namespace

void begin_grace(Change& change, Subscription& subscription) {
  Subscription before = subscription;
  subscription.grace_until = subscription.current_period.end + change.rules.renewal_grace;
  change.emit_update(EventType::subscription_updated, std::move(before), subscription);
}

Result<void> renew_by_hand(Change& change, const RenewSubscription& command) {
  Account& account = change.account();
  if (account.customer.deleted) return no_such_customer(account.customer);
  if (!command.subscription.is_empty()) {
    Subscription* subscription = find_known(change, command.subscription);
    if (subscription == nullptr) return no_such_subscription(command.subscription);
    auto renewable = check_renewable(account, *subscription);
    if (!renewable) return renewable.error();
    change.set_subject(subscription->id.value());
    return renew_one(change, *subscription, command);
  }
  change.set_subject(account.customer.id.value());
  for (Subscription& subscription : account.subscriptions) {
    if (!check_renewable(account, subscription)) continue;
    // Of several, those that cannot be renewed ahead are left to their time.
    if (command.advance && subscription.current_period.end > change.now && !check_advance(subscription)) continue;
    auto renewed = renew_one(change, subscription, command);
    if (!renewed) return renewed.error();
  }
  return {};
}

Result<void> lapse_subscription(Change& change, const LapseSubscription& command) {
  Subscription* subscription = find_known(change, command.subscription);
  if (subscription == nullptr) return no_such_subscription(command.subscription);
  auto renewable = check_renewable(change.account(), *subscription);
  if (!renewable) return renewable.error();
  change.set_subject(subscription->id.value());
  if (subscription->grace_until) {
    auto used = bill_last_usage(change, *subscription, subscription->current_period.end);
    if (!used) return used.error();
    end_subscription(change, *subscription, change.now, change.now);
    return {};
  }
  if (ends_with_period(*subscription)) return {};
  Subscription before = *subscription;
  subscription->cancel_at.reset();
  subscription->cancel_at_period_end = true;
  subscription->canceled_at = change.now;
  change.emit_update(EventType::subscription_updated, std::move(before), *subscription);
  return {};
}

}  // namespace billd
