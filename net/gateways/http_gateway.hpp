// Charges through a merchant's own endpoint, by the small signed contract of http_contract.md.
#pragma once

#include <functional>

#include "net/gateways/peer.hpp"

namespace billd::gateways {

class HttpGateway final : public Gateway {
 public:
  using WallClock = std::function<Timestamp()>;

  /// `now`: real time, for the signatures.
  HttpGateway(Executor executor, std::string name, ProcessorSettings settings, WallClock now);

  awaitable<Result<NewSource>> describe_source(Mode mode, std::string token) override;
  awaitable<ChargeOutcome> charge(ChargeRequest request) override;
  awaitable<ChargeOutcome> look_up(ChargeRequest request) override;
  awaitable<RefundOutcome> refund(RefundRequest request) override;
  awaitable<RefundOutcome> look_up_refund(RefundRequest request) override;
  std::optional<PeerStatistics> peer() const override { return peer_.statistics(); }

 private:
  using Object = boost::json::object;

  awaitable<Result<Peer::Answer>> ask(std::string path, Object question, std::string key, Peer::Deadline until);
  ChargeOutcome charge_outcome(const Result<Peer::Answer>& answer, const ChargeRequest& request) const;
  RefundOutcome refund_outcome(const Result<Peer::Answer>& answer, const RefundRequest& request) const;
  std::optional<std::string> trusted_outcome(const Result<Peer::Answer>& answer, const std::string& key,
                                             const Money& amount, bool& is_nonsense) const;

  const std::string name_;
  const ProcessorSettings settings_;
  const WallClock now_;
  Peer peer_;
};

}  // namespace billd::gateways
