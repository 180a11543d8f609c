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

/// Whether it is an account at a payment processor, of which billd knows the processor's name for it and nothing else:
/// a funding source. It is told as a source of a type of its own, never as a card without a number.
inline bool is_processor_account(const MeansSummary& means) {
  const auto* card = std::get_if<CardSummary>(&means);
  return card != nullptr && *card == CardSummary();
}

/// Through which gateway it is charged, and its name there.
Object& processor_account_details(Document& document, std::string_view gateway, std::string_view reference);

/// An account's first object is its customer.
inline CustomerId customer_of(const AccountKey& key) { return make_id<CustomerKind>(key, 1); }

}  // namespace billd::api::stripe
