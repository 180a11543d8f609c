// Subscriptions and their items through the Stripe face: every way to make, change and end one, and every refusal.
#include <gmock/gmock.h>

#include "tests/net/stripe_fixture.hpp"

namespace billd::api::stripe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class Subscriptions : public StripeTest {
 protected:
  Subscriptions() {
    plan("gold", "3000");
    plan("iron", "1000");
    ann = customer();
  }

  std::string subscribe(std::string form) {
    Answered created = post("/v1/subscriptions", "customer=" + ann + "&" + form);
    EXPECT_EQ(created.status, 200) << created.text;
    return created.id();
  }

  std::string ann;
};

TEST_F(Subscriptions, AreMadeWithAllTheirTerms) {
  const std::string end = now(90 * day);
  const Answered sent =
      post("/v1/subscriptions", "customer=" + ann +
                                    "&items[0][plan]=gold&items[0][metadata][seat]=1&items[1][price]=iron&items[1]"
                                    "[quantity]=2&collection_method=send_invoice&days_until_due=14&cancel_at=" +
                                    end + "&metadata[a]=1&trial_settings[end_behavior][missing_payment_method]=pause");
  ASSERT_EQ(sent.status, 200) << sent.text;
  EXPECT_EQ(sent.text_at("/billing"), "send_invoice");
  EXPECT_EQ(sent.text_at("/days_until_due"), "14");
  EXPECT_EQ(sent.text_at("/cancel_at"), end);
  EXPECT_EQ(sent.text_at("/items/data/0/metadata/seat"), "1");
  EXPECT_EQ(sent.text_at("/items/data/1/quantity"), "2");
  EXPECT_EQ(sent.text_at("/metadata/a"), "1");
  EXPECT_EQ(sent.text_at("/trial_settings/end_behavior/missing_payment_method"), "pause");
  EXPECT_EQ(get("/v1/invoices/" + sent.text_at("/latest_invoice")).text_at("/total"), "5000");
}

TEST_F(Subscriptions, MayBeAnchoredLater) {
  const std::string anchor = now(15 * day);
  const std::string paid = subscribe("plan=gold&billing_cycle_anchor=" + anchor);
  const Answered stub = get("/v1/subscriptions/" + paid + "?expand[]=latest_invoice");
  EXPECT_EQ(stub.text_at("/billing_cycle_anchor"), anchor);
  EXPECT_EQ(stub.text_at("/current_period_end"), anchor);
  EXPECT_LT(stub.at("/latest_invoice/total").as_int64(), 3000) << "a share of the period";
  const std::string free = subscribe("plan=iron&prorate=false&billing_cycle_anchor=" + anchor);
  EXPECT_EQ(get("/v1/subscriptions/" + free).text_at("/latest_invoice"), "null") << "free, and without an invoice";
}

TEST_F(Subscriptions, AreNotMadeOfBadParameters) {
  expect_refused(
      "/v1/subscriptions",
      {
          {"plan=gold", "customer", "Missing required param: customer."},
          {"customer=cus_nope&plan=gold", "customer", "No such customer: cus_nope"},
          {"customer=" + ann, "items", "Missing required param: items."},
          {"customer=" + ann + "&items[0][quantity]=2", "items[0][price]", "Missing required param"},
          {"customer=" + ann + "&items[0][plan]=nope", "items[0][plan]", "No such plan: nope"},
          {"customer=" + ann + "&plan=gold&price=gold", "plan", "Received both plan and price"},
          {"customer=" + ann + "&plan=gold&items[0][plan]=gold", "plan", "Received both plan and items"},
          {"customer=" + ann + "&quantity=2&items[0][plan]=gold", "quantity", "Received both quantity"},
          {"customer=" + ann + "&plan=gold&quantity=-1", "quantity", "greater than or equal to 0"},
          {"customer=" + ann + "&plan=gold&trial_end=" + now(-1), "trial_end", "in the future"},
          {"customer=" + ann + "&plan=gold&trial_end=now&trial_period_days=1", "trial_end", "Received both"},
          {"customer=" + ann + "&plan=gold&trial_end=" + now(day) + "&trial_from_plan=true", "trial_end",
           "Received both trial_end and trial_from_plan"},
          {"customer=" + ann + "&plan=gold&prorate=true&proration_behavior=none", "prorate", "Received both"},
          {"customer=" + ann + "&plan=gold&billing=send_invoice", "days_until_due", "days_until_due"},
          {"customer=" + ann + "&plan=gold&days_until_due=7", "days_until_due", "days_until_due"},
          {"customer=" + ann + "&plan=gold&billing=send_invoice&collection_method=charge_automatically", "billing",
           "Received both billing and collection_method"},
          {"customer=" + ann + "&plan=gold&billing_cycle_anchor=" + now(-1), "billing_cycle_anchor", ""},
          {"customer=" + ann + "&plan=gold&cancel_at=" + now(-1), "cancel_at", "in the future"},
          {"customer=" + ann + "&plan=gold&default_source=card_nope", "default_source", "No such source"},
          {"customer=" + ann + "&plan=gold&payment_behavior=pending_if_incomplete", "payment_behavior",
           "for changes of a subscription"},
          {"customer=" + ann + "&plan=gold&backdate_start_date=" + now(day), "backdate_start_date", "in the past"},
          {"customer=" + ann + "&plan=gold&pending_invoice_item_interval[interval]=hour",
           "pending_invoice_item_interval[interval]", "must be one of"},
          {"customer=" + ann +
               "&plan=gold&pending_invoice_item_interval[interval]=year"
               "&pending_invoice_item_interval[interval_count]=4",
           "pending_invoice_item_interval", "three years"},
          {"customer=" + ann + "&plan=gold&colour=red", "colour", "Received unknown parameter: colour"},
          {"customer=" + ann + "&items[0][plan]=gold&items[0][size]=1", "items[0][size]",
           "Received unknown parameter: items[0][size]"},
      });
  EXPECT_THAT(get("/v1/subscriptions?status=all").ids(), IsEmpty());
}

