// Identifiers: made from a number and read back, leading to their account, and strangers told from billd's own.
#include "engine/ids.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <concepts>
#include <limits>
#include <set>
#include <type_traits>
#include <vector>

namespace billd::ids_test {
namespace {

// What must not compile: two kinds neither compare nor convert, and a string does not become an identifier unasked.
static_assert(!std::equality_comparable_with<InvoiceId, ChargeId>);
static_assert(!std::is_convertible_v<InvoiceId, ChargeId> && !std::is_constructible_v<InvoiceId, ChargeId>);
static_assert(!std::is_assignable_v<SubscriptionId&, CustomerId>);
static_assert(!std::is_convertible_v<std::string, CustomerId> && std::is_constructible_v<CustomerId, std::string>);
static_assert(!std::is_convertible_v<CustomerId, std::string>);
static_assert(!std::is_constructible_v<AccountKey, std::string>, "only parse() and from_bits() make keys");
static_assert(std::totally_ordered<InvoiceId>);

AccountKey key_of(std::uint64_t high, std::uint64_t low) { return AccountKey::from_bits(high, low); }

RC_GTEST_PROP(Ids, LeadBackToTheirAccountAndTheirNumber, (std::uint64_t high, std::uint64_t low)) {
  const AccountKey key = key_of(high, low);
  const auto number = *rc::gen::inRange<std::uint64_t>(0, std::uint64_t{1} << 40);
  const InvoiceId id = make_id<InvoiceKind>(key, number);
  RC_ASSERT(id.value().size() == 3 + id_body_length);
  RC_ASSERT(id.value().starts_with("in_"));
  RC_ASSERT(AccountKey::of_id(id.value()) == key);
  RC_ASSERT(object_number(key, id_body(id.value()).substr(account_key_length)) == number);
}

RC_GTEST_PROP(Ids, SuffixesAreABijectionOfAll64Bits, (std::uint64_t high, std::uint64_t low)) {
  const AccountKey key = key_of(high, low);
  const auto number = *rc::gen::arbitrary<std::uint64_t>();
  const std::string suffix = object_suffix(key, number);
  RC_ASSERT(suffix.size() == 12u);
  RC_ASSERT(object_number(key, suffix) == number);
}

TEST(Ids, AtTheEdgesOf64BitsSurviveTheRoundTrip) {
  const AccountKey key = key_of(1, 2);
  for (std::uint64_t number : {std::uint64_t{0}, std::uint64_t{1}, std::numeric_limits<std::uint64_t>::max(),
                               std::numeric_limits<std::uint64_t>::max() - 1, std::uint64_t{1} << 63})
    EXPECT_EQ(object_number(key, object_suffix(key, number)), number);
}

TEST(Ids, OfOneAccountAndOfManyNeverRepeat) {
  std::set<std::string> seen;
  for (std::uint64_t account = 0; account < 100; ++account)
    for (std::uint64_t number = 0; number < 200; ++number)
      ASSERT_TRUE(seen.insert(make_id<ChargeKind>(key_of(account, account * 7), number).value()).second);
}

TEST(Ids, AreTheSameForTheSameState) {
  EXPECT_EQ(make_id<CustomerKind>(key_of(3, 4), 5), make_id<CustomerKind>(key_of(3, 4), 5));
  EXPECT_NE(make_id<CustomerKind>(key_of(3, 4), 5), make_id<CustomerKind>(key_of(3, 4), 6));
  EXPECT_NE(make_id<CustomerKind>(key_of(3, 4), 5), make_id<CustomerKind>(key_of(3, 5), 5));
}

TEST(Ids, OfAnotherMakeLeadToNoAccount) {
  for (std::string_view foreign :
       {"", "_", "cus_", "cus_123", "cus_4QFJOjw2pOmAGJ", "card_19yUNL2eZvKYlo2CNGsN6EWH",
        "sub_1MowQVLkdIwHu7ixeRlqHVzs", "in_1MtHbELkdIwHu7ixl4OzzPMv", "plan with ### spaces",
        "cus_0123456789AB0123456789A_", "cus_0123456789AB0123456789A\n", "cus_zzzzzzzzzzzzzzzzzzzzzzzz",
        "cus_0123456789AB0123456789ABC"})
    EXPECT_EQ(AccountKey::of_id(foreign), std::nullopt) << foreign;
}

TEST(Ids, AreReadWithAnyPrefixForTwoPrefixesMayNameOneCustomer) {
  const AccountKey key = key_of(8, 9);
  const std::string body(id_body(make_id<CustomerKind>(key, 1).value()));
  EXPECT_EQ(AccountKey::of_id("cust_" + body), key);
  EXPECT_EQ(AccountKey::of_id(body), key);
}

TEST(AccountKey, IsTwelveLettersAndDigits) {
  EXPECT_TRUE(AccountKey::parse("0123456789Az"));
  for (std::string_view text : {"", "0123456789A", "0123456789Azz", "0123456789A-", "0123456789A "})
    EXPECT_EQ(AccountKey::parse(text), std::nullopt) << text;
  EXPECT_EQ(key_of(0, 0).value(), "000000000000");
  EXPECT_EQ(key_of(61, 62).value(), "00000z000010");
  EXPECT_TRUE(AccountKey().is_empty());
}

TEST(AccountKey, SpreadsEvenlyOverPartitions) {
  std::vector<int> filled(16);
  for (std::uint64_t i = 0; i < 16'000; ++i) {
    const std::uint32_t partition = key_of(i * 0x9e3779b97f4a7c15, i * 0xbf58476d1ce4e5b9).partition(16);
    ASSERT_LT(partition, 16U);
    ++filled[partition];
  }
  for (int count : filled) EXPECT_NEAR(count, 1000, 200);
}

TEST(Base62, IsReadBackUnlessItIsNoneOrTooLarge) {
  EXPECT_EQ(base62(0, 3), "000");
  EXPECT_EQ(base62(61, 2), "0z");
  EXPECT_EQ(base62(62 * 62, 2), "00") << "higher digits are dropped";
  EXPECT_EQ(parse_base62("0z"), 61U);
  const std::uint64_t largest = std::numeric_limits<std::uint64_t>::max();
  EXPECT_EQ(parse_base62(base62(largest, 11)), largest);
  EXPECT_EQ(parse_base62("LygHa16AHYG"), std::nullopt) << "2^64";
  EXPECT_EQ(parse_base62("zzzzzzzzzzzz"), std::nullopt);
  EXPECT_EQ(parse_base62("1-2"), std::nullopt);
}

TEST(Ids, OutsideAccountsAreMadeOf128Bits) {
  const PlanId id = make_id<PlanKind>(std::numeric_limits<std::uint64_t>::max(), 1);
  EXPECT_EQ(id.value(), "plan_0LygHa16AHYF000000000001");
}

TEST(Fnv1a, HasItsPublishedValues) {
  EXPECT_EQ(fnv1a(""), 0xcbf29ce484222325U);
  EXPECT_EQ(fnv1a("a"), 0xaf63dc4c8601ec8cU);
  EXPECT_EQ(fnv1a("foobar"), 0x85944171f73967e8U);
}

}  // namespace
}  // namespace billd::ids_test
