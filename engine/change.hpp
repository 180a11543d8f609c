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
  /// Names the object that the command made or changed.
  void set_subject(std::string id) { transition_.subject = std::move(id); }
  /// Brings a settled invoice back into the account.
  void recall(Invoice invoice);
  /// There is something to commit.
  void touch() { transition_.changed = true; }

  template <class Kind>
  Id<Kind> draw_id() {
    return make_id<Kind>(account().key, ++account().objects);
  }

  /// Tells of the object as it is now: one event for each of the types. Of what is provisional nothing is told.
  template <class Object>
  void emit(std::initializer_list<EventType> types, const Object& object) {
    touch();
    if (is_provisional(object)) return;
    const std::uint32_t snapshot = keep(object);
    for (EventType type : types) transition_.events.push_back({type, snapshot, std::nullopt});
    account().events += types.size();
  }

  /// Tells of an update. Nothing is told when nothing changed.
  template <class Object>
  void emit_update(EventType type, Object before, const Object& after) {
    if (before == after) return;
    touch();
    if (is_provisional(after)) return;
    const std::uint32_t previous = keep(std::move(before));
    transition_.events.push_back({type, keep(after), previous});
    account().events += 1;
  }

  /// Moves what nothing changes by itself any more out of the account.
  Transition finish();

  const Timestamp now;
  const Rules& rules;

 private:
  template <class Object>
  static bool is_provisional(const Object& object) {
    if constexpr (requires { object.provisional; })
      return object.provisional;
    else
      return false;
  }

  /// Its place among the snapshots.
  std::uint32_t keep(Snapshot object) {
    transition_.snapshots.push_back(std::move(object));
    return static_cast<std::uint32_t>(transition_.snapshots.size() - 1);
  }

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
/// Cancels the subscription as of `ended_at`, and closes the customer's unpaid invoices.
void end_subscription(Change& change, Subscription& subscription, Timestamp ended_at);
/// Ends a subscription whose first payment has not come in time.
void expire_subscription(Change& change, Subscription& subscription);
/// Tells the customer that the trial is about to end.
void announce_trial_end(Change& change, Subscription& subscription);
/// Begins the next period and draws up its invoice.
Result<void> renew(Change& change, Subscription& subscription);
/// The subscription follows its invoice: paid, or failed for the time being or for good.
void invoice_was_paid(Change& change, const Invoice& invoice);
void invoice_payment_failed(Change& change, Invoice& invoice);
/// The customer has brought a new source: what is past due is tried once more, outside of the schedule.
void retry_past_due(Change& change);

// invoices.cpp
/// An invoice for the subscription's current period, as a draft in the account; `gathered` is the stretch whose usage
/// and changes go into it. The pointer is valid until the next invoice is drawn up.
Result<Invoice*> draw_up_invoice(Change& change, const Subscription& subscription, BillingReason reason,
                                 Period gathered);
/// The next number of the customer's invoices.
std::string draw_invoice_number(Change& change);
/// Gives the draft its number (a provisional one gets it when it is revealed) and opens it; an amount of zero is paid
/// at once.
void finalize_invoice(Change& change, Invoice& invoice);
void mark_paid(Change& change, Invoice& invoice);
Result<void> pay_invoice(Change& change, const PayInvoice& command);
Result<void> close_invoice(Change& change, const CloseInvoice& command);
Result<void> reopen_invoice(Change& change, const ReopenInvoice& command);
/// Closes the invoice: billd neither finalizes nor collects it by itself any more.
void stop_collecting(Change& change, Invoice& invoice);
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
