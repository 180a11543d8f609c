#include "jobs/clock.hpp"

#include <time.h>

#include <algorithm>
#include <cmath>

namespace billd::jobs {
namespace {

/// No clock that is right shows less.
constexpr Timestamp billd_was_written = from_unix(1704067200);  // 2024-01-01

Duration magnitude(Duration duration) { return duration < Duration(0) ? -duration : duration; }

std::string in_seconds(Duration duration) {
  const auto milliseconds = std::chrono::round<Milliseconds>(duration).count();
  const auto whole = std::to_string(std::abs(milliseconds) / 1000),
             rest = std::to_string(std::abs(milliseconds) % 1000);
  return (milliseconds < 0 ? "-" : "+") + whole + "." + std::string(3 - rest.size(), '0') + rest + " s";
}

/// Since the machine started, the time in which it slept included: waking up is no step of the clock.
Duration since_start() {
  timespec time{};
  clock_gettime(CLOCK_BOOTTIME, &time);
  return std::chrono::duration_cast<Duration>(std::chrono::seconds(time.tv_sec) +
                                              std::chrono::nanoseconds(time.tv_nsec));
}

}  // namespace

Timestamp system_now() { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); }

void ClockTrust::read(Timestamp system, Duration since_start) {
  before_billd_ = system < billd_was_written;
  const Timestamp origin = system - since_start;
  if (!origin_ || magnitude(origin - *origin_) <= limits_.step_max) {
    origin_ = origin;  // follows a clock that is adjusted little by little
    stepped_origin_.reset();
    return;
  }
  if (!stepped_origin_ || magnitude(origin - *stepped_origin_) > limits_.step_max) stepped_at_ = since_start;
  stepped_origin_ = origin;
  const bool agrees = magnitude(skew_) <= limits_.skew_max;
  if (!agrees || since_start - stepped_at_ < limits_.settling) return;
  origin_ = origin;
  stepped_origin_.reset();
}

void ClockTrust::compare(Timestamp server, Timestamp before, Timestamp after) {
  if (after < before || after - before > limits_.skew_max) return;  // a slow answer says too little
  skew_ = before + (after - before) / 2 - server;
}

std::string ClockTrust::reason() const {
  if (before_billd_) return "the clock shows a time before 2024";
  if (stepped_origin_) return "the clock stepped by " + in_seconds(*stepped_origin_ - *origin_);
  if (magnitude(skew_) > limits_.skew_max) return "the clock is " + in_seconds(skew_) + " off Redis' clock";
  return {};
}

Timestamp SystemClock::now() const {
  const Timestamp time = system_now();
  if (time < latest_ && latest_ - time <= limits_.step_max) return latest_;
  latest_ = time;
  return time;
}

std::string SystemClock::distrust() const {
  trust_.read(system_now(), since_start());
  return trust_.reason();
}

void SystemClock::compare(Timestamp server, Timestamp before, Timestamp after) {
  trust_.compare(server, before, after);
}

awaitable<> watch_clock(SystemClock& clock, store::Store& store) {
  for (;;) {
    const Timestamp before = system_now();
    const auto server = co_await store.server_time();
    if (server) clock.compare(*server, before, system_now());
    const bool goes_on = co_await sleep_for(std::chrono::seconds(1));
    if (!goes_on) co_return;
  }
}

Timestamp account_time(const TestClock& clock, Timestamp real_now) {
  // The logarithm gives what follows closely on the making of the clock the finest resolution: some microseconds for
  // each millisecond of the first minutes, and still a growing fraction after the month that a clock lives.
  const Duration life = std::chrono::days(31), unit = std::chrono::milliseconds(1);
  const Duration age = std::clamp(real_now - clock.created, Duration(0), life);
  auto logarithm = [unit](Duration of) {
    return std::log1p(static_cast<double>(of.count()) / static_cast<double>(unit.count()));
  };
  const double fraction = logarithm(age) / logarithm(life) * 999'999.0;
  return whole_second(clock.frozen_time) + Duration(static_cast<Duration::rep>(fraction));
}

Timestamp end_of_second(Timestamp frozen_time) { return whole_second(frozen_time) + Duration(999'999); }

}  // namespace billd::jobs
