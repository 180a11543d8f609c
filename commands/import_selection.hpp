// Which of the API's objects an import looks at.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "commands/import_reader.hpp"

namespace billd::commands {

/// Adds those whose identifiers are not among `objects` yet: what is told by two names is told once. Of a card only one
/// of the two says when it was made.
void add_unknown(Objects& objects, Objects more);
/// Newest first, as the API lists each kind by itself.
void sort_newest_first(Objects& objects);

/// A draft or an open invoice.
bool is_unfinished(const boost::json::object& invoice);
/// A subscription that is canceled, or expired before it began.
bool has_ended(const boost::json::object& subscription);
/// A schedule that will do something yet.
bool goes_on(const boost::json::object& schedule);

/// The items of subscriptions that are billed by what is reported of them; a meter's are counted elsewhere.
std::vector<std::string> metered_items(const Objects& subscriptions);
/// The subscriptions of invoices that are not among those that go on.
std::set<std::string> ended_of(const ForeignCustomer& whole);

}  // namespace billd::commands
