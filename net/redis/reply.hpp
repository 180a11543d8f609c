// What is said to Redis and what it answers: commands, replies, and the meaning of its errors.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "engine/result.hpp"

struct redisReply;

namespace billd::redis {

/// A name or value in a command: text (bytes, zeros included) or an integer.
template <class T>
concept Argument = std::convertible_to<T, std::string_view> ||
                   (std::integral<std::remove_cvref_t<T>> && !std::same_as<std::remove_cvref_t<T>, bool> &&
                    !std::same_as<std::remove_cvref_t<T>, char>);

/// A command of Redis: its name and its arguments, all binary-safe. `Command("HSET", key, "version", 7)`. Each is
/// written where it is sent from, in Redis' protocol: a commit of many accounts has thousands of them.
class Command {
 public:
  template <Argument... Arguments>
  explicit Command(std::string_view name, const Arguments&... arguments) : text_(head_max, ' ') {
    append(name);
    (add(arguments), ...);
  }

  /// Appends one argument.
  template <Argument T>
  Command& add(const T& argument) {
    if constexpr (std::integral<T>)
      append_number(argument);
    else
      append(std::string_view(argument));
    return *this;
  }

  /// Room for so many bytes more, the protocol's included.
  void reserve(std::size_t bytes) { text_.reserve(text_.size() + bytes); }

  /// How many arguments there are, the name included.
  std::size_t size() const { return size_; }

  /// The bytes of the name and the arguments, without the protocol's few.
  std::size_t bytes() const { return bytes_; }

  /// The whole in Redis' protocol, until the next argument is appended.
  std::string_view text();

 private:
  /// What comes before the arguments: how many there are.
  static constexpr std::size_t head_max = 24;

  void append(std::string_view argument);
  template <std::integral T>
  void append_number(T number) {
    std::array<char, 24> digits{};
    const auto written = std::to_chars(digits.data(), digits.data() + digits.size(), number);
    append(std::string_view(digits.data(), static_cast<std::size_t>(written.ptr - digits.data())));
  }

  std::string text_;
  std::size_t size_ = 0, bytes_ = 0;
};

/// What Redis answered; owns its bytes and is cheap to move. The accessors end the process when the reply is of another
/// kind: ask first where the kind is not certain.
class Reply {
 public:
  enum class Kind : std::uint8_t { nil, integer, string, status, error, array };

  Reply() = default;
  explicit Reply(std::int64_t integer) : kind_(Kind::integer), value_(integer) {}
  explicit Reply(std::vector<Reply> elements) : kind_(Kind::array), value_(std::move(elements)) {}
  Reply(Kind kind, std::string text) : kind_(kind), value_(std::move(text)) {}

  /// A copy of what hiredis read, which frees its own when the callback returns.
  static Reply copy(const redisReply& reply);

  Kind kind() const { return kind_; }
  bool is_nil() const { return kind_ == Kind::nil; }
  bool is_integer() const { return kind_ == Kind::integer; }
  /// A string or a status: the two are told apart only by what a command chose to answer with.
  bool is_text() const { return kind_ == Kind::string || kind_ == Kind::status; }
  /// Errors occur only inside arrays: an error as the whole reply becomes a Failure.
  bool is_error() const { return kind_ == Kind::error; }
  bool is_array() const { return kind_ == Kind::array; }

  std::int64_t integer() const;
  /// REQUIRES: a string, a status or an error.
  const std::string& text() const;
  /// Moves the text out, and leaves an empty one.
  std::string take_text();
  const std::vector<Reply>& elements() const;
  std::vector<Reply> take_elements();

  /// The bytes of all its texts, for statistics.
  std::size_t bytes() const;

  bool operator==(const Reply&) const = default;

 private:
  Kind kind_ = Kind::nil;
  std::variant<std::monostate, std::int64_t, std::string, std::vector<Reply>> value_;
};

/// Whether the command that failed may have changed anything.
enum class Ran : std::uint8_t {
  no,
  /// Not known: look, or repeat with the same commit id.
  unknown,
  /// A script may have stopped between two writes.
  perhaps_partly,
  /// Yes, but only on this server: the replicas do not have it yet.
  here_only,
};

/// What billd does about it.
enum class Reaction : std::uint8_t {
  /// Repeat the same commit, which answers with the stored result if it was carried out.
  resend_same_commit,
  /// Wait, 50 ms to 2 s and growing, and repeat.
  retry_with_backoff,
  /// Repeat after 10 to 200 ms: a slot is on the move.
  retry_soon,
  /// Start no charge, raise the alarm, go on reading; probe with GET and INFO, not with PING.
  pause_money,
  /// Take no new work, finish what is under way, raise the alarm.
  stop_new_work,
  /// Do not send the charge; ask WAIT again, raise the alarm.
  await_replicas,
  /// Drop the connection, find the master again, check the data epoch.
  reconnect,
  /// Load the function libraries once and repeat once.
  reload_functions,
  /// Read again, decide again, repeat.
  reread_and_retry,
  /// The slot lives elsewhere: refresh the map and follow.
  follow_moved,
  /// The key is on the move: ASKING and the command once, there.
  follow_ask,
  /// Nothing that a program should mend: tell the operator.
  tell_operator,
  /// Quarantine the account: no more jobs, keep its keys, raise the alarm.
  quarantine,
  /// A defect of billd: raise the alarm.
  report_defect,
  /// The configuration is wrong: end with the message.
  stop_daemon,
  /// Create what is missing and repeat.
  create_and_retry,
  /// It exists already, as was wanted.
  carry_on,
};

/// What an answer that is not the hoped-for one means.
struct Classification {
  Errc code;
  Ran ran;
  Reaction reaction;

  bool operator==(const Classification&) const = default;
};

/// The meaning of the text of an error reply, such as "LOADING Redis is loading the dataset in memory". A Failure of
/// the client carries that text as its detail, so that `classify(failure.detail)` tells what to do. Unknown errors are
/// taken for the worst: perhaps partly carried out.
Classification classify(std::string_view error);

/// The meaning of no answer at all: end of file, reset, time-out, protocol error.
Classification classify_lost_reply();

/// The meaning of WAIT's count of replicas; empty when enough have it.
std::optional<Classification> classify_wait(std::int64_t acknowledged, std::int64_t wanted);

/// The meaning of a nil answer to EXEC: a watched key had changed.
Classification classify_nil_exec();

}  // namespace billd::redis
