#include "bench/daemon_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>

namespace billd::bench {
namespace {

using redis::UniqueDescriptor;

Failure system_failure(const char* what) { return {Errc::unavailable, std::string(what) + ": " + strerror(errno)}; }

/// The port in "  API      http://127.0.0.1:40001"; 0 while the line is not complete.
std::uint16_t port_behind(std::string_view text, std::string_view before) {
  const std::size_t at = text.find(before);
  if (at == std::string_view::npos || text.find('\n', at) == std::string_view::npos) return 0;
  std::uint16_t port = 0;
  std::from_chars(text.data() + at + before.size(), text.data() + text.size(), port);
  return port;
}

}  // namespace

DaemonProcess::~DaemonProcess() {
  if (pid_ <= 0) return;
  kill(pid_, SIGTERM);
  waitpid(pid_, nullptr, 0);
}

Result<void> DaemonProcess::start(const std::filesystem::path& state, const std::vector<std::string>& settings) {
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return system_failure("pipe");
  UniqueDescriptor output(ends[0]), input(ends[1]);
  const std::string log = state.string() + ".log";
  std::vector<std::string> words = {"billd",
                                    "serve",
                                    "--dev",
                                    "--state-dir",
                                    state.string(),
                                    "--listen",
                                    "127.0.0.1:0",
                                    "--operators",
                                    "127.0.0.1:0",
                                    "--set",
                                    "http.requests_per_connection_max=1000000000"};
  for (const std::string& setting : settings) {
    words.emplace_back("--set");
    words.push_back(setting);
  }
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_ = fork();
  if (pid_ < 0) return system_failure("fork");
  if (pid_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    dup2(input.get(), STDOUT_FILENO);
    dup2(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600), STDERR_FILENO);
    execv("/proc/self/exe", arguments.data());
    _exit(127);
  }
  input = UniqueDescriptor();
  return read_ports(output.get());
}

Result<void> DaemonProcess::read_ports(int output) {
  std::string text;
  std::array<char, 4096> piece{};
  while (api_port_ == 0 || operators_port_ == 0) {
    const ssize_t size = read(output, piece.data(), piece.size());
    if (size <= 0) return Failure{Errc::unavailable, "the daemon does not start"};
    text.append(piece.data(), static_cast<std::size_t>(size));
    api_port_ = port_behind(text, "API      http://127.0.0.1:");
    operators_port_ = port_behind(text, "Status   http://127.0.0.1:");
  }
  return Result<void>();
}

Result<Caller> Caller::connect_to(std::uint16_t port) {
  UniqueDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const void* generic = &address;
  if (!socket || connect(socket.get(), static_cast<const sockaddr*>(generic), sizeof address) != 0)
    return system_failure("connecting to the daemon");
  const int on = 1;
  setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return Caller(std::move(socket));
}

Result<void> Caller::ask(const std::string& request) {
  began_ = std::chrono::steady_clock::now();
  received_.clear();
  // A request is smaller than any socket's buffer, and the one before it has been answered.
  const ssize_t sent = send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(request.size())) return system_failure("sending a request");
  return Result<void>();
}

Result<bool> Caller::read_some() {
  std::array<char, 16 * 1024> piece;
  const ssize_t size = recv(socket_.get(), piece.data(), piece.size(), 0);
  if (size <= 0) return Failure{Errc::unavailable, "the daemon closed a connection"};
  received_.append(piece.data(), static_cast<std::size_t>(size));
  const std::size_t head_end = received_.find("\r\n\r\n");
  if (head_end == std::string::npos) return false;
  const std::string_view name = "Content-Length: ";
  const std::size_t at = received_.find(name);
  std::size_t length = 0;
  if (at != std::string::npos)
    std::from_chars(received_.data() + at + name.size(), received_.data() + head_end, length);
  if (received_.size() < head_end + 4 + length) return false;
  body_ = received_.substr(head_end + 4);
  if (!received_.starts_with("HTTP/1.1 200")) return Failure{Errc::invalid_state, "the daemon answered: " + received_};
  return true;
}

}  // namespace billd::bench
