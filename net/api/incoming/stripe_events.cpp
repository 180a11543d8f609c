// Stripe's events. What carries no mark of billd's is somebody else's, and is left alone.
// Source: https://docs.stripe.com/api/events/types.
#include <algorithm>

#include "net/api/incoming/order.hpp"
#include "net/gateways/peer.hpp"

namespace billd::api::incoming {
namespace {

using boost::json::object;
using gateways::integer_of;
using gateways::object_of;
using gateways::text_of;

std::string mark_of(const object& data, std::string_view mark) {
  const object* metadata = object_of(data, "metadata");
  return metadata != nullptr ? text_of(*metadata, mark) : std::string();
}

Result<std::vector<Order>> ignored(std::string why) {
  std::vector<Order> orders(1);
  orders[0].why = std::move(why);
  return orders;
}

Result<std::vector<Order>> one(const std::string& id, Command command) {
  std::vector<Order> orders;
  orders.push_back({*AccountKey::of_id(id), std::move(command), {}});
  return orders;
}

std::optional<ChargeOutcomeKind> charge_kind(std::string_view type) {
  if (type == "charge.succeeded" || type == "payment_intent.succeeded") return ChargeOutcomeKind::succeeded;
  if (type == "charge.pending" || type == "payment_intent.processing") return ChargeOutcomeKind::pending;
  if (type == "charge.failed" || type == "payment_intent.payment_failed" || type == "payment_intent.canceled")
    return ChargeOutcomeKind::declined;
  return std::nullopt;
}

std::string decline_code(const object& data) {
  std::string code;
  if (const object* outcome = object_of(data, "outcome")) code = text_of(*outcome, "reason");
  if (const object* error = object_of(data, "last_payment_error")) {
    code = text_of(*error, "decline_code");
    if (code.empty()) code = text_of(*error, "code");
  }
  if (code.empty()) code = text_of(data, "failure_code");
  return code.empty() ? "generic_decline" : code;
}

awaitable<Result<std::vector<Order>>> charge_told(Lookups lookups, const Message& message, ChargeOutcomeKind kind) {
  std::string id = mark_of(message.data, "billd_charge");
  if (id.empty()) co_return ignored("a charge that is not billd's");
  const auto known = co_await find_charge(lookups, message.mode, message.gateway, id);
  if (!known && known.error().code == Errc::not_found) co_return ignored(known.error().detail);
  if (!known) co_return known.error();
  ChargeOutcome outcome;
  outcome.kind = kind;
  outcome.gateway_reference = text_of(message.data, "id");
  if (kind == ChargeOutcomeKind::declined) outcome.decline_code = decline_code(message.data);
  co_return one(
      id, RecordChargeOutcome{known->invoice, known->charge.id, checked(*known, std::move(outcome), message.data)});
}

RefundOutcome refund_outcome_of(const object& refund) {
  const std::string status = text_of(refund, "status");
  RefundOutcome outcome;
  outcome.gateway_reference = text_of(refund, "id");
  // Before 2018 a refund had no status: it was made or refused.
  if (status == "succeeded" || status.empty()) {
    outcome.kind = RefundOutcomeKind::succeeded;
  } else if (status == "failed" || status == "canceled") {
    outcome.kind = RefundOutcomeKind::failed;
    outcome.failure_reason = text_of(refund, "failure_reason");
    if (outcome.failure_reason.empty()) outcome.failure_reason = "unknown";
  } else {
    outcome.kind = RefundOutcomeKind::pending;
  }
  return outcome;
}

awaitable<Result<std::vector<Order>>> foreign_refund_told(Lookups lookups, const Message& message);

awaitable<Result<std::vector<Order>>> refund_told(Lookups lookups, const Message& message) {
  std::string id = mark_of(message.data, "billd_refund");
  if (id.empty()) co_return co_await foreign_refund_told(lookups, message);
  const auto known = co_await find_refund(lookups, message.mode, message.gateway, id);
  if (!known && known.error().code == Errc::not_found) co_return ignored(known.error().detail);
  if (!known) co_return known.error();
  co_return one(
      id, RecordRefundOutcome{
              known->invoice, {}, known->refund->id, checked(*known, refund_outcome_of(message.data), message.data)});
}

/// The charge of billd's that an object of the processor's names by the processor's own name for it: the processor is
/// asked whose it is.
awaitable<Result<Known>> charge_behind(Lookups lookups, const Message& message) {
  std::string reference = text_of(message.data, "charge");
  if (reference.empty()) reference = text_of(message.data, "payment_intent");
  gateways::Gateway* gateway = lookups.gateways.find(message.gateway);
  if (gateway == nullptr || reference.empty()) co_return Failure{Errc::not_found, "of an unknown charge"};
  auto key = co_await gateway->find_charge(std::move(reference));
  if (!key) co_return key.error();
  co_return co_await find_charge(lookups, message.mode, message.gateway, std::move(*key));
}

/// A refund that somebody made at the processor.
RecordForeignRefund foreign_refund(const Known& known, const object& refund) {
  RecordForeignRefund command;
  command.invoice = known.invoice;
  command.charge = known.charge.id;
  const auto currency = Currency::parse(text_of(refund, "currency"));
  command.amount = {integer_of(refund, "amount").value_or(0), currency ? *currency : Currency()};
  command.reason = text_of(refund, "reason");
  command.outcome = refund_outcome_of(refund);
  return command;
}

awaitable<Result<std::vector<Order>>> foreign_refund_told(Lookups lookups, const Message& message) {
  const auto known = co_await charge_behind(lookups, message);
  if (!known && known.error().code == Errc::not_found) co_return ignored("a refund that is not billd's");
  if (!known) co_return known.error();
  co_return one(known->charge.id.value(), foreign_refund(*known, message.data));
}

/// Versions of Stripe's API before 2022-11-15 tell a charge with its latest refunds.
awaitable<Result<std::vector<Order>>> refunds_told(Lookups lookups, const Message& message) {
  std::string id = mark_of(message.data, "billd_charge");
  if (id.empty()) co_return ignored("a charge that is not billd's");
  const auto known = co_await find_charge(lookups, message.mode, message.gateway, id);
  if (!known && known.error().code == Errc::not_found) co_return ignored(known.error().detail);
  if (!known) co_return known.error();
  const object* list = object_of(message.data, "refunds");
  const boost::json::value* data = list != nullptr ? list->if_contains("data") : nullptr;
  std::vector<Order> orders;
  if (data != nullptr && data->is_array())
    for (const boost::json::value& each : data->as_array())
      if (each.is_object() && mark_of(each.as_object(), "billd_refund").empty())
        orders.push_back({*AccountKey::of_id(id), foreign_refund(*known, each.as_object()), {}});
  // The oldest first.
  std::ranges::reverse(orders);
  if (orders.empty()) co_return ignored("refunds that are billd's, or are told by events of their own");
  co_return orders;
}

awaitable<Result<std::vector<Order>>> dispute_told(Lookups lookups, const Message& message) {
  const auto known = co_await charge_behind(lookups, message);
  if (!known && known.error().code == Errc::not_found) co_return ignored("a dispute: " + known.error().detail);
  if (!known) co_return known.error();
  const std::string status = text_of(message.data, "status");
  Dispute told;
  told.reference = text_of(message.data, "id");
  // An inquiry that is closed without a dispute was won as well.
  const bool is_won = status == "won" || status == "warning_closed";
  told.status = is_won ? DisputeStatus::won : status == "lost" ? DisputeStatus::lost : DisputeStatus::open;
  told.reason = text_of(message.data, "reason");
  told.amount = {integer_of(message.data, "amount").value_or(known->charge.amount.minor),
                 known->charge.amount.currency};
  co_return one(known->charge.id.value(), RecordDispute{known->invoice, {}, known->charge.id, std::move(told)});
}

/// What changed of a source concerns whoever pays by it, by its own name or as the customer's default.
awaitable<Result<std::vector<Order>>> source_told(Lookups lookups, const Message& message, bool is_gone) {
  std::string customer = text_of(message.data, "customer");
  if (customer.empty()) customer = text_of(message.previous, "customer");
  const std::string reference = customer + "/" + text_of(message.data, "id");
  const auto accounts = co_await lookups.store.find_by_reference(message.mode, message.gateway, reference);
  if (!accounts) co_return accounts.error();
  const object* inner = object_of(message.data, "card");
  const object& card = inner != nullptr ? *inner : message.data;
  std::vector<Order> orders;
  for (const AccountKey& key : *accounts) {
    const auto loaded = co_await lookups.store.load(message.mode, key);
    if (!loaded) co_return loaded.error();
    for (const Source& source : loaded->account.sources) {
      if (source.gateway != message.gateway || source.reference != reference) continue;
      if (is_gone) {
        orders.push_back({key, RemoveSource{source.id}, {}});
        break;
      }
      UpdateSource update;
      update.source = source.id;
      if (const auto month = integer_of(card, "exp_month")) update.exp_month = static_cast<std::int32_t>(*month);
      if (const auto year = integer_of(card, "exp_year")) update.exp_year = static_cast<std::int32_t>(*year);
      orders.push_back({key, std::move(update), {}});
      break;
    }
  }
  if (orders.empty()) co_return ignored("a source that is not billd's");
  co_return orders;
}

}  // namespace

awaitable<Result<std::vector<Order>>> orders_of_stripe(Lookups lookups, const Message& message) {
  const std::string& type = message.type;
  if (const auto kind = charge_kind(type)) co_return co_await charge_told(lookups, message, *kind);
  if (type == "refund.created" || type == "refund.updated" || type == "refund.failed" ||
      type == "charge.refund.updated")
    co_return co_await refund_told(lookups, message);
  if (type == "charge.refunded") co_return co_await refunds_told(lookups, message);
  if (type.starts_with("charge.dispute.")) co_return co_await dispute_told(lookups, message);
  if (type == "customer.source.updated" || type == "payment_method.updated" ||
      type == "payment_method.automatically_updated" || type == "payment_method.card_automatically_updated")
    co_return co_await source_told(lookups, message, false);
  if (type == "customer.source.deleted" || type == "payment_method.detached")
    co_return co_await source_told(lookups, message, true);
  co_return ignored("billd does nothing on " + type);
}

}  // namespace billd::api::incoming
