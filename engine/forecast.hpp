// What an account will be charged until a day, found out by living it in advance.
#pragma once

#include <vector>

#include "engine/decide.hpp"

namespace billd {

/// A payment that is expected.
struct ExpectedPayment {
  Timestamp at;  ///< when it is charged or, of an invoice that is sent, due
  Money amount;
  InvoiceId invoice;     ///< means nothing when the invoice is yet to be drawn up
  bool is_sent = false;  ///< the invoice is sent and the customer pays it; else billd charges a source

  bool operator==(const ExpectedPayment&) const = default;
};

/// Lives the account from `now` until `until` by the same tick() as a daemon, in which every charge succeeds, every
/// invoice that is sent is paid when it is due, nobody commands anything, and nothing is written. What is late already
/// falls on `now`. In the order of time. A failure is tick()'s own.
Result<std::vector<ExpectedPayment>> forecast(Account account, Timestamp now, Timestamp until, const Rules& rules);

}  // namespace billd
