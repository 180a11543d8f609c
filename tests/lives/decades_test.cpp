// A thousand customers through ten years each, in memory: random commands at random times, a bank that loses messages,
// stops of the daemon. Every rule of `billd verify` is checked on what would be in Redis, by its own code.
//
// BILLD_SEED=n BILLD_LIVES=1 repeats one life; BILLD_LONG=1 lives ten times as many.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include "tests/engine/any_command.hpp"
#include "tests/engine/bank.hpp"
#include "tests/engine/effort.hpp"
#include "tests/lives/stored_account.hpp"

namespace billd {
namespace {

using std::chrono::days;
using std::chrono::hours;
using test::AnyCommand;
using test::at;
using test::Bank;
using test::Draw;

constexpr std::string_view command_names[] = {"create customer",
                                              "update customer",
                                              "delete customer",
                                              "add source",
                                              "add sources",
                                              "update source",
                                              "remove source",
                                              "subscribe",
                                              "cancel subscription",
                                              "resume subscription",
                                              "pay invoice",
                                              "close invoice",
                                              "reopen invoice",
                                              "record charge outcome",
                                              "create invoice item",
                                              "update invoice item",
                                              "delete invoice item",
                                              "create invoice",
                                              "update invoice",
                                              "finalize invoice",
                                              "send invoice",
                                              "void invoice",
                                              "mark invoice uncollectible",
                                              "delete invoice",
                                              "update subscription",
                                              "refund charge",
                                              "update refund",
                                              "record refund outcome",
                                              "renew subscription",
                                              "lapse subscription",
                                              "record dispute",
                                              "verify source",
                                              "update charge",
                                              "create credit note",
                                              "update credit note",
                                              "void credit note",
                                              "adjust balance",
                                              "create schedule",
                                              "update schedule",
                                              "cancel schedule",
                                              "release schedule",
                                              "record usage",
                                              "charge customer",
                                              "record foreign refund",
                                              "hold draft",
                                              "update balance transaction",
                                              "unpause subscription",
                                              "add tax identifier",
                                              "remove tax identifier"};
static_assert(std::size(command_names) == std::variant_size_v<billd::AnyCommand>);

/// What was lived through, in all lives together.
struct Coverage {
  struct OfCommand {
    std::uint64_t done = 0, without_effect = 0, refused = 0;
  };
  std::map<std::string_view, OfCommand> commands;
  std::map<std::string, std::uint64_t> refusals;  ///< by code and parameter
  std::map<std::string_view, std::uint64_t> events;
  std::map<std::string_view, std::uint64_t> violations;
  std::uint64_t customers = 0, ticks = 0, commits = 0, checks = 0, invoices = 0, renewals = 0, charges = 0, refunds = 0,
                alarms = 0, bytes = 0;

