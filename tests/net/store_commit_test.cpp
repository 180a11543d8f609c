// What a commit leaves in Redis, and that it leaves nothing when it is refused.
#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "net/store/idempotency.hpp"
#include "tests/net/store_fixture.hpp"

namespace billd::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Commit : public StoreTest {
 protected:
  using StoreTest::StoreTest;

  /// Queues and indexes of the partition hold what the accounts' states say, and nothing else; a parked account is in
  /// no queue.
  void expect_in_place(const std::vector<AccountKey>& keys, const std::set<AccountKey>& parked = {}) {
    std::map<std::string, std::string> expected, found;
    for (const AccountKey& key : keys) {
      auto loaded = await(store().load(Mode::test, key));
      ASSERT_TRUE(loaded) << loaded.error().detail;
      const std::string keys_prefix = prefix_of(key);
      IndexEntries entries = loaded->footprint.entries;
      for (const Record& record : records_of(key)) {
        const IndexEntries more = index_entries(key, record);
        entries.insert(entries.end(), more.begin(), more.end());
      }
      for (const IndexEntry& entry : entries)
        expected[index_key(keys_prefix, entry.index, entry.qualifier) + " " + entry.member] =
            std::to_string(entry.score);
      if (parked.contains(key)) continue;
      const TestClockId& clock = loaded->footprint.test_clock;
      if (!clock.is_empty()) {
        if (auto due = next_due(loaded->footprint.timers))
          expected[clock_queue_key(keys_prefix, clock) + " " + key.value()] = score(*due);
      } else {
        for (std::size_t queue = 0; queue < queue_count; ++queue)
          if (const auto& due = loaded->footprint.timers[queue])
            expected[queue_key(keys_prefix, static_cast<Queue>(queue)) + " " + key.value()] = score(*due);
      }
    }
    const redis::Reply names = ask("KEYS", "t:{p*}:[xqc]:*");
    for (const redis::Reply& name : names.elements()) {
      const redis::Reply members = ask("ZRANGE", name.text(), 0, -1, "WITHSCORES");
      for (std::size_t i = 0; i + 1 < members.elements().size(); i += 2)
        found[name.text() + " " + members.elements()[i].text()] = members.elements()[i + 1].text();
    }
    EXPECT_EQ(found, expected);
  }

  std::vector<Record> records_of(const AccountKey& key) {
    auto fields = await(store().record_fields(Mode::test, key));
    EXPECT_TRUE(fields) << fields.error().detail;
    std::erase_if(*fields, [](const std::string& field) { return field.front() == 'c'; });
    auto records = await(store().load_records(Mode::test, key, *fields));
    EXPECT_TRUE(records) << records.error().detail;
    return *records;
  }

  std::uint64_t commits_counted() {
    const Acknowledged acknowledged = store().acknowledged();
    std::uint64_t sum = 0;
    for (std::uint64_t count : acknowledged.commits) sum += count;
    return sum;
  }

  /// Two commits that are asked for in one turn of the loop, and so go out in one call.
  std::vector<Result<CommitResult>> commit_together(std::vector<CommitRequest> requests, Store& through) {
    std::vector<std::optional<Result<CommitResult>>> results(requests.size());
    Tasks tasks(loop.get_executor());
    for (std::size_t i = 0; i < requests.size(); ++i) {
      auto one = [](Store& to, CommitRequest request, std::optional<Result<CommitResult>>& result) -> awaitable<> {
        result.emplace(co_await to.commit(std::move(request)));
      };
      tasks.spawn("commit", one(through, std::move(requests[i]), results[i]));
    }
    EXPECT_TRUE(run_until(loop, [&tasks] { return tasks.running() == 0; }));
    std::vector<Result<CommitResult>> answers;
    for (auto& result : results) answers.push_back(std::move(*result));
    return answers;
  }

  static std::string score(Timestamp time) { return std::to_string(time.time_since_epoch().count()); }

  static UpdateCustomer rename(std::string name) {
    UpdateCustomer command;
    command.name = std::move(name);
    return command;
  }

  const AccountKey ann = account_number(1);
};

