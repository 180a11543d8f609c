#include "net/api/stripe/pricing_terms.hpp"

#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/pricing_parameters.hpp"

namespace billd::api::stripe {
namespace {

using MaybeRedemption = std::optional<std::optional<Redemption>>;
using MaybeRates = std::optional<std::vector<AppliedTaxRate>>;

Failure both_given(const std::string& first, const std::string& second) {
  return {Errc::invalid_parameter, "You may only specify one of these parameters: " + first + ", " + second + ".",
          first};
}

awaitable<Result<Redemption>> find_redemption(Services& services, Mode mode, std::string coupon, std::string code) {
  Redemption redemption;
  if (!code.empty()) {
    auto found = co_await services.catalog.find<PromotionCode>(mode, code);
    if (!found && found.error().code != Errc::not_found) co_return found.error();
    if (!found) co_return no_such("promotion code", code, "promotion_code");
    redemption.promotion_code = **found;
    coupon = (*found)->coupon.value();
  }
  auto found = co_await services.catalog.find<Coupon>(mode, coupon);
  if (!found && found.error().code != Errc::not_found) co_return found.error();
  if (!found) co_return no_such("coupon", coupon, code.empty() ? "coupon" : "promotion_code");
  redemption.coupon = **found;
  co_return redemption;
}

/// The parameters that name the coupon: at the top, or the only one of discounts[].
Result<Arguments> naming(const Arguments& arguments) {
  if (!arguments.has_value("discounts")) return arguments;
  for (const char* other : {"coupon", "promotion_code"})
    if (arguments.has(other)) return both_given("discounts", other);
  const std::vector<Arguments> all = arguments.maps("discounts");
  if (all.size() > 1) return Failure{Errc::invalid_parameter, "There can be one discount at a time.", "discounts"};
  return all.front();
}

}  // namespace

awaitable<Result<std::optional<std::optional<Redemption>>>> read_redemption(Services& services, const Call& call,
                                                                            Arguments arguments,
                                                                            std::optional<Discount> current) {
  auto given = naming(arguments);
  if (!given) co_return given.error();
  const std::string coupon = given->text_or_empty("coupon"), code = given->text_or_empty("promotion_code");
  if (!coupon.empty() && !code.empty()) co_return both_given("coupon", "promotion_code");
  if (const std::string kept = given->text_or_empty("discount"); !kept.empty()) {
    if (!coupon.empty() || !code.empty())
      co_return both_given("discount", coupon.empty() ? "promotion_code" : "coupon");
    if (!current || current->id.value() != kept) co_return no_such("discount", kept, "discounts");
    co_return MaybeRedemption();
  }
  if (coupon.empty() && code.empty()) {
    const bool clears = arguments.has("coupon") || arguments.has("promotion_code") || arguments.has("discounts");
    co_return clears ? MaybeRedemption(std::optional<Redemption>()) : MaybeRedemption();
  }
  auto found = co_await find_redemption(services, call.mode, coupon, code);
  if (!found) co_return found.error();
  co_return MaybeRedemption(std::optional(std::move(*found)));
}

awaitable<Result<std::optional<std::vector<ItemDiscount>>>> read_item_discounts(Services& services, const Call& call,
                                                                                Arguments arguments, std::string path) {
  std::optional<std::vector<ItemDiscount>> discounts;
  if (!arguments.has("discounts")) co_return discounts;
  const std::string parameter = path.empty() ? "discounts" : path + "[discounts]";
  discounts.emplace();
  for (const Arguments& each : arguments.maps("discounts")) {
    const std::string coupon = each.text_or_empty("coupon"), code = each.text_or_empty("promotion_code");
    const std::string kept = each.text_or_empty("discount");
    if (coupon.empty() + code.empty() + kept.empty() != 2)
      co_return Failure{Errc::invalid_parameter,
                        "Each of the discounts is one of these: coupon, promotion_code, discount.", parameter};
    ItemDiscount& discount = discounts->emplace_back();
    discount.kept = DiscountId(kept);
    if (!kept.empty()) continue;
    auto found = co_await find_redemption(services, call.mode, coupon, code);
    if (!found) co_return Failure{found.error().code, found.error().detail, parameter};
    discount.redemption = std::move(*found);
  }
  co_return discounts;
}

awaitable<Result<std::vector<AppliedTaxRate>>> find_tax_rates(Services& services, Mode mode,
                                                              std::vector<std::string> ids, std::string parameter) {
  std::vector<AppliedTaxRate> rates;
  for (const std::string& id : ids) {
    if (id.empty()) continue;
    auto rate = co_await services.catalog.find<TaxRate>(mode, id);
    if (!rate && rate.error().code != Errc::not_found) co_return rate.error();
    if (!rate) co_return no_such("tax rate", id, parameter);
    if (!(*rate)->active)
      co_return Failure{Errc::invalid_parameter, "The tax rate " + id + " is inactive and takes nothing new.",
                        parameter};
    rates.push_back((*rate)->applied());
  }
  co_return rates;
}

awaitable<Result<std::optional<std::vector<AppliedTaxRate>>>> read_tax_rates(Services& services, const Call& call,
                                                                             Arguments arguments, std::string name) {
  if (!arguments.has(name)) co_return MaybeRates();
  std::vector<std::string> ids = arguments.texts(name);
  auto rates = co_await find_tax_rates(services, call.mode, std::move(ids), name);
  if (!rates) co_return rates.error();
  co_return MaybeRates(std::move(*rates));
}

awaitable<Result<std::optional<std::vector<AppliedTaxRate>>>> read_taxes(Services& services, const Call& call,
                                                                         Arguments arguments, std::string prefix) {
  const std::string percent = prefix + "tax_percent", rates = prefix + "default_tax_rates";
  if (arguments.has_value(percent) && arguments.has_value(rates)) co_return both_given(percent, rates);
  if (!arguments.has_value(percent)) {
    auto read = co_await read_tax_rates(services, call, arguments, rates);
    if (!read || *read || !arguments.has(percent)) co_return read;
    co_return MaybeRates(std::vector<AppliedTaxRate>());
  }
  auto share = read_percentage(arguments, percent);
  if (!share) co_return share.error();
  std::vector<AppliedTaxRate> bare;
  if (!share->is_zero()) bare.push_back({TaxRateId(), *share, false});
  co_return MaybeRates(std::move(bare));
}

}  // namespace billd::api::stripe
