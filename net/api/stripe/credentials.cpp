#include "net/api/stripe/credentials.hpp"

#include "net/api/authorization.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::string_view test_prefix = "sk_test_";
constexpr std::size_t key_length_max = 255;

}  // namespace

std::optional<std::string> key_in(std::string_view authorization) {
  if (auto token = read_bearer(authorization)) return token;
  auto basic = read_basic(authorization);
  if (!basic || basic->user.empty()) return std::nullopt;
  return std::move(basic->user);
}

Result<Credentials> authenticate(const Services& services, const http::Headers& headers) {
  const auto authorization = headers.find("Authorization");
  const auto key = authorization ? key_in(*authorization) : std::nullopt;
  if (!key)
    return Failure{
        Errc::unauthenticated,
        "You did not provide an API key. You need to provide your API key in the Authorization header, using "
        "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY')."};
  if (key->size() <= key_length_max) {
    const bool any_test_key = services.settings.development && key->starts_with(test_prefix);
    if (any_test_key && key->size() > test_prefix.size()) return Credentials();
    const auto known = services.catalog.get<ApiKey>(Mode::test, hash_key(*key));
    if (known && !known->revoked && kind_of(*key) == KeyKind::stripe)
      return Credentials{known->mode, known->api_version};
  }
  return Failure{Errc::unauthenticated, "Invalid API Key provided: " + mask(*key)};
}

}  // namespace billd::api::stripe