TEST_F(Subscriptions, ChangeTheirPlanWithProration) {
  const std::string id = subscribe("plan=iron");
  const Answered before = get("/v1/subscriptions/" + id);
  const std::int64_t length =
      before.at("/current_period_end").as_int64() - before.at("/current_period_start").as_int64();
  clock.advance(std::chrono::seconds(length / 2));
  const Answered changed = post("/v1/subscriptions/" + id, "plan=gold&quantity=2&metadata[a]=1");
  ASSERT_EQ(changed.status, 200) << changed.text;
  EXPECT_EQ(changed.text_at("/plan/id"), "gold");
  EXPECT_EQ(changed.text_at("/quantity"), "2");
  EXPECT_EQ(changed.text_at("/items/data/0/id"), before.text_at("/items/data/0/id"));
  EXPECT_EQ(changed.text_at("/metadata/a"), "1");
  EXPECT_EQ(changed.text_at("/items/data/0/metadata"), "{}") << "the metadata is the subscription's";
  const Answered items = get("/v1/invoiceitems?pending=true&customer=" + ann);
  ASSERT_THAT(items.ids(), SizeIs(2));
  EXPECT_EQ(items.text_at("/data/0/amount"), "3000");
  EXPECT_EQ(items.text_at("/data/1/amount"), "-500");
  EXPECT_EQ(items.text_at("/data/0/proration"), "true");
  EXPECT_EQ(items.text_at("/data/0/plan/id"), "gold");

  EXPECT_EQ(post("/v1/subscriptions/" + id, "plan=iron&quantity=1&prorate=false").text_at("/plan/id"), "iron");
  EXPECT_THAT(get("/v1/invoiceitems?customer=" + ann).ids(), SizeIs(2)) << "no proration was wanted";
}

TEST_F(Subscriptions, AreInvoicedAtOnceWhenAsked) {
  const std::string id = subscribe("plan=iron");
  const std::string first = get("/v1/subscriptions/" + id).text_at("/latest_invoice");
  clock.advance(std::chrono::hours(24 * 10));
  const Answered changed = post("/v1/subscriptions/" + id, "plan=gold&proration_behavior=always_invoice");
  ASSERT_EQ(changed.status, 200) << changed.text;
  EXPECT_NE(changed.text_at("/latest_invoice"), first);
  const Answered invoice = get("/v1/invoices/" + changed.text_at("/latest_invoice"));
  EXPECT_EQ(invoice.text_at("/billing_reason"), "subscription_update");
  EXPECT_EQ(invoice.text_at("/status"), "paid");
  EXPECT_THAT(get("/v1/invoiceitems?pending=true&customer=" + ann).ids(), IsEmpty());
  EXPECT_THAT(get("/v1/invoiceitems?pending=false&customer=" + ann).ids(), SizeIs(2));
  EXPECT_EQ(get("/v1/invoiceitems?customer=" + ann).text_at("/data/0/invoice"), invoice.id());
}

