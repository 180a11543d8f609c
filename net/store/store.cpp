// Opening the data set, loading accounts and records, and committing transitions.
#include "net/store/store.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "config/keys.hpp"
#include "net/store/batches.hpp"
#include "net/store/functions.hpp"
#include "net/store/keys.hpp"

namespace billd::store {
namespace {

std::string score_text(Timestamp time) { return std::to_string(time.time_since_epoch().count()); }

/// The differences between what was stored and what shall be, as writes.
class WriteList {
 public:
  WriteList(std::string_view keys_prefix, std::vector<Write>& writes) : prefix_(keys_prefix), writes_(writes) {}

  void indexes(const IndexEntries& before, const IndexEntries& after) {
    // Both are sorted, so one walk finds what is only in one of them.
    auto old_entry = before.begin();
    auto new_entry = after.begin();
    while (old_entry != before.end() || new_entry != after.end()) {
      if (new_entry == after.end() || (old_entry != before.end() && *old_entry < *new_entry)) {
        leave(*old_entry++);
      } else if (old_entry == before.end() || *new_entry < *old_entry) {
        enter(*new_entry++);
      } else {
        ++old_entry;
        ++new_entry;
      }
    }
  }

  void timers(const AccountKey& key, const Footprint& before, const Footprint& after) {
    if (!after.test_clock.is_empty()) {
      // On a test clock one set holds the account's earliest time, whatever the queue.
      const auto old_due = next_due(before.timers), new_due = next_due(after.timers);
      set_due(clock_queue_key(prefix_, after.test_clock), key, before.test_clock.is_empty() ? std::nullopt : old_due,
              new_due);
      return;
    }
    for (std::size_t queue = 0; queue < queue_count; ++queue)
      set_due(queue_key(prefix_, static_cast<Queue>(queue)), key, before.timers[queue], after.timers[queue]);
  }

  void add(char letter, std::string key, std::string first, std::string second = {}) {
    writes_.push_back({letter, std::move(key), std::move(first), std::move(second)});
  }

 private:
  void enter(const IndexEntry& entry) {
    add('Z', index_key(prefix_, entry.index, entry.qualifier), std::to_string(entry.score), entry.member);
  }
  void leave(const IndexEntry& entry) { add('R', index_key(prefix_, entry.index, entry.qualifier), entry.member); }

  void set_due(std::string queue, const AccountKey& key, std::optional<Timestamp> before,
               std::optional<Timestamp> after) {
    if (before == after) return;
    if (after)
      add('T', std::move(queue), score_text(*after), key.value());
    else
      add('U', std::move(queue), key.value());
  }

  std::string_view prefix_;
  std::vector<Write>& writes_;
};

void merge_into(IndexEntries& entries, IndexEntries more) {
  entries.insert(entries.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
  std::ranges::sort(entries);
  const auto repeated = std::ranges::unique(entries);
  entries.erase(repeated.begin(), repeated.end());
}

/// A new data set's name, from the system's generator for secrets.
std::string new_data_set_name() {
  std::array<std::uint64_t, 2> random{};
  secure_random(std::as_writable_bytes(std::span(random)));
  return base62(random[0], 12) + base62(random[1], 12);
}

std::string record_field_of(const AccountKey& key, const Record& record) {
  return std::visit([&](const auto& each) { return record_field(key, each.id); }, record);
}

}  // namespace

std::string Acknowledged::to_text() const {
  std::string text = data_set;
  for (std::uint64_t count : commits) text.append(" ").append(std::to_string(count));
  return text;
}

std::optional<Acknowledged> Acknowledged::parse(std::string_view text) {
  Acknowledged result;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(" \n", at), text.size());
    const std::string_view word = text.substr(at, end - at);
    at = end + 1;
    if (word.empty()) continue;
    if (result.data_set.empty()) {
      result.data_set = word;
      continue;
    }
    std::uint64_t count = 0;
    const auto [rest, error] = std::from_chars(word.data(), word.data() + word.size(), count);
    if (error != std::errc() || rest != word.data() + word.size()) return std::nullopt;
    result.commits.push_back(count);
  }
  if (result.data_set.empty()) return std::nullopt;
  return result;
}

Store::Store(Executor executor, redis::Client& client, StoreSettings settings)
    : executor_(executor),
      client_(client),
      settings_(settings),
      batches_(std::make_unique<Batches>(executor, client, acknowledged_, settings_)) {}

Store::~Store() = default;

