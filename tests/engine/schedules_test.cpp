// Subscription schedules: phases that follow each other on time, however late somebody looks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/scenario.hpp"

namespace billd::schedules_test {
namespace {

using std::chrono::days;
using std::chrono::hours;
using test::at;
using test::monthly;
using test::price;
using test::Scenario;
using testing::ElementsAre;
using testing::HasSubstr;

const Timestamp start = at("2026-01-15 10:00:00");
constexpr Recurrence yearly{Interval::year, 1};

NewPhase phase(std::int64_t minor, std::int32_t iterations, Recurrence recurrence = monthly) {
  NewPhase made;
  made.items.push_back({price(minor, recurrence), 1, {}});
  made.iterations = iterations;
  return made;
}

struct Planned {
  explicit Planned(CreateSchedule command) : world(start) {
    world.customer_with_card();
    world.take_events();
    id = ScheduleId(world.run(command).subject);
  }
  explicit Planned(std::vector<NewPhase> phases, EndBehavior end = EndBehavior::release)
      : Planned(command_of(std::move(phases), end)) {}
  static CreateSchedule command_of(std::vector<NewPhase> phases, EndBehavior end) {
    CreateSchedule command;
    command.phases = std::move(phases);
    command.end_behavior = end;
    return command;
  }
  Schedule schedule() const {
    if (const Schedule* live = world.account().find(id)) return *live;
    return std::get<Schedule>(world.records().at(id.value()));
  }
  const Subscription& subscription() const { return world.subscription(schedule().subscription); }
  /// "2026-01-15 2000 subscription_create": what was billed.
  std::vector<std::string> billed() const {
    std::vector<std::string> result;
    for (const Invoice& invoice : world.invoices())
      result.push_back(billd::to_text(invoice.lines.front().period.start).substr(0, 10) + " " +
                       std::to_string(invoice.total.minor));
    return result;
  }

