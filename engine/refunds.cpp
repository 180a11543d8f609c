// Money that goes back: journaled refunds, their outcomes, and what they may not exceed.
#include <algorithm>
#include <array>

#include "engine/lookup.hpp"

namespace billd {
namespace {

/// So many refunds of one charge are in nobody's interest; what an invoice holds stays bounded.
constexpr std::size_t refunds_max = 100;

/// Source: Stripe's refund reasons.
constexpr std::array<std::string_view, 3> refund_reasons = {"duplicate", "fraudulent", "requested_by_customer"};

Failure no_such_refund(const RefundId& id) { return {Errc::not_found, "No such refund: " + id.value(), "refund"}; }

/// The invoice's charge of which the refund is, and the refund; null: it has none of that name.
template <class AnyInvoice>
auto find_refund(AnyInvoice& invoice, const RefundId& id) {
  using ChargePointer = decltype(&invoice.charges.front());
  using RefundPointer = decltype(&invoice.charges.front().refunds.front());
  for (auto& charge : invoice.charges)
    for (auto& refund : charge.refunds)
      if (refund.id == id) return std::pair<ChargePointer, RefundPointer>(&charge, &refund);
  return std::pair<ChargePointer, RefundPointer>(nullptr, nullptr);
}

/// The refund that a command names, wherever its invoice is; nullptr: the customer knows of none.
template <class NamingRefund>
const Refund* look_up_refund(Change& change, const NamingRefund& command) {
  const Invoice* invoice = look_up_payment(change, command);
  return invoice != nullptr ? find_refund(*invoice, command.refund).second : nullptr;
}

Result<void> check_refund(const Charge& charge, const RefundCharge& command) {
  const std::string& id = charge.id.value();
  if (!command.reason.empty() && std::ranges::find(refund_reasons, command.reason) == refund_reasons.end())
    return Failure{Errc::invalid_parameter,
                   "Invalid reason: must be one of duplicate, fraudulent, or requested_by_customer", "reason"};
  if (charge.state != ChargeState::succeeded)
    return Failure{Errc::invalid_state, "Charge " + id + " did not succeed, so there is nothing to refund.", "charge"};
  const std::int64_t left = charge.amount.minor - charge.amount_refunded().minor;
  if (left == 0) return Failure{Errc::invalid_state, "Charge " + id + " has already been refunded.", "charge"};
  if (command.amount && *command.amount <= 0)
    return Failure{Errc::invalid_parameter, "Invalid positive integer", "amount"};
  if (command.amount && *command.amount > left)
    return Failure{Errc::invalid_parameter,
                   "Refund amount (" + std::to_string(*command.amount) +
                       ") is greater than unrefunded amount on charge (" + std::to_string(left) + ").",
                   "amount"};
  if (charge.refunds.size() >= refunds_max)
    return Failure{Errc::limit_exceeded, "A charge can have at most 100 refunds.", "charge"};
  return {};
}

/// What the gateway's word makes of a refund; empty: nothing. A failure is final, and money that has arrived may at
/// most be sent back by the customer's bank.
std::optional<RefundState> state_after(RefundState state, RefundOutcomeKind outcome) {
  if (state == RefundState::failed) return std::nullopt;
  switch (outcome) {
    case RefundOutcomeKind::unknown:
      return std::nullopt;  // The timer asks again.
    case RefundOutcomeKind::impossible:
      return state == RefundState::sending || state == RefundState::pending ? std::optional(RefundState::parked)
                                                                            : std::nullopt;
    case RefundOutcomeKind::pending:
      return state == RefundState::sending || state == RefundState::parked ? std::optional(RefundState::pending)
                                                                           : std::nullopt;
    case RefundOutcomeKind::succeeded:
      return state != RefundState::succeeded ? std::optional(RefundState::succeeded) : std::nullopt;
    case RefundOutcomeKind::failed:
      return RefundState::failed;
  }
  return std::nullopt;
}

/// The refund that the gateway is to be asked about first.
template <class AnyInvoice>
auto* first_question(AnyInvoice& invoice) {
  decltype(&invoice.charges.front().refunds.front()) first = nullptr;
  for (auto& charge : invoice.charges)
    for (auto& refund : charge.refunds)
      if ((refund.state == RefundState::sending || refund.state == RefundState::pending) &&
          (first == nullptr || refund.resolve_at < first->resolve_at))
        first = &refund;
  return first;
}

}  // namespace

Refund& begin_refund(Change& change, Invoice& invoice, Charge& charge, Money amount) {
  BILLD_CHECK(charge.state == ChargeState::succeeded, "only what was charged is given back");
  BILLD_CHECK(amount.minor > 0 && amount.minor <= charge.amount.minor - charge.amount_refunded().minor,
              "a refund is at most what is left of the charge");
  Refund refund;
  refund.id = change.draw_id<RefundKind>();
  refund.amount = amount;
  refund.created = change.now;
  refund.resolve_at = change.now + change.rules.charge_resolve_after;
  change.effects().emplace_back(SendRefund{invoice.id, charge.id, refund.id, false});
  change.touch();
  charge.refunds.push_back(std::move(refund));
  return charge.refunds.back();
}

std::optional<Timestamp> next_refund_question(const Invoice& invoice) {
  const Refund* refund = first_question(invoice);
  return refund != nullptr ? std::optional(refund->resolve_at) : std::nullopt;
}

void resolve_refund(Change& change, Invoice& invoice) {
  Refund& refund = *first_question(invoice);
  const Charge& charge = *find_refund(invoice, refund.id).first;
  const Rules& rules = change.rules;
  const Duration silence = change.now - refund.created;
  if (refund.state == RefundState::pending) {
    if (silence >= rules.charge_pending_limit) {
      refund.state = RefundState::parked;
      change.alarm("a refund has been pending for too long");
      return;
    }
    refund.resolve_at =
        change.now + wait_after(silence, rules.charge_pending_poll_after, rules.charge_pending_poll_max);
    change.effects().emplace_back(SendRefund{invoice.id, charge.id, refund.id, true});
    change.touch();
    return;
  }
  refund.resolve_at = change.now + wait_after(silence, rules.charge_resolve_after, rules.charge_resolve_max);
  const bool key_may_be_forgotten = silence >= rules.charge_key_life;
  change.effects().emplace_back(SendRefund{invoice.id, charge.id, refund.id, key_may_be_forgotten});
  change.touch();
}

Result<void> refund_charge(Change& change, const RefundCharge& command) {
  const Invoice* found = look_up_payment(change, command);
  const auto no_charge = [&] {
    return Failure{Errc::not_found, "No such charge: " + command.charge.value(), "charge"};
  };
  if (found == nullptr) return no_charge();
  const auto charge_found = std::ranges::find(found->charges, command.charge, &Charge::id);
  if (charge_found == found->charges.end()) return no_charge();
  auto allowed = check_refund(*charge_found, command);
  if (!allowed) return allowed.error();

  Invoice& invoice = bring_in(change, command);
  Charge& charge = *std::ranges::find(invoice.charges, command.charge, &Charge::id);
  const Money amount{command.amount.value_or(charge.amount.minor - charge.amount_refunded().minor),
                     charge.amount.currency};
  Refund& refund = begin_refund(change, invoice, charge, amount);
  refund.reason = command.reason;
  refund.metadata = command.metadata;
  change.emit({EventType::refund_created}, RefundSnapshot{refund, charge.id, invoice.id});
  change.set_subject(refund.id.value());
  return {};
}

Result<void> update_refund(Change& change, const UpdateRefund& command) {
  if (look_up_refund(change, command) == nullptr) return no_such_refund(command.refund);
  Invoice& invoice = bring_in(change, command);
  const auto [charge, refund] = find_refund(invoice, command.refund);
  RefundSnapshot before{*refund, charge->id, invoice.id};
  refund->metadata = command.metadata;
  change.emit_update(EventType::refund_updated, std::move(before), RefundSnapshot{*refund, charge->id, invoice.id});
  change.set_subject(refund->id.value());
  return {};
}

Result<void> record_refund_outcome(Change& change, const RecordRefundOutcome& command) {
  const Refund* found = look_up_refund(change, command);
  if (found == nullptr) return no_such_refund(command.refund);
  change.set_subject(command.refund.value());
  const auto next = state_after(found->state, command.outcome.kind);
  if (!next) return {};

  Invoice& invoice = bring_in(change, command);
  const auto [charge, refund] = find_refund(invoice, command.refund);
  const RefundSnapshot before{*refund, charge->id, invoice.id};
  const ChargeSnapshot charge_before{*charge, invoice.id};
  refund->state = *next;
  refund->failure_reason = *next == RefundState::failed ? command.outcome.failure_reason : "";
  if (*next == RefundState::pending) refund->resolve_at = change.now + change.rules.charge_pending_poll_after;
  if (!command.outcome.gateway_reference.empty()) refund->gateway_reference = command.outcome.gateway_reference;
  const RefundSnapshot after{*refund, charge->id, invoice.id};
  const bool is_taken_on = *next == RefundState::pending || *next == RefundState::succeeded;
  if (is_taken_on && !before.refund.was_taken_on())
    change.emit_update(EventType::charge_refunded, charge_before, ChargeSnapshot{*charge, invoice.id});
  // Source: Stripe tells of it under its older name, too.
  change.emit_update(EventType::refund_updated, before, after);
  change.emit_update(EventType::charge_refund_updated, before, after);
  if (*next == RefundState::failed) change.emit({EventType::refund_failed}, after);
  return {};
}

Result<void> record_foreign_refund(Change& change, const RecordForeignRefund& command) {
  const Invoice* found = look_up_payment(change, command);
  const auto find_charge = [&](auto& invoice) {
    return std::ranges::find(invoice.charges, command.charge, &Charge::id);
  };
  if (found == nullptr || find_charge(*found) == found->charges.end())
    return Failure{Errc::not_found, "No such charge: " + command.charge.value(), "charge"};
  const Charge& known = *find_charge(*found);
  change.set_subject(known.id.value());
  const std::string& reference = command.outcome.gateway_reference;
  if (reference.empty()) return Failure{Errc::missing_parameter, "A refund needs the gateway's name for it.", "refund"};
  const auto told = std::ranges::find(known.refunds, reference, &Refund::gateway_reference);
  if (told != known.refunds.end()) {
    auto recorded = record_refund_outcome(
        change, RecordRefundOutcome{command.invoice, command.recalled, told->id, command.outcome});
    change.set_subject(command.charge.value());
    return recorded;
  }
  // What has come to nothing was never known.
  const bool is_pending = command.outcome.kind == RefundOutcomeKind::pending;
  if (!is_pending && command.outcome.kind != RefundOutcomeKind::succeeded) return {};
  if (command.amount.minor <= 0 || command.amount.currency != known.amount.currency)
    return Failure{Errc::invalid_parameter, "A refund is of more than zero, in the charge's currency.", "amount"};

  Invoice& invoice = bring_in(change, command);
  Charge& charge = *find_charge(invoice);
  const bool is_too_much = charge.state != ChargeState::succeeded ||
                           command.amount.minor > charge.amount.minor - charge.amount_refunded().minor ||
                           charge.refunds.size() >= refunds_max;
  if (is_too_much) {
    change.alarm("the gateway gave back more of a charge than there was");
    return {};
  }
  const ChargeSnapshot before{charge, invoice.id};
  Refund refund;
  refund.id = change.draw_id<RefundKind>();
  refund.state = is_pending ? RefundState::pending : RefundState::succeeded;
  refund.amount = command.amount;
  refund.created = change.now;
  refund.resolve_at = change.now + change.rules.charge_pending_poll_after;
  // Stripe has reasons of its own that nobody may give.
  if (std::ranges::find(refund_reasons, command.reason) != refund_reasons.end()) refund.reason = command.reason;
  refund.gateway_reference = reference;
  charge.refunds.push_back(std::move(refund));
  change.emit({EventType::refund_created}, RefundSnapshot{charge.refunds.back(), charge.id, invoice.id});
  change.emit_update(EventType::charge_refunded, before, ChargeSnapshot{charge, invoice.id});
  return {};
}

}  // namespace billd
