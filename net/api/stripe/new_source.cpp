#include "net/api/stripe/new_source.hpp"

#include <algorithm>
#include <chrono>

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

/// What the gateway does not know of a card that was given by its number. A check that it failed stays failed; one for
/// which nothing was given was not made.
void complete(NewSource& source, const Arguments& card) {
  source.card.exp_month = static_cast<std::int32_t>(*card.integer("exp_month"));
  source.card.exp_year = static_cast<std::int32_t>(*card.integer("exp_year"));
  if (source.card.exp_year < 100) source.card.exp_year += 2000;
  source.name = card.text_or_empty("name");
  source.address = card_address(card, {});
  auto settle = [](std::string& check, bool given) {
    if (!given)
      check.clear();
    else if (check.empty())
      check = "pass";
  };
  settle(source.cvc_check, card.has_value("cvc"));
  settle(source.address_line1_check, !source.address.line1.empty());
  settle(source.address_zip_check, !source.address.postal_code.empty());
}

}  // namespace

awaitable<Result<NewSource>> describe_new_source(Services& services, const Call& call, std::string parameter) {
  gateways::Gateway* gateway = services.gateways.find(services.gateway);
  if (gateway == nullptr) co_return Failure{Errc::bad_configuration, "no gateway " + services.gateway, parameter};
  const Arguments arguments = call.arguments();
  const auto card = arguments.map(parameter);
  std::string token = arguments.text_or_empty(parameter);
  if (card) {
    if (call.is_live())
      co_return Failure{Errc::invalid_parameter,
                        "Sending credit card numbers directly is unsafe and not accepted in live mode; pass a token.",
                        parameter};
    auto checked = check_card(*card, services.billing.now());
    if (!checked) co_return checked.error();
    token = digits_of(card->text_or_empty("number"));
  }
  auto described = co_await gateway->describe_source(call.mode, std::move(token));
  if (!described) {
    Failure failure = described.error();
    // A decline is about the card, and names a parameter only where the card's number was typed in.
    failure.parameter = failure.code != Errc::card_declined ? parameter : card ? "number" : "";
    co_return failure;
  }
  if (card) complete(*described, *card);
  const Arguments with_metadata = card && card->has("metadata") ? *card : arguments;
  // On a customer, `metadata` beside `source` is the customer's.
  const bool metadata_is_ours = (card && card->has("metadata")) || call.answers.kind == Kind::card;
  if (metadata_is_ours) {
    auto metadata = with_metadata.metadata_over({});
    if (!metadata) co_return metadata.error();
    described->metadata = std::move(*metadata);
  }
  co_return described;
}

std::string new_source_parameter(const Arguments& arguments) {
  for (const char* name : {"source", "card"})
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
