// The numbers that tax offices gave to a customer.
#include <algorithm>

#include "engine/change.hpp"

namespace billd {
namespace {

/// A bound of billd's own, so that an account stays small.
constexpr std::size_t identifiers_max = 25;
constexpr std::size_t value_length_max = 64;

/// Adds it, or finds it when the customer has it already.
Result<TaxIdentifier*> put(Change& change, const NewTaxIdentifier& given) {
  if (given.type.empty()) return Failure{Errc::missing_parameter, "Missing required param: type.", "type"};
  if (given.value.empty() || given.value.size() > value_length_max)
    return Failure{Errc::invalid_parameter, "Invalid value for " + given.type + ".", "value"};
  std::vector<TaxIdentifier>& all = change.customer().tax_identifiers;
  const auto same = std::ranges::find_if(
      all, [&](const TaxIdentifier& each) { return each.type == given.type && each.value == given.value; });
  if (same != all.end()) return &*same;
  if (all.size() >= identifiers_max)
    return Failure{Errc::limit_exceeded, "A customer can have at most 25 tax IDs.", "type"};
  TaxIdentifier& added = all.emplace_back();
  added.id = change.draw_id<TaxIdentifierKind>();
  added.created = change.now;
  added.type = given.type;
  added.value = given.value;
  return &added;
}

}  // namespace

Result<void> put_tax_identifiers(Change& change, const std::vector<NewTaxIdentifier>& identifiers) {
  for (const NewTaxIdentifier& each : identifiers) {
    auto added = put(change, each);
    if (!added) return added.error();
  }
  return {};
}

Result<void> add_tax_identifier(Change& change, const AddTaxIdentifier& command) {
  Customer& customer = change.customer();
  if (customer.deleted) return no_such_customer(customer);
  const std::size_t before = customer.tax_identifiers.size();
  auto added = put(change, command.identifier);
  if (!added) return added.error();
  change.set_subject((*added)->id.value());
  if (customer.tax_identifiers.size() > before) change.emit({EventType::tax_identifier_created}, **added);
  return {};
}

Result<void> remove_tax_identifier(Change& change, const RemoveTaxIdentifier& command) {
  Customer& customer = change.customer();
  if (customer.deleted) return no_such_customer(customer);
  const auto at = std::ranges::find(customer.tax_identifiers, command.id, &TaxIdentifier::id);
  if (at == customer.tax_identifiers.end())
    return Failure{Errc::not_found, "No such tax_id: " + command.id.value(), "id"};
  change.set_subject(command.id.value());
  change.emit({EventType::tax_identifier_deleted}, *at);
  customer.tax_identifiers.erase(at);
  return {};
}

}  // namespace billd
