// Invoices, invoice items and previews through the Stripe face: every operation, and every refusal.
#include <gmock/gmock.h>

#include "tests/net/stripe_fixture.hpp"

namespace billd::api::stripe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;

class Invoices : public StripeTest {
 protected:
  Invoices() {
    plan("gold", "3000");
    plan("iron", "1000");
    ann = customer();
  }

  Answered add_item(std::string form) {
    Answered created = post("/v1/invoiceitems", "customer=" + ann + "&" + form);
    EXPECT_EQ(created.status, 200) << created.text;
    return created;
  }
  Answered draft(std::string more = "") {
    add_item("amount=700&currency=usd&description=Screws");
    Answered created = post("/v1/invoices", "customer=" + ann + "&pending_invoice_items_behavior=include" + more);
    EXPECT_EQ(created.status, 200) << created.text;
    return created;
  }

  std::string ann;
};

using InvoiceItems = Invoices;

TEST_F(InvoiceItems, ArePendingUntilTheyAreBilled) {
  const Answered created = add_item(
      "unit_amount=250&quantity=3&currency=usd&description=Screws&discountable=false&metadata[a]=1&period[start]=" +
      now() + "&period[end]=" + now(day));
  EXPECT_EQ(created.text_at("/object"), "invoiceitem");
  EXPECT_EQ(created.text_at("/amount"), "750");
  EXPECT_EQ(created.text_at("/quantity"), "3");
  EXPECT_EQ(created.text_at("/invoice"), "null");
  EXPECT_EQ(created.text_at("/period/end"), now(day));
  EXPECT_EQ(created.text_at("/discountable"), "false");
  const std::string url = "/v1/invoiceitems/" + created.id();
  EXPECT_EQ(get(url).text, created.text);
  EXPECT_EQ(get(url + "?expand[]=customer").text_at("/customer/id"), ann);
  const Answered changed = post(url, "amount=-50&description=&metadata[b]=2");
  ASSERT_EQ(changed.status, 200) << changed.text;
  EXPECT_EQ(changed.text_at("/amount"), "-50");
  EXPECT_EQ(changed.text_at("/description"), "null");
  EXPECT_EQ(changed.text_at("/metadata"), R"({"a":"1","b":"2"})");

  add_item("amount=900");  // in the customer's currency
  const Answered invoice = post("/v1/invoices", "customer=" + ann + "&pending_invoice_items_behavior=include");
  EXPECT_EQ(invoice.text_at("/total"), "850");
  EXPECT_EQ(get(url).text_at("/invoice"), invoice.id());
  EXPECT_EQ(post(url, "amount=100").status, 200) << "as long as it is a draft";
  EXPECT_EQ(get("/v1/invoices/" + invoice.id()).text_at("/total"), "1000");
  ASSERT_EQ(post("/v1/invoices/" + invoice.id() + "/pay").status, 200);
  EXPECT_EQ(get(url).text_at("/invoice"), invoice.id()) << "also when the invoice has left the account";
  EXPECT_EQ(post(url, "amount=5").status, 400);
  EXPECT_EQ(remove(url).status, 400);
}

TEST_F(InvoiceItems, AreDeletedAndPutOnADraft) {
  const Answered item = add_item("amount=100&currency=usd");
  const std::string url = "/v1/invoiceitems/" + item.id();
  EXPECT_EQ(remove(url).text, R"({"id":")" + item.id() + R"(","object":"invoiceitem","deleted":true})");
  EXPECT_EQ(get(url).error(), "No such invoiceitem: " + item.id());
  EXPECT_EQ(remove(url).status, 404);
  EXPECT_EQ(post(url, "amount=1").status, 404);
  const std::string invoice = draft().id();
  const Answered added = add_item("amount=300&invoice=" + invoice);
  EXPECT_EQ(added.text_at("/invoice"), invoice);
  EXPECT_EQ(get("/v1/invoices/" + invoice).text_at("/total"), "1000");
  EXPECT_EQ(remove("/v1/invoiceitems/" + added.id()).status, 200);
  EXPECT_EQ(get("/v1/invoices/" + invoice).text_at("/total"), "700");
}

