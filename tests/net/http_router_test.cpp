// The routing table: matching, decoding, and the difference between an unknown path and a wrong method.
#include "net/http/router.hpp"

#include <gtest/gtest.h>

namespace billd::http {
namespace {

using Outcome = Router::Outcome;

Router routes() {
  Router router;
  router.add(Method::get, "/", 1);
  router.add(Method::get, "/v1/customers", 2);
  router.add(Method::post, "/v1/customers", 3);
  router.add(Method::get, "/v1/customers/{id}", 4);
  router.add(Method::delete_, "/v1/customers/{id}", 5);
  router.add(Method::get, "/v1/customers/{customer}/sources/{id}", 6);
  router.add(Method::get, "/v1/invoices/upcoming", 7);
  router.add(Method::get, "/v1/invoices/{id}", 8);
  router.add(Method::post, "/v1/invoices/{id}", 9);
  router.add(Method::get, "/v1/invoices/upcoming/lines", 10);
  router.add(Method::post, "/v1/invoices/{id}/pay", 11);
  return router;
}

TEST(Router, FindsTheRouteOfAMethodAndPath) {
  Router router = routes();
  struct Case {
    Method method;
    const char* path;
    Outcome outcome;
    std::size_t handler;
  };
  for (auto [method, path, outcome, handler] : std::initializer_list<Case>{
           {Method::get, "/", Outcome::found, 1},
           {Method::get, "/v1/customers", Outcome::found, 2},
           {Method::get, "/v1/customers/", Outcome::found, 2},
           {Method::post, "/v1/customers", Outcome::found, 3},
           {Method::head, "/v1/customers", Outcome::found, 2},
           {Method::get, "/v1/customers/cus_1", Outcome::found, 4},
           {Method::delete_, "/v1/customers/cus_1", Outcome::found, 5},
           {Method::get, "/v1/customers/cus_1/sources/card_2", Outcome::found, 6},
           {Method::get, "/v1/invoices/upcoming", Outcome::found, 7},
           {Method::get, "/v1/invoices/in_1", Outcome::found, 8},
           {Method::post, "/v1/invoices/upcoming", Outcome::found, 9},
           {Method::post, "/v1/invoices/upcoming/pay", Outcome::found, 11},
           {Method::get, "/v1", Outcome::path_unknown, 0},
           {Method::get, "/v2/customers", Outcome::path_unknown, 0},
           {Method::get, "/v1/customers/cus_1/sources", Outcome::path_unknown, 0},
           {Method::get, "/v1/customers/cus_1/sources/a/b", Outcome::path_unknown, 0},
           {Method::get, "/v1/customers//sources/a", Outcome::path_unknown, 0},
           {Method::get, "/v1/customers//", Outcome::path_unknown, 0},
           {Method::get, "//v1/customers", Outcome::path_unknown, 0},
           {Method::get, "/V1/customers", Outcome::path_unknown, 0},
           {Method::get, "/v1/cust%6Fmers", Outcome::path_unknown, 0},
           {Method::get, "", Outcome::path_unknown, 0},
           {Method::get, "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a", Outcome::path_unknown, 0},
           {Method::put, "/v1/customers", Outcome::method_not_allowed, 0},
           {Method::post, "/v1/customers/cus_1", Outcome::method_not_allowed, 0},
           {Method::get, "/v1/customers/%zz", Outcome::malformed, 4},
           {Method::get, "/v1/customers/%00", Outcome::malformed, 4},
           {Method::get, "/v1/customers/%ff", Outcome::malformed, 4},
       }) {
    Router::Match match = router.match(method, path);
    EXPECT_EQ(match.outcome, outcome) << path;
    if (handler != 0) EXPECT_EQ(match.handler(), handler) << path;
  }
}

TEST(Router, DecodesTheVariableSegments) {
  Router router = routes();
  Router::Match match = router.match(Method::get, "/v1/customers/a%20b%23c%2Fd/sources/caf%C3%A9+1");
  ASSERT_EQ(match.outcome, Outcome::found);
  EXPECT_EQ(match.parameter("customer"), "a b#c/d");
  EXPECT_EQ(match.parameter("id"), "caf\xc3\xa9+1");
}

TEST(Router, SaysWhichMethodsAPathAllows) {
  Router router = routes();
  EXPECT_EQ(router.match(Method::put, "/v1/customers/cus_1").allow(), "GET, HEAD, DELETE");
  EXPECT_EQ(router.match(Method::put, "/v1/customers").allow(), "GET, HEAD, POST");
  EXPECT_EQ(router.match(Method::put, "/v1/invoices/upcoming").allow(), "GET, HEAD, POST");
  EXPECT_EQ(router.match(Method::get, "/v1/invoices/in_1/pay").allow(), "POST");
}

TEST(RouterDeathTest, RefusesARouteTwice) {
  Router router = routes();
  EXPECT_DEATH(router.add(Method::get, "/v1/customers/{other}", 12), "check failed");
  EXPECT_DEATH(router.add(Method::get, "v1", 12), "check failed");
  EXPECT_DEATH(router.add(Method::get, "/v1/{a", 12), "check failed");
}

}  // namespace
}  // namespace billd::http
