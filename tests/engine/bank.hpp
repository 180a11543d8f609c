// A processor as bad as real ones may be: it loses messages both ways, forgets idempotency keys, and takes days over
// debits. What it captured and gave back is the truth that billd's books are held against.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <set>
#include <string>

#include "tests/engine/any_command.hpp"
#include "tests/engine/scenario.hpp"

namespace billd::test {

/// It forgets idempotency keys after a day, as real ones do: sending an old charge again charges again.
class Bank {
 public:
  /// `now` is the customer's time.
  Bank(Draw& draw, const Timestamp& now) : draw_(draw), now_(now) {}

  bool reliable = false;  ///< it answers every question, and settles debits at once
  std::size_t declines_one_in = 3;
  std::size_t loses_one_in = 8;

  std::optional<ChargeOutcome> ask(const CollectCharge& effect, const Charge& charge) {
    if (loses()) return std::nullopt;  // on the way there
    auto known = ledger_.find(charge.id.value());
    const bool forgotten = known != ledger_.end() && now_ - known->second.at >= std::chrono::days(1);
    if (effect.look_up_only) {
      if (known == ledger_.end()) return ChargeOutcome{ChargeOutcomeKind::impossible, "", ""};
    } else if (known == ledger_.end() || forgotten) {
      known = ledger_.insert_or_assign(charge.id.value(), book(effect, charge)).first;
    }
    if (loses()) return std::nullopt;  // on the way back
    return outcome(known->second);
  }

  /// A refund is given once under its key, too, and forgotten like a charge.
  std::optional<RefundOutcome> ask(const SendRefund& effect, const Refund& refund) {
    if (loses()) return std::nullopt;  // on the way there
    auto known = refunds_.find(refund.id.value());
    const bool forgotten = known != refunds_.end() && now_ - known->second.at >= std::chrono::days(1);
    if (effect.look_up_only) {
      if (known == refunds_.end()) return RefundOutcome{RefundOutcomeKind::impossible, "", ""};
    } else if (known == refunds_.end() || forgotten) {
      const bool fails = draw_.one_in(5);
      if (!fails) EXPECT_TRUE(given_back_.emplace(refund.id.value(), refund.amount).second) << "refunded twice";
      known = refunds_.insert_or_assign(refund.id.value(), Entry{!fails, now_, now_, effect.invoice, refund.amount, ""})
                  .first;
    }
    if (loses()) return std::nullopt;  // on the way back
    return truth(refund.id);
  }
  RefundOutcome truth(const RefundId& refund) const {
    const auto known = refunds_.find(refund.value());
    if (known != refunds_.end() && known->second.captured) return {RefundOutcomeKind::succeeded, "", "refund"};
    return {RefundOutcomeKind::failed, "expired_or_canceled_card", ""};
  }

  /// The truth about a charge, as an operator finds it in the processor's books.
  ChargeOutcome truth(const ChargeId& charge) const {
    const auto known = ledger_.find(charge.value());
    return known == ledger_.end() ? declined("never_arrived") : final_outcome(known->second);
  }

  /// Any charge that the bank has seen, as a late or repeated message of it would name it.
  std::optional<RecordChargeOutcome> any_message() {
    if (ledger_.empty()) return std::nullopt;
    auto entry = ledger_.begin();
    std::advance(entry, static_cast<std::ptrdiff_t>(draw_.below(ledger_.size())));
    return RecordChargeOutcome{entry->second.invoice, ChargeId(entry->first), outcome(entry->second)};
  }

  int captures(const InvoiceId& invoice) const {
    const auto found = captures_.find(invoice.value());
    return found == captures_.end() ? 0 : found->second;
  }
  int captures() const {
    int sum = 0;
    for (const auto& [invoice, count] : captures_) sum += count;
    return sum;
  }
  /// What it took, and what it gave back, in minor units.
  std::int64_t captured() const {
    std::int64_t sum = 0;
    for (const auto& [charge, entry] : ledger_)
      if (entry.captured) sum += entry.amount.minor;
    return sum;
  }
  std::int64_t given_back() const {
    std::int64_t sum = 0;
    for (const auto& [refund, amount] : given_back_) sum += amount.minor;
    return sum;
  }

  struct Entry {
    bool captured = false;
    Timestamp at;
    Timestamp settles_at;  ///< until then it is pending
    InvoiceId invoice;
    Money amount;
    std::string decline_code;
  };
  /// By charge.
  const std::map<std::string, Entry>& ledger() const { return ledger_; }

 private:
  bool loses() { return !reliable && draw_.one_in(loses_one_in); }

  Entry book(const CollectCharge& effect, const Charge& charge) {
    const bool declines = draw_.one_in(declines_one_in);
    if (!declines) EXPECT_EQ(++captures_[effect.invoice.value()], 1) << "charged twice for " << effect.invoice.value();
    const bool is_debit = std::holds_alternative<BankAccountSummary>(charge.means);
    return {!declines,      now_,          is_debit ? now_ + std::chrono::days(4) : now_,
            effect.invoice, charge.amount, declines ? any_code() : ""};
  }
  std::string any_code() {
    return draw_.among<std::string>({"generic_decline", "generic_decline", "insufficient_funds", "stolen_card"});
  }
  static ChargeOutcome final_outcome(const Entry& entry) {
    return entry.captured ? succeeded() : declined(entry.decline_code);
  }
  ChargeOutcome outcome(const Entry& entry) const {
    if (!reliable && now_ < entry.settles_at) return {ChargeOutcomeKind::pending, "", "gateway_charge"};
    return final_outcome(entry);
  }

  Draw& draw_;
  const Timestamp& now_;
  std::map<std::string, Entry> ledger_, refunds_;
  std::map<std::string, Money> given_back_;
  std::map<std::string, int> captures_;
};

}  // namespace billd::test
