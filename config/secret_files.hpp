// Secrets that lie in files of their own: where they are, who may read them, and what they must look like.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "config/settings.hpp"

namespace billd {

/// A file with a secret in it.
struct SecretFile {
  std::string setting;  ///< that names it, such as "redis.password_file"
  std::filesystem::path path;
};

/// All that the settings name. A relative path is taken from systemd's credentials directory, if there is one.
std::vector<SecretFile> secret_files(const Settings& settings, const Environment& environment);

/// Fills in what stands in these files. Every file that cannot be used is told of, one a line: one that others may use,
/// one without a secret, a key that is not of its processor, or of another mode than its gateway.
Result<void> read_secrets(Settings& settings, const Environment& environment);

/// The file's contents; bad_configuration says why it cannot be read.
Result<std::string> read_whole_file(const std::filesystem::path& path);

}  // namespace billd
