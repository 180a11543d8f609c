// What is sold, read from Stripe's JSON.
#include <boost/json/serialize.hpp>
#include <cstdio>

#include "commands/import_json.hpp"
#include "commands/import_objects.hpp"

namespace billd::commands {
namespace {

namespace json = boost::json;

/// What recurs of it: of a price in an object of its own, of a plan in itself.
const json::object& recurring_of(const json::object& plan) {
  const json::object* recurring = object_of(plan, "recurring");
  return recurring != nullptr ? *recurring : plan;
}

bool is_price(const json::object& plan) { return text_of(plan, "object") == "price"; }

Result<Recurrence> recurrence_of(const json::object& plan) {
  auto interval = parse_interval(text_of(plan, "interval"));
  if (!interval) return interval.error();
  const Recurrence recurrence{*interval, static_cast<std::int32_t>(integer_of(plan, "interval_count", 1))};
  auto checked = check_recurrence(recurrence);
  if (!checked) return checked.error();
  return recurrence;
}

/// An amount by its decimals, or whole; no value when neither is told.
Result<std::optional<Decimal>> decimal_of(const json::object& object, const std::string& name) {
  if (const std::string text = text_of(object, name + "_decimal"); !text.empty()) {
    auto decimal = parse_decimal(text);
    if (!decimal) return refusal("its " + name + "_decimal is no number", name + "_decimal");
    return std::optional(*decimal);
  }
  const json::value* whole = member_of(object, name);
  if (whole == nullptr || !whole->is_int64()) return std::optional<Decimal>();
  return std::optional(Decimal{whole->get_int64(), 0});
}

Result<Tier> tier_of(const json::object& tier) {
  Tier read;
  read.up_to = integer_of(tier, "up_to");
  // The older name of a unit's amount is the shorter one.
  for (const char* name : {"unit_amount", "amount"}) {
    auto amount = decimal_of(tier, name);
    if (!amount) return amount.error();
    if (*amount) read.unit_amount = **amount;
  }
  auto flat = decimal_of(tier, "flat_amount");
  if (!flat) return flat.error();
  read.flat_amount = flat->value_or(Decimal());
  return read;
}

Result<void> read_amounts(const json::object& plan, Price& price) {
  if (text_of(plan, "billing_scheme") == "tiered") {
    price.tiers_mode = text_of(plan, "tiers_mode") == "volume" ? TiersMode::volume : TiersMode::graduated;
    for (const json::object& each : objects_of(member_of(plan, "tiers"))) {
      auto tier = tier_of(each);
      if (!tier) return tier.error();
      price.tiers.push_back(*tier);
    }
    if (price.tiers.empty()) return refusal("its tiers are not told", "tiers");
    return {};
  }
  const std::string name = is_price(plan) ? "unit_amount" : "amount";
  auto amount = decimal_of(plan, name);
  if (!amount) return amount.error();
  if (!*amount) return refusal("its " + name + " is not told", name);
  price.unit_amount.minor = (*amount)->minor;
  price.unit_fraction = (*amount)->fraction;
  return {};
}

Result<void> read_usage(const json::object& plan, Price& price) {
  if (text_of(plan, "usage_type") != "metered") return {};
  if (!text_of(plan, "meter").empty())
    return refusal("its usage is counted by a billing meter: billd has none", "meter");
  price.usage_type = UsageType::metered;
  const std::string aggregation = text_of(plan, "aggregate_usage");
  if (aggregation == "last_during_period") price.aggregation = Aggregation::last_during_period;
  if (aggregation == "last_ever") price.aggregation = Aggregation::last_ever;
  if (aggregation == "max") price.aggregation = Aggregation::max;
  return {};
}

/// A number of percent, whole or with decimals.
Result<Percentage> percentage_of(const json::object& object, std::string_view name) {
  const json::value* value = member_of(object, name);
  if (value == nullptr) return Percentage();
  // Four decimals are all that there may be, and a double of that size has them.
  char text[32] = "";
  if (value->is_double()) std::snprintf(text, sizeof(text), "%.4f", value->get_double());
  return parse_percentage(value->is_double() ? std::string(text) : json::serialize(*value));
}

}  // namespace

Result<Price> read_price(const json::object& plan) {
  auto currency = currency_of(plan);
  if (!currency) return currency.error();
  Price price;
  price.one_time = is_price(plan) && text_of(plan, "type") == "one_time";
  if (!price.one_time) {
    auto recurrence = recurrence_of(recurring_of(plan));
    if (!recurrence) return recurrence.error();
    price.recurrence = *recurrence;
  }
  price.id = PlanId(text_of(plan, "id"));
  price.product = ProductId(identifier_of(plan, "product"));
  price.nickname = text_of(plan, "nickname");
  price.unit_amount.currency = *currency;
  if (text_of(plan, "tax_behavior") == "exclusive") price.tax_behavior = TaxBehavior::exclusive;
  if (text_of(plan, "tax_behavior") == "inclusive") price.tax_behavior = TaxBehavior::inclusive;
  auto amounts = read_amounts(plan, price);
  if (!amounts) return amounts.error();
  if (const json::object* packages = object_of(plan, is_price(plan) ? "transform_quantity" : "transform_usage")) {
    price.transform.divide_by = integer_of(*packages, "divide_by");
    price.transform.round_up = text_of(*packages, "round") == "up";
  }
  auto usage = price.one_time ? Result<void>() : read_usage(recurring_of(plan), price);
  if (!usage) return usage.error();
  auto sound = check_price(price);
  if (!sound) return sound.error();
  return price;
}

Result<Product> read_product(const json::object& product) {
  Product read;
  read.id = ProductId(text_of(product, "id"));
  read.created = time_of(product, "created").value_or(Timestamp());
  read.updated = time_of(product, "updated").value_or(read.created);
  read.name = text_of(product, "name");
  read.description = text_of(product, "description");
  read.active = truth_of(product, "active");
  if (const std::string type = text_of(product, "type"); !type.empty()) read.type = type;
  read.statement_descriptor = text_of(product, "statement_descriptor");
  read.unit_label = text_of(product, "unit_label");
  read.tax_code = text_of(product, "tax_code");
  read.url = text_of(product, "url");
  read.default_price = PlanId(identifier_of(product, "default_price"));
  read.metadata = metadata_of(product);
  return read;
}

Result<Plan> read_plan(const json::object& plan, const std::string& product_name) {
  auto price = read_price(plan);
  if (!price) return price.error();
  Plan read;
  static_cast<Price&>(read) = std::move(*price);
  read.created = time_of(plan, "created").value_or(Timestamp());
  read.product_name = product_name.empty() ? text_of(plan, "name") : product_name;
  read.trial_period_days = static_cast<std::int32_t>(integer_of(recurring_of(plan), "trial_period_days"));
  read.lookup_key = text_of(plan, "lookup_key");
  read.active = truth_of(plan, "active");
  read.metadata = metadata_of(plan);
  return read;
}

Result<Coupon> read_coupon(const json::object& coupon) {
  Coupon read;
  read.id = CouponId(text_of(coupon, "id"));
  read.name = text_of(coupon, "name");
  read.created = time_of(coupon, "created").value_or(Timestamp());
  const char* share = member_of(coupon, "percent_off_precise") != nullptr ? "percent_off_precise" : "percent_off";
  auto percentage = percentage_of(coupon, share);
  if (!percentage) return percentage.error();
  read.percent_off = *percentage;
  if (read.percent_off.is_zero()) {
    auto currency = currency_of(coupon);
    if (!currency) return currency.error();
    read.amount_off = {integer_of(coupon, "amount_off"), *currency};
  }
  const std::string duration = text_of(coupon, "duration");
  if (duration == "forever") read.duration = CouponDuration::forever;
  if (duration == "repeating") read.duration = CouponDuration::repeating;
  read.duration_in_months = static_cast<std::int32_t>(integer_of(coupon, "duration_in_months"));
  if (const json::object* applies = object_of(coupon, "applies_to"))
    if (const json::value* products = member_of(*applies, "products"); products != nullptr && products->is_array())
      for (const json::value& product : products->get_array())
        if (product.is_string()) read.products.emplace_back(std::string(product.get_string()));
  read.max_redemptions = integer_of(coupon, "max_redemptions");
  read.redeem_by = time_of(coupon, "redeem_by");
  read.metadata = metadata_of(coupon);
  return read;
}

Result<PromotionCode> read_promotion_code(const json::object& code) {
  PromotionCode read;
  read.id = PromotionCodeId(text_of(code, "id"));
  read.created = time_of(code, "created").value_or(Timestamp());
  const json::object* promotion = object_of(code, "promotion");
  read.coupon = CouponId(identifier_of(promotion != nullptr ? *promotion : code, "coupon"));
  if (read.coupon.is_empty()) return refusal("its coupon is not told", "coupon");
  read.code = text_of(code, "code");
  if (read.code.empty()) return refusal("its code is not told", "code");
  read.active = truth_of(code, "active");
  read.customer = CustomerId(identifier_of(code, "customer"));
  read.expires_at = time_of(code, "expires_at");
  read.max_redemptions = integer_of(code, "max_redemptions");
  if (const json::object* restrictions = object_of(code, "restrictions")) {
    read.first_time_transaction = truth_of(*restrictions, "first_time_transaction");
    if (const std::int64_t least = integer_of(*restrictions, "minimum_amount"); least != 0) {
      auto currency = Currency::parse(text_of(*restrictions, "minimum_amount_currency"));
      if (!currency) return currency.error();
      read.minimum_amount = {least, *currency};
    }
  }
  read.metadata = metadata_of(code);
  return read;
}

Result<TaxRate> read_tax_rate(const json::object& rate) {
  auto percentage = percentage_of(rate, "percentage");
  if (!percentage) return percentage.error();
  TaxRate read;
  read.id = TaxRateId(text_of(rate, "id"));
  read.created = time_of(rate, "created").value_or(Timestamp());
  read.percentage = *percentage;
  read.inclusive = truth_of(rate, "inclusive");
  read.active = truth_of(rate, "active");
  read.display_name = text_of(rate, "display_name");
  read.description = text_of(rate, "description");
  read.jurisdiction = text_of(rate, "jurisdiction");
  read.country = text_of(rate, "country");
  read.state = text_of(rate, "state");
  read.tax_type = text_of(rate, "tax_type");
  read.metadata = metadata_of(rate);
  return read;
}

Result<TestClock> read_test_clock(const json::object& clock) {
  if (text_of(clock, "status") != "ready") return refusal("it is being advanced", "status");
  TestClock read;
  read.id = TestClockId(text_of(clock, "id"));
  read.name = text_of(clock, "name");
  read.created = time_of(clock, "created").value_or(Timestamp());
  read.frozen_time = time_of(clock, "frozen_time").value_or(Timestamp());
  read.deletes_after = time_of(clock, "deletes_after").value_or(Timestamp());
  return read;
}

namespace {

/// The coupon of a discount; newer versions tell of it one level deeper, and perhaps by its identifier alone.
Result<CouponTerms> terms_of(const json::object& discount, const Named& named) {
  const json::object* source = object_of(discount, "source");
  const json::object& holder = source != nullptr ? *source : discount;
  if (const json::object* coupon = object_of(holder, "coupon")) {
    auto read = read_coupon(*coupon);
    if (!read) return read.error();
    CouponTerms terms = read->terms();
    // The products that it is for are told only when they are asked for, as they were for the catalog.
    if (const CouponTerms* known = named.coupon(terms.id.value()); known != nullptr && terms.products.empty()) {
      CouponTerms without = *known;
      without.products.clear();
      if (without == terms) return *known;
    }
    return terms;
  }
  const CouponTerms* known = named.coupon(text_of(holder, "coupon"));
  if (known == nullptr) return refusal("the coupon of its discount is not told", "discount");
  return *known;
}

}  // namespace

Result<std::optional<Discount>> read_discount(const json::object& owner, const Named& named) {
  const json::object* discount = object_of(owner, "discount");
  const json::value* several = member_of(owner, "discounts");
  if (several != nullptr && several->is_array()) {
    const json::array& all = several->get_array();
    if (all.size() > 1) return refusal("it has more than one discount", "discounts");
    if (discount == nullptr && all.size() == 1) {
      discount = all.front().if_object();
      if (discount == nullptr && all.front().is_string()) {
        const Discount* known = named.discount(std::string(all.front().get_string()));
        if (known == nullptr) return refusal("its discount is told by its identifier alone", "discounts");
        return std::optional(*known);
      }
    }
  }
  if (discount == nullptr) return std::optional<Discount>();
  auto terms = terms_of(*discount, named);
  if (!terms) return terms.error();
  Discount read;
  read.id = DiscountId(text_of(*discount, "id"));
  read.subscription = SubscriptionId(identifier_of(*discount, "subscription"));
  read.coupon = std::move(*terms);
  read.start = time_of(*discount, "start").value_or(Timestamp());
  read.end = time_of(*discount, "end");
  read.promotion_code = PromotionCodeId(identifier_of(*discount, "promotion_code"));
  return std::optional(std::move(read));
}

Result<std::vector<AppliedTaxRate>> read_tax_rates(const json::object& owner, std::string_view name) {
  std::vector<AppliedTaxRate> rates;
  for (const json::object& each : objects_of(member_of(owner, name))) {
    auto rate = read_tax_rate(each);
    if (!rate) return rate.error();
    rates.push_back(rate->applied());
  }
  if (!rates.empty()) return rates;
  auto bare = percentage_of(owner, "tax_percent");
  if (!bare) return bare.error();
  if (!bare->is_zero()) rates.push_back({TaxRateId(), *bare, false});
  return rates;
}

}  // namespace billd::commands
