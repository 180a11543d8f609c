// An endpoint's way through the events of one partition, as a state machine: what is to be tried when, and what becomes
// of it. Knows neither sockets nor clocks.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "net/store/deliveries.hpp"

namespace billd::webhooks {

struct DeliveryRules {
  /// The waits before each further try of an event, counted from the try before. After the last the event is given up.
  std::vector<Milliseconds> retry_schedule;
  /// By how much a wait may be longer, in percent of it, so that not all come back at once.
  std::uint32_t retry_jitter = 10;
  /// While other deliveries to the endpoint succeed, a customer who waits is tried this long after the last try, too,
  /// which counts for nothing: so that an endpoint that is back gets everything soon. A channel that is full tries one
  /// customer as often.
  Milliseconds recheck_after = std::chrono::minutes(10);
  /// With so many waiting customers nothing new is begun with: an endpoint that is down costs no more than this.
  std::size_t waiting_customers_max = 100;
  /// So many events of one customer wait at most; then nothing new is begun with either.
  std::size_t waiting_events_max = 1000;
};

/// What came of a try.
struct Receipt {
  bool is_delivered = false;
  bool is_untried = false;                  ///< nothing was sent: the endpoint rests, or billd stops; no failure
  bool is_gone = false;                     ///< the endpoint wants nothing any more: 410
  std::uint16_t status = 0;                 ///< of the answer; 0: there was none
  std::string problem;                      ///< for people
  std::optional<Milliseconds> retry_after;  ///< the endpoint wants to be left alone for so long
};

class Channel {
 public:
  Channel(const DeliveryRules& rules, store::EndpointDeliveries stored, store::EventPosition begin);

  const store::EventPosition& place() const { return cursor_.place; }
  const store::DeliveryCursor& cursor() const { return cursor_; }
  const std::map<AccountKey, store::WaitingCustomer>& waiting() const { return waiting_; }
  bool is_waiting(const AccountKey& key) const { return waiting_.contains(key); }
  std::size_t waiting_events() const;

  /// Whether nothing new may be begun with.
  bool is_full() const { return waiting_.size() >= rules_.waiting_customers_max || has_long_line_; }

  /// The customers to be tried now, the one that is due for the longest first. `worked_at`: when the endpoint took
  /// something last, from whichever channel.
  std::vector<AccountKey> due(Timestamp now, Timestamp worked_at, std::size_t limit) const;
  /// When the next one is to be tried; empty: nobody waits.
  std::optional<Timestamp> next_due(Timestamp worked_at) const;

  /// An event of a customer who waits is to come after what waits already.
  void add_behind(const AccountKey& key, const store::EventPosition& event);
  void delivered(const AccountKey& key, const store::EventPosition& event, Timestamp now);
  /// `chance`: any number; it decides the jitter. An event that was tried before its time keeps its place in the
  /// schedule.
  void failed(const AccountKey& key, const store::EventPosition& event, const Receipt& receipt, Timestamp now,
              std::uint64_t chance);
  /// The event is no longer stored: it cannot be delivered any more.
  void vanished(const AccountKey& key, const store::EventPosition& event);
  /// All up to there is delivered, unwanted, or waits.
  void move_to(const store::EventPosition& place) {
    cursor_.place = {place.partition, place.milliseconds, place.sequence, 0};
  }

  /// Delivers the event again, before what waits and happened later.
  void replay(const AccountKey& key, const store::EventPosition& event, Timestamp now);
  /// Delivers everything behind this place again.
  void replay_from(const store::EventPosition& place);

  /// What has changed since it was stored last; the revision is that of the write to come. confirm() it when stored.
  store::DeliveryWrite changes() const;
  void confirm();
  bool has_changes() const { return !dirty_.empty() || !given_up_.empty(); }

 private:
  void drop_front(store::WaitingCustomer& customer, const AccountKey& key, Timestamp next_at);
  Timestamp due_at(const store::WaitingCustomer& customer, Timestamp worked_at) const;
  const store::WaitingCustomer* longest_untried() const;

  const DeliveryRules& rules_;
  std::uint64_t stored_revision_ = 0;
  store::DeliveryCursor cursor_;
  std::map<AccountKey, store::WaitingCustomer> waiting_;
  std::map<AccountKey, bool> dirty_;
  std::vector<store::GivenUp> given_up_;
  bool has_long_line_ = false;
};

}  // namespace billd::webhooks
