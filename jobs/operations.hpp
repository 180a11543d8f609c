// What operators do to queues and accounts, with an entry in the audit log for each action.
#pragma once

#include "jobs/clock.hpp"
#include "jobs/scheduler.hpp"
#include "net/api/billing.hpp"
#include "net/api/operators/control.hpp"
#include "net/store/store.hpp"

namespace billd::jobs {

/// Refers to parts that outlive it.
class Operations final : public api::operators::Control {
 public:
  /// Parked accounts that are let back in one go.
  static constexpr std::uint64_t accounts_max = 10'000;

  Operations(const Clock& clock, store::Store& store, store::Catalog& catalog, const api::Billing& billing,
             Scheduler& scheduler)
      : clock_(clock), store_(store), catalog_(catalog), billing_(billing), scheduler_(scheduler) {}

  awaitable<Result<api::operators::ActionResult>> act(api::operators::Operator who,
                                                      api::operators::Action action) override;
  awaitable<Result<api::operators::QueueDetail>> queue(Queue queue, std::size_t limit) override;
  awaitable<Result<api::operators::AccountDetail>> account(Mode mode, AccountKey key) override;
  awaitable<Result<std::vector<api::operators::WebhookDetail>>> webhooks() override;
  awaitable<Result<api::operators::WebhookDetail>> webhook(std::string endpoint, std::size_t limit) override;
  awaitable<Result<std::string>> native_id(std::string id) override;
  awaitable<Result<std::vector<Section>>> explain(std::string id) override;
  awaitable<Result<std::vector<store::AuditEntry>>> audit(std::size_t limit) override;

 private:
  /// Before the first connection the data set is not known.
  bool is_open() const { return store_.partitions() != 0; }

  using Action = api::operators::Action;
  using ActionResult = api::operators::ActionResult;
  using Operator = api::operators::Operator;

  awaitable<Result<std::string>> find_subject(const Action& action);
  awaitable<Result<std::string>> find_account(const Action& action);
  awaitable<Result<std::string>> find_deliveries(const Action& action);
  awaitable<Result<void>> perform(Action action, std::string by, ActionResult& result);
  awaitable<Result<void>> park(Action action, std::string by);
  awaitable<Result<void>> retry_one(Action action, ActionResult& result);
  awaitable<Result<void>> retry_all(Action action, ActionResult& result);
  awaitable<Result<void>> read_deliveries(std::uint32_t partition, std::size_t limit,
                                          api::operators::WebhookDetail& detail);
  awaitable<bool> unpark(store::Store::Parked parked);
  awaitable<> note_outcome(const store::AuditEntry& entry, std::string outcome);

  const Clock& clock_;
  store::Store& store_;
  store::Catalog& catalog_;
  const api::Billing& billing_;
  Scheduler& scheduler_;
};

}  // namespace billd::jobs