TEST_F(Subscriptions, ChangeItemByItem) {
  const std::string id = subscribe("items[0][plan]=iron");
  const std::string item = get("/v1/subscriptions/" + id).text_at("/items/data/0/id");
  const Answered two =
      post("/v1/subscriptions/" + id, "items[0][id]=" + item +
                                          "&items[0][quantity]=3&items[0][metadata][k]=v&items[1][plan]="
                                          "gold&items[1][quantity]=4");
  ASSERT_EQ(two.status, 200) << two.text;
  EXPECT_EQ(two.text_at("/items/total_count"), "2");
  EXPECT_EQ(two.text_at("/plan"), "null");
  EXPECT_EQ(two.text_at("/items/data/0/metadata/k"), "v");
  EXPECT_EQ(post("/v1/subscriptions/" + id, "quantity=1").text_at("/error/param"), "quantity") << "of which item?";
  const Answered one = post("/v1/subscriptions/" + id, "items[0][id]=" + item + "&items[0][deleted]=true");
  EXPECT_EQ(one.text_at("/plan/id"), "gold");
  expect_refused("/v1/subscriptions/" + id,
                 {
                     {"items[0][id]=si_nope&items[0][quantity]=1", "items", "No such subscription item: si_nope"},
                     {"items[0][quantity]=1", "items[0][price]", "Missing required param"},
                     {"items[0][plan]=nope", "items[0][plan]", "No such plan: nope"},
                     {"plan=iron&items[0][plan]=iron", "plan", "Received both plan and items"},
                     {"proration_date=" + now(-100 * day) + "&quantity=2", "proration_date",
                      "Cannot specify proration date outside of current subscription period"},
                     {"billing_cycle_anchor=" + now(day), "billing_cycle_anchor", "must be one of now or unchanged"},
                     {"trial_end=" + now(-day), "trial_end", "in the future"},
                     {"trial_end=now&trial_from_plan=true", "trial_end", "Received both"},
                     {"cancel_at=" + now(day) + "&cancel_at_period_end=true", "cancel_at", "Received both"},
                     {"default_source=card_nope", "default_source", "No such source: card_nope"},
                     {"collection_method=send_invoice", "days_until_due", "days_until_due"},
                     {"trial_period_days=3", "trial_period_days", "Received unknown parameter"},
                 });
}

TEST_F(Subscriptions, MoveTheirTrialAndTheirAnchor) {
  const std::string id = subscribe("plan=gold&trial_period_days=7");
  const std::string url = "/v1/subscriptions/" + id;
  EXPECT_EQ(post(url, "trial_end=" + now(20 * day)).text_at("/trial_end"), now(20 * day));
  const Answered ended = post(url, "trial_end=now");
  ASSERT_EQ(ended.status, 200) << ended.text;
  EXPECT_EQ(ended.text_at("/status"), "active");
  EXPECT_EQ(ended.text_at("/current_period_start"), now());
  EXPECT_EQ(get("/v1/invoices/" + ended.text_at("/latest_invoice")).text_at("/amount_paid"), "3000");
  clock.advance(std::chrono::hours(24 * 3));
  EXPECT_EQ(post(url, "billing_cycle_anchor=unchanged").text_at("/current_period_start"), now(-3 * day));
  EXPECT_EQ(post(url, "billing_cycle_anchor=now").text_at("/billing_cycle_anchor"), now());
}

TEST_F(Subscriptions, ChangeHowTheyArePaidAndWhenTheyEnd) {
  const std::string url = "/v1/subscriptions/" + subscribe("plan=gold&trial_period_days=7");
  const std::string card = post("/v1/customers/" + ann + "/sources", "source=tok_mastercard").id();
  EXPECT_EQ(post(url, "default_source=" + card).text_at("/default_source"), card);
  EXPECT_EQ(post(url, "default_source=").text_at("/default_source"), "null");
  const Answered sent = post(url, "billing=send_invoice&days_until_due=3");
  EXPECT_EQ(sent.text_at("/collection_method"), "send_invoice");
  EXPECT_EQ(sent.text_at("/days_until_due"), "3");
  EXPECT_EQ(post(url, "collection_method=charge_automatically").text_at("/days_until_due"), "null");
  EXPECT_EQ(post(url, "cancel_at=" + now(5 * day)).text_at("/cancel_at"), now(5 * day));
  EXPECT_EQ(post(url, "cancel_at=").text_at("/cancel_at"), "null");
  EXPECT_EQ(post(url, "source=tok_amex").status, 200);
  EXPECT_EQ(get("/v1/customers/" + ann + "?expand[]=default_source").text_at("/default_source/brand"),
            "American Express");
  EXPECT_EQ(post(url, "metadata[a]=1&metadata[b]=2").text_at("/metadata"), R"({"a":"1","b":"2"})");
  EXPECT_EQ(post(url, "metadata[a]=").text_at("/metadata"), R"({"b":"2"})");
  EXPECT_EQ(post(url, "metadata=").text_at("/metadata"), "{}");
}

