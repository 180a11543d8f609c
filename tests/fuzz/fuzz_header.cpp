// Heads of requests: what passes the gate has one Host, one way of framing and no bytes that could break a line.
#include <cstdint>

#include "engine/result.hpp"
#include "net/http/text.hpp"
#include "net/http/wire.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace billd::http;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return 0;
  const std::string_view head = bytes.substr(0, end + 4);
  const GateLimits limits;
  if (refuse_raw_request(head, limits)) return 0;
  Request request;
  MessageParser<true> parser(request, 4096, static_cast<std::uint32_t>(limits.header_bytes_max));
  boost::beast::error_code ec;
  parser.feed(head, ec);
  if (parser.refusal() || (ec && ec != boost::beast::http::error::need_more)) return 0;
  BILLD_CHECK(request.target.starts_with('/'), "no path");
  BILLD_CHECK(request.headers.count("Host") == 1, "not one Host");
  BILLD_CHECK(request.headers.count("Content-Length") + request.headers.count("Transfer-Encoding") <= 1, "two lengths");
  for (const auto field : request.headers)
    BILLD_CHECK(is_token(field.name) && is_field_value(field.value), "a field that breaks lines apart");
  std::string_view rest = bytes.substr(end + 4);
  while (!parser.is_done() && !rest.empty()) {
    const std::size_t taken = parser.feed(rest, ec);
    rest.remove_prefix(taken);
    if (ec || taken == 0) break;
  }
  BILLD_CHECK(request.body.size() <= 4096, "more than the limit");
  return 0;
}
