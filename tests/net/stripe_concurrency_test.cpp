// Reading while others write.
#include "net/api/gather.hpp"
#include "tests/net/stripe_fixture.hpp"

namespace billd::api::stripe {
namespace {

/// Sends it so often; how many answers were good.
awaitable<int> repeat(Face& face, http::Request request, int times) {
  int good = 0;
  for (int i = 0; i < times; ++i) {
    http::Request one = request;
    const http::Response response = co_await face.handle(std::move(one));
    if (response.status == 200) ++good;
  }
  co_return good;
}

/// Asks for it so often; how many answers did not have the text.
awaitable<int> count_misses(Face& face, http::Request request, std::string text, int times) {
  int misses = 0;
  for (int i = 0; i < times; ++i) {
    http::Request one = request;
    const http::Response response = co_await face.handle(std::move(one));
    if (response.body.find(text) == std::string::npos) ++misses;
  }
  co_return misses;
}

/// A refund brings a paid invoice back into its account until the gateway has answered, and out of it again.
TEST_F(StripeTest, NothingIsMissedThatMovesBetweenAnAccountAndItsRecords) {
  plan();
  const std::string ann = customer();
  const std::string id = subscription(ann, "gold");
  const std::string invoice = get("/v1/subscriptions/" + id).text_at("/latest_invoice");
  const std::string charge = get("/v1/invoices/" + invoice).text_at("/charge");
  constexpr int refunds = 100, readings = 150;  // a charge has no more
  const auto reading = [&](const std::string& target) { return request(http::Method::get, target, "", {}); };
  std::vector<awaitable<int>> work;
  work.push_back(repeat(*face, request(http::Method::post, "/v1/refunds", "amount=1&charge=" + charge, {}), refunds));
  work.push_back(count_misses(*face, reading("/v1/invoices?customer=" + ann), invoice, readings));
  work.push_back(count_misses(*face, reading("/v1/charges?customer=" + ann), charge, readings));
  work.push_back(count_misses(*face, reading("/v1/invoices/" + invoice), "\"object\":\"invoice\"", readings));
  work.push_back(count_misses(*face, reading("/v1/charges/" + charge), "\"object\":\"charge\"", readings));
  const std::vector<int> counts = run(daemon->loop, gather(std::move(work)));
  EXPECT_EQ(counts, (std::vector<int>{refunds, 0, 0, 0, 0}));
}

}  // namespace
}  // namespace billd::api::stripe
