// Every kind of damage is found by the verification, and what can be made anew is.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "commands/verify.hpp"
#include "engine/imports.hpp"
#include "net/gateways/test_gateway.hpp"
#include "net/store/aliases.hpp"
#include "net/store/encoding.hpp"
#include "net/store/functions.hpp"
#include "net/store/idempotency.hpp"
#include "tests/net/store_fixture.hpp"

namespace billd::commands {
namespace {

using store::account_number;
using store::day_one;
using store::Loaded;
using testing::HasSubstr;
using testing::Not;

class Verify : public store::StoreTest {
 protected:
  void SetUp() override {
    of_ann = renewed_until(subscriber(ann), day_one + std::chrono::days(95));
    of_bob = subscriber(bob, "bob@example.com", TestClockId("clock_one"));
    customer(eve, "eve@example.com");
    keys_prefix = prefix_of(ann);
    account_key = store::account_key(keys_prefix, ann);
    records_key = store::records_key(keys_prefix, ann);
    gateways::TestGateway gateway(loop.get_executor(), store(), Milliseconds(0));
    for (const AccountKey& key : {ann, bob})
      for (const auto& [field, invoice] : invoices_of(key))
        for (const Charge& charge : invoice.charges) {
          const gateways::ChargeRequest request{
              Mode::test, key, charge.id.value(), charge.gateway_source, charge.amount, charge.created, invoice.id,
              {},         {}};
          ASSERT_EQ(await(gateway.charge(request)).kind, ChargeOutcomeKind::succeeded);
        }
  }

  VerifyReport verified(bool rebuild = false) {
    VerifyOptions options;
    options.rebuild = rebuild;
    options.pause = Milliseconds(2);
    auto report = await(verify(store(), std::move(options)));
    EXPECT_TRUE(report) << report.error().detail;
    return report ? std::move(*report) : VerifyReport();
  }

  /// Exactly this rule is broken, and the text says why.
  void expect_broken(Rule rule, const std::string& why) {
    const VerifyReport report = verified();
    for (std::size_t i = 0; i < rule_count; ++i) {
      const auto each = static_cast<Rule>(i);
      if (each != rule) EXPECT_EQ(report.of(each).violations, 0U) << to_text(report);
    }
    EXPECT_GT(report.of(rule).violations, 0U) << to_text(report);
    EXPECT_THAT(to_text(report), HasSubstr(why));
  }

  /// The same, and afterwards nothing is wrong.
  void expect_mended(Rule rule, const std::string& why) {
    expect_broken(rule, why);
    const VerifyReport mending = verified(true);
    EXPECT_GT(mending.of(rule).rebuilt, 0U) << to_text(mending);
    EXPECT_EQ(mending.violations(), 0U) << to_text(mending);
    const VerifyReport after = verified();
    EXPECT_EQ(after.violations(), 0U) << to_text(after);
    EXPECT_EQ(after.of(rule).violations, 0U);
  }

  std::map<std::string, Invoice> invoices_of(const AccountKey& key) {
    std::map<std::string, Invoice> invoices;
    auto fields = await(store().record_fields(Mode::test, key));
    for (const std::string& field : *fields) {
      if (field.front() != 'i') continue;
      auto record = await(store().load_record(Mode::test, key, field));
      invoices.emplace(field, std::get<Invoice>(*record));
    }
    return invoices;
  }
  /// Ann's settled invoice of the period.
  Invoice invoice_of_period(std::int64_t ordinal) {
    for (const auto& [field, invoice] : invoices_of(ann))
      if (invoice.ordinal == ordinal) return invoice;
    ADD_FAILURE() << "no invoice of period " << ordinal;
    return {};
  }
  void store_record(const Record& record) {
    const std::string field =
        std::visit([this](const auto& each) { return store::record_field(ann, each.id); }, record);
    ask("HSET", records_key, field, store::encode(ann, record));
  }
  void store_account(const Account& account) { ask("SET", account_key, store::encode(account)); }
  std::string queue(Queue which) { return store::queue_key(keys_prefix, which); }
  std::string index(store::Index which) { return store::index_key(keys_prefix, which); }

