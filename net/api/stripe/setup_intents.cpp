// Operations on SetupIntents: a payment method for later use, without a payment.
#include <algorithm>

#include "net/api/gather.hpp"
#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/api/stripe/payment_methods.hpp"
#include "net/api/stripe/reply.hpp"
#include "net/store/held_sources.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::array<std::string_view, 2> usages = {"off_session", "on_session"};
constexpr std::array<std::string_view, 3> reasons = {"abandoned", "duplicate", "requested_by_customer"};

constexpr std::array common_rules = {
    text("customer"), text("payment_method"), text("description").clearable(), metadata(), list("expand"),
};
constexpr std::array create_table =
    common_rules + offered_means_rules + std::array{boolean("confirm"), choice("usage", usages)};
constexpr std::array retrieve_table = {list("expand")};
constexpr std::array confirm_table = {text("payment_method"), list("expand")};
constexpr std::array cancel_table = {choice("cancellation_reason", reasons), list("expand")};

constexpr std::array list_table = filtered_page_rules + std::array{text("customer"), text("payment_method")};
constexpr std::size_t listed_batch = 100, looked_at_max = 50'000;

Failure is_over(const store::SetupIntent& intent) {
  const std::string status = intent.canceled ? "canceled" : "succeeded";
  return {Errc::invalid_state, "This SetupIntent has a status of " + status + " and takes no more changes."};
}

awaitable<Result<store::SetupIntent>> find_intent(Services& services, const Call& call) {
  const std::string& id = call.variable("intent");
  if (!id.starts_with(SetupIntentKind::prefix)) co_return no_such("setupintent", id, "intent");
  auto intent = co_await store::find_setup_intent(services.store, call.mode, id);
  if (!intent && intent.error().code == Errc::not_found) co_return no_such("setupintent", id, "intent");
  co_return intent;
}

/// Takes over what the request says of the intent, as far as it can be.
awaitable<Result<void>> read_into(Services& services, const Call& call, store::SetupIntent& intent) {
  const Arguments arguments = call.arguments();
  if (arguments.has("customer")) {
    Known known;
    auto account =
        co_await load_live_customer(services, call.mode, known, arguments.text_or_empty("customer"), "customer");
    if (!account) co_return account.error();
    intent.customer = (*account)->customer.id;
  }
  if (arguments.has("payment_method")) intent.payment_method = SourceId(arguments.text_or_empty("payment_method"));
  if (auto description = arguments.text("description")) intent.description = std::move(*description);
  auto metadata = arguments.metadata_over(intent.metadata);
  if (!metadata) co_return metadata.error();
  intent.metadata = std::move(*metadata);
  co_return Result<void>();
}

/// The payment method becomes the customer's; without a customer it need only be there.
awaitable<Result<void>> confirm(Services& services, const Call& call, store::SetupIntent& intent) {
  std::string id = intent.payment_method.value();
  if (id.empty())
    co_return Failure{Errc::missing_parameter, "Missing required param: payment_method.", "payment_method"};
  if (intent.customer.is_empty()) {
    Known known;
    auto found = co_await find_payment_method(services, call.mode, known, std::move(id), "payment_method");
    if (!found) co_return found.error();
    intent.succeeded = true;
    co_return Result<void>();
  }
  Known known;
  auto account = co_await load_live_customer(services, call.mode, known, intent.customer.value(), "customer");
  if (!account) co_return account.error();
  auto source = co_await bring_payment_method(services, call, **account, std::move(id), intent.id, "payment_method");
  if (!source) co_return source.error();
  intent.payment_method = std::move(*source);
  intent.succeeded = true;
  co_return Result<void>();
}

