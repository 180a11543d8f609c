#include "net/api/stripe/new_source.hpp"

#include <algorithm>
#include <chrono>

#include "net/api/stripe/errors.hpp"
#include "net/store/held_sources.hpp"
#include "net/store/idempotency.hpp"

namespace billd::api::stripe {
namespace {

Failure decline(const char* code, std::string parameter) { return {Errc::card_declined, code, std::move(parameter)}; }

bool is_digit(char character) { return character >= '0' && character <= '9'; }

/// The digits of a card number; clients group them with spaces or hyphens.
std::string digits_of(const std::string& number) {
  std::string digits;
  std::ranges::copy_if(number, std::back_inserter(digits), is_digit);
  return digits;
}

/// What the gateway does not know of a card that was given by its number. A check that it failed stays failed; one for
/// which nothing was given was not made.
void complete(Card& card, const Arguments& given) {
  card.summary.exp_month = static_cast<std::int32_t>(*given.integer("exp_month"));
  card.summary.exp_year = static_cast<std::int32_t>(*given.integer("exp_year"));
  if (card.summary.exp_year < 100) card.summary.exp_year += 2000;
  card.name = given.text_or_empty("name");
  card.address = card_address(given, {});
  auto settle = [](std::string& check, bool was_given) {
    if (!was_given)
      check.clear();
    else if (check.empty())
      check = "pass";
  };
  settle(card.cvc_check, given.has_value("cvc"));
  settle(card.address_line1_check, !card.address.line1.empty());
  settle(card.address_zip_check, !card.address.postal_code.empty());
}

/// What a kind of source needs, and what it does not have: one table of parameters serves both.
template <std::size_t needed_size, std::size_t foreign_size>
Result<void> check_members(const Arguments& given, const std::string& parameter,
                           const std::array<std::string_view, needed_size>& needed,
                           const std::array<Rule, foreign_size>& foreign) {
  for (std::string_view name : needed) {
    if (given.has_value(name)) continue;
    std::string path = parameter + "[" + std::string(name) + "]";
    return Failure{Errc::missing_parameter, "Missing required param: " + path + ".", std::move(path)};
  }
  for (const Rule& rule : foreign) {
    if (!given.has(rule.name)) continue;
    std::string path = parameter + "[" + std::string(rule.name) + "]";
    return Failure{Errc::unknown_parameter, "Received unknown parameter: " + path, std::move(path)};
  }
  return {};
}

awaitable<Result<NewSource>> describe_card(Services& services, const Call& call, std::string parameter) {
  const Arguments card = *call.arguments().map(parameter);
  constexpr std::array<std::string_view, 3> needed = {"number", "exp_month", "exp_year"};
  auto complete_enough = check_members(card, parameter, needed, bank_account_members);
  if (!complete_enough) co_return complete_enough.error();
  if (call.is_live())
    co_return Failure{Errc::invalid_parameter,
                      "Sending credit card numbers directly is unsafe and not accepted in live mode; pass a token.",
                      parameter};
  auto checked = check_card(card, services.billing.now());
  if (!checked) co_return checked.error();
  gateways::Gateway* gateway = services.gateways.find(services.gateway);
  auto described = co_await gateway->describe_source(call.mode, digits_of(card.text_or_empty("number")));
  if (!described) {
    Failure failure = described.error();
    failure.parameter = failure.code == Errc::card_declined ? "number" : parameter;
    co_return failure;
  }
  complete(std::get<Card>(described->means), card);
  co_return described;
}

awaitable<Result<NewSource>> describe_bank_account(Services& services, const Call& call, std::string parameter) {
  const Arguments given = *call.arguments().map(parameter);
  constexpr std::array<std::string_view, 3> needed = {"account_number", "country", "currency"};
  auto complete_enough = check_members(given, parameter, needed, card_members);
  if (!complete_enough) co_return complete_enough.error();
  if (call.is_live())
    co_return Failure{Errc::invalid_parameter, "Numbers of bank accounts are not accepted in live mode; pass a token.",
                      parameter};
  gateways::BankAccountDetails details;
  details.country = given.text_or_empty("country");
  details.currency = *Currency::parse(given.text_or_empty("currency"));
  details.routing_number = given.text_or_empty("routing_number");
  details.account_number = given.text_or_empty("account_number");
  details.holder_name = given.text_or_empty("account_holder_name");
  details.holder_type = given.text_or_empty("account_holder_type");
  gateways::Gateway* gateway = services.gateways.find(services.gateway);
  auto described = co_await gateway->describe_bank_account(call.mode, std::move(details));
  if (described) co_return described;
  Failure failure = described.error();
  failure.parameter = parameter + "[" + failure.parameter + "]";
  co_return failure;
}

Result<void> has_gateway(const Services& services, const std::string& parameter) {
  if (services.gateways.find(services.gateway) != nullptr) return {};
  return Failure{Errc::bad_configuration, "no gateway " + services.gateway, parameter};
}

/// A token that billd made: it is used once, also when it is told of twice under one idempotency key.
awaitable<Result<NewSource>> use_token(Services& services, const Call& call, std::string token, std::string parameter) {
  auto held = co_await store::find_held_source(services.store, call.mode, token);
  if (!held) {
    if (held.error().code != Errc::not_found) co_return held.error();
    co_return no_such("token", token, parameter);
  }
  std::string user = call.origin.idempotency_key.empty()
                         ? call.origin.request_id
                         : store::hash_idempotency_key(call.mode, call.origin.idempotency_key);
  auto used_by =
      co_await store::claim_held_source(services.store, call.mode, token, user, services.settings.api.token_life);
  if (!used_by) co_return used_by.error();
  if (*used_by != user)
    co_return Failure{Errc::invalid_parameter, "You cannot use a Stripe token more than once: " + token + ".",
                      parameter};
  co_return std::move(held->source);
}

bool is_own_token(const std::string& text) {
  return (text.starts_with("tok_") || text.starts_with("btok_")) && AccountKey::of_id(text).has_value();
}

}  // namespace

Result<void> check_card(const Arguments& card, Timestamp now) {
  const std::int64_t month = *card.integer("exp_month");
  std::int64_t year = *card.integer("exp_year");
  if (year < 100) year += 2000;
  if (month < 1 || month > 12) return decline("invalid_expiry_month", "exp_month");
  const std::chrono::year_month_day today(std::chrono::floor<std::chrono::days>(now));
  const auto this_year = static_cast<std::int64_t>(static_cast<int>(today.year()));
  const auto this_month = static_cast<std::int64_t>(static_cast<unsigned>(today.month()));
  if (year < this_year || year > this_year + 100) return decline("invalid_expiry_year", "exp_year");
  if (year == this_year && month < this_month) return decline("invalid_expiry_month", "exp_month");
  if (card.has_value("cvc")) {
    const std::string cvc = card.text_or_empty("cvc");
    if (cvc.size() < 3 || cvc.size() > 4 || !std::ranges::all_of(cvc, is_digit)) return decline("invalid_cvc", "cvc");
  }
  return {};
}

awaitable<Result<NewSource>> describe_particulars(Services& services, const Call& call, std::string parameter) {
  auto usable = has_gateway(services, parameter);
  if (!usable) co_return usable.error();
  const Arguments given = *call.arguments().map(parameter);
  const std::string object = given.text_or_empty("object");
  const bool is_bank_account =
      parameter == "bank_account" || object == "bank_account" || (object.empty() && given.has("account_number"));
  if (is_bank_account) co_return co_await describe_bank_account(services, call, std::move(parameter));
  co_return co_await describe_card(services, call, std::move(parameter));
}

awaitable<Result<NewSource>> describe_token(Services& services, const Call& call, std::string token,
                                            std::string parameter) {
  auto usable = has_gateway(services, parameter);
  if (!usable) co_return usable.error();
  if (is_own_token(token)) co_return co_await use_token(services, call, std::move(token), std::move(parameter));
  gateways::Gateway* gateway = services.gateways.find(services.gateway);
  auto described = co_await gateway->describe_source(call.mode, std::move(token));
  if (described) co_return described;
  Failure failure = described.error();
  // A decline is about the card, and names no parameter.
  failure.parameter = failure.code == Errc::card_declined ? "" : parameter;
  co_return failure;
}

awaitable<Result<NewSource>> describe_new_source(Services& services, const Call& call, std::string parameter) {
  const Arguments arguments = call.arguments();
  const auto particulars = arguments.map(parameter);
  std::string token = arguments.text_or_empty(parameter);
  Result<NewSource> described = Failure();
  if (particulars)
    described = co_await describe_particulars(services, call, parameter);
  else
    described = co_await describe_token(services, call, std::move(token), parameter);
  if (!described) co_return described;
  // On a customer, `metadata` beside `source` is the customer's.
  const bool has_own_metadata = particulars && particulars->has("metadata");
  if (has_own_metadata || call.answers.kind == Kind::card) {
    auto metadata = (has_own_metadata ? *particulars : arguments).metadata_over({});
    if (!metadata) co_return metadata.error();
    described->metadata = std::move(*metadata);
  }
  co_return described;
}

std::string new_source_parameter(const Arguments& arguments) {
  for (const char* name : {"source", "card", "bank_account"})
    if (arguments.has_value(name)) return name;
  return "";
}

Address card_address(const Arguments& arguments, Address before) {
  auto over = [&](const char* name, std::string& part) {
    if (auto given = arguments.text(name)) part = std::move(*given);
  };
  over("address_line1", before.line1);
  over("address_line2", before.line2);
  over("address_city", before.city);
  over("address_state", before.state);
  over("address_zip", before.postal_code);
  over("address_country", before.country);
  return before;
}

}  // namespace billd::api::stripe
