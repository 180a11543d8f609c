// Customers by their numbers, and by any combination of what they are searched by.
//
// The cost of a search, with P partitions and n customers that meet its rarest criterion:
//   no criterion or one   2 round trips of P commands, O(log n) each; beyond the first few hundred some 10 more to find
//                         the offset, however large it is
//   several               2 round trips for each P x 256 customers of the rarest criterion, until the page is full
#include <algorithm>

#include "net/store/functions.hpp"
#include "net/store/keys.hpp"
#include "net/store/numbers.hpp"
#include "net/store/store.hpp"
#include "net/store/unique.hpp"

namespace billd::store {
namespace {

/// Numbers drawn at one time for a partition: so few are lost with a daemon, and a thousand customers cost few calls.
constexpr std::uint64_t drawn_at_once = 32;
/// Drawing again is harmless: numbers are lost.
constexpr int drawing_tries_max = 3;

/// Places before a page that are read along rather than searched for.
constexpr std::uint64_t skipped_max = 256;
/// Members of one partition that are looked at in one round.
constexpr std::size_t examined_at_once = 256;

struct Numbered {
  std::uint64_t number = 0;
  std::string account;
};

std::vector<Numbered> numbered(redis::Reply reply) {
  std::vector<Numbered> members;
  std::vector<redis::Reply> elements = reply.take_elements();
  members.reserve(elements.size() / 2);
  for (std::size_t i = 0; i + 1 < elements.size(); i += 2)
    members.push_back({static_cast<std::uint64_t>(parse_score(elements[i + 1].text())), elements[i].take_text()});
  return members;
}

/// "(17": behind 17.
std::string behind(std::uint64_t number) { return "(" + std::to_string(number); }

}  // namespace

Store::Numbers& Store::numbers(Mode mode, std::uint32_t partition) {
  while (numbers_.size() < std::size_t{partitions_} * 2) numbers_.push_back(std::make_unique<Numbers>(executor_));
  return *numbers_[std::size_t{partition} * 2 + (mode == Mode::live ? 1 : 0)];
}

awaitable<Result<void>> Store::refill(Numbers& numbers, Mode mode, std::uint32_t partition) {
  struct Drawing {
    explicit Drawing(Numbers& of) : numbers(of) { numbers.is_drawing = true; }
    ~Drawing() {
      numbers.is_drawing = false;
      numbers.drawn.cancel();
    }
    Numbers& numbers;
  };
  const Drawing drawing(numbers);
  Result<redis::Reply> last = Failure{Errc::unavailable, "no number was drawn"};
  for (int attempt = 0; attempt < drawing_tries_max && !last; ++attempt) {
    redis::Command command("FCALL", function_name("draw_numbers"), 1, drawn_numbers_key(prefix(mode, partition)),
                           drawn_at_once);
    last = co_await call_function(lane(partition), std::move(command));
    if (!last && last.error().code != Errc::outcome_unknown) co_return last.error();
  }
  if (!last) co_return Failure{Errc::unavailable, last.error().detail};
  // Whoever gives a customer a number for a code takes the code first and looks at what is drawn then: of the two, one
  // sees the other.
  const auto end = static_cast<std::uint64_t>(last->integer());
  std::vector<std::uint64_t> drawn;
  std::vector<redis::Command> commands;
  for (std::uint64_t sequence = end; sequence > end - drawn_at_once; --sequence) {
    drawn.push_back(sequence * partitions_ + partition);
    const Unique code{UniqueKind::code, std::to_string(drawn.back())};
    commands.emplace_back("EXISTS", unique_key(prefix(mode, partition_of(code)), to_text(code.kind), code.value));
  }
  auto taken = co_await execute_all(client_, std::move(commands));
  if (!taken) co_return taken.error();
  std::vector<std::uint64_t> free;
  for (std::size_t i = 0; i < drawn.size(); ++i)
    if ((*taken)[i].integer() == 0) free.push_back(drawn[i]);
  numbers.free.insert(numbers.free.begin(), free.begin(), free.end());
  co_return Result<void>();
}

awaitable<Result<std::uint64_t>> Store::draw_number(Mode mode, AccountKey key) {
  const std::uint32_t partition = partition_of(key);
  Numbers& numbers = this->numbers(mode, partition);
  while (numbers.free.empty()) {
    if (numbers.is_drawing) {
      [[maybe_unused]] auto [ended] = co_await numbers.drawn.async_wait(nothrow);
      continue;
    }
    auto refilled = co_await refill(numbers, mode, partition);
    if (!refilled) co_return refilled.error();
  }
  const std::uint64_t number = numbers.free.back();
  numbers.free.pop_back();
  co_return number;
}

awaitable<Result<AccountKey>> Store::find_by_number(Mode mode, std::uint64_t number) {
  const Failure unknown{Errc::not_found, "no customer has the number " + std::to_string(number)};
  const auto partition = static_cast<std::uint32_t>(number % partitions_);
  const std::string text = std::to_string(number);
  redis::Command command("ZRANGEBYSCORE", index_key(prefix(mode, partition), Index::numbers), text, text);
  auto reply = co_await lane(partition).execute(std::move(command));
  if (!reply) co_return reply.error();
  // Scores are exact up to 2^53 only.
  constexpr std::uint64_t number_max = std::uint64_t{1} << 53;
  if (reply->elements().empty() || number >= number_max) co_return unknown;
  const auto key = AccountKey::parse(reply->elements().front().text());
  if (!key) co_return Failure{Errc::corrupt, "the index of numbers holds no account at " + text};
  co_return *key;
}

awaitable<Result<bool>> Store::is_number_drawn(Mode mode, std::uint64_t number) {
  const auto partition = static_cast<std::uint32_t>(number % partitions_);
  redis::Command command("GET", drawn_numbers_key(prefix(mode, partition)));
  auto reply = co_await lane(partition).execute(std::move(command));
  if (!reply) co_return reply.error();
  const std::uint64_t drawn = reply->is_nil() ? 0 : parse_count(reply->text()).value_or(0);
  co_return number / partitions_ <= drawn;
}

/// One search: the sets of its criteria, each in the order of numbers, one for each partition.
class Store::Search {
 public:
  Search(Store& store, Mode mode, std::vector<Criterion> criteria)
      : store_(store), mode_(mode), criteria_(std::move(criteria)) {
    if (criteria_.empty()) criteria_.push_back({Index::numbers, {}});
  }

