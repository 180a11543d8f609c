// API keys: made, recognised, hashed and masked.
#include "config/keys.hpp"

#include <gmock/gmock.h>

#include <map>
#include <set>

#include "config/staff.hpp"

namespace billd {
namespace {

using testing::MatchesRegex;

KeyRandomness counting_from(int first) {
  KeyRandomness randomness;
  for (std::byte& byte : randomness) byte = static_cast<std::byte>(first++);
  return randomness;
}

std::string new_key(Mode mode) {
  KeyRandomness randomness;
  secure_random(randomness);
  return make_key(mode, randomness);
}

TEST(Key, HasPrefixThirtyTwoRandomCharactersAndChecksum) {
  EXPECT_THAT(new_key(Mode::test), MatchesRegex("sk_test_[0-9A-Za-z]{38}"));
  EXPECT_THAT(new_key(Mode::live), MatchesRegex("sk_live_[0-9A-Za-z]{38}"));
}

TEST(Key, IsAFunctionOfItsRandomness) {
  EXPECT_EQ(make_key(Mode::test, counting_from(0)), make_key(Mode::test, counting_from(0)));
  EXPECT_NE(make_key(Mode::test, counting_from(0)), make_key(Mode::test, counting_from(1)));
}

TEST(Key, UsesAllOfItsDigitsEvenly) {
  // 4,000 keys have 128,000 random digits: 2,065 of each, with a standard deviation of 45.
  std::map<char, int> counts;
  for (int i = 0; i < 4'000; ++i) {
    for (char digit : new_key(Mode::live).substr(8, 32)) ++counts[digit];
  }
  EXPECT_EQ(counts.size(), 62u);
  for (auto [digit, count] : counts) EXPECT_NEAR(count, 2'065, 6 * 45) << digit;
}

TEST(Key, IsRecognisedAfterItWasMade) {
  for (Mode mode : {Mode::test, Mode::live}) {
    std::string key = new_key(mode);
    EXPECT_TRUE(looks_like_key(key)) << key;
    EXPECT_EQ(mode_of(key), mode);
  }
}

TEST(Key, HasTheFormOfItsApi) {
  auto key = [](Mode mode, KeyKind kind) { return make_key(mode, counting_from(3), kind); };
  EXPECT_THAT(key(Mode::test, KeyKind::stancer), MatchesRegex("stest_[0-9A-Za-z]{24}"));
  EXPECT_THAT(key(Mode::live, KeyKind::stancer), MatchesRegex("sprod_[0-9A-Za-z]{24}"));
  EXPECT_THAT(key(Mode::test, KeyKind::person), MatchesRegex("ps_test_[0-9A-Za-z]{38}"));
  EXPECT_THAT(key(Mode::live, KeyKind::person), MatchesRegex("ps_live_[0-9A-Za-z]{38}"));
  for (Mode mode : {Mode::test, Mode::live})
    for (KeyKind kind : {KeyKind::stripe, KeyKind::stancer, KeyKind::person}) {
      EXPECT_TRUE(looks_like_key(key(mode, kind)));
      EXPECT_EQ(kind_of(key(mode, kind)), kind);
      EXPECT_EQ(mode_of(key(mode, kind)), mode);
    }
  EXPECT_EQ(kind_of("pk_test_1"), std::nullopt);
}

TEST(UserName, IsThreeToTwentyOfLettersDigitsAndTwoMarks) {
  for (const char* name : {"ann", "Ann_Lee-2", "12345678901234567890", "api-shop"}) EXPECT_TRUE(is_user_name(name));
  for (const char* name : {"", "ab", "123456789012345678901", "a b", "ann.lee", "zoë"})
    EXPECT_FALSE(is_user_name(name)) << name;
  EXPECT_EQ(folded_user_name("Ann_LEE-2"), "ann_lee-2");
}

TEST(Key, IsNotRecognisedWithAnyCharacterChanged) {
  std::string key = new_key(Mode::live);
  for (std::size_t i = 0; i < key.size(); ++i) {
    std::string changed = key;
    changed[i] = changed[i] == 'x' ? 'y' : 'x';
    EXPECT_FALSE(looks_like_key(changed)) << changed;
  }
}

TEST(Key, IsNotRecognisedInTheOtherMode) {
  std::string key = new_key(Mode::live);
  EXPECT_FALSE(looks_like_key("sk_test_" + key.substr(8)));
}

TEST(Key, IsNotRecognisedCutShortOrMadeLonger) {
  std::string key = new_key(Mode::test);
  for (std::size_t length = 0; length < key.size(); ++length) EXPECT_FALSE(looks_like_key(key.substr(0, length)));
  EXPECT_FALSE(looks_like_key(key + "0"));
  EXPECT_FALSE(looks_like_key(key + std::string(1, '\0')));
}

TEST(KeyChecksum, IsTheCrc32OfZipInBase62) {
  // CRC-32 of "123456789" is 0xCBF43926 = 3,421,780,262, the check value of every catalogue.
  EXPECT_EQ(key_checksum("123456789"), "3jZRME");
  EXPECT_EQ(key_checksum(""), "000000");
}

TEST(KeyMode, IsTheOneOfThePrefixWhateverFollows) {
  EXPECT_EQ(mode_of("sk_test_short"), Mode::test);
  EXPECT_EQ(mode_of("sk_live_"), Mode::live);
  EXPECT_EQ(mode_of("pk_live_abc"), std::nullopt);
  EXPECT_EQ(mode_of("sk_live"), std::nullopt);
  EXPECT_EQ(mode_of(""), std::nullopt);
}

TEST(KeyHash, IsSha256InHexadecimal) {
  EXPECT_EQ(hash_key("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hash_key(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(KeyMask, ShowsPrefixAndLastFour) {
  EXPECT_EQ(mask("sk_test_4eC39HqLyjWDarjtT1zdp7dcabcd"), "sk_test_****abcd");
  EXPECT_EQ(mask("sk_live_0123456789ABCDEF"), "sk_live_****CDEF");
}

TEST(KeyMask, ShowsNothingOfWhatIsTooShortToHideAnything) {
  EXPECT_EQ(mask("sk_test_short"), "sk_test_****");
  EXPECT_EQ(mask("hunter2"), "****");
  EXPECT_EQ(mask(""), "****");
}

TEST(KeyMask, ShowsNothingThatCouldNotBeAKey) {
  EXPECT_EQ(mask("sk_test_0123456789ab\r\nX:"), "sk_test_****");
  EXPECT_EQ(mask("0123456789<b>&"), "****");
}

TEST(SecureRandom, GivesOtherBytesEachTime) {
  std::set<KeyRandomness> seen;
  for (int i = 0; i < 1'000; ++i) {
    KeyRandomness randomness;
    secure_random(randomness);
    EXPECT_TRUE(seen.insert(randomness).second);
  }
}

}  // namespace
}  // namespace billd
