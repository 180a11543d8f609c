// Asking a running daemon on its operators' listener.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>

#include "commands/commands.hpp"
#include "config/settings.hpp"
#include "net/async.hpp"
#include "net/http/client.hpp"

namespace billd::commands {

/// Failures say what to do next.
class OperatorClient {
 public:
  OperatorClient(Executor executor, const Settings& settings, const DaemonOptions& options);

  awaitable<Result<boost::json::value>> get(std::string path);
  awaitable<Result<boost::json::value>> post(std::string path, boost::json::object body);

  const std::string& url() const { return url_; }

 private:
  awaitable<Result<boost::json::value>> ask(http::ClientRequest request);

  std::string url_, token_, problem_;
  http::Client client_;
};

}  // namespace billd::commands
