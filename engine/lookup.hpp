// Finding the invoices that commands name, in the account or as they were settled.
#pragma once

#include "engine/change.hpp"

namespace billd {

inline Failure no_such_invoice(const InvoiceId& id) {
  return {Errc::not_found, "No such invoice: " + id.value(), "invoice"};
}

/// The invoice that a command about charges names, in the account or as it was settled: it may hold a charge that was
/// asked for by itself. nullptr: the customer knows of none.
template <class NamingInvoice>
const Invoice* look_up_payment(Change& change, const NamingInvoice& command) {
  const Invoice* invoice = change.account().find(command.invoice);
  if (invoice == nullptr && command.recalled && command.recalled->id == command.invoice) invoice = &*command.recalled;
  return invoice != nullptr && !invoice->provisional ? invoice : nullptr;
}

/// The invoice that any other command names; nullptr: the customer knows of none.
template <class NamingInvoice>
const Invoice* look_up(Change& change, const NamingInvoice& command) {
  const Invoice* invoice = look_up_payment(change, command);
  return invoice != nullptr && !invoice->is_of_direct_charge() ? invoice : nullptr;
}

/// The same invoice to be changed, for which it comes back into the account.
template <class NamingInvoice>
Invoice& bring_in(Change& change, const NamingInvoice& command) {
  if (Invoice* invoice = change.account().find(command.invoice)) return *invoice;
  change.recall(*command.recalled);
  return change.account().invoices.back();
}

}  // namespace billd