/// Those of these identifiers that are still kept, in their order.
awaitable<Result<std::vector<store::SetupIntent>>> load_intents(Services& services, Mode mode,
                                                                const std::vector<store::ListedMember>& members) {
  std::vector<awaitable<Result<store::SetupIntent>>> questions;
  for (const store::ListedMember& member : members)
    questions.push_back(store::find_setup_intent(services.store, mode, member.member));
  auto answers = co_await gather(std::move(questions));
  std::vector<store::SetupIntent> intents;
  for (Result<store::SetupIntent>& answer : answers) {
    if (answer)
      intents.push_back(std::move(*answer));
    else if (answer.error().code != Errc::not_found)
      co_return answer.error();
  }
  co_return intents;
}

/// Where the cursor of the query points to; nothing without one.
awaitable<Result<std::optional<std::pair<std::int64_t, std::string>>>> place_of_cursor(Services& services,
                                                                                       const Call& call,
                                                                                       const PageQuery& query) {
  const bool backwards = !query.ending_before.empty();
  std::string cursor = backwards ? query.ending_before : query.starting_after;
  if (cursor.empty()) co_return std::optional<std::pair<std::int64_t, std::string>>();
  const Failure unknown = no_such("setupintent", cursor, backwards ? "ending_before" : "starting_after");
  if (!cursor.starts_with(SetupIntentKind::prefix)) co_return unknown;
  auto intent = co_await store::find_setup_intent(services.store, call.mode, std::move(cursor));
  if (!intent && intent.error().code == Errc::not_found) co_return unknown;
  if (!intent) co_return intent.error();
  co_return std::optional(std::pair(intent->created.time_since_epoch().count(), intent->id));
}

/// Nearest to the cursor first, one more than fits when there are more.
awaitable<Result<std::vector<store::SetupIntent>>> find_listed(Services& services, const Call& call,
                                                               const PageQuery& query) {
  const Arguments arguments = call.arguments();
  const std::string customer = arguments.text_or_empty("customer");
  const std::string payment_method = arguments.text_or_empty("payment_method");
  const bool backwards = !query.ending_before.empty();
  auto cursor = co_await place_of_cursor(services, call, query);
  if (!cursor) co_return cursor.error();
  store::Page part;
  part.limit = listed_batch;
  if (query.created.min) part.score_min = query.created.min->time_since_epoch().count();
  if (query.created.max) part.score_max = query.created.max->time_since_epoch().count();
  (backwards ? part.before : part.after) = *cursor;
  std::vector<store::SetupIntent> found;
  for (std::size_t looked_at = 0; found.size() <= query.limit && looked_at < looked_at_max;) {
    auto members = co_await store::list_setup_intents(services.store, call.mode, part);
    if (!members) co_return members.error();
    const bool has_more = members->size() > part.limit;
    if (backwards) std::ranges::reverse(*members);
    auto intents = co_await load_intents(services, call.mode, *members);
    if (!intents) co_return intents.error();
    for (store::SetupIntent& intent : *intents) {
      const bool belongs = (customer.empty() || intent.customer.value() == customer) &&
                           (payment_method.empty() || intent.payment_method.value() == payment_method);
      if (belongs && found.size() <= query.limit) found.push_back(std::move(intent));
    }
    if (!has_more) break;
    looked_at += members->size();
    (backwards ? part.before : part.after) = std::pair(members->back().score, members->back().member);
  }
  co_return found;
}

awaitable<Result<Outcome>> keep(Services& services, const Call& call, store::SetupIntent intent) {
  auto put = co_await store::put_setup_intent(services.store, call.mode, intent, services.settings.api.token_life);
  if (!put) co_return put.error();
  Reply reply(services, call);
  co_return co_await reply.answer(reply.present.setup_intent(intent));
}

}  // namespace

constinit const std::span<const Rule> create_setup_intent_rules = create_table;
constinit const std::span<const Rule> retrieve_setup_intent_rules = retrieve_table;
constinit const std::span<const Rule> update_setup_intent_rules = common_rules;
constinit const std::span<const Rule> confirm_setup_intent_rules = confirm_table;
constinit const std::span<const Rule> cancel_setup_intent_rules = cancel_table;
constinit const std::span<const Rule> list_setup_intents_rules = list_table;

