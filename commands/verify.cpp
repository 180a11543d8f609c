#include "commands/verify.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "commands/verify_aliases.hpp"
#include "net/store/audit.hpp"
#include "net/store/encoding.hpp"
#include "net/store/functions.hpp"
#include "net/store/keys.hpp"
#include "net/store/numbers.hpp"

namespace billd::commands {
namespace {

constexpr std::size_t accounts_per_batch = 64;  // Each is a few dozen commands.
constexpr std::size_t members_per_batch = 500;
constexpr std::size_t entries_per_batch = 500;
constexpr int readings = 3;
constexpr std::chrono::hours effect_may_take{1};

/// "t:{p7}:a:XXXXXXXXXXXX" taken apart.
struct KeyName {
  Mode mode = Mode::test;
  std::uint32_t partition = 0;
  std::string_view kind, name;
};

/// Empty for a key that belongs to no partition's data.
std::optional<KeyName> parse_key(std::string_view key) {
  KeyName result;
  if (key.size() < 4 || (key[0] != 't' && key[0] != 'l') || key.substr(1, 3) != ":{p") return std::nullopt;
  result.mode = key[0] == 'l' ? Mode::live : Mode::test;
  const std::size_t end = key.find("}:");
  if (end == std::string_view::npos) return std::nullopt;
  const auto partition = store::parse_count(key.substr(4, end - 4));
  if (!partition) return std::nullopt;
  result.partition = static_cast<std::uint32_t>(*partition);
  const std::string_view rest = key.substr(end + 2);
  const std::size_t colon = std::min(rest.find(':'), rest.size());
  result.kind = rest.substr(0, colon);
  result.name = rest.substr(std::min(colon + 1, rest.size()));
  return result;
}

/// Identifiers in indexes are partly bytes.
std::string printable(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (char byte : bytes) {
    if (byte >= ' ' && byte <= '~') {
      text += byte;
      continue;
    }
    const auto value = static_cast<unsigned char>(byte);
    text.append("\\x").append(1, digits[value >> 4]).append(1, digits[value & 15]);
  }
  return text;
}

std::optional<std::int64_t> score_of(const Result<redis::Reply>& reply) {
  if (!reply || !reply->is_text()) return std::nullopt;
  return store::parse_score(reply->text());
}

/// The account that a member of a queue or an index belongs to.
std::optional<AccountKey> account_of_member(std::string_view set_kind, std::string_view set_name,
                                            std::string_view member) {
  // Sets of the values that customers are searched by, and of test clocks, hold accounts.
  const bool has_qualifier = set_name.find(':') != std::string_view::npos;
  if (set_kind != "x" || has_qualifier || set_name == to_text(store::Index::numbers)) return AccountKey::parse(member);
  if (set_name == to_text(store::Index::references)) {
    const std::size_t zero = member.rfind('\0');
    return zero == std::string_view::npos ? std::nullopt : AccountKey::parse(member.substr(zero + 1));
  }
  return AccountKey::parse(member.substr(0, account_key_length));
}

/// An account as it was read, with what of it cannot be read.
struct Reading {
  AccountView view;
  std::vector<Violation> unreadable;
  bool exists = false;
  bool is_readable = false;
  bool moved = false;  ///< it was committed to while it was read
};

class Verification {
 public:
  Verification(store::Store& store, VerifyOptions options) : store_(store), options_(std::move(options)) {}

  awaitable<Result<VerifyReport>> run() {
    const auto begun = SteadyClock::now();
    auto done = co_await read_figures();
    if (done) done = co_await read_commits(commits_before_);
    if (done) done = co_await walk_keys();
    if (done) done = co_await read_commits(commits_after_);
    if (done) done = co_await walk_sets();
    if (done) done = co_await walk_events();
    if (done) done = co_await walk_parked();
    if (done) done = co_await walk_aliases();
    if (!done) co_return done.error();
    report_.took = std::chrono::duration_cast<Milliseconds>(SteadyClock::now() - begun);
    co_return std::move(report_);
  }

 private:
  using Commands = std::vector<redis::Command>;
  using Replies = std::vector<Result<redis::Reply>>;
  struct Reference {
    Mode mode = Mode::test;
    AccountKey key;
  };

  redis::Client& client() { return store_.client(); }
  std::string prefix_of(const Reference& account) const {
    return store::prefix(account.mode, store_.partition_of(account.key));
  }

  void report(Violation violation) {
    VerifyReport::OfRule& of_rule = report_.rules[static_cast<std::size_t>(violation.rule)];
    of_rule.violations += 1;
    if (violation.rebuilt) of_rule.rebuilt += 1;
    if (of_rule.examples.size() < options_.examples_max) of_rule.examples.push_back(std::move(violation));
  }
  void report(Rule rule, std::string key, std::string found, std::string expected) {
    report(Violation{rule, std::move(key), std::move(found), std::move(expected)});
  }

