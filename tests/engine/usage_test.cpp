// Metered prices: what is recorded when, how it is added up, and which invoice bills it.
#include "engine/usage.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "tests/engine/scenario.hpp"

namespace billd::usage_test {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using test::amount_off;
using test::at;
using test::metered;
using test::percent_off;
using test::price;
using test::Scenario;
using test::subscribe_to;
using testing::ElementsAre;
using testing::HasSubstr;

const Timestamp start = at("2026-04-01 10:00:00");

struct Metered {
  explicit Metered(Aggregation aggregation = Aggregation::sum, std::int64_t unit = 10)
      : Metered(subscribe_to(metered(price(unit), aggregation))) {}
  explicit Metered(const Subscribe& command) : world(start) {
    world.customer_with_card();
    world.checks_previews = true;
    id = world.subscribed_to(command);
    item = world.subscription(id).items.front().id;
  }
  RecordUsage usage(std::int64_t quantity, std::optional<Timestamp> time = {},
                    UsageAction action = UsageAction::increment) const {
    return {item, quantity, time, action};
  }
  void use(std::int64_t quantity, std::optional<Timestamp> time = {}, UsageAction action = UsageAction::increment) {
    world.run(usage(quantity, time, action));
  }
  std::vector<std::int64_t> totals() const {
    std::vector<std::int64_t> result;
    for (const Invoice& invoice : world.invoices()) result.push_back(invoice.total.minor);
    return result;
  }

