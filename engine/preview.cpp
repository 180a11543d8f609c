// What would be billed next, found out by doing it and keeping nothing of it.
#include <algorithm>
#include <set>

#include "engine/change.hpp"
#include "engine/future.hpp"
#include "engine/schedule_preview.hpp"

namespace billd {
namespace {

/// So much is lived at most until the invoice comes: some milliseconds. Most often it is the first thing that does.
constexpr int steps_max = 500;

/// With what the customer's balance has to do with it, which a draft does not say yet.
Result<Invoice> with_balance(Invoice invoice, std::int64_t balance) {
  if (invoice.finalized_at) return invoice;
  auto use = use_balance(invoice.total, balance);
  if (!use) return use.error();
  invoice.starting_balance = balance;
  invoice.ending_balance = use->ending_balance;
  return invoice;
}

/// The invoice wherever it is after a transition that drew it up.
const Invoice* find_after(const Account& account, const std::vector<Record>& settled, const InvoiceId& id) {
  if (const Invoice* invoice = account.find(id)) return invoice;
  for (const Record& record : settled)
    if (const auto* invoice = std::get_if<Invoice>(&record); invoice != nullptr && invoice->id == id) return invoice;
  return nullptr;
}

/// The invoice that the command made, as it is afterwards; empty: none.
Result<std::optional<Invoice>> made_by(const Transition& done, const std::set<InvoiceId>& before) {
  const auto shown = [&](const Invoice& invoice) -> Result<std::optional<Invoice>> {
    auto whole = with_balance(invoice, done.account.customer.balance);
    if (!whole) return whole.error();
    return std::optional(std::move(*whole));
  };
  for (const Invoice& invoice : done.account.invoices)
    if (!before.contains(invoice.id)) return shown(invoice);
  for (const Record& record : done.settled)
    if (const auto* invoice = std::get_if<Invoice>(&record); invoice != nullptr && !before.contains(invoice->id))
      return shown(*invoice);
  return std::optional<Invoice>();
}

/// Lives on until time draws up the invoice that is asked for.
class NextInvoice : public Future {
 public:
  /// `of`: the subscription whose invoice it is to be; empty: any of those that there are.
  NextInvoice(Account whole, SubscriptionId of, Timestamp now, const Rules& rules)
      : Future(std::move(whole), now, rules), of_(std::move(of)) {
    for (Subscription& subscription : account().subscriptions) {
      const bool is_billed = !subscription.provisional && subscription.status != SubscriptionStatus::incomplete;
      if (is_billed && (of_.is_empty() || subscription.id == of_)) billed_.insert(subscription.id);
      // The word comes in time that renews it.
      subscription.renewal_trigger = RenewalTrigger::schedule;
      subscription.grace_until.reset();
    }
  }

  Result<std::optional<Invoice>> find() {
    auto begun = begin();
    if (!begun) return begun.error();
    for (int steps = 0; !made_ && steps < 2 * steps_max; ++steps) {
      if (steps == steps_max) leave_others_out();
      auto stepped = step(end_of_time);
      if (!stepped) return stepped.error();
      if (!*stepped) break;
    }
    if (!made_) return std::optional<Invoice>();
    auto shown = with_balance(std::move(*made_), balance_);
    if (!shown) return shown.error();
    return std::optional(std::move(*shown));
  }

 private:
  using Future::see;
  void see(const Transition& done) override {
    for (const Event& event : done.events) {
      if (made_ || event.type != EventType::invoice_created) continue;
      const auto& drawn_up = std::get<Invoice>(done.snapshots[event.snapshot]);
      if (!is_meant(drawn_up)) continue;
      const Invoice& afterwards = *find_after(account(), done.settled, drawn_up.id);
      const bool is_collected = afterwards.status == InvoiceStatus::open || afterwards.status == InvoiceStatus::paid;
      // A draft that is finalized in the same moment, where drafts have no time of their own, is shown as a draft.
      const bool is_draft = is_collected && drawn_up.reason != BillingReason::subscription_update;
      made_ = is_draft ? drawn_up : afterwards;
      balance_ = is_draft ? afterwards.starting_balance : account().customer.balance;
    }
  }

  /// Of a subscription's cycle, or what a subscription leaves behind that has ended.
  bool is_meant(const Invoice& invoice) const {
    if (invoice.is_of_cycle()) return billed_.contains(invoice.subscription);
    return of_.is_empty() ||
           std::ranges::any_of(invoice.lines, [this](const InvoiceLine& line) { return line.subscription == of_; });
  }

  /// Too much comes before it to be lived: what else the customer has is taken to leave it alone.
  void leave_others_out() {
    std::erase_if(account().subscriptions, [this](const Subscription& each) { return !billed_.contains(each.id); });
    std::erase_if(account().schedules, [this](const Schedule& each) { return !billed_.contains(each.subscription); });
    account().invoices.clear();
  }

  const SubscriptionId of_;
  std::set<SubscriptionId> billed_;
  std::optional<Invoice> made_;
  std::int64_t balance_ = 0;  ///< that it will find
};

/// What something costs can be told without a way to pay for it.
void give_way_to_pay(Account& account) {
  if (!account.sources.empty()) return;
  Source& source = account.sources.emplace_back();
  source.id = account.customer.default_source = SourceId("card_preview");
}

}  // namespace

Result<Invoice> preview_schedule(Account account, const ScheduleId& id, Timestamp now, const Rules& rules) {
  const Schedule* schedule = account.find(id);
  if (schedule == nullptr || !schedule->is_live())
    return Failure{Errc::not_found, "No such subscription schedule: " + id.value(), "schedule"};
  if (!schedule->subscription.is_empty()) {
    const SubscriptionId subscription = schedule->subscription;
    return preview(std::move(account), std::nullopt, subscription, now, rules);
  }
  std::set<InvoiceId> before;
  for (const Invoice& invoice : account.invoices) before.insert(invoice.id);
  give_way_to_pay(account);
  Change change(std::move(account), std::max(now, schedule->next_at()), rules);
  auto begun = advance_schedule(change, *change.account().find(id));
  if (!begun) return begun.error();
  auto made = made_by(change.finish(), before);
  if (!made) return made.error();
  if (!*made) return Failure{Errc::not_found, "No upcoming invoices for this schedule: " + id.value(), "schedule"};
  return std::move(**made);
}

Result<Invoice> preview(Account account, const std::optional<Command>& command, const SubscriptionId& subscription,
                        Timestamp now, const Rules& rules) {
  if (account.customer.deleted) return no_such_customer(account.customer);
  std::set<InvoiceId> before;
  for (const Invoice& invoice : account.invoices) before.insert(invoice.id);
  give_way_to_pay(account);
  SubscriptionId of = subscription;
  if (command) {
    auto decided = decide(std::move(account), *command, now, rules);
    if (!decided) return decided.error();
    auto made = made_by(*decided, before);
    if (!made) return made.error();
    if (*made) return std::move(**made);
    account = std::move(decided->account);
    const SubscriptionId subject(decided->subject);
    // One that ends leaves the next invoice to others, unless it alone is asked for.
    if (account.find(subject) != nullptr) of = subject;
  }
  const std::string customer = account.customer.id.value();
  auto next = NextInvoice(std::move(account), std::move(of), now, rules).find();
  if (!next) return next.error();
  if (!*next) return Failure{Errc::not_found, "No upcoming invoices for customer: " + customer, "customer"};
  return std::move(**next);
}

}  // namespace billd
