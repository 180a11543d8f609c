// Operations on plans and prices: one record, told in two ways.
#include <algorithm>

#include "net/api/random_id.hpp"
#include "net/api/stripe/catalog_objects.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/api/stripe/pricing_parameters.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::array<std::string_view, 2> price_types = {"one_time", "recurring"};

constexpr std::array create_plan_table = {
    integer("amount", 0, amount_max),
    text("amount_decimal", 32),
    currency("currency").required(),
    choice("interval", intervals).required(),
    text("id", 250),
    integer("interval_count", 1, 1096),
    text("nickname").clearable(),
    text("name").clearable(),
    text_or_map("product", inline_product_rules),
    text("statement_descriptor", 22).clearable(),
    integer("trial_period_days", 0, plan_trial_days_max),
    boolean("active"),
    choice("billing_scheme", billing_schemes),
    choice("usage_type", usage_types),
    choice("aggregate_usage", aggregations),
    list("tiers", tier_rules),
    choice("tiers_mode", tiers_modes),
    map("transform_usage", transform_rules),
    metadata(),
    list("expand"),
};
constexpr std::array update_plan_table = {
    text("nickname").clearable(),
    text("name").clearable(),
    text("product"),
    text("statement_descriptor", 22).clearable(),
    integer("trial_period_days", 0, plan_trial_days_max).clearable(),
    boolean("active"),
    metadata(),
    list("expand"),
};
constexpr std::array list_plans_table = filtered_page_rules + std::array{boolean("active"), text("product")};

constexpr std::array create_price_table = {
    integer("unit_amount", 0, amount_max),
    text("unit_amount_decimal", 32),
    currency("currency").required(),
    map("recurring", recurring_rules),
    text("product"),
    map("product_data", inline_product_rules),
    text("nickname").clearable(),
    boolean("active"),
    choice("billing_scheme", billing_schemes),
    list("tiers", tier_rules),
    choice("tiers_mode", tiers_modes),
    map("transform_quantity", transform_rules),
    choice("tax_behavior", tax_behaviors),
    text("lookup_key", 200).clearable(),
    boolean("transfer_lookup_key"),
    metadata(),
    list("expand"),
};
constexpr std::array update_price_table = {
    text("nickname").clearable(),
    boolean("active"),
    choice("tax_behavior", tax_behaviors),
    text("lookup_key", 200).clearable(),
    boolean("transfer_lookup_key"),
    metadata(),
    list("expand"),
};
constexpr std::array list_recurring_rules = {choice("interval", intervals), choice("usage_type", usage_types)};
constexpr std::array list_prices_table =
    filtered_page_rules + std::array{
                              boolean("active"),           text("product"),
                              currency("currency"),        list("lookup_keys"),
                              choice("type", price_types), map("recurring", list_recurring_rules),
                          };
constexpr std::array retrieve_table = {list("expand")};
constexpr std::array<Rule, 0> delete_table = {};

Object& show_plan(Presenter& present, const Services&, Mode, const Plan& plan) { return present.plan(plan); }
Object& show_price(Presenter& present, const Services&, Mode, const Plan& plan) { return present.price(plan); }

/// Names the product in the plan, and puts a new one into the change.
void take_product(Plan& plan, const Product& product, store::CatalogChange* change) {
  plan.product = product.id;
  plan.product_name = product.name;
  if (change != nullptr) change->put(product);
}

/// The product that a parameter names, among those that are there.
Result<void> name_product(const Services& services, const Call& call, Plan& plan, std::string_view parameter) {
  const std::string id = call.arguments().text_or_empty(parameter);
  const auto product = services.catalog.get<Product>(call.mode, id);
  if (product == nullptr || product->deleted) return no_such("product", id, parameter);
  take_product(plan, *product, nullptr);
  return {};
}

Result<void> describe_product(const Services& services, const Call& call, const Arguments& described, Plan& plan,
                              store::CatalogChange& change) {
  auto product = read_inline_product(described, services.billing.now());
  if (!product) return product.error();
  const auto taken = services.catalog.get<Product>(call.mode, product->id.value());
  if (taken != nullptr && !taken->deleted) return Failure{Errc::already_exists, "Product already exists.", "product"};
  plan.product = product->id;
  plan.product_name = product->name;
  change.put(*product, taken.get());
  return {};
}

