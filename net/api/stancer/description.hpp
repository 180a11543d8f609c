// Stancer's API as billd serves it, described.
#pragma once

#include "net/api/described.hpp"

namespace billd::api::stancer {

std::vector<DescribedRoute> described_routes();

/// The members of a customer that requests may hold; answers show them and what only billd sets.
std::vector<DescribedMember> described_customer();

}  // namespace billd::api::stancer
