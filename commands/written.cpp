#include "commands/written.hpp"

#include <CLI/CLI.hpp>
#include <functional>
#include <sstream>
#include <vector>

#include "config/settings.hpp"

namespace billd::commands {
namespace {

/// Text as the formatter of man pages takes it: nothing in it is a command.
std::string troff(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\')
      escaped += "\\e";
    else if (c == '-')
      escaped += "\\-";
    else
      escaped += c;
  }
  if (escaped.starts_with('.') || escaped.starts_with('\'')) escaped.insert(0, "\\&");
  return escaped;
}

std::string heading(std::string_view title, int section) {
  return ".TH " + std::string(title) + " " + std::to_string(section) + " \"\" \"billd " BILLD_VERSION "\"\n";
}

struct Listed {
  std::string command;  ///< "keys create"
  const CLI::App* app;
};

/// The commands that can be run, those below others with the names above them.
std::vector<Listed> commands_of(const CLI::App& app) {
  std::vector<Listed> all;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    std::vector<Listed> below = commands_of(*command);
    if (below.empty()) all.push_back({command->get_name(), command});
    for (Listed& each : below) all.push_back({command->get_name() + " " + each.command, each.app});
  }
  return all;
}

std::string names_of(const CLI::Option& option) {
  if (option.get_positional()) return option.get_name(true);
  std::string names;
  for (const std::string& name : option.get_snames()) names += (names.empty() ? "-" : ", -") + name;
  for (const std::string& name : option.get_lnames()) names += (names.empty() ? "--" : ", --") + name;
  return names;
}

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

bool takes_path(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return type.starts_with("FILE") || type.starts_with("DIR");
}

/// What stands for the option's value, such as "ADDRESS:PORT", without the checks that CLI11 writes behind a colon.
std::string type_of(const CLI::Option& option) {
  std::string type = option.get_type_name();
  const std::size_t colon = type.find(':');
  if (colon == std::string::npos) return type;
  return type.ends_with(":PORT") ? type : type.substr(0, colon);
}

std::string manual_of(const CLI::Option& option) {
  std::string text = ".TP\n.B " + troff(names_of(option));
  if (takes_value(option) && !option.get_positional()) text += " \\fI" + troff(type_of(option)) + "\\fR";
  text += "\n" + troff(option.get_description()) + ".";
  if (!option.get_default_str().empty()) text += " Default: " + troff(option.get_default_str()) + ".";
  return text + "\n";
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options())
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  return names;
}

std::string joined(const std::vector<std::string>& words, std::string_view separator) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : std::string(separator)) + word;
  return text;
}

/// The patterns of the options, of any command, for which `is_wanted` holds.
std::string option_pattern(const CLI::App& app, const std::function<bool(const CLI::Option&)>& is_wanted) {
  std::vector<std::string> names;
  for (const Listed& command : commands_of(app))
    for (const CLI::Option* option : command.app->get_options())
      if (!option->get_positional() && is_wanted(*option))
        for (const std::string& name : option->get_lnames())
          if (std::ranges::find(names, "--" + name) == names.end()) names.push_back("--" + name);
  return joined(names, "|");
}

/// Text between single quotes, as shells read it.
std::string shell_word(std::string_view text) {
  std::string result = "'";
  for (const char c : text) result += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return result + "'";
}

/// A description within zsh's _arguments: brackets and colons mean something there.
std::string in_brackets(std::string_view text) {
  std::string result = "[";
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') result += '\\';
    result += c;
  }
  return result + "]";
}

}  // namespace

std::string manual(const CLI::App& app) {
  std::string text = heading("BILLD", 1);
  text += ".SH NAME\nbilld \\- recurring billing\n.SH SYNOPSIS\n.B billd\n\\fICOMMAND\\fR [\\fIOPTION\\fR...]\n";
  text += ".SH DESCRIPTION\n" + troff(app.get_description()) + "\n";
  text += ".SH OPTIONS\n";
  for (const CLI::Option* option : app.get_options())
    if (!option->get_group().empty()) text += manual_of(*option);
  text += ".SH COMMANDS\n";
  for (const Listed& command : commands_of(app)) {
    text += ".SS billd " + troff(command.command) + "\n" + troff(command.app->get_description()) + ".\n";
    for (const CLI::Option* option : command.app->get_options())
      if (option->get_name() != "--help") text += manual_of(*option);
  }
  text +=
      ".SH EXIT STATUS\n0 when the command did what it was asked, 1 when it could not or found something wrong, other "
      "values when its options or the configuration cannot be read.\n"
      ".SH SIGNALS\n.TP\n.B SIGTERM\nStops the daemon in order; a second one stops it at once, which loses nothing "
      "either.\n.TP\n.B SIGHUP\nReads the configuration again; one with a mistake changes nothing.\n"
      ".SH ENVIRONMENT\nEvery setting can be given as a variable: BILLD_REDIS_ADDRESS is address in [redis].\n"
      ".SH FILES\n.TP\n.I /etc/billd/billd.toml\nThe configuration.\n.TP\n.I /var/lib/billd\nThe embedded Redis' data, "
      "and billd's own.\n.SH SEE ALSO\n.BR billd.toml (5)\n";
  return text;
}

