// The gateways that the configuration names.
#pragma once

#include "config/settings.hpp"
#include "net/gateways/gateway.hpp"
#include "net/gateways/http_gateway.hpp"
#include "net/store/store.hpp"

namespace billd::gateways {

/// Adds the built-in test gateway under "test", and each processor under the name of its section. `now`: real time.
void add_configured(Gateways& gateways, Executor executor, store::Store& store, const GatewaySettings& settings,
                    const HttpGateway::WallClock& now);

}  // namespace billd::gateways