  /// The failure of the first reply that came from no server: what a server refuses is looked at in its place.
  static std::optional<Failure> lost(const Replies& replies) {
    for (const auto& reply : replies)
      if (!reply && is_transient(reply.error().code)) return reply.error();
    return std::nullopt;
  }

  awaitable<Result<void>> read_figures() {
    auto size = co_await client().execute(redis::Command("DBSIZE"));
    if (!size) co_return size.error();
    report_.keys = static_cast<std::uint64_t>(size->integer());
    auto memory = co_await client().execute(redis::Command("INFO", "memory"));
    if (!memory) co_return memory.error();
    constexpr std::string_view name = "used_memory:";
    const std::string& text = memory->text();
    const std::size_t at = text.find(name);
    if (at != std::string::npos) {
      const std::string_view rest = std::string_view(text).substr(at + name.size());
      report_.bytes = store::parse_count(rest.substr(0, rest.find('\r'))).value_or(0);
    }
    co_return Result<void>();
  }

  awaitable<Result<void>> read_commits(std::vector<std::string>& commits) {
    Commands commands;
    for (std::uint32_t partition = 0; partition < store_.partitions(); ++partition)
      commands.emplace_back("GET", store::commits_key(partition));
    auto replies = co_await client().execute_all(std::move(commands));
    for (const auto& reply : replies) {
      if (!reply) co_return reply.error();
      commits.push_back(reply->is_text() ? reply->text() : std::string());
    }
    co_return Result<void>();
  }

  /// Nothing was committed in the partition while its accounts were walked.
  bool was_quiet(std::uint32_t partition) const { return commits_before_[partition] == commits_after_[partition]; }

  // The walk over all keys.

  awaitable<Result<void>> walk_keys() {
    std::string cursor = "0";
    std::uint64_t seen = 0;
    do {
      auto page = co_await client().execute(redis::Command("SCAN", cursor, "COUNT", 500));
      if (!page) co_return page.error();
      std::vector<redis::Reply> parts = page->take_elements();
      cursor = parts.at(0).take_text();
      auto sorted = co_await sort_keys(parts.at(1).take_elements(), seen);
      if (!sorted) co_return sorted.error();
      const VerifyProgress progress{seen, report_.keys};
      if (options_.progress) options_.progress(progress);
    } while (cursor != "0");
    co_return co_await examine_accounts(std::move(accounts_));
  }

  awaitable<Result<void>> sort_keys(std::vector<redis::Reply> keys, std::uint64_t& seen) {
    std::vector<std::string> bookings, answers, records;
    for (redis::Reply& each : keys) {
      ++seen;
      std::string key = each.take_text();
      const auto name = parse_key(key);
      if (!name) continue;
      if (name->partition >= store_.partitions()) {
        report(Rule::readable, printable(key), "in a partition that does not exist",
               "0 to " + std::to_string(store_.partitions() - 1));
      } else if (name->kind == "a") {
        add_account(*name, key);
      } else if (name->kind == "d") {
        records.push_back(std::move(key));
      } else if (name->kind == "x" || name->kind == "q" || name->kind == "c") {
        expected_members_.try_emplace(std::move(key), 0);
      } else if (name->kind == "g") {
        bookings.push_back(std::move(key));
      } else if (name->kind == "fk") {
        directories_.emplace_back(name->mode, std::move(key));
      } else if (name->kind == "r") {
        answers.push_back(std::move(key));
      }
    }
    auto done = co_await check_owners(std::move(records));
    if (done) done = co_await check_bookings(std::move(bookings));
    if (done) done = co_await check_answers(std::move(answers));
    if (!done) co_return done.error();
    while (accounts_.size() >= accounts_per_batch) {
      const auto end = accounts_.begin() + accounts_per_batch;
      std::vector<Reference> batch(accounts_.begin(), end);
      accounts_.erase(accounts_.begin(), end);
      auto examined = co_await examine_accounts(std::move(batch));
      if (!examined) co_return examined.error();
    }
    co_return Result<void>();
  }

  void add_account(const KeyName& name, const std::string& key) {
    const auto account = AccountKey::parse(name.name);
    if (!account || store_.partition_of(*account) != name.partition)
      report(Rule::readable, printable(key), "an account under a name that leads elsewhere", "its own name");
    else
      accounts_.push_back({name.mode, *account});
  }

  // Accounts.

  awaitable<Result<void>> examine_accounts(std::vector<Reference> accounts) {
    std::vector<Reference> doubtful;
    for (int reading = 1; !accounts.empty(); ++reading) {
      auto read = co_await read_accounts(accounts);
      if (!read) co_return read.error();
      for (std::size_t i = 0; i < accounts.size(); ++i) {
        Reading& each = (*read)[i];
        std::vector<Violation> violations = std::move(each.unreadable);
        if (each.is_readable) {
          auto broken = check_account(each.view);
          std::ranges::move(broken, std::back_inserter(violations));
        }
        if (reading < readings && (each.moved || !violations.empty())) {
          doubtful.push_back(accounts[i]);
          continue;
        }
        if (each.is_readable) count(each.view);
        // What was read of it before a change and after it does not belong together.
        if (each.moved && std::erase_if(violations, is_of_places) > 0) report_.restless += 1;
        auto mended = co_await settle(accounts[i], each.view, std::move(violations));
        if (!mended) co_return mended.error();
      }
      accounts = std::exchange(doubtful, {});
      if (!accounts.empty()) co_await sleep_for(options_.pause);
    }
    co_return Result<void>();
  }

