#include "net/api/operators/metrics.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <array>

namespace billd::api::operators {

using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

/// Writes the samples of one metric.
class MetricWriter {
 public:
  MetricWriter(std::string& out, std::string_view name) : out_(out), name_(name) {}

  void count(std::uint64_t value, Labels labels = {}) { line("", labels, std::to_string(value)); }
  void value(double value, Labels labels = {}) { line("", labels, fmt::format("{}", value)); }
  void seconds(Duration duration, Labels labels = {}) {
    value(std::chrono::duration<double>(duration).count(), labels);
  }

  void histogram(const Histogram& histogram, Labels labels = {}) {
    std::uint64_t below = 0;
    for (std::size_t i = 0; i < histogram.buckets().size(); ++i) {
      below += histogram.buckets()[i];
      const bool is_last = i == Histogram::bounds.size();
      line("_bucket", labels, std::to_string(below),
           is_last ? "+Inf" : fmt::format("{}", static_cast<double>(Histogram::bounds[i]) / 1'000'000));
    }
    line("_sum", labels, fmt::format("{}", std::chrono::duration<double>(histogram.sum()).count()));
    line("_count", labels, std::to_string(histogram.count()));
  }

 private:
  void line(std::string_view suffix, Labels labels, std::string_view value, std::string_view bound = {}) {
    out_.append(name_).append(suffix);
    char separator = '{';
    auto add = [&](std::string_view name, std::string_view text) {
      out_.push_back(std::exchange(separator, ','));
      out_.append(name).append("=\"");
      for (const char c : text) {
        if (c == '\\' || c == '"') out_.push_back('\\');
        if (c == '\n')
          out_.append("\\n");
        else
          out_.push_back(c);
      }
      out_.push_back('"');
    };
    for (const auto& [name, text] : labels) add(name, text);
    if (!bound.empty()) add("le", bound);
    if (separator == ',') out_.push_back('}');
    out_.append(" ").append(value).append("\n");
  }

