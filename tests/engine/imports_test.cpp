// Customers from another system: what is taken, what is refused, and what billd makes of their next period.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <utility>

#include "engine/decide.hpp"
#include "engine/imports.hpp"

namespace billd::imports_test {
namespace {

constexpr Timestamp start = from_unix(1'769'860'800);  // 2026-01-31 12:00 UTC
using std::chrono::days;

const AccountKey key = AccountKey::from_bits(77, 78);

Timestamp month(std::int64_t ordinal) { return boundary(start, {Interval::month, 1}, ordinal); }

Source visa() {
  Source source;
  source.id = make_id<SourceKind>(key, 2);
  source.gateway = "test";
  source.reference = "tok_visa";
  source.card()->summary.last4 = "4242";
  return source;
}

Subscription monthly() {
  SubscriptionItem item;
  item.id = make_id<SubscriptionItemKind>(key, 4);
  item.price.id = PlanId("gold");
  item.price.unit_amount = {1900, Currency::of("usd")};
  item.price.recurrence = {Interval::month, 1};
  Subscription subscription;
  subscription.id = make_id<SubscriptionKind>(key, 3);
  subscription.status = SubscriptionStatus::active;
  subscription.created = start;
  subscription.items = {item};
  subscription.anchor = start;
  subscription.current_period = {month(2), month(3)};
  place_in_cycle(subscription);
  return subscription;
}

Invoice open_invoice() {
  Invoice invoice;
  invoice.id = make_id<InvoiceKind>(key, 9);
  invoice.status = InvoiceStatus::open;
  invoice.number = "AAAA-0003";
  invoice.reason = BillingReason::subscription_cycle;
  invoice.created = month(2);
  invoice.subscription = monthly().id;
  invoice.ordinal = 2;
  InvoiceLine line;
  line.id = make_id<InvoiceLineKind>(key, 10);
  line.amount = {1900, Currency::of("usd")};
  line.price = monthly().items[0].price;
  line.period = monthly().current_period;
  invoice.lines = {line};
  invoice.total = line.amount;
  invoice.amount_paid = {0, line.amount.currency};
  invoice.finalized_at = month(2);
  invoice.next_attempt_at = month(2) + days(3);
  invoice.attempt_count = 1;
  invoice.attempted = true;
  return invoice;
}

ForeignAccount jenny() {
  ForeignAccount command;
  command.customer.id = make_id<CustomerKind>(key, 1);
  command.customer.created = start;
  command.customer.name = "Jenny Rosen";
  command.customer.currency = Currency::of("usd");
  command.sources = {visa()};
  command.customer.default_source = visa().id;
  command.subscriptions = {monthly()};
  command.invoices = {open_invoice()};
  command.invoices_numbered = 3;
  return command;
}

Account empty_account() {
  Account account;
  account.key = key;
  return account;
}

TEST(ImportedCustomers, AreTakenAsTheyAreAndNothingIsBilledOrTold) {
  const ForeignAccount command = jenny();
  const auto taken = bring_along(empty_account(), command, month(2) + days(1), Rules());
  ASSERT_TRUE(taken) << taken.error().detail;
  EXPECT_TRUE(taken->changed);
  EXPECT_TRUE(taken->events.empty());
  EXPECT_TRUE(taken->effects.empty());
  Customer customer = command.customer;
  customer.former = FormerSystem{3, {}};
  EXPECT_EQ(taken->account.customer, customer);
  EXPECT_EQ(taken->account.sources, command.sources);
  std::vector<Subscription> subscriptions = command.subscriptions;
  for (Subscription& each : subscriptions) each.first_ordinal = each.ordinal + 1;
  EXPECT_EQ(taken->account.subscriptions, subscriptions);
  EXPECT_EQ(taken->account.invoices, command.invoices);
  const Timers due = timers(taken->account);
  EXPECT_EQ(due[static_cast<std::size_t>(Queue::renewal)], month(3));
  EXPECT_EQ(due[static_cast<std::size_t>(Queue::collection)], month(2) + days(3));
}

TEST(ImportedCustomers, AreBilledFromTheirNextPeriodOnUnderIdentifiersThatNobodyHasSeen) {
  auto taken = bring_along(empty_account(), jenny(), month(2) + days(1), Rules());
  ASSERT_TRUE(taken);
  Account account = taken->account;
  account.invoices.clear();
  const auto renewed = tick(account, month(3), Rules());
  ASSERT_TRUE(renewed) << renewed.error().detail;
  ASSERT_EQ(renewed->account.invoices.size(), 1U);
  const Invoice& invoice = renewed->account.invoices[0];
  EXPECT_EQ(invoice.ordinal, 3);
  EXPECT_EQ(invoice.lines[0].period, (Period{month(3), month(4)}));
  EXPECT_EQ(invoice.total.minor, 1900);
  const auto number = object_number(key, id_body(invoice.id.value()).substr(account_key_length));
  EXPECT_GT(number.value(), 1'000'000U) << "the former system may have drawn the numbers before";
}

TEST(ImportedCustomers, BringPendingItemsPaymentMethodsAndDiscountsAlong) {
  ForeignAccount command = jenny();
  command.invoices.clear();
  InvoiceItem item;
  item.id = make_id<InvoiceItemKind>(key, 11);
  item.amount = item.price.unit_amount = {300, Currency::of("usd")};
  item.period = {month(2), month(2)};
  command.invoice_items = {item};
  Source method = visa();
  method.id = SourceId("pm_1abcdef");
  command.sources.push_back(method);
  Source account = visa();
  account.id = SourceId(make_id<BankAccountKind>(key, 12).value());
  account.means = BankAccount();
  command.sources.push_back(account);
  command.customer.default_payment_method = method.id;
  Discount discount;
  discount.coupon.percent_off = *parse_percentage("25");
  command.subscriptions[0].discount = discount;
  const auto taken = bring_along(empty_account(), command, month(2) + days(1), Rules());
  ASSERT_TRUE(taken) << taken.error().detail;
  EXPECT_EQ(taken->account.customer.default_payment_method, method.id);
  const Subscription& subscription = taken->account.subscriptions[0];
  EXPECT_TRUE(subscription.discount->id.value().starts_with(DiscountKind::prefix)) << "it had none";
  EXPECT_EQ(subscription.discount->subscription, subscription.id);
  const auto renewed = tick(taken->account, month(3), Rules());
  ASSERT_TRUE(renewed) << renewed.error().detail;
  ASSERT_EQ(renewed->account.invoices.size(), 1U);
  EXPECT_EQ(renewed->account.invoices[0].lines.size(), 2U);
  EXPECT_TRUE(renewed->account.invoice_items.empty());
}

TEST(ImportedCustomers, AreRefusedWhenTheyAreThere) {
  auto taken = bring_along(empty_account(), jenny(), start, Rules());
  ASSERT_TRUE(taken);
  const auto again = bring_along(taken->account, jenny(), start, Rules());
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Errc::already_exists);
}

TEST(ImportedCustomers, HearOfTheirNextInvoiceAndOfCardsThatExpire) {
  ForeignAccount command = jenny();
  command.sources[0].card()->summary.exp_month = 12;
  command.sources[0].card()->summary.exp_year = 2030;
  Rules rules;
  rules.upcoming_notice = days(7);
  const auto taken = bring_along(empty_account(), command, month(2) + days(1), rules);
  ASSERT_TRUE(taken) << taken.error().detail;
  EXPECT_EQ(taken->account.subscriptions[0].upcoming_at, month(3) - days(7));
  EXPECT_EQ(taken->account.sources[0].expiring_at, from_unix(1'922'313'600)) << "2030-12-01";
}

TEST(ImportedCustomers, HaveTheirTrialsEndAnnounced) {
  ForeignAccount command = jenny();
  command.invoices.clear();
  Subscription& trial = command.subscriptions[0];
  trial.status = SubscriptionStatus::trialing;
  trial.trial_start = start;
  trial.trial_end = trial.anchor = start + days(10);
  trial.current_period = {start, start + days(10)};
  place_in_cycle(trial);
  EXPECT_EQ(trial.ordinal, 0);
  EXPECT_EQ(trial.anchor_ordinal, 1);
  auto taken = bring_along(empty_account(), command, start + days(1), Rules());
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->account.subscriptions[0].trial_will_end_at, start + days(7));
  taken = bring_along(empty_account(), command, start + days(8), Rules());
  ASSERT_TRUE(taken);
  EXPECT_EQ(taken->account.subscriptions[0].trial_will_end_at, std::nullopt) << "it was announced before";
}

TEST(ImportedCustomers, GoOnWithTheFormerSystemsInvoiceNumbersAndTheirBalance) {
  ForeignAccount command = jenny();
  command.invoice_prefix = "26F5C1DA";
  command.invoices[0].number = "26F5C1DA-0007";
  command.customer.balance = -250;
  const auto taken = bring_along(empty_account(), command, month(2) + days(1), Rules());
  ASSERT_TRUE(taken) << taken.error().detail;
  EXPECT_EQ(taken->account.customer.former, (FormerSystem{7, "26F5C1DA"})) << "an open invoice has a later number";
  EXPECT_EQ(taken->account.invoices_numbered, 7U);
  EXPECT_EQ(taken->account.customer.balance, -250);
  ASSERT_EQ(taken->settled.size(), 1U);
  const auto& transaction = std::get<BalanceTransaction>(taken->settled[0]);
  EXPECT_EQ(transaction.amount.minor, -250);
  EXPECT_EQ(transaction.ending_balance, -250);
  EXPECT_TRUE(taken->events.empty());
  Account account = taken->account;
  account.invoices.clear();
  auto renewed = tick(account, month(3), Rules());
  ASSERT_TRUE(renewed);
  renewed = tick(renewed->account, next_due(timers(renewed->account)).value(), Rules());
  ASSERT_TRUE(renewed) << renewed.error().detail;
  ASSERT_EQ(renewed->account.invoices.size(), 1U);
  EXPECT_EQ(renewed->account.invoices[0].number, "26F5C1DA-0008");
  EXPECT_EQ(renewed->account.invoices[0].starting_balance, -250);
}

TEST(ImportedCustomers, KeepTheirOpenInvoicesDiscountAndTaxes) {
  ForeignAccount command = jenny();
  Discount discount;
  discount.id = DiscountId("di_1Mt7f8LkdIwHu7ix");
  discount.coupon.id = CouponId("quarter");
  discount.coupon.percent_off = *parse_percentage("25");
  Invoice& invoice = command.invoices[0];
  invoice.discount = discount;
  invoice.lines[0].discount = 475;
  const AppliedTaxRate vat{TaxRateId("txr_1"), *parse_percentage("20"), false};
  invoice.tax_rates = {vat};
  invoice.lines[0].taxes = {{vat, 285, 1425}};
  invoice.total.minor = 1900 - 475 + 285;
  auto taken = bring_along(empty_account(), command, month(2) + days(1), Rules());
  ASSERT_TRUE(taken) << taken.error().detail;
  EXPECT_EQ(taken->account.invoices[0], invoice) << "the discount is nobody's any more";
  command.subscriptions[0].discount = discount;
  taken = bring_along(empty_account(), command, month(2) + days(1), Rules());
  ASSERT_TRUE(taken) << taken.error().detail;
  EXPECT_EQ(taken->account.invoices[0].discount, taken->account.subscriptions[0].discount);
}

TEST(ImportedCustomers, OweForSubscriptionsThatHaveEnded) {
  ForeignAccount command = jenny();
  command.ended = std::exchange(command.subscriptions, {});
  command.ended[0].status = SubscriptionStatus::canceled;
  command.ended[0].ended_at = month(2) + days(1);
  auto taken = bring_along(empty_account(), command, month(2) + days(2), Rules());
  ASSERT_TRUE(taken) << taken.error().detail;
  EXPECT_TRUE(taken->account.subscriptions.empty());
  EXPECT_EQ(taken->account.invoices.size(), 1U);
  ASSERT_EQ(taken->settled.size(), 1U);
  EXPECT_EQ(std::get<Subscription>(taken->settled[0]).id, command.ended[0].id);
  EXPECT_EQ(timers(taken->account)[static_cast<std::size_t>(Queue::collection)], month(2) + days(3));
  command.ended[0].status = SubscriptionStatus::active;
  EXPECT_EQ(bring_along(empty_account(), command, start, Rules()).error().parameter, "status");
}

TEST(ImportedCustomers, AreBilledForWhatTheyUsedUnderTheFormerSystem) {
  ForeignAccount command = jenny();
  command.invoices.clear();
  SubscriptionItem& item = command.subscriptions[0].items[0];
  item.price.usage_type = UsageType::metered;
  item.price.unit_amount.minor = 7;
  item.usage = {{.period = {month(2), month(3)}, .invoice = {}, .points = {{month(2), 120}}, .folded_until = {}}};
  auto taken = bring_along(empty_account(), command, month(2) + days(1), Rules());
  ASSERT_TRUE(taken) << taken.error().detail;
  auto recorded = decide(taken->account, RecordUsage{item.id, 30, month(2) + days(2)}, month(2) + days(2), Rules());
  ASSERT_TRUE(recorded) << recorded.error().detail;
  const auto renewed = tick(recorded->account, month(3), Rules());
  ASSERT_TRUE(renewed) << renewed.error().detail;
  ASSERT_EQ(renewed->account.invoices.size(), 1U);
  EXPECT_EQ(renewed->account.invoices[0].lines[0].quantity, 150);
  EXPECT_EQ(renewed->account.invoices[0].total.minor, 1050);
}

TEST(ImportedCustomers, FollowTheSchedulesThatTheyHad) {
  ForeignAccount command = jenny();
  command.invoices.clear();
  Schedule schedule;
  schedule.id = make_id<ScheduleKind>(key, 20);
  schedule.status = ScheduleStatus::active;
  schedule.subscription = command.subscriptions[0].id;
  Phase now, then;
  now.start = month(2);
  now.end = then.start = month(3);
  then.end = month(5);
  now.items = {{command.subscriptions[0].items[0].price, 1, {}}};
  then.items = now.items;
  then.items[0].price.id = PlanId("platinum");
  then.items[0].price.unit_amount.minor = 4900;
  now.proration = then.proration = PhaseProration::none;
  schedule.phases = {now, then};
  command.schedules = {schedule};
  EXPECT_EQ(bring_along(empty_account(), command, start, Rules()).error().parameter, "schedule")
      << "the subscription knows nothing of it";
  command.subscriptions[0].schedule = schedule.id;
  const auto taken = bring_along(empty_account(), command, month(2) + days(1), Rules());
  ASSERT_TRUE(taken) << taken.error().detail;
  Account account = taken->account;
  while (account.invoices.empty()) {
    const auto due = next_due(timers(account));
    ASSERT_TRUE(due && *due <= month(3));
    const auto ticked = tick(account, *due, Rules());
    ASSERT_TRUE(ticked) << ticked.error().detail;
    account = ticked->account;
  }
  EXPECT_EQ(account.invoices[0].total.minor, 4900);
  EXPECT_EQ(account.invoices[0].lines[0].period, (Period{month(3), month(4)}));
}

TEST(ImportedCustomers, PayWithNothingElseThanTheyChose) {
  ForeignAccount command = jenny();
  command.invoices.clear();
  command.customer.default_source = make_id<SourceKind>(key, 99);
  command.customer.default_payment_method = SourceId("pm_1abcdef");
  const auto taken = bring_along(empty_account(), command, month(2) + days(1), Rules());
  ASSERT_TRUE(taken) << taken.error().detail;
  EXPECT_EQ(taken->account.sources.size(), 1U) << "there is another card";
  EXPECT_TRUE(taken->account.customer.default_source.is_empty());
  EXPECT_TRUE(taken->account.customer.default_payment_method.is_empty());
  Account account = taken->account;
  while (account.invoices.empty() || !account.invoices[0].attempted) {
    const auto due = next_due(timers(account));
    ASSERT_TRUE(due && *due < month(4));
    const auto ticked = tick(account, *due, Rules());
    ASSERT_TRUE(ticked) << ticked.error().detail;
    account = ticked->account;
  }
  EXPECT_EQ(account.invoices[0].status, InvoiceStatus::open);
  EXPECT_TRUE(account.invoices[0].charges.empty());
}

TEST(ImportedCustomers, KeepTheirTaxIdentifiersAndWordsOfInvoices) {
  ForeignAccount command = jenny();
  command.customer.tax_identifiers = {{make_id<TaxIdentifierKind>(key, 30), start, "eu_vat", "DE123456789"}};
  command.customer.invoice_footer = "Thank you";
  command.customer.invoice_fields = {{"Order", "17"}};
  auto taken = bring_along(empty_account(), command, month(2) + days(1), Rules());
  ASSERT_TRUE(taken) << taken.error().detail;
  EXPECT_EQ(taken->account.customer.tax_identifiers, command.customer.tax_identifiers);
  EXPECT_EQ(taken->account.customer.invoice_footer, "Thank you");
  EXPECT_EQ(taken->account.customer.invoice_fields, command.customer.invoice_fields);
}

/// Jenny's subscription waits for the payment of 600 to cost 2500 from now on.
ForeignAccount waiting_jenny() {
  ForeignAccount foreign = jenny();
  Invoice& invoice = foreign.invoices[0];
  invoice.reason = BillingReason::subscription_update;
  invoice.is_tentative = true;
  invoice.lines[0].amount.minor = invoice.total.minor = 600;
  invoice.lines[0].invoice_item = make_id<InvoiceItemKind>(key, 12);
  invoice.lines[0].proration = true;
  invoice.next_attempt_at.reset();
  Subscription& subscription = foreign.subscriptions[0];
  subscription.latest_invoice = invoice.id;
  PendingUpdate& update = subscription.pending_update.emplace();
  update.invoice = invoice.id;
  update.expires_at = month(2) + days(2);
  update.items = subscription.items;
  update.items[0].price.unit_amount.minor = 2500;
  update.anchor = subscription.anchor;
  update.ordinal = subscription.ordinal;
  update.current_period = subscription.current_period;
  return foreign;
}

TEST(ImportedCustomers, WaitOnForChangesThatAreToBePaidFirst) {
  const auto taken = bring_along(empty_account(), waiting_jenny(), month(2) + days(1), Rules());
  ASSERT_TRUE(taken) << taken.error().detail;
  const InvoiceId invoice = taken->account.invoices[0].id;

  const auto paid = decide(
      taken->account, PayInvoice{.invoice = invoice, .recalled = std::nullopt, .source = {}, .paid_out_of_band = true},
      month(2) + days(1), Rules());
  ASSERT_TRUE(paid) << paid.error().detail;
  EXPECT_EQ(paid->account.subscriptions[0].pending_update, std::nullopt);
  EXPECT_EQ(paid->account.subscriptions[0].items[0].price.unit_amount.minor, 2500);

  const auto expired = tick(taken->account, month(2) + days(2), Rules());
  ASSERT_TRUE(expired) << expired.error().detail;
  EXPECT_EQ(expired->account.subscriptions[0].pending_update, std::nullopt);
  EXPECT_EQ(expired->account.subscriptions[0].items[0].price.unit_amount.minor, 1900);
  EXPECT_TRUE(expired->account.invoices.empty()) << "it is void";
  EXPECT_TRUE(expired->account.invoice_items.empty()) << "what the change would have cost is owed by nobody";
}

TEST(ImportedCustomers, AreCreditedWhatTheyPaidWhenADiscountedItemChanges) {
  ForeignAccount command = jenny();
  command.invoices.clear();
  Discount& discount = command.subscriptions[0].discount.emplace();
  discount.coupon.id = CouponId("half");
  discount.coupon.percent_off = *parse_percentage("50");
  discount.coupon.duration = CouponDuration::forever;
  discount.start = start;
  auto taken = bring_along(empty_account(), command, month(2) + days(1), Rules());
  ASSERT_TRUE(taken) << taken.error().detail;
  EXPECT_EQ(taken->account.subscriptions[0].items[0].discount, 950);
  command.subscriptions[0].discount->start = month(2) + days(1);
  taken = bring_along(empty_account(), command, month(2) + days(1), Rules());
  ASSERT_TRUE(taken) << taken.error().detail;
  EXPECT_EQ(taken->account.subscriptions[0].items[0].discount, 0) << "the current period was paid in full";
}

struct Place {
  const char* what;
  Timestamp anchor;
  Period current;
  std::int64_t ordinal, anchor_ordinal;
};

TEST(PlacesInTheCycle, AreFoundByTheCurrentPeriod) {
  const std::array places = {
      Place{"the first period", start, {month(0), month(1)}, 0, 0},
      Place{"after a month without the anchor's day", start, {month(1), month(2)}, 1, 0},
      Place{"years later", start, {month(40), month(41)}, 40, 0},
      Place{"before the anchor", start, {start - days(5), start}, 0, 1},
  };
  for (const Place& place : places) {
    Subscription subscription = monthly();
    subscription.anchor = place.anchor;
    subscription.current_period = place.current;
    place_in_cycle(subscription);
    EXPECT_EQ(subscription.ordinal, place.ordinal) << place.what;
    EXPECT_EQ(subscription.anchor_ordinal, place.anchor_ordinal) << place.what;
    EXPECT_EQ(subscription.period(subscription.ordinal + 1).start, place.current.end) << place.what;
  }
}

struct Unfit {
  const char* what;
  std::function<void(ForeignAccount&)> spoil;
  const char* parameter;
};

TEST(ImportedCustomers, AreRefusedWholeWhenAPartDoesNotFit) {
  const std::array unfit = {
      Unfit{"a foreign customer", [](auto& c) { c.customer.id = CustomerId("cus_4fdAW5ftNQow1a"); }, "id"},
      Unfit{"another account's source",
            [](auto& c) { c.sources[0].id = make_id<SourceKind>(AccountKey::from_bits(1, 2), 2); }, "id"},
      Unfit{"an identifier of another kind", [](auto& c) { c.sources[0].id = SourceId(c.customer.id.value()); }, "id"},
      Unfit{"the same one twice", [](auto& c) { c.sources.push_back(c.sources[0]); }, "id"},
      Unfit{"no items", [](auto& c) { c.subscriptions[0].items.clear(); }, "items"},
      Unfit{"an ended subscription", [](auto& c) { c.subscriptions[0].status = SubscriptionStatus::canceled; },
            "status"},
      Unfit{"an empty period",
            [](auto& c) { c.subscriptions[0].current_period.end = c.subscriptions[0].current_period.start; },
            "current_period_end"},
      Unfit{"a source that is not there",
            [](auto& c) { c.subscriptions[0].default_source = make_id<SourceKind>(key, 99); }, "default_source"},
      Unfit{"an item of an unknown subscription",
            [](auto& c) {
              InvoiceItem& item = c.invoice_items.emplace_back();
              item.id = make_id<InvoiceItemKind>(key, 11);
              item.subscription = make_id<SubscriptionKind>(key, 99);
            },
            "subscription"},
      Unfit{"a bank account with a card's identifier", [](auto& c) { c.sources[0].means = BankAccount(); }, "id"},
      Unfit{"a paid invoice", [](auto& c) { c.invoices[0].status = InvoiceStatus::paid; }, "status"},
      Unfit{"a wrong total", [](auto& c) { c.invoices[0].total.minor += 1; }, "total"},
      Unfit{"a discount that is not told",
            [](auto& c) {
              c.invoices[0].lines[0].discount = 100;
              c.invoices[0].total.minor -= 100;
            },
            "discount"},
      Unfit{"usage of what is not metered",
            [](auto& c) {
              c.subscriptions[0].items[0].usage.push_back(
                  {.period = {month(2), month(3)}, .invoice = {}, .points = {}, .folded_until = {}});
            },
            "items"},
      Unfit{"usage of another period",
            [](auto& c) {
              c.subscriptions[0].items[0].price.usage_type = UsageType::metered;
              c.subscriptions[0].items[0].usage.push_back(
                  {.period = {month(1), month(2)}, .invoice = {}, .points = {}, .folded_until = {}});
            },
            "items"},
      Unfit{"a schedule that was not taken",
            [](auto& c) { c.subscriptions[0].schedule = make_id<ScheduleKind>(key, 99); }, "schedule"},
      Unfit{"an open invoice without a number", [](auto& c) { c.invoices[0].number.clear(); }, "number"},
      Unfit{"the same tax identifier twice",
            [](auto& c) {
              c.customer.tax_identifiers.resize(2);
              for (TaxIdentifier& each : c.customer.tax_identifiers) each.id = make_id<TaxIdentifierKind>(key, 30);
            },
            "id"},
      Unfit{"a pending update without items",
            [](auto& c) {
              c = waiting_jenny();
              c.subscriptions[0].pending_update->items.clear();
            },
            "pending_update"},
      Unfit{"a pending update with another account's item",
            [](auto& c) {
              c = waiting_jenny();
              c.subscriptions[0].pending_update->items[0].id =
                  make_id<SubscriptionItemKind>(AccountKey::from_bits(1, 2), 4);
            },
            "id"},
      Unfit{"a pending update without its invoice",
            [](auto& c) {
              c = waiting_jenny();
              c.subscriptions[0].pending_update->invoice = make_id<InvoiceKind>(key, 99);
            },
            "pending_update"},
      Unfit{"a pending update whose invoice is for good",
            [](auto& c) {
              c = waiting_jenny();
              c.invoices[0].is_tentative = false;
            },
            "pending_update"},
      Unfit{"an unknown subscription's invoice",
            [](auto& c) { c.invoices[0].subscription = make_id<SubscriptionKind>(key, 99); }, "subscription"},
  };
  for (const Unfit& each : unfit) {
    ForeignAccount command = jenny();
    each.spoil(command);
    const auto refused = bring_along(empty_account(), command, start, Rules());
    ASSERT_FALSE(refused) << each.what;
    EXPECT_EQ(refused.error().parameter, each.parameter) << each.what << ": " << refused.error().detail;
  }
}

}  // namespace
}  // namespace billd::imports_test
