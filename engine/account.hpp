// The account: one customer with everything that can change together, and the objects it consists of.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "engine/calendar.hpp"
#include "engine/discount.hpp"
#include "engine/ids.hpp"
#include "engine/money.hpp"
#include "engine/price.hpp"
#include "engine/tax.hpp"
#include "engine/usage.hpp"

namespace billd {

/// Test and live data never meet: every key, credential and gateway belongs to one mode.
enum class Mode : std::uint8_t { test, live };

/// What invoice numbers of the account begin with if nobody else gave some before: 8 characters of [0-9A-F].
std::string invoice_prefix(const AccountKey& key);

/// Free keys and values of the API's user, in the order in which they were given; keys are unique.
using Metadata = std::vector<std::pair<std::string, std::string>>;

struct Address {
  std::string line1, line2, city, state, postal_code, country;

  bool operator==(const Address&) const = default;
};

/// Where goods go.
struct Shipping {
  std::string name, phone;
  Address address;

  bool operator==(const Shipping&) const = default;
};

/// Whether taxes are added to the customer's invoices. The numbers are stored: append only.
enum class TaxExempt : std::uint8_t {
  none,
  exempt,
  reverse,  ///< the customer owes them to the state
};

/// What another system did for a customer before billd: its invoices are not here.
struct FormerSystem {
  std::uint64_t invoices_numbered = 0;  ///< the numbers up to this one were given by it
  std::string invoice_prefix;           ///< what its numbers begin with, and billd's after them; empty: billd's own

  bool operator==(const FormerSystem&) const = default;
};

/// A number that a tax office gave to the customer.
struct TaxIdentifier {
  TaxIdentifierId id;
  Timestamp created;
  std::string type;  ///< in Stripe's words: eu_vat, us_ein, …
  std::string value;

  bool operator==(const TaxIdentifier&) const = default;
};

/// What its user wants to be read on an invoice: names and values, in their order.
using CustomFields = std::vector<std::pair<std::string, std::string>>;

/// A customer's balance is at most this far from zero.
inline constexpr std::int64_t balance_limit = 999'999'999'999'999;

struct Customer {
  CustomerId id;
  Timestamp created;
  std::string email, name, phone, description;
  Address address;
  Metadata metadata;
  SourceId default_source;  ///< empty: none
  Currency currency;        ///< none until the first subscription or invoice fixes it
  TestClockId test_clock;   ///< empty: the customer lives in real time
  bool delinquent = false;  ///< the latest charge of the latest invoice failed
  bool deleted = false;     ///< only id and created are left
  /// What the next invoice takes into account, in minor units of the customer's currency: negative is credit, positive
  /// is owed.
  std::int64_t balance = 0;
  std::optional<Discount> discount;
  /// Stands before default_source, which is its older name, when both are given; empty: none.
  SourceId default_payment_method;
  Shipping shipping;
  TaxExempt tax_exempt = TaxExempt::none;
  std::vector<std::string> preferred_locales;  ///< languages, the preferred one first

  /// What APIs that number customers call it: unique in its mode, given with the first commit; 0: none yet.
  std::uint64_t number = 0;
  /// Bytes of `name` that are the first name, a space behind them; 0: nobody said, see split_name().
  std::uint32_t first_name_size = 0;
  std::string organization;
  std::string external_id;                  ///< the name that the API's user has for it
  std::string code;                         ///< unique in its mode, never changed; empty: the number in its place
  std::int64_t account_id = 0;              ///< the Management API's accountId, never changed; 0: made in another API
  std::string user_name;                    ///< as the user spells it; empty: the customer is no user
  std::optional<FormerSystem> former = {};  ///< empty: the customer was billd's from the beginning

  std::vector<TaxIdentifier> tax_identifiers;  ///< oldest first
  // Of new invoices that say nothing of it.
  std::string invoice_footer;
  CustomFields invoice_fields;

  bool operator==(const Customer&) const = default;
};

/// What the numbers of the customer's invoices begin with.
std::string invoice_prefix(const Customer& customer, const AccountKey& key);

/// A name in two parts, for APIs that want them apart. Views into the customer's name.
struct SplitName {
  std::string_view first, last;
};

/// Where nobody said which is which, the last word is the last name; a single word is a last name, too.
SplitName split_name(const Customer& customer);
/// What the code is, given or not.
std::string code_of(const Customer& customer);

/// What a card looks like to people: kept with each charge, for the card itself may be gone by then.
struct CardSummary {
  std::string brand;  ///< "Visa", as Stripe writes it
  std::string last4;
  std::int32_t exp_month = 0, exp_year = 0;
  std::string funding;      ///< credit, debit, prepaid or unknown
  std::string country;      ///< ISO 3166, two letters
  std::string fingerprint;  ///< the same card number gives the same fingerprint

