#include "net/redis/preflight.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <map>

namespace billd::redis {
namespace {

using Values = std::map<std::string, std::string, std::less<>>;

constexpr Milliseconds skew_to_warn(500);
constexpr Milliseconds skew_to_refuse(30'000);

/// A setting with one right value: what `CONFIG GET` calls it, what INFO calls it if it does, and how it is mended.
struct Requirement {
  std::string_view setting;
  std::string_view in_info;
  std::string_view expected;
  Severity otherwise;
  std::string_view advice;
};

constexpr Requirement requirements[] = {
    {"appendonly", "aof_enabled", "yes", Severity::refuse,
     "CONFIG SET appendonly yes, then CONFIG REWRITE (an edited redis.conf and a restart would lose the data)"},
    {"appendfsync", "", "always", Severity::refuse, "CONFIG SET appendfsync always, then CONFIG REWRITE"},
    {"no-appendfsync-on-rewrite", "", "no", Severity::refuse,
     "CONFIG SET no-appendfsync-on-rewrite no, then CONFIG REWRITE"},
    {"maxmemory-policy", "maxmemory_policy", "noeviction", Severity::refuse,
     "CONFIG SET maxmemory-policy noeviction, then CONFIG REWRITE"},
};

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// INFO's "name:value" lines.
Values parse_info(std::string_view text) {
  Values values;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find("\r\n"), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 2, text.size()));
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos) values.emplace(line.substr(0, colon), line.substr(colon + 1));
  }
  return values;
}

std::string value_of(const Values& values, std::string_view name) {
  const auto found = values.find(name);
  return found == values.end() ? std::string() : found->second;
}

class Inspection {
 public:
  Inspection(Values config, Values info) : config_(std::move(config)), info_(std::move(info)) {}

  std::vector<Finding> findings() {
    check_version();
    check_role();
    for (const Requirement& requirement : requirements) check(requirement);
    check_last_write();
    check_replicas();
    check_listpacks();
    return std::move(findings_);
  }

 private:
  void add(Severity severity, std::string_view setting, std::string value, std::string_view expected,
           std::string_view advice) {
    findings_.push_back({severity, std::string(setting), std::move(value), std::string(expected),
                         severity == Severity::fine ? std::string() : std::string(advice)});
  }

  void check_version() {
    const std::string version = value_of(info_, "redis_version");
    if (version.empty()) return not_checked("redis_version", "at least 7.0", "+info");
    const std::optional<std::int64_t> major = number(std::string_view(version).substr(0, version.find('.')));
    add(major && *major >= 7 ? Severity::fine : Severity::refuse, "redis_version", version, "at least 7.0",
        "install Redis 7.0 or later: billd needs its functions");
  }

  void check_role() {
    const std::string role = value_of(info_, "role");
    if (role.empty()) return not_checked("role", "master", "+info");
    add(role == "master" ? Severity::fine : Severity::refuse, "role", role, "master",
        "give billd the address of the master, " + value_of(info_, "master_host") + ":" +
            value_of(info_, "master_port") + "; or, if this server is to be one: REPLICAOF NO ONE");
  }

  void check(const Requirement& requirement) {
    std::string value = value_of(config_, requirement.setting);
    if (value.empty() && !requirement.in_info.empty()) {
      value = value_of(info_, requirement.in_info);
      if (requirement.setting == "appendonly" && !value.empty()) value = value == "1" ? "yes" : "no";
    }
    if (value.empty()) return not_checked(requirement.setting, requirement.expected, "+config|get");
    add(value == requirement.expected ? Severity::fine : requirement.otherwise, requirement.setting, value,
        requirement.expected, requirement.advice);
  }

  void check_last_write() {
    const std::string status = value_of(info_, "aof_last_write_status");
    if (status.empty()) return not_checked("aof_last_write_status", "ok", "+info");
    add(status == "ok" ? Severity::fine : Severity::refuse, "aof_last_write_status", status, "ok",
        "make room on the disk of Redis, and see its log; it goes on by itself");
  }

  void check_replicas() {
    const std::optional<std::int64_t> replicas = number(value_of(info_, "connected_slaves"));
    if (!replicas || *replicas == 0) return;
    const std::optional<std::int64_t> to_write = number(value_of(config_, "min-replicas-to-write"));
    const std::optional<std::int64_t> lag = number(value_of(config_, "min-replicas-max-lag"));
    if (!to_write || !lag) return not_checked("min-replicas-to-write", "at least 1", "+config|get");
    add(*to_write >= 1 ? Severity::fine : Severity::refuse, "min-replicas-to-write", std::to_string(*to_write),
        "at least 1, with replicas", "CONFIG SET min-replicas-to-write 1, then CONFIG REWRITE");
    add(*lag >= 1 && *lag <= 10 ? Severity::fine : Severity::refuse, "min-replicas-max-lag", std::to_string(*lag),
        "1 to 10, with replicas", "CONFIG SET min-replicas-max-lag 10, then CONFIG REWRITE");
  }

