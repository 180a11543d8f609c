// The file in the state directory in which the last day's history outlives a restart.
#pragma once

#include <filesystem>
#include <string>

#include "config/settings.hpp"

namespace billd::commands {

std::filesystem::path history_file(const Settings& settings);

/// Empty when there is no such file.
std::string read_history(const std::filesystem::path& file);

/// Replaces the file as a whole.
Result<void> write_history(const std::filesystem::path& file, const std::string& text);

}  // namespace billd::commands
