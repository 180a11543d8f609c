// Accounts, documents, indexes, events and timers in Redis: loads and atomic commits, batched per partition.
#pragma once

#include <array>
#include <bitset>
#include <compare>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "net/async.hpp"
#include "net/redis/client.hpp"
#include "net/shifts.hpp"
#include "net/store/encoding.hpp"
#include "net/store/footprint.hpp"

namespace billd::store {

class Aliases;

/// An account as stored, with what it has left in indexes and queues.
struct Loaded {
  Account account;
  Footprint footprint;
};

/// A job's right to write: refused when the partition has a newer owner.
struct Fence {
  std::uint64_t epoch = 0;
};

/// The saved answer to a request with an Idempotency-Key, written in the commit of its effect.
struct IdempotencyWrite {
  std::string key_hash;                   ///< see idempotency.hpp
  std::string value;                      ///< the encoded answer, or the mark that the effect is under way
  bool overwrite = false;                 ///< false: the commit is refused when there is one already
  std::optional<Milliseconds> life = {};  ///< empty: idempotency_retention
};

/// What only one customer of a mode may have.
enum class UniqueKind : std::uint8_t {
  user_name,  ///< in lower case
  code,
  likeness,  ///< of new customers: a hash of what tells two apart
};

struct Unique {
  UniqueKind kind = UniqueKind::code;
  std::string value;
};

/// A unique value and how it is held: a text that names the account, compared as a whole.
struct HeldUnique {
  Unique unique;
  std::string holder;
};

struct CommitRequest {
  Transition transition;
  Footprint before;
  std::optional<Fence> fence;  ///< jobs; requests of the API go without
  std::optional<IdempotencyWrite> idempotency;
  std::optional<HeldUnique> held;  ///< refused with not_held unless it is; of the account's partition
  std::string mark;                ///< that this commit was made, see redemptions.hpp; empty: none
  Timestamp now;                   ///< the account's time, for its events
  std::string request_id;          ///< for its events; empty: time did it
  std::string idempotency_key;     ///< as the client gave it, for its events
  std::string aliases = {};        ///< of a new account, see aliases.hpp; empty: it has none
};

enum class CommitStatus : std::uint8_t {
  committed,
  conflict,     ///< another writer was first: load and decide again
  stale_epoch,  ///< the partition has another owner
  repeated,     ///< the idempotency key has an answer already, in `saved`; nothing was written
  not_held,     ///< another took the unique value; nothing was written
  given_up,     ///< somebody has given the commit of this mark up; nothing was written
};

/// What became of a commit.
struct Verdict {
  CommitStatus status = CommitStatus::committed;
  std::string saved = {};  ///< of `repeated`
};

struct CommitResult {
  CommitStatus status = CommitStatus::committed;
  Loaded loaded;      ///< after a commit: the account as it is stored now
  std::string saved;  ///< of `repeated`
};

struct StoreSettings {
  std::uint32_t partitions = 16;  ///< of a new data set; an existing one keeps its own
  std::size_t batch_max = 64;     ///< accounts in one call of the commit function
  Milliseconds event_retention = std::chrono::hours(24 * 30);
  Milliseconds idempotency_retention = std::chrono::hours(24);
};

/// A place in a list of objects of one kind over all accounts, newest first.
struct Page {
  std::size_t limit = 10;
  std::optional<std::pair<std::int64_t, std::string>> after;   ///< score and member: what is older
  std::optional<std::pair<std::int64_t, std::string>> before;  ///< what is newer, nearest first
  std::optional<std::int64_t> score_min, score_max;            ///< inclusive
};

struct ListedMember {
  std::int64_t score = 0;
  std::string member;
};

/// The position of an event: partition, stream entry and place in its batch. The event's identifier says it.
struct EventPosition {
  std::uint32_t partition = 0;
  std::uint64_t milliseconds = 0, sequence = 0;
  std::uint32_t index = 0;

  EventId id() const;
  static std::optional<EventPosition> parse(std::string_view id);
  /// By time; then by partition, and within a batch by place.
  std::strong_ordering operator<=>(const EventPosition& other) const;
  bool operator==(const EventPosition&) const = default;
};

struct StoredEvent {
  EventPosition position;
  std::shared_ptr<const EventBatch> batch;
  const Event& event() const { return batch->events[position.index]; }
  const Snapshot& snapshot() const { return batch->snapshots[event().snapshot]; }
};

/// What this data set has acknowledged: kept beside the daemon, it tells whether Redis came back with less.
struct Acknowledged {
  std::string data_set;
  std::vector<std::uint64_t> commits;  ///< calls that committed something, by partition
  bool lost = false;                   ///< Redis came back with less; kept until accept_data_loss()

