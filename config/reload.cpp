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
  return reload;
}

}  // namespace billd