  Scenario world;
  ScheduleId id;
};

TEST(ASchedule, GoesThroughItsPhasesHoweverLateSomebodyLooks) {
  for (const bool late : {false, true}) {
    Planned given({phase(1000, 2), phase(2000, 1), phase(3000, 1)});
    const Timestamp end = at("2026-06-20");
    late ? given.world.jump_to(end) : given.world.pass_to(end);
    EXPECT_THAT(given.billed(), ElementsAre("2026-01-15 1000", "2026-02-15 1000", "2026-03-15 2000", "2026-04-15 3000",
                                            "2026-05-15 3000", "2026-06-15 3000"));
    EXPECT_EQ(given.schedule().status, ScheduleStatus::released);
    EXPECT_EQ(given.subscription().status, SubscriptionStatus::active);
    EXPECT_TRUE(given.subscription().schedule.is_empty());
  }
}

TEST(ASchedule, EndsItsSubscriptionWhenItSaysSo) {
  for (const bool late : {false, true}) {
    Planned given({phase(1000, 2)}, EndBehavior::cancel);
    late ? given.world.jump_to(at("2026-06-20")) : given.world.pass_to(at("2026-06-20"));
    EXPECT_THAT(given.billed(), ElementsAre("2026-01-15 1000", "2026-02-15 1000"));
    EXPECT_EQ(given.schedule().status, ScheduleStatus::completed);
    EXPECT_EQ(given.subscription().status, SubscriptionStatus::canceled);
    EXPECT_EQ(given.subscription().ended_at, at("2026-03-15 10:00:00"));
  }
}

TEST(ASchedule, BeginsInTheFutureOnTime) {
  for (const bool late : {false, true}) {
    NewPhase first = phase(1000, 1);
    first.start = at("2026-02-01");
    Planned given({first});
    EXPECT_EQ(given.schedule().status, ScheduleStatus::not_started);
    EXPECT_THAT(given.world.take_events(), ElementsAre("subscription_schedule.created"));
    late ? given.world.jump_to(at("2026-02-10")) : given.world.pass_to(at("2026-02-10"));
    EXPECT_EQ(given.schedule().status, ScheduleStatus::active);
    EXPECT_EQ(given.subscription().current_period, (Period{at("2026-02-01"), at("2026-03-01")}));
    given.world.jump_to(at("2026-02-12"));
    EXPECT_EQ(given.world.latest_invoice().status, InvoiceStatus::paid);
    EXPECT_EQ(given.world.latest_invoice().reason, BillingReason::subscription_create);
  }
}

TEST(ASchedule, ThatCannotBeginIsCanceled) {
  NewPhase first = phase(1000, 1);
  first.start = at("2026-02-01");
  CreateSchedule command = Planned::command_of({first}, EndBehavior::release);
  Scenario world(start);
  world.customer_with_card();
  command.default_source = world.account().sources.at(0).id;
  const ScheduleId id(world.run(command).subject);
  world.run(RemoveSource{command.default_source});
  world.take_events();
  world.pass_to(at("2026-02-10"));
  EXPECT_THAT(world.take_events(), ElementsAre("subscription_schedule.canceled"));
  EXPECT_TRUE(world.account().subscriptions.empty());
}

TEST(APhase, OfAnotherIntervalBeginsANewPeriod) {
  Planned given({phase(1000, 2), phase(9000, 1, yearly)});
  given.world.pass_to(at("2026-04-01"));
  EXPECT_THAT(given.billed(), ElementsAre("2026-01-15 1000", "2026-02-15 1000", "2026-03-15 9000"));
  EXPECT_EQ(given.subscription().current_period, (Period{at("2026-03-15 10:00:00"), at("2027-03-15 10:00:00")}));
}

TEST(APhase, ThatBeginsWithinAPeriodIsProratedFromItsStart) {
  for (const bool late : {false, true}) {
    NewPhase first = phase(3100, 1);
    first.iterations.reset();
    first.end = at("2026-01-31 10:00:00");  // 15 of 31 days are left
    Planned given({first, phase(6200, 3)});
    late ? given.world.jump_to(at("2026-03-01")) : given.world.pass_to(at("2026-03-01"));
    const auto invoices = given.world.invoices();
    ASSERT_EQ(invoices.size(), 2U);
    std::vector<std::int64_t> amounts;
    for (const InvoiceLine& line : invoices[1].lines) amounts.push_back(line.amount.minor);
    EXPECT_THAT(amounts, testing::UnorderedElementsAre(6200, -1500, 3000));
  }
}

TEST(APhase, WithoutProrationChangesOnlyWhatComes) {
  NewPhase first = phase(3100, 1);
  first.iterations.reset();
  first.end = at("2026-01-31 10:00:00");
  NewPhase second = phase(6200, 3);
  second.proration = PhaseProration::none;
  Planned given({first, second});
  given.world.pass_to(at("2026-03-01"));
  EXPECT_THAT(given.billed(), ElementsAre("2026-01-15 3100", "2026-02-15 6200"));
}

TEST(APhase, AnchorsTheCycleAnew) {
  NewPhase first = phase(3100, 1);
  first.iterations.reset();
  first.end = at("2026-01-20");
  NewPhase second = phase(3100, 3);
  second.proration = PhaseProration::none;
  second.anchor = PhaseAnchor::phase_start;
  Planned given({first, second});
  given.world.pass_to(at("2026-02-21"));
  EXPECT_THAT(given.billed(), ElementsAre("2026-01-15 3100", "2026-01-20 3100", "2026-02-20 3100"));
}

TEST(APhase, AnchorsTheCycleAnewWhereItsScheduleSaysSo) {
  for (const PhaseAnchor anchor : {PhaseAnchor::of_schedule, PhaseAnchor::automatic}) {
    NewPhase first = phase(3100, 1);
    first.iterations.reset();
    first.end = at("2026-01-20");
    NewPhase second = phase(3100, 3);
    second.proration = PhaseProration::none;
    second.anchor = anchor;
    CreateSchedule command = Planned::command_of({first, second}, EndBehavior::release);
    command.anchor_at_start = true;
    Planned given(command);
    given.world.pass_to(at("2026-02-21"));
    if (anchor == PhaseAnchor::of_schedule)
      EXPECT_THAT(given.billed(), ElementsAre("2026-01-15 3100", "2026-01-20 3100", "2026-02-20 3100"));
    else
      EXPECT_THAT(given.billed(), ElementsAre("2026-01-15 3100", "2026-02-15 3100"));
  }
}

TEST(APhase, AnchorsTheCycleAnewWhenItsScheduleSaysSoInTime) {
  NewPhase first = phase(3100, 1);
  first.iterations.reset();
  first.end = at("2026-01-20");
  NewPhase second = phase(3100, 3);
  second.proration = PhaseProration::none;
  Planned given({first, second});
  UpdateSchedule command;
  command.schedule = given.id;
  command.anchor_at_start = true;
  given.world.run(command);
  given.world.pass_to(at("2026-02-21"));
  EXPECT_THAT(given.billed(), ElementsAre("2026-01-15 3100", "2026-01-20 3100", "2026-02-20 3100"));
}

TEST(APhase, BeginsAndEndsNowAsOfWhenThatIsDecided) {
  NewPhase first = phase(1000, 1);
  first.starts_now = true;
  Planned given({first, phase(2000, 1)});
  EXPECT_EQ(given.schedule().phases.at(0).start, start);
  given.world.pass_to(at("2026-01-20 10:00:00"));
  UpdateSchedule command;
  command.schedule = given.id;
  command.phases = {phase(1000, 1), phase(2000, 1)};
  command.phases->at(0).iterations.reset();
  command.phases->at(0).ends_now = true;
  command.phases->at(1).starts_now = true;
  EXPECT_EQ(given.world.run(command).subject, given.id.value());
  EXPECT_EQ(given.schedule().phase, 1);
  EXPECT_EQ(given.schedule().current_phase().start, at("2026-01-20 10:00:00"));
  EXPECT_EQ(given.subscription().items.front().price.unit_amount.minor, 2000);

  command.phases = {phase(2000, 1)};
  command.phases->at(0).iterations.reset();
  command.phases->at(0).ends_now = true;
  EXPECT_EQ(given.world.refused(command).parameter, "phases") << "it has begun in this very second";
  given.world.now += days(1);
  given.world.run(command);
  EXPECT_EQ(given.schedule().status, ScheduleStatus::released);
  EXPECT_EQ(given.subscription().status, SubscriptionStatus::active);
}

TEST(APhase, BeginsNowOnlyWhereTheOneBeforeItEnds) {
  NewPhase second = phase(2000, 1);
  second.starts_now = true;
  Scenario world(start);
  world.customer_with_card();
  const CreateSchedule command = Planned::command_of({phase(1000, 1), second}, EndBehavior::release);
  EXPECT_EQ(world.refused(command).parameter, "phases");
}

TEST(APhase, BeginsWithATrial) {
  NewPhase first = phase(1000, 2);
  first.trial_end = start + days(10);
  Planned given({first});
  EXPECT_EQ(given.subscription().status, SubscriptionStatus::trialing);
  given.world.pass_to(at("2026-01-26"));
  EXPECT_THAT(given.billed(), ElementsAre("2026-01-15 0", "2026-01-25 1000"));
}

TEST(ASchedule, IsMadeFromASubscription) {
  Scenario world(start);
  world.customer_with_card();
  const SubscriptionId subscription = world.subscribed_to(price(1000));
  world.now += days(3);
  CreateSchedule command;
  command.from_subscription = subscription;
  const ScheduleId id(world.run(command).subject);
  const Schedule& schedule = *world.account().find(id);
  EXPECT_EQ(schedule.status, ScheduleStatus::active);
  ASSERT_EQ(schedule.phases.size(), 1U);
  EXPECT_EQ(schedule.phases[0].start, start);
  EXPECT_EQ(schedule.phases[0].end, at("2026-02-15 10:00:00"));
  EXPECT_EQ(schedule.phases[0].items.at(0).price.unit_amount.minor, 1000);
  EXPECT_EQ(world.refused(command).code, Errc::invalid_state) << "one schedule at a time";

  UpdateSchedule update;
  update.schedule = id;
  NewPhase current = phase(1000, 1);
  current.items = schedule.phases[0].items;
  update.phases = {current, phase(500, 1)};
  update.end_behavior = EndBehavior::cancel;
  world.run(update);
  world.pass_to(at("2026-05-01"));
  const auto invoices = world.invoices();
  ASSERT_EQ(invoices.size(), 2U);
  EXPECT_EQ(invoices[1].total.minor, 500);
  EXPECT_EQ(world.subscription(subscription).ended_at, at("2026-03-15 10:00:00"));
}

TEST(ASchedule, ChangesItsCurrentPhaseAtOnce) {
  Planned given({phase(3100, 2)});
  given.world.now = at("2026-01-31 10:00:00");
  UpdateSchedule update;
  update.schedule = given.id;
  update.phases = {phase(6200, 2)};
  update.proration = PhaseProration::always_invoice;
  given.world.run(update);
  EXPECT_EQ(given.world.latest_invoice().total.minor, 1500);
  EXPECT_EQ(given.subscription().items.at(0).price.unit_amount.minor, 6200);
}

TEST(ASchedule, IsReleasedOrCanceledByHand) {
  Planned released({phase(1000, 1), phase(9000, 1)});
  released.world.run(ReleaseSchedule{released.id});
  released.world.pass_to(at("2026-02-16"));
  EXPECT_THAT(released.billed(), ElementsAre("2026-01-15 1000", "2026-02-15 1000"));
  EXPECT_EQ(released.schedule().status, ScheduleStatus::released);
  EXPECT_EQ(released.world.refused(ReleaseSchedule{released.id}).code, Errc::not_found) << "it has left the account";

  Planned canceled({phase(1000, 1), phase(9000, 1)});
  const SubscriptionId subscription = canceled.schedule().subscription;
  canceled.world.run(CancelSchedule{canceled.id, false, false});
  EXPECT_EQ(canceled.schedule().status, ScheduleStatus::canceled);
  EXPECT_EQ(canceled.world.subscription(subscription).status, SubscriptionStatus::canceled);

  NewPhase later = phase(1000, 1);
  later.start = at("2026-02-01");
  Planned never({later});
  never.world.run(CancelSchedule{never.id, false, false});
  EXPECT_EQ(never.schedule().status, ScheduleStatus::canceled);
  EXPECT_EQ(next_due(timers(never.world.account())), std::nullopt);
}

TEST(ASchedule, EndsWithItsSubscriptionAndItsCustomer) {
  Planned given({phase(1000, 1), phase(9000, 1)});
  given.world.run(CancelSubscription{given.schedule().subscription, false, false, false});
  EXPECT_EQ(given.schedule().status, ScheduleStatus::canceled);

  NewPhase later = phase(1000, 1);
  later.start = at("2026-02-01");
  Planned other({later});
  other.world.run(DeleteCustomer{});
  EXPECT_EQ(other.schedule().status, ScheduleStatus::canceled);
}

TEST(ASubscriptionWithASchedule, IsNotEndedBesideIt) {
  Planned given({phase(1000, 1), phase(9000, 1)});
  const SubscriptionId subscription = given.schedule().subscription;
  EXPECT_THAT(given.world.refused(CancelSubscription{subscription, true, false, false}).detail,
              HasSubstr("managed by the subscription schedule `" + given.id.value()));
  UpdateSubscription update;
  update.subscription = subscription;
  update.cancel_at = std::optional(at("2026-05-05"));
  EXPECT_EQ(given.world.refused(update).code, Errc::invalid_state);
}

TEST(ASchedule, IsCheckedBeforeItIsMade) {
  Scenario world(start);
  world.customer_with_card();
  const auto refused = [&](std::vector<NewPhase> phases) {
    return world.refused(Planned::command_of(std::move(phases), EndBehavior::release));
  };
  EXPECT_EQ(refused({}).parameter, "phases");
  EXPECT_THAT(refused(std::vector<NewPhase>(11, phase(1, 1))).detail, HasSubstr("at most 10"));
  NewPhase past = phase(1000, 1);
  past.start = start - hours(1);
  EXPECT_EQ(refused({past}).parameter, "start_date");
  NewPhase both = phase(1000, 1);
  both.end = start + days(90);
  EXPECT_THAT(refused({both}).detail, HasSubstr("either"));
  NewPhase backwards = phase(1000, 1);
  backwards.iterations.reset();
  backwards.end = start;
  EXPECT_THAT(refused({backwards}).detail, HasSubstr("must end after it starts"));
  EXPECT_THAT(refused({phase(1000, 0)}).detail, HasSubstr("at least 1"));
  EXPECT_THAT(refused({phase(1000, 1000, yearly)}).detail, HasSubstr("before the year 2200"));
  NewPhase gap = phase(1000, 1);
  gap.start = start + days(90);
  EXPECT_THAT(refused({phase(1000, 1), gap}).detail, HasSubstr("begins where"));
  NewPhase trial = phase(1000, 1);
  trial.trial_end = start + days(40);
  EXPECT_THAT(refused({trial}).detail, HasSubstr("trial ends"));
  NewPhase euros = phase(1000, 1);
  euros.items[0].price = price(1000, monthly, "eur");
  EXPECT_EQ(refused({phase(1000, 1), euros}).code, Errc::currency_mismatch);
  NewPhase nothing = phase(1000, 1);
  nothing.items.clear();
  EXPECT_EQ(refused({nothing}).code, Errc::missing_parameter);
  CreateSchedule command;
  command.from_subscription = SubscriptionId("sub_none");
  EXPECT_EQ(world.refused(command).parameter, "from_subscription");
}

TEST(APhase, HasItsOwnCouponAndTax) {
  NewPhase first = phase(1000, 2), second = phase(1000, 1), third = phase(1000, 1);
  first.discount = test::percent_off("50");
  first.tax_rates = {test::tax_of("20")};
  second.tax_rates = {test::tax_of("10")};
  third.items[0].tax_rates = {test::tax_of("5")};
  third.discount = test::amount_off(100);
  for (const bool late : {false, true}) {
    Planned given({first, second, third});
    late ? given.world.jump_to(at("2026-04-20")) : given.world.pass_to(at("2026-04-20"));
    EXPECT_THAT(given.billed(), ElementsAre("2026-01-15 600", "2026-02-15 600", "2026-03-15 1100", "2026-04-15 945"));
  }
}

TEST(APhase, KeepsTheDiscountOfThePhaseBeforeWithTheSameCoupon) {
  NewPhase first = phase(1000, 1), second = phase(2000, 2);
  first.discount = second.discount = test::percent_off("50", CouponDuration::repeating, 2);
  Planned given({first, second});
  EXPECT_EQ(given.schedule().phases[0].discount->id, given.schedule().phases[1].discount->id) << "redeemed once";
  given.world.pass_to(at("2026-03-20"));
  EXPECT_THAT(given.billed(), ElementsAre("2026-01-15 500", "2026-02-15 1000", "2026-03-15 2000"));
}

TEST(APhase, RedeemsItsCouponWhenTheScheduleIsMade) {
  Scenario world(start);
  world.customer_with_card();
  CreateSchedule command;
  command.phases = {phase(1000, 1), phase(1000, 1), phase(1000, 1)};
  command.phases[0].discount = test::percent_off("10");
  command.phases[2].discount = test::percent_off("20");
  const Transition made = world.run(command);
  ASSERT_EQ(made.claims.size(), 2U);
  UpdateSchedule update;
  update.schedule = ScheduleId(made.subject);
  update.phases = command.phases;
  update.phases->at(1).discount = test::percent_off("30");
  EXPECT_EQ(world.run(update).claims.size(), 1U) << "what is the same is redeemed already";
  Redemption gone = test::percent_off("10");
  gone.coupon.deleted = true;
  update.phases->at(1).discount = gone;
  update.phases->at(0).discount.reset();
  EXPECT_EQ(world.refused(update).code, Errc::not_found);
}

TEST(APhase, ThatIsChangedWhileItRunsChangesTheSubscriptionsCoupon) {
  Planned given({phase(1000, 3)});
  UpdateSchedule update;
  update.schedule = given.id;
  update.phases = {phase(1000, 3)};
  update.phases->at(0).discount = test::percent_off("50");
  update.phases->at(0).tax_rates = {test::tax_of("20")};
  given.world.run(update);
  given.world.pass_to(at("2026-02-20"));
  update.phases->at(0).discount.reset();
  given.world.run(update);
  given.world.pass_to(at("2026-03-20"));
  EXPECT_THAT(given.billed(), ElementsAre("2026-01-15 1000", "2026-02-15 600", "2026-03-15 1200"));
}

TEST(APhase, HasATrialThatEndsWithinIt) {
  for (const auto& [trial_end, is_fine] : {std::pair(start, false), std::pair(start + days(1), true),
                                           std::pair(start + days(31), true), std::pair(start + days(32), false)}) {
    Scenario world(start);
    world.customer_with_card();
    NewPhase trial = phase(1000, 1);
    trial.trial_end = trial_end;
    const auto made = world.attempt(Planned::command_of({trial}, EndBehavior::release));
    EXPECT_EQ(made.has_value(), is_fine) << billd::to_text(trial_end);
    if (!made) EXPECT_THAT(made.error().detail, HasSubstr("trial ends"));
  }
}

TEST(ASchedule, IsChangedOnlyAheadOfItsTime) {
  NewPhase later = phase(1000, 1);
  later.start = start + days(10);
  Planned waiting({later});
  UpdateSchedule update;
  update.schedule = waiting.id;
  later.start = start - days(1);
  update.phases = std::vector{later};
  EXPECT_THAT(waiting.world.refused(update).detail, HasSubstr("cannot begin in the past"));
  later.start = start + days(20);
  update.phases = std::vector{later};
  waiting.world.run(update);
  EXPECT_EQ(next_due(timers(waiting.world.account())), start + days(20));

  Planned running({phase(1000, 2), phase(2000, 1)});
  running.world.pass_to(start + days(40));
  update.schedule = running.id;
  NewPhase current = phase(1000, 3);
  current.start = start + days(1);
  update.phases = std::vector{current};
  EXPECT_THAT(running.world.refused(update).detail, HasSubstr("start_date cannot be changed"));
  current.start = start;
  current.iterations.reset();
  current.end = start + days(40);
  update.phases = std::vector{current};
  EXPECT_THAT(running.world.refused(update).detail, HasSubstr("must end in the future"));
  current.end = start + days(41);
  update.phases = std::vector{current};
  running.world.run(update);
  EXPECT_EQ(running.schedule().current_phase().end, start + days(41));
}

TEST(APhase, KeepsTheItemsOfTheSamePrice) {
  NewPhase second = phase(1000, 1);
  second.items.front().quantity = 3;
  second.items.push_back({price(50), 1, {}});
  Planned given({phase(1000, 1), second});
  const SubscriptionItemId item = given.subscription().items.front().id;
  given.world.pass_to(start + days(32));
  ASSERT_EQ(given.subscription().items.size(), 2U);
  EXPECT_EQ(given.subscription().items.front().id, item);
  EXPECT_EQ(given.subscription().items.front().quantity, 3);
}

TEST(ASchedule, KeepsTenPhasesThatAreOver) {
  constexpr Recurrence day{Interval::day, 1};
  Planned given({phase(1000, 1, day), phase(1000, 1, day)});
  for (int days_passed = 1; days_passed <= 25; ++days_passed) {
    given.world.pass_to(start + days(days_passed) + hours(1));
    UpdateSchedule update;
    update.schedule = given.id;
    update.phases = std::vector{phase(1000, 1, day), phase(1000, 1, day)};
    given.world.run(update);
  }
  EXPECT_EQ(given.schedule().phases.size(), 12U);
  EXPECT_EQ(given.schedule().current_phase().start, start + days(25));
  EXPECT_EQ(given.world.invoices().size(), 26U);
}

TEST(Schedules, StopAtFiveHundred) {
  Scenario world(start);
  world.customer_with_card();
  NewPhase later = phase(1000, 1);
  later.start = start + days(10);
  const CreateSchedule command = Planned::command_of({later}, EndBehavior::release);
  for (int i = 0; i < 500; ++i) world.run(command);
  EXPECT_EQ(world.refused(command).code, Errc::limit_exceeded);
}

}  // namespace
}  // namespace billd::schedules_test
