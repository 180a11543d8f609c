// The gateway that is built in: test cards of well-known behaviour, and a ledger of its own that never charges twice.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "config/values.hpp"
#include "net/gateways/gateway.hpp"
#include "net/store/store.hpp"

namespace billd::gateways {

/// A charge or a refund as the test gateway booked it.
struct LedgerEntry {
  std::string idempotency_key;
  std::string account;
  std::string invoice;
  std::string source;
  Money amount;
  Timestamp created;                         ///< the account's time of the charge
  std::string decline_code;                  ///< empty: the charge succeeded, or will; "absent": there was none
  std::optional<Timestamp> settles_at = {};  ///< a debit is pending until this time of the account
  std::string refund_of = {};                ///< of a refund: the key of its charge

  bool succeeded() const { return decline_code.empty(); }
  bool is_absent() const { return decline_code == "absent"; }
  bool is_refund() const { return !refund_of.empty(); }
  bool operator==(const LedgerEntry&) const = default;
};

/// Knows Stripe's test tokens and test card numbers, and nothing else: every other number is refused, and no number is
/// ever stored, told or logged. It belongs to the test mode; in live mode it declines everything.
/// Source: https://docs.stripe.com/testing.
///
/// Each charge is booked in Redis under its idempotency key, beside its account, by one command that keeps what is
/// booked already: however often a key is sent, and whatever ends in the middle, there is one booking and one outcome.
class TestGateway final : public Gateway {
 public:
  /// Answers after `latency`, which stands for a processor's own time. Debits of bank accounts are pending for
  /// `debit_settles_after` of the account's time.
  TestGateway(Executor executor, store::Store& store, Milliseconds latency,
              Milliseconds debit_settles_after = Milliseconds(0));
  ~TestGateway() override;

  void set_faults(std::vector<TestFault> faults) override;
  std::vector<TestFault> faults() const override { return faults_; }

  awaitable<Result<NewSource>> describe_source(Mode mode, std::string token) override;
  awaitable<Result<NewSource>> describe_bank_account(Mode mode, BankAccountDetails details) override;
  awaitable<Result<bool>> verify_bank_account(Mode mode, std::string reference, MicroDeposits deposits) override;
  awaitable<ChargeOutcome> charge(ChargeRequest request) override;

  /// This gateway forgets no key, so that no record means: it was never charged. To be able to say so for good, the
  /// question books under the key that it is absent: whoever still sends the charge later hears the same.
  awaitable<ChargeOutcome> look_up(ChargeRequest request) override;

  /// Fails when there is no charge of that key which succeeded.
  awaitable<RefundOutcome> refund(RefundRequest request) override;
  /// As look_up(): what was not refunded never will be under this key.
  awaitable<RefundOutcome> look_up_refund(RefundRequest request) override;

 private:
  class Ledger;
  TestFault next_fault(const std::string& idempotency_key);

  Milliseconds latency_, debit_settles_after_;
  std::vector<TestFault> faults_;
  std::size_t sent_ = 0;                             ///< charges, since the faults were set
  std::unordered_set<std::string> keys_with_error_;  ///< whose error is repeated
  std::unique_ptr<Ledger> ledger_;
};

/// What is booked under the key, from what Redis keeps; Errc::corrupt when it cannot be read.
Result<LedgerEntry> decode_ledger_entry(std::string_view idempotency_key, std::string_view text);

/// The whole ledger, by key; for tests and verification.
awaitable<Result<std::vector<LedgerEntry>>> read_ledger(redis::Client& client);

}  // namespace billd::gateways
