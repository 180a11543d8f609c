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

template <>
inline constexpr std::array choices<TaxRounding> = {TaxRounding::line, TaxRounding::invoice};

template <>
inline constexpr std::array choices<Mode> = {Mode::test, Mode::live};

template <>
inline constexpr std::array choices<ProcessorKind> = {ProcessorKind::stripe, ProcessorKind::stancer,
                                                      ProcessorKind::http};

template <>
inline constexpr std::array choices<TestFault> = {
    TestFault::none,         TestFault::delay,         TestFault::lost,         TestFault::answer_lost,
    TestFault::conflict,     TestFault::throttled,     TestFault::error_stored, TestFault::garbage,
    TestFault::wrong_amount, TestFault::wrong_currency};

template <>
inline constexpr std::array choices<WebhookKind> = {WebhookKind::stripe, WebhookKind::standard, WebhookKind::hmac};

template <>
inline constexpr std::array choices<HmacEncoding> = {HmacEncoding::hex, HmacEncoding::base64};

/// Most durations in a list.
inline constexpr std::size_t durations_max = 10;

}  // namespace billd
