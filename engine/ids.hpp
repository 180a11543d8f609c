// Identifiers: typed, readable, and routing to their account without a directory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace billd {

/// Characters of an identifier's body that billd makes: the account's key, then what is the object's own.
inline constexpr std::size_t account_key_length = 12;
inline constexpr std::size_t id_body_length = 24;

/// What the keys of accounts begin with whose customer was brought along under an identifier of another system, and no
/// other key: a text that mentions none of them speaks of no such account. One for each mode.
inline constexpr char adopted_live_mark = 'Z', adopted_test_mark = 'X';

/// The name by which storage knows an account: 12 of [A-Za-z0-9]. Every identifier that billd makes for an object of
/// the account begins with it (behind its prefix), so that any of them leads to the account in one step.
class AccountKey {
 public:
  AccountKey() = default;

  /// Empty unless `text` is 12 of [A-Za-z0-9].
  static std::optional<AccountKey> parse(std::string_view text);

  /// The key at the front of an identifier that billd made for an object of an account; empty for any other. One
  /// brought from elsewhere, 24 characters long like billd's own, passes by accident less than once in 10^9.
  static std::optional<AccountKey> of_id(std::string_view id);

  /// A key from 128 bits, which are random or the hash of what must lead to the same account again. It begins with no
  /// mark.
  static AccountKey from_bits(std::uint64_t high, std::uint64_t low);

  /// The key of an account that was brought along under other identifiers: the mark of its mode, and a hash of what the
  /// other system calls the customer, so that the same customer leads to the same account again.
  static AccountKey adopted(char mark, std::uint64_t hash);

  const std::string& value() const { return value_; }
  bool is_empty() const { return value_.empty(); }
  /// Whether adopted() made it.
  bool is_adopted() const { return value_.starts_with(adopted_live_mark) || value_.starts_with(adopted_test_mark); }

  /// The partition of `count` that holds the account: FNV-1a of the key, modulo count.
  std::uint32_t partition(std::uint32_t count) const;

  auto operator<=>(const AccountKey&) const = default;

 private:
  explicit AccountKey(std::string value) : value_(std::move(value)) {}
  std::string value_;
};

/// An identifier of one kind of object. Two kinds do not compare and do not convert.
template <class Kind>
class Id {
 public:
  Id() = default;
  explicit Id(std::string value) : value_(std::move(value)) {}

  const std::string& value() const { return value_; }
  bool is_empty() const { return value_.empty(); }

  auto operator<=>(const Id&) const = default;

 private:
  std::string value_;
};

struct CustomerKind {
  static constexpr std::string_view prefix = "cus_";
};
/// Cards are by far the most frequent sources; what is of another kind has a prefix of its own.
struct SourceKind {
  static constexpr std::string_view prefix = "card_";
};
struct BankAccountKind {
  static constexpr std::string_view prefix = "ba_";
};
struct TokenKind {
  static constexpr std::string_view prefix = "tok_";
};
struct BankTokenKind {
  static constexpr std::string_view prefix = "btok_";
};
struct SetupIntentKind {
  static constexpr std::string_view prefix = "seti_";
};
struct PaymentMethodKind {
  static constexpr std::string_view prefix = "pm_";
};
struct SubscriptionKind {
  static constexpr std::string_view prefix = "sub_";
};
struct SubscriptionItemKind {
  static constexpr std::string_view prefix = "si_";
};
struct InvoiceKind {
  static constexpr std::string_view prefix = "in_";
};
struct InvoiceLineKind {
  static constexpr std::string_view prefix = "il_";
};
struct InvoiceItemKind {
  static constexpr std::string_view prefix = "ii_";
};
struct ChargeKind {
  static constexpr std::string_view prefix = "ch_";
};
struct RefundKind {
  static constexpr std::string_view prefix = "re_";
};
struct CreditNoteKind {
  static constexpr std::string_view prefix = "cn_";
};
struct CreditNoteLineKind {
  static constexpr std::string_view prefix = "cnli_";
};
struct BalanceTransactionKind {
  static constexpr std::string_view prefix = "cbtxn_";
};
struct ScheduleKind {
  static constexpr std::string_view prefix = "sub_sched_";
};
struct PlanKind {
  static constexpr std::string_view prefix = "plan_";
};
struct ProductKind {
  static constexpr std::string_view prefix = "prod_";
};
struct CouponKind {
  static constexpr std::string_view prefix = "";  // Coupons are named by their users.
};
struct PromotionCodeKind {
  static constexpr std::string_view prefix = "promo_";
};
struct TaxRateKind {
  static constexpr std::string_view prefix = "txr_";
};
struct DiscountKind {
  static constexpr std::string_view prefix = "di_";
};
struct TestClockKind {
  static constexpr std::string_view prefix = "clock_";
};
struct EventKind {
  static constexpr std::string_view prefix = "evt_";
};
/// A number that a tax office gave to a customer.
struct TaxIdentifierKind {
  static constexpr std::string_view prefix = "txi_";
};

