// Tells webhook endpoints of events: each endpoint gets what it wants of each customer in order, at least once.
#pragma once

#include <array>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "config/settings.hpp"
#include "jobs/clock.hpp"
#include "jobs/partitions.hpp"
#include "jobs/statistics.hpp"
#include "net/async.hpp"
#include "net/histogram.hpp"
#include "net/one_shot.hpp"
#include "net/store/catalog.hpp"
#include "net/store/deliveries.hpp"
#include "net/webhooks/channel.hpp"
#include "net/webhooks/sender.hpp"

namespace billd::jobs {

/// The event as an endpoint of that API version is shown it.
using RenderEvent = std::function<awaitable<Result<std::string>>(Mode, std::string api_version, store::StoredEvent)>;

struct DeliverySettings {
  webhooks::DeliveryRules rules;
  webhooks::SenderSettings sender;
  std::size_t requests_at_once_max = 8;  ///< to one endpoint
  Duration disable_after = std::chrono::days(5);
  std::size_t given_up_max = 1000;
  std::string master_secret;
  Milliseconds poll_interval{250};  ///< how often events of other daemons' commits are looked for
};

/// Where webhooks may go beside public addresses; in development to the loopback, too. bad_configuration names the
/// range that is none.
Result<webhooks::Networks> allowed_networks(const Settings& settings);
/// REQUIRES: settings.webhooks.secret.
DeliverySettings delivery_settings(const WebhookSettings& settings, webhooks::Networks allowed);

/// The work of this daemon since the process began, and what waits in its partitions (as of a second ago).
struct DeliveryNumbers {
  std::uint64_t delivered = 0;
  std::uint64_t failed = 0;    ///< tries
  std::uint64_t given_up = 0;  ///< events
  std::uint64_t disabled = 0;  ///< endpoints, by billd itself
  std::uint64_t in_flight = 0;
  std::uint64_t waiting_customers = 0, waiting_events = 0;  ///< that failed and are tried again
  std::optional<Timestamp> next_try;                        ///< the earliest of them
  bool is_paused = false;                                   ///< by an operator
  std::uint64_t delivered_last_minute = 0;
  std::uint64_t endpoints = 0;             ///< that are enabled
  std::uint64_t endpoints_disabled = 0;    ///< by billd itself, by any daemon, and not enabled again
  std::uint64_t endpoints_failing = 0;     ///< enabled, and failing since their latest success somewhere
  std::optional<Timestamp> failing_since;  ///< the longest of these
};

/// For each endpoint, and each partition that this daemon holds, a way through the partition's events. Its state is in
/// Redis, written with the lease's epoch after each step, so that a killed daemon's successor goes on where it stood;
/// what was under way is delivered again. The requests to one endpoint are limited, and no endpoint waits for another.
/// Without endpoints nothing is read, and a commit costs one look at a flag.
///
/// Life cycle: construct, start() once the store is prepared and the catalog has started, `co_await stop(limit)` before
/// Partitions is stopped. From the loop's thread.
class Deliveries {
 public:
  Deliveries(Executor executor, const Clock& clock, store::Store& store, store::Catalog& catalog,
             const Partitions& partitions, DeliverySettings settings, RenderEvent render);

  void start();

  /// Starts no new request and waits for those under way; false when `limit` passed first.
  awaitable<bool> stop(Milliseconds limit);

  /// Whether an endpoint that wants it has not taken the invoice.created of that invoice yet. In a partition that this
  /// daemon holds; of others nothing is known, and false.
  awaitable<bool> awaits_invoice_created(Mode mode, AccountKey key, InvoiceId invoice, Timestamp created);

  /// While it says so, no request is begun.
  void pause_while(std::function<bool()> is_paused) { is_paused_ = std::move(is_paused); }

  const DeliveryNumbers& numbers() const { return numbers_; }
  /// From an event's commit to its delivery, of those delivered at the first try.
  const Histogram& lateness() const { return lateness_; }

