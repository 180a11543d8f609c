#include "commands/status_text.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>
#include <vector>

#include "net/api/operators/html.hpp"

namespace billd::commands {
namespace {

namespace json = boost::json;
using api::operators::html::count;
using api::operators::html::duration;

std::uint64_t number(const json::value& object, std::string_view name) {
  const json::value& value = object.at(name);
  return value.is_null() ? 0 : value.to_number<std::uint64_t>();
}

std::string text(const json::value& object, std::string_view name) {
  const json::value& value = object.at(name);
  return value.is_string() ? std::string(value.get_string()) : std::string();
}

Duration milliseconds(const json::value& object, std::string_view name) {
  return std::chrono::milliseconds(object.at(name).as_int64());
}

std::string age(const json::value& object, std::string_view name, std::int64_t now) {
  const Duration since = std::chrono::seconds(std::max<std::int64_t>(now - object.at(name).as_int64(), 0));
  return duration(since) + " ago";
}

enum class Colour { none, good, warning, bad };

std::string coloured(std::string text, Colour colour, bool in_colour) {
  if (!in_colour || colour == Colour::none) return text;
  constexpr std::array codes = {"", "\033[32m", "\033[33m", "\033[31m"};
  return codes[static_cast<std::size_t>(colour)] + std::move(text) + "\033[0m";
}

std::string headline(const json::value& status, bool in_colour) {
  if (!status.at("data_loss").is_null())
    return coloured("Money stands still, because Redis lost data: " + text(status, "data_loss"), Colour::bad,
                    in_colour);
  if (!status.at("obstacle").is_null())
    return coloured("Nothing that is due is done: " + text(status, "obstacle"), Colour::bad, in_colour);
  if (!status.at("ready").as_bool())
    return coloured("Not ready: " + text(status, "not_ready_because"), Colour::bad, in_colour);
  std::uint64_t late = 0, parked = 0, paused = 0;
  for (const json::value& queue : status.at("queues").as_array()) {
    const bool is_paused = queue.at("paused").as_bool();
    if (!is_paused) late += number(queue, "late");
    parked += number(queue, "parked");
    paused += is_paused ? 1 : 0;
  }
  if (late > 0)
    return coloured(count(late, "account is", "accounts are") + " late, the oldest by " +
                        duration(milliseconds(status.at("lateness"), "now_milliseconds")),
                    Colour::bad, in_colour);
  std::string line = "Nothing is late";
  if (paused > 0) line += "; " + count(paused, "queue is", "queues are") + " paused";
  if (parked > 0) line += "; " + count(parked, "parked account waits", "parked accounts wait") + " for you";
  return coloured(line, paused + parked > 0 ? Colour::warning : Colour::good, in_colour);
}

std::string trouble_line(const json::value& trouble, std::int64_t now) {
  return fmt::format("{:>9}  {:<16} {}  (first {}, last {}, such as {}{})\n", count(number(trouble, "count")),
                     text(trouble, "queue"), text(trouble, "reason"), age(trouble, "first", now),
                     age(trouble, "last", now), text(trouble, "example"),
                     text(trouble, "mode") == "live" ? ", live" : "");
}

std::vector<std::uint64_t> numbers(const json::value& array) {
  std::vector<std::uint64_t> values;
  for (const json::value& value : array.as_array()) values.push_back(value.to_number<std::uint64_t>());
  return values;
}

/// Cuts to the first so many columns; escape sequences take none, other characters one each.
std::string cut(std::string_view line, std::size_t columns) {
  std::string out;
  std::size_t used = 0;
  bool is_escape = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto byte = static_cast<unsigned char>(line[i]);
    if (line[i] == '\033') is_escape = true;
    const bool is_first_of_character = (byte & 0xC0) != 0x80;
    if (!is_escape && is_first_of_character && used++ == columns) return out + "\033[0m";
    out.push_back(line[i]);
    if (is_escape && line[i] == 'm') is_escape = false;
  }
  return out;
}

std::string fit(const std::string& text, std::size_t lines, std::size_t columns) {
  std::string out;
  std::string_view left = text;
  for (std::size_t line = 0; line < lines && !left.empty(); ++line) {
    const std::size_t end = std::min(left.find('\n'), left.size());
    out += cut(left.substr(0, end), columns) + "\n";
    left.remove_prefix(std::min(end + 1, left.size()));
  }
  return out;
}

}  // namespace

std::string sparkline(const std::vector<std::uint64_t>& values) {
  constexpr std::array heights = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  const std::uint64_t greatest = values.empty() ? 0 : *std::ranges::max_element(values);
  std::string line;
  for (const std::uint64_t value : values)
    line += value == 0 ? " " : heights[(value * (heights.size() - 1) + greatest - 1) / greatest];
  return line;
}