  bool operator==(const CardSummary&) const = default;
};

/// What a bank account looks like to people: kept with each charge, like a card's.
struct BankAccountSummary {
  std::string bank_name, last4, routing_number;
  std::string country;  ///< ISO 3166, two letters
  Currency currency;
  std::string fingerprint;  ///< the same account gives the same fingerprint

  bool operator==(const BankAccountSummary&) const = default;
};

/// What a charge was made to, by the kind of the source. The places of the alternatives are stored: append only.
using MeansSummary = std::variant<CardSummary, BankAccountSummary>;

struct Card {
  CardSummary summary;
  std::string name;  ///< the holder's
  Address address;
  std::string cvc_check, address_line1_check,
      address_zip_check;  ///< pass, fail, unavailable, unchecked; empty: not given

  bool operator==(const Card&) const = default;
};

/// How far it is known that the account is the customer's. The numbers are stored: append only.
enum class BankAccountStatus : std::uint8_t {
  new_,
  validated,            ///< the account exists
  verified,             ///< the customer told which small deposits were made to it, or its gateway says so
  verification_failed,  ///< the deposits were told wrong too often; final
  errored,              ///< money sent to it came back
};

struct BankAccount {
  BankAccountSummary summary;
  std::string holder_name;
  std::string holder_type;  ///< individual, company; empty: not given
  BankAccountStatus status = BankAccountStatus::new_;
  std::int32_t failed_verifications = 0;

  bool operator==(const BankAccount&) const = default;
};

/// The kinds of ways to pay. The places of the alternatives are stored: append only.
using Means = std::variant<Card, BankAccount>;

/// A way to pay. billd holds the gateway's reference to it and never a number of a card or an account.
struct Source {
  SourceId id;
  Timestamp created;
  std::string gateway;    ///< the gateway that charges it, by its name in the configuration
  std::string reference;  ///< the gateway's own name for it
  Means means;
  Metadata metadata;
  std::optional<Timestamp> last_used;    ///< when a charge of it succeeded last
  std::string email, phone;              ///< of whoever pays with it
  std::string nickname = {};             ///< the user's own word for it
  std::optional<Timestamp> expiring_at;  ///< when its last month begins, as long as nobody was told of that

  /// Made by the newer API, which tells of it by another name.
  bool is_payment_method() const { return id.value().starts_with(PaymentMethodKind::prefix); }
  /// nullptr when it is of another kind.
  const Card* card() const { return std::get_if<Card>(&means); }
  Card* card() { return std::get_if<Card>(&means); }
  const BankAccount* bank_account() const { return std::get_if<BankAccount>(&means); }
  BankAccount* bank_account() { return std::get_if<BankAccount>(&means); }

  /// Whether money can be taken from it. Source: Stripe, "The customer's bank account must be verified".
  bool is_chargeable() const {
    const BankAccount* account = bank_account();
    return account == nullptr || account->status == BankAccountStatus::verified;
  }
  MeansSummary summary() const {
    return std::visit([](const auto& kind) -> MeansSummary { return kind.summary; }, means);
  }

  bool operator==(const Source&) const = default;
};

/// How an invoice is paid.
enum class Collection : std::uint8_t {
  charge_automatically,  ///< billd charges the customer's source
  send_invoice,          ///< the customer pays until the due date
};

struct SubscriptionItem {
  SubscriptionItemId id;
  Timestamp created;
  Price price;
  std::int64_t quantity = 1;  ///< of a metered price without meaning
  Metadata metadata;
  std::vector<AppliedTaxRate> tax_rates;  ///< instead of the subscription's; empty: those
  /// What a discount takes from the cost of a whole period, as the current one is paid, in minor units.
  std::int64_t discount = 0;
  std::vector<Usage> usage;  ///< of a metered price: the current period and what is left of earlier ones, oldest first

