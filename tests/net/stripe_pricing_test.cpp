// Discounts, taxes and usage through the Stripe face: every way to apply one, what it shows, and every refusal.
#include <gmock/gmock.h>

#include "tests/net/stripe_fixture.hpp"

namespace billd::api::stripe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class PricingFace : public StripeTest {
 protected:
  PricingFace() {
    plan("gold", "3000");
    ann = customer();
  }

  std::string make(const std::string& url, const std::string& form) {
    const Answered created = post(url, form);
    EXPECT_EQ(created.status, 200) << form << ": " << created.text;
    return created.id();
  }
  std::string coupon(std::string id = "HALF", std::string more = "percent_off=50&duration=forever") {
    return make("/v1/coupons", "id=" + id + "&" + more);
  }
  std::string rate(std::string percentage = "20", bool inclusive = false) {
    return make("/v1/tax_rates",
                "display_name=VAT&percentage=" + percentage + "&inclusive=" + (inclusive ? "true" : "false"));
  }
  std::string metered_plan(std::string id = "calls", std::string amount = "10") {
    return plan(std::move(id), std::move(amount), "&usage_type=metered");
  }
  std::vector<std::string> latest_events(const std::string& type) {
    std::vector<std::string> objects;
    const Answered events = get("/v1/events?type=" + type);
    for (const auto& each : events.at("/data").as_array())
      objects.push_back(boost::json::serialize(each.at("data").at("object")));
    return objects;
  }

  std::string ann;
};

// Discounts.

using Discounts = PricingFace;

TEST_F(Discounts, OfACustomerAreAppliedShownAndTakenAway) {
  coupon();
  const Answered made = post("/v1/customers", "email=bob@example.com&source=tok_visa&coupon=HALF");
  ASSERT_EQ(made.status, 200) << made.text;
  EXPECT_EQ(made.text_at("/discount/object"), "discount");
  EXPECT_EQ(made.text_at("/discount/coupon/id"), "HALF");
  EXPECT_EQ(made.text_at("/discount/coupon/percent_off"), "50");
  EXPECT_EQ(made.text_at("/discount/coupon/times_redeemed"), "1");
  EXPECT_EQ(made.text_at("/discount/customer"), made.id());
  EXPECT_EQ(made.text_at("/discount/subscription"), "null");
  EXPECT_EQ(made.text_at("/discount/end"), "null");
  EXPECT_EQ(made.text_at("/discount/start"), now());
  const std::string url = "/v1/customers/" + made.id() + "/discount";
  EXPECT_EQ(get(url).text, boost::json::serialize(made.at("/discount")));
  EXPECT_EQ(get(url + "?expand[]=customer").text_at("/customer/id"), made.id());

  const std::string invoice = get("/v1/subscriptions/" + subscription(made.id(), "gold")).text_at("/latest_invoice");
  const Answered billed = get("/v1/invoices/" + invoice);
  EXPECT_EQ(billed.text_at("/subtotal"), "3000");
  EXPECT_EQ(billed.text_at("/total"), "1500");
  EXPECT_EQ(billed.text_at("/discount/id"), made.text_at("/discount/id"));
  EXPECT_EQ(billed.text_at("/discounts/0"), made.text_at("/discount/id"));
  EXPECT_EQ(billed.text_at("/total_discount_amounts/0/amount"), "1500");
  EXPECT_EQ(billed.text_at("/lines/data/0/amount"), "3000");
  EXPECT_EQ(billed.text_at("/lines/data/0/discount_amounts/0/amount"), "1500");
  EXPECT_EQ(billed.text_at("/lines/data/0/discount_amounts/0/discount"), made.text_at("/discount/id"));

  const Answered gone = remove(url);
  ASSERT_EQ(gone.status, 200) << gone.text;
  EXPECT_EQ(gone.text_at("/deleted"), "true");
  EXPECT_EQ(gone.text_at("/id"), made.text_at("/discount/id"));
  EXPECT_EQ(get("/v1/customers/" + made.id()).text_at("/discount"), "null");
  EXPECT_THAT(latest_events("customer.discount.created"), ElementsAre(HasSubstr(made.text_at("/discount/id"))));
  EXPECT_THAT(latest_events("customer.discount.deleted"), ElementsAre(HasSubstr(made.text_at("/discount/id"))));
  for (const Answered& missing : {get(url), remove(url)}) {
    EXPECT_EQ(missing.status, 404);
    EXPECT_THAT(missing.error(), StartsWith("No active discount for customer: "));
  }
  EXPECT_EQ(get("/v1/customers/cus_nobody/discount").text_at("/error/param"), "customer");
}