 private:
  /// An endpoint, and the requests to it.
  struct Receiver {
    Mode mode = Mode::test;
    std::shared_ptr<const WebhookEndpoint> endpoint;
    std::size_t in_flight = 0;
    std::deque<OneShot<bool>*> queue;
    Timestamp worked_at;   ///< when it took something last
    Timestamp rest_until;  ///< it asked to be left alone
    bool is_disabling = false;
    bool has_foreign_secret = false;  ///< this daemon cannot sign for it
  };
  using ReceiverPointer = std::shared_ptr<Receiver>;

  /// A receiver's way through a lane.
  struct Way {
    Way(const webhooks::DeliveryRules& rules, store::EndpointDeliveries stored, store::EventPosition begin)
        : channel(rules, std::move(stored), begin) {}

    webhooks::Channel channel;
    bool is_running = false;
    bool has_news = true;
    SteadyClock::time_point look_at;
    SteadyClock::time_point stored_at;
    std::vector<store::Replay> replays;  ///< asked for and not yet begun with
  };

  /// A partition of one mode.
  struct Lane {
    Mode mode = Mode::test;
    std::uint32_t partition = 0;
    std::optional<store::Fence> fence;  ///< under which `stored` was loaded
    std::size_t busy = 0;               ///< what is under way beside the ways
    bool is_removing = false;
    SteadyClock::time_point replays_read_at;
    store::PartitionDeliveries stored;  ///< of endpoints that have no way yet
    std::map<WebhookEndpointId, std::unique_ptr<Way>> ways;
  };

  /// What is done in one go of a way.
  struct Round;

  awaitable<> watch();
  void look();
  void count();
  void look_at_lane(Lane& lane);
  void follow_endpoints();
  void events_appended(Mode mode, std::uint32_t partition);
  awaitable<> load(Lane& lane, store::Fence fence);
  awaitable<> read_replays(Lane& lane);
  awaitable<> remove(Lane& lane, WebhookEndpointId endpoint);

  awaitable<> work(Lane& lane, ReceiverPointer receiver, Way& way);
  awaitable<Result<bool>> one_round(Lane& lane, ReceiverPointer receiver, Way& way);
  awaitable<Result<void>> take_in(Lane& lane, const Receiver& receiver, Way& way, Round& round);
  awaitable<Result<void>> replay(Lane& lane, const Receiver& receiver, Way& way, Round& round);
  awaitable<> run_new(Receiver& receiver, Way& way, Round& round, std::vector<store::StoredEvent> events);
  awaitable<> run_waiting(Receiver& receiver, Lane& lane, Way& way, Round& round, AccountKey key);
  awaitable<webhooks::Receipt> deliver(Receiver& receiver, store::StoredEvent event);
  awaitable<Result<void>> store_changes(Lane& lane, const Receiver& receiver, Way& way, const Round& round);
  awaitable<> disable_if_dead(ReceiverPointer receiver, Way& way);
  awaitable<> disable(ReceiverPointer receiver, std::string because);
  bool is_usable(const Lane& lane, const Receiver& receiver) const;

  Executor executor_;
  const Clock& clock_;
  store::Store& store_;
  store::Catalog& catalog_;
  const Partitions& partitions_;
  const DeliverySettings settings_;
  RenderEvent render_;
  std::function<bool()> is_paused_ = [] { return false; };
  webhooks::Sender sender_;

  std::map<WebhookEndpointId, ReceiverPointer> receivers_;  ///< enabled
  std::array<bool, 2> has_receivers_{};                     ///< by mode
  std::map<std::pair<std::uint32_t, Mode>, std::unique_ptr<Lane>> lanes_;
  DeliveryNumbers numbers_;
  LastMinute delivered_;
  Histogram lateness_;
  std::minstd_rand random_;
  bool is_stopping_ = false;
  bool is_woken_ = false;
  SteadyClock::time_point count_at_;
  Timer wake_;
  Tasks tasks_;
};

}  // namespace billd::jobs
