#include "net/api/stancer/face.hpp"

#include <algorithm>
#include <array>

#include "net/api/authorization.hpp"
#include "net/api/document.hpp"
#include "net/api/random_id.hpp"
#include "net/api/stancer/customer.hpp"
#include "net/http/server.hpp"
#include "net/log.hpp"
#include "net/store/unique.hpp"

namespace billd::api::stancer {
namespace {

enum class Operation : std::uint8_t { create, retrieve, update, remove };

struct Route {
  http::Method method;
  std::string_view pattern;
  Operation operation;
};
constexpr std::array routes = {
    Route{http::Method::post, "/v1/customers", Operation::create},
    Route{http::Method::get, "/v1/customers/{id}", Operation::retrieve},
    Route{http::Method::patch, "/v1/customers/{id}", Operation::update},
    Route{http::Method::delete_, "/v1/customers/{id}", Operation::remove},
};

constexpr std::string_view id_prefix = "cust_";
constexpr std::string_view development_prefix = "stest_";
constexpr std::string_view unauthorized = "You are not authorized to access that resource";
/// While two requests may create the same customer at once; far longer than any of them takes.
constexpr Milliseconds likeness_life = std::chrono::minutes(10);
/// How often a request that another one forestalled looks again.
constexpr int creation_attempts_max = 16;
/// How many of them wait for the other request, and for how long, rather than making it fail.
constexpr int patient_attempts = 12;
constexpr Milliseconds patience = std::chrono::milliseconds(50);

/// Source: Stancer's clients send the key as Basic's user name; what follows is ignored.
std::optional<Mode> authenticate(const FaceServices& services, const http::Headers& headers) {
  const auto authorization = headers.find("Authorization");
  const auto credentials = authorization ? read_basic(*authorization) : std::nullopt;
  if (!credentials || kind_of(credentials->user) != KeyKind::stancer) return std::nullopt;
  const std::string& key = credentials->user;
  if (services.settings.development && key.starts_with(development_prefix) && key.size() > development_prefix.size())
    return Mode::test;
  const auto known = services.catalog.get<ApiKey>(Mode::test, hash_key(key));
  if (!known || known->revoked) return std::nullopt;
  return known->mode;
}

http::Response answered(int status, std::string body) {
  http::Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

http::Response no_content() {
  http::Response response;
  response.status = 204;
  response.content_type.clear();
  return response;
}

/// Source: Stancer answers so, and its message is an object then.
http::Response exists_already(const std::string& id) {
  Document document;
  Object& message = document.object(2);
  message.add("error", "Customer already exists, you may want to update it instead creating a new one");
  message.add("id", document.text(id));
  Object& error = document.object(2);
  error.add("type", "invalid_request_error");
  error.add("message", message);
  Object& body = document.object(1);
  body.add("error", error);
  return answered(409, to_json(body));
}

Failure no_such_customer(const std::string& id) { return {Errc::not_found, "No such customer " + id, "id"}; }

Result<void> check_mode(const CustomerFields& fields, Mode mode) {
  if (!fields.live_mode || *fields.live_mode == (mode == Mode::live)) return {};
  return Failure{Errc::invalid_parameter, "live_mode contradicts the mode of the key", "live_mode"};
}

int status_of(Errc code) {
  switch (code) {
    case Errc::invalid_parameter:
    case Errc::missing_parameter:
    case Errc::unknown_parameter:
    case Errc::invalid_state:
    case Errc::idempotency_mismatch:
      return 400;
    case Errc::unauthenticated:
      return 401;
    case Errc::not_found:
      return 404;
    case Errc::conflict:
    case Errc::already_exists:
    case Errc::idempotency_in_progress:
      return 409;
    case Errc::limit_exceeded:
    case Errc::unavailable:
    case Errc::outcome_unknown:
    case Errc::stopping:
      return 503;
    default:
      return 500;
  }
}

http::Response render_failure(const Failure& failure) {
  const int status = status_of(failure.code);
  if (status < 500) return render_error(status, failure.detail);
  log::error({}, "answered {}: {}: {}", status, message(failure.code), failure.detail);
  return render_error(status, message(failure.code));
}

store::Unique likeness_of(const CreateCustomer& customer) {
  std::string text = customer.email;
  for (const std::string* part : {&customer.phone, &customer.external_id}) text.append(1, '\0').append(*part);
  return {store::UniqueKind::likeness, hash_key(text)};
}

}  // namespace

http::Response render_error(int status, std::string_view message) {
  return http::render_error_as_json(status, message, {});
}

std::vector<ServedRoute> served_routes() { return served(routes); }

Face::Face(FaceServices services) : services_(services) {
  for (std::size_t i = 0; i < routes.size(); ++i) router_.add(routes[i].method, routes[i].pattern, i);
}

awaitable<http::Response> Face::handle(http::Request request) {
  const auto mode = authenticate(services_, request.headers);
  if (!mode) {
    http::Response response = render_error(401, unauthorized);
    response.headers.add("WWW-Authenticate", "Basic realm=\"Stancer\"");
    co_return response;
  }
  KeyedRequest keyed(services_, keys_in_use_, *mode, "stancer", request);
  auto response = co_await answer(*mode, request, keyed);
  const bool is_refused = !response || response->status >= 400;
  if (is_refused) {
    auto meanwhile = co_await keyed.answered_meanwhile();
    if (meanwhile) co_return std::move(*meanwhile);
  }
  if (!response) co_return render_failure(response.error());
  co_return std::move(*response);
}

awaitable<Result<http::Response>> Face::answer(Mode mode, const http::Request& request, KeyedRequest& keyed) {
  using Outcome = http::Router::Outcome;
  const http::Router::Match match = router_.match(request.method, request.path());
  if (match.outcome == Outcome::method_not_allowed) {
    http::Response response = render_error(405, "The method is not allowed here");
    response.headers.add("Allow", match.allow());
    co_return response;
  }
  if (match.outcome != Outcome::found)
    co_return render_error(404, "There is nothing at " + std::string(request.path()));
  const Operation operation = routes[match.handler()].operation;
  if (operation == Operation::create) co_return co_await create(mode, request, keyed);

  std::string id = match.parameter("id");
  Result<Account> account = no_such_customer(id);
  if (id.starts_with(id_prefix)) account = co_await load_customer(services_, mode, id.substr(id_prefix.size()));
  if (!account && account.error().code == Errc::not_found) co_return no_such_customer(id);
  if (!account) co_return account.error();
  // What clients send along with GET and DELETE has been read by now, and means nothing.
  if (operation == Operation::retrieve) co_return answered(200, render_customer(*account));
  Result<http::Response> response = no_content();
  if (operation == Operation::update)
    response = co_await update(mode, std::move(*account), request, keyed);
  else
    response = co_await remove(mode, std::move(*account));
  if (!response && response.error().code == Errc::not_found) co_return no_such_customer(id);
  co_return response;
}

/// The identifier of a customer with the same email, mobile and external_id; empty: there is none.
awaitable<Result<std::string>> Face::find_likeness(Mode mode, const CreateCustomer& wanted) {
  std::vector<store::Store::Criterion> criteria;
  if (!wanted.email.empty())
    criteria.push_back({store::Index::emails, store::search_value(store::Index::emails, wanted.email)});
  if (!wanted.phone.empty())
    criteria.push_back({store::Index::phones, store::search_value(store::Index::phones, wanted.phone)});
  constexpr std::size_t batch = 100;
  for (std::uint64_t offset = 0;; offset += batch) {
    auto keys = co_await services_.store.search(mode, criteria, offset, batch);
    if (!keys) co_return keys.error();
    const bool is_last = keys->size() < batch;
    auto loaded = co_await services_.store.load_all(mode, std::move(*keys));
    if (!loaded) co_return loaded.error();
    for (const store::Loaded& each : *loaded) {
      const Customer& customer = each.account.customer;
      if (!customer.deleted && customer.email == wanted.email && customer.phone == wanted.phone &&
          customer.external_id == wanted.external_id)
        co_return customer_id(customer);
    }
    if (is_last) co_return std::string();
  }
}

awaitable<Result<http::Response>> Face::create(Mode mode, const http::Request& request, KeyedRequest& keyed) {
  auto fields = read_customer(request);
  if (!fields) co_return fields.error();
  auto fits = check_mode(*fields, mode);
  if (!fits) co_return fits.error();
  CreateCustomer command;
  command.email = fields->email.value_or("");
  command.phone = fields->mobile.value_or("");
  command.name = fields->name.value_or("");
  command.external_id = fields->external_id.value_or("");

  const bool is_checked = !command.email.empty() || !command.phone.empty();
  const store::Unique likeness = likeness_of(command);
  // Every attempt, also that of a repetition, is in the partition of the first: the answer is looked for there.
  const AccountKey first = is_checked ? store::draw_account_key(services_.store, likeness) : random_account_key();
  auto repeated = co_await keyed.claim(first);
  if (!repeated) co_return repeated.error();
  if (*repeated) co_return std::move(**repeated);
  for (int attempt = 0; attempt < creation_attempts_max; ++attempt) {
    Errand errand;
    errand.mode = mode;
    errand.account = is_checked ? store::draw_account_key(services_.store, likeness) : keyed.account().value_or(first);
    errand.command = command;
    errand.idempotency_key = keyed.key();
    errand.show = [](const Account& account) { return answered(200, render_customer(account)); };
    if (is_checked) {
      // Of two requests that create the same customer, the later one to take the likeness sees what the earlier one has
      // committed, or makes its commit fail.
      errand.held = store::HeldUnique{likeness, errand.account.value()};
      auto seen = co_await services_.store.holder(mode, likeness);
      if (!seen) co_return seen.error();
      if (const auto other = AccountKey::parse(*seen); other && attempt < patient_attempts) {
        auto created = co_await services_.store.load(mode, *other);
        if (!created && created.error().code != Errc::not_found) co_return created.error();
        if (!created) {
          auto existing = co_await find_likeness(mode, command);
          if (!existing) co_return existing.error();
          if (!existing->empty()) co_return exists_already(*existing);
          co_await sleep_for(patience);
          continue;
        }
      }
      auto taken = co_await services_.store.take(mode, likeness, *seen, errand.account.value(), likeness_life);
      if (!taken && taken.error().code == Errc::conflict) continue;
      if (!taken) co_return taken.error();
      auto existing = co_await find_likeness(mode, command);
      if (!existing) co_return existing.error();
      if (!existing->empty()) {
        // Nobody is to wait for an account that will not be created.
        auto given_up = co_await services_.store.take(mode, likeness, errand.account.value(), std::string());
        if (!given_up && given_up.error().code != Errc::conflict) co_return given_up.error();
        co_return exists_already(*existing);
      }
    }
    auto done = co_await carry_out(services_, std::move(errand));
    if (done) co_return std::move(done->response);
    if (done.error().code != Errc::already_exists) co_return done.error();
  }
  co_return Failure{Errc::unavailable, "the same customer is being created by many requests at once"};
}

awaitable<Result<http::Response>> Face::update(Mode mode, Account account, const http::Request& request,
                                               KeyedRequest& keyed) {
  auto fields = read_customer(request);
  if (!fields) co_return fields.error();
  auto fits = check_mode(*fields, mode);
  if (!fits) co_return fits.error();
  auto repeated = co_await keyed.claim(account.key);
  if (!repeated) co_return repeated.error();
  if (*repeated) co_return std::move(**repeated);
  UpdateCustomer command;
  command.email = std::move(fields->email);
  command.phone = std::move(fields->mobile);
  command.name = std::move(fields->name);
  command.external_id = std::move(fields->external_id);
  Errand errand;
  errand.mode = mode;
  errand.account = account.key;
  errand.command = std::move(command);
  errand.idempotency_key = keyed.key();
  errand.show = [](const Account&) { return no_content(); };
  auto done = co_await carry_out(services_, std::move(errand));
  if (!done) co_return done.error();
  co_return std::move(done->response);
}

awaitable<Result<http::Response>> Face::remove(Mode mode, Account account) {
  Errand errand;
  errand.mode = mode;
  errand.account = account.key;
  errand.command = DeleteCustomer();
  auto done = co_await carry_out(services_, std::move(errand));
  if (!done) co_return done.error();
  co_return no_content();
}

}  // namespace billd::api::stancer
