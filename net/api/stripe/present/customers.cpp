// Customers as Stripe shows them.
#include <algorithm>

#include "net/api/stripe/present/words.hpp"
#include "net/api/stripe/presenter.hpp"

namespace billd::api::stripe {

std::string_view tax_exempt_name(TaxExempt tax_exempt) {
  switch (tax_exempt) {
    case TaxExempt::none:
      return "none";
    case TaxExempt::exempt:
      return "exempt";
    case TaxExempt::reverse:
      return "reverse";
  }
  return "";
}

Value Presenter::shipping(const Shipping& shipping) {
  if (shipping == Shipping()) return {};
  Object& object = document_.object(5);
  object.add("address", address(shipping.address));
  object.add("carrier", nullptr);
  object.add("name", document_.text(shipping.name));
  object.add("phone", document_.text_or_null(shipping.phone));
  object.add("tracking_number", nullptr);
  return object;
}

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
  object.add("discount", discount_or_null(customer.discount, customer.id));
  object.add("email", document_.text_or_null(customer.email));
  object.add("invoice_prefix", document_.text(invoice_prefix(customer, key)));
  Object& invoice_settings = document_.object(4);
  invoice_settings.add("custom_fields", custom_fields(customer.invoice_fields));
  invoice_settings.add("default_payment_method", id_or_null(customer.default_payment_method));
  invoice_settings.add("footer", document_.text_or_null(customer.invoice_footer));
  invoice_settings.add("rendering_options", nullptr);
  object.add("invoice_settings", invoice_settings);
  object.add("livemode", mode_ == Mode::live);
  object.add("metadata", metadata(customer.metadata));
  object.add("name", document_.text_or_null(customer.name));
  object.add("phone", document_.text_or_null(customer.phone));
  Array& locales = document_.array(customer.preferred_locales.size());
  for (const std::string& locale : customer.preferred_locales) locales.add(document_.text(locale));
  object.add("preferred_locales", locales);
  object.add("shipping", shipping(customer.shipping));
  object.add("tax_exempt", document_.text(tax_exempt_name(customer.tax_exempt)));
  object.add("test_clock", id_or_null(customer.test_clock));
  return object;
}

Object& Presenter::customer(const Account& account) {
  const Customer& customer = account.customer;
  if (customer.deleted) return deleted(customer.id.value(), "customer");
  Object& object = customer_alone(customer, account.key, 32);
  object.add("next_invoice_sequence", static_cast<std::int64_t>(account.invoices_numbered + 1));

  const std::string url = "/v1/customers/" + customer.id.value();
  Array& sources = document_.array(std::min(account.sources.size(), embedded_max));
  std::size_t sources_total = 0;
  for (auto source = account.sources.rbegin(); source != account.sources.rend(); ++source) {
    if (source->is_payment_method()) continue;
    if (++sources_total <= embedded_max) sources.add(this->source(*source, customer.id));
  }
  object.add("sources", list(url + "/sources", sources, sources_total > embedded_max, sources_total));

  const Owner owner{customer.id, &account};
  Array& subscriptions = document_.array();
  std::size_t total = 0;
  for (auto each = account.subscriptions.rbegin(); each != account.subscriptions.rend(); ++each) {
    if (each->provisional) continue;
    if (++total <= embedded_max) subscriptions.add(subscription(*each, owner));
  }
  object.add("subscriptions", list(url + "/subscriptions", subscriptions, total > embedded_max, total));
  Array& tax_ids = document_.array(std::min(customer.tax_identifiers.size(), embedded_max));
  for (auto each = customer.tax_identifiers.rbegin(); each != customer.tax_identifiers.rend(); ++each)
    if (tax_ids.values().size() < embedded_max) tax_ids.add(tax_id(*each, customer.id));
  const std::size_t tax_ids_total = customer.tax_identifiers.size();
  object.add("tax_ids", list(url + "/tax_ids", tax_ids, tax_ids_total > embedded_max, tax_ids_total));
  return object;
}

Object& Presenter::tax_id(const TaxIdentifier& identifier, const CustomerId& customer) {
  Object& object = document_.object(9);
  object.add("id", id(identifier.id));
  object.add("object", "tax_id");
  // Source: Stripe's types begin with the country, except those of the whole of the European Union.
  const std::string country = identifier.type.substr(0, identifier.type.find('_'));
  std::string code = country == "eu" ? identifier.value.substr(0, 2) : country;
  std::ranges::transform(code, code.begin(), [](char letter) {
    return letter >= 'a' && letter <= 'z' ? static_cast<char>(letter - 'a' + 'A') : letter;
  });
  const bool is_country =
      code.size() == 2 && std::ranges::all_of(code, [](char letter) { return letter >= 'A' && letter <= 'Z'; });
  object.add("country", is_country ? document_.text(code) : Value());
  object.add("created", time(identifier.created));
  object.add("customer", id(customer));
  object.add("livemode", mode_ == Mode::live);
  object.add("type", document_.text(identifier.type));
  object.add("value", document_.text(identifier.value));
  // billd asks no tax office.
  Object& verification = document_.object(3);
  verification.add("status", "unavailable");
  verification.add("verified_address", nullptr);
  verification.add("verified_name", nullptr);
  object.add("verification", verification);
  return object;
}

}  // namespace billd::api::stripe