  static bool is_of_places(const Violation& violation) {
    return violation.rule == Rule::timers || violation.rule == Rule::parked || violation.rule == Rule::indexes;
  }

  /// Reports the violations, after mending those of queues and indexes if wanted.
  awaitable<Result<void>> settle(Reference account, const AccountView& view, std::vector<Violation> violations) {
    bool mended = false;
    if (options_.rebuild && std::ranges::any_of(violations, is_of_places)) {
      const std::string keys_prefix = prefix_of(account);
      auto places = expected_queues(keys_prefix, view.account, view.parked);
      auto more = expected_indexes(keys_prefix, view.account, view.records);
      std::ranges::move(more, std::back_inserter(places));
      auto put = co_await put_right(account, view.account.version, view.parked, std::move(places));
      if (!put) co_return put.error();
      mended = *put;
    }
    for (Violation& violation : violations) {
      violation.rebuilt = mended && is_of_places(violation);
      report(std::move(violation));
    }
    co_return Result<void>();
  }

  void count(const AccountView& view) {
    report_.accounts += 1;
    if (view.account.customer.deleted) report_.deleted_customers += 1;
    report_.subscriptions += view.account.subscriptions.size();
    report_.invoices += view.account.invoices.size();
    if (view.parked) report_.parked += 1;
    auto count_charges = [this](const Invoice& invoice) {
      report_.charges += invoice.charges.size();
      report_.succeeded_charges +=
          static_cast<std::uint64_t>(std::ranges::count(invoice.charges, ChargeState::succeeded, &Charge::state));
    };
    for (const Invoice& invoice : view.account.invoices) count_charges(invoice);
    for (const auto& [field, record] : view.records) {
      if (const Invoice* invoice = std::get_if<Invoice>(&record)) {
        report_.settled_invoices += 1;
        count_charges(*invoice);
      } else {
        report_.ended_subscriptions += 1;
      }
    }
    for (const auto* places : {&view.queues, &view.indexes})
      for (const Placement& place : *places)
        if (place.score) expected_members_[place.set] += 1;
    const auto partition = store_.partition_of(view.account.key);
    events_known_[{view.account.mode, partition}] += view.account.events;
  }

  awaitable<Result<std::vector<Reading>>> read_accounts(const std::vector<Reference>& accounts) {
    constexpr std::size_t commands_each = 3;
    Commands commands;
    for (const Reference& account : accounts) {
      const std::string keys_prefix = prefix_of(account);
      commands.emplace_back("GET", store::account_key(keys_prefix, account.key));
      commands.emplace_back("HGETALL", store::records_key(keys_prefix, account.key));
      commands.emplace_back("HEXISTS", store::parked_key(keys_prefix), account.key.value());
    }
    auto replies = co_await client().execute_all(std::move(commands));
    if (auto failure = lost(replies)) co_return *failure;
    std::vector<Reading> read(accounts.size());
    for (std::size_t i = 0; i < accounts.size(); ++i) {
      const std::size_t at = i * commands_each;
      decode(accounts[i], replies[at], replies[at + 1], read[i]);
      read[i].view.parked = replies[at + 2] && replies[at + 2]->integer() == 1;
    }
    auto placed = co_await read_places(accounts, read);
    if (!placed) co_return placed.error();
    co_return read;
  }

  static void decode(const Reference& account, const Result<redis::Reply>& bytes, const Result<redis::Reply>& records,
                     Reading& reading) {
    AccountView& view = reading.view;
    auto unreadable = [&](std::string_view part, const Failure& failure) {
      std::string key = view.redis_key;
      if (!part.empty()) key.append(" ").append(printable(part));
      reading.unreadable.push_back({Rule::readable, std::move(key), failure.detail, "data that can be read"});
    };
    if (!bytes) return unreadable({}, bytes.error());
    if (!bytes->is_text()) return;
    reading.exists = true;
    auto decoded = store::decode_account(account.key, account.mode, bytes->text());
    if (!decoded) return unreadable({}, decoded.error());
    reading.is_readable = true;
    view.account = std::move(*decoded);
    if (!records) return unreadable("records", records.error());
    const auto& elements = records->elements();
    store::Parts parts;
    for (std::size_t i = 0; i + 1 < elements.size(); i += 2)
      if (const auto name = store::parse_part_field(elements[i].text())) parts.emplace(*name, elements[i + 1].text());
    for (std::size_t i = 0; i + 1 < elements.size(); i += 2) {
      if (store::parse_part_field(elements[i].text())) continue;
      const std::string &field = elements[i].text(), &value = elements[i + 1].text();
      if (store::is_owner_field(field)) {
        auto owner = store::decode_charge_owner(account.key, value);
        if (owner)
          view.charge_owners.emplace(field, *owner);
        else
          unreadable(field, owner.error());
        continue;
      }
      auto record = store::decode_record(account.key, value, parts);
      if (record)
        view.records.emplace(field, std::move(*record));
      else
        unreadable(field, record.error());
    }
  }

