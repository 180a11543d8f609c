// Operations on coupons and promotion codes.
#include <algorithm>

#include "net/api/random_id.hpp"
#include "net/api/stripe/catalog_objects.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/api/stripe/pricing_parameters.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::array<std::string_view, 3> durations = {"once", "repeating", "forever"};

constexpr std::array applies_to_rules = {list("products")};
constexpr std::array create_coupon_table = {
    text("id", 250),
    choice("duration", durations),
    integer("duration_in_months", 1, 1200),
    text("percent_off", 32),
    integer("amount_off", 1, amount_max),
    currency("currency"),
    integer("max_redemptions", 1, 1'000'000'000),
    timestamp("redeem_by"),
    text("name", 40).clearable(),
    map("applies_to", applies_to_rules),
    metadata(),
    list("expand"),
};
constexpr std::array update_coupon_table = {text("name", 40).clearable(), metadata(), list("expand")};
constexpr std::array retrieve_table = {list("expand")};
constexpr std::array<Rule, 0> delete_table = {};
constexpr std::array list_coupons_table = filtered_page_rules;

constexpr std::array restriction_rules = {
    boolean("first_time_transaction"),
    integer("minimum_amount", 1, amount_max),
    currency("minimum_amount_currency"),
};
constexpr std::array create_code_table = {
    text("coupon").required(),
    text("code", 500),
    boolean("active"),
    text("customer"),
    timestamp("expires_at"),
    integer("max_redemptions", 1, 1'000'000'000),
    map("restrictions", restriction_rules),
    metadata(),
    list("expand"),
};
constexpr std::array update_code_table = {boolean("active"), metadata(), list("expand")};
constexpr std::array list_codes_table =
    filtered_page_rules + std::array{boolean("active"), text("code"), text("coupon"), text("customer")};

Object& show_coupon(Presenter& present, const Services& services, Mode, const Coupon& coupon) {
  return present.coupon(coupon, services.billing.now());
}

Object& show_code(Presenter& present, const Services& services, Mode mode, const PromotionCode& code) {
  const auto coupon = services.catalog.get<Coupon>(mode, code.coupon.value());
  return present.promotion_code(code, coupon.get(), services.billing.now());
}

/// What the coupon takes off: a share, or an amount in a currency.
Result<void> read_value(const Arguments& arguments, Coupon& coupon) {
  if (arguments.has("percent_off") == arguments.has("amount_off"))
    return Failure{Errc::invalid_parameter, "You must pass either percent_off or amount_off.", "percent_off"};
  if (arguments.has("percent_off")) {
    if (arguments.has("currency"))
      return Failure{Errc::invalid_parameter, "You cannot pass currency when passing percent_off.", "currency"};
    auto share = read_percentage(arguments, "percent_off");
    if (!share) return share.error();
    if (share->is_zero())
      return Failure{Errc::invalid_parameter, "Percent off must be greater than 0 and at most 100.", "percent_off"};
    coupon.percent_off = *share;
    return {};
  }
  if (!arguments.has("currency"))
    return Failure{Errc::missing_parameter, "You must pass currency when passing amount_off.", "currency"};
  coupon.amount_off = {*arguments.integer("amount_off"), *Currency::parse(arguments.text_or_empty("currency"))};
  return {};
}

Result<void> read_duration(const Arguments& arguments, Coupon& coupon) {
  const std::string duration = arguments.text("duration").value_or("once");
  coupon.duration = duration == "forever"     ? CouponDuration::forever
                    : duration == "repeating" ? CouponDuration::repeating
                                              : CouponDuration::once;
  const auto months = arguments.integer("duration_in_months");
  if (coupon.duration == CouponDuration::repeating && !months)
    return Failure{Errc::missing_parameter, "You must pass duration_in_months when passing duration=repeating.",
                   "duration_in_months"};
  if (coupon.duration != CouponDuration::repeating && months)
    return Failure{Errc::invalid_parameter, "You can only pass duration_in_months when passing duration=repeating.",
                   "duration_in_months"};
  coupon.duration_in_months = static_cast<std::int32_t>(months.value_or(0));
  return {};
}

Result<Coupon> read_coupon(const Services& services, const Call& call) {
  const Arguments arguments = call.arguments();
  Coupon coupon;
  coupon.id = CouponId(arguments.has("id") ? arguments.text_or_empty("id") : random_code());
  coupon.created = services.billing.now();
  coupon.name = arguments.text_or_empty("name");
  auto value = read_value(arguments, coupon);
  if (!value) return value.error();
  auto duration = read_duration(arguments, coupon);
  if (!duration) return duration.error();
  coupon.max_redemptions = arguments.integer("max_redemptions").value_or(0);
  coupon.redeem_by = arguments.timestamp("redeem_by");
  if (coupon.redeem_by && *coupon.redeem_by <= coupon.created)
    return Failure{Errc::invalid_parameter, "Invalid timestamp: must be an integer Unix timestamp in the future",
                   "redeem_by"};
  if (const auto applies = arguments.map("applies_to"))
    for (std::string& id : applies->texts("products")) {
      const auto product = services.catalog.get<Product>(call.mode, id);
      if (product == nullptr || product->deleted) return no_such("product", id, "applies_to[products]");
      coupon.products.emplace_back(std::move(id));
    }
  auto metadata = arguments.metadata_over({});
  if (!metadata) return metadata.error();
  coupon.metadata = std::move(*metadata);
  return coupon;
}

Result<PromotionCode> read_code(const Services& services, const Call& call) {
  const Arguments arguments = call.arguments();
  PromotionCode code;
  code.id = random_id<PromotionCodeKind>();
  code.created = services.billing.now();
  const std::string coupon = arguments.text_or_empty("coupon");
  const auto found = services.catalog.get<Coupon>(call.mode, coupon);
  if (found == nullptr || found->deleted) return no_such("coupon", coupon, "coupon");
  code.coupon = found->id;
  code.code = arguments.has("code") ? arguments.text_or_empty("code") : random_code();
  code.active = arguments.boolean("active").value_or(true);
  code.customer = CustomerId(arguments.text_or_empty("customer"));
  code.expires_at = arguments.timestamp("expires_at");
  if (code.expires_at && *code.expires_at <= code.created)
    return Failure{Errc::invalid_parameter, "Invalid timestamp: must be an integer Unix timestamp in the future",
                   "expires_at"};
  code.max_redemptions = arguments.integer("max_redemptions").value_or(0);
  if (found->max_redemptions > 0 && code.max_redemptions > found->max_redemptions)
    return Failure{Errc::invalid_parameter, "A promotion code cannot be redeemed more often than its coupon.",
                   "max_redemptions"};
  if (const auto restrictions = arguments.map("restrictions")) {
    code.first_time_transaction = restrictions->boolean("first_time_transaction").value_or(false);
    const bool has_amount = restrictions->has("minimum_amount");
    if (has_amount != restrictions->has("minimum_amount_currency"))
      return Failure{Errc::invalid_parameter, "A minimum amount is given with its currency.",
                     has_amount ? "restrictions[minimum_amount]" : "restrictions[minimum_amount_currency]"};
    if (has_amount)
      code.minimum_amount = {*restrictions->integer("minimum_amount"),
                             *Currency::parse(restrictions->text_or_empty("minimum_amount_currency"))};
  }
  auto metadata = arguments.metadata_over({});
  if (!metadata) return metadata.error();
  code.metadata = std::move(*metadata);
  return code;
}

bool is_same_code(std::string_view left, std::string_view right) {
  const auto lower = [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter + 32) : letter;
  };
  return std::ranges::equal(left, right, {}, lower, lower);
}

/// Among the active ones a code stands once, whatever the case of its letters.
Result<void> check_code_is_free(const Services& services, const Call& call, const PromotionCode& code) {
  if (!code.active) return {};
  for (const PromotionCode& other : services.catalog.all<PromotionCode>(call.mode))
    if (other.active && other.id != code.id && is_same_code(other.code, code.code))
      return Failure{Errc::already_exists, "An active promotion code with `code: " + code.code + "` already exists.",
                     "code"};
  return {};
}

}  // namespace

