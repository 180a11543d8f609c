// XML of the Management API: an object's members are the attributes of an element, a list is an element of elements.
#pragma once

#include <string>
#include <string_view>

#include "net/api/document.hpp"
#include "net/api/management/codes.hpp"
#include "net/api/management/customer.hpp"

namespace billd::api::management {

/// Reads `<name member="…"/>`. Refused: a document type, entities beyond XML's own five, another encoding than UTF-8,
/// elements nested deeper than 8, another root.
Answered<GivenMembers> read_xml(std::string_view body, std::string_view name);

/// `<name member="…"/>`; members without a value are left out. Characters that XML cannot hold become U+FFFD.
std::string write_xml(std::string_view name, const Object& object);

/// `<names><name member="…"/></names>`, or `<names/>`.
std::string write_xml(std::string_view names, std::string_view name, const Array& list);

}  // namespace billd::api::management
