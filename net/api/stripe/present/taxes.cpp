// Tax rates as they hold for something, and what they take, as Stripe shows them.
#include <algorithm>

#include "net/api/stripe/present/words.hpp"
#include "net/api/stripe/presenter.hpp"

namespace billd::api::stripe {

void add_up(std::vector<TaxAmount>& sums, const std::vector<TaxAmount>& taxes) {
  for (const TaxAmount& tax : taxes) {
    const auto sum = std::ranges::find(sums, tax.rate, &TaxAmount::rate);
    if (sum == sums.end()) {
      sums.push_back(tax);
      continue;
    }
    sum->amount += tax.amount;
    sum->taxable += tax.taxable;
  }
}

Array& Presenter::tax_rates(const std::vector<AppliedTaxRate>& rates) {
  Array& array = document_.array(rates.size());
  for (const AppliedTaxRate& applied : rates) {
    if (applied.id.is_empty()) continue;
    const TaxRate* known = known_.tax_rate(mode_, applied.id);
    TaxRate rate;
    rate.id = applied.id;
    rate.percentage = applied.percentage;
    rate.inclusive = applied.inclusive;
    array.add(tax_rate(known != nullptr ? *known : rate));
  }
  return array;
}

Value Presenter::tax_percent(const std::vector<AppliedTaxRate>& rates) {
  const auto bare = std::ranges::find_if(rates, [](const AppliedTaxRate& rate) { return rate.id.is_empty(); });
  return bare != rates.end() ? document_.number(to_text(bare->percentage)) : Value();
}

Array& Presenter::tax_amounts(const std::vector<TaxAmount>& taxes) {
  Array& amounts = document_.array(taxes.size());
  for (const TaxAmount& tax : taxes) {
    if (tax.rate.id.is_empty()) continue;
    Object& object = document_.object(5);
    object.add("amount", tax.amount);
    object.add("inclusive", tax.rate.inclusive);
    object.add("tax_rate", id(tax.rate.id));
    object.add("taxability_reason", nullptr);
    object.add("taxable_amount", tax.taxable);
    amounts.add(object);
  }
  return amounts;
}

}  // namespace billd::api::stripe
