// The values of each setting that is chosen from a list, and the one limit that no row of the table carries.
#pragma once

#include <array>
#include <cstddef>

#include "config/values.hpp"

namespace billd {

template <class Choice>
inline constexpr std::array<Choice, 0> choices = {};

template <>
inline constexpr std::array choices<LogLevel> = {LogLevel::trace,   LogLevel::debug, LogLevel::info,
                                                 LogLevel::warning, LogLevel::error, LogLevel::critical};

template <>
inline constexpr std::array choices<LogFormat> = {LogFormat::automatic, LogFormat::text, LogFormat::json,
                                                  LogFormat::journal};

template <>
inline constexpr std::array choices<FinalAction> = {FinalAction::cancel, FinalAction::unpaid, FinalAction::past_due};

/// Most durations in a list.
inline constexpr std::size_t durations_max = 10;

}  // namespace billd
