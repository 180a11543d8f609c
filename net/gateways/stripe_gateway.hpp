// Charges through Stripe's API, or through a server that speaks it, such as another billd.
#pragma once

#include "net/gateways/peer.hpp"

namespace billd::gateways {

/// A source's reference is a customer of the Stripe account, whose default source is charged ("cus_…"), one of the
/// customer's sources or payment methods ("cus_…/card_…", "cus_…/pm_…"), or what is charged without a customer
/// ("src_…", "pm_…"). A card alone is none: Stripe charges it only through its customer, and declines it.
///
/// What is sent under a key is always the same text, made of the request alone: Stripe compares it. Every charge and
/// refund carries billd's identifier in its metadata (billd_charge, billd_refund), by which it is found again when
/// Stripe has forgotten the key, or has stored an error of its own under it.
/// Source: https://docs.stripe.com/api/idempotent_requests, /error-low-level.
class StripeGateway final : public Gateway {
 public:
  StripeGateway(Executor executor, std::string name, ProcessorSettings settings);

  /// The card of the customer's default source, or of the source that is named.
  awaitable<Result<NewSource>> describe_source(Mode mode, std::string token) override;
  awaitable<ChargeOutcome> charge(ChargeRequest request) override;
  /// Complete: what is not listed was never charged. More charges of one customer, or without one, than are looked
  /// through are `impossible`.
  awaitable<ChargeOutcome> look_up(ChargeRequest request) override;
  awaitable<RefundOutcome> refund(RefundRequest request) override;
  awaitable<RefundOutcome> look_up_refund(RefundRequest request) override;
  awaitable<Result<std::string>> find_charge(std::string reference) override;
  std::optional<PeerStatistics> peer() const override { return peer_.statistics(); }

 private:
  using Object = boost::json::object;
  using Deadline = Peer::Deadline;

  http::Headers headers(const std::string& idempotency_key) const;
  awaitable<Result<Peer::Answer>> get(std::string path, Deadline until);
  awaitable<ChargeOutcome> find_listed(ChargeRequest request, Deadline until);
  awaitable<RefundOutcome> find_listed_refund(RefundRequest request, Deadline until);
  awaitable<Result<std::optional<Object>>> find_in_list(std::string path, std::string mark, std::string key,
                                                        Deadline until);
  ChargeOutcome outcome_of(const Object& object, const ChargeRequest& request) const;
  ChargeOutcome outcome_of_error(const Peer::Answer& answer, const ChargeRequest& request) const;
  RefundOutcome refund_outcome_of(const Object& object, const RefundRequest& request) const;
  bool is_of(Mode mode) const;

  const std::string name_;
  const ProcessorSettings settings_;
  Peer peer_;
};

}  // namespace billd::gateways
