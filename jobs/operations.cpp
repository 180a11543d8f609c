// Every action in the same order: look whether it can be done, write down that it will be, do it, write what failed.
#include "jobs/operations.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <iterator>

#include "jobs/explanation.hpp"
#include "jobs/redelivery.hpp"
#include "net/api/gather.hpp"
#include "net/store/aliases.hpp"
#include "net/store/deliveries.hpp"

namespace billd::jobs {
namespace {

using api::operators::AccountDetail;
using api::operators::ActionKind;
using api::operators::QueueDetail;
using api::operators::UndeliveredEvent;
using api::operators::WebhookDetail;

/// Accounts that are let back at the same time.
constexpr std::size_t side_by_side = 64;

std::string queue_text(const std::optional<Queue>& queue, bool is_of_deliveries = false) {
  if (is_of_deliveries) return "queue " + std::string(store::deliveries_name);
  return queue ? "queue " + std::string(to_text(*queue)) : "all queues";
}

Failure still_starting() { return {Errc::unavailable, "The daemon is still starting: it has not reached Redis yet."}; }

Redelivery redelivery_of(const api::operators::Action& action) { return {action.endpoint, action.event, action.since}; }

std::string accounts_text(std::uint64_t count) {
  return std::to_string(count) + (count == 1 ? " account" : " accounts");
}

}  // namespace

awaitable<Result<api::operators::ActionResult>> Operations::act(Operator who, Action action) {
  if (!is_open()) co_return still_starting();
  auto subject = co_await find_subject(action);
  if (!subject) co_return subject.error();
  store::AuditEntry entry;
  entry.at = clock_.now();
  entry.who = who.name;
  entry.from = who.address;
  entry.action = to_text(action.kind);
  entry.subject = *subject;
  entry.comment = action.comment;
  auto written = co_await store::append_audit(store_, std::move(entry));
  if (!written) co_return written.error();
  // A copy of the chain outside of Redis, by which its end can be checked.
  spdlog::warn("operator {} from {}: {} {} ({}); audit entry {} {}", who.name, who.address, written->action,
               written->subject, written->comment, written->number, written->hash);

  ActionResult result;
  result.entry = *written;
  auto done = co_await perform(std::move(action), who.name, result);
  if (!done)
    co_await note_outcome(*written, "failed: " + done.error().detail);
  else if (result.done + result.failed > 1 || result.failed > 0 || result.more)
    co_await note_outcome(*written, result.text);
  co_await scheduler_.overview().refresh();
  if (!done) co_return done.error();
  co_return result;
}

awaitable<> Operations::note_outcome(const store::AuditEntry& entry, std::string outcome) {
  store::AuditEntry end = entry;
  end.at = clock_.now();
  end.comment = "of entry " + std::to_string(entry.number);
  end.outcome = std::move(outcome);
  auto written = co_await store::append_audit(store_, std::move(end));
  if (!written)
    spdlog::error("the outcome of audit entry {} could not be written: {}", entry.number, written.error().detail);
}

/// What the action is about, in words; a failure when there is nothing to do it to.
awaitable<Result<std::string>> Operations::find_subject(const Action& action) {
  switch (action.kind) {
    case ActionKind::pause:
    case ActionKind::resume: {
      if (action.is_of_deliveries) co_return co_await find_deliveries(action);
      if (!action.queue) co_return Failure{Errc::missing_parameter, "name the queue", "queue"};
      auto pauses = co_await store::paused_queues(store_);
      if (!pauses) co_return pauses.error();
      const bool is_paused = std::ranges::find(*pauses, *action.queue, &store::Pause::queue) != pauses->end();
      if (is_paused == (action.kind == ActionKind::pause))
        co_return Failure{Errc::invalid_state, "the queue " + std::string(to_text(*action.queue)) +
                                                   (is_paused ? " is paused already" : " is not paused")};
      co_return queue_text(action.queue);
    }
    case ActionKind::redeliver: {
      auto plan = co_await jobs::plan_redelivery(store_, catalog_, redelivery_of(action));
      if (!plan) co_return plan.error();
      co_return std::move(plan->text);
    }
    case ActionKind::park:
    case ActionKind::unpark:
    case ActionKind::retry:
      if (!action.account.is_empty()) co_return co_await find_account(action);
      if (action.kind == ActionKind::park)
        co_return Failure{Errc::missing_parameter, "name the account to be parked", "account"};
      std::uint64_t parked = 0;
      for (const auto& [group, accounts] : scheduler_.overview().parked())
        if ((!action.queue || group.first == *action.queue) && (action.reason.empty() || group.second == action.reason))
          parked += accounts.count;
      if (parked == 0) co_return Failure{Errc::not_found, "no parked account matches"};
      std::string subject = "parked in " + queue_text(action.queue);
      if (!action.reason.empty()) subject.append(": ").append(action.reason);
      co_return subject;
  }
  co_return Failure{Errc::internal, "an action of no known kind"};
}

awaitable<Result<std::string>> Operations::find_deliveries(const Action& action) {
  const auto pause = co_await store::paused_deliveries(store_);
  if (!pause) co_return pause.error();
  std::string name = queue_text(std::nullopt, true);
  if (pause->has_value() == (action.kind == ActionKind::pause))
    co_return Failure{Errc::invalid_state,
                      "the " + name + (pause->has_value() ? " is paused already" : " is not paused")};
  co_return name;
}

awaitable<Result<std::string>> Operations::find_account(const Action& action) {
  auto parked = co_await store_.find_parked(action.mode, action.account);
  const bool is_parked = parked.has_value();
  if (!parked && parked.error().code != Errc::not_found) co_return parked.error();
  auto loaded = co_await store_.load(action.mode, action.account);
  // What cannot be read can be parked all the same, and tried again.
  if (!loaded && loaded.error().code != Errc::corrupt && !is_parked) co_return loaded.error();
  if (action.kind == ActionKind::park && is_parked)
    co_return Failure{Errc::invalid_state, "the account is parked already: " + parked->reason};
  if (action.kind == ActionKind::unpark && !is_parked)
    co_return Failure{Errc::invalid_state, "the account is not parked"};
  std::string subject = loaded ? loaded->account.customer.id.value() : action.account.value();
  co_return subject.append(action.mode == Mode::live ? " (live)" : " (test)");
}

awaitable<Result<void>> Operations::perform(Action action, std::string by, ActionResult& result) {
  switch (action.kind) {
    case ActionKind::retry:
    case ActionKind::unpark:
      if (action.account.is_empty()) co_return co_await retry_all(std::move(action), result);
      co_return co_await retry_one(std::move(action), result);
    case ActionKind::park:
      result.text = "The account is parked.";
      result.done = 1;
      co_return co_await park(std::move(action), std::move(by));
    case ActionKind::redeliver: {
      auto plan = co_await jobs::plan_redelivery(store_, catalog_, redelivery_of(action));
      if (!plan) co_return plan.error();
      result.text = "Delivered again: " + plan->text + ".";
      result.done = 1;
      co_return co_await jobs::request_redelivery(store_, std::move(*plan));
    }
    case ActionKind::pause: {
      result.text = "The " + queue_text(action.queue, action.is_of_deliveries) + " is paused.";
      result.done = 1;
      if (action.is_of_deliveries) {
        store::Pause of_deliveries;
        of_deliveries.since = clock_.now();
        of_deliveries.by = std::move(by);
        of_deliveries.comment = std::move(action.comment);
        co_return co_await store::pause_deliveries(store_, std::move(of_deliveries));
      }
      store::Pause pause{*action.queue, clock_.now(), std::move(by), std::move(action.comment)};
      co_return co_await store::pause_queue(store_, std::move(pause));
    }
    case ActionKind::resume:
      result.text = "The " + queue_text(action.queue, action.is_of_deliveries) + " goes on.";
      result.done = 1;
      if (action.is_of_deliveries) co_return co_await store::resume_deliveries(store_);
      co_return co_await store::resume_queue(store_, *action.queue);
  }
  co_return Failure{Errc::internal, "an action of no known kind"};
}

awaitable<Result<void>> Operations::park(Action action, std::string by) {
  store::Store::Parked parked;
  parked.mode = action.mode;
  parked.key = action.account;
  parked.since = clock_.now();
  parked.reason = "an operator parked it";
  parked.by = std::move(by);
  parked.detail = std::move(action.comment);
  TestClockId clock;
  auto loaded = co_await store_.load(action.mode, action.account);
  if (loaded) {
    clock = loaded->footprint.test_clock;
    const Timers& timers = loaded->footprint.timers;
    const auto first = next_due(timers);
    const auto queue = std::ranges::find(timers, first);
    if (first && queue != timers.end()) parked.queue = static_cast<Queue>(queue - timers.begin());
  }
  co_return co_await store_.park(std::move(parked), std::move(clock));
}

awaitable<Result<void>> Operations::retry_one(Action action, ActionResult& result) {
  const AccountName account{action.mode, action.account};
  result.done = 1;
  auto unparked = co_await store_.unpark(action.mode, action.account);
  const bool was_waiting = scheduler_.retry(account);
  if (unparked) {
    result.text = "The account is back in its queues.";
    co_return Result<void>();
  }
  if (unparked.error().code != Errc::not_found) co_return unparked.error();
  if (was_waiting)
    result.text = "The account's work is tried again now.";
  else
    result.text =
        "The account is not parked, and nothing of it waits after a failure on this daemon; what is due of it is done "
        "in any case.";
  co_return Result<void>();
}

awaitable<Result<void>> Operations::retry_all(Action action, ActionResult& result) {
  for (std::uint32_t partition = 0; partition < store_.partitions() && !result.more; ++partition) {
    auto parked = co_await store_.parked(partition);
    if (!parked) co_return parked.error();
    std::erase_if(*parked, [&](const store::Store::Parked& each) {
      return (action.queue && each.queue != *action.queue) || (!action.reason.empty() && each.reason != action.reason);
    });
    const std::uint64_t room = accounts_max - result.done - result.failed;
    result.more = parked->size() > room;
    if (result.more) parked->resize(room);
    for (std::size_t from = 0; from < parked->size(); from += side_by_side) {
      std::vector<awaitable<bool>> work;
      for (std::size_t i = from; i < std::min(parked->size(), from + side_by_side); ++i)
        work.push_back(unpark((*parked)[i]));
      const std::vector<bool> done = co_await api::gather(std::move(work));
      for (const bool is_done : done) ++(is_done ? result.done : result.failed);
    }
  }
  result.text = accounts_text(result.done) + (result.done == 1 ? " is" : " are") + " back in the queues";
  if (result.failed > 0) result.text += ", " + accounts_text(result.failed) + " could not be let back";
  result.text += result.more ? "; more are parked: repeat it." : ".";
  co_return Result<void>();
}

awaitable<bool> Operations::unpark(store::Store::Parked parked) {
  const auto unparked = co_await store_.unpark(parked.mode, parked.key);
  scheduler_.retry({parked.mode, parked.key});
  // What somebody else let back meanwhile is where it should be.
  co_return unparked || unparked.error().code == Errc::not_found;
}

awaitable<Result<std::vector<store::AuditEntry>>> Operations::audit(std::size_t limit) {
  if (!is_open()) co_return still_starting();
  co_return co_await store::latest_audit(store_, limit);
}

awaitable<Result<QueueDetail>> Operations::queue(Queue queue, std::size_t limit) {
  if (!is_open()) co_return still_starting();
  QueueDetail detail;
  auto first = co_await store_.first_due(queue, limit);
  if (!first) co_return first.error();
  auto parked = co_await store_.first_parked(queue, limit);
  if (!parked) co_return parked.error();
  detail.first = std::move(*first);
  detail.parked = std::move(*parked);
  co_return detail;
}

awaitable<Result<AccountDetail>> Operations::account(Mode mode, AccountKey key) {
  if (!is_open()) co_return still_starting();
  auto loaded = co_await store_.load(mode, key);
  if (!loaded) co_return loaded.error();
  auto fields = co_await store_.record_fields(mode, key);
  if (!fields) co_return fields.error();
  std::erase_if(*fields, [](const std::string& field) { return !field.starts_with('i') && !field.starts_with('s'); });
  constexpr std::size_t records_max = 1000;  // more than a human life has months
  if (fields->size() > records_max) fields->resize(records_max);
  auto records = co_await store_.load_records(mode, key, std::move(*fields));
  if (!records) co_return records.error();
  auto parked = co_await store_.find_parked(mode, key);
  AccountDetail detail;
  detail.account = std::move(loaded->account);
  detail.timers = loaded->footprint.timers;
  detail.records = std::move(*records);
  if (parked) detail.parked = std::move(*parked);
  detail.is_backing_off = scheduler_.is_backing_off({mode, key});
  co_return detail;
}

awaitable<Result<std::string>> Operations::native_id(std::string id) {
  if (!is_open()) co_return still_starting();
  co_return co_await store_.aliases().to_native(std::move(id));
}

awaitable<Result<std::vector<Section>>> Operations::explain(std::string id) {
  if (!is_open()) co_return still_starting();
  co_return co_await jobs::explain(store_, catalog_, std::move(id), clock_.now(), billing_.rules());
}

// Webhook endpoints.

namespace {

/// What is stored of the endpoint in one more partition.
void add(WebhookDetail& detail, const store::EndpointDeliveries& stored) {
  if (stored.cursor) {
    detail.delivered_at = std::max(detail.delivered_at, stored.cursor->delivered_at);
    const auto& failing = stored.cursor->failing_since;
    if (failing && (!detail.failing_since || *failing < *detail.failing_since)) detail.failing_since = failing;
  }
  for (const auto& [key, customer] : stored.waiting) detail.waiting_events += customer.events.size();
}

}  // namespace

awaitable<Result<std::vector<api::operators::WebhookDetail>>> Operations::webhooks() {
  if (!is_open()) co_return still_starting();
  std::vector<WebhookDetail> all;
  for (const Mode mode : {Mode::live, Mode::test})
    for (const WebhookEndpoint& endpoint : catalog_.all<WebhookEndpoint>(mode)) {
      WebhookDetail& detail = all.emplace_back();
      detail.mode = mode;
      detail.endpoint = endpoint;
    }
  for (const Mode mode : {Mode::live, Mode::test}) {
    if (std::ranges::find(all, mode, &WebhookDetail::mode) == all.end()) continue;
    for (std::uint32_t partition = 0; partition < store_.partitions(); ++partition) {
      auto stored = co_await store::load_deliveries(store_, mode, partition);
      if (!stored) co_return stored.error();
      for (WebhookDetail& detail : all)
        if (const auto found = stored->find(detail.endpoint.id); found != stored->end()) add(detail, found->second);
    }
  }
  co_return all;
}

awaitable<Result<WebhookDetail>> Operations::webhook(std::string endpoint, std::size_t limit) {
  if (!is_open()) co_return still_starting();
  for (const Mode mode : {Mode::live, Mode::test}) {
    const auto found = catalog_.get<WebhookEndpoint>(mode, endpoint);
    if (found == nullptr) continue;
    WebhookDetail detail;
    detail.mode = mode;
    detail.endpoint = *found;
    for (std::uint32_t partition = 0; partition < store_.partitions(); ++partition) {
      auto read = co_await read_deliveries(partition, limit, detail);
      if (!read) co_return read.error();
    }
    for (auto* events : {&detail.waiting, &detail.given_up}) {
      std::ranges::sort(*events, std::ranges::greater(), &UndeliveredEvent::failed_at);
      if (events->size() > limit) events->resize(limit);
    }
    co_return detail;
  }
  co_return Failure{Errc::not_found, "there is no such webhook endpoint"};
}

awaitable<Result<void>> Operations::read_deliveries(std::uint32_t partition, std::size_t limit, WebhookDetail& detail) {
  auto all = co_await store::load_deliveries(store_, detail.mode, partition);
  if (!all) co_return all.error();
  if (const auto found = all->find(detail.endpoint.id); found != all->end()) {
    add(detail, found->second);
    for (const auto& [key, customer] : found->second.waiting)
      detail.waiting.push_back({key, customer.events.front().id().value(), customer.events.size() - 1,
                                customer.failures, customer.failed_at, customer.next_at, customer.problem});
  }
  auto given_up = co_await store::given_up_deliveries(store_, detail.mode, partition, limit);
  if (!given_up) co_return given_up.error();
  for (const store::GivenUp& each : *given_up)
    if (each.endpoint == detail.endpoint.id)
      detail.given_up.push_back(
          {each.key, each.event.id().value(), 0, each.failures, each.at, std::nullopt, each.problem});
  co_return Result<void>();
}

}  // namespace billd::jobs
