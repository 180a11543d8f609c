// Operations on test clocks: customers whose time stands still until it is advanced.
//
// Stripe advances by at most two intervals of the shortest subscription. billd works time off one period after the
// other anyway, so that it goes as far as end_of_time at once.
#include <algorithm>

#include "net/api/random_id.hpp"
#include "net/api/stripe/catalog_answers.hpp"
#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/operations.hpp"

namespace billd::api::stripe {
namespace {

/// Source: https://stripe.com/docs/billing/testing/test-clocks.
constexpr auto kept_for = std::chrono::days(30);

constexpr std::array create_table = {
    timestamp("frozen_time").required(),
    text("name", 300),
    list("expand"),
};
constexpr std::array retrieve_table = {list("expand")};
constexpr std::array advance_table = {
    timestamp("frozen_time").required(),
    list("expand"),
};
constexpr std::array<Rule, 0> delete_table = {};
constexpr std::array list_table = page_rules;

Failure live_mode() {
  return {Errc::invalid_parameter, "Test clocks are for test mode only: use a key that begins with sk_test_."};
}

awaitable<Result<TestClock>> find_clock(Services& services, const Call& call) {
  if (call.is_live()) co_return live_mode();
  const std::string& id = call.variable("test_clock");
  auto clock = co_await services.catalog.find<TestClock>(Mode::test, id);
  if (clock) co_return **clock;
  if (clock.error().code == Errc::not_found) co_return no_such("test clock", id);
  co_return clock.error();
}

awaitable<Result<Outcome>> show_clock(Services& services, const Call& call, TestClock clock) {
  Reply reply(services, call);
  co_return co_await reply.answer(reply.present.test_clock(clock));
}

Shown show_nothing(Presenter&, const Transition&) { return Answer(); }

/// The clock's customers go with it, and their subscriptions with them.
awaitable<Result<void>> delete_customers(Services& services, const Call& call, TestClockId clock) {
  auto keys = co_await services.store.test_clock_accounts(clock);
  if (!keys) co_return keys.error();
  for (const AccountKey& key : *keys) {
    Task task{.account = key, .command = DeleteCustomer{}, .show = show_nothing};
    auto deleted = co_await carry_out_step(services, call, std::move(task));
    // Deleted already, by an earlier try or by hand.
    if (!deleted && deleted.error().code != Errc::not_found) co_return deleted.error();
  }
  co_return Result<void>();
}

}  // namespace

constinit const std::span<const Rule> create_test_clock_rules = create_table;
constinit const std::span<const Rule> retrieve_test_clock_rules = retrieve_table;
constinit const std::span<const Rule> advance_test_clock_rules = advance_table;
constinit const std::span<const Rule> delete_test_clock_rules = delete_table;
constinit const std::span<const Rule> list_test_clocks_rules = list_table;

awaitable<Result<Outcome>> create_test_clock(Services& services, Call call) {
  if (call.is_live()) co_return live_mode();
  const Arguments arguments = call.arguments();
  TestClock clock;
  clock.id = random_id<TestClockKind>();
  clock.name = arguments.text_or_empty("name");
  clock.created = services.billing.now();
  clock.frozen_time = *arguments.timestamp("frozen_time");
  clock.deletes_after = clock.created + kept_for;
  auto outcome = co_await show_clock(services, call, clock);
  if (!outcome) co_return outcome;
  auto put = co_await services.catalog.put<TestClock>(Mode::test, clock, std::nullopt, saved_with(call, *outcome));
  if (put) co_return outcome;
  co_return co_await answer_refusal(services, call, put.error());
}

awaitable<Result<Outcome>> retrieve_test_clock(Services& services, Call call) {
  auto clock = co_await find_clock(services, call);
  if (!clock) co_return clock.error();
  co_return co_await show_clock(services, call, std::move(*clock));
}

awaitable<Result<Outcome>> advance_test_clock(Services& services, Call call) {
  const Timestamp to = *call.arguments().timestamp("frozen_time");
  for (int attempt = 0;; ++attempt) {
    auto before = co_await find_clock(services, call);
    if (!before) co_return before.error();
    if (before->status == TestClockStatus::advancing)
      co_return Failure{Errc::invalid_state, "The test clock is still advancing; wait until its status is ready."};
    if (to <= before->frozen_time)
      co_return Failure{Errc::invalid_parameter, "A test clock goes forward only: give a time after its frozen_time.",
                        "frozen_time"};
    TestClock clock = *before;
    clock.status = TestClockStatus::advancing;
    clock.advancing_to = to;
    auto outcome = co_await show_clock(services, call, clock);
    if (!outcome) co_return outcome;
    auto put = co_await services.catalog.put<TestClock>(Mode::test, clock, *before, saved_with(call, *outcome));
    if (put) co_return outcome;
    if (put.error().code == Errc::conflict && attempt < conflicts_max) continue;
    co_return co_await answer_refusal(services, call, put.error());
  }
}

awaitable<Result<Outcome>> delete_test_clock(Services& services, Call call) {
  auto clock = co_await find_clock(services, call);
  if (!clock) co_return clock.error();
  auto deleted = co_await delete_customers(services, call, clock->id);
  if (!deleted) co_return deleted.error();
  auto removed = co_await services.catalog.remove<TestClock>(Mode::test, *clock);
  if (!removed) co_return removed.error();
  Reply reply(services, call);
  co_return co_await reply.answer(reply.present.deleted(clock->id.value(), "test_helpers.test_clock"));
}

awaitable<Result<Outcome>> list_test_clocks(Services& services, Call call) {
  if (call.is_live()) co_return live_mode();
  auto query = page_query(call);
  if (!query) co_return query.error();
  Reply reply(services, call);
  std::vector<std::string> newest_first;
  for (const TestClock& clock : services.catalog.all<TestClock>(Mode::test)) {
    newest_first.push_back(clock.id.value());
    reply.known.put(clock);
  }
  auto page = cut_page(std::move(newest_first), *query, "test clock");
  if (!page) co_return page.error();
  co_return co_await answer_page(services, call, reply, Kind::test_clock, std::move(*page), call.path);
}

}  // namespace billd::api::stripe