  /// One line of text, for a file.
  std::string to_text() const;
  /// Empty for a text that is none.
  static std::optional<Acknowledged> parse(std::string_view text);
};

/// All functions fail with Errc::unavailable when Redis does not answer and nothing was done, with outcome_unknown when
/// a write may have been carried out, and with corrupt when what is stored cannot be read. A commit is repeated inside
/// only when it surely was not carried out. To be used from the loop's thread; must outlive its coroutines.
class Store {
 public:
  Store(Executor executor, redis::Client& client, StoreSettings settings);
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  /// Prepares a fresh connection: loads the function library, creates the data set or checks it, and compares what this
  /// process saw acknowledged with what Redis still has. To be given to Client::on_connected.
  awaitable<Result<void>> prepare(redis::Connection& connection);

  /// What an earlier process saw acknowledged; before the first connection.
  void expect(Acknowledged acknowledged);
  Acknowledged acknowledged() const;

  /// The number of partitions of the data set; valid once prepared.
  std::uint32_t partitions() const;
  /// REQUIRES: once prepared.
  std::uint32_t partition_of(const AccountKey& key) const;

  /// The name of the data set, which tells one from another: 24 characters.
  const std::string& data_set() const;

  /// Whether Redis came back with less than it had acknowledged; then no money may move. Empty: it did not.
  const std::string& data_loss() const;

  /// An operator has reconciled what is stored: from now on it counts as all that was acknowledged. Once prepared.
  void accept_data_loss();

  awaitable<Result<Loaded>> load(Mode mode, AccountKey key);
  /// Accounts that do not exist are left out.
  awaitable<Result<std::vector<Loaded>>> load_all(Mode mode, std::vector<AccountKey> keys);
  awaitable<Result<CommitResult>> commit(CommitRequest request);
  /// The same for a request that stays with the caller, who awaits this at once: what is large is not moved about. Of
  /// one that was committed, its transition has the account as it is stored now, and `before` what that has left in
  /// indexes and queues; of others, nothing of it is to be used.
  awaitable<Result<Verdict>> commit(CommitRequest* request);

  /// not_found when there is no such record.
  awaitable<Result<Record>> load_record(Mode mode, AccountKey key, std::string field);
  awaitable<Result<std::vector<Record>>> load_records(Mode mode, AccountKey key, std::vector<std::string> fields);
  /// The fields of all records of the account, in no order; see encoding.hpp for what they say.
  awaitable<Result<std::vector<std::string>>> record_fields(Mode mode, AccountKey key);
  awaitable<Result<InvoiceId>> invoice_of_charge(Mode mode, AccountKey key, ChargeId charge);
  awaitable<Result<InvoiceId>> invoice_of_refund(Mode mode, AccountKey key, RefundId refund);
  awaitable<Result<InvoiceId>> invoice_of_credit_note(Mode mode, AccountKey key, CreditNoteId note);

  /// A page of an index over all partitions, newest first (with `before`: the ones just newer than it, newest first),
  /// one member more than the limit when there are more.
  awaitable<Result<std::vector<ListedMember>>> list(Mode mode, Index index, Page page);
  /// The same of sorted sets that other parts keep beside the accounts; see key_beside().
  awaitable<Result<std::vector<ListedMember>>> list_beside(Mode mode, std::string name, Page page);
  /// How many members the index has with a score from `score_min` to `score_max`, both included (empty: without bound).
  awaitable<Result<std::uint64_t>> count(Mode mode, Index index, std::optional<std::int64_t> score_min,
                                         std::optional<std::int64_t> score_max);
  /// The accounts of the customers with this email, whatever the case of its letters.
  awaitable<Result<std::vector<AccountKey>>> find_by_email(Mode mode, std::string email);
  /// The accounts with a source that the processor behind the gateway calls so; the built-in test gateway's are not
  /// found.
  awaitable<Result<std::vector<AccountKey>>> find_by_reference(Mode mode, std::string gateway, std::string reference);
  /// The accounts of the customers of a test clock.
  awaitable<Result<std::vector<AccountKey>>> test_clock_accounts(TestClockId clock);

  // Numbers of customers: sequence x partitions + partition. See search.cpp.

  /// A number for a new account, which none of the mode has, had, or has for a code. Numbers that are not used are
  /// lost.
  awaitable<Result<std::uint64_t>> draw_number(Mode mode, AccountKey key);
  /// not_found when there is no customer of that number.
  awaitable<Result<AccountKey>> find_by_number(Mode mode, std::uint64_t number);
  /// Whether the number was drawn, or may be any moment.
  awaitable<Result<bool>> is_number_drawn(Mode mode, std::uint64_t number);

