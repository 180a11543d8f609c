// The request gate: what it lets through, what it refuses and with which status.
#include "net/http/gate.hpp"

#include <gtest/gtest.h>

#include <string>

#include "net/http/wire.hpp"

namespace billd::http {
namespace {

const GateLimits limits;

// What the server does with a header: 0 when it lets it through.
int verdict(const std::string& header) {
  if (auto refusal = refuse_raw_request(header, limits)) return refusal->status;
  Request request;
  MessageParser<true> parser(request, 1024 * 1024, 16 * 1024);
  boost::beast::error_code ec;
  parser.feed(header, ec);
  if (parser.refusal()) return parser.refusal()->status;
  bool parsed = !ec || ec == boost::beast::http::error::need_more;
  return parsed ? 0 : 400;
}

std::string with_fields(const std::string& fields) {
  return "POST /v1/charges HTTP/1.1\r\nHost: api\r\n" + fields + "\r\n";
}

struct Case {
  const char* description;
  std::string header;
  int status;
};

void expect_verdicts(const std::vector<Case>& cases) {
  for (const Case& one : cases) EXPECT_EQ(verdict(one.header), one.status) << one.description;
}

TEST(Gate, LetsOrdinaryRequestsThrough) {
  expect_verdicts({
      {"a GET", "GET /v1/customers?limit=3 HTTP/1.1\r\nHost: localhost:8080\r\nAccept: */*\r\n\r\n", 0},
      {"HTTP/1.0", "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n", 0},
      {"an IPv6 host", "GET / HTTP/1.1\r\nHost: [::1]:80\r\n\r\n", 0},
      {"a length", with_fields("Content-Length: 5\r\n"), 0},
      {"chunks", with_fields("Transfer-Encoding: chunked\r\n"), 0},
      {"chunks in capitals", with_fields("Transfer-Encoding: Chunked\r\n"), 0},
      {"an expectation", with_fields("Expect: 100-continue\r\nContent-Length: 5\r\n"), 0},
      {"an upgrade, which is ignored", with_fields("Connection: Upgrade, close\r\nUpgrade: h2c\r\n"), 0},
      {"an empty field", with_fields("Accept:\r\n"), 0},
      {"what Perl's LWP sends", with_fields("Connection: TE, close\r\nTE: deflate,gzip;q=0.3\r\n"), 0},
  });
}

TEST(Gate, RefusesEveryAmbiguousFraming) {
  expect_verdicts({
      {"unknown coding", with_fields("Transfer-Encoding: gzip\r\n"), 400},
      {"identity", with_fields("Transfer-Encoding: identity\r\n"), 400},
      {"xchunked", with_fields("Transfer-Encoding: xchunked\r\n"), 400},
      {"quoted", with_fields("Transfer-Encoding: \"chunked\"\r\n"), 400},
      {"chunked is not last", with_fields("Transfer-Encoding: chunked, identity\r\n"), 400},
      {"chunked is not alone", with_fields("Transfer-Encoding: gzip, chunked\r\n"), 400},
      {"chunked twice in one field", with_fields("Transfer-Encoding: chunked, chunked\r\n"), 400},
      {"chunked twice", with_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"with a parameter", with_fields("Transfer-Encoding: chunked;q=1\r\n"), 400},
      {"empty coding", with_fields("Transfer-Encoding:\r\n"), 400},
      {"coding, then length", with_fields("Transfer-Encoding: gzip\r\nContent-Length: 5\r\n"), 400},
      {"chunked, then length", with_fields("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"), 400},
      {"length, then chunked", with_fields("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"), 400},
      {"two lengths", with_fields("Content-Length: 5\r\nContent-Length: 6\r\n"), 400},
      {"the same length twice", with_fields("Content-Length: 5\r\nContent-Length: 5\r\n"), 400},
      {"a list of lengths", with_fields("Content-Length: 5, 5\r\n"), 400},
      {"signed length", with_fields("Content-Length: +5\r\n"), 400},
      {"negative length", with_fields("Content-Length: -5\r\n"), 400},
      {"hexadecimal length", with_fields("Content-Length: 0x5\r\n"), 400},
      {"empty length", with_fields("Content-Length:\r\n"), 400},
      {"length beyond 64 bits", with_fields("Content-Length: 18446744073709551621\r\n"), 400},
      {"space before the colon", with_fields("Transfer-Encoding : chunked\r\n"), 400},
      {"underscore", with_fields("Transfer_Encoding: chunked\r\n"), 400},
      {"control in the name", with_fields("Transfer-Encoding\x0b: chunked\r\n"), 400},
      {"control in the value",
       with_fields("Transfer-Encoding: \x0b"
                   "chunked\r\n"),
       400},
      {"chunked on HTTP/1.0", "POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
  });
}

TEST(Gate, RefusesEveryOtherLineEndThanCrLf) {
  expect_verdicts({
      {"LF alone", "GET / HTTP/1.1\nHost: a\r\n\r\n", 400},
      {"LF between fields", "GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400},
      {"CR alone", "GET / HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400},
      {"CR CR LF", "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n", 400},
      {"a fold", with_fields("X: a\r\n b\r\n"), 400},
      {"a fold by tab", with_fields("X: a\r\n\tb\r\n"), 400},
      {"a fold in the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400},
      {"NUL", with_fields(std::string("X: a\0b\r\n", 8)), 400},
      {"a byte above 0x7f", with_fields("X: \xc3\xa9\r\n"), 400},
      {"DEL", with_fields("X: \x7f\r\n"), 400},
      {"no colon", with_fields("chunked\r\n"), 400},
      {"no name", with_fields(": chunked\r\n"), 400},
      {"an empty line first", "\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  });
}

TEST(Gate, RefusesRequestLinesThatCanBeReadInTwoWays) {
  expect_verdicts({
      {"two spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a space in the target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"no version", "GET /\r\nHost: a\r\n\r\n", 400},
      {"a space at the end", "GET / HTTP/1.1 \r\nHost: a\r\n\r\n", 400},
      {"a small version", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
      {"HTTP/2.0", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505},
      {"HTTP/1.2", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 505},
      {"absolute form", "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"no slash", "GET a HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"asterisk form", "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a fragment", "GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"a byte above 0x7f", "GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"TRACE", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405},
      {"CONNECT", "CONNECT /a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 405},
      {"an unknown method", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"a small method", "get / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
  });
}

TEST(Gate, NeedsExactlyOneValidHost) {
  expect_verdicts({
      {"none", "GET / HTTP/1.1\r\n\r\n", 400},
      {"none on HTTP/1.0", "GET / HTTP/1.0\r\n\r\n", 400},
      {"two", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"the same twice", "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n\r\n", 400},
      {"empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 400},
      {"with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"with a user", "GET / HTTP/1.1\r\nHost: a@b\r\n\r\n", 400},
      {"with a list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400},
      {"with a bad port", "GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", 400},
      {"with an empty port", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", 400},
      {"with an open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400},
  });
}

TEST(Gate, RefusesCodingsAndExpectationsItCannotMeet) {
  expect_verdicts({
      {"gzip", with_fields("Content-Encoding: gzip\r\nContent-Length: 5\r\n"), 415},
      {"another expectation", with_fields("Expect: 200-ok\r\n"), 417},
      {"two expectations", with_fields("Expect: 100-continue\r\nExpect: 100-continue\r\n"), 417},
  });
}

TEST(Gate, LimitsTheHeader) {
  std::string fields;
  for (int i = 0; i < 99; ++i) fields += "X: y\r\n";
  EXPECT_EQ(verdict(with_fields(fields)), 0) << "99 and Host";
  EXPECT_EQ(verdict(with_fields(fields + "X: y\r\n")), 431);
  EXPECT_EQ(verdict(with_fields("X: " + std::string(16 * 1024, 'y') + "\r\n")), 431);
  EXPECT_EQ(verdict("GET /" + std::string(8191, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
  EXPECT_EQ(verdict("GET /" + std::string(8192, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n"), 414);
}

TEST(Gate, IsTheSameForAnswersButForTheirText) {
  auto status = [](const std::string& header) {
    auto refusal = refuse_raw_response(header, limits);
    return refusal ? refusal->status : 0;
  };
  EXPECT_EQ(status("HTTP/1.1 200 OK\r\nContent-Disposition: \xe9\tb\r\nX_Y: z\r\n\r\n"), 0);
  EXPECT_EQ(status("HTTP/1.1 200 OK\r\nX: a\n\r\n\r\n"), 400);
  EXPECT_EQ(status("HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n"), 400);

  Response both;
  both.headers.add("Content-Length", "5");
  both.headers.add("Transfer-Encoding", "chunked");
  EXPECT_TRUE(refuse_response(both, 11));
  Response compressed;
  compressed.headers.add("Content-Encoding", "gzip");
  EXPECT_TRUE(refuse_response(compressed, 11));
  Response plain;
  plain.headers.add("Content-Encoding", "identity");
  plain.headers.add("Content-Length", "5");
  EXPECT_FALSE(refuse_response(plain, 11));
}

TEST(Headers, AreFoundWithoutRegardToCaseAndKeepTheirOrder) {
  Headers headers;
  headers.add("Accept", "a");
  headers.add("X-One", "1");
  headers.add("accept", "b");
  EXPECT_EQ(headers.find("ACCEPT"), "a");
  EXPECT_EQ(headers.count("Accept"), 2U);
  EXPECT_FALSE(headers.find("Accep"));
  headers.set("ACCEPT", "c");
  EXPECT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers[0].name, "X-One");
  EXPECT_EQ(headers[1].value, "c");
  Headers copy = headers;
  EXPECT_EQ(copy.find("accept"), "c");
}

TEST(AnswerHead, TakesNothingThatCouldBreakItApart) {
  for (const char* value : {"a\r\nSet-Cookie: b", "a\nb", "a\rb", "a\x01", "a\x7f"}) {
    Response response;
    response.headers.add("Location", value);
    std::string out = "before";
    EXPECT_FALSE(append_answer_head(out, response, {}));
    EXPECT_EQ(out, "before");
  }
  Response bad_name;
  bad_name.headers.add("a b", "c");
  std::string out;
  EXPECT_FALSE(append_answer_head(out, bad_name, {}));
  EXPECT_FALSE(append_request_head(out, Method::get, "/a b", "host", {}, 0));
  EXPECT_FALSE(append_request_head(out, Method::get, "/", "ho\nst", {}, 0));
  EXPECT_FALSE(append_request_head(out, Method::get, "/", "host", bad_name.headers, 0));
  EXPECT_EQ(out, "");
}

TEST(AnswerHead, SaysTheLengthItselfWhateverTheHandlerClaims) {
  Response response;
  response.body = "12345";
  response.headers.add("content-length", "3");
  response.headers.add("Transfer-Encoding", "chunked");
  response.headers.add("connection", "close");
  response.headers.add("X-Kept", "yes");
  std::string out;
  ASSERT_TRUE(append_answer_head(out, response, {}));
  EXPECT_EQ(out, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5\r\nX-Kept: yes\r\n\r\n");
}

}  // namespace
}  // namespace billd::http