  void check_listpacks() {
    const std::string value = value_of(config_, "hash-max-listpack-value");
    const std::optional<std::int64_t> bytes = number(value);
    if (!bytes) return not_checked("hash-max-listpack-value", "at least 2048", "+config|get");
    add(*bytes >= 2048 ? Severity::fine : Severity::warn, "hash-max-listpack-value", value, "at least 2048",
        "CONFIG SET hash-max-listpack-value 2048, then CONFIG REWRITE: accounts take less memory");
  }

  void not_checked(std::string_view setting, std::string_view expected, std::string_view permission) {
    add(Severity::warn, setting, {}, expected,
        "billd may not look; see for yourself, or let it: ACL SETUSER <its user> " + std::string(permission));
  }

  Values config_, info_;
  std::vector<Finding> findings_;
};

awaitable<Result<Finding>> check_clock(Client& client) {
  using std::chrono::system_clock;
  const auto before = system_clock::now();
  auto reply = co_await client.execute(Command("TIME"));
  const auto after = system_clock::now();
  Finding finding{Severity::warn, "clock skew", {}, "at most " + std::to_string(skew_to_warn.count()) + " ms", {}};
  if (!reply && classify(reply.error().detail).code == Errc::bad_configuration) {
    finding.advice = "billd may not look; let it: ACL SETUSER <its user> +time";
    co_return finding;
  }
  if (!reply) co_return reply.error();
  if (!reply->is_array() || reply->elements().size() != 2)
    co_return Failure{Errc::corrupt, "TIME was not answered with two numbers"};
  const std::optional<std::int64_t> seconds = number(reply->elements()[0].text());
  const std::optional<std::int64_t> microseconds = number(reply->elements()[1].text());
  if (!seconds || !microseconds) co_return Failure{Errc::corrupt, "TIME was not answered with two numbers"};
  const auto theirs = std::chrono::seconds(*seconds) + std::chrono::microseconds(*microseconds);
  const auto half = (after - before) / 2;
  // The reply was made at some instant between the two: what lies within is no skew.
  const auto apart = theirs - (before + half).time_since_epoch();
  const auto skew = std::chrono::duration_cast<Milliseconds>(
      std::max(system_clock::duration::zero(), std::chrono::duration_cast<system_clock::duration>(abs(apart)) - half));
  finding.value = std::to_string(skew.count()) + " ms";
  finding.severity = skew > skew_to_refuse ? Severity::refuse : skew > skew_to_warn ? Severity::warn : Severity::fine;
  if (finding.severity != Severity::fine)
    finding.advice = std::string("synchronise the clocks of both machines (NTP); that of Redis is ") +
                     (apart.count() > 0 ? "ahead" : "behind");
  co_return finding;
}

}  // namespace

std::string_view name(Severity severity) {
  switch (severity) {
    case Severity::fine:
      return "fine";
    case Severity::warn:
      return "warn";
    case Severity::refuse:
      return "refuse";
  }
  return "unknown";
}

std::string Finding::text() const {
  std::string line = setting + (value.empty() ? " could not be checked" : " is " + value);
  if (severity != Severity::fine) line += ", should be " + expected + ": " + advice;
  return line;
}

Severity Preflight::worst() const {
  Severity worst = Severity::fine;
  for (const Finding& finding : findings) worst = std::max(worst, finding.severity);
  return worst;
}

awaitable<Result<Preflight>> preflight(Client& client) {
  std::vector<Command> commands;
  commands.emplace_back("INFO");
  for (const Requirement& requirement : requirements) commands.emplace_back("CONFIG", "GET", requirement.setting);
  for (const char* setting : {"min-replicas-to-write", "min-replicas-max-lag", "hash-max-listpack-value"})
    commands.emplace_back("CONFIG", "GET", setting);
  auto replies = co_await client.execute_all(std::move(commands));

  Values config, info;
  for (const Result<Reply>& reply : replies) {
    if (!reply) {
      // What Redis refuses to tell is reported as not checked; only silence is a failure.
      const Errc code = reply.error().code;
      if (is_transient(code)) co_return reply.error();
    } else if (reply->is_text()) {
      info = parse_info(reply->text());
    } else if (reply->is_array() && reply->elements().size() == 2) {
      config.emplace(reply->elements()[0].text(), reply->elements()[1].text());
    }
  }
  Preflight result;
  result.findings = Inspection(std::move(config), std::move(info)).findings();
  auto clock = co_await check_clock(client);
  if (!clock) co_return clock.error();
  result.findings.push_back(std::move(*clock));
  co_return result;
}

}  // namespace billd::redis
