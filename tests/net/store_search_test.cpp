// Numbers of customers, searches by any combination of criteria, and values that only one customer may have.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "net/store/lower_case.hpp"
#include "net/store/unique.hpp"
#include "tests/net/store_fixture.hpp"

namespace billd::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(LowerCase, KnowsTheLettersOfEuropeAndLeavesTheRestAsItIs) {
  EXPECT_EQ(lower_case("Ann@Example.COM"), "ann@example.com");
  EXPECT_EQ(lower_case("ÉCOLE Ÿ Ç Þ × ß"), "école ÿ ç þ × ß");
  EXPECT_EQ(lower_case("ŁÓDŹ ŠKODA ŽIŽKA"), "łódź škoda žižka");
  EXPECT_EQ(lower_case("ΑΘΗΝΑ ΣΟΦΙΑ"), "αθηνα σοφια");
  EXPECT_EQ(lower_case("МОСКВА ЁЖ ЏЕП"), "москва ёж џеп");
  EXPECT_EQ(lower_case("東京 😀"), "東京 😀");
  EXPECT_EQ(lower_case("\xC3"), "\xC3") << "what is cut off is no letter";
  EXPECT_EQ(lower_case("\xFF\xFEZ"), "\xFF\xFEz");
}

TEST(SearchValue, IgnoresCaseWherePeopleDo) {
  EXPECT_EQ(search_value(Index::cities, "BERLIN"), "berlin");
  EXPECT_EQ(search_value(Index::countries, "DE"), "DE");
  EXPECT_EQ(search_value(Index::phones, "+49 A"), "+49 A");
  EXPECT_EQ(search_value(Index::cities, ""), "");
  EXPECT_EQ(search_value(Index::cities, std::string(513, 'x')), "") << "nobody searches by that";
}

class Search : public StoreTest {
 protected:
  using Criterion = Store::Criterion;

  Loaded add(CreateCustomer create) {
    Loaded fresh;
    fresh.account.key = account_number(++added_);
    create.number = await(store().draw_number(Mode::test, fresh.account.key)).value();
    return committed(std::move(fresh), std::move(create));
  }
  static CreateCustomer in_city(std::string city, std::string country = "DE") {
    CreateCustomer create;
    create.address.city = std::move(city);
    create.address.country = std::move(country);
    return create;
  }
  std::vector<AccountKey> find(std::vector<Criterion> criteria, std::uint64_t offset = 0, std::size_t limit = 100) {
    return await(store().search(Mode::test, std::move(criteria), offset, limit)).value();
  }

  std::uint64_t added_ = 0;
};

TEST_F(Search, NumbersLeadToTheirPartitionAndAreNeverGivenTwice) {
  std::set<std::uint64_t> numbers;
  Daemon& other = start_daemon();
  for (std::uint64_t i = 0; i < 200; ++i) {
    const AccountKey key = account_number(i);
    const auto number = await((i % 2 == 0 ? store() : other.store).draw_number(Mode::test, key)).value();
    EXPECT_EQ(number % settings.partitions, store().partition_of(key));
    EXPECT_GE(number, settings.partitions);
    EXPECT_TRUE(numbers.insert(number).second) << number << " was given twice";
  }
}

TEST_F(Search, ManyWhoDrawAtOnceShareTheDrawing) {
  Tasks tasks(loop.get_executor());
  std::set<std::uint64_t> numbers;
  const AccountKey key = account_number(1);
  ASSERT_TRUE(await(store().server_time()));
  auto draw = [&]() -> awaitable<> {
    auto number = co_await store().draw_number(Mode::test, key);
    if (number) numbers.insert(*number);
  };
  for (int i = 0; i < 20; ++i) tasks.spawn("draw", draw());
  ASSERT_TRUE(run_until(loop, [&] { return tasks.running() == 0; }));
  EXPECT_EQ(numbers.size(), 20U);
  EXPECT_EQ(*numbers.rbegin() - *numbers.begin(), 19U * settings.partitions) << "one drawing was enough";
}