TEST_F(Commit, OfANewAccountStoresItWithItsEvents) {
  const Loaded created = customer(ann);
  auto loaded = await(store().load(Mode::test, ann));
  ASSERT_TRUE(loaded) << loaded.error().detail;
  EXPECT_EQ(loaded->account, created.account);
  EXPECT_EQ(loaded->account.version >> 24, 1U);
  EXPECT_THAT(event_names(), ElementsAre("customer.created", "customer.source.created"));
  expect_in_place({ann});
  EXPECT_EQ(commits_counted(), 1U);

  auto live = await(store().load(Mode::live, ann));
  EXPECT_EQ(live.error().code, Errc::not_found) << "the modes share nothing";
}

TEST_F(Commit, OfANewAccountConflictsWithTheOneThatExists) {
  customer(ann);
  const auto before = everything();
  auto again = await(create_customer(store(), ann, day_one, "bob@example.com"));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->status, CommitStatus::conflict);
  EXPECT_EQ(everything(), before);
}

TEST_F(Commit, MovesWhatIsSettledToTheRecords) {
  const Loaded subscribed = subscriber(ann);
  EXPECT_THAT(subscribed.account.invoices, IsEmpty()) << "the first invoice is paid";
  const std::vector<Record> records = records_of(ann);
  ASSERT_EQ(records.size(), 1U);
  const Invoice& invoice = std::get<Invoice>(records[0]);
  EXPECT_EQ(invoice.status, InvoiceStatus::paid);
  auto one = await(store().load_record(Mode::test, ann, record_field(ann, invoice.id)));
  ASSERT_TRUE(one);
  EXPECT_EQ(std::get<Invoice>(*one), invoice);
  auto owner = await(store().invoice_of_charge(Mode::test, ann, invoice.charges.at(0).id));
  ASSERT_TRUE(owner);
  EXPECT_EQ(*owner, invoice.id);
  EXPECT_EQ(await(store().invoice_of_charge(Mode::test, ann, ChargeId("ch_unknown"))).error().code, Errc::not_found);
  EXPECT_EQ(await(store().load_record(Mode::test, ann, "snothing")).error().code, Errc::not_found);
  expect_in_place({ann});
}

TEST_F(Commit, KeepsQueuesAndIndexesAsTheStateSaysThroughALife) {
  const AccountKey bob = account_number(2);
  Loaded of_ann = subscriber(ann);
  subscriber(bob, "bob@example.com");
  expect_in_place({ann, bob});
  for (int month = 1; month <= 3; ++month) {
    of_ann = renewed_until(std::move(of_ann), day_one + std::chrono::days(31 * month));
    expect_in_place({ann, bob});
  }
  EXPECT_EQ(records_of(ann).size(), 4U);
  UpdateCustomer renamed;
  renamed.email = "other@example.com";
  of_ann = committed(std::move(of_ann), renamed);
  expect_in_place({ann, bob});
  EXPECT_THAT(*await(store().find_by_email(Mode::test, "ann@example.com")), IsEmpty());
  const SubscriptionId subscription = of_ann.account.subscriptions.at(0).id;
  of_ann = committed(std::move(of_ann), CancelSubscription{subscription, true});
  expect_in_place({ann, bob});
  of_ann = committed(std::move(of_ann), CancelSubscription{subscription, false});
  EXPECT_THAT(of_ann.account.subscriptions, IsEmpty());
  EXPECT_EQ(listed(Index::subscriptions).size(), 2U) << "an ended subscription is still listed";
  expect_in_place({ann, bob});
  of_ann = committed(std::move(of_ann), DeleteCustomer());
  EXPECT_EQ(listed(Index::customers).size(), 1U);
  expect_in_place({ann, bob});
}

