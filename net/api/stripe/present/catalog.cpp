// Products, plans, prices, coupons, promotion codes, tax rates and test clocks as Stripe shows them.
#include "net/api/stripe/present/words.hpp"
#include "net/api/stripe/presenter.hpp"

namespace billd::api::stripe {
namespace {

std::string_view name(Aggregation aggregation) {
  switch (aggregation) {
    case Aggregation::sum:
      return "sum";
    case Aggregation::last_during_period:
      return "last_during_period";
    case Aggregation::last_ever:
      return "last_ever";
    case Aggregation::max:
      return "max";
  }
  return "";
}

std::string_view name(TaxBehavior behavior) {
  switch (behavior) {
    case TaxBehavior::unspecified:
      return "unspecified";
    case TaxBehavior::exclusive:
      return "exclusive";
    case TaxBehavior::inclusive:
      return "inclusive";
  }
  return "";
}

std::string_view name(CouponDuration duration) {
  switch (duration) {
    case CouponDuration::once:
      return "once";
    case CouponDuration::repeating:
      return "repeating";
    case CouponDuration::forever:
      return "forever";
  }
  return "";
}

/// Source: Stripe, the whole amount is null where there are decimals, and where it is tiered.
Value whole_or_null(Decimal amount) { return amount.is_whole() ? Value(amount.minor) : Value(); }

Value limit_or_null(std::int64_t limit) { return limit > 0 ? Value(limit) : Value(); }

/// Whether it can be redeemed.
bool is_valid(const Coupon& coupon, std::int64_t times_redeemed, Timestamp now) {
  return !coupon.deleted && (!coupon.redeem_by || *coupon.redeem_by >= now) &&
         (coupon.max_redemptions == 0 || times_redeemed < coupon.max_redemptions);
}

std::string_view name(TiersMode mode) { return mode == TiersMode::volume ? "volume" : "graduated"; }

}  // namespace

Value Presenter::transform(const QuantityTransform& transform) {
  if (transform.divide_by == 0) return {};
  Object& object = document_.object(2);
  object.add("divide_by", transform.divide_by);
  object.add("round", transform.round_up ? Value("up") : Value("down"));
  return object;
}

Value Presenter::texts(const std::vector<std::string>& texts) {
  Array& array = document_.array(texts.size());
  for (const std::string& text : texts) array.add(document_.text(text));
  return array;
}

Value Presenter::tiers(const Price& price) {
  if (price.tiers_mode == TiersMode::none) return {};
  Array& tiers = document_.array(price.tiers.size());
  for (const Tier& tier : price.tiers) {
    Object& object = document_.object(6);
    object.add("amount", whole_or_null(tier.unit_amount));
    object.add("flat_amount", whole_or_null(tier.flat_amount));
    object.add("flat_amount_decimal", document_.text(to_text(tier.flat_amount)));
    object.add("unit_amount", whole_or_null(tier.unit_amount));
    object.add("unit_amount_decimal", document_.text(to_text(tier.unit_amount)));
    object.add("up_to", limit_or_null(tier.up_to));
    tiers.add(object);
  }
  return tiers;
}

Plan Presenter::agreed_plan(const Price& price, Timestamp agreed) const {
  if (const Plan* known = known_.plan(price.id)) return *known;
  Plan plan;
  static_cast<Price&>(plan) = price;
  plan.created = agreed;
  return plan;
}

Object& Presenter::plan(const Plan& plan) {
  const bool tiered = plan.tiers_mode != TiersMode::none;
  Object& object = document_.object(26);
  object.add("id", id(plan.id));
  object.add("object", "plan");
  object.add("active", plan.active && !plan.deleted);
  object.add("aggregate_usage", plan.is_metered() ? document_.text(name(plan.aggregation)) : Value());
  object.add("amount", tiered ? Value() : whole_or_null(plan.unit_decimal()));
  object.add("amount_decimal", tiered ? Value() : document_.text(to_text(plan.unit_decimal())));
  object.add("billing_scheme", tiered ? Value("tiered") : Value("per_unit"));
  object.add("created", time(plan.created));
  object.add("currency", document_.text(plan.currency().code()));
  object.add("interval", document_.text(to_text(plan.recurrence.interval)));
  object.add("interval_count", plan.recurrence.count);
  object.add("livemode", mode_ == Mode::live);
  object.add("metadata", metadata(plan.metadata));
  object.add("name", document_.text_or_null(plan.product_name.empty() ? plan.nickname : plan.product_name));
  object.add("nickname", document_.text_or_null(plan.nickname));
  object.add("product", id_or_null(plan.product));
  object.add("statement_descriptor", nullptr);
  // No list at all where there are no tiers: the descriptions know no null here.
  if (const Value all = tiers(plan); !all.is_null()) object.add("tiers", all);
  object.add("tiers_mode", tiered ? document_.text(name(plan.tiers_mode)) : Value());
  object.add("transform_usage", transform(plan.transform));
  object.add("trial_period_days", plan.trial_period_days > 0 ? Value(plan.trial_period_days) : Value());
  object.add("usage_type", plan.is_metered() ? Value("metered") : Value("licensed"));
  return object;
}

Object& Presenter::plan(const Price& price, Timestamp agreed) { return plan(agreed_plan(price, agreed)); }
Object& Presenter::price(const Price& price, Timestamp agreed) { return this->price(agreed_plan(price, agreed)); }

Object& Presenter::price(const Plan& plan) {
  const bool tiered = plan.tiers_mode != TiersMode::none;
  Object& object = document_.object(24);
  object.add("id", id(plan.id));
  object.add("object", "price");
  object.add("active", plan.active && !plan.deleted);
  object.add("billing_scheme", tiered ? Value("tiered") : Value("per_unit"));
  object.add("created", time(plan.created));
  object.add("currency", document_.text(plan.currency().code()));
  object.add("custom_unit_amount", nullptr);
  object.add("livemode", mode_ == Mode::live);
  object.add("lookup_key", document_.text_or_null(plan.lookup_key));
  object.add("metadata", metadata(plan.metadata));
  object.add("nickname", document_.text_or_null(plan.nickname));
  object.add("product", id(plan.product));
  if (plan.one_time) {
    object.add("recurring", nullptr);
  } else {
    Object& recurring = document_.object(5);
    recurring.add("aggregate_usage", plan.is_metered() ? document_.text(name(plan.aggregation)) : Value());
    recurring.add("interval", document_.text(to_text(plan.recurrence.interval)));
    recurring.add("interval_count", plan.recurrence.count);
    recurring.add("trial_period_days", plan.trial_period_days > 0 ? Value(plan.trial_period_days) : Value());
    recurring.add("usage_type", plan.is_metered() ? Value("metered") : Value("licensed"));
    object.add("recurring", recurring);
  }
  object.add("tax_behavior", document_.text(name(plan.tax_behavior)));
  // No list at all where there are no tiers: the descriptions know no null here.
  if (const Value all = tiers(plan); !all.is_null()) object.add("tiers", all);
  object.add("tiers_mode", tiered ? document_.text(name(plan.tiers_mode)) : Value());
  object.add("transform_quantity", transform(plan.transform));
  object.add("type", plan.one_time ? Value("one_time") : Value("recurring"));
  object.add("unit_amount", tiered ? Value() : whole_or_null(plan.unit_decimal()));
  object.add("unit_amount_decimal", tiered ? Value() : document_.text(to_text(plan.unit_decimal())));
  return object;
}

Object& Presenter::product(const Product& product) {
  Object& object = document_.object(26);
  object.add("id", id(product.id));
  object.add("object", "product");
  object.add("active", product.active && !product.deleted);
  object.add("attributes", texts(product.attributes));
  object.add("caption", nullptr);
  object.add("created", time(product.created));
  object.add("default_price", id_or_null(product.default_price));
  object.add("description", document_.text_or_null(product.description));
  object.add("features", document_.array());
  object.add("images", texts(product.images));
  object.add("livemode", mode_ == Mode::live);
  object.add("metadata", metadata(product.metadata));
  object.add("name", document_.text(product.name));
  object.add("package_dimensions", nullptr);
  object.add("shippable", nullptr);
  object.add("statement_descriptor", document_.text_or_null(product.statement_descriptor));
  object.add("tax_code", document_.text_or_null(product.tax_code));
  object.add("type", document_.text(product.type));
  object.add("unit_label", document_.text_or_null(product.unit_label));
  object.add("updated", time(product.updated));
  object.add("url", document_.text_or_null(product.url));
  return object;
}

Object& Presenter::coupon(const Coupon& coupon, Timestamp now) {
  const bool is_share = !coupon.percent_off.is_zero();
  Object& object = document_.object(20);
  object.add("id", id(coupon.id));
  object.add("object", "coupon");
  object.add("amount_off", is_share ? Value() : Value(coupon.amount_off.minor));
  if (!coupon.products.empty()) {
    Array& products = document_.array(coupon.products.size());
    for (const ProductId& product : coupon.products) products.add(id(product));
    Object& applies = document_.object(1);
    applies.add("products", products);
    object.add("applies_to", applies);
  }
  object.add("created", time(coupon.created));
  object.add("currency", is_share ? Value() : document_.text(coupon.amount_off.currency.code()));
  object.add("duration", document_.text(name(coupon.duration)));
  object.add("duration_in_months", limit_or_null(coupon.duration_in_months));
  object.add("livemode", mode_ == Mode::live);
  object.add("max_redemptions", limit_or_null(coupon.max_redemptions));
  object.add("metadata", metadata(coupon.metadata));
  object.add("name", document_.text_or_null(coupon.name));
  object.add("percent_off", is_share ? document_.number(to_text(coupon.percent_off)) : Value());
  object.add("percent_off_precise", is_share ? document_.number(to_text(coupon.percent_off)) : Value());
  object.add("redeem_by", time_or_null(coupon.redeem_by));
  object.add("times_redeemed", known_.times_redeemed(mode_, coupon));
  object.add("valid", is_valid(coupon, known_.times_redeemed(mode_, coupon), now));
  return object;
}

Object& Presenter::promotion_code(const PromotionCode& code, const Coupon* coupon, Timestamp now) {
  Object& object = document_.object(14);
  object.add("id", id(code.id));
  object.add("object", "promotion_code");
  const std::int64_t times_redeemed = known_.times_redeemed(mode_, code);
  // Source: Stripe, "a promotion code is only active if the coupon is also valid".
  const bool has_coupon = coupon != nullptr && is_valid(*coupon, known_.times_redeemed(mode_, *coupon), now);
  object.add("active", code.active && has_coupon && (!code.expires_at || *code.expires_at > now) &&
                           (code.max_redemptions == 0 || times_redeemed < code.max_redemptions));
  object.add("code", document_.text(code.code));
  object.add("coupon", coupon != nullptr ? Value(this->coupon(*coupon, now)) : id(code.coupon));
  object.add("created", time(code.created));
  object.add("customer", id_or_null(code.customer));
  object.add("expires_at", time_or_null(code.expires_at));
  object.add("livemode", mode_ == Mode::live);
  object.add("max_redemptions", limit_or_null(code.max_redemptions));
  object.add("metadata", metadata(code.metadata));
  const bool has_minimum = code.minimum_amount.minor > 0;
  Object& restrictions = document_.object(3);
  restrictions.add("first_time_transaction", code.first_time_transaction);
  restrictions.add("minimum_amount", has_minimum ? Value(code.minimum_amount.minor) : Value());
  restrictions.add("minimum_amount_currency",
                   has_minimum ? document_.text(code.minimum_amount.currency.code()) : Value());
  object.add("restrictions", restrictions);
  object.add("times_redeemed", times_redeemed);
  return object;
}

Object& Presenter::tax_rate(const TaxRate& rate) {
  Object& object = document_.object(16);
  object.add("id", id(rate.id));
  object.add("object", "tax_rate");
  object.add("active", rate.active);
  object.add("country", document_.text_or_null(rate.country));
  object.add("created", time(rate.created));
  object.add("description", document_.text_or_null(rate.description));
  object.add("display_name", document_.text(rate.display_name));
  object.add("effective_percentage", document_.number(to_text(rate.percentage)));
  object.add("inclusive", rate.inclusive);
  object.add("jurisdiction", document_.text_or_null(rate.jurisdiction));
  object.add("livemode", mode_ == Mode::live);
  object.add("metadata", metadata(rate.metadata));
  object.add("percentage", document_.number(to_text(rate.percentage)));
  object.add("state", document_.text_or_null(rate.state));
  object.add("tax_type", document_.text_or_null(rate.tax_type));
  return object;
}

Object& Presenter::test_clock(const TestClock& clock) {
  Object& object = document_.object(8);
  object.add("id", id(clock.id));
  object.add("object", "test_helpers.test_clock");
  object.add("created", time(clock.created));
  object.add("deletes_after", time(clock.deletes_after));
  object.add("frozen_time", time(clock.frozen_time));
  object.add("livemode", false);
  object.add("name", document_.text_or_null(clock.name));
  object.add("status", clock.status == TestClockStatus::ready ? Value("ready") : Value("advancing"));
  return object;
}

}  // namespace billd::api::stripe
