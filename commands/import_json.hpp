// Members of Stripe's JSON as they are read for an import. What is missing, null or of another type is empty.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/account.hpp"
#include "engine/catalog.hpp"

namespace billd::commands {

using Objects = std::vector<boost::json::object>;

/// nullptr when it is missing or null.
const boost::json::value* member_of(const boost::json::object& object, std::string_view name);
const boost::json::object* object_of(const boost::json::object& object, std::string_view name);
/// An array's objects, or those of a list object.
Objects objects_of(const boost::json::value* value);
std::string text_of(const boost::json::object& object, std::string_view name);
std::int64_t integer_of(const boost::json::object& object, std::string_view name, std::int64_t otherwise = 0);
bool truth_of(const boost::json::object& object, std::string_view name);
std::optional<Timestamp> time_of(const boost::json::object& object, std::string_view name);
/// An identifier, or that of the object that was expanded in its place.
std::string identifier_of(const boost::json::object& object, std::string_view name);
Metadata metadata_of(const boost::json::object& object);
/// Names and values in the list of that name.
CustomFields custom_fields_of(const boost::json::object& object);
Address address_of(const boost::json::object& object);
Collection collection_of(const boost::json::object& object);
Result<Currency> currency_of(const boost::json::object& object);

/// Why an object cannot be taken, in words that follow on its name.
Failure refusal(std::string detail, std::string_view member);
/// Refuses an object in which one of these says anything: what billd would have to leave out.
Result<void> refuse_members(const boost::json::object& object, std::initializer_list<std::string_view> names);

}  // namespace billd::commands
