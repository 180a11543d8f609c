#include "net/api/management/face.hpp"

#include <algorithm>
#include <charconv>

#include "net/api/document.hpp"
#include "net/api/management/negotiation.hpp"
#include "net/api/management/xml.hpp"
#include "net/api/random_id.hpp"
#include "net/api/staff.hpp"
#include "net/log.hpp"
#include "net/store/unique.hpp"

namespace billd::api::management {
namespace {

enum class Operation : std::uint8_t { create, find, load, modify, find_subscriptions, find_payment_options };

struct Route {
  http::Method method;
  std::string_view pattern;
  Operation operation;
};
/// Each action can be named ("~create"), and is meant by its method alone.
constexpr std::array routes = {
    Route{http::Method::put, "/api/v01/customers", Operation::create},
    Route{http::Method::put, "/api/v01/customers/~create", Operation::create},
    Route{http::Method::get, "/api/v01/customers", Operation::find},
    Route{http::Method::get, "/api/v01/customers/~find", Operation::find},
    Route{http::Method::get, "/api/v01/customers/{id}", Operation::load},
    Route{http::Method::get, "/api/v01/customers/{id}/~load", Operation::load},
    Route{http::Method::post, "/api/v01/customers/{id}", Operation::modify},
    Route{http::Method::post, "/api/v01/customers/{id}/~modify", Operation::modify},
    Route{http::Method::get, "/api/v01/customers/{id}/subscriptions", Operation::find_subscriptions},
    Route{http::Method::get, "/api/v01/customers/{id}/subscriptions/~find", Operation::find_subscriptions},
    Route{http::Method::get, "/api/v01/customers/{id}/payment-options", Operation::find_payment_options},
    Route{http::Method::get, "/api/v01/customers/{id}/payment-options/~find", Operation::find_payment_options},
};

constexpr std::string_view json_type = "application/json";
/// How often a request that another one forestalled looks again.
constexpr int creation_attempts_max = 8;

Refusal refusal(Code code) { return {code, std::string(entry_of(code).meaning)}; }

Refusal refusal_logged(const Failure& failure) {
  Refusal told = refusal_of(failure);
  if (entry_of(told.code).status >= 500)
    log::error({}, "answered {}: {}: {}", entry_of(told.code).status, message(failure.code), failure.detail);
  return told;
}

http::Response answered(std::string body, std::string_view media_type) {
  http::Response response;
  response.content_type = media_type;
  response.body = std::move(body);
  return response;
}

http::Response show(std::string_view name, Object& object, std::string_view media_type) {
  const bool is_json = media_type == json_type;
  return answered(is_json ? to_json(object) : write_xml(name, object), media_type);
}

/// The list under the name of its elements: "customer" makes "customers".
http::Response show_list(std::string_view name, Array& list, std::string_view media_type) {
  const bool is_json = media_type == json_type;
  return answered(is_json ? to_json(list) : write_xml(std::string(name) + "s", name, list), media_type);
}

http::Response show_customer(const Customer& customer, std::string_view media_type) {
  Document document;
  return show("customer", present(document, customer), media_type);
}

ShowErrand shown_customer(std::string_view media_type) {
  return [media_type](const Account& account) { return show_customer(account.customer, media_type); };
}

/// The format of the body that comes with the request, if it has one.
std::optional<Format> body_format(const http::Request& request) {
  const auto type = request.headers.find("Content-Type");
  return type ? format_of(*type) : std::nullopt;
}

/// Who asks: the mode is the secret's.
Answered<StaffMember> authenticate(const FaceServices& services, const http::Headers& headers) {
  const auto authorization = headers.find("Authorization");
  if (!authorization) return refusal(Code::no_credentials);
  const auto credentials = read_basic(*authorization);
  if (!credentials) return refusal(Code::no_credentials);
  const auto member = find_staff(services, *credentials);
  const bool is_service =
      member && member->role == StaffRole::service && folded_user_name(member->name).starts_with(service_prefix);
  if (!is_service) return refusal(Code::wrong_credentials);
  return *member;
}

/// The number that a code stands for when it is the default of another customer; empty: none.
std::optional<std::uint64_t> number_in(std::string_view code) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(code.data(), code.data() + code.size(), number);
  if (error != std::errc() || std::to_string(number) != code) return std::nullopt;
  return number;
}

std::string_view status_text(SubscriptionStatus status) {
  switch (status) {
    case SubscriptionStatus::incomplete:
      return "incomplete";
    case SubscriptionStatus::incomplete_expired:
      return "expired";
    case SubscriptionStatus::trialing:
      return "trial";
    case SubscriptionStatus::active:
      return "active";
    case SubscriptionStatus::past_due:
      return "past due";
    case SubscriptionStatus::unpaid:
      return "unpaid";
    case SubscriptionStatus::canceled:
      return "canceled";
    case SubscriptionStatus::paused:
      return "paused";
  }
  return "unknown";
}

Object& present(Document& document, const Customer& customer, const Subscription& subscription) {
  Object& object = document.object(9);
  object.add("id", document.text(subscription.id.value()));
  object.add("customerId", static_cast<std::int64_t>(customer.number));
  object.add("createDate", document.text(date_text(subscription.created)));
  object.add("status", document.text(status_text(subscription.status)));
  object.add("planId", document.text(subscription.items.front().price.id.value()));
  object.add("quantity", subscription.items.front().quantity);
  object.add("periodStart", document.text(date_text(subscription.current_period.start)));
  object.add("periodEnd", document.text(date_text(subscription.current_period.end)));
  object.add("isCancelledAtPeriodEnd", subscription.cancel_at_period_end);
  return object;
}

Object& present(Document& document, const Customer& customer, const Source& source) {
  Object& object = document.object(5);
  object.add("id", document.text(source.id.value()));
  object.add("customerId", static_cast<std::int64_t>(customer.number));
  object.add("createDate", document.text(date_text(source.created)));
  object.add("gateway", document.text(source.gateway));
  object.add("isDefault", customer.default_source == source.id);
  return object;
}

/// The part of a list that the query asks for.
template <class T>
std::span<const T> cut(const std::vector<T>& all, const Query& query) {
  const std::size_t from = std::min<std::uint64_t>(query.offset, all.size());
  return std::span(all).subspan(from, std::min(query.limit, all.size() - from));
}

}  // namespace

