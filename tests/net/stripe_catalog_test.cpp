// Products, prices, plans, coupons, promotion codes and tax rates through the Stripe face.
#include <gmock/gmock.h>

#include "tests/net/stripe_fixture.hpp"

namespace billd::api::stripe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

class CatalogFace : public StripeTest {
 protected:
  Answered make(const std::string& url, const std::string& form) {
    clock.advance(std::chrono::seconds(1));
    Answered created = post(url, form);
    EXPECT_EQ(created.status, 200) << form << ": " << created.text;
    return created;
  }
};

using Products = CatalogFace;

TEST_F(Products, AreKept) {
  const Answered made = make("/v1/products",
                             "id=gold&name=Gold&description=Shiny&images[]=a&images[]=b&unit_label=bar&url=http://x&"
                             "statement_descriptor=GOLD&metadata[a]=1");
  EXPECT_EQ(made.text_at("/object"), "product");
  EXPECT_EQ(made.text_at("/images"), R"(["a","b"])");
  EXPECT_EQ(made.text_at("/type"), "service");
  EXPECT_EQ(get("/v1/products/gold").text, made.text);
  const Answered other = make("/v1/products", "name=Iron&type=good&active=false");
  EXPECT_THAT(other.id(), StartsWith("prod_"));
  EXPECT_THAT(get("/v1/products").ids(), ElementsAre(other.id(), "gold"));
  EXPECT_THAT(get("/v1/products?active=true").ids(), ElementsAre("gold"));
  EXPECT_THAT(get("/v1/products?type=good").ids(), ElementsAre(other.id()));
  EXPECT_THAT(get("/v1/products?ids[]=gold&ids[]=nope").ids(), ElementsAre("gold"));
  EXPECT_THAT(get("/v1/products?limit=1&starting_after=" + other.id()).ids(), ElementsAre("gold"));
  const Answered changed = post("/v1/products/gold", "name=Golden&description=&images=&active=false&metadata[a]=");
  ASSERT_EQ(changed.status, 200) << changed.text;
  EXPECT_EQ(changed.text_at("/name"), "Golden");
  EXPECT_EQ(changed.text_at("/description"), "null");
  EXPECT_EQ(changed.text_at("/images"), "[]");
  EXPECT_EQ(changed.text_at("/metadata"), "{}");
  EXPECT_EQ(remove("/v1/products/gold").text, R"({"id":"gold","object":"product","deleted":true})");
  EXPECT_EQ(get("/v1/products/gold").error(), "No such product: gold");
  EXPECT_THAT(get("/v1/products").ids(), ElementsAre(other.id()));
  make("/v1/products", "id=gold&name=Again");
}

TEST_F(Products, AreRefusedWithTheirReason) {
  make("/v1/products", "id=gold&name=Gold");
  expect_refused("/v1/products", {
                                     {"id=x", "name", "Missing required param: name."},
                                     {"id=gold&name=x", "id", "Product already exists."},
                                     {"name=x&type=ware", "type", "must be one of service or good"},
                                     {"name=x&colour=red", "colour", "Received unknown parameter: colour"},
                                 });
  const std::string price = make("/v1/prices", "product=gold&currency=usd&unit_amount=5").id();
  EXPECT_EQ(
      post("/v1/products/gold", "default_price=" + price + "&expand[]=default_price").text_at("/default_price/id"),
      price);
  EXPECT_EQ(post("/v1/products/gold", "default_price=price_nope").text_at("/error/param"), "default_price");
  EXPECT_THAT(remove("/v1/products/gold").error(), HasSubstr("one or more user-created prices"));
  EXPECT_EQ(post("/v1/products/nope", "name=x").status, 404);
  EXPECT_EQ(remove("/v1/products/nope").status, 404);
}

using Prices = CatalogFace;

