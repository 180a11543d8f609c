#include "net/store/redemptions.hpp"

#include <spdlog/spdlog.h>

#include <charconv>
#include <span>

#include "config/keys.hpp"
#include "net/store/functions.hpp"
#include "net/store/keys.hpp"
#include "net/store/lengthy.hpp"
#include "net/store/numbers.hpp"

namespace billd::store {
namespace {

/// Grows with every change of a mode's counts.
constexpr std::string_view revision_name = "revision";

/// What a mark says whose commit was made; any other refuses it.
constexpr std::string_view committed_mark = "c";

/// Whatever a test's clock says: what is under way is as old as it is.
Timestamp real_time() { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); }

std::string name_of(const CouponId& coupon, Timestamp created) {
  return "c:" + std::to_string(created.time_since_epoch().count()) + ":" + coupon.value();
}

std::string name_of(const PromotionCodeId& code) { return "p:" + code.value(); }

std::string new_mark() {
  std::uint64_t random[2] = {};
  secure_random(std::as_writable_bytes(std::span(random)));
  return base62(random[0], 11) + base62(random[1], 11);
}

std::string encode(const RedemptionClaim& claim) {
  std::string text = lengthy(claim.account.value()) + lengthy(std::to_string(claim.made.time_since_epoch().count()));
  for (const std::string& name : claim.counts) text += lengthy(name);
  return text;
}

std::optional<RedemptionClaim> decode(Mode mode, std::string mark, std::string_view text) {
  std::vector<std::string> parts = parse_lengthy(text);
  if (parts.size() < 3) return std::nullopt;
  auto account = AccountKey::parse(parts[0]);
  std::int64_t made = 0;
  const auto [end, error] = std::from_chars(parts[1].data(), parts[1].data() + parts[1].size(), made);
  if (!account || error != std::errc() || end != parts[1].data() + parts[1].size()) return std::nullopt;
  RedemptionClaim claim;
  claim.mode = mode;
  claim.account = std::move(*account);
  claim.mark = std::move(mark);
  claim.made = Timestamp(Duration(made));
  claim.counts.assign(std::make_move_iterator(parts.begin() + 2), std::make_move_iterator(parts.end()));
  return claim;
}

Failure used_up(const CouponClaim& claim, bool is_code) {
  if (is_code)
    return {Errc::invalid_parameter,
            "This promotion code has been redeemed as often as it may be: " + claim.promotion_code.value(),
            "promotion_code"};
  return {Errc::invalid_parameter, "This coupon has been redeemed as often as it may be: " + claim.coupon.value(),
          "coupon"};
}

/// When the commit of the mark was given up; empty: it was made.
std::optional<Timestamp> given_up_at(std::string_view mark) {
  if (!mark.starts_with('x')) return std::nullopt;
  return Timestamp(Duration(parse_score(mark.substr(1))));
}

}  // namespace

std::int64_t Redemptions::count_of(Mode mode, const std::string& name) const {
  const auto& by_name = counts_[mode == Mode::live ? 1 : 0].by_name;
  const auto found = by_name.find(name);
  return found == by_name.end() ? 0 : found->second;
}

std::int64_t Redemptions::times_redeemed(Mode mode, const Coupon& coupon) const {
  return count_of(mode, name_of(coupon.id, coupon.created));
}

std::int64_t Redemptions::times_redeemed(Mode mode, const PromotionCode& code) const {
  return count_of(mode, name_of(code.id));
}

awaitable<Result<void>> Redemptions::begin_with(Mode mode, const Coupon& coupon, std::int64_t times) {
  return begin_with(mode, name_of(coupon.id, coupon.created), times);
}

awaitable<Result<void>> Redemptions::begin_with(Mode mode, const PromotionCode& code, std::int64_t times) {
  return begin_with(mode, name_of(code.id), times);
}

