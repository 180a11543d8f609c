#include "config/operator_tokens.hpp"

#include <openssl/crypto.h>

#include <algorithm>

namespace billd {
namespace {

constexpr std::size_t name_length_max = 40, hash_length = 64;

std::string_view take_word(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  const std::string_view word = line.substr(0, line.find(' '));
  line.remove_prefix(word.size());
  return word;
}

bool is_hash(std::string_view text) {
  return text.size() == hash_length && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::string_view name_of(OperatorRole role) { return role == OperatorRole::act ? "act" : "read"; }

std::optional<OperatorRole> operator_role_named(std::string_view name) {
  for (const OperatorRole role : {OperatorRole::read, OperatorRole::act})
    if (name_of(role) == name) return role;
  return std::nullopt;
}

std::string make_operator_token(const KeyRandomness& randomness) {
  const std::string key = make_key(Mode::test, randomness);
  constexpr std::size_t random_length = 32;
  return "billd_op_" + key.substr(prefix_of(key).size(), random_length);
}

bool is_operator_name(std::string_view name) {
  auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("._@-").find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= name_length_max && std::ranges::all_of(name, fits);
}

std::string to_line(const OperatorToken& token) {
  return token.name + " " + std::string(name_of(token.role)) + " " + token.hash;
}

Result<std::vector<OperatorToken>> parse_operator_tokens(std::string_view text, std::string_view file) {
  std::vector<OperatorToken> tokens;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find_first_not_of(' ') == std::string_view::npos || line.starts_with('#')) continue;
    auto wrong = [&](const std::string& what) {
      return Failure{Errc::bad_configuration, std::string(file) + ":" + std::to_string(number) + ": " + what};
    };
    OperatorToken token;
    token.name = take_word(line);
    const std::string_view role = take_word(line);
    token.hash = take_word(line);
    // The line may be a token by mistake: it is not repeated in the message.
    if (!is_operator_name(token.name)) return wrong("an operator's name is 1 to 40 of [A-Za-z0-9._@-]");
    const auto known = operator_role_named(role);
    if (!known) return wrong("the role of an operator must be read or act");
    token.role = *known;
    if (!is_hash(token.hash) || line.find_first_not_of(' ') != std::string_view::npos)
      return wrong("a line is NAME ROLE HASH, as `billd tokens create` writes it");
    tokens.push_back(std::move(token));
  }
  return tokens;
}

const OperatorToken* find_operator(const std::vector<OperatorToken>& tokens, std::string_view presented) {
  const std::string hash = hash_key(presented);
  const OperatorToken* found = nullptr;
  for (const OperatorToken& token : tokens)
    if (CRYPTO_memcmp(token.hash.data(), hash.data(), hash_length) == 0) found = &token;
  return found;
}

}  // namespace billd
