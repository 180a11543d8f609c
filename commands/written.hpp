// What the program writes of itself: its manual pages and the completions of shells, from the options as they are.
#pragma once

#include <CLI/App.hpp>
#include <string>

namespace billd::commands {

/// billd(1), in the language of man pages.
std::string manual(const CLI::App& app);

/// billd.toml(5).
std::string settings_manual();

/// Completes commands and options, and the files and folders that options take.
std::string bash_completion(const CLI::App& app);
std::string zsh_completion(const CLI::App& app);

}  // namespace billd::commands
