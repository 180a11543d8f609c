// What time brings, and when.
#include <algorithm>

#include "engine/change.hpp"
#include "engine/decide.hpp"

namespace billd {
namespace {

/// What can become due.
enum class Task : std::uint8_t {
  finalize,
  resolve_charge,
  resolve_refund,
  collect,
  tell_overdue,
  advance_schedule,
  expire,
  end,
  resume_collection,
  announce_trial_end,
  announce_upcoming,
  begin_grace,
  renew,
  bill_items,
  expire_pending_update,
  bill_pending_items,
  announce_expiry,
};

/// When an object leaves its current state by itself, how, and in which queue it waits for that.
struct Waits {
  Queue queue = Queue::renewal;
  Timestamp due;
  Task task = Task::renew;
};

std::optional<Waits> waits_for(const Account&, const Invoice& invoice) {
  if (const Charge* charge = invoice.unresolved_charge()) {
    if (charge->state == ChargeState::parked) return std::nullopt;
    return Waits{Queue::collection, charge->resolve_at, Task::resolve_charge};
  }
  if (const auto question = next_refund_question(invoice))
    return Waits{Queue::collection, *question, Task::resolve_refund};
  if (invoice.status == InvoiceStatus::draft && invoice.finalize_at)
    return Waits{Queue::invoice_closing, *invoice.finalize_at, Task::finalize};
  if (invoice.status == InvoiceStatus::open && invoice.next_attempt_at)
    return Waits{Queue::collection, *invoice.next_attempt_at, Task::collect};
  if (invoice.status == InvoiceStatus::open && invoice.overdue_at)
    return Waits{Queue::collection, *invoice.overdue_at, Task::tell_overdue};
  return std::nullopt;
}

std::optional<Waits> waits_for(const Account&, const Schedule& schedule) {
  if (!schedule.is_live()) return std::nullopt;
  return Waits{Queue::renewal, schedule.next_at(), Task::advance_schedule};
}

/// Nothing is renewed; only ends come.
std::optional<Waits> waits_while_paused(const Subscription& subscription) {
  std::optional<Waits> next;
  if (subscription.cancel_at) next = Waits{Queue::cancellation, *subscription.cancel_at, Task::end};
  if (const auto& update = subscription.pending_update; update && (!next || update->expires_at <= next->due))
    next = Waits{Queue::renewal, update->expires_at, Task::expire_pending_update};
  return next;
}

std::optional<Waits> waits_for(const Account& account, const Subscription& subscription) {
  if (subscription.status == SubscriptionStatus::incomplete) {
    if (!subscription.expires_at || subscription.provisional) return std::nullopt;
    // It cannot be said to be unpaid while the outcome of its charge is not known.
    const Invoice* invoice = account.find(subscription.latest_invoice);
    if (invoice != nullptr && invoice->unresolved_charge() != nullptr) return std::nullopt;
    return Waits{Queue::cancellation, *subscription.expires_at, Task::expire};
  }
  if (!subscription.is_live()) return std::nullopt;
  // What the subscription is cannot be said while the outcome of the charge for its change is not known.
  if (!check_no_pending_payment(account, subscription)) return std::nullopt;
  if (subscription.status == SubscriptionStatus::paused) return waits_while_paused(subscription);
  if (subscription.grace_until) {
    const Timestamp lapses = *subscription.grace_until;
    const Timestamp ends = subscription.cancel_at ? std::min(lapses, *subscription.cancel_at) : lapses;
    return Waits{Queue::cancellation, ends, Task::end};
  }
  const Timestamp end = subscription.current_period.end;
  const bool ends_before = subscription.cancel_at && *subscription.cancel_at <= end;
  const bool ends = ends_before || subscription.cancel_at_period_end;
  const bool by_webhook = subscription.renewal_trigger == RenewalTrigger::webhook;
  Waits next{ends ? Queue::cancellation : Queue::renewal, ends_before ? *subscription.cancel_at : end,
             ends         ? Task::end
             : by_webhook ? Task::begin_grace
                          : Task::renew};
  // Of what comes at the same time the last one that is considered here comes first.
  const auto consider = [&](const std::optional<Timestamp>& time, Task task) {
    const bool comes_before_renewal = task == Task::resume_collection || task == Task::expire_pending_update;
    const bool is_first = time && (*time < next.due || (*time == next.due && comes_before_renewal));
    if (is_first) next = {Queue::renewal, *time, task};
  };
  if (!ends) consider(subscription.upcoming_at, Task::announce_upcoming);
  consider(subscription.trial_will_end_at, Task::announce_trial_end);
  if (subscription.pending_item_interval)
    consider(subscription.pending_item_interval->next(), Task::bill_pending_items);
  if (subscription.pause) consider(subscription.pause->resumes_at, Task::resume_collection);
  if (subscription.pending_update) consider(subscription.pending_update->expires_at, Task::expire_pending_update);
  return next;
}

std::optional<Waits> waits_for(const Account&, const InvoiceItem& item) {
  if (!item.bill_at) return std::nullopt;
  return Waits{Queue::renewal, *item.bill_at, Task::bill_items};
}

/// Only while a subscription is going to charge its customer does anybody care.
std::optional<Waits> waits_for(const Account& account, const Source& source) {
  const auto charges = [](const Subscription& subscription) {
    return !subscription.cancel_at_period_end && subscription.collection == Collection::charge_automatically;
  };
  if (!source.expiring_at || std::ranges::none_of(account.subscriptions, charges)) return std::nullopt;
  return Waits{Queue::renewal, *source.expiring_at, Task::announce_expiry};
}

/// Of things due at the same time the earlier kind comes first: what is owed already before what will be, and what a
/// subscription is to be before it is renewed as that.
template <class See>
void for_all_waiting(const Account& account, See see) {
  const auto each = [&](const auto& objects) {
    for (std::size_t index = 0; index < objects.size(); ++index)
      if (const auto waits = waits_for(account, objects[index])) see(*waits, index);
  };
  each(account.invoices);
  each(account.schedules);
  each(account.subscriptions);
  each(account.invoice_items);
  each(account.sources);
}

/// Whether it may draw up an invoice: one is enough at a time.
bool may_bill(Task task) {
  return task == Task::renew || task == Task::bill_items || task == Task::advance_schedule ||
         task == Task::bill_pending_items;
}

/// The next thing to do, with the object at `index` of its kind.
struct Step {
  Waits waits;
  std::size_t index = 0;
};

std::optional<Step> next_step(const Account& account, bool may_bill_more) {
  std::optional<Step> first;
  for_all_waiting(account, [&](const Waits& waits, std::size_t index) {
    if (may_bill(waits.task) && !may_bill_more) return;
    if (!first || waits.due < first->waits.due) first = Step{waits, index};
  });
  return first;
}

Result<void> take(Change& change, const Step& step) {
  Account& account = change.account();
  const std::size_t index = step.index;
  switch (step.waits.task) {
    case Task::finalize:
      return finalize_invoice(change, account.invoices[index]);
    case Task::resolve_charge:
      resolve_charge(change, account.invoices[index]);
      return {};
    case Task::resolve_refund:
      resolve_refund(change, account.invoices[index]);
      return {};
    case Task::collect:
      collect(change, account.invoices[index]);
      return {};
    case Task::tell_overdue:
      invoice_is_overdue(change, account.invoices[index]);
      return {};
    case Task::advance_schedule:
      return advance_schedule(change, account.schedules[index]);
    case Task::expire:
      return expire_subscription(change, account.subscriptions[index], step.waits.due);
    case Task::end: {
      auto used = bill_last_usage(change, account.subscriptions[index], step.waits.due);
      if (!used) return used.error();
      end_subscription(change, account.subscriptions[index], step.waits.due, step.waits.due);
      return {};
    }
    case Task::resume_collection:
      resume_collection(change, account.subscriptions[index]);
      return {};
    case Task::announce_trial_end:
      announce_trial_end(change, account.subscriptions[index]);
      return {};
    case Task::announce_upcoming:
      return announce_upcoming(change, account.subscriptions[index]);
    case Task::begin_grace:
      begin_grace(change, account.subscriptions[index]);
      return {};
    case Task::renew:
      return renew(change, account.subscriptions[index]);
    case Task::bill_items:
      return bill_ended_items(change, account.invoice_items[index]);
    case Task::expire_pending_update:
      return expire_pending_update(change, account.subscriptions[index]);
    case Task::bill_pending_items:
      return bill_pending_items(change, account.subscriptions[index]);
    case Task::announce_expiry:
      announce_expiry(change, account.sources[index]);
      return {};
  }
  return {};
}

}  // namespace

std::string_view to_text(Queue queue) {
  switch (queue) {
    case Queue::renewal:
      return "renewal";
    case Queue::cancellation:
      return "cancellation";
    case Queue::invoice_closing:
      return "invoice_closing";
    case Queue::collection:
      return "collection";
  }
  return "";
}

Timers timers(const Account& account) {
  Timers result;
  for_all_waiting(account, [&](const Waits& waits, std::size_t) {
    auto& due = result[static_cast<std::size_t>(waits.queue)];
    if (!due || waits.due < *due) due = waits.due;
  });
  return result;
}

std::optional<Timestamp> next_due(const Timers& timers) {
  std::optional<Timestamp> first;
  for (const auto& due : timers)
    if (due && (!first || *due < *first)) first = due;
  return first;
}

Result<Transition> tick(Account account, Timestamp now, const Rules& rules) {
  Change change(std::move(account), now, rules);
  bool billed = false;
  while (change.effects().empty()) {
    const auto step = next_step(change.account(), !billed);
    if (!step || step->waits.due > now) break;
    auto taken = take(change, *step);
    if (!taken) return taken.error();
    billed = billed || may_bill(step->waits.task);
    // Ended subscriptions and paid invoices stay in the account until finish(), where they wait for nothing.
  }
  return change.finish();
}

}  // namespace billd
