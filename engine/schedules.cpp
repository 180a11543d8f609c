// Subscription schedules: what a subscription is to be, phase after phase.
// Source: https://docs.stripe.com/billing/subscriptions/subscription-schedules.
#include <algorithm>

#include "engine/change.hpp"

namespace billd {
namespace {

/// Source: Stripe, "A schedule can have up to 10 current or future phases"; as many that are over are kept.
constexpr std::size_t phases_max = 10;
/// Source: as many as a customer's subscriptions.
constexpr std::size_t schedules_max = 500;

Failure no_such_schedule(const ScheduleId& id) {
  return {Errc::not_found, "No such subscription schedule: " + id.value(), "schedule"};
}

std::vector<SubscriptionItem> items_of(const std::vector<PhaseItem>& items) {
  std::vector<SubscriptionItem> result;
  for (const PhaseItem& item : items) {
    SubscriptionItem& made = result.emplace_back();
    made.price = item.price;
    made.quantity = item.quantity;
    made.metadata = item.metadata;
    made.tax_rates = item.tax_rates;
  }
  return result;
}

/// The phase's discount. Where the phase before it has the same coupon its discount goes on, and where the phase had it
/// before the schedule was changed it is redeemed already.
Result<std::optional<Discount>> discount_of(Change& change, const NewPhase& wanted, const Phase& phase,
                                            const Phase* preceding, const std::vector<Phase>& before) {
  if (!wanted.discount) return std::optional<Discount>();
  const Redemption& redemption = *wanted.discount;
  const PromotionCodeId code = redemption.promotion_code ? redemption.promotion_code->id : PromotionCodeId();
  const auto is_same = [&](const Phase& other) {
    return other.discount && other.discount->coupon.id == redemption.coupon.id &&
           other.discount->promotion_code == code;
  };
  if (preceding != nullptr && is_same(*preceding)) return preceding->discount;
  for (const Phase& old : before)
    if (old.start == phase.start && is_same(old)) return old.discount;
  auto bought = cost_of_all(items_of(phase.items));
  if (!bought) return bought.error();
  auto redeemed = redeem(change, redemption, SubscriptionId(), &*bought);
  if (!redeemed) return redeemed.error();
  return std::optional(std::move(*redeemed));
}

/// What a phase says beside its items and times.
Result<void> take_terms(Phase& phase, const NewPhase& wanted, Currency currency) {
  auto once = check_one_time_items(wanted.one_time_items, currency);
  if (!once) return once.error();
  if (wanted.collection) {
    auto collection = check_collection(*wanted.collection, wanted.days_until_due);
    if (!collection) return collection.error();
  } else if (wanted.days_until_due != 0) {
    return wrong("A phase has `days_until_due` only together with `collection_method`.", "phases");
  }
  phase.one_time_items = wanted.one_time_items;
  phase.collection = wanted.collection;
  phase.days_until_due = wanted.days_until_due;
  phase.default_source = wanted.default_source;
  phase.description = wanted.description;
  phase.metadata = wanted.metadata;
  return {};
}

/// The phases with their times; the first one begins at `start`. `before`: those that they take the place of.
Result<std::vector<Phase>> phases_of(Change& change, const std::vector<NewPhase>& wanted, Timestamp start,
                                     Currency currency, const std::vector<Phase>& before) {
  if (wanted.empty()) return Failure{Errc::missing_parameter, "Missing required param: phases.", "phases"};
  if (wanted.size() > phases_max) return wrong("A schedule can have at most 10 current or future phases.", "phases");
  std::vector<Phase> phases;
  for (const NewPhase& each : wanted) {
    auto items = check_items(items_of(each.items));
    if (!items) return items.error();
    auto rates_are_fine = check_tax_rates(each.tax_rates, "default_tax_rates");
    if (!rates_are_fine) return rates_are_fine.error();
    const Price& price = each.items.front().price;
    if (currency.is_none()) currency = price.unit_amount.currency;
    if (price.unit_amount.currency != currency) return mixed_currencies(currency);
    if ((each.end || each.ends_now) && each.iterations)
      return wrong("A phase has either an end_date or iterations.", "phases");
    if (each.iterations.value_or(1) < 1) return wrong("The iterations of a phase are at least 1.", "phases");
    const auto asked = each.starts_now ? std::optional(change.now) : each.start;
    if (!phases.empty() && asked && whole_second(*asked) != start)
      return wrong("Each phase begins where the one before it ends.", "phases");
    Phase phase;
    phase.start = start;
    const auto end = each.ends_now ? std::optional(change.now) : each.end;
    phase.end = end ? whole_second(*end) : boundary(start, price.recurrence, each.iterations.value_or(1));
    if (phase.end <= phase.start || phase.end > end_of_time)
      return wrong("A phase must end after it starts, and before the year 2200.", "phases");
    phase.items = each.items;
    phase.proration = each.proration;
    phase.anchor = each.anchor;
    auto terms = take_terms(phase, each, currency);
    if (!terms) return terms.error();
    if (each.is_trial) {
      if (each.trial_end) return wrong("A phase has either `trial` or a trial_end.", "phases");
      phase.trial_end = phase.end;
    }
    if (each.trial_end) {
      phase.trial_end = whole_second(*each.trial_end);
      if (*phase.trial_end <= phase.start || *phase.trial_end > phase.end)
        return wrong("A phase's trial ends after the phase starts, and not after it ends.", "phases");
    }
    phase.tax_rates = each.tax_rates;
    auto discount = discount_of(change, each, phase, phases.empty() ? nullptr : &phases.back(), before);
    if (!discount) return discount.error();
    phase.discount = std::move(*discount);
    start = phase.end;
    phases.push_back(std::move(phase));
  }
  return phases;
}

/// The phase's discount as it starts at that time.
std::optional<Discount> discount_from(const Phase& phase, const SubscriptionId& subscription, Timestamp start) {
  if (!phase.discount) return std::nullopt;
  Discount discount = *phase.discount;
  discount.subscription = subscription;
  discount.start = start;
  if (discount.coupon.duration == CouponDuration::repeating)
    discount.end = boundary(start, {Interval::month, 1}, discount.coupon.duration_in_months);
  return discount;
}

/// Whether the phases have one and the same redemption.
bool share_discount(const Phase& a, const Phase& b) {
  return a.discount && b.discount && a.discount->id == b.discount->id;
}

/// How a subscription is collected and described in a phase, which leaves to the schedule what it does not say itself.
struct PhaseTerms {
  Collection collection;
  std::int32_t days_until_due;
  const SourceId& default_source;
  const std::string& description;
};

PhaseTerms terms_of(const Phase& phase, const Schedule& schedule) {
  return {phase.collection.value_or(schedule.collection),
          phase.collection ? phase.days_until_due : schedule.days_until_due,
          phase.default_source.is_empty() ? schedule.default_source : phase.default_source,
          phase.description.empty() ? schedule.description : phase.description};
}

Subscribe subscribe_command(const Schedule& schedule) {
  const Phase& phase = schedule.current_phase();
  Subscribe command;
  for (const PhaseItem& item : phase.items) {
    NewSubscriptionItem& made = command.items.emplace_back();
    made.price = item.price;
    made.quantity = item.quantity;
    made.metadata = item.metadata;
    made.tax_rates = item.tax_rates;
  }
  command.tax_rates = phase.tax_rates;
  command.trial_end = phase.trial_end;
  const PhaseTerms terms = terms_of(phase, schedule);
  command.collection = terms.collection;
  command.days_until_due = terms.days_until_due;
  command.default_source = terms.default_source;
  command.description = terms.description;
  command.metadata = phase.metadata;
  command.one_time_items = phase.one_time_items;
  return command;
}

/// The changes that leave the subscription with the phase's items: those of the same price stay.
std::vector<ItemChange> changes_to(const Subscription& subscription, const std::vector<PhaseItem>& items) {
  std::vector<ItemChange> changes;
  std::vector<SubscriptionItemId> kept;
  for (const PhaseItem& wanted : items) {
    const auto same = std::ranges::find_if(subscription.items, [&](const SubscriptionItem& item) {
      return item.price == wanted.price && std::ranges::find(kept, item.id) == kept.end();
    });
    ItemChange& change = changes.emplace_back();
    change.quantity = wanted.quantity;
    if (!wanted.metadata.empty()) change.metadata = wanted.metadata;
    change.tax_rates = wanted.tax_rates;
    if (same != subscription.items.end()) {
      change.item = same->id;
      kept.push_back(same->id);
    } else {
      change.price = wanted.price;
    }
  }
  for (const SubscriptionItem& item : subscription.items) {
    if (std::ranges::find(kept, item.id) != kept.end()) continue;
    ItemChange& change = changes.emplace_back();
    change.item = item.id;
    change.deleted = true;
  }
  return changes;
}

ProrationBehavior behavior_of(PhaseProration proration) {
  switch (proration) {
    case PhaseProration::create_prorations:
      return ProrationBehavior::create_prorations;
    case PhaseProration::always_invoice:
      return ProrationBehavior::always_invoice;
    case PhaseProration::none:
      return ProrationBehavior::none;
  }
  return ProrationBehavior::none;
}

/// How the current phase collects and describes the subscription, as far as that is not the subscription's own affair.
/// A source that the customer does not have any more changes nothing.
void take_terms(const Change& change, UpdateSubscription& command, const Schedule& schedule) {
  const Phase& phase = schedule.current_phase();
  const PhaseTerms terms = terms_of(phase, schedule);
  command.collection = terms.collection;
  command.days_until_due = terms.days_until_due;
  if (change.account().find(terms.default_source) != nullptr) command.default_source = terms.default_source;
  if (!terms.description.empty()) command.description = terms.description;
  // Source: Stripe, the phase's metadata is added to the subscription's, "adding new keys and replacing existing keys".
  if (!phase.metadata.empty()) command.metadata = phase.metadata;
}

/// Makes the subscription what the current phase says.
Result<void> enter_phase(Change& change, const Schedule& schedule, Timestamp time) {
  const Phase& phase = schedule.current_phase();
  const Subscription& subscription = *change.account().find(schedule.subscription);
  UpdateSubscription command;
  command.subscription = schedule.subscription;
  command.items = changes_to(subscription, phase.items);
  command.proration = behavior_of(phase.proration);
  command.trial_end = phase.trial_end;
  command.tax_rates = phase.tax_rates;
  take_terms(change, command, schedule);
  command.one_time_items = phase.one_time_items;
  const bool is_trial = subscription.status == SubscriptionStatus::trialing;
  if (schedule.anchors_at_start(phase) && !phase.trial_end) {
    // A trial ends where the cycle is anchored; one that ends here by itself anchors it here, too.
    if (!is_trial)
      command.anchor_now = true;
    else if (subscription.current_period.end > time)
      command.trial_end = time;
  }
  // What is left of the discount that the phase before it had goes on.
  const bool goes_on = share_discount(schedule.phases[static_cast<std::size_t>(schedule.phase) - 1], phase);
  return begin_phase(change, command, time,
                     goes_on ? subscription.discount : discount_from(phase, schedule.subscription, phase.start));
}

void finish_schedule(Change& change, Schedule& schedule, ScheduleStatus status) {
  schedule.status = status;
  switch (status) {
    case ScheduleStatus::completed:
      schedule.completed_at = change.now;
      change.emit({EventType::schedule_completed}, schedule);
      return;
    case ScheduleStatus::released:
      schedule.released_at = change.now;
      change.emit({EventType::schedule_released}, schedule);
      return;
    case ScheduleStatus::canceled:
      schedule.canceled_at = change.now;
      change.emit({EventType::schedule_canceled}, schedule);
      return;
    case ScheduleStatus::not_started:
    case ScheduleStatus::active:
      return;
  }
}

/// The subscription goes on without its schedule.
void let_go(Change& change, const Schedule& schedule, bool preserve_cancel_date = false) {
  Subscription* subscription = change.account().find(schedule.subscription);
  if (subscription == nullptr) return;
  Subscription before = *subscription;
  subscription->schedule = ScheduleId();
  if (preserve_cancel_date && schedule.end_behavior == EndBehavior::cancel) {
    subscription->cancel_at = schedule.phases.back().end;
    subscription->canceled_at = change.now;
  }
  change.emit_update(EventType::subscription_updated, std::move(before), *subscription);
}

/// The first phase begins. What stands against a subscription by then ends the schedule.
Result<void> begin_schedule(Change& change, Schedule& schedule) {
  const Subscribe command = subscribe_command(schedule);
  const Timestamp start = schedule.current_phase().start;
  auto allowed = check_subscribe(change, command, start);
  if (!allowed) {
    finish_schedule(change, schedule, ScheduleStatus::canceled);
    return {};
  }
  auto begun = begin_by_schedule(change, command, start, schedule.id,
                                 discount_from(schedule.current_phase(), SubscriptionId(), start));
  if (!begun) return begun.error();
  schedule.subscription = *begun;
  schedule.status = ScheduleStatus::active;
  return {};
}

Result<Schedule> from_subscription(Change& change, const CreateSchedule& command) {
  const Subscription* subscription = find_known(change, command.from_subscription);
  const SubscriptionId& id = command.from_subscription;
  if (subscription == nullptr)
    return Failure{Errc::not_found, "No such subscription: " + id.value(), "from_subscription"};
  if (!command.phases.empty())
    return wrong("A schedule is made from a subscription or from phases; change its phases afterwards.", "phases");
  if (!subscription->schedule.is_empty())
    return Failure{Errc::invalid_state, "The subscription has a schedule already: " + subscription->schedule.value(),
                   "from_subscription"};
  if (subscription->pending_update)
    return Failure{Errc::invalid_state, "The subscription has a pending update: pay its invoice first, or void it.",
                   "from_subscription"};
  if (subscription->status == SubscriptionStatus::paused)
    return Failure{Errc::invalid_state, "A paused subscription is resumed before it gets a schedule.",
                   "from_subscription"};
  if (subscription->status == SubscriptionStatus::incomplete)
    return Failure{Errc::invalid_state, "A subscription whose first payment is incomplete takes no schedule.",
                   "from_subscription"};
  if (subscription->cancel_at_period_end || subscription->cancel_at)
    return Failure{Errc::invalid_state, "The subscription is to be canceled; take that back first.",
                   "from_subscription"};
  if (subscription->current_period.end <= change.now)
    return Failure{Errc::invalid_state, "The subscription is being renewed; try again in a moment."};
  Schedule schedule;
  schedule.status = ScheduleStatus::active;
  schedule.subscription = id;
  Phase& phase = schedule.phases.emplace_back();
  phase.start = subscription->current_period.start;
  phase.end = subscription->current_period.end;
  for (const SubscriptionItem& item : subscription->items)
    phase.items.push_back({item.price, item.quantity, item.metadata, item.tax_rates});
  phase.discount = subscription->discount;
  phase.tax_rates = subscription->tax_rates;
  if (subscription->status == SubscriptionStatus::trialing) phase.trial_end = phase.end;
  schedule.collection = subscription->collection;
  schedule.days_until_due = subscription->days_until_due;
  schedule.default_source = subscription->default_source;
  schedule.description = subscription->description;
  return schedule;
}

Result<void> check_sources(const Account& account, const std::vector<Phase>& phases) {
  for (const Phase& phase : phases)
    if (!phase.default_source.is_empty() && account.find(phase.default_source) == nullptr)
      return Failure{Errc::not_found, "No such source: " + phase.default_source.value(), "phases"};
  return {};
}

Result<Schedule> from_phases(Change& change, const CreateSchedule& command) {
  const Account& account = change.account();
  if (!command.phases.empty() && command.phases.front().start &&
      (whole_second(*command.phases.front().start) < whole_second(change.now) ||
       *command.phases.front().start > end_of_time))
    return wrong("A schedule cannot begin in the past.", "start_date");
  const Timestamp start =
      whole_second(command.phases.empty() ? change.now : command.phases.front().start.value_or(change.now));
  auto phases = phases_of(change, command.phases, start, currency_of(account), {});
  if (!phases) return phases.error();
  auto collection = check_collection(command.collection, command.days_until_due);
  if (!collection) return collection.error();
  auto sources = check_sources(account, *phases);
  if (!sources) return sources.error();
  if (!command.default_source.is_empty() && account.find(command.default_source) == nullptr)
    return Failure{Errc::not_found, "No such source: " + command.default_source.value(), "default_source"};
  Schedule schedule;
  schedule.phases = std::move(*phases);
  schedule.collection = command.collection;
  schedule.days_until_due = command.days_until_due;
  schedule.default_source = command.default_source;
  schedule.description = command.description;
  schedule.anchor_at_start = command.anchor_at_start;
  return schedule;
}

/// Changes what holds for the phases that say nothing of it themselves.
Result<void> apply_defaults(const Account& account, const UpdateSchedule& command, Schedule& schedule) {
  if (command.default_source) {
    if (!command.default_source->is_empty() && account.find(*command.default_source) == nullptr)
      return Failure{Errc::not_found, "No such source: " + command.default_source->value(), "default_source"};
    schedule.default_source = *command.default_source;
  }
  if (command.collection) schedule.collection = *command.collection;
  if (command.days_until_due) schedule.days_until_due = *command.days_until_due;
  if (command.description) schedule.description = *command.description;
  if (command.anchor_at_start) schedule.anchor_at_start = *command.anchor_at_start;
  return check_collection(schedule.collection, schedule.days_until_due);
}

/// The schedule was changed within a phase: the subscription follows at once.
Result<void> adapt_current(Change& change, const Schedule& schedule, const UpdateSchedule& command, bool phase_changes,
                           bool discount_changes) {
  const Subscription& subscription = *change.account().find(schedule.subscription);
  const Phase& phase = schedule.current_phase();
  UpdateSubscription update;
  update.subscription = schedule.subscription;
  if (command.default_source) update.default_source = *command.default_source;
  take_terms(change, update, schedule);
  if (phase_changes) {
    update.items = changes_to(subscription, phase.items);
    update.tax_rates = phase.tax_rates;
  }
  update.proration = behavior_of(command.proration);
  const std::string subject = schedule.id.value();
  auto updated = update_by_schedule(
      change, update,
      discount_changes ? discount_from(phase, schedule.subscription, whole_second(change.now)) : subscription.discount);
  change.set_subject(subject);
  return updated;
}

/// The named schedule, as long as it is not over.
Result<Schedule*> find_live(Change& change, const ScheduleId& id) {
  Schedule* schedule = change.account().find(id);
  if (schedule == nullptr) return no_such_schedule(id);
  change.set_subject(id.value());
  return schedule;
}

}  // namespace

Result<void> create_schedule(Change& change, const CreateSchedule& command) {
  Account& account = change.account();
  if (account.customer.deleted) return no_such_customer(account.customer);
  if (account.schedules.size() >= schedules_max)
    return Failure{Errc::limit_exceeded, "A customer can have at most 500 current subscription schedules."};
  auto made = command.from_subscription.is_empty() ? from_phases(change, command) : from_subscription(change, command);
  if (!made) return made.error();
  Schedule& schedule = account.schedules.emplace_back(std::move(*made));
  schedule.id = change.draw_id<ScheduleKind>();
  schedule.created = change.now;
  schedule.end_behavior = command.end_behavior;
  schedule.metadata = command.metadata;
  change.set_subject(schedule.id.value());
  if (schedule.status == ScheduleStatus::active) {
    Subscription& subscription = *account.find(schedule.subscription);
    Subscription before = subscription;
    subscription.schedule = schedule.id;
    change.emit({EventType::schedule_created}, schedule);
    change.emit_update(EventType::subscription_updated, std::move(before), subscription);
    return {};
  }
  if (schedule.current_phase().start <= change.now) {
    // Whoever asks for a subscription now is told what stands against it.
    const Subscribe subscribe = subscribe_command(schedule);
    auto allowed = check_subscribe(change, subscribe, schedule.current_phase().start);
    if (!allowed) return allowed.error();
    auto begun = begin_schedule(change, schedule);
    if (!begun) return begun.error();
  }
  change.emit({EventType::schedule_created}, schedule);
  return {};
}

Result<void> update_schedule(Change& change, const UpdateSchedule& command) {
  auto found = find_live(change, command.schedule);
  if (!found) return found.error();
  Schedule& schedule = **found;
  Schedule before = schedule;
  if (command.end_behavior) schedule.end_behavior = *command.end_behavior;
  if (command.metadata) schedule.metadata = *command.metadata;
  auto defaults = apply_defaults(change.account(), command, schedule);
  if (!defaults) return defaults.error();
  const bool is_active = schedule.status == ScheduleStatus::active;
  if (!command.phases) {
    change.emit_update(EventType::schedule_updated, std::move(before), schedule);
    return is_active ? adapt_current(change, schedule, command, false, false) : Result<void>();
  }
  const auto& wanted = *command.phases;
  Timestamp start = schedule.current_phase().start;
  const bool ends_now = !wanted.empty() && wanted.front().ends_now;
  if (!wanted.empty() && (wanted.front().start || wanted.front().starts_now)) {
    const Timestamp asked = whole_second(wanted.front().start.value_or(change.now));
    if (is_active && asked != start)
      return wrong("The current phase has begun: its start_date cannot be changed.", "phases");
    if (!is_active && asked < whole_second(change.now)) return wrong("A schedule cannot begin in the past.", "phases");
    start = asked;
  }
  auto phases = phases_of(change, wanted, start, currency_of(change.account()), before.phases);
  if (!phases) return phases.error();
  auto sources = check_sources(change.account(), *phases);
  if (!sources) return sources.error();
  if (is_active && phases->front().end <= change.now && !ends_now)
    return wrong("The current phase must end in the future.", "phases");
  const Phase& current = schedule.current_phase();
  const Phase& next = phases->front();
  const bool discount_changes =
      current.discount.has_value() != next.discount.has_value() || (current.discount && !share_discount(current, next));
  const bool phase_changes = current.items != next.items || current.tax_rates != next.tax_rates;
  const auto over = static_cast<std::ptrdiff_t>(schedule.phase);
  schedule.phases.erase(schedule.phases.begin() + over, schedule.phases.end());
  std::ranges::move(*phases, std::back_inserter(schedule.phases));
  change.emit_update(EventType::schedule_updated, std::move(before), schedule);
  if (!is_active) return {};
  auto adapted = adapt_current(change, schedule, command, phase_changes, discount_changes);
  if (!adapted || !ends_now) return adapted;
  auto advanced = advance_schedule(change, schedule);
  change.set_subject(command.schedule.value());
  return advanced;
}

Result<void> cancel_schedule(Change& change, const CancelSchedule& command) {
  auto found = find_live(change, command.schedule);
  if (!found) return found.error();
  Schedule& schedule = **found;
  finish_schedule(change, schedule, ScheduleStatus::canceled);
  if (schedule.subscription.is_empty()) return {};
  auto canceled = cancel_subscription(change, {schedule.subscription, false, command.prorate, command.invoice_now});
  change.set_subject(schedule.id.value());
  return canceled;
}

Result<void> release_schedule(Change& change, const ReleaseSchedule& command) {
  auto found = find_live(change, command.schedule);
  if (!found) return found.error();
  finish_schedule(change, **found, ScheduleStatus::released);
  let_go(change, **found, command.preserve_cancel_date);
  return {};
}

Result<void> advance_schedule(Change& change, Schedule& schedule) {
  Schedule before = schedule;
  if (schedule.status == ScheduleStatus::not_started) {
    auto begun = begin_schedule(change, schedule);
    if (!begun) return begun.error();
    if (schedule.is_live()) change.emit_update(EventType::schedule_updated, std::move(before), schedule);
    return {};
  }
  const Timestamp time = schedule.next_at();
  const bool is_last = static_cast<std::size_t>(schedule.phase) + 1 == schedule.phases.size();
  if (!is_last) {
    schedule.phase += 1;
    if (static_cast<std::size_t>(schedule.phase) > phases_max) {
      schedule.phases.erase(schedule.phases.begin());
      schedule.phase -= 1;
    }
    change.emit_update(EventType::schedule_updated, std::move(before), schedule);
    return enter_phase(change, schedule, time);
  }
  if (schedule.end_behavior == EndBehavior::release) {
    finish_schedule(change, schedule, ScheduleStatus::released);
    let_go(change, schedule);
    return {};
  }
  finish_schedule(change, schedule, ScheduleStatus::completed);
  Subscription& subscription = *change.account().find(schedule.subscription);
  auto used = bill_last_usage(change, subscription, time);
  if (!used) return used.error();
  end_subscription(change, subscription, time, time);
  return {};
}

void cancel_unbegun(Change& change, Schedule& schedule) {
  if (schedule.is_live()) finish_schedule(change, schedule, ScheduleStatus::canceled);
}

void end_schedule_of(Change& change, const Subscription& subscription) {
  Schedule* schedule = change.account().find(subscription.schedule);
  if (schedule != nullptr && schedule->is_live()) finish_schedule(change, *schedule, ScheduleStatus::canceled);
}

}  // namespace billd
