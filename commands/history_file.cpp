#include "commands/history_file.hpp"

#include <fstream>
#include <sstream>

namespace billd::commands {

std::filesystem::path history_file(const Settings& settings) {
  return std::filesystem::path(settings.state_directory) / "history";
}

std::string read_history(const std::filesystem::path& file) {
  std::ifstream stream(file);
  std::stringstream text;
  if (stream) text << stream.rdbuf();
  return text.str();
}

Result<void> write_history(const std::filesystem::path& file, const std::string& text) {
  const std::filesystem::path next = file.string() + ".new";
  {
    std::ofstream stream(next, std::ios::trunc);
    stream << text;
    if (!stream.flush()) return Failure{Errc::unavailable, "cannot write " + next.string()};
  }
  std::error_code error;
  std::filesystem::rename(next, file, error);
  if (error) return Failure{Errc::unavailable, "cannot replace " + file.string() + ": " + error.message()};
  return Result<void>();
}

}  // namespace billd::commands
