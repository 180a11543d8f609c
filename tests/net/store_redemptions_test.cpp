// Redemptions of coupons: never more than there may be, whoever redeems them, and whoever dies between the steps.
#include <gmock/gmock.h>

#include "net/store/redemptions.hpp"
#include "tests/net/store_fixture.hpp"

namespace billd::store {
namespace {

using testing::HasSubstr;

constexpr Milliseconds at_once{0};

Coupon coupon_of(std::string id, std::int64_t max) {
  Coupon coupon;
  coupon.id = CouponId(std::move(id));
  coupon.created = day_one;
  coupon.max_redemptions = max;
  return coupon;
}

PromotionCode code_of(std::string id, std::int64_t max) {
  PromotionCode code;
  code.id = PromotionCodeId(std::move(id));
  code.max_redemptions = max;
  return code;
}

class RedemptionsTest : public StoreTest {
 protected:
  RedemptionsTest() : key(account_number(7)) {}

  Redemptions& redemptions() {
    if (!redemptions_) redemptions_.emplace(daemon().client, store());
    return *redemptions_;
  }
  void TearDown() override {
    redemptions_.reset();
    StoreTest::TearDown();
  }

  static std::vector<CouponClaim> wanted(const Coupon& coupon, const std::optional<PromotionCode>& code = {}) {
    CouponClaim claim{coupon.id, coupon.created, coupon.max_redemptions, {}, 0};
    if (code) claim.promotion_code = code->id;
    if (code) claim.promotion_code_max = code->max_redemptions;
    return {claim};
  }
  Result<RedemptionClaim> claim(const Coupon& coupon, const std::optional<PromotionCode>& code = {}) {
    return await(redemptions().claim(Mode::test, key, wanted(coupon, code)));
  }
  bool settle(RedemptionClaim claim, bool holds) {
    return await(redemptions().settle(std::move(claim), holds)).has_value();
  }
  /// The commit of a new customer with the claim's mark.
  CommitStatus commit_with(const RedemptionClaim& claim) {
    Loaded fresh;
    fresh.account.key = key;
    auto request = request_of(fresh, customer_with_card("ann@example.com"), day_one);
    request->mark = claim.mark;
    return await(store().commit(std::move(*request))).value().status;
  }
  std::int64_t sweep() {
    auto swept = await(redemptions().sweep(at_once));
    EXPECT_TRUE(swept) << swept.error().detail;
    return swept ? static_cast<std::int64_t>(*swept) : -1;
  }
  /// As Redis has it, and as it is known in memory: they agree.
  std::int64_t times(const Coupon& coupon) {
    Redemptions fresh(daemon().client, store());
    EXPECT_TRUE(await(fresh.load()));
    EXPECT_EQ(fresh.times_redeemed(Mode::test, coupon), redemptions().times_redeemed(Mode::test, coupon));
    return fresh.times_redeemed(Mode::test, coupon);
  }
  std::size_t marks() { return ask("HLEN", marks_key(prefix_of(key))).integer(); }

  const AccountKey key;

 private:
  std::optional<Redemptions> redemptions_;
};

TEST_F(RedemptionsTest, AreCountedAndRefusedWhenTheyAreUsedUp) {
  const Coupon coupon = coupon_of("TEN", 2);
  auto first = claim(coupon), second = claim(coupon);
  ASSERT_TRUE(first && second);
  const auto third = claim(coupon);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, Errc::invalid_parameter);
  EXPECT_EQ(third.error().parameter, "coupon");
  EXPECT_THAT(third.error().detail, HasSubstr("TEN"));
  EXPECT_TRUE(settle(*first, true));
  EXPECT_TRUE(settle(*second, false));
  EXPECT_EQ(times(coupon), 1);
  EXPECT_TRUE(claim(coupon)) << "what was not made is there again";
  EXPECT_EQ(times(coupon), 2);
  EXPECT_TRUE(claim(coupon_of("ANY", 0))) << "without a limit";
}

TEST_F(RedemptionsTest, OfAPromotionCodeCountForItAndForItsCoupon) {
  const Coupon coupon = coupon_of("TEN", 5);
  const PromotionCode code = code_of("promo_1", 1);
  ASSERT_TRUE(claim(coupon, code));
  const auto second = claim(coupon, code);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().parameter, "promotion_code");
  EXPECT_EQ(times(coupon), 1) << "a refusal counts nothing";
  EXPECT_EQ(redemptions().times_redeemed(Mode::test, code), 1);
}

TEST_F(RedemptionsTest, OfALaterCouponOfTheSameNameBeginAnew) {
  Coupon coupon = coupon_of("TEN", 1);
  ASSERT_TRUE(claim(coupon));
  coupon.created += std::chrono::seconds(1);
  EXPECT_EQ(times(coupon), 0);
  EXPECT_TRUE(claim(coupon));
}