TEST_F(Discounts, AreChangedWithTheirOwner) {
  coupon();
  coupon("TENTH", "percent_off=10&duration=repeating&duration_in_months=3");
  EXPECT_EQ(post("/v1/customers/" + ann, "coupon=HALF").text_at("/discount/coupon/id"), "HALF");
  const Answered changed = post("/v1/customers/" + ann, "coupon=TENTH");
  EXPECT_EQ(changed.text_at("/discount/coupon/duration_in_months"), "3");
  EXPECT_NE(changed.text_at("/discount/end"), "null");
  EXPECT_EQ(latest_events("customer.discount.updated").size(), 1U);
  EXPECT_EQ(post("/v1/customers/" + ann, "coupon=").text_at("/discount"), "null");
  EXPECT_EQ(get("/v1/coupons/HALF").text_at("/times_redeemed"), "1");
}

TEST_F(Discounts, OfASubscriptionAreFoundInThreePlaces) {
  coupon();
  const std::string id = subscription(ann, "gold", "&coupon=HALF");
  const Answered shown = get("/v1/subscriptions/" + id);
  EXPECT_EQ(shown.text_at("/discount/subscription"), id);
  for (const std::string& url :
       {"/v1/subscriptions/" + id + "/discount", "/v1/customers/" + ann + "/subscriptions/" + id + "/discount"}) {
    EXPECT_EQ(get(url).text, boost::json::serialize(shown.at("/discount"))) << url;
  }
  const std::string bob = customer("email=bob@example.com");
  EXPECT_EQ(get("/v1/customers/" + bob + "/subscriptions/" + id + "/discount").status, 404) << "another's";
  EXPECT_EQ(get("/v1/subscriptions/sub_none/discount").status, 404);
  EXPECT_EQ(remove("/v1/customers/" + ann + "/subscriptions/" + id + "/discount").text_at("/deleted"), "true");
  const Answered missing = remove("/v1/subscriptions/" + id + "/discount");
  EXPECT_EQ(missing.status, 404);
  EXPECT_EQ(missing.error(), "No active discount for subscription: " + id);
  EXPECT_EQ(post("/v1/subscriptions/" + id, "coupon=HALF").text_at("/discount/coupon/id"), "HALF");
  EXPECT_EQ(post("/v1/subscriptions/" + id, "coupon=").text_at("/discount"), "null");
}

TEST_F(Discounts, ComeByPromotionCodesAndInLists) {
  coupon();
  const std::string code = make("/v1/promotion_codes", "coupon=HALF&code=HELLO&max_redemptions=2");
  const Answered made = post("/v1/customers/" + ann, "promotion_code=" + code);
  EXPECT_EQ(made.text_at("/discount/promotion_code"), code);
  EXPECT_EQ(get("/v1/promotion_codes/" + code).text_at("/times_redeemed"), "1");
  const std::string id = subscription(ann, "gold", "&discounts[0][promotion_code]=" + code);
  const Answered spent = get("/v1/promotion_codes/" + code);
  EXPECT_EQ(spent.text_at("/times_redeemed"), "2");
  EXPECT_EQ(spent.text_at("/active"), "false");
  EXPECT_EQ(spent.text_at("/coupon/times_redeemed"), "2");
  const std::string discount = get("/v1/subscriptions/" + id).text_at("/discount/id");
  EXPECT_EQ(post("/v1/subscriptions/" + id, "discounts[0][discount]=" + discount).text_at("/discount/id"), discount);
  EXPECT_EQ(post("/v1/subscriptions/" + id, "discounts=").text_at("/discount"), "null");
  expect_refused("/v1/subscriptions", {{"customer=" + ann + "&plan=gold&promotion_code=" + code, "promotion_code",
                                        "redeemed as often as it may be"}});
}