TEST_F(Prices, AreOfManyKinds) {
  make("/v1/products", "id=gold&name=Gold");
  const Answered simple =
      make("/v1/prices",
           "product=gold&currency=usd&unit_amount=500&recurring[interval]=month&nickname=Simple&metadata[a]=1");
  EXPECT_THAT(simple.id(), StartsWith("price_"));
  EXPECT_EQ(simple.text_at("/type"), "recurring");
  EXPECT_EQ(simple.text_at("/unit_amount_decimal"), "500");
  EXPECT_EQ(get("/v1/prices/" + simple.id()).text, simple.text);
  EXPECT_EQ(get("/v1/plans/" + simple.id()).text_at("/amount"), "500") << "a price is a plan";
  EXPECT_EQ(get("/v1/prices/" + simple.id() + "?expand[]=product").text_at("/product/name"), "Gold");

  const Answered once = make("/v1/prices", "product=gold&currency=eur&unit_amount_decimal=0.05");
  EXPECT_EQ(once.text_at("/type"), "one_time");
  EXPECT_EQ(once.text_at("/unit_amount"), "null");
  EXPECT_EQ(once.text_at("/unit_amount_decimal"), "0.05");
  EXPECT_EQ(once.text_at("/recurring"), "null");

  const Answered tiered = make("/v1/prices",
                               "product=gold&currency=usd&recurring[interval]=year&billing_scheme=tiered&tiers_mode="
                               "graduated&tiers[0][up_to]=10&tiers[0][unit_amount]=300&tiers[1][up_to]=inf&tiers[1]"
                               "[unit_amount_decimal]=99.5&tiers[1][flat_amount]=7");
  EXPECT_EQ(tiered.text_at("/tiers_mode"), "graduated");
  EXPECT_EQ(tiered.text_at("/tiers/0/up_to"), "10");
  EXPECT_EQ(tiered.text_at("/tiers/1/up_to"), "null");
  EXPECT_EQ(tiered.text_at("/tiers/1/unit_amount_decimal"), "99.5");
  EXPECT_EQ(tiered.text_at("/unit_amount"), "null");

  const Answered metered =
      make("/v1/prices",
           "product_data[name]=Calls&currency=usd&unit_amount=2&recurring[interval]=month&recurring"
           "[usage_type]=metered&recurring[aggregate_usage]=max&transform_quantity[divide_by]=100&"
           "transform_quantity[round]=up&tax_behavior=exclusive");
  EXPECT_EQ(metered.text_at("/recurring/usage_type"), "metered");
  EXPECT_EQ(metered.text_at("/recurring/aggregate_usage"), "max");
  EXPECT_EQ(metered.text_at("/transform_quantity/divide_by"), "100");
  EXPECT_EQ(get("/v1/products/" + metered.text_at("/product")).text_at("/name"), "Calls");

  EXPECT_THAT(get("/v1/prices?type=one_time").ids(), ElementsAre(once.id()));
  EXPECT_THAT(get("/v1/prices?currency=eur").ids(), ElementsAre(once.id()));
  EXPECT_THAT(get("/v1/prices?product=gold&type=recurring").ids(), ElementsAre(tiered.id(), simple.id()));
  EXPECT_THAT(get("/v1/prices?recurring[usage_type]=metered").ids(), ElementsAre(metered.id()));
  EXPECT_THAT(get("/v1/prices?recurring[interval]=year").ids(), ElementsAre(tiered.id()));
  EXPECT_THAT(get("/v1/plans?product=gold").ids(), ElementsAre(tiered.id(), simple.id())) << "plans recur";
}

TEST_F(Prices, ChangeLittle) {
  make("/v1/products", "id=gold&name=Gold");
  const std::string first = make("/v1/prices", "product=gold&currency=usd&unit_amount=5&lookup_key=std").id();
  const std::string second = make("/v1/prices", "product=gold&currency=usd&unit_amount=6").id();
  const std::string url = "/v1/prices/" + second;
  EXPECT_THAT(post(url, "lookup_key=std").error(), HasSubstr("already uses that lookup key"));
  EXPECT_EQ(post(url, "lookup_key=std&transfer_lookup_key=true").text_at("/lookup_key"), "std");
  EXPECT_EQ(get("/v1/prices/" + first).text_at("/lookup_key"), "null");
  EXPECT_THAT(get("/v1/prices?lookup_keys[]=std").ids(), ElementsAre(second));
  EXPECT_EQ(post(url, "lookup_key=").text_at("/lookup_key"), "null");
  const Answered changed = post(url, "nickname=Six&active=false&tax_behavior=inclusive&metadata[a]=1");
  ASSERT_EQ(changed.status, 200) << changed.text;
  EXPECT_EQ(changed.text_at("/active"), "false");
  EXPECT_EQ(changed.text_at("/tax_behavior"), "inclusive");
  EXPECT_EQ(post(url, "tax_behavior=exclusive").text_at("/error/param"), "tax_behavior");
  EXPECT_EQ(post(url, "unit_amount=7").error(), "Received unknown parameter: unit_amount");
  EXPECT_EQ(post("/v1/prices/price_nope", "active=true").error(), "No such plan: price_nope");
  EXPECT_EQ(remove(url).status, 404) << "prices are not deleted";
}

