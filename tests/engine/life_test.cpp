// Whole lives of customers at random: any command at any time, a bank that loses messages and forgets its keys, clocks
// that jump. What must hold after every commit is checked by the scenario; what must hold of the money, here.
//
// BILLD_SEED=n begins with that seed; BILLD_LONG=1 goes on for minutes.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <random>

#include "tests/engine/scenario.hpp"

namespace billd {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::at;
using test::card;
using test::price;
using test::Scenario;

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : engine_(seed) {}

  /// A number of [0, count).
  std::size_t below(std::size_t count) { return std::uniform_int_distribution<std::size_t>(0, count - 1)(engine_); }
  bool one_in(std::size_t count) { return below(count) == 0; }
  template <class Value>
  Value among(std::initializer_list<Value> values) {
    return values.begin()[below(values.size())];
  }
  template <class Container>
  const auto& of(const Container& container) {
    return container[below(container.size())];
  }

 private:
  std::mt19937_64 engine_;
};

/// A processor that forgets idempotency keys after a day, as real ones do: sending an old charge again charges again.
class Bank {
 public:
  Bank(Draw& draw, const Scenario& world) : draw_(draw), world_(world) {}

  bool reliable = false;
  std::size_t declines_one_in = 3;

  std::optional<ChargeOutcome> ask(const CollectCharge& effect, const Charge& charge) {
    if (!reliable && draw_.one_in(8)) return std::nullopt;  // lost on the way there
    auto known = ledger_.find(charge.id.value());
    const bool forgotten = known != ledger_.end() && world_.now - known->second.at >= days(1);
    if (effect.look_up_only) {
      if (known == ledger_.end()) return ChargeOutcome{ChargeOutcomeKind::impossible, "", ""};
    } else if (known == ledger_.end() || forgotten) {
      const bool declines = draw_.one_in(declines_one_in);
      if (!declines)
        EXPECT_EQ(++captures_[effect.invoice.value()], 1) << "charged twice for " << effect.invoice.value();
      known = ledger_.insert_or_assign(charge.id.value(), Entry{!declines, world_.now, effect.invoice}).first;
    }
    if (!reliable && draw_.one_in(8)) return std::nullopt;  // lost on the way back
    return outcome(known->second);
  }

  /// The truth about a charge, as an operator finds it in the processor's books.
  ChargeOutcome truth(const ChargeId& charge) const {
    const auto known = ledger_.find(charge.value());
    return known == ledger_.end() ? test::declined("never_arrived") : outcome(known->second);
  }

  /// Any charge that the bank has seen, as a late or repeated message of it would name it.
  std::optional<RecordChargeOutcome> any_message() {
    if (ledger_.empty()) return std::nullopt;
    auto entry = ledger_.begin();
    std::advance(entry, static_cast<std::ptrdiff_t>(draw_.below(ledger_.size())));
    return RecordChargeOutcome{entry->second.invoice, ChargeId(entry->first), outcome(entry->second)};
  }

  int captures(const InvoiceId& invoice) const {
    const auto found = captures_.find(invoice.value());
    return found == captures_.end() ? 0 : found->second;
  }
  int captures() const {
    int sum = 0;
    for (const auto& [invoice, count] : captures_) sum += count;
    return sum;
  }

 private:
  struct Entry {
    bool captured = false;
    Timestamp at;
    InvoiceId invoice;
  };
  static ChargeOutcome outcome(const Entry& entry) { return entry.captured ? test::succeeded() : test::declined(); }

  Draw& draw_;
  const Scenario& world_;
  std::map<std::string, Entry> ledger_;
  std::map<std::string, int> captures_;
};

struct Totals {
  std::size_t commands = 0, refused = 0, invoices = 0, charges = 0, renewals = 0;
};

class Life {
 public:
  explicit Life(std::uint64_t seed)
      : draw_(seed), world_(at("2024-01-31 12:34:56"), any_rules(), seed), bank_(draw_, world_) {
    world_.bank = [this](const CollectCharge& effect, const Charge& charge) { return bank_.ask(effect, charge); };
  }

  void live(int steps, Totals& totals) {
    world_.run(any_new_customer());
    world_.checks_previews = draw_.one_in(3);
    for (int step = 0; step < steps && !testing::Test::HasFailure(); ++step) {
      if (draw_.one_in(3))
        time_passes();
      else
        try_command(any_command(), totals);
      if (!draw_.one_in(4)) world_.work();
    }
    if (!testing::Test::HasFailure()) come_to_rest();
    if (!testing::Test::HasFailure()) check_the_books(totals);
  }