TEST_F(Discounts, AreRefusedWithTheirReason) {
  coupon();
  coupon("GONE");
  remove("/v1/coupons/GONE");
  coupon("SOON", "percent_off=5&redeem_by=" + now(60));
  coupon("EURO", "amount_off=500&currency=eur");
  coupon("ONE", "percent_off=5&max_redemptions=1");
  post("/v1/customers/" + customer("email=bob@example.com"), "coupon=ONE");
  const std::string code = make("/v1/promotion_codes", "coupon=HALF&code=OFF");
  post("/v1/promotion_codes/" + code, "active=false");
  const std::string id = subscription(ann, "gold");
  clock.advance(std::chrono::seconds(61));
  const std::vector<Refusal> refusals = {
      {"coupon=NONE", "coupon", "No such coupon: NONE"},
      {"coupon=GONE", "coupon", "No such coupon: GONE"},
      {"coupon=SOON", "coupon", "This coupon has expired: SOON"},
      {"coupon=ONE", "coupon", "redeemed as often as it may be: ONE"},
      {"promotion_code=promo_none", "promotion_code", "No such promotion code: promo_none"},
      {"promotion_code=" + code, "promotion_code", "is not active"},
      {"coupon=HALF&promotion_code=" + code, "coupon", "only specify one of these parameters"},
      {"discounts[0][coupon]=HALF&discounts[1][coupon]=TEN", "discounts", "There can be one discount at a time."},
      {"coupon=HALF&discounts[0][coupon]=HALF", "discounts", "only specify one of these parameters"},
      {"discounts[0][discount]=di_none", "discounts", "No such discount: di_none"},
  };
  expect_refused("/v1/customers/" + ann, refusals);
  expect_refused("/v1/subscriptions/" + id, refusals);
  EXPECT_EQ(post("/v1/customers/" + ann, "coupon=EURO").status, 400);
  EXPECT_EQ(get("/v1/customers/" + ann).text_at("/discount"), "null");
  EXPECT_EQ(get("/v1/coupons/HALF").text_at("/times_redeemed"), "0") << "a refusal redeems nothing";
}

TEST_F(Discounts, AreRedeemedAsOftenAsTheyMayBeByManyAtOnce) {
  coupon("FEW", "percent_off=10&max_redemptions=7");
  int made = 0, refused = 0, ended = 0;
  constexpr int requests = 40;
  auto ask = [&](int number) -> awaitable<> {
    http::Request wanted = request(http::Method::post, "/v1/customers",
                                   "email=c" + std::to_string(number) + "@example.com&coupon=FEW", {});
    http::Response response = co_await face->handle(std::move(wanted));
    ++(response.status == 200 ? made : refused);
    ++ended;
  };
  for (int number = 0; number < requests; ++number) daemon->tasks.spawn("request", ask(number));
  ASSERT_TRUE(run_until(daemon->loop, [&] { return ended == requests; }));
  EXPECT_EQ(made, 7);
  EXPECT_EQ(refused, requests - 7);
  EXPECT_EQ(get("/v1/coupons/FEW").text_at("/times_redeemed"), "7");
  EXPECT_EQ(get("/v1/coupons/FEW").text_at("/valid"), "false");
  // A daemon that comes after it knows.
  face.reset();
  daemon->stop();
  daemon = std::make_unique<jobs::Daemon>(server, clock);
  face = std::make_unique<Face>(Services{daemon->accounts, daemon->store, daemon->catalog, daemon->gateways, settings});
  EXPECT_EQ(get("/v1/coupons/FEW").text_at("/times_redeemed"), "7");
}

TEST_F(Discounts, OfOneIdempotencyKeyAreRedeemedOnce) {
  coupon("FEW", "percent_off=10&max_redemptions=2");
  const Fields key = {{"Idempotency-Key", "once"}};
  const Answered first = post("/v1/customers/" + ann, "coupon=FEW", key);
  EXPECT_EQ(post("/v1/customers/" + ann, "coupon=FEW", key).text, first.text);
  EXPECT_EQ(get("/v1/coupons/FEW").text_at("/times_redeemed"), "1");
}

