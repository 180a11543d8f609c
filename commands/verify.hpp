// Proves on the stored data that billd kept its promises, and mends what can be made anew from the accounts.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "commands/invariants.hpp"
#include "net/async.hpp"
#include "net/store/store.hpp"

namespace billd::commands {

struct VerifyProgress {
  std::uint64_t keys_seen = 0, keys_total = 0;  ///< the total as it was at the beginning
};

struct VerifyOptions {
  /// Queues and indexes are put right as the accounts say, each under the account's version.
  bool rebuild = false;
  std::size_t examples_max = 10;  ///< of each rule
  /// A daemon may be at work: what looks wrong is read twice more, after this while each time, before it counts.
  Milliseconds pause{300};
  /// Now and then, while keys are walked.
  std::function<void(const VerifyProgress&)> progress;
};

struct VerifyReport {
  struct OfRule {
    std::uint64_t violations = 0;  ///< rebuilt ones included
    std::uint64_t rebuilt = 0;
    std::vector<Violation> examples;
  };
  std::array<OfRule, rule_count> rules;

  std::uint64_t accounts = 0, deleted_customers = 0;
  std::uint64_t subscriptions = 0, ended_subscriptions = 0;
  std::uint64_t invoices = 0, settled_invoices = 0;  ///< in accounts, and in records
  std::uint64_t charges = 0, succeeded_charges = 0;
  std::uint64_t events = 0;    ///< kept
  std::uint64_t bookings = 0;  ///< of the test gateway
  std::uint64_t aliases = 0;   ///< what other systems call objects
  std::uint64_t parked = 0;
  std::uint64_t restless = 0;       ///< changed at every reading: whether queues and indexes show them is not known
  std::uint64_t audit_entries = 0;  ///< of the audit log, in order
  std::string audit_hash;  ///< of the latest one: a copy kept elsewhere shows whether any are missing behind it
  std::uint64_t keys = 0, bytes = 0;  ///< of Redis as a whole
  Milliseconds took{0};

  const OfRule& of(Rule rule) const { return rules[static_cast<std::size_t>(rule)]; }
  /// Violations of all rules that are still there.
  std::uint64_t violations() const;
};

/// Walks all data of both modes once, in batches, with memory that grows with the accounts of one partition at most. A
/// failure means that the walk could not be finished; violations are in the report.
awaitable<Result<VerifyReport>> verify(store::Store& store, VerifyOptions options);

/// For people: figures, then each rule with its violations.
std::string to_text(const VerifyReport& report);
std::string to_json(const VerifyReport& report);

}  // namespace billd::commands