struct Face::Call {
  const http::Request& request;
  Mode mode = Mode::test;
  std::string_view media_type;  ///< of the answer; it is one of a table
  KeyedRequest& keyed;
  http::Router::Match match = {};
};

http::Response render_refusal(const Refusal& refused, std::string_view media_type) {
  const CodeEntry& entry = entry_of(refused.code);
  Document document;
  Object& object = document.object(2);
  object.add("failureCode", document.text(entry.text));
  object.add("failureMessage", document.text(refused.message));
  http::Response response = show("exception", object, media_type);
  response.status = entry.status;
  if (entry.status == 401) response.headers.add("WWW-Authenticate", "Basic realm=\"Management API\"");
  return response;
}

std::vector<ServedRoute> served_routes() { return served(routes); }

Face::Face(FaceServices services) : services_(services) {
  for (std::size_t i = 0; i < routes.size(); ++i) router_.add(routes[i].method, routes[i].pattern, i);
}

awaitable<http::Response> Face::handle(http::Request request) {
  const bool is_xml = body_format(request) == Format::xml;
  const auto media_type = choose_media_type(request.headers.find("Accept"), is_xml ? Format::xml : Format::json);
  const std::string_view told_in = media_type.value_or(json_type);
  const auto member = authenticate(services_, request.headers);
  if (!member) co_return render_refusal(member.error(), told_in);
  if (!media_type) co_return render_refusal(refusal(Code::not_acceptable), told_in);
  KeyedRequest keyed(services_, keys_in_use_, member->mode, "management/" + member->id, request);
  Call call{request, member->mode, *media_type, keyed};
  call.match = router_.match(request.method, request.path());
  if (call.match.outcome == http::Router::Outcome::method_not_allowed) {
    http::Response response = render_refusal(refusal(Code::method_not_allowed), told_in);
    response.headers.add("Allow", call.match.allow());
    co_return response;
  }
  auto response = co_await answer(call);
  if (!response) {
    auto meanwhile = co_await keyed.answered_meanwhile();
    if (meanwhile) co_return std::move(*meanwhile);
    co_return render_refusal(response.error(), told_in);
  }
  co_return std::move(*response);
}

