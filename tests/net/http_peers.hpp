// Peers for the tests of HTTP: a server on a loop of its own, and a socket that sends and shows raw bytes.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <future>
#include <optional>
#include <string>
#include <thread>

#include "net/http/server.hpp"

namespace billd::http {

/// A server, on a free port of 127.0.0.1 unless another is named, running in a thread until it is destroyed.
class RunningServer {
 public:
  explicit RunningServer(Handler handler, ServerSettings settings = {}, const std::string& address = "127.0.0.1",
                         std::uint16_t port = 0)
      : server_(std::make_unique<Server>(loop_.get_executor(), std::move(settings), std::move(handler))) {
    Result<void> listening = server_->listen(address, port);
    EXPECT_TRUE(listening.has_value());
    port_ = server_->local_endpoint().port;
    thread_ = std::thread([this] { loop_.run(); });
  }

  /// Runs `function` on the server's thread and returns its result.
  template <class Function>
  auto on_loop(Function function) {
    std::packaged_task<decltype(function())()> task(std::move(function));
    auto result = task.get_future();
    asio::post(loop_, [&task] { task(); });
    return result.get();
  }

  ~RunningServer() {
    on_loop([this] {
      server_.reset();
      return 0;
    });
    keep_running_.reset();
    thread_.join();
  }

  std::uint16_t port() const { return port_; }
  asio::io_context& loop() { return loop_; }
  Server& server() { return *server_; }

  ServerCounts counts() {
    return on_loop([this] { return server_->counts(); });
  }

  /// Begins to stop the server; the future is ready when it has stopped.
  std::future<void> stop(Milliseconds limit) { return asio::co_spawn(loop_, server_->stop(limit), asio::use_future); }

  /// Waits until the counts are as wished.
  template <class Condition>
  bool eventually(Condition condition) {
    for (int i = 0; i < 5'000; ++i) {
      if (condition(counts())) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
  }

 private:
  asio::io_context loop_{1};
  std::optional<asio::executor_work_guard<Executor>> keep_running_ = asio::make_work_guard(loop_);
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

/// A blocking socket that gives up after ten seconds.
class RawPeer {
 public:
  explicit RawPeer(int descriptor) : descriptor_(descriptor) { limit_waits(); }

  /// A socket that is not connected yet.
  RawPeer() : RawPeer(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {}

  static RawPeer connected(std::uint16_t port) {
    RawPeer peer;
    peer.connect(port);
    return peer;
  }

  RawPeer(RawPeer&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  ~RawPeer() { close(); }

  void connect(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }

  /// Sends what the peer takes; less when it has closed.
  std::size_t send(std::string_view bytes) {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      ssize_t count = ::send(descriptor_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (count <= 0) break;
      sent += static_cast<std::size_t>(count);
    }
    return sent;
  }

  /// Reads on until `text` has come, and returns everything up to its end. What is behind it waits for the next call.
  std::string read_until(std::string_view text) {
    std::size_t end = 0;
    while ((end = received_.find(text)) == std::string::npos)
      if (!read_some()) return take(received_.size());
    return take(end + text.size());
  }

  /// Reads one answer with a Content-Length (or, for HEAD, none): its head and its body.
  std::string read_answer(bool head_only = false) {
    std::string head = read_until("\r\n\r\n");
    std::size_t length_at = head.find("Content-Length: ");
    if (head_only || length_at == std::string::npos) return head;
    std::size_t length = std::stoul(head.substr(length_at + 16));
    while (received_.size() < length)
      if (!read_some()) break;
    return head + take(std::min(length, received_.size()));
  }

  /// Reads until the peer closes.
  std::string read_to_end() {
    while (read_some()) continue;
    return take(received_.size());
  }

  /// Whether the peer has closed without another word.
  bool is_at_end() { return read_to_end().empty() && ended_; }

  /// Whether nothing arrives for that long.
  bool is_silent_for(Milliseconds time) {
    if (!received_.empty()) return false;
    timeval limit{0, static_cast<suseconds_t>(time.count() * 1000)};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    bool silent = !read_some() && !ended_;
    limit_waits();
    return silent;
  }

  void close() {
    if (descriptor_ >= 0) ::close(descriptor_);
    descriptor_ = -1;
  }

  int descriptor() const { return descriptor_; }

 private:
  void limit_waits() {
    timeval limit{10, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  }

  bool read_some() {
    char bytes[16 * 1024];
    ssize_t count = ::recv(descriptor_, bytes, sizeof bytes, 0);
    if (count > 0) received_.append(bytes, static_cast<std::size_t>(count));
    ended_ = count == 0;
    return count > 0;
  }

  std::string take(std::size_t size) {
    std::string taken = received_.substr(0, size);
    received_.erase(0, size);
    return taken;
  }

  int descriptor_;
  std::string received_;
  bool ended_ = false;
};

/// A listening socket on a free port of 127.0.0.1, whose connections the test plays itself.
class RawListener {
 public:
  RawListener() : descriptor_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(descriptor_, 16), 0);
    EXPECT_EQ(::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  RawListener(const RawListener&) = delete;
  RawListener& operator=(const RawListener&) = delete;
  ~RawListener() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  RawPeer accept() { return RawPeer(::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC)); }
  std::uint16_t port() const { return port_; }
  int release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
  std::uint16_t port_ = 0;
};

}  // namespace billd::http
