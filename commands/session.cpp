// Opening and closing a command's session.
#include "commands/session.hpp"

#include <pwd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <filesystem>

#include "net/log.hpp"

namespace billd::commands {
namespace {

/// Connections for the work on accounts. More of them make Redis flush its file less often under load, up to about
/// here; each costs a buffer and a place in its poll.
constexpr std::size_t lanes = 8;

/// Whether somebody listens on the Unix socket: a daemon's embedded Redis is running.
bool is_listening(const std::string& path) {
  sockaddr_un address{};
  if (path.size() >= sizeof address.sun_path) return false;
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  redis::UniqueDescriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const void* generic = &address;
  return socket && ::connect(socket.get(), static_cast<const sockaddr*>(generic), sizeof address) == 0;
}

/// What a Redis writes that somebody else than the daemon's user starts, root for one, the daemon could not use.
Result<void> check_owner(const std::string& directory) {
  struct stat status{};
  if (::stat(directory.c_str(), &status) != 0 || status.st_uid == ::geteuid()) return {};
  const passwd* owner = ::getpwuid(status.st_uid);
  const std::string name = owner != nullptr ? owner->pw_name : "#" + std::to_string(status.st_uid);
  return Failure{Errc::bad_configuration, "the data in " + directory + " belongs to the user " + name +
                                              ", and no daemon runs there: do this as that user (sudo -u " + name +
                                              " billd ...), or start the daemon first"};
}

}  // namespace

redis::Address redis_address(const Settings& settings) {
  redis::Address address;
  switch (settings.redis.address.kind) {
    case RedisAddress::Kind::embedded:
      address.socket = embedded_redis_socket(settings);
      return address;
    case RedisAddress::Kind::unix_socket:
      address.socket = settings.redis.address.path;
      break;
    case RedisAddress::Kind::tcp:
      address.host = settings.redis.address.host;
      address.port = settings.redis.address.port;
      break;
  }
  address.username = settings.redis.username;
  address.password = settings.redis.password.reveal();
  address.database = static_cast<int>(settings.redis.database);
  return address;
}

redis::ClientSettings client_settings(const Settings& settings) {
  redis::ClientSettings client;
  client.connect_timeout = settings.redis.connect_timeout;
  client.reply_timeout = settings.redis.reply_timeout;
  client.in_flight_max = settings.redis.commands_in_flight_max;
  client.lanes = lanes;
  return client;
}

namespace {

/// The installed program has a name of its own for the server, which need not be Debian's service; elsewhere it is in
/// PATH.
std::string redis_server_program() {
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::filesystem::path installed = self.parent_path().parent_path() / "libexec/billd/redis-server";
  return !error && std::filesystem::exists(installed, error) ? installed.string() : "redis-server";
}

}  // namespace

redis::EmbeddedSettings embedded_settings(const Settings& settings) {
  redis::EmbeddedSettings embedded;
  embedded.program = redis_server_program();
  embedded.directory = std::filesystem::path(embedded_redis_socket(settings)).parent_path();
  return embedded;
}

store::StoreSettings store_settings(const Settings& settings) {
  store::StoreSettings store;
  store.partitions = settings.partitions;
  store.batch_max = settings.jobs.batch_max;
  store.event_retention = settings.billing.event_retention;
  store.idempotency_retention = settings.billing.idempotency_retention;
  return store;
}

Session::Session(Executor executor, const Settings& settings) : executor_(executor), settings_(settings) {}
Session::~Session() = default;

awaitable<Result<void>> Session::open() {
  const redis::Address address = redis_address(settings_);
  if (settings_.redis.address.kind == RedisAddress::Kind::embedded && !is_listening(address.socket)) {
    if (!std::filesystem::exists(settings_.state_directory))
      co_return Failure{Errc::not_found, "there is no data in " + settings_.state_directory +
                                             ": name the daemon's state directory with --state-dir"};
    auto owned = check_owner(settings_.state_directory);
    if (!owned) co_return owned.error();
    embedded_ = std::make_unique<redis::EmbeddedServer>(executor_, embedded_settings(settings_));
    auto started = co_await embedded_->start();
    if (!started) co_return started.error();
  }
  client_ = std::make_unique<redis::Client>(executor_, address, client_settings(settings_));
  store_ = std::make_unique<store::Store>(executor_, *client_, store_settings(settings_));
  client_->on_connected([this](redis::Connection& connection) { return store_->prepare(connection); });
  client_->start();
  auto ready = co_await client_->ready(settings_.redis.connect_timeout + settings_.redis.reply_timeout);
  if (!ready) co_return ready.error();
  catalog_ = std::make_unique<store::Catalog>(executor_, *client_, *store_, address);
  co_return co_await catalog_->start();
}

awaitable<> Session::close() {
  if (catalog_) co_await catalog_->stop();
  if (client_) co_await client_->stop();
  if (embedded_) co_await embedded_->stop();
}

int run(std::function<awaitable<Result<int>>(Executor)> command) {
  // The standard output is for the result.
  log::configure(LogSettings{LogLevel::warning, LogFormat::automatic});
  asio::io_context loop(1);
  int status = 1;
  auto work = [&]() -> awaitable<> {
    auto result = co_await command(loop.get_executor());
    if (result)
      status = *result;
    else
      std::fprintf(stderr, "billd: %s\n", result.error().detail.c_str());
  };
  Tasks tasks(loop.get_executor());
  tasks.spawn("command", work());
  loop.run();
  return status;
}

int run_with_session(const Settings& settings, std::function<awaitable<Result<int>>(Session&)> command) {
  return run([&](Executor executor) -> awaitable<Result<int>> {
    Session session(executor, settings);
    auto opened = co_await session.open();
    if (!opened) {
      co_await session.close();
      co_return opened.error();
    }
    auto result = co_await command(session);
    co_await session.close();
    co_return result;
  });
}

}  // namespace billd::commands
