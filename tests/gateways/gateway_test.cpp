// Charges and refunds through processors behind real sockets, and everything that can go wrong with them: whatever
// happens, an invoice is charged at most once, and in the end it is known what became of it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/gateways/configured.hpp"
#include "net/gateways/stancer_gateway.hpp"
#include "net/gateways/stripe_gateway.hpp"
#include "tests/gateways/fake_processor.hpp"
#include "tests/jobs/daemon.hpp"

namespace billd::gateways {
namespace {

using jobs::Daemon;
using jobs::DaemonOptions;
using jobs::ManualClock;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;
using testing::HasSubstr;

std::string to_text(ProcessorKind kind) { return std::string(name_of(kind)); }

class Processors : public testing::TestWithParam<ProcessorKind> {
 protected:
  Processors()
      : server_(jobs::durable_redis()), clock_(jobs::start_of_test), daemon_(server_, clock_), fake_(daemon_.loop) {
    settings_.kind = GetParam();
    settings_.url = fake_.url();
    settings_.key = Secret(GetParam() == ProcessorKind::http ? fake_.secret : "sk_test_1");
    settings_.request_timeout = Milliseconds(400);
    settings_.requests_per_second_max = 10'000;
    settings_.breaker_failures = 1'000;
    connect();
  }
  ~Processors() override {
    fake_.stop();
    daemon_.stop();
  }

  void connect() {
    const HttpGateway::WallClock now = [this] { return clock_.now(); };
    GatewaySettings settings;
    settings.processors["acme"] = settings_;
    Gateways configured;
    add_configured(daemon_.gateways, daemon_.loop.get_executor(), daemon_.store, settings, now);
  }

  /// A customer who pays through the processor, with a daily subscription of 20 dollars whose first period is paid.
  AccountKey subscriber(std::uint64_t number = 1) {
    const AccountKey key = AccountKey::from_bits(fnv1a(std::to_string(number)), number);
    CreateCustomer create;
    create.source.emplace();
    create.source->gateway = "acme";
    create.source->reference =
        GetParam() == ProcessorKind::stancer ? reference_ : "cus_remote" + std::to_string(number);
    EXPECT_TRUE(daemon_.execute(key, create));
    const auto subscribed = daemon_.execute(key, Daemon::subscription());
    EXPECT_TRUE(subscribed) << subscribed.error().detail;
    return key;
  }

  /// Lets the renewal's charge meet the fault for a while, and then lets everything heal.
  void renew_under(const AccountKey& key, Fault fault, int questions) {
    fake_.fault = fault;
    clock_.advance(days(1));
    EXPECT_TRUE(daemon_.run_due(key));
    for (int i = 0; i < questions && is_awaited(key); ++i) ask_again(key);
    fake_.fault = Fault::none;
  }
  void ask_again(const AccountKey& key) {
    const Account account = daemon_.load(key);
    const auto due = next_due(timers(account));
    ASSERT_TRUE(due.has_value());
    clock_.set(std::max(clock_.now(), *due));
    ASSERT_TRUE(daemon_.run_due(key));
  }
  bool is_awaited(const AccountKey& key) {
    const Account account = daemon_.load(key);
    return !account.invoices.empty() && account.invoices[0].unresolved_charge() != nullptr;
  }
  const Charge& charge(const Account& account) { return account.invoices.at(0).charges.back(); }

  /// The charges of the renewal's invoice which moved money.
  std::size_t moved(const AccountKey& key, std::size_t paid_before) {
    std::size_t moved = 0;
    for (const Booked& booked : fake_.charges())
      if (booked.status != "declined" && AccountKey::of_id(booked.key) == key) ++moved;
    return moved - paid_before;
  }

