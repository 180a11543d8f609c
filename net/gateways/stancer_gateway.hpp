// Payments through Stancer's API: cards at once, SEPA debits settled by asking.
#pragma once

#include "net/gateways/peer.hpp"

namespace billd::gateways {

/// A source's reference is a card ("card_…") or a SEPA account ("sepa_…") of the Stancer account, or a customer with
/// one of them ("cust_…/card_…").
///
/// billd's identifier is the payment's unique_id: Stancer refuses a second payment of the same one, and finds a payment
/// by it. Source: the API as Stancer's public client libraries use it (checkout, refunds, their statuses and filters).
class StancerGateway final : public Gateway {
 public:
  StancerGateway(Executor executor, std::string name, ProcessorSettings settings);

  awaitable<Result<NewSource>> describe_source(Mode mode, std::string token) override;
  awaitable<ChargeOutcome> charge(ChargeRequest request) override;
  awaitable<ChargeOutcome> look_up(ChargeRequest request) override;
  /// Refunds have no unique_id: one that may have been sent is not sent again but left to an operator.
  awaitable<RefundOutcome> refund(RefundRequest request) override;
  awaitable<RefundOutcome> look_up_refund(RefundRequest request) override;
  std::optional<PeerStatistics> peer() const override { return peer_.statistics(); }

 private:
  using Object = boost::json::object;
  using Deadline = Peer::Deadline;

  http::Headers headers(bool has_body) const;
  awaitable<Result<Peer::Answer>> get(std::string path, Deadline until);
  awaitable<ChargeOutcome> find(ChargeRequest request, Deadline until);
  ChargeOutcome outcome_of(const Object& payment, const ChargeRequest& request) const;
  RefundOutcome refund_outcome_of(const Object& refund, const RefundRequest& request) const;
  bool is_of(Mode mode) const;

  const std::string name_;
  const ProcessorSettings settings_;
  Peer peer_;
};

}  // namespace billd::gateways
