// The benchmarks that main.cpp starts besides commands::benchmark_renewals. Each returns the process' exit status.
#pragma once

#include <cstdint>

namespace billd::bench {

struct HttpOptions {
  std::uint32_t seconds = 5;  ///< for each of the two measurements
  bool json = false;
};
/// Reads and creates customers through the API of a daemon of its own.
int measure_http(const HttpOptions& options);

struct StatusOptions {
  std::uint32_t queued = 1'000'000;  ///< accounts that wait
  std::uint32_t due = 100'000;       ///< of them: due when the daemon starts
  std::uint32_t seconds = 10;        ///< of the measurement when nothing is due any more
  bool json = false;
};
/// How quickly the operators' listener answers while a backlog drains, and with many accounts waiting.
int measure_status(const StatusOptions& options);

struct SearchOptions {
  std::uint32_t customers = 100'000;
  std::uint32_t searches = 300;  ///< of each kind
  bool json = false;
};
/// Searches customers by each filter of the Management API, and by some together.
int measure_search(const SearchOptions& options);

struct ForecastOptions {
  std::uint32_t customers = 100'000;
  std::uint32_t days = 365;
  bool json = false;
};
/// A forecast of the whole book, each customer of which pays every month: its time and its memory.
int measure_forecast(const ForecastOptions& options);

}  // namespace billd::bench
