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

}  // namespace billd::bench
