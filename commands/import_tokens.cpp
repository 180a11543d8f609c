#include "commands/import_tokens.hpp"

#include <array>
#include <boost/json.hpp>
#include <fstream>
#include <iterator>
#include <variant>

#include "net/gateways/test_gateway.hpp"

namespace billd::commands {
namespace {

namespace json = boost::json;

/// The tokens by which the built-in test gateway knows its cards and bank accounts. Source:
/// https://docs.stripe.com/testing.
constexpr std::array test_tokens = {
    "tok_visa",
    "tok_visa_debit",
    "tok_mastercard",
    "tok_mastercard_debit",
    "tok_mastercard_prepaid",
    "tok_amex",
    "tok_discover",
    "tok_diners",
    "tok_jcb",
    "tok_unionpay",
    "tok_chargeCustomerFail",
    "tok_chargeDeclined",
    "tok_chargeDeclinedInsufficientFunds",
    "btok_us_verified",
    "btok_us_verified_noAccount",
    "btok_us_verified_accountClosed",
    "btok_us_verified_insufficientFunds",
    "btok_us_verified_debitNotAuthorized",
    "btok_us_verified_invalidCurrency",
};

}  // namespace

awaitable<Result<ImportTokens>> ImportTokens::read(Session& session, const ImportOptions& options, bool is_stripe) {
  ImportTokens read;
  read.is_stripe_ = is_stripe;
  if (options.gateway == "test") {
    Executor executor = co_await asio::this_coro::executor;
    gateways::TestGateway gateway(executor, session.store(), Milliseconds(0));
    for (const char* token : test_tokens) {
      auto described = co_await gateway.describe_source(options.mode, token);
      if (!described) continue;
      const std::string fingerprint =
          std::visit([](const auto& kind) { return kind.summary.fingerprint; }, described->means);
      read.tokens_.emplace(fingerprint, described->reference);
    }
  }
  if (options.tokens.empty()) co_return read;
  std::ifstream stream(options.tokens, std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  boost::system::error_code ec;
  const json::value value = json::parse(text, ec);
  if (!stream || ec || !value.is_object())
    co_return Failure{Errc::invalid_parameter, options.tokens + " holds no JSON object of tokens by card"};
  for (const auto& [card, token] : value.get_object()) {
    if (!token.is_string())
      co_return Failure{Errc::invalid_parameter,
                        options.tokens + ": the token of " + std::string(card) + " is no text"};
    read.tokens_.insert_or_assign(std::string(card), std::string(token.get_string()));
  }
  co_return read;
}

std::string ImportTokens::of(const std::string& customer, const std::string& id, const std::string& fingerprint) const {
  for (const std::string& name : {id, fingerprint})
    if (const auto found = tokens_.find(name); found != tokens_.end()) return found->second;
  return is_stripe_ ? customer + "/" + id : std::string();
}

}  // namespace billd::commands
