#include "net/api/stripe/errors.hpp"

#include <algorithm>
#include <array>

#include "net/api/document.hpp"

namespace billd::api::stripe {
namespace {

struct ErrorKind {
  Errc errc;
  int status;
  std::string_view type;
  std::string_view code;  // empty: none
};

constexpr std::string_view invalid_request = "invalid_request_error";
constexpr std::string_view api_error = "api_error";

// Source: https://stripe.com/docs/api/errors and https://stripe.com/docs/error-codes.
constexpr std::array kinds = {
    ErrorKind{Errc::invalid_parameter, 400, invalid_request, ""},
    ErrorKind{Errc::missing_parameter, 400, invalid_request, "parameter_missing"},
    ErrorKind{Errc::unknown_parameter, 400, invalid_request, "parameter_unknown"},
    ErrorKind{Errc::not_found, 404, invalid_request, "resource_missing"},
    ErrorKind{Errc::already_exists, 400, invalid_request, "resource_already_exists"},
    ErrorKind{Errc::invalid_state, 400, invalid_request, ""},
    ErrorKind{Errc::no_payment_source, 400, invalid_request, "resource_missing"},
    ErrorKind{Errc::currency_mismatch, 400, invalid_request, ""},
    ErrorKind{Errc::amount_out_of_range, 400, invalid_request, "amount_too_large"},
    ErrorKind{Errc::card_declined, 402, "card_error", "card_declined"},
    ErrorKind{Errc::unauthenticated, 401, invalid_request, ""},
    ErrorKind{Errc::forbidden, 403, invalid_request, ""},
    ErrorKind{Errc::conflict, 429, invalid_request, "lock_timeout"},
    ErrorKind{Errc::idempotency_mismatch, 400, "idempotency_error", ""},
    ErrorKind{Errc::idempotency_in_progress, 409, "idempotency_error", "idempotency_key_in_use"},
    ErrorKind{Errc::stale_epoch, 503, api_error, ""},
    ErrorKind{Errc::limit_exceeded, 400, invalid_request, ""},
    ErrorKind{Errc::unavailable, 503, api_error, ""},
    ErrorKind{Errc::outcome_unknown, 503, api_error, ""},
    ErrorKind{Errc::stopping, 503, api_error, ""},
    ErrorKind{Errc::corrupt, 500, api_error, ""},
    ErrorKind{Errc::bad_configuration, 500, api_error, ""},
    ErrorKind{Errc::internal, 500, api_error, ""},
};
static_assert(kinds.size() == static_cast<std::size_t>(Errc::internal));

const ErrorKind& kind_of(Errc errc) {
  const auto index = static_cast<std::size_t>(errc) - 1;
  BILLD_CHECK(index < kinds.size() && kinds[index].errc == errc, "the table is in the order of Errc");
  return kinds[index];
}

/// Stripe has finer codes than Errc for some messages.
struct CodedMessage {
  std::string_view beginning;
  std::string_view code;
};
constexpr std::array coded_messages = {
    CodedMessage{"Invalid integer:", "parameter_invalid_integer"},
    CodedMessage{"Amount must be at least", "amount_too_small"},
    CodedMessage{"You passed an empty string", "parameter_invalid_empty"},
    CodedMessage{"You cannot expand more than", "property_expansion_max_depth"},
    CodedMessage{"Received both", "parameters_exclusive"},
    CodedMessage{"Invoice is already paid", "invoice_already_paid"},
    CodedMessage{"You cannot use a Stripe token more than once", "token_already_used"},
    CodedMessage{"A bank account with that routing number", "bank_account_exists"},
    CodedMessage{"The amounts provided do not match", "bank_account_verification_failed"},
    CodedMessage{"Verification of this bank account has failed", "bank_account_verification_failed"},
    CodedMessage{"The customer's bank account must be verified", "bank_account_unverified"},
    CodedMessage{"You must use a test bank account number", "account_number_invalid"},
    CodedMessage{"Routing number must have 9 digits", "routing_number_invalid"},
};

std::string_view code_of(const Failure& failure, const ErrorKind& kind) {
  const auto at = std::ranges::find_if(
      coded_messages, [&](const CodedMessage& each) { return failure.detail.starts_with(each.beginning); });
  return at == coded_messages.end() ? kind.code : at->code;
}

// Source: https://stripe.com/docs/declines/codes, https://stripe.com/docs/testing.
constexpr std::array declines = {
    Decline{"generic_decline", "card_declined", "Your card was declined."},
    Decline{"insufficient_funds", "card_declined", "Your card has insufficient funds."},
    Decline{"lost_card", "card_declined", "Your card was declined."},
    Decline{"stolen_card", "card_declined", "Your card was declined."},
    Decline{"fraudulent", "card_declined", "Your card was declined."},
    Decline{"do_not_honor", "card_declined", "Your card was declined."},
    Decline{"try_again_later", "card_declined", "Your card was declined."},
    Decline{"card_not_supported", "card_declined", "Your card is not supported."},
    Decline{"card_velocity_exceeded", "card_declined",
            "Your card was declined for making repeated attempts too frequently or exceeding its amount limit."},
    Decline{"authentication_required", "authentication_required",
            "Your card was declined. This transaction requires authentication."},
    Decline{"account_closed", "account_closed", "The customer's bank account has been closed."},
    Decline{"no_account", "no_account", "The customer's bank account could not be located."},
    Decline{"debit_not_authorized", "debit_not_authorized",
            "The customer has notified their bank that this payment was unauthorized."},
    Decline{"invalid_currency", "invalid_currency", "The bank was unable to process this payment in its currency."},
    Decline{"expired_card", "expired_card", "Your card has expired."},
    Decline{"incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect."},
    Decline{"invalid_cvc", "invalid_cvc", "Your card's security code is invalid."},
    Decline{"incorrect_number", "incorrect_number", "Your card number is incorrect."},
    Decline{"invalid_number", "invalid_number", "Your card number is invalid."},
    Decline{"invalid_expiry_month", "invalid_expiry_month", "Your card's expiration month is invalid."},
    Decline{"invalid_expiry_year", "invalid_expiry_year", "Your card's expiration year is invalid."},
    Decline{"processing_error", "processing_error",
            "An error occurred while processing your card. Try again in a little bit."},
};

/// What happened inside is for the log, not for whoever asks.
std::string_view public_message(const Failure& failure) {
  switch (failure.code) {
    case Errc::outcome_unknown:
      return "The outcome of the request is not known yet; retry with the same Idempotency-Key.";
    case Errc::unavailable:
    case Errc::stale_epoch:
    case Errc::stopping:
      return "The service is not available for the moment. Nothing was changed; please try again.";
    default:
      return "An error occurred on our side. It has been logged with this request's Request-Id.";
  }
}

Answer render(int status, Document& document, Object& error) {
  Object& root = document.object(1);
  root.add("error", error);
  return {status, to_json(root)};
}

// Clients compare declined cards' errors as text: message, type, code, decline_code, charge, in this order.
Object& error_object(Document& document, std::string_view message, std::string_view type, std::string_view code) {
  Object& error = document.object(6);
  error.add("message", document.text(message));
  error.add("type", document.text(type));
  if (!code.empty()) error.add("code", document.text(code));
  return error;
}

}  // namespace

const Decline& decline_named(std::string_view decline_code) {
  const auto at = std::ranges::find(declines, decline_code, &Decline::decline_code);
  return at == declines.end() ? declines.front() : *at;
}

Answer render_error(const Failure& failure) {
  const ErrorKind& kind = kind_of(failure.code);
  Document document;
  if (failure.code == Errc::card_declined) {
    const Decline& decline = decline_named(failure.detail);
    Object& error = error_object(document, decline.message, kind.type, decline.code);
    if (!failure.detail.empty()) error.add("decline_code", document.text(failure.detail));
    if (!failure.parameter.empty()) error.add("param", document.text(failure.parameter));
    return render(kind.status, document, error);
  }
  const bool ours = kind.status >= 500;
  Object& error =
      error_object(document, ours ? public_message(failure) : failure.detail, kind.type, code_of(failure, kind));
  if (!failure.parameter.empty()) error.add("param", document.text(failure.parameter));
  return render(kind.status, document, error);
}

Answer render_decline(const Charge& charge) {
  const ErrorKind& kind = kind_of(Errc::card_declined);
  const Decline& decline = decline_named(charge.decline_code);
  Document document;
  Object& error = error_object(document, decline.message, kind.type, decline.code);
  error.add("decline_code",
            document.text(charge.decline_code.empty() ? decline.decline_code : std::string_view(charge.decline_code)));
  error.add("charge", document.text(charge.id.value()));
  return render(kind.status, document, error);
}

Answer render_unknown_url(std::string_view method, std::string_view path) {
  std::string message = "Unrecognized request URL (";
  message.append(method).append(": ").append(path).append(
      "). If you are trying to list objects, remove the trailing slash. If you are trying to retrieve an object, make "
      "sure you passed a valid (non-empty) identifier in your code.");
  Document document;
  Object& error = error_object(document, message, invalid_request, "");
  return render(404, document, error);
}

Failure no_such(std::string_view object, std::string_view id, std::string_view parameter) {
  std::string message = "No such ";
  message.append(object).append(": ").append(id);
  return {Errc::not_found, std::move(message), std::string(parameter)};
}

}  // namespace billd::api::stripe
