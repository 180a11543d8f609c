// Reading and writing the file of what was acknowledged.
#include "commands/acknowledged.hpp"

#include <fstream>
#include <sstream>

namespace billd::commands {

std::filesystem::path acknowledged_file(const Settings& settings) {
  return std::filesystem::path(settings.state_directory) / "acknowledged";
}

Result<std::optional<store::Acknowledged>> read_acknowledged(const std::filesystem::path& file) {
  std::ifstream stream(file);
  if (!stream) return std::optional<store::Acknowledged>();
  std::stringstream text;
  text << stream.rdbuf();
  auto acknowledged = store::Acknowledged::parse(text.str());
  if (!acknowledged)
    return Failure{Errc::corrupt, file.string() +
                                      " cannot be read; if Redis' data is known to be complete, remove it with "
                                      "`billd verify --accept-data-loss`"};
  return acknowledged;
}

Result<void> write_acknowledged(const std::filesystem::path& file, const store::Acknowledged& acknowledged) {
  const std::filesystem::path next = file.string() + ".new";
  {
    std::ofstream stream(next, std::ios::trunc);
    stream << acknowledged.to_text() << "\n";
    if (!stream.flush()) return Failure{Errc::unavailable, "cannot write " + next.string()};
  }
  std::error_code error;
  std::filesystem::rename(next, file, error);
  if (error) return Failure{Errc::unavailable, "cannot replace " + file.string() + ": " + error.message()};
  return {};
}

bool forget_acknowledged(const std::filesystem::path& file) {
  std::error_code error;
  return std::filesystem::remove(file, error);
}

}  // namespace billd::commands
