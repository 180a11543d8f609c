// The redis-server that billd starts, watches and stops itself when none is configured.
#pragma once

#include <sys/types.h>

#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <filesystem>
#include <string>
#include <utility>

#include "net/async.hpp"
#include "net/redis/backoff.hpp"
#include "net/redis/connection.hpp"

namespace billd::redis {

/// A descriptor that is closed with its owner; -1 is none.
class UniqueDescriptor {
 public:
  explicit UniqueDescriptor(int descriptor = -1) : descriptor_(descriptor) {}
  UniqueDescriptor(UniqueDescriptor&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  UniqueDescriptor& operator=(UniqueDescriptor&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~UniqueDescriptor();

  int get() const { return descriptor_; }
  int release() { return std::exchange(descriptor_, -1); }
  explicit operator bool() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

struct EmbeddedSettings {
  std::filesystem::path directory;       ///< state of its own; made with mode 0700
  std::string program = "redis-server";  ///< a path, or a name to be found in PATH
  Milliseconds answer_limit{10000};      ///< from its start to its first answer, which may be "LOADING"
  Milliseconds stop_limit{20000};  ///< for an orderly end; then it is killed, which loses nothing that was acknowledged
  Milliseconds backoff_min{100}, backoff_max{5000};  ///< between two attempts to start it again
};

/// Runs a redis-server on the Unix socket `redis.sock` of the directory, with `appendonly yes` and `appendfsync
/// always`, and starts it again when it dies.
///
/// The server is meant to outlive a daemon that is killed: it is in a process group of its own (a terminal's SIGINT
/// does not reach it) and does not die with its parent. The next daemon on the same directory takes it over. Two
/// servers never share the data: each one holds a lock on `redis.lock` for as long as its process lives, and the kernel
/// names the holder. Two daemons never share a directory: `daemon.lock`.
///
/// Life cycle: construct, `co_await start()`, `co_await stop()` after the clients of it have stopped, destroy.
/// Destroyed without stop(), the server goes on. The loop must not run any more then.
class EmbeddedServer {
 public:
  EmbeddedServer(Executor executor, EmbeddedSettings settings);
  EmbeddedServer(const EmbeddedServer&) = delete;
  EmbeddedServer& operator=(const EmbeddedServer&) = delete;

  /// Returns when the server answers; it may still load its data, which a Client waits for. Fails with
  /// bad_configuration when another daemon uses the directory or the program cannot be run, and with unavailable, and
  /// the end of its log, when the server does not come up.
  awaitable<Result<void>> start();

  /// Ends the server in order: what was acknowledged is on disk anyway.
  awaitable<> stop();

  Address address() const;

  struct State {
    pid_t pid = 0;  ///< 0 while it does not run
    bool adopted = false;
    std::uint64_t restarts = 0;  ///< because it died
    std::string problem;         ///< the last one
  };
  State state() const { return state_; }

 private:
  using ProcessDescriptor = asio::posix::basic_stream_descriptor<Executor>;

  Result<void> lock_directory();
  Result<void> write_configuration() const;
  awaitable<Result<void>> bring_up();
  Result<bool> adopt();
  Result<void> launch();
  Result<void> watch(pid_t pid);
  awaitable<Result<void>> wait_until_it_answers();
  awaitable<> supervise();
  awaitable<bool> wait_for_end();
  bool has_ended();
  std::string reap();
  std::string end_of_log() const;
  std::filesystem::path file(const char* name) const { return settings_.directory / name; }

  Executor executor_;
  EmbeddedSettings settings_;
  UniqueDescriptor daemon_lock_;
  UniqueDescriptor server_lock_;  ///< billd only asks who holds it; the server locks it for itself
  ProcessDescriptor process_;     ///< a pidfd: readable when the process has ended
  State state_;
  Tasks tasks_;
};

}  // namespace billd::redis
