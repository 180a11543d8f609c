// Card numbers and keys in free text: what is found, and what is only a long number.
#include "config/secrets.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace billd {
namespace {

/// The number with a right check digit appended.
std::string with_check_digit(const std::string& digits) {
  int sum = 0;
  bool doubled = true;
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, doubled = !doubled) {
    const int value = (*digit - '0') * (doubled ? 2 : 1);
    sum += value > 9 ? value - 9 : value;
  }
  return digits + static_cast<char>('0' + (10 - sum % 10) % 10);
}

TEST(CardNumbers, OfEveryBrandAreFound) {
  for (const char* number :
       {"4242424242424242", "4000056655665556", "5555555555554444", "2223003122003222", "5105105105105100",
        "378282246310005", "371449635398431", "6011111111111117", "3056930009020004", "36227206271667",
        "3566002020360505", "6200000000000005", "6304000000000000"}) {
    const std::string text = number;
    const bool is_old_diners = text == "3056930009020004";  // 16 digits: Diners Club as Discover numbers it
    EXPECT_EQ(has_card_number(text), !is_old_diners) << text;
  }
}

TEST(CardNumbers, AreFoundInTextAndGrouped) {
  for (const char* text :
       {"card 4242 4242 4242 4242 please", "4242-4242-4242-4242", "n=4242424242424242&x", "(4242424242424242)",
        "\"378282246310005\"", "paid with 3782 822463 10005.", "order_4242424242424242", "4242424242424242 12/27"})
    EXPECT_TRUE(has_card_number(text)) << text;
}

TEST(CardNumbers, AThousandOfThemAreFound) {
  for (int i = 0; i < 1000; ++i) {
    const std::string middle = std::to_string(1'000'000'000 + i * 7'919);
    EXPECT_TRUE(has_card_number(with_check_digit("45399" + middle))) << i;
  }
}

TEST(CardNumbers, AreNotSeenInOtherNumbers) {
  for (const char* text :
       {"4242424242424241", "1763763601000", "1234567890123456", "4242424242424242a", "0.4242424242424242",
        "424242424242424", "+49 4242 4242", "2026-11-21 22:19:00", "356938035643809", "42424242424242424242424242"})
    EXPECT_FALSE(has_card_number(text)) << text;
}

TEST(SecretKeys, AreFoundAndExamplesAreNot) {
  EXPECT_TRUE(has_secret_key("key sk_live_0123456789abcdef!"));
  EXPECT_TRUE(has_secret_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
  EXPECT_FALSE(has_secret_key("sk_test_demo"));
  EXPECT_FALSE(has_secret_key("pk_live_0123456789abcdef"));
  EXPECT_FALSE(has_secret_key("task_test"));
}

TEST(WithoutSecrets, KeepsTheRestOfTheText) {
  EXPECT_EQ(without_secrets("to 4242 4242 4242 4242, 378282246310005."), "to **** **** **** 4242, ***********0005.");
  EXPECT_EQ(without_secrets("a sk_test_0123456789abcdef b"), "a sk_test_**************** b");
  EXPECT_EQ(without_secrets("nothing to hide 12"), "nothing to hide 12");
  EXPECT_EQ(without_secrets(""), "");
}

}  // namespace
}  // namespace billd