TEST_F(InvoiceItems, AreListed) {
  const std::string bob = customer("email=bob@example.com");
  const std::string first = add_item("amount=100&currency=usd").id();
  const std::string invoice = post("/v1/invoices", "customer=" + ann + "&pending_invoice_items_behavior=include").id();
  clock.advance(std::chrono::seconds(1));
  const std::string second = add_item("amount=200").id();
  clock.advance(std::chrono::seconds(1));
  const std::string third = post("/v1/invoiceitems", "customer=" + bob + "&amount=5&currency=eur").id();
  EXPECT_THAT(get("/v1/invoiceitems").ids(), ElementsAre(third, second, first));
  EXPECT_THAT(get("/v1/invoiceitems?pending=true").ids(), ElementsAre(third, second));
  EXPECT_THAT(get("/v1/invoiceitems?pending=false").ids(), ElementsAre(first));
  EXPECT_THAT(get("/v1/invoiceitems?limit=1&starting_after=" + third).ids(), ElementsAre(second));
  EXPECT_THAT(get("/v1/invoiceitems?customer=" + ann).ids(), ElementsAre(second, first));
  EXPECT_THAT(get("/v1/invoiceitems?pending=true&customer=" + ann).ids(), ElementsAre(second));
  EXPECT_THAT(get("/v1/invoiceitems?customer=" + ann + "&limit=1&ending_before=" + first).ids(), ElementsAre(second));
  EXPECT_THAT(get("/v1/invoiceitems?invoice=" + invoice).ids(), ElementsAre(first));
  EXPECT_THAT(get("/v1/invoiceitems?invoice=" + invoice + "&customer=" + bob).ids(), IsEmpty());
  EXPECT_THAT(get("/v1/invoiceitems?created[gte]=" + now()).ids(), ElementsAre(third));
  ASSERT_EQ(post("/v1/invoices/" + invoice + "/pay").status, 200);
  EXPECT_THAT(get("/v1/invoiceitems?customer=" + ann).ids(), ElementsAre(second, first));
  EXPECT_EQ(get("/v1/invoiceitems?invoice=in_nope").text_at("/error/param"), "invoice");
  EXPECT_EQ(get("/v1/invoiceitems?customer=cus_nope").text_at("/error/param"), "customer");
}

TEST_F(InvoiceItems, AreRefusedWithTheirReason) {
  const std::string customer_is = "customer=" + ann;
  expect_refused(
      "/v1/invoiceitems",
      {
          {"amount=5&currency=usd", "customer", "Missing required param: customer."},
          {"customer=cus_nope&amount=5&currency=usd", "customer", "No such customer: cus_nope"},
          {customer_is + "&currency=usd", "amount", "Missing required param: amount."},
          {customer_is + "&amount=5", "currency", "Missing required param: currency."},
          {customer_is + "&amount=x&currency=usd", "amount", "Invalid integer: x"},
          {customer_is + "&amount=5&unit_amount=5&currency=usd", "amount", "only specify one"},
          {customer_is + "&amount=5&quantity=5&currency=usd", "amount", "only specify one"},
          {customer_is + "&amount=5&currency=xyz1", "currency", "Invalid currency: xyz1"},
          {customer_is + "&amount=5&currency=usd&invoice=in_nope", "invoice", "No such invoice: in_nope"},
          {customer_is + "&amount=5&currency=usd&subscription=sub_nope", "subscription",
           "No such subscription: sub_nope"},
          {customer_is + "&amount=5&currency=usd&period[start]=7", "period[end]", "Missing required param"},
          {customer_is + "&amount=5&currency=usd&period[start]=7&period[end]=6", "period", "must end after it starts"},
          {customer_is + "&amount=5&currency=usd&size=1", "size", "Received unknown parameter: size"},
      });
  add_item("amount=5&currency=usd");
  expect_refused("/v1/invoiceitems",
                 {{customer_is + "&amount=5&currency=eur", "(missing)", "cannot combine currencies"}});
  EXPECT_THAT(get("/v1/invoiceitems").ids(), SizeIs(1));
}

