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

TEST_P(Processors, AreAskedUntilAStoredErrorsKeyIsForgottenAndThenAnotherChargeIsMadeAtNoCostOfAnAttempt) {
  const AccountKey key = subscriber();
  renew_under(key, Fault::error_stored, 1);
  const Timestamp begun = charge(daemon_.load(key)).created;
  while (clock_.now() < begun + hours(12)) {
    EXPECT_EQ(moved(key, 1), 0u);
    ask_again(key);
  }
  const auto paid = daemon_.paid_invoices(key);
  ASSERT_EQ(paid.size(), 2u);
  ASSERT_EQ(paid[1].charges.size(), 2u);
  EXPECT_EQ(paid[1].charges[0].state, ChargeState::absent) << "what is not there was never charged";
  EXPECT_EQ(paid[1].charges[1].state, ChargeState::succeeded);
  EXPECT_EQ(paid[1].attempt_count, 1) << "the schedule has not begun";
  EXPECT_EQ(moved(key, 1), 1u);
}

/// Every fault there is, each against what must hold whatever happens: I1 at most one charge under a key that moved
/// money, and one that succeeded for an invoice; I2 the period billed once; I5 billd's books are the processor's; I9
/// when the faults are over, nothing stays unknown but what is for an operator. And no attempt is spent on them.
TEST_P(Processors, KeepTheInvariantsUnderEveryFault) {
  struct Case {
    Fault fault;
    int questions;      ///< while it lasts
    bool is_left_open;  ///< to an operator
  };
  const Case cases[] = {
      {Fault::none, 0, false},         {Fault::lost, 1, false},         {Fault::answer_lost, 1, false},
      {Fault::cut, 1, false},          {Fault::conflict, 3, false},     {Fault::throttled, 3, false},
      {Fault::unavailable, 20, false}, {Fault::error_stored, 2, false}, {Fault::error_stored_charged, 2, false},
      {Fault::garbage, 2, false},      {Fault::wrong_amount, 0, true},  {Fault::wrong_currency, 0, true},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(static_cast<int>(each.fault));
    const AccountKey key = subscriber(300 + static_cast<std::uint64_t>(each.fault));
    renew_under(key, each.fault, each.questions);
    for (int i = 0; i < 30 && is_awaited(key) && charge(daemon_.load(key)).state != ChargeState::parked; ++i)
      ask_again(key);

    std::map<std::string, int> moved_under;
    for (const Booked& booked : fake_.charges())
      if (AccountKey::of_id(booked.key) == key && booked.status != "declined") ++moved_under[booked.key];
    for (const auto& [charge_key, times] : moved_under) EXPECT_EQ(times, 1) << charge_key;
    const Account account = daemon_.load(key);
    EXPECT_EQ(is_awaited(key), each.is_left_open);
    std::set<std::int64_t> periods;
    std::size_t succeeded = 0;
    for (const Invoice& invoice : daemon_.paid_invoices(key)) {
      EXPECT_TRUE(periods.insert(invoice.ordinal).second);
      EXPECT_EQ(invoice.attempt_count, 1);
      for (const Charge& made : invoice.charges)
        if (made.state == ChargeState::succeeded) {
          ++succeeded;
          EXPECT_TRUE(moved_under.contains(made.id.value())) << "billd's books say what the processor's do not";
        }
    }
    EXPECT_EQ(succeeded, daemon_.paid_invoices(key).size());
    if (!each.is_left_open) EXPECT_EQ(moved_under.size(), succeeded) << "money moved that billd does not know of";
    EXPECT_GE(periods.size(), each.is_left_open ? 1u : 2u);
    EXPECT_EQ(account.subscriptions.at(0).status, SubscriptionStatus::active) << "nobody is past due for it";
  }
}

