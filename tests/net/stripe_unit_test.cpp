// Tests of the Stripe face's parts that need no store: documents, parameters, errors, versions, expansion, cursors.
#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "net/api/document.hpp"
#include "net/api/stripe/credentials.hpp"
#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/expand.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/parameters.hpp"
#include "net/api/stripe/routes.hpp"
#include "net/api/stripe/settlement.hpp"
#include "net/api/stripe/versions.hpp"

namespace billd::api::stripe {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

http::Parameters form(std::string_view text) { return http::parse_form(text).value(); }
http::Parameters json(std::string_view text) { return http::parse_json(text).value(); }

// Documents.

TEST(Document, IsWrittenWithItsMembersInOrder) {
  Document document;
  Object& object = document.object();
  object.add("text", document.text("a \"quoted\" \\ line\nof two\x01"));
  object.add("number", std::int64_t{-5});
  object.add("no", nullptr);
  object.add("yes", true);
  object.add("empty", document.object());
  Array& array = document.array();
  array.add(1);
  array.add("two");
  object.add("list", array);
  EXPECT_EQ(to_json(object),
            R"({"text":"a \"quoted\" \\ line\nof two\u0001","number":-5,"no":null,"yes":true,"empty":{},)"
            R"("list":[1,"two"]})");
}

TEST(Document, IsReadBackByOthersAsItWasMeant) {
  std::string all_bytes;
  for (char byte = 1; byte < 127; ++byte) all_bytes += byte;
  all_bytes += "żółć 漢字";
  Document document;
  Object& object = document.object();
  object.add("text", document.text(all_bytes));
  EXPECT_EQ(boost::json::parse(to_json(object)).at("text").as_string(), all_bytes);
}

TEST(Document, TellsPreviousAttributesMemberByMember) {
  Document document;
  auto make = [&](std::int64_t number, const char* colour) -> Object& {
    Object& metadata = document.object();
    metadata.add("colour", document.text(colour));
    metadata.add("same", "same");
    Object& object = document.object();
    object.add("number", number);
    object.add("same", "same");
    object.add("metadata", metadata);
    return object;
  };
  Object& before = make(1, "red");
  Object& after = make(2, "blue");
  after.add("new", true);
  EXPECT_EQ(to_json(document.difference(before, after)), R"({"number":1,"metadata":{"colour":"red"},"new":null})");
  EXPECT_EQ(to_json(document.difference(after, after)), "{}");
}

// Parameters.

constexpr std::array<std::string_view, 3> colours = {"red", "green", "blue"};
constexpr std::array child_rules = {text("plan").required(), integer("quantity", 0, 10)};
constexpr std::array sample_rules = {
    text("email", 10).clearable(),
    integer("amount", 0, 100),
    boolean("flag"),
    timestamp("at"),
    timestamp_or_now("until"),
    currency("currency"),
    choice("colour", colours),
    metadata(),
    list("items", child_rules),
    list("expand"),
    range("created"),
    text_or_map("source", child_rules),
    text("fixed"),
};

struct Refusal {
  std::string_view given;
  Errc code;
  std::string_view parameter;
  std::string_view message;
};

