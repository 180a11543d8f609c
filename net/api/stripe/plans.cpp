// Operations on plans.
#include <algorithm>

#include "net/api/random_id.hpp"
#include "net/api/stripe/catalog_answers.hpp"
#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/lists.hpp"
#include "net/api/stripe/operations.hpp"

namespace billd::api::stripe {
namespace {

// Source: https://stripe.com/docs/api/plans/create.
constexpr std::int64_t amount_max = 99'999'999;
constexpr std::int64_t trial_days_max = 730;

constexpr std::array<std::string_view, 4> intervals = {"day", "week", "month", "year"};
constexpr std::array<std::string_view, 1> billing_schemes = {"per_unit"};
constexpr std::array<std::string_view, 1> usage_types = {"licensed"};

constexpr std::array product_rules = {
    text("id", 250),
    text("name").required(),
    text("unit_label", 12).clearable(),
    text("statement_descriptor", 22).clearable(),
    metadata(),
};
constexpr std::array create_table = {
    integer("amount", 0, amount_max).required(),
    currency("currency").required(),
    choice("interval", intervals).required(),
    text("id", 250),
    integer("interval_count", 1, 1096),
    text("nickname").clearable(),
    text("name").clearable(),
    text_or_map("product", product_rules),
    text("statement_descriptor", 22).clearable(),
    integer("trial_period_days", 0, trial_days_max),
    boolean("active"),
    choice("billing_scheme", billing_schemes),
    choice("usage_type", usage_types),
    metadata(),
    list("expand"),
};
constexpr std::array retrieve_table = {list("expand")};
constexpr std::array update_table = {
    text("nickname").clearable(),
    text("name").clearable(),
    text("statement_descriptor", 22).clearable(),
    integer("trial_period_days", 0, trial_days_max).clearable(),
    boolean("active"),
    metadata(),
    list("expand"),
};
constexpr std::array<Rule, 0> delete_table = {};
constexpr std::array list_table = filtered_page_rules + std::array{boolean("active"), text("product")};

/// Source: Stripe, "Maximum of three years interval allowed (3 years, 36 months, or 156 weeks)".
std::int64_t intervals_max(Interval interval) {
  switch (interval) {
    case Interval::day:
      return 1095;
    case Interval::week:
      return 156;
    case Interval::month:
      return 36;
    case Interval::year:
      return 3;
  }
  return 0;
}

Result<Recurrence> read_recurrence(const Arguments& arguments) {
  auto interval = parse_interval(arguments.text_or_empty("interval"));
  if (!interval) return interval.error();
  const std::int64_t count = arguments.integer("interval_count").value_or(1);
  if (count > intervals_max(*interval))
    return Failure{Errc::invalid_parameter,
                   "Invalid interval_count: must be at most three years (3 years, 36 months, or 156 weeks)",
                   "interval_count"};
  return Recurrence{*interval, static_cast<std::int32_t>(count)};
}

/// The plan's product: described here, known by an earlier plan, or named by the plan as in old versions.
Result<void> read_product(const Services& services, const Call& call, Plan& plan) {
  const Arguments arguments = call.arguments();
  if (const auto described = arguments.map("product")) {
    plan.product = described->has("id") ? ProductId(described->text_or_empty("id")) : random_id<ProductKind>();
    plan.product_name = described->text_or_empty("name");
    return {};
  }
  if (arguments.has("product")) {
    plan.product = ProductId(arguments.text_or_empty("product"));
    for (const Plan& other : services.catalog.all<Plan>(call.mode))
      if (other.product == plan.product) plan.product_name = other.product_name;
    if (plan.product_name.empty()) plan.product_name = arguments.text_or_empty("name");
    return {};
  }
  // Beyond what Stripe does, a nickname is enough: the product is called the same.
  plan.product_name = arguments.text_or_empty(arguments.has_value("name") ? "name" : "nickname");
  if (plan.product_name.empty()) return Failure{Errc::missing_parameter, "Missing required param: product.", "product"};
  plan.product = random_id<ProductKind>();
  return {};
}

awaitable<Result<Outcome>> show_plan(Services& services, const Call& call, Plan plan) {
  Reply reply(services, call);
  reply.known.put(plan);
  co_return co_await reply.answer(reply.present.plan(plan));
}

}  // namespace

constinit const std::span<const Rule> create_plan_rules = create_table;
constinit const std::span<const Rule> retrieve_plan_rules = retrieve_table;
constinit const std::span<const Rule> update_plan_rules = update_table;
constinit const std::span<const Rule> delete_plan_rules = delete_table;
constinit const std::span<const Rule> list_plans_rules = list_table;

awaitable<Result<Outcome>> create_plan(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  auto recurrence = read_recurrence(arguments);
  if (!recurrence) co_return recurrence.error();
  Plan plan;
  plan.id = arguments.has("id") ? PlanId(arguments.text_or_empty("id")) : random_id<PlanKind>();
  plan.created = services.billing.now();
  plan.nickname = arguments.text_or_empty("nickname");
  plan.unit_amount = Money{*arguments.integer("amount"), *Currency::parse(arguments.text_or_empty("currency"))};
  plan.recurrence = *recurrence;
  plan.trial_period_days = static_cast<std::int32_t>(arguments.integer("trial_period_days").value_or(0));
  plan.active = arguments.boolean("active").value_or(true);
  auto product = read_product(services, call, plan);
  if (!product) co_return product.error();
  auto metadata = arguments.metadata_over({});
  if (!metadata) co_return metadata.error();
  plan.metadata = std::move(*metadata);

  auto outcome = co_await show_plan(services, call, plan);
  if (!outcome) co_return outcome;
  auto idempotency = saved_with(call, *outcome);
  auto put = co_await services.catalog.put<Plan>(call.mode, plan, std::nullopt, std::move(idempotency));
  if (put) co_return outcome;
  if (put.error().code == Errc::already_exists) co_return Failure{Errc::already_exists, "Plan already exists.", "id"};
  co_return co_await answer_refusal(services, call, put.error());
}

awaitable<Result<Outcome>> retrieve_plan(Services& services, Call call) {
  Reply reply(services, call);
  auto plan = co_await load_plan(services, call.mode, reply.known, call.variable("plan"), "plan");
  if (!plan) co_return plan.error();
  co_return co_await reply.answer(reply.present.plan(**plan));
}

awaitable<Result<Outcome>> update_plan(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  for (int attempt = 0;; ++attempt) {
    Known known;
    auto before = co_await load_plan(services, call.mode, known, call.variable("plan"), "plan");
    if (!before) co_return before.error();
    Plan plan = **before;
    if (auto nickname = arguments.text("nickname")) plan.nickname = std::move(*nickname);
    if (auto name = arguments.text("name")) plan.product_name = std::move(*name);
    if (auto active = arguments.boolean("active")) plan.active = *active;
    if (arguments.has("trial_period_days"))
      plan.trial_period_days = static_cast<std::int32_t>(arguments.integer("trial_period_days").value_or(0));
    auto metadata = arguments.metadata_over(plan.metadata);
    if (!metadata) co_return metadata.error();
    plan.metadata = std::move(*metadata);

    auto outcome = co_await show_plan(services, call, plan);
    if (!outcome) co_return outcome;
    auto idempotency = saved_with(call, *outcome);
    auto put = co_await services.catalog.put<Plan>(call.mode, plan, **before, std::move(idempotency));
    if (put) co_return outcome;
    if (put.error().code == Errc::conflict && attempt < conflicts_max) continue;
    co_return co_await answer_refusal(services, call, put.error());
  }
}

awaitable<Result<Outcome>> delete_plan(Services& services, Call call) {
  for (int attempt = 0;; ++attempt) {
    Reply reply(services, call);
    auto before = co_await load_plan(services, call.mode, reply.known, call.variable("plan"), "plan");
    if (!before) co_return before.error();
    Plan plan = **before;
    plan.deleted = true;
    plan.active = false;
    auto put = co_await services.catalog.put<Plan>(call.mode, plan, **before);
    if (!put && put.error().code == Errc::conflict && attempt < conflicts_max) continue;
    if (!put) co_return put.error();
    co_return co_await reply.answer(reply.present.deleted(plan.id.value(), "plan"));
  }
}

awaitable<Result<Outcome>> list_plans(Services& services, Call call) {
  auto query = page_query(call);
  if (!query) co_return query.error();
  const Arguments arguments = call.arguments();
  Reply reply(services, call);
  std::vector<std::string> newest_first;
  for (const Plan& plan : services.catalog.all<Plan>(call.mode)) {
    if (plan.deleted || !query->created.holds(plan.created)) continue;
    if (arguments.has("active") && plan.active != arguments.boolean("active")) continue;
    if (arguments.has("product") && plan.product.value() != arguments.text_or_empty("product")) continue;
    newest_first.push_back(plan.id.value());
    reply.known.put(plan);
  }
  auto page = cut_page(std::move(newest_first), *query, "plan");
  if (!page) co_return page.error();
  co_return co_await answer_page(services, call, reply, Kind::plan, std::move(*page), "/v1/plans");
}

}  // namespace billd::api::stripe
