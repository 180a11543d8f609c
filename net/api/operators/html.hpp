// Pieces of HTML that the operators' pages are made of.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/calendar.hpp"

namespace billd::api::operators::html {

/// Text that may stand in an element or in a quoted attribute.
std::string escape(std::string_view text);

/// "1,234,567".
std::string count(std::uint64_t number);

/// "1 account", "2,000 accounts".
std::string count(std::uint64_t number, std::string_view one, std::string_view many);

/// In the two largest units that tell something: "0 s", "250 ms", "1.5 s", "42 s", "3 min 20 s", "2 d 4 h".
std::string duration(Duration duration);

/// A <time> element: "2026-11-21 12:00:00", in UTC.
std::string instant(Timestamp when);

/// A <time> element that tells how long ago it was, or in how long it will be.
std::string relative(Timestamp when, Timestamp now);

struct Bar {
  std::uint64_t value = 0;
  std::string label;     ///< what it stands for, told on pointing at it and to screen readers
  bool is_known = true;  ///< false: nobody looked
  bool is_striking = false;
};

/// Bars over an axis. The labels are text beside the drawing, so that they keep their size on a phone.
struct Chart {
  std::string summary;  ///< for those who cannot see it
  std::vector<Bar> bars;
  std::string greatest;           ///< the value of the highest bar, in words
  std::vector<std::string> axis;  ///< evenly spread below
};
std::string chart(const Chart& chart);

/// What pages below the status begin with.
inline constexpr std::string_view header =
    "<header><a class=\"name\" href=\"/status\">billd</a><a href=\"/status\">Back to the status</a></header>\n<main>";

struct Page {
  std::string title;
  std::string body;
  bool is_live = false;  ///< the parts with an identifier are renewed by /status/live
  std::string verdict;   ///< "good", "warning", "bad": the colour of the icon
};
/// The whole document around the body.
std::string document(const Page& page);

}  // namespace billd::api::operators::html
