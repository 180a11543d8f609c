#include "net/redis/embedded.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 forgot to say so itself
}

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

namespace billd::redis {
namespace {

constexpr int cannot_run = 127;
constexpr int lock_is_held = 75;
constexpr int lock_in_server = 3;

std::string system_error() { return std::strerror(errno); }

/// Opened beyond the standard descriptors and the one that the server keeps, so that dup2 never meets itself.
UniqueDescriptor open_high(const std::filesystem::path& path, int flags) {
  UniqueDescriptor low(open(path.c_str(), flags | O_CLOEXEC, 0600));
  return UniqueDescriptor(low ? fcntl(low.get(), F_DUPFD_CLOEXEC, 10) : -1);
}

/// A value for redis.conf, in quotes.
std::string quoted(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return quoted + '"';
}

struct flock whole_file(short type) {
  struct flock lock = {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  return lock;
}

/// In the forked child: only what is safe there, until the server runs. The lock is taken here and not by billd, for it
/// must belong to the server's process alone: such locks survive exec, are not inherited by the children of the server
/// (which rewrite its file), and end with the process, however that ends.
[[noreturn]] void become_server(const char* program, const char* configuration, int null, int log, int lock) {
  setpgid(0, 0);
  umask(077);
  for (const int signal : {SIGHUP, SIGINT, SIGPIPE, SIGTERM, SIGCHLD}) std::signal(signal, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  dup2(null, STDIN_FILENO);
  dup2(log, STDOUT_FILENO);
  dup2(log, STDERR_FILENO);
  dup2(lock, lock_in_server);
  // Before locking: closing any other descriptor of the file would give the lock up.
  close_range(lock_in_server + 1, ~0U, 0);
  struct flock exclusive = whole_file(F_WRLCK);
  if (fcntl(lock_in_server, F_SETLK, &exclusive) == -1) _exit(lock_is_held);
  execlp(program, program, configuration, nullptr);
  _exit(cannot_run);
}

/// Whether the process `expected` listens at the socket and answers; what it answers does not matter.
awaitable<Result<void>> greet(std::string path, pid_t expected) {
  Executor executor = co_await asio::this_coro::executor;
  asio::basic_stream_socket<asio::local::stream_protocol, Executor> socket(executor);
  auto [refused] = co_await socket.async_connect(asio::local::stream_protocol::endpoint(path), nothrow);
  if (refused) co_return Failure{Errc::unavailable, path + ": " + refused.message()};
  ucred peer = {};
  socklen_t size = sizeof peer;
  getsockopt(socket.native_handle(), SOL_SOCKET, SO_PEERCRED, &peer, &size);
  if (peer.pid != expected)
    co_return Failure{Errc::bad_configuration, "another process (" + std::to_string(peer.pid) + ") listens at " + path};
  const std::string_view ping = "PING\r\n";
  auto [unsent, sent] = co_await asio::async_write(socket, asio::buffer(ping), nothrow);
  if (unsent) co_return Failure{Errc::unavailable, path + ": " + unsent.message()};
  char first = 0;
  auto [unread, read] = co_await socket.async_read_some(asio::buffer(&first, 1), nothrow);
  if (unread) co_return Failure{Errc::unavailable, path + ": " + unread.message()};
  co_return Result<void>();
}

}  // namespace

UniqueDescriptor::~UniqueDescriptor() {
  if (descriptor_ >= 0) close(descriptor_);
}

EmbeddedServer::EmbeddedServer(Executor executor, EmbeddedSettings settings)
    : executor_(executor), settings_(std::move(settings)), process_(executor), tasks_(executor) {}

Address EmbeddedServer::address() const {
  Address address;
  address.socket = file("redis.sock");
  return address;
}

awaitable<Result<void>> EmbeddedServer::start() {
  auto locked = lock_directory();
  if (!locked) co_return locked;
  auto up = co_await bring_up();
  if (!up) {
    daemon_lock_ = UniqueDescriptor();
    co_return up;
  }
  tasks_.spawn("redis: the server in " + settings_.directory.string(), supervise());
  co_return up;
}

awaitable<> EmbeddedServer::stop() {
  tasks_.cancel();
  co_await tasks_.idle(settings_.answer_limit);
  if (state_.pid != 0) {
    pidfd_send_signal(process_.native_handle(), SIGTERM, nullptr, 0);
    auto ended = co_await within(settings_.stop_limit, wait_for_end());
    if (!ended) {
      spdlog::error("redis-server ({}) does not end within {} ms and is killed", state_.pid,
                    settings_.stop_limit.count());
      pidfd_send_signal(process_.native_handle(), SIGKILL, nullptr, 0);
      co_await wait_for_end();
    }
    spdlog::info("redis-server {}", reap());
  }
  daemon_lock_ = UniqueDescriptor();
}

Result<void> EmbeddedServer::lock_directory() {
  std::error_code error;
  settings_.directory = std::filesystem::absolute(settings_.directory, error);
  std::filesystem::create_directories(settings_.directory, error);
  if (chmod(settings_.directory.c_str(), 0700) == -1)
    return Failure{Errc::bad_configuration,
                   "the directory of Redis, " + settings_.directory.string() + ", cannot be used: " + system_error()};
  const std::string socket = file("redis.sock");
  if (socket.size() >= sizeof(sockaddr_un::sun_path))
    return Failure{Errc::bad_configuration, "the path of the socket is too long (" +
                                                std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
                                                " bytes are the limit): " + socket};
  daemon_lock_ = open_high(file("daemon.lock"), O_RDWR | O_CREAT);
  server_lock_ = open_high(file("redis.lock"), O_RDWR | O_CREAT);
  if (!daemon_lock_ || !server_lock_)
    return Failure{Errc::bad_configuration,
                   "the locks in " + settings_.directory.string() + " cannot be opened: " + system_error()};
  if (flock(daemon_lock_.get(), LOCK_EX | LOCK_NB) == -1) {
    daemon_lock_ = UniqueDescriptor();
    return Failure{Errc::bad_configuration,
                   "another daemon runs the Redis in " + settings_.directory.string() +
                       "; give this one a directory of its own, or the address unix:" + socket};
  }
  return Result<void>();
}

Result<void> EmbeddedServer::write_configuration() const {
  // The limits of listpacks keep an account's hash in its compact form: a tenth to a third of the memory.
  const std::string text =
      "# Written by billd at each start of the server; changes are lost.\n"
      "port 0\n"
      "unixsocket " +
      quoted(file("redis.sock")) +
      "\n"
      "unixsocketperm 700\n"
      "dir " +
      quoted(settings_.directory) +
      "\n"
      "logfile " +
      quoted(file("redis.log")) +
      "\n"
      "daemonize no\n"
      "save \"\"\n"
      "appendonly yes\n"
      "appendfsync always\n"
      "no-appendfsync-on-rewrite no\n"
      "aof-timestamp-enabled no\n"
      "maxmemory-policy noeviction\n"
      "hash-max-listpack-entries 128\n"
      "hash-max-listpack-value 2048\n";
  const std::filesystem::path fresh = file("redis.conf.new");
  std::ofstream out(fresh, std::ios::trunc);
  out << text;
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(fresh, file("redis.conf"), error);
  if (!out || error)
    return Failure{Errc::unavailable, "redis.conf cannot be written in " + settings_.directory.string()};
  return Result<void>();
}

awaitable<Result<void>> EmbeddedServer::bring_up() {
  while (true) {
    auto adopted = adopt();
    if (!adopted) co_return adopted.error();
    if (!*adopted) {
      auto launched = launch();
      if (!launched) co_return launched;
    }
    auto answers = co_await wait_until_it_answers();
    if (answers) spdlog::info("redis-server ({}) {}", state_.pid, *adopted ? "was running and is taken over" : "runs");
    // One that was about to end when it was taken over is no failure: the data are free now.
    const bool ended_meanwhile = !answers && *adopted && state_.pid == 0;
    if (!ended_meanwhile) co_return answers;
  }
}

Result<bool> EmbeddedServer::adopt() {
  auto holder = [this] {
    struct flock lock = whole_file(F_WRLCK);
    const bool held = fcntl(server_lock_.get(), F_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
    return held ? lock.l_pid : 0;
  };
  const pid_t pid = holder();
  if (pid == 0) return false;
  auto watched = watch(pid);
  if (!watched) return watched.error();
  // Between the two questions the process may have ended, and its number gone to another one.
  state_.adopted = holder() == pid;
  return state_.adopted;
}

Result<void> EmbeddedServer::launch() {
  auto written = write_configuration();
  if (!written) return written;
  const UniqueDescriptor null = open_high("/dev/null", O_RDWR);
  const UniqueDescriptor log = open_high(file("redis.log"), O_WRONLY | O_CREAT | O_APPEND);
  if (!null || !log) return Failure{Errc::unavailable, "the log of redis-server cannot be opened: " + system_error()};
  const std::string configuration = file("redis.conf");
  const pid_t pid = fork();
  if (pid == 0)
    become_server(settings_.program.c_str(), configuration.c_str(), null.get(), log.get(), server_lock_.get());
  if (pid == -1) return Failure{Errc::unavailable, "redis-server cannot be started: " + system_error()};
  state_.adopted = false;
  return watch(pid);
}

Result<void> EmbeddedServer::watch(pid_t pid) {
  UniqueDescriptor process(pidfd_open(pid, 0));
  if (!process)
    return Failure{Errc::unavailable,
                   "redis-server (" + std::to_string(pid) + ") cannot be watched: " + system_error()};
  boost::system::error_code error;
  process_.close(error);
  process_.assign(process.release(), error);
  if (error)
    return Failure{Errc::unavailable,
                   "redis-server (" + std::to_string(pid) + ") cannot be watched: " + error.message()};
  state_.pid = pid;
  return Result<void>();
}

awaitable<Result<void>> EmbeddedServer::wait_until_it_answers() {
  const auto until = SteadyClock::now() + settings_.answer_limit;
  Result<void> answer;
  do {
    auto greeted = co_await within(settings_.answer_limit, greet(file("redis.sock"), state_.pid));
    answer = greeted ? *greeted : Failure{Errc::unavailable, "redis-server accepts connections and does not answer"};
    if (answer) co_return answer;
    if (has_ended()) {
      state_.problem = reap() + "; its log ends: " + end_of_log();
      co_return Failure{Errc::unavailable, "redis-server " + state_.problem};
    }
    co_await sleep_for(Milliseconds(5));
  } while (SteadyClock::now() < until);
  co_return Failure{answer.error().code, "redis-server (" + std::to_string(state_.pid) + ") does not answer within " +
                                             std::to_string(settings_.answer_limit.count()) +
                                             " ms: " + answer.error().detail};
}

awaitable<> EmbeddedServer::supervise() {
  Backoff backoff(settings_.backoff_min, settings_.backoff_max);
  while (true) {
    const auto since = SteadyClock::now();
    const bool ended = co_await wait_for_end();
    if (!ended) co_return;  // cancelled: the server goes on, and stop() deals with it
    state_.problem = reap() + "; its log ends: " + end_of_log();
    spdlog::error("redis-server {}", state_.problem);
    if (SteadyClock::now() - since > settings_.backoff_max) backoff.reset();
    Result<void> up;
    do {
      co_await sleep_for(backoff.next());
      up = co_await bring_up();
      if (!up) {
        state_.problem = up.error().detail;
        spdlog::error("{}", state_.problem);
      }
    } while (!up);
    state_.restarts += 1;
  }
}

awaitable<bool> EmbeddedServer::wait_for_end() {
  auto [error] = co_await process_.async_wait(ProcessDescriptor::wait_read, nothrow);
  co_return !error;
}

bool EmbeddedServer::has_ended() {
  pollfd process = {process_.native_handle(), POLLIN, 0};
  return poll(&process, 1, 0) == 1;
}

std::string EmbeddedServer::reap() {
  std::string text = "(" + std::to_string(state_.pid) + ") ";
  siginfo_t info = {};
  const auto descriptor = static_cast<id_t>(process_.native_handle());
  if (waitid(P_PIDFD, descriptor, &info, WEXITED | WNOHANG) == -1) {
    text += "has ended";  // a server that was taken over is not our child
  } else if (info.si_code != CLD_EXITED) {
    text += "was ended by signal " + std::to_string(info.si_status) + " (" + strsignal(info.si_status) + ")";
  } else if (info.si_status == cannot_run) {
    text += "cannot be run: no program \"" + settings_.program + "\"";
  } else if (info.si_status == lock_is_held) {
    text += "was not started: another server works on the same data";
  } else {
    text += "ended with code " + std::to_string(info.si_status);
  }
  boost::system::error_code ignored;
  process_.close(ignored);
  state_.pid = 0;
  return text;
}

std::string EmbeddedServer::end_of_log() const {
  std::ifstream log(file("redis.log"), std::ios::ate);
  const std::streamoff size = log ? static_cast<std::streamoff>(log.tellg()) : 0;
  log.seekg(std::max<std::streamoff>(0, size - 2000));
  std::vector<std::string> lines;
  for (std::string line; std::getline(log, line);)
    if (!line.empty()) lines.push_back(std::move(line));
  std::string text;
  for (std::size_t i = lines.size() < 3 ? 0 : lines.size() - 3; i < lines.size(); ++i)
    text += (text.empty() ? "" : " | ") + lines[i].substr(0, 300);
  return text;
}

}  // namespace billd::redis
