// The Stripe face end to end: every operation against a real store, with the test gateway.
#include <gmock/gmock.h>

#include "tests/net/stripe_fixture.hpp"

namespace billd::api::stripe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::StartsWith;
using testing::UnorderedElementsAre;

using FaceTest = StripeTest;
namespace json = boost::json;

// Every object that is answered has what the three versions of the API require of it.
const std::map<std::string, std::string, std::less<>> required_members = {
    {"customer", "created id livemode object sources"},
    {"card", "brand exp_month exp_year funding id last4 metadata object"},
    {"subscription",
     "automatic_tax billing_cycle_anchor cancel_at_period_end collection_method created currency current_period_end "
     "current_period_start customer id items livemode metadata object start start_date status"},
    {"subscription_item", "created id metadata object plan price subscription"},
    {"plan", "active billing_scheme created currency id interval interval_count livemode metadata object usage_type"},
    {"price", "active billing_scheme created currency id livemode metadata object product type"},
    {"product", "active created features id images livemode metadata name object type updated"},
    {"invoice",
     "amount_due amount_paid amount_remaining amount_shipping attempt_count attempted auto_advance automatic_tax "
     "closed "
     "collection_method created currency customer date default_tax_rates forgiven id lines livemode object paid "
     "paid_out_of_band payment_settings period_end period_start post_payment_credit_notes_amount "
     "pre_payment_credit_notes_amount starting_balance status_transitions subtotal total total_tax_amounts"},
    {"line_item", "amount currency discountable id livemode metadata object period proration type"},
    {"invoiceitem",
     "amount currency customer date discountable id livemode metadata object period proration quantity unit_amount"},
    {"charge",
     "amount amount_captured amount_refunded billing_details captured created currency disputed id livemode metadata "
     "object paid refunded refunds source status"},
    {"event", "created data id livemode object pending_webhooks type"},
    {"test_helpers.test_clock", "created deletes_after frozen_time id livemode object status"},
    {"list", "object data has_more url"},
};

void expect_complete(const json::value& value, bool in_event = false) {
  if (const json::array* array = value.if_array()) {
    for (const json::value& each : *array) expect_complete(each, in_event);
    return;
  }
  const json::object* object = value.if_object();
  if (object == nullptr) return;
  std::map<std::string, int> names;
  for (const auto& member : *object) ++names[std::string(member.key())];
  for (const auto& [name, count] : names) EXPECT_EQ(count, 1) << name;
  const json::value* kind = object->if_contains("object");
  const bool is_event = kind != nullptr && kind->is_string() && kind->as_string() == "event";
  if (kind != nullptr && kind->is_string() && !object->contains("deleted")) {
    const auto required = required_members.find(std::string(kind->as_string()));
    ASSERT_NE(required, required_members.end()) << kind->as_string();
    std::istringstream names_required(required->second);
    for (std::string name; names_required >> name;) {
      // An event shows a customer by itself, without the lists that belong to it.
      if (in_event && required->first == "customer" && name == "sources") continue;
      EXPECT_TRUE(object->contains(name)) << required->first << " has no " << name;
    }
  }
  for (const auto& member : *object)
    if (member.key() != "previous_attributes") expect_complete(member.value(), in_event || is_event);
}

// Keys and URLs.

TEST_F(FaceTest, WantsAKey) {
  const Answered without = get("/v1/customers", {{"Authorization", ""}});
  EXPECT_EQ(without.status, 401);
  EXPECT_THAT(without.error(), StartsWith("You did not provide an API key."));
  settings.development = false;
  const Answered unknown = get("/v1/customers", {{"Authorization", "Bearer sk_test_abcdefghijklmnop"}});
  EXPECT_EQ(unknown.status, 401);
  EXPECT_EQ(unknown.error(), "Invalid API Key provided: sk_test_****mnop");
  EXPECT_EQ(unknown.text_at("/error/type"), "invalid_request_error");
}

TEST_F(FaceTest, TakesAnyTestKeyInDevelopmentAndNoLiveOne) {
  EXPECT_EQ(get("/v1/customers", {{"Authorization", "Bearer sk_test_x"}}).status, 200);
  EXPECT_EQ(get("/v1/customers", {{"Authorization", "Basic c2tfdGVzdF8xOg=="}}).status, 200);
  EXPECT_EQ(get("/v1/customers", {{"Authorization", "Bearer sk_test_"}}).status, 401);
  EXPECT_EQ(get("/v1/customers", {{"Authorization", "Bearer sk_live_x"}}).status, 401);
}

TEST_F(FaceTest, TakesKnownKeysUntilTheyAreRevokedAndKeepsTheModesApart) {
  settings.development = false;
  const std::string secret = make_key(Mode::live, KeyRandomness{});
  ApiKey key;
  key.id = "key_1";
  key.hash = hash_key(secret);
  key.mode = Mode::live;
  ASSERT_TRUE(run(daemon->loop, daemon->catalog.put<ApiKey>(Mode::live, key, std::nullopt)));
  const Fields live = {{"Authorization", "Bearer " + secret}};
  const Answered created = post("/v1/customers", "email=ann@example.com", live);
  EXPECT_EQ(created.status, 200) << created.text;
  EXPECT_TRUE(created.at("/livemode").as_bool());
  settings.development = true;
  EXPECT_EQ(get("/v1/customers/" + created.id()).status, 404);
  EXPECT_THAT(get("/v1/customers").ids(), IsEmpty());
  EXPECT_THAT(get("/v1/customers", live).ids(), ElementsAre(created.id()));
  EXPECT_EQ(post("/v1/customers",
                 "source[object]=card&source[number]=4242424242424242&source[exp_month]=1&"
                 "source[exp_year]=2040",
                 live)
                .status,
            400);
  ApiKey revoked = key;
  revoked.revoked = clock.now();
  ASSERT_TRUE(run(daemon->loop, daemon->catalog.put<ApiKey>(Mode::live, revoked, key)));
  EXPECT_EQ(get("/v1/customers", live).status, 401);
}

