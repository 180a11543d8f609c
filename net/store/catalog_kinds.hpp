// The kinds of objects that the catalog keeps: what each is called, and how it is stored.
//
// A new kind takes three steps: encode() and a decoding function in encoding.hpp, a CatalogKind here, and its place in
// CatalogKinds.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "config/keys.hpp"
#include "engine/catalog.hpp"
#include "net/store/encoding.hpp"

namespace billd::store {

/// How objects of a kind are kept:
///   table    the hash that holds them, one for each mode (without a mode: one for all)
///   has_mode whether test and live objects are kept apart
///   name     what people call one: "No such plan: gold"; it is the parameter that names one, too
///   decode   reads what encode() wrote
///   field    the object's name in the hash; it never changes
/// Objects have `created`. One with a member `deleted` that is true is kept, but not found.
template <class Object>
struct CatalogKind;

template <>
struct CatalogKind<Plan> {
  static constexpr std::string_view table = "plans", name = "plan";
  static constexpr bool has_mode = true;
  static constexpr auto decode = decode_plan;
  static const std::string& field(const Plan& plan) { return plan.id.value(); }
};

template <>
struct CatalogKind<Product> {
  static constexpr std::string_view table = "products", name = "product";
  static constexpr bool has_mode = true;
  static constexpr auto decode = decode_product;
  static const std::string& field(const Product& product) { return product.id.value(); }
};

template <>
struct CatalogKind<Coupon> {
  static constexpr std::string_view table = "coupons", name = "coupon";
  static constexpr bool has_mode = true;
  static constexpr auto decode = decode_coupon;
  static const std::string& field(const Coupon& coupon) { return coupon.id.value(); }
};

template <>
struct CatalogKind<PromotionCode> {
  static constexpr std::string_view table = "promotion_codes", name = "promotion_code";
  static constexpr bool has_mode = true;
  static constexpr auto decode = decode_promotion_code;
  static const std::string& field(const PromotionCode& code) { return code.id.value(); }
};

template <>
struct CatalogKind<TaxRate> {
  static constexpr std::string_view table = "tax_rates", name = "tax_rate";
  static constexpr bool has_mode = true;
  static constexpr auto decode = decode_tax_rate;
  static const std::string& field(const TaxRate& rate) { return rate.id.value(); }
};

/// Test clocks are for test mode only.
template <>
struct CatalogKind<TestClock> {
  static constexpr std::string_view table = "clocks", name = "test clock";
  static constexpr bool has_mode = true;
  static constexpr auto decode = decode_test_clock;
  static const std::string& field(const TestClock& clock) { return clock.id.value(); }
};

/// By the hash of the secret, so that a request finds its key.
template <>
struct CatalogKind<ApiKey> {
  static constexpr std::string_view table = "keys", name = "API key";
  static constexpr bool has_mode = false;
  static constexpr auto decode = decode_api_key;
  static const std::string& field(const ApiKey& key) { return key.hash; }
};

template <>
struct CatalogKind<WebhookEndpoint> {
  static constexpr std::string_view table = "webhook_endpoints", name = "webhook endpoint";
  static constexpr bool has_mode = true;
  static constexpr auto decode = decode_webhook_endpoint;
  static const std::string& field(const WebhookEndpoint& endpoint) { return endpoint.id.value(); }
};

template <>
struct CatalogKind<StaffMember> {
  static constexpr std::string_view table = "staff", name = "staff member";
  static constexpr bool has_mode = true;
  static constexpr auto decode = decode_staff_member;
  static const std::string& field(const StaffMember& member) { return member.id; }
};

using CatalogKinds =
    std::tuple<Plan, TestClock, ApiKey, Product, Coupon, PromotionCode, TaxRate, WebhookEndpoint, StaffMember>;

inline constexpr std::size_t catalog_kind_count = std::tuple_size_v<CatalogKinds>;

template <class Object, std::size_t at = 0>
constexpr std::size_t catalog_kind_index() {
  static_assert(at < catalog_kind_count, "this kind is not among CatalogKinds");
  if constexpr (std::is_same_v<std::tuple_element_t<at, CatalogKinds>, Object>)
    return at;
  else
    return catalog_kind_index<Object, at + 1>();
}

template <class Object>
bool is_deleted(const Object& object) {
  if constexpr (requires { object.deleted; })
    return object.deleted;
  else
    return false;
}

}  // namespace billd::store