  /// Where the accounts are in queues and indexes, and what the test gateway booked of their charges.
  awaitable<Result<void>> read_places(const std::vector<Reference>& accounts, std::vector<Reading>& read) {
    Commands commands;
    std::vector<std::string> charges;
    for (std::size_t i = 0; i < accounts.size(); ++i) {
      AccountView& view = read[i].view;
      const std::string keys_prefix = prefix_of(accounts[i]);
      view.redis_key = store::account_key(keys_prefix, accounts[i].key);
      for (Violation& violation : read[i].unreadable) violation.key = view.redis_key + violation.key;
      if (!read[i].is_readable) continue;
      view.queues = expected_queues(keys_prefix, view.account, view.parked);
      view.indexes = expected_indexes(keys_prefix, view.account, view.records);
      for (const auto* places : {&view.queues, &view.indexes})
        for (const Placement& place : *places) commands.emplace_back("ZSCORE", place.set, place.member);
      for_each_charge(view, [&](const Charge& charge) {
        commands.emplace_back("GET", store_.key_beside(accounts[i].mode, accounts[i].key, "g:" + charge.id.value()));
      });
      commands.emplace_back("GETRANGE", view.redis_key, 1, 8);
    }
    auto replies = co_await client().execute_all(std::move(commands));
    if (auto failure = lost(replies)) co_return *failure;
    std::size_t at = 0;
    for (Reading& reading : read) {
      if (!reading.is_readable) continue;
      AccountView& view = reading.view;
      for (auto* places : {&view.queues, &view.indexes})
        for (Placement& place : *places) place.score = score_of(replies[at++]);
      for_each_charge(view, [&](const Charge& charge) {
        const Result<redis::Reply>& booked = replies[at++];
        if (!booked || !booked->is_text()) return;
        auto entry = gateways::decode_ledger_entry(charge.id.value(), booked->text());
        if (entry)
          view.ledger.emplace(charge.id.value(), std::move(*entry));
        else
          reading.unreadable.push_back(
              {Rule::readable, view.redis_key + " " + charge.id.value(), entry.error().detail, "a booking"});
      });
      const Result<redis::Reply>& version = replies[at++];
      reading.moved = !version || version->text() != store::encode_version(view.account.version);
    }
    co_return Result<void>();
  }

  template <class Each>
  static void for_each_charge(const AccountView& view, Each each) {
    for (const Invoice& invoice : view.account.invoices)
      for (const Charge& charge : invoice.charges) each(charge);
    for (const auto& [field, record] : view.records)
      if (const Invoice* invoice = std::get_if<Invoice>(&record))
        for (const Charge& charge : invoice->charges) each(charge);
  }

  /// False when the account was committed to since it was read.
  awaitable<Result<bool>> put_right(Reference account, std::uint64_t version, bool parked,
                                    std::vector<Placement> places) {
    const std::string keys_prefix = prefix_of(account);
    // A call must not keep Redis from its other work for long.
    constexpr std::size_t places_max = 500;
    for (std::size_t begin = 0; begin < places.size(); begin += places_max) {
      const std::size_t end = std::min(begin + places_max, places.size());
      redis::Command command("FCALL", store::function_name("put_right"), 2 + end - begin,
                             store::parked_key(keys_prefix), store::account_key(keys_prefix, account.key));
      for (std::size_t i = begin; i < end; ++i) command.add(places[i].set);
      command.add(account.key.value()).add(store::encode_version(version)).add(parked ? "1" : "0");
      for (std::size_t i = begin; i < end; ++i) {
        const auto& score = places[i].score;
        command.add(score ? std::to_string(*score) : std::string()).add(places[i].member);
      }
      auto reply = co_await store::call_function(client(), std::move(command));
      if (!reply && is_transient(reply.error().code)) co_return reply.error();
      if (!reply || reply->integer() != 1) co_return false;
    }
    co_return true;
  }

  // Records whose account is gone.

  awaitable<Result<void>> check_owners(std::vector<std::string> records) {
    for (int reading = 1; !records.empty(); ++reading) {
      Commands commands;
      for (const std::string& key : records) {
        std::string account = key;
        account[account.find("}:d:") + 2] = 'a';
        commands.emplace_back("EXISTS", account);
      }
      auto replies = co_await client().execute_all(std::move(commands));
      if (auto failure = lost(replies)) co_return *failure;
      std::vector<std::string> doubtful;
      for (std::size_t i = 0; i < records.size(); ++i)
        if (replies[i] && replies[i]->integer() == 0) doubtful.push_back(std::move(records[i]));
      records = std::move(doubtful);
      if (reading == readings) break;
      if (!records.empty()) co_await sleep_for(options_.pause);
    }
    for (std::string& key : records)
      report(Rule::records, printable(key), "records of an account that does not exist", "the account");
    co_return Result<void>();
  }