  std::string& out_;
  std::string_view name_;
};

namespace {

using enum MetricKind;

using M = const Measurements&;
using W = MetricWriter&;

void each_queue(M all, W out, std::uint64_t (*number)(const QueueStatus&)) {
  for (const QueueStatus& queue : all.status.queues) out.count(number(queue), {{"queue", queue.name}});
}

void each_server(M all, W out, std::uint64_t (*number)(const http::ServerCounts&)) {
  for (const ServerMeasurements& server : all.servers) out.count(number(server.counts), {{"listener", server.name}});
}

std::uint64_t coming_days(M all, std::size_t days) {
  const auto& by_day = all.status.coming.by_day;
  std::uint64_t sum = 0;
  for (std::size_t day = 0; day < std::min(days, by_day.size()); ++day) sum += by_day[day];
  return sum;
}

// clang-format off
constexpr std::array table = {
    Metric{"billd_build_info", gauge, "Always 1; the labels say what runs.", "version, daemon",
           [](M all, W out) { out.count(1, {{"version", all.status.version}, {"daemon", all.status.daemon}}); }},
    Metric{"billd_ready", gauge, "Whether the daemon can serve (1) or not (0).", "",
           [](M all, W out) { out.count(all.is_ready ? 1 : 0); }},
    Metric{"billd_data_lost", gauge,
           "1 when Redis came back with less than it had acknowledged: money stands still.", "",
           [](M all, W out) { out.count(all.status.data_loss.empty() ? 0 : 1); }},
    Metric{"billd_clock_trusted", gauge, "0 when the clock cannot be trusted: money stands still.", "",
           [](M all, W out) { out.count(all.status.clock_is_trusted ? 1 : 0); }},
    Metric{"billd_work_stopped", gauge, "1 when nothing that is due is done, whatever stands in the way.", "",
           [](M all, W out) { out.count(all.status.obstacle.empty() ? 0 : 1); }},

    Metric{"billd_late_seconds", gauge, "For how long the oldest work has been due now, paused queues left out.", "",
           [](M all, W out) { out.seconds(all.status.lateness.now); }},
    Metric{"billd_lateness_seconds", histogram, "How late jobs were begun, by this daemon.", "",
           [](M all, W out) { out.histogram(all.lateness); }},
    Metric{"billd_job_duration_seconds", histogram, "How long jobs took, by this daemon.", "",
           [](M all, W out) { out.histogram(all.durations); }},
    Metric{"billd_queue_waiting", gauge, "Accounts in the queue, due or not, of all partitions.", "queue",
           [](M all, W out) { each_queue(all, out, [](const QueueStatus& queue) { return queue.waiting; }); }},
    Metric{"billd_queue_due", gauge, "Accounts in the queue that are due now, of all partitions.", "queue",
           [](M all, W out) { each_queue(all, out, [](const QueueStatus& queue) { return queue.due; }); }},
    Metric{"billd_queue_late", gauge, "Accounts in the queue that have been due for longer than a poll takes.", "queue",
           [](M all, W out) { each_queue(all, out, [](const QueueStatus& queue) { return queue.late; }); }},
    Metric{"billd_queue_in_flight", gauge, "Accounts that this daemon works on.", "queue",
           [](M all, W out) { each_queue(all, out, [](const QueueStatus& queue) { return queue.in_flight; }); }},
    Metric{"billd_queue_parked", gauge, "Accounts that wait for an operator, of all partitions.", "queue",
           [](M all, W out) { each_queue(all, out, [](const QueueStatus& queue) { return queue.parked; }); }},
    Metric{"billd_queue_paused", gauge, "Whether an operator paused the queue (1) or not (0).", "queue",
           [](M all, W out) {
             each_queue(all, out, [](const QueueStatus& queue) { return std::uint64_t{queue.pause ? 1U : 0U}; });
           }},
    Metric{"billd_queue_done_total", counter, "What was due in the queue and has been done, by this daemon.", "queue",
           [](M all, W out) {
             for (std::size_t i = 0; i < all.done_total.size() && i < all.status.queues.size(); ++i)
               out.count(all.done_total[i], {{"queue", all.status.queues[i].name}});
           }},
    Metric{"billd_coming_due", gauge,
           "Accounts that become due, counted from the beginning of this day (UTC).", "within",
           [](M all, W out) {
             out.count(coming_days(all, 1), {{"within", "1d"}});
             out.count(coming_days(all, 7), {{"within", "7d"}});
             out.count(coming_days(all, 31), {{"within", "31d"}});
           }},
    Metric{"billd_job_failures_total", counter, "Jobs that failed, by this daemon.", "queue, reason",
           [](M all, W out) {
             for (const FailureMeasurements& failure : all.failures)
               out.count(failure.count, {{"queue", failure.queue}, {"reason", failure.reason}});
           }},
    Metric{"billd_accounts_parked_total", counter, "Accounts that this daemon parked.", "",
           [](M all, W out) { out.count(all.parked); }},
    Metric{"billd_accounts_backing_off", gauge, "Accounts that failed and are tried again soon, by this daemon.", "",
           [](M all, W out) { out.count(all.status.backing_off); }},
    Metric{"billd_test_clocks_advancing", gauge, "Test clocks that this daemon advances.", "",
           [](M all, W out) { out.count(all.status.test_clocks_advancing); }},

    Metric{"billd_commands_total", counter, "Commands of the APIs that were carried out.", "",
           [](M all, W out) { out.count(all.commands); }},
    Metric{"billd_ticks_total", counter, "Steps of time that were carried out.", "",
           [](M all, W out) { out.count(all.ticks); }},
    Metric{"billd_commits_total", counter, "Commits of accounts.", "",
           [](M all, W out) { out.count(all.commits); }},
    Metric{"billd_commit_conflicts_total", counter,
           "Commits that another writer had forestalled; they are decided anew.",
           "", [](M all, W out) { out.count(all.conflicts); }},
    Metric{"billd_commits_stale_total", counter, "Commits refused because another daemon took the partition over.", "",
           [](M all, W out) { out.count(all.stale); }},

    Metric{"billd_gateway_charges_total", counter,
           "Charges sent or looked up, by what became of them.", "gateway, outcome",
           [](M all, W out) {
             for (const GatewayMeasurements& gateway : all.gateways)
               for (const auto& [outcome, count] : gateway.charges)
                 out.count(count, {{"gateway", gateway.name}, {"outcome", outcome}});
           }},
    Metric{"billd_gateway_refunds_total", counter, "Refunds sent or looked up, by what became of them.",
           "gateway, outcome",
           [](M all, W out) {
             for (const GatewayMeasurements& gateway : all.gateways)
               for (const auto& [outcome, count] : gateway.refunds)
                 out.count(count, {{"gateway", gateway.name}, {"outcome", outcome}});
           }},
    Metric{"billd_gateway_duration_seconds", histogram, "How long a gateway took to answer.", "gateway",
           [](M all, W out) {
             for (const GatewayMeasurements& gateway : all.gateways)
               out.histogram(gateway.durations, {{"gateway", gateway.name}});
           }},
    Metric{"billd_gateway_requests_total", counter, "Requests to a payment processor, by what became of them.",
           "gateway, outcome",
           [](M all, W out) {
             for (const auto& [name, peer] : all.peers) {
               out.count(peer.requests - peer.failures - peer.refused, {{"gateway", name}, {"outcome", "answered"}});
               out.count(peer.failures, {{"gateway", name}, {"outcome", "failed"}});
               out.count(peer.refused, {{"gateway", name}, {"outcome", "refused"}});
               out.count(peer.put_off, {{"gateway", name}, {"outcome", "put_off"}});
             }
           }},
    Metric{"billd_gateway_waiting", gauge, "Requests that wait for their turn at a payment processor.", "gateway",
           [](M all, W out) {
             for (const auto& [name, peer] : all.peers) out.count(peer.waiting, {{"gateway", name}});
           }},
    Metric{"billd_gateway_paused", gauge, "1 while a payment processor is left alone, for it does not answer usably.",
           "gateway",
           [](M all, W out) {
             for (const auto& [name, peer] : all.peers) out.count(peer.is_paused ? 1 : 0, {{"gateway", name}});
           }},

    Metric{"billd_webhooks_received_total", counter, "Webhooks that came in, by what became of them.", "outcome",
           [](M all, W out) {
             for (const auto& [outcome, count] : all.webhooks_in) out.count(count, {{"outcome", outcome}});
           }},

    Metric{"billd_webhooks_sent_total", counter, "Webhooks that go out, by what became of them.", "outcome",
           [](M all, W out) {
             for (const auto& [outcome, count] : all.webhooks_out) out.count(count, {{"outcome", outcome}});
           }},
    Metric{"billd_webhook_lateness_seconds", histogram,
           "From an event to its delivery, of those delivered at the first try.", "",
           [](M all, W out) { out.histogram(all.webhook_lateness); }},
    Metric{"billd_webhooks_waiting", gauge, "Events that failed and are tried again, in this daemon's partitions.", "",
           [](M all, W out) { out.count(all.status.deliveries.waiting); }},
    Metric{"billd_webhooks_paused", gauge, "1 while an operator has paused the delivery of webhooks.", "",
           [](M all, W out) { out.count(all.status.deliveries.is_paused ? 1 : 0); }},
    Metric{"billd_webhook_failing_seconds", gauge,
           "For how long the endpoint that fails the longest has taken nothing, in this daemon's partitions; 0: none "
           "fails.",
           "",
           [](M all, W out) {
             const auto& since = all.status.deliveries.failing_since;
             out.seconds(since ? std::max(all.status.now - *since, Duration(0)) : Duration(0));
           }},
    Metric{"billd_webhook_endpoints", gauge,
           "Webhook endpoints that are enabled; of them, those that take nothing in this daemon's partitions "
           "(failing); and those that billd has disabled for it.",
           "state",
           [](M all, W out) {
             out.count(all.status.deliveries.endpoints, {{"state", "enabled"}});
             out.count(all.status.deliveries.failing, {{"state", "failing"}});
             out.count(all.status.deliveries.disabled, {{"state", "disabled"}});
           }},
    Metric{"billd_webhook_endpoints_disabled_total", counter, "Endpoints that billd disabled, for they took nothing.",
           "",
           [](M all, W out) { out.count(all.webhook_endpoints_disabled); }},

    Metric{"billd_http_requests_total", counter, "Requests that were handed on.", "listener",
           [](M all, W out) { each_server(all, out, [](const auto& counts) { return counts.requests_total; }); }},
    Metric{"billd_http_answers_total", counter, "Answers, by status.", "listener, status",
           [](M all, W out) {
             for (const ServerMeasurements& server : all.servers)
               for (const auto& [status, count] : server.counts.answers_total)
                 out.count(count, {{"listener", server.name}, {"status", std::to_string(status)}});
           }},
    Metric{"billd_http_request_duration_seconds", histogram, "From the complete request to its answer.", "listener",
           [](M all, W out) {
             for (const ServerMeasurements& server : all.servers)
               out.histogram(server.counts.durations, {{"listener", server.name}});
           }},
    Metric{"billd_http_requests_refused_total", counter,
           "Requests that were refused before they were handed on.", "listener",
           [](M all, W out) {
             each_server(all, out, [](const auto& counts) { return counts.requests_refused_total; });
           }},
    Metric{"billd_http_requests_in_flight", gauge, "Requests that are being answered.", "listener",
           [](M all, W out) {
             each_server(all, out, [](const auto& counts) { return std::uint64_t{counts.requests_in_flight}; });
           }},
    Metric{"billd_http_connections", gauge, "Connections that are open.", "listener",
           [](M all, W out) {
             each_server(all, out, [](const auto& counts) { return std::uint64_t{counts.connections}; });
           }},
    Metric{"billd_http_connections_refused_total", counter, "Connections that a limit refused.", "listener",
           [](M all, W out) {
             each_server(all, out, [](const auto& counts) { return counts.connections_refused_total; });
           }},

    Metric{"billd_redis_connected", gauge, "Whether Redis answers (1) or not (0).", "",
           [](M all, W out) { out.count(all.status.redis.connected ? 1 : 0); }},
    Metric{"billd_redis_round_trip_seconds", histogram, "From a command to its reply, of all connections.", "",
           [](M all, W out) { out.histogram(all.redis.traffic.round_trips); }},
    Metric{"billd_redis_commands_total", counter, "Commands that were sent.", "",
           [](M all, W out) { out.count(all.redis.traffic.commands); }},
    Metric{"billd_redis_errors_total", counter, "Error replies.", "",
           [](M all, W out) { out.count(all.redis.traffic.error_replies); }},
    Metric{"billd_redis_timeouts_total", counter, "Connections that were given up for want of a reply.", "",
           [](M all, W out) { out.count(all.redis.traffic.timeouts); }},
    Metric{"billd_redis_connections_total", counter, "Connections that were made.", "",
           [](M all, W out) { out.count(all.redis.connections); }},
    Metric{"billd_redis_in_flight", gauge, "Commands without a reply yet.", "",
           [](M all, W out) { out.count(all.redis.in_flight); }},
    Metric{"billd_redis_sent_bytes_total", counter, "Names and arguments of commands.", "",
           [](M all, W out) { out.count(all.redis.traffic.bytes_sent); }},
    Metric{"billd_redis_received_bytes_total", counter, "Texts of replies.", "",
           [](M all, W out) { out.count(all.redis.traffic.bytes_received); }},
    Metric{"billd_redis_memory_bytes", gauge, "The memory that Redis uses.", "",
           [](M all, W out) { out.count(all.status.redis.memory_used); }},
    Metric{"billd_redis_memory_max_bytes", gauge, "The memory that Redis may use; 0: no limit is set.", "",
           [](M all, W out) { out.count(all.status.redis.memory_max); }},

    Metric{"billd_partitions", gauge, "Partitions of the data set.", "",
           [](M all, W out) { out.count(all.status.partitions.size()); }},
    Metric{"billd_partitions_held", gauge, "Partitions that this daemon works on.", "",
           [](M all, W out) { out.count(all.partitions_held); }},
    Metric{"billd_daemons_alive", gauge, "Daemons that are alive, as this one sees it.", "",
           [](M all, W out) { out.count(all.status.daemons.size()); }},

    Metric{"process_resident_memory_bytes", gauge, "Resident memory of the daemon.", "",
           [](M all, W out) { out.count(all.process.resident_bytes); }},
    Metric{"process_cpu_seconds_total", counter, "User and system time of the daemon.", "",
           [](M all, W out) { out.value(all.process.cpu_seconds); }},
    Metric{"process_open_fds", gauge, "Open file descriptors of the daemon.", "",
           [](M all, W out) { out.count(all.process.open_files); }},
    Metric{"process_max_fds", gauge, "Most file descriptors that the daemon may open.", "",
           [](M all, W out) { out.count(all.process.open_files_max); }},
    Metric{"process_start_time_seconds", gauge, "When the daemon began, in seconds since 1970.", "",
           [](M all, W out) { out.value(all.process.started_at); }},
};
// clang-format on

std::string_view to_text(MetricKind kind) {
  constexpr std::array<std::string_view, 3> names = {"counter", "gauge", "histogram"};
  return names[static_cast<std::size_t>(kind)];
}

}  // namespace

std::span<const Metric> metrics() { return table; }

std::string exposition(const Measurements& measurements) {
  std::string out;
  for (const Metric& metric : table) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", metric.name, metric.help, metric.name, to_text(metric.kind));
    MetricWriter writer(out, metric.name);
    metric.write(measurements, writer);
  }
  return out;
}

std::string metrics_documentation() {
  std::string out =
      "# Metrics\n\nWhat `GET /metrics` on the operators' listener answers, in the text format of Prometheus. `billd "
      "metrics` prints this page.\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n";
  for (const Metric& metric : table)
    out += fmt::format("| `{}` | {} | {} | {} |\n", metric.name, to_text(metric.kind), metric.labels, metric.help);
  return out;
}

}  // namespace billd::api::operators
