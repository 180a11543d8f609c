// The stored form of every object: compact, versioned, and read back exactly as it was written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/keys.hpp"
#include "config/staff.hpp"
#include "engine/account.hpp"
#include "engine/catalog.hpp"
#include "engine/command.hpp"
#include "engine/result.hpp"
#include "engine/transition.hpp"
#include "engine/webhook_endpoint.hpp"
#include "net/store/codec.hpp"

namespace billd::store {

/// First byte of every stored form. It grows with every change of a form; a daemon refuses what it does not know, so
/// that an older one never writes back less than a newer one stored.
inline constexpr char form_version = 1;

/// Account: the form's version, the account's version as 8 bytes big-endian (which the commit function compares), then
/// the fields. Identifiers made for the account shrink to their number.
std::string encode(const Account& account);

/// Errc::corrupt when the bytes are none of encode()'s, naming what was found.
Result<Account> decode_account(const AccountKey& key, Mode mode, std::string_view bytes);

/// The 8 bytes that the commit function compares; empty for version 0, which stands for "nothing stored".
std::string encode_version(std::uint64_t version);

/// The version after `version`: the upper 40 bits count the account's commits, the lower 24 are a mark of this one (of
/// `mark`, the lowest count). By the mark, two writers that decide the same from the same state write two versions, of
/// which one is refused; and a version never comes back when Redis has lost some and they are made anew.
std::uint64_t next_version(std::uint64_t version, std::uint64_t mark);

/// A record outside the account: a settled invoice or an ended subscription. Its prices and cards go to `parts`.
std::string encode(const AccountKey& key, const Record& record, Parts& parts);
/// The same in one piece.
std::string encode(const AccountKey& key, const Record& record);
Result<Record> decode_record(const AccountKey& key, std::string_view bytes, const Parts& parts = {});
/// The parts that are wanted to decode the record.
Result<std::vector<std::uint64_t>> part_names(const AccountKey& key, std::string_view bytes);
/// The field of the account's documents under which a part is kept: 'v' and its name.
std::string part_field(std::uint64_t name);
/// Empty for the field of anything else.
std::optional<std::uint64_t> parse_part_field(std::string_view field);

/// The field of the account's documents under which a record is kept: 'i', 's', 'b' (a change of the customer's
/// balance) or 'h' (a schedule) and the identifier's short form.
std::string record_field(const AccountKey& key, const InvoiceId& id);
std::string record_field(const AccountKey& key, const SubscriptionId& id);
std::string record_field(const AccountKey& key, const BalanceTransactionId& id);
std::string record_field(const AccountKey& key, const ScheduleId& id);
/// The field that leads from a charge to its invoice, 'c' and the identifier's short form; from a refund, 'r',
/// and from a credit note, 'n'.
std::string charge_field(const AccountKey& key, const ChargeId& id);
std::string refund_field(const AccountKey& key, const RefundId& id);
std::string credit_note_field(const AccountKey& key, const CreditNoteId& id);
/// Whether the field leads from something to its invoice.
bool is_owner_field(std::string_view field);
/// The identifier behind such a field, for one of the kind; empty for the field of anything else.
template <class Kind>
Result<std::string> parse_record_field(const AccountKey& key, std::string_view field);
std::string encode_charge_owner(const AccountKey& key, const InvoiceId& invoice);
Result<InvoiceId> decode_charge_owner(const AccountKey& key, std::string_view bytes);

/// The account's key followed by the identifier's short form: how an index names an object.
template <class Kind>
std::string encode_reference(const AccountKey& key, const Id<Kind>& id);

struct Reference {
  AccountKey key;
  std::string id;  ///< with the prefix of the index's kind of object
};
Result<Reference> decode_reference(std::string_view member, std::string_view prefix);

/// The events of one commit, as one entry of the partition's stream.
struct EventBatch {
  AccountKey key;
  Timestamp created;           ///< the account's time
  std::uint64_t sequence = 0;  ///< the account's number of the first event; the others follow
  std::string request_id;      ///< of the request that caused them; empty: time did
  std::string idempotency_key;
  std::vector<Snapshot> snapshots;
  std::vector<Event> events;

  bool operator==(const EventBatch&) const = default;
};
std::string encode(const EventBatch& batch);
Result<EventBatch> decode_event_batch(std::string_view bytes);

std::string encode(const Product& product);
Result<Product> decode_product(std::string_view bytes);
std::string encode(const Coupon& coupon);
Result<Coupon> decode_coupon(std::string_view bytes);
std::string encode(const PromotionCode& code);
Result<PromotionCode> decode_promotion_code(std::string_view bytes);
std::string encode(const TaxRate& rate);
Result<TaxRate> decode_tax_rate(std::string_view bytes);
/// A payment source that is no customer's yet: what a token or a new payment method stands for.
struct HeldSource {
  std::string id;  ///< tok_…, btok_…, pm_…
  Timestamp created;
  NewSource source;

  bool operator==(const HeldSource&) const = default;
};
std::string encode(const HeldSource& held);
Result<HeldSource> decode_held_source(std::string_view bytes);

/// The intent to get a payment method for later use.
struct SetupIntent {
  std::string id;  ///< seti_…
  Timestamp created;
  CustomerId customer;      ///< whose the payment method becomes; empty: nobody's
  SourceId payment_method;  ///< empty: none is given yet
  std::string usage;        ///< off_session, on_session
  std::string description;
  Metadata metadata;
  bool succeeded = false;
  bool canceled = false;
  std::string cancellation_reason;

  bool operator==(const SetupIntent&) const = default;
};
std::string encode(const SetupIntent& intent);
Result<SetupIntent> decode_setup_intent(std::string_view bytes);

std::string encode(const Plan& plan);
Result<Plan> decode_plan(std::string_view bytes);
std::string encode(const TestClock& clock);
Result<TestClock> decode_test_clock(std::string_view bytes);
std::string encode(const ApiKey& key);
Result<ApiKey> decode_api_key(std::string_view bytes);
std::string encode(const WebhookEndpoint& endpoint);
Result<WebhookEndpoint> decode_webhook_endpoint(std::string_view bytes);
std::string encode(const StaffMember& member);
Result<StaffMember> decode_staff_member(std::string_view bytes);

}  // namespace billd::store
