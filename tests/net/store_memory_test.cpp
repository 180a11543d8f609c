// What a customer and an invoice cost of Redis' memory, in the configuration of the embedded server.
#include <gtest/gtest.h>

#include <cstdio>

#include "net/redis/embedded.hpp"
#include "tests/net/store_fixture.hpp"

namespace billd::store {
namespace {

constexpr std::uint64_t customers = 600;
constexpr std::uint64_t months = 12;

awaitable<> begin(Store& store, std::uint64_t number, std::string& failure) {
  std::string email = "customer." + std::to_string(number) + "@example.com";
  auto created = co_await create_subscriber(store, account_number(number), day_one, std::move(email));
  if (!created) failure = created.error().detail;
}

awaitable<> live(Store& store, std::uint64_t number, std::string& failure) {
  const Timestamp end = boundary(day_one, Recurrence(), months) + std::chrono::hours(2);
  auto loaded = co_await store.load(Mode::test, account_number(number));
  if (loaded) loaded = co_await live_until(store, std::move(*loaded), end);
  if (!loaded) failure = loaded.error().detail;
}

class Memory : public testing::Test {
 protected:
  void SetUp() override {
    redis::EmbeddedSettings embedded_settings;
    embedded_settings.directory = directory_.path();
    embedded_ = std::make_unique<redis::EmbeddedServer>(loop_.get_executor(), embedded_settings);
    auto started = run(loop_, embedded_->start());
    ASSERT_TRUE(started) << started.error().detail;
    daemon_ =
        std::make_unique<Daemon>(loop_, embedded_->address(), redis::ClientSettings(), StoreSettings(), std::nullopt);
    auto ready = run(loop_, daemon_->client.ready(std::chrono::seconds(20)));
    ASSERT_TRUE(ready) << ready.error().detail;
  }

  void TearDown() override {
    run(loop_, daemon_->client.stop());
    run(loop_, embedded_->stop());
  }

  Store& store() { return daemon_->store; }

  /// Bytes in use, without what the events take: they go after their retention.
  std::int64_t used_without_events() {
    std::int64_t events = 0;
    for (std::uint32_t partition = 0; partition < store().partitions(); ++partition) {
      redis::Command usage("MEMORY", "USAGE", events_key(prefix(Mode::test, partition)), "SAMPLES", 0);
      auto reply = run(loop_, daemon_->client.execute(std::move(usage)));
      if (reply && reply->is_integer()) events += reply->integer();
    }
    events_ = events;
    auto information = run(loop_, daemon_->client.execute(redis::Command("MEMORY", "STATS")));
    const auto& fields = information->elements();
    std::int64_t total = 0, overhead = 0;
    for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
      if (fields[i].text() == "total.allocated") total = fields[i + 1].integer();
      // What clients and the append-only file hold for the moment belongs to no customer.
      for (const char* passing : {"clients.normal", "aof.buffer", "replication.backlog"})
        if (fields[i].text() == passing) overhead += fields[i + 1].integer();
    }
    return total - overhead - events;
  }

  void for_all(awaitable<> (*each)(Store&, std::uint64_t, std::string&)) {
    Tasks tasks(loop_.get_executor());
    std::string failure;
    for (std::uint64_t number = 1; number <= customers; ++number)
      tasks.spawn("customer", each(store(), number, failure));
    ASSERT_TRUE(run_until(loop_, [&] { return tasks.running() == 0; }));
    ASSERT_EQ(failure, "");
  }

  std::uint64_t events_emitted() {
    auto loaded = run(loop_, store().load(Mode::test, account_number(1)));
    return loaded->account.events;
  }

  asio::io_context loop_{1};
  TemporaryDirectory directory_;
  std::unique_ptr<redis::EmbeddedServer> embedded_;
  std::unique_ptr<Daemon> daemon_;
  std::int64_t events_ = 0;
};

TEST_F(Memory, OfACustomerAndOfAnInvoiceIsWithinItsLimits) {
  const std::int64_t empty = used_without_events();
  for_all(begin);
  const std::int64_t begun = used_without_events();
  const auto per_customer = (begun - empty) / static_cast<std::int64_t>(customers);
  for_all(live);
  const std::int64_t lived = used_without_events();
  const auto per_invoice = (lived - begun) / static_cast<std::int64_t>(customers * months);
  const auto per_event = events_ / static_cast<std::int64_t>(customers * events_emitted());
  std::printf("customer with card, subscription and first invoice: %ld bytes\n", per_customer);
  std::printf("closed invoice with its charge: %ld bytes\n", per_invoice);
  std::printf("event, while it is kept: %ld bytes\n", per_event);
  RecordProperty("bytes_per_customer", std::to_string(per_customer));
  RecordProperty("bytes_per_closed_invoice", std::to_string(per_invoice));
  RecordProperty("bytes_per_event", std::to_string(per_event));
  EXPECT_LE(per_customer, 2048);
  // Two thirds of it are the two places in the lists of invoices and of charges: about 100 bytes each.
  EXPECT_LE(per_invoice, 350);
}

}  // namespace
}  // namespace billd::store
