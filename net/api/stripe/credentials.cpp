#include "net/api/stripe/credentials.hpp"

#include <boost/beast/core/detail/base64.hpp>

#include "net/http/text.hpp"

namespace billd::api::stripe {
namespace {

constexpr std::string_view test_prefix = "sk_test_";
constexpr std::size_t key_length_max = 255;

/// The rest behind "SCHEME ", whose case does not count.
std::optional<std::string_view> behind(std::string_view scheme, std::string_view authorization) {
  if (authorization.size() <= scheme.size() || authorization[scheme.size()] != ' ') return std::nullopt;
  if (!http::equals_ignoring_case(authorization.substr(0, scheme.size()), scheme)) return std::nullopt;
  std::string_view rest = authorization.substr(scheme.size() + 1);
  while (rest.starts_with(' ')) rest.remove_prefix(1);
  while (rest.ends_with(' ')) rest.remove_suffix(1);
  return rest;
}

std::string decode_base64(std::string_view text) {
  namespace base64 = boost::beast::detail::base64;
  std::string decoded(base64::decoded_size(text.size()), '\0');
  const auto [written, read] = base64::decode(decoded.data(), text.data(), text.size());
  decoded.resize(written);
  return decoded;
}

}  // namespace

std::optional<std::string> key_in(std::string_view authorization) {
  if (const auto bearer = behind("Bearer", authorization)) {
    if (bearer->empty()) return std::nullopt;
    return std::string(*bearer);
  }
  if (const auto basic = behind("Basic", authorization)) {
    std::string user = decode_base64(*basic);
    user.resize(std::min(user.find(':'), user.size()));
    if (user.empty()) return std::nullopt;
    return user;
  }
  return std::nullopt;
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
    if (known && !known->revoked) return Credentials{known->mode, known->api_version};
  }
  return Failure{Errc::unauthenticated, "Invalid API Key provided: " + mask(*key)};
}

}  // namespace billd::api::stripe
