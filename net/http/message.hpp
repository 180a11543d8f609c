// HTTP messages as plain values: what a handler receives and answers, and what the client sends and gets.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace billd::http {

enum class Method : std::uint8_t { get, post, put, patch, delete_, head, options, other };

/// As on the wire ("DELETE"); "OTHER" for other.
std::string_view name(Method method);

/// `other` for every method that billd does not serve. Methods are case-sensitive.
Method method_named(std::string_view name);

/// Header fields in the order in which they were added, looked up without regard to case. All text lies in one string,
/// so that a message's fields cost two allocations. The views it returns hold until it is changed, moved or destroyed.
class Headers {
 public:
  struct Field {
    std::string_view name;
    std::string_view value;
  };

  class Iterator {
   public:
    Iterator(const Headers& headers, std::size_t index) : headers_(&headers), index_(index) {}
    Field operator*() const { return (*headers_)[index_]; }
    Iterator& operator++() { return ++index_, *this; }
    bool operator==(const Iterator& other) const { return index_ == other.index_; }

   private:
    const Headers* headers_;
    std::size_t index_;
  };

  /// Makes room for that many fields and bytes of names and values.
  void reserve(std::size_t fields, std::size_t bytes);

  void add(std::string_view name, std::string_view value);

  /// Replaces all fields of that name by one, at the end.
  void set(std::string_view name, std::string_view value);

  /// The value of the first field of that name.
  std::optional<std::string_view> find(std::string_view name) const;

  /// How many fields have that name.
  std::size_t count(std::string_view name) const;

  std::size_t size() const { return places_.size(); }
  bool empty() const { return places_.empty(); }

  Field operator[](std::size_t index) const;
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, places_.size()}; }

 private:
  struct Place {
    std::uint32_t name_at;
    std::uint32_t value_at;
    std::uint32_t end_at;
  };
  std::string text_;
  std::vector<Place> places_;
};

/// A request that has passed the gate (net/http/gate.hpp): its method is known, its target begins with '/', its body is
/// complete. Trailer fields are read and dropped.
struct Request {
  Method method = Method::get;
  std::string target;  // as received, percent-encoded
  unsigned version = 11;
  bool keep_alive = true;  // what the peer wishes
  Headers headers;
  std::string body;
  std::string remote_address;  // of the peer's socket, without port; IPv4 also where the listener is IPv6

  /// The target up to the '?'; still percent-encoded (the router decodes it).
  std::string_view path() const;

  /// The target behind the '?', without it; empty when there is none.
  std::string_view query() const;
};

class BodyStream;

/// An answer. The server adds Date, Content-Length and Connection itself: fields of these names, and Transfer-Encoding
/// and Content-Type (which `content_type` tells), are left out when `headers` has them. A name or value that could
/// break the header apart (CR, LF, other controls) makes the server answer 500 instead.
struct Response {
  int status = 200;
  std::string content_type = "application/json";  // left out when empty
  Headers headers;
  std::string body;
  bool close = false;  // ends the connection after this answer
  /// Produces what follows `body`, see net/http/server.hpp; null: `body` is all there is.
  std::shared_ptr<BodyStream> stream;
};

/// The standard phrase of a status ("Not Found"); "Unknown" for others.
std::string_view reason_phrase(int status);

}  // namespace billd::http
