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

/// Each title on a line, and each sentence on one below it.
std::string to_text(const std::vector<Section>& sections);
/// {"id": …, "sections": [{"title": …, "sentences": […]}]}
std::string to_json(const std::string& id, const std::vector<Section>& sections);

}  // namespace billd::jobs