TEST_F(Prices, AreRefusedWithTheirReason) {
  make("/v1/products", "id=gold&name=Gold");
  const std::string good = "product=gold&currency=usd&";
  expect_refused(
      "/v1/prices",
      {
          {"currency=usd&unit_amount=5", "product", "Missing required param: product."},
          {"product=gold&unit_amount=5", "currency", "Missing required param: currency."},
          {"product=nope&currency=usd&unit_amount=5", "product", "No such product: nope"},
          {"product=gold&product_data[name]=x&currency=usd&unit_amount=5", "product", "Received both product"},
          {"product=gold&currency=usd", "unit_amount", "Missing required param: unit_amount."},
          {good + "unit_amount=5&unit_amount_decimal=5", "unit_amount", "Received both unit_amount"},
          {good + "unit_amount_decimal=five", "unit_amount_decimal", "Invalid decimal: five"},
          {good + "unit_amount=5&recurring[interval]=hour", "recurring[interval]", "must be one of"},
          {good + "unit_amount=5&recurring[interval]=year&recurring[interval_count]=4", "interval_count",
           "three years"},
          {good + "unit_amount=5&recurring[interval]=day&recurring[aggregate_usage]=max", "aggregate_usage",
           "metered usage only"},
          {good + "unit_amount=5&tiers_mode=volume", "tiers_mode", "needs `billing_scheme`"},
          {good + "billing_scheme=tiered", "tiers", "Missing required param: tiers."},
          {good + "billing_scheme=tiered&unit_amount=5", "unit_amount", "in `tiers`"},
          {good + "billing_scheme=tiered&tiers_mode=volume&tiers[0][up_to]=soon&tiers[0][unit_amount]=1", "tiers",
           "positive integer or inf"},
          {good + "unit_amount=5&size=1", "size", "Received unknown parameter: size"},
      });
  EXPECT_THAT(get("/v1/prices").ids(), IsEmpty());
}

using PlansOfTheCatalog = CatalogFace;

TEST_F(PlansOfTheCatalog, BringTheirProductOrNameOne) {
  const Answered plan =
      make("/v1/plans", "id=gold&amount=500&currency=usd&interval=month&product[name]=Gold&product[id]=bar");
  EXPECT_EQ(plan.text_at("/product"), "bar");
  EXPECT_EQ(get("/v1/products/bar").text_at("/name"), "Gold");
  make("/v1/products", "id=other&name=Other");
  EXPECT_EQ(post("/v1/plans/gold", "product=other").text_at("/product"), "other");
  const Answered tiered =
      make("/v1/plans",
           "id=steps&currency=usd&interval=month&product=bar&billing_scheme=tiered&tiers_mode=volume&"
           "tiers[0][up_to]=5&tiers[0][amount]=9&tiers[1][up_to]=inf&tiers[1][unit_amount]=4&"
           "usage_type=metered&aggregate_usage=last_ever");
  EXPECT_EQ(tiered.text_at("/tiers/0/amount"), "9");
  EXPECT_EQ(tiered.text_at("/aggregate_usage"), "last_ever");
  EXPECT_EQ(get("/v1/prices/steps").text_at("/recurring/usage_type"), "metered");
  expect_refused(
      "/v1/plans",
      {
          {"id=gold&amount=1&currency=usd&interval=day&product=bar", "id", "Plan already exists."},
          {"amount=1&currency=usd&interval=day&product=nope", "product", "No such product: nope"},
          {"amount=1&currency=usd&interval=day&product[id]=bar&product[name]=x", "product", "already exists"},
          {"amount=1&currency=usd&interval=day", "product", "Missing required param: product."},
          {"currency=usd&interval=day&product=bar", "amount", "Missing required param: amount."},
      });
}

