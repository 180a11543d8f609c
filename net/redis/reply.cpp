// Replies and the table of Redis' errors.
#include "net/redis/reply.hpp"

#include <hiredis/hiredis.h>

#include <array>

namespace billd::redis {
namespace {

struct ErrorRow {
  std::string_view word;      ///< the first word of the error
  std::string_view fragment;  ///< occurs somewhere in it; empty for any
  Classification meaning;
};

// The first row that fits is taken.
constexpr std::array error_rows = {
    ErrorRow{"LOADING", "", {Errc::unavailable, Ran::no, Reaction::retry_with_backoff}},
    ErrorRow{"MISCONF", "", {Errc::unavailable, Ran::no, Reaction::pause_money}},
    ErrorRow{"OOM", "", {Errc::unavailable, Ran::no, Reaction::stop_new_work}},
    ErrorRow{"READONLY", "", {Errc::unavailable, Ran::no, Reaction::reconnect}},
    ErrorRow{"NOREPLICAS", "", {Errc::unavailable, Ran::no, Reaction::pause_money}},
    ErrorRow{"NOSCRIPT", "", {Errc::unavailable, Ran::no, Reaction::reload_functions}},
    ErrorRow{"ERR", "Function not found", {Errc::unavailable, Ran::no, Reaction::reload_functions}},
    ErrorRow{"BUSY", "", {Errc::unavailable, Ran::no, Reaction::retry_with_backoff}},
    // Redis kills only scripts that have not written yet.
    ErrorRow{"ERR", "Script killed", {Errc::unavailable, Ran::no, Reaction::retry_with_backoff}},
    ErrorRow{"UNKILLABLE", "", {Errc::invalid_state, Ran::no, Reaction::tell_operator}},
    ErrorRow{"NOTBUSY", "", {Errc::invalid_state, Ran::no, Reaction::tell_operator}},
    ErrorRow{"WRONGTYPE", "", {Errc::corrupt, Ran::perhaps_partly, Reaction::quarantine}},
    ErrorRow{"EXECABORT", "", {Errc::conflict, Ran::no, Reaction::reread_and_retry}},
    ErrorRow{"MOVED", "", {Errc::unavailable, Ran::no, Reaction::follow_moved}},
    ErrorRow{"ASK", "", {Errc::unavailable, Ran::no, Reaction::follow_ask}},
    ErrorRow{"TRYAGAIN", "", {Errc::unavailable, Ran::no, Reaction::retry_soon}},
    ErrorRow{"CLUSTERDOWN", "", {Errc::unavailable, Ran::no, Reaction::retry_with_backoff}},
    ErrorRow{"CROSSSLOT", "", {Errc::internal, Ran::no, Reaction::report_defect}},
    // An undeclared key of another node, touched after the first write, leaves that write behind.
    ErrorRow{"ERR", "non local key", {Errc::internal, Ran::perhaps_partly, Reaction::report_defect}},
    ErrorRow{"MASTERDOWN", "", {Errc::unavailable, Ran::no, Reaction::reconnect}},
    ErrorRow{"NOAUTH", "", {Errc::bad_configuration, Ran::no, Reaction::stop_daemon}},
    ErrorRow{"WRONGPASS", "", {Errc::bad_configuration, Ran::no, Reaction::stop_daemon}},
    ErrorRow{"NOPERM", "", {Errc::bad_configuration, Ran::no, Reaction::stop_daemon}},
    ErrorRow{"DENIED", "", {Errc::bad_configuration, Ran::no, Reaction::stop_daemon}},
    ErrorRow{"ERR", "max number of clients", {Errc::unavailable, Ran::no, Reaction::retry_with_backoff}},
    ErrorRow{"NOGROUP", "", {Errc::not_found, Ran::no, Reaction::create_and_retry}},
    ErrorRow{"BUSYGROUP", "", {Errc::already_exists, Ran::no, Reaction::carry_on}},
    ErrorRow{"BUSYKEY", "", {Errc::already_exists, Ran::no, Reaction::report_defect}},
};

constexpr Classification any_other_error = {Errc::internal, Ran::perhaps_partly, Reaction::quarantine};

}  // namespace

void Command::append(std::string_view argument) {
  std::array<char, head_max> length{'$'};
  char* end = std::to_chars(length.data() + 1, length.data() + length.size(), argument.size()).ptr;
  *end++ = '\r';
  *end++ = '\n';
  text_.append(length.data(), static_cast<std::size_t>(end - length.data())).append(argument).append("\r\n");
  ++size_;
  bytes_ += argument.size();
}

std::string_view Command::text() {
  std::array<char, head_max> head{'*'};
  char* end = std::to_chars(head.data() + 1, head.data() + head.size(), size_).ptr;
  *end++ = '\r';
  *end++ = '\n';
  const auto length = static_cast<std::size_t>(end - head.data());
  const std::size_t begin = head_max - length;
  text_.replace(begin, length, head.data(), length);
  return std::string_view(text_).substr(begin);
}

Reply Reply::copy(const redisReply& reply) {
  switch (reply.type) {
    case REDIS_REPLY_INTEGER:
      return Reply(static_cast<std::int64_t>(reply.integer));
    case REDIS_REPLY_STRING:
      return Reply(Kind::string, std::string(reply.str, reply.len));
    case REDIS_REPLY_STATUS:
      return Reply(Kind::status, std::string(reply.str, reply.len));
    case REDIS_REPLY_ERROR:
      return Reply(Kind::error, std::string(reply.str, reply.len));
    case REDIS_REPLY_ARRAY: {
      std::vector<Reply> elements;
      elements.reserve(reply.elements);
      for (std::size_t i = 0; i < reply.elements; ++i) elements.push_back(copy(*reply.element[i]));
      return Reply(std::move(elements));
    }
    default:
      return Reply();
  }
}

std::int64_t Reply::integer() const {
  const auto* integer = std::get_if<std::int64_t>(&value_);
  BILLD_CHECK(integer, "the reply is not an integer");
  return *integer;
}

const std::string& Reply::text() const {
  const auto* text = std::get_if<std::string>(&value_);
  BILLD_CHECK(text, "the reply is not a text");
  return *text;
}

std::string Reply::take_text() {
  auto* text = std::get_if<std::string>(&value_);
  BILLD_CHECK(text, "the reply is not a text");
  return std::exchange(*text, {});
}

const std::vector<Reply>& Reply::elements() const {
  const auto* elements = std::get_if<std::vector<Reply>>(&value_);
  BILLD_CHECK(elements, "the reply is not an array");
  return *elements;
}

std::vector<Reply> Reply::take_elements() {
  auto* elements = std::get_if<std::vector<Reply>>(&value_);
  BILLD_CHECK(elements, "the reply is not an array");
  return std::exchange(*elements, {});
}

std::size_t Reply::bytes() const {
  if (const auto* text = std::get_if<std::string>(&value_)) return text->size();
  std::size_t sum = 0;
  if (const auto* elements = std::get_if<std::vector<Reply>>(&value_))
    for (const Reply& element : *elements) sum += element.bytes();
  return sum;
}

Classification classify(std::string_view error) {
  const std::string_view word = error.substr(0, error.find(' '));
  for (const ErrorRow& row : error_rows)
    if (row.word == word && error.find(row.fragment) != std::string_view::npos) return row.meaning;
  return any_other_error;
}

Classification classify_lost_reply() { return {Errc::outcome_unknown, Ran::unknown, Reaction::resend_same_commit}; }

std::optional<Classification> classify_wait(std::int64_t acknowledged, std::int64_t wanted) {
  if (acknowledged >= wanted) return std::nullopt;
  return Classification{Errc::outcome_unknown, Ran::here_only, Reaction::await_replicas};
}

Classification classify_nil_exec() { return {Errc::conflict, Ran::no, Reaction::reread_and_retry}; }

}  // namespace billd::redis
