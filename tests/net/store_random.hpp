// Objects of every stored kind with values drawn at random, the awkward ones more often than chance would have it.
#pragma once

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "config/keys.hpp"
#include "engine/catalog.hpp"
#include "engine/transition.hpp"
#include "net/store/encoding.hpp"

namespace billd::store {

/// The same seed draws the same objects.
class RandomObjects {
 public:
  explicit RandomObjects(std::uint64_t seed, AccountKey account = {}) : dice_(seed), key_(std::move(account)) {}

  std::uint64_t below(std::uint64_t end) { return std::uniform_int_distribution<std::uint64_t>(0, end - 1)(dice_); }
  std::uint64_t bits() { return dice_(); }
  bool coin() { return below(2) == 0; }

  std::int64_t integer();
  std::string text();
  std::string bytes(std::size_t size);
  Timestamp time();
  Money money();
  Currency currency();
  template <class Kind>
  Id<Kind> id();
  template <class Enum>
  Enum one_of(Enum last) {
    return static_cast<Enum>(below(static_cast<std::uint64_t>(last) + 1));
  }
  template <class T, class Draw>
  std::vector<T> some(std::size_t least, Draw draw) {
    std::vector<T> values;
    for (std::size_t count = least + below(3); count > 0; --count) values.push_back(draw());
    return values;
  }
  std::optional<Timestamp> maybe_time() { return coin() ? std::optional(time()) : std::nullopt; }

  Metadata metadata();
  Address address();
  Customer customer();
  Shipping shipping() { return {text(), text(), address()}; }
  CardSummary card();
  BankAccountSummary bank_account();
  MeansSummary means_summary();
  Means means();
  Source source();
  HeldSource held_source();
  SetupIntent setup_intent();
  Recurrence recurrence();
  Decimal decimal();
  Percentage percentage();
  Tier tier();
  Price price();
  CouponTerms coupon_terms();
  Discount discount();
  AppliedTaxRate tax_rate_applied();
  TaxAmount tax_amount();
  Usage usage();
  std::optional<Discount> maybe_discount() { return coin() ? std::optional(discount()) : std::nullopt; }
  std::vector<Discount> discounts() {
    return some<Discount>(0, [this] { return discount(); });
  }
  std::vector<AppliedTaxRate> tax_rates() {
    return some<AppliedTaxRate>(0, [this] { return tax_rate_applied(); });
  }
  SubscriptionItem item();
  PendingUpdate pending_update();
  Subscription subscription();
  InvoiceLine line();
  InvoiceItem invoice_item();
  Refund refund();
  CreditNote credit_note();
  BalanceTransaction balance_transaction();
  Schedule schedule();
  Record record();
  Charge charge();
  Invoice invoice();
  Account account();
  Snapshot snapshot();
  EventBatch event_batch();
  Product product();
  Plan plan();
  Coupon coupon();
  PromotionCode promotion_code();
  TaxRate tax_rate();
  TestClock test_clock();
  ApiKey api_key();
  WebhookEndpoint webhook_endpoint();
  StaffMember staff_member();