TEST_F(Invoices, AreDrawnUpByHandFinalizedAndPaid) {
  const Answered created = draft("&description=Thanks&metadata[a]=1&auto_advance=false");
  EXPECT_EQ(created.text_at("/status"), "draft");
  EXPECT_EQ(created.text_at("/billing_reason"), "manual");
  EXPECT_EQ(created.text_at("/number"), "null");
  EXPECT_EQ(created.text_at("/lines/data/0/description"), "Screws");
  EXPECT_EQ(created.text_at("/auto_advance"), "false");
  const std::string url = "/v1/invoices/" + created.id();
  const Answered open = post(url + "/finalize");
  EXPECT_EQ(open.text_at("/status"), "open");
  EXPECT_NE(open.text_at("/number"), "null");
  EXPECT_EQ(post(url + "/finalize").status, 400);
  const Answered paid = post(url + "/pay", "forgive=false");
  EXPECT_EQ(paid.text_at("/status"), "paid");
  EXPECT_EQ(paid.text_at("/amount_paid"), "700");
  EXPECT_EQ(post(url + "/pay").text_at("/error/code"), "invoice_already_paid");
  EXPECT_EQ(get(url).text, paid.text);
}

TEST_F(Invoices, TakePendingItemsByVersion) {
  add_item("amount=700&currency=usd");
  const Answered empty = post("/v1/invoices", "customer=" + ann);
  EXPECT_EQ(empty.text_at("/total"), "0");
  const Answered all = post("/v1/invoices", "customer=" + ann, {{"Stripe-Version", "2018-05-21"}});
  EXPECT_EQ(all.text_at("/total"), "700");
  EXPECT_EQ(post("/v1/invoices", "customer=" + ann, {{"Stripe-Version", "2018-05-21"}}).error(),
            "Nothing to invoice for customer");
  EXPECT_EQ(post("/v1/invoices", "customer=" + ann + "&pending_invoice_items_behavior=include_and_require").status,
            400);
  EXPECT_EQ(post("/v1/invoices", "customer=" + ann + "&pending_invoice_items_behavior=include").status, 200);
  const std::string bob = customer("email=bob@example.com");
  EXPECT_EQ(post("/v1/invoices", "customer=" + bob).text_at("/error/param"), "currency");
  EXPECT_EQ(post("/v1/invoices", "customer=" + bob + "&currency=eur").text_at("/currency"), "eur");
}

TEST_F(Invoices, AreSentAndPaidAnotherWay) {
  const Answered created = draft("&collection_method=send_invoice&days_until_due=5");
  EXPECT_EQ(created.text_at("/due_date"), now(5 * day));
  const std::string url = "/v1/invoices/" + created.id();
  EXPECT_EQ(post(url, "days_until_due=9").text_at("/due_date"), now(9 * day));
  EXPECT_EQ(post(url, "due_date=" + now(day)).text_at("/due_date"), now(day));
  EXPECT_THAT(get("/v1/invoices?due_date[lte]=" + now(day)).ids(), ElementsAre(created.id()));
  EXPECT_THAT(get("/v1/invoices?due_date[lt]=" + now(day)).ids(), IsEmpty());
  EXPECT_THAT(get("/v1/invoices?collection_method=send_invoice").ids(), ElementsAre(created.id()));
  EXPECT_EQ(post(url + "/send").text_at("/status"), "open");
  EXPECT_EQ(post(url, "paid=false").text_at("/paid"), "false");
  const Answered paid = post(url, "paid=true");
  EXPECT_EQ(paid.text_at("/paid"), "true");
  EXPECT_EQ(paid.text_at("/paid_out_of_band"), "true");
  EXPECT_EQ(post(url, "paid=false").status, 400);
  EXPECT_EQ(post("/v1/invoices/" + draft().id() + "/send").status, 400) << "it is charged, not sent";
  const std::string other = draft().id();
  EXPECT_EQ(post("/v1/invoices/" + other, "paid=true").text_at("/error/param"), "paid");
  EXPECT_EQ(post("/v1/invoices/" + other + "/pay", "paid_out_of_band=true").text_at("/paid_out_of_band"), "true");
  EXPECT_EQ(post("/v1/invoices/" + other + "/pay", "paid_out_of_band=true&source=x").text_at("/error/param"), "source");
}

