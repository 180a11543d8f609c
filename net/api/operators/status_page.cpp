// The status page: its parts in the order of an operator's questions.
#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "net/api/operators/html.hpp"
#include "net/api/operators/pages.hpp"
#include "net/http/text.hpp"

namespace billd::api::operators {
namespace {

using html::escape;

struct Sums {
  std::uint64_t late = 0, due = 0, done = 0, became_due = 0, in_flight = 0, parked = 0, paused = 0;
};

Sums sums_of(const Status& status) {
  Sums sums;
  for (const QueueStatus& queue : status.queues) {
    sums.late += queue.pause ? 0 : queue.late;
    sums.due += queue.due;
    sums.done += queue.rate_per_minute;
    sums.became_due += queue.became_due_last_minute;
    sums.in_flight += queue.in_flight;
    sums.parked += queue.parked;
    sums.paused += queue.pause ? 1 : 0;
  }
  sums.paused += status.deliveries.is_paused ? 1 : 0;
  return sums;
}

std::string tile(std::string_view name, const std::string& value, std::string_view kind = "") {
  return fmt::format("<div class=\"tile {}\"><dt>{}</dt><dd>{}</dd></div>", kind, name, value);
}

std::string lateness_tile(std::string_view name, Duration late) {
  return tile(name, html::duration(late), late > std::chrono::seconds(1) ? "bad" : "good");
}

/// A link to the page that asks for confirmation.
std::string action_link(std::string_view kind, std::string_view parameters, std::string_view text,
                        std::string_view label) {
  return fmt::format("<a class=\"button\" href=\"/status/act?action={}{}\" aria-label=\"{}\">{}</a>", kind,
                     escape(parameters), escape(label), text);
}

std::string account_link(const TroubleStatus& trouble) {
  return fmt::format("<a href=\"/status/accounts/{0}?mode={1}\"><code>{0}</code></a>{2}", escape(trouble.example),
                     trouble.mode == Mode::live ? "live" : "test", trouble.mode == Mode::live ? " (live)" : "");
}

/// A chart of the last day; `value` takes what is drawn out of each step.
html::Chart day_chart(const LatenessStatus& lateness, std::uint64_t (*value)(const HistoryStatus&)) {
  html::Chart chart;
  for (const HistoryStatus& step : lateness.day) {
    html::Bar bar;
    bar.value = value(step);
    bar.is_known = step.is_known;
    const std::chrono::hh_mm_ss at(std::chrono::floor<std::chrono::minutes>(step.from) -
                                   std::chrono::floor<std::chrono::days>(step.from));
    bar.label = fmt::format("{:02}:{:02} UTC: ", at.hours().count(), at.minutes().count());
    bar.label += step.is_known ? html::duration(step.late) + " late at most, " + html::count(step.done) + " done, " +
                                     html::count(step.failed) + " failed"
                               : "nobody looked";
    chart.bars.push_back(std::move(bar));
  }
  chart.axis = {"24 h ago", "18 h", "12 h", "6 h", "now"};
  return chart;
}

std::string late_part(const Status& status) {
  const LatenessStatus& lateness = status.lateness;
  html::Chart chart = day_chart(lateness, [](const HistoryStatus& step) {
    return static_cast<std::uint64_t>(std::max<Duration::rep>(step.late.count(), 0));
  });
  Duration greatest{0};
  for (std::size_t i = 0; i < lateness.day.size(); ++i) {
    greatest = std::max(greatest, lateness.day[i].late);
    chart.bars[i].is_striking = lateness.day[i].late > std::chrono::seconds(1);
  }
  chart.summary = "How late work was in the last day: at most " + html::duration(greatest);
  chart.greatest = greatest > Duration(0) ? "late by up to " + html::duration(greatest) : "never late";
  return "<h2>Is anything late?</h2><dl class=\"tiles\">" + lateness_tile("Now", lateness.now) +
         lateness_tile("Last hour, at worst", lateness.last_hour) +
         lateness_tile("Last day, at worst", lateness.last_day) + "</dl>" + html::chart(chart);
}

std::string done_chart(const LatenessStatus& lateness) {
  html::Chart chart = day_chart(lateness, [](const HistoryStatus& step) { return step.done; });
  std::uint64_t greatest = 0, all = 0;
  for (const HistoryStatus& step : lateness.day) {
    greatest = std::max(greatest, step.done);
    all += step.done;
  }
  chart.summary = "What was done in the last day: " + html::count(all);
  const auto minutes = std::chrono::duration_cast<std::chrono::minutes>(lateness.step).count();
  chart.greatest = "done by this daemon: " + html::count(all);
  if (greatest > 0) chart.greatest += fmt::format(", up to {} in {} min", html::count(greatest), minutes);
  return html::chart(chart);
}

std::string queue_row(const QueueStatus& queue, Timestamp now, const Reader& reader) {
  std::string state = "<span class=\"good\">on time</span>", action;
  if (queue.late > 0) state = "<span class=\"bad\">" + html::duration(now - *queue.oldest) + " late</span>";
  if (queue.pause) state = "<span class=\"warning\">paused by " + escape(queue.pause->by) + "</span>";
  const std::string parameters = "&queue=" + queue.name;
  if (reader.may_act)
    action = queue.pause ? action_link("resume", parameters, "Resume", "Resume the queue " + queue.name)
                         : action_link("pause", parameters, "Pause", "Pause the queue " + queue.name);
  const std::string next = queue.oldest ? "" : queue.next ? html::relative(*queue.next, now) : "–";
  return fmt::format(
      "<tr><th scope=\"row\"><a href=\"/status/queues/{0}\">{0}</a></th><td data-label=\"State\">{1}</td>"
      "<td data-label=\"Waiting\">{2}</td><td data-label=\"Due now\">{3}</td><td data-label=\"In flight\">{4}</td>"
      "<td data-label=\"Done a minute\">{5}</td><td data-label=\"Parked\">{6}</td><td data-label=\"Next due\">{7}</td>"
      "<td class=\"act\">{8}</td></tr>",
      escape(queue.name), state, html::count(queue.waiting), html::count(queue.due), html::count(queue.in_flight),
      html::count(queue.rate_per_minute), html::count(queue.parked), next.empty() ? "now" : next, action);
}

/// Like a queue's; its work is done in each endpoint's own order, and is never parked.
std::string deliveries_row(const DeliveriesStatus& deliveries, Timestamp now, const Reader& reader) {
  if (deliveries.name.empty()) return "";
  std::string state = "<span class=\"good\">on time</span>";
  if (deliveries.endpoints == 0) state = "<span class=\"quiet\">no endpoints</span>";
  if (deliveries.waiting > 0) state = "<span class=\"warning\">tried again</span>";
  if (deliveries.failing > 0 && deliveries.failing_since)
    state = "<span class=\"bad\">" + html::count(deliveries.failing, "endpoint fails", "endpoints fail") + ", " +
            html::duration(now - *deliveries.failing_since) + " now</span>";
  if (deliveries.is_paused) state = "<span class=\"warning\">paused</span>";
  if (deliveries.disabled > 0)
    state += "<small class=\"bad\">" + html::count(deliveries.disabled, "endpoint", "endpoints") + " disabled</small>";
  const std::string parameters = "&queue=" + deliveries.name;
  std::string action;
  if (reader.may_act)
    action = deliveries.is_paused ? action_link("resume", parameters, "Resume", "Resume the delivery of webhooks")
                                  : action_link("pause", parameters, "Pause", "Pause the delivery of webhooks");
  return fmt::format(
      "<tr><th scope=\"row\"><a href=\"/status/webhooks\">{}</a></th><td data-label=\"State\">{}</td>"
      "<td data-label=\"Waiting\">{}</td><td data-label=\"Due now\">–</td><td data-label=\"In flight\">{}</td>"
      "<td data-label=\"Done a minute\">{}</td><td data-label=\"Parked\">–</td><td data-label=\"Next due\">{}</td>"
      "<td class=\"act\">{}</td></tr>",
      escape(deliveries.name), state, html::count(deliveries.waiting), html::count(deliveries.in_flight),
      html::count(deliveries.rate_per_minute), deliveries.next ? html::relative(*deliveries.next, now) : "–", action);
}

std::string daemons_of(const Status& status) {
  std::uint64_t owned = 0;
  for (const DaemonStatus& daemon : status.daemons) owned += daemon.partitions;
  std::string out = "<ul class=\"daemons\">";
  for (const DaemonStatus& daemon : status.daemons)
    out += fmt::format("<li><span class=\"dot\"></span><b>{}</b>{} holds {}</li>", escape(daemon.name),
                       daemon.is_this ? " (this one)" : "", html::count(daemon.partitions, "partition", "partitions"));
  if (owned < status.partitions.size())
    out += fmt::format("<li class=\"bad\">{} held by nobody that lives</li>",
                       html::count(status.partitions.size() - owned, "partition is", "partitions are"));
  return out + "</ul>";
}

std::string moving_part(const Status& status, const Reader& reader) {
  const Sums sums = sums_of(status);
  std::string out =
      "<h2>Is work moving?</h2><dl class=\"tiles\">" +
      tile("Became due in the last minute", html::count(sums.became_due)) +
      tile("Done in the last minute", html::count(sums.done)) + tile("In flight", html::count(sums.in_flight)) +
      tile("Daemons alive", html::count(status.daemons.size()), status.daemons.empty() ? "bad" : "") + "</dl>";
  out +=
      "<table class=\"stacked\"><thead><tr><th>Queue</th><th>State</th><th>Waiting</th><th>Due now</th>"
      "<th>In flight</th><th>Done a minute</th><th>Parked</th><th>Next due</th><th></th></tr></thead><tbody>";
  for (const QueueStatus& queue : status.queues) out += queue_row(queue, status.now, reader);
  out += deliveries_row(status.deliveries, status.now, reader);
  return out + "</tbody></table>" + daemons_of(status) + done_chart(status.lateness);
}

std::string clean_part(const Status& status) {
  std::string answer;
  if (!status.obstacle.empty())
    answer = "<span class=\"bad\">Not before this is mended:</span> " + escape(status.obstacle);
  else if (!status.clean_in)
    answer = "<span class=\"bad\">Not at this pace:</span> more becomes due than is done.";
  else if (status.clean_in->count() == 0)
    answer = "<span class=\"good\">It is clean:</span> nothing that is due waits in this daemon’s partitions.";
  else
    answer = "In about <b>" + html::duration(*status.clean_in) + "</b>, at the pace of the last minute.";
  const Sums sums = sums_of(status);
  if (sums.paused > 0) answer += " What waits in a paused queue stays there.";
  return "<h2>When will it be clean?</h2><p class=\"answer\">" + answer + "</p>";
}

std::string trouble_rows(const std::vector<TroubleStatus>& troubles, Timestamp now, bool are_parked,
                         const Reader& reader) {
  std::string out;
  for (const TroubleStatus& trouble : troubles) {
    std::string action;
    const std::string parameters = "&queue=" + trouble.queue + "&reason=" + http::percent_encoded(trouble.reason);
    if (are_parked && reader.may_act)
      action = action_link("retry", parameters, "Retry all", "Retry all that are parked for: " + trouble.reason);
    std::string detail = escape(trouble.reason);
    if (!trouble.detail.empty()) detail += "<small>" + escape(trouble.detail) + "</small>";
    out += fmt::format(
        "<tr><th scope=\"row\">{}</th><td data-label=\"Queue\">{}</td><td data-label=\"Accounts\">{}</td>"
        "<td data-label=\"First\">{}</td><td data-label=\"Last\">{}</td><td data-label=\"Example\">{}</td>"
        "<td class=\"act\">{}</td></tr>",
        detail, escape(trouble.queue), html::count(trouble.count), html::relative(trouble.first, now),
        html::relative(trouble.last, now), account_link(trouble), action);
  }
  return out;
}

std::string failed_part(const Status& status, const Reader& reader) {
  std::string out = "<h2>What failed, and why?</h2>";
  auto table = [&](const std::vector<TroubleStatus>& troubles, bool are_parked, const char* counted) {
    return fmt::format(
               "<table class=\"stacked\"><thead><tr><th>Reason</th><th>Queue</th><th>{}</th><th>First</th><th>Last</th>"
               "<th>Example</th><th></th></tr></thead><tbody>",
               counted) +
           trouble_rows(troubles, status.now, are_parked, reader) + "</tbody></table>";
  };
  if (status.parked.empty() && status.failures.empty())
    return out +
           "<p class=\"answer\"><span class=\"good\">Nothing</span> is parked, and nothing has failed since "
           "this daemon began.</p>";
  if (!status.parked.empty())
    out += "<h3>Parked: taken out of the queues until somebody lets them back</h3>" +
           table(status.parked, true, "Accounts");
  if (!status.failures.empty())
    out += "<h3>Failures since this daemon began; what is not parked is tried again by itself</h3>" +
           table(status.failures, false, "Failures");
  if (status.backing_off > 0)
    out += "<p>" + html::count(status.backing_off, "account waits", "accounts wait") + " to be tried again.</p>";
  return out;
}

/// "parked" for "park".
std::string done_word(const std::string& action) {
  constexpr std::pair<std::string_view, std::string_view> words[] = {
      {"retry", "retried"},
      {"park", "parked"},
      {"unpark", "unparked"},
      {"pause", "paused"},
      {"resume", "resumed"},
      {"redeliver", "delivered again:"},
      {"disable_webhook_endpoint", "disabled the webhook endpoint"}};
  for (const auto& [name, done] : words)
    if (name == action) return std::string(done);
  return escape(action);
}

std::string audit_list(const std::vector<store::AuditEntry>& entries, Timestamp now) {
  if (entries.empty()) return "<p class=\"quiet\">Nobody has done anything yet.</p>";
  std::string out = "<ol class=\"audit\">";
  for (const store::AuditEntry& entry : entries)
    out +=
        fmt::format("<li><b>{}</b> {} <span>{}</span>{} <q>{}</q> {}</li>", escape(entry.who), done_word(entry.action),
                    escape(entry.subject), entry.outcome.empty() ? "" : ": " + escape(entry.outcome),
                    escape(entry.comment), html::relative(entry.at, now));
  return out + "</ol>";
}

std::string actions_part(const Status& status, const Reader& reader) {
  std::string out = "<h2>What may I do?</h2>";
  if (!reader.may_act)
    out += "<p class=\"quiet\">You may look; who acts needs a token with the role <code>act</code>.</p>";
  const Sums sums = sums_of(status);
  if (reader.may_act) {
    out += "<p class=\"buttons\">";
    if (sums.parked > 0)
      out += action_link(
          "retry", "",
          sums.parked == 1 ? "Retry the parked account" : "Retry all " + html::count(sums.parked) + " parked accounts",
          "Retry all parked accounts");
    else
      out += "Nothing is parked. ";
    out += "Queues are paused and resumed above. Every action asks for a reason first.</p>";
  }
  return out + "<h3>Who did what</h3>" + audit_list(status.audit, status.now) +
         "<p><a href=\"/status/audit\">All of the audit log</a></p>";
}

std::string coming_chart(std::string_view name, const std::uint64_t* counts, std::size_t size, Timestamp from,
                         bool are_days, std::vector<std::string> axis) {
  html::Chart chart;
  const std::uint64_t all = std::accumulate(counts, counts + size, std::uint64_t{0});
  const std::uint64_t greatest = *std::max_element(counts, counts + size);
  for (std::size_t i = 0; i < size; ++i) {
    html::Bar bar;
    bar.value = counts[i];
    const auto step = static_cast<std::int64_t>(i);
    if (are_days) {
      const std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(from) + std::chrono::days(step));
      bar.label =
          fmt::format("{:04}-{:02}-{:02}: {} due", static_cast<int>(day.year()), static_cast<unsigned>(day.month()),
                      static_cast<unsigned>(day.day()), html::count(counts[i]));
    } else {
      const auto hour = (std::chrono::floor<std::chrono::hours>(from).time_since_epoch().count() + step) % 24;
      bar.label = fmt::format("{:02}:00 UTC: {} due", hour, html::count(counts[i]));
    }
    chart.bars.push_back(std::move(bar));
  }
  chart.summary = fmt::format("{}: {} in all", name, html::count(all));
  chart.greatest = greatest == 0 ? "nothing" : "up to " + html::count(greatest);
  chart.axis = std::move(axis);
  return fmt::format("<div><h3>{} <small>{} in all</small></h3>{}</div>", name, html::count(all), html::chart(chart));
}

std::string coming_part(const Status& status) {
  const ComingStatus& coming = status.coming;
  return "<h2>What is coming?</h2><div class=\"pair\">" +
         coming_chart("Due in the next day", coming.by_hour.data(), coming.by_hour.size(), coming.from_hour, false,
                      {"this hour", "+6 h", "+12 h", "+18 h", "+24 h"}) +
         coming_chart("Due in the next month", coming.by_day.data(), coming.by_day.size(), coming.from_day, true,
                      {"today", "+8 d", "+16 d", "+24 d", "+31 d"}) +
         "</div>";
}

std::string about_part(const Status& status) {
  std::string redis = status.redis.connected ? "connected" : "<span class=\"bad\">does not answer</span>";
  if (status.redis.round_trip)
    redis += ", " + html::duration(*status.redis.round_trip + std::chrono::microseconds(999)) + " a round trip";
  if (status.redis.memory_used > 0) {
    redis += fmt::format(", {} MB used", html::count(status.redis.memory_used / 1'000'000));
    if (status.redis.memory_max > 0) redis += fmt::format(" of {}", html::count(status.redis.memory_max / 1'000'000));
  }
  return fmt::format(
      "<p>billd {} · {} · up {} · Redis at {} {} · clock {} · {} UTC</p>"
      "<p><a href=\"/metrics\">Metrics</a> · <a href=\"/openapi.json\">OpenAPI</a> · <a href=\"/status.json\">This "
      "page "
      "as JSON</a></p>",
      escape(status.version), escape(status.daemon), html::duration(status.uptime), escape(status.redis.address), redis,
      status.clock_is_trusted ? "trusted" : "<span class=\"bad\">not trusted</span>", html::instant(status.now));
}

std::string verdict_part(const Status& status) {
  const Verdict now = verdict(status);
  return fmt::format("<p class=\"verdict {0}\" data-verdict=\"{0}\"><span class=\"dot\"></span>{1}</p>", now.colour,
                     escape(now.text));
}

/// What the reader has just done, as the audit log tells it.
std::string done_banner(const Status& status, std::uint64_t number) {
  const auto entry = std::ranges::find(status.audit, number, &store::AuditEntry::number);
  if (entry == status.audit.end()) return "";
  std::string text = fmt::format("Done: {} {}.", done_word(entry->action), escape(entry->subject));
  const std::string of_it = "of entry " + std::to_string(number);
  const auto outcome = std::ranges::find(status.audit, of_it, &store::AuditEntry::comment);
  if (outcome != status.audit.end()) text += " " + escape(outcome->outcome);
  return fmt::format("<p class=\"done\" role=\"status\">{} It is entry {} of the audit log.</p>", text, number);
}

}  // namespace

