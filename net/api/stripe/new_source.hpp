// Payment sources as requests give them: a token, or in test mode a card's particulars.
#pragma once

#include <string>

#include "net/api/stripe/services.hpp"

namespace billd::api::stripe {

inline constexpr std::array<std::string_view, 1> card_object = {"card"};

/// The members of `source[object]=card`.
inline constexpr std::array card_rules = {
    choice("object", card_object),
    text("number", 40).required(),
    integer("exp_month", 0, 9999).required(),
    integer("exp_year", 0, 9999).required(),
    text("cvc", 20),
    text("name").clearable(),
    text("address_line1").clearable(),
    text("address_line2").clearable(),
    text("address_city").clearable(),
    text("address_state").clearable(),
    text("address_zip").clearable(),
    text("address_country").clearable(),
    currency("currency"),
    metadata(),
};

/// Has the gateway describe what the parameter ("source", "card") gives. A card that cannot be used at all is
/// card_declined. Card numbers are for test mode only: billd takes, keeps and logs no real ones.
awaitable<Result<NewSource>> describe_new_source(Services& services, const Call& call, std::string parameter);

/// The name of the parameter that gives a new source; empty when none does.
std::string new_source_parameter(const Arguments& arguments);

/// address_line1, …, address_zip over what was there before.
Address card_address(const Arguments& arguments, Address before);

}  // namespace billd::api::stripe