TEST(Parameters, AreRefusedInStripesWords) {
  const std::vector<Refusal> table = {
      {"colour2=red", Errc::unknown_parameter, "colour2", "Received unknown parameter: colour2"},
      {"a=1&b=2", Errc::unknown_parameter, "a", "Received unknown parameters: a, b"},
      {"items[0][plan]=p&items[0][x]=1", Errc::unknown_parameter, "items[0][x]",
       "Received unknown parameter: items[0][x]"},
      {"items[0][quantity]=1", Errc::missing_parameter, "items[0][plan]", "Missing required param: items[0][plan]."},
      {"email=12345678901", Errc::invalid_parameter, "email", "Invalid string: must be at most 10 characters"},
      {"email[a]=1", Errc::invalid_parameter, "email", "Invalid string: a single value is expected"},
      {"amount=1.5", Errc::invalid_parameter, "amount", "Invalid integer: 1.5"},
      {"amount=%2B5", Errc::invalid_parameter, "amount", "Invalid integer: +5"},
      {"amount= 5", Errc::invalid_parameter, "amount", "Invalid integer:  5"},
      {"amount=99999999999999999999", Errc::invalid_parameter, "amount", "Invalid integer: 99999999999999999999"},
      {"amount=-1", Errc::invalid_parameter, "amount", "This value must be greater than or equal to 0."},
      {"amount=101", Errc::invalid_parameter, "amount",
       "This value must be less than or equal to 100 (it currently is '101')."},
      {"flag=yes", Errc::invalid_parameter, "flag", "Invalid boolean: yes"},
      {"at=now", Errc::invalid_parameter, "at",
       "Invalid timestamp: must be an integer Unix timestamp in seconds, up to the year 2199"},
      {"until=7258118400", Errc::invalid_parameter, "until",
       "Invalid timestamp: must be an integer Unix timestamp in seconds, up to the year 2199"},
      {"currency=xxx", Errc::invalid_parameter, "currency", "Invalid currency: xxx"},
      {"colour=pink", Errc::invalid_parameter, "colour", "Invalid colour: must be one of red, green, or blue"},
      {"metadata=5", Errc::invalid_parameter, "metadata", "Invalid metadata: must be a map of keys and values"},
      {"metadata[a][b]=5", Errc::invalid_parameter, "metadata[a]", "Metadata values must be strings."},
      {"items=5", Errc::invalid_parameter, "items", "Invalid array"},
      {"items[]=5", Errc::invalid_parameter, "items[0]", "Invalid object"},
      {"expand=customer", Errc::invalid_parameter, "expand", "Invalid array"},
      {"created[after]=5", Errc::unknown_parameter, "created[after]", "Received unknown parameter: created[after]"},
      {"created[gt]=x", Errc::invalid_parameter, "created[gt]",
       "Invalid timestamp: must be an integer Unix timestamp in seconds, up to the year 2199"},
      {"source[quantity]=1", Errc::missing_parameter, "source[plan]", "Missing required param: source[plan]."},
      {"fixed=", Errc::invalid_parameter, "fixed",
       "You passed an empty string for 'fixed'. We assume empty values are an attempt to unset a field; however "
       "'fixed' cannot be unset. You should remove 'fixed' from your request or supply a non-empty value."},
  };
  for (const Refusal& expected : table) {
    const auto checked = check(form(expected.given), sample_rules);
    ASSERT_FALSE(checked) << expected.given;
    EXPECT_EQ(checked.error().code, expected.code) << expected.given;
    EXPECT_EQ(checked.error().parameter, expected.parameter) << expected.given;
    EXPECT_EQ(checked.error().detail, expected.message) << expected.given;
  }
}

TEST(Parameters, ArePassedWhenTheyAreInOrder) {
  for (const char* given :
       {"", "email=", "email=a@b.c", "amount=0&flag=false", "at=0&until=now", "until=1900000000", "currency=EUR",
        "metadata[a]=1&metadata[b]=", "metadata=", "items[0][plan]=p&items[1][plan]=q&items[1][quantity]=0",
        "expand[]=a&expand[]=b", "created=5", "created[gte]=5&created[lt]=6", "source=tok_visa", "source[plan]=x"})
    EXPECT_TRUE(check(form(given), sample_rules)) << given;
}

TEST(Parameters, HaveLimitsOnMetadata) {
  std::string fifty, key(40, 'k'), value(500, 'v');
  for (int i = 0; i < 50; ++i) fifty += "metadata[" + std::to_string(i) + "]=1&";
  EXPECT_TRUE(check(form(fifty), sample_rules));
  EXPECT_FALSE(check(form(fifty + "metadata[one_more]=1"), sample_rules));
  EXPECT_TRUE(check(form("metadata[" + key + "]=" + value), sample_rules));
  EXPECT_FALSE(check(form("metadata[" + key + "k]=1"), sample_rules));
  EXPECT_FALSE(check(form("metadata[k]=" + value + "v"), sample_rules));
  const Metadata full = Arguments(form(fifty)).metadata_over({}).value();
  EXPECT_FALSE(Arguments(form("metadata[one_more]=1")).metadata_over(full));
}

TEST(Parameters, MergeMetadataAsStripeDoes) {
  const Metadata before = {{"a", "1"}, {"b", "2"}};
  auto merged = [&](std::string_view given) { return Arguments(form(given)).metadata_over(before).value(); };
  EXPECT_THAT(merged("metadata[b]=3&metadata[c]=4"),
              ElementsAre(testing::Pair("a", "1"), testing::Pair("b", "3"), testing::Pair("c", "4")));
  EXPECT_THAT(merged("metadata[a]="), ElementsAre(testing::Pair("b", "2")));
  EXPECT_THAT(merged("metadata="), IsEmpty());
  EXPECT_EQ(merged("email=x"), before);
}

