// Crowds of work: their order, and that others are heard in between.
#include "net/shifts.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/asio/post.hpp>
#include <functional>
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
  void add(int value) {
    Shifts::of(executor_).add(Shifts::work([this, value] {
      work_for(std::chrono::microseconds(200));
      done_.push_back(value);
    }));
  }

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

TEST_F(ShiftsTest, DoWhatIsPromptBeforeTheCrowd) {
  constexpr int crowd = 100, prompt = 1'000;
  {
    const Shifts::With crowds(Shifts::Haste::patient);
    for (int i = 0; i < crowd; ++i) add(i);
  }
  for (int i = 0; i < 3; ++i) add(prompt + i);
  loop_.run();
  ASSERT_EQ(done_.size(), std::size_t{crowd} + 3);
  EXPECT_EQ(done_.front(), prompt);
  // Half of a shift is theirs, the other one the crowd's: most of the crowd comes after them.
  EXPECT_LT(std::ranges::find(done_, prompt + 2) - done_.begin(), crowd / 4);
}

TEST_F(ShiftsTest, DoNotLetTheCrowdStarve) {
  constexpr std::size_t crowd = 20, turns_max = 1'000;
  std::size_t turns = 0;
  // Somebody prompt is always there.
  std::function<void()> again = [&] {
    ++turns;
    work_for(std::chrono::microseconds(200));
    if (done_.size() < crowd && turns < turns_max) Shifts::of(executor_).add(Shifts::work([&] { again(); }));
  };
  again();
  {
    const Shifts::With crowds(Shifts::Haste::patient);
    for (int i = 0; i < static_cast<int>(crowd); ++i) add(i);
  }
  loop_.run();
  EXPECT_EQ(done_.size(), crowd);
  EXPECT_LT(turns, turns_max / 2);
}

awaitable<> note_haste(Executor executor, std::vector<Shifts::Haste>& seen) {
  seen.push_back(Shifts::haste());
  co_await Shifts::of(executor).patiently();
  seen.push_back(Shifts::haste());
  OneShot<int> shot(executor);
  shot.provide(1);
  co_await shot.provided();
  seen.push_back(Shifts::haste());
  Timer timer(executor, std::chrono::milliseconds(1));
  [[maybe_unused]] auto [ended] = co_await timer.async_wait(nothrow);
  seen.push_back(Shifts::haste());
}

TEST_F(ShiftsTest, KeepWhatWaitsInOneLineInIt) {
  using enum Shifts::Haste;
  std::vector<Shifts::Haste> seen;
  tasks_.spawn("patient from some point on", note_haste(executor_, seen));
  EXPECT_EQ(Shifts::haste(), prompt);
  loop_.run();
  EXPECT_EQ(Shifts::haste(), prompt);
  EXPECT_EQ(seen, (std::vector{prompt, patient, patient, prompt})) << "a timer makes prompt";
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
  EXPECT_EQ(Shifts::haste(), Shifts::Haste::prompt);
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