std::string queues_text(const json::value& status, bool in_colour) {
  std::string out = fmt::format("{:<18} {:>12} {:>10} {:>9} {:>12} {:>8}  {}\n", "queue", "waiting", "due", "in flight",
                                "done/minute", "parked", "state");
  for (const json::value& queue : status.at("queues").as_array()) {
    std::string state = coloured("on time", Colour::good, in_colour);
    if (number(queue, "late") > 0)
      state = coloured(duration(milliseconds(queue, "lateness_milliseconds")) + " late", Colour::bad, in_colour);
    if (queue.at("paused").as_bool())
      state = coloured("paused by " + text(queue.at("pause"), "by") + ": " + text(queue.at("pause"), "why"),
                       Colour::warning, in_colour);
    out += fmt::format("{:<18} {:>12} {:>10} {:>9} {:>12} {:>8}  {}\n", text(queue, "name"),
                       count(number(queue, "waiting")), count(number(queue, "due")), count(number(queue, "in_flight")),
                       count(number(queue, "rate_per_minute")), count(number(queue, "parked")), state);
  }
  return out;
}

std::string troubles_text(const json::value& status) {
  const std::int64_t now = status.at("now").as_int64();
  std::string out;
  const auto& parked = status.at("parked").as_array();
  const auto& failures = status.at("failures").as_array();
  if (!parked.empty()) out += "\nParked, until somebody lets them back (`billd retry --reason ...`):\n";
  for (const json::value& trouble : parked) out += trouble_line(trouble, now);
  if (!failures.empty()) out += "\nFailures since the daemon began:\n";
  for (const json::value& trouble : failures) out += trouble_line(trouble, now);
  return out;
}

std::string queue_text(const json::value& queue) {
  std::string out =
      fmt::format("{}: {} waiting, {} due, {} in flight, {} parked{}\n", text(queue, "name"),
                  count(number(queue, "waiting")), count(number(queue, "due")), count(number(queue, "in_flight")),
                  count(number(queue, "parked")), queue.at("paused").as_bool() ? "; paused" : "");
  const auto& parked = queue.at("first_parked").as_array();
  if (!parked.empty()) out += "\nParked first:\n";
  for (const json::value& each : parked)
    out += fmt::format("  {} {}  {} {}\n", text(each, "account"), text(each, "mode"), text(each, "reason"),
                       text(each, "detail"));
  const auto& first = queue.at("first_due").as_array();
  if (!first.empty()) out += "\nDue first:\n";
  for (const json::value& each : first)
    out += fmt::format("  {} {}  {}\n", text(each, "account"), text(each, "mode"),
                       to_text(from_unix(each.at("due").as_int64())));
  return out;
}

std::string screen_text(const json::value& status, std::size_t lines, std::size_t columns) {
  const json::value& lateness = status.at("lateness");
  std::string out = fmt::format("billd {} · {} · {} UTC\n\n", text(status, "version"), text(status, "daemon"),
                                to_text(from_unix(status.at("now").as_int64())));
  out += "\033[1m" + headline(status, true) + "\n\n";
  out += fmt::format("Late: now {}, last hour {}, last day {}\n", duration(milliseconds(lateness, "now_milliseconds")),
                     duration(milliseconds(lateness, "last_hour_milliseconds")),
                     duration(milliseconds(lateness, "last_day_milliseconds")));
  std::vector<std::uint64_t> late;
  for (const json::value& step : lateness.at("day").as_array()) late.push_back(number(step, "late_milliseconds"));
  if (std::ranges::any_of(late, [](std::uint64_t value) { return value > 0; }))
    out += "Last day  " + sparkline(late) + "\n";
  const json::value& clean_in = status.at("clean_in_seconds");
  std::string clean = "not at this pace: more becomes due than is done";
  if (!clean_in.is_null() && clean_in.as_int64() == 0) clean = "it is";
  if (!clean_in.is_null() && clean_in.as_int64() > 0)
    clean = "in about " + duration(std::chrono::seconds(clean_in.as_int64()));
  out += "Clean: " + clean + "\n\n" + queues_text(status, true) + "\n";
  std::string daemons;
  for (const json::value& daemon : status.at("daemons").as_array())
    daemons += fmt::format("{}{} ({})", daemons.empty() ? "" : ", ", text(daemon, "name"),
                           count(number(daemon, "partitions"), "partition", "partitions"));
  out += "Daemons alive: " + (daemons.empty() ? "none" : daemons) + "\n";
  out += "Due next day    " + sparkline(numbers(status.at("coming").at("by_hour"))) + "\n";
  out += "Due next month  " + sparkline(numbers(status.at("coming").at("by_day"))) + "\n";
  return fit(out + troubles_text(status), lines, columns);
}

}  // namespace billd::commands