awaitable<Answered<http::Response>> Face::answer(const Call& call) {
  if (call.match.outcome != http::Router::Outcome::found) co_return refusal(Code::no_such_resource);
  const Operation operation = routes[call.match.handler()].operation;
  if (operation == Operation::create) co_return co_await create(call);
  if (operation == Operation::find) co_return co_await find(call);
  auto account = co_await load(call);
  if (!account) co_return account.error();
  switch (operation) {
    case Operation::modify:
      co_return co_await modify(call, std::move(*account));
    case Operation::find_subscriptions:
      co_return co_await find_subscriptions(call, std::move(*account));
    case Operation::find_payment_options:
      co_return co_await find_payment_options(call, std::move(*account));
    default:
      co_return show_customer(account->customer, call.media_type);
  }
}

awaitable<Answered<Account>> Face::load(const Call& call) {
  const std::string id = call.match.parameter("id");
  const Refusal unknown{Code::no_such_record, "There is no customer " + id + "."};
  const auto number = number_in(id);
  if (!number) co_return unknown;
  auto key = co_await services_.store.find_by_number(call.mode, *number);
  if (!key && key.error().code == Errc::not_found) co_return unknown;
  if (!key) co_return refusal_logged(key.error());
  auto loaded = co_await services_.store.load(call.mode, std::move(*key));
  if (!loaded) co_return refusal_logged(loaded.error());
  if (loaded->account.customer.number != *number || loaded->account.customer.deleted) co_return unknown;
  co_return std::move(loaded->account);
}

/// Takes the code for the account that is to be created; refused when another customer has it.
awaitable<Answered<void>> Face::take_code(const Call& call, const Errand& errand, store::Unique code) {
  const Refusal duplicate{Code::duplicate_code, "Another customer has the code " + code.value + "."};
  auto seen = co_await services_.store.holder(call.mode, code);
  if (!seen) co_return refusal_logged(seen.error());
  const auto holder = AccountKey::parse(*seen);
  bool is_uncreated = false;
  if (holder) {
    auto held_by = co_await services_.store.load(call.mode, *holder);
    if (!held_by && held_by.error().code != Errc::not_found) co_return refusal_logged(held_by.error());
    const bool is_held = held_by && !held_by->account.customer.deleted && held_by->account.customer.code == code.value;
    if (is_held) co_return duplicate;
    is_uncreated = !held_by;
  }
  Result<void> taken;
  if (is_uncreated)
    taken = co_await store::take_over(services_.store, call.mode, code, *holder, *seen, errand.account.value());
  else
    taken = co_await services_.store.take(call.mode, code, *seen, errand.account.value());
  // Another request has it for the moment: the commit finds out who of the two was later.
  if (!taken && taken.error().code != Errc::conflict) co_return refusal_logged(taken.error());
  const auto number = number_in(code.value);
  if (!number || !taken) co_return Answered<void>();
  // Numbers are the codes of those who were given none.
  auto is_drawn = co_await services_.store.is_number_drawn(call.mode, *number);
  if (!is_drawn) co_return refusal_logged(is_drawn.error());
  if (!*is_drawn) co_return Answered<void>();
  auto given_up = co_await services_.store.take(call.mode, code, errand.account.value(), std::string());
  if (!given_up && given_up.error().code != Errc::conflict) co_return refusal_logged(given_up.error());
  co_return Refusal{Code::duplicate_code, "The code " + code.value + " is kept for the customer of that id."};
}

