// Looking at what a daemon would depend on, before it does.
#include <algorithm>
#include <boost/json.hpp>
#include <cstdio>
#include <iterator>

#include "commands/commands.hpp"
#include "commands/configuration_checks.hpp"
#include "commands/operator_client.hpp"
#include "commands/session.hpp"
#include "net/redis/preflight.hpp"

namespace billd::commands {
namespace {

using redis::Finding;
using redis::Severity;

void append(Findings& all, Findings more) { std::ranges::move(more, std::back_inserter(all)); }

/// Whether a daemon with these settings runs: it answers on its operators' listener, be it to say that it wants a
/// token.
awaitable<bool> is_running(Executor executor, const Settings& settings) {
  if (settings.operators.listen.port == 0) co_return false;
  OperatorClient client(executor, settings, DaemonOptions());
  auto answer = co_await client.get("/status.json");
  if (!answer) co_return answer.error().code == Errc::unauthenticated;
  co_return answer->is_object() && answer->as_object().contains("data_set");
}

/// Durability, clock, and what else Redis says of itself; or that it does not answer.
awaitable<Findings> check_redis(Session& session, const Settings& settings) {
  const std::string address = to_text(settings.redis.address);
  auto opened = co_await session.open();
  Result<redis::Preflight> preflight = redis::Preflight();
  if (opened)
    preflight = co_await redis::preflight(session.client());
  else
    preflight = opened.error();
  if (preflight) {
    Findings findings = std::move(preflight->findings);
    for (Finding& finding : findings)
      if (finding.severity == Severity::refuse && settings.redis.allow_unsafe_durability) {
        finding.severity = Severity::warn;
        finding.advice += "; redis.allow_unsafe_durability lets it be";
      }
    co_return findings;
  }
  // There is nothing to be wrong with yet.
  const bool is_embedded = settings.redis.address.kind == RedisAddress::Kind::embedded;
  if (is_embedded && preflight.error().code == Errc::not_found)
    co_return Findings{{Severity::fine, "redis.address", address + ", to be made at the first start", {}, {}}};
  co_return Findings{
      {Severity::refuse, "redis.address", address, "a Redis that answers",
       preflight.error().detail + (is_embedded ? "" : "; redis-cli -u redis://... PING shows the same")}};
}

void print_text(const Findings& findings, Severity worst) {
  for (const Finding& finding : findings) {
    std::string severity(redis::name(finding.severity));
    severity.resize(8, ' ');
    std::printf("%s%s\n", severity.c_str(), finding.text().c_str());
  }
  std::printf("\n%s\n", worst == Severity::fine ? "The configuration is good."
                        : worst == Severity::warn
                            ? "billd starts with it, but somebody should look at the warnings."
                            : "Mend what is refused: until then no money should be entrusted to it.");
}

void print_json(const Findings& findings, Severity worst) {
  boost::json::array list;
  for (const Finding& finding : findings)
    list.push_back({{"severity", redis::name(finding.severity)},
                    {"setting", finding.setting},
                    {"value", finding.value},
                    {"expected", finding.expected},
                    {"advice", finding.advice}});
  boost::json::object report;
  report["refuses"] = worst == Severity::refuse;
  report["findings"] = std::move(list);
  std::printf("%s\n", boost::json::serialize(report).c_str());
}

awaitable<Result<int>> check(Executor executor, const Settings& settings, const CheckOptions& options) {
  Findings findings = check_gateways(settings);
  append(findings, check_files(settings, options.file, process_environment()));
  append(findings,
         check_certificates(settings, std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())));
  const bool runs = co_await is_running(executor, settings);
  append(findings, check_listeners(settings, runs));
  Session session(executor, settings);
  Findings of_redis = co_await check_redis(session, settings);
  co_await session.close();
  append(findings, std::move(of_redis));
  Severity worst = Severity::fine;
  for (const Finding& finding : findings) worst = std::max(worst, finding.severity);
  if (options.json)
    print_json(findings, worst);
  else
    print_text(findings, worst);
  co_return worst == Severity::refuse ? 1 : 0;
}

}  // namespace

int check_configuration(const Settings& settings, const CheckOptions& options) {
  return run([&](Executor executor) { return check(executor, settings, options); });
}

}  // namespace billd::commands
