// Which of the fresh settings a running daemon takes over, and which take a restart.
#include "config/setting_table.hpp"

namespace billd {
namespace {

std::string told(const Setting& setting, const Settings& in_force, const Settings& fresh, bool is_taken_over) {
  std::string line(setting.path);
  if (std::holds_alternative<Member<Secret>>(setting.member)) return line + " has changed";
  const std::string before = value_text(setting, in_force), after = value_text(setting, fresh);
  if (is_taken_over) return line + " is " + after + " now, was " + before;
  return line + " stays " + before + ", the file says " + after;
}

/// Sections with names of their own take a restart, whatever in them has changed.
template <class Holder>
void tell_sections(const NamedSections<Holder>& sections, Settings in_force, Settings fresh, Reload& reload) {
  const auto& before = sections.all(in_force);
  const auto& after = sections.all(fresh);
  for (const auto& [name, section] : after)
    if (const auto found = before.find(name); found == before.end() || found->second != section)
      reload.restart_wanted.push_back(std::string(sections.prefix) + name +
                                      (found == before.end() ? " is new" : " has changed"));
  for (const auto& [name, section] : before)
    if (!after.contains(name)) reload.restart_wanted.push_back(std::string(sections.prefix) + name + " is gone");
}

}  // namespace

Reload reload_settings(const Settings& in_force, const Settings& fresh) {
  Reload reload{in_force, {}, {}};
  Settings given = fresh;
  for (const Setting& setting : setting_table()) {
    auto take_over = [&](auto member) {
      if (member(reload.settings) == member(given)) return;
      const bool is_taken_over = is_reloadable(setting);
      auto& told_to = is_taken_over ? reload.changed : reload.restart_wanted;
      told_to.push_back(told(setting, in_force, fresh, is_taken_over));
      if (is_taken_over) member(reload.settings) = member(given);
    };
    std::visit(take_over, setting.member);
  }
  tell_sections(processor_sections(), in_force, fresh, reload);
  tell_sections(webhook_source_sections(), in_force, fresh, reload);
  return reload;
}

}  // namespace billd
