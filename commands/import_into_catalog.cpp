#include "commands/import_into_catalog.hpp"

#include <utility>

#include "commands/import_adoption.hpp"

namespace billd::commands {

namespace json = boost::json;

awaitable<Result<void>> CatalogImport::run() {
  auto taken = co_await take_products();
  if (!taken) co_return taken.error();
  auto plans = co_await reader_.plans();
  if (!plans) co_return plans.error();
  taken = co_await take_prices(std::move(*plans), "plan");
  if (!taken) co_return taken.error();
  // Those that recur are plans, too.
  auto prices = co_await reader_.prices();
  if (!prices) co_return prices.error();
  std::erase_if(*prices, [this](const json::object& price) { return prices_.contains(text_of(price, "id")); });
  taken = co_await take_prices(std::move(*prices), "price");
  if (!taken) co_return taken.error();
  taken = co_await take_coupons();
  if (!taken) co_return taken.error();
  taken = co_await take_promotion_codes();
  if (!taken) co_return taken.error();
  taken = co_await take_tax_rates();
  if (!taken) co_return taken.error();
  if (mode_ == Mode::live) co_return Result<void>();
  co_return co_await take_test_clocks();
}

awaitable<Result<void>> CatalogImport::take_products() {
  auto products = co_await reader_.products();
  if (!products) co_return products.error();
  for (const json::object& each : *products) {
    std::string id = text_of(each, "id");
    product_names_[id] = text_of(each, "name");
    auto product = read_product(each);
    auto taken = co_await take("product", std::move(id), std::move(product));
    if (!taken) co_return taken.error();
  }
  co_return Result<void>();
}

awaitable<Result<void>> CatalogImport::take_prices(Objects foreign, std::string kind) {
  for (const json::object& each : foreign) {
    std::string id = text_of(each, "id");
    const auto name = product_names_.find(identifier_of(each, "product"));
    auto plan = read_plan(each, name != product_names_.end() ? name->second : std::string());
    if (plan) prices_.insert_or_assign(id, plan->price());
    auto taken = co_await take(kind, std::move(id), std::move(plan));
    if (!taken) co_return taken.error();
  }
  co_return Result<void>();
}

awaitable<Result<void>> CatalogImport::take_coupons() {
  auto coupons = co_await reader_.coupons();
  if (!coupons) co_return coupons.error();
  for (const json::object& each : *coupons) {
    auto coupon = read_coupon(each);
    if (coupon) {
      auto counted = co_await begin_with(*coupon, integer_of(each, "times_redeemed"));
      if (!counted) co_return counted.error();
      coupons_.insert_or_assign(coupon->id.value(), coupon->terms());
    }
    std::string id = text_of(each, "id");
    auto taken = co_await take("coupon", std::move(id), std::move(coupon));
    if (!taken) co_return taken.error();
  }
  co_return Result<void>();
}

awaitable<Result<void>> CatalogImport::take_promotion_codes() {
  auto codes = co_await reader_.promotion_codes();
  if (!codes) co_return codes.error();
  for (const json::object& each : *codes) {
    auto code = read_promotion_code(each);
    if (code) code = check_code(std::move(*code));
    if (code) {
      auto counted = co_await begin_with(*code, integer_of(each, "times_redeemed"));
      if (!counted) co_return counted.error();
    }
    std::string id = text_of(each, "id");
    auto taken = co_await take("promotion_code", std::move(id), std::move(code));
    if (!taken) co_return taken.error();
  }
  co_return Result<void>();
}

awaitable<Result<void>> CatalogImport::take_tax_rates() {
  auto rates = co_await reader_.tax_rates();
  if (!rates) co_return rates.error();
  for (const json::object& each : *rates) {
    auto rate = read_tax_rate(each);
    if (rate) tax_rates_.insert_or_assign(rate->id.value(), *rate);
    std::string id = text_of(each, "id");
    auto taken = co_await take("tax_rate", std::move(id), std::move(rate));
    if (!taken) co_return taken.error();
  }
  co_return Result<void>();
}

awaitable<Result<void>> CatalogImport::take_test_clocks() {
  auto clocks = co_await reader_.test_clocks();
  if (!clocks) co_return clocks.error();
  for (const json::object& each : *clocks) {
    auto clock = read_test_clock(each);
    std::string id = text_of(each, "id");
    auto taken = co_await take("test_clock", std::move(id), std::move(clock));
    if (!taken) co_return taken.error();
  }
  co_return Result<void>();
}

/// Writes an object of the catalog, unless there is one of that name.
template <class Object>
awaitable<Result<void>> CatalogImport::take(std::string kind, std::string id, Result<Object> object) {
  if (!object) {
    report_.refuse(std::move(kind), std::move(id), object.error().detail);
    co_return Result<void>();
  }
  auto put = co_await session_.catalog().put<Object>(mode_, std::move(*object), std::nullopt);
  if (!put && put.error().code != Errc::already_exists) co_return put.error();
  ImportReport::Count& count = report_.kinds[kind];
  ++(put ? count.taken : count.known);
  co_return Result<void>();
}

/// How often it was redeemed elsewhere, before it is there: one that is there counts for itself.
template <class Object>
awaitable<Result<void>> CatalogImport::begin_with(const Object& object, std::int64_t times) {
  if (times <= 0 || session_.catalog().get<Object>(mode_, object.id.value()) != nullptr) co_return Result<void>();
  co_return co_await session_.catalog().redemptions().begin_with(mode_, object, times);
}

/// Its customer by billd's identifier; among the active ones a code stands once.
Result<PromotionCode> CatalogImport::check_code(PromotionCode code) {
  if (!coupons_.contains(code.coupon.value()))
    return refusal("its coupon " + code.coupon.value() + " was not taken", "coupon");
  if (!code.customer.is_empty()) code.customer = native_customer(mode_, code.customer);
  for (const PromotionCode& other : session_.catalog().all<PromotionCode>(mode_))
    if (code.active && other.active && other.id != code.id && other.code == code.code)
      return refusal("the code " + code.code + " is that of " + other.id.value(), "code");
  return code;
}

}  // namespace billd::commands