 private:
  Rules any_rules() {
    Rules rules;
    rules.final_action = draw_.among({FinalAction::cancel, FinalAction::unpaid, FinalAction::past_due});
    rules.invoice_finalize_delay = draw_.among<Duration>({Duration(0), hours(1), hours(1), days(2)});
    rules.charge_resolve_after = draw_.among<Duration>({seconds(30), minutes(20)});
    rules.proration_unit = draw_.among({ProrationUnit::second, ProrationUnit::second, ProrationUnit::day});
    if (draw_.one_in(4)) rules.retry_schedule.clear();
    if (draw_.one_in(4)) rules.retry_schedule = {Duration(0), hours(3)};
    return rules;
  }

  void time_passes() {
    switch (draw_.below(6)) {
      case 0:
        world_.now += Duration(draw_.below(90'000'000));
        break;
      case 1:
        world_.now += hours(draw_.below(30));
        break;
      case 2:
        world_.now += days(draw_.below(50));
        break;
      case 3:
        if (draw_.one_in(5)) world_.now -= hours(draw_.below(100));
        break;
      case 4:
        world_.pass_to(world_.now + minutes(draw_.below(600)));
        break;
      default:
        if (const auto due = next_due(timers(world_.account()))) world_.now = std::max(world_.now, *due);
    }
  }

  void try_command(const Command& command, Totals& totals) {
    ++totals.commands;
    auto done = world_.attempt(command);
    if (!done) {
      ++totals.refused;
      EXPECT_FALSE(done.error().detail.empty());
      EXPECT_FALSE(is_transient(done.error().code) && done.error().code != Errc::limit_exceeded);
      return;
    }
    if (draw_.one_in(3)) return;  // the daemon dies here, and the charges are left to their timers
    world_.perform(done->effects);
  }

  CreateCustomer any_new_customer() {
    CreateCustomer command;
    command.email = "ada@example.com";
    if (!draw_.one_in(4)) command.source = card();
    return command;
  }

  Command any_command() {
    if (draw_.one_in(3)) return any_invoicing();
    if (draw_.one_in(4)) return any_change();
    switch (draw_.below(16)) {
      case 0:
        return any_update();
      case 1:
        return AddSource{card(), draw_.one_in(2)};
      case 2:
        return RemoveSource{any_source()};
      case 3: {
        UpdateSource command;
        command.source = any_source();
        command.exp_month = static_cast<std::int32_t>(draw_.below(14));
        return command;
      }
      case 4:
      case 5:
      case 6:
        return any_subscription();
      case 7:
        return CancelSubscription{any_subscription_id(), !draw_.one_in(4), draw_.one_in(2), draw_.one_in(2)};
      case 8:
        return ResumeSubscription{any_subscription_id()};
      case 9:
      case 10: {
        const InvoiceId id = any_invoice();
        return PayInvoice{id, world_.settled(id), draw_.one_in(3) ? any_source() : SourceId()};
      }
      case 11: {
        const InvoiceId id = any_invoice();
        return CloseInvoice{id, world_.settled(id)};
      }
      case 12: {
        const InvoiceId id = any_invoice();
        return ReopenInvoice{id, world_.settled(id)};
      }
      case 13:
        if (auto message = bank_.any_message()) return *message;
        return UpdateCustomer{};
      case 14:
        if (const Charge* parked = any_parked())
          return RecordChargeOutcome{parked_invoice_, parked->id, bank_.truth(parked->id)};
        return UpdateCustomer{};
      default:
        if (draw_.one_in(12)) return DeleteCustomer{};
        return any_new_customer();
    }
  }

  /// What people do to invoices and their items by hand.
  Command any_invoicing() {
    const InvoiceId id = any_invoice();
    const auto recalled = world_.settled(id);
    switch (draw_.below(12)) {
      case 0:
      case 1:
      case 2: {
        CreateInvoiceItem command;
        command.unit_amount = {draw_.among<std::int64_t>({1, 700, -300, -2500}), Currency::of("usd")};
        command.quantity = static_cast<std::int64_t>(draw_.below(4));
        if (draw_.one_in(4)) command.subscription = any_subscription_id();
        if (draw_.one_in(4)) {
          command.invoice = id;
          command.recalled = recalled;
        }
        return command;
      }
      case 3: {
        const auto [item, invoice] = any_item();
        UpdateInvoiceItem command{item, invoice, world_.settled(invoice), {}, {}, {}, {}, {}, {}};
        command.unit_amount = 450;
        if (draw_.one_in(2)) command.quantity = static_cast<std::int64_t>(draw_.below(3));
        return command;
      }
      case 4: {
        const auto [item, invoice] = any_item();
        return DeleteInvoiceItem{item, invoice, world_.settled(invoice)};
      }
      case 5: {
        CreateInvoice command;
        if (draw_.one_in(3)) command.subscription = any_subscription_id();
        command.auto_advance = draw_.one_in(2);
        command.take_pending_items = !draw_.one_in(4);
        if (draw_.one_in(3)) {
          command.collection = Collection::send_invoice;
          command.days_until_due = static_cast<std::int32_t>(draw_.below(30));
        }
        return command;
      }
      case 6: {
        UpdateInvoice command{id, recalled, {}, {}, {}, {}, {}};
        command.description = draw_.among<std::string>({"", "Thank you."});
        if (draw_.one_in(3)) command.due_at = world_.now + hours(draw_.below(200));
        return command;
      }
      case 7:
        return FinalizeInvoice{id, recalled, {}};
      case 8:
        return SendInvoice{id, recalled};
      case 9:
        return VoidInvoice{id, recalled};
      case 10:
        return MarkInvoiceUncollectible{id, recalled};
      default:
        if (draw_.one_in(2)) return DeleteInvoice{id, recalled};
        return PayInvoice{id, recalled, SourceId(), true};
    }
  }

