// The heads of messages as bytes, both ways: written by hand into one reusable buffer, read by Beast's parser straight
// into our own messages. For the server and the client only: this header brings in Beast.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <string>
#include <string_view>
#include <type_traits>

#include "net/http/gate.hpp"
#include "net/http/message.hpp"

namespace billd::http {

/// Reads one message of HTTP/1 into a Request or Response. Feed it the header, which the gate has looked at, then the
/// body. Trailer fields and the fields of chunks are dropped, chunk extensions refused.
template <bool is_request>
class MessageParser final : public boost::beast::http::basic_parser<is_request> {
  using Base = boost::beast::http::basic_parser<is_request>;
  using Verb = boost::beast::http::verb;
  using Name = boost::beast::http::field;
  using Text = boost::beast::string_view;
  using ErrorCode = boost::beast::error_code;

 public:
  using Message = std::conditional_t<is_request, Request, Response>;

  MessageParser(Message& message, std::uint64_t body_bytes_max, std::uint32_t header_bytes_max) : message_(message) {
    this->body_limit(body_bytes_max);
    this->header_limit(header_bytes_max);
    this->eager(true);
  }

  /// What the message breaks, once the header is read.
  const std::optional<Refusal>& refusal() const { return refusal_; }

  unsigned version() const { return version_; }

  /// Parses what it can and returns how many bytes it took. `ec` is need_more when the message goes on.
  std::size_t feed(std::string_view bytes, ErrorCode& ec) {
    return this->put(boost::asio::buffer(bytes.data(), bytes.size()), ec);
  }

 private:
  void on_request_impl(Verb, Text method, Text target, int version, ErrorCode&) override {
    if constexpr (is_request) {
      version_ = message_.version = static_cast<unsigned>(version);
      method_name_.assign(method.data(), method.size());
      message_.method = method_named(method_name_);
      message_.target.assign(target.data(), target.size());
    }
  }

  void on_response_impl(int status, Text, int version, ErrorCode&) override {
    if constexpr (!is_request) {
      version_ = static_cast<unsigned>(version);
      message_.status = status;
      message_.content_type.clear();
    }
  }

  void on_field_impl(Name, Text name, Text value, ErrorCode&) override {
    if (header_done_) return;
    message_.headers.add(std::string_view(name.data(), name.size()), std::string_view(value.data(), value.size()));
  }

  void on_header_impl(ErrorCode& ec) override {
    header_done_ = true;
    if constexpr (is_request) {
      refusal_ = refuse_request(message_, method_name_);
      message_.keep_alive = this->keep_alive();
    } else {
      refusal_ = refuse_response(message_, version_);
      if (auto type = message_.headers.find("Content-Type")) message_.content_type = *type;
    }
    if (refusal_) ec = boost::beast::http::error::bad_value;
  }

  void on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCode&) override {
    // A peer that announces much and sends nothing shall not cost memory.
    constexpr std::uint64_t trusted_bytes = 64 * 1024;
    if (length) message_.body.reserve(static_cast<std::size_t>(std::min(*length, trusted_bytes)));
  }

  std::size_t on_body_impl(Text body, ErrorCode&) override {
    message_.body.append(body.data(), body.size());
    return body.size();
  }

  void on_chunk_header_impl(std::uint64_t, Text extensions, ErrorCode& ec) override {
    if (!extensions.empty()) ec = boost::beast::http::error::bad_chunk_extension;
  }

  std::size_t on_chunk_body_impl(std::uint64_t, Text body, ErrorCode&) override {
    message_.body.append(body.data(), body.size());
    return body.size();
  }

  void on_finish_impl(ErrorCode&) override {}

  Message& message_;
  std::string method_name_;
  std::optional<Refusal> refusal_;
  unsigned version_ = 11;
  bool header_done_ = false;
};

/// Appends one field; false, and nothing appended, when the name or the value could break the header apart. Every value
/// that billd writes into a header goes through here.
bool append_field(std::string& out, std::string_view name, std::string_view value);

/// How an answer ends up on the wire.
struct AnswerFrame {
  std::string_view date;   // IMF-fixdate; no Date field when empty
  unsigned version = 11;   // of the request
  bool keep_alive = true;  // whether the connection goes on
  bool chunked = false;    // the body comes in chunks, and how long it will be is not known
};

/// Appends the status line and the fields, up to the empty line. The body is the caller's. False, and nothing appended,
/// when a field is not fit to be written or the status is not a final one.
bool append_answer_head(std::string& out, const Response& response, const AnswerFrame& frame);

/// Appends one chunk of a body; an empty one would end it and appends nothing.
void append_chunk(std::string& out, std::string_view bytes);

/// The end of a body in chunks.
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

/// Whether a response of that status carries a body and its length.
bool status_has_body(int status);

/// Appends a request line, Host, the fields and the length of the body. False, and nothing appended, when the target or
/// a field is not fit to be written. Host, Content-Length, Transfer-Encoding and Connection of `headers` are left out.
bool append_request_head(std::string& out, Method method, std::string_view target, std::string_view host,
                         const Headers& headers, std::size_t body_bytes);

}  // namespace billd::http