std::string settings_manual() {
  std::string text = heading("BILLD.TOML", 5);
  text += ".SH NAME\nbilld.toml \\- configuration of billd\n.SH DESCRIPTION\n";
  std::istringstream lines(sample_configuration());
  std::string meaning;
  bool has_begun = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("# ")) {
      meaning += (meaning.empty() ? "" : " ") + line.substr(2);
    } else if (line.starts_with("[")) {
      text += ".SH [" + troff(line.substr(1, line.size() - 2)) + "]\n";
    } else if (line.starts_with("#")) {
      text += ".TP\n.B " + troff(line.substr(1)) + "\n" + troff(meaning) + "\n";
      meaning.clear();
    } else if (!has_begun && !meaning.empty()) {
      text += troff(meaning) + "\n.SH SETTINGS\n";
      meaning.clear();
      has_begun = true;
    }
  }
  text += ".SH SEE ALSO\n.BR billd (1)\n";
  return text;
}

std::string bash_completion(const CLI::App& app) {
  std::string cases;
  std::vector<std::string> first;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    first.push_back(command->get_name());
    std::vector<std::string> below;
    for (const CLI::App* each : command->get_subcommands([](const CLI::App*) { return true; }))
      below.push_back(each->get_name());
    if (!below.empty()) cases += "    " + shell_word(command->get_name()) + ") words='" + joined(below, " ") + "' ;;\n";
  }
  for (const Listed& command : commands_of(app))
    cases += "    " + shell_word(command.command) + ") words='" + joined(option_names(*command.app), " ") + "' ;;\n";
  for (const std::string& name : option_names(app)) first.push_back(name);
  return "# Completion of billd for bash.\n"
         "_billd() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command= word words=\n"
         "  case $previous in\n    " +
         option_pattern(app, takes_path) + ") COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n    " +
         option_pattern(app, [](const CLI::Option& option) { return takes_value(option) && !takes_path(option); }) +
         ") return ;;\n  esac\n"
         "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
         "    case $word in -*) break ;; *) command=\"${command:+$command }$word\" ;; esac\n"
         "  done\n"
         "  case $command in\n    '') words='" +
         joined(first, " ") + "' ;;\n" + cases +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
         "}\n"
         "complete -F _billd billd\n";
}

std::string zsh_completion(const CLI::App& app) {
  std::string text =
      "#compdef billd\n# Completion of billd for zsh.\n"
      "local -a first\nfirst=(\n";
  for (const Listed& command : commands_of(app))
    text += "  " +
            shell_word(command.command.substr(0, command.command.find(' ')) + ":" + command.app->get_description()) +
            "\n";
  text += ")\nif (( CURRENT == 2 )); then _describe command first; return; fi\nlocal command=$words[2]\n";
  text += "case $command in\n";
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) {
    std::vector<std::string> below;
    for (const CLI::App* each : command->get_subcommands([](const CLI::App*) { return true; }))
      below.push_back(each->get_name());
    if (!below.empty())
      text += "  " + command->get_name() + ")\n    if (( CURRENT == 3 )); then compadd " + joined(below, " ") +
              "; return; fi\n    command=\"$command $words[3]\" ;;\n";
  }
  text += "esac\ncase $command in\n";
  for (const Listed& command : commands_of(app)) {
    text += "  " + shell_word(command.command) + ")\n    _arguments";
    for (const CLI::Option* option : command.app->get_options())
      for (const std::string& name : option->get_lnames())
        text += " \\\n      " + shell_word("--" + name + in_brackets(option->get_description()) +
                                           (takes_path(*option)    ? ":file:_files"
                                            : takes_value(*option) ? ":value:"
                                                                   : ""));
    text += " ;;\n";
  }
  return text + "esac\n";
}

}  // namespace billd::commands
