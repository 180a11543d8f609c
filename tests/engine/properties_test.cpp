// What holds of every account, whatever was asked of it: money is conserved, what is previewed is what is billed, what
// is said twice counts once, and order does not matter where it must not. Lives are drawn from a script of numbers, so
// that a failing one shrinks to the few steps that matter.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>

#include "tests/engine/any_command.hpp"
#include "tests/engine/bank.hpp"
#include "tests/engine/scenario.hpp"

namespace billd::properties_test {
namespace {

using std::chrono::days;
using std::chrono::hours;
using test::at;
using test::Bank;
using test::Draw;
using test::price;
using test::Scenario;

using Script = std::vector<std::uint16_t>;

Script any_script(std::size_t size_max = 700) {
  const auto size = *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<std::size_t>(0, size_max));
  return *rc::gen::resize(rc::kNominalSize, rc::gen::container<Script>(size, rc::gen::arbitrary<std::uint16_t>()));
}

/// A customer who lives by a script.
struct Life {
  explicit Life(Script script)
      : draw(std::move(script)), world(at("2026-01-31 10:00:00")), bank(draw, world.now), commands(draw, world) {
    world.bank = [this](const CollectCharge& effect, const Charge& charge) { return bank.ask(effect, charge); };
    world.refund_bank = [this](const SendRefund& effect, const Refund& refund) { return bank.ask(effect, refund); };
    world.run(commands.any_new_customer());
  }
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  void live() {
    while (!draw.is_over() && !testing::Test::HasFailure()) {
      const auto done = world.attempt(commands.any());
      if (done && !draw.one_in(4)) world.perform(done->effects);
      if (draw.one_in(2)) world.now += hours(draw.below(1000));
      if (draw.one_in(2)) world.work();
    }
  }

  /// No outcome stays unknown.
  void come_to_rest() {
    bank.reliable = true;
    for (int rounds = 0; rounds < 4; ++rounds) {
      world.pass_to(world.now + days(2));
      std::vector<Command> answers;
      for (const Invoice& invoice : world.account().invoices) {
        const Charge* charge = invoice.unresolved_charge();
        if (charge != nullptr && charge->state == ChargeState::parked)
          answers.emplace_back(RecordChargeOutcome{invoice.id, charge->id, bank.truth(charge->id)});
        for (const Charge& each : invoice.charges)
          for (const Refund& refund : each.refunds)
            if (refund.state == RefundState::parked)
              answers.emplace_back(RecordRefundOutcome{invoice.id, {}, refund.id, bank.truth(refund.id)});
      }
      for (const Command& answer : answers) world.run(answer);
    }
  }

