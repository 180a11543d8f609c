#include "engine/forecast.hpp"

#include <algorithm>

namespace billd {
namespace {

class Future {
 public:
  Future(Account account, const Rules& rules) : account_(std::move(account)), rules_(rules) {}

  Result<std::vector<ExpectedPayment>> until(Timestamp now, Timestamp end) {
    now_ = now;
    for (;;) {
      const auto due = next_due(timers(account_));
      if (!due || *due > end) return std::move(payments_);
      now_ = std::max(now_, *due);
      auto ticked = tick(std::move(account_), now_, rules_);
      if (!ticked) return ticked.error();
      if (!ticked->changed) return std::move(payments_);
      auto taken = take(std::move(*ticked));
      if (!taken) return taken.error();
    }
  }

 private:
  Result<void> take(Transition transition) {
    account_ = std::move(transition.account);
    for (const Event& event : transition.events)
      if (event.type == EventType::invoice_sent) {
        const auto& invoice = std::get<Invoice>(transition.snapshots[event.snapshot]);
        payments_.push_back({now_, invoice.amount_due(), invoice.id, true});
      }
    for (const Effect& effect : transition.effects) {
      auto carried = std::visit([this](const auto& each) { return carry_out(each); }, effect);
      if (!carried) return carried.error();
    }
    return {};
  }

  Result<void> carry_out(const CollectCharge& effect) {
    const Invoice* invoice = account_.find(effect.invoice);
    if (invoice == nullptr || invoice->unresolved_charge() == nullptr) return {};
    payments_.push_back({now_, invoice->unresolved_charge()->amount, invoice->id, false});
    return record(RecordChargeOutcome{effect.invoice, effect.charge, {ChargeOutcomeKind::succeeded, "", ""}});
  }

  Result<void> carry_out(const SendRefund& effect) {
    return record(RecordRefundOutcome{effect.invoice, {}, effect.refund, {RefundOutcomeKind::succeeded, "", ""}});
  }

  Result<void> record(const Command& outcome) {
    auto recorded = decide(std::move(account_), outcome, now_, rules_);
    if (!recorded) return recorded.error();
    return take(std::move(*recorded));
  }

  Account account_;
  const Rules& rules_;
  Timestamp now_;
  std::vector<ExpectedPayment> payments_;
};

}  // namespace

Result<std::vector<ExpectedPayment>> forecast(Account account, Timestamp now, Timestamp until, const Rules& rules) {
  return Future(std::move(account), rules).until(now, until);
}

}  // namespace billd
