// Payment sources as Stripe shows them.
#include "net/api/stripe/presenter.hpp"

namespace billd::api::stripe {

void Presenter::add_card_members(Object& object, const CardSummary& card) {
  object.add("brand", document_.text(card.brand));
  object.add("country", document_.text_or_null(card.country));
  object.add("exp_month", card.exp_month);
  object.add("exp_year", card.exp_year);
  object.add("fingerprint", document_.text_or_null(card.fingerprint));
  object.add("funding", document_.text(card.funding));
  object.add("last4", document_.text(card.last4));
}

Object& Presenter::card(const Source& source, const CustomerId& customer) {
  Object& object = document_.object(24);
  object.add("id", id(source.id));
  object.add("object", "card");
  object.add("address_city", document_.text_or_null(source.address.city));
  object.add("address_country", document_.text_or_null(source.address.country));
  object.add("address_line1", document_.text_or_null(source.address.line1));
  object.add("address_line1_check", document_.text_or_null(source.address_line1_check));
  object.add("address_line2", document_.text_or_null(source.address.line2));
  object.add("address_state", document_.text_or_null(source.address.state));
  object.add("address_zip", document_.text_or_null(source.address.postal_code));
  object.add("address_zip_check", document_.text_or_null(source.address_zip_check));
  add_card_members(object, source.card);
  object.add("customer", id(customer));
  object.add("cvc_check", document_.text_or_null(source.cvc_check));
  object.add("dynamic_last4", nullptr);
  object.add("metadata", metadata(source.metadata));
  object.add("name", document_.text_or_null(source.name));
  object.add("tokenization_method", nullptr);
  return object;
}

}  // namespace billd::api::stripe