TEST_P(Processors, GiveMoneyBackOnceUnderEveryFault) {
  for (const Fault fault : {Fault::none, Fault::lost, Fault::answer_lost, Fault::cut, Fault::conflict, Fault::throttled,
                            Fault::unavailable, Fault::error_stored, Fault::error_stored_charged, Fault::garbage}) {
    SCOPED_TRACE(static_cast<int>(fault));
    const AccountKey key = subscriber(400 + static_cast<std::uint64_t>(fault));
    const Invoice paid = daemon_.paid_invoices(key).at(0);
    const std::size_t before = fake_.refunds();
    RefundCharge refund;
    refund.invoice = paid.id;
    refund.charge = paid.charges[0].id;
    fake_.fault = fault;
    ASSERT_TRUE(daemon_.execute(key, refund));
    fake_.fault = Fault::none;
    const auto made = [&]() -> Refund {
      const Account account = daemon_.load(key);
      for (const Invoice& invoice : account.invoices)
        if (invoice.id == paid.id) return invoice.charges.at(0).refunds.at(0);
      return daemon_.paid_invoices(key).at(0).charges.at(0).refunds.at(0);
    };
    for (int i = 0; i < 30 && made().state == RefundState::sending; ++i) ask_again(key);
    EXPECT_LE(fake_.refunds() - before, 1u);
    const RefundState state = made().state;
    EXPECT_NE(state, RefundState::sending) << "what became of it is known in the end, or is for an operator";
    const bool is_given_back = fake_.refunds() > before;
    if (state == RefundState::succeeded || state == RefundState::pending) EXPECT_TRUE(is_given_back);
    if (state == RefundState::failed) EXPECT_FALSE(is_given_back);
    if (GetParam() != ProcessorKind::stancer) EXPECT_NE(state, RefundState::parked);
  }
}

