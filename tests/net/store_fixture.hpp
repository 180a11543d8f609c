// Stores of several daemons on one Redis, and customers whose lives go through them.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/decide.hpp"
#include "net/store/keys.hpp"
#include "net/store/store.hpp"
#include "tests/net/redis_server.hpp"
#include "tests/net/run.hpp"

namespace billd::store {

inline constexpr Timestamp day_one = from_unix(1'900'000'000);

/// Test accounts by number.
inline AccountKey account_number(std::uint64_t number) { return AccountKey::from_bits(number, number * 7919); }

inline NewSource visa() {
  NewSource source;
  source.gateway = "test";
  source.reference = "tok_visa";
  Card card;
  card.summary = {"Visa", "4242", 12, 2040, "credit", "US", "0123456789abcdef"};
  card.cvc_check = "pass";
  source.means = std::move(card);
  return source;
}

inline CreateCustomer customer_with_card(std::string email, TestClockId clock = {}) {
  CreateCustomer command;
  command.email = std::move(email);
  command.source = visa();
  command.test_clock = std::move(clock);
  return command;
}

inline Subscribe subscribe_monthly(std::int64_t minor = 2000) {
  Subscribe command;
  const PlanId plan("plan_gold");
  const ProductId product("prod_gold");
  command.items.push_back({{plan, product, "Gold", {minor, Currency::of("usd")}, {Interval::month, 1}}, 1, {}});
  return command;
}

/// What `command` makes of the account, ready to be committed.
inline Result<CommitRequest> request_of(const Loaded& loaded, const Command& command, Timestamp now) {
  auto decided = decide(loaded.account, command, now, Rules());
  if (!decided) return decided.error();
  CommitRequest request;
  request.transition = std::move(*decided);
  request.before = loaded.footprint;
  request.now = now;
  return request;
}

/// As a daemon does it, without repeating anything.
inline awaitable<Result<CommitResult>> carry_out(Store& store, Loaded loaded, Command command, Timestamp now) {
  auto request = request_of(loaded, command, now);
  if (!request) co_return request.error();
  co_return co_await store.commit(std::move(*request));
}

inline awaitable<Result<CommitResult>> create_customer(Store& store, AccountKey key, Timestamp now, std::string email,
                                                       TestClockId clock = {}) {
  Loaded fresh;
  fresh.account.key = std::move(key);
  Command command = customer_with_card(std::move(email), std::move(clock));
  co_return co_await carry_out(store, std::move(fresh), std::move(command), now);
}

/// Ticks until nothing is due, and every charge succeeds. The last commit, or the failure that ended it.
inline awaitable<Result<Loaded>> live_until(Store& store, Loaded loaded, Timestamp now) {
  for (;;) {
    std::optional<CommitRequest> request;
    for (const Invoice& invoice : loaded.account.invoices)
      if (const Charge* charge = invoice.unresolved_charge()) {
        const Timestamp then = std::max(charge->created, invoice.created);
        const ChargeOutcome success{ChargeOutcomeKind::succeeded, {}, "test_" + charge->id.value()};
        auto decided = request_of(loaded, RecordChargeOutcome{invoice.id, charge->id, success}, then);
        if (!decided) co_return decided.error();
        request = std::move(*decided);
        break;
      }
    if (!request) {
      const auto due = next_due(loaded.footprint.timers);
      if (!due || *due > now) co_return loaded;
      auto ticked = tick(loaded.account, *due, Rules());
      if (!ticked) co_return ticked.error();
      request.emplace();
      request->transition = std::move(*ticked);
      request->before = loaded.footprint;
      request->now = *due;
    }
    auto committed = co_await store.commit(std::move(*request));
    if (!committed) co_return committed.error();
    if (committed->status != CommitStatus::committed) co_return Failure{Errc::conflict, "somebody else was first"};
    loaded = std::move(committed->loaded);
  }
}

/// A customer with a card and a subscription whose first payment has succeeded.
inline awaitable<Result<Loaded>> create_subscriber(Store& store, AccountKey key, Timestamp now, std::string email,
                                                   TestClockId clock = {}) {
  auto created = co_await create_customer(store, std::move(key), now, std::move(email), std::move(clock));
  if (!created) co_return created.error();
  Command subscribe = subscribe_monthly();
  auto subscribed = co_await carry_out(store, std::move(created->loaded), std::move(subscribe), now);
  if (!subscribed) co_return subscribed.error();
  co_return co_await live_until(store, std::move(subscribed->loaded), now);
}

/// The client and the store of one daemon.
struct Daemon {
  Daemon(asio::io_context& loop, redis::Address address, redis::ClientSettings client_settings,
         StoreSettings store_settings, std::optional<Acknowledged> seen)
      : client(loop.get_executor(), std::move(address), client_settings),
        store(loop.get_executor(), client, store_settings) {
    if (seen) store.expect(std::move(*seen));
    client.on_connected([this](redis::Connection& connection) { return store.prepare(connection); });
    client.start();
  }

  redis::Client client;
  Store store;
};

class StoreTest : public testing::Test {
 protected:
  explicit StoreTest(std::vector<std::string> redis_lines = {}) : server(std::move(redis_lines)) {
    settings.partitions = 4;
    client_settings.backoff_min = Milliseconds(5);
    client_settings.backoff_max = Milliseconds(20);
  }

  void TearDown() override {
    for (auto& daemon : daemons_) run(loop, daemon->client.stop());
    daemons_.clear();
  }

  /// One more daemon, connected; `seen` is what its process before it saw acknowledged.
  Daemon& start_daemon(std::optional<Acknowledged> seen = std::nullopt) {
    Daemon& daemon = *daemons_.emplace_back(
        std::make_unique<Daemon>(loop, server.address(), client_settings, settings, std::move(seen)));
    auto ready = run(loop, daemon.client.ready(std::chrono::seconds(20)));
    EXPECT_TRUE(ready) << ready.error().detail;
    return daemon;
  }
  void stop_daemon(Daemon& daemon) {
    run(loop, daemon.client.stop());
    std::erase_if(daemons_, [&](const auto& each) { return each.get() == &daemon; });
  }
  /// The first one, started when it is first asked for.
  Daemon& daemon() { return daemons_.empty() ? start_daemon() : *daemons_.front(); }
  Store& store() { return daemon().store; }

  template <class T>
  T await(awaitable<T> work) {
    return run(loop, std::move(work));
  }

  /// The reply to a command, past the store.
  template <class... Arguments>
  redis::Reply ask(std::string_view name, Arguments&&... arguments) {
    redis::Command command(name, std::forward<Arguments>(arguments)...);
    auto reply = await(daemon().client.execute(std::move(command)));
    EXPECT_TRUE(reply) << name << ": " << reply.error().detail;
    return reply ? std::move(*reply) : redis::Reply();
  }

  /// Every key with its value and its type, to tell whether anything was written.
  std::map<std::string, std::string> everything() {
    std::map<std::string, std::string> contents;
    const redis::Reply keys = ask("KEYS", "*");
    for (const redis::Reply& key : keys.elements()) contents[key.text()] = ask("DUMP", key.text()).text();
    return contents;
  }

  std::string prefix_of(const AccountKey& key, Mode mode = Mode::test) {
    return prefix(mode, store().partition_of(key));
  }

  /// The `number`-th account in the partition.
  AccountKey account_in(std::uint32_t partition, std::uint64_t number) {
    for (std::uint64_t candidate = 1;; ++candidate)
      if (store().partition_of(account_number(candidate)) == partition && number-- == 0)
        return account_number(candidate);
  }

  /// Commits what the command makes of the account, and returns the account afterwards.
  Loaded committed(Loaded before, Command command, Timestamp now = day_one) {
    auto result = await(carry_out(store(), std::move(before), std::move(command), now));
    if (!result || result->status != CommitStatus::committed) {
      ADD_FAILURE() << "not committed: " << (result ? "conflict" : result.error().detail);
      return {};
    }
    return std::move(result->loaded);
  }
  Loaded customer(const AccountKey& key, std::string email = "ann@example.com", TestClockId clock = {}) {
    auto created = await(create_customer(store(), key, day_one, std::move(email), std::move(clock)));
    EXPECT_TRUE(created) << created.error().detail;
    return created ? std::move(created->loaded) : Loaded();
  }
  Loaded subscriber(const AccountKey& key, std::string email = "ann@example.com", TestClockId clock = {}) {
    auto created = await(create_subscriber(store(), key, day_one, std::move(email), std::move(clock)));
    EXPECT_TRUE(created) << created.error().detail;
    return created ? std::move(*created) : Loaded();
  }
  Loaded renewed_until(Loaded loaded, Timestamp now) {
    auto lived = await(live_until(store(), std::move(loaded), now));
    EXPECT_TRUE(lived) << lived.error().detail;
    return lived ? std::move(*lived) : Loaded();
  }

  /// The names of the events of all accounts, oldest first.
  std::vector<std::string> event_names(Mode mode = Mode::test) {
    auto events = await(store().events(mode, std::nullopt, std::nullopt, 100'000));
    EXPECT_TRUE(events) << events.error().detail;
    std::vector<std::string> names;
    for (auto event = events->rbegin(); event != events->rend(); ++event)
      names.emplace_back(to_text(event->event().type));
    return names;
  }

  std::vector<std::string> listed(Index index, Page page = {}) {
    page.limit = 100'000;
    auto members = await(store().list(Mode::test, index, page));
    EXPECT_TRUE(members) << members.error().detail;
    std::vector<std::string> texts;
    for (const ListedMember& member : *members) texts.push_back(member.member);
    return texts;
  }

  RedisServer server;
  asio::io_context loop{1};
  StoreSettings settings;
  redis::ClientSettings client_settings;

 private:
  std::vector<std::unique_ptr<Daemon>> daemons_;
};

}  // namespace billd::store