TEST_F(Commit, IsMadeWholeThoughOneCommandOfRedisWouldNotHoldIt) {
  constexpr std::size_t many = 2'100;  // Lua hands over fewer at a time
  Loaded loaded = subscriber(ann);
  CommitRequest large;
  large.before = loaded.footprint;
  large.now = day_one;
  large.transition.account = loaded.account;
  for (std::size_t i = 0; i < many; ++i) {
    InvoiceItem item;
    item.id = make_id<InvoiceItemKind>(ann, 1'000'000 + i);
    item.created = day_one;
    item.amount = {static_cast<std::int64_t>(i + 1), Currency::of("usd")};
    BalanceTransaction written;
    written.id = make_id<BalanceTransactionKind>(ann, 2'000'000 + i);
    written.created = day_one;
    written.amount = item.amount;
    large.transition.account.invoice_items.push_back(std::move(item));
    large.transition.settled.emplace_back(std::move(written));
  }
  auto made = await(store().commit(std::move(large)));
  ASSERT_TRUE(made) << made.error().detail;
  ASSERT_EQ(made->status, CommitStatus::committed);
  EXPECT_EQ(records_of(ann).size(), many + 1);
  expect_in_place({ann});

  CommitRequest without;
  without.before = made->loaded.footprint;
  without.now = day_one;
  without.transition.account = made->loaded.account;
  without.transition.account.invoice_items.clear();
  auto taken_away = await(store().commit(std::move(without)));
  ASSERT_TRUE(taken_away) << taken_away.error().detail;
  ASSERT_EQ(taken_away->status, CommitStatus::committed);
  EXPECT_EQ(ask("ZCARD", index_key(prefix_of(ann), Index::invoice_items)).integer(), 0);
  expect_in_place({ann});
}

TEST_F(Commit, KeepsTheAccountsOfATestClockInItsOwnQueue) {
  const TestClockId clock("clock_one");
  Loaded loaded = subscriber(ann, "ann@example.com", clock);
  expect_in_place({ann});
  EXPECT_THAT(*await(store().test_clock_accounts(clock)), ElementsAre(ann));
  EXPECT_THAT(ask("KEYS", "t:{p*}:q:*").elements(), IsEmpty());
  loaded = renewed_until(std::move(loaded), day_one + std::chrono::days(40));
  expect_in_place({ann});
}

TEST_F(Commit, OfARecalledInvoiceTakesItsRecordAway) {
  Loaded loaded = committed(subscriber(ann), AddSource{visa(), true});
  const Timestamp renewal = loaded.account.subscriptions.at(0).current_period.end;
  auto ticked = tick(loaded.account, renewal, Rules());
  CommitRequest renew{*ticked, loaded.footprint, {}, {}, {}, {}, renewal, {}, {}};
  loaded = await(store().commit(std::move(renew)))->loaded;
  const InvoiceId invoice = loaded.account.invoices.at(0).id;
  loaded = committed(std::move(loaded), CloseInvoice{invoice, {}}, renewal);
  EXPECT_THAT(loaded.account.invoices, IsEmpty()) << "a closed draft rests";
  expect_in_place({ann});

  auto record = await(store().load_record(Mode::test, ann, record_field(ann, invoice)));
  ASSERT_TRUE(record);
  loaded = committed(std::move(loaded), PayInvoice{invoice, std::get<Invoice>(*record), {}}, renewal);
  ASSERT_EQ(loaded.account.invoices.size(), 1U);
  EXPECT_EQ(await(store().load_record(Mode::test, ann, record_field(ann, invoice))).error().code, Errc::not_found);
  expect_in_place({ann});
  loaded = renewed_until(std::move(loaded), renewal);
  EXPECT_EQ(std::get<Invoice>(*await(store().load_record(Mode::test, ann, record_field(ann, invoice)))).status,
            InvoiceStatus::paid);
  expect_in_place({ann});
}

TEST_F(Commit, OfAnOldVersionConflictsAndWritesNothing) {
  const Loaded created = customer(ann);
  committed(created, rename("Ann"));
  const auto before = everything();
  auto stale = await(carry_out(store(), created, rename("Anna"), day_one));
  ASSERT_TRUE(stale);
  EXPECT_EQ(stale->status, CommitStatus::conflict);
  EXPECT_EQ(everything(), before);
}

TEST_F(Commit, OfTwoWhoDecideTheSameFromTheSameStateIsMadeOnce) {
  Daemon& other = start_daemon();
  const Loaded created = customer(ann);
  auto mine = await(carry_out(store(), created, subscribe_monthly(), day_one));
  auto theirs = await(carry_out(other.store, created, subscribe_monthly(), day_one));
  ASSERT_TRUE(mine);
  ASSERT_TRUE(theirs);
  EXPECT_EQ(mine->status, CommitStatus::committed);
  EXPECT_EQ(theirs->status, CommitStatus::conflict) << "each asked for a subscription of its own";
}

