#include "commands/invariants.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>

#include "net/store/encoding.hpp"
#include "net/store/keys.hpp"

namespace billd::commands {
namespace {

struct RuleRow {
  std::string_view name, sentence;
};
constexpr std::array<RuleRow, rule_count> rules = {{
    {"readable", "Everything stored can be read, and stands where it belongs."},
    {"records", "A settled object is stored once, under its own name."},
    {"periods", "Each period of each subscription is billed once, in order and without gaps."},
    {"lines", "The lines of an invoice, less the discount and with the taxes on top, add up to its total."},
    {"numbers", "A customer's invoice numbers have no gaps."},
    {"payments", "A paid invoice has one succeeded charge of its amount, an unpaid one none."},
    {"balances", "A customer's balance is the sum of its recorded changes."},
    {"schedules", "An active schedule has a live subscription, and phases without gaps."},
    {"timers", "An account waits in the queues for what its state says, and nobody else waits there."},
    {"parked", "A parked account exists and is in no queue."},
    {"indexes", "The lists show every object once, and nothing else."},
    {"events", "An account's events are numbered without gaps."},
    {"ledger", "The test gateway and billd agree on every charge."},
    {"idempotency", "No effect is under way for longer than an hour."},
    {"aliases", "What other systems call objects leads to them, and the objects know it."},
    {"audit", "The audit log is as it was written: each entry's hash is that of all before it."},
}};

std::string in_minor_units(Money amount) {
  return std::to_string(amount.minor) + " " + std::string(amount.currency.code());
}

std::string place_text(const std::optional<std::int64_t>& score) {
  return score ? "at " + std::to_string(*score) : "not there";
}

/// One account's examination.
class Examination {
 public:
  explicit Examination(const AccountView& view) : view_(view) {
    for (const Invoice& invoice : view.account.invoices) see(invoice);
    for (const Subscription& subscription : view.account.subscriptions) see(subscription);
    for (const auto& [field, record] : view.records) {
      if (const Invoice* invoice = std::get_if<Invoice>(&record)) see(*invoice);
      if (const Subscription* subscription = std::get_if<Subscription>(&record)) see(*subscription);
    }
  }

  std::vector<Violation> run() {
    check_records();
    for (const auto& [id, subscription] : subscriptions_) check_periods(*subscription);
    check_owners_of_invoices();
    for (const Invoice* invoice : invoices_) {
      check_lines(*invoice);
      check_payment(*invoice);
      check_ledger(*invoice);
    }
    check_numbers();
    check_balance();
    check_schedules();
    check_places();
    return std::move(violations_);
  }

 private:
  void see(const Invoice& invoice) {
    invoices_.push_back(&invoice);
    invoice_ids_.insert(invoice.id.value());
    invoices_of_[invoice.subscription.value()].push_back(&invoice);
  }
  void see(const Subscription& subscription) { subscriptions_.emplace(subscription.id.value(), &subscription); }

  void report(Rule rule, const std::string& about, std::string found, std::string expected) {
    const std::string key = about.empty() ? view_.redis_key : view_.redis_key + " " + about;
    violations_.push_back({rule, key, std::move(found), std::move(expected)});
  }

  void check_records() {
    const AccountKey& key = view_.account.key;
    for (const auto& [field, record] : view_.records) {
      const auto [own_field, id] = std::visit(
          [&](const auto& each) { return std::pair(store::record_field(key, each.id), each.id.value()); }, record);
      if (field != own_field) report(Rule::records, id, "stored under another object's name", "under its own");
      const bool is_in_account = std::visit(
          [&](const auto& each) {
            if constexpr (requires { view_.account.find(each.id); })
              return view_.account.find(each.id) != nullptr;
            else
              return false;  // It never was there.
          },
          record);
      if (is_in_account) report(Rule::records, id, "both in the account and among its records", "in one place");
      if (const Invoice* invoice = std::get_if<Invoice>(&record)) {
        for (const Charge& charge : invoice->charges) {
          check_owner(store::charge_field(key, charge.id), charge.id.value(), *invoice);
          for (const Refund& refund : charge.refunds)
            check_owner(store::refund_field(key, refund.id), refund.id.value(), *invoice);
        }
        for (const CreditNote& note : invoice->credit_notes)
          check_owner(store::credit_note_field(key, note.id), note.id.value(), *invoice);
      }
    }
    for (const auto& [field, invoice] : view_.charge_owners)
      if (!invoice_ids_.contains(invoice.value()))
        report(Rule::records, invoice.value(), "a charge leads to an invoice that does not exist", "the invoice");
  }

