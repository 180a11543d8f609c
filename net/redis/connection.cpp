// The bridge between hiredis and Asio, and the commands in flight on one connection.
#include "net/redis/connection.hpp"

#include <fcntl.h>
#include <hiredis/async.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <csignal>

namespace billd::redis {

/// Waits for the descriptor of a hiredis context whenever hiredis asks for it. hiredis closes the descriptor itself, so
/// that the bridge gives it back in the cleanup hook; after any call into hiredis the context may be gone.
class Connection::Bridge : public std::enable_shared_from_this<Bridge> {
 public:
  Bridge(redisAsyncContext* context, Executor executor, Connection& owner)
      : owner_(&owner), context_(context), descriptor_(executor, context->c.fd) {}

  /// Apart from the constructor, for hiredis asks for the first wait at once.
  void attach() {
    context_->data = this;
    context_->ev.data = this;
    context_->ev.addRead = [](void* bridge) { static_cast<Bridge*>(bridge)->want_read(); };
    context_->ev.delRead = [](void* bridge) { static_cast<Bridge*>(bridge)->reading_ = false; };
    context_->ev.addWrite = [](void* bridge) { static_cast<Bridge*>(bridge)->want_write(); };
    context_->ev.delWrite = [](void* bridge) { static_cast<Bridge*>(bridge)->writing_ = false; };
    context_->ev.cleanup = [](void* bridge) { static_cast<Bridge*>(bridge)->cleanup(); };
    redisAsyncSetConnectCallback(context_, [](const redisAsyncContext* context, int status) {
      of(context).connected(status == REDIS_OK, context->c.errstr);
    });
    redisAsyncSetDisconnectCallback(context_, [](const redisAsyncContext* context, int status) {
      // With REDIS_OK we closed it ourselves, and know why.
      if (status != REDIS_OK) of(context).owner_closed(context->errstr);
    });
  }

  bool is_open() const { return context_ != nullptr; }
  bool is_connected() const { return context_ && connected_; }

  void send(std::string_view command) {
    const int status = redisAsyncFormattedCommand(context_, on_reply, nullptr, command.data(), command.size());
    BILLD_CHECK(status == REDIS_OK, "hiredis refuses commands only on a connection that it has given up");
  }

  void subscribe(std::size_t count, const char** arguments, const std::size_t* sizes) {
    const int status = redisAsyncCommandArgv(context_, on_message, nullptr, static_cast<int>(count), arguments, sizes);
    BILLD_CHECK(status == REDIS_OK, "hiredis refuses commands only on a connection that it has given up");
  }

  void read() {
    owner_->read_at_ = SteadyClock::now();
    redisAsyncHandleRead(context_);
    if (owner_) owner_->after_io();
  }

  /// Calls the callbacks of all pending commands, which ignore it, and then the cleanup hook.
  void free() {
    if (context_) redisAsyncFree(context_);
  }

  void leave_owner() { owner_ = nullptr; }
  Connection* owner() const { return owner_; }

 private:
  static Bridge& of(const redisAsyncContext* context) { return *static_cast<Bridge*>(context->data); }

  static void on_reply(redisAsyncContext* context, void* reply, void*) {
    // Without a reply the connection is at its end, and after_io fails everything that is pending.
    if (reply && of(context).owner_) of(context).owner_->take_reply(*static_cast<redisReply*>(reply));
  }

  static void on_message(redisAsyncContext* context, void* reply, void*) {
    if (reply && of(context).owner_) of(context).owner_->take_message(*static_cast<redisReply*>(reply));
  }

  void connected(bool well, const char* error) {
    connected_ = well;
    if (!well) owner_closed(error);
    if (owner_) owner_->changed_.cancel();
  }

  void owner_closed(const char* error) {
    if (owner_ && owner_->why_closed_.empty()) owner_->why_closed_ = error;
  }

  void cleanup() {
    descriptor_.release();
    context_ = nullptr;
  }

  void want_read() {
    reading_ = true;
    if (read_awaited_) return;
    read_awaited_ = true;
    descriptor_.async_wait(descriptor_.wait_read, [self = shared_from_this()](boost::system::error_code error) {
      self->read_awaited_ = false;
      if (!error && self->context_ && self->reading_) self->read();
    });
  }

