// Operators' tokens: made, written into a file, read, recognised.
#include "config/operator_tokens.hpp"

#include <gmock/gmock.h>

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "config/settings.hpp"

namespace billd {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

OperatorToken token(std::string name, OperatorRole role, std::string_view secret) {
  return {std::move(name), role, hash_key(secret)};
}

TEST(OperatorToken, IsRandomAndSaysWhatItIs) {
  KeyRandomness randomness;
  secure_random(randomness);
  const std::string first = make_operator_token(randomness);
  EXPECT_THAT(first, MatchesRegex("billd_op_[0-9A-Za-z]{32}"));
  secure_random(randomness);
  EXPECT_NE(make_operator_token(randomness), first);
}

TEST(OperatorToken, IsReadAsItWasWritten) {
  const std::vector<OperatorToken> tokens = {token("anna", OperatorRole::act, "one"),
                                             token("bob@example.com", OperatorRole::read, "two")};
  const std::string text = "# Operators\n\n" + to_line(tokens[0]) + "\n" + to_line(tokens[1]) + "\r\n";
  EXPECT_EQ(parse_operator_tokens(text, "tokens").value(), tokens);
  EXPECT_EQ(find_operator(tokens, "two"), &tokens[1]);
  EXPECT_EQ(find_operator(tokens, "three"), nullptr);
  EXPECT_EQ(find_operator(tokens, tokens[0].hash), nullptr) << "what the file holds opens nothing";
}

TEST(OperatorToken, FilesWithMistakesAreRefusedWithoutRepeatingWhatTheyHold) {
  const std::string hash = hash_key("one");
  const std::pair<std::string, std::string> mistakes[] = {
      {"anna act " + hash + "\nbob write " + hash, "tokens:2: the role of an operator must be read or act"},
      {"anna act", "tokens:1: a line is NAME ROLE HASH"},
      {"anna act billd_op_secret", "tokens:1: a line is NAME ROLE HASH"},
      {"anna act " + hash + " more", "tokens:1: a line is NAME ROLE HASH"},
      {"an|na act " + hash, "tokens:1: an operator's name is"},
  };
  for (const auto& [text, expected] : mistakes) {
    const auto parsed = parse_operator_tokens(text, "tokens");
    ASSERT_FALSE(parsed) << text;
    EXPECT_THAT(parsed.error().detail, HasSubstr(expected));
    EXPECT_THAT(parsed.error().detail, testing::Not(HasSubstr("secret")));
  }
}

TEST(OperatorToken, ComesWithTheSettingsFromAFileThatOthersCannotRead) {
  const std::filesystem::path file = testing::TempDir() + "billd-tokens-" + std::to_string(getpid());
  std::ofstream(file) << to_line(token("anna", OperatorRole::act, "one")) << "\n";
  const Overrides overrides = {{"operators.tokens_file", file}, {"operators.listen", "0.0.0.0:4243"}};
  std::filesystem::permissions(file, std::filesystem::perms(0604));
  EXPECT_THAT(load_settings(std::nullopt, {}, overrides).error().detail, HasSubstr("chmod o="));
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  const auto settings = load_settings(std::nullopt, {}, overrides);
  ASSERT_TRUE(settings) << settings.error().detail;
  EXPECT_EQ(settings->operators.tokens.at(0).name, "anna");
  std::ofstream(file) << "\n";
  EXPECT_THAT(load_settings(std::nullopt, {}, overrides).error().detail, HasSubstr("there is no token"));
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace billd
