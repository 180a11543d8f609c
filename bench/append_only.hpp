// The append-only files of a redis-server: where its writes lie, and copies of them from which another one can start.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "engine/result.hpp"
#include "net/async.hpp"
#include "net/redis/client.hpp"

namespace billd::bench {

/// Until when a server had written what: a place in its newest incremental file.
struct AppendOnlyMark {
  std::filesystem::path directory;  ///< the server's own
  std::filesystem::path file;
  std::uintmax_t offset = 0;
};

/// Writes the data anew as a compact base, and switches automatic rewrites off, so that all that is written from now on
/// lies behind the mark.
awaitable<Result<AppendOnlyMark>> rewrite_append_only(redis::Client& client, std::filesystem::path directory);

/// Puts the data as it was at the mark into another server's directory, before that server starts.
Result<void> copy_append_only(const AppendOnlyMark& mark, const std::filesystem::path& directory);

/// What was written since the mark.
Result<std::string> written_since(const AppendOnlyMark& mark);

}  // namespace billd::bench