awaitable<Answered<http::Response>> Face::create(const Call& call) {
  const auto format = body_format(call.request);
  if (!format || *format == Format::form) co_return refusal(Code::unknown_media_type);
  auto members = read_members(*format, call.request.body);
  if (!members) co_return members.error();
  auto command = read_creation(*members);
  if (!command) co_return command.error();
  const store::Unique code{store::UniqueKind::code, command->code};
  const bool has_code = !command->code.empty();
  // Every attempt, also that of a repetition, is in the partition of the first: the answer is looked for there.
  const AccountKey first = has_code ? store::draw_account_key(services_.store, code) : random_account_key();
  auto repeated = co_await call.keyed.claim(first);
  if (!repeated) co_return refusal_logged(repeated.error());
  if (*repeated) co_return std::move(**repeated);
  for (int attempt = 0; attempt < creation_attempts_max; ++attempt) {
    Errand errand;
    errand.mode = call.mode;
    errand.account = has_code ? store::draw_account_key(services_.store, code) : call.keyed.account().value_or(first);
    errand.command = *command;
    errand.idempotency_key = call.keyed.key();
    errand.show = shown_customer(call.media_type);
    if (has_code) {
      errand.held = store::HeldUnique{code, errand.account.value()};
      auto taken = co_await take_code(call, errand, code);
      if (!taken) co_return taken.error();
    }
    auto done = co_await carry_out(services_, std::move(errand));
    if (done) co_return std::move(done->response);
    if (done.error().code != Errc::already_exists) co_return refusal_logged(done.error());
  }
  co_return Refusal{Code::unavailable, "The same code is being taken by many requests at once."};
}

awaitable<Answered<http::Response>> Face::find(const Call& call) {
  auto query = read_query(call.request.query(), true);
  if (!query) co_return query.error();
  auto keys = co_await services_.store.search(call.mode, std::move(query->criteria), query->offset, query->limit);
  if (!keys) co_return refusal_logged(keys.error());
  auto loaded = co_await services_.store.load_all(call.mode, std::move(*keys));
  if (!loaded) co_return refusal_logged(loaded.error());
  Document document;
  Array& list = document.array(loaded->size());
  for (const store::Loaded& each : *loaded)
    if (!each.account.customer.deleted) list.add(management::present(document, each.account.customer));
  co_return show_list("customer", list, call.media_type);
}

awaitable<Answered<http::Response>> Face::modify(const Call& call, Account account) {
  const auto format = body_format(call.request);
  if (!format) co_return refusal(Code::unknown_media_type);
  auto members = read_members(*format, call.request.body);
  if (!members) co_return members.error();
  auto command = read_change(*members, account.customer);
  if (!command) co_return command.error();
  auto repeated = co_await call.keyed.claim(account.key);
  if (!repeated) co_return refusal_logged(repeated.error());
  if (*repeated) co_return std::move(**repeated);
  Errand errand;
  errand.mode = call.mode;
  errand.account = account.key;
  errand.command = std::move(*command);
  errand.idempotency_key = call.keyed.key();
  errand.show = shown_customer(call.media_type);
  auto done = co_await carry_out(services_, std::move(errand));
  if (!done) co_return refusal_logged(done.error());
  co_return std::move(done->response);
}

awaitable<Answered<http::Response>> Face::find_subscriptions(const Call& call, Account account) {
  auto query = read_query(call.request.query(), false);
  if (!query) co_return query.error();
  std::vector<Subscription> all = std::move(account.subscriptions);
  std::erase_if(all, [](const Subscription& each) { return each.provisional; });
  // Those that have ended are records beside the account.
  auto records_fields = co_await services_.store.record_fields(call.mode, account.key);
  if (!records_fields) co_return refusal_logged(records_fields.error());
  std::erase_if(*records_fields, [](const std::string& field) { return !field.starts_with('s'); });
  auto records = co_await services_.store.load_records(call.mode, account.key, std::move(*records_fields));
  if (!records) co_return refusal_logged(records.error());
  for (Record& record : *records)
    if (auto* subscription = std::get_if<Subscription>(&record)) all.push_back(std::move(*subscription));
  std::ranges::sort(all, {}, [](const Subscription& each) { return std::pair(each.created, each.id); });
  Document document;
  Array& list = document.array(all.size());
  for (const Subscription& each : cut(all, *query)) list.add(present(document, account.customer, each));
  co_return show_list("subscription", list, call.media_type);
}

awaitable<Answered<http::Response>> Face::find_payment_options(const Call& call, Account account) {
  auto query = read_query(call.request.query(), false);
  if (!query) co_return query.error();
  Document document;
  Array& list = document.array(account.sources.size());
  for (const Source& each : cut(account.sources, *query)) list.add(present(document, account.customer, each));
  co_return show_list("payment-option", list, call.media_type);
}

}  // namespace billd::api::management
