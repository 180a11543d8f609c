// Payment sources as Stripe shows them: cards and bank accounts, and both of them by their newer name.
#include "net/api/stripe/present/words.hpp"
#include "net/api/stripe/presenter.hpp"

namespace billd::api::stripe {
namespace {

std::string_view name(BankAccountStatus status) {
  switch (status) {
    case BankAccountStatus::new_:
      return "new";
    case BankAccountStatus::validated:
      return "validated";
    case BankAccountStatus::verified:
      return "verified";
    case BankAccountStatus::verification_failed:
      return "verification_failed";
    case BankAccountStatus::errored:
      return "errored";
  }
  return "";
}

}  // namespace

std::string_view network_of(std::string_view brand) {
  if (brand == "Visa") return "visa";
  if (brand == "MasterCard") return "mastercard";
  if (brand == "American Express") return "amex";
  if (brand == "Discover") return "discover";
  if (brand == "Diners Club") return "diners";
  if (brand == "JCB") return "jcb";
  if (brand == "UnionPay") return "unionpay";
  return "unknown";
}

std::string_view object_name(const Means& means) {
  const auto* card = std::get_if<Card>(&means);
  if (card == nullptr) return "bank_account";
  return is_processor_account(card->summary) ? "source" : "card";
}

Object& processor_account_details(Document& document, std::string_view gateway, std::string_view reference) {
  Object& details = document.object(4);
  details.add("gateway", document.text(gateway));
  details.add("remote_id", document.text(reference));
  return details;
}

void Presenter::add_card_members(Object& object, const CardSummary& card) {
  object.add("brand", document_.text(card.brand));
  object.add("country", document_.text_or_null(card.country));
  object.add("exp_month", card.exp_month);
  object.add("exp_year", card.exp_year);
  object.add("fingerprint", document_.text_or_null(card.fingerprint));
  object.add("funding", document_.text(card.funding));
  object.add("last4", document_.text(card.last4));
}

Object& Presenter::card(const Source& source, const Card& card, const CustomerId& customer) {
  Object& object = document_.object(24);
  object.add("id", id(source.id));
  object.add("object", "card");
  object.add("address_city", document_.text_or_null(card.address.city));
  object.add("address_country", document_.text_or_null(card.address.country));
  object.add("address_line1", document_.text_or_null(card.address.line1));
  object.add("address_line1_check", document_.text_or_null(card.address_line1_check));
  object.add("address_line2", document_.text_or_null(card.address.line2));
  object.add("address_state", document_.text_or_null(card.address.state));
  object.add("address_zip", document_.text_or_null(card.address.postal_code));
  object.add("address_zip_check", document_.text_or_null(card.address_zip_check));
  add_card_members(object, card.summary);
  object.add("customer", id_or_null(customer));
  object.add("cvc_check", document_.text_or_null(card.cvc_check));
  object.add("dynamic_last4", nullptr);
  object.add("metadata", metadata(source.metadata));
  object.add("name", document_.text_or_null(card.name));
  object.add("tokenization_method", nullptr);
  return object;
}

Object& Presenter::bank_account(const Source& source, const BankAccount& account, const CustomerId& customer) {
  Object& object = document_.object(16);
  object.add("id", id(source.id));
  object.add("object", "bank_account");
  object.add("account_holder_name", document_.text_or_null(account.holder_name));
  object.add("account_holder_type", document_.text_or_null(account.holder_type));
  object.add("account_type", nullptr);
  object.add("bank_name", document_.text_or_null(account.summary.bank_name));
  object.add("country", document_.text(account.summary.country));
  object.add("currency", document_.text(account.summary.currency.code()));
  object.add("customer", id_or_null(customer));
  object.add("fingerprint", document_.text_or_null(account.summary.fingerprint));
  object.add("last4", document_.text(account.summary.last4));
  object.add("metadata", metadata(source.metadata));
  object.add("routing_number", document_.text_or_null(account.summary.routing_number));
  object.add("status", document_.text(name(account.status)));
  return object;
}

Object& Presenter::source(const Source& source, const CustomerId& customer) {
  if (const BankAccount* account = source.bank_account()) return bank_account(source, *account, customer);
  if (!is_processor_account(source.summary())) return card(source, *source.card(), customer);
  Object& owner = billing_details(source);
  for (std::string_view member : {"verified_address", "verified_email", "verified_name", "verified_phone"})
    owner.add(member, nullptr);
  Object& details = processor_account_details(document_, source.gateway, source.reference);
  details.add("nickname", document_.text_or_null(source.nickname));
  details.add("last_used", time_or_null(source.last_used));
  // Source: Stripe's Source object; the details have the name of the type.
  Object& object = document_.object(20);
  object.add("id", id(source.id));
  object.add("object", "source");
  object.add("amount", nullptr);
  object.add("client_secret", nullptr);
  object.add("created", source.created == Timestamp() ? Value() : time(source.created));
  object.add("currency", nullptr);
  object.add("customer", id_or_null(customer));
  object.add("flow", "none");
  object.add("funding_source", details);
  object.add("livemode", mode_ == Mode::live);
  object.add("metadata", metadata(source.metadata));
  object.add("owner", owner);
  object.add("statement_descriptor", nullptr);
  object.add("status", "chargeable");
  object.add("type", "funding_source");
  object.add("usage", "reusable");
  return object;
}

Object& Presenter::billing_details(const Source& source) {
  const Card* card = source.card();
  Object& object = document_.object(4);
  Object& place = document_.object(6);
  const Address& address = card != nullptr ? card->address : Address();
  place.add("city", document_.text_or_null(address.city));
  place.add("country", document_.text_or_null(address.country));
  place.add("line1", document_.text_or_null(address.line1));
  place.add("line2", document_.text_or_null(address.line2));
  place.add("postal_code", document_.text_or_null(address.postal_code));
  place.add("state", document_.text_or_null(address.state));
  object.add("address", place);
  object.add("email", document_.text_or_null(source.email));
  object.add("name", document_.text_or_null(card != nullptr ? card->name : source.bank_account()->holder_name));
  object.add("phone", document_.text_or_null(source.phone));
  return object;
}

Object& Presenter::card_of_payment_method(const Card& card) {
  Object& object = document_.object(12);
  const Value network = document_.text(network_of(card.summary.brand));
  object.add("brand", network);
  Object& checks = document_.object(3);
  checks.add("address_line1_check", document_.text_or_null(card.address_line1_check));
  checks.add("address_postal_code_check", document_.text_or_null(card.address_zip_check));
  checks.add("cvc_check", document_.text_or_null(card.cvc_check));
  object.add("checks", checks);
  object.add("country", document_.text_or_null(card.summary.country));
  object.add("exp_month", card.summary.exp_month);
  object.add("exp_year", card.summary.exp_year);
  object.add("fingerprint", document_.text_or_null(card.summary.fingerprint));
  object.add("funding", document_.text(card.summary.funding));
  object.add("generated_from", nullptr);
  object.add("last4", document_.text(card.summary.last4));
  Object& networks = document_.object(2);
  Array& available = document_.array(1);
  available.add(network);
  networks.add("available", available);
  networks.add("preferred", nullptr);
  object.add("networks", networks);
  Object& secure = document_.object(1);
  secure.add("supported", false);
  object.add("three_d_secure_usage", secure);
  object.add("wallet", nullptr);
  return object;
}

Object& Presenter::us_bank_account(const BankAccount& account) {
  Object& object = document_.object(10);
  object.add("account_holder_type", document_.text_or_null(account.holder_type));
  object.add("account_type", nullptr);
  object.add("bank_name", document_.text_or_null(account.summary.bank_name));
  object.add("financial_connections_account", nullptr);
  object.add("fingerprint", document_.text_or_null(account.summary.fingerprint));
  object.add("last4", document_.text(account.summary.last4));
  object.add("networks", nullptr);
  object.add("routing_number", document_.text_or_null(account.summary.routing_number));
  object.add("status_details", nullptr);
  return object;
}

Object& Presenter::payment_method(const Source& source, const CustomerId& customer) {
  Object& object = document_.object(10);
  object.add("id", id(source.id));
  object.add("object", "payment_method");
  object.add("billing_details", billing_details(source));
  const bool is_funding_source = is_processor_account(source.summary());
  const bool is_card = source.card() != nullptr && !is_funding_source;
  if (is_card) object.add("card", card_of_payment_method(*source.card()));
  object.add("created", time(source.created));
  object.add("customer", id_or_null(customer));
  if (is_funding_source)
    object.add("funding_source", processor_account_details(document_, source.gateway, source.reference));
  object.add("livemode", mode_ == Mode::live);
  object.add("metadata", metadata(source.metadata));
  object.add("type", is_funding_source ? Value("funding_source") : is_card ? Value("card") : Value("us_bank_account"));
  if (source.bank_account() != nullptr) object.add("us_bank_account", us_bank_account(*source.bank_account()));
  return object;
}

Object& Presenter::token(const store::HeldSource& held, bool used) {
  // What it stands for has an identifier of its own, which leads nowhere but is the same each time.
  Source source = source_of(held);
  const bool is_card = source.card() != nullptr;
  source.id = SourceId((is_card ? "card_" : "ba_") + std::string(id_body(held.id)));
  Object& object = document_.object(9);
  object.add("id", document_.text(held.id));
  object.add("object", "token");
  object.add(is_card ? "card" : "bank_account", this->source(source, CustomerId()));
  object.add("client_ip", nullptr);
  object.add("created", time(held.created));
  object.add("livemode", mode_ == Mode::live);
  object.add("type", is_card ? Value("card") : Value("bank_account"));
  object.add("used", used);
  return object;
}

Source source_of(const store::HeldSource& held) {
  Source source;
  source.id = held.source.id.is_empty() ? SourceId(held.id) : held.source.id;
  source.created = held.created;
  source.gateway = held.source.gateway;
  source.reference = held.source.reference;
  source.means = held.source.means;
  source.metadata = held.source.metadata;
  source.email = held.source.email;
  source.phone = held.source.phone;
  return source;
}

}  // namespace billd::api::stripe
