// What the gateway calls cards and bank accounts that another system has names for.
#pragma once

#include <map>
#include <string>

#include "commands/commands.hpp"
#include "commands/session.hpp"
#include "net/async.hpp"

namespace billd::commands {

class ImportTokens {
 public:
  /// From the file of options.tokens, if there is one; the test gateway knows its own by their fingerprints.
  /// `is_stripe`: the gateway is Stripe itself, which calls a source as it is called already.
  static awaitable<Result<ImportTokens>> read(Session& session, const ImportOptions& options, bool is_stripe);

  /// Empty: it is not known by its identifier nor by its fingerprint.
  std::string of(const std::string& customer, const std::string& id, const std::string& fingerprint) const;

 private:
  std::map<std::string, std::string> tokens_;  ///< by the source's identifier or fingerprint
  bool is_stripe_ = false;
};

}  // namespace billd::commands
