// Values and names that the presenter's files share.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "net/api/stripe/presenter.hpp"

namespace billd::api::stripe {

/// Source: Stripe embeds the ten newest of a list.
inline constexpr std::size_t embedded_max = 10;

inline Value time(Timestamp timestamp) { return to_unix(timestamp); }

inline Value time_or_null(const std::optional<Timestamp>& timestamp) {
  return timestamp ? Value(to_unix(*timestamp)) : Value();
}

inline Value count(std::size_t number) { return static_cast<std::int64_t>(number); }

inline std::string_view name(Collection collection) {
  return collection == Collection::send_invoice ? "send_invoice" : "charge_automatically";
}

/// An account's first object is its customer.
inline CustomerId customer_of(const AccountKey& key) { return make_id<CustomerKind>(key, 1); }

}  // namespace billd::api::stripe