TEST_F(Discounts, CanBeTriedOutInTheUpcomingInvoice) {
  coupon();
  const std::string id = subscription(ann, "gold");
  EXPECT_EQ(get("/v1/invoices/upcoming?customer=" + ann).text_at("/total"), "3000");
  EXPECT_EQ(get("/v1/invoices/upcoming?customer=" + ann + "&coupon=HALF").text_at("/total"), "1500");
  EXPECT_EQ(get("/v1/invoices/upcoming?subscription=" + id + "&discounts[0][coupon]=HALF").text_at("/total"), "1500");
  EXPECT_EQ(get("/v1/invoices/upcoming?subscription=" + id +
                "&coupon=HALF&subscription_quantity=2&"
                "subscription_proration_behavior=none")
                .text_at("/total"),
            "3000");
  EXPECT_EQ(get("/v1/invoices/upcoming?customer=" + ann + "&coupon=NONE").text_at("/error/param"), "coupon");
  EXPECT_EQ(get("/v1/coupons/HALF").text_at("/times_redeemed"), "0") << "nothing was redeemed";
}

// Taxes.

using Taxes = PricingFace;

TEST_F(Taxes, OfASubscriptionAreShownEverywhere) {
  const std::string twenty = rate("20"), inside = rate("25", true), five = rate("5");
  const Answered made =
      post("/v1/subscriptions",
           "customer=" + ann + "&items[0][plan]=gold&default_tax_rates[]=" + twenty + "&expand[]=latest_invoice");
  ASSERT_EQ(made.status, 200) << made.text;
  EXPECT_EQ(made.text_at("/default_tax_rates/0/id"), twenty);
  EXPECT_EQ(made.text_at("/default_tax_rates/0/percentage"), "20");
  EXPECT_EQ(made.text_at("/tax_percent"), "null");
  EXPECT_EQ(made.text_at("/latest_invoice/subtotal"), "3000");
  EXPECT_EQ(made.text_at("/latest_invoice/tax"), "600");
  EXPECT_EQ(made.text_at("/latest_invoice/total"), "3600");
  EXPECT_EQ(made.text_at("/latest_invoice/total_excluding_tax"), "3000");
  EXPECT_EQ(made.text_at("/latest_invoice/total_tax_amounts/0/amount"), "600");
  EXPECT_EQ(made.text_at("/latest_invoice/total_tax_amounts/0/tax_rate"), twenty);
  EXPECT_EQ(made.text_at("/latest_invoice/lines/data/0/tax_amounts/0/taxable_amount"), "3000");
  EXPECT_EQ(made.text_at("/latest_invoice/default_tax_rates/0/id"), twenty);

  const std::string item = made.text_at("/items/data/0/id");
  const Answered changed = post("/v1/subscription_items/" + item, "tax_rates[]=" + inside + "&tax_rates[]=" + five);
  ASSERT_EQ(changed.status, 200) << changed.text;
  EXPECT_EQ(changed.text_at("/tax_rates/0/inclusive"), "true");
  const Answered next = get("/v1/invoices/upcoming?customer=" + ann);
  EXPECT_EQ(next.text_at("/total"), "3120");
  EXPECT_EQ(next.text_at("/tax"), "720") << "in it and on top";
  EXPECT_EQ(next.text_at("/subtotal_excluding_tax"), "2400");
  EXPECT_EQ(next.text_at("/total_excluding_tax"), "2400");
  EXPECT_EQ(next.text_at("/lines/data/0/amount_excluding_tax"), "2400");
  EXPECT_EQ(next.text_at("/lines/data/0/tax_rates/1/id"), five);
  EXPECT_EQ(post("/v1/subscription_items/" + item, "tax_rates=").text_at("/tax_rates"), "[]");
}

