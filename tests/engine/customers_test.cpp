// Customers and their payment sources.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/scenario.hpp"

namespace billd::customers_test {
namespace {

using test::at;
using test::card;
using test::names;
using test::price;
using test::Scenario;
using test::subscribe_to;
using testing::ElementsAre;
using testing::IsEmpty;

const Timestamp start = at("2026-01-15 10:00:00");

const SourceId no_such_source{"card_none"};

TEST(CreateCustomer, KeepsWhatWasGivenAndTellsOfIt) {
  Scenario world(start);
  CreateCustomer command;
  command.email = "ada@example.com";
  command.name = "Ada";
  command.phone = "+44";
  command.description = "first";
  command.address.city = "London";
  command.metadata = {{"k", "v"}};
  const Transition created = world.run(command);
  EXPECT_THAT(names(created), ElementsAre("customer.created"));
  const Customer& customer = world.account().customer;
  EXPECT_EQ(created.subject, customer.id.value());
  EXPECT_EQ(customer.created, start);
  EXPECT_EQ(customer.email, "ada@example.com");
  EXPECT_EQ(customer.name, "Ada");
  EXPECT_EQ(customer.phone, "+44");
  EXPECT_EQ(customer.description, "first");
  EXPECT_EQ(customer.address.city, "London");
  EXPECT_EQ(customer.metadata, command.metadata);
  EXPECT_TRUE(customer.default_source.is_empty());
  EXPECT_TRUE(customer.currency.is_none());
  EXPECT_EQ(std::get<Customer>(created.snapshots.at(0)), customer);
}

TEST(CreateCustomer, WithASourceMakesItTheDefaultAndTellsOfTheCustomerFirst) {
  Scenario world(start);
  CreateCustomer command;
  command.source = card("tok_visa");
  const Transition created = world.run(command);
  EXPECT_THAT(names(created), ElementsAre("customer.created", "customer.source.created"));
  ASSERT_EQ(world.account().sources.size(), 1U);
  const Source& source = world.account().sources[0];
  EXPECT_EQ(world.account().customer.default_source, source.id);
  EXPECT_EQ(std::get<Customer>(created.snapshots.at(0)).default_source, source.id);
  EXPECT_EQ(source.reference, "tok_visa");
  EXPECT_EQ(source.gateway, "test");
  EXPECT_EQ(source.card()->summary.last4, "4242");
}

TEST(CreateCustomer, TwiceIsRefused) {
  Scenario world(start);
  world.customer_with_card();
  EXPECT_EQ(world.refused(CreateCustomer{}), (Failure{Errc::already_exists, "Customer already exists.", "id"}));
}

TEST(CreateCustomer, WithATestClockIsRefusedInLiveMode) {
  Account account;
  account.key = AccountKey::from_bits(1, 2);
  account.mode = Mode::live;
  CreateCustomer command;
  command.test_clock = TestClockId("clock_1");
  EXPECT_EQ(decide(account, command, start, Rules{}).error(),
            (Failure{Errc::invalid_parameter, "Test clocks can only be used in test mode.", "test_clock"}));
  account.mode = Mode::test;
  EXPECT_EQ(decide(account, command, start, Rules{})->account.customer.test_clock, TestClockId("clock_1"));
}

TEST(AnAccountWithoutCustomer, KnowsNoCommandButCreateCustomer) {
  Account account;
  account.key = AccountKey::from_bits(1, 2);
  const std::vector<Command> commands = {UpdateCustomer{},     DeleteCustomer{},     AddSource{},  UpdateSource{},
                                         RemoveSource{},       Subscribe{},          PayInvoice{}, CancelSubscription{},
                                         ResumeSubscription{}, RecordChargeOutcome{}};
  for (const Command& command : commands)
    EXPECT_EQ(decide(account, command, start, Rules{}).error().code, Errc::not_found) << command.index();
}

TEST(UpdateCustomer, ChangesWhatIsGivenAndNothingElse) {
  Scenario world(start);
  world.customer_with_card();
  const Customer before = world.account().customer;
  UpdateCustomer command;
  command.name = "Ada Lovelace";
  command.email = "";
  const Transition updated = world.run(command);
  EXPECT_THAT(names(updated), ElementsAre("customer.updated"));
  EXPECT_EQ(std::get<Customer>(updated.snapshots.at(*updated.events[0].previous)), before);
  Customer expected = before;
  expected.name = "Ada Lovelace";
  expected.email = "";
  EXPECT_EQ(world.account().customer, expected);
}

TEST(UpdateCustomer, ThatChangesNothingIsNotCommitted) {
  Scenario world(start);
  world.customer_with_card();
  UpdateCustomer command;
  command.email = world.account().customer.email;
  command.metadata = MetadataPatch();
  const Transition updated = world.run(command);
  EXPECT_FALSE(updated.changed);
  EXPECT_EQ(updated.subject, world.account().customer.id.value());
}

TEST(UpdateCustomer, WithASourceAddsItAsTheDefault) {
  Scenario world(start);
  world.customer_with_card();
  UpdateCustomer command;
  command.source = card("tok_new");
  EXPECT_THAT(names(world.run(command)), ElementsAre("customer.source.created", "customer.updated"));
  EXPECT_EQ(world.account().customer.default_source, world.account().sources.at(1).id);
}

TEST(UpdateCustomer, RefusesADefaultThatIsNotThere) {
  Scenario world(start);
  world.customer_with_card();
  UpdateCustomer command;
  command.default_source = no_such_source;
  EXPECT_EQ(world.refused(command), (Failure{Errc::not_found, "No such source: card_none", "default_source"}));
}

TEST(DeleteCustomer, EndsEverythingAndLeavesATombstone) {
  Scenario world(start);
  world.customer_with_card();
  const SubscriptionId subscription = world.subscribed_to(price(2000));
  const CustomerId id = world.account().customer.id;
  world.now = at("2026-01-20");
  const Transition deleted = world.run(DeleteCustomer{});
  EXPECT_THAT(names(deleted), ElementsAre("customer.subscription.deleted", "customer.deleted"));
  const Customer& customer = world.account().customer;
  EXPECT_EQ(customer.id, id);
  EXPECT_EQ(customer.created, start);
  EXPECT_TRUE(customer.deleted);
  EXPECT_EQ(customer.email, "");
  EXPECT_THAT(world.account().sources, IsEmpty());
  EXPECT_THAT(world.account().subscriptions, IsEmpty());
  EXPECT_EQ(world.subscription(subscription).status, SubscriptionStatus::canceled);
  EXPECT_EQ(world.subscription(subscription).ended_at, at("2026-01-20"));
  EXPECT_EQ(next_due(timers(world.account())), std::nullopt);
}

TEST(DeleteCustomer, StopsCollectingWhatASubscriptionEndedBeforeHasLeft) {
  Scenario world(start);
  world.customer_with_card();
  const SubscriptionId subscription = world.subscribed_to(price(2000));
  world.bank_says(test::declined());
  world.pass_to(at("2026-02-16"));
  const InvoiceId invoice = world.latest_invoice().id;
  world.run(CancelSubscription{subscription});
  world.run(ReopenInvoice{invoice, world.settled(invoice)});
  EXPECT_THAT(names(world.run(DeleteCustomer{})), ElementsAre("invoice.updated", "customer.deleted"));
  EXPECT_FALSE(world.invoice(invoice).auto_advance);
  EXPECT_EQ(next_due(timers(world.account())), std::nullopt);
}

TEST(DeletedCustomer, TakesNoCommandAnyMore) {
  Scenario world(start);
  world.customer_with_card();
  world.run(DeleteCustomer{});
  const Failure gone{Errc::not_found, "No such customer: " + world.account().customer.id.value(), "customer"};
  EXPECT_EQ(world.refused(UpdateCustomer{}), gone);
  EXPECT_EQ(world.refused(DeleteCustomer{}), gone);
  EXPECT_EQ(world.refused(AddSource{card()}), gone);
  EXPECT_EQ(world.refused(subscribe_to(price(2000))), gone);
  EXPECT_EQ(world.refused(CreateCustomer{}).code, Errc::already_exists);
}

TEST(AddSource, MakesTheFirstTheDefaultAndTheOthersOnlyWhenAsked) {
  Scenario world(start);
  world.run(CreateCustomer{});
  const Transition first = world.run(AddSource{card("tok_1")});
  EXPECT_THAT(names(first), ElementsAre("customer.source.created", "customer.updated"));
  EXPECT_EQ(first.subject, world.account().sources.at(0).id.value());
  EXPECT_EQ(world.account().customer.default_source, world.account().sources.at(0).id);
  EXPECT_THAT(names(world.run(AddSource{card("tok_2")})), ElementsAre("customer.source.created"));
  EXPECT_EQ(world.account().customer.default_source, world.account().sources.at(0).id);
  EXPECT_THAT(names(world.run(AddSource{card("tok_3"), true})),
              ElementsAre("customer.source.created", "customer.updated"));
  EXPECT_EQ(world.account().customer.default_source, world.account().sources.at(2).id);
}

TEST(AddSource, StopsAtTwoHundred) {
  Scenario world(start);
  world.run(CreateCustomer{});
  for (int i = 0; i < 200; ++i) world.run(AddSource{card()});
  const Failure full{Errc::limit_exceeded, "A customer can have at most 200 payment sources.", "source"};
  EXPECT_EQ(world.refused(AddSource{card()}), full);
  UpdateCustomer command;
  command.source = card();
  EXPECT_EQ(world.refused(command), full);
}

TEST(UpdateSource, ChangesWhatIsGiven) {
  Scenario world(start);
  world.customer_with_card();
  UpdateSource command;
  command.source = world.account().sources[0].id;
  command.name = "A. Lovelace";
  command.exp_month = 1;
  command.exp_year = 2040;
  command.metadata = Metadata{{"a", "b"}};
  const Transition updated = world.run(command);
  EXPECT_THAT(names(updated), ElementsAre("customer.source.updated"));
  const Source& source = world.account().sources[0];
  EXPECT_EQ(updated.subject, source.id.value());
  EXPECT_EQ(source.card()->name, "A. Lovelace");
  EXPECT_EQ(source.card()->summary.exp_month, 1);
  EXPECT_EQ(source.card()->summary.exp_year, 2040);
  EXPECT_EQ(source.card()->summary.last4, "4242");
  EXPECT_EQ(source.metadata, (Metadata{{"a", "b"}}));
}

TEST(UpdateSource, RefusesWhatNoCardHas) {
  Scenario world(start);
  world.customer_with_card();
  UpdateSource command;
  command.source = no_such_source;
  EXPECT_EQ(world.refused(command), (Failure{Errc::not_found, "No such source: card_none", "id"}));
  command.source = world.account().sources[0].id;
  for (int month : {0, 13, -1}) {
    command.exp_month = month;
    EXPECT_EQ(world.refused(command),
              (Failure{Errc::invalid_parameter, "Your card's expiration month is invalid.", "exp_month"}));
  }
  command.exp_month = 12;
  for (int year : {0, 26, 1969, 2100}) {
    command.exp_year = year;
    EXPECT_EQ(world.refused(command),
              (Failure{Errc::invalid_parameter, "Your card's expiration year is invalid.", "exp_year"}));
  }
}

TEST(AddSources, AddsAllAndMakesTheFirstTheDefault) {
  Scenario world(start);
  world.run(CreateCustomer());
  AddSources command;
  for (const char* reference : {"cus_1", "cus_2"}) {
    NewSource source;
    source.gateway = "stripe";
    source.reference = reference;
    source.nickname = "mine";
    command.sources.push_back(source);
  }
  EXPECT_THAT(names(world.run(command)),
              ElementsAre("customer.source.created", "customer.source.created", "customer.updated"));
  ASSERT_EQ(world.account().sources.size(), 2U);
  EXPECT_EQ(world.account().sources[1].reference, "cus_2");
  EXPECT_EQ(world.account().sources[1].nickname, "mine");
  EXPECT_EQ(world.account().customer.default_source, world.account().sources[0].id);
  EXPECT_THAT(names(world.run(command)), ElementsAre("customer.source.created", "customer.source.created"));
}

TEST(AddSources, AddsNoneWhenOneIsTooMany) {
  Scenario world(start);
  world.run(CreateCustomer());
  AddSources command;
  command.sources.resize(201);
  EXPECT_EQ(world.refused(command).code, Errc::limit_exceeded);
  EXPECT_THAT(world.account().sources, IsEmpty());
}

TEST(UpdateSource, ChangesTheReferenceButNeverClearsIt) {
  Scenario world(start);
  world.run(CreateCustomer());
  AddSources add;
  add.sources.resize(1);
  add.sources[0].reference = "cus_1";
  world.run(add);
  UpdateSource update;
  update.source = world.account().sources[0].id;
  update.reference = "cus_2";
  update.nickname = "home";
  world.run(update);
  EXPECT_EQ(world.account().sources[0].reference, "cus_2");
  EXPECT_EQ(world.account().sources[0].nickname, "home");
  update.reference = "";
  EXPECT_EQ(world.refused(update).parameter, "reference");
  update.reference.reset();
  update.nickname = "";
  world.run(update);
  EXPECT_EQ(world.account().sources[0].reference, "cus_2");
  EXPECT_EQ(world.account().sources[0].nickname, "");
}

struct NameCase {
  const char* name;
  std::uint32_t first_name_size;
  const char* first;
  const char* last;
};

TEST(SplitName, TellsFirstFromLast) {
  const NameCase cases[] = {
      {"Ann Lee", 0, "Ann", "Lee"},
      {"Ann Mary Lee", 0, "Ann Mary", "Lee"},
      {"Ann Mary Lee", 3, "Ann", "Mary Lee"},
      {"Madonna", 0, "", "Madonna"},
      {"", 0, "", ""},
      {"Ann Lee", 2, "Ann", "Lee"},
      {"Ann Lee", 99, "Ann", "Lee"},
      {"Ann ", 3, "Ann", ""},
  };
  for (const NameCase& each : cases) {
    Customer customer;
    customer.name = each.name;
    customer.first_name_size = each.first_name_size;
    EXPECT_EQ(split_name(customer).first, each.first) << each.name;
    EXPECT_EQ(split_name(customer).last, each.last) << each.name;
  }
}

TEST(UpdateCustomer, ChangesPartsOfTheNameAndOfTheAddress) {
  Scenario world(start);
  CreateCustomer create;
  create.name = "Ann Mary Lee";
  create.first_name_size = 3;
  create.address.city = "Berlin";
  create.address.country = "DE";
  world.run(create);
  UpdateCustomer update;
  update.last_name = "van Dyke";
  update.address_change.city = "Köln";
  world.run(update);
  const Customer& customer = world.account().customer;
  EXPECT_EQ(customer.name, "Ann van Dyke");
  EXPECT_EQ(split_name(customer).first, "Ann");
  EXPECT_EQ(customer.address.city, "Köln");
  EXPECT_EQ(customer.address.country, "DE");
  UpdateCustomer whole;
  whole.name = "Bob van Dyke";
  world.run(whole);
  EXPECT_EQ(split_name(world.account().customer).last, "Dyke")
      << "whoever says the whole name says nothing of its parts";
  UpdateCustomer only_last;
  only_last.first_name = "";
  world.run(only_last);
  EXPECT_EQ(world.account().customer.name, "Dyke");
}

TEST(UpdateCustomer, GivesAUserNameOnlyInPlaceOfTheOneThatWasSeen) {
  Scenario world(start);
  world.run(CreateCustomer());
  UpdateCustomer update;
  update.user_name = UserNameChange{"", "ann"};
  world.run(update);
  EXPECT_EQ(world.account().customer.user_name, "ann");
  update.user_name = UserNameChange{"", "bob"};
  EXPECT_EQ(world.refused(update).code, Errc::conflict);
  update.user_name = UserNameChange{"ann", "bob"};
  world.run(update);
  EXPECT_EQ(world.account().customer.user_name, "bob");
}

TEST(DeleteCustomer, KeepsTheNumber) {
  Scenario world(start);
  CreateCustomer create;
  create.number = 17;
  create.code = "gold";
  create.user_name = "ann";
  create.organization = "Lee & Sons";
  world.run(create);
  EXPECT_EQ(code_of(world.account().customer), "gold");
  world.run(DeleteCustomer());
  EXPECT_EQ(world.account().customer.number, 17U);
  EXPECT_EQ(world.account().customer.user_name, "");
  EXPECT_EQ(world.account().customer.organization, "");
  EXPECT_EQ(code_of(world.account().customer), "17");
}

TEST(RemoveSource, OfTheDefaultMakesTheNewestTheDefault) {
  Scenario world(start);
  world.customer_with_card("tok_1");
  world.run(AddSource{card("tok_2")});
  world.run(AddSource{card("tok_3")});
  const SourceId first = world.account().sources[0].id, newest = world.account().sources[2].id;
  const Transition removed = world.run(RemoveSource{first});
  EXPECT_THAT(names(removed), ElementsAre("customer.source.deleted", "customer.updated"));
  EXPECT_EQ(std::get<Source>(removed.snapshots.at(0)).reference, "tok_1");
  EXPECT_EQ(removed.subject, first.value());
  EXPECT_EQ(world.account().customer.default_source, newest);
}

TEST(RemoveSource, OfAnotherLeavesTheDefault) {
  Scenario world(start);
  world.customer_with_card("tok_1");
  world.run(AddSource{card("tok_2")});
  EXPECT_THAT(names(world.run(RemoveSource{world.account().sources[1].id})), ElementsAre("customer.source.deleted"));
  EXPECT_EQ(world.account().customer.default_source, world.account().sources[0].id);
}

TEST(RemoveSource, OfTheLastLeavesNoDefault) {
  Scenario world(start);
  world.customer_with_card();
  world.run(RemoveSource{world.account().sources[0].id});
  EXPECT_TRUE(world.account().customer.default_source.is_empty());
  EXPECT_EQ(world.refused(RemoveSource{no_such_source}), (Failure{Errc::not_found, "No such source: card_none", "id"}));
}

TEST(RemoveSource, FreesTheSubscriptionsThatPaidWithIt) {
  Scenario world(start);
  world.customer_with_card("tok_1");
  world.run(AddSource{card("tok_2")});
  Subscribe command = subscribe_to(price(2000));
  command.default_source = world.account().sources[1].id;
  const SubscriptionId id = world.subscribed_to(command);
  EXPECT_THAT(names(world.run(RemoveSource{command.default_source})),
              ElementsAre("customer.subscription.updated", "customer.source.deleted"));
  EXPECT_TRUE(world.subscription(id).default_source.is_empty());
}

struct WithBankAccount {
  WithBankAccount() {
    world.run(CreateCustomer{});
    account = SourceId(world.run(AddSource{test::bank_account("6789")}).subject);
  }
  const BankAccount& now() const { return *world.account().find(account)->bank_account(); }
  Scenario world{start};
  SourceId account;
};

TEST(BankAccount, HasItsOwnPrefixAndIsAddedOnce) {
  WithBankAccount given;
  EXPECT_EQ(given.account.value().substr(0, 3), "ba_");
  EXPECT_EQ(given.world.account().customer.default_source, given.account);
  EXPECT_EQ(given.now().status, BankAccountStatus::new_);
  EXPECT_EQ(given.world.refused(AddSource{test::bank_account("6789")}).code, Errc::already_exists);
  given.world.run(AddSource{test::bank_account("1116")});
  EXPECT_EQ(given.world.account().sources.size(), 2U);
}

TEST(BankAccount, IsVerifiedByTheRightDepositsAfterWrongOnes) {
  WithBankAccount given;
  EXPECT_THAT(names(given.world.run(VerifySource{given.account, false})), IsEmpty());
  EXPECT_EQ(given.now().failed_verifications, 1);
  const Transition verified = given.world.run(VerifySource{given.account, true});
  EXPECT_THAT(names(verified), ElementsAre("customer.source.updated"));
  EXPECT_EQ(given.now().status, BankAccountStatus::verified);
  EXPECT_EQ(given.world.refused(VerifySource{given.account, true}).code, Errc::invalid_state);
}

TEST(BankAccount, FailsVerificationWithTheThirdWrongAttemptForGood) {
  WithBankAccount given;
  given.world.run(VerifySource{given.account, false});
  given.world.run(VerifySource{given.account, false});
  EXPECT_EQ(given.now().status, BankAccountStatus::new_);
  EXPECT_THAT(names(given.world.run(VerifySource{given.account, false})), ElementsAre("customer.source.updated"));
  EXPECT_EQ(given.now().status, BankAccountStatus::verification_failed);
  EXPECT_EQ(given.world.refused(VerifySource{given.account, true}).code, Errc::invalid_state);
}

TEST(BankAccount, IsChargedOnceItIsVerified) {
  WithBankAccount given;
  const Failure unverified{Errc::invalid_state,
                           "The customer's bank account must be verified in order to create an ACH payment."};
  EXPECT_EQ(given.world.refused(subscribe_to(price(1000))), unverified);
  given.world.run(VerifySource{given.account, true});
  given.world.run(subscribe_to(price(1000)));
  const Invoice& first = given.world.invoice(given.world.account().subscriptions.at(0).latest_invoice);
  EXPECT_EQ(std::get<BankAccountSummary>(first.charges.at(0).means).last4, "6789");
}

TEST(BankAccount, KnowsNothingOfCards) {
  WithBankAccount given;
  UpdateSource command;
  command.source = given.account;
  command.exp_month = 3;
  EXPECT_EQ(given.world.refused(command).parameter, "exp_month");
  command.exp_month.reset();
  command.name = "Ada";
  command.holder_type = "company";
  given.world.run(command);
  EXPECT_EQ(given.now().holder_name, "Ada");
  EXPECT_EQ(given.now().holder_type, "company");
  const SourceId visa(given.world.run(AddSource{card()}).subject);
  EXPECT_EQ(given.world.refused(VerifySource{visa, true}).code, Errc::invalid_state);
  command.source = visa;
  EXPECT_EQ(given.world.refused(command).parameter, "account_holder_type");
}

TEST(PaymentMethod, KeepsItsIdentifierAndIsAttachedOnce) {
  Scenario world(start);
  world.run(CreateCustomer{});
  AddSource attach{card()};
  attach.source.is_payment_method = true;
  attach.source.id = SourceId("pm_elsewhere");
  EXPECT_THAT(names(world.run(attach)), ElementsAre("payment_method.attached"));
  EXPECT_THAT(names(world.run(attach)), IsEmpty());
  ASSERT_EQ(world.account().sources.size(), 1U);
  EXPECT_EQ(world.account().sources[0].id.value(), "pm_elsewhere");
  EXPECT_TRUE(world.account().customer.default_source.is_empty());
  attach.source.id = SourceId();
  EXPECT_EQ(world.run(attach).subject.substr(0, 3), "pm_");
}

TEST(PaymentMethod, AsTheDefaultPaysBeforeTheDefaultSource) {
  Scenario world(start);
  world.customer_with_card("tok_old");
  AddSource attach{card("tok_new")};
  attach.source.is_payment_method = true;
  attach.source.id = SourceId("pm_elsewhere");
  world.run(attach);
  UpdateCustomer update;
  update.default_payment_method = SourceId("pm_nobody");
  EXPECT_EQ(world.refused(update).parameter, "invoice_settings[default_payment_method]");
  update.default_payment_method = attach.source.id;
  world.run(update);
  world.run(subscribe_to(price(1000)));
  const Invoice& first = world.invoice(world.account().subscriptions.at(0).latest_invoice);
  EXPECT_EQ(first.charges.at(0).gateway_source, "tok_new");

  const Transition removed = world.run(RemoveSource{attach.source.id});
  EXPECT_EQ(names(removed).front(), "payment_method.detached");
  EXPECT_TRUE(world.account().customer.default_payment_method.is_empty());
}

TEST(UpdateCustomer, KeepsShippingTaxesLanguagesAndTheBalanceWithinItsRange) {
  Scenario world(start);
  world.run(CreateCustomer{});
  UpdateCustomer update;
  update.balance = balance_limit + 1;
  EXPECT_EQ(world.refused(update).parameter, "balance");
  update.balance = -500;
  update.shipping = Shipping{"Ada", "+44", {}};
  update.tax_exempt = TaxExempt::reverse;
  update.preferred_locales = std::vector<std::string>{"en", "fr"};
  EXPECT_THAT(names(world.run(update)), ElementsAre("customer.updated"));
  const Customer& customer = world.account().customer;
  EXPECT_EQ(customer.balance, -500);
  EXPECT_EQ(customer.shipping.name, "Ada");
  EXPECT_EQ(customer.tax_exempt, TaxExempt::reverse);
  EXPECT_THAT(customer.preferred_locales, ElementsAre("en", "fr"));
}

}  // namespace
}  // namespace billd::customers_test
