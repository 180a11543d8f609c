// Webhooks on their way: receivers that fail, stall, redirect, flood, ask for rest and vanish; daemons that are killed.
#include <gmock/gmock.h>

#include <mutex>

#include "jobs/deliveries.hpp"
#include "net/store/audit.hpp"
#include "net/webhooks/endpoint_secrets.hpp"
#include "net/webhooks/signature.hpp"
#include "tests/jobs/daemon.hpp"
#include "tests/net/http_peers.hpp"

namespace billd::jobs {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr std::string_view master = "a master secret";

struct Received {
  std::string event, customer, stripe_signature, standard_signature, timestamp, body;
  std::uint64_t sequence = 0;
};

/// An endpoint's other side. What it answers is asked of `behave`, on its own thread, with the number of the request.
class Merchant {
 public:
  using Behave = std::function<http::Response(std::size_t number, const Received& received)>;

  explicit Merchant(Behave behave = {}, Milliseconds delay = Milliseconds(0))
      : behave_(std::move(behave)),
        delay_(delay),
        server_([this](http::Request request) { return take(std::move(request)); }) {}

  std::string url(std::string_view host = "127.0.0.1") const {
    return "http://" + std::string(host) + ":" + std::to_string(server_.port()) + "/hooks";
  }
  std::vector<Received> received() const {
    const std::lock_guard lock(mutex_);
    return received_;
  }
  std::size_t count() const { return received().size(); }
  /// The sequence numbers that came of a customer, in the order in which they came.
  std::vector<std::uint64_t> sequences(const AccountKey& key) const {
    std::vector<std::uint64_t> sequences;
    for (const Received& each : received())
      if (each.customer == make_id<CustomerKind>(key, 1).value()) sequences.push_back(each.sequence);
    return sequences;
  }
  http::RunningServer& server() { return server_; }

 private:
  static std::string header(const http::Request& request, std::string_view name) {
    return std::string(request.headers.find(name).value_or(""));
  }

  awaitable<http::Response> take(http::Request request) {
    Received received{header(request, "webhook-id"),
                      header(request, "Billd-Customer"),
                      header(request, "Stripe-Signature"),
                      header(request, "webhook-signature"),
                      header(request, "webhook-timestamp"),
                      request.body,
                      std::stoull(header(request, "Billd-Sequence"))};
    std::size_t number = 0;
    {
      const std::lock_guard lock(mutex_);
      number = received_.size();
      received_.push_back(received);
    }
    if (delay_ > Milliseconds(0)) co_await sleep_for(delay_);
    co_return behave_ ? behave_(number, received) : http::Response();
  }

  Behave behave_;
  Milliseconds delay_;
  mutable std::mutex mutex_;
  std::vector<Received> received_;
  http::RunningServer server_;
};

http::Response status(int code) {
  http::Response response;
  response.status = code;
  return response;
}

/// A daemon that delivers what it commits.
class Sending : public Daemon {
 public:
  Sending(const RedisServer& server, const Clock& clock, DeliverySettings settings,
          const DaemonOptions& options = DaemonOptions())
      : Daemon(server, clock, options),
        deliveries(loop.get_executor(), clock, store, catalog, partitions, std::move(settings), show) {
    start();
    deliveries.start();
    EXPECT_TRUE(run_until(loop, [this] { return partitions.held().size() == store.partitions(); }));
  }

