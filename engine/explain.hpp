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

/// Explains the customer, subscription, schedule or invoice of that identifier, whatever its prefix, which is the
/// account's or one of its records'; the identifier of a charge leads to its invoice. not_found when it is none of
/// them. `records` are all records of the account, in any order.
Result<std::vector<Section>> explain(const Account& account, const std::vector<Record>& records, const std::string& id,
                                     Timestamp now, const Rules& rules);

/// Each title on a line, and each sentence on one below it.
std::string to_text(const std::vector<Section>& sections);

}  // namespace billd
