// What another system calls objects: where it leads, how texts are told in both ways, and what it takes to keep.
#include <gmock/gmock.h>

#include "net/store/aliases.hpp"
#include "tests/net/store_fixture.hpp"

namespace billd::store {
namespace {

using testing::HasSubstr;

const std::string jenny = "cus_NffrFeUfNV2Hib";

/// Jenny's account with a customer, a source and a subscription, numbers 1 to 3, and what they were called.
std::vector<Alias> aliases_of(const AccountKey& key) {
  return {{make_id<CustomerKind>(key, 1).value(), jenny},
          {make_id<SourceKind>(key, 2).value(), "src_1Dn1rX2eZvKYlo2CsVcn3Y5J"},
          {make_id<SubscriptionKind>(key, 3).value(), "sub_1MowQVLkdIwHu7ixeRlqHVzs"},
          {"pi_" + std::string(id_body(make_id<InvoiceKind>(key, 4).value())), "pi_3MtHbELkdIwHu7ix0Hm7dCzA"}};
}

class AliasesTest : public StoreTest {
 protected:
  const AccountKey key = adopted_key(Mode::test, jenny);

  /// As an import does it, but for the customer's other objects.
  void bring_jenny() {
    const auto led = await(store().aliases().lead_to(Mode::test, key, aliases_of(key)));
    ASSERT_TRUE(led) << led.error().detail;
    Loaded fresh;
    fresh.account.key = key;
    auto request = request_of(fresh, customer_with_card("jenny@example.com"), day_one);
    ASSERT_TRUE(request);
    request->aliases = encode_aliases(key, aliases_of(key));
    const auto committed = await(store().commit(std::move(*request)));
    ASSERT_TRUE(committed) << committed.error().detail;
    ASSERT_EQ(committed->status, CommitStatus::committed);
  }