  bool operator==(const SubscriptionItem&) const = default;
};

/// Who says that the next period begins.
enum class RenewalTrigger : std::uint8_t {
  schedule,  ///< time alone
  webhook,   ///< the processor: the end of a period begins a grace, until its word renews or lapses the subscription
};

/// What becomes of a subscription's new invoices while their collection is paused. The numbers are stored: append only.
enum class PauseBehavior : std::uint8_t {
  keep_as_draft,       ///< they wait to be finalized by hand
  mark_uncollectible,  ///< they are finalized, and nobody expects the money
  void_,               ///< nothing is owed
};

/// The collection of a subscription's invoices is paused; its periods go on.
struct Pause {
  PauseBehavior behavior = PauseBehavior::keep_as_draft;
  std::optional<Timestamp> resumes_at;  ///< empty: until somebody resumes it

  /// Whether only what recurs is forgiven: what is pending waits for an invoice that is not void.
  bool takes_nothing_along() const { return behavior == PauseBehavior::void_; }

  bool operator==(const Pause&) const = default;
};

enum class SubscriptionStatus : std::uint8_t {
  incomplete,          ///< the first payment has not succeeded yet
  incomplete_expired,  ///< it did not succeed in time; final
  trialing,
  active,
  past_due,  ///< a renewal's payment failed and is being retried
  unpaid,    ///< the retries are exhausted; invoices are drawn up but not collected
  canceled,  ///< final
  paused,    ///< its trial ended without a way to pay: nothing is billed until it is resumed
};

/// What becomes of a subscription that is charged automatically when its trial ends and there is no way to pay. The
/// numbers are stored: append only.
enum class MissingPaymentMethod : std::uint8_t {
  create_invoice,  ///< it goes on, and its invoice waits to be paid
  cancel,
  pause,
};

/// A change that is made when its invoice is paid, and dropped if that does not happen in time. What is not named here
/// stays what the subscription has meanwhile become.
/// Source: https://stripe.com/docs/billing/subscriptions/pending-updates.
struct PendingUpdate {
  InvoiceId invoice;
  Timestamp expires_at;
  bool ends_when_declined = false;  ///< there is one attempt to pay
  // What the subscription's members of the same names will be.
  std::vector<SubscriptionItem> items;  ///< at least one
  Timestamp anchor;
  std::int64_t anchor_ordinal = 0, ordinal = 0;
  Period current_period;
  bool free_until_anchor = false;
  std::optional<Timestamp> trial_start, trial_end, trial_will_end_at, paid_until, changed_at, upcoming_at;
  /// Counts only where the subscription leaves its trial or its pause, or begins a trial.
  SubscriptionStatus status = SubscriptionStatus::active;
  InvoiceId previous_invoice;  ///< the subscription's latest one before
  /// Identifiers that the account had drawn before: invoice items with later ones were made by the change.
  std::uint64_t objects_before = 0;

  bool operator==(const PendingUpdate&) const = default;
};

/// How often a subscription's pending items are billed between its renewals: time n is boundary(anchor, recurrence, n).
struct PendingItemInterval {
  Recurrence recurrence;
  Timestamp anchor;
  std::int64_t ordinal = 1;  ///< of the time that comes next

  Timestamp next() const { return boundary(anchor, recurrence, ordinal); }

  bool operator==(const PendingItemInterval&) const = default;
};

struct Subscription {
  SubscriptionId id;
  SubscriptionStatus status = SubscriptionStatus::incomplete;
  Timestamp created;
  std::vector<SubscriptionItem> items;  ///< at least one; all of one currency and recurrence

  /// Boundary n of the cycle is boundary(anchor, recurrence, n - anchor_ordinal).
  Timestamp anchor;
  std::int64_t anchor_ordinal = 0;
  /// The period that was begun last. Ordinals grow by one and never repeat, also when the anchor moves: together with
  /// the subscription they name what was billed. A trial is a period of its own.
  std::int64_t ordinal = 0;
  Period current_period;

  std::optional<Timestamp> trial_start, trial_end;
  std::optional<Timestamp> trial_will_end_at;  ///< when the trial's end is to be announced; empty: done, or no trial
  bool cancel_at_period_end = false;
  std::optional<Timestamp> canceled_at;  ///< when the cancellation was asked for
  std::optional<Timestamp> ended_at;     ///< when it took effect
  /// Incomplete subscriptions end here unless their first invoice is paid.
  std::optional<Timestamp> expires_at;
  /// The customer hears of the subscription only when its first payment has succeeded; otherwise it never existed.
  bool provisional = false;
  InvoiceId latest_invoice;
  SourceId default_source;  ///< empty: the customer's
  Metadata metadata;
  Collection collection = Collection::charge_automatically;
  std::int32_t days_until_due = 0;  ///< of its invoices, when they are sent

