// Objects outside any account: plans and test clocks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/account.hpp"

namespace billd {

/// What can be subscribed to. Amount, currency and recurrence never change after creation.
struct Plan {
  PlanId id;
  Timestamp created;
  ProductId product;
  std::string product_name;  ///< for people, on invoices
  std::string nickname;
  Money unit_amount;
  Recurrence recurrence;
  std::int32_t trial_period_days = 0;
  bool active = true;  ///< an inactive plan takes no new subscriptions
  Metadata metadata;
  bool deleted = false;  ///< kept, because invoices show their plan for ever

  Price price() const { return {id, product, nickname, unit_amount, recurrence}; }

  bool operator==(const Plan&) const = default;
};

enum class TestClockStatus : std::uint8_t { ready, advancing };

/// A clock of its own for test customers: time stands still until it is advanced.
/// Source: https://docs.stripe.com/api/test_clocks.
struct TestClock {
  TestClockId id;
  std::string name;
  Timestamp created;      ///< real time
  Timestamp frozen_time;  ///< what its customers take for now
  TestClockStatus status = TestClockStatus::ready;
  Timestamp advancing_to;   ///< while advancing: the frozen_time to be
  Timestamp deletes_after;  ///< real time; 30 days after creation

  bool operator==(const TestClock&) const = default;
};

}  // namespace billd
