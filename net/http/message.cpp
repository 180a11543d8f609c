#include "net/http/message.hpp"

#include <array>
#include <utility>

#include "net/http/text.hpp"

namespace billd::http {
namespace {

constexpr std::array<std::string_view, 8> method_names = {"GET",    "POST", "PUT",     "PATCH",
                                                          "DELETE", "HEAD", "OPTIONS", "OTHER"};

}  // namespace

std::string_view name(Method method) { return method_names[static_cast<std::size_t>(method)]; }

Method method_named(std::string_view name) {
  for (std::size_t i = 0; i + 1 < method_names.size(); ++i)
    if (method_names[i] == name) return static_cast<Method>(i);
  return Method::other;
}

void Headers::reserve(std::size_t fields, std::size_t bytes) {
  places_.reserve(fields);
  text_.reserve(bytes);
}

void Headers::add(std::string_view name, std::string_view value) {
  auto name_at = static_cast<std::uint32_t>(text_.size());
  text_ += name;
  auto value_at = static_cast<std::uint32_t>(text_.size());
  text_ += value;
  places_.push_back({name_at, value_at, static_cast<std::uint32_t>(text_.size())});
}

void Headers::set(std::string_view name, std::string_view value) {
  std::erase_if(places_, [&](const Place& place) {
    std::string_view text = text_;
    return equals_ignoring_case(text.substr(place.name_at, place.value_at - place.name_at), name);
  });
  add(name, value);
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (Field field : *this)
    if (equals_ignoring_case(field.name, name)) return field.value;
  return std::nullopt;
}

std::size_t Headers::count(std::string_view name) const {
  std::size_t found = 0;
  for (Field field : *this) found += equals_ignoring_case(field.name, name);
  return found;
}

Headers::Field Headers::operator[](std::size_t index) const {
  const Place& place = places_[index];
  std::string_view text = text_;
  return {text.substr(place.name_at, place.value_at - place.name_at),
          text.substr(place.value_at, place.end_at - place.value_at)};
}

std::string_view Request::path() const { return std::string_view(target).substr(0, target.find('?')); }

std::string_view Request::query() const {
  std::size_t mark = target.find('?');
  return mark == std::string::npos ? std::string_view{} : std::string_view(target).substr(mark + 1);
}

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 402:
      return "Payment Required";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 411:
      return "Length Required";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 417:
      return "Expectation Failed";
    case 422:
      return "Unprocessable Content";
    case 423:
      return "Locked";
    case 424:
      return "Failed Dependency";
    case 425:
      return "Too Early";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Unknown";
  }
}

}  // namespace billd::http
