// What time brings, and when.
#include <algorithm>

#include "engine/change.hpp"
#include "engine/decide.hpp"

namespace billd {
namespace {

/// When the subscription leaves its current state by itself, and in which queue it waits for that.
std::optional<std::pair<Queue, Timestamp>> waits_for(const Account& account, const Subscription& subscription) {
  if (subscription.status == SubscriptionStatus::incomplete) {
    if (!subscription.expires_at || subscription.provisional) return std::nullopt;
    // It cannot be said to be unpaid while the outcome of its charge is not known.
    const Invoice* invoice = account.find(subscription.latest_invoice);
    if (invoice != nullptr && invoice->unresolved_charge() != nullptr) return std::nullopt;
    return std::pair(Queue::cancellation, *subscription.expires_at);
  }
  if (!subscription.is_live()) return std::nullopt;
  if (subscription.grace_until) {
    const Timestamp lapses = *subscription.grace_until;
    return std::pair(Queue::cancellation, subscription.cancel_at ? std::min(lapses, *subscription.cancel_at) : lapses);
  }
  const Timestamp end = subscription.current_period.end;
  const bool ends_before = subscription.cancel_at && *subscription.cancel_at <= end;
  const Timestamp next = ends_before ? *subscription.cancel_at : end;
  if (subscription.trial_will_end_at && *subscription.trial_will_end_at < next)
    return std::pair(Queue::renewal, *subscription.trial_will_end_at);
  return std::pair(ends_before || subscription.cancel_at_period_end ? Queue::cancellation : Queue::renewal, next);
}

std::optional<std::pair<Queue, Timestamp>> waits_for(const Account&, const Invoice& invoice) {
  if (const Charge* charge = invoice.unresolved_charge()) {
    if (charge->state == ChargeState::parked) return std::nullopt;
    return std::pair(Queue::collection, charge->resolve_at);
  }
  if (const auto question = next_refund_question(invoice)) return std::pair(Queue::collection, *question);
  if (invoice.status == InvoiceStatus::draft && invoice.finalize_at)
    return std::pair(Queue::invoice_closing, *invoice.finalize_at);
  if (invoice.status == InvoiceStatus::open && invoice.next_attempt_at)
    return std::pair(Queue::collection, *invoice.next_attempt_at);
  if (invoice.status == InvoiceStatus::open && invoice.overdue_at)
    return std::pair(Queue::collection, *invoice.overdue_at);
  return std::nullopt;
}

std::optional<std::pair<Queue, Timestamp>> waits_for(const Account&, const InvoiceItem& item) {
  if (!item.bill_at) return std::nullopt;
  return std::pair(Queue::renewal, *item.bill_at);
}

enum class Waiting : std::uint8_t { invoice, subscription, invoice_item };

/// The next thing to do: at `due`, with the object at `index` of its kind.
struct Step {
  Timestamp due;
  Queue queue;
  Waiting kind;
  std::size_t index;
};

std::optional<Step> next_step(const Account& account, bool may_renew) {
  std::optional<Step> first;
  auto consider = [&](const auto& objects, Waiting kind) {
    for (std::size_t index = 0; index < objects.size(); ++index) {
      const auto waiting = waits_for(account, objects[index]);
      if (!waiting || (waiting->first == Queue::renewal && !may_renew)) continue;
      if (!first || waiting->second < first->due) first = Step{waiting->second, waiting->first, kind, index};
    }
  };
  // Of two things due at the same time the invoice comes first: what is owed already before what will be.
  consider(account.invoices, Waiting::invoice);
  consider(account.subscriptions, Waiting::subscription);
  consider(account.invoice_items, Waiting::invoice_item);
  return first;
}

Result<void> take(Change& change, const Step& step) {
  Account& account = change.account();
  if (step.kind == Waiting::invoice_item) return bill_ended_items(change, account.invoice_items[step.index]);
  if (step.kind == Waiting::invoice) {
    Invoice& invoice = account.invoices[step.index];
    if (step.queue == Queue::invoice_closing) return finalize_invoice(change, invoice);
    if (invoice.unresolved_charge() != nullptr)
      resolve_charge(change, invoice);
    else if (next_refund_question(invoice))
      resolve_refund(change, invoice);
    else if (invoice.next_attempt_at)
      collect(change, invoice);
    else
      invoice_is_overdue(change, invoice);
    return {};
  }
  Subscription& subscription = account.subscriptions[step.index];
  if (step.queue == Queue::renewal && subscription.trial_will_end_at == step.due)
    announce_trial_end(change, subscription);
  else if (step.queue == Queue::renewal && subscription.renewal_trigger == RenewalTrigger::webhook)
    begin_grace(change, subscription);
  else if (step.queue == Queue::renewal)
    return renew(change, subscription);
  else if (subscription.status == SubscriptionStatus::incomplete)
    return expire_subscription(change, subscription, *subscription.expires_at);
  else
    end_subscription(change, subscription, step.due, step.due);
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
  auto add = [&](const auto& objects) {
    for (const auto& object : objects) {
      const auto waiting = waits_for(account, object);
      if (!waiting) continue;
      auto& due = result[static_cast<std::size_t>(waiting->first)];
      if (!due || waiting->second < *due) due = waiting->second;
    }
  };
  add(account.invoices);
  add(account.subscriptions);
  add(account.invoice_items);
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
  bool renewed = false;
  while (change.effects().empty()) {
    const auto step = next_step(change.account(), !renewed);
    if (!step || step->due > now) break;
    auto taken = take(change, *step);
    if (!taken) return taken.error();
    renewed = renewed || step->queue == Queue::renewal;
    // Ended subscriptions and paid invoices stay in the account until finish(), where they wait for nothing.
  }
  return change.finish();
}

}  // namespace billd
