// Redis dies in the middle, comes back with less, or is a cluster: nothing acknowledged is lost or done twice, or it is
// told.
#include <gmock/gmock.h>
#include <netinet/in.h>

#include <algorithm>
#include <random>

#include "tests/net/store_fixture.hpp"

namespace billd::store {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;

const std::vector<std::string> durable = {"appendonly yes", "appendfsync always"};

class KilledRedis : public StoreTest {
 protected:
  KilledRedis() : StoreTest(durable) {}

  struct Writer {
    AccountKey key;
    int begun = 0;         ///< the number that the latest commit writes
    int acknowledged = 0;  ///< the highest number whose commit was acknowledged
    std::string failure;   ///< what must not happen
  };

  /// Counts the customer's name up, one commit for each number; what is unknown is looked up before it is repeated.
  awaitable<> count_up(Writer& writer, const bool& enough) {
    auto created = co_await create_customer(store(), writer.key, day_one, "ann@example.com");
    while (!created || !enough) {
      auto loaded = co_await store().load(Mode::test, writer.key);
      if (!loaded && loaded.error().code == Errc::not_found) {
        created = co_await create_customer(store(), writer.key, day_one, "ann@example.com");
        continue;
      }
      if (!loaded) {
        if (loaded.error().code != Errc::unavailable) writer.failure = loaded.error().detail;
        continue;
      }
      const std::string& name = loaded->account.customer.name;
      const int stored = name.empty() ? 0 : std::stoi(name);
      if (stored < writer.acknowledged) writer.failure = "an acknowledged commit is lost";
      if (stored > writer.begun) writer.failure = "a commit that nobody asked for";
      if (enough) co_return;
      writer.begun = stored + 1;
      UpdateCustomer update;
      update.name = std::to_string(writer.begun);
      Command command = update;
      auto committed = co_await carry_out(store(), std::move(*loaded), std::move(command), day_one);
      if (committed && committed->status == CommitStatus::committed) {
        writer.acknowledged = writer.begun;
        total += 1;
      } else if (committed) {
        writer.failure = "the only writer of the account met another";
      } else if (!is_transient(committed.error().code)) {
        writer.failure = committed.error().detail;
      }
    }
  }

  int total = 0;  ///< commits acknowledged
};

TEST_F(KilledRedis, LosesNothingThatWasAcknowledgedAndDoesNothingTwice) {
  constexpr int rounds = 8;
  std::vector<Writer> writers(100);
  store();
  bool enough = false;
  Tasks tasks(loop.get_executor());
  for (std::size_t i = 0; i < writers.size(); ++i) {
    writers[i].key = account_number(i + 1);
    tasks.spawn("writer", count_up(writers[i], enough));
  }
  std::minstd_rand dice(1);
  for (int round = 0; round < rounds; ++round) {
    const int goal = total + 200 + static_cast<int>(dice() % 500);
    ASSERT_TRUE(run_until(loop, [&] { return total >= goal; }));
    server.kill();
    server.start();
  }
  const int goal = total + 200;
  ASSERT_TRUE(run_until(loop, [&] { return total >= goal; }));
  enough = true;
  ASSERT_TRUE(run_until(loop, [&] { return tasks.running() == 0; }));

  EXPECT_THAT(store().data_loss(), IsEmpty());
  std::map<AccountKey, std::vector<std::uint64_t>> sequences;
  auto events = await(store().events(Mode::test, std::nullopt, std::nullopt, 1'000'000));
  ASSERT_TRUE(events) << events.error().detail;
  for (auto event = events->rbegin(); event != events->rend(); ++event)
    sequences[event->batch->key].push_back(event->batch->sequence + event->position.index);
  for (const Writer& writer : writers) {
    EXPECT_EQ(writer.failure, "");
    auto loaded = await(store().load(Mode::test, writer.key));
    ASSERT_TRUE(loaded) << loaded.error().detail;
    const int stored = std::stoi(loaded->account.customer.name);
    EXPECT_GE(stored, writer.acknowledged);
    EXPECT_LE(stored, writer.begun);
    std::vector<std::uint64_t> expected(loaded->account.events);
    for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = i + 1;
    EXPECT_EQ(sequences[writer.key], expected) << "each event once, and none is missing";
    EXPECT_EQ(static_cast<std::uint64_t>(stored) + 2, loaded->account.events);
  }
}

class LostData : public StoreTest {
 protected:
  LostData() : StoreTest(durable) {}

