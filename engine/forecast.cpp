#include "engine/forecast.hpp"

#include <algorithm>

namespace billd {
namespace {

class Future {
 public:
  Future(Account account, const Rules& rules) : account_(std::move(account)), rules_(rules) {}

  Result<std::vector<ExpectedPayment>> until(Timestamp now, Timestamp end) {
    now_ = now;
    end_ = end;
    auto lived = live();
    if (!lived) return lived.error();
    return std::move(payments_);
  }

 private:
  Result<void> live() {
    std::vector<InvoiceId> sent;
    for (const Invoice& invoice : account_.invoices)
      if (invoice.status == InvoiceStatus::open && invoice.collection == Collection::send_invoice &&
          invoice.unresolved_charge() == nullptr)
        sent.push_back(invoice.id);
    for (const InvoiceId& id : sent) {
      auto paid = customer_pays(id);
      if (!paid) return paid.error();
    }
    for (;;) {
      const auto due = next_due(timers(account_));
      if (!due || *due > end_) return {};
      now_ = std::max(now_, *due);
      auto ticked = tick(std::move(account_), now_, rules_);
      if (!ticked) return ticked.error();
      if (!ticked->changed) return {};
      auto taken = take(std::move(*ticked));
      if (!taken) return taken.error();
    }
  }

  /// The invoice counts as paid at once, so that nothing follows from its being late; the money comes when it is due.
  Result<void> customer_pays(const InvoiceId& id) {
    const Invoice* invoice = account_.find(id);
    if (invoice == nullptr || invoice->status != InvoiceStatus::open) return {};
    const Timestamp at = std::max(now_, invoice->due_at.value_or(now_));
    if (at <= end_) expect({at, invoice->amount_due(), id, true});
    auto paid = decide(account_, PayInvoice{id, {}, {}, true}, now_, rules_);
    // What cannot be paid goes its way.
    return paid ? take(std::move(*paid)) : Result<void>();
  }

  /// In the order of time; of one moment, in the order in which they were found.
  void expect(ExpectedPayment payment) {
    const auto behind = std::ranges::upper_bound(payments_, payment.at, {}, &ExpectedPayment::at);
    payments_.insert(behind, std::move(payment));
  }

  Result<void> take(Transition transition) {
    account_ = std::move(transition.account);
    for (const Event& event : transition.events) {
      if (event.type != EventType::invoice_sent) continue;
      auto paid = customer_pays(std::get<Invoice>(transition.snapshots[event.snapshot]).id);
      if (!paid) return paid.error();
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
    expect({now_, invoice->unresolved_charge()->amount, invoice->id, false});
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
  Timestamp now_, end_;
  std::vector<ExpectedPayment> payments_;
};

}  // namespace

Result<std::vector<ExpectedPayment>> forecast(Account account, Timestamp now, Timestamp until, const Rules& rules) {
  return Future(std::move(account), rules).until(now, until);
}

}  // namespace billd
