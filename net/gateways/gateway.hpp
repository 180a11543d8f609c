// Who moves the money: the one interface to every payment processor.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

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
};

/// Implementations answer every request within their own time limit: a failure to reach the processor, or an answer
/// that cannot be trusted, is the outcome `unknown`, never a Failure. They may be cancelled; the outcome is then
/// unknown.
class Gateway {
 public:
  virtual ~Gateway() = default;

  /// What billd may know of a source, from a token or a card number in test mode; card_declined when the processor
  /// refuses it (detail: the decline code), invalid_parameter when it is none.
  virtual awaitable<Result<NewSource>> describe_source(Mode mode, std::string token) = 0;

  virtual awaitable<ChargeOutcome> charge(ChargeRequest request) = 0;

  /// What became of an earlier charge() with the same key: succeeded, declined, unknown (ask again) or impossible (the
  /// processor has no record and may have had one).
  virtual awaitable<ChargeOutcome> look_up(ChargeRequest request) = 0;
};

/// The configured gateways by name. An unknown name is answered with `impossible`, so that the charge is parked.
class Gateways {
 public:
  void add(std::string name, std::unique_ptr<Gateway> gateway);
  /// nullptr when there is none of that name.
  Gateway* find(std::string_view name) const;

 private:
  std::unordered_map<std::string, std::unique_ptr<Gateway>> gateways_;
};

}  // namespace billd::gateways
