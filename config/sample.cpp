// The settings written down: as the documented sample, and as they are.
#include <sstream>

#include "config/setting_table.hpp"

namespace billd {
namespace {

constexpr std::size_t comment_width = 100;

/// Breaks the text into comment lines of bounded width.
std::string as_comment(std::string_view text) {
  std::istringstream words{std::string(text)};
  std::string lines;
  std::string line = "#";
  for (std::string word; words >> word;) {
    if (line.size() + 1 + word.size() > comment_width) {
      lines += line + "\n";
      line = "#";
    }
    line += " " + word;
  }
  return lines + line + "\n";
}

/// Writes each setting with `write_setting`, below the heading of its section.
template <class WriteSetting>
std::string by_section(WriteSetting write_setting) {
  std::string text;
  std::string_view section;
  for (const Setting& setting : setting_table()) {
    if (section_of(setting) != section) {
      section = section_of(setting);
      text += (text.empty() ? "[" : "\n[") + std::string(section) + "]\n";
    }
    text += write_setting(setting);
  }
  return text;
}

/// The sections of one kind as a sample: all of it commented out twice, for there are none to begin with.
template <class Holder>
std::string sample_section(const NamedSections<Holder>& sections) {
  std::string text = "\n" + as_comment(sections.meaning);
  text += "# [" + std::string(sections.prefix) + std::string(sections.example) + "]\n";
  const Holder defaults;
  for (const auto& setting : sections.table) {
    std::string meaning(setting.meaning);
    if (std::string range = range_text(setting); !range.empty()) meaning += " (" + range + ")";
    text +=
        "#\n" + as_comment(meaning) + "# " + std::string(setting.path) + " = " + value_text(setting, defaults) + "\n";
  }
  return text;
}

template <class Holder>
std::string print_sections(const NamedSections<Holder>& sections, Settings settings) {
  std::string text;
  for (const auto& [name, section] : sections.all(settings)) {
    text += "\n[" + std::string(sections.prefix) + name + "]\n";
    for (const auto& setting : sections.table) {
      const std::string value = value_text(setting, section);
      if (value != "\"\"") text += std::string(setting.path) + " = " + value + "\n";
    }
  }
  return text;
}

}  // namespace

std::string sample_configuration() {
  std::string text = as_comment(
      "All settings of billd, with their defaults. To change one, remove the # before its name. Each can be given in "
      "the environment as well, by its name in capitals (BILLD_REDIS_ADDRESS for address in [redis]), or on the "
      "command line with --set redis.address=..., which wins over all. Durations carry their unit: \"400ms\", \"30s\", "
      "\"5m\", \"1h\", \"3d\". What is marked \"reload\" changes in a running daemon when it is sent SIGHUP (systemctl "
      "reload billd); the rest takes a restart.");
  const Settings defaults;
  auto documented = [&](const Setting& setting) {
    std::string meaning(setting.meaning);
    std::string remarks = range_text(setting);
    if (is_reloadable(setting)) remarks += remarks.empty() ? "reload" : "; reload";
    if (!remarks.empty()) meaning += " (" + remarks + ")";
    return "\n" + as_comment(meaning) + "#" + std::string(key_of(setting)) + " = " + value_text(setting, defaults) +
           "\n";
  };
  return text + by_section(documented) + sample_section(processor_sections()) +
         sample_section(webhook_source_sections());
}

std::string print_configuration(const Settings& settings) {
  const auto print = [&](const Setting& setting) -> std::string {
    std::string key(key_of(setting));
    if (!std::holds_alternative<Member<Secret>>(setting.member)) {
      return key + " = " + value_text(setting, settings) + "\n";
    }
    bool is_set = value_text(setting, settings) != value_text(setting, Settings{});
    return is_set ? "# " + key + " is set, and not shown\n" : "";
  };
  return by_section(print) + print_sections(processor_sections(), settings) +
         print_sections(webhook_source_sections(), settings);
}

}  // namespace billd