TEST_F(FaceTest, AnswersUnknownUrlsAsStripeDoes) {
  const Answered unknown = get("/v1/nothing");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_THAT(unknown.error(), StartsWith("Unrecognized request URL (GET: /v1/nothing)."));
  EXPECT_EQ(send(request(http::Method::put, "/v1/customers", "", {})).status, 404);
}

TEST_F(FaceTest, EchoesWhatClientsLookFor) {
  const Answered answered =
      post("/v1/customers", "",
           {{"Stripe-Version", "2018-05-21"}, {"Stripe-Account", "acct_1"}, {"Idempotency-Key", "key"}});
  EXPECT_THAT(answered.header("Request-Id"), StartsWith("req_"));
  EXPECT_EQ(answered.header("Stripe-Version"), "2018-05-21");
  EXPECT_EQ(answered.header("Stripe-Account"), "acct_1");
  EXPECT_EQ(answered.header("Idempotency-Key"), "key");
  EXPECT_EQ(get("/v1/customers").header("Stripe-Version"), "2023-08-16");
  EXPECT_EQ(get("/v1/customers", {{"Stripe-Version", "newest"}}).status, 400);
}

// Customers.

TEST_F(FaceTest, CreatesAndRetrievesACustomer) {
  const Answered created = post(
      "/v1/customers",
      "email=ann@example.com&name=Ann&phone=123&description=A%20friend&metadata[colour]=red&address[line1]=Road%201&"
      "address[country]=DE&source=tok_visa");
  ASSERT_EQ(created.status, 200) << created.text;
  EXPECT_THAT(created.id(), StartsWith("cus_"));
  EXPECT_EQ(created.text_at("/email"), "ann@example.com");
  EXPECT_EQ(created.text_at("/metadata/colour"), "red");
  EXPECT_EQ(created.text_at("/address/line1"), "Road 1");
  EXPECT_EQ(created.text_at("/default_source"), created.text_at("/sources/data/0/id"));
  EXPECT_EQ(created.text_at("/sources/data/0/last4"), "4242");
  EXPECT_EQ(created.text_at("/sources/total_count"), "1");
  EXPECT_EQ(created.text_at("/balance"), created.text_at("/account_balance"));
  EXPECT_EQ(created.text_at("/created"), std::to_string(to_unix(jobs::start_of_test)));
  expect_complete(created.body);
  EXPECT_EQ(get("/v1/customers/" + created.id()).text, created.text);
}

TEST_F(FaceTest, TakesJsonAsItTakesForms) {
  const Answered created = post("/v1/customers", R"({"email":"ann@example.com","metadata":{"7":"seven"}})",
                                {{"Content-Type", "application/json; charset=utf-8"}});
  ASSERT_EQ(created.status, 200) << created.text;
  EXPECT_EQ(created.text_at("/metadata/7"), "seven");
}

TEST_F(FaceTest, UpdatesWhatIsGivenAndClearsWhatIsEmpty) {
  const std::string id = customer("email=ann@example.com&name=Ann&metadata[a]=1&metadata[b]=2");
  const Answered updated =
      post("/v1/customers/" + id, "name=&description=new&metadata[a]=&metadata[c]=3&source=tok_mastercard");
  ASSERT_EQ(updated.status, 200) << updated.text;
  EXPECT_EQ(updated.text_at("/email"), "ann@example.com");
  EXPECT_TRUE(updated.at("/name").is_null());
  EXPECT_EQ(updated.text_at("/description"), "new");
  EXPECT_EQ(json::serialize(updated.at("/metadata")), R"({"b":"2","c":"3"})");
  EXPECT_EQ(updated.text_at("/sources/data/0/brand"), "MasterCard");
  EXPECT_EQ(post("/v1/customers/" + id, "default_source=card_nope").status, 404);
  EXPECT_EQ(post("/v1/customers/" + id, "nonsense=1").error(), "Received unknown parameter: nonsense");
}

TEST_F(FaceTest, DeletesACustomerAndRemembersThatItWas) {
  const std::string id = customer();
  const std::string subscribed = subscription(id, plan());
  const Answered deleted = remove("/v1/customers/" + id);
  EXPECT_EQ(deleted.text, R"({"id":")" + id + R"(","object":"customer","deleted":true})");
  EXPECT_EQ(get("/v1/customers/" + id).text, deleted.text);
  EXPECT_EQ(remove("/v1/customers/" + id).status, 404);
  EXPECT_EQ(post("/v1/customers/" + id, "name=x").status, 404);
  EXPECT_EQ(get("/v1/subscriptions/" + subscribed).text_at("/status"), "canceled");
}

TEST_F(FaceTest, DoesNotKnowCustomersThatAreNone) {
  for (const char* id : {"cus_nope", "cus_AAAAAAAAAAAABBBBBBBBBBBB", "x", "cus_%20%23"}) {
    const Answered answered = get("/v1/customers/" + std::string(id));
    EXPECT_EQ(answered.status, 404) << id;
    EXPECT_EQ(answered.text_at("/error/code"), "resource_missing") << id;
    EXPECT_EQ(answered.text_at("/error/param"), "id") << id;
  }
}