using CustomerId = Id<CustomerKind>;
using SourceId = Id<SourceKind>;
using SubscriptionId = Id<SubscriptionKind>;
using SubscriptionItemId = Id<SubscriptionItemKind>;
using InvoiceId = Id<InvoiceKind>;
using InvoiceLineId = Id<InvoiceLineKind>;
using InvoiceItemId = Id<InvoiceItemKind>;
using ChargeId = Id<ChargeKind>;
using RefundId = Id<RefundKind>;
using CreditNoteId = Id<CreditNoteKind>;
using CreditNoteLineId = Id<CreditNoteLineKind>;
using BalanceTransactionId = Id<BalanceTransactionKind>;
using ScheduleId = Id<ScheduleKind>;
using PlanId = Id<PlanKind>;
using ProductId = Id<ProductKind>;
using CouponId = Id<CouponKind>;
using PromotionCodeId = Id<PromotionCodeKind>;
using TaxRateId = Id<TaxRateKind>;
using DiscountId = Id<DiscountKind>;
using TestClockId = Id<TestClockKind>;
using EventId = Id<EventKind>;
using TaxIdentifierId = Id<TaxIdentifierKind>;

/// `value` in base 62, most significant digit first, exactly `width` characters (higher digits are dropped).
std::string base62(std::uint64_t value, std::size_t width);

/// The part of an identifier behind its prefix: behind the first '_', or all of it.
std::string_view id_body(std::string_view id);

/// The 12 characters behind the account's key for the account's `number`-th object: a bijection of the number, so that
/// identifiers never repeat in an account and the same state always makes the same identifier.
std::string object_suffix(const AccountKey& account, std::uint64_t number);

/// The number that made the suffix, which is the order of creation within the account; empty for a foreign suffix.
std::optional<std::uint64_t> object_number(const AccountKey& account, std::string_view suffix);

template <class Kind>
Id<Kind> make_id(const AccountKey& account, std::uint64_t number) {
  std::string value(Kind::prefix);
  value.append(account.value()).append(object_suffix(account, number));
  return Id<Kind>(std::move(value));
}

/// An identifier outside any account (plans, products, test clocks) from 128 random bits.
template <class Kind>
Id<Kind> make_id(std::uint64_t high, std::uint64_t low) {
  std::string value(Kind::prefix);
  value.append(base62(high, id_body_length / 2)).append(base62(low, id_body_length / 2));
  return Id<Kind>(std::move(value));
}

/// The number behind base62(); empty when a character is none of [0-9A-Za-z] or it does not fit 64 bits.
std::optional<std::uint64_t> parse_base62(std::string_view text);

/// FNV-1a with 64 bits: spreads, does not protect.
std::uint64_t fnv1a(std::string_view bytes);

}  // namespace billd