  /// There is a way from what belongs to a settled invoice to the invoice.
  void check_owner(const std::string& field, const std::string& of, const Invoice& invoice) {
    const auto owner = view_.charge_owners.find(field);
    if (owner == view_.charge_owners.end() || owner->second != invoice.id)
      report(Rule::records, of, "the way from it to its invoice is missing", "leads to " + invoice.id.value());
  }

  void check_periods(const Subscription& subscription) {
    std::map<std::int64_t, const Invoice*> billed;
    for (const Invoice* invoice : invoices_of_[subscription.id.value()]) {
      if (!invoice->bills_period()) continue;
      const auto [first, is_new] = billed.emplace(invoice->ordinal, invoice);
      if (!is_new)
        report(Rule::periods, subscription.id.value(),
               "period " + std::to_string(invoice->ordinal) + " is billed by " + first->second->id.value() + " and " +
                   invoice->id.value(),
               "billed once");
    }
    // What precedes the anchor may be free, after a trial or at once; then no invoice tells of it.
    const std::int64_t free_until = subscription.free_until_anchor ? 1 : -1;
    for (std::int64_t ordinal = subscription.first_ordinal; ordinal <= subscription.ordinal; ++ordinal)
      if (!billed.contains(ordinal) && ordinal > free_until)
        report(Rule::periods, subscription.id.value(), "period " + std::to_string(ordinal) + " is not billed",
               "billed once");
    const Invoice* before = nullptr;
    for (const auto& [ordinal, invoice] : billed) {
      if (ordinal < 0 || ordinal > subscription.ordinal)
        report(Rule::periods, subscription.id.value(),
               "period " + std::to_string(ordinal) + " is billed by " + invoice->id.value(),
               "0 to " + std::to_string(subscription.ordinal));
      if (before != nullptr) check_succession(subscription, *before, *invoice);
      before = invoice;
    }
    if (before != nullptr && before->ordinal == subscription.ordinal && billed_period(*before) != nullptr &&
        *billed_period(*before) != subscription.current_period && !may_be_followed_by_pause(subscription, *before))
      report(Rule::periods, subscription.id.value(),
             before->id.value() + " bills until " + billd::to_text(billed_period(*before)->end),
             "until " + billd::to_text(subscription.current_period.end) + ", as the subscription says");
  }

  /// The period that the invoice bills ahead; null: none. What was used is billed behind it.
  static const Period* billed_period(const Invoice& invoice) {
    const auto line = std::ranges::find_if(
        invoice.lines, [](const InvoiceLine& each) { return each.is_recurring() && !each.price.is_metered(); });
    return line == invoice.lines.end() ? nullptr : &line->period;
  }

  /// A trial after which the subscription may have been paused for as long as you like.
  static bool may_be_followed_by_pause(const Subscription& subscription, const Invoice& invoice) {
    return subscription.missing_payment_method == MissingPaymentMethod::pause &&
           std::ranges::any_of(invoice.lines, &InvoiceLine::trial);
  }

  void check_succession(const Subscription& subscription, const Invoice& before, const Invoice& after) {
    if (after.created < before.created)
      report(Rule::periods, subscription.id.value(), after.id.value() + " was drawn up before " + before.id.value(),
             "one period after the other");
    const Period *earlier = billed_period(before), *later = billed_period(after);
    if (after.ordinal != before.ordinal + 1 || earlier == nullptr || later == nullptr) return;
    const Timestamp end = earlier->end, start = later->start;
    // A change that begins a new period cuts the one before it short.
    const bool cuts = after.reason == BillingReason::subscription_update && start <= end;
    const bool follows = cuts || start == end || (start > end && may_be_followed_by_pause(subscription, before));
    if (!follows)
      report(Rule::periods, subscription.id.value(), after.id.value() + " bills from " + billd::to_text(start),
             "from " + billd::to_text(end) + ", where " + before.id.value() + " ended");
  }

  void check_owners_of_invoices() {
    for (const Invoice* invoice : invoices_) {
      if (!invoice->is_of_cycle() || invoice->provisional) continue;
      if (subscriptions_.contains(invoice->subscription.value())) continue;
      // A first payment that was under way when the customer was deleted is all that is left of its subscription.
      if (view_.account.customer.deleted && invoice->ordinal == 0) continue;
      report(Rule::periods, invoice->id.value(),
             "of the subscription " + invoice->subscription.value() + ", which does not exist",
             "of one of the account's");
    }
  }

