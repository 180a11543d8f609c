// What an account leaves in the partition's indexes and queues: a function of its state, so that it can be rebuilt.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/decide.hpp"
#include "engine/transition.hpp"

namespace billd::store {

/// The sorted sets behind the lists and filters of the APIs.
enum class Index : std::uint8_t {
  customers,
  emails,
  subscriptions,
  invoices,
  charges,
  test_clock_customers,
  invoice_items,
  references,
  // What customers are searched by: a set for each value (the qualifier), or one for all (numbers), in the order of the
  // customers' numbers (the score).
  numbers,
  account_ids,
  first_names,
  last_names,
  organizations,
  phones,
  streets,
  cities,
  states,
  postal_codes,
  countries,
  credit_notes,
  schedules,
  refunds,
};
inline constexpr std::size_t index_count = 22;

std::string_view to_text(Index index);

/// A value by which customers are searched as the index spells it: in lower case where case does not count there.
/// Empty: no customer is found by it, because it is empty or longer than 512 bytes.
std::string search_value(Index index, std::string_view value);

/// One member of a sorted set. The score is the object's creation in microseconds since 1970, the customer's number in
/// an index to search by, or 0 where there is no order.
struct IndexEntry {
  Index index = Index::customers;
  std::int64_t score = 0;
  std::string member;
  std::string qualifier;  ///< which of several sets: the test clock's identifier, the value searched by

  auto operator<=>(const IndexEntry&) const = default;
};

/// By which a source is found in the index of references: its gateway's name and what that calls it.
std::string reference_name(std::string_view gateway, std::string_view reference);

/// Sorted, without duplicates.
using IndexEntries = std::vector<IndexEntry>;

/// The entries of what is in the account. Provisional objects have none.
IndexEntries index_entries(const Account& account);

/// The entries of a record outside the account: the same as while it was inside.
IndexEntries index_entries(const AccountKey& key, const Record& record);

/// What was stored of an account when it was loaded, so that a commit writes only the difference.
struct Footprint {
  Timers timers;
  TestClockId test_clock;
  IndexEntries entries;

  static Footprint of(const Account& account);
};

}  // namespace billd::store
