// Looking at what a daemon would depend on, before it does.
#include <boost/json.hpp>
#include <cstdio>

#include "commands/commands.hpp"
#include "commands/session.hpp"
#include "net/redis/preflight.hpp"

namespace billd::commands {
namespace {

void print_text(const Settings& settings, const redis::Preflight& preflight) {
  std::printf("The configuration can be read. Redis: %s\n", to_text(settings.redis.address).c_str());
  for (const redis::Finding& finding : preflight.findings)
    std::printf("%-7s %s\n", std::string(redis::name(finding.severity)).c_str(), finding.text().c_str());
}

void print_json(const redis::Preflight& preflight) {
  boost::json::array findings;
  for (const redis::Finding& finding : preflight.findings)
    findings.push_back({{"severity", redis::name(finding.severity)},
                        {"setting", finding.setting},
                        {"value", finding.value},
                        {"expected", finding.expected},
                        {"advice", finding.advice}});
  boost::json::object report;
  report["refuses"] = preflight.refuses();
  report["findings"] = std::move(findings);
  std::printf("%s\n", boost::json::serialize(report).c_str());
}

awaitable<Result<int>> check(const Settings& settings, bool json, Session& session) {
  auto preflight = co_await redis::preflight(session.client());
  if (!preflight) co_return preflight.error();
  if (json)
    print_json(*preflight);
  else
    print_text(settings, *preflight);
  co_return preflight->refuses() ? 1 : 0;
}

}  // namespace

int check_configuration(const Settings& settings, bool json) {
  return run_with_session(settings, [&](Session& session) { return check(settings, json, session); });
}

}  // namespace billd::commands