  void check_lines(const Invoice& invoice) {
    __int128 sum = 0;
    for (const InvoiceLine& line : invoice.lines) {
      if (line.amount.currency != invoice.total.currency) {
        report(Rule::lines, invoice.id.value(), "a line of " + in_minor_units(line.amount),
               "lines in " + std::string(invoice.total.currency.code()));
        return;
      }
      const bool is_within = line.amount.minor >= 0 ? line.discount >= 0 && line.discount <= line.amount.minor
                                                    : line.discount <= 0 && line.discount >= line.amount.minor;
      if (!is_within)
        report(Rule::lines, line.id.value(), "a discount of " + std::to_string(line.discount),
               "at most the amount of " + in_minor_units(line.amount));
      sum += line.amount.minor;
      sum -= line.discount;
      for (const TaxAmount& tax : line.taxes)
        if (!tax.rate.inclusive) sum += tax.amount;
    }
    if (sum != invoice.total.minor)
      report(Rule::lines, invoice.id.value(), "total " + in_minor_units(invoice.total),
             in_minor_units({static_cast<std::int64_t>(sum), invoice.total.currency}));
  }

  void check_payment(const Invoice& invoice) {
    const auto succeeded = std::ranges::count(invoice.charges, ChargeState::succeeded, &Charge::state);
    const bool is_paid = invoice.status == InvoiceStatus::paid;
    const Money due = invoice.amount_due();
    const auto wanted = is_paid && due.minor != 0 && !invoice.paid_out_of_band ? 1 : 0;
    if (succeeded != wanted)
      report(Rule::payments, invoice.id.value(), std::to_string(succeeded) + " succeeded charges",
             std::to_string(wanted) + (is_paid ? ", for it is paid" : ", for it is not paid"));
    for (const Charge& charge : invoice.charges)
      if (charge.state == ChargeState::succeeded && charge.amount != due)
        report(Rule::payments, charge.id.value(), in_minor_units(charge.amount), in_minor_units(due));
    const std::int64_t paid = is_paid ? due.minor : 0;
    if (invoice.amount_paid.minor != paid)
      report(Rule::payments, invoice.id.value(), "amount paid " + in_minor_units(invoice.amount_paid),
             std::to_string(paid));
    for (std::size_t i = 0; i + 1 < invoice.charges.size(); ++i)
      if (invoice.charges[i].is_unresolved())
        report(Rule::payments, invoice.charges[i].id.value(), "unresolved, and another charge was begun",
               "one charge at a time");
    const bool is_unresolved = invoice.unresolved_charge() != nullptr || invoice.has_unresolved_refund();
    if (is_unresolved && view_.account.find(invoice.id) == nullptr)
      report(Rule::payments, invoice.id.value(), "settled while the outcome of a charge or refund is not known",
             "kept in the account");
    for (const Charge& charge : invoice.charges) {
      const std::int64_t refundable = charge.state == ChargeState::succeeded ? charge.amount.minor : 0;
      if (charge.amount_refunded().minor > refundable)
        report(Rule::payments, charge.id.value(), in_minor_units(charge.amount_refunded()) + " refunded",
               "at most " + std::to_string(refundable));
    }
  }

  void check_ledger(const Invoice& invoice) {
    int succeeded = 0;
    for (const Charge& charge : invoice.charges) {
      const auto found = view_.ledger.find(charge.id.value());
      const gateways::LedgerEntry* entry = found == view_.ledger.end() ? nullptr : &found->second;
      if (entry != nullptr && entry->succeeded()) ++succeeded;
      if (charge.gateway != "test") continue;
      if (entry != nullptr && entry->amount != charge.amount)
        report(Rule::ledger, charge.id.value(), "the gateway booked " + in_minor_units(entry->amount),
               in_minor_units(charge.amount));
      if (charge.state == ChargeState::succeeded && entry == nullptr)
        report(Rule::ledger, charge.id.value(), "the gateway booked nothing", "a success, as billd recorded");
      else if (charge.state == ChargeState::succeeded && !entry->succeeded())
        report(Rule::ledger, charge.id.value(), "the gateway declined (" + entry->decline_code + ")",
               "a success, as billd recorded");
      else if (charge.state == ChargeState::declined && entry != nullptr && entry->succeeded())
        report(Rule::ledger, charge.id.value(), "the gateway charged", "a decline, as billd recorded");
      else if (charge.state == ChargeState::absent && entry != nullptr && entry->succeeded())
        report(Rule::ledger, charge.id.value(), "the gateway charged", "that it never had it, as billd recorded");
    }
    if (succeeded > 1)
      report(Rule::ledger, invoice.id.value(), "charged " + std::to_string(succeeded) + " times", "at most once");
  }

