// What operators read in a terminal, what the doctor says, and what the watchdog makes of a daemon's progress.
#include <gmock/gmock.h>

#include <boost/json.hpp>

#include "commands/doctor.hpp"
#include "commands/service.hpp"
#include "commands/status_text.hpp"

namespace billd::commands {
namespace {

using redis::Severity;
using std::chrono::seconds;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// The watchdog.

jobs::SchedulerView with_due(std::size_t queue) {
  jobs::SchedulerView view;
  view.partitions = view.partitions_held = 4;
  view.queues[queue].due = 3;
  view.queues[queue].late = seconds(100);
  return view;
}

TEST(ProgressWatch, EndsAPatienceThatNothingExplains) {
  ProgressWatch watch(Milliseconds(60'000));
  const SteadyClock::time_point start(std::chrono::hours(1));
  jobs::SchedulerView view = with_due(0);
  EXPECT_TRUE(watch.sees_progress(view, true, start));
  EXPECT_TRUE(watch.sees_progress(view, true, start + seconds(60)));
  EXPECT_FALSE(watch.sees_progress(view, true, start + seconds(61)));
  view.queues[0].done = 1;
  EXPECT_TRUE(watch.sees_progress(view, true, start + seconds(62))) << "something was done";
}

TEST(ProgressWatch, WaitsForWhatARestartWouldNotHelp) {
  const SteadyClock::time_point start(std::chrono::hours(1));
  auto is_patient = [&](auto change, bool redis_answers = true) {
    jobs::SchedulerView view = with_due(0);
    change(view);
    ProgressWatch watch(Milliseconds(60'000));
    watch.sees_progress(view, redis_answers, start);
    return watch.sees_progress(view, redis_answers, start + seconds(1000));
  };
  EXPECT_FALSE(is_patient([](auto&) {}));
  EXPECT_TRUE(is_patient([](auto& view) { view.queues[0].pause = store::Pause(); })) << "an operator paused the queue";
  EXPECT_TRUE(is_patient([](auto& view) { view.obstacle = "the clock stepped"; }));
  EXPECT_TRUE(is_patient([](auto& view) { view.in_flight = 1; }));
  EXPECT_TRUE(is_patient([](auto& view) { view.backing_off = 1; }));
  EXPECT_TRUE(is_patient([](auto& view) { view.partitions_held = 3; }));
  EXPECT_TRUE(is_patient([](auto&) {}, false)) << "Redis is away";
  EXPECT_FALSE(is_patient([](auto& view) {
    view.queues[1].pause = store::Pause();
    view.queues[1].due = 5;
  })) << "another queue is paused";
}

TEST(StatusLine, CountsNothingLateThatIsPaused) {
  jobs::SchedulerView view = with_due(3);
  EXPECT_THAT(status_line(view, Milliseconds(1000)), HasSubstr("3 late, the oldest by"));
  view.queues[3].pause = store::Pause();
  EXPECT_THAT(status_line(view, Milliseconds(1000)),
              AllOf(HasSubstr("Nothing is late"), HasSubstr("paused: collection")));
}

// The doctor.

Diagnosis of(const std::vector<Diagnosis>& all, std::string_view subject) {
  for (const Diagnosis& each : all)
    if (each.subject.starts_with(subject)) return each;
  ADD_FAILURE() << "nothing is said of " << subject;
  return {};
}

Machine good_machine() {
  Machine machine;
  machine.open_files_max = 65'536;
  machine.connections_max = 2'000;
  machine.disk_free = 50'000'000'000;
  machine.disk_size = 100'000'000'000;
  machine.overcommit = "1";
  machine.huge_pages = "always [madvise] never";
  machine.is_clock_synchronised = true;
  machine.state_directory = "/var/lib/billd";
  return machine;
}

TEST(Doctor, FindsNothingWrongWithAGoodMachine) {
  for (const Diagnosis& each : diagnose(good_machine())) {
    EXPECT_EQ(each.severity, Severity::fine) << each.subject;
    EXPECT_THAT(each.remedy, IsEmpty()) << each.subject;
  }
}

TEST(Doctor, SaysWhatWillBreakAndWhatMendsIt) {
  const std::tuple<void (*)(Machine&), const char*, const char*> cases[] = {
      {[](Machine& machine) { machine.open_files_max = 1'024; }, "file descriptors", "ulimit -n 2128"},
      {[](Machine& machine) { machine.is_clock_synchronised = false; }, "the clock", "timedatectl set-ntp true"},
      {[](Machine& machine) { machine.disk_free = 1'000'000'000; }, "the disk", "df -h /var/lib/billd"},
      {[](Machine& machine) { machine.is_state_open_to_others = true; }, "the rights", "chmod o= /var/lib/billd"},
      {[](Machine& machine) { machine.overcommit = "0"; }, "vm.overcommit_memory", "sysctl vm.overcommit_memory=1"},
      {[](Machine& machine) { machine.huge_pages = "[always] madvise never"; }, "transparent", "madvise >"},
  };
  for (const auto& [change, subject, remedy] : cases) {
    Machine machine = good_machine();
    change(machine);
    const Diagnosis diagnosis = of(diagnose(machine), subject);
    EXPECT_EQ(diagnosis.severity, Severity::warn) << subject;
    EXPECT_THAT(diagnosis.remedy, HasSubstr(remedy));
    EXPECT_THAT(diagnosis.consequence, Not(IsEmpty()));
  }
}

TEST(Doctor, ReadsWhatRedisTells) {
  auto info = [](std::string lines) { return diagnose_redis("# Memory\r\n" + lines, std::nullopt); };
  EXPECT_EQ(of(info("used_memory:50\r\nmaxmemory:100\r\n"), "Redis' memory").severity, Severity::fine);
  EXPECT_EQ(of(info("used_memory:8000\r\nmaxmemory:10000\r\n"), "Redis' memory").severity, Severity::warn);
  EXPECT_EQ(of(info("used_memory:9500\r\nmaxmemory:10000\r\n"), "Redis' memory").severity, Severity::refuse);
  EXPECT_EQ(of(diagnose_redis("used_memory:60\nmaxmemory:0\n", 100), "Redis' memory").severity, Severity::warn);
  EXPECT_EQ(of(diagnose_redis("used_memory:40\nmaxmemory:0\n", 100), "Redis' memory").severity, Severity::fine);
  EXPECT_EQ(of(info("connected_clients:9\r\nmaxclients:10\r\n"), "connections to Redis").severity, Severity::warn);
  EXPECT_EQ(of(info("connected_clients:1\r\nevicted_keys:3\r\n"), "keys that Redis evicted").severity,
            Severity::refuse);
  const auto persistence = info("aof_last_bgrewrite_status:err\r\nlatest_fork_usec:900000\r\naof_delayed_fsync:2\r\n");
  for (const char* subject : {"the last rewrite", "the latest fork", "flushes that had to wait"})
    EXPECT_EQ(of(persistence, subject).severity, Severity::warn) << subject;
  EXPECT_THAT(info(""), IsEmpty()) << "what Redis does not tell is not judged";
}

TEST(Doctor, SaysWhatAWrongSettingLeadsTo) {
  const Diagnosis diagnosis =
      diagnose(redis::Finding{Severity::refuse, "appendfsync", "everysec", "always", "CONFIG SET appendfsync always"});
  EXPECT_THAT(diagnosis.consequence, HasSubstr("power cut"));
  EXPECT_EQ(diagnosis.remedy, "CONFIG SET appendfsync always");
}

// The screen.

boost::json::value some_status() {
  return boost::json::parse(R"({
    "daemon":"alpha","version":"1.2.3","now":1000000,"ready":true,"not_ready_because":null,"obstacle":null,
    "data_loss":null,"clean_in_seconds":90,
    "lateness":{"now_milliseconds":5000,"last_hour_milliseconds":6000,"last_day_milliseconds":7000,
                "day":[{"late_milliseconds":0},{"late_milliseconds":7000}]},
    "queues":[{"name":"renewal","waiting":1234567,"due":12,"late":12,"in_flight":3,"parked":2,"rate_per_minute":60,
               "lateness_milliseconds":5000,"paused":false}],
    "daemons":[{"name":"alpha","partitions":16}],"coming":{"by_hour":[1,0,8],"by_day":[0,2]},
    "parked":[{"queue":"renewal","reason":"corrupt","count":2,"first":999000,"last":999940,"mode":"live",
               "example":"abc"}],
    "failures":[]})");
}

TEST(StatusText, FillsAScreenAndNoMore) {
  const std::string screen = screen_text(some_status(), 100, 200);
  EXPECT_THAT(screen, AllOf(HasSubstr("12 accounts are late, the oldest by 5.0 s"), HasSubstr("1,234,567"),
                            HasSubstr("in about 1 min 30 s"), HasSubstr("alpha (16 partitions)"),
                            HasSubstr("last 1 min ago, such as abc, live")));
  const std::string small = screen_text(some_status(), 5, 20);
  EXPECT_EQ(std::ranges::count(small, '\n'), 5);
  for (std::size_t at = 0; at < small.size(); at = small.find('\n', at) + 1)
    EXPECT_LE(small.find('\n', at) - at, 20U + 24U) << "columns, and escape sequences besides";
}

TEST(StatusText, DrawsALineOfBars) {
  EXPECT_EQ(sparkline({0, 1, 4, 8}), " ▂▅█");
  EXPECT_EQ(sparkline({}), "");
  EXPECT_EQ(sparkline({0, 0}), "  ");
}

}  // namespace
}  // namespace billd::commands
