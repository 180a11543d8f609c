#include "net/api/random_id.hpp"

#include <array>
#include <cstring>

#include "config/keys.hpp"

namespace billd::api {

RandomBits random_bits() {
  std::array<std::byte, sizeof(RandomBits)> bytes;
  secure_random(bytes);
  RandomBits bits;
  std::memcpy(&bits, bytes.data(), sizeof bits);
  return bits;
}

AccountKey random_account_key() {
  const RandomBits bits = random_bits();
  return AccountKey::from_bits(bits.high, bits.low);
}

std::string random_request_id() {
  const RandomBits bits = random_bits();
  return "req_" + base62(bits.high, 7) + base62(bits.low, 7);
}

PlanId random_price_id() {
  const RandomBits bits = random_bits();
  std::string id = "price_";
  id.append(base62(bits.high, id_body_length / 2)).append(base62(bits.low, id_body_length / 2));
  return PlanId(std::move(id));
}

std::string random_code() {
  constexpr std::size_t length = 8;
  return base62(random_bits().high, length);
}

}  // namespace billd::api
