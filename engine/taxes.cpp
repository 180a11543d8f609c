// Which tax rates may be agreed, and which hold.
#include "engine/change.hpp"

#include <algorithm>

namespace billd {
namespace {

/// Source: Stripe allows five tax rates on a line.
constexpr std::size_t rates_max = 5;
constexpr std::int32_t whole = 1'000'000;

}  // namespace

Result<void> check_tax_rates(const std::vector<AppliedTaxRate>& rates, const std::string& parameter) {
  if (rates.size() > rates_max) return Failure{Errc::limit_exceeded, "There can be at most 5 tax rates.", parameter};
  for (const AppliedTaxRate& rate : rates) {
    if (rate.percentage.millionths < 0 || rate.percentage.millionths > whole)
      return Failure{Errc::invalid_parameter, "A tax rate must be between 0 and 100 percent.", parameter};
    if (std::ranges::count(rates, rate.id, &AppliedTaxRate::id) > 1)
      return Failure{Errc::invalid_parameter, "Each tax rate can be given once.", parameter};
  }
  return {};
}

const std::vector<AppliedTaxRate>& tax_rates_of(const Subscription& subscription, const SubscriptionItem& item) {
  return item.tax_rates.empty() ? subscription.tax_rates : item.tax_rates;
}

}  // namespace billd
