#include "engine/declines.hpp"

#include <algorithm>
#include <array>

namespace billd {
namespace {

// Source: https://docs.stripe.com/billing/revenue-recovery/smart-retries, the "hard decline codes" that are not
// retried.
constexpr std::array<std::string_view, 9> final_declines = {
    "authentication_required",
    "highest_risk_level",
    "incorrect_number",
    "lost_card",
    "pickup_card",
    "revocation_of_all_authorizations",
    "revocation_of_authorization",
    "stolen_card",
    "transaction_not_allowed",
};
static_assert(std::ranges::is_sorted(final_declines));

}  // namespace

bool is_final_decline(std::string_view code) { return std::ranges::binary_search(final_declines, code); }

}  // namespace billd
