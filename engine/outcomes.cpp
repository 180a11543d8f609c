// What becomes of charges: their outcomes, as often and in whatever order they are told, and disputes.
#include <algorithm>

#include "engine/lookup.hpp"

namespace billd {
namespace {

/// A first payment under error_if_incomplete was declined: the subscription never was.
Result<void> forget_provisional(Change& change, Invoice& invoice) {
  auto voided = make_void(change, invoice);
  if (!voided) return voided.error();
  give_items_back(change, invoice);
  give_discount_back(change, invoice);
  if (Subscription* subscription = change.account().find(invoice.subscription)) {
    drop_prorations(change, *subscription);
    forget_items(change, *subscription);
    subscription->status = SubscriptionStatus::incomplete_expired;
  }
  return {};
}

/// The customer hears of a provisional subscription once it is paid for.
void reveal_provisional(Change& change, Invoice& invoice) {
  invoice.provisional = false;
  invoice.number = draw_invoice_number(change);
  // A customer who was deleted meanwhile has no subscription any more, and yet has paid this invoice.
  if (Subscription* subscription = change.account().find(invoice.subscription)) {
    agree_on_currency(change, invoice.total.currency);
    subscription->provisional = false;
    subscription->status = status_when_paid(*subscription, change.now);
    subscription->expires_at.reset();
    change.emit({EventType::subscription_created}, *subscription);
  }
  for (const InvoiceLine& line : invoice.lines)
    if (!line.is_recurring() && line.subscription == invoice.subscription)
      change.emit({EventType::invoiceitem_created}, invoice_item_of(line));
  change.emit({EventType::invoice_created, EventType::invoice_finalized}, invoice);
}

Result<void> charge_was_declined(Change& change, Invoice& invoice, const Charge& charge) {
  change.emit({EventType::charge_failed}, ChargeSnapshot{charge, invoice.id});
  if (invoice.provisional) return forget_provisional(change, invoice);
  if (invoice.is_of_direct_charge()) return {};
  if (const PendingUpdate* update = pending_update_of(change.account(), invoice);
      update != nullptr && update->ends_when_declined) {
    change.emit({EventType::invoice_payment_failed}, invoice);
    return drop_pending_update(change, *change.account().find(invoice.subscription));
  }
  set_delinquent(change, true);
  invoice_payment_failed(change, invoice);
  return {};
}

/// Nobody was charged and nobody was refused: what waits is the invoice, not the customer.
Result<void> charge_is_absent(Change& change, Invoice& invoice, Charge& charge) {
  if (charge.state == ChargeState::pending) {
    charge.state = ChargeState::parked;
    change.alarm("the gateway does not know any more a charge that it had taken on");
    return {};
  }
  charge.state = ChargeState::absent;
  charge.decline_code = "processing_error";
  change.touch();
  if (invoice.provisional) return forget_provisional(change, invoice);
  if (const PendingUpdate* update = pending_update_of(change.account(), invoice);
      update != nullptr && update->ends_when_declined)
    return drop_pending_update(change, *change.account().find(invoice.subscription));
  replace_charge(change, invoice);
  return {};
}

/// Money came that had been said not to come, or the other way round. Nothing is done on the strength of either word.
void note_contradiction(Change& change, Invoice& invoice, Charge& charge, bool succeeded_after_all) {
  if (charge.contradicted) return;
  charge.contradicted = true;
  const bool was_absent = charge.state == ChargeState::absent;
  // While nobody has looked no further attempt may be made: the money may be here.
  if (succeeded_after_all && &charge == &invoice.charges.back() && invoice.status != InvoiceStatus::paid) {
    charge.state = ChargeState::parked;
    invoice.next_attempt_at.reset();
  }
  change.alarm(!succeeded_after_all ? "the gateway says that a charge which succeeded was declined"
               : was_absent         ? "the gateway knows a charge that it had said it never had"
                                    : "the gateway says that a declined charge has succeeded");
}

void charge_is_pending(Change& change, Invoice& invoice, Charge& charge, const ChargeOutcome& outcome) {
  if (charge.state == ChargeState::pending) return;
  charge.state = ChargeState::pending;
  charge.gateway_reference = outcome.gateway_reference;
  charge.resolve_at = change.now + change.rules.charge_pending_poll_after;
  if (invoice.provisional) reveal_provisional(change, invoice);
  change.emit({EventType::charge_pending}, ChargeSnapshot{charge, invoice.id});
  invoice_payment_pending(change, invoice);
}

/// What has paid an invoice of a subscription that says so pays the next ones, too.
/// Source: Stripe's save_default_payment_method.
void save_source(Change& change, const Invoice& invoice, const Charge& charge) {
  Subscription* subscription = change.account().find(invoice.subscription);
  if (subscription == nullptr || !subscription->saves_source || subscription->default_source == charge.source) return;
  if (change.account().find(charge.source) == nullptr) return;
  Subscription before = *subscription;
  subscription->default_source = charge.source;
  change.emit_update(EventType::subscription_updated, std::move(before), *subscription);
}

void charge_succeeded(Change& change, Invoice& invoice, Charge& charge, const ChargeOutcome& outcome) {
  charge.state = ChargeState::succeeded;
  charge.gateway_reference = outcome.gateway_reference;
  auto& sources = change.account().sources;
  const auto source = std::ranges::find(sources, charge.source, &Source::id);
  if (source != sources.end()) source->last_used = change.now;
  if (invoice.provisional) reveal_provisional(change, invoice);
  change.emit({EventType::charge_succeeded}, ChargeSnapshot{charge, invoice.id});
  if (!invoice.is_of_direct_charge()) set_delinquent(change, false);
  save_source(change, invoice, charge);
  mark_paid(change, invoice);
}

/// Whether the outcome tells anything that is not known of the charge.
bool is_news(const Charge& charge, ChargeOutcomeKind kind) {
  switch (kind) {
    case ChargeOutcomeKind::unknown:
      return false;  // The timer asks again.
    case ChargeOutcomeKind::impossible:
      return charge.is_unresolved() && charge.state != ChargeState::parked;
    case ChargeOutcomeKind::pending:
      if (charge.state == ChargeState::absent) return !charge.contradicted;
      return charge.is_unresolved() && charge.state != ChargeState::pending;
    case ChargeOutcomeKind::absent:
      return charge.state == ChargeState::sending || charge.state == ChargeState::pending;
    case ChargeOutcomeKind::succeeded:
      return charge.state != ChargeState::succeeded && (charge.is_unresolved() || !charge.contradicted);
    case ChargeOutcomeKind::declined:
      if (charge.state == ChargeState::absent) return false;
      return charge.state != ChargeState::declined && (charge.is_unresolved() || !charge.contradicted);
  }
  return false;
}

template <class Command>
Charge* find_charge(Invoice& invoice, const Command& command) {
  const auto found = std::ranges::find(invoice.charges, command.charge, &Charge::id);
  return found == invoice.charges.end() ? nullptr : &*found;
}

/// The invoice, in the account or as it was settled; nobody needs to have heard of it.
template <class Command>
const Invoice* look_up_any(Change& change, const Command& command) {
  if (const Invoice* invoice = change.account().find(command.invoice)) return invoice;
  return command.recalled && command.recalled->id == command.invoice ? &*command.recalled : nullptr;
}

}  // namespace

Result<void> record_charge_outcome(Change& change, const RecordChargeOutcome& command) {
  const Invoice* known = look_up_any(change, command);
  if (known == nullptr) return {};
  const auto at = std::ranges::find(known->charges, command.charge, &Charge::id);
  if (at == known->charges.end()) return {};
  change.set_subject(known->id.value());
  if (!is_news(*at, command.outcome.kind)) return {};

  Invoice& invoice = bring_in(change, command);
  Charge& charge = *find_charge(invoice, command);
  const bool was_resolved = !charge.is_unresolved();
  switch (command.outcome.kind) {
    case ChargeOutcomeKind::unknown:
      return {};
    case ChargeOutcomeKind::impossible:
      charge.state = ChargeState::parked;
      change.touch();
      return {};
    case ChargeOutcomeKind::pending:
      if (was_resolved)
        note_contradiction(change, invoice, charge, true);
      else
        charge_is_pending(change, invoice, charge, command.outcome);
      return {};
    case ChargeOutcomeKind::absent:
      return charge_is_absent(change, invoice, charge);
    case ChargeOutcomeKind::succeeded:
      if (was_resolved)
        note_contradiction(change, invoice, charge, true);
      else
        charge_succeeded(change, invoice, charge, command.outcome);
      return {};
    case ChargeOutcomeKind::declined:
      if (was_resolved) {
        note_contradiction(change, invoice, charge, false);
        return {};
      }
      charge.state = ChargeState::declined;
      charge.decline_code = command.outcome.decline_code;
      charge.gateway_reference = command.outcome.gateway_reference;
      return charge_was_declined(change, invoice, charge);
  }
  return {};
}

Result<void> record_dispute(Change& change, const RecordDispute& command) {
  const Invoice* known = look_up_any(change, command);
  if (known == nullptr) return no_such_invoice(command.invoice);
  const auto at = std::ranges::find(known->charges, command.charge, &Charge::id);
  if (at == known->charges.end())
    return Failure{Errc::not_found, "No such charge: " + command.charge.value(), "charge"};
  change.set_subject(command.charge.value());
  const bool is_new = !at->dispute || at->dispute->reference != command.dispute.reference;
  if (!is_new && (at->dispute->status != DisputeStatus::open || command.dispute.status == DisputeStatus::open))
    return {};

  Invoice& invoice = bring_in(change, command);
  Charge& charge = *find_charge(invoice, command);
  const Timestamp since = is_new ? change.now : charge.dispute->created;
  charge.dispute = command.dispute;
  charge.dispute->created = since;
  const ChargeSnapshot snapshot{charge, invoice.id};
  if (is_new) change.emit({EventType::charge_dispute_created}, snapshot);
  if (charge.dispute->status != DisputeStatus::open) change.emit({EventType::charge_dispute_closed}, snapshot);
  return {};
}

}  // namespace billd
