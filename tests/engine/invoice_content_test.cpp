// What is to be read on invoices, their own discounts, tax identifiers, and pending items that are billed by an
// interval.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/engine/scenario.hpp"

namespace billd::invoice_content_test {
namespace {

using std::chrono::hours;
using test::at;
using test::price;
using test::Scenario;
using testing::Contains;
using testing::ElementsAre;

const Timestamp start = at("2026-01-01");

struct Billed {
  Billed() : world(start) { world.customer_with_card(); }
  /// A draft of an item of 1,000.
  InvoiceId draft(CreateInvoice command = {}) {
    world.item_of(1000);
    command.auto_advance = false;
    return InvoiceId(world.run(command).subject);
  }

  Scenario world;
};

TEST(AnInvoice, ShowsWhatItsCustomersInvoicesShow) {
  Billed given;
  UpdateCustomer update;
  update.invoice_footer = "Thank you.";
  update.invoice_fields = CustomFields{{"PO", "77"}};
  given.world.run(update);
  const Invoice plain = given.world.invoice(given.draft());
  EXPECT_EQ(plain.footer, "Thank you.");
  EXPECT_EQ(plain.custom_fields, (CustomFields{{"PO", "77"}}));
  CreateInvoice own;
  own.footer = "";
  own.custom_fields = CustomFields{};
  own.statement_descriptor = "ADA";
  const Invoice other = given.world.invoice(given.draft(own));
  EXPECT_EQ(other.footer, "");
  EXPECT_TRUE(other.custom_fields.empty());
  EXPECT_EQ(other.statement_descriptor, "ADA");
}

TEST(AnInvoice, IsChangedInWhatItShowsAsADraftOnly) {
  Billed given;
  const InvoiceId id = given.draft();
  UpdateInvoice update;
  update.invoice = id;
  update.recalled = given.world.settled(id);
  update.footer = "Net 30";
  given.world.run(update);
  EXPECT_EQ(given.world.invoice(id).footer, "Net 30");
  given.world.run(FinalizeInvoice{id, given.world.settled(id), false});
  update.recalled = given.world.settled(id);
  EXPECT_EQ(given.world.refused(update).parameter, "footer");
  update.footer.reset();
  update.discount = std::optional<Redemption>();
  EXPECT_EQ(given.world.refused(update).parameter, "discounts");
}

TEST(AnInvoicesOwnDiscount, StandsInThePlaceOfTheCustomers) {
  Billed given;
  UpdateCustomer update;
  update.discount = std::optional(test::percent_off("50"));
  given.world.run(update);
  CreateInvoice with, without, inherits;
  with.discount = std::optional(test::amount_off(100));
  without.discount = std::optional<Redemption>();
  EXPECT_EQ(given.world.invoice(given.draft(with)).total.minor, 900);
  EXPECT_EQ(given.world.invoice(given.draft(without)).total.minor, 1000);
  EXPECT_EQ(given.world.invoice(given.draft(inherits)).total.minor, 500);
  EXPECT_TRUE(given.world.account().customer.discount.has_value());
}

TEST(AnInvoicesOwnDiscount, CanBeChangedAndTakenAway) {
  Billed given;
  UpdateCustomer update;
  update.discount = std::optional(test::percent_off("50", CouponDuration::once));
  given.world.run(update);
  const InvoiceId id = given.draft();
  EXPECT_EQ(given.world.invoice(id).total.minor, 500);
  EXPECT_FALSE(given.world.account().customer.discount.has_value());
  UpdateInvoice change;
  change.invoice = id;
  change.recalled = given.world.settled(id);
  change.discount = std::optional(test::amount_off(1));
  given.world.run(change);
  EXPECT_EQ(given.world.invoice(id).total.minor, 999);
  EXPECT_TRUE(given.world.account().customer.discount.has_value()) << "what the invoice had used up is there again";
  change.recalled = given.world.settled(id);
  change.discount = std::optional<Redemption>();
  given.world.run(change);
  EXPECT_EQ(given.world.invoice(id).total.minor, 1000);
  given.world.run(DeleteInvoice{id, given.world.settled(id)});
  EXPECT_TRUE(given.world.account().customer.discount.has_value());
}

TEST(ATaxIdentifier, IsOnInvoicesAsItWasWhenTheyWereFinalized) {
  Billed given;
  const Transition added = given.world.run(AddTaxIdentifier{{"eu_vat", "DE123456789"}});
  const TaxIdentifierId id(added.subject);
  EXPECT_THAT(test::names(added), ElementsAre("customer.tax_id.created"));
  EXPECT_EQ(given.world.run(AddTaxIdentifier{{"eu_vat", "DE123456789"}}).subject, id.value()) << "there already";
  const InvoiceId invoice = given.draft();
  given.world.run(FinalizeInvoice{invoice, given.world.settled(invoice), false});
  EXPECT_THAT(test::names(given.world.run(RemoveTaxIdentifier{id})), ElementsAre("customer.tax_id.deleted"));
  EXPECT_EQ(given.world.invoice(invoice).customer_tax_identifiers, (CustomFields{{"eu_vat", "DE123456789"}}));
  EXPECT_EQ(given.world.refused(RemoveTaxIdentifier{id}).parameter, "id");
  EXPECT_EQ(given.world.refused(AddTaxIdentifier{{"eu_vat", ""}}).parameter, "value");
  for (int i = 0; i < 25; ++i) given.world.run(AddTaxIdentifier{{"us_ein", std::to_string(i)}});
  EXPECT_EQ(given.world.refused(AddTaxIdentifier{{"us_ein", "25"}}).code, Errc::limit_exceeded);
}

TEST(PendingItems, AreBilledByTheirSubscriptionsInterval) {
  Billed given;
  Subscribe command = test::subscribe_to(price(3100));
  command.pending_item_interval = Recurrence{Interval::week, 1};
  const SubscriptionId id = given.world.subscribed_to(command);
  EXPECT_EQ(given.world.subscription(id).pending_item_interval->next(), at("2026-01-08"));
  given.world.item_of(700, id);
  given.world.pass_to(at("2026-01-08 02:00:00"));
  EXPECT_EQ(given.world.latest_invoice().total.minor, 700);
  EXPECT_EQ(given.world.latest_invoice().status, InvoiceStatus::paid);
  EXPECT_EQ(given.world.subscription(id).pending_item_interval->next(), at("2026-01-15"));
  given.world.pass_to(at("2026-01-16"));
  EXPECT_EQ(given.world.invoices().size(), 2U) << "where nothing is pending there is no invoice";
  UpdateSubscription end;
  end.subscription = id;
  end.pending_item_interval = std::optional<Recurrence>();
  given.world.run(end);
  given.world.item_of(800, id);
  given.world.pass_to(at("2026-01-31"));
  EXPECT_EQ(given.world.invoices().size(), 2U);
  given.world.pass_to(at("2026-02-01 02:00:00"));
  EXPECT_EQ(given.world.latest_invoice().total.minor, 3900);
}

TEST(PendingItems, AreBilledOnceForAllTimesThatWereMissed) {
  Billed given;
  Subscribe command = test::subscribe_to(price(3100, {Interval::year, 1}));
  command.pending_item_interval = Recurrence{Interval::day, 1};
  const SubscriptionId id = given.world.subscribed_to(command);
  given.world.item_of(700, id);
  given.world.jump_to(at("2026-03-01 12:00:00"));
  EXPECT_EQ(given.world.invoices().size(), 2U);
  EXPECT_EQ(given.world.subscription(id).pending_item_interval->next(), at("2026-03-02"));
}

TEST(PendingItems, AreNotBilledByAnIntervalBeyondThreeYears) {
  Billed given;
  Subscribe command = test::subscribe_to(price(3100));
  command.pending_item_interval = Recurrence{Interval::year, 4};
  EXPECT_EQ(given.world.refused(command).parameter, "pending_invoice_item_interval[interval_count]");
}

}  // namespace
}  // namespace billd::invoice_content_test
