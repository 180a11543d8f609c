// What other systems call objects, held against the accounts that they lead to.
#pragma once

#include <string>
#include <vector>

#include "commands/invariants.hpp"
#include "net/async.hpp"
#include "net/store/store.hpp"

namespace billd::commands {

struct AliasReport {
  std::uint64_t aliases = 0;
  std::vector<Violation> violations;
};

/// Reads the aliases of every adopted account of a partition and mode: the account is there, has drawn the numbers of
/// the objects, and every foreign identifier leads to it. What was deleted since keeps its name. What looks wrong is
/// read `readings` times, `pause` apart: a customer may be brought along meanwhile.
awaitable<Result<AliasReport>> check_aliases(store::Store& store, Mode mode, std::uint32_t partition, int readings,
                                             Milliseconds pause);

/// The other direction, for one hash of the directory, by its key: each identifier stands where it is looked for, and
/// the account knows it.
awaitable<Result<std::vector<Violation>>> check_directory(store::Store& store, Mode mode, std::string directory,
                                                          int readings, Milliseconds pause);

}  // namespace billd::commands
