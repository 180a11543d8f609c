// The Customer of the Management API: one description of its members, from which JSON, XML, forms, limits and filters
// are made.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/account.hpp"
#include "engine/command.hpp"
#include "net/api/document.hpp"
#include "net/api/management/codes.hpp"
#include "net/api/management/negotiation.hpp"
#include "net/http/form.hpp"
#include "net/store/store.hpp"

namespace billd::api::management {

/// In the order in which they are shown.
enum class Field : std::size_t {
  id,
  code,
  account_id,
  create_date,
  first_name,
  last_name,
  organization_name,
  email,
  phone,
  street1,
  street2,
  city,
  state,
  zip_code,
  country_code,
};
inline constexpr std::size_t field_count = 15;

struct FieldEntry {
  enum class Access { read_only, create_only, writable };

  Field field;
  std::string_view name;
  std::size_t length_max;  ///< characters; 0: an integer
  Access access;
  bool is_required = false;
};
std::span<const FieldEntry> field_table();

/// What a body says, in any format: names and texts; empty for null.
struct GivenMember {
  std::string name, text;
};
using GivenMembers = std::vector<GivenMember>;

/// Reads a body in its format. Members that are no scalars are refused where the Customer knows their name.
Answered<GivenMembers> read_members(Format format, std::string_view body);

/// The texts of the fields that were given and may be written; each fits its field.
using CustomerFields = std::array<std::optional<std::string>, field_count>;

/// For a new customer: what is required must be there; empty texts count as absent.
Answered<CreateCustomer> read_creation(const GivenMembers& members);

/// For the customer as it is: members that were not given stay, empty texts clear what is not required.
Answered<UpdateCustomer> read_change(const GivenMembers& members, const Customer& customer);

/// The Customer as the answer shows it, in every format; what it does not have is left out.
Object& present(Document& document, const Customer& customer);

/// yyyy-MM-dd HH:mm:ss in UTC.
std::string date_text(Timestamp time);

/// What a search asks for.
struct Query {
  std::uint64_t offset = 0;
  std::size_t limit = 100;
  std::vector<store::Store::Criterion> criteria;
};
inline constexpr std::size_t limit_default = 100, limit_max = 1'000;

/// offset and limit, and with `filters` those of the Customer. Other names are ignored, empty values count as absent.
Answered<Query> read_query(std::string_view query, bool filters);

}  // namespace billd::api::management
