// Explanations say what is there in plain sentences, and forecasts say what then happens.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/explain.hpp"
#include "engine/forecast.hpp"
#include "tests/engine/any_command.hpp"
#include "tests/engine/scenario.hpp"

namespace billd::foresight_test {
namespace {

using std::chrono::days;
using std::chrono::hours;
using test::at;
using test::price;
using test::Scenario;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const Timestamp start = at("2026-01-15 10:00:00");
const Timestamp renewal = at("2026-02-15 10:00:00");

Result<std::vector<Section>> explained(const Scenario& world, const std::string& id) {
  std::vector<Record> records;
  for (const auto& [name, record] : world.records()) records.push_back(record);
  return explain(world.account(), records, id, world.now, world.rules);
}

std::string text_of(const Scenario& world, const std::string& id) {
  const auto sections = explained(world, id);
  return sections ? to_text(*sections) : sections.error().detail;
}

// Explanations.

TEST(AnExplanation, OfASubscriptionTellsWhatItIsWhatWasBilledAndWhatComes) {
  Scenario world(start);
  world.customer_with_card();
  const SubscriptionId id = world.subscribed_to(price(2000));
  world.pass_to(renewal + days(1));
  const std::string text = text_of(world, id.value());
  EXPECT_THAT(text,
              AllOf(HasSubstr("Subscription " + id.value() + " of customer " + world.account().customer.id.value() +
                              " is active. It began on 2026-01-15 10:00:00"),
                    HasSubstr("1 of plan_2000 at $20.00 every month"),
                    HasSubstr("charged automatically to " + world.account().sources.front().id.value() +
                              ", the customer's default."),
                    HasSubstr("Period 1 runs from 2026-02-15 10:00:00 UTC until 2026-03-15 10:00:00 UTC."),
                    HasSubstr("a month without the anchor's day ends on its last day")));
  EXPECT_THAT(text,
              AllOf(HasSubstr("drawn up because the subscription began, is paid: $20.00 for period 0."),
                    HasSubstr("drawn up because a new period of the subscription began, is paid: $20.00 for "
                              "period 1."),
                    HasSubstr("Attempt 1 on 2026-02-15 11:00:00 UTC"), HasSubstr("by the schedule"),
                    HasSubstr("of $20.00 to " + world.account().sources.front().id.value() + " at test succeeded.")));
  EXPECT_THAT(text, AllOf(HasSubstr("On 2026-03-15 10:00:00 UTC period 2 begins. As things stand its invoice is of "
                                    "$20.00, of which $20.00 are due:"),
                          HasSubstr("It is a draft for 1 hour, and then charged.")));
}

TEST(AnExplanation, OfAFailedPaymentTellsWhatEachAttemptSawAndWhatFollows) {
  for (const auto& [code, meaning] : {std::pair("insufficient_funds", "That is worth another attempt."),
                                      std::pair("stolen_card",
                                                "That is final: the schedule does not charge this "
                                                "source again.")}) {
    Scenario world(start);
    world.customer_with_card();
    const SubscriptionId id = world.subscribed_to(price(2000));
    world.bank_says(test::declined(code));
    world.pass_to(renewal + days(1));
    const InvoiceId invoice = world.latest_invoice().id;
    for (const std::string& named : {id.value(), invoice.value(), world.account().customer.id.value()}) {
      const std::string text = text_of(world, named);
      EXPECT_THAT(text, AllOf(HasSubstr("was declined: " + std::string(code) + ". " + meaning),
                              HasSubstr("On 2026-02-18 11:00:00 UTC it is tried for the 2. of 4 times."),
                              HasSubstr("after 3 days, 5 days, 7 days, each counted from the one before"),
                              HasSubstr("When the last one fails, the subscription is canceled.")))
          << named;
    }
    EXPECT_THAT(text_of(world, id.value()), HasSubstr("past due: a payment has failed and is being tried again"));
    EXPECT_THAT(text_of(world, world.account().customer.id.value()), HasSubstr("the customer is delinquent"));
  }
}

TEST(AnExplanation, OfAnUnknownOutcomeSaysThatItIsAwaited) {
  Scenario world(start);
  world.customer_with_card();
  world.subscribed_to(price(2000));
  world.bank_says({ChargeOutcomeKind::unknown, "", ""});
  world.pass_to(renewal + hours(1));
  const std::string text = text_of(world, world.latest_invoice().id.value());
  EXPECT_THAT(text, AllOf(HasSubstr("was sent; its outcome is not known yet. The gateway is asked again on "),
                          HasSubstr("The outcome of its charge is awaited; nothing else is done before.")));
}

TEST(AnExplanation, TellsWhatChangesAheadOfTheRenewal) {
  struct Case {
    std::function<Command(const SubscriptionId&)> change;
    const char* sentence;
  };
  const Case cases[] = {
      {[](const SubscriptionId& id) { return CancelSubscription{id, true}; }, "On 2026-02-15 10:00:00 UTC it ends."},
      {[](const SubscriptionId& id) {
         UpdateSubscription update;
         update.subscription = id;
         update.cancel_at = start + days(20);
         return update;
       },
       "It is to be canceled on 2026-02-04 10:00:00 UTC."},
      {[](const SubscriptionId& id) {
         UpdateSubscription update;
         update.subscription = id;
         update.pause = Pause{PauseBehavior::void_, at("2026-05-01")};
         return update;
       },
       "Its collection is paused: new invoices are voided, until 2026-05-01 00:00:00 UTC."},
      {[](const SubscriptionId& id) {
         CreateSchedule schedule;
         schedule.from_subscription = id;
         return schedule;
       },
       "changes it as time passes."},
      {[](const SubscriptionId& id) {
         UpdateSubscription update;
         update.subscription = id;
         update.trial_end = start + days(10);
         return update;
       },
       "It is a trial; the cycle is anchored at its end, 2026-01-25 10:00:00 UTC."},
      {[](const SubscriptionId& id) {
         UpdateSubscription update;
         update.subscription = id;
         update.collection = Collection::send_invoice;
         update.days_until_due = 14;
         return update;
       },
       "Its invoices are sent, and due 14 days after they are drawn up."},
  };
  for (const Case& each : cases) {
    Scenario world(start);
    world.customer_with_card();
    const SubscriptionId id = world.subscribed_to(price(2000));
    world.run(each.change(id));
    EXPECT_THAT(text_of(world, id.value()), HasSubstr(each.sentence));
  }
}

TEST(AnExplanation, NamesTheSourceThatPays) {
  Scenario world(start);
  world.customer_with_card();
  const SubscriptionId id = world.subscribed_to(price(2000));
  NewSource method = test::card("tok_newer");
  method.is_payment_method = true;
  method.id = SourceId("pm_elsewhere");
  world.run(AddSource{method, false});
  const SourceId newer = world.account().sources.back().id;
  UpdateCustomer prefer;
  prefer.default_payment_method = newer;
  world.run(prefer);
  EXPECT_THAT(text_of(world, id.value()), HasSubstr("automatically to " + newer.value() + ", the customer's default."));
  UpdateSubscription own;
  own.subscription = id;
  own.default_source = world.account().sources.front().id;
  world.run(own);
  EXPECT_THAT(text_of(world, id.value()),
              HasSubstr("automatically to " + world.account().sources.front().id.value() + ", which is its own."));
  world.run(CancelSubscription{id});
  EXPECT_THAT(text_of(world, id.value()), AllOf(HasSubstr("Its invoices were charged automatically."),
                                                HasSubstr("Nothing: it ended on 2026-01-15 10:00:00 UTC.")));
}

TEST(AnExplanation, OfACustomerTellsWhereTheBalanceComesFrom) {
  Scenario world(start);
  world.customer_with_card();
  world.subscribed_to(price(2000));
  world.run(AdjustBalance{{-700, Currency::of("usd")}, "", {}});
  world.pass_to(renewal + hours(2));
  const std::string text = text_of(world, world.account().customer.id.value());
  EXPECT_THAT(text, AllOf(HasSubstr("2026-01-15 10:00:00 UTC: -$7.00, by hand; afterwards -$7.00."),
                          HasSubstr("$7.00, applied to " + world.latest_invoice().id.value() + "; afterwards $0.00."),
                          HasSubstr("It is zero.")));
  EXPECT_THAT(text_of(world, world.latest_invoice().id.value()),
              AllOf(HasSubstr("The customer's balance was -$7.00 before it and is $0.00 after it"),
                    HasSubstr("Due are $13.00, paid are $13.00.")));
}

TEST(AnExplanation, OfAScheduleTellsItsPhases) {
  Scenario world(start);
  world.customer_with_card();
  CreateSchedule create;
  NewPhase first, second;
  first.items.push_back({price(2000), 1, {}});
  second.items.push_back({price(3000), 2, {}});
  second.iterations = 3;
  create.phases = {first, second};
  create.end_behavior = EndBehavior::cancel;
  const std::string id = world.run(create).subject;
  EXPECT_THAT(text_of(world, id),
              AllOf(HasSubstr("From 2026-01-15 10:00:00 UTC until 2026-02-15 10:00:00 UTC: 1 of plan_2000 at $20.00 "
                              "every month. This is the current phase."),
                    HasSubstr("From 2026-02-15 10:00:00 UTC until 2026-05-15 10:00:00 UTC: 2 of plan_3000 at $30.00 "
                              "every month."),
                    HasSubstr("Then the subscription is canceled.")));
}

TEST(AnExplanation, IsFoundUnderEveryNameOfTheObjectAndUnderNoOther) {
  Scenario world(start);
  world.customer_with_card();
  const SubscriptionId id = world.subscribed_to(price(2000));
  const Invoice paid = world.latest_invoice();
  const std::string of_invoice = text_of(world, paid.id.value());
  EXPECT_THAT(of_invoice, HasSubstr("Invoice " + paid.number));
  EXPECT_EQ(text_of(world, "pi_" + std::string(id_body(paid.id.value()))), of_invoice);
  EXPECT_EQ(text_of(world, paid.charges.front().id.value()), of_invoice);
  EXPECT_EQ(text_of(world, "cust_" + std::string(id_body(world.account().customer.id.value()))),
            text_of(world, world.account().customer.id.value()));
  const auto unknown = explained(world, "sub_none");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code, Errc::not_found);
  EXPECT_EQ(unknown.error().parameter, "id");
  EXPECT_FALSE(explained(world, world.account().sources.front().id.value()));
}

TEST(AnExplanation, SaysNothingOfASubscriptionThatMayNeverHaveBeen) {
  Scenario world(start);
  world.customer_with_card();
  world.bank_says({ChargeOutcomeKind::unknown, "", ""});
  Subscribe command = test::subscribe_to(price(2000));
  command.payment_behavior = PaymentBehavior::error_if_incomplete;
  world.run(command);
  const Subscription& provisional = world.account().subscriptions.front();
  ASSERT_TRUE(provisional.provisional);
  EXPECT_FALSE(explained(world, provisional.id.value()));
  EXPECT_FALSE(explained(world, provisional.latest_invoice.value()));
  EXPECT_THAT(text_of(world, world.account().customer.id.value()), HasSubstr("There were none."));
}

// Forecasts.

/// "2026-02-15 11:00 2000", "…, sent".
std::vector<std::string> foretold(const Scenario& world, Timestamp until) {
  const auto payments = forecast(world.account(), world.now, until, world.rules);
  if (!payments) return {payments.error().detail};
  std::vector<std::string> texts;
  for (const ExpectedPayment& payment : *payments)
    texts.push_back(to_text(payment.at).substr(0, 16) + " " + std::to_string(payment.amount.minor) +
                    (payment.is_sent ? ", sent" : ""));
  return texts;
}

TEST(AForecast, TellsEachPaymentWhenItIsMade) {
  Scenario world(start);
  world.customer_with_card();
  world.subscribed_to(price(2000));
  EXPECT_THAT(foretold(world, at("2026-04-15 11:00:00")),
              ElementsAre("2026-02-15 11:00 2000", "2026-03-15 11:00 2000", "2026-04-15 11:00 2000"));
  EXPECT_THAT(foretold(world, at("2026-04-15 10:59:59")),
              ElementsAre("2026-02-15 11:00 2000", "2026-03-15 11:00 2000"));
  EXPECT_THAT(foretold(world, start), IsEmpty());
}

TEST(AForecast, KnowsWhatIsAskedForAlready) {
  struct Case {
    std::function<void(Scenario&, const SubscriptionId&)> given;
    std::vector<std::string> payments;
  };
  const Case cases[] = {
      {[](Scenario& world, const SubscriptionId& id) { world.run(CancelSubscription{id, true}); }, {}},
      {[](Scenario& world, const SubscriptionId&) { world.item_of(500); }, {"2026-02-15 11:00 2500"}},
      {[](Scenario& world, const SubscriptionId&) { world.run(AdjustBalance{{-700, Currency::of("usd")}, "", {}}); },
       {"2026-02-15 11:00 1300"}},
      {[](Scenario& world, const SubscriptionId& id) {
         UpdateSubscription update;
         update.subscription = id;
         update.pause = Pause{PauseBehavior::void_, {}};
         world.run(update);
       },
       {}},
      {[](Scenario& world, const SubscriptionId& id) {
         UpdateSubscription update;
         update.subscription = id;
         update.collection = Collection::send_invoice;
         update.days_until_due = 14;
         world.run(update);
       },
       {"2026-03-01 10:00 2000, sent"}},
      {[](Scenario& world, const SubscriptionId& id) {
         UpdateSubscription update;
         update.subscription = id;
         update.items.push_back({world.subscription(id).items.front().id, false, price(4000), {}, {}});
         update.proration = ProrationBehavior::none;
         world.run(update);
       },
       {"2026-02-15 11:00 4000"}},
      {[](Scenario& world, const SubscriptionId& id) {
         CreateSchedule from;
         from.from_subscription = id;
         UpdateSchedule update;
         update.schedule = ScheduleId(world.run(from).subject);
         NewPhase now, later;
         now.items.push_back({price(2000), 1, {}});
         later.items.push_back({price(3000), 1, {}});
         update.phases = std::vector<NewPhase>{now, later};
         world.run(update);
       },
       {"2026-02-15 11:00 3000"}},
  };
  for (const Case& each : cases) {
    Scenario world(start);
    world.customer_with_card();
    const SubscriptionId id = world.subscribed_to(price(2000));
    each.given(world, id);
    EXPECT_EQ(foretold(world, at("2026-03-10")), each.payments);
  }
}

TEST(AForecast, OfATrialBeginsWithItsEnd) {
  Scenario world(start);
  world.customer_with_card();
  Subscribe command = test::subscribe_to(price(2000));
  command.trial_end = start + days(14);
  world.subscribed_to(command);
  EXPECT_THAT(foretold(world, at("2026-02-28 10:00:00")), ElementsAre("2026-01-29 11:00 2000"));
}

TEST(AForecast, TakesWhatFailedToSucceedTheNextTime) {
  Scenario world(start);
  world.customer_with_card();
  world.subscribed_to(price(2000));
  world.bank_says(test::declined());
  world.pass_to(renewal + days(1));
  EXPECT_THAT(foretold(world, at("2026-03-16")), ElementsAre("2026-02-18 11:00 2000", "2026-03-15 11:00 2000"));
}

TEST(AForecast, TakesWhatIsSentToBePaidWhenItIsDue) {
  Scenario world(start);
  world.customer_with_card();
  Subscribe command = test::subscribe_to(price(2000));
  command.collection = Collection::send_invoice;
  command.days_until_due = 10;
  world.subscribed_to(command);
  world.pass_to(start + days(1));
  EXPECT_THAT(foretold(world, at("2026-04-01")),
              ElementsAre("2026-01-25 10:00 2000, sent", "2026-02-25 10:00 2000, sent", "2026-03-25 10:00 2000, sent"));
  world.pass_to(start + days(12));
  EXPECT_THAT(foretold(world, at("2026-02-01")), ElementsAre("2026-01-27 10:00 2000, sent")) << "what is late";
}

TEST(AForecast, OfWhatIsLateFallsOnNow) {
  Scenario world(start);
  world.customer_with_card();
  world.subscribed_to(price(2000));
  world.now = at("2026-04-20 08:30:00");
  EXPECT_THAT(foretold(world, at("2026-04-30")),
              ElementsAre("2026-04-20 09:30 2000", "2026-04-20 09:30 2000", "2026-04-20 09:30 2000"));
}

TEST(AForecast, ThatCannotBeReckonedSaysWhy) {
  Scenario world(start);
  world.customer_with_card();
  world.subscribed_to(price(2000));
  Account broken = world.account();
  broken.subscriptions[0].items[0].price.unit_amount.minor = std::int64_t{1} << 62;
  broken.subscriptions[0].items[0].quantity = 4;
  const auto payments = forecast(broken, world.now, at("2026-03-01"), world.rules);
  ASSERT_FALSE(payments);
  EXPECT_EQ(payments.error().code, Errc::amount_out_of_range);
}

/// Any account, at any moment of its life, is charged what was foretold when nothing but time comes.
TEST(AForecast, IsWhatThenHappens) {
  std::size_t compared = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    test::Draw draw(seed);
    Scenario world(start, {}, seed);
    test::AnyCommand<Scenario> commands(draw, world);
    world.run(commands.any_new_customer());
    for (int step = 0; step < 60; ++step) {
      const auto done = world.attempt(commands.any());
      if (done && !draw.one_in(6)) world.perform(done->effects);
      if (draw.one_in(3)) world.now += hours(draw.below(900));
      if (draw.one_in(2)) world.work();
    }
    if (HasFailure()) return;
    Scenario future = world;
    const Timestamp until = world.now + days(200);
    std::vector<std::string> charged;
    future.bank = [&](const CollectCharge&, const Charge& charge) {
      charged.push_back(to_text(future.now).substr(0, 16) + " " + std::to_string(charge.amount.minor));
      return std::optional(test::succeeded());
    };
    auto pay_what_was_sent = [&] {
      std::vector<InvoiceId> sent;
      for (const Invoice& invoice : future.account().invoices)
        if (invoice.status == InvoiceStatus::open && invoice.collection == Collection::send_invoice &&
            invoice.unresolved_charge() == nullptr)
          sent.push_back(invoice.id);
      for (const InvoiceId& id : sent) future.run(PayInvoice{id, {}, {}, true});
    };
    pay_what_was_sent();
    for (auto due = next_due(timers(future.account())); due && *due <= until && !HasFailure();
         due = next_due(timers(future.account()))) {
      future.now = std::max(future.now, *due);
      future.work();
      pay_what_was_sent();
    }
    auto expected = foretold(world, until);
    std::erase_if(expected, [](const std::string& text) { return text.ends_with(", sent"); });
    EXPECT_EQ(expected, charged);
    compared += charged.size();
    if (HasFailure()) return;
  }
  EXPECT_GT(compared, 500U);
}

}  // namespace
}  // namespace billd::foresight_test
