// The redis-server that billd starts itself: started, killed, orphaned, taken over, stopped.
#include "net/redis/embedded.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <csignal>
#include <fstream>

#include "net/redis/client.hpp"
#include "net/redis/preflight.hpp"
#include "tests/net/redis_server.hpp"
#include "tests/net/run.hpp"

namespace billd::redis {
namespace {

using testing::HasSubstr;

EmbeddedSettings settings_for(const std::filesystem::path& directory) {
  EmbeddedSettings settings;
  settings.directory = directory;
  settings.backoff_min = Milliseconds(5);
  settings.backoff_max = Milliseconds(50);
  return settings;
}

ClientSettings quick() {
  ClientSettings settings;
  settings.backoff_min = Milliseconds(5);
  settings.backoff_max = Milliseconds(50);
  return settings;
}

class RedisEmbedded : public testing::Test {
 protected:
  ~RedisEmbedded() override {
    // A test that failed must leave no server behind.
    const int lock = open((directory_ / "redis.lock").c_str(), O_RDWR | O_CLOEXEC);
    struct flock holder = {};
    holder.l_type = F_WRLCK;
    if (fcntl(lock, F_GETLK, &holder) == 0 && holder.l_type != F_UNLCK) kill(holder.l_pid, SIGKILL);
    close(lock);
  }

  Result<Reply> execute(Address address, Command command) {
    Client client(loop_.get_executor(), std::move(address), quick());
    client.start();
    auto reply = run(loop_, client.execute(std::move(command)));
    run(loop_, client.stop());
    return reply;
  }

