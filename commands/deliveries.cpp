// Webhooks that wait and webhooks that were given up, and having them delivered again.
#include <boost/json.hpp>
#include <charconv>
#include <cstdio>

#include "commands/commands.hpp"
#include "commands/session.hpp"
#include "jobs/clock.hpp"
#include "jobs/redelivery.hpp"
#include "net/store/deliveries.hpp"
#include "net/store/keys.hpp"

namespace billd::commands {
namespace {

std::string_view mode_name(Mode mode) { return mode == Mode::live ? "live" : "test"; }

std::string customer_of(const AccountKey& key) { return make_id<CustomerKind>(key, 1).value(); }

/// A customer whose deliveries wait, or an event that was given up.
struct Trouble {
  Mode mode = Mode::test;
  std::string endpoint, customer, event, problem;
  std::size_t events = 1;
  std::uint32_t failures = 0;
  std::optional<Timestamp> next_at;  ///< empty: it was given up
  Timestamp failed_at;
};

boost::json::object to_json(const Trouble& trouble) {
  boost::json::object object;
  object["mode"] = mode_name(trouble.mode);
  object["endpoint"] = trouble.endpoint;
  object["customer"] = trouble.customer;
  object["event"] = trouble.event;
  object["events"] = trouble.events;
  object["failures"] = trouble.failures;
  object["problem"] = trouble.problem;
  object["failed_at"] = to_unix(trouble.failed_at);
  object["status"] = trouble.next_at ? "waiting" : "given_up";
  if (trouble.next_at)
    object["next_at"] = to_unix(*trouble.next_at);
  else
    object["next_at"] = nullptr;
  return object;
}

void print(const Trouble& trouble) {
  std::printf("%s %s %s %s, %u failures, %s: %s\n", trouble.endpoint.c_str(), trouble.customer.c_str(),
              trouble.event.c_str(),
              trouble.events > 1 ? ("and " + std::to_string(trouble.events - 1) + " behind it").c_str() : "alone",
              trouble.failures,
              trouble.next_at ? ("again at " + to_text(*trouble.next_at)).c_str()
                              : ("given up at " + to_text(trouble.failed_at)).c_str(),
              trouble.problem.c_str());
}

awaitable<Result<void>> read_partition(store::Store& store, Mode mode, std::uint32_t partition, std::string endpoint,
                                       std::size_t limit, std::vector<Trouble>& troubles) {
  auto deliveries = co_await store::load_deliveries(store, mode, partition);
  if (!deliveries) co_return deliveries.error();
  for (const auto& [id, stored] : *deliveries)
    for (const auto& [key, waiting] : stored.waiting)
      if (endpoint.empty() || id.value() == endpoint)
        troubles.push_back({mode, id.value(), customer_of(key), waiting.events.front().id().value(), waiting.problem,
                            waiting.events.size(), waiting.failures, waiting.next_at, waiting.failed_at});
  auto given_up = co_await store::given_up_deliveries(store, mode, partition, limit);
  if (!given_up) co_return given_up.error();
  for (const store::GivenUp& each : *given_up)
    if (endpoint.empty() || each.endpoint.value() == endpoint)
      troubles.push_back({mode, each.endpoint.value(), customer_of(each.key), each.event.id().value(), each.problem, 1,
                          each.failures, std::nullopt, each.at});
  co_return Result<void>();
}

awaitable<Result<int>> list(Session& session, DeliveriesOptions options) {
  std::vector<Trouble> troubles;
  for (Mode mode : store::modes)
    for (std::uint32_t partition = 0; partition < session.store().partitions(); ++partition) {
      auto read = co_await read_partition(session.store(), mode, partition, options.endpoint, options.limit, troubles);
      if (!read) co_return read.error();
    }
  std::ranges::sort(troubles, std::greater(), &Trouble::failed_at);
  const std::size_t left_out = troubles.size() > options.limit ? troubles.size() - options.limit : 0;
  troubles.resize(troubles.size() - left_out);
  if (options.json) {
    boost::json::array array;
    for (const Trouble& trouble : troubles) array.push_back(to_json(trouble));
    std::printf("%s\n", boost::json::serialize(array).c_str());
    co_return 0;
  }
  for (const Trouble& trouble : troubles) print(trouble);
  if (troubles.empty()) std::printf("No delivery waits, and none was given up.\n");
  if (left_out > 0) std::printf("%zu more are left out; see --limit.\n", left_out);
  co_return 0;
}

/// "1795262400", or hours and the like before now: "3h".
Result<Timestamp> parse_moment(const std::string& text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error == std::errc() && end == text.data() + text.size() && seconds >= 0) return from_unix(seconds);
  if (const auto before = parse_duration(text)) return jobs::system_now() - *before;
  return Failure{Errc::invalid_parameter,
                 "--since takes seconds of Unix time, or how long ago, such as 3h; got \"" + text + "\""};
}

awaitable<Result<int>> retry(Session& session, DeliveriesOptions options) {
  if (options.event.empty() == options.since.empty())
    co_return Failure{Errc::invalid_parameter, "name either --event or --since"};
  jobs::Redelivery wanted;
  wanted.endpoint = options.endpoint;
  wanted.event = options.event;
  if (!options.since.empty()) {
    const auto moment = parse_moment(options.since);
    if (!moment) co_return moment.error();
    wanted.since = *moment;
  }
  auto plan = co_await jobs::plan_redelivery(session.store(), session.catalog(), std::move(wanted));
  if (!plan) co_return plan.error();
  const std::string told = plan->text;
  auto requested = co_await jobs::request_redelivery(session.store(), std::move(*plan));
  if (!requested) co_return requested.error();
  std::printf("Delivered again: %s.\n", told.c_str());
  co_return 0;
}

}  // namespace

int list_deliveries(const Settings& settings, const DeliveriesOptions& options) {
  return run_with_session(settings, [&](Session& session) { return list(session, options); });
}

int retry_deliveries(const Settings& settings, const DeliveriesOptions& options) {
  return run_with_session(settings, [&](Session& session) { return retry(session, options); });
}

}  // namespace billd::commands
