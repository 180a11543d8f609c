// Turns at accounts: their order, and that nobody is forgotten when others give up.
#include "jobs/turns.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/net/run.hpp"

namespace billd::jobs {
namespace {

using testing::ElementsAre;

AccountName account(std::uint64_t number) { return {Mode::test, AccountKey::from_bits(1, number)}; }

/// Takes its turn, stays until `leave` is cancelled, and writes down when.
awaitable<> visit(Turns& turns, AccountName name, int visitor, Timer& leave, std::vector<int>& order) {
  const Turns::Turn turn = co_await turns.take(name);
  order.push_back(visitor);
  [[maybe_unused]] auto [ended] = co_await leave.async_wait(nothrow);
}

class TurnsTest : public testing::Test {
 protected:
  asio::io_context loop_{1};
  Turns turns_{loop_.get_executor()};
  Tasks tasks_{loop_.get_executor()};
  std::vector<int> order_;

  void poll() {
    loop_.restart();
    loop_.poll();
  }
};

TEST_F(TurnsTest, ComeInOrderForOneAccountAndAtOnceForOthers) {
  Timer first(loop_.get_executor(), SteadyClock::time_point::max());
  Timer rest(loop_.get_executor(), SteadyClock::time_point::max());
  tasks_.spawn("first", visit(turns_, account(1), 1, first, order_));
  for (int visitor : {2, 3}) tasks_.spawn("later", visit(turns_, account(1), visitor, rest, order_));
  tasks_.spawn("other", visit(turns_, account(2), 9, rest, order_));
  poll();
  EXPECT_THAT(order_, ElementsAre(1, 9));
  first.cancel();
  poll();
  EXPECT_THAT(order_, ElementsAre(1, 9, 2));
  rest.cancel();
  poll();
  EXPECT_THAT(order_, ElementsAre(1, 9, 2, 3));
  rest.cancel();
  poll();
  EXPECT_EQ(turns_.size(), 0u);
  EXPECT_EQ(tasks_.running(), 0u);
}

TEST_F(TurnsTest, PassByThoseWhoGaveUp) {
  Timer first(loop_.get_executor(), SteadyClock::time_point::max());
  Timer rest(loop_.get_executor(), SteadyClock::time_point::max());
  Tasks impatient(loop_.get_executor());
  tasks_.spawn("first", visit(turns_, account(1), 1, first, order_));
  impatient.spawn("gives up", visit(turns_, account(1), 2, rest, order_));
  tasks_.spawn("stays", visit(turns_, account(1), 3, rest, order_));
  poll();
  impatient.cancel();
  poll();
  EXPECT_EQ(impatient.running(), 0u);
  first.cancel();
  poll();
  EXPECT_THAT(order_, ElementsAre(1, 3));
  rest.cancel();
  poll();
  EXPECT_EQ(turns_.size(), 0u);
}

TEST_F(TurnsTest, PassByWhoGaveUpAfterBeingCalled) {
  Timer first(loop_.get_executor(), SteadyClock::time_point::max());
  Timer rest(loop_.get_executor(), SteadyClock::time_point::max());
  Tasks impatient(loop_.get_executor());
  std::optional<Turns::Turn> mine = turns_.try_take(account(1));
  ASSERT_TRUE(mine);
  EXPECT_FALSE(turns_.try_take(account(1)));
  impatient.spawn("gives up", visit(turns_, account(1), 2, rest, order_));
  tasks_.spawn("stays", visit(turns_, account(1), 3, rest, order_));
  poll();
  mine.reset();
  impatient.cancel();
  poll();
  rest.cancel();
  poll();
  rest.cancel();
  poll();
  EXPECT_EQ(order_.back(), 3);
  EXPECT_EQ(turns_.size(), 0u);
}

}  // namespace
}  // namespace billd::jobs
