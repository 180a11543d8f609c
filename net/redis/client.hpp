// The client of Redis that all of billd shares: commands of many coroutines on few connections, which it renews for
// ever.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "net/async.hpp"
#include "net/redis/backoff.hpp"
#include "net/redis/connection.hpp"

namespace billd::redis {

struct ClientSettings {
  Milliseconds connect_timeout{2000};
  Milliseconds reply_timeout{5000};                 ///< to wait for a reply, and to wait for a connection
  std::size_t in_flight_max = 4096;                 ///< commands without a reply; further ones wait in their order
  std::size_t bytes_in_flight_max = 16 << 20;       ///< names and arguments of those
  Milliseconds backoff_min{50}, backoff_max{2000};  ///< between two attempts to connect
  /// Further connections for the bulk of the work. Redis takes 16 KiB from each connection, does what stands there, and
  /// flushes its file once for all of them: with one connection that flush is what everybody waits for.
  std::size_t lanes = 0;
};

enum class Phase { connecting, loading, ready, stopped };
std::string_view name(Phase phase);

/// What the client is doing, for the status page.
struct State {
  Phase phase = Phase::connecting;
  std::string problem;  ///< the last one; kept when it is over
  std::chrono::sys_time<Milliseconds> since;
  std::uint64_t connections = 0;  ///< made and prepared, the first one included
  Traffic traffic;
  std::size_t in_flight = 0;
  std::size_t waiting = 0;  ///< callers whose commands are not all sent
};

/// Life cycle: construct, on_connected(), start(), any number of calls, `co_await stop()`, destroy. Commands may be
/// given before start() and while there is no connection: they wait for one, at most reply_timeout, and then fail with
/// unavailable, which promises that nothing was done. A command that was sent and has no reply when the connection ends
/// or the time is up fails with outcome_unknown. LOADING is waited for in the same way; other error replies are
/// Failures with the code of classify() and the text of Redis as detail. After READONLY or MASTERDOWN the connection is
/// made anew.
///
/// With lanes, each of them is a client of its own on its own connection; start(), stop(), ready(), state() and
/// on_connected() are about all of them. Commands of one lane are carried out in the order in which they were given;
/// between lanes there is no order but that of awaited replies.
///
/// To be used from the loop's thread only.
class Client {
 public:
  /// Prepares a fresh connection before the commands of others are sent on it: loads functions, checks the data epoch.
  /// A failure drops the connection, and it is tried again after a while.
  using Prepare = std::function<awaitable<Result<void>>(Connection&)>;

  Client(Executor executor, Address address, ClientSettings settings);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Several are run in the order in which they were given, on each connection. Before start().
  void on_connected(Prepare prepare);

  void start();

  /// The lane for work of that kind, such as the number of a partition: always the same one. The client itself when it
  /// has no lanes.
  Client& lane(std::size_t kind) { return lanes_.empty() ? *this : *lanes_[kind % lanes_.size()]; }

  /// Waits until commands can be sent; the failure tells what stands in the way when `limit` has passed.
  awaitable<Result<void>> ready(Milliseconds limit);

  /// Cancelled: the command may have been carried out if it had been sent.
  awaitable<Result<Reply>> execute(Command command);

  /// Sends the commands one behind the other without waiting between them; the results stand in their order. It is no
  /// transaction: commands of others may come between, and one may fail while the next succeeds.
  awaitable<std::vector<Result<Reply>>> execute_all(std::vector<Command> commands);

  State state() const;
  /// Of the connection that is the least far; cheaper than state().
  Phase phase() const;
  const Address& address() const { return address_; }
  const ClientSettings& settings() const { return settings_; }

  /// Takes no more commands, awaits the replies that are due (at most reply_timeout), and closes. What still waits
  /// after that fails: outcome_unknown if it was sent, else stopping.
  awaitable<> stop();

 private:
  template <class Service>
  friend auto replies_of(Service& service, Batch& batch);

  const Client& least_ready() const;
  awaitable<> run();
  awaitable<Failure> use_one_connection();
  awaitable<Result<void>> prepare();
  awaitable<> limit_waiting();
  awaitable<Result<void>> wait_until_ready();
  void submit(Batch& batch);
  void abandon(Batch& batch);
  void send_waiting();
  void on_progress();
  void fail_sent_in_part(const Failure& failure);
  void fail_waiting(const Failure& failure);
  void enter(Phase phase, std::string problem);

  Executor executor_;
  Address address_;
  ClientSettings settings_;
  bool is_lane_ = false;
  std::vector<std::unique_ptr<Client>> lanes_;
  std::vector<Prepare> prepares_;

  Phase phase_ = Phase::connecting;
  std::string problem_;
  Errc problem_code_ = Errc::unavailable;
  std::chrono::sys_time<Milliseconds> since_;
  SteadyClock::time_point ready_at_;
  std::uint64_t connections_ = 0;
  Traffic traffic_;
  bool stopping_ = false;

  std::deque<Batch*> waiting_;  ///< not all sent; only the first may be sent in part
  std::unique_ptr<Connection> connection_;
  Timer changed_;   ///< its waits end with every change of phase, and when the last reply is there
  Timer patience_;  ///< due when the first of the waiting has waited too long
  bool patience_set_ = false;
  Tasks tasks_;
};

}  // namespace billd::redis
