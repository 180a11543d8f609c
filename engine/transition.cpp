// The names of the events.
#include "engine/transition.hpp"

#include <array>

namespace billd {
namespace {

// In the order of EventType. Source: https://stripe.com/docs/api/events/types.
constexpr auto names = std::to_array<std::string_view>({
    "customer.created",
    "customer.updated",
    "customer.deleted",
    "customer.source.created",
    "customer.source.updated",
    "customer.source.deleted",
    "customer.subscription.created",
    "customer.subscription.updated",
    "customer.subscription.deleted",
    "customer.subscription.trial_will_end",
    "invoice.created",
    "invoice.updated",
    "invoice.finalized",
    "invoice.payment_succeeded",
    "invoice.paid",
    "invoice.payment_failed",
    "charge.succeeded",
    "charge.failed",
    "invoice.deleted",
    "invoice.marked_uncollectible",
    "invoice.overdue",
    "invoice.sent",
    "invoice.voided",
    "invoiceitem.created",
    "invoiceitem.updated",
    "invoiceitem.deleted",
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.refund.updated",
    "charge.pending",
    "charge.dispute.created",
    "charge.dispute.closed",
    "payment_method.attached",
    "payment_method.detached",
    "payment_method.updated",
    "charge.updated",
    "invoice.upcoming",
    "customer.source.expiring",
    "credit_note.created",
    "credit_note.updated",
    "credit_note.voided",
    "subscription_schedule.created",
    "subscription_schedule.updated",
    "subscription_schedule.completed",
    "subscription_schedule.released",
    "subscription_schedule.canceled",
    "customer.discount.created",
    "customer.discount.updated",
    "customer.discount.deleted",
    "customer.subscription.pending_update_applied",
    "customer.subscription.pending_update_expired",
    "customer.subscription.paused",
    "customer.subscription.resumed",
    "customer.tax_id.created",
    "customer.tax_id.deleted",
});
static_assert(names.size() == static_cast<std::size_t>(EventType::tax_identifier_deleted) + 1);

}  // namespace

std::string_view to_text(EventType type) { return names[static_cast<std::size_t>(type)]; }

std::optional<EventType> parse_event_type(std::string_view name) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (names[i] == name) return static_cast<EventType>(i);
  return std::nullopt;
}

}  // namespace billd