TEST_F(Search, NumbersThatAreSomebodysCodeAreLeftOut) {
  const AccountKey key = account_number(1);
  const std::uint64_t first = settings.partitions + store().partition_of(key);
  const Unique code{UniqueKind::code, std::to_string(first)};
  EXPECT_FALSE(await(store().is_number_drawn(Mode::test, first)).value());
  EXPECT_TRUE(await(store().take(Mode::test, code, "", "somebody")));
  EXPECT_EQ(await(store().draw_number(Mode::test, key)).value(), first + settings.partitions);
  EXPECT_TRUE(await(store().is_number_drawn(Mode::test, first)).value());
}

TEST_F(Search, FindsAnAccountByItsNumber) {
  const Loaded ann = add(in_city("Berlin"));
  EXPECT_EQ(await(store().find_by_number(Mode::test, ann.account.customer.number)).value(), ann.account.key);
  EXPECT_EQ(await(store().find_by_number(Mode::live, ann.account.customer.number)).error().code, Errc::not_found);
  EXPECT_EQ(await(store().find_by_number(Mode::test, 1'000'000)).error().code, Errc::not_found);
  EXPECT_EQ(await(store().find_by_number(Mode::test, ~std::uint64_t{0})).error().code, Errc::not_found);
}

TEST_F(Search, FollowsChangesAndForgetsTheDeleted) {
  Loaded ann = add(in_city("Berlin"));
  EXPECT_THAT(find({{Index::cities, "berlin"}}), ElementsAre(ann.account.key));
  UpdateCustomer move;
  move.address_change.city = "Köln";
  ann = committed(std::move(ann), move);
  EXPECT_THAT(find({{Index::cities, "berlin"}}), IsEmpty());
  EXPECT_THAT(find({{Index::cities, "köln"}}), ElementsAre(ann.account.key));
  const AccountKey key = ann.account.key;
  committed(std::move(ann), DeleteCustomer());
  EXPECT_THAT(find({{Index::cities, "köln"}}), IsEmpty());
  EXPECT_THAT(find({}), IsEmpty());
  EXPECT_TRUE(await(store().load(Mode::test, key))) << "the tombstone is left";
}

TEST_F(Search, MeetsAStreetInEitherOfItsLines) {
  CreateCustomer create;
  create.address.line1 = "Main Street 1";
  create.address.line2 = "MAIN STREET 1";
  const Loaded ann = add(create);
  create.address.line2 = "Back door";
  const Loaded bob = add(create);
  EXPECT_EQ(find({{Index::streets, "main street 1"}}).size(), 2U);
  EXPECT_THAT(find({{Index::streets, "back door"}}), ElementsAre(bob.account.key));
}

