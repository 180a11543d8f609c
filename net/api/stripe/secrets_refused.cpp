#include "net/api/stripe/secrets_refused.hpp"

#include "config/secrets.hpp"

namespace billd::api::stripe {
namespace {

Result<void> refuse(std::string_view text, std::string_view where, const std::string& parameter) {
  const bool has_number = has_card_number(text);
  if (!has_number && !has_secret_key(text)) return {};
  return Failure{Errc::invalid_parameter,
                 std::string(where) + " holds what looks like " +
                     (has_number ? "the number of a payment card" : "a secret key") +
                     ", which is neither kept nor logged here: leave it out.",
                 without_secrets(parameter)};
}

/// source[number], card[number] and payment_method_data[card][number] are where test mode takes a card's number.
bool may_hold_number(const http::Parameter& parameter) {
  return parameter.name() == "number" &&
         (parameter.path().ends_with("source[number]") || parameter.path().ends_with("card[number]") ||
          parameter.path().ends_with("[card][number]"));
}

}  // namespace

Result<void> refuse_secrets(const http::Parameters& parameters) {
  if (!parameters.name().empty()) {
    auto named = refuse(parameters.name(), "The name of a parameter", parameters.path());
    if (!named) return named;
  }
  if (parameters.is_text())
    return may_hold_number(parameters) ? Result<void>()
                                       : refuse(parameters.text(), "This parameter", parameters.path());
  for (const http::Parameter& child : parameters.children()) {
    auto fine = refuse_secrets(child);
    if (!fine) return fine;
  }
  return {};
}

Result<void> refuse_secrets(std::string_view variable) { return refuse(variable, "The path", {}); }

Result<void> refuse_secrets(const http::Request& request) {
  auto fine = refuse_secrets(request.path());
  if (!fine) return fine;
  for (const char* name : echoed_headers) {
    if (const auto value = request.headers.find(name)) fine = refuse(*value, "The header " + std::string(name), {});
    if (!fine) return fine;
  }
  return {};
}

}  // namespace billd::api::stripe