  Scenario world;
  SubscriptionId id;
  SubscriptionItemId item;
};

TEST(Usage, IsAddedUpAsItsTableSays) {
  struct Record {
    std::int64_t quantity;
    int minute;
    UsageAction action = UsageAction::increment;
  };
  struct Case {
    const char* name;
    Aggregation aggregation;
    std::vector<Record> records;
    std::int64_t result;
  };
  constexpr auto set = UsageAction::set;
  for (const Case& each : {
           Case{"nothing", Aggregation::sum, {}, 0},
           Case{"sum", Aggregation::sum, {{3, 1}, {4, 2}, {5, 1}}, 12},
           Case{"sum, one moment set anew", Aggregation::sum, {{3, 1}, {4, 2}, {1, 1, set}}, 5},
           Case{"max of the moments, each added up", Aggregation::max, {{3, 1}, {4, 2}, {2, 1}}, 5},
           Case{"the latest moment, in whatever order it came", Aggregation::last_during_period, {{7, 2}, {9, 1}}, 7},
           Case{"the latest moment, added up", Aggregation::last_during_period, {{7, 2}, {9, 1}, {1, 2}}, 8},
           Case{"the latest ever", Aggregation::last_ever, {{7, 2}, {0, 3, set}}, 0},
       }) {
    Usage usage;
    for (const Record& one : each.records)
      ASSERT_TRUE(record(usage, {start + minutes(one.minute), one.quantity}, one.action, each.aggregation))
          << each.name;
    EXPECT_EQ(aggregate(usage, each.aggregation), each.result) << each.name;
    fold(usage);
    EXPECT_EQ(aggregate(usage, each.aggregation), each.result) << each.name << ", folded";
  }
}

RC_GTEST_PROP(Usage, InBoundedSpaceIsWhatAListOfAllOfItSays, ()) {
  const auto aggregation = *rc::gen::element(Aggregation::sum, Aggregation::max, Aggregation::last_during_period);
  Usage usage;
  std::map<Timestamp, std::int64_t> all;
  for (int count = *rc::gen::inRange(1, 120); count > 0; --count) {
    const UsagePoint point{start + minutes(*rc::gen::inRange(0, 80)), *rc::gen::inRange<std::int64_t>(0, 50)};
    const auto action = *rc::gen::element(UsageAction::increment, UsageAction::set);
    Usage tried = usage;
    if (!record(tried, point, action, aggregation)) continue;  // too early among the others: nothing is changed
    usage = tried;
    all[point.time] = action == UsageAction::set ? point.quantity : all[point.time] + point.quantity;
    std::int64_t sum = 0, most = 0;
    for (const auto& [time, quantity] : all) {
      sum += quantity;
      most = std::max(most, quantity);
    }
    const std::int64_t last = all.rbegin()->second;
    RC_ASSERT(aggregate(usage, aggregation) == (aggregation == Aggregation::sum   ? sum
                                                : aggregation == Aggregation::max ? most
                                                                                  : last));
    RC_ASSERT(usage.points.size() <= usage_points_max);
  }
}

TEST(Usage, IsRefusedBeyond64Bits) {
  Usage usage;
  constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
  ASSERT_TRUE(record(usage, {start, most}, UsageAction::increment, Aggregation::sum));
  for (const Timestamp time : {start, start + days(1)}) {
    Usage more = usage;
    EXPECT_EQ(record(more, {time, 1}, UsageAction::increment, Aggregation::sum).error().code,
              Errc::amount_out_of_range);
  }
}

TEST(AMeteredSubscription, BillsWhatWasUsedWhenThePeriodIsOver) {
  for (const auto& [aggregation, totals] :
       {std::pair(Aggregation::sum, std::vector<std::int64_t>{0, 100, 0}),
        std::pair(Aggregation::max, std::vector<std::int64_t>{0, 60, 0}),
        std::pair(Aggregation::last_during_period, std::vector<std::int64_t>{0, 40, 0}),
        std::pair(Aggregation::last_ever, std::vector<std::int64_t>{0, 40, 40})}) {
    Metered given(aggregation);
    given.world.pass_to(start + days(3));
    given.use(6);
    given.world.pass_to(start + days(5));
    given.use(4);
    given.world.pass_to(at("2026-06-01 12:00:00"));
    EXPECT_EQ(given.totals(), totals);
    const Invoice invoice = given.world.invoices().at(1);
    EXPECT_EQ(invoice.lines.front().period, (Period{start, at("2026-05-01 10:00:00")}));
  }
}

TEST(AMeteredSubscription, TakesLateRecordsWhileTheInvoiceIsADraft) {
  Metered given;
  given.world.pass_to(start + days(3));
  given.use(6);
  given.world.pass_to(at("2026-05-01 10:30:00"));
  ASSERT_EQ(given.world.latest_invoice().status, InvoiceStatus::draft);
  given.use(4, at("2026-05-01 09:59:59"));
  given.use(1, at("2026-05-01 10:00:00"));
  EXPECT_EQ(given.world.latest_invoice().total.minor, 100);
  given.world.pass_to(at("2026-05-01 12:00:00"));
  EXPECT_EQ(given.world.refused(given.usage(1, at("2026-05-01 09:59:59"))).parameter, "timestamp");
  given.world.pass_to(at("2026-06-01 12:00:00"));
  EXPECT_THAT(given.totals(), ElementsAre(0, 100, 10));
}

TEST(AMeteredSubscription, RefusesWhatCannotBeRecorded) {
  Metered given;
  EXPECT_EQ(given.world.refused(given.usage(-1)).parameter, "quantity");
  EXPECT_EQ(given.world.refused(given.usage(1, start + minutes(6))).parameter, "timestamp");
  EXPECT_EQ(given.world.refused(given.usage(1, start - minutes(6))).parameter, "timestamp");
  EXPECT_EQ(given.world.refused(given.usage(100'000'000'000)).code, Errc::amount_out_of_range);
  RecordUsage unknown = given.usage(1);
  unknown.item = SubscriptionItemId("si_unknown");
  EXPECT_EQ(given.world.refused(unknown).code, Errc::not_found);
  Metered licensed(subscribe_to(price(10)));
  EXPECT_THAT(licensed.world.refused(licensed.usage(1)).detail, HasSubstr("is not metered"));
  given.use(1, start + minutes(5));  // A clock may be ahead by so much.
}

TEST(AMeteredSubscription, BillsItsLastUsageWhenItEnds) {
  struct Case {
    const char* name;
    std::function<void(Metered&)> end;
    std::vector<std::int64_t> totals;
  };
  for (const Case& each : {
           Case{"at the period's end",
                [](Metered& given) {
                  UpdateSubscription update;
                  update.subscription = given.id;
                  update.cancel_at_period_end = true;
                  given.world.run(update);
                },
                {0, 60}},
           Case{"at a time within the period",
                [](Metered& given) {
                  UpdateSubscription update;
                  update.subscription = given.id;
                  update.cancel_at = std::optional(start + days(9));
                  given.world.run(update);
                },
                {0, 60}},
           Case{"at once, with an invoice",
                [](Metered& given) { given.world.run(CancelSubscription{given.id, false, false, true}); },
                {0, 60}},
           Case{"at once, without one", [](Metered& given) { given.world.run(CancelSubscription{given.id}); }, {0}},
           Case{"by its schedule",
                [](Metered& given) {
                  CreateSchedule plan;
                  plan.from_subscription = given.id;
                  plan.end_behavior = EndBehavior::cancel;
                  given.world.run(plan);
                },
                {0, 60}},
       }) {
    Metered given;
    given.world.pass_to(start + days(3));
    given.use(6);
    each.end(given);
    given.world.pass_to(at("2026-05-03"));
    EXPECT_EQ(given.totals(), each.totals) << each.name;
    EXPECT_EQ(given.world.subscription(given.id).status, SubscriptionStatus::canceled) << each.name;
  }
}

TEST(AMeteredSubscription, TakesItsDiscountOffTheLastUsageOnce) {
  for (const auto& [discount, total] :
       {std::pair(percent_off("50"), 60), std::pair(amount_off(70), 50), std::pair(amount_off(500), 0)}) {
    Subscribe command = subscribe_to(metered(price(10)));
    command.items.push_back({metered(price(20)), 1, {}});
    command.discount = discount;
    Metered given(command);
    given.world.pass_to(start + days(3));
    given.use(4);
    given.world.run(RecordUsage{given.world.subscription(given.id).items[1].id, 4, {}, UsageAction::increment});
    given.world.run(CancelSubscription{given.id, false, false, true});
    given.world.pass_to(start + days(4));
    EXPECT_EQ(given.totals().back(), total);
  }
}

TEST(AMeteredSubscription, ThatAwaitsItsRenewalGoesOnCounting) {
  for (const bool is_renewed : {true, false}) {
    Subscribe command = subscribe_to(metered(price(10)));
    command.renewal_trigger = RenewalTrigger::webhook;
    Metered given(command);
    given.world.checks_previews = false;
    given.world.pass_to(start + days(3));
    given.use(6);
    const Timestamp end = given.world.subscription(given.id).current_period.end;
    given.world.pass_to(end + hours(1));
    ASSERT_TRUE(given.world.subscription(given.id).grace_until.has_value());
    given.use(3);
    given.use(1, end - hours(1));
    if (is_renewed) {
      given.world.run(RenewSubscription{given.id, false, {}});
      given.world.pass_to(end + hours(3));
      EXPECT_THAT(given.totals(), ElementsAre(0, 70)) << "what is used meanwhile is of the period to come";
      given.world.pass_to(at("2026-06-01 10:30:00"));
      given.world.run(RenewSubscription{given.id, false, {}});
      given.world.pass_to(at("2026-06-01 12:30:00"));
      EXPECT_THAT(given.totals(), ElementsAre(0, 70, 30));
    } else {
      given.world.run(LapseSubscription{given.id});
      given.world.pass_to(end + hours(3));
      EXPECT_THAT(given.totals(), ElementsAre(0, 100)) << "and is billed with the rest when that never begins";
    }
  }
}

TEST(AMeteredItem, ThatGetsAnotherPriceBillsWhatWasUsedBefore) {
  for (const bool clears : {false, true}) {
    Metered given;
    given.world.pass_to(start + days(3));
    given.use(6);
    UpdateSubscription update;
    update.subscription = given.id;
    ItemChange& change = update.items.emplace_back();
    change.item = given.item;
    change.price = metered(price(100));
    change.clear_usage = clears;
    given.world.run(update);
    given.use(1);
    given.world.pass_to(at("2026-05-01 12:00:00"));
    EXPECT_EQ(given.world.latest_invoice().total.minor, clears ? 100 : 160);
  }
}

TEST(AMeteredItem, IsFreeInATrial) {
  Subscribe command = subscribe_to(metered(price(10)));
  command.trial_end = start + days(7);
  Metered given(command);
  given.use(5);
  given.world.pass_to(start + days(8));
  given.use(2);
  given.world.pass_to(at("2026-05-08 12:00:00"));
  EXPECT_THAT(given.totals(), ElementsAre(0, 0, 20));
}

TEST(AMeteredItem, IsTaxedAndDiscountedLikeAnyOther) {
  Subscribe command = subscribe_to(metered(price(10)));
  command.tax_rates = {test::tax_of("20")};
  command.discount = percent_off("50");
  Metered given(command);
  given.world.pass_to(start + days(3));
  given.use(10);
  given.world.pass_to(at("2026-05-01 12:00:00"));
  EXPECT_EQ(given.world.latest_invoice().total.minor, 60);
}

}  // namespace
}  // namespace billd::usage_test
