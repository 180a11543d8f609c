// Looks at a Redis before money is entrusted to it.
#pragma once

#include <string>
#include <vector>

#include "net/async.hpp"
#include "net/redis/client.hpp"

namespace billd::redis {

enum class Severity {
  fine,
  warn,    ///< billd works, but somebody should know
  refuse,  ///< acknowledged data may be lost: no money on this Redis, unless the operator says so
};
std::string_view name(Severity severity);

/// One thing that was looked at.
struct Finding {
  Severity severity;
  std::string setting;   ///< "appendfsync", "clock skew"
  std::string value;     ///< as it is; empty when it could not be found out
  std::string expected;  ///< "always", "at least 7.0"
  std::string advice;    ///< the command or the line of redis.conf that mends it; empty when all is fine

  /// One line for a log or an operator.
  std::string text() const;
};

struct Preflight {
  std::vector<Finding> findings;

  Severity worst() const;
  bool refuses() const { return worst() == Severity::refuse; }
};

/// Reads the settings and the state of the server, without changing anything; a few milliseconds, to be repeated each
/// minute. What an access control list or a renamed CONFIG hides is reported as not checked. Fails only when Redis does
/// not answer.
awaitable<Result<Preflight>> preflight(Client& client);

}  // namespace billd::redis
