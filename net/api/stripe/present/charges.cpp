// Charges as Stripe shows them.
#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/present/words.hpp"
#include "net/api/stripe/presenter.hpp"

namespace billd::api::stripe {
namespace {

std::string_view name(ChargeState state) {
  switch (state) {
    case ChargeState::succeeded:
      return "succeeded";
    case ChargeState::declined:
    case ChargeState::absent:
      return "failed";
    case ChargeState::sending:
    case ChargeState::pending:
    case ChargeState::parked:
      return "pending";
  }
  return "";
}

std::string_view name(DisputeStatus status) {
  switch (status) {
    case DisputeStatus::open:
      return "needs_response";
    case DisputeStatus::won:
      return "won";
    case DisputeStatus::lost:
      return "lost";
  }
  return "";
}

std::string_view name(RefundState state) {
  switch (state) {
    case RefundState::succeeded:
      return "succeeded";
    case RefundState::failed:
      return "failed";
    case RefundState::sending:
    case RefundState::pending:
    case RefundState::parked:
      return "pending";
  }
  return "";
}

}  // namespace

Object& Presenter::source_of_charge(const Charge& charge, const Owner& owner) {
  if (const Source* source = owner.account != nullptr ? owner.account->find(charge.source) : nullptr)
    return this->source(*source, owner.customer);
  Source gone;  // What the charge itself remembers of its source.
  gone.id = charge.source;
  gone.gateway = charge.gateway;
  gone.reference = charge.gateway_source;
  if (const auto* card = std::get_if<CardSummary>(&charge.means))
    gone.means = Card{*card, {}, {}, {}, {}, {}};
  else
    gone.means = BankAccount{std::get<BankAccountSummary>(charge.means), {}, {}, BankAccountStatus::verified, 0};
  return this->source(gone, owner.customer);
}

Object& Presenter::card_details(const CardSummary& card) {
  Object& object = document_.object(16);
  const Value network = document_.text(network_of(card.brand));
  object.add("brand", network);
  Object& checks = document_.object(3);
  checks.add("address_line1_check", nullptr);
  checks.add("address_postal_code_check", nullptr);
  checks.add("cvc_check", nullptr);
  object.add("checks", checks);
  object.add("country", document_.text_or_null(card.country));
  object.add("exp_month", card.exp_month);
  object.add("exp_year", card.exp_year);
  object.add("fingerprint", document_.text_or_null(card.fingerprint));
  object.add("funding", document_.text_or_null(card.funding));
  object.add("installments", nullptr);
  object.add("last4", document_.text_or_null(card.last4));
  object.add("mandate", nullptr);
  object.add("network", network);
  object.add("three_d_secure", nullptr);
  object.add("wallet", nullptr);
  return object;
}

Object& Presenter::bank_details(const BankAccountSummary& account) {
  Object& object = document_.object(6);
  object.add("account_holder_type", nullptr);
  object.add("account_type", nullptr);
  object.add("bank_name", document_.text_or_null(account.bank_name));
  object.add("fingerprint", document_.text_or_null(account.fingerprint));
  object.add("last4", document_.text_or_null(account.last4));
  object.add("routing_number", document_.text_or_null(account.routing_number));
  return object;
}

Object& Presenter::payment_method_details(const MeansSummary& means) {
  Object& details = document_.object(2);
  if (is_processor_account(means)) {
    details.add("type", "funding_source");
  } else if (const auto* card = std::get_if<CardSummary>(&means)) {
    details.add("card", card_details(*card));
    details.add("type", "card");
  } else {
    details.add("us_bank_account", bank_details(std::get<BankAccountSummary>(means)));
    details.add("type", "us_bank_account");
  }
  return details;
}

Object& Presenter::outcome(const Charge& charge) {
  const bool declined = charge.state == ChargeState::declined;
  Object& object = document_.object(6);
  if (charge.state == ChargeState::absent) {
    object.add("network_status", "not_sent_to_network");
    object.add("reason", nullptr);
    object.add("risk_level", "normal");
    object.add("seller_message", "The charge never reached the processor.");
    object.add("type", "invalid");
    return object;
  }
  object.add("network_status", declined ? Value("declined_by_network") : Value("approved_by_network"));
  object.add("reason", declined ? document_.text_or_null(charge.decline_code) : Value());
  object.add("risk_level", "normal");
  object.add("seller_message", declined ? Value("The bank did not return any further details with this decline.")
                                        : Value("Payment complete."));
  object.add("type", declined ? Value("issuer_declined") : Value("authorized"));
  return object;
}

Object& Presenter::charge(const Charge& charge, const InvoiceId& invoice, const Owner& owner) {
  const bool succeeded = charge.state == ChargeState::succeeded;
  const bool declined = charge.state == ChargeState::declined || charge.state == ChargeState::absent;
  const Decline& decline = decline_named(charge.decline_code);
  Object& object = document_.object(60);
  object.add("id", id(charge.id));
  object.add("object", "charge");
  object.add("amount", charge.amount.minor);
  object.add("amount_captured", succeeded ? charge.amount.minor : 0);
  object.add("amount_refunded", charge.amount_refunded().minor);
  object.add("application", nullptr);
  object.add("application_fee", nullptr);
  object.add("application_fee_amount", nullptr);
  object.add("balance_transaction", nullptr);
  Object& billing = document_.object(4);
  Object& billing_address = document_.object(6);
  for (std::string_view member : {"city", "country", "line1", "line2", "postal_code", "state"})
    billing_address.add(member, nullptr);
  billing.add("address", billing_address);
  billing.add("email", nullptr);
  billing.add("name", nullptr);
  billing.add("phone", nullptr);
  object.add("billing_details", billing);
  object.add("calculated_statement_descriptor", nullptr);
  object.add("captured", succeeded);
  object.add("created", time(charge.created));
  object.add("currency", document_.text(charge.amount.currency.code()));
  object.add("customer", id(owner.customer));
  object.add("description", document_.text_or_null(charge.description));
  object.add("destination", nullptr);
  object.add("dispute", charge.dispute ? document_.text(charge.dispute->reference) : Value());
  object.add("disputed", charge.dispute.has_value());
  object.add("failure_balance_transaction", nullptr);
  object.add("failure_code", declined ? document_.text(decline.code) : Value());
  object.add("failure_message", declined ? document_.text(decline.message) : Value());
  object.add("fraud_details", document_.object(0));
  object.add("invoice", charge.is_direct ? Value() : id_or_null(invoice));
  object.add("livemode", mode_ == Mode::live);
  object.add("metadata", metadata(charge.metadata));
  object.add("on_behalf_of", nullptr);
  object.add("order", nullptr);
  object.add("outcome", charge.is_unresolved() ? Value() : Value(outcome(charge)));
  object.add("paid", succeeded);
  object.add("payment_intent", invoice.is_empty() ? Value() : document_.text(payment_intent_id(invoice)));
  object.add("payment_method", id_or_null(charge.source));
  Object& means = payment_method_details(charge.means);
  if (is_processor_account(charge.means))
    means.add("funding_source", processor_account_details(document_, charge.gateway, charge.gateway_source));
  object.add("payment_method_details", means);
  object.add("radar_options", document_.object(0));
  object.add("receipt_email", nullptr);
  object.add("receipt_number", nullptr);
  object.add("receipt_url", nullptr);
  object.add("refunded", succeeded && charge.amount_refunded() == charge.amount);
  Array& refunds = document_.array(charge.refunds.size());
  for (auto each = charge.refunds.rbegin(); each != charge.refunds.rend(); ++each)
    refunds.add(refund(*each, charge.id, invoice));
  object.add("refunds", list("/v1/charges/" + charge.id.value() + "/refunds", refunds, false, charge.refunds.size()));
  object.add("review", nullptr);
  object.add("shipping", nullptr);
  object.add("source", source_of_charge(charge, owner));
  object.add("source_transfer", nullptr);
  object.add("statement_descriptor", nullptr);
  object.add("statement_descriptor_suffix", nullptr);
  object.add("status", document_.text(name(charge.state)));
  object.add("transfer_data", nullptr);
  object.add("transfer_group", nullptr);
  return object;
}

Object& Presenter::refund(const Refund& refund, const ChargeId& charge, const InvoiceId& invoice) {
  Object& object = document_.object(16);
  object.add("id", id(refund.id));
  object.add("object", "refund");
  object.add("amount", refund.amount.minor);
  object.add("balance_transaction", nullptr);
  object.add("charge", id(charge));
  object.add("created", time(refund.created));
  object.add("currency", document_.text(refund.amount.currency.code()));
  if (refund.state == RefundState::failed) object.add("failure_reason", document_.text_or_null(refund.failure_reason));
  object.add("metadata", metadata(refund.metadata));
  object.add("payment_intent", document_.text(payment_intent_id(invoice)));
  object.add("reason", document_.text_or_null(refund.reason));
  object.add("receipt_number", nullptr);
  object.add("source_transfer_reversal", nullptr);
  object.add("status", document_.text(name(refund.state)));
  object.add("transfer_reversal", nullptr);
  return object;
}

Object& Presenter::dispute(const Charge& charge) {
  static const Dispute none;
  const Dispute& dispute = charge.dispute ? *charge.dispute : none;
  Object& object = document_.object(16);
  object.add("id", document_.text(dispute.reference));
  object.add("object", "dispute");
  object.add("amount", dispute.amount.minor);
  object.add("balance_transactions", document_.array(0));
  object.add("charge", id(charge.id));
  object.add("created", time(dispute.created));
  object.add("currency", document_.text(dispute.amount.currency.code()));
  object.add("is_charge_refundable", false);
  object.add("livemode", mode_ == Mode::live);
  object.add("metadata", document_.object(0));
  object.add("payment_intent", nullptr);
  object.add("reason", dispute.reason.empty() ? Value("general") : document_.text(dispute.reason));
  object.add("status", document_.text(name(dispute.status)));
  return object;
}

}  // namespace billd::api::stripe
