// Tests of the operators' face: what each of its paths answers, and that it answers at once.
#include <gmock/gmock.h>

#include <algorithm>
#include <boost/json.hpp>

#include "net/api/operators/face.hpp"
#include "tests/net/run.hpp"

namespace billd::api::operators {
namespace {

using testing::HasSubstr;

struct FixedView final : View {
  Status status() const override { return now; }
  std::string not_ready_because() const override { return reason; }

  Status now;
  std::string reason;
};

class OperatorsFace : public testing::Test {
 protected:
  http::Response ask(std::string target, http::Method method = http::Method::get) {
    http::Request request;
    request.method = method;
    request.target = std::move(target);
    return run(loop, face.handle(std::move(request)));
  }

  asio::io_context loop{1};
  FixedView view;
  Face face{view};
};

TEST_F(OperatorsFace, TellsWhetherItLivesAndServes) {
  EXPECT_EQ(ask("/healthz").status, 200);
  EXPECT_EQ(ask("/readyz").status, 200);
  view.reason = "Redis does not answer";
  EXPECT_EQ(ask("/healthz").status, 200);
  EXPECT_EQ(ask("/readyz").status, 503);
  EXPECT_THAT(ask("/readyz").body, HasSubstr("Redis does not answer"));
  EXPECT_EQ(ask("/nothing").status, 404);
  EXPECT_EQ(ask("/healthz", http::Method::post).status, 405);
}

TEST_F(OperatorsFace, TellsTheStatusAsJson) {
  view.now.daemon = "alpha";
  view.now.now = from_unix(1'000);
  QueueStatus queue;
  queue.name = "renewal";
  queue.due = 3;
  queue.oldest = from_unix(990);
  view.now.queues.push_back(queue);
  view.now.partitions.push_back({7, "alpha", 12, true});
  const auto status = boost::json::parse(ask("/status").body);
  EXPECT_EQ(status.at("daemon").as_string(), "alpha");
  EXPECT_TRUE(status.at("ready").as_bool());
  EXPECT_EQ(status.at("queues").at(0).at("lateness_milliseconds").as_int64(), 10'000);
  EXPECT_EQ(status.at("partitions").at(0).at("epoch").as_int64(), 12);
  EXPECT_TRUE(status.at("data_loss").is_null());
}

TEST_F(OperatorsFace, AnswersTheStatusInLessThanAMillisecond) {
  for (std::uint32_t number = 0; number < 64; ++number) view.now.partitions.push_back({number, "alpha", number, true});
  // The quickest of many: what else runs on the machine is not to be measured.
  auto quickest = SteadyClock::duration::max();
  for (int i = 0; i < 50; ++i) {
    const auto begun = SteadyClock::now();
    ask("/status");
    quickest = std::min(quickest, SteadyClock::now() - begun);
  }
  EXPECT_LT(quickest, Milliseconds(1));
}

}  // namespace
}  // namespace billd::api::operators
