#include "net/gateways/configured.hpp"

#include "net/gateways/stancer_gateway.hpp"
#include "net/gateways/stripe_gateway.hpp"
#include "net/gateways/test_gateway.hpp"

namespace billd::gateways {

void add_configured(Gateways& gateways, Executor executor, store::Store& store, const GatewaySettings& settings,
                    const HttpGateway::WallClock& now) {
  auto test = std::make_unique<TestGateway>(executor, store, settings.test.latency, settings.test.debit_settles_after);
  test->set_faults(settings.test.faults);
  gateways.add("test", std::move(test));
  for (const auto& [name, processor] : settings.processors) {
    switch (processor.kind) {
      case ProcessorKind::unset:
        break;  // refused when the settings are read
      case ProcessorKind::stripe:
        gateways.add(name, std::make_unique<StripeGateway>(executor, name, processor));
        break;
      case ProcessorKind::stancer:
        gateways.add(name, std::make_unique<StancerGateway>(executor, name, processor));
        break;
      case ProcessorKind::http:
        gateways.add(name, std::make_unique<HttpGateway>(executor, name, processor, now));
        break;
    }
  }
}

}  // namespace billd::gateways