Verdict verdict(const Status& status) {
  if (status.is_stopping) return {"warning", "This daemon is stopping."};
  if (!status.data_loss.empty()) return {"bad", "Money stands still, because Redis lost data: " + status.data_loss};
  if (!status.redis.connected) return {"bad", "Redis does not answer: " + status.redis.warning};
  if (!status.obstacle.empty()) return {"bad", "Nothing that is due is done: " + status.obstacle};
  const Sums sums = sums_of(status);
  if (sums.late > 0)
    return {"bad", html::count(sums.late, "account is", "accounts are") + " late, the oldest by " +
                       html::duration(status.lateness.now) + "."};
  std::string text = "Nothing is late.";
  if (sums.paused > 0) text += " " + html::count(sums.paused, "queue is", "queues are") + " paused.";
  if (sums.parked > 0)
    text += " " + html::count(sums.parked, "parked account waits", "parked accounts wait") + " for you.";
  const DeliveriesStatus& deliveries = status.deliveries;
  if (deliveries.failing > 0)
    text += " " + html::count(deliveries.failing, "webhook endpoint fails", "webhook endpoints fail") + ", " +
            html::count(deliveries.waiting, "event waits", "events wait") + ".";
  if (deliveries.disabled > 0)
    text += " " + html::count(deliveries.disabled, "webhook endpoint is", "webhook endpoints are") + " disabled.";
  const bool is_good = sums.paused + sums.parked + deliveries.failing + deliveries.disabled == 0;
  return {is_good ? "good" : "warning", text};
}

