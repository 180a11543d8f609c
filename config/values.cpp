#include "config/values.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

namespace billd {
namespace {

struct DurationUnit {
  std::string_view suffix;
  std::int64_t milliseconds;
};

constexpr std::array duration_units = {
    DurationUnit{"d", 86'400'000}, DurationUnit{"h", 3'600'000}, DurationUnit{"m", 60'000},
    DurationUnit{"s", 1'000},      DurationUnit{"ms", 1},
};

Failure malformed(std::string detail) { return Failure{Errc::bad_configuration, std::move(detail)}; }

struct HostAndPort {
  std::string host;
  std::uint16_t port = 0;
  bool is_address = false;
};

bool is_ip_address(const std::string& host, int family) {
  std::array<unsigned char, sizeof(in6_addr)> bytes = {};
  return inet_pton(family, host.c_str(), bytes.data()) == 1;
}

bool is_host_name(std::string_view host) {
  auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return !host.empty() && host.size() <= 253 && std::ranges::all_of(host, allowed);
}

std::optional<HostAndPort> parse_host_and_port(std::string_view text) {
  auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  std::string_view host = text.substr(0, colon);
  std::string_view digits = text.substr(colon + 1);
  bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);

  HostAndPort parsed{.host = std::string(host)};
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), parsed.port);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  parsed.is_address = is_ip_address(parsed.host, bracketed ? AF_INET6 : AF_INET);
  if (!parsed.is_address && (bracketed || !is_host_name(host))) return std::nullopt;
  return parsed;
}

std::string join_host_and_port(const std::string& host, std::uint16_t port) {
  bool is_ipv6 = host.find(':') != std::string::npos;
  return (is_ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace

std::string_view name_of(FinalAction action) {
  switch (action) {
    case FinalAction::cancel:
      return "cancel";
    case FinalAction::unpaid:
      return "unpaid";
    case FinalAction::past_due:
      return "past_due";
  }
  return "";
}

std::string_view name_of(TaxRounding rounding) {
  switch (rounding) {
    case TaxRounding::line:
      return "line";
    case TaxRounding::invoice:
      return "invoice";
  }
  return "";
}

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::trace:
      return "trace";
    case LogLevel::debug:
      return "debug";
    case LogLevel::info:
      return "info";
    case LogLevel::warning:
      return "warning";
    case LogLevel::error:
      return "error";
    case LogLevel::critical:
      return "critical";
  }
  return "";
}

std::string_view name_of(LogFormat format) {
  switch (format) {
    case LogFormat::automatic:
      return "automatic";
    case LogFormat::text:
      return "text";
    case LogFormat::json:
      return "json";
    case LogFormat::journal:
      return "journal";
  }
  return "";
}

std::string_view name_of(Mode mode) { return mode == Mode::live ? "live" : "test"; }

std::string_view name_of(ProcessorKind kind) {
  switch (kind) {
    case ProcessorKind::unset:
      return "";
    case ProcessorKind::stripe:
      return "stripe";
    case ProcessorKind::stancer:
      return "stancer";
    case ProcessorKind::http:
      return "http";
  }
  return "";
}

std::string_view name_of(TestFault fault) {
  switch (fault) {
    case TestFault::none:
      return "none";
    case TestFault::delay:
      return "delay";
    case TestFault::lost:
      return "lost";
    case TestFault::answer_lost:
      return "answer_lost";
    case TestFault::conflict:
      return "conflict";
    case TestFault::throttled:
      return "throttled";
    case TestFault::error_stored:
      return "error_stored";
    case TestFault::garbage:
      return "garbage";
    case TestFault::wrong_amount:
      return "wrong_amount";
    case TestFault::wrong_currency:
      return "wrong_currency";
  }
  return "";
}

std::string_view name_of(WebhookKind kind) {
  switch (kind) {
    case WebhookKind::unset:
      return "";
    case WebhookKind::stripe:
      return "stripe";
    case WebhookKind::standard:
      return "standard";
    case WebhookKind::hmac:
      return "hmac";
  }
  return "";
}

std::string_view name_of(HmacEncoding encoding) { return encoding == HmacEncoding::hex ? "hex" : "base64"; }

Result<std::chrono::milliseconds> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  std::string_view suffix = text.substr(static_cast<std::size_t>(end - text.data()));
  if (error == std::errc{} && count > 0 && suffix.empty()) {
    return malformed("must have a unit: write \"" + std::string(text) + "s\" for " + std::string(text) +
                     " seconds (units: ms, s, m, h, d)");
  }
  auto unit = std::ranges::find(duration_units, suffix, &DurationUnit::suffix);
  bool readable = error == std::errc{} && count >= 0 && unit != duration_units.end();
  if (!readable || count > std::numeric_limits<std::int64_t>::max() / unit->milliseconds) {
    return malformed("must be a duration such as \"30s\" (units: ms, s, m, h, d), not \"" + std::string(text) + "\"");
  }
  return std::chrono::milliseconds(count * unit->milliseconds);
}