TEST_F(Search, AnyCombinationIsAsLookingAtEverybody) {
  std::mt19937 dice(7);
  auto one_of = [&](std::initializer_list<const char*> words) {
    return std::string(*(words.begin() + static_cast<std::ptrdiff_t>(dice() % words.size())));
  };
  std::vector<Customer> everybody;
  std::map<std::uint64_t, AccountKey> keys;
  for (int i = 0; i < 1'500; ++i) {
    CreateCustomer create = in_city(one_of({"Berlin", "Paris", ""}), one_of({"DE", "FR"}));
    create.name = one_of({"Ann", "Bob"}) + " " + one_of({"Lee", "Roe", "Doe"});
    create.account_id = static_cast<std::int64_t>(dice() % 3);
    const Loaded added = add(create);
    everybody.push_back(added.account.customer);
    keys[added.account.customer.number] = added.account.key;
  }
  std::ranges::sort(everybody, {}, &Customer::number);
  struct Case {
    std::vector<Criterion> criteria;
    std::function<bool(const Customer&)> meets;
  };
  const std::vector<Case> cases = {
      {{}, [](const Customer&) { return true; }},
      {{{Index::cities, "paris"}}, [](const Customer& c) { return c.address.city == "Paris"; }},
      {{{Index::cities, "rome"}}, [](const Customer&) { return false; }},
      {{{Index::countries, "DE"}, {Index::cities, "paris"}},
       [](const Customer& c) { return c.address.country == "DE" && c.address.city == "Paris"; }},
      {{{Index::first_names, "ann"}, {Index::last_names, "lee"}, {Index::account_ids, "2"}},
       [](const Customer& c) { return c.name == "Ann Lee" && c.account_id == 2; }},
      {{{Index::first_names, "ann"}, {Index::cities, "rome"}}, [](const Customer&) { return false; }},
  };
  for (const Case& each : cases) {
    std::vector<AccountKey> expected;
    for (const Customer& customer : everybody)
      if (each.meets(customer)) expected.push_back(keys[customer.number]);
    for (std::uint64_t offset : {0U, 1U, 99U, 300U, 700U, 1'499U, 5'000U})
      for (std::size_t limit : {0U, 1U, 100U, 1'000U}) {
        const std::size_t from = std::min<std::size_t>(offset, expected.size());
        const std::size_t until = std::min(from + limit, expected.size());
        const std::vector page(expected.begin() + static_cast<std::ptrdiff_t>(from),
                               expected.begin() + static_cast<std::ptrdiff_t>(until));
        EXPECT_EQ(find(each.criteria, offset, limit), page)
            << each.criteria.size() << " criteria from " << offset << " at most " << limit;
      }
  }
}

TEST_F(Search, AUniqueValueIsTakenOnlyFromWhoWasSeen) {
  const Unique code{UniqueKind::code, "gold"};
  EXPECT_EQ(await(store().holder(Mode::test, code)).value(), "");
  EXPECT_TRUE(await(store().take(Mode::test, code, "", "ann")));
  EXPECT_EQ(await(store().take(Mode::test, code, "", "bob")).error().code, Errc::conflict);
  EXPECT_TRUE(await(store().take(Mode::test, code, "ann", "bob")));
  EXPECT_EQ(await(store().holder(Mode::test, code)).value(), "bob");
  EXPECT_EQ(await(store().holder(Mode::live, code)).value(), "") << "modes do not meet";
  EXPECT_TRUE(await(store().take(Mode::test, code, "bob", "")));
  EXPECT_EQ(await(store().holder(Mode::test, code)).value(), "");
  EXPECT_TRUE(await(store().take(Mode::test, code, "", "ann", Milliseconds(1))));
  EXPECT_TRUE(run_until(loop, [&] { return ask("DBSIZE").integer() == 1; })) << "only the data set is left";
}

TEST_F(Search, ACommitIsRefusedWhenAnotherTookTheValue) {
  const Unique code{UniqueKind::code, "gold"};
  auto create = [&](const AccountKey& key) {
    Loaded fresh;
    fresh.account.key = key;
    auto request = request_of(fresh, in_city("Berlin"), day_one);
    request->held = HeldUnique{code, key.value()};
    return await(store().commit(std::move(*request))).value().status;
  };
  const AccountKey ann = draw_account_key(store(), code), bob = draw_account_key(store(), code);
  EXPECT_TRUE(await(store().take(Mode::test, code, "", ann.value())));
  EXPECT_TRUE(await(store().take(Mode::test, code, ann.value(), bob.value())));
  EXPECT_EQ(create(ann), CommitStatus::not_held);
  EXPECT_EQ(await(store().load(Mode::test, ann)).error().code, Errc::not_found) << "nothing was written";
  EXPECT_EQ(create(bob), CommitStatus::committed);
}

TEST_F(Search, AValueIsNotTakenOverFromAnAccountThatWasCreatedMeanwhile) {
  const Unique code{UniqueKind::code, "gold"};
  const AccountKey ann = draw_account_key(store(), code), bob = draw_account_key(store(), code);
  ASSERT_TRUE(await(store().take(Mode::test, code, "", ann.value())));
  ASSERT_TRUE(await(take_over(store(), Mode::test, code, ann, ann.value(), bob.value()))) << "nobody created it";
  EXPECT_EQ(await(take_over(store(), Mode::test, code, ann, ann.value(), bob.value())).error().code, Errc::conflict)
      << "it is not held so any more";
  // Whoever wants it now has seen that bob does not exist; then bob is created.
  Loaded fresh;
  fresh.account.key = bob;
  auto request = request_of(fresh, in_city("Berlin"), day_one);
  request->held = HeldUnique{code, bob.value()};
  ASSERT_EQ(await(store().commit(std::move(*request))).value().status, CommitStatus::committed);
  EXPECT_EQ(await(take_over(store(), Mode::test, code, bob, bob.value(), ann.value())).error().code, Errc::conflict);
  EXPECT_EQ(await(store().holder(Mode::test, code)).value(), bob.value());
}

}  // namespace
}  // namespace billd::store