constinit const std::span<const Rule> create_coupon_rules = create_coupon_table;
constinit const std::span<const Rule> retrieve_coupon_rules = retrieve_table;
constinit const std::span<const Rule> update_coupon_rules = update_coupon_table;
constinit const std::span<const Rule> delete_coupon_rules = delete_table;
constinit const std::span<const Rule> list_coupons_rules = list_coupons_table;
constinit const std::span<const Rule> create_promotion_code_rules = create_code_table;
constinit const std::span<const Rule> retrieve_promotion_code_rules = retrieve_table;
constinit const std::span<const Rule> update_promotion_code_rules = update_code_table;
constinit const std::span<const Rule> list_promotion_codes_rules = list_codes_table;

awaitable<Result<Outcome>> create_coupon(Services& services, Call call) {
  auto coupon = read_coupon(services, call);
  if (!coupon) co_return coupon.error();
  store::CatalogChange change(call.mode);
  co_return co_await create_object<Coupon>(services, std::move(call), std::move(*coupon), std::move(change),
                                           show_coupon);
}

awaitable<Result<Outcome>> retrieve_coupon(Services& services, Call call) {
  std::string id = call.variable("coupon");
  return retrieve_object<Coupon>(services, std::move(call), std::move(id), "coupon", show_coupon);
}

