#include "commands/operator_client.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cstdlib>
#include <fstream>

namespace billd::commands {
namespace {

namespace json = boost::json;

/// An address that is listened on everywhere is reached on the loopback.
std::string url_of(const OperatorSettings& settings) {
  ListenAddress address = settings.listen;
  if (address.address == "0.0.0.0") address.address = "127.0.0.1";
  if (address.address == "::") address.address = "::1";
  // A certificate is for the name by which others come, if that is known.
  if (settings.tls.is_on() && !settings.host.empty())
    return "https://" + settings.host + ":" + std::to_string(address.port);
  return (settings.tls.is_on() ? "https://" : "http://") + to_text(address);
}

http::ClientSettings client_settings() {
  http::ClientSettings settings;
  settings.connect_limit = Milliseconds(3'000);
  settings.request_limit = Milliseconds(60'000);  // letting thousands of accounts back takes its time
  settings.response_bytes_max = 16 * 1024 * 1024;
  return settings;
}

std::string message_in(const http::Response& response) {
  boost::system::error_code ec;
  const json::value body = json::parse(response.body, ec);
  if (!ec)
    if (const auto* message = body.find_pointer("/error/message", ec); message != nullptr && message->is_string())
      return std::string(message->get_string());
  return "it answered " + std::to_string(response.status);
}

}  // namespace

OperatorClient::OperatorClient(Executor executor, const Settings& settings, const DaemonOptions& options)
    : url_(options.url.empty() ? url_of(settings.operators) : options.url), client_(executor, client_settings()) {
  while (url_.ends_with('/')) url_.pop_back();
  if (!options.token_file.empty()) {
    std::ifstream file(options.token_file);
    if (!std::getline(file, token_) || token_.empty())
      problem_ = "there is no token in " + options.token_file + ": its first line should be one";
  } else if (const char* token = std::getenv("BILLD_OPERATOR_TOKEN")) {
    token_ = token;
  }
}

awaitable<Result<json::value>> OperatorClient::get(std::string path) {
  http::ClientRequest request;
  request.url = url_ + path;
  co_return co_await ask(std::move(request));
}

awaitable<Result<json::value>> OperatorClient::post(std::string path, json::object body) {
  http::ClientRequest request;
  request.method = http::Method::post;
  request.url = url_ + path;
  request.headers.add("Content-Type", "application/json");
  request.body = json::serialize(body);
  co_return co_await ask(std::move(request));
}

awaitable<Result<json::value>> OperatorClient::ask(http::ClientRequest request) {
  if (!problem_.empty()) co_return Failure{Errc::bad_configuration, problem_};
  request.headers.add("Accept", "application/json");
  if (!token_.empty()) request.headers.add("Authorization", "Bearer " + token_);
  auto response = co_await client_.send(std::move(request));
  if (!response)
    co_return Failure{response.error().code,
                      "no daemon answers at " + url_ + " (" + response.error().detail +
                          "). Is it running? `systemctl status billd`. If it listens elsewhere, give --config or "
                          "--at URL"};
  if (response->status == 401)
    co_return Failure{Errc::unauthenticated,
                      message_in(*response) +
                          " Put it into BILLD_OPERATOR_TOKEN, or into a file for --token-file; make one with `billd "
                          "tokens create`"};
  if (response->status >= 400) co_return Failure{Errc::invalid_state, message_in(*response)};
  boost::system::error_code ec;
  json::value body = json::parse(response->body, ec);
  if (ec) co_return Failure{Errc::corrupt, "what answers at " + url_ + " is no billd: its answer is no JSON"};
  co_return body;
}

}  // namespace billd::commands
