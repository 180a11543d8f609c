// `billd doctor`.
#include "commands/doctor.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <cstdio>
#include <fstream>
#include <map>

#include "commands/commands.hpp"
#include "commands/session.hpp"
#include "net/store/pauses.hpp"

namespace billd::commands {
namespace {

using redis::Severity;

/// What a Redis with the wrong setting does to billd.
struct Consequence {
  std::string_view setting, text;
};

constexpr Consequence consequences[] = {
    {"appendonly", "Redis forgets everything that was acknowledged when it is restarted."},
    {"appendfsync", "A power cut loses up to seconds of what was acknowledged: charges may be made twice."},
    {"no-appendfsync-on-rewrite", "While Redis rewrites its file, a power cut loses what was acknowledged."},
    {"maxmemory-policy", "When memory is full, Redis silently deletes customers and invoices."},
    {"aof_last_write_status", "Redis could not write its file: it refuses writes, and no money moves."},
    {"redis_version", "billd does not start: its commits are Redis functions."},
    {"role", "Writes are refused, or are lost when the real master takes over."},
    {"min-replicas-to-write", "After a failover, acknowledged commits may be gone."},
    {"min-replicas-max-lag", "After a failover, acknowledged commits may be gone."},
    {"hash-max-listpack-value", "Accounts take two to three times the memory."},
    {"clock skew", "Renewals come too early or too late; beyond half a minute money stands still."},
};

constexpr std::uint64_t files_beside_connections = 128;

class Chart {
 public:
  void fine(std::string subject, std::string value) {
    all_.push_back({Severity::fine, std::move(subject), std::move(value), {}, {}});
  }
  void wrong(Severity severity, std::string subject, std::string value, std::string consequence, std::string remedy) {
    all_.push_back({severity, std::move(subject), std::move(value), std::move(consequence), std::move(remedy)});
  }
  void judge(bool is_fine, std::string subject, std::string value, std::string consequence, std::string remedy) {
    if (is_fine) return fine(std::move(subject), std::move(value));
    wrong(Severity::warn, std::move(subject), std::move(value), std::move(consequence), std::move(remedy));
  }
  std::vector<Diagnosis> take() { return std::move(all_); }

 private:
  std::vector<Diagnosis> all_;
};

std::string megabytes(std::uint64_t bytes) { return std::to_string(bytes / 1'000'000) + " MB"; }

std::optional<std::string> first_line(const char* file) {
  std::ifstream stream(file);
  std::string line;
  if (!std::getline(stream, line)) return std::nullopt;
  return line;
}

class Info {
 public:
  explicit Info(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = std::min(text.find('\n'), text.size());
      std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (line.ends_with('\r')) line.remove_suffix(1);
      const std::size_t colon = line.find(':');
      if (colon != std::string_view::npos) values_.emplace(line.substr(0, colon), line.substr(colon + 1));
    }
  }
  std::string text(std::string_view name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::string() : std::string(found->second);
  }
  std::uint64_t number(std::string_view name) const {
    std::uint64_t value = 0;
    const std::string word = text(name);
    std::from_chars(word.data(), word.data() + word.size(), value);
    return value;
  }
  bool has(std::string_view name) const { return values_.contains(name); }