std::string to_text(std::chrono::milliseconds duration) {
  std::int64_t count = duration.count();
  if (count == 0) return "0s";
  auto divides = [count](const DurationUnit& unit) { return count % unit.milliseconds == 0; };
  auto unit = std::ranges::find_if(duration_units, divides);
  return std::to_string(count / unit->milliseconds) + std::string(unit->suffix);
}

Result<ListenAddress> parse_listen_address(std::string_view text) {
  auto parsed = parse_host_and_port(text);
  if (!parsed) {
    return malformed("must be an IP address and a port such as \"127.0.0.1:4242\" or \"[::1]:4242\", not \"" +
                     std::string(text) + "\"");
  }
  if (!parsed->is_address) return malformed("must hold an IP address, not the name `" + parsed->host + "`");
  return ListenAddress{parsed->host, parsed->port};
}

bool is_loopback(const ListenAddress& address) {
  return address.address.starts_with("127.") || address.address == "::1";
}

bool collide(const ListenAddress& one, const ListenAddress& other) {
  if (one.port == 0 || one.port != other.port) return false;
  auto is_four = [](const ListenAddress& address) { return address.address.find(':') == std::string::npos; };
  // Linux listens on IPv4 as well where all addresses of IPv6 are meant.
  auto covers = [&](const ListenAddress& all, const ListenAddress& each) {
    return all.address == "::" || (all.address == "0.0.0.0" && is_four(each));
  };
  return one.address == other.address || covers(one, other) || covers(other, one);
}

std::string to_text(const ListenAddress& address) { return join_host_and_port(address.address, address.port); }

Result<RedisAddress> parse_redis_address(std::string_view text) {
  constexpr std::string_view unix_prefix = "unix:";
  if (text == "embedded") return RedisAddress{};
  if (text.starts_with(unix_prefix) && text.substr(unix_prefix.size()).starts_with('/')) {
    return RedisAddress{.kind = RedisAddress::Kind::unix_socket, .path = std::string(text.substr(unix_prefix.size()))};
  }
  auto parsed = parse_host_and_port(text);
  if (!parsed || parsed->port == 0 || parsed->host == "unix") {
    return malformed("must be \"embedded\", \"unix:/path/to/socket\" or \"host:port\", not \"" + std::string(text) +
                     "\"");
  }
  return RedisAddress{.kind = RedisAddress::Kind::tcp, .host = parsed->host, .port = parsed->port};
}

std::string to_text(const RedisAddress& address) {
  switch (address.kind) {
    case RedisAddress::Kind::embedded:
      return "embedded";
    case RedisAddress::Kind::unix_socket:
      return "unix:" + address.path;
    case RedisAddress::Kind::tcp:
      return join_host_and_port(address.host, address.port);
  }
  return "";
}

}  // namespace billd
