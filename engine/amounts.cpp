// Discounts before taxes, taxes before the total, each rounded where it is said to be.
#include "engine/amounts.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

namespace billd {
namespace {

using Wide = __int128;

constexpr Wide whole_share = 1'000'000;

std::int64_t own_discount_of(const InvoiceLine& line) {
  if (line.discounts.empty()) return 0;
  const std::vector<std::int64_t> parts = own_discounts_of(line);
  return std::accumulate(parts.begin(), parts.end(), std::int64_t{0});
}

/// What is left of the line for the invoice's discount.
Wide reducible_amount(const InvoiceLine& line) { return Wide{line.amount.minor} - own_discount_of(line); }

bool is_reduced(const InvoiceLine& line, const CouponTerms& coupon) {
  return line.discountable && applies_to(coupon, line.price.product);
}

Wide sum_of(std::span<const Wide> numbers) { return std::accumulate(numbers.begin(), numbers.end(), Wide{0}); }

/// What each line is worth to the coupon.
std::vector<Wide> weights_of(std::span<const InvoiceLine> lines, const CouponTerms& coupon) {
  const bool is_share = !coupon.percent_off.is_zero();
  std::vector<Wide> weights;
  weights.reserve(lines.size());
  for (const InvoiceLine& line : lines) {
    const bool counts = is_reduced(line, coupon) && (is_share || line.amount.minor > 0);
    weights.push_back(counts ? reducible_amount(line) : Wide{0});
  }
  return weights;
}

void take_discounts(Invoice& invoice) {
  for (InvoiceLine& line : invoice.lines) line.discount = own_discount_of(line);
  if (!invoice.discount) return;
  const CouponTerms& coupon = invoice.discount->coupon;
  const Wide whole = discount_of(invoice.lines, coupon);
  if (whole == 0) return;
  std::vector<Wide> weights = weights_of(invoice.lines, coupon);
  const bool is_share = !coupon.percent_off.is_zero();
  const Wide denominator = is_share ? whole_share : sum_of(weights);
  for (Wide& weight : weights) weight *= is_share ? Wide{coupon.percent_off.millionths} : whole;
  const std::vector<std::int64_t> parts = parts_of(whole, weights, denominator);
  for (std::size_t place = 0; place < parts.size(); ++place) invoice.lines[place].discount += parts[place];
}

/// The rates that hold for the line.
const std::vector<AppliedTaxRate>& rates_of(const Invoice& invoice, const InvoiceLine& line) {
  return line.tax_rates.empty() ? invoice.tax_rates : line.tax_rates;
}

/// Of an amount T that has inclusive taxes of I in it, a rate r takes T x r / (1 + I), whether it is in it or on top.
Wide divisor_of(const std::vector<AppliedTaxRate>& rates) {
  Wide divisor = whole_share;
  for (const AppliedTaxRate& rate : rates)
    if (rate.inclusive) divisor += rate.percentage.millionths;
  return divisor;
}

Wide taxed_amount(const InvoiceLine& line) { return Wide{line.amount.minor} - line.discount; }

/// All lines on which the same rate stands among the same inclusive ones, rounded together.
void round_together(Invoice& invoice, const AppliedTaxRate& rate, Wide divisor) {
  std::vector<TaxAmount*> places;
  std::vector<Wide> numerators;
  for (InvoiceLine& line : invoice.lines) {
    if (divisor_of(rates_of(invoice, line)) != divisor) continue;
    for (TaxAmount& tax : line.taxes) {
      if (tax.rate != rate) continue;
      places.push_back(&tax);
      numerators.push_back(taxed_amount(line) * rate.percentage.millionths);
    }
  }
  const std::vector<std::int64_t> parts = parts_of(rounded(sum_of(numerators), divisor), numerators, divisor);
  for (std::size_t place = 0; place < parts.size(); ++place) places[place]->amount = parts[place];
}

void levy_taxes(Invoice& invoice, TaxRounding rounding) {
  for (InvoiceLine& line : invoice.lines) {
    line.taxes.clear();
    const std::vector<AppliedTaxRate>& rates = rates_of(invoice, line);
    const Wide divisor = divisor_of(rates);
    for (const AppliedTaxRate& rate : rates) {
      const Wide amount = rounded(taxed_amount(line) * rate.percentage.millionths, divisor);
      line.taxes.push_back({rate, static_cast<std::int64_t>(amount), 0});
    }
  }
  if (rounding == TaxRounding::invoice)
    for (InvoiceLine& line : invoice.lines) {
      const Wide divisor = divisor_of(rates_of(invoice, line));
      for (const TaxAmount& tax : line.taxes) round_together(invoice, AppliedTaxRate(tax.rate), divisor);
    }
  for (InvoiceLine& line : invoice.lines) {
    Wide taxable = taxed_amount(line);
    for (const TaxAmount& tax : line.taxes)
      if (tax.rate.inclusive) taxable -= tax.amount;
    for (TaxAmount& tax : line.taxes) tax.taxable = static_cast<std::int64_t>(taxable);
  }
}

}  // namespace

Wide rounded(Wide numerator, Wide denominator) {
  const Wide rest = numerator % denominator;
  const bool away = 2 * (rest < 0 ? -rest : rest) >= denominator;
  return numerator / denominator + (away ? (numerator < 0 ? -1 : 1) : 0);
}

std::vector<std::int64_t> parts_of(Wide whole, std::span<const Wide> numerators, Wide denominator) {
  std::vector<std::int64_t> parts;
  parts.reserve(numerators.size());
  Wide left = whole;
  for (const Wide numerator : numerators) {
    parts.push_back(static_cast<std::int64_t>(numerator / denominator));
    left -= parts.back();
  }
  std::vector<std::size_t> order(parts.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const Wide unit = left < 0 ? -1 : 1;
  const auto cut = [&](std::size_t place) { return unit * (numerators[place] % denominator); };
  std::ranges::sort(order, [&](std::size_t a, std::size_t b) { return cut(a) != cut(b) ? cut(a) > cut(b) : a < b; });
  for (std::size_t place = 0; left != 0; ++place, left -= unit) parts[order[place]] += static_cast<std::int64_t>(unit);
  return parts;
}

bool applies_to(const CouponTerms& coupon, const ProductId& product) {
  return coupon.products.empty() || std::ranges::find(coupon.products, product) != coupon.products.end();
}

std::int64_t discount_of(std::span<const InvoiceLine> lines, const CouponTerms& coupon) {
  const Wide reducible = sum_of(weights_of(lines, coupon));
  if (reducible <= 0) return 0;
  if (!coupon.percent_off.is_zero())
    return static_cast<std::int64_t>(rounded(reducible * coupon.percent_off.millionths, whole_share));
  Wide subtotal = 0;
  for (const InvoiceLine& line : lines) subtotal += reducible_amount(line);
  const Wide most = std::min(reducible, std::max(subtotal, Wide{0}));
  return static_cast<std::int64_t>(std::min(most, Wide{coupon.amount_off.minor}));
}

std::int64_t discount_of(Money cost, const CouponTerms& coupon) {
  if (cost.minor <= 0) return 0;
  if (coupon.percent_off.is_zero()) return std::min(cost.minor, coupon.amount_off.minor);
  return static_cast<std::int64_t>(rounded(Wide{cost.minor} * coupon.percent_off.millionths, whole_share));
}

std::vector<std::int64_t> own_discounts_of(const InvoiceLine& line) {
  std::vector<std::int64_t> parts;
  parts.reserve(line.discounts.size());
  Money left = line.amount;
  for (const Discount& discount : line.discounts) {
    parts.push_back(is_reduced(line, discount.coupon) ? discount_of(left, discount.coupon) : 0);
    left.minor -= parts.back();
  }
  return parts;
}

Wide magnitude_of(std::int64_t minor) { return minor < 0 ? -Wide{minor} : Wide{minor}; }

Wide magnitude_of(std::span<const InvoiceLine> lines) {
  Wide sum = 0;
  for (const InvoiceLine& line : lines) sum += magnitude_of(line.amount.minor);
  return sum;
}

Result<void> settle_amounts(Invoice& invoice, TaxRounding rounding, TaxExempt exempt) {
  constexpr Wide most = std::numeric_limits<std::int64_t>::max();
  const Failure too_large{Errc::amount_out_of_range, "the lines of the invoice are too large together"};
  Wide subtotal = 0;
  for (const InvoiceLine& line : invoice.lines) {
    if (line.amount.currency != invoice.total.currency)
      return Failure{Errc::currency_mismatch, "cannot add " + std::string(line.amount.currency.code()) + " to " +
                                                  std::string(invoice.total.currency.code())};
    subtotal += line.amount.minor;
  }
  // Where the magnitudes of all parts fit together, every sum of some of them does, in whatever order it is made.
  Wide magnitude = magnitude_of(invoice.lines);
  if (magnitude > most) return too_large;
  take_discounts(invoice);
  if (exempt == TaxExempt::none)
    levy_taxes(invoice, rounding);
  else
    for (InvoiceLine& line : invoice.lines) line.taxes.clear();
  Wide total = subtotal, tax = 0;
  for (const InvoiceLine& line : invoice.lines) {
    total -= line.discount;
    for (const TaxAmount& each : line.taxes) {
      if (each.rate.inclusive) continue;
      tax += each.amount;
      magnitude += magnitude_of(each.amount);
    }
  }
  total += tax;
  if (magnitude > most) return too_large;
  invoice.total.minor = static_cast<std::int64_t>(total);
  return {};
}

}  // namespace billd
