// The log: how lines are written, and lines that carry the identifiers of what they are about.
#pragma once

#include <spdlog/spdlog.h>

#include <string>
#include <string_view>

#include "config/settings.hpp"

namespace billd::log {

/// What a line is about, as fields beside its text: `request=req_…` in text, "request" in JSON, BILLD_REQUEST in the
/// journal. Empty ones are left out. The texts must live until the line is written.
struct About {
  std::string_view request = {};
  /// The queue of the job: "renewal".
  std::string_view job = {};
  /// An account's key, with which all identifiers of its objects begin.
  std::string_view account = {};
  std::string_view subscription = {};
  std::string_view invoice = {};
  std::string_view charge = {};
  std::string_view test_clock = {};
};

/// From now on, what is logged by the functions below and by spdlog's goes to the standard error stream or the journal
/// in this way. May be called again. Control characters and bytes that are no text are written as escapes, card numbers
/// and keys are starred out; that is a second net, not a licence to log them.
void configure(const LogSettings& settings);

/// Whether the standard error stream is systemd's journal.
bool is_connected_to_journal();

/// Text without anything that could make a second line, steer a terminal or be no UTF-8: such bytes become escapes.
std::string printable(std::string_view text);

/// Writes a line; configure() decides where to and from which level on.
void write(spdlog::level::level_enum level, const About& about, std::string_view text);

template <class... Words>
void write_formatted(spdlog::level::level_enum level, const About& about, spdlog::format_string_t<Words...> text,
                     Words&&... words) {
  if (spdlog::should_log(level)) write(level, about, fmt::format(text, std::forward<Words>(words)...));
}

template <class... Words>
void debug(const About& about, spdlog::format_string_t<Words...> text, Words&&... words) {
  write_formatted(spdlog::level::debug, about, text, std::forward<Words>(words)...);
}

template <class... Words>
void warn(const About& about, spdlog::format_string_t<Words...> text, Words&&... words) {
  write_formatted(spdlog::level::warn, about, text, std::forward<Words>(words)...);
}

template <class... Words>
void error(const About& about, spdlog::format_string_t<Words...> text, Words&&... words) {
  write_formatted(spdlog::level::err, about, text, std::forward<Words>(words)...);
}

}  // namespace billd::log