void Store::expect(Acknowledged acknowledged) { acknowledged_ = std::move(acknowledged); }
Acknowledged Store::acknowledged() const { return acknowledged_; }
std::uint32_t Store::partitions() const { return partitions_; }
std::uint32_t Store::partition_of(const AccountKey& key) const { return key.partition(partitions_); }
const std::string& Store::data_set() const { return acknowledged_.data_set; }
const std::string& Store::data_loss() const { return data_loss_; }

std::string Store::key_beside(Mode mode, const AccountKey& account, std::string_view name) const {
  return prefix(mode, partition_of(account)).append(name);
}

awaitable<Result<void>> Store::prepare(redis::Connection& connection) {
  auto loaded = co_await load_functions(connection);
  if (!loaded) co_return loaded.error();

  redis::Command open("FCALL", function_name("open_data_set"), 1, data_set_key, new_data_set_name(),
                      settings_.partitions);
  auto opened = co_await connection.execute(std::move(open));
  if (!opened) co_return opened.error();
  const std::string& name = opened->elements().at(0).text();
  const auto partitions = static_cast<std::uint32_t>(std::stoul(opened->elements().at(1).text()));
  if (partitions_ != 0 && partitions != partitions_)
    co_return Failure{Errc::corrupt, "the data set changed its number of partitions: restart billd"};

  redis::Command read("MGET");
  for (std::uint32_t partition = 0; partition < partitions; ++partition) read.add(commits_key(partition));
  auto counted = co_await connection.execute(std::move(read));
  if (!counted) co_return counted.error();
  if (acknowledged_.data_set.empty()) {
    acknowledged_.data_set = name;
  } else if (acknowledged_.data_set != name) {
    data_loss_ = "Redis holds another data set (" + name + ") than the one that this daemon worked on (" +
                 acknowledged_.data_set + ")";
  }
  acknowledged_.commits.resize(partitions);
  for (std::uint32_t partition = 0; partition < partitions; ++partition) {
    const redis::Reply& count = counted->elements()[partition];
    const std::uint64_t stored = count.is_nil() ? 0 : std::stoull(count.text());
    std::uint64_t& seen = acknowledged_.commits[partition];
    if (stored < seen && data_loss_.empty())
      data_loss_ = "partition " + std::to_string(partition) + " came back with " + std::to_string(stored) +
                   " commits, but " + std::to_string(seen) + " had been acknowledged";
    seen = std::max(seen, stored);
  }
  partitions_ = partitions;
  batches_->set_partitions(partitions);
  co_return Result<void>();
}

awaitable<Result<std::vector<redis::Reply>>> Store::execute_all(std::vector<redis::Command> commands) {
  auto results = co_await client_.execute_all(std::move(commands));
  std::vector<redis::Reply> replies;
  replies.reserve(results.size());
  for (auto& result : results) {
    if (!result) co_return result.error();
    replies.push_back(std::move(*result));
  }
  co_return replies;
}

awaitable<Result<Loaded>> Store::load(Mode mode, AccountKey key) {
  PendingLoad pending(executor_);
  const std::uint32_t partition = partition_of(key);
  pending.account = account_key(prefix(mode, partition), key);
  batches_->add(mode, partition, pending);
  co_await pending.done.provided();
  auto bytes = pending.done.take();
  if (!bytes) co_return bytes.error();
  if (!bytes->has_value()) co_return Failure{Errc::not_found, "no such account: " + key.value()};
  auto account = decode_account(key, mode, **bytes);
  if (!account) co_return account.error();
  Footprint footprint = Footprint::of(*account);
  co_return Loaded{std::move(*account), std::move(footprint)};
}

awaitable<Result<std::vector<Loaded>>> Store::load_all(Mode mode, std::vector<AccountKey> keys) {
  std::vector<redis::Command> commands;
  commands.reserve(keys.size());
  for (const AccountKey& key : keys) commands.emplace_back("GET", account_key(prefix(mode, partition_of(key)), key));
  auto replies = co_await execute_all(std::move(commands));
  if (!replies) co_return replies.error();
  std::vector<Loaded> loaded;
  loaded.reserve(keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if ((*replies)[i].is_nil()) continue;
    auto account = decode_account(keys[i], mode, (*replies)[i].text());
    if (!account) co_return account.error();
    Footprint footprint = Footprint::of(*account);
    loaded.push_back({std::move(*account), std::move(footprint)});
  }
  co_return loaded;
}

