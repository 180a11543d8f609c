// The funding sources API as billd serves it, described.
#pragma once

#include "net/api/described.hpp"

namespace billd::api::funding_sources {

std::vector<DescribedRoute> described_routes();

/// What a body may hold of a user.
std::vector<DescribedMember> described_user(bool is_new);

/// What a body holds of funding sources, in the list of their provider.
std::vector<DescribedMember> described_sources(bool is_new);

}  // namespace billd::api::funding_sources