TEST_F(Invoices, AreDeletedVoidedForgivenAndClosed) {
  const std::string first = draft().id();
  EXPECT_EQ(post("/v1/invoices/" + first + "/void").status, 400) << "a draft is deleted";
  EXPECT_EQ(remove("/v1/invoices/" + first).text, R"({"id":")" + first + R"(","object":"invoice","deleted":true})");
  EXPECT_EQ(get("/v1/invoices/" + first).status, 404);
  EXPECT_THAT(get("/v1/invoiceitems?pending=true").ids(), SizeIs(1)) << "its item is pending again";
  const std::string second = "/v1/invoices/" + draft().id();
  EXPECT_EQ(post(second + "/mark_uncollectible").status, 400) << "only an open one";
  ASSERT_EQ(post(second + "/finalize", "auto_advance=false").status, 200);
  EXPECT_EQ(remove(second).status, 400);
  EXPECT_EQ(post(second + "/void").text_at("/status"), "void");
  EXPECT_EQ(post(second + "/void").status, 400);
  const std::string third = "/v1/invoices/" + draft().id();
  ASSERT_EQ(post(third + "/finalize", "auto_advance=false").status, 200);
  EXPECT_EQ(post(third, "forgiven=true&description=x").text_at("/error/param"), "forgiven");
  EXPECT_EQ(post(third, "forgiven=true").text_at("/forgiven"), "true");
  EXPECT_EQ(get(third).text_at("/status"), "uncollectible");
  EXPECT_EQ(post(third, "forgiven=true").status, 200) << "it is so already";
  EXPECT_EQ(post(third, "forgiven=false").error(), "A forgiven invoice cannot be unforgiven.");
  EXPECT_EQ(post(third, "closed=false").status, 400);
  const std::string fourth = "/v1/invoices/" + draft().id();
  ASSERT_EQ(post(fourth + "/finalize", "auto_advance=false").status, 200);
  EXPECT_EQ(post(fourth + "/mark_uncollectible").text_at("/status"), "uncollectible");
  const std::string fifth = "/v1/invoices/" + draft().id();
  const Answered closed = post(fifth, "closed=true&description=Later&metadata[a]=1");
  EXPECT_EQ(closed.text_at("/closed"), "true");
  EXPECT_EQ(closed.text_at("/description"), "Later");
  EXPECT_EQ(post(fifth, "closed=false").text_at("/auto_advance"), "true");
  EXPECT_EQ(post(fifth, "description=&metadata=").text_at("/description"), "null");
}

TEST_F(Invoices, AreRefusedWithTheirReason) {
  const std::string customer_is = "customer=" + ann;
  expect_refused("/v1/invoices",
                 {
                     {"", "customer", "Missing required param: customer."},
                     {"customer=cus_nope", "customer", "No such customer: cus_nope"},
                     {customer_is + "&currency=usd&subscription=sub_nope", "subscription", "No such subscription"},
                     {customer_is + "&currency=usd&default_source=card_nope", "default_source", "No such source"},
                     {customer_is + "&currency=usd&collection_method=send_invoice", "days_until_due", ""},
                     {customer_is + "&currency=usd&due_date=" + now(day), "due_date", ""},
                     {customer_is + "&currency=usd&pending_invoice_items_behavior=all",
                      "pending_invoice_items_behavior", "must be one of"},
                     {customer_is + "&currency=usd&size=1", "size", "Received unknown parameter: size"},
                 });
  const std::string url = "/v1/invoices/" + draft().id();
  expect_refused(url, {
                          {"due_date=" + now(day), "due_date", ""},
                          {"due_date=" + now(day) + "&days_until_due=1", "due_date", "Received both"},
                          {"default_source=card_nope", "default_source", "No such source: card_nope"},
                          {"closed=true&auto_advance=true", "closed", "opposite"},
                          {"closed=perhaps", "closed", "Invalid boolean: perhaps"},
                          {"subtotal=5", "subtotal", "Received unknown parameter: subtotal"},
                      });
  for (const char* action : {"", "/pay", "/finalize", "/send", "/void", "/mark_uncollectible"})
    EXPECT_EQ(post(std::string("/v1/invoices/in_nope") + action).error(), "No such invoice: in_nope") << action;
  EXPECT_EQ(remove("/v1/invoices/in_nope").status, 404);
  EXPECT_EQ(get("/v1/invoices/in_nope/lines").status, 404);
  EXPECT_EQ(get("/v1/invoices?status=lost").text_at("/error/param"), "status");
}

