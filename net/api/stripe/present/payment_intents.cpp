// PaymentIntents as Stripe shows them: the collection of one invoice, told by the newer name.
#include "net/api/stripe/errors.hpp"
#include "net/api/stripe/present/words.hpp"
#include "net/api/stripe/presenter.hpp"

namespace billd::api::stripe {
namespace {

/// Source: https://stripe.com/docs/payments/intents#intent-statuses.
std::string_view status_of(const Invoice& invoice) {
  if (invoice.status == InvoiceStatus::paid) return "succeeded";
  if (invoice.status == InvoiceStatus::void_) return "canceled";
  if (invoice.unresolved_charge() != nullptr) return "processing";
  const bool is_new = invoice.is_of_direct_charge() && invoice.charges.empty() && !invoice.default_source.is_empty();
  return is_new ? "requires_confirmation" : "requires_payment_method";
}

bool is_refused(const Charge& charge) {
  return charge.state == ChargeState::declined || charge.state == ChargeState::absent;
}

std::string_view type_of(const MeansSummary& means) {
  if (is_processor_account(means)) return "funding_source";
  return std::holds_alternative<CardSummary>(means) ? "card" : "us_bank_account";
}

}  // namespace

bool has_payment_intent(const Invoice& invoice) {
  if (!invoice.finalized_at || invoice.provisional || invoice.paid_out_of_band) return false;
  return invoice.amount_due().minor > 0 || !invoice.charges.empty();
}

Value Presenter::payment_intent_id_or_null(const Invoice& invoice) {
  return has_payment_intent(invoice) ? document_.text(payment_intent_id(invoice.id)) : Value();
}

Value Presenter::last_payment_error(const Invoice& invoice, const Owner& owner) {
  if (invoice.charges.empty() || !is_refused(invoice.charges.back())) return {};
  const Charge& charge = invoice.charges.back();
  const Decline& decline = decline_named(charge.decline_code);
  Object& error = document_.object(6);
  error.add("charge", id(charge.id));
  error.add("code", document_.text(decline.code));
  error.add("decline_code", document_.text(charge.decline_code));
  error.add("message", document_.text(decline.message));
  const Source* source = owner.account != nullptr ? owner.account->find(charge.source) : nullptr;
  if (source != nullptr) error.add("payment_method", payment_method(*source, owner.customer));
  error.add("type", "card_error");
  return error;
}

Object& Presenter::setup_intent(const store::SetupIntent& intent) {
  const std::string_view status = intent.canceled                    ? "canceled"
                                  : intent.succeeded                 ? "succeeded"
                                  : intent.payment_method.is_empty() ? "requires_payment_method"
                                                                     : "requires_confirmation";
  Object& object = document_.object(24);
  object.add("id", document_.text(intent.id));
  object.add("object", "setup_intent");
  object.add("application", nullptr);
  object.add("automatic_payment_methods", nullptr);
  object.add("cancellation_reason", document_.text_or_null(intent.cancellation_reason));
  object.add("client_secret", nullptr);
  object.add("created", time(intent.created));
  object.add("customer", id_or_null(intent.customer));
  object.add("description", document_.text_or_null(intent.description));
  object.add("last_setup_error", nullptr);
  object.add("latest_attempt", nullptr);
  object.add("livemode", mode_ == Mode::live);
  object.add("mandate", nullptr);
  object.add("metadata", metadata(intent.metadata));
  object.add("next_action", nullptr);
  object.add("on_behalf_of", nullptr);
  object.add("payment_method", id_or_null(intent.payment_method));
  object.add("payment_method_options", nullptr);
  Array& types = document_.array(1);
  types.add("card");
  object.add("payment_method_types", types);
  object.add("single_use_mandate", nullptr);
  object.add("status", document_.text(status));
  object.add("usage", document_.text(intent.usage));
  return object;
}

Object& Presenter::payment_intent(const Invoice& invoice, const Owner& owner) {
  const Charge* latest = invoice.charges.empty() ? nullptr : &invoice.charges.back();
  const bool succeeded = invoice.status == InvoiceStatus::paid;
  const bool voided = invoice.status == InvoiceStatus::void_;
  Object& object = document_.object(48);
  object.add("id", document_.text(payment_intent_id(invoice.id)));
  object.add("object", "payment_intent");
  Array& source_types = document_.array(1);
  source_types.add("card");
  object.add("allowed_source_types", source_types);
  object.add("amount", invoice.amount_due().minor);
  object.add("amount_capturable", 0);
  object.add("amount_details", document_.object(0));
  object.add("amount_received", succeeded ? invoice.amount_paid.minor : 0);
  object.add("application", nullptr);
  object.add("application_fee_amount", nullptr);
  object.add("automatic_payment_methods", nullptr);
  object.add("canceled_at", time_or_null(invoice.voided_at));
  object.add("cancellation_reason", voided ? Value("void_invoice") : Value());
  object.add("capture_method", "automatic");
  Array& charges = document_.array(invoice.charges.size());
  for (auto each = invoice.charges.rbegin(); each != invoice.charges.rend(); ++each)
    charges.add(charge(*each, invoice.id, owner));
  object.add("charges", list("/v1/charges?payment_intent=" + payment_intent_id(invoice.id), charges, false,
                             invoice.charges.size()));
  object.add("client_secret", nullptr);
  object.add("confirmation_method", "automatic");
  object.add("created", time(*invoice.finalized_at));
  object.add("currency", document_.text(invoice.total.currency.code()));
  object.add("customer", id(owner.customer));
  const bool is_direct = invoice.is_of_direct_charge();
  object.add("description", is_direct ? document_.text_or_null(invoice.description) : Value());
  object.add("invoice", is_direct ? Value() : id(invoice.id));
  object.add("last_payment_error", last_payment_error(invoice, owner));
  object.add("latest_charge", latest != nullptr ? id(latest->id) : Value());
  object.add("livemode", mode_ == Mode::live);
  object.add("metadata", is_direct ? metadata(invoice.metadata) : document_.object(0));
  object.add("next_action", nullptr);
  object.add("next_source_action", nullptr);
  object.add("on_behalf_of", nullptr);
  const bool is_in_use = latest != nullptr && !is_refused(*latest);
  const bool is_named = latest == nullptr && is_direct;
  object.add("payment_method", is_in_use  ? id(latest->source)
                               : is_named ? id_or_null(invoice.default_source)
                                          : Value());
  object.add("payment_method_options", nullptr);
  Array& types = document_.array(1);
  types.add(document_.text(latest != nullptr ? type_of(latest->means) : "card"));
  object.add("payment_method_types", types);
  object.add("processing", nullptr);
  object.add("receipt_email", nullptr);
  object.add("review", nullptr);
  object.add("setup_future_usage", nullptr);
  object.add("shipping", nullptr);
  object.add("source", nullptr);
  object.add("statement_descriptor", nullptr);
  object.add("statement_descriptor_suffix", nullptr);
  object.add("status", document_.text(status_of(invoice)));
  object.add("transfer_data", nullptr);
  object.add("transfer_group", nullptr);
  return object;
}

}  // namespace billd::api::stripe
