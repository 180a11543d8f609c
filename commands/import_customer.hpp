// One customer brought along with what belongs to it.
#pragma once

#include <boost/json/object.hpp>

#include "commands/commands.hpp"
#include "commands/import_into_catalog.hpp"
#include "commands/import_reader.hpp"
#include "commands/import_report.hpp"
#include "commands/import_tokens.hpp"
#include "commands/session.hpp"
#include "engine/rules.hpp"

namespace billd::commands {

/// What all customers of an import share. All of it outlives them.
struct ImportOfAll {
  Session& session;
  ImportReader& reader;
  const ImportOptions& options;
  const Rules& rules;
  const ImportTokens& tokens;
  const CatalogImport& catalog;
};

/// Reads what belongs to the customer and writes it in one commit, unless the customer is there already. Customers may
/// be taken at once and in any order. What is refused stands in the report; a Failure means that reading or writing
/// does not work, and that this customer is not taken.
awaitable<Result<ImportReport>> take_customer(const ImportOfAll& all, boost::json::object customer);

}  // namespace billd::commands