  /// A change of a subscription's items, trial, cycle or end.
  UpdateSubscription any_change() {
    UpdateSubscription command;
    command.subscription = any_subscription_id();
    command.proration =
        draw_.among({ProrationBehavior::create_prorations, ProrationBehavior::always_invoice, ProrationBehavior::none});
    const Subscription* subscription = world_.account().find(command.subscription);
    if (subscription == nullptr) return command;
    const Recurrence recurrence = draw_.one_in(5) ? Recurrence{Interval::month, 2} : subscription->recurrence();
    for (std::size_t changes = draw_.below(3); changes > 0; --changes) {
      ItemChange change;
      if (!draw_.one_in(4)) change.item = draw_.of(subscription->items).id;
      change.deleted = !change.item.is_empty() && draw_.one_in(6);
      if (change.item.is_empty() || draw_.one_in(2)) change.price = price(draw_.among({0, 49, 3000, 7777}), recurrence);
      if (draw_.one_in(2)) change.quantity = static_cast<std::int64_t>(draw_.below(4));
      command.items.push_back(std::move(change));
    }
    if (draw_.one_in(5)) command.proration_date = world_.now - hours(draw_.below(48));
    if (draw_.one_in(8)) command.trial_end = world_.now + hours(draw_.below(400)) - hours(40);
    if (draw_.one_in(10)) command.anchor_now = true;
    if (draw_.one_in(6)) command.cancel_at = world_.now + hours(draw_.below(1500));
    if (draw_.one_in(6)) command.cancel_at = std::optional<Timestamp>();
    if (draw_.one_in(8)) command.cancel_at_period_end = draw_.one_in(2);
    return command;
  }

  /// An item, and the invoice that it is on; without that it is pending.
  std::pair<InvoiceItemId, InvoiceId> any_item() {
    const auto& pending = world_.account().invoice_items;
    if (!pending.empty() && draw_.one_in(2)) return {draw_.of(pending).id, InvoiceId()};
    const InvoiceId id = any_invoice();
    for (const Invoice& invoice : world_.invoices())
      for (const InvoiceLine& line : invoice.lines)
        if (invoice.id == id && !line.is_recurring()) return {line.invoice_item, id};
    return {InvoiceItemId("ii_none"), InvoiceId()};
  }

  UpdateCustomer any_update() {
    UpdateCustomer command;
    if (draw_.one_in(2)) command.name = draw_.among<std::string>({"", "Ada", "Grace"});
    if (draw_.one_in(3)) command.source = card();
    if (draw_.one_in(3)) command.default_source = any_source();
    return command;
  }

