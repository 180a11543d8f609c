// Webhooks that come in: forged, replayed, doubled, reordered, early and late; and what they set in motion.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json.hpp>

#include "net/api/incoming/face.hpp"
#include "net/gateways/configured.hpp"
#include "net/webhooks/signature.hpp"
#include "tests/gateways/fake_processor.hpp"
#include "tests/jobs/daemon.hpp"

namespace billd::api::incoming {
namespace {

using jobs::Daemon;
using jobs::ManualClock;
using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr const char* secret = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0";
constexpr const char* old_secret = "whsec_b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xk";

class Incoming : public testing::Test {
 protected:
  Incoming()
      : server_(jobs::durable_redis()), clock_(jobs::start_of_test), daemon_(server_, clock_), fake_(daemon_.loop) {
    for (const auto& [name, kind] :
         {std::pair("shop", WebhookKind::standard), {"acme", WebhookKind::stripe}, {"plain", WebhookKind::hmac}}) {
      WebhookSourceSettings source;
      source.kind = kind;
      source.secrets = {Secret(secret), Secret(old_secret)};
      source.gateway = "acme";
      settings_.webhook_sources[name] = source;
    }
    ProcessorSettings acme;
    acme.kind = ProcessorKind::stripe;
    acme.url = fake_.url();
    acme.key = Secret("sk_test_1");
    acme.request_timeout = Milliseconds(400);
    GatewaySettings gateways;
    gateways.processors["acme"] = acme;
    gateways::add_configured(daemon_.gateways, daemon_.loop.get_executor(), daemon_.store, gateways,
                             [this] { return clock_.now(); });
  }
  ~Incoming() override {
    fake_.stop();
    daemon_.stop();
  }

  AccountKey subscriber(RenewalTrigger trigger = RenewalTrigger::schedule) {
    const AccountKey key = AccountKey::from_bits(7, 7);
    CreateCustomer create;
    create.source.emplace();
    create.source->gateway = "acme";
    create.source->reference = "cus_remote/card_remote";
    EXPECT_TRUE(daemon_.execute(key, create));
    Subscribe subscribe = Daemon::subscription();
    subscribe.renewal_trigger = trigger;
    EXPECT_TRUE(daemon_.execute(key, subscribe));
    return key;
  }
  std::string subscription(const AccountKey& key) { return daemon_.load(key).subscriptions.at(0).id.value(); }
  std::int64_t ordinal(const AccountKey& key) { return daemon_.load(key).subscriptions.at(0).ordinal; }
  std::size_t invoices(const AccountKey& key) {
    return daemon_.paid_invoices(key).size() + daemon_.load(key).invoices.size();
  }

  static http::Request request(const std::string& source, std::string body) {
    http::Request request;
    request.method = http::Method::post;
    request.target = "/webhooks/" + source;
    request.body = std::move(body);
    return request;
  }
  /// Signed by Standard Webhooks, as of now.
  http::Request standard(const std::string& id, std::string body, const std::string& with = secret) const {
    http::Request made = request("shop", std::move(body));
    const billd::webhooks::Message message{id, to_unix(clock_.now()), made.body};
    made.headers.add("webhook-id", id);
    made.headers.add("webhook-timestamp", std::to_string(message.sent_at));
    made.headers.add("webhook-signature", billd::webhooks::standard_signature({with}, message));
    return made;
  }
  http::Request stripe(std::string body) const {
    http::Request made = request("acme", std::move(body));
    const billd::webhooks::Message message{"", to_unix(clock_.now()), made.body};
    made.headers.add("Stripe-Signature", billd::webhooks::stripe_signature({secret}, message));
    return made;
  }
  http::Response send(http::Request made) { return run(daemon_.loop, face_.handle(std::move(made))); }
  http::Response send(const std::string& id, const std::string& type, const std::string& data) {
    return send(standard(id, "{\"type\":\"" + type + "\",\"data\":{" + data + "}}"));
  }
  http::Response renew(const std::string& id, const AccountKey& key, const std::string& more = "") {
    return send(id, "subscription.renew", "\"subscription\":\"" + subscription(key) + "\"" + more);
  }
  std::string event(const std::string& id, const std::string& type, const std::string& object) const {
    return "{\"id\":\"" + id + "\",\"type\":\"" + type + "\",\"livemode\":false,\"data\":{\"object\":{" + object +
           "}}}";
  }