  Draw draw;
  Scenario world;
  Bank bank;
  test::AnyCommand<Scenario> commands;
};

// Conservation.

RC_GTEST_PROP(Money, IsConservedBetweenLinesInvoicesChargesAndTheBalance, ()) {
  Life life(any_script());
  life.live();
  life.come_to_rest();
  std::int64_t totals = 0, outside = 0, owed = 0, balance_changes = 0, notes_before = 0, credited = 0, captured = 0,
               given_back = 0;
  for (const Invoice& invoice : life.world.invoices()) {
    std::int64_t lines = 0;
    for (const InvoiceLine& line : invoice.lines) lines += line.net();
    RC_ASSERT(lines == invoice.total.minor);
    RC_ASSERT(invoice.subtotal() - invoice.discount_total() + invoice.tax_total() == lines);
    if (!invoice.finalized_at || invoice.status == InvoiceStatus::void_) continue;
    totals += invoice.total.minor;
    const std::int64_t due = invoice.amount_due().minor;
    if (invoice.status != InvoiceStatus::paid)
      owed += due;
    else if (invoice.paid_out_of_band)
      outside += due;
    balance_changes += invoice.ending_balance - invoice.starting_balance;
    notes_before += invoice.credited(false);
    std::int64_t by_notes = 0, refunded = 0;
    for (const CreditNote& note : invoice.credit_notes) {
      credited += note.credited;
      by_notes += note.refunded;
    }
    for (const Charge& charge : invoice.charges) {
      if (charge.state == ChargeState::succeeded) captured += charge.amount.minor;
      for (const Refund& refund : charge.refunds) {
        if (!refund.credit_note.is_empty()) refunded += refund.amount.minor;
        const bool is_foreign = refund.gateway_reference.starts_with("foreign_");
        if (refund.state == RefundState::succeeded && !is_foreign) given_back += refund.amount.minor;
      }
    }
    RC_ASSERT(by_notes == refunded);
  }
  RC_ASSERT(totals == captured + outside + owed + balance_changes + notes_before);
  RC_ASSERT(life.bank.captured() == captured);
  RC_ASSERT(life.bank.given_back() == given_back);
  std::int64_t adjusted = 0, recorded = 0;
  for (const auto& [id, record] : life.world.records()) {
    const auto* change = std::get_if<BalanceTransaction>(&record);
    if (change == nullptr) continue;
    recorded += change->amount.minor;
    if (change->reason == BalanceReason::adjustment) adjusted += change->amount.minor;
  }
  RC_ASSERT(recorded == adjusted + balance_changes - credited);
  if (!life.world.account().customer.deleted) RC_ASSERT(life.world.account().customer.balance == recorded);
  RC_TAG(life.world.invoices().size() / 5 * 5);
  RC_ASSERT(!testing::Test::HasFailure());
}

// A preview is the bill.

std::optional<Invoice> new_invoice(const Scenario& world, const std::vector<InvoiceId>& known) {
  for (const InvoiceId& id : world.invoice_ids()) {
    // A draft among the known ones may have been deleted meanwhile.
    if (std::ranges::find(known, id) != known.end()) continue;
    if (world.invoice(id).is_of_cycle()) return world.invoice(id);
  }
  return std::nullopt;
}

/// Time passes to what comes next, and whoever has a part in it does it: sent invoices are paid, and the word comes
/// that renews what waits for it. False: nothing comes.
bool pass_to_next(Scenario& world, Timestamp until) {
  auto by_hand = [&] {
    std::vector<Command> commands;
    for (const Invoice& invoice : world.account().invoices)
      if (invoice.status == InvoiceStatus::open && invoice.collection == Collection::send_invoice &&
          invoice.unresolved_charge() == nullptr)
        commands.emplace_back(PayInvoice{invoice.id, {}, {}, true});
    for (const Subscription& subscription : world.account().subscriptions)
      if (subscription.grace_until) commands.emplace_back(RenewSubscription{subscription.id, false, {}});
    bool did = false;
    for (const Command& command : commands) did = world.run(command).changed || did;
    return did;
  };
  if (by_hand()) return true;
  const auto due = next_due(timers(world.account()));
  if (!due || *due > until) return false;
  world.now = std::max(world.now, *due);
  world.perform(world.tick().effects);
  return true;
}

/// A preview takes for granted that there will be a way to pay.
void have_a_source(Scenario& world) {
  if (!world.account().customer.deleted && world.account().sources.empty()) world.run(AddSource{test::card(), true});
}

/// The next invoice of the subscription (empty: of any that there is), or of what it leaves behind, is what was shown;
/// nothing shown, nothing billed.
void expect_next_invoice(Scenario world, const SubscriptionId& id, const Result<Invoice>& shown) {
  std::size_t seen = world.invoice_ids().size();
  const auto is_its = [&](const Invoice& invoice) {
    if (invoice.is_of_cycle())
      return id.is_empty() ? invoice.reason != BillingReason::subscription_create : invoice.subscription == id;
    return id.is_empty() ||
           std::ranges::any_of(invoice.lines, [&](const InvoiceLine& line) { return line.subscription == id; });
  };
  const Timestamp until = world.now + days(shown ? 1200 : 70);
  while (pass_to_next(world, until) && !testing::Test::HasFailure()) {
    for (; seen < world.invoice_ids().size(); ++seen) {
      const Invoice* made = world.find_invoice(world.invoice_ids()[seen]);
      if (made == nullptr || !is_its(*made)) continue;
      RC_ASSERT(shown.has_value());
      RC_ASSERT(test::what_is_billed(*shown) == test::what_is_billed(*made));
      if (made->finalized_at && made->reason == BillingReason::subscription_update)
        RC_ASSERT(shown->amount_due() == made->amount_due());
      return;
    }
  }
  RC_ASSERT(!shown.has_value());
}

RC_GTEST_PROP(APreview, IsWhatIsBilledWhenItIsDoneToTheCent, ()) {
  Life life(any_script());
  life.bank.reliable = true;
  life.bank.declines_one_in = 1'000'000;
  life.commands.draws_metered = true;
  life.live();
  life.world.work();
  life.world.pass_to(life.world.now + days(1));
  Scenario& world = life.world;
  world.bank_says(test::succeeded());
  have_a_source(world);
  Draw draw(any_script(60));
  test::AnyCommand<Scenario> commands(draw, world);
  Command command = commands.any_previewable();
  const auto known = world.invoice_ids();
  const auto shown = preview(world.account(), command, {}, world.now, world.rules);
  const auto done = world.attempt(command);
  if (!done) {
    const bool is_refused = !shown || done.error().code == Errc::no_payment_source;
    RC_ASSERT(is_refused);
    return;
  }
  world.perform(done->effects);
  const auto made = new_invoice(world, known);
  RC_TAG(std::string(made ? "at once" : "later"));
  if (!made) {
    const SubscriptionId subject(done->subject);
    return expect_next_invoice(world, world.account().find(subject) != nullptr ? subject : SubscriptionId(), shown);
  }
  RC_ASSERT(shown.has_value());
  RC_ASSERT(test::what_is_billed(*shown) == test::what_is_billed(*made));
  if (made->finalized_at) RC_ASSERT(shown->amount_due() == made->amount_due());
}

/// Of each subscription of any account, at any moment of its life, when nothing but time comes.
RC_GTEST_PROP(APreview, OfEachSubscriptionIsItsNextInvoiceToTheCent, ()) {
  Life life(any_script());
  life.bank.reliable = true;
  life.bank.declines_one_in = 1'000'000;
  life.commands.draws_metered = true;
  life.live();
  Scenario& world = life.world;
  world.bank_says(test::succeeded());
  have_a_source(world);
  world.work();
  std::size_t compared = 0;
  for (const Subscription& subscription : world.account().subscriptions) {
    if (subscription.status == SubscriptionStatus::incomplete) continue;
    const auto shown = preview(world.account(), {}, subscription.id, world.now, world.rules);
    expect_next_invoice(world, subscription.id, shown);
    ++compared;
  }
  RC_TAG(compared);
}

// Said twice, done once.

RC_GTEST_PROP(WhatAGatewaySays, CountsOnceHoweverOftenItIsSaid, ()) {
  Life life(any_script());
  life.live();
  life.come_to_rest();
  Scenario& world = life.world;
  for (const auto& [charge, entry] : life.bank.ledger()) {
    const RecordChargeOutcome again{entry.invoice, ChargeId(charge), life.bank.truth(ChargeId(charge)),
                                    world.settled(entry.invoice)};
    const auto replayed = world.attempt(again);
    RC_ASSERT(replayed.has_value());
    RC_ASSERT(!replayed->changed);
    RC_ASSERT(replayed->alarm.empty());
  }
  for (const Invoice& invoice : world.invoices())
    for (const Charge& charge : invoice.charges) {
      for (const Refund& refund : charge.refunds) {
        if (refund.gateway_reference.starts_with("foreign_")) continue;
        const auto replayed = world.attempt(
            RecordRefundOutcome{invoice.id, world.settled(invoice.id), refund.id, life.bank.truth(refund.id)});
        RC_ASSERT(replayed.has_value());
        RC_ASSERT(!replayed->changed);
      }
      if (!charge.dispute) continue;
      const auto replayed =
          world.attempt(RecordDispute{invoice.id, world.settled(invoice.id), charge.id, *charge.dispute});
      RC_ASSERT(replayed.has_value());
      RC_ASSERT(!replayed->changed);
    }
  const auto ticked = tick(world.account(), world.now, world.rules);
  RC_ASSERT(ticked.has_value());
  RC_ASSERT(!ticked->changed);
}

RC_GTEST_PROP(ADecision, IsTheSameForTheSame, ()) {
  Life life(any_script());
  life.live();
  Draw draw(any_script(60));
  test::AnyCommand<Scenario> commands(draw, life.world);
  const Command command = commands.any();
  const auto once = decide(life.world.account(), command, life.world.now, life.world.rules);
  const auto twice = decide(life.world.account(), command, life.world.now, life.world.rules);
  RC_ASSERT(once.has_value() == twice.has_value());
  if (!once) {
    RC_ASSERT(once.error().detail == twice.error().detail);
    return;
  }
  RC_ASSERT(once->account == twice->account);
  RC_ASSERT(once->events == twice->events);
  RC_ASSERT(once->snapshots == twice->snapshots);
  RC_ASSERT(once->settled == twice->settled);
  RC_ASSERT(once->effects == twice->effects);
}

// Order.

/// Several subscriptions whose charges of one renewal are in flight at the same time.
struct InFlight {
  explicit InFlight(std::size_t count) : world(at("2026-01-31 10:00:00")) {
    world.customer_with_card();
    for (std::size_t i = 0; i < count; ++i) world.subscribed_to(price(1000 + static_cast<std::int64_t>(i)));
    world.now = at("2026-03-01");
    while (world.tick().changed) continue;  // renewed
    world.now += hours(2);
    for (;;) {
      const Transition ticked = world.tick();
      if (!ticked.changed) break;
      for (const Effect& effect : ticked.effects)
        if (const auto* charge = std::get_if<CollectCharge>(&effect)) charges.push_back(*charge);
    }
  }

