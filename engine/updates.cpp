// Changes of a running subscription: its items, its trial, its cycle, its end.
#include <algorithm>

#include "engine/change.hpp"

namespace billd {
namespace {

Failure no_such_item(const SubscriptionItemId& id) {
  return {Errc::not_found, "No such subscription item: " + id.value(), "items"};
}

bool costs_the_same(const SubscriptionItem& a, const SubscriptionItem& b) {
  return a.price == b.price && a.quantity == b.quantity;
}

bool costs_nothing(const std::vector<SubscriptionItem>& items) {
  return std::ranges::all_of(items, [](const SubscriptionItem& item) {
    const auto cost = cost_of(item);
    return cost && cost->minor == 0;
  });
}

/// The items after the changes.
Result<std::vector<SubscriptionItem>> apply(Change& change, std::vector<SubscriptionItem> items,
                                            const std::vector<ItemChange>& changes) {
  for (const ItemChange& each : changes) {
    if (each.item.is_empty()) {
      if (!each.price) return Failure{Errc::missing_parameter, "Missing required param: items[price].", "items"};
      SubscriptionItem item;
      item.id = change.draw_id<SubscriptionItemKind>();
      item.created = change.now;
      item.price = *each.price;
      item.quantity = each.quantity.value_or(1);
      auto patched = patch(item.metadata, each.metadata);
      if (!patched) return patched.error();
      item.tax_rates = each.tax_rates.value_or(std::vector<AppliedTaxRate>());
      items.push_back(std::move(item));
      continue;
    }
    auto item = std::ranges::find(items, each.item, &SubscriptionItem::id);
    if (item == items.end()) return no_such_item(each.item);
    if (each.deleted) {
      items.erase(item);
      continue;
    }
    if (each.price && *each.price != item->price) {
      item->price = *each.price;
      item->usage.clear();
    }
    if (each.tax_rates) item->tax_rates = *each.tax_rates;
    if (each.quantity) item->quantity = *each.quantity;
    auto patched = patch(item->metadata, each.metadata);
    if (!patched) return patched.error();
  }
  auto fine = check_items(items);
  if (!fine) return fine.error();
  return items;
}

/// What was used of items that go, or get another price, waits for the next invoice.
Result<void> bill_replaced_usage(Change& change, const Subscription& subscription,
                                 const std::vector<SubscriptionItem>& items, const UpdateSubscription& command,
                                 Timestamp until) {
  for (SubscriptionItem old : subscription.items) {
    const auto kept = std::ranges::find(items, old.id, &SubscriptionItem::id);
    if (kept != items.end() && kept->price == old.price) continue;
    const auto asked = std::ranges::find(command.items, old.id, &ItemChange::item);
    if (asked != command.items.end() && asked->clear_usage) continue;
    auto billed = usage_to_item(change, subscription, old, until, nullptr);
    if (!billed) return billed.error();
  }
  return {};
}

bool changes_billing(const UpdateSubscription& command) {
  return !command.items.empty() || command.trial_end || command.anchor_now || command.cancel_at ||
         command.cancel_at_period_end;
}

/// Whether the change is made only when it is paid for.
bool has_to_be_paid(const UpdateSubscription& command) {
  return command.payment_behavior == PaymentBehavior::pending_if_incomplete ||
         command.payment_behavior == PaymentBehavior::error_if_incomplete;
}

/// Whether the change could be made only when it is paid for: that it says nothing else, and a card pays.
bool can_be_paid_first(const Account& account, const UpdateSubscription& command) {
  const Subscription* subscription = account.find(command.subscription);
  if (subscription == nullptr || !check_paid_change(*subscription, command)) return false;
  const Source* source = paying_source(account, subscription);
  return source == nullptr || source->bank_account() == nullptr;
}

/// Whether it is about what a pending update is about.
bool replaces_pending_update(const UpdateSubscription& command) {
  return changes_billing(command) || !command.one_time_items.empty() || command.collection || command.tax_rates ||
         command.pause;
}

Result<void> check_update(const Change& change, const Account& account, const Subscription& subscription,
                          const UpdateSubscription& command, bool by_schedule) {
  if (has_to_be_paid(command)) {
    auto may_wait = check_paid_change(subscription, command);
    if (!may_wait) return may_wait.error();
  }
  if (replaces_pending_update(command)) {
    auto rests = check_no_pending_payment(account, subscription);
    if (!rests) return rests.error();
  }
  if (command.pending_item_interval) {
    auto interval = check_interval(*command.pending_item_interval);
    if (!interval) return interval.error();
  }
  if (!by_schedule && subscription.status == SubscriptionStatus::paused &&
      (changes_billing(command) || !command.one_time_items.empty()))
    return Failure{Errc::invalid_state, "A paused subscription has to be resumed before it can be changed."};
  if (subscription.status == SubscriptionStatus::incomplete && changes_billing(command))
    return Failure{Errc::invalid_state,
                   "A subscription whose first payment is incomplete cannot be changed; pay its invoice first."};
  // A period that is over is billed by what was agreed in it, before anything else is agreed.
  if (!by_schedule && changes_billing(command) && subscription.current_period.end <= change.now)
    return Failure{Errc::invalid_state, "The subscription is being renewed; try again in a moment."};
  if (command.trial_end && *command.trial_end > end_of_time)
    return Failure{Errc::invalid_parameter, "Invalid timestamp: too far in the future.", "trial_end"};
  if (command.anchor_now && (command.trial_end || subscription.status == SubscriptionStatus::trialing))
    return Failure{Errc::invalid_parameter, "A trial ends where the cycle is anchored: use `trial_end`.",
                   "billing_cycle_anchor"};
  if (command.cancel_at && command.cancel_at_period_end.value_or(false))
    return Failure{Errc::invalid_parameter,
                   "Received both cancel_at and cancel_at_period_end parameters. Please pass in only one.",
                   "cancel_at"};
  if (command.cancel_at && *command.cancel_at &&
      (**command.cancel_at <= change.now || **command.cancel_at > end_of_time))
    return Failure{Errc::invalid_parameter, "Invalid timestamp: must be an integer Unix timestamp in the future",
                   "cancel_at"};
  if (command.default_source && !command.default_source->is_empty() && account.find(*command.default_source) == nullptr)
    return Failure{Errc::not_found, "No such source: " + command.default_source->value(), "default_source"};
  if (command.pause && *command.pause) {
    auto pause = check_pause(change, **command.pause);
    if (!pause) return pause.error();
  }
  if (command.cancel_at || command.cancel_at_period_end) {
    auto own = check_own_end(subscription);
    if (!own) return own.error();
  }
  if (command.tax_rates) {
    auto rates_are_fine = check_tax_rates(*command.tax_rates, "default_tax_rates");
    if (!rates_are_fine) return rates_are_fine.error();
  }
  auto once = check_one_time_items(command.one_time_items, subscription.items.front().price.unit_amount.currency);
  if (!once) return once.error();
  if (command.proration_date) {
    // Source: Stripe, within the current period, and "cannot be before the subscription was on its current plan".
    const Timestamp earliest = subscription.changed_at.value_or(subscription.current_period.start);
    if (*command.proration_date < earliest || *command.proration_date > subscription.current_period.end)
      return Failure{Errc::invalid_parameter, "Cannot specify proration date outside of current subscription period",
                     "proration_date"};
  }
  return check_collection(command.collection.value_or(subscription.collection),
                          command.days_until_due.value_or(subscription.days_until_due));
}

/// What is not billed.
void apply_terms(Change& change, Subscription& subscription, const UpdateSubscription& command) {
  if (command.default_source) subscription.default_source = *command.default_source;
  if (command.description) subscription.description = *command.description;
  if (command.cancellation_comment) subscription.cancellation_comment = *command.cancellation_comment;
  if (command.cancellation_feedback) subscription.cancellation_feedback = *command.cancellation_feedback;
  if (command.collection) subscription.collection = *command.collection;
  if (command.days_until_due) subscription.days_until_due = *command.days_until_due;
  if (command.renewal_trigger) subscription.renewal_trigger = *command.renewal_trigger;
  if (command.missing_payment_method) subscription.missing_payment_method = *command.missing_payment_method;
  if (command.saves_source) subscription.saves_source = *command.saves_source;
  if (command.pending_item_interval) set_pending_item_interval(change, subscription, *command.pending_item_interval);
  // Time alone renews it now, and the time has come.
  if (subscription.renewal_trigger == RenewalTrigger::schedule) subscription.grace_until.reset();
  if (command.pause) {
    subscription.pause = *command.pause;
    if (subscription.pause && subscription.pause->resumes_at)
      subscription.pause->resumes_at = whole_second(*subscription.pause->resumes_at);
  }
  if (command.cancel_at_period_end) subscription.cancel_at_period_end = *command.cancel_at_period_end;
  if (command.cancel_at) {
    subscription.cancel_at = *command.cancel_at;
    if (subscription.cancel_at) {
      subscription.cancel_at = whole_second(*subscription.cancel_at);
      subscription.cancel_at_period_end = false;
    }
  }
  if (command.cancel_at_period_end.value_or(false)) subscription.cancel_at.reset();
  const bool is_to_end = subscription.cancel_at_period_end || subscription.cancel_at.has_value();
  if (!is_to_end)
    subscription.canceled_at.reset();
  else if (!subscription.canceled_at)
    subscription.canceled_at = change.now;
}

/// Credits what the old items would have cost in the rest of the period, with the taxes that were agreed then, and
/// bills what the new ones do, with those that are agreed now.
Result<void> prorate_items(Change& change, Subscription& subscription, std::vector<SubscriptionItem> items,
                           const std::vector<AppliedTaxRate>& tax_rates, Timestamp moment) {
  const Period rest{moment, std::max(moment, subscription.paid_end())};
  const std::vector<SubscriptionItem> old = std::exchange(subscription.items, std::move(items));
  const auto same_in = [](const std::vector<SubscriptionItem>& others, const SubscriptionItem& item) {
    return std::ranges::any_of(
        others, [&](const SubscriptionItem& other) { return other.id == item.id && costs_the_same(other, item); });
  };
  auto discounted = discount_items(change, change.customer(), subscription, old);
  if (!discounted) return discounted.error();
  for (const SubscriptionItem& item : old) {
    if (same_in(subscription.items, item)) continue;
    auto credited = prorate(change, subscription, item, rest, Side::credit);
    if (!credited) return credited.error();
  }
  subscription.tax_rates = tax_rates;
  for (const SubscriptionItem& item : subscription.items) {
    if (same_in(old, item)) continue;
    auto billed = prorate(change, subscription, item, rest, Side::debit);
    if (!billed) return billed.error();
  }
  return {};
}

/// What a phase of the subscription's schedule makes of its discount.
using PhaseDiscount = std::optional<std::optional<Discount>>;

/// Puts the discount that was asked for, or the phase's, in the place of the one there is.
Result<void> change_discount(Change& change, Subscription& subscription, const std::vector<SubscriptionItem>& items,
                             const UpdateSubscription& command, const PhaseDiscount& of_phase) {
  if (of_phase) {
    if (*of_phase != subscription.discount) put_discount(change, subscription.discount, *of_phase);
    return {};
  }
  if (!command.discount) return {};
  std::optional<Discount> discount;
  if (*command.discount) {
    auto bought = cost_of_all(items);
    if (!bought) return bought.error();
    auto redeemed = redeem(change, **command.discount, subscription.id, &*bought);
    if (!redeemed) return redeemed.error();
    discount = std::move(*redeemed);
  }
  put_discount(change, subscription.discount, std::move(discount));
  return {};
}

/// Carries the change out as of `at`: now, or when a phase of the subscription's schedule began.
Result<void> update(Change& change, const UpdateSubscription& command, Timestamp at, bool by_schedule,
                    const PhaseDiscount& of_phase) {
  Account& account = change.account();
  Subscription* found = find_known(change, command.subscription);
  if (found == nullptr) return no_such_subscription(command.subscription);
  Subscription& subscription = *found;
  auto allowed = check_update(change, account, subscription, command, by_schedule);
  if (!allowed) return allowed.error();
  // Source: Stripe, a later change takes the place of one that is pending.
  if (replaces_pending_update(command)) {
    auto dropped = drop_pending_update(change, subscription);
    if (!dropped) return dropped.error();
  }
  const std::uint64_t objects_before = account.objects;
  auto applied = apply(change, subscription.items, command.items);
  if (!applied) return applied.error();
  std::vector<SubscriptionItem> items = std::move(*applied);
  if (items.front().price.unit_amount.currency != subscription.items.front().price.unit_amount.currency)
    return mixed_currencies(subscription.items.front().price.unit_amount.currency);
  change.set_subject(subscription.id.value());

  const Subscription before = subscription;
  const std::size_t pending_before = account.invoice_items.size();
  // What is paused is still what its trial left.
  const bool is_trial =
      subscription.status == SubscriptionStatus::trialing || subscription.status == SubscriptionStatus::paused;
  const bool is_free = subscription.is_free_period();
  const bool prorates = command.proration != ProrationBehavior::none && !is_free;
  const Timestamp time = command.proration_date.value_or(at);
  const Timestamp start = whole_second(at);
  const bool trial_begins = command.trial_end && whole_second(*command.trial_end) > start;
  const bool trial_ends = is_trial && command.trial_end && !trial_begins;
  const bool interval_changes = items.front().price.recurrence != before.recurrence();
  const bool from_free = !is_free && costs_nothing(before.items) && !costs_nothing(items);
  // Source: Stripe; within a trial the cycle has not begun, so that another interval moves nothing.
  const bool begins_period =
      command.anchor_now || trial_begins || trial_ends || (!is_trial && (interval_changes || from_free));
  auto patched = patch(subscription.metadata, command.metadata);
  if (!patched) return patched.error();
  apply_terms(change, subscription, command);
  auto discounted = change_discount(change, subscription, items, command, of_phase);
  if (!discounted) return discounted.error();
  auto replaced = bill_replaced_usage(change, subscription, items, command, start);
  if (!replaced) return replaced.error();
  auto added = add_one_time_items(change, subscription, command.one_time_items);
  if (!added) return added.error();
  tell_of_items(change, *added);
  const std::vector<AppliedTaxRate> tax_rates = command.tax_rates.value_or(before.tax_rates);

  if (begins_period) {
    if (prorates) {
      auto credited = pay_until(
          change, subscription,
          std::min(subscription.paid_end(), proration_moment(subscription, time, change.rules.proration_unit, true)));
      if (!credited) return credited.error();
    }
    subscription.items = std::move(items);
    subscription.tax_rates = tax_rates;
    restart_period(change, subscription, start,
                   trial_begins ? std::optional(whole_second(*command.trial_end)) : std::nullopt);
  } else {
    const Timestamp moment = proration_moment(subscription, time, change.rules.proration_unit, false);
    const bool costs_change = !std::ranges::equal(
        items, before.items, [](const auto& a, const auto& b) { return a.id == b.id && costs_the_same(a, b); });
    if (prorates && costs_change) {
      auto prorated = prorate_items(change, subscription, std::move(items), tax_rates, moment);
      if (!prorated) return prorated.error();
    } else {
      subscription.items = std::move(items);
      subscription.tax_rates = tax_rates;
    }
    if (costs_change) subscription.changed_at = std::max(moment, subscription.changed_at.value_or(moment));
  }
  // Source: Stripe, a cancellation within the current period "will cause a proration if prorations have been enabled".
  // Of a period that was begun ahead of its time all is credited, and of the one before it nothing.
  const auto [begin, end] = subscription.current_period;
  const Timestamp paid_until = subscription.cancel_at ? std::clamp(*subscription.cancel_at, begin, end) : end;
  const bool end_moves = before.cancel_at != subscription.cancel_at || begins_period;
  // What was credited ahead of an end that is called off is owed again in any case.
  const bool is_owed_again = paid_until > subscription.paid_end();
  if (end_moves && (command.proration != ProrationBehavior::none || is_owed_again)) {
    auto paid = pay_until(change, subscription, paid_until);
    if (!paid) return paid.error();
  }
  if (account.invoice_items.size() > std::max(pending_items_max, pending_before))
    return Failure{Errc::limit_exceeded, "There can be at most 250 items pending."};

  const Period gathered{before.current_period.start, start};
  const bool has_prorations = account.invoice_items.size() > pending_before;
  const auto bill_now = [&](Billing billing) -> Result<void> {
    const bool once = command.payment_behavior == PaymentBehavior::error_if_incomplete;
    billing.waits = command.payment_behavior == PaymentBehavior::default_incomplete;
    return has_to_be_paid(command) ? bill_if_paid(change, subscription, before, billing, once, objects_before)
                                   : bill(change, subscription, before, billing);
  };
  if (begins_period) {
    Billing billing{BillingReason::subscription_update, gathered, true, true};
    billing.ended = EndedPeriod{gathered, is_free};
    return bill_now(billing);
  }
  const bool takes_nothing = subscription.pause && subscription.pause->takes_nothing_along();
  if (command.proration == ProrationBehavior::always_invoice && has_prorations && !takes_nothing)
    return bill_now({BillingReason::subscription_update, gathered, false, true});
  change.emit_update(EventType::subscription_updated, before, subscription);
  return {};
}

}  // namespace

Result<void> update_subscription(Change& change, const UpdateSubscription& command) {
  if (command.payment_behavior != PaymentBehavior::error_where_possible)
    return update(change, command, change.now, false, std::nullopt);
  UpdateSubscription settled = command;
  settled.payment_behavior = can_be_paid_first(change.account(), command) ? PaymentBehavior::error_if_incomplete
                                                                          : PaymentBehavior::allow_incomplete;
  return update(change, settled, change.now, false, std::nullopt);
}

Result<void> update_by_schedule(Change& change, const UpdateSubscription& command, std::optional<Discount> discount) {
  return update(change, command, change.now, false, std::optional(std::move(discount)));
}

Result<void> begin_phase(Change& change, const UpdateSubscription& command, Timestamp time,
                         std::optional<Discount> discount) {
  return update(change, command, time, true, std::optional(std::move(discount)));
}

}  // namespace billd