TEST_F(Commit, TwiceOfOneAccountInOneCallIsMadeOnce) {
  const Loaded created = customer(ann);
  std::vector<CommitRequest> requests;
  requests.push_back(*request_of(created, rename("Ann"), day_one));
  requests.push_back(*request_of(created, rename("Anna"), day_one));
  const auto results = commit_together(std::move(requests), store());
  EXPECT_EQ(results[0]->status, CommitStatus::committed);
  EXPECT_EQ(results[1]->status, CommitStatus::conflict);
  EXPECT_EQ(await(store().load(Mode::test, ann))->account.customer.name, "Ann");
}

TEST_F(Commit, OfOneAccountIsMadeWhenAnotherOfTheCallConflicts) {
  store();
  const AccountKey one = account_in(1, 0), other = account_in(1, 1);
  const Loaded of_one = customer(one), of_other = customer(other, "other@example.com");
  committed(of_one, rename("first"));
  const std::uint64_t counted = commits_counted();
  std::vector<CommitRequest> requests;
  requests.push_back(*request_of(of_one, rename("second"), day_one));
  requests.push_back(*request_of(of_other, rename("Other"), day_one));
  const auto results = commit_together(std::move(requests), store());
  EXPECT_EQ(results[0]->status, CommitStatus::conflict);
  EXPECT_EQ(results[1]->status, CommitStatus::committed);
  EXPECT_EQ(commits_counted(), counted + 1) << "they went out in one call";
  EXPECT_EQ(await(store().load(Mode::test, other))->account.customer.name, "Other");
  expect_in_place({one, other});
}

TEST_F(Commit, OfAnOldEpochIsRefusedAndWritesNothing) {
  const Loaded created = customer(ann);
  const std::uint32_t partition = store().partition_of(ann);
  auto lease = await(store().take_lease(partition, {}, "first", "1"));
  ASSERT_TRUE(lease);
  CommitRequest fenced = *request_of(created, rename("Ann"), day_one);
  fenced.fence = Fence{lease->epoch};
  auto made = await(store().commit(fenced));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->status, CommitStatus::committed);

  ASSERT_TRUE(await(store().take_lease(partition, *lease, "second", "1")));
  const auto before = everything();
  CommitRequest late = *request_of(made->loaded, rename("Anna"), day_one);
  late.fence = Fence{lease->epoch};
  auto refused = await(store().commit(late));
  ASSERT_TRUE(refused);
  EXPECT_EQ(refused->status, CommitStatus::stale_epoch);
  EXPECT_EQ(everything(), before);
  late.fence.reset();
  EXPECT_EQ(await(store().commit(late))->status, CommitStatus::committed) << "requests of the API have no epoch";
}

TEST_F(Commit, WithAnIdempotencyKeySavesTheAnswerAndIsMadeOnce) {
  const Loaded created = customer(ann);
  const std::string hash = hash_idempotency_key(Mode::test, "key");
  CommitRequest first = *request_of(created, rename("Ann"), day_one);
  first.idempotency = IdempotencyWrite{hash, encode(SavedAnswer{false, 200, "renamed", {}}), false};
  auto made = await(store().commit(first));
  ASSERT_TRUE(made);
  EXPECT_EQ(made->status, CommitStatus::committed);
  auto saved = await(saved_answer(store(), Mode::test, ann, hash));
  ASSERT_TRUE(saved && *saved);
  EXPECT_EQ((*saved)->body, "renamed");
  EXPECT_GT(ask("PTTL", answer_key(prefix_of(ann), hash)).integer(), 0);

  const auto before = everything();
  CommitRequest second = *request_of(made->loaded, rename("Anna"), day_one);
  second.idempotency = IdempotencyWrite{hash, encode(SavedAnswer{false, 200, "again", {}}), false};
  auto repeated = await(store().commit(second));
  ASSERT_TRUE(repeated);
  EXPECT_EQ(repeated->status, CommitStatus::repeated);
  EXPECT_EQ(decode_saved_answer(repeated->saved)->body, "renamed");
  EXPECT_EQ(everything(), before);

  // Also when the account has moved on: the repetition must not be decided anew.
  CommitRequest third = *request_of(created, rename("Annie"), day_one);
  third.idempotency = second.idempotency;
  EXPECT_EQ(await(store().commit(third))->status, CommitStatus::repeated);
}

