#include "net/webhooks/channel.hpp"

#include <algorithm>
#include <tuple>

namespace billd::webhooks {
namespace {

/// What an endpoint may ask for at most.
constexpr Milliseconds retry_after_max = std::chrono::hours(24);

bool is_behind(const store::EventPosition& event, const store::EventPosition& place) {
  return std::tie(event.milliseconds, event.sequence) > std::tie(place.milliseconds, place.sequence);
}

}  // namespace

Channel::Channel(const DeliveryRules& rules, store::EndpointDeliveries stored, store::EventPosition begin)
    : rules_(rules), waiting_(std::move(stored.waiting)) {
  if (stored.cursor) {
    cursor_ = std::move(*stored.cursor);
    stored_revision_ = cursor_.revision;
  } else {
    cursor_.place = begin;
  }
  for (const auto& [key, customer] : waiting_)
    has_long_line_ = has_long_line_ || customer.events.size() >= rules_.waiting_events_max;
}

std::size_t Channel::waiting_events() const {
  std::size_t count = 0;
  for (const auto& [key, customer] : waiting_) count += customer.events.size();
  return count;
}

/// When the customer is to be tried: by the schedule, or because the endpoint has worked since the last try.
Timestamp Channel::due_at(const store::WaitingCustomer& customer, Timestamp worked_at) const {
  if (worked_at <= customer.failed_at) return customer.next_at;
  return std::min(customer.next_at, customer.failed_at + rules_.recheck_after);
}

const store::WaitingCustomer* Channel::longest_untried() const {
  const auto found = std::ranges::min_element(
      waiting_, {}, [](const auto& entry) { return std::tie(entry.second.failed_at, entry.first); });
  return found == waiting_.end() ? nullptr : &found->second;
}

std::vector<AccountKey> Channel::due(Timestamp now, Timestamp worked_at, std::size_t limit) const {
  std::vector<std::pair<Timestamp, AccountKey>> due;
  const store::WaitingCustomer* probe = is_full() ? longest_untried() : nullptr;
  for (const auto& [key, customer] : waiting_) {
    Timestamp at = due_at(customer, worked_at);
    if (&customer == probe) at = std::min(at, customer.failed_at + rules_.recheck_after);
    if (at <= now) due.emplace_back(at, key);
  }
  std::ranges::sort(due);
  std::vector<AccountKey> keys;
  for (auto& [at, key] : due)
    if (keys.size() < limit) keys.push_back(std::move(key));
  return keys;
}

std::optional<Timestamp> Channel::next_due(Timestamp worked_at) const {
  std::optional<Timestamp> next;
  for (const auto& [key, customer] : waiting_) {
    const Timestamp at = due_at(customer, worked_at);
    if (!next || at < *next) next = at;
  }
  if (next && is_full()) next = std::min(*next, longest_untried()->failed_at + rules_.recheck_after);
  return next;
}

void Channel::add_behind(const AccountKey& key, const store::EventPosition& event) {
  auto& events = waiting_.at(key).events;
  if (std::ranges::find(events, event) != events.end()) return;
  events.push_back(event);
  has_long_line_ = has_long_line_ || events.size() >= rules_.waiting_events_max;
  dirty_[key] = true;
}

void Channel::delivered(const AccountKey& key, const store::EventPosition& event, Timestamp now) {
  cursor_.failing_since.reset();
  cursor_.delivered_at = std::max(cursor_.delivered_at.value_or(now), now);
  const auto found = waiting_.find(key);
  if (found == waiting_.end() || found->second.events.front() != event) return;
  drop_front(found->second, key, now);
}

void Channel::failed(const AccountKey& key, const store::EventPosition& event, const Receipt& receipt, Timestamp now,
                     std::uint64_t chance) {
  store::WaitingCustomer& customer = waiting_[key];
  dirty_[key] = true;
  if (customer.events.empty()) customer.events.push_back(event);
  const Duration rest = std::min(receipt.retry_after.value_or(Milliseconds(0)), retry_after_max);
  if (receipt.is_untried) {
    customer.next_at = std::max(customer.next_at, now + rest);
    return;
  }
  if (!cursor_.failing_since) cursor_.failing_since = now;
  const bool is_scheduled = customer.failures == 0 || customer.next_at <= now;
  customer.failed_at = now;
  customer.status = receipt.status;
  customer.problem = receipt.problem;
  if (is_scheduled) {
    if (customer.failures >= rules_.retry_schedule.size()) {
      given_up_.push_back({{}, event, key, customer.failures + 1, now, receipt.status, receipt.problem});
      const Milliseconds pause = rules_.retry_schedule.empty() ? Milliseconds(0) : rules_.retry_schedule.front();
      drop_front(customer, key, now + pause);
      return;
    }
    const Milliseconds wait = rules_.retry_schedule[customer.failures];
    const Duration longest = std::chrono::duration_cast<Duration>(wait) * rules_.retry_jitter / 100;
    const auto jitter = longest.count() == 0 ? 0 : chance % static_cast<std::uint64_t>(longest.count());
    ++customer.failures;
    customer.next_at = now + wait + Duration(static_cast<Duration::rep>(jitter));
  }
  customer.next_at = std::max(customer.next_at, now + rest);
}

void Channel::vanished(const AccountKey& key, const store::EventPosition& event) {
  const auto found = waiting_.find(key);
  if (found == waiting_.end() || found->second.events.front() != event) return;
  drop_front(found->second, key, found->second.next_at);
}

void Channel::drop_front(store::WaitingCustomer& customer, const AccountKey& key, Timestamp next_at) {
  dirty_[key] = true;
  const bool was_long = customer.events.size() >= rules_.waiting_events_max;
  customer.events.erase(customer.events.begin());
  customer.failures = 0;
  customer.next_at = next_at;
  if (customer.events.empty()) waiting_.erase(key);
  if (!was_long) return;
  has_long_line_ = std::ranges::any_of(
      waiting_, [this](const auto& entry) { return entry.second.events.size() >= rules_.waiting_events_max; });
}

void Channel::replay(const AccountKey& key, const store::EventPosition& event, Timestamp now) {
  if (is_behind(event, cursor_.place)) return;  // its turn is still to come
  store::WaitingCustomer& customer = waiting_[key];
  const auto place = std::ranges::lower_bound(customer.events, event);
  if (place != customer.events.end() && *place == event) {
    customer.next_at = now;
  } else if (place == customer.events.begin()) {
    customer.failures = 0;
    customer.next_at = now;
    customer.events.insert(place, event);
  } else {
    customer.events.insert(place, event);
  }
  dirty_[key] = true;
}

void Channel::replay_from(const store::EventPosition& place) {
  if (is_behind(cursor_.place, place)) move_to(place);
  // What waits behind the new place comes again by itself.
  for (auto each = waiting_.begin(); each != waiting_.end();) {
    store::WaitingCustomer& customer = each->second;
    const store::EventPosition first = customer.events.front();
    if (std::erase_if(customer.events, [&](const auto& event) { return is_behind(event, place); }) > 0)
      dirty_[each->first] = true;
    if (customer.events.empty()) {
      each = waiting_.erase(each);
      continue;
    }
    if (customer.events.front() != first) customer.failures = 0;
    ++each;
  }
  has_long_line_ = std::ranges::any_of(
      waiting_, [this](const auto& entry) { return entry.second.events.size() >= rules_.waiting_events_max; });
}

store::DeliveryWrite Channel::changes() const {
  store::DeliveryWrite write;
  write.revision_before = stored_revision_;
  write.cursor = cursor_;
  write.cursor->revision = stored_revision_ + 1;
  for (const auto& [key, is_dirty] : dirty_) {
    const auto found = waiting_.find(key);
    write.waiting.emplace(key, found == waiting_.end() ? std::nullopt : std::optional(found->second));
  }
  write.given_up = given_up_;
  return write;
}

void Channel::confirm() {
  cursor_.revision = ++stored_revision_;
  dirty_.clear();
  given_up_.clear();
}

}  // namespace billd::webhooks