  // The test gateway's ledger, from its side.

  /// Where an account's records tell of the charge or refund that was booked.
  static std::string booked_field(const AccountKey& key, std::string_view booked) {
    if (booked.starts_with(RefundKind::prefix)) return store::refund_field(key, RefundId(std::string(booked)));
    return store::charge_field(key, ChargeId(std::string(booked)));
  }

  /// Whether billd knows of the charge or refund: in its account, or among the account's records.
  awaitable<Result<bool>> is_known(Reference account, std::string booked) {
    const std::string keys_prefix = prefix_of(account);
    Commands commands;
    commands.emplace_back("GET", store::account_key(keys_prefix, account.key));
    commands.emplace_back("HEXISTS", store::records_key(keys_prefix, account.key), booked_field(account.key, booked));
    auto replies = co_await client().execute_all(std::move(commands));
    if (auto failure = lost(replies)) co_return *failure;
    if (replies[1] && replies[1]->integer() == 1) co_return true;
    if (!replies[0] || !replies[0]->is_text()) co_return false;
    auto decoded = store::decode_account(account.key, account.mode, replies[0]->text());
    if (!decoded) co_return true;  // That it cannot be read is told elsewhere.
    for (const Invoice& invoice : decoded->invoices)
      for (const Charge& each : invoice.charges)
        if (each.id.value() == booked ||
            std::ranges::any_of(each.refunds, [&](const Refund& refund) { return refund.id.value() == booked; }))
          co_return true;
    co_return false;
  }

  awaitable<Result<void>> check_bookings(std::vector<std::string> keys) {
    Commands commands;
    for (const std::string& key : keys) commands.emplace_back("GET", key);
    auto values = co_await client().execute_all(std::move(commands));
    if (auto failure = lost(values)) co_return *failure;
    // Most charges are settled: one question for all of them, and the account only for the others.
    std::vector<std::optional<Reference>> accounts(keys.size());
    Commands questions;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const KeyName name = *parse_key(keys[i]);
      Reference account{name.mode, {}};
      auto entry = values[i] && values[i]->is_text() ? gateways::decode_ledger_entry(name.name, values[i]->text())
                                                     : Result<gateways::LedgerEntry>(Failure{Errc::corrupt, {}});
      if (auto key = entry ? AccountKey::parse(entry->account) : std::nullopt) account.key = *key;
      report_.bookings += 1;
      if (account.key.is_empty() || store_.partition_of(account.key) != name.partition) {
        report(Rule::readable, printable(keys[i]), "a booking that cannot be read",
               "a booking of one of billd's charges");
        questions.emplace_back("PING");
        continue;
      }
      questions.emplace_back("HEXISTS", store::records_key(prefix_of(account), account.key),
                             booked_field(account.key, name.name));
      // A decline moves no money: whoever asked for it may have been a daemon that died with the question.
      if (entry->succeeded()) accounts[i] = account;
    }
    auto answers = co_await client().execute_all(std::move(questions));
    if (auto failure = lost(answers)) co_return *failure;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (!accounts[i] || (answers[i] && answers[i]->is_integer() && answers[i]->integer() == 1)) continue;
      const std::string booked(parse_key(keys[i])->name);
      bool known = false;
      for (int reading = 1; !known && reading <= readings; ++reading) {
        if (reading > 1) co_await sleep_for(options_.pause);
        auto found = co_await is_known(*accounts[i], booked);
        if (!found) co_return found.error();
        known = *found;
      }
      if (!known)
        report(Rule::ledger, booked, "the gateway charged what billd knows nothing of",
               "a charge or refund of " + accounts[i]->key.value());
    }
    co_return Result<void>();
  }

  // Idempotency records.

