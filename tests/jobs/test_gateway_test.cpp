// The test gateway: its cards, and a ledger that charges once.
#include "net/gateways/test_gateway.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/jobs/daemon.hpp"

namespace billd::jobs {
namespace {

using gateways::ChargeRequest;
using testing::HasSubstr;
using testing::Not;

class TestGatewayTest : public testing::Test {
 protected:
  ~TestGatewayTest() override { daemon_.stop(); }

  Result<NewSource> describe(std::string token, Mode mode = Mode::test) {
    return run(daemon_.loop, daemon_.gateway->describe_source(mode, std::move(token)));
  }

  static ChargeRequest request(std::string key, std::string source = "tok_visa", std::int64_t minor = 2000) {
    ChargeRequest request;
    request.account = AccountKey::from_bits(1, 2);
    request.idempotency_key = std::move(key);
    request.source = std::move(source);
    request.amount = {minor, Currency::of("usd")};
    request.created = start_of_test;
    request.invoice = InvoiceId("in_1");
    return request;
  }
  ChargeOutcome charge(ChargeRequest of) { return run(daemon_.loop, daemon_.gateway->charge(std::move(of))); }
  ChargeOutcome look_up(ChargeRequest of) { return run(daemon_.loop, daemon_.gateway->look_up(std::move(of))); }