awaitable<Result<Outcome>> update_coupon(Services& services, Call call) {
  const std::string id = call.variable("coupon");
  const auto change = [&call](Coupon coupon) -> Result<Coupon> {
    const Arguments arguments = call.arguments();
    if (auto name = arguments.text("name")) coupon.name = std::move(*name);
    auto metadata = arguments.metadata_over(coupon.metadata);
    if (!metadata) return metadata.error();
    coupon.metadata = std::move(*metadata);
    return coupon;
  };
  co_return co_await change_object<Coupon>(services, call, id, "coupon", change, show_coupon);
}

awaitable<Result<Outcome>> delete_coupon(Services& services, Call call) {
  std::string id = call.variable("coupon");
  return delete_object<Coupon>(services, std::move(call), std::move(id), "coupon");
}

awaitable<Result<Outcome>> list_coupons(Services& services, Call call) {
  const auto belongs = [](const Coupon&) { return true; };
  return list_objects<Coupon>(services, std::move(call), belongs, show_coupon);
}

awaitable<Result<Outcome>> create_promotion_code(Services& services, Call call) {
  auto code = read_code(services, call);
  if (!code) co_return code.error();
  if (!code->customer.is_empty()) {
    Known known;
    auto account = co_await load_live_customer(services, call.mode, known, code->customer.value(), "customer");
    if (!account) co_return account.error();
  }
  for (int attempt = 0;; ++attempt) {
    auto is_free = check_code_is_free(services, call, *code);
    if (!is_free) co_return is_free.error();
    store::CatalogChange change(call.mode);
    change.only_at(services.catalog.version());
    auto created = co_await create_object<PromotionCode>(services, call, *code, std::move(change), show_code);
    // The identifier is new: only another change of the catalog was in the way.
    if (!created && created.error().code == Errc::already_exists && attempt < conflicts_max) continue;
    co_return created;
  }
}

awaitable<Result<Outcome>> retrieve_promotion_code(Services& services, Call call) {
  std::string id = call.variable("promotion_code");
  return retrieve_object<PromotionCode>(services, std::move(call), std::move(id), "promotion_code", show_code);
}

awaitable<Result<Outcome>> update_promotion_code(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  const std::string id = call.variable("promotion_code");
  for (int attempt = 0;; ++attempt) {
    auto before = co_await find_object<PromotionCode>(services, call, id, "promotion_code");
    if (!before) co_return before.error();
    PromotionCode code = **before;
    if (auto active = arguments.boolean("active")) code.active = *active;
    auto metadata = arguments.metadata_over(code.metadata);
    if (!metadata) co_return metadata.error();
    code.metadata = std::move(*metadata);
    auto is_free = check_code_is_free(services, call, code);
    if (!is_free) co_return is_free.error();
    store::CatalogChange change(call.mode);
    if (code.active && !(*before)->active) change.only_at(services.catalog.version());
    change.put(code, before->get());
    auto outcome = co_await answer_object<PromotionCode>(services, call, code, show_code);
    if (!outcome) co_return outcome;
    auto idempotency = saved_with(call, *outcome);
    auto put = co_await services.catalog.commit(std::move(change), std::move(idempotency));
    if (put) co_return outcome;
    if (put.error().code == Errc::conflict && attempt < conflicts_max) continue;
    co_return co_await answer_refusal(services, call, put.error());
  }
}

awaitable<Result<Outcome>> list_promotion_codes(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  const auto belongs = [active = arguments.boolean("active"), text = arguments.text("code"),
                        coupon = arguments.text("coupon"),
                        customer = arguments.text("customer")](const PromotionCode& code) {
    if (active && code.active != *active) return false;
    if (text && !is_same_code(code.code, *text)) return false;
    if (coupon && code.coupon.value() != *coupon) return false;
    return !customer || code.customer.value() == *customer;
  };
  return list_objects<PromotionCode>(services, std::move(call), belongs, show_code);
}

}  // namespace billd::api::stripe
