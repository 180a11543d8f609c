#include "net/api/stripe/settlement.hpp"

#include <algorithm>

#include "net/api/stripe/errors.hpp"

namespace billd::api::stripe {
namespace {

template <class Object, class Condition>
const Object* find(const std::vector<Object>& in_account, const std::vector<Record>& settled, Condition condition) {
  const auto at = std::ranges::find_if(in_account, condition);
  if (at != in_account.end()) return &*at;
  for (const Record& record : settled)
    if (const auto* object = std::get_if<Object>(&record); object != nullptr && condition(*object)) return object;
  return nullptr;
}

/// `replaced`: the invoice of an earlier change, which this one may have taken the place of.
std::optional<Answer> unpaid_change(const Transition& after, std::string_view subscription, const InvoiceId& replaced) {
  for (const Record& record : after.settled) {
    const auto* invoice = std::get_if<Invoice>(&record);
    const bool is_of_change = invoice != nullptr && invoice->subscription.value() == subscription &&
                              invoice->id != replaced && invoice->status == InvoiceStatus::void_;
    if (!is_of_change) continue;
    if (auto unpaid = unpaid_answer(*invoice)) return unpaid;
  }
  const Subscription* changed = find_subscription(after, subscription);
  if (changed == nullptr || !changed->pending_update || changed->pending_update->invoice == replaced)
    return std::nullopt;
  const Invoice* invoice = find_invoice(after, changed->pending_update->invoice.value());
  return invoice != nullptr ? unpaid_answer(*invoice) : std::nullopt;
}

}  // namespace

const Invoice* find_invoice(const Transition& after, std::string_view id) {
  return find(after.account.invoices, after.settled, [&](const Invoice& each) { return each.id.value() == id; });
}

const Subscription* find_subscription(const Transition& after, std::string_view id) {
  return find(after.account.subscriptions, after.settled,
              [&](const Subscription& each) { return each.id.value() == id; });
}

const Invoice* first_invoice_of(const Transition& after, std::string_view subscription) {
  return find(after.account.invoices, after.settled, [&](const Invoice& each) {
    return each.subscription.value() == subscription && each.reason == BillingReason::subscription_create;
  });
}

std::optional<Answer> unpaid_answer(const Invoice& invoice) {
  if (invoice.status == InvoiceStatus::paid || invoice.charges.empty()) return std::nullopt;
  const Charge& charge = invoice.charges.back();
  if (charge.state == ChargeState::declined || charge.state == ChargeState::absent) return render_decline(charge);
  if (charge.is_unresolved() && charge.state != ChargeState::pending)
    return render_error({Errc::outcome_unknown, "the gateway has not told the outcome of " + charge.id.value()});
  return std::nullopt;
}

Show unless_unpaid(const Subscription& before, PaymentBehavior behavior, Show shown) {
  if (behavior != PaymentBehavior::error_if_incomplete && behavior != PaymentBehavior::error_where_possible)
    return shown;
  InvoiceId replaced = before.pending_update ? before.pending_update->invoice : InvoiceId();
  return [id = before.id.value(), replaced = std::move(replaced), shown = std::move(shown)](
             Presenter& present, const Transition& after) -> Shown {
    if (auto unpaid = unpaid_change(after, id, replaced)) return std::move(*unpaid);
    return shown(present, after);
  };
}

}  // namespace billd::api::stripe