TEST_F(Invoices, AreListedPageByPageWithoutReadingAll) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    clock.advance(std::chrono::seconds(1));
    const std::string id = draft().id();
    ASSERT_EQ(post("/v1/invoices/" + id + "/pay").status, 200);
    ids.insert(ids.begin(), id);
  }
  const std::string url = "/v1/invoices?customer=" + ann;
  EXPECT_EQ(get(url).ids(), ids);
  const Answered page = get(url + "&limit=2&starting_after=" + ids[1]);
  EXPECT_THAT(page.ids(), ElementsAre(ids[2], ids[3]));
  EXPECT_TRUE(page.at("/has_more").as_bool());
  const Answered back = get(url + "&limit=2&ending_before=" + ids[3]);
  EXPECT_THAT(back.ids(), ElementsAre(ids[1], ids[2]));
  EXPECT_TRUE(back.at("/has_more").as_bool());
  EXPECT_FALSE(get(url + "&limit=2&ending_before=" + ids[2]).at("/has_more").as_bool());
  EXPECT_THAT(get(url + "&status=paid&limit=1").ids(), ElementsAre(ids[0]));
  EXPECT_THAT(get(url + "&status=open").ids(), IsEmpty());
  EXPECT_THAT(get(url + "&created[lt]=" + now(-2)).ids(), ElementsAre(ids[3], ids[4]));
  EXPECT_EQ(get(url + "&starting_after=in_nope").text_at("/error/param"), "starting_after");
}

TEST_F(Invoices, ListTheirLinesByCursor) {
  for (int i = 0; i < 12; ++i) add_item("amount=" + std::to_string(100 + i) + "&currency=usd");
  const Answered invoice = post("/v1/invoices", "customer=" + ann + "&pending_invoice_items_behavior=include");
  EXPECT_EQ(invoice.text_at("/lines/has_more"), "true");
  const std::string url = "/v1/invoices/" + invoice.id() + "/lines";
  const Answered first = get(url + "?limit=5");
  ASSERT_THAT(first.ids(), SizeIs(5));
  EXPECT_EQ(first.text_at("/data/0/amount"), "111") << "the newest first";
  const Answered last = get(url + "?limit=100&starting_after=" + first.ids()[4]);
  EXPECT_THAT(last.ids(), SizeIs(7));
  EXPECT_THAT(get(url + "?ending_before=" + last.ids()[0]).ids(), SizeIs(5));
  EXPECT_EQ(get(url + "?limit=0").text_at("/error/param"), "limit");
}

class UpcomingInvoice : public Invoices {
 protected:
  std::string subscribe(std::string form) {
    Answered created = post("/v1/subscriptions", "customer=" + ann + "&" + form);
    EXPECT_EQ(created.status, 200) << created.text;
    return created.id();
  }
  Answered upcoming(std::string query) { return get("/v1/invoices/upcoming?" + query); }
};