awaitable<Result<void>> Redemptions::begin_with(Mode mode, std::string name, std::int64_t times) {
  std::vector<redis::Command> commands;
  commands.emplace_back("HSETNX", redemptions_key(mode), std::move(name), times);
  commands.emplace_back("HINCRBY", redemptions_key(mode), revision_name, 1);
  auto replies = co_await client_.execute_all(std::move(commands));
  for (const auto& reply : replies)
    if (!reply) co_return reply.error();
  co_return Result<void>();
}

awaitable<Result<void>> Redemptions::load() {
  for (const Mode mode : modes) {
    auto loaded = co_await load(mode);
    if (!loaded) co_return loaded;
  }
  co_return Result<void>();
}

awaitable<Result<void>> Redemptions::load(Mode mode) {
  redis::Command command("HGETALL", redemptions_key(mode));
  auto reply = co_await client_.execute(std::move(command));
  if (!reply) co_return reply.error();
  Counts fresh;
  const std::vector<redis::Reply>& elements = reply->elements();
  for (std::size_t i = 0; i + 1 < elements.size(); i += 2) {
    const std::int64_t number = parse_score(elements[i + 1].text());
    if (elements[i].text() == revision_name)
      fresh.revision = number;
    else
      fresh.by_name.emplace(elements[i].text(), number);
  }
  counts(mode) = std::move(fresh);
  co_return Result<void>();
}

awaitable<Result<void>> Redemptions::refresh() {
  for (const Mode mode : modes) {
    redis::Command command("HGET", redemptions_key(mode), revision_name);
    auto reply = co_await client_.execute(std::move(command));
    if (!reply) co_return reply.error();
    const std::int64_t revision = reply->is_nil() ? 0 : parse_score(reply->text());
    if (revision == counts(mode).revision) continue;
    auto loaded = co_await load(mode);
    if (!loaded) co_return loaded;
  }
  co_return Result<void>();
}

/// Takes over what a function answered: the revision, then the counts of these names.
void Redemptions::note(Mode mode, const std::vector<std::string>& names, const redis::Reply& reply) {
  const std::vector<redis::Reply>& elements = reply.elements();
  if (elements.size() != names.size() + 1) return;
  Counts& known = counts(mode);
  for (std::size_t i = 0; i < names.size(); ++i) known.by_name[names[i]] = elements[i + 1].integer();
  // When it was not the next change, refresh() reads what is missing.
  if (elements.front().integer() == known.revision + 1) known.revision += 1;
}

awaitable<Result<RedemptionClaim>> Redemptions::claim(Mode mode, AccountKey account, std::vector<CouponClaim> wanted) {
  RedemptionClaim claim;
  claim.mode = mode;
  claim.account = std::move(account);
  claim.mark = new_mark();
  claim.made = real_time();
  std::vector<std::int64_t> limits;
  for (const CouponClaim& each : wanted) {
    claim.counts.push_back(name_of(each.coupon, each.coupon_created));
    limits.push_back(each.coupon_max);
    if (each.promotion_code.is_empty()) continue;
    claim.counts.push_back(name_of(each.promotion_code));
    limits.push_back(each.promotion_code_max);
  }
  redis::Command command("FCALL", function_name("claim_redemption"), 2, redemptions_key(mode), claims_key(mode),
                         claim.mark, encode(claim));
  for (std::size_t i = 0; i < claim.counts.size(); ++i) command.add(claim.counts[i]).add(limits[i]);
  auto reply = co_await call_function(client_, std::move(command));
  if (!reply) co_return reply.error();
  if (reply->is_integer()) {
    std::int64_t place = reply->integer();
    for (const CouponClaim& each : wanted) {
      if (place == 1) co_return used_up(each, false);
      --place;
      if (each.promotion_code.is_empty()) continue;
      if (place == 1) co_return used_up(each, true);
      --place;
    }
    co_return Failure{Errc::internal, "the redemption function gave an unexpected answer"};
  }
  note(mode, claim.counts, *reply);
  co_return claim;
}