TEST_F(Taxes, MayBeABarePercentage) {
  const Answered made =
      post("/v1/subscriptions", "customer=" + ann + "&plan=gold&tax_percent=8&expand[]=latest_invoice");
  ASSERT_EQ(made.status, 200) << made.text;
  EXPECT_EQ(made.text_at("/tax_percent"), "8");
  EXPECT_EQ(made.text_at("/default_tax_rates"), "[]");
  EXPECT_EQ(made.text_at("/latest_invoice/tax"), "240");
  EXPECT_EQ(made.text_at("/latest_invoice/tax_percent"), "8");
  EXPECT_EQ(post("/v1/subscriptions/" + made.id(), "tax_percent=").text_at("/tax_percent"), "null");
  EXPECT_EQ(get("/v1/invoices/upcoming?customer=" + ann).text_at("/tax"), "null");
  EXPECT_EQ(get("/v1/invoices/upcoming?subscription=" + made.id() + "&subscription_tax_percent=10").text_at("/total"),
            "3300");
}

TEST_F(Taxes, OfInvoicesAndTheirItems) {
  const std::string twenty = rate("20"), five = rate("5");
  const std::string item =
      make("/v1/invoiceitems", "customer=" + ann + "&amount=1000&currency=usd&tax_rates[]=" + five);
  EXPECT_EQ(get("/v1/invoiceitems/" + item).text_at("/tax_rates/0/id"), five);
  make("/v1/invoiceitems", "customer=" + ann + "&amount=1000&currency=usd");
  const Answered made = post("/v1/invoices", "customer=" + ann +
                                                 "&auto_advance=false&pending_invoice_items_behavior=include&"
                                                 "default_tax_rates[]=" +
                                                 twenty);
  ASSERT_EQ(made.status, 200) << made.text;
  EXPECT_EQ(made.text_at("/total"), "2250");
  const Answered changed = post("/v1/invoices/" + made.id(), "default_tax_rates=");
  EXPECT_EQ(changed.text_at("/total"), "2050");
  EXPECT_EQ(post("/v1/invoiceitems/" + item, "tax_rates=").text_at("/tax_rates"), "[]");
  EXPECT_EQ(post("/v1/invoices/" + made.id(), "tax_percent=10").text_at("/total"), "2200");
  post("/v1/invoices/" + made.id() + "/finalize");
  EXPECT_EQ(post("/v1/invoices/" + made.id(), "tax_percent=20").status, 400) << "what is final stays";
}

TEST_F(Taxes, AreNotTakenOfWhoIsExempt) {
  post("/v1/customers/" + ann, "tax_exempt=exempt");
  const Answered made =
      post("/v1/subscriptions", "customer=" + ann + "&plan=gold&tax_percent=20&expand[]=latest_invoice");
  EXPECT_EQ(made.text_at("/latest_invoice/total"), "3000");
  EXPECT_EQ(made.text_at("/latest_invoice/customer_tax_exempt"), "exempt");
}

TEST_F(Taxes, AreRefusedWithTheirReason) {
  const std::string twenty = rate("20"), old = rate("5");
  post("/v1/tax_rates/" + old, "active=false");
  const std::string id = subscription(ann, "gold");
  const std::vector<Refusal> refusals = {
      {"default_tax_rates[]=txr_none", "default_tax_rates", "No such tax rate: txr_none"},
      {"default_tax_rates[]=" + old, "default_tax_rates", "is inactive"},
      {"default_tax_rates[]=" + twenty + "&default_tax_rates[]=" + twenty, "default_tax_rates", "can be given once"},
      {"tax_percent=101", "tax_percent", "must be between 0 and 100"},
      {"tax_percent=x", "tax_percent", "Invalid decimal: x"},
      {"tax_percent=5&default_tax_rates[]=" + twenty, "tax_percent", "only specify one of these parameters"},
  };
  expect_refused("/v1/subscriptions/" + id, refusals);
  const std::string item = get("/v1/subscriptions/" + id).text_at("/items/data/0/id");
  expect_refused("/v1/subscription_items/" + item,
                 {{"tax_rates[]=txr_none", "tax_rates", "No such tax rate: txr_none"}});
  expect_refused("/v1/invoiceitems",
                 {{"customer=" + ann + "&amount=5&currency=usd&tax_rates[]=" + old, "tax_rates", "is inactive"}});
}

// Usage.

