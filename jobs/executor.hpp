// Where decisions are carried out: load the account, decide, commit, make the charges, record what became of them.
#pragma once

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "config/settings.hpp"
#include "engine/rules.hpp"
#include "jobs/clock.hpp"
#include "jobs/statistics.hpp"
#include "jobs/turns.hpp"
#include "net/api/billing.hpp"
#include "net/gateways/gateway.hpp"
#include "net/shifts.hpp"
#include "net/store/catalog.hpp"
#include "net/store/idempotency.hpp"
#include "net/store/store.hpp"

namespace billd::jobs {

/// Work that became due.
struct Job {
  AccountName account;
  Queue queue = Queue::renewal;  ///< where it waited; in one go everything that is due is done
  store::Fence fence;
  /// Of an account on a test clock that is being advanced: from where and until when its time runs. Without it, time is
  /// real.
  struct Simulated {
    Timestamp from, until;
  };
  std::optional<Simulated> simulated;
  /// Nothing is done while the account is due in one of these; simulated time knows no pauses.
  store::Store::QueueSet paused;
};

/// How far a job came.
struct Progress {
  std::uint32_t steps = 0;
  bool more = false;     ///< more is due: the job stopped after a number of steps, for others to have their turn
  bool is_held = false;  ///< more is due, and waits for a paused queue
};

/// The one place where accounts change, for requests and for time alike:
///
///     load -> decide or tick -> commit -> charge -> decide what the outcome means -> commit -> and again while more is
///     due
///
/// Each commit is guarded by the account's version and loads nothing anew: what was committed is what the next decision
/// starts from. After a conflict the account is loaded and decided on again. Charges are in the account before they are
/// sent; a charge whose outcome is not known stays there, and the collection queue asks again.
///
/// Commands and jobs of one account are done one after the other. What waits for a turn or for Redis ends in time by
/// Redis' time limits; a gateway keeps its own. To be used from the loop's thread; must outlive its coroutines.
class AccountExecutor final : public api::Billing {
 public:
  AccountExecutor(Executor executor, const Clock& clock, store::Store& store, store::Catalog& catalog,
                  const gateways::Gateways& gateways, Rules rules, JobSettings settings);

  awaitable<Result<Executed>> execute(api::Execution execution) override;
  Timestamp now() const override { return clock_.now(); }
  const Rules& rules() const override { return rules_; }

  /// Does what is due, one step of time after the other. A failure that time does not mend, some times in a row, parks
  /// the account; transient ones never do and are for the caller to retry later. In simulated time a charge of unknown
  /// outcome is such a failure: time must not run past it.
  awaitable<Result<Progress>> run_due(Job job);

  /// Holds for what is decided from now on.
  void set_rules(Rules rules) { rules_ = std::move(rules); }

  /// Why no money may move now, for people; empty: it may.
  std::string obstacle() const;

  /// Asked before a draft is finalized in real time: whether somebody is still to be told of it. Then it waits once
  /// more.
  void on_notice_question(std::function<awaitable<bool>(AccountName, InvoiceId, Timestamp created)> awaits_notice) {
    awaits_notice_ = std::move(awaits_notice);
  }

  /// Called after each command with when its account is due next in real time, if it waits for anything.
  void on_due_changed(std::function<void(const AccountKey&, Timestamp)> due_changed) {
    due_changed_ = std::move(due_changed);
  }

  const Statistics& statistics() const { return statistics_; }

 private:
  struct Work;
  struct Changed;
  class KeyInUse;

  awaitable<Result<Executed>> execute_in_turn(api::Execution& execution, std::string key_hash);
  awaitable<Result<Executed>> answer_again(Work& work, store::SavedAnswer saved);
  awaitable<Result<Executed>> answer(Work& work);
  awaitable<Result<Transition>> as_stored(Work& work);

  awaitable<Result<bool>> step(Work& work, Command* command);
  awaitable<Result<bool>> hold_drafts(Work& work, Timestamp until);
  awaitable<Result<Changed>> change(Work& work, Command* command);
  awaitable<> settle_redemption(store::RedemptionClaim claim, const Result<store::Verdict>& committed);
  awaitable<Result<void>> load(Work& work);
  awaitable<Result<void>> prepare(Work& work, Command& command);
  awaitable<std::optional<Command>> carry_out(const Work& work, Effect effect);
  awaitable<ChargeOutcome> collect(const Work& work, CollectCharge effect);
  awaitable<RefundOutcome> give_back(const Work& work, SendRefund effect);
  bool may_send(const Work& work, Timestamp resolve_at) const;
  awaitable<> raise_alarm(const Work& work, std::string reason);
  awaitable<Result<void>> fetch_invoice(Work& work, Command& command);
  awaitable<Failure> note_failure(const Job& job, TestClockId clock, Failure failure);
  awaitable<> back_off(std::uint32_t attempt);
  Timestamp time_of(const Work& work) const;

  Executor executor_;
  const Clock& clock_;
  store::Store& store_;
  store::Catalog& catalog_;
  const gateways::Gateways& gateways_;
  Rules rules_;
  const JobSettings settings_;

  Turns turns_;
  /// Idempotency keys of requests that this process is carrying out, by their hash.
  std::shared_ptr<std::unordered_set<std::string>> keys_in_use_;
  /// Failures in a row that time does not mend.
  std::unordered_map<AccountName, std::uint32_t, AccountNameHash> failures_;
  std::function<void(const AccountKey&, Timestamp)> due_changed_;
  std::function<awaitable<bool>(AccountName, InvoiceId, Timestamp)> awaits_notice_;
  std::minstd_rand random_;
  Statistics statistics_;
};

}  // namespace billd::jobs