 private:
  std::map<std::string_view, std::string_view, std::less<>> values_;
};

void judge_memory(Chart& chart, const Info& info, const std::optional<std::uint64_t>& memory) {
  const std::uint64_t used = info.number("used_memory"), max = info.number("maxmemory");
  if (max > 0) {
    const std::string value = megabytes(used) + " of maxmemory " + megabytes(max);
    const std::string full = "When it is full, Redis refuses writes: no customer can be made and no money moves.";
    const std::string remedy = "CONFIG SET maxmemory " + std::to_string(max * 2) + ", then CONFIG REWRITE";
    if (used >= max / 100 * 95) return chart.wrong(Severity::refuse, "Redis' memory", value, full, remedy);
    return chart.judge(used < max / 100 * 80, "Redis' memory", value, full, remedy);
  }
  if (!memory) return chart.fine("Redis' memory", megabytes(used) + ", without a limit");
  chart.judge(used < *memory / 2, "Redis' memory", megabytes(used) + " of the machine's " + megabytes(*memory),
              "While it rewrites its file, Redis may need twice its memory: the kernel ends it for want of memory.",
              "Give the machine more memory, or move Redis to one that has it");
}

void judge_persistence(Chart& chart, const Info& info) {
  chart.judge(info.text("aof_last_bgrewrite_status") != "err", "the last rewrite of the append-only file",
              info.text("aof_last_bgrewrite_status"), "The file grows without end until the disk is full.",
              "See Redis' log for the reason, then: redis-cli BGREWRITEAOF");
  const std::uint64_t fork = info.number("latest_fork_usec");
  chart.judge(fork < 500'000, "the latest fork of Redis", std::to_string(fork / 1'000) + " ms",
              "All requests wait that long at each rewrite of the append-only file.",
              "echo never > /sys/kernel/mm/transparent_hugepage/enabled; a smaller data set per Redis");
  const std::uint64_t delayed = info.number("aof_delayed_fsync");
  chart.judge(delayed == 0, "flushes that had to wait", std::to_string(delayed),
              "The disk is too slow for what is written: renewals become late.",
              "Put Redis' directory on a disk with power-loss protection");
}

void judge_clients(Chart& chart, const Info& info) {
  const std::uint64_t clients = info.number("connected_clients"), max = info.number("maxclients");
  if (max > 0)
    chart.judge(clients < max / 10 * 8, "connections to Redis", std::to_string(clients) + " of " + std::to_string(max),
                "A daemon that reconnects is refused.", "CONFIG SET maxclients " + std::to_string(max * 2));
  const std::uint64_t evicted = info.number("evicted_keys");
  if (evicted == 0) return chart.fine("keys that Redis evicted", "0");
  chart.wrong(Severity::refuse, "keys that Redis evicted", std::to_string(evicted),
              "Customers, invoices or timers are gone.",
              "CONFIG SET maxmemory-policy noeviction, then `billd verify`, and restore what it finds missing");
}

std::string list_of(const std::vector<store::Pause>& pauses) {
  std::string names;
  for (const store::Pause& pause : pauses) names += (names.empty() ? "" : ", ") + std::string(to_text(pause.queue));
  return names;
}

/// What the data says.
awaitable<Result<void>> judge_data(Session& session, Chart& chart) {
  const std::string loss = session.store().data_loss();
  if (loss.empty())
    chart.fine("what Redis acknowledged", "is all there");
  else
    chart.wrong(Severity::refuse, "what Redis acknowledged", loss, "Money stands still.",
                "Compare with the gateway, then: billd verify --accept-data-loss, and restart the daemon");
  auto pauses = co_await store::paused_queues(session.store());
  if (!pauses) co_return pauses.error();
  chart.judge(pauses->empty(), "paused queues", pauses->empty() ? "none" : list_of(*pauses),
              "Nothing of what waits there is done.",
              pauses->empty() ? "" : "billd resume " + std::string(to_text(pauses->front().queue)) + " --why ...");
  auto deliveries = co_await store::paused_deliveries(session.store());
  if (!deliveries) co_return deliveries.error();
  const std::string name(store::deliveries_name);
  chart.judge(!deliveries->has_value(), "delivery of webhooks", deliveries->has_value() ? "paused" : "not paused",
              "Nobody is told of anything.", deliveries->has_value() ? "billd resume " + name + " --why ..." : "");
  std::uint64_t parked = 0;
  for (std::uint32_t partition = 0; partition < session.store().partitions(); ++partition) {
    auto groups = co_await session.store().parked_groups(partition);
    if (!groups) co_return groups.error();
    for (const auto& group : *groups) parked += group.count;
  }
  chart.judge(parked == 0, "parked accounts", std::to_string(parked), "Nothing that is due of them is done.",
              "billd queues, then: billd retry --all --why ...");
  co_return Result<void>();
}

