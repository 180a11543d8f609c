// The file in which a daemon remembers what its Redis has acknowledged, beyond its own life.
#pragma once

#include <filesystem>
#include <optional>

#include "config/settings.hpp"
#include "net/store/store.hpp"

namespace billd::commands {

std::filesystem::path acknowledged_file(const Settings& settings);

/// Empty when there is no file yet; Errc::corrupt when it is no such file.
Result<std::optional<store::Acknowledged>> read_acknowledged(const std::filesystem::path& file);

/// Replaces the file in one step. It may be older than the truth, never newer, so that it needs no flush to disk.
Result<void> write_acknowledged(const std::filesystem::path& file, const store::Acknowledged& acknowledged);

/// Makes the next daemon take Redis as it is. True when there was a file.
bool forget_acknowledged(const std::filesystem::path& file);

}  // namespace billd::commands
