#include "jobs/executor.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "net/log.hpp"

namespace billd::jobs {
namespace {

/// Steps of time in one job; what is still due then waits until the others that are due have had their turn.
constexpr std::uint32_t steps_max = 32;

/// How often the recording of an outcome is tried while Redis does not answer. After that the collection queue asks the
/// gateway again, whose answer to the same key is the same.
constexpr std::uint32_t recording_attempts_max = 4;

/// The part of a command that names an invoice, which may have left the account.
struct NamedInvoice {
  const InvoiceId* id = nullptr;
  std::optional<Invoice>* recalled = nullptr;
};

NamedInvoice named_invoice(Command& command) {
  return std::visit(
      [](auto& each) -> NamedInvoice {
        if constexpr (requires { each.invoice, each.recalled; })
          if (!each.invoice.is_empty()) return {&each.invoice, &each.recalled};
        return {};
      },
      command);
}

/// The invoice that the command brought back into the account has its entries in the lists, though the account as it
/// was loaded had none of them: what it does not have any more has to leave them.
void add_entries_of_fetched(store::IndexEntries& entries, Command& command, const Transition& decided) {
  const NamedInvoice named = named_invoice(command);
  if (named.id == nullptr || !named.recalled->has_value()) return;
  const auto is_it = [&](const Record& record) {
    const auto* invoice = std::get_if<Invoice>(&record);
    return invoice != nullptr && invoice->id == *named.id;
  };
  if (decided.account.find(*named.id) == nullptr && std::ranges::none_of(decided.settled, is_it)) return;
  const store::IndexEntries stored = store::index_entries(decided.account.key, Record(**named.recalled));
  entries.insert(entries.end(), stored.begin(), stored.end());
  std::ranges::sort(entries);
  const auto repeated = std::ranges::unique(entries);
  entries.erase(repeated.begin(), repeated.end());
}

/// Whether the failure tells of the account itself, so that trying again is of no use.
bool is_of_the_account(Errc code) {
  return code == Errc::corrupt || code == Errc::internal || code == Errc::amount_out_of_range;
}

/// Whether a charge that the subject called for awaits its outcome.
bool awaits_outcome(const Account& account, const std::string& subject) {
  const bool narrow = subject.starts_with(InvoiceKind::prefix) || subject.starts_with(SubscriptionKind::prefix);
  return std::ranges::any_of(account.invoices, [&](const Invoice& invoice) {
    const Charge* charge = invoice.unresolved_charge();
    if (charge == nullptr || charge->state == ChargeState::pending) return false;
    return !narrow || invoice.id.value() == subject || invoice.subscription.value() == subject;
  });
}

bool holds(const Account& account, const std::string& subject) {
  return account.find(InvoiceId(subject)) != nullptr || account.find(SubscriptionId(subject)) != nullptr;
}

bool is_due_in(const store::Store::QueueSet& queues, const Timers& timers, Timestamp until) {
  for (std::size_t queue = 0; queue < queue_count; ++queue)
    if (queues[queue] && timers[queue] && *timers[queue] <= until) return true;
  return false;
}

Failure key_in_progress() {
  return {Errc::idempotency_in_progress, "A request with this idempotency key is still being carried out."};
}

}  // namespace

/// One account while it is worked on.
struct AccountExecutor::Work {
  AccountName account;
  std::optional<store::Fence> fence;
  std::optional<Timestamp> simulated;  ///< the account's time, where it is not real
  api::Execution* request = nullptr;   ///< null: time brings it
  std::string key_hash;                ///< of the request's idempotency key; empty: none

