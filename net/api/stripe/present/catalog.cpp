// Plans, prices, products and test clocks as Stripe shows them.
#include "net/api/stripe/present/words.hpp"
#include "net/api/stripe/presenter.hpp"

namespace billd::api::stripe {

Object& Presenter::plan(const Plan& plan) {
  Object& object = document_.object(24);
  object.add("id", id(plan.id));
  object.add("object", "plan");
  object.add("active", plan.active);
  object.add("aggregate_usage", nullptr);
  object.add("amount", plan.unit_amount.minor);
  object.add("amount_decimal", document_.text(std::to_string(plan.unit_amount.minor)));
  object.add("billing_scheme", "per_unit");
  object.add("created", time(plan.created));
  object.add("currency", document_.text(plan.unit_amount.currency.code()));
  object.add("interval", document_.text(to_text(plan.recurrence.interval)));
  object.add("interval_count", plan.recurrence.count);
  object.add("livemode", mode_ == Mode::live);
  object.add("metadata", metadata(plan.metadata));
  object.add("name", document_.text_or_null(plan.product_name.empty() ? plan.nickname : plan.product_name));
  object.add("nickname", document_.text_or_null(plan.nickname));
  object.add("product", id_or_null(plan.product));
  object.add("statement_descriptor", nullptr);
  object.add("tiers_mode", nullptr);
  object.add("transform_usage", nullptr);
  object.add("trial_period_days", plan.trial_period_days > 0 ? Value(plan.trial_period_days) : Value());
  object.add("usage_type", "licensed");
  return object;
}

Object& Presenter::plan(const Price& price, Timestamp agreed) {
  if (const Plan* known = known_.plan(price.id)) return plan(*known);
  // The plan is not to be had: what was agreed is all that is known of it.
  Plan agreed_plan;
  agreed_plan.id = price.id;
  agreed_plan.created = agreed;
  agreed_plan.product = price.product;
  agreed_plan.nickname = price.nickname;
  agreed_plan.unit_amount = price.unit_amount;
  agreed_plan.recurrence = price.recurrence;
  return plan(agreed_plan);
}

Object& Presenter::price(const Price& price, Timestamp agreed) {
  const Plan* plan = known_.plan(price.id);
  Object& object = document_.object(20);
  object.add("id", id(price.id));
  object.add("object", "price");
  object.add("active", plan == nullptr || plan->active);
  object.add("billing_scheme", "per_unit");
  object.add("created", time(plan != nullptr ? plan->created : agreed));
  object.add("currency", document_.text(price.unit_amount.currency.code()));
  object.add("custom_unit_amount", nullptr);
  object.add("livemode", mode_ == Mode::live);
  object.add("lookup_key", nullptr);
  object.add("metadata", metadata(plan != nullptr ? plan->metadata : Metadata()));
  object.add("nickname", document_.text_or_null(plan != nullptr ? plan->nickname : price.nickname));
  object.add("product", id(price.product));
  Object& recurring = document_.object(4);
  recurring.add("aggregate_usage", nullptr);
  recurring.add("interval", document_.text(to_text(price.recurrence.interval)));
  recurring.add("interval_count", price.recurrence.count);
  recurring.add("usage_type", "licensed");
  object.add("recurring", recurring);
  object.add("tax_behavior", "unspecified");
  object.add("tiers_mode", nullptr);
  object.add("transform_quantity", nullptr);
  object.add("type", "recurring");
  object.add("unit_amount", price.unit_amount.minor);
  object.add("unit_amount_decimal", document_.text(std::to_string(price.unit_amount.minor)));
  return object;
}

Object& Presenter::product(const Plan& plan) {
  Object& object = document_.object(24);
  object.add("id", id(plan.product));
  object.add("object", "product");
  object.add("active", true);
  object.add("attributes", document_.array());
  object.add("caption", nullptr);
  object.add("created", time(plan.created));
  object.add("default_price", nullptr);
  object.add("description", nullptr);
  object.add("features", document_.array());
  object.add("images", document_.array());
  object.add("livemode", mode_ == Mode::live);
  object.add("metadata", document_.object(0));
  object.add("name", document_.text(plan.product_name.empty() ? plan.product.value() : plan.product_name));
  object.add("package_dimensions", nullptr);
  object.add("shippable", nullptr);
  object.add("statement_descriptor", nullptr);
  object.add("tax_code", nullptr);
  object.add("type", "service");
  object.add("unit_label", nullptr);
  object.add("updated", time(plan.created));
  object.add("url", nullptr);
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