TEST(Parameters, AreTheSameAsFormAndAsJson) {
  EXPECT_EQ(canonical_text(form("b=2&a=true&items[0][plan]=p&items[0][quantity]=3")),
            canonical_text(json(R"({"a":true,"items":[{"quantity":3,"plan":"p"}],"b":2})")));
  EXPECT_NE(canonical_text(form("a=1&b=2")), canonical_text(form("a=1&b=3")));
  EXPECT_NE(canonical_text(form("a=1")), canonical_text(form("a[]=1")));
  EXPECT_NE(canonical_text(form("ab=c")), canonical_text(form("a=bc")));
}

TEST(Parameters, BoundTimesToWholeSeconds) {
  auto range_of = [](std::string_view given) { return Arguments(form(given)).range("created"); };
  const Timestamp second = from_unix(100), late_in_second = from_unix(100) + Duration(999'999);
  EXPECT_TRUE(range_of("created=100").holds(late_in_second));
  EXPECT_FALSE(range_of("created=100").holds(from_unix(101)));
  EXPECT_FALSE(range_of("created[gt]=100").holds(late_in_second));
  EXPECT_TRUE(range_of("created[gte]=100").holds(second));
  EXPECT_TRUE(range_of("created[lte]=100").holds(late_in_second));
  EXPECT_FALSE(range_of("created[lt]=100").holds(second));
  EXPECT_TRUE(range_of("created[gt]=99&created[lt]=101").holds(late_in_second));
}

// Errors.

TEST(Errors, OfADeclinedCardHaveTheirMembersInTheOrderThatClientsCompare) {
  Charge charge;
  charge.id = ChargeId("ch_1");
  charge.decline_code = "insufficient_funds";
  const Answer answer = render_decline(charge);
  EXPECT_EQ(answer.status, 402);
  EXPECT_EQ(answer.body,
            R"({"error":{"message":"Your card has insufficient funds.","type":"card_error","code":"card_declined",)"
            R"("decline_code":"insufficient_funds","charge":"ch_1"}})");
}

TEST(Errors, NameTheirParameterAndCode) {
  const Answer answer = render_error(no_such("customer", "cus_nope"));
  EXPECT_EQ(answer.status, 404);
  EXPECT_EQ(answer.body, R"({"error":{"message":"No such customer: cus_nope","type":"invalid_request_error",)"
                         R"("code":"resource_missing","param":"id"}})");
}

TEST(Errors, OfOursKeepTheirDetailToTheLog) {
  const Answer answer = render_error({Errc::corrupt, "byte 7 of account X"});
  EXPECT_EQ(answer.status, 500);
  EXPECT_THAT(answer.body, Not(HasSubstr("byte 7")));
  EXPECT_THAT(render_error({Errc::outcome_unknown, "?"}).body, HasSubstr("retry with the same Idempotency-Key"));
}

TEST(Errors, HaveAnAnswerForEveryErrc) {
  for (int code = 1; code <= static_cast<int>(Errc::internal); ++code)
    EXPECT_GE(render_error({static_cast<Errc>(code), "x"}).status, 400);
}

// Versions.

TEST(Version, IsADate) {
  EXPECT_TRUE(Version::parse("2018-05-21"));
  EXPECT_TRUE(Version::parse("2024-09-30.acacia"));
  for (const char* wrong : {"latest", "2018-5-21", "2018-05-21x", "2018/05/21", "20180521"})
    EXPECT_FALSE(Version::parse(wrong)) << wrong;
  EXPECT_TRUE(Version::parse("2018-05-20")->is_before(plans_bring_no_trial));
  EXPECT_FALSE(Version::parse("2018-05-21")->is_before(plans_bring_no_trial));
  EXPECT_FALSE(Version::parse("2024-09-30.acacia")->is_before(subscriptions_may_be_incomplete));
  EXPECT_FALSE(Version().is_before(subscriptions_may_be_incomplete));
}

std::string in_version(const char* date) {
  Document document;
  Object& line = document.object();
  line.add("id", "il_1");
  line.add("object", "line_item");
  line.add("subscription", "sub_1");
  Array& lines = document.array();
  lines.add(line);
  Object& invoice = document.object();
  invoice.add("object", "invoice");
  invoice.add("billing_reason", "subscription_create");
  invoice.add("lines", lines);
  apply(Version::parse(date).value(), document, invoice);
  return to_json(invoice);
}

TEST(Version, ChangesAnswersBackForOlderOnes) {
  EXPECT_EQ(in_version("2023-08-16"), R"({"object":"invoice","billing_reason":"subscription_create",)"
                                      R"("lines":[{"id":"il_1","object":"line_item","subscription":"sub_1"}]})");
  EXPECT_THAT(in_version("2018-10-30"), HasSubstr("subscription_update"));
  EXPECT_THAT(in_version("2018-10-30"), HasSubstr(R"("id":"il_1")"));
  EXPECT_THAT(in_version("2018-05-20"), HasSubstr(R"("id":"sub_1")"));
}

TEST(Version, TellsLinesOfInvoiceItemsByTheItemBefore20191203) {
  const auto line_in = [](const char* date) {
    Document document;
    Object& line = document.object();
    line.add("id", "il_1");
    line.add("object", "line_item");
    line.add("invoice_item", "ii_1");
    line.add("subscription", "sub_1");
    apply(Version::parse(date).value(), document, line);
    return to_json(line);
  };
  EXPECT_THAT(line_in("2019-12-03"), HasSubstr(R"("id":"il_1")"));
  EXPECT_THAT(line_in("2019-12-02"), HasSubstr(R"("id":"ii_1")"));
  EXPECT_THAT(line_in("2017-02-14"), HasSubstr(R"("id":"ii_1")"));
}

TEST(Version, TellsStatesOfPaymentIntentsAfterSourcesBefore20190211) {
  const auto status_in = [](const char* date, Value status) {
    Document document;
    Object& intent = document.object();
    intent.add("object", "payment_intent");
    intent.add("status", status);
    apply(Version::parse(date).value(), document, intent);
    return std::string(intent.find("status")->text());
  };
  EXPECT_EQ(status_in("2019-02-11", "requires_payment_method"), "requires_payment_method");
  EXPECT_EQ(status_in("2019-02-10", "requires_payment_method"), "requires_source");
  EXPECT_EQ(status_in("2019-02-10", "requires_action"), "requires_source_action");
  EXPECT_EQ(status_in("2019-02-10", "succeeded"), "succeeded");
}

TEST(Version, TellsOfNothingIncompleteBefore20190314) {
  const auto status_in = [](const char* date, Value status) {
    Document document;
    Object& subscription = document.object();
    subscription.add("object", "subscription");
    subscription.add("status", status);
    apply(Version::parse(date).value(), document, subscription);
    return std::string(subscription.find("status")->text());
  };
  EXPECT_EQ(status_in("2019-03-14", "incomplete"), "incomplete");
  EXPECT_EQ(status_in("2019-03-13", "incomplete"), "past_due");
  EXPECT_EQ(status_in("2018-05-21", "incomplete_expired"), "canceled");
  EXPECT_EQ(status_in("2018-05-21", "active"), "active");
}

TEST(Version, TellsSharesOfCouponsAsWholeNumbersBefore20180727) {
  const auto coupon_in = [](const char* date, const char* share) {
    Document document;
    Object& coupon = document.object();
    coupon.add("object", "coupon");
    coupon.add("percent_off", share != nullptr ? document.number(share) : Value());
    apply(Version::parse(date).value(), document, coupon);
    return to_json(coupon);
  };
  EXPECT_THAT(coupon_in("2018-07-27", "12.5"), HasSubstr(R"("percent_off":12.5})"));
  EXPECT_THAT(coupon_in("2018-07-26", "12.5"), HasSubstr(R"("percent_off":13})"));
  EXPECT_THAT(coupon_in("2018-07-26", "12.4999"), HasSubstr(R"("percent_off":12})"));
  EXPECT_THAT(coupon_in("2018-07-26", "0.1"), HasSubstr(R"("percent_off":1})"));
  EXPECT_THAT(coupon_in("2018-07-26", "100"), HasSubstr(R"("percent_off":100})"));
  EXPECT_THAT(coupon_in("2018-07-26", nullptr), HasSubstr(R"("percent_off":null})"));
}

TEST(Version, TellsRequestsOfEventsByTheirIdentifierBefore20170525) {
  const auto event_in = [](const char* date) {
    Document document;
    Object& request = document.object();
    request.add("id", "req_1");
    request.add("idempotency_key", nullptr);
    Object& event = document.object();
    event.add("object", "event");
    event.add("request", request);
    apply(Version::parse(date).value(), document, event);
    return to_json(event);
  };
  EXPECT_THAT(event_in("2017-05-25"), HasSubstr(R"("request":{"id":"req_1","idempotency_key":null})"));
  EXPECT_THAT(event_in("2017-05-24"), HasSubstr(R"("request":"req_1")"));
}

// Expansion.

Result<std::vector<ExpandPath>> expand_of(std::string_view path, Shape answers) {
  return read_expand(form("expand[]=" + std::string(path)), answers);
}

TEST(Expand, GoesThroughMembersThatCanBeExpandedOnly) {
  const Shape subscription{Kind::subscription, false}, subscriptions{Kind::subscription, true};
  for (const char* path : {"customer", "latest_invoice.charge", "plan.product", "items.data.plan.product",
                           "latest_invoice.quote.anything", "customer.default_source"})
    EXPECT_TRUE(expand_of(path, subscription)) << path;
  for (const char* path : {"data.customer", "data.latest_invoice.charge", "data.items.data.plan"})
    EXPECT_TRUE(expand_of(path, subscriptions)) << path;
  EXPECT_EQ(expand_of("status", subscription).error().detail, "This property cannot be expanded (status).");
  EXPECT_EQ(expand_of("customer.nope", subscription).error().detail,
            "This property cannot be expanded (customer.nope).");
  EXPECT_EQ(expand_of("customer", subscriptions).error().detail,
            "This property cannot be expanded (customer). You may want to try expanding 'data.customer' instead.");
  EXPECT_EQ(expand_of("data.items.data.plan.product", subscriptions).error().detail,
            "You cannot expand more than 4 levels of a property. Property: data.items.data.plan.product");
  EXPECT_THAT(render_error(expand_of("a.b.c.d.e", subscription).error()).body,
              HasSubstr("property_expansion_max_depth"));
}

// Credentials.

TEST(Credentials, AreABearerTokenOrBasicsUser) {
  EXPECT_EQ(key_in("Bearer sk_test_1"), "sk_test_1");
  EXPECT_EQ(key_in("bearer  sk_test_1 "), "sk_test_1");
  EXPECT_EQ(key_in("Basic c2tfdGVzdF8xOg=="), "sk_test_1");
  EXPECT_EQ(key_in("Basic c2tfdGVzdF8x"), "sk_test_1");
  for (const char* none : {"", "Bearer", "Bearer ", "Digest x", "Basic Og==", "Basic !"})
    EXPECT_EQ(key_in(none), std::nullopt) << none;
}

// Cursors.

Result<Page> cut(std::size_t limit, std::string after, std::string before) {
  return cut_page({"e", "d", "c", "b", "a"}, PageQuery{limit, std::move(after), std::move(before), {}}, "thing");
}

TEST(Cursors, GoBothWaysThroughAList) {
  EXPECT_THAT(cut(2, "", "")->ids, ElementsAre("e", "d"));
  EXPECT_TRUE(cut(2, "", "")->has_more);
  EXPECT_THAT(cut(2, "d", "")->ids, ElementsAre("c", "b"));
  EXPECT_TRUE(cut(2, "d", "")->has_more);
  EXPECT_THAT(cut(2, "c", "")->ids, ElementsAre("b", "a"));
  EXPECT_FALSE(cut(2, "c", "")->has_more);
  EXPECT_THAT(cut(2, "", "a")->ids, ElementsAre("c", "b"));
  EXPECT_TRUE(cut(2, "", "a")->has_more);
  EXPECT_THAT(cut(2, "", "c")->ids, ElementsAre("e", "d"));
  EXPECT_FALSE(cut(2, "", "c")->has_more);
  EXPECT_EQ(cut(2, "x", "").error().detail, "No such thing: x");
  EXPECT_EQ(cut(2, "", "x").error().parameter, "ending_before");
}

// The table of routes.

TEST(Routes, AcceptExpandWhereTheyAnswerWhatCanBeExpanded) {
  for (const Route& route : routes()) {
    const bool answers_something_else = route.method == http::Method::delete_;
    const bool takes_expand = std::ranges::find(route.rules, "expand", &Rule::name) != route.rules.end();
    EXPECT_TRUE(takes_expand || answers_something_else) << route.pattern;
  }
}

}  // namespace
}  // namespace billd::api::stripe
