// What billd and systemd tell each other: readiness, progress, the watchdog, and sockets that outlive the process.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "config/settings.hpp"
#include "jobs/scheduler.hpp"
#include "net/async.hpp"
#include "net/redis/embedded.hpp"

namespace billd::commands {

/// A TCP socket to accept connections on. One that was passed queues them already; a new one is bound only, and refuses
/// them until it is opened.
struct Listener {
  redis::UniqueDescriptor descriptor;
  bool is_new = false;
};

/// Whether an address can be listened on now: 0, or the system's reason why not, such as EADDRINUSE.
int try_to_listen(const ListenAddress& address);

/// The service manager, if there is one; without, telling does nothing and there are no sockets.
class ServiceManager {
 public:
  /// Takes over the sockets that were passed and clears the variables that named them.
  ServiceManager();
  ServiceManager(const ServiceManager&) = delete;
  ServiceManager& operator=(const ServiceManager&) = delete;

  /// The socket of that name ("api", "operators"): the one of a socket unit, wherever that listens; else the one that
  /// an earlier process of this service left with systemd, if it is bound to the address; else a new one.
  Result<Listener> listener(const std::string& name, const ListenAddress& address);

  /// Lets connections come in. systemd is asked to keep a new socket, so that connections wait instead of being refused
  /// while the service restarts. The descriptor is the caller's.
  Result<int> open(const std::string& name, Listener listener);

  /// Closes what was passed and not taken, and says so.
  void close_others();

  void ready(const std::string& status);
  void reloading();
  /// Of a start that takes its time: systemd grants `more`.
  void starting(const std::string& status, Milliseconds more);
  /// The process will have ended after `limit`, or may be killed.
  void stopping(const std::string& status, Milliseconds limit);
  void status(const std::string& status);
  /// To be told once in watchdog_interval(), or the process is killed and started anew.
  void alive();

  /// Half of the time that the watchdog grants; empty when it does not watch.
  std::optional<Milliseconds> watchdog_interval() const { return watchdog_interval_; }

 private:
  std::multimap<std::string, redis::UniqueDescriptor> passed_;
  std::optional<Milliseconds> watchdog_interval_;
};

/// The address that a listening or bound TCP socket has; empty when it is no such socket.
std::optional<ListenAddress> address_of(int descriptor);

/// One line on how the work goes: `systemctl status` shows it.
std::string status_line(const jobs::SchedulerView& view, Milliseconds poll_interval);

/// Notices a scheduler that sleeps on its work. Work that waits for a gateway, for Redis, for an operator or for its
/// next attempt is no reason: a restart would not help it.
class ProgressWatch {
 public:
  explicit ProgressWatch(Milliseconds patience) : patience_(patience) {}

  /// False once nothing has been done for longer than `patience` although something could be.
  bool sees_progress(const jobs::SchedulerView& view, bool redis_answers, SteadyClock::time_point now);

 private:
  Milliseconds patience_;
  std::uint64_t done_ = 0;
  std::optional<SteadyClock::time_point> idle_since_;
};

}  // namespace billd::commands
