// The life of a subscription: begun, renewed, cancelled, and how it follows the payment of its invoices.
#include <algorithm>

#include "engine/change.hpp"
#include "engine/trials.hpp"

namespace billd {
namespace {

/// Source: Stripe allows 20 items in a subscription and 500 live subscriptions of a customer.
constexpr std::size_t items_max = 20, subscriptions_max = 500;

void set_status(Change& change, Subscription& subscription, SubscriptionStatus status) {
  if (subscription.status == status) return;
  Subscription before = subscription;
  subscription.status = status;
  subscription.expires_at.reset();
  change.emit_update(EventType::subscription_updated, std::move(before), subscription);
}

/// What becomes of a subscription whose invoice was not paid in the end.
void take_final_action(Change& change, Subscription& subscription, Invoice& invoice) {
  switch (change.rules.final_action) {
    case FinalAction::cancel:
      cut_off(change, subscription);
      return;
    case FinalAction::unpaid:
      stop_collecting(change, invoice);
      // A trial goes on: it is not the trial that was not paid.
      if (subscription.status != SubscriptionStatus::trialing)
        set_status(change, subscription, SubscriptionStatus::unpaid);
      return;
    case FinalAction::past_due:
      if (subscription.status == SubscriptionStatus::active && subscription.latest_invoice == invoice.id)
        set_status(change, subscription, SubscriptionStatus::past_due);
      return;
  }
}

/// When the first cycle of a subscription that begins then does so: at once, or when the trial is over.
Timestamp cycle_start(Timestamp begins, const Subscribe& command) {
  const Timestamp start = whole_second(begins);
  return command.trial_end ? std::max(start, whole_second(*command.trial_end)) : start;
}

/// The anchor and the end that were asked for.
Result<void> check_cycle(const Change& change, const Subscribe& command, Timestamp begins) {
  const Timestamp start = cycle_start(begins, command);
  if (command.billing_cycle_anchor && *command.billing_cycle_anchor < start)
    return Failure{Errc::invalid_parameter, "billing_cycle_anchor must be in the future, and not before the trial ends",
                   "billing_cycle_anchor"};
  // Source: Stripe refuses an anchor that is "later than next natural billing date".
  if (command.billing_cycle_anchor &&
      *command.billing_cycle_anchor > boundary(start, command.items.front().price.recurrence, 1))
    return Failure{Errc::invalid_parameter, "billing_cycle_anchor cannot be later than next natural billing date",
                   "billing_cycle_anchor"};
  if (command.backdate_start && (*command.backdate_start > begins || *command.backdate_start < Timestamp()))
    return Failure{Errc::invalid_parameter, "Invalid timestamp: must be an integer Unix timestamp in the past",
                   "backdate_start_date"};
  if (command.cancel_at && command.cancel_at_period_end)
    return Failure{Errc::invalid_parameter,
                   "Received both cancel_at and cancel_at_period_end parameters. Please pass in only one.",
                   "cancel_at"};
  if (command.cancel_at && (*command.cancel_at <= change.now || *command.cancel_at > end_of_time))
    return Failure{Errc::invalid_parameter, "Invalid timestamp: must be an integer Unix timestamp in the future",
                   "cancel_at"};
  return {};
}

void note_cancellation(Subscription& subscription, const std::optional<std::string>& comment,
                       const std::optional<std::string>& feedback) {
  if (comment) subscription.cancellation_comment = *comment;
  if (feedback) subscription.cancellation_feedback = *feedback;
}

std::vector<SubscriptionItem> items_of(const Subscribe& command) {
  std::vector<SubscriptionItem> items;
  items.reserve(command.items.size());
  for (const NewSubscriptionItem& each : command.items) {
    SubscriptionItem& item = items.emplace_back();
    item.price = each.price;
    item.quantity = each.quantity;
    item.metadata = each.metadata;
    item.tax_rates = each.tax_rates;
  }
  return items;
}

/// The subscription's period that begins at `start`: a whole one, or what is left until the anchor.
Period period_from(const Subscription& subscription, Timestamp start) {
  if (subscription.ordinal < subscription.anchor_ordinal) return {start, subscription.anchor};
  return subscription.period(subscription.ordinal);
}

void begin_trial(Change& change, Subscription& subscription, Timestamp start, Timestamp end) {
  subscription.status = SubscriptionStatus::trialing;
  if (!subscription.trial_start || !subscription.trial_end || *subscription.trial_end < start)
    subscription.trial_start = start;
  subscription.trial_end = end;
  subscription.trial_will_end_at.reset();
  if (end - change.now > trial_notice) subscription.trial_will_end_at = end - trial_notice;
}

/// A period that ends before its time is paid for until then.
Result<void> pay_until_end(Change& change, Subscription& subscription) {
  if (!subscription.cancel_at || *subscription.cancel_at >= subscription.current_period.end) return {};
  return pay_until(change, subscription, std::max(*subscription.cancel_at, subscription.current_period.start));
}

/// As it begins, before anything is billed: trialing, or incomplete.
Subscription begin_subscription(Change& change, const Subscribe& command, Timestamp begins) {
  Subscription subscription;
  subscription.id = change.draw_id<SubscriptionKind>();
  subscription.created = change.now;
  subscription.items = items_of(command);
  for (SubscriptionItem& item : subscription.items) {
    item.id = change.draw_id<SubscriptionItemKind>();
    item.created = change.now;
  }
  subscription.default_source = command.default_source;
  subscription.collection = command.collection;
  subscription.days_until_due = command.days_until_due;
  subscription.renewal_trigger = command.renewal_trigger;
  subscription.metadata = command.metadata;
  subscription.tax_rates = command.tax_rates;
  subscription.description = command.description;
  subscription.missing_payment_method = command.missing_payment_method;
  if (command.backdate_start) subscription.start_date = whole_second(*command.backdate_start);
  set_pending_item_interval(change, subscription, command.pending_item_interval);
  subscription.saves_source = command.saves_source;
  const Timestamp start = whole_second(begins), cycle = cycle_start(begins, command);
  const bool trial = cycle > start;
  if (trial) begin_trial(change, subscription, start, cycle);
  // The trial is period 0; what precedes the anchor is a period of its own.
  subscription.anchor = cycle;
  subscription.anchor_ordinal = trial ? 1 : 0;
  if (command.billing_cycle_anchor && whole_second(*command.billing_cycle_anchor) > cycle) {
    subscription.anchor = whole_second(*command.billing_cycle_anchor);
    subscription.anchor_ordinal += 1;
    subscription.free_until_anchor = command.free_until_anchor;
  }
  subscription.current_period = trial ? Period{start, cycle} : period_from(subscription, start);
  if (command.cancel_at) subscription.cancel_at = whole_second(*command.cancel_at);
  subscription.cancel_at_period_end = command.cancel_at_period_end;
  if (command.cancel_at || command.cancel_at_period_end) subscription.canceled_at = change.now;
  plan_upcoming_notice(change, subscription);
  return subscription;
}

}  // namespace

Failure no_such_subscription(const SubscriptionId& id) {
  return {Errc::not_found, "No such subscription: " + id.value(), "id"};
}

SubscriptionStatus status_when_paid(const Subscription& subscription, Timestamp now) {
  const bool is_trial = subscription.trial_end && *subscription.trial_end > now && subscription.ordinal == 0;
  return is_trial ? SubscriptionStatus::trialing : SubscriptionStatus::active;
}

Result<void> check_own_end(const Subscription& subscription) {
  if (subscription.schedule.is_empty()) return {};
  // Source: Stripe refuses it in these words.
  return Failure{Errc::invalid_state, "The subscription is managed by the subscription schedule `" +
                                          subscription.schedule.value() +
                                          "`, and updating any cancelation behavior directly is not allowed. Please "
                                          "update the schedule instead."};
}

Subscription* find_known(Change& change, const SubscriptionId& id) {
  Subscription* subscription = change.account().find(id);
  return subscription != nullptr && !subscription->provisional ? subscription : nullptr;
}

Result<Money> cost_of_all(const std::vector<SubscriptionItem>& items) {
  Money whole{0, items.front().price.currency()};
  for (const SubscriptionItem& item : items) {
    auto cost = cost_of(item);
    if (!cost) return cost.error();
    auto sum = add(whole, *cost);
    if (!sum) return sum.error();
    whole = *sum;
  }
  return whole;
}

Result<void> check_items(const std::vector<SubscriptionItem>& items) {
  if (items.empty()) return Failure{Errc::missing_parameter, "Missing required param: items.", "items"};
  if (items.size() > items_max)
    return Failure{Errc::limit_exceeded, "A subscription can have at most 20 items.", "items"};
  for (const SubscriptionItem& item : items) {
    auto price_is_fine = check_price(item.price);
    if (!price_is_fine) return price_is_fine.error();
    if (item.price.one_time)
      return Failure{Errc::invalid_parameter, "A price that does not recur cannot be subscribed to.", "items"};
    auto rates_are_fine = check_tax_rates(item.tax_rates, "items");
    if (!rates_are_fine) return rates_are_fine.error();
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
  auto cost = cost_of_all(items);
  if (!cost) return cost.error();
  return {};
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

Result<void> check_subscribe(const Change& change, const Subscribe& command, Timestamp start) {
  const Account& account = change.account();
  const Customer& customer = account.customer;
  if (customer.deleted) return no_such_customer(customer);
  auto items_are_fine = check_items(items_of(command));
  if (!items_are_fine) return items_are_fine.error();
  if (account.subscriptions.size() >= subscriptions_max)
    return Failure{Errc::limit_exceeded, "A customer can have at most 500 current subscriptions."};
  if (!command.default_source.is_empty() && account.find(command.default_source) == nullptr)
    return Failure{Errc::not_found, "No such source: " + command.default_source.value(), "default_source"};
  if (command.trial_end && *command.trial_end > end_of_time)
    return Failure{Errc::invalid_parameter, "Invalid timestamp: too far in the future.", "trial_end"};
  const Currency agreed = currency_of(account);
  if (!agreed.is_none() && agreed != command.items.front().price.unit_amount.currency) return mixed_currencies(agreed);
  auto collection_is_fine = check_collection(command.collection, command.days_until_due);
  if (!collection_is_fine) return collection_is_fine.error();
  auto rates_are_fine = check_tax_rates(command.tax_rates, "default_tax_rates");
  if (!rates_are_fine) return rates_are_fine.error();
  auto once = check_one_time_items(command.one_time_items, command.items.front().price.unit_amount.currency);
  if (!once) return once.error();
  auto interval = check_interval(command.pending_item_interval);
  if (!interval) return interval.error();
  if (command.payment_behavior == PaymentBehavior::pending_if_incomplete)
    return Failure{Errc::invalid_parameter,
                   "`pending_if_incomplete` is for changes of a subscription, not for a new one.", "payment_behavior"};
  return check_cycle(change, command, start);
}

Result<void> subscribe(Change& change, const Subscribe& command) {
  Account& account = change.account();
  Customer& customer = account.customer;
  auto allowed = check_subscribe(change, command, change.now);
  if (!allowed) return allowed.error();
  Subscription subscription = begin_subscription(change, command, change.now);
  if (command.discount) {
    auto bought = cost_of_all(subscription.items);
    if (!bought) return bought.error();
    auto redeemed = redeem(change, *command.discount, subscription.id, &*bought);
    if (!redeemed) return redeemed.error();
    subscription.discount = std::move(*redeemed);
    // An end that is foreseen is credited with what is billed first.
    auto discounted = discount_items(change, customer, subscription, {});
    if (!discounted) return discounted.error();
  }
  const std::optional<Discount> applied = subscription.discount;
  const bool trial = subscription.status == SubscriptionStatus::trialing;
  const Timestamp start = subscription.current_period.start;
  auto paid = pay_until_end(change, subscription);
  if (!paid) return paid.error();
  if (command.backdate_start && command.prorate_backdating) {
    auto elapsed = bill_since(change, subscription, *command.backdate_start);
    if (!elapsed) return elapsed.error();
  }
  auto added = add_one_time_items(change, subscription, command.one_time_items);
  if (!added) return added.error();
  if (!trial && subscription.is_free_period()) {
    // Source: Stripe, what precedes the anchor is then free, and there is no invoice of nothing for it.
    subscription.status = SubscriptionStatus::active;
    agree_on_currency(change, subscription.items.front().price.unit_amount.currency);
    change.emit({EventType::subscription_created}, subscription);
    if (applied) change.emit({EventType::customer_discount_created}, *applied);
    tell_of_items(change, *added);
    change.set_subject(subscription.id.value());
    account.subscriptions.push_back(std::move(subscription));
    return {};
  }

  auto drawn_up = draw_up_invoice(change, subscription, {BillingReason::subscription_create, {start, start}});
  if (!drawn_up) return drawn_up.error();
  Invoice& invoice = **drawn_up;
  subscription.latest_invoice = invoice.id;

  auto use = use_balance(invoice.total, customer.balance);
  if (!use) return use.error();
  const bool sent = subscription.collection == Collection::send_invoice;
  const bool is_owed = use->due != 0 && !sent;
  const bool waits = command.payment_behavior == PaymentBehavior::default_incomplete;
  const bool charged = is_owed && !waits;
  const Source* source =
      command.default_source.is_empty() ? paying_source(account, invoice) : account.find(command.default_source);
  if (charged && source == nullptr)
    return Failure{Errc::no_payment_source, "This customer has no attached payment source"};
  if (charged) {
    auto chargeable = check_chargeable(*source);
    if (!chargeable) return chargeable.error();
  }
  if (is_owed)
    subscription.status = SubscriptionStatus::incomplete;
  else if (!trial)
    subscription.status = SubscriptionStatus::active;
  if (is_owed) {
    subscription.expires_at = change.now + change.rules.incomplete_expires_after;
    subscription.provisional = command.payment_behavior == PaymentBehavior::error_if_incomplete;
    invoice.provisional = subscription.provisional;
  }

  if (!subscription.provisional) agree_on_currency(change, invoice.total.currency);
  change.emit({EventType::subscription_created}, subscription);
  if (applied && !subscription.provisional) {
    change.emit({EventType::customer_discount_created}, *applied);
    if (!subscription.discount) change.emit({EventType::customer_discount_deleted}, *applied);
  }
  if (!subscription.provisional) tell_of_items(change, *added);
  if (trial && !subscription.trial_will_end_at) change.emit({EventType::subscription_trial_will_end}, subscription);
  change.emit({EventType::invoice_created}, invoice);
  change.set_subject(subscription.id.value());
  account.subscriptions.push_back(std::move(subscription));
  // Like a renewal's, the first invoice that is sent stays a draft for a while, unless there is nothing to pay.
  if (sent && use->due != 0) return {};
  auto finalized = finalize_invoice(change, invoice);
  if (!finalized) return finalized.error();
  if (charged) begin_charge(change, invoice, *source, false);
  // It is for the customer to pay it: nothing is tried without having been asked for.
  if (waits) invoice.next_attempt_at.reset();
  return {};
}

Result<SubscriptionId> begin_by_schedule(Change& change, const Subscribe& command, Timestamp start,
                                         const ScheduleId& schedule, std::optional<Discount> discount) {
  Account& account = change.account();
  Subscription& subscription = account.subscriptions.emplace_back(begin_subscription(change, command, start));
  subscription.schedule = schedule;
  if (discount) discount->subscription = subscription.id;
  subscription.discount = discount;
  const bool is_trial = subscription.status == SubscriptionStatus::trialing;
  if (!is_trial) subscription.status = SubscriptionStatus::active;
  agree_on_currency(change, subscription.items.front().price.unit_amount.currency);
  change.emit({EventType::subscription_created}, subscription);
  if (discount) change.emit({EventType::customer_discount_created}, *discount);
  if (is_trial && !subscription.trial_will_end_at) change.emit({EventType::subscription_trial_will_end}, subscription);
  auto added = add_one_time_items(change, subscription, command.one_time_items);
  if (!added) return added.error();
  tell_of_items(change, *added);
  const Period gathered{subscription.current_period.start, subscription.current_period.start};
  // Source: Stripe, the first invoice of a schedule is a draft for about an hour, as nobody waits for it.
  auto billed = bill(change, subscription, subscription, {BillingReason::subscription_create, gathered});
  if (!billed) return billed.error();
  return subscription.id;
}

Result<void> cancel_subscription(Change& change, const CancelSubscription& command) {
  Subscription* subscription = find_known(change, command.subscription);
  if (subscription == nullptr) return no_such_subscription(command.subscription);
  change.set_subject(subscription->id.value());
  if (!command.at_period_end) {
    note_cancellation(*subscription, command.comment, command.feedback);
    abandon_pending_update(change, *subscription);
    // Source: Stripe, "if the subscription is set to cancel immediately, pending prorations will be removed"; and those
    // of the cancellation itself are made on demand. Asked for an invoice now, Stripe bills all of them.
    if (!command.invoice_now) drop_prorations(change, *subscription);
    if (command.prorate && subscription->status != SubscriptionStatus::incomplete) {
      const Timestamp until = proration_moment(*subscription, change.now, change.rules.proration_unit, true);
      auto credited = pay_until(change, *subscription, std::min(until, subscription->paid_end()));
      if (!credited) return credited.error();
    }
    // Source: Stripe, without a last invoice what was used since the period began is not billed.
    if (command.invoice_now) {
      auto used = bill_last_usage(change, *subscription, change.now);
      if (!used) return used.error();
    }
    end_subscription(change, *subscription, change.now,
                     command.invoice_now ? change.now : subscription->current_period.end);
    return {};
  }
  if (subscription->status == SubscriptionStatus::incomplete)
    return Failure{Errc::invalid_state,
                   "A subscription whose first payment is incomplete can only be canceled at once.", "at_period_end"};
  if (subscription->status == SubscriptionStatus::paused)
    return Failure{Errc::invalid_state, "A paused subscription can only be canceled at once.", "at_period_end"};
  const bool says_more = command.comment || command.feedback;
  if (subscription->cancel_at_period_end && !says_more) return {};
  auto own = check_own_end(*subscription);
  if (!own) return own.error();
  if (subscription->cancel_at) {
    // Until when the period is paid is about to change.
    auto rests = check_no_pending_payment(change.account(), *subscription);
    if (!rests) return rests.error();
    auto dropped = drop_pending_update(change, *subscription);
    if (!dropped) return dropped.error();
  }
  Subscription before = *subscription;
  if (subscription->cancel_at) {
    subscription->cancel_at.reset();
    auto paid = pay_until(change, *subscription, subscription->current_period.end);
    if (!paid) return paid.error();
  }
  if (!subscription->cancel_at_period_end) subscription->canceled_at = change.now;
  subscription->cancel_at_period_end = true;
  note_cancellation(*subscription, command.comment, command.feedback);
  change.emit_update(EventType::subscription_updated, std::move(before), *subscription);
  return {};
}

Result<void> resume_subscription(Change& change, const ResumeSubscription& command) {
  Subscription* subscription = find_known(change, command.subscription);
  if (subscription == nullptr) return no_such_subscription(command.subscription);
  change.set_subject(subscription->id.value());
  Subscription before = *subscription;
  subscription->cancel_at_period_end = false;
  if (!subscription->cancel_at) subscription->canceled_at.reset();
  change.emit_update(EventType::subscription_updated, std::move(before), *subscription);
  return {};
}

void cut_off(Change& change, Subscription& subscription) {
  abandon_pending_update(change, subscription);
  drop_prorations(change, subscription);
  end_subscription(change, subscription, change.now, subscription.current_period.end);
}

void end_subscription(Change& change, Subscription& subscription, Timestamp ended_at, Timestamp bill_at) {
  abandon_pending_update(change, subscription);
  subscription.status = SubscriptionStatus::canceled;
  subscription.ended_at = ended_at;
  if (!subscription.canceled_at) subscription.canceled_at = change.now;
  subscription.expires_at.reset();
  subscription.trial_will_end_at.reset();
  subscription.grace_until.reset();
  subscription.upcoming_at.reset();
  change.emit({EventType::subscription_deleted}, subscription);
  end_schedule_of(change, subscription);
  // Source: Stripe, "By default, all unpaid invoices for the customer will be closed upon subscription cancellation".
  close_unpaid_invoices(change);
  settle_pending_items(change, subscription, bill_at);
}

Result<void> expire_subscription(Change& change, Subscription& subscription, Timestamp ended_at) {
  Invoice* invoice = change.account().find(subscription.latest_invoice);
  if (invoice != nullptr && !invoice->is_settled()) {
    auto voided = make_void(change, *invoice);
    if (!voided) return voided.error();
    give_discount_back(change, *invoice);
  }
  Subscription before = subscription;
  subscription.status = SubscriptionStatus::incomplete_expired;
  subscription.ended_at = ended_at;
  subscription.expires_at.reset();
  subscription.trial_will_end_at.reset();
  subscription.upcoming_at.reset();
  change.emit_update(EventType::subscription_updated, std::move(before), subscription);
  drop_prorations(change, subscription);
  settle_pending_items(change, subscription, subscription.current_period.end);
  return {};
}

void announce_trial_end(Change& change, Subscription& subscription) {
  subscription.trial_will_end_at.reset();
  change.emit({EventType::subscription_trial_will_end}, subscription);
}

void restart_period(Change& change, Subscription& subscription, Timestamp start, std::optional<Timestamp> trial_end) {
  subscription.ordinal += 1;
  subscription.paid_until.reset();
  subscription.changed_at.reset();
  if (trial_end) {
    begin_trial(change, subscription, start, *trial_end);
    subscription.anchor = *trial_end;
    subscription.anchor_ordinal = subscription.ordinal + 1;
    subscription.current_period = {start, *trial_end};
    plan_upcoming_notice(change, subscription);
    return;
  }
  const bool was_trial = subscription.status == SubscriptionStatus::trialing;
  if (was_trial) {
    subscription.trial_end = start;
    subscription.trial_will_end_at.reset();
  }
  if (was_trial || subscription.status == SubscriptionStatus::paused) subscription.status = SubscriptionStatus::active;
  subscription.anchor = start;
  subscription.anchor_ordinal = subscription.ordinal;
  subscription.current_period = subscription.period(subscription.ordinal);
  plan_upcoming_notice(change, subscription);
}

Result<void> renew(Change& change, Subscription& subscription) {
  auto dropped = drop_pending_update(change, subscription);
  if (!dropped) return dropped.error();
  if (subscription.status == SubscriptionStatus::trialing) {
    auto ends = ends_without_payment_method(change, subscription);
    if (!ends) return ends.error();
    if (*ends) return {};
  }
  Subscription before = subscription;
  subscription.ordinal += 1;
  subscription.paid_until.reset();
  subscription.changed_at.reset();
  subscription.grace_until.reset();
  subscription.current_period = period_from(subscription, before.current_period.end);
  plan_upcoming_notice(change, subscription);
  if (subscription.status == SubscriptionStatus::trialing) subscription.status = SubscriptionStatus::active;
  // Renewed by hand after a stop, the trial was over before anybody could announce its end.
  subscription.trial_will_end_at.reset();
  if (subscription.is_free_period()) {
    change.emit_update(EventType::subscription_updated, std::move(before), subscription);
    return {};
  }
  // Source: Stripe, a cancellation within a future period "will always cause a proration for that period".
  auto paid = pay_until_end(change, subscription);
  if (!paid) return paid.error();
  // What an invoice gathers is the period before the one that it bills ahead.
  const Period gathered = before.current_period;
  Billing billing{BillingReason::subscription_cycle, gathered};
  billing.ended = EndedPeriod{gathered, before.is_free_period()};
  return bill(change, subscription, std::move(before), billing);
}

Result<void> bill(Change& change, Subscription& subscription, Subscription before, const Billing& billing) {
  auto drawn_up = draw_up_invoice(change, subscription, billing);
  if (!drawn_up) return drawn_up.error();
  return settle_bill(change, subscription, std::move(before), **drawn_up, billing);
}

Result<void> settle_bill(Change& change, Subscription& subscription, Subscription before, Invoice& invoice,
                         const Billing& billing) {
  subscription.latest_invoice = invoice.id;
  const bool is_unpaid = subscription.status == SubscriptionStatus::unpaid;
  if (is_unpaid) {
    // Source: Stripe, while a subscription is unpaid its invoices are created and closed at once.
    invoice.auto_advance = false;
    invoice.finalize_at.reset();
  }
  change.emit_update(EventType::subscription_updated, std::move(before), subscription);
  change.emit({EventType::invoice_created}, invoice);
  if (subscription.pause && !is_unpaid) return hold_back(change, invoice, subscription.pause->behavior);
  if (!billing.immediate || is_unpaid || invoice.collection == Collection::send_invoice) return {};
  auto finalized = finalize_invoice(change, invoice);
  if (!finalized) return finalized.error();
  if (!invoice.next_attempt_at) return {};
  if (!billing.waits) {
    collect(change, invoice);
    return {};
  }
  // Source: Stripe, default_incomplete makes it past_due "when payment is required" and awaits the customer.
  invoice.next_attempt_at.reset();
  if (subscription.status == SubscriptionStatus::active) set_status(change, subscription, SubscriptionStatus::past_due);
  return {};
}

void invoice_was_paid(Change& change, const Invoice& invoice) {
  Subscription* subscription = change.account().find(invoice.subscription);
  if (pending_update_of(change.account(), invoice) != nullptr) apply_pending_update(change, *subscription);
  // Source: Stripe, paying the latest invoice makes the subscription active again.
  if (subscription == nullptr || subscription->latest_invoice != invoice.id) return;
  switch (subscription->status) {
    case SubscriptionStatus::incomplete:
      set_status(change, *subscription, status_when_paid(*subscription, change.now));
      return;
    case SubscriptionStatus::past_due:
    case SubscriptionStatus::unpaid:
      set_status(change, *subscription, SubscriptionStatus::active);
      return;
    case SubscriptionStatus::incomplete_expired:
    case SubscriptionStatus::trialing:
    case SubscriptionStatus::active:
    case SubscriptionStatus::canceled:
    case SubscriptionStatus::paused:
      return;
  }
}

void invoice_payment_pending(Change& change, const Invoice& invoice) {
  Subscription* subscription = change.account().find(invoice.subscription);
  if (pending_update_of(change.account(), invoice) != nullptr) apply_pending_update(change, *subscription);
  if (subscription != nullptr && subscription->latest_invoice == invoice.id &&
      subscription->status == SubscriptionStatus::incomplete)
    set_status(change, *subscription, status_when_paid(*subscription, change.now));
}

void invoice_payment_failed(Change& change, Invoice& invoice) {
  Subscription* subscription = change.account().find(invoice.subscription);
  // The first payment of a subscription, or of a change that waits for it, is asked for by hand; the schedule is for
  // what billd collects by itself.
  const bool first_payment = (subscription != nullptr && subscription->status == SubscriptionStatus::incomplete) ||
                             pending_update_of(change.account(), invoice) != nullptr;
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
    if (source == nullptr || !source->is_chargeable() || invoice->unresolved_charge() != nullptr) continue;
    begin_charge(change, *invoice, *source, false);
  }
}

}  // namespace billd
