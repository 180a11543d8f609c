// What the benchmarks need of the machine: directories that go away, CPU time of processes.
#pragma once

#include <sys/types.h>

#include <filesystem>

namespace billd::bench {

/// A fresh directory where the system keeps temporary files, removed with everything in it. TMPDIR says where; what is
/// measured there is the disk below it, so that it should be the kind of disk on which the data will lie.
class TemporaryDirectory {
 public:
  TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  ~TemporaryDirectory();

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// User and system time of all threads of the process until now, in seconds; 0 when there is no such process.
double cpu_seconds(pid_t process);

/// The most memory that the program of a running process has taken, in megabytes of 1024 KiB; 0 when there is none.
/// What wait4() tells counts from the fork on, with all that the parent held then.
double peak_megabytes(pid_t process);

}  // namespace billd::bench
