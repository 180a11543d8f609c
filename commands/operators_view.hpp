// The daemon as its operators see it: gathers what the parts keep counted.
#pragma once

#include "config/settings.hpp"
#include "jobs/clock.hpp"
#include "jobs/deliveries.hpp"
#include "jobs/executor.hpp"
#include "jobs/partitions.hpp"
#include "jobs/scheduler.hpp"
#include "net/api/incoming/face.hpp"
#include "net/api/operators/measurements.hpp"
#include "net/api/operators/view.hpp"
#include "net/redis/client.hpp"
#include "net/store/store.hpp"

namespace billd::commands {

/// Refers to parts that outlive it; reads memory only.
class OperatorsView final : public api::operators::View {
 public:
  OperatorsView(const Settings& settings, const store::Store& store, const redis::Client& client,
                const jobs::Clock& clock, const jobs::Partitions& partitions, const jobs::Scheduler& scheduler,
                const jobs::AccountExecutor& accounts);

  api::operators::Status status() const override;
  api::operators::Measurements measurements() const override;
  std::string not_ready_because() const override;

  /// A listener whose numbers /metrics tells; it must outlive the view.
  void add_server(std::string name, const http::Server& server) { servers_.emplace_back(std::move(name), &server); }

  /// The face of webhooks that come in; it must outlive the view.
  void set_incoming(const api::incoming::Face& incoming) { incoming_ = &incoming; }
  void set_gateways(const gateways::Gateways& gateways) { gateways_ = &gateways; }

  /// What tells endpoints of events, from its start on; it must outlive the view.
  void set_deliveries(const jobs::Deliveries& deliveries) { deliveries_ = &deliveries; }

  /// The API listens; until then the daemon is not ready.
  void set_serving() { is_serving_ = true; }
  void set_stopping() { is_stopping_ = true; }

 private:
  void show_queues(api::operators::Status& status) const;
  void show_daemons(api::operators::Status& status) const;
  void show_deliveries(api::operators::Status& status) const;
  void show_troubles(api::operators::Status& status) const;
  void show_history(api::operators::Status& status) const;

  const Settings& settings_;
  const store::Store& store_;
  const redis::Client& client_;
  const jobs::Clock& clock_;
  const jobs::Partitions& partitions_;
  const jobs::Scheduler& scheduler_;
  const jobs::AccountExecutor& accounts_;
  std::vector<std::pair<std::string, const http::Server*>> servers_;
  const api::incoming::Face* incoming_ = nullptr;
  const gateways::Gateways* gateways_ = nullptr;
  const jobs::Deliveries* deliveries_ = nullptr;
  SteadyClock::time_point started_at_ = SteadyClock::now();
  bool is_serving_ = false;
  bool is_stopping_ = false;
};

}  // namespace billd::commands
