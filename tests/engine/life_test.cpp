// Whole lives of customers at random: any command at any time, a bank that loses messages and forgets its keys, clocks
// that jump. What must hold after every commit is checked by the scenario; what must hold of the money, here.
//
// BILLD_SEED=n begins with that seed; BILLD_LONG=1 goes on for minutes.
#include <gtest/gtest.h>

#include "tests/engine/any_command.hpp"
#include "tests/engine/bank.hpp"
#include "tests/engine/effort.hpp"
#include "tests/engine/scenario.hpp"

namespace billd::life_test {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using test::AnyCommand;
using test::at;
using test::Bank;
using test::Draw;
using test::Scenario;

struct Totals {
  std::size_t commands = 0, refused = 0, invoices = 0, charges = 0, renewals = 0;
};

class Life {
 public:
  explicit Life(std::uint64_t seed)
      : draw_(seed),
        world_(at("2024-01-31 12:34:56"), any_rules(), seed),
        bank_(draw_, world_.now),
        commands_(draw_, world_) {
    world_.bank = [this](const CollectCharge& effect, const Charge& charge) { return bank_.ask(effect, charge); };
    world_.refund_bank = [this](const SendRefund& effect, const Refund& refund) { return bank_.ask(effect, refund); };
  }

  void answer_parked_refunds() {
    std::vector<RecordRefundOutcome> answers;
    for (const Invoice& invoice : world_.account().invoices)
      for (const Charge& charge : invoice.charges)
        for (const Refund& refund : charge.refunds)
          if (refund.state == RefundState::parked)
            answers.push_back({invoice.id, {}, refund.id, bank_.truth(refund.id)});
    for (const RecordRefundOutcome& answer : answers) world_.run(answer);
  }

  void live(int steps, Totals& totals) {
    world_.run(commands_.any_new_customer());
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
    rules.upcoming_notice = draw_.among<Duration>({Duration(0), days(3), days(7)});
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

  Command any_command() {
    if (draw_.one_in(18))
      if (auto message = bank_.any_message()) return *message;
    if (draw_.one_in(18))
      if (const Charge* parked = any_parked())
        return RecordChargeOutcome{parked_invoice_, parked->id, bank_.truth(parked->id)};
    return commands_.any();
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
    answer_parked_refunds();
    for (const Invoice& invoice : world_.account().invoices) {
      EXPECT_EQ(invoice.unresolved_charge(), nullptr) << "no outcome stays unknown";
      EXPECT_FALSE(invoice.has_unresolved_refund()) << "no outcome stays unknown";
    }
    for (const Subscription& subscription : world_.account().subscriptions)
      if (subscription.status != SubscriptionStatus::incomplete && subscription.status != SubscriptionStatus::paused &&
          !subscription.grace_until)
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
      for (const CreditNote& note : invoice.credit_notes) balance -= note.credited;
    }
    EXPECT_EQ(bank_.captures(), paid) << "money was taken for no invoice";
    for (const auto& [id, record] : world_.records())
      if (const auto* change = std::get_if<BalanceTransaction>(&record))
        if (change->reason == BalanceReason::adjustment) balance += change->amount.minor;
    if (!world_.account().customer.deleted)
      EXPECT_EQ(world_.account().customer.balance, balance)
          << "the balance is what invoices, credit notes and people left of it";
  }

  Draw draw_;
  Scenario world_;
  Bank bank_;
  AnyCommand<Scenario> commands_;
  InvoiceId parked_invoice_;
};

TEST(Lives, OfAnyKindLoseNothingAndChargeNothingTwice) {
  const std::uint64_t first = test::seed(), lives = test::times(40, 5'000);
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
  EXPECT_GT(totals.commands, totals.refused + lives * 20) << "too few commands are to the point";
  EXPECT_GT(totals.renewals, lives) << "too little time passes";
}

}  // namespace
}  // namespace billd::life_test