  void customers(std::uint64_t first, std::uint64_t last) {
    for (std::uint64_t number = first; number <= last; ++number) customer(account_number(number));
  }
};

TEST_F(LostData, IsNotSeenWhereNothingIsLost) {
  customers(1, 10);
  const Acknowledged before = store().acknowledged();
  server.kill();
  server.start();
  customers(11, 12);
  EXPECT_THAT(store().data_loss(), IsEmpty());
  Daemon& next = start_daemon(before);
  EXPECT_THAT(next.store.data_loss(), IsEmpty());
  EXPECT_EQ(next.store.acknowledged().data_set, before.data_set);
}

TEST_F(LostData, IsSeenWhenAnOlderCopyIsRestored) {
  customers(1, 4);
  server.kill();
  const auto copy = server.directory() / "copy", data = server.directory() / "appendonlydir";
  std::filesystem::copy(data, copy, std::filesystem::copy_options::recursive);
  server.start();
  customers(5, 20);
  const Acknowledged before = store().acknowledged();
  server.kill();
  std::filesystem::remove_all(data);
  std::filesystem::rename(copy, data);
  server.start();
  // The daemon that runs on notices it with its next connection, and the one that starts by what it was told.
  await(store().load(Mode::test, account_number(1)));
  EXPECT_THAT(store().data_loss(), HasSubstr("had been acknowledged"));
  Daemon& next = start_daemon(before);
  EXPECT_THAT(next.store.data_loss(), HasSubstr("had been acknowledged"));

  // It is kept in mind, also when there have been as many new commits as had been lost.
  customers(21, 60);
  Daemon& later = start_daemon(Acknowledged::parse(next.store.acknowledged().to_text()));
  EXPECT_THAT(later.store.data_loss(), HasSubstr("some time ago"));
  later.store.accept_data_loss();
  EXPECT_THAT(later.store.data_loss(), IsEmpty());
  Daemon& reconciled = start_daemon(Acknowledged::parse(later.store.acknowledged().to_text()));
  EXPECT_THAT(reconciled.store.data_loss(), IsEmpty());
}

TEST_F(LostData, IsSeenWhenRedisComesBackEmpty) {
  customers(1, 10);
  const Acknowledged before = store().acknowledged();
  ask("FLUSHALL");
  Daemon& next = start_daemon(before);
  EXPECT_THAT(next.store.data_loss(), HasSubstr("another data set"));
  EXPECT_TRUE(next.store.acknowledged().lost);
}

TEST_F(LostData, IsSeenByTheCountsOfCommitsAlone) {
  customers(1, 10);
  const Acknowledged before = store().acknowledged();
  const auto most = std::ranges::max_element(before.commits) - before.commits.begin();
  ask("DECR", commits_key(static_cast<std::uint32_t>(most)));
  Daemon& next = start_daemon(before);
  EXPECT_THAT(next.store.data_loss(), HasSubstr("partition " + std::to_string(most) + " came back with"));
}

TEST_F(LostData, OfTheDataSetsDescriptionIsCorruptAndNotMended) {
  store();
  ask("HDEL", data_set_key, "partitions");
  Daemon next(loop, server.address(), client_settings, settings, std::nullopt);
  auto ready = await(next.client.ready(Milliseconds(200)));
  EXPECT_THAT(ready.error().detail, HasSubstr("is not billd's"));
  await(next.client.stop());
  EXPECT_TRUE(ask("HGET", data_set_key, "partitions").is_nil());
}

TEST(AcknowledgedText, IsReadBack) {
  for (const Acknowledged& written :
       {Acknowledged{"set", {}, false}, Acknowledged{"set", {0, 1, ~std::uint64_t{0}}, false},
        Acknowledged{"set", {7}, true}}) {
    auto read = Acknowledged::parse(written.to_text() + "\n");
    ASSERT_TRUE(read) << written.to_text();
    EXPECT_EQ(read->data_set, written.data_set);
    EXPECT_EQ(read->commits, written.commits);
    EXPECT_EQ(read->lost, written.lost);
  }
  for (const char* text : {"", "\n", "  ", "set 1 two", "set -1", "set 1.5", "set 99999999999999999999"})
    EXPECT_FALSE(Acknowledged::parse(text)) << text;
}

/// A port that was free a moment ago: a cluster's node wants one for its bus even if it listens only on a Unix socket.
std::uint16_t free_port() {
  const int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  void* generic = &address;
  bind(descriptor, static_cast<sockaddr*>(generic), size);
  getsockname(descriptor, static_cast<sockaddr*>(generic), &size);
  close(descriptor);
  return ntohs(address.sin_port);
}

/// One node with all slots: it refuses whatever touches two slots at once, or a key that was not declared.
class OnACluster : public StoreTest {
 protected:
  OnACluster()
      : StoreTest({"cluster-enabled yes", "bind 127.0.0.1", "port " + std::to_string(free_port()),
                   "cluster-port " + std::to_string(free_port())}) {
    asio::io_context once(1);
    redis::Traffic traffic;
    auto connection = run(once, redis::Connection::open(server.address(), {}, traffic));
    auto assigned = run(once, (*connection)->execute(redis::Command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)));
    EXPECT_TRUE(assigned) << assigned.error().detail;
    client_settings.backoff_max = Milliseconds(50);
  }
};

TEST_F(OnACluster, EveryCallKeepsToOneSlot) {
  auto lease = await(store().take_lease(1, {}, "me", "1"));
  ASSERT_TRUE(lease) << lease.error().detail;
  EXPECT_TRUE(await(store().renew_leases({{1, lease->epoch}})));
  EXPECT_TRUE(await(store().release_lease(1, lease->epoch)));
  EXPECT_TRUE(await(store().leases()));
  for (std::uint64_t number = 1; number <= 8; ++number) {
    const AccountKey key = account_number(number);
    const TestClockId clock(number % 2 == 0 ? "" : "clock_one");
    Loaded loaded = subscriber(key, "ann@example.com", clock);
    loaded = renewed_until(std::move(loaded), day_one + std::chrono::days(70));
    EXPECT_TRUE(await(store().park({Mode::test, key, day_one, "why"}, clock)));
    EXPECT_TRUE(await(store().unpark(Mode::test, key)));
    CommitRequest request = *request_of(loaded, DeleteCustomer(), day_one);
    request.idempotency = IdempotencyWrite{"hash", "u", false};
    EXPECT_TRUE(await(store().commit(request)));
  }
  EXPECT_TRUE(await(store().list(Mode::test, Index::customers, {})));
  EXPECT_TRUE(await(store().due(1, day_one, 10)));
}

}  // namespace
}  // namespace billd::store
