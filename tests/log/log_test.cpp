// The log: what a line looks like in each form, that nobody else can write lines of their own, and that secrets stay
// out.
#include "net/log.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace billd {
namespace {

using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

/// What `work` writes to the standard error stream.
template <class Work>
std::string written_by(Work work) {
  std::string path = testing::TempDir() + "billd-log-XXXXXX";
  const int file = mkstemp(path.data());
  const int before = dup(STDERR_FILENO);
  dup2(file, STDERR_FILENO);
  work();
  dup2(before, STDERR_FILENO);
  close(before);
  close(file);
  std::ifstream in(path);
  std::string text(std::istreambuf_iterator<char>(in), {});
  unlink(path.c_str());
  return text;
}

std::string logged(LogFormat format, const log::About& about, std::string_view text) {
  return written_by([&] {
    log::configure({LogLevel::info, format});
    log::write(spdlog::level::warn, about, text);
  });
}

TEST(Log, LinesOfTextTellTimeLevelMessageAndWhatTheyAreAbout) {
  const std::string line = logged(LogFormat::text, {.request = "req_1", .account = "abcdef"}, "charged twice? never");
  EXPECT_THAT(line,
              ContainsRegex("^20[0-9-]+T[0-9:.]+Z warning  charged twice\\? never request=req_1 account=abcdef\n$"));
}

TEST(Log, LinesOfJsonHaveAMemberForEachIdentifier) {
  const std::string line = logged(LogFormat::json, {.job = "renewal", .subscription = "sub_1"}, "a \"quoted\" \\ word");
  EXPECT_THAT(
      line, HasSubstr(R"("level":"warning","message":"a \"quoted\" \\ word","job":"renewal","subscription":"sub_1"})"));
}

TEST(Log, LinesForTheJournalBeginWithTheirPriority) {
  if (access("/run/systemd/journal/socket", F_OK) == 0) GTEST_SKIP() << "there is a journal, which takes the entries";
  EXPECT_EQ(logged(LogFormat::journal, {.account = "abcdef"}, "late"), "<4>late account=abcdef\n");
}

TEST(Log, IsTheJournalsWhereSystemdSaysThatTheStreamIs) {
  const std::string text = written_by([] {
    struct stat status = {};
    fstat(STDERR_FILENO, &status);
    setenv("JOURNAL_STREAM", fmt::format("{}:{}", status.st_dev, status.st_ino).c_str(), 1);
    EXPECT_TRUE(log::is_connected_to_journal());
    setenv("JOURNAL_STREAM", fmt::format("{}:{}", status.st_dev, status.st_ino + 1).c_str(), 1);
    EXPECT_FALSE(log::is_connected_to_journal());
    unsetenv("JOURNAL_STREAM");
  });
  EXPECT_FALSE(log::is_connected_to_journal());
}

TEST(Log, LeavesOutWhatIsLessSevereThanItsLevel) {
  const std::string text = written_by([] {
    log::configure({LogLevel::error, LogFormat::text});
    log::warn({}, "not this");
    log::error({}, "but {}", "this");
  });
  EXPECT_THAT(text, HasSubstr("error    but this\n"));
  EXPECT_THAT(text, Not(HasSubstr("not this")));
}

TEST(Log, LinesOfOthersCarryNoFields) {
  const std::string text = written_by([] {
    log::configure({LogLevel::info, LogFormat::text});
    log::warn({.account = "abcdef"}, "one");
    spdlog::warn("two");
  });
  EXPECT_THAT(text, HasSubstr("one account=abcdef\n"));
  EXPECT_THAT(text, HasSubstr("two\n"));
}

TEST(Log, NobodyCanWriteALineOrSteerATerminal) {
  EXPECT_EQ(log::printable("a\r\n2026 critical forged"), "a\\r\\n2026 critical forged");
  EXPECT_EQ(log::printable("\x1b[2J\x07\x7f"), "\\x1b[2J\\x07\\x7f");
  EXPECT_EQ(log::printable("\xc2\x9b"
                           "31m"),
            "\\u009b31m");
  EXPECT_EQ(log::printable("a\xe2\x80\xae"
                           "b"),
            "a\\u202eb");
  EXPECT_EQ(log::printable("\xff\xc0\xafZ\xed\xa0\x80"), "\\xff\\xc0\\xafZ\\xed\\xa0\\x80");
  EXPECT_EQ(log::printable("Zoë, 日本, 😀"), "Zoë, 日本, 😀");
  for (const LogFormat format : {LogFormat::text, LogFormat::json, LogFormat::journal}) {
    const std::string text = logged(format, {.request = "x\ny=\x1b"}, "first\nsecond\x1b[0m");
    EXPECT_EQ(std::ranges::count(text, '\n'), text.empty() ? 0 : 1);
    EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  }
}

TEST(Log, StarsSecretsOut) {
  const std::string line = logged(LogFormat::text, {.request = "4242424242424242"},
                                  "No such customer: 4242 4242 4242 4242, key sk_live_0123456789abcdefghij");
  EXPECT_THAT(line, HasSubstr("**** **** **** 4242, key sk_live_********************"));
  EXPECT_THAT(line, Not(HasSubstr("424242")));
}

}  // namespace
}  // namespace billd
