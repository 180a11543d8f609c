// Amounts at the edge of 64 bits: refused as a whole, with nothing changed, and never wrapped.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <limits>

#include "tests/engine/any_command.hpp"
#include "tests/engine/scenario.hpp"

namespace billd::edges_test {
namespace {

using std::chrono::days;
using std::chrono::hours;
using test::at;
using test::Draw;
using test::price;
using test::Scenario;

constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
const Timestamp start = at("2026-01-15 10:00:00");
const Currency usd = Currency::of("usd");

Scenario customer(std::int64_t balance = 0) {
  Scenario world(start);
  world.customer_with_card();
  UpdateCustomer owes;
  owes.balance = balance;
  world.run(owes);
  return world;
}

/// The command is refused, and leaves everything as it was.
void expect_refused(Scenario& world, const Command& command, const char* why) {
  const Account before = world.account();
  const Failure failure = world.refused(command);
  EXPECT_EQ(failure.code, Errc::amount_out_of_range) << why << ": " << failure.detail;
  EXPECT_EQ(world.account(), before) << why;
}

TEST(ASubscription, ThatCannotBeBilledIn64BitsIsRefused) {
  struct {
    const char* why;
    std::vector<std::int64_t> prices;
    std::int64_t quantity;
    std::vector<AppliedTaxRate> taxes;
    std::int64_t balance;
    bool is_fine;
  } const cases[] = {
      {"the largest amount of all", {most}, 1, {}, 0, true},
      {"one more", {most, 1}, 1, {}, 0, false},
      {"two halves", {most / 2, most / 2}, 1, {}, 0, true},
      {"two halves and a little", {most / 2 + 1, most / 2 + 1}, 1, {}, 0, false},
      {"a product that fits", {most / 7}, 7, {}, 0, true},
      {"a product that does not", {most / 7 + 1}, 7, {}, 0, false},
      {"a product that would come around", {std::int64_t{1} << 62}, 8, {}, 0, false},
      {"taxes that fit", {most / 2}, 1, {test::tax_of("100")}, 0, true},
      {"taxes on top", {most / 2 + 1}, 1, {test::tax_of("100")}, 0, false},
      {"several taxes on top", {most / 2 - 1}, 1, {test::tax_of("100"), test::tax_of("98")}, 0, false},
      {"a balance that fits", {most - 500}, 1, {}, 500, true},
      {"a balance on top", {most - 500}, 1, {}, 501, false},
  };
  for (const auto& given : cases) {
    Scenario world = customer(given.balance);
    Subscribe command;
    for (const std::int64_t minor : given.prices) command.items.push_back({price(minor), given.quantity, {}});
    command.tax_rates = given.taxes;
    if (!given.is_fine) {
      expect_refused(world, command, given.why);
      continue;
    }
    world.subscribed_to(command);
    EXPECT_EQ(world.latest_invoice().status, InvoiceStatus::paid) << given.why;
    EXPECT_GT(world.latest_invoice().amount_paid.minor, most / 2) << given.why;
    world.pass_to(start + days(40));
    EXPECT_EQ(world.invoices().size(), 2U) << given.why;
  }
}

TEST(AnUpdate, ThatMakesMoreThan64BitsIsRefused) {
  Scenario world = customer();
  const SubscriptionId id = world.subscribed_to(price(most));
  world.pass_to(start + days(10));
  UpdateSubscription command;
  command.subscription = id;
  ItemChange& change = command.items.emplace_back();
  change.item = world.subscription(id).items.front().id;
  change.quantity = 2;
  expect_refused(world, command, "twice the most");
  change.quantity = 1;
  command.proration = ProrationBehavior::always_invoice;
  for (const std::int64_t minor : {most - 1, most / 8}) {
    change.price = price(minor);
    expect_refused(world, command, "a credit beyond what a balance may be");
  }
}

TEST(APendingItem, WaitsWhereItsInvoiceHasNoRoomIn64Bits) {
  Scenario world = customer();
  const SubscriptionId id = world.subscribed_to(price(most - 5000));
  const InvoiceItemId fits = world.item_of(3000), too_much = world.item_of(2001), small = world.item_of(-2000);
  world.pass_to(start + days(31) + hours(2));
  const Invoice renewal = world.latest_invoice();
  EXPECT_EQ(renewal.subscription, id);
  ASSERT_EQ(renewal.lines.size(), 3U);
  EXPECT_EQ(renewal.lines[1].invoice_item, fits);
  EXPECT_EQ(renewal.lines[2].invoice_item, small);
  ASSERT_EQ(world.account().invoice_items.size(), 1U);
  EXPECT_EQ(world.account().invoice_items.front().id, too_much);
}

TEST(ACreditNote, OfNearly64BitsDoesNotTurnTheBalanceAround) {
  Scenario world = customer();
  AdjustBalance credit;
  credit.amount = {-balance_limit, usd};
  world.run(credit);
  Subscribe command = test::subscribe_to(price(most));
  command.collection = Collection::send_invoice;
  command.days_until_due = 30;
  world.subscribed_to(command);
  world.pass_to(start + hours(2));
  const InvoiceId id = world.latest_invoice().id;
  world.run(PayInvoice{id, {}, SourceId(), true});
  credit.amount = {-balance_limit, usd};
  world.run(credit);
  CreateCreditNote note;
  note.invoice = id;
  note.recalled = world.settled(id);
  note.amount = note.credit_amount = most;
  const Account before = world.account();
  EXPECT_EQ(world.refused(note).code, Errc::amount_out_of_range);
  EXPECT_EQ(world.account(), before);
}

/// Both sides once more, in 128 bits.
void check_sums(const Scenario& world) {
  for (const InvoiceId& id : world.invoice_ids()) {
    const Invoice* invoice = world.find_invoice(id);
    if (invoice == nullptr) continue;
    __int128 subtotal = 0, discount = 0, tax = 0;
    for (const InvoiceLine& line : invoice->lines) {
      __int128 net = __int128{line.amount.minor} - line.discount;
      for (const TaxAmount& each : line.taxes) {
        if (each.rate.inclusive) continue;
        net += each.amount;
        tax += each.amount;
      }
      RC_ASSERT(net == line.net());
      subtotal += line.amount.minor;
      discount += line.discount;
    }
    RC_ASSERT(subtotal == invoice->subtotal());
    RC_ASSERT(discount == invoice->discount_total());
    RC_ASSERT(tax == invoice->tax_total());
    RC_ASSERT(subtotal - discount + tax == invoice->total.minor);
    if (!invoice->finalized_at) continue;
    const __int128 due = __int128{invoice->total.minor} + invoice->starting_balance - invoice->ending_balance;
    RC_ASSERT(due == invoice->amount_due().minor);
    RC_ASSERT(due >= 0);
  }
}

/// Commands whose amounts are at the edges.
struct AtTheEdge {
  Draw draw;
  Scenario world = customer();

