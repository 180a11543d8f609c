// What operators did: a log in Redis whose entries are chained by hashes, so that none can be changed unseen.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "net/store/store.hpp"

namespace billd::store {

struct AuditEntry {
  std::uint64_t number = 0;  ///< from 1, without gaps; given by append_audit()
  Timestamp at;
  std::string who;      ///< the operator
  std::string from;     ///< the address that the request came from
  std::string action;   ///< "park", "retry", "pause", "resume"
  std::string subject;  ///< a customer's identifier, or which queue and reason
  std::string comment;  ///< the operator's own words
  /// Empty: the action is about to be carried out, which is written before it is. Otherwise what came of it.
  std::string outcome;
  std::string hash;  ///< SHA-256 of the entry and the hash before it, in hexadecimal; given by append_audit()

  bool operator==(const AuditEntry&) const = default;
};

/// Appends the entry and returns it with its number and hash.
awaitable<Result<AuditEntry>> append_audit(Store& store, AuditEntry entry);

/// The latest entries, newest first.
awaitable<Result<std::vector<AuditEntry>>> latest_audit(Store& store, std::size_t limit);

struct AuditCheck {
  std::uint64_t entries = 0;  ///< that were read and are in order
  std::string latest_hash;    ///< to be compared with a copy that is kept elsewhere, such as billd's log
  std::string broken;         ///< where the chain breaks and how; empty: it is whole
};

/// Walks the whole log, in batches. That entries are missing at its end only a copy of the latest hash can show.
awaitable<Result<AuditCheck>> verify_audit_log(Store& store);

}  // namespace billd::store
