// Who moves the money: the one interface to every payment processor.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "config/values.hpp"
#include "engine/command.hpp"
#include "net/async.hpp"

namespace billd::gateways {

/// A charge to be made, once, however often it is asked for under its key.
struct ChargeRequest {
  Mode mode = Mode::test;
  AccountKey account;
  std::string idempotency_key;  ///< the charge's identifier
  std::string source;           ///< the gateway's reference of the source
  Money amount;                 ///< more than zero
  Timestamp created;            ///< the account's time of the charge
  InvoiceId invoice;
  std::string reference;                  ///< the gateway's own name for the charge, where it is known already
  Timestamp now;                          ///< the account's time
  std::string statement_descriptor = {};  ///< on the statement of whoever pays; empty: the processor's own
};

/// Money of a charge that is to go back, once, however often it is asked for under its key.
struct RefundRequest {
  Mode mode = Mode::test;
  AccountKey account;
  std::string idempotency_key;   ///< the refund's identifier
  std::string charge;            ///< the charge's identifier
  std::string charge_reference;  ///< the gateway's own name for the charge
  std::string source;            ///< the gateway's reference of the source that was charged
  Money amount;                  ///< more than zero, at most what is left of the charge
  Timestamp created;             ///< the account's time of the refund
  std::string reason;            ///< duplicate, fraudulent, requested_by_customer; empty: none
  std::string reference;         ///< the gateway's own name for the refund, where it is known already
  bool is_repeated = false;      ///< it may have been sent before
  Timestamp now;                 ///< the account's time
};

/// How it stands with a processor that is reached through HTTP; kept as work is done.
struct PeerStatistics {
  std::uint64_t requests = 0;  ///< sent
  std::uint64_t failures = 0;  ///< without a usable answer
  std::uint64_t refused = 0;   ///< answered that it was too many, or that an earlier one is under way
  std::uint64_t pauses = 0;    ///< how often it was left alone for a while
  std::uint64_t put_off = 0;   ///< not sent, for too many waited
  std::size_t in_flight = 0, waiting = 0;
  bool is_paused = false;
  std::string problem;  ///< of the latest failure
};

/// A bank account as its holder describes it. The numbers are handed on and never kept.
struct BankAccountDetails {
  std::string country;  ///< ISO 3166, two letters
  Currency currency;
  std::string routing_number, account_number;
  std::string holder_name, holder_type;
};

/// The two small deposits that were made to a bank account, in minor units.
using MicroDeposits = std::array<std::int64_t, 2>;

/// Implementations answer every request within their own time limit: a failure to reach the processor, or an answer
/// that cannot be trusted, is the outcome `unknown`, never a Failure. They may be cancelled; the outcome is then
/// unknown.
class Gateway {
 public:
  virtual ~Gateway() = default;

  /// What billd may know of a source, from a token or a card number in test mode; card_declined when the processor
  /// refuses it (detail: the decline code), invalid_parameter when it is none.
  virtual awaitable<Result<NewSource>> describe_source(Mode mode, std::string token) = 0;

  /// The same of a bank account; invalid_parameter, naming the member, when there can be no such account.
  virtual awaitable<Result<NewSource>> describe_bank_account(Mode mode, BankAccountDetails details);

  /// Whether these deposits were made to the bank account of that reference.
  virtual awaitable<Result<bool>> verify_bank_account(Mode mode, std::string reference, MicroDeposits deposits);

  virtual awaitable<ChargeOutcome> charge(ChargeRequest request) = 0;

  /// What became of an earlier charge() with the same key: succeeded, declined, pending, unknown (ask again), absent
  /// (it was never charged and never will be under this key) or impossible (there is no record, and there may have been
  /// one). charge() itself says absent only where that is certain, too.
  virtual awaitable<ChargeOutcome> look_up(ChargeRequest request) = 0;

  virtual awaitable<RefundOutcome> refund(RefundRequest request) = 0;

  /// What became of an earlier refund() with the same key, as look_up() tells of a charge.
  virtual awaitable<RefundOutcome> look_up_refund(RefundRequest request) = 0;

  /// Which charge of billd's the processor's own name stands for: the idempotency key that it was made under; not_found
  /// when the processor does not know or does not tell.
  virtual awaitable<Result<std::string>> find_charge(std::string reference);

  /// Of a gateway that misbehaves on demand: from now on each charge that is sent meets the next of the faults, in turn
  /// and from the beginning again. Others have none.
  virtual void set_faults(std::vector<TestFault>) {}
  virtual std::vector<TestFault> faults() const { return {}; }

  /// Empty for a gateway that is built in.
  virtual std::optional<PeerStatistics> peer() const { return std::nullopt; }
};

/// The configured gateways by name. An unknown name is answered with `impossible`, so that the charge is parked.
class Gateways {
 public:
  void add(std::string name, std::unique_ptr<Gateway> gateway);
  /// nullptr when there is none of that name.
  Gateway* find(std::string_view name) const;
  /// All of them, by name.
  std::vector<std::pair<std::string, Gateway*>> all() const;

 private:
  std::unordered_map<std::string, std::unique_ptr<Gateway>> gateways_;
};

}  // namespace billd::gateways