  store::Loaded loaded;
  bool is_current = false;  ///< `loaded` is what is stored
  bool committed = false;   ///< something was changed
  bool marked = false;      ///< the effect is marked as under way under the idempotency key
  std::string subject;      ///< of the request's command
  std::optional<api::Answer> answer;
  bool answer_saved = false;
  std::optional<std::string> repeated;  ///< what is saved under the idempotency key already
};

struct AccountExecutor::Changed {
  bool committed = false;
  std::vector<Effect> effects;
};

/// Keeps an idempotency key in the set of those in use, which may outlive the executor with the loop's last coroutines.
class AccountExecutor::KeyInUse {
 public:
  KeyInUse(std::shared_ptr<std::unordered_set<std::string>> keys, std::string hash)
      : keys_(std::move(keys)), hash_(std::move(hash)) {}
  KeyInUse(const KeyInUse&) = delete;
  KeyInUse& operator=(const KeyInUse&) = delete;
  ~KeyInUse() { keys_->erase(hash_); }

 private:
  std::shared_ptr<std::unordered_set<std::string>> keys_;
  std::string hash_;
};

AccountExecutor::AccountExecutor(Executor executor, const Clock& clock, store::Store& store, store::Catalog& catalog,
                                 const gateways::Gateways& gateways, Rules rules, JobSettings settings)
    : executor_(executor),
      clock_(clock),
      store_(store),
      catalog_(catalog),
      gateways_(gateways),
      rules_(std::move(rules)),
      settings_(settings),
      turns_(executor),
      keys_in_use_(std::make_shared<std::unordered_set<std::string>>()),
      random_(std::random_device{}()) {}

std::string AccountExecutor::obstacle() const {
  if (!store_.data_loss().empty()) return "Redis lost data that it had acknowledged: " + store_.data_loss();
  if (std::string why = clock_.distrust(); !why.empty()) return why;
  // Asked several times for each job: the whole state is put together only when it tells of a problem.
  if (store_.client().phase() != redis::Phase::ready) return "Redis is not ready: " + store_.client().state().problem;
  return {};
}

// Requests.

awaitable<Result<api::Billing::Executed>> AccountExecutor::execute(api::Execution execution) {
  std::string key_hash;
  std::optional<KeyInUse> in_use;
  if (!execution.origin.idempotency_key.empty()) {
    key_hash = store::hash_idempotency_key(execution.mode, execution.origin.idempotency_key);
    if (!keys_in_use_->insert(key_hash).second) co_return key_in_progress();
    in_use.emplace(keys_in_use_, key_hash);
  }
  const AccountName account{execution.mode, execution.account};
  const Turns::Turn turn = co_await turns_.take(account);
  co_return co_await execute_in_turn(execution, std::move(key_hash));
}

awaitable<Result<api::Billing::Executed>> AccountExecutor::execute_in_turn(api::Execution& execution,
                                                                           std::string key_hash) {
  Work work;
  work.account = {execution.mode, execution.account};
  work.request = &execution;
  work.key_hash = std::move(key_hash);
  if (!work.key_hash.empty()) {
    auto saved = co_await store::saved_answer(store_, execution.mode, execution.account, work.key_hash);
    if (!saved) co_return saved.error();
    if (saved->has_value()) co_return co_await answer_again(work, std::move(**saved));
  }
  if (std::holds_alternative<CreateCustomer>(execution.command)) {
    work.loaded.account.key = execution.account;
    work.loaded.account.mode = execution.mode;
    work.is_current = true;
  }
  const auto stepped = co_await step(work, &execution.command);
  if (work.repeated) {
    auto saved = store::decode_saved_answer(*work.repeated);
    if (!saved) co_return saved.error();
    co_return co_await answer_again(work, std::move(*saved));
  }
  if (work.committed && work.is_current && due_changed_ && work.loaded.footprint.test_clock.is_empty())
    if (const auto due = next_due(work.loaded.footprint.timers)) due_changed_(execution.account, *due);
  if (!stepped && work.committed) {
    // The command took hold; what became of its charge is found out by the collection queue.
    log::warn({.request = execution.origin.request_id, .account = execution.account.value()},
              "the account is changed, but the outcome of its charge could not be recorded yet: {}",
              stepped.error().detail);
    co_return Failure{Errc::outcome_unknown, stepped.error().detail};
  }
  if (!stepped) co_return stepped.error();
  ++statistics_.commands;
  co_return co_await answer(work);
}

/// Answers a request whose idempotency key was used before.
awaitable<Result<api::Billing::Executed>> AccountExecutor::answer_again(Work& work, store::SavedAnswer saved) {
  if (!saved.under_way) {
    Executed executed{{saved.status, std::move(saved.body)}, true};
    co_return executed;
  }
  // Who began it was interrupted, or is another daemon that is still at it.
  work.subject = std::move(saved.subject);
  const auto loaded = co_await load(work);
  if (!loaded) co_return loaded.error();
  if (awaits_outcome(work.loaded.account, work.subject)) co_return key_in_progress();
  auto executed = co_await answer(work);
  if (executed) executed->repeated = true;
  co_return executed;
}

/// The answer, saved under the request's idempotency key if it has one.
awaitable<Result<api::Billing::Executed>> AccountExecutor::answer(Work& work) {
  if (!work.answer) {
    auto transition = co_await as_stored(work);
    if (!transition) co_return transition.error();
    work.answer = work.request->render(*transition);
  }
  Executed executed{std::move(*work.answer), false};
  // An answer that asks for a repetition must not be what the repetition gets.
  if (work.key_hash.empty() || work.answer_saved || executed.answer.status >= 500) co_return executed;
  store::SavedAnswer answer{false, executed.answer.status, std::move(executed.answer.body), {}};
  auto saved = co_await store::complete_answer(store_, work.account.mode, work.account.key, work.key_hash,
                                               std::move(answer), work.request->origin.key_life);
  if (!saved) co_return saved.error();
  executed.answer = {saved->status, std::move(saved->body)};
  co_return executed;
}

/// The account as it is, for an answer whose last commit was another's, with the records that its subject has become.
awaitable<Result<Transition>> AccountExecutor::as_stored(Work& work) {
  if (!work.is_current) {
    const auto loaded = co_await load(work);
    if (!loaded) co_return loaded.error();
  }
  Transition transition;
  transition.account = work.loaded.account;
  transition.subject = work.subject;
  const AccountKey& key = work.account.key;
  std::vector<std::string> fields;
  if (work.subject.starts_with(InvoiceKind::prefix) && !holds(transition.account, work.subject)) {
    fields.push_back(store::record_field(key, InvoiceId(work.subject)));
  } else if (work.subject.starts_with(SubscriptionKind::prefix)) {
    if (const Subscription* subscription = transition.account.find(SubscriptionId(work.subject))) {
      if (transition.account.find(subscription->latest_invoice) == nullptr)
        fields.push_back(store::record_field(key, subscription->latest_invoice));
    } else {
      // Ended, or refused at its first payment: then only its invoice tells of it.
      auto all = co_await store_.record_fields(work.account.mode, key);
      if (!all) co_return all.error();
      std::ranges::copy_if(*all, std::back_inserter(fields),
                           [](const std::string& field) { return field.starts_with('i') || field.starts_with('s'); });
    }
  }
  if (fields.empty()) co_return transition;
  auto records = co_await store_.load_records(work.account.mode, key, std::move(fields));
  if (!records) co_return records.error();
  for (Record& record : *records) {
    const auto* invoice = std::get_if<Invoice>(&record);
    const auto* subscription = std::get_if<Subscription>(&record);
    const bool is_meant = (invoice != nullptr &&
                           (invoice->id.value() == work.subject || invoice->subscription.value() == work.subject)) ||
                          (subscription != nullptr && subscription->id.value() == work.subject);
    if (is_meant) transition.settled.push_back(std::move(record));
  }
  co_return transition;
}

// Jobs.

awaitable<Result<Progress>> AccountExecutor::run_due(Job job) {
  // Jobs come in crowds: requests go before them.
  if (Shifts::haste() == Shifts::Haste::prompt) co_await Shifts::of(executor_).patiently();
  std::optional<Turns::Turn> turn = turns_.try_take(job.account);
  if (!turn) {
    Turns::Turn awaited = co_await turns_.take(job.account);
    turn.emplace(std::move(awaited));
  }
  Work work;
  work.account = job.account;
  work.fence = job.fence;
  if (std::string why = obstacle(); !why.empty()) co_return Failure{Errc::unavailable, std::move(why)};
  const auto loaded = co_await load(work);
  if (!loaded) co_return co_await note_failure(job, TestClockId(), loaded.error());
  const TestClockId test_clock = work.loaded.footprint.test_clock;

  Progress progress;
  for (;;) {
    const Timers waiting = work.loaded.footprint.timers;
    const auto due = next_due(waiting);
    const Timestamp until = job.simulated ? job.simulated->until : clock_.now();
    if (!due || *due > until) break;
    progress.is_held = !job.simulated && is_due_in(job.paused, waiting, until);
    if (progress.is_held) co_return progress;
    if (progress.steps == steps_max || (progress.steps > 0 && !obstacle().empty())) {
      progress.more = true;
      break;
    }
    if (job.simulated) work.simulated = std::max({*due, job.simulated->from, work.simulated.value_or(*due)});
    const auto held = co_await hold_drafts(work, until);
    if (!held) co_return co_await note_failure(job, test_clock, held.error());
    Result<bool> stepped = true;
    if (!*held) stepped = co_await step(work, nullptr);
    if (!stepped) co_return co_await note_failure(job, test_clock, stepped.error());
    if (!*stepped) break;
    ++progress.steps;
    ++statistics_.ticks;
    for (std::size_t queue = 0; queue < queue_count; ++queue)
      if (waiting[queue] && *waiting[queue] <= until) ++statistics_.done[queue];
  }
  if (progress.steps == 0) {
    // A job that another writer forestalled is rare, and never the same one again and again.
    const Failure nothing_due{Errc::invalid_state, "the account waits in a queue although nothing of it is due"};
    co_return co_await note_failure(job, test_clock, nothing_due);
  }
  if (!failures_.empty()) failures_.erase(job.account);
  co_return progress;
}

/// Has drafts that are due wait once more when somebody is still to be told of them: true when one does.
awaitable<Result<bool>> AccountExecutor::hold_drafts(Work& work, Timestamp until) {
  if (!awaits_notice_ || work.simulated ||
      !work.loaded.footprint.timers[static_cast<std::size_t>(Queue::invoice_closing)])
    co_return false;
  std::vector<std::pair<InvoiceId, Timestamp>> due;
  for (const Invoice& invoice : work.loaded.account.invoices)
    if (invoice.status == InvoiceStatus::draft && invoice.finalize_at && *invoice.finalize_at <= until)
      due.emplace_back(invoice.id, invoice.created);
  for (const auto& [invoice, created] : due) {
    const bool is_awaited = co_await awaits_notice_(work.account, invoice, created);
    if (!is_awaited) continue;
    Command hold = HoldDraft{invoice};
    const auto changed = co_await change(work, &hold);
    if (!changed) co_return changed.error();
    if (changed->committed) co_return true;
  }
  co_return false;
}

/// Counts the failure of a job, and parks the account when it is time to. Returns the failure.
awaitable<Failure> AccountExecutor::note_failure(const Job& job, TestClockId clock, Failure failure) {
  FailureGroup& group = statistics_.failures[{job.queue, failure.code}];
  group.last = clock_.now();
  if (group.count++ == 0) group.first = group.last;
  group.example = job.account;
  group.detail = failure.detail;
  if (is_transient(failure.code)) co_return failure;

  const std::uint32_t in_a_row = ++failures_[job.account];
  const log::About about{.job = to_text(job.queue), .account = job.account.key.value()};
  log::warn(about, "what is due failed ({} in a row): {}: {}", in_a_row, message(failure.code), failure.detail);
  if (in_a_row < settings_.park_after_failures && !is_of_the_account(failure.code)) co_return failure;
  store::Store::Parked parked{job.account.mode, job.account.key, clock_.now(), std::string(message(failure.code))};
  parked.queue = job.queue;
  parked.detail = failure.detail;
  const auto done = co_await store_.park(std::move(parked), std::move(clock));
  if (!done) co_return failure;  // it comes again, and is parked then
  log::error(about, "the account is parked: {}: {}", message(failure.code), failure.detail);
  ++statistics_.parked;
  failures_.erase(job.account);
  co_return failure;
}

// What both have in common.

/// One decision with all that follows from it: true when something was committed. `command` is null for what time
/// brings.
awaitable<Result<bool>> AccountExecutor::step(Work& work, Command* command) {
  auto changed = co_await change(work, command);
  if (!changed) co_return changed.error();
  std::vector<Effect> effects = std::move(changed->effects);
  bool is_outcome_missing = false;
  for (std::size_t i = 0; i < effects.size(); ++i) {
    std::optional<Command> record = co_await carry_out(work, effects[i]);
    // A job may have been resumed by a gateway's socket.
    if (work.request == nullptr && Shifts::haste() == Shifts::Haste::prompt) co_await Shifts::of(executor_).patiently();
    if (!record) {
      is_outcome_missing = true;
      continue;
    }
    auto recorded = co_await change(work, &*record);
    if (!recorded) co_return recorded.error();
    effects.insert(effects.end(), recorded->effects.begin(), recorded->effects.end());
  }
  if (is_outcome_missing && work.request == nullptr && work.simulated)
    co_return Failure{Errc::unavailable, "the outcome of a charge or refund is not known yet"};
  co_return changed->committed;
}

/// Moves the money, or asks what became of it: the command that records the outcome; empty: it is not known.
awaitable<std::optional<Command>> AccountExecutor::carry_out(const Work& work, Effect effect) {
  if (const auto* refund = std::get_if<SendRefund>(&effect)) {
    RefundOutcome outcome = co_await give_back(work, *refund);
    ++statistics_.refunds[static_cast<std::size_t>(outcome.kind)];
    if (outcome.kind == RefundOutcomeKind::unknown) co_return std::nullopt;
    co_return RecordRefundOutcome{refund->invoice, {}, refund->refund, std::move(outcome)};
  }
  const auto& charge = std::get<CollectCharge>(effect);
  ChargeOutcome outcome = co_await collect(work, charge);
  ++statistics_.charges[static_cast<std::size_t>(outcome.kind)];
  if (outcome.kind == ChargeOutcomeKind::unknown) co_return std::nullopt;
  co_return RecordChargeOutcome{charge.invoice, charge.charge, std::move(outcome)};
}

/// Decides on the account as it is stored and commits; again after a conflict.
awaitable<Result<AccountExecutor::Changed>> AccountExecutor::change(Work& work, Command* command) {
  const bool is_request = work.request != nullptr && command == &work.request->command;
  const bool is_recording = command != nullptr && !is_request;
  for (std::uint32_t attempt = 1;; ++attempt) {
    work.answer.reset();
    if (!work.is_current) {
      auto loaded = co_await load(work);
      if (!loaded && is_recording && is_transient(loaded.error().code) && attempt < recording_attempts_max) {
        co_await back_off(attempt);
        continue;
      }
      if (!loaded) co_return loaded.error();
    }
    if (is_request) {
      auto prepared = co_await prepare(work, *command);
      if (!prepared) co_return prepared.error();
    }
    if (command != nullptr) {
      auto fetched = co_await fetch_invoice(work, *command);
      if (!fetched && !is_recording) co_return fetched.error();
    }
    const Timestamp now = time_of(work);
    Result<Transition> decided = command != nullptr ? decide(std::move(work.loaded.account), *command, now, rules_)
                                                    : tick(std::move(work.loaded.account), now, rules_);
    if (!decided) {
      work.is_current = false;
      co_return decided.error();
    }
    if (is_recording && work.request != nullptr) decided->subject = work.subject;
    if (is_request) work.subject = decided->subject;
    if (!decided->changed) {
      if (is_request) work.answer = work.request->render(*decided);
      work.loaded.account = std::move(decided->account);
      co_return Changed();
    }
    Changed changed{true, std::move(decided->effects)};
    std::string alarm = std::move(decided->alarm);
    const bool is_last = changed.effects.empty();
    if (is_request && !is_last) {
      if (std::string why = obstacle(); !why.empty()) {
        work.is_current = false;
        co_return Failure{Errc::unavailable, "payments are paused: " + why};
      }
    }

    // Before the answer is made, which tells how often the coupon was redeemed.
    std::optional<store::RedemptionClaim> redeemed;
    if (!decided->claims.empty()) {
      auto claimed = co_await catalog_.redemptions().claim(work.account.mode, work.account.key, decided->claims);
      if (!claimed) {
        work.is_current = false;
        co_return claimed.error();
      }
      redeemed = std::move(*claimed);
    }
    store::CommitRequest request;
    if (redeemed) request.mark = redeemed->mark;
    request.fence = work.fence;
    request.now = now;
    if (work.request != nullptr) {
      request.request_id = work.request->origin.request_id;
      request.idempotency_key = work.request->origin.idempotency_key;
      if (is_request) request.held = work.request->held;
      if (is_last) work.answer = work.request->render(*decided);
      if (!work.key_hash.empty()) {
        store::SavedAnswer saved;
        saved.under_way = !is_last;
        if (is_last) {
          saved.status = work.answer->status;
          saved.body = work.answer->body;
        } else {
          saved.subject = work.subject;
        }
        request.idempotency = {work.key_hash, store::encode(saved), work.marked, work.request->origin.key_life};
      }
    }
    request.before = std::move(work.loaded.footprint);
    if (command != nullptr) add_entries_of_fetched(request.before.entries, *command, *decided);
    request.transition = std::move(*decided);
    work.is_current = false;
    auto committed = co_await store_.commit(&request);
    if (redeemed) co_await settle_redemption(std::move(*redeemed), committed);
    if (!committed) {
      if (!is_recording || !is_transient(committed.error().code) || attempt >= recording_attempts_max)
        co_return committed.error();
      co_await back_off(attempt);
      continue;
    }
    switch (committed->status) {
      case store::CommitStatus::committed:
        ++statistics_.commits;
        work.loaded.account = std::move(request.transition.account);
        work.loaded.footprint = std::move(request.before);
        work.is_current = true;
        work.committed = true;
        work.answer_saved = is_last && !work.key_hash.empty();
        work.marked = !work.key_hash.empty();
        if (!alarm.empty()) co_await raise_alarm(work, std::move(alarm));
        co_return changed;
      case store::CommitStatus::repeated:
        work.repeated = std::move(committed->saved);
        co_return Changed();
      case store::CommitStatus::stale_epoch:
        ++statistics_.stale;
        co_return Failure{Errc::stale_epoch, "another daemon took the partition over"};
      case store::CommitStatus::not_held:
        co_return Failure{Errc::already_exists, "Another customer has taken that value.", "held"};
      case store::CommitStatus::conflict:
      case store::CommitStatus::given_up:
        ++statistics_.conflicts;
        if (is_request && std::holds_alternative<CreateCustomer>(*command))
          co_return Failure{Errc::already_exists, "Customer already exists."};
        if (attempt >= settings_.attempts_on_conflict_max)
          co_return Failure{Errc::conflict, "the account kept being changed by others"};
        if (attempt > 1) co_await back_off(attempt);
        break;
    }
  }
}

/// Of a commit whose outcome is not known the claim stands until the sweep has looked.
awaitable<> AccountExecutor::settle_redemption(store::RedemptionClaim claim, const Result<store::Verdict>& committed) {
  if (!committed && committed.error().code == Errc::outcome_unknown) co_return;
  const bool holds = committed && committed->status == store::CommitStatus::committed;
  const std::string account = claim.account.value();
  auto settled = co_await catalog_.redemptions().settle(std::move(claim), holds);
  if (!settled)
    log::warn({.account = account}, "a redemption is settled later, for Redis does not answer: {}",
              settled.error().detail);
}

awaitable<Result<void>> AccountExecutor::load(Work& work) {
  auto loaded = co_await store_.load(work.account.mode, work.account.key);
  if (!loaded) co_return loaded.error();
  work.loaded = std::move(*loaded);
  work.is_current = true;
  co_return Result<void>();
}

/// Takes the account out of the queues, for an operator to look at it.
awaitable<> AccountExecutor::raise_alarm(const Work& work, std::string reason) {
  const log::About about{.account = work.account.key.value()};
  log::error(about, "the account is parked for an operator: {}", reason);
  store::Store::Parked parked{work.account.mode, work.account.key, clock_.now(), std::move(reason)};
  parked.queue = Queue::collection;
  const auto done = co_await store_.park(std::move(parked), work.loaded.footprint.test_clock);
  if (done)
    ++statistics_.parked;
  else if (done.error().code != Errc::already_exists)
    log::error(about, "the account could not be parked: {}", done.error().detail);
}

/// Fetches what the request's command needs beyond the account: a number for a new one, its time.
awaitable<Result<void>> AccountExecutor::prepare(Work& work, Command& command) {
  auto* creation = std::get_if<CreateCustomer>(&command);
  if (creation != nullptr && creation->number == 0) {
    auto number = co_await store_.draw_number(work.account.mode, work.account.key);
    if (!number) co_return number.error();
    creation->number = *number;
  }
  const TestClockId test_clock = creation != nullptr ? creation->test_clock : work.loaded.footprint.test_clock;
  if (!test_clock.is_empty() && work.account.mode == Mode::test) {
    const auto clock = co_await catalog_.find<TestClock>(Mode::test, test_clock.value());
    // A customer can go even though its clock has gone before.
    if (!clock && !(clock.error().code == Errc::not_found && std::holds_alternative<DeleteCustomer>(command)))
      co_return clock.error();
    if (clock && (*clock)->status == TestClockStatus::advancing)
      co_return Failure{Errc::invalid_state, "Test clock advancement underway: cannot perform modifications"};
    if (clock) work.simulated = account_time(**clock, clock_.now());
  }
  co_return Result<void>();
}

/// Fetches the invoice that the command names, if it has left the account.
awaitable<Result<void>> AccountExecutor::fetch_invoice(Work& work, Command& command) {
  const NamedInvoice named = named_invoice(command);
  if (named.id == nullptr) co_return Result<void>();
  named.recalled->reset();
  if (work.loaded.account.find(*named.id) != nullptr) co_return Result<void>();
  const AccountKey& key = work.account.key;
  auto record = co_await store_.load_record(work.account.mode, key, store::record_field(key, *named.id));
  if (record) {
    if (auto* invoice = std::get_if<Invoice>(&*record)) *named.recalled = std::move(*invoice);
  } else if (record.error().code != Errc::not_found) {
    co_return record.error();
  }
  co_return Result<void>();
}

/// Sends a charge that is in the account, or asks what became of it.
awaitable<ChargeOutcome> AccountExecutor::collect(const Work& work, CollectCharge effect) {
  ChargeOutcome outcome;
  const Invoice* invoice = work.loaded.account.find(effect.invoice);
  const Charge* charge = invoice != nullptr ? invoice->unresolved_charge() : nullptr;
  if (charge == nullptr || charge->id != effect.charge) co_return outcome;  // another writer recorded it already
  if (!may_send(work, charge->resolve_at)) co_return outcome;
  const std::string charge_gateway = charge->gateway;
  gateways::Gateway* gateway = gateways_.find(charge_gateway);
  if (gateway == nullptr) {
    const log::About about{.account = work.account.key.value(),
                           .subscription = invoice->subscription.value(),
                           .invoice = invoice->id.value(),
                           .charge = charge->id.value()};
    log::error(about, "the charge is for the gateway \"{}\", which is not configured: it needs an operator",
               charge->gateway);
    outcome.kind = ChargeOutcomeKind::impossible;
    co_return outcome;
  }
  gateways::ChargeRequest request;
  request.mode = work.account.mode;
  request.account = work.account.key;
  request.idempotency_key = charge->id.value();
  request.source = charge->gateway_source;
  request.amount = charge->amount;
  request.created = charge->created;
  request.invoice = invoice->id;
  request.reference = charge->gateway_reference;
  request.statement_descriptor = invoice->statement_descriptor;
  request.now = time_of(work);
  const auto began_at = SteadyClock::now();
  if (effect.look_up_only)
    outcome = co_await gateway->look_up(std::move(request));
  else
    outcome = co_await gateway->charge(std::move(request));
  GatewayStatistics& statistics = statistics_.gateways[charge_gateway];
  statistics.durations.add(std::chrono::duration_cast<Duration>(SteadyClock::now() - began_at));
  ++statistics.outcomes[static_cast<std::size_t>(outcome.kind)];
  co_return outcome;
}

/// Sends a refund that is in the account, or asks what became of it.
awaitable<RefundOutcome> AccountExecutor::give_back(const Work& work, SendRefund effect) {
  RefundOutcome outcome;
  const Invoice* invoice = work.loaded.account.find(effect.invoice);
  if (invoice == nullptr) co_return outcome;  // another writer recorded it already
  const auto charge = std::ranges::find(invoice->charges, effect.charge, &Charge::id);
  if (charge == invoice->charges.end()) co_return outcome;
  const auto refund = std::ranges::find(charge->refunds, effect.refund, &Refund::id);
  if (refund == charge->refunds.end()) co_return outcome;
  const bool is_asked_about = effect.look_up_only && refund->state == RefundState::pending;
  if (refund->state != RefundState::sending && !is_asked_about) co_return outcome;
  if (!may_send(work, refund->resolve_at)) co_return outcome;
  const std::string gateway_name = charge->gateway;
  gateways::Gateway* gateway = gateways_.find(gateway_name);
  if (gateway == nullptr) {
    log::error({.account = work.account.key.value(), .charge = charge->id.value()},
               "the refund is for the gateway \"{}\", which is not configured: it needs an operator", gateway_name);
    outcome.kind = RefundOutcomeKind::impossible;
    co_return outcome;
  }
  gateways::RefundRequest request;
  request.mode = work.account.mode;
  request.account = work.account.key;
  request.idempotency_key = refund->id.value();
  request.charge = charge->id.value();
  request.charge_reference = charge->gateway_reference;
  request.source = charge->gateway_source;
  request.amount = refund->amount;
  request.created = refund->created;
  request.reason = refund->reason;
  request.reference = refund->gateway_reference;
  request.is_repeated = time_of(work) >= refund->created + rules_.charge_resolve_after;
  request.now = time_of(work);
  const auto began_at = SteadyClock::now();
  if (effect.look_up_only)
    outcome = co_await gateway->look_up_refund(std::move(request));
  else
    outcome = co_await gateway->refund(std::move(request));
  GatewayStatistics& statistics = statistics_.gateways[gateway_name];
  statistics.durations.add(std::chrono::duration_cast<Duration>(SteadyClock::now() - began_at));
  ++statistics.refunds[static_cast<std::size_t>(outcome.kind)];
  co_return outcome;
}

/// From resolve_at on, whoever owns the partition then may be asking: a daemon that was asleep in between must not.
bool AccountExecutor::may_send(const Work& work, Timestamp resolve_at) const {
  return obstacle().empty() && (work.simulated || clock_.now() < resolve_at);
}

/// Waits longer with each attempt, by chance, so that two who collide do not do so again.
awaitable<> AccountExecutor::back_off(std::uint32_t attempt) {
  const Milliseconds::rep longest = Milliseconds::rep{4} << std::min(attempt, 7U);
  std::uniform_int_distribution<Milliseconds::rep> draw(1, longest);
  const Milliseconds wait(draw(random_));
  co_await sleep_for(wait);
}

Timestamp AccountExecutor::time_of(const Work& work) const { return work.simulated.value_or(clock_.now()); }

}  // namespace billd::jobs
