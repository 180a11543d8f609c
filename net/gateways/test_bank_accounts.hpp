// The bank accounts that the test gateway knows, and what becomes of them.
#pragma once

#include <optional>
#include <string_view>

#include "net/gateways/gateway.hpp"

namespace billd::gateways {

/// The account that a token of Stripe's documentation stands for; it is verified already.
std::optional<NewSource> find_test_bank_account(std::string_view token);

/// The account of these numbers, not verified yet. invalid_parameter, naming the member, unless it is one of Stripe's
/// test accounts. Source: https://stripe.com/docs/ach-deprecated#testing-ach.
Result<NewSource> describe_test_bank_account(const BankAccountDetails& details);

/// Of a reference that names a test bank account: why each debit fails; empty: it succeeds.
std::optional<std::string_view> test_bank_account_outcome(std::string_view reference);

}  // namespace billd::gateways
