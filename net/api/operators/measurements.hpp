// What the metrics are made of.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "net/api/operators/view.hpp"
#include "net/gateways/gateway.hpp"
#include "net/histogram.hpp"
#include "net/http/server.hpp"
#include "net/redis/client.hpp"

namespace billd::api::operators {

/// How often something had that outcome.
struct CountedOutcome {
  std::string_view outcome;
  std::uint64_t count = 0;
};

struct GatewayMeasurements {
  std::string name;
  std::vector<CountedOutcome> charges, refunds;  ///< look-ups included
  Histogram durations;                           ///< of its answers, look-ups included
};

struct ServerMeasurements {
  std::string name;  ///< "api", "operators"
  http::ServerCounts counts;
};

/// Of jobs that failed, by queue and reason.
struct FailureMeasurements {
  std::string queue, reason;
  std::uint64_t count = 0;
};

struct ProcessMeasurements {
  std::uint64_t resident_bytes = 0, open_files = 0, open_files_max = 0;
  double cpu_seconds = 0, started_at = 0;  ///< the latter in seconds since 1970
};

struct Measurements {
  Status status;
  bool is_ready = false;
  std::vector<std::uint64_t> done_total;  ///< by queue, since the process began
  std::vector<FailureMeasurements> failures;
  Histogram lateness, durations;
  std::uint64_t commands = 0, ticks = 0, commits = 0, conflicts = 0, stale = 0, parked = 0;
  std::vector<GatewayMeasurements> gateways;
  std::vector<std::pair<std::string, gateways::PeerStatistics>> peers;  ///< gateways that are reached through HTTP
  std::vector<CountedOutcome> webhooks_in;
  std::vector<CountedOutcome> webhooks_out;      ///< tries
  std::uint64_t webhook_endpoints_disabled = 0;  ///< by billd itself
  Histogram webhook_lateness;
  std::vector<ServerMeasurements> servers;
  redis::State redis;
  std::uint32_t partitions_held = 0;
  ProcessMeasurements process;
};

/// Of this process, from /proc.
ProcessMeasurements measure_process();

}  // namespace billd::api::operators
