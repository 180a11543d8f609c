// Payment sources as requests give them: a token, or in test mode the particulars of a card or of a bank account.
#pragma once

#include <string>

#include "net/api/stripe/services.hpp"

namespace billd::api::stripe {

inline constexpr std::array<std::string_view, 1> card_object = {"card"};
inline constexpr std::array<std::string_view, 1> bank_account_object = {"bank_account"};
inline constexpr std::array<std::string_view, 2> source_objects = {"card", "bank_account"};
inline constexpr std::array<std::string_view, 2> holder_types = {"individual", "company"};

/// The members of a card, and those of a bank account; that the needed ones are there is for describe_new_source().
inline constexpr std::array card_members = {
    text("number", 40),
    integer("exp_month", 0, 9999),
    integer("exp_year", 0, 9999),
    text("cvc", 20),
    text("name").clearable(),
    text("address_line1").clearable(),
    text("address_line2").clearable(),
    text("address_city").clearable(),
    text("address_state").clearable(),
    text("address_zip").clearable(),
    text("address_country").clearable(),
};
inline constexpr std::array bank_account_members = {
    text("account_number", 40),
    text("routing_number", 40),
    text("country", 2),
    text("account_holder_name").clearable(),
    choice("account_holder_type", holder_types).clearable(),
};
inline constexpr std::array shared_members = {
    currency("currency"),
    metadata(),
};
inline constexpr std::array card_rules = card_members + shared_members + std::array{choice("object", card_object)};
inline constexpr std::array bank_account_rules =
    bank_account_members + shared_members + std::array{choice("object", bank_account_object)};
/// The members of `source`, which `object` says the kind of.
inline constexpr std::array source_rules =
    card_members + bank_account_members + shared_members + std::array{choice("object", source_objects)};

/// The parameters that give a customer a new source.
inline constexpr std::array new_source_rules = {
    text_or_map("source", source_rules),
    text_or_map("card", card_rules),
    text_or_map("bank_account", bank_account_rules),
};

/// Has the gateway describe what the parameter ("source", "card", "bank_account") gives, and uses its token up. A card
/// that cannot be used at all is card_declined. Numbers of cards and accounts are for test mode only: billd takes,
/// keeps and logs no real ones.
awaitable<Result<NewSource>> describe_new_source(Services& services, const Call& call, std::string parameter);

/// The same of a parameter that is a map, without a token to be used up.
awaitable<Result<NewSource>> describe_particulars(Services& services, const Call& call, std::string parameter);

/// The same of the test token of that name, or of any other that the gateway knows. A failure names the parameter.
awaitable<Result<NewSource>> describe_token(Services& services, const Call& call, std::string token,
                                            std::string parameter);

/// The name of the parameter that gives a new source; empty when none does.
std::string new_source_parameter(const Arguments& arguments);

/// address_line1, …, address_zip over what was there before.
Address card_address(const Arguments& arguments, Address before);

/// Stripe's refusal of a card's particulars: month, year or security code cannot be.
Result<void> check_card(const Arguments& card, Timestamp now);

}  // namespace billd::api::stripe
