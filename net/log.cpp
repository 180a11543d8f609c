// Lines as text, as JSON and as entries of the journal, and what is kept out of them.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "net/log.hpp"

#include <spdlog/sinks/base_sink.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <vector>

#include "config/secrets.hpp"

namespace billd::log {
namespace {

constexpr const char* journal_socket = "/run/systemd/journal/socket";

struct Field {
  const char* name;
  const char* journal_name;
  std::string_view About::* value;
};

constexpr std::array fields = {
    Field{"request", "BILLD_REQUEST", &About::request},
    Field{"job", "BILLD_JOB", &About::job},
    Field{"account", "BILLD_ACCOUNT", &About::account},
    Field{"subscription", "BILLD_SUBSCRIPTION", &About::subscription},
    Field{"invoice", "BILLD_INVOICE", &About::invoice},
    Field{"charge", "BILLD_CHARGE", &About::charge},
    Field{"test_clock", "BILLD_TEST_CLOCK", &About::test_clock},
};

/// What the line that is being written is about: spdlog has no place for it, and there is one thread.
const About* current = nullptr;

int priority_of(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::critical:
      return LOG_CRIT;
    case spdlog::level::err:
      return LOG_ERR;
    case spdlog::level::warn:
      return LOG_WARNING;
    case spdlog::level::info:
      return LOG_INFO;
    default:
      return LOG_DEBUG;
  }
}

std::string_view level_name(spdlog::level::level_enum level) {
  const auto name = spdlog::level::to_string_view(level);
  return {name.data(), name.size()};
}

std::string time_text(spdlog::log_clock::time_point time) {
  const auto since = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(since).count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  return fmt::format("{}.{:03}Z", text.data(), since.count() % 1000);
}

/// Of text that is printable, only these two mean something in JSON.
std::string in_json(std::string_view text) {
  std::string quoted = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

class Sink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  void set_format(LogFormat format) {
    if (format == LogFormat::automatic) format = is_connected_to_journal() ? LogFormat::journal : LogFormat::text;
    format_ = format;
    has_journal_socket_ = ::access(journal_socket, W_OK) == 0;
  }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const std::string text = printable(without_secrets({message.payload.data(), message.payload.size()}));
    switch (format_) {
      case LogFormat::automatic:
      case LogFormat::text:
        return put(fmt::format("{} {:8} {}{}\n", time_text(message.time), level_name(message.level), text, as_text()));
      case LogFormat::json:
        return put(fmt::format("{{\"time\":\"{}\",\"level\":\"{}\",\"message\":{}{}}}\n", time_text(message.time),
                               level_name(message.level), in_json(text), as_json()));
      case LogFormat::journal:
        if (has_journal_socket_) return send(priority_of(message.level), text);
        // The journal has the time already, and takes the priority from the prefix.
        return put(fmt::format("<{}>{}{}\n", priority_of(message.level), text, as_text()));
    }
  }

  void flush_() override {}

 private:
  template <class Visit>
  static void for_each_field(Visit visit) {
    if (current == nullptr) return;
    for (const Field& field : fields)
      if (const std::string_view value = current->*field.value; !value.empty())
        visit(field, printable(without_secrets(std::string(value))));
  }

  static std::string as_text() {
    std::string text;
    for_each_field(
        [&](const Field& field, const std::string& value) { text += fmt::format(" {}={}", field.name, value); });
    return text;
  }

  static std::string as_json() {
    std::string text;
    for_each_field([&](const Field& field, const std::string& value) {
      text += fmt::format(",\"{}\":{}", field.name, in_json(value));
    });
    return text;
  }

  /// One write for a line, so that lines of several processes do not mix. Where the log cannot be written, billing goes
  /// on.
  static void put(const std::string& line) {
    std::string_view rest = line;
    while (!rest.empty()) {
      const ssize_t written = ::write(STDERR_FILENO, rest.data(), rest.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return;
      rest.remove_prefix(static_cast<std::size_t>(written));
    }
  }

  static void send(int priority, const std::string& text) {
    std::vector<std::string> entry = {"MESSAGE=" + text, "PRIORITY=" + std::to_string(priority)};
    for_each_field([&](const Field& field, const std::string& value) {
      entry.push_back(std::string(field.journal_name) + "=" + value);
    });
    std::vector<iovec> parts;
    for (std::string& part : entry) parts.push_back({part.data(), part.size()});
    sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
  }

  LogFormat format_ = LogFormat::text;
  bool has_journal_socket_ = false;
};

spdlog::level::level_enum level_of(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return spdlog::level::trace;
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
    case LogLevel::critical:
      return spdlog::level::critical;
  }
  return spdlog::level::info;
}

/// A character of UTF-8 text: its length in bytes, 0 for none, and its number.
struct Character {
  std::size_t length = 0;
  std::uint32_t number = 0;
};

Character character_at(std::string_view text) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = byte(0);
  if (first < 0x80) return {1, first};
  const std::size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  if (first < 0xC2 || first > 0xF4 || text.size() < length) return {};
  std::uint32_t number = first & (0x7Fu >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return {};
    number = number << 6 | (byte(i) & 0x3Fu);
  }
  const bool is_overlong = (length == 3 && number < 0x800) || (length == 4 && number < 0x10000);
  const bool is_surrogate = number >= 0xD800 && number <= 0xDFFF;
  return is_overlong || is_surrogate || number > 0x10FFFF ? Character{} : Character{length, number};
}

/// Controls, and what makes a terminal or an editor show lines otherwise than they are.
bool is_treacherous(std::uint32_t number) {
  return number < 0x20 || (number >= 0x7F && number < 0xA0) || (number >= 0x200E && number <= 0x200F) ||
         (number >= 0x2028 && number <= 0x202E) || (number >= 0x2066 && number <= 0x2069) || number == 0xFEFF;
}

}  // namespace

void configure(const LogSettings& settings) {
  static const auto sink = std::make_shared<Sink>();
  static const bool is_first = [] {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>("billd", sink));
    return true;
  }();
  static_cast<void>(is_first);
  sink->set_format(settings.format);
  spdlog::set_level(level_of(settings.level));
}

bool is_connected_to_journal() {
  // systemd names the device and inode of the stream that it has made; it may have been redirected since.
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status = {};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &status) != 0) return false;
  return fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

std::string printable(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const Character character = character_at(text);
    if (character.length == 0)
      safe += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
    else if (character.number == '\n')
      safe += "\\n";
    else if (character.number == '\r')
      safe += "\\r";
    else if (character.number < 0x80 && is_treacherous(character.number))
      safe += fmt::format("\\x{:02x}", character.number);
    else if (is_treacherous(character.number))
      safe += fmt::format("\\u{:04x}", character.number);
    else
      safe += text.substr(0, character.length);
    text.remove_prefix(std::max<std::size_t>(character.length, 1));
  }
  return safe;
}

void write(spdlog::level::level_enum level, const About& about, std::string_view text) {
  current = &about;
  spdlog::default_logger_raw()->log(level, spdlog::string_view_t(text.data(), text.size()));
  current = nullptr;
}

}  // namespace billd::log