awaitable<Result<void>> Redemptions::settle(RedemptionClaim claim, bool holds) {
  redis::Command command("FCALL", function_name("settle_redemption"), 2, redemptions_key(claim.mode),
                         claims_key(claim.mode), claim.mark, holds ? "1" : "0");
  for (const std::string& name : claim.counts) command.add(name);
  auto reply = co_await call_function(client_, std::move(command));
  if (!reply) co_return reply.error();
  if (reply->is_array()) note(claim.mode, claim.counts, *reply);
  if (!holds) co_return Result<void>();
  co_return co_await forget_mark(claim);
}

awaitable<Result<std::size_t>> Redemptions::sweep(Milliseconds age) {
  std::size_t settled = 0;
  for (const Mode mode : modes) {
    redis::Command command("HGETALL", claims_key(mode));
    auto reply = co_await client_.execute(std::move(command));
    if (!reply) co_return reply.error();
    std::vector<redis::Reply> elements = reply->take_elements();
    for (std::size_t i = 0; i + 1 < elements.size(); i += 2) {
      auto claim = decode(mode, elements[i].take_text(), elements[i + 1].text());
      if (!claim) co_return Failure{Errc::corrupt, claims_key(mode) + " holds no claim"};
      if (claim->made + age > real_time()) continue;
      auto committed = co_await was_committed(*claim);
      if (!committed) co_return committed.error();
      spdlog::info("a redemption of account {} that was interrupted is settled: it was {}", claim->account.value(),
                   *committed ? "made" : "not made");
      auto done = co_await settle(std::move(*claim), *committed);
      if (!done) co_return done.error();
      ++settled;
    }
    auto forgotten = co_await forget_marks(mode);
    if (!forgotten) co_return forgotten.error();
  }
  co_return settled;
}

/// What the mark of the claim's commit says. A commit that was not made never will be.
awaitable<Result<bool>> Redemptions::was_committed(const RedemptionClaim& claim) {
  const std::uint32_t partition = store_.partition_of(claim.account);
  redis::Command command("FCALL", function_name("give_up_mark"), 1, marks_key(prefix(claim.mode, partition)),
                         claim.mark, real_time().time_since_epoch().count());
  auto reply = co_await call_function(store_.lane(partition), std::move(command));
  if (!reply) co_return reply.error();
  co_return reply->text() == committed_mark;
}

awaitable<Result<void>> Redemptions::forget_mark(const RedemptionClaim& claim) {
  const std::uint32_t partition = store_.partition_of(claim.account);
  redis::Command command("HDEL", marks_key(prefix(claim.mode, partition)), claim.mark);
  auto reply = co_await store_.lane(partition).execute(std::move(command));
  if (!reply) co_return reply.error();
  co_return Result<void>();
}

/// Marks whose claim is settled, and those that have refused a commit for long enough.
awaitable<Result<void>> Redemptions::forget_marks(Mode mode) {
  for (std::uint32_t partition = 0; partition < store_.partitions(); ++partition) {
    const std::string key = marks_key(prefix(mode, partition));
    redis::Command read("HGETALL", key);
    auto marks = co_await store_.lane(partition).execute(std::move(read));
    if (!marks) co_return marks.error();
    const std::vector<redis::Reply>& elements = marks->elements();
    for (std::size_t i = 0; i + 1 < elements.size(); i += 2) {
      const auto given_up = given_up_at(elements[i + 1].text());
      bool is_needed = given_up && *given_up + refusal_kept > real_time();
      if (!given_up) {
        // The claim was there before the mark: when it is gone now, it is settled.
        redis::Command look("HEXISTS", claims_key(mode), elements[i].text());
        auto claimed = co_await client_.execute(std::move(look));
        if (!claimed) co_return claimed.error();
        is_needed = claimed->integer() == 1;
      }
      if (is_needed) continue;
      redis::Command remove("HDEL", key, elements[i].text());
      auto removed = co_await store_.lane(partition).execute(std::move(remove));
      if (!removed) co_return removed.error();
    }
  }
  co_return Result<void>();
}

}  // namespace billd::store
