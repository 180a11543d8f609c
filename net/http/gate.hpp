// The strict gate in front of every HTTP message: refuses what two parsers might read differently, before anyone acts.
//
// Beast 1.81 accepts unknown transfer codings, chunked on HTTP/1.0, folded lines and more; each of these lets a request
// be hidden in another one's body. The gate looks first at the raw bytes of the header, then at the parsed fields.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "net/http/message.hpp"

namespace billd::http {

struct GateLimits {
  std::size_t header_bytes_max = 16 * 1024;  // start line, fields and line ends together
  std::size_t fields_max = 100;
  std::size_t target_bytes_max = 8 * 1024;
};

/// Why a message is refused: the status to answer with and a constant sentence for the peer.
struct Refusal {
  int status;
  std::string_view reason;
};

/// Looks at a request's header as received, from the first byte of its request line to the empty line that ends it.
/// Only CR LF ends lines; no fold, no control, no byte from 0x7f up; "METHOD /target HTTP/1.x" with single spaces.
std::optional<Refusal> refuse_raw_request(std::string_view header, const GateLimits& limits);

/// The same for a response's header. Bytes above 0x7f and tabs are let through in values, for gateways send them.
std::optional<Refusal> refuse_raw_response(std::string_view header, const GateLimits& limits);

/// Looks at a request's parsed head (its body need not be there yet): one valid Host, at most one way of framing the
/// body and that one unambiguous, no content coding, no expectation but 100-continue, a method that billd serves.
/// `method` is the name as received, for request.method has lost it when it is `other`.
std::optional<Refusal> refuse_request(const Request& request, std::string_view method);

/// Looks at a response's parsed head: at most one unambiguous way of framing the body, and no content coding.
std::optional<Refusal> refuse_response(const Response& response, unsigned version);

/// host or host:port, where host is a name, an IPv4 address or an IPv6 address in brackets.
bool is_valid_host(std::string_view host);

}  // namespace billd::http