  std::optional<Timestamp> cancel_at;  ///< when it ends, if it has not ended before
  /// The current period is paid only until here: the rest was credited ahead of cancel_at. Empty: until its end.
  std::optional<Timestamp> paid_until;
  std::optional<Timestamp> changed_at;    ///< since when the current period is billed by the items as they are now
  bool free_until_anchor = false;         ///< what preceded the first anchor, after the trial if any, is not billed
  std::optional<Discount> discount;       ///< of its invoices, before the customer's
  std::vector<AppliedTaxRate> tax_rates;  ///< of its invoices; one without identifier is its tax_percent
  RenewalTrigger renewal_trigger = RenewalTrigger::schedule;
  /// The current period is over, and the word that renews the subscription is awaited: without it, it lapses then.
  std::optional<Timestamp> grace_until;
  std::optional<Pause> pause;
  std::optional<Timestamp> upcoming_at;  ///< when the next invoice is to be announced; empty: done, or not at all
  ScheduleId schedule;                   ///< that changes it as time passes; empty: none
  std::string description;               ///< for the customer's eyes
  /// What the customer said of the cancellation: in own words, and in one of Stripe's (too_expensive, unused, …).
  std::string cancellation_comment, cancellation_feedback;
  std::int64_t first_ordinal = 0;  ///< the periods before this one were billed by another system
  std::optional<PendingUpdate> pending_update;
  MissingPaymentMethod missing_payment_method = MissingPaymentMethod::create_invoice;
  std::optional<Timestamp> start_date;  ///< before it was created; empty: then
  std::optional<PendingItemInterval> pending_item_interval;
  bool saves_source = false;  ///< what pays an invoice of it becomes its default source

  bool is_live() const {
    return status != SubscriptionStatus::canceled && status != SubscriptionStatus::incomplete_expired;
  }
  Recurrence recurrence() const { return items.front().price.recurrence; }
  /// The whole period that the price is for. Before the anchor the period is what is left of it.
  Period period(std::int64_t of_ordinal) const { return period_at(anchor, recurrence(), of_ordinal - anchor_ordinal); }
  Period whole_period() const { return period(ordinal); }
  Timestamp paid_end() const { return paid_until.value_or(current_period.end); }
  /// Whether the current period costs nothing, whatever the prices are.
  bool is_free_period() const {
    return status == SubscriptionStatus::trialing || status == SubscriptionStatus::paused ||
           (free_until_anchor && ordinal < anchor_ordinal);
  }

  bool operator==(const Subscription&) const = default;
};

/// Something that is paid once and billed with a subscription: it becomes an invoice item.
struct OneTimeItem {
  Price price;  ///< one that does not recur
  std::int64_t quantity = 1;
  std::string description;

  bool operator==(const OneTimeItem&) const = default;
};

/// What a schedule makes of its subscription for a time.
struct PhaseItem {
  Price price;
  std::int64_t quantity = 1;
  Metadata metadata;
  std::vector<AppliedTaxRate> tax_rates = {};  ///< instead of the phase's; empty: those

  bool operator==(const PhaseItem&) const = default;
};

/// What happens to what was paid when a phase begins within a period. The numbers are stored: append only.
enum class PhaseProration : std::uint8_t { create_prorations, always_invoice, none };

/// Whether the cycle is anchored anew where a phase begins. The numbers are stored: append only.
enum class PhaseAnchor : std::uint8_t {
  of_schedule,  ///< as the schedule says for its phases
  phase_start,
  automatic,  ///< only where it has to be
};

struct Phase {
  Timestamp start, end;          ///< start < end; each phase begins where the one before it ends
  std::vector<PhaseItem> items;  ///< the subscription's items in this phase, at least one
  PhaseProration proration = PhaseProration::create_prorations;
  std::optional<Timestamp> trial_end;  ///< within the phase: it begins with a trial until then
  PhaseAnchor anchor = PhaseAnchor::of_schedule;
  std::optional<Discount> discount = {};       ///< of the subscription in this phase: it starts when the phase begins
  std::vector<AppliedTaxRate> tax_rates = {};  ///< of the subscription in this phase
  std::vector<OneTimeItem> one_time_items;     ///< billed with the phase's first invoice
  std::optional<Collection> collection;        ///< empty: the schedule's, with its days
  std::int32_t days_until_due = 0;             ///< of that collection
  SourceId default_source;                     ///< empty: the schedule's
  std::string description;                     ///< the subscription's from then on; empty: the schedule's
  Metadata metadata;                           ///< added to the subscription's