class UsageFace : public PricingFace {
 protected:
  UsageFace() {
    metered_plan();
    id = subscription(ann, "calls");
    item = get("/v1/subscriptions/" + id).text_at("/items/data/0/id");
    url = "/v1/subscription_items/" + item + "/usage_records";
  }
  std::string id, item, url;
};

TEST_F(UsageFace, IsRecordedSummedAndBilled) {
  EXPECT_EQ(get("/v1/subscription_items/" + item).text_at("/quantity"), "(missing)");
  const Answered made = post(url, "quantity=5&timestamp=" + now());
  ASSERT_EQ(made.status, 200) << made.text;
  EXPECT_THAT(made.id(), StartsWith("mbur_"));
  EXPECT_EQ(made.text_at("/object"), "usage_record");
  EXPECT_EQ(made.text_at("/quantity"), "5");
  EXPECT_EQ(made.text_at("/subscription_item"), item);
  EXPECT_EQ(made.text_at("/timestamp"), now());
  post(url, "quantity=7&action=increment");
  post(url, "quantity=4&action=set");
  const std::string summaries = "/v1/subscription_items/" + item + "/usage_record_summaries";
  EXPECT_EQ(get(summaries).text_at("/data/0/total_usage"), "4") << "a moment set anew";
  clock.advance(std::chrono::minutes(1));
  post(url, "quantity=6");
  EXPECT_EQ(get(summaries).text_at("/data/0/total_usage"), "10");
  EXPECT_EQ(get(summaries).text_at("/data/0/invoice"), "null");
  EXPECT_EQ(get("/v1/invoices/upcoming?customer=" + ann).text_at("/total"), "100");
  live_until(ann, clock.now() + std::chrono::days(31));
  const Answered after = get(summaries);
  EXPECT_EQ(after.text_at("/data/0/total_usage"), "0");
  EXPECT_EQ(after.text_at("/data/1/total_usage"), "10");
  EXPECT_EQ(after.text_at("/data/1/invoice"), get("/v1/subscriptions/" + id).text_at("/latest_invoice"));
  EXPECT_EQ(get("/v1/invoices/" + after.text_at("/data/1/invoice")).text_at("/total"), "100");
  const Answered page = get(summaries + "?limit=1");
  EXPECT_EQ(page.text_at("/has_more"), "true");
  EXPECT_EQ(get(summaries + "?limit=1&starting_after=" + page.ids().at(0)).text_at("/data/0/total_usage"), "10");
}

TEST_F(UsageFace, OfOneIdempotencyKeyIsRecordedOnce) {
  const Fields key = {{"Idempotency-Key", "call-1"}};
  const Answered first = post(url, "quantity=5", key);
  EXPECT_EQ(post(url, "quantity=5", key).text, first.text);
  EXPECT_EQ(get("/v1/subscription_items/" + item + "/usage_record_summaries").text_at("/data/0/total_usage"), "5");
}

TEST_F(UsageFace, IsRefusedWithItsReason) {
  expect_refused(url, {
                          {"", "quantity", "Missing required param: quantity."},
                          {"quantity=-1", "quantity", ""},
                          {"quantity=x", "quantity", "Invalid integer"},
                          {"quantity=1&action=add", "action", "must be one of increment or set"},
                          {"quantity=1&timestamp=" + now(400), "timestamp", "cannot be in the future"},
                          {"quantity=1&timestamp=" + now(-40 * day), "timestamp", "before the current period"},
                      });
  const std::string licensed = get("/v1/subscriptions/" + subscription(ann, "gold")).text_at("/items/data/0/id");
  EXPECT_THAT(post("/v1/subscription_items/" + licensed + "/usage_records", "quantity=1").error(),
              HasSubstr("its price is not metered"));
  EXPECT_THAT(get("/v1/subscription_items/" + licensed + "/usage_record_summaries").error(),
              HasSubstr("its price is not metered"));
  EXPECT_EQ(post("/v1/subscription_items/si_none/usage_records", "quantity=1").status, 404);
  EXPECT_EQ(get("/v1/subscription_items/si_none/usage_record_summaries").status, 404);
}