TEST_P(Processors, AreAskedAfterPendingRefundsUntilTheseEnd) {
  const AccountKey key = subscriber();
  const Invoice paid = daemon_.paid_invoices(key).at(0);
  RefundCharge refund;
  refund.invoice = paid.id;
  refund.charge = paid.charges[0].id;
  fake_.refund_verdict = "pending";
  ASSERT_TRUE(daemon_.execute(key, refund));
  const auto state = [&] { return daemon_.load(key).invoices.at(0).charges.at(0).refunds.at(0).state; };
  EXPECT_EQ(state(), RefundState::pending);
  ask_again(key);
  EXPECT_EQ(state(), RefundState::pending);
  fake_.ledger.back().status = GetParam() == ProcessorKind::stancer ? "refunded" : "succeeded";
  ask_again(key);
  EXPECT_EQ(fake_.refunds(), 1u);
  EXPECT_EQ(daemon_.paid_invoices(key).at(0).charges[0].refunds[0].state, RefundState::succeeded);
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
  for (const Invoice& invoice : daemon_.paid_invoices(key))
    EXPECT_EQ(invoice.attempt_count, 1) << "the schedule of retries is for declines";
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
  // The account holds what it waits for.
  const bool is_pending = GetParam() == ProcessorKind::stancer;
  const Invoice after = is_pending ? daemon_.load(key).invoices.at(0) : daemon_.paid_invoices(key).at(0);
  const RefundState expected = is_pending ? RefundState::pending : RefundState::succeeded;
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

TEST_P(Processors, ThatHaveTooMuchToDoHoldNothingUpAndSpendNoAttempt) {
  settings_.requests_per_second_max = 2;
  settings_.concurrency_max = 1;
  settings_.waiting_max = 3;
  settings_.request_timeout = seconds(5);
  connect();
  std::vector<AccountKey> keys;
  for (std::uint64_t number = 1; number <= 3; ++number) keys.push_back(subscriber(number));
  const AccountKey other = AccountKey::from_bits(99, 99);
  CreateCustomer create;
  create.source.emplace();
  create.source->gateway = "test";
  create.source->reference = "tok_visa";
  ASSERT_TRUE(daemon_.execute(other, create));
  ASSERT_TRUE(daemon_.execute(other, Daemon::subscription()));
  clock_.advance(days(1));
  // Thirty that pay through the busy processor come at once, and one that does not.
  std::size_t put_off = 0, sent = 0;
  auto send = [&](int number) -> awaitable<> {
    ChargeRequest request;
    request.account = keys[0];
    request.idempotency_key = "ch_" + std::to_string(number);
    request.source = GetParam() == ProcessorKind::stancer ? "card_remote" : "cus_remote";
    request.amount = {100, Currency::of("usd")};
    const ChargeOutcome outcome = co_await daemon_.gateways.find("acme")->charge(std::move(request));
    ++(outcome.kind == ChargeOutcomeKind::unknown ? put_off : sent);
  };
  for (int i = 0; i < 30; ++i) daemon_.tasks.spawn("charge", send(i));
  ASSERT_TRUE(run_until(daemon_.loop, [&] { return put_off == 26; })) << "they make room at once";
  EXPECT_EQ(sent, 0u);
  ASSERT_TRUE(daemon_.run_due(other));
  EXPECT_EQ(daemon_.paid_invoices(other).size(), 2u) << "other gateways go on";
  // The places that became free meanwhile are taken again.
  const std::size_t put_off_before = put_off;
  for (int i = 30; i < 36; ++i) daemon_.tasks.spawn("charge", send(i));
  ASSERT_TRUE(run_until(daemon_.loop, [&] { return put_off > put_off_before; }));
  // A renewal that finds no room is put off, and is neither declined nor lost.
  ASSERT_TRUE(daemon_.run_due(keys[1]));
  const Account waiting = daemon_.load(keys[1]);
  EXPECT_EQ(charge(waiting).state, ChargeState::sending);
  EXPECT_EQ(waiting.invoices.at(0).attempt_count, 1);
  EXPECT_EQ(waiting.subscriptions.at(0).status, SubscriptionStatus::active);
  EXPECT_GE(daemon_.gateways.find("acme")->peer()->put_off, 28u);
  ASSERT_TRUE(run_until(daemon_.loop, [&] { return sent + put_off == 36; }));
  ask_again(keys[1]);
  EXPECT_EQ(daemon_.paid_invoices(keys[1]).size(), 2u);
  EXPECT_EQ(daemon_.paid_invoices(keys[1]).at(1).charges.size(), 1u);
}

TEST(StripeSources, AreChargedByWhatTheirReferenceNames) {
  RedisServer server;
  ManualClock clock(jobs::start_of_test);
  Daemon daemon(server, clock);
  FakeProcessor fake(daemon.loop);
  ProcessorSettings settings;
  settings.kind = ProcessorKind::stripe;
  settings.url = fake.url();
  settings.key = Secret("sk_test_1");
  StripeGateway gateway(daemon.loop.get_executor(), "acme", settings);
  struct Case {
    std::string reference;
    std::string path, form;  ///< what is asked for; empty: nothing
    std::string decline_code;
  };
  const Case cases[] = {
      {"cus_1", "/v1/charges", "amount=700&currency=usd&customer=cus_1&metadata", ""},
      {"cus_1/card_2", "/v1/charges", "amount=700&currency=usd&customer=cus_1&source=card_2&metadata", ""},
      {"cus_1/pm_2", "/v1/payment_intents",
       "amount=700&currency=usd&customer=cus_1&payment_method=pm_2&confirm=true&off_session=true", ""},
      {"src_3", "/v1/charges", "amount=700&currency=usd&source=src_3&metadata", ""},
      {"card_3", "/v1/charges", "amount=700&currency=usd&source=card_3&metadata", ""},
      {"pm_3", "/v1/payment_intents", "amount=700&currency=usd&payment_method=pm_3&confirm=true", ""},
      {"", "", "", "invalid_account"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.reference);
    fake.latest_target.clear();
    ChargeRequest request;
    request.account = AccountKey::from_bits(1, 2);
    request.idempotency_key = "ch_" + each.reference;
    request.source = each.reference;
    request.amount = {700, Currency::of("usd")};
    const ChargeOutcome outcome = run(daemon.loop, gateway.charge(request));
    EXPECT_EQ(outcome.kind, each.path.empty() ? ChargeOutcomeKind::declined : ChargeOutcomeKind::succeeded);
    EXPECT_EQ(outcome.decline_code, each.decline_code);
    EXPECT_EQ(fake.latest_target, each.path);
    if (each.path.empty()) continue;
    EXPECT_TRUE(fake.latest_body.starts_with(each.form)) << fake.latest_body;
    // It is found again by its mark, without a reference of Stripe's.
    EXPECT_EQ(run(daemon.loop, gateway.look_up(request)).kind, ChargeOutcomeKind::succeeded);
    request.idempotency_key = "ch_never_sent";
    EXPECT_EQ(run(daemon.loop, gateway.look_up(request)).kind, ChargeOutcomeKind::absent);
  }
  fake.stop();
  daemon.stop();
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