/// The plan's product: described here, one that is there, or named by the plan as in old versions.
Result<void> read_product(const Services& services, const Call& call, Plan& plan, store::CatalogChange& change) {
  const Arguments arguments = call.arguments();
  if (const auto described = arguments.map("product"))
    return describe_product(services, call, *described, plan, change);
  if (arguments.has("product")) return name_product(services, call, plan, "product");
  // Beyond what Stripe does, a nickname is enough: the product is called the same.
  Product product;
  product.name = arguments.text_or_empty(arguments.has_value("name") ? "name" : "nickname");
  if (product.name.empty()) return Failure{Errc::missing_parameter, "Missing required param: product.", "product"};
  product.id = random_id<ProductKind>();
  product.created = product.updated = services.billing.now();
  product.statement_descriptor = arguments.text_or_empty("statement_descriptor");
  take_product(plan, product, &change);
  return {};
}

/// Gives the price its lookup key, which another one loses if the request says so. The catalog must be as it was looked
/// at: nobody else may take the key meanwhile.
Result<void> take_lookup_key(const Services& services, const Call& call, Plan& plan, store::CatalogChange& change) {
  const Arguments arguments = call.arguments();
  const auto key = arguments.text("lookup_key");
  if (!key) return {};
  plan.lookup_key = *key;
  if (key->empty()) return {};
  change.only_at(services.catalog.version());
  for (const Plan& other : services.catalog.all<Plan>(call.mode)) {
    if (other.lookup_key != *key || other.id == plan.id || other.deleted) continue;
    if (!arguments.boolean("transfer_lookup_key").value_or(false))
      return Failure{Errc::invalid_parameter,
                     "A price (`" + other.id.value() +
                         "`) already uses that lookup key. Use the transfer_lookup_key "
                         "parameter to have it transferred.",
                     "lookup_key"};
    Plan without = other;
    without.lookup_key.clear();
    change.put(without, &other);
  }
  return {};
}

/// Changes what may be changed of both.
Result<Plan> apply(const Arguments& arguments, Plan plan) {
  if (auto nickname = arguments.text("nickname")) plan.nickname = std::move(*nickname);
  if (auto active = arguments.boolean("active")) plan.active = *active;
  auto metadata = arguments.metadata_over(plan.metadata);
  if (!metadata) return metadata.error();
  plan.metadata = std::move(*metadata);
  return plan;
}

Result<void> change_tax_behavior(const Arguments& arguments, Plan& plan) {
  const auto given = arguments.text("tax_behavior");
  if (!given) return {};
  const auto at = std::ranges::find(tax_behaviors, *given);
  const auto behavior = static_cast<TaxBehavior>(at - tax_behaviors.begin());
  if (plan.tax_behavior != TaxBehavior::unspecified && plan.tax_behavior != behavior)
    return Failure{Errc::invalid_parameter, "The tax behavior of a price cannot be changed once it is set.",
                   "tax_behavior"};
  plan.tax_behavior = behavior;
  return {};
}

}  // namespace

constinit const std::span<const Rule> create_plan_rules = create_plan_table;
constinit const std::span<const Rule> retrieve_plan_rules = retrieve_table;
constinit const std::span<const Rule> update_plan_rules = update_plan_table;
constinit const std::span<const Rule> delete_plan_rules = delete_table;
constinit const std::span<const Rule> list_plans_rules = list_plans_table;
constinit const std::span<const Rule> create_price_rules = create_price_table;
constinit const std::span<const Rule> retrieve_price_rules = retrieve_table;
constinit const std::span<const Rule> update_price_rules = update_price_table;
constinit const std::span<const Rule> list_prices_rules = list_prices_table;

awaitable<Result<Outcome>> create_plan(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  auto plan = read_plan(arguments);
  if (!plan) co_return plan.error();
  plan->id = arguments.has("id") ? PlanId(arguments.text_or_empty("id")) : random_id<PlanKind>();
  plan->created = services.billing.now();
  store::CatalogChange change(call.mode);
  auto product = read_product(services, call, *plan, change);
  if (!product) co_return product.error();
  co_return co_await create_object<Plan>(services, std::move(call), std::move(*plan), std::move(change), show_plan);
}

awaitable<Result<Outcome>> retrieve_plan(Services& services, Call call) {
  std::string id = call.variable("plan");
  return retrieve_object<Plan>(services, std::move(call), std::move(id), "plan", show_plan);
}

awaitable<Result<Outcome>> update_plan(Services& services, Call call) {
  const std::string id = call.variable("plan");
  const auto change = [&services, &call](Plan before) -> Result<Plan> {
    const Arguments arguments = call.arguments();
    auto after = apply(arguments, std::move(before));
    if (!after) return after;
    if (arguments.has("product")) {
      auto product = name_product(services, call, *after, "product");
      if (!product) return product.error();
    }
    if (auto name = arguments.text("name")) after->product_name = std::move(*name);
    if (arguments.has("trial_period_days"))
      after->trial_period_days = static_cast<std::int32_t>(arguments.integer("trial_period_days").value_or(0));
    return after;
  };
  co_return co_await change_object<Plan>(services, call, id, "plan", change, show_plan);
}

