// Changes of subscriptions that wait until they are paid for, read from Stripe's JSON.
#include <algorithm>

#include "commands/import_json.hpp"
#include "commands/import_objects.hpp"

namespace billd::commands {
namespace {

namespace json = boost::json;

/// Whether all that the invoice bills once comes of the change: what it took along of other things would have to be
/// pending again if the change is dropped, and nothing tells the two apart for sure.
bool is_of_change_alone(const Invoice& invoice) {
  const InvoiceLine* first = nullptr;
  for (const InvoiceLine& line : invoice.lines) {
    if (line.is_recurring()) continue;
    if (first == nullptr) first = &line;
    if (!line.proration || line.period.start != first->period.start) return false;
  }
  return true;
}

}  // namespace

Result<PendingUpdate> read_pending_update(const json::object& update, const Subscription& subscription,
                                          const Invoice& invoice, const Named& named) {
  if (invoice.status != InvoiceStatus::open) return refusal("its invoice is not open", "pending_update");
  if (member_of(update, "trial_end") != nullptr) return refusal("it begins or moves a trial", "pending_update");
  if (!is_of_change_alone(invoice)) return refusal("its invoice bills other things as well", "pending_update");
  const auto expires_at = time_of(update, "expires_at");
  if (!expires_at) return refusal("when it expires is not told", "pending_update");
  PendingUpdate read;
  read.invoice = invoice.id;
  read.expires_at = *expires_at;
  read.items = subscription.items;
  if (const json::value* items = member_of(update, "subscription_items"); items != nullptr && items->is_array()) {
    auto taken = read_subscription_items(items->get_array(), named);
    if (!taken) return taken.error();
    read.items = std::move(*taken);
  }
  if (std::ranges::any_of(read.items, [](const SubscriptionItem& item) { return item.price.is_metered(); }))
    return refusal("it is of metered prices", "pending_update");
  read.anchor = subscription.anchor;
  read.anchor_ordinal = subscription.anchor_ordinal;
  read.ordinal = subscription.ordinal;
  read.current_period = subscription.current_period;
  if (const auto anchor = time_of(update, "billing_cycle_anchor")) {
    read.anchor = *anchor;
    read.ordinal = read.anchor_ordinal = subscription.ordinal + 1;
    read.current_period = period_at(*anchor, read.items.front().price.recurrence, 0);
  }
  read.free_until_anchor = subscription.free_until_anchor;
  read.trial_start = subscription.trial_start;
  read.trial_end = subscription.trial_end;
  read.trial_will_end_at = subscription.trial_will_end_at;
  read.paid_until = subscription.paid_until;
  read.changed_at = invoice.created;
  read.upcoming_at = subscription.upcoming_at;
  read.status = subscription.status;
  return read;
}

}  // namespace billd::commands