  std::string reference_ = "card_remote";
  RedisServer server_;
  ManualClock clock_;
  Daemon daemon_;
  FakeProcessor fake_;
  ProcessorSettings settings_;
};

INSTANTIATE_TEST_SUITE_P(Kinds, Processors,
                         testing::Values(ProcessorKind::stripe, ProcessorKind::stancer, ProcessorKind::http),
                         [](const auto& kind) { return to_text(kind.param); });

TEST_P(Processors, ChargeAndTellWhenASourceWasUsedLast) {
  const AccountKey key = subscriber();
  clock_.advance(days(1));
  ASSERT_TRUE(daemon_.run_due(key));
  ASSERT_EQ(fake_.charges().size(), 2u);
  EXPECT_EQ(fake_.charges()[1].amount, 2000);
  EXPECT_EQ(fake_.charges()[1].currency, "usd");
  const auto paid = daemon_.paid_invoices(key);
  ASSERT_EQ(paid.size(), 2u);
  EXPECT_EQ(paid[1].charges[0].gateway_reference, fake_.charges()[1].id);
  EXPECT_EQ(paid[1].charges[0].id.value(), fake_.charges()[1].key);
  EXPECT_EQ(daemon_.load(key).sources[0].last_used, clock_.now());
  EXPECT_EQ(daemon_.accounts.statistics().gateways.at("acme").outcomes[0], 2u);
  EXPECT_EQ(fake_.unsigned_requests, 0);
}

TEST_P(Processors, DeclineInWordsThatAreUnderstood) {
  const AccountKey key = subscriber();
  fake_.verdict = "declined";
  clock_.advance(days(1));
  ASSERT_TRUE(daemon_.run_due(key));
  const Account account = daemon_.load(key);
  EXPECT_EQ(charge(account).state, ChargeState::declined);
  EXPECT_EQ(charge(account).decline_code, "insufficient_funds");
  EXPECT_EQ(account.subscriptions[0].status, SubscriptionStatus::past_due);
}

TEST_P(Processors, ChargeOnceWhateverGoesWrongWithTheFirstAnswers) {
  for (const Fault fault : {Fault::lost, Fault::answer_lost, Fault::cut, Fault::conflict, Fault::throttled,
                            Fault::unavailable, Fault::garbage, Fault::error_stored_charged}) {
    SCOPED_TRACE(static_cast<int>(fault));
    const AccountKey key = subscriber(100 + static_cast<std::uint64_t>(fault));
    renew_under(key, fault, 2);
    EXPECT_LE(moved(key, 1), 1u);
    for (int i = 0; i < 4 && daemon_.paid_invoices(key).size() < 2; ++i) ask_again(key);
    EXPECT_EQ(moved(key, 1), 1u);
    const auto paid = daemon_.paid_invoices(key);
    ASSERT_EQ(paid.size(), 2u);
    EXPECT_EQ(paid[1].charges.size(), 1u) << "it was never tried under another key";
  }
}

TEST_P(Processors, AreAskedUntilAStoredErrorsKeyIsForgottenAndThenTheScheduleGoesOn) {
  const AccountKey key = subscriber();
  renew_under(key, Fault::error_stored, 1);
  const Timestamp begun = charge(daemon_.load(key)).created;
  while (clock_.now() < begun + hours(12)) ask_again(key);
  const Account account = daemon_.load(key);
  EXPECT_EQ(charge(account).state, ChargeState::declined) << "what is not there was never charged";
  EXPECT_EQ(charge(account).decline_code, "processing_error");
  EXPECT_EQ(moved(key, 1), 0u);
  ask_again(key);  // the schedule's next attempt, three days later
  EXPECT_EQ(moved(key, 1), 1u);
  EXPECT_EQ(daemon_.paid_invoices(key).size(), 2u);
}

TEST_P(Processors, ThatChargedSomethingElseAreLeftToAnOperator) {
  for (const Fault fault : {Fault::wrong_amount, Fault::wrong_currency}) {
    const AccountKey key = subscriber(200 + static_cast<std::uint64_t>(fault));
    renew_under(key, fault, 0);
    const Account account = daemon_.load(key);
    EXPECT_EQ(charge(account).state, ChargeState::parked);
    EXPECT_EQ(moved(key, 1), 1u);
    clock_.advance(days(10));
    daemon_.run_due(key);
    EXPECT_EQ(moved(key, 1) - daemon_.paid_invoices(key).size() + 1, 1u) << "that invoice is never charged again";
  }
}

TEST_P(Processors, ThatAreDownForThreeDaysLoseNothingAndMakeNobodyPastDue) {
  const AccountKey key = subscriber();
  fake_.fault = Fault::unavailable;
  clock_.advance(days(1));
  ASSERT_TRUE(daemon_.run_due(key));
  const Timestamp until = clock_.now() + days(3);
  int questions = 0;
  while (clock_.now() < until) {
    ask_again(key);
    ++questions;
    EXPECT_EQ(daemon_.load(key).subscriptions[0].status, SubscriptionStatus::active);
  }
  EXPECT_LT(questions, 3 * (7 + 3 * 24) + 10) << "more and more rarely";
  fake_.fault = Fault::none;
  for (int i = 0; i < 20; ++i) ask_again(key);
  std::set<std::string> keys;
  for (const Booked& booked : fake_.charges()) EXPECT_TRUE(keys.insert(booked.key).second);
  EXPECT_GE(daemon_.paid_invoices(key).size(), 4u);
}

TEST_P(Processors, AreLookedUpWhenTheKeysLifeIsOver) {
  const AccountKey key = subscriber();
  renew_under(key, Fault::answer_lost, 0);
  const int posts = fake_.posts;
  clock_.advance(hours(13));
  const std::size_t booked = fake_.charges().size();
  ASSERT_TRUE(daemon_.run_due(key));
  EXPECT_EQ(fake_.charges().size(), booked);
  if (GetParam() != ProcessorKind::http) EXPECT_EQ(fake_.posts, posts) << "it is not sent again";
  EXPECT_EQ(daemon_.paid_invoices(key).size(), 2u);
}

TEST_P(Processors, SettleDebitsWhenTheyAreAsked) {
  reference_ = "sepa_remote";
  const AccountKey key = subscriber();
  fake_.verdict = "pending";
  clock_.advance(days(1));
  ASSERT_TRUE(daemon_.run_due(key));
  EXPECT_EQ(charge(daemon_.load(key)).state, ChargeState::pending);
  const int posts = fake_.posts;
  ask_again(key);
  EXPECT_EQ(charge(daemon_.load(key)).state, ChargeState::pending);
  EXPECT_EQ(fake_.charges().size(), 2u);
  fake_.ledger.back().status = "succeeded";
  ask_again(key);
  EXPECT_EQ(daemon_.paid_invoices(key).size(), 2u);
  EXPECT_EQ(fake_.charges().size(), 2u);
  if (GetParam() != ProcessorKind::http) EXPECT_EQ(fake_.posts, posts);
}

TEST_P(Processors, GiveMoneyBackOnce) {
  const AccountKey key = subscriber();
  const Invoice paid = daemon_.paid_invoices(key).at(0);
  RefundCharge refund;
  refund.invoice = paid.id;
  refund.charge = paid.charges[0].id;
  refund.amount = 500;
  ASSERT_TRUE(daemon_.execute(key, refund));
  ASSERT_EQ(fake_.refunds(), 1u);
  EXPECT_EQ(fake_.ledger.back().amount, 500);
  EXPECT_EQ(fake_.ledger.back().refund_of, fake_.charges()[0].id);
  const Invoice after = daemon_.paid_invoices(key).at(0);
  const RefundState expected = GetParam() == ProcessorKind::stancer ? RefundState::pending : RefundState::succeeded;
  EXPECT_EQ(after.charges[0].refunds.at(0).state, expected);
  EXPECT_EQ(after.charges[0].refunds.at(0).gateway_reference, fake_.ledger.back().id);
}

TEST_P(Processors, GiveMoneyBackOnceAlthoughTheAnswerWasLost) {
  const AccountKey key = subscriber();
  const Invoice paid = daemon_.paid_invoices(key).at(0);
  RefundCharge refund;
  refund.invoice = paid.id;
  refund.charge = paid.charges[0].id;
  fake_.fault = Fault::answer_lost;
  ASSERT_TRUE(daemon_.execute(key, refund));
  fake_.fault = Fault::none;
  clock_.advance(seconds(30));
  ASSERT_TRUE(daemon_.run_due(key));
  EXPECT_EQ(fake_.refunds(), 1u);
  if (GetParam() == ProcessorKind::stancer) {
    EXPECT_EQ(daemon_.load(key).invoices.at(0).charges[0].refunds[0].state, RefundState::parked)
        << "what has no key is never sent twice";
  } else {
    EXPECT_EQ(daemon_.paid_invoices(key).at(0).charges[0].refunds[0].state, RefundState::succeeded);
  }
}

TEST_P(Processors, AreNotSentWhatIsOfTheOtherMode) {
  settings_.mode = Mode::live;
  connect();
  const AccountKey key = AccountKey::from_bits(5, 5);
  CreateCustomer create;
  create.source.emplace();
  create.source->gateway = "acme";
  create.source->reference = GetParam() == ProcessorKind::stancer ? "card_remote" : "cus_remote";
  ASSERT_TRUE(daemon_.execute(key, create));
  ASSERT_TRUE(daemon_.execute(key, Daemon::subscription()));
  EXPECT_EQ(fake_.posts, 0);
  EXPECT_EQ(charge(daemon_.load(key)).state, ChargeState::parked);
}

TEST_P(Processors, AreNotAskedMoreAtOnceThanTheyBear) {
  settings_.concurrency_max = 3;
  settings_.request_timeout = seconds(10);
  fake_.latency = Milliseconds(5);
  connect();
  const AccountKey key = AccountKey::from_bits(1, 2);
  std::size_t answered = 0;
  auto send = [&](int number) -> awaitable<> {
    ChargeRequest request;
    request.account = key;
    request.idempotency_key = "ch_" + std::to_string(number);
    request.source = GetParam() == ProcessorKind::stancer ? "card_remote" : "cus_remote";
    request.amount = {100, Currency::of("usd")};
    const ChargeOutcome outcome = co_await daemon_.gateways.find("acme")->charge(std::move(request));
    EXPECT_EQ(outcome.kind, ChargeOutcomeKind::succeeded);
    ++answered;
  };
  for (int i = 0; i < 30; ++i) daemon_.tasks.spawn("charge", send(i));
  ASSERT_TRUE(run_until(daemon_.loop, [&] { return answered == 30; }));
  EXPECT_EQ(fake_.at_once_most, 3);
}

TEST_P(Processors, AreLeftAloneForAWhileWhenTheyDoNotAnswer) {
  settings_.breaker_failures = 3;
  settings_.breaker_pause = seconds(60);
  connect();
  const AccountKey key = subscriber();
  fake_.fault = Fault::unavailable;
  clock_.advance(days(1));
  ASSERT_TRUE(daemon_.run_due(key));
  for (int i = 0; i < 5; ++i) ask_again(key);
  const int asked = fake_.posts + fake_.gets;
  for (int i = 0; i < 3; ++i) ask_again(key);
  EXPECT_EQ(fake_.posts + fake_.gets, asked);
  EXPECT_TRUE(daemon_.gateways.find("acme")->peer()->is_paused);
  EXPECT_THAT(daemon_.gateways.find("acme")->peer()->problem, HasSubstr("503"));
}

TEST_P(Processors, AreNotAskedMoreInASecondThanTheirBudgetAllows) {
  settings_.requests_per_second_max = 20;
  settings_.request_timeout = seconds(5);
  connect();
  std::size_t answered = 0;
  auto send = [&](int number) -> awaitable<> {
    ChargeRequest request;
    request.account = AccountKey::from_bits(1, 2);
    request.idempotency_key = "ch_" + std::to_string(number);
    request.source = GetParam() == ProcessorKind::stancer ? "card_remote" : "cus_remote";
    request.amount = {100, Currency::of("usd")};
    co_await daemon_.gateways.find("acme")->charge(std::move(request));
    ++answered;
  };
  const auto begun = SteadyClock::now();
  for (int i = 0; i < 11; ++i) daemon_.tasks.spawn("charge", send(i));
  ASSERT_TRUE(run_until(daemon_.loop, [&] { return answered == 11; }));
  EXPECT_GE(SteadyClock::now() - begun, Milliseconds(490));
}

TEST(TestGatewaysRefunds, GoBackOnceAndOnlyOfWhatWasCharged) {
  RedisServer server;
  ManualClock clock(jobs::start_of_test);
  Daemon daemon(server, clock);
  const AccountKey key = daemon.add_subscriber(1);
  const Invoice paid = daemon.paid_invoices(key).at(0);
  RefundCharge refund;
  refund.invoice = paid.id;
  refund.charge = paid.charges[0].id;
  daemon.gateway->fault = jobs::FaultyGateway::Fault::forget_answer;
  ASSERT_TRUE(daemon.execute(key, refund));
  daemon.gateway->fault = jobs::FaultyGateway::Fault::none;
  clock.advance(seconds(30));
  ASSERT_TRUE(daemon.run_due(key));
  EXPECT_EQ(daemon.gateway->refunds, 2);
  std::size_t booked = 0;
  for (const LedgerEntry& entry : daemon.ledger()) booked += entry.is_refund() ? 1 : 0;
  EXPECT_EQ(booked, 1u);
  EXPECT_EQ(daemon.paid_invoices(key).at(0).charges[0].refunds[0].state, RefundState::succeeded);

  RefundRequest of_nothing;
  of_nothing.account = key;
  of_nothing.idempotency_key = "re_unknown";
  of_nothing.charge = "ch_unknown";
  of_nothing.amount = {1, Currency::of("usd")};
  EXPECT_EQ(run(daemon.loop, daemon.gateway->refund(of_nothing)).kind, RefundOutcomeKind::failed);
  daemon.stop();
}

}  // namespace
}  // namespace billd::gateways
