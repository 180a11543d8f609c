// Drawing up, finalizing, closing, reopening and paying invoices.
#include <string>

#include "engine/change.hpp"

namespace billd {
namespace {

Failure no_such_invoice(const InvoiceId& id) { return {Errc::not_found, "No such invoice: " + id.value(), "invoice"}; }

/// The invoice that a command names, in the account or as it was settled; nullptr: the customer knows of none.
template <class NamingInvoice>
const Invoice* look_up(Change& change, const NamingInvoice& command) {
  const Invoice* invoice = change.account().find(command.invoice);
  if (invoice == nullptr && command.recalled && command.recalled->id == command.invoice) invoice = &*command.recalled;
  return invoice != nullptr && !invoice->provisional ? invoice : nullptr;
}

/// The same invoice to be changed, for which it comes back into the account.
template <class NamingInvoice>
Invoice& bring_in(Change& change, const NamingInvoice& command) {
  if (Invoice* invoice = change.account().find(command.invoice)) return *invoice;
  change.recall(*command.recalled);
  return change.account().invoices.back();
}

Result<void> check_customer(const Customer& customer) {
  if (!customer.deleted) return {};
  return Failure{Errc::not_found, "No such customer: " + customer.id.value(), "customer"};
}

Result<void> check_unpaid(const Invoice& invoice) {
  switch (invoice.status) {
    case InvoiceStatus::paid:
      return Failure{Errc::invalid_state, "Invoice is already paid"};
    case InvoiceStatus::void_:
      return Failure{Errc::invalid_state, "Invoice is void"};
    case InvoiceStatus::uncollectible:
    case InvoiceStatus::draft:
    case InvoiceStatus::open:
      return {};
  }
  return {};
}

}  // namespace

Result<Invoice*> draw_up_invoice(Change& change, const Subscription& subscription, BillingReason reason,
                                 Period gathered) {
  const bool trial = subscription.status == SubscriptionStatus::trialing;
  Invoice invoice;
  invoice.id = change.draw_id<InvoiceKind>();
  invoice.reason = reason;
  invoice.created = change.now;
  invoice.subscription = subscription.id;
  invoice.ordinal = subscription.ordinal;
  invoice.total = Money{0, subscription.items.front().price.unit_amount.currency};
  invoice.amount_paid = invoice.total;
  invoice.period = gathered;
  invoice.lines.reserve(subscription.items.size());
  for (const SubscriptionItem& item : subscription.items) {
    Money amount{0, item.price.unit_amount.currency};
    if (!trial) {
      auto product = multiply(item.price.unit_amount, item.quantity);
      if (!product) return product.error();
      amount = *product;
    }
    auto total = add(invoice.total, amount);
    if (!total) return total.error();
    invoice.total = *total;
    invoice.lines.push_back({change.draw_id<InvoiceLineKind>(), amount, subscription.current_period, item.quantity,
                             item.price, item.id, trial});
  }
  invoice.finalize_at = change.now + change.rules.invoice_finalize_delay;
  change.touch();
  change.account().invoices.push_back(std::move(invoice));
  return &change.account().invoices.back();
}

std::string draw_invoice_number(Change& change) {
  std::string digits = std::to_string(++change.account().invoices_numbered);
  if (digits.size() < 4) digits.insert(0, 4 - digits.size(), '0');
  return invoice_prefix(change.account().key) + "-" + digits;
}

void finalize_invoice(Change& change, Invoice& invoice) {
  invoice.status = InvoiceStatus::open;
  // A provisional invoice may never have been: its number would be missing among the customer's.
  if (!invoice.provisional) invoice.number = draw_invoice_number(change);
  invoice.finalized_at = change.now;
  invoice.finalize_at.reset();
  change.emit({EventType::invoice_finalized}, invoice);
  if (invoice.amount_due().minor == 0) {
    mark_paid(change, invoice);
  } else if (invoice.auto_advance) {
    invoice.next_attempt_at = change.now;
  }
}

void mark_paid(Change& change, Invoice& invoice) {
  invoice.status = InvoiceStatus::paid;
  invoice.amount_paid = invoice.amount_due();
  invoice.paid_at = change.now;
  invoice.attempted = true;
  invoice.next_attempt_at.reset();
  change.emit({EventType::invoice_payment_succeeded, EventType::invoice_paid}, invoice);
  invoice_was_paid(change, invoice);
}

Result<void> pay_invoice(Change& change, const PayInvoice& command) {
  const Account& account = change.account();
  const Invoice* found = look_up(change, command);
  if (found == nullptr) return no_such_invoice(command.invoice);
  auto exists = check_customer(account.customer);
  if (!exists) return exists.error();
  auto unpaid = check_unpaid(*found);
  if (!unpaid) return unpaid.error();
  if (found->unresolved_charge() != nullptr)
    return Failure{Errc::invalid_state, "A payment of this invoice is already in progress; its outcome is awaited."};
  const Source* source = command.source.is_empty() ? paying_source(account, *found) : account.find(command.source);
  if (source == nullptr && !command.source.is_empty())
    return Failure{Errc::not_found, "No such source: " + command.source.value(), "source"};
  if (source == nullptr && found->amount_due().minor != 0)
    return Failure{Errc::no_payment_source, "This customer has no attached payment source"};

  Invoice& invoice = bring_in(change, command);
  change.set_subject(invoice.id.value());
  if (invoice.status == InvoiceStatus::draft) finalize_invoice(change, invoice);
  if (invoice.status != InvoiceStatus::paid) begin_charge(change, invoice, *source, false);
  return {};
}

Result<void> close_invoice(Change& change, const CloseInvoice& command) {
  const Invoice* found = look_up(change, command);
  if (found == nullptr) return no_such_invoice(command.invoice);
  change.set_subject(found->id.value());
  // A paid invoice is closed already.
  if (!found->is_settled() && found->auto_advance) stop_collecting(change, bring_in(change, command));
  return {};
}

Result<void> reopen_invoice(Change& change, const ReopenInvoice& command) {
  const Invoice* found = look_up(change, command);
  if (found == nullptr) return no_such_invoice(command.invoice);
  auto exists = check_customer(change.customer());
  if (!exists) return exists.error();
  auto unpaid = check_unpaid(*found);
  if (!unpaid) return unpaid.error();
  if (found->status == InvoiceStatus::uncollectible) return Failure{Errc::invalid_state, "Invoice is uncollectible"};
  change.set_subject(found->id.value());
  if (found->auto_advance) return {};

  Invoice& invoice = bring_in(change, command);
  Invoice before = invoice;
  invoice.auto_advance = true;
  if (invoice.status == InvoiceStatus::draft)
    invoice.finalize_at = change.now + change.rules.invoice_finalize_delay;
  else if (invoice.unresolved_charge() == nullptr)
    invoice.next_attempt_at = change.now;
  change.emit_update(EventType::invoice_updated, std::move(before), invoice);
  return {};
}

void stop_collecting(Change& change, Invoice& invoice) {
  Invoice before = invoice;
  invoice.auto_advance = false;
  invoice.next_attempt_at.reset();
  invoice.finalize_at.reset();
  change.emit_update(EventType::invoice_updated, std::move(before), invoice);
}

void close_unpaid_invoices(Change& change) {
  for (Invoice& invoice : change.account().invoices)
    if (!invoice.is_settled() && invoice.auto_advance) stop_collecting(change, invoice);
}

}  // namespace billd
