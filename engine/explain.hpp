// Why things are as they are, in plain sentences: what was billed, what will be and when, by which rule, and what each
// attempt to collect it saw.
#pragma once

#include <string>
#include <vector>

#include "engine/decide.hpp"

namespace billd {

struct Section {
  std::string title;
  std::vector<std::string> sentences;

  bool operator==(const Section&) const = default;
};

/// Explains the customer, subscription or invoice of that identifier, which is the account's or one of its records';
/// not_found when it is neither. `records` are all records of the account, in any order.
Result<std::vector<Section>> explain(const Account& account, const std::vector<Record>& records, const std::string& id,
                                     Timestamp now, const Rules& rules);

}  // namespace billd
