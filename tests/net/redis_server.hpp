// A redis-server of a test's own: on a Unix socket in a temporary directory, gone with the test, whatever ends it.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "net/redis/connection.hpp"

namespace billd {

/// A fresh directory under the system's temporary one, removed with everything in it.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = std::filesystem::temp_directory_path() / "billd-test-XXXXXX";
    if (!mkdtemp(pattern.data())) throw std::runtime_error("mkdtemp failed");
    path_ = pattern;
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// Starts in about 10 ms. By default it keeps nothing on disk; `lines` are lines of redis.conf which come last and win.
/// Throws when the server does not come up.
class RedisServer {
 public:
  explicit RedisServer(std::vector<std::string> lines = {}) : lines_(std::move(lines)) { start(); }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;
  ~RedisServer() { kill(); }

  /// For a server that was killed: the same socket, directory and configuration, and some lines more.
  void start(const std::vector<std::string>& more_lines = {}) {
    lines_.insert(lines_.end(), more_lines.begin(), more_lines.end());
    write_configuration();
    const std::string configuration = directory_.path() / "redis.conf";
    const std::string output = directory_.path() / "redis.log";
    pid_ = fork();
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      const int log = open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
      dup2(log, STDOUT_FILENO);
      dup2(log, STDERR_FILENO);
      close_range(3, ~0U, 0);
      execlp("redis-server", "redis-server", configuration.c_str(), nullptr);
      _exit(127);
    }
    wait_until_listening();
  }

  /// As by kill -9; returns when the process is gone.
  void kill() { end(SIGKILL); }
  /// As an operator stops it.
  void terminate() { end(SIGTERM); }
  /// The server stands still, with its connections open, until resume().
  void pause() { ::kill(pid_, SIGSTOP); }
  void resume() { ::kill(pid_, SIGCONT); }

  pid_t pid() const { return pid_; }
  std::filesystem::path directory() const { return directory_.path(); }
  std::filesystem::path socket() const { return directory_.path() / "redis.sock"; }

  redis::Address address() const {
    redis::Address address;
    address.socket = socket();
    return address;
  }

  std::string log() const { return text_of(directory_.path() / "redis.log"); }

  static std::string text_of(const std::filesystem::path& path) {
    std::ifstream file(path);
    return std::string(std::istreambuf_iterator<char>(file), {});
  }

 private:
  void write_configuration() const {
    std::ofstream file(directory_.path() / "redis.conf");
    file << "port 0\nunixsocket " << socket().string() << "\nunixsocketperm 700\ndir " << directory_.path().string()
         << "\nsave \"\"\nappendonly no\nenable-debug-command yes\n";
    for (const std::string& line : lines_) file << line << '\n';
  }

  void wait_until_listening() {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (std::chrono::steady_clock::now() < until) {
      if (listens()) return;
      if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
        pid_ = -1;
        throw std::runtime_error("redis-server did not start: " + log());
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    throw std::runtime_error("redis-server does not listen: " + log());
  }

  bool listens() const {
    sockaddr_un address = {};
    address.sun_family = AF_UNIX;
    std::snprintf(address.sun_path, sizeof address.sun_path, "%s", socket().c_str());
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool connected = connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    close(descriptor);
    return connected;
  }

  void end(int signal) {
    if (pid_ <= 0) return;
    ::kill(pid_, signal);
    ::kill(pid_, SIGCONT);
    waitpid(pid_, nullptr, 0);
    pid_ = -1;
  }

  TemporaryDirectory directory_;
  std::vector<std::string> lines_;
  pid_t pid_ = -1;
};

}  // namespace billd