  bool operator==(const Phase&) const = default;
};

/// The numbers are stored: append only.
enum class ScheduleStatus : std::uint8_t {
  not_started,  ///< there is no subscription yet
  active,
  completed,  ///< final: the last phase is over
  released,   ///< final: the subscription goes on without it
  canceled,   ///< final
};

/// What becomes of the subscription when the last phase is over. The numbers are stored: append only.
enum class EndBehavior : std::uint8_t { release, cancel };

/// A plan of what a subscription is to be, phase after phase.
struct Schedule {
  ScheduleId id;
  ScheduleStatus status = ScheduleStatus::not_started;
  Timestamp created;
  SubscriptionId subscription;  ///< empty: not begun
  std::vector<Phase> phases;    ///< at least one; those that are over among them
  std::int32_t phase = 0;       ///< the place of the current one, or of the next when it has not begun
  EndBehavior end_behavior = EndBehavior::release;
  Collection collection = Collection::charge_automatically;  ///< of the subscription that it begins
  std::int32_t days_until_due = 0;
  SourceId default_source;
  std::optional<Timestamp> completed_at, released_at, canceled_at;
  Metadata metadata;
  std::string description;       ///< of the subscription
  bool anchor_at_start = false;  ///< phases that say nothing of it anchor the cycle anew where they begin

  bool anchors_at_start(const Phase& of) const {
    return of.anchor == PhaseAnchor::phase_start || (of.anchor == PhaseAnchor::of_schedule && anchor_at_start);
  }
  bool is_live() const { return status == ScheduleStatus::not_started || status == ScheduleStatus::active; }
  const Phase& current_phase() const { return phases[static_cast<std::size_t>(phase)]; }
  /// When it does something next: the first phase begins, or the current one is over.
  Timestamp next_at() const {
    return status == ScheduleStatus::not_started ? current_phase().start : current_phase().end;
  }

  bool operator==(const Schedule&) const = default;
};

/// Something that is billed once, beside what recurs. It waits on the account for the next invoice that may take it, or
/// is made for one draft; on an invoice it is a line.
struct InvoiceItem {
  InvoiceItemId id;
  Timestamp created;
  Money amount;  ///< the whole, negative for a credit
  std::int64_t quantity = 1;
  Price price;  ///< the unit amount; of a proration the price on its side, otherwise without identifier
  Period period;
  SubscriptionId subscription;  ///< only its invoices take it; empty: the next one of the customer
  SubscriptionItemId item;      ///< of a proration
  std::string description;
  bool discountable = true;
  bool proration = false;
  Metadata metadata;
  /// When an invoice of its own is drawn up for it, because its subscription has ended; empty: others take it along.
  std::optional<Timestamp> bill_at;
  std::int32_t days_until_due = 0;        ///< of that invoice; 0: it is charged automatically
  std::vector<AppliedTaxRate> tax_rates;  ///< instead of the invoice's; empty: those
  std::vector<Discount> discounts;        ///< its own: each takes from what the one before has left

  bool operator==(const InvoiceItem&) const = default;
};

/// One position of an invoice: what a subscription's item costs in the period, or an invoice item.
struct InvoiceLine {
  InvoiceLineId id;
  Money amount;
  Period period;
  std::int64_t quantity = 1;
  Price price;
  SubscriptionItemId item;
  bool trial = false;  ///< a free trial of the price

  InvoiceItemId invoice_item = {};   ///< empty: what recurs
  Timestamp created = {};            ///< the invoice item's
  SubscriptionId subscription = {};  ///< the invoice item's
  std::string description = {};
  bool discountable = true;
  bool proration = false;
  Metadata metadata = {};
  std::int64_t discount = 0;                   ///< what all discounts take off the amount, in minor units
  std::vector<AppliedTaxRate> tax_rates = {};  ///< instead of the invoice's; empty: those
  std::vector<TaxAmount> taxes = {};           ///< what each rate takes; those that are zero are among them
  std::vector<Discount> discounts = {};        ///< the invoice item's own, which go before the invoice's

  /// Whether it bills a period of a subscription, ahead of it or, of a metered price, behind it.
  bool is_recurring() const { return invoice_item.is_empty(); }
  /// What it adds to the invoice's total.
  std::int64_t net() const;

