// How a transition is put together and finished.
#include "engine/change.hpp"

#include <algorithm>

namespace billd {
namespace {

/// Whether the invoice waits for nothing: it has its final status, or nobody collects it any more.
bool rests(const Account& account, const Invoice& invoice) {
  if (invoice.unresolved_charge() != nullptr) return false;
  if (invoice.is_settled()) return true;
  if (invoice.next_attempt_at || (invoice.status == InvoiceStatus::draft && invoice.auto_advance)) return false;
  // The first invoice of an incomplete subscription ends with it.
  const Subscription* subscription = account.find(invoice.subscription);
  return subscription == nullptr || subscription->status != SubscriptionStatus::incomplete;
}

}  // namespace

void Change::recall(Invoice invoice) {
  transition_.recalled.push_back(invoice.id);
  account().invoices.push_back(std::move(invoice));
}

void Change::emit(std::initializer_list<EventType> types, Snapshot object) {
  transition_.changed = true;
  const auto snapshot = static_cast<std::uint32_t>(transition_.snapshots.size());
  transition_.snapshots.push_back(std::move(object));
  for (EventType type : types) transition_.events.push_back({type, snapshot, std::nullopt});
  account().events += types.size();
}

Transition Change::finish() {
  Account& after = account();
  for (Subscription& subscription : after.subscriptions)
    if (!subscription.is_live() && !subscription.provisional) transition_.settled.emplace_back(subscription);
  std::erase_if(after.subscriptions, [](const Subscription& each) { return !each.is_live(); });

  std::vector<Invoice> staying;
  for (Invoice& invoice : after.invoices) {
    if (rests(after, invoice))
      transition_.settled.emplace_back(std::move(invoice));
    else
      staying.push_back(std::move(invoice));
  }
  after.invoices = std::move(staying);
  if (!transition_.settled.empty() || !transition_.recalled.empty()) touch();
  // What was recalled and rests again is written anew under the same name.
  std::erase_if(transition_.recalled, [&](const InvoiceId& id) { return after.find(id) == nullptr; });
  return std::move(transition_);
}

}  // namespace billd
