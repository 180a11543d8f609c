#include "net/api/operators/measurements.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>

namespace billd::api::operators {
namespace {

using std::chrono::duration;
using std::chrono::system_clock;

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

/// When this process began: the earliest that anybody asked for it, which main's first parts do.
const system_clock::time_point began_at = system_clock::now();

}  // namespace

ProcessMeasurements measure_process() {
  ProcessMeasurements process;
  std::uint64_t pages = 0, resident_pages = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident_pages;
  process.resident_bytes = resident_pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  std::error_code error;
  for (std::filesystem::directory_iterator files("/proc/self/fd", error), end; !error && files != end;
       files.increment(error))
    ++process.open_files;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) process.open_files_max = limit.rlim_cur;
  rusage used{};
  if (getrusage(RUSAGE_SELF, &used) == 0) process.cpu_seconds = seconds_of(used.ru_utime) + seconds_of(used.ru_stime);
  process.started_at = duration<double>(began_at.time_since_epoch()).count();
  return process;
}

}  // namespace billd::api::operators
