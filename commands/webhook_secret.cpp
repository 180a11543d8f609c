#include "commands/webhook_secret.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <span>

#include "config/keys.hpp"
#include "net/webhooks/signature.hpp"

namespace billd::commands {
namespace {

constexpr std::size_t secret_bytes = 32;

Failure unusable(const std::filesystem::path& file, int reason) {
  return {Errc::bad_configuration, "the secret of webhooks, " + file.string() + ": " + std::strerror(reason)};
}

/// Whole or not at all: it is written beside its place first.
Result<Secret> make(const std::filesystem::path& file) {
  std::array<std::byte, secret_bytes> random{};
  secure_random(random);
  const std::string text =
      webhooks::to_hex(std::string_view(reinterpret_cast<const char*>(random.data()), random.size()));
  const std::filesystem::path next = file.string() + ".new";
  const int descriptor = ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (descriptor < 0) return unusable(next, errno);
  const std::string line = text + "\n";
  const bool is_written =
      ::write(descriptor, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(descriptor) == 0;
  const int reason = errno;
  ::close(descriptor);
  if (!is_written) return unusable(next, reason);
  std::error_code error;
  std::filesystem::rename(next, file, error);
  if (error) return unusable(file, error.value());
  return Secret(text);
}

}  // namespace

Result<Secret> webhook_secret(const Settings& settings) {
  if (!settings.webhooks.secret.empty()) return settings.webhooks.secret;
  const std::filesystem::path file = std::filesystem::path(settings.state_directory) / "webhook_secret";
  std::ifstream stream(file);
  if (!stream) {
    if (errno != ENOENT) return unusable(file, errno);
    return make(file);
  }
  std::string line;
  std::getline(stream, line);
  if (line.empty()) return Failure{Errc::bad_configuration, "the secret of webhooks, " + file.string() + ", is empty"};
  return Secret(line);
}

}  // namespace billd::commands