  bool operator==(const InvoiceLine&) const = default;
};

/// The invoice item that the line was made of. REQUIRES: it does not recur.
InvoiceItem invoice_item_of(const InvoiceLine& line);

/// The numbers are stored: append only.
enum class ChargeState : std::uint8_t {
  sending,    ///< recorded before it was sent; whether it arrived is not known until the gateway says so
  succeeded,  ///< final
  declined,   ///< final
  parked,     ///< cannot be found out by program: an operator must look; never sent again
  pending,    ///< it arrived, and the gateway says later whether the money comes: a bank debit
  absent,     ///< final: the gateway never had it, and surely never will; another was begun in its place
};

/// The numbers are stored: append only.
enum class DisputeStatus : std::uint8_t { open, won, lost };

/// The customer's bank takes a charge back, or tries to.
struct Dispute {
  std::string reference;  ///< the gateway's own name for it
  DisputeStatus status = DisputeStatus::open;
  Money amount;
  std::string reason;  ///< in Stripe's words: fraudulent, product_not_received, …; empty: not told
  Timestamp created;

  bool operator==(const Dispute&) const = default;
};

enum class RefundState : std::uint8_t {
  sending,    ///< recorded before it was sent; whether it arrived is not known until the gateway says so
  pending,    ///< the gateway has taken it on; the money may still come back
  succeeded,  ///< the customer has the money; a bank may still send it back
  failed,     ///< final: the customer did not get it
  parked,     ///< cannot be found out by program: an operator must look; never sent again
};

/// Money of a charge that goes back. Its identifier is also the idempotency key towards the gateway.
struct Refund {
  RefundId id;
  RefundState state = RefundState::sending;
  Money amount;  ///< more than zero
  Timestamp created;
  Timestamp resolve_at;        ///< while sending or pending: when to ask the gateway again
  std::string reason;          ///< duplicate, fraudulent, requested_by_customer; empty: none was given
  std::string failure_reason;  ///< of a failed one, in Stripe's words: lost_or_stolen_card, expired_or_canceled_card, …
  std::string gateway_reference;  ///< the gateway's own name for the refund
  CreditNoteId credit_note;       ///< that called for it; empty: none
  Metadata metadata;

  bool is_unresolved() const { return state != RefundState::succeeded && state != RefundState::failed; }
  /// Whether the gateway has said that it takes it on, or more than that.
  bool was_taken_on() const {
    return state == RefundState::pending || state == RefundState::succeeded || !gateway_reference.empty();
  }

  bool operator==(const Refund&) const = default;
};

/// One attempt to collect an invoice. Its identifier is also the idempotency key towards the gateway, so that however
/// often it is sent, the customer is charged once.
struct Charge {
  ChargeId id;
  std::int32_t attempt = 1;  ///< of the invoice, from 1
  ChargeState state = ChargeState::sending;
  Money amount;
  Timestamp created;     ///< when it was recorded and first sent
  Timestamp resolve_at;  ///< while sending or pending: when to ask the gateway again
  SourceId source;
  std::string gateway, gateway_source;  ///< where it is sent, and the gateway's name for the source
  MeansSummary means;
  std::string decline_code;       ///< why it was declined, in Stripe's words: generic_decline, insufficient_funds, …
  std::string gateway_reference;  ///< the gateway's own name for the charge
  bool automatic = false;         ///< by the collection schedule, not asked for by hand
  std::vector<Refund> refunds;    ///< of a charge that succeeded, oldest first
  /// The gateway said the opposite of what it had said before: an operator must look.
  bool contradicted = false;
  std::optional<Dispute> dispute;
  std::string description;
  Metadata metadata;
  bool is_direct = false;  ///< asked for by itself: its invoice is nobody's but its own

  bool is_unresolved() const {
    return state == ChargeState::sending || state == ChargeState::pending || state == ChargeState::parked;
  }
  /// What went back of it, or may have gone: all but what has failed.
  Money amount_refunded() const {
    std::int64_t minor = 0;
    for (const Refund& refund : refunds)
      if (refund.state != RefundState::failed) minor += refund.amount.minor;
    return {minor, amount.currency};
  }

  bool operator==(const Charge&) const = default;
};

/// What a credit note takes back of one line of its invoice, or of none in particular.
struct CreditNoteLine {
  CreditNoteLineId id;
  Money amount;                ///< more than zero, before what the invoice's discount and taxes make of it
  InvoiceLineId invoice_line;  ///< empty: described in its own words
  std::string description;
  std::int64_t quantity = 0;          ///< 0: not counted
  std::int64_t discount = 0;          ///< the part of the invoice's line's, which is not given back
  std::vector<TaxAmount> taxes = {};  ///< the parts of the invoice's line's
  /// What it takes back of the invoice's total.
  std::int64_t net() const;

