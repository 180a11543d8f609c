#include "commands/import_newer_shapes.hpp"

#include <boost/json/array.hpp>
#include <boost/json/value.hpp>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "commands/import_json.hpp"

namespace billd::commands {
namespace {

namespace json = boost::json;

/// The member at the end of the path; nullptr when there is none.
const json::value* at(const json::object& object, std::initializer_list<std::string_view> path) {
  const json::value* value = nullptr;
  const json::object* holder = &object;
  for (const std::string_view name : path) {
    value = holder == nullptr ? nullptr : member_of(*holder, name);
    if (value == nullptr) return nullptr;
    holder = value->if_object();
  }
  return value;
}

void put(json::object& object, std::string_view name, const json::value* value) {
  if (value == nullptr || member_of(object, name) != nullptr) return;
  // The value may lie in the object itself.
  json::value copy = *value;
  object[name] = std::move(copy);
}

void put_price(json::object& object) {
  const json::value* price = at(object, {"pricing", "price_details", "price"});
  if (price == nullptr || !price->is_string()) return put(object, "price", price);
  json::object named;
  named["id"] = *price;
  const json::value whole(std::move(named));
  put(object, "price", &whole);
}

void put_taxes(json::object& line) {
  json::array amounts;
  for (const json::object& tax : objects_of(member_of(line, "taxes"))) {
    json::object amount;
    amount["amount"] = integer_of(tax, "amount");
    amount["inclusive"] = text_of(tax, "tax_behavior") == "inclusive";
    if (const json::value* rate = at(tax, {"tax_rate_details", "tax_rate"})) amount["tax_rate"] = *rate;
    amounts.push_back(std::move(amount));
  }
  if (amounts.empty()) return;
  const json::value whole(std::move(amounts));
  put(line, "tax_amounts", &whole);
}

void tell_line_as_before(json::object& line) {
  put_price(line);
  put_taxes(line);
  for (const std::string_view details : {"invoice_item_details", "subscription_item_details"})
    for (const std::string_view name : {"invoice_item", "proration", "subscription", "subscription_item"})
      put(line, name, at(line, {"parent", details, name}));
  if (at(line, {"parent"}) == nullptr) return;
  const json::value type(identifier_of(line, "invoice_item").empty() ? "subscription" : "invoiceitem");
  put(line, "type", &type);
}

}  // namespace

void tell_as_before(json::object& invoice) {
  put(invoice, "subscription", at(invoice, {"parent", "subscription_details", "subscription"}));
  for (const json::object& payment : objects_of(member_of(invoice, "payments")))
    put(invoice, "payment_intent", at(payment, {"payment", "payment_intent"}));
  json::value* lines = invoice.if_contains("lines");
  if (lines != nullptr && lines->is_object()) lines = lines->get_object().if_contains("data");
  if (lines == nullptr || !lines->is_array()) return;
  for (json::value& line : lines->get_array())
    if (line.is_object()) tell_line_as_before(line.get_object());
}

void tell_item_as_before(json::object& item) {
  put_price(item);
  for (const std::string_view name : {"subscription", "subscription_item"})
    put(item, name, at(item, {"parent", "subscription_details", name}));
}

}  // namespace billd::commands
