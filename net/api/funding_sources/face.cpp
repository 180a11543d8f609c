#include "net/api/funding_sources/face.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "net/api/funding_sources/source.hpp"
#include "net/api/staff.hpp"

namespace billd::api::funding_sources {
namespace {

enum class Operation : std::uint8_t {
  create_user,
  retrieve_user,
  update_user,
  remove_user,
  rotate_secret,
  list,
  create,
  retrieve,
  update,
  remove
};

struct Route {
  http::Method method;
  std::string_view pattern;
  Operation operation;
};
constexpr std::array routes = {
    Route{http::Method::post, "/users", Operation::create_user},
    Route{http::Method::get, "/users/{username}", Operation::retrieve_user},
    Route{http::Method::put, "/users/{username}", Operation::update_user},
    Route{http::Method::delete_, "/users/{username}", Operation::remove_user},
    Route{http::Method::post, "/users/{username}/secret", Operation::rotate_secret},
    Route{http::Method::get, "/users/{username}/funding_sources", Operation::list},
    Route{http::Method::post, "/users/{username}/funding_sources", Operation::create},
    Route{http::Method::get, "/users/{username}/funding_sources/{id}", Operation::retrieve},
    Route{http::Method::put, "/users/{username}/funding_sources/{id}", Operation::update},
    Route{http::Method::delete_, "/users/{username}/funding_sources/{id}", Operation::remove},
};

constexpr std::string_view api_version = "1.0.0";
constexpr std::string_view retrieved = "Successfully retrieved funding sources";

http::Response show_list(const Account& account) {
  std::vector<const Source*> sources;
  for (const Source& source : account.sources)
    if (id_of(account, source) != 0) sources.push_back(&source);
  // Last used first; of those that never were, the newest.
  std::ranges::sort(sources, [&](const Source* left, const Source* right) {
    auto place = [&](const Source* source) {
      return std::tuple(source->last_used, source->created, id_of(account, *source));
    };
    return place(left) > place(right);
  });
  http::Response response = show_sources(account, sources, retrieved);
  if (!sources.empty() && sources.front()->last_used)
    response.headers.add("Last-Modified", header_date(*sources.front()->last_used));
  return response;
}

/// The new sources are the account's last.
http::Response show_created(const Account& account, std::size_t count) {
  std::vector<const Source*> created;
  for (std::size_t i = account.sources.size() - count; i < account.sources.size(); ++i)
    created.push_back(&account.sources[i]);
  http::Response response = show_sources(account, created, "Successfully created funding sources");
  response.headers.add("Last-Modified", header_date(created.back()->created));
  return response;
}

http::Response show_one(const Account& account, const SourceId& id, std::string_view message) {
  const std::vector<const Source*> one(1, account.find(id));
  return show_sources(account, one, message);
}

/// The empty user name, which is no path of any route: /users//funding_sources.
bool has_empty_name(std::string_view path) { return path == "/users/" || path.starts_with("/users//"); }

}  // namespace

/// Who asks.
struct Face::Caller {
  Mode mode = Mode::test;
  bool is_administrator = false;
  std::string name;          ///< by which its keys are told from those of others
  std::optional<User> user;  ///< unless it is an administrator
};

struct Face::Call {
  const http::Request& request;
  Caller& caller;
  Operation operation;
  http::Router::Match match;
  KeyedRequest& keyed;
};

http::Response render_error(int status, std::string_view message) {
  Problem problem;
  problem.status = status;
  problem.message = message;
  if (status < 500) problem.code = "ERROR_BAD_REQUEST_FORMAT";
  http::Response response = render(problem);
  response.headers.add("API-Version", api_version);
  return response;
}

std::vector<ServedRoute> served_routes() { return served(routes); }

Face::Face(FaceServices services) : services_(services), users_(services) {
  for (std::size_t i = 0; i < routes.size(); ++i) router_.add(routes[i].method, routes[i].pattern, i);
}

awaitable<http::Response> Face::handle(http::Request request) {
  auto answered = co_await answer(request);
  http::Response response = answered ? std::move(*answered) : render(answered.error());
  response.headers.add("API-Version", api_version);
  co_return response;
}

awaitable<Answered<Face::Caller>> Face::authenticate(const http::Headers& headers) {
  const auto authorization = headers.find("Authorization");
  if (!authorization || authorization->empty())
    co_return unauthorized("ERROR_MISSING_PARAM", "The request needs Basic credentials.");
  const auto credentials = read_basic(*authorization);
  if (!credentials || credentials->user.empty())
    co_return unauthorized("ERROR_INVALID_FORMAT", "The credentials are not of the form Basic username:secret.");
  Caller caller;
  if (const auto member = find_staff(services_, *credentials); member && member->role == StaffRole::administrator) {
    caller.mode = member->mode;
    caller.is_administrator = true;
    caller.name = "administrators/" + member->id;
    co_return caller;
  }
  auto user = co_await users_.authenticate(*credentials);
  if (!user) co_return problem_of(user.error());
  if (!user->has_value()) co_return unauthorized("ERROR_INVALID_VALUE", "The credentials are wrong.");
  caller.mode = (*user)->account.mode;
  caller.name = "users/" + std::to_string((*user)->account.customer.number);
  caller.user = std::move(*user);
  co_return caller;
}

awaitable<Answered<http::Response>> Face::answer(const http::Request& request) {
  auto caller = co_await authenticate(request.headers);
  if (!caller) co_return caller.error();
  if (has_empty_name(request.path())) co_return missing("username");
  using Outcome = http::Router::Outcome;
  const http::Router::Match match = router_.match(request.method, request.path());
  if (match.outcome == Outcome::method_not_allowed) {
    http::Response response = render_error(405, "The method is not allowed here.");
    response.headers = http::Headers();  // handle() adds the version
    response.headers.add("Allow", match.allow());
    co_return response;
  }
  if (match.outcome != Outcome::found) co_return not_found("resource");
  KeyedRequest keyed(services_, keys_in_use_, caller->mode, caller->name, request);
  const Call call{request, *caller, routes[match.handler()].operation, match, keyed};
  auto response = co_await perform(call);
  if (!response) {
    auto meanwhile = co_await keyed.answered_meanwhile();
    if (meanwhile) {
      reveal_secret(*meanwhile, users_.secret_for(caller->mode, keyed));
      co_return std::move(*meanwhile);
    }
  }
  co_return response;
}

awaitable<Answered<http::Response>> Face::perform(const Call& call) {
  if (call.operation == Operation::create_user) co_return co_await create_user(call);
  auto user = co_await user_of(call);
  if (!user) co_return user.error();
  switch (call.operation) {
    case Operation::list:
      co_return show_list(user->account);
    case Operation::create:
      co_return co_await create(call, std::move(*user));
    case Operation::retrieve:
    case Operation::update:
    case Operation::remove:
      co_return co_await answer_source(call, std::move(*user));
    default:
      co_return co_await answer_user(call, std::move(*user));
  }
}

/// The user whom the path names. Only an administrator learns whether there is one.
awaitable<Answered<User>> Face::user_of(const Call& call) {
  const std::string name = call.match.parameter("username");
  Caller& caller = call.caller;
  if (!caller.is_administrator) {
    const bool is_own = folded_user_name(name) == folded_user_name(caller.user->account.customer.user_name);
    if (!is_own) co_return access_denied();
    co_return std::move(*caller.user);
  }
  auto user = co_await users_.find(caller.mode, name);
  if (!user) co_return problem_of(user.error());
  co_return std::move(*user);
}

awaitable<Answered<http::Response>> Face::create_user(const Call& call) {
  if (!call.caller.is_administrator) co_return access_denied();
  auto fields = read_user(call.request);
  if (!fields) co_return fields.error();
  const std::string secret = users_.secret_for(call.caller.mode, call.keyed);
  Telling telling{call.keyed, [](const Account& account) {
                    return show_user(account, 201, "Successfully created user", SecretShown::yes);
                  }};
  auto created = co_await users_.create(call.caller.mode, std::move(*fields), secret, std::move(telling));
  if (created) reveal_secret(*created, secret);
  co_return created;
}

awaitable<Answered<http::Response>> Face::answer_user(const Call& call, User user) {
  const Mode mode = call.caller.mode;
  if (call.operation == Operation::retrieve_user) co_return show_user(user.account, 200, "Successfully retrieved user");
  if (call.operation == Operation::rotate_secret) {
    const std::string secret = users_.secret_for(mode, call.keyed);
    Telling telling{call.keyed, [](const Account& account) {
                      return show_user(account, 200, "Successfully created secret", SecretShown::yes);
                    }};
    auto rotated = co_await users_.rotate_secret(mode, user, secret, std::move(telling));
    if (rotated) reveal_secret(*rotated, secret);
    co_return rotated;
  }
  if (call.operation == Operation::remove_user) {
    auto removed = co_await users_.remove(mode, user);
    if (!removed) co_return removed.error();
    co_return show_user(user.account, 200, "Successfully removed user");
  }
  auto fields = read_user(call.request);
  if (!fields) co_return fields.error();
  Telling telling{call.keyed,
                  [](const Account& account) { return show_user(account, 200, "Successfully updated user"); }};
  co_return co_await users_.update(mode, user, std::move(*fields), std::move(telling));
}

awaitable<Answered<http::Response>> Face::create(const Call& call, User user) {
  auto fields = read_sources(call.request);
  if (!fields) co_return fields.error();
  if (fields->empty()) co_return too_short("funding_sources", "There is no funding source in the request.");
  AddSources command;
  for (std::size_t item = 0; item < fields->size(); ++item) {
    if (!(*fields)[item].remote_id) co_return missing("remote_id", item);
    command.sources.push_back(new_source((*fields)[item]));
  }
  auto repeated = co_await call.keyed.claim(user.account.key);
  if (!repeated) co_return problem_of_key(repeated.error());
  if (*repeated) co_return std::move(**repeated);
  Errand errand;
  errand.mode = call.caller.mode;
  errand.account = user.account.key;
  errand.command = std::move(command);
  errand.idempotency_key = call.keyed.key();
  errand.show = [count = fields->size()](const Account& account) { return show_created(account, count); };
  auto done = co_await carry_out(services_, std::move(errand));
  if (!done) co_return problem_of(done.error());
  co_return std::move(done->response);
}

awaitable<Answered<http::Response>> Face::answer_source(const Call& call, User user) {
  const std::string text = call.match.parameter("id");
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size())
    co_return invalid_format("id", "id must be an unsigned integer of 64 bits.");
  const Source* source = find_source(user.account, id);
  if (source == nullptr) co_return not_found("id");
  const SourceId source_id = source->id;
  if (call.operation == Operation::retrieve) co_return show_one(user.account, source_id, retrieved);
  if (call.operation == Operation::update) co_return co_await update(call, std::move(user.account), source_id);
  Errand errand;
  errand.mode = call.caller.mode;
  errand.account = user.account.key;
  errand.command = RemoveSource{source_id};
  auto done = co_await carry_out(services_, std::move(errand));
  if (!done) co_return problem_of(done.error());
  co_return show_one(user.account, source_id, "Successfully removed funding sources");
}

awaitable<Answered<http::Response>> Face::update(const Call& call, Account account, SourceId source) {
  auto fields = read_sources(call.request);
  if (!fields) co_return fields.error();
  if (fields->empty()) co_return too_short("funding_sources", "There is no funding source in the request.");
  if (fields->size() > 1) co_return too_long("funding_sources", "One funding source can be changed at a time.");
  auto repeated = co_await call.keyed.claim(account.key);
  if (!repeated) co_return problem_of_key(repeated.error());
  if (*repeated) co_return std::move(**repeated);
  UpdateSource command;
  command.source = source;
  command.reference = std::move(fields->front().remote_id);
  command.nickname = std::move(fields->front().nickname);
  Errand errand;
  errand.mode = call.caller.mode;
  errand.account = account.key;
  errand.command = std::move(command);
  errand.idempotency_key = call.keyed.key();
  errand.show = [source](const Account& after) {
    return show_one(after, source, "Successfully updated funding sources");
  };
  auto done = co_await carry_out(services_, std::move(errand));
  if (!done) co_return problem_of(done.error());
  co_return std::move(done->response);
}

}  // namespace billd::api::funding_sources