TEST_F(Commit, ReplacesTheMarkOfAnEffectUnderWayByTheAnswer) {
  const Loaded created = customer(ann);
  const std::string hash = hash_idempotency_key(Mode::test, "key");
  CommitRequest first = *request_of(created, subscribe_monthly(), day_one);
  first.idempotency = IdempotencyWrite{hash, encode(SavedAnswer{true, 0, {}, first.transition.subject}), false};
  const Loaded under_way = await(store().commit(first))->loaded;
  EXPECT_TRUE((*await(saved_answer(store(), Mode::test, ann, hash)))->under_way);
  const Invoice& invoice = under_way.account.invoices.at(0);
  const RecordChargeOutcome paid{invoice.id, invoice.charges.at(0).id, {ChargeOutcomeKind::succeeded, {}, "x"}};

  CommitRequest not_allowed = *request_of(under_way, paid, day_one);
  not_allowed.idempotency = IdempotencyWrite{hash, encode(SavedAnswer{false, 200, "done", {}}), false};
  auto repeated = await(store().commit(not_allowed));
  EXPECT_EQ(repeated->status, CommitStatus::repeated);
  EXPECT_TRUE(decode_saved_answer(repeated->saved)->under_way);

  CommitRequest last = *request_of(under_way, paid, day_one);
  last.idempotency = IdempotencyWrite{hash, encode(SavedAnswer{false, 200, "done", {}}), true};
  EXPECT_EQ(await(store().commit(last))->status, CommitStatus::committed);
  EXPECT_EQ((*await(saved_answer(store(), Mode::test, ann, hash)))->body, "done");
}

TEST_F(Commit, IsMadeOnceWhenItsAnswerIsLost) {
  client_settings.reply_timeout = Milliseconds(300);
  Loaded created = customer(ann);
  const std::uint64_t counted = commits_counted();
  const std::uint64_t connections = daemon().client.state().connections;
  // The server stands still: the commit reaches it, the answer does not come, and it is sent again on a new connection.
  server.pause();
  std::optional<Result<CommitResult>> result;
  auto commit = [](Store& to, Loaded loaded, std::optional<Result<CommitResult>>& into) -> awaitable<> {
    Command command = subscribe_monthly();
    into.emplace(co_await carry_out(to, std::move(loaded), std::move(command), day_one));
  };
  Tasks tasks(loop.get_executor());
  tasks.spawn("commit", commit(store(), created, result));
  ASSERT_TRUE(run_until(loop, [this] { return daemon().client.state().phase != redis::Phase::ready; }));
  server.resume();
  ASSERT_TRUE(run_until(loop, [&result] { return result.has_value(); }));
  ASSERT_TRUE(*result) << result->error().detail;
  EXPECT_EQ((*result)->status, CommitStatus::committed);
  EXPECT_GT(daemon().client.state().connections, connections);
  EXPECT_EQ(commits_counted(), counted + 1);
  const auto names = event_names();
  EXPECT_EQ(std::ranges::count(names, "customer.subscription.created"), 1);
  EXPECT_EQ(await(store().load(Mode::test, ann))->account, (*result)->loaded.account);
  expect_in_place({ann});
}

TEST_F(Commit, ThatIsSentAgainAfterOthersCommittedIsOfUnknownOutcome) {
  Daemon& other = start_daemon();
  client_settings.reply_timeout = Milliseconds(1000);
  client_settings.backoff_min = client_settings.backoff_max = Milliseconds(1500);
  Daemon& slow = start_daemon();
  const Loaded created = customer(ann);
  server.pause();
  std::optional<Result<CommitResult>> result;
  auto commit = [](Store& to, Loaded loaded, std::optional<Result<CommitResult>>& into) -> awaitable<> {
    into.emplace(co_await carry_out(to, std::move(loaded), rename("slow"), day_one));
  };
  Tasks tasks(loop.get_executor());
  tasks.spawn("commit", commit(slow.store, created, result));
  ASSERT_TRUE(run_until(loop, [&slow] { return slow.client.state().phase != redis::Phase::ready; }));
  server.resume();
  // The first sending was carried out: the other daemon sees it, and goes on from there before the second one.
  auto seen = await(other.store.load(Mode::test, ann));
  while (seen && seen->account.customer.name.empty()) seen = await(other.store.load(Mode::test, ann));
  ASSERT_TRUE(seen) << seen.error().detail;
  ASSERT_EQ(seen->account.customer.name, "slow");
  auto next = await(carry_out(other.store, *seen, rename("quick"), day_one));
  ASSERT_TRUE(next && next->status == CommitStatus::committed);
  ASSERT_FALSE(result.has_value());
  ASSERT_TRUE(run_until(loop, [&result] { return result.has_value(); }));
  ASSERT_FALSE(*result) << "to say conflict would make the caller do it twice";
  EXPECT_EQ(result->error().code, Errc::outcome_unknown);
}

