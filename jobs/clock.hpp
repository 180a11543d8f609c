// The one clock: what time it is, whether that can be trusted, and the time in which a test clock's customers live.
#pragma once

#include <optional>
#include <string>

#include "engine/calendar.hpp"
#include "engine/catalog.hpp"
#include "net/async.hpp"
#include "net/store/store.hpp"

namespace billd::jobs {

/// Real time as the system's clock tells it, trusted or not: for commands, which move no money.
Timestamp system_now();

/// Tells real time, in UTC. Limits and waits are not its matter: they are measured by SteadyClock.
class Clock {
 public:
  virtual ~Clock() = default;

  virtual Timestamp now() const = 0;

  /// Why no money may move by this clock, for people; empty: it is trusted.
  virtual std::string distrust() const = 0;
};

struct ClockLimits {
  /// What the system's clock may gain or lose at once against steady time; more is a step.
  Duration step_max = std::chrono::seconds(2);
  /// How far it may be from Redis' clock.
  Duration skew_max = std::chrono::seconds(5);
  /// How long it has to run evenly after a step, in agreement with Redis' clock, until its new time is believed. A step
  /// back to the time that was expected is believed at once.
  Duration settling = std::chrono::minutes(1);
};

/// The judgement on a clock, from readings alone.
class ClockTrust {
 public:
  explicit ClockTrust(ClockLimits limits) : limits_(limits) {}

  /// The system's clock, read together with the time since the machine started, which never steps.
  void read(Timestamp system, Duration since_start);

  /// Redis' clock, asked for at `before` and known at `after`, both by the system's clock.
  void compare(Timestamp server, Timestamp before, Timestamp after);

  /// Why the clock is not trusted; empty: it is.
  std::string reason() const;

 private:
  ClockLimits limits_;
  std::optional<Timestamp> origin_;          ///< what the system's clock would have shown when the machine started
  std::optional<Timestamp> stepped_origin_;  ///< the same after a step that is not believed yet
  Duration stepped_at_{0};
  Duration skew_{0};
  bool before_billd_ = false;
};

/// The machine's clock. Small steps back are smoothed: now() stands still until it is past them.
class SystemClock final : public Clock {
 public:
  explicit SystemClock(ClockLimits limits = ClockLimits()) : limits_(limits), trust_(limits) {}

  Timestamp now() const override;
  std::string distrust() const override;

  /// See ClockTrust::compare.
  void compare(Timestamp server, Timestamp before, Timestamp after);

 private:
  ClockLimits limits_;
  mutable ClockTrust trust_;
  mutable Timestamp latest_;
};

/// A clock that tests set.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Timestamp now) : now_(now) {}

  Timestamp now() const override { return now_; }
  std::string distrust() const override { return distrust_; }

  void set(Timestamp now) { now_ = now; }
  void advance(Duration by) { now_ += by; }
  void set_distrust(std::string why) { distrust_ = std::move(why); }

 private:
  Timestamp now_;
  std::string distrust_;
};

/// Compares the clock with Redis' once a second, until it is cancelled.
awaitable<> watch_clock(SystemClock& clock, store::Store& store);

/// What a test clock's customers take for now: its frozen second, with a fraction that grows with the real time since
/// the clock was made and never reaches the next second. Objects made one after the other keep their order; all daemons
/// agree on it; billing looks at whole seconds only.
Timestamp account_time(const TestClock& clock, Timestamp real_now);

/// The last instant of the second at which the clock will stand: what is due until then is due on it.
Timestamp end_of_second(Timestamp frozen_time);

}  // namespace billd::jobs