  awaitable<Result<void>> check_answers(std::vector<std::string> keys) {
    Commands commands;
    for (const std::string& key : keys) {
      commands.emplace_back("GETRANGE", key, 0, 0);
      commands.emplace_back("PTTL", key);
    }
    auto replies = co_await client().execute_all(std::move(commands));
    if (auto failure = lost(replies)) co_return *failure;
    const Milliseconds life = store_.settings().idempotency_retention;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const Result<redis::Reply>&letter = replies[2 * i], &left = replies[2 * i + 1];
      if (!letter || !left) {
        report(Rule::readable, keys[i], "no idempotency record", "one");
        continue;
      }
      if (letter->text() != "u") continue;
      if (left->integer() == -1) {
        report(Rule::idempotency, keys[i], "a mark that never expires", "an expiry");
      } else if (left->integer() > 0 && life - Milliseconds(left->integer()) > effect_may_take) {
        const auto age = std::chrono::floor<std::chrono::minutes>(life - Milliseconds(left->integer()));
        report(Rule::idempotency, keys[i], "under way for " + std::to_string(age.count()) + " minutes",
               "an answer within an hour");
      }
    }
    co_return Result<void>();
  }

  // Queues and indexes, from their side: who is in them and should not be.

  awaitable<Result<void>> walk_sets() {
    for (const auto& [set, expected] : expected_members_) {
      auto size = co_await client().execute(redis::Command("ZCARD", set));
      if (!size && is_transient(size.error().code)) co_return size.error();
      if (!size) {
        report(Rule::readable, printable(set), size.error().detail, "a sorted set");
        continue;
      }
      // Everybody who should be there is there. Of the same number, that is all.
      const KeyName name = *parse_key(set);
      if (was_quiet(name.partition) && static_cast<std::uint64_t>(size->integer()) == expected) continue;
      auto walked = co_await walk_set(set);
      if (!walked) co_return walked.error();
    }
    co_return Result<void>();
  }

  awaitable<Result<void>> walk_set(std::string set) {
    std::string cursor = "0";
    do {
      auto page = co_await client().execute(redis::Command("ZSCAN", set, cursor, "COUNT", members_per_batch));
      if (!page) co_return page.error();
      std::vector<redis::Reply> parts = page->take_elements();
      cursor = parts.at(0).take_text();
      std::vector<redis::Reply> elements = parts.at(1).take_elements();
      std::vector<std::string> members;
      for (std::size_t i = 0; i + 1 < elements.size(); i += 2) members.push_back(elements[i].take_text());
      for (std::size_t begin = 0; begin < members.size(); begin += accounts_per_batch) {
        const auto end =
            members.begin() + static_cast<std::ptrdiff_t>(std::min(begin + accounts_per_batch, members.size()));
        std::vector<std::string> batch(members.begin() + static_cast<std::ptrdiff_t>(begin), end);
        auto checked = co_await check_members(set, std::move(batch));
        if (!checked) co_return checked.error();
      }
    } while (cursor != "0");
    co_return Result<void>();
  }

  awaitable<Result<void>> check_members(std::string set, std::vector<std::string> members) {
    const KeyName name = *parse_key(set);
    const Rule rule = name.kind == "x" ? Rule::indexes : Rule::timers;
    for (int reading = 1; !members.empty(); ++reading) {
      std::vector<Reference> accounts;
      for (const std::string& member : members)
        if (auto key = account_of_member(name.kind, name.name, member);
            key && store_.partition_of(*key) == name.partition)
          accounts.push_back({name.mode, *key});
        else
          accounts.push_back({name.mode, {}});
      std::vector<Reference> named;
      for (const Reference& account : accounts)
        if (!account.key.is_empty()) named.push_back(account);
      auto read = co_await read_accounts(named);
      if (!read) co_return read.error();
      auto next = read->begin();
      std::vector<std::string> doubtful;
      for (std::size_t i = 0; i < members.size(); ++i) {
        Reading nobody;
        Reading& reading_of = accounts[i].key.is_empty() ? nobody : *next++;
        if (belongs(reading_of, set, members[i])) continue;
        if (reading < readings) {
          doubtful.push_back(std::move(members[i]));
          continue;
        }
        // It may have left meanwhile, as those do whose time has come.
        auto still = co_await client().execute(redis::Command("ZSCORE", set, members[i]));
        if (!still) co_return still.error();
        if (still->is_nil()) continue;
        auto reported = co_await settle_stranger(rule, set, members[i], accounts[i], reading_of);
        if (!reported) co_return reported.error();
      }
      members = std::move(doubtful);
      if (!members.empty()) co_await sleep_for(options_.pause);
    }
    co_return Result<void>();
  }

  /// Of an account that cannot be read, or is being changed, nothing can be said.
  static bool belongs(const Reading& reading, const std::string& set, const std::string& member) {
    if (reading.exists && (!reading.is_readable || reading.moved || !reading.unreadable.empty())) return true;
    if (!reading.exists) return false;
    const AccountView& view = reading.view;
    const std::string keys_prefix = view.redis_key.substr(0, view.redis_key.find(":a:") + 1);
    auto places = expected_queues(keys_prefix, view.account, view.parked);
    // Of its own queues it is told with the account.
    if (std::ranges::any_of(places, [&](const Placement& place) { return place.set == set; })) return true;
    places = expected_indexes(keys_prefix, view.account, view.records);
    return std::ranges::any_of(places,
                               [&](const Placement& place) { return place.set == set && place.member == member; });
  }

  awaitable<Result<void>> settle_stranger(Rule rule, std::string set, std::string member, Reference account,
                                          const Reading& reading) {
    const std::string what = reading.exists ? "should not be there" : "is of an account that does not exist";
    Violation violation{rule, printable(set), printable(member) + " " + what, "not there"};
    if (options_.rebuild && account.key.is_empty()) {
      auto removed = co_await client().execute(redis::Command("ZREM", set, member));
      if (!removed) co_return removed.error();
      violation.rebuilt = true;
    } else if (options_.rebuild) {
      std::vector<Placement> places(1);
      places[0].set = std::move(set);
      places[0].member = std::move(member);
      auto put = co_await put_right(account, reading.view.account.version, reading.view.parked, std::move(places));
      if (!put) co_return put.error();
      violation.rebuilt = *put;
    }
    report(std::move(violation));
    co_return Result<void>();
  }

  // Events.

  /// The numbers of an account's events, as far as they are kept.
  struct Sequence {
    std::uint64_t first = 0, last = 0;
  };
  using Sequences = std::unordered_map<std::string, Sequence>;

  /// How many events an account knows of; not known when it cannot be read.
  struct EventCount {
    bool exists = false, is_known = false;
    std::uint64_t count = 0;
  };

  awaitable<Result<void>> walk_events() {
    for (Mode mode : store::modes)
      for (std::uint32_t partition = 0; partition < store_.partitions(); ++partition) {
        auto walked = co_await walk_stream(mode, partition);
        if (!walked) co_return walked.error();
      }
    co_return Result<void>();
  }

  awaitable<Result<void>> walk_stream(Mode mode, std::uint32_t partition) {
    const std::string stream = store::events_key(store::prefix(mode, partition));
    // Whether anything has gone from it, by its age or otherwise.
    bool is_whole = false;
    auto information = co_await client().execute(redis::Command("XINFO", "STREAM", stream));
    if (!information && is_transient(information.error().code)) co_return information.error();
    if (!information) {
      // There is none; then nobody may know of events.
      is_whole = true;
    } else {
      std::int64_t length = -1, added = -2;
      const auto& fields = information->elements();
      for (std::size_t i = 0; i + 1 < fields.size(); i += 2) {
        if (fields[i].text() == "length") length = fields[i + 1].integer();
        if (fields[i].text() == "entries-added") added = fields[i + 1].integer();
      }
      is_whole = length == added;
    }
    Sequences sequences;
    std::string after = "-";
    std::uint64_t kept = 0;
    auto read = co_await read_stream(stream, after, is_whole, sequences, kept);
    if (!read) co_return read.error();
    report_.events += kept;
    if (is_whole && was_quiet(partition)) {
      const std::uint64_t known = events_known_[{mode, partition}];
      if (known != kept)
        report(Rule::events, stream, std::to_string(kept) + " events",
               std::to_string(known) + ", as the accounts know");
    }
    std::vector<std::string> keys;
    for (const auto& [key, sequence] : sequences) keys.push_back(key);
    for (std::size_t begin = 0; begin < keys.size(); begin += members_per_batch) {
      const auto end = keys.begin() + static_cast<std::ptrdiff_t>(std::min(begin + members_per_batch, keys.size()));
      std::vector<std::string> batch(keys.begin() + static_cast<std::ptrdiff_t>(begin), end);
      auto compared = co_await compare_with_accounts(mode, stream, after, is_whole, sequences, std::move(batch));
      if (!compared) co_return compared.error();
    }
    co_return Result<void>();
  }

  /// Reads what is behind `after` and moves it on.
  awaitable<Result<void>> read_stream(std::string stream, std::string& after, bool is_whole, Sequences& sequences,
                                      std::uint64_t& kept) {
    for (;;) {
      auto page = co_await client().execute(redis::Command("XRANGE", stream, after, "+", "COUNT", entries_per_batch));
      if (!page && is_transient(page.error().code)) co_return page.error();
      if (!page) {
        report(Rule::readable, stream, page.error().detail, "a stream of events");
        co_return Result<void>();
      }
      const auto& entries = page->elements();
      for (const redis::Reply& entry : entries) {
        const auto& parts = entry.elements();
        after = "(" + parts.at(0).text();
        const auto& fields = parts.at(1).elements();
        auto batch = store::decode_event_batch(fields.size() > 1 ? fields[1].text() : std::string());
        if (!batch) {
          report(Rule::readable, stream + " " + parts.at(0).text(), batch.error().detail, "events");
          continue;
        }
        kept += batch->events.size();
        follow(stream, *batch, is_whole, sequences);
      }
      if (entries.size() < entries_per_batch) co_return Result<void>();
    }
  }

  void follow(const std::string& stream, const store::EventBatch& batch, bool is_whole, Sequences& sequences) {
    const auto [found, is_new] = sequences.try_emplace(batch.key.value());
    Sequence& sequence = found->second;
    const std::uint64_t expected = is_new ? (is_whole ? 1 : batch.sequence) : sequence.last + 1;
    if (batch.sequence != expected)
      report(Rule::events, stream + " " + batch.key.value(), "event " + std::to_string(batch.sequence) + " comes next",
             "event " + std::to_string(expected));
    if (is_new) sequence.first = batch.sequence;
    sequence.last = batch.sequence + batch.events.size() - 1;
  }

  /// What an account knows before the stream is read on must be there, and no more than it knows afterwards.
  awaitable<Result<void>> compare_with_accounts(Mode mode, std::string stream, std::string& after, bool is_whole,
                                                Sequences& sequences, std::vector<std::string> keys) {
    auto before = co_await read_event_counts(mode, keys);
    if (!before) co_return before.error();
    std::uint64_t more = 0;
    auto read_on = co_await read_stream(stream, after, is_whole, sequences, more);
    if (!read_on) co_return read_on.error();
    report_.events += more;
    auto now = co_await read_event_counts(mode, keys);
    if (!now) co_return now.error();
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const EventCount &least = (*before)[i], &most = (*now)[i];
      const std::uint64_t last = sequences[keys[i]].last;
      const std::string about = stream + " " + keys[i];
      if (!most.exists)
        report(Rule::events, about, "events of an account that does not exist", "the account");
      else if (least.is_known && last < least.count)
        report(Rule::events, about, "the last event is " + std::to_string(last), std::to_string(least.count));
      else if (most.is_known && last > most.count)
        report(Rule::events, about, "the last event is " + std::to_string(last), std::to_string(most.count));
    }
    co_return Result<void>();
  }

  awaitable<Result<std::vector<EventCount>>> read_event_counts(Mode mode, std::vector<std::string> keys) {
    Commands commands;
    std::vector<AccountKey> accounts;
    for (const std::string& key : keys) {
      accounts.push_back(*AccountKey::parse(key));
      commands.emplace_back("GET", store::account_key(prefix_of({mode, accounts.back()}), accounts.back()));
    }
    auto replies = co_await client().execute_all(std::move(commands));
    if (auto failure = lost(replies)) co_return *failure;
    std::vector<EventCount> counts(keys.size());
    for (std::size_t i = 0; i < keys.size(); ++i) {
      counts[i].exists = !replies[i] || !replies[i]->is_nil();
      if (!replies[i] || !replies[i]->is_text()) continue;
      const auto account = store::decode_account(accounts[i], mode, replies[i]->text());
      if (!account) continue;
      counts[i].is_known = true;
      counts[i].count = account->events;
    }
    co_return counts;
  }

  // Parked accounts that are nobody's.

  awaitable<Result<void>> walk_parked() {
    for (std::uint32_t partition = 0; partition < store_.partitions(); ++partition) {
      auto parked = co_await store_.parked(partition);
      if (!parked && is_transient(parked.error().code)) co_return parked.error();
      if (!parked) {
        report(Rule::readable, store::partition_tag(partition), parked.error().detail, "the parked accounts");
        continue;
      }
      for (const store::Store::Parked& each : *parked) {
        const std::string key = store::account_key(prefix_of({each.mode, each.key}), each.key);
        auto exists = co_await client().execute(redis::Command("EXISTS", key));
        if (!exists) co_return exists.error();
        if (exists->integer() == 0) report(Rule::parked, key, "parked, and does not exist", "an account");
      }
    }
    co_return Result<void>();
  }

  // What other systems call objects.

  awaitable<Result<void>> walk_aliases() {
    for (Mode mode : store::modes)
      for (std::uint32_t partition = 0; partition < store_.partitions(); ++partition) {
        auto checked = co_await check_aliases(store_, mode, partition, readings, options_.pause);
        if (!checked) co_return checked.error();
        report_.aliases += checked->aliases;
        for (Violation& violation : checked->violations) report(std::move(violation));
      }
    for (const auto& [mode, directory] : directories_) {
      auto checked = co_await check_directory(store_, mode, directory, readings, options_.pause);
      if (!checked) co_return checked.error();
      for (Violation& violation : *checked) report(std::move(violation));
    }
    co_return Result<void>();
  }

  store::Store& store_;
  const VerifyOptions options_;
  VerifyReport report_;
  std::vector<std::string> commits_before_, commits_after_;  ///< by partition
  std::vector<Reference> accounts_;                          ///< found, to be examined
  std::vector<std::pair<Mode, std::string>> directories_;    ///< found: hashes that lead from foreign identifiers
  std::map<std::string, std::uint64_t> expected_members_;    ///< by queue or index
  std::map<std::pair<Mode, std::uint32_t>, std::uint64_t> events_known_;
};

}  // namespace

std::uint64_t VerifyReport::violations() const {
  std::uint64_t sum = 0;
  for (const OfRule& rule : rules) sum += rule.violations - rule.rebuilt;
  return sum;
}

awaitable<Result<VerifyReport>> verify(store::Store& store, VerifyOptions options) {
  Verification verification(store, std::move(options));
  auto report = co_await verification.run();
  if (!report) co_return report.error();
  auto audit = co_await store::verify_audit_log(store);
  if (!audit) co_return audit.error();
  report->audit_entries = audit->entries;
  report->audit_hash = audit->latest_hash;
  if (!audit->broken.empty()) {
    VerifyReport::OfRule& rule = report->rules[static_cast<std::size_t>(Rule::audit)];
    rule.violations = 1;
    rule.examples.push_back({Rule::audit, std::string(store::audit_key), audit->broken, "an unbroken chain", false});
  }
  co_return report;
}

}  // namespace billd::commands
