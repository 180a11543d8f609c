// The path of every change of an account: commands, what time brings, idempotency keys, pauses, parking.
#include "jobs/executor.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/jobs/daemon.hpp"

namespace billd::jobs {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;
using testing::HasSubstr;
using Fault = FaultyGateway::Fault;

class ExecutorTest : public testing::Test {
 protected:
  ~ExecutorTest() override { daemon_.stop(); }

  RedisServer server_{};
  ManualClock clock_{start_of_test};
  Daemon daemon_{server_, clock_};
};

TEST_F(ExecutorTest, AnswersWithWhatBecameOfTheCharge) {
  const AccountKey key = daemon_.add_customer(1);
  const auto subscribed = daemon_.execute(key, Daemon::subscription());
  ASSERT_TRUE(subscribed) << subscribed.error().detail;
  EXPECT_THAT(subscribed->answer.body, HasSubstr("subscription/3 invoice 0/2"));  // active, and paid
  EXPECT_EQ(daemon_.successes(key), 1u);
  EXPECT_EQ(daemon_.accounts.statistics().charges_of(ChargeOutcomeKind::succeeded), 1u);
}

TEST_F(ExecutorTest, ChangesNothingWhenTheDecisionFails) {
  const AccountKey key = daemon_.add_customer(1);
  const Account before = daemon_.load(key);
  RemoveSource remove;
  remove.source = SourceId("card_none");
  EXPECT_EQ(daemon_.execute(key, remove).error().code, Errc::not_found);
  EXPECT_EQ(daemon_.load(key), before);
  EXPECT_EQ(daemon_.execute(AccountKey::from_bits(7, 7), remove).error().code, Errc::not_found);
}

TEST_F(ExecutorTest, CreatesACustomerOnce) {
  const AccountKey key = daemon_.add_customer(1);
  EXPECT_EQ(daemon_.execute(key, CreateCustomer()).error().code, Errc::already_exists);
}

TEST_F(ExecutorTest, RenewsAndChargesOncePerPeriod) {
  const AccountKey key = daemon_.add_subscriber(1);
  clock_.advance(days(1));
  const auto progress = daemon_.run_due(key);
  ASSERT_TRUE(progress) << progress.error().detail;
  EXPECT_EQ(progress->steps, 1u);
  EXPECT_EQ(daemon_.successes(key), 2u);
  EXPECT_EQ(daemon_.load(key).subscriptions[0].ordinal, 1);
  // A job that comes again finds nothing to do.
  const auto again = daemon_.run_due(key);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().detail, HasSubstr("nothing of it is due"));
  EXPECT_EQ(daemon_.successes(key), 2u);
}

TEST_F(ExecutorTest, WorksALongStopOffOnePeriodAtATimeInOrder) {
  const AccountKey key = daemon_.add_subscriber(1);
  clock_.advance(days(40));
  std::uint32_t steps = 0;
  for (;;) {
    const auto progress = daemon_.run_due(key);
    ASSERT_TRUE(progress) << progress.error().detail;
    steps += progress->steps;
    if (!progress->more) break;
  }
  EXPECT_EQ(steps, 40u);
  const auto paid = daemon_.paid_invoices(key);
  ASSERT_EQ(paid.size(), 41u);
  for (std::size_t i = 0; i < paid.size(); ++i) {
    EXPECT_EQ(paid[i].ordinal, static_cast<std::int64_t>(i));
    EXPECT_EQ(paid[i].lines[0].period.start, start_of_test + days(i));
    EXPECT_TRUE(paid[i].number.ends_with(std::to_string(i + 1)));
  }
  EXPECT_EQ(daemon_.successes(key), 41u);
}

TEST_F(ExecutorTest, RefusesAJobUnderAnOldEpoch) {
  const AccountKey key = daemon_.add_subscriber(1);
  clock_.advance(days(1));
  Job job;
  job.account = {Mode::test, key};
  job.fence = daemon_.take_partition(key);
  const std::uint32_t partition = daemon_.store.partition_of(key);
  const auto seen = run(daemon_.loop, daemon_.store.leases()).value()[partition];
  ASSERT_TRUE(run(daemon_.loop, daemon_.store.take_lease(partition, seen, "successor", "1")));
  const auto refused = run(daemon_.loop, daemon_.accounts.run_due(job));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::stale_epoch);
  EXPECT_EQ(daemon_.successes(key), 1u);
  EXPECT_EQ(daemon_.load(key).subscriptions[0].ordinal, 0);
}

