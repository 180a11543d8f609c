// Identifiers of another system on their way in: each object gets one of billd's, and keeps its own as an alias.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/imports.hpp"
#include "net/store/aliases.hpp"

namespace billd::commands {

/// What billd calls a customer; of one with an identifier that billd cannot keep, that.
CustomerId native_customer(Mode mode, const CustomerId& customer);

/// Gives everything that is not of the account by its identifier one that is, here and wherever it is referred to, and
/// tells what it was called. What leads nowhere (an invoice that was paid, an item that is gone) is left as it is.
/// `payment_intents`: by their invoice; each is an alias, too.
/// invalid_parameter, naming the identifier, for one that cannot be kept.
Result<std::vector<store::Alias>> adopt(const AccountKey& key, ForeignAccount& foreign,
                                        const std::map<std::string, std::string>& payment_intents);

/// A sentence about the account in the other system's words.
std::string in_foreign_words(std::string sentence, const std::vector<store::Alias>& aliases);

}  // namespace billd::commands
