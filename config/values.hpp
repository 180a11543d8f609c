// The values that a setting can have beyond numbers and text, and how each is written.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "engine/account.hpp"
#include "engine/result.hpp"
#include "engine/rules.hpp"

namespace billd {

/// An IP address and a port on which billd listens; port 0 lets the system choose one.
struct ListenAddress {
  std::string address;
  std::uint16_t port = 0;

  bool operator==(const ListenAddress&) const = default;
};

/// Where Redis is: a child of billd's own, a Unix socket, or a host (name or IP address) and port.
struct RedisAddress {
  enum class Kind { embedded, unix_socket, tcp };

  Kind kind = Kind::embedded;
  std::string path = {};
  std::string host = {};
  std::uint16_t port = 0;

  bool operator==(const RedisAddress&) const = default;
};

/// Text that must not reach a log or a page: it cannot be printed, only revealed where it is used.
class Secret {
 public:
  Secret() = default;
  explicit Secret(std::string text) : text_(std::move(text)) {}

  bool empty() const { return text_.empty(); }
  const std::string& reveal() const { return text_; }

  bool operator==(const Secret&) const = default;

 private:
  std::string text_;
};

/// How much is logged: each level includes the ones after it.
enum class LogLevel { trace, debug, info, warning, error, critical };

/// How the log is written: `automatic` is entries with fields where the standard error stream is systemd's journal, and
/// lines of text elsewhere.
enum class LogFormat { automatic, text, json, journal };

/// Whose API a payment processor speaks.
enum class ProcessorKind { unset, stripe, stancer, http };

/// What goes wrong on purpose with a charge through the built-in test gateway.
enum class TestFault {
  none,
  delay,           ///< the answer comes two seconds late
  lost,            ///< it never arrives
  answer_lost,     ///< the money moves, and no answer comes
  conflict,        ///< 409: an earlier one is under way
  throttled,       ///< 429
  error_stored,    ///< 500, and again for each repetition of the key; the money moves
  garbage,         ///< the money moves, and the answer cannot be read
  wrong_amount,    ///< the money moves, and the answer speaks of another amount
  wrong_currency,  ///< the same with the currency
};

/// How webhooks that come in are signed: as Stripe's, by Standard Webhooks, or by a bare HMAC-SHA256 of the body.
enum class WebhookKind { unset, stripe, standard, hmac };
enum class HmacEncoding { hex, base64 };

std::string_view name_of(FinalAction action);
std::string_view name_of(TaxRounding rounding);
std::string_view name_of(Mode mode);
std::string_view name_of(ProcessorKind kind);
std::string_view name_of(TestFault fault);
std::string_view name_of(WebhookKind kind);
std::string_view name_of(HmacEncoding encoding);
std::string_view name_of(LogLevel level);
std::string_view name_of(LogFormat format);

/// Reads a whole number with its unit: "400ms", "30s", "5m", "1h", "3d". The detail of a failure completes the sentence
/// "the setting ...".
Result<std::chrono::milliseconds> parse_duration(std::string_view text);

/// Writes a duration as parse_duration reads it, in the largest unit that divides it: 90 s is "90s", 3600 s is "1h".
std::string to_text(std::chrono::milliseconds duration);

/// Reads "127.0.0.1:4242" or "[::1]:4242". Names of hosts are refused: which of their addresses would it be?
Result<ListenAddress> parse_listen_address(std::string_view text);
std::string to_text(const ListenAddress& address);
bool is_loopback(const ListenAddress& address);
/// Whether the two cannot be listened on at once: a port on all addresses is also one on each of them.
bool collide(const ListenAddress& one, const ListenAddress& other);

/// Reads "embedded", "unix:/run/redis/redis.sock", "redis.internal:6379", "10.0.0.5:6379" or "[fd00::5]:6379".
Result<RedisAddress> parse_redis_address(std::string_view text);
std::string to_text(const RedisAddress& address);

}  // namespace billd