/// The median of some round trips.
awaitable<Result<void>> judge_round_trip(Session& session, Chart& chart) {
  std::vector<std::chrono::microseconds> took;
  for (int i = 0; i < 21; ++i) {
    const auto began_at = SteadyClock::now();
    redis::Command ping("PING");
    auto reply = co_await session.client().execute(std::move(ping));
    if (!reply) co_return reply.error();
    took.push_back(std::chrono::duration_cast<std::chrono::microseconds>(SteadyClock::now() - began_at));
  }
  std::ranges::sort(took);
  const auto median = took[took.size() / 2];
  chart.judge(median < std::chrono::milliseconds(5), "a round trip to Redis", std::to_string(median.count()) + " µs",
              "Each commit takes that long: what is due becomes late under load.",
              "Run billd and Redis in one place; redis-cli --latency shows what the way takes");
  co_return Result<void>();
}

std::string describe(const Diagnosis& diagnosis) {
  std::string text = std::string(redis::name(diagnosis.severity));
  text.resize(8, ' ');
  text += diagnosis.subject + ": " + (diagnosis.value.empty() ? "not known" : diagnosis.value) + "\n";
  if (!diagnosis.consequence.empty()) text += "          " + diagnosis.consequence + "\n";
  if (!diagnosis.remedy.empty()) text += "          Mend it: " + diagnosis.remedy + "\n";
  return text;
}

void print(const std::vector<Diagnosis>& all, bool json, Severity worst) {
  if (json) {
    boost::json::array findings;
    for (const Diagnosis& each : all)
      findings.push_back(boost::json::object{{"severity", redis::name(each.severity)},
                                             {"subject", each.subject},
                                             {"value", each.value},
                                             {"consequence", each.consequence},
                                             {"remedy", each.remedy}});
    boost::json::object report;
    report["worst"] = redis::name(worst);
    report["findings"] = std::move(findings);
    std::printf("%s\n", boost::json::serialize(report).c_str());
    return;
  }
  for (const Diagnosis& each : all) std::printf("%s", describe(each).c_str());
  std::printf("\n%s\n", worst == Severity::fine   ? "Nothing will break that billd can see."
                        : worst == Severity::warn ? "It works, but somebody should look at the warnings."
                                                  : "No money should be entrusted to this before it is mended.");
}

awaitable<Result<int>> examine(Session& session, const Settings& settings, bool json) {
  const bool has_redis = settings.redis.address.kind != RedisAddress::Kind::tcp;
  const Machine machine =
      look_at_machine(settings.state_directory, std::uint64_t{settings.http.connections_max} * 2, has_redis);
  std::vector<Diagnosis> all;
  auto preflight = co_await redis::preflight(session.client());
  if (!preflight) co_return preflight.error();
  for (const redis::Finding& finding : preflight->findings) all.push_back(diagnose(finding));
  redis::Command ask("INFO", "everything");
  auto info = co_await session.client().execute(std::move(ask));
  if (info && info->is_text()) std::ranges::move(diagnose_redis(info->text(), machine.memory), std::back_inserter(all));
  Chart chart;
  auto judged = co_await judge_round_trip(session, chart);
  if (!judged) co_return judged.error();
  judged = co_await judge_data(session, chart);
  if (!judged) co_return judged.error();
  std::ranges::move(chart.take(), std::back_inserter(all));
  std::ranges::move(diagnose(machine), std::back_inserter(all));
  Severity worst = Severity::fine;
  for (const Diagnosis& each : all) worst = std::max(worst, each.severity);
  print(all, json, worst);
  co_return worst == Severity::refuse ? 1 : 0;
}

}  // namespace

