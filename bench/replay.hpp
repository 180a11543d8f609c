// The limit of what Redis can do: the writes of a run, taken from the append-only file, fed to it with nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/result.hpp"

namespace billd::bench {

/// One MULTI ... EXEC of an append-only file, or one command outside of any.
struct WriteBlock {
  std::string_view bytes;
  std::uint32_t replies = 0;    ///< that Redis will give to it
  std::uint32_t partition = 0;  ///< of its first key
};

/// Takes a part of an append-only file apart, which must begin and end between two blocks. The blocks point into
/// `text`.
Result<std::vector<WriteBlock>> write_blocks(std::string_view text);

struct Replay {
  double seconds = 0;
  std::uint64_t errors = 0;  ///< error replies; with any, it was not the same work
};

/// Sends the blocks over so many connections to the Unix socket, a partition always over the same one so that its order
/// holds, with a bounded number of bytes under way on each, and waits for all replies. Blocks the thread.
Result<Replay> replay(const std::string& socket, const std::vector<WriteBlock>& blocks, std::size_t connections);

}  // namespace billd::bench