  Subscribe any_subscription() {
    const Recurrence recurrence = draw_.among<Recurrence>({{Interval::day, 1},
                                                           {Interval::day, 10},
                                                           {Interval::week, 1},
                                                           {Interval::month, 1},
                                                           {Interval::month, 1},
                                                           {Interval::month, 3},
                                                           {Interval::year, 1},
                                                           {Interval::month, 0}});
    Subscribe command;
    for (std::size_t items = 1 + draw_.below(3); items > 0; --items)
      command.items.push_back({price(draw_.among({0, 1, 2000, 99'999}), recurrence, draw_.one_in(9) ? "eur" : "usd"),
                               static_cast<std::int64_t>(draw_.below(4)),
                               {}});
    if (draw_.one_in(3)) command.trial_end = world_.now + Duration(draw_.below(20 * 86'400'000'000));
    command.cancel_at_period_end = draw_.one_in(8);
    if (draw_.one_in(5)) {
      command.billing_cycle_anchor = world_.now + hours(draw_.below(500));
      command.free_until_anchor = draw_.one_in(2);
    }
    if (!command.cancel_at_period_end && draw_.one_in(8)) command.cancel_at = world_.now + hours(draw_.below(2000));
    command.payment_behavior = draw_.among({PaymentBehavior::allow_incomplete, PaymentBehavior::error_if_incomplete});
    if (draw_.one_in(3)) command.default_source = any_source();
    if (draw_.one_in(6)) {
      command.collection = Collection::send_invoice;
      command.days_until_due = static_cast<std::int32_t>(1 + draw_.below(40));
    }
    // Enough lives side by side.
    if (world_.account().subscriptions.size() > 5) command.items.clear();
    return command;
  }

  SourceId any_source() {
    const auto& sources = world_.account().sources;
    return sources.empty() || draw_.one_in(10) ? SourceId("card_none") : draw_.of(sources).id;
  }

  SubscriptionId any_subscription_id() {
    const auto& subscriptions = world_.account().subscriptions;
    return subscriptions.empty() ? SubscriptionId("sub_none") : draw_.of(subscriptions).id;
  }

  InvoiceId any_invoice() {
    const auto& live = world_.account().invoices;
    if (!live.empty() && !draw_.one_in(3)) return draw_.of(live).id;
    const auto all = world_.invoices();
    return all.empty() ? InvoiceId("in_none") : draw_.of(all).id;
  }

  const Charge* any_parked() {
    for (const Invoice& invoice : world_.account().invoices) {
      const Charge* charge = invoice.unresolved_charge();
      if (charge == nullptr || charge->state != ChargeState::parked) continue;
      parked_invoice_ = invoice.id;
      return charge;
    }
    return nullptr;
  }

  /// Faults end, the operator looks after what is parked, and nothing may be left undone.
  void come_to_rest() {
    bank_.reliable = true;
    // Later than any question that stands, also when the clock was set back after it.
    world_.jump_to(world_.now + days(10));
    while (const Charge* parked = any_parked())
      world_.run(RecordChargeOutcome{parked_invoice_, parked->id, bank_.truth(parked->id)});
    world_.work();
    for (const Invoice& invoice : world_.account().invoices)
      EXPECT_EQ(invoice.unresolved_charge(), nullptr) << "no outcome stays unknown";
    for (const Subscription& subscription : world_.account().subscriptions)
      if (subscription.status != SubscriptionStatus::incomplete)
        EXPECT_GT(subscription.current_period.end, world_.now) << "every period was begun";
  }

  void check_the_books(Totals& totals) {
    int paid = 0;
    std::int64_t balance = 0;
    for (const Invoice& invoice : world_.invoices()) {
      ++totals.invoices;
      totals.charges += invoice.charges.size();
      if (invoice.reason == BillingReason::subscription_cycle) ++totals.renewals;
      const bool charged =
          invoice.status == InvoiceStatus::paid && invoice.amount_due().minor != 0 && !invoice.paid_out_of_band;
      EXPECT_EQ(bank_.captures(invoice.id), charged ? 1 : 0) << invoice.id.value();
      if (charged) ++paid;
      if (invoice.status != InvoiceStatus::void_) balance += invoice.ending_balance - invoice.starting_balance;
    }
    EXPECT_EQ(bank_.captures(), paid) << "money was taken for no invoice";
    if (!world_.account().customer.deleted)
      EXPECT_EQ(world_.account().customer.balance, balance) << "the balance is what the invoices left of it";
  }

  Draw draw_;
  Scenario world_;
  Bank bank_;
  InvoiceId parked_invoice_;
};

TEST(Lives, OfAnyKindLoseNothingAndChargeNothingTwice) {
  const char* given = std::getenv("BILLD_SEED");
  const std::uint64_t first = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()();
  const std::uint64_t lives = std::getenv("BILLD_LONG") != nullptr ? 5'000 : 40;
  Totals totals;
  for (std::uint64_t seed = first; seed < first + lives; ++seed) {
    SCOPED_TRACE("BILLD_SEED=" + std::to_string(seed));
    Life life(seed);
    life.live(150, totals);
    if (HasFailure()) return;
  }
  RecordProperty("commands", static_cast<int>(totals.commands));
  RecordProperty("refused", static_cast<int>(totals.refused));
  RecordProperty("invoices", static_cast<int>(totals.invoices));
  RecordProperty("renewals", static_cast<int>(totals.renewals));
  RecordProperty("charges", static_cast<int>(totals.charges));
  EXPECT_LT(totals.refused * 3, totals.commands * 2) << "too few commands are to the point";
  EXPECT_GT(totals.renewals, lives) << "too little time passes";
}

}  // namespace
}  // namespace billd
