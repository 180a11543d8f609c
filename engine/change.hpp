// A transition in the making: the account under change, and the ways in which every rule of the engine changes it.
#pragma once

#include <concepts>
#include <string>
#include <utility>

#include "engine/command.hpp"
#include "engine/rules.hpp"
#include "engine/transition.hpp"

namespace billd {

/// Internal to the engine. The functions of customers.cpp, subscriptions.cpp, invoices.cpp and collection.cpp take it;
/// decide() and tick() make it and finish it.
class Change {
 public:
  Change(Account before, Timestamp at, const Rules& billing_rules) : now(at), rules(billing_rules) {
    transition_.account = std::move(before);
  }

  Account& account() { return transition_.account; }
  Customer& customer() { return transition_.account.customer; }
  std::vector<CollectCharge>& effects() { return transition_.effects; }
  void set_subject(std::string id) { transition_.subject = std::move(id); }
  void recall(Invoice invoice);
  void touch() { transition_.changed = true; }

  template <class Kind>
  Id<Kind> draw_id() {
    return make_id<Kind>(account().key, ++account().objects);
  }

  /// Tells of the object as it is now: one event for each of the types.
  void emit(std::initializer_list<EventType> types, Snapshot object);

  /// Tells of an update. Nothing is told when nothing changed.
  template <class Object>
  void emit_update(EventType type, const Object& before, const Object& after) {
    if (before == after) return;
    const auto previous = static_cast<std::uint32_t>(transition_.snapshots.size());
    transition_.snapshots.emplace_back(before);
    emit({type}, after);
    transition_.events.back().previous = previous;
  }

  /// Moves what nothing changes by itself any more out of the account.
  Transition finish();

  const Timestamp now;
  const Rules& rules;

 private:
  Transition transition_;
};

// customers.cpp
Result<void> create_customer(Change& change, const CreateCustomer& command);
Result<void> update_customer(Change& change, const UpdateCustomer& command);
Result<void> delete_customer(Change& change);
Result<void> add_source(Change& change, const AddSource& command);
Result<void> update_source(Change& change, const UpdateSource& command);
Result<void> remove_source(Change& change, const RemoveSource& command);

// subscriptions.cpp
Result<void> subscribe(Change& change, const Subscribe& command);
Result<void> cancel_subscription(Change& change, const CancelSubscription& command);
Result<void> resume_subscription(Change& change, const ResumeSubscription& command);
/// Ends the subscription now: the given status, the customer's unpaid invoices closed.
void end_subscription(Change& change, Subscription& subscription, SubscriptionStatus status, Timestamp ended_at);
/// Begins the next period and draws up its invoice.
Result<void> renew(Change& change, Subscription& subscription);
/// The subscription follows its invoice: paid, or failed for the time being or for good.
void invoice_was_paid(Change& change, const Invoice& invoice);
void invoice_payment_failed(Change& change, Invoice& invoice, bool may_retry);

// invoices.cpp
/// An invoice for the subscription's current period, as a draft in the account. The reference is valid until the next
/// invoice is drawn up.
Result<Invoice*> draw_up_invoice(Change& change, const Subscription& subscription, BillingReason reason);
/// Gives the draft its number and opens it; an amount of zero is paid at once.
void finalize_invoice(Change& change, Invoice& invoice);
void mark_paid(Change& change, Invoice& invoice);
Result<void> pay_invoice(Change& change, const PayInvoice& command);
Result<void> close_invoice(Change& change, const CloseInvoice& command);
Result<void> reopen_invoice(Change& change, const ReopenInvoice& command);
/// Stops collecting every unpaid invoice of the customer.
void close_unpaid_invoices(Change& change);

// collection.cpp
/// The source that pays for the invoice; nullptr: there is none.
const Source* paying_source(const Account& account, const Invoice& invoice);
/// Journals the next charge of an open invoice and orders it to be sent.
void begin_charge(Change& change, Invoice& invoice, const Source& source, bool automatic);
/// The schedule's next attempt: a charge, or a failure for want of a source.
void collect(Change& change, Invoice& invoice);
/// Orders the gateway to be asked again about the charge in flight.
void resolve_charge(Change& change, Invoice& invoice);
Result<void> record_charge_outcome(Change& change, const RecordChargeOutcome& command);

}  // namespace billd
