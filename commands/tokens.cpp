// `billd tokens create` and `billd metrics`.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

#include "commands/commands.hpp"
#include "config/operator_tokens.hpp"
#include "net/api/operators/metrics.hpp"
#include "net/redis/embedded.hpp"

namespace billd::commands {
namespace {

Result<void> append_line(const std::string& path, const OperatorToken& token) {
  std::ifstream existing(path);
  if (existing) {
    const std::string text(std::istreambuf_iterator<char>(existing), {});
    auto tokens = parse_operator_tokens(text, path);
    if (!tokens) return tokens.error();
    for (const OperatorToken& other : *tokens)
      if (other.name == token.name)
        return Failure{Errc::already_exists, path + " has a token for " + token.name +
                                                 ": remove its line first, or give the new one another name"};
    if (!text.empty() && !text.ends_with('\n'))
      return Failure{Errc::corrupt, "the last line of " + path + " has no end: see what it holds"};
  }
  const redis::UniqueDescriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  const std::string line = to_line(token) + "\n";
  if (!file || ::write(file.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    return Failure{Errc::unavailable, "cannot write " + path + ": " + std::strerror(errno)};
  return Result<void>();
}

Result<void> create(const TokenOptions& options) {
  if (!is_operator_name(options.name))
    return Failure{Errc::invalid_parameter, "an operator's name is 1 to 40 of [A-Za-z0-9._@-]"};
  const auto role = operator_role_named(options.role);
  if (!role) return Failure{Errc::invalid_parameter, "the role must be read or act"};
  KeyRandomness randomness;
  secure_random(randomness);
  const std::string secret = make_operator_token(randomness);
  const OperatorToken token{options.name, *role, hash_key(secret)};
  auto written = append_line(options.file, token);
  if (!written) return written;
  if (options.json) {
    boost::json::object object;
    object["name"] = token.name;
    object["role"] = name_of(token.role);
    object["token"] = secret;
    std::printf("%s\n", boost::json::serialize(object).c_str());
  } else {
    std::printf("%s\n", secret.c_str());
    std::fprintf(stderr,
                 "%s may %s with this token. Keep it now: it is shown this once only, and %s has its hash alone. A "
                 "running daemon takes it over on reload.\n",
                 token.name.c_str(), *role == OperatorRole::act ? "look and act" : "look", options.file.c_str());
  }
  return Result<void>();
}

}  // namespace

int create_token(const TokenOptions& options) {
  auto created = create(options);
  if (created) return 0;
  std::fprintf(stderr, "billd: %s\n", created.error().detail.c_str());
  return 1;
}

int explain_metrics() {
  std::printf("%s", api::operators::metrics_documentation().c_str());
  return 0;
}

}  // namespace billd::commands
