#include "net/api/management/codes.hpp"

#include <array>

namespace billd::api::management {
namespace {

constexpr std::array table = {
    CodeEntry{Code::unavailable, "E1", 503, "A server that is needed does not answer; try again later."},
    CodeEntry{Code::timed_out, "E2", 408, "The request did not arrive in time."},
    CodeEntry{Code::too_busy, "E3", 429, "Too many connections are open."},
    CodeEntry{Code::key_in_use, "E4", 409, "A request with that Idempotency-Key is still being carried out."},
    CodeEntry{Code::no_credentials, "L1", 401, "The request needs Basic credentials of a service user."},
    CodeEntry{Code::wrong_credentials, "L2", 401, "The credentials are wrong."},
    CodeEntry{Code::malformed_body, "F1", 400, "The body cannot be read."},
    CodeEntry{Code::forbidden_xml, "F2", 400, "The XML has a document type, an entity or an encoding of its own."},
    CodeEntry{Code::too_deep, "F3", 400, "The body is nested too deeply."},
    CodeEntry{Code::body_too_large, "F4", 413, "The body is too large."},
    CodeEntry{Code::malformed_query, "F5", 400, "The query string cannot be read."},
    CodeEntry{Code::malformed_request, "F6", 400, "The request is no valid HTTP."},
    CodeEntry{Code::missing, "V1", 400, "A required value is missing."},
    CodeEntry{Code::too_long, "V2", 400, "A value is too long."},
    CodeEntry{Code::no_integer, "V3", 400, "A value is no integer, or out of its range."},
    CodeEntry{Code::not_changeable, "V4", 400, "The value cannot be changed."},
    CodeEntry{Code::out_of_range, "V5", 400, "offset or limit is out of its range."},
    CodeEntry{Code::unfit_text, "V6", 400, "A value has characters that are not allowed."},
    CodeEntry{Code::no_such_record, "V7", 404, "There is no such record."},
    CodeEntry{Code::duplicate_code, "V8", 409, "Another customer has the code."},
    CodeEntry{Code::key_of_another, "V9", 400, "The Idempotency-Key was used for another request."},
    CodeEntry{Code::unknown_media_type, "U1", 415, "The body has a media type that is not read here."},
    CodeEntry{Code::not_acceptable, "U2", 406, "No media type that is accepted can be made."},
    CodeEntry{Code::method_not_allowed, "U3", 405, "The action does not exist here."},
    CodeEntry{Code::no_such_resource, "U4", 404, "There is no such resource."},
    CodeEntry{Code::internal, "S1", 500, "An internal error occurred."},
    CodeEntry{Code::secret_sent, "Q1", 403, "A card number or a secret key must not be sent here."},
};

constexpr bool is_in_order() {
  for (std::size_t i = 0; i < table.size(); ++i)
    if (table[i].code != static_cast<Code>(i)) return false;
  return true;
}
static_assert(is_in_order());

}  // namespace

std::span<const CodeEntry> code_table() { return table; }

const CodeEntry& entry_of(Code code) { return table[static_cast<std::size_t>(code)]; }

Code code_of_status(int status) {
  switch (status) {
    case 405:
    case 501:
      return Code::method_not_allowed;
    case 408:
      return Code::timed_out;
    case 413:
      return Code::body_too_large;
    case 415:
      return Code::unknown_media_type;
    case 429:
      return Code::too_busy;
    case 503:
      return Code::unavailable;
    default:
      return status >= 500 ? Code::internal : Code::malformed_request;
  }
}

void throw_exception_from_error(const Refusal& refusal, const boost::source_location&) {
  check_failed(__FILE__, __LINE__, "refused", refusal.message);
}

Refusal refusal_of(const Failure& failure) {
  switch (failure.code) {
    case Errc::invalid_parameter:
    case Errc::missing_parameter:
    case Errc::unknown_parameter:
      return {Code::unfit_text, failure.detail};
    case Errc::idempotency_mismatch:
      return {Code::key_of_another, failure.detail};
    case Errc::idempotency_in_progress:
      return {Code::key_in_use, failure.detail};
    case Errc::not_found:
      return {Code::no_such_record, std::string(entry_of(Code::no_such_record).meaning)};
    case Errc::already_exists:
    case Errc::conflict:
      return {Code::duplicate_code, failure.detail};
    case Errc::limit_exceeded:
    case Errc::unavailable:
    case Errc::outcome_unknown:
    case Errc::stopping:
      return {Code::unavailable, std::string(entry_of(Code::unavailable).meaning)};
    default:
      return {Code::internal, std::string(entry_of(Code::internal).meaning)};
  }
}

}  // namespace billd::api::management
