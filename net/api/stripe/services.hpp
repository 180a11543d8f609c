// What the operations of the Stripe face work with: the services, and one call as it came in.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/settings.hpp"
#include "net/api/billing.hpp"
#include "net/api/stripe/kinds.hpp"
#include "net/api/stripe/parameters.hpp"
#include "net/api/stripe/versions.hpp"
#include "net/gateways/gateway.hpp"
#include "net/store/catalog.hpp"
#include "net/store/store.hpp"
#include "net/webhooks/networks.hpp"

namespace billd::api::stripe {

/// All of them outlive the face and its coroutines.
struct Services {
  Billing& billing;
  store::Store& store;
  store::Catalog& catalog;
  gateways::Gateways& gateways;
  const Settings& settings;
  /// The gateway that describes and charges new payment sources.
  std::string gateway = "test";
  /// That webhooks may be sent to although they are not public.
  webhooks::Networks webhook_networks = {};
};

/// A path of expand[], taken apart at its dots.
using ExpandPath = std::vector<std::string>;

/// A request whose key, route and parameters are in order.
struct Call {
  Mode mode = Mode::test;
  Version version;
  Shape answers;                                                    ///< what the route answers
  std::string path;                                                 ///< as the client gave it
  std::vector<std::pair<std::string_view, std::string>> variables;  ///< of the path
  http::Parameters parameters{http::Parameter::Kind::map, {}, {}};
  std::vector<ExpandPath> expand;
  Origin origin;                 ///< its idempotency key is set for a POST that has one
  AccountKey account;            ///< whose command it is; of a POST that creates a customer: the new one
  bool is_repeated_try = false;  ///< an earlier request with the idempotency key began and has no answer yet

  Arguments arguments() const { return Arguments(parameters); }
  /// A variable of the route's path, which must have it.
  const std::string& variable(std::string_view name) const;
  std::string variable_or_empty(std::string_view name) const;
  bool is_live() const { return mode == Mode::live; }
};

using Outcome = Billing::Executed;

}  // namespace billd::api::stripe