  bool operator==(const CreditNoteLine&) const = default;
};

/// A document that takes back part of an invoice: before payment less is due, after it the money is refunded, credited
/// to the customer's balance, or given back in another way.
/// Source: https://docs.stripe.com/invoicing/integration/programmatic-credit-notes.
struct CreditNote {
  CreditNoteId id;
  std::string number;  ///< the invoice's, "-CN-" and two digits: gap-free per invoice
  Timestamp created;
  Money amount;  ///< more than zero: what the lines take back of the invoice's total
  std::vector<CreditNoteLine> lines;
  std::string reason;  ///< duplicate, fraudulent, order_change, product_unsatisfactory; empty: none was given
  std::string memo;
  Metadata metadata;
  bool after_payment = false;
  std::int64_t refunded = 0, credited = 0, out_of_band = 0;  ///< after payment: where the amount went
  RefundId refund;                                           ///< empty: none
  BalanceTransactionId balance_transaction;                  ///< of what was credited; empty: none
  std::optional<Timestamp> voided_at;

  bool operator==(const CreditNote&) const = default;
};

/// Why a customer's balance changed, by Stripe's names. The numbers are stored: append only.
enum class BalanceReason : std::uint8_t {
  adjustment,              ///< by hand
  applied_to_invoice,      ///< an invoice took it along, or left a credit
  invoice_too_small,       ///< what was due is less than can be charged: it is owed with the next invoice
  unapplied_from_invoice,  ///< the invoice that had taken it was voided
  credit_note,
};

/// A change of a customer's balance: a record that is written once.
struct BalanceTransaction {
  BalanceTransactionId id;
  Timestamp created;
  BalanceReason reason = BalanceReason::adjustment;
  Money amount;  ///< negative: to the customer's credit
  std::int64_t ending_balance = 0;
  InvoiceId invoice;         ///< empty: none had part in it
  CreditNoteId credit_note;  ///< empty: none had part in it
  std::string description;
  Metadata metadata;

  bool operator==(const BalanceTransaction&) const = default;
};

enum class InvoiceStatus : std::uint8_t {
  draft,  ///< open to changes, not collected
  open,   ///< final in its amounts, to be paid
  paid,
  uncollectible,
  void_,
};

/// The numbers are stored: append only.
enum class BillingReason : std::uint8_t {
  subscription_create,
  subscription_cycle,
  manual,
  subscription_update,
  direct_charge,  ///< of a charge that was asked for by itself: nobody hears of the invoice
};

struct Invoice {
  InvoiceId id;
  InvoiceStatus status = InvoiceStatus::draft;
  std::string number;  ///< given when it is finalized; gap-free per customer
  BillingReason reason = BillingReason::manual;
  Timestamp created;
  SubscriptionId subscription;  ///< empty: not of a subscription
  std::int64_t ordinal = 0;     ///< the subscription's period that it bills
  Period period;                ///< the stretch whose usage and changes went into it
  std::vector<InvoiceLine> lines;
  Money total;
  Money amount_paid;

  /// Whether billd goes on by itself: finalizes the draft, collects the open invoice. The older API's `closed` is its
  /// opposite for an unpaid invoice.
  bool auto_advance = true;
  std::optional<Timestamp> finalize_at;   ///< a draft's
  std::optional<Timestamp> finalized_at;  ///< when it left the draft state
  std::optional<Timestamp> next_attempt_at;
  std::optional<Timestamp> paid_at;
  std::int32_t attempt_count = 0;  ///< the first attempt of any kind, afterwards only the automatic ones
  bool attempted = false;
  bool provisional = false;  ///< of a provisional subscription: not listed, and nobody has heard of it
  std::vector<Charge> charges;
  Metadata metadata;
  std::string description;