  /// Everything that the customer is, but for whether the latest of the charges failed: that is the latest one's.
  Account after(const std::vector<std::size_t>& order, const std::vector<ChargeOutcome>& outcomes) {
    Scenario copy = world;
    for (const std::size_t i : order)
      copy.decide(RecordChargeOutcome{charges[i].invoice, charges[i].charge, outcomes[i]});
    Account account = copy.account();
    account.customer.delinquent = false;
    account.events = account.version = 0;
    return account;
  }

  Scenario world;
  std::vector<CollectCharge> charges;
};

RC_GTEST_PROP(Outcomes, OfChargesInFlightMayComeInAnyOrder, ()) {
  const auto count = *rc::gen::inRange<std::size_t>(2, 6);
  InFlight given(count);
  RC_ASSERT(given.charges.size() == count);
  std::vector<ChargeOutcome> outcomes;
  for (std::size_t i = 0; i < count; ++i)
    outcomes.push_back(*rc::gen::element(test::succeeded(), test::declined(), test::declined("stolen_card"),
                                         ChargeOutcome{ChargeOutcomeKind::impossible, "", ""},
                                         ChargeOutcome{ChargeOutcomeKind::pending, "", "later"}));
  std::vector<std::size_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::vector<std::size_t> other = order;
  for (std::size_t i = count - 1; i > 0; --i) std::swap(other[i], other[*rc::gen::inRange<std::size_t>(0, i + 1)]);
  RC_ASSERT(given.after(order, outcomes) == given.after(other, outcomes));
}

/// What was billed of a subscription, whenever that was done.
struct Billed {
  std::int64_t ordinal;
  Period period;
  std::int64_t minor;
  bool operator==(const Billed&) const = default;
};
std::vector<Billed> billed_of(const Scenario& world, const SubscriptionId& id) {
  std::vector<Billed> all;
  for (const Invoice& invoice : world.invoices())
    if (invoice.subscription == id && invoice.bills_period())
      all.push_back({invoice.ordinal, invoice.lines.front().period, invoice.total.minor});
  return all;
}

RC_GTEST_PROP(CatchingUp, BillsEachPeriodOnItsOwnAsIfItHadBeenInTime, ()) {
  const auto interval = *rc::gen::element(Interval::day, Interval::week, Interval::month, Interval::year);
  const auto count = *rc::gen::inRange<std::int32_t>(1, interval == Interval::day ? 60 : 4);
  const int length = (interval == Interval::day     ? 1
                      : interval == Interval::week  ? 7
                      : interval == Interval::month ? 31
                                                    : 366);
  const auto stop = days(length * count * *rc::gen::inRange(0, 15) + *rc::gen::inRange(0, length * count));
  const Timestamp start = at("2023-11-30 23:59:59") + hours(*rc::gen::inRange(0, 24 * 800));
  const auto trial = *rc::gen::inRange(0, 40);
  Scenario in_time(start);
  in_time.customer_with_card();
  Subscribe command = test::subscribe_to(price(2000, {interval, count}));
  if (trial > 0) command.trial_end = start + days(trial);
  if (trial == 0 && *rc::gen::arbitrary<bool>()) command.billing_cycle_anchor = start + hours(*rc::gen::inRange(1, 24));
  const SubscriptionId id = in_time.subscribed_to(command);
  Scenario late = in_time;
  in_time.pass_to(start + stop);
  late.jump_to(start + stop);
  RC_ASSERT(billed_of(in_time, id) == billed_of(late, id));
  RC_ASSERT(in_time.subscription(id).current_period == late.subscription(id).current_period);
  RC_ASSERT(in_time.subscription(id).ordinal == late.subscription(id).ordinal);
  std::int64_t ordinal = 0;
  for (const Billed& each : billed_of(late, id)) RC_ASSERT(each.ordinal == ordinal++);
}

/// What waits to be billed, in no order.
std::vector<std::tuple<std::string, std::int64_t, Timestamp, Timestamp>> pending(const Scenario& world) {
  std::vector<std::tuple<std::string, std::int64_t, Timestamp, Timestamp>> items;
  for (const InvoiceItem& item : world.account().invoice_items)
    items.emplace_back(item.subscription.value(), item.amount.minor, item.period.start, item.period.end);
  std::ranges::sort(items);
  return items;
}

RC_GTEST_PROP(Changes, OfTwoSubscriptionsMayComeInAnyOrder, ()) {
  Scenario world(at("2026-01-31 10:00:00"));
  world.customer_with_card();
  const SubscriptionId ids[] = {world.subscribed_to(price(3100)), world.subscribed_to(price(777))};
  world.pass_to(world.now + hours(*rc::gen::inRange(1, 24 * 27)));
  std::vector<UpdateSubscription> updates;
  for (const SubscriptionId& id : ids)
    for (int changes = *rc::gen::inRange(1, 3); changes > 0; --changes) {
      UpdateSubscription& update = updates.emplace_back();
      update.subscription = id;
      ItemChange& change = update.items.emplace_back();
      change.item = world.subscription(id).items.front().id;
      if (*rc::gen::arbitrary<bool>()) change.price = price(*rc::gen::inRange<std::int64_t>(1, 100'000));
      change.quantity = *rc::gen::inRange<std::int64_t>(0, 9);
    }
  // Those of each subscription stay in their order.
  Scenario one_by_one = world, mixed = world;
  for (const UpdateSubscription& update : updates) one_by_one.run(update);
  std::vector<UpdateSubscription> first, second;
  for (const UpdateSubscription& update : updates) (update.subscription == ids[0] ? first : second).push_back(update);
  while (!first.empty() || !second.empty()) {
    auto& next = second.empty() || (!first.empty() && *rc::gen::arbitrary<bool>()) ? first : second;
    mixed.run(next.front());
    next.erase(next.begin());
  }
  RC_ASSERT(pending(one_by_one) == pending(mixed));
  one_by_one.pass_to(at("2026-03-02"));
  mixed.pass_to(at("2026-03-02"));
  for (const SubscriptionId& id : ids) RC_ASSERT(billed_of(one_by_one, id) == billed_of(mixed, id));
}

RC_GTEST_PROP(Patches, OfDifferentKeysMayComeInAnyOrder, ()) {
  const auto keys = *rc::gen::unique<std::vector<std::string>>(rc::gen::nonEmpty(rc::gen::string<std::string>()));
  RC_PRE(keys.size() <= 20);
  Scenario one(at("2026-01-31"));
  one.customer_with_card();
  Scenario other = one;
  auto patch = [](const std::string& key) {
    UpdateCustomer command;
    command.metadata = MetadataPatch({{key, "value of " + key}});
    return command;
  };
  for (const std::string& key : keys) one.run(patch(key));
  for (const std::string& key : std::vector(keys.rbegin(), keys.rend())) other.run(patch(key));
  auto sorted = [](Metadata metadata) {
    std::ranges::sort(metadata);
    return metadata;
  };
  RC_ASSERT(sorted(one.account().customer.metadata) == sorted(other.account().customer.metadata));
}

}  // namespace
}  // namespace billd::properties_test
