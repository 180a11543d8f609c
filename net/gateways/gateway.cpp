// The table of gateways.
#include "net/gateways/gateway.hpp"

#include <algorithm>

namespace billd::gateways {

awaitable<Result<std::string>> Gateway::find_charge(std::string reference) {
  co_return Failure{Errc::not_found, "nothing is known of " + reference};
}

awaitable<Result<NewSource>> Gateway::describe_bank_account(Mode, BankAccountDetails) {
  co_return Failure{Errc::invalid_parameter, "The payment gateway takes bank accounts only by token.", "source"};
}

awaitable<Result<bool>> Gateway::verify_bank_account(Mode, std::string, MicroDeposits) {
  co_return Failure{Errc::invalid_state, "The payment gateway verifies no bank accounts by deposits."};
}

void Gateways::add(std::string name, std::unique_ptr<Gateway> gateway) {
  gateways_.insert_or_assign(std::move(name), std::move(gateway));
}

Gateway* Gateways::find(std::string_view name) const {
  const auto found = gateways_.find(std::string(name));
  return found == gateways_.end() ? nullptr : found->second.get();
}

std::vector<std::pair<std::string, Gateway*>> Gateways::all() const {
  std::vector<std::pair<std::string, Gateway*>> all;
  for (const auto& [name, gateway] : gateways_) all.emplace_back(name, gateway.get());
  std::ranges::sort(all);
  return all;
}

}  // namespace billd::gateways
