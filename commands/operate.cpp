// `billd queues`, and what operators do from a terminal: retry, park, unpark, pause, resume.
#include <pwd.h>
#include <unistd.h>

#include <boost/json/serialize.hpp>
#include <cstdio>
#include <iostream>

#include "commands/commands.hpp"
#include "commands/operator_client.hpp"
#include "commands/session.hpp"
#include "commands/status_text.hpp"
#include "net/http/text.hpp"

namespace billd::commands {
namespace {

namespace json = boost::json;

void print(const json::value& value) { std::printf("%s\n", json::serialize(value).c_str()); }

/// Who sits at the terminal, also behind sudo.
std::string user_name() {
  if (const char* user = std::getenv("SUDO_USER"); user != nullptr && *user != '\0') return user;
  const passwd* entry = getpwuid(getuid());
  return entry != nullptr ? entry->pw_name : "user " + std::to_string(getuid());
}

std::uint64_t parked_matching(const json::value& status, const OperateOptions& options) {
  std::uint64_t count = 0;
  for (const json::value& group : status.at("parked").as_array())
    if ((options.queue.empty() || group.at("queue").as_string() == options.queue) &&
        (options.reason.empty() || group.at("reason").as_string() == options.reason))
      count += group.at("count").to_number<std::uint64_t>();
  return count;
}

/// What is done to many is asked for once more.
Result<void> confirm(std::uint64_t accounts, const OperateOptions& options) {
  if (options.yes) return Result<void>();
  const std::string many = std::to_string(accounts) + (accounts == 1 ? " account" : " accounts");
  if (isatty(STDIN_FILENO) != 1)
    return Failure{Errc::invalid_state, "this would " + options.action + " " + many + ": repeat it with --yes"};
  std::fprintf(stderr, "%s %s? [y/N] ", options.action == "retry" ? "Retry" : "Unpark", many.c_str());
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "y" || answer == "Y" || answer == "yes") return Result<void>();
  return Failure{Errc::invalid_state, "nothing was done"};
}

awaitable<Result<int>> operate_on(OperatorClient& client, OperateOptions options) {
  const bool is_of_many = (options.action == "retry" || options.action == "unpark") && options.account.empty();
  if (is_of_many && !options.all && options.queue.empty() && options.reason.empty())
    co_return Failure{
        Errc::missing_parameter,
        "say which: an account, --queue NAME, --reason TEXT, or --all; `billd queues` shows what is parked"};
  if (is_of_many) {
    auto status = co_await client.get("/status.json");
    if (!status) co_return status.error();
    const std::uint64_t accounts = parked_matching(*status, options);
    if (accounts == 0)
      co_return Failure{Errc::not_found, "no parked account matches; `billd queues` shows what is parked"};
    auto confirmed = confirm(accounts, options);
    if (!confirmed) co_return confirmed.error();
  }
  json::object body;
  body["action"] = options.action;
  for (const auto& [name, value] :
       {std::pair("account", &options.account), std::pair("mode", &options.mode), std::pair("queue", &options.queue),
        std::pair("reason", &options.reason), std::pair("why", &options.why)})
    if (!value->empty()) body[name] = *value;
  body["by"] = options.by.empty() ? user_name() : options.by;
  auto done = co_await client.post("/status/act", std::move(body));
  if (!done) co_return done.error();
  const std::int64_t failed = done->at("failed").as_int64();
  if (options.json) {
    print(*done);
  } else {
    std::printf("%s\n", std::string(done->at("text").as_string()).c_str());
    std::fprintf(stderr, "It is entry %lld of the audit log.\n",
                 static_cast<long long>(done->at("entry").at("number").as_int64()));
  }
  co_return failed == 0 ? 0 : 1;
}

awaitable<Result<int>> list_queues(OperatorClient& client, QueuesOptions options) {
  if (!options.queue.empty()) {
    auto queue = co_await client.get("/status/queues/" + http::percent_encoded(options.queue));
    if (!queue) co_return queue.error();
    if (options.json)
      print(*queue);
    else
      std::printf("%s", queue_text(*queue).c_str());
    co_return 0;
  }
  auto status = co_await client.get("/status.json");
  if (!status) co_return status.error();
  if (options.json) {
    json::object shown;
    for (const char* name : {"queues", "parked", "failures"}) shown[name] = status->at(name);
    print(std::move(shown));
  } else {
    std::printf("%s\n%s", queues_text(*status, false).c_str(), troubles_text(*status).c_str());
  }
  co_return 0;
}

awaitable<Result<int>> run_queues(Executor executor, const Settings& settings, const QueuesOptions& options) {
  OperatorClient client(executor, settings, options.daemon);
  co_return co_await list_queues(client, options);
}

awaitable<Result<int>> run_operate(Executor executor, const Settings& settings, const OperateOptions& options) {
  OperatorClient client(executor, settings, options.daemon);
  co_return co_await operate_on(client, options);
}

}  // namespace

int show_queues(const Settings& settings, const QueuesOptions& options) {
  return run([&](Executor executor) { return run_queues(executor, settings, options); });
}

int operate(const Settings& settings, const OperateOptions& options) {
  return run([&](Executor executor) { return run_operate(executor, settings, options); });
}

}  // namespace billd::commands