  void want_write() {
    writing_ = true;
    if (write_awaited_) return;
    write_awaited_ = true;
    // A socket can nearly always be written: the first attempt comes at the end of this turn, with all commands that
    // are added until then, and only when the socket was full is its readiness awaited.
    if (connected_ && !in_write_) {
      asio::post(descriptor_.get_executor(), [self = shared_from_this()] { self->write(); });
    } else {
      descriptor_.async_wait(descriptor_.wait_write, [self = shared_from_this()](boost::system::error_code error) {
        if (!error) self->write();
      });
    }
  }

  void write() {
    write_awaited_ = false;
    if (!context_ || !writing_) return;
    in_write_ = true;
    redisAsyncHandleWrite(context_);
    in_write_ = false;
    if (!context_) {
      if (owner_) owner_->after_io();
    } else if (writing_ && !write_awaited_) {
      want_write();  // still connecting: hiredis counts on being called again
    }
  }

  Connection* owner_;
  redisAsyncContext* context_;
  asio::posix::basic_stream_descriptor<Executor> descriptor_;
  bool connected_ = false;
  bool reading_ = false, read_awaited_ = false;
  bool writing_ = false, write_awaited_ = false, in_write_ = false;
};

std::string Address::text() const { return socket.empty() ? host + ":" + std::to_string(port) : "unix:" + socket; }

Connection::Connection(Executor executor, std::string name, ConnectionLimits limits, Traffic& traffic)
    : name_(std::move(name)), limits_(limits), traffic_(traffic), changed_(executor), deadline_(executor) {}

Connection::~Connection() {
  progress_ = nullptr;
  close("billd closed it");
  if (bridge_) bridge_->leave_owner();
}

awaitable<Result<std::unique_ptr<Connection>>> Connection::open(Address address, ConnectionLimits limits,
                                                                Traffic& traffic) {
  std::signal(SIGPIPE, SIG_IGN);
  Executor executor = co_await asio::this_coro::executor;
  std::unique_ptr<Connection> connection(new Connection(executor, address.text(), limits, traffic));
  auto established = co_await within(limits.connect_timeout, connection->establish(address));
  if (!established)
    co_return Failure{Errc::unavailable, "Redis at " + address.text() + " does not answer: no connection within " +
                                             std::to_string(limits.connect_timeout.count()) + " ms"};
  if (!*established) co_return established->error();
  auto admitted = co_await connection->authenticate(std::move(address));
  if (!admitted) co_return admitted.error();
  co_return std::move(connection);
}

awaitable<Result<void>> Connection::establish(Address address) {
  if (!address.socket.empty()) {
    if (address.socket.size() >= sizeof(sockaddr_un::sun_path))
      co_return Failure{Errc::bad_configuration, "the path of the socket is too long (" +
                                                     std::to_string(sizeof(sockaddr_un::sun_path) - 1) +
                                                     " bytes are the limit): " + address.socket};
    auto connected = co_await connect(address.socket, std::nullopt);
    co_return connected;
  }
  boost::system::error_code not_numeric;
  asio::ip::make_address(address.host, not_numeric);
  if (!not_numeric) {
    auto connected = co_await connect(address.host, address.port);
    co_return connected;
  }
  asio::ip::basic_resolver<asio::ip::tcp, Executor> resolver(changed_.get_executor());
  auto [error, endpoints] = co_await resolver.async_resolve(address.host, std::to_string(address.port), nothrow);
  if (error) co_return Failure{Errc::unavailable, "Redis at " + name_ + " does not answer: " + error.message()};
  Result<void> connected =
      Failure{Errc::unavailable, "Redis at " + name_ + " does not answer: no address of that name"};
  for (const auto& entry : endpoints) {
    connected = co_await connect(entry.endpoint().address().to_string(), entry.endpoint().port());
    if (connected) break;
  }
  co_return connected;
}

awaitable<Result<void>> Connection::connect(std::string path_or_address, std::optional<std::uint16_t> port) {
  why_closed_.clear();
  redisAsyncContext* context =
      port ? redisAsyncConnect(path_or_address.c_str(), *port) : redisAsyncConnectUnix(path_or_address.c_str());
  BILLD_CHECK(context, "hiredis returns no context only when memory is exhausted");
  if (context->err) {
    why_closed_ = context->errstr;
    redisAsyncFree(context);
    co_return lost(Errc::unavailable);
  }
  fcntl(context->c.fd, F_SETFD, FD_CLOEXEC);
  bridge_ = std::make_shared<Bridge>(context, changed_.get_executor(), *this);
  bridge_->attach();
  while (bridge_->is_open() && !bridge_->is_connected()) {
    changed_.expires_at(SteadyClock::time_point::max());
    co_await changed_.async_wait(nothrow);
  }
  if (!bridge_->is_open()) co_return lost(Errc::unavailable);
  if (port) {
    const int on = 1;
    setsockopt(context->c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    redisEnableKeepAlive(&context->c);
  }
  co_return Result<void>();
}

awaitable<Result<void>> Connection::authenticate(Address address) {
  std::vector<Command> commands;
  if (!address.password.empty()) {
    Command& command = commands.emplace_back("AUTH");
    if (!address.username.empty()) command.add(address.username);
    command.add(address.password);
  }
  if (address.database != 0) commands.emplace_back("SELECT", address.database);
  auto replies = co_await execute_all(std::move(commands));
  for (const Result<Reply>& reply : replies) {
    if (reply) continue;
    if (!is_open()) co_return lost(Errc::unavailable);
    const Classification meaning = classify(reply.error().detail);
    if (meaning.ran == Ran::no) co_return reply.error();
    // Whatever else Redis says to AUTH or SELECT, such as "no password is set" or "DB index is out of range", is about
    // our settings.
    co_return Failure{Errc::bad_configuration,
                      "Redis at " + name_ + " refuses the connection: " + reply.error().detail};
  }
  co_return Result<void>();
}

awaitable<Result<Reply>> Connection::execute(Command command) {
  Result<Reply> result;
  Batch batch(std::span(&command, 1), std::span(&result, 1));
  co_await replies_of(*this, batch);
  batch.leave();
  co_return std::move(result);
}

awaitable<std::vector<Result<Reply>>> Connection::execute_all(std::vector<Command> commands) {
  std::vector<Result<Reply>> results(commands.size());
  if (commands.empty()) co_return results;
  Batch batch(commands, results);
  co_await replies_of(*this, batch);
  batch.leave();
  co_return std::move(results);
}

void Connection::submit(Batch& batch) {
  if (is_open()) {
    while (!batch.all_sent()) send_next(batch);
  } else {
    fail_rest(batch, lost(Errc::outcome_unknown), lost(Errc::unavailable));
    batch.resume(changed_.get_executor());
  }
}

void Connection::abandon(Batch& batch) {
  forget(batch);
  fail_rest(batch, Failure{Errc::outcome_unknown, "the wait for the reply was cancelled"},
            Failure{Errc::unavailable, "the wait was cancelled before the command was sent"});
  batch.resume(changed_.get_executor());
}

void Connection::send_next(Batch& batch) {
  Command& command = batch.commands[batch.sent++];
  const std::size_t bytes = command.bytes();
  bridge_->send(command.text());
  pending_.push_back({&batch, SteadyClock::now(), bytes});
  bytes_in_flight_ += bytes;
  traffic_.commands += 1;
  traffic_.bytes_sent += bytes;
  if (!deadline_armed_) arm_deadline();
}

void Connection::forget(Batch& batch) {
  for (Pending& pending : pending_)
    if (pending.batch == &batch) pending.batch = nullptr;
}

void Connection::subscribe(std::vector<std::string> channels, std::function<void()> confirmed,
                           std::function<void(std::string_view, std::string_view)> received) {
  if (!is_open()) return;
  unconfirmed_ = channels.size();
  confirmed_ = std::move(confirmed);
  received_ = std::move(received);
  std::vector<const char*> pointers = {"SUBSCRIBE"};
  std::vector<std::size_t> sizes = {9};
  for (const std::string& channel : channels) {
    pointers.push_back(channel.data());
    sizes.push_back(channel.size());
  }
  bridge_->subscribe(pointers.size(), pointers.data(), sizes.data());
}

awaitable<Failure> Connection::closed() {
  while (is_open()) {
    changed_.expires_at(SteadyClock::time_point::max());
    co_await changed_.async_wait(nothrow);
  }
  co_return lost(Errc::unavailable);
}

void Connection::close(std::string why) {
  if (!is_open()) return;
  why_closed_ = std::move(why);
  bridge_->free();
  after_io();
}

bool Connection::is_open() const { return bridge_ && bridge_->is_open(); }

Failure Connection::lost(Errc code) const {
  const char* what = code == Errc::outcome_unknown ? " was lost before its reply: " : " does not answer: ";
  return Failure{code, "Redis at " + name_ + what + why_closed_};
}

void Connection::take_reply(const redisReply& reply) {
  BILLD_CHECK(!pending_.empty(), "a reply without a command");
  const Pending pending = pending_.front();
  pending_.pop_front();
  bytes_in_flight_ -= pending.bytes;
  traffic_.replies += 1;
  traffic_.round_trip_last = read_at_ - pending.sent_at;
  traffic_.round_trips.add(std::chrono::duration_cast<Histogram::Duration>(traffic_.round_trip_last));
  traffic_.round_trip_average += (traffic_.round_trip_last - traffic_.round_trip_average) / 64;
  if (reply.type == REDIS_REPLY_ERROR) {
    traffic_.error_replies += 1;
    std::string text(reply.str, reply.len);
    const Classification meaning = classify(text);
    if (meaning.reaction == Reaction::reconnect) retiring_ = true;
    if (pending.batch) pending.batch->answer(Failure{meaning.code, std::move(text)});
  } else if (pending.batch) {
    Reply copy = Reply::copy(reply);
    traffic_.bytes_received += copy.bytes();
    pending.batch->answer(std::move(copy));
  }
  if (pending.batch && pending.batch->all_answered()) pending.batch->resume(changed_.get_executor());
}

void Connection::take_message(const redisReply& reply) {
  if (reply.type != REDIS_REPLY_ARRAY || reply.elements != 3) return;
  const redisReply& kind = *reply.element[0];
  const redisReply& channel = *reply.element[1];
  const redisReply& payload = *reply.element[2];
  if (payload.type == REDIS_REPLY_INTEGER) {
    confirmation_due_ = unconfirmed_ > 0 && --unconfirmed_ == 0;
  } else if (std::string_view(kind.str, kind.len) == "message") {
    traffic_.bytes_received += payload.len;
    inbox_.push_back({std::string(channel.str, channel.len), std::string(payload.str, payload.len)});
  }
}

void Connection::after_io() {
  if (!is_open()) {
    fail_pending();
    changed_.cancel();
    deadline_.cancel();
  }
  if (std::exchange(confirmation_due_, false)) confirmed_();
  while (!inbox_.empty()) {
    Message message = std::move(inbox_.front());
    inbox_.pop_front();
    received_(message.channel, message.payload);
  }
  if (progress_) progress_();
}

void Connection::fail_pending() {
  std::deque<Pending> failed;
  failed.swap(pending_);
  bytes_in_flight_ = 0;
  const Failure failure = lost(Errc::outcome_unknown);
  for (const Pending& pending : failed) {
    if (!pending.batch) continue;
    pending.batch->answer(failure);
    if (pending.batch->all_answered()) pending.batch->resume(changed_.get_executor());
  }
}

void Connection::arm_deadline() {
  // One timer for all: it is set for the command which is the oldest now, and when it fires, for the oldest then.
  deadline_armed_ = true;
  deadline_.expires_at(pending_.front().sent_at + limits_.reply_timeout);
  deadline_.async_wait([bridge = bridge_](boost::system::error_code error) {
    if (!error && bridge->owner()) bridge->owner()->check_deadline();
  });
}

void Connection::check_deadline() {
  deadline_armed_ = false;
  auto overdue = [this] {
    return is_open() && !pending_.empty() && pending_.front().sent_at + limits_.reply_timeout <= SteadyClock::now();
  };
  // When the daemon itself was held up, the reply may lie in the socket: look before giving up.
  std::optional<std::uint64_t> before;
  while (overdue() && before != traffic_.replies) {
    before = traffic_.replies;
    bridge_->read();
  }
  if (overdue()) {
    traffic_.timeouts += 1;
    close("no reply within " + std::to_string(limits_.reply_timeout.count()) + " ms");
  } else if (is_open() && !pending_.empty() && !deadline_armed_) {
    arm_deadline();
  }
}

void fail_rest(Batch& batch, const Failure& unknown, const Failure& unsent) {
  while (batch.answered < batch.sent) batch.answer(unknown);
  while (!batch.all_answered()) batch.answer(unsent);
}

}  // namespace billd::redis
