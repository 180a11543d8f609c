// Taxes as they are agreed and as they come out.
#pragma once

#include <cstdint>

#include "engine/ids.hpp"
#include "engine/money.hpp"

namespace billd {

/// A rate as it was agreed; what it is called is known to the catalog. Without identifier: a bare `tax_percent`.
struct AppliedTaxRate {
  TaxRateId id;
  Percentage percentage;
  bool inclusive = false;  ///< the amounts have it in them

  bool operator==(const AppliedTaxRate&) const = default;
};

/// What one rate takes of one line, in minor units of its currency.
struct TaxAmount {
  AppliedTaxRate rate;
  std::int64_t amount = 0;
  std::int64_t taxable = 0;  ///< what it is taken of: after the discount, without inclusive taxes

  bool operator==(const TaxAmount&) const = default;
};

}  // namespace billd
