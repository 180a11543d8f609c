#include "commands/service.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "net/log.hpp"

namespace billd::commands {
namespace {

/// Apart from the names of socket units: what an earlier process left behind may be bound to an address that is not
/// configured any more.
std::string stored_name(const std::string& name) { return "stored-" + name; }

Failure cannot_listen(const ListenAddress& address, int reason) {
  return {Errc::bad_configuration, "cannot listen on " + to_text(address) + ": " + std::strerror(reason)};
}

/// A socket's address as the system wants it, for either family.
struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  sockaddr* generic() { return reinterpret_cast<sockaddr*>(&storage); }
};

std::optional<SocketAddress> socket_address(const ListenAddress& address) {
  SocketAddress made;
  auto* four = reinterpret_cast<sockaddr_in*>(&made.storage);
  if (inet_pton(AF_INET, address.address.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(address.port);
    made.size = sizeof *four;
    return made;
  }
  auto* six = reinterpret_cast<sockaddr_in6*>(&made.storage);
  if (inet_pton(AF_INET6, address.address.c_str(), &six->sin6_addr) != 1) return std::nullopt;
  six->sin6_family = AF_INET6;
  six->sin6_port = htons(address.port);
  made.size = sizeof *six;
  return made;
}

/// 0, or why it cannot be.
int bind_to(const ListenAddress& address, redis::UniqueDescriptor& bound) {
  auto to = socket_address(address);
  if (!to) return EINVAL;
  bound = redis::UniqueDescriptor(::socket(to->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int descriptor = bound.get();
  const int yes = 1;
  const bool is_bound = descriptor >= 0 && ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
                        ::bind(descriptor, to->generic(), to->size) == 0;
  return is_bound ? 0 : errno;
}

Result<Listener> bind_new(const ListenAddress& address) {
  Listener listener;
  listener.is_new = true;
  if (const int reason = bind_to(address, listener.descriptor); reason != 0) return cannot_listen(address, reason);
  return listener;
}

/// A notification's values end with their line.
std::string one_line(const std::string& text) { return log::printable(text); }

}  // namespace

int try_to_listen(const ListenAddress& address) {
  redis::UniqueDescriptor bound;
  return bind_to(address, bound);
}

ServiceManager::ServiceManager() {
  char** names = nullptr;
  const int count = sd_listen_fds_with_names(1, &names);
  for (int i = 0; i < count; ++i) {
    passed_.emplace(names[i], redis::UniqueDescriptor(SD_LISTEN_FDS_START + i));
    std::free(names[i]);
  }
  std::free(names);
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(1, &microseconds) > 0)
    watchdog_interval_ = Milliseconds(static_cast<std::int64_t>(microseconds) / 2'000);
}

Result<Listener> ServiceManager::listener(const std::string& name, const ListenAddress& address) {
  if (auto unit = passed_.extract(name)) {
    const auto bound = address_of(unit.mapped().get());
    if (!bound) return Failure{Errc::bad_configuration, "the socket \"" + name + "\" that was passed is no TCP socket"};
    if (*bound != address)
      spdlog::info("the socket {} is to listen on {}, but the one that was passed listens on {}", name,
                   to_text(address), to_text(*bound));
    return Listener{std::move(unit.mapped())};
  }
  if (auto stored = passed_.extract(stored_name(name))) {
    const auto bound = address_of(stored.mapped().get());
    const bool fits = bound && bound->address == address.address && (address.port == 0 || address.port == bound->port);
    if (fits) return Listener{std::move(stored.mapped())};
    sd_notify(0, ("FDSTOREREMOVE=1\nFDNAME=" + stored_name(name)).c_str());
  }
  return bind_new(address);
}

Result<int> ServiceManager::open(const std::string& name, Listener listener) {
  const int descriptor = listener.descriptor.get();
  if (listener.is_new) {
    if (::listen(descriptor, SOMAXCONN) == -1)
      return cannot_listen(address_of(descriptor).value_or(ListenAddress{}), errno);
    const std::string message = "FDSTORE=1\nFDNAME=" + stored_name(name);
    sd_pid_notify_with_fds(0, 0, message.c_str(), &descriptor, 1);
  }
  return listener.descriptor.release();
}

void ServiceManager::close_others() {
  for (const auto& [name, descriptor] : passed_) {
    const auto bound = address_of(descriptor.get());
    spdlog::warn(
        "the socket \"{}\"{} that was passed is not used: its name must be api, operators, stripe, "
        "stancer, management or funding_sources",
        name, bound ? " on " + to_text(*bound) : "");
  }
  passed_.clear();
}

void ServiceManager::ready(const std::string& status) { sd_notify(0, ("READY=1\nSTATUS=" + one_line(status)).c_str()); }

void ServiceManager::reloading() {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now().time_since_epoch());
  sd_notify(0, ("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(now.count())).c_str());
}

void ServiceManager::starting(const std::string& status, Milliseconds more) {
  sd_notify(0,
            ("STATUS=" + one_line(status) + "\nEXTEND_TIMEOUT_USEC=" + std::to_string(more.count() * 1'000)).c_str());
}

void ServiceManager::stopping(const std::string& status, Milliseconds limit) {
  sd_notify(
      0, ("STOPPING=1\nSTATUS=" + one_line(status) + "\nEXTEND_TIMEOUT_USEC=" + std::to_string(limit.count() * 1'000))
             .c_str());
}

void ServiceManager::status(const std::string& status) { sd_notify(0, ("STATUS=" + one_line(status)).c_str()); }

void ServiceManager::alive() { sd_notify(0, "WATCHDOG=1"); }

std::optional<ListenAddress> address_of(int descriptor) {
  SocketAddress bound;
  bound.size = sizeof bound.storage;
  if (::getsockname(descriptor, bound.generic(), &bound.size) == -1) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (bound.storage.ss_family == AF_INET) {
    const auto* four = reinterpret_cast<const sockaddr_in*>(&bound.storage);
    inet_ntop(AF_INET, &four->sin_addr, text.data(), text.size());
    return ListenAddress{text.data(), ntohs(four->sin_port)};
  }
  if (bound.storage.ss_family != AF_INET6) return std::nullopt;
  const auto* six = reinterpret_cast<const sockaddr_in6*>(&bound.storage);
  inet_ntop(AF_INET6, &six->sin6_addr, text.data(), text.size());
  return ListenAddress{text.data(), ntohs(six->sin6_port)};
}

std::string status_line(const jobs::SchedulerView& view, Milliseconds poll_interval) {
  std::uint64_t waiting = 0, late = 0, in_flight = 0, done = 0;
  Duration oldest{0};
  std::string paused;
  for (const jobs::QueueView& queue : view.queues) {
    waiting += queue.waiting;
    in_flight += queue.in_flight;
    done += queue.done_last_minute;
    // A poll finds everything within its interval; later than that is late, but for what an operator holds back.
    if (queue.pause) {
      paused += paused.empty() ? "; paused: " : ", ";
      paused += to_text(static_cast<Queue>(&queue - view.queues.data()));
      continue;
    }
    if (queue.late > poll_interval) late += queue.due;
    oldest = std::max(oldest, queue.late);
  }
  std::string line;
  if (!view.obstacle.empty())
    line = "Nothing that is due is done: " + view.obstacle;
  else if (late > 0)
    line = fmt::format("{} late, the oldest by {}", late, to_text(std::chrono::round<std::chrono::seconds>(oldest)));
  else
    line = "Nothing is late";
  line += fmt::format("; {} done in the last minute, {} in flight, {} waiting, {} of {} partitions", done, in_flight,
                      waiting, view.partitions_held, view.partitions);
  if (view.parked > 0) line += fmt::format(", {} parked", view.parked);
  line += paused;
  return line;
}

bool ProgressWatch::sees_progress(const jobs::SchedulerView& view, bool redis_answers, SteadyClock::time_point now) {
  std::uint64_t done = 0, due = 0;
  for (const jobs::QueueView& queue : view.queues) {
    done += queue.done;
    if (!queue.pause) due += queue.due;
  }
  // What is due is counted over all partitions: only who holds them all knows it to be its own.
  const bool could_work = due > 0 && redis_answers && view.obstacle.empty() && view.in_flight == 0 &&
                          view.backing_off == 0 && view.partitions_held == view.partitions;
  if (!could_work || done != done_) idle_since_.reset();
  if (could_work && !idle_since_) idle_since_ = now;
  done_ = done;
  return !idle_since_ || now - *idle_since_ <= patience_;
}

}  // namespace billd::commands
