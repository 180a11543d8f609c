// Webhooks in billd's own words, see webhooks.md.
#include "net/api/incoming/order.hpp"
#include "net/gateways/peer.hpp"

namespace billd::api::incoming {
namespace {

using boost::json::object;
using gateways::integer_of;
using gateways::text_of;

Failure missing(std::string_view member) {
  return {Errc::missing_parameter, "`data." + std::string(member) + "` is missing or no text", std::string(member)};
}

Result<AccountKey> account_of(const std::string& id, std::string_view prefix, std::string_view member) {
  const auto key = AccountKey::of_id(id);
  if (!key || !id.starts_with(prefix))
    return Failure{Errc::not_found, "No such " + std::string(member) + ": " + id, std::string(member)};
  return *key;
}

/// The account and identifier of the subscription that the data names.
Result<std::pair<AccountKey, SubscriptionId>> subscription_of(const object& data) {
  const std::string id = text_of(data, "subscription");
  if (id.empty()) return missing("subscription");
  auto key = account_of(id, SubscriptionKind::prefix, "subscription");
  if (!key) return key.error();
  return std::pair(*key, SubscriptionId(id));
}

Result<std::vector<Order>> one(AccountKey account, Command command) {
  std::vector<Order> orders;
  orders.push_back({std::move(account), std::move(command), {}});
  return orders;
}

Result<std::vector<Order>> renewal(const object& data) {
  RenewSubscription renew;
  if (const boost::json::value* advance = data.if_contains("advance")) {
    if (!advance->is_bool()) return Failure{Errc::invalid_parameter, "`data.advance` must be true or false", "advance"};
    renew.advance = advance->as_bool();
  }
  if (data.contains("period_end")) {
    const auto end = integer_of(data, "period_end");
    if (!end || *end < 0 || *end > to_unix(end_of_time))
      return Failure{Errc::invalid_parameter, "`data.period_end` must be seconds of Unix time", "period_end"};
    renew.period_end = from_unix(*end);
  }
  if (data.contains("subscription")) {
    auto named = subscription_of(data);
    if (!named) return named.error();
    renew.subscription = named->second;
    return one(named->first, std::move(renew));
  }
  const std::string customer = text_of(data, "customer");
  if (customer.empty())
    return Failure{Errc::missing_parameter, "`data` must name a `subscription` or a `customer`", "subscription"};
  auto key = account_of(customer, CustomerKind::prefix, "customer");
  if (!key) return key.error();
  return one(*key, std::move(renew));
}

Result<std::vector<Order>> charge_outcome(const Known& known, ChargeOutcomeKind kind, const object& data) {
  ChargeOutcome outcome;
  outcome.kind = kind;
  outcome.gateway_reference = text_of(data, "reference");
  if (kind == ChargeOutcomeKind::declined) {
    outcome.decline_code = text_of(data, "reason");
    if (outcome.decline_code.empty()) outcome.decline_code = "generic_decline";
  }
  return one(*AccountKey::of_id(known.charge.id.value()),
             RecordChargeOutcome{known.invoice, known.charge.id, checked(known, std::move(outcome), data)});
}

Result<std::vector<Order>> refund_outcome(const Known& known, RefundOutcomeKind kind, const object& data) {
  RefundOutcome outcome;
  outcome.kind = kind;
  outcome.gateway_reference = text_of(data, "reference");
  if (kind == RefundOutcomeKind::failed) {
    outcome.failure_reason = text_of(data, "reason");
    if (outcome.failure_reason.empty()) outcome.failure_reason = "unknown";
  }
  return one(*AccountKey::of_id(known.refund->id.value()),
             RecordRefundOutcome{known.invoice, {}, known.refund->id, checked(known, std::move(outcome), data)});
}

Result<std::vector<Order>> foreign_refund(const Known& known, const object& data) {
  RecordForeignRefund command;
  command.outcome.gateway_reference = text_of(data, "reference");
  if (command.outcome.gateway_reference.empty()) return missing("reference");
  const auto amount = integer_of(data, "amount");
  if (!amount || *amount <= 0)
    return Failure{Errc::invalid_parameter, "`data.amount` must be a number of more than zero", "amount"};
  const std::string status = text_of(data, "status");
  if (!status.empty() && status != "succeeded" && status != "pending")
    return Failure{Errc::invalid_parameter, "`data.status` must be succeeded or pending", "status"};
  command.outcome.kind = status == "pending" ? RefundOutcomeKind::pending : RefundOutcomeKind::succeeded;
  command.amount = {*amount, known.charge.amount.currency};
  if (data.contains("currency")) {
    const auto currency = Currency::parse(text_of(data, "currency"));
    if (!currency) return Failure{Errc::invalid_parameter, "`data.currency` must be a currency's code", "currency"};
    command.amount.currency = *currency;
  }
  command.invoice = known.invoice;
  command.charge = known.charge.id;
  command.reason = text_of(data, "reason");
  return one(*AccountKey::of_id(known.charge.id.value()), std::move(command));
}

Result<std::vector<Order>> dispute(const Known& known, DisputeStatus status, const object& data) {
  Dispute told;
  told.reference = text_of(data, "dispute");
  if (told.reference.empty()) return missing("dispute");
  told.status = status;
  told.reason = text_of(data, "reason");
  const auto amount = integer_of(data, "amount");
  told.amount = {amount.value_or(known.charge.amount.minor), known.charge.amount.currency};
  return one(*AccountKey::of_id(known.charge.id.value()),
             RecordDispute{known.invoice, {}, known.charge.id, std::move(told)});
}

Result<std::vector<Order>> source(const std::string& type, const object& data) {
  const std::string id = text_of(data, "source");
  if (id.empty()) return missing("source");
  const auto key = AccountKey::of_id(id);
  if (!key) return Failure{Errc::not_found, "No such source: " + id, "source"};
  if (type == "source.removed") return one(*key, RemoveSource{SourceId(id)});
  UpdateSource update;
  update.source = SourceId(id);
  for (const auto& [member, target] : {std::pair("exp_month", &update.exp_month), {"exp_year", &update.exp_year}}) {
    if (!data.contains(member)) continue;
    const auto number = integer_of(data, member);
    if (!number || *number < 0 || *number > 9'999)
      return Failure{Errc::invalid_parameter, "`data." + std::string(member) + "` must be a number", member};
    *target = static_cast<std::int32_t>(*number);
  }
  return one(*key, std::move(update));
}

template <class Kind>
struct Named {
  std::string_view type;
  Kind kind;
};

constexpr Named<ChargeOutcomeKind> charge_types[] = {{"charge.succeeded", ChargeOutcomeKind::succeeded},
                                                     {"charge.declined", ChargeOutcomeKind::declined},
                                                     {"charge.pending", ChargeOutcomeKind::pending}};
constexpr Named<RefundOutcomeKind> refund_types[] = {{"refund.succeeded", RefundOutcomeKind::succeeded},
                                                     {"refund.failed", RefundOutcomeKind::failed},
                                                     {"refund.pending", RefundOutcomeKind::pending}};
constexpr Named<DisputeStatus> dispute_types[] = {{"dispute.created", DisputeStatus::open},
                                                  {"dispute.won", DisputeStatus::won},
                                                  {"dispute.lost", DisputeStatus::lost}};

template <class Table>
auto kind_of(const Table& table, const std::string& type) {
  const auto found = std::ranges::find(table, type, [](const auto& each) { return each.type; });
  return found == std::end(table) ? std::nullopt : std::optional(found->kind);
}

}  // namespace

awaitable<Result<std::vector<Order>>> orders_in_own_words(Lookups lookups, const Message& message) {
  const object& data = message.data;
  if (message.type == "subscription.renew") co_return renewal(data);
  if (message.type == "subscription.lapse") {
    auto named = subscription_of(data);
    if (!named) co_return named.error();
    co_return one(named->first, LapseSubscription{named->second});
  }
  if (message.type == "source.updated" || message.type == "source.removed") co_return source(message.type, data);
  const auto charged = kind_of(charge_types, message.type);
  const auto disputed = kind_of(dispute_types, message.type);
  const bool is_foreign_refund = message.type == "refund.created";
  if (charged || disputed || is_foreign_refund) {
    std::string id = text_of(data, "charge");
    if (id.empty()) co_return missing("charge");
    const auto known = co_await find_charge(lookups, message.mode, message.gateway, std::move(id));
    if (!known) co_return known.error();
    if (charged) co_return charge_outcome(*known, *charged, data);
    if (is_foreign_refund) co_return foreign_refund(*known, data);
    co_return dispute(*known, *disputed, data);
  }
  if (const auto refunded = kind_of(refund_types, message.type)) {
    std::string id = text_of(data, "refund");
    if (id.empty()) co_return missing("refund");
    const auto known = co_await find_refund(lookups, message.mode, message.gateway, std::move(id));
    if (!known) co_return known.error();
    co_return refund_outcome(*known, *refunded, data);
  }
  co_return Failure{Errc::invalid_parameter, "Unknown type: " + message.type, "type"};
}

}  // namespace billd::api::incoming
