#include "net/api/management/customer.hpp"

#include <algorithm>
#include <charconv>

#include "config/secrets.hpp"
#include "net/api/characters.hpp"
#include "net/api/management/description.hpp"
#include "net/api/management/xml.hpp"

namespace billd::api::management {
namespace {

using Access = FieldEntry::Access;

constexpr std::array<FieldEntry, field_count> fields = {{
    {Field::id, "id", 0, Access::read_only},
    {Field::code, "code", 60, Access::create_only},
    {Field::account_id, "accountId", 0, Access::create_only, true},
    {Field::create_date, "createDate", 19, Access::read_only},
    {Field::first_name, "firstName", 125, Access::writable, true},
    {Field::last_name, "lastName", 125, Access::writable, true},
    {Field::organization_name, "organizationName", 255, Access::writable},
    {Field::email, "email", 100, Access::writable},
    {Field::phone, "phone", 15, Access::writable},
    {Field::street1, "street1", 128, Access::writable},
    {Field::street2, "street2", 128, Access::writable},
    {Field::city, "city", 50, Access::writable},
    {Field::state, "state", 3, Access::writable},
    {Field::zip_code, "zipCode", 10, Access::writable},
    {Field::country_code, "countryCode", 2, Access::writable},
}};

struct Filter {
  std::string_view name;
  std::size_t length_max;  ///< characters; 0: an integer
  store::Index index;
};
constexpr std::array filters = {
    Filter{"accountId", 0, store::Index::account_ids}, Filter{"firstName", 125, store::Index::first_names},
    Filter{"lastName", 125, store::Index::last_names}, Filter{"organizationName", 255, store::Index::organizations},
    Filter{"email", 100, store::Index::emails},        Filter{"phone", 15, store::Index::phones},
    Filter{"street", 128, store::Index::streets},      Filter{"city", 50, store::Index::cities},
    Filter{"state", 3, store::Index::states},          Filter{"zipCode", 10, store::Index::postal_codes},
    Filter{"countryCode", 2, store::Index::countries},
};

/// The greatest integer that every client can hold.
constexpr std::int64_t integer_max = std::int64_t{1} << 53;

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Refusal refusal(Code code, std::string_view name, const std::string& what) {
  return {code, std::string(name) + " " + what + "."};
}

/// A text that fits the length and can be kept.
Answered<void> check_text(std::string_view name, std::string_view text, std::size_t length_max) {
  if (characters_in(text) > length_max)
    return refusal(Code::too_long, name, "must have at most " + std::to_string(length_max) + " characters");
  if (std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }))
    return refusal(Code::unfit_text, name, "must not hold control characters");
  return {};
}

Answered<std::int64_t> check_integer(std::string_view name, std::string_view text) {
  const auto value = parse_integer(text);
  if (!value || *value < 1 || *value > integer_max)
    return refusal(Code::no_integer, name, "must be an integer from 1 to " + std::to_string(integer_max));
  return *value;
}

Answered<void> check_value(const FieldEntry& field, std::string_view text) {
  if (field.length_max == 0) {
    auto integer = check_integer(field.name, text);
    if (!integer) return integer.error();
    return {};
  }
  // A telephone number may have the digits of a card's.
  const bool looks_secret = has_secret_key(text) || (field.field != Field::phone && has_card_number(text));
  if (looks_secret)
    return refusal(Code::secret_sent, field.name, "holds what looks like a card number or a secret key");
  return check_text(field.name, text, field.length_max);
}

DescribedMember described(std::string_view name, std::size_t length_max, bool is_required) {
  if (length_max > 0) return {name, DescribedMember::Type::text, 0, length_max, is_required};
  return {name, DescribedMember::Type::integer, 1, static_cast<std::size_t>(integer_max), is_required};
}

/// What was given of the fields that are written at all.
Answered<CustomerFields> read_fields(const GivenMembers& members) {
  CustomerFields given;
  for (const GivenMember& member : members) {
    const auto field = std::ranges::find(fields, member.name, &FieldEntry::name);
    if (field == fields.end() || field->access == Access::read_only) continue;
    if (!member.text.empty()) {
      auto checked = check_value(*field, member.text);
      if (!checked) return checked.error();
    }
    given[static_cast<std::size_t>(field->field)] = member.text;
  }
  return given;
}

