// Prices that are paid once.
#pragma once

#include <string>

#include "engine/result.hpp"

namespace billd {

/// A price that recurs was named where only one that is paid once can be. Source: Stripe refuses it in these words.
Failure recurring_price_refused(std::string parameter);

}  // namespace billd
