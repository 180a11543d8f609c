#include "net/http/wire.hpp"

#include <algorithm>
#include <charconv>

#include "net/http/text.hpp"

namespace billd::http {
namespace {

void append_number(std::string& out, std::size_t number) {
  char digits[20];
  auto [end, error] = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, end);
}

// Fields that say how the message is framed are written from what is sent, never from what somebody claims.
bool is_framing(std::string_view name) {
  switch (name.size()) {
    case 10:
      return equals_ignoring_case(name, "Connection");
    case 14:
      return equals_ignoring_case(name, "Content-Length");
    case 17:
      return equals_ignoring_case(name, "Transfer-Encoding");
    default:
      return false;
  }
}

}  // namespace

bool append_field(std::string& out, std::string_view name, std::string_view value) {
  if (!is_token(name) || !is_field_value(value)) return false;
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
  return true;
}

bool status_has_body(int status) { return status != 204 && status != 304; }

bool append_answer_head(std::string& out, const Response& response, const AnswerFrame& frame) {
  if (response.status < 200 || response.status > 599) return false;
  std::size_t start = out.size();
  out += "HTTP/1.1 ";
  append_number(out, static_cast<std::size_t>(response.status));
  out += ' ';
  out += reason_phrase(response.status);
  out += "\r\n";
  bool fit = true;
  if (!frame.date.empty()) {
    out += "Date: ";
    out += frame.date;
    out += "\r\n";
  }
  if (!response.content_type.empty()) fit = append_field(out, "Content-Type", response.content_type);
  if (frame.chunked) {
    out += "Transfer-Encoding: chunked\r\n";
  } else if (status_has_body(response.status) && !response.stream) {
    out += "Content-Length: ";
    append_number(out, response.body.size());
    out += "\r\n";
  }
  if (!frame.keep_alive) {
    out += "Connection: close\r\n";
  } else if (frame.version < 11) {
    out += "Connection: keep-alive\r\n";
  }
  for (Headers::Field field : response.headers) {
    if (is_framing(field.name) || equals_ignoring_case(field.name, "Date") ||
        equals_ignoring_case(field.name, "Content-Type"))
      continue;
    fit = fit && append_field(out, field.name, field.value);
  }
  if (!fit) {
    out.resize(start);
    return false;
  }
  out += "\r\n";
  return true;
}

void append_chunk(std::string& out, std::string_view bytes) {
  if (bytes.empty()) return;
  char digits[16];
  auto [end, error] = std::to_chars(digits, digits + sizeof digits, bytes.size(), 16);
  out.append(digits, end);
  out += "\r\n";
  out += bytes;
  out += "\r\n";
}

bool append_request_head(std::string& out, Method method, std::string_view target, std::string_view host,
                         const Headers& headers, std::size_t body_bytes) {
  std::size_t start = out.size();
  bool fit = method != Method::other && target.starts_with('/') &&
             std::ranges::all_of(target, [](char c) { return c > 0x20 && c < 0x7f; }) && is_valid_host(host);
  out += name(method);
  out += ' ';
  out += target;
  out += " HTTP/1.1\r\n";
  fit = fit && append_field(out, "Host", host);
  bool may_have_body = method == Method::post || method == Method::put || method == Method::patch;
  if (body_bytes > 0 || may_have_body) {
    out += "Content-Length: ";
    append_number(out, body_bytes);
    out += "\r\n";
  }
  for (Headers::Field field : headers) {
    if (is_framing(field.name) || equals_ignoring_case(field.name, "Host")) continue;
    fit = fit && append_field(out, field.name, field.value);
  }
  if (!fit) {
    out.resize(start);
    return false;
  }
  out += "\r\n";
  return true;
}

}  // namespace billd::http