  awaitable<Result<std::vector<AccountKey>>> run(std::uint64_t offset, std::size_t limit) {
    auto rarest = co_await find_rarest();
    if (!rarest) co_return rarest.error();
    Result<std::vector<Numbered>> found = std::vector<Numbered>();
    if (*rarest > offset && limit > 0) {
      if (criteria_.size() == 1)
        found = co_await read_page(offset, limit);
      else
        found = co_await walk(offset, limit);
    }
    if (!found) co_return found.error();
    std::vector<AccountKey> keys;
    keys.reserve(found->size());
    for (const Numbered& each : *found)
      if (auto key = AccountKey::parse(each.account)) keys.push_back(std::move(*key));
    co_return keys;
  }

 private:
  using Replies = std::vector<redis::Reply>;

  std::string set(std::size_t criterion, std::uint32_t partition) const {
    const Criterion& of = criteria_[criterion];
    return index_key(prefix(mode_, partition), of.index, of.value);
  }
  std::uint32_t partitions() const { return store_.partitions_; }

  awaitable<Result<Replies>> ask(std::vector<redis::Command> commands) {
    return store_.execute_all(store_.client_, std::move(commands));
  }

  /// Puts the rarest criterion first; how many meet it.
  awaitable<Result<std::uint64_t>> find_rarest() {
    std::vector<redis::Command> commands;
    for (std::size_t criterion = 0; criterion < criteria_.size(); ++criterion)
      for (std::uint32_t partition = 0; partition < partitions(); ++partition)
        commands.emplace_back("ZCARD", set(criterion, partition));
    auto replies = co_await ask(std::move(commands));
    if (!replies) co_return replies.error();
    std::vector<std::uint64_t> sizes(criteria_.size());
    for (std::size_t i = 0; i < replies->size(); ++i)
      sizes[i / partitions()] += static_cast<std::uint64_t>((*replies)[i].integer());
    const auto least = std::ranges::min_element(sizes);
    std::swap(criteria_.front(), criteria_[static_cast<std::size_t>(least - sizes.begin())]);
    co_return *least;
  }

  /// How many of the first criterion's customers have a lower number.
  awaitable<Result<std::uint64_t>> count_below(std::uint64_t number) {
    std::vector<redis::Command> commands;
    for (std::uint32_t partition = 0; partition < partitions(); ++partition)
      commands.emplace_back("ZCOUNT", set(0, partition), "-inf", behind(number));
    auto replies = co_await ask(std::move(commands));
    if (!replies) co_return replies.error();
    std::uint64_t count = 0;
    for (const redis::Reply& reply : *replies) count += static_cast<std::uint64_t>(reply.integer());
    co_return count;
  }

  awaitable<Result<std::uint64_t>> highest_number() {
    std::vector<redis::Command> commands;
    for (std::uint32_t partition = 0; partition < partitions(); ++partition)
      commands.emplace_back("ZREVRANGE", set(0, partition), 0, 0, "WITHSCORES");
    auto replies = co_await ask(std::move(commands));
    if (!replies) co_return replies.error();
    std::uint64_t highest = 0;
    for (redis::Reply& reply : *replies)
      for (const Numbered& last : numbered(std::move(reply))) highest = std::max(highest, last.number);
    co_return highest;
  }