  /// One of the values that customers are searched by, as search_value() spells it.
  struct Criterion {
    Index index = Index::emails;
    std::string value;
  };
  /// The accounts of the customers that meet all criteria, in the order of their numbers, from the `offset`-th on.
  awaitable<Result<std::vector<AccountKey>>> search(Mode mode, std::vector<Criterion> criteria, std::uint64_t offset,
                                                    std::size_t limit);

  // Values that only one customer may have; see unique.hpp.

  std::uint32_t partition_of(const Unique& unique) const;
  /// How it is held; empty: not.
  awaitable<Result<std::string>> holder(Mode mode, Unique unique);
  /// Takes the value, or gives it up with an empty `wanted`, if it still is held as `seen`; conflict otherwise. Without
  /// `life` it is held until it is given up.
  awaitable<Result<void>> take(Mode mode, Unique unique, std::string seen, std::string wanted,
                               std::optional<Milliseconds> life = std::nullopt);

  /// Events newest first: older than `before`, or newer than `after` (nearest first in time, still listed newest
  /// first), at most `limit`.
  awaitable<Result<std::vector<StoredEvent>>> events(Mode mode, std::optional<EventPosition> older_than,
                                                     std::optional<EventPosition> newer_than, std::size_t limit);
  awaitable<Result<StoredEvent>> event(Mode mode, EventPosition position);
  /// The events of the partition's stream entries behind that of `after`, oldest first, at most `entries` entries.
  awaitable<Result<std::vector<StoredEvent>>> events_after(Mode mode, EventPosition after, std::size_t entries);
  /// Called after a commit of this process which appended events. To cost nothing while nobody wants to know.
  void on_events(std::function<void(Mode, std::uint32_t partition)> appended) {
    events_appended_ = std::move(appended);
  }

  // What the scheduler reads; see jobs/.
  using QueueSet = std::bitset<queue_count>;
  struct Due {
    Mode mode = Mode::test;
    Queue queue = Queue::renewal;
    Timestamp due;
    AccountKey key;
  };
  /// What is due until `until` in the queues of one partition but those of `without`, at most `limit` for each queue
  /// and mode, each queue in due order; and the next due time behind it.
  struct DueNow {
    std::vector<Due> due;
    std::optional<Timestamp> next;  ///< the earliest that is not in `due`
  };
  awaitable<Result<DueNow>> due(std::uint32_t partition, Timestamp until, std::size_t limit,
                                QueueSet without = QueueSet());
  /// The accounts of the partition which are due on the test clock until `until`, earliest first.
  awaitable<Result<std::vector<Due>>> due_on_clock(std::uint32_t partition, TestClockId clock, Timestamp until,
                                                   std::size_t limit);

  struct QueueSize {
    std::uint64_t waiting = 0;  ///< accounts in the queue, due or not
    std::uint64_t due = 0;      ///< of them, due now
    std::optional<Timestamp> oldest;
  };
  /// One round trip for all queues and modes of the partition; O(log n).
  awaitable<Result<std::array<QueueSize, queue_count>>> queue_sizes(std::uint32_t partition, Timestamp now);
  /// How many accounts of the partition are due from each instant up to the next one, the last excluded: one number
  /// less than there are instants, which ascend. An account counts once for each queue that it waits in; O(log n) each.
  awaitable<Result<std::vector<std::uint64_t>>> due_between(std::uint32_t partition, std::vector<Timestamp> instants);
  /// The accounts that are due first in the queue, of all partitions and modes.
  awaitable<Result<std::vector<Due>>> first_due(Queue queue, std::size_t limit);

  // Parking: an account out of the queues until an operator lets it back.
  struct Parked {
    Mode mode = Mode::test;
    AccountKey key;
    Timestamp since;
    std::string reason;            ///< one of few: what parked accounts are grouped by
    Queue queue = Queue::renewal;  ///< where it waited
    std::string by = {};           ///< the operator; empty: billd itself
    std::string detail = {};
  };
  /// already_exists when it is parked: then how and why stays as it is. `clock`: the account's test clock, if it is
  /// known to have one.
  awaitable<Result<void>> park(Parked parked, TestClockId clock);
  /// Back into the queues by its state's timers; not_found when it is not parked.
  awaitable<Result<void>> unpark(Mode mode, AccountKey key);
  awaitable<Result<std::vector<Parked>>> parked(std::uint32_t partition);
  /// How the account is parked; not_found when it is not.
  awaitable<Result<Parked>> find_parked(Mode mode, AccountKey key);
  /// The accounts that were parked first, of all partitions and modes.
  awaitable<Result<std::vector<Parked>>> first_parked(Queue queue, std::size_t limit);