TEST_F(Commit, LoadsTheFunctionsAgainWhenSomebodyFlushedThem) {
  const Loaded created = customer(ann);
  auto lease = await(store().take_lease(0, {}, "me", "1"));
  ask("FUNCTION", "FLUSH");
  committed(created, rename("Ann"));
  ask("FUNCTION", "FLUSH");
  EXPECT_THAT(*await(store().renew_leases({{0, lease->epoch}})), ElementsAre(0U));
  ask("FUNCTION", "FLUSH");
  EXPECT_TRUE(await(store().park({Mode::test, ann, day_one, "why"}, {})));
}

TEST_F(Commit, IsRefusedBeforeItBeginsToAUserWhoMayNotFinishIt) {
  store();
  ask("ACL", "SETUSER", "clerk", "on", ">secret", "~*", "&*", "+@all", "-xadd");
  redis::Address address = server.address();
  address.username = "clerk";
  address.password = "secret";
  Daemon clerk(loop, address, client_settings, settings, std::nullopt);
  auto ready = await(clerk.client.ready(Milliseconds(300)));
  ASSERT_FALSE(ready);
  EXPECT_EQ(ready.error().code, Errc::bad_configuration);
  EXPECT_THAT(ready.error().detail, HasSubstr("may not XADD t:{p0}:e"));
  await(clerk.client.stop());

  ask("ACL", "SETUSER", "clerk", "resetchannels", "+xadd");
  Daemon silent(loop, address, client_settings, settings, std::nullopt);
  EXPECT_THAT(await(silent.client.ready(Milliseconds(300))).error().detail, HasSubstr("may not PUBLISH billd:catalog"));
  await(silent.client.stop());
}

/// A key of the wrong type under every name that a commit writes to, or text in place of a count.
struct Damage {
  const char* what;
  std::string (*key)(const std::string& keys_prefix, const AccountKey& account, std::uint32_t partition);
  std::vector<std::string> command;  ///< makes the damage; the key comes second
};

void PrintTo(const Damage& damage, std::ostream* out) { *out << damage.what; }

/// A change that no index knows of: it makes no key.
UpdateCustomer describe_as(std::string description) {
  UpdateCustomer command;
  command.description = std::move(description);
  return command;
}

class DamagedCommit : public Commit, public testing::WithParamInterface<Damage> {};

TEST_P(DamagedCommit, IsRefusedWholeAndTheOthersOfItsCallAreMade) {
  store();
  const AccountKey damaged = account_in(2, 0), sound = account_in(2, 1);
  // The parts of the partition are damaged for all; those of an account only for itself.
  Loaded of_damaged = customer(damaged), of_sound = customer(sound, "sound@example.com");
  const std::string key = GetParam().key(prefix_of(damaged), damaged, 2);
  const bool for_all = key.find(damaged.value()) == std::string::npos && key.find("clock") == std::string::npos;
  CommitRequest request = *request_of(of_damaged, subscribe_monthly(), day_one);
  request.idempotency = IdempotencyWrite{std::string(64, 'a') + damaged.value(), "u", false};
  if (key.find(":d:") != std::string::npos) {
    // Something to be put among the records.
    const Loaded subscribed = await(store().commit(request))->loaded;
    const Invoice& invoice = subscribed.account.invoices.at(0);
    request = *request_of(
        subscribed, RecordChargeOutcome{invoice.id, invoice.charges.at(0).id, {ChargeOutcomeKind::succeeded, {}, {}}},
        day_one);
  }
  ask("DEL", key);
  redis::Command damage(GetParam().command.front(), key);
  for (std::size_t i = 1; i < GetParam().command.size(); ++i) damage.add(GetParam().command[i]);
  ASSERT_TRUE(await(daemon().client.execute(std::move(damage))));

  const auto before = everything();
  std::vector<CommitRequest> requests;
  requests.push_back(std::move(request));
  requests.push_back(*request_of(of_sound, describe_as("Sound"), day_one));
  const auto results = commit_together(std::move(requests), store());
  ASSERT_FALSE(results[0]);
  EXPECT_EQ(results[0].error().code, Errc::corrupt) << results[0].error().detail;
  auto after = everything();
  if (for_all) {
    EXPECT_FALSE(results[1]);
    EXPECT_EQ(after, before);
    return;
  }
  ASSERT_TRUE(results[1]) << results[1].error().detail;
  EXPECT_EQ(results[1]->status, CommitStatus::committed);
  // Only the sound account has changed, and what counts commits and events.
  for (const auto& [name, value] : before)
    if (name != account_key(prefix_of(sound), sound) && name != commits_key(2) && name != events_key(prefix_of(sound)))
      EXPECT_EQ(after[name], value) << name;
  EXPECT_EQ(after.size(), before.size());
  EXPECT_EQ(event_names().back(), "customer.updated");
}