TEST_F(UpcomingInvoice, IsTheNextBill) {
  EXPECT_EQ(upcoming("customer=" + ann).error(), "No upcoming invoices for customer: " + ann);
  EXPECT_EQ(upcoming("customer=" + ann).status, 404);
  const std::string id = subscribe("plan=gold");
  add_item("amount=250&description=Screws");
  const Answered next = upcoming("customer=" + ann + "&expand[]=subscription");
  ASSERT_EQ(next.status, 200) << next.text;
  EXPECT_EQ(next.text_at("/id"), "(missing)");
  EXPECT_EQ(next.text_at("/status"), "draft");
  EXPECT_EQ(next.text_at("/billing_reason"), "upcoming");
  EXPECT_EQ(next.text_at("/amount_due"), "3250");
  EXPECT_EQ(next.text_at("/subscription/id"), id);
  EXPECT_EQ(next.text_at("/lines/data/0/description"), "Screws");
  EXPECT_THAT(next.text_at("/lines/url"), StartsWith("/v1/invoices/upcoming/lines?customer=" + ann));
  EXPECT_EQ(next.text_at("/subscription_proration_date"), "(missing)");
  EXPECT_THAT(get("/v1/invoices?customer=" + ann).ids(), SizeIs(1)) << "a preview is not listed";

  const std::string lines = "/v1/invoices/upcoming/lines?customer=" + ann;
  const Answered page = get(lines + "&limit=1");
  ASSERT_THAT(page.ids(), SizeIs(1));
  EXPECT_TRUE(page.at("/has_more").as_bool());
  EXPECT_EQ(get(lines + "&starting_after=" + page.ids()[0]).text_at("/data/0/type"), "subscription");

  const Timestamp renewal = from_unix(get("/v1/subscriptions/" + id).at("/current_period_end").as_int64());
  live_until(ann, renewal + std::chrono::hours(2));
  const Answered billed = get("/v1/invoices?limit=1&customer=" + ann);
  EXPECT_EQ(billed.at("/data/0/total"), next.at("/total"));
  EXPECT_EQ(billed.at("/data/0/amount_paid"), next.at("/amount_due"));
}

TEST_F(UpcomingInvoice, ShowsAChangeAsItWillBeBilled) {
  const std::string id = subscribe("plan=iron");
  const std::string item = get("/v1/subscriptions/" + id).text_at("/items/data/0/id");
  clock.advance(std::chrono::hours(24 * 10));
  const std::string change = "[0][id]=" + item + "&subscription_items[0][plan]=gold";
  const Answered tried = upcoming("customer=" + ann + "&subscription=" + id + "&subscription_items" + change);
  ASSERT_EQ(tried.status, 200) << tried.text;
  EXPECT_EQ(tried.text_at("/subscription_proration_date"), now());
  EXPECT_EQ(tried.text_at("/lines/total_count"), "3");
  EXPECT_EQ(get("/v1/subscriptions/" + id).text_at("/plan/id"), "iron") << "nothing was changed";
  EXPECT_EQ(upcoming("subscription=" + id + "&subscription_plan=gold").at("/total"), tried.at("/total"));
  EXPECT_EQ(upcoming("subscription=" + id + "&subscription_plan=gold&subscription_prorate=false").text_at("/total"),
            "3000");
  EXPECT_EQ(upcoming("subscription=" + id + "&subscription_quantity=2&subscription_proration_behavior=none")
                .text_at("/total"),
            "2000");
  EXPECT_LT(upcoming("subscription=" + id + "&subscription_cancel_now=true").at("/total").as_int64(), 0);
  EXPECT_EQ(upcoming("subscription=" + id + "&subscription_trial_end=" + now(60 * day)).status, 200);
  EXPECT_EQ(upcoming("subscription=" + id + "&subscription_billing_cycle_anchor=now&subscription_prorate=false")
                .text_at("/total"),
            "1000");

  const std::string at = tried.text_at("/subscription_proration_date");
  clock.advance(std::chrono::seconds(90));
  ASSERT_EQ(post("/v1/subscriptions/" + id, "plan=gold&proration_date=" + at).status, 200);
  const Timestamp renewal = from_unix(get("/v1/subscriptions/" + id).at("/current_period_end").as_int64());
  live_until(ann, renewal + std::chrono::hours(2));
  EXPECT_EQ(get("/v1/invoices?limit=1&customer=" + ann).at("/data/0/total"), tried.at("/total"))
      << "the bill is what was previewed";
}