awaitable<Result<Outcome>> create_setup_intent(Services& services, Call call) {
  store::SetupIntent intent;
  intent.id = make_id<SetupIntentKind>(call.account, 1).value();
  intent.created = services.billing.now();
  const Arguments arguments = call.arguments();
  intent.usage = arguments.text("usage").value_or("off_session");
  auto offered = check_offered_means(arguments);
  if (!offered) co_return offered.error();
  auto read = co_await read_into(services, call, intent);
  if (!read) co_return read.error();
  auto kept = co_await store::create_setup_intent(services.store, call.mode, std::move(intent),
                                                  services.settings.api.token_life);
  if (!kept) co_return kept.error();
  if (arguments.boolean("confirm").value_or(false) && !kept->succeeded) {
    auto confirmed = co_await confirm(services, call, *kept);
    if (!confirmed) co_return confirmed.error();
    co_return co_await keep(services, call, std::move(*kept));
  }
  Reply reply(services, call);
  co_return co_await reply.answer(reply.present.setup_intent(*kept));
}

awaitable<Result<Outcome>> retrieve_setup_intent(Services& services, Call call) {
  auto intent = co_await find_intent(services, call);
  if (!intent) co_return intent.error();
  Reply reply(services, call);
  co_return co_await reply.answer(reply.present.setup_intent(*intent));
}

awaitable<Result<Outcome>> update_setup_intent(Services& services, Call call) {
  auto intent = co_await find_intent(services, call);
  if (!intent) co_return intent.error();
  const bool is_final = intent->succeeded || intent->canceled;
  const Arguments arguments = call.arguments();
  if (is_final && (arguments.has("customer") || arguments.has("payment_method"))) co_return is_over(*intent);
  auto read = co_await read_into(services, call, *intent);
  if (!read) co_return read.error();
  co_return co_await keep(services, call, std::move(*intent));
}

awaitable<Result<Outcome>> confirm_setup_intent(Services& services, Call call) {
  auto intent = co_await find_intent(services, call);
  if (!intent) co_return intent.error();
  // A first try under the same key may have come this far.
  const bool is_done_already = intent->succeeded && call.is_repeated_try;
  if ((intent->succeeded && !is_done_already) || intent->canceled) co_return is_over(*intent);
  if (!is_done_already) {
    auto read = co_await read_into(services, call, *intent);
    if (!read) co_return read.error();
    auto confirmed = co_await confirm(services, call, *intent);
    if (!confirmed) co_return confirmed.error();
  }
  co_return co_await keep(services, call, std::move(*intent));
}

awaitable<Result<Outcome>> cancel_setup_intent(Services& services, Call call) {
  auto intent = co_await find_intent(services, call);
  if (!intent) co_return intent.error();
  const bool is_done_already = intent->canceled && call.is_repeated_try;
  if ((intent->canceled && !is_done_already) || intent->succeeded) co_return is_over(*intent);
  intent->canceled = true;
  intent->cancellation_reason = call.arguments().text_or_empty("cancellation_reason");
  co_return co_await keep(services, call, std::move(*intent));
}

awaitable<Result<Outcome>> list_setup_intents(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  if (query->wants_total)
    co_return Failure{Errc::invalid_parameter, "total_count is not known of this list.", "include"};
  auto found = co_await find_listed(services, call, *query);
  if (!found) co_return found.error();
  const bool has_more = found->size() > query->limit;
  if (has_more) found->pop_back();
  if (!query->ending_before.empty()) std::ranges::reverse(*found);
  Reply reply(services, call);
  Array& data = reply.document.array(found->size());
  for (const store::SetupIntent& intent : *found) data.add(reply.present.setup_intent(intent));
  co_return co_await reply.answer(reply.present.list(call.path, data, has_more));
}

}  // namespace billd::api::stripe
