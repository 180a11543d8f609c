#include "net/api/stancer/customer.hpp"

#include "config/secrets.hpp"
#include "net/api/characters.hpp"
#include "net/api/document.hpp"
#include "net/api/stancer/description.hpp"
#include "net/http/form.hpp"

namespace billd::api::stancer {
namespace {

struct Text {
  const char* name;
  std::size_t least, most;  ///< characters
  std::optional<std::string> CustomerFields::* member;
  bool may_look_secret;  ///< a telephone number may have the digits of a card's
};

// Source: Stancer's description of the customer. The limit of external_id is its reference's.
constexpr Text texts[] = {
    {"email", 5, 64, &CustomerFields::email, false},
    {"mobile", 8, 16, &CustomerFields::mobile, true},
    {"name", 4, 64, &CustomerFields::name, false},
    {"external_id", 1, 36, &CustomerFields::external_id, false},
};

Failure invalid(const char* name, const std::string& what) {
  return {Errc::invalid_parameter, std::string(name) + " " + what, name};
}

Result<std::optional<std::string>> read_text(const http::Parameters& members, const Text& text) {
  const http::Parameter* given = members.find(text.name);
  if (given == nullptr) return std::optional<std::string>();
  if (given->is_text() && given->written() == http::Parameter::Written::null) return std::optional(std::string());
  if (!given->is_text() || given->written() != http::Parameter::Written::text)
    return invalid(text.name, "must be a string or null");
  const std::size_t length = characters_in(given->text());
  if (length < text.least || length > text.most)
    return invalid(text.name, "must have " + std::to_string(text.least) + " to " + std::to_string(text.most) +
                                  " characters, not " + std::to_string(length));
  if (has_secret_key(given->text()) || (!text.may_look_secret && has_card_number(given->text())))
    return invalid(text.name, "holds what looks like a card number or a secret key: leave it out");
  return std::optional(given->text());
}

}  // namespace

std::vector<DescribedMember> described_customer() {
  std::vector<DescribedMember> members;
  for (const Text& text : texts) members.push_back({text.name, DescribedMember::Type::text, text.least, text.most});
  members.push_back({"live_mode", DescribedMember::Type::boolean});
  return members;
}

Result<CustomerFields> read_customer(const http::Request& request) {
  CustomerFields fields;
  if (request.body.empty()) return fields;
  const std::string_view type = request.headers.find("Content-Type").value_or("application/json");
  if (!type.starts_with("application/json"))
    return Failure{Errc::invalid_parameter, "The body must be JSON, and its Content-Type application/json"};
  auto members = http::parse_json(request.body);
  if (!members) return members.error();
  for (const Text& text : texts) {
    auto read = read_text(*members, text);
    if (!read) return read.error();
    fields.*text.member = std::move(*read);
  }
  if (const http::Parameter* live_mode = members->find("live_mode")) {
    if (live_mode->written() != http::Parameter::Written::boolean) return invalid("live_mode", "must be true or false");
    fields.live_mode = live_mode->text() == "true";
  }
  return fields;
}

std::string customer_id(const Customer& customer) {
  return "cust_" + customer.id.value().substr(CustomerKind::prefix.size());
}

std::string render_customer(const Account& account) {
  const Customer& customer = account.customer;
  Document document;
  Object& object = document.object(7);
  object.add("id", document.text(customer_id(customer)));
  object.add("email", document.text_or_null(customer.email));
  object.add("mobile", document.text_or_null(customer.phone));
  object.add("name", document.text_or_null(customer.name));
  object.add("created", to_unix(customer.created));
  object.add("live_mode", account.mode == Mode::live);
  if (!customer.external_id.empty()) object.add("external_id", document.text(customer.external_id));
  return to_json(object);
}

}  // namespace billd::api::stancer