TEST_F(FaceTest, ListsCustomersPageByPage) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    clock.advance(std::chrono::seconds(10));
    ids.insert(ids.begin(), customer("email=" + std::to_string(i % 2) + "@example.com"));
  }
  const Answered all = get("/v1/customers");
  EXPECT_EQ(all.ids(), ids);
  EXPECT_FALSE(all.at("/has_more").as_bool());
  expect_complete(all.body);
  const Answered first = get("/v1/customers?limit=2");
  EXPECT_THAT(first.ids(), ElementsAre(ids[0], ids[1]));
  EXPECT_TRUE(first.at("/has_more").as_bool());
  const Answered rest = get("/v1/customers?limit=3&starting_after=" + ids[1]);
  EXPECT_THAT(rest.ids(), ElementsAre(ids[2], ids[3], ids[4]));
  EXPECT_FALSE(rest.at("/has_more").as_bool());
  const Answered back = get("/v1/customers?limit=2&ending_before=" + ids[3]);
  EXPECT_THAT(back.ids(), ElementsAre(ids[1], ids[2]));
  EXPECT_TRUE(back.at("/has_more").as_bool());
  EXPECT_THAT(get("/v1/customers?email=1@example.com").ids(), ElementsAre(ids[1], ids[3]));
  EXPECT_THAT(get("/v1/customers?email=none@example.com").ids(), IsEmpty());
  const std::string third = std::to_string(to_unix(jobs::start_of_test) + 30);
  EXPECT_THAT(get("/v1/customers?created=" + third).ids(), ElementsAre(ids[2]));
  EXPECT_THAT(get("/v1/customers?created[gte]=" + third).ids(), ElementsAre(ids[0], ids[1], ids[2]));
  EXPECT_THAT(get("/v1/customers?created[lt]=" + third).ids(), ElementsAre(ids[3], ids[4]));
  EXPECT_EQ(get("/v1/customers?starting_after=cus_nope").error(), "No such customer: cus_nope");
  EXPECT_EQ(get("/v1/customers?limit=101").status, 400);
  EXPECT_EQ(get("/v1/customers?starting_after=a&ending_before=b").status, 400);
}

TEST_F(FaceTest, ReadsTheBodyOfAGetAsOldClientsSendIt) {
  customer();
  customer();
  EXPECT_THAT(send(request(http::Method::get, "/v1/customers", "limit=1", {})).ids(), SizeIs(1));
  EXPECT_EQ(send(request(http::Method::get, "/v1/customers", "nonsense=1", {})).status, 400);
}

// Payment sources.

TEST_F(FaceTest, KeepsTheSourcesOfACustomer) {
  const std::string id = customer();
  const std::string url = "/v1/customers/" + id + "/sources";
  const Answered added =
      post(url,
           "source[object]=card&source[number]=5555%205555%205555%204444&source[exp_month]=4&source[exp_year]=2035&"
           "source[cvc]=123&source[name]=Ann&source[address_zip]=12345&metadata[a]=1");
  ASSERT_EQ(added.status, 200) << added.text;
  expect_complete(added.body);
  EXPECT_EQ(added.text_at("/brand"), "MasterCard");
  EXPECT_EQ(added.text_at("/exp_year"), "2035");
  EXPECT_EQ(added.text_at("/cvc_check"), "pass");
  EXPECT_EQ(added.text_at("/address_zip_check"), "pass");
  EXPECT_TRUE(added.at("/address_line1_check").is_null());
  EXPECT_EQ(added.text_at("/metadata/a"), "1");
  EXPECT_EQ(added.text_at("/customer"), id);
  EXPECT_THAT(added.text, Not(HasSubstr("5555555555554444")));
  EXPECT_EQ(get(url + "/" + added.id()).text, added.text);
  const Answered by_card = post("/v1/customers/" + id + "/cards", "card=tok_amex");
  EXPECT_EQ(by_card.text_at("/brand"), "American Express");
  EXPECT_THAT(get(url).ids(), SizeIs(3));
  EXPECT_THAT(get(url + "?limit=1").ids(), ElementsAre(by_card.id()));
  EXPECT_THAT(get("/v1/customers/" + id + "/cards?limit=1&starting_after=" + by_card.id()).ids(),
              ElementsAre(added.id()));
  const Answered updated = post(url + "/" + added.id(), "name=Bob&exp_month=9&address_city=Bonn&metadata[b]=2");
  EXPECT_EQ(updated.text_at("/name"), "Bob");
  EXPECT_EQ(updated.text_at("/address_zip"), "12345");
  EXPECT_EQ(updated.text_at("/address_city"), "Bonn");
  EXPECT_EQ(updated.text_at("/metadata/a"), "1");
  EXPECT_EQ(remove(url + "/" + added.id()).text, R"({"id":")" + added.id() + R"(","object":"card","deleted":true})");
  EXPECT_EQ(get(url + "/" + added.id()).error(), "No such source: " + added.id());
  EXPECT_EQ(post(url, "").text_at("/error/code"), "parameter_missing");
}

TEST_F(FaceTest, RefusesCardsThatCannotBeAttached) {
  const std::string url = "/v1/customers/" + customer() + "/sources";
  const Answered declined = post(url, "source=tok_chargeDeclined");
  EXPECT_EQ(declined.status, 402);
  EXPECT_EQ(declined.text, R"({"error":{"message":"Your card was declined.","type":"card_error",)"
                           R"("code":"card_declined","decline_code":"generic_decline"}})");
  auto code_of = [&](const std::string& card) {
    return post(url, "source[object]=card&" + card).text_at("/error/code");
  };
  const std::string good = "source[number]=4242424242424242&source[exp_year]=2035&";
  EXPECT_EQ(code_of(good + "source[exp_month]=13"), "invalid_expiry_month");
  EXPECT_EQ(code_of("source[number]=4242424242424242&source[exp_month]=1&source[exp_year]=2020"),
            "invalid_expiry_year");
  EXPECT_EQ(code_of(good + "source[exp_month]=1&source[cvc]=12"), "invalid_cvc");
  EXPECT_EQ(code_of("source[number]=4242424242424241&source[exp_month]=1&source[exp_year]=2035"), "incorrect_number");
  EXPECT_EQ(code_of("source[number]=4000000000000069&source[exp_month]=1&source[exp_year]=2035"), "expired_card");
  EXPECT_EQ(post(url, "source=tok_nothing").status, 400);
}

// Plans.