  /// The parked accounts of one queue and reason.
  struct ParkedGroup {
    Queue queue = Queue::renewal;
    std::string reason;
    std::uint64_t count = 0;
    Timestamp first, last;  ///< since the group was empty last
    Mode mode = Mode::test;
    AccountKey example;  ///< of the latest one, which may have left
  };
  /// The groups of both modes of a partition; O(number of groups).
  awaitable<Result<std::vector<ParkedGroup>>> parked_groups(std::uint32_t partition);

  // Leases; see jobs/partitions.hpp for how they are used.
  struct Lease {
    std::string owner;            ///< the daemon's name; empty: nobody
    std::string incarnation;      ///< of the owner's process
    std::uint64_t epoch = 0;      ///< grows with every change of owner
    std::uint64_t heartbeat = 0;  ///< grows while the owner lives
  };
  awaitable<Result<std::vector<Lease>>> leases();
  /// Takes the lease if it still is as `seen`; the new lease, or conflict.
  awaitable<Result<Lease>> take_lease(std::uint32_t partition, Lease seen, std::string owner, std::string incarnation);
  /// Moves the heartbeat on for all of the leases; the partitions that were lost to others are left out of the result.
  awaitable<Result<std::vector<std::uint32_t>>> renew_leases(std::vector<std::pair<std::uint32_t, std::uint64_t>> held);
  /// Gives the lease up at once; nothing happens when it is another's by now.
  awaitable<Result<void>> release_lease(std::uint32_t partition, std::uint64_t epoch);

  /// Redis' own clock.
  awaitable<Result<Timestamp>> server_time();

  /// What other systems call objects.
  Aliases& aliases() { return *aliases_; }

  redis::Client& client() { return client_; }
  /// The connection on which all of the partition's data is written, and read for what comes in crowds.
  redis::Client& lane(std::uint32_t partition) { return client_.lane(partition); }
  redis::Client& lane(const AccountKey& key) { return lane(partition_of(key)); }
  /// Where what is as hasty as the caller is read from: what somebody waits for does not stand behind the calls of
  /// hundreds of jobs. What was acknowledged is seen on every connection.
  redis::Client& reading(std::uint32_t partition) {
    return Shifts::haste() == Shifts::Haste::prompt ? client_ : lane(partition);
  }
  redis::Client& reading(const AccountKey& key) { return reading(partition_of(key)); }
  const StoreSettings& settings() const { return settings_; }

  /// A key that other parts keep beside the accounts, such as "g:" + name for the test
  /// gateway's ledger: in the partition of the account.
  std::string key_beside(Mode mode, const AccountKey& account, std::string_view name) const;

 private:
  awaitable<Result<InvoiceId>> owner_of(Mode mode, AccountKey key, std::string field);
  /// One set for each partition.
  awaitable<Result<std::vector<ListedMember>>> list_sets(std::vector<std::string> keys, Page page);
  class Batches;
  class Search;
  /// The numbers of a partition and mode that this process has drawn and not given to anybody yet.
  struct Numbers {
    explicit Numbers(Executor executor) : drawn(executor, SteadyClock::time_point::max()) {}

    std::vector<std::uint64_t> free;  ///< the least one last
    bool is_drawing = false;
    Timer drawn;  ///< cancelled when the drawing has ended
  };
  Numbers& numbers(Mode mode, std::uint32_t partition);
  awaitable<Result<void>> refill(Numbers& numbers, Mode mode, std::uint32_t partition);
  awaitable<Result<Parts>> load_parts(AccountKey key, std::string documents, const redis::Reply& records);
  void compare(const Acknowledged& expected, Acknowledged stored);
  awaitable<Result<std::vector<redis::Reply>>> execute_all(redis::Client& client, std::vector<redis::Command> commands);

  Executor executor_;
  redis::Client& client_;
  StoreSettings settings_;
  std::unique_ptr<Batches> batches_;
  std::unique_ptr<Aliases> aliases_;
  std::vector<std::unique_ptr<Numbers>> numbers_;  ///< by partition x 2 + mode
  Acknowledged acknowledged_;
  Acknowledged stored_;  ///< when the connection was prepared
  std::uint32_t partitions_ = 0;
  std::string data_loss_;
  std::function<void(Mode, std::uint32_t)> events_appended_;
  std::uint64_t mark_;  ///< of the next commit; see next_version()
};

}  // namespace billd::store
