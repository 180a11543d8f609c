// Drawing up, finalizing, closing, reopening and paying invoices.
#include <algorithm>
#include <cstdio>

#include "engine/change.hpp"

namespace billd {
namespace {

Failure no_such_invoice(const InvoiceId& id) { return {Errc::not_found, "No such invoice: " + id.value(), "invoice"}; }

/// The invoice in the account, brought back into it if it was settled outside; nullptr: there is none.
Invoice* find_or_recall(Change& change, const InvoiceId& id, const std::optional<Invoice>& recalled) {
  if (Invoice* invoice = change.account().find(id)) return invoice;
  if (!recalled || recalled->id != id) return nullptr;
  change.recall(*recalled);
  return &change.account().invoices.back();
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

std::string number_text(const AccountKey& key, std::uint64_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < 4) digits.insert(0, 4 - digits.size(), '0');
  return invoice_prefix(key) + "-" + digits;
}

void stop_collecting(Change& change, Invoice& invoice) {
  const Invoice before = invoice;
  invoice.auto_advance = false;
  invoice.next_attempt_at.reset();
  invoice.finalize_at.reset();
  if (!invoice.provisional) change.emit_update(EventType::invoice_updated, before, invoice);
}

}  // namespace

Result<Invoice*> draw_up_invoice(Change& change, const Subscription& subscription, BillingReason reason) {
  const bool trial = subscription.status == SubscriptionStatus::trialing;
  Invoice invoice;
  invoice.id = change.draw_id<InvoiceKind>();
  invoice.reason = reason;
  invoice.created = change.now;
  invoice.subscription = subscription.id;
  invoice.ordinal = subscription.ordinal;
  invoice.total = Money{0, subscription.items.front().price.unit_amount.currency};
  invoice.amount_paid = invoice.total;
  // What an invoice gathers is the period before the one it bills ahead.
  invoice.period = reason == BillingReason::subscription_create || subscription.ordinal == 0
                       ? Period{subscription.current_period.start, subscription.current_period.start}
                       : Period{subscription.ordinal == subscription.anchor_ordinal
                                    ? subscription.trial_start.value_or(subscription.created)
                                    : subscription.period(subscription.ordinal - 1).start,
                                subscription.current_period.start};
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

void finalize_invoice(Change& change, Invoice& invoice) {
  Account& account = change.account();
  invoice.status = InvoiceStatus::open;
  invoice.number = number_text(account.key, ++account.invoices_numbered);
  invoice.finalized_at = change.now;
  invoice.finalize_at.reset();
  if (!invoice.provisional) change.emit({EventType::invoice_finalized}, invoice);
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
  Invoice* invoice = find_or_recall(change, command.invoice, command.recalled);
  if (invoice == nullptr) return no_such_invoice(command.invoice);
  auto unpaid = check_unpaid(*invoice);
  if (!unpaid) return unpaid.error();
  if (invoice->unresolved_charge() != nullptr)
    return Failure{Errc::invalid_state, "A payment of this invoice is already in progress; its outcome is awaited."};
  const Account& account = change.account();
  const Source* source = command.source.is_empty() ? paying_source(account, *invoice) : account.find(command.source);
  if (source == nullptr && !command.source.is_empty())
    return Failure{Errc::not_found, "No such source: " + command.source.value(), "source"};
  change.set_subject(invoice->id.value());
  if (invoice->status == InvoiceStatus::draft) {
    finalize_invoice(change, *invoice);
    if (invoice->status == InvoiceStatus::paid) return {};
  }
  if (source == nullptr) return Failure{Errc::no_payment_source, "This customer has no attached payment source"};
  begin_charge(change, *invoice, *source, false);
  return {};
}

Result<void> close_invoice(Change& change, const CloseInvoice& command) {
  Invoice* invoice = find_or_recall(change, command.invoice, command.recalled);
  if (invoice == nullptr) return no_such_invoice(command.invoice);
  change.set_subject(invoice->id.value());
  if (invoice->is_settled()) return {};  // A paid invoice is closed already.
  stop_collecting(change, *invoice);
  return {};
}

Result<void> reopen_invoice(Change& change, const ReopenInvoice& command) {
  Invoice* invoice = find_or_recall(change, command.invoice, command.recalled);
  if (invoice == nullptr) return no_such_invoice(command.invoice);
  auto unpaid = check_unpaid(*invoice);
  if (!unpaid) return unpaid.error();
  change.set_subject(invoice->id.value());
  if (invoice->auto_advance) return {};
  const Invoice before = *invoice;
  invoice->auto_advance = true;
  if (invoice->status == InvoiceStatus::draft)
    invoice->finalize_at = change.now + change.rules.invoice_finalize_delay;
  else if (invoice->unresolved_charge() == nullptr)
    invoice->next_attempt_at = change.now;
  change.emit_update(EventType::invoice_updated, before, *invoice);
  return {};
}

void close_unpaid_invoices(Change& change) {
  for (Invoice& invoice : change.account().invoices)
    if (!invoice.is_settled() && invoice.auto_advance) stop_collecting(change, invoice);
}

}  // namespace billd
