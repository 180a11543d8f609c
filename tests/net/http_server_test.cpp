// The HTTP server over real sockets: what it answers, in which order, and each of its limits.
#include <sys/resource.h>

#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include "http_peers.hpp"

namespace billd::http {
namespace {

using testing::Test;

awaitable<Response> echo(Request request) {
  Response response;
  response.content_type = "text/plain";
  response.body = std::string(name(request.method)) + " " + request.target + " " + request.body;
  co_return response;
}

awaitable<Response> fail(Request) {
  throw std::runtime_error("a secret detail");
  co_return Response();
}

std::string get(std::string_view target) { return "GET " + std::string(target) + " HTTP/1.1\r\nHost: a\r\n\r\n"; }

std::string post(std::string_view body, std::string_view fields = "") {
  return "POST / HTTP/1.1\r\nHost: a\r\n" + std::string(fields) + "Content-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

int status_of(const std::string& answer) { return answer.starts_with("HTTP/1.1 ") ? std::stoi(answer.substr(9)) : 0; }

std::string body_of(const std::string& answer) {
  std::size_t end = answer.find("\r\n\r\n");
  return end == std::string::npos ? "" : answer.substr(end + 4);
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// A handler that answers "/slow" only when it is told to.
struct Gate {
  awaitable<Response> handle(Request request) {
    if (request.target.starts_with("/slow")) {
      ++waiting;
      Timer timer(co_await asio::this_coro::executor, SteadyClock::time_point::max());
      timers.push_back(&timer);
      co_await timer.async_wait(nothrow);
    }
    co_return co_await echo(std::move(request));
  }

  Handler handler() {
    return [this](Request request) { return handle(std::move(request)); };
  }

  void open() {
    for (Timer* timer : std::exchange(timers, {})) timer->cancel();
  }

  int waiting = 0;
  std::vector<Timer*> timers;
};

TEST(Server, AnswersARequest) {
  RunningServer server(echo);
  RawPeer peer = RawPeer::connected(server.port());
  peer.send(get("/v1/customers?limit=3"));
  std::string answer = peer.read_answer();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\nDate: ")) << answer;
  EXPECT_TRUE(has(answer, " GMT\r\nContent-Type: text/plain\r\nContent-Length: 26\r\n\r\n")) << answer;
  EXPECT_EQ(body_of(answer), "GET /v1/customers?limit=3 ");
}

TEST(Server, HandsOverWhatThePeerSent) {
  Request seen;
  RunningServer server([&](Request request) {
    seen = request;
    return echo(std::move(request));
  });
  RawPeer peer = RawPeer::connected(server.port());
  peer.send(post("a=1", "Content-Type: application/x-www-form-urlencoded\r\nX-Empty:\r\n"));
  EXPECT_EQ(status_of(peer.read_answer()), 200);
  EXPECT_EQ(seen.method, Method::post);
  EXPECT_EQ(seen.path(), "/");
  EXPECT_EQ(seen.query(), "");
  EXPECT_EQ(seen.body, "a=1");
  EXPECT_EQ(seen.remote_address, "127.0.0.1");
  EXPECT_EQ(seen.headers.find("content-type"), "application/x-www-form-urlencoded");
  EXPECT_EQ(seen.headers.find("x-empty"), "");
  EXPECT_EQ(seen.headers[0].name, "Host");
}

TEST(Server, KeepsTheConnection) {
  RunningServer server(echo);
  RawPeer peer = RawPeer::connected(server.port());
  for (int i = 0; i < 3; ++i) {
    peer.send(get("/" + std::to_string(i)));
    EXPECT_EQ(body_of(peer.read_answer()), "GET /" + std::to_string(i) + " ");
  }
  EXPECT_EQ(server.counts().connections_total, 1U);
  EXPECT_EQ(server.counts().requests_total, 3U);
}

TEST(Server, EndsTheConnectionWhenThePeerWishesIt) {
  RunningServer server(echo);
  RawPeer close = RawPeer::connected(server.port());
  close.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: TE, close\r\n\r\n");
  EXPECT_TRUE(has(close.read_answer(), "\r\nConnection: close\r\n"));
  EXPECT_TRUE(close.is_at_end());

  RawPeer old = RawPeer::connected(server.port());
  old.send("GET / HTTP/1.0\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(has(old.read_answer(), "\r\nConnection: close\r\n"));
  EXPECT_TRUE(old.is_at_end());

  RawPeer old_but_kept = RawPeer::connected(server.port());
  for (int i = 0; i < 2; ++i) {
    old_but_kept.send("GET / HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_TRUE(has(old_but_kept.read_answer(), "\r\nConnection: keep-alive\r\n"));
  }
}

TEST(Server, AnswersPipelinedRequestsInOrderAlsoWhenTheFirstIsSlow) {
  Gate gate;
  RunningServer server(gate.handler());
  RawPeer peer = RawPeer::connected(server.port());
  peer.send(get("/slow") + post("b") + get("/c"));
  ASSERT_TRUE(server.eventually([&](const ServerCounts& counts) { return counts.requests_in_flight == 1; }));
  EXPECT_TRUE(peer.is_silent_for(Milliseconds(20)));
  server.on_loop([&] { return gate.open(), 0; });
  EXPECT_EQ(body_of(peer.read_answer()), "GET /slow ");
  EXPECT_EQ(body_of(peer.read_answer()), "POST / b");
  EXPECT_EQ(body_of(peer.read_answer()), "GET /c ");
}

TEST(Server, DoesNotHoldBackAnAnswerForASlowRequestBehindIt) {
  Gate gate;
  RunningServer server(gate.handler());
  RawPeer peer = RawPeer::connected(server.port());
  peer.send(get("/a") + get("/b") + get("/slow") + get("/c"));
  EXPECT_EQ(body_of(peer.read_answer()), "GET /a ");
  EXPECT_EQ(body_of(peer.read_answer()), "GET /b ");
  server.on_loop([&] { return gate.open(), 0; });
  EXPECT_EQ(body_of(peer.read_answer()), "GET /slow ");
  EXPECT_EQ(body_of(peer.read_answer()), "GET /c ");
}

TEST(Server, AnswersThousandsOfPipelinedRequests) {
  RunningServer server(echo);
  RawPeer peer = RawPeer::connected(server.port());
  constexpr int requests = 5'000;
  std::thread sender([&] {
    std::string all;
    for (int i = 0; i < requests; ++i) all += get("/" + std::to_string(i));
    peer.send(all);
  });
  for (int i = 0; i < requests; ++i) ASSERT_EQ(body_of(peer.read_answer()), "GET /" + std::to_string(i) + " ");
  sender.join();
}

TEST(Server, ReadsARequestHoweverItIsCutIntoPieces) {
  RunningServer server(echo);
  RawPeer peer = RawPeer::connected(server.port());
  std::string requests =
      get("/a") + post("hello") +
      "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  for (char byte : requests) {
    peer.send(std::string_view(&byte, 1));
    server.counts();  // lets the server look at it
  }
  EXPECT_EQ(body_of(peer.read_answer()), "GET /a ");
  EXPECT_EQ(body_of(peer.read_answer()), "POST / hello");
  EXPECT_EQ(body_of(peer.read_answer()), "POST /c abcde");
}

TEST(Server, DropsTrailersAndRefusesChunkExtensions) {
  Request seen;
  RunningServer server([&](Request request) {
    seen = request;
    return echo(std::move(request));
  });
  std::string head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
  RawPeer peer = RawPeer::connected(server.port());
  peer.send(head + "3\r\nabc\r\n0\r\nAuthorization: Bearer x\r\n\r\n" + get("/next"));
  EXPECT_EQ(body_of(peer.read_answer()), "POST / abc");
  EXPECT_FALSE(seen.headers.find("Authorization"));
  EXPECT_EQ(body_of(peer.read_answer()), "GET /next ");
  for (const char* body :
       {"3;a=b\r\nabc\r\n0\r\n\r\n", "3\nabc\r\n0\r\n\r\n", "3\r\nabcd\r\n0\r\n\r\n", "-3\r\nabc\r\n", "x\r\n",
        "fffffffffffffffff\r\n", "3\r\nabc\r\n0\r\nContent-Length: 3\r\n\r\n"}) {
    RawPeer bad = RawPeer::connected(server.port());
    bad.send(head + body);
    int status = status_of(bad.read_answer());
    EXPECT_TRUE(status == 400 || status == 413) << status << " for " << body;
    EXPECT_TRUE(bad.is_at_end());
  }
}

TEST(Server, SendsNoBodyForHeadButItsLength) {
  RunningServer server(echo);
  RawPeer peer = RawPeer::connected(server.port());
  peer.send("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n" + get("/b"));
  EXPECT_TRUE(has(peer.read_answer(true), "Content-Length: 8\r\n"));
  EXPECT_EQ(body_of(peer.read_answer()), "GET /b ");
}

TEST(Server, TellsThePeerToContinue) {
  RunningServer server(echo);
  RawPeer peer = RawPeer::connected(server.port());
  peer.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
  EXPECT_EQ(peer.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  peer.send("hello");
  EXPECT_EQ(body_of(peer.read_answer()), "POST / hello");
  peer.send(post("at once", "Expect: 100-continue\r\n"));
  EXPECT_EQ(status_of(peer.read_answer()), 200);

  RawPeer too_large = RawPeer::connected(server.port());
  too_large.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1048577\r\n\r\n");
  EXPECT_EQ(status_of(too_large.read_answer()), 413);
}

TEST(Server, CarriesLargeBodiesBothWays) {
  RunningServer server(echo);
  RawPeer peer = RawPeer::connected(server.port());
  std::string body(1024 * 1024, 'x');
  for (int i = 0; i < 2; ++i) {
    std::thread sender([&] { peer.send(post(body) + get("/next")); });
    std::string answer = peer.read_answer();
    sender.join();
    EXPECT_EQ(body_of(answer).size(), body.size() + 7);
    EXPECT_EQ(body_of(peer.read_answer()), "GET /next ");
  }
}

TEST(Server, RefusesWhatIsTooLarge) {
  RunningServer server(echo);
  std::string fields;
  for (int i = 0; i < 100; ++i) fields += "X: y\r\n";
  struct Case {
    std::string request;
    int status;
  };
  for (const auto& [request, status] : std::initializer_list<Case>{
           {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1048577\r\n\r\n", 413},
           {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n", 413},
           {post(std::string(3 * 1024 * 1024, 'x')), 413},
           {"GET /" + std::string(8 * 1024, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
           {"GET /" + std::string(9 * 1024, 'a'), 414},
           {"GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n", 431},
           {"GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(17 * 1024, 'y'), 431},
           {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: " + std::string(64 * 1024, 'y'),
            431},
       }) {
    RawPeer peer = RawPeer::connected(server.port());
    peer.send(request);
    std::string answer = peer.read_answer();
    EXPECT_EQ(status_of(answer), status) << request.substr(0, 80);
    EXPECT_TRUE(has(answer, "\r\nConnection: close\r\n"));
    EXPECT_TRUE(has(body_of(answer), "{\"error\":{\"type\":\"invalid_request_error\",\"message\":\""));
    EXPECT_TRUE(peer.is_at_end());
  }
  EXPECT_EQ(server.counts().requests_total, 0U);
}

// Each of these, accepted, would let the second request be seen by one party and not by the other.
TEST(Server, AnswersASmuggledRequestOnceAndCloses) {
  RunningServer server(echo);
  std::string hidden = get("/hidden");
  std::string start = "POST / HTTP/1.1\r\nHost: a\r\n";
  for (const std::string& fields : {
           std::string("Transfer-Encoding: gzip\r\n"),
           std::string("Transfer-Encoding: identity\r\n"),
           std::string("Transfer-Encoding: xchunked\r\n"),
           std::string("Transfer-Encoding: \"chunked\"\r\n"),
           std::string("Transfer-Encoding: chunked, identity\r\n"),
           std::string("Transfer-Encoding: chunked, chunked\r\n"),
           std::string("Transfer-Encoding: chunked;q=1\r\n"),
           std::string("Transfer-Encoding: gzip\r\nContent-Length: 5\r\n"),
           std::string("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
           std::string("Content-Length: 5\r\nContent-Length: 0\r\n"),
           std::string("Transfer-Encoding : chunked\r\n"),
           std::string("Transfer-Encoding:\r\n chunked\r\n"),
           std::string("X: y\nTransfer-Encoding: chunked\r\n"),
           std::string("Transfer_Encoding: chunked\r\n"),
       }) {
    RawPeer peer = RawPeer::connected(server.port());
    peer.send(start + fields + "\r\n" + hidden);
    EXPECT_EQ(status_of(peer.read_answer()), 400) << fields;
    EXPECT_TRUE(peer.is_at_end()) << fields;
  }
  RawPeer old = RawPeer::connected(server.port());
  old.send("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden);
  EXPECT_EQ(status_of(old.read_answer()), 400);
  EXPECT_TRUE(old.is_at_end());
  EXPECT_EQ(server.counts().requests_total, 0U);
  EXPECT_EQ(server.counts().requests_refused_total, 15U);
}

TEST(Server, RefusesWhatIsNotHttpAtItsFirstByte) {
  RunningServer server(echo);
  RawPeer tls = RawPeer::connected(server.port());
  tls.send("\x16\x03\x01");
  EXPECT_EQ(status_of(tls.read_answer()), 400);
  RawPeer http2 = RawPeer::connected(server.port());
  http2.send("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  EXPECT_EQ(status_of(http2.read_answer()), 400);
}

TEST(Server, LetsThePeerReadARefusalThatComesBeforeTheBody) {
  RunningServer server(echo);
  RawPeer peer = RawPeer::connected(server.port());
  peer.send(post("x", "Content-Encoding: gzip\r\n"));
  peer.send(std::string(200'000, 'y'));  // still arrives while the answer is on its way
  EXPECT_EQ(status_of(peer.read_answer()), 415);
}

ServerSettings hasty() {
  ServerSettings settings;
  settings.header_limit = Milliseconds(60);
  settings.body_limit = Milliseconds(120);
  settings.idle_limit = Milliseconds(60);
  return settings;
}

TEST(Server, GivesUpOnASlowHeader) {
  RunningServer server(echo, hasty());
  RawPeer slow = RawPeer::connected(server.port());
  std::atomic<bool> ended = false;
  // A byte now and then does not put the deadline off.
  std::thread drip([&] {
    slow.send("GET / HTTP/1.1\r\nHost: a\r\n");
    while (!ended && slow.send("X: y\r\n") > 0) std::this_thread::sleep_for(Milliseconds(5));
  });
  EXPECT_EQ(status_of(slow.read_answer()), 408);
  ended = true;
  drip.join();
}

TEST(Server, GivesUpOnASlowBody) {
  RunningServer server(echo, hasty());
  RawPeer slow = RawPeer::connected(server.port());
  slow.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
  EXPECT_EQ(status_of(slow.read_answer()), 408);
  EXPECT_TRUE(slow.is_at_end());
  EXPECT_EQ(server.counts().requests_total, 0U);
}

TEST(Server, GivesUpOnABodyThatTrickles) {
  ServerSettings settings;
  settings.body_rate_grace = Milliseconds(40);
  settings.body_bytes_per_second_min = 100'000;
  RunningServer server(echo, settings);
  RawPeer slow = RawPeer::connected(server.port());
  slow.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\nab");
  EXPECT_EQ(status_of(slow.read_answer()), 408);
}

TEST(Server, ClosesAnIdleConnectionWithoutAWord) {
  RunningServer server(echo, hasty());
  RawPeer silent = RawPeer::connected(server.port());
  EXPECT_TRUE(silent.is_at_end());
  RawPeer idle = RawPeer::connected(server.port());
  idle.send(get("/"));
  EXPECT_EQ(status_of(idle.read_answer()), 200);
  EXPECT_TRUE(idle.is_at_end());
  EXPECT_TRUE(server.eventually([](const ServerCounts& counts) { return counts.connections == 0; }));
}

TEST(Server, DoesNotHurryAHandler) {
  Gate gate;
  RunningServer server(gate.handler(), hasty());
  RawPeer peer = RawPeer::connected(server.port());
  peer.send(get("/slow"));
  EXPECT_TRUE(peer.is_silent_for(Milliseconds(200)));
  server.on_loop([&] { return gate.open(), 0; });
  EXPECT_EQ(status_of(peer.read_answer()), 200);
}

TEST(Server, GivesUpOnAPeerThatDoesNotRead) {
  ServerSettings settings;
  settings.write_limit = Milliseconds(60);
  RunningServer server(
      [](Request) -> awaitable<Response> {
        Response response;
        response.body.assign(64 * 1024 * 1024, 'x');
        co_return response;
      },
      settings);
  RawPeer peer = RawPeer::connected(server.port());
  peer.send(get("/"));
  EXPECT_TRUE(server.eventually([](const ServerCounts& counts) { return counts.requests_total == 1; }));
  EXPECT_TRUE(server.eventually([](const ServerCounts& counts) { return counts.connections == 0; }));
}

TEST(Server, LimitsItsConnections) {
  Gate gate;
  ServerSettings settings;
  settings.connections_max = 2;
  RunningServer server(gate.handler(), settings);
  RawPeer first = RawPeer::connected(server.port());
  RawPeer second = RawPeer::connected(server.port());
  first.send(get("/slow"));
  second.send(get("/slow"));
  ASSERT_TRUE(server.eventually([](const ServerCounts& counts) { return counts.requests_in_flight == 2; }));
  RawPeer third = RawPeer::connected(server.port());
  EXPECT_EQ(status_of(third.read_answer()), 503);
  EXPECT_TRUE(third.is_at_end());
  EXPECT_EQ(server.counts().connections_refused_total, 1U);

  // An idle connection makes room for a new one.
  server.on_loop([&] { return gate.open(), 0; });
  EXPECT_EQ(status_of(first.read_answer()), 200);
  EXPECT_EQ(status_of(second.read_answer()), 200);
  RawPeer fourth = RawPeer::connected(server.port());
  fourth.send(get("/"));
  EXPECT_EQ(status_of(fourth.read_answer()), 200);
}

TEST(Server, LimitsTheConnectionsOfAPeer) {
  ServerSettings settings;
  settings.connections_per_peer_max = 2;
  RunningServer generous(echo, settings);
  settings.limit_loopback_peers = true;
  RunningServer strict(echo, settings);
  auto last_status = [](RunningServer& server) {
    std::vector<RawPeer> peers;
    for (int i = 0; i < 3; ++i) {
      peers.push_back(RawPeer::connected(server.port()));
      peers.back().send(get("/"));
    }
    return status_of(peers.back().read_answer());
  };
  EXPECT_EQ(last_status(generous), 200);
  EXPECT_EQ(last_status(strict), 429);
  ASSERT_TRUE(strict.eventually([](const ServerCounts& counts) { return counts.connections == 0; }));
  RawPeer later = RawPeer::connected(strict.port());
  later.send(get("/"));
  EXPECT_EQ(status_of(later.read_answer()), 200);
}

TEST(Server, LimitsTheRequestsOfAConnection) {
  ServerSettings settings;
  settings.requests_per_connection_max = 2;
  RunningServer server(echo, settings);
  RawPeer peer = RawPeer::connected(server.port());
  peer.send(get("/1") + get("/2") + get("/3"));
  EXPECT_FALSE(has(peer.read_answer(), "Connection: close"));
  EXPECT_TRUE(has(peer.read_answer(), "Connection: close"));
  EXPECT_TRUE(peer.is_at_end());
}

TEST(Server, AnswersAFailureOfItsHandlerWithoutTellingWhy) {
  RunningServer server(fail);
  RawPeer peer = RawPeer::connected(server.port());
  for (int i = 0; i < 2; ++i) {
    peer.send(get("/"));
    std::string answer = peer.read_answer();
    EXPECT_EQ(status_of(answer), 500);
    EXPECT_EQ(body_of(answer), R"({"error":{"type":"api_error","message":"An internal error occurred."}})");
  }
}

TEST(Server, AnswersAHeaderThatCannotBeSentWithAFailure) {
  RunningServer server([](Request request) -> awaitable<Response> {
    Response response;
    response.headers.add("Location", "/a\r\nSet-Cookie: b=c");
    response.body.assign(request.target == "/large" ? 1'000'000 : 10, 'x');
    co_return response;
  });
  RawPeer peer = RawPeer::connected(server.port());
  for (const char* target : {"/small", "/large", "/small"}) {
    peer.send(get(target));
    std::string answer = peer.read_answer();
    EXPECT_EQ(status_of(answer), 500);
    EXPECT_FALSE(has(answer, "Set-Cookie"));
    EXPECT_TRUE(has(body_of(answer), "An internal error occurred."));
  }
}

TEST(Server, WritesItsOwnErrorsInTheFormatOfTheFace) {
  ServerSettings settings;
  settings.render_error = [](int status, std::string_view message, std::string_view target) {
    Response response;
    response.status = status;
    response.content_type = "application/xml";
    response.body = "<error at='" + std::string(target) + "'>" + std::string(message) + "</error>";
    return response;
  };
  RunningServer server(echo, settings);
  RawPeer peer = RawPeer::connected(server.port());
  peer.send("POST /v1/x HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999\r\n\r\n");
  std::string answer = peer.read_answer();
  EXPECT_TRUE(has(answer, "Content-Type: application/xml\r\n"));
  EXPECT_EQ(body_of(answer), "<error at='/v1/x'>The body is too large.</error>");
}

TEST(Server, WaitsWhenThereAreNoDescriptorsLeft) {
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
  GTEST_SKIP() << "the sanitizer opens a pipe to look at an object's type, and takes its failure for a wrong type";
#endif
#endif
  RunningServer server(echo);
  RawPeer peer;
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  int lowest_free = ::dup(0);
  ::close(lowest_free);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(lowest_free);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &tight), 0);
  peer.connect(server.port());
  peer.send(get("/"));
  bool silent = peer.is_silent_for(Milliseconds(150));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_TRUE(silent);
  EXPECT_EQ(status_of(peer.read_answer()), 200);
}

TEST(Server, DrainsWithARequestInFlight) {
  Gate gate;
  RunningServer server(gate.handler());
  RawPeer idle = RawPeer::connected(server.port());
  idle.send(get("/"));
  EXPECT_EQ(status_of(idle.read_answer()), 200);
  RawPeer busy = RawPeer::connected(server.port());
  busy.send(get("/slow") + get("/behind"));
  RawPeer half_sent = RawPeer::connected(server.port());
  half_sent.send("GET / HTTP/1.1\r\n");
  ASSERT_TRUE(server.eventually(
      [](const ServerCounts& counts) { return counts.requests_in_flight == 1 && counts.connections == 3; }));
  std::future<void> stopped = server.stop(Milliseconds(10'000));
  EXPECT_TRUE(idle.is_at_end());
  half_sent.send("Host: a\r\n\r\n");
  EXPECT_TRUE(has(half_sent.read_answer(), "Connection: close"));
  half_sent.close();
  server.on_loop([&] { return gate.open(), 0; });
  std::string answer = busy.read_answer();
  EXPECT_EQ(body_of(answer), "GET /slow ");
  EXPECT_TRUE(has(answer, "Connection: close"));
  EXPECT_TRUE(busy.is_at_end());
  busy.close();
  ASSERT_EQ(stopped.wait_for(std::chrono::seconds(5)), std::future_status::ready);
  EXPECT_EQ(server.counts().connections, 0U);
}

TEST(Server, AnswersWhatArrivesInTheGraceOfADrain) {
  ServerSettings settings;
  settings.drain_grace = Milliseconds(5'000);
  RunningServer server(echo, settings);
  RawPeer fresh = RawPeer::connected(server.port());
  RawPeer kept = RawPeer::connected(server.port());
  kept.send(get("/first"));
  EXPECT_FALSE(has(kept.read_answer(), "Connection: close"));
  ASSERT_TRUE(server.eventually([](const ServerCounts& counts) { return counts.connections == 2; }));
  std::future<void> stopped = server.stop(Milliseconds(10'000));
  ASSERT_EQ(stopped.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  for (RawPeer* peer : {&fresh, &kept}) {
    peer->send(get("/last"));
    std::string answer = peer->read_answer();
    EXPECT_EQ(status_of(answer), 200);
    EXPECT_TRUE(has(answer, "Connection: close"));
    peer->close();
  }
  ASSERT_EQ(stopped.wait_for(std::chrono::seconds(4)), std::future_status::ready);  // it waits no longer than needed
}

TEST(Server, ClosesWhoAsksNothingWhenTheGraceOfADrainIsOver) {
  ServerSettings settings;
  settings.drain_grace = Milliseconds(50);
  RunningServer server(echo, settings);
  RawPeer silent = RawPeer::connected(server.port());
  ASSERT_TRUE(server.eventually([](const ServerCounts& counts) { return counts.connections == 1; }));
  std::future<void> stopped = server.stop(Milliseconds(60'000));
  ASSERT_EQ(stopped.wait_for(std::chrono::seconds(5)), std::future_status::ready);
  EXPECT_TRUE(silent.is_at_end());
}

TEST(Server, ClosesWhatHasNotEndedAtTheLimit) {
  Gate gate;
  RunningServer server(gate.handler());
  RawPeer busy = RawPeer::connected(server.port());
  busy.send(get("/slow"));
  ASSERT_TRUE(server.eventually([](const ServerCounts& counts) { return counts.requests_in_flight == 1; }));
  std::future<void> stopped = server.stop(Milliseconds(30));
  ASSERT_EQ(stopped.wait_for(std::chrono::seconds(5)), std::future_status::ready);
  EXPECT_TRUE(busy.is_at_end());
  EXPECT_EQ(server.counts().connections, 0U);
  EXPECT_EQ(server.counts().requests_in_flight, 0U);
}

TEST(Server, MayBeDestroyedWithConnectionsOpen) {
  std::optional<RawPeer> idle;
  std::optional<RawPeer> half_sent;
  {
    RunningServer server(echo);
    idle.emplace(RawPeer::connected(server.port()));
    half_sent.emplace(RawPeer::connected(server.port()));
    half_sent->send("GET / HT");
    ASSERT_TRUE(server.eventually([](const ServerCounts& counts) { return counts.connections == 2; }));
  }
  EXPECT_TRUE(idle->is_at_end());
  EXPECT_TRUE(half_sent->is_at_end());
}

TEST(Server, MayBeDestroyedWhileItsLoopRests) {
  Gate gate;
  asio::io_context loop(1);
  auto server = std::make_unique<Server>(loop.get_executor(), ServerSettings(), gate.handler());
  ASSERT_TRUE(server->listen("127.0.0.1", 0));
  RawPeer busy = RawPeer::connected(server->local_endpoint().port);
  RawPeer idle = RawPeer::connected(server->local_endpoint().port);
  busy.send(get("/slow"));
  while (gate.waiting == 0 || server->counts().connections < 2) loop.run_one();
  server.reset();
  loop.run();  // to the end of everything
  EXPECT_TRUE(busy.is_at_end());
  EXPECT_TRUE(idle.is_at_end());
}

TEST(Server, MayEndTogetherWithItsLoop) {
  Gate gate;
  RawListener listener;
  RawPeer peer;
  {
    asio::io_context loop(1);
    Server server(loop.get_executor(), {}, gate.handler());
    std::uint16_t port = listener.port();
    ASSERT_TRUE(server.listen(listener.release()));
    peer.connect(port);
    peer.send(get("/slow"));
    while (gate.waiting == 0) loop.run_one();
  }
  EXPECT_TRUE(peer.is_at_end());
}

TEST(Server, ListensOnADescriptorThatItIsGiven) {
  asio::io_context loop(1);
  Server server(loop.get_executor(), {}, echo);
  RawListener listener;
  std::uint16_t port = listener.port();
  ASSERT_TRUE(server.listen(listener.release()));
  EXPECT_EQ(server.local_endpoint().port, port);
  EXPECT_EQ(server.local_endpoint().address, "127.0.0.1");
  int not_listening = ::socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(server.listen(not_listening).error().code, Errc::bad_configuration);
  EXPECT_TRUE(server.listen(-1).has_error());
}

TEST(Server, SaysWhyItCannotListen) {
  RunningServer other(echo);
  asio::io_context loop(1);
  Server server(loop.get_executor(), {}, echo);
  Result<void> taken = server.listen("127.0.0.1", other.port());
  ASSERT_TRUE(taken.has_error());
  EXPECT_EQ(taken.error().code, Errc::bad_configuration);
  EXPECT_TRUE(has(taken.error().detail, "Address already in use")) << taken.error().detail;
  EXPECT_TRUE(server.listen("localhost", 0).has_error());
}

/// Counts up to `last`, one piece at a time; after that it waits until it is ended.
class Counting final : public BodyStream {
 public:
  Counting(Executor executor, int last, std::atomic<int>& asked)
      : never_(executor, SteadyClock::time_point::max()), last_(last), asked_(asked) {}

  awaitable<std::optional<std::string>> next() override {
    ++asked_;
    if (count_ < last_) co_return std::to_string(++count_) + " ";
    if (!ended_) co_await never_.async_wait(nothrow);
    co_return std::nullopt;
  }
  void end() override {
    ended_ = true;
    never_.cancel();
  }

 private:
  Timer never_;
  int count_ = 0, last_;
  bool ended_ = false;
  std::atomic<int>& asked_;
};

/// Answers with a stream that counts up to three, or as far as the path says.
struct Counter {
  awaitable<Response> handle(Request request) {
    const Executor executor = co_await asio::this_coro::executor;
    const int last = request.target.size() > 1 ? std::stoi(request.target.substr(1)) : 3;
    Response response;
    response.content_type = "text/plain";
    response.body = "0 ";
    auto counting = std::make_shared<Counting>(executor, last, asked);
    if (request.headers.find("Finite")) counting->end();
    response.stream = std::move(counting);
    co_return response;
  }

  Handler handler() {
    return [this](Request request) { return handle(std::move(request)); };
  }

  std::atomic<int> asked = 0;
};

TEST(Server, SendsABodyThatIsMadeMeanwhileInChunks) {
  Counter counter;
  RunningServer server(counter.handler());
  RawPeer peer = RawPeer::connected(server.port());
  peer.send("GET / HTTP/1.1\r\nHost: a\r\nFinite: yes\r\n\r\n");
  const std::string answer = peer.read_until("0\r\n\r\n");
  EXPECT_TRUE(has(answer, "Transfer-Encoding: chunked\r\n")) << answer;
  EXPECT_FALSE(has(answer, "Content-Length")) << answer;
  EXPECT_EQ(body_of(answer), "2\r\n0 \r\n2\r\n1 \r\n2\r\n2 \r\n2\r\n3 \r\n0\r\n\r\n");
  peer.send("GET /1 HTTP/1.1\r\nHost: a\r\nFinite: yes\r\n\r\n");
  EXPECT_EQ(body_of(peer.read_until("0\r\n\r\n")), "2\r\n0 \r\n2\r\n1 \r\n0\r\n\r\n") << "the connection goes on";
  EXPECT_EQ(server.counts().answers_total.at(200), 2U);
}

TEST(Server, EndsAStreamWithTheConnectionForAnOldPeer) {
  Counter counter;
  RunningServer server(counter.handler());
  RawPeer peer = RawPeer::connected(server.port());
  peer.send("GET / HTTP/1.0\r\nHost: a\r\nFinite: yes\r\n\r\n");
  const std::string answer = peer.read_to_end();
  EXPECT_TRUE(has(answer, "Connection: close\r\n")) << answer;
  EXPECT_EQ(body_of(answer), "0 1 2 3 ");
}

TEST(Server, AsksAStreamForNothingWhenOnlyTheHeadIsWanted) {
  Counter counter;
  RunningServer server(counter.handler());
  RawPeer peer = RawPeer::connected(server.port());
  peer.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(has(peer.read_answer(true), "Transfer-Encoding: chunked\r\n"));
  peer.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
  peer.read_answer(true);
  EXPECT_EQ(counter.asked, 0);
}

TEST(Server, EndsStreamsInOrderWhenItDrains) {
  Counter counter;
  RunningServer server(counter.handler());
  RawPeer peer = RawPeer::connected(server.port());
  peer.send(get("/"));
  peer.read_until("3 \r\n");
  EXPECT_EQ(server.counts().streams, 1U);
  auto stopped = server.stop(Milliseconds(30'000));
  EXPECT_EQ(peer.read_to_end(), "0\r\n\r\n");
  stopped.get();
  EXPECT_EQ(server.counts().streams, 0U);
}

TEST(Server, AsksForNoMoreThanAStreamsPeerTakes) {
  Counter counter;
  ServerSettings settings;
  settings.write_limit = Milliseconds(200);
  RunningServer server(counter.handler(), settings);
  RawPeer peer = RawPeer::connected(server.port());
  peer.send(get("/2000000000"));
  peer.read_until("1000 ");
  // The peer reads no more: the buffers of both systems fill up, and then the deadline of the write ends it.
  EXPECT_TRUE(server.eventually([](const ServerCounts& counts) { return counts.connections == 0; }));
  EXPECT_LT(counter.asked, 100'000'000);
  EXPECT_EQ(server.counts().streams, 0U);
}

TEST(Server, CutsAStreamOffWhenItIsDestroyed) {
  Counter counter;
  std::optional<RunningServer> server(std::in_place, counter.handler());
  RawPeer peer = RawPeer::connected(server->port());
  peer.send(get("/"));
  peer.read_until("3 \r\n");
  server.reset();
  EXPECT_EQ(peer.read_to_end(), "") << "no last chunk: the body is not complete";
}

}  // namespace
}  // namespace billd::http
