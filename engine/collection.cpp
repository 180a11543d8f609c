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
  return paying_source(account, account.find(invoice.subscription));
}

const Source* paying_source(const Account& account, const Subscription* subscription) {
  if (subscription != nullptr)
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
  if (invoice.is_of_direct_charge()) {
    charge.is_direct = true;
    charge.description = invoice.description;
    charge.metadata = invoice.metadata;
  }
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

void replace_charge(Change& change, Invoice& invoice) {
  const bool was_automatic = invoice.charges.back().automatic;
  const SourceId before = invoice.charges.back().source;
  // Meanwhile nobody wants it any more.
  if (change.customer().deleted || invoice.amount_due().minor <= 0 || (was_automatic && !invoice.auto_advance)) return;
  if (invoice.status != InvoiceStatus::open && invoice.status != InvoiceStatus::uncollectible) return;
  const Subscription* subscription = change.account().find(invoice.subscription);
  if (subscription != nullptr && subscription->expires_at && *subscription->expires_at <= change.now &&
      subscription->status == SubscriptionStatus::incomplete)
    return;
  if (const PendingUpdate* update = pending_update_of(change.account(), invoice);
      update != nullptr && update->expires_at <= change.now)
    return;
  const Source* source = change.account().find(before);
  if (source == nullptr) source = collecting_source(change.account(), invoice);
  if (source != nullptr && source->is_chargeable()) {
    // The attempt was counted when the charge was begun that never arrived.
    begin_charge(change, invoice, *source, false);
    invoice.charges.back().automatic = was_automatic;
    return;
  }
  if (invoice.is_of_direct_charge()) return;
  set_delinquent(change, true);
  invoice_payment_failed(change, invoice);
}

Result<void> charge_customer(Change& change, const ChargeCustomer& command) {
  const Customer& customer = change.customer();
  if (customer.deleted) return no_such_customer(customer);
  const Money least = minimum_charge(command.amount.currency);
  if (command.amount.minor < least.minor)
    return Failure{Errc::invalid_parameter, "Amount must be at least " + to_text(least), "amount"};
  const Account& account = change.account();
  const Source* source = account.find(command.source);
  if (source == nullptr && !command.source.is_empty())
    return Failure{Errc::not_found, "No such source: " + command.source.value(), "source"};
  // What is kept for later is paid by what is the default then.
  if (source == nullptr && command.is_charged) source = account.find(customer.default_payment_method);
  if (source == nullptr && command.is_charged) source = account.find(customer.default_source);
  if (source == nullptr && command.is_charged)
    return Failure{Errc::no_payment_source, "Cannot charge a customer that has no active card", "card"};
  if (source != nullptr) {
    auto chargeable = check_chargeable(*source);
    if (!chargeable) return chargeable.error();
  }

  Invoice invoice = begin_invoice(change, BillingReason::direct_charge, command.amount.currency);
  InvoiceLine line;
  line.id = change.draw_id<InvoiceLineKind>();
  line.amount = command.amount;
  line.period = invoice.period;
  line.description = command.description;
  invoice.lines.push_back(std::move(line));
  invoice.total = command.amount;
  invoice.status = InvoiceStatus::open;
  invoice.finalize_at.reset();
  invoice.finalized_at = change.now;
  invoice.auto_advance = false;
  if (source != nullptr) invoice.default_source = source->id;
  invoice.description = command.description;
  invoice.metadata = command.metadata;
  change.set_subject(invoice.id.value());
  change.touch();
  change.account().invoices.push_back(std::move(invoice));
  if (command.is_charged) begin_charge(change, change.account().invoices.back(), *source, false);
  return {};
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
  const Invoice* found = look_up_payment(change, command);
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
