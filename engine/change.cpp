// How a transition is put together and finished.
#include "engine/change.hpp"

#include <algorithm>

namespace billd {
namespace {

/// Whether the invoice waits for nothing: it has its final status, or nobody collects it any more.
bool rests(const Account& account, const Invoice& invoice) {
  if (invoice.unresolved_charge() != nullptr || invoice.has_unresolved_refund()) return false;
  if (invoice.is_settled()) return true;
  if (invoice.next_attempt_at || invoice.overdue_at || (invoice.status == InvoiceStatus::draft && invoice.auto_advance))
    return false;
  if (pending_update_of(account, invoice) != nullptr) return false;
  // The first invoice of an incomplete subscription ends with it.
  const Subscription* subscription = account.find(invoice.subscription);
  return subscription == nullptr || subscription->status != SubscriptionStatus::incomplete ||
         subscription->latest_invoice != invoice.id;
}

/// Hands over the objects that leave; the others stay in their order.
template <class Object, class Leaves, class Take>
void move_out(std::vector<Object>& objects, Leaves leaves, Take take) {
  auto kept = objects.begin();
  for (auto object = objects.begin(); object != objects.end(); ++object) {
    if (leaves(*object)) {
      take(std::move(*object));
    } else {
      if (kept != object) *kept = std::move(*object);
      ++kept;
    }
  }
  objects.erase(kept, objects.end());
}

}  // namespace

Result<void> patch(Metadata& metadata, const std::optional<MetadataPatch>& patch) {
  if (!patch) return {};
  if (patch->clear) metadata.clear();
  for (const auto& [key, value] : patch->set) {
    auto at = std::ranges::find(metadata, key, &Metadata::value_type::first);
    if (at == metadata.end()) {
      if (!value.empty()) metadata.emplace_back(key, value);
    } else if (value.empty()) {
      metadata.erase(at);
    } else {
      at->second = value;
    }
  }
  if (metadata.size() > metadata_keys_max)
    return Failure{Errc::invalid_parameter,
                   "Metadata can have up to 50 keys, but there would be " + std::to_string(metadata.size()) + ".",
                   "metadata"};
  return {};
}

void Change::recall(Invoice invoice) {
  transition_.recalled.push_back(invoice.id);
  account().invoices.push_back(std::move(invoice));
}

void Change::drop(const InvoiceId& id) {
  auto dropped = std::ranges::find(account().invoices, id, &Invoice::id);
  transition_.deleted.push_back(std::move(*dropped));
  account().invoices.erase(dropped);
  touch();
}

Transition Change::finish() {
  Account& after = account();
  move_out(
      after.subscriptions, [](const Subscription& subscription) { return !subscription.is_live(); },
      [&](Subscription subscription) {
        if (!subscription.provisional) transition_.settled.emplace_back(std::move(subscription));
      });
  move_out(
      after.invoices, [&](const Invoice& invoice) { return rests(after, invoice); },
      [&](Invoice invoice) { transition_.settled.emplace_back(std::move(invoice)); });
  move_out(
      after.schedules, [](const Schedule& schedule) { return !schedule.is_live(); },
      [&](Schedule schedule) { transition_.settled.emplace_back(std::move(schedule)); });
  if (!transition_.settled.empty() || !transition_.recalled.empty()) touch();
  // What was recalled and rests again is written anew under the same name.
  std::erase_if(transition_.recalled, [&](const InvoiceId& id) {
    return after.find(id) == nullptr &&
           std::ranges::find(transition_.deleted, id, &Invoice::id) == transition_.deleted.end();
  });
  return std::move(transition_);
}

}  // namespace billd
