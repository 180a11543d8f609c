// What would be billed next, found out by doing it and keeping nothing of it.
#include <algorithm>
#include <set>

#include "engine/change.hpp"
#include "engine/decide.hpp"

namespace billd {
namespace {

/// The invoice that is there now and was not before, as it will be when it is finalized.
Result<std::optional<Invoice>> new_invoice(const Account& account, const std::set<InvoiceId>& before) {
  for (const Invoice& invoice : account.invoices) {
    if (before.contains(invoice.id)) continue;
    Invoice shown = invoice;
    if (!shown.finalized_at) {
      auto use = use_balance(shown.total, account.customer.balance);
      if (!use) return use.error();
      shown.starting_balance = account.customer.balance;
      shown.ending_balance = use->ending_balance;
    }
    return std::optional(std::move(shown));
  }
  return std::optional<Invoice>();
}

/// When the subscription's period ends, or the subscription itself.
Timestamp next_boundary(const Subscription* subscription) {
  return std::min(subscription->current_period.end, subscription->cancel_at.value_or(end_of_time));
}

/// When the subscription's schedule changes it, no later than the period ends; empty: it does not.
std::optional<Timestamp> next_phase(const Account& account, const Subscription& subscription) {
  const Schedule* schedule = account.find(subscription.schedule);
  if (schedule == nullptr || !schedule->is_live() || schedule->next_at() > next_boundary(&subscription))
    return std::nullopt;
  return schedule->next_at();
}

/// The subscription's next renewal, or what is pending when it ends instead.
Result<void> bill_next(Change& change, Subscription& subscription) {
  const Timestamp boundary = next_boundary(&subscription);
  if (subscription.pause && subscription.pause->resumes_at && *subscription.pause->resumes_at <= boundary)
    resume_collection(change, subscription);
  if (!subscription.cancel_at_period_end && subscription.cancel_at != boundary) return renew(change, subscription);
  auto used = bill_last_usage(change, subscription, boundary);
  if (!used) return used.error();
  end_subscription(change, subscription, boundary, boundary);
  const auto& items = change.account().invoice_items;
  const auto due = std::ranges::find_if(items, [](const InvoiceItem& item) { return item.bill_at.has_value(); });
  if (due == items.end()) return {};
  return bill_ended_items(change, InvoiceItem(*due));
}

/// The next invoice of the subscription; empty: there will be none.
Result<std::optional<Invoice>> next_invoice(Account account, const SubscriptionId& id,
                                            const std::set<InvoiceId>& before, Timestamp now, const Rules& rules) {
  // What precedes the anchor may be free: then the period after it is the next one that is billed.
  for (int periods = 0; periods < 2;) {
    const Subscription* subscription = account.find(id);
    if (subscription == nullptr) break;
    const auto phase = next_phase(account, *subscription);
    if (!phase) ++periods;
    Change change(std::move(account), std::max(now, phase.value_or(next_boundary(subscription))), rules);
    Subscription& changed = *change.account().find(id);
    auto billed =
        phase ? advance_schedule(change, *change.account().find(changed.schedule)) : bill_next(change, changed);
    if (!billed) return billed.error();
    auto made = new_invoice(change.account(), before);
    if (!made || *made) return made;
    account = change.finish().account;
  }
  return std::optional<Invoice>();
}

Failure nothing_upcoming(const Account& account) {
  return {Errc::not_found, "No upcoming invoices for customer: " + account.customer.id.value(), "customer"};
}

}  // namespace

Result<Invoice> preview(Account account, const std::optional<Command>& command, const SubscriptionId& subscription,
                        Timestamp now, const Rules& rules) {
  if (account.customer.deleted) return no_such_customer(account.customer);
  std::set<InvoiceId> before;
  for (const Invoice& invoice : account.invoices) before.insert(invoice.id);
  // What something costs can be told without a way to pay for it.
  if (account.sources.empty()) {
    Source& source = account.sources.emplace_back();
    source.id = account.customer.default_source = SourceId("card_preview");
  }
  SubscriptionId of = subscription;
  if (command) {
    auto decided = decide(std::move(account), *command, now, rules);
    if (!decided) return decided.error();
    account = std::move(decided->account);
    // What is paid by the balance alone has left the account already.
    for (Record& record : decided->settled)
      if (auto* invoice = std::get_if<Invoice>(&record)) account.invoices.push_back(std::move(*invoice));
    auto made = new_invoice(account, before);
    if (!made) return made.error();
    if (*made) return std::move(**made);
    if (decided->subject.starts_with(SubscriptionKind::prefix)) of = SubscriptionId(decided->subject);
  }
  std::vector<const Subscription*> next;
  for (const Subscription& each : account.subscriptions) {
    const bool is_billed = !each.provisional && each.status != SubscriptionStatus::incomplete;
    if (is_billed && (of.is_empty() || each.id == of)) next.push_back(&each);
  }
  // Of two at the same time the older one: they stand in that order.
  std::ranges::sort(next, {}, [](const Subscription* each) { return std::pair(next_boundary(each), each); });
  for (const Subscription* each : next) {
    auto made = next_invoice(account, each->id, before, now, rules);
    if (!made) return made.error();
    if (*made) return std::move(**made);
  }
  // What a subscription leaves behind that has ended, by the command perhaps.
  const auto due = std::ranges::find_if(account.invoice_items, [&](const InvoiceItem& item) {
    return item.bill_at && (subscription.is_empty() || item.subscription == subscription);
  });
  if (due == account.invoice_items.end()) return nothing_upcoming(account);
  const InvoiceItem item = *due;
  Change change(std::move(account), std::max(now, *item.bill_at), rules);
  auto billed = bill_ended_items(change, item);
  if (!billed) return billed.error();
  auto made = new_invoice(change.account(), before);
  if (!made) return made.error();
  return std::move(**made);
}

}  // namespace billd