TEST_F(Subscriptions, AreCanceledWithACreditWhenAsked) {
  const std::string id = subscribe("plan=gold");
  clock.advance(std::chrono::hours(24 * 15));
  EXPECT_EQ(remove("/v1/subscriptions/" + id + "?at_period_end=true&prorate=true").text_at("/error/param"), "prorate");
  EXPECT_EQ(remove("/v1/subscriptions/" + id + "?later=true").text_at("/error/param"), "later");
  const Answered canceled = remove("/v1/subscriptions/" + id, "prorate=true&invoice_now=true");
  ASSERT_EQ(canceled.status, 200) << canceled.text;
  EXPECT_EQ(canceled.text_at("/status"), "canceled");
  live_until(ann, clock.now() + std::chrono::seconds(1));
  EXPECT_LT(get("/v1/invoices?limit=1&customer=" + ann).at("/data/0/total").as_int64(), 0);
  EXPECT_EQ(remove("/v1/subscriptions/sub_nope").error(), "No such subscription: sub_nope");
}

TEST_F(Subscriptions, AreListedByWhatTheyAre) {
  const std::string charged = subscribe("plan=gold");
  clock.advance(std::chrono::seconds(5));
  const std::string sent = subscribe("plan=iron&billing=send_invoice&days_until_due=3&trial_period_days=3");
  EXPECT_THAT(get("/v1/subscriptions?collection_method=send_invoice").ids(), ElementsAre(sent));
  EXPECT_THAT(get("/v1/subscriptions?billing=charge_automatically").ids(), ElementsAre(charged));
  EXPECT_THAT(get("/v1/subscriptions?price=iron").ids(), ElementsAre(sent));
  EXPECT_THAT(get("/v1/subscriptions?current_period_end[lt]=" + now(10 * day)).ids(), ElementsAre(sent));
  EXPECT_THAT(get("/v1/subscriptions?current_period_start[lt]=" + now()).ids(), ElementsAre(charged));
  EXPECT_THAT(get("/v1/subscriptions?created=" + now()).ids(), ElementsAre(sent));
  EXPECT_THAT(get("/v1/subscriptions?customer=" + ann + "&limit=1&starting_after=" + sent).ids(), ElementsAre(charged));
  EXPECT_THAT(get("/v1/subscriptions?customer=" + ann + "&limit=1&ending_before=" + charged).ids(), ElementsAre(sent));
  EXPECT_THAT(get("/v1/subscriptions?test_clock=clock_nope").ids(), IsEmpty());
  EXPECT_EQ(get("/v1/subscriptions?customer=" + ann + "&starting_after=sub_nope").text_at("/error/param"),
            "starting_after");
  EXPECT_EQ(get("/v1/subscriptions?customer=cus_nope").text_at("/error/param"), "customer");
  EXPECT_EQ(get("/v1/subscriptions?current_period_end=x").text_at("/error/param"), "current_period_end");
}

TEST_F(Subscriptions, AreOneForTheFirstClients) {
  const std::string url = "/v1/customers/" + ann + "/subscription";
  EXPECT_EQ(get(url).error(), "No active subscription for customer: " + ann);
  EXPECT_EQ(remove(url).status, 404);
  const Answered made = post(url, "plan=gold");
  ASSERT_EQ(made.status, 200) << made.text;
  EXPECT_EQ(get(url).id(), made.id());
  const Answered changed = post(url, "plan=iron&quantity=2");
  EXPECT_EQ(changed.id(), made.id());
  EXPECT_EQ(changed.text_at("/plan/id"), "iron");
  EXPECT_TRUE(remove(url, "at_period_end=true").at("/cancel_at_period_end").as_bool());
  EXPECT_EQ(remove(url).text_at("/status"), "canceled");
  EXPECT_EQ(get(url).status, 404);
  subscribe("plan=gold");
  subscribe("plan=iron");
  EXPECT_THAT(get(url).error(), HasSubstr("has several subscriptions"));
  EXPECT_EQ(post(url, "plan=iron").status, 400);
  EXPECT_EQ(post("/v1/customers/cus_nope/subscription", "plan=iron").status, 404);
  EXPECT_EQ(post(url, "items[0][plan]=iron").text_at("/error/param"), "items");
}