  Collection collection = Collection::charge_automatically;
  std::optional<Timestamp> due_at;      ///< of an invoice that is sent
  std::optional<Timestamp> overdue_at;  ///< when a sent invoice's delay has its next consequence
  bool paid_out_of_band = false;        ///< the money came another way, and somebody said so
  std::optional<Timestamp> voided_at, marked_uncollectible_at;
  SourceId default_source;  ///< empty: the subscription's or the customer's
  /// The customer's balance before and after the invoice was finalized; zero before that.
  std::int64_t starting_balance = 0, ending_balance = 0;
  std::optional<Discount> discount;       ///< that the lines went through; empty: none had anything to take off
  std::vector<AppliedTaxRate> tax_rates;  ///< of the lines that have none of their own
  std::vector<CreditNote> credit_notes;   ///< oldest first
  std::string footer;
  CustomFields custom_fields;
  std::string statement_descriptor;  ///< on the statement of whoever pays; empty: the gateway's own
  /// It was said of this invoice which discount it has, or that it has none.
  bool has_own_discount = false;
  CustomFields customer_tax_identifiers;  ///< types and values as they were when it was finalized
  /// What it bills is a pending update of its subscription: one that waits for the payment, or was dropped.
  bool is_tentative = false;

  /// The sums of the lines, in minor units: before discount and tax, what the discount takes off, and the taxes that
  /// come on top. total = subtotal - discount + tax.
  std::int64_t subtotal() const;
  std::int64_t discount_total() const;
  std::int64_t tax_total() const;
  /// What is to be paid, now that the customer's balance and credit notes have had their part in it: total + starting -
  /// ending balance - credit notes before payment. Before it is finalized, the total as far as it is not a credit.
  Money amount_due() const {
    if (!finalized_at) return {total.minor > 0 ? total.minor : 0, total.currency};
    return {total.minor - (ending_balance - starting_balance) - credited(false), total.currency};
  }
  /// The sum of the credit notes before or after payment that are not void, in minor units.
  std::int64_t credited(bool after_payment) const {
    std::int64_t minor = 0;
    for (const CreditNote& note : credit_notes)
      if (note.after_payment == after_payment && !note.voided_at) minor += note.amount.minor;
    return minor;
  }
  /// Whether it bills a period of its subscription: the one of its ordinal.
  bool bills_period() const {
    return is_of_cycle() && !is_tentative &&
           std::ranges::any_of(lines, [](const InvoiceLine& line) { return line.is_recurring(); });
  }
  /// Whether a subscription's cycle drew it up.
  bool is_of_cycle() const { return reason != BillingReason::manual && reason != BillingReason::direct_charge; }
  /// Whether it is there only for what collects a charge that was asked for by itself: it has no number, is told of in
  /// no event and shown by no list of invoices.
  bool is_of_direct_charge() const { return reason == BillingReason::direct_charge; }
  bool is_settled() const { return status != InvoiceStatus::draft && status != InvoiceStatus::open; }
  /// The charge whose outcome is not known: being sent, pending, or parked. While there is one, no other is begun.
  const Charge* unresolved_charge() const {
    return !charges.empty() && charges.back().is_unresolved() ? &charges.back() : nullptr;
  }
  /// Whether the outcome of a refund is not known.
  bool has_unresolved_refund() const {
    return std::ranges::any_of(
        charges, [](const Charge& charge) { return std::ranges::any_of(charge.refunds, &Refund::is_unresolved); });
  }
  Charge* unresolved_charge() { return !charges.empty() && charges.back().is_unresolved() ? &charges.back() : nullptr; }

  bool operator==(const Invoice&) const = default;
};

/// A customer with all that changes together. Records that nothing will change by itself any more (paid and closed
/// invoices, ended subscriptions) leave it; see Transition::settled.
struct Account {
  AccountKey key;
  Mode mode = Mode::test;
  std::uint64_t version = 0;  ///< of what is stored; 0: nothing is stored yet
  std::uint64_t objects = 0;  ///< identifiers drawn so far
  std::uint64_t events = 0;   ///< events emitted so far: the sequence number of the latest one
  std::uint64_t invoices_numbered = 0;

  Customer customer;
  std::vector<Source> sources;              ///< oldest first
  std::vector<Subscription> subscriptions;  ///< live ones, oldest first
  std::vector<Invoice> invoices;            ///< drafts and what is still being collected, oldest first
  std::vector<InvoiceItem> invoice_items;   ///< pending, oldest first
  std::vector<Schedule> schedules;          ///< live ones, oldest first

  const Source* find(const SourceId& id) const;
  Subscription* find(const SubscriptionId& id);
  const Subscription* find(const SubscriptionId& id) const;
  Invoice* find(const InvoiceId& id);
  const Invoice* find(const InvoiceId& id) const;
  const InvoiceItem* find(const InvoiceItemId& id) const;
  Schedule* find(const ScheduleId& id);
  const Schedule* find(const ScheduleId& id) const;

  bool operator==(const Account&) const = default;
};

}  // namespace billd