INSTANTIATE_TEST_SUITE_P(
    Key, DamagedCommit,
    testing::Values(Damage{"Account",
                           [](const std::string& p, const AccountKey& a, std::uint32_t) { return account_key(p, a); },
                           {"LPUSH", "x"}},
                    Damage{"Records",
                           [](const std::string& p, const AccountKey& a, std::uint32_t) { return records_key(p, a); },
                           {"LPUSH", "x"}},
                    Damage{"Answer",
                           [](const std::string& p, const AccountKey& a, std::uint32_t) {
                             return answer_key(p, std::string(64, 'a') + a.value());
                           },
                           {"LPUSH", "x"}}),
    [](const auto& instance) { return std::string(instance.param.what); });

INSTANTIATE_TEST_SUITE_P(
    KeyOfThePartition, DamagedCommit,
    testing::Values(Damage{"Commits",
                           [](const std::string&, const AccountKey&, std::uint32_t n) { return commits_key(n); },
                           {"LPUSH", "x"}},
                    Damage{"CommitsWithoutACount",
                           [](const std::string&, const AccountKey&, std::uint32_t n) { return commits_key(n); },
                           {"SET", "many"}},
                    Damage{"Lease",
                           [](const std::string&, const AccountKey&, std::uint32_t n) { return lease_key(n); },
                           {"SET", "x"}},
                    Damage{"Events",
                           [](const std::string& p, const AccountKey&, std::uint32_t) { return events_key(p); },
                           {"SET", "x"}},
                    Damage{"Parked",
                           [](const std::string& p, const AccountKey&, std::uint32_t) { return parked_key(p); },
                           {"SET", "x"}}),
    [](const auto& instance) { return std::string(instance.param.what); });

/// Indexes and queues belong to the partition, but only those suffer that write to the damaged one.
class DamagedSet : public Commit, public testing::WithParamInterface<const char*> {};

TEST_P(DamagedSet, RefusesTheCommitsThatWriteToIt) {
  store();
  const AccountKey subscribing = account_in(2, 0), sound = account_in(2, 1);
  Loaded of_subscribing = customer(subscribing), of_sound = customer(sound, "sound@example.com");
  const std::string key = prefix_of(subscribing) + GetParam();
  ask("SET", key, "x");
  const auto before = everything();
  std::vector<CommitRequest> requests;
  requests.push_back(*request_of(of_subscribing, subscribe_monthly(), day_one));
  requests.push_back(*request_of(of_sound, describe_as("Sound"), day_one));
  const auto results = commit_together(std::move(requests), store());
  ASSERT_FALSE(results[0]);
  EXPECT_EQ(results[0].error().code, Errc::corrupt);
  ASSERT_TRUE(results[1]);
  EXPECT_EQ(results[1]->status, CommitStatus::committed);
  auto after = everything();
  EXPECT_EQ(after[account_key(prefix_of(sound), subscribing)], before.at(account_key(prefix_of(sound), subscribing)));
  EXPECT_EQ(after.size(), before.size());
}

INSTANTIATE_TEST_SUITE_P(Set, DamagedSet, testing::Values("x:subscriptions", "x:invoices", "q:collection"),
                         [](const auto& instance) { return std::string(instance.param).substr(2); });

}  // namespace
}  // namespace billd::store