TEST_F(Subscriptions, RepeatTheirChangeUnderAnIdempotencyKey) {
  const std::string id = subscribe("plan=iron");
  const Fields key = {{"Idempotency-Key", "change"}};
  const Answered first = post("/v1/subscriptions/" + id, "plan=gold&proration_behavior=always_invoice", key);
  ASSERT_EQ(first.status, 200) << first.text;
  const Answered again = post("/v1/subscriptions/" + id, "plan=gold&proration_behavior=always_invoice", key);
  EXPECT_EQ(again.text, first.text);
  EXPECT_THAT(get("/v1/invoices?customer=" + ann).ids(), SizeIs(2));
}

using SubscriptionItems = Subscriptions;

TEST_F(SubscriptionItems, AreAddedChangedAndRemoved) {
  const std::string id = subscribe("plan=iron");
  const Answered added = post("/v1/subscription_items", "subscription=" + id + "&plan=gold&quantity=2&metadata[a]=1",
                              {{"Idempotency-Key", "k"}});
  ASSERT_EQ(added.status, 200) << added.text;
  EXPECT_EQ(added.text_at("/object"), "subscription_item");
  EXPECT_EQ(added.text_at("/price/id"), "gold");
  EXPECT_EQ(added.text_at("/quantity"), "2");
  EXPECT_EQ(added.text_at("/subscription"), id);
  EXPECT_EQ(post("/v1/subscription_items", "subscription=" + id + "&plan=gold&quantity=2&metadata[a]=1",
                 {{"Idempotency-Key", "k"}})
                .text,
            added.text);
  const std::string url = "/v1/subscription_items/" + added.id();
  EXPECT_EQ(get(url).text, added.text);
  EXPECT_EQ(get(url + "?expand[]=subscription").text_at("/subscription/id"), id);
  const Answered listed = get("/v1/subscription_items?subscription=" + id);
  ASSERT_THAT(listed.ids(), SizeIs(2));
  EXPECT_EQ(listed.ids()[1], added.id());
  EXPECT_THAT(get("/v1/subscription_items?limit=1&subscription=" + id + "&starting_after=" + listed.ids()[0]).ids(),
              ElementsAre(added.id()));
  const Answered changed = post(url, "quantity=5&metadata[a]=&prorate=false");
  EXPECT_EQ(changed.text_at("/quantity"), "5");
  EXPECT_EQ(changed.text_at("/metadata"), "{}");
  const Answered removed = remove(url, "proration_behavior=none");
  EXPECT_EQ(removed.text, R"({"id":")" + added.id() + R"(","object":"subscription_item","deleted":true})");
  EXPECT_EQ(get(url).error(), "No such subscription_item: " + added.id());
  EXPECT_EQ(remove(url).status, 404);
  EXPECT_EQ(post(url, "quantity=1").status, 404);
}

TEST_F(SubscriptionItems, AreRefusedWithTheirReason) {
  const std::string id = subscribe("plan=iron");
  const std::string item = get("/v1/subscriptions/" + id).text_at("/items/data/0/id");
  expect_refused(
      "/v1/subscription_items",
      {
          {"plan=gold", "subscription", "Missing required param: subscription."},
          {"subscription=sub_nope&plan=gold", "subscription", "No such subscription: sub_nope"},
          {"subscription=" + id, "price", "Missing required param: price."},
          {"subscription=" + id + "&plan=nope", "plan", "No such plan: nope"},
          {"subscription=" + id + "&plan=gold&prorate=true&proration_behavior=none", "prorate", "Received both"},
          {"subscription=" + id + "&plan=gold&size=1", "size", "Received unknown parameter: size"},
      });
  EXPECT_EQ(remove("/v1/subscription_items/" + item).status, 400) << "a subscription has one item at least";
  EXPECT_EQ(get("/v1/subscription_items").text_at("/error/param"), "subscription");
  EXPECT_EQ(get("/v1/subscription_items?subscription=sub_nope").text_at("/error/param"), "subscription");
  remove("/v1/subscriptions/" + id);
  EXPECT_EQ(post("/v1/subscription_items", "subscription=" + id + "&plan=gold").status, 404) << "it has ended";
}

}  // namespace
}  // namespace billd::api::stripe