  Price any_price() {
    return price(
        draw.among<std::int64_t>({0, 1, 999, 999'999'999'999, most / 1000, most / 3, most / 2, most - 1, most}));
  }
  std::int64_t any_quantity() { return draw.among<std::int64_t>({0, 1, 1, 2, 3, 1000, std::int64_t{1} << 33, most}); }
  std::vector<AppliedTaxRate> any_taxes() {
    if (draw.one_in(2)) return {};
    return {test::tax_of(draw.among({"7", "50", "100"}), draw.one_in(2))};
  }

  Command any() {
    const auto& subscriptions = world.account().subscriptions;
    switch (draw.below(subscriptions.empty() ? 4 : 8)) {
      case 0:
      case 1: {
        Subscribe command;
        for (std::size_t items = 1 + draw.below(3); items > 0; --items)
          command.items.push_back({any_price(), any_quantity(), {}});
        command.tax_rates = any_taxes();
        if (draw.one_in(3)) command.discount = test::percent_off(draw.among({"10", "100"}));
        if (draw.one_in(4)) command.discount = test::amount_off(draw.among({std::int64_t{5}, most}));
        return command;
      }
      case 2: {
        CreateInvoiceItem command;
        command.unit_amount = {draw.among<std::int64_t>({-999'999'999'999, -1, 1, 999'999'999'999, most, -most}), usd};
        command.quantity = any_quantity();
        return command;
      }
      case 3:
        return AdjustBalance{
            {draw.among<std::int64_t>({-balance_limit, balance_limit, -1, 1, most, -most, -most - 1}), usd}, "", {}};
      default: {
        UpdateSubscription command;
        const Subscription& subscription = draw.of(subscriptions);
        command.subscription = subscription.id;
        ItemChange& change = command.items.emplace_back();
        if (!draw.one_in(3)) change.item = draw.of(subscription.items).id;
        if (change.item.is_empty() || draw.one_in(2)) change.price = any_price();
        change.quantity = any_quantity();
        command.proration = draw.among({ProrationBehavior::create_prorations, ProrationBehavior::always_invoice});
        if (draw.one_in(5)) command.anchor_now = true;
        return command;
      }
    }
  }
};

RC_GTEST_PROP(Amounts, AtTheEdgesOf64BitsAreNeverWrapped, ()) {
  AtTheEdge life{Draw(*rc::gen::container<std::vector<std::uint16_t>>(200, rc::gen::arbitrary<std::uint16_t>()))};
  int done = 0;
  while (!life.draw.is_over() && !testing::Test::HasFailure()) {
    const Command command = life.any();
    if (const auto made = life.world.attempt(command)) {
      ++done;
      life.world.perform(made->effects);
    }
    // What cannot be billed when its time comes is an operator's business: the account is parked with the reason.
    const Timestamp until = life.world.now + hours(life.draw.below(900));
    for (;;) {
      const auto due = next_due(timers(life.world.account()));
      if (!due || *due > until) break;
      life.world.now = std::max(life.world.now, *due);
      const auto ticked = tick(life.world.account(), life.world.now, life.world.rules);
      if (!ticked) {
        RC_ASSERT(ticked.error().code == Errc::amount_out_of_range);
        RC_TAG(std::string("parked"));
        return;
      }
      life.world.perform(life.world.tick().effects);
    }
    life.world.now = until;
    check_sums(life.world);
  }
  RC_TAG(std::string(done > 0 ? "lived" : "everything refused"));
  RC_ASSERT(!testing::Test::HasFailure());
}

}  // namespace
}  // namespace billd::edges_test
