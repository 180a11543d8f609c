// The status of a daemon as text for a terminal, made from the JSON that its operators' listener answers.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <string>
#include <vector>

namespace billd::commands {

/// A table of the queues.
std::string queues_text(const boost::json::value& status, bool in_colour);
/// What is parked and what failed; empty when nothing did.
std::string troubles_text(const boost::json::value& status);
/// One queue with what stands first in it, as /status/queues/{queue} answers it.
std::string queue_text(const boost::json::value& queue);
/// A whole screen: at most `lines` lines of `columns` columns.
std::string screen_text(const boost::json::value& status, std::size_t lines, std::size_t columns);

/// "▁▄█": one character a value, the greatest as high as can be.
std::string sparkline(const std::vector<std::uint64_t>& values);

}  // namespace billd::commands
