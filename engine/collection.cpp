// Making money move: journaled charges, their outcomes, and what follows from them.
#include "engine/change.hpp"

namespace billd {
namespace {

/// A first payment under error_if_incomplete was declined: the subscription never was.
Result<void> forget_provisional(Change& change, Invoice& invoice) {
  auto voided = make_void(change, invoice);
  if (!voided) return voided.error();
  give_items_back(change, invoice);
  if (Subscription* subscription = change.account().find(invoice.subscription)) {
    drop_prorations(change, *subscription);
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
    subscription->status = SubscriptionStatus::active;
    subscription->expires_at.reset();
    change.emit({EventType::subscription_created}, *subscription);
  }
  change.emit({EventType::invoice_created, EventType::invoice_finalized}, invoice);
}

Result<void> charge_was_declined(Change& change, Invoice& invoice, const Charge& charge) {
  change.emit({EventType::charge_failed}, ChargeSnapshot{charge, invoice.id});
  if (invoice.provisional) return forget_provisional(change, invoice);
  set_delinquent(change, true);
  invoice_payment_failed(change, invoice);
  return {};
}

}  // namespace

const Source* paying_source(const Account& account, const Invoice& invoice) {
  if (const Source* source = account.find(invoice.default_source)) return source;
  if (const Subscription* subscription = account.find(invoice.subscription))
    if (const Source* source = account.find(subscription->default_source)) return source;
  return account.find(account.customer.default_source);
}

void begin_charge(Change& change, Invoice& invoice, const Source& source, bool automatic) {
  BILLD_CHECK(invoice.status == InvoiceStatus::open || invoice.status == InvoiceStatus::uncollectible,
              "only what is owed is charged");
  BILLD_CHECK(invoice.unresolved_charge() == nullptr, "a charge is begun while another's outcome is not known");
  BILLD_CHECK(invoice.amount_due().minor > 0, "nothing is due");
  // The first attempt of any kind begins the schedule; later ones by hand leave it as it stands.
  if (automatic || invoice.attempt_count == 0) {
    invoice.attempt_count += 1;
    invoice.next_attempt_at.reset();
  }
  invoice.attempted = true;
  Charge charge;
  charge.id = change.draw_id<ChargeKind>();
  charge.attempt = static_cast<std::int32_t>(invoice.charges.size()) + 1;
  charge.amount = invoice.amount_due();
  charge.created = change.now;
  charge.resolve_at = change.now + change.rules.charge_resolve_after;
  charge.source = source.id;
  charge.gateway = source.gateway;
  charge.gateway_source = source.reference;
  charge.card = source.card;
  charge.automatic = automatic;
  change.effects().emplace_back(CollectCharge{invoice.id, charge.id, false});
  invoice.charges.push_back(std::move(charge));
  change.touch();
}

void collect(Change& change, Invoice& invoice) {
  if (const Source* source = paying_source(change.account(), invoice)) {
    begin_charge(change, invoice, *source, true);
    return;
  }
  invoice.attempt_count += 1;
  invoice.attempted = true;
  invoice.next_attempt_at.reset();
  set_delinquent(change, true);
  invoice_payment_failed(change, invoice);
}

void resolve_charge(Change& change, Invoice& invoice) {
  Charge& charge = *invoice.unresolved_charge();
  charge.resolve_at = change.now + change.rules.charge_resolve_after;
  const bool key_may_be_forgotten = change.now - charge.created >= change.rules.charge_key_life;
  change.effects().emplace_back(CollectCharge{invoice.id, charge.id, key_may_be_forgotten});
  change.touch();
}

Result<void> record_charge_outcome(Change& change, const RecordChargeOutcome& command) {
  Invoice* invoice = change.account().find(command.invoice);
  Charge* charge = invoice != nullptr ? invoice->unresolved_charge() : nullptr;
  if (charge == nullptr || charge->id != command.charge) return {};  // Its outcome is recorded already.
  change.set_subject(invoice->id.value());
  switch (command.outcome.kind) {
    case ChargeOutcomeKind::unknown:
      return {};  // The timer asks again.
    case ChargeOutcomeKind::impossible:
      if (charge->state == ChargeState::parked) return {};
      charge->state = ChargeState::parked;
      change.touch();
      return {};
    case ChargeOutcomeKind::succeeded:
      charge->state = ChargeState::succeeded;
      charge->gateway_reference = command.outcome.gateway_reference;
      if (invoice->provisional) reveal_provisional(change, *invoice);
      change.emit({EventType::charge_succeeded}, ChargeSnapshot{*charge, invoice->id});
      set_delinquent(change, false);
      mark_paid(change, *invoice);
      return {};
    case ChargeOutcomeKind::declined:
      charge->state = ChargeState::declined;
      charge->decline_code = command.outcome.decline_code;
      charge->gateway_reference = command.outcome.gateway_reference;
      return charge_was_declined(change, *invoice, *charge);
  }
  return {};
}

}  // namespace billd