awaitable<Result<Outcome>> delete_plan(Services& services, Call call) {
  std::string id = call.variable("plan");
  return delete_object<Plan>(services, std::move(call), std::move(id), "plan");
}

awaitable<Result<Outcome>> list_plans(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  const auto belongs = [active = arguments.boolean("active"), product = arguments.text("product")](const Plan& plan) {
    if (plan.one_time || (active && plan.active != *active)) return false;
    return !product || plan.product.value() == *product;
  };
  return list_objects<Plan>(services, std::move(call), belongs, show_plan);
}

awaitable<Result<Outcome>> create_price(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  if (arguments.has("product") && arguments.has("product_data"))
    co_return Failure{Errc::invalid_parameter,
                      "Received both product and product_data parameters. Please pass in only one.", "product"};
  if (!arguments.has("product") && !arguments.has("product_data"))
    co_return Failure{Errc::missing_parameter, "Missing required param: product.", "product"};
  auto plan = read_price(arguments);
  if (!plan) co_return plan.error();
  plan->id = random_price_id();
  plan->created = services.billing.now();
  for (int attempt = 0;; ++attempt) {
    store::CatalogChange change(call.mode);
    const auto described = arguments.map("product_data");
    auto product = described ? describe_product(services, call, *described, *plan, change)
                             : name_product(services, call, *plan, "product");
    if (!product) co_return product.error();
    auto key = take_lookup_key(services, call, *plan, change);
    if (!key) co_return key.error();
    auto created = co_await create_object<Plan>(services, call, *plan, std::move(change), show_price);
    // The identifier is new: only the lookup key can have been in the way.
    if (!created && created.error().code == Errc::already_exists && attempt < conflicts_max) continue;
    co_return created;
  }
}

awaitable<Result<Outcome>> retrieve_price(Services& services, Call call) {
  std::string id = call.variable("price");
  return retrieve_object<Plan>(services, std::move(call), std::move(id), "price", show_price);
}

awaitable<Result<Outcome>> update_price(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  const std::string id = call.variable("price");
  for (int attempt = 0;; ++attempt) {
    auto before = co_await find_object<Plan>(services, call, id, "price");
    if (!before) co_return before.error();
    auto after = apply(arguments, **before);
    if (!after) co_return after.error();
    auto behavior = change_tax_behavior(arguments, *after);
    if (!behavior) co_return behavior.error();
    store::CatalogChange change(call.mode);
    auto key = take_lookup_key(services, call, *after, change);
    if (!key) co_return key.error();
    change.put(*after, before->get());
    auto outcome = co_await answer_object<Plan>(services, call, *after, show_price);
    if (!outcome) co_return outcome;
    auto idempotency = saved_with(call, *outcome);
    auto put = co_await services.catalog.commit(std::move(change), std::move(idempotency));
    if (put) co_return outcome;
    if (put.error().code == Errc::conflict && attempt < conflicts_max) continue;
    co_return co_await answer_refusal(services, call, put.error());
  }
}

awaitable<Result<Outcome>> list_prices(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  const auto recurring = arguments.map("recurring");
  const auto belongs = [active = arguments.boolean("active"), product = arguments.text("product"),
                        currency = arguments.text("currency"), type = arguments.text("type"),
                        keys = arguments.texts("lookup_keys"), by_key = arguments.has("lookup_keys"),
                        interval = recurring ? recurring->text("interval") : std::nullopt,
                        usage = recurring ? recurring->text("usage_type") : std::nullopt](const Plan& plan) {
    if (active && plan.active != *active) return false;
    if (product && plan.product.value() != *product) return false;
    if (currency && *Currency::parse(*currency) != plan.currency()) return false;
    if (type && plan.one_time != (*type == "one_time")) return false;
    if (interval && (plan.one_time || to_text(plan.recurrence.interval) != *interval)) return false;
    if (usage && (plan.one_time || plan.is_metered() != (*usage == "metered"))) return false;
    return !by_key || (!plan.lookup_key.empty() && std::ranges::find(keys, plan.lookup_key) != keys.end());
  };
  return list_objects<Plan>(services, std::move(call), belongs, show_price);
}

}  // namespace billd::api::stripe