TEST_F(RedemptionsTest, AreApartByMode) {
  const Coupon coupon = coupon_of("TEN", 1);
  ASSERT_TRUE(claim(coupon));
  EXPECT_TRUE(await(redemptions().claim(Mode::live, key, wanted(coupon))));
}

TEST_F(RedemptionsTest, OfADaemonThatDiedBeforeTheCommitAreTakenBack) {
  const Coupon coupon = coupon_of("TEN", 1);
  auto abandoned = claim(coupon);
  ASSERT_TRUE(abandoned);
  auto later = await(redemptions().sweep());
  EXPECT_EQ(*later, 0U) << "it may still be at it";
  EXPECT_EQ(sweep(), 1);
  EXPECT_EQ(times(coupon), 0);
  EXPECT_EQ(commit_with(*abandoned), CommitStatus::given_up) << "and the commit does not come after all";
  EXPECT_EQ(await(store().load(Mode::test, key)).error().code, Errc::not_found);
  EXPECT_TRUE(settle(*abandoned, false));
  EXPECT_EQ(times(coupon), 0) << "it is taken back once";
  EXPECT_EQ(marks(), 1U) << "the refusal stays for a while";
}

TEST_F(RedemptionsTest, OfADaemonThatDiedAfterTheCommitHold) {
  const Coupon coupon = coupon_of("TEN", 1);
  auto abandoned = claim(coupon);
  ASSERT_TRUE(abandoned);
  EXPECT_EQ(commit_with(*abandoned), CommitStatus::committed);
  EXPECT_EQ(sweep(), 1);
  EXPECT_EQ(times(coupon), 1);
  EXPECT_EQ(marks(), 0U);
  EXPECT_EQ(sweep(), 0);
}

TEST_F(RedemptionsTest, OfADaemonThatDiedWhileItSettledLeaveNoMark) {
  const Coupon coupon = coupon_of("TEN", 1);
  auto settled = claim(coupon);
  ASSERT_TRUE(settled);
  EXPECT_EQ(commit_with(*settled), CommitStatus::committed);
  ask("HDEL", claims_key(Mode::test), settled->mark);  // It died before the mark was taken away.
  EXPECT_EQ(marks(), 1U);
  EXPECT_EQ(sweep(), 0);
  EXPECT_EQ(marks(), 0U);
  EXPECT_EQ(times(coupon), 1);
}

TEST_F(RedemptionsTest, ThatAreSettledWhileTheSweepLooksAreSettledOnce) {
  const Coupon coupon = coupon_of("TEN", 1);
  auto mine = claim(coupon);
  ASSERT_TRUE(mine);
  EXPECT_EQ(commit_with(*mine), CommitStatus::committed);
  EXPECT_TRUE(settle(*mine, true));
  // The sweep had read the claim before: it finds no mark, and nothing to take back.
  EXPECT_TRUE(settle(*mine, false));
  EXPECT_EQ(times(coupon), 1);
}

TEST_F(RedemptionsTest, OfManyDaemonsAtOnceAreNeverTooMany) {
  const Coupon coupon = coupon_of("TEN", 17);
  Redemptions theirs(start_daemon().client, store());
  int made = 0, refused = 0, ended = 0;
  constexpr int each = 60;
  auto redeem = [&](Redemptions& by, std::uint64_t number) -> awaitable<> {
    auto claimed = co_await by.claim(Mode::test, account_number(number), wanted(coupon));
    if (claimed) {
      // Every fifth commit is not made.
      const bool holds = number % 5 != 0;
      auto settled = co_await by.settle(std::move(*claimed), holds);
      if (settled && holds) ++made;
    } else if (claimed.error().code == Errc::invalid_parameter) {
      ++refused;
    }
    ++ended;
  };
  Tasks tasks(loop.get_executor());
  for (int number = 0; number < each; ++number) {
    tasks.spawn("mine", redeem(redemptions(), static_cast<std::uint64_t>(number)));
    tasks.spawn("theirs", redeem(theirs, static_cast<std::uint64_t>(1000 + number)));
  }
  ASSERT_TRUE(run_until(loop, [&] { return ended == 2 * each; }));
  EXPECT_LE(made, 17);
  EXPECT_GT(refused, 0);
  ASSERT_TRUE(await(redemptions().refresh()));
  EXPECT_EQ(times(coupon), made);
  EXPECT_EQ(ask("HLEN", claims_key(Mode::test)).integer(), 0);
  while (claim(coupon)) ++made;
  EXPECT_EQ(made, 17) << "and as many as there may be";
}

}  // namespace
}  // namespace billd::store