  const AccountKey ann = account_number(1), bob = account_number(2), eve = account_number(3);
  Loaded of_ann, of_bob;
  std::string keys_prefix, account_key, records_key;
};

TEST_F(Verify, FindsNothingWrongInWhatBilldDid) {
  const VerifyReport report = verified();
  EXPECT_EQ(report.violations(), 0U) << to_text(report);
  EXPECT_EQ(report.accounts, 3U);
  EXPECT_EQ(report.subscriptions, 2U);
  EXPECT_EQ(report.settled_invoices, 5U);
  EXPECT_EQ(report.charges, 5U);
  EXPECT_EQ(report.succeeded_charges, 5U);
  EXPECT_EQ(report.bookings, 5U);
  EXPECT_GT(report.events, 20U);
  EXPECT_GT(report.bytes, 100'000U);
  EXPECT_THAT(to_text(report), HasSubstr("Nothing is wrong"));
  EXPECT_THAT(to_json(report), HasSubstr(R"("violations":0)"));
}

TEST_F(Verify, FindsNothingWrongThroughAWholeLife) {
  const SubscriptionId subscription = of_ann.account.subscriptions.at(0).id;
  of_ann = committed(std::move(of_ann), CancelSubscription{subscription, false});
  EXPECT_EQ(verified().violations(), 0U);
  EXPECT_EQ(verified().ended_subscriptions, 1U);
  committed(std::move(of_ann), DeleteCustomer());
  const VerifyReport report = verified();
  EXPECT_EQ(report.violations(), 0U) << to_text(report);
  EXPECT_EQ(report.deleted_customers, 1U);
}

TEST_F(Verify, FindsNothingWrongWhileADaemonIsAtWork) {
  bool enough = false;
  Tasks tasks(loop.get_executor());
  auto work = [this](AccountKey key, const bool& stop) -> awaitable<> {
    int round = 0;
    while (!stop) {
      ++round;
      auto loaded = co_await store().load(Mode::test, key);
      UpdateCustomer update;
      update.email = std::to_string(round) + "@example.com";
      if (round % 7 == 0) update.email = "";
      Command command = update;
      auto updated = co_await store::carry_out(store(), std::move(*loaded), std::move(command), day_one);
      if (!updated || updated->status != store::CommitStatus::committed) ADD_FAILURE() << "not committed";
    }
  };
  for (const AccountKey& key : {ann, bob, eve}) tasks.spawn("work", work(key, enough));
  for (int round = 0; round < 20; ++round) {
    const VerifyReport report = verified();
    EXPECT_EQ(report.violations(), 0U) << to_text(report);
  }
  enough = true;
  EXPECT_TRUE(run_until(loop, [&tasks] { return tasks.running() == 0; }));
}

// Periods.

TEST_F(Verify, FindsAPeriodThatWasNotBilled) {
  const Invoice lost = invoice_of_period(2);
  ask("HDEL", records_key, store::record_field(ann, lost.id));
  EXPECT_THAT(to_text(verified()), HasSubstr("period 2 is not billed; expected: billed once"));
}

TEST_F(Verify, FindsAPeriodThatWasBilledTwice) {
  Invoice twin = invoice_of_period(2);
  twin.id = make_id<InvoiceKind>(ann, 900);
  twin.number.clear();
  twin.status = InvoiceStatus::void_;
  twin.amount_paid.minor = 0;
  twin.charges.clear();
  store_record(twin);
  EXPECT_THAT(to_text(verified()), HasSubstr("period 2 is billed by "));
  EXPECT_GT(verified().of(Rule::periods).violations, 0U);
}

TEST_F(Verify, FindsAGapBetweenPeriods) {
  Invoice late = invoice_of_period(2);
  late.lines.at(0).period.start += std::chrono::days(1);
  store_record(late);
  expect_broken(Rule::periods, " ended");
}

TEST_F(Verify, FindsPeriodsOutOfOrder) {
  Invoice early = invoice_of_period(2);
  early.created = day_one - std::chrono::days(1);
  store_record(early);
  const VerifyReport report = verified();
  EXPECT_EQ(report.of(Rule::periods).violations, 1U);
  EXPECT_THAT(to_text(report), HasSubstr("was drawn up before"));
}

TEST_F(Verify, FindsASubscriptionThatIsAheadOfItsInvoices) {
  of_ann.account.subscriptions.at(0).ordinal += 1;
  store_account(of_ann.account);
  expect_broken(Rule::periods, "period 4 is not billed");
}

TEST_F(Verify, FindsASubscriptionWithAnotherPeriodThanItsInvoice) {
  Invoice current = invoice_of_period(3);
  current.lines.at(0).period.end += std::chrono::days(1);
  store_record(current);
  expect_broken(Rule::periods, "as the subscription says");
}

TEST_F(Verify, FindsAnInvoiceOfNoSubscription) {
  Invoice strange = invoice_of_period(2);
  strange.subscription = SubscriptionId("sub_unknown");
  store_record(strange);
  expect_broken(Rule::periods, "of the subscription sub_unknown, which does not exist");
}

// Amounts, payments and numbers.

TEST_F(Verify, FindsLinesThatDoNotAddUp) {
  Invoice wrong = invoice_of_period(1);
  wrong.lines.at(0).amount.minor += 1;
  store_record(wrong);
  expect_broken(Rule::lines, "total 2000 usd; expected: 2001 usd");
}

TEST_F(Verify, FindsAPaidInvoiceWithoutACharge) {
  Invoice unpaid = invoice_of_period(1);
  unpaid.charges.at(0).state = ChargeState::declined;
  store_record(unpaid);
  const VerifyReport report = verified();
  EXPECT_EQ(report.of(Rule::payments).violations, 1U);
  EXPECT_THAT(to_text(report), HasSubstr("0 succeeded charges; expected: 1, for it is paid"));
  EXPECT_THAT(to_text(report), HasSubstr("the gateway charged; expected: a decline, as billd recorded"));
}

TEST_F(Verify, FindsAnUnpaidInvoiceThatWasCharged) {
  Invoice charged = invoice_of_period(1);
  charged.status = InvoiceStatus::uncollectible;
  charged.amount_paid.minor = 0;
  store_record(charged);
  expect_broken(Rule::payments, "1 succeeded charges; expected: 0, for it is not paid");
}

TEST_F(Verify, FindsAnInvoiceThatWasChargedTwice) {
  Invoice twice = invoice_of_period(1);
  twice.charges.push_back(twice.charges.at(0));
  store_record(twice);
  const VerifyReport report = verified();
  EXPECT_THAT(to_text(report), HasSubstr("2 succeeded charges"));
  EXPECT_THAT(to_text(report), HasSubstr("charged 2 times; expected: at most once"));
}

TEST_F(Verify, FindsAChargeOfAnotherAmount) {
  Invoice wrong = invoice_of_period(1);
  wrong.charges.at(0).amount.minor = 1;
  store_record(wrong);
  const VerifyReport report = verified();
  EXPECT_THAT(to_text(report), HasSubstr("1 usd; expected: 2000 usd"));
  EXPECT_EQ(report.of(Rule::payments).violations, 1U);
  EXPECT_EQ(report.of(Rule::ledger).violations, 1U);
}

TEST_F(Verify, FindsAGapInTheNumbersOfInvoices) {
  Invoice skipped = invoice_of_period(1);
  skipped.number = invoice_prefix(ann) + "-0009";
  store_record(skipped);
  expect_broken(Rule::numbers, "0 invoices with the number " + invoice_prefix(ann) + "-0002");
  EXPECT_EQ(verified().of(Rule::numbers).violations, 2U) << "one is missing, one is too many";
}

// Customers from another system.

class VerifyAdopted : public Verify {
 protected:
  void SetUp() override {
    Verify::SetUp();
    led = store::Alias{make_id<SubscriptionKind>(adopted, 2).value(), "sub_1MowQVLkdIwHu7ixeRlqHVzs"};
    aliases = {{make_id<CustomerKind>(adopted, 1).value(), "cus_NffrFeUfNV2Hib"}, led};
    ASSERT_TRUE(await(store().aliases().lead_to(Mode::test, adopted, aliases)));
  }

  void bring(std::vector<store::Alias> called) {
    ForeignAccount foreign;
    foreign.customer.id = make_id<CustomerKind>(adopted, 1);
    foreign.customer.created = day_one;
    foreign.customer.currency = Currency::of("usd");
    foreign.customer.balance = -300;
    foreign.invoices_numbered = 7;
    Subscription& subscription = foreign.subscriptions.emplace_back(of_ann.account.subscriptions.at(0));
    subscription.id = SubscriptionId(led.native);
    subscription.items[0].id = make_id<SubscriptionItemKind>(adopted, 3);
    subscription.default_source = {};
    Account nothing;
    nothing.key = adopted;
    auto brought = bring_along(nothing, foreign, day_one, Rules());
    ASSERT_TRUE(brought) << brought.error().detail;
    store::CommitRequest request;
    request.transition = std::move(*brought);
    request.now = day_one;
    request.aliases = store::encode_aliases(adopted, called);
    ASSERT_TRUE(await(store().commit(std::move(request))));
  }

  const AccountKey adopted = store::adopted_key(Mode::test, "cus_NffrFeUfNV2Hib");
  store::Alias led;
  std::vector<store::Alias> aliases;
};

TEST_F(VerifyAdopted, FindsNothingWrongInWhatAnotherSystemBilled) {
  bring(aliases);
  const VerifyReport report = verified();
  EXPECT_EQ(report.violations(), 0U) << to_text(report);
  EXPECT_EQ(report.aliases, 2U);
}

TEST_F(VerifyAdopted, FindsIdentifiersThatLeadToNobody) {
  expect_broken(Rule::aliases, led.foreign + " leads to " + adopted.value() + ", which does not know it");
}

TEST_F(VerifyAdopted, FindsIdentifiersThatDoNotLead) {
  bring(aliases);
  ask("HDEL", store().aliases().directory_of(Mode::test, led.foreign), led.foreign);
  expect_broken(Rule::aliases, led.foreign + " does not lead to the account");
}

TEST_F(VerifyAdopted, FindsNamesOfWhatWasNeverDrawn) {
  aliases[1].native = make_id<SubscriptionKind>(adopted, std::uint64_t{1} << 32).value();
  bring(aliases);
  expect_broken(Rule::aliases, "which was never drawn");
}

TEST_F(VerifyAdopted, FindsNamesOfAnAccountThatDoesNotExist) {
  bring(aliases);
  const AccountKey nobody = store::adopted_key(Mode::test, "cus_nobody");
  ask("HSET", store::aliases_key(prefix_of(nobody)), nobody.value(),
      store::encode_aliases(nobody, {{make_id<CustomerKind>(nobody, 1).value(), "cus_nobody"}}));
  expect_broken(Rule::aliases, "names of an account that does not exist");
}

// Records.

TEST_F(Verify, FindsAnObjectInTwoPlaces) {
  of_ann.account.invoices.push_back(invoice_of_period(1));
  store_account(of_ann.account);
  EXPECT_THAT(to_text(verified()), HasSubstr("both in the account and among its records"));
}

TEST_F(Verify, FindsARecordUnderAnotherName) {
  ask("HSET", records_key, store::record_field(ann, InvoiceId("in_other")),
      store::encode(ann, Record(invoice_of_period(1))));
  EXPECT_THAT(to_text(verified()), HasSubstr("stored under another object's name"));
}

TEST_F(Verify, FindsAChargeThatDoesNotLeadToItsInvoice) {
  ask("HDEL", records_key, store::charge_field(ann, invoice_of_period(1).charges.at(0).id));
  EXPECT_EQ(verified().of(Rule::records).violations, 1U);
  EXPECT_THAT(to_text(verified()), HasSubstr("billd knows nothing of")) << "nor does the gateway's booking";
}

TEST_F(Verify, FindsRecordsOfNobody) {
  ask("HSET", store::records_key(keys_prefix, account_in(store().partition_of(ann), 7)), "i", "x");
  expect_broken(Rule::records, "records of an account that does not exist");
}

TEST_F(Verify, FindsWhatCannotBeRead) {
  ask("SET", account_key, "\1noise");
  const VerifyReport report = verified();
  EXPECT_THAT(to_text(report), HasSubstr(account_key + ": a stored account cannot be read"));
  EXPECT_EQ(report.accounts, 2U);
}

TEST_F(Verify, FindsARecordThatCannotBeRead) {
  ask("HSET", records_key, store::record_field(ann, invoice_of_period(1).id), "\1noise");
  EXPECT_GT(verified().of(Rule::readable).violations, 0U);
}

TEST_F(Verify, FindsKeysOfAnotherType) {
  ask("DEL", records_key);
  ask("SET", records_key, "x");
  EXPECT_THAT(to_text(verified()), HasSubstr("WRONGTYPE"));
  ask("DEL", index(store::Index::charges));
  ask("SET", index(store::Index::charges), "x");
  EXPECT_THAT(to_text(verified()), HasSubstr("a sorted set"));
}

TEST_F(Verify, FindsAnAccountInThePartitionOfOthers) {
  const std::uint32_t other = (store().partition_of(ann) + 1) % store().partitions();
  ask("SET", store::account_key(store::prefix(Mode::test, other), ann), store::encode(of_ann.account));
  expect_broken(Rule::readable, "an account under a name that leads elsewhere");
}

// Queues and indexes.

TEST_F(Verify, MendsATimerThatIsMissing) {
  ask("ZREM", queue(Queue::renewal), ann.value());
  expect_mended(Rule::timers, "not there; expected: at ");
}

TEST_F(Verify, MendsATimerAtAnotherTime) {
  ask("ZADD", queue(Queue::renewal), 5, ann.value());
  expect_mended(Rule::timers, "at 5; expected: at ");
}

TEST_F(Verify, MendsATimerThatShouldNotBe) {
  ask("ZADD", queue(Queue::collection), 5, ann.value());
  expect_mended(Rule::timers, "at 5; expected: not there");
}

TEST_F(Verify, MendsTheTimerOfAnAccountOnATestClock) {
  const std::string clocks = store::clock_queue_key(prefix_of(bob), TestClockId("clock_one"));
  ask("ZREM", clocks, bob.value());
  expect_mended(Rule::timers, clocks);
  ask("ZADD", store::clock_queue_key(keys_prefix, TestClockId("clock_two")), 5, ann.value());
  expect_mended(Rule::timers, "clock_two");
  ask("ZADD", store::queue_key(prefix_of(bob), Queue::renewal), 5, bob.value());
  expect_mended(Rule::timers, "at 5; expected: not there");
}

TEST_F(Verify, MendsAQueueOfStrangers) {
  const AccountKey nobody = account_in(store().partition_of(ann), 7);
  ask("ZADD", queue(Queue::renewal), 5, nobody.value());
  expect_mended(Rule::timers, nobody.value() + " is of an account that does not exist");
  ask("ZADD", queue(Queue::renewal), 5, "no account at all");
  expect_mended(Rule::timers, "no account at all is of an account that does not exist");
}

TEST_F(Verify, MendsAParkedAccountInAQueue) {
  ASSERT_TRUE(await(store().park({Mode::test, ann, day_one, "why"}, {})));
  EXPECT_EQ(verified().violations(), 0U) << "a parked account waits nowhere";
  EXPECT_EQ(verified().parked, 1U);
  ask("ZADD", queue(Queue::renewal), 5, ann.value());
  expect_mended(Rule::parked, "at 5; expected: not there");
}

TEST_F(Verify, FindsAParkedAccountThatDoesNotExist) {
  ask("HSET", store::parked_key(keys_prefix), account_in(store().partition_of(ann), 7).value(), "5 why");
  expect_broken(Rule::parked, "parked, and does not exist");
}

TEST_F(Verify, MendsMissingEntriesOfEveryIndex) {
  CreateInvoiceItem item;
  item.unit_amount = Money{300, Currency::of("usd")};
  store::Loaded loaded = committed(std::move(of_ann), item);
  UpdateCustomer update;
  update.name = "Ann Lee";
  update.phone = "+49 30 1";
  update.organization = "Lee & Sons";
  update.address = Address{"Main Street 1", "Back door", "Berlin", "BE", "10115", "DE"};
  loaded = committed(std::move(loaded), update);
  AddSource elsewhere{store::visa(), false};
  elsewhere.source.gateway = "bank";
  elsewhere.source.reference = "account-7";
  loaded = committed(std::move(loaded), elsewhere);
  CreateSchedule schedule;
  schedule.from_subscription = loaded.account.subscriptions.at(0).id;
  loaded = committed(std::move(loaded), schedule);
  CreateCreditNote note;
  const Invoice paid = invoice_of_period(1);
  note.invoice = paid.id;
  note.recalled = paid;
  note.amount = 100;
  note.credit_amount = 60;
  note.refund_amount = 40;
  loaded = committed(std::move(loaded), note);
  std::set<store::Index> mended;
  for (const store::IndexEntry& entry : loaded.footprint.entries) {
    const std::string set = store::index_key(keys_prefix, entry.index, entry.qualifier);
    ASSERT_EQ(ask("DEL", set).integer(), 1) << set;
    expect_mended(Rule::indexes, set);
    mended.insert(entry.index);
  }
  for (const store::Index which : {store::Index::invoices, store::Index::charges, store::Index::credit_notes}) {
    ASSERT_EQ(ask("DEL", index(which)).integer(), 1) << to_text(which);
    expect_mended(Rule::indexes, index(which));
    mended.insert(which);
  }
  // Test clocks are below; numbers and account ids are those of the Management API.
  EXPECT_EQ(mended.size(), store::index_count - 3);
  const std::string clocks = store::index_key(prefix_of(bob), store::Index::test_clock_customers, "clock_one");
  ASSERT_EQ(ask("DEL", clocks).integer(), 1);
  expect_mended(Rule::indexes, clocks);
}

TEST_F(Verify, MendsAnEntryAtAnotherScore) {
  ask("ZADD", index(store::Index::customers), 5, store::encode_reference(ann, of_ann.account.customer.id));
  expect_mended(Rule::indexes, "at 5; expected: at ");
}

TEST_F(Verify, MendsStrangersInIndexes) {
  ask("ZADD", index(store::Index::invoices), 5, store::encode_reference(ann, InvoiceId("in_unknown")));
  expect_mended(Rule::indexes, "in_unknown should not be there");
  const AccountKey nobody = account_in(store().partition_of(ann), 7);
  const std::string emails = store::index_key(keys_prefix, store::Index::emails, "x@example.com");
  ask("ZADD", emails, 0, nobody.value());
  expect_mended(Rule::indexes, nobody.value() + " is of an account that does not exist");
  ask("ZADD", emails, 0, "no key");
  expect_mended(Rule::indexes, "no key");
}

TEST_F(Verify, DoesNotTouchAnAccountThatChanges) {
  // As a daemon is in the middle of its work: the version that is stored is not the one that was read.
  ask("ZREM", queue(Queue::renewal), ann.value());
  redis::Command command("FCALL", store::function_name("put_right"), 3, store::parked_key(keys_prefix), account_key,
                         queue(Queue::renewal), ann.value(), store::encode_version(of_ann.account.version + 1), "0",
                         "5", ann.value());
  auto refused = await(daemon().client.execute(std::move(command)));
  ASSERT_TRUE(refused) << refused.error().detail;
  EXPECT_EQ(refused->integer(), 2);
  EXPECT_TRUE(ask("ZSCORE", queue(Queue::renewal), ann.value()).is_nil());
}

// Events.

TEST_F(Verify, FindsAMissingEvent) {
  const std::string stream = store::events_key(keys_prefix);
  const redis::Reply entries = ask("XRANGE", stream, "-", "+");
  ask("XDEL", stream, entries.elements().at(3).elements().at(0).text());
  expect_broken(Rule::events, " comes next; expected: event ");
}

TEST_F(Verify, FindsAMissingLastEvent) {
  UpdateCustomer update;
  update.email = "new@example.com";
  committed(std::move(of_ann), update);
  const std::string stream = store::events_key(keys_prefix);
  const redis::Reply last = ask("XREVRANGE", stream, "+", "-", "COUNT", 1);
  ask("XDEL", stream, last.elements().at(0).elements().at(0).text());
  expect_broken(Rule::events, "the last event is ");
}

TEST_F(Verify, AcceptsThatOldEventsAreGone) {
  ask("XTRIM", store::events_key(keys_prefix), "MAXLEN", 3);
  EXPECT_EQ(verified().violations(), 0U) << to_text(verified());
}

TEST_F(Verify, FindsThatAllEventsAreGone) {
  ask("DEL", store::events_key(keys_prefix));
  expect_broken(Rule::events, "0 events; expected: ");
}

TEST_F(Verify, FindsEventsThatWereWrittenTwice) {
  const std::string stream = store::events_key(keys_prefix);
  const redis::Reply last = ask("XREVRANGE", stream, "+", "-", "COUNT", 1);
  ask("XADD", stream, "*", "e", last.elements().at(0).elements().at(1).elements().at(1).text());
  EXPECT_GT(verified().of(Rule::events).violations, 0U);
}

TEST_F(Verify, FindsEventsThatCannotBeRead) {
  ask("XADD", store::events_key(keys_prefix), "*", "e", "\1noise");
  expect_broken(Rule::readable, "a stored event cannot be read");
}

// The test gateway's ledger.

TEST_F(Verify, FindsABookingThatIsMissing) {
  const std::string charge = invoice_of_period(1).charges.at(0).id.value();
  ask("DEL", store().key_beside(Mode::test, ann, "g:" + charge));
  expect_broken(Rule::ledger, charge + ": the gateway booked nothing; expected: a success");
}

TEST_F(Verify, FindsABookingOfAnUnknownCharge) {
  gateways::TestGateway gateway(loop.get_executor(), store(), Milliseconds(0));
  const gateways::ChargeRequest request{Mode::test,
                                        ann,
                                        make_id<ChargeKind>(ann, 900).value(),
                                        "tok_visa",
                                        {700, Currency::of("usd")},
                                        day_one,
                                        InvoiceId("in_unknown"),
                                        {},
                                        {}};
  ASSERT_EQ(await(gateway.charge(request)).kind, ChargeOutcomeKind::succeeded);
  expect_broken(Rule::ledger, "the gateway charged what billd knows nothing of");
}

TEST_F(Verify, LeavesAChargeUnderWayAlone) {
  Loaded begun = committed(std::move(of_ann), store::subscribe_monthly(500));
  EXPECT_EQ(verified().violations(), 0U) << "the gateway has not heard of it yet";
  const Invoice& invoice = begun.account.invoices.at(0);
  const Charge& charge = invoice.charges.at(0);
  gateways::TestGateway gateway(loop.get_executor(), store(), Milliseconds(0));
  const gateways::ChargeRequest request{
      Mode::test, ann, charge.id.value(), charge.gateway_source, charge.amount, charge.created, invoice.id, {}, {}};
  ASSERT_EQ(await(gateway.charge(request)).kind, ChargeOutcomeKind::succeeded);
  EXPECT_EQ(verified().violations(), 0U) << "it is booked, and billd has not heard of it yet";
}

TEST_F(Verify, FindsABookingThatCannotBeRead) {
  ask("SET", store().key_beside(Mode::test, ann, "g:" + invoice_of_period(1).charges.at(0).id.value()), "noise");
  EXPECT_GT(verified().of(Rule::readable).violations, 0U);
}

// Idempotency.

TEST_F(Verify, FindsAnEffectThatIsUnderWayForTooLong) {
  const std::string key = store::answer_key(keys_prefix, "hash");
  const auto life = settings.idempotency_retention;
  ask("SET", key, "u\1sub_1", "PX", (life - std::chrono::minutes(30)).count());
  EXPECT_EQ(verified().violations(), 0U);
  ask("SET", key, "u\1sub_1", "PX", (life - std::chrono::hours(3)).count());
  expect_broken(Rule::idempotency, "under way for 180 minutes");
  ask("SET", key, "u\1sub_1");
  expect_broken(Rule::idempotency, "a mark that never expires");
  ask("SET", key,
      "a\1"
      "200{}",
      "PX", (life - std::chrono::hours(3)).count());
  EXPECT_EQ(verified().violations(), 0U) << "an answer is kept";
}

// The report.

TEST_F(Verify, ShowsSomeExamplesAndCountsAll) {
  const AccountKey nobody = account_in(store().partition_of(ann), 7);
  for (int number = 0; number < 30; ++number)
    ask("ZADD", index(store::Index::invoices), number,
        store::encode_reference(nobody, InvoiceId("in_" + std::to_string(number))));
  const VerifyReport report = verified();
  EXPECT_EQ(report.of(Rule::indexes).violations, 30U);
  EXPECT_EQ(report.of(Rule::indexes).examples.size(), 10U);
  EXPECT_THAT(to_text(report), HasSubstr("and 20 more"));
  EXPECT_THAT(to_json(report), HasSubstr(R"("indexes":{"rule":"The lists show every object once)"));
  EXPECT_THAT(to_json(report), HasSubstr(R"("expected":"not there")"));
  EXPECT_THAT(to_text(report), Not(HasSubstr("Nothing is wrong")));
}

TEST_F(Verify, TellsItsProgress) {
  VerifyOptions options;
  VerifyProgress last;
  options.progress = [&last](const VerifyProgress& progress) { last = progress; };
  ASSERT_TRUE(await(verify(store(), std::move(options))));
  EXPECT_EQ(last.keys_seen, last.keys_total);
  EXPECT_GT(last.keys_total, 10U);
}

}  // namespace
}  // namespace billd::commands
