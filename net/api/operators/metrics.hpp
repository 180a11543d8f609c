// The metrics: one table that makes what /metrics answers and their documentation.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "net/api/operators/measurements.hpp"

namespace billd::api::operators {

enum class MetricKind : std::uint8_t { counter, gauge, histogram };

class MetricWriter;

struct Metric {
  std::string_view name;
  MetricKind kind;
  std::string_view help;    ///< a sentence, with the unit where the name does not say it
  std::string_view labels;  ///< "queue, reason"; empty: none
  void (*write)(const Measurements&, MetricWriter&);
};

std::span<const Metric> metrics();

/// The text format of Prometheus, version 0.0.4.
std::string exposition(const Measurements& measurements);

/// A Markdown table of all metrics: config/monitoring/metrics.md.
std::string metrics_documentation();

}  // namespace billd::api::operators
