// What can be asked of an account: one structure per command, validated as far as one account's state goes by decide().
#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "engine/catalog.hpp"

namespace billd {

/// A change of metadata, made to what is there when the command is carried out, so that two of them lose nothing.
struct MetadataPatch {
  MetadataPatch() = default;
  MetadataPatch(Metadata changes) : set(std::move(changes)) {}

  bool clear = false;  ///< what was there goes first
  Metadata set;        ///< an empty value removes its key
};

/// A coupon to be applied, by itself or by a promotion code, as the catalog knows them.
struct Redemption {
  Coupon coupon;
  std::optional<PromotionCode> promotion_code;
};

/// A payment source as its gateway described it.
struct NewSource {
  SourceId id;  ///< of a payment method that has one before it is the customer's; empty: billd draws it
  std::string gateway, reference;
  Means means;
  Metadata metadata;
  std::string email, phone;
  bool is_payment_method = false;  ///< what draws its identifier and tells of it uses the newer name
  std::string nickname = {};

  bool operator==(const NewSource&) const = default;
};

struct NewTaxIdentifier {
  std::string type, value;
};

/// The account is new: `Account::key` and `mode` are set, nothing else.
struct CreateCustomer {
  std::string email, name, phone, description;
  Address address;
  Metadata metadata;
  std::optional<NewSource> source;
  bool source_is_default = true;
  TestClockId test_clock;
  std::int64_t balance = 0;  ///< the opening balance
  Shipping shipping;
  TaxExempt tax_exempt = TaxExempt::none;
  std::vector<std::string> preferred_locales;
  std::optional<Redemption> discount;
  std::uint64_t number = 0;           ///< drawn by whoever carries the command out
  std::uint32_t first_name_size = 0;  ///< see Customer
  std::string organization, external_id, code, user_name;
  std::int64_t account_id = 0;
  std::vector<NewTaxIdentifier> tax_identifiers;
  std::string invoice_footer;
  CustomFields invoice_fields;
};

/// Members without a value stay as they are.
struct AddressChange {
  std::optional<std::string> line1, line2, city, state, postal_code, country;
};

/// Refused with conflict when the customer's user name is not `expected` any more.
struct UserNameChange {
  std::string expected, name;
};

/// Members without a value stay as they are; an empty string clears.
struct UpdateCustomer {
  std::optional<std::string> email, name, phone, description;
  std::optional<Address> address;
  std::optional<MetadataPatch> metadata;
  std::optional<NewSource> source;  ///< added, and becomes the default
  std::optional<SourceId> default_source;
  std::optional<SourceId> default_payment_method;  ///< empty inside: none
  std::optional<std::int64_t> balance;
  std::optional<Shipping> shipping;
  std::optional<TaxExempt> tax_exempt;
  std::optional<std::vector<std::string>> preferred_locales;
  std::optional<std::string> first_name, last_name;  ///< parts of the name; not together with `name`
  AddressChange address_change;                      ///< parts of the address; not together with `address`
  std::optional<std::string> organization, external_id;
  std::optional<UserNameChange> user_name;
  std::optional<std::optional<Redemption>> discount;  ///< instead of the one there is; empty inside: none any more
  std::optional<std::string> invoice_footer = {};
  std::optional<CustomFields> invoice_fields = {};
};

/// Ends the subscriptions at once; only a tombstone of the customer is left.
struct DeleteCustomer {};

/// One that the customer has already is not added again.
struct AddTaxIdentifier {
  NewTaxIdentifier identifier;
};

struct RemoveTaxIdentifier {
  TaxIdentifierId id;
};

/// The first source becomes the default, a payment method does not. One that the customer has already is not added
/// again. Source: Stripe on attaching payment methods.
struct AddSource {
  NewSource source;
  bool make_default = false;
};

/// Adds all or none of them, in this order; the first becomes the default where there was none.
struct AddSources {
  std::vector<NewSource> sources;
};

/// Members without a value stay as they are. What the source's kind does not have is refused.
struct UpdateSource {
  SourceId source;
  std::optional<std::string> name;  ///< the holder's
  std::optional<std::int32_t> exp_month, exp_year;
  std::optional<Address> address;
  std::optional<std::string> email, phone;
  std::optional<std::string> holder_type;  ///< of a bank account: individual, company
  std::optional<MetadataPatch> metadata;
  std::optional<std::string> reference;  ///< not empty
  std::optional<std::string> nickname;
};

/// The customer told which small deposits were made to the bank account; the gateway knows whether that is right.
struct VerifySource {
  SourceId source;
  bool amounts_match = false;
};

/// The newest of the remaining sources becomes the default when the default goes.
struct RemoveSource {
  SourceId source;
};

struct NewSubscriptionItem {
  Price price;
  std::int64_t quantity = 1;  ///< 0 bills nothing; of a metered price without meaning
  Metadata metadata;
  std::vector<AppliedTaxRate> tax_rates = {};  ///< instead of the subscription's
};

/// What happens when the payment for a new subscription, or for a change of one, is declined. Source: Stripe's
/// payment_behavior.
enum class PaymentBehavior : std::uint8_t {
  allow_incomplete,  ///< a new subscription waits as incomplete; a changed one is past due
  /// There is no subscription, or no change; the only behaviour of API versions before 2019-03-14.
  error_if_incomplete,
  /// Nothing is charged: a new subscription waits as incomplete until its first invoice is paid, a changed one is past
  /// due.
  default_incomplete,
  pending_if_incomplete,  ///< the change waits until its invoice is paid, see PendingUpdate; not of a new subscription
  /// error_if_incomplete for every change that it can be for, allow_incomplete for the others; not of a new
  /// subscription.
  error_where_possible,
};

struct Subscribe {
  std::vector<NewSubscriptionItem> items;
  std::optional<Timestamp> trial_end;  ///< later than now: a free trial until then
  bool cancel_at_period_end = false;
  PaymentBehavior payment_behavior = PaymentBehavior::allow_incomplete;
  SourceId default_source;  ///< empty: the customer's
  Metadata metadata;
  Collection collection = Collection::charge_automatically;
  std::int32_t days_until_due = 0;  ///< of its invoices, when they are sent: 1 at least
  /// Where the cycle is anchored, later than now and than the trial's end, at most one period away: what precedes it is
  /// billed as its share of a period, or is free.
  std::optional<Timestamp> billing_cycle_anchor;
  bool free_until_anchor = false;
  std::optional<Timestamp> cancel_at;
  RenewalTrigger renewal_trigger = RenewalTrigger::schedule;
  std::optional<Redemption> discount;
  std::vector<AppliedTaxRate> tax_rates = {};  ///< one without identifier is a tax_percent
  std::string description;
  std::vector<OneTimeItem> one_time_items;  ///< billed with the first invoice, also with that of a trial
  /// The time since then is billed with the first invoice, unless `prorate_backdating` is false; empty: it begins now.
  std::optional<Timestamp> backdate_start;
  bool prorate_backdating = true;
  MissingPaymentMethod missing_payment_method = MissingPaymentMethod::create_invoice;
  std::optional<Recurrence> pending_item_interval;  ///< pending items are billed that often; empty: with the renewals
  bool saves_source = false;                        ///< see Subscription
};

/// A change of one of a subscription's items, or a new one.
struct ItemChange {
  SubscriptionItemId item;  ///< empty: a new one, which needs a price
  bool deleted = false;
  std::optional<Price> price;
  std::optional<std::int64_t> quantity;
  std::optional<MetadataPatch> metadata;
  std::optional<std::vector<AppliedTaxRate>> tax_rates = {};  ///< all of them; empty inside: the subscription's
  /// Of one that goes or gets another price: what was used so far is not billed. Otherwise it waits for the next
  /// invoice.
  bool clear_usage = false;
};

/// What a change within a period means for what was paid for it.
enum class ProrationBehavior : std::uint8_t {
  create_prorations,  ///< credit and debit wait for the next invoice
  always_invoice,     ///< they are billed at once
  none,
};

/// Members without a value stay as they are. A change of the interval, of the anchor or of the trial, and one from what
/// is free to what is not, begins a new period at once and bills it.
struct UpdateSubscription {
  SubscriptionId subscription;
  std::vector<ItemChange> items;
  ProrationBehavior proration = ProrationBehavior::create_prorations;
  std::optional<Timestamp> proration_date;  ///< as if it were changed then; empty: now
  std::optional<Timestamp> trial_end;       ///< not later than now: a trial ends now
  bool anchor_now = false;
  std::optional<bool> cancel_at_period_end;
  std::optional<std::optional<Timestamp>> cancel_at;  ///< empty inside: not any more
  std::optional<Collection> collection;
  std::optional<std::int32_t> days_until_due;
  std::optional<SourceId> default_source;  ///< empty inside: the customer's
  std::optional<MetadataPatch> metadata;
  std::optional<std::optional<Pause>> pause;  ///< empty inside: collection resumes
  std::optional<RenewalTrigger> renewal_trigger;
  std::optional<std::optional<Redemption>> discount;  ///< instead of the one there is; empty inside: none any more
  std::optional<std::vector<AppliedTaxRate>> tax_rates = {};  ///< all of them; of invoices to come
  std::optional<std::string> description;
  std::optional<std::string> cancellation_comment, cancellation_feedback;
  std::vector<OneTimeItem> one_time_items;  ///< pending for the next invoice
  /// Under error_if_incomplete and pending_if_incomplete only items' prices and quantities, the trial, the anchor, the
  /// proration and one-time items can be changed.
  PaymentBehavior payment_behavior = PaymentBehavior::allow_incomplete;
  std::optional<MissingPaymentMethod> missing_payment_method;
  std::optional<std::optional<Recurrence>> pending_item_interval;  ///< empty inside: with the renewals only
  std::optional<bool> saves_source = {};                           ///< see Subscription
};

/// Begins a paused subscription again: with a new period from now on, or with what is left of the one that now lies in.
/// What is owed for it at once has to be paid first.
struct UnpauseSubscription {
  SubscriptionId subscription;
  bool anchor_now = true;
  ProrationBehavior proration = ProrationBehavior::create_prorations;  ///< of what is left of the period
  std::optional<Timestamp> proration_date;                             ///< as if it were resumed then; empty: now
};

/// Begins the next period now instead of when its turn comes. What is not due yet stays as it is.
struct RenewSubscription {
  SubscriptionId subscription;  ///< empty: all of the customer's
  /// The next period is begun and billed although the current one is not over, at most one period ahead. The schedule
  /// then has nothing to do at the boundary.
  bool advance = false;
  std::optional<Timestamp> period_end;  ///< only if the current period ends then: the same order may come twice
};

/// The processor's word that a subscription is not renewed: in its grace it ends, before that at its period's end.
struct LapseSubscription {
  SubscriptionId subscription;
};

/// So much was used of a metered item. It is billed when its period is over.
struct RecordUsage {
  SubscriptionItemId item;
  std::int64_t quantity = 0;
  std::optional<Timestamp> timestamp;  ///< empty: now. Of a period that is over, while its invoice is a draft
  UsageAction action = UsageAction::increment;
};

struct CancelSubscription {
  SubscriptionId subscription;
  bool at_period_end = false;
  bool prorate = false;      ///< at once: credits what is left of the period
  bool invoice_now = false;  ///< at once: bills what is pending and what was used now. Otherwise what is pending is
                             ///< billed at the period's end, and what was used is not
  std::optional<std::string> comment = {}, feedback = {};  ///< what the customer said of it
};

/// Takes a cancellation at the period's end back.
struct ResumeSubscription {
  SubscriptionId subscription;
};

/// One of an invoice item's discounts: one that it has already, or a coupon that is redeemed for it.
struct ItemDiscount {
  DiscountId kept;  ///< empty: the redemption
  Redemption redemption = {};
};

/// Without `invoice` it is pending: the next invoice of the subscription, or of the customer, takes it. With it, it is
/// added to that draft, which `recalled` is when it rests outside the account.
struct CreateInvoiceItem {
  Money unit_amount;           ///< may be negative: a credit
  std::optional<Price> price;  ///< one that is paid once, instead of the unit amount
  std::int64_t quantity = 1;
  InvoiceId invoice;
  std::optional<Invoice> recalled;
  SubscriptionId subscription;
  std::optional<Period> period;  ///< empty: the moment
  std::string description;
  std::optional<bool> discountable;  ///< empty: unless it is a credit
  Metadata metadata;
  std::vector<AppliedTaxRate> tax_rates = {};  ///< instead of the invoice's
  std::vector<ItemDiscount> discounts = {};    ///< in this order
};

/// Members without a value stay as they are. `invoice` is the draft that holds the item; empty: it is pending.
struct UpdateInvoiceItem {
  InvoiceItemId item;
  InvoiceId invoice;
  std::optional<Invoice> recalled;
  std::optional<std::int64_t> unit_amount, quantity;  ///< not of a proration
  std::optional<Price> price;                         ///< likewise, and not with a unit amount
  std::optional<Period> period;
  std::optional<std::string> description;
  std::optional<bool> discountable;  ///< not of a proration
  std::optional<MetadataPatch> metadata;
  std::optional<std::vector<AppliedTaxRate>> tax_rates = {};  ///< all of them; empty inside: the invoice's
  std::optional<std::vector<ItemDiscount>> discounts = {};    ///< all of them, in this order; not of a proration
};

struct DeleteInvoiceItem {
  InvoiceItemId item;
  InvoiceId invoice;
  std::optional<Invoice> recalled;
};

/// Draws up a draft outside of the billing cycle.
struct CreateInvoice {
  /// Takes the pending items that pertain to no other subscription; empty: all pending items of the customer.
  SubscriptionId subscription;
  bool take_pending_items = true;
  bool may_be_empty = false;  ///< an empty draft is made where there are no items to take; otherwise it is refused
  Currency currency;          ///< none: the customer's
  bool auto_advance = true;   ///< billd finalizes and collects it
  Collection collection = Collection::charge_automatically;
  std::optional<std::int32_t> days_until_due;  ///< of an invoice that is sent: this or due_at
  std::optional<Timestamp> due_at;
  SourceId default_source;  ///< empty: the subscription's or the customer's
  std::string description;
  Metadata metadata;
  std::optional<std::vector<AppliedTaxRate>> tax_rates = {};  ///< empty: the subscription's, if it is for one
  /// Instead of the subscription's or the customer's; empty inside: none at all.
  std::optional<std::optional<Redemption>> discount;
  std::optional<std::string> footer;          ///< empty: the customer's
  std::optional<CustomFields> custom_fields;  ///< empty: the customer's
  std::string statement_descriptor;
};

/// Members without a value stay as they are. Only drafts take what is not a description or metadata.
struct UpdateInvoice {
  InvoiceId invoice;
  std::optional<Invoice> recalled;
  std::optional<std::string> description;
  std::optional<MetadataPatch> metadata;
  std::optional<Timestamp> due_at;                            ///< of an invoice that is sent
  std::optional<SourceId> default_source;                     ///< empty inside: the subscription's or the customer's
  std::optional<bool> auto_advance;                           ///< goes on collecting it, or stops
  std::optional<std::vector<AppliedTaxRate>> tax_rates = {};  ///< all of them
  std::optional<std::optional<Redemption>> discount = {};     ///< instead of the one there is; empty inside: none
  std::optional<std::string> footer = {}, statement_descriptor = {};
  std::optional<CustomFields> custom_fields = {};
};

/// Numbers and opens the draft without waiting for its time; without auto_advance billd does not collect it by itself.
struct FinalizeInvoice {
  InvoiceId invoice;
  std::optional<Invoice> recalled;
  std::optional<bool> auto_advance;
};

/// The draft is due to be finalized, but somebody who may still change it has not been told of it: it waits once more
/// for its time, until rules.invoice_notice_wait_max after it was drawn up.
struct HoldDraft {
  InvoiceId invoice;
};

/// Tells the customer of an invoice that is sent; a draft is finalized first.
struct SendInvoice {
  InvoiceId invoice;
  std::optional<Invoice> recalled;
};

/// A mistake: nothing is owed. What the invoice took from the customer's balance goes back.
struct VoidInvoice {
  InvoiceId invoice;
  std::optional<Invoice> recalled;
};

/// Nobody expects the money any more; the subscription goes on as if it were paid. It may still be paid or voided.
struct MarkInvoiceUncollectible {
  InvoiceId invoice;
  std::optional<Invoice> recalled;
};

/// Drops a draft that is of no subscription's cycle. Its items are pending again.
struct DeleteInvoice {
  InvoiceId invoice;
  std::optional<Invoice> recalled;
};

/// `recalled` is the invoice as settled, when it is not in the account any more: it comes back by this command.
struct PayInvoice {
  InvoiceId invoice;
  std::optional<Invoice> recalled;
  SourceId source;                ///< empty: the invoice's, the subscription's or the customer's
  bool paid_out_of_band = false;  ///< the money came another way: nothing is charged
};

/// Charges the customer for something that billd does not bill, once. Nobody hears of the invoice that holds the
/// charge.
struct ChargeCustomer {
  Money amount;            ///< at least what can be charged in the currency
  SourceId source;         ///< empty: the customer's default
  bool is_charged = true;  ///< false: it is kept, and charged by PayInvoice
  std::string description;
  Metadata metadata;
};

/// Stops collecting.
struct CloseInvoice {
  InvoiceId invoice;
  std::optional<Invoice> recalled;
};

/// Goes on collecting what was closed.
struct ReopenInvoice {
  InvoiceId invoice;
  std::optional<Invoice> recalled;
};

enum class ChargeOutcomeKind : std::uint8_t {
  succeeded,
  declined,
  unknown,     ///< no answer, or none that can be trusted: ask again later
  impossible,  ///< the gateway cannot say any more (its key's life is over, or it answers nonsense): for an operator
  pending,     ///< it arrived; whether the money comes is told later
  absent,      ///< the gateway never had it and surely never will: another may be begun
};

struct ChargeOutcome {
  ChargeOutcomeKind kind = ChargeOutcomeKind::unknown;
  std::string decline_code;       ///< of a decline
  std::string gateway_reference;  ///< the gateway's name for the charge
};

/// What the gateway said of a charge. Said twice, the second time changes nothing; the opposite of what it said before
/// is an alarm.
struct RecordChargeOutcome {
  InvoiceId invoice;
  ChargeId charge;
  ChargeOutcome outcome;
  std::optional<Invoice> recalled = {};
};

/// What the gateway said of a dispute. Only what is newer than what is known changes it: one that was closed stays so.
struct RecordDispute {
  InvoiceId invoice;
  std::optional<Invoice> recalled;
  ChargeId charge;
  Dispute dispute;
};

/// Only what people wrote on it changes; members without a value stay as they are.
struct UpdateCharge {
  InvoiceId invoice;
  std::optional<Invoice> recalled;
  ChargeId charge;
  std::optional<std::string> description;
  std::optional<Metadata> metadata;  ///< the whole new metadata
};

/// Gives money of a charge back. `recalled` is the charge's invoice as settled.
struct RefundCharge {
  InvoiceId invoice;
  std::optional<Invoice> recalled;
  ChargeId charge;
  std::optional<std::int64_t> amount;  ///< in minor units; empty: all that is left
  std::string reason;                  ///< duplicate, fraudulent, requested_by_customer; empty: none
  Metadata metadata;
};

/// Only what people wrote on it changes.
struct UpdateRefund {
  InvoiceId invoice;
  std::optional<Invoice> recalled;
  RefundId refund;
  Metadata metadata;  ///< the whole new metadata
};

enum class RefundOutcomeKind : std::uint8_t {
  succeeded,
  pending,  ///< the gateway has taken it on, and says later what became of it
  failed,
  unknown,     ///< no answer, or none that can be trusted: ask again later
  impossible,  ///< the gateway cannot say any more: for an operator
};

struct RefundOutcome {
  RefundOutcomeKind kind = RefundOutcomeKind::unknown;
  std::string failure_reason;     ///< of a failure
  std::string gateway_reference;  ///< the gateway's name for the refund
};

/// What the gateway said of a refund. Said twice, the second time changes nothing; what is pending or has succeeded may
/// still fail, for which `recalled` is the invoice as settled.
struct RecordRefundOutcome {
  InvoiceId invoice;
  std::optional<Invoice> recalled;
  RefundId refund;
  RefundOutcome outcome;
};

/// A refund that was made at the gateway by somebody else than billd. It is known by the gateway's name for it: told
/// again, only what is new of it counts.
struct RecordForeignRefund {
  InvoiceId invoice;
  std::optional<Invoice> recalled;
  ChargeId charge;
  Money amount;
  std::string reason;     ///< in Stripe's words; empty: none
  RefundOutcome outcome;  ///< succeeded, pending or failed, with the gateway's reference
};

/// A line of a credit note to be: of the invoice's line, so much or so many of it; or of none, with its own words.
struct NewCreditNoteLine {
  InvoiceLineId invoice_line;          ///< empty: none
  std::optional<std::int64_t> amount;  ///< of an invoice's line: in minor units, instead of the quantity
  std::optional<std::int64_t> quantity;
  std::int64_t unit_amount = 0;  ///< without an invoice's line: more than zero
  std::string description;       ///< needed without an invoice's line
};

/// Takes back part of an invoice that is open or paid: by lines, or by an amount. After payment the amount is divided
/// into what is refunded, credited to the customer's balance, and given back otherwise.
struct CreateCreditNote {
  InvoiceId invoice;
  std::optional<Invoice> recalled;
  std::optional<std::int64_t> amount;
  std::vector<NewCreditNoteLine> lines;
  std::int64_t refund_amount = 0, credit_amount = 0, out_of_band_amount = 0;
  std::string reason, memo;
  Metadata metadata;
};

/// Members without a value stay as they are.
struct UpdateCreditNote {
  InvoiceId invoice;
  std::optional<Invoice> recalled;
  CreditNoteId credit_note;
  std::optional<std::string> memo;
  std::optional<Metadata> metadata;
};

/// A mistake: the invoice, which is still open, is due as if the credit note had never been.
struct VoidCreditNote {
  InvoiceId invoice;
  std::optional<Invoice> recalled;
  CreditNoteId credit_note;
};

/// Changes the customer's balance by hand.
struct AdjustBalance {
  Money amount;  ///< not zero; negative: to the customer's credit
  std::string description;
  Metadata metadata;
};

/// Only what people wrote on it changes; members without a value stay as they are.
struct UpdateBalanceTransaction {
  BalanceTransaction recalled;
  std::optional<std::string> description;
  std::optional<MetadataPatch> metadata;
};

/// A phase to be. It begins where the one before it ends; the first one at `start`.
struct NewPhase {
  std::optional<Timestamp> start;          ///< of the first phase; empty: now
  std::optional<Timestamp> end;            ///< this or
  std::optional<std::int32_t> iterations;  ///< so many periods of its prices
  std::vector<PhaseItem> items;
  PhaseProration proration = PhaseProration::create_prorations;
  std::optional<Timestamp> trial_end;
  bool is_trial = false;  ///< the whole of it is free; instead of trial_end
  PhaseAnchor anchor = PhaseAnchor::of_schedule;
  /// Redeemed when the schedule is made or changed, so that it is there when the phase begins. A phase that keeps its
  /// start and its coupon keeps its discount.
  std::optional<Redemption> discount = {};
  std::vector<AppliedTaxRate> tax_rates = {};
  // See Phase.
  std::vector<OneTimeItem> one_time_items;
  std::optional<Collection> collection;
  std::int32_t days_until_due = 0;
  SourceId default_source;
  std::string description;
  Metadata metadata;
  /// Instead of `start` and `end`, when the command is decided. The phase that ends now is the current one.
  bool starts_now = false, ends_now = false;
};

/// From phases, which begin a subscription of their own; or from a subscription, whose current period becomes the first
/// phase.
struct CreateSchedule {
  SubscriptionId from_subscription;  ///< empty: from the phases
  std::vector<NewPhase> phases;
  EndBehavior end_behavior = EndBehavior::release;
  Collection collection = Collection::charge_automatically;
  std::int32_t days_until_due = 0;
  SourceId default_source;
  std::string description;
  Metadata metadata;
  bool anchor_at_start = false;  ///< see Schedule
};

/// Members without a value stay as they are. Of the phases, those that are over are left out, and the current one is
/// given with the start that it has.
struct UpdateSchedule {
  ScheduleId schedule;
  std::optional<std::vector<NewPhase>> phases;
  std::optional<EndBehavior> end_behavior;
  PhaseProration proration = PhaseProration::create_prorations;  ///< of what changes in the current phase
  std::optional<Metadata> metadata;
  std::optional<Collection> collection;
  std::optional<std::int32_t> days_until_due;
  std::optional<SourceId> default_source;  ///< empty inside: the customer's
  std::optional<std::string> description;
  std::optional<bool> anchor_at_start = {};  ///< of phases that say nothing of it and have not begun
};

/// Ends the schedule, and its subscription at once.
struct CancelSchedule {
  ScheduleId schedule;
  bool invoice_now = false;
  bool prorate = false;
};

/// Ends the schedule; its subscription goes on as it is.
struct ReleaseSchedule {
  ScheduleId schedule;
  bool preserve_cancel_date = false;  ///< a schedule that would have canceled it leaves that date behind
};

using AnyCommand =
    std::variant<CreateCustomer, UpdateCustomer, DeleteCustomer, AddSource, AddSources, UpdateSource, RemoveSource,
                 Subscribe, CancelSubscription, ResumeSubscription, PayInvoice, CloseInvoice, ReopenInvoice,
                 RecordChargeOutcome, CreateInvoiceItem, UpdateInvoiceItem, DeleteInvoiceItem, CreateInvoice,
                 UpdateInvoice, FinalizeInvoice, SendInvoice, VoidInvoice, MarkInvoiceUncollectible, DeleteInvoice,
                 UpdateSubscription, RefundCharge, UpdateRefund, RecordRefundOutcome, RenewSubscription,
                 LapseSubscription, RecordDispute, VerifySource, UpdateCharge, CreateCreditNote, UpdateCreditNote,
                 VoidCreditNote, AdjustBalance, CreateSchedule, UpdateSchedule, CancelSchedule, ReleaseSchedule,
                 RecordUsage, ChargeCustomer, RecordForeignRefund, HoldDraft, UpdateBalanceTransaction,
                 UnpauseSubscription, AddTaxIdentifier, RemoveTaxIdentifier>;

template <class Variant, class Type>
constexpr bool is_alternative = false;
template <class... Alternatives, class Type>
constexpr bool is_alternative<std::variant<Alternatives...>, Type> = (std::is_same_v<Alternatives, Type> || ...);

/// One of the commands. It is the variant, with what every user would otherwise compile anew compiled once, in
/// command.cpp: copying and destroying one of forty alternatives is most of what a file that only passes a command on
/// would take.
struct Command : AnyCommand {
  Command();  ///< a CreateCustomer without anything
  template <class Alternative>
    requires is_alternative<AnyCommand, Alternative>
  Command(Alternative alternative);  // NOLINT: a command is one of its alternatives

  Command(const Command& other);
  Command(Command&& other) noexcept;
  Command& operator=(const Command& other);
  Command& operator=(Command&& other) noexcept;
  ~Command();
};

}  // namespace billd
