// Tests of the operators' face: what each of its paths answers, to whom, and that it answers at once.
#include <algorithm>

#include "net/api/operators/html.hpp"
#include "net/api/operators/metrics.hpp"
#include "net/api/operators/pages.hpp"
#include "tests/net/operators_fixture.hpp"

namespace billd::api::operators {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

TEST_F(OperatorsTest, TellsWhetherItLivesAndServes) {
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(get("/readyz").status, 200);
  view.reason = "Redis does not answer";
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(get("/readyz").status, 503);
  EXPECT_THAT(get("/readyz").body, HasSubstr("Redis does not answer"));
  EXPECT_EQ(get("/nothing").status, 404);
  const http::Response refused = ask({http::Method::post, "/healthz"});
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.headers.find("Allow"), "GET, HEAD");
}

TEST_F(OperatorsTest, TellsTheStatusAsJson) {
  QueueStatus& queue = view.now.queues[0];
  queue.due = 3;
  queue.oldest = view.now.now - std::chrono::seconds(10);
  queue.pause = {from_unix(999'999), "anna", "the gateway is down"};
  view.now.partitions.push_back({7, "alpha", 12, true});
  view.now.parked.push_back({"collection", "corrupt", 5, from_unix(1), from_unix(2), Mode::live, "abc", ""});
  view.now.coming.by_hour[3] = 9;
  const auto status = boost::json::parse(get("/status").body);
  EXPECT_EQ(status.at("daemon").as_string(), "alpha");
  EXPECT_TRUE(status.at("ready").as_bool());
  EXPECT_EQ(status.at("queues").at(0).at("name").as_string(), "renewal");
  EXPECT_EQ(status.at("queues").at(0).at("lateness_milliseconds").as_int64(), 10'000);
  EXPECT_EQ(status.at("queues").at(0).at("pause").at("by").as_string(), "anna");
  EXPECT_EQ(status.at("partitions").at(0).at("epoch").as_int64(), 12);
  EXPECT_EQ(status.at("parked").at(0).at("count").as_int64(), 5);
  EXPECT_EQ(status.at("coming").at("by_hour").at(3).as_int64(), 9);
  EXPECT_TRUE(status.at("data_loss").is_null());
  EXPECT_EQ(get("/status.json").body, get("/status").body);
}

TEST_F(OperatorsTest, AnswersTheQuestionsInTheirOrderOnOnePage) {
  const http::Response page = browse("/status");
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(page.headers.find("Content-Security-Policy").value_or(""), HasSubstr("default-src 'none'"));
  std::size_t at = 0;
  for (const char* question : {"Nothing is late.", "Is anything late?", "Is work moving?", "When will it be clean?",
                               "What failed, and why?", "What may I do?", "What is coming?"}) {
    const std::size_t found = page.body.find(question, at);
    ASSERT_NE(found, std::string::npos) << question;
    at = found;
  }
  EXPECT_THAT(page.body, HasSubstr("<noscript><meta http-equiv=\"refresh\""));
}

TEST_F(OperatorsTest, EscapesWhateverOthersWrote) {
  const std::string wild = "<script>\"&'";
  view.now.daemon = wild;
  view.now.obstacle = wild;
  view.now.queues[0].pause = {from_unix(1), wild, wild};
  view.now.parked.push_back({"renewal", wild, 1, from_unix(1), from_unix(1), Mode::test, wild, wild});
  view.now.failures = view.now.parked;
  view.now.daemons.push_back({wild, 1, true});
  store::AuditEntry entry;
  entry.number = 1;
  entry.who = entry.action = entry.subject = entry.comment = entry.outcome = entry.from = wild;
  view.now.audit.push_back(entry);
  control.entries.push_back(entry);
  for (const char* path : {"/status", "/status?done=1", "/status/queues/renewal", "/status/audit",
                           "/status/act?action=retry&reason=%3Cscript%3E%22%26%27"}) {
    const http::Response page = browse(path);
    EXPECT_EQ(page.status, 200) << path;
    EXPECT_THAT(page.body, AllOf(Not(HasSubstr("<script>")), HasSubstr("&lt;script&gt;&quot;&amp;&#39;"))) << path;
  }
}

struct Told {
  std::function<void(Status&)> change;
  std::string colour, text;
};

TEST_F(OperatorsTest, SaysHowThingsAreInOneSentence) {
  const Told cases[] = {
      {[](Status&) {}, "good", "Nothing is late."},
      {[](Status& status) {
         status.queues[0].late = 1'234;
         status.lateness.now = std::chrono::seconds(200);
       },
       "bad", "1,234 accounts are late, the oldest by 3 min 20 s."},
      {[](Status& status) {
         status.queues[0].late = 5;
         status.queues[0].pause = {Timestamp(), "anna", "why"};
       },
       "warning", "Nothing is late. 1 queue is paused."},
      {[](Status& status) { status.queues[3].parked = 1; }, "warning",
       "Nothing is late. 1 parked account waits for you."},
      {[](Status& status) {
         status.deliveries.failing = 1;
         status.deliveries.waiting = 2'000;
       },
       "warning", "Nothing is late. 1 webhook endpoint fails, 2,000 events wait."},
      {[](Status& status) { status.deliveries.disabled = 2; }, "warning",
       "Nothing is late. 2 webhook endpoints are disabled."},
      {[](Status& status) { status.obstacle = "the clock stepped"; }, "bad",
       "Nothing that is due is done: the clock stepped"},
      {[](Status& status) { status.data_loss = "3 commits"; }, "bad",
       "Money stands still, because Redis lost data: 3 commits"},
      {[](Status& status) {
         status.redis.connected = false;
         status.redis.warning = "refused";
       },
       "bad", "Redis does not answer: refused"},
  };
  for (const Told& told : cases) {
    Status status = view.now;
    told.change(status);
    EXPECT_EQ(verdict(status).text, told.text);
    EXPECT_EQ(verdict(status).colour, told.colour) << told.text;
  }
}

TEST(OperatorsHtml, WritesDurationsAndNumbersForPeople) {
  using namespace std::chrono_literals;
  const std::pair<Duration, const char*> durations[] = {{-5s, "0 s"},      {0s, "0 s"},          {250ms, "250 ms"},
                                                        {1500ms, "1.5 s"}, {42s, "42 s"},        {200s, "3 min 20 s"},
                                                        {3600s, "1 h"},    {3661s, "1 h 1 min"}, {52h, "2 d 4 h"}};
  for (const auto& [duration, text] : durations) EXPECT_EQ(html::duration(duration), text);
  EXPECT_EQ(html::count(0), "0");
  EXPECT_EQ(html::count(999), "999");
  EXPECT_EQ(html::count(1'234'567), "1,234,567");
  EXPECT_EQ(html::count(1, "account", "accounts"), "1 account");
  EXPECT_EQ(html::instant(from_unix(1'795'262'400)),
            "<time datetime=\"2026-11-21T12:00:00Z\">2026-11-21 12:00:00</time>");
}

TEST_F(OperatorsTest, RenewsWhatHasChangedWithoutAReload) {
  const http::Response answer = get("/status/live");
  EXPECT_EQ(answer.content_type, "text/event-stream");
  ASSERT_NE(answer.stream, nullptr);
  auto next = [&] { return run(loop, answer.stream->next()); };
  const std::string first = next().value();
  for (const char* part : {"verdict", "late", "moving", "clean", "failed", "actions", "coming", "about"})
    EXPECT_THAT(first, HasSubstr("\"id\":\"" + std::string(part) + "\""));
  view.now.obstacle = "the clock stepped";
  const std::string second = next().value();
  EXPECT_THAT(second, AllOf(HasSubstr("\"id\":\"verdict\""), HasSubstr("\"title\":\"Nothing that is due is done"),
                            Not(HasSubstr("\"id\":\"coming\""))));
  EXPECT_EQ(next(), ":\n\n") << "nothing has changed";
  answer.stream->end();
  EXPECT_EQ(next(), std::nullopt);
}

TEST_F(OperatorsTest, ShowsOneQueueAndOneAccount) {
  EXPECT_THAT(browse("/status/queues/renewal").body, HasSubstr(some_account.value() + "?mode=live"));
  EXPECT_EQ(boost::json::parse(get("/status/queues/renewal").body).at("first_due").at(0).at("due").as_int64(), 999'000);
  EXPECT_THAT(message_of(get("/status/queues/nothing")), HasSubstr("there are renewal, cancellation"));
  const std::string customer = "cus_" + some_account.value() + object_suffix(some_account, 1);
  EXPECT_EQ(get("/status/accounts?id=%20" + customer + "%20").headers.find("Location"), "/status/accounts/" + customer);
  EXPECT_EQ(get("/status/accounts").status, 400);
  EXPECT_THAT(browse("/status/accounts/" + customer).body, HasSubstr("The customer was made"));
  EXPECT_EQ(boost::json::parse(get("/status/accounts/" + customer).body).at("waits_for").at("renewal").as_int64(),
            1'100'000);
  control.where = Mode::live;
  EXPECT_EQ(boost::json::parse(get("/status/accounts/" + customer).body).at("mode").as_string(), "live");
  EXPECT_EQ(get("/status/accounts/" + customer + "?mode=test").status, 404);
  EXPECT_EQ(get("/status/accounts/" + customer + "?mode=both").status, 400);
  EXPECT_EQ(get("/status/accounts/nonsense").status, 404);
}

TEST_F(OperatorsTest, LeadsFromARowToItsExplanation) {
  control.parked.push_back({Mode::test, some_account, from_unix(1), "the card is gone"});
  const std::string customer = "cus_" + some_account.value() + object_suffix(some_account, 1);
  const std::string link = "href=\"/explain/" + customer + "\"";
  const std::string queue = browse("/status/queues/renewal").body;
  const std::size_t parked = queue.find(link);
  EXPECT_NE(parked, std::string::npos);
  EXPECT_NE(queue.find(link, parked + 1), std::string::npos) << "of what is parked, and of what is due";
  EXPECT_THAT(browse("/status/accounts/" + customer).body, HasSubstr(link));
}

TEST_F(OperatorsTest, ShowsDeliveriesBesideTheQueues) {
  EXPECT_THAT(browse("/status").body, Not(HasSubstr("webhook_delivery"))) << "they have not begun";
  DeliveriesStatus& deliveries = view.now.deliveries;
  deliveries.name = "webhook_delivery";
  EXPECT_THAT(browse("/status").body, AllOf(HasSubstr("webhook_delivery"), HasSubstr("no endpoints")));
  deliveries.endpoints = 3;
  deliveries.waiting = 1'234;
  deliveries.rate_per_minute = 77;
  EXPECT_THAT(browse("/status").body, AllOf(HasSubstr("tried again"), HasSubstr("1,234"), HasSubstr("77")));
  deliveries.failing = 1;
  deliveries.failing_since = view.now.now - std::chrono::minutes(5);
  deliveries.disabled = 1;
  EXPECT_THAT(browse("/status").body,
              AllOf(HasSubstr("1 endpoint fails, 5 min now"), HasSubstr("1 endpoint disabled")));
  const auto status = boost::json::parse(get("/status").body).at("deliveries");
  EXPECT_EQ(status.at("waiting").as_int64(), 1'234);
  EXPECT_EQ(status.at("failing_since").as_int64(), 999'700);
  deliveries.is_paused = true;
  EXPECT_THAT(browse("/status").body, AllOf(HasSubstr("1 queue is paused."), HasSubstr("Resume the delivery")));
  const std::string metrics = get("/metrics").body;
  EXPECT_THAT(metrics, AllOf(HasSubstr("billd_webhook_failing_seconds 300\n"),
                             HasSubstr("billd_webhook_endpoints{state=\"failing\"} 1\n"),
                             HasSubstr("billd_webhooks_paused 1\n"), HasSubstr("billd_webhooks_waiting 1234\n")));
}

TEST_F(OperatorsTest, ExplainsAnObjectToProgramsInATerminalAndInABrowser) {
  const std::string path = "/explain/sub_" + some_account.value() + object_suffix(some_account, 1);
  const auto explained = boost::json::parse(get(path).body);
  EXPECT_EQ(explained.at("id").as_string(), path.substr(9));
  EXPECT_EQ(explained.at("sections").at(0).at("title").as_string(), "What it is");
  EXPECT_EQ(explained.at("sections").at(0).at("sentences").at(1).as_string(), "It began.");
  EXPECT_TRUE(explained.at("sections").at(1).at("sentences").as_array().empty());
  const http::Response text = ask({http::Method::get, path, {{"Accept", "text/plain"}}});
  EXPECT_EQ(text.content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(text.body, "What it is\n  It is <b>active</b>.\n  It began.\n\nWhat comes next\n");
  EXPECT_THAT(browse(path).body, AllOf(HasSubstr("<h2>What it is</h2><p>It is &lt;b&gt;active&lt;/b&gt;.</p>"),
                                       HasSubstr("href=\"/status/accounts/" + path.substr(9) + "\"")));
  EXPECT_EQ(get("/explain/sub_none").status, 404);
  EXPECT_EQ(message_of(get("/explain/sub_none")), "There is no sub_none.");
  EXPECT_EQ(get(path + "?mode=test").status, 400) << "an unknown parameter";
  EXPECT_EQ(ask({http::Method::post, path}).status, 405);
}

TEST_F(OperatorsTest, ShowsWhatAWebhookEndpointDidNotTake) {
  control.endpoint.endpoint.id = WebhookEndpointId("we_1");
  control.endpoint.endpoint.url = "https://example.com/<hook>";
  control.endpoint.waiting.push_back(
      {some_account, "evt_1", 3, 2, from_unix(999'000), from_unix(1'000'060), "HTTP <500>"});
  control.endpoint.given_up.push_back({some_account, "evt_0", 0, 9, from_unix(900'000), std::nullopt, "timeout"});
  control.endpoint.endpoint.enabled_events = {"invoice.*", "<x>"};
  control.endpoint.waiting_events = 4;
  control.endpoint.failing_since = from_unix(999'000);
  EXPECT_THAT(browse("/status/webhooks").body,
              AllOf(HasSubstr("https://example.com/&lt;hook&gt;"), HasSubstr("has failed for 16 min 40 s"),
                    HasSubstr("data-label=\"Waiting\">4<"), HasSubstr("never")));
  EXPECT_THAT(browse("/status/webhooks/we_1").body,
              AllOf(HasSubstr("<code>invoice.*</code>, <code>&lt;x&gt;</code>"),
                    HasSubstr("action=redeliver&amp;endpoint=we_1&amp;since=996400")));
  EXPECT_THAT(browse("/status/webhooks/we_1").body, AllOf(HasSubstr("and 3 behind it"), HasSubstr("HTTP &lt;500&gt;"),
                                                          HasSubstr("evt_0"), HasSubstr("never")));
  const auto detail = boost::json::parse(get("/status/webhooks/we_1").body);
  EXPECT_EQ(detail.at("waiting").at(0).at("next_at").as_int64(), 1'000'060);
  EXPECT_TRUE(detail.at("given_up").at(0).at("next_at").is_null());
  EXPECT_TRUE(detail.at("enabled").as_bool());
  EXPECT_EQ(detail.at("waiting_events").as_int64(), 4);
  EXPECT_EQ(get("/status/webhooks/we_2").status, 404);
}

// Actions.

TEST_F(OperatorsTest, DoesWhatItIsToldAndSaysWhoAndWhy) {
  const std::string customer = "cus_" + some_account.value() + object_suffix(some_account, 1);
  const auto answer = boost::json::parse(
      act("{\"action\":\"park\",\"account\":\"" + customer + "\",\"by\":\"anna\",\"why\":\"card 4242424242424242\"}")
          .body);
  EXPECT_EQ(answer.at("text").as_string(), "It is done.");
  EXPECT_EQ(answer.at("entry").at("number").as_int64(), 1);
  ASSERT_THAT(control.acted, SizeIs(1));
  const auto& [who, action] = control.acted.front();
  EXPECT_EQ(who.name, "anna (unverified)");
  EXPECT_EQ(who.address, "127.0.0.1");
  EXPECT_EQ(action.kind, ActionKind::park);
  EXPECT_EQ(action.account, some_account);
  EXPECT_EQ(action.comment, "card ************4242");
  EXPECT_EQ(act("{\"action\":\"pause\",\"queue\":\"collection\",\"by\":\"a\",\"why\":\"b\"}").status, 200);
  EXPECT_EQ(control.acted.back().second.queue, Queue::collection);
  EXPECT_EQ(act(R"({"action":"pause","queue":"webhook_delivery","by":"a","why":"b"})").status, 200);
  EXPECT_TRUE(control.acted.back().second.is_of_deliveries);
  EXPECT_EQ(act(R"({"action":"redeliver","event":"evt_1","endpoint":"we_1","by":"a","why":"b"})").status, 200);
  EXPECT_EQ(control.acted.back().second.event, "evt_1");
  EXPECT_EQ(control.acted.back().second.endpoint, "we_1");
  EXPECT_EQ(act(R"({"action":"redeliver","since":"1795262400","by":"a","why":"b"})").status, 200);
  EXPECT_EQ(control.acted.back().second.since, from_unix(1'795'262'400));
  EXPECT_THAT(browse("/status/act?action=redeliver&event=evt_1").body, HasSubstr("name=\"event\" value=\"evt_1\""));
  control.failure = Failure{Errc::invalid_state, "the queue is paused already"};
  EXPECT_EQ(act("{\"action\":\"pause\",\"queue\":\"collection\",\"by\":\"a\",\"why\":\"b\"}").status, 409);
}

TEST_F(OperatorsTest, RefusesWrongActionsAndDoesNothing) {
  const std::tuple<const char*, const char*, const char*> mistakes[] = {
      {"{}", "Missing required parameter: action", "action"},
      {R"({"action":"stop"})", "action must be retry, park, unpark, pause, resume or redeliver", "action"},
      {R"({"action":"pause","by":"a","why":"b"})", "Name the queue to pause.", "queue"},
      {R"({"action":"pause","queue":"x","by":"a","why":"b"})", "There is no queue \"x\".", "queue"},
      {R"({"action":"park","by":"a","why":"b"})", "Name the account to park.", "account"},
      {R"({"action":"park","account":"x","by":"a","why":"b"})", "\"x\" leads to no account", "account"},
      {R"({"action":"retry","account":"ABCDEFGHIJKL","queue":"renewal","by":"a","why":"b"})", "not both", "queue"},
      {R"({"action":"pause","queue":"renewal","reason":"r","by":"a","why":"b"})", "as a whole", "reason"},
      {R"({"action":"redeliver","by":"a","why":"b"})", "either an event or since when", "event"},
      {R"({"action":"redeliver","event":"evt_1","since":"5","by":"a","why":"b"})", "either an event", "event"},
      {R"({"action":"redeliver","since":"yesterday","by":"a","why":"b"})", "seconds of Unix time", "since"},
      {R"({"action":"redeliver","since":"5","queue":"renewal","by":"a","why":"b"})", "by their event", "account"},
      {R"({"action":"retry","event":"evt_1","by":"a","why":"b"})", "of redeliver alone", "event"},
      {R"({"action":"retry","queue":"webhook_delivery","by":"a","why":"b"})", "Nothing is parked", "queue"},
      {R"({"action":"retry","mode":"x","by":"a","why":"b"})", "mode must be test or live", "mode"},
      {R"({"action":"retry","by":"a"})", "Missing required parameter: why", "why"},
      {R"({"action":"retry","by":"a","why":"  "})", "Missing required parameter: why", "why"},
      {R"({"action":"retry","why":"b"})", "Missing required parameter: by", "by"},
      {R"({"action":"retry","why":"b","by":"a","force":true})", "Received unknown parameter: force", "force"},
      {R"({"action":["retry"]})", "Must be one text: action", "action"},
  };
  for (const auto& [body, text, parameter] : mistakes) {
    const http::Response answer = act(body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_THAT(message_of(answer), HasSubstr(text)) << body;
    EXPECT_EQ(boost::json::parse(answer.body).at("error").at("param").as_string(), parameter) << body;
  }
  EXPECT_THAT(message_of(act(R"({"action":"retry","by":"a","why":")" + std::string(501, 'x') + "\"}")),
              HasSubstr("at most 500 bytes"));
  EXPECT_THAT(control.acted, IsEmpty());
}

TEST_F(OperatorsTest, AsksForConfirmationWithAFormThatWorksOnce) {
  view.now.parked.push_back({"collection", "the card is gone", 1'200, from_unix(1), from_unix(2), Mode::test, "x", ""});
  view.now.parked.push_back({"renewal", "the card is gone", 7, from_unix(1), from_unix(2), Mode::test, "x", ""});
  const std::string page = browse("/status/act?action=retry&queue=collection&reason=the%20card%20is%20gone").body;
  EXPECT_THAT(page, AllOf(HasSubstr("Retry 1,200 accounts"), HasSubstr("name=\"why\" required")));
  const std::string mark = "name=\"form_token\" value=\"";
  const std::string token = page.substr(page.find(mark) + mark.size(), 64);
  auto post = [&](const std::string& fields, const std::string& origin = "http://127.0.0.1:4243") {
    return ask({http::Method::post,
                "/status/act",
                {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "text/html"}, {"Origin", origin}},
                "action=retry&queue=collection&" + fields});
  };
  EXPECT_EQ(post("by=anna&why=mended&form_token=" + std::string(64, '0')).status, 403);
  EXPECT_EQ(post("by=anna&why=mended").status, 403);
  EXPECT_EQ(post("by=anna&why=mended&form_token=" + token, "http://elsewhere.example").status, 403);
  EXPECT_EQ(post("by=anna&why=mended&form_token=" + token, "null").status, 403);
  EXPECT_THAT(control.acted, IsEmpty());
  const http::Response again = post("by=anna&why=&form_token=" + token);
  EXPECT_EQ(again.status, 400);
  EXPECT_THAT(again.body, AllOf(HasSubstr("Missing required parameter: why"), HasSubstr("value=\"anna\"")));
  const http::Response done = post("by=anna&why=mended&form_token=" + token);
  EXPECT_EQ(done.status, 303);
  EXPECT_EQ(done.headers.find("Location"), "/status?done=1");
  EXPECT_THAT(control.acted, SizeIs(1));
}

// Access.

class OperatorsAccess : public OperatorsTest {
 protected:
  OperatorsAccess() {
    access.set(
        {{"anna", OperatorRole::act, hash_key("billd_op_anna")}, {"bob", OperatorRole::read, hash_key("billd_op_bob")}},
        "");
  }
  http::Response ask_as(std::string authorization, std::string target) {
    return ask({http::Method::get, std::move(target), {{"Authorization", std::move(authorization)}}});
  }
};

TEST_F(OperatorsAccess, LetsInWhoHasAToken) {
  const http::Response refused = get("/status");
  EXPECT_EQ(refused.status, 401);
  EXPECT_THAT(refused.headers.find("WWW-Authenticate").value_or(""), HasSubstr("Basic realm="));
  EXPECT_EQ(ask_as("Bearer billd_op_bob", "/status").status, 200);
  EXPECT_EQ(ask_as("bearer billd_op_anna", "/metrics").status, 200);
  const std::string explanation = "/explain/sub_" + some_account.value() + object_suffix(some_account, 1);
  EXPECT_EQ(get(explanation).status, 401);
  EXPECT_EQ(ask_as("Bearer billd_op_bob", explanation).status, 200);
  EXPECT_EQ(ask_as("Basic OmJpbGxkX29wX2JvYg==", "/status").status, 200) << ":billd_op_bob";
  EXPECT_EQ(ask_as("Basic YmlsbGRfb3BfYm9iOg==", "/status").status, 200) << "billd_op_bob:";
  for (const char* wrong :
       {"Bearer billd_op_carl", "Bearer ", "Basic OmJpbGxk", "Basic ???", "Digest billd_op_bob", "x"})
    EXPECT_EQ(ask_as(wrong, "/status").status, 401) << wrong;
  EXPECT_EQ(ask_as("Bearer " + hash_key("billd_op_anna"), "/status").status, 401)
      << "what the file holds opens nothing";
  EXPECT_EQ(get("/healthz").status, 200);
  EXPECT_EQ(get("/readyz").status, 200);
  EXPECT_EQ(get("/status/style.css").status, 200);
}

TEST_F(OperatorsAccess, LetsOnlyThoseActWhoMay) {
  const std::string pause = R"({"action":"pause","queue":"renewal","why":"b"})";
  EXPECT_EQ(act(pause, {{"Authorization", "Bearer billd_op_bob"}}).status, 403);
  EXPECT_EQ(act(pause).status, 401);
  EXPECT_EQ(ask_as("Bearer billd_op_bob", "/status/act?action=pause&queue=renewal").status, 403);
  EXPECT_THAT(control.acted, IsEmpty());
  EXPECT_EQ(act(pause, {{"Authorization", "Bearer billd_op_anna"}}).status, 200);
  EXPECT_EQ(control.acted.front().first.name, "anna") << "the token says who it is";
  const http::Response page =
      ask({http::Method::get, "/status", {{"Authorization", "Bearer billd_op_bob"}, {"Accept", "text/html"}}});
  EXPECT_THAT(page.body, AllOf(HasSubstr("You may look"), Not(HasSubstr("/status/act"))));
}

TEST_F(OperatorsTest, IsNotReachedUnderAForeignName) {
  auto with_host = [&](std::string host) {
    return ask({http::Method::get, "/status", {{"Host", std::move(host)}}}).status;
  };
  for (const char* good : {"127.0.0.1:4243", "localhost", "LOCALHOST:4243", "[::1]:4243", "10.0.0.1"})
    EXPECT_EQ(with_host(good), 200) << good;
  for (const char* bad : {"evil.example:4243", "localhost.evil.example"}) EXPECT_EQ(with_host(bad), 403) << bad;
  access.set({}, "billd.internal");
  EXPECT_EQ(with_host("billd.internal:80"), 200);
  EXPECT_EQ(with_host("evil.example"), 403);
}

TEST_F(OperatorsTest, IsNotMovedByPagesFromElsewhere) {
  const std::string pause = R"({"action":"pause","queue":"renewal","by":"a","why":"b"})";
  EXPECT_EQ(act(pause, {{"Sec-Fetch-Site", "cross-site"}}).status, 403);
  EXPECT_EQ(act(pause, {{"Sec-Fetch-Site", "same-site"}}).status, 403);
  EXPECT_EQ(act(pause, {{"Origin", "https://evil.example"}}).status, 403);
  EXPECT_EQ(ask({http::Method::post, "/status/act", {{"Content-Type", "text/plain"}}, pause}).status, 400);
  EXPECT_THAT(control.acted, IsEmpty());
}

// Metrics.

TEST(Metrics, HaveNamesAndHelpAsPrometheusWishes) {
  for (const Metric& metric : metrics()) {
    EXPECT_TRUE(metric.name.starts_with("billd_") || metric.name.starts_with("process_")) << metric.name;
    EXPECT_EQ(metric.name.ends_with("_total"), metric.kind == MetricKind::counter) << metric.name;
    EXPECT_TRUE(metric.help.ends_with('.')) << metric.name;
    EXPECT_EQ(std::ranges::count(metrics(), metric.name, &Metric::name), 1) << metric.name;
    EXPECT_THAT(metrics_documentation(), HasSubstr("| `" + std::string(metric.name) + "` |"));
  }
}

TEST_F(OperatorsTest, TellsEachMetric) {
  view.measured.lateness.add(std::chrono::milliseconds(15));
  view.measured.lateness.add(std::chrono::hours(48));
  view.measured.failures.push_back({"renewal", "a \"quoted\\\nreason", 2});
  view.now.version = "1.2.3";
  gateways::PeerStatistics peer;
  peer.requests = 10;
  peer.failures = 2;
  peer.refused = 1;
  peer.put_off = 3;
  peer.waiting = 4;
  peer.is_paused = true;
  view.measured.peers.emplace_back("acme", peer);
  const http::Response answer = get("/metrics");
  EXPECT_THAT(answer.body, AllOf(HasSubstr("billd_gateway_requests_total{gateway=\"acme\",outcome=\"answered\"} 7\n"),
                                 HasSubstr("billd_gateway_requests_total{gateway=\"acme\",outcome=\"put_off\"} 3\n"),
                                 HasSubstr("billd_gateway_waiting{gateway=\"acme\"} 4\n"),
                                 HasSubstr("billd_gateway_paused{gateway=\"acme\"} 1\n")));
  EXPECT_EQ(answer.content_type, "text/plain; version=0.0.4; charset=utf-8");
  for (const Metric& metric : metrics())
    EXPECT_THAT(answer.body, HasSubstr("# TYPE " + std::string(metric.name) + " "));
  for (const char* line :
       {"billd_build_info{version=\"1.2.3\",daemon=\"alpha\"} 1\n", "billd_lateness_seconds_bucket{le=\"0.01\"} 0\n",
        "billd_lateness_seconds_bucket{le=\"0.02\"} 1\n", "billd_lateness_seconds_bucket{le=\"+Inf\"} 2\n",
        "billd_lateness_seconds_count 2\n", "billd_lateness_seconds_sum 172800.015\n",
        "billd_job_failures_total{queue=\"renewal\",reason=\"a \\\"quoted\\\\\\nreason\"} 2\n"})
    EXPECT_THAT(answer.body, HasSubstr(line));
}

// A sanitizer's checks take most of the time then.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
constexpr Milliseconds status_limit(50);
#else
constexpr Milliseconds status_limit(1);
#endif

TEST_F(OperatorsTest, AnswersTheStatusInLessThanAMillisecond) {
  for (std::uint32_t number = 0; number < 64; ++number) view.now.partitions.push_back({number, "alpha", number, true});
  // The quickest of many: what else runs on the machine is not to be measured.
  auto quickest = SteadyClock::duration::max();
  for (int i = 0; i < 50; ++i) {
    const auto begun = SteadyClock::now();
    get("/status");
    quickest = std::min(quickest, SteadyClock::now() - begun);
  }
  EXPECT_LT(quickest, status_limit);
}

}  // namespace
}  // namespace billd::api::operators