  RedisServer server_{};
  ManualClock clock_{start_of_test};
  Daemon daemon_{server_, clock_};
};

CardSummary card_of(const Result<NewSource>& described) { return std::get<Card>(described.value().means).summary; }

TEST_F(TestGatewayTest, DescribesACardByItsTokenAndByItsNumberAlike) {
  const auto by_token = describe("tok_visa");
  ASSERT_TRUE(by_token);
  EXPECT_EQ(card_of(by_token).brand, "Visa");
  EXPECT_EQ(card_of(by_token).last4, "4242");
  EXPECT_EQ(card_of(by_token).funding, "credit");
  const auto by_number = describe("4242 4242-4242 4242");
  ASSERT_TRUE(by_number);
  EXPECT_EQ(by_number->reference, "tok_visa");
  EXPECT_EQ(card_of(by_number).fingerprint, card_of(by_token).fingerprint);
  EXPECT_NE(card_of(describe("tok_amex")).fingerprint, card_of(by_token).fingerprint);
  EXPECT_EQ(card_of(describe("tok_amex")).brand, "American Express");
  EXPECT_EQ(card_of(describe("tok_visa_debit")).funding, "debit");
}

TEST_F(TestGatewayTest, RefusesToAttachCardsThatAreDeclined) {
  for (const auto& [token, code] :
       {std::pair("tok_chargeDeclined", "generic_decline"), std::pair("4000000000009995", "insufficient_funds"),
        std::pair("tok_chargeDeclinedExpiredCard", "expired_card"),
        std::pair("4242424242424241", "incorrect_number")}) {
    const auto described = describe(token);
    ASSERT_FALSE(described) << token;
    EXPECT_EQ(described.error().code, Errc::card_declined) << token;
    EXPECT_EQ(described.error().detail, code) << token;
  }
}

TEST_F(TestGatewayTest, NeverTakesOrRepeatsANumberThatMayBeReal) {
  for (const char* number : {"4111111111111111", "4111.1111.1111.1111", "tok 5454545454545454"}) {
    const auto described = describe(number);
    ASSERT_FALSE(described);
    EXPECT_EQ(described.error().code, Errc::invalid_parameter);
    EXPECT_THAT(described.error().detail, Not(HasSubstr("1111")));
    EXPECT_THAT(described.error().detail, Not(HasSubstr("5454")));
  }
  EXPECT_THAT(describe("tok_nonsense").error().detail, "No such token: tok_nonsense");
}

TEST_F(TestGatewayTest, DeclinesEverythingInLiveMode) {
  EXPECT_EQ(describe("tok_visa", Mode::live).error().detail, "testmode_decline");
  ChargeRequest live = request("ch_live");
  live.mode = Mode::live;
  EXPECT_EQ(charge(live).kind, ChargeOutcomeKind::declined);
}

TEST_F(TestGatewayTest, ChargesOnceHoweverOftenAKeyIsSent) {
  std::vector<ChargeOutcome> outcomes;
  Tasks tasks(daemon_.loop.get_executor());
  auto send = [&]() -> awaitable<> {
    ChargeRequest again = request("ch_1");
    outcomes.push_back(co_await daemon_.gateway->charge(std::move(again)));
  };
  for (int i = 0; i < 100; ++i) tasks.spawn("charge", send());
  ASSERT_TRUE(run_until(daemon_.loop, [&] { return outcomes.size() == 100; }));
  for (const ChargeOutcome& outcome : outcomes) {
    EXPECT_EQ(outcome.kind, ChargeOutcomeKind::succeeded);
    EXPECT_EQ(outcome.gateway_reference, "test_ch_1");
  }
  const auto ledger = daemon_.ledger();
  ASSERT_EQ(ledger.size(), 1u);
  EXPECT_EQ(ledger[0].amount.minor, 2000);
  EXPECT_EQ(ledger[0].created, start_of_test);
  EXPECT_TRUE(ledger[0].succeeded());
}

TEST_F(TestGatewayTest, DeclinesEachChargeOfTheCardThatAttaches) {
  ASSERT_TRUE(describe("tok_chargeCustomerFail"));
  const ChargeOutcome outcome = charge(request("ch_1", "tok_chargeCustomerFail"));
  EXPECT_EQ(outcome.kind, ChargeOutcomeKind::declined);
  EXPECT_EQ(outcome.decline_code, "generic_decline");
}

TEST_F(TestGatewayTest, LeavesAKeyWithAnotherAmountOrSourceToAnOperator) {
  EXPECT_EQ(charge(request("ch_1")).kind, ChargeOutcomeKind::succeeded);
  EXPECT_EQ(charge(request("ch_1", "tok_visa", 2001)).kind, ChargeOutcomeKind::impossible);
  EXPECT_EQ(charge(request("ch_1", "tok_amex")).kind, ChargeOutcomeKind::impossible);
  EXPECT_EQ(charge(request("ch_1")).kind, ChargeOutcomeKind::succeeded);
}

TEST_F(TestGatewayTest, LooksUpWhatWasChargedAndForbidsWhatWasNot) {
  charge(request("ch_1"));
  EXPECT_EQ(look_up(request("ch_1")).kind, ChargeOutcomeKind::succeeded);
  const ChargeOutcome absent = look_up(request("ch_2"));
  EXPECT_EQ(absent.kind, ChargeOutcomeKind::absent);
  // A request that was asleep on its way comes too late.
  EXPECT_EQ(charge(request("ch_2")).kind, ChargeOutcomeKind::absent);
}

TEST_F(TestGatewayTest, MeetsTheFaultsThatItIsToldInTurnAndMovesMoneyOnceAllTheSame) {
  gateways::TestGateway gateway(daemon_.loop.get_executor(), daemon_.store, Milliseconds(0));
  auto send = [&](const std::string& key) { return run(daemon_.loop, gateway.charge(request(key))).kind; };
  auto is_booked = [&](const std::string& key) {
    return std::ranges::count(daemon_.ledger(), key, &gateways::LedgerEntry::idempotency_key) == 1;
  };
  struct Case {
    TestFault fault;
    ChargeOutcomeKind answer;
    bool moves_money;
    ChargeOutcomeKind repeated;
  };
  using enum ChargeOutcomeKind;
  const Case cases[] = {
      {TestFault::none, succeeded, true, succeeded},           {TestFault::lost, unknown, false, succeeded},
      {TestFault::answer_lost, unknown, true, succeeded},      {TestFault::conflict, unknown, false, succeeded},
      {TestFault::throttled, unknown, false, succeeded},       {TestFault::error_stored, unknown, true, unknown},
      {TestFault::garbage, unknown, true, succeeded},          {TestFault::wrong_amount, impossible, true, succeeded},
      {TestFault::wrong_currency, impossible, true, succeeded}};
  for (const Case& each : cases) {
    const std::string key = "ch_" + std::string(name_of(each.fault));
    SCOPED_TRACE(key);
    gateway.set_faults({each.fault, TestFault::none});
    EXPECT_EQ(send(key), each.answer);
    EXPECT_EQ(is_booked(key), each.moves_money);
    EXPECT_EQ(send(key), each.repeated);
    EXPECT_EQ(run(daemon_.loop, gateway.look_up(request(key))).kind, succeeded);
    EXPECT_TRUE(is_booked(key));
  }
}

TEST_F(TestGatewayTest, SaysThatItDoesNotKnowWithoutRedis) {
  server_.kill();
  EXPECT_EQ(charge(request("ch_1")).kind, ChargeOutcomeKind::unknown);
  server_.start();
}

}  // namespace
}  // namespace billd::jobs