std::vector<Part> status_parts(const Status& status, const Reader& reader) {
  return {{"verdict", verdict_part(status)},       {"late", late_part(status)},
          {"moving", moving_part(status, reader)}, {"clean", clean_part(status)},
          {"failed", failed_part(status, reader)}, {"actions", actions_part(status, reader)},
          {"coming", coming_part(status)},         {"about", about_part(status)}};
}

std::string status_page(const Status& status, const Reader& reader, std::optional<std::uint64_t> done) {
  html::Page page;
  const Verdict now = verdict(status);
  page.title = now.text + " – billd";
  page.is_live = true;
  page.verdict = now.colour;
  std::string& body = page.body;
  body =
      "<header><a class=\"name\" href=\"/status\">billd</a><span class=\"live\" hidden>live</span>"
      "<form action=\"/status/accounts\" method=\"get\" role=\"search\"><input name=\"id\" required "
      "placeholder=\"Customer, subscription or invoice\" aria-label=\"Customer, subscription or invoice\" "
      "autocomplete=\"off\"><button>Find</button></form></header>\n<main>";
  if (done) body += done_banner(status, *done);
  for (const Part& part : status_parts(status, reader)) {
    if (part.id == "about")
      body += "</main>\n<footer id=\"about\">" + part.html + "</footer>";
    else
      body += fmt::format("<section id=\"{}\">{}</section>\n", part.id, part.html);
  }
  return html::document(page);
}