std::string& at(CustomerFields& given, Field field) {
  auto& value = given[static_cast<std::size_t>(field)];
  return value ? *value : value.emplace();
}
std::optional<std::string>& maybe(CustomerFields& given, Field field) { return given[static_cast<std::size_t>(field)]; }

GivenMembers members_of(const http::Parameters& parameters, bool& has_container) {
  GivenMembers members;
  for (const http::Parameter& parameter : parameters.children()) {
    const bool is_known = std::ranges::find(fields, parameter.name(), &FieldEntry::name) != fields.end();
    has_container = has_container || (is_known && !parameter.is_text());
    if (is_known && parameter.is_text()) members.push_back({parameter.name(), parameter.text()});
  }
  return members;
}

/// What the customer has in the field; empty: nothing.
std::string value_of(const Customer& customer, Field field) {
  switch (field) {
    case Field::id:
      return std::to_string(customer.number);
    case Field::code:
      return code_of(customer);
    case Field::account_id:
      return customer.account_id == 0 ? std::string() : std::to_string(customer.account_id);
    case Field::create_date:
      return date_text(customer.created);
    case Field::first_name:
      return std::string(split_name(customer).first);
    case Field::last_name:
      return std::string(split_name(customer).last);
    case Field::organization_name:
      return customer.organization;
    case Field::email:
      return customer.email;
    case Field::phone:
      return customer.phone;
    case Field::street1:
      return customer.address.line1;
    case Field::street2:
      return customer.address.line2;
    case Field::city:
      return customer.address.city;
    case Field::state:
      return customer.address.state;
    case Field::zip_code:
      return customer.address.postal_code;
    case Field::country_code:
      return customer.address.country;
  }
  return {};
}

Answered<std::uint64_t> read_place(const http::Parameters& query, std::string_view name, std::uint64_t otherwise,
                                   std::uint64_t most) {
  const http::Parameter* given = query.find(name);
  if (given == nullptr || (given->is_text() && given->text().empty())) return otherwise;
  const auto value = given->is_text() ? parse_integer(given->text()) : std::nullopt;
  if (!value || *value < 0 || static_cast<std::uint64_t>(*value) > most)
    return refusal(Code::out_of_range, name, "must be an integer from 0 to " + std::to_string(most));
  return static_cast<std::uint64_t>(*value);
}

}  // namespace

std::span<const FieldEntry> field_table() { return fields; }

std::vector<DescribedMember> described_customer(bool is_new) {
  std::vector<DescribedMember> members;
  for (const FieldEntry& field : fields) {
    const bool is_taken = field.access == Access::writable || (is_new && field.access == Access::create_only);
    if (is_taken) members.push_back(described(field.name, field.length_max, is_new && field.is_required));
  }
  return members;
}

std::vector<DescribedMember> described_query(bool with_filters) {
  std::vector<DescribedMember> members = {
      {"offset", DescribedMember::Type::integer, 0, static_cast<std::size_t>(integer_max)},
      {"limit", DescribedMember::Type::integer, 1, limit_max}};
  if (!with_filters) return members;
  for (const Filter& filter : filters) members.push_back(described(filter.name, filter.length_max, false));
  return members;
}

Answered<GivenMembers> read_members(Format format, std::string_view body) {
  if (format == Format::xml) return read_xml(body, "customer");
  auto parameters = format == Format::json ? http::parse_json(body) : http::parse_form(body);
  if (!parameters) return Refusal{Code::malformed_body, parameters.error().detail};
  bool has_container = false;
  GivenMembers members = members_of(*parameters, has_container);
  if (has_container) return Refusal{Code::malformed_body, "The members of a Customer are texts and integers."};
  return members;
}

