// What the secrets of webhook endpoints are derived from, where no file was named for it: one of the daemon's own.
#pragma once

#include <filesystem>

#include "config/settings.hpp"

namespace billd::commands {

/// The secret of the settings, or of webhook_secret in the state directory, which is made when it is not there.
/// REQUIRES: the state directory exists.
Result<Secret> webhook_secret(const Settings& settings);

}  // namespace billd::commands
