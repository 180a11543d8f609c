#include "config/secret_files.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <optional>

#include "config/given.hpp"

namespace billd {
namespace {

std::filesystem::path placed(const std::string& given, const Environment& environment) {
  std::filesystem::path path = given;
  const auto credentials = environment.find("CREDENTIALS_DIRECTORY");
  return path.is_relative() && credentials != environment.end() ? credentials->second / path : path;
}

/// Reads the files, and gathers what is wrong with them.
class Secrets {
 public:
  explicit Secrets(const Environment& environment)
      : has_credentials_directory_(environment.contains("CREDENTIALS_DIRECTORY")) {}

  /// The whole text of a file that nobody else may use.
  std::optional<std::string> text_of(const SecretFile& file) {
    struct stat status = {};
    if (stat(file.path.c_str(), &status) == 0 && (status.st_mode & S_IRWXO) != 0) {
      problem(file, "others may use " + file.path.string() + ": take the right from them with `chmod o= " +
                        file.path.string() + "`, and exchange the secret if they may have read it");
      return std::nullopt;
    }
    auto text = read_whole_file(file.path);
    if (text) return std::move(*text);
    std::string why = text.error().detail;
    if (file.path.is_relative() && !has_credentials_directory_)
      why +=
          ": a relative path is meant for systemd's credentials directory, which only the unit has (LoadCredential=); "
          "elsewhere it is taken from the working directory";
    problem(file, why);
    return std::nullopt;
  }

  /// The first line; empty when there is none.
  Secret secret_of(const SecretFile& file) {
    const auto text = text_of(file);
    if (!text) return {};
    std::string secret = text->substr(0, text->find_first_of("\r\n"));
    if (secret.empty()) problem(file, "the first line of " + file.path.string() + " is empty: write the secret there");
    return Secret(std::move(secret));
  }

  void problem(const SecretFile& file, const std::string& what) {
    problems_ += (problems_.empty() ? "`" : "\n`") + file.setting + "`: " + what;
  }

  Result<void> finish() {
    if (problems_.empty()) return {};
    return wrong(std::move(problems_));
  }

 private:
  bool has_credentials_directory_;
  std::string problems_;
};

/// A key says of itself which mode it is for; it must be the gateway's. The sentence is empty when all is well.
std::string problem_of_key(const std::string& section, const ProcessorSettings& processor) {
  const std::string& key = processor.key.reveal();
  const auto begins = [&](std::initializer_list<std::string_view> prefixes) {
    return std::ranges::any_of(prefixes, [&](std::string_view prefix) { return key.starts_with(prefix); });
  };
  if (processor.kind == ProcessorKind::http) return {};
  const bool is_stripe = processor.kind == ProcessorKind::stripe;
  const bool is_test = is_stripe ? begins({"sk_test_", "rk_test_"}) : begins({"stest_"});
  const bool is_live = is_stripe ? begins({"sk_live_", "rk_live_"}) : begins({"sprod_"});
  if (!is_test && !is_live)
    return "this is no secret key of " + std::string(name_of(processor.kind)) + "'s: it would begin with " +
           (is_stripe ? "sk_test_, rk_test_, sk_live_ or rk_live_" : "stest_ or sprod_");
  if (is_live == (processor.mode == Mode::live)) return {};
  const std::string of_key(is_live ? "live" : "test"), of_gateway(name_of(processor.mode));
  return "a " + of_key + " key, but the gateway's mode is \"" + of_gateway + "\": put the " + of_gateway +
         " key there, or set `" + section + "mode = \"" + of_key + "\"`";
}

void read_tokens(Settings& settings, const SecretFile& file, Secrets& secrets) {
  const auto text = secrets.text_of(file);
  if (!text) return;
  auto tokens = parse_operator_tokens(*text, file.path.string());
  if (!tokens) return secrets.problem(file, tokens.error().detail);
  if (tokens->empty())
    return secrets.problem(file,
                           "there is no token in " + file.path.string() + ": make one with `billd tokens create`");
  settings.operators.tokens = std::move(*tokens);
}

}  // namespace

Result<std::string> read_whole_file(const std::filesystem::path& path) {
  auto unreadable = [&](int reason) { return wrong("cannot read " + path.string() + ": " + std::strerror(reason)); };
  // A directory can be opened; that it cannot be read would show as an exception only.
  if (std::error_code ignored; std::filesystem::is_directory(path, ignored)) return unreadable(EISDIR);
  std::ifstream file(path, std::ios::binary);
  if (!file) return unreadable(errno);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<SecretFile> secret_files(const Settings& settings, const Environment& environment) {
  std::vector<SecretFile> files;
  auto add = [&](std::string setting, const std::string& given) {
    if (!given.empty()) files.push_back({std::move(setting), placed(given, environment)});
  };
  add("redis.password_file", settings.redis.password_file);
  add("operators.tokens_file", settings.operators.tokens_file);
  for (const auto& [name, processor] : settings.gateways.processors)
    add("gateways." + name + ".key_file", processor.key_file);
  add("webhooks.secret_file", settings.webhooks.secret_file);
  for (const auto& [name, source] : settings.webhook_sources)
    for (const std::string& file : source.secret_files) add("webhook_sources." + name + ".secret_files", file);
  return files;
}

Result<void> read_secrets(Settings& settings, const Environment& environment) {
  Secrets secrets(environment);
  auto file_of = [&](std::string setting, const std::string& given) {
    return SecretFile{std::move(setting), placed(given, environment)};
  };
  if (const std::string& file = settings.redis.password_file; !file.empty())
    settings.redis.password = secrets.secret_of(file_of("redis.password_file", file));
  if (const std::string& file = settings.operators.tokens_file; !file.empty())
    read_tokens(settings, file_of("operators.tokens_file", file), secrets);
  for (auto& [name, processor] : settings.gateways.processors) {
    const SecretFile file = file_of("gateways." + name + ".key_file", processor.key_file);
    processor.key = secrets.secret_of(file);
    if (processor.key.empty()) continue;
    const std::string problem = problem_of_key("gateways." + name + ".", processor);
    if (!problem.empty()) secrets.problem(file, problem);
  }
  if (const std::string& file = settings.webhooks.secret_file; !file.empty())
    settings.webhooks.secret = secrets.secret_of(file_of("webhooks.secret_file", file));
  for (auto& [name, source] : settings.webhook_sources)
    for (const std::string& file : source.secret_files)
      source.secrets.push_back(secrets.secret_of(file_of("webhook_sources." + name + ".secret_files", file)));
  return secrets.finish();
}

}  // namespace billd
