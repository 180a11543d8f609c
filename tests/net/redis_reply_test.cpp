// Commands, replies, and the meaning of every error that Redis is known to answer with.
#include <gtest/gtest.h>
#include <hiredis/hiredis.h>

#include <memory>

#include "net/redis/reply.hpp"

namespace billd::redis {
namespace {

using namespace std::literals;

TEST(Command, TakesTextAndIntegers) {
  const std::string key = "account";
  Command command("HSET", key, "version", 7, std::string_view("a\0b", 3), std::int64_t{-1}, std::uint16_t{16});
  EXPECT_EQ(
      command.text(),
      "*7\r\n$4\r\nHSET\r\n$7\r\naccount\r\n$7\r\nversion\r\n$1\r\n7\r\n$3\r\na\0b\r\n$2\r\n-1\r\n$2\r\n16\r\n"sv);
  EXPECT_EQ(command.size(), 7u);
  EXPECT_EQ(command.bytes(), 4u + 7 + 7 + 1 + 3 + 2 + 2);
}

TEST(Command, GrowsAlsoAfterItWasRead) {
  Command command("DEL", "");
  EXPECT_EQ(command.text(), "*2\r\n$3\r\nDEL\r\n$0\r\n\r\n");
  for (int i = 0; i < 9; ++i) command.add(i);
  EXPECT_TRUE(command.text().starts_with("*11\r\n$3\r\nDEL\r\n$0\r\n\r\n$1\r\n0\r\n"));
  const std::string blob(1000, 'x');
  EXPECT_EQ(Command("SET", "key", blob, std::int64_t{-9'223'372'036'854'775'807 - 1}).text(),
            "*4\r\n$3\r\nSET\r\n$3\r\nkey\r\n$1000\r\n" + blob + "\r\n$20\r\n-9223372036854775808\r\n");
}

TEST(Reply, CopiesWhatHiredisRead) {
  std::unique_ptr<redisReader, void (*)(redisReader*)> reader(redisReaderCreate(), redisReaderFree);
  constexpr std::string_view bytes = "*5\r\n:-42\r\n$3\r\na\0b\r\n+OK\r\n-ERR no\r\n*2\r\n$-1\r\n*0\r\n"sv;
  redisReaderFeed(reader.get(), bytes.data(), bytes.size());
  void* read = nullptr;
  ASSERT_EQ(redisReaderGetReply(reader.get(), &read), REDIS_OK);
  ASSERT_NE(read, nullptr);
  const Reply reply = Reply::copy(*static_cast<redisReply*>(read));
  freeReplyObject(read);

  ASSERT_EQ(reply.elements().size(), 5u);
  EXPECT_EQ(reply.elements()[0].integer(), -42);
  EXPECT_EQ(reply.elements()[1], Reply(Reply::Kind::string, std::string("a\0b", 3)));
  EXPECT_EQ(reply.elements()[2], Reply(Reply::Kind::status, "OK"));
  EXPECT_TRUE(reply.elements()[3].is_error());
  EXPECT_EQ(reply.elements()[3].text(), "ERR no");
  EXPECT_TRUE(reply.elements()[4].elements()[0].is_nil());
  EXPECT_TRUE(reply.elements()[4].elements()[1].elements().empty());
  EXPECT_EQ(reply.bytes(), 3u + 2 + 6);
}

TEST(Reply, EndsTheProcessWhenItIsTakenForAnotherKind) {
  EXPECT_DEATH(Reply(std::int64_t{1}).text(), "the reply is not a text");
  EXPECT_DEATH(Reply().integer(), "the reply is not an integer");
  EXPECT_DEATH(Reply(Reply::Kind::string, "x").elements(), "the reply is not an array");
}

struct Row {
  std::string_view error;
  Classification meaning;
};

TEST(Classification, IsRightForEveryErrorOfRedis) {
  using enum Reaction;
  const Row rows[] = {
      {"LOADING Redis is loading the dataset in memory", {Errc::unavailable, Ran::no, retry_with_backoff}},
      {"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
       {Errc::unavailable, Ran::no, pause_money}},
      {"MISCONF Errors writing to the AOF file: No space left on device", {Errc::unavailable, Ran::no, pause_money}},
      {"OOM command not allowed when used memory > 'maxmemory'.", {Errc::unavailable, Ran::no, stop_new_work}},
      {"READONLY You can't write against a read only replica.", {Errc::unavailable, Ran::no, reconnect}},
      {"NOREPLICAS Not enough good replicas to write.", {Errc::unavailable, Ran::no, pause_money}},
      {"NOSCRIPT No matching script. Please use EVAL.", {Errc::unavailable, Ran::no, reload_functions}},
      {"ERR Function not found", {Errc::unavailable, Ran::no, reload_functions}},
      {"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
       {Errc::unavailable, Ran::no, retry_with_backoff}},
      {"ERR Script killed by user with SCRIPT KILL. script: 0b2f, on @user_script:1.",
       {Errc::unavailable, Ran::no, retry_with_backoff}},
      {"UNKILLABLE Sorry the script already executed write commands against the dataset.",
       {Errc::invalid_state, Ran::no, tell_operator}},
      {"NOTBUSY No scripts in execution right now.", {Errc::invalid_state, Ran::no, tell_operator}},
      {"WRONGTYPE Operation against a key holding the wrong kind of value",
       {Errc::corrupt, Ran::perhaps_partly, quarantine}},
      {"ERR user_script:1: Script attempted to access nonexistent global variable 'x'",
       {Errc::internal, Ran::perhaps_partly, quarantine}},
      {"ERR unknown command 'waitaof', with args beginning with: ", {Errc::internal, Ran::perhaps_partly, quarantine}},
      {"EXECABORT Transaction discarded because of previous errors.", {Errc::conflict, Ran::no, reread_and_retry}},
      {"MOVED 3999 127.0.0.1:6381", {Errc::unavailable, Ran::no, follow_moved}},
      {"ASK 3999 127.0.0.1:6381", {Errc::unavailable, Ran::no, follow_ask}},
      {"TRYAGAIN Multiple keys request during rehashing of slot", {Errc::unavailable, Ran::no, retry_soon}},
      {"CLUSTERDOWN The cluster is down", {Errc::unavailable, Ran::no, retry_with_backoff}},
      {"CROSSSLOT Keys in request don't hash to the same slot", {Errc::internal, Ran::no, report_defect}},
      {"ERR Script attempted to access a non local key in a cluster node script: 0b2f, on @user_script:1.",
       {Errc::internal, Ran::perhaps_partly, report_defect}},
      {"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
       {Errc::unavailable, Ran::no, reconnect}},
      {"NOAUTH Authentication required.", {Errc::bad_configuration, Ran::no, stop_daemon}},
      {"WRONGPASS invalid username-password pair or user is disabled.",
       {Errc::bad_configuration, Ran::no, stop_daemon}},
      {"NOPERM this user has no permissions to run the 'get' command", {Errc::bad_configuration, Ran::no, stop_daemon}},
      {"DENIED Redis is running in protected mode because protected mode is enabled",
       {Errc::bad_configuration, Ran::no, stop_daemon}},
      {"ERR max number of clients reached", {Errc::unavailable, Ran::no, retry_with_backoff}},
      {"ERR max number of clients + cluster connections reached", {Errc::unavailable, Ran::no, retry_with_backoff}},
      {"NOGROUP No such key 'x' or consumer group 'y'", {Errc::not_found, Ran::no, create_and_retry}},
      {"BUSYGROUP Consumer Group name already exists", {Errc::already_exists, Ran::no, carry_on}},
      {"BUSYKEY Target key name already exists.", {Errc::already_exists, Ran::no, report_defect}},
      {"SOMETHING that a later Redis may say", {Errc::internal, Ran::perhaps_partly, quarantine}},
      {"", {Errc::internal, Ran::perhaps_partly, quarantine}},
  };
  for (const Row& row : rows) EXPECT_EQ(classify(row.error), row.meaning) << row.error;
}

TEST(Classification, TakesALostReplyForAnUnknownOutcome) {
  EXPECT_EQ(classify_lost_reply(), (Classification{Errc::outcome_unknown, Ran::unknown, Reaction::resend_same_commit}));
}

TEST(Classification, KnowsThatAWriteWithTooFewReplicasIsHereOnly) {
  EXPECT_EQ(classify_wait(1, 1), std::nullopt);
  EXPECT_EQ(classify_wait(0, 1)->ran, Ran::here_only);
  EXPECT_EQ(classify_wait(0, 1)->reaction, Reaction::await_replicas);
}

TEST(Classification, TakesANilExecForAConflict) {
  EXPECT_EQ(classify_nil_exec(), (Classification{Errc::conflict, Ran::no, Reaction::reread_and_retry}));
}

}  // namespace
}  // namespace billd::redis
