// Errors as values: what can go wrong in billd, by name, and the Result that carries it.
#pragma once

#include <boost/system/result.hpp>
#include <string>
#include <string_view>

namespace billd {

/// Every way in which an operation of billd can fail, in order of precedence: where several apply, the first one is
/// told.
enum class Errc {
  /// A parameter is missing, malformed or out of its range; nothing was changed.
  invalid_parameter = 1,
  /// A required parameter was not given.
  missing_parameter,
  /// A parameter that the operation does not know was given.
  unknown_parameter,
  /// The named object does not exist in this mode.
  not_found,
  /// An object of that id exists already.
  already_exists,
  /// The object's state forbids the operation (an invoice that is paid cannot be paid again).
  invalid_state,
  /// The customer has no payment source to charge.
  no_payment_source,
  /// Amounts of two currencies were brought together.
  currency_mismatch,
  /// An amount would leave its range; nothing wrapped.
  amount_out_of_range,
  /// The payment source was declined by its gateway.
  card_declined,
  /// The credentials are missing, unknown or revoked.
  unauthenticated,
  /// The credentials do not allow the operation.
  forbidden,
  /// Another writer changed the account first; load it again and decide again.
  conflict,
  /// The same idempotency key was used with other parameters.
  idempotency_mismatch,
  /// A request with the same idempotency key is still being carried out.
  idempotency_in_progress,
  /// This daemon no longer owns the partition; its successor does the work.
  stale_epoch,
  /// A limit on size or rate was reached; later it may work.
  limit_exceeded,
  /// A server that is needed (Redis, a gateway) does not answer or refuses for now; nothing was done.
  unavailable,
  /// It is not known whether the operation was carried out: look it up before repeating it.
  outcome_unknown,
  /// The daemon is stopping and takes no new work.
  stopping,
  /// Stored data cannot be read or contradicts itself; time does not mend it.
  corrupt,
  /// A setting is wrong; the daemon cannot start with it.
  bad_configuration,
  /// A defect of billd itself.
  internal,
};

/// A short, constant sentence for each value, for logs and as a last resort in answers.
std::string_view message(Errc code);

/// Whether the same operation may succeed later without anybody changing anything.
bool is_transient(Errc code);

/// What went wrong: the code for programs, the detail for people, and the parameter that caused it, if one did.
struct Failure {
  Errc code = Errc::internal;
  std::string detail;
  std::string parameter = {};

  bool operator==(const Failure&) const = default;
};

/// Makes value() of a failed Result throw; billd tests first, so that this only serves start-up and tests.
[[noreturn]] void throw_exception_from_error(const Failure& failure, const boost::source_location& location);

template <class T>
using Result = boost::system::result<T, Failure>;

/// Ends the process with the file, the line and `text` when `condition` is false, in every build: an invariant is
/// broken and to go on would risk money.
#define BILLD_CHECK(condition, text)                               \
  do {                                                             \
    if (!(condition)) [[unlikely]]                                 \
      ::billd::check_failed(__FILE__, __LINE__, #condition, text); \
  } while (false)

[[noreturn]] void check_failed(const char* file, int line, const char* condition, std::string_view text);

}  // namespace billd
