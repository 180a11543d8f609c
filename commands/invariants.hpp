// What must hold of one account and of what it has left in Redis: rules over a snapshot of it, without any input.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/decide.hpp"
#include "net/gateways/test_gateway.hpp"
#include "net/store/footprint.hpp"

namespace billd::commands {

enum class Rule : std::uint8_t {
  readable,     ///< everything stored can be read, and stands where it belongs
  records,      ///< a settled object is stored once, under its own name
  periods,      ///< each period of each subscription is billed once, in order and without gaps
  lines,        ///< the lines of an invoice add up to its total
  numbers,      ///< a customer's invoice numbers have no gaps
  payments,     ///< a paid invoice has one succeeded charge of its amount, an unpaid one none
  balances,     ///< a customer's balance is the sum of its recorded changes
  schedules,    ///< an active schedule has a live subscription, and phases without gaps
  timers,       ///< an account waits in the queues for what its state says, and nobody else waits there
  parked,       ///< a parked account exists and is in no queue
  indexes,      ///< the lists show every object once, and nothing else
  events,       ///< an account's events are numbered without gaps, up to the number that it knows
  ledger,       ///< the test gateway and billd agree on every charge
  idempotency,  ///< no effect is under way for longer than an hour
  aliases,      ///< what other systems call objects leads to them, and the objects know it
  audit,        ///< the audit log is as it was written: each entry's hash is that of all before it
};
inline constexpr std::size_t rule_count = 16;

std::string_view to_text(Rule rule);
/// The sentence which the rule is.
std::string_view describe(Rule rule);

/// A broken rule: where, what is there, and what should be.
struct Violation {
  Rule rule = Rule::readable;
  std::string key;
  std::string found, expected;
  bool rebuilt = false;
};

/// A member of one of Redis' sorted sets and its score; empty: it is not there, or must not be.
struct Placement {
  std::string set, member;
  std::optional<std::int64_t> score;
};

/// An account as it was at one moment.
struct AccountView {
  std::string redis_key;
  Account account;
  std::map<std::string, Record> records;                ///< by field
  std::map<std::string, InvoiceId> charge_owners;       ///< by field
  std::map<std::string, gateways::LedgerEntry> ledger;  ///< the test gateway's, by charge
  bool parked = false;
  std::vector<Placement> queues, indexes;  ///< where it is, of all places where it is or should be
};

/// What the rules find wrong in it.
std::vector<Violation> check_account(const AccountView& view);

/// Where the account must be in queues: one placement for each queue that it could be in.
std::vector<Placement> expected_queues(std::string_view keys_prefix, const Account& account, bool parked);
/// Where it and its records must be in indexes.
std::vector<Placement> expected_indexes(std::string_view keys_prefix, const Account& account,
                                        const std::map<std::string, Record>& records);

}  // namespace billd::commands
