// Customers that another system has billed so far.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/account.hpp"
#include "engine/result.hpp"
#include "engine/rules.hpp"
#include "engine/transition.hpp"

namespace billd {

/// A customer with everything that goes on. Every identifier leads to the account, but for those of payment methods,
/// which are older than that they are the customer's.
struct ForeignAccount {
  Customer customer;
  std::vector<Source> sources;              ///< oldest first, as all of these
  std::vector<Subscription> subscriptions;  ///< running ones, each with its place in the cycle: see place_in_cycle()
  std::vector<Subscription> ended;          ///< that open invoices are of
  std::vector<Invoice> invoices;            ///< drafts and open ones
  std::vector<InvoiceItem> invoice_items;   ///< pending ones
  std::vector<Schedule> schedules;          ///< that go on
  std::uint64_t invoices_numbered = 0;
  std::string invoice_prefix = {};  ///< what their numbers begin with; empty: not told
};

/// Counts the periods of a subscription by its current period, its recurrence and its anchor: the current period is
/// billed already, and the next boundary begins the next one.
void place_in_cycle(Subscription& subscription);

/// Decides, as decide() does for commands, what becomes of an account that nothing is stored of yet: it is as the other
/// system had it. Nothing is billed or charged for it and no event tells of it; the next period is billd's.
/// already_exists when the account has a customer.
Result<Transition> bring_along(Account account, const ForeignAccount& foreign, Timestamp now, const Rules& rules);

}  // namespace billd
