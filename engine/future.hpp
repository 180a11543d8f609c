// An account lived ahead of its time, by the same tick() as a daemon's, to see what will come. Internal to the engine.
#pragma once

#include "engine/decide.hpp"
#include "engine/forecast.hpp"

namespace billd {

/// Every charge succeeds, every invoice that is sent is paid when it is due, nobody commands anything, nothing is
/// written, and the next invoices are not announced, which would be a look ahead of its own for each. What is late
/// already falls on the moment from which it is lived. Failures are tick()'s own.
class Future {
 public:
  Future(Account account, Timestamp now, const Rules& rules);
  virtual ~Future() = default;
  Future(const Future&) = delete;
  Future& operator=(const Future&) = delete;

  /// Pays what was sent before. Comes first.
  Result<void> begin();
  /// Does what is due first. False: nothing more is, until `end` at least.
  Result<bool> step(Timestamp end);

 protected:
  /// Something has happened: `account()` is as it is afterwards.
  virtual void see(const Transition&) {}
  virtual void see(const ExpectedPayment&) {}

  Account& account() { return account_; }

 private:
  Result<void> customer_pays(const InvoiceId& id);
  Result<void> take(Transition transition);
  Result<void> carry_out(const CollectCharge& effect);
  Result<void> carry_out(const SendRefund& effect);
  Result<void> record(const Command& outcome);

  Account account_;
  Rules rules_;
  Timestamp now_;
};

}  // namespace billd