awaitable<Result<CommitResult>> Store::commit(CommitRequest request) {
  Transition& transition = request.transition;
  Account& account = transition.account;
  const std::uint32_t partition = partition_of(account.key);
  const std::string keys_prefix = prefix(account.mode, partition);

  PendingCommit pending(executor_);
  pending.account = account_key(keys_prefix, account.key);
  pending.expected_version = encode_version(account.version);
  account.version += 1;
  pending.value = encode(account);
  if (request.fence) pending.epoch = std::to_string(request.fence->epoch);
  if (request.idempotency) {
    pending.record = answer_key(keys_prefix, request.idempotency->key_hash);
    pending.record_value = std::move(request.idempotency->value);
    pending.record_overwrite = request.idempotency->overwrite;
  }
  if (!transition.events.empty()) {
    EventBatch batch;
    batch.key = account.key;
    batch.created = request.now;
    batch.sequence = account.events - transition.events.size() + 1;
    batch.request_id = std::move(request.request_id);
    batch.idempotency_key = std::move(request.idempotency_key);
    batch.snapshots = std::move(transition.snapshots);
    batch.events = std::move(transition.events);
    pending.events = encode(batch);
  }

  Footprint after = Footprint::of(account);
  WriteList writes(keys_prefix, pending.writes);
  const std::string records = records_key(keys_prefix, account.key);
  IndexEntries entries = after.entries;
  for (const Record& record : transition.settled) {
    writes.add('H', records, record_field_of(account.key, record), encode(account.key, record));
    if (const Invoice* invoice = std::get_if<Invoice>(&record))
      for (const Charge& charge : invoice->charges)
        writes.add('H', records, charge_field(account.key, charge.id), encode_charge_owner(account.key, invoice->id));
    merge_into(entries, index_entries(account.key, record));
  }
  for (const InvoiceId& recalled : transition.recalled) writes.add('D', records, record_field(account.key, recalled));
  writes.indexes(request.before.entries, entries);
  writes.timers(account.key, request.before, after);

  batches_->add(account.mode, partition, pending);
  co_await pending.done.provided();
  auto verdict = pending.done.take();
  if (!verdict) co_return verdict.error();
  CommitResult result;
  result.status = verdict->status;
  result.saved = std::move(verdict->saved);
  if (result.status == CommitStatus::committed) result.loaded = {std::move(account), std::move(after)};
  co_return result;
}

awaitable<Result<Record>> Store::load_record(Mode mode, AccountKey key, std::string field) {
  redis::Command command("HGET", records_key(prefix(mode, partition_of(key)), key), std::move(field));
  auto reply = co_await client_.execute(std::move(command));
  if (!reply) co_return reply.error();
  if (reply->is_nil()) co_return Failure{Errc::not_found, "no such record"};
  co_return decode_record(key, reply->text());
}

awaitable<Result<std::vector<Record>>> Store::load_records(Mode mode, AccountKey key, std::vector<std::string> fields) {
  std::vector<Record> records;
  if (fields.empty()) co_return records;
  redis::Command command("HMGET", records_key(prefix(mode, partition_of(key)), key));
  for (std::string& field : fields) command.add(std::move(field));
  auto reply = co_await client_.execute(std::move(command));
  if (!reply) co_return reply.error();
  for (const redis::Reply& element : reply->elements()) {
    if (element.is_nil()) continue;
    auto record = decode_record(key, element.text());
    if (!record) co_return record.error();
    records.push_back(std::move(*record));
  }
  co_return records;
}

awaitable<Result<std::vector<std::string>>> Store::record_fields(Mode mode, AccountKey key) {
  redis::Command command("HKEYS", records_key(prefix(mode, partition_of(key)), key));
  auto reply = co_await client_.execute(std::move(command));
  if (!reply) co_return reply.error();
  std::vector<std::string> fields;
  for (redis::Reply& element : reply->take_elements()) fields.push_back(element.take_text());
  co_return fields;
}

awaitable<Result<InvoiceId>> Store::invoice_of_charge(Mode mode, AccountKey key, ChargeId charge) {
  redis::Command command("HGET", records_key(prefix(mode, partition_of(key)), key), charge_field(key, charge));
  auto reply = co_await client_.execute(std::move(command));
  if (!reply) co_return reply.error();
  if (reply->is_nil()) co_return Failure{Errc::not_found, "no such charge"};
  co_return decode_charge_owner(key, reply->text());
}

awaitable<Result<Timestamp>> Store::server_time() {
  redis::Command command("TIME");
  auto reply = co_await client_.execute(std::move(command));
  if (!reply) co_return reply.error();
  const auto seconds = std::stoll(reply->elements().at(0).text());
  const auto microseconds = std::stoll(reply->elements().at(1).text());
  co_return Timestamp(std::chrono::seconds(seconds) + std::chrono::microseconds(microseconds));
}

}  // namespace billd::store
