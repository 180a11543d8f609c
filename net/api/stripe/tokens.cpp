// Operations on tokens: what a card or a bank account is called until it is a customer's.
#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/new_source.hpp"
#include "net/api/stripe/operations.hpp"
#include "net/api/stripe/reply.hpp"
#include "net/store/held_sources.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::array create_table = {map("card", card_rules), map("bank_account", bank_account_rules), list("expand")};
constexpr std::array retrieve_table = {list("expand")};

}  // namespace

constinit const std::span<const Rule> create_token_rules = create_table;
constinit const std::span<const Rule> retrieve_token_rules = retrieve_table;

awaitable<Result<Outcome>> create_token(Services& services, Call call) {
  const Arguments arguments = call.arguments();
  const bool has_card = arguments.has_value("card"), has_account = arguments.has_value("bank_account");
  if (!has_card && !has_account)
    co_return Failure{Errc::missing_parameter, "You must supply either a card or a bank account.", "card"};
  if (has_card && has_account)
    co_return Failure{Errc::invalid_parameter,
                      "Received both card and bank_account parameters. Please pass in only one.", "card"};
  std::string parameter = has_card ? "card" : "bank_account";
  auto source = co_await describe_particulars(services, call, std::move(parameter));
  if (!source) co_return source.error();
  store::HeldSource held;
  held.id = has_card ? make_id<TokenKind>(call.account, 1).value() : make_id<BankTokenKind>(call.account, 1).value();
  held.created = services.billing.now();
  held.source = std::move(*source);
  auto kept = co_await store::hold_source(services.store, call.mode, std::move(held), services.settings.api.token_life);
  if (!kept) co_return kept.error();
  Reply reply(services, call);
  co_return co_await reply.answer(reply.present.token(*kept, false));
}

awaitable<Result<Outcome>> retrieve_token(Services& services, Call call) {
  const std::string& id = call.variable("token");
  const bool is_token = id.starts_with(TokenKind::prefix) || id.starts_with(BankTokenKind::prefix);
  if (!is_token) co_return no_such("token", id);
  auto held = co_await store::find_held_source(services.store, call.mode, id);
  if (!held) {
    if (held.error().code != Errc::not_found) co_return held.error();
    co_return no_such("token", id);
  }
  auto user = co_await store::owner_of_held_source(services.store, call.mode, id);
  if (!user) co_return user.error();
  Reply reply(services, call);
  co_return co_await reply.answer(reply.present.token(*held, !user->empty()));
}

}  // namespace billd::api::stripe