 private:
  std::mt19937_64 dice_;
  AccountKey key_;
};

inline std::int64_t RandomObjects::integer() {
  switch (below(6)) {
    case 0:
      return 0;
    case 1:
      return std::numeric_limits<std::int64_t>::max();
    case 2:
      return std::numeric_limits<std::int64_t>::min();
    case 3:
      return static_cast<std::int64_t>(bits());
    default:
      return static_cast<std::int64_t>(below(20'000)) - 10'000;
  }
}

inline std::string RandomObjects::bytes(std::size_t size) {
  std::string text(size, '\0');
  for (char& byte : text) byte = static_cast<char>(below(256));
  return text;
}

inline std::string RandomObjects::text() {
  switch (below(6)) {
    case 0:
      return {};
    case 1:
      return "Visa";  // A common word, stored as a number.
    case 2:
      return bytes(below(200));
    case 3:
      return std::string(below(3000), 'x');
    case 4:  // As gateways name what they were asked for.
      return std::string(below(9), 'p') + id<ChargeKind>().value();
    default:
      return "Café " + std::to_string(below(1000));
  }
}

inline Timestamp RandomObjects::time() {
  switch (below(6)) {
    case 0:
      return Timestamp();
    case 1:
      return from_unix(std::numeric_limits<std::int64_t>::max());
    case 2:
      return from_unix(std::numeric_limits<std::int64_t>::min());
    case 3:
      return end_of_time;
    case 4:
      return from_unix(static_cast<std::int64_t>(below(4'000'000'000)));
    default:
      return Timestamp(Duration(static_cast<std::int64_t>(below(8'000'000'000'000'000)) - 1'000'000'000'000));
  }
}

inline Currency RandomObjects::currency() {
  constexpr std::array codes = {"usd", "eur", "jpy", "kwd"};
  return coin() ? Currency::of(codes[below(codes.size())]) : Currency();
}

inline Money RandomObjects::money() { return {integer(), currency()}; }

template <class Kind>
Id<Kind> RandomObjects::id() {
  switch (below(5)) {
    case 0:
      return {};
    case 1:
      return Id<Kind>(text());  // Brought along from another system.
    case 2:
      return make_id<Kind>(bits(), bits());  // Of billd's form, but of nobody's account.
    case 3:
      return Id<Kind>(std::string(Kind::prefix) + key_.value() + "zzzzzzzzzzzz");
    default:
      return key_.is_empty() ? make_id<Kind>(bits(), bits()) : make_id<Kind>(key_, below(100'000));
  }
}

inline Metadata RandomObjects::metadata() {
  return some<std::pair<std::string, std::string>>(0, [this] { return std::pair(text(), text()); });
}

inline Address RandomObjects::address() { return {text(), text(), text(), text(), text(), text()}; }

inline Customer RandomObjects::customer() {
  return {id<CustomerKind>(),
          time(),
          text(),
          text(),
          text(),
          text(),
          address(),
          metadata(),
          id<SourceKind>(),
          currency(),
          id<TestClockKind>(),
          coin(),
          coin(),
          integer(),
          maybe_discount(),
          id<SourceKind>(),
          shipping(),
          one_of(TaxExempt::reverse),
          some<std::string>(0, [this] { return text(); }),
          bits(),
          static_cast<std::uint32_t>(bits()),
          text(),
          text(),
          text(),
          integer(),
          text(),
          coin() ? std::optional(FormerSystem{bits(), text()}) : std::nullopt,
          some<TaxIdentifier>(0, [this] { return TaxIdentifier{id<TaxIdentifierKind>(), time(), text(), text()}; }),
          text(),
          metadata()};
}

inline CardSummary RandomObjects::card() {
  const auto month = static_cast<std::int32_t>(below(13)), year = static_cast<std::int32_t>(bits());
  return {text(), text(), month, year, text(), text(), text()};
}

inline BankAccountSummary RandomObjects::bank_account() { return {text(), text(), text(), text(), currency(), text()}; }

inline MeansSummary RandomObjects::means_summary() {
  return coin() ? MeansSummary(card()) : MeansSummary(bank_account());
}

inline Means RandomObjects::means() {
  if (coin()) return Card{card(), text(), address(), text(), text(), text()};
  const auto status = one_of(BankAccountStatus::errored);
  return BankAccount{bank_account(), text(), text(), status, static_cast<std::int32_t>(below(5))};
}

inline Source RandomObjects::source() {
  return {id<SourceKind>(), time(), text(), text(), means(),     metadata(),
          maybe_time(),     text(), text(), text(), maybe_time()};
}

inline SetupIntent RandomObjects::setup_intent() {
  return {text(), time(), id<CustomerKind>(), id<SourceKind>(), text(), text(), metadata(), coin(), coin(), text()};
}

inline HeldSource RandomObjects::held_source() {
  return {text(), time(), {id<SourceKind>(), text(), text(), means(), metadata(), text(), text(), coin(), text()}};
}

inline Recurrence RandomObjects::recurrence() {
  return {one_of(Interval::year), static_cast<std::int32_t>(below(36)) + 1};
}

inline Decimal RandomObjects::decimal() { return {integer(), integer()}; }
inline Percentage RandomObjects::percentage() { return {static_cast<std::int32_t>(bits())}; }
inline Tier RandomObjects::tier() { return {integer(), decimal(), decimal()}; }

inline Price RandomObjects::price() {
  Price price{id<PlanKind>(), id<ProductKind>(), text(), money(), recurrence()};
  if (coin()) return price;
  price.unit_fraction = integer();
  price.tiers_mode = one_of(TiersMode::volume);
  price.tiers = some<Tier>(1, [this] { return tier(); });
  price.tiers.back().up_to = 0;
  price.transform = {integer() & std::numeric_limits<std::int64_t>::max(), coin()};
  price.usage_type = one_of(UsageType::metered);
  price.aggregation = one_of(Aggregation::max);
  price.tax_behavior = one_of(TaxBehavior::inclusive);
  price.one_time = coin();
  return price;
}

inline CouponTerms RandomObjects::coupon_terms() {
  return {CouponId(text()),
          text(),
          percentage(),
          money(),
          one_of(CouponDuration::forever),
          static_cast<std::int32_t>(bits()),
          some<ProductId>(0, [this] { return id<ProductKind>(); })};
}

inline Discount RandomObjects::discount() {
  return {id<DiscountKind>(), id<SubscriptionKind>(), coupon_terms(), time(), maybe_time(), id<PromotionCodeKind>()};
}

inline AppliedTaxRate RandomObjects::tax_rate_applied() { return {id<TaxRateKind>(), percentage(), coin()}; }
inline TaxAmount RandomObjects::tax_amount() { return {tax_rate_applied(), integer(), integer()}; }

inline Usage RandomObjects::usage() {
  return {{from_unix(7), end_of_time},
          id<InvoiceKind>(),
          some<UsagePoint>(0, [this] { return UsagePoint{time(), integer()}; }),
          maybe_time(),
          integer(),
          integer(),
          integer()};
}

inline SubscriptionItem RandomObjects::item() {
  return {id<SubscriptionItemKind>(),
          time(),
          price(),
          integer(),
          metadata(),
          tax_rates(),
          coin() ? integer() : 0,
          some<Usage>(0, [this] { return usage(); })};
}

inline PendingUpdate RandomObjects::pending_update() {
  PendingUpdate update;
  update.invoice = id<InvoiceKind>();
  update.expires_at = time();
  update.ends_when_declined = coin();
  update.items = some<SubscriptionItem>(1, [this] { return item(); });
  update.anchor = time();
  update.anchor_ordinal = integer();
  update.ordinal = integer();
  update.current_period = {from_unix(1), end_of_time};
  update.free_until_anchor = coin();
  update.trial_start = maybe_time();
  update.trial_end = maybe_time();
  update.trial_will_end_at = maybe_time();
  update.paid_until = maybe_time();
  update.changed_at = maybe_time();
  update.upcoming_at = maybe_time();
  update.status = one_of(SubscriptionStatus::paused);
  update.previous_invoice = id<InvoiceKind>();
  update.objects_before = bits();
  return update;
}

inline Subscription RandomObjects::subscription() {
  Subscription subscription;
  subscription.id = id<SubscriptionKind>();
  subscription.status = one_of(SubscriptionStatus::paused);
  subscription.created = time();
  subscription.items = some<SubscriptionItem>(1, [this] { return item(); });
  subscription.anchor = time();
  subscription.anchor_ordinal = integer();
  subscription.ordinal = integer();
  subscription.current_period = {from_unix(1), end_of_time};
  subscription.trial_start = maybe_time();
  subscription.trial_end = maybe_time();
  subscription.trial_will_end_at = maybe_time();
  subscription.cancel_at_period_end = coin();
  subscription.canceled_at = maybe_time();
  subscription.ended_at = maybe_time();
  subscription.expires_at = maybe_time();
  subscription.provisional = coin();
  subscription.latest_invoice = id<InvoiceKind>();
  subscription.default_source = id<SourceKind>();
  subscription.metadata = metadata();
  subscription.collection = one_of(Collection::send_invoice);
  subscription.days_until_due = static_cast<std::int32_t>(bits());
  subscription.cancel_at = maybe_time();
  subscription.paid_until = maybe_time();
  subscription.changed_at = maybe_time();
  subscription.free_until_anchor = coin();
  subscription.discount = maybe_discount();
  subscription.tax_rates = tax_rates();
  subscription.renewal_trigger = one_of(RenewalTrigger::webhook);
  subscription.grace_until = maybe_time();
  if (coin()) subscription.pause = Pause{one_of(PauseBehavior::void_), maybe_time()};
  subscription.upcoming_at = maybe_time();
  subscription.schedule = id<ScheduleKind>();
  subscription.description = text();
  subscription.cancellation_comment = text();
  subscription.cancellation_feedback = text();
  subscription.first_ordinal = integer();
  if (coin()) subscription.pending_update = pending_update();
  subscription.missing_payment_method = one_of(MissingPaymentMethod::pause);
  subscription.start_date = maybe_time();
  if (coin()) subscription.pending_item_interval = PendingItemInterval{recurrence(), time(), integer()};
  subscription.saves_source = coin();
  return subscription;
}

inline InvoiceLine RandomObjects::line() {
  InvoiceLine line{id<InvoiceLineKind>(),      money(), {end_of_time, Timestamp()}, integer(), price(),
                   id<SubscriptionItemKind>(), coin()};
  if (coin()) return line;
  line.invoice_item = id<InvoiceItemKind>();
  line.created = time();
  line.subscription = id<SubscriptionKind>();
  line.description = text();
  line.discountable = coin();
  line.proration = coin();
  line.metadata = metadata();
  line.discount = integer();
  line.tax_rates = tax_rates();
  line.taxes = some<TaxAmount>(0, [this] { return tax_amount(); });
  line.discounts = discounts();
  return line;
}

inline InvoiceItem RandomObjects::invoice_item() {
  InvoiceItem item;
  item.id = id<InvoiceItemKind>();
  item.created = time();
  item.amount = money();
  item.quantity = integer();
  item.price = price();
  item.period = {Timestamp(), from_unix(static_cast<std::int64_t>(below(100)))};
  item.subscription = id<SubscriptionKind>();
  item.item = id<SubscriptionItemKind>();
  item.description = text();
  item.discountable = coin();
  item.proration = coin();
  item.metadata = metadata();
  item.bill_at = maybe_time();
  item.days_until_due = static_cast<std::int32_t>(bits());
  item.tax_rates = tax_rates();
  item.discounts = discounts();
  return item;
}

inline Refund RandomObjects::refund() {
  Refund refund;
  refund.id = id<RefundKind>();
  refund.state = one_of(RefundState::parked);
  refund.amount = money();
  refund.created = time();
  refund.resolve_at = time();
  refund.reason = text();
  refund.failure_reason = text();
  refund.gateway_reference = text();
  refund.credit_note = id<CreditNoteKind>();
  refund.metadata = metadata();
  return refund;
}

inline CreditNote RandomObjects::credit_note() {
  CreditNote note;
  note.id = id<CreditNoteKind>();
  note.number = text();
  note.created = time();
  note.amount = money();
  note.lines = some<CreditNoteLine>(0, [this] {
    CreditNoteLine line{id<CreditNoteLineKind>(), money(), id<InvoiceLineKind>(), text(), integer(), integer()};
    line.taxes = some<TaxAmount>(0, [this] { return tax_amount(); });
    return line;
  });
  note.reason = text();
  note.memo = text();
  note.metadata = metadata();
  note.after_payment = coin();
  note.refunded = integer();
  note.credited = integer();
  note.out_of_band = integer();
  note.refund = id<RefundKind>();
  note.balance_transaction = id<BalanceTransactionKind>();
  note.voided_at = maybe_time();
  return note;
}

inline BalanceTransaction RandomObjects::balance_transaction() {
  return {id<BalanceTransactionKind>(),
          time(),
          one_of(BalanceReason::credit_note),
          money(),
          integer(),
          id<InvoiceKind>(),
          id<CreditNoteKind>(),
          text(),
          metadata()};
}

inline Schedule RandomObjects::schedule() {
  Schedule schedule;
  schedule.description = text();
  schedule.anchor_at_start = coin();
  schedule.id = id<ScheduleKind>();
  schedule.status = one_of(ScheduleStatus::canceled);
  schedule.created = time();
  schedule.subscription = id<SubscriptionKind>();
  schedule.phases = some<Phase>(1, [this] {
    Phase phase;
    phase.start = time();
    phase.end = time();
    phase.items = some<PhaseItem>(0, [this] { return PhaseItem{price(), integer(), metadata(), tax_rates()}; });
    phase.proration = one_of(PhaseProration::none);
    phase.trial_end = maybe_time();
    phase.anchor = one_of(PhaseAnchor::automatic);
    phase.discount = maybe_discount();
    phase.tax_rates = tax_rates();
    phase.one_time_items = some<OneTimeItem>(0, [this] { return OneTimeItem{price(), integer(), text()}; });
    if (coin()) phase.collection = one_of(Collection::send_invoice);
    phase.days_until_due = static_cast<std::int32_t>(below(100));
    phase.default_source = id<SourceKind>();
    phase.description = text();
    phase.metadata = metadata();
    return phase;
  });
  schedule.phase = static_cast<std::int32_t>(below(schedule.phases.size()));
  schedule.end_behavior = one_of(EndBehavior::cancel);
  schedule.collection = one_of(Collection::send_invoice);
  schedule.days_until_due = static_cast<std::int32_t>(bits());
  schedule.default_source = id<SourceKind>();
  schedule.completed_at = maybe_time();
  schedule.released_at = maybe_time();
  schedule.canceled_at = maybe_time();
  schedule.metadata = metadata();
  return schedule;
}

inline Charge RandomObjects::charge() {
  Charge charge;
  charge.id = id<ChargeKind>();
  charge.attempt = static_cast<std::int32_t>(bits());
  charge.state = one_of(ChargeState::absent);
  charge.amount = money();
  charge.created = time();
  charge.resolve_at = time();
  charge.source = id<SourceKind>();
  charge.gateway = text();
  charge.gateway_source = text();
  charge.description = text();
  charge.metadata = metadata();
  charge.means = means_summary();
  charge.decline_code = text();
  charge.gateway_reference = text();
  charge.automatic = coin();
  charge.refunds = some<Refund>(0, [this] { return refund(); });
  charge.contradicted = coin();
  charge.is_direct = coin();
  if (coin()) charge.dispute = Dispute{text(), one_of(DisputeStatus::lost), money(), text(), time()};
  return charge;
}

inline Invoice RandomObjects::invoice() {
  Invoice invoice;
  invoice.id = id<InvoiceKind>();
  invoice.status = one_of(InvoiceStatus::void_);
  invoice.number = coin() ? text() : invoice_prefix(key_) + "-" + std::to_string(integer());
  invoice.reason = one_of(BillingReason::direct_charge);
  invoice.created = time();
  invoice.subscription = id<SubscriptionKind>();
  invoice.ordinal = integer();
  invoice.period = {Timestamp(), from_unix(static_cast<std::int64_t>(below(100)))};
  invoice.lines = some<InvoiceLine>(0, [this] { return line(); });
  invoice.total = money();
  invoice.amount_paid = money();
  invoice.auto_advance = coin();
  invoice.finalize_at = maybe_time();
  invoice.finalized_at = maybe_time();
  invoice.next_attempt_at = maybe_time();
  invoice.paid_at = maybe_time();
  invoice.attempt_count = static_cast<std::int32_t>(bits());
  invoice.attempted = coin();
  invoice.provisional = coin();
  invoice.charges = some<Charge>(0, [this] { return charge(); });
  invoice.metadata = metadata();
  invoice.description = text();
  invoice.collection = one_of(Collection::send_invoice);
  invoice.due_at = maybe_time();
  invoice.overdue_at = maybe_time();
  invoice.paid_out_of_band = coin();
  invoice.voided_at = maybe_time();
  invoice.marked_uncollectible_at = maybe_time();
  invoice.default_source = id<SourceKind>();
  invoice.starting_balance = integer();
  invoice.ending_balance = integer();
  invoice.discount = maybe_discount();
  invoice.tax_rates = tax_rates();
  invoice.credit_notes = some<CreditNote>(0, [this] { return credit_note(); });
  invoice.footer = text();
  invoice.custom_fields = metadata();
  invoice.statement_descriptor = text();
  invoice.has_own_discount = coin();
  invoice.customer_tax_identifiers = metadata();
  invoice.is_tentative = coin();
  return invoice;
}

inline Record RandomObjects::record() {
  switch (below(4)) {
    case 0:
      return invoice();
    case 1:
      return subscription();
    case 2:
      return balance_transaction();
    default:
      return schedule();
  }
}

inline Account RandomObjects::account() {
  Account account;
  account.key = key_;
  account.mode = one_of(Mode::live);
  account.version = bits();
  account.objects = bits();
  account.events = bits() >> below(64);
  account.invoices_numbered = below(3);
  account.customer = customer();
  account.sources = some<Source>(0, [this] { return source(); });
  account.subscriptions = some<Subscription>(0, [this] { return subscription(); });
  account.invoices = some<Invoice>(0, [this] { return invoice(); });
  account.invoice_items = some<InvoiceItem>(0, [this] { return invoice_item(); });
  account.schedules = some<Schedule>(0, [this] { return schedule(); });
  return account;
}

inline Snapshot RandomObjects::snapshot() {
  switch (below(11)) {
    case 9:
      return discount();
    case 10:
      return TaxIdentifier{id<TaxIdentifierKind>(), time(), text(), text()};
    case 0:
      return customer();
    case 1:
      return source();
    case 2:
      return subscription();
    case 3:
      return invoice();
    case 4:
      return invoice_item();
    case 6:
      return CreditNoteSnapshot{credit_note(), id<InvoiceKind>()};
    case 7:
      return schedule();
    case 5:
      return RefundSnapshot{refund(), id<ChargeKind>(), id<InvoiceKind>()};
    default:
      return ChargeSnapshot{charge(), id<InvoiceKind>()};
  }
}

inline EventBatch RandomObjects::event_batch() {
  EventBatch batch;
  batch.key = key_;
  batch.created = time();
  batch.sequence = bits();
  batch.request_id = text();
  batch.idempotency_key = text();
  batch.snapshots = some<Snapshot>(1, [this] { return snapshot(); });
  batch.events = some<Event>(0, [this, &batch] {
    Event event{
        one_of(EventType::tax_identifier_deleted), static_cast<std::uint32_t>(below(batch.snapshots.size())), {}};
    if (coin()) event.previous = static_cast<std::uint32_t>(below(batch.snapshots.size()));
    return event;
  });
  return batch;
}

inline Product RandomObjects::product() {
  return {id<ProductKind>(),
          time(),
          time(),
          text(),
          text(),
          coin(),
          text(),
          text(),
          text(),
          text(),
          text(),
          some<std::string>(0, [this] { return text(); }),
          some<std::string>(0, [this] { return text(); }),
          id<PlanKind>(),
          metadata(),
          coin()};
}

inline Plan RandomObjects::plan() {
  return {price(), time(), text(), static_cast<std::int32_t>(bits()), coin(), metadata(), coin(), text()};
}

inline Coupon RandomObjects::coupon() { return {coupon_terms(), time(), integer(), maybe_time(), metadata(), coin()}; }

inline PromotionCode RandomObjects::promotion_code() {
  return {id<PromotionCodeKind>(),
          time(),
          CouponId(text()),
          text(),
          coin(),
          id<CustomerKind>(),
          maybe_time(),
          integer(),
          coin(),
          money(),
          metadata()};
}

inline TaxRate RandomObjects::tax_rate() {
  return {id<TaxRateKind>(), time(), percentage(), coin(), coin(), text(), text(), text(), text(), text(), text(),
          metadata()};
}

inline TestClock RandomObjects::test_clock() {
  return {id<TestClockKind>(), text(), time(), time(), one_of(TestClockStatus::advancing), time(), time()};
}

inline WebhookEndpoint RandomObjects::webhook_endpoint() {
  return {id<WebhookEndpointKind>(),
          time(),
          text(),
          {text(), text()},
          text(),
          metadata(),
          text(),
          coin(),
          text(),
          static_cast<std::uint32_t>(below(9)),
          time(),
          text(),
          time()};
}

inline StaffMember RandomObjects::staff_member() {
  return {text(), text(), one_of(Mode::live), one_of(StaffRole::service), text(), time()};
}

inline ApiKey RandomObjects::api_key() {
  return {text(), text(), one_of(Mode::live), text(), text(), text(), time(), maybe_time(), text()};
}

}  // namespace billd::store