TEST_F(UpcomingInvoice, ShowsANewSubscriptionAndItemsThatAreTriedOut) {
  const Answered fresh =
      upcoming("customer=" + ann + "&subscription_items[0][plan]=gold&subscription_items[0][quantity]=2");
  ASSERT_EQ(fresh.status, 200) << fresh.text;
  EXPECT_EQ(fresh.text_at("/total"), "6000");
  EXPECT_THAT(get("/v1/subscriptions").ids(), IsEmpty());
  subscribe("plan=gold");
  const std::string pending = add_item("amount=250").id();
  EXPECT_EQ(
      upcoming("customer=" + ann + "&invoice_items[0][amount]=40&invoice_items[0][currency]=usd").text_at("/total"),
      "3290");
  EXPECT_EQ(upcoming("customer=" + ann + "&invoice_items[0][invoiceitem]=" + pending + "&invoice_items[0][amount]=1")
                .text_at("/total"),
            "3001");
  EXPECT_EQ(get("/v1/invoiceitems/" + pending).text_at("/amount"), "250");
}

TEST_F(UpcomingInvoice, ShowsWhatAScheduleBeginsWith) {
  const std::string start = now(10 * day);
  const Answered schedule = post("/v1/subscription_schedules", "customer=" + ann + "&start_date=" + start +
                                                                   "&phases[0][items][0][plan]=gold&phases[0]"
                                                                   "[iterations]=2");
  ASSERT_EQ(schedule.status, 200) << schedule.text;
  const Answered shown = upcoming("schedule=" + schedule.id());
  EXPECT_EQ(shown.text_at("/total"), "3000");
  EXPECT_EQ(shown.text_at("/lines/data/0/period/start"), start);
  EXPECT_EQ(upcoming("schedule=sub_sched_none").text_at("/error/param"), "schedule");
  EXPECT_EQ(upcoming("subscription_plan=iron&schedule=" + schedule.id()).text_at("/error/param"), "schedule");
  EXPECT_THAT(get("/v1/subscriptions").ids(), IsEmpty());
}

TEST_F(UpcomingInvoice, IsRefusedWithItsReason) {
  const std::string id = subscribe("plan=gold");
  const std::string customer_is = "customer=" + ann;
  const std::string both = customer_is + "&subscription=" + id;
  const std::vector<Refusal> refusals = {
      {"", "customer", "Missing required param: customer."},
      {"customer=cus_nope", "customer", "No such customer: cus_nope"},
      {customer_is + "&subscription=sub_nope", "subscription", "No such subscription: sub_nope"},
      {"customer=" + customer("email=b@example.com") + "&subscription=" + id, "subscription", "No such subscription"},
      {customer_is + "&subscription_proration_date=" + now(), "subscription_proration_date",
       "Cannot specify proration date without specifying a subscription"},
      {customer_is + "&subscription_trial_end=now", "subscription_trial_end",
       "Cannot specify subscription_trial_end without specifying a subscription"},
      {both + "&subscription_proration_date=" + now(-day), "proration_date",
       "Cannot specify proration date outside of current subscription period"},
      {both + "&subscription_items[0][plan]=nope", "subscription_items[0][plan]", "No such plan: nope"},
      {both + "&subscription_billing_cycle_anchor=soon", "subscription_billing_cycle_anchor", "Invalid timestamp"},
      {both + "&subscription_billing_cycle_anchor=" + now(day), "subscription_billing_cycle_anchor", "to now only"},
      {customer_is + "&invoice_items[0][invoiceitem]=ii_nope&invoice_items[0][amount]=1", "invoice_items",
       "No such invoiceitem: ii_nope"},
      {customer_is + "&colour=red", "colour", "Received unknown parameter: colour"},
  };
  for (const Refusal& each : refusals) {
    const Answered refused = upcoming(each.form);
    EXPECT_EQ(refused.status / 100, 4) << each.form;
    EXPECT_THAT(refused.error(), HasSubstr(each.message)) << each.form;
    EXPECT_EQ(refused.text_at("/error/param"), each.parameter) << each.form << ": " << refused.text;
  }
}

}  // namespace
}  // namespace billd::api::stripe
