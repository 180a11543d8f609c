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
  const Account& account() const { return transition_.account; }
  Customer& customer() { return transition_.account.customer; }
  std::vector<Effect>& effects() { return transition_.effects; }
  /// Names the object that the command made or changed.
  void set_subject(std::string id) { transition_.subject = std::move(id); }
  /// Brings a settled invoice back into the account.
  void recall(Invoice invoice);
  /// A record that is written once, and never was in the account.
  void write(Record record) {
    touch();
    transition_.settled.push_back(std::move(record));
  }
  /// Takes a draft out of the account for good.
  void drop(const InvoiceId& id);
  /// A coupon that is redeemed.
  void claim(CouponClaim claim) { transition_.claims.push_back(std::move(claim)); }
  /// There is something to commit.
  void touch() { transition_.changed = true; }
  /// An operator must look at the account before anything more happens to it.
  void alarm(std::string reason) {
    touch();
    transition_.alarm = std::move(reason);
  }

  template <class Kind>
  Id<Kind> draw_id() {
    return make_id<Kind>(account().key, ++account().objects);
  }

  /// Tells of the object as it is now: one event for each of the types. Of what nobody has heard of nothing is told:
  /// what is provisional, and the invoices of direct charges.
  template <class Object>
  void emit(std::initializer_list<EventType> types, const Object& object) {
    touch();
    if (is_unheard_of(object)) return;
    const std::uint32_t snapshot = keep(object);
    for (EventType type : types) transition_.events.push_back({type, snapshot, std::nullopt});
    account().events += types.size();
  }

  /// Tells of an update. Nothing is told when nothing changed.
  template <class Object>
  void emit_update(EventType type, Object before, const Object& after) {
    if (before == after) return;
    touch();
    if (is_unheard_of(after)) return;
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
  static bool is_unheard_of(const Object& object) {
    if constexpr (requires { object.is_of_direct_charge(); })
      if (object.is_of_direct_charge()) return true;
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

/// Source: Stripe, "You can have a maximum of 250 invoice items on an invoice" and as many pending ones of a customer.
inline constexpr std::size_t invoice_lines_max = 250, pending_items_max = 250;

/// Source: https://stripe.com/docs/api/metadata.
inline constexpr std::size_t metadata_keys_max = 50;
/// Carries the patch out, if there is one; invalid_parameter beyond the limit of keys.
Result<void> patch(Metadata& metadata, const std::optional<MetadataPatch>& patch);

/// A parameter that cannot be what it is.
inline Failure wrong(std::string detail, std::string parameter) {
  return {Errc::invalid_parameter, std::move(detail), std::move(parameter)};
}
/// The customer that the command is about is gone.
Failure no_such_customer(const Customer& customer);
Failure mixed_currencies(Currency agreed);
/// The currency in which the customer is billed, also when only a provisional subscription says so; none: any.
Currency currency_of(const Account& account);
/// From now on the customer is billed in this currency.
void agree_on_currency(Change& change, Currency currency);

// lookup.hpp finds the invoices that commands name.

// customers.cpp
Result<void> create_customer(Change& change, const CreateCustomer& command);
Result<void> update_customer(Change& change, const UpdateCustomer& command);
Result<void> delete_customer(Change& change);
/// The customer is delinquent while the latest charge of the latest invoice has failed.
void set_delinquent(Change& change, bool delinquent);
/// Why the balance changes, and what had part in it.
struct BalanceCause {
  BalanceReason reason = BalanceReason::adjustment;
  InvoiceId invoice = {};
  CreditNoteId credit_note = {};
  std::string description = {};
  Metadata metadata = {};
};
/// Leaves a record of the change. Returns its identifier; empty when nothing changes.
BalanceTransactionId set_balance(Change& change, std::int64_t balance, BalanceCause cause = {});
/// The same, and nobody is told: the caller tells of the customer.
BalanceTransactionId set_balance_quietly(Change& change, std::int64_t balance, BalanceCause cause = {});
/// The customer's balance would be beyond its limit.
Failure balance_too_large();
Result<void> adjust_balance(Change& change, const AdjustBalance& command);
Result<void> update_balance_transaction(Change& change, const UpdateBalanceTransaction& command);

// sources.cpp
/// Adds the source, or finds it when the customer has it already. Nothing is told of it: the caller knows what comes
/// first.
Result<Source*> put_source(Change& change, const NewSource& details);
void tell_of_new_source(Change& change, const Source& source);
Result<void> add_source(Change& change, const AddSource& command);
Result<void> add_sources(Change& change, const AddSources& command);
Result<void> update_source(Change& change, const UpdateSource& command);
Result<void> remove_source(Change& change, const RemoveSource& command);
Result<void> verify_source(Change& change, const VerifySource& command);
/// Money can be taken from the source.
Result<void> check_chargeable(const Source& source);

// discounts.cpp
/// Whether what is dated so gets the discount.
bool is_in_effect(const Discount& discount, Timestamp time);
/// The discount that the redemption makes; the transition claims the coupon. `subscription`: whose it will be, empty:
/// the customer's. `purchase`: what is bought with it, if that is known.
Result<Discount> redeem(Change& change, const Redemption& redemption, const SubscriptionId& subscription,
                        const Money* purchase);
/// Puts a discount in the place of the one there is, and tells of it.
void put_discount(Change& change, std::optional<Discount>& place, std::optional<Discount> discount);
/// The discount that what is dated so gets; nullptr: none.
const Discount* discount_in_effect(const Customer& customer, const Subscription* subscription, Timestamp time);
/// Gives the draft the discount that is in effect, if it has none and there is something to take it from, uses it up if
/// it is for one invoice, and puts the invoice's lines, taxes and total in agreement. `subscription`: whose invoice it
/// is, null: nobody's. amount_out_of_range beyond 64 bits.
Result<void> total_up(Change& change, Invoice& invoice, Subscription* subscription);
/// The same for a draft of which the subscription is in the account.
Result<void> total_up(Change& change, Invoice& invoice);
/// The invoice never was: a discount that it used up is there again, unless there is another.
void give_discount_back(Change& change, const Invoice& invoice);
/// What a lasting discount takes from those of the subscription's items that are not as they were `before`.
Result<void> discount_items(const Change& change, const Customer& customer, Subscription& subscription,
                            const std::vector<SubscriptionItem>& before);

// metering.cpp
Result<void> record_usage(Change& change, const RecordUsage& command);
/// A period that is over, whose usage is to be billed.
struct EndedPeriod {
  Period period;
  bool is_free = false;
};
/// Puts what the subscription's metered items have used in the period on the invoice.
Result<void> bill_usage(Change& change, Invoice& invoice, Subscription& subscription, const EndedPeriod& ended);
/// The invoice is final: its usage is kept as a sum.
void fold_usage(Change& change, const Invoice& invoice);
/// What an item has used in the current period until then waits as an invoice item. `amount_off`: given when the
/// subscription ends, so that no invoice of its own will take it: what is left of its discount's amount.
Result<void> usage_to_item(Change& change, const Subscription& subscription, SubscriptionItem& item, Timestamp until,
                           std::int64_t* amount_off);
/// The same for all items of a subscription that is about to end.
Result<void> bill_last_usage(Change& change, Subscription& subscription, Timestamp until);

// taxes.cpp
/// Rates that can be agreed: each once, of 0 to 100 percent.
Result<void> check_tax_rates(const std::vector<AppliedTaxRate>& rates, const std::string& parameter);
/// The rates that hold for the subscription's item.
const std::vector<AppliedTaxRate>& tax_rates_of(const Subscription& subscription, const SubscriptionItem& item);

// subscriptions.cpp
Result<void> subscribe(Change& change, const Subscribe& command);
Result<void> cancel_subscription(Change& change, const CancelSubscription& command);
Result<void> resume_subscription(Change& change, const ResumeSubscription& command);
/// What the items cost in a whole period, ahead.
Result<Money> cost_of_all(const std::vector<SubscriptionItem>& items);
/// The items of a subscription belong together, and it can be told what they cost.
Result<void> check_items(const std::vector<SubscriptionItem>& items);
Result<void> check_collection(Collection collection, std::int32_t days_until_due);
Failure no_such_subscription(const SubscriptionId& id);
/// Refused while a schedule says when the subscription ends.
Result<void> check_own_end(const Subscription& subscription);
/// The named subscription, if the customer has heard of it.
Subscription* find_known(Change& change, const SubscriptionId& id);
/// From `start` on the next period runs; with a later `trial_end` it is a trial until then. The cycle is anchored anew.
void restart_period(Change& change, Subscription& subscription, Timestamp start, std::optional<Timestamp> trial_end);
/// How a subscription is billed.
struct Billing {
  BillingReason reason;
  Period gathered;                        ///< the stretch whose changes go into the invoice
  bool of_period = true;                  ///< for the period that has just begun; false: only for what is pending
  bool immediate = false;                 ///< finalized and collected without delay
  bool waits = false;                     ///< immediate, but its payment is left to the customer
  std::optional<EndedPeriod> ended = {};  ///< whose usage is billed
};
/// Draws up the subscription's invoice and tells of both; `before` is the subscription before its change.
Result<void> bill(Change& change, Subscription& subscription, Subscription before, const Billing& billing);
/// The same, with an invoice that has been drawn up.
Result<void> settle_bill(Change& change, Subscription& subscription, Subscription before, Invoice& invoice,
                         const Billing& billing);
/// Cancels the subscription as of `ended_at`, and closes the customer's unpaid invoices. What is pending is billed at
/// `bill_at`.
void end_subscription(Change& change, Subscription& subscription, Timestamp ended_at, Timestamp bill_at);
/// As a schedule begins it, with its first phase's discount: the first invoice is drawn up and collected like a
/// renewal's.
Result<SubscriptionId> begin_by_schedule(Change& change, const Subscribe& command, Timestamp start,
                                         const ScheduleId& schedule, std::optional<Discount> discount);
/// Whether the customer may have such a subscription, which begins at `start`.
Result<void> check_subscribe(const Change& change, const Subscribe& command, Timestamp start);
/// The same at once and against the customer's hope: pending prorations go.
void cut_off(Change& change, Subscription& subscription);
/// Ends a subscription whose first payment has not come in time.
Result<void> expire_subscription(Change& change, Subscription& subscription, Timestamp ended_at);
/// A period begins: when is the invoice after it to be announced?
void plan_upcoming_notice(const Change& change, Subscription& subscription);
/// Tells the customer that the trial is about to end.
void announce_trial_end(Change& change, Subscription& subscription);
/// Begins the next period and draws up its invoice.
Result<void> renew(Change& change, Subscription& subscription);
/// The period is over, and the subscription waits for the word that renews it.
void begin_grace(Change& change, Subscription& subscription);
Result<void> renew_by_hand(Change& change, const RenewSubscription& command);
Result<void> lapse_subscription(Change& change, const LapseSubscription& command);
/// What a subscription is once its first invoice is paid: on trial, if it begins with one.
SubscriptionStatus status_when_paid(const Subscription& subscription, Timestamp now);
/// The subscription follows its invoice: paid, or failed for the time being or for good.
void invoice_was_paid(Change& change, const Invoice& invoice);
/// The payment is under way and takes days. Source: Stripe, a subscription begins with the debit, not with the money.
void invoice_payment_pending(Change& change, const Invoice& invoice);
/// A sent invoice was not paid in time: it is overdue, and some time later the final action is taken.
void invoice_is_overdue(Change& change, Invoice& invoice);
void invoice_payment_failed(Change& change, Invoice& invoice);
/// The customer has brought a new source: what is past due is tried once more, outside of the schedule.
void retry_past_due(Change& change);

// invoices.cpp
/// An invoice of the subscription as a draft in the account. The pointer is valid until the next invoice is drawn up.
Result<Invoice*> draw_up_invoice(Change& change, Subscription& subscription, const Billing& billing);
/// What is due of a total when the customer's balance has had its part, and what is left of the balance.
struct BalanceUse {
  std::int64_t due = 0, ending_balance = 0;
};
Result<BalanceUse> use_balance(Money total, std::int64_t balance);
/// The next number of the customer's invoices.
std::string draw_invoice_number(Change& change);
/// Settles the draft with the customer's balance, gives it its number (a provisional one gets it when it is revealed)
/// and opens it; when nothing is due it is paid at once.
Result<void> finalize_invoice(Change& change, Invoice& invoice);
void mark_paid(Change& change, Invoice& invoice);
/// Nobody expects the money any more.
void make_uncollectible(Change& change, Invoice& invoice);
/// Nothing is owed, and nothing was: the balance is as if the invoice had never been. amount_out_of_range when that
/// would take the balance beyond its limit.
Result<void> make_void(Change& change, Invoice& invoice);
/// When an invoice that is sent is due.
std::optional<Timestamp> due_time(Collection collection, Timestamp created, std::int32_t days_until_due);
/// An invoice without lines, to be collected by itself after the delay.
Invoice begin_invoice(Change& change, BillingReason reason, Currency currency);
Result<void> create_invoice(Change& change, const CreateInvoice& command);
Result<void> update_invoice(Change& change, const UpdateInvoice& command);
Result<void> finalize_by_hand(Change& change, const FinalizeInvoice& command);
Result<void> hold_draft(Change& change, const HoldDraft& command);
Result<void> send_invoice(Change& change, const SendInvoice& command);
Result<void> void_invoice(Change& change, const VoidInvoice& command);
Result<void> mark_uncollectible(Change& change, const MarkInvoiceUncollectible& command);
Result<void> delete_invoice(Change& change, const DeleteInvoice& command);
Result<void> pay_invoice(Change& change, const PayInvoice& command);
Result<void> close_invoice(Change& change, const CloseInvoice& command);
Result<void> reopen_invoice(Change& change, const ReopenInvoice& command);
/// Closes the invoice: billd neither finalizes nor collects it by itself any more.
void stop_collecting(Change& change, Invoice& invoice);
/// Stops collecting every unpaid invoice of the customer.
void close_unpaid_invoices(Change& change);

// invoice_items.cpp
Result<void> create_invoice_item(Change& change, const CreateInvoiceItem& command);
Result<void> update_invoice_item(Change& change, const UpdateInvoiceItem& command);
Result<void> delete_invoice_item(Change& change, const DeleteInvoiceItem& command);
/// Makes pending items of what is billed once with the subscription. Returns them, to be told of by tell_of_items()
/// when the customer has heard of the subscription.
Result<std::vector<InvoiceItem>> add_one_time_items(Change& change, const Subscription& subscription,
                                                    const std::vector<OneTimeItem>& items);
void tell_of_items(Change& change, const std::vector<InvoiceItem>& items);
/// Whether they could be made: the prices do not recur and have the currency.
Result<void> check_one_time_items(const std::vector<OneTimeItem>& items, Currency currency);
/// Which pending items an invoice takes.
enum class Sweep : std::uint8_t {
  cycle,    ///< those of its subscription, and of none
  own,      ///< those of its subscription alone
  by_hand,  ///< those of its subscription and of none, and without a subscription those of all
  ended,    ///< those whose subscription has ended
};
/// Moves the pending items that the draft may take onto it, the oldest first, as far as there is room; it is to be
/// totalled up then.
void take_pending_items(Change& change, Invoice& invoice, Sweep sweep);
/// The other way round: the invoice's items are pending again; with `drawn_before` only those that are older than that
/// number of the account's identifiers.
void give_items_back(Change& change, const Invoice& invoice, std::optional<std::uint64_t> drawn_before = {});
/// The subscription never was: what was to be billed with it neither, and nobody has heard of it.
void forget_items(Change& change, const Subscription& subscription);
/// Removes the subscription's pending prorations.
void drop_prorations(Change& change, const Subscription& subscription);
/// A subscription has ended: what it would have taken along is billed by itself at that time.
void settle_pending_items(Change& change, const Subscription& subscription, Timestamp bill_at);
/// Draws up the invoice for pending items whose subscription has ended, in the way in which `due` was to be paid.
Result<void> bill_ended_items(Change& change, const InvoiceItem& due);

// proration.cpp
/// What the item costs in a whole period, ahead.
Result<Money> cost_of(const SubscriptionItem& item);
/// Bills the time since `start` until now, by periods that are counted from `start`, as pending prorations.
/// Source: https://stripe.com/docs/billing/subscriptions/backdating.
Result<void> bill_since(Change& change, const Subscription& subscription, Timestamp start);
/// What the item costs, before any discount, in the stretch, which lies within the subscription's current period.
Result<Money> cost_in(const Subscription& subscription, const SubscriptionItem& item, Period stretch);
enum class Side : std::uint8_t { credit, debit };
/// The proration's moment, to the rules' unit: a day that has begun is billed by what comes (`begun_day_is_used`: by
/// what was).
Timestamp proration_moment(const Subscription& subscription, Timestamp time, ProrationUnit unit,
                           bool begun_day_is_used);
/// A pending item for what the subscription's item costs in the stretch, or for giving it back. What costs nothing
/// leaves none.
Result<void> prorate(Change& change, const Subscription& subscription, const SubscriptionItem& item, Period stretch,
                     Side side);
/// From now on the current period is paid until `until`: the difference is credited, or billed.
Result<void> pay_until(Change& change, Subscription& subscription, Timestamp until);

// updates.cpp
Result<void> update_subscription(Change& change, const UpdateSubscription& command);
/// The same for a change of the schedule's current phase; the subscription has this discount afterwards.
Result<void> update_by_schedule(Change& change, const UpdateSubscription& command, std::optional<Discount> discount);
/// The same as of `time`, at which one of its schedule's phases begins, however late that is done.
Result<void> begin_phase(Change& change, const UpdateSubscription& command, Timestamp time,
                         std::optional<Discount> discount);

// pending_updates.cpp
/// The change of the subscription from `before` is made once the invoice for it is paid: at once where nothing is due.
/// `objects_before`: identifiers that were drawn before the change.
Result<void> bill_if_paid(Change& change, Subscription& subscription, const Subscription& before,
                          const Billing& billing, bool ends_when_declined, std::uint64_t objects_before);
/// The change that waits for the payment of this invoice; nullptr: none.
const PendingUpdate* pending_update_of(const Account& account, const Invoice& invoice);
/// Its invoice is paid: the subscription becomes what it was to be.
void apply_pending_update(Change& change, Subscription& subscription);
/// The subscription stays as it is, and what was to be paid for the change is not owed. Nothing happens without one.
/// REQUIRES: no charge of its invoice is in progress.
Result<void> drop_pending_update(Change& change, Subscription& subscription);
/// The same because its time is over.
Result<void> expire_pending_update(Change& change, Subscription& subscription);
/// The subscription ends: its pending update goes, also when a charge for it is in progress.
void abandon_pending_update(Change& change, Subscription& subscription);
/// Whether the change may wait for its payment.
Result<void> check_paid_change(const Subscription& subscription, const UpdateSubscription& command);
/// Refused while the payment of a pending update is in progress.
Result<void> check_no_pending_payment(const Account& account, const Subscription& subscription);

// trial_ends.cpp
/// The trial is over and there is no way to pay: the subscription ends or is paused. False: it goes on.
Result<bool> ends_without_payment_method(Change& change, Subscription& subscription);
Result<void> unpause_subscription(Change& change, const UnpauseSubscription& command);

// pending_items.cpp
Result<void> check_interval(const std::optional<Recurrence>& interval);
/// From now on pending items are billed that often.
void set_pending_item_interval(const Change& change, Subscription& subscription,
                               const std::optional<Recurrence>& interval);
/// It is time: what is pending gets an invoice, if anything is.
Result<void> bill_pending_items(Change& change, Subscription& subscription);

// tax_identifiers.cpp
Result<void> add_tax_identifier(Change& change, const AddTaxIdentifier& command);
Result<void> remove_tax_identifier(Change& change, const RemoveTaxIdentifier& command);
/// Those that the customer is made with. Nothing is told of them: the customer comes first.
Result<void> put_tax_identifiers(Change& change, const std::vector<NewTaxIdentifier>& identifiers);

// pauses.cpp
Result<void> check_pause(const Change& change, const Pause& pause);
/// The subscription's collection is paused, and this is a new invoice of it.
Result<void> hold_back(Change& change, Invoice& invoice, PauseBehavior behavior);
/// The pause is over by itself.
void resume_collection(Change& change, Subscription& subscription);

// notices.cpp
/// When a card's last month begins: a card is good until that is over. Empty: it does not expire, or nobody knows when.
std::optional<Timestamp> last_month_of(const CardSummary& card);
/// From now on the source's last month is waited for.
void plan_expiry_notice(const Change& change, Source& source);
void announce_expiry(Change& change, Source& source);
/// Tells the customer of the next invoice.
Result<void> announce_upcoming(Change& change, Subscription& subscription);

// credit_notes.cpp
Result<void> create_credit_note(Change& change, const CreateCreditNote& command);
Result<void> update_credit_note(Change& change, const UpdateCreditNote& command);
Result<void> void_credit_note(Change& change, const VoidCreditNote& command);

// schedules.cpp
Result<void> create_schedule(Change& change, const CreateSchedule& command);
Result<void> update_schedule(Change& change, const UpdateSchedule& command);
Result<void> cancel_schedule(Change& change, const CancelSchedule& command);
Result<void> release_schedule(Change& change, const ReleaseSchedule& command);
/// The first phase begins, the current one gives way to the next, or the last one is over.
Result<void> advance_schedule(Change& change, Schedule& schedule);
/// The customer goes before the schedule has begun.
void cancel_unbegun(Change& change, Schedule& schedule);
/// The subscription has ended, and its schedule with it.
void end_schedule_of(Change& change, const Subscription& subscription);

// collection.cpp
/// The wait until the gateway is asked again: as long as it has been silent, within bounds. The questions become rarer,
/// and nobody has to count them.
Duration wait_after(Duration silence, Duration least, Duration most);
/// The source that pays for the invoice; nullptr: there is none.
const Source* paying_source(const Account& account, const Invoice& invoice);
/// The source that pays for the subscription, or, without one, for whatever has none of its own.
const Source* paying_source(const Account& account, const Subscription* subscription);
/// The same, unless the source has been tried and must not be tried again.
const Source* collecting_source(const Account& account, const Invoice& invoice);
/// Journals the next charge of an open invoice and orders it to be sent.
void begin_charge(Change& change, Invoice& invoice, const Source& source, bool automatic);
/// The schedule's next attempt: a charge, or a failure for want of a source.
void collect(Change& change, Invoice& invoice);
/// The gateway never had the invoice's latest charge: another is made in its place, which is no attempt of its own.
void replace_charge(Change& change, Invoice& invoice);
/// Orders the gateway to be asked again about the charge in flight.
void resolve_charge(Change& change, Invoice& invoice);
Result<void> charge_customer(Change& change, const ChargeCustomer& command);
Result<void> update_charge(Change& change, const UpdateCharge& command);
Result<void> record_charge_outcome(Change& change, const RecordChargeOutcome& command);
Result<void> record_dispute(Change& change, const RecordDispute& command);

// refunds.cpp
Result<void> refund_charge(Change& change, const RefundCharge& command);
Result<void> update_refund(Change& change, const UpdateRefund& command);
Result<void> record_refund_outcome(Change& change, const RecordRefundOutcome& command);
Result<void> record_foreign_refund(Change& change, const RecordForeignRefund& command);
/// Journals a refund of the charge and orders it to be sent. The amount is no more than what is left of the charge.
Refund& begin_refund(Change& change, Invoice& invoice, Charge& charge, Money amount);
/// When the gateway is to be asked what became of a refund of the invoice; empty: it owes no answer.
std::optional<Timestamp> next_refund_question(const Invoice& invoice);
/// Orders the gateway to be asked again about the refund whose question is due first.
void resolve_refund(Change& change, Invoice& invoice);

}  // namespace billd