std::string audit_page(const std::vector<store::AuditEntry>& entries, Timestamp now) {
  html::Page page;
  page.title = "Audit log – billd";
  page.body = std::string(html::header) + "<section><h1>Who did what</h1>";
  page.body += "<p class=\"quiet\">The latest " + html::count(entries.size(), "entry", "entries") +
               ", newest first. Each carries the hash of all before it: <code>billd verify</code> checks them.</p>";
  page.body +=
      "<table class=\"stacked\"><thead><tr><th>Entry</th><th>When (UTC)</th><th>Who</th><th>What</th><th>Why</th>"
      "<th>Outcome</th><th>Hash</th></tr></thead><tbody>";
  for (const store::AuditEntry& entry : entries)
    page.body += fmt::format(
        "<tr><th scope=\"row\">{}</th><td data-label=\"When (UTC)\">{}<small>{}</small></td>"
        "<td data-label=\"Who\">{} <small>{}</small></td>"
        "<td data-label=\"What\">{} {}</td><td data-label=\"Why\">{}</td><td data-label=\"Outcome\">{}</td>"
        "<td data-label=\"Hash\"><code class=\"whole\" title=\"{}\">{}</code></td></tr>",
        entry.number, html::instant(entry.at), html::relative(entry.at, now), escape(entry.who), escape(entry.from),
        escape(entry.action), escape(entry.subject), escape(entry.comment),
        entry.outcome.empty() ? "–" : escape(entry.outcome), escape(entry.hash), escape(entry.hash.substr(0, 12)));
  page.body += "</tbody></table></section></main>";
  return html::document(page);
}

}  // namespace billd::api::operators
