// Whole lives of subscriptions against a second reckoning of their periods, which Python's datetime makes: trials,
// anchors that move, and stops of any length after which everything is worked off.
#include <gtest/gtest.h>

#include <cinttypes>
#include <cstdio>

#include "tests/engine/effort.hpp"
#include "tests/engine/scenario.hpp"

namespace billd::periods_test {
namespace {

struct BilledPeriod {
  std::int64_t ordinal = 0;
  Period period;

  bool operator==(const BilledPeriod&) const = default;
};

std::string to_text(const BilledPeriod& billed) {
  return std::to_string(billed.ordinal) + " [" + billd::to_text(billed.period.start) + ", " +
         billd::to_text(billed.period.end) + ")";
}

/// A subscription that costs nothing, so that only its periods matter, without a scenario's checks: there are many.
class Reckoned {
 public:
  Reckoned(Timestamp start, Recurrence recurrence, std::optional<Timestamp> trial_end) {
    rules_.invoice_finalize_delay = Duration(0);
    account_.key = AccountKey::from_bits(1, 2);
    take(decide(account_, CreateCustomer{}, start + fraction, rules_));
    Subscribe command = test::subscribe_to(test::price(0, recurrence));
    command.trial_end = trial_end;
    take(decide(account_, command, start + fraction, rules_));
  }

  /// Everything that has become due until then is worked off.
  void pass_to(Timestamp time) {
    for (;;) {
      auto ticked = tick(account_, time + fraction, rules_);
      if (!ticked) return fail(ticked.error());
      if (!ticked->changed) return;
      take(std::move(ticked));
    }
  }

  void anchor_at(Timestamp time) {
    UpdateSubscription command = update();
    command.anchor_now = true;
    take(decide(account_, command, time + fraction, rules_));
  }

  void trial(Timestamp time, Timestamp end) {
    UpdateSubscription command = update();
    command.trial_end = end;
    take(decide(account_, command, time + fraction, rules_));
  }

  const std::vector<BilledPeriod>& billed() const { return billed_; }

 private:
  /// What happens does so within a second; what is billed begins on whole ones.
  static constexpr Duration fraction{250'000};

  UpdateSubscription update() const {
    UpdateSubscription command;
    command.subscription = account_.subscriptions.at(0).id;
    return command;
  }

  static void fail(const Failure& failure) { ADD_FAILURE() << failure.detail; }

  void take(Result<Transition> done) {
    if (!done) return fail(done.error());
    for (const Record& record : done->settled)
      if (const auto* invoice = std::get_if<Invoice>(&record))
        billed_.push_back({invoice->ordinal, invoice->lines.at(0).period});
    account_ = std::move(done->account);
  }

  Rules rules_;
  Account account_;
  std::vector<BilledPeriod> billed_;
};

TEST(Periods, OfWholeLivesAgreeWithPythonsDatetime) {
  const auto lives = static_cast<int>(test::times(1'000, 100'000));
  const std::string command = std::string("'") + BILLD_PYTHON + "' '" + BILLD_CALENDAR_ORACLE + "' --lives " +
                              std::to_string(test::seed()) + " " + std::to_string(lives);
  SCOPED_TRACE(command);
  std::FILE* oracle = popen(command.c_str(), "r");
  ASSERT_NE(oracle, nullptr);
  char line[160], word[8];
  std::int64_t first = 0, second = 0, until = 0;
  std::int32_t count = 0;
  int compared = 0, dates = 0;
  std::optional<Reckoned> life;
  std::vector<BilledPeriod> expected;
  std::string story;
  while (!testing::Test::HasFailure() && std::fgets(line, sizeof line, oracle) != nullptr) {
    story += line;
    if (std::sscanf(line, "L %" SCNd64 " %7s %" SCNd32 " %" SCNd64 " %" SCNd64, &first, word, &count, &second,
                    &until) == 5) {
      story = line;
      expected.clear();
      const auto trial_end = second != 0 ? std::optional(from_unix(second)) : std::nullopt;
      life.emplace(from_unix(first), Recurrence{parse_interval(word).value(), count}, trial_end);
    } else if (std::sscanf(line, "A %" SCNd64 " %7s %" SCNd64, &first, word, &second) == 3) {
      life->pass_to(from_unix(first));
      if (std::string_view(word) == "anchor")
        life->anchor_at(from_unix(first));
      else
        life->trial(from_unix(first), from_unix(second));
    } else if (std::sscanf(line, "P %" SCNd32 " %" SCNd64 " %" SCNd64, &count, &first, &second) == 3) {
      expected.push_back({count, {from_unix(first), from_unix(second)}});
    } else {
      ASSERT_EQ(std::string_view(line), ".\n");
      life->pass_to(from_unix(until));
      const auto& billed = life->billed();
      for (std::size_t i = 0; i < std::max(billed.size(), expected.size()); ++i) {
        const std::string is = i < billed.size() ? to_text(billed[i]) : "not billed";
        const std::string should_be = i < expected.size() ? to_text(expected[i]) : "no period";
        ASSERT_EQ(is, should_be) << story;
      }
      dates += static_cast<int>(billed.size());
      ++compared;
    }
  }
  pclose(oracle);
  EXPECT_EQ(compared, lives);
  EXPECT_GT(dates, lives * 15) << "too little of them is looked at";
  RecordProperty("dates", dates);
}

}  // namespace
}  // namespace billd::periods_test