  RedisServer server_;
  ManualClock clock_;
  Daemon daemon_;
  gateways::FakeProcessor fake_;
  Settings settings_;
  store::Fence fence_;
  Face face_{Services{daemon_.accounts, daemon_.store, daemon_.gateways, settings_}};
};

// Who may speak

TEST_F(Incoming, AForgedOneIsRefusedAndChangesNothing) {
  const AccountKey key = subscriber();
  clock_.advance(days(1));
  const std::string body =
      "{\"type\":\"subscription.renew\",\"data\":{\"subscription\":\"" + subscription(key) + "\"}}";
  const Account before = daemon_.load(key);
  EXPECT_EQ(send(request("shop", body)).status, 401);
  EXPECT_EQ(send(standard("msg_1", body, "whsec_Zm9yZ2VkLWZvcmdlZC1mb3JnZWQtZm9yZ2Vk")).status, 401);
  http::Request altered = standard("msg_1", body);
  altered.body += " ";
  EXPECT_EQ(send(std::move(altered)).status, 401);
  http::Request renamed = standard("msg_1", body);
  renamed.headers.set("webhook-id", "msg_2");
  EXPECT_EQ(send(std::move(renamed)).status, 401);
  EXPECT_EQ(daemon_.load(key), before);
  EXPECT_EQ(face_.statistics().refused, 4u);
  EXPECT_EQ(send(standard("msg_1", body, old_secret)).status, 200) << "while secrets are exchanged, both are right";
}

TEST_F(Incoming, AReplayedOneIsRefusedWhenItIsOldAndAnsweredAgainWhenItIsNot) {
  const AccountKey key = subscriber();
  clock_.advance(days(1));
  const http::Request first =
      standard("msg_1", "{\"type\":\"subscription.renew\",\"data\":{\"subscription\":\"" + subscription(key) + "\"}}");
  const http::Response answered = send(first);
  ASSERT_EQ(answered.status, 200);
  EXPECT_EQ(ordinal(key), 1);
  clock_.advance(seconds(200));
  const http::Response again = send(first);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(again.body, answered.body);
  clock_.advance(seconds(200));
  EXPECT_EQ(send(first).status, 401);
  EXPECT_EQ(ordinal(key), 1);
}

TEST_F(Incoming, ABareSignatureIsGoodForThirtyDaysAndOnce) {
  const AccountKey key = subscriber();
  const std::string body = "{\"id\":\"m1\",\"created\":" + std::to_string(to_unix(clock_.now())) +
                           ",\"type\":\"subscription.renew\",\"data\":{\"advance\":true,\"subscription\":\"" +
                           subscription(key) + "\"}}";
  http::Request made = request("plain", body);
  made.headers.add("X-Signature", "sha256=" + billd::webhooks::to_hex(billd::webhooks::hmac_sha256(secret, body)));
  EXPECT_EQ(send(made).status, 200);
  EXPECT_EQ(ordinal(key), 1);
  clock_.advance(days(20));
  EXPECT_EQ(send(made).status, 200);
  EXPECT_EQ(face_.statistics().repeated, 1u);
  clock_.advance(days(10));
  EXPECT_EQ(send(made).status, 400);
}

TEST_F(Incoming, WhatCannotBeUnderstoodIsRefusedWithTheMember) {
  EXPECT_EQ(send(request("nobody", "{}")).status, 404);
  EXPECT_EQ(send(standard("m", "[]")).status, 400);
  EXPECT_EQ(send(standard("m", "{\"type\":\"subscription.renew\"}")).status, 400);
  EXPECT_THAT(send("m", "subscription.renew", "").body, HasSubstr("\"parameter\":\"subscription\""));
  EXPECT_THAT(send("m", "subscription.renew", "\"subscription\":\"sub_1\",\"advance\":1").body,
              HasSubstr("\"parameter\":\"advance\""));
  EXPECT_EQ(send("m", "subscription.renew", "\"subscription\":\"sub_1\"").status, 404);
  EXPECT_THAT(send("m", "subscription.invent", "").body, HasSubstr("\"parameter\":\"type\""));
  http::Request read = standard("m", "{}");
  read.method = http::Method::get;
  EXPECT_EQ(send(std::move(read)).status, 405);
}

// Renewals

TEST_F(Incoming, ARenewalThatIsNotDueIsAnAnswerAndNoError) {
  const AccountKey key = subscriber();
  const http::Response early = renew("msg_1", key);
  EXPECT_EQ(early.status, 200);
  EXPECT_THAT(early.body, HasSubstr("\"outcome\":\"not_due\""));
  EXPECT_EQ(ordinal(key), 0);
}

TEST_F(Incoming, ARenewalIsDoneOnceHoweverOftenAndInWhateverOrderItIsSent) {
  const AccountKey key = subscriber();
  clock_.advance(days(1));
  const std::string end = std::to_string(to_unix(daemon_.load(key).subscriptions[0].current_period.end));
  EXPECT_THAT(renew("msg_2", key, ",\"period_end\":" + end).body, HasSubstr("\"outcome\":\"renewed\""));
  for (int i = 0; i < 3; ++i)
    EXPECT_THAT(renew("msg_2", key, ",\"period_end\":" + end).body, HasSubstr("\"outcome\":\"renewed\""));
  EXPECT_THAT(renew("msg_1", key, ",\"advance\":true,\"period_end\":" + end).body, HasSubstr("\"outcome\":\"not_due\""))
      << "an order for the period before, late";
  EXPECT_EQ(ordinal(key), 1);
  EXPECT_EQ(invoices(key), 2u);
}

TEST_F(Incoming, ARenewalAheadBillsEarlyAndTheScheduleThenDoesNot) {
  const AccountKey key = subscriber();
  EXPECT_THAT(renew("msg_1", key, ",\"advance\":true").body, HasSubstr("\"outcome\":\"renewed\""));
  EXPECT_THAT(renew("msg_2", key, ",\"advance\":true").body, HasSubstr("\"outcome\":\"not_due\""));
  ASSERT_TRUE(daemon_.run_due(key));
  EXPECT_EQ(daemon_.paid_invoices(key).size(), 2u);
  clock_.advance(days(1) + hours(1));
  daemon_.run_due(key);
  EXPECT_EQ(ordinal(key), 1);
  EXPECT_EQ(daemon_.paid_invoices(key).size(), 2u);
}

TEST_F(Incoming, ARenewalOfACustomerMeansAllThatIsDue) {
  const AccountKey key = subscriber();
  const std::string customer = "\"customer\":\"" + daemon_.load(key).customer.id.value() + "\"";
  clock_.advance(days(1));
  EXPECT_THAT(send("msg_1", "subscription.renew", customer).body, HasSubstr(subscription(key)));
  EXPECT_THAT(send("msg_2", "subscription.renew", customer).body, HasSubstr("\"renewed\":[]"));
  EXPECT_EQ(ordinal(key), 1);
}

TEST_F(Incoming, ASubscriptionThatWebhooksRenewWaitsAndLapses) {
  const AccountKey key = subscriber(RenewalTrigger::webhook);
  clock_.advance(days(1));
  ASSERT_TRUE(daemon_.run_due(key));
  EXPECT_EQ(ordinal(key), 0);
  EXPECT_TRUE(daemon_.load(key).subscriptions[0].grace_until.has_value());
  clock_.advance(days(2));
  EXPECT_THAT(renew("msg_1", key).body, HasSubstr("\"outcome\":\"renewed\""));
  EXPECT_EQ(ordinal(key), 1);
  EXPECT_EQ(send("msg_2", "subscription.lapse", "\"subscription\":\"" + subscription(key) + "\"").status, 200);
  ASSERT_TRUE(daemon_.run_due(key));
  EXPECT_TRUE(daemon_.load(key).subscriptions.empty());
}

TEST_F(Incoming, WhatCannotBeStoredIsAnswered503AndDoneByTheRepetition) {
  const AccountKey key = subscriber();
  clock_.advance(days(1));
  const http::Request made =
      standard("msg_1", "{\"type\":\"subscription.renew\",\"data\":{\"subscription\":\"" + subscription(key) + "\"}}");
  server_.kill();
  EXPECT_EQ(send(made).status, 503);
  server_.start();
  ASSERT_TRUE(run(daemon_.loop, daemon_.client.ready(Milliseconds(20'000))));
  EXPECT_EQ(send(made).status, 200);
  EXPECT_EQ(ordinal(key), 1);
}

TEST_F(Incoming, AHundredAtOnceHaveOneEffect) {
  const AccountKey key = subscriber();
  clock_.advance(days(1));
  const http::Request made =
      standard("msg_1", "{\"type\":\"subscription.renew\",\"data\":{\"subscription\":\"" + subscription(key) + "\"}}");
  int answered = 0, done = 0;
  auto post = [&]() -> awaitable<> {
    const http::Response response = co_await face_.handle(made);
    EXPECT_TRUE(response.status == 200 || response.status == 503) << response.status;
    done += response.status == 200 ? 1 : 0;
    ++answered;
  };
  for (int i = 0; i < 100; ++i) daemon_.tasks.spawn("webhook", post());
  ASSERT_TRUE(run_until(daemon_.loop, [&] { return answered == 100; }));
  EXPECT_GE(done, 1);
  EXPECT_EQ(ordinal(key), 1);
  EXPECT_EQ(invoices(key), 2u);
}

// Settlement

TEST_F(Incoming, ASettlementBeforeTheAnswerToTheChargeCountsOnce) {
  const AccountKey key = subscriber();
  clock_.advance(days(1));
  fake_.latency = Milliseconds(200);
  bool is_done = false;
  auto renew_now = [&]() -> awaitable<> {
    jobs::Job job;
    job.account = {Mode::test, key};
    job.fence = fence_;
    co_await daemon_.accounts.run_due(std::move(job));
    is_done = true;
  };
  fence_ = daemon_.take_partition(key);
  daemon_.tasks.spawn("renew", renew_now());
  ASSERT_TRUE(run_until(daemon_.loop, [&] { return fake_.at_once == 1; }));
  const Charge charge = daemon_.load(key).invoices.at(0).charges.at(0);
  // The processor is quicker with its webhook than with its answer, and in another daemon.
  Daemon other(server_, clock_);
  Face elsewhere{Services{other.accounts, other.store, other.gateways, settings_}};
  http::Request told = stripe(event("evt_1", "charge.succeeded",
                                    "\"id\":\"ch_remote9\",\"amount\":2000,\"currency\":\"usd\",\"metadata\":{\"billd_"
                                    "charge\":\"" +
                                        charge.id.value() + "\"}"));
  EXPECT_EQ(run(other.loop, elsewhere.handle(std::move(told))).status, 200);
  ASSERT_TRUE(run_until(daemon_.loop, [&] { return is_done; }));
  EXPECT_EQ(daemon_.paid_invoices(key).size(), 2u);
  EXPECT_EQ(daemon_.load(key).customer.delinquent, false);
  other.stop();
}

TEST_F(Incoming, ADebitIsSettledByItsWebhookOnceAndLateOnesChangeNothing) {
  const AccountKey key = subscriber();
  fake_.verdict = "pending";
  clock_.advance(days(1));
  ASSERT_TRUE(daemon_.run_due(key));
  const Charge charge = daemon_.load(key).invoices.at(0).charges.at(0);
  ASSERT_EQ(charge.state, ChargeState::pending);
  const std::string object = "\"id\":\"" + charge.gateway_reference +
                             "\",\"amount\":2000,\"currency\":\"usd\",\"metadata\":{\"billd_charge\":\"" +
                             charge.id.value() + "\"}";
  EXPECT_EQ(send(stripe(event("evt_2", "charge.succeeded", object))).status, 200);
  EXPECT_EQ(daemon_.paid_invoices(key).size(), 2u);
  const Account settled = daemon_.load(key);
  EXPECT_EQ(send(stripe(event("evt_1", "charge.pending", object))).status, 200);
  EXPECT_EQ(send(stripe(event("evt_3", "charge.succeeded", object))).status, 200);
  EXPECT_EQ(daemon_.load(key).events, settled.events);
}

TEST_F(Incoming, AnotherAmountOrAnotherGatewaySettlesNothing) {
  const AccountKey key = subscriber();
  fake_.verdict = "pending";
  clock_.advance(days(1));
  ASSERT_TRUE(daemon_.run_due(key));
  const std::string charge = daemon_.load(key).invoices.at(0).charges.at(0).id.value();
  settings_.webhook_sources["shop"].gateway = "other";
  const std::string named = "\"charge\":\"" + charge + "\",\"currency\":\"usd\"";
  EXPECT_EQ(send("m1", "charge.succeeded", named + ",\"amount\":2000").status, 404);
  settings_.webhook_sources["shop"].gateway = "acme";
  EXPECT_EQ(send("m2", "charge.succeeded", named + ",\"amount\":1").status, 200);
  EXPECT_EQ(daemon_.load(key).invoices.at(0).charges.at(0).state, ChargeState::parked);
}

TEST_F(Incoming, ASuccessAfterADeclineParksTheAccount) {
  const AccountKey key = subscriber();
  fake_.verdict = "declined";
  clock_.advance(days(1));
  ASSERT_TRUE(daemon_.run_due(key));
  const std::string charge = daemon_.load(key).invoices.at(0).charges.at(0).id.value();
  EXPECT_EQ(send("m1", "charge.succeeded", "\"charge\":\"" + charge + "\",\"amount\":2000,\"currency\":\"usd\"").status,
            200);
  const auto parked = run(daemon_.loop, daemon_.store.find_parked(Mode::test, key));
  ASSERT_TRUE(parked);
  EXPECT_THAT(parked->reason, HasSubstr("a declined charge has succeeded"));
}

TEST_F(Incoming, DisputesAndRefundsReachTheChargeOfAPaidInvoice) {
  const AccountKey key = subscriber();
  const Charge charge = daemon_.paid_invoices(key).at(0).charges.at(0);
  EXPECT_EQ(send(stripe(event("evt_1", "charge.dispute.created",
                              "\"id\":\"dp_1\",\"charge\":\"" + charge.gateway_reference +
                                  "\",\"amount\":2000,\"reason\":\"fraudulent\",\"status\":\"needs_response\"")))
                .status,
            200);
  EXPECT_EQ(daemon_.paid_invoices(key).at(0).charges.at(0).dispute->reason, "fraudulent");
  EXPECT_EQ(send("m1", "dispute.lost", "\"charge\":\"" + charge.id.value() + "\",\"dispute\":\"dp_1\"").status, 200);
  EXPECT_EQ(daemon_.paid_invoices(key).at(0).charges.at(0).dispute->status, DisputeStatus::lost);
  EXPECT_THAT(send(stripe(event("evt_2", "charge.dispute.created", "\"id\":\"dp_2\",\"charge\":\"ch_foreign\""))).body,
              HasSubstr("ignored"));

  RefundCharge refund;
  refund.invoice = daemon_.paid_invoices(key).at(0).id;
  refund.charge = charge.id;
  ASSERT_TRUE(daemon_.execute(key, refund));
  const Refund made = daemon_.paid_invoices(key).at(0).charges.at(0).refunds.at(0);
  EXPECT_EQ(
      send(stripe(event("evt_3", "refund.failed",
                        "\"id\":\"" + made.gateway_reference +
                            "\",\"amount\":2000,\"currency\":\"usd\",\"status\":\"failed\",\"failure_reason\":\"lost_"
                            "or_stolen_card\",\"metadata\":{\"billd_refund\":\"" +
                            made.id.value() + "\"}")))
          .status,
      200);
  EXPECT_EQ(daemon_.paid_invoices(key).at(0).charges.at(0).refunds.at(0).state, RefundState::failed);
}

TEST_F(Incoming, ARefundMadeInTheDashboardIsRecordedOnceHoweverItIsTold) {
  const AccountKey key = subscriber();
  const auto charge = [&] { return daemon_.paid_invoices(key).at(0).charges.at(0); };
  const std::string reference = charge().gateway_reference;
  const auto refund = [&](const std::string& id, int amount, const std::string& status = "succeeded") {
    return "\"id\":\"" + id + "\",\"object\":\"refund\",\"charge\":\"" + reference +
           "\",\"amount\":" + std::to_string(amount) + ",\"currency\":\"usd\",\"status\":\"" + status +
           "\",\"reason\":\"requested_by_customer\",\"metadata\":{}";
  };
  const auto told = [&](const std::string& refunds) {
    return "\"id\":\"" + reference +
           "\",\"object\":\"charge\",\"amount\":2000,\"currency\":\"usd\",\"metadata\":{"
           "\"billd_charge\":\"" +
           charge().id.value() + "\"},\"refunds\":{\"object\":\"list\",\"data\":[" + refunds + "]}";
  };
  EXPECT_THAT(send(stripe(event("evt_1", "refund.created", refund("re_1", 500)))).body, HasSubstr("received"));
  EXPECT_EQ(charge().amount_refunded().minor, 500);
  const std::uint64_t events = daemon_.load(key).events;
  // Doubled, by another event, and late.
  EXPECT_EQ(send(stripe(event("evt_1", "refund.created", refund("re_1", 500)))).status, 200);
  EXPECT_EQ(send(stripe(event("evt_2", "charge.refunded", told("{" + refund("re_1", 500) + "}")))).status, 200);
  EXPECT_EQ(send(stripe(event("evt_3", "refund.updated", refund("re_1", 500, "pending")))).status, 200);
  EXPECT_EQ(daemon_.load(key).events, events);
  // Two at once, the newest first, as Stripe tells them.
  EXPECT_EQ(send(stripe(event("evt_4", "charge.refunded",
                              told("{" + refund("re_3", 300) + "},{" + refund("re_2", 200) + "},{" +
                                   refund("re_1", 500) + "}"))))
                .status,
            200);
  EXPECT_EQ(charge().amount_refunded().minor, 1000);
  ASSERT_EQ(charge().refunds.size(), 3u);
  EXPECT_EQ(charge().refunds[1].gateway_reference, "re_2");
  EXPECT_EQ(fake_.refunds(), 0u) << "nothing was sent for them";
  EXPECT_THAT(send(stripe(event("evt_5", "refund.failed", refund("re_2", 200, "failed")))).body, HasSubstr("received"));
  EXPECT_EQ(charge().refunds[1].state, RefundState::failed);
  // Somebody else's.
  EXPECT_THAT(send(stripe(event("evt_6", "refund.created",
                                "\"id\":\"re_9\",\"charge\":\"ch_foreign\",\"amount\":1,\"currency\":\"usd\"")))
                  .body,
              HasSubstr("ignored"));
  // More than there was.
  EXPECT_EQ(send(stripe(event("evt_7", "refund.created", refund("re_7", 1999)))).status, 200);
  const auto parked = run(daemon_.loop, daemon_.store.find_parked(Mode::test, key));
  ASSERT_TRUE(parked);
  EXPECT_THAT(parked->reason, HasSubstr("gave back more"));
}

TEST_F(Incoming, ARefundMadeAtTheProcessorIsToldInBilldsWords) {
  const AccountKey key = subscriber();
  const std::string charge = "\"charge\":\"" + daemon_.paid_invoices(key).at(0).charges.at(0).id.value() + "\"";
  EXPECT_THAT(send("m1", "refund.created", charge + ",\"amount\":100").body, HasSubstr("\"parameter\":\"reference\""));
  EXPECT_THAT(send("m1", "refund.created", charge + ",\"reference\":\"r1\"").body,
              HasSubstr("\"parameter\":\"amount\""));
  EXPECT_THAT(send("m1", "refund.created", charge + ",\"reference\":\"r1\",\"amount\":100,\"status\":\"lost\"").body,
              HasSubstr("\"parameter\":\"status\""));
  for (const char* id : {"m2", "m2", "m3"})
    EXPECT_EQ(send(id, "refund.created", charge + ",\"reference\":\"r1\",\"amount\":100").status, 200);
  EXPECT_EQ(daemon_.paid_invoices(key).at(0).charges.at(0).amount_refunded().minor, 100);
}

TEST_F(Incoming, APendingRefundEndsByWebhookOrByAskingOnce) {
  const AccountKey key = subscriber();
  const Invoice paid = daemon_.paid_invoices(key).at(0);
  RefundCharge command;
  command.invoice = paid.id;
  command.charge = paid.charges[0].id;
  fake_.refund_verdict = "pending";
  ASSERT_TRUE(daemon_.execute(key, command));
  const Refund pending = daemon_.load(key).invoices.at(0).charges.at(0).refunds.at(0);
  ASSERT_EQ(pending.state, RefundState::pending);
  fake_.ledger.back().status = "succeeded";
  EXPECT_EQ(send("m1", "refund.succeeded", "\"refund\":\"" + pending.id.value() + "\"").status, 200);
  EXPECT_EQ(daemon_.paid_invoices(key).at(0).charges[0].refunds[0].state, RefundState::succeeded);
  const std::uint64_t events = daemon_.load(key).events;
  clock_.advance(hours(1));
  daemon_.run_due(key);
  EXPECT_EQ(daemon_.load(key).events, events) << "nothing is asked any more";
  EXPECT_EQ(fake_.refunds(), 1u);
}

TEST_F(Incoming, ASubscriptionsTriggerMayBeChanged) {
  const AccountKey key = subscriber();
  UpdateSubscription update;
  update.subscription = daemon_.load(key).subscriptions.at(0).id;
  update.renewal_trigger = RenewalTrigger::webhook;
  ASSERT_TRUE(daemon_.execute(key, update));
  clock_.advance(days(1));
  ASSERT_TRUE(daemon_.run_due(key));
  EXPECT_EQ(ordinal(key), 0);
  ASSERT_TRUE(daemon_.load(key).subscriptions[0].grace_until.has_value());
  // Back to the schedule within the grace: what is due is billed.
  update.renewal_trigger = RenewalTrigger::schedule;
  ASSERT_TRUE(daemon_.execute(key, update));
  ASSERT_TRUE(daemon_.run_due(key));
  EXPECT_EQ(ordinal(key), 1);
}

TEST_F(Incoming, ChangesOfASourceReachWhoeverPaysByIt) {
  const AccountKey key = subscriber();
  const std::string object = "\"id\":\"card_remote\",\"customer\":\"cus_remote\",\"exp_month\":7,\"exp_year\":2039";
  EXPECT_THAT(send(stripe(event("evt_1", "customer.source.updated", object))).body, HasSubstr("received"));
  EXPECT_EQ(send(stripe(event("evt_2", "customer.source.deleted", object))).status, 200);
  EXPECT_TRUE(daemon_.load(key).sources.empty());
  EXPECT_THAT(send(stripe(event("evt_3", "customer.source.updated", object))).body, HasSubstr("ignored"));
}

}  // namespace
}  // namespace billd::api::incoming
