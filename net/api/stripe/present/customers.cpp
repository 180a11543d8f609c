// Customers as Stripe shows them.
#include <algorithm>

#include "net/api/stripe/present/words.hpp"
#include "net/api/stripe/presenter.hpp"

namespace billd::api::stripe {

Object& Presenter::customer_alone(const Customer& customer, const AccountKey& key, std::size_t members) {
  Object& object = document_.object(members);
  object.add("id", id(customer.id));
  object.add("object", "customer");
  object.add("account_balance", customer.balance);
  object.add("address", address(customer.address));
  object.add("balance", customer.balance);
  object.add("created", time(customer.created));
  object.add("currency", document_.text_or_null(customer.currency.code()));
  object.add("default_source", id_or_null(customer.default_source));
  object.add("delinquent", customer.delinquent);
  object.add("description", document_.text_or_null(customer.description));
  object.add("discount", nullptr);
  object.add("email", document_.text_or_null(customer.email));
  object.add("invoice_prefix", document_.text(invoice_prefix(key)));
  Object& invoice_settings = document_.object(4);
  invoice_settings.add("custom_fields", nullptr);
  invoice_settings.add("default_payment_method", nullptr);
  invoice_settings.add("footer", nullptr);
  invoice_settings.add("rendering_options", nullptr);
  object.add("invoice_settings", invoice_settings);
  object.add("livemode", mode_ == Mode::live);
  object.add("metadata", metadata(customer.metadata));
  object.add("name", document_.text_or_null(customer.name));
  object.add("phone", document_.text_or_null(customer.phone));
  object.add("preferred_locales", document_.array());
  object.add("shipping", nullptr);
  object.add("tax_exempt", "none");
  object.add("test_clock", id_or_null(customer.test_clock));
  return object;
}

Object& Presenter::customer(const Account& account) {
  const Customer& customer = account.customer;
  if (customer.deleted) return deleted(customer.id.value(), "customer");
  Object& object = customer_alone(customer, account.key, 32);
  object.add("next_invoice_sequence", static_cast<std::int64_t>(account.invoices_numbered + 1));

  const std::string url = "/v1/customers/" + customer.id.value();
  Array& cards = document_.array(std::min(account.sources.size(), embedded_max));
  for (auto source = account.sources.rbegin(); source != account.sources.rend(); ++source)
    if (cards.values().size() < embedded_max) cards.add(card(*source, customer.id));
  object.add("sources", list(url + "/sources", cards, account.sources.size() > embedded_max, account.sources.size()));

  const Owner owner{customer.id, &account};
  Array& subscriptions = document_.array();
  std::size_t total = 0;
  for (auto each = account.subscriptions.rbegin(); each != account.subscriptions.rend(); ++each) {
    if (each->provisional) continue;
    if (++total <= embedded_max) subscriptions.add(subscription(*each, owner));
  }
  object.add("subscriptions", list(url + "/subscriptions", subscriptions, total > embedded_max, total));
  object.add("tax_ids", empty_list(url + "/tax_ids"));
  return object;
}

}  // namespace billd::api::stripe
