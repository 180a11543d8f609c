// How often coupons and promotion codes were redeemed: counted exactly, whoever redeems them, and whoever dies
// meanwhile.
//
// The count stands in the catalog and the discount in an account: two places that no write reaches together. So each
// attempt has a mark of its own:
//
//   claim    the limits are checked, the counts grow, and a claim under the mark says that this is not settled yet
//   commit   the account's commit leaves the mark in the account's partition (CommitRequest::mark)
//   settle   the claim goes, and with a commit that was not made the counts go back
//
// A claim whose process died in between is settled by the sweep of any daemon: it holds when the mark is there.
// Otherwise the sweep puts the mark there itself, by which the commit is refused should it still be on its way.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/transition.hpp"
#include "net/async.hpp"
#include "net/redis/client.hpp"
#include "net/store/store.hpp"

namespace billd::store {

/// A redemption that was counted and is not settled.
struct RedemptionClaim {
  Mode mode = Mode::test;
  AccountKey account;
  std::string mark;
  std::vector<std::string> counts;  ///< the names of what was counted
  Timestamp made;                   ///< in real time, by the daemon that made it
};

/// What is known in memory is as the latest claims of this daemon left it; of other daemons' it learns within a second.
/// To be used from the loop's thread.
class Redemptions {
 public:
  /// How old a claim is when the sweep takes its process for dead. Should it live, its commit is refused and decided
  /// anew: nothing is lost.
  static constexpr Milliseconds abandoned_after{30'000};
  /// How long a mark that refuses a commit is kept: no command to Redis is on its way for longer.
  static constexpr Milliseconds refusal_kept{24 * 3'600'000};

  Redemptions(redis::Client& client, Store& store) : client_(client), store_(store) {}

  /// Reads all counts.
  awaitable<Result<void>> load();
  /// Reads them again if they were changed.
  awaitable<Result<void>> refresh();

  /// Counts the redemptions, all or none of them. invalid_parameter, naming the parameter, when one of them has been
  /// redeemed as often as it may be.
  awaitable<Result<RedemptionClaim>> claim(Mode mode, AccountKey account, std::vector<CouponClaim> wanted);
  /// `holds`: the commit was made. What cannot be settled now is left to the sweep.
  awaitable<Result<void>> settle(RedemptionClaim claim, bool holds);
  /// Settles the claims that are older than `age`, of both modes, and forgets marks that nobody needs any more. How
  /// many claims it settled.
  awaitable<Result<std::size_t>> sweep(Milliseconds age = abandoned_after);

  /// Counts begin with what another system counted, unless something was counted already.
  awaitable<Result<void>> begin_with(Mode mode, const Coupon& coupon, std::int64_t times);
  awaitable<Result<void>> begin_with(Mode mode, const PromotionCode& code, std::int64_t times);

  std::int64_t times_redeemed(Mode mode, const Coupon& coupon) const;
  std::int64_t times_redeemed(Mode mode, const PromotionCode& code) const;

 private:
  struct Counts {
    std::map<std::string, std::int64_t, std::less<>> by_name;
    std::int64_t revision = 0;
  };
  Counts& counts(Mode mode) { return counts_[mode == Mode::live ? 1 : 0]; }
  std::int64_t count_of(Mode mode, const std::string& name) const;
  awaitable<Result<void>> begin_with(Mode mode, std::string name, std::int64_t times);
  void note(Mode mode, const std::vector<std::string>& names, const redis::Reply& reply);
  awaitable<Result<void>> load(Mode mode);
  awaitable<Result<bool>> was_committed(const RedemptionClaim& claim);
  awaitable<Result<void>> forget_mark(const RedemptionClaim& claim);
  awaitable<Result<void>> forget_marks(Mode mode);

  redis::Client& client_;
  Store& store_;
  Counts counts_[2];  ///< test, live
};

}  // namespace billd::store
