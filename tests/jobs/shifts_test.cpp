// Crowds of work: their order, and that others are heard in between.
#include "net/shifts.hpp"

#include <gtest/gtest.h>

#include <boost/asio/post.hpp>
#include <vector>

#include "net/one_shot.hpp"

namespace billd {
namespace {

/// Takes its time, as a coroutine does that reads an account and decides.
void work_for(std::chrono::microseconds time) {
  const auto until = SteadyClock::now() + time;
  while (SteadyClock::now() < until) continue;
}

awaitable<> wait_for(OneShot<int>& shot, std::vector<int>& done) {
  co_await shot.provided();
  work_for(std::chrono::microseconds(200));
  done.push_back(shot.take());
}

class ShiftsTest : public testing::Test {
 protected:
  asio::io_context loop_{1};
  Executor executor_ = loop_.get_executor();
  Tasks tasks_{executor_};
  std::vector<int> done_;
};

TEST_F(ShiftsTest, DoWhatCameFirstAndLetOthersInBetween) {
  constexpr int crowd = 200;
  std::vector<std::unique_ptr<OneShot<int>>> shots;
  for (int i = 0; i < crowd; ++i) {
    shots.push_back(std::make_unique<OneShot<int>>(executor_));
    tasks_.spawn("one of a crowd", wait_for(*shots.back(), done_));
  }
  for (int i = 0; i < crowd; ++i) shots[static_cast<std::size_t>(i)]->provide(i);
  // Whoever comes now waits for a shift, not for the crowd: some forty milliseconds.
  std::size_t done_before = crowd;
  asio::post(executor_, [&] { asio::post(executor_, [&] { done_before = done_.size(); }); });
  loop_.run();
  EXPECT_LT(done_before, crowd / 4);
  ASSERT_EQ(done_.size(), std::size_t{crowd});
  EXPECT_TRUE(std::ranges::is_sorted(done_));
  EXPECT_EQ(tasks_.running(), 0u);
}

TEST_F(ShiftsTest, ResumeWhoeverComesAfterItsValue) {
  OneShot<int> shot(executor_);
  shot.provide(7);
  tasks_.spawn("late", wait_for(shot, done_));
  EXPECT_TRUE(done_.empty()) << "in a turn of its own";
  loop_.run();
  EXPECT_EQ(done_, std::vector<int>{7});
}

struct Counted final : Shifts::Work {
  Counted(int& alive_now, bool is_failing) : alive(alive_now), fails(is_failing) { ++alive; }
  ~Counted() override { --alive; }
  void run() override {
    if (fails) throw std::runtime_error("as it may happen");
  }
  int& alive;
  bool fails;
};

TEST_F(ShiftsTest, GoOnBehindAPieceOfWorkThatFails) {
  int alive = 0;
  for (const bool fails : {true, false, false}) Shifts::of(executor_).add(std::make_unique<Counted>(alive, fails));
  EXPECT_THROW(loop_.run(), std::runtime_error);
  EXPECT_EQ(alive, 2);
  loop_.run();
  EXPECT_EQ(alive, 0);
}

TEST(Shifts, EndWithTheirLoop) {
  int alive = 0;
  {
    asio::io_context loop(1);
    for (int i = 0; i < 3; ++i) Shifts::of(loop.get_executor()).add(std::make_unique<Counted>(alive, false));
    EXPECT_EQ(alive, 3);
  }
  EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace billd