Machine look_at_machine(const std::string& state_directory, std::uint64_t connections_max, bool has_redis) {
  Machine machine;
  machine.connections_max = connections_max;
  machine.state_directory = state_directory;
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) machine.open_files_max = files.rlim_cur;
  struct statvfs disk{};
  if (statvfs(state_directory.c_str(), &disk) == 0) {
    machine.disk_free = std::uint64_t{disk.f_bavail} * disk.f_frsize;
    machine.disk_size = std::uint64_t{disk.f_blocks} * disk.f_frsize;
  }
  struct stat status{};
  if (stat(state_directory.c_str(), &status) == 0) machine.is_state_open_to_others = (status.st_mode & S_IRWXO) != 0;
  timex clock{};
  const int state = adjtimex(&clock);
  if (state != -1) machine.is_clock_synchronised = state != TIME_ERROR && (clock.status & STA_UNSYNC) == 0;
  if (!has_redis) return machine;
  machine.memory =
      static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  machine.overcommit = first_line("/proc/sys/vm/overcommit_memory");
  machine.huge_pages = first_line("/sys/kernel/mm/transparent_hugepage/enabled");
  return machine;
}

std::vector<Diagnosis> diagnose(const Machine& machine) {
  Chart chart;
  const std::uint64_t files_wanted = machine.connections_max + files_beside_connections;
  chart.judge(
      machine.open_files_max >= files_wanted, "file descriptors",
      std::to_string(machine.open_files_max) + ", of which connections may take " +
          std::to_string(machine.connections_max),
      "New connections are refused before http.connections_max is reached.",
      "ulimit -n " + std::to_string(files_wanted) + "; in the unit: LimitNOFILE=" + std::to_string(files_wanted));
  if (machine.is_clock_synchronised)
    chart.judge(*machine.is_clock_synchronised, "the clock",
                *machine.is_clock_synchronised ? "synchronised" : "not synchronised",
                "It drifts: renewals come too early or too late, and daemons disagree.", "timedatectl set-ntp true");
  if (machine.disk_free && machine.disk_size)
    chart.judge(*machine.disk_free > *machine.disk_size / 10, "the disk of " + machine.state_directory,
                megabytes(*machine.disk_free) + " free of " + megabytes(*machine.disk_size),
                "When it is full, the embedded Redis ends, and no money moves.",
                "df -h " + machine.state_directory + ", and make room");
  chart.judge(!machine.is_state_open_to_others, "the rights of " + machine.state_directory,
              machine.is_state_open_to_others ? "others may look in" : "others are kept out",
              "Whoever has an account on this machine can read the data.", "chmod o= " + machine.state_directory);
  if (machine.overcommit)
    chart.judge(*machine.overcommit == "1", "vm.overcommit_memory", *machine.overcommit,
                "Redis may not be able to fork to rewrite its file, which then grows until the disk is full.",
                "sysctl vm.overcommit_memory=1, and the same in /etc/sysctl.d/");
  if (machine.huge_pages)
    chart.judge(machine.huge_pages->find("[always]") == std::string::npos, "transparent huge pages",
                *machine.huge_pages, "Redis stalls and takes more memory while it rewrites its file.",
                "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
  return chart.take();
}

std::vector<Diagnosis> diagnose_redis(std::string_view info, const std::optional<std::uint64_t>& memory) {
  Chart chart;
  const Info values(info);
  if (values.has("used_memory")) judge_memory(chart, values, memory);
  if (values.has("aof_last_bgrewrite_status")) judge_persistence(chart, values);
  if (values.has("connected_clients")) judge_clients(chart, values);
  return chart.take();
}

Diagnosis diagnose(const redis::Finding& finding) {
  Diagnosis diagnosis{finding.severity, finding.setting, finding.value, {}, {}};
  if (finding.severity == Severity::fine) return diagnosis;
  for (const Consequence& consequence : consequences)
    if (consequence.setting == finding.setting) diagnosis.consequence = consequence.text;
  diagnosis.remedy = finding.advice;
  return diagnosis;
}

int doctor(const Settings& settings, bool json) {
  return run_with_session(settings, [&](Session& session) { return examine(session, settings, json); });
}

}  // namespace billd::commands
