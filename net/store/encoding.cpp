// The fields of every stored object, by their numbers.
#include "net/store/encoding.hpp"

#include <array>

#include "net/store/codec.hpp"

namespace billd {

// Found by argument-dependent lookup from the codec. Numbers are never used again for another meaning; a new field gets
// a new number and a new form_version. A field is left out when it has its default value.

constexpr Mode last_enumerator(Mode) { return Mode::live; }
constexpr StaffRole last_enumerator(StaffRole) { return StaffRole::service; }
constexpr Interval last_enumerator(Interval) { return Interval::year; }
constexpr SubscriptionStatus last_enumerator(SubscriptionStatus) { return SubscriptionStatus::paused; }
constexpr ChargeState last_enumerator(ChargeState) { return ChargeState::absent; }
constexpr RefundState last_enumerator(RefundState) { return RefundState::parked; }
constexpr DisputeStatus last_enumerator(DisputeStatus) { return DisputeStatus::lost; }
constexpr RenewalTrigger last_enumerator(RenewalTrigger) { return RenewalTrigger::webhook; }
constexpr InvoiceStatus last_enumerator(InvoiceStatus) { return InvoiceStatus::void_; }
constexpr BillingReason last_enumerator(BillingReason) { return BillingReason::direct_charge; }
constexpr Collection last_enumerator(Collection) { return Collection::send_invoice; }
constexpr TiersMode last_enumerator(TiersMode) { return TiersMode::volume; }
constexpr UsageType last_enumerator(UsageType) { return UsageType::metered; }
constexpr Aggregation last_enumerator(Aggregation) { return Aggregation::max; }
constexpr TaxBehavior last_enumerator(TaxBehavior) { return TaxBehavior::inclusive; }
constexpr CouponDuration last_enumerator(CouponDuration) { return CouponDuration::forever; }
constexpr EventType last_enumerator(EventType) { return EventType::tax_identifier_deleted; }
constexpr TaxExempt last_enumerator(TaxExempt) { return TaxExempt::reverse; }
constexpr BankAccountStatus last_enumerator(BankAccountStatus) { return BankAccountStatus::errored; }
constexpr PauseBehavior last_enumerator(PauseBehavior) { return PauseBehavior::void_; }
constexpr PhaseProration last_enumerator(PhaseProration) { return PhaseProration::none; }
constexpr PhaseAnchor last_enumerator(PhaseAnchor) { return PhaseAnchor::automatic; }
constexpr MissingPaymentMethod last_enumerator(MissingPaymentMethod) { return MissingPaymentMethod::pause; }
constexpr ScheduleStatus last_enumerator(ScheduleStatus) { return ScheduleStatus::canceled; }
constexpr EndBehavior last_enumerator(EndBehavior) { return EndBehavior::cancel; }
constexpr BalanceReason last_enumerator(BalanceReason) { return BalanceReason::credit_note; }
constexpr TestClockStatus last_enumerator(TestClockStatus) { return TestClockStatus::advancing; }

bool is_sound(const Recurrence& recurrence) { return recurrence.count >= 1; }
bool is_sound(const Price& price) {
  return (price.tiers_mode == TiersMode::none || (!price.tiers.empty() && price.tiers.back().up_to == 0)) &&
         price.transform.divide_by >= 0;
}
// The same from invoice to invoice, and half of it.
bool is_shared(const Price& price) { return price != Price(); }
bool is_shared(const CouponTerms& coupon) { return coupon != CouponTerms(); }
bool is_shared(const AppliedTaxRate& rate) { return rate != AppliedTaxRate(); }
bool is_shared(const CardSummary& card) { return card != CardSummary(); }
bool is_shared(const BankAccountSummary& account) { return account != BankAccountSummary(); }

bool is_sound(const Subscription& subscription) { return !subscription.items.empty(); }
bool is_sound(const PendingUpdate& update) { return !update.items.empty(); }
bool is_sound(const Schedule& schedule) {
  return schedule.phase >= 0 && static_cast<std::size_t>(schedule.phase) < schedule.phases.size();
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Address> address) {
  archive.field(1, address.line1);
  archive.field(2, address.line2);
  archive.field(3, address.city);
  archive.field(4, address.state);
  archive.field(5, address.postal_code);
  archive.field(6, address.country);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Decimal> number) {
  archive.field(1, number.minor);
  archive.field(2, number.fraction);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Percentage> share) {
  archive.field(1, share.millionths);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<CouponTerms> coupon) {
  archive.field(1, coupon.id);
  archive.field(2, coupon.name);
  archive.field(3, coupon.percent_off);
  archive.field(4, coupon.amount_off);
  archive.field(5, coupon.duration);
  archive.field(6, coupon.duration_in_months);
  archive.field(7, coupon.products);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Discount> discount) {
  archive.field(1, discount.id);
  archive.field(2, discount.coupon);
  archive.field(3, discount.start);
  archive.field(4, discount.end);
  archive.field(5, discount.promotion_code);
  archive.field(6, discount.subscription);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<AppliedTaxRate> rate) {
  archive.field(1, rate.id);
  archive.field(2, rate.percentage);
  archive.field(3, rate.inclusive);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<TaxAmount> tax) {
  archive.field(1, tax.rate);
  archive.field(2, tax.amount);
  archive.field(3, tax.taxable);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<UsagePoint> point) {
  archive.field(1, point.time);
  archive.field(2, point.quantity);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Usage> usage) {
  archive.field(1, usage.period);
  archive.field(2, usage.invoice);
  archive.field(3, usage.points);
  archive.field(4, usage.folded_until);
  archive.field(5, usage.folded_sum);
  archive.field(6, usage.folded_max);
  archive.field(7, usage.folded_last);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Shipping> shipping) {
  archive.field(1, shipping.name);
  archive.field(2, shipping.phone);
  archive.field(3, shipping.address);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<FormerSystem> former) {
  archive.field(1, former.invoices_numbered);
  archive.field(2, former.invoice_prefix);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<TaxIdentifier> identifier) {
  archive.field(1, identifier.id);
  archive.field(2, identifier.created);
  archive.field(3, identifier.type);
  archive.field(4, identifier.value);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Customer> customer) {
  archive.field(1, customer.id);
  archive.field(2, customer.created);
  archive.field(3, customer.email);
  archive.field(4, customer.name);
  archive.field(5, customer.phone);
  archive.field(6, customer.description);
  archive.field(7, customer.address);
  archive.field(8, customer.metadata);
  archive.field(9, customer.default_source);
  archive.field(10, customer.currency);
  archive.field(11, customer.test_clock);
  archive.field(12, customer.delinquent);
  archive.field(13, customer.deleted);
  archive.field(14, customer.balance);
  archive.field(15, customer.discount);
  archive.field(16, customer.default_payment_method);
  archive.field(17, customer.shipping);
  archive.field(18, customer.tax_exempt);
  archive.field(19, customer.preferred_locales);
  archive.field(20, customer.number);
  archive.field(21, customer.first_name_size);
  archive.field(22, customer.organization);
  archive.field(23, customer.external_id);
  archive.field(24, customer.code);
  archive.field(25, customer.account_id);
  archive.field(26, customer.user_name);
  archive.field(27, customer.former);
  archive.field(28, customer.tax_identifiers);
  archive.field(29, customer.invoice_footer);
  archive.field(30, customer.invoice_fields);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<CardSummary> card) {
  archive.field(1, card.brand);
  archive.field(2, card.last4);
  archive.field(3, card.exp_month);
  archive.field(4, card.exp_year);
  archive.field(5, card.funding);
  archive.field(6, card.country);
  archive.field(7, card.fingerprint);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Card> card) {
  archive.field(1, card.summary);
  archive.field(2, card.name);
  archive.field(3, card.address);
  archive.field(4, card.cvc_check);
  archive.field(5, card.address_line1_check);
  archive.field(6, card.address_zip_check);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<BankAccountSummary> account) {
  archive.field(1, account.bank_name);
  archive.field(2, account.last4);
  archive.field(3, account.routing_number);
  archive.field(4, account.country);
  archive.field(5, account.currency);
  archive.field(6, account.fingerprint);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<BankAccount> account) {
  archive.field(1, account.summary);
  archive.field(2, account.holder_name);
  archive.field(3, account.holder_type);
  archive.field(4, account.status);
  archive.field(5, account.failed_verifications);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Source> source) {
  archive.field(1, source.id);
  archive.field(2, source.created);
  archive.field(3, source.gateway);
  archive.field(4, source.reference);
  archive.field(5, source.means);
  archive.field(6, source.metadata);
  archive.field(7, source.email);
  archive.field(8, source.phone);
  archive.field(9, source.last_used);
  archive.field(10, source.nickname);
  archive.field(11, source.expiring_at);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<NewSource> source) {
  archive.field(1, source.id);
  archive.field(2, source.gateway);
  archive.field(3, source.reference);
  archive.field(4, source.means);
  archive.field(5, source.metadata);
  archive.field(6, source.is_payment_method);
  archive.field(7, source.email);
  archive.field(8, source.phone);
  archive.field(9, source.nickname);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Recurrence> recurrence) {
  archive.field(1, recurrence.interval);
  archive.field(2, recurrence.count);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Tier> tier) {
  archive.field(1, tier.up_to);
  archive.field(2, tier.unit_amount);
  archive.field(3, tier.flat_amount);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<QuantityTransform> transform) {
  archive.field(1, transform.divide_by);
  archive.field(2, transform.round_up);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Price> price) {
  archive.field(1, price.id);
  archive.field(2, price.product);
  archive.field(3, price.nickname);
  archive.field(4, price.unit_amount);
  archive.field(5, price.recurrence);
  archive.field(6, price.unit_fraction);
  archive.field(7, price.tiers_mode);
  archive.field(8, price.tiers);
  archive.field(9, price.transform);
  archive.field(10, price.usage_type);
  archive.field(11, price.aggregation);
  archive.field(12, price.tax_behavior);
  archive.field(13, price.one_time);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<SubscriptionItem> item) {
  archive.field(1, item.id);
  archive.field(2, item.created);
  archive.field(3, item.price);
  archive.field(4, item.quantity);
  archive.field(5, item.metadata);
  archive.field(6, item.tax_rates);
  archive.field(7, item.discount);
  archive.field(8, item.usage);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Pause> pause) {
  archive.field(1, pause.behavior);
  archive.field(2, pause.resumes_at);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<PendingUpdate> update) {
  archive.field(1, update.invoice);
  archive.field(2, update.expires_at);
  archive.field(3, update.ends_when_declined);
  archive.field(4, update.items);
  archive.field(5, update.anchor);
  archive.field(6, update.anchor_ordinal);
  archive.field(7, update.ordinal);
  archive.field(8, update.current_period);
  archive.field(9, update.free_until_anchor);
  archive.field(10, update.trial_start);
  archive.field(11, update.trial_end);
  archive.field(12, update.trial_will_end_at);
  archive.field(13, update.paid_until);
  archive.field(14, update.changed_at);
  archive.field(15, update.upcoming_at);
  archive.field(16, update.status);
  archive.field(17, update.previous_invoice);
  archive.field(18, update.objects_before);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<PendingItemInterval> interval) {
  archive.field(1, interval.recurrence);
  archive.field(2, interval.anchor);
  archive.field(3, interval.ordinal);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Subscription> subscription) {
  archive.field(1, subscription.id);
  archive.field(2, subscription.status);
  archive.field(3, subscription.created);
  archive.field(4, subscription.items);
  archive.field(5, subscription.anchor);
  archive.field(6, subscription.anchor_ordinal);
  archive.field(7, subscription.ordinal);
  archive.field(8, subscription.current_period);
  archive.field(9, subscription.trial_start);
  archive.field(10, subscription.trial_end);
  archive.field(11, subscription.cancel_at_period_end);
  archive.field(12, subscription.canceled_at);
  archive.field(13, subscription.ended_at);
  archive.field(14, subscription.expires_at);
  archive.field(15, subscription.provisional);
  archive.field(16, subscription.latest_invoice);
  archive.field(17, subscription.default_source);
  archive.field(18, subscription.metadata);
  archive.field(19, subscription.trial_will_end_at);
  archive.field(20, subscription.collection);
  archive.field(21, subscription.days_until_due);
  archive.field(22, subscription.cancel_at);
  archive.field(23, subscription.paid_until);
  archive.field(24, subscription.changed_at);
  archive.field(25, subscription.free_until_anchor);
  archive.field(26, subscription.discount);
  archive.field(27, subscription.tax_rates);
  archive.field(28, subscription.renewal_trigger);
  archive.field(29, subscription.grace_until);
  archive.field(30, subscription.pause);
  archive.field(31, subscription.upcoming_at);
  archive.field(32, subscription.schedule);
  archive.field(33, subscription.description);
  archive.field(34, subscription.cancellation_comment);
  archive.field(35, subscription.cancellation_feedback);
  archive.field(36, subscription.first_ordinal);
  archive.field(37, subscription.pending_update);
  archive.field(38, subscription.missing_payment_method);
  archive.field(39, subscription.start_date);
  archive.field(40, subscription.pending_item_interval);
  archive.field(41, subscription.saves_source);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<OneTimeItem> item) {
  archive.field(1, item.price);
  archive.field(2, item.quantity);
  archive.field(3, item.description);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<PhaseItem> item) {
  archive.field(1, item.price);
  archive.field(2, item.quantity);
  archive.field(3, item.metadata);
  archive.field(4, item.tax_rates);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Phase> phase) {
  archive.field(1, phase.start);
  archive.field(2, phase.end);
  archive.field(3, phase.items);
  archive.field(4, phase.proration);
  archive.field(5, phase.trial_end);
  archive.field(6, phase.anchor);
  archive.field(7, phase.discount);
  archive.field(8, phase.tax_rates);
  archive.field(9, phase.one_time_items);
  archive.field(10, phase.collection);
  archive.field(11, phase.days_until_due);
  archive.field(12, phase.default_source);
  archive.field(13, phase.description);
  archive.field(14, phase.metadata);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Schedule> schedule) {
  archive.field(1, schedule.id);
  archive.field(2, schedule.status);
  archive.field(3, schedule.created);
  archive.field(4, schedule.subscription);
  archive.field(5, schedule.phases);
  archive.field(6, schedule.phase);
  archive.field(7, schedule.end_behavior);
  archive.field(8, schedule.collection);
  archive.field(9, schedule.days_until_due);
  archive.field(10, schedule.default_source);
  archive.field(11, schedule.completed_at);
  archive.field(12, schedule.released_at);
  archive.field(13, schedule.canceled_at);
  archive.field(14, schedule.metadata);
  archive.field(15, schedule.description);
  archive.field(16, schedule.anchor_at_start);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<BalanceTransaction> transaction) {
  archive.field(1, transaction.id);
  archive.field(2, transaction.created);
  archive.field(3, transaction.reason);
  archive.field(4, transaction.amount);
  archive.field(5, transaction.ending_balance);
  archive.field(6, transaction.invoice);
  archive.field(7, transaction.credit_note);
  archive.field(8, transaction.description);
  archive.field(9, transaction.metadata);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<CreditNoteLine> line) {
  archive.field(1, line.id);
  archive.field(2, line.amount);
  archive.field(3, line.invoice_line);
  archive.field(4, line.description);
  archive.field(5, line.quantity);
  archive.field(6, line.discount);
  archive.field(7, line.taxes);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<CreditNote> note) {
  archive.field(1, note.id);
  archive.field(2, note.number);
  archive.field(3, note.created);
  archive.field(4, note.amount);
  archive.field(5, note.lines);
  archive.field(6, note.reason);
  archive.field(7, note.memo);
  archive.field(8, note.metadata);
  archive.field(9, note.after_payment);
  archive.field(10, note.refunded);
  archive.field(11, note.credited);
  archive.field(12, note.out_of_band);
  archive.field(13, note.refund);
  archive.field(14, note.balance_transaction);
  archive.field(15, note.voided_at);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<CreditNoteSnapshot> snapshot) {
  archive.field(1, snapshot.note);
  archive.field(2, snapshot.invoice);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<InvoiceLine> line) {
  archive.field(1, line.id);
  archive.field(2, line.amount);
  archive.field(3, line.period);
  archive.field(4, line.quantity);
  archive.field(5, line.price);
  archive.field(6, line.item);
  archive.field(7, line.trial);
  archive.field(8, line.invoice_item);
  archive.field(9, line.created);
  archive.field(10, line.subscription);
  archive.field(11, line.description);
  archive.field(12, line.discountable);
  archive.field(13, line.proration);
  archive.field(14, line.metadata);
  archive.field(15, line.discount);
  archive.field(16, line.tax_rates);
  archive.field(17, line.taxes);
  archive.field(18, line.discounts);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<InvoiceItem> item) {
  archive.field(1, item.id);
  archive.field(2, item.created);
  archive.field(3, item.amount);
  archive.field(4, item.quantity);
  archive.field(5, item.price);
  archive.field(6, item.period);
  archive.field(7, item.subscription);
  archive.field(8, item.item);
  archive.field(9, item.description);
  archive.field(10, item.discountable);
  archive.field(11, item.proration);
  archive.field(12, item.metadata);
  archive.field(13, item.bill_at);
  archive.field(14, item.days_until_due);
  archive.field(15, item.tax_rates);
  archive.field(16, item.discounts);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Refund> refund) {
  archive.field(1, refund.id);
  archive.field(2, refund.state);
  archive.field(3, refund.amount);
  archive.field(4, refund.created);
  archive.field(5, refund.resolve_at);
  archive.field(6, refund.reason);
  archive.field(7, refund.failure_reason);
  archive.field(8, refund.gateway_reference);
  archive.field(9, refund.credit_note);
  archive.field(10, refund.metadata);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Dispute> dispute) {
  archive.field(1, dispute.reference);
  archive.field(2, dispute.status);
  archive.field(3, dispute.amount);
  archive.field(4, dispute.reason);
  archive.field(5, dispute.created);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Charge> charge) {
  archive.field(1, charge.id);
  archive.field(2, charge.attempt);
  archive.field(3, charge.state);
  archive.field(4, charge.amount);
  archive.field(5, charge.created);
  archive.field(6, charge.resolve_at);
  archive.field(7, charge.source);
  archive.field(8, charge.gateway);
  archive.field(9, charge.gateway_source);
  archive.field(10, charge.means);
  archive.field(11, charge.decline_code);
  archive.field(12, charge.gateway_reference);
  archive.field(13, charge.automatic);
  archive.field(14, charge.refunds);
  archive.field(15, charge.contradicted);
  archive.field(16, charge.dispute);
  archive.field(17, charge.description);
  archive.field(18, charge.metadata);
  archive.field(19, charge.is_direct);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<ChargeSnapshot> snapshot) {
  archive.field(1, snapshot.charge);
  archive.field(2, snapshot.invoice);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<RefundSnapshot> snapshot) {
  archive.field(1, snapshot.refund);
  archive.field(2, snapshot.charge);
  archive.field(3, snapshot.invoice);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Invoice> invoice) {
  archive.field(1, invoice.id);
  archive.field(2, invoice.status);
  archive.invoice_number(3, invoice.number);
  archive.field(4, invoice.reason);
  archive.field(5, invoice.created);
  archive.field(6, invoice.subscription);
  archive.field(7, invoice.ordinal);
  archive.field(8, invoice.period);
  archive.field(9, invoice.lines);
  archive.field(10, invoice.total);
  archive.field(11, invoice.amount_paid);
  archive.field(12, invoice.auto_advance);
  archive.field(13, invoice.finalize_at);
  archive.field(14, invoice.finalized_at);
  archive.field(15, invoice.next_attempt_at);
  archive.field(16, invoice.paid_at);
  archive.field(17, invoice.attempt_count);
  archive.field(18, invoice.attempted);
  archive.field(19, invoice.provisional);
  archive.field(20, invoice.charges);
  archive.field(21, invoice.metadata);
  archive.field(22, invoice.description);
  archive.field(23, invoice.collection);
  archive.field(24, invoice.due_at);
  archive.field(25, invoice.overdue_at);
  archive.field(26, invoice.paid_out_of_band);
  archive.field(27, invoice.voided_at);
  archive.field(28, invoice.marked_uncollectible_at);
  archive.field(29, invoice.default_source);
  archive.field(30, invoice.starting_balance);
  archive.field(31, invoice.ending_balance);
  archive.field(32, invoice.discount);
  archive.field(33, invoice.tax_rates);
  archive.field(34, invoice.credit_notes);
  archive.field(35, invoice.footer);
  archive.field(36, invoice.custom_fields);
  archive.field(37, invoice.statement_descriptor);
  archive.field(38, invoice.has_own_discount);
  archive.field(39, invoice.customer_tax_identifiers);
  archive.field(40, invoice.is_tentative);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Event> event) {
  archive.field(1, event.type);
  archive.field(2, event.snapshot);
  archive.field(3, event.previous);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Product> product) {
  archive.field(1, product.id);
  archive.field(2, product.created);
  archive.field(3, product.updated);
  archive.field(4, product.name);
  archive.field(5, product.description);
  archive.field(6, product.active);
  archive.field(7, product.type);
  archive.field(8, product.statement_descriptor);
  archive.field(9, product.unit_label);
  archive.field(10, product.tax_code);
  archive.field(11, product.url);
  archive.field(12, product.images);
  archive.field(13, product.attributes);
  archive.field(14, product.default_price);
  archive.field(15, product.metadata);
  archive.field(16, product.deleted);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Plan> plan) {
  archive.field(1, archive.template base<Price>(plan));
  archive.field(2, plan.created);
  archive.field(3, plan.product_name);
  archive.field(4, plan.trial_period_days);
  archive.field(5, plan.active);
  archive.field(6, plan.metadata);
  archive.field(7, plan.deleted);
  archive.field(8, plan.lookup_key);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<Coupon> coupon) {
  archive.field(1, archive.template base<CouponTerms>(coupon));
  archive.field(2, coupon.created);
  archive.field(3, coupon.max_redemptions);
  archive.field(4, coupon.redeem_by);
  archive.field(5, coupon.metadata);
  archive.field(6, coupon.deleted);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<PromotionCode> code) {
  archive.field(1, code.id);
  archive.field(2, code.created);
  archive.field(3, code.coupon);
  archive.field(4, code.code);
  archive.field(5, code.active);
  archive.field(6, code.customer);
  archive.field(7, code.expires_at);
  archive.field(8, code.max_redemptions);
  archive.field(9, code.first_time_transaction);
  archive.field(10, code.minimum_amount);
  archive.field(11, code.metadata);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<TaxRate> rate) {
  archive.field(1, rate.id);
  archive.field(2, rate.created);
  archive.field(3, rate.percentage);
  archive.field(4, rate.inclusive);
  archive.field(5, rate.active);
  archive.field(6, rate.display_name);
  archive.field(7, rate.description);
  archive.field(8, rate.jurisdiction);
  archive.field(9, rate.country);
  archive.field(10, rate.state);
  archive.field(11, rate.tax_type);
  archive.field(12, rate.metadata);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<WebhookEndpoint> endpoint) {
  archive.field(1, endpoint.id);
  archive.field(2, endpoint.created);
  archive.field(3, endpoint.url);
  archive.field(4, endpoint.enabled_events);
  archive.field(5, endpoint.description);
  archive.field(6, endpoint.metadata);
  archive.field(7, endpoint.api_version);
  archive.field(8, endpoint.is_disabled);
  archive.field(9, endpoint.disabled_because);
  archive.field(10, endpoint.secret_generation);
  archive.field(11, endpoint.previous_secret_until);
  archive.field(12, endpoint.secret_mark);
  archive.field(13, endpoint.enabled_at);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<TestClock> clock) {
  archive.field(1, clock.id);
  archive.field(2, clock.name);
  archive.field(3, clock.created);
  archive.field(4, clock.frozen_time);
  archive.field(5, clock.status);
  archive.field(6, clock.advancing_to);
  archive.field(7, clock.deletes_after);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<ApiKey> key) {
  archive.field(1, key.id);
  archive.field(2, key.hash);
  archive.field(3, key.mode);
  archive.field(4, key.name);
  archive.field(5, key.prefix);
  archive.field(6, key.last4);
  archive.field(7, key.created);
  archive.field(8, key.revoked);
  archive.field(9, key.api_version);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<StaffMember> member) {
  archive.field(1, member.id);
  archive.field(2, member.name);
  archive.field(3, member.mode);
  archive.field(4, member.role);
  archive.field(5, member.secret_hash);
  archive.field(6, member.created);
}

namespace store {

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<SetupIntent> intent) {
  archive.field(1, intent.id);
  archive.field(2, intent.created);
  archive.field(3, intent.customer);
  archive.field(4, intent.payment_method);
  archive.field(5, intent.usage);
  archive.field(6, intent.description);
  archive.field(7, intent.metadata);
  archive.field(8, intent.succeeded);
  archive.field(9, intent.canceled);
  archive.field(10, intent.cancellation_reason);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<HeldSource> held) {
  archive.field(1, held.id);
  archive.field(2, held.created);
  archive.field(3, held.source);
}

template <class Archive>
void describe(Archive& archive, typename Archive::template Object<EventBatch> batch) {
  archive.field(1, batch.created);
  archive.field(2, batch.sequence);
  archive.field(3, batch.request_id);
  archive.field(4, batch.idempotency_key);
  archive.field(5, batch.snapshots);
  archive.field(6, batch.events);
}

namespace {

Failure corrupt(std::string_view what) { return {Errc::corrupt, "a stored " + std::string(what) + " cannot be read"}; }

/// The bytes behind the version of the form, or why they cannot be read.
Result<std::string_view> body_of(std::string_view bytes, std::string_view what) {
  if (bytes.empty()) return corrupt(what);
  if (bytes.front() != form_version)
    return Failure{Errc::corrupt, "a stored " + std::string(what) + " has form " +
                                      std::to_string(static_cast<unsigned char>(bytes.front())) +
                                      ", but this billd reads form " + std::to_string(form_version) +
                                      ": run the version of billd that wrote it"};
  return bytes.substr(1);
}

template <class T>
std::string encode_plainly(const AccountKey& key, const T& object) {
  std::string bytes(1, form_version);
  Writer writer(key, bytes);
  writer.put(object);
  return bytes;
}

template <class T>
Result<T> decode_plainly(const AccountKey& key, std::string_view bytes, std::string_view what,
                         const Parts* parts = nullptr) {
  auto body = body_of(bytes, what);
  if (!body) return body.error();
  Reader reader(key, *body, parts);
  T object;
  reader.get(object);
  if (!reader.is_good() || !reader.is_at_end()) return corrupt(what);
  return object;
}

std::string big_endian(std::uint64_t number) {
  std::string bytes(8, '\0');
  for (std::size_t place = 8; place-- > 0; number >>= 8) bytes[place] = static_cast<char>(number & 0xFF);
  return bytes;
}

template <class Kind>
std::string short_form(char kind, const AccountKey& key, const Id<Kind>& id) {
  std::string field(1, kind);
  Writer(key, field).put(id);
  return field;
}

}  // namespace

std::string encode_version(std::uint64_t version) { return version == 0 ? std::string() : big_endian(version); }

std::uint64_t next_version(std::uint64_t version, std::uint64_t mark) {
  constexpr unsigned mark_bits = 24;
  return ((version >> mark_bits) + 1) << mark_bits | (mark & ((std::uint64_t{1} << mark_bits) - 1));
}

std::string encode(const SetupIntent& intent) { return encode_plainly(AccountKey(), intent); }

Result<SetupIntent> decode_setup_intent(std::string_view bytes) {
  return decode_plainly<SetupIntent>(AccountKey(), bytes, "setup intent");
}

std::string encode(const HeldSource& held) { return encode_plainly(AccountKey(), held); }

Result<HeldSource> decode_held_source(std::string_view bytes) {
  return decode_plainly<HeldSource>(AccountKey(), bytes, "token");
}

std::string encode(const Account& account) {
  std::string bytes;
  bytes.reserve(768);
  bytes += form_version;
  bytes += big_endian(account.version);
  Writer writer(account.key, bytes);
  writer.unsigned_number(account.objects);
  writer.unsigned_number(account.events);
  writer.unsigned_number(account.invoices_numbered);
  writer.put(account.customer);
  writer.put(account.sources);
  writer.put(account.subscriptions);
  writer.put(account.invoices);
  writer.put(account.invoice_items);
  writer.put(account.schedules);
  return bytes;
}

Result<Account> decode_account(const AccountKey& key, Mode mode, std::string_view bytes) {
  auto body = body_of(bytes, "account");
  if (!body) return body.error();
  if (body->size() < 8) return corrupt("account");
  Account account;
  account.key = key;
  account.mode = mode;
  for (char byte : body->substr(0, 8)) account.version = account.version << 8 | static_cast<unsigned char>(byte);
  Reader reader(key, body->substr(8));
  account.objects = reader.unsigned_number();
  account.events = reader.unsigned_number();
  account.invoices_numbered = reader.unsigned_number();
  reader.get(account.customer);
  reader.get(account.sources);
  reader.get(account.subscriptions);
  reader.get(account.invoices);
  reader.get(account.invoice_items);
  reader.get(account.schedules);
  if (!reader.is_good() || !reader.is_at_end()) return corrupt("account");
  return account;
}

std::string encode(const AccountKey& key, const Record& record, Parts& parts) {
  std::string bytes(1, form_version);
  Writer(key, bytes, &parts).put(record);
  return bytes;
}

std::string encode(const AccountKey& key, const Record& record) { return encode_plainly(key, record); }

Result<Record> decode_record(const AccountKey& key, std::string_view bytes, const Parts& parts) {
  return decode_plainly<Record>(key, bytes, "record", &parts);
}

Result<std::vector<std::uint64_t>> part_names(const AccountKey& key, std::string_view bytes) {
  auto body = body_of(bytes, "record");
  if (!body) return body.error();
  std::vector<std::uint64_t> names;
  Reader reader(key, *body);
  reader.collect_names(names);
  Record record;
  reader.get(record);
  if (!reader.is_good() || !reader.is_at_end()) return corrupt("record");
  return names;
}

std::string part_field(std::uint64_t name) { return "v" + big_endian(name); }

std::optional<std::uint64_t> parse_part_field(std::string_view field) {
  if (field.size() != 9 || field[0] != 'v') return std::nullopt;
  std::uint64_t name = 0;
  for (char byte : field.substr(1)) name = name << 8 | static_cast<unsigned char>(byte);
  return name;
}

std::string record_field(const AccountKey& key, const InvoiceId& id) { return short_form('i', key, id); }
std::string record_field(const AccountKey& key, const SubscriptionId& id) { return short_form('s', key, id); }
std::string record_field(const AccountKey& key, const BalanceTransactionId& id) { return short_form('b', key, id); }
std::string record_field(const AccountKey& key, const ScheduleId& id) { return short_form('h', key, id); }
std::string charge_field(const AccountKey& key, const ChargeId& id) { return short_form('c', key, id); }
std::string refund_field(const AccountKey& key, const RefundId& id) { return short_form('r', key, id); }
std::string credit_note_field(const AccountKey& key, const CreditNoteId& id) { return short_form('n', key, id); }
bool is_owner_field(std::string_view field) {
  return field.starts_with('c') || field.starts_with('r') || field.starts_with('n');
}

namespace {

/// The letter before the identifiers of the kind.
template <class Kind>
constexpr char letter_of = '\0';
template <>
constexpr char letter_of<SubscriptionKind> = 's';
template <>
constexpr char letter_of<InvoiceKind> = 'i';
template <>
constexpr char letter_of<BalanceTransactionKind> = 'b';
template <>
constexpr char letter_of<ScheduleKind> = 'h';
template <>
constexpr char letter_of<ChargeKind> = 'c';
template <>
constexpr char letter_of<RefundKind> = 'r';
template <>
constexpr char letter_of<CreditNoteKind> = 'n';

}  // namespace

template <class Kind>
Result<std::string> parse_record_field(const AccountKey& key, std::string_view field) {
  static_assert(letter_of<Kind> != '\0');
  if (field.empty() || field.front() != letter_of<Kind>) return std::string();
  Reader reader(key, field.substr(1));
  std::string id = reader.identifier(Kind::prefix);
  if (!reader.is_good() || !reader.is_at_end()) return corrupt("record's field");
  return id;
}
template Result<std::string> parse_record_field<SubscriptionKind>(const AccountKey&, std::string_view);
template Result<std::string> parse_record_field<InvoiceKind>(const AccountKey&, std::string_view);
template Result<std::string> parse_record_field<ChargeKind>(const AccountKey&, std::string_view);
template Result<std::string> parse_record_field<BalanceTransactionKind>(const AccountKey&, std::string_view);
template Result<std::string> parse_record_field<ScheduleKind>(const AccountKey&, std::string_view);
template Result<std::string> parse_record_field<RefundKind>(const AccountKey&, std::string_view);
template Result<std::string> parse_record_field<CreditNoteKind>(const AccountKey&, std::string_view);

std::string encode_charge_owner(const AccountKey& key, const InvoiceId& invoice) {
  std::string bytes(1, form_version);
  Writer(key, bytes).put(invoice);
  return bytes;
}

Result<InvoiceId> decode_charge_owner(const AccountKey& key, std::string_view bytes) {
  return decode_plainly<InvoiceId>(key, bytes, "charge's invoice");
}

template <class Kind>
std::string encode_reference(const AccountKey& key, const Id<Kind>& id) {
  std::string member = key.value();
  Writer(key, member).put(id);
  return member;
}
template std::string encode_reference(const AccountKey&, const CustomerId&);
template std::string encode_reference(const AccountKey&, const SubscriptionId&);
template std::string encode_reference(const AccountKey&, const InvoiceId&);
template std::string encode_reference(const AccountKey&, const ChargeId&);
template std::string encode_reference(const AccountKey&, const InvoiceItemId&);
template std::string encode_reference(const AccountKey&, const ScheduleId&);
template std::string encode_reference(const AccountKey&, const CreditNoteId&);
template std::string encode_reference(const AccountKey&, const RefundId&);

Result<Reference> decode_reference(std::string_view member, std::string_view prefix) {
  if (member.size() < account_key_length) return corrupt("reference");
  const auto key = AccountKey::parse(member.substr(0, account_key_length));
  if (!key) return corrupt("reference");
  Reader reader(*key, member.substr(account_key_length));
  Reference reference{*key, reader.identifier(prefix)};
  if (!reader.is_good() || !reader.is_at_end()) return corrupt("reference");
  return reference;
}

std::string encode(const EventBatch& batch) {
  std::string bytes(1, form_version);
  bytes += batch.key.value();
  Writer(batch.key, bytes).put(batch);
  return bytes;
}

Result<EventBatch> decode_event_batch(std::string_view bytes) {
  auto body = body_of(bytes, "event");
  if (!body) return body.error();
  if (body->size() < account_key_length) return corrupt("event");
  const auto key = AccountKey::parse(body->substr(0, account_key_length));
  if (!key) return corrupt("event");
  EventBatch batch;
  Reader reader(*key, body->substr(account_key_length));
  reader.get(batch);
  if (!reader.is_good() || !reader.is_at_end()) return corrupt("event");
  batch.key = *key;
  for (const Event& event : batch.events)
    if (event.snapshot >= batch.snapshots.size() || event.previous.value_or(0) >= batch.snapshots.size())
      return corrupt("event");
  return batch;
}

std::string encode(const Product& product) { return encode_plainly(AccountKey(), product); }
Result<Product> decode_product(std::string_view bytes) {
  return decode_plainly<Product>(AccountKey(), bytes, "product");
}
std::string encode(const Coupon& coupon) { return encode_plainly(AccountKey(), coupon); }
Result<Coupon> decode_coupon(std::string_view bytes) { return decode_plainly<Coupon>(AccountKey(), bytes, "coupon"); }
std::string encode(const PromotionCode& code) { return encode_plainly(AccountKey(), code); }
Result<PromotionCode> decode_promotion_code(std::string_view bytes) {
  return decode_plainly<PromotionCode>(AccountKey(), bytes, "promotion code");
}
std::string encode(const TaxRate& rate) { return encode_plainly(AccountKey(), rate); }
Result<TaxRate> decode_tax_rate(std::string_view bytes) {
  return decode_plainly<TaxRate>(AccountKey(), bytes, "tax rate");
}
std::string encode(const Plan& plan) { return encode_plainly(AccountKey(), plan); }
Result<Plan> decode_plan(std::string_view bytes) { return decode_plainly<Plan>(AccountKey(), bytes, "plan"); }
std::string encode(const TestClock& clock) { return encode_plainly(AccountKey(), clock); }
Result<TestClock> decode_test_clock(std::string_view bytes) {
  return decode_plainly<TestClock>(AccountKey(), bytes, "test clock");
}
std::string encode(const ApiKey& key) { return encode_plainly(AccountKey(), key); }
std::string encode(const WebhookEndpoint& endpoint) { return encode_plainly(AccountKey(), endpoint); }
Result<WebhookEndpoint> decode_webhook_endpoint(std::string_view bytes) {
  return decode_plainly<WebhookEndpoint>(AccountKey(), bytes, "webhook endpoint");
}
Result<ApiKey> decode_api_key(std::string_view bytes) { return decode_plainly<ApiKey>(AccountKey(), bytes, "API key"); }
std::string encode(const StaffMember& member) { return encode_plainly(AccountKey(), member); }
Result<StaffMember> decode_staff_member(std::string_view bytes) {
  return decode_plainly<StaffMember>(AccountKey(), bytes, "staff member");
}

}  // namespace store
}  // namespace billd
