// What is agreed on trials.
#pragma once

#include <chrono>

#include "engine/calendar.hpp"

namespace billd {

/// How long before its end a trial's end is announced. Source: Stripe, customer.subscription.trial_will_end.
inline constexpr Duration trial_notice = std::chrono::days(3);

}  // namespace billd
