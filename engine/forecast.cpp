#include "engine/forecast.hpp"

#include <algorithm>

#include "engine/future.hpp"

namespace billd {
namespace {

class Payments : public Future {
 public:
  Payments(Account account, Timestamp now, Timestamp end, const Rules& rules)
      : Future(std::move(account), now, rules), end_(end) {}

  Result<std::vector<ExpectedPayment>> all() {
    auto begun = begin();
    if (!begun) return begun.error();
    for (bool more = true; more;) {
      auto stepped = step(end_);
      if (!stepped) return stepped.error();
      more = *stepped;
    }
    return std::move(payments_);
  }

 private:
  /// In the order of time; of one moment, in the order in which they were found.
  void see(const ExpectedPayment& payment) override {
    if (payment.at > end_) return;
    const auto behind = std::ranges::upper_bound(payments_, payment.at, {}, &ExpectedPayment::at);
    payments_.insert(behind, payment);
  }
  using Future::see;

  const Timestamp end_;
  std::vector<ExpectedPayment> payments_;
};

}  // namespace

Result<std::vector<ExpectedPayment>> forecast(Account account, Timestamp now, Timestamp until, const Rules& rules) {
  return Payments(std::move(account), now, until, rules).all();
}

}  // namespace billd
