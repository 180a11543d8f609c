// What billd knows of one object, explained; for the command line and for operators alike.
#pragma once

#include <string>
#include <vector>

#include "engine/explain.hpp"
#include "net/async.hpp"
#include "net/store/catalog.hpp"
#include "net/store/store.hpp"

namespace billd::jobs {

/// Explains the customer, subscription, schedule or invoice of that identifier, with all of its account's records, at
/// the account's time: real, or its test clock's. Live data goes before test data. not_found when nothing has that
/// identifier.
awaitable<Result<std::vector<Section>>> explain(store::Store& store, store::Catalog& catalog, std::string id,
                                                Timestamp now, Rules rules);

}  // namespace billd::jobs
