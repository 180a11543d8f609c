// Making money move: which source pays, charges journaled before they are sent, and the question what became of them.
#include <algorithm>

#include "engine/declines.hpp"
#include "engine/lookup.hpp"

namespace billd {

Duration wait_after(Duration silence, Duration least, Duration most) {
  return std::clamp(silence, least, std::max(least, most));
}

const Source* paying_source(const Account& account, const Invoice& invoice) {
  if (const Source* source = account.find(invoice.default_source)) return source;
  if (const Subscription* subscription = account.find(invoice.subscription))
    if (const Source* source = account.find(subscription->default_source)) return source;
  if (const Source* source = account.find(account.customer.default_payment_method)) return source;
  return account.find(account.customer.default_source);
}

const Source* collecting_source(const Account& account, const Invoice& invoice) {
  const Source* source = paying_source(account, invoice);
  if (source == nullptr) return nullptr;
  // Source: Stripe walks through the schedule, but charges only when there is another source; a debit that came back is
  // not tried again by itself.
  const bool is_spent = std::ranges::any_of(invoice.charges, [&](const Charge& charge) {
    return charge.source == source->id && charge.state == ChargeState::declined &&
           (is_final_decline(charge.decline_code) || std::holds_alternative<BankAccountSummary>(charge.means));
  });
  return is_spent ? nullptr : source;
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
  charge.means = source.summary();
  charge.automatic = automatic;
  change.effects().emplace_back(CollectCharge{invoice.id, charge.id, false});
  invoice.charges.push_back(std::move(charge));
  change.touch();
}

void collect(Change& change, Invoice& invoice) {
  const Source* source = collecting_source(change.account(), invoice);
  if (source != nullptr && source->is_chargeable()) {
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
  const Rules& rules = change.rules;
  const Duration silence = change.now - charge.created;
  if (charge.state == ChargeState::pending) {
    if (silence >= rules.charge_pending_limit) {
      charge.state = ChargeState::parked;
      change.alarm("a charge has been pending for too long");
      return;
    }
    charge.resolve_at =
        change.now + wait_after(silence, rules.charge_pending_poll_after, rules.charge_pending_poll_max);
    change.effects().emplace_back(CollectCharge{invoice.id, charge.id, true});
  } else {
    charge.resolve_at = change.now + wait_after(silence, rules.charge_resolve_after, rules.charge_resolve_max);
    change.effects().emplace_back(CollectCharge{invoice.id, charge.id, silence >= rules.charge_key_life});
  }
  change.touch();
}

Result<void> update_charge(Change& change, const UpdateCharge& command) {
  const Invoice* found = look_up(change, command);
  if (found == nullptr || std::ranges::find(found->charges, command.charge, &Charge::id) == found->charges.end())
    return Failure{Errc::not_found, "No such charge: " + command.charge.value(), "charge"};
  Invoice& invoice = bring_in(change, command);
  Charge& charge = *std::ranges::find(invoice.charges, command.charge, &Charge::id);
  ChargeSnapshot before{charge, invoice.id};
  if (command.description) charge.description = *command.description;
  if (command.metadata) charge.metadata = *command.metadata;
  change.emit_update(EventType::charge_updated, std::move(before), ChargeSnapshot{charge, invoice.id});
  change.set_subject(charge.id.value());
  return {};
}

}  // namespace billd
