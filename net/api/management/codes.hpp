// The one table of the Management API's failure codes: a letter for the kind, a number, and the status that goes with
// it.
#pragma once

#include <boost/system/result.hpp>
#include <span>
#include <string>
#include <string_view>

#include "engine/result.hpp"

namespace billd::api::management {

/// In the order of the table.
enum class Code {
  unavailable,         ///< E1
  timed_out,           ///< E2
  too_busy,            ///< E3
  key_in_use,          ///< E4
  no_credentials,      ///< L1
  wrong_credentials,   ///< L2
  malformed_body,      ///< F1
  forbidden_xml,       ///< F2
  too_deep,            ///< F3
  body_too_large,      ///< F4
  malformed_query,     ///< F5
  malformed_request,   ///< F6
  missing,             ///< V1
  too_long,            ///< V2
  no_integer,          ///< V3
  not_changeable,      ///< V4
  out_of_range,        ///< V5
  unfit_text,          ///< V6
  no_such_record,      ///< V7
  duplicate_code,      ///< V8
  key_of_another,      ///< V9
  unknown_media_type,  ///< U1
  not_acceptable,      ///< U2
  method_not_allowed,  ///< U3
  no_such_resource,    ///< U4
  internal,            ///< S1
  secret_sent,         ///< Q1
};

struct CodeEntry {
  Code code;
  std::string_view text;  ///< "V12"
  int status;
  std::string_view meaning;  ///< for the documentation, and where there is nothing better to say
};
std::span<const CodeEntry> code_table();
const CodeEntry& entry_of(Code code);
/// What the HTTP server says by itself.
Code code_of_status(int status);

/// Why a request is refused.
struct Refusal {
  Code code = Code::internal;
  std::string message;
};
[[noreturn]] void throw_exception_from_error(const Refusal& refusal, const boost::source_location& location);

template <class T>
using Answered = boost::system::result<T, Refusal>;

/// The refusal that a failure of billing is told as. Failures of billd itself are told by their meaning alone.
Refusal refusal_of(const Failure& failure);

}  // namespace billd::api::management