  TemporaryDirectory parent_;
  std::filesystem::path directory_ = parent_.path() / "state of \"billd\"";
  asio::io_context loop_{1};
};

bool is_running(pid_t pid) { return kill(pid, 0) == 0; }

TEST_F(RedisEmbedded, StartsAServerThatPassesThePreflightAndEndsItInOrder) {
  EmbeddedServer server(loop_.get_executor(), settings_for(directory_));
  ASSERT_TRUE(run(loop_, server.start()));
  const pid_t pid = server.state().pid;
  EXPECT_TRUE(is_running(pid));
  EXPECT_EQ(getpgid(pid), pid);

  struct stat status = {};
  stat(directory_.c_str(), &status);
  EXPECT_EQ(status.st_mode & 0777u, 0700u);
  stat((directory_ / "redis.sock").c_str(), &status);
  EXPECT_EQ(status.st_mode & 0777u, 0700u);

  Client client(loop_.get_executor(), server.address(), quick());
  client.start();
  auto inspected = run(loop_, preflight(client));
  for (const Finding& finding : inspected->findings) EXPECT_EQ(finding.severity, Severity::fine) << finding.text();
  EXPECT_TRUE(run(loop_, client.execute(Command("SET", "key", "value"))));
  run(loop_, client.stop());

  run(loop_, server.stop());
  EXPECT_FALSE(is_running(pid));
  EXPECT_EQ(server.state().pid, 0);

  EmbeddedServer next(loop_.get_executor(), settings_for(directory_));
  ASSERT_TRUE(run(loop_, next.start()));
  EXPECT_EQ(execute(next.address(), Command("GET", "key"))->text(), "value");
  run(loop_, next.stop());
}

TEST_F(RedisEmbedded, GivesTheServerNoDescriptorButItsLock) {
  // One that is not closed by exec, as a careless library would leave it.
  const int careless = open("/dev/null", O_RDONLY);
  EmbeddedServer server(loop_.get_executor(), settings_for(directory_));
  ASSERT_TRUE(run(loop_, server.start()));
  const std::filesystem::path descriptors = "/proc/" + std::to_string(server.state().pid) + "/fd";
  std::error_code ignored;
  EXPECT_EQ(std::filesystem::read_symlink(descriptors / "0", ignored), "/dev/null");
  EXPECT_EQ(std::filesystem::read_symlink(descriptors / "3", ignored), directory_ / "redis.lock");
  int null = 0;
  for (const auto& entry : std::filesystem::directory_iterator(descriptors))
    null += std::filesystem::read_symlink(entry.path(), ignored) == "/dev/null";
  EXPECT_EQ(null, 1);
  close(careless);
  run(loop_, server.stop());
}

TEST_F(RedisEmbedded, StartsTheServerAgainWhenItIsKilled) {
  EmbeddedServer server(loop_.get_executor(), settings_for(directory_));
  ASSERT_TRUE(run(loop_, server.start()));
  Client client(loop_.get_executor(), server.address(), quick());
  client.start();
  EXPECT_TRUE(run(loop_, client.execute(Command("SET", "key", "value"))));
  for (std::uint64_t round = 1; round <= 3; ++round) {
    const pid_t before = server.state().pid;
    kill(before, SIGKILL);
    ASSERT_TRUE(run_until(loop_, [&] { return server.state().restarts == round; }));
    EXPECT_NE(server.state().pid, before);
    EXPECT_THAT(server.state().problem, HasSubstr("was ended by signal 9 (Killed); its log ends: "));
    ASSERT_TRUE(run_until(loop_, [&] { return client.state().connections == round + 1; }));
    EXPECT_EQ(run(loop_, client.execute(Command("GET", "key")))->text(), "value");
  }
  run(loop_, client.stop());
  run(loop_, server.stop());
}

/// Runs a daemon's part in a process of its own, and kills it -9 once its server answers. Returns the server's process.
pid_t orphan_a_server(const std::filesystem::path& directory) {
  int channel[2];
  EXPECT_EQ(pipe2(channel, O_CLOEXEC), 0);
  const pid_t daemon = fork();
  if (daemon == 0) {
    asio::io_context loop{1};
    EmbeddedServer server(loop.get_executor(), settings_for(directory));
    if (!run(loop, server.start())) _exit(1);
    const pid_t pid = server.state().pid;
    if (write(channel[1], &pid, sizeof pid) != sizeof pid) _exit(1);
    while (true) ::pause();
  }
  close(channel[1]);
  pid_t server = 0;
  EXPECT_EQ(read(channel[0], &server, sizeof server), static_cast<ssize_t>(sizeof server));
  close(channel[0]);
  kill(daemon, SIGKILL);
  waitpid(daemon, nullptr, 0);
  return server;
}

TEST_F(RedisEmbedded, TakesOverTheServerOfADaemonThatWasKilled) {
  const pid_t orphan = orphan_a_server(directory_);
  ASSERT_TRUE(is_running(orphan));
  EmbeddedServer server(loop_.get_executor(), settings_for(directory_));
  EXPECT_TRUE(execute(server.address(), Command("SET", "key", "value")));
  ASSERT_TRUE(run(loop_, server.start()));
  EXPECT_EQ(server.state().pid, orphan);
  EXPECT_TRUE(server.state().adopted);
  EXPECT_EQ(execute(server.address(), Command("GET", "key"))->text(), "value");

  // It is watched like one of our own.
  kill(orphan, SIGKILL);
  ASSERT_TRUE(run_until(loop_, [&] { return server.state().restarts == 1; }));
  EXPECT_FALSE(server.state().adopted);
  EXPECT_EQ(execute(server.address(), Command("GET", "key"))->text(), "value");
  run(loop_, server.stop());
}

TEST_F(RedisEmbedded, EndsAServerThatItTookOver) {
  const pid_t orphan = orphan_a_server(directory_);
  EmbeddedServer server(loop_.get_executor(), settings_for(directory_));
  ASSERT_TRUE(run(loop_, server.start()));
  run(loop_, server.stop());
  EXPECT_THAT(RedisServer::text_of(directory_ / "redis.log"), HasSubstr("User requested shutdown"));
  EXPECT_EQ(server.state().pid, 0);
  EmbeddedServer next(loop_.get_executor(), settings_for(directory_));
  ASSERT_TRUE(run(loop_, next.start()));
  EXPECT_NE(next.state().pid, orphan);
  EXPECT_FALSE(next.state().adopted);
  run(loop_, next.stop());
}

TEST_F(RedisEmbedded, WaitsForAServerThatIsJustEndingInsteadOfFailing) {
  const pid_t orphan = orphan_a_server(directory_);
  kill(orphan, SIGTERM);
  EmbeddedServer server(loop_.get_executor(), settings_for(directory_));
  auto started = run(loop_, server.start());
  EXPECT_TRUE(started) << (started ? "" : started.error().detail);
  EXPECT_TRUE(execute(server.address(), Command("SET", "key", "value")));
  run(loop_, server.stop());
}

TEST_F(RedisEmbedded, NeverStartsASecondServerBesideOneThatDoesNotAnswer) {
  const pid_t orphan = orphan_a_server(directory_);
  kill(orphan, SIGSTOP);
  EmbeddedSettings impatient = settings_for(directory_);
  impatient.answer_limit = Milliseconds(200);
  EmbeddedServer server(loop_.get_executor(), impatient);
  auto started = run(loop_, server.start());
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Errc::unavailable);
  EXPECT_THAT(started.error().detail, HasSubstr("does not answer"));
  EXPECT_EQ(server.state().pid, orphan);
  kill(orphan, SIGCONT);
  run(loop_, server.stop());
}

TEST_F(RedisEmbedded, RefusesADirectoryThatAnotherDaemonUses) {
  EmbeddedServer first(loop_.get_executor(), settings_for(directory_));
  ASSERT_TRUE(run(loop_, first.start()));
  EmbeddedServer second(loop_.get_executor(), settings_for(directory_));
  auto refused = run(loop_, second.start());
  EXPECT_EQ(refused.error().code, Errc::bad_configuration);
  EXPECT_THAT(refused.error().detail, HasSubstr("another daemon"));
  run(loop_, second.stop());
  EXPECT_TRUE(execute(first.address(), Command("SET", "key", "value")));
  run(loop_, first.stop());
}

TEST_F(RedisEmbedded, TellsWhyTheServerDoesNotComeUp) {
  EmbeddedServer server(loop_.get_executor(), settings_for(directory_));
  ASSERT_TRUE(run(loop_, server.start()));
  EXPECT_TRUE(execute(server.address(), Command("SET", "key", "value")));
  run(loop_, server.stop());
  std::ofstream(directory_ / "appendonlydir" / "appendonly.aof.manifest") << "this is no manifest\n";
  auto broken = run(loop_, server.start());
  EXPECT_EQ(broken.error().code, Errc::unavailable);
  EXPECT_THAT(broken.error().detail, HasSubstr("ended with code 1; its log ends: "));
  EXPECT_THAT(broken.error().detail, HasSubstr("manifest"));
}

TEST_F(RedisEmbedded, TellsThatThereIsNoSuchProgram) {
  EmbeddedSettings settings = settings_for(directory_);
  settings.program = "no-such-redis-server";
  EmbeddedServer server(loop_.get_executor(), settings);
  auto failed = run(loop_, server.start());
  EXPECT_EQ(failed.error().code, Errc::unavailable);
  EXPECT_THAT(failed.error().detail, HasSubstr("cannot be run: no program \"no-such-redis-server\""));
}

TEST_F(RedisEmbedded, RefusesAPathThatIsTooLongForASocket) {
  EmbeddedServer server(loop_.get_executor(), settings_for(parent_.path() / std::string(120, 'x')));
  auto failed = run(loop_, server.start());
  EXPECT_EQ(failed.error().code, Errc::bad_configuration);
  EXPECT_THAT(failed.error().detail, HasSubstr("too long"));
}

TEST_F(RedisEmbedded, KillsAServerThatDoesNotEndInTime) {
  EmbeddedSettings settings = settings_for(directory_);
  settings.stop_limit = Milliseconds(50);
  EmbeddedServer server(loop_.get_executor(), settings);
  ASSERT_TRUE(run(loop_, server.start()));
  const pid_t pid = server.state().pid;
  kill(pid, SIGSTOP);
  run(loop_, server.stop());
  EXPECT_FALSE(is_running(pid));
}

}  // namespace
}  // namespace billd::redis
