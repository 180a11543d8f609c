#include "engine/future.hpp"

#include <algorithm>
#include <vector>

namespace billd {

Future::Future(Account account, Timestamp now, const Rules& rules)
    : account_(std::move(account)), rules_(rules), now_(now) {
  rules_.upcoming_notice = Duration(0);
  for (Subscription& subscription : account_.subscriptions) subscription.upcoming_at.reset();
}

Result<void> Future::begin() {
  std::vector<InvoiceId> sent;
  for (const Invoice& invoice : account_.invoices)
    if (invoice.status == InvoiceStatus::open && invoice.collection == Collection::send_invoice &&
        invoice.unresolved_charge() == nullptr)
      sent.push_back(invoice.id);
  for (const InvoiceId& id : sent) {
    auto paid = customer_pays(id);
    if (!paid) return paid.error();
  }
  return {};
}

Result<bool> Future::step(Timestamp end) {
  const auto due = next_due(timers(account_));
  if (!due || *due > end) return false;
  now_ = std::max(now_, *due);
  auto ticked = tick(std::move(account_), now_, rules_);
  if (!ticked) return ticked.error();
  const bool changed = ticked->changed;
  auto taken = take(std::move(*ticked));
  if (!taken) return taken.error();
  return changed;
}

/// The invoice counts as paid at once, so that nothing follows from its being late; the money comes when it is due.
Result<void> Future::customer_pays(const InvoiceId& id) {
  const Invoice* invoice = account_.find(id);
  if (invoice == nullptr || invoice->status != InvoiceStatus::open) return {};
  see(ExpectedPayment{std::max(now_, invoice->due_at.value_or(now_)), invoice->amount_due(), id, true});
  auto paid = decide(account_, PayInvoice{id, {}, {}, true}, now_, rules_);
  // What cannot be paid goes its way.
  return paid ? take(std::move(*paid)) : Result<void>();
}

Result<void> Future::take(Transition transition) {
  account_ = std::move(transition.account);
  see(transition);
  for (const Event& event : transition.events) {
    if (event.type != EventType::invoice_sent) continue;
    auto paid = customer_pays(std::get<Invoice>(transition.snapshots[event.snapshot]).id);
    if (!paid) return paid.error();
  }
  for (const Effect& effect : transition.effects) {
    auto carried = std::visit([this](const auto& each) { return carry_out(each); }, effect);
    if (!carried) return carried.error();
  }
  return {};
}

Result<void> Future::carry_out(const CollectCharge& effect) {
  const Invoice* invoice = account_.find(effect.invoice);
  if (invoice == nullptr || invoice->unresolved_charge() == nullptr) return {};
  see(ExpectedPayment{now_, invoice->unresolved_charge()->amount, invoice->id, false});
  return record(RecordChargeOutcome{effect.invoice, effect.charge, {ChargeOutcomeKind::succeeded, "", ""}});
}

Result<void> Future::carry_out(const SendRefund& effect) {
  return record(RecordRefundOutcome{effect.invoice, {}, effect.refund, {RefundOutcomeKind::succeeded, "", ""}});
}

Result<void> Future::record(const Command& outcome) {
  auto recorded = decide(std::move(account_), outcome, now_, rules_);
  if (!recorded) return recorded.error();
  return take(std::move(*recorded));
}

}  // namespace billd