  std::vector<std::string> natives(Mode mode, std::vector<std::string> texts) {
    auto found = await(store().aliases().to_native(mode, std::move(texts)));
    EXPECT_TRUE(found) << found.error().detail;
    return found ? *found : std::vector<std::string>();
  }
  std::string told(std::string text) {
    auto found = await(store().aliases().to_foreign(std::move(text)));
    EXPECT_TRUE(found) << found.error().detail;
    return found ? *found : std::string();
  }
};

TEST(AdoptedKeys, AreMadeOfTheCustomersIdentifierAndItsModeAndAreToldFromAllOthers) {
  const AccountKey key = adopted_key(Mode::test, jenny);
  EXPECT_EQ(adopted_key(Mode::test, jenny), key);
  EXPECT_NE(adopted_key(Mode::live, jenny), key);
  EXPECT_NE(adopted_key(Mode::test, "cus_NffrFeUfNV2Hic"), key);
  EXPECT_TRUE(key.is_adopted());
  EXPECT_EQ(mode_of_adopted(key), Mode::test);
  EXPECT_EQ(mode_of_adopted(adopted_key(Mode::live, jenny)), Mode::live);
  EXPECT_EQ(AccountKey::parse(key.value()), key);
  // 'X' and 'Z' are the digits 33 and 35 of base 62.
  const std::uint64_t place = 62ULL * 62 * 62 * 62 * 62;
  for (std::uint64_t first = 0; first < 62; ++first)
    EXPECT_FALSE(AccountKey::from_bits(first * place, 7).is_adopted()) << first;
}

TEST(ForeignIdentifiers, AreThoseOfKindsThatLieInAccounts) {
  for (const char* text : {"cus_NffrFeUfNV2Hib", "sub_4QFJvwBPwG6JdZ", "si_Na6dzxczY5fwHx", "src_1Dn1rX2eZvKYlo2C",
                           "card_1MvoiELkdIwHu7ixOeFGbN9D", "ba_1MvoIJ2eZvKYlo2CO9f0MabO", "in_1MtHbELkdIwHu7ix",
                           "ii_1MtGUsLkdIwHu7ix1be5Ljaj", "sub_sched_1MxwM7LkdIwHu7ix", "pm_1", "il_2", "cus_a_b"})
    EXPECT_TRUE(is_foreign(text)) << text;
  const std::string native = make_id<SubscriptionKind>(AccountKey::from_bits(1, 2), 3).value();
  for (const std::string& text : {native, std::string("tok_visa"), std::string("gold"), std::string("cus_"),
                                  std::string("send_invoice"), std::string("cus_a b"), std::string("cus_a\"b"),
                                  std::string("price_1MoBy5LkdIwHu7ix"), "cus_" + std::string(252, 'a')})
    EXPECT_FALSE(is_foreign(text)) << text;
}

TEST(StoredAliases, AreReadAsTheyWereWrittenOrNotAtAll) {
  const AccountKey key = adopted_key(Mode::live, jenny);
  const std::string bytes = encode_aliases(key, aliases_of(key));
  ASSERT_TRUE(decode_aliases(key, bytes));
  EXPECT_EQ(*decode_aliases(key, bytes), aliases_of(key));
  EXPECT_TRUE(decode_aliases(key, encode_aliases(key, {}))->empty());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto cut = decode_aliases(key, std::string_view(bytes).substr(0, size));
    EXPECT_TRUE(!cut || cut->size() < aliases_of(key).size()) << size;
  }
  EXPECT_EQ(decode_aliases(key, "\x07noise").error().code, Errc::corrupt);
  EXPECT_EQ(decode_aliases(key, "\x01\x7f\x01\x02x").error().code, Errc::corrupt);
}

TEST_F(AliasesTest, LeadToTheAccountsObjectsInTheirModeAlone) {
  EXPECT_EQ(natives(Mode::test, {jenny}), std::vector<std::string>{jenny}) << "nobody was brought along yet";
  bring_jenny();
  const std::vector<Alias> all = aliases_of(key);
  const std::vector<std::string> asked{all[2].foreign, "tok_visa",     all[0].foreign, all[2].native,
                                       "sub_other",    all[1].foreign, all[3].foreign};
  const std::vector<std::string> expected{all[2].native, "tok_visa",    all[0].native, all[2].native,
                                          "sub_other",   all[1].native, all[3].native};
  EXPECT_EQ(natives(Mode::test, asked), expected);
  EXPECT_EQ(natives(Mode::test, asked), expected) << "also when they are remembered";
  EXPECT_EQ(natives(Mode::live, asked), asked);
  EXPECT_EQ(await(store().aliases().to_native(all[2].foreign)).value(), all[2].native);
}

TEST_F(AliasesTest, StandInTextsWhereverBilldsIdentifiersWould) {
  bring_jenny();
  const std::vector<Alias> all = aliases_of(key);
  const std::string& customer = all[0].native;
  const std::string later = make_id<InvoiceKind>(key, 9).value();
  EXPECT_EQ(told("{\"id\":\"" + customer + "\",\"url\":\"/v1/customers/" + customer + "/sources\",\"sub\":\"" +
                 all[2].native + "\",\"source\":\"" + all[1].native + "\",\"latest\":\"" + later + "\"}"),
            "{\"id\":\"" + jenny + "\",\"url\":\"/v1/customers/" + jenny +
                "/sources\",\"sub\":\"sub_1MowQVLkdIwHu7ixeRlqHVzs\",\"source\":\"src_1Dn1rX2eZvKYlo2CsVcn3Y5J\"," +
                "\"latest\":\"" + later + "\"}");
  const std::string body(id_body(customer));
  EXPECT_EQ(told("cust_" + body), "cust_NffrFeUfNV2Hib") << "another API's word for a customer";
  EXPECT_EQ(told("in_" + std::string(id_body(all[3].native))), "in_" + std::string(id_body(all[3].native)))
      << "the invoice itself has no other name";
  EXPECT_EQ(told(all[3].native + "_secret_x"), "pi_3MtHbELkdIwHu7ix0Hm7dCzA_secret_x");
  EXPECT_EQ(told("\\n" + customer), "\\n" + jenny);
  for (const std::string& text : {"my_" + customer, customer + "x", "x" + customer, "_" + body, body,
                                  customer.substr(0, 27), std::string("X"), std::string("_X"), std::string()})
    EXPECT_EQ(told(text), text);
}

TEST_F(AliasesTest, CanBeWrittenAgainButLeadToOneAccount) {
  bring_jenny();
  EXPECT_TRUE(await(store().aliases().lead_to(Mode::test, key, aliases_of(key))));
  const AccountKey other = adopted_key(Mode::test, "cus_other");
  const auto taken = await(store().aliases().lead_to(
      Mode::test, other, {{make_id<SubscriptionKind>(other, 2).value(), "sub_1MowQVLkdIwHu7ixeRlqHVzs"}}));
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Errc::already_exists);
  EXPECT_THAT(taken.error().detail, HasSubstr("sub_1MowQVLkdIwHu7ixeRlqHVzs"));
}

TEST_F(AliasesTest, OfAnAccountThatWasNeverWrittenLeadNowhere) {
  ASSERT_TRUE(await(store().aliases().lead_to(Mode::test, key, aliases_of(key))));
  const std::string subscription = aliases_of(key)[2].foreign;
  EXPECT_EQ(natives(Mode::test, {subscription}), std::vector<std::string>{subscription});
  bring_jenny();
  EXPECT_EQ(natives(Mode::test, {subscription}), std::vector<std::string>{aliases_of(key)[2].native});
}

TEST_F(AliasesTest, AreRememberedWithinTheirLimits) {
  bring_jenny();
  const std::string native = aliases_of(key)[2].native, foreign = aliases_of(key)[2].foreign;
  store().aliases().limit({.customers = 1, .identifiers = 1});
  EXPECT_EQ(told(native), foreign);
  EXPECT_THAT(natives(Mode::test, {foreign}), testing::ElementsAre(native));
  // What is remembered is not asked for again, also when it is gone.
  ask("HDEL", store().aliases().directory_of(Mode::test, foreign), foreign);
  EXPECT_THAT(natives(Mode::test, {foreign}), testing::ElementsAre(native));
  // Two others push it out: at most twice as many stay.
  for (const std::size_t other : {1U, 3U}) natives(Mode::test, {aliases_of(key)[other].foreign});
  EXPECT_THAT(natives(Mode::test, {foreign}), testing::ElementsAre(foreign));
}

}  // namespace
}  // namespace billd::store
