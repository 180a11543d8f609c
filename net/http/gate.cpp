#include "net/http/gate.hpp"

#include <algorithm>

#include "net/http/text.hpp"

namespace billd::http {
namespace {

enum class Side { request, response };

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool all_digits(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_digit); }

bool is_plain(std::string_view line, Side side) {
  if (side == Side::response) return is_field_value(line);
  return std::ranges::all_of(line, [](char c) { return c >= 0x20 && c < 0x7f; });
}

std::optional<Refusal> refuse_version(std::string_view version) {
  if (version == "HTTP/1.1" || version == "HTTP/1.0") return std::nullopt;
  bool other_version = version.starts_with("HTTP/") && version.size() > 5 && is_digit(version[5]);
  if (other_version) return Refusal{505, "Only HTTP/1.1 and HTTP/1.0 are spoken here."};
  return Refusal{400, "The request line is malformed."};
}

std::optional<Refusal> refuse_request_line(std::string_view line, const GateLimits& limits) {
  std::size_t first = line.find(' ');
  std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return Refusal{400, "The request line is malformed."};
  std::string_view method = line.substr(0, first);
  std::string_view target = line.substr(first + 1, last - first - 1);
  if (!is_token(method)) return Refusal{400, "The request line is malformed."};
  if (target.size() > limits.target_bytes_max) return Refusal{414, "The request target is too long."};
  if (!target.starts_with('/')) return Refusal{400, "The request target must be a path."};
  if (target.find_first_of(" #") != std::string_view::npos)
    return Refusal{400, "The request target has a character that must be percent-encoded."};
  return refuse_version(line.substr(last + 1));
}

std::optional<Refusal> refuse_field_line(std::string_view line, Side side) {
  if (line.starts_with(' ') || line.starts_with('\t')) return Refusal{400, "Folded header lines are not accepted."};
  std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return Refusal{400, "A header line has no colon."};
  std::string_view name = line.substr(0, colon);
  if (!is_token(name)) return Refusal{400, "A header name is malformed."};
  // Gateways in between turn '-' into '_' or drop such names: the two spellings must not mean different things.
  if (side == Side::request && name.find('_') != std::string_view::npos)
    return Refusal{400, "A header name contains an underscore."};
  return std::nullopt;
}

std::optional<Refusal> refuse_raw(std::string_view header, const GateLimits& limits, Side side) {
  if (header.size() > limits.header_bytes_max) return Refusal{431, "The header is too large."};
  std::size_t lines = 0;
  while (!header.empty()) {
    std::size_t end = header.find("\r\n");
    if (end == std::string_view::npos) return Refusal{400, "A header line does not end in CR LF."};
    std::string_view line = header.substr(0, end);
    header.remove_prefix(end + 2);
    if (!is_plain(line, side)) return Refusal{400, "The header contains a byte that is not allowed."};
    if (lines == 0) {
      std::optional<Refusal> refusal = side == Side::request ? refuse_request_line(line, limits) : std::nullopt;
      if (refusal) return refusal;
    } else if (line.empty()) {
      if (!header.empty()) return Refusal{400, "The header ends early."};
      return std::nullopt;
    } else {
      std::optional<Refusal> refusal = refuse_field_line(line, side);
      if (refusal) return refusal;
      if (lines > limits.fields_max) return Refusal{431, "The header has too many fields."};
    }
    ++lines;
  }
  return Refusal{400, "The header does not end in an empty line."};
}

// What both sides demand of the fields that say where the body ends.
std::optional<Refusal> refuse_framing(const Headers& headers, unsigned version) {
  std::size_t codings = headers.count("Transfer-Encoding");
  std::size_t lengths = headers.count("Content-Length");
  if (codings + lengths > 1) return Refusal{400, "The length of the body is given more than once."};
  if (codings == 1) {
    if (version < 11) return Refusal{400, "HTTP/1.0 has no transfer codings."};
    if (!equals_ignoring_case(*headers.find("Transfer-Encoding"), "chunked"))
      return Refusal{400, "The only transfer coding is chunked."};
  }
  if (lengths == 1) {
    std::string_view length = *headers.find("Content-Length");
    if (!all_digits(length) || length.size() > 18) return Refusal{400, "Content-Length must be a number."};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Refusal> refuse_raw_request(std::string_view header, const GateLimits& limits) {
  return refuse_raw(header, limits, Side::request);
}

std::optional<Refusal> refuse_raw_response(std::string_view header, const GateLimits& limits) {
  return refuse_raw(header, limits, Side::response);
}

std::optional<Refusal> refuse_request(const Request& request, std::string_view method) {
  if (std::optional<Refusal> refusal = refuse_framing(request.headers, request.version)) return refusal;
  if (request.headers.count("Host") != 1 || !is_valid_host(*request.headers.find("Host")))
    return Refusal{400, "The request needs exactly one valid Host."};
  if (request.method == Method::other) {
    if (method == "TRACE" || method == "CONNECT") return Refusal{405, "The method is not allowed."};
    return Refusal{501, "The method is not known."};
  }
  if (request.headers.count("Content-Encoding") != 0)
    return Refusal{415, "The body must be sent without a content coding."};
  std::size_t expectations = request.headers.count("Expect");
  if (expectations > 1 || (expectations == 1 && !equals_ignoring_case(*request.headers.find("Expect"), "100-continue")))
    return Refusal{417, "The only expectation that can be met is 100-continue."};
  return std::nullopt;
}

std::optional<Refusal> refuse_response(const Response& response, unsigned version) {
  if (std::optional<Refusal> refusal = refuse_framing(response.headers, version)) return refusal;
  std::optional<std::string_view> coding = response.headers.find("Content-Encoding");
  if (coding && !equals_ignoring_case(*coding, "identity"))
    return Refusal{502, "The answer has a content coding that was not asked for."};
  return std::nullopt;
}

bool is_valid_host(std::string_view host) {
  std::string_view rest;
  if (host.starts_with('[')) {
    std::size_t end = host.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    constexpr std::string_view address_characters = "0123456789abcdefABCDEF:.";
    if (host.substr(1, end - 1).find_first_not_of(address_characters) != std::string_view::npos) return false;
    rest = host.substr(end + 1);
  } else {
    std::size_t colon = host.find(':');
    std::string_view name = host.substr(0, colon);
    // Underscores stand in the service names of container networks.
    auto in_name = [](char c) {
      return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '-' || c == '_';
    };
    if (name.empty() || name.size() > 255 || !std::ranges::all_of(name, in_name)) return false;
    rest = colon == std::string_view::npos ? std::string_view{} : host.substr(colon);
  }
  if (rest.empty()) return true;
  return rest.starts_with(':') && rest.size() <= 6 && all_digits(rest.substr(1));
}

}  // namespace billd::http
