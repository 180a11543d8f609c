// A daemon's inside for tests: everything but the listeners, on a loop of its own, so that it can be frozen and killed.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "jobs/executor.hpp"
#include "jobs/partitions.hpp"
#include "jobs/scheduler.hpp"
#include "net/gateways/test_gateway.hpp"
#include "tests/net/redis_server.hpp"
#include "tests/net/run.hpp"

namespace billd::jobs {

/// Noon of a day on which nothing special happens.
inline constexpr Timestamp start_of_test = from_unix(1'795'262'400);  // 2026-11-21

inline RedisServer durable_redis() { return RedisServer({"appendonly yes", "appendfsync always"}); }

/// Stands before the test gateway and can swallow charges: instead of them, or the answers to them.
class FaultyGateway final : public gateways::Gateway {
 public:
  enum class Fault { none, swallow_request, swallow_answer, forget_answer };

  FaultyGateway(Executor executor, std::unique_ptr<gateways::Gateway> inner)
      : inner_(std::move(inner)), held_(executor, SteadyClock::time_point::max()) {}

  awaitable<Result<NewSource>> describe_source(Mode mode, std::string token) override {
    return inner_->describe_source(mode, std::move(token));
  }
  awaitable<ChargeOutcome> charge(gateways::ChargeRequest request) override {
    ++charges;
    const Fault now = fault;
    ChargeOutcome outcome;
    if (now == Fault::swallow_request) co_await hold();
    outcome = co_await inner_->charge(std::move(request));
    if (now == Fault::swallow_answer) co_await hold();
    if (now == Fault::forget_answer) outcome = ChargeOutcome();
    co_return outcome;
  }
  awaitable<ChargeOutcome> look_up(gateways::ChargeRequest request) override {
    ++look_ups;
    return inner_->look_up(std::move(request));
  }

  awaitable<RefundOutcome> refund(gateways::RefundRequest request) override {
    ++refunds;
    const Fault now = fault;
    RefundOutcome outcome;
    if (now == Fault::swallow_request) co_await hold();
    outcome = co_await inner_->refund(std::move(request));
    if (now == Fault::swallow_answer) co_await hold();
    if (now == Fault::forget_answer) outcome = RefundOutcome();
    co_return outcome;
  }
  awaitable<RefundOutcome> look_up_refund(gateways::RefundRequest request) override {
    return inner_->look_up_refund(std::move(request));
  }

  /// Lets go of what it holds: requests and answers go on their way.
  void let_go() { held_.cancel(); }

  Fault fault = Fault::none;
  int charges = 0, look_ups = 0, refunds = 0, held = 0;

 private:
  awaitable<> hold() {
    ++held;
    [[maybe_unused]] auto [ended] = co_await held_.async_wait(nothrow);
    --held;
  }

  std::unique_ptr<gateways::Gateway> inner_;
  Timer held_;
};

struct DaemonOptions {
  std::string name = "daemon";
  Rules rules;
  JobSettings jobs;
  LeaseTimes leases{Milliseconds(400), Milliseconds(1500)};
  std::uint32_t partitions = 4;

  DaemonOptions() {
    rules.invoice_finalize_delay = Duration(0);
    jobs.poll_interval = Milliseconds(20);
  }
};

class Daemon {
 public:
  Daemon(const RedisServer& server, const Clock& clock, const DaemonOptions& options = DaemonOptions())
      : client(loop.get_executor(), server.address(), quick_client()),
        store(loop.get_executor(), client, store_settings(options)),
        catalog(loop.get_executor(), client, store, server.address()),
        accounts(loop.get_executor(), clock, store, catalog, gateways, options.rules, options.jobs),
        partitions(loop.get_executor(), store, options.name, options.leases),
        scheduler(loop.get_executor(), clock, store, catalog, accounts, partitions, options.jobs) {
    auto inner = std::make_unique<gateways::TestGateway>(loop.get_executor(), store, Milliseconds(0));
    auto faulty = std::make_unique<FaultyGateway>(loop.get_executor(), std::move(inner));
    gateway = faulty.get();
    gateways.add("test", std::move(faulty));
    client.on_connected([this](redis::Connection& connection) { return store.prepare(connection); });
    client.start();
    EXPECT_TRUE(run(loop, client.ready(Milliseconds(20'000))));
    EXPECT_TRUE(run(loop, catalog.start()));
  }

  ~Daemon() { EXPECT_TRUE(is_stopped) << "stop() or kill() it"; }

  void start() {
    scheduler.start();
    partitions.start();
    is_started = true;
  }

  void stop() {
    if (is_started) {
      EXPECT_TRUE(run(loop, scheduler.stop(Milliseconds(20'000))));
      run(loop, partitions.stop());
    }
    run(loop, catalog.stop());
    run(loop, client.stop());
    is_stopped = true;
  }

  /// The daemon never moves again. To the others that is what a kill looks like.
  static void kill(std::unique_ptr<Daemon> daemon) {
    static auto& dead = *new std::vector<std::unique_ptr<Daemon>>();  // lives on, for its loop has work under way
    dead.push_back(std::move(daemon));
  }

  /// Executes a command; the rendered answer tells the account's state.
  Result<api::Billing::Executed> execute(AccountKey account, Command command, std::string idempotency_key = {},
                                         Mode mode = Mode::test) {
    return run(loop,
               accounts.execute(execution(std::move(account), std::move(command), std::move(idempotency_key), mode)));
  }

  static api::Execution execution(AccountKey account, Command command, std::string idempotency_key, Mode mode) {
    return {mode, std::move(account), std::move(command), render, {"req_test", std::move(idempotency_key)}};
  }

  static api::Answer render(const Transition& transition) {
    std::string body = transition.subject;
    auto add = [&body](const Invoice& invoice) {
      body.append(" invoice ").append(std::to_string(invoice.ordinal)).append("/");
      body.append(std::to_string(static_cast<int>(invoice.status)));
      if (invoice.unresolved_charge() != nullptr) body.append(" unresolved");
    };
    for (const Subscription& subscription : transition.account.subscriptions)
      body.append(" subscription/").append(std::to_string(static_cast<int>(subscription.status)));
    for (const Invoice& invoice : transition.account.invoices) add(invoice);
    for (const Record& record : transition.settled)
      if (const auto* invoice = std::get_if<Invoice>(&record)) add(*invoice);
    return {200, body};
  }

  Account load(const AccountKey& key) { return run(loop, store.load(Mode::test, key)).value().account; }

  /// A customer who pays with the token's card.
  AccountKey add_customer(std::uint64_t number, std::string token = "tok_visa", TestClockId clock = {}) {
    const AccountKey key = AccountKey::from_bits(fnv1a(std::to_string(number)), number);
    CreateCustomer create;
    create.source = run(loop, gateway->describe_source(Mode::test, std::move(token))).value();
    create.test_clock = std::move(clock);
    const auto created = execute(key, std::move(create));
    EXPECT_TRUE(created) << created.error().detail;
    return key;
  }

  static Subscribe subscription(Interval interval = Interval::day) {
    NewSubscriptionItem item;
    item.price.id = PlanId("plan_gold");
    item.price.unit_amount = {2000, Currency::of("usd")};
    item.price.recurrence = {interval, 1};
    Subscribe subscribe;
    subscribe.items.push_back(std::move(item));
    return subscribe;
  }

  /// A customer with a subscription that has been paid for.
  AccountKey add_subscriber(std::uint64_t number, Interval interval = Interval::day, TestClockId clock = {}) {
    const AccountKey key = add_customer(number, "tok_visa", std::move(clock));
    const auto subscribed = execute(key, subscription(interval));
    EXPECT_TRUE(subscribed) << subscribed.error().detail;
    return key;
  }

  std::vector<gateways::LedgerEntry> ledger() { return run(loop, gateways::read_ledger(client)).value(); }

  /// Charges that succeeded, by account; no invoice may have been charged twice.
  std::map<std::string, std::size_t> successes() {
    std::map<std::string, std::size_t> by_account;
    std::set<std::string> invoices;
    for (const auto& entry : ledger()) {
      if (!entry.succeeded() || entry.is_refund()) continue;
      EXPECT_TRUE(invoices.insert(entry.invoice).second) << entry.invoice << " was charged twice";
      ++by_account[entry.account];
    }
    return by_account;
  }
  std::size_t successes(const AccountKey& account) { return successes()[account.value()]; }

  /// The settled invoices of the account's subscription, by ordinal.
  std::vector<Invoice> paid_invoices(const AccountKey& account) {
    auto fields = run(loop, store.record_fields(Mode::test, account)).value();
    std::erase_if(fields, [](const std::string& field) { return !field.starts_with('i'); });
    std::vector<Invoice> invoices;
    for (Record& record : run(loop, store.load_records(Mode::test, account, std::move(fields))).value())
      if (auto* invoice = std::get_if<Invoice>(&record); invoice != nullptr && invoice->status == InvoiceStatus::paid)
        invoices.push_back(std::move(*invoice));
    std::ranges::sort(invoices, {}, &Invoice::ordinal);
    return invoices;
  }

  /// Does what is due of the account now, as the scheduler would.
  Result<Progress> run_due(const AccountKey& account) {
    Job job;
    job.account = {Mode::test, account};
    job.fence = take_partition(account);
    return run(loop, accounts.run_due(std::move(job)));
  }

  /// The right to work on the account's partition, without Partitions.
  store::Fence take_partition(const AccountKey& account) {
    const std::uint32_t partition = store.partition_of(account);
    const auto seen = run(loop, store.leases()).value()[partition];
    if (seen.owner == "by hand") return {seen.epoch};
    return {run(loop, store.take_lease(partition, seen, "by hand", "1")).value().epoch};
  }

  asio::io_context loop{1};
  redis::Client client;
  store::Store store;
  store::Catalog catalog;
  gateways::Gateways gateways;
  FaultyGateway* gateway = nullptr;
  AccountExecutor accounts;
  Partitions partitions;
  Scheduler scheduler;
  Tasks tasks{loop.get_executor()};  ///< what a test began and does not wait for
  bool is_started = false, is_stopped = false;

 private:
  static redis::ClientSettings quick_client() {
    redis::ClientSettings settings;
    settings.backoff_min = Milliseconds(5);
    settings.backoff_max = Milliseconds(50);
    return settings;
  }
  static store::StoreSettings store_settings(const DaemonOptions& options) {
    store::StoreSettings settings;
    settings.partitions = options.partitions;
    settings.batch_max = options.jobs.batch_max;
    return settings;
  }
};

using billd::run_until;

/// Runs the daemons side by side until the condition holds; false when it does not within the limit.
template <class Condition>
bool run_until(const std::vector<Daemon*>& daemons, Condition condition, Milliseconds limit = Milliseconds(60'000)) {
  const auto until = SteadyClock::now() + limit;
  while (!condition()) {
    if (SteadyClock::now() >= until) return false;
    for (Daemon* daemon : daemons) {
      daemon->loop.restart();
      daemon->loop.run_one_for(Milliseconds(1));
      daemon->loop.poll();
    }
  }
  return true;
}

}  // namespace billd::jobs
