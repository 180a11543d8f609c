#include "net/api/incoming/order.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

#include "net/gateways/peer.hpp"
#include "net/store/aliases.hpp"

namespace billd::api::incoming {
namespace {

/// Finds what `matches` in the account's invoices, or in the one that `settled` has become.
template <class Matches>
awaitable<Result<Known>> find_in(Lookups lookups, Mode mode, AccountKey key, Result<InvoiceId> settled,
                                 Matches matches) {
  const auto search = [&](const Invoice& invoice) -> std::optional<Known> {
    for (const Charge& charge : invoice.charges)
      if (auto found = matches(charge)) {
        found->invoice = invoice.id;
        found->charge = charge;
        return found;
      }
    return std::nullopt;
  };
  const auto loaded = co_await lookups.store.load(mode, key);
  if (!loaded) co_return loaded.error();
  for (const Invoice& invoice : loaded->account.invoices)
    if (auto found = search(invoice)) co_return std::move(*found);
  if (!settled) co_return settled.error();
  auto record = co_await lookups.store.load_record(mode, key, store::record_field(key, *settled));
  if (!record) co_return record.error();
  if (const auto* invoice = std::get_if<Invoice>(&*record))
    if (auto found = search(*invoice)) co_return std::move(*found);
  co_return Failure{Errc::not_found, "no such charge"};
}

/// Whether the gateway may speak of the charge: another's secret must not settle it.
Result<Known> of_gateway(Result<Known> known, const std::string& gateway, std::string_view id) {
  if (known && known->charge.gateway == gateway) return known;
  if (!known && known.error().code != Errc::not_found) return known;
  return Failure{Errc::not_found, "The gateway " + gateway + " has no " + std::string(id) + " of billd's."};
}

bool is_other_amount(const boost::json::object& data, const Money& amount, const std::string& key) {
  const bool tells = data.contains("amount") || data.contains("currency");
  return tells && !gateways::is_what_was_asked(data, amount, "that sent a webhook", key);
}

}  // namespace

awaitable<Result<Known>> find_charge(Lookups lookups, Mode mode, std::string gateway, std::string charge) {
  const auto key = AccountKey::of_id(charge);
  if (!key || !charge.starts_with(ChargeKind::prefix))
    co_return of_gateway(Failure{Errc::not_found, {}}, gateway, charge);
  auto settled = co_await lookups.store.invoice_of_charge(mode, *key, ChargeId(charge));
  const auto matches = [&](const Charge& each) {
    return each.id.value() == charge ? std::optional(Known()) : std::nullopt;
  };
  auto found = co_await find_in(lookups, mode, *key, std::move(settled), matches);
  co_return of_gateway(std::move(found), gateway, charge);
}

awaitable<Result<Known>> find_refund(Lookups lookups, Mode mode, std::string gateway, std::string refund) {
  const auto key = AccountKey::of_id(refund);
  if (!key || !refund.starts_with(RefundKind::prefix))
    co_return of_gateway(Failure{Errc::not_found, {}}, gateway, refund);
  auto settled = co_await lookups.store.invoice_of_refund(mode, *key, RefundId(refund));
  const auto matches = [&](const Charge& each) -> std::optional<Known> {
    const auto found = std::ranges::find(each.refunds, RefundId(refund), &Refund::id);
    if (found == each.refunds.end()) return std::nullopt;
    Known known;
    known.refund = *found;
    return known;
  };
  auto found = co_await find_in(lookups, mode, *key, std::move(settled), matches);
  co_return of_gateway(std::move(found), gateway, refund);
}

ChargeOutcome checked(const Known& known, ChargeOutcome outcome, const boost::json::object& data) {
  if (outcome.kind != ChargeOutcomeKind::declined &&
      is_other_amount(data, known.charge.amount, known.charge.id.value()))
    outcome.kind = ChargeOutcomeKind::impossible;
  return outcome;
}

RefundOutcome checked(const Known& known, RefundOutcome outcome, const boost::json::object& data) {
  if (outcome.kind != RefundOutcomeKind::failed &&
      is_other_amount(data, known.refund->amount, known.refund->id.value()))
    outcome.kind = RefundOutcomeKind::impossible;
  return outcome;
}

awaitable<Result<std::vector<Order>>> orders_of(Lookups lookups, const Message& message) {
  if (message.kind == WebhookKind::stripe) co_return co_await orders_of_stripe(lookups, message);
  Message native = message;
  std::vector<boost::json::string*> names;
  std::vector<std::string> texts;
  for (auto&& [name, value] : native.data) {
    boost::json::string* text = value.if_string();
    if (text == nullptr || !store::is_foreign(*text)) continue;
    names.push_back(text);
    texts.emplace_back(*text);
  }
  if (!names.empty()) {
    auto natives = co_await lookups.store.aliases().to_native(message.mode, std::move(texts));
    if (!natives) co_return natives.error();
    for (std::size_t i = 0; i < names.size(); ++i) *names[i] = (*natives)[i];
  }
  co_return co_await orders_in_own_words(lookups, native);
}

}  // namespace billd::api::incoming
