// The pages below the status: one queue, one account, the confirmation of an action, errors.
#include <spdlog/fmt/fmt.h>

#include <array>
#include <map>

#include "net/api/operators/html.hpp"
#include "net/api/operators/pages.hpp"
#include "net/http/message.hpp"
#include "net/http/text.hpp"

namespace billd::api::operators {
namespace {

using html::escape;

using html::header;

std::string_view mode_name(Mode mode) { return mode == Mode::live ? "live" : "test"; }

std::string account_path(Mode mode, const AccountKey& key) {
  return fmt::format("/status/accounts/{}?mode={}", key.value(), mode_name(mode));
}

std::string button(std::string_view kind, const std::string& parameters, std::string_view text) {
  return fmt::format("<a class=\"button\" href=\"/status/act?action={}{}\">{}</a> ", kind, escape(parameters), text);
}

/// A link to why the object of that identifier is as it is.
std::string explained(const std::string& id, const std::string& text) {
  return fmt::format("<a href=\"/explain/{}\">{}</a>", http::percent_encoded(id), text);
}
std::string explained(const std::string& id) { return explained(id, "<code>" + escape(id) + "</code>"); }

/// The link that leads from a row to why its account is as it is.
std::string why_link(const AccountKey& key) {
  const std::string customer = make_id<CustomerKind>(key, 1).value();
  return fmt::format("<a class=\"button\" href=\"/explain/{}\" aria-label=\"Explain the account {}\">Explain</a> ",
                     customer, key.value());
}

std::string parked_row(const store::Store::Parked& parked, Timestamp now, const Reader& reader) {
  std::string action = why_link(parked.key);
  if (reader.may_act)
    action +=
        button("retry", "&account=" + parked.key.value() + "&mode=" + std::string(mode_name(parked.mode)), "Retry");
  return fmt::format(
      "<tr><th scope=\"row\"><a href=\"{}\"><code>{}</code></a></th><td data-label=\"Mode\">{}</td>"
      "<td data-label=\"Parked\">{}</td><td data-label=\"Why\">{}<small>{}</small></td><td data-label=\"By\">{}</td>"
      "<td class=\"act\">{}</td></tr>",
      account_path(parked.mode, parked.key), parked.key.value(), mode_name(parked.mode),
      html::relative(parked.since, now), escape(parked.reason), escape(parked.detail),
      parked.by.empty() ? "billd" : escape(parked.by), action);
}

/// "-12.50 usd".
std::string money(const Money& amount) {
  const auto decimals = static_cast<std::size_t>(amount.currency.decimals());
  std::string digits = std::to_string(amount.minor < 0 ? 0 - static_cast<std::uint64_t>(amount.minor)
                                                       : static_cast<std::uint64_t>(amount.minor));
  if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
  if (decimals > 0) digits.insert(digits.size() - decimals, ".");
  return fmt::format("{}{} {}", amount.minor < 0 ? "-" : "", digits, amount.currency.code());
}

std::string_view to_text(SubscriptionStatus status) {
  constexpr std::array<std::string_view, 7> names = {
      "incomplete", "incomplete and expired", "trialing", "active", "past due", "unpaid", "canceled"};
  return names[static_cast<std::size_t>(status)];
}

std::string_view to_text(InvoiceStatus status) {
  constexpr std::array<std::string_view, 5> names = {"draft", "open", "paid", "uncollectible", "void"};
  return names[static_cast<std::size_t>(status)];
}

std::string_view to_text(ChargeState state) {
  constexpr std::array<std::string_view, 5> names = {"sent, outcome not known", "succeeded", "declined",
                                                     "parked: an operator must look it up at the gateway",
                                                     "pending: it arrived, and the money comes later or not"};
  return names[static_cast<std::size_t>(state)];
}

std::string_view to_text(RefundState state) {
  constexpr std::array<std::string_view, 5> names = {"sent, outcome not known", "under way at the gateway", "succeeded",
                                                     "failed", "parked: an operator must look it up at the gateway"};
  return names[static_cast<std::size_t>(state)];
}

/// What happened to an account, or will.
struct Moment {
  std::string text;
  std::string_view colour;
};
/// Of one instant: in the order in which they happened.
using Moments = std::multimap<Timestamp, Moment>;

void tell(Moments& moments, const Subscription& subscription) {
  const std::string name = "Subscription " + explained(subscription.id.value());
  moments.emplace(subscription.created, Moment{name + " began", ""});
  if (subscription.canceled_at) moments.emplace(*subscription.canceled_at, Moment{name + " was told to end", ""});
  if (subscription.ended_at)
    moments.emplace(*subscription.ended_at,
                    Moment{name + " ended: " + std::string(to_text(subscription.status)), "warning"});
}

void tell(Moments& moments, const Invoice& invoice) {
  const std::string name = "Invoice " + explained(invoice.id.value());
  moments.emplace(invoice.created, Moment{name + " was drawn up: " + money(invoice.total), ""});
  if (invoice.finalized_at)
    moments.emplace(*invoice.finalized_at, Moment{name + " became final as " + escape(invoice.number), ""});
  for (const Charge& charge : invoice.charges) {
    std::string text = fmt::format("{}: attempt {} to charge {} at {}: {}", name, charge.attempt, money(charge.amount),
                                   escape(charge.gateway), to_text(charge.state));
    if (!charge.decline_code.empty()) text += " (" + escape(charge.decline_code) + ")";
    moments.emplace(charge.created, Moment{std::move(text), charge.state == ChargeState::succeeded ? "good" : "bad"});
    for (const Refund& refund : charge.refunds)
      moments.emplace(
          refund.created,
          Moment{fmt::format("{}: refund of {}: {}", name, money(refund.amount), to_text(refund.state)), "warning"});
  }
  if (invoice.paid_at) moments.emplace(*invoice.paid_at, Moment{name + " was paid", "good"});
  if (invoice.voided_at) moments.emplace(*invoice.voided_at, Moment{name + " was voided", "warning"});
  if (invoice.marked_uncollectible_at)
    moments.emplace(*invoice.marked_uncollectible_at, Moment{name + " was given up as uncollectible", "bad"});
}

Moments past_of(const AccountDetail& detail) {
  Moments moments;
  moments.emplace(detail.account.customer.created, Moment{"The customer was made", ""});
  for (const Subscription& subscription : detail.account.subscriptions) tell(moments, subscription);
  for (const Invoice& invoice : detail.account.invoices) tell(moments, invoice);
  for (const Record& record : detail.records) {
    if (const auto* invoice = std::get_if<Invoice>(&record)) tell(moments, *invoice);
    if (const auto* subscription = std::get_if<Subscription>(&record)) tell(moments, *subscription);
  }
  return moments;
}

std::string waits_for(const AccountDetail& detail, Timestamp now) {
  std::string out;
  if (detail.parked)
    out += fmt::format(
        "<p class=\"verdict warning\"><span class=\"dot\"></span>Parked {} by {}, from the queue {}: {}</p><p>{}</p>",
        html::relative(detail.parked->since, now), detail.parked->by.empty() ? "billd" : escape(detail.parked->by),
        billd::to_text(detail.parked->queue), escape(detail.parked->reason), escape(detail.parked->detail));
  if (detail.is_backing_off) out += "<p>Its work failed on this daemon and is tried again soon.</p>";
  std::string rows;
  for (std::size_t queue = 0; queue < queue_count; ++queue)
    if (const auto& due = detail.timers[queue])
      rows +=
          fmt::format("<tr><th scope=\"row\"><a href=\"/status/queues/{0}\">{0}</a></th><td>{1}</td><td>{2}</td></tr>",
                      billd::to_text(static_cast<Queue>(queue)), html::instant(*due), html::relative(*due, now));
  if (rows.empty()) return out + "<p class=\"quiet\">The account waits for nothing.</p>";
  return out + "<table><thead><tr><th>Queue</th><th>Due (UTC)</th><th></th></tr></thead><tbody>" + rows +
         "</tbody></table>";
}

std::string what_now(const AccountDetail& detail) {
  const Account& account = detail.account;
  std::string out;
  for (const Subscription& subscription : account.subscriptions)
    out +=
        fmt::format("<li>Subscription {} is <b>{}</b>, in its period from {} to {}</li>",
                    explained(subscription.id.value()), to_text(subscription.status),
                    html::instant(subscription.current_period.start), html::instant(subscription.current_period.end));
  for (const Invoice& invoice : account.invoices)
    out += fmt::format("<li>Invoice {} over {} is <b>{}</b></li>", explained(invoice.id.value()), money(invoice.total),
                       to_text(invoice.status));
  return out.empty() ? "<p class=\"quiet\">No subscription lives and no invoice is open.</p>" : "<ul>" + out + "</ul>";
}

/// What the action would do, and to how many.
struct Question {
  std::string sentence, button;
};

std::uint64_t parked_matching(const Status& status, const Confirmation& confirmation) {
  std::uint64_t count = 0;
  for (const TroubleStatus& trouble : status.parked)
    if ((confirmation.queue.empty() || trouble.queue == confirmation.queue) &&
        (confirmation.reason.empty() || trouble.reason == confirmation.reason))
      count += trouble.count;
  return count;
}

Question question_of(const Confirmation& confirmation, const Status& status) {
  const std::string queue = "the queue <b>" + escape(confirmation.queue) + "</b>";
  const std::string account = "the account <code>" + escape(confirmation.account) + "</code> (" +
                              (confirmation.mode == "live" ? "live" : "test") + ")";
  switch (confirmation.kind) {
    case ActionKind::pause:
      return {"Begin nothing of what waits in " + queue + ", on all daemons, until somebody resumes it?",
              "Pause " + escape(confirmation.queue)};
    case ActionKind::resume:
      return {"Go on with what waits in " + queue + "?", "Resume " + escape(confirmation.queue)};
    case ActionKind::park:
      return {"Take " + account + " out of its queues until somebody lets it back?", "Park the account"};
    case ActionKind::redeliver: {
      const std::string to = confirmation.endpoint.empty() ? "all webhook endpoints that are enabled"
                                                           : "<code>" + escape(confirmation.endpoint) + "</code>";
      const std::string what = confirmation.event.empty() ? "all events since <b>" + escape(confirmation.since) + "</b>"
                                                          : "<code>" + escape(confirmation.event) + "</code>";
      return {"Deliver " + what + " again to " + to + "?", "Deliver again"};
    }
    case ActionKind::retry:
    case ActionKind::unpark:
      break;
  }
  const bool is_retry = confirmation.kind == ActionKind::retry;
  if (!confirmation.account.empty())
    return {is_retry ? "Let " + account + " back into its queues, and try its work at once?"
                     : "Let " + account + " back into its queues?",
            is_retry ? "Retry the account" : "Unpark the account"};
  const std::string accounts = html::count(parked_matching(status, confirmation), "account", "accounts");
  std::string which = "<b>" + accounts + "</b>";
  which += confirmation.queue.empty() ? " parked in any queue" : " parked in " + queue;
  if (!confirmation.reason.empty()) which += " for “" + escape(confirmation.reason) + "”";
  return {"Let " + which + " back into their queues?", (is_retry ? "Retry " : "Unpark ") + accounts};
}

std::string hidden(std::string_view name, std::string_view value) {
  if (value.empty()) return "";
  return fmt::format("<input type=\"hidden\" name=\"{}\" value=\"{}\">", name, escape(value));
}

std::string state_of(const WebhookDetail& detail, Timestamp now) {
  const WebhookEndpoint& endpoint = detail.endpoint;
  if (endpoint.is_disabled) return "<span class=\"bad\">disabled</span> " + escape(endpoint.disabled_because);
  if (detail.failing_since)
    return "<span class=\"bad\">has failed for " + html::duration(now - *detail.failing_since) + "</span>";
  if (detail.waiting_events > 0) return "<span class=\"warning\">some are tried again</span>";
  return "<span class=\"good\">enabled</span>";
}

std::string wanted_events(const WebhookEndpoint& endpoint) {
  std::string names;
  for (const std::string& type : endpoint.enabled_events)
    names +=
        (names.empty() ? "" : ", ") + (type == "*" ? std::string("all events") : "<code>" + escape(type) + "</code>");
  return names.empty() ? "nothing" : names;
}

std::string redeliver_button(const WebhookDetail& detail, const std::string& what, std::string_view text) {
  return button("redeliver", "&endpoint=" + detail.endpoint.id.value() + what, text);
}

std::string undelivered(const WebhookDetail& detail, const std::vector<UndeliveredEvent>& events, Timestamp now,
                        const Reader& reader) {
  if (events.empty()) return "<p class=\"quiet\">Nothing.</p>";
  std::string out =
      "<table class=\"stacked\"><thead><tr><th>Event</th><th>Account</th><th>Tries</th><th>Last</th><th>Next</th>"
      "<th>Problem</th><th></th></tr></thead><tbody>";
  for (const UndeliveredEvent& event : events) {
    // What waits is tried again by itself; an endpoint that is disabled takes nothing.
    std::string action;
    if (reader.may_act && !event.next_at && !detail.endpoint.is_disabled)
      action = redeliver_button(detail, "&event=" + http::percent_encoded(event.event), "Deliver");
    out += fmt::format(
        "<tr><th scope=\"row\"><code>{}</code>{}</th><td data-label=\"Account\"><a href=\"{}\"><code>{}</code></a></td>"
        "<td data-label=\"Tries\">{}</td><td data-label=\"Last\">{}</td><td data-label=\"Next\">{}</td>"
        "<td data-label=\"Problem\" class=\"wide\">{}</td><td class=\"act\">{}</td></tr>",
        escape(event.event), event.behind > 0 ? "<small>and " + html::count(event.behind) + " behind it</small>" : "",
        account_path(detail.mode, event.key), event.key.value(), event.failures, html::relative(event.failed_at, now),
        event.next_at ? html::relative(*event.next_at, now) : "never", escape(event.problem), action);
  }
  return out + "</tbody></table>";
}

}  // namespace

std::string queue_page(const QueueStatus& queue, const QueueDetail& detail, Timestamp now, const Reader& reader) {
  html::Page page;
  page.title = "Queue " + queue.name + " – billd";
  page.body = header;
  page.body += fmt::format("<section><h1>Queue {}</h1>", escape(queue.name));
  if (queue.pause)
    page.body +=
        fmt::format("<p class=\"verdict warning\"><span class=\"dot\"></span>Paused by {} {}: {}</p>",
                    escape(queue.pause->by), html::relative(queue.pause->since, now), escape(queue.pause->why));
  page.body += fmt::format(
      "<dl class=\"tiles\"><div class=\"tile\"><dt>Waiting</dt><dd>{}</dd></div><div class=\"tile\"><dt>Due now</dt>"
      "<dd>{}</dd></div><div class=\"tile\"><dt>In flight</dt><dd>{}</dd></div><div class=\"tile\"><dt>Done in the "
      "last "
      "minute</dt><dd>{}</dd></div><div class=\"tile\"><dt>Parked</dt><dd>{}</dd></div></dl>",
      html::count(queue.waiting), html::count(queue.due), html::count(queue.in_flight),
      html::count(queue.rate_per_minute), html::count(queue.parked));
  if (reader.may_act) {
    page.body += "<p class=\"buttons\">" + button(queue.pause ? "resume" : "pause", "&queue=" + queue.name,
                                                  queue.pause ? "Resume this queue" : "Pause this queue");
    if (queue.parked > 0) page.body += button("retry", "&queue=" + queue.name, "Retry all that are parked here");
    page.body += "</p>";
  }
  page.body += "</section><section><h2>Parked</h2>";
  if (detail.parked.empty()) page.body += "<p class=\"quiet\">Nothing.</p>";
  if (!detail.parked.empty()) {
    page.body +=
        "<table class=\"stacked\"><thead><tr><th>Account</th><th>Mode</th><th>Parked</th><th>Why</th><th>By</th>"
        "<th></th></tr></thead><tbody>";
    for (const auto& parked : detail.parked) page.body += parked_row(parked, now, reader);
    page.body += "</tbody></table>";
  }
  page.body += "</section><section><h2>Due first</h2>";
  if (detail.first.empty()) page.body += "<p class=\"quiet\">Nothing waits in this queue.</p>";
  if (!detail.first.empty()) {
    page.body +=
        "<table class=\"stacked\"><thead><tr><th>Account</th><th>Mode</th><th>Due (UTC)</th><th>That is</th><th></th>"
        "</tr></thead><tbody>";
    for (const auto& due : detail.first)
      page.body += fmt::format(
          "<tr><th scope=\"row\"><a href=\"{}\"><code>{}</code></a></th><td data-label=\"Mode\">{}</td>"
          "<td data-label=\"Due (UTC)\">{}</td><td data-label=\"That is\">{}</td><td class=\"act\">{}</td></tr>",
          account_path(due.mode, due.key), due.key.value(), mode_name(due.mode), html::instant(due.due),
          html::relative(due.due, now), why_link(due.key));
    page.body += "</tbody></table>";
  }
  page.body += "</section></main>";
  return html::document(page);
}

std::string account_page(const AccountDetail& detail, Timestamp now, const Reader& reader) {
  const Account& account = detail.account;
  html::Page page;
  page.title = account.customer.id.value() + " – billd";
  page.body = header;
  page.body += fmt::format("<section><h1><code>{}</code></h1><p>{} mode · account <code>{}</code>{}{}</p>",
                           escape(account.customer.id.value()), mode_name(account.mode), account.key.value(),
                           account.customer.test_clock.is_empty()
                               ? ""
                               : " · on the test clock " + escape(account.customer.test_clock.value()),
                           account.customer.delinquent ? " · <span class=\"bad\">delinquent</span>" : "");
  page.body += "<p class=\"buttons\">" + why_link(account.key);
  if (reader.may_act) {
    const std::string parameters = "&account=" + http::percent_encoded(account.customer.id.value()) +
                                   "&mode=" + std::string(mode_name(account.mode));
    page.body += button("retry", parameters, detail.parked ? "Retry" : "Try its work now");
    if (!detail.parked) page.body += button("park", parameters, "Park");
  }
  page.body += "</p></section><section><h2>What it waits for</h2>" + waits_for(detail, now) +
               "</section><section><h2>How it is</h2>" + what_now(detail) +
               "</section><section><h2>What happened</h2><ol class=\"timeline\">";
  const Moments past = past_of(detail);
  for (auto moment = past.rbegin(); moment != past.rend(); ++moment)
    page.body += fmt::format("<li class=\"{}\">{} <span>{}</span></li>", moment->second.colour,
                             html::instant(moment->first), moment->second.text);
  page.body += "</ol></section></main>";
  return html::document(page);
}

std::string explanation_page(std::string_view id, const std::vector<Section>& sections) {
  html::Page page;
  page.title = std::string(id) + " explained – billd";
  page.body = std::string(header) + "<h1><code>" + escape(id) + "</code></h1>";
  for (const Section& section : sections) {
    page.body += "<section><h2>" + escape(section.title) + "</h2>";
    for (const std::string& sentence : section.sentences) page.body += "<p>" + escape(sentence) + "</p>";
    page.body += "</section>";
  }
  page.body += fmt::format("<p><a href=\"/status/accounts/{}\">The account</a></p></main>", http::percent_encoded(id));
  return html::document(page);
}

std::string webhooks_page(const std::vector<WebhookDetail>& details, Timestamp now) {
  html::Page page;
  page.title = "Webhook endpoints – billd";
  page.body = std::string(header) + "<section><h1>Webhook endpoints</h1>";
  if (details.empty()) page.body += "<p class=\"quiet\">There are none.</p>";
  if (!details.empty()) {
    page.body +=
        "<table class=\"stacked\"><thead><tr><th>Endpoint</th><th>Mode</th><th>URL</th><th>State</th><th>Waiting</th>"
        "<th>Delivered</th></tr></thead><tbody>";
    for (const WebhookDetail& detail : details)
      page.body += fmt::format(
          "<tr><th scope=\"row\"><a href=\"/status/webhooks/{0}\"><code>{0}</code></a></th><td data-label=\"Mode\">{1}"
          "</td><td data-label=\"URL\" class=\"wide\">{2}</td><td data-label=\"State\">{3}</td>"
          "<td data-label=\"Waiting\">{4}</td><td data-label=\"Delivered\">{5}</td></tr>",
          escape(detail.endpoint.id.value()), mode_name(detail.mode), escape(detail.endpoint.url),
          state_of(detail, now), html::count(detail.waiting_events),
          detail.delivered_at ? html::relative(*detail.delivered_at, now) : "never");
    page.body += "</tbody></table>";
  }
  page.body += "</section></main>";
  return html::document(page);
}

std::string webhook_page(const WebhookDetail& detail, Timestamp now, const Reader& reader) {
  html::Page page;
  page.title = detail.endpoint.id.value() + " – billd";
  page.body = header;
  page.body +=
      fmt::format("<section><h1><code>{}</code></h1><p>{} mode · {} · {}</p><p>", escape(detail.endpoint.id.value()),
                  mode_name(detail.mode), escape(detail.endpoint.url), state_of(detail, now));
  page.body += detail.delivered_at ? "Something was delivered " + html::relative(*detail.delivered_at, now) + "."
                                   : "Nothing has been delivered yet.";
  page.body += " It wants " + wanted_events(detail.endpoint) + ".</p>";
  page.body += "<p class=\"quiet\">What failed is tried again by itself, until it is given up.</p>";
  if (reader.may_act && !detail.endpoint.is_disabled) {
    const auto since = [&](std::chrono::hours before) { return "&since=" + std::to_string(to_unix(now - before)); };
    page.body += "<p class=\"buttons\">" +
                 redeliver_button(detail, since(std::chrono::hours(1)), "Deliver the last hour again") +
                 redeliver_button(detail, since(std::chrono::hours(24)), "Deliver the last day again") + "</p>";
  }
  page.body += "</section><section><h2>What waits to be tried again</h2>" +
               undelivered(detail, detail.waiting, now, reader) + "</section><section><h2>What was given up</h2>" +
               undelivered(detail, detail.given_up, now, reader) + "</section></main>";
  return html::document(page);
}

std::string confirmation_page(const Confirmation& confirmation, const Status& status, const Reader& reader) {
  const Question question = question_of(confirmation, status);
  html::Page page;
  page.title = "Are you sure? – billd";
  page.body = header;
  page.body += "<section class=\"confirm\"><h1>Are you sure?</h1><p class=\"answer\">" + question.sentence + "</p>";
  if (!confirmation.problem.empty())
    page.body += "<p class=\"problem\" role=\"alert\">" + escape(confirmation.problem) + "</p>";
  page.body += "<form method=\"post\" action=\"/status/act\">" + hidden("action", to_text(confirmation.kind)) +
               hidden("account", confirmation.account) + hidden("mode", confirmation.mode) +
               hidden("queue", confirmation.queue) + hidden("reason", confirmation.reason) +
               hidden("endpoint", confirmation.endpoint) + hidden("event", confirmation.event) +
               hidden("since", confirmation.since) + hidden("form_token", confirmation.form_token);
  if (reader.name.empty())
    page.body += fmt::format(
        "<label>Who are you?<input name=\"by\" required maxlength=\"40\" autocomplete=\"username\" "
        "value=\"{}\"></label>",
        escape(confirmation.who));
  page.body += fmt::format(
      "<label>Why?<input name=\"why\" required maxlength=\"500\" autocomplete=\"off\" value=\"{}\"></label>"
      "<p class=\"buttons\"><button>{}</button><a class=\"button plain\" href=\"/status\">Cancel</a></p></form>"
      "<p class=\"quiet\">Who, when, what and why go into the audit log.</p></section></main>",
      escape(confirmation.why), question.button);
  return html::document(page);
}

std::string error_page(int status, std::string_view message) {
  html::Page page;
  page.title = std::string(http::reason_phrase(status)) + " – billd";
  page.body = std::string(header) + fmt::format("<section><h1>{}</h1><p class=\"answer\">{}</p></section></main>",
                                                http::reason_phrase(status), escape(message));
  return html::document(page);
}

}  // namespace billd::api::operators
