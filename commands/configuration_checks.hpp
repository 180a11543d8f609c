// What of a configuration can be judged before a daemon depends on it: keys, files, certificates, addresses. What makes
// no configuration at all was refused when it was read.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "net/redis/preflight.hpp"

namespace billd::commands {

/// What was looked at, how it is, and what to do next.
using Findings = std::vector<redis::Finding>;

/// That test and live do not meet: in a gateway, between a gateway and who speaks for it, on the way to it.
Findings check_gateways(const Settings& settings);

/// Who may use the files that hold secrets, and whether the daemon's user may. `file`: the configuration itself.
Findings check_files(const Settings& settings, const std::optional<std::string>& file, const Environment& environment);

/// The certificates of the listeners: whether they can be used with their keys, for how long, and for which names.
Findings check_certificates(const Settings& settings, std::chrono::sys_seconds now);

/// Whether the addresses of the listeners can be listened on. `is_running`: a daemon with these settings is, and has
/// them.
Findings check_listeners(const Settings& settings, bool is_running);

}  // namespace billd::commands
