// What the machine and Redis say of themselves, judged: what will break, and the command that mends it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "net/redis/preflight.hpp"

namespace billd::commands {

struct Diagnosis {
  redis::Severity severity = redis::Severity::fine;
  std::string subject;      ///< what was looked at
  std::string value;        ///< how it is
  std::string consequence;  ///< what will break; empty when all is fine
  std::string remedy;       ///< the command that mends it; empty when all is fine
};

/// What is known of the place where a daemon runs. What is empty could not be found out, or does not matter there.
struct Machine {
  std::uint64_t open_files_max = 0;
  std::uint64_t connections_max = 0;  ///< that the settings allow on both listeners together
  std::optional<std::uint64_t> disk_free, disk_size;
  std::optional<std::uint64_t> memory;    ///< where Redis runs here
  std::optional<std::string> overcommit;  ///< of /proc/sys/vm/overcommit_memory, where Redis runs here
  std::optional<std::string> huge_pages;  ///< of transparent_hugepage/enabled, where Redis runs here
  std::optional<bool> is_clock_synchronised;
  std::string state_directory;
  bool is_state_open_to_others = false;
};

Machine look_at_machine(const std::string& state_directory, std::uint64_t connections_max, bool has_redis);

/// Judges the machine.
std::vector<Diagnosis> diagnose(const Machine& machine);

/// Judges what Redis' INFO tells; `memory` is of the machine that it runs on, if that is known.
std::vector<Diagnosis> diagnose_redis(std::string_view info, const std::optional<std::uint64_t>& memory);

/// A finding of the preflight, with what it leads to.
Diagnosis diagnose(const redis::Finding& finding);

}  // namespace billd::commands
