#include "engine/result.hpp"

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace billd {

std::string_view message(Errc code) {
  switch (code) {
    case Errc::invalid_parameter:
      return "a parameter is invalid";
    case Errc::missing_parameter:
      return "a required parameter is missing";
    case Errc::unknown_parameter:
      return "a parameter is unknown";
    case Errc::not_found:
      return "no such object";
    case Errc::already_exists:
      return "the object exists already";
    case Errc::invalid_state:
      return "the object's state forbids this";
    case Errc::no_payment_source:
      return "the customer has no payment source";
    case Errc::currency_mismatch:
      return "the currencies differ";
    case Errc::amount_out_of_range:
      return "the amount is out of range";
    case Errc::card_declined:
      return "the payment source was declined";
    case Errc::unauthenticated:
      return "the credentials are not valid";
    case Errc::forbidden:
      return "the credentials do not allow this";
    case Errc::conflict:
      return "the account was changed by another writer";
    case Errc::idempotency_mismatch:
      return "the idempotency key was used with other parameters";
    case Errc::idempotency_in_progress:
      return "a request with this idempotency key is in progress";
    case Errc::stale_epoch:
      return "the partition has another owner";
    case Errc::limit_exceeded:
      return "a limit was reached";
    case Errc::unavailable:
      return "a needed server does not answer";
    case Errc::outcome_unknown:
      return "the outcome is not known";
    case Errc::stopping:
      return "the daemon is stopping";
    case Errc::corrupt:
      return "stored data cannot be read";
    case Errc::bad_configuration:
      return "the configuration is wrong";
    case Errc::internal:
      return "an internal error";
  }
  return "an unnamed error";
}

bool is_transient(Errc code) {
  switch (code) {
    case Errc::conflict:
    case Errc::idempotency_in_progress:
    case Errc::stale_epoch:
    case Errc::limit_exceeded:
    case Errc::unavailable:
    case Errc::outcome_unknown:
    case Errc::stopping:
      return true;
    default:
      return false;
  }
}

void throw_exception_from_error(const Failure& failure, const boost::source_location&) {
  throw std::runtime_error(std::string(message(failure.code)) + ": " + failure.detail);
}

void check_failed(const char* file, int line, const char* condition, std::string_view text) {
  std::fprintf(stderr, "%s:%d: check failed: %s: %.*s\n", file, line, condition, static_cast<int>(text.size()),
               text.data());
  std::abort();
}

}  // namespace billd
