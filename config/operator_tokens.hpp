// The tokens of operators: how they are made, kept in a file (as hashes only), and recognised.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/keys.hpp"
#include "engine/result.hpp"

namespace billd {

enum class OperatorRole : std::uint8_t {
  read,  ///< looks
  act,   ///< looks, and retries, parks, pauses
};

std::string_view name_of(OperatorRole role);
/// Empty for a name that no role has.
std::optional<OperatorRole> operator_role_named(std::string_view name);

struct OperatorToken {
  std::string name;  ///< the operator, as the audit log calls them: 1 to 40 of [A-Za-z0-9._@-]
  OperatorRole role = OperatorRole::read;
  std::string hash;  ///< hash_key() of the token

  bool operator==(const OperatorToken&) const = default;
};

/// "billd_op_" and 32 characters of [0-9A-Za-z] (190 bits).
std::string make_operator_token(const KeyRandomness& randomness);

bool is_operator_name(std::string_view name);

/// The line of the file: "anna act 9f86d0…".
std::string to_line(const OperatorToken& token);

/// Reads the text of the file: a token a line, empty lines and lines with a # in front left out. `file` stands for it
/// in messages; the failure is bad_configuration and names the line.
Result<std::vector<OperatorToken>> parse_operator_tokens(std::string_view text, std::string_view file);

/// The one of the tokens that was presented; nullptr when none was. How long it takes says nothing about which.
const OperatorToken* find_operator(const std::vector<OperatorToken>& tokens, std::string_view presented);

}  // namespace billd