TEST_F(ExecutorTest, BringsASettledInvoiceBackToPayIt) {
  const AccountKey key = daemon_.add_customer(1, "tok_chargeCustomerFail");
  ASSERT_TRUE(daemon_.execute(key, Daemon::subscription()));
  const InvoiceId id = daemon_.load(key).invoices.at(0).id;
  CancelSubscription cancel;
  cancel.subscription = daemon_.load(key).subscriptions.at(0).id;
  ASSERT_TRUE(daemon_.execute(key, cancel));  // closes the invoice
  ASSERT_TRUE(daemon_.load(key).invoices.empty());

  AddSource add;
  add.source = run(daemon_.loop, daemon_.gateway->describe_source(Mode::test, "tok_visa")).value();
  add.make_default = true;
  ASSERT_TRUE(daemon_.execute(key, add));
  PayInvoice pay;
  pay.invoice = id;
  const auto paid = daemon_.execute(key, pay);
  ASSERT_TRUE(paid) << paid.error().detail;
  EXPECT_THAT(paid->answer.body, HasSubstr("invoice 0/2"));
  EXPECT_EQ(daemon_.execute(key, pay).error().code, Errc::invalid_state);  // paid, and settled again
  pay.invoice = InvoiceId("in_none");
  EXPECT_EQ(daemon_.execute(key, pay).error().code, Errc::not_found);
  EXPECT_EQ(daemon_.successes(key), 1u);
}

TEST_F(ExecutorTest, TakesWhatADraftOutsideOfTheAccountHasNoMoreOutOfTheLists) {
  const AccountKey key = daemon_.add_customer(1);
  CreateInvoiceItem item;
  item.unit_amount = {700, Currency::of("usd")};
  ASSERT_TRUE(daemon_.execute(key, item));
  ASSERT_TRUE(daemon_.execute(key, item));
  CreateInvoice create;
  create.auto_advance = false;
  ASSERT_TRUE(daemon_.execute(key, create));
  ASSERT_TRUE(daemon_.load(key).invoices.empty()) << "it rests";
  auto listed = [&](store::Index index) {
    return run(daemon_.loop, daemon_.store.count(Mode::test, index, std::nullopt, std::nullopt)).value();
  };
  ASSERT_EQ(listed(store::Index::invoice_items), 2U);
  auto fields = run(daemon_.loop, daemon_.store.record_fields(Mode::test, key)).value();
  const auto records = run(daemon_.loop, daemon_.store.load_records(Mode::test, key, fields)).value();
  const auto draft = std::ranges::find_if(records, [](const auto& each) { return std::get_if<Invoice>(&each); });
  ASSERT_NE(draft, records.end());
  DeleteInvoiceItem remove;
  remove.invoice = std::get<Invoice>(*draft).id;
  remove.item = std::get<Invoice>(*draft).lines.at(0).invoice_item;
  ASSERT_TRUE(daemon_.execute(key, remove));
  EXPECT_EQ(listed(store::Index::invoice_items), 1U);
  EXPECT_EQ(listed(store::Index::invoices), 1U);
}

TEST_F(ExecutorTest, ResolvesConflictsOfWritersInOtherProcesses) {
  Daemon other(server_, clock_);
  const AccountKey key = daemon_.add_customer(1);
  int answered = 0;
  auto rename = [&](Daemon& daemon, int number) -> awaitable<> {
    UpdateCustomer update;
    update.metadata = Metadata{{"number", std::to_string(number)}};
    auto execution = Daemon::execution(key, update, {}, Mode::test);
    const auto executed = co_await daemon.accounts.execute(std::move(execution));
    EXPECT_TRUE(executed) << executed.error().detail;
    ++answered;
  };
  Tasks tasks(daemon_.loop.get_executor()), other_tasks(other.loop.get_executor());
  for (int i = 0; i < 50; ++i) {
    tasks.spawn("rename", rename(daemon_, i));
    other_tasks.spawn("rename", rename(other, 100 + i));
  }
  EXPECT_TRUE(run_until({&daemon_, &other}, [&] { return answered == 100; }));
  EXPECT_EQ(daemon_.load(key).events, 2u + 100u);
  other.stop();
}

