// The Management API as billd serves it, described.
#pragma once

#include "net/api/described.hpp"

namespace billd::api::management {

std::vector<DescribedRoute> described_routes();

/// The members of a customer that a body may hold when one is made, or changed.
std::vector<DescribedMember> described_customer(bool is_new);

/// The parameters of a search; without `filters` those that page through a list.
std::vector<DescribedMember> described_query(bool filters);

}  // namespace billd::api::management
