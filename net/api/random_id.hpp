// Random identifiers: of requests, of new accounts, of what is outside every account.
#pragma once

#include <string>

#include "engine/ids.hpp"

namespace billd::api {

AccountKey random_account_key();

/// "req_" and 14 of [A-Za-z0-9].
std::string random_request_id();

/// "price_" and 24 of [A-Za-z0-9].
PlanId random_price_id();

/// What people can type: 8 of [0-9A-Za-z].
std::string random_code();

struct RandomBits {
  std::uint64_t high, low;
};
RandomBits random_bits();

template <class Of>
Id<Of> random_id() {
  const RandomBits bits = random_bits();
  return make_id<Of>(bits.high, bits.low);
}

}  // namespace billd::api