Answered<CreateCustomer> read_creation(const GivenMembers& members) {
  auto given = read_fields(members);
  if (!given) return given.error();
  for (const FieldEntry& field : fields)
    if (field.is_required && at(*given, field.field).empty()) return refusal(Code::missing, field.name, "is required");
  CreateCustomer command;
  const std::string& first = at(*given, Field::first_name);
  command.name = first + " " + at(*given, Field::last_name);
  command.first_name_size = static_cast<std::uint32_t>(first.size());
  command.code = at(*given, Field::code);
  command.account_id = parse_integer(at(*given, Field::account_id)).value_or(0);
  command.organization = at(*given, Field::organization_name);
  command.email = at(*given, Field::email);
  command.phone = at(*given, Field::phone);
  command.address.line1 = at(*given, Field::street1);
  command.address.line2 = at(*given, Field::street2);
  command.address.city = at(*given, Field::city);
  command.address.state = at(*given, Field::state);
  command.address.postal_code = at(*given, Field::zip_code);
  command.address.country = at(*given, Field::country_code);
  return command;
}

Answered<UpdateCustomer> read_change(const GivenMembers& members, const Customer& customer) {
  auto given = read_fields(members);
  if (!given) return given.error();
  for (const FieldEntry& field : fields) {
    const auto& value = maybe(*given, field.field);
    if (!value) continue;
    // What is sent back as it was shown changes nothing.
    const bool changes = *value != value_of(customer, field.field);
    if (field.access == Access::create_only && changes)
      return refusal(Code::not_changeable, field.name, "cannot be changed");
    if (field.is_required && value->empty() && changes)
      return refusal(Code::missing, field.name, "is required and cannot be cleared");
  }
  UpdateCustomer command;
  command.first_name = maybe(*given, Field::first_name);
  command.last_name = maybe(*given, Field::last_name);
  command.organization = maybe(*given, Field::organization_name);
  command.email = maybe(*given, Field::email);
  command.phone = maybe(*given, Field::phone);
  command.address_change.line1 = maybe(*given, Field::street1);
  command.address_change.line2 = maybe(*given, Field::street2);
  command.address_change.city = maybe(*given, Field::city);
  command.address_change.state = maybe(*given, Field::state);
  command.address_change.postal_code = maybe(*given, Field::zip_code);
  command.address_change.country = maybe(*given, Field::country_code);
  return command;
}

Object& present(Document& document, const Customer& customer) {
  Object& object = document.object(field_count);
  for (const FieldEntry& field : fields) {
    const std::string value = value_of(customer, field.field);
    if (value.empty()) continue;
    if (field.length_max == 0)
      object.add(field.name, parse_integer(value).value_or(0));
    else
      object.add(field.name, document.text(value));
  }
  return object;
}

std::string date_text(Timestamp time) {
  std::string text = to_text(time);  // with " UTC" behind it
  text.resize(std::min(text.size(), std::string_view("yyyy-MM-dd HH:mm:ss").size()));
  return text;
}

Answered<Query> read_query(std::string_view query, bool with_filters) {
  auto parameters = http::parse_form(query);
  if (!parameters) return Refusal{Code::malformed_query, parameters.error().detail};
  Query read;
  auto offset = read_place(*parameters, "offset", 0, static_cast<std::uint64_t>(integer_max));
  if (!offset) return offset.error();
  auto limit = read_place(*parameters, "limit", limit_default, limit_max);
  if (!limit) return limit.error();
  read.offset = *offset;
  read.limit = static_cast<std::size_t>(*limit);
  if (!with_filters) return read;
  for (const Filter& filter : filters) {
    const http::Parameter* given = parameters->find(filter.name);
    if (given == nullptr || (given->is_text() && given->text().empty())) continue;
    if (!given->is_text()) return refusal(Code::malformed_query, filter.name, "must be one value");
    std::string value = given->text();
    if (filter.length_max == 0) {
      auto integer = check_integer(filter.name, value);
      if (!integer) return integer.error();
      value = std::to_string(*integer);
    } else if (characters_in(value) > filter.length_max) {
      return refusal(Code::too_long, filter.name,
                     "must have at most " + std::to_string(filter.length_max) + " characters");
    }
    read.criteria.push_back({filter.index, store::search_value(filter.index, value)});
  }
  return read;
}

}  // namespace billd::api::management
