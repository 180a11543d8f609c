// The data of a daemon, for commands: running or stopped, embedded or elsewhere.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "config/settings.hpp"
#include "net/async.hpp"
#include "net/redis/client.hpp"
#include "net/redis/embedded.hpp"
#include "net/store/catalog.hpp"
#include "net/store/store.hpp"

namespace billd::commands {

/// Where the configured Redis is.
redis::Address redis_address(const Settings& settings);
redis::ClientSettings client_settings(const Settings& settings);
redis::EmbeddedSettings embedded_settings(const Settings& settings);
store::StoreSettings store_settings(const Settings& settings);

/// Opens the data beside a running daemon. The embedded Redis of a stopped one is started for as long as the session
/// lasts and stopped again with it.
class Session {
 public:
  Session(Executor executor, const Settings& settings);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  awaitable<Result<void>> open();
  awaitable<> close();

  redis::Client& client() { return *client_; }
  store::Store& store() { return *store_; }
  store::Catalog& catalog() { return *catalog_; }

 private:
  Executor executor_;
  const Settings& settings_;
  std::unique_ptr<redis::EmbeddedServer> embedded_;
  std::unique_ptr<redis::Client> client_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<store::Catalog> catalog_;
};

/// Runs a command's coroutine on a loop of its own; its result is the process' exit status. A Failure is printed on the
/// standard error stream and makes 1.
int run(std::function<awaitable<Result<int>>(Executor)> command);

/// The same with an open session.
int run_with_session(const Settings& settings, std::function<awaitable<Result<int>>(Session&)> command);

}  // namespace billd::commands