  void check_numbers() {
    std::multiset<std::string> numbers;
    for (const Invoice* invoice : invoices_)
      if (!invoice->number.empty()) numbers.insert(invoice->number);
    const Customer& customer = view_.account.customer;
    const std::string prefix = invoice_prefix(customer, view_.account.key) + "-";
    const std::uint64_t former = customer.former ? customer.former->invoices_numbered : 0;
    for (std::uint64_t number = former + 1; number <= view_.account.invoices_numbered; ++number) {
      std::string digits = std::to_string(number);
      if (digits.size() < 4) digits.insert(0, 4 - digits.size(), '0');
      const auto times = numbers.erase(prefix + digits);
      if (times != 1)
        report(Rule::numbers, "", std::to_string(times) + " invoices with the number " + prefix + digits, "one");
    }
    // What was open when the customer was brought along keeps the number that it has.
    if (customer.former) std::erase_if(numbers, [&](const std::string& number) { return numbers.count(number) == 1; });
    for (const std::string& number : numbers)
      report(Rule::numbers, "", "an invoice with the number " + number,
             "numbers up to " + std::to_string(view_.account.invoices_numbered));
  }

  /// Of a deleted customer no balance is kept.
  void check_balance() {
    if (view_.account.customer.deleted) return;
    __int128 sum = 0;
    for (const auto& [field, record] : view_.records)
      if (const auto* transaction = std::get_if<BalanceTransaction>(&record)) sum += transaction->amount.minor;
    if (sum != view_.account.customer.balance)
      report(Rule::balances, "", "a balance of " + std::to_string(view_.account.customer.balance),
             std::to_string(static_cast<std::int64_t>(sum)) + ", the sum of its changes");
  }

  void check_schedules() {
    for (const Schedule& schedule : view_.account.schedules) {
      const Subscription* subscription = view_.account.find(schedule.subscription);
      if (schedule.status == ScheduleStatus::active &&
          (subscription == nullptr || subscription->schedule != schedule.id))
        report(Rule::schedules, schedule.id.value(), "active without its subscription",
               "a live subscription of its own");
      for (std::size_t i = 1; i < schedule.phases.size(); ++i)
        if (schedule.phases[i].start != schedule.phases[i - 1].end)
          report(Rule::schedules, schedule.id.value(), "phase " + std::to_string(i) + " does not follow the one before",
                 "phases without gaps");
    }
  }

  void check_places() {
    const std::string keys_prefix = view_.redis_key.substr(0, view_.redis_key.find(":a:") + 1);
    const auto queues = expected_queues(keys_prefix, view_.account, view_.parked);
    compare(view_.parked ? Rule::parked : Rule::timers, queues, view_.queues);
    compare(Rule::indexes, expected_indexes(keys_prefix, view_.account, view_.records), view_.indexes);
  }

  void compare(Rule rule, const std::vector<Placement>& expected, const std::vector<Placement>& found) {
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const auto score = i < found.size() ? found[i].score : std::nullopt;
      if (score != expected[i].score)
        report(rule, "in " + expected[i].set, place_text(score), place_text(expected[i].score));
    }
  }

  const AccountView& view_;
  // A long life leaves many records: what belongs together is found by its identifier.
  std::vector<const Invoice*> invoices_;
  std::set<std::string_view> invoice_ids_;
  std::map<std::string_view, std::vector<const Invoice*>> invoices_of_;  ///< by subscription
  std::multimap<std::string_view, const Subscription*> subscriptions_;
  std::vector<Violation> violations_;
};

}  // namespace

std::string_view to_text(Rule rule) { return rules[static_cast<std::size_t>(rule)].name; }
std::string_view describe(Rule rule) { return rules[static_cast<std::size_t>(rule)].sentence; }

std::vector<Violation> check_account(const AccountView& view) { return Examination(view).run(); }

std::vector<Placement> expected_queues(std::string_view keys_prefix, const Account& account, bool parked) {
  std::vector<Placement> places;
  const Timers due = timers(account);
  const bool has_clock = !account.customer.test_clock.is_empty();
  auto place = [&](std::string set, const std::optional<Timestamp>& time) {
    Placement& added = places.emplace_back();
    added.set = std::move(set);
    added.member = account.key.value();
    if (time && !parked) added.score = time->time_since_epoch().count();
  };
  for (std::size_t queue = 0; queue < queue_count; ++queue)
    place(store::queue_key(keys_prefix, static_cast<Queue>(queue)), has_clock ? std::nullopt : due[queue]);
  if (has_clock) place(store::clock_queue_key(keys_prefix, account.customer.test_clock), next_due(due));
  return places;
}

std::vector<Placement> expected_indexes(std::string_view keys_prefix, const Account& account,
                                        const std::map<std::string, Record>& records) {
  store::IndexEntries entries = store::index_entries(account);
  for (const auto& [field, record] : records) {
    const store::IndexEntries more = store::index_entries(account.key, record);
    entries.insert(entries.end(), more.begin(), more.end());
  }
  std::vector<Placement> places;
  places.reserve(entries.size());
  for (const store::IndexEntry& entry : entries)
    places.push_back({store::index_key(keys_prefix, entry.index, entry.qualifier), entry.member, entry.score});
  return places;
}

}  // namespace billd::commands
