// Invoices as API versions from 2025-03-31 on tell them.
#pragma once

#include <boost/json/object.hpp>

namespace billd::commands {

/// Adds the members in which earlier versions told what an invoice and its lines are of; what is told in the earlier
/// way already stays as it is. Source: https://docs.stripe.com/changelog/basil.
void tell_as_before(boost::json::object& invoice);
/// The same of an invoice item.
void tell_item_as_before(boost::json::object& item);

}  // namespace billd::commands