TEST_F(FaceTest, KeepsPlans) {
  const Answered created =
      post("/v1/plans",
           "id=my%20plan%20%23%231&amount=2000&currency=usd&interval=month&interval_count=3&name=Gold&"
           "nickname=Golden&trial_period_days=14&metadata[a]=1&statement_descriptor=GOLD");
  ASSERT_EQ(created.status, 200) << created.text;
  expect_complete(created.body);
  EXPECT_EQ(created.id(), "my plan ##1");
  EXPECT_EQ(created.text_at("/name"), "Gold");
  EXPECT_EQ(created.text_at("/nickname"), "Golden");
  EXPECT_EQ(created.text_at("/trial_period_days"), "14");
  EXPECT_THAT(created.text_at("/product"), StartsWith("prod_"));
  const std::string url = "/v1/plans/my%20plan%20%23%231";
  EXPECT_EQ(get(url).text, created.text);
  EXPECT_EQ(post("/v1/plans", "id=my%20plan%20%23%231&amount=1&currency=usd&interval=month&name=x").error(),
            "Plan already exists.");
  const Answered updated = post(url, "nickname=New&metadata[b]=2&trial_period_days=");
  EXPECT_EQ(updated.text_at("/nickname"), "New");
  EXPECT_EQ(updated.text_at("/metadata/a"), "1");
  EXPECT_TRUE(updated.at("/trial_period_days").is_null());
  EXPECT_EQ(remove(url).text, R"({"id":"my plan ##1","object":"plan","deleted":true})");
  EXPECT_EQ(get(url).error(), "No such plan: my plan ##1");
}

TEST_F(FaceTest, RefusesPlansOutsideTheirLimits) {
  const std::string good = "amount=1&currency=usd&interval=month&product[name]=x";
  EXPECT_EQ(post("/v1/plans", good).status, 200);
  EXPECT_EQ(post("/v1/plans", "amount=1&currency=usd&interval=month").text_at("/error/param"), "product");
  for (const char* wrong : {"amount=1&currency=usd&interval=hour&name=x", "amount=-1&currency=usd&interval=day&name=x",
                            "amount=100000000&currency=usd&interval=day&name=x",
                            "amount=1&currency=usd&interval=month&interval_count=37&name=x",
                            "amount=1&currency=usd&interval=week&interval_count=157&name=x",
                            "amount=1&currency=usd&interval=year&interval_count=4&name=x",
                            "amount=1&currency=usd&interval=month&interval_count=0&name=x", "amount=1&interval=day"})
    EXPECT_EQ(post("/v1/plans", wrong).status, 400) << wrong;
}

TEST_F(FaceTest, ListsPlans) {
  plan("a");
  clock.advance(std::chrono::seconds(1));
  plan("b", "1000", "&active=false");
  EXPECT_THAT(get("/v1/plans").ids(), ElementsAre("b", "a"));
  EXPECT_THAT(get("/v1/plans?active=true").ids(), ElementsAre("a"));
  EXPECT_THAT(get("/v1/plans?limit=1&starting_after=b").ids(), ElementsAre("a"));
  EXPECT_EQ(get("/v1/plans?expand[]=data.product").text_at("/data/0/product/name"), "Gold Special");
}

// Subscriptions.

TEST_F(FaceTest, SubscribesAndCharges) {
  const std::string id = customer();
  plan();
  const Answered created =
      post("/v1/subscriptions", "customer=" + id +
                                    "&items[0][plan]=gold&items[0][quantity]=2&"
                                    "metadata[a]=1&expand[]=latest_invoice.charge&expand[]=customer");
  ASSERT_EQ(created.status, 200) << created.text;
  expect_complete(created.body);
  EXPECT_EQ(created.text_at("/status"), "active");
  EXPECT_EQ(created.text_at("/quantity"), "2");
  EXPECT_EQ(created.text_at("/plan/id"), "gold");
  EXPECT_EQ(created.text_at("/items/data/0/price/unit_amount"), "2000");
  EXPECT_EQ(created.text_at("/customer/email"), "ann@example.com");
  EXPECT_EQ(created.text_at("/customer/delinquent"), "false");
  EXPECT_EQ(created.text_at("/customer/currency"), "usd");
  EXPECT_EQ(created.text_at("/latest_invoice/status"), "paid");
  EXPECT_EQ(created.text_at("/latest_invoice/amount_paid"), "4000");
  EXPECT_EQ(created.text_at("/latest_invoice/lines/data/0/description"), "2 × Gold Special (at $20.00 / month)");
  EXPECT_EQ(created.text_at("/latest_invoice/charge/status"), "succeeded");
  EXPECT_EQ(created.text_at("/latest_invoice/charge/source/last4"), "4242");
  EXPECT_EQ(created.text_at("/metadata/a"), "1");

  const Answered again = get("/v1/customers/" + id + "/subscriptions/" + created.id() +
                             "?expand[]=latest_invoice.charge&expand[]=customer");
  EXPECT_EQ(again.text, created.text);
  EXPECT_EQ(get("/v1/customers/" + customer() + "/subscriptions/" + created.id()).status, 404);
  EXPECT_EQ(get("/v1/customers/" + id).text_at("/subscriptions/data/0/id"), created.id());
}

TEST_F(FaceTest, TakesThePlanAtTheTopAndASourceOnTheWay) {
  const std::string id = customer("email=bob@example.com");
  plan();
  EXPECT_EQ(post("/v1/customers/" + id + "/subscriptions", "plan=gold").error(),
            "This customer has no attached payment source");
  const Answered created = post("/v1/customers/" + id + "/subscriptions", "plan=gold&quantity=3&source=tok_visa");
  ASSERT_EQ(created.status, 200) << created.text;
  EXPECT_EQ(created.text_at("/quantity"), "3");
  EXPECT_EQ(get("/v1/customers/" + id).text_at("/sources/total_count"), "1");
  EXPECT_EQ(post("/v1/subscriptions", "customer=" + id + "&items[0][price]=nope").error(), "No such plan: nope");
  EXPECT_EQ(post("/v1/subscriptions", "customer=" + id).text_at("/error/param"), "items");
  EXPECT_EQ(post("/v1/subscriptions", "items[0][plan]=gold").error(), "Missing required param: customer.");
  EXPECT_EQ(post("/v1/subscriptions", "customer=" + id + "&plan=gold&items[0][plan]=gold").status, 400);
}

TEST_F(FaceTest, GivesTrials) {
  const std::string id = customer("email=ann@example.com");
  plan("gold", "2000", "&trial_period_days=7");
  const std::int64_t now = to_unix(jobs::start_of_test);
  auto trial_end = [&](std::string more, const char* version = "2023-08-16") {
    const Answered created =
        post("/v1/subscriptions", "customer=" + id + "&plan=gold&" + more, {{"Stripe-Version", version}});
    return created.status == 200 ? created.text_at("/trial_end") : created.error();
  };
  const std::string week = std::to_string(now + 7 * 86'400);
  EXPECT_EQ(trial_end("trial_period_days=14"), std::to_string(now + 14 * 86'400));
  EXPECT_EQ(trial_end("trial_end=" + week), week);
  EXPECT_EQ(trial_end("trial_from_plan=true"), week);
  EXPECT_EQ(trial_end("", "2018-02-28"), week);
  EXPECT_THAT(trial_end("trial_end=" + std::to_string(now)), HasSubstr("in the future"));
  EXPECT_EQ(trial_end(""), "This customer has no attached payment source");
  EXPECT_EQ(trial_end("trial_end=now"), "This customer has no attached payment source");
  // The reference of every version: the flag set to true together with trial_end is not allowed.
  EXPECT_THAT(trial_end("trial_end=now&trial_from_plan=true"), HasSubstr("both trial_end and trial_from_plan"));
  EXPECT_EQ(trial_end("trial_end=" + week + "&trial_from_plan=false"), week);
  EXPECT_EQ(post("/v1/subscriptions", "customer=" + id + "&plan=gold&trial_end=now&trial_period_days=3").status, 400);
}

TEST_F(FaceTest, TellsADeclinedFirstPaymentByVersion) {
  const std::string id = customer("source=tok_chargeCustomerFail");
  plan();
  const Answered declined =
      post("/v1/subscriptions", "customer=" + id + "&plan=gold", {{"Stripe-Version", "2018-05-21"}});
  EXPECT_EQ(declined.status, 402);
  EXPECT_EQ(declined.text_at("/error/code"), "card_declined");
  const std::string charge = declined.text_at("/error/charge");
  EXPECT_THAT(charge, StartsWith("ch_"));
  EXPECT_EQ(get("/v1/charges/" + charge).text_at("/status"), "failed");
  EXPECT_THAT(get("/v1/subscriptions?status=all").ids(), IsEmpty());
  EXPECT_THAT(get("/v1/invoices?customer=" + id).ids(), IsEmpty());

  const Answered incomplete = post("/v1/subscriptions", "customer=" + id + "&plan=gold");
  ASSERT_EQ(incomplete.status, 200) << incomplete.text;
  EXPECT_EQ(incomplete.text_at("/status"), "incomplete");
  EXPECT_EQ(post("/v1/subscriptions", "customer=" + id + "&plan=gold&payment_behavior=error_if_incomplete").status,
            402);
}

TEST_F(FaceTest, SaysWhenTheOutcomeOfAPaymentIsNotKnown) {
  const std::string id = customer();
  plan();
  daemon->gateway->fault = jobs::FaultyGateway::Fault::forget_answer;
  const Answered unknown =
      post("/v1/subscriptions", "customer=" + id + "&plan=gold", {{"Stripe-Version", "2018-05-21"}});
  EXPECT_EQ(unknown.status, 503);
  EXPECT_EQ(unknown.text_at("/error/type"), "api_error");
  const Answered incomplete = post("/v1/subscriptions", "customer=" + id + "&plan=gold");
  EXPECT_EQ(incomplete.text_at("/status"), "incomplete");
}

TEST_F(FaceTest, CancelsAtThePeriodsEndTakesItBackAndCancelsAtOnce) {
  const std::string id = customer();
  const std::string subscribed = subscription(id, plan());
  const std::string url = "/v1/subscriptions/" + subscribed;
  const Answered scheduled = post(url, "cancel_at_period_end=true&expand[]=latest_invoice");
  EXPECT_EQ(scheduled.text_at("/status"), "active");
  EXPECT_TRUE(scheduled.at("/cancel_at_period_end").as_bool());
  EXPECT_EQ(scheduled.at("/cancel_at"), scheduled.at("/current_period_end"));
  EXPECT_EQ(scheduled.text_at("/latest_invoice/object"), "invoice");
  EXPECT_FALSE(post(url, "cancel_at_period_end=false").at("/cancel_at_period_end").as_bool());
  const Answered old = remove("/v1/customers/" + id + "/subscriptions/" + subscribed + "?at_period_end=true");
  EXPECT_TRUE(old.at("/cancel_at_period_end").as_bool());
  const Answered canceled = remove(url);
  ASSERT_EQ(canceled.status, 200) << canceled.text;
  expect_complete(canceled.body);
  EXPECT_EQ(canceled.text_at("/status"), "canceled");
  EXPECT_EQ(canceled.at("/ended_at"), canceled.at("/canceled_at"));
  EXPECT_EQ(get(url).text, canceled.text);
  EXPECT_EQ(remove(url).error(), "No such subscription: " + subscribed);
  EXPECT_EQ(post(url, "cancel_at_period_end=true").status, 404);
}

TEST_F(FaceTest, ListsSubscriptionsByStatusPlanAndCustomer) {
  const std::string ann = customer(), bob = customer();
  plan("gold");
  plan("iron", "500");
  std::vector<std::string> ids;
  for (const auto& [who, what] : {std::pair(ann, "gold"), std::pair(bob, "gold"), std::pair(ann, "iron")}) {
    clock.advance(std::chrono::seconds(1));
    ids.push_back(subscription(who, what));
  }
  remove("/v1/subscriptions/" + ids[0]);
  EXPECT_THAT(get("/v1/subscriptions").ids(), ElementsAre(ids[2], ids[1]));
  EXPECT_THAT(get("/v1/subscriptions?status=all").ids(), ElementsAre(ids[2], ids[1], ids[0]));
  EXPECT_THAT(get("/v1/subscriptions?status=canceled").ids(), ElementsAre(ids[0]));
  EXPECT_THAT(get("/v1/subscriptions?status=ended").ids(), ElementsAre(ids[0]));
  EXPECT_THAT(get("/v1/subscriptions?plan=iron").ids(), ElementsAre(ids[2]));
  EXPECT_THAT(get("/v1/subscriptions?customer=" + ann).ids(), ElementsAre(ids[2]));
  EXPECT_THAT(get("/v1/subscriptions?status=all&customer=" + ann).ids(), ElementsAre(ids[2], ids[0]));
  EXPECT_THAT(get("/v1/customers/" + ann + "/subscriptions?status=all&limit=1").ids(), ElementsAre(ids[2]));
  EXPECT_THAT(get("/v1/subscriptions?status=all&limit=1&starting_after=" + ids[2]).ids(), ElementsAre(ids[1]));
  EXPECT_THAT(get("/v1/subscriptions?status=all&limit=1&ending_before=" + ids[0]).ids(), ElementsAre(ids[1]));
  const Answered expanded = get("/v1/subscriptions?expand[]=data.customer&expand[]=data.latest_invoice.charge");
  expect_complete(expanded.body);
  EXPECT_EQ(expanded.text_at("/data/1/customer/id"), bob);
  EXPECT_EQ(expanded.text_at("/data/1/latest_invoice/charge/amount"), "2000");
  EXPECT_EQ(get("/v1/subscriptions?expand[]=customer").status, 400);
  EXPECT_EQ(get("/v1/subscriptions?status=lazy").status, 400);
}

// Invoices and charges.

TEST_F(FaceTest, ShowsInvoicesAndChargesOfARenewal) {
  const std::string id = customer();
  const std::string subscribed = subscription(id, plan());
  const Answered first = get("/v1/invoices?subscription=" + subscribed);
  ASSERT_THAT(first.ids(), SizeIs(1));
  const Timestamp renewal = from_unix(get("/v1/subscriptions/" + subscribed).at("/current_period_end").as_int64());
  live_until(id, renewal + std::chrono::hours(2));
  const Answered invoices = get("/v1/invoices?customer=" + id);
  ASSERT_THAT(invoices.ids(), SizeIs(2));
  expect_complete(invoices.body);
  EXPECT_EQ(invoices.ids()[1], first.ids()[0]);
  EXPECT_EQ(invoices.text_at("/data/0/billing_reason"), "subscription_cycle");
  EXPECT_EQ(invoices.text_at("/data/0/status"), "paid");
  EXPECT_TRUE(invoices.at("/data/0/closed").as_bool());
  EXPECT_TRUE(invoices.at("/data/0/paid").as_bool());
  EXPECT_EQ(invoices.at("/data/0/date"), invoices.at("/data/0/created"));
  EXPECT_EQ(get("/v1/invoices").ids(), invoices.ids());
  EXPECT_EQ(get("/v1/invoices?status=paid&limit=1").ids()[0], invoices.ids()[0]);
  EXPECT_THAT(get("/v1/invoices?status=draft").ids(), IsEmpty());
  const std::string url = "/v1/invoices/" + invoices.ids()[0];
  const Answered lines = get(url + "/lines");
  EXPECT_EQ(lines.text_at("/total_count"), "1");
  EXPECT_EQ(lines.text_at("/data/0/amount"), "2000");
  expect_complete(lines.body);
  EXPECT_EQ(post(url + "/pay").error(), "Invoice is already paid");

  const Answered charges = get("/v1/charges?customer=" + id);
  ASSERT_THAT(charges.ids(), SizeIs(2));
  expect_complete(charges.body);
  EXPECT_EQ(get("/v1/charges").ids(), charges.ids());
  EXPECT_THAT(get("/v1/charges?limit=1&starting_after=" + charges.ids()[0]).ids(), ElementsAre(charges.ids()[1]));
  EXPECT_EQ(charges.text_at("/data/0/invoice"), invoices.ids()[0]);
  const Answered charge = get("/v1/charges/" + charges.ids()[0] + "?expand[]=invoice.subscription");
  EXPECT_EQ(charge.text_at("/invoice/subscription/id"), subscribed);
  EXPECT_EQ(get("/v1/charges/ch_nope").status, 404);
  EXPECT_EQ(get("/v1/invoices/in_nope").error(), "No such invoice: in_nope");
}

TEST_F(FaceTest, ClosesReopensAndPaysAnInvoice) {
  const std::string id = customer("source=tok_chargeCustomerFail");
  plan();
  const Answered incomplete = post("/v1/subscriptions", "customer=" + id + "&plan=gold");
  const std::string url = "/v1/invoices/" + incomplete.text_at("/latest_invoice");
  const Answered declined = post(url + "/pay");
  EXPECT_EQ(declined.status, 402);
  EXPECT_THAT(declined.text, StartsWith(R"({"error":{"message":"Your card was declined.","type":"card_error",)"
                                        R"("code":"card_declined","decline_code":"generic_decline","charge":"ch_)"));
  EXPECT_TRUE(post(url, "closed=true").at("/closed").as_bool());
  EXPECT_FALSE(post(url, "auto_advance=true").at("/closed").as_bool());
  EXPECT_EQ(post(url, "closed=true&auto_advance=true").status, 400);
  EXPECT_EQ(post(url, "").status, 200);
  const Answered card = post("/v1/customers/" + id + "/sources", "source=tok_visa");
  EXPECT_EQ(post(url + "/pay", "source=card_nope").status, 404);
  const Answered paid = post(url + "/pay", "source=" + card.id() + "&expand[]=charge");
  ASSERT_EQ(paid.status, 200) << paid.text;
  EXPECT_TRUE(paid.at("/paid").as_bool());
  EXPECT_EQ(paid.text_at("/charge/status"), "succeeded");
  EXPECT_EQ(get("/v1/subscriptions/" + incomplete.id()).text_at("/status"), "active");
}

// Events.

TEST_F(FaceTest, TellsWhatHappenedWithObjectsAsTheyWere) {
  const std::string id = customer("email=old@example.com&metadata[a]=1");
  post("/v1/customers/" + id, "email=new@example.com&metadata[a]=2", {{"Idempotency-Key", "update"}});
  const Answered events = get("/v1/events");
  ASSERT_THAT(events.ids(), SizeIs(2));
  expect_complete(events.body);
  EXPECT_EQ(events.text_at("/data/0/type"), "customer.updated");
  EXPECT_EQ(events.text_at("/data/0/data/object/email"), "new@example.com");
  EXPECT_EQ(json::serialize(events.at("/data/0/data/previous_attributes")),
            R"({"email":"old@example.com","metadata":{"a":"1"}})");
  EXPECT_EQ(events.text_at("/data/0/request/idempotency_key"), "update");
  EXPECT_THAT(events.text_at("/data/0/request/id"), StartsWith("req_"));
  EXPECT_EQ(events.text_at("/data/1/data/object/email"), "old@example.com");
  EXPECT_EQ(get("/v1/events/" + events.ids()[1]).text_at("/type"), "customer.created");
  EXPECT_EQ(get("/v1/events/evt_nope").status, 404);
  EXPECT_THAT(get("/v1/events?limit=1&starting_after=" + events.ids()[0]).ids(), ElementsAre(events.ids()[1]));
  EXPECT_THAT(get("/v1/events?ending_before=" + events.ids()[1]).ids(), ElementsAre(events.ids()[0]));
  EXPECT_THAT(get("/v1/events?type=customer.created").ids(), ElementsAre(events.ids()[1]));
  EXPECT_THAT(get("/v1/events?types[]=customer.created&types[]=invoice.*").ids(), ElementsAre(events.ids()[1]));
  EXPECT_THAT(get("/v1/events?type=customer.*").ids(), SizeIs(2));
  EXPECT_THAT(get("/v1/events?created[lt]=5").ids(), IsEmpty());
  EXPECT_EQ(get("/v1/events?limit=1", {{"Stripe-Version", "2017-02-14"}}).at("/data/0/request").kind(),
            json::kind::string);
}

// Test clocks.

TEST_F(FaceTest, KeepsTestClocks) {
  const std::int64_t start = 1'700'000'000;
  const Answered created = post("/v1/test_helpers/test_clocks", "frozen_time=1700000000&name=first");
  ASSERT_EQ(created.status, 200) << created.text;
  expect_complete(created.body);
  EXPECT_EQ(created.text_at("/status"), "ready");
  const std::string url = "/v1/test_helpers/test_clocks/" + created.id();
  EXPECT_EQ(get(url).text, created.text);
  EXPECT_THAT(get("/v1/test_helpers/test_clocks").ids(), ElementsAre(created.id()));
  const std::string id = customer("source=tok_visa&test_clock=" + created.id());
  EXPECT_EQ(get("/v1/customers/" + id).text_at("/created"), std::to_string(start));
  EXPECT_THAT(get("/v1/customers?test_clock=" + created.id()).ids(), ElementsAre(id));
  plan();
  const Answered subscribed =
      post("/v1/subscriptions", "customer=" + id + "&plan=gold&trial_period_days=1&expand[]=test_clock");
  EXPECT_EQ(subscribed.text_at("/trial_end"), std::to_string(start + 86'400));
  EXPECT_EQ(subscribed.text_at("/test_clock/id"), created.id());
  EXPECT_EQ(post(url + "/advance", "frozen_time=1700000000").status, 400);
  const Answered advancing = post(url + "/advance", "frozen_time=1800000000");
  EXPECT_EQ(advancing.text_at("/status"), "advancing");
  EXPECT_EQ(post(url + "/advance", "frozen_time=1900000000").status, 400);
  EXPECT_EQ(post("/v1/customers", "test_clock=clock_nope").error(), "No such test clock: clock_nope");
}

TEST_F(FaceTest, DeletesATestClockWithItsCustomers) {
  const std::string clock_id = post("/v1/test_helpers/test_clocks", "frozen_time=1700000000").id();
  const std::string id = customer("source=tok_visa&test_clock=" + clock_id);
  const std::string subscribed = subscription(id, plan());
  const std::string url = "/v1/test_helpers/test_clocks/" + clock_id;
  EXPECT_EQ(remove(url).text, R"({"id":")" + clock_id + R"(","object":"test_helpers.test_clock","deleted":true})");
  EXPECT_EQ(get(url).status, 404);
  EXPECT_TRUE(get("/v1/customers/" + id).at("/deleted").as_bool());
  EXPECT_EQ(get("/v1/subscriptions/" + subscribed).text_at("/status"), "canceled");
}

// Idempotency.

TEST_F(FaceTest, RepeatsTheFirstAnswerForAnIdempotencyKey) {
  const Fields key = {{"Idempotency-Key", "k1"}};
  const Answered first = post("/v1/customers", "email=ann@example.com&metadata[a]=1&metadata[b]=2", key);
  const Answered second = post("/v1/customers", "metadata[b]=2&metadata[a]=1&email=ann@example.com", key);
  EXPECT_EQ(second.text, first.text);
  EXPECT_EQ(second.header("Idempotent-Replayed"), "true");
  EXPECT_EQ(second.header("Original-Request"), first.header("Request-Id"));
  EXPECT_NE(second.header("Request-Id"), first.header("Request-Id"));
  EXPECT_EQ(first.header("Idempotent-Replayed"), "");
  EXPECT_THAT(get("/v1/customers").ids(), SizeIs(1));
  const Answered as_json = post("/v1/customers", R"({"email":"ann@example.com","metadata":{"a":"1","b":"2"}})",
                                {{"Idempotency-Key", "k1"}, {"Content-Type", "application/json"}});
  EXPECT_EQ(as_json.text, first.text);
}

TEST_F(FaceTest, KeepsAnIdempotencyKeyToItsRequest) {
  const Fields key = {{"Idempotency-Key", "k1"}};
  post("/v1/customers", "email=ann@example.com", key);
  const Answered other = post("/v1/customers", "email=bob@example.com", key);
  EXPECT_EQ(other.status, 400);
  EXPECT_EQ(other.text_at("/error/type"), "idempotency_error");
  EXPECT_EQ(other.error(),
            "Keys for idempotent requests can only be used with the same parameters they were first used with. Try "
            "using a key other than 'k1' if you meant to execute a different request.");
  const Answered elsewhere = post("/v1/plans", "amount=1&currency=usd&interval=day&name=x", key);
  EXPECT_EQ(elsewhere.error(),
            "Keys for idempotent requests can only be used for the same endpoint they were first used for "
            "('/v1/plans' vs '/v1/customers'). Try using a key other than 'k1' if you meant to execute a different "
            "request.");
  EXPECT_EQ(post("/v1/customers", "", {{"Idempotency-Key", std::string(256, 'k')}}).status, 400);
  EXPECT_EQ(post("/v1/customers", "", {{"Idempotency-Key", std::string(255, 'k')}}).status, 200);
}

TEST_F(FaceTest, RepeatsAnswersAlsoWhenTheWorldHasChangedSince) {
  const std::string id = customer();
  const Fields subscribe_key = {{"Idempotency-Key", "s"}}, plan_key = {{"Idempotency-Key", "p"}};
  const std::string plan_form = "id=gold&amount=2000&currency=usd&interval=month&name=Gold";
  const Answered plan_created = post("/v1/plans", plan_form, plan_key);
  const std::string form = "customer=" + id + "&plan=gold&source=tok_mastercard";
  const Answered subscribed = post("/v1/subscriptions", form, subscribe_key);
  ASSERT_EQ(subscribed.status, 200) << subscribed.text;
  remove("/v1/plans/gold");
  remove("/v1/customers/" + id);
  const Answered plan_again = post("/v1/plans", plan_form, plan_key);
  EXPECT_EQ(plan_again.text, plan_created.text);
  EXPECT_EQ(plan_again.header("Idempotent-Replayed"), "true");
  EXPECT_EQ(post("/v1/subscriptions", form, subscribe_key).text, subscribed.text);
}

TEST_F(FaceTest, RepeatsADeclineWithoutChargingAgain) {
  const std::string id = customer("source=tok_chargeCustomerFail");
  plan();
  const Answered incomplete = post("/v1/subscriptions", "customer=" + id + "&plan=gold");
  const std::string url = "/v1/invoices/" + incomplete.text_at("/latest_invoice") + "/pay";
  const Fields key = {{"Idempotency-Key", "pay"}};
  const Answered declined = post(url, "", key);
  const int charges = daemon->gateway->charges;
  const Answered again = post(url, "", key);
  EXPECT_EQ(declined.status, 402);
  EXPECT_EQ(again.status, 402);
  EXPECT_EQ(again.text, declined.text);
  EXPECT_EQ(again.header("Idempotent-Replayed"), "true");
  EXPECT_EQ(daemon->gateway->charges, charges);
}

TEST_F(FaceTest, DoesNotSaveWhatNeverBegan) {
  const Fields key = {{"Idempotency-Key", "k"}};
  const std::string id = customer();
  const std::string form = "customer=" + id + "&plan=gold";
  EXPECT_EQ(post("/v1/subscriptions", form, key).error(), "No such plan: gold");
  plan();
  EXPECT_EQ(post("/v1/subscriptions", form, key).status, 200);
}

TEST_F(FaceTest, RefusesAKeyWhoseRequestIsStillUnderWay) {
  const std::string id = customer();
  plan();
  daemon->gateway->fault = jobs::FaultyGateway::Fault::swallow_request;
  const Fields key = {{"Idempotency-Key", "slow"}};
  const std::string form = "customer=" + id + "&plan=gold";
  std::optional<http::Response> first;
  auto keep = [&](http::Request slow) -> awaitable<> { first = co_await face->handle(std::move(slow)); };
  Tasks tasks(daemon->loop.get_executor());
  tasks.spawn("slow", keep(request(http::Method::post, "/v1/subscriptions", form, key)));
  ASSERT_TRUE(run_until(daemon->loop, [&] { return daemon->gateway->held == 1; }));
  const Answered second = post("/v1/subscriptions", form, key);
  EXPECT_EQ(second.status, 409);
  EXPECT_EQ(second.text_at("/error/code"), "idempotency_key_in_use");
  daemon->gateway->fault = jobs::FaultyGateway::Fault::none;
  daemon->gateway->let_go();
  ASSERT_TRUE(run_until(daemon->loop, [&] { return first.has_value(); }));
  EXPECT_EQ(first->status, 200) << first->body;
  EXPECT_EQ(post("/v1/subscriptions", form, key).text, first->body);
}

}  // namespace
}  // namespace billd::api::stripe
