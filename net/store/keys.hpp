// The names of all keys in Redis. Everything of a partition carries its tag, so that one commit meets one cluster slot.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/account.hpp"
#include "engine/decide.hpp"
#include "net/store/footprint.hpp"

namespace billd::store {

constexpr std::array modes = {Mode::test, Mode::live};

// {p7}:lease                        hash: owner, incarnation, epoch, heartbeat
// {p7}:commits                      count of calls that committed something
// t:{p7}:a:<account>                the account (l: instead of t: in live mode)
// t:{p7}:d:<account>                hash: its records, by short identifier, and the parts that they share
// t:{p7}:x:<index>[:<qualifier>]    sorted set: an index
// t:{p7}:q:<queue>                  sorted set: accounts by due time in microseconds
// t:{p7}:c:<test clock>             sorted set: accounts of a test clock by due time, all queues together
// t:{p7}:e                          stream: events
// t:{p7}:p                          hash: parked accounts, and how and why
// t:{p7}:p:<queue>                  sorted set: parked accounts of a queue by the time of their parking
// t:{p7}:pg                         hash: groups of parked accounts by queue and reason
// t:{p7}:w                          hash: where deliveries stand, by endpoint, and by endpoint and account
// t:{p7}:wr                         hash: deliveries that are to be made again
// t:{p7}:wg                         stream: deliveries that were given up
// t:{p7}:i:<hash>                   an idempotency key's claim
// t:{p7}:r:<hash>                   an idempotency key's answer
// t:{p7}:h:<token>                  a payment source that is no customer's yet
// t:{p7}:ho:<token>                 whose it has become
// t:{p7}:m                          hash: marks of commits that redeem a coupon, see redemptions.hpp
// t:{p7}:hs                         sorted set: SetupIntents by creation in microseconds; some may be kept no longer
// t:{p7}:fa                         hash: what other systems call the objects of adopted accounts, by account
// t:{p7}:fk:<number>                hash: adopted accounts by what other systems call their objects; one of many
// t:{p7}:n                          count: numbers of customers drawn so far
// t:{p7}:u:<kind>:<value>           who holds a value that only one customer may have
// t:{p7}:g:<charge>                 the built-in test gateway's ledger
// {catalog}:dataset                 hash: id, partitions
// {catalog}:version, {catalog}:keys, t:{catalog}:plans, t:{catalog}:clocks, t:{catalog}:staff, t:{catalog}:r:<hash>
// t:{catalog}:rd                    hash: how often coupons and promotion codes were redeemed
// t:{catalog}:rc                    hash: redemptions that are not settled, by their mark
// {catalog}:daemons                 hash: daemon -> heartbeat
// {catalog}:paused                  hash: paused queues, and by whom and why
// {catalog}:audit                   stream: what operators did, each entry with the hash of all before it

std::string partition_tag(std::uint32_t partition);
std::string lease_key(std::uint32_t partition);
std::string commits_key(std::uint32_t partition);

/// The queue that to_text() calls so; empty: there is none.
std::optional<Queue> queue_named(std::string_view name);

/// "t:{p7}:": what the keys of a partition and mode begin with.
std::string prefix(Mode mode, std::uint32_t partition);
std::string account_key(std::string_view prefix, const AccountKey& key);
std::string records_key(std::string_view prefix, const AccountKey& key);
std::string index_key(std::string_view prefix, Index index, std::string_view qualifier = {});
std::string queue_key(std::string_view prefix, Queue queue);
std::string clock_queue_key(std::string_view prefix, const TestClockId& clock);
std::string events_key(std::string_view prefix);
std::string parked_key(std::string_view prefix);
std::string marks_key(std::string_view prefix);
std::string parked_queue_key(std::string_view prefix, Queue queue);
std::string parked_groups_key(std::string_view prefix);
std::string deliveries_key(std::string_view prefix);
std::string replays_key(std::string_view prefix);
std::string given_up_key(std::string_view prefix);
std::string claim_key(std::string_view prefix, std::string_view key_hash);
std::string answer_key(std::string_view prefix, std::string_view key_hash);

std::string aliases_key(std::string_view prefix);
std::string aliased_accounts_key(std::string_view prefix, std::uint64_t number);
std::string drawn_numbers_key(std::string_view prefix);
std::string unique_key(std::string_view prefix, std::string_view kind, std::string_view value);

std::string redemptions_key(Mode mode);
std::string claims_key(Mode mode);

/// The prefix of the catalog's keys in a mode.
std::string catalog_prefix(Mode mode);

inline constexpr std::string_view data_set_key = "{catalog}:dataset";
inline constexpr std::string_view catalog_version_key = "{catalog}:version";
inline constexpr std::string_view api_keys_key = "{catalog}:keys";
inline constexpr std::string_view paused_key = "{catalog}:paused";
inline constexpr std::string_view audit_key = "{catalog}:audit";
inline constexpr std::string_view daemons_key = "{catalog}:daemons";
inline constexpr std::string_view catalog_channel = "billd:catalog";

}  // namespace billd::store
