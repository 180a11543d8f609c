// The table of gateways.
#include "net/gateways/gateway.hpp"

namespace billd::gateways {

void Gateways::add(std::string name, std::unique_ptr<Gateway> gateway) {
  gateways_.insert_or_assign(std::move(name), std::move(gateway));
}

Gateway* Gateways::find(std::string_view name) const {
  const auto found = gateways_.find(std::string(name));
  return found == gateways_.end() ? nullptr : found->second.get();
}

}  // namespace billd::gateways
