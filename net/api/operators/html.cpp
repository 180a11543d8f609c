#include "net/api/operators/html.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>

namespace billd::api::operators::html {
namespace {

using std::chrono::days;
using std::chrono::duration_cast;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

/// Of a bar's drawing, whose height is 100.
constexpr std::uint64_t height = 100, height_min = 3, height_unknown = 8;

}  // namespace

std::string escape(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += c;
    }
  }
  return escaped;
}

std::string count(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3; at -= 3) text.insert(at - 3, ",");
  return text;
}

std::string count(std::uint64_t number, std::string_view one, std::string_view many) {
  return count(number).append(" ").append(number == 1 ? one : many);
}

std::string duration(Duration duration) {
  const auto whole = duration_cast<milliseconds>(duration).count();
  if (whole <= 0) return "0 s";
  if (whole < 1'000) return fmt::format("{} ms", whole);
  if (whole < 10'000) return fmt::format("{}.{} s", whole / 1'000, whole % 1'000 / 100);
  struct Unit {
    std::int64_t seconds;
    const char* name;
  };
  constexpr std::array units = {Unit{86'400, "d"}, Unit{3'600, "h"}, Unit{60, "min"}, Unit{1, "s"}};
  std::int64_t left = whole / 1'000;
  std::string text;
  int told = 0;
  for (const Unit& unit : units) {
    const std::int64_t number = left / unit.seconds;
    left %= unit.seconds;
    if (number == 0 && told == 0) continue;
    if (++told > 2) break;
    if (number > 0) text += fmt::format("{}{} {}", text.empty() ? "" : " ", number, unit.name);
  }
  return text;
}

std::string instant(Timestamp when) {
  const auto second = std::chrono::floor<seconds>(when);
  const auto day = std::chrono::floor<days>(second);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(second - day);
  const std::string ymd = fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                                      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  const std::string hms =
      fmt::format("{:02}:{:02}:{:02}", time.hours().count(), time.minutes().count(), time.seconds().count());
  return fmt::format("<time datetime=\"{0}T{1}Z\">{0} {1}</time>", ymd, hms);
}

std::string relative(Timestamp when, Timestamp now) {
  std::string text = when <= now ? duration(now - when) + " ago" : "in " + duration(when - now);
  if (now - when < seconds(1) && when <= now) text = "now";
  std::string element = instant(when);
  const std::size_t shown = element.find('>') + 1, end = element.rfind("</time>");
  const std::string exact = element.substr(shown, end - shown);
  element.replace(shown, end - shown, text);
  return element.insert(5, " title=\"" + exact + " UTC\"");
}

std::string chart(const Chart& chart) {
  std::uint64_t greatest = 1;
  for (const Bar& bar : chart.bars) greatest = std::max(greatest, bar.value);
  std::string out = fmt::format(
      "<figure class=\"chart\"><div class=\"greatest\">{}</div><svg viewBox=\"0 0 {} {}\" preserveAspectRatio=\"none\" "
      "role=\"img\" aria-label=\"{}\">",
      escape(chart.greatest), chart.bars.size() * 10, height, escape(chart.summary));
  for (std::size_t i = 0; i < chart.bars.size(); ++i) {
    const Bar& bar = chart.bars[i];
    std::uint64_t high = bar.value == 0 ? 0 : std::max(bar.value * height / greatest, height_min);
    const char* kind = bar.is_striking ? "striking" : "plain";
    if (!bar.is_known) kind = "unknown";
    if (!bar.is_known) high = height_unknown;
    if (high == 0) {
      kind = "none";
      high = 1;
    }
    out += fmt::format("<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"8\" height=\"{}\"><title>{}</title></rect>", kind,
                       i * 10 + 1, height - high, high, escape(bar.label));
  }
  out += "</svg><div class=\"axis\">";
  for (const std::string& label : chart.axis) out += fmt::format("<span>{}</span>", escape(label));
  return out + "</div></figure>";
}

std::string document(const Page& page) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"robots\" content=\"noindex\">\n"
      "<title>{0}</title>\n<link rel=\"icon\" type=\"image/svg+xml\" href=\"/status/icon.svg?verdict={1}\">\n"
      "<link rel=\"stylesheet\" href=\"/status/style.css\">\n<script src=\"/status/script.js\" defer></script>\n{2}"
      "</head>\n<body{3}>\n{4}\n</body>\n</html>\n",
      escape(page.title), page.verdict,
      page.is_live ? "<noscript><meta http-equiv=\"refresh\" content=\"10\"></noscript>\n" : "",
      page.is_live ? " data-live=\"/status/live\"" : "", page.body);
}

}  // namespace billd::api::operators::html