  /// Those that meet the only criterion: the place of the page is found by counting what is below a number.
  awaitable<Result<std::vector<Numbered>>> read_page(std::uint64_t offset, std::size_t limit) {
    std::uint64_t from = 0, below = 0;
    if (offset > skipped_max) {
      auto highest = co_await highest_number();
      if (!highest) co_return highest.error();
      for (std::uint64_t until = *highest; offset - below > skipped_max && until > from;) {
        const std::uint64_t middle = from + (until - from + 1) / 2;
        auto count = co_await count_below(middle);
        if (!count) co_return count.error();
        if (*count <= offset) {
          from = middle;
          below = *count;
        } else {
          until = middle - 1;
        }
      }
    }
    const std::uint64_t skipped = offset - below;
    std::vector<redis::Command> commands;
    for (std::uint32_t partition = 0; partition < partitions(); ++partition)
      commands.emplace_back("ZRANGEBYSCORE", set(0, partition), from, "+inf", "WITHSCORES", "LIMIT", 0,
                            skipped + limit);
    auto replies = co_await ask(std::move(commands));
    if (!replies) co_return replies.error();
    std::vector<Numbered> found;
    for (redis::Reply& reply : *replies)
      for (Numbered& each : numbered(std::move(reply))) found.push_back(std::move(each));
    std::ranges::sort(found, {}, &Numbered::number);
    cut(found, skipped, limit);
    co_return found;
  }

  /// Goes through those that meet the rarest criterion and keeps who meets the others, too.
  awaitable<Result<std::vector<Numbered>>> walk(std::uint64_t offset, std::size_t limit) {
    std::vector<Numbered> found;
    std::vector<std::string> next(partitions(), "-inf");  // where each partition goes on; empty: it is at its end
    while (found.size() < offset + limit) {
      auto examined = co_await examine(next);
      if (!examined) co_return examined.error();
      for (Numbered& each : *examined) found.push_back(std::move(each));
      if (std::ranges::all_of(next, &std::string::empty)) break;
    }
    cut(found, offset, limit);
    co_return found;
  }

  /// The next ones that meet all criteria, in the order of numbers.
  awaitable<Result<std::vector<Numbered>>> examine(std::vector<std::string>& next) {
    std::vector<std::uint32_t> asked;
    std::vector<redis::Command> commands;
    for (std::uint32_t partition = 0; partition < partitions(); ++partition) {
      if (next[partition].empty()) continue;
      asked.push_back(partition);
      commands.emplace_back("ZRANGEBYSCORE", set(0, partition), next[partition], "+inf", "WITHSCORES", "LIMIT", 0,
                            examined_at_once);
    }
    auto replies = co_await ask(std::move(commands));
    if (!replies) co_return replies.error();
    // What is beyond the end of a partition that goes on waits for the next round, so that the order holds.
    std::vector<std::vector<Numbered>> candidates;
    std::uint64_t horizon = std::numeric_limits<std::uint64_t>::max();
    for (redis::Reply& reply : *replies) {
      candidates.push_back(numbered(std::move(reply)));
      if (candidates.back().size() == examined_at_once) horizon = std::min(horizon, candidates.back().back().number);
    }
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const bool is_at_end = candidates[i].size() < examined_at_once;
      const auto beyond = std::ranges::upper_bound(candidates[i], horizon, {}, &Numbered::number);
      const bool is_complete = is_at_end && beyond == candidates[i].end();
      next[asked[i]] = is_complete ? std::string() : behind(horizon);
      candidates[i].erase(beyond, candidates[i].end());
    }
    co_return co_await meeting_all(asked, std::move(candidates));
  }

  awaitable<Result<std::vector<Numbered>>> meeting_all(const std::vector<std::uint32_t>& asked,
                                                       std::vector<std::vector<Numbered>> candidates) {
    std::vector<redis::Command> commands;
    for (std::size_t i = 0; i < asked.size(); ++i) {
      if (candidates[i].empty()) continue;
      for (std::size_t criterion = 1; criterion < criteria_.size(); ++criterion) {
        redis::Command& command = commands.emplace_back("ZMSCORE", set(criterion, asked[i]));
        for (const Numbered& candidate : candidates[i]) command.add(candidate.account);
      }
    }
    auto replies = co_await ask(std::move(commands));
    if (!replies) co_return replies.error();
    std::vector<Numbered> found;
    auto reply = replies->begin();
    for (std::vector<Numbered>& of_partition : candidates) {
      if (of_partition.empty()) continue;
      std::vector<bool> meets(of_partition.size(), true);
      for (std::size_t criterion = 1; criterion < criteria_.size(); ++criterion, ++reply)
        for (std::size_t i = 0; i < meets.size(); ++i)
          if (reply->elements().at(i).is_nil()) meets[i] = false;
      for (std::size_t i = 0; i < meets.size(); ++i)
        if (meets[i]) found.push_back(std::move(of_partition[i]));
    }
    std::ranges::sort(found, {}, &Numbered::number);
    co_return found;
  }

  static void cut(std::vector<Numbered>& found, std::uint64_t offset, std::size_t limit) {
    const std::size_t skipped = std::min<std::uint64_t>(offset, found.size());
    found.erase(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(skipped));
    if (found.size() > limit) found.resize(limit);
  }

  Store& store_;
  Mode mode_;
  std::vector<Criterion> criteria_;
};

awaitable<Result<std::vector<AccountKey>>> Store::search(Mode mode, std::vector<Criterion> criteria,
                                                         std::uint64_t offset, std::size_t limit) {
  Search search(*this, mode, std::move(criteria));
  co_return co_await search.run(offset, limit);
}

}  // namespace billd::store
