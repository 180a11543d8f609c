#include "net/gateways/test_bank_accounts.hpp"

#include <algorithm>
#include <string>

namespace billd::gateways {
namespace {

struct TestAccount {
  std::string_view token;  ///< also the gateway's reference
  std::string_view number;
  std::string_view declined = {};
};

// Source: https://stripe.com/docs/ach-deprecated#testing-ach and https://stripe.com/docs/connect/testing.
constexpr TestAccount test_accounts[] = {
    {"btok_us_verified", "000123456789"},
    {"btok_us_verified_noAccount", "000111111116", "no_account"},
    {"btok_us_verified_accountClosed", "000111111113", "account_closed"},
    {"btok_us_verified_insufficientFunds", "000222222227", "insufficient_funds"},
    {"btok_us_verified_debitNotAuthorized", "000333333335", "debit_not_authorized"},
    {"btok_us_verified_invalidCurrency", "000444444440", "invalid_currency"},
};
constexpr std::string_view test_routing_number = "110000000";

bool is_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char character) { return character >= '0' && character <= '9'; });
}

/// The check digit of American routing numbers.
bool is_routing_number(std::string_view text) {
  if (text.size() != 9 || !is_digits(text)) return false;
  constexpr std::array weights = {3, 7, 1};
  int sum = 0;
  for (std::size_t i = 0; i < text.size(); ++i) sum += (text[i] - '0') * weights[i % 3];
  return sum % 10 == 0;
}

std::string fingerprint(std::string_view routing_number, std::string_view number) {
  const std::string salted = "billd test bank account " + std::string(routing_number) + " " + std::string(number);
  return base62(fnv1a(salted), 8) + base62(fnv1a("again " + salted), 8);
}

NewSource describe(const TestAccount& account, std::string_view routing_number) {
  NewSource source;
  source.gateway = "test";
  source.reference = account.token;
  BankAccount details;
  details.summary.bank_name = "STRIPE TEST BANK";
  details.summary.last4 = account.number.substr(account.number.size() - 4);
  details.summary.routing_number = routing_number;
  details.summary.country = "US";
  details.summary.currency = Currency::of("usd");
  details.summary.fingerprint = fingerprint(routing_number, account.number);
  source.means = std::move(details);
  return source;
}

Failure refused(const char* sentence, const char* parameter) { return {Errc::invalid_parameter, sentence, parameter}; }

}  // namespace

std::optional<NewSource> find_test_bank_account(std::string_view token) {
  const auto* found = std::ranges::find(test_accounts, token, &TestAccount::token);
  if (found == std::end(test_accounts)) return std::nullopt;
  NewSource source = describe(*found, test_routing_number);
  std::get<BankAccount>(source.means).status = BankAccountStatus::verified;
  return source;
}

Result<NewSource> describe_test_bank_account(const BankAccountDetails& details) {
  if (details.country != "US") return refused("The test gateway knows bank accounts in the US only.", "country");
  if (details.currency != Currency::of("usd"))
    return refused("The test gateway knows bank accounts in usd only.", "currency");
  if (details.routing_number.empty())
    return Failure{Errc::missing_parameter, "Missing required param: bank_account[routing_number].", "routing_number"};
  if (!is_routing_number(details.routing_number)) return refused("Routing number must have 9 digits", "routing_number");
  const auto* found = std::ranges::find(test_accounts, details.account_number, &TestAccount::number);
  if (found == std::end(test_accounts))
    return refused(
        "You must use a test bank account number in test mode. Try 000123456789 or see more options at "
        "https://stripe.com/docs/connect/testing#account-numbers.",
        "account_number");
  NewSource source = describe(*found, details.routing_number);
  auto& account = std::get<BankAccount>(source.means);
  account.holder_name = details.holder_name;
  account.holder_type = details.holder_type;
  return source;
}

std::optional<std::string_view> test_bank_account_outcome(std::string_view reference) {
  const auto* found = std::ranges::find(test_accounts, reference, &TestAccount::token);
  if (found == std::end(test_accounts)) return std::nullopt;
  return found->declined;
}

}  // namespace billd::gateways