TEST_F(ExecutorTest, RecordsAnOutcomeAlthoughAnotherProcessChangedTheAccountMeanwhile) {
  Daemon other(server_, clock_);
  const AccountKey key = daemon_.add_customer(1);
  daemon_.gateway->fault = Fault::swallow_request;
  std::optional<Result<api::Billing::Executed>> subscribed;
  auto subscribe = [&]() -> awaitable<> {
    auto execution = Daemon::execution(key, Daemon::subscription(), "key", Mode::test);
    subscribed = co_await daemon_.accounts.execute(std::move(execution));
  };
  daemon_.tasks.spawn("subscribe", subscribe());
  ASSERT_TRUE(run_until(daemon_.loop, [&] { return daemon_.gateway->held == 1; }));
  UpdateCustomer update;
  update.name = "Ann";
  ASSERT_TRUE(other.execute(key, update));
  daemon_.gateway->let_go();
  ASSERT_TRUE(run_until(daemon_.loop, [&] { return subscribed.has_value(); }));
  ASSERT_TRUE(*subscribed) << subscribed->error().detail;
  EXPECT_THAT((*subscribed)->answer.body, HasSubstr("subscription/3 invoice 0/2"));
  EXPECT_EQ(daemon_.accounts.statistics().conflicts, 1u);
  EXPECT_EQ(daemon_.load(key).customer.name, "Ann");
  EXPECT_EQ(daemon_.successes(key), 1u);
  other.stop();
}

// Idempotency keys.

TEST_F(ExecutorTest, AnswersARepeatedKeyWithTheSameBytesAndOneEffect) {
  const AccountKey key = daemon_.add_customer(1);
  std::vector<std::string> answers;
  int refused = 0, ended = 0;
  auto subscribe = [&]() -> awaitable<> {
    for (;;) {
      auto execution = Daemon::execution(key, Daemon::subscription(), "key", Mode::test);
      auto executed = co_await daemon_.accounts.execute(std::move(execution));
      if (executed) {
        answers.push_back(executed->answer.body);
        break;
      }
      EXPECT_EQ(executed.error().code, Errc::idempotency_in_progress);
      ++refused;
      co_await sleep_for(Milliseconds(1));
    }
    ++ended;
  };
  Tasks tasks(daemon_.loop.get_executor());
  for (int i = 0; i < 100; ++i) tasks.spawn("subscribe", subscribe());
  ASSERT_TRUE(run_until(daemon_.loop, [&] { return ended == 100; }));
  EXPECT_GT(refused, 0);
  EXPECT_THAT(answers, testing::Each(answers.front()));
  EXPECT_EQ(daemon_.load(key).subscriptions.size(), 1u);
  EXPECT_EQ(daemon_.successes(key), 1u);
}

TEST_F(ExecutorTest, SavesTheAnswerOfACommandThatChangesNothing) {
  const AccountKey key = daemon_.add_customer(1);
  const auto first = daemon_.execute(key, UpdateCustomer(), "key");
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->repeated);
  ASSERT_TRUE(daemon_.execute(key, Daemon::subscription()));
  const auto second = daemon_.execute(key, UpdateCustomer(), "key");
  ASSERT_TRUE(second);
  EXPECT_TRUE(second->repeated);
  EXPECT_EQ(second->answer, first->answer);
}

TEST_F(ExecutorTest, RepeatsTheCreationOfACustomerUnderItsKey) {
  const AccountKey key = AccountKey::from_bits(3, 4);
  const auto first = daemon_.execute(key, CreateCustomer(), "key");
  const auto second = daemon_.execute(key, CreateCustomer(), "key");
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(second->repeated);
  EXPECT_EQ(second->answer, first->answer);
}

TEST_F(ExecutorTest, SavesNoAnswerOfARefusal) {
  const AccountKey key = AccountKey::from_bits(3, 4);
  ASSERT_TRUE(daemon_.execute(key, CreateCustomer()));
  EXPECT_EQ(daemon_.execute(key, Daemon::subscription(), "key").error().code, Errc::no_payment_source);
  AddSource add;
  add.source = run(daemon_.loop, daemon_.gateway->describe_source(Mode::test, "tok_visa")).value();
  ASSERT_TRUE(daemon_.execute(key, add));
  EXPECT_TRUE(daemon_.execute(key, Daemon::subscription(), "key"));
}

TEST_F(ExecutorTest, AnswersWithACardThatWasDeclinedAndRepeatsThat) {
  const AccountKey key = daemon_.add_customer(1, "tok_chargeCustomerFail");
  Subscribe subscribe = Daemon::subscription();
  subscribe.payment_behavior = PaymentBehavior::error_if_incomplete;
  const auto first = daemon_.execute(key, subscribe, "key");
  ASSERT_TRUE(first);
  EXPECT_THAT(first->answer.body, HasSubstr("invoice 0/4"));  // void: the subscription never was
  const auto second = daemon_.execute(key, subscribe, "key");
  ASSERT_TRUE(second);
  EXPECT_EQ(second->answer, first->answer);
  EXPECT_TRUE(daemon_.load(key).subscriptions.empty());
}

