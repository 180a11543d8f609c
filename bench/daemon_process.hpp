// A daemon as a process of its own, and connections to it with one request under way at a time.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "engine/result.hpp"
#include "net/redis/embedded.hpp"

namespace billd::bench {

/// This program's own daemon, on free ports, with an embedded Redis in the state directory.
class DaemonProcess {
 public:
  DaemonProcess() = default;
  DaemonProcess(const DaemonProcess&) = delete;
  DaemonProcess& operator=(const DaemonProcess&) = delete;
  ~DaemonProcess();

  /// Returns once it serves. Its log is written beside the state directory. `settings` are "path=value".
  Result<void> start(const std::filesystem::path& state, const std::vector<std::string>& settings);

  pid_t pid() const { return pid_; }
  std::uint16_t api_port() const { return api_port_; }
  std::uint16_t operators_port() const { return operators_port_; }

 private:
  Result<void> read_ports(int output);

  pid_t pid_ = 0;
  std::uint16_t api_port_ = 0, operators_port_ = 0;
};

class Caller {
 public:
  static Result<Caller> connect_to(std::uint16_t port);

  int descriptor() const { return socket_.get(); }
  std::chrono::steady_clock::time_point began() const { return began_; }
  const std::string& body() const { return body_; }

  Result<void> ask(const std::string& request);

  /// Whether the answer is complete.
  Result<bool> read_some();

 private:
  explicit Caller(redis::UniqueDescriptor socket) : socket_(std::move(socket)) {}

  redis::UniqueDescriptor socket_;
  std::string received_, body_;
  std::chrono::steady_clock::time_point began_;
};

}  // namespace billd::bench
