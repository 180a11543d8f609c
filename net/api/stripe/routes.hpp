// The routing table of the Stripe face: one line for each operation.
#pragma once

#include <span>
#include <string_view>

#include "net/api/stripe/kinds.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/http/message.hpp"

namespace billd::api::stripe {

/// Where the effect of a POST is at home, and with it the answer that is saved for its idempotency key.
enum class Home : std::uint8_t {
  account,      ///< the account of the path's first variable, or of the first of `customer`, `subscription`,
                ///< `from_subscription` and `invoice` among the parameters
  customer,     ///< the account of the parameter `customer`, whatever the path names
  refunded,     ///< the account of the parameter `charge` or `payment_intent`
  new_account,  ///< one that the request creates
  catalog,
};

struct Route {
  http::Method method;
  std::string_view pattern;
  Operation run;
  std::span<const Rule> rules;
  Shape answers;
  Home home = Home::account;
};

std::span<const Route> routes();

}  // namespace billd::api::stripe
