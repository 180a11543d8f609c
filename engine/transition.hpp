// What a decision changes: the account afterwards, the events, the records that leave it, and what must be done
// outside.
#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/account.hpp"

namespace billd {

/// Kinds of events, in the order of the table of their names. The numbers are stored: append only.
enum class EventType : std::uint8_t {
  customer_created,
  customer_updated,
  customer_deleted,
  source_created,
  source_updated,
  source_deleted,
  subscription_created,
  subscription_updated,
  subscription_deleted,
  subscription_trial_will_end,
  invoice_created,
  invoice_updated,
  invoice_finalized,
  invoice_payment_succeeded,
  invoice_paid,
  invoice_payment_failed,
  charge_succeeded,
  charge_failed,
  invoice_deleted,
  invoice_marked_uncollectible,
  invoice_overdue,
  invoice_sent,
  invoice_voided,
  invoiceitem_created,
  invoiceitem_updated,
  invoiceitem_deleted,
  charge_refunded,
  refund_created,
  refund_updated,
  refund_failed,
  charge_refund_updated,
  charge_pending,
  charge_dispute_created,
  charge_dispute_closed,
  payment_method_attached,
  payment_method_detached,
  payment_method_updated,
  charge_updated,
  invoice_upcoming,
  source_expiring,
  credit_note_created,
  credit_note_updated,
  credit_note_voided,
  schedule_created,
  schedule_updated,
  schedule_completed,
  schedule_released,
  schedule_canceled,
  customer_discount_created,
  customer_discount_updated,
  customer_discount_deleted,
  subscription_pending_update_applied,
  subscription_pending_update_expired,
  subscription_paused,
  subscription_resumed,
  tax_identifier_created,
  tax_identifier_deleted,
};

/// "customer.subscription.updated": Stripe's name of the type.
std::string_view to_text(EventType type);

/// The types by name; empty for an unknown one.
std::optional<EventType> parse_event_type(std::string_view name);

/// A charge as an event shows it.
struct ChargeSnapshot {
  Charge charge;
  InvoiceId invoice;

  bool operator==(const ChargeSnapshot&) const = default;
};

/// A refund as an event shows it.
struct RefundSnapshot {
  Refund refund;
  ChargeId charge;
  InvoiceId invoice;

  bool operator==(const RefundSnapshot&) const = default;
};

/// A credit note as an event shows it.
struct CreditNoteSnapshot {
  CreditNote note;
  InvoiceId invoice;

  bool operator==(const CreditNoteSnapshot&) const = default;
};

/// An object as it was when an event told of it. An event shows only the object, never what it belongs to.
/// The places of the alternatives are stored: append only.
using Snapshot = std::variant<Customer, Source, Subscription, Invoice, ChargeSnapshot, InvoiceItem, RefundSnapshot,
                              CreditNoteSnapshot, Schedule, Discount, TaxIdentifier>;

/// Something that happened, with the object as it was then: `snapshot` and `previous` count in Transition::snapshots.
/// Several events of one moment share a snapshot.
struct Event {
  EventType type = EventType::customer_created;
  std::uint32_t snapshot = 0;
  std::optional<std::uint32_t> previous;  ///< the object before an update

  bool operator==(const Event&) const = default;
};

/// A record that nothing changes by itself any more. It leaves the account for a place of its own.
/// The places of the alternatives are stored: append only.
using Record = std::variant<Invoice, Subscription, BalanceTransaction, Schedule>;

/// To be carried out after the commit: send the charge in flight of the invoice, or ask what became of it.
struct CollectCharge {
  InvoiceId invoice;
  ChargeId charge;
  bool look_up_only = false;  ///< the key may have expired at the gateway: sending again could charge twice

  bool operator==(const CollectCharge&) const = default;
};

/// To be carried out after the commit: send the refund that is in the account, or ask what became of it.
struct SendRefund {
  InvoiceId invoice;
  ChargeId charge;
  RefundId refund;
  bool look_up_only = false;  ///< the key may have expired at the gateway: sending again could give back twice

  bool operator==(const SendRefund&) const = default;
};

/// What moves money, once it is journaled.
using Effect = std::variant<CollectCharge, SendRefund>;

/// A coupon that the transition redeems: to be counted before it is committed, so that no more are redeemed than may
/// be.
struct CouponClaim {
  CouponId coupon;
  Timestamp coupon_created;        ///< tells it from a later one of the same identifier
  std::int64_t coupon_max = 0;     ///< redemptions of the coupon; 0: any number
  PromotionCodeId promotion_code;  ///< empty: none
  std::int64_t promotion_code_max = 0;

  bool operator==(const CouponClaim&) const = default;
};

/// The result of decide() and tick(). Everything in it is committed together or not at all.
struct Transition {
  Account account;  ///< afterwards; its version is still that of what was loaded
  std::vector<Snapshot> snapshots;
  std::vector<Event> events;
  std::vector<Record> settled;      ///< records to be stored outside the account
  std::vector<InvoiceId> recalled;  ///< invoices that came back into the account: their stored record goes
  std::vector<Invoice> deleted;     ///< drafts that are no more, as they were last
  std::vector<Effect> effects;      ///< journaled in the account already
  std::vector<CouponClaim> claims;
  std::string subject;   ///< the identifier of the object that the command made or changed
  bool changed = false;  ///< false: nothing to commit, the answer is the account as it is
  /// Why the account is to be taken out of the queues for an operator; empty: it is not.
  std::string alarm;
};

}  // namespace billd
