// One connection to Redis: hiredis driven by Asio, with a time limit on every reply.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/async.hpp"
#include "net/histogram.hpp"
#include "net/redis/batch.hpp"
#include "net/redis/reply.hpp"

namespace billd::redis {

/// Where a Redis is and who asks. The password never appears in a text that billd writes.
struct Address {
  std::string socket;              ///< path of a Unix socket; when set, host and port are not used
  std::string host = "127.0.0.1";  ///< a numeric address or a name
  std::uint16_t port = 6379;
  std::string username;  ///< with Redis' access control lists
  std::string password;
  int database = 0;

  /// "unix:/run/redis.sock" or "127.0.0.1:6379", for logs and messages.
  std::string text() const;
};

struct ConnectionLimits {
  Milliseconds connect_timeout{2000};  ///< for names, addresses and the greeting of the kernel together
  Milliseconds reply_timeout{5000};    ///< from the sending of a command to its reply
};

/// What a connection, or all connections of a client together, have carried.
struct Traffic {
  std::uint64_t commands = 0;        ///< sent
  std::uint64_t replies = 0;         ///< received, errors included
  std::uint64_t error_replies = 0;   ///< of those
  std::uint64_t bytes_sent = 0;      ///< names and arguments
  std::uint64_t bytes_received = 0;  ///< texts of the replies
  std::uint64_t timeouts = 0;        ///< connections given up for want of a reply
  std::chrono::nanoseconds round_trip_last{0};
  std::chrono::nanoseconds round_trip_average{0};  ///< weighs the last hundred or so
  Histogram round_trips;                           ///< of all replies
};

/// A connection that was made. Replies come in the order of the commands; when the oldest one is overdue, the
/// connection is closed, for a late reply could not be told from the next one, and every command without a reply fails
/// with outcome_unknown. A closed connection stays closed. Blocking commands and MULTI across two calls do not belong
/// here.
///
/// hiredis writes with write(2): opening a connection makes the process ignore SIGPIPE.
class Connection {
 public:
  /// Resolves, connects, and gives the password and the database; the server may still be loading. `traffic` outlives
  /// the connection.
  static awaitable<Result<std::unique_ptr<Connection>>> open(Address address, ConnectionLimits limits,
                                                             Traffic& traffic);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Sends a command and awaits its reply. An error reply is a Failure with the text of Redis as its detail and the
  /// code of classify(). Cancelled: the command may have been carried out.
  awaitable<Result<Reply>> execute(Command command);

  /// Sends the commands in one go and awaits all the replies, which stand in the order of the commands.
  awaitable<std::vector<Result<Reply>>> execute_all(std::vector<Command> commands);

  /// From now on, every message on these channels goes to `received(channel, payload)`, and `confirmed` is called when
  /// Redis has confirmed all of them; both from the loop, at the end of a read. The connection takes no commands any
  /// more.
  void subscribe(std::vector<std::string> channels, std::function<void()> confirmed,
                 std::function<void(std::string_view, std::string_view)> received);

  /// Waits until the connection is closed, by whomever, and says why, with the code unavailable.
  awaitable<Failure> closed();

  /// Closes at once; what waits for a reply fails with outcome_unknown.
  void close(std::string why);

  bool is_open() const;
  /// Redis asked to be left: no new command should be sent, and when the last reply is there, the connection be closed.
  bool is_retiring() const { return retiring_; }
  std::size_t in_flight() const { return pending_.size(); }
  std::size_t bytes_in_flight() const { return bytes_in_flight_; }

  /// Sends the batch's next command, without looking at any limit.
  void send_next(Batch& batch);

  /// Forgets the batch: replies that still come for it are dropped.
  void forget(Batch& batch);

  /// Called after each read that brought replies and when the connection is closed; may send, must not destroy the
  /// connection.
  void on_progress(std::function<void()> progress) { progress_ = std::move(progress); }

 private:
  class Bridge;
  friend class Bridge;
  template <class Service>
  friend auto replies_of(Service& service, Batch& batch);

  struct Pending {
    Batch* batch;  ///< null when nobody waits any more
    SteadyClock::time_point sent_at;
    std::size_t bytes;
  };
  struct Message {
    std::string channel, payload;
  };

  Connection(Executor executor, std::string name, ConnectionLimits limits, Traffic& traffic);
  awaitable<Result<void>> establish(Address address);
  awaitable<Result<void>> connect(std::string path_or_address, std::optional<std::uint16_t> port);
  awaitable<Result<void>> authenticate(Address address);
  void submit(Batch& batch);
  void abandon(Batch& batch);
  void take_reply(const redisReply& reply);
  void take_message(const redisReply& reply);
  void after_io();
  void fail_pending();
  void arm_deadline();
  void check_deadline();

  Failure lost(Errc code) const;

  std::string name_;  ///< of the server, for messages
  ConnectionLimits limits_;
  Traffic& traffic_;
  std::shared_ptr<Bridge> bridge_;
  std::function<void()> progress_;
  std::string why_closed_;
  Timer changed_;  ///< its waits end when the connection is established or closed

  std::deque<Pending> pending_;
  std::size_t bytes_in_flight_ = 0;
  bool retiring_ = false;
  Timer deadline_;
  bool deadline_armed_ = false;
  SteadyClock::time_point read_at_;

  std::size_t unconfirmed_ = 0;
  bool confirmation_due_ = false;
  std::function<void()> confirmed_;
  std::function<void(std::string_view, std::string_view)> received_;
  std::deque<Message> inbox_;
};

/// Takes a batch from the queue of those who wait, with the same meaning on every path: what was sent and has no reply
/// is of unknown outcome, what was not sent has the failure `unsent`.
void fail_rest(Batch& batch, const Failure& unknown, const Failure& unsent);

}  // namespace billd::redis
