// Opening the data set, loading accounts and records, and committing transitions.
#include "net/store/store.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "config/keys.hpp"
#include "net/store/aliases.hpp"
#include "net/store/batches.hpp"
#include "net/store/functions.hpp"
#include "net/store/keys.hpp"
#include "net/store/numbers.hpp"
#include "net/store/unique.hpp"

namespace billd::store {
namespace {

/// The differences between what was stored and what shall be, as writes.
class WriteList {
 public:
  WriteList(std::string_view keys_prefix, std::vector<Write>& writes) : prefix_(keys_prefix), writes_(writes) {}

  void indexes(const IndexEntries& before, const IndexEntries& after) {
    // Both are sorted. A member whose score changes leaves before it enters.
    IndexEntries only;
    std::ranges::set_difference(before, after, std::back_inserter(only));
    for (const IndexEntry& entry : only) leave(entry);
    only.clear();
    std::ranges::set_difference(after, before, std::back_inserter(only));
    for (const IndexEntry& entry : only) enter(entry);
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

/// In the text of what was acknowledged: Redis came back with less.
constexpr std::string_view lost_word = "lost";

constexpr std::uint32_t partitions_max = 16384;  // The slots of a cluster.

// Odd, so that it goes through all marks before one comes again.
constexpr std::uint64_t mark_step = 0x9e3779b97f4a7c15;

std::uint64_t random_number() {
  std::uint64_t random = 0;
  secure_random(std::as_writable_bytes(std::span(&random, 1)));
  return random;
}

/// A new data set's name, from the system's generator for secrets.
std::string new_data_set_name() {
  std::string name = base62(random_number(), 12);
  return name += base62(random_number(), 12);
}

/// The answer of open_data_set(), with as many counts of commits as there are partitions.
Result<Acknowledged> read_data_set(const redis::Reply& reply) {
  const Failure unreadable{Errc::corrupt, std::string(data_set_key) + " in Redis is not billd's"};
  if (!reply.is_array() || reply.elements().size() != 2) return unreadable;
  const redis::Reply &name = reply.elements()[0], &count = reply.elements()[1];
  if (!name.is_text() || name.text().empty() || !count.is_text()) return unreadable;
  const auto partitions = parse_count(count.text());
  if (!partitions || *partitions == 0 || *partitions > partitions_max) return unreadable;
  Acknowledged data_set;
  data_set.data_set = name.text();
  data_set.commits.resize(*partitions);
  return data_set;
}

std::string record_field_of(const AccountKey& key, const Record& record) {
  return std::visit([&](const auto& each) { return record_field(key, each.id); }, record);
}

}  // namespace

std::string Acknowledged::to_text() const {
  std::string text = data_set;
  if (lost) text.append(" ").append(lost_word);
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
    if (word == lost_word) {
      result.lost = true;
      continue;
    }
    const auto count = parse_count(word);
    if (!count) return std::nullopt;
    result.commits.push_back(*count);
  }
  if (result.data_set.empty()) return std::nullopt;
  return result;
}

Store::Store(Executor executor, redis::Client& client, StoreSettings settings)
    : executor_(executor),
      client_(client),
      settings_(settings),
      batches_(std::make_unique<Batches>(executor, client, acknowledged_, settings_)),
      aliases_(std::make_unique<Aliases>(*this)),
      mark_(random_number()) {
  // The commit function cannot undo what it wrote before Redis refuses an expiry.
  BILLD_CHECK(settings_.idempotency_retention.count() > 0, "answers must be kept for a while");
  BILLD_CHECK(settings_.batch_max > 0, "a batch holds at least one account");
}

Store::~Store() = default;

void Store::expect(Acknowledged acknowledged) { acknowledged_ = std::move(acknowledged); }
Acknowledged Store::acknowledged() const { return acknowledged_; }
std::uint32_t Store::partitions() const { return partitions_; }
std::uint32_t Store::partition_of(const AccountKey& key) const {
  BILLD_CHECK(partitions_ != 0, "the store is used before its first connection");
  return key.partition(partitions_);
}
const std::string& Store::data_set() const { return acknowledged_.data_set; }
const std::string& Store::data_loss() const { return data_loss_; }

void Store::accept_data_loss() {
  data_loss_.clear();
  acknowledged_ = stored_;
}

std::string Store::key_beside(Mode mode, const AccountKey& account, std::string_view name) const {
  return prefix(mode, partition_of(account)).append(name);
}

awaitable<Result<void>> Store::prepare(redis::Connection& connection) {
  auto loaded = co_await load_functions(connection);
  if (!loaded) co_return loaded.error();

  redis::Command open("FCALL", function_name("open_data_set"), 1, data_set_key, new_data_set_name(),
                      settings_.partitions, catalog_channel);
  auto opened = co_await connection.execute(std::move(open));
  if (!opened) co_return opened.error();
  auto stored = read_data_set(*opened);
  if (!stored) co_return stored.error();
  const auto partitions = static_cast<std::uint32_t>(stored->commits.size());
  if (partitions_ != 0 && partitions != partitions_)
    co_return Failure{Errc::corrupt, "the data set changed its number of partitions: restart billd"};

  // Other lanes go on committing: only what was acknowledged before the question must be in the answer.
  const Acknowledged expected = acknowledged_;
  std::vector<redis::Command> reads;
  for (std::uint32_t partition = 0; partition < partitions; ++partition)
    reads.emplace_back("GET", commits_key(partition));
  auto counts = co_await connection.execute_all(std::move(reads));
  for (std::uint32_t partition = 0; partition < partitions; ++partition) {
    const Result<redis::Reply>& count = counts[partition];
    if (!count) co_return count.error();
    if (!count->is_nil()) stored->commits[partition] = parse_count(count->text()).value_or(0);
  }
  compare(expected, std::move(*stored));
  partitions_ = partitions;
  batches_->set_partitions(partitions);
  co_return Result<void>();
}

/// What is stored counts as acknowledged, unless it is less: then that is kept to tell of it.
void Store::compare(const Acknowledged& expected, Acknowledged stored) {
  stored_ = std::move(stored);
  if (acknowledged_.data_set.empty()) acknowledged_.data_set = stored_.data_set;
  acknowledged_.commits.resize(stored_.commits.size());
  std::string loss;
  if (acknowledged_.data_set != stored_.data_set)
    loss = "Redis holds another data set (" + stored_.data_set + ") than the one that this daemon worked on (" +
           acknowledged_.data_set + ")";
  for (std::size_t partition = 0; partition < stored_.commits.size(); ++partition) {
    const std::uint64_t seen = partition < expected.commits.size() ? expected.commits[partition] : 0;
    if (stored_.commits[partition] < seen && loss.empty())
      loss = "partition " + std::to_string(partition) + " came back with " +
             std::to_string(stored_.commits[partition]) + " commits, but " + std::to_string(seen) +
             " had been acknowledged";
    acknowledged_.commits[partition] = std::max(acknowledged_.commits[partition], stored_.commits[partition]);
  }
  if (loss.empty() && acknowledged_.lost) loss = "Redis came back with less than it had acknowledged, some time ago";
  if (loss.empty()) return;
  acknowledged_.lost = true;
  if (data_loss_.empty()) data_loss_ = std::move(loss);
}

awaitable<Result<std::vector<redis::Reply>>> Store::execute_all(redis::Client& client,
                                                                std::vector<redis::Command> commands) {
  auto results = co_await client.execute_all(std::move(commands));
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
  auto replies = co_await execute_all(client_, std::move(commands));
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
  auto verdict = co_await commit(&request);
  if (!verdict) co_return verdict.error();
  CommitResult result{verdict->status, {}, std::move(verdict->saved)};
  if (result.status == CommitStatus::committed)
    result.loaded = {std::move(request.transition.account), std::move(request.before)};
  co_return result;
}

awaitable<Result<Verdict>> Store::commit(CommitRequest* to_commit) {
  CommitRequest& request = *to_commit;
  Transition& transition = request.transition;
  Account& account = transition.account;
  const std::uint32_t partition = partition_of(account.key);
  const std::string keys_prefix = prefix(account.mode, partition);

  PendingCommit pending(executor_);
  pending.account = account_key(keys_prefix, account.key);
  pending.expected_version = encode_version(account.version);
  account.version = next_version(account.version, mark_ += mark_step);
  pending.value = encode(account);
  if (request.fence) pending.epoch = std::to_string(request.fence->epoch);
  if (request.idempotency) {
    pending.record = answer_key(keys_prefix, request.idempotency->key_hash);
    pending.record_value = std::move(request.idempotency->value);
    pending.record_overwrite = request.idempotency->overwrite;
    pending.record_life = request.idempotency->life.value_or(settings_.idempotency_retention);
  }
  if (request.held) {
    const Unique& unique = request.held->unique;
    BILLD_CHECK(partition_of(unique) == partition, "a commit can only be bound to what its own partition holds");
    pending.unique = unique_key(keys_prefix, to_text(unique.kind), unique.value);
    pending.unique_holder = std::move(request.held->holder);
  }
  pending.mark = std::move(request.mark);
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
  IndexEntries of_settled;
  Parts parts;
  for (const Record& record : transition.settled) {
    writes.add('H', records, record_field_of(account.key, record), encode(account.key, record, parts));
    if (const Invoice* invoice = std::get_if<Invoice>(&record)) {
      const std::string owner = encode_charge_owner(account.key, invoice->id);
      for (const Charge& charge : invoice->charges) {
        writes.add('H', records, charge_field(account.key, charge.id), owner);
        for (const Refund& refund : charge.refunds)
          writes.add('H', records, refund_field(account.key, refund.id), owner);
      }
      for (const CreditNote& note : invoice->credit_notes)
        writes.add('H', records, credit_note_field(account.key, note.id), owner);
    }
    merge_into(of_settled, index_entries(account.key, record));
  }
  for (auto& [name, bytes] : parts) writes.add('V', records, part_field(name), std::move(bytes));
  if (!request.aliases.empty())
    writes.add('V', aliases_key(keys_prefix), account.key.value(), std::move(request.aliases));
  for (const InvoiceId& recalled : transition.recalled) writes.add('D', records, record_field(account.key, recalled));
  // A draft that rested outside the account has its entries, though the account when it was loaded had none of them.
  for (const Invoice& deleted : transition.deleted)
    merge_into(request.before.entries, index_entries(account.key, deleted));
  if (!of_settled.empty()) merge_into(of_settled, after.entries);
  writes.indexes(request.before.entries, of_settled.empty() ? after.entries : of_settled);
  writes.timers(account.key, request.before, after);

  batches_->add(account.mode, partition, pending);
  co_await pending.done.provided();
  auto verdict = pending.done.take();
  if (!verdict || verdict->status != CommitStatus::committed) co_return verdict;
  if (events_appended_ && !pending.events.empty()) events_appended_(account.mode, partition);
  request.before = std::move(after);
  co_return verdict;
}

awaitable<Result<Record>> Store::load_record(Mode mode, AccountKey key, std::string field) {
  std::vector<std::string> fields;
  fields.push_back(std::move(field));
  auto records = co_await load_records(mode, std::move(key), std::move(fields));
  if (!records) co_return records.error();
  if (records->empty()) co_return Failure{Errc::not_found, "no such record"};
  co_return std::move(records->front());
}

awaitable<Result<std::vector<Record>>> Store::load_records(Mode mode, AccountKey key, std::vector<std::string> fields) {
  std::vector<Record> records;
  if (fields.empty()) co_return records;
  const std::string documents = records_key(prefix(mode, partition_of(key)), key);
  redis::Command command("HMGET", documents);
  for (std::string& field : fields) command.add(std::move(field));
  auto stored = co_await reading(key).execute(std::move(command));
  if (!stored) co_return stored.error();
  auto parts = co_await load_parts(key, documents, *stored);
  if (!parts) co_return parts.error();
  for (const redis::Reply& element : stored->elements()) {
    if (element.is_nil()) continue;
    auto record = decode_record(key, element.text(), *parts);
    if (!record) co_return record.error();
    records.push_back(std::move(*record));
  }
  co_return records;
}

/// What the records need of what is kept apart. It is never changed or removed, so that it may be read later than they.
awaitable<Result<Parts>> Store::load_parts(AccountKey key, std::string documents, const redis::Reply& records) {
  std::set<std::uint64_t> names;
  for (const redis::Reply& element : records.elements()) {
    if (element.is_nil()) continue;
    auto wanted = part_names(key, element.text());
    if (!wanted) co_return wanted.error();
    names.insert(wanted->begin(), wanted->end());
  }
  Parts parts;
  if (names.empty()) co_return parts;
  redis::Command command("HMGET", std::move(documents));
  for (std::uint64_t name : names) command.add(part_field(name));
  auto reply = co_await reading(key).execute(std::move(command));
  if (!reply) co_return reply.error();
  auto element = reply->elements().begin();
  for (std::uint64_t name : names) {
    if (element->is_text()) parts.emplace(name, element->text());
    ++element;
  }
  co_return parts;
}

awaitable<Result<std::vector<std::string>>> Store::record_fields(Mode mode, AccountKey key) {
  redis::Command command("HKEYS", records_key(prefix(mode, partition_of(key)), key));
  auto reply = co_await reading(key).execute(std::move(command));
  if (!reply) co_return reply.error();
  std::vector<std::string> fields;
  for (redis::Reply& element : reply->take_elements())
    if (!parse_part_field(element.text())) fields.push_back(element.take_text());
  co_return fields;
}

awaitable<Result<InvoiceId>> Store::invoice_of_charge(Mode mode, AccountKey key, ChargeId charge) {
  std::string field = charge_field(key, charge);
  co_return co_await owner_of(mode, std::move(key), std::move(field));
}

awaitable<Result<InvoiceId>> Store::invoice_of_refund(Mode mode, AccountKey key, RefundId refund) {
  std::string field = refund_field(key, refund);
  co_return co_await owner_of(mode, std::move(key), std::move(field));
}

awaitable<Result<InvoiceId>> Store::invoice_of_credit_note(Mode mode, AccountKey key, CreditNoteId note) {
  std::string field = credit_note_field(key, note);
  co_return co_await owner_of(mode, std::move(key), std::move(field));
}

awaitable<Result<InvoiceId>> Store::owner_of(Mode mode, AccountKey key, std::string field) {
  redis::Command command("HGET", records_key(prefix(mode, partition_of(key)), key), std::move(field));
  auto reply = co_await reading(key).execute(std::move(command));
  if (!reply) co_return reply.error();
  if (reply->is_nil()) co_return Failure{Errc::not_found, "no settled invoice has it"};
  co_return decode_charge_owner(key, reply->text());
}

awaitable<Result<Timestamp>> Store::server_time() {
  redis::Command command("TIME");
  auto reply = co_await client_.execute(std::move(command));
  if (!reply) co_return reply.error();
  const auto seconds = parse_score(reply->elements().at(0).text());
  const auto microseconds = parse_score(reply->elements().at(1).text());
  co_return Timestamp(std::chrono::seconds(seconds) + std::chrono::microseconds(microseconds));
}

}  // namespace billd::store