using Coupons = CatalogFace;

TEST_F(Coupons, TakeAShareOrAnAmount) {
  const Answered share = make("/v1/coupons",
                              "id=HALF&percent_off=12.5&duration=repeating&duration_in_months=3&name=Some&"
                              "max_redemptions=5&metadata[a]=1&redeem_by=" +
                                  now(day));
  EXPECT_EQ(share.text_at("/percent_off"), "1.25E1") << "a number";
  EXPECT_THAT(share.text, HasSubstr(R"("percent_off":12.5,)"));
  EXPECT_EQ(share.text_at("/duration_in_months"), "3");
  EXPECT_EQ(share.text_at("/valid"), "true");
  EXPECT_EQ(share.text_at("/currency"), "null");
  EXPECT_EQ(get("/v1/coupons/HALF").text, share.text);
  const Answered amount = make("/v1/coupons", "amount_off=300&currency=eur");
  EXPECT_EQ(amount.text_at("/amount_off"), "300");
  EXPECT_EQ(amount.text_at("/duration"), "once");
  EXPECT_THAT(get("/v1/coupons").ids(), ElementsAre(amount.id(), "HALF"));
  EXPECT_EQ(post("/v1/coupons/HALF", "name=Other&metadata[a]=").text_at("/name"), "Other");
  clock.advance(std::chrono::hours(25));
  EXPECT_EQ(get("/v1/coupons/HALF").text_at("/valid"), "false") << "its time is over";
  EXPECT_EQ(remove("/v1/coupons/HALF").text, R"({"id":"HALF","object":"coupon","deleted":true})");
  EXPECT_EQ(get("/v1/coupons/HALF").error(), "No such coupon: HALF");
  make("/v1/coupons", "id=HALF&percent_off=50&duration=forever");
}

TEST_F(Coupons, AreRefusedWithTheirReason) {
  make("/v1/coupons", "id=HALF&percent_off=50&duration=once");
  expect_refused("/v1/coupons",
                 {
                     {"id=HALF&percent_off=50", "id", "Coupon already exists."},
                     {"duration=once", "percent_off", "either percent_off or amount_off"},
                     {"percent_off=5&amount_off=5&currency=usd", "percent_off", "either percent_off or amount_off"},
                     {"percent_off=0", "percent_off", "greater than 0"},
                     {"percent_off=101", "percent_off", "Invalid decimal: 101"},
                     {"percent_off=half", "percent_off", "Invalid decimal: half"},
                     {"percent_off=5&currency=usd", "currency", "cannot pass currency"},
                     {"amount_off=5", "currency", "must pass currency"},
                     {"percent_off=5&duration=repeating", "duration_in_months", "must pass duration_in_months"},
                     {"percent_off=5&duration_in_months=3", "duration_in_months", "can only pass duration_in_months"},
                     {"percent_off=5&redeem_by=" + now(-1), "redeem_by", "in the future"},
                     {"percent_off=5&max_redemptions=0", "max_redemptions", "greater than or equal to 1"},
                     {"percent_off=5&applies_to[products][]=nope", "applies_to[products]", "No such product: nope"},
                     {"percent_off=5&colour=red", "colour", "Received unknown parameter: colour"},
                 });
  EXPECT_EQ(post("/v1/coupons/HALF", "percent_off=5").text_at("/error/param"), "percent_off") << "it never changes";
  EXPECT_EQ(post("/v1/coupons/nope", "name=x").status, 404);
  EXPECT_EQ(remove("/v1/coupons/nope").status, 404);
}

using PromotionCodes = CatalogFace;