  void stop_all() {
    EXPECT_TRUE(run(loop, deliveries.stop(Milliseconds(20'000))));
    stop();
  }

  static awaitable<Result<std::string>> show(Mode, std::string version, store::StoredEvent event) {
    co_return std::string(to_text(event.event().type)) + " " + version;
  }

  Deliveries deliveries;
};

class Webhooks : public testing::Test {
 protected:
  static DeliverySettings quick() {
    DeliverySettings settings;
    settings.rules.retry_schedule = {std::chrono::seconds(5), std::chrono::minutes(5), std::chrono::minutes(30)};
    settings.rules.retry_jitter = 0;
    settings.sender.limit = Milliseconds(1'000);
    settings.sender.allowed = webhooks::Networks::parse({"127.0.0.0/8", "::1"}).value();
    settings.master_secret = master;
    settings.poll_interval = Milliseconds(20);
    return settings;
  }

  Sending& daemon(DeliverySettings settings = quick()) {
    if (!daemon_) daemon_ = std::make_unique<Sending>(redis, clock, std::move(settings));
    return *daemon_;
  }

  void TearDown() override {
    if (daemon_) daemon_->stop_all();
  }

  WebhookEndpoint add_endpoint(std::string url, std::vector<std::string> types = {"*"}) {
    WebhookEndpoint endpoint;
    endpoint.id = WebhookEndpointId("we_" + std::to_string(++endpoints_));
    endpoint.created = clock.now();
    endpoint.url = std::move(url);
    endpoint.enabled_events = std::move(types);
    endpoint.api_version = "2020-08-27";
    endpoint.secret_mark = webhooks::secret_mark(master, endpoint.id);
    endpoint.enabled_at = run(daemon().loop, daemon().store.server_time()).value();
    const auto put = run(daemon().loop, daemon().catalog.put<WebhookEndpoint>(Mode::test, endpoint, std::nullopt));
    EXPECT_TRUE(put) << put.error().detail;
    return endpoint;
  }

  void rename(const AccountKey& key, std::string name) {
    UpdateCustomer update;
    update.name = std::move(name);
    const auto updated = daemon().execute(key, std::move(update));
    EXPECT_TRUE(updated) << updated.error().detail;
  }

  bool eventually(std::function<bool()> holds, Milliseconds limit = Milliseconds(20'000)) {
    return run_until(std::vector<Daemon*>{daemon_.get()}, holds, limit);
  }
  /// Lets the daemon work for a while in which nothing should happen.
  void idle(Milliseconds time = Milliseconds(150)) {
    const auto until = SteadyClock::now() + time;
    eventually([&] { return SteadyClock::now() >= until; });
  }
  std::shared_ptr<const WebhookEndpoint> stored(const WebhookEndpoint& endpoint) {
    return daemon().catalog.get<WebhookEndpoint>(Mode::test, endpoint.id.value());
  }

  RedisServer redis = durable_redis();
  ManualClock clock{start_of_test};
  std::unique_ptr<Sending> daemon_;
  int endpoints_ = 0;
};

TEST_F(Webhooks, TellOfWhatIsWantedInTheCustomersOrderSignedInBothWays) {
  Merchant all, some;
  const WebhookEndpoint endpoint = add_endpoint(all.url());
  add_endpoint(some.url(), {"customer.source.*", "customer.deleted"});
  const AccountKey ann = daemon().add_customer(1), ben = daemon().add_customer(2);
  for (int i = 0; i < 10; ++i) rename(i % 2 == 0 ? ann : ben, "Nr. " + std::to_string(i));
  ASSERT_TRUE(eventually([&] { return all.count() == 14 && some.count() == 2; })) << all.count() << some.count();
  idle();
  EXPECT_THAT(all.sequences(ann), ElementsAre(1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(all.sequences(ben), ElementsAre(1, 2, 3, 4, 5, 6, 7));
  EXPECT_EQ(some.count(), 2U);
  EXPECT_EQ(some.received()[0].body, "customer.source.created 2020-08-27");

  const Received first = all.received()[0];
  const std::vector<std::string> secrets = webhooks::valid_secrets(master, endpoint, clock.now());
  EXPECT_TRUE(webhooks::verify_stripe(first.stripe_signature, first.body, secrets, clock.now()));
  EXPECT_TRUE(webhooks::verify_standard(first.event, first.timestamp, first.standard_signature, first.body, secrets,
                                        clock.now()));
  const std::vector<std::string> others = {"whsec_another"};
  EXPECT_FALSE(webhooks::verify_stripe(first.stripe_signature, first.body, others, clock.now()));
  EXPECT_EQ(daemon().deliveries.numbers().delivered, 16U);
}

TEST_F(Webhooks, TellNothingOfWhatWasBeforeTheEndpoint) {
  Merchant merchant;
  const AccountKey ann = daemon().add_customer(1);
  idle(Milliseconds(20));
  add_endpoint(merchant.url());
  rename(ann, "Ann");
  ASSERT_TRUE(eventually([&] { return merchant.count() >= 1; }));
  idle();
  EXPECT_THAT(merchant.sequences(ann), ElementsAre(3));
}

TEST_F(Webhooks, AreTriedAgainByTheScheduleWhileTheCustomersNextOnesWaitAndOthersDoNot) {
  const AccountKey ann = AccountKey::from_bits(fnv1a("1"), 1);
  const std::string her = make_id<CustomerKind>(ann, 1).value();
  std::atomic<bool> is_broken = true;
  Merchant merchant(
      [&](std::size_t, const Received& received) { return status(is_broken && received.customer == her ? 500 : 200); });
  add_endpoint(merchant.url());
  daemon().add_customer(1);
  ASSERT_TRUE(eventually([&] { return merchant.count() == 1; }));
  const AccountKey ben = daemon().add_customer(2);
  ASSERT_TRUE(eventually([&] { return merchant.sequences(ben).size() == 2; }));
  rename(ann, "Ann");
  idle();
  EXPECT_THAT(merchant.sequences(ann), ElementsAre(1));
  clock.advance(std::chrono::seconds(4));
  idle();
  EXPECT_THAT(merchant.sequences(ann), ElementsAre(1));
  clock.advance(std::chrono::seconds(1));
  ASSERT_TRUE(eventually([&] { return merchant.sequences(ann).size() == 2; }));
  idle();
  EXPECT_THAT(merchant.sequences(ann), ElementsAre(1, 1));
  is_broken = false;
  clock.advance(std::chrono::minutes(5));
  ASSERT_TRUE(eventually([&] { return merchant.sequences(ann).size() == 5; }));
  EXPECT_THAT(merchant.sequences(ann), ElementsAre(1, 1, 1, 2, 3));
  EXPECT_EQ(daemon().deliveries.numbers().failed, 2U);
}

TEST_F(Webhooks, AreGivenUpAfterTheScheduleAndListedAsSuch) {
  Merchant merchant([](std::size_t, const Received&) { return status(503); });
  const WebhookEndpoint endpoint = add_endpoint(merchant.url(), {"customer.created"});
  const AccountKey ann = daemon().add_customer(1);
  const std::uint32_t partition = daemon().store.partition_of(ann);
  std::size_t tries = 1;
  ASSERT_TRUE(eventually([&] { return merchant.count() == tries; }));
  for (const Milliseconds wait : quick().rules.retry_schedule) {
    idle(Milliseconds(60));
    clock.advance(wait);
    ++tries;
    ASSERT_TRUE(eventually([&] { return merchant.count() == tries; })) << tries;
  }
  ASSERT_TRUE(eventually([&] { return daemon().deliveries.numbers().given_up == 1; }));
  clock.advance(std::chrono::hours(24));
  idle();
  EXPECT_EQ(merchant.count(), 4U);
  const auto given_up =
      run(daemon().loop, store::given_up_deliveries(daemon().store, Mode::test, partition, 10)).value();
  ASSERT_EQ(given_up.size(), 1U);
  EXPECT_EQ(given_up[0].endpoint, endpoint.id);
  EXPECT_EQ(given_up[0].key, ann);
  EXPECT_EQ(given_up[0].failures, 4U);
  EXPECT_EQ(given_up[0].status, 503);
}

TEST_F(Webhooks, ThatWereGivenUpArePendingAgainWhenTheyAreDeliveredAgain) {
  std::atomic<bool> is_broken = true;
  Merchant merchant([&](std::size_t, const Received&) { return status(is_broken ? 503 : 200); });
  DeliverySettings settings = quick();
  settings.rules.retry_schedule.clear();
  daemon(settings);
  const WebhookEndpoint endpoint = add_endpoint(merchant.url(), {"customer.created"});
  const WebhookEndpoint other = add_endpoint(merchant.url(), {"customer.created"});
  const AccountKey ann = daemon().add_customer(1);
  const std::uint32_t partition = daemon().store.partition_of(ann);
  ASSERT_TRUE(eventually([&] { return daemon().deliveries.numbers().given_up == 2; }));
  const auto given_up = [&] {
    return run(daemon().loop, store::given_up_deliveries(daemon().store, Mode::test, partition, 10)).value();
  };
  const auto pending = [&] {
    auto events = run(daemon().loop, daemon().store.events(Mode::test, std::nullopt, std::nullopt, 10)).value();
    std::ranges::reverse(events);
    const std::vector<std::shared_ptr<const WebhookEndpoint>> both = {stored(endpoint), stored(other)};
    return run(daemon().loop, store::pending_deliveries(daemon().store, Mode::test, both, events)).value();
  };
  ASSERT_EQ(given_up().size(), 2U);
  EXPECT_THAT(pending(), ElementsAre(2, 0)) << "two did not take it";
  store::Replay replay;
  replay.endpoint = endpoint.id;
  replay.event = given_up()[0].event;
  is_broken = false;
  ASSERT_TRUE(run(daemon().loop, store::request_replay(daemon().store, Mode::test, partition, replay)));
  ASSERT_TRUE(eventually([&] { return daemon().deliveries.numbers().delivered == 1; }));
  idle();
  ASSERT_EQ(given_up().size(), 1U) << "the other one's is left";
  EXPECT_EQ(given_up()[0].endpoint, other.id);
  EXPECT_THAT(pending(), ElementsAre(1, 0));
  store::Replay since;
  since.endpoint = other.id;
  since.since = endpoint.enabled_at;
  ASSERT_TRUE(run(daemon().loop, store::request_replay(daemon().store, Mode::test, partition, since)));
  ASSERT_TRUE(eventually([&] { return daemon().deliveries.numbers().delivered == 2; }));
  idle();
  EXPECT_THAT(given_up(), IsEmpty());
  EXPECT_THAT(pending(), ElementsAre(0, 0));
}

TEST_F(Webhooks, ThatTellOfADraftAreAwaitedUntilTheyAreTaken) {
  std::atomic<bool> is_broken = true;
  Merchant merchant([&](std::size_t, const Received&) { return status(is_broken ? 500 : 200); });
  add_endpoint(merchant.url(), {"invoice.created"});
  const AccountKey ann = daemon().add_customer(1), ben = daemon().add_customer(2);
  // By the clock of Redis, as the places of events are told.
  const Timestamp created = run(daemon().loop, daemon().store.server_time()).value();
  CreateInvoice create;
  create.may_be_empty = true;
  create.currency = Currency::of("usd");
  ASSERT_TRUE(daemon().execute(ann, create));
  const InvoiceId invoice = daemon().load(ann).invoices.at(0).id;
  const auto is_awaited = [&](const AccountKey& key, const InvoiceId& id, Timestamp when) {
    return run(daemon().loop, daemon().deliveries.awaits_invoice_created(Mode::test, key, id, when));
  };
  ASSERT_TRUE(eventually([&] { return daemon().deliveries.numbers().failed == 1; }));
  idle();
  EXPECT_TRUE(is_awaited(ann, invoice, created));
  EXPECT_FALSE(is_awaited(ann, InvoiceId("in_other"), created)) << "of that nothing waits";
  EXPECT_FALSE(is_awaited(ben, invoice, created));
  is_broken = false;
  clock.advance(std::chrono::seconds(5));
  ASSERT_TRUE(eventually([&] { return daemon().deliveries.numbers().delivered == 1; }));
  idle();
  EXPECT_FALSE(is_awaited(ann, invoice, created));
}

TEST_F(Webhooks, AreNotSentWhileAnOperatorPausesThem) {
  Merchant merchant;
  std::atomic<bool> is_paused = true;
  daemon().deliveries.pause_while([&] { return is_paused.load(); });
  add_endpoint(merchant.url(), {"customer.created"});
  daemon().add_customer(1);
  idle(Milliseconds(300));
  EXPECT_EQ(merchant.count(), 0U);
  EXPECT_TRUE(daemon().deliveries.numbers().is_paused);
  is_paused = false;
  ASSERT_TRUE(eventually([&] { return merchant.count() == 1; })) << "nothing is lost by it";
  EXPECT_FALSE(daemon().deliveries.numbers().is_paused);
}

TEST_F(Webhooks, LeaveAnEndpointAloneForAsLongAsItAsks) {
  std::atomic<bool> is_flooded = true;
  Merchant merchant([&](std::size_t, const Received&) {
    http::Response response = status(is_flooded ? 429 : 200);
    if (is_flooded) response.headers.add("Retry-After", "600");
    return response;
  });
  add_endpoint(merchant.url(), {"customer.created"});
  daemon().add_customer(1);
  ASSERT_TRUE(eventually([&] { return merchant.count() == 1; }));
  idle();
  is_flooded = false;
  daemon().add_customer(2);
  clock.advance(std::chrono::seconds(599));
  idle();
  EXPECT_EQ(merchant.count(), 1U) << "nothing else is sent to it either";
  clock.advance(std::chrono::seconds(1));
  EXPECT_TRUE(eventually([&] { return merchant.count() == 3; }));
}

TEST_F(Webhooks, AreDisabledByAnEndpointThatIsGoneAndOperatorsAreTold) {
  Merchant merchant([](std::size_t, const Received&) { return status(410); });
  const WebhookEndpoint endpoint = add_endpoint(merchant.url());
  daemon().add_customer(1);
  ASSERT_TRUE(eventually([&] { return stored(endpoint)->is_disabled; }));
  EXPECT_THAT(stored(endpoint)->disabled_because, testing::HasSubstr("410"));
  ASSERT_TRUE(eventually([&] { return daemon().deliveries.numbers().disabled == 1; }));
  const std::size_t before = merchant.count();
  daemon().add_customer(2);
  clock.advance(std::chrono::hours(10));
  idle();
  EXPECT_EQ(merchant.count(), before);
  const auto audit = run(daemon().loop, store::latest_audit(daemon().store, 1)).value();
  ASSERT_EQ(audit.size(), 1U);
  EXPECT_EQ(audit[0].action, "disable_webhook_endpoint");
  EXPECT_EQ(audit[0].subject, endpoint.id.value());
}

TEST_F(Webhooks, AreDisabledWhenNothingSucceededForDaysButNotWhileSomethingDid) {
  const AccountKey ann = AccountKey::from_bits(fnv1a("1"), 1);
  const std::string her = make_id<CustomerKind>(ann, 1).value();
  std::atomic<bool> is_dead = false;
  Merchant merchant(
      [&](std::size_t, const Received& received) { return status(is_dead || received.customer == her ? 500 : 200); });
  DeliverySettings settings = quick();
  settings.rules.retry_schedule.assign(9, std::chrono::hours(24));
  daemon(settings);
  const WebhookEndpoint endpoint = add_endpoint(merchant.url(), {"customer.created"});
  daemon().add_customer(1);
  ASSERT_TRUE(eventually([&] { return merchant.count() == 1; }));
  for (int day = 1; day <= 6; ++day) {
    idle();  // so that the answers are known, and the next attempts planned, before time goes on
    clock.advance(std::chrono::hours(24));
    daemon().add_customer(static_cast<std::uint64_t>(10 + day));
    ASSERT_TRUE(eventually([&] { return merchant.count() == static_cast<std::size_t>(1 + 2 * day); })) << day;
  }
  idle();
  EXPECT_FALSE(stored(endpoint)->is_disabled) << "others' deliveries succeed";
  is_dead = true;
  for (int day = 0; day < 7 && !stored(endpoint)->is_disabled; ++day) {
    const std::size_t before = merchant.count();
    idle();
    clock.advance(std::chrono::hours(24));
    daemon_->add_customer(static_cast<std::uint64_t>(30 + day));
    eventually([&] { return merchant.count() > before || stored(endpoint)->is_disabled; }, Milliseconds(3'000));
    idle(Milliseconds(60));
  }
  EXPECT_TRUE(stored(endpoint)->is_disabled);
}

TEST_F(Webhooks, FollowNoRedirect) {
  Merchant elsewhere;
  Merchant merchant([&](std::size_t, const Received&) {
    http::Response response = status(302);
    response.headers.add("Location", elsewhere.url());
    return response;
  });
  add_endpoint(merchant.url(), {"customer.created"});
  daemon().add_customer(1);
  ASSERT_TRUE(eventually([&] { return daemon().deliveries.numbers().failed == 1; }));
  idle();
  EXPECT_EQ(elsewhere.count(), 0U);
}

TEST_F(Webhooks, ReadNoMoreOfAnAnswerThanTheyWant) {
  Merchant merchant([](std::size_t number, const Received&) {
    http::Response response;
    if (number == 0) response.body.assign(10'000'000, 'x');
    return response;
  });
  add_endpoint(merchant.url(), {"customer.created"});
  daemon().add_customer(1);
  ASSERT_TRUE(eventually([&] { return daemon().deliveries.numbers().failed == 1; }));
  clock.advance(std::chrono::seconds(5));
  EXPECT_TRUE(eventually([&] { return daemon().deliveries.numbers().delivered == 1; }));
}

TEST_F(Webhooks, AreNotDelayedByAnotherEndpointThatStalls) {
  Merchant stalling({}, Milliseconds(3'000));
  Merchant quick_one;
  add_endpoint(stalling.url(), {"customer.created"});
  add_endpoint(quick_one.url(), {"customer.created"});
  const auto began_at = SteadyClock::now();
  for (std::uint64_t number = 1; number <= 40; ++number) daemon().add_customer(number);
  ASSERT_TRUE(eventually([&] { return quick_one.count() == 40; }));
  EXPECT_LT(SteadyClock::now() - began_at, std::chrono::seconds(20));
  EXPECT_LE(stalling.count(), 40U);
  // No more at once than allowed, although 40 customers have something for it.
  EXPECT_LE(daemon().deliveries.numbers().in_flight, quick().requests_at_once_max);
}

TEST_F(Webhooks, GoNowhereThatIsNotPublicUnlessAllowed) {
  Merchant merchant;
  DeliverySettings settings = quick();
  settings.sender.allowed = webhooks::Networks();
  daemon(settings);
  for (const char* host : {"127.0.0.1", "localhost", "127.1", "2130706433", "0x7f.1"})
    add_endpoint(merchant.url(host), {"customer.created"});
  daemon().add_customer(1);
  ASSERT_TRUE(eventually([&] { return daemon().deliveries.numbers().failed == 5; }));
  EXPECT_EQ(merchant.server().counts().connections_total, 0U);
}

TEST_F(Webhooks, GoOnWhereAKilledDaemonStoodWithoutLosingAnythingOrTheOrder) {
  const AccountKey ann = AccountKey::from_bits(fnv1a("1"), 1);
  const std::string her = make_id<CustomerKind>(ann, 1).value();
  std::atomic<bool> is_broken = true;
  Merchant merchant(
      [&](std::size_t, const Received& received) { return status(is_broken && received.customer == her ? 500 : 200); },
      Milliseconds(2));
  add_endpoint(merchant.url(), {"customer.*"});
  std::vector<AccountKey> keys;
  for (std::uint64_t number = 1; number <= 30; ++number) keys.push_back(daemon().add_customer(number));
  for (int round = 0; round < 4; ++round)
    for (const AccountKey& key : keys) rename(key, "round " + std::to_string(round));
  ASSERT_TRUE(eventually([&] { return merchant.count() > 60; }));
  Sending* first = daemon_.release();
  Daemon::kill(std::unique_ptr<Daemon>(first));  // it never moves again

  DaemonOptions options;
  options.name = "successor";
  daemon_ = std::make_unique<Sending>(redis, clock, quick(), options);
  is_broken = false;
  clock.advance(std::chrono::minutes(5));
  auto firsts = [&](const AccountKey& key) {
    std::vector<std::uint64_t> in_order;
    for (std::uint64_t sequence : merchant.sequences(key))
      if (std::ranges::find(in_order, sequence) == in_order.end()) in_order.push_back(sequence);
    return in_order;
  };
  ASSERT_TRUE(eventually(
      [&] { return std::ranges::all_of(keys, [&](const AccountKey& key) { return firsts(key).size() == 6; }); },
      Milliseconds(40'000)));
  for (const AccountKey& key : keys) EXPECT_THAT(firsts(key), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(Webhooks, AreDeliveredAgainWhenAsked) {
  Merchant merchant;
  const WebhookEndpoint endpoint = add_endpoint(merchant.url());
  const AccountKey ann = daemon().add_customer(1), ben = daemon().add_customer(2);
  ASSERT_TRUE(eventually([&] { return merchant.count() == 4; }));
  const auto position = store::EventPosition::parse(merchant.received()[0].event).value();
  store::Replay one;
  one.endpoint = endpoint.id;
  one.event = position;
  ASSERT_TRUE(run(daemon().loop, store::request_replay(daemon().store, Mode::test, position.partition, one)));
  ASSERT_TRUE(eventually([&] { return merchant.count() == 5; }));
  EXPECT_EQ(merchant.received()[4].event, merchant.received()[0].event);
  idle(Milliseconds(1'200));
  EXPECT_EQ(merchant.count(), 5U) << "once";

  for (std::uint32_t partition = 0; partition < daemon().store.partitions(); ++partition) {
    store::Replay all;
    all.endpoint = endpoint.id;
    all.since = endpoint.enabled_at;
    ASSERT_TRUE(run(daemon().loop, store::request_replay(daemon().store, Mode::test, partition, all)));
  }
  ASSERT_TRUE(eventually([&] { return merchant.count() == 9; }));
  idle(Milliseconds(1'200));
  EXPECT_EQ(merchant.count(), 9U);
  EXPECT_EQ(merchant.sequences(ben).size() + merchant.sequences(ann).size(), 9U);
}

TEST_F(Webhooks, ArePendingUntilTheyAreTaken) {
  std::atomic<bool> is_broken = true;
  Merchant merchant([&](std::size_t, const Received&) { return status(is_broken ? 500 : 200); });
  const WebhookEndpoint endpoint = add_endpoint(merchant.url(), {"customer.created"});
  daemon().add_customer(1);
  auto pending = [&] {
    auto events = run(daemon().loop, daemon().store.events(Mode::test, std::nullopt, std::nullopt, 10)).value();
    std::vector<std::shared_ptr<const WebhookEndpoint>> endpoints(1, stored(endpoint));
    std::ranges::reverse(events);
    return run(daemon().loop, store::pending_deliveries(daemon().store, Mode::test, endpoints, events)).value();
  };
  EXPECT_THAT(pending(), ElementsAre(1, 0)) << "the card's event is not wanted";
  ASSERT_TRUE(eventually([&] { return daemon().deliveries.numbers().failed == 1; }));
  idle();
  EXPECT_THAT(pending(), ElementsAre(1, 0));
  is_broken = false;
  clock.advance(std::chrono::seconds(5));
  ASSERT_TRUE(eventually([&] { return daemon().deliveries.numbers().delivered == 1; }));
  idle();
  EXPECT_THAT(pending(), ElementsAre(0, 0));
}

TEST_F(Webhooks, LeaveNothingBehindOfAnEndpointThatIsDeleted) {
  Merchant merchant([](std::size_t, const Received&) { return status(500); });
  Merchant other;
  const WebhookEndpoint endpoint = add_endpoint(merchant.url());
  add_endpoint(other.url());
  const AccountKey ann = daemon().add_customer(1);
  const std::uint32_t partition = daemon().store.partition_of(ann);
  auto has_state = [&] {
    return run(daemon().loop, store::load_deliveries(daemon().store, Mode::test, partition))
        .value()
        .contains(endpoint.id);
  };
  ASSERT_TRUE(eventually([&] { return merchant.count() >= 1 && other.count() >= 2; }));
  idle();
  EXPECT_TRUE(has_state());
  ASSERT_TRUE(run(daemon().loop, daemon().catalog.remove<WebhookEndpoint>(Mode::test, *stored(endpoint))));
  idle(Milliseconds(500));
  EXPECT_FALSE(has_state());
}

TEST_F(Webhooks, AreNotSentWithSecretsOfAnotherMaster) {
  Merchant merchant;
  DeliverySettings settings = quick();
  settings.master_secret = "another master secret";
  daemon(settings);
  add_endpoint(merchant.url());
  daemon().add_customer(1);
  idle(Milliseconds(300));
  EXPECT_EQ(merchant.count(), 0U);
}

TEST_F(Webhooks, ReadNothingWithoutEndpoints) {
  daemon();
  idle(Milliseconds(300));
  const auto reads = [&] {
    const std::string info =
        run(daemon().loop, daemon().client.execute(redis::Command("INFO", "commandstats"))).value().text();
    return info.find("cmdstat_xrange") == std::string::npos && info.find("cmdstat_hkeys") == std::string::npos;
  };
  daemon().add_customer(1);
  idle(Milliseconds(300));
  EXPECT_TRUE(reads());
}

}  // namespace
}  // namespace billd::jobs
