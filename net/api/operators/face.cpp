#include "net/api/operators/face.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "config/secrets.hpp"
#include "net/api/operators/assets.hpp"
#include "net/api/operators/live.hpp"
#include "net/api/operators/measurements.hpp"
#include "net/api/operators/metrics.hpp"
#include "net/api/operators/pages.hpp"
#include "net/api/operators/status_json.hpp"
#include "net/http/form.hpp"
#include "net/http/text.hpp"
#include "net/store/pauses.hpp"

namespace billd::api::operators {

/// A request that was let in.
struct Face::Asked {
  http::Request request;
  Grant grant;
  std::string variable;  ///< of the path; empty: it has none
  bool wants_html = false;

  Reader reader() const { return {grant.may_act(), grant.name}; }
};

namespace {

/// Of the details: of what stands first in a queue, and of the audit log.
constexpr std::size_t first_shown = 50, audit_shown = 200;
constexpr std::size_t who_length_max = 40, why_length_max = 500;

constexpr std::string_view html_type = "text/html; charset=utf-8";

http::Response answer_with(int status, std::string_view type, std::string body) {
  http::Response response;
  response.status = status;
  response.content_type = type;
  response.body = std::move(body);
  return response;
}

http::Response plain(int status, std::string_view text) {
  return answer_with(status, "text/plain; charset=utf-8", std::string(text) + "\n");
}

http::Response see_other(std::string location) {
  http::Response response = plain(303, "See " + location);
  response.headers.add("Location", location);
  return response;
}

int status_of(Errc code) {
  switch (code) {
    case Errc::invalid_parameter:
    case Errc::missing_parameter:
    case Errc::unknown_parameter:
      return 400;
    case Errc::unauthenticated:
      return 401;
    case Errc::forbidden:
      return 403;
    case Errc::not_found:
      return 404;
    case Errc::already_exists:
    case Errc::invalid_state:
    case Errc::conflict:
      return 409;
    default:
      return is_transient(code) ? 503 : 500;
  }
}

std::string_view type_of(int status) {
  if (status == 401) return "authentication_error";
  if (status == 403) return "permission_error";
  return status < 500 ? "invalid_request_error" : "api_error";
}

http::Response render(int status, std::string_view message, std::string_view parameter, bool as_html) {
  if (as_html) return answer_with(status, html_type, error_page(status, message));
  return answer_with(status, "application/json", error_to_json(type_of(status), message, parameter));
}

http::Response render(const Failure& failure, bool as_html) {
  const int status = status_of(failure.code);
  std::string text = failure.detail.empty() ? std::string(message(failure.code)) : failure.detail;
  http::Response response = render(status, text, failure.parameter, as_html);
  if (status == 401) response.headers.add("WWW-Authenticate", "Basic realm=\"billd operators\", charset=\"UTF-8\"");
  return response;
}

/// Whatever is answered is of this moment, is what it says it is, and is shown in no other page.
void add_headers(http::Response& response) {
  if (!response.headers.find("Cache-Control")) response.headers.add("Cache-Control", "no-store");
  response.headers.add("X-Content-Type-Options", "nosniff");
  response.headers.add("X-Frame-Options", "DENY");
  response.headers.add("Referrer-Policy", "same-origin");
  response.headers.add("Content-Security-Policy",
                       "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
                       "form-action 'self'; frame-ancestors 'none'; base-uri 'none'");
}

bool wants_html(const http::Request& request) {
  return request.headers.find("Accept").value_or("").find("text/html") != std::string_view::npos;
}

Failure invalid(std::string parameter, std::string detail) {
  return {Errc::invalid_parameter, std::move(detail), std::move(parameter)};
}

std::string text_of(const http::Parameters& given, std::string_view name) {
  const http::Parameter* found = given.find(name);
  return found != nullptr && found->is_text() ? found->text() : std::string();
}

constexpr std::array action_parameters = {
    RouteParameter{"action", "What to do: retry, park, unpark, pause, resume or redeliver.", true},
    RouteParameter{"account", "One account: the identifier of its customer or of anything that belongs to it."},
    RouteParameter{"mode", "The mode of the account, test or live; without it, the account is looked for in both."},
    RouteParameter{"queue",
                   "The queue to be paused or resumed, webhook_delivery among them; or whose parked accounts are to be "
                   "let back."},
    RouteParameter{"endpoint", "Of redeliver: the webhook endpoint; without it, all that are enabled."},
    RouteParameter{"event", "Of redeliver: the event that is delivered again. This or since."},
    RouteParameter{"since", "Of redeliver: all that happened from then on, in seconds of Unix time."},
    RouteParameter{"reason", "Only the accounts that are parked for this reason."},
    RouteParameter{"why", "Why, for the audit log: 1 to 500 bytes.", true},
    RouteParameter{"by", "Who acts, for the audit log: 1 to 40 bytes. Only where there are no tokens, which say it."},
    RouteParameter{"form_token", "Of forms alone: the page brings it along."},
};
constexpr std::array find_parameters = {RouteParameter{"id", "The identifier to look for.", true}};
constexpr std::array status_parameters = {RouteParameter{"done", "The entry of the audit log to tell of on the page."}};
constexpr std::array account_parameters = {
    RouteParameter{"mode", "test or live; without it, the account is looked for in both."}};
constexpr std::array asset_parameters = {RouteParameter{"verdict", "The colour of the icon: good, warning or bad."}};

/// Refuses what the route does not know, and what is no plain text.
Result<void> check(const http::Parameters& given, std::span<const RouteParameter> known) {
  for (const http::Parameter& parameter : given.children()) {
    if (!std::ranges::any_of(known, [&](const auto& each) { return each.name == parameter.name(); }))
      return Failure{Errc::unknown_parameter, "Received unknown parameter: " + parameter.path(), parameter.path()};
    if (!parameter.is_text()) return invalid(parameter.path(), "Must be one text: " + parameter.path());
  }
  return Result<void>();
}

Result<std::string> limited(const http::Parameters& given, const char* name, std::size_t length_max) {
  std::string text = text_of(given, name);
  if (text.find_first_not_of(" \t\r\n") == std::string::npos)
    return Failure{Errc::missing_parameter, std::string("Missing required parameter: ") + name, name};
  if (text.size() > length_max)
    return invalid(name, std::string(name) + " may have at most " + std::to_string(length_max) + " bytes");
  return without_secrets(std::move(text));
}

}  // namespace

std::span<const Face::Route> Face::routes() {
  using enum http::Method;
  using enum Needs;
  static const std::array table = {
      Route{get, "/healthz", nothing, "200 while the loop turns.", {}, &Face::healthz},
      Route{get, "/readyz", nothing, "200 when the daemon can serve, else 503 with the reason.", {}, &Face::readyz},
      Route{get, "/status", read, "How things are: a page for browsers, JSON for programs (by Accept).",
            status_parameters, &Face::status},
      Route{get, "/status.json", read, "The status as JSON, whatever is accepted.", {}, &Face::status_json},
      Route{get,
            "/status/live",
            read,
            "The parts of the status page as they change: server-sent events.",
            {},
            &Face::live},
      Route{get, "/status/queues/{queue}", read, "One queue: what is due first, what is parked.", {}, &Face::queue},
      Route{get, "/status/accounts", read, "Leads to the account of an identifier.", find_parameters,
            &Face::find_account},
      Route{get, "/status/accounts/{id}", read, "One account: what it waits for and what happened to it.",
            account_parameters, &Face::account},
      Route{get, "/status/webhooks", read, "The webhook endpoints.", {}, &Face::webhooks},
      Route{get,
            "/status/webhooks/{id}",
            read,
            "One webhook endpoint: what it has not taken yet, and what was given up.",
            {},
            &Face::webhook},
      Route{get, "/status/audit", read, "What operators did, newest first.", {}, &Face::audit},
      Route{get,
            "/explain/{id}",
            read,
            "Why a customer, subscription, schedule or invoice is as it is, in plain sentences: what was billed, what "
            "will be and when, by which rule. JSON, text where text/plain is accepted, or a page.",
            {},
            &Face::explain},
      Route{get, "/status/act", act, "What an action would do: the page that asks for confirmation.", action_parameters,
            &Face::confirm},
      Route{post, "/status/act", act, "Does it, and writes who, what and why into the audit log first.",
            action_parameters, &Face::act},
      Route{get, "/status/{asset}", nothing, "The files that the pages are shown with.", asset_parameters,
            &Face::asset},
      Route{get, "/metrics", read, "Metrics in the text format of Prometheus.", {}, &Face::metrics},
      Route{get, "/openapi.json", read, "This document.", {}, &Face::openapi},
  };
  return table;
}

Face::Face(const View& view, Control& control, const Access& access, std::function<std::string()> openapi)
    : view_(view), control_(control), access_(access), make_openapi_(std::move(openapi)) {
  for (std::size_t index = 0; index < routes().size(); ++index)
    router_.add(routes()[index].method, routes()[index].pattern, index);
}

awaitable<http::Response> Face::handle(http::Request request) const {
  const bool as_html = wants_html(request);
  http::Response response;
  const auto match = router_.match(request.method, request.path());
  using Outcome = http::Router::Outcome;
  if (match.outcome == Outcome::method_not_allowed) {
    response = render(405, "Here is answered: " + match.allow() + ".", "", as_html);
    response.headers.add("Allow", match.allow());
  } else if (match.outcome != Outcome::found) {
    response = render(404, "There is nothing at this path; begin at /status.", "", as_html);
  } else {
    const Route& route = routes()[match.handler()];
    Asked asked;
    asked.wants_html = as_html;
    for (const char* name : {"queue", "id", "asset"})
      if (route.pattern.ends_with("{" + std::string(name) + "}")) asked.variable = match.parameter(name);
    auto grant = access_.admit(request);
    if (!grant && route.needs != Needs::nothing) {
      response = render(grant.error(), as_html);
    } else {
      if (grant) asked.grant = std::move(*grant);
      asked.request = std::move(request);
      response = co_await (this->*route.answer)(std::move(asked));
    }
  }
  add_headers(response);
  co_return response;
}

awaitable<http::Response> Face::healthz(Asked) const { co_return plain(200, "ok"); }

awaitable<http::Response> Face::readyz(Asked) const {
  const std::string reason = view_.not_ready_because();
  co_return reason.empty() ? plain(200, "ready") : plain(503, reason);
}

awaitable<http::Response> Face::status(Asked asked) const {
  if (!asked.wants_html) co_return co_await status_json(std::move(asked));
  std::optional<std::uint64_t> done;
  if (auto given = http::parse_form(asked.request.query())) {
    const std::string text = text_of(*given, "done");
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (!text.empty() && error == std::errc() && end == text.data() + text.size()) done = number;
  }
  co_return answer_with(200, html_type, status_page(view_.status(), asked.reader(), done));
}

awaitable<http::Response> Face::status_json(Asked) const {
  co_return answer_with(200, "application/json", to_json(view_.status(), view_.not_ready_because()));
}

awaitable<http::Response> Face::live(Asked asked) const {
  http::Response response = answer_with(200, "text/event-stream", "");
  response.headers.add("X-Accel-Buffering", "no");  // a proxy must not collect them
  response.stream = std::make_shared<LiveStatus>(view_, asked.reader());
  co_return response;
}

awaitable<http::Response> Face::asset(Asked asked) const {
  http::Response response;
  if (asked.variable == "style.css") {
    response = answer_with(200, "text/css; charset=utf-8", std::string(style_sheet));
  } else if (asked.variable == "script.js") {
    response = answer_with(200, "text/javascript; charset=utf-8", std::string(script));
  } else if (asked.variable == "icon.svg") {
    std::string_view colour = "#0a7447";
    if (asked.request.query() == "verdict=warning") colour = "#c97a00";
    if (asked.request.query() == "verdict=bad") colour = "#c5281e";
    response = answer_with(200, "image/svg+xml",
                           "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\"><circle cx=\"8\" cy=\"8\" "
                           "r=\"7\" fill=\"" +
                               std::string(colour) + "\"/></svg>\n");
  } else {
    co_return render(404, "There is no such file.", "", asked.wants_html);
  }
  response.headers.add("Cache-Control", "max-age=60");
  co_return response;
}

awaitable<http::Response> Face::queue(Asked asked) const {
  const Status status = view_.status();
  const auto found = std::ranges::find(status.queues, asked.variable, &QueueStatus::name);
  const auto queue = static_cast<Queue>(found - status.queues.begin());
  if (found == status.queues.end()) {
    std::string names;
    for (const QueueStatus& each : status.queues) names += (names.empty() ? "" : ", ") + each.name;
    co_return render(404, "There is no such queue; there are " + names + ".", "queue", asked.wants_html);
  }
  auto detail = co_await control_.queue(queue, first_shown);
  if (!detail) co_return render(detail.error(), asked.wants_html);
  if (!asked.wants_html) co_return answer_with(200, "application/json", to_json(*found, *detail, status.now));
  co_return answer_with(200, html_type, queue_page(*found, *detail, status.now, asked.reader()));
}

awaitable<http::Response> Face::find_account(Asked asked) const {
  auto given = http::parse_form(asked.request.query());
  if (given)
    if (auto known = check(*given, find_parameters); !known) given = known.error();
  if (!given) co_return render(given.error(), asked.wants_html);
  std::string id = text_of(*given, "id");
  const std::size_t begin = id.find_first_not_of(' ');
  if (begin == std::string::npos) co_return render(400, "Missing required parameter: id", "id", asked.wants_html);
  id = id.substr(begin, id.find_last_not_of(' ') + 1 - begin);
  co_return see_other("/status/accounts/" + http::percent_encoded(id));
}

namespace {

Result<std::optional<Mode>> mode_named(const std::string& name) {
  if (name.empty()) return std::optional<Mode>();
  if (name == "test") return std::optional(Mode::test);
  if (name == "live") return std::optional(Mode::live);
  return invalid("mode", "mode must be test or live");
}

}  // namespace

/// By the identifier of a customer or of what belongs to one, as billd or another system calls it; or by its own name.
awaitable<Result<AccountKey>> Face::key_named(std::string id, std::string parameter) const {
  auto native = co_await control_.native_id(id);
  if (!native) co_return native.error();
  if (auto key = AccountKey::of_id(*native)) co_return *key;
  if (auto key = AccountKey::parse(*native)) co_return *key;
  co_return invalid(parameter,
                    "\"" + without_secrets(id) +
                        "\" leads to no account: give the identifier of a customer or of what belongs to one");
}

/// Where the account is. Where it is nowhere, or cannot be read: test.
awaitable<Mode> Face::mode_of(AccountKey key) const {
  auto in_test = co_await control_.account(Mode::test, key);
  if (in_test || in_test.error().code != Errc::not_found) co_return Mode::test;
  auto in_live = co_await control_.account(Mode::live, key);
  co_return in_live || in_live.error().code != Errc::not_found ? Mode::live : Mode::test;
}

awaitable<http::Response> Face::account(Asked asked) const {
  auto key = co_await key_named(asked.variable, "id");
  if (!key && key.error().code != Errc::invalid_parameter) co_return render(key.error(), asked.wants_html);
  if (!key) co_return render(404, key.error().detail, "id", asked.wants_html);
  auto given = http::parse_form(asked.request.query());
  if (given)
    if (auto known = check(*given, account_parameters); !known) given = known.error();
  if (!given) co_return render(given.error(), asked.wants_html);
  auto mode = mode_named(text_of(*given, "mode"));
  if (!mode) co_return render(mode.error(), asked.wants_html);
  Mode where = Mode::test;
  if (*mode)
    where = **mode;
  else
    where = co_await mode_of(*key);
  auto detail = co_await control_.account(where, *key);
  if (!detail) co_return render(detail.error(), asked.wants_html);
  if (!asked.wants_html) co_return answer_with(200, "application/json", to_json(*detail));
  co_return answer_with(200, html_type, account_page(*detail, view_.status().now, asked.reader()));
}

awaitable<http::Response> Face::webhooks(Asked asked) const {
  auto details = co_await control_.webhooks();
  if (!details) co_return render(details.error(), asked.wants_html);
  if (!asked.wants_html) co_return answer_with(200, "application/json", to_json(*details));
  co_return answer_with(200, html_type, webhooks_page(*details, view_.status().now));
}

awaitable<http::Response> Face::webhook(Asked asked) const {
  auto detail = co_await control_.webhook(asked.variable, first_shown);
  if (!detail) co_return render(detail.error(), asked.wants_html);
  if (!asked.wants_html) co_return answer_with(200, "application/json", to_json(*detail));
  co_return answer_with(200, html_type, webhook_page(*detail, view_.status().now, asked.reader()));
}

awaitable<http::Response> Face::audit(Asked asked) const {
  auto entries = co_await control_.audit(audit_shown);
  if (!entries) co_return render(entries.error(), asked.wants_html);
  if (!asked.wants_html) co_return answer_with(200, "application/json", to_json(*entries));
  co_return answer_with(200, html_type, audit_page(*entries, view_.status().now));
}

awaitable<http::Response> Face::explain(Asked asked) const {
  const bool wants_text =
      asked.request.headers.find("Accept").value_or("").find("text/plain") != std::string_view::npos;
  auto known = http::parse_form(asked.request.query());
  if (known)
    if (auto checked = check(*known, {}); !checked) known = checked.error();
  if (!known) co_return render(known.error(), asked.wants_html);
  auto sections = co_await control_.explain(asked.variable);
  if (!sections) co_return render(sections.error(), asked.wants_html);
  if (asked.wants_html) co_return answer_with(200, html_type, explanation_page(asked.variable, *sections));
  if (wants_text) co_return answer_with(200, "text/plain; charset=utf-8", billd::to_text(*sections));
  co_return answer_with(200, "application/json", to_json(asked.variable, *sections));
}

// Actions.

namespace {

Confirmation confirmation_of(const http::Parameters& given, ActionKind kind) {
  Confirmation confirmation;
  confirmation.kind = kind;
  confirmation.account = text_of(given, "account");
  confirmation.mode = text_of(given, "mode");
  confirmation.queue = text_of(given, "queue");
  confirmation.reason = text_of(given, "reason");
  confirmation.endpoint = text_of(given, "endpoint");
  confirmation.event = text_of(given, "event");
  confirmation.since = text_of(given, "since");
  confirmation.who = text_of(given, "by");
  confirmation.why = text_of(given, "why");
  return confirmation;
}

Result<ActionKind> kind_of(const http::Parameters& given) {
  const std::string name = text_of(given, "action");
  if (name.empty()) return Failure{Errc::missing_parameter, "Missing required parameter: action", "action"};
  const auto kind = action_named(name);
  if (!kind) return invalid("action", "action must be retry, park, unpark, pause, resume or redeliver");
  return *kind;
}

/// One whole request: what it is about is named, and nothing is named that it is not about.
Result<void> check_subject(const Action& action) {
  const bool is_of_queue = action.kind == ActionKind::pause || action.kind == ActionKind::resume;
  const std::string name(to_text(action.kind));
  const bool is_redelivery = action.kind == ActionKind::redeliver;
  const bool names_delivery = !action.endpoint.empty() || !action.event.empty() || action.since;
  if (!is_redelivery && names_delivery)
    return invalid(!action.event.empty() ? "event"
                   : action.since        ? "since"
                                         : "endpoint",
                   "That is of redeliver alone.");
  if (is_redelivery && action.event.empty() == !action.since)
    return Failure{Errc::missing_parameter, "Name either an event or since when.", "event"};
  if (is_redelivery &&
      (action.queue || action.is_of_deliveries || !action.account.is_empty() || !action.reason.empty()))
    return invalid("account", "Webhooks are delivered again by their event or since a time.");
  if (action.is_of_deliveries && !is_of_queue)
    return invalid("queue", "Nothing is parked in webhook_delivery; redeliver brings what was given up.");
  if (is_of_queue && !action.queue && !action.is_of_deliveries)
    return Failure{Errc::missing_parameter, "Name the queue to " + name + ".", "queue"};
  if (is_of_queue && !action.account.is_empty())
    return invalid("account", "An account cannot be " + name + "d: park it.");
  if (action.kind == ActionKind::park && action.account.is_empty())
    return Failure{Errc::missing_parameter, "Name the account to park.", "account"};
  if (!action.account.is_empty() && (action.queue || !action.reason.empty()))
    return invalid(action.queue ? "queue" : "reason", "Name an account, or a queue and a reason; not both.");
  if (is_of_queue && !action.reason.empty()) return invalid("reason", "A queue is paused and resumed as a whole.");
  return Result<void>();
}

}  // namespace

awaitable<Result<Action>> Face::read_action(const http::Parameters& given) const {
  auto kind = kind_of(given);
  if (!kind) co_return kind.error();
  Action action;
  action.kind = *kind;
  action.reason = text_of(given, "reason");
  if (const std::string name = text_of(given, "queue"); !name.empty()) {
    for (std::size_t queue = 0; queue < queue_count; ++queue)
      if (billd::to_text(static_cast<Queue>(queue)) == name) action.queue = static_cast<Queue>(queue);
    action.is_of_deliveries = name == store::deliveries_name;
    if (!action.queue && !action.is_of_deliveries)
      co_return invalid("queue", "There is no queue \"" + without_secrets(name) + "\".");
  }
  auto mode = mode_named(text_of(given, "mode"));
  if (!mode) co_return mode.error();
  if (const std::string id = text_of(given, "account"); !id.empty()) {
    auto key = co_await key_named(id, "account");
    if (!key) co_return key.error();
    action.account = *key;
    if (*mode)
      action.mode = **mode;
    else
      action.mode = co_await mode_of(*key);
  }
  action.endpoint = text_of(given, "endpoint");
  action.event = text_of(given, "event");
  if (const std::string since = text_of(given, "since"); !since.empty()) {
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(since.data(), since.data() + since.size(), seconds);
    if (error != std::errc() || end != since.data() + since.size() || seconds < 0 || seconds > to_unix(end_of_time))
      co_return invalid("since", "since must be seconds of Unix time.");
    action.since = from_unix(seconds);
  }
  auto whole = check_subject(action);
  if (!whole) co_return whole.error();
  co_return action;
}

awaitable<http::Response> Face::confirm(Asked asked) const {
  auto given = http::parse_form(asked.request.query());
  if (given)
    if (auto known = check(*given, action_parameters); !known) given = known.error();
  if (!given) co_return render(given.error(), true);
  auto action = co_await read_action(*given);
  if (!action) co_return render(action.error(), true);
  if (!asked.grant.may_act())
    co_return render(403, "Your token may look, not act: that takes one with the role act.", "", true);
  Confirmation confirmation = confirmation_of(*given, action->kind);
  if (!action->account.is_empty()) confirmation.mode = action->mode == Mode::live ? "live" : "test";
  confirmation.form_token = access_.form_token(asked.grant);
  co_return answer_with(200, html_type, confirmation_page(confirmation, view_.status(), asked.reader()));
}

awaitable<http::Response> Face::act(Asked asked) const {
  const std::string_view type = asked.request.headers.find("Content-Type").value_or("");
  const bool is_json = type.starts_with("application/json");
  const bool as_html = !is_json && asked.wants_html;
  auto given = http::parse_body(type, asked.request.body);
  if (given)
    if (auto known = check(*given, action_parameters); !known) given = known.error();
  if (!given) co_return render(given.error(), as_html);
  const std::string form_token = text_of(*given, "form_token");
  auto admitted = access_.admit_action(asked.request, asked.grant,
                                       is_json ? std::nullopt : std::optional<std::string_view>(form_token));
  if (!admitted) co_return render(admitted.error(), as_html);

  auto action = co_await read_action(*given);
  if (!action) co_return render(action.error(), as_html);
  Operator who;
  who.name = asked.grant.name;
  who.address = asked.request.remote_address;
  Result<void> complete;
  if (who.name.empty()) {
    auto by = limited(*given, "by", who_length_max);
    if (by)
      who.name = *by + " (unverified)";
    else
      complete = by.error();
  }
  auto why = limited(*given, "why", why_length_max);
  if (why)
    action->comment = *why;
  else if (complete)
    complete = why.error();
  Result<ActionResult> result = ActionResult();
  const Action wanted = *action;
  if (complete)
    result = co_await control_.act(std::move(who), std::move(*action));
  else
    result = complete.error();
  if (result && as_html) co_return see_other("/status?done=" + std::to_string(result->entry.number));
  if (result) co_return answer_with(200, "application/json", to_json(*result));
  if (!as_html) co_return render(result.error(), false);
  // The form once more, with what was wrong.
  Confirmation confirmation = confirmation_of(*given, wanted.kind);
  confirmation.form_token = access_.form_token(asked.grant);
  confirmation.problem = result.error().detail;
  co_return answer_with(status_of(result.error().code), html_type,
                        confirmation_page(confirmation, view_.status(), asked.reader()));
}

awaitable<http::Response> Face::metrics(Asked) const {
  co_return answer_with(200, "text/plain; version=0.0.4; charset=utf-8", exposition(view_.measurements()));
}

awaitable<http::Response> Face::openapi(Asked) const {
  if (openapi_.empty()) openapi_ = make_openapi_();
  co_return answer_with(200, "application/json", openapi_);
}

}  // namespace billd::api::operators