TEST_F(PromotionCodes, StandOnceAmongTheActiveOnes) {
  make("/v1/coupons", "id=HALF&percent_off=50&duration=once");
  const std::string ann = customer();
  const Answered made =
      make("/v1/promotion_codes",
           "coupon=HALF&code=SPRING&max_redemptions=7&customer=" + ann +
               "&restrictions[first_time_transaction]=true&restrictions[minimum_amount]=500&restrictions"
               "[minimum_amount_currency]=usd&expires_at=" +
               now(day));
  EXPECT_EQ(made.text_at("/coupon/id"), "HALF");
  EXPECT_EQ(made.text_at("/restrictions/minimum_amount"), "500");
  const std::string url = "/v1/promotion_codes/" + made.id();
  EXPECT_EQ(get(url).text, made.text);
  EXPECT_THAT(post("/v1/promotion_codes", "coupon=HALF&code=spring").error(), HasSubstr("already exists"));
  EXPECT_EQ(post(url, "active=false").text_at("/active"), "false");
  const Answered next = make("/v1/promotion_codes", "coupon=HALF&code=spring");
  EXPECT_THAT(post(url, "active=true").error(), HasSubstr("already exists"));
  EXPECT_THAT(get("/v1/promotion_codes?code=Spring").ids(), ElementsAre(next.id(), made.id()));
  EXPECT_THAT(get("/v1/promotion_codes?code=SPRING&active=true").ids(), ElementsAre(next.id()));
  EXPECT_THAT(get("/v1/promotion_codes?customer=" + ann).ids(), ElementsAre(made.id()));
  EXPECT_THAT(get("/v1/promotion_codes?coupon=nope").ids(), IsEmpty());
  EXPECT_EQ(make("/v1/promotion_codes", "coupon=HALF").text_at("/code").size(), 8U);
  expect_refused("/v1/promotion_codes", {
                                            {"code=x", "coupon", "Missing required param: coupon."},
                                            {"coupon=nope", "coupon", "No such coupon: nope"},
                                            {"coupon=HALF&customer=cus_nope", "customer", "No such customer: cus_nope"},
                                            {"coupon=HALF&expires_at=" + now(-1), "expires_at", "in the future"},
                                            {"coupon=HALF&restrictions[minimum_amount]=5",
                                             "restrictions[minimum_amount]", "with its currency"},
                                        });
  EXPECT_EQ(post(url, "code=other").text_at("/error/param"), "code") << "it never changes";
  EXPECT_EQ(get("/v1/promotion_codes/promo_nope").status, 404);
}

using TaxRates = CatalogFace;

TEST_F(TaxRates, KeepTheirPercentage) {
  const Answered made =
      make("/v1/tax_rates", "display_name=VAT&percentage=8.875&inclusive=false&country=US&tax_type=vat");
  EXPECT_THAT(made.text, HasSubstr(R"("percentage":8.875,)"));
  const std::string url = "/v1/tax_rates/" + made.id();
  EXPECT_EQ(get(url).text, made.text);
  const Answered changed = post(url, "active=false&display_name=Sales&country=&metadata[a]=1");
  EXPECT_EQ(changed.text_at("/display_name"), "Sales");
  EXPECT_EQ(changed.text_at("/country"), "null");
  EXPECT_THAT(get("/v1/tax_rates?active=false").ids(), ElementsAre(made.id()));
  EXPECT_THAT(get("/v1/tax_rates?inclusive=true").ids(), IsEmpty());
  expect_refused("/v1/tax_rates",
                 {
                     {"percentage=5&inclusive=true", "display_name", "Missing required param"},
                     {"display_name=x&inclusive=true", "percentage", "Missing required param"},
                     {"display_name=x&percentage=5", "inclusive", "Missing required param"},
                     {"display_name=x&percentage=1.00001&inclusive=true", "percentage", "Invalid decimal"},
                     {"display_name=x&percentage=-5&inclusive=true", "percentage", "Invalid decimal"},
                 });
  EXPECT_EQ(post(url, "percentage=5").text_at("/error/param"), "percentage") << "it never changes";
  EXPECT_EQ(post("/v1/tax_rates/txr_nope", "active=true").status, 404);
}

TEST_F(CatalogFace, RepeatsTheFirstAnswerUnderAnIdempotencyKey) {
  const Fields key = {{"Idempotency-Key", "once"}};
  const Answered first = post("/v1/coupons", "percent_off=50", key);
  ASSERT_EQ(first.status, 200) << first.text;
  EXPECT_EQ(post("/v1/coupons", "percent_off=50", key).text, first.text);
  EXPECT_THAT(get("/v1/coupons").ids(), ElementsAre(first.id()));
  EXPECT_EQ(post("/v1/coupons", "percent_off=60", key).text_at("/error/type"), "idempotency_error");
}

}  // namespace
}  // namespace billd::api::stripe