TEST_F(UsageFace, IsClearedWithItsItemWhenAskedTo) {
  post("/v1/subscriptions/" + id, "items[0][plan]=calls");
  post(url, "quantity=50");
  EXPECT_EQ(remove("/v1/subscription_items/" + item, "clear_usage=true").status, 200);
  EXPECT_THAT(get("/v1/invoiceitems?customer=" + ann + "&pending=true").ids(), IsEmpty());
}

// Phases of schedules.

using PricedPhases = PricingFace;

TEST_F(PricedPhases, HaveTheirCouponAndTheirTaxes) {
  coupon();
  const std::string twenty = rate("20"), five = rate("5");
  const std::string phases =
      "&phases[0][items][0][plan]=gold&phases[0][iterations]=1&phases[0][coupon]=HALF&phases[0]"
      "[default_tax_rates][]=" +
      twenty + "&phases[1][items][0][plan]=gold&phases[1][items][0][tax_rates][]=" + five;
  const Answered made = post("/v1/subscription_schedules", "customer=" + ann + "&start_date=now" + phases);
  ASSERT_EQ(made.status, 200) << made.text;
  EXPECT_EQ(made.text_at("/phases/0/coupon"), "HALF");
  EXPECT_EQ(made.text_at("/phases/0/default_tax_rates/0/id"), twenty);
  EXPECT_EQ(made.text_at("/phases/1/coupon"), "null");
  EXPECT_EQ(made.text_at("/phases/1/items/0/tax_rates/0/id"), five);
  EXPECT_EQ(get("/v1/coupons/HALF").text_at("/times_redeemed"), "1");
  const Answered running = get("/v1/subscriptions/" + made.text_at("/subscription") + "?expand[]=latest_invoice");
  EXPECT_EQ(running.text_at("/discount/coupon/id"), "HALF");
  EXPECT_EQ(running.text_at("/latest_invoice/total"), "1800");
  const Answered again = post("/v1/subscription_schedules/" + made.id(), phases.substr(1));
  ASSERT_EQ(again.status, 200) << again.text;
  EXPECT_EQ(get("/v1/coupons/HALF").text_at("/times_redeemed"), "1") << "what is the same is redeemed already";
  live_until(ann, clock.now() + std::chrono::days(32));
  const Answered later = get("/v1/subscriptions/" + made.text_at("/subscription") + "?expand[]=latest_invoice");
  EXPECT_EQ(later.text_at("/discount"), "null");
  EXPECT_EQ(later.text_at("/latest_invoice/total"), "3150");
  expect_refused("/v1/subscription_schedules",
                 {{"customer=" + ann + "&start_date=now&phases[0][items][0][plan]=gold&phases[0][coupon]=NONE",
                   "coupon", "No such coupon: NONE"}});
}

// Credit notes.

using PricedCreditNotes = PricingFace;

TEST_F(PricedCreditNotes, ShowWhatTheyTakeBackOfDiscountAndTax) {
  coupon();
  const std::string twenty = rate("20");
  const Answered made =
      post("/v1/subscriptions",
           "customer=" + ann + "&plan=gold&coupon=HALF&default_tax_rates[]=" + twenty + "&expand[]=latest_invoice");
  ASSERT_EQ(made.text_at("/latest_invoice/total"), "1800") << made.text;
  const Answered note = post("/v1/credit_notes", "invoice=" + made.text_at("/latest_invoice/id") +
                                                     "&lines[0][type]=invoice_line_item&lines[0][invoice_line_item]=" +
                                                     made.text_at("/latest_invoice/lines/data/0/id") +
                                                     "&lines[0][amount]=1000&credit_amount=600");
  ASSERT_EQ(note.status, 200) << note.text;
  EXPECT_EQ(note.text_at("/amount"), "600");
  EXPECT_EQ(note.text_at("/subtotal"), "1000");
  EXPECT_EQ(note.text_at("/discount_amount"), "500");
  EXPECT_EQ(note.text_at("/tax_amounts/0/amount"), "100");
  EXPECT_EQ(note.text_at("/tax_amounts/0/tax_rate"), twenty);
  EXPECT_EQ(note.text_at("/total_excluding_tax"), "500");
  EXPECT_EQ(note.text_at("/lines/data/0/discount_amount"), "500");
}

}  // namespace
}  // namespace billd::api::stripe