  void add(const Coverage& more) {
    for (const auto& [name, count] : more.commands) {
      OfCommand& all = commands[name];
      all.done += count.done;
      all.without_effect += count.without_effect;
      all.refused += count.refused;
    }
    for (const auto& [text, count] : more.refusals) refusals[text] += count;
    for (const auto& [name, count] : more.events) events[name] += count;
    for (const auto& [name, count] : more.violations) violations[name] += count;
    for (auto member :
         {&Coverage::customers, &Coverage::ticks, &Coverage::commits, &Coverage::checks, &Coverage::invoices,
          &Coverage::renewals, &Coverage::charges, &Coverage::refunds, &Coverage::alarms, &Coverage::bytes})
      this->*member += more.*member;
  }
};

std::string_view name_of(Errc code) { return message(code); }

/// A customer in memory: what the executor, the store and the gateway are otherwise.
class Decade {
 public:
  Decade(std::uint64_t seed, Coverage& coverage)
      : now(at("2024-01-31 12:34:56") + Duration(static_cast<std::int64_t>(seed % 1000) * 86'399'123'456)),
        coverage_(coverage),
        draw_(seed),
        stored_(AccountKey::from_bits(seed, 9)),
        bank_(draw_, now),
        commands_(draw_, *this),
        until_(now + days(3652)) {
    account_.key = AccountKey::from_bits(seed, 9);
    commands_.recurrences = {{Interval::month, 1}, {Interval::month, 1}, {Interval::month, 2}, {Interval::month, 3},
                             {Interval::month, 6}, {Interval::year, 1},  {Interval::year, 2},  {Interval::week, 5},
                             {Interval::day, 45},  {Interval::month, 0}};
    commands_.subscriptions_max = 2;
    commands_.draws_metered = true;
    bank_.loses_one_in = 20;
    rules_.final_action = draw_.among({FinalAction::cancel, FinalAction::unpaid, FinalAction::past_due});
    rules_.invoice_finalize_delay = draw_.among<Duration>({Duration(0), hours(1), hours(1), days(2)});
    rules_.proration_unit = draw_.among({ProrationUnit::second, ProrationUnit::second, ProrationUnit::day});
    rules_.upcoming_notice = draw_.among<Duration>({Duration(0), days(3), days(7)});
  }

  void live() {
    command(commands_.any_new_customer());
    Timestamp checked_at = now;
    while (now < until_ && !testing::Test::HasFailure()) {
      if (account_.customer.deleted) now = until_;
      command(any_command());
      if (draw_.one_in(12))
        now += days(draw_.below(100));  // the daemon stood still
      else
        pass_to(now + hours(draw_.below(60 * 24)));
      work();
      if (now - checked_at < days(730)) continue;
      checked_at = now;
      check();
    }
    if (!testing::Test::HasFailure()) come_to_rest();
    if (!testing::Test::HasFailure()) check();
    if (!testing::Test::HasFailure()) check_the_bank();
  }

  // What commands are drawn from.
  Timestamp now;
  const Account& account() const { return account_; }
  const std::vector<InvoiceId>& invoice_ids() const { return invoice_ids_; }
  const Invoice* find_invoice(const InvoiceId& id) const {
    if (const Invoice* invoice = account_.find(id)) return invoice;
    const auto record = settled_.find(id.value());
    return record == settled_.end() ? nullptr : &record->second;
  }
  std::optional<Invoice> settled(const InvoiceId& id) const {
    const auto record = settled_.find(id.value());
    return record == settled_.end() ? std::nullopt : std::optional(record->second);
  }

 private:
  Command any_command() {
    if (draw_.one_in(12))
      if (auto message = bank_.any_message()) {
        message->recalled = settled(message->invoice);
        return *message;
      }
    if (draw_.one_in(60) && !transactions_.empty())
      return UpdateBalanceTransaction{draw_.of(transactions_), "A word on it", {}};
    return commands_.any();
  }

  void command(const Command& command) {
    Coverage::OfCommand& of_command = coverage_.commands[command_names[command.index()]];
    auto decided = decide(account_, command, now, rules_);
    if (!decided) {
      ++of_command.refused;
      const Failure& failure = decided.error();
      EXPECT_FALSE(failure.detail.empty());
      EXPECT_NE(failure.code, Errc::internal) << failure.detail;
      std::string refusal(name_of(failure.code));
      if (!failure.parameter.empty()) refusal += " (" + failure.parameter + ")";
      ++coverage_.refusals[refusal];
      return;
    }
    ++(decided->changed ? of_command.done : of_command.without_effect);
    const std::vector<Effect> effects = decided->effects;
    commit(*std::move(decided), fetched_by(command));
    if (!draw_.one_in(6)) perform(effects);  // or the daemon dies here
  }

  /// The invoice that the command brings along from outside of the account; nullptr: none.
  static const Invoice* fetched_by(const Command& command) {
    return std::visit(
        [](const auto& each) -> const Invoice* {
          if constexpr (requires { each.invoice, each.recalled; })
            return each.recalled ? &*each.recalled : nullptr;
          else
            return nullptr;
        },
        static_cast<const billd::AnyCommand&>(command));
  }

  void commit(Transition transition, const Invoice* fetched = nullptr) {
    if (!transition.changed) {
      EXPECT_EQ(transition.account, account_);
      return;
    }
    ++coverage_.commits;
    if (!transition.alarm.empty()) ++coverage_.alarms;
    EXPECT_EQ(transition.account.events, account_.events + transition.events.size()) << "events are numbered in a row";
    for (const Event& event : transition.events) ++coverage_.events[to_text(event.type)];
    stored_.commit(transition, fetched);
    for (const InvoiceId& recalled : transition.recalled) settled_.erase(recalled.value());
    for (Record& record : transition.settled) {
      if (auto* invoice = std::get_if<Invoice>(&record)) {
        note(*invoice);
        settled_.insert_or_assign(invoice->id.value(), std::move(*invoice));
      } else if (auto* change = std::get_if<BalanceTransaction>(&record)) {
        const auto known = std::ranges::find(transactions_, change->id, &BalanceTransaction::id);
        if (known == transactions_.end())
          transactions_.push_back(std::move(*change));
        else
          *known = std::move(*change);
      }
    }
    account_ = std::move(transition.account);
    ++account_.version;
    for (const Invoice& invoice : account_.invoices) note(invoice);
  }

  void note(const Invoice& invoice) {
    if (known_.insert(invoice.id.value()).second) invoice_ids_.push_back(invoice.id);
  }

  void pass_to(Timestamp time) {
    for (;;) {
      const auto due = next_due(timers(account_));
      if (!due || *due > time || testing::Test::HasFailure()) break;
      now = std::max(now, *due);
      work();
    }
    now = time;
  }

  void work() {
    for (int rounds = 0; rounds < 10'000; ++rounds) {
      const auto due = next_due(timers(account_));
      if (!due || *due > now) return;
      ++coverage_.ticks;
      auto ticked = tick(account_, now, rules_);
      if (!ticked) {
        ADD_FAILURE() << "tick failed: " << ticked.error().detail;
        return;
      }
      if (!ticked->changed) {
        ADD_FAILURE() << "due since " << to_text(*due) << ", and not done";
        return;
      }
      const std::vector<Effect> effects = ticked->effects;
      commit(*std::move(ticked));
      perform(effects);
    }
    ADD_FAILURE() << "there is no end of work";
  }

  void perform(const std::vector<Effect>& effects) {
    for (const Effect& effect : effects) std::visit([this](const auto& each) { perform(each); }, effect);
  }
  void perform(const CollectCharge& effect) {
    const Invoice* invoice = account_.find(effect.invoice);
    const Charge* charge = invoice == nullptr ? nullptr : invoice->unresolved_charge();
    ASSERT_TRUE(charge != nullptr && charge->id == effect.charge) << "a charge is sent that is not journaled";
    if (const auto outcome = bank_.ask(effect, *charge))
      command(RecordChargeOutcome{effect.invoice, effect.charge, *outcome});
  }
  void perform(const SendRefund& effect) {
    const Refund* refund = find_refund(effect.invoice, effect.refund);
    ASSERT_NE(refund, nullptr) << "a refund is sent that is not journaled";
    if (const auto outcome = bank_.ask(effect, *refund))
      command(RecordRefundOutcome{effect.invoice, {}, effect.refund, *outcome});
  }
  const Refund* find_refund(const InvoiceId& id, const RefundId& refund) const {
    const Invoice* invoice = account_.find(id);
    if (invoice == nullptr) return nullptr;
    for (const Charge& charge : invoice->charges)
      for (const Refund& each : charge.refunds)
        if (each.id == refund) return &each;
    return nullptr;
  }

  /// Faults end, operators answer what is parked, and nothing may be left undone.
  void come_to_rest() {
    bank_.reliable = true;
    for (int rounds = 0; rounds < 5; ++rounds) {
      pass_to(now + days(2));
      std::vector<Command> answers;
      for (const Invoice& invoice : account_.invoices) {
        if (const Charge* charge = invoice.unresolved_charge(); charge != nullptr)
          if (charge->state == ChargeState::parked)
            answers.emplace_back(RecordChargeOutcome{invoice.id, charge->id, bank_.truth(charge->id)});
        for (const Charge& charge : invoice.charges)
          for (const Refund& refund : charge.refunds)
            if (refund.state == RefundState::parked)
              answers.emplace_back(RecordRefundOutcome{invoice.id, {}, refund.id, bank_.truth(refund.id)});
      }
      for (const Command& answer : answers) command(answer);
      work();
    }
    for (const Invoice& invoice : account_.invoices) {
      EXPECT_EQ(invoice.unresolved_charge(), nullptr) << invoice.id.value();
      EXPECT_FALSE(invoice.has_unresolved_refund()) << invoice.id.value();
    }
  }

  /// The rules of `billd verify`.
  void check() {
    ++coverage_.checks;
    std::map<std::string, gateways::LedgerEntry> ledger;
    for (const auto& [charge, entry] : bank_.ledger()) {
      gateways::LedgerEntry& booked = ledger[charge];
      booked.idempotency_key = charge;
      booked.amount = entry.amount;
      booked.invoice = entry.invoice.value();
      booked.decline_code = entry.decline_code;
    }
    for (const commands::Violation& violation : commands::check_account(stored_.view(account_, std::move(ledger)))) {
      ++coverage_.violations[commands::to_text(violation.rule)];
      ADD_FAILURE() << commands::describe(violation.rule) << " " << violation.key << ": " << violation.found
                    << "; expected: " << violation.expected;
    }
  }

  /// Money came for what is paid, went back for what is refunded, and nothing else moved.
  void check_the_bank() {
    int paid = 0;
    std::int64_t captured = 0, given_back = 0;
    auto see = [&](const Invoice& invoice) {
      ++coverage_.invoices;
      coverage_.charges += invoice.charges.size();
      if (invoice.reason == BillingReason::subscription_cycle) ++coverage_.renewals;
      const bool is_charged =
          invoice.status == InvoiceStatus::paid && invoice.amount_due().minor != 0 && !invoice.paid_out_of_band;
      EXPECT_EQ(bank_.captures(invoice.id), is_charged ? 1 : 0) << invoice.id.value();
      if (is_charged) ++paid;
      if (is_charged) captured += invoice.amount_due().minor;
      for (const Charge& charge : invoice.charges)
        for (const Refund& refund : charge.refunds) {
          ++coverage_.refunds;
          const bool is_foreign = refund.gateway_reference.starts_with("foreign_");
          if (refund.state == RefundState::succeeded && !is_foreign) given_back += refund.amount.minor;
        }
    };
    for (const Invoice& invoice : account_.invoices) see(invoice);
    for (const auto& [id, invoice] : settled_) see(invoice);
    EXPECT_EQ(bank_.captures(), paid) << "money was taken for no invoice";
    EXPECT_EQ(bank_.captured(), captured);
    EXPECT_EQ(bank_.given_back(), given_back);
    coverage_.bytes += stored_.size(account_);
    ++coverage_.customers;
  }

  Coverage& coverage_;
  Draw draw_;
  test::StoredAccount stored_;
  Bank bank_;
  AnyCommand<Decade> commands_;
  Rules rules_;
  const Timestamp until_;
  Account account_;
  std::map<std::string, Invoice> settled_;
  std::vector<BalanceTransaction> transactions_;
  std::set<std::string> known_;
  std::vector<InvoiceId> invoice_ids_;
};

void print(const Coverage& coverage, std::chrono::duration<double> took) {
  auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf(
      "%llu customers through ten years each in %.1f s: %llu commits, %llu ticks, %llu invoices (%llu "
      "renewals), %llu charges, %llu refunds, %llu alarms, %llu times every rule; %.1f KiB a customer\n",
      number(coverage.customers), took.count(), number(coverage.commits), number(coverage.ticks),
      number(coverage.invoices), number(coverage.renewals), number(coverage.charges), number(coverage.refunds),
      number(coverage.alarms), number(coverage.checks),
      static_cast<double>(coverage.bytes) / 1024 / static_cast<double>(std::max<std::uint64_t>(coverage.customers, 1)));
  std::printf("%-30s %9s %9s %9s\n", "command", "done", "no change", "refused");
  for (const auto& [name, count] : coverage.commands)
    std::printf("%-30s %9llu %9llu %9llu\n", std::string(name).c_str(), number(count.done),
                number(count.without_effect), number(count.refused));
  std::printf("refusals\n");
  for (const auto& [text, count] : coverage.refusals) std::printf("%9llu  %s\n", number(count), text.c_str());
  std::printf("notices\n");
  for (const auto& [name, count] : coverage.events)
    std::printf("%9llu  %s\n", number(count), std::string(name).c_str());
}

/// On all processors. Each customer lives alone, so that a seed always tells the same life.
Coverage live_all(std::uint64_t first, std::uint64_t lives) {
  std::atomic<std::uint64_t> next = first;
  std::vector<Coverage> parts(std::max(1U, std::thread::hardware_concurrency()));
  auto live_some = [&](Coverage& part) {
    for (std::uint64_t seed = next++; seed < first + lives && !testing::Test::HasFailure(); seed = next++) {
      SCOPED_TRACE("BILLD_SEED=" + std::to_string(seed) + " BILLD_LIVES=1");
      Decade(seed, part).live();
    }
  };
  {
    std::vector<std::jthread> threads;
    threads.reserve(parts.size());
    for (Coverage& part : parts) threads.emplace_back(live_some, std::ref(part));
  }
  Coverage whole;
  for (const Coverage& part : parts) whole.add(part);
  return whole;
}

TEST(AThousandCustomers, LiveTenYearsByTheRulesOfVerify) {
  constexpr std::uint64_t enough = 1'000;
  const std::uint64_t lives = test::given("BILLD_LIVES", test::times(enough, 10'000));
  const auto begun = std::chrono::steady_clock::now();
  Coverage coverage = live_all(test::seed(), lives);
  if (HasFailure()) return;
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  print(coverage, took);
  if (lives < enough) return;
  for (const std::string_view name : command_names)
    EXPECT_GT(coverage.commands[name].done, 0U) << name << " was never done";
  for (std::uint8_t type = 0; type <= static_cast<std::uint8_t>(EventType::tax_identifier_deleted); ++type)
    EXPECT_GT(coverage.events[to_text(static_cast<EventType>(type))], 0U)
        << to_text(static_cast<EventType>(type)) << " was never told";
  EXPECT_GT(coverage.renewals, lives * 20) << "too little is renewed";
}

}  // namespace
}  // namespace billd
