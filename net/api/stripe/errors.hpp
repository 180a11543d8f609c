// Stripe's errors: how each failure is told, and what a declined card is called.
#pragma once

#include <string>
#include <string_view>

#include "engine/account.hpp"
#include "engine/result.hpp"
#include "net/api/billing.hpp"

namespace billd::api::stripe {

/// How a decline is told: Stripe's error code, which is coarser than the decline code, and the sentence for people.
struct Decline {
  std::string_view decline_code;
  std::string_view code;
  std::string_view message;
};

/// The entry for the decline code; that of generic_decline for an unknown one.
const Decline& decline_named(std::string_view decline_code);

/// The failure as Stripe's JSON with its status. The detail of a failure of our own making (from 500 on) is not told:
/// it is for the log. Of card_declined the detail is the decline code.
Answer render_error(const Failure& failure);

/// 402: the charge was declined.
Answer render_decline(const Charge& charge);

/// 404, as Stripe answers what it has no route for; a wrong method is told the same way.
Answer render_unknown_url(std::string_view method, std::string_view path);

/// "No such customer: cus_X", told of the parameter.
Failure no_such(std::string_view object, std::string_view id, std::string_view parameter = "id");

}  // namespace billd::api::stripe