TEST_F(ExecutorTest, AnswersThatAnOutcomeIsAwaitedAndKeepsToIt) {
  const AccountKey key = daemon_.add_customer(1);
  daemon_.gateway->fault = Fault::forget_answer;
  const auto first = daemon_.execute(key, Daemon::subscription(), "key");
  ASSERT_TRUE(first) << first.error().detail;
  EXPECT_THAT(first->answer.body, HasSubstr("unresolved"));
  daemon_.gateway->fault = Fault::none;
  clock_.advance(seconds(30));
  ASSERT_TRUE(daemon_.run_due(key));
  EXPECT_EQ(daemon_.load(key).subscriptions.at(0).status, SubscriptionStatus::active);
  EXPECT_EQ(daemon_.execute(key, Daemon::subscription(), "key")->answer, first->answer);
  EXPECT_EQ(daemon_.successes(key), 1u);
}

// Unknown outcomes.

TEST_F(ExecutorTest, AsksAgainUnderTheSameKeyUntilTheKeyMayBeForgotten) {
  const AccountKey key = daemon_.add_subscriber(1);
  daemon_.gateway->fault = Fault::forget_answer;
  clock_.advance(days(1));
  ASSERT_TRUE(daemon_.run_due(key));
  for (const int wait : {30, 30, 60}) {
    clock_.advance(seconds(wait));
    ASSERT_TRUE(daemon_.run_due(key));
  }
  EXPECT_EQ(daemon_.gateway->charges, 5);
  EXPECT_EQ(daemon_.gateway->look_ups, 0);
  clock_.advance(hours(12));
  ASSERT_TRUE(daemon_.run_due(key));
  EXPECT_EQ(daemon_.gateway->charges, 5);
  EXPECT_EQ(daemon_.gateway->look_ups, 1);
  EXPECT_EQ(daemon_.successes(key), 2u);
  EXPECT_EQ(daemon_.paid_invoices(key).size(), 2u);
}

TEST_F(ExecutorTest, ParksAChargeForAGatewayThatIsGone) {
  const AccountKey key = AccountKey::from_bits(5, 6);
  CreateCustomer create;
  create.source = run(daemon_.loop, daemon_.gateway->describe_source(Mode::test, "tok_visa")).value();
  create.source->gateway = "gone";
  ASSERT_TRUE(daemon_.execute(key, create));
  const auto subscribed = daemon_.execute(key, Daemon::subscription());
  ASSERT_TRUE(subscribed);
  EXPECT_THAT(subscribed->answer.body, HasSubstr("unresolved"));
  EXPECT_EQ(daemon_.load(key).invoices.at(0).charges.at(0).state, ChargeState::parked);
}

// Pauses.

TEST_F(ExecutorTest, MovesNoMoneyByAClockThatIsNotTrusted) {
  const AccountKey key = daemon_.add_subscriber(1);
  const Account before = daemon_.load(key);
  clock_.advance(days(1));
  clock_.set_distrust("the clock stepped");
  EXPECT_EQ(daemon_.run_due(key).error().code, Errc::unavailable);
  EXPECT_EQ(daemon_.execute(key, Daemon::subscription()).error().code, Errc::unavailable);
  EXPECT_EQ(daemon_.load(key), before);
  UpdateCustomer update;
  update.name = "Ann";
  EXPECT_TRUE(daemon_.execute(key, update));
  clock_.set_distrust({});
  EXPECT_TRUE(daemon_.run_due(key));
  EXPECT_EQ(daemon_.successes(key), 2u);
}

// Parking.

TEST_F(ExecutorTest, ParksAnAccountThatCannotBeRead) {
  const AccountKey key = daemon_.add_subscriber(1);
  redis::Command spoil("SETRANGE", daemon_.store.key_beside(Mode::test, key, "a:" + key.value()), 0, "?");
  ASSERT_TRUE(run(daemon_.loop, daemon_.client.execute(std::move(spoil))));
  clock_.advance(days(1));
  EXPECT_EQ(daemon_.run_due(key).error().code, Errc::corrupt);
  const auto parked = run(daemon_.loop, daemon_.store.parked(daemon_.store.partition_of(key))).value();
  ASSERT_EQ(parked.size(), 1u);
  EXPECT_EQ(parked[0].key, key);
  EXPECT_THAT(parked[0].reason, HasSubstr("stored data cannot be read"));
  const auto due = run(daemon_.loop, daemon_.store.due(daemon_.store.partition_of(key), clock_.now(), 10)).value();
  EXPECT_TRUE(due.due.empty());
  EXPECT_EQ(daemon_.accounts.statistics().parked, 1u);
}

}  // namespace
}  // namespace billd::jobs
